"""`predict`: runs and a catalog -> a predictions table, each run with its own recipe, the mean of all."""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit, softmax

from kfashion_utils.catalog import complete_catalog
from kfashion_utils.errors import InputError, refuse
from kfashion_utils.evaluation import average_photos, ensemble
from kfashion_utils.hub import zero_shot
from kfashion_utils.inputs import Batches, view_names
from kfashion_utils.models import load_trained
from kfashion_utils.pixels import Preprocess
from kfashion_utils.preprocess import preprocess_images
from kfashion_utils.runs import Run, load_run, provenance_path
from kfashion_utils.storage import finished_file, write_json
from kfashion_utils.tasks import resolve_task

LACKING_MARGIN = 0.05  # how much larger the share of pictures without the recipe's region may be than it was in training
DIGITS = 7


def predict(
    runs, catalog, root, *, split=None, rows=False, prior=None, thresholds=False, allow_missing_regions=False, cache=None, workers=None, progress=True
):
    """Answers for the rows of a catalog.

    Args:
        runs: a Run, a path, or several of them; several are averaged.
        catalog: DataFrame of the column contract; labels are not needed.
        root: folder that its paths are relative to.
        split: only these rows (`train`, `valid`, `test`); None = all.
        rows: one answer a row; False = one a photo, the mean of its rows.
        prior: the class mix that is expected of these pictures: `train` = as in training, `uniform` = every class as often, {class: share},
            or {head: {class: share}}; None = what the model's own answers assume. Shifts log-probabilities (Saerens et al. 2002, eq. 2.4).
        thresholds: decide each class of a multi-label head where its F1 was best out of fold in training: its log-odds are shifted so that
            0.5 decides.
        allow_missing_regions: predict although more pictures lack the recipe's box or polygon than did in training.
        cache: folder of caches; None = nothing is kept.

    Returns:
        predictions DataFrame `id, photo, <head>…, <head>:<class>…`. Pictures that could not be read have no row; they are in
        `predictions.attrs["failures"]` (DataFrame `id, path, reason, detail`); `attrs["provenance"]` says which annotation, finders and weights
        each run used.

    Raises:
        InputError: no such rows, a run that is not finished, tasks of the runs that differ, regions missing, no picture readable.
    """
    runs = [run if isinstance(run, Run) else load_run(run) for run in (runs if isinstance(runs, (list, tuple)) else [runs])]
    if not runs:
        raise InputError("name at least one run folder")
    _require_one_task(runs)
    chosen = _chosen_rows(catalog, split)
    shifts = [_shifts(run, prior, thresholds) for run in runs]
    if not allow_missing_regions:
        for run in runs:
            _require_regions(run, chosen)
    tables, failures = [], []
    for run, shift in zip(runs, shifts, strict=True):
        with tempfile.TemporaryDirectory() as scratch:
            prepared, readable = _prepared_rows(chosen, root, cache or scratch, run.preprocess, workers, progress)
            scores = predict_views(load_trained(run), prepared, readable["id"], run.config.judged_views)
        tables.append(prediction_table(run.task, readable, shift_scores(run.task, scores, shift)))
        failures.append(prepared.failures)
    common = set.intersection(*(set(table["id"]) for table in tables))
    if not common:
        raise InputError(f"no picture could be prepared for every one of {len(runs)} runs")
    table = ensemble([table[table["id"].isin(common)].reset_index(drop=True) for table in tables])
    table = table if rows else average_photos(table)
    table.attrs["failures"] = pd.concat(failures).drop_duplicates("id").sort_values("id", ignore_index=True)
    table.attrs["provenance"] = {"prior": prior, "thresholds": thresholds, "runs": [_provenance(run, chosen) for run in runs]}
    return table


def _provenance(run, rows):
    """What one run read of these rows, so that a board's rules can be checked: who found the regions in training, and who found these."""
    here = rows["region"].replace("", "none").value_counts(normalize=True).round(4).to_dict()
    recipe = {name: getattr(run.preprocess, name) for name in ("crop", "mask")}
    weights = {"weights": Path(run.config.weights or "none").name, "weights_sha256": run.recipe.get("weights_sha256")}
    reads = run.preprocess.reads_regions
    return {"run": run.path.name, "backbone": run.config.backbone, **weights, **recipe, "reads_regions": reads, "regions_in_training": run.recipe["regions"], "regions_here": here}


def predict_zero_shot(
    preset, catalog, root, *, task=None, preprocess=None, split=None, rows=False, prompts=None, cache=None, workers=None, progress=True
):
    """Answers without any training: an encoder that reads pictures and text compares each picture with the names of the classes.

    Args:
        preset: of KerasHub, `hub:clip_vit_base_patch32` and the like; `hub.presets(text=True)` lists them.
        catalog, root, split, rows, cache, workers: as in `predict`.
        task: a Task, a name, a file, or None = from the label columns.
        preprocess: the recipe for pixels; None = the default one.
        prompts: {head: {class: sentences}}; None = built from the class names and their English glosses.

    Returns:
        predictions DataFrame, with `attrs["failures"]` as `predict` gives.

    Raises:
        InputError: as `predict`; KerasHub missing, no such preset, or one that reads no text.
    """
    chosen = _chosen_rows(catalog, split)
    task = resolve_task(task, chosen)
    with tempfile.TemporaryDirectory() as scratch:
        prepared, readable = _prepared_rows(chosen, root, cache or scratch, preprocess or Preprocess(), workers, progress)
        table = prediction_table(task, readable, zero_shot(preset, task, Batches(prepared, readable["id"]), prompts))
    table = table if rows else average_photos(table)
    table.attrs["failures"] = prepared.failures
    return table


def _chosen_rows(catalog, split):
    catalog = complete_catalog(catalog)
    chosen = catalog if split is None else catalog[catalog["split"] == split]
    if chosen.empty:
        counts = catalog["split"].replace("", "(none)").value_counts().to_dict()
        raise InputError(f"the catalog has no row with split {split!r}; it has {counts}")
    return chosen


def _prepared_rows(chosen, root, cache, preprocess, workers, progress):
    """(PreparedImages, the rows among `chosen` that could be read)."""
    prepared = preprocess_images(chosen, root, cache, preprocess, workers=workers, progress=progress)
    readable = chosen[chosen["id"].isin(prepared.ids)]
    if readable.empty:
        raise InputError(f"none of {len(chosen):,} pictures below {root} could be read; the first: {' '.join(prepared.failures.iloc[0])}")
    return prepared, readable


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


def _shifts(run, prior, thresholds):
    """{head: shift} of one run for the wanted class mix and thresholds."""
    shifts = {}
    known = run.recipe.get("prior")
    if prior is not None and known is None:
        raise InputError(f"{run.path} does not say which class mix it learned (it is of an older version); train it again, or predict without a prior")
    for head in run.task.heads:
        wanted = _wanted_mix(run, head, prior)
        if wanted is not None:
            assumed = np.array([known[head.name]["model"][name] for name in head.classes])
            shifts[head.name] = _log_odds(wanted, head.multi) - _log_odds(assumed, head.multi)
    if thresholds:
        found = {} if run.config.fine_tune_epochs else run.recipe.get("fit", {}).get("thresholds", {})
        lacking = [head.name for head in run.task.heads if head.multi and head.name not in found]
        if lacking or not found:
            raise InputError(f"{run.path} holds no thresholds for {lacking or 'any head'}: they are found out of fold for multi-label heads on frozen features")
        for name, values in found.items():
            limits = np.array([values[one] for one in next(head for head in run.task.heads if head.name == name).classes])
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
    unknown, missing = [name for name in mix if name not in head.classes], [name for name in head.classes if name not in mix]
    problems = [f"class {name!r} is unknown to head {head.name!r}" for name in unknown] + [f"class {name!r} has no share" for name in missing]
    problems += [f"class {name!r}: share {share!r}, expected a number of 0 or more" for name, share in mix.items() if not _is_share(share)]
    refuse(f"the prior does not fit head {head.name!r}", problems)
    values = np.array([float(mix[name]) for name in head.classes])
    if head.multi and values.max() > 1 or not values.sum() > 0:
        raise InputError(f"the prior of head {head.name!r}: shares {values.tolist()}, expected {'0..1 each' if head.multi else 'a sum above 0'}")
    return values if head.multi else values / values.sum()


def _mix_of(task, head, prior):
    """{class: share} of one head; None = the prior speaks of other heads."""
    if not isinstance(prior, dict) or not prior:
        raise InputError(f"prior {prior!r}: expected 'train', 'uniform', a mapping {{class: share}} or {{head: {{class: share}}}}")
    if all(isinstance(shares, dict) for shares in prior.values()):
        refuse("the prior names heads that the run does not have", [repr(name) for name in prior if name not in task.slices])
        return prior.get(head.name)
    fitting = [one for one in task.heads if set(one.classes) & set(prior)] or task.heads
    return prior if head in fitting else None


def _is_share(share):
    return isinstance(share, (int, float)) and not isinstance(share, bool) and np.isfinite(share) and share >= 0


def _log_odds(shares, multi):
    shares = shares.clip(1e-6, 1 - 1e-6)
    return np.log(shares) - (np.log1p(-shares) if multi else 0)


# Rows and regions -----------------------------------------------------------------------------------------------------


def _require_one_task(runs):
    for run in runs[1:]:
        if run.task.columns != runs[0].task.columns:
            raise InputError(f"{run.path} answers {run.task.columns[:4]}…, {runs[0].path} {runs[0].task.columns[:4]}…; only runs of one task can be averaged")


def _require_regions(run, catalog):
    lacking, before = float(run.preprocess.lacking(catalog).mean()), run.recipe.get("lacking", 0.0)
    if lacking > before + LACKING_MARGIN:
        raise InputError(
            f"{lacking:.0%} of the pictures lack the region that {run.path} reads (crop {run.preprocess.crop}, mask {run.preprocess.mask}); in training "
            f"it was {before:.0%}. Fill the catalog's box, polygon and region columns first, or predict all the same with --allow-missing-regions"
        )


def predict_views(model, prepared, ids, count):
    """float32 `(n, num_classes)`: the mean over the first `count` views of each picture (see `inputs.view_names`)."""
    return np.mean([Batches(prepared, ids, view=view).predict(model) for view in view_names(count)], axis=0)


def prediction_table(task, rows, scores):
    """Catalog rows and flat probabilities in the same order -> predictions."""
    labels = task.decode(scores)
    head = pd.DataFrame({"id": rows["id"].to_numpy(object), "photo": rows["photo"].to_numpy(object)})
    return pd.concat([head, labels, pd.DataFrame(scores.astype(float), columns=task.columns)], axis=1)


def write_predictions(predictions, path):
    """Write a predictions table, probabilities with seven significant digits; its provenance, if it has one, goes into `<name>.provenance.json`."""
    with finished_file(path) as temporary:
        predictions.to_csv(temporary, index=False, lineterminator="\n", float_format=f"%.{DIGITS}g")
    if "provenance" in predictions.attrs:
        write_json(provenance_path(path), predictions.attrs["provenance"])
