"""The operating point: answers for another mix of classes, or with other thresholds."""

import numpy as np
from scipy.special import expit, softmax

from kfashion_utils.errors import InputError, refuse

# Operating point ------------------------------------------------------------------------------------------------------


def shift_scores(task, scores, shifts):
    """Flat probabilities whose log-odds are moved: softmax heads are normalised again, multi-label ones class by class.

    Args:
        scores: float `(n, num_classes)`.
        shifts: {head: float `(classes,)`}, added to log-probabilities or, for several labels, to log-odds; heads left out stay as they are.
    """
    scores = np.array(scores, float)
    for head in task.heads:
        if head.name in shifts:
            part = scores[:, task.slices[head.name]].clip(1e-12, 1)
            logits = np.log(part) + shifts[head.name] - (np.log1p(-part.clip(max=1 - 1e-12)) if head.multi else 0)
            scores[:, task.slices[head.name]] = expit(logits) if head.multi else softmax(logits, axis=1)
    return scores


def wanted_shifts(run, prior, thresholds):
    """{head: shift} of one run for the wanted class mix and thresholds."""
    shifts = {}
    known = run.recipe.get("prior")
    if prior is not None and known is None:
        raise InputError(
            f"{run.path} does not say which class mix it learned (it is of an older version); train it again, or predict without a prior"
        )
    for head in run.task.heads:
        wanted = _wanted_mix(run, head, prior)
        if wanted is not None:
            assumed = np.array([known[head.name]["model"][name] for name in head.classes])
            shifts[head.name] = _log_odds(wanted, head.multi) - _log_odds(assumed, head.multi)
    if thresholds:
        found = {} if run.config.fine_tune_epochs else run.recipe.get("fit", {}).get("thresholds", {})
        lacking = [head.name for head in run.task.heads if head.multi and head.name not in found]
        if lacking or not found:
            raise InputError(
                f"{run.path} holds no thresholds for {lacking or 'any head'}: they are found out of fold for multi-label heads on frozen features"
            )
        for name, values in found.items():
            limits = np.array(
                [values[one] for one in next(head for head in run.task.heads if head.name == name).classes]
            )
            shifts[name] = shifts.get(name, 0) - _log_odds(limits, True)
    return shifts


def _wanted_mix(run, head, prior):
    """float `(classes,)`; None = leave the head as it is."""
    if prior is None or (head.multi and prior == "uniform"):
        return None
    if prior == "train":
        return np.array([run.recipe["prior"][head.name]["train"][name] for name in head.classes])
    if prior == "uniform":
        return np.full(len(head.classes), 1 / len(head.classes))
    mix = _mix_of(run.task, head, prior)
    if mix is None:
        return None
    unknown, missing = (
        [name for name in mix if name not in head.classes],
        [name for name in head.classes if name not in mix],
    )
    problems = [f"class {name!r} is unknown to head {head.name!r}" for name in unknown] + [
        f"class {name!r} has no share" for name in missing
    ]
    problems += [
        f"class {name!r}: share {share!r}, expected a number of 0 or more"
        for name, share in mix.items()
        if not _is_share(share)
    ]
    refuse(f"the prior does not fit head {head.name!r}", problems)
    values = np.array([float(mix[name]) for name in head.classes])
    if head.multi and values.max() > 1 or not values.sum() > 0:
        raise InputError(
            f"the prior of head {head.name!r}: shares {values.tolist()}, expected {'0..1 each' if head.multi else 'a sum above 0'}"
        )
    return values if head.multi else values / values.sum()


def _mix_of(task, head, prior):
    """{class: share} of one head; None = the prior speaks of other heads."""
    if not isinstance(prior, dict) or not prior:
        raise InputError(
            f"prior {prior!r}: expected 'train', 'uniform', a mapping {{class: share}} or {{head: {{class: share}}}}"
        )
    if all(isinstance(shares, dict) for shares in prior.values()):
        refuse(
            "the prior names heads that the run does not have",
            [repr(name) for name in prior if name not in task.slices],
        )
        return prior.get(head.name)
    fitting = [one for one in task.heads if set(one.classes) & set(prior)] or task.heads
    return prior if head in fitting else None


def _is_share(share):
    return isinstance(share, (int, float)) and not isinstance(share, bool) and np.isfinite(share) and share >= 0


def _log_odds(shares, multi):
    shares = shares.clip(1e-6, 1 - 1e-6)
    return np.log(shares) - (np.log1p(-shares) if multi else 0)
