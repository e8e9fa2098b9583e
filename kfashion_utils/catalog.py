"""The catalog: one row = one region of one photograph, as a plain DataFrame with the columns of `RESERVED_COLUMNS` and labels.

Text columns hold text (empty = none), the box float pixels of the upright picture (NaN = none), `fold` an integer (-1 = none).
"""

import contextlib
import functools
import gzip
import hashlib
import io
import json
import re
import zlib
from pathlib import Path

import numpy as np
import pandas as pd

from kfashion_utils.errors import InputError, refuse
from kfashion_utils.images import source_version
from kfashion_utils.labels import NONE_APPLIES, NOT_ANNOTATED, RESERVED_COLUMNS, SEPARATOR
from kfashion_utils.storage import finished_file
from kfashion_utils.tasks import label_columns

BOX = ["left", "top", "right", "bottom"]
SPLITS = ("train", "valid", "test", "")
DEFAULTS = {"photo": "", "group": "", "split": "", "fold": -1, **dict.fromkeys(BOX, np.nan), "polygon": "", "region": ""}
FILLED_FROM = {"photo": "id", "group": "photo"}  # where a cell is empty
POLYGON_FORM = "polygon is not JSON rings [[[x, y], …], …] of three points at least"
DIGITS_AS_0 = bytes.maketrans(b"123456789", b"000000000")
MISPLACED = (b"[.", b" .", b".,", b".]", b"]0", b",0", b"0 ", b"0[")  # dots without digits, digits that are part of no number
LONG_NUMBER = re.compile(r"[0-9]{300}")
SAFE_ID = re.compile(r"[^\w.()\- ]+")


def complete_catalog(table):
    """A table with at least `id` and `path` -> a catalog: missing columns, and empty cells of `photo` and `group`, filled; contract order and types.

    Raises:
        InputError: no `id` or `path`, or text where a number belongs (with row and value).
    """
    table = pd.DataFrame(table).copy()
    missing = [name for name in ("id", "path") if name not in table.columns]
    if missing:
        raise InputError(f"a catalog needs the columns 'id' and 'path', {missing} missing; got {list(table.columns)}")
    for name, value in DEFAULTS.items():
        if name not in table.columns:
            table[name] = value
    numbers = {name: _numbers(table, name) for name in BOX}
    fold = _numbers(table, "fold").fillna(-1).to_numpy()
    refuse("the catalog's fold column holds other things than integers", [f"row {i + 2}: {fold[i]}" for i in np.flatnonzero(fold % 1)])
    labels = [name for name in table.columns if name not in RESERVED_COLUMNS]
    columns = {}
    for name in (*RESERVED_COLUMNS, *labels):
        if name in numbers:
            columns[name] = numbers[name].astype(float)
        elif name == "fold":
            columns[name] = fold.astype(int)
        else:
            columns[name] = table[name].astype(object).where(table[name].notna(), "").astype(str).astype(object)
        if name in FILLED_FROM:
            columns[name] = columns[name].where(columns[name] != "", columns[FILLED_FROM[name]])
    return pd.DataFrame(columns).reset_index(drop=True)


def _numbers(table, name):
    values = table[name].where(table[name].astype(object) != "")
    numbers = pd.to_numeric(values, errors="coerce")
    bad = values.notna() & ~np.isfinite(numbers)
    refuse(f"column {name!r} holds text where a number belongs", [f"row {row + 2}: {table[name].iloc[row]!r}" for row in np.flatnonzero(bad)])
    return numbers


def read_catalog(path):
    """Read a catalog from `.csv` or `.csv.gz`, labels as text.

    Raises:
        InputError: no such file, not a table, columns missing, text in a number column.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"no catalog at {path}; make one with: kfashion catalog DATASET --root DIR --out {path}")
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig", index_col=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError, OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} is not a whole UTF-8 CSV table: {error}") from error
    nameless = [name for name in table.columns if name.startswith("Unnamed: ")]
    if nameless:
        raise InputError(f"{path} has {len(nameless)} column without a name (a pandas index?); remove it: every further column is a label")
    try:
        return complete_catalog(table)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def write_catalog(catalog, path):
    """Write a catalog to `.csv` or `.csv.gz`; equal catalogs give equal bytes."""
    with finished_file(path) as temporary, open(temporary, "wb") as raw:
        packed = str(path).endswith(".gz")
        with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=raw, mtime=0) if packed else contextlib.nullcontext(raw) as handle:
            catalog.to_csv(handle, index=False, lineterminator="\n")


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
    problems = []

    def note(bad, text, *columns):
        problems.extend(
            f"row {row + 2} (id {catalog['id'].iat[row]!r}): {text} {[catalog[c].iat[row] for c in columns]}" for row in np.flatnonzero(bad)
        )

    ids = catalog["id"]
    note(ids == "", "id is empty, path", "path")
    note(ids.duplicated(keep=False) & (ids != ""), "id is not unique, path", "path")
    note(ids.map(lambda value: safe_id(value) != value), "id is not safe as a file name; use letters, digits and . _ - ( )")
    note(catalog["path"] == "", "path is empty")
    note(catalog["path"].str.startswith("/") | catalog["path"].str.contains(r"(?:^|[/:])\.\.(?:/|$)"), "path leaves the data root", "path")
    note(catalog["photo"] == "", "photo is empty")
    note(catalog["group"] == "", "group is empty")
    note(~catalog["split"].isin(SPLITS), f"split is none of {SPLITS}, got", "split")
    note(catalog["fold"] < -1, "fold must be -1 or more, got", "fold")
    given = catalog[BOX].notna().sum(axis=1)
    note((given > 0) & (given < 4), "a box has four sides or none, got", *BOX)
    note((given == 4) & ((catalog["right"] <= catalog["left"]) | (catalog["bottom"] <= catalog["top"])), "box is empty or inverted", *BOX)
    note(catalog["polygon"].map(_bad_polygon), POLYGON_FORM, "polygon")
    note((catalog["region"] == "") & ((given == 4) | (catalog["polygon"] != "")), "has a box or polygon but no region (who made it?)")
    problems += _separated(catalog, "group", "split") + _separated(catalog, "photo", "split")
    problems += _separated(catalog[catalog["fold"] >= 0], "group", "fold")
    if root is not None:
        problems += _missing_files(catalog, root)
    return problems


def _bad_polygon(text):
    return text != "" and not _is_plain_polygon(text) and not _parses_as_polygon(text)


def _parses_as_polygon(text):
    try:
        rings = [np.array(ring) for ring in json.loads(text)]
    except (ValueError, TypeError, RecursionError):
        return False
    return bool(rings) and all(r.dtype.kind in "if" and r.ndim == 2 and r.shape[1] == 2 and len(r) >= 3 and np.isfinite(r).all() for r in rings)


def _is_plain_polygon(text):
    """Whether `text` is rings as `write_catalog` finds them in nearly every row, `[[[1.5, 20.0], …], …]`, told without parsing.

    What is left without the digits must be the brackets of such rings, every dot must have digits on both sides, digits stand nowhere
    else, no number has a leading zero, none so many digits that it is infinite. False = not plain: parse it.
    """
    if not text.isascii():
        return False
    raw = text.encode("ascii")
    frame = raw.translate(None, b"0123456789").decode("ascii")
    if len(text) - len(frame) > 300 and LONG_NUMBER.search(text):
        return False
    if not (frame.startswith("[[[") and frame.endswith("]]]")) or any(ring != _ring_frame(len(ring)) for ring in frame[3:-3].split("]], [[")):
        return False
    shape = raw.translate(DIGITS_AS_0)
    return not any(pair in shape for pair in MISPLACED) and text.count("[0") == text.count("[0.") and text.count(" 0") == text.count(" 0.")


@functools.lru_cache(maxsize=4096)
def _ring_frame(length):
    """The inside of a ring of three points or more whose frame, `., .], [., .`, has that many characters; None if there is none."""
    points, rest = divmod(length + 4, 8)
    return None if rest or points < 3 else "], [".join(["., ."] * points)


def region_problems(catalog):
    """What would stop a preparation half way: no rows, ids that are not unique, polygons that are none."""
    if catalog.empty:
        return ["it has no rows"]
    ids = catalog["id"]
    problems = [f"id {name!r} is not unique" for name in ids[ids.duplicated()].unique()]
    bad = catalog["polygon"].map(_bad_polygon)
    return problems + [f"id {name!r}: {POLYGON_FORM}, got {text[:60]!r}" for name, text in zip(ids[bad], catalog["polygon"][bad], strict=True)]


def _separated(catalog, column, by):
    spread = catalog[catalog[by] != ""].groupby(column)[by].nunique() if len(catalog) else pd.Series(dtype=int)
    return [f"{column} {name!r} stands in {count} {by}s; run `kfashion split` again" for name, count in spread[spread > 1].items()]


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
    return [f"{i}-{hashlib.sha256(p.encode()).hexdigest()[:8]}" if c else i for i, p, c in zip(ids, paths, clash, strict=True)]


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


# Splits ---------------------------------------------------------------------------------------------------------------


def split_catalog(catalog, *, valid=0.2, test=0.0, folds=0, per_class=None, seed=0):
    """Fill `split` and `fold`: stratified by class, never separating a group.

    Rows without any label stay `test` (they are what a leaderboard asks for). A class with a single group stays in train.

    Args:
        catalog: DataFrame of the column contract.
        valid, test: shares of each class's rows, 0..1.
        folds: number of folds over the rows that are not test; 0 = none.
        per_class: keep at most that many rows of each class, whole groups first; None = all.
        seed: of the shuffling; the result does not depend on the order of rows.

    Returns:
        A new catalog in the order of the old one, without the rows that `per_class` dropped. `count_classes` shows what came out.

    Raises:
        InputError: shares that leave no training rows, no label column, no labelled row.
    """
    if not (0 <= valid < 1 and 0 <= test < 1 and valid + test < 1):
        raise InputError(f"--valid {valid} and --test {test}: shares are 0 or more and leave something to train on")
    if folds and folds < 2:
        raise InputError(f"--folds {folds}: 0 or at least 2")
    if not 0 <= seed < 2**32:
        raise InputError(f"--seed {seed}: 0 or more, below 2**32")
    if per_class is not None and per_class < 1:
        raise InputError(f"--per-class {per_class}: at least 1")
    catalog = complete_catalog(catalog)
    catalog["group"] = join_groups(catalog["group"], catalog["photo"])  # rows of one photo are views of it
    strata = _strata(catalog)
    labelled = strata != NOT_ANNOTATED
    if not labelled.any():
        raise InputError("no row of the catalog has a label; there is nothing to learn from")
    groups, rows = _shuffled_groups(catalog[labelled], strata[labelled], seed)
    if per_class is not None:
        kept = _capped(rows, strata, per_class)
        catalog = catalog[catalog.index.isin(kept) | ~labelled].reset_index(drop=True)
        return split_catalog(catalog, valid=valid, test=test, folds=folds, seed=seed)
    share = _positions(groups)
    parts = pd.Series(np.select([share < valid, share < valid + test], ["valid", "test"], "train"), index=groups.index, dtype=object)
    for name, portion in (("test", test), ("valid", valid)):
        _keep_present(parts, groups, name, portion)
    fold = pd.Series(-1, index=groups.index)
    if folds:
        rest = groups[parts != "test"]
        fold[rest.index] = np.minimum((_positions(rest) * folds).astype(int), folds - 1)
    by_group = catalog["group"].map(dict(zip(groups["group"], parts, strict=True)))
    catalog["split"] = by_group.where(labelled, "test").fillna("test").astype(object)
    catalog["fold"] = catalog["group"].map(dict(zip(groups["group"], fold, strict=True))).where(labelled, -1).fillna(-1).astype(int)
    unlabelled_group = ~labelled & catalog["group"].isin(groups["group"])
    catalog.loc[unlabelled_group, "split"] = by_group[unlabelled_group]
    return catalog


def _first_label(catalog):
    labels = label_columns(catalog)
    if not labels:
        raise InputError(f"the catalog has no label column beside {list(catalog.columns)}")
    return labels[0]


def _strata(catalog):
    """For each row the label it is stratified by: of the first label column, the rarest class where there are several."""
    column = catalog[_first_label(catalog)]
    counts = column.str.split(SEPARATOR, regex=False).explode().value_counts()
    rarest = {text: min(text.split(SEPARATOR), key=lambda name: (counts[name], name)) for text in column.unique()}
    return column.map(rarest).astype(object)


def _shuffled_groups(catalog, strata, seed):
    """(one row a group, in random order: group, stratum (the rarest of its rows), size; row numbers of all groups in that order)."""
    counts = strata.value_counts()
    table = pd.DataFrame({"group": catalog["group"], "stratum": strata, "rarity": strata.map(counts)})
    table = table.sort_values(["group", "rarity", "stratum"], kind="stable")
    starts = np.flatnonzero(~table["group"].duplicated().to_numpy())
    groups = table.iloc[starts].drop(columns="rarity").reset_index(drop=True)
    groups["size"] = np.diff(starts, append=len(table))
    groups = groups.sample(frac=1, random_state=seed)
    place = np.empty(len(groups), int)
    place[groups.index] = np.arange(len(groups))
    of_row = np.repeat(place, np.diff(starts, append=len(table)))
    return groups.reset_index(drop=True), table.index[np.argsort(of_row, kind="stable")]


def _positions(groups):
    """Where the middle of each group lies among the rows of its stratum, 0..1."""
    sizes = groups.groupby("stratum")["size"]
    return (sizes.cumsum() - groups["size"] / 2) / sizes.transform("sum")


def _keep_present(parts, groups, name, portion):
    """A stratum with enough groups has at least one in every split that was asked for."""
    if not portion:
        return
    for _, members in groups.groupby("stratum"):
        mine = parts[members.index]
        spare = mine[mine == "train"].index
        if not (mine == name).any() and len(spare) > 1:
            parts[members.loc[spare, "size"].idxmin()] = name
        elif not (mine == "train").any():
            parts[members["size"].idxmin()] = "train"
        mine = parts[members.index]
        spare = mine[~mine.isin(["train", name])].index
        if not (mine == name).any() and len(spare) > 1:
            parts[members.loc[spare, "size"].idxmin()] = name


def _capped(rows, strata, limit):
    """Row numbers to keep: of each class the first `limit` of `rows`, which are in the groups' random order, so that whole groups come first."""
    return rows[strata.loc[rows].groupby(strata.loc[rows].to_numpy()).cumcount().to_numpy() < limit]


def count_classes(catalog, column=None):
    """Table of row counts: one row a class of `column` (default: the first label), one column a split, sorted by total."""
    column = column or _first_label(catalog)
    exploded = catalog.assign(**{column: catalog[column].str.split(SEPARATOR, regex=False)}).explode(column)
    classes = exploded[column].replace({NOT_ANNOTATED: "(no label)", NONE_APPLIES: "(none applies)"})
    counts = pd.crosstab(classes, exploded["split"].replace("", "(no split)"))
    order = [name for name in ("train", "valid", "test", "(no split)") if name in counts.columns]
    counts = counts[order].assign(total=counts.sum(axis=1)).sort_values("total", ascending=False, kind="stable")
    counts.columns.name = None
    return counts


def split_warnings(catalog):
    """Texts about classes that a split could not serve: absent from train, or from a split that other classes have."""
    counts = count_classes(catalog)
    counts = counts[~counts.index.isin(["(no label)", "(none applies)"])]
    texts = [f"class {name!r} has no training row" for name in counts.index if counts.get("train", pd.Series(0, counts.index))[name] == 0]
    for split in {"valid", "test"} & set(counts.columns):
        absent = counts.index[counts[split] == 0].tolist()
        texts += [f"class {name!r} has no {split} row: all its pictures are one group" for name in absent]
    return texts
