"""Writes the older form of PyTorch's files without PyTorch: what `storage.torch_files` reads."""

import collections
import pickle
import struct
import sys
import types

import numpy as np

from kfashion_utils.storage.torch_files import MAGIC, PROTOCOL

NAMES = {"f4": "FloatStorage", "i8": "LongStorage", "f2": "HalfStorage"}


class _Tensor:
    def __init__(self, key, array, strides):
        self.key, self.array, self.strides = key, array, strides

    def __reduce__(self):
        numbers = [stride // self.array.itemsize for stride in self.strides]
        storage = _Storage(self.key, self.array)
        shape = tuple(self.array.shape)
        return sys.modules["torch._utils"]._rebuild_tensor_v2, (storage, 0, shape, tuple(numbers), False, {})


class _Storage:
    def __init__(self, key, array):
        self.key, self.array = key, array


class _Pickler(pickle.Pickler):
    def persistent_id(self, value):
        if not isinstance(value, _Storage):
            return None
        kind = getattr(sys.modules["torch"], NAMES[value.array.dtype.str[1:]])
        return "storage", kind, value.key, "cpu", value.array.size, None


def _modules():
    """Stand-ins whose names are those that a pickle of PyTorch asks for."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    for name in NAMES.values():
        setattr(torch, name, type(name, (), {"__module__": "torch"}))

    def _rebuild_tensor_v2(*_):
        raise AssertionError("only its name is used")

    _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2
    return {"torch": torch, "torch._utils": utils}


def save_torch(path, arrays, magic=MAGIC, beside=None):
    """Write {name: array}, arrays in any memory order; `beside` = an object more in the dict."""
    before = {name: sys.modules.get(name) for name in ("torch", "torch._utils")}
    sys.modules.update(_modules())
    try:
        with open(path, "wb") as handle:
            for value in (magic, PROTOCOL, {"protocol_version": PROTOCOL, "little_endian": True, "type_sizes": {}}):
                pickle.dump(value, handle, protocol=2)
            tensors = collections.OrderedDict(
                (name, _Tensor(str(number), array, array.strides))
                for number, (name, array) in enumerate(arrays.items())
            )
            tensors |= beside or {}
            _Pickler(handle, protocol=2).dump(tensors)
            pickle.dump([str(number) for number in range(len(arrays))], handle, protocol=2)
            for array in arrays.values():
                handle.write(struct.pack("<q", array.size) + np.ravel(array, order="K").tobytes())
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module
    return path
