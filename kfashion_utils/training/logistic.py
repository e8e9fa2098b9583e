"""Logistic regressions solved to convergence, many at once: one softmax over classes that exclude each other, or a
sigmoid for each.

The problems share their rows, and see them through their space alone (`kernels.py`): an iteration is one product for
all of them, and a problem leaves rows out by giving them no weight.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, log_softmax

from kfashion_utils.training.balance import row_weights, shares_of
from kfashion_utils.training.kernels import Point, inner_products

LEAST_LOG = -20  # log-probability below which one row out of fold counts no more
NEVER = -30.0  # logit of a class without a training row
SHUT = np.float32(-1e9)  # added to the logits of a class that a problem has no rows of
TINY = 1e-30
CLEAR = 1e-5  # cosine of a step and its change of slope, below which they tell nothing
MEMORY = 8  # pairs of steps and changes of slope that L-BFGS remembers
LIMIT = 300  # iterations
TRIALS = 6  # lengths that are tried for a step
FLAT = 0.2  # share of the slope along a step that may be left where it ends


class Softmax:
    """Classes that exclude each other; classes are axis 1 of every array."""

    several = False
    least = 2  # classes that must occur before anything is to be solved

    @staticmethod
    def occur(targets):
        """Which classes have rows that tell something, bool `(classes,)`."""
        return targets.max(axis=0) > 0

    @staticmethod
    def slack(classes):
        """p (1 - p) where nothing is known yet."""
        return (1 - 1 / classes) / classes

    @staticmethod
    def adjustment(share):
        """Log-odds of class shares."""
        return np.log(share)

    @staticmethod
    def losses_and_answers(logits, targets):
        """(cross-entropies of length 1 along the classes, probabilities); the logits are changed."""
        logits -= logits.max(axis=1, keepdims=True)
        answers = np.exp(logits)
        total = answers.sum(axis=1, keepdims=True)
        losses = np.log(total) - (targets * logits).sum(axis=1, keepdims=True)
        answers /= total
        return losses, answers

    @staticmethod
    def curvatures(answers, direction):
        """Second derivatives of the cross-entropies along a change of the logits."""
        seen = answers * direction
        return (seen * direction).sum(axis=1, keepdims=True) - seen.sum(axis=1, keepdims=True) ** 2

    @staticmethod
    def judged_losses(logits, targets):
        """Cross-entropies of rows that were not learned from."""
        return -(targets * log_softmax(logits, axis=1).clip(min=LEAST_LOG)).sum(axis=1, keepdims=True)


class Sigmoids:
    """Classes that are a yes or no each; the same questions as of `Softmax`."""

    several = True
    least = 1

    @staticmethod
    def occur(targets):
        return (targets.max(axis=0) > 0) & (targets.min(axis=0) < 1)

    @staticmethod
    def slack(classes):
        return 0.25

    @staticmethod
    def adjustment(share):
        return np.log(share) - np.log1p(-share)

    @staticmethod
    def losses_and_answers(logits, targets):
        return np.logaddexp(0, logits) - targets * logits, expit(logits)

    @staticmethod
    def curvatures(answers, direction):
        return answers * (1 - answers) * direction**2

    @staticmethod
    def judged_losses(logits, targets):
        return np.logaddexp(0, logits) - targets * logits


# Problems -----------------------------------------------------------------------------------------------------------


@dataclass
class Problems:
    """Regressions on the same rows, each on some of them.

    Attributes:
        kind: Softmax, or Sigmoids.
        targets: float32 `(problems, classes, rows)`, 0..1; for softmax their classes sum to 1.
        weights: float32 `(problems, 1 or classes, rows)`; 0 = not a row of the problem.
        offsets: float32 `(problems, classes, 1)`, added to the logits while learning.
        solved: bool `(problems, classes, 1)`; the others are told by `constant`.
        constant: float32 `(problems, classes)`, the biases of classes that are not solved.
        counts: float `(problems,)`, their rows.
    """

    kind: type
    targets: np.ndarray
    weights: np.ndarray
    offsets: np.ndarray
    solved: np.ndarray
    constant: np.ndarray
    counts: np.ndarray

    def __getitem__(self, chosen):
        arrays = (self.targets, self.weights, self.offsets, self.solved, self.constant, self.counts)
        return Problems(self.kind, *(array[chosen] for array in arrays))

    def biases(self, point):
        """Biases float32 `(problems, classes)` of a solution, those of classes that are not solved included."""
        return np.where(self.solved[:, :, 0], point.biases, self.constant)

    def losses(self, logits):
        """(losses `(problems,)`, their slopes by the logits, probabilities) at logits without offsets."""
        losses, answers = self.kind.losses_and_answers(logits + self.offsets, self.targets)
        slopes = answers - self.targets
        slopes *= self.weights
        slopes *= self.solved
        losses = np.where(self.solved, losses, 0) if self.kind.several else losses
        return (self.weights * losses).sum(axis=(1, 2), dtype=np.float64), slopes, answers

    def curvatures(self, answers, direction):
        """Second derivatives of the losses along a change of the logits, `(problems,)`."""
        bent = self.kind.curvatures(answers, np.where(self.solved, direction, 0))
        return (self.weights * bent).sum(axis=(1, 2), dtype=np.float64)


def pose(kind, balance, rows, targets):
    """Problems of the given rows.

    Args:
        kind: Softmax, or Sigmoids.
        balance: `none`, `sqrt`, `full` (class weights) or `logit` (Menon et al., Long-tail learning via logit
            adjustment, ICLR 2021: the log-odds of the shares are added to the logits while learning).
        rows: of each problem its rows, bool `(problems, rows)`.
        targets: float32 `(rows, classes)`.
    """
    posed = [_posed(kind, balance, own, targets) for own in rows]
    return Problems(kind, *(np.stack(arrays) for arrays in zip(*posed, strict=True)))


def _posed(kind, balance, own, targets):
    """The fields of one problem, in their order."""
    seen = targets[own]
    occur = kind.occur(seen)
    weights = np.zeros((len(own), targets.shape[1] if kind.several else 1), np.float32)
    weights[own] = row_weights(seen if kind.several else seen[:, occur], balance, kind.several)
    offsets = np.zeros(len(occur), np.float32)
    if balance == "logit":
        offsets = kind.adjustment(shares_of(seen)).astype(np.float32)
    if not kind.several:
        offsets[~occur] = SHUT
    solved = occur & (occur.sum() >= kind.least)
    constant = np.where(seen.mean(axis=0) > 0.5, -NEVER, NEVER).astype(np.float32)
    clean = np.where(own[:, None], targets, 0).astype(np.float32)
    return clean.T, weights.T, offsets[:, None], solved[:, None], constant, float(own.sum())


# Solving ------------------------------------------------------------------------------------------------------------


def solve(space, problems, strength, start=None, precision=1e-6):
    """Minimise for each problem the sum of weighted cross-entropies plus |kernel|² / (2 strength).

    L-BFGS (Nocedal & Wright, Numerical Optimization, 2006, 7.2) in the space of the kernels, however it writes
    them. What a step does to the answers is known without a product, so its length is searched until the loss
    is nearly flat along it, and an iteration costs one product for all problems together.

    Args:
        space: Dual or Primal of the rows.
        problems: Problems.
        strength: C; small = strongly regularised. The bias is not.
        start: Point to begin from; it is not changed.
        precision: share of the objective by which a step is to lower it, or it is the last one.

    Returns:
        Point; classes that are not solved have kernel 0.
    """
    point = space.zeros(*problems.targets.shape[:2]) if start is None else start.copy()
    reach = _reach(problems, strength)
    point.biases /= reach
    descent = _Descent(space, problems, strength, reach, point)
    ends, left = point.copy(), np.arange(len(problems.counts))
    for _ in range(LIMIT):
        moving = descent.step() > precision
        if not moving.all():
            ends[left[~moving]] = descent.point[~moving]
            left = left[moving]
            descent.keep(moving)
        if not len(left):
            break
    ends[left] = descent.point
    ends.biases *= reach
    return ends


def _reach(problems, strength):
    """How much further a bias goes than a kernel, float32 `(problems, 1)`: their second derivatives differ by the
    penalty."""
    slack = problems.kind.slack(problems.targets.shape[1]) * problems.counts
    return np.sqrt(1 + 1 / (strength * slack)).astype(np.float32)[:, None]


class _Descent:
    """Where some problems are, and how they got there; biases are in units of their reach."""

    def __init__(self, space, problems, strength, reach, point):
        self.space, self.problems, self.strength, self.reach, self.point = space, problems, strength, reach, point
        self.steps, self.turns = [], []  # the last ones, and the changes of the gradient that they brought
        self.values, self.slopes, self.answers = problems.losses(self._logits(point))
        self.gradient = self._gradient()

    def keep(self, chosen):
        """Go on with some of the problems."""
        self.problems, self.reach, self.point = self.problems[chosen], self.reach[chosen], self.point[chosen]
        self.values, self.slopes, self.answers = self.values[chosen], self.slopes[chosen], self.answers[chosen]
        self.gradient = self.gradient[chosen]
        self.steps, self.turns = [one[chosen] for one in self.steps], [one[chosen] for one in self.turns]

    def step(self):
        """One iteration; returns by what share of itself each objective was to fall. It is told by the slope: below the
        rounding of a sum of losses, too."""
        gradient = self.gradient
        step, share = self._search(self._direction())
        self.point.add(step, 1)
        self.gradient = self._gradient()
        self.steps = [*self.steps[-MEMORY + 1 :], step]
        self.turns = [*self.turns[-MEMORY + 1 :], self.gradient - gradient]
        return share

    def _logits(self, point):
        return point.images + (self.reach * point.biases)[:, :, None]

    def _gradient(self):
        coefs, images = self.space.pull(self.slopes)
        pulled = Point(coefs, images, self.reach * self.slopes.sum(axis=2))
        pulled.coefs += self.point.coefs / np.float32(self.strength)
        pulled.images += self.point.images / np.float32(self.strength)
        return pulled

    def _inner(self, one, other):
        return self.space.inner(one, other) + (one.biases * other.biases).sum(axis=1, dtype=np.float64)

    def _scale(self, step, turn):
        """1 / <step, turn>; 0 where rounding has eaten what a step tells."""
        inner = self._inner(step, turn)
        clear = inner > CLEAR * np.sqrt(np.abs(self._inner(step, step) * self._inner(turn, turn)))
        return np.divide(1, inner, out=np.zeros_like(inner), where=clear)

    def _direction(self):
        """Minus the gradient, times what the steps tell of the inverse of the second derivatives."""
        found = self.gradient.times(-1)
        pairs = list(zip(self.steps, self.turns, strict=True))
        scales = [self._scale(step, turn) for step, turn in pairs]
        shares = []
        for (step, turn), scale in zip(reversed(pairs), reversed(scales), strict=True):
            shares.append(scale * self._inner(step, found))
            found.add(turn, -shares[-1])
        if pairs:
            step, turn = pairs[-1]
            bent = self._inner(step, turn) / np.maximum(self._inner(turn, turn), TINY)
            found = found.times(np.where(scales[-1] > 0, bent, 1))
        for (step, turn), scale in zip(pairs, scales, strict=True):
            found.add(step, shares.pop() - scale * self._inner(turn, found))
        return found

    def _search(self, direction):
        """(step along a direction to where the loss is nearly flat, the share of the objective that it gains); losses,
        slopes and answers become those there. Slopes rise along a line, so a flat place is between one that falls and
        one that rises."""
        inner, strength = self.space.inner, self.strength
        base, change = self._logits(self.point), self._logits(direction)
        held, bent = inner(self.point, direction) / strength, inner(direction, direction) / strength
        start = np.minimum(inner_products(self.slopes, change) + held, 0)
        lengths = -start / np.maximum(self.problems.curvatures(self.answers, change) + bent, TINY)
        falls, rises = np.zeros_like(lengths), np.full_like(lengths, np.inf)
        for trial in range(TRIALS + 1):
            self.values, self.slopes, self.answers = self.problems.losses(base + _wide(lengths) * change)
            slope = inner_products(self.slopes, change) + held + lengths * bent
            rough = np.abs(slope) > FLAT * np.abs(start)
            if not rough.any() or trial == TRIALS:
                break
            falls, rises = np.where(slope < 0, lengths, falls), np.where(slope < 0, rises, lengths)
            newton = lengths - slope / np.maximum(self.problems.curvatures(self.answers, change) + bent, TINY)
            within = (newton > falls) & (newton < rises)
            beyond = np.where(np.isinf(rises), 2 * lengths, (falls + rises) / 2)
            wanted = falls if trial == TRIALS - 1 else np.where(within, newton, beyond)
            lengths = np.where(rough, wanted, lengths)
        objective = self.values + inner(self.point, self.point) / (2 * strength)
        return direction.times(lengths), -start * lengths / 2 / np.maximum(objective, TINY)


def _wide(factors):
    return factors.astype(np.float32)[:, None, None]
