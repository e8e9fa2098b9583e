"""Drive: a plain folder here, and Colab's mount played by a folder that forgets, fails and goes away."""

import errno
import json
import os
import shutil
import sys
import types

import pytest
from conftest import picture

from kfashion_utils.errors import InputError
from kfashion_utils.images import blocks
from kfashion_utils.images.prepare import preprocess_images
from kfashion_utils.images.recipe import Preprocess
from kfashion_utils.storage import colab, drive
from kfashion_utils.storage.drive import Drive
from kfashion_utils.storage.drive_folder import DriveGone
from kfashion_utils.storage.files import hash_file
from kfashion_utils.tables.catalog import complete_catalog

RECIPE = Preprocess(size=16)


@pytest.fixture
def photos(tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "SHARD_ITEMS", 3)
    for number in range(9):
        picture(tmp_path / "root" / f"{number}.jpg", (20, 24), seed=number)
    return tmp_path / "root", complete_catalog([{"id": f"p{number}", "path": f"{number}.jpg"} for number in range(9)])


def prepare(photos, cache, folder, **options):
    root, catalog = photos
    return preprocess_images(catalog, root, cache, RECIPE, workers=1, drive=folder, **{"progress": False, **options})


def on_drive(folder):
    return sorted(path.name for path in folder.rglob("*.zip"))


def test_shards_on_drive_are_equal_and_come_back_on_another_machine(photos, tmp_path, monkeypatch, capsys):
    first = prepare(photos, tmp_path / "a", tmp_path / "drive", progress=True)
    assert on_drive(tmp_path / "drive") == sorted(path.name for path in first.folder.glob("*.zip"))
    assert "3 shards on Drive; 3 of them" in capsys.readouterr().out
    monkeypatch.setattr(Preprocess, "encode", lambda *_: pytest.fail("prepared again"))
    second = prepare(photos, tmp_path / "b", tmp_path / "drive", progress=True)
    assert {row: second.read(row) for row in second.ids} == {row: first.read(row) for row in first.ids}
    assert "3 shards, each equal to its hash" in capsys.readouterr().out
    assert not [path for path in tmp_path.rglob("*.part")]


def test_folders_on_drive_stay_small(photos, tmp_path, monkeypatch):
    prepare(photos, tmp_path / "a", tmp_path / "drive")
    folder = tmp_path / "drive" / RECIPE.key
    assert all(path.parent == folder / path.name[0] for path in folder.rglob("*.zip"))
    monkeypatch.setattr(drive, "MAX_ENTRIES", 0)
    with pytest.raises(InputError, match="more make Drive fail"):
        prepare(photos, tmp_path / "b", tmp_path / "other")


def test_a_copy_that_was_cut_off_goes_on(photos, tmp_path):
    folder = prepare(photos, tmp_path / "a", tmp_path / "drive").folder
    shard = max(folder.glob("*.zip"))
    local = tmp_path / "b" / RECIPE.key
    local.mkdir(parents=True)
    part = local / f".{shard.name}.part"
    part.write_bytes(shard.read_bytes()[:1000])
    reads = []
    original = Drive._copy_here

    def watched(self, name, temporary, bar, done):
        reads.append((name, temporary.stat().st_size if temporary.exists() else 0))
        return original(self, name, temporary, bar, done)

    Drive._copy_here = watched
    try:
        prepare(photos, tmp_path / "b", tmp_path / "drive")
    finally:
        Drive._copy_here = original
    assert (shard.name, 1000) in reads and len(reads) == 3


def test_a_wrong_beginning_costs_one_more_copy_and_drive_nothing(photos, tmp_path):
    folder = prepare(photos, tmp_path / "a", tmp_path / "drive").folder
    shard = max(folder.glob("*.zip"))
    local = tmp_path / "b" / RECIPE.key
    local.mkdir(parents=True)
    (local / f".{shard.name}.part").write_bytes(b"something else")
    assert len(prepare(photos, tmp_path / "b", tmp_path / "drive")) == 9
    assert len(on_drive(tmp_path / "drive")) == 3 and not [*tmp_path.rglob("*.damaged")]


def test_a_damaged_copy_is_set_aside_and_made_again(photos, tmp_path, capsys):
    prepare(photos, tmp_path / "a", tmp_path / "drive")
    damaged = next((tmp_path / "drive").rglob("*.zip"))
    damaged.write_bytes(damaged.read_bytes()[:-5])
    prepared = prepare(photos, tmp_path / "b", tmp_path / "drive", progress=True)
    assert len(prepared) == 9 and "1 damaged ones set aside" in capsys.readouterr().out
    assert all(hash_file(path) == path.stem for path in (tmp_path / "drive").rglob("*.zip"))


def test_what_drive_swallowed_is_noticed_and_copied_again(photos, tmp_path, monkeypatch):
    flush, seen = Drive._flush, []

    def forgetting(self):
        flush(self)
        if not seen:
            path = self.there.path(sorted(self.copied)[0])
            path.write_bytes(path.read_bytes()[:100])  # said to be written, and never was
            seen.append(path)

    monkeypatch.setattr(Drive, "_flush", forgetting)
    prepare(photos, tmp_path / "a", tmp_path / "drive")
    assert seen and all(hash_file(path) == path.stem for path in (tmp_path / "drive").rglob("*.zip"))


def test_a_drive_that_always_gives_back_other_bytes_is_not_believed(photos, tmp_path, monkeypatch):
    monkeypatch.setattr(Drive, "_hash_there", lambda self, name: "0" * 64)
    with pytest.raises(OSError, match="other bytes.*prepared and whole in .*, but not proven to be on Drive"):
        prepare(photos, tmp_path / "a", tmp_path / "drive")
    record = json.loads(next((tmp_path / "a").rglob("drive.json")).read_text())
    assert record["proven"] == []


@pytest.mark.parametrize("death", ["emptied", "gone"])
def test_a_dead_mount_is_not_taken_for_an_empty_one(photos, tmp_path, death):
    folder = tmp_path / "drive"
    prepare(photos, tmp_path / "a", folder)
    shutil.rmtree(folder)
    if death == "emptied":
        folder.mkdir()
    with pytest.raises(InputError, match="no longer holds kfashion-drive.json"):
        prepare(photos, tmp_path / "a", folder)
    assert not on_drive(folder) if folder.exists() else True


def test_a_drive_that_vanishes_half_way_leaves_the_local_pictures(photos, tmp_path, monkeypatch):
    copy, copied = Drive._copy_there, []

    def vanishing(self, source):
        if copied:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise OSError(errno.ENOTCONN, "Transport endpoint is not connected")
        copied.append(copy(self, source))

    monkeypatch.setattr(Drive, "_copy_there", vanishing)
    with pytest.raises(OSError, match="Drive is gone.*prepared and whole in"):
        prepare(photos, tmp_path / "a", tmp_path / "drive")
    monkeypatch.undo()
    assert len(preprocess_images(photos[1], photos[0], tmp_path / "a", RECIPE, progress=False)) == 9


def test_errors_that_pass_are_tried_again_and_a_full_drive_is_not(photos, tmp_path, monkeypatch):
    copy, tries = Drive._copy_there, []

    def failing(code, times):
        def work(self, source):
            tries.append(source)
            if len(tries) <= times:
                raise OSError(code, os.strerror(code))
            return copy(self, source)

        return work

    monkeypatch.setattr(Drive, "_copy_there", failing(errno.EIO, 3))
    prepare(photos, tmp_path / "a", tmp_path / "drive")
    assert len(tries) == 3 + 3
    tries.clear()
    monkeypatch.setattr(Drive, "_copy_there", failing(errno.ENOSPC, 99))
    with pytest.raises(OSError, match="No space left"):
        prepare(photos, tmp_path / "b", tmp_path / "other")
    assert len(tries) == 1


def test_the_cache_itself_may_not_lie_on_drive(photos):
    with pytest.raises(InputError, match="name a local folder, and this one as drive"):
        prepare(photos, "/content/drive/MyDrive/cache", None)


def test_outside_colab_there_is_no_drive_to_mount(photos, tmp_path):
    with pytest.raises(InputError, match="this is not Colab"):
        prepare(photos, tmp_path / "a", "/content/drive/MyDrive/kfashion")


class Colab:
    """What `google.colab.drive` does, played on a folder."""

    def __init__(self, monkeypatch, mount):
        self.log, self.mount_point = [], mount
        module = types.ModuleType("google.colab")
        module.drive = self
        monkeypatch.setitem(sys.modules, "google.colab", module)
        monkeypatch.setattr(colab, "MOUNT", mount)
        monkeypatch.setattr(os.path, "ismount", lambda path: "mount" in self.log)

    def mount(self, path, force_remount=False):
        self.log.append("mount")
        (self.mount_point / "MyDrive").mkdir(parents=True, exist_ok=True)

    def flush_and_unmount(self):
        self.log.append("flush")


def test_in_colab_drive_is_mounted_on_request_and_flushed_before_it_is_believed(photos, tmp_path, monkeypatch):
    colab = Colab(monkeypatch, tmp_path / "content")
    preprocess_images(photos[1], photos[0], tmp_path / "none", RECIPE, progress=False)
    assert colab.log == []  # nobody asked for Drive
    prepare(photos, tmp_path / "a", tmp_path / "content" / "MyDrive" / "kfashion")
    assert colab.log == ["mount", "flush", "mount"]
    colab.flush_and_unmount = lambda: (_ for _ in ()).throw(ValueError("timed out"))
    with pytest.raises(DriveGone, match="did not finish uploading|not proven"):
        Drive(tmp_path / "content" / "MyDrive" / "kfashion", tmp_path / "b", progress=False)._flush()


def test_a_lost_connection_is_mounted_again_once(photos, tmp_path, monkeypatch):
    colab = Colab(monkeypatch, tmp_path / "content")
    copy, calls = Drive._copy_there, []

    def lost(self, source):
        calls.append(source)
        if len(calls) == 1:
            raise OSError(errno.ENOTCONN, "Transport endpoint is not connected")
        return copy(self, source)

    monkeypatch.setattr(Drive, "_copy_there", lost)
    prepare(photos, tmp_path / "a", tmp_path / "content" / "MyDrive" / "kfashion")
    assert len(calls) == 4 and colab.log == ["mount", "mount", "flush", "mount"]
