"""Splits and folds: stratified by class, groups kept together; and how many rows of each class they hold."""

import numpy as np
import pandas as pd

from kfashion_utils.errors import InputError
from kfashion_utils.tables.catalog import complete_catalog, join_groups
from kfashion_utils.tables.labels import NONE_APPLIES, NOT_ANNOTATED, SEPARATOR
from kfashion_utils.tables.tasks import label_columns

# Splits ---------------------------------------------------------------------------------------------------------------


def split_catalog(catalog, *, valid=0.2, test=0.0, folds=0, per_class=None, seed=0):
    """Fill `split` and `fold`: stratified by class, never separating a group.

    Rows without any label stay `test` (they are what a leaderboard asks for). A class with a single group stays in
    train.

    Args:
        catalog: DataFrame of the column contract.
        valid, test: shares of each class's rows, 0..1.
        folds: number of folds over the rows that are not test; 0 = none.
        per_class: keep at most that many rows of each class, whole groups first; None = all.
        seed: of the shuffling; the result does not depend on the order of rows.

    Returns:
        A new catalog in the order of the old one, without the rows that `per_class` dropped. `count_classes` shows what
        came out.

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
    parts = pd.Series(
        np.select([share < valid, share < valid + test], ["valid", "test"], "train"), index=groups.index, dtype=object
    )
    for name, portion in (("test", test), ("valid", valid)):
        _keep_present(parts, groups, name, portion)
    fold = pd.Series(-1, index=groups.index)
    if folds:
        rest = groups[parts != "test"]
        fold[rest.index] = np.minimum((_positions(rest) * folds).astype(int), folds - 1)
    by_group = catalog["group"].map(dict(zip(groups["group"], parts, strict=True)))
    catalog["split"] = by_group.where(labelled, "test").fillna("test").astype(object)
    catalog["fold"] = (
        catalog["group"].map(dict(zip(groups["group"], fold, strict=True))).where(labelled, -1).fillna(-1).astype(int)
    )
    unlabelled_group = ~labelled & catalog["group"].isin(groups["group"])
    catalog.loc[unlabelled_group, "split"] = by_group[unlabelled_group]
    return catalog


def first_label(catalog):
    labels = label_columns(catalog)
    if not labels:
        raise InputError(f"the catalog has no label column beside {list(catalog.columns)}")
    return labels[0]


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
    texts = [
        f"class {name!r} has no training row"
        for name in counts.index
        if counts.get("train", pd.Series(0, counts.index))[name] == 0
    ]
    for split in {"valid", "test"} & set(counts.columns):
        absent = counts.index[counts[split] == 0].tolist()
        texts += [f"class {name!r} has no {split} row: all its pictures are one group" for name in absent]
    return texts
