"""The figure of which classes one photograph shows together."""

from dataclasses import dataclass

import pandas as pd

from kfashion_utils.plots.labels import OTHERS, label_pairs, name_ticks
from kfashion_utils.plots.style import (
    COLOURS,
    WIDTH,
    drawable_text,
    figure_style,
    new_figure,
    plain_axes,
    write_beside,
    write_finding,
)

MOST_COMBINED = 20  # classes that combinations are made of; the rarer ones count as one
MOST_COMBINATIONS = 15


@dataclass(frozen=True)
class _Bar:
    """Photographs that show the same classes (numbers, sorted), or that a `text` in place of the dots explains."""

    photos: int
    classes: tuple = ()
    text: str = ""


def plot_combinations(catalog, column="part"):
    """Which classes occur together in a photograph: one bar a combination, its classes as dots.

    Args:
        catalog: DataFrame; one row a garment (`build_catalog(…, rows="garment")`), or several labels a row.
        column: label column.

    Raises:
        InputError: no such column, no labelled row.
    """
    pairs = label_pairs(catalog, column)
    names = _combined_names(pairs["label"].value_counts().index)
    combinations = _combinations(pairs, names)
    bars = _bars(combinations, catalog["photo"].nunique() - pairs["photo"].nunique())
    many = len(names) > 6
    with figure_style():
        figure = new_figure(WIDTH, 1.3 + 0.24 * len(bars) + (0.6 if many else 0))
        widths = [max(1.6, 0.42 * len(names)), 7 - min(4, 0.2 * len(names))]
        dots, axes = figure.subplots(1, 2, sharey=True, width_ratios=widths)
        _draw_dots(dots, bars, len(names))
        _draw_bars(axes, bars)
        name_ticks(dots.xaxis, names, rotation=90 if many else 35, ha="center" if many else "left")
        dots.xaxis.tick_top()
        dots.tick_params(left=False, labelleft=False, top=False)
        dots.spines[:].set_visible(False)
        dots.set_xlim(-0.6, len(names) - 0.4)
        write_finding(figure, _finding(combinations, column))
        plain_axes(axes, grid="x")
    return figure


def _combined_names(names):
    """The most frequent classes, the rarer ones in one."""
    return list(names) if len(names) <= MOST_COMBINED else [*names[: MOST_COMBINED - 1], OTHERS]


def _combinations(pairs, names):
    """A `_Bar` for each set of classes that a photograph shows, most photographs first.

    While sets are counted, one is a number in which bit n says whether class n is there.
    """
    place = {name: number for number, name in enumerate(names)}
    bits = pairs["label"].map(lambda name: 1 << place.get(name, len(names) - 1))
    shown = pd.DataFrame({"photo": pairs["photo"], "bit": bits}).drop_duplicates()
    counts = shown.groupby("photo")["bit"].sum().value_counts(sort=False).reset_index()
    counts = counts.sort_values(["count", "bit"], ascending=[False, True])
    return [
        _Bar(photos, tuple(number for number in range(len(names)) if classes >> number & 1))
        for classes, photos in counts[["bit", "count"]].to_numpy().tolist()
    ]


def _bars(combinations, unlabelled):
    """The first combinations, the others in one, and the photographs without a label."""
    shown, rest = combinations[:MOST_COMBINATIONS], combinations[MOST_COMBINATIONS:]
    bars = list(shown)
    if rest:
        bars.append(_Bar(sum(bar.photos for bar in rest), text=f"{len(rest)} more combinations"))
    if unlabelled:
        bars.append(_Bar(unlabelled, text="no label"))
    return bars


def _draw_dots(axes, bars, count):
    """A row a bar: a dot for each of `count` classes, dark and joined where the photographs show it."""
    for row, bar in enumerate(bars):
        if bar.text:
            axes.text((count - 1) / 2, row, bar.text, ha="center", va="center", color="#777777")
            continue
        axes.scatter(range(count), [row] * count, s=34, color="#e4e4e4")
        places = [row] * len(bar.classes)
        axes.plot(bar.classes, places, color="#404040", marker="o", markersize=6, linewidth=1.6)


def _draw_bars(axes, bars):
    photos = [bar.photos for bar in bars]
    colours = [COLOURS["train" if bar.text else "valid"] for bar in bars]
    axes.barh(range(len(bars)), photos, color=colours, height=0.7)
    for row, count in enumerate(photos):
        write_beside(axes, f"{count:,}  {_percent(count / sum(photos))}", (count, row))
    axes.set_ylim(len(bars) - 0.4, -0.6)
    axes.tick_params(left=False)
    axes.set_xlabel("photographs")
    axes.margins(x=0.16)


def _percent(share):
    return f"{share:.0%}" if share >= 0.005 else "<1%"


def _finding(combinations, column):
    photos = sum(bar.photos for bar in combinations)
    several = sum(bar.photos for bar in combinations if len(bar.classes) > 1) / photos
    kind = "1 combination" if len(combinations) == 1 else f"{len(combinations)} combinations"
    return f"{photos:,} photographs, {kind}; {several:.0%} show more than one {drawable_text(column)}"
