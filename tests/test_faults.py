"""Every storage call of a preparation fails in every way; calling again ends with what an undisturbed call gives.

The default suite and CI run a seeded part, `make torture` (KFASHION_TORTURE=1) runs all.
"""

import json
import os
import random
import subprocess
import sys
import zlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from conftest import picture
from faults import KINDS, WRITES, FaultyDisk, Killed

import kfashion_utils as kf
from kfashion_utils.errors import InputError
from kfashion_utils.images import blocks
from kfashion_utils.images.prepare import preprocess_images
from kfashion_utils.images.recipe import Preprocess
from kfashion_utils.storage import files as storage
from kfashion_utils.storage import shard_writer
from kfashion_utils.storage.drive_folder import SENTINEL
from kfashion_utils.storage.files import StorageFull, hash_file
from kfashion_utils.storage.shard_writer import ShardWriter
from kfashion_utils.storage.shards import PLACE, contains
from kfashion_utils.tables.catalog import complete_catalog

TORTURE = os.environ.get("KFASHION_TORTURE") == "1"
PICTURES, SHARD, SYNC = 30, 11, 4  # three shards; an fsync every four items
RECIPE = Preprocess(size=16)
FINISHED = {"failures.csv", "recipe.json", "drive.json"}


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """(root, catalog) of 30 small pictures, two of them broken."""
    root = tmp_path_factory.mktemp("photos")
    for number in range(PICTURES):
        picture(root / f"{number:02d}.jpg", (20, 24), seed=number)
    for number in (3, 17):
        (root / f"{number:02d}.jpg").write_bytes(b"broken")
    return root, complete_catalog([{"id": f"p{number:02d}", "path": f"{number:02d}.jpg"} for number in range(PICTURES)])


class Case:
    """One preparation below `folder`, with or without a Drive, counted and judged."""

    def __init__(self, photos, folder, with_drive):
        self.root, self.catalog = photos
        self.cache, self.drive = folder / "cache", folder / "drive" if with_drive else None
        for path in (self.cache, folder / "drive"):
            path.mkdir(parents=True)
        self.watched = [self.cache, folder / "drive"]
        self.encoded = Counter()

    def prepare(self, rows=slice(None)):
        """The call under test; its pictures are counted."""
        encode = Preprocess.encode

        def counted(recipe, path, row, root="."):
            self.encoded[row["id"]] += 1
            return encode(recipe, path, row, root)

        Preprocess.encode = counted
        try:
            return preprocess_images(
                self.catalog[rows], self.root, self.cache, RECIPE, workers=1, drive=self.drive, progress=False
            )
        finally:
            Preprocess.encode = encode

    def disturbed(self, disk, rows=slice(None)):
        """The call on a failing disk; any end but a result, an OSError, an InputError or death is a failure of ours."""
        with disk.in_place():
            try:
                self.prepare(rows)
            except (OSError, InputError, Killed):
                pass

    def state(self, prepared):
        return (
            {row: prepared.read(row) for row in prepared.ids},
            prepared.failures.to_csv(),
            {p.name for p in prepared.folder.glob("*.zip")},
        )


def named_by_hash(path):
    return hash_file(path) + ".zip" == path.name


def problems(case, expected, redone, same_shards=True):
    """What is wrong after a restart: a list of texts, empty if nothing is."""
    prepared = case.prepare()
    pictures, failures, shards = case.state(prepared)
    wrong = []
    wrong += ["pictures differ"] * (pictures != expected[0])
    wrong += ["failures differ"] * (failures != expected[1])
    wrong += ["shards differ"] * (same_shards and shards != expected[2])
    names = {path.name for path in prepared.folder.iterdir()}
    wrong += [f"left over: {name}" for name in names - shards - FINISHED]
    wrong += [f"{name} is not what its name says" for name in shards if not named_by_hash(prepared.folder / name)]
    extra = sum(case.encoded.values()) - PICTURES
    wrong += [f"{extra} pictures redone"] * (extra > redone)
    if case.drive:
        there = [path for path in case.drive.rglob("*") if path.is_file()]
        proven = set(json.loads((prepared.folder / "drive.json").read_text())["proven"])
        wrong += ["not all on Drive"] * (proven != shards or not proven <= {path.name for path in there})
        wrong += [f"on Drive: {path.name}" for path in there if path.name != SENTINEL and not named_by_hash(path)]
    before = sum(case.encoded.values())
    case.prepare()
    wrong += ["a third call works again"] * (sum(case.encoded.values()) > before)
    return wrong


def broken_promises(case):
    """A journal line names bytes that are there, whole: true at every moment but after a power cut."""
    wrong = []
    for journal in case.cache.rglob("*.journal"):
        part = journal.with_suffix(".part")
        data = part.read_bytes() if part.exists() else None
        for line in journal.read_bytes().splitlines(keepends=True):
            entry = shard_writer._read_journal_line(line)
            if data is not None and entry and "offset" in entry:
                there = data[entry["offset"] :][: entry["size"]]
                if zlib.crc32(there) != entry["crc"]:
                    wrong.append("a journal line names what is not there")
    return wrong


@pytest.fixture(autouse=True)
def small_shards(monkeypatch):
    monkeypatch.setattr(blocks, "SHARD_ITEMS", SHARD)
    monkeypatch.setattr(shard_writer, "SYNC_EVERY", SYNC)


@pytest.fixture
def whole(photos, tmp_path):
    """What an undisturbed call gives."""
    case = Case(photos, tmp_path / "whole", False)
    return case.state(case.prepare())


def calls(photos, tmp_path, with_drive):
    """Names of the storage calls of an undisturbed preparation."""
    case = Case(photos, tmp_path / f"count{with_drive}", with_drive)
    disk = FaultyDisk(case.watched)
    case.disturbed(disk)
    return disk.calls


def faults(photos, tmp_path, with_drive):
    """All (number of the call, kind) that make a difference."""
    return [
        (at, kind)
        for at, name in enumerate(calls(photos, tmp_path, with_drive))
        for kind in KINDS
        if name in WRITES or kind not in ("torn write", "short write")
    ]


def campaign(photos, tmp_path, whole, chosen, with_drive, cut_short=False):
    """{fault: what is wrong} of the chosen faults; `cut_short`: another catalog comes between the fault and the
    restart."""
    found = {}
    for number, (at, kind) in enumerate(chosen):
        case = Case(photos, tmp_path / f"case{with_drive}{cut_short}{number}", with_drive)
        case.disturbed(FaultyDisk(case.watched, at, kind, seed=at))
        wrong = broken_promises(case) if kind != "power cut" else []
        if cut_short:
            case.prepare(slice(0, 20))
        wrong += problems(case, whole, SYNC if kind == "power cut" else 1, same_shards=not cut_short)
        if wrong:
            found[at, kind] = wrong
    return found


SCENARIOS = {"local": (False, False), "drive": (True, False), "another catalog in between": (False, True)}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_sample_of_all_faults(photos, tmp_path, whole, scenario):
    with_drive, cut_short = SCENARIOS[scenario]
    chosen = random.Random(0).sample(faults(photos, tmp_path, with_drive), 25)
    assert campaign(photos, tmp_path, whole, chosen, with_drive, cut_short) == {}


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_storage_call_fails_in_every_way(photos, tmp_path, whole, scenario):
    with_drive, cut_short = SCENARIOS[scenario]
    chosen = faults(photos, tmp_path, with_drive)
    chosen = chosen if TORTURE else random.Random(1).sample(chosen, len(chosen) // 10)
    print(f"{scenario}: {len(chosen):,} faults injected")
    assert campaign(photos, tmp_path, whole, chosen, with_drive, cut_short) == {}


def test_a_full_disk_is_one_error_that_names_path_and_bytes(photos, tmp_path):
    for at, name in enumerate(calls(photos, tmp_path, False)):
        if name not in WRITES:
            continue
        case = Case(photos, tmp_path / f"full{at}", False)
        refused = pytest.raises(StorageFull, match="bytes are free; make room")
        with FaultyDisk(case.watched, at, "ENOSPC").in_place(), refused as caught:
            case.prepare()
        assert str(case.cache) in caught.value.filename


def test_a_really_full_disk_and_what_comes_after(tmp_path):
    """A file system of 400 kB of its own, made larger between two calls."""
    for number in range(200):
        picture(tmp_path / "root" / "a" / f"{number}.jpg", (64, 64), seed=number)
    kf.write_catalog(kf.build_catalog("folders", tmp_path / "root")[0], tmp_path / "kf.csv")
    call = f"{sys.executable} -m kfashion_utils preprocess kf.csv --root root --cache disk --size 64 --workers 2"
    script = f"""
        mount -t tmpfs -o size=400k full disk && {call}; echo "exit $?"; ls -R disk >&2
        mount -o remount,size=8m disk && {call}; echo "exit $?"; ls -1 disk/*
    """
    (tmp_path / "disk").mkdir()
    environment = {**os.environ, "PYTHONPATH": str(Path(kf.__file__).parents[1])}
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, env=environment
    )
    if "mount:" in done.stderr or "unshare:" in done.stderr:
        pytest.skip("this machine lets nobody mount a small file system")
    first, second = done.stdout.split("exit 1", 1)
    assert "kfashion preprocess: the storage failed: " in done.stderr and "Traceback" not in done.stderr
    for text in ("bytes were to be written", "No space left on device", "disk/64-crop_none"):
        assert text in done.stderr
    assert "200 of 200 rows prepared, 0 rejected" in second and "exit 0" in second
    assert "in unfinished shards" in second and ", 0 in unfinished shards" not in second  # it went on
    left = second.split("exit 0")[1].split()
    assert not [name for name in left if name.endswith((".part", ".journal")) or "plan" in name]


# Mutants: the campaign must catch a writer that is planted wrong ------------------------------------------------------


class Without:
    """The module `os`, one function of which does nothing."""

    def __init__(self, name):
        self._name = name

    def __getattr__(self, name):
        return (lambda *_: None) if name == self._name else getattr(os, name)


def no_fsync(monkeypatch):
    for module in (storage, shard_writer):
        monkeypatch.setattr(module, "os", Without("fsync"))


def straight_to_the_final_name(monkeypatch):
    class Straight:
        def __init__(self, path):
            self.path = Path(path)

        def __enter__(self):
            return self.path

        def __exit__(self, *_):
            pass

    monkeypatch.setattr(storage, "finished_file", Straight)


def journal_before_file(monkeypatch):
    def add(self, name, data):
        offset = self._end + 30 + len(name)
        self._note({"name": name, "offset": offset, "size": len(data), "crc": zlib.crc32(data)})
        self.members[name] = self._append(name, data)
        self._sync_now_and_then()

    monkeypatch.setattr(ShardWriter, "add", add)


def no_torn_tail_repair(monkeypatch):
    monkeypatch.setattr(shard_writer, "os", Without("ftruncate"))


@pytest.mark.parametrize(
    "plant",
    [
        no_fsync,
        straight_to_the_final_name,
        journal_before_file,
        pytest.param(no_torn_tail_repair, marks=pytest.mark.slow),
    ],
)
def test_planted_mutants_are_caught(photos, tmp_path, whole, monkeypatch, plant):
    every = faults(photos, tmp_path, False)
    plant(monkeypatch)
    chosen = random.Random(2).sample(every, len(every))
    for number in range(0, len(chosen), 20):
        some = chosen[number : number + 20]
        for cut_short in (False, True):
            try:
                caught = campaign(photos, tmp_path / f"{number}{cut_short}", whole, some, False, cut_short)
            except (OSError, ValueError) as error:
                caught = str(error)
            if caught:
                return
    pytest.fail("not caught by any fault")


def test_the_power_cut_itself_forgets_what_was_not_synced(tmp_path):
    (tmp_path / "old").write_bytes(b"old")
    lost = set()
    for seed in range(20):
        top = tmp_path / f"disk{seed}"
        top.mkdir()
        (top / "kept").write_bytes(b"kept")
        disk = FaultyDisk([top], at=3, kind="power cut", seed=seed)
        with disk.in_place(), pytest.raises(Killed):
            with open(top / "new", "wb") as handle:
                handle.write(b"new")
            os.open(top / "another", os.O_RDONLY | os.O_CREAT)
            os.unlink(top / "kept")
        assert set(os.listdir(top)) <= {"kept", "new", "another"}
        if "new" not in os.listdir(top):
            lost.add("name")
        else:
            lost.add("nothing" if (top / "new").read_bytes() == b"new" else "bytes")
    assert lost == {"name", "bytes", "nothing"}


def test_arrays_of_names_are_found():
    names = np.array([b"a", b"c"])
    assert contains(names, np.array([b"a", b"b", b"c", b"d"])).tolist() == [True, False, True, False]
    assert PLACE.itemsize <= 24
