"""The confusion matrix as a figure."""

import numpy as np

from kfashion_utils.errors import InputError, refuse
from kfashion_utils.evaluation.figures import confusion
from kfashion_utils.plots.style import (
    FONT_SIZE,
    MOST_NAMED,
    WIDTH,
    class_label,
    figure_style,
    new_figure,
    note_numbers,
    text_columns,
)
from kfashion_utils.tables.labels import NONE_APPLIES, NOT_ANNOTATED
from kfashion_utils.tables.predictions import average_photos, head_scores, prediction_heads

MOST_COUNTED = 30  # classes up to which a confusion matrix shows its counts


# Confusion ------------------------------------------------------------------------------------------------------------


def plot_confusion(predictions, catalog, head=None):
    """Which class is taken for which: shares of each true class (a row sums to 1), ordered by parent, then class.

    Classes without a true row and without an answer are left out. For a multi-label head a cell is the share of the
    photos that have the row's class for which the column's class was answered; such a row may sum to more than 1.

    Args:
        predictions: table with `<head>:<class>` columns; rows of one photo are averaged.
        catalog: table with the truth, joined on `id`.
        head: a head's name, or a Head; None = the first one of the predictions.

    Raises:
        InputError: no such head, or predictions and catalog do not match (see `evaluate`).
    """
    head = find_head(predictions, head)
    _, actual, answered = judge(predictions, catalog, head)
    with figure_style():
        return _draw_confusion(head, actual, answered)


def find_head(predictions, head):
    heads = {known.name: known for known in prediction_heads(predictions)}
    name = getattr(head, "name", head) or next(iter(heads), None)
    if name not in heads:
        raise InputError(f"no head {name!r} in the predictions; they have {list(heads)}")
    return head if hasattr(head, "classes") else heads[name]


def judge(predictions, catalog, head):
    """Answers beside the truth, one row a photo that is annotated for `head`.

    Returns:
        (photos: rows of the predictions, averaged over each photo's rows; actual: 0/1 int `(n, classes)`; answered: 0/1
        int `(n, classes)`, one 1 a row for a single-label head).

    Raises:
        InputError: ids that the catalog lacks, no label column, unknown labels, no annotated row.
    """
    ids = predictions["id"]
    problems = [f"id {name!r} is not in the catalog" for name in ids[~ids.isin(catalog["id"])]]
    problems += [] if head.name in catalog.columns else [f"the catalog has no column {head.name!r}"]
    refuse("predictions and catalog do not match; give the catalog that was predicted", problems)
    photos = average_photos(predictions)
    labels = catalog.drop_duplicates("id").set_index("id")[head.name].loc[photos["id"]].to_numpy()
    known = (labels != NOT_ANNOTATED) & ((labels != NONE_APPLIES) | head.multi)
    if not known.any():
        raise InputError(f"no predicted photo has a label in column {head.name!r} of the catalog")
    photos = photos[known].reset_index(drop=True)
    scores = head_scores(photos, head)
    answered = scores >= 0.5 if head.multi else np.eye(len(head.classes), dtype=int)[scores.argmax(axis=1)]
    return photos, head.encode(labels[known]).astype(int), answered.astype(int)


def confusion_table(head, actual, answered):
    """Counts int `(k, k)`, rows true, columns answered, and the k class numbers that occur, ordered by parent, then
    class."""
    table = actual.T @ answered if head.multi else confusion(actual.argmax(1), answered.argmax(1), len(head.classes))
    used = np.flatnonzero(actual.any(axis=0) | answered.any(axis=0))
    order = sorted(
        used.tolist(), key=lambda number: (head.parent_names.index(head.parents[number]) if head.parents else 0, number)
    )
    return table[np.ix_(order, order)], order


def _draw_confusion(head, actual, answered):
    table, order = confusion_table(head, actual, answered)
    if not order:
        raise InputError(f"no class of {head.name!r} has a true row or an answer; there is nothing to draw")
    shares = table / np.maximum(actual.sum(axis=0)[order], 1)[:, None]
    named = len(order) <= MOST_NAMED
    names = [class_label(head.classes[number], number) for number in order]
    short = [class_label(head.classes[number], number, short=True) for number in order]
    room, below = (
        0.075 * max(map(text_columns, texts)) if named else 0.3 for texts in (names, short)
    )  # inches for the class names
    side = min(WIDTH - room - 1.7, max(2.2, 0.4 * len(order)))
    figure = new_figure(max(4.6, side + room + 1.7), side + (below if len(order) > 4 else 0.2) + 0.8)
    axes = figure.add_subplot()
    picture = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    if len(order) <= MOST_COUNTED:
        _write_counts(axes, table, shares)
    if named:
        axes.set_xticks(range(len(order)), short, rotation=90 if len(order) > 4 else 0)
        axes.set_yticks(range(len(order)), names)
    _mark_parents(axes, head, order)
    axes.set_xlabel("answer")
    axes.set_ylabel("true class, lines between parents" if head.parents else "true class")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    figure.colorbar(picture, ax=axes, shrink=0.8, pad=0.02, label="share of the true class").outline.set_visible(False)
    figure.suptitle(_confusion_finding(head, actual, answered), x=0.01, ha="left")
    note_numbers(figure, names if named else [])
    return figure


def _write_counts(axes, table, shares):
    size = FONT_SIZE if len(table) <= 16 else FONT_SIZE - 2.5  # three digits in a cell of 20 px
    for row, column in np.argwhere(table > 0):
        colour = "white" if shares[row, column] > 0.55 else "#222222"
        axes.text(column, row, f"{table[row, column]}", ha="center", va="center", fontsize=size, color=colour)


def _mark_parents(axes, head, order):
    """Thin lines between the classes of different parents."""
    for place, (one, other) in enumerate(zip(order, order[1:], strict=False)):
        if head.parents and head.parents[one] != head.parents[other]:
            axes.axhline(place + 0.5, color="#9a9a9a", linewidth=0.7)
            axes.axvline(place + 0.5, color="#9a9a9a", linewidth=0.7)


def _confusion_finding(head, actual, answered):
    accuracy = (actual == answered).all(axis=1).mean()
    if head.multi:
        return f"all labels right {accuracy:.3f}, {len(actual):,} photos"
    return f"accuracy {accuracy:.3f}, majority baseline {actual.mean(axis=0).max():.3f}, {len(actual):,} photos"
