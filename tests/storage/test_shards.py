import os
import random
import zipfile

import numpy as np
import pytest

from kfashion_utils.errors import InputError
from kfashion_utils.storage.files import hash_file
from kfashion_utils.storage.shard_writer import ShardWriter
from kfashion_utils.storage.shards import REJECTED_MEMBER, Shards, read_member

SEALED = "b4e9a70a748d036243aa95fbe5d167945d3e11bdb4e5479b67f0f4804e434b07"  # as the first version wrote it


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
    assert path.stem == hash_file(path) == SEALED and os.listdir(tmp_path) == [path.name]
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None and archive.namelist() == ["a.jpg", "c.jpg", REJECTED_MEMBER]
    shards = Shards(tmp_path)
    assert shards.read("c.jpg") == b"third" and shards.rejected == {"b.jpg": ["id", "path", "broken", "가"]}
    some = Shards(tmp_path, wanted=np.array([b"a.jpg", b"x.jpg"]))
    assert some.names().tolist() == [b"a.jpg"] and some.rejected == {}
    assert some.has(np.array([b"a.jpg", b"c.jpg"])).tolist() == [True, False]
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


@pytest.mark.parametrize("cut", [1, 5, 21, 22, 30, 80, 120])
def test_a_cut_shard_is_refused_when_opened(tmp_path, cut):
    fill(tmp_path, ["a.jpg", "b.jpg"])
    path = ShardWriter(tmp_path, "block").seal()
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(InputError, match="is damaged .*; delete it and prepare again"):
        Shards(tmp_path)


def test_a_damaged_directory_ends_in_items_or_in_a_refusal(tmp_path):
    fill(tmp_path, ["a.jpg", "b.jpg"])
    path = ShardWriter(tmp_path, "block").seal()
    whole, rng, results = path.read_bytes(), random.Random(0), set()
    start = whole.index(b"PK\1\2")
    for _ in range(500):
        damaged = bytearray(whole)
        for _ in range(rng.randint(1, 3)):
            damaged[rng.randrange(start, len(whole))] = rng.choice([0, 1, 0xFF, rng.randrange(256)])
        path.write_bytes(damaged)
        try:
            shards = Shards(tmp_path)
            results |= {len(shards.read(name.decode())) for name in shards.names()}
        except InputError as error:
            assert "is damaged" in str(error)
            results.add("refused")
    assert results >= {len("a.jpg") * 50, "refused"}
