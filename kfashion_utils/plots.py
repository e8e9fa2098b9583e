"""Figures: pictures with labels, class counts, learning curves, confusion, calibration, heat. Tables in, `matplotlib.figure.Figure` out.

At most 800 px wide at 100 dpi, one font, grey = train, blue = valid, orange = test (Okabe and Ito's colours). No figure is
registered with pyplot: nothing to close, and in a notebook a returned figure is shown once. Labels are English glosses; after
`use_korean_font()` they are Korean with the gloss. A class that can be written in neither way is shown by its number.
"""

import functools
import io
import os
import re
import subprocess
import textwrap
import unicodedata

import numpy as np
import pandas as pd
from PIL import Image

from kfashion_utils.calibration import reliability
from kfashion_utils.catalog import count_classes
from kfashion_utils.errors import InputError, refuse
from kfashion_utils.evaluation import average_photos, confusion, head_scores, prediction_heads
from kfashion_utils.labels import NONE_APPLIES, NOT_ANNOTATED, SEPARATOR
from kfashion_utils.tasks import gloss, label_columns

DPI = 100  # a width of 8 inches is 800 px
WIDTH = 7.8
FONT_SIZE = 9
COLOURS = {"train": "#9a9a9a", "valid": "#0072b2", "test": "#e69f00", "(no split)": "#dcdcdc"}
THUMBNAIL_COLOURS = 24
HEAT_COLOURS = 96  # with fewer a small hot place is lost
MARKS = ("o", "s", "^", "D", "v", "P", "X", "*")  # one a head, so that colour alone tells only train from valid
MOST_BARS = 40
MOST_COUNTED = 30  # classes up to which a confusion matrix shows its counts
MOST_NAMED = 60  # classes up to which its axes name them
KOREAN_FONTS = (
    "NanumGothic", "Noto Sans CJK KR", "Noto Sans KR", "NanumBarunGothic", "NanumSquare", "Malgun Gothic", "AppleGothic",
    "Apple SD Gothic Neo", "Pretendard", "Source Han Sans KR", "Noto Sans CJK JP", "UnDotum", "Baekmuk Dotum",
)  # fmt: skip
SEEN = 2.0  # mean difference of two figures that one sees, levels of 255
INSTALL_FONT = ("apt-get", "install", "-y", "-qq", "fonts-nanum")
IN_COLAB = "COLAB_RELEASE_TAG" in os.environ
NO_FONT_NOTE = "labelled by number: the name is not in Latin letters (plots.use_korean_font() adds a Korean font)"

_korean_font = None  # set by `use_korean_font` alone


# Pictures -------------------------------------------------------------------------------------------------------------


def show_images(images, labels=None, columns=6, *, height=104, colours=THUMBNAIL_COLOURS):
    """Pictures in rows of equal height, each with its label beneath.

    Args:
        images: list of uint8 RGB `(h, w, 3)` of any sizes.
        labels: one text a picture, lines separated by a newline; None = none. Korean words are glossed where no font has them.
        columns: pictures a row.
        height: of a row, pixels; smaller where the widest row would pass 800 px.
        colours: how many a picture may have, at most 256; fewer make a smaller file. None = as many as it has.

    Raises:
        InputError: nothing to show, as many labels as pictures are needed, something that is no picture.
    """
    images = [_as_picture(image, number) for number, image in enumerate(images)]
    if not images:
        raise InputError("no pictures to show: the list is empty")
    if labels is not None and len(labels) != len(images):
        raise InputError(f"{len(labels)} labels for {len(images)} pictures; give one for each")
    if columns < 1 or height < 8:
        raise InputError(f"columns={columns}, height={height}: expected 1 or more columns and 8 px or more")
    rows = [list(range(start, min(start + columns, len(images)))) for start in range(0, len(images), columns)]
    gap = 8
    shapes = np.array([np.clip(image.shape[1] / image.shape[0], 0.4, 4) for image in images])
    height = int(min(height, *((WIDTH * DPI - gap * (len(row) + 1)) / shapes[row].sum() for row in rows)))
    widths = np.maximum(1, np.round(shapes * max(height, 1))).astype(int)
    texts = [_wrapped(drawable_text(str(text)), width) for text, width in zip(labels or [""] * len(images), widths, strict=True)]
    deep = [max(texts[number].count("\n") + bool(texts[number]) for number in row) * 15 + gap for row in rows]
    total_width = max(int(widths[row].sum()) + gap * (len(row) + 1) for row in rows)  # a label may be a little wider than its picture
    total_height = sum(deep) + height * len(rows)
    figure = new_figure(total_width / DPI, total_height / DPI, layout=None)
    top = total_height
    for row, below in zip(rows, deep, strict=True):
        left = gap
        for number in row:
            place = [left / total_width, (top - height) / total_height, widths[number] / total_width, height / total_height]
            _draw_picture(figure.add_axes(place), images[number], texts[number], (widths[number], height), colours)
            left += int(widths[number]) + gap
        top -= height + below
    return figure


def _as_picture(image, number):
    image = np.asarray(image)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise InputError(f"picture {number} is an array of {image.dtype} {image.shape}; expected uint8 RGB (height, width, 3)")
    return image


def _draw_picture(axes, image, text, place, colours):
    scale = min(place[0] / image.shape[1], place[1] / image.shape[0])
    if scale < 1:  # averaged here: better than what the canvas does, and a notebook holds no full-size picture
        image = shrink(image, max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    axes.imshow(image if colours is None else _fewer_colours(image, colours))
    axes.set_axis_off()
    if text:
        axes.text(0.5, -4 / place[1], text, transform=axes.transAxes, ha="center", va="top", linespacing=1.15)


def shrink(image, width, height):
    """uint8 RGB `(h, w, 3)` -> `(height, width, 3)`, averaged."""
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BOX))


def _fewer_colours(image, colours):
    """As many as a thumbnail shows; a figure of twelve photographs is 97 kB as PNG with them, 160 kB without."""
    palette = Image.fromarray(image).quantize(colours, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    return np.asarray(palette.convert("RGB"))


def _wrapped(text, width):
    """Lines that fit under a picture of `width` pixels; at most four of them."""
    room = max(4, int(width / 6.2))
    lines = [piece for line in text.splitlines() for piece in _wrap_line(line, room)]
    return "\n".join(lines if len(lines) <= 4 else [*lines[:3], "…"])


def _wrap_line(line, room):
    if _columns(line) <= room:
        return [line]
    if _columns(line) > len(line):  # Hangul is twice as wide
        room = max(2, room * len(line) // _columns(line))
    return textwrap.wrap(line, room)


def _columns(text):
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


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
            axes.annotate(f"{int(total):,}", (total, place), xytext=(3, 0), textcoords="offset points", va="center", color="#555555")
        axes.margins(x=0.08, y=0.01)
        _legend_above(axes)
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


# Learning curves ------------------------------------------------------------------------------------------------------


def plot_history(history):
    """Accuracy and loss by epoch; epoch 0 = the linear head on frozen features. One epoch alone becomes bars.

    Args:
        history: DataFrame (or list of dicts), one row an epoch: `epoch`, and whichever are there of `loss`, `val_loss`,
            `<head>_accuracy`, `val_<head>_accuracy`, `learning_rate`; NaN = not measured.

    Raises:
        InputError: no row, no `epoch`, or nothing to draw.
    """
    history = pd.DataFrame(history)
    heads = _history_heads(history)
    if not len(history) or "epoch" not in history or not ({"loss", "val_loss"} & set(history) or heads):
        raise InputError(f"no learning curve in {len(history)} rows with columns {list(history.columns)}; expected epoch, loss, val_loss, <head>_accuracy, …")
    history = history.sort_values("epoch", kind="stable")
    with figure_style():
        figure = new_figure(WIDTH, 3.0 if len(history) > 1 or len(heads) < 4 else 3.6)
        accuracy, loss = figure.subplots(1, 2)  # what matters first: on a phone the other one is scrolled to
        draw = _draw_bars if len(history) == 1 else _draw_curves
        draw(loss, history, {"": "loss"})
        draw(accuracy, history, {head: f"{head}_accuracy" for head in heads})
        loss.set_ylabel("loss")
        loss.set_ylim(0, loss.get_ylim()[1])
        accuracy.set_ylabel("accuracy, share of photos")
        accuracy.set_ylim(0, 1.02)
        accuracy.set_title(_history_finding(history, heads), loc="left")
        _legend_below(figure)
    return figure


def _history_heads(history):
    names = [str(name).removeprefix("val_").removesuffix("_accuracy") for name in history.columns if str(name).endswith("_accuracy")]
    return list(dict.fromkeys(names))


def _draw_curves(axes, history, names):
    epochs = history["epoch"].to_numpy(float)
    for mark, (head, name) in zip(MARKS * len(names), names.items(), strict=False):
        for split, column in (("train", name), ("valid", f"val_{name}")):
            values = pd.to_numeric(history[column], errors="coerce").to_numpy(float) if column in history else np.full(len(history), np.nan)
            known = np.isfinite(values)
            if known.any():
                every = max(1, int(known.sum()) // 15)
                axes.plot(epochs[known], values[known], color=COLOURS[split], marker=mark, markersize=4, markevery=every, linewidth=1.5, label=_series(split, head, names))
    _mark_rates(axes, history)
    axes.set_xlabel("epoch (0 = linear head on frozen features)" if epochs[0] == 0 else "epoch")
    axes.xaxis.get_major_locator().set_params(integer=True)
    plain_axes(axes, grid="y")


def _draw_bars(axes, history, names):
    row = history.iloc[0]
    places, width = np.arange(len(names)), 0.36
    for shift, split, prefix in ((-width / 2, "train", ""), (width / 2, "valid", "val_")):
        values = np.array([float(row.get(prefix + name, np.nan)) for name in names.values()])
        known = np.isfinite(values)
        if known.any():
            axes.bar(places[known] + shift, values[known], width * 0.94, color=COLOURS[split], label=split)
        for place, value in zip(places[known] + shift, values[known], strict=True):
            axes.annotate(f"{value:.3f}", (place, value), xytext=(0, 2), textcoords="offset points", ha="center")
    several = len(names) > 1  # one head is named by the axis
    axes.set_xticks(places if several else [], [drawable_text(name) for name in names] if several else [], rotation=0 if len(names) < 5 else 60)
    axes.tick_params(axis="x", length=0)
    axes.set_xlim(-0.8, len(names) - 0.2)
    axes.margins(y=0.15)
    axes.set_xlabel("linear head on frozen features" if row["epoch"] == 0 else f"epoch {row['epoch']:g}")
    plain_axes(axes, grid="y")


def _series(split, head, names):
    return split if len(names) < 2 else f"{split} {drawable_text(head)}"


def _mark_rates(axes, history):
    """A light line where the learning rate changes, with the new rate; from epoch 1, since epoch 0 has none."""
    if "learning_rate" not in history:
        return
    steps = history[(history["epoch"] > 0) & history["learning_rate"].notna()]
    changed = steps[steps["learning_rate"].diff().fillna(0) != 0]
    for number, (epoch, rate) in enumerate(zip(changed["epoch"], changed["learning_rate"], strict=True)):
        axes.axvline(epoch - 0.5, color="#b8b8b8", linewidth=0.8, linestyle=":", zorder=0)
        if len(changed) <= 4 and axes.get_subplotspec().is_last_col():  # above the frame, where no curve runs
            axes.text(epoch - 0.5, 1.02, f"{'rate ' * (not number)}{rate:.2g}", transform=axes.get_xaxis_transform(), color="#777777", fontsize="small")


def _history_finding(history, heads):
    columns = [f"val_{head}_accuracy" for head in heads if f"val_{head}_accuracy" in history]
    means = history[columns].apply(pd.to_numeric, errors="coerce").mean(axis=1) if columns else pd.Series(dtype=float)
    if not means.notna().any():
        return ""
    what = "mean validation accuracy" if len(columns) > 1 else "validation accuracy"
    best = f"{what} {means.max():.3f}"
    return best if len(history) == 1 else f"best {best}, epoch {history['epoch'][means.idxmax()]:g}"


def _legend_above(axes):
    """On the line of the title, where no curve or bar can run through it."""
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0, ncols=4, columnspacing=1, handlelength=1.2)


def _legend_below(figure):
    """One for all panels, each name once."""
    named = {}
    for axes in figure.axes:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            named.setdefault(label, handle)
    if named:
        figure.legend(named.values(), named.keys(), frameon=False, loc="outside lower center", ncols=5)


# Confusion ------------------------------------------------------------------------------------------------------------


def plot_confusion(predictions, catalog, head=None):
    """Which class is taken for which: shares of each true class (a row sums to 1), ordered by parent, then class.

    Classes without a true row and without an answer are left out. For a multi-label head a cell is the share of the photos that
    have the row's class for which the column's class was answered; such a row may sum to more than 1.

    Args:
        predictions: table with `<head>:<class>` columns; rows of one photo are averaged.
        catalog: table with the truth, joined on `id`.
        head: a head's name, or a Head; None = the first one of the predictions.

    Raises:
        InputError: no such head, or predictions and catalog do not match (see `evaluate`).
    """
    head = _find_head(predictions, head)
    _, actual, answered = judge(predictions, catalog, head)
    with figure_style():
        return _draw_confusion(head, actual, answered)


def _find_head(predictions, head):
    heads = {known.name: known for known in prediction_heads(predictions)}
    name = getattr(head, "name", head) or next(iter(heads), None)
    if name not in heads:
        raise InputError(f"no head {name!r} in the predictions; they have {list(heads)}")
    return head if hasattr(head, "classes") else heads[name]


def judge(predictions, catalog, head):
    """Answers beside the truth, one row a photo that is annotated for `head`.

    Returns:
        (photos: rows of the predictions, averaged over each photo's rows; actual: 0/1 int `(n, classes)`; answered: 0/1 int
        `(n, classes)`, one 1 a row for a single-label head).

    Raises:
        InputError: ids that the catalog lacks, no label column, unknown labels, no annotated row.
    """
    ids = predictions["id"]
    problems = [f"id {name!r} is not in the catalog" for name in ids[~ids.isin(catalog["id"])]]
    problems += [] if head.name in catalog.columns else [f"the catalog has no column {head.name!r}"]
    refuse("predictions and catalog do not match; give the catalog that was predicted", problems)
    photos = average_photos(predictions)
    labels = catalog.drop_duplicates("id").set_index("id")[head.name].loc[photos["id"]].to_numpy()
    known = (labels != NOT_ANNOTATED) & ((labels != NONE_APPLIES) | head.multi)
    if not known.any():
        raise InputError(f"no predicted photo has a label in column {head.name!r} of the catalog")
    photos = photos[known].reset_index(drop=True)
    scores = head_scores(photos, head)
    answered = scores >= 0.5 if head.multi else np.eye(len(head.classes), dtype=int)[scores.argmax(axis=1)]
    return photos, head.encode(labels[known]).astype(int), answered.astype(int)


def confusion_table(head, actual, answered):
    """Counts int `(k, k)`, rows true, columns answered, and the k class numbers that occur, ordered by parent, then class."""
    table = actual.T @ answered if head.multi else confusion(actual.argmax(1), answered.argmax(1), len(head.classes))
    used = np.flatnonzero(actual.any(axis=0) | answered.any(axis=0))
    order = sorted(used.tolist(), key=lambda number: (head.parent_names.index(head.parents[number]) if head.parents else 0, number))
    return table[np.ix_(order, order)], order


def _draw_confusion(head, actual, answered):
    table, order = confusion_table(head, actual, answered)
    if not order:
        raise InputError(f"no class of {head.name!r} has a true row or an answer; there is nothing to draw")
    shares = table / np.maximum(actual.sum(axis=0)[order], 1)[:, None]
    named = len(order) <= MOST_NAMED
    names = [class_label(head.classes[number], number) for number in order]
    short = [class_label(head.classes[number], number, short=True) for number in order]
    room, below = (0.075 * max(map(_columns, texts)) if named else 0.3 for texts in (names, short))  # inches for the class names
    side = min(WIDTH - room - 1.7, max(2.2, 0.4 * len(order)))
    figure = new_figure(max(4.6, side + room + 1.7), side + (below if len(order) > 4 else 0.2) + 0.8)
    axes = figure.add_subplot()
    picture = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    if len(order) <= MOST_COUNTED:
        _write_counts(axes, table, shares)
    if named:
        axes.set_xticks(range(len(order)), short, rotation=90 if len(order) > 4 else 0)
        axes.set_yticks(range(len(order)), names)
    _mark_parents(axes, head, order)
    axes.set_xlabel("answer")
    axes.set_ylabel("true class, lines between parents" if head.parents else "true class")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    figure.colorbar(picture, ax=axes, shrink=0.8, pad=0.02, label="share of the true class").outline.set_visible(False)
    figure.suptitle(_confusion_finding(head, actual, answered), x=0.01, ha="left")
    note_numbers(figure, names if named else [])
    return figure


def _write_counts(axes, table, shares):
    size = FONT_SIZE if len(table) <= 16 else FONT_SIZE - 2.5  # three digits in a cell of 20 px
    for row, column in np.argwhere(table > 0):
        colour = "white" if shares[row, column] > 0.55 else "#222222"
        axes.text(column, row, f"{table[row, column]}", ha="center", va="center", fontsize=size, color=colour)


def _mark_parents(axes, head, order):
    """Thin lines between the classes of different parents."""
    for place, (one, other) in enumerate(zip(order, order[1:], strict=False)):
        if head.parents and head.parents[one] != head.parents[other]:
            axes.axhline(place + 0.5, color="#9a9a9a", linewidth=0.7)
            axes.axvline(place + 0.5, color="#9a9a9a", linewidth=0.7)


def _confusion_finding(head, actual, answered):
    accuracy = (actual == answered).all(axis=1).mean()
    if head.multi:
        return f"all labels right {accuracy:.3f}, {len(actual):,} photos"
    return f"accuracy {accuracy:.3f}, majority baseline {actual.mean(axis=0).max():.3f}, {len(actual):,} photos"


# Calibration ----------------------------------------------------------------------------------------------------------


def plot_reliability(predictions, catalog, head=None, *, after=None, bins=15):
    """How often answers are right by how sure they are; on the diagonal a probability of 0.8 is right in 8 of 10 photos.

    Args:
        predictions: table with `<head>:<class>` columns.
        catalog: table with the truth.
        head: a head's name; None = the first one.
        after: the same predictions with a temperature (`temper`), drawn beside them; None = none.
        bins: of equally many answers, at most (see `calibration.reliability`).

    Raises:
        InputError: as `calibration.reliability`.
    """
    tables = {"as predicted": predictions} if after is None else {"as predicted": predictions, "with a temperature": after}
    head = _find_head(predictions, head)
    curves = {name: reliability(table, catalog, head.name, bins=bins) for name, table in tables.items()}
    errors = {name: _calibration_error(curve) for name, curve in curves.items()}
    with figure_style():
        figure = new_figure(4.4, 4.4)
        axes = figure.add_subplot()
        axes.plot([0, 1], [0, 1], color="#b8b8b8", linewidth=0.8, linestyle=":")
        for (name, curve), colour, mark in zip(curves.items(), [COLOURS["valid"]] if after is None else [COLOURS["train"], COLOURS["valid"]], MARKS, strict=False):
            axes.plot(curve["confidence"], curve["accuracy"], color=colour, marker=mark, markersize=4, linewidth=1.5, label=f"{name}, ECE {errors[name]:.3f}")
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        axes.set_aspect("equal")
        axes.set_xlabel("probability of a class" if head.multi else "probability of the answer")
        axes.set_ylabel("share of photos that have the class" if head.multi else "share of answers that are right")
        axes.set_title(_reliability_finding(head, curves["as predicted"]), loc="left")
        axes.legend(frameon=False, loc="best")
        plain_axes(axes, grid="both")
    return figure


def _calibration_error(curve):
    return float((curve["n"] * (curve["accuracy"] - curve["confidence"]).abs()).sum() / curve["n"].sum())


def _reliability_finding(head, curve):
    gap = float((curve["n"] * (curve["confidence"] - curve["accuracy"])).sum() / curve["n"].sum())
    how = "as sure as it is right" if abs(gap) < 0.005 else f"{abs(gap):.3f} {'too sure' if gap > 0 else 'not sure enough'}, on average"
    return f"{int(curve['n'].sum()):,} {'probabilities' if head.multi else 'answers'}: {how}"


# Heat -----------------------------------------------------------------------------------------------------------------


def plot_explanation(explanation, columns=5, *, height=150):
    """Pictures with the heat of an `Explanation` laid over them: grey = nothing speaks for the class, yellow = the most.

    Args:
        explanation: of `explain`.
        columns: pictures a row.
        height: of a row, pixels.

    Raises:
        InputError: nothing to show.
    """
    overlays = [overlay_heat(picture, heat) for picture, heat in zip(explanation.pictures, explanation.heats, strict=True)]
    return show_images(overlays, [_heat_label(row) for row in explanation.table.to_dict("records")], columns, height=height, colours=HEAT_COLOURS)


def overlay_heat(picture, heat):
    """A picture uint8 `(h, w, 3)` in dim grey under its heat `(h, w)` 0..1: uint8 RGB `(h, w, 3)`."""
    import matplotlib

    grey = np.repeat((picture @ np.array([0.299, 0.587, 0.114]))[..., None], 3, axis=2)
    colour = matplotlib.colormaps["inferno"](heat)[..., :3] * 255
    share = 0.75 * np.sqrt(heat)[..., None]
    return np.clip((1 - share) * grey + share * colour, 0, 255).astype(np.uint8)


def _heat_label(row):
    label = f"{class_label(row['class'], None)} {row['probability']:.2f}"
    if np.isnan(row["on_garments"]):
        return label
    return f"{label}\n{row['on_garments']:.0%} on garments\n({row['garment_area']:.0%} of area)"


# Text and style -------------------------------------------------------------------------------------------------------


def use_korean_font(install=None):
    """Find a Korean font, or install one, and label classes in Korean, with the gloss, from now on.

    It is also put behind pyplot's own font, so that a reader's own figures can hold Hangul.

    Args:
        install: get the package `fonts-nanum` where no Korean font is found; needs apt, a network and the rights. None = in Colab only.

    Returns:
        The font's name; None if there is none and none came, with a printed line that says how to install one.
    """
    global _korean_font
    import matplotlib

    _korean_font = _find_korean_font()
    if _korean_font is None and (IN_COLAB if install is None else install):
        _install_korean_font()
        _korean_font = _find_korean_font()
    if _korean_font is None:
        print(f"no Korean font found, labels stay English; to install one: {' '.join(INSTALL_FONT)}")
        return None
    family = [name for name in matplotlib.rcParams["font.family"] if name != _korean_font]
    matplotlib.rcParams["font.family"] = [*family, _korean_font]
    return _korean_font


def _find_korean_font():
    """The first of KOREAN_FONTS that is there, also where it was installed after matplotlib made its list; None = none."""
    from matplotlib import font_manager

    if not {font.name for font in font_manager.fontManager.ttflist} & set(KOREAN_FONTS):
        for path in font_manager.findSystemFonts():
            if any(name.replace(" ", "").lower() in path.replace("-", "").lower() for name in KOREAN_FONTS):
                font_manager.fontManager.addfont(path)
    known = {font.name for font in font_manager.fontManager.ttflist}
    return next((name for name in KOREAN_FONTS if name in known), None)


def _install_korean_font():
    """Ask apt for one; what it says is shown only where it fails."""
    try:
        done = subprocess.run(INSTALL_FONT, capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"a Korean font could not be installed: {error}")
        return
    if done.returncode:
        print(f"a Korean font could not be installed: {done.stderr.strip().splitlines()[-1:] or done.returncode}")


def _families():
    return ["DejaVu Sans", *([_korean_font] if _korean_font else [])]


def _drawable(text):
    """Whether a font has every letter of `text`, so that none is drawn as an empty box."""
    from matplotlib import font_manager

    fonts = [font_manager.get_font(font_manager.findfont(family)) for family in _families()]
    return all(letter.isspace() or any(font.get_char_index(ord(letter)) for font in fonts) for letter in text)


def class_label(name, number, short=False):
    """A class in a figure: `레트로 retro` with a Korean font, else `retro`; `class 7` where nothing can be drawn."""
    english = gloss(name)
    if english != name and _drawable(name):
        return name if short else f"{name} {english}"
    if _drawable(english):
        return english
    return "other class" if number is None else f"class {number}"


def drawable_text(text):
    """Free text with each word that no font can draw replaced by its gloss, or by `?`."""
    words = re.split(rf"([\s{re.escape(SEPARATOR)}/,:()]+)", text)
    shown = [word if _drawable(word) else gloss(word) for word in words]
    return "".join(word if _drawable(word) else "?" for word in shown)


def note_numbers(figure, names):
    """Say beneath a figure why some of its classes are numbers."""
    if any(re.fullmatch(r"class \d+", name) for name in names) and not _korean_font:
        note = textwrap.fill(NO_FONT_NOTE, int(figure.get_figwidth() * DPI / 6.2))
        figure.supxlabel(note, x=0.01, ha="left", color="#777777", fontsize=FONT_SIZE)


def figure_style():
    """matplotlib's defaults with our font, while a figure is made (`with figure_style():`); nothing is changed for other figures."""
    import matplotlib

    sizes = ("font.size", "axes.titlesize", "axes.labelsize", "xtick.labelsize", "ytick.labelsize", "legend.fontsize", "figure.titlesize")
    own = {"font.family": _families(), "text.parse_math": False, "savefig.dpi": "figure"}
    return matplotlib.rc_context({**matplotlib.rcParamsDefault, **dict.fromkeys(sizes, FONT_SIZE), **own})


def new_figure(width, height, layout="constrained"):
    """An empty white figure of `width` x `height` inches that a notebook shows without pyplot."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=DPI, layout=layout, facecolor="white")
    figure._repr_png_ = functools.partial(_small_png, figure)  # where no `%matplotlib` has taught the notebook to show figures
    return figure


def png(figure, dpi=DPI):
    """A figure as PNG bytes; equal figures give equal bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
    return buffer.getvalue()


def _small_png(figure):
    """A figure as PNG bytes with a palette of 256 colours, a third of the size; as it is where one would see the difference."""
    data = png(figure)
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    fewer = picture.quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    if np.abs(np.asarray(fewer.convert("RGB"), np.int16) - np.asarray(picture, np.int16)).mean() > SEEN:
        return data
    buffer = io.BytesIO()
    fewer.save(buffer, format="png", optimize=True)
    return buffer.getvalue()


def plain_axes(axes, grid):
    """Two spines and a light grid behind: `x`, `y` or `both`."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis=grid, color="#e8e8e8", linewidth=0.8)
    axes.set_axisbelow(True)
