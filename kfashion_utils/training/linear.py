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
from kfashion_utils.training.kernels import kernel_space
from kfashion_utils.training.logistic import Sigmoids, Softmax, pose, solve

STRENGTHS = tuple(10.0 ** (number / 2) for number in range(-8, -1))  # C on standardised features: 1e-4 … 0.1
SUB_SHARES = (0.0, 0.1, 0.2, 0.3)  # of a label that go to the secondary one, where there is one
PATIENCE = 2  # weaker regularisations in a row that do not help before the rest are left out
PATH_PRECISION, END_PRECISION = 1e-4, 1e-7  # of the objective, while strengths are compared and in the end
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
    rows = variants - mean
    rows /= deviation
    space = kernel_space(rows.reshape(-1, rows.shape[2]))
    weights, chosen, scores = {}, {}, np.zeros(labels.shape, np.float32)
    for number, head in enumerate(task.heads):
        known = task.annotated(labels)[:, number] > 0
        part = task.slices[head.name]
        second = None if secondary is None else secondary[:, part]
        wanted = balance if isinstance(balance, str) else balance[head.name]
        problem = _Problem(head, space, len(variants), known, labels[:, part], second, groups, wanted, advance)
        chosen[head.name], logits, start = problem.choose(seed)
        kernel, bias = problem.solve(chosen[head.name], start)
        advance(1)
        scores[:, part] = head.probabilities(bias)
        scores[np.ix_(known, np.arange(part.start, part.stop))] = head.probabilities(logits[known])
        kernel = kernel / deviation[:, None]
        weights[f"head_{number}"] = [kernel.astype(np.float32), (bias - mean @ kernel).astype(np.float32)]
    return FittedClassifier(weights, scores, chosen)


class _Problem:
    """One head: `known` bool `(n,)`, `main` and `secondary` labels `(n, classes)`, of which unknown rows are not read;
    the space has `views` rows a picture; `advance(count)` is told of solutions."""

    def __init__(self, head, space, views, known, main, secondary, groups, balance, advance):
        self.kind = Sigmoids if head.multi else Softmax
        self.space, self.views, self.known = space, views, known
        self.main, self.secondary = np.where(known[:, None], main, 0).astype(np.float32), secondary
        self.groups, self.balance, self.advance = groups, balance, advance

    def targets(self, share):
        """Labels of which `share` is moved to the secondary ones where there are any."""
        if not share:
            return self.main
        has = self.secondary.sum(axis=1, keepdims=True) > 0
        return np.where(has, (1 - share) * self.main + share * self.secondary, self.main).astype(np.float32)

    def choose(self, seed):
        """({"strength", "sub_share"} of the lowest loss out of fold, those logits `(n, classes)`, Point to begin
        from)."""
        where = np.flatnonzero(self.known)
        parts = group_folds(self.groups[where], self.main[where], seed)
        folds = [(where[train], where[held]) for train, held in parts]
        if not folds:
            middle = STRENGTHS[len(STRENGTHS) // 2]
            return {"strength": middle, "sub_share": 0.0}, np.zeros(self.main.shape, np.float32), None
        found = []
        for share in SUB_SHARES if self.secondary is not None else SUB_SHARES[:1]:
            found += self._along_the_path(folds, share)
        return min(found, key=lambda row: row[0])[1:]

    def _along_the_path(self, folds, share):
        """[(loss, settings, logits, Point)] from strong to weak regularisation, each solution the start of the next,
        until it no longer helps."""
        problems, point, found = self._pose([train for train, _ in folds], share), None, []
        for strength in STRENGTHS:
            point = solve(self.space, problems, strength, point, PATH_PRECISION)
            logits = self._held_logits(problems, point, folds)
            self.advance(len(folds))
            settings = {"strength": strength, "sub_share": share}
            found.append((self._loss(logits), settings, logits, point.middle()))
            best = int(np.argmin([row[0] for row in found]))
            if best < len(found) - PATIENCE:
                break
        self.advance((len(STRENGTHS) - len(found)) * len(folds))  # those that are left out
        return found

    def _pose(self, parts, share):
        """Problems of some parts of the rows."""
        own = np.zeros((len(parts), len(self.known)), bool)
        for number, part in enumerate(parts):
            own[number, part] = True
        return pose(self.kind, self.balance, np.tile(own, self.views), np.tile(self.targets(share), (self.views, 1)))

    def _held_logits(self, problems, point, folds):
        """Logits `(n, classes)` of every row by the problem that did not see it, the mean over its views."""
        logits, biases = np.zeros(self.main.shape, np.float32), problems.biases(point)
        for number, (_, held) in enumerate(folds):
            images = point.images[number].reshape(-1, self.views, len(self.known))
            logits[held] = images[:, :, held].mean(axis=1).T + biases[number]
        return logits

    def _loss(self, logits):
        """Mean cross-entropy, weighted as the classes are to be (`logit` aims at equal classes as `full` does)."""
        balance = "full" if self.balance == "logit" else self.balance
        main = self.main[self.known]
        weights = row_weights(main, balance, self.kind.several)
        return float((weights * self.kind.judged_losses(logits[self.known], main)).mean())

    def solve(self, chosen, start):
        """(kernel `(depth, classes)`, bias `(classes,)`) of all known rows."""
        problems = self._pose([np.flatnonzero(self.known)], chosen["sub_share"])
        point = solve(self.space, problems, chosen["strength"], start, END_PRECISION)
        return self.space.kernels(point.coefs)[0], problems.biases(point)[0]
