"""What the classes weigh: their shares, the mix that a balanced model assumes, and the weights that lead there."""

import numpy as np

LEAST_SHARE = 1e-6  # of a class


def class_shares(task, labels):
    """{head: shares float `(classes,)`} of the annotated rows of flat labels; for a multi-label head the share of rows
    that have each."""
    known = task.annotated(labels)
    blocks = task.split(np.nan_to_num(labels))
    shares = {}
    for number, head in enumerate(task.heads):
        counted = (blocks[head.name] * known[:, [number]]).sum(axis=0)
        shares[head.name] = counted / max(known[:, number].sum(), 1)
    return shares


def model_prior(head, shares, balance):
    """The class mix that a model's answers assume, given the training shares and how they were balanced.

    `none` keeps the training mix, `sqrt` its square root, `full` and `logit` leave every class equal (for a multi-label
    head: even odds).
    """
    if balance == "none":
        return shares
    if head.multi:
        odds = shares / np.maximum(1 - shares, LEAST_SHARE)
        odds = np.sqrt(odds) if balance == "sqrt" else np.ones_like(odds) * (shares > 0)
        return odds / (1 + odds)
    weights = np.sqrt(shares) if balance == "sqrt" else (shares > 0).astype(float)
    return weights / weights.sum()


def row_weights(targets, balance, several=False):
    """Weights that bring the classes to their `model_prior`, float32: `(n, 1)`, 1 on average, where classes exclude
    each other; `(n, classes)` where each row has `several`."""
    if balance in ("none", "logit"):
        return np.ones((len(targets), 1), np.float32)
    share = shares_of(targets)
    power = 0.5 if balance == "sqrt" else 1.0
    if several:
        return np.where(targets > 0.5, (0.5 / share) ** power, (0.5 / (1 - share)) ** power).astype(np.float32)
    weights = targets @ share**-power
    return (weights / weights.mean())[:, None].astype(np.float32)


def shares_of(targets):
    """Shares of the classes in encoded labels `(n, classes)`, none of them 0 or 1."""
    return targets.mean(axis=0).clip(LEAST_SHARE, 1 - LEAST_SHARE)
