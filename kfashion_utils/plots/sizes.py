"""Figures of how large pictures are and what the boxes cover of them, from the headers of the files."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from kfashion_utils.errors import ImageRejected, InputError
from kfashion_utils.images import decoding
from kfashion_utils.images.annotation import stated_size
from kfashion_utils.plots.matrix import draw_shares
from kfashion_utils.plots.style import (
    COLOURS,
    WIDTH,
    figure_style,
    new_figure,
    plain_axes,
    write_beside,
    write_finding,
)
from kfashion_utils.tables.catalog import BOX

MOST_READ = 2000  # picture headers that a figure reads
CELLS = 48  # longer side of the map of boxes


# Sizes ----------------------------------------------------------------------------------------------------------------


def plot_sizes(catalog, root):
    """Width, height and shape of the pictures, from their headers.

    Args:
        catalog: DataFrame of the column contract.
        root: folder that its paths are relative to.

    Raises:
        InputError: no picture can be read.
    """
    read = _read_sizes(catalog, root)
    counts = read.sizes.value_counts(["width", "height"])
    aspects = read.sizes["height"] / read.sizes["width"]
    with figure_style():
        figure = new_figure(WIDTH, 3.4)
        plane, shapes = figure.subplots(1, 2, width_ratios=[1.25, 1])
        _draw_plane(plane, counts)
        _draw_aspects(shapes, aspects)
        (width, height), most = counts.index[0], counts.iloc[0]
        kinds = "all" if len(counts) == 1 else f"{len(counts):,} sizes, {most / len(read.sizes):.0%} are"
        higher = f"{(aspects > 1).mean():.0%} are higher than wide"
        write_finding(figure, f"{read.in_words(len(read.sizes))}: {kinds} {width} x {height}; {higher}")
        for axes in (plane, shapes):
            plain_axes(axes, grid="both")
    return figure


def _draw_plane(axes, counts):
    """A disc for each size, as large as there are pictures; the four most frequent are named."""
    wide, high = (counts.index.get_level_values(name).to_numpy() for name in ("width", "height"))
    areas = 10 + 700 * counts / counts.sum()
    axes.scatter(wide, high, s=areas, color=COLOURS["valid"], alpha=0.55, linewidth=0)
    axes.margins(x=0.35, y=0.15)
    limits = [min(wide.min(), high.min()) * 0.85, max(wide.max(), high.max()) * 1.1]
    axes.plot(limits, limits, color="#b8b8b8", linewidth=0.8, linestyle=":", scalex=False, scaley=False)
    _name_sizes(axes, counts.head(4) / counts.sum())
    axes.set_xlabel("width, pixels (dotted: square)")
    axes.set_ylabel("height, pixels")


def _name_sizes(axes, shares):
    """Write sizes beside their places, one above the other where they are close."""
    bottom, top = axes.get_ylim()
    apart = 0.07 * (top - bottom)
    lowest = -np.inf
    for (width, height), share in sorted(shares.items(), key=lambda item: item[0][1]):
        lowest = max(height, lowest + apart)
        write_beside(axes, f"{width} x {height}: {share:.0%}", (width, lowest), right=16, colour="#404040")


def _draw_aspects(axes, aspects):
    edges = np.linspace(min(0.5, aspects.min()), max(2.0, aspects.max()), 31)
    axes.hist(aspects, bins=edges, color=COLOURS["train"])
    axes.axvline(1, color="#b8b8b8", linewidth=0.8, linestyle=":")
    axes.set_xlabel("height / width")
    axes.set_ylabel("pictures")


# Boxes ----------------------------------------------------------------------------------------------------------------


def plot_boxes(catalog, root):
    """How much of their picture the boxes cover, and where they lie.

    Args:
        catalog: DataFrame of the column contract.
        root: folder that its paths are relative to; the headers of the pictures are read.

    Raises:
        InputError: no row has a box, no picture can be read.
    """
    boxed = catalog[catalog[BOX].notna().all(axis=1)]
    without = len(catalog) - len(boxed)
    if boxed.empty:
        raise InputError(
            f"none of {len(catalog):,} rows has a box; find regions first, or use a catalog with annotation"
        )
    read = _read_sizes(boxed, root)
    boxed = boxed[boxed["path"].isin(read.sizes.index)]
    sizes = _annotated_sizes(boxed, read.sizes.loc[boxed["path"]].to_numpy(float))
    sides = np.clip(boxed[BOX].to_numpy() / np.tile(sizes, 2), 0, 1)
    cover = (sides[:, 2] - sides[:, 0]) * (sides[:, 3] - sides[:, 1])
    middle = float(np.median(cover))
    with figure_style():
        figure = new_figure(WIDTH, 3.5)
        shares, place = figure.subplots(1, 2, width_ratios=[1.3, 1])
        _draw_cover(shares, cover, middle)
        picture = _draw_places(place, sides, float(np.median(sizes[:, 1] / sizes[:, 0])))
        figure.colorbar(picture, ax=place, label="share of boxes that lie there", fraction=0.05)
        boxes = f"{len(boxed):,} boxes in {read.in_words(boxed['path'].nunique())}"
        lacking = f"; {without:,} of {len(catalog):,} rows have none" if without else ""
        write_finding(figure, f"{boxes}: half of them cover less than {middle:.0%}{lacking}")
        plain_axes(shares, grid="y")
    return figure


def _annotated_sizes(catalog, sizes):
    """The sizes, float `(n, 2)`, that the boxes are measured in: what their labels state, else the pictures' own."""
    stated = [stated_size(row) for row in catalog.to_dict("records")]
    return np.array([one or size for one, size in zip(stated, sizes.tolist(), strict=True)], float)


def _draw_cover(axes, cover, middle):
    axes.hist(cover, bins=np.linspace(0, 1, 26), color=COLOURS["train"])
    axes.axvline(middle, color=COLOURS["valid"], linewidth=1.5)
    at_the_top = ("data", "axes fraction")
    text = f" half below {middle:.0%}"
    axes.annotate(text, (middle, 1), xycoords=at_the_top, va="top", color=COLOURS["valid"])
    axes.set_xlim(0, 1)
    axes.set_xlabel("share of the picture that the box covers")
    axes.set_ylabel("boxes")


def _draw_places(axes, sides, aspect):
    """How many boxes lie over each place of a picture that is `aspect` times as high as wide; returns the picture."""
    height, width = (max(1, round(CELLS * share)) for share in (min(1, aspect), min(1, 1 / aspect)))
    heat = _density(sides, height, width)
    axes.set_xlabel("of the width")
    axes.set_ylabel("of the height")
    return draw_shares(axes, heat, extent=(0, 1, 1, 0), aspect=aspect)


def _density(sides, height, width):
    """Share of boxes over each cell, float `(height, width)`; `sides` `(n, 4)` left, top, right, bottom, 0..1."""
    across, down = (np.arange(cells) / cells + 0.5 / cells for cells in (width, height))
    columns = (sides[:, :1] <= across) & (across < sides[:, 2:3])
    rows = (sides[:, 1:2] <= down) & (down < sides[:, 3:])
    return rows.T.astype(np.float32) @ columns.astype(np.float32) / len(sides)


# Headers --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Sizes:
    """`width, height` by path of the pictures that could be read, how many were asked, and how many there are."""

    sizes: pd.DataFrame
    asked: int
    there: int

    def in_words(self, readable):
        """How many pictures a figure rests on, with those that are left out."""
        of_them = "" if self.asked == self.there else f" of {self.there:,}"
        lost = self.asked - readable
        return f"{readable:,}{of_them} pictures" + (f" ({lost} unreadable)" if lost > 0 else "")


def _read_sizes(catalog, root):
    """The `_Sizes` of a catalog's pictures, of MOST_READ of them at most.

    Raises:
        InputError: none can be read.
    """
    paths = catalog["path"].unique()
    asked = paths
    if len(paths) > MOST_READ:
        asked = paths[np.linspace(0, len(paths) - 1, MOST_READ).astype(int)]
    sizes, problem = {}, None
    for path in asked:
        try:
            sizes[path] = decoding.read_size(path, root)
        except ImageRejected as error:
            problem = error
    if not sizes:
        last = "" if problem is None else f"; the last one: {problem}"
        raise InputError(f"none of {len(asked):,} pictures below {root} can be read{last}")
    table = pd.DataFrame.from_dict(sizes, orient="index", columns=["width", "height"])
    return _Sizes(table, len(asked), len(paths))
