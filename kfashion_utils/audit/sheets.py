"""Contact sheets of an audit: the pictures of each finding, pairs beside each other, and likely label errors, as PNG
files to go through."""

from pathlib import Path

import numpy as np

from kfashion_utils.audit.findings import FLAWS
from kfashion_utils.errors import ImageRejected
from kfashion_utils.images import decoding
from kfashion_utils.plots.pictures import show_images
from kfashion_utils.plots.style import png
from kfashion_utils.storage.files import write_bytes

COLUMNS, ROWS = 6, 8  # pictures of a sheet
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
    for name, table in _tables(audit, label_errors).items():
        per_sheet = COLUMNS * ROWS
        for number, start in enumerate(range(0, min(len(table), per_sheet * MOST_SHEETS), per_sheet), 1):
            shown = [(_thumbnail(paths[row], root), text) for row, text in table[start : start + per_sheet]]
            path = Path(folder, f"sheet-{name}-{number:02d}.png")
            write_bytes(
                path, png(show_images(*map(list, zip(*shown, strict=True)), COLUMNS, height=HEIGHT, colours=None))
            )
            written.append(path)
    return written


def _tables(audit, label_errors):
    """{name of a sheet: [(id, text beneath)]}; pairs stand beside each other."""
    tables = {}
    for name, found in audit.findings[
        (audit.findings["id"] != "") & (audit.findings["finding"] != "unreadable")
    ].groupby("finding"):
        texts = [f"{value:.3g}" for value in found["value"]] if name in FLAWS else found["detail"]
        tables[name.replace(" ", "-")] = [(row, f"{row}\n{text}") for row, text in zip(found["id"], texts, strict=True)]
    for how, found in audit.pairs.groupby("how"):
        tables[f"pairs-{how}"] = [
            (row, f"{row}\n{how} {value:g}")
            for pair in zip(found["id"], found["other"], found["distance"], strict=True)
            for row, value in _both(pair)
        ]
    if label_errors is not None:
        errors = label_errors.itertuples(index=False)
        tables["label-errors"] = [
            (error.id, f"{error.id}\n{error.label} ->\n{error.suggestion} {error.probability:.2f}") for error in errors
        ]
    return tables


def _both(pair):
    return (pair[0], pair[2]), (pair[1], pair[2])


def _thumbnail(path, root):
    """uint8 RGB `(h, w, 3)`, not much larger than it is shown; grey where it cannot be read."""
    try:
        return decoding.decode(path, root, lambda *size: max(size) / (2 * HEIGHT))[0]
    except ImageRejected:
        return np.full((HEIGHT, HEIGHT, 3), 160, np.uint8)
