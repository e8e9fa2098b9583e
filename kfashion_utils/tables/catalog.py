"""The catalog: one row = one region of one photograph, as a plain DataFrame with the columns of `RESERVED_COLUMNS` and
labels.

Text columns hold text (empty = none), the box float pixels of the upright picture (NaN = none), `fold` an integer (-1 =
none). Where labels state the size of their picture, `stated_width` and `stated_height` (pixels, NaN = not stated) keep
it: box and polygon of the region `annotation` are in pixels of that size (see `images.annotation`).
"""

import contextlib
import gzip
import hashlib
import io
import re
from pathlib import Path

import numpy as np
import pandas as pd

from kfashion_utils.errors import InputError, refuse
from kfashion_utils.storage.addresses import source_version
from kfashion_utils.storage.files import csv_encoding, finished_file
from kfashion_utils.tables.labels import OWN_COLUMNS, RESERVED_COLUMNS, STATED_SIZE
from kfashion_utils.tables.polygons import POLYGON_FORM, is_bad_polygon
from kfashion_utils.tables.reading import NAMELESS, read_table
from kfashion_utils.tables.spelling import is_suspect, one_spelling

BOX = ["left", "top", "right", "bottom"]
SPLITS = ("train", "valid", "test", "")
DEFAULTS = {
    "photo": "",
    "group": "",
    "split": "",
    "fold": -1,
    **dict.fromkeys(BOX, np.nan),
    "polygon": "",
    "region": "",
}
FILLED_FROM = {"photo": "id", "group": "photo"}  # where a cell is empty
SAFE_ID = re.compile(r"[^\w.()\- ]+")


def complete_catalog(table):
    """A table with at least `id` and `path` -> a catalog: missing columns, and empty cells of `photo` and `group`,
    filled; contract order and types; whole numbers among labels, photos and groups as integers (`2`, not `2.0`).

    Raises:
        InputError: no `id` or `path`, text where a number belongs, or a label that can only be guessed, such as `nan`
            among numbers (with row and value).
    """
    return _completed(pd.DataFrame(table))


def _completed(table, rows=None):
    """The same, with the number of each row for messages; None = as a spreadsheet counts."""
    missing = [name for name in ("id", "path") if name not in table.columns]
    if missing:
        raise InputError(f"a catalog needs the columns 'id' and 'path', {missing} missing; got {list(table.columns)}")
    rows = np.arange(2, len(table) + 2) if rows is None else rows
    table = table.assign(**{name: value for name, value in DEFAULTS.items() if name not in table.columns})
    stated = [name for name in STATED_SIZE if name in table.columns]
    numbers = {name: _numbers(table, name, rows) for name in (*BOX, *stated)}
    fold = _numbers(table, "fold", rows).fillna(-1).to_numpy()
    refuse(
        "the catalog's fold column holds other things than integers",
        [f"row {rows[i]}: {fold[i]}" for i in np.flatnonzero(fold % 1)],
    )
    labels = [name for name in table.columns if name not in OWN_COLUMNS]
    columns = {}
    for name in (*RESERVED_COLUMNS, *stated, *labels):
        if name in numbers:
            columns[name] = numbers[name].astype(float)
        elif name == "fold":
            columns[name] = fold.astype(int)
        else:
            columns[name] = table[name].astype(object).where(table[name].notna(), "").astype(str).astype(object)
        if name in FILLED_FROM:
            columns[name] = _named(columns, name, rows)
        elif name in labels:
            columns[name] = one_spelling(columns[name], name, rows)
    return pd.DataFrame(columns).reset_index(drop=True)


def _named(columns, name, rows):
    """The column `photo` or `group`: numbers in one spelling, unless the ids that they go with are such numbers
    themselves, and its empty cells filled."""
    values = columns[name]
    if is_suspect(values) and not is_suspect(columns["id"]):
        values = one_spelling(values, name, rows)
    return values.where(values != "", columns[FILLED_FROM[name]])


def _numbers(table, name, rows):
    values = table[name].where(table[name].astype(object) != "")
    numbers = pd.to_numeric(values, errors="coerce")
    bad = values.notna() & ~np.isfinite(numbers)
    refuse(
        f"column {name!r} holds text where a number belongs",
        [f"row {rows[i]}: {table[name].iloc[i]!r}" for i in np.flatnonzero(bad)],
    )
    return numbers


def read_catalog(path):
    """Read a catalog from `.csv` or `.csv.gz`, labels as text, in whatever form a spreadsheet saved it (`read_table`).

    Raises:
        InputError: no such file, not a table, columns missing, text in a number column, a label that can only be
            guessed.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"no catalog at {path}; make one with: kfashion catalog DATASET --root DIR --out {path}")
    table = read_table(path, ("id", "path"))
    nameless = [name for name in table.columns if name.startswith(NAMELESS)]
    if nameless:
        raise InputError(
            f"{path} has {len(nameless)} column without a name (a pandas index?); "
            "remove it: every further column is a label"
        )
    try:
        return _completed(table, table.index + 2)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def write_catalog(catalog, path):
    """Write a catalog to `.csv`, which a double click shows with its Hangul, or `.csv.gz`; equal catalogs give equal
    bytes."""
    with finished_file(path) as temporary, open(temporary, "wb") as raw:
        packed = str(path).endswith(".gz")
        with (
            gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=raw, mtime=0)
            if packed
            else contextlib.nullcontext(raw) as handle
        ):
            encoding = "utf-8" if packed else csv_encoding(catalog)
            catalog.to_csv(handle, index=False, lineterminator="\n", encoding=encoding)


def hash_catalog(catalog, columns=None):
    """Hex digest of a catalog's content, in id order; two people with the same one have the same table and splits."""
    buffer = io.StringIO()
    catalog[list(columns or catalog.columns)].sort_values("id").to_csv(buffer, index=False, lineterminator="\n")
    return hashlib.sha256(buffer.getvalue().encode("utf-8")).hexdigest()


def check_catalog(catalog, root=None):
    """All that is wrong with a catalog, as a list of texts that name the row; empty = nothing.

    Args:
        catalog: DataFrame.
        root: if given, every `path` must exist below it (nothing is decoded).
    """
    missing = [name for name in RESERVED_COLUMNS if name not in catalog.columns]
    if missing:
        return [f"columns missing: {missing}; a catalog has {list(RESERVED_COLUMNS)} and one column a label"]
    problems = [*_problems_of_names(catalog), *_problems_of_numbers(catalog), *_problems_of_regions(catalog)]
    problems += _separated(catalog, "group", "split") + _separated(catalog, "photo", "split")
    problems += _separated(catalog[catalog["fold"] >= 0], "group", "fold")
    if root is not None:
        problems += _missing_files(catalog, root)
    return problems


def _problems_of_names(catalog):
    """Ids that name no row, paths that lead nowhere, rows that belong to nothing."""
    ids, paths = catalog["id"], catalog["path"]
    unsafe = ids.map(lambda value: safe_id(value) != value)
    leaving = paths.str.startswith("/") | paths.str.contains(r"(?:^|[/:])\.\.(?:/|$)")
    yield from _noted(catalog, ids == "", "id is empty, path", "path")
    yield from _noted(catalog, ids.duplicated(keep=False) & (ids != ""), "id is not unique, path", "path")
    yield from _noted(catalog, unsafe, "id is not safe as a file name; use letters, digits and . _ - ( )")
    yield from _noted(catalog, paths == "", "path is empty")
    yield from _noted(catalog, leaving, "path leaves the data root", "path")
    yield from _noted(catalog, catalog["photo"] == "", "photo is empty")
    yield from _noted(catalog, catalog["group"] == "", "group is empty")


def _problems_of_numbers(catalog):
    """Splits and folds that there are none of, boxes that are none."""
    given = catalog[BOX].notna().sum(axis=1)
    inverted = (catalog["right"] <= catalog["left"]) | (catalog["bottom"] <= catalog["top"])
    yield from _noted(catalog, ~catalog["split"].isin(SPLITS), f"split is none of {SPLITS}, got", "split")
    yield from _noted(catalog, catalog["fold"] < -1, "fold must be -1 or more, got", "fold")
    yield from _noted(catalog, (given > 0) & (given < 4), "a box has four sides or none, got", *BOX)
    yield from _noted(catalog, (given == 4) & inverted, "box is empty or inverted", *BOX)


def _problems_of_regions(catalog):
    """Polygons that are none, and regions that nobody answers for."""
    drawn = catalog[BOX].notna().all(axis=1) | (catalog["polygon"] != "")
    unsigned = (catalog["region"] == "") & drawn
    yield from _noted(catalog, catalog["polygon"].map(is_bad_polygon), POLYGON_FORM, "polygon")
    yield from _noted(catalog, unsigned, "has a box or polygon but no region (who made it?)")


def _noted(catalog, bad, text, *columns):
    """A text for each bad row: its number as a spreadsheet counts, its id, what is wrong, the values."""
    for row in np.flatnonzero(bad):
        values = [catalog[name].iat[row] for name in columns]
        yield f"row {row + 2} (id {catalog['id'].iat[row]!r}): {text} {values}"


def region_problems(catalog):
    """What would stop a preparation half way: no rows, ids that are not unique, polygons that are none."""
    if catalog.empty:
        return ["it has no rows"]
    ids = catalog["id"]
    problems = [f"id {name!r} is not unique" for name in ids[ids.duplicated()].unique()]
    bad = catalog["polygon"].map(is_bad_polygon)
    return problems + [
        f"id {name!r}: {POLYGON_FORM}, got {text[:60]!r}"
        for name, text in zip(ids[bad], catalog["polygon"][bad], strict=True)
    ]


def _separated(catalog, column, by):
    spread = catalog[catalog[by] != ""].groupby(column)[by].nunique() if len(catalog) else pd.Series(dtype=int)
    return [
        f"{column} {name!r} stands in {count} {by}s; run `kfashion split` again"
        for name, count in spread[spread > 1].items()
    ]


def _missing_files(catalog, root):
    if not Path(root).is_dir():
        return [f"no folder {root}"]
    problems = []
    for row, path in enumerate(catalog["path"]):
        try:
            source_version(path, root)
        except ValueError as error:
            problems.append(f"row {row + 2} (id {catalog['id'].iat[row]!r}): {error}")
    return problems


def safe_id(text):
    """`text` as a file name that every system takes."""
    return SAFE_ID.sub("_", text).strip(". ") or "_"


def unique_ids(names, paths):
    """File-safe ids from `names`; where several would be equal, a hash of the path is added to each of them."""
    ids = pd.Series([safe_id(name) for name in names], dtype=object)
    clash = ids.str.lower().duplicated(keep=False).to_numpy()
    return [
        f"{i}-{hashlib.sha256(p.encode()).hexdigest()[:8]}" if c else i
        for i, p, c in zip(ids, paths, clash, strict=True)
    ]


def join_groups(groups, keys):
    """Merge groups that share a key.

    Args:
        groups: sequence of n group names.
        keys: sequence of n hashable keys; rows with equal keys get into one group; None = no key.

    Returns:
        list of n names; a merged group is called by its smallest name.
    """
    parent = {}

    def find(name):
        while parent.setdefault(name, name) != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    first = {}
    for group, key in zip(groups, keys, strict=True):
        if key is not None:
            one, other = find(group), find(first.setdefault(key, group))
            parent[max(one, other)] = min(one, other)
    return [find(group) for group in groups]
