"""The confusion matrix as a figure."""

import numpy as np

from kfashion_utils.errors import InputError
from kfashion_utils.evaluation.judgement import judge_with_truth
from kfashion_utils.plots.labels import find_head
from kfashion_utils.plots.matrix import MOST_COUNTED, draw_shares, mark_parents, write_counts
from kfashion_utils.plots.style import (
    FONT_SIZE,
    MOST_NAMED,
    WIDTH,
    class_label,
    figure_style,
    new_figure,
    note_numbers,
    text_columns,
    write_finding,
)

COLUMN_WIDTH = 0.075  # of a letter of a class name, inches
UNNAMED = 0.3  # room beside an axis without names, inches


def plot_confusion(predictions, catalog, head=None):
    """Which class is taken for which: shares of each true class (a row sums to 1), ordered by parent, then class.

    Classes without a true row and without an answer are left out. For a multi-label head a cell is the share of the
    photos that have the row's class for which the column's class was answered; such a row may sum to more than 1.

    Args:
        predictions: table with the head's columns; judged by photo or by row as in `evaluate`.
        catalog: table with the truth, joined on `id`.
        head: a head's name, or a Head; None = the first one of the predictions.

    Raises:
        InputError: no such head, or predictions and catalog do not match (see `evaluate`).
    """
    judged = _judged(predictions, catalog, find_head(predictions, head))
    with figure_style():
        return _draw_confusion(judged)


def _judged(predictions, catalog, head):
    """The `Judged` of one head; the others need no column in the catalog."""
    own = predictions[["id", "photo", head.name, *head.columns]]
    [(judged, _)] = judge_with_truth(own, catalog, heads=[head])
    if not len(judged):
        raise InputError(f"no predicted photo has a label in column {head.name!r} of the catalog")
    return judged


def confusion_table(judged):
    """Counts int `(k, k)`, rows true, columns answered, and the k class numbers that occur, ordered by parent, then
    class."""
    actual, answered, head = judged.actual, judged.answered, judged.head
    order = np.flatnonzero(actual.any(axis=0) | answered.any(axis=0)).tolist()
    if head.parents:
        parent = head.parent_numbers
        order.sort(key=lambda number: (parent[number], number))
    return (actual.T @ answered)[np.ix_(order, order)], order


def _draw_confusion(judged):
    head = judged.head
    table, order = confusion_table(judged)
    if not order:
        raise InputError(f"no class of {head.name!r} has a true row or an answer; there is nothing to draw")
    shares = table / np.maximum(judged.actual.sum(axis=0)[order], 1)[:, None]
    named = len(order) <= MOST_NAMED
    names = [class_label(head.classes[number], number) for number in order]
    short = [class_label(head.classes[number], number, short=True) for number in order]
    figure = _sized_figure(len(order), _room(names, named), _room(short, named))
    axes = figure.add_subplot()
    picture = draw_shares(axes, shares)
    if len(order) <= MOST_COUNTED:
        size = FONT_SIZE if len(order) <= 16 else FONT_SIZE - 2.5  # three digits in a cell of 20 px
        write_counts(axes, table, shares, size=size, dark="#222222")
    if named:
        axes.set_xticks(range(len(order)), short, rotation=90 if len(order) > 4 else 0)
        axes.set_yticks(range(len(order)), names)
    _draw_parents(axes, head, order)
    axes.set_xlabel("answer")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    figure.colorbar(picture, ax=axes, shrink=0.8, pad=0.02, label="share of the true class").outline.set_visible(False)
    write_finding(figure, _confusion_finding(judged))
    note_numbers(figure, names if named else [])
    return figure


def _room(names, named):
    """Inches that class names need."""
    return COLUMN_WIDTH * max(map(text_columns, names)) if named else UNNAMED


def _sized_figure(count, left, below):
    """A figure for `count` x `count` cells with room for names at the left and below, inches."""
    side = min(WIDTH - left - 1.7, max(2.2, 0.4 * count))
    upright = count > 4  # names below are turned
    return new_figure(max(4.6, side + left + 1.7), side + (below if upright else 0.2) + 0.8)


def _draw_parents(axes, head, order):
    if not head.parents:
        axes.set_ylabel("true class")
        return
    parents = [head.parents[number] for number in order]
    mark_parents(axes.axhline, parents)
    mark_parents(axes.axvline, parents)
    axes.set_ylabel("true class, lines between parents")


def _confusion_finding(judged):
    accuracy = judged.right.mean()
    count = f"{len(judged):,} {'rows' if judged.by_row else 'photos'}"
    if judged.head.multi:
        return f"all labels right {accuracy:.3f}, {count}"
    majority = judged.actual.mean(axis=0).max()
    return f"accuracy {accuracy:.3f}, majority baseline {majority:.3f}, {count}"
