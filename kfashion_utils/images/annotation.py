"""What annotators drew on a picture, brought to the picture as it is now.

Boxes and polygons are in pixels of the upright picture. A label may state the size of the picture it was drawn on;
where the file has another one, it was shrunk since, or the label was drawn on the stored pixels that EXIF turns. Where
one of the two explains both sides, points are scaled or turned; else nobody knows where they lie, and the picture is
rejected.
Source of the orientations: EXIF 2.32, tag 0x0112.
"""

import json
from typing import NamedTuple

import numpy as np

from kfashion_utils.errors import ImageRejected
from kfashion_utils.images.mended import SCALED, TURNED, mended
from kfashion_utils.tables.catalog import BOX
from kfashion_utils.tables.labels import ANNOTATION, STATED_SIZE

ROUNDING = 1.0  # pixels that a side may differ from the exact scale


class Frame(NamedTuple):
    """An upright picture: its size in pixels, and the EXIF orientation that made it so (None or 1..8)."""

    width: int
    height: int
    orientation: int | None = None


TO_UPRIGHT = {  # orientation: function (x, y of the stored picture, its width and height) -> x, y of the upright one
    5: lambda x, y, width, height: (y, x),
    6: lambda x, y, width, height: (height - y, x),
    7: lambda x, y, width, height: (height - y, width - x),
    8: lambda x, y, width, height: (y, width - x),
}


class Annotation:
    """The box and polygon of a catalog row.

    Args:
        row: mapping with the catalog's columns; missing or empty = none. The stated size counts where annotators drew:
            finders and people draw on the picture as it is.
    """

    def __init__(self, row):
        sides = [_number(row.get(name)) for name in BOX]
        text = row.get("polygon")
        self._box = None if any(side is None for side in sides) else sides
        self._rings = json.loads(text) if isinstance(text, str) and text else None
        self._stated = stated_size(row) if self else None

    def __bool__(self):
        """Whether there is a box or a polygon."""
        return bool(self._box or self._rings)

    @property
    def has_rings(self):
        return bool(self._rings)

    def on(self, frame):
        """(box [left, top, right, bottom] or None, rings or None) in pixels of a `Frame`.

        Raises:
            ImageRejected: `size differs`, where the stated size does not fit.
        """
        if self._stated is None or self._stated == frame[:2]:
            return self._box, self._rings
        what, move = _movement(self._stated, frame)
        mended(what)
        rings = [move(ring).tolist() for ring in self._rings] if self._rings else None
        corners = None if self._box is None else move(np.reshape(self._box, (2, 2)))
        return None if corners is None else [*corners.min(axis=0).tolist(), *corners.max(axis=0).tolist()], rings


def stated_size(row):
    """(width, height) that a row's annotation states, whole pixels; None = it does not count, or none is stated."""
    region = row.get("region")
    if isinstance(region, str) and region not in ("", ANNOTATION):
        return None
    sides = [_number(row.get(name)) for name in STATED_SIZE]
    return None if any(side is None or side <= 0 for side in sides) else (round(sides[0]), round(sides[1]))


def _movement(stated, frame):
    """(what was done, function of points `(n, 2)`) that brings points of the stated size to a picture."""
    upright, stored = frame[:2], frame[1::-1]
    turn = TO_UPRIGHT.get(frame.orientation)
    scaled = _same_shape(stated, upright)
    turned = turn is not None and _same_shape(stated, stored)
    if turned and (stated == stored or not scaled):
        return TURNED, lambda points: np.stack(turn(*(_scaled(points, stated, stored).T), *stored), axis=1)
    if scaled and not turned:
        return SCALED, lambda points: _scaled(points, stated, upright)
    detail = f"the label states {stated[0]} x {stated[1]}, the picture has {frame.width} x {frame.height}"
    raise ImageRejected("size differs", f"{detail}: where its box and polygon lie is not known")


def _scaled(points, old, new):
    return np.asarray(points, float) * (np.array(new, float) / old)


def _same_shape(one, other):
    """Whether two sizes are one picture at two scales, sides rounded."""
    least = max((side - ROUNDING) / whole for side, whole in zip(other, one, strict=True))
    most = min((side + ROUNDING) / whole for side, whole in zip(other, one, strict=True))
    return least <= most


def _number(value):
    if value is None or value == "" or value != value:
        return None
    return float(value)
