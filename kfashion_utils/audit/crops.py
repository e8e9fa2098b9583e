"""Pictures of which one shows a part of the other: crops, masked versions and their mirror images, which a hash of the
whole does not find.

Features of a frozen backbone propose which pictures to compare, for those that are partly painted over the correlation
of what is left of them; what decides is whether the one is found again in the other, at some scale. So pictures that
are merely alike, such as two shots of one look, are not joined.
"""

import functools
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from kfashion_utils.audit.hashes import resized
from kfashion_utils.images.geometry import Placement
from kfashion_utils.images.prepare import preprocess_images
from kfashion_utils.images.recipe import Preprocess
from kfashion_utils.tables.labels import Head, Task

NEIGHBOURS, PAINTED_NEIGHBOURS = 8, 4  # other pictures that each one is compared with
LEAST_COSINE = 0.35  # of whitened features
LEAST_CORRELATION = 0.75  # of what is not painted over, place for place
TINY = 32  # side of the versions in which paint is looked for, pixels
DEPTH = 128  # principal components that are compared
BLOCK = 512  # pictures whose similarities are computed at a time, against COLUMNS others
COLUMNS = 2**16
SIDE, COARSE_SIDE = 64, 32  # longest sides at which pictures are laid over each other in grey, pixels
FINE_SIDE = 128  # the same in colour, of those that fit
PLACE, SHIFT = 16, 2  # side of the squares that are compared one by one there, and how far each may lie off, pixels
SCALES = np.linspace(1.0, 0.6, 9)  # how large a part is of the picture it was cut from
FINER = np.linspace(-0.05, 0.05, 9)  # tried around the best of them
FINEST = np.linspace(-0.0125, 0.0125, 5)  # and around the best of these
MAYBE_PART, SAME_PART = 0.7, 0.9  # least correlation of a part with its place in the other, at each side
SAME_COLOURS = 0.9  # of all values of the three colours, at FINE_SIDE
SAME_PLACES = 0.945  # of the squares, on average: two shirts on one blanket differ in their prints
PAINT, PAINT_TOLERANCE = (
    0.25,
    6,
)  # share of the picture in one grey level, give or take, from which on it is taken for paint
LEAST_KEPT = 0.04  # share of a picture that must be left beside the paint
LEAST_CONTRAST = 8  # levels of standard deviation in what is left
LEAST_PLACE_CONTRAST = 6  # the same in a square that is compared


def find_parts(rows, sizes, root, cache, backbone, weights, *, known=(), workers=None, progress=True):
    """Pairs of pictures of which one shows a part of the other.

    Args:
        rows: catalog with one row a picture; boxes and polygons are not looked at.
        sizes: int `(pictures, 2)`, width and height of each.
        root: folder that its paths are relative to.
        cache: folder of caches for prepared pictures and features.
        backbone, weights: as in `TrainConfig`.
        known: pairs (numbers of rows) that need no comparison.
        workers: processes that prepare pictures; None = one a core.

    Returns:
        DataFrame `first, second` (numbers of rows), `how` (`part`), `distance` (1 - correlation).

    Raises:
        InputError: unknown backbone, no such weights.
    """
    prepared = preprocess_images(rows, root, cache, Preprocess(), workers=workers, progress=progress)
    features = picture_features(prepared, rows["id"], Path(cache), backbone, weights, progress)
    ids = rows["id"].to_numpy()
    tiny = np.stack(
        [_content(prepared.pixels(row), size, TINY, square=True) for row, size in zip(ids, sizes, strict=True)]
    )
    candidates = np.concatenate(
        [neighbours(whitened(features)), *(painted_neighbours(tiny, flip) for flip in (False, True))]
    )
    known = {tuple(sorted(pair)) for pair in known}
    candidates = [tuple(pair) for pair in np.unique(candidates, axis=0).tolist() if tuple(pair) not in known]
    views = functools.lru_cache(maxsize=20_000)(
        lambda number: [_content(prepared.pixels(ids[number]), sizes[number], side) for side in (COARSE_SIDE, SIDE)]
    )
    found = []
    for first, second in tqdm(candidates, desc="compare", unit="pair", disable=not (progress and candidates)):
        score, fit = part_score(views(first), views(second))
        if score >= SAME_PART and is_same(
            *(_content(prepared.pixels(ids[row]), sizes[row], FINE_SIDE, colour=True) for row in (first, second)), *fit
        ):
            found.append((first, second, "part", round(1 - score, 4)))
    return pd.DataFrame(found, columns=["first", "second", "how", "distance"])


def picture_features(prepared, ids, cache, backbone, weights, progress=True):
    """float32 `(pictures, depth)` of a frozen backbone, through the cache that training uses."""
    from kfashion_utils.models.backbones import weights_file
    from kfashion_utils.models.model import build_model
    from kfashion_utils.training.features import compute_features

    task = Task("audit", (Head("same", ("no", "yes")),))
    model = build_model(task, backbone, prepared.preprocess.size, weights_file(backbone, weights))
    return np.asarray(compute_features(model, prepared, list(ids), cache, progress=progress))


def whitened(features):
    """Features whose directions count alike, of length 1: what all pictures share says nothing about two of them.
    float32 `(n, at most DEPTH)`."""
    centred = features - features.mean(axis=0)
    values, directions = np.linalg.eigh(centred.T @ centred / len(features))
    kept = slice(-min(DEPTH, max(2, len(features) // 4)), None)
    projected = centred @ (directions[:, kept] / np.sqrt(np.maximum(values[kept], 1e-3 * values[-1] + 1e-12)))
    return (projected / np.maximum(np.linalg.norm(projected, axis=1, keepdims=True), 1e-12)).astype(np.float32)


def neighbours(vectors, count=NEIGHBOURS, least=LEAST_COSINE):
    """Pairs of each row with the most similar other ones; int `(pairs, 2)`, sorted, each once.

    Args:
        vectors: float32 `(n, depth)` of length 1.
        count: how many others, at most.
        least: cosine that they must reach.
    """
    rows = np.arange(len(vectors))
    return _best_pairs(rows, len(vectors), lambda part, columns: vectors[part] @ vectors[columns].T, count, least)


def painted_neighbours(tiny, flip=False, count=PAINTED_NEIGHBOURS, least=LEAST_CORRELATION):
    """Pairs of each picture that is partly painted over with those that correlate with what is left of it, place for
    place.

    Args:
        tiny: uint8 grey `(n, TINY, TINY)`.
        flip: correlate with mirror images.
        count, least: as in `neighbours`.
    """
    kept = np.stack([unpainted(grey) for grey in tiny]).reshape(len(tiny), -1)
    values = tiny.reshape(len(tiny), -1).astype(np.float32) - 128
    others = (tiny[:, :, ::-1] if flip else tiny).reshape(len(tiny), -1).astype(np.float32) - 128
    painted = np.flatnonzero(~kept.all(axis=1) & (kept.mean(axis=1) >= LEAST_KEPT))

    def correlations(part, columns):
        weights = kept[part].astype(np.float32)
        weights /= weights.sum(axis=1, keepdims=True)
        own = values[part] - (values[part] * weights).sum(axis=1, keepdims=True)
        means, squares = weights @ others[columns].T, weights @ (others[columns] ** 2).T
        spread = np.sqrt(
            (own**2 * weights).sum(axis=1, keepdims=True) * np.maximum(squares - means**2, LEAST_CONTRAST**2)
        )
        return (own * weights) @ others[columns].T / np.maximum(spread, 1e-6)

    return _best_pairs(painted, len(tiny), correlations, count, least)


def _best_pairs(rows, width, similarity, count, least):
    """Pairs of some rows with the `count` most similar of `width` columns, itself excepted; int `(pairs, 2)`, the
    smaller first, each once."""
    pairs = [np.empty((0, 2), int)]
    for start in range(0, len(rows), BLOCK):
        part = rows[start : start + BLOCK]
        best, which = np.empty((len(part), 0), np.float32), np.empty((len(part), 0), int)
        for left in range(0, width, COLUMNS):
            found = similarity(part, slice(left, left + COLUMNS))
            itself = np.flatnonzero((part >= left) & (part < left + found.shape[1]))
            found[itself, part[itself] - left] = -2
            top = np.argpartition(-found, min(count, found.shape[1]) - 1, axis=1)[:, :count]
            best, which = (
                np.concatenate([best, np.take_along_axis(found, top, 1)], axis=1),
                np.concatenate([which, top + left], axis=1),
            )
            order = np.argsort(-best, axis=1)[:, :count]
            best, which = np.take_along_axis(best, order, 1), np.take_along_axis(which, order, 1)
        row, place = np.nonzero(best >= least)
        pairs.append(np.stack([part[row], which[row, place]], axis=1))
    return np.unique(np.sort(np.concatenate(pairs), axis=1), axis=0)


# Is the one in the other? ---------------------------------------------------------------------------------------------


def _content(pixels, size, side, square=False, colour=False):
    """A prepared picture, uint8 RGB, as grey (or in `colour`) without its padding, `side` at its longest (or a square
    of it); `size` = width and height before."""
    seen = pixels if colour else cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    placement = Placement.fitted((0, 0, *size), len(seen), "pad")
    extents = placement.inner
    shape = (side, side) if square else [max(8, round(side * extent / max(extents))) for extent in extents]
    return resized(seen[placement.middle], *shape)


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
    greys = [cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY) for picture in (small, large)]
    _, _, (left, top, width, height) = best_place(*greys, np.minimum(scale + FINEST, 1.0))
    if not width:
        return False
    kept = _scaled_mask(unpainted(greys[0]), width, height)
    part, place = (
        resized(np.ascontiguousarray(small), width, height),
        np.ascontiguousarray(large[top : top + height, left : left + width]),
    )
    colours = np.corrcoef(part[kept > 0].ravel(), place[kept > 0].ravel())[0, 1]
    return (
        bool(colours >= SAME_COLOURS)
        and places_score(*(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in (part, place)), kept) >= SAME_PLACES
    )


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
            mask = kept[square]
            contrasts = [picture[square][mask > 0].std() for picture in (one, other)] if mask.mean() >= 0.5 else [0]
            if max(contrasts) >= LEAST_PLACE_CONTRAST:
                found.append(_correlations(other[around], one[square], mask).max() if contrasts[0] >= 1 else 0.0)
    return float(np.mean(found)) if found else -1.0


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
        height, width = (
            min(round(extent * fit * scale), limit) for extent, limit in zip(small.shape, large.shape, strict=True)
        )
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
