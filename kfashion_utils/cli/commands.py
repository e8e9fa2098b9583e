"""One thin function a verb: paths and recipes in, a public function called, a file written. Flags are the parameters' names."""

import json as json_module
from pathlib import Path
from typing import Literal

import pandas as pd

import kfashion_utils as kf
from kfashion_utils.datasets import summarize
from kfashion_utils.errors import InputError, refuse
from kfashion_utils.evaluation.label_errors import LABEL_ERRORS, read_edits
from kfashion_utils.images.recipe import Preprocess
from kfashion_utils.runs.config import HUB, TrainConfig
from kfashion_utils.storage.files import finished_file, write_json
from kfashion_utils.tables.splits import split_warnings
from kfashion_utils.tables.tasks import label_columns


def demo(out: Path = Path("demo"), /, *, photos: int = 1200, seed: int = 0):
    """The whole job on the drawn sample: photographs to submission file and report, a few minutes on two cores.

    Args:
        out: folder for everything it makes.
        photos: how many to draw; 1,200 give the figures of the README.
        seed: of the drawing, the split and the training.
    """
    from kfashion_utils.cli.demo import run_demo

    run_demo(out, photos=photos, seed=seed)


def sample(directory: Path, /, *, photos: int = 1200, seed: int = 0):
    """Draw a K-Fashion of our own: AI Hub's folders and labels, 23 styles.

    Args:
        directory: where 라벨링데이터 and 원천데이터 are made.
        photos: how many to draw.
        seed: the same one draws the same bytes.
    """
    made = kf.draw_sample(directory, photos=photos, seed=seed)
    print(f"{directory}: " + ", ".join(f"{name} {count:,}" for name, count in made.items() if isinstance(count, int)))


def download(name: str, /, *, folder: Path | None = None, filekey: str | None = None):
    """Fetch a file, or all files, of a data set in data_manifest.csv; calling again continues.

    Args:
        name: a file or a data set, as in the manifest.
        folder: where to keep it; default: the user's cache folder.
        filekey: AI Hub's number of the file (`aihubshell -mode l -datasetkey 51` lists them).
    """
    from kfashion_utils.storage.downloads import find_names

    names, problems = find_names(name), []
    if filekey and len(names) > 1:
        raise InputError(f"--filekey is the number of one file; {name} has {', '.join(names)}")
    for row in names:
        try:
            print(kf.download(row, folder, file_key=filekey))
        except InputError as error:
            if len(names) == 1:
                raise
            problems.append(str(error).partition("\n")[0])
    refuse(
        f"{name}: {len(names) - len(problems)} of {len(names)} files are there; `kfashion download` of one file says more",
        problems,
    )


def catalog(dataset: str, /, *, root: Path, out: Path, rows: Literal["photo", "garment"] = "photo"):
    """Turn a data set's files into the per-picture table; zips are read in place.

    Args:
        dataset: kfashion, sample or folders.
        root: folder with the data as downloaded.
        out: the table to write, .csv or .csv.gz; what was rejected is written beside it.
        rows: what a row is; garment = each labelled garment by itself, rows of a photo being its views.
    """
    table, rejected = kf.build_catalog(dataset, root, rows=rows)
    kf.write_catalog(table, out)
    rejected_path = _beside(out, "rejected")
    with finished_file(rejected_path) as temporary:
        rejected.to_csv(temporary, index=False, lineterminator="\n")
    found = {kind: int((rejected["kind"] == kind).sum()) for kind in ("label", "picture", "archive")}
    photos = f" of {table['photo'].nunique():,} photos" if rows != "photo" else ""
    print(
        f"{out}: {len(table):,} rows{photos}, {table['group'].nunique():,} groups; rejected: "
        + ", ".join(f"{count:,} {kind}s" for kind, count in found.items())
    )
    if len(rejected):
        print(f"{summarize(rejected)}\n  all of them: {rejected_path}")
    for note, count in table.attrs["notes"].items():
        print(f"  {count:,} x {note}")


def split(
    catalog: Path,
    /,
    *,
    out: Path,
    valid: float = 0.2,
    test: float = 0.0,
    folds: int = 0,
    per_class: int | None = None,
    seed: int = 0,
):
    """Fill split and fold: stratified by class, groups kept together.

    Args:
        catalog: the table to split.
        out: the table to write; may be the same.
        valid: share of each class's rows.
        test: share of each class's rows.
        folds: number of folds over the rows that are not test; 0 = none.
        per_class: keep at most that many rows of each class.
        seed: of the shuffling.
    """
    before = kf.read_catalog(catalog)
    if before["split"].ne("").any():
        print(f"note: the splits that {catalog} has ({', '.join(sorted(set(before['split']) - {''}))}) are drawn anew")
    table = kf.split_catalog(before, valid=valid, test=test, folds=folds, per_class=per_class, seed=seed)
    kf.write_catalog(table, out)
    print(kf.count_classes(table).to_string())
    for text in split_warnings(table):
        print(f"note: {text}")


def audit(
    catalog: Path,
    /,
    *,
    root: Path,
    out: Path,
    radius: int = 4,
    backbone: str | None = None,
    weights: str | None = None,
    predictions: Path | None = None,
    edits: Path | None = None,
    workers: int | None = None,
):
    """Find broken pictures, duplicates, leaks, conflicts and likely label errors; calling again continues.

    Args:
        catalog: the table.
        root: folder that its paths are relative to.
        out: folder for catalog.csv with groups filled, findings.csv, pairs.csv, label_errors.csv, contact sheets and what is kept for the next call.
        radius: bits of 64 in which hashes of the same picture may differ.
        backbone: also find crops and masked versions, by this backbone's features.
        weights: of the backbone: imagenet, or a file; default: imagenet.
        predictions: out of fold (of a run with --split all), to find labels that are likely wrong.
        edits: label_errors.csv as a person left it (id, column, label, suggestion), applied before anything else.
        workers: processes; default: one a core.
    """
    from kfashion_utils.audit.sheets import write_sheets
    from kfashion_utils.plots.style import use_korean_font

    table = kf.read_catalog(catalog)
    if edits and predictions and edits.resolve() == (out / LABEL_ERRORS).resolve():
        raise InputError(
            f"--edits {edits} would be written over by what --predictions finds; copy it to another name, and give that"
        )
    table = kf.apply_edits(table, read_edits(edits)) if edits else table
    errors = kf.find_label_errors(kf.read_predictions(predictions), table) if predictions else None
    found = kf.audit_catalog(
        table, root, out, radius=radius, backbone=backbone, weights=weights or "imagenet", workers=workers
    )
    found.write(out)
    if errors is not None:
        with finished_file(out / LABEL_ERRORS) as temporary:
            errors.to_csv(temporary, index=False, lineterminator="\n")
        print(
            f"{len(errors):,} labels are likely wrong: {out / LABEL_ERRORS}; take out the rows you disagree with and give it back as --edits"
        )
    if not all(label.isascii() for name in label_columns(table) for label in table[name].unique()):
        use_korean_font(install=False)
    sheets = write_sheets(found, root, out, errors)
    print(found)
    print(
        f"{out}: catalog.csv, findings.csv, pairs.csv, {len(sheets)} contact sheets; split the new catalog with: kfashion split {out / 'catalog.csv'} --out FILE"
    )


def preprocess(
    catalog: Path,
    /,
    *,
    root: Path,
    cache: Path,
    drive: Path | None = None,
    workers: int | None = None,
    backend: Literal["processes", "ray"] = "processes",
    recipe: Preprocess = Preprocess(),  # noqa: B008
):
    """Crop, mask and resize every picture into a cache; calling again continues.

    Args:
        catalog: the table.
        root: folder that its paths are relative to.
        cache: local folder of caches, one below it for each recipe.
        drive: folder on Google Drive that keeps a proven copy; what it holds is fetched first.
        workers: processes; default: one a core.
        backend: processes of this machine, or a Ray cluster.
        recipe: how pixels are prepared.
    """
    table = kf.read_catalog(catalog)
    prepared = kf.preprocess_images(table, root, cache, recipe, workers=workers, backend=backend, drive=drive)
    lacking = int(recipe.lacking(table).sum())
    print(
        f"{prepared.folder}: {len(prepared):,} of {len(table):,} rows prepared, {len(prepared.failures):,} rejected, {lacking:,} without the region asked for"
    )
    if not len(prepared):
        raise InputError(
            f"none of {len(table):,} pictures below {root} could be prepared; the first: {' '.join(prepared.failures.iloc[0])}"
        )


def train(
    catalog: Path,
    /,
    *,
    root: Path,
    run: Path,
    cache: Path | None = None,
    task: str | None = None,
    split: Literal["train", "all"] = "train",
    config: Path | None = None,
    workers: int | None = None,
    devices: Literal["all", "gpu"] | None = None,
    recipe: Preprocess = Preprocess(),  # noqa: B008
    training: TrainConfig = TrainConfig(),  # noqa: B008
):
    """Train a run; calling again continues it. --config RUN/run.json repeats a recipe and its --split, flags go over it.

    Args:
        catalog: the table, with train and valid rows.
        root: folder that its paths are relative to.
        run: the run's folder.
        cache: folder of caches; default: `cache` beside the run's folder.
        task: name of a task or a task file; default: from the label columns.
        split: all = the final fit on train and valid rows, judged out of fold.
        config: a run.json whose recipe is repeated.
        workers: processes that prepare pictures; default: one a core.
        devices: all = fine-tune on every GPU, gpu = refuse to train without one; default: the first GPU, or the CPU.
        recipe: how pixels are prepared.
        training: how the model learns.
    """
    table = kf.read_catalog(catalog)
    kf.train(
        table,
        root,
        run,
        preprocess=recipe,
        config=training,
        task=task,
        split=split,
        cache=cache,
        workers=workers,
        devices=devices,
    )


def predict(
    runs: tuple[str, ...],
    /,
    *,
    catalog: Path,
    root: Path,
    out: Path,
    split: Literal["train", "valid", "test"] | None = None,
    rows: bool = False,
    prior: str | None = None,
    thresholds: bool = False,
    allow_missing_regions: bool = False,
    cache: Path | None = None,
    workers: int | None = None,
):
    """Answers of one run, or the mean of several, for a catalog's pictures.

    Args:
        runs: run folders; or one `hub:<preset>` of an encoder that reads text, for answers without any training.
        catalog: the table.
        root: folder that its paths are relative to.
        out: the predictions to write.
        split: only these rows; default: all.
        rows: one answer a row instead of one a photo.
        prior: class mix that is expected: train, uniform, or a file (JSON {class: share}, or CSV class,share).
        thresholds: decide classes of multi-label heads where their F1 was best in training.
        allow_missing_regions: predict although more pictures lack the recipe's box or polygon than in training.
        cache: folder of caches; default: nothing is kept.
        workers: processes that prepare pictures; default: one a core.
    """
    pictures = kf.read_catalog(catalog)
    options = {"split": split, "rows": rows, "cache": cache, "workers": workers}
    if any(run.startswith(HUB) for run in runs):
        if len(runs) > 1 or prior or thresholds:
            raise InputError(
                f"{', '.join(runs)}: one hub: preset alone, without --prior and --thresholds; average tables with kf.ensemble"
            )
        table = kf.predict_zero_shot(runs[0], pictures, root, **options)
    else:
        table = kf.predict(
            list(runs),
            pictures,
            root,
            prior=_read_prior(prior),
            thresholds=thresholds,
            allow_missing_regions=allow_missing_regions,
            **options,
        )
    kf.write_predictions(table, out)
    print(f"{out}: {len(table):,} predictions")
    failures = table.attrs["failures"]
    if len(failures):
        path = _beside(out, "failures")
        with finished_file(path) as temporary:
            failures.to_csv(temporary, index=False, lineterminator="\n")
        print(f"{len(failures):,} pictures could not be read and have no prediction: {path}")


def evaluate(
    predictions: Path,
    /,
    *,
    catalog: Path,
    json: Path | None = None,
    rows: bool = False,
    near: Path | None = None,
    tables: Path | None = None,
):
    """Figures of predictions against a catalog with 95 % intervals, beside the majority baseline.

    Args:
        predictions: the table to judge.
        catalog: the table with the truth.
        json: also write the figures there.
        rows: judge each row instead of each photo.
        near: a CSV of near-duplicates, pairs of ids in its first two columns: also judge without photos that training has seen.
        tables: a folder for the tables behind it: scores.csv, classes.csv, reliability.csv.
    """
    from kfashion_utils.evaluation.figures import describe
    from kfashion_utils.evaluation.intervals import figure_intervals

    table, truth = kf.read_predictions(predictions), kf.read_catalog(catalog)
    figures = kf.evaluate(table, truth, rows=rows)
    pairs = _read_pairs(near) if near else ()
    scores = kf.score_intervals(table, truth, rows=rows, near=pairs)
    intervals = figure_intervals(scores)
    for head, values in figures.items():
        print(f"{head}: {describe(values, intervals.get(head))}")
    for line in scores[(scores["figure"] == "accuracy") & (scores["photos"] != "all") & (scores["n"] > 0)].to_dict(
        "records"
    ):
        print(
            f"  {line['head']}, {line['photos']}: accuracy {line['natural']:.3f} ({line['low']:.3f}–{line['high']:.3f}), balanced {line['balanced']:.3f}, {line['n']:,} photos"
        )
    if json:
        write_json(json, figures)
    if tables:
        _write_tables(tables, scores, table, truth, [head for head, values in figures.items() if values["n"]], rows)


def _read_pairs(path):
    if not path.is_file():
        raise InputError(f"--near {path}: no such file; give a CSV with pairs of ids in its first two columns")
    table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    if table.shape[1] < 2:
        raise InputError(f"--near {path}: one column, {list(table.columns)}; expected pairs of ids in the first two")
    return table


def _write_tables(folder, scores, predictions, catalog, heads, rows):
    from kfashion_utils.evaluation.calibration import reliability

    classes = pd.concat([kf.class_intervals(predictions, catalog, head, rows=rows).assign(head=head) for head in heads])
    curves = pd.concat([reliability(predictions, catalog, head, rows=rows).assign(head=head) for head in heads])
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in (("scores", scores), ("classes", classes), ("reliability", curves)):
        with finished_file(folder / f"{name}.csv") as temporary:
            table.to_csv(temporary, index=False, lineterminator="\n")


def submit(
    predictions: Path, /, *, template: Path, out: Path, labels: Literal["index", "name", "english"] | None = None
):
    """Write the leaderboard's file in the form of its sample submission.

    Args:
        predictions: the table to submit.
        template: the leaderboard's sample submission.
        out: the file to write.
        labels: how labels are written; default: as in the template.
    """
    table = kf.write_submission(kf.read_predictions(predictions), template, out, labels=labels)
    print(f"{out}: {len(table):,} rows, columns {', '.join(table.columns)}; checked against {template}")
    provenance = kf.provenance_path(predictions)
    if provenance.exists():
        told = json_module.loads(provenance.read_text(encoding="utf-8"))
        write_json(kf.provenance_path(out), told)
        for run in told["runs"]:
            found = (
                ", ".join(f"{name} {share:.0%}" for name, share in run["regions_here"].items())
                if run["reads_regions"]
                else "none is read"
            )
            print(f"  {run['run']}: {run['backbone']}, weights {run['weights']}; regions of these pictures by: {found}")
        print(f"  what a board's rules ask for is in {kf.provenance_path(out)}")


def report(
    run: Path,
    /,
    *,
    catalog: Path | None = None,
    root: Path | None = None,
    out: Path | None = None,
    audit: Path | None = None,
    heat: bool = True,
):
    """One self-contained HTML page about a run.

    Args:
        run: the run's folder.
        catalog: the table with the truth; default: the one the run kept.
        root: folder of its pictures; default: the one the run was trained from.
        out: the page to write; default: report.html in the run's folder.
        audit: a folder that `kfashion audit` wrote: its findings, and the scores without near-duplicates.
        heat: show where the network looked; loads Keras.
    """
    print(
        kf.report(
            run, catalog=kf.read_catalog(catalog) if catalog else None, root=root, out=out, audit=audit, heat=heat
        )
    )


def runs(
    folder: Path,
    /,
    *,
    by: Literal["accuracy", "balanced", "macro_f1"] = "accuracy",
    head: str | None = None,
    out: Path | None = None,
):
    """The local leaderboard: one row a run, best first, with what differs between their recipes.

    Args:
        folder: holds the run folders.
        by: figure of the validation rows that is sorted by.
        head: whose figures; default: the first of each run.
        out: also write the table there, .csv.
    """
    from kfashion_utils.runs.table import describe_runs

    table = kf.runs_table(folder, by=by, head=head)
    print(describe_runs(table))
    if out:
        with finished_file(out) as temporary:
            table.to_csv(temporary, index=False, lineterminator="\n")


def _read_prior(prior):
    """`train`, `uniform`, None, or the shares in a file."""
    if prior in (None, "train", "uniform"):
        return prior
    path = Path(prior)
    if not path.is_file():
        raise InputError(f"--prior {prior}: neither 'train', 'uniform' nor a file")
    try:
        if path.suffix.lower() == ".json":
            return json_module.loads(path.read_text(encoding="utf-8-sig"))
        rows = [line.rsplit(",", 1) for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
        return {name.strip(): float(share) for name, share in (rows[1:] if rows[0][1].strip() == "share" else rows)}
    except (ValueError, IndexError) as error:
        raise InputError(
            f"{path} is not a class mix: expected JSON {{class: share}} or lines 'class,share' ({error})"
        ) from error


def _beside(path, word):
    """`kf.csv` or `kf.csv.gz` -> `kf.<word>.csv`."""
    return path.with_name(f"{path.name.removesuffix('.gz').removesuffix('.csv')}.{word}.csv")
