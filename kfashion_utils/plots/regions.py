"""Figures of photographs with their regions, and of what a recipe makes of them."""

import itertools

import cv2
import numpy as np

from kfashion_utils.errors import ImageRejected, InputError
from kfashion_utils.images import decoding
from kfashion_utils.images.annotation import Annotation
from kfashion_utils.images.recipe import Preprocess
from kfashion_utils.plots.labels import label_pairs, name_label
from kfashion_utils.plots.pictures import show_images
from kfashion_utils.tables.labels import NONE_APPLIES, NOT_ANNOTATED, OWN_COLUMNS, SEPARATOR

# of classes of regions, the most frequent first; Okabe and Ito's
REGION_COLOURS = ((213, 94, 0), (0, 114, 178), (0, 158, 115), (204, 121, 167))
OUTLINED_COLOURS = 40  # of a picture with outlines; with fewer some lose theirs
SHOWN = 260  # longest side at which pictures are drawn on, pixels


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
    column = _shown_column(catalog, column)
    rows = {photo: catalog[catalog["photo"] == photo] for photo in _examples(catalog, column, 2 * photos)}
    colours = _region_colours(catalog, column, rows)
    shown = _readable(rows, photos, lambda photo: _outlined(rows[photo], root, *colours[photo]))
    labels = [_photo_label(rows[photo], column) for photo in shown]
    return show_images(list(shown.values()), labels, height=150, colours=OUTLINED_COLOURS)


def _region_colours(catalog, column, rows):
    """{photo: (colours of its rows' polygons, colours of their boxes)}; `rows` = {photo: its rows}."""
    orange, blue = REGION_COLOURS[:2]
    if all(len(table) == 1 for table in rows.values()):
        return dict.fromkeys(rows, ([orange], [blue]))
    if column is None:
        own = {photo: [orange] * len(table) for photo, table in rows.items()}
    else:
        frequent = catalog[column].value_counts().index
        colour = dict(zip(frequent, itertools.cycle(REGION_COLOURS), strict=False))
        own = {photo: [colour[label] for label in table[column]] for photo, table in rows.items()}
    return {photo: (colours, colours) for photo, colours in own.items()}


def _outlined(rows, root, colours, boxes):
    """A photograph with the polygons and boxes of its rows in a colour each, uint8 RGB, at most SHOWN pixels."""
    path = rows["path"].iloc[0]
    pixels, scale = _decoded(path, root)
    frame = decoding.read_frame(path, root)
    for row, colour, box in zip(rows.to_dict("records"), colours, boxes, strict=True):
        sides, rings = Annotation(row).on(frame)
        rings = [np.round(np.array(ring) * scale).astype(np.int32) for ring in rings or ()]
        cv2.polylines(pixels, rings, True, colour, 2, cv2.LINE_AA)
        if sides:
            left, top, right, bottom = (round(side * scale) for side in sides)
            cv2.rectangle(pixels, (left, top), (right, bottom), box, 2)
    return pixels


def _decoded(path, root):
    """(pixels uint8 RGB, their size as a share of the photograph's)."""
    pixels, (width, height) = decoding.decode(path, root, lambda *size: max(size) / SHOWN)
    scale = min(1.0, SHOWN / max(width, height))
    shape = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(pixels, shape, interpolation=cv2.INTER_AREA), scale


# Before and after -----------------------------------------------------------------------------------------------------


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
    column = _shown_column(catalog, column)
    first = catalog.drop_duplicates("photo").set_index("photo", drop=False)
    rows = {photo: first.loc[photo] for photo in _examples(catalog, column, 2 * photos)}
    whole = Preprocess(size=preprocess.size)

    def before_and_after(photo):
        return [recipe.apply(rows[photo]["path"], rows[photo], root) for recipe in (whole, preprocess)]

    pictures, labels = [], []
    for photo, pair in _readable(rows, photos, before_and_after).items():
        pictures += pair
        labels += [_photo_label(rows[photo].to_frame().T, column), _recipe_text(preprocess)]
    return show_images(pictures, labels, height=min(128, preprocess.size))


def _recipe_text(preprocess):
    """What a recipe does to a picture, in a few words."""
    words = []
    if preprocess.crop != "none":
        words.append(f"crop +{preprocess.margin:.0%}" if preprocess.margin else "crop")
    if preprocess.mask != "none":
        words.append("mask")
    if preprocess.fit == "stretch":
        words.append("stretched")
    return ", ".join(words) or "whole"


# Which photographs ----------------------------------------------------------------------------------------------------


def _shown_column(catalog, column):
    """The label column that is asked for, or the first one; None = there is none."""
    if column is not None:
        return column
    return next((name for name in catalog.columns if name not in OWN_COLUMNS), None)


def _examples(catalog, column, count):
    """Names of photos: of each look one, then the second ones; among these of each class one, the most frequent class
    first, then the second ones.

    Raises:
        InputError: no rows, no such column.
    """
    if not len(catalog):
        raise InputError("the catalog has no rows; there is nothing to show")
    if column is None:
        return catalog["photo"].unique()[:count].tolist()
    pairs = label_pairs(catalog, column).drop_duplicates("photo")
    look_of = catalog.drop_duplicates("photo").set_index("photo")["group"]
    pairs["of_look"] = pairs.groupby(pairs["photo"].map(look_of)).cumcount()
    pairs = pairs.sort_values("of_look", kind="stable")
    pairs["of_class"] = pairs.groupby("label").cumcount()
    frequent = pairs["label"].value_counts().index
    pairs["class"] = pairs["label"].map({name: number for number, name in enumerate(frequent)})
    return pairs.sort_values(["of_class", "class"], kind="stable")["photo"].head(count).tolist()


def _readable(names, count, read):
    """{name: what `read` gives} of the first `count` names whose pictures can be read.

    Raises:
        InputError: none can be read.
    """
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
    """The labels of a photograph's rows, a line each."""
    if column is None:
        return ""
    names = dict.fromkeys(name for text in rows[column] for name in text.split(SEPARATOR))
    return "\n".join(name_label(name) for name in names if name not in (NOT_ANNOTATED, NONE_APPLIES))
