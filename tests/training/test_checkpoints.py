"""States of a training on storage that fails: what is there is whole, or said to be damaged."""

import errno

import numpy as np
import pytest

from kfashion_utils.storage import files as storage
from kfashion_utils.training import checkpoints
from kfashion_utils.training.checkpoints import Checkpoints


def history(*losses):
    return [{"epoch": epoch, "val_calibrated_loss": loss} for epoch, loss in enumerate(losses, 1)]


def test_the_newest_the_one_before_and_the_best_stay(tmp_path):
    kept, losses = Checkpoints(tmp_path), (1.0, 0.2, 0.5, 0.4, float("nan"))
    for count in range(1, 6):
        kept.save({"w0": np.full(3, count)}, history(*losses[:count]))
    assert sorted(kept._files()) == [2, 4, 5]
    arrays, past = kept.read()
    np.testing.assert_array_equal(arrays["w0"], 5)
    assert (
        [row["epoch"] for row in past] == [1, 2, 3, 4, 5]
        and kept.read(3) == (None, [])
        and kept.read(2)[0]["w0"][0] == 2
    )
    kept.keep({5})
    assert list(kept._files()) == [5]


def test_errors_that_pass_are_waited_for(tmp_path, monkeypatch):
    failures = iter([errno.EIO, errno.ETIMEDOUT])
    waited = []

    def moody(path, data):
        code = next(failures, None)
        if code:
            raise OSError(code, "Drive is tired", str(path))
        storage.write_bytes(path, data)

    monkeypatch.setattr(checkpoints, "write_bytes", moody)
    monkeypatch.setattr(storage.time, "sleep", waited.append)
    Checkpoints(tmp_path).save({"w0": np.ones(2)}, history(1.0))
    assert len(waited) == 2 and Checkpoints(tmp_path).read()[1] == history(1.0)


def test_storage_that_gives_back_other_bytes_is_noticed_at_once(tmp_path, monkeypatch):
    kept = Checkpoints(tmp_path)
    kept.save({"w0": np.ones(2)}, history(1.0))
    monkeypatch.setattr(checkpoints, "write_bytes", lambda path, data: storage.write_bytes(path, data[:-5]))
    with pytest.raises(OSError, match="reads back other bytes"):
        kept.save({"w0": np.zeros(2)}, history(1.0, 0.5))
    arrays, past = kept.read()  # the torn one is said and dropped
    assert len(past) == 1 and arrays["w0"][0] == 1


def test_leftovers_of_a_killed_writer_go(tmp_path):
    (tmp_path / ".epoch-00001-0123456789abcdef.npz.tmp").write_bytes(b"half")
    Checkpoints(tmp_path).save({"w0": np.ones(2)}, history(1.0))
    assert [path.suffix for path in tmp_path.iterdir()] == [".npz"] and not list(tmp_path.glob(".*"))
