"""`kfashion predict RUN … PICTURE|FOLDER …`: photographs answered on the screen."""

import sys
from pathlib import Path

import kfashion_utils as kf
from kfashion_utils.errors import InputError, refuse
from kfashion_utils.tables.predictions import head_scores, prediction_heads

SHOWN = 3  # answers of a head
STANDARD_INPUT = "-"
NO_RUN = "none of {} is a run's folder (with run.json); name the run, then the pictures"


def is_run(word):
    """Whether a word of a command line is a run's folder."""
    return Path(word, "run.json").is_file()


def predict_on_screen(words, out, prior):
    """Tell runs from pictures, print the first answers for each picture, write the table if `out` is given.

    Raises:
        InputError: no run, no picture; after all others are answered, those that could not be read.
    """
    runs, pictures = _told_apart(words)
    from kfashion_utils.training.photographs import answer_photographs  # loads Keras: after the words are looked at

    table, paths = answer_photographs(runs, pictures, prior=prior)
    failures = table.attrs["failures"]
    for head in prediction_heads(table):
        scores = head_scores(table, head)
        for path, row in zip(paths, scores, strict=True):
            print(f"{path}: {_first_answers(head, row)}")
    if out:
        kf.write_predictions(table, out)
        print(f"{out}: {len(table):,} predictions")
    refuse(
        f"{len(table):,} pictures are answered, these could not be read",
        [f"{path}: {reason} ({detail})" for path, reason, detail in failures[["path", "reason", "detail"]].to_numpy()],
    )


def _told_apart(words):
    """(run folders, pictures and folders) among the words of a command line."""
    runs = [word for word in words if is_run(word)]
    pictures = [word for word in words if word not in runs]
    if not runs:
        raise InputError(NO_RUN.format(", ".join(words)))
    if pictures == [STANDARD_INPUT]:
        pictures = [line.rstrip("\n") for line in sys.stdin if line.strip()]
    if not pictures:
        raise InputError("name pictures or a folder after the run, or a table with --catalog, --root and --out")
    return runs, pictures


def _first_answers(head, scores):
    """The most probable classes of a head, in Korean and English, with their probabilities."""
    order = scores.argsort()[::-1][:SHOWN]
    return ", ".join(f"{_both(head.classes[number])} {scores[number]:.0%}" for number in order)


def _both(name):
    english = kf.gloss(name)
    return name if english == name else f"{name} {english}"
