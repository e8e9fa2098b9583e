"""Figures of a predictions table against a catalog, and tables of tables: mean of several predictions. Tables in, tables out.

How sure the figures are says `intervals.py`, whether one table is better than another `comparison.py`, whether probabilities mean what
they say `calibration.py`.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from kfashion_utils.errors import InputError, refuse
from kfashion_utils.tables.labels import NONE_APPLIES, NOT_ANNOTATED, SEPARATOR, SUB, Head
from kfashion_utils.tables.predictions import average_photos, head_scores, prediction_heads

AVERAGES = ("accuracy", "balanced_accuracy", "macro_f1", "top3", "parent_accuracy", "majority")


def evaluate(predictions, catalog, *, rows=False):
    """Figures of every head.

    Args:
        predictions: table with `id`, `photo`, `<head>`, `<head>:<class>`.
        catalog: table with the truth.
        rows: judge each row by itself; False = each photo, by the mean of its rows.

    Returns:
        {head: {n, classes_present, accuracy, balanced_accuracy, macro_f1, top3, parent_accuracy, majority, regions}}. `n` counts
        annotated photos; averages run over classes that have at least one true row; `majority` is the accuracy of always
        answering the most frequent class; `main_or_sub`, there only where the catalog gives a single-label head second opinions
        (`sub_<head>`), the share of photos whose answer is the label or the second one; `regions` the share of photos by who found their region (`none` = nobody).
        None = does not apply (a head without any annotated row, parents where a head has none, top3 below four classes and for multi-label heads, whose
        `accuracy` is that of the whole set of labels).

    Raises:
        InputError: ids that the catalog lacks or that are doubled, no label column, no annotated row, NaN probabilities.
    """
    photos, truth = _photos(predictions, catalog, rows)
    regions = truth["region"].replace("", "none").value_counts(normalize=True)
    regions = {name: round(float(share), 4) for name, share in regions.items()}
    figures = {
        head.name: {**_head_figures(head, photos, truth), "regions": regions} for head in prediction_heads(predictions)
    }
    _require_labels(figures, sum(values["n"] for values in figures.values()))
    return figures


@dataclass(frozen=True)
class Judged:
    """One head's answers beside the truth, for the n photos that are annotated.

    Attributes:
        head: Head.
        photos: int `(n,)`, their places among the judged ones.
        ids: object `(n,)`.
        groups: object `(n,)`, of the catalog: photos that are no independent evidence share one.
        actual: 0/1 int `(n, classes)`.
        scores: float `(n, classes)`.
    """

    head: Head
    photos: np.ndarray
    ids: np.ndarray
    groups: np.ndarray
    actual: np.ndarray
    scores: np.ndarray

    @property
    def answered(self):
        """0/1 int `(n, classes)`: the most probable class, or every class from 0.5 for several labels."""
        if self.head.multi:
            return (self.scores >= 0.5).astype(int)
        return np.eye(len(self.head.classes), dtype=int)[self.scores.argmax(axis=1)]

    def __len__(self):
        return len(self.ids)

    def only(self, chosen):
        """The same for some photos, a boolean array `(n,)`."""
        return Judged(
            self.head, *(values[chosen] for values in (self.photos, self.ids, self.groups, self.actual, self.scores))
        )


def judge_heads(predictions, catalog, *, rows=False, heads=None):
    """Each head's answers beside the truth, a list of `Judged`.

    Args:
        predictions, catalog, rows: as in `evaluate`.
        heads: Heads; None = those of the predictions' header.

    Raises:
        InputError: as `evaluate`.
    """
    photos, truth = _photos(predictions, catalog, rows)
    found = [_judged(head, photos, truth) for head in (prediction_heads(predictions) if heads is None else heads)]
    _require_labels([judged.head.name for judged in found], sum(map(len, found)))
    return found


def _photos(predictions, catalog, rows):
    """(predictions, one row a photo unless rows are asked for; the rows of the catalog that belong to them, in the same order)."""
    predictions, truth = _joined(predictions, catalog)
    photos = predictions if rows else average_photos(predictions)
    return photos, truth.set_index("id").loc[photos["id"]]


def _require_labels(heads, count):
    if not count:
        raise InputError(
            f"no row of the evaluated ones has a label in {list(heads)}; evaluate rows with known labels (a leaderboard's test set has none)"
        )


def _joined(predictions, catalog):
    ids = predictions["id"]
    problems = [f"id {name!r} stands in the predictions more than once" for name in ids[ids.duplicated()].unique()]
    problems += [f"id {name!r} is not in the catalog" for name in ids[~ids.isin(catalog["id"])]]
    scores = [name for name in predictions.columns if ":" in name]
    problems += [
        f"id {name!r} has a probability that is no number" for name in ids[predictions[scores].isna().any(axis=1)]
    ]
    problems += [
        f"id {name!r} stands in the catalog more than once"
        for name in catalog["id"][catalog["id"].duplicated()].unique()
    ]
    problems += [
        f"the catalog has no column {head!r}"
        for head in dict.fromkeys(s.split(":")[0] for s in scores)
        if head not in catalog.columns
    ]
    refuse("predictions and catalog do not match; predict with the catalog that is evaluated", problems)
    return predictions, catalog[catalog["id"].isin(ids)]


def _judged(head, photos, truth):
    labels = truth[head.name].to_numpy()
    known = np.flatnonzero((labels != NOT_ANNOTATED) & ((labels != NONE_APPLIES) | head.multi))
    if not head.multi and any(SEPARATOR in label for label in labels[known]):
        raise InputError(f"column {head.name!r} holds several labels a row, the predictions one")
    groups = np.where(truth["group"] == "", photos["photo"].to_numpy(), truth["group"].to_numpy())
    return Judged(
        head,
        known,
        photos["id"].to_numpy()[known],
        groups[known],
        head.encode(labels[known]).astype(int),
        head_scores(photos, head)[known],
    )


def _head_figures(head, photos, truth):
    judged = _judged(head, photos, truth)
    if not len(judged):
        return {"n": 0, "classes_present": 0, **dict.fromkeys(AVERAGES)}
    actual, scores = judged.actual, judged.scores
    figures = (
        multi_label_figures(actual, judged.answered)
        if head.multi
        else single_label_figures(head, actual.argmax(1), scores)
    )
    if not head.multi and truth.get(f"{SUB}{head.name}", pd.Series(dtype=object)).ne(NOT_ANNOTATED).any():
        answers = np.array(head.classes, object)[scores.argmax(axis=1)]
        labels, seconds = (truth[name].to_numpy()[judged.photos] for name in (head.name, f"{SUB}{head.name}"))
        figures["main_or_sub"] = float(((answers == labels) | (answers == seconds)).mean())
    return {"n": len(judged), **figures}


def single_label_figures(head, actual, scores):
    """Figures of a softmax head: `actual` int `(n,)` class numbers, `scores` float `(n, classes)`."""
    predicted = scores.argmax(axis=1)
    table = confusion(actual, predicted, len(head.classes))
    present = table.sum(axis=1) > 0
    recall = table.diagonal()[present] / table.sum(axis=1)[present]
    f1 = 2 * table.diagonal()[present] / (table.sum(axis=1) + table.sum(axis=0))[present]
    best = np.argsort(-scores, axis=1, kind="stable")[:, :3]
    figures = {
        "classes_present": int(present.sum()),
        "accuracy": float((predicted == actual).mean()),
        "balanced_accuracy": float(recall.mean()),
        "macro_f1": float(f1.mean()),
        "top3": float((best == actual[:, None]).any(axis=1).mean()) if len(head.classes) > 3 else None,
        "parent_accuracy": None,
        "majority": float(table.sum(axis=1).max() / len(actual)),
    }
    if head.parents:
        parent = np.array([head.parent_names.index(name) for name in head.parents])
        figures["parent_accuracy"] = float((head.parent_scores(scores).argmax(axis=1) == parent[actual]).mean())
    return figures


def multi_label_figures(actual, predicted):
    """Figures of a multi-label head: `actual` and `predicted` 0/1 `(n, classes)`."""
    present = actual.sum(axis=0) > 0
    hits = (actual * predicted).sum(axis=0)
    recall = hits[present] / actual.sum(axis=0)[present]
    absent = (1 - actual).sum(axis=0)
    specificity = ((1 - actual) * (1 - predicted)).sum(axis=0) / np.maximum(absent, 1)
    f1 = 2 * hits[present] / (actual.sum(axis=0) + predicted.sum(axis=0))[present]
    sets = pd.Series(map(bytes, actual.astype(np.uint8)))
    return {
        "classes_present": int(present.sum()),
        "accuracy": float((actual == predicted).all(axis=1).mean()),
        "balanced_accuracy": float(((recall + specificity[present]) / 2).mean()) if present.any() else None,
        "macro_f1": float(f1.mean()) if present.any() else None,
        "top3": None,
        "parent_accuracy": None,
        "majority": float(sets.value_counts(normalize=True).iloc[0]),
    }


def best_thresholds(task, labels, scores):
    """{head: {class: probability}} for multi-label heads: where to decide each class for the best F1.

    Args:
        labels: flat `(n, num_classes)`, NaN where not annotated.
        scores: flat probabilities of the same rows, out of fold.
    """
    return {
        head.name: _head_thresholds(head, labels[:, task.slices[head.name]], scores[:, task.slices[head.name]])
        for head in task.heads
        if head.multi
    }


def _head_thresholds(head, labels, scores):
    known = ~np.isnan(labels).any(axis=1)
    found = {}
    for name, actual, score in zip(head.classes, labels[known].T > 0.5, scores[known].T, strict=True):
        order = np.argsort(-score, kind="stable")
        hits = np.cumsum(actual[order])
        f1 = 2 * hits / (np.arange(1, len(order) + 1) + max(actual.sum(), 1))
        last = np.append(np.diff(score[order]) < 0, True)  # equal scores are decided alike
        best = int(np.argmax(np.where(last, f1, -1))) if actual.any() else None
        found[name] = 0.5 if best is None else float(np.mean(score[order][best : best + 2]).clip(0.01, 0.99))
    return found


def confusion(actual, predicted, count):
    """int `(count, count)`: rows are true classes, columns predicted ones."""
    table = np.zeros((count, count), int)
    np.add.at(table, (actual, predicted), 1)
    return table


def describe(figures, intervals=None):
    """The figures of one head in two lines, always beside the majority baseline and the regions.

    Args:
        figures: of `evaluate`.
        intervals: {figure: (low, high)}, as `intervals.figure_intervals` gives for a head; None = none are shown.
    """
    if not figures["n"]:
        return "no annotated photo"
    intervals = intervals or {}
    shown = [_shown("accuracy", "accuracy", figures, intervals)]
    if "main_or_sub" in figures:
        shown.append(f"main or second label {figures['main_or_sub']:.3f}")
    shown.append(f"majority baseline {figures['majority']:.3f}")
    for key, text in (
        ("balanced_accuracy", "balanced"),
        ("macro_f1", "macro F1"),
        ("top3", "top-3"),
        ("parent_accuracy", "parents"),
    ):
        if figures[key] is not None:
            shown.append(_shown(text, key, figures, intervals))
    regions = ", ".join(f"{name} {share:.0%}" for name, share in figures["regions"].items())
    return f"{', '.join(shown)}\n  {figures['n']:,} photos, {figures['classes_present']} classes; regions by: {regions}"


def _shown(text, key, figures, intervals):
    low, high = intervals.get(key, (np.nan, np.nan))
    return f"{text} {figures[key]:.3f}" + ("" if np.isnan(low) else f" ({low:.3f}–{high:.3f})")
