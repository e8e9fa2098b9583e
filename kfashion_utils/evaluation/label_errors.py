"""Labels that are likely wrong, found by how little a model that did not see a row believes its label; and edits put
back into a catalog."""

from pathlib import Path

import numpy as np
import pandas as pd

from kfashion_utils.errors import InputError, refuse
from kfashion_utils.evaluation.judgement import judge_with_truth
from kfashion_utils.tables.catalog import complete_catalog
from kfashion_utils.tables.labels import NOT_ANNOTATED, OWN_COLUMNS, SEPARATOR
from kfashion_utils.tables.reading import read_table
from kfashion_utils.tables.spelling import Speller, one_spelling

LABEL_ERRORS = "label_errors.csv"  # in an audit's folder
EDIT_COLUMNS = ("id", "column", "suggestion")  # that a table of edits has at least
COLUMNS = ["id", "column", "label", "suggestion", "probability"]
METHOD = "low_self_confidence"  # of cleanlab: as many as confident learning counts, the least believed ones
RANKED = "self_confidence"
BELIEVED = 0.05  # probability from which on a label is left alone


def find_label_errors(predictions, catalog):
    """Labels that are likely wrong, by confident learning (Northcutt et al., JAIR 2021; cleanlab).

    Args:
        predictions: out of fold, so that no row was seen by the model that judges it: `train(…,
            split="all").predictions`.
        catalog: the table with the labels.

    Returns:
        DataFrame `id, column, label, suggestion, probability`, the least believed label of a column first: the label
        there is, the class that is answered instead, and the probability of that answer. Drop the rows you disagree
        with, or write another suggestion, and give the rest to `apply_edits`.

    Raises:
        InputError: cleanlab is missing, ids or columns that the catalog lacks, no labelled row.
    """
    _cleanlab()
    judged = judge_with_truth(predictions, catalog, rows=True)
    doubted = [(one, truth, _doubted(one)) for one, truth in judged]
    found = [_found(one, truth, rows) for one, truth, rows in doubted if rows is not None]
    if not found:
        heads = [one.head.name for one, _ in judged]
        raise InputError(
            f"no predicted rows have labels of two classes in any of {heads}; predict labelled rows, out of fold"
        )
    return pd.concat(found, ignore_index=True)


def _cleanlab():
    try:
        import cleanlab.filter
        import cleanlab.multilabel_classification.filter
    except ImportError as error:
        raise InputError("finding label errors needs cleanlab: pip install 'kfashion-utils[quality]'") from error
    return cleanlab


def _found(judged, truth, rows):
    """The doubted labels, at `rows`, of one head whose answer is another one, a table of `COLUMNS`."""
    head, scores = judged.head, judged.scores
    labels = truth[head.name].loc[judged.ids].to_numpy()
    table = {
        "id": judged.ids,
        "column": head.name,
        "label": labels,
        "suggestion": np.asarray(head.decode(scores), object),
        "probability": np.round(head.sureness(scores), 4),
    }
    table = pd.DataFrame(table, columns=COLUMNS).iloc[rows]
    return table[table["label"].map(head.spelled) != table["suggestion"]]


def _doubted(judged):
    """Row numbers of the labels that are doubted, the least believed first; None where there is nothing to tell apart:
    no labels, or, where classes exclude each other, those of one class."""
    if not len(judged):
        return None
    if judged.head.multi:
        return _doubted_of_several(judged)
    if len(np.unique(judged.actual, axis=0)) < 2:
        return None
    given = judged.actual.argmax(axis=1)
    find = _cleanlab().filter.find_label_issues
    found = find(given, judged.scores, filter_by=METHOD, return_indices_ranked_by=RANKED, n_jobs=1)
    return found[judged.scores[found, given[found]] < BELIEVED]


def _doubted_of_several(judged):
    """The same where a row may have several labels."""
    lists = [np.flatnonzero(row).tolist() for row in judged.actual]
    find = _cleanlab().multilabel_classification.filter.find_label_issues
    return find(lists, judged.scores, return_indices_ranked_by=RANKED, n_jobs=1)


def apply_edits(catalog, table):
    """A catalog with labels replaced.

    Args:
        catalog: DataFrame of the column contract.
        table: DataFrame with `id, column, suggestion`, and `label` where it is to be checked that the label is still
            that one; of `find_label_errors`, gone through by a person. An empty suggestion takes the label away.

    Returns:
        A new catalog.

    Raises:
        InputError: columns missing, ids or label columns that the catalog lacks, a label that is another one by now,
            two edits of one label.
    """
    missing = [name for name in EDIT_COLUMNS if name not in table.columns]
    if missing:
        raise InputError(
            "a table of edits has the columns id, column, suggestion and (to be checked) label; "
            f"{missing} missing, got {list(table.columns)}"
        )
    edited = complete_catalog(catalog)
    table = _spelled(table.astype(object).where(table.notna(), "").astype(str).reset_index(drop=True), edited)
    refuse("the edits do not fit the catalog", _edit_problems(edited, table))
    row = pd.Series(np.arange(len(edited)), index=edited["id"])
    for column, edits in table.groupby("column"):
        edited.iloc[row.loc[edits["id"]].to_numpy(), edited.columns.get_loc(column)] = edits["suggestion"].to_numpy(
            object
        )
        edited[column] = one_spelling(edited[column], column)
    return edited


def _spelled(table, catalog):
    """Edits with ids and labels spelled as in the catalog: `2`, where an empty cell made `2.0` of it."""
    table = table.assign(id=table["id"].map(Speller(catalog["id"])))
    for column in set(table["column"]) & set(catalog.columns):
        known = {part for label in catalog[column].unique() for part in label.split(SEPARATOR)} - {NOT_ANNOTATED}
        spell, here = Speller(known), table["column"] == column
        for name in table.columns.intersection(["label", "suggestion"]):
            table[name] = table[name].where(~here, table[name].map(spell))
    return table


def _edit_problems(catalog, table):
    labels = [name for name in catalog.columns if name not in OWN_COLUMNS]
    by_id = catalog.drop_duplicates("id").set_index("id")
    twice = table.duplicated(["id", "column"], keep=False)
    for name in catalog["id"][catalog["id"].duplicated()].unique():
        yield f"id {name!r} stands in the catalog more than once"
    for number, edit in table.iterrows():
        where = f"row {number + 2} (id {edit['id']!r})"
        if edit["id"] not in by_id.index:
            yield f"{where}: no such id in the catalog"
        elif edit["column"] not in labels:
            yield f"{where}: no label column {edit['column']!r}; the catalog has {labels}"
        elif twice[number]:
            yield f"{where}: {edit['column']} is edited twice"
        elif "label" in table and by_id.at[edit["id"], edit["column"]] not in (edit["label"], edit["suggestion"]):
            yield (
                f"{where}: {edit['column']} was {edit['label']!r} when the table was made and is "
                f"{by_id.at[edit['id'], edit['column']]!r} now"
            )


def read_edits(path):
    """A table of edits from a CSV file.

    Raises:
        InputError: no such file, or no table.
    """
    if not Path(path).is_file():
        raise InputError(f"no table of edits at {path}; expected a CSV file with id, column, label, suggestion")
    return read_table(path, EDIT_COLUMNS).reset_index(drop=True)
