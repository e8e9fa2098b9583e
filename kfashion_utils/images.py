"""The only decoder: a path, a container member or bytes become upright RGB, uint8, or an `ImageRejected` with a reason.

Everything that touches a picture goes through here, so cache, prediction and web page see the same pixels. Rules: EXIF
orientation is applied, also when the rest of the EXIF is broken, and nothing else turns a picture; transparency, and what the
first frame of a GIF leaves of its canvas, is white; 16-bit greys and colours keep their upper eight bits; of an animation the first
frame counts; colour profiles are ignored. Nothing truncated is accepted: a JPEG reaches its end mark, a PNG its IEND with right
checksums, a WebP the length it states, of a GIF and a BMP every pixel is there. Bytes after the end do not matter.

Pillow sees only what makes pixels, through its own classes for the five formats: metadata is cut off before, so it can neither fail,
warn nor take long. Nothing that users do to Pillow's settings, plugins or to warnings changes what is accepted.
"""

import contextlib
import errno
import functools
import io
import math
import os
import re
import stat
import struct
import threading
import tokenize
import zlib
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from kfashion_utils.archives import open_archive

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")  # of an MPO, as phones write it, the JPEG in front
MAX_BYTES = 64 * 2**20
MAX_PIXELS = 40_000_000
MAX_ARRAY_BYTES = 2**30  # of a member of an `.npz`, unpacked
MAX_PARTS = 100_000  # segments or chunks before the pixels; a photograph has tens
MAX_READS = 1_000_000  # of Pillow's parsers and its BMP run-length decoder, which are Python: about a second
MAX_RUN_LENGTH_PIXELS = 10_000_000  # the same decoder goes pixel by pixel
MAX_HEADER_BYTES = 2**20  # of a JPEG's tables; usually a few hundred
MAX_SCANS = 100  # of a JPEG; usually ten. Each goes over the whole picture: thousands fit into a small file and take minutes
REASONS = {
    "missing": "there is no such file or archive member",
    "empty": "the file has no bytes",
    "too many bytes": f"more than {MAX_BYTES:,} bytes",
    "too many pixels": f"more than {MAX_PIXELS:,} pixels, or {MAX_RUN_LENGTH_PIXELS:,} of a BMP in run lengths",
    "not a picture": f"none of {', '.join(FORMATS)}",
    "broken": "the picture's data is truncated or damaged, or a bomb",
    "broken archive": "the archive or its member is encrypted, damaged or compressed beyond reason",
    "unreadable": "the file may not be read, is not a regular file, or its name cannot be one",
    "region outside": "the row's box lies outside the picture",
}
CONTAINER_MARK = "::"
UNREADABLE = {errno.ELOOP, errno.ENAMETOOLONG, errno.EILSEQ, errno.ENXIO}  # ENXIO: a socket


class ImageRejected(ValueError):
    """A picture that is not used. `reason` is a key of `REASONS`, `detail` what was found, `source` where."""

    def __init__(self, reason, detail="", source=""):
        self.reason, self.detail, self.source = reason, detail, source
        super().__init__(reason, detail, source)

    def __str__(self):
        name = f"{self.source}: " if self.source else ""
        return f"{name}{self.reason} ({self.detail or REASONS[self.reason]})"


# Addresses to bytes ---------------------------------------------------------------------------------------------------


def split_address(path):
    """`photos.zip::a/b.jpg` -> (`photos.zip`, `a/b.jpg`); a plain path -> (path, None)."""
    container, mark, member = str(path).partition(CONTAINER_MARK)
    return (container, member) if mark else (str(path), None)


def source_version(path, root="."):
    """What changes when a source changes: size and CRC of a zip member, size and modification time of a file.

    Raises:
        ImageRejected: missing, unreadable, broken archive.
    """
    container, member = split_address(path)
    with _path_blamed(path):
        if member is None or container.endswith(".npz"):
            return _version(os.stat(Path(root, container)))
        info = _archive(Path(root, container)).info(member)
        return info.file_size, info.CRC


def read_source(source, root="."):
    """The encoded bytes of a picture (or its pixels, for a member of an `.npz`).

    Args:
        source: bytes; or a path, relative to `root`, or `container::member`.

    Raises:
        ImageRejected: missing, empty, too many bytes, unreadable, broken archive.
        OSError: the storage itself failed; that says nothing about the picture.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        data = bytes(source)
    else:
        with _path_blamed(source):
            data = _read_path(str(source), root)
    if isinstance(data, bytes) and not data:
        raise ImageRejected("empty", source=_name(source))
    if isinstance(data, bytes) and len(data) > MAX_BYTES:
        raise ImageRejected("too many bytes", f"{len(data):,} bytes", _name(source))
    return data


def _read_path(path, root):
    container, member = split_address(path)
    address = Path(root, container)
    if member is None:
        with open(address, "rb", opener=_open_at_once) as handle:
            status = _require_regular(os.fstat(handle.fileno()))
            return handle.read(min(status.st_size, MAX_BYTES) + 1)
    if not container.endswith(".npz"):
        return _archive(address).read(member, MAX_BYTES)
    name, _, row = member.rpartition("/")
    if not (row.isascii() and row.isdigit() and len(row) < 19):
        raise KeyError(row)
    return np.asarray(_read_array(address, name, _version(os.stat(address)))[int(row)])


def _open_at_once(path, flags):
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))  # a FIFO without a writer would be waited for


def _require_regular(status):
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError
    if not stat.S_ISREG(status.st_mode):
        raise ImageRejected("unreadable", "not a regular file")
    return status


def _version(status):
    return status.st_size, status.st_mtime_ns


def _archive(path):
    _require_regular(os.stat(path))
    return open_archive(path)


@functools.lru_cache(maxsize=2)
def _read_array(path, name, _version):
    data = _archive(path).read(name + ".npy", MAX_ARRAY_BYTES)
    handle = io.BytesIO(data)
    major, _ = np.lib.format.read_magic(handle)
    read_header = np.lib.format.read_array_header_1_0 if major == 1 else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read_header(handle)
    if dtype.hasobject or any(side < 0 for side in shape):
        raise ValueError(f"an array of {dtype} {shape}")
    array = np.frombuffer(data, dtype, math.prod(shape), handle.tell())  # what the header states must be there
    return array.reshape(shape, order="F" if fortran else "C")


@contextlib.contextmanager
def _path_blamed(path):
    """Errors that say something about a path become an `ImageRejected`; the storage's own go through."""
    try:
        yield
    except ImageRejected as error:
        raise ImageRejected(error.reason, error.detail, str(path)) from error.__cause__
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, LookupError) as error:
        raise ImageRejected("missing", source=str(path)) from error
    except (ValueError, TypeError, OverflowError, EOFError, SyntaxError, RecursionError, struct.error, tokenize.TokenError) as error:
        wrong_name = isinstance(error, UnicodeEncodeError) or "embedded null" in str(error)
        raise ImageRejected("unreadable" if wrong_name else "broken archive", str(error), str(path)) from error
    except OSError as error:
        if isinstance(error, PermissionError) or error.errno in UNREADABLE:
            raise ImageRejected("unreadable", error.strerror, str(path)) from error
        raise


def _name(source):
    return f"{len(source):,} bytes" if isinstance(source, (bytes, bytearray, memoryview)) else str(source)


# Bytes to pixels ------------------------------------------------------------------------------------------------------


def open_image(source, root="."):
    """Upright RGB, uint8 `(height, width, 3)`, at full size; see `decode`."""
    return decode(source, root)[0]


def decode(source, root=".", shrink=None):
    """Decode a picture, not larger than needed.

    Args:
        source: see `read_source`.
        shrink: function (width, height of the upright picture) -> how many times smaller it may be decoded; JPEG then skips
            work at 1/2, 1/4 or 1/8, never below what is asked. None = full size.

    Returns:
        (pixels uint8 RGB `(h, w, 3)`, (width, height) of the upright picture at full size).

    Raises:
        ImageRejected: with a reason of `REASONS`.
    """
    data = read_source(source, root)
    with _picture_blamed(source):
        if isinstance(data, np.ndarray):
            pixels = _array_to_rgb(data)
            return pixels, (pixels.shape[1], pixels.shape[0])
        picture, exif = _open(data)
        turn = ORIENTATIONS.get(_orientation(exif))
    width, height = picture.size if turn not in TURNED_ON_SIDE else picture.size[::-1]
    factor = shrink(width, height) if shrink else 1
    with _picture_blamed(source):
        if factor >= 2:
            picture.draft(None, (max(1, int(picture.width / factor)), max(1, int(picture.height / factor))))
        picture = _to_rgb(picture)
        return np.asarray(picture if turn is None else picture.transpose(turn)), (width, height)


@contextlib.contextmanager
def _picture_blamed(source):
    try:
        with _PILLOW:
            yield
    except ImageRejected as error:
        raise ImageRejected(error.reason, error.detail, _name(source)) from error.__cause__
    except MemoryError:
        raise
    except Exception as error:  # Pillow's plugins raise nearly anything on damaged data; all of it means the same
        raise ImageRejected("broken", f"{type(error).__name__}: {error}", _name(source)) from error


class _Settings:
    """Pillow's two process-wide settings as this module needs them, while any thread decodes; then as they were found."""

    def __init__(self):
        self.lock, self.threads, self.found = threading.Lock(), 0, []

    def __enter__(self):
        with self.lock:
            self.threads += 1
            limit = Image.MAX_IMAGE_PIXELS
            if ImageFile.LOAD_TRUNCATED_IMAGES is not False:
                self._replace(ImageFile, "LOAD_TRUNCATED_IMAGES", False)
            if limit is None or not MAX_PIXELS <= limit <= 4 * MAX_PIXELS:  # Pillow's own limit lies between
                self._replace(Image, "MAX_IMAGE_PIXELS", MAX_PIXELS)

    def _replace(self, module, name, value):
        self.found.append((module, name, getattr(module, name)))
        setattr(module, name, value)

    def __exit__(self, *_):
        with self.lock:
            self.threads -= 1
            while not self.threads and self.found:
                setattr(*self.found.pop())


_PILLOW = _Settings()


def _open(data):
    """(Pillow's picture, not loaded yet, within the limits; its EXIF block)."""
    for start, opener in OPENERS.items():
        if re.match(start, data, re.DOTALL):
            picture, exif = opener(data)
            _require_pixels(*picture.size)
            return picture, exif
    raise ImageRejected("not a picture", f"starts with {data[:12]!r}")


def _require_pixels(width, height, limit=MAX_PIXELS):
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
    """Without metadata: EXIF entries that share their bytes unpack to gigabytes, lists of pictures within lead elsewhere."""
    kept, size, exif, at = [data[:2]], 0, b"", 2
    for _ in range(MAX_PARTS):
        start, code, at = _jpeg_segment(data, at)
        if code in JPEG_UNKNOWN:
            raise ImageRejected("broken", f"a JPEG of a kind that browsers do not show (marker {code:02X})")
        if code == 0xDA:
            if data.rfind(b"\xff\xd9") < at:
                raise ImageRejected("broken", "truncated")
            _require_few_scans(data, start)
            return JpegImageFile(_Bytes(b"".join([*kept, data[start:]]))), exif
        if code == 0xE1 and not exif and data.startswith(b"Exif\0\0", start + 4):
            exif = data[start + 4 : at]
        if code not in JPEG_METADATA and (code < 0xE0 or at - start >= 16):  # JFIF and Adobe marks that are too short are none
            kept.append(data[start:at])
            size += at - start
        if size > MAX_HEADER_BYTES:
            break
    raise ImageRejected("broken", "a JPEG header beyond reason")


def _jpeg_segment(data, at):
    """(start, code, end) of the next segment; parameterless codes are skipped, and what lies between, as libjpeg does."""
    found = JPEG_SEGMENT.search(data, at)
    end = found.end() + int.from_bytes(data[found.end() : found.end() + 2]) if found else 0
    if not found or (found[1][0] not in (0xD8, 0xD9) and not found.end() + 2 <= end <= len(data)):
        raise ImageRejected("broken", "truncated")
    return found.start(), found[1][0], end


def _require_few_scans(data, at):
    if data.count(b"\xff\xda", at) <= MAX_SCANS:
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


JPEG_SEGMENT = re.compile(rb"\xff([\x02-\xcf\xd8-\xfe])")
JPEG_METADATA = {*range(0xE1, 0xF0), 0xFE} - {0xEE}  # Adobe's EE tells the colours
JPEG_UNKNOWN = {0xC3, *range(0xC5, 0xCC), *range(0xCD, 0xD0), 0xD8, 0xD9, *range(0x02, 0xC0), *range(0xF0, 0xFE)}


def _open_png(data):
    """The critical chunks, whose checksums must be right, and tRNS; the text that a PNG may hold unpacks to gigabytes."""
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
            _require_pixels(*struct.unpack_from(">II", body))
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
    _require_pixels(width, height)
    picture = WebPImageFile(_Bytes(data))
    return picture, picture.info.get("exif", b"")


def _open_bmp(data):
    picture = BmpImageFile(_Bytes(data))
    if picture.info["compression"] in (1, 2):
        _require_pixels(*picture.size, MAX_RUN_LENGTH_PIXELS)
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
            _require_pixels(*map(max, struct.unpack_from("<2H", data, 6), (left + width, top + height)))
            return GifImageFile(_Bytes(b"".join([*kept, data[at:]]))), b""
        elif value == 0x21:
            start, label, at = at, data[at + 1], at + 2
        elif value == 0x3B:
            break
        else:
            at += 1
    raise ImageRejected("broken", "a GIF without a frame")


OPENERS = {rb"\xff\xd8\xff": _open_jpeg, rb"\x89PNG\r\n\x1a\n": _open_png, rb"RIFF....WEBP": _open_webp, rb"GIF8[79]a": _open_gif, rb"BM": _open_bmp}
ORIENTATIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_90,
}  # fmt: skip
TURNED_ON_SIDE = {ORIENTATIONS[value] for value in (5, 6, 7, 8)}


def _orientation(exif):
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


def _to_rgb(picture):
    frame = picture.tile[0][1] if picture.format == "GIF" else None
    picture.load()
    picture = _opaque(picture)
    if frame not in (None, (0, 0, *picture.size)):
        whole = Image.new("RGB", picture.size, "white")
        whole.paste(picture.crop(frame), frame)
        picture = whole
    return picture


def _opaque(picture):
    clear = picture.info.get("transparency")
    if picture.mode in ("I;16", "I"):
        values = np.asarray(picture)
        greys = np.clip(values >> 8, 0, 255).astype(np.uint8)
        greys[values == (-1 if clear is None else clear)] = 255
        picture = Image.fromarray(greys)
    elif clear is not None:
        picture = picture.convert("RGBA")
    if picture.mode in ("RGBA", "LA"):
        white = Image.new("RGB", picture.size, "white")
        white.paste(picture, mask=picture)
        return white
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _array_to_rgb(array):
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or 0 in array.shape or array.shape[2:] not in ((), (1,), (3,)):
        raise ImageRejected("not a picture", f"an array of {array.dtype} {array.shape}, expected uint8 (h, w) or (h, w, 3)")
    _require_pixels(array.shape[1], array.shape[0])
    return np.ascontiguousarray(np.broadcast_to(array[..., None] if array.ndim == 2 else array, (*array.shape[:2], 3)))


# Pixels to pixels -----------------------------------------------------------------------------------------------------


def paint_outside(pixels, rings, fill):
    """Set everything outside `rings` to the grey value `fill`, in place.

    Args:
        pixels: uint8 `(h, w, 3)`.
        rings: list of `(n, 2)` float x, y in pixels of this picture; even-odd rule.
    """
    shift = 4  # sixteenths of a pixel
    points = [np.round((np.asarray(ring, float) - 0.5) * 2**shift).astype(np.int32) for ring in rings]
    keep = np.zeros(pixels.shape[:2], np.uint8)
    cv2.fillPoly(keep, points, 1, shift=shift)
    pixels[keep == 0] = fill


def crop_and_resize(pixels, box, width, height):
    """The part of `pixels` inside `box`, resized in the same step, exact to a fraction of a pixel.

    Smaller with a Hamming filter (on photographs 41 dB against averaging the full picture, from a decode at the smallest scale that
    suffices; whole-pixel crops with OpenCV's area filter reach 36), larger with a bilinear one.

    Args:
        pixels: uint8 `(h, w, 3)`.
        box: left, top, right, bottom, float pixels, half-open; clipped to the picture.
        width, height: of the result.
    """
    limits = (pixels.shape[1], pixels.shape[0]) * 2
    box = [min(max(value, 0), limit) for value, limit in zip(box, limits, strict=True)]
    smaller = width < box[2] - box[0] or height < box[3] - box[1]
    filter = Image.Resampling.HAMMING if smaller else Image.Resampling.BILINEAR
    return np.array(Image.fromarray(pixels).resize((width, height), filter, box=box))


def fitted_size(width, height, size, fit):
    """(width, height) of a picture inside a `size` square: `pad` keeps the shape, `stretch` fills the square."""
    if fit == "stretch":
        return size, size
    scale = size / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def pad(pixels, size, fill):
    """Centre `pixels` on a `size` square of the grey value `fill`."""
    height, width = pixels.shape[:2]
    canvas = np.full((size, size, 3), fill, np.uint8)
    top, left = (size - height) // 2, (size - width) // 2
    canvas[top : top + height, left : left + width] = pixels
    return canvas


def encode_jpeg(pixels, quality):
    """uint8 RGB `(h, w, 3)` -> JPEG bytes, 4:2:0."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def scale_to(longest, size):
    """How many times smaller a region of `longest` pixels may be decoded and still fill `size`."""
    return max(1.0, longest / size) if math.isfinite(longest) else 1.0
