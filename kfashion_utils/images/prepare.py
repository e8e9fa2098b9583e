"""`preprocess_images`: the pixels of a whole catalog, on every core, into shards; calling it again continues it.

Rows are worked in id order, in blocks; one worker fills one block into one shard. Memory does not grow with the catalog but for
some hundred bytes a row: rows become mappings block by block, names and places are arrays.
"""

import contextlib
import hashlib
import json
import math
import os
import threading
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from kfashion_utils import errors
from kfashion_utils.errors import ImageRejected, InputError, refuse
from kfashion_utils.images import decoding
from kfashion_utils.images.recipe import BOX, ITEM_NAME, Preprocess
from kfashion_utils.storage import addresses
from kfashion_utils.storage.colab import is_on_drive
from kfashion_utils.storage.drive import Drive
from kfashion_utils.storage.files import (
    TEMPORARY,
    TRANSIENT,
    finished_file,
    folder_identity,
    make_folder,
    only_one,
    patiently,
    require_same,
    require_space,
    write_json,
)
from kfashion_utils.storage.shard_writer import JOURNAL, ShardWriter
from kfashion_utils.storage.shards import Shards, contains
from kfashion_utils.tables.catalog import region_problems

SHARD_ITEMS, SHARD_BYTES = 2000, 2**30
BYTES_PER_PIXEL = 0.37  # of a prepared JPEG at quality 95: 18.5 kB at 224 px, measured on photographs
CHUNK = 4096  # rows turned into mappings at a time
TRIED = 8  # pictures prepared beforehand to say how long a long call will take
LONG = 2000  # pictures that make a call long
STORAGE_FAILURES = 3  # pictures in a row that the storage does not give before a worker stops
BACKENDS = ("processes", "ray")
TEXTS = ("id", "path", "polygon")
COLUMNS = ("id", "path", *BOX, "polygon")


@dataclass(frozen=True)
class PreparedImages:
    """The prepared pictures of a catalog.

    Attributes:
        preprocess: the recipe.
        folder: where the shards lie.
        ids: object array of the rows that are prepared, in id order.
        items: bytes array, the item name of each.
        shards: where their bytes lie.
        failures: DataFrame `id, path, reason, detail` of the rows that could not be prepared.
    """

    preprocess: Preprocess
    folder: Path
    ids: np.ndarray
    items: np.ndarray
    shards: Shards
    failures: pd.DataFrame

    @cached_property
    def _row(self):
        return pd.Index(self.ids)

    def __len__(self):
        return len(self.ids)

    def __contains__(self, row_id):
        return row_id in self._row

    def item(self, row_id):
        """Name of a row's prepared picture."""
        return self.items[self._row.get_loc(row_id)].decode()

    def read(self, row_id):
        """JPEG bytes of a row."""
        return self.shards.read(self.item(row_id))

    def pixels(self, row_id):
        """uint8 RGB `(size, size, 3)` of a row."""
        return decoding.open_image(self.read(row_id))


def preprocess_images(
    catalog, root, cache, preprocess=None, *, workers=None, backend="processes", drive=None, progress=True
):
    """Prepare every row of a catalog; what the cache already holds is not done again.

    Args:
        catalog: DataFrame of the column contract.
        root: folder that `path` is relative to.
        cache: local folder of caches; this recipe's is `<cache>/<preprocess.key>`.
        preprocess: the recipe; None = the defaults.
        workers: processes; None = one a core (with Ray: one a core of the cluster).
        backend: `processes` of this machine, or `ray` = the Ray cluster of this session (one is started where there is none);
            `root` and `cache` then lie on storage that all its machines see.
        drive: folder on Google Drive (or any other) that keeps a proven copy of the shards: what is there is fetched first, what is
            new is copied while the work goes on, flushed, read back and compared. None = no copy.
        progress: show a bar with the time left, and what was found before.

    Returns:
        PreparedImages; rows it could not prepare are counted in its `failures`, and in `failures.csv` beside the shards.

    Raises:
        InputError: not one picture is there, no room on the disk, or another process is filling the same cache.
        OSError: the storage failed; calling again continues.
    """
    preprocess = preprocess or Preprocess()
    if backend not in BACKENDS:
        raise InputError(f"backend {backend!r}: expected one of {BACKENDS}")
    if is_on_drive(cache):
        raise InputError(
            f"the cache {cache} lies on Drive, which loses what is written to it piecemeal; name a local folder, and this one as drive"
        )
    refuse("the catalog is not usable", region_problems(catalog))
    rows, missing = _Rows.named(catalog, root, preprocess)
    folder = Path(cache, preprocess.key)
    make_folder(folder)
    with only_one(folder, "is being filled"):
        write_json(folder / "recipe.json", preprocess.to_dict())
        on_drive = drive and Drive(Path(drive, preprocess.key), folder, progress)
        if on_drive:
            _fetch(on_drive, progress)
        with _uploading(on_drive):
            shards = _fill(folder, rows, root, preprocess, workers, backend, progress)
        _sweep(folder)
        done = shards.has(rows.items)
        failures = _failures(rows, missing, ~done, shards.rejected)
        with finished_file(folder / "failures.csv") as temporary:
            failures.to_csv(temporary, index=False, lineterminator="\n")
        _say_failures(failures, folder, progress)
        if on_drive:
            _prove(on_drive, progress)
    return PreparedImages(preprocess, folder, rows.ids[done], rows.items[done], shards, failures)


# Rows -----------------------------------------------------------------------------------------------------------------


class _Rows:
    """The readable rows of a catalog in id order, with the names of their items."""

    def __init__(self, columns, places, items, identity):
        self.columns, self.places, self.items, self.identity = columns, places, items, identity

    @classmethod
    def named(cls, catalog, root, preprocess):
        """(rows, failures of those whose picture is not there).

        Raises:
            InputError: no picture is there at all.
            OSError: the folder of the pictures went away.
        """
        identity = folder_identity(root)
        columns = {name: catalog[name].to_numpy(object if name in TEXTS else float) for name in COLUMNS}
        order = columns["id"].argsort(kind="stable")
        items, missing = np.zeros(len(order), ITEM_NAME), []
        for start in range(0, len(order), CHUNK):
            for number, row in enumerate(_mappings(columns, order[start : start + CHUNK]), start):
                try:
                    items[number] = preprocess.item(row, patiently(addresses.source_version, row["path"], root))
                except ImageRejected as error:
                    missing.append([row["id"], row["path"], error.reason, error.detail or errors.REASONS[error.reason]])
        if len(missing) == len(order):
            raise InputError(
                f"none of the catalog's {len(order):,} pictures is below {root}; the first would be {Path(root, columns['path'][0])}"
            )
        if missing:
            require_same(root, identity)
        there = items != b""
        return cls(columns, order[there], items[there], identity), missing

    @property
    def ids(self):
        return self.columns["id"][self.places]

    def mappings(self, numbers):
        """Mappings of some rows (positions in this order), with their `item`."""
        rows = _mappings(self.columns, self.places[numbers])
        return [{**row, "item": item.decode()} for row, item in zip(rows, self.items[numbers], strict=True)]


def _mappings(columns, places):
    chosen = [values[places].tolist() for values in columns.values()]
    return (dict(zip(columns, values, strict=True)) for values in zip(*chosen, strict=True))


# Blocks ---------------------------------------------------------------------------------------------------------------


def _fill(folder, rows, root, preprocess, workers, backend, progress):
    """Prepare what is missing; returns the shards."""
    workers = workers or os.cpu_count()
    wanted, first = np.unique(rows.items, return_index=True)
    shards = Shards(folder, wanted)
    todo = _missing(wanted, first, shards)
    if not todo.any():
        return shards
    plan = _read_plan(folder, rows.items, todo)
    if plan is None:
        _sweep(folder)
        shards = Shards(folder, wanted)
        todo = _missing(wanted, first, shards)
        if not todo.any():
            return shards
        plan = _write_plan(folder, rows.items, todo, workers, preprocess.size)
    blocks = {
        name: start + np.flatnonzero(todo[start:stop]) for name, (start, stop) in plan.items() if todo[start:stop].any()
    }
    begun = {name: count_lines(folder / f"{name}{JOURNAL}") for name in blocks}
    need = (int(todo.sum()) - sum(begun.values())) * BYTES_PER_PIXEL * preprocess.size**2
    if progress:
        known = len(wanted) - int(todo.sum())
        print(
            f"{preprocess.key}: {todo.sum():,} pictures to prepare (about {need / 1e6:,.0f} MB), {known:,} in the cache, {sum(begun.values()):,} in unfinished shards"
        )
        _say_minutes(rows, todo, root, preprocess, workers)
    require_space(folder, need, f"preparing {todo.sum():,} pictures")
    jobs = ((folder, name, rows.mappings(numbers), root, preprocess, rows.identity) for name, numbers in blocks.items())
    sizes = {name: len(numbers) for name, numbers in blocks.items()}
    with watched_bar(sum(sizes.values()), "prepare", _journalled(folder, sizes), progress):
        RUNNERS[backend](jobs, min(workers, len(blocks)))
    return Shards(folder, wanted)


def _missing(wanted, first, shards):
    """Boolean array: the first row of every item that no shard has; `first` tells which row that is."""
    todo = np.zeros(int(first.max()) + 1, bool)
    rejected = np.array(sorted(name.encode() for name in shards.rejected), wanted.dtype)
    todo[first] = ~shards.has(wanted) & ~contains(rejected, wanted)
    return todo


def _read_plan(folder, items, todo):
    """{block name: (start, stop) of rows} of the interrupted call, if it was for the same rows; else None."""
    path = folder / "plan.json"
    plan = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if (
        plan.get("rows") != _stamp(items)
        or sum(todo[start:stop].sum() for start, stop in plan["blocks"].values()) != todo.sum()
    ):
        return None
    return plan["blocks"]


def _write_plan(folder, items, todo, workers, size):
    """Blocks of equal shares, as many for each worker, written down so that a later call continues them."""
    numbers, stamp = np.flatnonzero(todo), _stamp(items)
    per_shard = max(1, min(SHARD_ITEMS, int(SHARD_BYTES / (BYTES_PER_PIXEL * size**2))))
    count = math.ceil(math.ceil(len(numbers) / per_shard) / workers) * workers
    parts = [part for part in np.array_split(numbers, max(count, 1)) if len(part)]
    blocks = {f"block-{stamp[:8]}-{part[0]:07d}": [int(part[0]), int(part[-1]) + 1] for part in parts}
    write_json(folder / "plan.json", {"rows": stamp, "blocks": blocks})
    return blocks


def _stamp(items):
    return hashlib.sha256(items.data).hexdigest()


def _sweep(folder):
    """Leave finished files only: seal what an interrupted call had prepared, drop its plan, journals and temporary files."""
    for part in folder.glob(f"block-*{TEMPORARY}"):
        with ShardWriter(folder, part.stem) as shard:
            if shard.members or shard.rejected:
                shard.seal()
                continue
        part.unlink()
    for leftover in [*folder.glob(f"block-*{JOURNAL}"), *folder.glob(f".*{TEMPORARY}"), folder / "plan.json"]:
        leftover.unlink(missing_ok=True)


def fill_block(folder, name, rows, root, preprocess, identity):
    """One worker's task: prepare `rows` in order into one shard and seal it; continues where a killed one stopped.

    A picture that the storage does not give, after all patience, has no entry: the next call tries it again.
    """
    failed = 0
    with ShardWriter(folder, name) as shard:
        for row in rows:
            if row["item"] in shard:
                continue
            try:
                data = patiently(preprocess.encode, row["path"], row, root)
            except ImageRejected as error:
                if error.reason == "missing":  # it was there a moment ago
                    require_same(root, identity)
                    continue
                shard.reject(row["item"], [row["id"], row["path"], error.reason, error.detail])
            except OSError as error:
                failed += 1
                if error.errno not in TRANSIENT or failed >= STORAGE_FAILURES:
                    raise
            else:
                failed = 0
                shard.add(row["item"], data)
        shard.seal()


# Workers --------------------------------------------------------------------------------------------------------------


def _run_processes(jobs, workers):
    joblib.Parallel(n_jobs=workers, batch_size=1)(joblib.delayed(fill_block)(*job) for job in jobs)


def _run_ray(jobs, workers):
    """On the Ray cluster of this session, or of `RAY_ADDRESS`; else on one that is started on this machine and ended again."""
    try:
        import ray
    except ImportError as error:
        raise InputError("backend 'ray' needs Ray: pip install 'kfashion-utils[ray]'") from error
    ours = not ray.is_initialized()
    if ours:
        address = os.environ.get("RAY_ADDRESS")
        ray.init(
            **({"address": address} if address else {"num_cpus": workers}), include_dashboard=False, log_to_driver=False
        )
    try:
        remote, running = ray.remote(fill_block), []
        for job in jobs:
            running.append(remote.remote(*job))
            if len(running) > 2 * workers:
                done, running = ray.wait(running)
                ray.get(done)
        ray.get(running)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from error
    finally:
        if ours:
            ray.shutdown()


RUNNERS = {"processes": _run_processes, "ray": _run_ray}


# What is shown --------------------------------------------------------------------------------------------------------


def count_lines(journal):
    """Finished items that a journal names; 0 where there is none."""
    try:
        return journal.read_bytes().count(b"\n")
    except FileNotFoundError:
        return 0


def _say_minutes(rows, todo, root, preprocess, workers):
    numbers = np.flatnonzero(todo)
    if len(numbers) < LONG:
        return
    chosen = rows.mappings(numbers[np.linspace(0, len(numbers) - 1, TRIED).astype(int)])
    started = time.monotonic()
    for row in chosen:
        with contextlib.suppress(ImageRejected):
            patiently(preprocess.encode, row["path"], row, root)
    minutes = (time.monotonic() - started) / TRIED * len(numbers) / workers / 60
    print(
        f"about {minutes:.0f} minutes on {workers} processes, judged by {TRIED} of them"
        if minutes >= 1
        else "less than a minute"
    )


def _journalled(folder, sizes):
    """A function that counts the pictures done, from the journals on disk."""
    started = set()

    def count():
        done = 0
        for name, size in sizes.items():
            journal = folder / f"{name}{JOURNAL}"
            if journal.exists():
                started.add(name)
                done += min(count_lines(journal), size)
            else:
                done += size if name in started else 0
        return done

    return count


@contextlib.contextmanager
def watched_bar(total, what, count, show):
    """A bar fed by `count()`, twice a second while the block runs: what workers leave on disk tells it, whatever kind of workers they are."""
    if not show:
        yield
        return
    finished = threading.Event()
    with tqdm(total=total, desc=what, unit="picture") as bar:

        def watch():
            while not finished.wait(0.5):
                bar.update(count() - bar.n)

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
            bar.update(total - bar.n)
        finally:
            finished.set()
            watcher.join()


def _failures(rows, missing, undone, rejected):
    ids, paths = rows.ids[undone], rows.columns["path"][rows.places[undone]]
    gone = ["", "", "missing", "it was there when the call began, then the storage did not give it; call again"]
    records = [
        [i, p, *rejected.get(item.decode(), gone)[2:]]
        for i, p, item in zip(ids, paths, rows.items[undone], strict=True)
    ]
    return pd.DataFrame(missing + records, columns=["id", "path", "reason", "detail"], dtype=object).sort_values(
        "id", ignore_index=True
    )


def _say_failures(failures, folder, progress):
    if progress and len(failures):
        counts = ", ".join(f"{reason} {count:,}" for reason, count in failures["reason"].value_counts().items())
        print(f"{len(failures):,} rows could not be prepared ({counts}): {folder / 'failures.csv'}")


# Drive ----------------------------------------------------------------------------------------------------------------


def _fetch(on_drive, progress):
    came, damaged = on_drive.pull()
    if progress and (came or damaged):
        print(
            f"from {on_drive.folder}: {len(came):,} shards, each equal to its hash"
            + f"; {len(damaged):,} damaged ones set aside" * bool(damaged)
        )


@contextlib.contextmanager
def _uploading(on_drive):
    """Copy shards to Drive as they are sealed, while the block works; what fails here is tried again, and reported, at the end."""
    if on_drive is None:
        yield
        return
    finished = threading.Event()

    def upload():
        while not finished.wait(5):
            try:
                on_drive.push()
            except (OSError, InputError):
                return

    uploader = threading.Thread(target=upload, daemon=True)
    uploader.start()
    try:
        yield
    finally:
        finished.set()
        uploader.join()


def _prove(on_drive, progress):
    try:
        on_drive.push()
        shards, size, seconds = on_drive.prove()
    except OSError as error:
        raise OSError(
            error.errno,
            f"{error.strerror}. The pictures are prepared and whole in {on_drive.local}, but not proven to be on Drive",
            error.filename,
        ) from error
    if progress:
        new = (
            f"; {shards:,} of them ({size / 1e6:,.0f} MB) flushed, read back and equal in {seconds:.0f} s"
            if shards
            else ", none of them new"
        )
        print(f"{on_drive.folder}: {len(on_drive.proven):,} shards on Drive{new}")
