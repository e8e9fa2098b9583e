"""Whether a run's folder holds this training, done or to be continued, or another one."""

import json

from kfashion_utils.errors import InputError, refuse
from kfashion_utils.runs.config import MAY_GROW

IDENTITY = (
    "task",
    "preprocess",
    "train",
    "split",
    "weights_sha256",
    "catalog",
)  # keys of run.json that make a training
GROWING = ("constant", "step")  # schedules that look neither at how many epochs there are nor at how the last ones went
SHOWN = 120  # characters of a value


def is_done(run, record):
    """Compare a record with the one in the run's folder; True = finished, False = there is something to do.

    Raises:
        InputError: the folder holds other things, or a run of another recipe or catalog (with what differs).
    """
    if not run.exists:
        others = run.path.iterdir() if run.path.exists() else ()
        if any(not path.name.startswith(".") for path in others):  # dots: what a killed writer left
            raise InputError(f"{run.path} is neither empty nor a run folder; choose another folder for the run")
        return False
    refuse(
        f"{run.path} holds a run of another recipe; choose another folder, or repeat the old recipe",
        differences(run.record.to_json(), record.to_json()),
    )
    grown = [name for name in MAY_GROW if getattr(run.config, name) != getattr(record.config, name)]
    return run.finished and not grown


def differences(before, now):
    """Yield in words what of a training's identity differs between the values of two records."""
    for part in IDENTITY:
        old, new = before.get(part), now[part]
        if old == new:
            continue
        if isinstance(new, dict) and isinstance(old, dict):
            yield from _differing_keys(part, before, now)
        else:
            yield f"{part}: {old} there, {new} now"


def _differing_keys(part, before, now):
    old, new = before[part], now[part]
    same_weights = now["weights_sha256"] and before.get("weights_sha256") == now["weights_sha256"]
    for key in sorted(set(old) | set(new)):
        if old.get(key) == new.get(key):
            continue
        if part == "train" and (_may_grow(key, old, new) or (key == "weights" and same_weights)):
            continue  # the same file under another path is the same start
        yield f"{part}.{key}: {_short(old.get(key))} there, {_short(new.get(key))} now"


def _may_grow(key, old, new):
    """More epochs are no other recipe: those of a classifier while nothing was fine-tuned after it, those of
    fine-tuning always."""
    alone = key == "fine_tune_epochs" or not new["fine_tune_epochs"]
    return key in MAY_GROW and alone and new["schedule"] in GROWING and new[key] > old.get(key, 0)


def _short(value):
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "…"
