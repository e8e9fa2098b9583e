"""The operating point: answers for another mix of classes, or with other thresholds."""

import numpy as np

from kfashion_utils.errors import InputError, refuse

LEAST_SHARE = 1e-6  # of a class, for which a shift is computed


def shift_scores(task, scores, shifts):
    """Flat probabilities whose log-odds are moved: softmax heads are normalised again, multi-label ones class by class.

    Args:
        scores: float `(n, num_classes)`.
        shifts: {head: float `(classes,)`}, added to log-probabilities or, for several labels, to log-odds; heads left
            out stay as they are.
    """
    scores = np.array(scores, float)
    for head in task.heads:
        if head.name in shifts:
            part = scores[:, task.slices[head.name]]
            part[:] = head.probabilities(head.log_odds(part) + shifts[head.name])
    return scores


def wanted_shifts(run, prior, thresholds):
    """{head: shift} of one run for the wanted class mix and thresholds.

    Raises:
        InputError: the run does not know its own mix or thresholds, or the prior does not fit its heads.
    """
    if prior is not None and run.prior is None:
        raise InputError(
            f"{run.path} does not say which class mix it learned (it is of an older version); "
            "train it again, or predict without a prior"
        )
    shifts = {}
    for head in run.task.heads:
        wanted = _wanted_mix(run, head, prior)
        if wanted is not None:
            shifts[head.name] = _log_odds(head, wanted) - _log_odds(head, _mix_in(run, head, "model"))
    return _with_thresholds(run, shifts) if thresholds else shifts


def _with_thresholds(run, shifts):
    """Shifts after which 0.5 decides where the thresholds of a run do."""
    found = {} if run.config.fine_tune_epochs else run.fit.get("thresholds", {})
    lacking = [head.name for head in run.task.multi_label if head.name not in found]
    if lacking or not found:
        raise InputError(
            f"{run.path} holds no thresholds for {lacking or 'any head'}: "
            "they are found out of fold for multi-label heads on frozen features"
        )
    moved = dict(shifts)
    for head in run.task.multi_label:
        limits = np.array([found[head.name][name] for name in head.classes])
        moved[head.name] = moved.get(head.name, 0) - _log_odds(head, limits)
    return moved


def _mix_in(run, head, which):
    """The class mix `train` or `model` in a run's record, float `(classes,)`."""
    return np.array([run.prior[head.name][which][name] for name in head.classes])


def _log_odds(head, shares):
    return head.log_odds(shares.clip(max=1 - LEAST_SHARE), LEAST_SHARE)


def _wanted_mix(run, head, prior):
    """float `(classes,)`; None = leave the head as it is."""
    if prior is None:
        return None
    if prior == "train":
        return _mix_in(run, head, "train")
    if prior == "uniform":
        return head.even_mix
    mix = _mix_of(run.task, head, prior)
    if mix is None:
        return None
    spelled = {name: head.spelled(name) if isinstance(name, str) else name for name in mix}
    if len(set(spelled.values())) == len(mix):  # else two of its names are one class, and none stands for it
        mix = {spelled[name]: share for name, share in mix.items()}
    refuse(f"the prior does not fit head {head.name!r}", _problems_of_mix(head, mix))
    return head.settle_mix([float(mix[name]) for name in head.classes])


def _problems_of_mix(head, mix):
    yield from (f"class {name!r} is unknown to head {head.name!r}" for name in mix if name not in head.classes)
    yield from (f"class {name!r} has no share" for name in head.classes if name not in mix)
    for name, share in mix.items():
        if not _is_share(share):
            yield f"class {name!r}: share {share!r}, expected a number of 0 or more"


def _mix_of(task, head, prior):
    """{class: share} of one head; None = the prior speaks of other heads."""
    if not isinstance(prior, dict) or not prior:
        raise InputError(
            f"prior {prior!r}: expected 'train', 'uniform', a mapping {{class: share}} or {{head: {{class: share}}}}"
        )
    if all(isinstance(shares, dict) for shares in prior.values()):
        unknown = [repr(name) for name in prior if name not in task.slices]
        refuse("the prior names heads that the run does not have", unknown)
        return prior.get(head.name)
    names = [name for name in prior if isinstance(name, str)]
    fitting = [one for one in task.heads if set(one.classes) & set(map(one.spelled, names))] or task.heads
    return prior if head in fitting else None


def _is_share(share):
    return isinstance(share, (int, float)) and not isinstance(share, bool) and np.isfinite(share) and share >= 0
