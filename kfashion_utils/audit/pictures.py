"""Records: what an audit keeps of each picture, looked at once."""

import hashlib
import io
import os
from pathlib import Path

import cv2
import joblib
import numpy as np

from kfashion_utils.audit.hashes import difference_hashes, perceptual_hash, resized
from kfashion_utils.errors import ImageRejected, InputError
from kfashion_utils.images import decoding, geometry
from kfashion_utils.images.prepare import watched_bar
from kfashion_utils.storage import addresses
from kfashion_utils.storage.files import (
    TEMPORARY,
    folder_identity,
    make_folder,
    only_one,
    patiently,
    require_same,
    write_bytes,
)

LOOKED_AT = 224  # longest side at which pictures are measured, pixels: what a model sees
TINY = 16  # side of the tiny grey version
PARTS = 1024  # pictures a record file: what a kill can cost a worker
RECORD_VERSION = 1
RECORD = np.dtype([
    ("item", "S32"), ("digest", "S32"), ("phash", "u8"), ("dhash", "u8", (2,)), ("width", "i4"), ("height", "i4"),
    ("contrast", "f4"), ("sharpness", "f4"), ("soft", "f4"), ("seam", "f4"), ("grey", "u1", (TINY, TINY)), ("colour", "u1", (4, 4, 3)),
])  # fmt: skip


# Records --------------------------------------------------------------------------------------------------------------


def read_records(paths, root, out, *, workers=None, progress=True):
    """Look at the pictures that `out` has no record of.

    Returns:
        (records `(pictures,)` of RECORD, place int `(rows,)`: the record of each row, -1 = unreadable; {path: (reason, detail)}).

    Raises:
        InputError, OSError: see `audit_catalog`.
    """
    identity, folder = folder_identity(root), Path(out, "records")
    make_folder(folder)
    unique, place = np.unique(np.asarray(paths, object), return_inverse=True)
    with only_one(folder, "is being filled"):
        for leftover in folder.glob(f".*{TEMPORARY}"):
            leftover.unlink()
        items, unreadable = _items(unique, root)
        if len(unreadable) == len(unique) and {reason for reason, _ in unreadable.values()} == {"missing"}:
            raise InputError(
                f"none of the catalog's {len(unique):,} pictures is below {root}; the first would be {Path(root, unique[0])}"
            )
        known = _known(folder)
        todo = np.flatnonzero((items != b"") & ~np.isin(items, known["item"]))
        unreadable.update(
            _look(folder, unique[todo], items[todo], root, identity, workers or os.cpu_count(), progress, len(unique))
        )
        if any(reason == "missing" for reason, _ in unreadable.values()):
            require_same(root, identity)
        known = _known(folder) if len(todo) else known
    there = np.isin(items, known["item"])
    number = np.where(there, np.cumsum(there) - 1, -1)
    return known[np.searchsorted(known["item"], items[there])], number[place], unreadable


def _items(paths, root):
    """(names of records `(paths,)`, empty where there is no file; {path: (reason, detail)})."""
    items, unreadable = np.zeros(len(paths), "S32"), {}
    for number, path in enumerate(paths):
        try:
            version = patiently(addresses.source_version, path, root)
        except ImageRejected as error:
            unreadable[path] = error.reason, error.detail
        else:
            items[number] = hashlib.sha256(f"{RECORD_VERSION}\n{path}\n{version}".encode()).hexdigest()[:32]
    return items, unreadable


def _known(folder):
    """The records of a folder, sorted by item, each once."""
    parts = [np.zeros(0, RECORD)]
    for path in sorted(folder.glob("*.records")):
        try:
            part = np.load(io.BytesIO(path.read_bytes()), allow_pickle=False)
        except (ValueError, EOFError):
            part = None
        if part is None or part.dtype != RECORD:
            path.unlink()  # damaged on the way here: looked at again
            continue
        parts.append(part)
    records = np.concatenate(parts)
    return records[np.unique(records["item"], return_index=True)[1]]


def _look(folder, paths, items, root, identity, workers, progress, wanted):
    """Fill the folder on every core; returns {path: (reason, detail)} of what could not be read."""
    if not len(paths):
        return {}
    if progress:
        print(f"{len(paths):,} pictures to look at, {wanted - len(paths):,} already known or not there")
    size = int(np.clip(-(-len(paths) // (4 * workers)), 16, PARTS))
    jobs = [
        (folder, paths[start : start + size], items[start : start + size], root, identity)
        for start in range(0, len(paths), size)
    ]
    before = sum(1 for _ in folder.glob("*.records"))
    with watched_bar(
        len(paths),
        "audit",
        lambda: min((sum(1 for _ in folder.glob("*.records")) - before) * size, len(paths)),
        progress,
    ):
        failed = joblib.Parallel(n_jobs=min(workers, len(jobs)), batch_size=1)(
            joblib.delayed(fill_part)(*job) for job in jobs
        )
    return {path: reason for part in failed for path, reason in part.items()}


def fill_part(folder, paths, items, root, identity):
    """One worker's task: look at some pictures and write their records into one file; returns {path: (reason, detail)} of the others."""
    records, failed = np.zeros(len(paths), RECORD), {}
    for path, item, record in zip(paths, items, records, strict=True):
        try:
            patiently(look_at, path, root, record)
        except ImageRejected as error:
            if error.reason == "missing":  # it was there a moment ago
                require_same(root, identity)
            failed[path] = error.reason, error.detail
        else:
            record["item"] = item
    records = records[records["item"] != b""]
    if len(records):
        buffer = io.BytesIO()
        np.save(buffer, records)
        data = buffer.getvalue()
        write_bytes(folder / f"{hashlib.sha256(data).hexdigest()[:32]}.records", data)
    return failed


def look_at(path, root, record):
    """Fill a record of RECORD (all but `item`) from a picture.

    Raises:
        ImageRejected: it cannot be decoded.
    """
    data = addresses.read_source(path, root)
    pixels, (width, height) = decoding.decode(
        data if isinstance(data, bytes) else path, root, lambda *size: max(size) / LOOKED_AT
    )
    if max(pixels.shape) > LOOKED_AT:
        pixels = resized(pixels, *geometry.fitted_size(width, height, LOOKED_AT, "pad"))
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    record["digest"] = hashlib.blake2b(data, digest_size=16).hexdigest().encode()
    record["width"], record["height"] = width, height
    record["phash"], record["dhash"] = perceptual_hash(grey), difference_hashes(grey)
    record["grey"], record["colour"] = resized(grey, TINY, TINY), resized(pixels, 4, 4)
    record["contrast"], record["sharpness"], record["soft"], record["seam"] = measures(grey)


def measures(grey):
    """Contrast, sharpness, soft steps and seam of uint8 grey `(h, w)`, as `FLAWS` explains them."""
    contrast = float(grey.std())
    sharpness = float(cv2.Laplacian(grey, cv2.CV_32F).var()) / (contrast**2 + 1)
    levels = grey.astype(np.int16)
    steps = np.concatenate([np.abs(np.diff(levels, axis=axis)).ravel() for axis in (0, 1)])
    some = np.count_nonzero(steps >= 2)
    soft = np.count_nonzero((steps >= 2) & (steps <= 12)) / max(some, 1)
    return contrast, sharpness, soft, max(_seam(levels), _seam(levels.T))


def _seam(levels):
    """Largest share of a column, in the middle 60 % of the picture, along which brightness jumps by more than 24 levels within two pixels."""
    width = levels.shape[1]
    middle = levels[:, int(0.2 * width) : int(0.8 * width) + 2]
    return float((np.abs(middle[:, 2:] - middle[:, :-2]) > 24).mean(axis=0).max(initial=0))


def first_rows(place):
    """The first row of each record, int `(pictures,)`."""
    numbers, first = np.unique(place, return_index=True)
    return first[numbers >= 0]
