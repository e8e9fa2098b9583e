"""What a training refuses before it begins: recipes, catalogs and pictures from which nothing could be learned."""

from kfashion_utils.errors import InputError
from kfashion_utils.models.model import require_shape
from kfashion_utils.output import say

SPLITS = {"train": ("train", "valid"), "all": ("train",)}  # rows that a training needs
GUARDED = 16  # pictures looked at before a training starts
REMEDY = "kfashion split CATALOG --out CATALOG --valid 0.2"


def require_recipe(split, preprocess, config):
    """Refuse a recipe whose parts contradict each other.

    Raises:
        InputError: said which.
    """
    require_shape(config.backbone, preprocess.size, config.taps, config.sizes)
    if config.swap and preprocess.mask != "none":
        raise InputError(
            f"swap={config.swap} pastes people on the backgrounds of other photographs, and "
            f"mask={preprocess.mask!r} has painted these over; use mask='none'"
        )
    if split not in SPLITS:
        raise InputError(f"split {split!r}: expected 'train' or 'all'")
    if split == "all" and config.fine_tune_epochs:
        raise InputError(
            f"split='all' judges rows out of fold, which {config.fine_tune_epochs} epochs of fine-tuning cannot give; "
            "use fine_tune_epochs=0, or split='train'"
        )


def require_splits(catalog, split):
    """Refuse a catalog without the rows that a training needs.

    Raises:
        InputError: with the command that fills the column.
    """
    empty = int((catalog["split"] == "").sum())
    if empty:
        raise InputError(
            f"{empty:,} of {len(catalog):,} rows of the catalog have no split; fill it first, groups kept together:\n"
            f"  {REMEDY} --seed 0"
        )
    for name in SPLITS[split]:
        if not (catalog["split"] == name).any():
            raise InputError(f"the catalog has no {name!r} row; fill the column with: {REMEDY}")


def require_polygons(catalog, config):
    """Refuse to swap backgrounds along polygons that no training row has."""
    if config.swap and not (catalog["polygon"][catalog["split"] == "train"] != "").any():
        raise InputError(
            f"swap={config.swap} cuts people out along polygons, and no training row has one; "
            "fill the column first, or use swap=0"
        )


def require_regions(catalog, preprocess):
    """Refuse a recipe that cuts along boxes and polygons where no row has any: it would change nothing.

    Raises:
        InputError: with the recipe that gives the same pictures.
    """
    drawn = catalog["left"].notna() | (catalog["polygon"] != "")
    if preprocess.reads_regions and not drawn.any():
        raise InputError(
            f"crop={preprocess.crop} and mask={preprocess.mask} read boxes and polygons, and none of {len(catalog):,} "
            "rows has one: every picture would stay whole. Fill the columns left, top, right, bottom, polygon and "
            "region first, or use crop=none and mask=none"
        )
    masked = preprocess.mask == "polygon" and not (catalog["polygon"] != "").any()
    if masked and drawn.any():
        say("no row has a polygon, which mask=polygon reads: pictures are masked by their boxes")


def require_rows(rows):
    """Refuse rows of which nothing can be learned, or none judged, because their pictures or labels are missing.

    Raises:
        InputError: said what is missing.
    """
    for name in SPLITS[rows.split]:
        part = rows.table[rows.table["split"] == name]
        if part.empty:
            raise InputError(f"not one {name!r} picture could be prepared; see {rows.prepared.folder / 'failures.csv'}")
        _require_labels(rows.task, part, name)
    if rows.split == "all" and rows.table["group"].nunique() < 2:
        raise InputError(
            "split='all' judges each group by heads that did not see it, and all rows are of one group; "
            "fill the column 'group', or use split='train'"
        )


def _require_labels(task, part, name):
    known = task.annotated(task.encode(part)).sum(axis=0)
    without = [head.name for head, count in zip(task.heads, known, strict=True) if not count]
    if without and (name == "train" or len(without) == len(task.heads)):
        raise InputError(
            f"no {name!r} row has a label in {without}; label some, split again, or leave the column out with task=FILE"
        )


def require_span(prepared):
    """Pictures hold values up to 255: one that was divided by 255 before would teach nothing."""
    some = [prepared.pixels(row) for row in prepared.ids[:: max(1, len(prepared) // GUARDED)]]
    if max(int(pixels.max()) for pixels in some) <= 1:
        raise InputError(
            f"{len(some)} prepared pictures hold values 0..1 only, expected 0..255: "
            "scaled by 255 before they were saved? The model scales by itself"
        )
