"""The verbs about data: one thin function a verb. Paths and recipes in, a public function called, a file written; flags
are the parameters' names."""

from pathlib import Path
from typing import Literal

import kfashion_utils as kf
from kfashion_utils.cli.options import beside
from kfashion_utils.datasets import summarize
from kfashion_utils.errors import InputError, refuse
from kfashion_utils.evaluation.label_errors import LABEL_ERRORS, read_edits
from kfashion_utils.images.recipe import Preprocess
from kfashion_utils.storage.files import write_table
from kfashion_utils.tables.splits import split_warnings
from kfashion_utils.tables.tasks import label_columns

SHOWN_CLASSES = 60  # of a class table; a vocabulary of thousands is no table to read


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
    there = len(names) - len(problems)
    refuse(f"{name}: {there} of {len(names)} files are there; `kfashion download` of one file says more", problems)


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
    rejected_path = beside(out, "rejected")
    write_table(rejected_path, rejected)
    kinds = {kind: int((rejected["kind"] == kind).sum()) for kind in ("label", "picture", "archive")}
    counted = ", ".join(f"{count:,} {kind}s" for kind, count in kinds.items())
    photos = f" of {table['photo'].nunique():,} photos" if rows != "photo" else ""
    print(f"{out}: {len(table):,} rows{photos}, {table['group'].nunique():,} groups; rejected: {counted}")
    _print_classes(table)
    if len(rejected):
        print(f"{summarize(rejected)}\n  all of them: {rejected_path}")
    for note, count in table.attrs["notes"].items():
        print(f"  {count:,} x {note}")


def _print_classes(table):
    """How many rows each class has, by split."""
    counts = kf.count_classes(table)
    print(counts.head(SHOWN_CLASSES).to_string())
    if len(counts) > SHOWN_CLASSES:
        print(f"… and {len(counts) - SHOWN_CLASSES:,} more classes")


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
    redraw: bool = False,
):
    """Fill split and fold: stratified by class, groups kept together; test and valid rows of the table stay that.

    Args:
        catalog: the table to split.
        out: the table to write; may be the same.
        valid: share of each class's rows, where the table has no valid row yet.
        test: share of each class's rows, where the table has no labelled test row yet.
        folds: number of folds over the rows that are not test; 0 = none.
        per_class: keep at most that many rows of each class.
        seed: of the shuffling.
        redraw: forget the splits that the table has and draw all of them anew.
    """
    table = kf.split_catalog(
        kf.read_catalog(catalog), valid=valid, test=test, folds=folds, per_class=per_class, seed=seed, redraw=redraw
    )
    kf.write_catalog(table, out)
    print(kf.count_classes(table).to_string())
    for note, count in table.attrs["notes"].items():
        print(f"  {count:,} x {note}")
    if table.attrs["notes"]:
        print("note: --redraw forgets these splits and draws all rows anew")
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
        out: folder for catalog.csv with groups filled, findings.csv, pairs.csv, label_errors.csv, contact sheets and
            what is kept for the next call.
        radius: bits of 64 in which hashes of the same picture may differ.
        backbone: also find crops and masked versions, by this backbone's features.
        weights: of the backbone: imagenet, or a file; default: imagenet.
        predictions: out of fold (of a run with --split all), to find labels that are likely wrong.
        edits: label_errors.csv as a person left it (id, column, label, suggestion), applied before anything else.
        workers: processes; default: one a core.
    """
    table = kf.read_catalog(catalog)
    if edits and predictions and edits.resolve() == (out / LABEL_ERRORS).resolve():
        raise InputError(
            f"--edits {edits} would be written over by what --predictions finds; copy it to another name, and give that"
        )
    table = kf.apply_edits(table, read_edits(edits)) if edits else table
    errors = kf.find_label_errors(kf.read_predictions(predictions), table) if predictions else None
    weights = weights or "imagenet"
    found = kf.audit_catalog(table, root, out, radius=radius, backbone=backbone, weights=weights, workers=workers)
    found.write(out)
    if errors is not None:
        write_table(out / LABEL_ERRORS, errors)
        print(
            f"{len(errors):,} labels are likely wrong: {out / LABEL_ERRORS}; "
            "take out the rows you disagree with and give it back as --edits"
        )
    sheets = _write_sheets(table, found, root, out, errors)
    print(found)
    print(
        f"{out}: catalog.csv, findings.csv, pairs.csv, {len(sheets)} contact sheets; "
        f"split the new catalog with: kfashion split {out / 'catalog.csv'} --out FILE"
    )


def _write_sheets(table, found, root, out, errors):
    """The contact sheets of an audit, in a font that can write the table's labels."""
    from kfashion_utils.audit.sheets import write_sheets
    from kfashion_utils.plots.style import font_for

    with font_for([label for name in label_columns(table) for label in table[name].unique()]):
        return write_sheets(found, root, out, errors)


def preprocess(
    catalog: Path,
    /,
    *,
    root: Path,
    cache: Path,
    drive: Path | None = None,
    workers: int | None = None,
    backend: Literal["processes", "ray"] = "processes",
    preprocess: Preprocess = Preprocess(),  # noqa: B008
):
    """Crop, mask and resize every picture into a cache; calling again continues.

    Args:
        catalog: the table.
        root: folder that its paths are relative to.
        cache: local folder of caches, one below it for each recipe.
        drive: folder on Google Drive that keeps a proven copy; what it holds is fetched first.
        workers: processes; default: one a core.
        backend: processes of this machine, or a Ray cluster.
        preprocess: how pixels are prepared.
    """
    table = kf.read_catalog(catalog)
    prepared = kf.preprocess_images(table, root, cache, preprocess, workers=workers, backend=backend, drive=drive)
    failures, lacking = prepared.failures, int(preprocess.lacking(table).sum())
    print(
        f"{prepared.folder}: {len(prepared):,} of {len(table):,} rows prepared, {len(failures):,} rejected, "
        f"{lacking:,} without a region that the recipe reads"
    )
    if not len(prepared):
        first = " ".join(failures.iloc[0])
        raise InputError(f"none of {len(table):,} pictures below {root} could be prepared; the first: {first}")
