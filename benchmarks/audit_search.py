"""How fast the search for near hashes is, beside comparing each with each: `python -m benchmarks.audit search`."""

import os
import time

import numpy as np

from benchmarks.measures import DATA
from kfashion_utils.audit.hashes import MIRROR
from kfashion_utils.audit.pairs import RADIUS
from kfashion_utils.audit.pictures import RECORD, look_at
from kfashion_utils.audit.search import near_pairs

COUNTS = (10_000, 100_000, 1_000_000)  # hashes
SOME = 20_000  # that brute force compares
AT_A_TIME = 2**17  # hashes drawn


def brute_force(hashes, radius):
    """All pairs, mirrored ones too, by comparing each hash with all that follow."""
    pairs = []
    for row in range(len(hashes)):
        different = hashes[row] ^ hashes[row + 1 :]
        near = np.bitwise_count(different) <= radius
        near |= np.bitwise_count(different ^ np.uint64(MIRROR)) <= radius
        other = row + 1 + np.flatnonzero(near)
        pairs.append(np.stack([np.full(len(other), row), other], axis=1))
    return np.concatenate(pairs)


def random_hashes(count):
    return np.random.default_rng(0).integers(0, 2**64, count, dtype=np.uint64)


def clustered_hashes(count, per=200, flips=0.12):
    """Scattered around count / per centres: each bit flips with that probability."""
    rng = np.random.default_rng(0)
    centres = rng.integers(0, 2**64, max(1, count // per), dtype=np.uint64)
    sizes = np.diff(np.r_[0:count:AT_A_TIME, count])
    noise = [_packed(rng.random((size, 64), np.float32) < flips) for size in sizes]
    return centres[rng.integers(0, len(centres), count)] ^ np.concatenate(noise)


def photograph_like(count):
    """Bits drawn with the means and the low-rank correlations that the pHashes of clothing_small have."""
    root = DATA / "clothing_small"
    paths = sorted(path.relative_to(root).as_posix() for path in root.rglob("*.jpg"))
    rows = np.zeros(len(paths), RECORD)
    for path, row in zip(paths, rows, strict=True):
        look_at(path, root, row)
    octets = rows["phash"].astype(">u8").view(np.uint8).reshape(-1, 8)
    bits = np.unpackbits(octets, axis=1).astype(np.float32) * 2 - 1
    values, directions = np.linalg.eigh(np.cov(bits.T))
    shape = (directions * np.sqrt(np.maximum(values, 0))).T.astype(np.float32)
    rng, drawn = np.random.default_rng(0), []
    for start in range(0, count, AT_A_TIME):
        normal = rng.standard_normal((min(AT_A_TIME, count - start), 64), np.float32)
        drawn.append(_packed(normal @ shape + bits.mean(axis=0) > 0))
    return np.concatenate(drawn)


def _packed(bits):
    """Boolean `(n, 64)` -> uint64 `(n,)`."""
    return np.packbits(bits, axis=1).view(">u8")[:, 0].astype(np.uint64)


HASHES = {"random": random_hashes, "clustered": clustered_hashes, "as clothing_small": photograph_like}


def search(scratch):
    """Seconds of the search and of brute force, and whether both give the same pairs of a subset of 20,000."""
    print(f"\n### Near pairs among hashes, mirror images too, {os.cpu_count()} cores\n")
    columns = ["hashes", "radius", *(f"{count:,} s" for count in COUNTS), "pairs", "brute force 20,000 s"]
    columns.append("equal on 20,000")
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    for name, draw in HASHES.items():
        values = draw(COUNTS[-1])
        some = values[:: len(values) // SOME][:SOME] if draw is random_hashes else draw(SOME)
        for radius in (RADIUS, 6):
            pairs, spent = zip(*(_timed(near_pairs, values[:count], radius, MIRROR) for count in COUNTS), strict=True)
            expected, slow = _timed(brute_force, some, radius)
            equal = np.array_equal(near_pairs(some, radius, MIRROR), expected)
            shown = " | ".join(f"{value:.2f}" for value in spent)
            same = f"{equal}, {len(expected):,} pairs"
            print(f"| {name} | {radius} | {shown} | {len(pairs[-1]):,} | {slow:.1f} | {same} |", flush=True)


def _timed(work, *arguments):
    started = time.perf_counter()
    result = work(*arguments)
    return result, time.perf_counter() - started
