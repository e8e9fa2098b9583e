"""From a mask to AI Hub's coordinates: rect and polygon of a garment, with the faults that AI Hub's polygons have."""

import cv2
import numpy as np

from kfashion_utils.datasets.sample.cloth import code_of

JOINED_SHARE, OUTSIDE_SHARE = 0.040, 0.012  # of the garments; joined ones need a second piece, so about 3 % come out
FEWEST, MOST = 15, 40  # points of a polygon


def region(labels, cloth, size, rng, planted):
    """(rect, polygon) of one garment as AI Hub writes them, ({}, {}) when it cannot be seen.

    `labels` uint8 `(2, height, width)` is described in `cloth`, `size` is (width, height); `planted` counts the faults.
    """
    code = code_of(cloth)
    main, extra = (labels[0] == code).astype(np.uint8), (labels[0] == code + 10).astype(np.uint8)
    points = _outline(_whole(main | extra, (labels[1] >> (code - 1)) & 1))
    if points is None:
        return {}, {}
    first = points
    if rng.random() < JOINED_SHARE and extra.any():
        pieces = _outline(main), _outline(extra)
        if all(p is not None for p in pieces):
            joined, apart = _joined(*pieces)
            if apart:
                points, first = joined, joined[: len(pieces[0])]
                planted["joined_polygons"] = planted.get("joined_polygons", 0) + 1
    if rng.random() < OUTSIDE_SHARE and len(first) == len(points):
        points = first = _pushed_out(points, size, rng)
        planted["outside_picture"] = planted.get("outside_picture", 0) + 1
    return _as_aihub(points, first, rng)


def _whole(seen, there):
    """The mask to outline: what is seen, or the whole garment where another one cuts it into pieces."""
    seen = cv2.morphologyEx(seen, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    pieces = [cv2.contourArea(c) for c in cv2.findContours(seen, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]]
    cut_up = len(pieces) > 1 and max(pieces) < 0.85 * sum(pieces)
    return there if cut_up and sum(pieces) > 0.15 * cv2.countNonZero(there) else seen


def _outline(mask):
    """The largest piece of a mask as float points `(n, 2)`, FEWEST to MOST of them; None when there is hardly any."""
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours or cv2.contourArea(largest := max(contours, key=cv2.contourArea)) < 60:
        return None
    slack = 1.2
    points = cv2.approxPolyDP(largest, slack, True)
    while len(points) > MOST:
        slack *= 1.25
        points = cv2.approxPolyDP(largest, slack, True)
    while len(points) < FEWEST and slack > 0.3:
        slack *= 0.8
        finer = cv2.approxPolyDP(largest, slack, True)
        if len(finer) > MOST:  # a straight edge has turned into its pixels' stairs
            break
        points = finer
    return points[:, 0].astype(float)


def _joined(first, second):
    """Two polygons as one point list without a separator, and whether a reader can part them.

    The first ends, the second starts, at a point only it can reach.
    """
    first = np.roll(first, -1 - int(np.argmin(first[:, 0])), axis=0)
    outside = np.maximum(first.min(0) - second, second - first.max(0)).max(1)
    return np.concatenate([first, np.roll(second, -int(np.argmax(outside)), axis=0)]), outside.max() > 3


def _pushed_out(points, size, rng):
    """Moves the outermost point of a polygon up to 10 pixels beyond the nearest edge of the picture."""
    points = points.copy()
    side = int(np.argmin(np.concatenate([points.min(0), np.asarray(size) - points.max(0)])))
    axis, far = side % 2, side >= 2
    at = int((np.argmax if far else np.argmin)(points[:, axis]))
    points[at, axis] = size[axis] + rng.uniform(2, 10) if far else -rng.uniform(2, 10)
    return points


def _as_aihub(points, first, rng):
    """Rect of the first piece; the points' keys in no order, as in AI Hub's files."""
    points, first = np.round(points, 3), np.round(first, 3)
    (x0, y0), (x1, y1) = first.min(0), first.max(0)
    rect = {
        "X좌표": float(round(x0 - 0.5, 3)),
        "Y좌표": float(round(y0 - 0.5, 3)),
        "가로": int(x1 - x0),
        "세로": int(y1 - y0),
    }
    pairs = [(f"{axis}좌표{k + 1}", float(p[i])) for k, p in enumerate(points) for i, axis in enumerate("XY")]
    return rect, {pairs[k][0]: pairs[k][1] for k in rng.permutation(len(pairs))}
