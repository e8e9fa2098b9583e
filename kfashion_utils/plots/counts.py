"""Figures of labels: how often classes, their parents and combinations come."""

import textwrap

import numpy as np
import pandas as pd

from kfashion_utils.errors import InputError
from kfashion_utils.plots.confusion import MOST_COUNTED
from kfashion_utils.plots.style import (
    COLOURS,
    DPI,
    MOST_NAMED,
    WIDTH,
    class_label,
    drawable_text,
    figure_style,
    legend_above,
    new_figure,
    note_numbers,
    plain_axes,
)
from kfashion_utils.tables.labels import NONE_APPLIES, NOT_ANNOTATED, RESERVED_COLUMNS, SEPARATOR, SUB
from kfashion_utils.tables.splits import count_classes
from kfashion_utils.tables.tasks import HEADS, PARTS, label_columns

MOST_COMBINED = 20  # classes that combinations are made of; the rarer ones count as one
MOST_COMBINATIONS = 15
OTHERS = "(others)"
KOREAN = {
    english: korean for korean, english in PARTS.items()
}  # the catalog's parts are in English: their names for Korean labels


# Classes --------------------------------------------------------------------------------------------------------------


def plot_parents(catalog, column="style"):
    """Photographs of each parent and, beneath it, of its classes, most frequent first.

    Args:
        catalog: DataFrame of the column contract.
        column: label column of a head that has parents (`tasks.HEADS`).

    Raises:
        InputError: no such column, one without parents, no labelled row.
    """
    pairs = label_pairs(catalog, column)
    head = HEADS.get(column.removeprefix(SUB))
    if head is None or not head.parents:
        raise InputError(
            f"the classes of {column!r} have no parents in the table of heads; "
            f"plot_counts(catalog, {column!r}) shows them"
        )
    parent_of = dict(zip(head.classes, head.parents, strict=True))
    counts = pairs["label"].value_counts()
    classes = pd.DataFrame(
        {
            "class": counts.index,
            "parent": [parent_of.get(name, OTHERS) for name in counts.index],
            "count": counts.to_numpy(),
        }
    )
    totals = classes.groupby("parent")["count"].sum().sort_values(ascending=False, kind="stable")
    bars = [
        bar
        for parent in totals.index
        for bar in [
            (parent, totals[parent], True),
            *((row["class"], row["count"], False) for _, row in classes[classes["parent"] == parent].iterrows()),
        ]
    ]
    missing = [name for name in head.classes if name not in set(classes["class"])]
    with figure_style():
        figure = new_figure(WIDTH, 0.9 + 0.19 * len(bars))
        axes = figure.add_subplot()
        for place, (_, count, is_parent) in enumerate(bars):
            axes.barh(
                place,
                count,
                color=COLOURS["train"] if is_parent else COLOURS["valid"],
                height=0.8 if is_parent else 0.62,
            )
            axes.annotate(
                f"{count:,}", (count, place), xytext=(3, 0), textcoords="offset points", va="center", color="#555555"
            )
        axes.set_yticks(range(len(bars)), [name_label(name) for name, _, _ in bars])
        for label, (_, _, is_parent) in zip(axes.get_yticklabels(), bars, strict=True):
            label.set_fontweight("bold" if is_parent else "normal")
        axes.invert_yaxis()
        axes.set_xlabel("photographs; grey = all of a parent, blue = its classes")
        first = totals.index[0]
        lacking = f"; {len(missing)} of {len(head.classes)} classes have none" if missing else ""
        axes.set_title(
            f"{len(totals)} parents, {len(classes)} classes; "
            f"{class_label(first, None)} holds {totals.iloc[0] / totals.sum():.0%}{lacking}",
            loc="left",
        )
        axes.margins(x=0.08, y=0.01)
        plain_axes(axes, grid="x")
    return figure


def plot_combinations(catalog, column="part"):
    """Which classes occur together in a photograph: one bar a combination, its classes as dots.

    Args:
        catalog: DataFrame; one row a garment (`build_catalog(…, rows="garment")`), or several labels a row.
        column: label column.

    Raises:
        InputError: no such column, no labelled row.
    """
    pairs = label_pairs(catalog, column)
    counts = pairs["label"].value_counts()
    names = list(counts.index if len(counts) <= MOST_COMBINED else [*counts.index[: MOST_COMBINED - 1], OTHERS])
    place = {name: number for number, name in enumerate(names)}
    bits = pairs["label"].map(lambda name: 1 << place.get(name, len(names) - 1))
    sets = (
        pd.DataFrame({"photo": pairs["photo"], "bit": bits})
        .drop_duplicates()
        .groupby("photo")["bit"]
        .sum()
        .value_counts(sort=False)
    )
    sets = sets.reset_index().sort_values(["count", "bit"], ascending=[False, True]).to_numpy().tolist()
    photos, kinds, unlabelled = (
        sum(count for _, count in sets),
        len(sets),
        catalog["photo"].nunique() - pairs["photo"].nunique(),
    )
    shown, rest = sets[:MOST_COMBINATIONS], sum(count for _, count in sets[MOST_COMBINATIONS:])
    bars = [count for _, count in shown] + ([rest] if rest else []) + ([unlabelled] if unlabelled else [])
    with figure_style():
        figure = new_figure(WIDTH, 1.3 + 0.24 * len(bars) + (0.6 if len(names) > 6 else 0))
        dots, axes = figure.subplots(
            1, 2, sharey=True, width_ratios=[max(1.6, 0.42 * len(names)), 7 - min(4, 0.2 * len(names))]
        )
        for row, (bit, _) in enumerate(shown):
            inside = [number for number in range(len(names)) if bit >> number & 1]
            dots.scatter(range(len(names)), [row] * len(names), s=34, color="#e4e4e4")
            dots.plot(inside, [row] * len(inside), color="#404040", marker="o", markersize=6, linewidth=1.6)
        for row, text in zip(
            range(len(shown), len(bars)),
            ([f"{kinds - len(shown)} more combinations"] if rest else []) + (["no label"] if unlabelled else []),
            strict=True,
        ):
            dots.text((len(names) - 1) / 2, row, text, ha="center", va="center", color="#777777")
        axes.barh(
            range(len(bars)),
            bars,
            color=[COLOURS["valid"]] * len(shown) + [COLOURS["train"]] * (len(bars) - len(shown)),
            height=0.7,
        )
        for row, count in enumerate(bars):
            axes.annotate(
                f"{count:,}  {percent(count / (photos + unlabelled))}",
                (count, row),
                xytext=(3, 0),
                textcoords="offset points",
                va="center",
                color="#555555",
            )
        _name_ticks(dots.xaxis, names, rotation=90 if len(names) > 6 else 35, ha="center" if len(names) > 6 else "left")
        dots.xaxis.tick_top()
        dots.tick_params(left=False, labelleft=False, top=False)
        dots.spines[:].set_visible(False)
        dots.set_xlim(-0.6, len(names) - 0.4)
        axes.set_ylim(len(bars) - 0.4, -0.6)
        axes.tick_params(left=False)
        axes.set_xlabel("photographs")
        axes.margins(x=0.16)
        several = sum(count for bit, count in sets if bit.bit_count() > 1)
        kind = "1 combination" if kinds == 1 else f"{kinds} combinations"
        figure.suptitle(
            f"{photos:,} photographs, {kind}; {several / photos:.0%} show more than one {drawable_text(column)}",
            x=0.01,
            ha="left",
        )
        plain_axes(axes, grid="x")
    return figure


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
        raise InputError(
            f"none of {catalog['photo'].nunique():,} photographs has a label in {rows!r} and in {columns!r}"
        )
    left, right = ordered_labels(both["label_row"], rows), ordered_labels(both["label_column"], columns)
    counts = pd.crosstab(both["label_row"], both["label_column"]).reindex(index=left, columns=right, fill_value=0)
    counts = _rest_together(_rest_together(counts).T).T
    left, right = list(counts.index), list(counts.columns)
    photos = one[one["photo"].isin(both["photo"])].groupby("label")["photo"].nunique()
    photos = np.array([photos.get(name, 0) or photos[~photos.index.isin(left)].sum() for name in left])
    shares = counts.to_numpy() / photos[:, None]
    with figure_style():
        figure = new_figure(min(WIDTH, max(5.2, 2.6 + 0.24 * len(right))), min(9.5, 1.9 + 0.215 * len(left)))
        axes = figure.add_subplot()
        picture = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        _name_ticks(axes.yaxis, left)
        _name_ticks(axes.xaxis, right, short=True, rotation=90)
        for number in range(1, len(left)):
            if _parent(rows, left[number]) != _parent(rows, left[number - 1]):
                axes.axhline(number - 0.5, color="#9a9a9a", linewidth=0.7)
        for number in range(1, len(right)):
            if _parent(columns, right[number]) != _parent(columns, right[number - 1]):
                axes.axvline(number - 0.5, color="#9a9a9a", linewidth=0.7)
        if max(shares.shape) <= MOST_COUNTED:
            for row, column in np.argwhere(counts.to_numpy() > 0):
                axes.text(
                    column,
                    row,
                    f"{counts.iat[row, column]:,}",
                    ha="center",
                    va="center",
                    fontsize=6.5,
                    color="white" if shares[row, column] > 0.55 else "#303030",
                )
        axes.set_ylabel(drawable_text(rows))
        axes.set_xlabel(drawable_text(columns))
        figure.colorbar(picture, ax=axes, label="share of the row's photographs", shrink=0.6, aspect=30, pad=0.02)
        figure.suptitle(
            textwrap.fill(_together_finding(both, rows, columns), int(figure.get_figwidth() * DPI / 6.5)),
            x=0.01,
            ha="left",
        )
    return figure


def _together_finding(both, rows, columns):
    photos = f"{both['photo'].nunique():,} photographs have both"
    parents = [
        both[f"label_{side}"].map(lambda name, column=column: _parent(column, name))
        for side, column in (("row", rows), ("column", columns))
    ]
    if all((names != "").all() for names in parents):
        return f"{photos}; in {(parents[0] == parents[1]).mean():.0%} they have the same parent"
    pair = both.groupby(["label_row", "label_column"]).size().sort_values(kind="stable", ascending=False)
    (one, other), count = pair.index[0], pair.iloc[0]
    return f"{photos}; most often {name_label(one)} with {name_label(other)}, {count:,}"


def _rest_together(counts):
    """Only the MOST_NAMED most frequent rows, the others in one."""
    if len(counts) <= MOST_NAMED:
        return counts
    kept = counts.index.isin(counts.sum(axis=1).nlargest(MOST_NAMED - 1).index)
    return pd.concat([counts[kept], counts[~kept].sum().to_frame(OTHERS).T])


def ordered_labels(labels, column):
    """The classes there are: by parent and then in the head's order; without parents the most frequent first."""
    counts = labels.value_counts()
    head = HEADS.get(column.removeprefix(SUB))
    if head is None or not head.parents:
        return list(counts.index)
    place = {
        name: (head.parent_names.index(parent), number)
        for number, (name, parent) in enumerate(zip(head.classes, head.parents, strict=True))
    }
    return sorted(counts.index, key=lambda name: (*place.get(name, (len(place), 0)), name))


def _parent(column, name):
    head = HEADS.get(column.removeprefix(SUB))
    return dict(zip(head.classes, head.parents, strict=True)).get(name, "") if head and head.parents else ""


def _name_ticks(axis, names, short=False, **options):
    """Name the places 0, 1, … of an axis by classes; one that no font can write by its number among them, sorted."""
    numbers = {name: number for number, name in enumerate(sorted(names))}
    labels = [name_label(name, numbers[name], short) for name in names]
    axis.set_ticks(range(len(names)), labels, **options)
    note_numbers(axis.get_figure(), labels)


def name_label(name, number=None, short=False):
    return name if name == OTHERS else class_label(KOREAN.get(name, name), number, short)


def percent(share):
    return f"{share:.0%}" if share >= 0.005 else "<1%"


# Labels ---------------------------------------------------------------------------------------------------------------


def label_pairs(catalog, column):
    """DataFrame `photo, label`: each label of each photo once; what is not annotated is left out."""
    columns = [name for name in catalog.columns if name not in RESERVED_COLUMNS]
    if column not in columns:
        raise InputError(
            f"no label column {column!r}; the catalog's are {columns}"
            + ("; build it with rows='garment'" if column == "part" else "")
        )
    labels = catalog[column].str.split(SEPARATOR, regex=False)
    pairs = pd.DataFrame({"photo": catalog["photo"], "label": labels}).explode("label", ignore_index=True)
    pairs = pairs[~pairs["label"].isin([NOT_ANNOTATED, NONE_APPLIES])].drop_duplicates(ignore_index=True)
    if pairs.empty:
        raise InputError(f"none of {len(catalog):,} rows has a label in {column!r}")
    return pairs


MOST_BARS = 40


# Counts ---------------------------------------------------------------------------------------------------------------


def plot_counts(catalog, column=None):
    """Rows of each class, stacked by split, most frequent first.

    Args:
        catalog: DataFrame of the column contract.
        column: label column; None = the first one.

    Raises:
        InputError: no such column, no label column, no row.
    """
    columns = label_columns(catalog)
    if not columns or (column is not None and column not in columns) or not len(catalog):
        raise InputError(f"{len(catalog):,} rows, label column {column!r}: the catalog's label columns are {columns}")
    column = column or columns[0]
    counts = count_classes(catalog, column)
    labelled = counts[counts.index != "(no label)"]
    numbers = {name: number for number, name in enumerate(sorted(labelled.index))}
    bars = _folded(pd.concat([labelled, counts[counts.index == "(no label)"]]).drop(columns="total"))
    with figure_style():
        figure = new_figure(WIDTH, 1.0 + 0.22 * len(bars))
        axes = figure.add_subplot()
        start = np.zeros(len(bars))
        for split in bars.columns:
            axes.barh(range(len(bars)), bars[split], left=start, color=COLOURS[split], label=split, height=0.75)
            start += bars[split].to_numpy()
        names = [class_label(name, numbers.get(name)) for name in bars.index]
        axes.set_yticks(range(len(bars)), names)
        axes.invert_yaxis()
        axes.set_xlabel("rows of the catalog")
        axes.set_title(_counts_finding(labelled["total"], len(catalog)), loc="left")
        for place, total in enumerate(start):
            axes.annotate(
                f"{int(total):,}",
                (total, place),
                xytext=(3, 0),
                textcoords="offset points",
                va="center",
                color="#555555",
            )
        axes.margins(x=0.08, y=0.01)
        legend_above(axes)
        plain_axes(axes, grid="x")
        note_numbers(figure, names)
    return figure


def _folded(bars):
    if len(bars) <= MOST_BARS:
        return bars
    rest = bars.iloc[MOST_BARS - 1 :]
    return pd.concat([bars.iloc[: MOST_BARS - 1], rest.sum().to_frame(f"({len(rest)} other classes)").T])


def _counts_finding(totals, rows):
    if not len(totals):
        return f"{rows:,} rows, none with a label"
    if len(totals) == 1:
        return f"{rows:,} rows, one class"
    ratio = totals.max() / totals.min()
    how = "as large as the smallest" if ratio == 1 else f"{ratio:.1f} times the smallest"
    return f"{rows:,} rows, {len(totals)} classes; the largest is {how}"
