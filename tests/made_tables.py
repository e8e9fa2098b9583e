"""Predictions tables with catalogs that judge them, made of class numbers."""

import numpy as np
import pandas as pd

from kfashion_utils.tables.catalog import complete_catalog


def case(actual, answers, groups=None, classes=("a", "b", "c", "d"), sure=0.7):
    """Predictions and catalog of class numbers."""
    ids = [f"p{number}" for number in range(len(actual))]
    scores = np.full((len(ids), len(classes)), (1 - sure) / (len(classes) - 1))
    scores[np.arange(len(ids)), answers] = sure
    table = pd.DataFrame(
        {
            "id": ids,
            "photo": ids,
            "label": np.array(classes, object)[answers],
            **{f"label:{name}": scores[:, number] for number, name in enumerate(classes)},
        }
    )
    return table, complete_catalog(
        {"id": ids, "path": "x", "label": np.array(classes, object)[actual], "group": ids if groups is None else groups}
    )


def random_case(rows=2000, seed=0, right=0.7, groups=None):
    rng = np.random.default_rng(seed)
    actual = rng.choice(4, rows, p=[0.6, 0.2, 0.15, 0.05])
    answers = np.where(rng.random(rows) < right, actual, rng.integers(0, 4, rows))
    return case(actual, answers, groups)
