"""Predictions: one row = one catalog row, its answers and their probabilities. Tables in, tables out."""

from pathlib import Path

import numpy as np
import pandas as pd

from kfashion_utils.errors import InputError, refuse
from kfashion_utils.storage.files import finished_file, write_json
from kfashion_utils.tables.labels import NONE_APPLIES, SEPARATOR, Head
from kfashion_utils.tables.tasks import HEADS


def prediction_heads(predictions):
    """The heads of a predictions table, read from its header `<head>:<class>`; parents from the known heads."""
    classes = {}
    for column in predictions.columns:
        name, mark, label = column.partition(":")
        if mark:
            classes.setdefault(name, []).append(label)
    heads = []
    for name, names in classes.items():
        known = HEADS.get(name)
        parents = known.parents if known is not None and list(known.classes) == names else None
        scores = predictions[[f"{name}:{label}" for label in names]].to_numpy(float)
        several = predictions[name].map(lambda label: label == NONE_APPLIES or SEPARATOR in label).any()
        multi = len(names) == 1 or bool(several) or not np.allclose(scores.sum(axis=1), 1, atol=1e-3)
        heads.append(Head(name, tuple(names), multi=multi, parents=parents))
    return heads


def head_scores(predictions, head):
    """Probabilities of one head, float64 `(n, classes)`."""
    return predictions[[f"{head.name}:{label}" for label in head.classes]].to_numpy(float)


def average_photos(predictions):
    """One row a photo: the mean of its rows' probabilities, labels decoded again; `id` is the first row's."""
    if not predictions["photo"].duplicated().any():
        return predictions.reset_index(drop=True)
    scores = [name for name in predictions.columns if ":" in name]
    means = predictions.groupby("photo", sort=False).agg({"id": "first", **dict.fromkeys(scores, "mean")}).reset_index()
    for head in prediction_heads(predictions):
        means[head.name] = head.decode(head_scores(means, head))
    return means[predictions.columns]


def ensemble(tables, weights=None):
    """Soft voting: the (weighted) mean of predictions tables over the same rows and classes.

    Args:
        tables: predictions, in any row order.
        weights: one number a table; None = equal.

    Raises:
        InputError: ids or columns differ.
    """
    tables = list(tables)
    first = tables[0]
    weights = np.ones(len(tables)) if weights is None else np.asarray(weights, float)
    if len(weights) != len(tables) or not (weights >= 0).all() or not weights.sum() > 0:
        raise InputError(
            f"{len(weights)} weights {weights.tolist()} for {len(tables)} tables; give one number of 0 or more for each, not all 0"
        )
    scores = [name for name in first.columns if ":" in name]
    total = np.zeros((len(first), len(scores)))
    for number, (table, weight) in enumerate(zip(tables, weights, strict=True)):
        if (
            list(table.columns) != list(first.columns)
            or set(table["id"]) != set(first["id"])
            or len(table) != len(first)
        ):
            raise InputError(
                f"table {number + 1} does not match the first: the same ids and the same classes in the same order are needed"
            )
        total += weight / weights.sum() * table.set_index("id").loc[first["id"], scores].to_numpy()
    result = first.copy()
    result[scores] = total
    for head in prediction_heads(first):
        result[head.name] = head.decode(head_scores(result, head))
    return result


DIGITS = 7


def prediction_table(task, rows, scores):
    """Catalog rows and flat probabilities in the same order -> predictions."""
    labels = task.decode(scores)
    head = pd.DataFrame({"id": rows["id"].to_numpy(object), "photo": rows["photo"].to_numpy(object)})
    return pd.concat([head, labels, pd.DataFrame(scores.astype(float), columns=task.columns)], axis=1)


def write_predictions(predictions, path):
    """Write a predictions table, probabilities with seven significant digits; its provenance, if it has one, goes into `<name>.provenance.json`."""
    with finished_file(path) as temporary:
        predictions.to_csv(temporary, index=False, lineterminator="\n", float_format=f"%.{DIGITS}g")
    if "provenance" in predictions.attrs:
        write_json(provenance_path(path), predictions.attrs["provenance"])


def read_predictions(path):
    """Read a predictions table: `id`, `photo` and labels as text, probabilities as float64.

    Raises:
        InputError: no such file, or not a predictions table.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(
            f"no predictions at {path}; make them with: kfashion predict RUN --catalog FILE --root DIR --out {path}"
        )
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not a UTF-8 CSV table: {error}") from error
    problems = [f"no column {name!r}" for name in ("id", "photo") if name not in table.columns]
    scores = [name for name in table.columns if ":" in name]
    problems += [] if scores else ["no probabilities: columns '<head>:<class>'"]
    problems += [
        f"no label column {name!r}"
        for name in dict.fromkeys(n.split(":")[0] for n in scores)
        if name not in table.columns
    ]
    refuse(f"{path} is not a predictions table", problems)
    numbers = table[scores].apply(pd.to_numeric, errors="coerce")
    return pd.concat([table.drop(columns=scores), numbers], axis=1)[table.columns]


def provenance_path(path):
    """Where the provenance of a table lies: `p.csv` -> `p.provenance.json`."""
    return (
        Path(path).with_suffix("").with_suffix(".provenance.json")
        if Path(path).suffix == ".gz"
        else Path(path).with_suffix(".provenance.json")
    )
