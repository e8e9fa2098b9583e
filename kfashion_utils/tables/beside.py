"""What stands beside a predictions table: what its header cannot say. In memory in `attrs`, which pandas loses easily
and only this module writes; on disk in `<name>.provenance.json`, which belongs to the bytes of its table.

It is the Task, the provenance (who answered, from which weights and regions), the rows that could not be read, and the
paths of pictures that their ids do not tell.
"""

import unicodedata
from pathlib import Path

import pandas as pd

from kfashion_utils.storage.addresses import CONTAINER_MARK
from kfashion_utils.tables.catalog import safe_id
from kfashion_utils.tables.labels import Task

FAILURES, PROVENANCE, TASK, PICTURES = "failures", "provenance", "task", "pictures"  # keys of `attrs`
TOLD_OF_ROWS = (PICTURES, FAILURES)


class Beside(pd.DataFrame):
    """A small table beside a table; compared as a whole, because pandas compares `attrs` when it puts tables
    together."""

    @property
    def _constructor(self):
        return Beside

    def __eq__(self, other):
        return isinstance(other, pd.DataFrame) and self.equals(other)

    __hash__ = None


def provenance(predictions):
    """What a table rests on, a dict (see `predict`); empty = not known."""
    return dict(predictions.attrs.get(PROVENANCE) or {})


def with_provenance(predictions, facts):
    """The table with these facts beside it."""
    predictions.attrs[PROVENANCE] = facts
    return predictions


def with_failures(predictions, failures):
    """The table with the rows that have no prediction beside it, in `attrs["failures"]`."""
    predictions.attrs[FAILURES] = Beside(failures)
    return predictions


def with_pictures(predictions, rows):
    """The table with the paths that its ids do not tell beside it, in `attrs["pictures"]` (`id, path`): where neither
    the id nor the photo is the stem of the path, or another photo's path has that stem, too.

    Args:
        rows: catalog of the rows that were asked for.
    """
    stems = rows["path"].map(stem_of)
    told = (stems == rows["id"].map(composed)) | (stems == rows["photo"].map(composed))
    places = pd.DataFrame({"stem": stems, "photo": rows["photo"]}).drop_duplicates()
    shared = stems.isin(places["stem"][places["stem"].duplicated()])
    chosen = rows[(shared | ~told) & rows["id"].isin(predictions["id"])]
    predictions.attrs[PICTURES] = Beside(chosen[["id", "path"]].reset_index(drop=True))
    return predictions


def with_facts_of(table, source):
    """A table that was made of `source`, with all that stands beside that."""
    for name in (TASK, PROVENANCE, FAILURES, PICTURES):
        if name in source.attrs:
            table.attrs[name] = source.attrs[name]
    return table


def composed(text):
    """A text in the normal form in which names are compared."""
    return unicodedata.normalize("NFC", str(text))


def stem_of(path):
    """The name of the picture at an address, without folders and extension, as the ids of catalogs are made of it."""
    name = composed(path).replace(CONTAINER_MARK, "/").replace("\\", "/").rpartition("/")[2]
    stem, _, extension = name.rpartition(".")
    return safe_id(stem if stem and extension else name)


# Votes ----------------------------------------------------------------------------------------------------------------


def with_facts_of_all(vote, tables, weights):
    """A vote of several tables over the same rows, with what stands beside all of them."""
    pictures, failures = ([table.attrs[name] for table in tables if name in table.attrs] for name in TOLD_OF_ROWS)
    if pictures:
        vote.attrs[PICTURES] = _together(pictures)
    if failures:
        lost = _together(failures)
        vote.attrs[FAILURES] = lost[~lost["id"].isin(vote["id"])].reset_index(drop=True)
    facts = _merged(tables, weights)
    return vote if facts is None else with_provenance(vote, facts)


def _together(tables):
    return Beside(pd.concat([pd.DataFrame(table) for table in tables]).drop_duplicates("id", ignore_index=True))


def _merged(tables, weights):
    """The provenance of a vote: that of all members; what they do not share is listed in their order."""
    told = [provenance(table) for table in tables]
    if not any(told):
        return None
    facts = {"runs": [run for one in told for run in one.get("runs", [])]}
    for name in ("prior", "thresholds", "temperatures"):
        values = [one.get(name) for one in told]
        facts[name] = values[0] if all(value == values[0] for value in values) else values
    facts["by_row"] = list(dict.fromkeys(name for one in told for name in one.get("by_row", [])))
    names = [[run["run"] for run in one.get("runs", [])] for one in told]
    facts["votes"] = [{"runs": runs, "weight": weight} for runs, weight in zip(names, weights, strict=True)]
    unknown = sum(not one for one in told)
    return facts | ({"members_of_unknown_origin": unknown} if unknown else {})


# Files ----------------------------------------------------------------------------------------------------------------


def provenance_path(path):
    """Where the provenance of a table lies: `p.csv` -> `p.provenance.json`."""
    path = Path(path)
    return (path.with_suffix("") if path.suffix == ".gz" else path).with_suffix(".provenance.json")


def facts_to_json(predictions):
    """All that stands beside a table as plain values; empty = nothing is known."""
    facts, attrs = provenance(predictions), predictions.attrs
    if len(attrs.get(FAILURES, ())):
        facts[FAILURES] = [dict(row) for row in attrs[FAILURES].astype(str).to_dict("records")]
    if PICTURES in attrs and (facts or len(attrs[PICTURES])):
        facts[PICTURES] = dict(zip(attrs[PICTURES]["id"], attrs[PICTURES]["path"], strict=True))
    if facts and attrs.get(TASK) is not None:
        facts[TASK] = attrs[TASK].to_dict()
    return facts


def with_facts_of_json(table, facts, columns, task=None):
    """The inverse of `facts_to_json`.

    Args:
        columns: the score columns of the table; a Task that has others is not its own.
        task: the Task, where it is known; None = the one in the facts.
    """
    facts = dict(facts)
    told, failures, pictures = (facts.pop(name, None) for name in (TASK, FAILURES, PICTURES))
    task = Task.from_dict(told) if task is None and told else task
    if task is not None and task.columns == columns:
        table.attrs[TASK] = task
    if failures:
        with_failures(table, pd.DataFrame(failures, dtype=object))
    if pictures is not None:
        table.attrs[PICTURES] = Beside(pd.DataFrame(list(pictures.items()), columns=["id", "path"], dtype=object))
    return with_provenance(table, facts) if facts else table
