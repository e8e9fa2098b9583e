"""The judgement: each head's answers beside the truth. Every figure, interval, curve and comparison stands on it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from kfashion_utils.errors import InputError, refuse
from kfashion_utils.tables.labels import NOT_ANNOTATED, SUB, Head
from kfashion_utils.tables.predictions import (
    average_photos,
    head_scores,
    prediction_heads,
    row_heads,
    score_columns,
    split_column,
)


@dataclass(frozen=True)
class Judged:
    """One head's answers beside the truth, for the n photos (or rows) that are annotated.

    Attributes:
        head: Head.
        ids: object `(n,)`.
        groups: object `(n,)`, of the catalog: photos that are no independent evidence share one.
        actual: 0/1 int `(n, classes)`.
        scores: float `(n, classes)`.
        second: object `(n,)`, the labels of a second opinion, "" = none.
        by_row: whether each row of a photo is judged by itself.
    """

    head: Head
    ids: np.ndarray
    groups: np.ndarray
    actual: np.ndarray
    scores: np.ndarray
    second: np.ndarray
    by_row: bool = False

    @property
    def answered(self):
        """0/1 int `(n, classes)`: the most probable class, or every class from 0.5 for several labels."""
        return self.head.answered(self.scores)

    @property
    def right(self):
        """bool `(n,)`: whether the whole answer is right."""
        return (self.actual == self.answered).all(axis=1)

    def __len__(self):
        return len(self.ids)

    def only(self, chosen):
        """The same for some photos, a boolean array `(n,)`."""
        parts = (self.ids, self.groups, self.actual, self.scores, self.second)
        return Judged(self.head, *(values[chosen] for values in parts), self.by_row)


def judge_heads(predictions, catalog, *, rows=False, heads=None):
    """Each head's answers beside the truth, a list of `Judged`.

    A head is judged per photo, by the mean of its rows' probabilities against the label that the photo's rows have. One
    whose label differs between the rows of a photo is judged by row.

    Args:
        predictions: table with `id`, `photo` and the heads' columns.
        catalog: table with the truth.
        rows: judge each row by itself, whatever the head.
        heads: Heads; None = those of the predictions.

    Raises:
        InputError: ids that the catalog lacks or that are doubled, no label column, no annotated row, NaN
            probabilities.
    """
    found = [judged for judged, _ in judge_with_truth(predictions, catalog, rows=rows, heads=heads)]
    require_labels([judged.head.name for judged in found], sum(map(len, found)))
    return found


def judge_with_truth(predictions, catalog, *, rows=False, heads=None):
    """[(Judged, the catalog's rows of all photos or rows that were asked, annotated or not)] of each head."""
    require_match(predictions, catalog)
    heads = prediction_heads(predictions) if heads is None else heads
    truth = catalog.set_index("id").loc[predictions["id"]]
    of_them = catalog[catalog["photo"].isin(truth["photo"])]  # a mean answers for rows that it does not name
    by_row = [head.name for head in heads] if rows else row_heads(of_them, heads)
    every = _Asked(predictions, truth, predictions["photo"].to_numpy())
    photos = every if len(by_row) == len(heads) else _of_photos(predictions, of_them, heads)
    chosen = [every if head.name in by_row else photos for head in heads]
    pairs = zip(heads, chosen, strict=True)
    return [(_judged(head, asked, head.name in by_row and not rows), asked.truth) for head, asked in pairs]


def find_judged(judged, head):
    """The `Judged` of a head's name, or the first one with photos.

    Raises:
        InputError: no such head, or no photo annotated for it.
    """
    found = {one.head.name: one for one in judged if len(one)}
    name = next(iter(found)) if head is None else getattr(head, "name", head)
    if name not in found:
        raise InputError(f"no head {name!r} with annotated photos; there are {list(found)}")
    return found[name]


def require_labels(heads, count):
    """Refuse to judge what nobody labelled."""
    if not count:
        raise InputError(
            f"no row of the evaluated ones has a label in {list(heads)}; "
            "evaluate rows with known labels (a leaderboard's test set has none)"
        )


def require_match(predictions, catalog):
    """Refuse predictions that do not belong to a catalog.

    Raises:
        InputError: every problem, with its id.
    """
    advice = "predictions and catalog do not match; predict with the catalog that is evaluated"
    refuse(advice, _mismatches(predictions, catalog))


def _mismatches(predictions, catalog):
    ids, scores = predictions["id"], score_columns(predictions)
    unknown = ids[predictions[scores].isna().any(axis=1)]
    doubled = catalog["id"][catalog["id"].duplicated()]
    heads = dict.fromkeys(split_column(name)[0] for name in scores)
    yield from (f"id {name!r} stands in the predictions more than once" for name in ids[ids.duplicated()].unique())
    yield from (f"id {name!r} is not in the catalog" for name in ids[~ids.isin(catalog["id"])])
    yield from (f"id {name!r} has a probability that is no number" for name in unknown)
    yield from (f"id {name!r} stands in the catalog more than once" for name in doubled.unique())
    yield from (f"the catalog has no column {name!r}" for name in heads if name not in catalog.columns)


# Photos and rows ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Asked:
    """Predictions of photos or rows, with their rows of the catalog and the photo of each, in the same order."""

    table: pd.DataFrame
    truth: pd.DataFrame
    photos: np.ndarray


def _of_photos(predictions, catalog, heads):
    """One row a photo: mean answers, and the labels of the row that they are named by; of a label that this row does
    not have, the first one that another row of the photo in the catalog has."""
    averaged = average_photos(predictions)
    truth = catalog.set_index("id").loc[averaged["id"]]
    columns = [name for head in heads for name in (head.name, f"{SUB}{head.name}") if name in truth.columns]
    labels = catalog[columns].where(catalog[columns] != NOT_ANNOTATED)
    first = labels.groupby(catalog["photo"], sort=False).first().fillna(NOT_ANNOTATED).loc[truth["photo"]]
    first.index = truth.index
    truth[columns] = truth[columns].where(truth[columns] != NOT_ANNOTATED, first)
    return _Asked(averaged, truth, averaged["photo"].to_numpy())


def _judged(head, asked, by_row):
    labels = asked.truth[head.name].to_numpy()
    known = np.flatnonzero(head.known(labels))
    groups = np.where(asked.truth["group"] == "", asked.photos, asked.truth["group"].to_numpy())
    second = np.full(len(labels), NOT_ANNOTATED, object)
    if f"{SUB}{head.name}" in asked.truth.columns:
        second = asked.truth[f"{SUB}{head.name}"].to_numpy()
    actual = head.encode(labels[known]).astype(int)
    scores = head_scores(asked.table, head)
    ids = asked.table["id"].to_numpy()
    return Judged(head, ids[known], groups[known], actual, scores[known], second[known], by_row)
