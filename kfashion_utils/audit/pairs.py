"""Which pictures are the same: equal files, near hashes that are equal in their tiny versions, and a second detector
that knows nothing of the first.

Pairs are DataFrames `first, second` (numbers of records), `how`, `distance`.
"""

import numpy as np
import pandas as pd

from kfashion_utils.audit.flaws import is_blank
from kfashion_utils.audit.hashes import MIRROR, distances
from kfashion_utils.audit.search import near_pairs

# bits of 64 in which hashes of the same picture may differ: every copy of a quarter of the size, at quality 40 or of
# 128 px was within
RADIUS = 4
TWIN_RADIUS = 4  # the same for the second detector
SAME_SHAPE = 0.99  # least correlation of the grey versions
SAME_COLOUR = 12.0  # largest difference of a cell of the colour versions, levels
TWIN_COLOUR = 12.0  # the same for the second detector, which trusts colours alone
SHAPES_AT_A_TIME, COLOURS_AT_A_TIME = 2**14, 2**16  # pairs


def exact_pairs(records):
    """Every file with the first one that is equal to it."""
    _, first, place = np.unique(records["digest"], return_index=True, return_inverse=True)
    again = np.flatnonzero(first[place] != np.arange(len(records)))
    return _table(np.stack([first[place[again]], again], axis=1), "exact", np.zeros(len(again)))


def near_and_mirrored(records, radius):
    """Pairs that are near by pHash, as they are or mirrored, and equal in their tiny versions."""
    usable = _distinct(records)
    hashes = records["phash"][usable]
    pairs = near_pairs(hashes, radius, MIRROR)
    direct, mirrored = distances(hashes, pairs, MIRROR)
    pairs = usable[pairs]
    near = (direct <= radius) & _equal_tiny(records, pairs)
    mirror = (mirrored <= radius) & ~near & _equal_tiny(records, pairs, flip=True)
    tables = [_table(pairs[near], "near", direct[near]), _table(pairs[mirror], "mirror", mirrored[mirror])]
    return pd.concat(tables, ignore_index=True)


def twins(records):
    """The second, independent detector: pairs that are near by dHash (as they are or mirrored) and equal in colours,
    int `(pairs, 2)`."""
    usable = _distinct(records)
    count = len(usable)
    if not count:
        return np.empty((0, 2), int)
    both_ways = near_pairs(records["dhash"][usable].T.ravel(), TWIN_RADIUS)  # all as they are, then all mirrored
    flip = both_ways[:, 0] // count != both_ways[:, 1] // count
    pairs = usable[both_ways % count]
    different = np.where(flip, colour_difference(records, pairs, flip=True), colour_difference(records, pairs))
    alike = (different <= TWIN_COLOUR) & (pairs[:, 0] != pairs[:, 1])
    return np.unique(np.sort(pairs[alike], axis=1), axis=0)


def in_order(pairs, first):
    """Pairs with the picture first that stands first in the catalog, sorted; `first` is the first row of each
    record."""
    sides = pairs[["first", "second"]].to_numpy(int, copy=True)
    swapped = first[sides[:, 0]] > first[sides[:, 1]]
    sides[swapped] = sides[swapped, ::-1]
    order = np.lexsort((first[sides[:, 1]], first[sides[:, 0]]))
    return pairs.assign(first=sides[:, 0], second=sides[:, 1]).iloc[order].reset_index(drop=True)


def _table(pairs, how, distance):
    first, second = pairs[:, 0].astype(int), pairs[:, 1].astype(int)
    return pd.DataFrame({"first": first, "second": second, "how": how, "distance": np.asarray(distance, float)})


def _distinct(records):
    """Numbers of the records that show something, one of each set of equal files."""
    one_of_each = np.zeros(len(records), bool)
    one_of_each[np.unique(records["digest"], return_index=True)[1]] = True
    return np.flatnonzero(one_of_each & ~is_blank(records))


# Tiny versions --------------------------------------------------------------------------------------------------------


def _equal_tiny(records, pairs, flip=False):
    """Which pairs have the same shapes and colours, bool `(pairs,)`; `flip` mirrors the second ones."""
    same_colours = colour_difference(records, pairs, flip) <= SAME_COLOUR
    return same_colours & (shape_correlation(records, pairs, flip) >= SAME_SHAPE)


def shape_correlation(records, pairs, flip=False):
    """Correlation of the tiny grey versions of pairs, -1..1, float `(pairs,)`; `flip` mirrors the second ones."""
    result = np.empty(len(pairs), np.float32)
    for start in range(0, len(pairs), SHAPES_AT_A_TIME):
        part = slice(start, start + SHAPES_AT_A_TIME)
        one, other = (records["grey"][pairs[part, side]].astype(np.float32) for side in (0, 1))
        one, other = _centred(one), _centred(other[:, :, ::-1] if flip else other)
        scale = np.sqrt((one**2).sum(axis=1) * (other**2).sum(axis=1))
        result[part] = (one * other).sum(axis=1) / np.maximum(scale, 1e-6)
    return result


def _centred(greys):
    """Pictures `(n, h, w)` less their means, flat `(n, h * w)`."""
    return (greys - greys.mean(axis=(1, 2), keepdims=True)).reshape(len(greys), -1)


def colour_difference(records, pairs, flip=False):
    """Largest difference of a cell and channel of the 4 x 4 colour versions of pairs, levels, `(pairs,)`; `flip`
    mirrors the second ones."""
    result = np.empty(len(pairs), np.int16)
    for start in range(0, len(pairs), COLOURS_AT_A_TIME):
        part = slice(start, start + COLOURS_AT_A_TIME)
        one, other = (records["colour"][pairs[part, side]].astype(np.int16) for side in (0, 1))
        result[part] = np.abs(one - (other[:, :, ::-1] if flip else other)).max(axis=(1, 2, 3))
    return result


# Groups ---------------------------------------------------------------------------------------------------------------


def join_rows(catalog, place, pairs):
    """`group` of every row: rows of a group, a photo, a picture or a pair are joined; the smallest name of a group
    stays.

    Args:
        catalog: n rows.
        place: int `(n,)`, the record of each row, -1 = none.
        pairs: of records.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    rows = np.arange(len(catalog))
    group, photo = (pd.factorize(catalog[name])[0] for name in ("group", "photo"))
    # one graph of rows, groups, photos and records, numbered in this order
    groups_from = len(rows)
    photos_from = groups_from + group.max() + 1
    records_from = photos_from + photo.max() + 1
    count = records_from + place.max(initial=-1) + 1
    readable = place >= 0
    edges = [
        (rows, groups_from + group),
        (rows, photos_from + photo),
        (rows[readable], records_from + place[readable]),
        (records_from + pairs["first"], records_from + pairs["second"]),
    ]
    one, other = (np.concatenate([np.asarray(edge[side]) for edge in edges]) for side in (0, 1))
    graph = coo_array((np.ones(len(one), bool), (one, other)), (count, count))
    _, component = connected_components(graph, directed=False)
    return catalog["group"].groupby(component[: len(rows)]).transform("min").astype(object)
