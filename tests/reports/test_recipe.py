"""A recipe in words: every field of a training is said, what was not used is not; and the command that repeats it."""

from dataclasses import fields, replace

import pytest

from kfashion_utils.images.recipe import Preprocess
from kfashion_utils.reports.command import flag_words, train_command
from kfashion_utils.reports.recipe import network, pixels, training
from kfashion_utils.reports.rules import board_rules
from kfashion_utils.runs.config import TrainConfig
from kfashion_utils.runs.run import Record, Run
from kfashion_utils.tables.labels import Head, Task
from kfashion_utils.tables.tasks import STYLE

TASK = Task("style", (STYLE,))
TUNED = TrainConfig(weights="imagenet", fine_tune_epochs=10, taps="stages", augment="light")
OTHER = {
    "backbone": "tiny",
    "weights": "none",
    "taps": "last",
    "sizes": (224, 320),
    "variants": 4,
    "classifier": "hidden",
    "classifier_epochs": 7,
    "balance": "sqrt",
    "mix": "both",
    "loss": "generalized",
    "sub_labels": True,
    "fine_tune_epochs": 11,
    "batch_size": 8,
    "learning_rate": 0.5,
    "fine_tune_rate": 0.5,
    "classifier_factor": 10.0,
    "unfreeze": 20,
    "schedule": "cosine",
    "drop": 0.1,
    "every": 1,
    "patience": 9,
    "warmup": 2.0,
    "stop_after": 5,
    "ema": 0.99,
    "augment": "strong",
    "swap": 0.25,
    "label_smoothing": 0.2,
    "parent_share": 0.3,
    "weight_decay": 0.5,
    "precision": "float32",
    "seed": 3,
}
READ_ONLY_WITH = {
    "classifier_epochs": {"classifier": "hidden"},
    "learning_rate": {"classifier": "hidden"},
    "patience": {"schedule": "plateau"},
}


def record(config, preprocess=None, task=TASK, **values):
    return Record(task, preprocess or Preprocess(), config, **values)


@pytest.mark.parametrize("field", [field.name for field in fields(TrainConfig)])
def test_every_field_of_a_training_is_said(field):
    before = replace(TUNED, **READ_ONLY_WITH.get(field, {}))
    assert field in OTHER, "a new field of TrainConfig has no words in reports.recipe.training"
    assert words(before) != words(replace(before, **{field: OTHER[field]}))


def words(config):
    return network(record(config)), training(config)


def test_what_was_not_used_is_not_said():
    frozen = training(TrainConfig(weights="imagenet", fine_tune_epochs=0, taps="stages", augment="none"))
    assert "no fine-tuning" in frozen
    assert not any(word in frozen for word in ("smoothing", "batches", "decay", "MixUp"))
    scratch = training(TrainConfig(weights="none", fine_tune_epochs=25, augment="light"))
    assert "the whole network trained for 25 epochs" in scratch
    assert "frozen" not in scratch
    assert "rate 0.002, × 0.5 every 10 epochs" in scratch
    falling = training(replace(TUNED, schedule="cosine"))
    assert "sinking" in falling and "× 0.5 every" not in falling


def test_the_classifier_is_called_a_classifier():
    hidden = replace(TUNED, classifier="hidden", variants=4, fine_tune_epochs=0, augment=None)
    assert training(hidden).startswith("a hidden classifier trained for 30 epochs")
    assert "4 variants of each picture" in training(hidden)
    few = training(replace(TUNED, unfreeze=3, classifier_factor=10.0))
    assert "the classifier and the top 3 layers of the backbone fine-tuned" in few
    assert "the classifier's rate 10 times as high" in few
    assert "the classifier fine-tuned" in training(replace(TUNED, unfreeze=0))


@pytest.mark.parametrize("config, said", [
    (TrainConfig(weights="none"), "efficientnet_b0, from random weights"),
    (TrainConfig(), "efficientnet_b0, from random weights"),
    (TrainConfig(weights="imagenet"), "efficientnet_b0, starting from the published ImageNet weights"),
    (TrainConfig(backbone="hub:x", weights="preset"), "hub:x, starting from the weights that the preset brings"),
    (TrainConfig(weights="/deep/my <1>.h5"), "efficientnet_b0, starting from the file my &lt;1&gt;.h5"),
])  # fmt: skip
def test_what_it_starts_from(config, said):
    assert network(record(config)) == said


def test_pixels():
    assert pixels(Preprocess(size=32)).startswith("the whole picture, ")
    cut = pixels(Preprocess(size=32, crop="box", margin=0.1, mask="polygon", fill=128))
    assert "cut to the row's box with a margin of 10%" in cut
    assert "everything outside its polygon painted grey 128" in cut


@pytest.fixture
def begun(tmp_path):
    """A function: a record's values -> a Run that has begun."""

    def begin(*arguments, **values):
        run = Run(tmp_path / "run")
        run.path.mkdir()
        run.begin(record(*arguments, **values))
        return run

    return begin


def test_what_a_board_may_ask_of_whole_pictures(begun):
    said = board_rules(begun(TrainConfig(weights="none", fine_tune_epochs=0)))
    assert "<dt>Pretrained weights</dt><dd>none</dd>" in said
    assert "<dt>A new picture needs</dt><dd>nothing but the picture itself</dd>" in said
    assert "<dt>Models that found regions</dt><dd>none</dd>" in said
    assert "nothing: they had no part in the weights" in said


def test_what_a_board_may_ask_of_regions(begun):
    said = board_rules(begun(TUNED, Preprocess(crop="box", mask="polygon"), regions={"yolo": 0.75, "none": 0.25}))
    assert "its box and polygon: from annotators, drawn by hand, or found by a model" in said
    assert "75.0% found by yolo" in said
    assert "<dt>Models that found regions</dt><dd>yolo</dd>" in said
    assert "the weights with the lowest validation loss, so the figures" in said


# The command ----------------------------------------------------------------------------------------------------------


def test_values_become_words_of_a_command():
    assert flag_words("sizes", (224, 320)) == ["--sizes", "224", "320"]
    assert flag_words("sizes", ()) == flag_words("taps", None) == []
    assert flag_words("sub_labels", True) == ["--sub-labels"]
    assert flag_words("sub_labels", False) == ["--no-sub-labels"]


@pytest.mark.parametrize("task, said", [
    (Task("kind", (Head("kind", ("a", "b")),)), ""),
    (Task("other", (Head("kind", ("a", "b")),)), "--task task.json"),
    (Task("tags", (Head("tags", ("a",), multi=True),)), "--task task.json"),
    (Task("kind", (Head("kind", ("a", "b"), weight=2),)), "--task task.json"),
    (TASK, ""),
    (Task("kind_size", (Head("kind", ("a", "b")), Head("size", ("s", "m")))), "--label kind size"),
    (Task("style_part", (STYLE, Head("part", ("top", "dress")))), ""),
])  # fmt: skip
def test_a_task_that_columns_do_not_tell_is_named(begun, task, said):
    command = f"kfashion train catalog.csv --root DIR --run runs/run {said}".strip()
    assert train_command(begun(TrainConfig(), task=task)) == command
