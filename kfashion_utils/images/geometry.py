"""Geometry: a picture in a square, and what lies inside rings."""

import cv2
import numpy as np

# Pixels to pixels -----------------------------------------------------------------------------------------------------


def fitted_size(width, height, size, fit):
    """(width, height) of a picture inside a `size` square: `pad` keeps the shape, `stretch` fills the square."""
    if fit == "stretch":
        return size, size
    scale = size / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def place(pixels, size, fill, rings=None):
    """Centre pixels on a square of one grey value, which also covers what lies outside `rings`.

    Args:
        pixels: uint8 `(h, w, 3)`, at most `size` high and wide.
        size: side of the square.
        fill: grey value, 0..255.
        rings: list of `(n, 2)` float x, y in `pixels`; even-odd rule; None = everything stays.

    Returns:
        uint8 `(size, size, 3)`.
    """
    height, width = pixels.shape[:2]
    canvas = np.full((size, size, 3), fill, np.uint8)
    top, left = (size - height) // 2, (size - width) // 2
    middle = canvas[top : top + height, left : left + width]
    if rings is None:
        middle[:] = pixels
    else:
        cv2.copyTo(pixels, inside(rings, height, width), middle)
    return canvas


def inside(rings, height, width):
    """uint8 `(height, width)`: 1 inside the rings (list of `(n, 2)` float x, y; even-odd rule), 0 outside."""
    shift = 4  # sixteenths of a pixel
    points = [np.round((np.asarray(ring, float) - 0.5) * 2**shift).astype(np.int32) for ring in rings]
    return cv2.fillPoly(np.zeros((height, width), np.uint8), points, 1, shift=shift)
