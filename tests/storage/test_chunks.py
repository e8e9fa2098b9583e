import hashlib
import io
import random

import numpy as np
import pytest

from kfashion_utils.storage import chunks
from kfashion_utils.storage.chunks import Chunks, write_chunk

SUFFIX = ".values"
ROW = np.dtype((np.float32, (3,)))
RECORD = np.dtype([("digest", "S4"), ("side", "i4"), ("grey", "u1", (2, 2))])


def names(*numbers):
    return np.array([f"item{number}" for number in numbers], "S8")


def rows(*numbers):
    return np.array([[number, 2 * number, -number] for number in numbers], np.float32)


def fill(folder, *parts):
    for part in parts:
        write_chunk(folder, SUFFIX, names(*part), rows(*part))


def test_values_come_in_the_order_asked_for_and_as_often(tmp_path):
    fill(tmp_path, (1, 2, 3), (9, 7))
    stored = Chunks(tmp_path, SUFFIX, names(7, 1, 7, 4, 3), ROW)
    assert stored.known.tolist() == [True, True, True, False, True]
    assert stored.shape == (5, 3) and len(stored) == 5
    np.testing.assert_array_equal(stored.take([4, 0, 2, 1]), rows(3, 7, 7, 1))
    np.testing.assert_array_equal(np.asarray(Chunks(tmp_path, SUFFIX, names(9, 2), ROW)), rows(9, 2))


def test_a_structured_value_is_one_value(tmp_path):
    records = np.array([(b"ab", 5, [[1, 2], [3, 4]]), (b"cd", 6, [[5, 6], [7, 8]])], RECORD)
    write_chunk(tmp_path, SUFFIX, names(1, 2), records)
    stored = Chunks(tmp_path, SUFFIX, names(2, 1), RECORD)
    assert stored.shape == (2,)
    assert np.array_equal(stored.take([0, 1]), records[::-1])


def test_an_empty_folder_and_no_items(tmp_path):
    assert not Chunks(tmp_path / "none", SUFFIX, names(1), ROW).known.any()
    assert np.asarray(Chunks(tmp_path, SUFFIX, names(), ROW)).shape == (0, 3)


def test_many_chunks_are_not_open_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(chunks, "MOST_MAPS", 2)
    fill(tmp_path, *((number,) for number in range(7)))
    stored = Chunks(tmp_path, SUFFIX, names(*range(7)), ROW)
    for _ in range(2):
        np.testing.assert_array_equal(np.asarray(stored), rows(*range(7)))
    assert len(stored._maps) == 2


@pytest.mark.parametrize(
    "other",
    [
        (names(1).astype("S9"), rows(1)),
        (names(1), rows(1).astype(np.float64)),
        (names(1), rows(1)[:, :2]),
        (names(1), np.asfortranarray(np.tile(rows(1), (2, 1)))),
        (names(1), np.float32(3)),
        (rows(1), names(1)),
    ],
    ids=["other names", "other type", "other depth", "by columns", "no rows", "the other way round"],
)
def test_chunks_of_something_else_are_deleted(tmp_path, other):
    fill(tmp_path, (2,))
    write_chunk(tmp_path, SUFFIX, *other)
    stored = Chunks(tmp_path, SUFFIX, names(1, 2), ROW)
    assert stored.known.tolist() == [False, True]
    assert len(list(tmp_path.glob(f"*{SUFFIX}"))) == 1


def test_cut_chunks_are_deleted(tmp_path):
    fill(tmp_path, (1, 2))
    path = next(tmp_path.glob(f"*{SUFFIX}"))
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        assert not Chunks(tmp_path, SUFFIX, names(1), ROW).known.any() and not path.exists()


def test_damage_in_the_headers_ends_in_values_or_in_deletion(tmp_path):
    fill(tmp_path, (1, 2))
    path = next(tmp_path.glob(f"*{SUFFIX}"))
    whole, rng = path.read_bytes(), random.Random(0)
    for _ in range(1500):
        damaged = bytearray(whole)
        for _ in range(rng.randint(1, 3)):
            damaged[rng.randrange(len(damaged))] = rng.choice([0, 32, 0x27, 0x28, 0x39, 0x7F, 0xFF, rng.randrange(256)])
        path.write_bytes(damaged)
        stored = Chunks(tmp_path, SUFFIX, names(1, 2), ROW)
        assert path.exists() or not stored.known.any()
        assert stored.take(np.flatnonzero(stored.known)).shape == (stored.known.sum(), 3)


def test_chunks_of_the_first_version_are_read(tmp_path):
    """Caches of features that were written before both stores became one; the form has been this one ever since."""
    buffer = io.BytesIO()
    np.save(buffer, names(1, 2))
    np.save(buffer, rows(1, 2))
    data = buffer.getvalue()
    (tmp_path / f"{hashlib.sha256(data).hexdigest()[:32]}{SUFFIX}").write_bytes(data)
    np.testing.assert_array_equal(np.asarray(Chunks(tmp_path, SUFFIX, names(2, 1), ROW)), rows(2, 1))
    write_chunk(tmp_path, SUFFIX, names(1, 2), rows(1, 2))
    assert len(list(tmp_path.iterdir())) == 1


def test_records_of_the_first_version_are_looked_at_again(tmp_path):
    """The audit's `.records` were one array with the names in it; they cost a second look, and no error."""
    old = np.zeros(3, [("item", "S8"), *((name, RECORD[name]) for name in RECORD.names)])
    np.save(tmp_path / "old.npy", old)
    (tmp_path / "old.npy").rename(tmp_path / f"old{SUFFIX}")
    assert not Chunks(tmp_path, SUFFIX, names(1, 2), RECORD).known.any()
    assert not list(tmp_path.iterdir())
