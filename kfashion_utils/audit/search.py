"""The search for all pairs of 64-bit hashes that differ in a few bits."""

import functools
import itertools
import math
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from kfashion_utils.audit.hashes import BITS
from kfashion_utils.errors import InputError

MOST_PAIRS = 20_000_000  # more than that is no list of duplicates, and would not fit
KEYS = (1, 2, 3, 4)  # bands that a bucket may share
SORTED = 60  # comparisons that cost as much as sorting one hash into a table
SAMPLE = 100_000  # random pairs, at most, by which the tables are chosen
LARGE = 8192  # bucket that is searched by tables of its own
PIECE = 2**15  # hashes compared at a time: what a core's cache holds
FEW = 0.3  # share of a piece's hashes below which those are picked out that still have followers


def near_pairs(hashes, radius, mirror=0, most=MOST_PAIRS):
    """All pairs of hashes that differ in at most `radius` bits; nothing is missed, nothing guessed.

    Hashes are cut into bands; of two that differ in r bits at least k of r + k bands are equal, so pairs are looked for
    among those that share k bands, for every choice of k. How many that are is measured on random pairs: photographs
    share many bits, random hashes few. Bucket for bucket, hashes are sorted and compared with those that follow, on
    every core.

    Args:
        hashes: uint64 `(n,)`.
        radius: bits, 0..16.
        mirror: bits that a mirror image flips; pairs that are near after flipping them in one of the two count as well.
            0 = none.
        most: pairs from which on the search is given up.

    Returns:
        int64 `(pairs, 2)`, the smaller number first, sorted, each pair once.

    Raises:
        InputError: a radius out of range, or more than `most` pairs.
    """
    if not 0 <= radius <= 16:
        raise InputError(f"radius {radius}: expected 0..16 bits of {BITS}")
    hashes, mirror = np.asarray(hashes, np.uint64), np.uint64(mirror)
    values, place = np.unique(np.minimum(hashes, hashes ^ mirror), return_inverse=True)
    near = np.repeat(np.arange(len(values))[:, None], 2, axis=1)  # each value is near itself
    if radius and len(values) > 1:
        near = np.concatenate([_search(values, BITS, radius, mirror, most), near])
    return _spread(near, place, most)


def _spread(near, place, most):
    """Pairs of values -> pairs of the rows that have them; `place` is the value of each row."""
    order, counts = np.argsort(place, kind="stable"), np.bincount(place)
    starts = np.cumsum(counts) - counts
    near = near[(near[:, 0] != near[:, 1]) | (counts[near[:, 0]] > 1)]
    across, down = counts[near[:, 1]], counts[near[:, 0]]
    sizes = across * down
    _require_few(int(sizes.sum()), most)
    number = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    which = np.repeat(np.arange(len(near)), sizes)
    first = order[starts[near[which, 0]] + number // across[which]]
    second = order[starts[near[which, 1]] + number % across[which]]
    keep = (near[which, 0] != near[which, 1]) | (first < second)
    return _sorted_pairs(first[keep], second[keep], len(place))


def _sorted_pairs(first, second, count):
    """int64 `(pairs, 2)` of numbers below `count`, the smaller one first, sorted, each pair once."""
    keys = np.unique(np.minimum(first, second) * count + np.maximum(first, second))
    return np.stack(np.divmod(keys, max(count, 1)), axis=1)


def _require_few(count, most):
    if count > most:
        raise InputError(
            f"more than {most:,} pairs of pictures look alike ({count:,} were found): "
            "choose a smaller radius, or leave out pictures that show nothing"
        )


def _search(values, bits, radius, mirror, most, threads=None):
    """Pairs of numbers of sorted, different `values`, of which only the lowest `bits` differ; int64 `(pairs, 2)`."""
    bands, shared = _choose_tables(values, bits, radius, mirror)
    tables = list(itertools.combinations(range(len(bands)), shared))
    look = functools.partial(_look, values, bands=bands, bits=bits, radius=radius, mirror=mirror, most=most)
    found, total = [], 0
    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        for pairs in pool.map(look, tables):
            found.append(pairs)
            total += len(pairs)
            if total > most:
                pool.shutdown(cancel_futures=True)
                _require_few(total, most)
    found = np.concatenate(found)
    return _sorted_pairs(found[:, 0], found[:, 1], len(values))


# Tables ---------------------------------------------------------------------------------------------------------------


def _choose_tables(values, bits, radius, mirror):
    """(bands as (lowest bit, width), how many of them a bucket shares): the cheapest choice for these values."""
    different = _random_differences(values, mirror)
    costs = {}
    for shared in KEYS:
        if radius + shared > bits:
            continue
        bands = _bands(bits, radius + shared)
        equal = sum(_no_bit_of(different, band).astype(np.int64) for band in bands)
        tables = math.comb(len(bands), shared)
        compared = _mean_choices(equal, shared) * (2 if mirror else 1)  # a picture and its mirror image
        floor = 0.5 ** (bits * shared / len(bands)) * tables  # what the sample is too small to show
        costs[shared] = len(values) * (tables * SORTED + max(compared, floor) * len(values) / 2)
    shared = min(costs, key=costs.get)
    return _bands(bits, radius + shared), shared


def _random_differences(values, mirror):
    """The differing bits of random pairs of values, uint64; with a mirror also those of the one and the other's mirror
    image."""
    random = np.random.default_rng(0).integers(0, len(values), (2, min(SAMPLE, 8 * len(values))))
    first, second = random[:, random[0] != random[1]]
    different = values[first] ^ values[second]
    return np.concatenate([different, different ^ mirror]) if mirror else different


def _mean_choices(equal, shared):
    """In how many ways `shared` bands can be chosen among the `equal` ones of a pair, on average."""
    times = np.bincount(equal)
    choices = sum(math.comb(count, shared) * int(number) for count, number in enumerate(times))
    return choices / len(equal)


def _no_bit_of(different, band):
    """Whether no bit of a band (lowest bit, width) differs, bool."""
    low, width = band
    return ((different >> np.uint64(low)) & np.uint64(2**width - 1)) == 0


def _bands(bits, count):
    edges = np.linspace(0, bits, count + 1).astype(int)
    return [(int(low), int(high - low)) for low, high in itertools.pairwise(edges)]


# One table ------------------------------------------------------------------------------------------------------------


def _look(values, chosen, *, bands, bits, radius, mirror, most):
    """The pairs that are near and whose first equal bands are the `chosen` ones."""
    key = [bands[number] for number in reversed(chosen)]
    rest = [band for number, band in reversed(list(enumerate(bands))) if number not in chosen]
    pieces, free = key + rest, bits - sum(width for _, width in key)
    moved = _moved(values, pieces)
    if mirror:
        moved = _one_of_each(moved, _moved(mirror, pieces), free)
    first, second = _compare(np.sort(moved), free, radius, most)
    mine = _first_equal(_moved_back(first ^ second, pieces), bands, chosen)
    first, second = _moved_back(first[mine], pieces), _moved_back(second[mine], pieces)
    numbers = [np.searchsorted(values, np.minimum(side, side ^ mirror)) for side in (first, second)]
    pairs = np.stack(numbers, axis=1)
    return pairs[pairs[:, 0] != pairs[:, 1]]


def _one_of_each(moved, mirror, free):
    """Of a picture and its mirror image the one whose first flipped bit above the `free` ones is 0, so that both ways
    round share a bucket; both where none of these bits is flipped."""
    top = int(mirror >> np.uint64(free)).bit_length()
    if not top:
        return np.concatenate([moved, moved ^ mirror])
    flipped = (moved >> np.uint64(free + top - 1)) & np.uint64(1)
    return np.where(flipped, moved ^ mirror, moved)


def _moved(values, pieces):
    """Bits rearranged: `pieces` (lowest bit, width) from the top down."""
    result = values & np.uint64(0)
    for low, width in pieces:
        result = (result << np.uint64(width)) | ((values >> np.uint64(low)) & np.uint64(2**width - 1))
    return result


def _moved_back(values, pieces):
    result, at = values & np.uint64(0), 0
    for low, width in reversed(pieces):
        result |= ((values >> np.uint64(at)) & np.uint64(2**width - 1)) << np.uint64(low)
        at += width
    return result


def _first_equal(different, bands, chosen):
    """Boolean: the first bands without a differing bit are the `chosen` ones, so that each pair is kept by one
    table."""
    keep = np.ones(len(different), bool)
    for number, band in enumerate(bands[: chosen[-1] + 1]):
        keep &= _no_bit_of(different, band) == (number in chosen)
    return keep


def _compare(values, free, radius, most):
    """Near pairs among sorted values that agree in all but the lowest `free` bits; (first, second) uint64."""
    keys = values >> np.uint64(free)
    edges = np.concatenate([[0], np.flatnonzero(keys[1:] != keys[:-1]) + 1])
    sizes = np.diff(edges, append=len(values))
    large = sizes > LARGE
    found, count = [(values[:0], values[:0])], 0
    for start, size in zip(edges[large].tolist(), sizes[large].tolist(), strict=True):
        bucket = values[start : start + size]
        pairs = _search(bucket & np.uint64(2**free - 1), free, radius, np.uint64(0), most, threads=1)
        found.append((bucket[pairs[:, 0]], bucket[pairs[:, 1]]))
    followers = np.repeat(edges + sizes, sizes) - np.arange(len(values)) - 1  # of each hash in its bucket
    followers[np.repeat(large, sizes)] = 0
    for start in range(0, len(values), PIECE):
        for hits in _slide(values, start, min(start + PIECE, len(values)), followers, radius):
            found.append(hits)
            count += len(hits[0])
            _require_few(count, most)
    return tuple(np.concatenate(side) for side in zip(*found, strict=True))


def _slide(values, start, stop, followers, radius):
    """Compare rows start..stop with the 1st, 2nd, 3rd … that follows in their bucket."""
    here = followers[start:stop]
    rows = None  # all of them, until few have so many that follow
    for step in range(1, int(here.max(initial=0)) + 1):
        if rows is not None:
            rows = rows[followers[rows] >= step]
        elif np.count_nonzero(here >= step) < FEW * len(here):
            rows = start + np.flatnonzero(here >= step)
        if rows is None:
            end = min(stop, len(values) - step)
            different = values[start:end] ^ values[start + step : end + step]
            hits = start + np.flatnonzero(np.bitwise_count(different) <= radius)
            hits = hits[followers[hits] >= step]
        else:
            hits = rows[np.bitwise_count(values[rows] ^ values[rows + step]) <= radius]
        if len(hits):
            yield values[hits], values[hits + step]
