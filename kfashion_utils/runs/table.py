"""`runs_table`: the local leaderboard. A folder of run folders -> one row a run, best first, with what differs between
their recipes."""

import json
from pathlib import Path

import pandas as pd

from kfashion_utils.errors import InputError
from kfashion_utils.evaluation.intervals import figure_intervals, score_intervals
from kfashion_utils.runs.run import Run
from kfashion_utils.tables.tasks import gloss

DEPTH = 2  # folders below the given one in which runs are looked for
SCORES = {"accuracy": "accuracy", "balanced": "balanced_accuracy", "macro_f1": "macro_f1"}  # name in `metrics.json`
FIXED = ("run", "state", "n", "accuracy", "low", "high", "balanced", "macro_f1", "without_annotation", "minutes")
FINISHED = "finished"
UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, OSError)  # what a damaged run folder raises


def runs_table(folder, *, by="accuracy", head=None):
    """Every run below a folder.

    Args:
        folder: holds run folders, at most two levels down; or is one.
        by: `accuracy`, `balanced` or `macro_f1`, of the validation rows.
        head: whose figures; None = the first of each run.

    Returns:
        DataFrame, one row a run, best first, unfinished and unreadable ones last: `run` (its path below `folder`),
        `state` (`finished`, how far it is, or what is wrong), `n` (photos judged), `accuracy` with its 95 % interval
        `low, high` (NaN without predictions and truth), `balanced`, `macro_f1`, `without_annotation` (accuracy without
        boxes and polygons at test time; the column is there only if a run has it), `minutes` of training; then a
        column for every field of the recipes that differs between the runs, as text, "" where a run does not have it.
        Where `catalog` is among these the runs were judged on different rows.

    Raises:
        InputError: no such folder, no run in it, unknown `by`, no run with that head.
    """
    if by not in SCORES:
        raise InputError(f"by={by!r}: expected one of {list(SCORES)}")
    runs = find_runs(folder)
    rows = [_row(run, name, head) for name, run in runs.items()]
    if head is not None and not any("n" in row for row in rows):
        raise InputError(f"no finished run in {folder} has figures of a head {head!r}")
    table = pd.DataFrame(rows).reindex(columns=FIXED)
    if table["without_annotation"].isna().all():
        table = table.drop(columns="without_annotation")
    fields = differing({name: _fields(run) for name, run in runs.items()})
    table = pd.concat([table, fields], axis=1)
    return table.sort_values([by, "run"], ascending=[False, True], na_position="last", kind="stable", ignore_index=True)


def find_runs(folder):
    """{path below the folder: Run}, sorted by path.

    Raises:
        InputError: no such folder, or no run in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}; name the one that holds the run folders")
    found = sorted(path.parent for depth in range(DEPTH + 1) for path in folder.glob("*/" * depth + "run.json"))
    if not found:
        raise InputError(
            f"no run in {folder}: no run.json in it or up to {DEPTH} folders below; "
            f"`kfashion train --run {folder / 'NAME'}` makes one"
        )
    return {_name_below(folder, path): Run(path) for path in found}


def _name_below(folder, path):
    return path.relative_to(folder).as_posix() if path != folder else folder.resolve().name


def differing(recipes):
    """A column for every field that is not the same in all recipes, as text, one row a recipe.

    Args:
        recipes: {name: {field: text}}; an empty one (it could not be read) has no say.
    """
    fields = dict.fromkeys(field for recipe in recipes.values() for field in recipe)
    known = [recipe for recipe in recipes.values() if recipe]
    changed = [field for field in fields if len({recipe.get(field, "") for recipe in known}) > 1]
    rows = [[recipe.get(field, "") for field in changed] for recipe in recipes.values()]
    return pd.DataFrame(rows, columns=changed, dtype=object)


def describe_runs(table):
    """The table for a terminal, and what to keep in mind when comparing its rows."""
    lines = [_in_columns(table)]
    done = int((table["state"] == FINISHED).sum())
    if done < len(table):
        lines.append(f"{done} of {len(table)} runs are finished; calling `kfashion train` again continues the others")
    if "catalog" in table.columns:
        lines.append(
            "the runs were not trained and judged on the same rows (column catalog), "
            "so their figures are not of the same photos"
        )
    if table["low"].notna().sum() > 1:
        lines.append(
            "overlapping intervals do not tell which run is better; on the same photos kf.compare_predictions does"
        )
    return "\n".join(lines)


def _in_columns(table):
    shown = table.copy()
    for name in shown.columns.intersection(["accuracy", "balanced", "macro_f1", "without_annotation"]):
        shown[name] = [_number(value, 3) for value in table[name]]
    shown["accuracy"] = list(map(_with_interval, shown["accuracy"], table["low"], table["high"]))
    shown["n"] = [_number(value, 0) for value in table["n"]]
    shown["minutes"] = [_number(value, 1) for value in table["minutes"]]
    return shown.drop(columns=["low", "high"]).to_string(index=False)


def _with_interval(text, low, high):
    return f"{text} ({low:.3f}–{high:.3f})" if pd.notna(low) else text


def _number(value, digits):
    return f"{value:,.{digits}f}" if pd.notna(value) else ""


# One run --------------------------------------------------------------------------------------------------------------


def _row(run, name, head):
    """{column: value} of one run, what is known of it."""
    try:
        head = head or run.task.heads[0].name
        if not run.finished:
            return {"run": name, "state": _progress(run)}
        row = {"run": name, "state": FINISHED, "minutes": _minutes(run)}
        figures = run.metrics.get(head, {})
        if not figures.get("n"):
            return {**row, "state": f"finished, no figures of head {gloss(head)!r}"}
        row |= {"n": figures["n"], **{short: figures.get(long) for short, long in SCORES.items()}}
        row["low"], row["high"] = _interval(run, head)
        row["without_annotation"] = (run.without_annotation.get(head) or {}).get("accuracy")
        return row
    except UNREADABLE as error:
        return {"run": name, "state": f"unreadable: {str(error).splitlines()[0]}"}


def _minutes(run):
    seconds = run.times.get("seconds")
    return None if seconds is None else seconds / 60


def _progress(run):
    """How far an unfinished run is, in words."""
    try:
        done = int(run.history["epoch"].max())
    except (ValueError, KeyError, OSError):
        return "unfinished, no epoch yet"
    return f"unfinished, {done} of {run.config.fine_tune_epochs or done} epochs"


def _interval(run, head):
    """(low, high) of the accuracy; NaN where it cannot be computed."""
    try:
        found = figure_intervals(score_intervals(run.predictions, run.catalog))
        return found[head]["accuracy"]
    except (ValueError, KeyError, OSError):
        return float("nan"), float("nan")


def _fields(run):
    """{field: text} of all that makes a recipe; {} where it cannot be read."""
    try:
        fields = {"task": run.task.name, "split": run.split, "catalog": str(run.trained_on.get("hash", ""))[:8]}
        recipe = {**run.preprocess.to_dict(), **run.config.to_dict()}
    except UNREADABLE:
        return {}
    return {**fields, **{name: _text(value) for name, value in recipe.items()}}


def _text(value):
    if isinstance(value, str):
        return Path(value).name if "/" in value else value
    return "" if value is None else json.dumps(value)
