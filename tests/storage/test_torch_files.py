import os
import pickle

import numpy as np
import pytest
from torch_form import save_torch

from kfashion_utils.errors import InputError
from kfashion_utils.storage.torch_files import read_tensors


@pytest.fixture
def arrays():
    rng = np.random.default_rng(0)
    return {
        "conv.weight": np.asfortranarray(rng.normal(size=(4, 3, 2, 2)).astype("f4")),  # permuted strides, as published
        "bn.bias": rng.normal(size=7).astype("f4"),
        "half": rng.normal(size=(2, 3)).astype("f2"),
        "count": np.array(5, "i8"),
    }


def test_tensors_come_back_as_they_were_saved(tmp_path, arrays):
    found = read_tensors(save_torch(tmp_path / "w.pth", arrays))
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype and found[name].flags.owndata


def test_a_file_cut_anywhere_is_refused(tmp_path, arrays):
    data = save_torch(tmp_path / "w.pth", arrays).read_bytes()
    for length in range(0, len(data), 7):
        (tmp_path / "cut.pth").write_bytes(data[:length])
        with pytest.raises(InputError, match=r"cut\.pth is not a"):
            read_tensors(tmp_path / "cut.pth")


class Evil:
    def __init__(self, function, *arguments):
        self.made = function, arguments

    def __reduce__(self):
        return self.made


@pytest.mark.parametrize(
    ("evil", "named"),
    [
        (Evil(os.system, "touch {}"), "system"),
        (Evil(eval, "open('{}', 'w')"), "builtins.eval|__builtin__.eval"),
        (Evil(getattr, os, "system"), "getattr"),
        (np.zeros(3), "numpy"),
    ],
)
def test_a_pickle_that_asks_for_anything_else_is_not_run(tmp_path, arrays, evil, named):
    touched = tmp_path / "touched"
    if isinstance(evil, Evil):
        function, arguments = evil.made
        words = [text.format(touched) if isinstance(text, str) else text for text in arguments if text is not os]
        evil = Evil(function, *words)
    path = save_torch(tmp_path / "w.pth", arrays, beside={"evil": evil})
    with pytest.raises(InputError, match=f"(?s)({named}).*was not run"):
        read_tensors(path)
    assert not touched.exists()


@pytest.mark.parametrize("magic", [1, "text", None])
def test_other_pickles_are_none_of_these(tmp_path, arrays, magic):
    with pytest.raises(InputError, match="older form"):
        read_tensors(save_torch(tmp_path / "w.pth", arrays, magic=magic))
    (tmp_path / "p.pth").write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(InputError, match="not a"):
        read_tensors(tmp_path / "p.pth")


def test_a_tensor_outside_its_storage_is_refused(tmp_path):
    wide = np.lib.stride_tricks.as_strided(np.zeros(4, "f4"), (4,), (400,))
    path = save_torch(tmp_path / "w.pth", {"a": wide})
    with pytest.raises(InputError, match="does not lie within its storage"):
        read_tensors(path)
