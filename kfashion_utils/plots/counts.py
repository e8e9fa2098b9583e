"""Figures of how often labels come: bars of classes, and of parents with their classes."""

import numpy as np
import pandas as pd

from kfashion_utils.errors import InputError
from kfashion_utils.plots.labels import OTHERS, known_parents, label_pairs, name_label
from kfashion_utils.plots.style import (
    COLOURS,
    WIDTH,
    class_label,
    figure_style,
    legend_above,
    new_figure,
    note_numbers,
    plain_axes,
    write_beside,
)
from kfashion_utils.tables.splits import count_classes
from kfashion_utils.tables.tasks import label_columns

MOST_BARS = 40
UNLABELLED = "(no label)"  # as `count_classes` calls it


# Classes --------------------------------------------------------------------------------------------------------------


def plot_counts(catalog, column=None):
    """Rows of each class, stacked by split, most frequent first.

    Args:
        catalog: DataFrame of the column contract.
        column: label column; None = the one that `split_catalog` looks at.

    Raises:
        InputError: no such column, no label column, no row.
    """
    columns = label_columns(catalog)
    if not columns or (column is not None and column not in columns) or not len(catalog):
        raise InputError(f"{len(catalog):,} rows, label column {column!r}: the catalog's label columns are {columns}")
    counts = count_classes(catalog, column)
    labelled = counts[counts.index != UNLABELLED]
    numbers = {name: number for number, name in enumerate(sorted(labelled.index))}
    bars = _folded(pd.concat([labelled, counts[counts.index == UNLABELLED]]).drop(columns="total"))
    with figure_style():
        figure = new_figure(WIDTH, 1.0 + 0.22 * len(bars))
        axes = figure.add_subplot()
        _stack(axes, bars)
        names = [class_label(name, numbers.get(name)) for name in bars.index]
        axes.set_yticks(range(len(bars)), names)
        axes.invert_yaxis()
        axes.set_xlabel("rows of the catalog")
        axes.set_title(_counts_finding(labelled["total"], len(catalog)), loc="left")
        axes.margins(x=0.08, y=0.01)
        legend_above(axes)
        plain_axes(axes, grid="x")
        note_numbers(figure, names)
    return figure


def _folded(bars):
    """The MOST_BARS most frequent, the rest in one."""
    if len(bars) <= MOST_BARS:
        return bars
    kept, rest = bars.iloc[: MOST_BARS - 1], bars.iloc[MOST_BARS - 1 :]
    return pd.concat([kept, rest.sum().to_frame(f"({len(rest)} other classes)").T])


def _stack(axes, bars):
    """A bar a row of `bars`, in a piece for each column, with its sum beside it."""
    start = np.zeros(len(bars))
    for split in bars.columns:
        axes.barh(range(len(bars)), bars[split], left=start, color=COLOURS[split], label=split, height=0.75)
        start += bars[split].to_numpy()
    for place, total in enumerate(start):
        write_beside(axes, f"{int(total):,}", (total, place))


def _counts_finding(totals, rows):
    if not len(totals):
        return f"{rows:,} rows, none with a label"
    if len(totals) == 1:
        return f"{rows:,} rows, one class"
    ratio = totals.max() / totals.min()
    how = "as large as the smallest" if ratio == 1 else f"{ratio:.1f} times the smallest"
    return f"{rows:,} rows, {len(totals)} classes; the largest is {how}"


# Parents --------------------------------------------------------------------------------------------------------------


def plot_parents(catalog, column="style"):
    """Photographs of each parent and, beneath it, of its classes, most frequent first.

    Args:
        catalog: DataFrame of the column contract.
        column: label column of a head that has parents (`tasks.HEADS`).

    Raises:
        InputError: no such column, one without parents, no labelled row.
    """
    pairs = label_pairs(catalog, column)
    parent_of = known_parents(column)
    if not parent_of:
        raise InputError(
            f"the classes of {column!r} have no parents in the table of heads; "
            f"plot_counts(catalog, {column!r}) shows them"
        )
    counts = pairs["label"].value_counts()
    parents = np.array([parent_of.get(name, OTHERS) for name in counts.index], object)
    totals = counts.groupby(parents).sum().sort_values(ascending=False, kind="stable")
    bars = []  # (name, count, whether it is a parent)
    for parent, total in totals.items():
        bars.append((parent, total, True))
        bars += [(name, count, False) for name, count in counts[parents == parent].items()]
    with figure_style():
        figure = new_figure(WIDTH, 0.9 + 0.19 * len(bars))
        axes = figure.add_subplot()
        _draw_families(axes, bars)
        axes.set_xlabel("photographs; grey = all of a parent, blue = its classes")
        axes.set_title(_parents_finding(totals, counts, parent_of), loc="left")
        axes.margins(x=0.08, y=0.01)
        plain_axes(axes, grid="x")
    return figure


def _draw_families(axes, bars):
    for place, (_, count, is_parent) in enumerate(bars):
        colour, height = (COLOURS["train"], 0.8) if is_parent else (COLOURS["valid"], 0.62)
        axes.barh(place, count, color=colour, height=height)
        write_beside(axes, f"{count:,}", (count, place))
    axes.set_yticks(range(len(bars)), [name_label(name) for name, _, _ in bars])
    for label, (_, _, is_parent) in zip(axes.get_yticklabels(), bars, strict=True):
        label.set_fontweight("bold" if is_parent else "normal")
    axes.invert_yaxis()


def _parents_finding(totals, counts, parent_of):
    first, share = class_label(totals.index[0], None), totals.iloc[0] / totals.sum()
    missing = len(parent_of.keys() - set(counts.index))
    lacking = f"; {missing} of {len(parent_of)} classes have none" if missing else ""
    return f"{len(totals)} parents, {len(counts)} classes; {first} holds {share:.0%}{lacking}"
