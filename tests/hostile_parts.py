"""Parts of pictures' files, whole ones of every format and kind, and the means to put something into them."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


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
    ending = [chunk(b"IEND", b"")] if end else []
    return b"".join([b"\x89PNG\r\n\x1a\n", header, *before, pixels, *after, *ending])


def riff(*chunks):
    parts = [kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) for kind, data in chunks]
    body = b"WEBP" + b"".join(parts)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def bmp(width, height, bits, compression, body, palette=b""):
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(body), 0, 0, len(palette) // 4, 0)
    start = 14 + len(header) + len(palette)
    return b"BM" + struct.pack("<IHHI", start + len(body), 0, 0, start) + header + palette + body


def gif_blocks(data, size=255):
    blocks = [data[at : at + size] for at in range(0, len(data), size)]
    return b"".join(bytes([len(block)]) + block for block in blocks) + b"\0"


def gif_canvas(data, width, height):
    return data[:6] + struct.pack("<HH", width, height) + data[10:]


def exif(order="<", entries=((0x0112, 3, 1, 6),), count=None, following=0, start=8):
    """An EXIF block with one directory of (tag, type, count, value)."""
    count = len(entries) if count is None else count
    body = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(f"{order}IH", start, count)
    for tag, kind, length, value in entries:
        field = struct.pack(f"{order}HH", value, 0) if kind == 3 else struct.pack(f"{order}I", value)
        body += struct.pack(f"{order}HHI", tag, kind, length) + field
    return b"Exif\0\0" + body + struct.pack(f"{order}I", following)


def carry_png(part):
    data = encoded(FLAT)
    return data[:33] + part + data[33:]


def carrying(block):
    """`FLAT` in the formats that carry EXIF, with this block; no library looks into it."""
    yield "JPEG", with_segments(encoded(FLAT, "JPEG", quality=95), segment(0xE1, block[:65533]))
    yield "PNG", carry_png(chunk(b"eXIf", block[6:]))
    yield "PNG, after the data", encoded(FLAT)[:-12] + chunk(b"eXIf", block[6:]) + chunk(b"IEND", b"")
    yield "WEBP", encoded(FLAT, "WEBP", lossless=True, exif=block)


def split_idat(data, size):
    at = data.index(b"IDAT") - 4
    length = struct.unpack_from(">I", data, at)[0]
    body = data[at + 8 : at + 8 + length]
    parts = [chunk(b"IDAT", body[start : start + size]) for start in range(0, length, size)]
    return data[:at] + b"".join(parts) + data[at + 12 + length :]


def whole_files():
    """{name: bytes} of small valid files of every format and kind."""
    alpha = Image.fromarray(noise(channels=4))
    palette = PHOTO.quantize(16)
    frames = [Image.fromarray(noise(24, 16, seed=seed)) for seed in range(3)]
    return {
        **{format: encoded(PHOTO, format) for format in FORMATS},
        "MPO": encoded(PHOTO, "MPO", save_all=True, append_images=[FLAT]),
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


def interlaced():
    """A grey 8 x 8 PNG in Adam7's seven passes."""
    rows = b""
    for left, top, across, down in ADAM7:
        for y in range(top, 8, down):
            rows += b"\0" + bytes(8 * x + y for x in range(left, 8, across))
    return png(8, 8, 8, 0, rows, interlaced=1)
