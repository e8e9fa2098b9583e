"""Candidates: which pairs of pictures are worth laying over each other, from features and from what paint leaves."""

import numpy as np

from kfashion_utils.audit.overlay import LEAST_CONTRAST, LEAST_KEPT, unpainted

NEIGHBOURS, PAINTED_NEIGHBOURS = 8, 4  # other pictures that each one is compared with
LEAST_COSINE = 0.35  # of whitened features
LEAST_CORRELATION = 0.75  # of what is not painted over, place for place
DEPTH = 128  # principal components that are compared
BLOCK = 512  # pictures whose similarities are computed at a time, against COLUMNS others
COLUMNS = 2**16


def whitened(features):
    """Features whose directions count alike, of length 1: what all pictures share says nothing about two of them.
    float32 `(n, at most DEPTH)`."""
    centred = features - features.mean(axis=0)
    values, directions = np.linalg.eigh(centred.T @ centred / len(features))
    kept = slice(-min(DEPTH, max(2, len(features) // 4)), None)
    spreads = np.sqrt(np.maximum(values[kept], 1e-3 * values[-1] + 1e-12))
    projected = centred @ (directions[:, kept] / spreads)
    lengths = np.linalg.norm(projected, axis=1, keepdims=True)
    return (projected / np.maximum(lengths, 1e-12)).astype(np.float32)


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
        tiny: uint8 grey `(n, side, side)`.
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
        own_variance = (own**2 * weights).sum(axis=1, keepdims=True)
        means, squares = weights @ others[columns].T, weights @ (others[columns] ** 2).T
        spread = np.sqrt(own_variance * np.maximum(squares - means**2, LEAST_CONTRAST**2))
        return (own * weights) @ others[columns].T / np.maximum(spread, 1e-6)

    return _best_pairs(painted, len(tiny), correlations, count, least)


def _best_pairs(rows, width, similarity, count, least):
    """Pairs of some rows with the `count` most similar of `width` columns, itself excepted; int `(pairs, 2)`, the
    smaller first, each once."""
    pairs = [np.empty((0, 2), int)]
    for start in range(0, len(rows), BLOCK):
        part = rows[start : start + BLOCK]
        best, which = _most_similar(part, width, similarity, count)
        row, place = np.nonzero(best >= least)
        pairs.append(np.stack([part[row], which[row, place]], axis=1))
    return np.unique(np.sort(np.concatenate(pairs), axis=1), axis=0)


def _most_similar(part, width, similarity, count):
    """(similarities, their columns) of the `count` most similar ones of each row, both `(rows, at most count)`."""
    best, which = np.empty((len(part), 0), np.float32), np.empty((len(part), 0), int)
    for left in range(0, width, COLUMNS):
        found = similarity(part, slice(left, left + COLUMNS))
        itself = np.flatnonzero((part >= left) & (part < left + found.shape[1]))
        found[itself, part[itself] - left] = -2
        top = np.argpartition(-found, min(count, found.shape[1]) - 1, axis=1)[:, :count]
        best = np.concatenate([best, np.take_along_axis(found, top, 1)], axis=1)
        which = np.concatenate([which, top + left], axis=1)
        order = np.argsort(-best, axis=1)[:, :count]
        best, which = np.take_along_axis(best, order, 1), np.take_along_axis(which, order, 1)
    return best, which
