"""What an audit found, and the figures without photos that training has seen in another form."""

from html import escape

import pandas as pd

from kfashion_utils.errors import InputError
from kfashion_utils.evaluation.intervals import score_intervals
from kfashion_utils.evaluation.label_errors import LABEL_ERRORS
from kfashion_utils.reports.headline import BALANCED, NATURAL, with_interval
from kfashion_utils.reports.page import bullets, element, lines, section, table
from kfashion_utils.reports.wording import beside_title

TABLES = {"findings": ("id", "finding", "detail"), "pairs": ("id", "other", "how")}  # and the columns that are read
WRONG_LABELS = ("id", "column", "label", "suggestion")  # of the table that is there if labels were audited, too
NO_PAIR = "No validation photo is in a pair: nothing has to be left out."
NONE_IN_TRAINING = (
    "The pairs of validation photos are within the validation photos: "
    "none has a near-duplicate in training, nothing has to be left out."
)
SEEN = (
    "A photo counts as seen if the audit's pairs lead from it to a row that is not a validation row; "
    "give the full catalog, and only train rows count."
)


# Reading --------------------------------------------------------------------------------------------------------------


def read_audit(folder, ids):
    """The tables of an audit's folder, {name: DataFrame}: `findings`, `pairs`, and `label_errors` if labels were
    audited, without those that edits have put right.

    Args:
        folder: Path.
        ids: of the rows that the audit must have seen, a list.

    Raises:
        InputError: a table is missing or unreadable, or it is of another catalog.
    """
    tables = {name: _read_table(folder / f"{name}.csv", columns) for name, columns in TABLES.items()}
    audited = _read_table(folder / "catalog.csv", None).set_index("id")
    unknown = [name for name in ids if name not in audited.index]
    if unknown:
        raise InputError(
            f"{folder} is of another catalog: it lacks {len(unknown):,} of {len(ids):,} validation rows, "
            f"for example id {unknown[0]!r}"
        )
    if (folder / LABEL_ERRORS).is_file():
        tables["label_errors"] = _still_there(_read_table(folder / LABEL_ERRORS, WRONG_LABELS), audited)
    return tables


def _read_table(path, columns):
    if not path.is_file():
        raise InputError(f"there is no {path}; make it with: kfashion audit CATALOG --root DIR --out {path.parent}")
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False, usecols=columns)
    except (ValueError, pd.errors.ParserError) as error:
        raise InputError(f"{path} is not a table of an audit: {error}") from error


def _still_there(errors, audited):
    """The doubted labels that the audited catalog, indexed by id, holds."""
    held = [
        row.id in audited.index and audited.get(row.column, {}).get(row.id) == row.label for row in errors.itertuples()
    ]
    return errors[held]


# The section ----------------------------------------------------------------------------------------------------------


def audited(parts):
    """The section on what `kfashion audit` found."""
    if parts.audit is None:
        return ""
    judged = set() if parts.predictions is None else set(parts.predictions["id"])
    counts = [row for found in _kinds(parts.audit) for row in _counts(found, judged)]
    text = element("p", "It looked at the whole catalog and found nothing.")
    if counts:
        text = table(("found", "how often", "validation rows", "for example"), counts)
    heads = [head for head in parts.run.task.heads if head.name in parts.judged]
    return section("What the audit found", lines(text, *(_near(parts, head) for head in heads)))


def _kinds(audit):
    """The tables of an audit as `id, kind, detail`, and `other` of pairs."""
    yield audit["findings"].rename(columns={"finding": "kind"})
    pairs = audit["pairs"]
    yield pairs.assign(kind="pairs: " + pairs["how"], detail=pairs["other"])
    if "label_errors" in audit:
        errors = audit["label_errors"]
        corrections = errors["label"] + " → " + errors["suggestion"]
        yield errors.assign(kind="likely wrong labels: " + errors["column"], detail=corrections)


def _counts(found, judged):
    """One row a kind of finding: name, count, how many judged rows it touches, an example."""
    rows = []
    for kind, some in found.groupby("kind", sort=False):
        first = some.iloc[0]
        named = set(some["id"]).union(some.get("other", ()))
        example = f"{first['id']} {first['detail']}".strip()
        rows.append((escape(kind), f"{len(some):,}", f"{len(named & judged):,}", escape(example)))
    return rows


def _near(parts, head):
    """Figures with and without near-duplicates of training pictures."""
    beside = beside_title(parts.run.task, head)
    title = element("h3", f"With and without near-duplicates of training pictures{beside}")
    pairs, ids = parts.audit["pairs"], parts.predictions["id"]
    if not (pairs["id"].isin(ids) | pairs["other"].isin(ids)).any():
        return lines(title, element("p", NO_PAIR))
    scores = score_intervals(parts.of_head(head), parts.catalog, near=pairs)
    scores = scores[scores["figure"] == "accuracy"]
    if not scores.loc[scores["photos"] == "near-duplicates", "n"].any():
        return lines(title, element("p", NONE_IN_TRAINING))
    rows = [
        (row["photos"], f"{row['n']:,}", with_interval(row, *NATURAL), with_interval(row, *BALANCED))
        for row in scores.to_dict("records")
    ]
    header = (parts.unit(head), "how many", "accuracy", "balanced accuracy")
    return lines(title, table(header, rows), bullets([SEEN]))
