"""Whether a probability of 0.8 is right in 8 of 10 photos, and temperature scaling, which mends it without changing any
answer.

Fit a temperature on rows that the reported figures are not of: on one half of the validation rows, or out of fold.
"""

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar

from kfashion_utils.errors import InputError, refuse
from kfashion_utils.evaluation.judgement import find_judged, judge_heads
from kfashion_utils.tables.predictions import (
    head_scores,
    prediction_heads,
    provenance,
    with_facts_of,
    with_provenance,
)

LOWEST, HIGHEST = 0.05, 20.0  # temperatures looked at
SMALLEST = 1e-12  # a probability of 0 is read as this
BINS = 15  # as in Guo et al.
WAYS = ("mass", "width")


def calibrate(predictions, catalog, *, rows=False):
    """The temperature of each head at which its probabilities fit the truth best (Guo et al., ICML 2017; there on
    logits, here on log-probabilities, which softmax cannot tell apart).

    Args:
        predictions, catalog, rows: as in `evaluate`; fit on the kind of rows (photos, or single rows) that `temper`
            will be given.

    Returns:
        {head: temperature}, 0.05..20, by the least log-loss: above 1 = it was too sure, below 1 = not sure enough.
        Heads with fewer than two classes among their true labels are left out: nothing could be fitted.

    Raises:
        InputError: as `evaluate`; no head with two classes.
    """
    found = {}
    for judged in judge_heads(predictions, catalog, rows=rows):
        sums = judged.actual.sum(axis=0)
        if ((sums > 0) & (sums < len(judged))).any():  # a class that some have and some have not
            found[judged.head.name] = _best_temperature(judged)
    if not found:
        raise InputError(
            "every annotated photo has the same label, so no temperature can be fitted; "
            "give rows of two classes or more"
        )
    return found


def _best_temperature(judged):
    log_odds = _log_odds(judged.head, judged.scores)

    def loss(log_temperature):
        return judged.head.log_losses(judged.actual, log_odds / np.exp(log_temperature)).mean()

    bounds = np.log(LOWEST), np.log(HIGHEST)
    return float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-6}).x))


def _log_odds(head, scores):
    return head.log_odds(scores, SMALLEST)


def temper(predictions, temperatures):
    """Predictions with each head's log-probabilities (log-odds, for several labels) divided by its temperature; the
    answers stay the same.

    Args:
        predictions: table.
        temperatures: {head: more than 0}, of `calibrate`; heads left out stay as they are.

    Returns:
        A new table; `attrs["provenance"]`, where there is one, says the temperatures.

    Raises:
        InputError: a head that the predictions lack, a temperature that is no number above 0.
    """
    heads = {head.name: head for head in prediction_heads(predictions)}
    problems = [
        f"no head {name!r} in the predictions; they have {list(heads)}" for name in temperatures if name not in heads
    ]
    problems += [
        f"head {name!r}: temperature {value!r}, expected a number above 0"
        for name, value in temperatures.items()
        if not 0 < value < np.inf
    ]
    refuse("the temperatures do not fit", problems)
    result = with_facts_of(predictions.copy(), predictions)
    for name, temperature in temperatures.items():
        head = heads[name]
        result[head.columns] = _tempered(head, head_scores(predictions, head), temperature)
    facts = provenance(predictions)
    return with_provenance(result, {**facts, "temperatures": dict(temperatures)}) if facts else result


def _tempered(head, scores, temperature):
    tempered = head.probabilities(_log_odds(head, scores) / temperature)
    if head.multi:
        same = head.answered(tempered) == head.answered(scores)
        return np.where(same, tempered, scores)  # within rounding of one half
    best = scores.argmax(axis=1)
    tied = np.flatnonzero(tempered.argmax(axis=1) != best)  # two scores within rounding of each other
    tempered[tied, best[tied]] = np.nextafter(tempered[tied].max(axis=1), 2)
    return tempered


# Figures --------------------------------------------------------------------------------------------------------------


def reliability(predictions, catalog, head=None, *, bins=BINS, equal="mass", rows=False):
    """The reliability curve of a head: how often answers are right, by how sure they are.

    Args:
        predictions, catalog, rows: as in `evaluate`.
        head: its name; None = the first one of the predictions.
        bins: at most that many.
        equal: `mass` = bins of equally many answers (Nixon et al. 2019; steadier where there are few photos; equal
            confidences share a bin), `width` = bins of equal width, as in Guo et al.

    Returns:
        DataFrame, one row a bin with answers: `low, high` (edges), `n, confidence` (its mean), `accuracy`. Confidence
            is the probability of
        the answer; of a head with several labels every class of every photo is an answer, its probability that the
        class applies.

    Raises:
        InputError: as `evaluate`; no such head, unknown `equal`, no bins.
    """
    judged = find_judged(judge_heads(predictions, catalog, rows=rows), head)
    confidence, right = judged.head.decisions(judged.scores, judged.actual)
    return _binned(confidence, right, bins, equal)


def calibration_scores(predictions, catalog, *, bins=BINS, equal="mass", rows=False):
    """How well probabilities fit the truth, one row a head.

    Args:
        predictions, catalog, bins, equal, rows: as in `reliability`.

    Returns:
        DataFrame `head, n, accuracy, confidence` (means over answers), `ece` (expected calibration error: the mean
        distance between accuracy and confidence over bins, weighted by their answers; 0 is best), `log_loss` (nats) and
        `brier` (mean squared distance of probabilities from 0 and 1, summed over classes; 0..2, for several labels the
        mean over classes).
    """
    lines = []
    for judged in judge_heads(predictions, catalog, rows=rows):
        if not len(judged):
            continue
        confidence, right = judged.head.decisions(judged.scores, judged.actual)
        table = _binned(confidence, right, bins, equal)
        ece = float((table["n"] * (table["accuracy"] - table["confidence"]).abs()).sum() / len(right))
        squares = (judged.scores - judged.actual) ** 2
        losses = judged.head.log_losses(judged.actual, _log_odds(judged.head, judged.scores))
        lines.append(
            {
                "head": judged.head.name,
                "n": len(judged),
                "accuracy": right.mean(),
                "confidence": confidence.mean(),
                "ece": ece,
                "log_loss": float(losses.mean()),
                "brier": float(judged.head.over_classes(squares).mean()),
            }
        )
    return pd.DataFrame(lines)


def _binned(confidence, right, bins, equal):
    if equal not in WAYS or bins < 1:
        raise InputError(f"bins={bins}, equal={equal!r}: expected 1 bin or more, and one of {WAYS}")
    inner = np.linspace(0, 1, bins + 1)[1:-1]
    edges = np.unique(np.quantile(confidence, inner)) if equal == "mass" else inner
    places = np.searchsorted(edges, confidence, side="right")
    bounds = np.concatenate([[0.0], edges, [1.0]])
    table = (
        pd.DataFrame({"place": places, "confidence": confidence, "accuracy": right})
        .groupby("place")
        .agg(n=("accuracy", "size"), confidence=("confidence", "mean"), accuracy=("accuracy", "mean"))
    )
    table.insert(0, "low", bounds[table.index])
    table.insert(1, "high", bounds[table.index + 1])
    return table.reset_index(drop=True)
