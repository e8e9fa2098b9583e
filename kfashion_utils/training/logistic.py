"""Logistic regression on frozen features, solved to convergence, its strength chosen by group cross-validation; and what classes weigh.

The features are standardised, and the standardisation is folded into the solution, so it is for features as they come. Scores out of
fold come from heads that saw nothing of a row's group.
"""

import warnings
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_softmax, softmax
from sklearn.model_selection import StratifiedGroupKFold

from kfashion_utils.errors import InputError

STRENGTHS = tuple(
    10.0 ** (number / 2) for number in range(-8, -1)
)  # C of the logistic regression on standardised features: 1e-4 … 0.1
SUB_SHARES = (0.0, 0.1, 0.2, 0.3)  # of a label that go to the secondary one, where there is one
PATIENCE = 2  # weaker regularisations in a row that do not help before the rest are left out
ROTATED = 4096  # rows up to which it pays to find the axes they span
NEVER = -30.0  # logit of a class without a training row
FOLDS = 4


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


def divisors(mean, deviation):
    """Standard deviations to divide by, float32; 1 where a feature is constant but for rounding."""
    varied = deviation > 1e-7 * np.abs(mean).max()
    if not varied.any():
        raise InputError(
            "the backbone gives the same features for every picture: its weights, or the pictures, are constant; look at both (kf.show_images)"
        )
    return np.where(varied, deviation, 1.0).astype(np.float32)


def group_folds(groups, labels, seed, folds=FOLDS):
    """[(train rows, held rows)]; classes are spread evenly (of several labels, by the first)."""
    count = min(folds, len(np.unique(groups)))
    if count < 2:
        return []
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", UserWarning
        )  # a class with fewer groups than folds is missing from some of them
        return list(
            StratifiedGroupKFold(count, shuffle=True, random_state=seed).split(
                groups, np.nan_to_num(labels).argmax(axis=1), groups
            )
        )


# What the classes weigh ---------------------------------------------------------------------------------------------


def class_shares(task, labels):
    """{head: shares float `(classes,)`} of the annotated rows of flat labels; for a multi-label head the share of rows that have each."""
    known = task.annotated(labels)
    blocks = task.split(np.nan_to_num(labels))
    return {
        head.name: (blocks[head.name] * known[:, [number]]).sum(axis=0) / max(known[:, number].sum(), 1)
        for number, head in enumerate(task.heads)
    }


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


def row_weights(targets, multi, balance):
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
        balance: `none`, `sqrt`, `full` (class weights) or `logit`, one for all heads or {head: one}.
        seed: of the folds.
    """
    views = views if views.ndim == 3 else views[None]
    mean = views.mean(axis=(0, 1))
    deviation = divisors(mean, views.std(axis=(0, 1)))
    views = views - mean
    views /= deviation
    weights, chosen, scores = {}, {}, np.zeros(labels.shape, np.float32)
    for number, head in enumerate(task.heads):
        known = task.annotated(labels)[:, number] > 0
        part = task.slices[head.name]
        wanted = balance if isinstance(balance, str) else balance[head.name]
        problem = _Problem(
            views[:, known],
            labels[known][:, part],
            None if secondary is None else secondary[known][:, part],
            groups[known],
            head.multi,
            wanted,
        )
        chosen[head.name], logits = problem.choose(seed)
        kernel, bias = problem.solve(np.arange(known.sum()), chosen[head.name])
        scores[:, part] = expit(bias) if head.multi else softmax(bias)
        scores[np.ix_(known, np.arange(part.start, part.stop))] = (
            expit(logits) if head.multi else softmax(logits, axis=1)
        )
        kernel = kernel / deviation[:, None]
        weights[f"head_{number}"] = [kernel.astype(np.float32), (bias - mean @ kernel).astype(np.float32)]
    return FittedHead(weights, scores, chosen)


class _Problem:
    """One head's rows: `views` float32 `(views, n, depth)`, `main` and `secondary` labels `(n, classes)`."""

    def __init__(self, views, main, secondary, groups, multi, balance):
        self.views, self.main, self.secondary, self.groups, self.multi, self.balance = (
            views,
            main,
            secondary,
            groups,
            multi,
            balance,
        )
        self._spaces = {}

    def targets(self, share):
        """Labels of which `share` is moved to the secondary ones where there are any."""
        if not share:
            return self.main
        has = self.secondary.sum(axis=1, keepdims=True) > 0
        return np.where(has, (1 - share) * self.main + share * self.secondary, self.main).astype(np.float32)

    def choose(self, seed):
        """({"strength", "sub_share"} of the lowest loss out of fold, those logits `(n, classes)`)."""
        folds = group_folds(self.groups, self.main, seed)
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
        weights = row_weights(self.main, self.multi, "full" if self.balance == "logit" else self.balance)
        if self.multi:
            losses = np.logaddexp(0, logits) - self.main * logits
        else:
            losses = -(self.main * log_softmax(logits, axis=1).clip(min=-20)).sum(axis=1, keepdims=True)
        return float((weights * losses).mean())

    def solve(self, rows, chosen):
        """(kernel `(depth, classes)`, bias `(classes,)`) of some rows."""
        self._spaces.clear()
        space = _Space(self.views[:, rows])
        kernel, bias = self._fit(
            space, rows, self.targets(chosen["sub_share"]), chosen["strength"], None, precision=1e-7
        )
        return space.lift(kernel), bias

    def _space(self, number, rows):
        space = self._spaces.get(number) or _Space(self.views[:, rows])
        if space.axes is not None:  # small, and dear to find; the others are copies of the rows, which would add up
            self._spaces[number] = space
        return space

    def _fit(self, space, rows, targets, strength, start, precision=1e-4):
        targets = targets[rows]
        present = targets.max(axis=0) > 0
        if self.multi:
            present &= targets.min(axis=0) < 1
        chosen = np.flatnonzero(present)
        kernel, bias = (
            np.zeros((space.rows.shape[1], targets.shape[1]), np.float32),
            np.where(targets.mean(axis=0) > 0.5, -NEVER, NEVER).astype(np.float32),
        )
        if len(chosen) > (0 if self.multi else 1):
            values = np.tile(targets[:, chosen], (len(self.views), 1))
            start = None if start is None else (start[0][:, chosen], start[1][chosen])
            kernel[:, chosen], bias[chosen] = logistic_regression(
                space.rows, values, strength, multi=self.multi, balance=self.balance, start=start, precision=precision
            )
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
    weights, offsets = row_weights(targets, multi, balance), _offsets(targets, multi, balance)
    first = np.zeros((depth + 1, targets.shape[1])) if start is None else np.vstack([start[0], start[1]])
    slack = 0.25 if multi else (1 - 1 / targets.shape[1]) / targets.shape[1]  # p (1 - p) where nothing is known yet
    curvature = np.append(slack * np.einsum("nd,nd->d", inputs, inputs, dtype=np.float64) + 1 / strength, slack * count)
    step = (1 / np.sqrt(curvature))[
        :, None
    ]  # the second derivatives are near the diagonal in the axes of `_Space`: steps of equal worth

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
        value = float((weights * losses).sum(dtype=np.float64)) + float((kernel[:-1] ** 2).sum(dtype=np.float64)) / (
            2 * strength
        )
        return value / count, (slope * step).ravel() / count

    solved = minimize(
        loss,
        (first / step).ravel(),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 300, "ftol": precision, "gtol": 1e-8},
    ).x
    solved = (solved.reshape(first.shape) * step).astype(np.float32)
    return solved[:-1], solved[-1]
