"""The formats: encoded bytes become Pillow's picture, not loaded yet and within the limits, or an `ImageRejected`.

Pillow sees only what makes pixels, through its own classes: metadata is cut off before, so it can neither fail, warn
nor take long. Only `decoding.py` uses this.
"""

import io
import re
import struct
import zlib

import numpy as np
from PIL import Image
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from kfashion_utils.errors import MAX_PIXELS, MAX_RUN_LENGTH_PIXELS, ImageRejected
from kfashion_utils.images import heic
from kfashion_utils.images.end_mark import END_MARK, add_end_mark
from kfashion_utils.images.mended import NO_END_MARK, mended

MAX_PARTS = 100_000  # segments or chunks before the pixels; a photograph has tens
MAX_READS = 1_000_000  # of Pillow's parsers and its BMP run-length decoder, which are Python: about a second
MAX_HEADER_BYTES = 2**20  # of a JPEG's tables; usually a few hundred
SCAN_MARK = 0xDAFF  # FF DA, read as a little-endian number
MAX_SCANS = 100  # of a JPEG, usually ten. Each goes over the whole picture: a small file's thousands take minutes


def open_picture(data):
    """(Pillow's picture, not loaded yet, within the limits; its EXIF block)."""
    for start, opener in OPENERS.items():
        if re.match(start, data, re.DOTALL):
            picture, exif = opener(data)
            require_pixels(*picture.size)
            return picture, exif
    raise ImageRejected("not a picture", f"starts with {data[:12]!r}")


def require_pixels(width, height, limit=MAX_PIXELS):
    if width * height > limit:
        raise ImageRejected("too many pixels", f"{width} x {height}")


class _Bytes(io.BytesIO):
    """A picture's bytes for Pillow, which tire: what is made of millions of tiny blocks would take minutes."""

    reads = 0

    def read(self, size=-1):
        self.reads += 1
        if self.reads > MAX_READS:
            raise ImageRejected("broken", f"not decoded within {MAX_READS:,} steps")
        return super().read(size)


def _open_jpeg(data):
    """Without metadata: EXIF entries that share their bytes unpack to gigabytes, lists of pictures within lead
    elsewhere."""
    kept, size, exif, at = [data[:2]], 0, b"", 2
    for _ in range(MAX_PARTS):
        start, code, at = _jpeg_segment(data, at)
        if code in JPEG_UNKNOWN:
            raise ImageRejected("broken", f"a JPEG of a kind that browsers do not show (marker {code:02X})")
        if code == 0xDA:
            ended = data.rfind(END_MARK) >= at
            _require_few_scans(data if ended else data + END_MARK, start)
            shown = b"".join([*kept, data[start:]])
            picture = JpegImageFile(_Bytes(shown if ended else _ended(shown, len(shown) - len(data) + at)))
            picture.decodermaxblock = len(data)  # in one piece: Pillow would join what it reads again and again
            return picture, exif
        if code == 0xE1 and not exif and data.startswith(b"Exif\0\0", start + 4):
            exif = data[start + 4 : at]
        too_short = code >= 0xE0 and at - start < 16  # to be a JFIF or Adobe mark
        if code not in JPEG_METADATA and not too_short:
            kept.append(data[start:at])
            size += at - start
        if size > MAX_HEADER_BYTES:
            break
    raise ImageRejected("broken", "a JPEG header beyond reason")


def _ended(data, at):
    """A JPEG with the end mark that it lacks; `at` = where the data of its first scan starts."""
    with JpegImageFile(_Bytes(data)) as picture:
        require_pixels(*picture.size)
    whole = add_end_mark(data, at)
    if whole is None:
        raise ImageRejected("broken", "truncated")
    mended(NO_END_MARK)
    return whole


def _jpeg_segment(data, at):
    """(start, code, end) of the next segment; parameterless codes are skipped, and what lies between, as libjpeg
    does."""
    found = JPEG_SEGMENT.search(data, at)
    end = found.end() + int.from_bytes(data[found.end() : found.end() + 2]) if found else 0
    if not found or (found[1][0] not in (0xD8, 0xD9) and not found.end() + 2 <= end <= len(data)):
        raise ImageRejected("broken", "truncated")
    return found.start(), found[1][0], end


def _require_few_scans(data, at):
    if _count_pairs(data, at, SCAN_MARK) <= MAX_SCANS:
        return
    scans = 0
    for _ in range(MAX_PARTS):  # exactly: what follows the picture, a film or further pictures, may hold the same bytes
        _, code, at = _jpeg_segment(data, at)
        scans += code == 0xDA
        if scans > MAX_SCANS:
            break
        if code == 0xD9:
            return
    raise ImageRejected("broken", f"more than {MAX_SCANS} scans")


def _count_pairs(data, at, pair):
    """How often two bytes follow each other after `at`: `bytes.count`, six times as fast."""
    return sum(
        np.count_nonzero(np.frombuffer(data, "<u2", (len(data) - start) // 2, start) == pair)
        for start in (at, at + 1)
        if start < len(data) - 1
    )


JPEG_SEGMENT = re.compile(rb"\xff([\x02-\xcf\xd8-\xfe])")
JPEG_METADATA = {*range(0xE1, 0xF0), 0xFE} - {0xEE}  # Adobe's EE tells the colours
JPEG_UNKNOWN = {0xC3, *range(0xC5, 0xCC), *range(0xCD, 0xD0), 0xD8, 0xD9, *range(0x02, 0xC0), *range(0xF0, 0xFE)}


def _open_png(data):
    """The critical chunks, whose checksums must be right, and tRNS; the text that a PNG may hold unpacks to
    gigabytes."""
    header, kept, pixels, exif, at = b"", [], [], b"", 8
    for _ in range(MAX_PARTS):
        length, kind = struct.unpack_from(">I4s", data, at)
        body, at = data[at + 8 : at + 8 + length], at + 12 + length
        whole = struct.unpack_from(">I", data, at - 4)[0] == zlib.crc32(body, zlib.crc32(kind))
        critical = not kind[0] & 0x20
        if critical and not (whole and kind in (b"IHDR", b"PLTE", b"IDAT", b"IEND")):
            raise ImageRejected("broken", f"PNG chunk {kind!r}: {'unknown' if whole else 'wrong checksum'}")
        if kind == b"IEND":
            pixels = b"".join(pixels)
            _require_rows(pixels, *struct.unpack(">II2B2xB", header))
            kept.append(_png_chunk(b"IDAT", pixels))
            return PngImageFile(_Bytes(b"".join([data[:8], *kept, _png_chunk(b"IEND", b"")]))), exif
        if kind == b"IDAT":
            pixels.append(body)
        elif kind == b"IHDR":
            header = body
            require_pixels(*struct.unpack_from(">II", body))
        elif kind == b"tRNS" and whole:
            kind, body = b"tRNS", _png_transparency(body, *header[8:10])
        elif kind == b"eXIf" and whole:
            exif = body
        if kind in (b"IHDR", b"PLTE", b"tRNS"):
            kept.append(_png_chunk(kind, body))
    raise ImageRejected("broken", f"more than {MAX_PARTS:,} PNG chunks")


def _require_rows(packed, width, height, depth, colour, interlaced):
    """Pillow leaves rows black that the data does not reach."""
    bits = depth * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}.get(colour, 0)
    lacking = 0
    for left, top, across, down in PNG_PASSES if interlaced else ((0, 0, 1, 1),):
        columns, rows = -((left - width) // across), -((top - height) // down)
        lacking += rows * (1 + (columns * bits + 7) // 8) if columns > 0 else 0
    inflater = zlib.decompressobj()
    for start in range(0, len(packed), 2**14):  # in blocks: each may inflate a thousandfold
        lacking -= len(inflater.decompress(packed[start : start + 2**14]))
        if lacking <= 0:
            return
    raise ImageRejected("broken", f"{lacking:,} bytes of pixels are missing")


PNG_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def _png_chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(body, zlib.crc32(kind)))


def _png_transparency(body, depth, colour):
    """The transparent grey or colour in the scale in which Pillow has the pixels; of a palette, the alphas."""
    if colour == 3:
        return body[:256]
    values = struct.unpack_from(f">{3 if colour == 2 else 1}H", body)
    highest = 2**depth - 1
    if depth == 16 and colour == 2:
        values = [value >> 8 for value in values]
    elif depth in (2, 4):
        values = [(value & highest) * 255 // highest for value in values]
    return struct.pack(f">{len(values)}H", *(value & max(highest, 255) for value in values))


def _open_webp(data):
    if data[12:16] == b"VP8X":  # the decoder takes memory for the canvas at once
        width, height = (1 + int.from_bytes(data[at : at + 3], "little") for at in (24, 27))
    elif data[12:16] == b"VP8L":
        width, height = (1 + (int.from_bytes(data[21:25], "little") >> shift & 0x3FFF) for shift in (0, 14))
    else:
        width, height = (int.from_bytes(data[at : at + 2], "little") & 0x3FFF for at in (26, 28))
    require_pixels(width, height)
    picture = WebPImageFile(_Bytes(data))
    return picture, picture.info.get("exif", b"")


def _open_bmp(data):
    picture = BmpImageFile(_Bytes(data))
    if picture.info["compression"] in (1, 2):
        require_pixels(*picture.size, MAX_RUN_LENGTH_PIXELS)
    return picture, b""


def _open_gif(data):
    """Up to its first frame without comments: Pillow 11 joins their blocks in quadratic time."""
    at = 13 + (6 << (data[10] & 7)) * (data[10] >> 7)
    kept, start, label = [data[:at]], at, None
    for _ in range(MAX_READS):
        value = data[at]
        if label is not None:  # inside an extension: the length of its next block
            at += 1 + value
            if value == 0:
                kept += [data[start:at]] if label == 0xF9 else []
                label = None
        elif value == 0x2C:
            left, top, width, height = struct.unpack_from("<4H", data, at + 1)
            require_pixels(*map(max, struct.unpack_from("<2H", data, 6), (left + width, top + height)))
            return GifImageFile(_Bytes(b"".join([*kept, data[at:]]))), b""
        elif value == 0x21:
            start, label, at = at, data[at + 1], at + 2
        elif value == 0x3B:
            break
        else:
            at += 1
    raise ImageRejected("broken", "a GIF without a frame")


OPENERS = {
    rb"\xff\xd8\xff": _open_jpeg,
    rb"\x89PNG\r\n\x1a\n": _open_png,
    rb"RIFF....WEBP": _open_webp,
    rb"GIF8[79]a": _open_gif,
    rb"BM": _open_bmp,
    heic.START: heic.open_heic,
}
ORIENTATIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # fmt: skip
TURNED_ON_SIDE = {ORIENTATIONS[value] for value in (5, 6, 7, 8)}


def orientation_of(exif):
    """Tag 0x0112 of the first directory, or None; nothing else is looked at."""
    while exif.startswith(b"Exif\0\0"):
        exif = exif[6:]
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    try:
        (at,) = struct.unpack_from(f"{order}I", exif, 4) if order else (len(exif),)
        (count,) = struct.unpack_from(f"{order}H", exif, at)
        for entry in range(at + 2, at + 2 + 12 * count, 12):
            tag, kind, length, value = struct.unpack_from(f"{order}HHIH", exif, entry)
            if tag == 0x0112:
                return value if (kind, length) == (3, 1) else None  # one SHORT
    except struct.error:  # the block ends before the tag
        pass
    return None
