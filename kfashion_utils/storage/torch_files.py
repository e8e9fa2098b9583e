"""Tensors of a file that PyTorch saved before 1.6: several pickles, then the bytes of the storages.

A pickle is a program. This reader runs one that may make ordered dicts, tensors and storages and nothing else; PyTorch
is not needed. Source: `torch.serialization._legacy_save`, PyTorch 1.5.
"""

import collections
import io
import pickle
import struct
from typing import NamedTuple

import numpy as np

from kfashion_utils.errors import InputError

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
STORAGES = {  # name of the class in `torch`: type of its numbers
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}


DAMAGED = (  # what a cut or damaged pickle raises
    pickle.UnpicklingError, struct.error, EOFError, ValueError, TypeError, KeyError, IndexError, AttributeError,
    OverflowError, MemoryError, UnicodeDecodeError,
)  # fmt: skip


class _Storage(NamedTuple):
    """What a pickle says of a storage: its key, the type and the number of its numbers."""

    key: str
    type: str
    count: int


class _Tensor(NamedTuple):
    """A part of a storage, not read yet."""

    storage: _Storage
    offset: int
    shape: tuple
    strides: tuple


def _rebuild_tensor(storage, offset, shape, strides, *_):
    return _Tensor(storage, offset, tuple(shape), tuple(strides))


ALLOWED = {
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    **{("torch", name): kind for name, kind in STORAGES.items()},
}


class _Unpickler(pickle.Unpickler):
    """Makes what `ALLOWED` names."""

    def find_class(self, module, name):
        if (module, name) not in ALLOWED:
            raise InputError(f"it asks for {module}.{name}, which is no tensor; it was not run")
        return ALLOWED[module, name]

    def persistent_load(self, saved):
        what, kind, key, _, count, view = saved
        if what != "storage" or kind not in STORAGES.values() or view is not None:
            raise InputError(f"it asks for {what!r} where a storage belongs")
        return _Storage(str(key), kind, int(count))


def read_tensors(path):
    """The tensors of a file, {name: array}.

    Raises:
        InputError: not such a file, cut, or one whose pickle asks for anything else.
    """
    with open(path, "rb") as handle:
        data = handle.read()
    try:
        return _read(data)
    except InputError as error:
        raise InputError(f"{path} is not a file of weights that can be read: {error}") from error
    except DAMAGED as error:
        raise InputError(f"{path} is not a whole file of weights that PyTorch before 1.6 saved: {error}") from error


def _read(data):
    handle = io.BytesIO(data)
    for expected in (MAGIC, PROTOCOL):
        found = _Unpickler(handle).load()
        if found != expected:
            raise InputError(f"it begins with {str(found)[:40]!r}; expected the mark of PyTorch's older form")
    system = _Unpickler(handle).load()
    if not system.get("little_endian"):
        raise InputError("its numbers are big-endian")
    tensors, keys = _Unpickler(handle).load(), _Unpickler(handle).load()
    wanted = {tensor.storage.key: tensor.storage for tensor in tensors.values()}
    storages = {key: _storage(handle, wanted[key]) for key in keys}
    return {name: _array(tensor, storages[tensor.storage.key]) for name, tensor in tensors.items()}


def _storage(handle, storage):
    """The numbers of a storage, 1-D."""
    (count,) = struct.unpack("<q", handle.read(8))
    kind = np.dtype(storage.type)
    data = handle.read(storage.count * kind.itemsize)
    if count != storage.count or len(data) != storage.count * kind.itemsize:
        raise InputError(f"storage {storage.key} has {len(data):,} bytes of {storage.count:,} numbers; the file is cut")
    return np.frombuffer(data, kind)


def _array(tensor, storage):
    """The array of a tensor, which must lie within its storage."""
    shape, strides = tensor.shape, tensor.strides
    fits = len(shape) == len(strides) and all(side > 0 for side in shape) and all(stride >= 0 for stride in strides)
    last = tensor.offset + sum((side - 1) * stride for side, stride in zip(shape, strides, strict=False))
    if not fits or not 0 <= tensor.offset <= last < len(storage):
        raise InputError(f"a tensor {shape} with the strides {strides} that does not lie within its storage")
    steps = [stride * storage.itemsize for stride in strides]
    return np.lib.stride_tricks.as_strided(storage[tensor.offset :], shape, steps, writeable=False).copy()
