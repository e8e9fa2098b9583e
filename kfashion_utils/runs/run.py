"""`Run`: the folder that training leaves, read lazily; and its record, `run.json`."""

import json
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path

import pandas as pd

from kfashion_utils.errors import InputError
from kfashion_utils.images.recipe import Preprocess
from kfashion_utils.recipes import from_dict
from kfashion_utils.runs.config import TrainConfig
from kfashion_utils.storage.files import hash_file, known_hash, write_json
from kfashion_utils.tables.catalog import read_catalog
from kfashion_utils.tables.labels import Task
from kfashion_utils.tables.predictions import read_predictions

FILE_NAMES = {"config": "train"}  # where a field is called otherwise in the file
LATER = ("fit", "files", "times", "rejected", "without_annotation")  # not in the file before they are known
WEIGHTS = ("best.weights.h5", "last.weights.h5")
TABLES = ("history.csv", "predictions.csv", "valid.csv.gz")
LEARNED = "catalog.csv.gz"  # the rows of a run that judges only some of them
SEALED = (*WEIGHTS, *TABLES)  # files whose hashes a finished run keeps
NEEDED = ("task", "preprocess", "train")
CONTINUED = "`kfashion train` with the same recipe continues it"


class FileChanged(InputError):
    """A file of a run that is not the one which training wrote: half copied, cut, or edited."""


@dataclass(frozen=True)
class Record:
    """What `run.json` holds: the one schema of who writes it and who reads it. Runs of older versions lack some of it.

    Attributes:
        task, preprocess, config: the recipe; `config` is called `train` in the file.
        split: `train`, or `all` for a final fit.
        weights_sha256: of the weights it started from; None = random ones, or a preset's.
        catalog: `hash` of the rows learned from and judged, `rows` = {split: how many}.
        regions: {who found the region of a training row: share}.
        lacking: share of the training rows without a region that the recipe reads.
        by_row: names of the heads whose label differs between the rows of a photo: they are answered by row.
        prior: {head: {"train": {class: share}, "model": the mix that the model's answers assume}}; None = not known.
        environment: {package: version}, the commit, Keras' backend.
        root: folder that the paths of the catalog are relative to; None = not known.
        cache: folder of its caches; None = not known.
        fit: what was chosen while fitting: `chosen` {head: settings}, `thresholds` {head: {class: probability}},
            `best`.
        files: {file name: sha256} of the weights and tables of a finished run.
        times: `finished` (ISO 8601), `seconds`.
        rejected: how many pictures could not be used; None = not known.
        without_annotation: {head: figures} of the validation rows without any annotation; empty = it reads none.
    """

    task: Task
    preprocess: Preprocess
    config: TrainConfig
    split: str = "train"
    weights_sha256: str | None = None
    catalog: dict = field(default_factory=dict)
    regions: dict = field(default_factory=dict)
    lacking: float = 0.0
    by_row: tuple = ()
    prior: dict | None = None
    environment: dict = field(default_factory=dict)
    root: str | None = None
    cache: str | None = None
    fit: dict = field(default_factory=dict)
    files: dict = field(default_factory=dict)
    times: dict = field(default_factory=dict)
    rejected: int | None = None
    without_annotation: dict = field(default_factory=dict)

    @classmethod
    def from_json(cls, values, source):
        """The record in the values of a `run.json`; keys that are not known are left out.

        Raises:
            InputError: not a run's record, or its recipe is not usable.
        """
        missing = [name for name in NEEDED if not isinstance(values, dict) or name not in values]
        if missing:
            raise InputError(f"{source} is not a run's record: no {missing}")
        known = {one.name: values[one.name] for one in fields(cls) if one.name in values}
        recipe = {
            "task": Task.from_dict(values["task"]),
            "preprocess": from_dict(Preprocess, values["preprocess"], source),
            "config": from_dict(TrainConfig, values["train"], source),
        }
        return cls(**{**known, **recipe, "by_row": tuple(values.get("by_row", ()))})

    def to_json(self):
        """Plain values, as `run.json` holds them."""
        values = {FILE_NAMES.get(one.name, one.name): getattr(self, one.name) for one in fields(self)}
        values = {name: value for name, value in values.items() if name not in LATER or value not in ({}, None)}
        recipe = {"task": self.task.to_dict(), "preprocess": self.preprocess.to_dict(), "train": self.config.to_dict()}
        return {**values, **recipe, "by_row": list(self.by_row)}


def _of_record(name):
    """A property of a Run that reads one field of its record."""
    return property(lambda run: getattr(run.record, name), doc=f"`Record.{name}` of this run.")


class Run:
    """A run folder. Nothing is read before it is asked for.

    Attributes:
        path: the folder.
        finished: whether `metrics.json`, which is written last, is there.
        record: the `Record` in `run.json`; its fields (`task`, `preprocess`, `config`, `split`, `regions`, …) are
            attributes of the run, too. `note` adds to it.
        history: DataFrame, one row an epoch; epoch 0 is the classifier fitted on frozen features.
        predictions: DataFrame of the validation rows.
        metrics: what `evaluate` says of them.
        catalog: DataFrame of the validation rows, as trained with.
    """

    task = _of_record("task")
    preprocess = _of_record("preprocess")
    config = _of_record("config")
    split = _of_record("split")
    weights_sha256 = _of_record("weights_sha256")
    trained_on = _of_record("catalog")
    regions = _of_record("regions")
    lacking = _of_record("lacking")
    by_row = _of_record("by_row")
    prior = _of_record("prior")
    environment = _of_record("environment")
    fit = _of_record("fit")
    times = _of_record("times")
    rejected = _of_record("rejected")
    without_annotation = _of_record("without_annotation")

    def __init__(self, path):
        self.path = Path(path)

    def __repr__(self):
        return f"Run({str(self.path)!r})"

    @property
    def exists(self):
        """Whether the folder is a run's, finished or not."""
        return (self.path / "run.json").exists()

    @property
    def finished(self):
        return (self.path / "metrics.json").exists()

    # The record -------------------------------------------------------------------------------------------------------

    @cached_property
    def record(self):
        return Record.from_json(self._json("run.json"), self.path / "run.json")

    @property
    def recipe(self):
        """The record as plain values, for those who read `run.json` by key."""
        return self.record.to_json()

    def begin(self, record):
        """Write a record: it makes the folder a run's, which can be continued. What was finished is so no more."""
        (self.path / "metrics.json").unlink(missing_ok=True)
        self._write(record)

    def note(self, **found):
        """Replace fields of the record."""
        self._write(replace(self.record, **found))

    def _write(self, record):
        write_json(self.path / "run.json", record.to_json())
        self.record = record

    # Files ------------------------------------------------------------------------------------------------------------

    @property
    def history(self):
        return pd.read_csv(self._existing("history.csv"))

    @property
    def predictions(self):
        return read_predictions(self._existing("predictions.csv"), self.task)

    @property
    def metrics(self):
        return self._json("metrics.json")

    @property
    def catalog(self):
        return read_catalog(self._existing("valid.csv.gz"))

    @property
    def learned_catalog(self):
        """DataFrame of the rows that it learns from and is judged on, as it was begun with; None = it did not keep
        them."""
        path = self.path / (LEARNED if self.split == "train" else "valid.csv.gz")
        return read_catalog(path) if path.is_file() else None

    @property
    def root(self):
        """Folder that the catalog's paths are relative to; None = not known."""
        return None if self.record.root is None else Path(self.record.root)

    @property
    def weights(self):
        """Path of the best weights, checked against the hash in `run.json`.

        Raises:
            InputError: missing, or changed since training.
        """
        return self._existing(WEIGHTS[0])

    def require_weights(self):
        """Raise `InputError` where `weights` does."""
        self._existing(WEIGHTS[0])

    def _existing(self, name):
        """Path of a file, checked against the hash in `run.json` where that holds one."""
        path = self.path / name
        if not path.is_file():
            raise InputError(f"{path} is missing: the run is not finished, or it is no run folder; {CONTINUED}")
        expected = self.record.files.get(name) if name in SEALED else None
        if expected and known_hash(path) != expected:
            raise FileChanged(
                f"{path} is not the file that training wrote: its {path.stat().st_size:,} bytes have another hash than "
                "run.json states (half copied, cut, or edited?); copy the run again, or train it anew"
            )
        return path

    def seal(self, *names):
        """Note the hashes of files, so that changed ones are told."""
        self.note(files={**self.record.files, **{name: hash_file(self.path / name) for name in names}})

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
        raise InputError(f"{path} is not a finished run (no metrics.json); {CONTINUED}")
    return run
