"""What a network is told to lower: a loss over the flat label vector of a `Task`, with one weight a head and row."""

import numpy as np
from keras import ops

from kfashion_utils.training.balance import LEAST_SHARE, class_shares, row_weights

FOCUS = 2.0  # exponent of the focal loss (Lin et al., Focal loss for dense object detection, ICCV 2017)
# q of the generalised cross-entropy (Zhang & Sabuncu, NeurIPS 2018): 0 = cross-entropy, 1 = mean absolute error
ROBUSTNESS = 0.7
TINY = 1e-7
TEMPERATURES = np.geomspace(1 / 3, 3, 25)


def task_targets(task, labels, weights=None):
    """What the loss is given: flat labels float32 `(n, num_classes)` without NaN, then one weight column a head.

    Args:
        labels: of `Task.encode`, NaN where not annotated.
        weights: `(n, heads)` factors; None = 1.
    """
    known = task.annotated(labels)
    known = known if weights is None else known * weights
    return np.concatenate([np.nan_to_num(labels), known], axis=1).astype(np.float32)


def balanced_targets(task, labels, balance):
    """`task_targets` in which the rows of single-label heads count as `balance` wants it: `sqrt` and `full` are class
    weights, the others leave them at 1."""
    factors = np.ones((len(labels), len(task.heads)), np.float32)
    if balance in ("sqrt", "full"):
        for number, rows, block in _known_blocks(task, labels):
            factors[rows, number] = row_weights(block, balance)[:, 0]
    return task_targets(task, labels, factors)


def _known_blocks(task, labels):
    """Yield (number of a single-label head, bool: its annotated rows, their labels)."""
    annotated, blocks = task.annotated(labels) > 0, task.split(labels)
    for number, head in task.exclusive:
        rows = annotated[:, number]
        yield number, rows, blocks[head.name][rows]


def drawing_chances(task, labels, balance):
    """float `(n,)`, sum 1: how often each row is drawn for `balance="sample"`; else None.

    A row comes as often as the mean over the single-label heads that are annotated in it of what would make their
    classes equally frequent, and one that none of them knows as often as without balance: a head of few rows does not
    take the draws of all others.
    """
    if balance != "sample":
        return None
    total, heads = np.zeros(len(labels)), np.zeros(len(labels))
    for _, rows, block in _known_blocks(task, labels):
        if len(block):
            total[rows] += row_weights(block, "full")[:, 0]
            heads[rows] += 1
    chances = np.where(heads > 0, total / np.maximum(heads, 1), 1.0)
    return chances / chances.sum()


def recipe_loss(task, config, labels):
    """`task_loss` as a TrainConfig wants it (`balance`, `loss`, `label_smoothing`, `parent_share`), given all encoded
    labels of the training."""
    shares = class_shares(task, labels)
    occur = {head.name: shares[head.name] > 0 for _, head in task.exclusive}
    offsets = None
    if config.balance == "logit":
        offsets = {head.name: head.log_odds(_told_from_0_and_1(shares[head.name])) for head in task.heads}
    return task_loss(
        task,
        smoothing=config.label_smoothing,
        spread={name: some / max(some.sum(), 1) for name, some in occur.items()},
        kind="focal" if config.balance == "focal" else config.loss,
        offsets=offsets,
        parent_share=config.parent_share,
    )


def _told_from_0_and_1(shares):
    return shares.clip(LEAST_SHARE, 1 - LEAST_SHARE)


def normalised(targets, heads):
    """Targets of a batch whose last `heads` columns, the weights, are scaled by how many rows know the head (one that
    nobody annotated keeps 0).

    With them the mean of the loss over the batch is each head's weighted sum over its annotated rows by their number,
    however the batch is cut up for several devices. The weights themselves are not brought to a mean of 1: in a batch
    without rare rows the frequent ones would count in full.
    """
    weights = targets[:, -heads:]
    scaled = weights * len(targets) / np.maximum((weights > 0).sum(axis=0), 1)
    return np.concatenate([targets[:, :-heads], scaled], axis=1).astype(np.float32)


def mix_targets(task, first, second, share):
    """Targets of pictures mixed in shares `share` and `1 - share` `(n, 1)`: their loss is the same mix of the two
    losses, weights included."""
    share = np.asarray(share, np.float32).reshape(-1, 1)
    mixed = share * first + (1 - share) * second
    for number, head in enumerate(task.heads):
        part, column = task.slices[head.name], task.num_classes + number
        mine, others = share[:, 0] * first[:, column], (1 - share[:, 0]) * second[:, column]
        labels = mine[:, None] * first[:, part] + others[:, None] * second[:, part]
        mixed[:, part] = labels / np.maximum(mine + others, TINY)[:, None]
    return mixed


def task_loss(task, *, smoothing=0.0, spread=None, kind="cross_entropy", offsets=None, parent_share=0.0):
    """Function (targets of `normalised(task_targets(…))`, flat probabilities) -> loss of each row, the weighted sum
    over heads; float32 `(n,)`.

    Args:
        smoothing: share of every label that is spread over the classes (label smoothing).
        spread: {head: shares `(classes,)`} of what is spread, for single-label heads; None = evenly. A class that never
            occurs should get none: a solved classifier is right to rule it out.
        kind: `cross_entropy`, `focal`, or `generalized`, which forgives wrong labels.
        offsets: {head: float `(classes,)`} added to the log-odds while learning (Menon et al., Long-tail learning via
            logit adjustment, ICLR 2021).
        parent_share: weight of the same loss over the parents of a head that has them; the rest is the loss over its
            classes.
    """
    spread = spread or {head.name: head.even_mix for _, head in task.exclusive}
    parents = {head.name: _parents_of_classes(head) for _, head in task.exclusive if parent_share and head.parents}

    def loss(targets, scores):
        total = 0.0
        for number, head in enumerate(task.heads):
            labels, given = targets[:, task.slices[head.name]], scores[:, task.slices[head.name]]
            if offsets:
                given = _shifted(head, given, offsets[head.name])
            over = np.asarray(spread[head.name], np.float32) if head.name in spread else 0.5
            labels = labels * (1 - smoothing) + smoothing * over
            rows = _loss(labels, given, kind, head.multi)
            if head.name in parents:
                up = parents[head.name]
                of_parents = _loss(ops.matmul(labels, up), ops.matmul(given, up), kind)
                rows = (1 - parent_share) * rows + parent_share * of_parents
            total += head.weight * rows * targets[:, task.num_classes + number]
        return total

    return loss


def _parents_of_classes(head):
    """0/1 float32 `(classes, parents)`."""
    return head.parent_scores(np.eye(len(head.classes))).astype(np.float32)


def mean_loss(task, targets, scores):
    """Plain cross-entropy of a table of answers: the sum over heads of the mean over annotated rows, a float."""
    given = ops.convert_to_tensor(np.asarray(scores, np.float32))
    wanted = ops.convert_to_tensor(normalised(targets, len(task.heads)))
    return float(ops.mean(task_loss(task)(wanted, given)))


def calibrated_loss(task, targets, scores):
    """`mean_loss` at the temperature that makes it lowest: what answers are worth apart from how sure they sound.

    Networks that learned from smoothed or mixed labels are less sure than a solved classifier; their plain losses
    cannot be compared (Guo et al., ICML 2017).
    """
    scores = np.asarray(scores, float).clip(TINY, 1 - TINY)
    return min(mean_loss(task, targets, _tempered(task, scores, temperature)) for temperature in TEMPERATURES)


def _tempered(task, scores, temperature):
    blocks = task.split(scores)
    parts = [head.probabilities(head.log_odds(blocks[head.name], TINY) / temperature) for head in task.heads]
    return np.concatenate(parts, axis=1)


def _loss(labels, scores, kind, several=False):
    cost = _COSTS[kind]
    rows = ops.sum(labels * cost(ops.clip(scores, TINY, 1 - TINY)), axis=-1)
    if not several:
        return rows
    return rows + ops.sum((1 - labels) * cost(ops.clip(1 - scores, TINY, 1 - TINY)), axis=-1)


_COSTS = {  # of a class that is true, given its probability
    "cross_entropy": lambda score: -ops.log(score),
    "focal": lambda score: -((1 - score) ** FOCUS) * ops.log(score),
    "generalized": lambda score: (1 - score**ROBUSTNESS) / ROBUSTNESS,
}


def _shifted(head, scores, offsets):
    """Probabilities whose log-odds are moved."""
    odds = scores * np.exp(offsets).astype(np.float32)
    whole = odds + (1 - scores) if head.multi else ops.sum(odds, axis=-1, keepdims=True)
    return odds / ops.maximum(whole, TINY)
