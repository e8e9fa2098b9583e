"""Data sets: each adapter turns the files of a root into catalog rows.

It reads names and labels, decodes no picture, writes nothing.
"""

from collections import Counter

import numpy as np
import pandas as pd

from kfashion_utils.datasets import folders, kfashion
from kfashion_utils.datasets.files import content_keys, list_files
from kfashion_utils.errors import InputError, listing
from kfashion_utils.tables.catalog import BOX, complete_catalog, join_groups, unique_ids
from kfashion_utils.tables.tasks import label_columns

KFASHION = {"photo": kfashion.read_photos, "garment": kfashion.read_garments}
DATASETS = {  # name: {what a row of the catalog is: function(Listing, root) -> (rows, one a photo; rejected; notes)}
    "kfashion": KFASHION,
    "sample": KFASHION,  # drawn in AI Hub's own format
    "folders": {"photo": folders.read_rows},
}
GARMENT_COLUMNS = [*BOX, "polygon", "region", "part"]
REJECTED_COLUMNS = ["path", "kind", "reason", "detail"]


def build_catalog(dataset, root, rows="photo"):
    """The per-picture table of a data set.

    Args:
        dataset: a row of `DATASETS`.
        root: folder with the data as downloaded; zips are read in place.
        rows: `photo`; or `garment` = one row a garment with a box or polygon, labelled by `part` and called
            `<photo>-<part>`, rows of one photo being its views. A photo without any keeps one row of the whole picture.

    Returns:
        (catalog, rejected): the catalog sorted by id, byte-equal pictures joined into one group; and a DataFrame
        `path, kind, reason, detail`, one row for each label file, picture or archive that is not in the catalog. Label
        files kept plus rejected are those found, and the same for pictures (where rows are garments, count `photo`).
        `catalog.attrs["notes"]` counts what was mended.

    Raises:
        InputError: unknown data set, one without garments, no folder, nothing in it, or nothing usable (every reason
            with its count).
    """
    read_rows = _adapter(dataset, rows)
    listing = list_files(root)
    found, more, notes = read_rows(listing, root)
    rejected = pd.DataFrame(listing.rejected + more, columns=REJECTED_COLUMNS, dtype=object)
    rejected = rejected.sort_values("path", ignore_index=True)
    if not found:
        reasons = summarize(rejected) or "  no picture among them"
        if dataset in ("kfashion", "sample") and not any(file.suffix == ".json" for file in listing.files):
            reasons += f"\nno label file (.json); class folders are read by: kfashion catalog folders --root '{root}'"
        raise InputError(f"{root} holds nothing that `{dataset}` can use; of {len(listing.files):,} files:\n{reasons}")
    paths = [row["path"] for row in found]
    ids = unique_ids([row.pop("name") for row in found], paths)
    columns = {column: [row[column] for row in found] for column in found[0]}
    found.clear()
    table = pd.DataFrame({"id": ids, **columns})
    garments = dict(zip(ids, table.pop("garments"), strict=True)) if "garments" in table else None
    contents = content_keys(paths, root)
    table["group"] = table["group"].where(table["group"] != "", table["id"])
    table["group"] = join_groups(table["group"], contents)
    notes = listing.notes + Counter(notes) + _conflicts(table, contents)
    catalog = complete_catalog(table.sort_values("id", ignore_index=True))
    if garments is not None:
        catalog = _garment_rows(catalog, garments)
    catalog.attrs["notes"] = dict(sorted(notes.items()))
    return catalog, rejected


def _adapter(dataset, rows):
    """The function of `DATASETS` that reads a data set.

    Raises:
        InputError: there is none.
    """
    if dataset not in DATASETS:
        raise InputError(f"unknown data set {dataset!r}; known: {', '.join(DATASETS)}")
    adapters = DATASETS[dataset]
    if rows not in adapters:
        raise InputError(f"a row of {dataset!r} is a {' or a '.join(adapters)}, not a {rows}; choose another rows=")
    return adapters[rows]


def _garment_rows(catalog, garments):
    """One row a garment in place of each photo's row. `garments`: {id: list of mappings of `GARMENT_COLUMNS`}."""
    counts = [max(len(garments[name]), 1) for name in catalog["id"]]
    table = catalog.iloc[np.repeat(np.arange(len(catalog)), counts)].reset_index(drop=True)
    values = [garment for name in catalog["id"] for garment in garments[name] or [{}]]
    table[GARMENT_COLUMNS] = pd.DataFrame(values, columns=GARMENT_COLUMNS)
    names = [
        f"{photo}-{part}" if isinstance(part, str) else photo
        for photo, part in zip(table["photo"], table["part"], strict=True)
    ]
    table = table.assign(id=unique_ids(names, table["path"]))
    return complete_catalog(table.sort_values("id", ignore_index=True))


def _conflicts(table, contents):
    """Counter of the rows whose picture is byte-equal to another's with another label; they are kept, in one group."""
    columns = label_columns(table)
    equal = table[columns].assign(content=contents).dropna(subset="content")
    if not len(equal):
        return Counter()
    several = equal.groupby("content")[columns].transform("nunique").gt(1).any(axis=1)
    return Counter({f"equal pictures with different {' or '.join(columns)}s": int(several.sum())})


def summarize(rejected):
    """Rejections counted by kind and reason, each with an example; text, empty if there are none."""
    lines = []
    for (kind, reason), group in rejected.groupby(["kind", "reason"], sort=True):
        first = group.iloc[0]
        example = f"{first['path']}: {first['detail']}"
        plural = "s" if len(group) > 1 else ""
        lines.append(f"{len(group):,} {kind}{plural}: {reason} (for example {example})")
    return listing(lines, shown=len(lines))
