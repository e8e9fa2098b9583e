"""Figures of a predictions table against a catalog.

How sure the figures are says `intervals.py`, whether one table is better than another `comparison.py`, whether
probabilities mean what they say `calibration.py`.
"""

import numpy as np

from kfashion_utils.evaluation.counts import scores_of, tally, total
from kfashion_utils.evaluation.judgement import judge_with_truth, require_labels
from kfashion_utils.tables.labels import NOT_ANNOTATED

AVERAGES = ("accuracy", "balanced_accuracy", "macro_f1", "top3", "parent_accuracy", "majority")
SHOWN = {"balanced_accuracy": "balanced", "macro_f1": "macro F1", "top3": "top-3", "parent_accuracy": "parents"}


def evaluate(predictions, catalog, *, rows=False):
    """Figures of every head.

    Args:
        predictions: table with `id`, `photo`, `<head>`, and a probability a class.
        catalog: table with the truth.
        rows: judge each row by itself; False = each photo, by the mean of its rows. A head whose label differs between
            the rows of a photo is judged by row in any case.

    Returns:
        {head: {n, classes_present, accuracy, balanced_accuracy, macro_f1, top3, parent_accuracy, majority, regions}}.
        `n` counts annotated photos; averages run over classes that have at least one true row; `majority` is the
        accuracy of always answering the most frequent class; `main_or_sub`, there only where the catalog gives a
        single-label head second opinions (`sub_<head>`), the share of photos whose answer is the label or the second
        one; `regions` {finder: the share of photos whose region it found} (`none` = nobody); `by_row`, there only
        where it is so, that rows were judged and not photos. None = does not apply (a head without any annotated row,
        parents where a head has none, top3 below four classes and for multi-label heads, whose `accuracy` is that of
        the whole set of labels).

    Raises:
        InputError: ids that the catalog lacks or that are doubled, no label column, no annotated row, NaN
            probabilities.
    """
    figures = {}
    for judged, truth in judge_with_truth(predictions, catalog, rows=rows):
        regions = truth["region"].replace("", "none").value_counts(normalize=True)
        regions = {name: round(float(share), 4) for name, share in regions.items()}
        by_row = {"by_row": True} if judged.by_row else {}
        figures[judged.head.name] = {**head_figures(judged), "regions": regions, **by_row}
    require_labels(figures, sum(values["n"] for values in figures.values()))
    return figures


def head_figures(judged):
    """The figures of a `Judged`, without regions."""
    if not len(judged):
        return {"n": 0, "classes_present": 0, **dict.fromkeys(AVERAGES)}
    sums = total(tally(judged))
    found = {name: None if np.isnan(value[0]) else float(value[0]) for name, value in scores_of(sums).items()}
    figures = {name: found.get(name) for name in AVERAGES[:-1]}
    figures |= {"majority": _majority(judged), **_main_or_second(judged)}
    return {"n": len(judged), "classes_present": int((sums["support"] > 0).sum()), **figures}


def _majority(judged):
    """The accuracy of always answering the most frequent label, a whole set of classes where there may be several."""
    _, counts = np.unique(judged.actual, axis=0, return_counts=True)
    return float(counts.max() / len(judged))


def _main_or_second(judged):
    """{"main_or_sub": share of answers that are the label or the second opinion}; {} without second opinions."""
    if judged.head.multi or not (judged.second != NOT_ANNOTATED).any():
        return {}
    answers = np.array(judged.head.classes, object)[judged.scores.argmax(axis=1)]
    return {"main_or_sub": float((judged.right | (answers == judged.second)).mean())}


def best_thresholds(task, labels, scores):
    """{head: {class: probability}} for multi-label heads: where to decide each class for the best F1.

    Args:
        labels: flat `(n, num_classes)`, NaN where not annotated.
        scores: flat probabilities of the same rows, out of fold.
    """
    labels, scores = task.split(labels), task.split(scores)
    return {head.name: _head_thresholds(head, labels[head.name], scores[head.name]) for head in task.multi_label}


def _head_thresholds(head, labels, scores):
    known = ~np.isnan(labels).any(axis=1)
    columns = zip(head.classes, labels[known].T > 0.5, scores[known].T, strict=True)
    return {name: _best_threshold(actual, score) for name, actual, score in columns}


def _best_threshold(actual, score):
    """The probability `(n,)` from which on a class is answered with the best F1; 0.5 where it never is true."""
    if not actual.any():
        return 0.5
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(actual[order])
    f1 = 2 * hits / (np.arange(1, len(order) + 1) + actual.sum())
    last = np.append(np.diff(score[order]) < 0, True)  # equal scores are decided alike
    best = int(np.argmax(np.where(last, f1, -1)))
    return float(np.mean(score[order][best : best + 2]).clip(0.01, 0.99))


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
    unit = "rows" if figures.get("by_row") else "photos"
    if not figures["n"]:
        return f"no annotated {unit.removesuffix('s')}"
    intervals = intervals or {}
    shown = [_shown("accuracy", "accuracy", figures, intervals)]
    if "main_or_sub" in figures:
        shown.append(f"main or second label {figures['main_or_sub']:.3f}")
    shown.append(f"majority baseline {figures['majority']:.3f}")
    shown += [_shown(text, key, figures, intervals) for key, text in SHOWN.items() if figures[key] is not None]
    regions = ", ".join(f"{name} {share:.0%}" for name, share in figures["regions"].items())
    counted = f"{figures['n']:,} {unit}, {figures['classes_present']} classes"
    return f"{', '.join(shown)}\n  {counted}; regions by: {regions}"


def _shown(text, key, figures, intervals):
    low, high = intervals.get(key, (np.nan, np.nan))
    return f"{text} {figures[key]:.3f}" + ("" if np.isnan(low) else f" ({low:.3f}–{high:.3f})")
