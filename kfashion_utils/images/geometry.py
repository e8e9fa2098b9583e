"""Geometry: where a region of a picture lies in a square, points there and back, and what lies inside rings."""

from dataclasses import dataclass

import cv2
import numpy as np

SUBPIXELS = 4  # bits: polygons are filled to the sixteenth of a pixel


def fitted_size(width, height, size, fit):
    """(width, height) of a picture inside a `size` square: `pad` keeps the shape, `stretch` fills the square."""
    if fit == "stretch":
        return size, size
    scale = size / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def shrink_factor(region, size, fit):
    """How many times smaller than full size a region may be decoded before it is fitted, a float of 1 or more."""
    left, top, right, bottom = region
    side = max if fit == "pad" else min
    return max(1.0, side(right - left, bottom - top) / size)


@dataclass(frozen=True)
class Placement:
    """Where a region of a picture lies in a square. Points are float x, y; pixel (0, 0) reaches from 0 to 1.

    Attributes:
        region: left, top, right, bottom in pixels of the upright picture, float, half-open.
        zoom: pixels of the square per pixel of the picture, across and down.
        offset: left and top of the fitted region in the square, whole pixels.
        size: side of the square, pixels.
    """

    region: tuple[float, float, float, float]
    zoom: tuple[float, float]
    offset: tuple[int, int]
    size: int

    @classmethod
    def fitted(cls, region, size, fit):
        """A region fitted into the middle of a square; `fit` as in `fitted_size`."""
        left, top, right, bottom = region
        width, height = fitted_size(right - left, bottom - top, size, fit)
        zoom = width / (right - left), height / (bottom - top)
        return cls(tuple(region), zoom, ((size - width) // 2, (size - height) // 2), size)

    @property
    def inner(self):
        """(width, height) of the fitted region, whole pixels."""
        left, top, right, bottom = self.region
        return round((right - left) * self.zoom[0]), round((bottom - top) * self.zoom[1])

    @property
    def middle(self):
        """The slices of an array `(size, size, …)` that hold the fitted region."""
        (left, top), (width, height) = self.offset, self.inner
        return np.s_[top : top + height, left : left + width]

    def within(self, points):
        """Points of the picture `(n, 2)` -> in pixels of the fitted region."""
        return (np.asarray(points, float) - self.region[:2]) * self.zoom

    def to_square(self, points):
        """Points of the picture `(n, 2)` -> points of the square."""
        return self.within(points) + self.offset

    def to_picture(self, points):
        """Points of the square `(n, 2)` -> points of the picture: the inverse of `to_square`."""
        return (np.asarray(points, float) - self.offset) / self.zoom + self.region[:2]

    def place(self, pixels, fill, rings=None):
        """The fitted region on a square of one grey value, which also covers what lies outside `rings`.

        Args:
            pixels: uint8 `(h, w, 3)`, of `inner` size.
            fill: grey value, 0..255.
            rings: list of `(n, 2)` points of the picture; even-odd rule; None = everything stays.

        Returns:
            uint8 `(size, size, 3)`.
        """
        canvas = np.full((self.size, self.size, 3), fill, np.uint8)
        if rings is None:
            canvas[self.middle] = pixels
        else:
            cv2.copyTo(pixels, self._inside(rings), canvas[self.middle])
        return canvas

    def mask(self, rings):
        """Which pixels of the square lie inside rings of the picture: bool `(size, size)`."""
        canvas = np.zeros((self.size, self.size), bool)
        canvas[self.middle] = self._inside(rings) > 0
        return canvas

    def _inside(self, rings):
        width, height = self.inner
        return inside([self.within(ring) for ring in rings], height, width)


def inside(rings, height, width):
    """uint8 `(height, width)`: 1 inside the rings (list of `(n, 2)` float x, y; even-odd rule), 0 outside."""
    points = [np.round((np.asarray(ring, float) - 0.5) * 2**SUBPIXELS).astype(np.int32) for ring in rings]
    return cv2.fillPoly(np.zeros((height, width), np.uint8), points, 1, shift=SUBPIXELS)
