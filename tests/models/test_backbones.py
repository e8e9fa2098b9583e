import importlib
import inspect

import h5py
import keras
import numpy as np
import pytest
from keras.src.legacy.saving import legacy_h5_format
from keras.src.utils import file_utils

from kfashion_utils.errors import InputError
from kfashion_utils.models.backbones import (
    DEVIATION,
    MEAN,
    OWN,
    SCALINGS,
    build_base,
    tap_outputs,
)
from kfashion_utils.models.weight_files import load_base_weights, weights_digest
from kfashion_utils.runs.backbones import BACKBONES
from kfashion_utils.storage.downloads import find_row, read_manifest

PUBLISHED = [name for name, row in BACKBONES.items() if row.weights and row.application not in OWN]  # by Keras
FAMILIES = (  # the quick ones of each; DenseNet and Inception-ResNet take seconds to build
    "mobilenet_025", "mobilenet_v2", "mobilenet_v3_small", "vgg16", "resnet50", "resnet50_v2", "efficientnet_b0",
    "inception_v3", "xception", "convnext_tiny", "efficientnet_lite0",
)  # fmt: skip
SIZE = 96
# what Keras' modules call the hashes of our rows; a module without the table states its hashes in the code
HASH_KEYS = {
    "mobilenet_v3_small": "small_224_1.0_float", "mobilenet_v3_large": "large_224_1.0_float",
    **{f"resnet{depth}": f"resnet{depth}" for depth in (50, 101, 152)},
    **{f"resnet{depth}_v2": f"resnet{depth}v2" for depth in (50, 101, 152)},
    **{f"efficientnet_b{number}": f"b{number}" for number in range(8)},
    **{f"efficientnet_v2_b{number}": f"b{number}" for number in range(4)},
    **{f"efficientnet_v2_{letter}": f"-{letter}" for letter in "sml"},
    **{f"convnext_{width}": f"convnext_{width}" for width in ("tiny", "small", "base", "large")},
}  # fmt: skip


def builder(name):
    return getattr(keras.applications, BACKBONES[name].application)


def library(name):
    """Keras' own module of a row."""
    return importlib.import_module(builder(name).__module__)


def pictures(size, count=2):
    return np.random.default_rng(0).integers(0, 256, (count, size, size, 3)).astype(np.float32)


def scaled(name, pixels):
    return keras.ops.convert_to_numpy(SCALINGS[BACKBONES[name].scaling](keras.ops.convert_to_tensor(pixels)))


def outputs_of(model, pixels):
    return keras.ops.convert_to_numpy(model(pixels, training=False))


def as_in_manifest(file_hash):
    """A hash as Keras states it (MD5 or, of ConvNeXt, SHA-256) in the form of the manifest."""
    return f"md5:{file_hash}" if len(file_hash) == 32 else file_hash


def save_as_published(base, path):
    """A weights-only file in the form of those that Keras publishes."""
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, base)


# The table ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BACKBONES)
def test_a_row_is_whole(name):
    row = BACKBONES[name]
    assert row.scaling in SCALINGS and len(row.taps) == 3 and all(row.taps[:2]) and 224 <= row.size <= 600
    assert (row.application == "") == (row.weights == "") == (name == "tiny")
    if row.weights:
        entry = find_row(row.weights)
        assert (
            entry["dataset"] == "weights"
            and entry["licence"]
            and entry["source"].endswith(".h5") == (name in PUBLISHED)
        )
        assert row.application in OWN or callable(builder(name))


def test_no_file_stands_for_two_rows():
    entries = [find_row(BACKBONES[name].weights) for name in PUBLISHED]
    assert len({entry["source"] for entry in entries}) == len(PUBLISHED)
    hashes = [entry["sha256"] for entry in entries if entry["sha256"]]
    assert len(set(hashes)) == len(hashes)


def test_every_file_of_weights_is_that_of_a_row():
    table = read_manifest()
    assert {BACKBONES[name].weights for name in PUBLISHED} <= set(table.loc[table["dataset"] == "weights", "name"])


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_manifest_states_what_the_installed_keras_states(name):
    entry, module = find_row(BACKBONES[name].weights), library(name)
    source = inspect.getsource(module)
    if name in HASH_KEYS:
        table = (
            getattr(module, "WEIGHTS_HASHES", None)
            or importlib.import_module("keras.src.applications.resnet").WEIGHTS_HASHES
        )
        assert entry["sha256"] == as_in_manifest(table[HASH_KEYS[name]][1])
    elif "file_hash" in source:
        assert entry["sha256"].startswith("md5:") and f'"{entry["sha256"].removeprefix("md5:")}"' in source
    else:  # Keras publishes none; a hash in the manifest is our own
        assert name in ("mobilenet_025", "mobilenet", "mobilenet_v2")


class Asked(Exception):
    """Keras asked for a file: (address, hash)."""


@pytest.mark.parametrize(
    "name",
    [name if name in ("mobilenet_v2", "vgg19") else pytest.param(name, marks=pytest.mark.slow) for name in PUBLISHED],
)
def test_the_manifest_states_what_keras_would_fetch(name, monkeypatch):
    def get_file(fname, origin, file_hash=None, **others):
        raise Asked(origin, file_hash)

    monkeypatch.setattr(file_utils, "get_file", get_file)
    with pytest.raises(Asked) as asked:
        builder(name)(include_top=False, weights="imagenet", input_shape=(224, 224, 3), **BACKBONES[name].arguments)
    entry = find_row(BACKBONES[name].weights)
    address, file_hash = asked.value.args
    assert entry["source"] == address and (file_hash is None or entry["sha256"] == as_in_manifest(file_hash))


# What the weights expect ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_scaling_layer_equals_the_librarys_preprocess_input(name):
    pixels = pictures(8)
    by_library = library(name).preprocess_input(pixels.copy())
    if BACKBONES[name].scaling in ("none", "efficientnet"):  # the builder scales
        np.testing.assert_array_equal(by_library, pixels)
    if BACKBONES[name].scaling != "efficientnet":
        np.testing.assert_allclose(scaled(name, pixels), by_library, atol=1e-4)


def test_only_the_first_efficientnet_scales_otherwise_than_preprocess_input():
    assert {name for name in PUBLISHED if BACKBONES[name].scaling == "efficientnet"} == {
        f"efficientnet_b{number}" for number in range(8)
    }


def test_efficientnet_computes_what_keras_computes_with_its_own_weights(tmp_path, monkeypatch):
    ours = build_base("efficientnet_b0", 64)
    normalization = next(layer for layer in ours.layers if isinstance(layer, keras.layers.Normalization))
    normalization.set_weights([MEAN, DEVIATION, np.array(0)])  # what the published file holds (tensorflow issue 49930)
    save_as_published(ours, tmp_path / "b0.h5")
    load_base_weights(fresh := build_base("efficientnet_b0", 64), "efficientnet_b0", tmp_path / "b0.h5")
    monkeypatch.setattr(file_utils, "get_file", lambda *names, **others: str(tmp_path / "b0.h5"))
    theirs = keras.applications.EfficientNetB0(include_top=False, weights="imagenet", input_shape=(64, 64, 3))
    pixels = pictures(64)
    expected = outputs_of(theirs, pixels)
    spread = np.abs(expected).max()
    np.testing.assert_allclose(outputs_of(fresh, scaled("efficientnet_b0", pixels)), expected, atol=1e-4 * spread)
    assert (
        np.abs(outputs_of(fresh, pixels) - expected).max() > 0.05 * spread
    )  # without the division it would be another network


# Stages ---------------------------------------------------------------------------------------------------------------


def assert_stages(name, size):
    base = build_base(name, size)
    taps = tap_outputs(base, name)
    assert taps[-1] is base.outputs[0]
    sides = [tap.shape[1] for tap in taps]
    assert all(tap.shape[1] == tap.shape[2] and tap.shape[3] >= 40 for tap in taps)
    if not name.startswith("inception"):  # which crop at their borders
        assert sides == [size // 8, size // 16, size // 32]
    assert sides[0] > sides[1] > sides[2]


@pytest.mark.parametrize("name", FAMILIES)
def test_the_taps_are_where_three_resolutions_end(name):
    assert_stages(name, SIZE)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in PUBLISHED if name not in FAMILIES])
def test_the_taps_of_the_other_rows_too(name):
    assert_stages(name, SIZE)


def test_tiny_has_stages_too():
    base = build_base("tiny", 64)
    taps = tap_outputs(base, "tiny")
    assert [tap.shape[1:] for tap in taps] == [(8, 8, 48), (4, 4, 96), (1, 1, 128)] and taps[-1] is base.outputs[0]


def test_the_taps_are_found_in_a_base_inside_a_model_too():
    base = build_base("mobilenet_v3_small", 64)
    base.name = "backbone"
    image = keras.Input((64, 64, 3))
    model = keras.Model(image, keras.layers.GlobalAveragePooling2D()(base(image)))
    inner = model.get_layer("backbone")
    pixels = pictures(64, 1)
    *_, last = keras.Model(inner.input, tap_outputs(inner, "mobilenet_v3_small"))(pixels, training=False)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(last).mean(axis=(1, 2)), outputs_of(model, pixels), rtol=1e-4, atol=1e-6
    )


# One base at any size -------------------------------------------------------------------------------------------------


def assert_any_size(name, sizes):
    free = build_base(name, None)
    assert free.input_shape == (None, None, None, 3)
    stages = keras.Model(free.input, tap_outputs(free, name))
    for size in sizes:
        fixed = build_base(name, size)
        fixed.set_weights(free.get_weights())
        pixels = scaled(name, pictures(size, 1))
        expected = outputs_of(fixed, pixels)
        assert expected.std() > 0
        np.testing.assert_allclose(outputs_of(free, pixels), expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())
        computed = stages(pixels, training=False)
        assert [tuple(value.shape[1:]) for value in computed] == [
            tuple(tap.shape[1:]) for tap in tap_outputs(fixed, name)
        ]


@pytest.mark.parametrize("name", ["mobilenet_025", "mobilenet_v2", "mobilenet_v3_small", "vgg16", "efficientnet_lite0"])
def test_a_base_of_any_size_gives_what_a_fixed_one_gives(name):
    assert_any_size(name, (64,))


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "efficientnet_b0",
        "resnet50",
        "resnet50_v2",
        "efficientnet_v2_b0",
        "inception_v3",
        "densenet121",
        "xception",
        "convnext_tiny",
    ],
)
def test_a_base_of_any_size_gives_what_a_fixed_one_gives_in_other_families(name):
    assert_any_size(name, (96, 128))


@pytest.mark.slow
@pytest.mark.parametrize("name", PUBLISHED)
def test_every_row_but_tiny_builds_for_any_size(name):
    base = build_base(name, None)
    assert base.input_shape == (None, None, None, 3) and tap_outputs(base, name)[-1] is base.outputs[0]


def test_what_cannot_be_built_is_refused():
    with pytest.raises(InputError, match="'tiny' learns one weight a place"):
        build_base("tiny", None)
    with pytest.raises(InputError, match="'xception' cannot be built for pictures of 32 pixels; take a larger size"):
        build_base("xception", 32)
    with pytest.raises(
        InputError, match="unknown backbone 'resnet'; did you mean 'resnet50'.*known: tiny, mobilenet_025"
    ):
        build_base("resnet", 64)


# Weights whatever was built before ------------------------------------------------------------------------------------


def assert_loads_in_another_numbering(name, folder):
    first = build_base(name, SIZE)
    save_as_published(first, folder / "published.h5")
    first.save_weights(folder / "ours.weights.h5")
    build_base("mobilenet_v3_small", 32)
    second = build_base(name, SIZE)
    numbered = [
        [layer.name for layer in base.layers if layer.weights or layer.name.startswith("activation")]
        for base in (first, second)
    ]
    assert numbered[0] != numbered[1]  # else nothing is tested
    for file in ("published.h5", "ours.weights.h5"):
        second.set_weights([value + 1 for value in second.get_weights()])
        load_base_weights(second, name, folder / file)
        assert weights_digest(second) == weights_digest(first)
    assert [tap.shape for tap in tap_outputs(second, name)] == [tap.shape for tap in tap_outputs(first, name)]


@pytest.mark.parametrize("name", ["tiny", "mobilenet_v3_small"])
def test_weights_load_whatever_was_built_before(name, tmp_path):
    assert_loads_in_another_numbering(name, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["inception_v3", "inception_resnet_v2", "xception", "convnext_tiny", "efficientnet_b0"]
)
def test_weights_load_whatever_was_built_before_in_other_families(name, tmp_path):
    assert_loads_in_another_numbering(name, tmp_path)
