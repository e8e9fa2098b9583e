"""`explain`: where in a picture a run finds its answer, and how much of that lies on the garments.

Grad-CAM (Selvaraju et al., ICCV 2017): the last maps of the backbone, each channel weighted by what it does for a
class's score before softmax.
"""

import contextlib
import weakref
from dataclasses import dataclass

import keras
import numpy as np
import pandas as pd
from keras import ops

from kfashion_utils.errors import ImageRejected, InputError
from kfashion_utils.models.model import load_trained
from kfashion_utils.runs.run import Run, load_run
from kfashion_utils.tables.catalog import complete_catalog
from kfashion_utils.tables.predictions import head_scores
from kfashion_utils.training.devices import slopes

BATCH = 16  # pictures
WEIGHTINGS = ("channels", "places")


@dataclass(frozen=True)
class Explanation:
    """What `explain` gives for n pictures.

    Attributes:
        table: DataFrame, one row a picture: `id, photo, head, class, probability` (of that class), `on_garments` (share
            of the heat inside the row's polygon; NaN without a polygon or without any heat) and `garment_area` (share
            of the picture inside it: what heat spread evenly would have on the garments).
        pictures: uint8 `(n, size, size, 3)`, as the model sees them.
        heats: float32 `(n, size, size)`, 0..1, the hottest place of a picture 1; all 0 where nothing speaks for the
            class.
        failures: DataFrame `id, path, reason, detail` of rows whose picture cannot be used.
    """

    table: pd.DataFrame
    pictures: np.ndarray
    heats: np.ndarray
    failures: pd.DataFrame


def explain(run, rows, root, *, head=None, label=None, predictions=None, weighting="channels"):
    """Heat maps of a run's answers, one a row.

    Args:
        run: a Run, or its path.
        rows: DataFrame of catalog rows.
        root: folder that their paths are relative to.
        head: name of the head asked; None = the first.
        label: the class whose evidence is shown on every picture; None = the most probable one of each row.
        predictions: table with the answers to explain (`run.predictions`), joined on `id`; None = what the model says
            of each row's picture.
        weighting: `channels` = Grad-CAM as published, a channel's weight is the mean of its slope over all places;
            `places` = each place by its own slope (HiResCAM, Draelos & Carin 2020), which says exactly where the score
            comes from but shows the single places of maxima. They are equal where features are averages
            (`taps="last"`). With `taps="stages"` on squares of colour, 12 % of the picture, the share of heat inside
            them was .40 and .27 for a pretrained MobileNet, .35 and .57 for `tiny` trained on them. Where there are
            several maps (stages, sizes) each counts by what it adds to the score.

    Returns:
        Explanation. Views are not averaged: the picture as it is prepared is explained, not its mirror image.

    Raises:
        InputError: the run is not finished or its weights are missing; no such head or class; a backbone without a map
            (most of `hub:`), or pictures too small for one; ids that the predictions lack; no readable picture.
    """
    run = run if isinstance(run, Run) else load_run(run)
    head = _find_head(run.task, head)
    if label is not None and label not in head.classes:
        raise InputError(f"head {head.name!r} has no class {label!r}; it has {list(head.classes)}")
    if weighting not in WEIGHTINGS:
        raise InputError(f"weighting={weighting!r}: expected one of {WEIGHTINGS}")
    rows, pictures, garments, failures = _seen(run.preprocess, complete_catalog(rows), root)
    chosen = None if label is None else np.full(len(rows), head.classes.index(label))
    if label is None and predictions is not None:
        chosen = _answered(predictions, rows, head)
    heats, classes, probabilities = heat_maps(
        load_trained(run), run.task, pictures, head=head.name, classes=chosen, weighting=weighting
    )
    table = pd.DataFrame({"id": rows["id"].to_numpy(), "photo": rows["photo"].to_numpy(), "head": head.name})
    table["class"] = np.array(head.classes, object)[classes]
    table["probability"] = probabilities
    table["on_garments"], table["garment_area"] = share_on(heats, garments)
    return Explanation(table, pictures, heats, failures)


def share_on(heats, garments):
    """(share of each picture's heat inside its garments, share of its area), float `(n,)` each; NaN where there is no
    polygon or no heat.

    Args:
        heats: float `(n, size, size)`, 0 or more.
        garments: bool `(n, size, size)`.
    """
    area = garments.mean(axis=(1, 2))
    area = np.where(area > 0, area, np.nan)
    total = heats.sum(axis=(1, 2), dtype=float)
    inside = (heats * garments).sum(axis=(1, 2), dtype=float)
    return np.where(np.isnan(area) | (total == 0), np.nan, inside / np.where(total > 0, total, 1)), area


def heat_maps(model, task, pictures, *, head=None, classes=None, weighting="channels"):
    """Heat of pictures that are already prepared.

    Args:
        model: of `build_model`.
        task: the Task it answers.
        pictures: uint8 `(n, size, size, 3)`.
        head: name; None = the first.
        classes: class numbers `(n,)`; None = the most probable ones.
        weighting: as in `explain`.

    Returns:
        (heats float32 `(n, size, size)` 0..1, class numbers int `(n,)`, their probabilities float `(n,)`).

    Raises:
        InputError: the backbone has no map, or the pictures are too small for one.
    """
    head = _find_head(task, head)
    below, above = _split_model(model)
    layer, part = model.get_layer(f"head_{task.heads.index(head)}"), task.slices[head.name]
    kernel = ops.convert_to_numpy(layer.kernel)
    heats, chosen, probabilities = [], [], []
    for start in range(0, len(pictures), BATCH):
        maps = keras.tree.flatten(below(pictures[start : start + BATCH], training=False))
        scores = ops.convert_to_numpy(above(maps, training=False)[1])[:, part]
        numbers = scores.argmax(axis=1) if classes is None else np.asarray(classes)[start : start + BATCH]
        found = _slopes_of_scores(above, maps, kernel[:, numbers].T)
        heats.append(_heat([ops.convert_to_numpy(values) for values in maps], found, pictures.shape[1], weighting))
        chosen.append(numbers)
        probabilities.append(scores[np.arange(len(scores)), numbers].astype(float))
    return np.concatenate(heats), np.concatenate(chosen), np.concatenate(probabilities)


def _heat(maps, slopes, size, weighting):
    """float32 `(n, size, size)` of lists of maps and slopes `(n, h, w, channels)`."""
    total = 0.0
    for values, slope in zip(maps, slopes, strict=True):
        weights = slope.mean(axis=(1, 2), keepdims=True) if weighting == "channels" else slope
        places = values.shape[1] * values.shape[2]  # a place of a coarse map covers more of the picture
        evidence = (weights * values).sum(axis=-1, keepdims=True) * places
        total = (
            total
            + ops.convert_to_numpy(
                ops.image.resize(evidence.astype(np.float32), (size, size), interpolation="bilinear")
            )[..., 0]
        )
    heat = np.maximum(total, 0)
    hottest = heat.max(axis=(1, 2), keepdims=True)
    return (heat / np.where(hottest > 0, hottest, 1)).astype(np.float32)


def _slopes_of_scores(above, maps, columns):
    """What the score of a class gains by each value of the maps: arrays in the maps' shapes.

    Args:
        above: model from maps to (input of the heads, answers).
        maps: list of tensors `(n, h, w, channels)`.
        columns: float `(n, depth)`, the head's weights of each picture's class: the score before softmax is their
            product with its input.
    """

    def score(maps):
        return ops.sum(above(maps, training=False)[0] * columns)

    return slopes(score, maps)


# The model, cut in two ------------------------------------------------------------------------------------------------


def _split_model(model):
    """(pictures -> maps, maps -> (input of the heads, answers)) of a model of `build_model`; the layers, and so the
    weights, are its own."""
    if model not in _SPLITS:
        maps, bodies = [], []

        def call(layer, *arguments, **options):
            if layer.name == "backbone":
                found, outputs = _cut_base(layer, *arguments)
                maps.extend(found)
                return outputs
            if layer.name == "head_0":
                bodies.append(arguments[0])
            return layer(*arguments, **options)

        copy = keras.models.clone_model(model, clone_function=lambda layer: layer, call_function=call)
        _SPLITS[model] = keras.Model(copy.input, maps), keras.Model(maps, [bodies[0], copy.output])
    return _SPLITS[model]


_SPLITS = weakref.WeakKeyDictionary()


def _cut_base(base, image):
    """(symbolic maps of the base for an image, its outputs from them): its own outputs, or where one has a single place
    or none, a map before it."""
    outputs = base(image)
    if all(_is_map(values) for values in keras.tree.flatten(outputs)):
        return keras.tree.flatten(outputs), outputs
    seen = []

    def call(layer, *arguments, **options):
        values = layer(*arguments, **options)
        seen.append((layer, values))
        return values

    copy = keras.models.clone_model(base, clone_function=lambda layer: layer, call_function=call)
    cuts, rests = zip(*(_cut_before(base, values, seen) for values in copy.outputs), strict=True)
    maps = keras.tree.flatten(keras.Model(copy.input, list(cuts))(image))
    ends = [values if rest is None else rest(values) for values, rest in zip(maps, rests, strict=True)]
    return maps, keras.tree.pack_sequence_as(outputs, ends)


def _is_map(values):
    return keras.backend.is_keras_tensor(values) and len(values.shape) == 4 and values.shape[1] * values.shape[2] > 1


def _cut_before(base, output, seen):
    """(the last map that all of an output goes through, the model from there to the output; None where the output is a
    map itself)."""
    if _is_map(output):
        return output, None
    for layer, values in reversed(seen):
        if layer.name == "scale":  # of a `hub:` encoder; what comes before is the picture
            break
        if _is_map(values) and not isinstance(
            layer, keras.layers.ZeroPadding2D
        ):  # whose border is no place of the picture
            with contextlib.suppress(ValueError):  # another way leads around this map
                return values, keras.Model(values, output)
    raise InputError(
        f"this run's backbone gives no map of places for pictures of {base.input_shape[1]} pixels, so there is nothing "
        "to colour: it reads tokens (most hub: encoders), or the pictures are too small; explain a run of a "
        "convolutional backbone with pictures of 64 pixels or more"
    )


# Rows -----------------------------------------------------------------------------------------------------------------


def _find_head(task, name):
    found = [head for head in task.heads if name in (None, head.name)]
    if not found:
        raise InputError(f"no head {name!r}; the run has {[head.name for head in task.heads]}")
    return found[0]


def _seen(preprocess, rows, root):
    """(readable rows, pictures uint8 `(n, size, size, 3)`, garments bool `(n, size, size)`, failures DataFrame)."""
    pictures, garments, failures = [], [], []
    for row in rows.to_dict("records"):
        try:
            picture, garment = (
                prepare(row["path"], row, root) for prepare in (preprocess.apply, preprocess.foreground)
            )
        except (ImageRejected, OSError) as error:
            failures.append(
                (row["id"], row["path"], getattr(error, "reason", "unreadable"), getattr(error, "detail", str(error)))
            )
        else:
            pictures.append(picture)
            garments.append(garment)
    failures = pd.DataFrame(failures, columns=["id", "path", "reason", "detail"])
    if not pictures:
        raise InputError(
            f"none of {len(rows):,} pictures below {root} could be read"
            + (f"; the first: {' '.join(failures.iloc[0])}" if len(failures) else "")
        )
    return rows[~rows["id"].isin(failures["id"])], np.stack(pictures), np.stack(garments), failures


def _answered(predictions, rows, head):
    """Class numbers int `(n,)`: the most probable class of each row in a predictions table."""
    missing = rows["id"][~rows["id"].isin(predictions["id"])]
    if len(missing):
        raise InputError(
            f"{len(missing):,} rows have no prediction, for example id {missing.iloc[0]!r}; "
            "explain rows that were predicted, or leave predictions out"
        )
    table = predictions.drop_duplicates("id").set_index("id").loc[rows["id"]]
    return head_scores(table, head).argmax(axis=1)
