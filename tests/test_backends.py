"""Keras' JAX backend: what runs on TensorFlow runs there, and runs of one are at home on the other."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import picture

import kfashion_utils as kf
from kfashion_utils.environment import require_backend
from kfashion_utils.errors import InputError
from kfashion_utils.training import devices

HERE = Path(__file__).parent
SAME_ON_JAX = (
    "training/test_answer.py",
    "training/test_batches.py",
    "training/test_classifier.py",
    "training/test_explanation.py",
    "training/test_fine_tuning.py",
    "training/test_logistic.py",
    "training/test_predict.py",
)
STEP = """
import json, sys
import kfashion_utils as kf
catalog, root, run, cache, config, photograph = sys.argv[1:]
config = kf.TrainConfig(**json.loads(config))
run = kf.train(catalog, root, run, config=config, preprocess=kf.Preprocess(size=32), cache=cache, workers=1)
run.predict(photograph).to_csv(run.path / "answer.csv", index=False)
"""


def on(backend, *arguments, **variables):
    """Run Python with arguments on a backend, as a process of its own; returns what it said."""
    variables = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(HERE.parent), **variables}
    done = subprocess.run(
        [sys.executable, *map(str, arguments)], env=variables, capture_output=True, text=True, timeout=1500
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.mark.parametrize("name", ["torch", "nonsense"])
def test_a_backend_that_nothing_is_tested_on_is_refused_before_keras_is_imported(name, monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_BACKEND", name)
    with pytest.raises(InputError, match=f"KERAS_BACKEND={name}: this package runs on Keras' tensorflow or jax"):
        require_backend()
    monkeypatch.setenv("PYTHONPATH", str(HERE.parent))
    done = subprocess.run(
        [sys.executable, "-m", "kfashion_utils", "demo"], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and name in done.stderr
    code = "import kfashion_utils as kf, sys\ntry: kf.train\nexcept kf.InputError: sys.exit('keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=tmp_path).returncode == 0


def test_a_backend_that_is_not_installed_is_said(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match="jax is not installed: pip install jax"):
        require_backend()


def test_a_folder_for_what_is_compiled_that_cannot_be_written_is_said_and_done_without(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("KFASHION_COMPILED", str(tmp_path / "file/compiled"))
    monkeypatch.setattr(devices.keras.backend, "backend", lambda: "jax")
    devices.keep_compiled()
    assert "cannot be written to" in capsys.readouterr().out


def data(folder):
    """(root, path of a catalog) of 24 pictures in two colours."""
    for name, colour in {"red": (200, 40, 40), "blue": (40, 40, 200)}.items():
        for number in range(12):
            picture(folder / "root" / name / f"{name}{number:02d}.png", (48, 60), colour, seed=number)
    catalog = kf.split_catalog(kf.build_catalog("folders", folder / "root")[0], valid=0.34, seed=0)
    kf.write_catalog(catalog, folder / "catalog.csv")
    return folder / "root", folder / "catalog.csv"


@pytest.mark.slow
@pytest.mark.parametrize("suite", SAME_ON_JAX)
def test_what_holds_on_tensorflow_holds_on_jax(suite):
    on("jax", "-m", "pytest", "-q", "-p", "no:cacheprovider", HERE / suite)


@pytest.mark.slow
@pytest.mark.parametrize("first", ["tensorflow", "jax"])
def test_a_run_of_one_backend_is_answered_and_continued_on_the_other(first, tmp_path):
    other = {"tensorflow": "jax", "jax": "tensorflow"}[first]
    root, catalog = data(tmp_path)
    photograph = next(root.rglob("*.png"))
    recipe = {"backbone": "tiny", "fine_tune_epochs": 2, "batch_size": 8, "ema": 0.9, "schedule": "constant"}
    code = (tmp_path / "cache", json.dumps(recipe), photograph)
    on(first, "-c", STEP, catalog, root, tmp_path / "run", *code)
    mine = pd.read_csv(tmp_path / "run/answer.csv")
    assert "is finished" in on(other, "-c", STEP, catalog, root, tmp_path / "run", *code)
    theirs = pd.read_csv(tmp_path / "run/answer.csv")
    numbers = mine.select_dtypes("number").columns
    np.testing.assert_allclose(mine[numbers], theirs[numbers], atol=1e-4)
    grown = (tmp_path / "cache", json.dumps(recipe | {"fine_tune_epochs": 4}), photograph)
    said = on(other, "-c", STEP, catalog, root, tmp_path / "run", *grown)
    assert f"begun on {first}" in said and len(kf.load_run(tmp_path / "run").history) == 4
    on(first, "-c", STEP, catalog, root, tmp_path / "whole", *grown)
    one, two = (kf.load_run(tmp_path / name).history["val_loss"] for name in ("run", "whole"))
    np.testing.assert_allclose(one, two, rtol=0.05)


FEATURES = """
import sys, numpy as np, keras
from kfashion_utils.models.model import build_model, model_features
from kfashion_utils.tables.labels import Head, Task
from kfashion_utils.training.batches import ArrayBatches
weights, out = sys.argv[1:]
task = Task("t", (Head("label", ("a", "b")),))
model = build_model(task, "efficientnet_lite0", 64, None, 0, taps="stages")
if keras.backend.backend() == "tensorflow":
    model.save_weights(weights)
model.load_weights(weights)
pixels = np.random.default_rng(0).integers(0, 256, (5, 64, 64, 3), np.uint8)
np.save(out, ArrayBatches(pixels).predict(model_features(model)))
"""


@pytest.mark.slow
def test_features_of_a_picture_are_the_same_on_both_backends(tmp_path):
    for backend in ("tensorflow", "jax"):
        on(backend, "-c", FEATURES, tmp_path / "w.weights.h5", tmp_path / f"{backend}.npy")
    one, two = (np.load(tmp_path / f"{backend}.npy") for backend in ("tensorflow", "jax"))
    np.testing.assert_allclose(one, two, atol=1e-4 * np.abs(one).max())


COMPILED = """
import sys, numpy as np, keras
from kfashion_utils.training.devices import keep_compiled
keras.ops.sum(keras.ops.ones((3, 3))) + 1  # a training compiles some before it begins
keep_compiled()
layers = keras.layers
model = keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(4, 3), layers.Flatten(), layers.Dense(2)])
model.compile("sgd", "mse")
model.fit(np.ones((4, 8, 8, 3)), np.ones((4, 2)), verbose=0)
"""


@pytest.mark.slow
def test_what_jax_compiles_is_kept_and_used_again(tmp_path):
    kept = {"KFASHION_COMPILED": str(tmp_path / "kept"), "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}
    on("jax", "-c", COMPILED, **kept)
    first = {path.name for path in (tmp_path / "kept").glob("*-cache")}
    on("jax", "-c", COMPILED, **kept)
    assert first and first == {path.name for path in (tmp_path / "kept").glob("*-cache")}
