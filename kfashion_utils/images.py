"""The only decoder: a path, a container member or bytes become upright RGB, uint8, or an `ImageRejected` with a reason.

Everything that touches a picture goes through here, so cache, prediction and web page see the same pixels. Rules: EXIF
orientation is applied, also when the rest of the EXIF is broken; transparency is laid over white; 16-bit greys keep their upper
eight bits; of an animation the first frame counts; nothing truncated is accepted.
"""

import errno
import functools
import io
import math
import os
import warnings
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from kfashion_utils.archives import open_archive

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")  # MPO, as phones write it, opens through JPEG
MAX_BYTES = 64 * 2**20
MAX_PIXELS = 40_000_000
REASONS = {
    "missing": "there is no such file or archive member",
    "empty": "the file has no bytes",
    "too many bytes": f"more than {MAX_BYTES:,} bytes",
    "too many pixels": f"more than {MAX_PIXELS:,} pixels",
    "not a picture": f"none of {', '.join(FORMATS)}",
    "broken": "the picture's data is truncated or damaged",
    "broken archive": "the archive or its member is encrypted, damaged or compressed beyond reason",
    "unreadable": "the file may not be read, or its name cannot be one",
    "region outside": "the row's box lies outside the picture",
}
CONTAINER_MARK = "::"


class ImageRejected(ValueError):
    """A picture that is not used. `reason` is a key of `REASONS`, `detail` what was found, `source` where."""

    def __init__(self, reason, detail="", source=""):
        self.reason, self.detail, self.source = reason, detail, source
        super().__init__(reason, detail, source)

    def __str__(self):
        name = f"{self.source}: " if self.source else ""
        return f"{name}{self.reason} ({self.detail or REASONS[self.reason]})"


def split_address(path):
    """`photos.zip::a/b.jpg` -> (`photos.zip`, `a/b.jpg`); a plain path -> (path, None)."""
    container, mark, member = str(path).partition(CONTAINER_MARK)
    return (container, member) if mark else (str(path), None)


def source_version(path, root="."):
    """What changes when a source changes: size and CRC of a zip member, size and modification time of a file.

    Raises:
        ImageRejected: missing.
    """
    container, member = split_address(path)
    try:
        if member is None or container.endswith(".npz"):
            stat = os.stat(Path(root, container))
            return stat.st_size, stat.st_mtime_ns
        info = open_archive(Path(root, container)).info(member)
        return info.file_size, info.CRC
    except (FileNotFoundError, NotADirectoryError, KeyError) as error:
        raise ImageRejected("missing", source=str(path)) from error
    except (OSError, ValueError) as error:
        raise _rejection_of(error, path) from error


def _rejection_of(error, path):
    """What an error says about one path; the error itself where it says that the storage failed."""
    if isinstance(error, PermissionError) or getattr(error, "errno", None) in (errno.ELOOP, errno.ENAMETOOLONG):
        return ImageRejected("unreadable", error.strerror, str(path))
    if isinstance(error, ValueError):
        return ImageRejected("unreadable" if "null" in str(error) else "broken archive", str(error), str(path))
    return error


def read_source(source, root="."):
    """The encoded bytes of a picture (or its pixels, for a member of an `.npz`).

    Args:
        source: bytes; or a path, relative to `root`, or `container::member`.

    Raises:
        ImageRejected: missing, empty, too many bytes, broken archive.
        OSError: the storage itself failed; that says nothing about the picture.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        data = bytes(source)
    else:
        data = _read_path(str(source), root)
    if isinstance(data, bytes) and not data:
        raise ImageRejected("empty", source=_name(source))
    if isinstance(data, bytes) and len(data) > MAX_BYTES:
        raise ImageRejected("too many bytes", f"{len(data):,} bytes", _name(source))
    return data


def _read_path(path, root):
    container, member = split_address(path)
    try:
        if member is None:
            with open(Path(root, container), "rb") as handle:
                return handle.read(MAX_BYTES + 1)
        if container.endswith(".npz"):
            array, _, row = member.rpartition("/")
            return _read_array(str(Path(root, container)), array)[int(row)]
        return open_archive(Path(root, container)).read(member, MAX_BYTES)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, KeyError, IndexError) as error:
        raise ImageRejected("missing", source=path) from error
    except (OSError, ValueError) as error:
        raise _rejection_of(error, path) from error


@functools.lru_cache(maxsize=4)
def _read_array(path, name):
    with np.load(path, allow_pickle=False) as arrays:
        return arrays[name]


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
    if isinstance(data, np.ndarray):
        pixels = _array_to_rgb(data)
        return pixels, (pixels.shape[1], pixels.shape[0])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # broken EXIF and the like warn; what matters raises
            return _decode_bytes(data, shrink)
    except ImageRejected as error:
        raise ImageRejected(error.reason, error.detail, _name(source)) from error.__cause__
    except (MemoryError, KeyboardInterrupt):
        raise
    except Exception as error:  # Pillow's plugins raise nearly anything on damaged data; all of it means the same
        raise ImageRejected("broken", f"{type(error).__name__}: {error}", _name(source)) from error


def _decode_bytes(data, shrink):
    picture = _identify(data)
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise ImageRejected("too many pixels", f"{width} x {height}")
    turn = ORIENTATIONS.get(_orientation(picture))
    if turn in TURNED_ON_SIDE:
        width, height = height, width
    factor = shrink(width, height) if shrink else 1
    if factor >= 2:
        picture.draft(None, (max(1, int(picture.width / factor)), max(1, int(picture.height / factor))))
    picture.load()
    picture = _to_rgb(picture)
    if turn is not None:
        picture = picture.transpose(turn)
    return np.asarray(picture), (width, height)


def _identify(data):
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise ImageRejected("too many pixels", str(error)) from error
    except Image.UnidentifiedImageError as error:
        raise ImageRejected("not a picture", f"starts with {data[:12]!r}") from error


ORIENTATIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_90,
}  # fmt: skip
TURNED_ON_SIDE = {ORIENTATIONS[value] for value in (5, 6, 7, 8)}


def _orientation(picture):
    try:
        return picture.getexif().get(0x0112)
    except Exception:  # any damage inside EXIF: the picture itself may still be whole
        return None


def _to_rgb(picture):
    if picture.mode in ("I;16", "I;16B", "I;16L", "I"):
        return Image.fromarray((np.asarray(picture).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8)).convert("RGB")
    if picture.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(white, picture).convert("RGB")
    return picture.convert("RGB")


def _array_to_rgb(array):
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or 0 in array.shape or array.shape[2:] not in ((), (1,), (3,)):
        raise ImageRejected("not a picture", f"an array of {array.dtype} {array.shape}, expected uint8 (h, w) or (h, w, 3)")
    return np.ascontiguousarray(np.broadcast_to(array[..., None] if array.ndim == 2 else array, (*array.shape[:2], 3)))


def _name(source):
    return f"{len(source):,} bytes" if isinstance(source, (bytes, bytearray, memoryview)) else str(source)


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
