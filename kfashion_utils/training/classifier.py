"""`fit_classifier`: the layers after frozen features. `linear` is solved (`linear.py`), `hidden` and `residual` are
trained here.

A trained classifier sees standardised features, a rate that falls in steps, and one variant of each picture, drawn
anew, an epoch; the standardisation is then folded into its first weights, so the finished model needs none.
"""

import os

import keras
import numpy as np
from tqdm.auto import tqdm

from kfashion_utils.errors import InputError
from kfashion_utils.images.augment import MIXUP
from kfashion_utils.models.model import ENTRIES, build_classifier
from kfashion_utils.training.linear import FittedClassifier, divisors, group_folds, solve_linear
from kfashion_utils.training.losses import balanced_targets, drawing_chances, mix_targets, normalised, recipe_loss

# the class mix that they lead to, and what a classifier is solved with before it is fine-tuned so
EFFECTIVE = {"sample": "full", "focal": "none"}
BATCH = 128  # rows a step of a classifier that is trained
JUDGED = 4096  # rows that are answered at once
COUNTED = 4096  # rows whose moments are summed at once


def fit_classifier(task, config, variants, labels, groups, secondary=None, out_of_fold=False, progress=False):
    """Fit the classifier of a recipe.

    Args:
        task: the Task.
        config: TrainConfig; `classifier`, `balance`, `mix`, its epochs and rates are read.
        variants: list of Features `(n, depth)` of the same rows.
        labels: flat `(n, num_classes)` of `Task.encode`, NaN where not annotated.
        groups: n names; rows of one group are never on both sides.
        secondary: flat labels of a second opinion, zeros where there is none; its share is chosen with the strength.
            `linear` only.
        out_of_fold: also score every row out of fold; `linear` does so anyway.

    Returns:
        FittedClassifier.

    Raises:
        InputError: the features are constant, or too many for the memory.
    """
    groups = np.unique(np.asarray(groups, dtype=str), return_inverse=True)[1]
    if config.classifier == "linear":
        balance = {head.name: effective_balance(config, head) for head in task.heads}
        stacked = _stacked(variants)
        options = {"balance": balance, "secondary": secondary, "seed": config.seed, "progress": progress}
        return solve_linear(task, stacked, labels, groups, **options)
    weights = train_classifier(task, config, variants, np.arange(len(labels)), labels, progress)
    if not out_of_fold:
        return FittedClassifier(weights)
    scores = np.zeros(labels.shape, np.float32)
    for train, held in group_folds(groups, labels, config.seed):
        of_fold = train_classifier(task, config, variants, train, labels, progress)
        scores[held] = apply_classifier(task, config.classifier, of_fold, variants, held)
    return FittedClassifier(weights, scores)


def effective_balance(config, head):
    """How one head is balanced by a recipe: `none`, `sqrt`, `full` or `logit`. One with several labels that is trained
    is trained as it comes, but for `logit`."""
    trained = config.fine_tune_epochs or config.classifier != "linear"
    if head.multi and trained and config.balance != "logit":
        return "none"
    return EFFECTIVE.get(config.balance, config.balance)


def _stacked(variants):
    rows, depth = variants[0].shape
    needed, there = 4 * len(variants) * rows * depth, _memory()
    if needed > there / 4:  # the solver holds them twice, and their inner products
        raise InputError(
            f"a linear classifier is solved on all features at once: {len(variants)} variants x {rows:,} pictures x "
            f"{depth:,} numbers are {needed / 1e9:.1f} GB, a quarter of this machine's memory is {there / 4e9:.1f}; "
            "use taps=last, variants=1, or classifier=hidden, which reads in batches"
        )
    return np.stack([np.asarray(variant) for variant in variants])


def _memory():
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


# Trained ------------------------------------------------------------------------------------------------------------


def train_classifier(task, config, variants, rows, labels, progress=False):
    """Train a `hidden` or `residual` classifier for `config.classifier_epochs` on some rows; one variant of each row,
    drawn anew, an epoch.

    Returns:
        {layer name: arrays}, for features as they come.
    """
    mean, deviation = _moments(variants, rows)
    keras.utils.set_random_seed(config.seed)
    model = build_classifier(task, config.classifier, variants[0].shape[1])
    optimizer = keras.optimizers.AdamW(config.learning_rate, weight_decay=config.weight_decay)
    model.compile(optimizer, recipe_loss(task, config, labels[rows]), jit_compile=False)
    targets = balanced_targets(task, labels[rows], config.balance)
    chances = drawing_chances(task, labels[rows], config.balance)
    epochs = range(1, config.classifier_epochs + 1)
    what = f"{config.classifier} classifier"
    for epoch in tqdm(epochs, desc=what, unit="epoch", leave=False, disable=not progress):
        model.optimizer.learning_rate = config.classifier_rate(epoch)
        for values, wanted in _one_pass(task, variants, rows, targets, chances, config, epoch):
            loss = model.train_on_batch((values - mean) / deviation, wanted)  # half the time of a `fit` for every epoch
        if not np.isfinite(loss):
            raise InputError(
                f"the loss of the classifier's epoch {epoch} is {loss}: "
                f"the learning rate {config.learning_rate:g} is too high"
            )
    return _folded(model, ENTRIES[config.classifier], mean, deviation)


def _moments(variants, rows):
    total = squares = 0.0
    for variant in variants:
        for start in range(0, len(rows), COUNTED):
            values = variant.take(rows[start : start + COUNTED]).astype(np.float64)
            total, squares = total + values.sum(axis=0), squares + (values**2).sum(axis=0)
    count = len(rows) * len(variants)
    mean = total / count
    deviation = np.sqrt(np.maximum(squares / count - mean**2, 0))
    return mean.astype(np.float32), divisors(mean, deviation)


def _folded(model, entries, mean, deviation):
    """Weights of a classifier for standardised inputs -> the same function of inputs as they come."""
    weights = {layer.name: layer.get_weights() for layer in model.layers if layer.weights}
    for name in entries:
        kernel, bias = weights[name]
        kernel = kernel / deviation[:, None]
        weights[name] = [kernel, bias - mean @ kernel]
    return weights


def apply_classifier(task, kind, weights, variants, rows):
    """Flat probabilities float32 `(len(rows), num_classes)` of a fitted classifier, the mean over the variants."""
    model = build_classifier(task, kind, variants[0].shape[1])
    for name, values in weights.items():
        model.get_layer(name).set_weights(values)
    scores = np.zeros((len(rows), task.num_classes), np.float32)
    for start in range(0, len(rows), JUDGED):
        part = slice(start, start + JUDGED)
        answers = [model(variant.take(rows[part]), training=False) for variant in variants]
        scores[part] = np.mean([keras.ops.convert_to_numpy(answer) for answer in answers], axis=0)
    return scores


def _one_pass(task, variants, rows, targets, chances, config, epoch):
    """Yield `(features, targets)` of one epoch: order, variant and mixing are functions of (seed, epoch)."""
    rng = np.random.default_rng((config.seed, epoch))
    order = rng.permutation(len(rows)) if chances is None else rng.choice(len(rows), len(rows), p=chances)
    drawn = rng.integers(0, len(variants), len(rows))
    shares = rng.beta(MIXUP, MIXUP, len(rows)).astype(np.float32)
    for start in range(0, len(rows), BATCH):
        part = order[start : start + BATCH]
        wanted = targets[part]
        values = _drawn_values(variants, rows[part], drawn[start : start + BATCH])
        if config.mix == "mixup":
            share = shares[start : start + BATCH, None]
            values = share * values + (1 - share) * np.roll(values, 1, axis=0)
            wanted = mix_targets(task, wanted, np.roll(wanted, 1, axis=0), share)
        yield values, normalised(wanted, len(task.heads))


def _drawn_values(variants, rows, drawn):
    """Features float32 `(len(rows), depth)`, of each row those of the variant that was drawn for it."""
    values = np.empty((len(rows), variants[0].shape[1]), np.float32)
    for number in np.unique(drawn):
        values[drawn == number] = variants[number].take(rows[drawn == number])
    return values
