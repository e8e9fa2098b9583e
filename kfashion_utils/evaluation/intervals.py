"""How sure a figure is: intervals by the bootstrap over groups, in the natural and in a balanced class mix, with and
without near-duplicates.

Photos of one look, person or original are one piece of evidence, so whole groups are drawn with replacement (Davison &
Hinkley 1997, 3.8) and an interval lies between the quantiles of the figures of such samples. Drawing single photos
would give intervals that are too narrow.
"""

import warnings

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from kfashion_utils.errors import InputError, refuse
from kfashion_utils.evaluation.counts import BALANCED, class_shares, scores_of, tally, total
from kfashion_utils.evaluation.judgement import find_judged, judge_heads
from kfashion_utils.tables.spelling import Speller

DRAWS, LEVEL, SEED = 1000, 0.95, 0
MEMORY = 2**23  # numbers that are held at once while drawing


def score_intervals(predictions, catalog, *, rows=False, near=(), draws=DRAWS, level=LEVEL, seed=SEED):
    """Every figure with its interval, in the natural class mix beside a balanced one, and without residual
    near-duplicates.

    Args:
        predictions, catalog, rows: as in `evaluate`.
        near: pairs of ids that show nearly the same (a list, or a table whose first two columns they are, such as an
            audit's pairs), or single ids of judged rows. A photo counts as seen in training if pairs lead from it to a
            row that is not judged here and is `train` in the catalog or not in it. Empty = unknown or none.
        draws: samples of groups.
        level: share of samples that an interval holds.
        seed: of the draws.

    Returns:
        DataFrame, one row a head, set of photos and figure: `head, photos` (`all`, and where `near` is given `without
            near-duplicates` and
        `near-duplicates`), `n, groups, figure` (`accuracy`, `top3`, `parent_accuracy`, `macro_f1`), `natural, low,
        high`: of the photos as they come, as `evaluate` says; `balanced, balanced_low, balanced_high`: re-weighted
        until every class counts the same. For accuracy that is the balanced accuracy: what accuracy would be, were
        every class as frequent, with these answers (`predict(prior="uniform")` also tells the model so). For heads with
        several labels it is the mean of recall and specificity. NaN = does not apply, or the interval is unknown
        because all samples agree; where a share is 0 or 1 in every group, the exact binomial bound for that many groups
        stands instead.

    Raises:
        InputError: as `evaluate`; `draws` or `level` out of range; no judged photo is named in `near`.
    """
    _require_settings(draws, level)
    judged = judge_heads(predictions, catalog, rows=rows)
    seen = _seen_in_training(near, predictions, catalog)
    lines = []
    for head in judged:
        for photos, chosen in _subsets(head, predictions, seen):
            lines += _score_rows(head.only(chosen), photos, draws, level, seed)
    return pd.DataFrame(lines)


def figure_intervals(table):
    """{head: {figure: (low, high)}} of a table of `score_intervals`, all photos: what `describe` takes."""
    found = {}
    for row in table[table["photos"] == "all"].to_dict("records"):
        head = found.setdefault(row["head"], {})
        head[row["figure"]] = row["low"], row["high"]
        if row["figure"] == "accuracy":
            head["balanced_accuracy"] = row["balanced_low"], row["balanced_high"]
    return found


def class_intervals(predictions, catalog, head=None, *, rows=False, draws=DRAWS, level=LEVEL, seed=SEED):
    """One row a class of one head: how often it is found, how often an answer of it is right, each with its interval.

    Args:
        head: its name; None = the first one of the predictions.
        predictions, catalog, rows, draws, level, seed: as in `score_intervals`.

    Returns:
        DataFrame `class, parent, n` (true photos), `groups` (that they are of), `answered, recall, recall_low,
        recall_high, precision, precision_low, precision_high, f1, f1_low, f1_high`; NaN where a share has nothing below
        it or the interval is unknown.

    Raises:
        InputError: as `score_intervals`; no such head, or no photo annotated for it.
    """
    _require_settings(draws, level)
    judged = find_judged(judge_heads(predictions, catalog, rows=rows), head)
    counts = tally(judged)
    groups = {
        "recall": _group_counts(judged, judged.actual),
        "precision": _group_counts(judged, judged.answered),
        "f1": None,
    }
    sums = total(counts)
    samples = bootstrap(counts, judged.groups, class_shares, draws=draws, seed=seed)
    parents = judged.head.parents or ("",) * len(judged.head.classes)
    table = {
        "class": judged.head.classes,
        "parent": parents,
        "n": sums["support"][0].astype(int),
        "groups": groups["recall"],
        "answered": sums["answered"][0].astype(int),
    }
    for name, value in class_shares(sums).items():
        low, high = interval(samples[name], value[0], level, groups[name])
        table |= {name: value[0], f"{name}_low": low, f"{name}_high": high}
    return pd.DataFrame(table)


# Bootstrap ------------------------------------------------------------------------------------------------------------


def bootstrap(counts, groups, figures, *, draws=DRAWS, seed=SEED):
    """Figures of samples of whole groups, drawn with replacement, as many as there are.

    Args:
        counts: {name: `(n, k)`, array or sparse}: what each photo adds.
        groups: n names.
        figures: function {name: sums `(d, k)`} -> {figure: `(d, …)`}.
        draws: samples.
        seed: of the draws; the order of the photos does not matter.

    Returns:
        {figure: float `(draws, …)`}.
    """
    names, codes = np.unique(np.asarray(groups, str), return_inverse=True)
    members = sparse.csr_array((np.ones(len(codes)), (codes, np.arange(len(codes)))), shape=(len(names), len(codes)))
    sums = {name: members @ sparse.csr_array(values) for name, values in counts.items()}
    rng, found = np.random.default_rng(seed), []
    chunk = max(1, MEMORY // (len(names) + sum(values.shape[1] for values in sums.values())))
    for start in range(0, draws, chunk):
        times = _drawn(rng, min(chunk, draws - start), len(names))
        found.append(figures({name: times @ values for name, values in sums.items()}))
    return {name: np.concatenate([part[name] for part in found]) for name in found[0]}


def _drawn(rng, draws, count):
    """How often each of `count` groups is in each sample, float `(draws, count)`."""
    places = rng.integers(0, count, (draws, count)) + count * np.arange(draws)[:, None]
    return np.bincount(places.ravel(), minlength=draws * count).reshape(draws, count).astype(float)


def interval(samples, value, level=LEVEL, groups=None):
    """(low, high), float `(…,)` each: quantiles of `samples` `(draws, …)`; NaN where all samples agree.

    Args:
        value: the figure itself, `(…,)`.
        groups: of how many groups a plain share is, `(…,)`: where it is 0 or 1 the exact (Clopper-Pearson) bound for
            that many stands, since samples of what all agrees cannot tell 3 of 3 from 300 of 300. None = the figure is
            no plain share.
    """
    tail = (1 - level) / 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a class without any photo is NaN in every sample
        low, high = np.nanquantile(samples, [tail, 1 - tail], axis=0)
    low, high = np.where(high > low, (low, high), np.nan)
    if groups is not None:
        bound = tail ** (1 / np.maximum(groups, 1))
        low, high = (
            np.where(value == 1, bound, np.where(value == 0, 0.0, low)),
            np.where(value == 0, 1 - bound, np.where(value == 1, 1.0, high)),
        )
    return low, high


# Rows of the table ----------------------------------------------------------------------------------------------------


def _score_rows(judged, photos, draws, level, seed):
    count = len(np.unique(judged.groups.astype(str)))
    head = {"head": judged.head.name, "photos": photos, "n": len(judged), "groups": count}
    if not len(judged):
        return [
            {
                **head,
                "figure": "accuracy",
                **dict.fromkeys(["natural", "low", "high", "balanced", "balanced_low", "balanced_high"], np.nan),
            }
        ]
    counts = tally(judged)
    values = scores_of(total(counts))
    samples = bootstrap(counts, judged.groups, scores_of, draws=draws, seed=seed)
    lines = []
    for figure in ("accuracy", "top3", "parent_accuracy", "macro_f1"):
        if figure not in values:
            continue
        low, high = interval(samples[figure], values[figure][0], level, None if figure == "macro_f1" else count)
        line = {**head, "figure": figure, "natural": values[figure][0], "low": float(low), "high": float(high)}
        balanced = BALANCED.get(figure)
        low, high = interval(samples[balanced], values[balanced][0], level) if balanced else (np.nan, np.nan)
        lines.append(
            line
            | {
                "balanced": values[balanced][0] if balanced else np.nan,
                "balanced_low": float(low),
                "balanced_high": float(high),
            }
        )
    return lines


def _subsets(judged, predictions, seen):
    """(name, boolean `(n,)`) of the sets of photos that are judged; `seen` ids, None = not asked."""
    yield "all", np.ones(len(judged), bool)
    if seen is not None:
        photos = predictions["photo"][predictions["id"].isin(seen)]  # one row of a photo is enough
        near = np.isin(judged.ids.astype(str), predictions["id"][predictions["photo"].isin(photos)].to_numpy(str))
        yield "without near-duplicates", ~near
        yield "near-duplicates", near


def _seen_in_training(near, predictions, catalog):
    """Ids of the judged rows that have a near-duplicate in training, a set; None where nothing is named."""
    near = _spelled_pairs(near, Speller({*predictions["id"], *catalog["id"]}))
    pairs = [pair for pair in near if not isinstance(pair, str)]
    named = {str(name) for pair in near for name in ([pair] if isinstance(pair, str) else pair)}
    if not named:
        return None
    judged = set(predictions["id"])
    if not named & judged:
        raise InputError(
            f"none of {len(named):,} ids of near-duplicates is in the predictions (for example {min(named)!r}); "
            "give pairs of ids of the same catalog"
        )
    names = sorted(named)
    place = {name: number for number, name in enumerate(names)}
    ends = np.array([[place[str(name)] for name in pair] for pair in pairs], int).reshape(-1, 2)
    links = sparse.coo_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(len(names), len(names)))
    _, part = connected_components(links, directed=False)
    learned = set(
        part[[place[name] for name in named - judged - set(catalog["id"][catalog["split"] != "train"])]].tolist()
    )
    singles = {name for name in near if isinstance(name, str)}
    return {name for name in names if name in judged and (name in singles or part[place[name]] in learned)}


def _spelled_pairs(near, spell):
    """Pairs of ids, or single ones, as a list, spelled as the ids that they name: `2`, where an empty cell made `2.0`
    of it; a pair with an empty side is refused."""
    if isinstance(near, pd.DataFrame):
        near = near.iloc[:, :2].astype(object).where(near.iloc[:, :2].notna(), "").to_numpy(object).tolist()
    near = [spell(one) if isinstance(one, str) else [spell(str(name)) for name in one] for one in near]
    halves = [f"row {row}: {pair}" for row, pair in enumerate(near, 2) if not isinstance(pair, str) and "" in pair]
    refuse("near-duplicates are pairs of ids, and one of a pair is missing", halves)
    return near


def _group_counts(judged, chosen):
    """Of how many groups the photos of each class are: `chosen` 0/1 `(n, classes)` -> int `(classes,)`."""
    _, codes = np.unique(judged.groups.astype(str), return_inverse=True)
    return np.array([len(np.unique(codes[column > 0])) for column in chosen.T])


def _require_settings(draws, level):
    if draws < 1 or not 0 < level < 1:
        raise InputError(
            f"draws={draws}, level={level}: expected 1 draw or more (1,000 are usual) and a level between 0 and 1"
        )
