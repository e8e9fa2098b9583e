"""What a network is told to lower: a loss over the flat label vector of a `Task`, with one weight a head and row."""

import numpy as np
from keras import ops
from scipy.special import expit, softmax

from kfashion_utils.training.logistic import class_shares, row_weights

FOCUS = 2.0  # exponent of the focal loss (Lin et al., Focal loss for dense object detection, ICCV 2017)
ROBUSTNESS = 0.7  # q of the generalised cross-entropy (Zhang & Sabuncu, NeurIPS 2018): 0 = cross-entropy, 1 = mean absolute error
TINY = 1e-7
TEMPERATURES = np.geomspace(1 / 3, 3, 25)


def task_targets(task, labels, weights=None):
    """What the loss is given: flat labels float32 `(n, num_classes)` without NaN, then one weight column a head.

    Args:
        labels: of `Task.encode`, NaN where not annotated.
        weights: `(n, heads)` factors; None = 1.
    """
    known = task.annotated(labels)
    return np.concatenate([np.nan_to_num(labels), known if weights is None else known * weights], axis=1).astype(
        np.float32
    )


def balanced_targets(task, labels, balance):
    """`task_targets` in which the rows of single-label heads count as `balance` wants it: `sqrt` and `full` are class weights, the others leave them at 1."""
    factors = np.ones((len(labels), len(task.heads)), np.float32)
    for number, head in enumerate(task.heads):
        rows = task.annotated(labels)[:, number] > 0
        if not head.multi and balance in ("sqrt", "full"):
            factors[rows, number] = row_weights(task.split(labels)[head.name][rows], False, balance)[:, 0]
    return task_targets(task, labels, factors)


def drawing_chances(task, labels, balance):
    """float `(n,)`, sum 1: how often each row is drawn for `balance="sample"`; else None.

    A row comes as often as the mean over the single-label heads that are annotated in it of what would make their classes equally frequent, and one that
    none of them knows as often as without balance: a head of few rows does not take the draws of all others.
    """
    if balance != "sample":
        return None
    total, heads = np.zeros(len(labels)), np.zeros(len(labels))
    for number, head in enumerate(task.heads):
        rows = task.annotated(labels)[:, number] > 0
        if not head.multi and rows.any():
            total[rows] += row_weights(task.split(labels)[head.name][rows], False, "full")[:, 0]
            heads[rows] += 1
    chances = np.where(heads > 0, total / np.maximum(heads, 1), 1.0)
    return chances / chances.sum()


def recipe_loss(task, config, labels):
    """`task_loss` as a TrainConfig wants it (`balance`, `loss`, `label_smoothing`, `parent_share`), given all encoded labels of the training."""
    offsets, shares = None, class_shares(task, labels)
    seen = {
        head.name: (shares[head.name] > 0) / max((shares[head.name] > 0).sum(), 1)
        for head in task.heads
        if not head.multi
    }
    if config.balance == "logit":
        shares = {name: share.clip(1e-6, 1 - 1e-6) for name, share in shares.items()}
        offsets = {
            head.name: np.log(shares[head.name]) - np.log1p(-shares[head.name]) * head.multi for head in task.heads
        }
    kind = "focal" if config.balance == "focal" else config.loss
    return task_loss(
        task,
        smoothing=config.label_smoothing,
        spread=seen,
        kind=kind,
        offsets=offsets,
        parent_share=config.parent_share,
    )


def normalised(targets, heads):
    """Targets of a batch whose last `heads` columns, the weights, are scaled by how many rows know the head (one that nobody annotated keeps 0).

    With them the mean of the loss over the batch is each head's weighted sum over its annotated rows by their number, however the batch is cut up for
    several devices. The weights themselves are not brought to a mean of 1: in a batch without rare rows the frequent ones would count in full.
    """
    weights = targets[:, -heads:]
    return np.concatenate(
        [targets[:, :-heads], weights * len(targets) / np.maximum((weights > 0).sum(axis=0), 1)], axis=1
    ).astype(np.float32)


def mix_targets(task, first, second, share):
    """Targets of pictures mixed in shares `share` and `1 - share` `(n, 1)`: their loss is the same mix of the two losses, weights included."""
    share = np.asarray(share, np.float32).reshape(-1, 1)
    mixed = share * first + (1 - share) * second
    for number, head in enumerate(task.heads):
        part, column = task.slices[head.name], task.num_classes + number
        mine, others = share[:, 0] * first[:, column], (1 - share[:, 0]) * second[:, column]
        labels = mine[:, None] * first[:, part] + others[:, None] * second[:, part]
        mixed[:, part] = labels / np.maximum(mine + others, TINY)[:, None]
    return mixed


def task_loss(task, *, smoothing=0.0, spread=None, kind="cross_entropy", offsets=None, parent_share=0.0):
    """Function (targets of `normalised(task_targets(…))`, flat probabilities) -> loss of each row, the weighted sum over heads; float32 `(n,)`.

    Args:
        smoothing: share of every label that is spread over the classes (label smoothing).
        spread: {head: shares `(classes,)`} of what is spread, for single-label heads; None = evenly. A class that never occurs should get none: a solved
            head is right to rule it out.
        kind: `cross_entropy`, `focal`, or `generalized`, which forgives wrong labels.
        offsets: {head: float `(classes,)`} added to the log-odds while learning (Menon et al., Long-tail learning via logit adjustment, ICLR 2021).
        parent_share: weight of the same loss over the parents of a head that has them; the rest is the loss over its classes.
    """
    groups = {
        head.name: head.parent_scores(np.eye(len(head.classes))).astype(np.float32)
        for head in task.heads
        if parent_share and head.parents and not head.multi
    }

    def loss(targets, scores):
        total = 0.0
        for number, head in enumerate(task.heads):
            labels, given = targets[:, task.slices[head.name]], scores[:, task.slices[head.name]]
            if offsets:
                given = _shifted(head, given, offsets[head.name])
            over = (
                0.5
                if head.multi
                else np.asarray(
                    spread[head.name] if spread else np.full(len(head.classes), 1 / len(head.classes)), np.float32
                )
            )
            labels = labels * (1 - smoothing) + smoothing * over
            rows = _loss(head.multi, labels, given, kind)
            if head.name in groups:
                parents = _loss(
                    False, ops.matmul(labels, groups[head.name]), ops.matmul(given, groups[head.name]), kind
                )
                rows = (1 - parent_share) * rows + parent_share * parents
            total += head.weight * rows * targets[:, task.num_classes + number]
        return total

    return loss


def mean_loss(task, targets, scores):
    """Plain cross-entropy of a table of answers: the sum over heads of the mean over annotated rows, a float."""
    given = ops.convert_to_tensor(np.asarray(scores, np.float32))
    return float(ops.mean(task_loss(task)(ops.convert_to_tensor(normalised(targets, len(task.heads))), given)))


def calibrated_loss(task, targets, scores):
    """`mean_loss` at the temperature that makes it lowest: what answers are worth apart from how sure they sound.

    Networks that learned from smoothed or mixed labels are less sure than a solved head; their plain losses cannot be compared (Guo et al., ICML 2017).
    """
    return min(
        mean_loss(task, targets, _tempered(task, np.asarray(scores, float).clip(TINY, 1 - TINY), one))
        for one in TEMPERATURES
    )


def _tempered(task, scores, temperature):
    blocks = []
    for head in task.heads:
        part = np.log(scores[:, task.slices[head.name]])
        if head.multi:
            rest = np.log1p(-scores[:, task.slices[head.name]])
            blocks.append(expit((part - rest) / temperature))
        else:
            blocks.append(softmax(part / temperature, axis=1))
    return np.concatenate(blocks, axis=1)


def _loss(multi, labels, scores, kind):
    rows = ops.sum(labels * _COSTS[kind](ops.clip(scores, TINY, 1 - TINY)), axis=-1)
    if not multi:
        return rows
    return rows + ops.sum((1 - labels) * _COSTS[kind](ops.clip(1 - scores, TINY, 1 - TINY)), axis=-1)


_COSTS = {  # of a class that is true, given its probability
    "cross_entropy": lambda score: -ops.log(score),
    "focal": lambda score: -((1 - score) ** FOCUS) * ops.log(score),
    "generalized": lambda score: (1 - score**ROBUSTNESS) / ROBUSTNESS,
}


def _shifted(head, scores, offsets):
    odds = scores * np.exp(offsets).astype(np.float32)
    rest = 1 - scores if head.multi else 0.0
    whole = odds + rest if head.multi else ops.sum(odds, axis=-1, keepdims=True)
    return odds / ops.maximum(whole, TINY)
