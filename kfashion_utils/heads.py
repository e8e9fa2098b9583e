"""Heads fitted to frozen features: `linear` is solved to convergence, `hidden` and `residual` are trained with the step-decay rate.

All of them are fitted to standardised features, and the standardisation is then folded into the first weights, so the finished
model needs none. Scores out of fold come from group cross-validation: a row is judged by a head that saw nothing of its group.
"""

import os
import warnings
from dataclasses import dataclass, field

import keras
import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_softmax, softmax
from sklearn.model_selection import StratifiedGroupKFold
from tqdm.auto import tqdm

from kfashion_utils.errors import InputError
from kfashion_utils.models import ENTRIES, build_head, task_loss, task_targets

STRENGTHS = tuple(10.0 ** (number / 2) for number in range(-8, -1))  # C of the logistic regression on standardised features: 1e-4 … 0.1
SUB_SHARES = (0.0, 0.1, 0.2, 0.3)  # of a label that go to the secondary one, where there is one
PATIENCE = 2  # weaker regularisations in a row that do not help before the rest are left out
ROTATED = 4096  # rows up to which it pays to find the axes they span
NEVER = -30.0  # logit of a class without a training row
FOLDS = 4
BATCH = 128  # rows a step of a head that is trained
MIXUP = 0.2  # both parameters of the Beta distribution of shares (Zhang et al., mixup, ICLR 2018)


@dataclass
class FittedHead:
    """A fitted head.

    Attributes:
        weights: {layer name: arrays} for the layers after `features` of `build_model`, for features as they come.
        out_of_fold: flat probabilities float32 `(n, num_classes)` of the training rows, each by a head that did not see its group; None =
            not asked for.
        chosen: what cross-validation chose, per head: {head: {"strength", "sub_share"}}.
    """

    weights: dict
    out_of_fold: np.ndarray | None = None
    chosen: dict = field(default_factory=dict)


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
        return solve_linear(task, _stacked(views), labels, groups, balance=config.balance, secondary=secondary, seed=config.seed)
    weights = train_head(task, config, views, np.arange(len(labels)), labels, progress)
    if not out_of_fold:
        return FittedHead(weights)
    scores = np.zeros(labels.shape, np.float32)
    for train, held in _group_folds(groups, labels, config.seed):
        scores[held] = apply_head(task, config.head, train_head(task, config, views, train, labels, progress), views, held)
    return FittedHead(weights, scores)


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


def _divisors(mean, deviation):
    """Standard deviations to divide by, float32; 1 where a feature is constant but for rounding."""
    varied = deviation > 1e-7 * np.abs(mean).max()
    if not varied.any():
        raise InputError("the backbone gives the same features for every picture: its weights, or the pictures, are constant; look at both (kf.show_images)")
    return np.where(varied, deviation, 1.0).astype(np.float32)


def _group_folds(groups, labels, seed):
    """[(train rows, held rows)]; classes are spread evenly (of several labels, by the first)."""
    count = min(FOLDS, len(np.unique(groups)))
    if count < 2:
        return []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a class with fewer groups than folds is missing from some of them
        return list(StratifiedGroupKFold(count, shuffle=True, random_state=seed).split(groups, np.nan_to_num(labels).argmax(axis=1), groups))


# What the classes weigh ---------------------------------------------------------------------------------------------


def class_shares(task, labels):
    """{head: shares float `(classes,)`} of the annotated rows of flat labels; for a multi-label head the share of rows that have each."""
    known = task.annotated(labels)
    blocks = task.split(np.nan_to_num(labels))
    return {head.name: (blocks[head.name] * known[:, [number]]).sum(axis=0) / max(known[:, number].sum(), 1) for number, head in enumerate(task.heads)}


def model_prior(head, shares, balance):
    """The class mix that a model's answers assume, given the training shares and how they were balanced.

    `none` keeps the training mix, `sqrt` its square root, `full` and `logit` leave every class equal (for a multi-label head: even odds).
    """
    if balance == "none":
        return shares
    if head.multi:
        odds = shares / np.maximum(1 - shares, 1e-6)
        odds = np.sqrt(odds) if balance == "sqrt" else np.ones_like(odds) * (shares > 0)
        return odds / (1 + odds)
    weights = np.sqrt(shares) if balance == "sqrt" else (shares > 0).astype(float)
    return weights / weights.sum()


def _row_weights(targets, multi, balance):
    """Weights `(n, 1)` (softmax) or `(n, classes)` (several labels), 1 on average, that bring the classes to their `model_prior`."""
    if balance in ("none", "logit"):
        return np.ones((len(targets), 1), np.float32)
    share = targets.mean(axis=0).clip(1e-6, 1 - 1e-6)
    power = 0.5 if balance == "sqrt" else 1.0
    if multi:
        return np.where(targets > 0.5, (0.5 / share) ** power, (0.5 / (1 - share)) ** power).astype(np.float32)
    weights = targets @ share**-power
    return (weights / weights.mean())[:, None].astype(np.float32)


def _offsets(targets, multi, balance):
    """Logit adjustment (Menon et al., Long-tail learning via logit adjustment, ICLR 2021): what is added to the logits while learning."""
    if balance != "logit":
        return np.zeros(targets.shape[1], np.float32)
    share = targets.mean(axis=0).clip(1e-6, 1 - 1e-6)
    return (np.log(share) - np.log1p(-share) * multi).astype(np.float32)


# Linear -------------------------------------------------------------------------------------------------------------


def solve_linear(task, views, labels, groups, *, balance="none", secondary=None, seed=0):
    """Logistic regression for every head, its strength chosen by group cross-validation.

    Args:
        task: the Task.
        views: float32 `(views, n, depth)`; the views of a row are learned from as if they were rows, and averaged where it is judged.
        labels, groups, secondary: see `fit_head`.
        balance: `none`, `sqrt`, `full` (class weights) or `logit`.
        seed: of the folds.
    """
    views = views if views.ndim == 3 else views[None]
    mean = views.mean(axis=(0, 1))
    deviation = _divisors(mean, views.std(axis=(0, 1)))
    views = (views - mean) / deviation
    weights, chosen, scores = {}, {}, np.zeros(labels.shape, np.float32)
    for number, head in enumerate(task.heads):
        known = task.annotated(labels)[:, number] > 0
        part = task.slices[head.name]
        problem = _Problem(views[:, known], labels[known][:, part], None if secondary is None else secondary[known][:, part], groups[known], head.multi, balance)
        chosen[head.name], logits = problem.choose(seed)
        kernel, bias = problem.solve(np.arange(known.sum()), chosen[head.name])
        scores[:, part] = expit(bias) if head.multi else softmax(bias)
        scores[np.ix_(known, np.arange(part.start, part.stop))] = expit(logits) if head.multi else softmax(logits, axis=1)
        kernel = kernel / deviation[:, None]
        weights[f"head_{number}"] = [kernel.astype(np.float32), (bias - mean @ kernel).astype(np.float32)]
    return FittedHead(weights, scores, chosen)


class _Problem:
    """One head's rows: `views` float32 `(views, n, depth)`, `main` and `secondary` labels `(n, classes)`."""

    def __init__(self, views, main, secondary, groups, multi, balance):
        self.views, self.main, self.secondary, self.groups, self.multi, self.balance = views, main, secondary, groups, multi, balance
        self._spaces = {}

    def targets(self, share):
        """Labels of which `share` is moved to the secondary ones where there are any."""
        if not share:
            return self.main
        has = self.secondary.sum(axis=1, keepdims=True) > 0
        return np.where(has, (1 - share) * self.main + share * self.secondary, self.main).astype(np.float32)

    def choose(self, seed):
        """({"strength", "sub_share"} of the lowest loss out of fold, those logits `(n, classes)`)."""
        folds = _group_folds(self.groups, self.main, seed)
        if not folds:
            return {"strength": STRENGTHS[len(STRENGTHS) // 2], "sub_share": 0.0}, np.zeros(self.main.shape, np.float32)
        found = []
        for share in SUB_SHARES if self.secondary is not None else SUB_SHARES[:1]:
            found += self._along_the_path(folds, share)
        _, chosen, logits = min(found, key=lambda row: row[0])
        return chosen, logits

    def _along_the_path(self, folds, share):
        """[(loss, settings, logits)] from strong to weak regularisation, each solution the start of the next, until it no longer helps."""
        targets, starts, found = self.targets(share), [None] * len(folds), []
        for strength in STRENGTHS:
            logits = np.zeros(self.main.shape, np.float32)
            for number, (train, held) in enumerate(folds):
                space = self._space(number, train)
                starts[number] = kernel, bias = self._fit(space, train, targets, strength, starts[number])
                logits[held] = space.project(self.views[:, held].mean(axis=0)) @ kernel + bias
            found.append((self._loss(logits), {"strength": strength, "sub_share": share}, logits))
            best = int(np.argmin([row[0] for row in found]))
            if best < len(found) - PATIENCE:
                break
        return found

    def _loss(self, logits):
        """Mean cross-entropy, weighted as the classes are to be (`logit` aims at equal classes as `full` does)."""
        weights = _row_weights(self.main, self.multi, "full" if self.balance == "logit" else self.balance)
        if self.multi:
            losses = np.logaddexp(0, logits) - self.main * logits
        else:
            losses = -(self.main * log_softmax(logits, axis=1).clip(min=-20)).sum(axis=1, keepdims=True)
        return float((weights * losses).mean())

    def solve(self, rows, chosen):
        """(kernel `(depth, classes)`, bias `(classes,)`) of some rows."""
        self._spaces.clear()
        space = _Space(self.views[:, rows])
        kernel, bias = self._fit(space, rows, self.targets(chosen["sub_share"]), chosen["strength"], None, precision=1e-7)
        return space.lift(kernel), bias

    def _space(self, number, rows):
        if number not in self._spaces:
            self._spaces[number] = _Space(self.views[:, rows])
        return self._spaces[number]

    def _fit(self, space, rows, targets, strength, start, precision=1e-4):
        targets = targets[rows]
        present = targets.max(axis=0) > 0
        if self.multi:
            present &= targets.min(axis=0) < 1
        chosen = np.flatnonzero(present)
        kernel, bias = np.zeros((space.rows.shape[1], targets.shape[1]), np.float32), np.where(targets.mean(axis=0) > 0.5, -NEVER, NEVER).astype(np.float32)
        if len(chosen) > (0 if self.multi else 1):
            values = np.tile(targets[:, chosen], (len(self.views), 1))
            start = None if start is None else (start[0][:, chosen], start[1][chosen])
            kernel[:, chosen], bias[chosen] = logistic_regression(space.rows, values, strength, multi=self.multi, balance=self.balance, start=start, precision=precision)
        return kernel, bias


class _Space:
    """Training rows as the solver sees them: in the axes that they span, if they are fewer than the features.

    A penalty on |kernel|² does not change under rotation, and rows say nothing of directions that they do not reach, so the solution is the same.
    """

    def __init__(self, views):
        self.rows, self.axes = views.reshape(-1, views.shape[2]), None
        if len(self.rows) < min(self.rows.shape[1], ROTATED):
            powers, vectors = np.linalg.eigh(self.rows @ self.rows.T)
            keep = powers > 1e-6 * powers[-1]
            lengths = np.sqrt(powers[keep])
            self.axes = self.rows.T @ (vectors[:, keep] / lengths)
            self.rows = vectors[:, keep] * lengths

    def project(self, values):
        return values if self.axes is None else values @ self.axes

    def lift(self, kernel):
        return kernel if self.axes is None else self.axes @ kernel


def logistic_regression(inputs, targets, strength, *, multi=False, balance="none", start=None, precision=1e-6):
    """Minimise the sum of cross-entropies plus |kernel|² / (2 strength) with L-BFGS, as scikit-learn does, for soft labels too.

    Args:
        inputs: float32 `(n, depth)`, standardised.
        targets: float32 `(n, classes)`, 0..1; for softmax their rows sum to 1.
        strength: C; small = strongly regularised. The bias is not.
        multi: independent sigmoids instead of one softmax.
        balance: see `solve_linear`.
        start: (kernel, bias) to begin from.
        precision: relative change of the loss to stop at.

    Returns:
        (kernel float32 `(depth, classes)`, bias `(classes,)`).
    """
    count, depth = inputs.shape
    weights, offsets = _row_weights(targets, multi, balance), _offsets(targets, multi, balance)
    first = np.zeros((depth + 1, targets.shape[1])) if start is None else np.vstack([start[0], start[1]])
    slack = 0.25 if multi else (1 - 1 / targets.shape[1]) / targets.shape[1]  # p (1 - p) where nothing is known yet
    curvature = np.append(slack * np.einsum("nd,nd->d", inputs, inputs, dtype=np.float64) + 1 / strength, slack * count)
    step = (1 / np.sqrt(curvature))[:, None]  # the second derivatives are near the diagonal in the axes of `_Space`: steps of equal worth

    def loss(flat):
        kernel = (flat.reshape(first.shape) * step).astype(np.float32)
        logits = inputs @ kernel[:-1]
        logits += kernel[-1] + offsets
        if multi:
            losses, gradient = np.logaddexp(0, logits) - targets * logits, expit(logits)
        else:
            logits -= logits.max(axis=1, keepdims=True)
            gradient = np.exp(logits)
            total = gradient.sum(axis=1, keepdims=True)
            losses = np.log(total) - (targets * logits).sum(axis=1, keepdims=True)
            gradient /= total
        gradient -= targets
        gradient *= weights
        slope = np.empty_like(kernel)
        slope[:-1] = inputs.T @ gradient + kernel[:-1] / strength
        slope[-1] = gradient.sum(axis=0)
        value = float((weights * losses).sum(dtype=np.float64)) + float((kernel[:-1] ** 2).sum(dtype=np.float64)) / (2 * strength)
        return value / count, (slope * step).ravel() / count

    solved = minimize(loss, (first / step).ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 300, "ftol": precision, "gtol": 1e-8}).x
    solved = (solved.reshape(first.shape) * step).astype(np.float32)
    return solved[:-1], solved[-1]


# Trained ------------------------------------------------------------------------------------------------------------


def train_head(task, config, views, rows, labels, progress=False):
    """Train a `hidden` or `residual` head for `config.head_epochs` on some rows; one view of each row, drawn anew, an epoch.

    Returns:
        {layer name: arrays}, for features as they come.
    """
    mean, deviation = _moments(views, rows)
    keras.utils.set_random_seed(config.seed)
    head = build_head(task, config.head, views[0].shape[1])
    known = task.annotated(labels)
    head.compile(keras.optimizers.AdamW(config.learning_rate, weight_decay=config.weight_decay), task_loss(task, config.label_smoothing), jit_compile=False)
    targets = task_targets(task, labels, _balanced(task, labels, known, config.balance))
    for epoch in tqdm(range(1, config.head_epochs + 1), desc=f"{config.head} head", unit="epoch", leave=False, disable=not progress):
        head.optimizer.learning_rate = config.head_rate(epoch)
        batches = _FeatureBatches(views, rows, targets, mean, deviation, config, epoch)
        loss = head.fit(batches, epochs=1, verbose=0, shuffle=False).history["loss"][-1]
        if not np.isfinite(loss):
            raise InputError(f"the loss of the head's epoch {epoch} is {loss}: the learning rate {config.learning_rate:g} is too high")
    return _folded(head, ENTRIES[config.head], mean, deviation)


def _balanced(task, labels, known, balance):
    """`(n, heads)` factors for single-label heads; a multi-label head is left as it is."""
    factors = np.ones(known.shape, np.float32)
    for number, head in enumerate(task.heads):
        rows = known[:, number] > 0
        if not head.multi:
            factors[rows, number] = _row_weights(task.split(labels)[head.name][rows], False, balance)[:, 0]
    return factors


def _moments(views, rows):
    total = squares = 0.0
    for view in views:
        for start in range(0, len(rows), 4096):
            values = view.take(rows[start : start + 4096]).astype(np.float64)
            total, squares = total + values.sum(axis=0), squares + (values**2).sum(axis=0)
    count = len(rows) * len(views)
    mean = total / count
    deviation = np.sqrt(np.maximum(squares / count - mean**2, 0))
    return mean.astype(np.float32), _divisors(mean, deviation)


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
    return np.mean([head.predict(view.take(rows), batch_size=1024, verbose=0) for view in views], axis=0)


class _FeatureBatches(keras.utils.PyDataset):
    """One pass over features: order, view and mixing are functions of (seed, epoch)."""

    def __init__(self, views, rows, targets, mean, deviation, config, epoch):
        super().__init__()
        self.views, self.targets, self.mean, self.deviation, self.mix = views, targets, mean, deviation, config.mix
        self.rng = np.random.default_rng((config.seed, epoch))
        self.rows = rows[self.rng.permutation(len(rows))]
        self.view = self.rng.integers(0, len(views), len(rows))
        self.share = self.rng.beta(MIXUP, MIXUP, len(rows)).astype(np.float32)[:, None]

    def __len__(self):
        return -(-len(self.rows) // BATCH)

    def __getitem__(self, number):
        part = slice(number * BATCH, (number + 1) * BATCH)
        rows, view = self.rows[part], self.view[part]
        values = np.empty((len(rows), len(self.mean)), np.float32)
        for one in np.unique(view):
            values[view == one] = self.views[one].take(rows[view == one])
        values, targets = (values - self.mean) / self.deviation, self.targets[rows]
        if self.mix == "mixup":
            share = self.share[part]
            values, targets = (share * values + (1 - share) * values[::-1]), (share * targets + (1 - share) * targets[::-1])
        return values, targets
