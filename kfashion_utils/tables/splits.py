"""Splits and folds: stratified by class, groups kept together; and how many rows of each class they hold."""

import numpy as np
import pandas as pd

from kfashion_utils.errors import InputError
from kfashion_utils.tables.catalog import complete_catalog, join_groups
from kfashion_utils.tables.labels import NONE_APPLIES, NOT_ANNOTATED, SEPARATOR
from kfashion_utils.tables.tasks import HEADS, label_columns

KEPT = {"valid": 1, "test": 2}  # splits that a catalog comes with: the larger goes first where a group stands in both

# Splits ---------------------------------------------------------------------------------------------------------------


def split_catalog(catalog, *, valid=0.2, test=0.0, folds=0, per_class=None, seed=0, redraw=False):
    """Fill `split` and `fold`: stratified by class, never separating a group.

    Splits that the catalog comes with are kept: test rows stay test, valid rows valid, and a share is drawn from the
    train rows and those without a split only for a split that has no labelled row yet. A row without a split goes where
    its group is; a train or valid row whose group also stands in a split that goes first (test before valid before
    train) is left out. Rows without any label and split become `test` (they are what a leaderboard asks for). A class
    with a single group stays in train.

    Args:
        catalog: DataFrame of the column contract.
        valid, test: shares of each class's rows, 0..1.
        folds: number of folds over the rows that are not test; 0 = none.
        per_class: keep at most that many rows of each class that are not test, whole groups first; None = all.
        seed: of the shuffling; the result does not depend on the order of rows.
        redraw: forget the splits that the catalog comes with, draw all rows.

    Returns:
        A new catalog in the order of the old one, without the rows that `per_class` dropped or that were left out;
        `attrs["notes"]` counts what was kept and left out. `count_classes` shows what came out.

    Raises:
        InputError: shares that leave no training rows, no label column, no labelled row.
    """
    _require_possible(valid, test, folds, per_class, seed)
    catalog = complete_catalog(catalog)
    catalog["group"] = join_groups(catalog["group"], catalog["photo"])  # rows of one photo are views of it
    if redraw:
        catalog["split"] = ""
    strata = _strata(catalog)
    leaking = _leaking(catalog)
    notes = _told(catalog["split"], leaking)
    catalog, strata = (part[~leaking].reset_index(drop=True) for part in (catalog, strata))
    in_test = catalog["group"].isin(catalog["group"][catalog["split"] == "test"])
    drawn = (strata != NOT_ANNOTATED) & ~in_test
    if not drawn.any():
        raise InputError("no row of the catalog that is not test has a label; there is nothing to learn from")
    groups, rows = _shuffled_groups(catalog[drawn], strata[drawn], seed)
    if per_class is not None:
        capped = catalog.index.isin(_capped(rows, strata, per_class))
        catalog = catalog[capped | ~drawn].reset_index(drop=True)
        catalog = split_catalog(catalog, valid=valid, test=test, folds=folds, seed=seed)
    else:
        shares = {"valid": valid, "test": test}
        labelled = set(catalog["split"][strata != NOT_ANNOTATED])
        shares = {name: 0.0 if name in labelled else share for name, share in shares.items()}
        parts = _drawn_parts(groups, set(catalog["group"][catalog["split"] == "valid"]), **shares)
        _fill(catalog, drawn, groups["group"], parts, _drawn_folds(groups, parts, folds))
    catalog.attrs["notes"] = notes
    return catalog


def _require_possible(valid, test, folds, per_class, seed):
    if not (0 <= valid < 1 and 0 <= test < 1 and valid + test < 1):
        raise InputError(f"valid={valid} and test={test}: shares are 0 or more and leave something to train on")
    if folds and folds < 2:
        raise InputError(f"folds={folds}: 0 or at least 2")
    if not 0 <= seed < 2**32:
        raise InputError(f"seed={seed}: 0 or more, below 2**32")
    if per_class is not None and per_class < 1:
        raise InputError(f"per_class={per_class}: at least 1")


def _leaking(catalog):
    """Which rows share a group with a split that is kept and goes before theirs, bool `(n,)`."""
    rank = catalog["split"].map(KEPT).fillna(0).astype(int)
    highest = rank.groupby(catalog["group"]).transform("max")
    return (rank < highest) & (catalog["split"] != "")


def _told(splits, leaking):
    """{what is kept or left out: how many rows}, for people."""
    counts = splits.value_counts()
    notes = {f"{name} row, kept as the catalog has it": int(counts[name]) for name in KEPT if name in counts}
    left_out = "row left out: its look, person or picture also stands in a split that is kept"
    return notes | ({left_out: int(leaking.sum())} if leaking.any() else {})


def _drawn_parts(groups, kept, valid, test):
    """The split of each group, a Series: `valid` for those that are kept, drawn shares for the rest."""
    parts = pd.Series("valid", index=groups.index, dtype=object)
    pool = groups[~groups["group"].isin(kept)]
    share = _positions(pool)
    parts[pool.index] = np.select([share < valid, share < valid + test], ["valid", "test"], "train")
    for name, portion in (("test", test), ("valid", valid)):
        _keep_present(parts, pool, name, portion)
    return parts


def _drawn_folds(groups, parts, folds):
    """The fold of each group, a Series; -1 for test, and without folds."""
    fold = pd.Series(-1, index=groups.index)
    if folds:
        rest = groups[parts != "test"]
        fold[rest.index] = np.minimum((_positions(rest) * folds).astype(int), folds - 1)
    return fold


def _fill(catalog, drawn, names, parts, folds):
    """Give drawn rows their group's split and fold; others keep their split, or go with their group, or are test."""
    part = catalog["group"].map(dict(zip(names, parts, strict=True)))
    fold = catalog["group"].map(dict(zip(names, folds, strict=True)))
    given = catalog["split"].where(catalog["split"] != "", part.fillna("test"))
    catalog["split"] = part.where(drawn, given).astype(object)
    catalog["fold"] = fold.where(drawn, -1).fillna(-1).astype(int)


def first_label(catalog):
    """The label column that counts and shares are of: the first that is named like a known head, else the first."""
    labels = label_columns(catalog)
    if not labels:
        raise InputError(f"the catalog has no label column beside {list(catalog.columns)}")
    return next((name for name in labels if name in HEADS), labels[0])


def _strata(catalog):
    """For each row the label it is stratified by: of the first label column, the rarest class where there are
    several."""
    column = catalog[first_label(catalog)]
    counts = column.str.split(SEPARATOR, regex=False).explode().value_counts()
    rarest = {text: min(text.split(SEPARATOR), key=lambda name: (counts[name], name)) for text in column.unique()}
    return column.map(rarest).astype(object)


def _shuffled_groups(catalog, strata, seed):
    """(one row a group, in random order: group, stratum (the rarest of its rows), size; row numbers of all groups in
    that order)."""
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
    """Row numbers to keep: of each class the first `limit` of `rows`, which are in the groups' random order, so that
    whole groups come first."""
    return rows[strata.loc[rows].groupby(strata.loc[rows].to_numpy()).cumcount().to_numpy() < limit]


def count_classes(catalog, column=None):
    """Table of row counts: one row a class of `column` (default: the first label), one column a split, sorted by
    total."""
    column = column or first_label(catalog)
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
    texts = [f"class {name!r} has no training row" for name in counts.index if not counts.get("train", {}).get(name, 0)]
    single = _classes_of_one_group(catalog)
    for split in [name for name in ("valid", "test") if name in counts and counts[name].any()]:
        for name in counts.index[counts[split] == 0]:
            why = ": all its pictures are one group" if name in single else ""
            texts.append(f"class {name!r} has no {split} row{why}")
    return texts


def _classes_of_one_group(catalog):
    column = catalog[first_label(catalog)].str.split(SEPARATOR, regex=False)
    groups = catalog.assign(label=column)[["label", "group"]].explode("label").groupby("label")["group"].nunique()
    return set(groups.index[groups == 1])
