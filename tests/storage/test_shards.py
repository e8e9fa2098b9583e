import os
import zipfile

import numpy as np
import pytest

from kfashion_utils.errors import InputError
from kfashion_utils.storage.files import hash_file
from kfashion_utils.storage.shards import REJECTED_MEMBER, Shards, ShardWriter, read_member


def fill(folder, names, name="block"):
    with ShardWriter(folder, name) as shard:
        for item in names:
            if item not in shard:
                shard.add(item, item.encode() * 50)


def test_a_sealed_shard_is_a_zip_named_by_its_hash(tmp_path):
    with ShardWriter(tmp_path, "block") as shard:
        shard.add("a.jpg", b"first")
        shard.reject("b.jpg", ["id", "path", "broken", "가"])
        shard.add("c.jpg", b"third")
        path = shard.seal()
    assert path.stem == hash_file(path) and os.listdir(tmp_path) == [path.name]
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None and archive.namelist() == ["a.jpg", "c.jpg", REJECTED_MEMBER]
    shards = Shards(tmp_path)
    assert shards.read("c.jpg") == b"third" and shards.rejected == {"b.jpg": ["id", "path", "broken", "가"]}
    some = Shards(tmp_path, wanted=np.array([b"a.jpg", b"x.jpg"]))
    assert (
        some.names().tolist() == [b"a.jpg"]
        and some.rejected == {}
        and some.has(np.array([b"a.jpg", b"c.jpg"])).tolist() == [True, False]
    )
    with pytest.raises(KeyError):
        some.member("c.jpg")


def test_an_interrupted_shard_continues_and_ends_with_the_same_bytes(tmp_path):
    names = [f"{number}.jpg" for number in range(9)]
    fill(tmp_path / "whole", names)
    fill(tmp_path / "parts", names[:4])
    fill(tmp_path / "parts", names)
    sealed = [ShardWriter(tmp_path / part, "block").seal() for part in ("whole", "parts")]
    assert sealed[0].name == sealed[1].name


@pytest.mark.parametrize("file", ["block.part", "block.journal"])
@pytest.mark.parametrize("cut", range(1, 90, 7))
def test_torn_tails_are_cut_off(tmp_path, file, cut):
    names = [f"{number}.jpg" for number in range(5)]
    fill(tmp_path, names[:4])
    with open(tmp_path / file, "rb+") as handle:
        handle.truncate(max(0, handle.seek(0, 2) - cut))
    with ShardWriter(tmp_path, "block") as shard:
        assert list(shard.members) == names[: len(shard.members)]  # a prefix, nothing else
    fill(tmp_path, names)
    path = ShardWriter(tmp_path, "block").seal()
    assert zipfile.ZipFile(path).namelist() == names and zipfile.ZipFile(path).testzip() is None


def test_bytes_that_no_journal_line_names_are_cut_off(tmp_path):
    fill(tmp_path, ["a.jpg"])
    with open(tmp_path / "block.part", "ab") as handle:
        handle.write(b"half a member")
    with open(tmp_path / "block.journal", "ab") as handle:
        handle.write(b"deadbeef {not a line}\n")
    fill(tmp_path, ["a.jpg", "b.jpg"])
    assert zipfile.ZipFile(ShardWriter(tmp_path, "block").seal()).testzip() is None


def test_a_damaged_shard_is_noticed_when_read(tmp_path):
    fill(tmp_path, ["a.jpg"])
    path = ShardWriter(tmp_path, "block").seal()
    member = Shards(tmp_path).member("a.jpg")
    with open(path, "rb+") as handle:
        handle.seek(member.offset)
        handle.write(b"x")
    with pytest.raises(InputError, match="is damaged"):
        read_member(member)
