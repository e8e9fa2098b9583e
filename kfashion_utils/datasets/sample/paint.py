"""Strokes of the brush: colours mixed, and shapes drawn on a picture.

Colours are RGB triples 0..255, pictures uint8 RGB `(height, width, 3)`, lengths pixels. Drawing changes the picture
in place, with soft edges and at 1/16 pixel.
"""

import cv2
import numpy as np

FIX = 4  # bits behind the point in OpenCV's coordinates: 1/16 pixel


def mix(first, second, share):
    """`share` (0..1) of the second colour in the first."""
    return tuple(int(round(a + (b - a) * share)) for a, b in zip(first, second, strict=True))


def darker(colour, share=0.35):
    """The colour with some near-black in it."""
    return mix(colour, (18, 14, 22), share)


def lighter(colour, share=0.35):
    """The colour with some white in it."""
    return mix(colour, (255, 255, 255), share)


def contrast(colour):
    """Near-white on dark colours, near-black on light ones."""
    return (246, 244, 238) if sum(colour) < 380 else (52, 46, 52)


def distance(first, second):
    """Sum of the differences of two colours' channels, 0..765."""
    return sum(abs(int(a) - int(b)) for a, b in zip(first, second, strict=True))


def fixed_point(points):
    """Points in pixels `(n, 2)` as OpenCV wants them: int32, in 1/16 pixels."""
    return np.rint(np.asarray(points, np.float64) * (1 << FIX)).astype(np.int32)


def fill(pixels, points, colour):
    """A filled polygon."""
    cv2.fillPoly(pixels, [fixed_point(points)], _plain(colour), cv2.LINE_AA, FIX)


def stroke(pixels, points, colour, width=1.0, closed=False):
    """A line through the points, at least 1 pixel wide."""
    cv2.polylines(pixels, [fixed_point(points)], closed, _plain(colour), max(1, int(round(width))), cv2.LINE_AA, FIX)


def disc(pixels, centre, radius, colour):
    """A filled circle."""
    x, y = (round(float(v) * (1 << FIX)) for v in centre)
    cv2.circle(pixels, (x, y), int(radius * (1 << FIX)), _plain(colour), -1, cv2.LINE_AA, FIX)


def rectangle(pixels, x, y, width, height, colour, edge=None):
    """A filled rectangle, upper left corner at (x, y), with a thin edge if a colour is given for it."""
    first, last = (int(x), int(y)), (int(x + width), int(y + height))
    cv2.rectangle(pixels, first, last, _plain(colour), -1)
    if edge is not None:
        cv2.rectangle(pixels, first, last, _plain(edge), 1, cv2.LINE_AA)


def gradient(pixels, top, bottom, y0=0, y1=None):
    """Rows y0..y1 (half-open) from one colour to another."""
    area = pixels[y0:y1]
    share = np.linspace(0, 1, area.shape[0], dtype=np.float32)[:, None, None]
    column = np.asarray(top, np.float32) * (1 - share) + np.asarray(bottom, np.float32) * share
    size = area.shape[1::-1]  # four times as fast as NumPy's broadcasting of three bytes:
    area[:] = cv2.resize(column.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)


def letter(pixels, words, x, y, height, colour, width):
    """Words centred on (x, y), capitals `height` tall, lines `width` wide."""
    font, scale, width = cv2.FONT_HERSHEY_SIMPLEX, height / 22, int(width)
    (wide, tall), _ = cv2.getTextSize(words, font, scale, width)
    corner = (int(x - wide / 2), int(y + tall / 2))
    cv2.putText(pixels, words, corner, font, scale, _plain(colour), width, cv2.LINE_AA)


def _plain(colour):
    return tuple(map(int, colour))
