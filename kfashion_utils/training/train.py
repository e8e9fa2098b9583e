"""`train`: a catalog and a recipe -> a run folder. Calling it again continues from the last whole epoch, or returns
what is done.

Frozen features are computed once and a classifier is fitted on them (`frozen.py`); then, if asked for, the whole
network is fine-tuned (`fine_tuning.py`). Whatever is random is a function of (seed, epoch), so an interrupted training
goes on exactly.
"""

import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from kfashion_utils.errors import InputError, refuse
from kfashion_utils.evaluation.figures import describe, evaluate
from kfashion_utils.images.prepare import preprocess_images
from kfashion_utils.images.recipe import BOX, Preprocess
from kfashion_utils.models.model import build_model, load_trained
from kfashion_utils.output import say
from kfashion_utils.runs.backbones import find_backbone
from kfashion_utils.runs.config import TrainConfig
from kfashion_utils.runs.identity import is_done
from kfashion_utils.runs.run import LEARNED, TABLES, WEIGHTS, Run
from kfashion_utils.runs.weights import HUB
from kfashion_utils.storage.colab import require_mounted
from kfashion_utils.storage.files import hash_file, make_folder, only_one, write_json
from kfashion_utils.tables.catalog import check_catalog, complete_catalog, write_catalog
from kfashion_utils.tables.labels import ANNOTATION
from kfashion_utils.tables.predictions import head_scores, prediction_table, read_predictions, write_predictions
from kfashion_utils.tables.tasks import label_columns, resolve_task
from kfashion_utils.training.answer import look_at, mean_answers
from kfashion_utils.training.devices import OutOfMemory, device_scope, precision_of, require_devices
from kfashion_utils.training.fine_tuning import fine_tune
from kfashion_utils.training.frozen import fit_frozen, frozen_answers
from kfashion_utils.training.loaded import LoadedRun
from kfashion_utils.training.loop import publish, write_history
from kfashion_utils.training.record import make_record
from kfashion_utils.training.requirements import (
    require_polygons,
    require_recipe,
    require_regions,
    require_rows,
    require_span,
    require_splits,
)
from kfashion_utils.training.rows import Rows, Setup
from kfashion_utils.training.start import starting_weights

OUT_OF_FOLD = "out_of_fold.csv"
FITS = "batch_size"  # in a run's `fit`, where a smaller batch than asked for is what fits into the memory
SAME = 1e-4  # probabilities that differ by less, on every picture, are the same answer


def train(
    catalog=None,
    root=None,
    run=None,
    *,
    preprocess=None,
    config=None,
    task=None,
    labels=None,
    split="train",
    cache=None,
    workers=None,
    devices=None,
    progress=True,
    on_epoch=None,
):
    """Train one model.

    Args:
        catalog: DataFrame with `train` and `valid` rows; None = `run` goes on with what it was begun with (rows, root,
            recipe, cache), but for what is given.
        root: folder that its paths are relative to.
        run: the run's folder; made, continued, or returned if it is finished.
        preprocess, config: the recipe; None = the defaults.
        task: a Task, a name, a file, or None = from the label columns.
        labels: names of the label columns to learn; None = those named like a known head, or the only one.
        split: `train` = learn from the train rows, judge the valid ones; `all` = the final fit: learn from both, and
            judge each row by classifiers that did not see its group (out of fold). Frozen features only.
        cache: folder of caches for prepared pictures and features; None = `cache` beside the run's folder.
        workers: processes that prepare pictures; None = one a core.
        devices: `all` = fine-tune data-parallel on every GPU (`tf.distribute.MirroredStrategy`; batches are cut up, the
            losses are those of one device), `gpu` = refuse to train without a GPU; None = the first GPU, or the CPU.
        progress: say what is done, one line an epoch.
        on_epoch: called after each epoch with its row of the history, {figure: value}, `epoch` among them; epoch 0 is
            the classifier on frozen features. What it raises ends the training, which can be continued.

    Returns:
        The finished Run; `predict` of it answers photographs.

    Raises:
        InputError: the catalog, its labels or the recipe are not usable; the folder holds a run of another recipe or
            catalog (with what differs); the loss is no longer a number.
    """
    if run is None:
        raise InputError("run= is missing: name the run's folder")
    if catalog is None:
        given = {"preprocess": preprocess, "config": config, "task": task, "cache": cache}
        rest = {"workers": workers, "devices": devices, "progress": progress, "on_epoch": on_epoch}
        return _go_on(run, root, given, rest)
    if root is None:
        raise InputError("root= is missing: name the folder that the catalog's paths are relative to")
    for place in (run, root):
        require_mounted(place)
    run = LoadedRun(run)
    preprocess, config = preprocess or Preprocess(), _resolved(config or TrainConfig())
    require_recipe(split, preprocess, config)
    count = require_devices(devices, config.batch_size)
    used, task = _usable_rows(catalog, task, labels, config, split)
    require_regions(used, preprocess)
    setup = Setup(Path(root), Path(cache or run.path.parent / "cache"), workers, count, progress, on_epoch)
    weights, digest = starting_weights(config, setup.cache)
    record = make_record(task, preprocess, config, used, digest, split, setup)
    if is_done(run, record):
        _say(setup, f"{run.path} is finished; nothing to do")
        return run
    rows = _prepared_rows(record, used, setup)
    started = time.time()
    with device_scope(devices):
        options = {**config.shape, "precision": precision_of(config)}
        build = partial(build_model, task, config.backbone, preprocess.size, weights, config.seed, **options)
        model = build()  # what cannot be built leaves no folder
        make_folder(run.path)
        with only_one(run.path, "is being trained"):
            _begin(run, record, used)
            model = _learned_model(model, build, rows, setup, run)
            _finish(model, rows, setup, run, started)
    return run


def _go_on(run, root, given, rest):
    """`train` with what a run keeps of its beginning, but for what is given."""
    require_mounted(run)
    kept = Run(run)
    rows = kept.learned_catalog if kept.exists else None
    if rows is None:
        lacks = "did not keep its rows" if kept.exists else "is no run to go on with"
        raise InputError(f"{run} {lacks}; name the catalog and root= that it learns from")
    begun = {"preprocess": kept.preprocess, "config": kept.config, "task": kept.task, "cache": kept.record.cache}
    options = begun | {name: value for name, value in given.items() if value is not None}
    return train(rows, root or kept.root, run, split=kept.split, **options, **rest)


def _resolved(config):
    """A TrainConfig with nothing left open."""
    published = not config.backbone.startswith(HUB) and bool(find_backbone(config.backbone).weights)
    return config.resolved(published)


def _usable_rows(catalog, task, labels, config, split):
    """(the rows of a catalog that are learned from or judged, their Task); what is wrong with them is refused before
    anything is written."""
    catalog = complete_catalog(catalog)
    require_splits(catalog, split)
    task = resolve_task(task, catalog, labels)
    used = catalog[catalog["split"].isin(["train", "valid"])].reset_index(drop=True)
    task.encode(used)  # every unknown label
    refuse("the catalog is not usable", check_catalog(catalog))
    require_polygons(used, config)
    return used, task


def _prepared_rows(record, used, setup):
    """The rows whose pictures could be prepared."""
    if setup.progress:
        _name_other_recipes(setup.cache, record.preprocess)
        say(f"task {record.task.name}: " + ", ".join(head.summary for head in record.task.heads))
        learned = {head.name for head in record.task.heads}
        rest = [name for name in label_columns(used) if name not in learned]
        if rest:
            say(f"not learned: column {', '.join(rest)} (labels= names what is)")
    prepared = preprocess_images(
        used, setup.root, setup.cache, record.preprocess, workers=setup.workers, progress=setup.progress
    )
    table = used[used["id"].isin(prepared.ids)].reset_index(drop=True)
    rows = Rows(record.task, record.config, record.split, table, prepared)
    require_rows(rows)
    require_span(prepared)
    return rows


def _name_other_recipes(cache, preprocess):
    others = sorted(path.parent.name for path in cache.glob("*/recipe.json"))
    if others and preprocess.key not in others:
        say(f"the cache holds {', '.join(others)}; this recipe is {preprocess.key}, so its pictures are prepared anew")


def _say(setup, text):
    if setup.progress:
        say(text)


# Learning -------------------------------------------------------------------------------------------------------------


def _begin(run, record, used):
    """Start a run's folder, or note in it that its epochs grew; its rows go with it, for its report and to go on."""
    fit = run.fit if run.exists else {}  # of epoch 0, which is not fitted again
    before, now = (one.environment.get("keras_backend") for one in (run.record if run.exists else record, record))
    if before != now:
        say(f"{run.path} was begun on {before} and goes on with {now}: equal but for rounding")
    run.begin(replace(record, fit=fit))
    judged = used if record.split == "all" else used[used["split"] == "valid"]
    write_catalog(judged, run.path / "valid.csv.gz")
    if record.split == "train":
        write_catalog(used, run.path / LEARNED)


def _learned_model(model, build, rows, setup, run):
    """The model at the end of its training. Where a batch does not fit into the memory, the training goes on with a
    model built anew and half of the batch, from the last whole epoch and for good."""
    while True:
        fitting = replace(rows, config=_fitting(rows.config, run.fit))
        try:
            _learn(model, fitting, setup, run)
            return model
        except OutOfMemory:
            smaller = fitting.config.batch_size // 2
            if not smaller or smaller % setup.devices:
                raise
            run.note(fit={**run.fit, FITS: smaller})
            say(f"out of memory: from here on {smaller} pictures a batch, at half of the rate")
            model = build()


def _fitting(config, fit):
    """A TrainConfig with the batch that was found to fit into the memory, and as much less of its rates."""
    share = fit.get(FITS, config.batch_size) / config.batch_size
    rates = {name: getattr(config, name) * share for name in ("learning_rate", "fine_tune_rate")}
    return replace(config, batch_size=round(config.batch_size * share), **rates) if share < 1 else config


def _learn(model, rows, setup, run):
    """Fit the classifier on frozen features, then fine-tune; ends with the best and the last weights in the run's
    folder."""
    if rows.config.fine_tune_epochs:
        fine_tune(model, rows, setup, run)
        return
    fitted = fit_frozen(model, rows, setup)
    if fitted.out_of_fold is not None:
        write_predictions(fitted.out_of_fold, run.path / OUT_OF_FOLD)
    run.note(fit={**run.fit, **fitted.fit})
    write_history(run.path, [fitted.history])
    setup.tell(fitted.history)
    publish(model, run.path, ["best", "last"])


# The end --------------------------------------------------------------------------------------------------------------


def _finish(model, rows, setup, run, started):
    """Predictions and figures of the judged rows from the best weights (out of fold, with split `all`)."""
    run.note(
        files={name: hash_file(run.path / name) for name in WEIGHTS},
        times={"finished": time.strftime("%Y-%m-%dT%H:%M:%S%z"), "seconds": round(time.time() - started, 1)},
        rejected=len(rows.prepared.failures),
    )
    model = load_trained(run) if rows.config.fine_tune_epochs else model  # as it will be served: one device, float32
    if rows.split == "all":
        predictions = read_predictions(run.path / OUT_OF_FOLD, run.task)
    else:
        predictions = _predictions(model, rows, setup, rows.of("valid"), rows.prepared)
    warn_if_all_the_same(predictions, rows.task)
    write_predictions(predictions, run.path / "predictions.csv")
    judged = "validation" if rows.split == "train" else "out of fold"
    for head, values in evaluate(predictions, rows.of("valid")).items():
        _say(setup, f"{run.path}, {judged}, {head}: {describe(values)}")
    _judge_without_annotation(model, rows, setup, run)
    run.seal(*TABLES)
    write_json(run.path / "metrics.json", evaluate(run.predictions, run.catalog))


def _predictions(model, rows, setup, table, prepared):
    """The predictions table of some rows with prepared pictures."""
    ids = table["id"].to_numpy()
    if rows.config.fine_tune_epochs:
        answers = mean_answers(model, look_at(prepared, ids), rows.config.judged_variants)
    else:
        answers = frozen_answers(model, rows, setup, prepared, ids)
    return prediction_table(rows.task, table, answers)


def _judge_without_annotation(model, rows, setup, run):
    """The headline: the validation figures without any annotation at test time, noted where the recipe reads what
    annotators drew."""
    valid = rows.of("valid")
    drawn = valid["region"] == ANNOTATION
    if rows.split == "all" or not drawn.any() or not rows.prepared.preprocess.reads_regions:
        return
    plain = valid.copy()
    plain.loc[drawn, [*BOX]] = np.nan
    plain.loc[drawn, ["polygon", "region"]] = ""
    prepared = preprocess_images(
        plain, setup.root, setup.cache, rows.prepared.preprocess, workers=setup.workers, progress=False
    )
    plain = plain[plain["id"].isin(prepared.ids)]
    figures = evaluate(_predictions(model, rows, setup, plain, prepared), plain)
    run.note(without_annotation=figures)
    for head, values in figures.items():
        _say(setup, f"headline, without any annotation at test time, {head}: {describe(values)}")


def warn_if_all_the_same(predictions, task):
    """Say so where every picture gets the same answer."""
    for head in task.heads:
        scores = head_scores(predictions, head)
        if len(scores) > 1 and np.ptp(scores, axis=0).max() < SAME:
            say(
                f"WARNING: {head.name}: every picture gets the same answer; the pictures, the labels or the rate are "
                "wrong, look at them (kf.show_images)"
            )
