"""Figures of curves: the history of a training, and reliability."""

import numpy as np
import pandas as pd

from kfashion_utils.errors import InputError
from kfashion_utils.evaluation.calibration import reliability
from kfashion_utils.plots.labels import find_head
from kfashion_utils.plots.style import COLOURS, WIDTH, drawable_text, figure_style, new_figure, plain_axes

MARKS = ("o", "s", "^", "D", "v", "P", "X", "*")  # one a head, so that colour alone tells only train from valid
THIN = {"markersize": 4, "linewidth": 1.5}  # curves
OF_ANSWERS = {
    "confidence": "probability of the answer",
    "accuracy": "share of answers that are right",
    "n": "answers",
}
OF_CLASSES = {
    "confidence": "probability of a class",
    "accuracy": "share of photos that have the class",
    "n": "probabilities",
}


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
        raise InputError(
            f"no learning curve in {len(history)} rows with columns {list(history.columns)}; "
            "expected epoch, loss, val_loss, <head>_accuracy, …"
        )
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
        accuracy.set_ylim(0, 1.02 if len(history) > 1 else 1.12)  # a number stands over a bar
        accuracy.set_yticks(np.linspace(0, 1, 6))
        accuracy.set_title(_history_finding(history, heads), loc="left")
        _legend_below(figure)
    return figure


def _history_heads(history):
    measured = [str(name) for name in history.columns if str(name).endswith("_accuracy")]
    return list(dict.fromkeys(name.removeprefix("val_").removesuffix("_accuracy") for name in measured))


def _draw_curves(axes, history, names):
    """A curve for each head and split; `names` = {head: column of the training rows}."""
    epochs = history["epoch"].to_numpy(float)
    for mark, (head, name) in zip(MARKS * len(names), names.items(), strict=False):
        for split, column in (("train", name), ("valid", f"val_{name}")):
            values = _measured(history, column)
            known = np.isfinite(values)
            if known.any():
                look = {"color": COLOURS[split], "marker": mark, "markevery": max(1, int(known.sum()) // 15)}
                axes.plot(epochs[known], values[known], label=_series(split, head, names), **look, **THIN)
    _mark_rates(axes, history)
    axes.set_xlabel("epoch (0 = linear head on frozen features)" if epochs[0] == 0 else "epoch")
    axes.xaxis.get_major_locator().set_params(integer=True)
    plain_axes(axes, grid="y")


def _measured(history, column):
    """A column's numbers, float `(epochs,)`, NaN where nothing was measured."""
    if column not in history:
        return np.full(len(history), np.nan)
    return pd.to_numeric(history[column], errors="coerce").to_numpy(float)


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
    if len(names) > 1:
        axes.set_xticks(places, [drawable_text(name) for name in names], rotation=0 if len(names) < 5 else 60)
    else:  # one head is named by the axis
        axes.set_xticks([], [])
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
            text = f"{rate:.2g}" if number else f"rate {rate:.2g}"
            above = axes.get_xaxis_transform()
            axes.text(epoch - 0.5, 1.02, text, transform=above, color="#777777", fontsize="small")


def _history_finding(history, heads):
    columns = [f"val_{head}_accuracy" for head in heads if f"val_{head}_accuracy" in history]
    if not columns:
        return ""
    means = history[columns].apply(pd.to_numeric, errors="coerce").mean(axis=1)
    if not means.notna().any():
        return ""
    what = "mean validation accuracy" if len(columns) > 1 else "validation accuracy"
    best = f"{what} {means.max():.3f}"
    return best if len(history) == 1 else f"best {best}, epoch {history['epoch'][means.idxmax()]:g}"


def _legend_below(figure):
    """One for all panels, each name once."""
    named = {}
    for axes in figure.axes:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            named.setdefault(label, handle)
    if named:
        figure.legend(named.values(), named.keys(), frameon=False, loc="outside lower center", ncols=5)


# Calibration ----------------------------------------------------------------------------------------------------------


def plot_reliability(predictions, catalog, head=None, *, after=None, bins=15):
    """How often answers are right by how sure they are; on the diagonal a probability of 0.8 is right in 8 of 10
    photos.

    Args:
        predictions: table with `<head>:<class>` columns.
        catalog: table with the truth.
        head: a head's name; None = the first one.
        after: the same predictions with a temperature (`temper`), drawn beside them; None = none.
        bins: of equally many answers, at most (see `calibration.reliability`).

    Raises:
        InputError: as `calibration.reliability`.
    """
    tables = {"as predicted": predictions}
    if after is not None:
        tables["with a temperature"] = after
    head = find_head(predictions, head)
    curves = {name: reliability(table, catalog, head.name, bins=bins) for name, table in tables.items()}
    words = OF_CLASSES if head.multi else OF_ANSWERS
    with figure_style():
        figure = new_figure(4.4, 4.4)
        axes = figure.add_subplot()
        axes.plot([0, 1], [0, 1], color="#b8b8b8", linewidth=0.8, linestyle=":")
        _draw_reliability(axes, curves)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        axes.set_aspect("equal")
        axes.set_xlabel(words["confidence"])
        axes.set_ylabel(words["accuracy"])
        axes.set_title(_reliability_finding(words["n"], curves["as predicted"]), loc="left")
        axes.legend(frameon=False, loc="best")
        plain_axes(axes, grid="both")
    return figure


def _draw_reliability(axes, curves):
    """One curve in the colour of the result, or the one before it in grey."""
    colours = [COLOURS["train"], COLOURS["valid"]][-len(curves) :]
    for (name, curve), colour, mark in zip(curves.items(), colours, MARKS, strict=False):
        label = f"{name}, ECE {_calibration_error(curve):.3f}"
        axes.plot(curve["confidence"], curve["accuracy"], color=colour, marker=mark, label=label, **THIN)


def _calibration_error(curve):
    """The expected calibration error (ECE): the mean distance from the diagonal."""
    return float((curve["n"] * (curve["accuracy"] - curve["confidence"]).abs()).sum() / curve["n"].sum())


def _reliability_finding(what, curve):
    count = curve["n"].sum()
    gap = float((curve["n"] * (curve["confidence"] - curve["accuracy"])).sum() / count)
    if abs(gap) < 0.005:
        return f"{int(count):,} {what}: as sure as it is right"
    return f"{int(count):,} {what}: {abs(gap):.3f} {'too sure' if gap > 0 else 'not sure enough'}, on average"
