"""Whether the device waits: seconds and pictures a second of every step that a GPU can take, on Keras' backend of the
environment (KERAS_BACKEND); TensorFlow is not needed where it is jax.

    python -m benchmarks.accelerator [--backbones efficientnet_lite0 resnet50] [--photos 1024] [--batch 64]

Everything is drawn or random: no data and no weights are needed. Prints Markdown; minutes on a GPU. Without one, take
`--photos 192 --batch 16 --backbones efficientnet_lite0`.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

import kfashion_utils as kf
import kfashion_utils.training.train  # noqa: F401 - the times are wall time after import
from kfashion_utils.environment import describe_machine, versions
from kfashion_utils.models.backbones import build_base
from kfashion_utils.models.model import build_model, model_features
from kfashion_utils.tables.labels import Head, Task
from kfashion_utils.training.batches import READERS, Epoch
from kfashion_utils.training.devices import keep_compiled, one_shape, precision_of, prediction_batch
from kfashion_utils.training.features import compute_features
from kfashion_utils.training.fine_tuning import build_learner
from kfashion_utils.training.linear import solve_linear
from kfashion_utils.training.losses import task_targets

SIZE = 224
ROWS, VIEWS, DEPTH, CLASSES = 3068, 2, 5856, 10  # of the head: clothing_small seen by EfficientNet-Lite0's stages
TASK = Task("noise", (Head("label", tuple("abcdefghij")),))
COMPILED = """
import sys
from benchmarks.accelerator import first_step
print(first_step(sys.argv[1], int(sys.argv[2])))
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backbones", nargs="*", default=["efficientnet_lite0", "resnet50"])
    parser.add_argument("--photos", type=int, default=1024)
    parser.add_argument("--batch", type=int, default=64)
    given = parser.parse_args()
    found = versions()
    print(f"{describe_machine()}; {keras.backend.backend()}, Keras {found['keras']}\n\n| what | seen |\n|---|---|")
    for backbone in given.backbones:  # first: this process does not hold the device's memory yet
        first, again = compile_seconds(backbone, given.batch)
        row(
            f"{backbone}: first step of a process, nothing compiled before; the next process",
            f"{first:.0f} s; {again:.0f} s",
        )
    pixels, labels = noise(given.photos)
    row(
        "input alone, light augmentation",
        f"{input_speed(pixels, labels, given.batch):,.0f} pictures/s, {READERS} readers",
    )
    row(f"head, {ROWS:,} rows x {VIEWS} views x {DEPTH:,}, {CLASSES} classes", f"{head_seconds():.1f} s")
    for backbone in given.backbones:
        ready, ours = step_speeds(backbone, pixels, labels, given.batch)
        row(
            f"{backbone}: step on ready arrays; with our input",
            f"{ready:,.0f}; {ours:,.0f} pictures/s: {ours / ready:.2f}",
        )
    with tempfile.TemporaryDirectory() as scratch:
        whole_runs(Path(scratch), given)


def row(what, seen):
    print(f"| {what} | {seen} |", flush=True)


def noise(photos, size=SIZE):
    """(pixels uint8 `(photos, size, size, 3)`, labels float32 `(photos, 10)`)."""
    rng = np.random.default_rng(0)
    labels = np.eye(CLASSES, dtype=np.float32)[rng.integers(0, CLASSES, photos)]
    coarse_noise = rng.integers(0, 256, (photos, size // 8, size // 8, 3), np.uint8)
    return np.repeat(np.repeat(coarse_noise, 8, axis=1), 8, axis=2), labels


def settings_of(backbone, batch):
    return kf.TrainConfig(backbone=backbone, weights="none", fine_tune_epochs=1, batch_size=batch, augment="light")


# Input and head -------------------------------------------------------------------------------------------------------


def input_speed(pixels, labels, batch):
    """Augmented pictures a second without a network."""
    epoch = epoch_of(pixels, labels, settings_of("tiny", batch), 1)
    with ThreadPoolExecutor(READERS) as readers:
        started = time.perf_counter()
        for _ in readers.map(epoch.__getitem__, range(len(epoch))):
            pass
        return len(pixels) / (time.perf_counter() - started)


def head_seconds():
    """Seconds of a linear classifier, its strength chosen over four folds."""
    rng = np.random.default_rng(0)
    answer = rng.integers(0, CLASSES, ROWS)
    rows = rng.normal(size=(ROWS, 256)) + 0.7 * rng.normal(size=(CLASSES, 256))[answer]
    rows = rows @ (rng.normal(size=(256, DEPTH)) * np.geomspace(1, 0.03, 256)[:, None])
    views = np.stack([rows + rng.normal(size=rows.shape) for _ in range(VIEWS)]).astype(np.float32)
    started = time.perf_counter()
    solve_linear(TASK, views, np.eye(CLASSES, dtype=np.float32)[answer], np.arange(ROWS))
    return time.perf_counter() - started


# Steps ----------------------------------------------------------------------------------------------------------------


def epoch_of(pixels, labels, settings, number):
    targets = task_targets(TASK, labels)
    return Epoch(pixels, targets, TASK, settings, number, multiple=one_shape(settings.batch_size))


def learner_of(backbone, settings, labels):
    model = build_model(TASK, backbone, SIZE, precision=precision_of(settings))
    return build_learner(model, TASK, settings, labels)


def first_step(backbone, batch):
    """Seconds of the first step of fine-tuning, most of which is compiling."""
    keep_compiled()
    pixels, labels = noise(batch)
    settings = settings_of(backbone, batch)
    learner = learner_of(backbone, settings, labels)
    started = time.perf_counter()
    learner.one_epoch(epoch_of(pixels, labels, settings, 1), 1, [], False)
    return time.perf_counter() - started


def compile_seconds(backbone, batch):
    """Seconds of the first step in two processes, of which the second finds what the first has compiled."""
    with tempfile.TemporaryDirectory() as kept:
        variables = os.environ | {"KFASHION_COMPILED": kept}
        command = [sys.executable, "-c", COMPILED, backbone, str(batch)]
        done = [subprocess.run(command, env=variables, capture_output=True, text=True, check=True) for _ in range(2)]
    return [float(one.stdout.split()[-1]) for one in done]


def step_speeds(backbone, pixels, labels, batch, rounds=3):
    """Pictures a second on arrays that lie ready and by our input, medians of interleaved rounds."""
    settings = settings_of(backbone, batch)
    network = learner_of(backbone, settings, labels).network
    epoch = epoch_of(pixels, labels, settings, 1)
    ready = Ready([epoch[number] for number in range(len(epoch))])
    network.fit(ready, epochs=1, verbose=0, shuffle=False)
    spent = {"ready": [], "ours": []}
    for number in range(rounds):
        for name, batches in (("ready", ready), ("ours", epoch_of(pixels, labels, settings, number))):
            started = time.perf_counter()
            network.fit(batches, epochs=1, verbose=0, shuffle=False)
            spent[name].append(time.perf_counter() - started)
    return [np.median(len(pixels) / np.array(seconds)) for seconds in spent.values()]


class Ready(keras.utils.PyDataset):
    """Batches that lie ready."""

    def __init__(self, batches):
        super().__init__()
        self.batches = batches

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, number):
        return self.batches[number]


# Whole runs -----------------------------------------------------------------------------------------------------------


def whole_runs(scratch, given):
    """A pass of features against the backbone alone, a frozen run, and six epochs of fine-tuning, on drawn
    photographs."""
    kf.draw_sample(scratch / "drawn", photos=given.photos, seed=0)
    catalog = kf.split_catalog(kf.build_catalog("sample", scratch / "drawn")[0], valid=0.1)
    recipe = kf.Preprocess(size=SIZE)
    prepared = kf.preprocess_images(catalog, scratch / "drawn", scratch / "cache", recipe, progress=False)
    backbone, ids = given.backbones[0], list(prepared.ids)
    model = build_model(TASK, backbone, SIZE)
    alone, ours = feature_speeds(model, prepared, ids, scratch / "features")
    row(f"{backbone}: backbone alone; pass of features", f"{alone:,.0f}; {ours:,.0f} pictures/s: {ours / alone:.2f}")
    weights = scratch / "random.weights.h5"  # they stand for published ones: what they cost is the same
    build_base(backbone, SIZE).save_weights(weights)
    for name, epochs in {"frozen": 0, "frozen, then six epochs of fine-tuning": 6}.items():
        settings = {"weights": str(weights), "batch_size": given.batch, "fine_tune_epochs": epochs}
        config = kf.TrainConfig(backbone=backbone, **settings)
        options = {"preprocess": recipe, "config": config, "cache": scratch / f"cache-{epochs}", "progress": False}
        started = time.perf_counter()
        kf.train(catalog, scratch / "drawn", scratch / f"run-{epochs}", **options)
        row(f"{backbone}: whole run, {name}, {len(ids):,} pictures", f"{time.perf_counter() - started:.0f} s")


def feature_speeds(model, prepared, ids, cache):
    """Pictures a second of the backbone on arrays that lie ready, and of a pass that decodes them and keeps their
    features."""
    extractor, size = model_features(model), prediction_batch()
    batch = np.stack([prepared.pixels(one) for one in ids[:size]])
    extractor.predict(batch, batch_size=size, verbose=0)
    rounds = max(2, len(ids) // len(batch))
    many = np.concatenate([batch] * rounds)
    started = time.perf_counter()
    extractor.predict(many, batch_size=size, verbose=0)
    alone = len(many) / (time.perf_counter() - started)
    compute_features(model, prepared, ids[:size], cache / "warm", progress=False)
    started = time.perf_counter()
    compute_features(model, prepared, ids, cache / "kept", progress=False)
    return alone, len(ids) / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
