"""Whether a head's probabilities mean what they say, before and after temperature scaling."""

from html import escape

import numpy as np
import pandas as pd

from kfashion_utils.errors import InputError
from kfashion_utils.evaluation.calibration import BINS, calibrate, calibration_scores, temper
from kfashion_utils.plots.curves import plot_reliability
from kfashion_utils.reports.page import element, figure, lines, section, table
from kfashion_utils.reports.wording import beside_title

SEED = 0  # of the two halves of the groups
IN_A_BIN = 20  # answers: with fewer a reliability curve shows luck
COLUMNS = {"ece": "ECE (0 is best)", "confidence": "how sure", "accuracy": "how right", "log_loss": "log loss"}


def calibration(parts, head):
    """The section on whether probabilities mean what they say."""
    if head.name not in parts.judged:
        return ""
    answers = parts.averaged(head)
    text = f"On the diagonal an answer given with 0.8 is right in 8 of 10 {parts.unit(head)}."
    try:
        after, temperatures = cross_temper(answers, parts.catalog)
        text += f" {_explained(temperatures, parts.unit(head))}"
    except InputError as error:
        after = None
        text += f" No temperature could be fitted: {escape(str(error))}"
    bins = int(np.clip(parts.judged[head.name]["n"] // IN_A_BIN, 3, BINS))
    drawn = plot_reliability(answers, parts.catalog, head.name, after=after, bins=bins)
    content = lines(element("p", text), _errors(answers, after, parts.catalog, bins), figure(drawn, "Reliability"))
    return section(f"How sure may one be?{beside_title(parts.run.task, head)}", content)


def _explained(temperatures, unit):
    fitted = " and ".join(f"{value:.2f}" for value in temperatures)
    return (
        f"Dividing log-probabilities by one number, the temperature ({fitted}; above 1 = it was too sure), changes no "
        "answer. The groups were cut into two halves, and each half was given the temperature fitted on the other: "
        f"so it is judged on {unit} that it was not fitted to."
    )


def cross_temper(predictions, catalog, seed=SEED):
    """Predictions of one head with a temperature fitted on other groups: each half of the groups is given that of the
    other half.

    Args:
        predictions: table of one head, one row a photo, or one row a row for a head that is judged by row.
        catalog: table with the truth.
        seed: of the halves.

    Returns:
        (predictions in the same order, the two temperatures).

    Raises:
        InputError: one group, or a half whose photos all have the same label.
    """
    groups = catalog.drop_duplicates("id").set_index("id")["group"].loc[predictions["id"]].to_numpy(str)
    names = np.random.default_rng(seed).permutation(np.unique(groups))
    if len(names) < 2:
        raise InputError(
            "all photos are of one group, and a temperature is judged on other groups than those it is fitted to"
        )
    in_first = np.isin(groups, names[: len(names) // 2])
    first, second = predictions[in_first], predictions[~in_first]
    of_first, of_second = calibrate(first, catalog), calibrate(second, catalog)
    tempered = pd.concat([temper(first, of_second), temper(second, of_first)]).sort_index()
    return tempered, [next(iter(fitted.values())) for fitted in (of_second, of_first)]


def _errors(before, after, catalog, bins):
    tables = {"as predicted": before} if after is None else {"as predicted": before, "with a temperature": after}
    rows = []
    for name, predictions in tables.items():
        scores = calibration_scores(predictions, catalog, bins=bins).iloc[0]
        rows.append((name, *(f"{scores[column]:.3f}" for column in COLUMNS)))
    return table(("probabilities", *COLUMNS.values()), rows)
