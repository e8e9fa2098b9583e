"""Predictions: one row = one catalog row, its answers and their probabilities. Header, reading, writing and averaging
of these tables; tables in, tables out. What stands beside them is `tables.beside`.

The header is the Task's order and kinds: `id`, `photo`, then `<head>` (the decoded label) and one probability a class,
`<head>:<class>` where the classes exclude each other, `<head>+<class>` where each is a yes or no.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from kfashion_utils.errors import InputError, refuse
from kfashion_utils.storage.files import csv_encoding, finished_file, hash_file, write_json
from kfashion_utils.tables.beside import (  # noqa: F401 - all of it is told beside predictions, and asked for here
    TASK,
    facts_to_json,
    provenance,
    provenance_path,
    with_facts_of,
    with_facts_of_all,
    with_facts_of_json,
    with_failures,
    with_provenance,
)
from kfashion_utils.tables.labels import EXCLUSIVE, NONE_APPLIES, NOT_ANNOTATED, SEPARATOR, YES_OR_NO, Head
from kfashion_utils.tables.reading import read_table
from kfashion_utils.tables.spelling import Speller
from kfashion_utils.tables.tasks import HEADS

DIGITS = 7  # significant ones of a probability in a file
TABLE_HASH = "table_sha256"  # in the file of the provenance: of the table it belongs to
MAKE_ANEW = "kfashion predict RUN --catalog FILE --root DIR --out FILE"


# Header ---------------------------------------------------------------------------------------------------------------


def split_column(column):
    """(head, sign, class) of a score column; (column, "", "") of any other. Class names may hold a sign, heads not."""
    places = [column.find(sign) for sign in (EXCLUSIVE, YES_OR_NO) if sign in column]
    if not places:
        return column, "", ""
    first = min(places)
    return column[:first], column[first], column[first + 1 :]


def score_columns(table):
    """The columns that hold probabilities, a list."""
    return [name for name in table.columns if split_column(name)[1]]


def prediction_heads(predictions):
    """The heads of a predictions table, a list: those of the Task that travels with it, else of its header; then
    parents are those of the known heads.

    Raises:
        InputError: a table of an older version with a multi-label head, whose header does not tell its kind.
    """
    columns = score_columns(predictions)
    task = predictions.attrs.get(TASK)
    told = {} if task is None else {head.name: head for head in task.heads}
    classes = {}
    for name, sign, label in map(split_column, columns):
        classes.setdefault((name, sign), []).append(label)
    known = {**told, **{name: head for name, head in HEADS.items() if name not in told or not told[name].parents}}
    kinds = {(name, sign): names for (name, sign), names in classes.items() if _may_be(sign, names)}
    heads = [_head_of_header(name, sign, names, known.get(name)) for (name, sign), names in kinds.items()]
    lost = [name for name, sign in classes if (name, sign) not in kinds]
    lost += [head.name for head in heads if not (head.multi or head in told.values() or _adds_up(predictions, head))]
    refuse(
        "the header of this table is of an older version, which does not tell several labels from one; "
        f"make it anew with: {MAKE_ANEW}",
        [f"head {name!r}: its columns {name}:… hold several labels a row; today they are {name}+…" for name in lost],
    )
    return heads


def _may_be(sign, names):
    return sign == YES_OR_NO or len(names) > 1


def _head_of_header(name, sign, names, known):
    """The head of that name which is known, if it has these classes and this kind, else what the header says."""
    found = Head(name, tuple(names), multi=sign == YES_OR_NO)
    return known if known is not None and known.columns == found.columns else found


def _adds_up(predictions, head):
    """Whether the answers of a head can be those of classes that exclude each other."""
    answers = predictions[head.name].astype(str)
    if answers.str.contains(SEPARATOR, regex=False).any() or (answers == NONE_APPLIES).any():
        return False
    sums = head_scores(predictions, head).sum(axis=1)
    return bool((np.isnan(sums) | (np.abs(sums - 1) < 1e-3)).all())


def head_scores(predictions, head):
    """Probabilities of one head, float64 `(n, classes)`."""
    return predictions[head.columns].to_numpy(float)


def prediction_table(task, rows, scores):
    """Catalog rows and flat probabilities in the same order -> predictions."""
    labels = task.decode(scores)
    names = pd.DataFrame({"id": rows["id"].to_numpy(object), "photo": rows["photo"].to_numpy(object)})
    table = pd.concat([names, labels, pd.DataFrame(scores.astype(float), columns=task.columns)], axis=1)
    table.attrs[TASK] = task
    return table


def answer_anew(table, scores):
    """A copy of a predictions table with other probabilities, labels decoded again.

    Args:
        scores: float `(n, classes)` in the order of the score columns.
    """
    result = with_facts_of(table.copy(), table)
    result[score_columns(table)] = scores
    for head in prediction_heads(table):
        result[head.name] = _labels(head, result)
    return result


def _labels(head, table):
    """The decoded labels of a table's probabilities, a column of Python's texts."""
    return pd.Series(head.decode(head_scores(table, head)), index=table.index, dtype=object)


# Averaging ------------------------------------------------------------------------------------------------------------


def row_heads(catalog, heads):
    """Names of the heads whose label differs between the rows of a photo (such as `part`), a list: they are answered
    and judged by row. A row without a label differs from none."""
    found = []
    for head in heads:
        if head.name in catalog.columns:
            known = catalog[head.name] != NOT_ANNOTATED
            several = catalog[head.name][known].groupby(catalog["photo"][known]).nunique() > 1
            found += [head.name] * bool(several.any())
    return found


def average_photos(predictions, by_row=()):
    """Answers per photo: the mean of its rows' probabilities, labels decoded again.

    Args:
        by_row: names of heads that are answered by row.

    Returns:
        One row a photo, whose `id` is the first row's. If there is a head that is answered by row, all rows stay: they
        keep its answers and share the photo's mean for the other heads.
    """
    if not predictions["photo"].duplicated().any():
        return with_facts_of(predictions.reset_index(drop=True), predictions)
    own = [head for head in prediction_heads(predictions) if head.name in set(by_row)]
    columns = score_columns(predictions)
    if own:
        kept = [name for head in own for name in head.columns]
        means = predictions.groupby("photo", sort=False)[columns].transform("mean")
        means[kept] = predictions[kept]
        return answer_anew(predictions.reset_index(drop=True), means.to_numpy())
    means = predictions.groupby("photo", sort=False).agg({"id": "first", **dict.fromkeys(columns, "mean")})
    means = means.reset_index()
    for head in prediction_heads(predictions):
        means[head.name] = _labels(head, means)
    return with_facts_of(means[predictions.columns], predictions)


def ensemble(tables, weights=None):
    """Soft voting: the (weighted) mean of predictions tables over the same rows and classes.

    Args:
        tables: predictions, in any row order.
        weights: one number a table; None = equal.

    Returns:
        A table in the row order of the first; its provenance names the runs of all of them.

    Raises:
        InputError: ids or columns differ.
    """
    tables = list(tables)
    weights = np.ones(len(tables)) if weights is None else np.asarray(weights, float)
    if len(weights) != len(tables) or not (weights >= 0).all() or not weights.sum() > 0:
        raise InputError(
            f"{len(weights)} weights {weights.tolist()} for {len(tables)} tables; "
            "give one number of 0 or more for each, not all 0"
        )
    first, shares = tables[0], (weights / weights.sum()).tolist()
    columns = score_columns(first)
    total = np.zeros((len(first), len(columns)))
    for number, (table, share) in enumerate(zip(tables, shares, strict=True), 1):
        _require_same_rows(table, first, number)
        total += share * table.set_index("id").loc[first["id"], columns].to_numpy()
    result = answer_anew(first, total)
    return with_facts_of_all(result, tables, shares) if len(tables) > 1 else result


def _require_same_rows(table, first, number):
    same_rows = len(table) == len(first) and set(table["id"]) == set(first["id"])
    if not same_rows or list(table.columns) != list(first.columns):
        raise InputError(
            f"table {number} does not match the first: the same ids and the same classes in the same order are needed"
        )


# Files ----------------------------------------------------------------------------------------------------------------


def write_predictions(predictions, path):
    """Write a predictions table, probabilities with seven significant digits; its provenance, if it has one, goes into
    `<name>.provenance.json`, and one that lies there of an older table goes away."""
    with finished_file(path) as temporary:
        predictions.to_csv(
            temporary,
            index=False,
            lineterminator="\n",
            float_format=f"%.{DIGITS}g",
            encoding=csv_encoding(predictions),
        )
    beside, facts = provenance_path(path), facts_to_json(predictions)
    if facts:
        write_json(beside, {**facts, TABLE_HASH: hash_file(path)})
    else:
        beside.unlink(missing_ok=True)


def read_predictions(path, task=None):
    """Read a predictions table: `id`, `photo` and labels as text, probabilities as float64, and its provenance.

    Args:
        task: the Task it answers, where it is known (a run's): then tables of older versions are read, too.

    Raises:
        InputError: no such file, or not a predictions table.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"no predictions at {path}; make them with: {MAKE_ANEW.removesuffix('FILE')}{path}")
    table = read_table(path, ("id", "photo")).reset_index(drop=True)
    if task is not None:
        table = table.rename(columns=_todays_names(task))
    refuse(f"{path} is not a predictions table", _problems(table))
    scores = score_columns(table)
    table = _with_labels_of_header(table, scores)
    numbers = table[scores].apply(pd.to_numeric, errors="coerce")
    table = pd.concat([table.drop(columns=scores), numbers], axis=1)[table.columns]
    return with_facts_of_json(table, _read_provenance(path), scores, task)


def _with_labels_of_header(table, scores):
    """The table with its labels spelled as the classes of the header: `2`, where a spreadsheet made `2.0` of it."""
    classes = {}
    for name, _, label in map(split_column, scores):
        classes.setdefault(name, []).append(label)
    return table.assign(**{name: table[name].map(Speller(names)) for name, names in classes.items()})


def _todays_names(task):
    """{column of an older version: column} of the multi-label heads of a Task."""
    return {name.replace(YES_OR_NO, EXCLUSIVE, 1): name for head in task.multi_label for name in head.columns}


def _problems(table):
    yield from (f"no column {name!r}" for name in ("id", "photo") if name not in table.columns)
    scores = score_columns(table)
    if not scores:
        yield "no probabilities: columns '<head>:<class>' or '<head>+<class>'"
    heads = dict.fromkeys(split_column(name)[0] for name in scores)
    yield from (f"no label column {name!r}" for name in heads if name not in table.columns)


def _read_provenance(path):
    beside = provenance_path(path)
    if not beside.is_file():
        return {}
    try:
        facts = json.loads(beside.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{beside} is not JSON: {error}; delete it, or predict again") from error
    belongs = facts.pop(TABLE_HASH, None)
    return facts if belongs in (None, hash_file(path)) else {}
