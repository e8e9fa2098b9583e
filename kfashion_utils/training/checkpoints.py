"""The states of a training after each epoch: one file each, named by its content, so that a finished name is a whole
state.

A state holds the weights, the optimizer and the history so far; whatever else an epoch depends on is a function of
(seed, epoch, history). So going on from the newest whole state gives what an undisturbed training gives, and a kill
costs at most the epoch it fell into.
"""

import contextlib
import hashlib
import io
import json
import os
import re
from pathlib import Path

import numpy as np

from kfashion_utils.output import say
from kfashion_utils.runs.config import JUDGED_BY
from kfashion_utils.storage.files import naming, patiently, write_bytes

NAME = re.compile(r"epoch-(\d{5})-([0-9a-f]{16})\.npz")


class Checkpoints:
    """The states in a folder, also one on Drive: a file is written under a temporary name, read back and compared
    before an older one goes."""

    def __init__(self, folder):
        self.folder = Path(folder)

    def _files(self):
        """{epoch: path} of the finished names; of an epoch saved twice any, they hold the same."""
        names = [NAME.fullmatch(path.name) for path in sorted(self.folder.glob("epoch-*.npz"))]
        return {int(name[1]): self.folder / name[0] for name in names if name}

    def save(self, arrays, history):
        """Keep the state after the last epoch of `history`; the epoch before, the best one and epoch 0 stay, others go.

        Args:
            arrays: {name: array}.
            history: list of dicts, one an epoch, with `epoch` and `JUDGED_BY`.

        Raises:
            OSError: the storage is full or failed; the states before are untouched.
        """
        epoch = int(history[-1]["epoch"])
        buffer = io.BytesIO()
        np.savez(buffer, **arrays, history=np.frombuffer(json.dumps(history).encode(), np.uint8))
        data = buffer.getvalue()
        path = self.folder / f"epoch-{epoch:05d}-{_digest(data)}.npz"
        with naming(path, len(data)):
            patiently(write_bytes, path, data)
        if _digest(patiently(path.read_bytes)) != NAME.fullmatch(path.name)[2]:
            raise OSError(
                f"{path} reads back other bytes than were written; the storage is failing, the state before is kept"
            )
        self.keep({0, epoch, epoch - 1, int(best_epoch(history)["epoch"])})
        for leftover in self.folder.glob(".epoch-*"):  # of writers that were killed
            leftover.unlink(missing_ok=True)

    def keep(self, epochs):
        """Delete all states but those after these epochs."""
        for epoch, path in self._files().items():
            if epoch not in epochs:
                with contextlib.suppress(FileNotFoundError):
                    self._discard(path)

    def _discard(self, path):
        """Delete a state, emptied before: what is deleted on a mounted Drive goes to its bin, and counts there."""
        path = path.rename(path.with_name(f".{path.name}"))
        os.truncate(path, 0)
        path.unlink()

    def read(self, epoch=None):
        """(arrays, history) after an epoch, or after the newest one that is whole; (None, []) if there is none. A
        damaged file is said and deleted."""
        files = self._files()
        for number in sorted(files if epoch is None else {epoch} & set(files), reverse=True):
            data = patiently(files[number].read_bytes)
            if _digest(data) == NAME.fullmatch(files[number].name)[2]:
                with np.load(io.BytesIO(data), allow_pickle=False) as state:
                    arrays = dict(state)
                return arrays, json.loads(arrays.pop("history").tobytes())
            say(f"{files[number]} is damaged (its bytes are not those that were written); the state before it is used")
            files[number].unlink()
        return None, []


def _digest(data):
    return hashlib.sha256(data).hexdigest()[:16]


def best_epoch(history):
    """The epoch with the lowest `JUDGED_BY` (the validation loss at its best temperature), a dict. The highest accuracy
    would be chosen more often for its luck."""
    return min(history, key=lambda row: row[JUDGED_BY] if np.isfinite(row[JUDGED_BY]) else np.inf)
