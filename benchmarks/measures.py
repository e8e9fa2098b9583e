"""What the benchmarks of learning share: where the real data is, intervals over seeds, paired differences."""

import os
from pathlib import Path

import numpy as np

DATA = Path(os.environ.get("KFASHION_DATA", "../shared/data"))
WEIGHTS = str(DATA / "weights/mobilenet_2_5_224_tf_no_top.h5")


def interval(values):
    """`mean ± half a 95 % interval` over seeds (Student's t)."""
    values = np.asarray(values, float)
    if len(values) < 2:
        return f"{values.mean():.3f}"
    from scipy.stats import t

    half = t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / len(values) ** 0.5
    return f"{values.mean():.3f} ± {half:.3f}"


def paired_difference(better, worse, catalog, draws=2000):
    """(low, mean, high) of the difference in accuracy of two lists of predictions, one a seed: bootstrap over groups,
    seeds averaged."""
    truth = catalog.set_index("id")
    difference = _mean_right(better, truth) - _mean_right(worse, truth)
    groups = truth["group"].where(truth["group"] != "", truth.index.to_series())
    codes = groups.astype("category").cat.codes.to_numpy()
    sums, counts = np.bincount(codes, difference), np.bincount(codes)
    chosen = np.random.default_rng(0).integers(0, len(sums), (draws, len(sums)))
    means = sums[chosen].sum(axis=1) / counts[chosen].sum(axis=1)
    return np.quantile(means, 0.025), difference.mean(), np.quantile(means, 0.975)


def _mean_right(tables, truth):
    """In what share of the tables each photograph of `truth` is answered rightly, float `(n,)`."""
    answers = [table.set_index("id").loc[truth.index, "style"] for table in tables]
    return np.mean([(answer == truth["style"]).to_numpy(float) for answer in answers], axis=0)
