"""Hostile pictures of one format each: bombs, damaged headers, parts that are missing or come too often.

Each family gives (name, bytes, the outcomes that are right).
"""

import struct
import zlib

from hostile_parts import (
    FLAT,
    PHOTO,
    bmp,
    carry_png,
    chunk,
    encoded,
    gif_blocks,
    gif_canvas,
    png,
    riff,
    segment,
    split_idat,
    with_segments,
)
from PIL import Image

OK = {"ok"}
BROKEN = {"broken"}
ANY = OK | BROKEN  # both are right: what libraries make of it differs between their versions
TOO_MANY = {"too many pixels"}


# PNG ------------------------------------------------------------------------------------------------------------------


def png_bombs():
    signature, ended = b"\x89PNG\r\n\x1a\n", chunk(b"IEND", b"")
    small = encoded(FLAT)
    for side in (60_000, 2**31 - 1):
        header = chunk(b"IHDR", struct.pack(">II5B", side, side, 8, 2, 0, 0, 0))
        yield f"PNG of {side} squared", signature + header + chunk(b"IDAT", b"") + ended, TOO_MANY
    yield "PNG of nothing", png(0, 0, 8, 2, b""), BROKEN
    yield "PNG, IDAT of 32 MB for 8 x 8", png(8, 8, 8, 0, bytes(32 * 2**20)), ANY
    yield "PNG, IDAT of nothing", png(6000, 6000, 8, 2, b""), BROKEN
    yield "PNG, a hundred zTXt", carry_png(chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(2**20))) * 100), OK
    yield "PNG, a million chunks", carry_png(chunk(b"teXt", b"") * 1_000_000), BROKEN
    yield "PNG, IDAT in many chunks", split_idat(small, 1), OK
    yield "PNG, a million empty IDAT", small[:-12] + chunk(b"IDAT", b"") * 1_000_000 + small[-12:], BROKEN
    yield "PNG, length beyond the file", small[:33] + struct.pack(">I", 2**32 - 1) + small[37:], BROKEN


def png_texts():
    """Chunks that unpack to much more than they are."""
    million, packed = bytes(2**20), zlib.compress(bytes(48 * 2**20), 9)
    bodies = {
        "zTXt": b"k\0\0" + packed,
        "iTXt": b"k\0\1\0\0\0" + packed,
        "iCCP": b"k\0\0" + packed,
        "tEXt": b"k\0" + million,
        "eXIf": million,
        "sPLT": million,
    }
    for name, body in bodies.items():
        kind = name.encode()
        yield f"PNG, huge {name}", carry_png(chunk(kind, body)), OK
        yield f"PNG, {name} of wrong checksum", carry_png(chunk(kind, body[:99], 1)), OK


def png_damages():
    data, profile = encoded(FLAT), chunk(b"iCCP", b"name\0\0" + zlib.compress(b"nonsense"))
    at = data.index(b"IDAT")
    length = struct.unpack_from(">I", data, at - 4)[0]
    yield "PNG, IHDR of wrong checksum", data[:29] + b"\0\0\0\0" + data[33:], BROKEN
    yield "PNG, IDAT of wrong checksum", data[: at + 4 + length] + b"\0\0\0\0" + data[at + 8 + length :], BROKEN
    yield "PNG without IEND", data[:-12], BROKEN
    yield "PNG, broken ICC", carry_png(profile), OK
    yield "PNG, unknown critical chunk", carry_png(chunk(b"CgBI", b"abcd")), BROKEN
    yield "PNG, unknown chunk", carry_png(chunk(b"abCd", b"abcd")), OK
    yield "PNG, broken animation", carry_png(chunk(b"acTL", b"\0\0") + chunk(b"fcTL", b"abc")), OK
    yield "PNG, two animations", carry_png(chunk(b"acTL", bytes(8)) * 2), OK
    yield "PNG, IHDR cut", data[:8] + chunk(b"IHDR", bytes(7)) + data[33:], BROKEN
    yield "PNG, no IHDR", data[:8] + data[33:], BROKEN
    yield "PNG, no IDAT", data[:33] + data[-12:], BROKEN
    head = png(8, 8, 8, 0, b"")[:33]
    yield "PNG, bad zlib", head + chunk(b"IDAT", b"nonsense") + chunk(b"IEND", b""), BROKEN


def png_pixels():
    """Rows, palettes and depths that do not fit each other."""
    yield "PNG, rows of unknown filter", png(8, 8, 8, 0, (b"\x09" + bytes(8)) * 8), BROKEN
    yield "PNG, rows missing", png(8, 8, 8, 0, bytes(9 * 7)), BROKEN
    yield "PNG, palette missing", png(8, 8, 8, 3, bytes(72)), ANY
    yield "PNG, palette too short", png(8, 8, 8, 3, (b"\0" + bytes([200] * 8)) * 8, chunk(b"PLTE", bytes(9))), ANY
    yield "PNG, palette of 1000", png(8, 8, 8, 3, bytes(72), chunk(b"PLTE", bytes(3000))), ANY
    palette, longer = chunk(b"PLTE", bytes(9)), chunk(b"tRNS", bytes(500))
    yield "PNG, tRNS longer than the palette", png(8, 8, 8, 3, bytes(72), palette, longer), ANY
    yield "PNG, tRNS cut", png(8, 8, 8, 2, bytes(200), chunk(b"tRNS", b"\0")), ANY
    for depth, colour in ((3, 0), (16, 3), (1, 2), (4, 6), (8, 1), (8, 5), (8, 7), (32, 0), (0, 0), (255, 255)):
        yield f"PNG of depth {depth} and colour {colour}", png(8, 8, depth, colour, bytes(600)), BROKEN


# GIF ------------------------------------------------------------------------------------------------------------------


def gifs():
    gif = encoded(FLAT, "GIF")
    at = gif.index(b",")  # of the first frame
    yield "GIF, huge canvas", gif_canvas(gif, 65535, 65535), TOO_MANY
    frame = gif[: at + 1] + struct.pack("<HHHH", 65535, 65535, 65535, 65535) + gif[at + 9 :]
    yield "GIF, huge frame", frame, TOO_MANY
    clearing = b"!\xf9\4\x08\0\0\0\0"
    yield "GIF, huge frame to be cleared", frame[:at] + clearing + frame[at:], TOO_MANY
    yield "GIF, frame of nothing", gif[: at + 5] + bytes(4) + gif[at + 9 :], ANY
    yield "GIF, canvas of nothing", gif_canvas(gif, 0, 0), ANY
    higher = gif_canvas(gif, 64, 64)
    yield "GIF, half the rows missing", higher[: at + 7] + struct.pack("<H", 64) + higher[at + 9 :], BROKEN
    yield "GIF, ten thousand frames", gif[:-1] + gif[at:-1] * 10_000 + b";", OK
    yield "GIF, a comment in millions of blocks", gif[:at] + b"!\xfe" + b"\1x" * 4_000_000 + b"\0" + gif[at:], BROKEN
    yield "GIF, a comment of 16 MB", gif[:at] + b"!\xfe" + gif_blocks(bytes(2**24)) + gif[at:], OK
    yield "GIF, no frame", gif[:at] + b";", BROKEN
    grey = encoded(PHOTO.convert("L"), "GIF")
    yield "GIF, code size 255", grey.replace(b"\0\x08\xff", b"\0\xff\xff", 1), ANY
    yield "GIF without trailer", grey[:-1], ANY


# WebP -----------------------------------------------------------------------------------------------------------------


def webps():
    for side in (0x3FFF, 2**24 - 1):
        canvas = (b"VP8X", b"\0\0\0\0" + (side - 1).to_bytes(3, "little") * 2)
        yield f"WebP VP8X of {side} squared", riff(canvas, (b"VP8 ", bytes(30))), TOO_MANY
    largest = b"\x30\1\0\x9d\1\x2a\xff\x3f\xff\x3f" + bytes(40)
    yield "WebP VP8 of 16383 squared", riff((b"VP8 ", largest)), TOO_MANY
    yield "WebP VP8 of nothing", riff((b"VP8 ", b"\x30\1\0\x9d\1\x2a\0\0\0\0" + bytes(40))), BROKEN
    yield "WebP VP8L of 16384 squared", riff((b"VP8L", b"\x2f\xff\xff\xff\x0f" + bytes(40))), TOO_MANY
    yield "WebP without chunks", riff(), BROKEN
    yield "WebP of unknown chunks", riff((b"ABCD", bytes(40))), BROKEN
    webp = encoded(PHOTO, "WEBP", lossless=True)
    yield "WebP, length too large", webp[:4] + struct.pack("<I", 2**31) + webp[8:], BROKEN
    yield "WebP, length too small", webp[:4] + struct.pack("<I", 20) + webp[8:], BROKEN
    yield "WebP, length 0", webp[:4] + bytes(4) + webp[8:], BROKEN


# BMP ------------------------------------------------------------------------------------------------------------------

BMP_SIZES = (
    (60_000, 60_000), (2**31 - 1, 1), (2**31 - 1, -(2**31)), (-1, 10), (-(2**31), 5), (0, 0), (10, 0), (0, 10),
)  # fmt: skip
BMP_KINDS = (
    (24, 3), (16, 3), (32, 3), (24, 4), (24, 5), (7, 0), (65535, 0), (0, 0), (8, 99), (16, 0),
)  # fmt: skip


def bmps():
    for width, height in BMP_SIZES:
        for bits in (1, 8, 24, 32):
            data = bmp(width, height, bits, 0, bytes(100))
            yield f"BMP of {width} x {height}, {bits} bit", data, BROKEN | TOO_MANY
    for bits, compression in BMP_KINDS:
        yield f"BMP of {bits} bits, compression {compression}", bmp(4, 4, bits, compression, bytes(200)), ANY
    start = b"BM" + struct.pack("<IHHI", 99, 0, 0, 54)
    for size in (0, 3, 12, 41, 2**31):
        yield f"BMP, header of {size}", start + struct.pack("<I", size) + bytes(200), BROKEN
    header = struct.pack("<IiiHHIIiiII", 40, 4, 4, 1, 8, 0, 0, 0, 0, 2**31, 0)
    yield "BMP, palette of millions", start + header + bytes(99), BROKEN


def bmp_runs():
    palette = bytes(range(256)) * 4
    for side, expected in ((6000, TOO_MANY), (3000, ANY)):
        ends = b"\0\0" * side + b"\0\1"
        yield f"BMP runs, {side} squared of line ends", bmp(side, side, 8, 1, ends, palette), expected
    yield "BMP runs that go nowhere", bmp(10, 10, 8, 1, b"\x05\1" * 2_000_000, palette), ANY
    yield "BMP runs of four bits", bmp(8, 2, 4, 2, b"\x08\x12\0\0\x08\x34\0\0\0\1", palette[:64]), OK
    yield "BMP runs, jumps", bmp(100, 100, 8, 1, b"\0\2\xff\xff" * 50 + b"\0\1", palette), ANY


# JPEG -----------------------------------------------------------------------------------------------------------------

JPEG_KINDS = (0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF, 0xC8, 0xF0, 0x02)  # that browsers do not show
JPEG_SIZES = ((0, 40), (60, 0), (0, 0), (65535, 65535), (60, 41), (61, 40), (600, 400))
JPEG_METADATA = {
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
}


def jpeg_scans():
    progressive = encoded(PHOTO, "JPEG", progressive=True)
    last = progressive[progressive.rindex(b"\xff\xda") : -2]
    for scans, expected in ((50, OK), (200, BROKEN), (5000, BROKEN)):
        yield f"{scans} progressive scans", progressive[:-2] + last * scans + b"\xff\xd9", expected
    yield "scan bytes after the end", encoded(PHOTO, "JPEG") + b"\xff\xda\0\2" * 1000, OK
    comment = segment(0xFE, b"\xff\xda" * 300)
    yield "scan bytes in comments between scans", progressive[:-2] + comment + b"\xff\xd9", OK
    big = encoded(Image.new("RGB", (6000, 6000)), "JPEG", progressive=True, quality=10)
    end = big[big.rindex(b"\xff\xda") : -2]
    yield "a thousand scans over 36 million pixels", big[:-2] + end[:12] * 1000 + b"\xff\xd9", BROKEN


def jpeg_frames():
    plain = encoded(PHOTO, "JPEG")
    frame = plain.index(b"\xff\xc0")
    for code in JPEG_KINDS:
        yield f"frame of kind {code:02X}", plain[: frame + 1] + bytes([code]) + plain[frame + 2 :], BROKEN
    for bits in (0, 2, 12, 16, 255):
        yield f"{bits} bits", plain[: frame + 4] + bytes([bits]) + plain[frame + 5 :], BROKEN
    for width, height in JPEG_SIZES:
        data = plain[: frame + 5] + struct.pack(">HH", height, width) + plain[frame + 9 :]
        yield f"says {width} x {height}", data, ANY | TOO_MANY
    yield "two frames", plain[:frame] + plain[frame : frame + 19] + plain[frame:], BROKEN
    tables, scan = plain.index(b"\xff\xc4"), plain.index(b"\xff\xda")
    yield "no Huffman tables", plain[:tables] + plain[scan:], ANY  # libjpeg-turbo may put in the standard ones
    yield "no quantization tables", plain[: plain.index(b"\xff\xdb")] + plain[frame:], BROKEN


def jpeg_segments():
    plain, restarts = encoded(PHOTO, "JPEG"), encoded(PHOTO, "JPEG", restart_marker_blocks=2)
    yield "restart marks missing", restarts.replace(b"\xff\xd3", b"").replace(b"\xff\xd5", b""), ANY
    yield "restart marks out of order", restarts.replace(b"\xff\xd3", b"\xff\xd7"), ANY
    yield "two in one", plain + plain, OK
    yield "two starts", plain[:2] + plain, BROKEN
    yield "end before the picture", plain[:2] + b"\xff\xd9" + plain[2:], BROKEN
    yield "no end mark", plain[:-2], {"ok"}
    yield "junk between segments", plain[:2] + b"\xff\xff\xff\0abc" + plain[2:], OK
    yield "a megabyte of junk between segments", plain[:20] + b"junk" * 2**18 + plain[20:], OK
    yield "sixteen megabytes of fill", plain[:2] + b"\xff" * 2**24 + b"\0" + plain[2:], OK
    yield "a million empty segments", with_segments(plain, segment(0xE5, b"") * 1_000_000), BROKEN
    yield "tables without end", with_segments(plain, segment(0xDB, (b"\0" + b"\1" * 64) * 1000) * 200), BROKEN
    yield "segment of length 0", with_segments(plain, b"\xff\xe1\0\0"), BROKEN
    yield "segment beyond the end", with_segments(plain, b"\xff\xe1\xff\xff"), BROKEN
    for name, body in JPEG_METADATA.items():
        yield name, with_segments(plain, segment(*body)), OK
    yield "Adobe cut", with_segments(plain, segment(0xEE, b"Adobe\0d")), ANY


FAMILIES = (
    png_bombs, png_texts, png_damages, png_pixels, gifs, webps, bmps, bmp_runs, jpeg_scans, jpeg_frames, jpeg_segments,
)  # fmt: skip
