"""Compositing: a person before the background of another photograph."""

import cv2
import numpy as np


class People:
    """Which pixels of each training picture are the person's, so that it can be pasted on the background of another
    photograph.

    Args:
        masks: iterable of bool `(size, size)`, one a row; all False = the row has no polygon and is never pasted.
    """

    SOFT = 5  # pixels over which the edge of a pasted person fades
    REACH = 31  # pixels from which the colour comes that stands in for the person who was there

    def __init__(self, masks):
        packed = [(mask.shape[0], np.packbits(mask)) for mask in masks]
        self._size, self._bits = packed[0][0], np.stack([bits for _, bits in packed])
        self.known = self._bits.any(axis=1)

    def mask(self, row):
        """float32 `(size, size)`, 0 or 1."""
        return np.unpackbits(self._bits[row], count=self._size**2).reshape(self._size, self._size).astype(np.float32)

    def swap(self, row, other, pictures):
        """The person of `row` before what lies behind the person of `other`, uint8 `(size, size, 3)`; the picture as it
        is where no polygon says who."""
        pixels = pictures[row]
        if not self.known[row] or not self.known[other] or row == other:
            return pixels
        alpha = cv2.GaussianBlur(self.mask(row), (self.SOFT, self.SOFT), 0)[..., None]
        behind = self._background(pictures[other], 1 - self.mask(other))
        return np.round(alpha * pixels + (1 - alpha) * behind).astype(np.uint8)

    def _background(self, pixels, outside):
        """A photograph whose person is painted over with the colours around, by a blur that only sees the
        background."""
        seen = cv2.blur(outside, (self.REACH, self.REACH))[..., None]
        colours = cv2.blur(pixels * outside[..., None], (self.REACH, self.REACH))
        everywhere = (pixels * outside[..., None]).sum(axis=(0, 1)) / max(outside.sum(), 1)
        filled = np.where(seen > 0.01, colours / np.maximum(seen, 0.01), everywhere)
        return np.where(outside[..., None] > 0, pixels, filled)
