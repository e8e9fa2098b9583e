"""The verbs about models: one thin function a verb."""

from pathlib import Path
from typing import Annotated, Literal

import tyro

import kfashion_utils as kf
from kfashion_utils.cli.options import beside, read_prior
from kfashion_utils.cli.photographs import NO_RUN, is_run, predict_on_screen
from kfashion_utils.errors import InputError
from kfashion_utils.images.recipe import Preprocess
from kfashion_utils.runs.config import TrainConfig
from kfashion_utils.runs.weights import HUB
from kfashion_utils.storage.files import write_table


def _require_catalog(catalog=None, **_):
    """Refuse a catalog that is not there."""
    if catalog is not None and not catalog.is_file():
        kf.read_catalog(catalog)


def _require_run(runs, catalog=None, root=None, out=None, **_):
    """Refuse words among which there is no run, and a catalog that is not there or stands alone."""
    if catalog is not None and (root is None or out is None):
        raise InputError("--catalog needs --root, the folder of its pictures, and --out, the table to write")
    _require_catalog(catalog)
    if catalog is None and not any(is_run(word) for word in runs):
        raise InputError(NO_RUN.format(", ".join(runs) or "nothing"))


BEFORE_KERAS = {"train": _require_catalog, "predict": _require_run}  # what is refused before it is loaded


def train(
    catalog: Path | None = None,
    /,
    *,
    run: Path,
    root: Path | None = None,
    cache: Path | None = None,
    task: str | None = None,
    labels: Annotated[tuple[str, ...], tyro.conf.arg(name="label")] = (),
    split: Literal["train", "all"] = "train",
    config_file: Annotated[Path | None, tyro.conf.arg(name="config")] = None,
    workers: int | None = None,
    devices: Literal["all", "gpu"] | None = None,
    preprocess: Preprocess = Preprocess(),  # noqa: B008
    config: TrainConfig = TrainConfig(),  # noqa: B008
):
    """Train a run; calling again continues it.

    --run RUN alone goes on with what the run was begun with. --config RUN/run.json repeats a recipe and its --split,
    flags go over it.

    Args:
        catalog: the table, with train and valid rows; needed where a run begins.
        run: the run's folder.
        root: folder that the table's paths are relative to; needed where a run begins.
        cache: folder of caches; default: `cache` beside the run's folder.
        task: name of a task or a task file; default: from the label columns.
        labels: columns to learn; default: those named like a known question (style, …), or the only one.
        split: all = the final fit on train and valid rows, judged out of fold.
        config_file: a run.json whose recipe is repeated.
        workers: processes that prepare pictures; default: one a core.
        devices: all = fine-tune on every GPU, gpu = refuse to train without one; default: the first GPU, or the CPU.
        preprocess: how pixels are prepared.
        config: how the model learns.
    """
    kf.train(
        catalog,
        root,
        run,
        preprocess=preprocess,
        config=config,
        task=task,
        labels=labels or None,
        split=split,
        cache=cache,
        workers=workers,
        devices=devices,
    )


def backbones():
    """The networks to choose from: which have published weights, their native size, and where the weights come from."""
    from kfashion_utils.runs.backbones import backbones_table

    table = backbones_table().astype(str)
    widths = {name: f"{{:<{table[name].str.len().max()}}}".format for name in table}
    print(table.to_string(index=False, justify="left", formatters=widths))
    print("hub:PRESET names an image encoder of KerasHub (pip install 'kfashion-utils[hub]')")


def predict(
    runs: tuple[str, ...],
    /,
    *,
    catalog: Path | None = None,
    root: Path | None = None,
    out: Path | None = None,
    split: Literal["train", "valid", "test"] | None = None,
    rows: bool = False,
    prior: str | None = None,
    thresholds: bool = False,
    allow_missing_regions: bool = False,
    cache: Path | None = None,
    workers: int | None = None,
):
    """Answers of one run, or the mean of several, for photographs (`predict RUN PICTURE|FOLDER`) or a catalog's rows.

    Args:
        runs: run folders, then pictures or folders of them (`-` = names from standard input, one a line) unless
            --catalog is given; or one `hub:<preset>` of an encoder that reads text, for answers without any training.
        catalog: the table.
        root: folder that its paths are relative to.
        out: the predictions to write; photographs are answered on the screen in any case.
        split: only these rows; default: all.
        rows: one answer a row instead of one a photo.
        prior: class mix that is expected: train, uniform, or a file (JSON {class: share}, or CSV class,share).
        thresholds: decide classes of multi-label heads where their F1 was best in training.
        allow_missing_regions: predict although more pictures lack the recipe's box or polygon than in training.
        cache: folder of caches; default: that of the run's training, where it is here, else nothing is kept.
        workers: processes that prepare pictures; default: one a core.
    """
    if catalog is None:
        return predict_on_screen(runs, out, read_prior(prior))
    pictures = kf.read_catalog(catalog)
    options = {"split": split, "rows": rows, "cache": cache, "workers": workers}
    if any(run.startswith(HUB) for run in runs):
        if len(runs) > 1 or prior or thresholds:
            raise InputError(
                f"{', '.join(runs)}: one hub: preset alone, without --prior and --thresholds; "
                "average tables with kf.ensemble"
            )
        table = kf.predict_zero_shot(runs[0], pictures, root, **options)
    else:
        options |= {"prior": read_prior(prior), "thresholds": thresholds}
        table = kf.predict(list(runs), pictures, root, allow_missing_regions=allow_missing_regions, **options)
    kf.write_predictions(table, out)
    print(f"{out}: {len(table):,} predictions")
    failures = table.attrs["failures"]
    if len(failures):
        path = beside(out, "failures")
        write_table(path, failures)
        print(f"{len(failures):,} pictures could not be read and have no prediction: {path}")
