"""The figure of how often a photograph with one label has another one."""

import textwrap

import numpy as np
import pandas as pd

from kfashion_utils.errors import InputError
from kfashion_utils.plots.labels import OTHERS, known_parents, label_pairs, name_label, name_ticks, ordered_labels
from kfashion_utils.plots.matrix import MOST_COUNTED, draw_shares, mark_parents, write_counts
from kfashion_utils.plots.style import (
    DPI,
    MOST_NAMED,
    WIDTH,
    drawable_text,
    figure_style,
    new_figure,
    write_finding,
)


def plot_together(catalog, rows="style", columns="sub_style"):
    """How often a photograph that has one label has another one, classes in the order of their parents.

    Args:
        catalog: DataFrame of the column contract.
        rows, columns: label columns; a cell is the share of a row's photographs.

    Raises:
        InputError: no such column, no photograph that has both.
    """
    one, other = label_pairs(catalog, rows), label_pairs(catalog, columns)
    both = one.merge(other, on="photo", suffixes=("_row", "_column"))
    if both.empty:
        photos = catalog["photo"].nunique()
        raise InputError(f"none of {photos:,} photographs has a label in {rows!r} and in {columns!r}")
    counts = _counts(both, rows, columns)
    shares = counts.to_numpy() / _photographs(one[one["photo"].isin(both["photo"])], counts.index)[:, None]
    with figure_style():
        width, height = 2.6 + 0.24 * counts.shape[1], 1.9 + 0.215 * counts.shape[0]
        figure = new_figure(min(WIDTH, max(5.2, width)), min(9.5, height))
        axes = figure.add_subplot()
        picture = draw_shares(axes, shares, aspect="auto")
        name_ticks(axes.yaxis, list(counts.index))
        name_ticks(axes.xaxis, list(counts.columns), short=True, rotation=90)
        mark_parents(axes.axhline, _parents(rows, counts.index))
        mark_parents(axes.axvline, _parents(columns, counts.columns))
        if max(shares.shape) <= MOST_COUNTED:
            write_counts(axes, counts.to_numpy(), shares, size=6.5, dark="#303030", form=",")
        axes.set_ylabel(drawable_text(rows))
        axes.set_xlabel(drawable_text(columns))
        figure.colorbar(picture, ax=axes, label="share of the row's photographs", shrink=0.6, aspect=30, pad=0.02)
        finding = _finding(both, rows, columns)
        write_finding(figure, textwrap.fill(finding, int(figure.get_figwidth() * DPI / 6.5)))
    return figure


def _counts(both, rows, columns):
    """Photographs with the label of the row and that of the column, a DataFrame; the rarest labels in one."""
    left, right = ordered_labels(both["label_row"], rows), ordered_labels(both["label_column"], columns)
    counts = pd.crosstab(both["label_row"], both["label_column"]).reindex(index=left, columns=right, fill_value=0)
    return _rest_together(_rest_together(counts).T).T


def _rest_together(counts):
    """Only the MOST_NAMED most frequent rows, the others in one."""
    if len(counts) <= MOST_NAMED:
        return counts
    kept = counts.index.isin(counts.sum(axis=1).nlargest(MOST_NAMED - 1).index)
    return pd.concat([counts[kept], counts[~kept].sum().to_frame(OTHERS).T])


def _photographs(pairs, names):
    """How many photographs have each label, int `(names,)`; OTHERS stands for all labels that are not named."""
    photos = pairs.groupby("label")["photo"].nunique()
    rest = photos[~photos.index.isin(names)].sum()
    return np.array([photos.get(name, rest) for name in names])


def _parents(column, names):
    """The parent of each class, a list; "" = it has none."""
    parent_of = known_parents(column)
    return [parent_of.get(name, "") for name in names]


def _finding(both, rows, columns):
    photos = f"{both['photo'].nunique():,} photographs have both"
    left, right = _parents(rows, both["label_row"]), _parents(columns, both["label_column"])
    if all(left) and all(right):
        same = np.mean([one == other for one, other in zip(left, right, strict=True)])
        return f"{photos}; in {same:.0%} they have the same parent"
    pairs = both.groupby(["label_row", "label_column"]).size().sort_values(kind="stable", ascending=False)
    (one, other), count = pairs.index[0], pairs.iloc[0]
    return f"{photos}; most often {name_label(one)} with {name_label(other)}, {count:,}"
