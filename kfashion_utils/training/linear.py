"""The linear classifier: logistic regression on frozen features, its strength chosen by group cross-validation.

The features are standardised, and the standardisation is folded into the solution, so it is for features as they come.
Scores out of fold come from classifiers that saw nothing of a row's group.
"""

import warnings
from dataclasses import dataclass, field

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold
from tqdm.auto import tqdm

from kfashion_utils.errors import InputError
from kfashion_utils.training.balance import row_weights
from kfashion_utils.training.logistic import Sigmoids, Softmax, logistic_regression

STRENGTHS = tuple(10.0 ** (number / 2) for number in range(-8, -1))  # C on standardised features: 1e-4 … 0.1
SUB_SHARES = (0.0, 0.1, 0.2, 0.3)  # of a label that go to the secondary one, where there is one
PATIENCE = 2  # weaker regularisations in a row that do not help before the rest are left out
ROTATED = 4096  # rows up to which it pays to find the axes they span
NEVER = -30.0  # logit of a class without a training row
FOLDS = 4


@dataclass
class FittedClassifier:
    """A fitted head.

    Attributes:
        weights: {layer name: arrays} for the layers after `features` of `build_model`, for features as they come.
        out_of_fold: flat probabilities float32 `(n, num_classes)` of the training rows, each by a head that did not see
            its group; None = not asked for.
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
            "the backbone gives the same features for every picture: its weights, or the pictures, are constant; "
            "look at both (kf.show_images)"
        )
    return np.where(varied, deviation, 1.0).astype(np.float32)


def group_folds(groups, labels, seed, folds=FOLDS):
    """[(train rows, held rows)]; classes are spread evenly (of several labels, by the first).

    There are fewer where no class has as many rows; none where there are not two groups, or no class with two rows.
    """
    first = np.nan_to_num(labels).argmax(axis=1)
    count = min(folds, len(np.unique(groups)), np.bincount(first).max(initial=0))
    if count < 2:
        return []
    splitter = StratifiedGroupKFold(int(count), shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a class with fewer groups than folds lacks in some of them
        return list(splitter.split(groups, first, groups))


# Linear -------------------------------------------------------------------------------------------------------------


def solve_linear(task, variants, labels, groups, *, balance="none", secondary=None, seed=0, progress=False):
    """Logistic regression for every head, its strength chosen by group cross-validation.

    Args:
        task: the Task.
        variants: float32 `(variants, n, depth)`; the variants of a picture are learned from as if they were rows, and
            averaged where it is judged.
        labels, groups, secondary: see `fit_classifier`.
        balance: `none`, `sqrt`, `full` (class weights) or `logit`, one for all heads or {head: one}.
        seed: of the folds.
        progress: show a bar of the solutions, with the time left.
    """
    shares = 1 if secondary is None else len(SUB_SHARES)
    total = len(task.heads) * (shares * len(STRENGTHS) * FOLDS + 1)
    with tqdm(total=total, desc="linear classifier", unit="solution", leave=False, disable=not progress) as bar:
        return _solve(task, variants, labels, groups, balance, secondary, seed, bar.update)


def _solve(task, variants, labels, groups, balance, secondary, seed, advance):
    variants = variants if variants.ndim == 3 else variants[None]
    mean = variants.mean(axis=(0, 1))
    deviation = divisors(mean, variants.std(axis=(0, 1)))
    variants = variants - mean
    variants /= deviation
    weights, chosen, scores = {}, {}, np.zeros(labels.shape, np.float32)
    for number, head in enumerate(task.heads):
        known = task.annotated(labels)[:, number] > 0
        part = task.slices[head.name]
        second = None if secondary is None else secondary[known][:, part]
        wanted = balance if isinstance(balance, str) else balance[head.name]
        problem = _Problem(head, variants[:, known], labels[known][:, part], second, groups[known], wanted, advance)
        chosen[head.name], logits = problem.choose(seed)
        kernel, bias = problem.solve(np.arange(known.sum()), chosen[head.name])
        advance(1)
        scores[:, part] = head.probabilities(bias)
        scores[np.ix_(known, np.arange(part.start, part.stop))] = head.probabilities(logits)
        kernel = kernel / deviation[:, None]
        weights[f"head_{number}"] = [kernel.astype(np.float32), (bias - mean @ kernel).astype(np.float32)]
    return FittedClassifier(weights, scores, chosen)


class _Problem:
    """One head's rows: `variants` float32 `(variants, n, depth)`, `main` and `secondary` labels `(n, classes)`;
    `advance(count)` is told of solutions."""

    def __init__(self, head, variants, main, secondary, groups, balance, advance):
        self.kind = Sigmoids if head.multi else Softmax
        self.variants, self.main, self.secondary = variants, main, secondary
        self.groups, self.balance, self.advance = groups, balance, advance
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
            middle = STRENGTHS[len(STRENGTHS) // 2]
            return {"strength": middle, "sub_share": 0.0}, np.zeros(self.main.shape, np.float32)
        found = []
        for share in SUB_SHARES if self.secondary is not None else SUB_SHARES[:1]:
            found += self._along_the_path(folds, share)
        _, chosen, logits = min(found, key=lambda row: row[0])
        return chosen, logits

    def _along_the_path(self, folds, share):
        """[(loss, settings, logits)] from strong to weak regularisation, each solution the start of the next, until it
        no longer helps."""
        targets, starts, found = self.targets(share), [None] * len(folds), []
        for strength in STRENGTHS:
            logits = np.zeros(self.main.shape, np.float32)
            for number, (train, held) in enumerate(folds):
                space = self._space(number, train)
                starts[number] = kernel, bias = self._fit(space, train, targets, strength, starts[number])
                logits[held] = space.project(self.variants[:, held].mean(axis=0)) @ kernel + bias
                self.advance(1)
            found.append((self._loss(logits), {"strength": strength, "sub_share": share}, logits))
            best = int(np.argmin([row[0] for row in found]))
            if best < len(found) - PATIENCE:
                break
        self.advance((len(STRENGTHS) - len(found)) * len(folds))  # those that are left out
        return found

    def _loss(self, logits):
        """Mean cross-entropy, weighted as the classes are to be (`logit` aims at equal classes as `full` does)."""
        balance = "full" if self.balance == "logit" else self.balance
        weights = row_weights(self.main, balance, self.kind.several)
        return float((weights * self.kind.judged_losses(logits, self.main)).mean())

    def solve(self, rows, chosen):
        """(kernel `(depth, classes)`, bias `(classes,)`) of some rows."""
        self._spaces.clear()
        space, targets = _Space(self.variants[:, rows]), self.targets(chosen["sub_share"])
        kernel, bias = self._fit(space, rows, targets, chosen["strength"], None, precision=1e-7)
        return space.lift(kernel), bias

    def _space(self, number, rows):
        space = self._spaces.get(number) or _Space(self.variants[:, rows])
        if space.axes is not None:  # small, and dear to find; the others are copies of the rows, which would add up
            self._spaces[number] = space
        return space

    def _fit(self, space, rows, targets, strength, start, precision=1e-4):
        targets = targets[rows]
        chosen = np.flatnonzero(self.kind.occur(targets))
        kernel = np.zeros((space.rows.shape[1], targets.shape[1]), np.float32)
        bias = np.where(targets.mean(axis=0) > 0.5, -NEVER, NEVER).astype(np.float32)
        if len(chosen) >= self.kind.least:
            values = np.tile(targets[:, chosen], (len(self.variants), 1))
            start = None if start is None else (start[0][:, chosen], start[1][chosen])
            options = {"kind": self.kind, "balance": self.balance, "start": start, "precision": precision}
            kernel[:, chosen], bias[chosen] = logistic_regression(space.rows, values, strength, **options)
        return kernel, bias


class _Space:
    """Training rows as the solver sees them: in the axes that they span, if they are fewer than the features.

    A penalty on |kernel|² does not change under rotation, and rows say nothing of directions that they do not reach, so
    the solution is the same.
    """

    def __init__(self, variants):
        self.rows, self.axes = variants.reshape(-1, variants.shape[2]), None
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
