"""`Run`: the folder that training leaves, read lazily."""

import json
from functools import cached_property
from pathlib import Path

import pandas as pd

from kfashion_utils.errors import InputError
from kfashion_utils.images.recipe import Preprocess
from kfashion_utils.recipes import from_dict
from kfashion_utils.runs.config import TrainConfig
from kfashion_utils.storage.files import hash_file
from kfashion_utils.tables.catalog import read_catalog
from kfashion_utils.tables.labels import Task
from kfashion_utils.tables.predictions import read_predictions


class Run:
    """A run folder. Nothing is read before it is asked for.

    Attributes:
        path: the folder.
        finished: whether `metrics.json`, which is written last, is there.
        recipe: all of `run.json`; `task`, `preprocess` and `config` are its three parts as values.
        history: DataFrame, one row an epoch; epoch 0 is the head solved on frozen features.
        predictions: DataFrame of the validation rows.
        metrics: what `evaluate` says of them.
        catalog: DataFrame of the validation rows, as trained with; `root`: the folder that their paths were relative to.
    """

    def __init__(self, path):
        self.path = Path(path)

    def __repr__(self):
        return f"Run({str(self.path)!r})"

    @property
    def finished(self):
        return (self.path / "metrics.json").exists()

    @cached_property
    def recipe(self):
        recipe = self._json("run.json")
        missing = [
            name for name in ("task", "preprocess", "train") if not isinstance(recipe, dict) or name not in recipe
        ]
        if missing:
            raise InputError(f"{self.path / 'run.json'} is not a run's recipe: no {missing}")
        return recipe

    @cached_property
    def task(self):
        return Task.from_dict(self.recipe["task"])

    @cached_property
    def preprocess(self):
        return from_dict(Preprocess, self.recipe["preprocess"], self.path / "run.json")

    @cached_property
    def config(self):
        return from_dict(TrainConfig, self.recipe["train"], self.path / "run.json")

    @property
    def history(self):
        return pd.read_csv(self._existing("history.csv"))

    @property
    def predictions(self):
        return read_predictions(self._existing("predictions.csv"))

    @property
    def metrics(self):
        return self._json("metrics.json")

    @property
    def catalog(self):
        return read_catalog(self._existing("valid.csv.gz"))

    @property
    def root(self):
        return Path(self.recipe["root"])

    @property
    def weights(self):
        """Path of the best weights, checked against the hash in `run.json`.

        Raises:
            InputError: missing, or changed since training.
        """
        path = self._existing("best.weights.h5")
        expected = self.recipe.get("files", {}).get(path.name)
        if expected and hash_file(path) != expected:
            raise InputError(
                f"{path} is not the file that training wrote (its hash differs from run.json); train again"
            )
        return path

    def _existing(self, name):
        path = self.path / name
        if not path.is_file():
            raise InputError(
                f"{path} is missing: the run is not finished, or it is no run folder; `kfashion train` with the same recipe continues it"
            )
        return path

    def _json(self, name):
        path = self._existing(name)
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise InputError(f"{path} is not JSON: {error}") from error


def load_run(path):
    """A finished run.

    Raises:
        InputError: no such folder, or the run is not finished.
    """
    run = Run(path)
    if not run.finished:
        raise InputError(
            f"{path} is not a finished run (no metrics.json); `kfashion train` with the same recipe continues it"
        )
    return run
