"""The garments of a K-Fashion label: rectangles and polygons, mended where that is possible.

They become one box and rings, in pixels of the picture.
"""

import functools
import math
import operator
import re

import numpy as np

from kfashion_utils.datasets.rings import bounds_of, fits, split_joined, union_of_rings
from kfashion_utils.tables.tasks import PARTS

COORDINATE = re.compile(r"^([XY])좌표(\d{1,6})$")
RECT_KEYS = ("X좌표", "Y좌표", "가로", "세로")  # left, top, width, height
FARTHEST = 1e6  # px; no picture that is decoded is that long, no annotation that far off (measured: 13.5 px outside)
MOST_POINTS = 2000  # of a polygon that is read the fast way

NOTES = {  # text that is counted: what it means
    "number written as text: read as a number": 'a coordinate is "12.5"',
    "rectangle with values that are no numbers: dropped": (
        "a key is missing, null, text, NaN, Infinity or beyond a million pixels"
    ),
    "rectangle without area: dropped": "width or height is 0 or less",
    "polygon with values that are no numbers: those points dropped": (
        "null, text, NaN, Infinity, or beyond a million pixels"
    ),
    "polygon with points that lack a coordinate: those dropped": "X좌표3 without Y좌표3",
    "polygon with a point number written twice: the last counts": "X좌표1 and X좌표01",
    "polygon with keys that are no coordinates: those ignored": "neither X좌표N nor Y좌표N",
    "polygon of fewer than three points: dropped": "two points are no area",
    "polygon without area: dropped": "less than a pixel wide or high inside the picture",
    "joined polygons taken apart": "several rings in one list",
    "joined polygons taken apart: loose points of a piece never finished dropped from the mask": (
        "they count for the box"
    ),
    "box outside the picture: clipped": "as the label states the picture's size",
    "box wholly outside the picture: the whole picture is used": "or less than a pixel inside",
    "no picture size in the label: box not clipped": "width or height missing, no number, or 0",
    "several entries of one garment: the first counts": "the lists hold one entry each in every label measured",
    "no garment annotated: the whole picture is used": "no rectangle and no polygon",
    "garment wholly outside the picture: it gets no row": "or less than a pixel inside; where rows are garments",
    "garment with attributes and no region: it gets no row": "7 % of the garments measured; where rows are garments",
}


def first_entry(section, key, notes=None):
    """The one entry of a list such as `[{}]`; an empty dict where it is missing or something else."""
    entries = section.get(key) if isinstance(section, dict) else None
    if not isinstance(entries, list) or not entries or not isinstance(entries[0], dict):
        return {}
    if len(entries) > 1 and notes is not None:
        notes["several entries of one garment: the first counts"] += 1
    return entries[0]


def region_of(details, size, notes):
    """Box and polygon of all garments together.

    Args:
        details: `데이터셋 상세설명` of a label.
        size: (width, height) of the picture as the label writes them; anything.
        notes: Counter of `NOTES`.

    Returns:
        ([left, top, right, bottom] or None, list of rings for the even-odd rule), inside the picture, one decimal.
    """
    found = _annotated(details, notes)
    if not found:
        return None, []
    box, rings = _inside_picture(list(found.values()), _limits(size, notes), notes)
    if box is None:
        notes["box wholly outside the picture: the whole picture is used"] += 1
    return box, rings


def regions_of(details, size, notes):
    """Box and polygon of each garment by itself.

    Args: those of `region_of`.

    Returns:
        {key of `PARTS`: (box, rings)} of the garments with a rectangle or a polygon inside the picture, each as
        `region_of` has them.
    """
    found = _annotated(details, notes)
    labelled = [part for part in PARTS if first_entry(details.get("라벨링"), part)]
    notes["garment with attributes and no region: it gets no row"] += len(set(labelled) - found.keys())
    limits = _limits(size, notes) if found else []
    regions = {part: _inside_picture([garment], limits, notes) for part, garment in found.items()}
    kept = {part: region for part, region in regions.items() if region[0] is not None}
    notes["garment wholly outside the picture: it gets no row"] += len(regions) - len(kept)
    return kept


def _annotated(details, notes):
    """{part: (rings, box)} of the garments that have a rectangle or a polygon."""
    garments = {part: _garment(details, part, notes) for part in PARTS}
    found = {part: (rings, box) for part, (rings, box) in garments.items() if box}
    if not found:
        notes["no garment annotated: the whole picture is used"] += 1
    return found


def _limits(size, notes):
    """[width, height] of the picture, infinite where the label does not say."""
    limits = [side if side and side > 0 else math.inf for side in map(finite, size)]
    if math.inf in limits:
        notes["no picture size in the label: box not clipped"] += 1
    return limits


def _inside_picture(found, limits, notes):
    """Garments as one region inside the picture.

    Args:
        found: list of (rings, box), one a garment.
        limits: those of `_limits`.
        notes: Counter of `NOTES`.

    Returns:
        (box or None, rings for the even-odd rule), one decimal.
    """
    box, whole = _clip_box([box for _, box in found], limits, notes)
    if box is None:
        return None, []
    rings = [ring for garment, _ in found for ring in garment]
    if not whole:
        rings = [np.clip(ring, 0, limits) for ring in rings]
    kept, bounds = [], []
    for ring in rings:
        left, top, right, bottom = bounds_of(ring)
        if right - left >= 1 and bottom - top >= 1:
            kept.append(ring)
            bounds.append((left, top, right, bottom))
    notes["polygon without area: dropped"] += len(rings) - len(kept)
    return box, union_of_rings(kept, bounds)


def _garment(details, part, notes):
    """One garment -> (list of rings `(n, 2)`, box of its rectangle and rings), or ([], None)."""
    rect = _rect(first_entry(details.get("렉트좌표"), part, notes), notes)
    points = _points(first_entry(details.get("폴리곤좌표"), part, notes), notes)
    if not len(points):
        return [], rect
    bounds = bounds_of(points)
    if rect is None:
        return [points], bounds
    rings = [points] if fits(bounds, rect) else split_joined(points, rect)
    if sum(map(len, rings)) < len(points):
        notes["joined polygons taken apart: loose points of a piece never finished dropped from the mask"] += 1
    elif len(rings) > 1:
        notes["joined polygons taken apart"] += 1
    left_top = map(min, rect[:2], bounds[:2])
    right_bottom = map(max, rect[2:], bounds[2:])
    return rings, [*left_top, *right_bottom]


def _rect(entry, notes):
    """`{X좌표, Y좌표, 가로, 세로}` (top left, width, height) -> [left, top, right, bottom], or None."""
    if not entry:
        return None
    written = [entry.get(key) for key in RECT_KEYS]
    values = [finite(value) for value in written]
    if None in values:
        notes["rectangle with values that are no numbers: dropped"] += 1
        return None
    if str in map(type, written):
        notes["number written as text: read as a number"] += 1
    left, top, width, height = values
    if width <= 0 or height <= 0:
        notes["rectangle without area: dropped"] += 1
        return None
    return [left, top, left + width, top + height]


def _points(entry, notes):
    """`{X좌표1, Y좌표1, X좌표2, …}` in any order -> float `(n, 2)` in the order of the numbers; it may be empty."""
    count = len(entry) // 2
    if 3 <= count <= MOST_POINTS and len(entry) == 2 * count:
        try:
            values = _coordinates(count)(entry)
            if {float, int}.issuperset(map(type, values)):
                points = np.array(values, float).reshape(-1, 2)
                if (np.abs(points) <= FARTHEST).all():
                    return points
        except (KeyError, OverflowError):
            pass
    return _points_with_flaws(entry, notes) if entry else np.zeros((0, 2))


@functools.cache
def _coordinates(count):
    return operator.itemgetter(*(f"{axis}좌표{number}" for number in range(1, count + 1) for axis in "XY"))


def _points_with_flaws(entry, notes):
    values, found = {"X": {}, "Y": {}}, set()
    for key, value in entry.items():
        match = COORDINATE.match(key)
        number = finite(value)
        if not match:
            found.add("polygon with keys that are no coordinates: those ignored")
        elif number is None:
            found.add("polygon with values that are no numbers: those points dropped")
        else:
            axis, place = match.group(1), int(match.group(2))
            if place in values[axis]:
                found.add("polygon with a point number written twice: the last counts")
            if isinstance(value, str):
                found.add("number written as text: read as a number")
            values[axis][place] = number
    numbers = sorted(values["X"].keys() & values["Y"].keys())
    single = values["X"].keys() ^ values["Y"].keys()
    if single and "polygon with values that are no numbers: those points dropped" not in found:
        found.add("polygon with points that lack a coordinate: those dropped")
    if len(numbers) < 3:
        found.add("polygon of fewer than three points: dropped")
        numbers = []
    notes.update(found)
    return np.array([(values["X"][i], values["Y"][i]) for i in numbers]).reshape(-1, 2)


def finite(value):
    """A JSON value as a float, or None if it is no number, not finite or beyond a million."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if -FARTHEST <= number <= FARTHEST else None


def _clip_box(boxes, limits, notes):
    """(the boxes' union inside the picture, one decimal, or None; whether all of it lies inside)."""
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    box = [min(lefts), min(tops), max(rights), max(bottoms)]
    clipped = [min(max(value, 0), limit) for value, limit in zip(box, [*limits, *limits], strict=True)]
    left, top, right, bottom = clipped
    if right - left < 1 or bottom - top < 1:
        return None, False
    if clipped != box:
        notes["box outside the picture: clipped"] += 1
    return [round(float(value), 1) for value in clipped], clipped == box
