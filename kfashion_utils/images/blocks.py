"""Blocks: what is missing in a cache, cut into shares that workers prepare, one block into one shard.

The plan of the blocks is written down, so that a later call continues them; rows are worked in id order.
"""

import contextlib
import hashlib
import json
import math
import os
import time
from collections import Counter
from pathlib import Path

import joblib
import numpy as np

from kfashion_utils.errors import ImageRejected, InputError
from kfashion_utils.images.mended import mending
from kfashion_utils.output import say
from kfashion_utils.storage.files import TEMPORARY, TRANSIENT, patiently, require_same, require_space, write_json
from kfashion_utils.storage.progress import watched_bar
from kfashion_utils.storage.shard_writer import JOURNAL, ShardWriter
from kfashion_utils.storage.shards import Shards, contains

SHARD_ITEMS, SHARD_BYTES = 2000, 2**30
BYTES_PER_PIXEL = 0.37  # of a prepared JPEG at quality 95: 18.5 kB at 224 px, measured on photographs
TRIED = 8  # pictures prepared beforehand to say how long a long call will take
LONG = 2000  # pictures that make a call long
STORAGE_FAILURES = 3  # pictures in a row that the storage does not give before a worker stops
BACKENDS = ("processes", "ray")


def fill_missing(folder, rows, root, preprocess, workers, backend, progress):
    """Prepare what is missing; returns (the shards, Counter of what was mended in the pictures of this call)."""
    workers = workers or os.cpu_count()
    wanted, first = np.unique(rows.items, return_index=True)
    todo, plan = _planned(folder, rows.items, wanted, first, workers, preprocess.size)
    blocks = {name: start + np.flatnonzero(todo[start:stop]) for name, (start, stop) in plan.items()}
    sizes = {name: len(numbers) for name, numbers in blocks.items() if len(numbers)}
    missing = sum(sizes.values())
    if not missing:
        return Shards(folder, wanted), Counter()
    begun = sum(count_lines(folder / f"{name}{JOURNAL}") for name in sizes)
    need = (missing - begun) * BYTES_PER_PIXEL * preprocess.size**2
    if progress:
        say(
            f"{preprocess.key}: {missing:,} pictures to prepare (about {need / 1e6:,.0f} MB), "
            f"{len(wanted) - missing:,} in the cache, {begun:,} in unfinished shards"
        )
        _say_minutes(rows, todo, root, preprocess, workers)
    require_space(folder, need, f"preparing {missing:,} pictures")
    places = folder.absolute(), Path(root).absolute()  # workers of an earlier call may stand in another folder
    jobs = ((places[0], name, rows.mappings(blocks[name]), places[1], preprocess, rows.identity) for name in sizes)
    with watched_bar(missing, "prepare", _journalled(folder, sizes), progress):
        counts = RUNNERS[backend](jobs, min(workers, len(sizes)))
    return Shards(folder, wanted), sum(counts, Counter())


def _planned(folder, items, wanted, first, workers, size):
    """(which rows are missing, the plan of the interrupted call or a new one); an empty plan where nothing is."""
    todo = _missing(wanted, first, Shards(folder, wanted))
    if not todo.any():
        return todo, {}
    plan = _read_plan(folder, items, todo)
    if plan is not None:
        return todo, plan
    sweep(folder)  # it seals what an interrupted call of other rows had prepared
    todo = _missing(wanted, first, Shards(folder, wanted))
    return todo, _write_plan(folder, items, todo, workers, size) if todo.any() else {}


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
    if plan.get("rows") != _stamp(items):
        return None
    planned = sum(todo[start:stop].sum() for start, stop in plan["blocks"].values())
    return plan["blocks"] if planned == todo.sum() else None


def _write_plan(folder, items, todo, workers, size):
    """Blocks of equal shares, as many for each worker, written down so that a later call continues them."""
    numbers, stamp = np.flatnonzero(todo), _stamp(items)
    fitting = int(SHARD_BYTES / (BYTES_PER_PIXEL * size**2))
    shards = math.ceil(len(numbers) / max(1, min(SHARD_ITEMS, fitting)))
    count = math.ceil(shards / workers) * workers
    parts = [part for part in np.array_split(numbers, count) if len(part)]
    blocks = {f"block-{stamp[:8]}-{part[0]:07d}": [int(part[0]), int(part[-1]) + 1] for part in parts}
    write_json(folder / "plan.json", {"rows": stamp, "blocks": blocks})
    return blocks


def _stamp(items):
    return hashlib.sha256(items.data).hexdigest()


def sweep(folder):
    """Leave finished files only: seal what an interrupted call had prepared, drop its plan, journals and temporary
    files."""
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

    Returns:
        Counter of what was mended.
    """
    failed, counts = 0, Counter()
    with ShardWriter(folder, name) as shard:
        for row in rows:
            if row["item"] in shard:
                continue
            try:
                with mending() as mended:
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
                counts.update(mended)
        shard.seal()
    return counts


# Workers --------------------------------------------------------------------------------------------------------------


def _run_processes(jobs, workers):
    return joblib.Parallel(n_jobs=workers, batch_size=1)(joblib.delayed(fill_block)(*job) for job in jobs)


def _run_ray(jobs, workers):
    """On the Ray cluster of this session, or of `RAY_ADDRESS`; else on one of this machine, for this call only."""
    try:
        import ray
    except ImportError as error:
        raise InputError("backend 'ray' needs Ray: pip install 'kfashion-utils[ray]'") from error
    ours = not ray.is_initialized()
    if ours:
        address = os.environ.get("RAY_ADDRESS")
        where = {"address": address} if address else {"num_cpus": workers}
        ray.init(**where, include_dashboard=False, log_to_driver=False)
    try:
        remote, running, counts = ray.remote(fill_block), [], []
        for job in jobs:
            running.append(remote.remote(*job))
            if len(running) > 2 * workers:
                done, running = ray.wait(running)
                counts += ray.get(done)
        return counts + ray.get(running)
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
    each = (time.monotonic() - started) / TRIED
    minutes = each * len(numbers) / workers / 60
    if minutes < 1:
        say("less than a minute")
    else:
        say(f"about {minutes:.0f} minutes on {workers} processes, judged by {TRIED} pictures")


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
            elif name in started:
                done += size
        return done

    return count
