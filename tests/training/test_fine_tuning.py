"""Fine-tuning: what learns and how fast, and that a killed training ends bit for bit like an undisturbed one."""

import dataclasses
import json
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
import resuming
from conftest import train_colours as train

import kfashion_utils as kf
from kfashion_utils.errors import InputError
from kfashion_utils.models.backbones import build_base
from kfashion_utils.models.model import build_model, load_trained
from kfashion_utils.storage import files as storage
from kfashion_utils.tables.labels import Head, Task
from kfashion_utils.training import devices
from kfashion_utils.training.batches import Epoch
from kfashion_utils.training.checkpoints import Checkpoints
from kfashion_utils.training.fine_tuning import build_learner
from kfashion_utils.training.learner import Learner
from kfashion_utils.training.loop import is_over
from kfashion_utils.training.losses import calibrated_loss, task_targets

RECIPE = kf.Preprocess(size=32)
SCRATCH = kf.TrainConfig(backbone="tiny", fine_tune_epochs=4, every=2, batch_size=8)
TASK = Task("t", (Head("label", ("a", "b")),))


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory):
    """Weights of MobileNet 0.25, random: its batch norms stay as they are."""
    keras.utils.set_random_seed(7)
    path = tmp_path_factory.mktemp("weights") / "m.weights.h5"
    build_base("mobilenet_025", 32).save_weights(path)
    return str(path)


def assert_equal_runs(one, two):
    columns = [name for name in one.history.columns if name != "seconds"]
    pd.testing.assert_frame_equal(one.history[columns], two.history[columns], check_exact=True)
    pd.testing.assert_frame_equal(one.predictions, two.predictions, check_exact=True)
    assert one.recipe.get("fit") == two.recipe.get("fit")


# Rates and ends -------------------------------------------------------------------------------------------------------


def test_schedules_by_hand():
    def rates(history=(), **options):
        config = kf.TrainConfig(weights="none", learning_rate=1.0, fine_tune_epochs=4, **options)
        return [config.rate(epoch, history, 0.5) for epoch in range(1, 5)]

    assert rates(schedule="constant") == [1] * 4
    assert rates(every=2) == [1, 1, 0.5, 0.5]
    assert rates(schedule="cosine") == pytest.approx(
        [(1 + np.cos(np.pi * share)) / 2 for share in (0.125, 0.375, 0.625, 0.875)]
    )
    assert rates(schedule="constant", warmup=2) == [0.25, 0.75, 1, 1]
    losses = [{"val_calibrated_loss": value} for value in (1.0, 0.8, 0.9, 0.85, 0.81, 0.8, 0.7)]
    assert [
        kf.TrainConfig(schedule="plateau", patience=2, fine_tune_rate=1.0).rate(1, losses[:count]) for count in range(8)
    ] == [1, 1, 1, 1, 0.5, 0.5, 0.25, 0.25]


def test_training_ends_when_nothing_gets_better():
    config = kf.TrainConfig(fine_tune_epochs=9, stop_after=2)
    history = [{"epoch": epoch, "val_calibrated_loss": loss} for epoch, loss in enumerate((1.0, 0.5, 0.6, 0.7))]
    assert not is_over(config, []) and not is_over(config, history[:3]) and is_over(config, history)
    assert not is_over(kf.TrainConfig(fine_tune_epochs=9), history) and is_over(
        kf.TrainConfig(fine_tune_epochs=3), history
    )


def test_recipes_for_fine_tuning_that_make_no_sense_are_refused():
    for wrong in (
        {"warmup": -1},
        {"ema": 1.0},
        {"swap": 2.0},
        {"stop_after": 0},
        {"unfreeze": -1},
        {"schedule": "linear"},
        {"patience": 0},
        {"loss": "mse"},
    ):
        with pytest.raises(InputError, match=next(iter(wrong))):
            kf.TrainConfig(**wrong)
    for idle in (
        {"augment": "strong"},
        {"swap": 0.5},
        {"ema": 0.9},
        {"mix": "cutmix"},
        {"balance": "focal"},
        {"stop_after": 3},
        {"loss": "generalized"},
        {"mix": "mixup"},
        {"schedule": "cosine"},
    ):
        with pytest.raises(InputError, match="fine_tune_epochs"):
            kf.TrainConfig(**idle, fine_tune_epochs=0).resolved(True)
        assert kf.TrainConfig(**idle, fine_tune_epochs=1).resolved(True)


def test_what_cannot_be_trained_is_refused_before_a_picture_is_prepared(colour_data, tmp_path, monkeypatch):
    monkeypatch.setattr("kfashion_utils.training.devices.gpus", list)
    root, catalog = colour_data
    tiny = {"backbone": "tiny", "fine_tune_epochs": 1}
    cases = {
        "sees none": (tiny, {"devices": "gpu"}),
        "one size": ({**tiny, "sizes": (32, 64)}, {}),
        "one vector": ({"backbone": "hub:clip_vit_base_patch32", "taps": "stages"}, {}),
        "cuts people out": ({**tiny, "swap": 0.5}, {}),
    }
    for message, (config, options) in cases.items():
        with pytest.raises(InputError, match=message):
            kf.train(
                catalog,
                root,
                tmp_path / "run",
                config=kf.TrainConfig(**config),
                cache=tmp_path / "cache",
                progress=False,
                **options,
            )
    assert not list(tmp_path.iterdir())


def test_values_of_another_type_are_refused_in_words():
    wrong = {
        "batch_size": "16",
        "sizes": 224,
        "seed": None,
        "fine_tune_epochs": 2.5,
        "unfreeze": 1.5,
        "sub_labels": 1,
        "label_smoothing": "0.1",
        "weights": 3,
    }
    with pytest.raises(InputError) as caught:
        kf.TrainConfig(**wrong)
    assert (
        "8 problems" in str(caught.value)
        and all(name in str(caught.value) for name in wrong)
        and "expected a whole number or None" in str(caught.value)
    )
    with pytest.raises(InputError, match="size='224': expected a whole number"):
        kf.Preprocess(size="224")
    assert (
        json.loads(
            json.dumps(kf.TrainConfig(seed=np.int64(3), fine_tune_rate=np.float32(1), weights=Path("a")).to_dict())
        )["seed"]
        == 3
    )


# What learns ----------------------------------------------------------------------------------------------------------


def tuned(config, weights=None, steps=3):
    """A Learner on noise after one epoch, with the weights before."""
    model = build_model(TASK, config.backbone, 32, weights)
    rng = np.random.default_rng(0)
    pixels, labels = (
        rng.integers(0, 256, (8 * steps, 32, 32, 3), np.uint8),
        np.eye(2, dtype=np.float32)[rng.integers(0, 2, 8 * steps)],
    )
    tuning = build_learner(model, TASK, config, labels)
    before = [np.array(variable) for variable in model.variables]
    tuning.one_epoch(Epoch(pixels, task_targets(TASK, labels), TASK, config, 1), 1, [], False)
    return tuning, {
        variable.path: np.abs(np.asarray(variable) - old).max()
        for variable, old in zip(model.variables, before, strict=True)
    }


@pytest.mark.parametrize("unfreeze", [3, *(pytest.param(count, marks=pytest.mark.slow) for count in (None, 0))])
def test_only_what_is_unfrozen_learns(unfreeze, pretrained):
    config = kf.TrainConfig(
        backbone="mobilenet_025", weights=pretrained, batch_size=8, fine_tune_epochs=1, fine_tune_rate=1e-3
    )
    _, moved = tuned(kf.TrainConfig(**{**config.to_dict(), "unfreeze": unfreeze}), pretrained)
    base = {path: change for path, change in moved.items() if "head_0" not in path}
    layers = {path.split("/")[-2] for path, change in base.items() if change > 0}
    assert all(change > 0 for path, change in moved.items() if "head_0" in path)
    assert not any(
        "moving" in path for path, change in base.items() if change > 0
    )  # nor their scales: batch norms stay
    assert (
        len(layers) > 20
        if unfreeze is None
        else layers == (set() if unfreeze == 0 else {"conv_pw_12", "conv_dw_13", "conv_pw_13"})
    )


@pytest.mark.slow
def test_the_head_may_learn_faster_than_the_backbone(pretrained):
    config = {
        "backbone": "mobilenet_025",
        "weights": pretrained,
        "batch_size": 8,
        "fine_tune_epochs": 1,
        "weight_decay": 0.0,
    }
    changes = []
    for factor in (1.0, 10.0):
        _, moved = tuned(kf.TrainConfig(**config, classifier_factor=factor), pretrained, steps=1)
        changes.append(
            [max(change for path, change in moved.items() if ("head_0" in path) == head) for head in (True, False)]
        )
    assert changes[1][0] == pytest.approx(10 * changes[0][0], rel=0.05) and changes[1][1] == pytest.approx(
        changes[0][1], rel=0.05
    )


def test_the_average_of_the_weights_is_judged_and_training_goes_on_without():
    tuning, _ = tuned(kf.TrainConfig(backbone="tiny", weights="none", batch_size=8, fine_tune_epochs=1, ema=0.9))
    raw = tuning.model.get_weights()
    with tuning.averaged():
        average = tuning.model.get_weights()
    for one, two in zip(raw, tuning.model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    assert max(np.abs(one - two).max() for one, two in zip(raw, average, strict=True)) > 1e-4
    # after the first step the average is the weights, after each next one .9 of itself and .1 of them: it lags behind
    start = build_model(TASK, "tiny", 32).get_weights()
    assert np.abs(average[0] - start[0]).mean() < np.abs(raw[0] - start[0]).mean()


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"augment": "randaugment"}, marks=pytest.mark.slow),
        pytest.param(
            {"augment": "strong", "mix": "both", "balance": "sample", "loss": "generalized"}, marks=pytest.mark.slow
        ),
        pytest.param({"balance": "logit", "schedule": "plateau"}, marks=pytest.mark.slow),
    ],
)
def test_every_recipe_learns_colours(options, colour_data, cache, tmp_path):
    config = kf.TrainConfig(backbone="tiny", batch_size=8, fine_tune_epochs=8, ema=0.8, **options)
    run = train(colour_data, tmp_path / "run", config, cache)
    assert run.metrics["label"]["accuracy"] > 0.85
    assert kf.evaluate(kf.predict(run, run.catalog, colour_data[0], progress=False), run.catalog) == run.metrics


def test_people_are_swapped_along_polygons_only(colour_data, cache, tmp_path):
    root, catalog = colour_data
    config = kf.TrainConfig(backbone="tiny", batch_size=8, fine_tune_epochs=1, swap=0.5)
    with pytest.raises(InputError, match="no training row has one"):
        train(colour_data, tmp_path / "none", config, cache)
    drawn = catalog.assign(polygon="[[[5.0, 5.0], [40.0, 5.0], [40.0, 40.0]]]", region="hand")
    assert train((root, drawn), tmp_path / "run", config, cache).finished
    with pytest.raises(InputError, match="painted these over"):
        kf.train(
            drawn,
            root,
            tmp_path / "masked",
            preprocess=kf.Preprocess(size=32, mask="polygon"),
            config=config,
            cache=cache,
            progress=False,
        )


def short_memory(monkeypatch, fits):
    """Let a `fit` with more pictures a batch run out of memory; returns the sizes that were tried."""
    fit, tried = keras.Model.fit, []

    def greedy(model, batches, **options):
        tried.append(batches.config.batch_size)
        if tried[-1] > fits:
            raise RuntimeError("RESOURCE_EXHAUSTED: OOM when allocating tensor")
        return fit(model, batches, **options)

    monkeypatch.setattr("keras.Model.fit", greedy)
    return tried


def test_a_batch_that_does_not_fit_into_memory_is_halved_once_and_for_good(
    colour_data, cache, tmp_path, monkeypatch, capsys
):
    tried = short_memory(monkeypatch, 4)
    config = kf.TrainConfig(backbone="tiny", fine_tune_epochs=1, batch_size=8, seed=3)
    halved = train(colour_data, tmp_path / "run", config, cache)
    assert tried == [8, 4] and halved.fit["batch_size"] == 4
    assert capsys.readouterr().out.count("out of memory: from here on 4 pictures a batch") == 1
    half = dataclasses.replace(config, batch_size=4, learning_rate=config.learning_rate / 2)
    asked = train(colour_data, tmp_path / "asked", half, cache)
    pd.testing.assert_frame_equal(halved.predictions, asked.predictions, check_exact=True)
    tried.clear()
    more = train(colour_data, tmp_path / "run", dataclasses.replace(config, fine_tune_epochs=2), cache)
    assert tried == [4] and len(more.history) == 2


def test_a_single_picture_that_does_not_fit_into_memory_is_refused(colour_data, cache, tmp_path, monkeypatch):
    tried = short_memory(monkeypatch, 0)
    with pytest.raises(InputError, match="batch_size=1; choose smaller pictures"):
        train(colour_data, tmp_path / "run", SCRATCH, cache)
    assert tried == [8, 4, 2, 1]


# Going on -------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_best_weights_lie_between_the_frozen_start_and_the_last_epoch(colour_data, pretrained, cache, tmp_path):
    config = kf.TrainConfig(
        backbone="mobilenet_025", weights=pretrained, fine_tune_epochs=1, fine_tune_rate=1e-3, batch_size=8, ema=0.5
    )
    tuned = train(colour_data, tmp_path / "run", config, cache)
    best, losses = tuned.recipe["fit"]["best"], tuned.history["val_calibrated_loss"]
    assert best["val_calibrated_loss"] <= losses.min()
    root, catalog = colour_data
    valid = catalog[catalog["split"] == "valid"]
    labels = tuned.task.encode(valid)
    scores = tuned.predictions.set_index("id").loc[valid["id"], list(tuned.task.columns)].to_numpy()
    assert calibrated_loss(tuned.task, task_targets(tuned.task, labels), scores) == pytest.approx(
        best["val_calibrated_loss"], abs=1e-4
    )
    assert sorted(path.name[:11] for path in (tuned.path / "checkpoints").iterdir()) == ["epoch-00000", "epoch-00001"]


def test_more_layers_than_there_are_may_all_learn():
    model = build_model(TASK, "tiny", 32)
    every = len(model.trainable_variables)
    config = kf.TrainConfig(backbone="tiny", weights="none", fine_tune_epochs=1, unfreeze=999)
    build_learner(model, TASK, config, np.eye(2, dtype=np.float32))
    assert len(model.trainable_variables) == every


def test_a_state_goes_on_in_another_precision():
    config = kf.TrainConfig(backbone="tiny", weights="none", fine_tune_epochs=1, ema=0.9)
    plain, half = (
        build_learner(
            build_model(TASK, "tiny", 32, seed=number, precision=precision), TASK, config, np.eye(2, dtype=np.float32)
        )
        for number, precision in enumerate(("float32", "mixed_float16"))
    )
    assert set(half.state()) > set(plain.state())
    for one, other in ((plain, half), (half, plain)):
        one.network.optimizer.iterations.assign(7)
        other.restore(one.state())
        for name in plain.state():
            np.testing.assert_array_equal(one.state()[name], other.state()[name])


def test_blended_weights_are_on_a_straight_line(colour_data):
    model = build_model(TASK, "tiny", 32)
    config = kf.TrainConfig(backbone="tiny", weights="none", fine_tune_epochs=1)
    tuning = build_learner(model, TASK, config, np.eye(2, dtype=np.float32))
    start = {name: value + 1 for name, value in tuning.state().items()}
    before = model.get_weights()
    for share in (0, 0.25, 1):
        with tuning.blended(start, share):
            for one, other in zip(before, model.get_weights(), strict=True):
                np.testing.assert_allclose(other, one + 1 - share, atol=1e-6)
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_interrupted_training_ends_bit_for_bit_like_an_undisturbed_one(
    run, colour_data, cache, tmp_path, monkeypatch
):
    one_epoch = Learner.one_epoch

    def dying(learner, batches, epoch, *rest):
        learned = one_epoch(learner, batches, epoch, *rest)
        if epoch == 3:
            raise KeyboardInterrupt  # an epoch's work is lost
        return learned

    monkeypatch.setattr(Learner, "one_epoch", dying)
    with pytest.raises(KeyboardInterrupt):
        train(colour_data, tmp_path / "run", cache=cache)
    monkeypatch.undo()
    assert not kf.Run(tmp_path / "run").finished and len(kf.Run(tmp_path / "run").history) == 2
    resumed = train(colour_data, tmp_path / "run", cache=cache)
    assert_equal_runs(run, resumed)
    one, two = (Checkpoints(path / "checkpoints").read()[0] for path in (run.path, resumed.path))
    for name in one:
        np.testing.assert_array_equal(one[name], two[name])


@pytest.mark.parametrize("share", [0, *(pytest.param(share, marks=pytest.mark.slow) for share in (0.01, 0.5, 0.99)), 1])
def test_a_torn_checkpoint_is_said_and_does_not_count(share, run, colour_data, cache, tmp_path, capsys):
    path = tmp_path / "run"
    shutil.copytree(run.path, path)
    (path / "metrics.json").unlink()
    (state,) = (path / "checkpoints").glob("epoch-*")
    data = state.read_bytes()
    state.write_bytes(data[: int(share * len(data))] if share < 1 else data[:-9] + b"x" + data[-8:])
    assert_equal_runs(run, train(colour_data, path, cache=cache))
    assert "is damaged" in capsys.readouterr().out and len(list((path / "checkpoints").iterdir())) == 1


def test_a_full_disk_loses_only_the_epoch(colour_data, cache, tmp_path, monkeypatch, run):
    def full(path, data):
        if "epoch-00003" in str(path):
            raise OSError(28, "No space left on device")
        storage.write_bytes(path, data)

    monkeypatch.setattr("kfashion_utils.training.checkpoints.write_bytes", full)
    with pytest.raises(OSError, match="No space left.*bytes were to be written.*make room") as caught:
        train(colour_data, tmp_path / "run", cache=cache)
    assert "epoch-00003" in str(caught.value)
    monkeypatch.undo()
    assert len(Checkpoints(tmp_path / "run" / "checkpoints").read()[1]) == 2
    assert_equal_runs(run, train(colour_data, tmp_path / "run", cache=cache))


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_epoch(colour_data, cache, tmp_path, monkeypatch):
    rate = kf.TrainConfig.rate
    monkeypatch.setattr(
        kf.TrainConfig, "rate", lambda self, epoch, *rest: 1e30 if epoch == 3 else rate(self, epoch, *rest)
    )
    with pytest.raises(InputError, match="the loss of epoch 3 is nan: the rate"):
        train(colour_data, tmp_path / "run", SCRATCH, cache)
    assert not kf.Run(tmp_path / "run").finished and len(Checkpoints(tmp_path / "run" / "checkpoints").read()[1]) == 2


@pytest.mark.slow
def test_epochs_grow_exactly_where_the_schedule_allows_it(run, colour_data, cache, tmp_path):
    longer = kf.TrainConfig(**{**SCRATCH.to_dict(), "fine_tune_epochs": 6})
    grown = tmp_path / "grown"
    shutil.copytree(run.path, grown)
    assert_equal_runs(train(colour_data, grown, longer, cache), train(colour_data, tmp_path / "whole", longer, cache))
    cosine = kf.TrainConfig(**{**SCRATCH.to_dict(), "schedule": "cosine", "fine_tune_epochs": 2})
    train(colour_data, tmp_path / "cosine", cosine, cache)
    with pytest.raises(InputError, match="fine_tune_epochs: 2 there, 3 now"):
        train(colour_data, tmp_path / "cosine", kf.TrainConfig(**{**cosine.to_dict(), "fine_tune_epochs": 3}), cache)


MATRIX = {
    "step": {"every": 2},
    "cosine": {"schedule": "cosine", "warmup": 1.5, "ema": 0.9},
    "plateau": {
        "schedule": "plateau",
        "patience": 1,
        "stop_after": 2,
        "mix": "both",
        "learning_rate": 0.02,
    },  # stops early, or is about to
}


@pytest.mark.slow
@pytest.mark.parametrize("start", ["scratch", "pretrained"])
@pytest.mark.parametrize("schedule", list(MATRIX))
def test_six_epochs_are_three_and_a_kill_and_three(schedule, start, colour_data, pretrained, tmp_path):
    root, catalog = colour_data
    kf.write_catalog(catalog, tmp_path / "catalog.csv")
    backbone = (
        {"backbone": "tiny", "weights": "none"}
        if start == "scratch"
        else {"backbone": "mobilenet_025", "weights": pretrained, "fine_tune_rate": 1e-3}
    )
    config = json.dumps({**backbone, "fine_tune_epochs": 6, "batch_size": 8, **MATRIX[schedule]})

    def arguments(name, point="none", epoch=0):
        return tuple(
            map(str, (tmp_path / "catalog.csv", root, tmp_path / name, tmp_path / "cache", config, point, epoch))
        )

    resuming.main(*arguments("whole"))
    whole = kf.load_run(tmp_path / "whole")
    epoch = min(4, int(whole.history["epoch"].max()))  # where training stops early, the epoch after which it does
    for point in resuming.POINTS:
        killed = subprocess.run(
            [sys.executable, resuming.__file__, *arguments(point, point, epoch)],
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert killed.returncode == -9, (point, killed.stderr[-2000:])
        assert int(Checkpoints(tmp_path / point / "checkpoints").read()[1][-1]["epoch"]) == epoch - 1
        resuming.main(*arguments(point))
        assert_equal_runs(whole, kf.load_run(tmp_path / point))
        shutil.rmtree(tmp_path / point)


# Devices --------------------------------------------------------------------------------------------------------------

TWO_DEVICES = """
import json, sys
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
import kfashion_utils as kf
catalog, root, run, cache, config, devices = sys.argv[1:]
config = kf.TrainConfig(**json.loads(config))
run = kf.train(kf.read_catalog(catalog), root, run, preprocess=kf.Preprocess(size=32), config=config,
               cache=cache, workers=1, devices=devices or None, progress=False)
"""


@pytest.mark.slow
def test_two_devices_learn_what_one_learns(colour_data, pretrained, tmp_path):
    root, catalog = colour_data
    kf.write_catalog(
        catalog.assign(label=np.where(np.arange(45) % 7, catalog["label"], "")), tmp_path / "catalog.csv"
    )  # some rows say nothing
    config = json.dumps(
        {
            "backbone": "mobilenet_025",
            "weights": pretrained,
            "fine_tune_epochs": 3,
            "batch_size": 10,
            "fine_tune_rate": 1e-3,
            "mix": "mixup",
        }
    )
    for given in ("", "all"):
        arguments = [tmp_path / "catalog.csv", root, tmp_path / f"run{given}", tmp_path / "cache", config, given]
        done = subprocess.run(
            [sys.executable, "-c", TWO_DEVICES, *map(str, arguments)], capture_output=True, text=True, timeout=600
        )
        assert done.returncode == 0, done.stderr[-3000:]
    one, two = (kf.load_run(tmp_path / f"run{given}") for given in ("", "all"))
    assert np.ptp(one.history["loss"]) > 0.005
    np.testing.assert_allclose(two.history["loss"], one.history["loss"], atol=1e-5)
    np.testing.assert_allclose(two.history["val_loss"], one.history["val_loss"], atol=1e-5)


def test_half_precision_is_for_fine_tuning_on_gpus_that_gain(monkeypatch):
    tuned = kf.TrainConfig(fine_tune_epochs=1)
    assert devices.precision_of(tuned) == "float32"
    monkeypatch.setattr(devices, "gpus", lambda: ["gpu"])
    for capability, policy in (
        (6.1, "float32"),
        (7.5, "mixed_float16"),
        (8.0, "mixed_bfloat16"),
        (9.0, "mixed_bfloat16"),
    ):
        monkeypatch.setattr(devices, "_capability", lambda gpu, capability=capability: capability)
        assert devices.precision_of(tuned) == policy
    assert devices.precision_of(kf.TrainConfig(fine_tune_epochs=0)) == "float32"
    assert devices.precision_of(kf.TrainConfig(fine_tune_epochs=1, precision="float32")) == "float32"


def test_a_gpu_that_is_not_there_is_said(monkeypatch):
    monkeypatch.setattr("kfashion_utils.training.devices.gpus", list)
    with pytest.raises(InputError, match="sees none; in Colab"):
        devices.require_devices("gpu", 16)
    with pytest.raises(InputError, match="expected one of"):
        devices.require_devices("tpu", 16)
    assert devices.require_devices(None, 16) == 1
    if keras.backend.backend() == "jax":
        with pytest.raises(InputError, match="needs Keras' tensorflow backend, this is jax"):
            devices.require_devices("all", 16)
        return
    monkeypatch.setattr("kfashion_utils.training.devices._all_devices", lambda: ["GPU:0", "GPU:1"])
    assert devices.require_devices("all", 16) == 2
    with pytest.raises(InputError, match="batch_size=15 cannot be shared evenly by 2"):
        devices.require_devices("all", 15)
    assert devices.compile_kernels() is False


def test_a_run_can_start_from_the_backbone_of_another(run, colour_data, cache, tmp_path):
    config = kf.TrainConfig(backbone="tiny", weights=str(run.path), fine_tune_epochs=0)
    transferred = train(colour_data, tmp_path / "run", config, cache)
    assert transferred.config.taps == "stages" and transferred.metrics["label"]["accuracy"] > 0.9
    one, two = (load_trained(each).get_layer("backbone").get_weights() for each in (run, transferred))
    for before, after in zip(one, two, strict=True):
        np.testing.assert_array_equal(before, after)
    with pytest.raises(InputError, match="a run of 'tiny', this recipe is of 'mobilenet_025'"):
        train(colour_data, tmp_path / "other", kf.TrainConfig(backbone="mobilenet_025", weights=str(run.path)), cache)


@pytest.mark.slow
def test_a_run_that_started_from_another_goes_on_without_its_cache(run, colour_data, cache, tmp_path):
    """Colab's disk is new after a lost session; layers are numbered otherwise when other models were built before."""
    config = kf.TrainConfig(backbone="tiny", weights=run.path, fine_tune_epochs=1, ema=0.0)
    first = train(colour_data, tmp_path / "run", config, tmp_path / "cache")
    shutil.rmtree(tmp_path / "cache")
    build_model(TASK, "tiny", 32)
    longer = train(
        colour_data, tmp_path / "run", kf.TrainConfig(**{**config.to_dict(), "fine_tune_epochs": 2}), tmp_path / "new"
    )
    assert (
        longer.history["epoch"].tolist() == [0, 1, 2]
        and longer.recipe["weights_sha256"] == first.recipe["weights_sha256"]
    )


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["mixed_bfloat16", pytest.param("mixed_float16", marks=pytest.mark.slow)])
def test_half_precision_learns_and_is_served_in_float32(precision, colour_data, cache, tmp_path, monkeypatch):
    monkeypatch.setattr("kfashion_utils.training.train.precision_of", lambda config: precision)
    config = kf.TrainConfig(backbone="tiny", batch_size=8, fine_tune_epochs=5, ema=0.8)
    run = train(colour_data, tmp_path / "run", config, cache)
    assert run.metrics["label"]["accuracy"] > 0.8 and {variable.dtype for variable in load_trained(run).variables} == {
        "float32"
    }
    again = kf.predict(run, run.catalog, colour_data[0], progress=False)
    columns = [name for name in again if ":" in name]
    np.testing.assert_allclose(again[columns], run.predictions[columns], atol=1e-5)
