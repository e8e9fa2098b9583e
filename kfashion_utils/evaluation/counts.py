"""What every photo adds to the sums that all figures are made of, and the figures of such sums: one computation for the
figures themselves and for those of bootstrap samples."""

import numpy as np
from scipy import sparse

# figure: the same where every class counts the same
BALANCED = {"accuracy": "balanced_accuracy", "top3": "balanced_top3", "parent_accuracy": "balanced_parents"}
LEAST_CLASSES = 4  # below that the first three answers say nothing


def tally(judged):
    """What every photo of a `Judged` adds to the sums: {name: sparse `(n, 1 or classes)`}.

    `n`, `right` (the whole answer), and of each class `support` (true), `hits` (true and answered), `answered`; where
    classes exclude each other also `top3` and, with parents, `parents`: true photos whose class is among the first
    three answers, or whose parent is the answered one.
    """
    actual, answered, right = judged.actual, judged.answered, judged.right[:, None]
    counts = {
        "n": np.ones_like(right),
        "right": right,
        "support": actual,
        "hits": actual * answered,
        "answered": answered,
    }
    if not judged.head.multi:
        counts["top3"] = actual * _among_first_three(judged)[:, None]
        if judged.head.parents:
            counts["parents"] = actual * _right_parent(judged)[:, None]
    return {name: sparse.csr_array(np.asarray(values, float)) for name, values in counts.items()}


def _among_first_three(judged):
    best = np.argsort(-judged.scores, axis=1, kind="stable")[:, :3]
    return (best == judged.actual.argmax(axis=1)[:, None]).any(axis=1)


def _right_parent(judged):
    parent = np.array(judged.head.parent_numbers)
    return judged.head.parent_scores(judged.scores).argmax(axis=1) == parent[judged.actual.argmax(axis=1)]


def total(counts):
    """The sums over all photos, {name: float `(1, k)`}."""
    return {name: np.asarray(values.sum(axis=0)).reshape(1, -1) for name, values in counts.items()}


def class_shares(sums):
    """{`recall`, `precision`, `f1`: float `(d, classes)`} of sums `(d, classes)`; NaN where a class has no true photo
    or no answer."""
    support, hits, answered = sums["support"], sums["hits"], sums["answered"]
    f1 = np.where(support > 0, ratio(2 * hits, support + answered), np.nan)
    return {"recall": ratio(hits, support), "precision": ratio(hits, answered), "f1": f1}


def scores_of(sums):
    """The figures of sums, {figure: float `(d,)`}: accuracy, macro F1, top-3, parents and the means of all but F1 over
    classes; averages run over classes with true photos."""
    n, support = sums["n"][:, 0], sums["support"]
    shares = class_shares(sums)
    scores = {"accuracy": ratio(sums["right"][:, 0], n), "macro_f1": _mean(shares["f1"])}
    if "top3" not in sums:  # of several labels a class is balanced by those that do not have it
        absent = n[:, None] - support
        specificity = ratio(absent - sums["answered"] + sums["hits"], absent, nothing=0.0)
        return scores | {"balanced_accuracy": _mean((shares["recall"] + specificity) / 2)}
    scores["balanced_accuracy"] = _mean(shares["recall"])
    for name, figure in (("top3", "top3"), ("parents", "parent_accuracy")):
        if name in sums and not (name == "top3" and support.shape[1] < LEAST_CLASSES):
            of_classes = _mean(ratio(sums[name], support))
            scores |= {figure: ratio(sums[name].sum(axis=1), n), BALANCED[figure]: of_classes}
    return scores


def ratio(part, whole, nothing=np.nan):
    """`part / whole`, `nothing` where the whole is 0."""
    return np.divide(part, whole, out=np.full(np.shape(part), nothing, float), where=np.asarray(whole) > 0)


def _mean(values):
    """Mean over the last axis of what is no NaN; NaN where all is."""
    known = ~np.isnan(values)
    return ratio(np.where(known, values, 0).sum(axis=-1), known.sum(axis=-1))
