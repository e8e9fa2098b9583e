"""Chunks: values of named items, computed once and kept on disk, such as features of pictures and records of an audit.

A folder holds chunks of some thousand items. A chunk is one file, written once and named by the hash of its content: an
array of item names and behind it an array of their values, both in NumPy's own format (NEP 1). Values are read through
memory maps, so those of a million pictures need not fit into memory.
"""

import hashlib
import io
import tokenize
from pathlib import Path

import numpy as np

from kfashion_utils.storage.files import write_bytes

MOST_MAPS = 64  # chunks that are mapped at a time: each holds a file open, and a process may open 256 to 1,024


class Chunks:
    """The values of some items, one row for each, in the order in which the items were asked for.

    A chunk that is damaged, or that holds something else, is deleted: its items are unknown then.

    Args:
        folder: of the chunks; it need not be there.
        suffix: of their files.
        items: bytes array `(n,)` of item names; one may stand there several times.
        value: NumPy type of the value of an item, such as `np.dtype((np.float32, (depth,)))`.

    Attributes:
        shape: `(n, *shape of a value)`.
        known: bool `(n,)`, which of the items the folder holds.
    """

    def __init__(self, folder, suffix, items, value):
        self._value = np.dtype(value)
        self.shape = len(items), *self._value.shape
        self._files, self._maps = [], {}
        wanted, order = np.unique(items, return_inverse=True)
        places = np.full(len(wanted), -1, [("chunk", "i4"), ("row", "i4")])
        for path in sorted(Path(folder).glob(f"*{suffix}")):
            chunk = _read_names(path, wanted.dtype, self._value)
            if chunk is None:
                path.unlink(missing_ok=True)
                continue
            names, start = chunk
            _, at, row = np.intersect1d(wanted, names, assume_unique=True, return_indices=True)
            places["chunk"][at] = len(self._files)
            places["row"][at] = row
            self._files.append((path, start, len(names)))
        self._places = places[order]
        self.known = self._places["chunk"] >= 0

    def _map(self, number):
        """The values of a chunk as a memory map; the one that was mapped first makes room for it."""
        if number not in self._maps:
            if len(self._maps) == MOST_MAPS:
                del self._maps[next(iter(self._maps))]
            path, start, count = self._files[number]
            shape = count, *self._value.shape
            self._maps[number] = np.memmap(path, self._value.base, "r", start, shape)
        return self._maps[number]

    def __len__(self):
        return self.shape[0]

    def take(self, rows):
        """Values `(len(rows), *shape of a value)` of some row numbers, whose items are known."""
        places = self._places[rows]
        values = np.empty((len(places), *self._value.shape), self._value.base)
        for number in np.unique(places["chunk"]):
            here = np.flatnonzero(places["chunk"] == number)
            values[here] = self._map(number)[places["row"][here]]
        return values

    def __array__(self, dtype=None, copy=None):
        return self.take(np.arange(len(self))).astype(dtype or self._value.base, copy=False)


def write_chunk(folder, suffix, items, values):
    """Write one chunk: bytes array `(n,)` of names, each once, n > 0, and an array of their values `(n, …)`."""
    buffer = io.BytesIO()
    np.save(buffer, items)
    np.save(buffer, values)
    data = buffer.getvalue()
    name = hashlib.sha256(data).hexdigest()[:32]
    write_bytes(Path(folder, name + suffix), data)


def _read_names(path, name_type, value):
    """(item names, first byte of the values) of a chunk; None if it is damaged or holds other types."""
    try:
        with open(path, "rb") as file:
            count, start = _read_header(file, name_type)
            names = np.memmap(path, name_type, "r", start, (count,))
            file.seek(start + names.nbytes)
            rows, start = _read_header(file, value)
    except (ValueError, TypeError, EOFError, OverflowError, SyntaxError, tokenize.TokenError):
        return None
    whole = rows == count and path.stat().st_size == start + count * value.itemsize
    return (np.array(names), start) if whole else None


def _read_header(file, value):
    """(count, first byte) of the array that begins here and holds values of one type.

    Raises:
        ValueError: there is no such array.
    """
    version = np.lib.format.read_magic(file)
    if version != (1, 0):
        raise ValueError(f"version {version} of NumPy's format")
    shape, column_major, dtype = np.lib.format.read_array_header_1_0(file)
    if dtype != value.base or shape[1:] != value.shape or not shape or column_major:
        raise ValueError(f"an array of {dtype} {shape}")
    return shape[0], file.tell()
