"""`predict`: runs and a catalog -> a predictions table, each run with its own recipe, the mean of all."""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from kfashion_utils.errors import InputError
from kfashion_utils.images.augment import view_names
from kfashion_utils.images.prepare import preprocess_images
from kfashion_utils.images.recipe import Preprocess
from kfashion_utils.models.encoders import zero_shot
from kfashion_utils.models.model import load_trained
from kfashion_utils.runs.run import Run, load_run
from kfashion_utils.tables.catalog import complete_catalog
from kfashion_utils.tables.predictions import average_photos, ensemble, prediction_table
from kfashion_utils.tables.tasks import resolve_task
from kfashion_utils.training.batches import Batches
from kfashion_utils.training.prior import shift_scores, wanted_shifts

LACKING_MARGIN = (
    0.05  # how much larger the share of pictures without the recipe's region may be than it was in training
)


def predict(
    runs,
    catalog,
    root,
    *,
    split=None,
    rows=False,
    prior=None,
    thresholds=False,
    allow_missing_regions=False,
    cache=None,
    workers=None,
    progress=True,
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
    runs = [
        run if isinstance(run, Run) else load_run(run) for run in (runs if isinstance(runs, (list, tuple)) else [runs])
    ]
    if not runs:
        raise InputError("name at least one run folder")
    _require_one_task(runs)
    chosen = _chosen_rows(catalog, split)
    shifts = [wanted_shifts(run, prior, thresholds) for run in runs]
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
    table.attrs["provenance"] = {
        "prior": prior,
        "thresholds": thresholds,
        "runs": [_provenance(run, chosen) for run in runs],
    }
    return table


def _provenance(run, rows):
    """What one run read of these rows, so that a board's rules can be checked: who found the regions in training, and who found these."""
    here = rows["region"].replace("", "none").value_counts(normalize=True).round(4).to_dict()
    recipe = {name: getattr(run.preprocess, name) for name in ("crop", "mask")}
    weights = {"weights": Path(run.config.weights or "none").name, "weights_sha256": run.recipe.get("weights_sha256")}
    reads = run.preprocess.reads_regions
    return {
        "run": run.path.name,
        "backbone": run.config.backbone,
        **weights,
        **recipe,
        "reads_regions": reads,
        "regions_in_training": run.recipe["regions"],
        "regions_here": here,
    }


def predict_zero_shot(
    preset,
    catalog,
    root,
    *,
    task=None,
    preprocess=None,
    split=None,
    rows=False,
    prompts=None,
    cache=None,
    workers=None,
    progress=True,
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
        prepared, readable = _prepared_rows(
            chosen, root, cache or scratch, preprocess or Preprocess(), workers, progress
        )
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
        raise InputError(
            f"none of {len(chosen):,} pictures below {root} could be read; the first: {' '.join(prepared.failures.iloc[0])}"
        )
    return prepared, readable


# Rows and regions -----------------------------------------------------------------------------------------------------


def _require_one_task(runs):
    for run in runs[1:]:
        if run.task.columns != runs[0].task.columns:
            raise InputError(
                f"{run.path} answers {run.task.columns[:4]}…, {runs[0].path} {runs[0].task.columns[:4]}…; only runs of one task can be averaged"
            )


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
