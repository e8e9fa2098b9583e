"""Records: what an audit keeps of each picture, looked at once."""

import hashlib
import os
from pathlib import Path

import cv2
import joblib
import numpy as np

from kfashion_utils.audit.hashes import difference_hashes, perceptual_hash, resized
from kfashion_utils.errors import REASONS, ImageRejected, InputError
from kfashion_utils.images import decoding, geometry
from kfashion_utils.images.mended import NO_END_MARK, mending
from kfashion_utils.output import say
from kfashion_utils.storage import addresses
from kfashion_utils.storage.chunks import Chunks, write_chunk
from kfashion_utils.storage.files import (
    TEMPORARY,
    folder_identity,
    make_folder,
    only_one,
    patiently,
    require_same,
)
from kfashion_utils.storage.progress import watched_bar

LOOKED_AT = 224  # longest side at which pictures are measured, pixels: what a model sees
TINY = 16  # side of the tiny grey version
CHUNK = 1024  # pictures a file of records: what a kill can cost a worker
SUFFIX = ".records"
ENDLESS = ".endless"  # chunks of the pictures that lack their end mark, beside their records
RECORD_VERSION = 2  # 2: end marks are looked for, too
ITEM_NAME = "S32"
RECORD = np.dtype(
    [
        ("digest", "S32"),
        ("phash", "u8"),
        ("dhash", "u8", (2,)),
        ("width", "i4"),
        ("height", "i4"),
        ("contrast", "f4"),
        ("sharpness", "f4"),
        ("soft", "f4"),
        ("seam", "f4"),
        ("grey", "u1", (TINY, TINY)),
        ("colour", "u1", (4, 4, 3)),
    ]
)


# Records --------------------------------------------------------------------------------------------------------------


def read_records(paths, root, out, *, workers=None, progress=True):
    """Look at the pictures that `out` has no record of.

    Returns:
        (records, place, unreadable, endless): records `(pictures,)` of RECORD, in the order of their paths; place int
        `(rows,)`, the record of each row, -1 = unreadable; unreadable {path: (reason, detail)}; endless bool
        `(pictures,)`, which lack only their end mark.

    Raises:
        InputError, OSError: see `audit_catalog`.
    """
    identity, folder = folder_identity(root), Path(out, "records")
    make_folder(folder)
    unique, row_path = np.unique(np.asarray(paths, object), return_inverse=True)
    with only_one(folder, "is being filled"):
        for leftover in folder.glob(f".*{TEMPORARY}"):
            leftover.unlink()
        items, unreadable = _items(unique, root)
        _require_some(unique, unreadable, root)
        stored = Chunks(folder, SUFFIX, items, RECORD)
        todo = np.flatnonzero((items != b"") & ~stored.known)
        if len(todo):
            if progress:
                say(f"{len(todo):,} pictures to look at, {len(unique) - len(todo):,} already known or not there")
            jobs = _jobs(folder, unique[todo], items[todo], root, identity, workers or os.cpu_count())
            unreadable |= _look(jobs, workers or os.cpu_count(), progress)
            stored = Chunks(folder, SUFFIX, items, RECORD)
        if any(reason == "missing" for reason, _ in unreadable.values()):
            require_same(root, identity)
    number = np.where(stored.known, np.cumsum(stored.known) - 1, -1)
    endless = Chunks(folder, ENDLESS, items, bool).known[stored.known]
    return stored.take(np.flatnonzero(stored.known)), number[row_path], unreadable, endless


def _require_some(paths, unreadable, root):
    """Raise an InputError if not one of the pictures is there."""
    if len(unreadable) == len(paths) and {reason for reason, _ in unreadable.values()} == {"missing"}:
        first = Path(root, paths[0])
        why = unreadable[paths[0]][1] or REASONS["missing"]
        raise InputError(
            f"none of the catalog's {len(paths):,} pictures is below {root}; the first would be {first}: {why}"
        )


def _items(paths, root):
    """(names of records `(paths,)`, empty where there is no file; {path: (reason, detail)})."""
    items, unreadable = np.zeros(len(paths), ITEM_NAME), {}
    for number, path in enumerate(paths):
        try:
            version = patiently(addresses.source_version, path, root)
        except ImageRejected as error:
            unreadable[path] = error.reason, error.detail
        else:
            items[number] = hashlib.sha256(f"{RECORD_VERSION}\n{path}\n{version}".encode()).hexdigest()[:32]
    return items, unreadable


def _jobs(folder, paths, items, root, identity, workers):
    """Arguments of `look_at_some`: at least 16 and at most CHUNK pictures each, some four jobs a worker."""
    size = int(np.clip(-(-len(paths) // (4 * workers)), 16, CHUNK))
    starts = range(0, len(paths), size)
    folder, root = folder.absolute(), Path(root).absolute()  # workers of an earlier call may stand in another folder
    return [(folder, paths[start : start + size], items[start : start + size], root, identity) for start in starts]


def _look(jobs, workers, progress):
    """Do the jobs on every core; returns {path: (reason, detail)} of what could not be read."""
    folder, first_paths, *_ = jobs[0]
    total = sum(len(paths) for _, paths, *_ in jobs)
    before = sum(1 for _ in folder.glob(f"*{SUFFIX}"))

    def seen():
        chunks = sum(1 for _ in folder.glob(f"*{SUFFIX}")) - before
        return min(chunks * len(first_paths), total)

    with watched_bar(total, "audit", seen, progress):
        parallel = joblib.Parallel(n_jobs=min(workers, len(jobs)), batch_size=1)
        failed = parallel(joblib.delayed(look_at_some)(*job) for job in jobs)
    return {path: reason for part in failed for path, reason in part.items()}


def look_at_some(folder, paths, items, root, identity):
    """One worker's task: look at some pictures and write their records into one chunk.

    Returns:
        {path: (reason, detail)} of the pictures that could not be read.
    """
    records, failed, endless = np.zeros(len(paths), RECORD), {}, np.zeros(len(paths), bool)
    for number, path in enumerate(paths):
        try:
            with mending() as mended:
                patiently(look_at, path, root, records[number])
            endless[number] = NO_END_MARK in mended
        except ImageRejected as error:
            if error.reason == "missing":  # it was there a moment ago
                require_same(root, identity)
            failed[path] = error.reason, error.detail
    readable = np.array([path not in failed for path in paths])
    if endless.any():  # before the records: what has one is not looked at again
        write_chunk(folder, ENDLESS, items[endless], endless[endless])
    if readable.any():
        write_chunk(folder, SUFFIX, items[readable], records[readable])
    return failed


def look_at(path, root, record):
    """Fill a record of RECORD from a picture.

    Raises:
        ImageRejected: it cannot be decoded.
    """
    data = addresses.read_source(path, root)
    source = data if isinstance(data, bytes) else path
    pixels, (width, height) = decoding.decode(source, root, lambda *size: max(size) / LOOKED_AT)
    if max(pixels.shape) > LOOKED_AT:
        pixels = resized(pixels, *geometry.fitted_size(width, height, LOOKED_AT, "pad"))
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    record["digest"] = hashlib.blake2b(data, digest_size=16).hexdigest().encode()
    record["width"], record["height"] = width, height
    record["phash"], record["dhash"] = perceptual_hash(grey), difference_hashes(grey)
    record["grey"], record["colour"] = resized(grey, TINY, TINY), resized(pixels, 4, 4)
    record["contrast"], record["sharpness"], record["soft"], record["seam"] = measures(grey)


def measures(grey):
    """Contrast, sharpness, soft steps and seam of uint8 grey `(h, w)`, as `flaws.FLAWS` explains them."""
    contrast = float(grey.std())
    sharpness = float(cv2.Laplacian(grey, cv2.CV_32F).var()) / (contrast**2 + 1)
    levels = grey.astype(np.int16)
    steps = np.concatenate([np.abs(np.diff(levels, axis=axis)).ravel() for axis in (0, 1)])
    some = np.count_nonzero(steps >= 2)
    soft = np.count_nonzero((steps >= 2) & (steps <= 12)) / max(some, 1)
    return contrast, sharpness, soft, max(_seam(levels), _seam(levels.T))


def _seam(levels):
    """Largest share of a column along which brightness jumps by more than 24 levels within two pixels.

    Columns in the middle 60 % of the picture are looked at.
    """
    width = levels.shape[1]
    middle = levels[:, int(0.2 * width) : int(0.8 * width) + 2]
    jumps = np.abs(middle[:, 2:] - middle[:, :-2]) > 24
    return float(jumps.mean(axis=0).max(initial=0))


def first_rows(place):
    """The first row of each record, int `(pictures,)`."""
    numbers, first = np.unique(place, return_index=True)
    return first[numbers >= 0]
