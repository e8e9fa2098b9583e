"""`train`: a catalog and a recipe -> a run folder. Calling it again continues from the last whole epoch, or returns what is done.

Frozen features are computed once and a linear head is solved on them; then, if asked for, the whole network is fine-tuned with AdamW
and a rate that halves every ten epochs. Whatever is random is a function of (seed, epoch), so an interrupted training goes on exactly.
"""

import contextlib
import json
import os
import shutil
import time
import zipfile
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from kfashion_utils.backbones import file_digest, find_backbone, weights_file
from kfashion_utils.catalog import check_catalog, complete_catalog, hash_catalog, write_catalog
from kfashion_utils.environment import versions
from kfashion_utils.errors import InputError, refuse
from kfashion_utils.evaluation import best_thresholds, describe, evaluate
from kfashion_utils.features import compute_features
from kfashion_utils.heads import apply_head, fit_head
from kfashion_utils.inputs import Batches, view_names
from kfashion_utils.labels import RESERVED_COLUMNS, SUB
from kfashion_utils.logistic import class_shares, model_prior
from kfashion_utils.models import build_model, head_weights, task_loss, task_targets
from kfashion_utils.pixels import BOX, Preprocess
from kfashion_utils.prediction import predict_flat, predict_views, prediction_table, write_predictions
from kfashion_utils.preprocess import preprocess_images
from kfashion_utils.runs import HUB, MAY_GROW, Run, TrainConfig, read_predictions
from kfashion_utils.storage import finished_file, hash_file, only_one, sync_folder, write_json
from kfashion_utils.tasks import resolve_task

KEPT_CHECKPOINTS = 2
SPLITS = {"train": ("train", "valid"), "all": ("train",)}  # rows that a training needs
ANNOTATION = "annotation"  # the region of boxes and polygons that a data set came with
GUARDED = 16  # pictures looked at before a training starts
START_FACTOR = 4  # how much larger than chance the first loss may be


def train(catalog, root, run, *, preprocess=None, config=None, task=None, split="train", cache=None, workers=None, progress=True):
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
    _require_fit(split, config)
    catalog = complete_catalog(catalog)
    _require_splits(catalog, split)
    task = resolve_task(task, catalog)
    used = catalog[catalog["split"].isin(["train", "valid"])].reset_index(drop=True)
    task.encode(used)  # every unknown label, before anything is written
    refuse("the catalog is not usable", check_catalog(catalog))
    weights = "preset" if config.weights == "preset" else weights_file(config.backbone, config.weights)
    run = Run(run)
    recipe = _recipe(task, preprocess, config, used, weights, split)
    if _is_done(run, recipe):
        if progress:
            print(f"{run.path} is finished; nothing to do")
        return run
    cache = Path(cache or run.path.parent / "cache")
    if progress:
        _name_other_recipes(cache, preprocess)
        print(f"task {task.name}: " + ", ".join(f"{head.name} ({len(head.classes)} classes{', several a row' * head.multi})" for head in task.heads))
    prepared = preprocess_images(used, root, cache, preprocess, workers=workers, progress=progress)
    rows = used[used["id"].isin(prepared.ids)].reset_index(drop=True)
    _require_rows(rows, task, prepared, split)
    if split == "all" and rows["group"].nunique() < 2:
        raise InputError("split='all' judges each group by heads that did not see it, and all rows are of one group; fill the column 'group', or use split='train'")
    _require_span(prepared)
    started = time.time()
    model = build_model(task, config.backbone, preprocess.size, weights, config.seed, **config.shape)
    run.path.mkdir(parents=True, exist_ok=True)
    with only_one(run.path, "is being trained"):
        _write_recipe(run, recipe, root, used)
        data = _Data(task, rows, prepared, config, split)
        _learn(model, data, run, config, cache, progress)
        _finish(model, run, data, cache, started, progress)
        _judge_without_annotation(model, run, data, root, cache, workers, progress)
        write_json(run.path / "metrics.json", evaluate(run.predictions, run.catalog))
    return run


def _require_fit(split, config):
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
            raise InputError(f"the catalog has no {name!r} row; fill the column with: kfashion split CATALOG --out CATALOG --valid 0.2")


def _require_span(prepared):
    """Pictures hold values up to 255: one that was divided by 255 before would teach nothing."""
    some = [prepared.pixels(row) for row in prepared.ids[:: max(1, len(prepared) // GUARDED)]]
    if max(int(pixels.max()) for pixels in some) <= 1:
        raise InputError(f"{len(some)} prepared pictures hold values 0..1 only, expected 0..255: scaled by 255 before they were saved? The model scales by itself")


def _require_rows(rows, task, prepared, split):
    for name in SPLITS[split]:
        part = rows[rows["split"] == name]
        if part.empty:
            raise InputError(f"not one {name!r} picture could be prepared; see {prepared.folder / 'failures.csv'}")
        known = task.annotated(task.encode(part)).sum(axis=0)
        without = [head.name for head, count in zip(task.heads, known, strict=True) if not count]
        if without and (name == "train" or len(without) == len(task.heads)):
            raise InputError(f"no {name!r} row has a label in {without}; label some, split again, or leave the column out with --task")


def _name_other_recipes(cache, preprocess):
    others = sorted(path.parent.name for path in cache.glob("*/recipe.json"))
    if others and preprocess.key not in others:
        print(f"the cache holds {', '.join(others)}; this recipe is {preprocess.key}, so its pictures are prepared anew")


# The recipe of a run --------------------------------------------------------------------------------------------------


def _recipe(task, preprocess, config, used, weights, split):
    training = used[used["split"] == "train"] if split == "train" else used
    regions = training["region"].replace("", "none").value_counts(normalize=True)
    return {
        "task": task.to_dict(),
        "preprocess": preprocess.to_dict(),
        "train": config.to_dict(),
        "split": split,
        "weights_sha256": None if weights == "preset" else file_digest(weights),
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
        balance = "none" if head.multi and config.head != "linear" else config.balance  # such a head is trained as it comes
        mixes = {"train": shares, "model": model_prior(head, shares, balance)}
        priors[head.name] = {name: {one: round(float(share), 6) for one, share in zip(head.classes, mix, strict=True)} for name, mix in mixes.items()}
    return priors


def _learned_columns(catalog):
    labels = [name for name in catalog.columns if name not in RESERVED_COLUMNS]
    return ["id", "path", "split", "fold", "left", "top", "right", "bottom", "polygon", "region", *labels]


IDENTITY = ("task", "preprocess", "train", "split", "weights_sha256", "catalog")


def _is_done(run, recipe):
    """Compare a recipe with the one in the run's folder; True = finished, False = there is something to do."""
    if not (run.path / "run.json").exists():
        if run.path.exists() and any(run.path.iterdir()):
            raise InputError(f"{run.path} is neither empty nor a run folder; choose another folder for the run")
        return False
    differing = list(_differences(run.recipe, recipe))
    refuse(f"{run.path} holds a run of another recipe; choose another folder, or repeat the old recipe", differing)
    return run.finished and all(run.recipe["train"][name] == recipe["train"][name] for name in MAY_GROW)


def _write_recipe(run, recipe, root, used):
    """Start a run's folder, or note in it that its epochs grew; the validation rows go with it, for its report."""
    (run.path / "metrics.json").unlink(missing_ok=True)
    write_catalog(used if recipe["split"] == "all" else used[used["split"] == "valid"], run.path / "valid.csv.gz")
    write_json(run.path / "run.json", {**recipe, "root": str(Path(root).resolve())})
    vars(run).pop("recipe", None)


def _differences(before, now):
    for part in IDENTITY:
        old, new = before.get(part, "train" if part == "split" else None), now[part]
        if old == new:
            continue
        if not isinstance(new, dict) or not isinstance(old, dict):
            yield f"{part}: {old} there, {new} now"
            continue
        for key in sorted(set(old) | set(new)):
            if part == "train" and key == "weights" and now["weights_sha256"] and before.get("weights_sha256") == now["weights_sha256"]:
                continue  # the same file under another path
            if old.get(key) == new.get(key) or (part == "train" and key in MAY_GROW and new[key] > old[key]):
                continue
            yield f"{part}.{key}: {_short(old.get(key))} there, {_short(new.get(key))} now"


def _short(value):
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 120 else text[:117] + "…"


# Learning -------------------------------------------------------------------------------------------------------------


class _Data:
    """The rows of a training with their targets."""

    def __init__(self, task, rows, prepared, config, split):
        self.task, self.rows, self.prepared, self.config, self.split = task, rows, prepared, config, split
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
        figures = {f"{prefix}loss": float(task_loss(task)(keras.ops.convert_to_tensor(targets), keras.ops.convert_to_tensor(scores)))}
        for number, head in enumerate(task.heads):
            known = targets[:, task.num_classes + number] > 0
            block, answer = (values[known][:, task.slices[head.name]] for values in (targets, scores))
            right = ((answer >= 0.5) == (block > 0.5)).mean(axis=1) if head.multi else answer.argmax(1) == block.argmax(1)
            figures[f"{prefix}{head.name}_accuracy"] = float(right.mean()) if known.any() else float("nan")
        return figures

    def batches(self, split, epoch=None):
        config = self.config
        targets = self.targets[self.part(split)]
        return Batches(
            self.prepared, self.ids(split), targets, batch_size=config.batch_size, epoch=epoch, seed=config.seed, augment=config.augment
        )


def _learn(model, data, run, config, cache, progress):
    state = _Checkpoints(run.path / "checkpoints")
    optimizer = keras.optimizers.AdamW(config.rate(1), weight_decay=config.weight_decay)
    model.compile(optimizer, task_loss(data.task, config.label_smoothing), jit_compile=_compile_kernels())
    model.optimizer.build(model.trainable_variables)
    history = state.restore(model)
    if not history and config.weights != "none" or not config.fine_tune_epochs and not history:
        started = time.time()
        fitted = _fit_head(model, data, cache, progress)
        _keep_fit(run, data, fitted)
        learned = data.figures("train", _answer(model, data, data.prepared, data.ids("train"), cache, progress), "")
        held = fitted.out_of_fold if data.split == "all" else _answer(model, data, data.prepared, data.ids("valid"), cache, progress)
        figures = {"epoch": 0, "learning_rate": 0.0, **learned, **data.figures("valid", held, "val_")}
        history = state.save(model, [], {**figures, "seconds": round(time.time() - started, 2)})
        _report_epoch(history, config, progress)
    if history:
        _write_history(run, history)
    if not history:
        _require_sane_start(model, data)
    for epoch in range(int(history[-1]["epoch"]) + 1 if history else 1, config.fine_tune_epochs + 1):
        history = state.save(model, history, _one_epoch(model, data, config, epoch, cache, progress))
        _write_history(run, history)
        _report_epoch(history, config, progress)
    state.publish(run, history)


def _compile_kernels():
    """XLA gains on a GPU and on JAX; on the CPU TensorFlow is 13 times slower with it."""
    if keras.backend.backend() != "tensorflow":
        return "auto"
    import tensorflow as tf

    return "auto" if tf.config.list_physical_devices("GPU") else False


def _require_sane_start(model, data):
    """A network that starts from random weights knows nothing: its first loss is near the sum of ln(classes)."""
    ids = data.ids("train")[:GUARDED]
    targets = data.targets[data.part("train")[:GUARDED]]
    scores = predict_flat(model, Batches(data.prepared, ids))
    loss = float(task_loss(data.task)(keras.ops.convert_to_tensor(targets), keras.ops.convert_to_tensor(scores)))
    chance = sum(head.weight * (np.log(2) * len(head.classes) if head.multi else np.log(len(head.classes))) for head in data.task.heads)
    if not loss < START_FACTOR * chance + 1:
        raise InputError(f"the first loss is {loss:.3g}, where a network that knows nothing has {chance:.3g}: its weights, or the values of the pictures, are wrong")


def _fit_head(model, data, cache, progress):
    """Fit the head on frozen features and put it into the model; returns the FittedHead."""
    part, config = data.part("train"), data.config
    views = [compute_features(model, data.prepared, data.ids("train"), cache, view, progress) for view in view_names(config.views)]
    rows = data.rows.iloc[part]
    secondary = _second_opinions(data.task, rows) if config.sub_labels else None
    fitted = fit_head(data.task, config, views, data.labels[part], rows["group"].to_numpy(), secondary, data.split == "all", progress)
    for name, weights in fitted.weights.items():
        model.get_layer(name).set_weights(weights)
    return fitted


def _answer(model, data, prepared, ids, cache, progress):
    """Flat probabilities of prepared pictures; until the base is fine-tuned from cached features, so that it looks once."""
    if int(model.optimizer.iterations):
        return predict_views(model, prepared, ids, data.config.judged_views)
    views = [compute_features(model, prepared, ids, cache, view, progress) for view in view_names(data.config.judged_views)]
    return apply_head(data.task, data.config.head, head_weights(model), views, np.arange(len(ids)))


def _keep_fit(run, data, fitted):
    """Add what the fit found to `run.json`: settings, thresholds; with split `all` keep the predictions out of fold, too."""
    fit = {"chosen": fitted.chosen, "thresholds": {}}
    if fitted.out_of_fold is not None:
        fit["thresholds"] = best_thresholds(data.task, data.labels[data.part("train")], fitted.out_of_fold)
    if data.split == "all":
        write_predictions(prediction_table(data.task, data.rows, fitted.out_of_fold), run.path / "out_of_fold.csv")
    write_json(run.path / "run.json", {**run.recipe, "fit": fit})
    vars(run).pop("recipe", None)


def _second_opinions(task, rows):
    """Flat labels of the columns `sub_<head>`, zeros where there is none."""
    columns = {head.name: f"{SUB}{head.name}" for head in task.heads if f"{SUB}{head.name}" in rows.columns}
    if not columns:
        raise InputError(f"sub_labels: the catalog has no column {[SUB + head.name for head in task.heads]}; K-Fashion's is made by `kfashion catalog kfashion`")
    blank = pd.DataFrame({head.name: rows[columns[head.name]] if head.name in columns else "" for head in task.heads})
    return np.nan_to_num(task.encode(blank))


def _one_epoch(model, data, config, epoch, cache, progress):
    started = time.time()
    model.optimizer.learning_rate = config.rate(epoch)
    seeds = np.random.SeedSequence((config.seed, epoch)).generate_state(2)
    keras.utils.set_random_seed(int(seeds[0] % 2**31))
    _reset_dropout(model, int(seeds[1]))
    batches = data.batches("train", epoch)
    with tqdm(total=len(batches), desc=f"epoch {epoch}", unit="batch", leave=False, disable=not progress) as bar:
        step = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: bar.update())
        # one call an epoch: nothing is carried over but weights and optimizer, which a checkpoint holds
        with _memory_blamed(config.batch_size):
            model.fit(batches, epochs=1, verbose=0, callbacks=[step, keras.callbacks.TerminateOnNaN()], shuffle=False)
    loss = float(model.history.history["loss"][-1])
    if not np.isfinite(loss):
        raise InputError(f"the loss of epoch {epoch} is {loss}: the rate {config.rate(epoch):g} is too high, or the input holds no numbers; the last good epoch is kept")
    figures = {"epoch": epoch, "learning_rate": config.rate(epoch), "loss": loss, **data.figures("valid", _answer(model, data, data.prepared, data.ids("valid"), cache, progress), "val_")}
    return {**figures, "seconds": round(time.time() - started, 2)}


@contextlib.contextmanager
def _memory_blamed(batch_size):
    try:
        yield
    except Exception as error:  # TensorFlow's ResourceExhaustedError and JAX's XlaRuntimeError have no base in common
        if isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in str(error) or type(error).__name__ == "ResourceExhaustedError":
            smaller = max(1, batch_size // 2)
            raise InputError(f"out of memory with batch_size={batch_size}; try batch_size={smaller} (and half of its rate), or smaller pictures") from error
        raise


def _reset_dropout(model, seed):
    for layer in model._flatten_layers():
        for generator in getattr(layer, "_seed_generators", []):
            generator.state.assign(np.array([seed % 2**31, 0], generator.state.dtype))


def _report_epoch(history, config, progress):
    if not progress:
        return
    row = history[-1]
    heads = [f"{name[4:].replace('_accuracy', '')} {row[name]:.3f}" for name in row if name.startswith("val_") and name.endswith("_accuracy")]
    if row["epoch"] == 0:
        print(f"linear head on frozen features: validation {', '.join(heads)}; {row['seconds']:.0f} s")
        return
    left = np.mean([r["seconds"] for r in history[-3:]]) * (config.fine_tune_epochs - row["epoch"])
    print(
        f"epoch {row['epoch']:>3}/{config.fine_tune_epochs}  rate {row['learning_rate']:.2g}  loss {row['loss']:.3f}  validation loss {row['val_loss']:.3f}, "
        f"{', '.join(heads)}  {row['seconds']:.1f} s, {left / 60:.1f} min left"
    )


def _write_history(run, history):
    with finished_file(run.path / "history.csv") as temporary:
        pd.DataFrame(history).to_csv(temporary, index=False, lineterminator="\n")


class _Checkpoints:
    """One folder an epoch with weights, optimizer and history; a finished name is a finished checkpoint, the newest one counts."""

    def __init__(self, folder):
        self.folder = folder

    def _finished(self):
        return sorted(path for path in self.folder.glob("epoch-*") if path.is_dir())

    def restore(self, model):
        """Put the newest checkpoint into a compiled model; returns its history, [] if there is none."""
        for leftover in self.folder.glob(".epoch-*"):
            shutil.rmtree(leftover)
        for path in reversed(self._finished()):
            try:
                history = json.loads((path / "history.json").read_text(encoding="utf-8"))
                with np.load(path / "state.npz", allow_pickle=False) as state:
                    arrays = dict(state)
            except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
                print(f"{path} is damaged ({error}); the checkpoint before it is used")
                shutil.rmtree(path)
                continue
            model.set_weights([arrays[f"w{number}"] for number in range(len(model.weights))])
            for number, variable in enumerate(model.optimizer.variables):
                variable.assign(arrays[f"o{number}"])
            return history
        return []

    def save(self, model, history, row):
        """Keep the state after an epoch; returns the history with that epoch's row."""
        history = [*history, row]
        final = self.folder / f"epoch-{row['epoch']:05d}"
        temporary = self.folder / f".{final.name}"
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        arrays = {f"w{number}": value for number, value in enumerate(model.get_weights())}
        arrays |= {f"o{number}": np.asarray(variable) for number, variable in enumerate(model.optimizer.variables)}
        with open(temporary / "state.npz", "wb") as handle:
            np.savez(handle, **arrays)
            handle.flush()
            os.fsync(handle.fileno())
        model.save_weights(temporary / "model.weights.h5")
        write_json(temporary / "history.json", history)
        os.replace(temporary, final)
        sync_folder(self.folder)
        keep = {f"epoch-{_best(history)['epoch']:05d}", *(path.name for path in self._finished()[-KEPT_CHECKPOINTS:])}
        for path in self._finished():
            if path.name not in keep:
                shutil.rmtree(path)
        return history

    def publish(self, run, history):
        """Copy best and last weights into the run's folder."""
        for name, row in (("best", _best(history)), ("last", history[-1])):
            with finished_file(run.path / f"{name}.weights.h5") as temporary:
                shutil.copyfile(self.folder / f"epoch-{row['epoch']:05d}" / "model.weights.h5", temporary)


def _best(history):
    """The epoch with the lowest validation loss. The highest accuracy would be chosen more often for its luck."""
    return min(history, key=lambda row: row["val_loss"] if np.isfinite(row["val_loss"]) else np.inf)


def _finish(model, run, data, cache, started, progress):
    """Predictions and figures of the validation rows from the best weights (out of fold, with split `all`)."""
    files = {name: hash_file(run.path / name) for name in ("best.weights.h5", "last.weights.h5")}
    times = {"finished": time.strftime("%Y-%m-%dT%H:%M:%S%z"), "seconds": round(time.time() - started, 1)}
    write_json(run.path / "run.json", {**run.recipe, "files": files, "times": times, "rejected": len(data.prepared.failures)})
    vars(run).pop("recipe", None)
    valid = data.rows.iloc[data.part("valid")]
    if data.split == "all":
        predictions = read_predictions(run.path / "out_of_fold.csv")
    else:
        model.load_weights(run.weights)
        predictions = prediction_table(data.task, valid, _answer(model, data, data.prepared, data.ids("valid"), cache, progress))
    _warn_if_all_the_same(predictions, data.task)
    write_predictions(predictions, run.path / "predictions.csv")
    if progress:
        judged = "validation" if data.split == "train" else "out of fold"
        for head, values in evaluate(predictions, valid).items():
            print(f"{run.path}, {judged}, {head}: {describe(values)}")


def _judge_without_annotation(model, run, data, root, cache, workers, progress):
    """The headline: the validation figures without any annotation at test time, kept in `run.json`, where the recipe reads what annotators drew."""
    valid = data.rows.iloc[data.part("valid")]
    drawn = valid["region"] == ANNOTATION
    if data.split == "all" or not drawn.any() or not data.prepared.preprocess.reads_regions:
        return
    plain = valid.copy()
    plain.loc[drawn, [*BOX]] = np.nan
    plain.loc[drawn, ["polygon", "region"]] = ""
    prepared = preprocess_images(plain, root, cache, data.prepared.preprocess, workers=workers, progress=False)
    plain = plain[plain["id"].isin(prepared.ids)]
    figures = evaluate(prediction_table(data.task, plain, _answer(model, data, prepared, plain["id"].to_numpy(), cache, progress)), plain)
    write_json(run.path / "run.json", {**run.recipe, "without_annotation": figures})
    vars(run).pop("recipe", None)
    if progress:
        for head, values in figures.items():
            print(f"headline, without any annotation at test time, {head}: {describe(values)}")


def _warn_if_all_the_same(predictions, task):
    for head in task.heads:
        scores = predictions[[f"{head.name}:{name}" for name in head.classes]].to_numpy()
        if len(scores) > 1 and np.ptp(scores, axis=0).max() < 1e-4:
            print(f"WARNING: {head.name}: every picture gets the same answer; the pictures, the labels or the rate are wrong, look at them (kf.show_images)")
