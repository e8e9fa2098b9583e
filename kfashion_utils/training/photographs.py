"""Photographs asked directly: files, folders, arrays and Pillow's pictures -> predictions, without a catalog.

Where nobody has drawn a box on them, a recipe that reads one gets the whole picture; that is said.
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from kfashion_utils.datasets.files import PICTURE_SUFFIXES, list_files
from kfashion_utils.errors import REASONS, ImageRejected, InputError
from kfashion_utils.images import decoding
from kfashion_utils.images.recipe import BOX
from kfashion_utils.output import say
from kfashion_utils.runs.run import Run, load_run
from kfashion_utils.tables.beside import with_failures, with_pictures
from kfashion_utils.tables.catalog import unique_ids
from kfashion_utils.tables.predictions import ensemble, prediction_table
from kfashion_utils.training.answer import answer
from kfashion_utils.training.prior import shift_scores, wanted_shifts

BLOCK = 64  # photographs prepared and answered at a time
READERS = 4  # threads that prepare them
UNNAMED = "picture"  # of an array
HAND = "hand"  # who drew a box that a person gave


def predict_photographs(runs, pictures, *, boxes=None, prior=None, progress=True):
    """Answers for photographs that stand in no catalog.

    Args:
        runs: a Run, a path, or several of them of one task; several are averaged.
        pictures: a path of a picture or a folder (its zips are read in place), encoded bytes, an array uint8 RGB
            `(h, w, 3)`, Pillow's picture; or several of them.
        boxes: (left, top, right, bottom) around the clothes, pixels of the upright picture, drawn by hand; or a list of
            them, one a picture, None = none. A recipe that cuts takes them, one that masks paints what is outside.
        prior: as in `predict`.
        progress: show a bar for more than a block of pictures.

    Returns:
        predictions DataFrame `id, photo, <head>…`, and a probability a class, in the order of `pictures`; those that
        could not be read are in `attrs["failures"]` (DataFrame `id, path, reason, detail, photo`).

    Raises:
        InputError: no picture, runs of several tasks, none that could be read; boxes that are none, or not as many.
    """
    return answer_photographs(runs, pictures, boxes, prior, progress)[0]


def answer_photographs(runs, pictures, boxes=None, prior=None, progress=True):
    """(the table of `predict_photographs`, the path or name of the picture of each of its rows)."""
    runs = [run if isinstance(run, Run) else load_run(run) for run in _listed(runs)]
    _require_one_task(runs)
    sources, paths = _expanded(pictures)
    ids = unique_ids([Path(path).stem for path in paths], [f"{path}#{number}" for number, path in enumerate(paths)])
    rows = pd.DataFrame({"id": ids, "path": paths, "photo": ids}, dtype=object)
    drawn = _drawn(boxes, paths)
    _say_what_lacks(runs, drawn)
    shifts = [wanted_shifts(run, prior, False) for run in runs]
    found, failed = [], {}
    for run in runs:
        scores, faults = _answers(run, sources, drawn, progress)
        found.append(scores)
        failed |= faults
    if len(failed) == len(rows):
        raise InputError(f"none of {len(rows):,} pictures could be read; the first: {paths[0]}: {failed[0]}")
    kept = [number for number in range(len(rows)) if number not in failed]
    readable = rows.iloc[kept].reset_index(drop=True)
    tables = [
        prediction_table(run.task, readable, shift_scores(run.task, scores[kept], shift))
        for run, scores, shift in zip(runs, found, shifts, strict=True)
    ]
    mean = ensemble(tables) if len(tables) > 1 else tables[0]
    table = with_failures(with_pictures(mean, rows), _failures(rows, failed))
    return table, [paths[number] for number in kept]


def _listed(values):
    return list(values) if isinstance(values, (list, tuple)) else [values]


def _require_one_task(runs):
    for run in runs:
        run.require_weights()
        if run.task.columns != runs[0].task.columns:
            raise InputError(f"{run.path} and {runs[0].path} answer different questions; ask them one by one")


def _expanded(pictures):
    """(sources, names): folders become the pictures in them."""
    sources, names = [], []
    for picture in _listed(pictures):
        if isinstance(picture, (str, Path)):
            found = _in_folder(Path(picture)) if Path(picture).is_dir() else [str(picture)]
            sources += found
            names += found
            continue
        sources.append(picture if isinstance(picture, (bytes, bytearray, memoryview)) else _as_png(picture))
        names.append(f"{UNNAMED}_{len(names)}")
    if not sources:
        raise InputError("no picture was named; give files, a folder, arrays or Pillow's pictures")
    return sources, names


def _in_folder(folder):
    listing = list_files(folder)
    found = [str(folder / file.path) for file in listing.files if file.suffix in PICTURE_SUFFIXES]
    if not found:
        raise InputError(f"{folder} holds no picture ({', '.join(PICTURE_SUFFIXES)})")
    return found


def _as_png(picture):
    """Encoded bytes of an array or of Pillow's picture: what is decoded goes through the one decoder, too."""
    array = np.asarray(picture.convert("RGB") if hasattr(picture, "convert") else picture)
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[-1] != 3 or 0 in array.shape:
        raise InputError(f"an array {array.dtype} {array.shape}; a picture is uint8 RGB (h, w, 3)")
    return decoding.encode_png(array)


def _drawn(boxes, paths):
    """What a catalog's row would say of the region of each picture, a list of dicts; empty = nothing.

    Raises:
        InputError: not four sides, or not as many boxes as pictures.
    """
    if boxes is None:
        return [{}] * len(paths)
    boxes = list(boxes) if np.ndim(boxes[0]) or boxes[0] is None else [boxes]
    if len(boxes) != len(paths):
        raise InputError(f"{len(boxes)} boxes for {len(paths)} pictures; give one for each, None where there is none")
    return [{} if box is None else _region(box, path) for box, path in zip(boxes, paths, strict=True)]


def _region(box, path):
    sides = [float(side) for side in box]
    if len(sides) != 4 or not np.isfinite(sides).all() or sides[0] >= sides[2] or sides[1] >= sides[3]:
        raise InputError(f"{path}: box {tuple(box)}; a box is (left, top, right, bottom) in pixels, left < right")
    return {**dict(zip(BOX, sides, strict=True)), "polygon": "", "region": HAND}


def _say_what_lacks(runs, drawn):
    """Say what the recipes read and nobody has drawn, and boxes that no recipe reads."""
    without = sum(not region for region in drawn)
    for run in runs:
        recipe = run.preprocess
        reads = [word for word in (recipe.crop, recipe.mask) if word != "none"]
        if reads and without:
            say(
                f"{run.path.name} was trained on pictures cut by {' and '.join(reads)}, which nobody has drawn in "
                f"{without:,} of {len(drawn):,} pictures: they are used whole, expect less"
            )
        elif not reads and without < len(drawn):
            say(f"{run.path.name} was trained on whole pictures: boxes are not read")
        elif recipe.mask != "none":
            say(f"{run.path.name} was trained on pictures masked by {recipe.mask}: they are masked by their boxes here")


def _answers(run, sources, drawn, progress):
    """(probabilities `(n, classes)`, NaN where a picture could not be read; {number: ImageRejected})."""
    scores, failed = np.full((len(sources), run.task.num_classes), np.nan), {}
    with (
        ThreadPoolExecutor(READERS) as readers,
        tqdm(
            total=len(sources), desc=run.path.name, unit="picture", disable=not progress or len(sources) < BLOCK
        ) as bar,
    ):
        for start in range(0, len(sources), BLOCK):
            block = range(start, min(start + BLOCK, len(sources)))
            pixels = list(readers.map(lambda number: _pixels(run, sources[number], drawn[number]), block))
            found = zip(block, pixels, strict=True)
            failed |= {number: one for number, one in found if isinstance(one, ImageRejected)}
            good = [number for number in block if number not in failed]
            if good:
                scores[good] = answer(run, np.stack([pixels[number - start] for number in good]))
            bar.update(len(block))
    return scores, failed


def _pixels(run, source, region):
    """What the run sees of a picture, or why it cannot."""
    try:
        return run.preprocess.apply(source, region)
    except ImageRejected as error:
        return error


def _failures(rows, failed):
    """DataFrame `id, path, reason, detail, photo` of the pictures that could not be read."""
    records = [
        [
            rows["id"][number],
            rows["path"][number],
            error.reason,
            error.detail or REASONS[error.reason],
            rows["photo"][number],
        ]
        for number, error in sorted(failed.items())
    ]
    return pd.DataFrame(records, columns=["id", "path", "reason", "detail", "photo"], dtype=object)
