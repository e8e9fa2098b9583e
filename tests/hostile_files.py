"""Hostile pictures made on the spot: name, bytes, and "ok" or the reasons that are right."""

import io
import json
import struct
import zipfile
import zlib

from hostile_formats import ANY, BROKEN, FAMILIES
from hostile_parts import (
    FLAT,
    PHOTO,
    carry_png,
    carrying,
    chunk,
    encoded,
    exif,
    noise,
    png,
    segment,
    whole_files,
    with_segments,
)
from PIL import Image

from kfashion_utils import extras


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
            ended = name.startswith("JPEG") and missing < 3  # the end mark alone is missing
            expected = {"ok"} if ended else ANY if lenient else BROKEN
            yield f"without its last {missing} bytes {name}", data[:-missing], expected
        for length in (1, 2, 3, 4, 8, 12, 16, 20, 30):
            yield f"first {length} bytes {name}", data[:length], {"broken", "not a picture"}


BOX = struct.pack(">I", 24) + b"ftyp%s\0\0\0\0mif1%s"  # the start of the family of MP4
NO_PICTURES = {
    "html.jpg": b"<!DOCTYPE html><title>Quota exceeded</title>",
    "json.jpg": json.dumps({"error": 404}).encode(),
    "pdf.png": b"%PDF-1.7\n1 0 obj\n",
    "eps.jpg": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "svg.png": b"<svg xmlns='x'><a/></svg>",
    "psd.jpg": b"8BPS\0\1" + bytes(64),
    "heic.jpg": BOX % (b"heic", b"heic") + bytes(64),
    "avif.jpg": BOX % (b"avif", b"avif") + bytes(64),
    "elf.png": b"\x7fELF\2\1\1" + bytes(64),
    "text.jpg": b"hello",
    "zeros.jpg": bytes(4096),
    "ff.jpg": b"\xff" * 4096,
    "gzip.png": b"\x1f\x8b\x08" + bytes(64),
    "wav.webp": b"RIFF\x24\0\0\0WAVEfmt " + bytes(32),
    "gif.gif": b"GIF90a" + bytes(32),
    "mng.png": b"\x8aMNG\r\n\x1a\n" + bytes(32),
    "mp4.jpg": BOX % (b"isom", b"mp42"),
}


def other_files():
    yield "empty", b"", {"empty"}
    yield "one byte", b"\xff", {"not a picture"}
    for name, data in NO_PICTURES.items():
        yield name, data, {"broken" if name == "heic.jpg" and extras.reads_heic() else "not a picture"}
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("a.jpg", encoded(PHOTO, "JPEG"))
    yield "zip.jpg", archive.getvalue(), {"not a picture"}
    for format in ("TIFF", "ICO", "JPEG2000", "PPM", "TGA", "PCX", "DDS", "ICNS", "SGI"):
        yield f"{format}.jpg", encoded(PHOTO.resize((64, 64)), format), {"not a picture"}
    yield "BM and text", b"BM is a book mark, not a picture of anything at all", BROKEN


def without_turn():
    """{name: EXIF block} of blocks that turn nothing."""
    head, entry = b"Exif\0\0II*\0\x08\0\0\0", struct.pack("<HHII", 0x8769, 4, 1, 8)
    shared = [(0x8000 + n, 7, 60_000, 8) for n in range(5000)]
    return {
        "orientation 0": exif(entries=[(0x0112, 3, 1, 0)]),
        "orientation 9": exif(entries=[(0x0112, 3, 1, 9)]),
        "orientation 65535": exif(entries=[(0x0112, 3, 1, 65535)]),
        "orientation as text": exif(entries=[(0x0112, 2, 2, 0x36)]),
        "three orientations": exif(entries=[(0x0112, 3, 3, 6)]),
        "no orientation": exif(entries=[]),
        "a ring": head + struct.pack("<H", 1) + entry + struct.pack("<I", 8),
        "starts far away": exif(start=2**32 - 1),
        "garbage": b"Exif\0\0" + noise(100, 200).tobytes(),
        "only the start": b"Exif\0\0",
        "half a head": b"Exif\0\0II*",
        "entries sharing their bytes": exif(entries=shared) + bytes(1000),
        "count of 65535": exif(entries=[(1, 3, 1, 1)], count=65535),
    }


def exifs():
    """Blocks that turn nothing, in all three formats that carry EXIF, and bombs; `turning` has those that do."""
    for name, block in without_turn().items():
        yield from ((f"EXIF, {name}: {format}", data, {"ok"}) for format, data in carrying(block))
    jpeg = encoded(FLAT, "JPEG")
    many = segment(0xE1, exif(entries=[(n, 7, 60_000_000, 8) for n in range(1, 5000)]))
    empty = segment(0xE1, b"Exif\0\0" + bytes(60_000))
    yield "EXIF in 900 segments whose entries share them", with_segments(jpeg, many, *[empty] * 900), {"ok"}
    yield "EXIF after the data: JPEG", jpeg + segment(0xE1, exif()), {"ok"}
    xmp = b'<rdf:Description tiff:Orientation="6"/>'
    yield "XMP that turns: JPEG", with_segments(jpeg, segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp)), {"ok"}
    yield "XMP that turns: PNG", carry_png(chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp)), {"ok"}
    text = b"Raw profile type exif\0\nexif\n 9\n" + exif().hex().encode()
    yield "EXIF as text: PNG", carry_png(chunk(b"tEXt", text)), {"ok"}
    yield "XMP that turns: WEBP", encoded(FLAT, "WEBP", lossless=True, xmp=xmp), {"ok"}


def turning():
    """(name, bytes, orientation): EXIF that turns `FLAT`, though much of it may be broken."""
    for orientation in range(1, 9):
        entry = (0x0112, 3, 1, orientation)
        blocks = {
            "II": exif("<", [entry]),
            "MM": exif(">", [entry]),
            "cut after it": exif("<", [entry], count=65535)[:-4],
            "leads nowhere": exif("<", [entry], following=2**31),
            "nonsense before it": exif("<", [(0xFFFF, 99, 2**32 - 1, 2**32 - 1), (0x0100, 4, 2**31, 7), entry]),
            "twice marked": b"Exif\0\0" + exif(">", [entry]),
        }
        for name, block in blocks.items():
            for format, data in carrying(block):
                yield f"orientation {orientation}, {name}: {format}", data, orientation


def shapes():
    for width, height in ((1, 1), (1, 40_000), (40_000, 1), (65_500, 1), (1, 65_500), (2, 3), (8, 8), (9, 7)):
        image = Image.new("RGB", (width, height), (10, 200, 30))
        for format in ("JPEG", "PNG", "WEBP", "GIF", "BMP"):
            if format == "WEBP" and max(width, height) > 16383:
                continue
            yield f"{format} of {width} x {height}", encoded(image, format), {"ok"}


def largest():
    """Pictures of just the number of pixels that is allowed, in the modes that take most memory."""
    width, height = size = 8000, 5000
    row = zlib.compressobj(1)
    packed = b"".join(row.compress(bytes(1 + 8 * width)) for _ in range(height)) + row.flush()
    deep = png(width, height, 16, 6, b"").replace(chunk(b"IDAT", zlib.compress(b"")), chunk(b"IDAT", packed))
    yield "largest 16-bit PNG with alpha", deep, {"ok"}
    progressive = encoded(Image.new("RGB", size), "JPEG", progressive=True, subsampling=0)
    yield "largest progressive JPEG", progressive, {"ok"}
    yield "largest CMYK JPEG", encoded(Image.new("CMYK", size), "JPEG"), {"ok"}
    yield "largest GIF", encoded(Image.new("P", size), "GIF", transparency=0), {"ok"}
    clear = encoded(Image.new("RGBA", size, (9, 9, 9, 9)), "WEBP", lossless=True, method=0, quality=0)
    yield "largest WebP with alpha", clear, {"ok"}
    yield "one pixel column too many", encoded(Image.new("1", (width + 1, height))), {"too many pixels"}


def corpus():
    """(name, bytes, the outcomes that are right) of every hostile file."""
    for family in (truncated, other_files, *FAMILIES, exifs, shapes, largest):
        yield from family()
