"""`predict`: runs and a catalog -> a predictions table, each run with its own recipe, the mean of all."""

import tempfile

import numpy as np
import pandas as pd

from kfashion_utils.catalog import complete_catalog
from kfashion_utils.errors import InputError
from kfashion_utils.evaluation import average_photos, ensemble
from kfashion_utils.inputs import Batches
from kfashion_utils.models import load_trained
from kfashion_utils.preprocess import preprocess_images
from kfashion_utils.runs import Run, load_run
from kfashion_utils.storage import finished_file

LACKING_MARGIN = 0.05  # how much larger the share of pictures without the recipe's region may be than it was in training
DIGITS = 7


def predict(runs, catalog, root, *, split=None, rows=False, allow_missing_regions=False, cache=None, workers=None, progress=True):
    """Answers for the rows of a catalog.

    Args:
        runs: a Run, a path, or several of them; several are averaged.
        catalog: DataFrame of the column contract; labels are not needed.
        root: folder that its paths are relative to.
        split: only these rows (`train`, `valid`, `test`); None = all.
        rows: one answer a row; False = one a photo, the mean of its rows.
        allow_missing_regions: predict although more pictures lack the recipe's box or polygon than did in training.
        cache: folder of caches; None = nothing is kept.

    Returns:
        predictions DataFrame `id, photo, <head>…, <head>:<class>…`. Pictures that could not be read have no row; they are in
        `predictions.attrs["failures"]` (DataFrame `id, path, reason, detail`).

    Raises:
        InputError: no such rows, a run that is not finished, tasks of the runs that differ, regions missing, no picture readable.
    """
    runs = [run if isinstance(run, Run) else load_run(run) for run in (runs if isinstance(runs, (list, tuple)) else [runs])]
    if not runs:
        raise InputError("name at least one run folder")
    _require_one_task(runs)
    catalog = complete_catalog(catalog)
    chosen = catalog if split is None else catalog[catalog["split"] == split]
    if chosen.empty:
        counts = catalog["split"].replace("", "(none)").value_counts().to_dict()
        raise InputError(f"the catalog has no row with split {split!r}; it has {counts}")
    if not allow_missing_regions:
        for run in runs:
            _require_regions(run, chosen)
    tables, failures = [], []
    for run in runs:
        with tempfile.TemporaryDirectory() as scratch:
            prepared = preprocess_images(chosen, root, cache or scratch, run.preprocess, workers=workers, progress=progress)
            readable = chosen[chosen["id"].isin(prepared.ids)]
            if readable.empty:
                raise InputError(f"none of {len(chosen):,} pictures below {root} could be read; the first: {' '.join(prepared.failures.iloc[0])}")
            scores = predict_flat(load_trained(run), Batches(prepared, readable["id"]))
        tables.append(prediction_table(run.task, readable, scores))
        failures.append(prepared.failures)
    common = set.intersection(*(set(table["id"]) for table in tables))
    if not common:
        raise InputError(f"no picture could be prepared for every one of {len(runs)} runs")
    table = ensemble([table[table["id"].isin(common)].reset_index(drop=True) for table in tables])
    table = table if rows else average_photos(table)
    table.attrs["failures"] = pd.concat(failures).drop_duplicates("id").sort_values("id", ignore_index=True)
    return table


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


def predict_flat(model, batches):
    """float32 `(n, num_classes)` for all pictures of `batches`, in order."""
    return np.asarray(model.predict(batches, verbose=0))


def prediction_table(task, rows, scores):
    """Catalog rows and flat probabilities in the same order -> predictions."""
    labels = task.decode(scores)
    head = pd.DataFrame({"id": rows["id"].to_numpy(object), "photo": rows["photo"].to_numpy(object)})
    return pd.concat([head, labels, pd.DataFrame(scores.astype(float), columns=task.columns)], axis=1)


def write_predictions(predictions, path):
    """Write a predictions table; probabilities with seven significant digits."""
    with finished_file(path) as temporary:
        predictions.to_csv(temporary, index=False, lineterminator="\n", float_format=f"%.{DIGITS}g")
