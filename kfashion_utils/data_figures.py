"""Figures of a catalog before anything is learned: parents and classes, combinations, sizes, boxes, labels that go together, pictures.

Catalog in, `matplotlib.figure.Figure` out, in the style of `plots`; the title says what is to be seen. Where pictures are read, only some of
them are, evenly chosen, and the title says how many. One that cannot be read is left out.
"""

import json
import textwrap

import cv2
import numpy as np
import pandas as pd

from kfashion_utils import images
from kfashion_utils.catalog import BOX
from kfashion_utils.errors import InputError
from kfashion_utils.images import ImageRejected
from kfashion_utils.labels import NONE_APPLIES, NOT_ANNOTATED, RESERVED_COLUMNS, SEPARATOR, SUB
from kfashion_utils.pixels import Preprocess
from kfashion_utils.plots import (
    COLOURS,
    DPI,
    MOST_COUNTED,
    MOST_NAMED,
    WIDTH,
    class_label,
    drawable_text,
    figure_style,
    new_figure,
    note_numbers,
    plain_axes,
    show_images,
)
from kfashion_utils.tasks import HEADS, PARTS

MOST_READ = 2000  # picture headers that a figure reads
MOST_COMBINED = 20  # classes that combinations are made of; the rarer ones count as one
MOST_COMBINATIONS = 15
CELLS = 48  # longer side of the map of boxes
REGION_COLOURS = ((213, 94, 0), (0, 114, 178), (0, 158, 115), (204, 121, 167))  # of classes of regions, the most frequent first; Okabe and Ito's
OUTLINED_COLOURS = 40  # of a picture with outlines; with fewer some lose theirs
SHOWN = 260  # longest side at which pictures are drawn on, pixels
OTHERS = "(others)"
KOREAN = {english: korean for korean, english in PARTS.items()}  # the catalog's parts are in English: their names for Korean labels


# Classes --------------------------------------------------------------------------------------------------------------


def plot_parents(catalog, column="style"):
    """Photographs of each parent and, beneath it, of its classes, most frequent first.

    Args:
        catalog: DataFrame of the column contract.
        column: label column of a head that has parents (`tasks.HEADS`).

    Raises:
        InputError: no such column, one without parents, no labelled row.
    """
    pairs = _pairs(catalog, column)
    head = HEADS.get(column.removeprefix(SUB))
    if head is None or not head.parents:
        raise InputError(f"the classes of {column!r} have no parents in the table of heads; plot_counts(catalog, {column!r}) shows them")
    parent_of = dict(zip(head.classes, head.parents, strict=True))
    counts = pairs["label"].value_counts()
    classes = pd.DataFrame({"class": counts.index, "parent": [parent_of.get(name, OTHERS) for name in counts.index], "count": counts.to_numpy()})
    totals = classes.groupby("parent")["count"].sum().sort_values(ascending=False, kind="stable")
    bars = [bar for parent in totals.index for bar in [(parent, totals[parent], True), *((row["class"], row["count"], False) for _, row in classes[classes["parent"] == parent].iterrows())]]
    missing = [name for name in head.classes if name not in set(classes["class"])]
    with figure_style():
        figure = new_figure(WIDTH, 0.9 + 0.19 * len(bars))
        axes = figure.add_subplot()
        for place, (_, count, is_parent) in enumerate(bars):
            axes.barh(place, count, color=COLOURS["train"] if is_parent else COLOURS["valid"], height=0.8 if is_parent else 0.62)
            axes.annotate(f"{count:,}", (count, place), xytext=(3, 0), textcoords="offset points", va="center", color="#555555")
        axes.set_yticks(range(len(bars)), [_label(name) for name, _, _ in bars])
        for label, (_, _, is_parent) in zip(axes.get_yticklabels(), bars, strict=True):
            label.set_fontweight("bold" if is_parent else "normal")
        axes.invert_yaxis()
        axes.set_xlabel("photographs; grey = all of a parent, blue = its classes")
        first = totals.index[0]
        lacking = f"; {len(missing)} of {len(head.classes)} classes have none" if missing else ""
        axes.set_title(f"{len(totals)} parents, {len(classes)} classes; {class_label(first, None)} holds {totals.iloc[0] / totals.sum():.0%}{lacking}", loc="left")
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
    pairs = _pairs(catalog, column)
    counts = pairs["label"].value_counts()
    names = list(counts.index if len(counts) <= MOST_COMBINED else [*counts.index[: MOST_COMBINED - 1], OTHERS])
    place = {name: number for number, name in enumerate(names)}
    bits = pairs["label"].map(lambda name: 1 << place.get(name, len(names) - 1))
    sets = pd.DataFrame({"photo": pairs["photo"], "bit": bits}).drop_duplicates().groupby("photo")["bit"].sum().value_counts(sort=False)
    sets = sets.reset_index().sort_values(["count", "bit"], ascending=[False, True]).to_numpy().tolist()
    photos, kinds, unlabelled = sum(count for _, count in sets), len(sets), catalog["photo"].nunique() - pairs["photo"].nunique()
    shown, rest = sets[:MOST_COMBINATIONS], sum(count for _, count in sets[MOST_COMBINATIONS:])
    bars = [count for _, count in shown] + ([rest] if rest else []) + ([unlabelled] if unlabelled else [])
    with figure_style():
        figure = new_figure(WIDTH, 1.3 + 0.24 * len(bars) + (0.6 if len(names) > 6 else 0))
        dots, axes = figure.subplots(1, 2, sharey=True, width_ratios=[max(1.6, 0.42 * len(names)), 7 - min(4, 0.2 * len(names))])
        for row, (bit, _) in enumerate(shown):
            inside = [number for number in range(len(names)) if bit >> number & 1]
            dots.scatter(range(len(names)), [row] * len(names), s=34, color="#e4e4e4")
            dots.plot(inside, [row] * len(inside), color="#404040", marker="o", markersize=6, linewidth=1.6)
        for row, text in zip(range(len(shown), len(bars)), ([f"{kinds - len(shown)} more combinations"] if rest else []) + (["no label"] if unlabelled else []), strict=True):
            dots.text((len(names) - 1) / 2, row, text, ha="center", va="center", color="#777777")
        axes.barh(range(len(bars)), bars, color=[COLOURS["valid"]] * len(shown) + [COLOURS["train"]] * (len(bars) - len(shown)), height=0.7)
        for row, count in enumerate(bars):
            axes.annotate(f"{count:,}  {_percent(count / (photos + unlabelled))}", (count, row), xytext=(3, 0), textcoords="offset points", va="center", color="#555555")
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
        figure.suptitle(f"{photos:,} photographs, {kind}; {several / photos:.0%} show more than one {drawable_text(column)}", x=0.01, ha="left")
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
    one, other = _pairs(catalog, rows), _pairs(catalog, columns)
    both = one.merge(other, on="photo", suffixes=("_row", "_column"))
    if both.empty:
        raise InputError(f"none of {catalog['photo'].nunique():,} photographs has a label in {rows!r} and in {columns!r}")
    left, right = _ordered(both["label_row"], rows), _ordered(both["label_column"], columns)
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
                axes.text(column, row, f"{counts.iat[row, column]:,}", ha="center", va="center", fontsize=6.5, color="white" if shares[row, column] > 0.55 else "#303030")
        axes.set_ylabel(drawable_text(rows))
        axes.set_xlabel(drawable_text(columns))
        figure.colorbar(picture, ax=axes, label="share of the row's photographs", shrink=0.6, aspect=30, pad=0.02)
        figure.suptitle(textwrap.fill(_together_finding(both, rows, columns), int(figure.get_figwidth() * DPI / 6.5)), x=0.01, ha="left")
    return figure


def _together_finding(both, rows, columns):
    photos = f"{both['photo'].nunique():,} photographs have both"
    parents = [both[f"label_{side}"].map(lambda name, column=column: _parent(column, name)) for side, column in (("row", rows), ("column", columns))]
    if all((names != "").all() for names in parents):
        return f"{photos}; in {(parents[0] == parents[1]).mean():.0%} they have the same parent"
    pair = both.groupby(["label_row", "label_column"]).size().sort_values(kind="stable", ascending=False)
    (one, other), count = pair.index[0], pair.iloc[0]
    return f"{photos}; most often {_label(one)} with {_label(other)}, {count:,}"


def _rest_together(counts):
    """Only the MOST_NAMED most frequent rows, the others in one."""
    if len(counts) <= MOST_NAMED:
        return counts
    kept = counts.index.isin(counts.sum(axis=1).nlargest(MOST_NAMED - 1).index)
    return pd.concat([counts[kept], counts[~kept].sum().to_frame(OTHERS).T])


def _ordered(labels, column):
    """The classes there are: by parent and then in the head's order; without parents the most frequent first."""
    counts = labels.value_counts()
    head = HEADS.get(column.removeprefix(SUB))
    if head is None or not head.parents:
        return list(counts.index)
    place = {name: (head.parent_names.index(parent), number) for number, (name, parent) in enumerate(zip(head.classes, head.parents, strict=True))}
    return sorted(counts.index, key=lambda name: (*place.get(name, (len(place), 0)), name))


def _parent(column, name):
    head = HEADS.get(column.removeprefix(SUB))
    return dict(zip(head.classes, head.parents, strict=True)).get(name, "") if head and head.parents else ""


def _name_ticks(axis, names, short=False, **options):
    """Name the places 0, 1, … of an axis by classes; one that no font can write by its number among them, sorted."""
    numbers = {name: number for number, name in enumerate(sorted(names))}
    labels = [_label(name, numbers[name], short) for name in names]
    axis.set_ticks(range(len(names)), labels, **options)
    note_numbers(axis.get_figure(), labels)


def _label(name, number=None, short=False):
    return name if name == OTHERS else class_label(KOREAN.get(name, name), number, short)


def _percent(share):
    return f"{share:.0%}" if share >= 0.005 else "<1%"


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
        shapes.hist(aspects, bins=np.linspace(min(0.5, aspects.min()), max(2.0, aspects.max()), 31), color=COLOURS["train"])
        shapes.axvline(1, color="#b8b8b8", linewidth=0.8, linestyle=":")
        shapes.set_xlabel("height / width")
        shapes.set_ylabel("pictures")
        (width, height), most = counts.index[0], counts.iloc[0]
        kinds = "all" if len(counts) == 1 else f"{len(counts):,} sizes, {most / len(sizes):.0%} are"
        figure.suptitle(f"{_read(len(sizes), asked, paths)}: {kinds} {width} x {height}; {(aspects > 1).mean():.0%} are higher than wide", x=0.01, ha="left")
        for axes in (plane, shapes):
            plain_axes(axes, grid="both")
    return figure


def _name_sizes(axes, shares):
    """Write sizes beside their places, one above the other where they are close."""
    lowest = -np.inf
    apart = 0.07 * (axes.get_ylim()[1] - axes.get_ylim()[0])
    for (width, height), share in sorted(shares.items(), key=lambda item: item[0][1]):
        lowest = max(height, lowest + apart)
        axes.annotate(f"{width} x {height}: {share:.0%}", (width, lowest), xytext=(16, 0), textcoords="offset points", va="center", color="#404040")


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
        raise InputError(f"none of {len(catalog):,} rows has a box; find regions first, or use a catalog with annotation")
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
        shares.annotate(f" half below {middle:.0%}", (middle, 1), xycoords=("data", "axes fraction"), va="top", color=COLOURS["valid"])
        shares.set_xlim(0, 1)
        shares.set_xlabel("share of the picture that the box covers")
        shares.set_ylabel("boxes")
        picture = place.imshow(heat, cmap="Blues", vmin=0, vmax=1, extent=(0, 1, 1, 0), aspect=aspect)
        place.set_xlabel("of the width")
        place.set_ylabel("of the height")
        figure.colorbar(picture, ax=place, label="share of boxes that lie there", fraction=0.05)
        without = len(catalog) - int(catalog[BOX].notna().all(axis=1).sum())
        lacking = f"; {without:,} of {len(catalog):,} rows have none" if without else ""
        figure.suptitle(f"{len(boxed):,} boxes in {_read(len(boxed['path'].unique()), asked, paths)}: half of them cover less than {middle:.0%}{lacking}", x=0.01, ha="left")
        plain_axes(shares, grid="y")
    return figure


def _density(sides, height, width):
    """Share of boxes over each cell, float `(height, width)`; `sides` `(n, 4)` left, top, right, bottom, 0..1."""
    across, down = (np.arange(cells) / cells + 0.5 / cells for cells in (width, height))
    columns = (sides[:, :1] <= across) & (across < sides[:, 2:3])
    rows = (sides[:, 1:2] <= down) & (down < sides[:, 3:])
    return rows.T.astype(np.float32) @ columns.astype(np.float32) / len(sides)


def _sizes(catalog, root):
    """(DataFrame `width, height` by path of the pictures that could be read, how many were asked, how many there are)."""
    paths = catalog["path"].unique()
    asked = paths if len(paths) <= MOST_READ else paths[np.linspace(0, len(paths) - 1, MOST_READ).astype(int)]
    sizes = {}
    for path in asked:
        try:
            sizes[path] = images.read_size(path, root)
        except ImageRejected as error:
            problem = error
    if not sizes:
        raise InputError(f"none of {len(asked):,} pictures below {root} can be read" + (f"; the last one: {problem}" if len(asked) else ""))
    return pd.DataFrame.from_dict(sizes, orient="index", columns=["width", "height"]), len(asked), len(paths)


def _read(readable, asked, paths):
    text = f"{readable:,} pictures" if asked == paths else f"{readable:,} of {paths:,} pictures"
    return text + (f" ({asked - readable} unreadable)" if asked > readable else "")


# Pictures -------------------------------------------------------------------------------------------------------------


def show_regions(catalog, root, column=None, photos=12):
    """Photographs with the boxes and polygons of all their rows drawn, as many classes as possible, the class beneath.

    Args:
        catalog: DataFrame of the column contract; where photos have several rows (garments), the colour is that of the class: orange = the most
            frequent, then blue, green, purple. Otherwise polygons are orange, boxes blue.
        root: folder that its paths are relative to.
        column: label column; None = the first one, or none.
        photos: how many.

    Raises:
        InputError: no such column, no picture can be read.
    """
    column = column or next((name for name in catalog.columns if name not in RESERVED_COLUMNS), None)
    rows = {photo: catalog[catalog["photo"] == photo] for photo in _examples(catalog, column, 2 * photos)}
    classes = {} if column is None else {name: number for number, name in enumerate(catalog[column].value_counts().index)}
    colours = {photo: [REGION_COLOURS[classes.get(label, 0) % len(REGION_COLOURS)] for label in table[column or "id"]] for photo, table in rows.items()}
    boxes = colours
    if all(len(table) == 1 for table in rows.values()):
        colours, boxes = (dict.fromkeys(rows, REGION_COLOURS[place : place + 1]) for place in (0, 1))
    shown = _readable(rows, photos, lambda photo: _outlined(rows[photo], root, colours[photo], boxes[photo]))
    return show_images(list(shown.values()), [_photo_label(rows[photo], column) for photo in shown], height=150, colours=OUTLINED_COLOURS)


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
    pixels, (width, height) = images.decode(path, root, lambda *size: max(size) / SHOWN)
    scale = min(1.0, SHOWN / max(width, height))
    return cv2.resize(pixels, (max(1, round(width * scale)), max(1, round(height * scale))), interpolation=cv2.INTER_AREA), scale


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
    shown = _readable(rows, photos, lambda photo: [recipe.apply(rows[photo]["path"], rows[photo], root) for recipe in (before, preprocess)])
    pictures = [picture for pair in shown.values() for picture in pair]
    labels = [text for photo in shown for text in (_photo_label(rows[photo].to_frame().T, column), _recipe_text(preprocess))]
    return show_images(pictures, labels, height=min(128, preprocess.size))


def _recipe_text(preprocess):
    """What a recipe does to a picture, in a few words."""
    crop = "" if preprocess.crop == "none" else "crop" + (f" +{preprocess.margin:.0%}" if preprocess.margin else "")
    mask = "" if preprocess.mask == "none" else "mask"
    return ", ".join(word for word in (crop, mask, "stretched" * (preprocess.fit == "stretch")) if word) or "whole"


def _examples(catalog, column, count):
    """Names of photos, one of each class and look as far as they go, then the second ones; the most frequent class first."""
    if not len(catalog):
        raise InputError("the catalog has no rows; there is nothing to show")
    if column is None:
        return catalog["photo"].unique()[:count].tolist()
    pairs = _pairs(catalog, column).drop_duplicates("photo")
    pairs["group"] = pairs["photo"].map(catalog.drop_duplicates("photo").set_index("photo")["group"])
    pairs["again"] = pairs.groupby("group").cumcount()
    pairs = pairs.sort_values("again", kind="stable")
    pairs["turn"] = pairs.groupby("label").cumcount()
    pairs["place"] = pairs["label"].map({name: number for number, name in enumerate(pairs["label"].value_counts().index)})
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
    return "\n".join(_label(name) for name in dict.fromkeys(names) if name not in (NOT_ANNOTATED, NONE_APPLIES))


# Labels ---------------------------------------------------------------------------------------------------------------


def _pairs(catalog, column):
    """DataFrame `photo, label`: each label of each photo once; what is not annotated is left out."""
    columns = [name for name in catalog.columns if name not in RESERVED_COLUMNS]
    if column not in columns:
        raise InputError(f"no label column {column!r}; the catalog's are {columns}" + ("; build it with rows='garment'" if column == "part" else ""))
    labels = catalog[column].str.split(SEPARATOR, regex=False)
    pairs = pd.DataFrame({"photo": catalog["photo"], "label": labels}).explode("label", ignore_index=True)
    pairs = pairs[~pairs["label"].isin([NOT_ANNOTATED, NONE_APPLIES])].drop_duplicates(ignore_index=True)
    if pairs.empty:
        raise InputError(f"none of {len(catalog):,} rows has a label in {column!r}")
    return pairs
