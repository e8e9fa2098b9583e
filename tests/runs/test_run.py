"""A run's record: what is written is read again, and `run.json` of older versions stays readable."""

import json
from pathlib import Path

import pytest

from kfashion_utils.errors import InputError
from kfashion_utils.images.recipe import Preprocess
from kfashion_utils.runs.config import TrainConfig
from kfashion_utils.runs.run import Record, Run
from kfashion_utils.tables.labels import Head, Task

TASK = Task("kind", (Head("kind", ("a", "b")),))
OLD = """{
  "task": {
    "name": "kind",
    "heads": [{"name": "kind", "classes": ["a", "b"], "multi": false, "weight": 1.0, "parents": null}]
  },
  "preprocess": {
    "size": 96, "crop": "box", "margin": 0.0, "mask": "polygon", "fit": "pad", "fill": 255, "quality": 95
  },
  "train": {
    "backbone": "tiny", "weights": "none", "taps": "last", "sizes": [], "views": 4, "head": "hidden",
    "head_epochs": 7, "head_factor": 2.0, "balance": "none", "fine_tune_epochs": 0, "seed": 3
  },
  "weights_sha256": null,
  "catalog": {"hash": "cdcd", "rows": {"train": 16, "valid": 4}},
  "environment": {"python": "3.10"},
  "times": {"seconds": 7.5}
}"""


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path)


def test_a_record_of_an_older_version_is_read(run):
    (run.path / "run.json").write_text(OLD, encoding="utf-8")
    assert run.exists and not run.finished
    assert (run.task, run.preprocess.size, run.preprocess.mask) == (TASK, 96, "polygon")
    config = run.config
    assert (config.variants, config.classifier, config.classifier_epochs, config.classifier_factor) == (
        4,
        "hidden",
        7,
        2.0,
    )
    assert config.sizes == () and not config.start.pretrained
    assert run.trained_on == {"hash": "cdcd", "rows": {"train": 16, "valid": 4}}
    # what that version did not write
    assert (run.split, run.root, run.rejected, run.prior) == ("train", None, None, None)
    assert (run.by_row, run.lacking, run.regions, run.fit, run.without_annotation) == ((), 0.0, {}, {}, {})


def test_a_record_is_read_as_it_was_written(run):
    record = Record(TASK, Preprocess(size=32), TrainConfig(sizes=(224,)), root="/photos", by_row=("kind",))
    run.begin(record)
    again = Run(run.path)
    assert again.record == record
    assert again.root == Path("/photos") and again.by_row == ("kind",)


def test_what_is_found_later_is_added(run):
    run.begin(Record(TASK, Preprocess(), TrainConfig()))
    assert "times" not in json.loads((run.path / "run.json").read_text(encoding="utf-8"))
    run.note(times={"seconds": 3.0}, rejected=0)
    again = Run(run.path)
    assert run.record == again.record
    assert (again.times, again.rejected) == ({"seconds": 3.0}, 0)


def test_a_new_record_unfinishes_a_run(run):
    (run.path / "metrics.json").write_text("{}", encoding="utf-8")
    assert run.finished
    run.begin(Record(TASK, Preprocess(), TrainConfig()))
    assert not run.finished


@pytest.mark.parametrize("content, said", [
    ("{", "is not JSON"),
    ("[]", "is not a run's record"),
    ('{"task": 3}', "no \\['preprocess', 'train'\\]"),
    (OLD.replace('"tiny"', '"tiny", "nonsense": 1'), "nonsense"),
])  # fmt: skip
def test_what_is_no_record_is_refused(run, content, said):
    (run.path / "run.json").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=said):
        run.record  # noqa: B018 - it is read here
