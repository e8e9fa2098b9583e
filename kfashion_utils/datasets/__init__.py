"""Data sets: each adapter turns the files of a root into catalog rows. It reads names and labels, decodes no picture, writes nothing."""

from collections import Counter

import pandas as pd

from kfashion_utils.catalog import complete_catalog, join_groups, unique_ids
from kfashion_utils.datasets import folders, kfashion
from kfashion_utils.datasets.files import content_keys, list_files
from kfashion_utils.errors import InputError, listing
from kfashion_utils.labels import RESERVED_COLUMNS

DATASETS = {  # name: function(files, root) -> (rows, rejected, notes)
    "kfashion": kfashion.read_rows,
    "sample": kfashion.read_rows,  # drawn in AI Hub's own format
    "folders": folders.read_rows,
}
REJECTED_COLUMNS = ["path", "kind", "reason", "detail"]


def build_catalog(dataset, root):
    """The per-picture table of a data set.

    Args:
        dataset: a row of `DATASETS`.
        root: folder with the data as downloaded; zips are read in place.

    Returns:
        (catalog, rejected): the catalog sorted by id, byte-equal pictures joined into one group; and a DataFrame
        `path, kind, reason, detail`, one row for each label file, picture or archive that is not in the catalog. Label files kept
        plus rejected are those found, and the same for pictures. `catalog.attrs["notes"]` counts what was mended.

    Raises:
        InputError: unknown data set, no folder, nothing in it, or nothing usable (every reason with its count).
    """
    if dataset not in DATASETS:
        raise InputError(f"unknown data set {dataset!r}; known: {', '.join(DATASETS)}")
    files, rejected = list_files(root)
    rows, more, notes = DATASETS[dataset](files, root)
    rejected = pd.DataFrame(rejected + more, columns=REJECTED_COLUMNS, dtype=object).sort_values("path", ignore_index=True)
    if not rows:
        raise InputError(f"{root} holds nothing that `{dataset}` can use; of {len(files):,} files:\n{summarize(rejected) or '  no picture among them'}")
    paths = [row["path"] for row in rows]
    ids = unique_ids([row["name"] for row in rows], paths)
    table = pd.DataFrame({"id": ids, **{column: [row[column] for row in rows] for column in rows[0]}}).drop(columns="name")
    rows.clear()
    contents = content_keys(paths, root)
    table["group"] = table["group"].where(table["group"] != "", table["id"])
    table["group"] = join_groups(table["group"], contents)
    notes = Counter(notes) + _conflicts(table, contents)
    catalog = complete_catalog(table.sort_values("id", ignore_index=True))
    catalog.attrs["notes"] = dict(sorted(notes.items()))
    return catalog, rejected


def _conflicts(table, contents):
    """Counter of the rows whose picture is byte-equal to another's that is labelled otherwise; they are kept, in one group."""
    columns = [name for name in table.columns if name not in RESERVED_COLUMNS]
    equal = table[columns].assign(content=contents).dropna(subset="content")
    several = equal.groupby("content")[columns].transform("nunique").gt(1).any(axis=1) if len(equal) else equal
    return Counter({f"equal pictures with different {' or '.join(columns)}s": int(several.sum())} if len(equal) else {})


def summarize(rejected):
    """Rejections counted by kind and reason, each with an example; text, empty if there are none."""
    lines = []
    for (kind, reason), group in rejected.groupby(["kind", "reason"], sort=True):
        first = group.iloc[0]
        lines.append(f"{len(group):,} {kind}{'s' * (len(group) > 1)}: {reason} (for example {first['path']}: {first['detail']})")
    return listing(lines, shown=len(lines))
