"""Whether one table of predictions is better than another on the same photos, or only luckier: paired tests."""

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from kfashion_utils.errors import refuse
from kfashion_utils.evaluation.counts import scores_of, tally, total
from kfashion_utils.evaluation.intervals import DRAWS, LEVEL, SEED, bootstrap, interval
from kfashion_utils.evaluation.judgement import judge_heads
from kfashion_utils.tables.predictions import prediction_heads, score_columns

COMPARED = ("accuracy", "balanced_accuracy")


def compare_predictions(first, second, catalog, *, rows=False, draws=DRAWS, level=LEVEL, seed=SEED):
    """Two predictions tables of the same photos, paired: how much better the second is, and how sure that is.

    Args:
        first, second: predictions tables with the same ids and classes, in any row order.
        catalog, rows: as in `evaluate`.
        draws, level, seed: of the bootstrap, as in `score_intervals`; both tables are judged on the same drawn groups.

    Returns:
        DataFrame, one row a head and figure (`accuracy`, `balanced_accuracy`): `head, figure, n, groups, first, second,
        difference` (second − first), `low, high` (of the difference), `only_first, only_second` (photos that only this
        table has right), `p, test`. The p-value of accuracy is McNemar's exact one (binomial over the photos on which
        the two differ), which counts photos as independent; where groups are large, trust the interval. That of
        balanced accuracy is twice the share of drawn samples on the far side of 0.

    Raises:
        InputError: ids, photos or classes of the two tables differ; as `evaluate`.
    """
    second = _paired(first, second)
    heads = prediction_heads(first)
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
    scores = [score_columns(table) for table in (first, second)]
    if scores[0] != scores[1]:
        differing = sorted(set(scores[0]) ^ set(scores[1])) or ["their order"]
        problems.append(f"the classes differ: {', '.join(differing[:5])}")
    if not problems:
        second = second.set_index("id", drop=False).loc[first["id"]].reset_index(drop=True)
        moved = first["id"].to_numpy()[first["photo"].to_numpy() != second["photo"].to_numpy()]
        problems = [f"id {name!r} belongs to another photo in the second table" for name in moved]
    refuse("the two tables cannot be compared; predict the same rows of one catalog with both", problems)
    return second


def _compared(one, other, draws, level, seed):
    counts = {f"1 {name}": values for name, values in tally(one).items()}
    counts |= {f"2 {name}": values for name, values in tally(other).items()}
    values = _scores(total(counts))
    samples = bootstrap(counts, one.groups, _scores, draws=draws, seed=seed)
    only = int((one.right & ~other.right).sum()), int((other.right & ~one.right).sum())
    facts = {"n": len(one), "groups": len(np.unique(one.groups.astype(str)))}
    for figure in COMPARED:
        first, second = values[figure][0]
        difference = samples[figure][:, 1] - samples[figure][:, 0]
        low, high = interval(difference, second - first, level) if difference.any() else (0.0, 0.0)
        p, test = _tested(figure, only, difference)
        yield {
            "head": one.head.name,
            "figure": figure,
            **facts,
            "first": first,
            "second": second,
            "difference": second - first,
            "low": float(low),
            "high": float(high),
            "only_first": only[0],
            "only_second": only[1],
            "p": p,
            "test": test,
        }


def _tested(figure, only, difference):
    """(p-value, name of the test) of one figure."""
    if figure == "accuracy":
        return mcnemar(*only), "McNemar, exact"
    return _share_beyond(difference), "bootstrap over groups"


def _scores(sums):
    """{figure: `(d, 2)`} of the sums of both tables."""
    both = []
    for mark in ("1 ", "2 "):
        own = {name.removeprefix(mark): part for name, part in sums.items() if name.startswith(mark)}
        both.append(scores_of(own))
    return {figure: np.stack([scores[figure] for scores in both], axis=1) for figure in COMPARED}


def mcnemar(only_first, only_second):
    """Two-sided exact p-value of McNemar's test: the chance of a split as uneven as this of photos that only one of two
    has right."""
    return float(binomtest(only_first, only_first + only_second, 0.5).pvalue) if only_first + only_second else 1.0


def _share_beyond(difference):
    below, above = ((difference <= 0).sum() + 1, (difference >= 0).sum() + 1)
    return float(min(1.0, 2 * min(below, above) / (len(difference) + 1)))
