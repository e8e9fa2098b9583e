"""The only decoder: a path, a container member or bytes become upright RGB, uint8, or an `ImageRejected` with a reason.

Everything that touches a picture goes through here, so cache, prediction and web page see the same pixels. Rules: EXIF
orientation is applied, also when the rest of the EXIF is broken, and nothing else turns a picture; transparency, and
what the first frame of a GIF leaves of its canvas, is white; 16-bit greys and colours keep their upper eight bits; of
an animation the first frame counts; colour profiles are ignored. Nothing truncated is accepted: a JPEG reaches its end
mark, or lacks that alone (counted), a PNG its IEND with right checksums, a WebP the length it states, of a GIF and a
BMP every pixel is there. Bytes after the end do not matter.

Pillow sees only what makes pixels, through its own classes for the five formats: metadata is cut off before, so it can
neither fail, warn nor take long. Nothing that users do to Pillow's settings, plugins or to warnings changes what is
accepted.
"""

import contextlib
import io
import threading

import numpy as np
from PIL import Image, ImageFile

from kfashion_utils.errors import MAX_PIXELS, ImageRejected
from kfashion_utils.images.annotation import Frame
from kfashion_utils.images.formats import (
    ORIENTATIONS,
    TURNED_ON_SIDE,
    open_picture,
    orientation_of,
    require_pixels,
)
from kfashion_utils.images.geometry import Placement, shrink_factor
from kfashion_utils.storage.addresses import read_source, source_name

# Bytes to pixels ------------------------------------------------------------------------------------------------------


def open_image(source, root="."):
    """Upright RGB, uint8 `(height, width, 3)`, at full size; see `decode`."""
    return decode(source, root)[0]


def decode(source, root=".", shrink=None):
    """Decode a picture, not larger than needed.

    Args:
        source: see `read_source`.
        shrink: function (width, height of the upright picture) -> how many times smaller it may be decoded; JPEG then
            skips work at 1/2, 1/4 or 1/8, never below what is asked. None = full size.

    Returns:
        (pixels uint8 RGB `(h, w, 3)`, (width, height) of the upright picture at full size).

    Raises:
        ImageRejected: with a reason of `REASONS`.
    """
    picture, frame = _decode(source, root, shrink and (lambda frame: shrink(*frame[:2])))
    return np.asarray(picture), frame[:2]


def decode_region(source, root, region_of, size, fit):
    """A part of a picture, fitted into a square, from the smallest decode that suffices; exact to a fraction of a
    pixel.

    Smaller with a Hamming filter (on photographs 41 dB against averaging the full picture, from the scaled decode;
    whole-pixel crops with OpenCV's area filter reach 36), larger with a bilinear one.

    Args:
        source, root: see `read_source`.
        region_of: function (Frame of the upright picture) -> left, top, right, bottom, float pixels, half-open, within
            it.
        size, fit: see `geometry.fitted_size`.

    Returns:
        (pixels uint8 RGB `(h, w, 3)`, their Placement, the Frame).

    Raises:
        ImageRejected: with a reason of `REASONS`; what `region_of` raises.
    """

    def shrink(frame):
        return shrink_factor(region_of(frame), size, fit)

    picture, frame = _decode(source, root, shrink)
    placement = Placement.fitted(region_of(frame), size, fit)
    divisor = round(max(frame[:2]) / max(picture.size))  # 1, 2, 4 or 8; the last column and row may stand for less
    box = [min(side / divisor, limit) for side, limit in zip(placement.region, picture.size * 2, strict=True)]
    width, height = placement.inner
    smaller = width < box[2] - box[0] or height < box[3] - box[1]
    filter = Image.Resampling.HAMMING if smaller else Image.Resampling.BILINEAR
    return np.asarray(picture.resize((width, height), filter, box=box)), placement, frame


def read_size(source, root="."):
    """(width, height) of a picture, upright, from its header; see `read_frame`."""
    return read_frame(source, root)[:2]


def read_frame(source, root="."):
    """The Frame of a picture, from its header.

    Raises:
        ImageRejected: with a reason of `REASONS`.
    """
    data = read_source(source, root)
    if isinstance(data, np.ndarray):
        return Frame(data.shape[1], data.shape[0])
    with _picture_blamed(source):
        picture, exif = open_picture(data)
        return _frame(picture, orientation_of(exif))


def _frame(picture, orientation):
    turned = ORIENTATIONS.get(orientation) in TURNED_ON_SIDE
    return Frame(*(picture.size[::-1] if turned else picture.size), orientation)


def _decode(source, root, shrink):
    """(Pillow's picture, upright RGB; its Frame at full size)."""
    data = read_source(source, root)
    with _picture_blamed(source):
        if isinstance(data, np.ndarray):
            picture = Image.fromarray(_array_to_rgb(data))
            return picture, Frame(*picture.size)
        picture, exif = open_picture(data)
        frame = _frame(picture, orientation_of(exif))
    factor = shrink(frame) if shrink else 1
    with _picture_blamed(source):
        if factor >= 2:
            picture.draft(None, (max(1, int(picture.width / factor)), max(1, int(picture.height / factor))))
        picture = _to_rgb(picture)
        turn = ORIENTATIONS.get(frame.orientation)
        return picture if turn is None else picture.transpose(turn), frame


@contextlib.contextmanager
def _picture_blamed(source):
    try:
        with _PILLOW:
            yield
    except ImageRejected as error:
        raise ImageRejected(error.reason, error.detail, source_name(source)) from error.__cause__
    except MemoryError:
        raise
    except Exception as error:  # Pillow's plugins raise nearly anything on damaged data; all of it means the same
        raise ImageRejected("broken", f"{type(error).__name__}: {error}", source_name(source)) from error


class _Settings:
    """Pillow's two process-wide settings as this module needs them, while any thread decodes; then as they were
    found."""

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
    usable = array.ndim in (2, 3) and 0 not in array.shape and array.shape[2:] in ((), (1,), (3,))
    if array.dtype != np.uint8 or not usable:
        detail = f"an array of {array.dtype} {array.shape}, expected uint8 (h, w) or (h, w, 3)"
        raise ImageRejected("not a picture", detail)
    height, width = array.shape[:2]
    require_pixels(width, height)
    channels = array[..., None] if array.ndim == 2 else array
    return np.ascontiguousarray(np.broadcast_to(channels, (height, width, 3)))


def encode_png(pixels):
    """uint8 RGB `(h, w, 3)` -> PNG bytes, from which the same pixels come back."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def encode_jpeg(pixels, quality):
    """uint8 RGB `(h, w, 3)` -> JPEG bytes, 4:2:0."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()
