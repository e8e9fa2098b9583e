"""`kill -9` at random moments: calling again finishes with what an undisturbed call gives."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from conftest import picture

import kfashion_utils as kf
from kfashion_utils.__main__ import main
from kfashion_utils.storage.files import hash_file

KILLS = 10
ROUNDS = 70 if os.environ.get("KFASHION_TORTURE") == "1" else KILLS  # of the preparation: three kills each


def command(*arguments):
    return [sys.executable, "-m", "kfashion_utils", *map(str, arguments)]


def run(arguments):
    """Run to the end, as a process of its own; returns the seconds it took."""
    started = time.monotonic()
    subprocess.run(arguments, check=True, capture_output=True, timeout=600)
    return time.monotonic() - started


def finish(arguments):
    """Run to the end in this process, which has loaded Keras."""
    assert main(arguments[3:]) == 0


def kill_at_random(arguments, seconds, rng):
    """Start, kill the whole process group after a random share of `seconds`; returns whether it was still running."""
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    time.sleep(rng.uniform(0.3, 1) * seconds)
    running = process.poll() is None
    if running:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return running


def interrupt(arguments, made, seconds, rng):
    """Kill at a random moment; a process that was quicker than that starts again from nothing, with less time."""
    while not kill_at_random(arguments, seconds, rng):
        shutil.rmtree(made, ignore_errors=True)
        seconds *= 0.8


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """(root, path of a catalog) with 160 large pictures in two classes."""
    root = tmp_path_factory.mktemp("kill")
    for number in range(160):
        colour = (200, 60, 60) if number % 2 else (60, 60, 200)
        picture(root / "data" / ("b" if number % 2 else "a") / f"{number:03d}.jpg", (900, 1200), colour, seed=number)
    (root / "data" / "a" / "000.jpg").write_bytes(b"broken")
    catalog, _ = kf.build_catalog("folders", root / "data")
    kf.write_catalog(kf.split_catalog(catalog, valid=0.25), root / "catalog.csv")
    return root / "data", root / "catalog.csv"


@pytest.mark.slow
def test_preparing_survives_kills_at_random_moments(pictures, tmp_path):
    root, catalog = pictures
    rng = random.Random(0)

    def arguments(cache):
        return command("preprocess", catalog, "--root", root, "--cache", cache, "--size", 128)

    def contents(cache):
        prepared = kf.preprocess_images(kf.read_catalog(catalog), root, cache, kf.Preprocess(size=128), progress=False)
        return {row: prepared.read(row) for row in prepared.ids}, prepared.failures

    seconds = run(arguments(tmp_path / "whole"))
    expected, failures = contents(tmp_path / "whole")
    for attempt in range(ROUNDS):
        cache = tmp_path / f"cache{attempt}"
        interrupt(arguments(cache), cache, seconds, rng)
        for _ in range(2):
            kill_at_random(arguments(cache), seconds, rng)
        finish(arguments(cache))
        found, rejected = contents(cache)
        assert found == expected
        pd.testing.assert_frame_equal(rejected, failures)
        folder = next(cache.iterdir())
        assert all(
            path.suffix == ".zip" and hash_file(path) == path.stem or path.name in ("failures.csv", "recipe.json")
            for path in folder.iterdir()
        )


@pytest.mark.slow
def test_training_survives_kills_at_random_moments(pictures, tmp_path):
    root, catalog = pictures
    rng = random.Random(1)

    def arguments(path):
        recipe = ["--size", 64, "--backbone", "tiny", "--fine-tune-epochs", 8, "--every", 4, "--batch-size", 16]
        return command("train", catalog, "--root", root, "--cache", tmp_path / "cache", "--run", path, *recipe)

    run(arguments(tmp_path / "warm"))
    seconds = run(arguments(tmp_path / "whole"))
    expected = kf.load_run(tmp_path / "whole")
    columns = [name for name in expected.history.columns if name != "seconds"]
    for attempt in range(KILLS):
        path = tmp_path / f"run{attempt}"
        interrupt(arguments(path), path, seconds, rng)
        finish(arguments(path))
        found = kf.load_run(path)
        pd.testing.assert_frame_equal(found.history[columns], expected.history[columns], check_exact=True)
        pd.testing.assert_frame_equal(found.predictions, expected.predictions, check_exact=True)
        assert not [p for p in Path(path).rglob(".*") if p.name != "."]
