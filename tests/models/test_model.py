import keras
import numpy as np
import pytest

from kfashion_utils.errors import InputError
from kfashion_utils.models import weight_files
from kfashion_utils.models.backbones import build_base
from kfashion_utils.models.model import build_model
from kfashion_utils.runs.backbones import BACKBONES
from kfashion_utils.tables.labels import Head, Task
from kfashion_utils.training.losses import task_loss

TASK = Task("t", (Head("style", ("a", "b", "c")), Head("print", ("x", "y"), multi=True, weight=2.0)))


@pytest.mark.parametrize("name", ["tiny", "mobilenet_025"])
def test_model_answers_flat_probabilities(name):
    model = build_model(TASK, name, 64)
    scores = model.predict(np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), np.uint8), verbose=0)
    assert scores.shape == (3, 5)
    np.testing.assert_allclose(scores[:, :3].sum(axis=1), 1, atol=1e-5)
    assert ((scores > 0) & (scores < 1)).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", BACKBONES)
def test_every_row_builds_and_answers(name):
    scores = build_model(TASK, name, 96).predict(np.zeros((1, 96, 96, 3), np.uint8), verbose=0)
    assert scores.shape == (1, 5) and np.isfinite(scores).all()


def test_same_seed_same_weights():
    one, two, other = (build_model(TASK, "tiny", 32, seed=seed).get_weights() for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_weights_by_path_none_and_what_is_refused(tmp_path):
    base = build_base("tiny", 32)
    base.set_weights([value + 1 for value in base.get_weights()])
    base.save_weights(tmp_path / "tiny.weights.h5")
    model = build_model(TASK, "tiny", 32, weight_files.weights_file("tiny", tmp_path / "tiny.weights.h5"))
    for loaded, saved in zip(model.get_layer("backbone").get_weights(), base.get_weights(), strict=True):
        np.testing.assert_array_equal(loaded, saved)
    assert weight_files.weights_file("tiny", "none") is None
    with pytest.raises(InputError, match="none are published"):
        weight_files.weights_file("tiny", "imagenet")
    with pytest.raises(InputError, match="neither 'imagenet', 'none' nor a file"):
        weight_files.weights_file("tiny", tmp_path / "no.h5")
    (tmp_path / "text.h5").write_text("no weights")
    with pytest.raises(InputError, match="not a weights file"):
        weight_files.weights_file("tiny", tmp_path / "text.h5")
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(tmp_path / "whole.h5")
    with pytest.raises(InputError, match="is code"):
        weight_files.weights_file("tiny", tmp_path / "whole.h5")
    with pytest.raises(InputError, match="does not fit 'mobilenet_025'"):
        build_model(TASK, "mobilenet_025", 64, tmp_path / "tiny.weights.h5")


def test_batch_norms_of_pretrained_weights_stay_as_they_are(tmp_path):
    build_base("tiny", 32).save_weights(tmp_path / "w.weights.h5")
    for weights, moves in ((tmp_path / "w.weights.h5", False), (None, True)):
        model = build_model(TASK, "tiny", 32, weights)
        model.compile("sgd", task_loss(TASK), jit_compile=False)
        before = [np.array(v) for v in model.non_trainable_variables if "moving" in v.path]
        model.train_on_batch(
            np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), np.uint8), np.zeros((4, 7), np.float32)
        )
        after = [np.array(v) for v in model.non_trainable_variables if "moving" in v.path]
        assert any((a != b).any() for a, b in zip(before, after, strict=True)) == moves


@pytest.mark.realdata
def test_real_weights_load_and_mean_something(real_data):
    path = next((real_data / "weights").glob("mobilenet*.h5"))
    base = build_base("mobilenet_025", 224)
    weight_files.load_base_weights(base, "mobilenet_025", path)
    with pytest.raises(InputError, match="does not fit"):
        weight_files.load_base_weights(build_base("mobilenet_v2", 224), "mobilenet_v2", path)
