"""`predict`: runs and a catalog -> a predictions table, each run with its own recipe, the mean of all."""

import tempfile
from pathlib import Path

import pandas as pd

from kfashion_utils.errors import InputError
from kfashion_utils.images.prepare import prepare
from kfashion_utils.images.recipe import Preprocess
from kfashion_utils.models.zero_shot import zero_shot
from kfashion_utils.output import say
from kfashion_utils.runs.run import Run, load_run
from kfashion_utils.tables.beside import with_failures, with_pictures, with_provenance
from kfashion_utils.tables.catalog import complete_catalog
from kfashion_utils.tables.predictions import average_photos, ensemble, prediction_table
from kfashion_utils.tables.tasks import resolve_task
from kfashion_utils.training.answer import answer, look_at
from kfashion_utils.training.batches import Batches
from kfashion_utils.training.prior import shift_scores, wanted_shifts

LACKING_MARGIN = 0.05  # how much larger the share of pictures without the recipe's region may be than in training


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
        rows: one answer a row; False = one a photo, the mean of its rows. Heads whose labels differed between the rows
            of a photo in training are answered by row in any case: the table then has all rows.
        prior: the class mix that is expected of these pictures: `train` = as in training, `uniform` = every class as
            often, {class: share}, or {head: {class: share}}; None = what the model's own answers assume. Shifts
            log-probabilities (Saerens et al. 2002, eq. 2.4).
        thresholds: decide each class of a multi-label head where its F1 was best out of fold in training: its log-odds
            are shifted so that 0.5 decides.
        allow_missing_regions: predict although more pictures lack the recipe's box or polygon than did in training.
        cache: folder of caches; None = the one that a run was trained with, where it is there, else nothing is kept.

    Returns:
        predictions DataFrame `id, photo, <head>…`, and a probability a class. Pictures that could not be read have no
        row; they are in `predictions.attrs["failures"]` (DataFrame `id, path, reason, detail, photo`);
        `attrs["provenance"]` says which annotation, finders and weights each run used and which mix of classes it
        learned, `attrs["pictures"]` (DataFrame `id, path`) where the pictures lie that their ids do not tell.

    Raises:
        InputError: no such rows, a run that is not finished, tasks of the runs that differ, regions missing, no picture
            readable.
    """
    runs = _loaded(runs)
    chosen = _chosen_rows(catalog, split)
    shifts = [wanted_shifts(run, prior, thresholds) for run in runs]
    if not allow_missing_regions:
        for run in runs:
            _require_regions(run, chosen)
    tables, failures = [], []
    for run, shift in zip(runs, shifts, strict=True):
        table, rejected = _answers(run, shift, chosen, root, cache, workers, progress)
        tables.append(table)
        failures.append(rejected)
    table = ensemble(_common_rows(tables))
    table = table if rows else average_photos(table, _answered_by_row(runs))
    rejected = pd.concat(failures).drop_duplicates("id").sort_values("id", ignore_index=True)
    facts = {
        "prior": prior,
        "thresholds": thresholds,
        "by_row": _answered_by_row(runs),
        "runs": [_provenance(run, chosen) for run in runs],
    }
    return with_provenance(_with_rows(table, chosen, rejected), facts)


def _answered_by_row(runs):
    """Names of the heads that a run answers by row, a list."""
    return list(dict.fromkeys(name for run in runs for name in run.by_row))


def _loaded(runs):
    """Finished Runs of one task, a list.

    Raises:
        InputError: none, one that is not finished, tasks that differ.
    """
    runs = runs if isinstance(runs, (list, tuple)) else [runs]
    runs = [run if isinstance(run, Run) else load_run(run) for run in runs]
    if not runs:
        raise InputError("name at least one run folder")
    first = runs[0]
    for run in runs:
        run.require_weights()  # now, not when all pictures are prepared
        if run.task.columns != first.task.columns:
            raise InputError(
                f"{run.path} answers {run.task.columns[:4]}…, {first.path} {first.task.columns[:4]}…; "
                "only runs of one task can be averaged"
            )
    return runs


def _answers(run, shift, chosen, root, cache, workers, progress):
    """(predictions of one run, one row a catalog row; failures DataFrame)."""
    with tempfile.TemporaryDirectory() as scratch:
        place = cache or _own_cache(run) or scratch
        prepared, readable = _prepared_rows(chosen, root, place, run.preprocess, workers, progress)
        scores = answer(run, look_at(prepared, readable["id"]))
    table = prediction_table(run.task, readable, shift_scores(run.task, scores, shift))
    return table, prepared.failures


def _own_cache(run):
    """The folder of caches that a run was trained with; None = it is not known, or not here."""
    cache = run.record.cache
    return cache if cache and Path(cache).is_dir() else None


def _common_rows(tables):
    """The rows that every table has."""
    common = set.intersection(*(set(table["id"]) for table in tables))
    if not common:
        raise InputError(f"no picture could be prepared for every one of {len(tables)} runs")
    return [table[table["id"].isin(common)].reset_index(drop=True) for table in tables]


def _provenance(run, rows):
    """What one run read of these rows, so that a board's rules can be checked: who found the regions in training, and
    who found these."""
    here = rows["region"].replace("", "none").value_counts(normalize=True).round(4).to_dict()
    return {
        "run": run.path.name,
        "backbone": run.config.backbone,
        "weights": run.config.start.name,
        "weights_sha256": run.weights_sha256,
        "crop": run.preprocess.crop,
        "mask": run.preprocess.mask,
        "reads_regions": run.preprocess.reads_regions,
        "regions_in_training": run.regions,
        "regions_here": here,
        **_learned_mix(run),
    }


def _learned_mix(run):
    """{"training_mix": {head: {class: share of the training rows}}}; empty for a run of an older version."""
    if run.prior is None:
        return {}
    return {"training_mix": {name: mixes["train"] for name, mixes in run.prior.items()}}


def _with_rows(table, rows, failures):
    """Predictions with what only the catalog's rows tell beside them: which could not be read, and where they lie."""
    photos = rows.set_index("id")["photo"]
    return with_pictures(with_failures(table, failures.assign(photo=failures["id"].map(photos))), rows)


def predict_zero_shot(
    preset,
    catalog,
    root,
    *,
    task=None,
    labels=None,
    preprocess=None,
    split=None,
    rows=False,
    prompts=None,
    cache=None,
    workers=None,
    progress=True,
):
    """Answers without any training: an encoder that reads pictures and text compares each picture with the names of the
    classes.

    Args:
        preset: of KerasHub, `hub:clip_vit_base_patch32` and the like; `encoders.presets(text=True)` lists them.
        catalog, root, split, rows, cache, workers: as in `predict`.
        task: a Task, a name, a file, or None = from the label columns.
        labels: names of the label columns to answer, as in `train`.
        preprocess: the recipe for pixels; None = the default one.
        prompts: {head: {class: sentences}}; None = built from the class names and their English glosses.

    Returns:
        predictions DataFrame, with `attrs["failures"]` as `predict` gives.

    Raises:
        InputError: as `predict`; KerasHub missing, no such preset, or one that reads no text.
    """
    chosen = _chosen_rows(catalog, split)
    task = resolve_task(task, chosen, labels, learned=False)
    with tempfile.TemporaryDirectory() as scratch:
        preprocess = preprocess or Preprocess()
        prepared, readable = _prepared_rows(chosen, root, cache or scratch, preprocess, workers, progress)
        scores = zero_shot(preset, task, Batches(prepared, readable["id"]), prompts)
        table = prediction_table(task, readable, scores)
    table = table if rows else average_photos(table)
    return _with_rows(table, chosen, prepared.failures)


# Rows and regions -----------------------------------------------------------------------------------------------------


def _chosen_rows(catalog, split):
    catalog = complete_catalog(catalog)
    chosen = catalog if split is None else catalog[catalog["split"] == split]
    if chosen.empty:
        counts = catalog["split"].replace("", "(none)").value_counts().to_dict()
        raise InputError(f"the catalog has no row with split {split!r}; it has {counts}")
    return chosen


def _prepared_rows(chosen, root, cache, preprocess, workers, progress):
    """(PreparedImages, the rows among `chosen` that could be read)."""
    prepared = prepare(chosen, root, cache, preprocess, workers, progress=progress)
    if progress and len(prepared.failures):
        say(prepared.summary_of_failures)
    readable = chosen[chosen["id"].isin(prepared.ids)]
    if readable.empty:
        first = " ".join(prepared.failures.iloc[0])
        raise InputError(f"none of {len(chosen):,} pictures below {root} could be read; the first: {first}")
    return prepared, readable


def _require_regions(run, catalog):
    lacking = float(run.preprocess.lacking(catalog).mean())
    if lacking > run.lacking + LACKING_MARGIN:
        raise InputError(
            f"{lacking:.0%} of the pictures lack the region that {run.path} reads (crop {run.preprocess.crop}, "
            f"mask {run.preprocess.mask}); in training it was {run.lacking:.0%}. Fill the catalog's box, polygon and "
            "region columns first, or predict all the same with allow_missing_regions=True"
        )
