"""Whether one picture shows a part of another: the one laid over the other at every place and at several scales."""

import cv2
import numpy as np

from kfashion_utils.audit.hashes import resized

SIDE, COARSE_SIDE = 64, 32  # longest sides at which pictures are laid over each other in grey, pixels
FINE_SIDE = 128  # the same in colour, of those that fit
PLACE, SHIFT = 16, 2  # side of the squares that are compared one by one there, and how far each may lie off, pixels
SCALES = np.linspace(1.0, 0.6, 9)  # how large a part is of the picture it was cut from
FINER = np.linspace(-0.05, 0.05, 9)  # tried around the best of them
FINEST = np.linspace(-0.0125, 0.0125, 5)  # and around the best of these
MAYBE_PART, SAME_PART = 0.7, 0.9  # least correlation of a part with its place in the other, at each side
SAME_COLOURS = 0.9  # of all values of the three colours, at FINE_SIDE
SAME_PLACES = 0.945  # of the squares, on average: two shirts on one blanket differ in their prints
PAINT = 0.25  # share of the picture in one grey level from which on it is taken for paint
PAINT_TOLERANCE = 6  # levels, up or down, that still count as that one
LEAST_KEPT = 0.04  # share of a picture that must be left beside the paint
LEAST_CONTRAST = 8  # levels of standard deviation in what is left
LEAST_PLACE_CONTRAST = 6  # the same in a square that is compared


def part_score(one, other):
    """How well the one fits into the other, either way round, mirrored or not.

    Args:
        one, other: the picture as uint8 grey `(h, w)` at COARSE_SIDE and at SIDE.

    Returns:
        (largest correlation with a place in the other, -1..1; (number of the way round, scale) that give it).
    """
    coarse = [best_place(small, large, SCALES) for small, large in _ways_round(one[0], other[0])]
    number = int(np.argmax([found[0] for found in coarse]))
    score, scale, _ = coarse[number]
    if score >= MAYBE_PART:
        score, scale, _ = best_place(*_ways_round(one[1], other[1])[number], np.minimum(scale + FINER, 1.0))
    return score, (number, scale)


def _ways_round(one, other):
    """[(the one that may be a part, the one it may be in)]."""
    return [(one, other), (other, one), (one[:, ::-1], other), (other[:, ::-1], one)]


def is_same(one, other, number, scale):
    """Whether two pictures are one where they lie on each other as `part_score` says, in colour and square by square:
    prints tell apart what shapes do not.

    Args:
        one, other: uint8 RGB `(h, w, 3)` at FINE_SIDE.
        number, scale: of `part_score`.
    """
    small, large = _ways_round(one, other)[number]
    small_grey = _grey(np.ascontiguousarray(small))
    large_grey = _grey(np.ascontiguousarray(large))
    _, _, (left, top, width, height) = best_place(small_grey, large_grey, np.minimum(scale + FINEST, 1.0))
    if not width:
        return False
    kept = _scaled_mask(unpainted(small_grey), width, height)
    part = resized(np.ascontiguousarray(small), width, height)
    place = np.ascontiguousarray(large[top : top + height, left : left + width])
    colours = np.corrcoef(part[kept > 0].ravel(), place[kept > 0].ravel())[0, 1]
    if not colours >= SAME_COLOURS:  # also where it is NaN: one of them has no contrast
        return False
    return places_score(_grey(part), _grey(place), kept) >= SAME_PLACES


def _grey(pixels):
    return cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)


def places_score(one, other, kept):
    """Mean correlation of squares of two pictures that lie on each other, SHIFT pixels off at most; -1..1, -1 where
    nothing has contrast.

    Args:
        one, other: uint8 grey, of one shape.
        kept: uint8 of that shape, 0 where `one` was painted over; squares that lost more than half are not looked at.
    """
    found = []
    for top in range(0, one.shape[0] - PLACE + 1, PLACE):
        for left in range(0, one.shape[1] - PLACE + 1, PLACE):
            square = np.s_[top : top + PLACE, left : left + PLACE]
            around = np.s_[max(0, top - SHIFT) : top + PLACE + SHIFT, max(0, left - SHIFT) : left + PLACE + SHIFT]
            score = _square_score(one[square], other[square], other[around], kept[square])
            if score is not None:
                found.append(score)
    return float(np.mean(found)) if found else -1.0


def _square_score(mine, other, around, kept):
    """Correlation of a square with its place in the other picture; None where there is too little to compare."""
    if kept.mean() < 0.5:
        return None
    contrast, other_contrast = mine[kept > 0].std(), other[kept > 0].std()
    if max(contrast, other_contrast) < LEAST_PLACE_CONTRAST:
        return None
    return _correlations(around, mine, kept).max() if contrast >= 1 else 0.0


def best_place(small, large, scales):
    """(correlation, scale, (left, top, width, height)) of the place and size at which uint8 grey `small` fits best into
    `large`; 1 = as large as fits.

    Paint is not looked at.
    """
    kept = unpainted(small)
    if kept.mean() < LEAST_KEPT or small[kept].std() < LEAST_CONTRAST:
        return -1.0, 1.0, (0, 0, 0, 0)
    fit = min(large.shape[0] / small.shape[0], large.shape[1] / small.shape[1])
    found = []
    for scale in np.unique(scales):
        height = min(round(small.shape[0] * fit * scale), large.shape[0])
        width = min(round(small.shape[1] * fit * scale), large.shape[1])
        template = resized(np.ascontiguousarray(small), width, height)
        scores = _correlations(large, template, _scaled_mask(kept, width, height))
        top, left = np.unravel_index(scores.argmax(), scores.shape)
        found.append((float(scores[top, left]), float(scale), (int(left), int(top), width, height)))
    return max(found)


def _correlations(large, small, kept):
    """The correlation of `small`, where it is `kept`, with each place in `large`; -1 where there is none."""
    scores = cv2.matchTemplate(large, small, cv2.TM_CCOEFF_NORMED, mask=None if kept.all() else kept)
    return np.where(np.isfinite(scores) & (scores <= 1.001), scores, -1)


def _scaled_mask(kept, width, height):
    return cv2.resize(kept.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)


def unpainted(grey):
    """Boolean `(h, w)`: False where a picture was painted over with one grey, and around it; all True where no such
    paint is found."""
    level = int(np.bincount(grey.ravel(), minlength=256).argmax())
    painted = np.abs(grey.astype(int) - level) <= PAINT_TOLERANCE
    if painted.mean() < PAINT:
        return np.ones(grey.shape, bool)
    return cv2.dilate(painted.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0
