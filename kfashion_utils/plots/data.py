"""Figures of a data set: sizes, boxes, regions and what a recipe makes of pictures."""

import json

import cv2
import numpy as np
import pandas as pd

from kfashion_utils.errors import ImageRejected, InputError
from kfashion_utils.images import decoding
from kfashion_utils.images.recipe import Preprocess
from kfashion_utils.plots.counts import label_pairs, name_label
from kfashion_utils.plots.pictures import show_images
from kfashion_utils.plots.style import COLOURS, WIDTH, figure_style, new_figure, plain_axes
from kfashion_utils.tables.catalog import BOX
from kfashion_utils.tables.labels import NONE_APPLIES, NOT_ANNOTATED, RESERVED_COLUMNS, SEPARATOR

MOST_READ = 2000  # picture headers that a figure reads
CELLS = 48  # longer side of the map of boxes
REGION_COLOURS = (
    (213, 94, 0),
    (0, 114, 178),
    (0, 158, 115),
    (204, 121, 167),
)  # of classes of regions, the most frequent first; Okabe and Ito's
OUTLINED_COLOURS = 40  # of a picture with outlines; with fewer some lose theirs
SHOWN = 260  # longest side at which pictures are drawn on, pixels


# Sizes and boxes ------------------------------------------------------------------------------------------------------


def plot_sizes(catalog, root):
    """Width, height and shape of the pictures, from their headers.

    Args:
        catalog: DataFrame of the column contract.
        root: folder that its paths are relative to.

    Raises:
        InputError: no picture can be read.
    """
    sizes, asked, paths = _sizes(catalog, root)
    counts = sizes.value_counts(["width", "height"])
    aspects = sizes["height"] / sizes["width"]
    with figure_style():
        figure = new_figure(WIDTH, 3.4)
        plane, shapes = figure.subplots(1, 2, width_ratios=[1.25, 1])
        wide, high = (counts.index.get_level_values(name).to_numpy() for name in ("width", "height"))
        plane.scatter(wide, high, s=10 + 700 * counts / counts.sum(), color=COLOURS["valid"], alpha=0.55, linewidth=0)
        plane.margins(x=0.35, y=0.15)
        limits = [min(wide.min(), high.min()) * 0.85, max(wide.max(), high.max()) * 1.1]
        plane.plot(limits, limits, color="#b8b8b8", linewidth=0.8, linestyle=":", scalex=False, scaley=False)
        _name_sizes(plane, counts.head(4) / len(sizes))
        plane.set_xlabel("width, pixels (dotted: square)")
        plane.set_ylabel("height, pixels")
        shapes.hist(
            aspects, bins=np.linspace(min(0.5, aspects.min()), max(2.0, aspects.max()), 31), color=COLOURS["train"]
        )
        shapes.axvline(1, color="#b8b8b8", linewidth=0.8, linestyle=":")
        shapes.set_xlabel("height / width")
        shapes.set_ylabel("pictures")
        (width, height), most = counts.index[0], counts.iloc[0]
        kinds = "all" if len(counts) == 1 else f"{len(counts):,} sizes, {most / len(sizes):.0%} are"
        figure.suptitle(
            f"{_read(len(sizes), asked, paths)}: {kinds} {width} x {height}; "
            f"{(aspects > 1).mean():.0%} are higher than wide",
            x=0.01,
            ha="left",
        )
        for axes in (plane, shapes):
            plain_axes(axes, grid="both")
    return figure


def _name_sizes(axes, shares):
    """Write sizes beside their places, one above the other where they are close."""
    lowest = -np.inf
    apart = 0.07 * (axes.get_ylim()[1] - axes.get_ylim()[0])
    for (width, height), share in sorted(shares.items(), key=lambda item: item[0][1]):
        lowest = max(height, lowest + apart)
        axes.annotate(
            f"{width} x {height}: {share:.0%}",
            (width, lowest),
            xytext=(16, 0),
            textcoords="offset points",
            va="center",
            color="#404040",
        )


def plot_boxes(catalog, root):
    """How much of their picture the boxes cover, and where they lie.

    Args:
        catalog: DataFrame of the column contract.
        root: folder that its paths are relative to; the headers of the pictures are read.

    Raises:
        InputError: no row has a box, no picture can be read.
    """
    boxed = catalog[catalog[BOX].notna().all(axis=1)]
    if boxed.empty:
        raise InputError(
            f"none of {len(catalog):,} rows has a box; find regions first, or use a catalog with annotation"
        )
    sizes, asked, paths = _sizes(boxed, root)
    boxed = boxed[boxed["path"].isin(sizes.index)]
    sizes = sizes.loc[boxed["path"]].to_numpy(float)
    sides = np.clip(boxed[BOX].to_numpy() / np.tile(sizes, 2), 0, 1)
    cover = (sides[:, 2] - sides[:, 0]) * (sides[:, 3] - sides[:, 1])
    aspect = float(np.median(sizes[:, 1] / sizes[:, 0]))
    heat = _density(sides, *(max(1, round(CELLS * value)) for value in (min(1, aspect), min(1, 1 / aspect))))
    with figure_style():
        figure = new_figure(WIDTH, 3.5)
        shares, place = figure.subplots(1, 2, width_ratios=[1.3, 1])
        shares.hist(cover, bins=np.linspace(0, 1, 26), color=COLOURS["train"])
        middle = float(np.median(cover))
        shares.axvline(middle, color=COLOURS["valid"], linewidth=1.5)
        shares.annotate(
            f" half below {middle:.0%}",
            (middle, 1),
            xycoords=("data", "axes fraction"),
            va="top",
            color=COLOURS["valid"],
        )
        shares.set_xlim(0, 1)
        shares.set_xlabel("share of the picture that the box covers")
        shares.set_ylabel("boxes")
        picture = place.imshow(heat, cmap="Blues", vmin=0, vmax=1, extent=(0, 1, 1, 0), aspect=aspect)
        place.set_xlabel("of the width")
        place.set_ylabel("of the height")
        figure.colorbar(picture, ax=place, label="share of boxes that lie there", fraction=0.05)
        without = len(catalog) - int(catalog[BOX].notna().all(axis=1).sum())
        lacking = f"; {without:,} of {len(catalog):,} rows have none" if without else ""
        figure.suptitle(
            f"{len(boxed):,} boxes in {_read(len(boxed['path'].unique()), asked, paths)}: "
            f"half of them cover less than {middle:.0%}{lacking}",
            x=0.01,
            ha="left",
        )
        plain_axes(shares, grid="y")
    return figure


def _density(sides, height, width):
    """Share of boxes over each cell, float `(height, width)`; `sides` `(n, 4)` left, top, right, bottom, 0..1."""
    across, down = (np.arange(cells) / cells + 0.5 / cells for cells in (width, height))
    columns = (sides[:, :1] <= across) & (across < sides[:, 2:3])
    rows = (sides[:, 1:2] <= down) & (down < sides[:, 3:])
    return rows.T.astype(np.float32) @ columns.astype(np.float32) / len(sides)


def _sizes(catalog, root):
    """(DataFrame `width, height` by path of the pictures that could be read, how many were asked, how many there
    are)."""
    paths = catalog["path"].unique()
    asked = paths if len(paths) <= MOST_READ else paths[np.linspace(0, len(paths) - 1, MOST_READ).astype(int)]
    sizes = {}
    for path in asked:
        try:
            sizes[path] = decoding.read_size(path, root)
        except ImageRejected as error:
            problem = error
    if not sizes:
        raise InputError(
            f"none of {len(asked):,} pictures below {root} can be read"
            + (f"; the last one: {problem}" if len(asked) else "")
        )
    return pd.DataFrame.from_dict(sizes, orient="index", columns=["width", "height"]), len(asked), len(paths)


def _read(readable, asked, paths):
    text = f"{readable:,} pictures" if asked == paths else f"{readable:,} of {paths:,} pictures"
    return text + (f" ({asked - readable} unreadable)" if asked > readable else "")


# Pictures -------------------------------------------------------------------------------------------------------------


def show_regions(catalog, root, column=None, photos=12):
    """Photographs with the boxes and polygons of all their rows drawn, as many classes as possible, the class beneath.

    Args:
        catalog: DataFrame of the column contract; where photos have several rows (garments), the colour is that of the
            class: orange = the most frequent, then blue, green, purple. Otherwise polygons are orange, boxes blue.
        root: folder that its paths are relative to.
        column: label column; None = the first one, or none.
        photos: how many.

    Raises:
        InputError: no such column, no picture can be read.
    """
    column = column or next((name for name in catalog.columns if name not in RESERVED_COLUMNS), None)
    rows = {photo: catalog[catalog["photo"] == photo] for photo in _examples(catalog, column, 2 * photos)}
    classes = (
        {} if column is None else {name: number for number, name in enumerate(catalog[column].value_counts().index)}
    )
    colours = {
        photo: [REGION_COLOURS[classes.get(label, 0) % len(REGION_COLOURS)] for label in table[column or "id"]]
        for photo, table in rows.items()
    }
    boxes = colours
    if all(len(table) == 1 for table in rows.values()):
        colours, boxes = (dict.fromkeys(rows, REGION_COLOURS[place : place + 1]) for place in (0, 1))
    shown = _readable(rows, photos, lambda photo: _outlined(rows[photo], root, colours[photo], boxes[photo]))
    return show_images(
        list(shown.values()),
        [_photo_label(rows[photo], column) for photo in shown],
        height=150,
        colours=OUTLINED_COLOURS,
    )


def _outlined(rows, root, colours, boxes):
    """A photograph with the polygons and boxes of its rows in a colour each, uint8 RGB, at most SHOWN pixels."""
    pixels, scale = _decoded(rows["path"].iloc[0], root)
    for row, colour, box in zip(rows.to_dict("records"), colours, boxes, strict=True):
        rings = [np.round(np.array(ring) * scale).astype(np.int32) for ring in json.loads(row["polygon"] or "[]")]
        cv2.polylines(pixels, rings, True, colour, 2, cv2.LINE_AA)
        if not np.isnan([row[side] for side in BOX]).any():
            left, top, right, bottom = (round(row[side] * scale) for side in BOX)
            cv2.rectangle(pixels, (left, top), (right, bottom), box, 2)
    return pixels


def _decoded(path, root):
    """(pixels uint8 RGB, their size as a share of the photograph's)."""
    pixels, (width, height) = decoding.decode(path, root, lambda *size: max(size) / SHOWN)
    scale = min(1.0, SHOWN / max(width, height))
    return cv2.resize(
        pixels, (max(1, round(width * scale)), max(1, round(height * scale))), interpolation=cv2.INTER_AREA
    ), scale


def show_recipe(catalog, root, preprocess, column=None, photos=6):
    """Before and after: each photograph in a square, and beside it what the recipe makes of its row.

    Args:
        catalog: DataFrame of the column contract.
        root: folder that its paths are relative to.
        preprocess: a Preprocess.
        column: label column, shown beneath; None = the first one, or none.
        photos: how many rows, one a photograph.

    Raises:
        InputError: no such column, no picture can be prepared.
    """
    column = column or next((name for name in catalog.columns if name not in RESERVED_COLUMNS), None)
    chosen = catalog.drop_duplicates("photo").set_index("photo", drop=False)
    rows = {photo: chosen.loc[photo] for photo in _examples(catalog, column, 2 * photos)}
    before = Preprocess(size=preprocess.size)
    shown = _readable(
        rows,
        photos,
        lambda photo: [recipe.apply(rows[photo]["path"], rows[photo], root) for recipe in (before, preprocess)],
    )
    pictures = [picture for pair in shown.values() for picture in pair]
    labels = [
        text for photo in shown for text in (_photo_label(rows[photo].to_frame().T, column), _recipe_text(preprocess))
    ]
    return show_images(pictures, labels, height=min(128, preprocess.size))


def _recipe_text(preprocess):
    """What a recipe does to a picture, in a few words."""
    crop = "" if preprocess.crop == "none" else "crop" + (f" +{preprocess.margin:.0%}" if preprocess.margin else "")
    mask = "" if preprocess.mask == "none" else "mask"
    return ", ".join(word for word in (crop, mask, "stretched" * (preprocess.fit == "stretch")) if word) or "whole"


def _examples(catalog, column, count):
    """Names of photos, one of each class and look as far as they go, then the second ones; the most frequent class
    first."""
    if not len(catalog):
        raise InputError("the catalog has no rows; there is nothing to show")
    if column is None:
        return catalog["photo"].unique()[:count].tolist()
    pairs = label_pairs(catalog, column).drop_duplicates("photo")
    pairs["group"] = pairs["photo"].map(catalog.drop_duplicates("photo").set_index("photo")["group"])
    pairs["again"] = pairs.groupby("group").cumcount()
    pairs = pairs.sort_values("again", kind="stable")
    pairs["turn"] = pairs.groupby("label").cumcount()
    pairs["place"] = pairs["label"].map(
        {name: number for number, name in enumerate(pairs["label"].value_counts().index)}
    )
    return pairs.sort_values(["turn", "place"], kind="stable")["photo"].head(count).tolist()


def _readable(names, count, read):
    """{name: what `read` gives} of the first `count` names whose pictures can be read."""
    found, problem = {}, None
    for name in names:
        try:
            found[name] = read(name)
        except ImageRejected as error:
            problem = error
        if len(found) == count:
            break
    if not found:
        raise InputError(f"none of {len(names):,} pictures can be shown; the last one: {problem}")
    return found


def _photo_label(rows, column):
    names = [name for text in rows[column] for name in text.split(SEPARATOR)] if column else []
    return "\n".join(name_label(name) for name in dict.fromkeys(names) if name not in (NOT_ANNOTATED, NONE_APPLIES))
