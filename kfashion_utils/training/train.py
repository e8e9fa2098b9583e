"""`train`: a catalog and a recipe -> a run folder. Calling it again continues from the last whole epoch, or returns what is done.

Frozen features are computed once and a head is fitted on them; then, if asked for, the whole network is fine-tuned (`fine_tuning.py`).
Whatever is random is a function of (seed, epoch), so an interrupted training goes on exactly.
"""

import contextlib
import json
import shutil
import tempfile
import time
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from kfashion_utils.environment import versions
from kfashion_utils.errors import InputError, refuse
from kfashion_utils.evaluation.figures import best_thresholds, describe, evaluate
from kfashion_utils.images.augment import view_names
from kfashion_utils.images.compositing import People
from kfashion_utils.images.prepare import preprocess_images
from kfashion_utils.images.recipe import BOX, Preprocess
from kfashion_utils.models.backbones import file_digest, find_backbone, weights_file
from kfashion_utils.models.model import build_model, head_weights, load_trained, require_shape, trained_base
from kfashion_utils.runs.config import HUB, MAY_GROW, TrainConfig
from kfashion_utils.runs.run import Run, load_run
from kfashion_utils.storage.drive import is_on_drive
from kfashion_utils.storage.files import finished_file, hash_file, only_one, write_json
from kfashion_utils.tables.catalog import check_catalog, complete_catalog, hash_catalog, write_catalog
from kfashion_utils.tables.labels import RESERVED_COLUMNS, SUB
from kfashion_utils.tables.predictions import prediction_table, read_predictions, write_predictions
from kfashion_utils.tables.tasks import resolve_task
from kfashion_utils.training.batches import Decoded, map_pictures
from kfashion_utils.training.checkpoints import Checkpoints, best_epoch
from kfashion_utils.training.devices import device_scope, precision_of, require_devices
from kfashion_utils.training.features import compute_features
from kfashion_utils.training.fine_tuning import FineTuning, is_over
from kfashion_utils.training.heads import apply_head, effective_balance, fit_head
from kfashion_utils.training.logistic import class_shares, model_prior
from kfashion_utils.training.losses import balanced_targets, calibrated_loss, drawing_chances, mean_loss, task_targets
from kfashion_utils.training.predict import predict_views

SPLITS = {"train": ("train", "valid"), "all": ("train",)}  # rows that a training needs
ANNOTATION = "annotation"  # the region of boxes and polygons that a data set came with
GUARDED = 16  # pictures looked at before a training starts
GROWING = ("constant", "step")  # schedules that do not look at how many epochs there are, nor at how the last ones went
MAPPED = 0.5  # share of the free disk that decoded pictures may take
BLENDS = (0.25, 0.5, 0.75)  # shares of the way from the frozen start to the last epoch that are looked at
START_FACTOR = 4  # how much larger than chance the first loss may be


def train(
    catalog,
    root,
    run,
    *,
    preprocess=None,
    config=None,
    task=None,
    split="train",
    cache=None,
    workers=None,
    devices=None,
    progress=True,
):
    """Train one model.

    Args:
        catalog: DataFrame with `train` and `valid` rows.
        root: folder that its paths are relative to.
        run: the run's folder; made, continued, or returned if it is finished.
        preprocess, config: the recipe; None = the defaults.
        task: a Task, a name, a file, or None = from the label columns.
        split: `train` = learn from the train rows, judge the valid ones; `all` = the final fit: learn from both, and judge each row by heads
            that did not see its group (out of fold). Frozen features only.
        cache: folder of caches for prepared pictures and features; None = `cache` beside the run's folder.
        workers: processes that prepare pictures; None = one a core.
        devices: `all` = fine-tune data-parallel on every GPU (`tf.distribute.MirroredStrategy`; batches are cut up, the losses are those of
            one device), `gpu` = refuse to train without a GPU; None = the first GPU, or the CPU.
        progress: say what is done, one line an epoch.

    Returns:
        The finished Run.

    Raises:
        InputError: the catalog, its labels or the recipe are not usable; the folder holds a run of another recipe or catalog (with
            what differs); the loss is no longer a number.
    """
    preprocess = preprocess or Preprocess()
    config = config or TrainConfig()
    config = config.resolved(not config.backbone.startswith(HUB) and bool(find_backbone(config.backbone).weights))
    _require_fit(split, config, preprocess)
    count = require_devices(devices, config.batch_size)
    catalog = complete_catalog(catalog)
    _require_splits(catalog, split)
    task = resolve_task(task, catalog)
    used = catalog[catalog["split"].isin(["train", "valid"])].reset_index(drop=True)
    task.encode(used)  # every unknown label, before anything is written
    refuse("the catalog is not usable", check_catalog(catalog))
    if config.swap and not (used["polygon"][used["split"] == "train"] != "").any():
        raise InputError(
            f"swap={config.swap} cuts people out along polygons, and no training row has one; fill the column first, or use swap=0"
        )
    run = Run(run)
    cache = Path(cache or run.path.parent / "cache")
    weights, digest = _starting_weights(config, cache)
    recipe = _recipe(task, preprocess, config, used, digest, split)
    if _is_done(run, recipe):
        if progress:
            print(f"{run.path} is finished; nothing to do")
        return run
    if progress:
        _name_other_recipes(cache, preprocess)
        print(
            f"task {task.name}: "
            + ", ".join(
                f"{head.name} ({len(head.classes)} classes{', several a row' * head.multi})" for head in task.heads
            )
        )
    prepared = preprocess_images(used, root, cache, preprocess, workers=workers, progress=progress)
    rows = used[used["id"].isin(prepared.ids)].reset_index(drop=True)
    _require_rows(rows, task, prepared, split)
    if split == "all" and rows["group"].nunique() < 2:
        raise InputError(
            "split='all' judges each group by heads that did not see it, and all rows are of one group; fill the column 'group', or use split='train'"
        )
    _require_span(prepared)
    started = time.time()
    with device_scope(devices):
        model = build_model(
            task, config.backbone, preprocess.size, weights, config.seed, **config.shape, precision=precision_of(config)
        )
        run.path.mkdir(parents=True, exist_ok=True)
        with only_one(run.path, "is being trained"):
            _write_recipe(run, recipe, root, used)
            data = _Data(task, rows, root, prepared, config, split, cache, count, progress)
            _learn(model, data, run)
            model = _finish(model, run, data, started)
            _judge_without_annotation(model, run, data, workers)
            write_json(run.path / "metrics.json", evaluate(run.predictions, run.catalog))
    return run


def _starting_weights(config, cache):
    """(path of the backbone's weights, what tells them from others): published ones, a file, or those that another run ended with; (None, None) = random,
    (`preset`, None) = KerasHub's. A run's are told by the file it ended with: the one made of it holds names that Keras numbers anew each time."""
    if config.backbone.startswith(HUB):
        if config.weights not in ("preset", "none"):
            raise InputError(
                f"weights={config.weights!r} with {config.backbone}: an encoder of KerasHub comes with its own; leave weights out, or name the preset's folder as {HUB}FOLDER"
            )
        return (None, None) if config.weights == "none" else ("preset", None)
    if not Path(config.weights, "run.json").is_file():
        path = weights_file(config.backbone, config.weights)
        return path, file_digest(path)
    other = load_run(config.weights)
    if other.config.backbone != config.backbone:
        raise InputError(
            f"--weights {config.weights}: a run of {other.config.backbone!r}, this recipe is of {config.backbone!r}; name the same backbone"
        )
    digest = hash_file(other.weights)
    path = cache / "weights" / f"{digest[:32]}.weights.h5"
    if not path.is_file():
        _save_weights(trained_base(other), path)
    return path, digest


def _require_fit(split, config, preprocess):
    require_shape(config.backbone, preprocess.size, config.taps, config.sizes)
    if config.swap and preprocess.mask != "none":
        raise InputError(
            f"swap={config.swap} pastes people on the backgrounds of other photographs, and mask={preprocess.mask!r} has painted these over; use mask='none'"
        )
    if split not in ("train", "all"):
        raise InputError(f"split {split!r}: expected 'train' or 'all'")
    if split == "all" and config.fine_tune_epochs:
        raise InputError(
            f"split='all' judges rows out of fold, which {config.fine_tune_epochs} epochs of fine-tuning cannot give; use fine_tune_epochs=0, or split='train'"
        )


def _require_splits(catalog, split):
    empty = int((catalog["split"] == "").sum())
    if empty:
        raise InputError(
            f"{empty:,} of {len(catalog):,} rows of the catalog have no split; fill it first, groups kept together:\n"
            f"  kfashion split CATALOG --out CATALOG --valid 0.2 --seed 0"
        )
    for name in SPLITS[split]:
        if not (catalog["split"] == name).any():
            raise InputError(
                f"the catalog has no {name!r} row; fill the column with: kfashion split CATALOG --out CATALOG --valid 0.2"
            )


def _require_span(prepared):
    """Pictures hold values up to 255: one that was divided by 255 before would teach nothing."""
    some = [prepared.pixels(row) for row in prepared.ids[:: max(1, len(prepared) // GUARDED)]]
    if max(int(pixels.max()) for pixels in some) <= 1:
        raise InputError(
            f"{len(some)} prepared pictures hold values 0..1 only, expected 0..255: scaled by 255 before they were saved? The model scales by itself"
        )


def _require_rows(rows, task, prepared, split):
    for name in SPLITS[split]:
        part = rows[rows["split"] == name]
        if part.empty:
            raise InputError(f"not one {name!r} picture could be prepared; see {prepared.folder / 'failures.csv'}")
        known = task.annotated(task.encode(part)).sum(axis=0)
        without = [head.name for head, count in zip(task.heads, known, strict=True) if not count]
        if without and (name == "train" or len(without) == len(task.heads)):
            raise InputError(
                f"no {name!r} row has a label in {without}; label some, split again, or leave the column out with --task"
            )


def _name_other_recipes(cache, preprocess):
    others = sorted(path.parent.name for path in cache.glob("*/recipe.json"))
    if others and preprocess.key not in others:
        print(
            f"the cache holds {', '.join(others)}; this recipe is {preprocess.key}, so its pictures are prepared anew"
        )


# The recipe of a run --------------------------------------------------------------------------------------------------


def _recipe(task, preprocess, config, used, weights_digest, split):
    training = used[used["split"] == "train"] if split == "train" else used
    regions = training["region"].replace("", "none").value_counts(normalize=True)
    return {
        "task": task.to_dict(),
        "preprocess": preprocess.to_dict(),
        "train": config.to_dict(),
        "split": split,
        "weights_sha256": weights_digest,
        "catalog": {"hash": hash_catalog(used, _learned_columns(used)), "rows": used["split"].value_counts().to_dict()},
        "regions": {name: round(float(share), 4) for name, share in regions.items()},
        "lacking": round(float(preprocess.lacking(training).mean()), 4),
        "prior": _priors(task, task.encode(training), config),
        "environment": {**versions(), "keras_backend": keras.backend.backend()},
    }


def _priors(task, labels, config):
    """{head: {"train": {class: share}, "model": the mix that the model's answers assume}}."""
    priors = {}
    for head, shares in zip(task.heads, class_shares(task, labels).values(), strict=True):
        mixes = {"train": shares, "model": model_prior(head, shares, effective_balance(config, head))}
        priors[head.name] = {
            name: {one: round(float(share), 6) for one, share in zip(head.classes, mix, strict=True)}
            for name, mix in mixes.items()
        }
    return priors


def _learned_columns(catalog):
    labels = [name for name in catalog.columns if name not in RESERVED_COLUMNS]
    return [
        "id",
        "path",
        "photo",
        "group",
        "split",
        "fold",
        "left",
        "top",
        "right",
        "bottom",
        "polygon",
        "region",
        *labels,
    ]


IDENTITY = ("task", "preprocess", "train", "split", "weights_sha256", "catalog")


def _is_done(run, recipe):
    """Compare a recipe with the one in the run's folder; True = finished, False = there is something to do."""
    if not (run.path / "run.json").exists():
        if run.path.exists() and any(
            not path.name.startswith(".") for path in run.path.iterdir()
        ):  # dots: what a killed writer left
            raise InputError(f"{run.path} is neither empty nor a run folder; choose another folder for the run")
        return False
    differing = list(_differences(run.recipe, recipe))
    refuse(f"{run.path} holds a run of another recipe; choose another folder, or repeat the old recipe", differing)
    return run.finished and all(run.recipe["train"][name] == recipe["train"][name] for name in MAY_GROW)


def _write_recipe(run, recipe, root, used):
    """Start a run's folder, or note in it that its epochs grew; the validation rows go with it, for its report."""
    (run.path / "metrics.json").unlink(missing_ok=True)
    fit = (
        {"fit": run.recipe["fit"]} if (run.path / "run.json").exists() and "fit" in run.recipe else {}
    )  # of epoch 0, which is not fitted again
    write_json(
        run.path / "run.json", {**recipe, **fit, "root": str(Path(root).resolve())}
    )  # first: it makes the folder a run's, which can be continued
    vars(run).pop("recipe", None)
    write_catalog(used if recipe["split"] == "all" else used[used["split"] == "valid"], run.path / "valid.csv.gz")


def _differences(before, now):
    for part in IDENTITY:
        old, new = before.get(part, "train" if part == "split" else None), now[part]
        if old == new:
            continue
        if not isinstance(new, dict) or not isinstance(old, dict):
            yield f"{part}: {old} there, {new} now"
            continue
        for key in sorted(set(old) | set(new)):
            if (
                part == "train"
                and key == "weights"
                and now["weights_sha256"]
                and before.get("weights_sha256") == now["weights_sha256"]
            ):
                continue  # the same file under another path
            if old.get(key) == new.get(key) or part == "train" and _may_grow(key, old, new):
                continue
            yield f"{part}.{key}: {_short(old.get(key))} there, {_short(new.get(key))} now"


def _may_grow(key, old, new):
    """More epochs are no other recipe: those of a head while nothing was fine-tuned after it, those of fine-tuning always."""
    alone = key == "fine_tune_epochs" or not new["fine_tune_epochs"]
    return key in MAY_GROW and alone and new["schedule"] in GROWING and new[key] > old.get(key, 0)


def _short(value):
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 120 else text[:117] + "…"


# Learning -------------------------------------------------------------------------------------------------------------


class _Data:
    """The rows of a training with their targets, and where their pictures and features are found."""

    def __init__(self, task, rows, root, prepared, config, split, cache, devices, progress):
        self.task, self.rows, self.root, self.prepared, self.config, self.split = (
            task,
            rows,
            root,
            prepared,
            config,
            split,
        )
        self.cache, self.devices, self.progress = cache, devices, progress
        self.labels = task.encode(rows)
        self.targets = task_targets(task, self.labels)

    def part(self, name):
        """Row numbers that are learned from (`train`) or judged (`valid`); with split `all` both are all rows."""
        return np.flatnonzero((self.rows["split"] == name) | (self.split == "all"))

    def ids(self, split):
        return self.rows["id"].to_numpy()[self.part(split)]

    def figures(self, name, scores, prefix):
        """Loss and each head's accuracy over the annotated rows of a part, given their flat probabilities."""
        task, targets = self.task, self.targets[self.part(name)]
        figures = {f"{prefix}loss": mean_loss(task, targets, scores)}
        if name == "valid":
            figures[f"{prefix}calibrated_loss"] = calibrated_loss(task, targets, scores)
        for number, head in enumerate(task.heads):
            known = targets[:, task.num_classes + number] > 0
            block, answer = (values[known][:, task.slices[head.name]] for values in (targets, scores))
            right = (
                ((answer >= 0.5) == (block > 0.5)).mean(axis=1) if head.multi else answer.argmax(1) == block.argmax(1)
            )
            figures[f"{prefix}{head.name}_accuracy"] = float(right.mean()) if known.any() else float("nan")
        return figures

    def features(self, model, prepared, ids, count):
        """Features of prepared pictures, one for each of the first `count` views."""
        return [compute_features(model, prepared, ids, self.cache, view, self.progress) for view in view_names(count)]

    def people(self):
        """Masks of the training rows for the background swap; None without one."""
        if not self.config.swap:
            return None
        rows = self.rows.iloc[self.part("train")]
        return People(
            self.prepared.preprocess.foreground(row["path"], row, self.root) for row in rows.to_dict("records")
        )


def _learn(model, data, run):
    """Fit the head on frozen features, then fine-tune; ends with the best and the last weights in the run's folder."""
    config = data.config
    if not config.fine_tune_epochs:
        history = [_fit_head(model, data, run)]
        _write_history(run, history)
        return _publish(model, run, ("best", "last"))
    with _pictures(data) as pictures:
        labels = data.labels[data.part("train")]
        chances = drawing_chances(data.task, labels, config.balance)
        options = {
            "chances": chances,
            "people": data.people(),
            "fill": data.prepared.preprocess.fill,
            "multiple": data.devices,
        }
        tuning = FineTuning(
            model, data.task, config, labels, pictures, balanced_targets(data.task, labels, config.balance), **options
        )
        _fine_tune(tuning, data, run)


def _fine_tune(tuning, data, run):
    model, config, checkpoints = tuning.model, data.config, Checkpoints(run.path / "checkpoints")
    arrays, history = checkpoints.read()
    if history:
        tuning.restore(arrays)
    elif config.weights != "none":
        history = [_fit_head(model, data, run)]
        checkpoints.save(tuning.state(), history)
    else:
        _require_sane_start(model, data)
    while not is_over(config, history):
        started, epoch = time.time(), int(history[-1]["epoch"]) + 1 if history else 1
        learned = tuning.one_epoch(epoch, history, data.progress)
        with tuning.averaged():
            judged = data.figures("valid", _valid_answers(model, data), "val_")
        history = [*history, {**learned, **judged, "seconds": round(time.time() - started, 2)}]
        checkpoints.save(tuning.state(), history)
        _write_history(run, history)
        _report_epoch(history, config, data.progress)
    _write_history(run, history)
    _restore(tuning, checkpoints, history[-1], run)
    with tuning.averaged():
        _publish(model, run, ["last"])
    _publish_best(tuning, checkpoints, data, run, history)
    checkpoints.keep(
        {0, *(int(row["epoch"]) for row in (history[-1], best_epoch(history)))}
    )  # from here the epochs can grow


def _restore(tuning, checkpoints, row, run):
    arrays, _ = checkpoints.read(int(row["epoch"]))
    if arrays is None:
        raise InputError(
            f"{checkpoints.folder}: the state of epoch {row['epoch']} is damaged; delete {run.path} and train again"
        )
    tuning.restore(arrays)


def _publish_best(tuning, checkpoints, data, run, history):
    """The weights with the lowest calibrated loss on validation rows: of an epoch, or on the straight line from the start to the last one, where networks
    often answer better than at either end (Wortsman et al., Robust fine-tuning of zero-shot models, CVPR 2022)."""
    start, _ = checkpoints.read(0)
    found = [_best_row(best_epoch(history))]
    for share in BLENDS if start is not None and int(history[-1]["epoch"]) else ():
        with tuning.blended(start, share):
            found.append(
                _best_row({**history[-1], **data.figures("valid", _valid_answers(tuning.model, data), "val_")}, share)
            )
    best = best_epoch(found)
    _restore(tuning, checkpoints, best, run)
    with tuning.blended(start, best["share"]) if best["share"] < 1 else tuning.averaged():
        _publish(tuning.model, run, ["best"])
    _add_to_fit(run, best=best)
    if data.progress and best["share"] < 1:
        print(
            f"best: {best['share']:.0%} of the way from the frozen start to epoch {best['epoch']}, validation loss at its best temperature {best['val_calibrated_loss']:.3f}"
        )


def _best_row(row, share=1.0):
    return {"epoch": int(row["epoch"]), "share": share, "val_calibrated_loss": row["val_calibrated_loss"]}


def _valid_answers(model, data):
    return predict_views(model, data.prepared, data.ids("valid"), data.config.judged_views)


def _publish(model, run, names):
    _save_weights(model, *(run.path / f"{name}.weights.h5" for name in names))


def _save_weights(model, *paths):
    with tempfile.TemporaryDirectory() as folder:  # HDF5 wants a lock of its own
        written = Path(folder, "model.weights.h5")
        model.save_weights(written)
        for path in paths:
            with finished_file(path) as temporary:
                shutil.copyfile(written, temporary)


@contextlib.contextmanager
def _pictures(data):
    """The training pictures by row number: a memory map on local disk, gone after the block; where it would not fit they are decoded anew each time."""
    ids, side = data.ids("train"), data.prepared.preprocess.size
    with contextlib.ExitStack() as stack:
        folder = (
            Path(stack.enter_context(tempfile.TemporaryDirectory()))
            if is_on_drive(data.cache)
            else data.cache / "mapped"
        )
        folder.mkdir(parents=True, exist_ok=True)
        if len(ids) * side**2 * 3 > MAPPED * shutil.disk_usage(folder).free:
            yield Decoded(data.prepared, ids)
            return
        pictures = map_pictures(data.prepared, ids, folder, data.progress)
        yield pictures
        Path(pictures.filename).unlink(missing_ok=True)


def _require_sane_start(model, data):
    """A network that starts from random weights knows nothing: its first loss is near the sum of ln(classes)."""
    scores = predict_views(model, data.prepared, data.ids("train")[:GUARDED], 1)
    loss = mean_loss(data.task, data.targets[data.part("train")[:GUARDED]], scores)
    chance = sum(
        head.weight * (np.log(2) * len(head.classes) if head.multi else np.log(len(head.classes)))
        for head in data.task.heads
    )
    if not loss < START_FACTOR * chance + 1:
        raise InputError(
            f"the first loss is {loss:.3g}, where a network that knows nothing has {chance:.3g}: its weights, or the values of the pictures, are wrong"
        )


def _fit_head(model, data, run):
    """Fit the head on frozen features and put it into the model; returns the history's row of epoch 0."""
    started = time.time()
    part, config = data.part("train"), data.config
    views = data.features(model, data.prepared, data.ids("train"), config.views)
    rows = data.rows.iloc[part]
    secondary = _second_opinions(data.task, rows) if config.sub_labels else None
    fitted = fit_head(
        data.task,
        config,
        views,
        data.labels[part],
        rows["group"].to_numpy(),
        secondary,
        data.split == "all",
        data.progress,
    )
    for name, weights in fitted.weights.items():
        model.get_layer(name).set_weights(weights)
    _keep_fit(run, data, fitted)
    learned = data.figures("train", _frozen_answer(model, data, data.prepared, data.ids("train")), "")
    held = fitted.out_of_fold if data.split == "all" else _frozen_answer(model, data, data.prepared, data.ids("valid"))
    row = {
        "epoch": 0,
        "learning_rate": 0.0,
        **learned,
        **data.figures("valid", held, "val_"),
        "seconds": round(time.time() - started, 2),
    }
    _report_epoch([row], config, data.progress)
    return row


def _frozen_answer(model, data, prepared, ids):
    """Flat probabilities of prepared pictures from cached features: what the model answers, while the base looks once."""
    views = data.features(model, prepared, ids, data.config.judged_views)
    return apply_head(data.task, data.config.head, head_weights(model), views, np.arange(len(ids)))


def _answer(model, data, prepared, ids):
    if data.config.fine_tune_epochs:
        return predict_views(model, prepared, ids, data.config.judged_views)
    return _frozen_answer(model, data, prepared, ids)


def _keep_fit(run, data, fitted):
    """Add what the fit found to `run.json`: settings, thresholds; with split `all` keep the predictions out of fold, too."""
    fit = {"chosen": fitted.chosen, "thresholds": {}}
    if fitted.out_of_fold is not None:
        fit["thresholds"] = best_thresholds(data.task, data.labels[data.part("train")], fitted.out_of_fold)
    if data.split == "all":
        write_predictions(prediction_table(data.task, data.rows, fitted.out_of_fold), run.path / "out_of_fold.csv")
    _add_to_fit(run, **fit)


def _add_to_fit(run, **found):
    write_json(run.path / "run.json", {**run.recipe, "fit": {**run.recipe.get("fit", {}), **found}})
    vars(run).pop("recipe", None)


def _second_opinions(task, rows):
    """Flat labels of the columns `sub_<head>`, zeros where there is none."""
    columns = {head.name: f"{SUB}{head.name}" for head in task.heads if f"{SUB}{head.name}" in rows.columns}
    if not columns:
        raise InputError(
            f"sub_labels: the catalog has no column {[SUB + head.name for head in task.heads]}; K-Fashion's is made by `kfashion catalog kfashion`"
        )
    blank = pd.DataFrame({head.name: rows[columns[head.name]] if head.name in columns else "" for head in task.heads})
    return np.nan_to_num(task.encode(blank))


def _report_epoch(history, config, progress):
    if not progress:
        return
    row = history[-1]
    heads = [
        f"{name[4:].replace('_accuracy', '')} {row[name]:.3f}"
        for name in row
        if name.startswith("val_") and name.endswith("_accuracy")
    ]
    if row["epoch"] == 0:
        print(f"{config.head} head on frozen features: validation {', '.join(heads)}; {row['seconds']:.0f} s")
        return
    left = np.mean([r["seconds"] for r in history[-3:]]) * (config.fine_tune_epochs - row["epoch"])
    print(
        f"epoch {row['epoch']:>3}/{config.fine_tune_epochs}  rate {row['learning_rate']:.2g}  loss {row['loss']:.3f}  validation loss {row['val_loss']:.3f}, "
        f"{', '.join(heads)}  {row['seconds']:.1f} s, {left / 60:.1f} min left"
    )


def _write_history(run, history):
    with finished_file(run.path / "history.csv") as temporary:
        pd.DataFrame(history).to_csv(temporary, index=False, lineterminator="\n")


def _finish(model, run, data, started):
    """Predictions and figures of the validation rows from the best weights (out of fold, with split `all`); returns the model that holds them."""
    files = {name: hash_file(run.path / name) for name in ("best.weights.h5", "last.weights.h5")}
    times = {"finished": time.strftime("%Y-%m-%dT%H:%M:%S%z"), "seconds": round(time.time() - started, 1)}
    write_json(
        run.path / "run.json", {**run.recipe, "files": files, "times": times, "rejected": len(data.prepared.failures)}
    )
    vars(run).pop("recipe", None)
    valid = data.rows.iloc[data.part("valid")]
    if data.config.fine_tune_epochs:
        model = load_trained(run)  # as it will be served: one device, float32
    if data.split == "all":
        predictions = read_predictions(run.path / "out_of_fold.csv")
    else:
        predictions = prediction_table(data.task, valid, _answer(model, data, data.prepared, data.ids("valid")))
    _warn_if_all_the_same(predictions, data.task)
    write_predictions(predictions, run.path / "predictions.csv")
    if data.progress:
        judged = "validation" if data.split == "train" else "out of fold"
        for head, values in evaluate(predictions, valid).items():
            print(f"{run.path}, {judged}, {head}: {describe(values)}")
    return model


def _judge_without_annotation(model, run, data, workers):
    """The headline: the validation figures without any annotation at test time, kept in `run.json`, where the recipe reads what annotators drew."""
    valid = data.rows.iloc[data.part("valid")]
    drawn = valid["region"] == ANNOTATION
    if data.split == "all" or not drawn.any() or not data.prepared.preprocess.reads_regions:
        return
    plain = valid.copy()
    plain.loc[drawn, [*BOX]] = np.nan
    plain.loc[drawn, ["polygon", "region"]] = ""
    prepared = preprocess_images(
        plain, data.root, data.cache, data.prepared.preprocess, workers=workers, progress=False
    )
    plain = plain[plain["id"].isin(prepared.ids)]
    figures = evaluate(
        prediction_table(data.task, plain, _answer(model, data, prepared, plain["id"].to_numpy())), plain
    )
    write_json(run.path / "run.json", {**run.recipe, "without_annotation": figures})
    vars(run).pop("recipe", None)
    if data.progress:
        for head, values in figures.items():
            print(f"headline, without any annotation at test time, {head}: {describe(values)}")


def _warn_if_all_the_same(predictions, task):
    for head in task.heads:
        scores = predictions[[f"{head.name}:{name}" for name in head.classes]].to_numpy()
        if len(scores) > 1 and np.ptp(scores, axis=0).max() < 1e-4:
            print(
                f"WARNING: {head.name}: every picture gets the same answer; the pictures, the labels or the rate are wrong, look at them (kf.show_images)"
            )
