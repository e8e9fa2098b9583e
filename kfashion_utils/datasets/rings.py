"""Rings of points: a list of several taken apart where one closes, and several joined into one region.

3 % of the garments hold several polygons joined in one list whose rectangle covers the first piece only; they are taken
apart where the first ring closes. Often only one or two loose points follow: they count for the box, not for the mask.
"""

import math

import numpy as np
import shapely

RECT_TOLERANCE = 1.6  # px between a rectangle and its polygon's box: written 0.5 px off and with whole-number sides
CLOSED = 30.0  # px between the ends of a ring that is drawn to its end; measured 1..12, once 27


def bounds_of(ring):
    """[left, top, right, bottom] of `(n, 2)` points."""
    return [*ring.min(axis=0).tolist(), *ring.max(axis=0).tolist()]


def split_joined(points, rect):
    """Take apart a point list that is several polygons joined without a separator.

    Args:
        points: float `(n, 2)`.
        rect: the rectangle of the first piece, [left, top, right, bottom]; None = unknown.

    Returns:
        list of rings; one if the list is a single polygon. The first piece is the prefix whose box is the rectangle and
        whose end comes back to its start; of the rest, pieces are cut where they close and the next point lies far
        away.
    """
    if rect is None or len(points) < 6 or fits(bounds_of(points), rect):
        return [points]
    boxes = np.concatenate([np.minimum.accumulate(points), np.maximum.accumulate(points)], axis=1)  # of every prefix
    distances = np.abs(boxes[2:-1] - rect).max(axis=1)
    cuts = np.flatnonzero(distances <= RECT_TOLERANCE) + 3
    if not len(cuts):
        return [points]
    gaps = [math.dist(points[k - 1], points[0]) for k in cuts]
    cut = cuts[int(np.argmin(gaps))]
    pieces = [points[:cut], *_closed_pieces(points[cut:])]
    return [ring for ring in pieces if len(ring) >= 3]


def fits(bounds, rect):
    """Whether a box is a rectangle, but for the way in which rectangles are written."""
    return all(abs(a - b) <= RECT_TOLERANCE for a, b in zip(bounds, rect, strict=True))


def _closed_pieces(points):
    pieces, start = [], 0
    for k in range(3, len(points) - 2):
        gap = math.dist(points[k - 1], points[start])
        jump = math.dist(points[k - 1], points[k])
        if k - start >= 3 and gap <= CLOSED / 3 and jump > 3 * CLOSED:
            pieces.append(points[start:k])
            start = k
    return [*pieces, points[start:]]


def union_of_rings(rings, bounds):
    """Rings that may overlap as rings for the even-odd rule, in which what overlaps stays inside.

    Args:
        rings: list of float `(n, 2)`.
        bounds: `bounds_of` each.

    Returns:
        list of lists of [x, y], one decimal.
    """
    if not _overlapping(bounds):
        return [_tenths(ring) for ring in rings]
    shape = shapely.union_all([shapely.make_valid(shapely.Polygon(ring)) for ring in rings])
    parts = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon" and part.area >= 1]
    outlines = [ring for part in parts for ring in (part.exterior, *part.interiors)]
    return [_tenths(shapely.get_coordinates(ring)[:-1]) for ring in outlines]


def _overlapping(boxes):
    for number, (left, top, right, bottom) in enumerate(boxes):
        for other in boxes[number + 1 :]:
            if left < other[2] and other[0] < right and top < other[3] and other[1] < bottom:
                return True
    return False


def _tenths(ring):
    """Every coordinate as Python's `round(x, 1)` has it; halves, where times ten errs, are left to Python itself."""
    scaled = ring * 10
    rounded = np.rint(scaled)
    values = (rounded / 10).ravel().tolist()
    halves = np.flatnonzero(np.abs(scaled - rounded) > 0.5 - 1e-6)
    if len(halves):
        exact = ring.ravel()
        for place in halves.tolist():
            values[place] = round(float(exact[place]), 1)
    return [[x, y] for x, y in zip(values[::2], values[1::2], strict=True)]
