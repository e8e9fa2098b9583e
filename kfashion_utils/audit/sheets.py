"""Contact sheets of an audit: the pictures of each finding, pairs beside each other, and likely label errors, as PNG
files to go through."""

from pathlib import Path

import numpy as np

from kfashion_utils.audit.flaws import FLAWS
from kfashion_utils.errors import ImageRejected
from kfashion_utils.images import decoding
from kfashion_utils.plots.pictures import show_images
from kfashion_utils.plots.style import png
from kfashion_utils.storage.files import write_bytes

COLUMNS, ROWS = 6, 8  # pictures of a sheet
PER_SHEET = COLUMNS * ROWS
HEIGHT = 160  # of a picture, pixels
MOST_SHEETS = 20  # of a kind; the tables hold all


def write_sheets(audit, root, folder, label_errors=None):
    """Write `sheet-<finding>-<number>.png`; those of an earlier call are replaced.

    Args:
        audit: an Audit.
        root: folder of the pictures.
        folder: where to write.
        label_errors: DataFrame of `find_label_errors`; None = none.

    Returns:
        The paths.
    """
    for old in Path(folder).glob("sheet-*.png"):
        old.unlink()
    paths = audit.catalog.set_index("id")["path"]
    written = []
    for name, entries in _sheets(audit, label_errors).items():
        shown = entries[: PER_SHEET * MOST_SHEETS]
        for number, start in enumerate(range(0, len(shown), PER_SHEET), 1):
            part = shown[start : start + PER_SHEET]
            pictures, texts = [_thumbnail(paths[row], root) for row, _ in part], [text for _, text in part]
            path = Path(folder, f"sheet-{name}-{number:02d}.png")
            write_bytes(path, png(show_images(pictures, texts, COLUMNS, height=HEIGHT, colours=None)))
            written.append(path)
    return written


def _sheets(audit, label_errors):
    """{name of a sheet: [(id, text beneath)]}; pairs stand beside each other."""
    sheets = {}
    shown = audit.findings[(audit.findings["id"] != "") & (audit.findings["finding"] != "unreadable")]
    for name, found in shown.groupby("finding"):
        texts = [f"{value:.3g}" for value in found["value"]] if name in FLAWS else found["detail"]
        entries = zip(found["id"], texts, strict=True)
        sheets[name.replace(" ", "-")] = [(row, f"{row}\n{text}") for row, text in entries]
    for how, found in audit.pairs.groupby("how"):
        sheets[f"pairs-{how}"] = entries = []
        for one, other, distance in zip(found["id"], found["other"], found["distance"], strict=True):
            entries += [(row, f"{row}\n{how} {distance:g}") for row in (one, other)]
    if label_errors is not None:
        sheets["label-errors"] = [(error.id, _label_text(error)) for error in label_errors.itertuples(index=False)]
    return sheets


def _label_text(error):
    return f"{error.id}\n{error.label} ->\n{error.suggestion} {error.probability:.2f}"


def _thumbnail(path, root):
    """uint8 RGB `(h, w, 3)`, not much larger than it is shown; grey where it cannot be read."""
    try:
        return decoding.decode(path, root, lambda *size: max(size) / (2 * HEIGHT))[0]
    except ImageRejected:
        return np.full((HEIGHT, HEIGHT, 3), 160, np.uint8)
