"""Whether one table of predictions is better than another on the same photos, or only luckier: paired tests."""

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from kfashion_utils.errors import refuse
from kfashion_utils.evaluation.figures import judge_heads
from kfashion_utils.evaluation.intervals import DRAWS, LEVEL, SEED, bootstrap, interval, scores_of, tally
from kfashion_utils.tables.labels import Head
from kfashion_utils.tables.predictions import prediction_heads

COMPARED = ("accuracy", "balanced_accuracy")


def compare_predictions(first, second, catalog, *, rows=False, draws=DRAWS, level=LEVEL, seed=SEED):
    """Two predictions tables of the same photos, paired: how much better the second is, and how sure that is.

    Args:
        first, second: predictions tables with the same ids and classes, in any row order.
        catalog, rows: as in `evaluate`.
        draws, level, seed: of the bootstrap, as in `score_intervals`; both tables are judged on the same drawn groups.

    Returns:
        DataFrame, one row a head and figure (`accuracy`, `balanced_accuracy`): `head, figure, n, groups, first, second, difference` (second −
        first), `low, high` (of the difference), `only_first, only_second` (photos that only this table has right), `p, test`. The p-value of
        accuracy is McNemar's exact one (binomial over the photos on which the two differ), which counts photos as independent; where groups
        are large, trust the interval. That of balanced accuracy is twice the share of drawn samples on the far side of 0.

    Raises:
        InputError: ids, photos or classes of the two tables differ; as `evaluate`.
    """
    second = _paired(first, second)
    heads = [_common(one, other) for one, other in zip(prediction_heads(first), prediction_heads(second), strict=True)]
    pairs = zip(*(judge_heads(table, catalog, rows=rows, heads=heads) for table in (first, second)), strict=True)
    lines = [line for one, other in pairs if len(one) for line in _compared(one, other, draws, level, seed)]
    return pd.DataFrame(lines)


def _paired(first, second):
    """The second table in the row order of the first."""
    problems = []
    for these, those, name in ((first, second, "second"), (second, first, "first")):
        lacking = these["id"][~these["id"].isin(those["id"])]
        if len(lacking):
            problems.append(f"{len(lacking):,} ids are not in the {name} table, for example {lacking.iloc[0]!r}")
        doubled = those["id"][those["id"].duplicated()]
        if len(doubled):
            problems.append(f"id {doubled.iloc[0]!r} stands in the {name} table more than once")
    scores = [[name for name in table.columns if ":" in name] for table in (first, second)]
    if scores[0] != scores[1]:
        differing = sorted(set(scores[0]) ^ set(scores[1])) or ["their order"]
        problems.append(f"the classes differ: {', '.join(differing[:5])}")
    if not problems:
        second = second.set_index("id", drop=False).loc[first["id"]].reset_index(drop=True)
        moved = first["id"].to_numpy()[first["photo"].to_numpy() != second["photo"].to_numpy()]
        problems = [f"id {name!r} belongs to another photo in the second table" for name in moved]
    refuse("the two tables cannot be compared; predict the same rows of one catalog with both", problems)
    return second


def _common(one, other):
    return Head(one.name, one.classes, multi=one.multi or other.multi, parents=one.parents)


def _compared(one, other, draws, level, seed):
    counts = {
        **{f"1 {name}": values for name, values in tally(one).items()},
        **{f"2 {name}": values for name, values in tally(other).items()},
    }
    values = _scores({name: np.asarray(part.sum(axis=0)).reshape(1, -1) for name, part in counts.items()})
    samples = bootstrap(counts, one.groups, _scores, draws=draws, seed=seed)
    right = [(judged.actual == judged.answered).all(axis=1) for judged in (one, other)]
    only = int((right[0] & ~right[1]).sum()), int((right[1] & ~right[0]).sum())
    facts = {"n": len(one), "groups": len(np.unique(one.groups.astype(str)))}
    for figure in COMPARED:
        pair, difference = values[figure][0], samples[figure][:, 1] - samples[figure][:, 0]
        line = {
            "head": one.head.name,
            "figure": figure,
            **facts,
            "first": pair[0],
            "second": pair[1],
            "difference": pair[1] - pair[0],
        }
        low, high = interval(difference, pair[1] - pair[0], level) if difference.any() else (0.0, 0.0)
        p, test = (
            (mcnemar(*only), "McNemar, exact")
            if figure == "accuracy"
            else (_share_beyond(difference), "bootstrap over groups")
        )
        yield line | {
            "low": float(low),
            "high": float(high),
            "only_first": only[0],
            "only_second": only[1],
            "p": p,
            "test": test,
        }


def _scores(sums):
    """{figure: `(d, 2)`} of the sums of both tables."""
    both = [
        scores_of({name[2:]: part for name, part in sums.items() if name.startswith(mark)}) for mark in ("1 ", "2 ")
    ]
    return {figure: np.stack([scores[figure] for scores in both], axis=1) for figure in COMPARED}


def mcnemar(only_first, only_second):
    """Two-sided exact p-value of McNemar's test: the chance of a split as uneven as this of photos that only one of two has right."""
    return float(binomtest(only_first, only_first + only_second, 0.5).pvalue) if only_first + only_second else 1.0


def _share_beyond(difference):
    below, above = ((difference <= 0).sum() + 1, (difference >= 0).sum() + 1)
    return float(min(1.0, 2 * min(below, above) / (len(difference) + 1)))
