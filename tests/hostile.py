"""Hostile pictures made on the spot: name -> (bytes, "ok" or the reasons that are right), and seeded mutations of whole
files."""

import io
import json
import random
import struct
import zipfile
import zlib

import numpy as np
from PIL import Image

BROKEN = {"broken"}
ANY = {"ok", "broken"}  # both are right: what libraries make of it differs between their versions
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "MPO")


def encoded(image, format="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def corners(width=64, height=32):
    """A picture whose four corners differ: red, green, blue, white."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2, 0] = 255
    pixels[: height // 2, width // 2 :, 1] = 255
    pixels[height // 2 :, : width // 2, 2] = 255
    pixels[height // 2 :, width // 2 :] = 255
    return pixels


def noise(width=60, height=40, channels=3, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8).squeeze()


PHOTO = Image.fromarray(noise())
FLAT = Image.fromarray(corners())


# Parts of files -------------------------------------------------------------------------------------------------------


def segment(code, body):
    return bytes([0xFF, code]) + struct.pack(">H", len(body) + 2) + body


def with_segments(jpeg, *segments):
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def chunk(kind, body, checksum=None):
    checksum = zlib.crc32(kind + body) if checksum is None else checksum
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)


def png(width, height, depth, colour, rows, *before, after=(), interlaced=0, end=True):
    """A PNG by hand; `rows` = the filtered rows' bytes, or an IDAT's body already packed."""
    header = chunk(b"IHDR", struct.pack(">II5B", width, height, depth, colour, 0, 0, interlaced))
    pixels = chunk(b"IDAT", zlib.compress(rows))
    return (
        b"\x89PNG\r\n\x1a\n"
        + header
        + b"".join(before)
        + pixels
        + b"".join(after)
        + (chunk(b"IEND", b"") if end else b"")
    )


def riff(*chunks):
    body = b"WEBP" + b"".join(
        kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) for kind, data in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


def bmp(width, height, bits, compression, body, palette=b""):
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(body), 0, 0, len(palette) // 4, 0)
    start = 14 + len(header) + len(palette)
    return b"BM" + struct.pack("<IHHI", start + len(body), 0, 0, start) + header + palette + body


def gif_blocks(data, size=255):
    return (
        b"".join(bytes([len(data[at : at + size])]) + data[at : at + size] for at in range(0, len(data), size)) + b"\0"
    )


def gif_canvas(data, width, height):
    return data[:6] + struct.pack("<HH", width, height) + data[10:]


def exif(order="<", entries=((0x0112, 3, 1, 6),), count=None, following=0, start=8):
    """An EXIF block with one directory of (tag, type, count, value)."""
    body = (
        {"<": b"II*\0", ">": b"MM\0*"}[order]
        + struct.pack(f"{order}I", start)
        + struct.pack(f"{order}H", len(entries) if count is None else count)
    )
    for tag, kind, length, value in entries:
        body += struct.pack(f"{order}HHI", tag, kind, length) + (
            struct.pack(f"{order}HH", value, 0) if kind == 3 else struct.pack(f"{order}I", value)
        )
    return b"Exif\0\0" + body + struct.pack(f"{order}I", following)


# Families -------------------------------------------------------------------------------------------------------------


def whole_files():
    """{name: bytes} of small valid files of every format and kind."""
    alpha = Image.fromarray(noise(channels=4))
    palette = PHOTO.quantize(16)
    frames = [Image.fromarray(noise(24, 16, seed=seed)) for seed in range(3)]
    files = {
        f"{format}": encoded(PHOTO, format, **({"save_all": True, "append_images": [FLAT]} if format == "MPO" else {}))
        for format in FORMATS
    }
    files |= {
        "JPEG progressive": encoded(PHOTO, "JPEG", progressive=True),
        "JPEG restarts": encoded(PHOTO, "JPEG", restart_marker_blocks=2),
        "JPEG grey": encoded(PHOTO.convert("L"), "JPEG"),
        "JPEG CMYK": encoded(PHOTO.convert("CMYK"), "JPEG"),
        "JPEG EXIF": encoded(PHOTO, "JPEG", exif=exif()),
        "PNG alpha": encoded(alpha),
        "PNG palette": encoded(palette, transparency=3),
        "PNG 16": encoded(Image.fromarray(noise(channels=1).astype(np.uint16) * 257)),
        "PNG EXIF": encoded(PHOTO, exif=exif()),
        "PNG interlaced": interlaced(),
        "APNG": encoded(frames[0], save_all=True, append_images=frames[1:]),
        "WEBP lossless": encoded(PHOTO, "WEBP", lossless=True),
        "WEBP alpha": encoded(alpha, "WEBP"),
        "WEBP EXIF": encoded(PHOTO, "WEBP", exif=exif()),
        "WEBP animated": encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:]),
        "GIF animated": encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]),
        "GIF transparent": encoded(palette, "GIF", transparency=3, disposal=2),
        "BMP palette": encoded(palette, "BMP"),
        "BMP grey": encoded(PHOTO.convert("L"), "BMP"),
        "BMP alpha": encoded(alpha, "BMP"),
        "BMP runs": bmp(16, 8, 8, 1, b"\x10\x05\0\0" * 8 + b"\0\1", bytes(range(256)) * 4),
    }
    return files


def interlaced():
    """A grey 8 x 8 PNG in Adam7's seven passes."""
    rows = b""
    for left, top, across, down in (
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    ):
        for y in range(top, 8, down):
            rows += b"\0" + bytes(8 * x + y for x in range(left, 8, across))
    return png(8, 8, 8, 0, rows, interlaced=1)


def truncated():
    for name, data in whole_files().items():
        yield f"whole {name}", data, {"ok"}
        yield f"trailing garbage {name}", data + noise(30, 30).tobytes(), {"ok"}
        yield f"leading garbage {name}", b"garbage" + data, {"not a picture"}
        yield f"leading zero {name}", b"\0" + data, {"not a picture"}
        first_frame_only = name in ("GIF animated", "MPO")  # what is cut may be a later frame
        for tenth in range(1, 10):
            yield f"cut at {tenth}0 % {name}", data[: len(data) * tenth // 10], ANY if first_frame_only else BROKEN
        for missing in (1, 2, 4, 12):
            lenient = name == "MPO" or name.startswith(("GIF", "BMP"))  # the trailer alone, or a later frame
            yield f"without its last {missing} bytes {name}", data[:-missing], ANY if lenient else BROKEN
        for length in (1, 2, 3, 4, 8, 12, 16, 20, 30):
            yield f"first {length} bytes {name}", data[:length], {"broken", "not a picture"}


def other_files():
    yield "empty", b"", {"empty"}
    yield "one byte", b"\xff", {"not a picture"}
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("a.jpg", encoded(PHOTO, "JPEG"))
    box = struct.pack(">I", 24) + b"ftyp%s\0\0\0\0mif1%s"
    texts = {
        "html.jpg": b"<!DOCTYPE html><title>Quota exceeded</title>",
        "json.jpg": json.dumps({"error": 404}).encode(),
        "zip.jpg": archive.getvalue(),
        "pdf.png": b"%PDF-1.7\n1 0 obj\n",
        "eps.jpg": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        "svg.png": b"<svg xmlns='x'><a/></svg>",
        "psd.jpg": b"8BPS\0\1" + bytes(64),
        "heic.jpg": box % (b"heic", b"heic") + bytes(64),
        "avif.jpg": box % (b"avif", b"avif") + bytes(64),
        "elf.png": b"\x7fELF\2\1\1" + bytes(64),
        "text.jpg": b"hello",
        "zeros.jpg": bytes(4096),
        "ff.jpg": b"\xff" * 4096,
        "gzip.png": b"\x1f\x8b\x08" + bytes(64),
        "wav.webp": b"RIFF\x24\0\0\0WAVEfmt " + bytes(32),
        "gif.gif": b"GIF90a" + bytes(32),
        "mng.png": b"\x8aMNG\r\n\x1a\n" + bytes(32),
        "mp4.jpg": box % (b"isom", b"mp42"),
    }
    for format in ("TIFF", "ICO", "JPEG2000", "PPM", "TGA", "PCX", "DDS", "ICNS", "SGI"):
        texts[f"{format}.jpg"] = encoded(PHOTO.resize((64, 64)), format)
    for name, data in texts.items():
        yield name, data, {"not a picture"}
    yield "BM and text", b"BM is a book mark, not a picture of anything at all", BROKEN


def bombs():
    signature, ended = b"\x89PNG\r\n\x1a\n", chunk(b"IEND", b"")
    small, million = encoded(FLAT), bytes(2**20)
    for side in (60_000, 2**31 - 1):
        header = chunk(b"IHDR", struct.pack(">II5B", side, side, 8, 2, 0, 0, 0))
        yield f"PNG of {side} squared", signature + header + chunk(b"IDAT", b"") + ended, {"too many pixels"}
    yield "PNG of nothing", png(0, 0, 8, 2, b""), BROKEN
    yield "PNG, IDAT of 32 MB for 8 x 8", png(8, 8, 8, 0, bytes(32 * 2**20)), ANY
    yield "PNG, IDAT of nothing", png(6000, 6000, 8, 2, b""), BROKEN
    packed = zlib.compress(bytes(48 * 2**20), 9)
    for name, body in {
        "zTXt": b"k\0\0" + packed,
        "iTXt": b"k\0\1\0\0\0" + packed,
        "iCCP": b"k\0\0" + packed,
        "tEXt": b"k\0" + million,
        "eXIf": million,
        "sPLT": million,
    }.items():
        kind = name.encode()
        yield f"PNG, huge {name}", small[:33] + chunk(kind, body) + small[33:], {"ok"}
        yield f"PNG, {name} of wrong checksum", small[:33] + chunk(kind, body[:99], 1) + small[33:], {"ok"}
    yield (
        "PNG, a hundred zTXt",
        small[:33] + chunk(b"zTXt", b"k\0\0" + zlib.compress(million)) * 100 + small[33:],
        {"ok"},
    )
    yield "PNG, a million chunks", small[:33] + chunk(b"teXt", b"") * 1_000_000 + small[33:], BROKEN
    yield "PNG, IDAT in many chunks", split_idat(small, 1), {"ok"}
    yield "PNG, a million empty IDAT", small[:-12] + chunk(b"IDAT", b"") * 1_000_000 + small[-12:], BROKEN
    yield "PNG, length beyond the file", small[:33] + struct.pack(">I", 2**32 - 1) + small[37:], BROKEN
    gif = encoded(FLAT, "GIF")
    yield "GIF, huge canvas", gif_canvas(gif, 65535, 65535), {"too many pixels"}
    frame = bytearray(gif)
    at = gif.index(b",")
    frame[at + 1 : at + 9] = struct.pack("<HHHH", 65535, 65535, 65535, 65535)
    yield "GIF, huge frame", bytes(frame), {"too many pixels"}
    clearing = b"!\xf9\4\x08\0\0\0\0"
    yield "GIF, huge frame to be cleared", bytes(frame[:at]) + clearing + bytes(frame[at:]), {"too many pixels"}
    empty = bytearray(gif)
    empty[at + 5 : at + 9] = bytes(4)
    yield "GIF, frame of nothing", bytes(empty), ANY
    yield "GIF, canvas of nothing", gif_canvas(gif, 0, 0), ANY
    short = bytearray(gif_canvas(gif, 64, 64))
    short[at + 7 : at + 9] = struct.pack("<H", 64)
    yield "GIF, half the rows missing", bytes(short), BROKEN
    yield "GIF, ten thousand frames", gif[:-1] + gif[at:-1] * 10_000 + b";", {"ok"}
    yield "GIF, a comment in millions of blocks", gif[:at] + b"!\xfe" + b"\1x" * 4_000_000 + b"\0" + gif[at:], BROKEN
    yield "GIF, a comment of 16 MB", gif[:at] + b"!\xfe" + gif_blocks(bytes(2**24)) + gif[at:], {"ok"}
    yield "GIF, no frame", gif[:at] + b";", BROKEN
    for side in (0x3FFF, 2**24 - 1):
        size = (side - 1).to_bytes(3, "little") * 2
        yield (
            f"WebP VP8X of {side} squared",
            riff((b"VP8X", b"\0\0\0\0" + size), (b"VP8 ", bytes(30))),
            {"too many pixels"},
        )
    yield (
        "WebP VP8 of 16383 squared",
        riff((b"VP8 ", b"\x30\1\0\x9d\1\x2a\xff\x3f\xff\x3f" + bytes(40))),
        {"too many pixels"},
    )
    yield "WebP VP8 of nothing", riff((b"VP8 ", b"\x30\1\0\x9d\1\x2a\0\0\0\0" + bytes(40))), BROKEN
    yield "WebP VP8L of 16384 squared", riff((b"VP8L", b"\x2f\xff\xff\xff\x0f" + bytes(40))), {"too many pixels"}
    yield "WebP without chunks", riff(), BROKEN
    yield "WebP of unknown chunks", riff((b"ABCD", bytes(40))), BROKEN
    for width, height in (
        (60_000, 60_000),
        (2**31 - 1, 1),
        (2**31 - 1, -(2**31)),
        (-1, 10),
        (-(2**31), 5),
        (0, 0),
        (10, 0),
        (0, 10),
    ):
        for bits in (1, 8, 24, 32):
            yield (
                f"BMP of {width} x {height}, {bits} bit",
                bmp(width, height, bits, 0, bytes(100)),
                {"broken", "too many pixels"},
            )
    palette = bytes(range(256)) * 4
    yield (
        "BMP runs, 6000 squared of line ends",
        bmp(6000, 6000, 8, 1, b"\0\0" * 6000 + b"\0\1", palette),
        {"too many pixels"},
    )
    yield "BMP runs, 3000 squared of line ends", bmp(3000, 3000, 8, 1, b"\0\0" * 3000 + b"\0\1", palette), ANY
    yield "BMP runs that go nowhere", bmp(10, 10, 8, 1, b"\x05\1" * 2_000_000, palette), BROKEN | {"ok"}
    yield "BMP runs of four bits", bmp(8, 2, 4, 2, b"\x08\x12\0\0\x08\x34\0\0\0\1", palette[:64]), {"ok"}
    yield "BMP runs, jumps", bmp(100, 100, 8, 1, b"\0\2\xff\xff" * 50 + b"\0\1", palette), ANY
    for bits, compression in (
        (24, 3),
        (16, 3),
        (32, 3),
        (24, 4),
        (24, 5),
        (7, 0),
        (65535, 0),
        (0, 0),
        (8, 99),
        (16, 0),
    ):
        yield f"BMP of {bits} bits, compression {compression}", bmp(4, 4, bits, compression, bytes(200)), ANY
    for size in (0, 3, 12, 41, 2**31):
        yield (
            f"BMP, header of {size}",
            b"BM" + struct.pack("<IHHI", 99, 0, 0, 54) + struct.pack("<I", size) + bytes(200),
            BROKEN,
        )
    yield (
        "BMP, palette of millions",
        b"BM"
        + struct.pack("<IHHI", 99, 0, 0, 54)
        + struct.pack("<IiiHHIIiiII", 40, 4, 4, 1, 8, 0, 0, 0, 0, 2**31, 0)
        + bytes(99),
        BROKEN,
    )


def split_idat(data, size):
    at = data.index(b"IDAT") - 4
    length = struct.unpack_from(">I", data, at)[0]
    body = data[at + 8 : at + 8 + length]
    return (
        data[:at]
        + b"".join(chunk(b"IDAT", body[start : start + size]) for start in range(0, length, size))
        + data[at + 12 + length :]
    )


def jpegs():
    plain, progressive = encoded(PHOTO, "JPEG"), encoded(PHOTO, "JPEG", progressive=True)
    last = progressive[progressive.rindex(b"\xff\xda") : -2]
    for scans, expected in ((50, {"ok"}), (200, BROKEN), (5000, BROKEN)):
        yield f"{scans} progressive scans", progressive[:-2] + last * scans + b"\xff\xd9", expected
    yield "scan bytes after the end", plain + b"\xff\xda\0\2" * 1000, {"ok"}
    yield (
        "scan bytes in comments between scans",
        progressive[:-2] + segment(0xFE, b"\xff\xda" * 300) + b"\xff\xd9",
        {"ok"},
    )
    big = encoded(Image.new("RGB", (6000, 6000)), "JPEG", progressive=True, quality=10)
    end = big[big.rindex(b"\xff\xda") : -2]
    yield "a thousand scans over 36 million pixels", big[:-2] + end[:12] * 1000 + b"\xff\xd9", BROKEN
    frame = plain.index(b"\xff\xc0")
    for code in (0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF, 0xC8, 0xF0, 0x02):
        yield f"frame of kind {code:02X}", plain[: frame + 1] + bytes([code]) + plain[frame + 2 :], BROKEN
    for bits in (0, 2, 12, 16, 255):
        yield f"{bits} bits", plain[: frame + 4] + bytes([bits]) + plain[frame + 5 :], BROKEN
    for width, height in ((0, 40), (60, 0), (0, 0), (65535, 65535), (60, 41), (61, 40), (600, 400)):
        data = plain[: frame + 5] + struct.pack(">HH", height, width) + plain[frame + 9 :]
        yield f"says {width} x {height}", data, ANY | {"too many pixels"}
    yield "two frames", plain[:frame] + plain[frame : frame + 19] + plain[frame:], BROKEN
    tables = plain.index(b"\xff\xc4")
    yield (
        "no Huffman tables",
        plain[:tables] + plain[plain.index(b"\xff\xda") :],
        ANY,
    )  # libjpeg-turbo may put in the standard ones
    quantum = plain.index(b"\xff\xdb")
    yield "no quantization tables", plain[:quantum] + plain[frame:], BROKEN
    restarts = encoded(PHOTO, "JPEG", restart_marker_blocks=2)
    yield "restart marks missing", restarts.replace(b"\xff\xd3", b"").replace(b"\xff\xd5", b""), ANY
    yield "restart marks out of order", restarts.replace(b"\xff\xd3", b"\xff\xd7"), ANY
    yield "two in one", plain + plain, {"ok"}
    yield "two starts", plain[:2] + plain, BROKEN
    yield "end before the picture", plain[:2] + b"\xff\xd9" + plain[2:], BROKEN
    yield "no end mark", plain[:-2], BROKEN
    yield "junk between segments", plain[:2] + b"\xff\xff\xff\0abc" + plain[2:], {"ok"}
    yield "a megabyte of junk between segments", plain[:20] + b"junk" * 2**18 + plain[20:], {"ok"}
    yield "sixteen megabytes of fill", plain[:2] + b"\xff" * 2**24 + b"\0" + plain[2:], {"ok"}
    yield "a million empty segments", with_segments(plain, segment(0xE5, b"") * 1_000_000), BROKEN
    yield "tables without end", with_segments(plain, segment(0xDB, (b"\0" + b"\1" * 64) * 1000) * 200), BROKEN
    yield "segment of length 0", with_segments(plain, b"\xff\xe1\0\0"), BROKEN
    yield "segment beyond the end", with_segments(plain, b"\xff\xe1\xff\xff"), BROKEN
    for name, body in {
        "ICC of nonsense": (0xE2, b"ICC_PROFILE\0\1\1" + bytes(range(256))),
        "ICC 0 of 0": (0xE2, b"ICC_PROFILE\0"),
        "ICC 9 of 2": (0xE2, b"ICC_PROFILE\0\x09\2abc"),
        "MPO list of nonsense": (0xE2, b"MPF\0II*\0\x08\0\0\0\xff\xff" + bytes(500)),
        "MPO list cut": (0xE2, b"MPF\0II"),
        "Photoshop": (0xED, b"Photoshop 3.0\0008BIM\4\4"),
        "JFIF cut": (0xE0, b"JFIF"),
        "FlashPix": (0xE2, b"FPXR\0"),
        "comment": (0xFE, b"\xff" * 60_000),
        "XMP": (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + b"<" * 60_000),
    }.items():
        yield name, with_segments(plain, segment(*body)), {"ok"}
    yield "Adobe cut", with_segments(plain, segment(0xEE, b"Adobe\0d")), ANY


def exifs():
    """Blocks that turn nothing, in all three formats that carry EXIF, and bombs; `turning` has those that do."""
    ring = (
        b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 1) + struct.pack("<HHII", 0x8769, 4, 1, 8) + struct.pack("<I", 8)
    )
    shared = [(0x8000 + n, 7, 60_000, 8) for n in range(5000)]
    blocks = {
        "orientation 0": exif(entries=[(0x0112, 3, 1, 0)]), "orientation 9": exif(entries=[(0x0112, 3, 1, 9)]),
        "orientation 65535": exif(entries=[(0x0112, 3, 1, 65535)]),
        "orientation as text": exif(entries=[(0x0112, 2, 2, 0x36)]), "three orientations": exif(entries=[(0x0112, 3,
        3, 6)]), "no orientation": exif(entries=[]),
        "a ring": ring, "starts far away": exif(start=2**32 - 1), "garbage": b"Exif\0\0" + noise(100, 200).tobytes(),
        "only the start": b"Exif\0\0", "half a head": b"Exif\0\0II*",
        "entries sharing their bytes": exif(entries=shared) + bytes(1000), "count of 65535": exif(entries=[(1, 3, 1,
        1)], count=65535),
    }  # fmt: skip
    for name, block in blocks.items():
        yield from ((f"EXIF, {name}: {format}", data, {"ok"}) for format, data in carrying(block))
    jpeg = encoded(FLAT, "JPEG")
    many = exif(entries=[(n, 7, 60_000_000, 8) for n in range(1, 5000)])
    yield (
        "EXIF in 900 segments whose entries share them",
        with_segments(jpeg, segment(0xE1, many), *[segment(0xE1, b"Exif\0\0" + bytes(60_000))] * 900),
        {"ok"},
    )
    yield "EXIF after the data: JPEG", jpeg + segment(0xE1, exif()), {"ok"}
    xmp = b'<rdf:Description tiff:Orientation="6"/>'
    yield "XMP that turns: JPEG", with_segments(jpeg, segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp)), {"ok"}
    yield "XMP that turns: PNG", carry_png(chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp)), {"ok"}
    yield (
        "EXIF as text: PNG",
        carry_png(chunk(b"tEXt", b"Raw profile type exif\0\nexif\n 9\n" + exif().hex().encode())),
        {"ok"},
    )
    yield "XMP that turns: WEBP", encoded(FLAT, "WEBP", lossless=True, xmp=xmp), {"ok"}


def carry_png(part):
    data = encoded(FLAT)
    return data[:33] + part + data[33:]


def carrying(block):
    """`FLAT` in the formats that carry EXIF, with this block; no library looks into it."""
    yield "JPEG", with_segments(encoded(FLAT, "JPEG", quality=95), segment(0xE1, block[:65533]))
    yield "PNG", carry_png(chunk(b"eXIf", block[6:]))
    yield "PNG, after the data", encoded(FLAT)[:-12] + chunk(b"eXIf", block[6:]) + chunk(b"IEND", b"")
    yield "WEBP", encoded(FLAT, "WEBP", lossless=True, exif=block)


def turning():
    """(name, bytes, orientation): EXIF that turns `FLAT`, though much of it may be broken."""
    for orientation in range(1, 9):
        entry = (0x0112, 3, 1, orientation)
        blocks = {
            "II": exif("<", [entry]), "MM": exif(">", [entry]), "cut after it": exif("<", [entry], count=65535)[:-4],
            "leads nowhere": exif("<", [entry], following=2**31),
            "nonsense before it": exif("<", [(0xFFFF, 99, 2**32 - 1, 2**32 - 1), (0x0100, 4, 2**31, 7), entry]),
            "twice marked": b"Exif\0\0" + exif(">", [entry]),
        }  # fmt: skip
        for name, block in blocks.items():
            yield from (
                (f"orientation {orientation}, {name}: {format}", data, orientation) for format, data in carrying(block)
            )


def shapes():
    for width, height in ((1, 1), (1, 40_000), (40_000, 1), (65_500, 1), (1, 65_500), (2, 3), (8, 8), (9, 7)):
        image = Image.new("RGB", (width, height), (10, 200, 30))
        for format in ("JPEG", "PNG", "WEBP", "GIF", "BMP"):
            if format == "WEBP" and max(width, height) > 16383:
                continue
            yield f"{format} of {width} x {height}", encoded(image, format), {"ok"}


def damages():
    data, profile = encoded(FLAT), chunk(b"iCCP", b"name\0\0" + zlib.compress(b"nonsense"))
    at = data.index(b"IDAT")
    length = struct.unpack_from(">I", data, at - 4)[0]
    yield "PNG, IHDR of wrong checksum", data[:29] + b"\0\0\0\0" + data[33:], BROKEN
    yield "PNG, IDAT of wrong checksum", data[: at + 4 + length] + b"\0\0\0\0" + data[at + 8 + length :], BROKEN
    yield "PNG without IEND", data[:-12], BROKEN
    yield "PNG, broken ICC", carry_png(profile), {"ok"}
    yield "PNG, unknown critical chunk", carry_png(chunk(b"CgBI", b"abcd")), BROKEN
    yield "PNG, unknown chunk", carry_png(chunk(b"abCd", b"abcd")), {"ok"}
    yield "PNG, broken animation", carry_png(chunk(b"acTL", b"\0\0") + chunk(b"fcTL", b"abc")), {"ok"}
    yield "PNG, two animations", carry_png(chunk(b"acTL", bytes(8)) * 2), {"ok"}
    yield "PNG, IHDR cut", data[:8] + chunk(b"IHDR", bytes(7)) + data[33:], BROKEN
    yield "PNG, no IHDR", data[:8] + data[33:], BROKEN
    yield "PNG, no IDAT", data[:33] + data[-12:], BROKEN
    yield (
        "PNG, bad zlib",
        png(8, 8, 8, 0, b"").replace(zlib.compress(b""), b"")[:33] + chunk(b"IDAT", b"nonsense") + chunk(b"IEND", b""),
        BROKEN,
    )
    yield "PNG, rows of unknown filter", png(8, 8, 8, 0, (b"\x09" + bytes(8)) * 8), BROKEN
    yield "PNG, rows missing", png(8, 8, 8, 0, bytes(9 * 7)), BROKEN
    yield "PNG, palette missing", png(8, 8, 8, 3, bytes(72)), ANY
    yield "PNG, palette too short", png(8, 8, 8, 3, (b"\0" + bytes([200] * 8)) * 8, chunk(b"PLTE", bytes(9))), ANY
    yield "PNG, palette of 1000", png(8, 8, 8, 3, bytes(72), chunk(b"PLTE", bytes(3000))), ANY
    yield (
        "PNG, tRNS longer than the palette",
        png(8, 8, 8, 3, bytes(72), chunk(b"PLTE", bytes(9)), chunk(b"tRNS", bytes(500))),
        ANY,
    )
    yield "PNG, tRNS cut", png(8, 8, 8, 2, bytes(200), chunk(b"tRNS", b"\0")), ANY
    for depth, colour in ((3, 0), (16, 3), (1, 2), (4, 6), (8, 1), (8, 5), (8, 7), (32, 0), (0, 0), (255, 255)):
        yield f"PNG of depth {depth} and colour {colour}", png(8, 8, depth, colour, bytes(600)), BROKEN
    webp = encoded(PHOTO, "WEBP", lossless=True)
    yield "WebP, length too large", webp[:4] + struct.pack("<I", 2**31) + webp[8:], BROKEN
    yield "WebP, length too small", webp[:4] + struct.pack("<I", 20) + webp[8:], BROKEN
    yield "WebP, length 0", webp[:4] + bytes(4) + webp[8:], BROKEN
    gif = encoded(PHOTO.convert("L"), "GIF")
    yield "GIF, code size 255", gif.replace(b"\0\x08\xff", b"\0\xff\xff", 1), ANY
    yield "GIF without trailer", gif[:-1], ANY


def largest():
    """Pictures of just the number of pixels that is allowed, in the modes that take most memory."""
    width, height = 8000, 5000
    row = zlib.compressobj(1)
    packed = b"".join(row.compress(bytes(1 + 8 * width)) for _ in range(height)) + row.flush()
    yield (
        "largest 16-bit PNG with alpha",
        png(width, height, 16, 6, b"").replace(chunk(b"IDAT", zlib.compress(b"")), chunk(b"IDAT", packed)),
        {"ok"},
    )
    yield (
        "largest progressive JPEG",
        encoded(Image.new("RGB", (width, height)), "JPEG", progressive=True, subsampling=0),
        {"ok"},
    )
    yield "largest CMYK JPEG", encoded(Image.new("CMYK", (width, height)), "JPEG"), {"ok"}
    yield "largest GIF", encoded(Image.new("P", (width, height)), "GIF", transparency=0), {"ok"}
    yield (
        "largest WebP with alpha",
        encoded(Image.new("RGBA", (width, height), (9, 9, 9, 9)), "WEBP", lossless=True, method=0, quality=0),
        {"ok"},
    )
    yield "one pixel column too many", encoded(Image.new("1", (width + 1, height))), {"too many pixels"}


def corpus():
    """(name, bytes, the outcomes that are right) of every hostile file."""
    for family in (truncated, other_files, bombs, jpegs, exifs, shapes, damages, largest):
        yield from family()


# Fuzz -----------------------------------------------------------------------------------------------------------------


def mutations(seed, count):
    """(number, name, bytes): every one depends on the seed and its number only."""
    files = whole_files()
    names = sorted(files)
    for number in range(count):
        chance = random.Random(f"{seed}/{number}")
        name = names[number % len(names)]
        data = bytearray(files[name])
        for _ in range(chance.choice((1, 1, 1, 2, 4, 16))):
            chance.choice(MUTATIONS)(data, chance, files[chance.choice(names)])
        if name.startswith(("PNG", "APNG")) and chance.random() < 0.7:
            data = right_checksums(bytes(data))  # else nothing but checksums would be tried
        yield number, name, bytes(data)


def place(data, chance):
    return (
        chance.randrange(max(1, len(data))) if chance.random() < 0.5 else chance.randrange(max(1, min(len(data), 200)))
    )


def flip_bit(data, chance, _):
    if data:
        data[place(data, chance)] ^= 1 << chance.randrange(8)


def set_byte(data, chance, _):
    if data:
        data[place(data, chance)] = chance.choice((0, 1, 127, 128, 254, 255, chance.randrange(256)))


def cut(data, chance, _):
    del data[place(data, chance) :]


def take_out(data, chance, _):
    at = place(data, chance)
    del data[at : at + chance.choice((1, 2, 4, 8, 64))]


def double(data, chance, _):
    at, length = place(data, chance), chance.choice((1, 2, 4, 16, 100, 1000))
    data[at:at] = data[at : at + length]


def splice(data, chance, other):
    data[place(data, chance) :] = other[chance.randrange(len(other)) :]


def insert(data, chance, _):
    at = place(data, chance)
    data[at:at] = chance.randbytes(chance.choice((1, 2, 4, 50)))


def set_length(data, chance, _):
    at = place(data, chance)
    value = chance.choice((0, 1, 2**15, 2**16 - 1, 2**24, 2**31 - 1, 2**31, 2**32 - 1, chance.randrange(2**32)))
    field = struct.pack(chance.choice("<>") + "I", value)
    size = chance.choice((2, 4))
    data[at : at + size] = field[-size:]


MUTATIONS = (flip_bit, flip_bit, set_byte, set_byte, cut, take_out, double, splice, insert, set_length, set_length)


def right_checksums(data):
    """A PNG whose chunks' checksums fit again, as far as its lengths lead."""
    parts, at = [data[:8]], 8
    while at + 12 <= len(data):
        length = struct.unpack_from(">I", data, at)[0]
        if at + 12 + length > len(data):
            break
        parts.append(chunk(data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    return b"".join(parts) + data[at:]


# A process of its own: `python hostile.py PROGRESS_FILE corpus | fuzz SEED COUNT`
# --------------------------------------------


def outcome(call, *arguments):
    """The reason of a rejection, "ok" for pixels or bytes as they should be, or a text that says what went wrong."""
    from kfashion_utils import errors

    try:
        result = call(*arguments)
    except errors.ImageRejected as error:
        return error.reason if error.reason in errors.REASONS and str(error) else f"unknown reason {error.reason!r}"
    except BaseException as error:
        return f"{type(error).__name__}: {error}"
    if isinstance(result, bytes):
        return "ok" if result.startswith(b"\xff\xd8") else "not JPEG bytes"
    pixels, (width, height) = result
    good = (
        pixels.dtype == np.uint8
        and pixels.ndim == 3
        and pixels.shape[2] == 3
        and 0 < width * height <= errors.MAX_PIXELS
    )
    good &= pixels.shape[0] <= height and pixels.shape[1] <= width
    return "ok" if good else f"pixels of {pixels.dtype} {pixels.shape} for {width} x {height}"


def outcomes(data, seed):
    """What the three ways in make of the same bytes."""
    from kfashion_utils.images import decoding
    from kfashion_utils.images.recipe import Preprocess

    chance = random.Random(seed)
    left, top = chance.uniform(-20, 70), chance.uniform(-20, 50)
    box = {"left": left, "top": top, "right": left + chance.uniform(0, 80), "bottom": top + chance.uniform(0, 60)}
    yield outcome(decoding.decode, data)
    yield outcome(decoding.decode, data, ".", lambda width, height: 4)
    yield outcome(Preprocess(size=64, crop="box").encode, data, box)


def run(progress, what, seed="0", count="0"):
    import resource

    from kfashion_utils.errors import REASONS

    resource.setrlimit(resource.RLIMIT_AS, (3 * 2**30, 3 * 2**30))
    files = (
        corpus()
        if what == "corpus"
        else (
            (f"seed {seed}, mutation {number} of {name}", data, {"ok", *REASONS})
            for number, name, data in mutations(seed, int(count))
        )
    )
    tally, problems = {}, []
    with open(progress, "w", encoding="utf-8") as log:
        for name, data, expected in files:
            log.seek(0)
            log.truncate()
            log.write(name)
            log.flush()
            full, *others = outcomes(data, name)
            tally[full] = tally.get(full, 0) + 1
            if (
                full not in expected
                or not {*others} <= {full, "ok", "broken", "region outside"}
                or (full != "ok" and "ok" in others)
            ):
                problems.append(f"{name}: {full}, {others}; expected {sorted(expected)}")
    print(json.dumps({"tally": tally, "problems": problems}))


if __name__ == "__main__":
    import sys

    run(*sys.argv[1:])
