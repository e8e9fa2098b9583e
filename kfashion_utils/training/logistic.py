"""Logistic regression solved to convergence: one softmax over classes that exclude each other, or a sigmoid for
each."""

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_softmax

from kfashion_utils.training.balance import row_weights, shares_of

LEAST_LOG = -20  # log-probability below which one row out of fold counts no more


class Softmax:
    """Classes that exclude each other."""

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
        """(cross-entropies `(n, 1)`, probabilities `(n, classes)`); the logits are changed."""
        logits -= logits.max(axis=1, keepdims=True)
        answers = np.exp(logits)
        total = answers.sum(axis=1, keepdims=True)
        losses = np.log(total) - (targets * logits).sum(axis=1, keepdims=True)
        answers /= total
        return losses, answers

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
    def judged_losses(logits, targets):
        return np.logaddexp(0, logits) - targets * logits


def logistic_regression(inputs, targets, strength, *, kind=Softmax, balance="none", start=None, precision=1e-6):
    """Minimise the sum of cross-entropies plus |kernel|² / (2 strength) with L-BFGS, as scikit-learn does, for soft
    labels too.

    Args:
        inputs: float32 `(n, depth)`, standardised.
        targets: float32 `(n, classes)`, 0..1; for softmax their rows sum to 1.
        strength: C; small = strongly regularised. The bias is not.
        kind: Softmax, or Sigmoids.
        balance: `none`, `sqrt`, `full` (class weights) or `logit` (Menon et al., Long-tail learning via logit
            adjustment, ICLR 2021: the log-odds of the shares are added to the logits while learning).
        start: (kernel, bias) to begin from.
        precision: relative change of the loss to stop at.

    Returns:
        (kernel float32 `(depth, classes)`, bias `(classes,)`).
    """
    count, depth = inputs.shape
    weights, offsets = row_weights(targets, balance, kind.several), _offsets(targets, kind, balance)
    first = np.zeros((depth + 1, targets.shape[1])) if start is None else np.vstack([start[0], start[1]])
    step = _steps(inputs, kind.slack(targets.shape[1]), strength)

    def loss(flat):
        kernel = (flat.reshape(first.shape) * step).astype(np.float32)
        logits = inputs @ kernel[:-1]
        logits += kernel[-1] + offsets
        losses, gradient = kind.losses_and_answers(logits, targets)
        gradient -= targets
        gradient *= weights
        slope = np.empty_like(kernel)
        slope[:-1] = inputs.T @ gradient + kernel[:-1] / strength
        slope[-1] = gradient.sum(axis=0)
        penalty = float((kernel[:-1] ** 2).sum(dtype=np.float64)) / (2 * strength)
        value = float((weights * losses).sum(dtype=np.float64)) + penalty
        return value / count, (slope * step).ravel() / count

    options = {"maxiter": 300, "ftol": precision, "gtol": 1e-8}
    solved = minimize(loss, (first / step).ravel(), jac=True, method="L-BFGS-B", options=options).x
    solved = (solved.reshape(first.shape) * step).astype(np.float32)
    return solved[:-1], solved[-1]


def _steps(inputs, slack, strength):
    """`(depth + 1, 1)`: steps of equal worth. The second derivatives are near the diagonal where the axes of the inputs
    are those that they span."""
    squares = np.einsum("nd,nd->d", inputs, inputs, dtype=np.float64)
    curvature = np.append(slack * squares + 1 / strength, slack * len(inputs))
    return (1 / np.sqrt(curvature))[:, None]


def _offsets(targets, kind, balance):
    if balance != "logit":
        return np.zeros(targets.shape[1], np.float32)
    return kind.adjustment(shares_of(targets)).astype(np.float32)
