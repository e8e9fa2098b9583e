"""`fit_head`: the head of a recipe on frozen features. `linear` is solved (`logistic.py`), `hidden` and `residual` are trained here.

A trained head sees standardised features, a rate that falls in steps, and one view of each picture, drawn anew, an epoch; the
standardisation is then folded into its first weights, so the finished model needs none.
"""

import os

import keras
import numpy as np
from tqdm.auto import tqdm

from kfashion_utils.errors import InputError
from kfashion_utils.images.augment import MIXUP
from kfashion_utils.models.model import ENTRIES, build_head
from kfashion_utils.training.logistic import FittedHead, divisors, group_folds, solve_linear
from kfashion_utils.training.losses import balanced_targets, drawing_chances, mix_targets, normalised, recipe_loss

EFFECTIVE = {
    "sample": "full",
    "focal": "none",
}  # the class mix that they lead to, and what a head is solved with before it is fine-tuned so
BATCH = 128  # rows a step of a head that is trained
JUDGED = 4096  # rows that are answered at once


def fit_head(task, config, views, labels, groups, secondary=None, out_of_fold=False, progress=False):
    """Fit the head of a recipe.

    Args:
        task: the Task.
        config: TrainConfig; `head`, `balance`, `mix`, the head's epochs and rates are read.
        views: list of Features `(n, depth)` of the same rows.
        labels: flat `(n, num_classes)` of `Task.encode`, NaN where not annotated.
        groups: n names; rows of one group are never on both sides.
        secondary: flat labels of a second opinion, zeros where there is none; its share is chosen with the strength. `linear` only.
        out_of_fold: also score every row out of fold; `linear` does so anyway.

    Raises:
        InputError: the features are constant, or too many for the memory.
    """
    groups = np.unique(np.asarray(groups, dtype=str), return_inverse=True)[1]
    if config.head == "linear":
        balance = {head.name: effective_balance(config, head) for head in task.heads}
        return solve_linear(
            task, _stacked(views), labels, groups, balance=balance, secondary=secondary, seed=config.seed
        )
    weights = train_head(task, config, views, np.arange(len(labels)), labels, progress)
    if not out_of_fold:
        return FittedHead(weights)
    scores = np.zeros(labels.shape, np.float32)
    for train, held in group_folds(groups, labels, config.seed):
        scores[held] = apply_head(
            task, config.head, train_head(task, config, views, train, labels, progress), views, held
        )
    return FittedHead(weights, scores)


def effective_balance(config, head):
    """How one head is balanced by a recipe, of `none`, `sqrt`, `full`, `logit`: one with several labels that is trained is trained as it comes, but for `logit`."""
    trained = config.fine_tune_epochs or config.head != "linear"
    if head.multi and trained and config.balance != "logit":
        return "none"
    return EFFECTIVE.get(config.balance, config.balance)


def _stacked(views):
    needed, there = 4 * len(views) * views[0].shape[0] * views[0].shape[1], _memory()
    if needed > there / 4:  # the solver copies the rows of three folds
        raise InputError(
            f"a linear head is solved on all features at once: {len(views)} views x {views[0].shape[0]:,} pictures x {views[0].shape[1]:,} numbers are "
            f"{needed / 1e9:.1f} GB, a quarter of this machine's memory is {there / 4e9:.1f}; use --taps last, --views 1, or --head hidden, which reads in batches"
        )
    return np.stack([np.asarray(view) for view in views])


def _memory():
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


# Trained ------------------------------------------------------------------------------------------------------------


def train_head(task, config, views, rows, labels, progress=False):
    """Train a `hidden` or `residual` head for `config.head_epochs` on some rows; one view of each row, drawn anew, an epoch.

    Returns:
        {layer name: arrays}, for features as they come.
    """
    mean, deviation = _moments(views, rows)
    keras.utils.set_random_seed(config.seed)
    head = build_head(task, config.head, views[0].shape[1])
    loss_of = recipe_loss(task, config, labels[rows])
    head.compile(
        keras.optimizers.AdamW(config.learning_rate, weight_decay=config.weight_decay), loss_of, jit_compile=False
    )
    targets = balanced_targets(task, labels[rows], config.balance)
    chances = drawing_chances(task, labels[rows], config.balance)
    for epoch in tqdm(
        range(1, config.head_epochs + 1), desc=f"{config.head} head", unit="epoch", leave=False, disable=not progress
    ):
        head.optimizer.learning_rate = config.head_rate(epoch)
        for values, wanted in _one_pass(task, views, rows, targets, chances, config, epoch):
            loss = head.train_on_batch((values - mean) / deviation, wanted)  # half the time of a `fit` for every epoch
        if not np.isfinite(loss):
            raise InputError(
                f"the loss of the head's epoch {epoch} is {loss}: the learning rate {config.learning_rate:g} is too high"
            )
    return _folded(head, ENTRIES[config.head], mean, deviation)


def _moments(views, rows):
    total = squares = 0.0
    for view in views:
        for start in range(0, len(rows), 4096):
            values = view.take(rows[start : start + 4096]).astype(np.float64)
            total, squares = total + values.sum(axis=0), squares + (values**2).sum(axis=0)
    count = len(rows) * len(views)
    mean = total / count
    deviation = np.sqrt(np.maximum(squares / count - mean**2, 0))
    return mean.astype(np.float32), divisors(mean, deviation)


def _folded(head, entries, mean, deviation):
    """Weights of a head for standardised inputs -> the same function of inputs as they come."""
    weights = {layer.name: layer.get_weights() for layer in head.layers if layer.weights}
    for name in entries:
        kernel, bias = weights[name]
        kernel = kernel / deviation[:, None]
        weights[name] = [kernel, bias - mean @ kernel]
    return weights


def apply_head(task, kind, weights, views, rows):
    """Flat probabilities float32 `(len(rows), num_classes)` of a fitted head, the mean over the views."""
    head = build_head(task, kind, views[0].shape[1])
    for name, values in weights.items():
        head.get_layer(name).set_weights(values)
    scores = np.zeros((len(rows), task.num_classes), np.float32)
    for start in range(0, len(rows), JUDGED):
        part = slice(start, start + JUDGED)
        scores[part] = np.mean(
            [keras.ops.convert_to_numpy(head(view.take(rows[part]), training=False)) for view in views], axis=0
        )
    return scores


def _one_pass(task, views, rows, targets, chances, config, epoch):
    """Yield `(features, targets)` of one epoch: order, view and mixing are functions of (seed, epoch)."""
    rng = np.random.default_rng((config.seed, epoch))
    order = rng.permutation(len(rows)) if chances is None else rng.choice(len(rows), len(rows), p=chances)
    drawn = rng.integers(0, len(views), len(rows))
    shares = rng.beta(MIXUP, MIXUP, len(rows)).astype(np.float32)
    for start in range(0, len(rows), BATCH):
        part = order[start : start + BATCH]
        view, wanted = drawn[start : start + BATCH], targets[part]
        values = np.empty((len(part), views[0].shape[1]), np.float32)
        for one in np.unique(view):
            values[view == one] = views[one].take(rows[part[view == one]])
        if config.mix == "mixup":
            share = shares[start : start + BATCH, None]
            values = share * values + (1 - share) * np.roll(values, 1, axis=0)
            wanted = mix_targets(task, wanted, np.roll(wanted, 1, axis=0), share)
        yield values, normalised(wanted, len(task.heads))
