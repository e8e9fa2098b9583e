"""What figures of two sets of classes share: shares as colours, counts in the cells, lines between parents."""

import numpy as np

LIGHT_FROM = 0.55  # share from which on a cell is so dark that its count is white
MOST_COUNTED = 30  # classes up to which the cells show their counts


def draw_shares(axes, shares, **options):
    """Shares `(rows, columns)` 0..1 as blue cells; returns the picture, for its colour bar."""
    return axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, **options)


def write_counts(axes, counts, shares, *, size, dark, form=""):
    """Counts above 0 in their cells.

    Args:
        counts, shares: `(rows, columns)`.
        size: of the digits, points.
        dark: colour of the digits on light cells.
        form: how a count is written, as in `format`.
    """
    for row, column in np.argwhere(counts > 0):
        colour = "white" if shares[row, column] > LIGHT_FROM else dark
        text = format(counts[row, column], form)
        axes.text(column, row, text, ha="center", va="center", fontsize=size, color=colour)


def mark_parents(draw_line, parents):
    """A thin line between neighbours of different parents; `draw_line` = `axes.axhline` or `axes.axvline`."""
    for place in range(1, len(parents)):
        if parents[place] != parents[place - 1]:
            draw_line(place - 0.5, color="#9a9a9a", linewidth=0.7)
