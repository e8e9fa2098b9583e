"""What an audit says of a catalog: rows `id, finding, detail, value`, each under the id of the row it is about."""

import numpy as np
import pandas as pd

from kfashion_utils.audit.flaws import FLAWS, flaws
from kfashion_utils.errors import REASONS
from kfashion_utils.images.mended import NO_END_MARK
from kfashion_utils.tables.labels import NOT_ANNOTATED, STATED_SIZE
from kfashion_utils.tables.tasks import label_columns

COLUMNS = ["id", "finding", "detail", "value"]
MEANT = {  # of findings that are no flaws, and of pairs
    "exact": "equal files",
    "near": "the same picture at another size or quality",
    "mirror": "one is the other's mirror image",
    "part": "one shows a part of the other, or is masked",
    "unreadable": "no picture could be decoded",
    "other size": "the label states another size of the picture: its region is scaled or turned, or cannot be used",
    "no end mark": "a JPEG that lacks only its end mark, as a transfer leaves it that was cut; its pixels are whole",
    "conflict": "the same picture with another label",
    "leak": "the same picture, look or person in two splits; split again by the groups of this audit",
    "twin": "alike by the second detector (dHash and colours), not joined; look at them",
    "shares": "an unusual share of rows",
}
SHARES = {"train": (0.5, 0.95), "valid": (0.05, 0.4), "test": (0.0, 0.4)}  # of the rows that have a split
FEWEST = 20  # rows of a class whose share is looked at


def meaning(finding):
    """A finding in words."""
    return str(FLAWS[finding]) if finding in FLAWS else MEANT[finding]


def unreadable_rows(catalog, unreadable):
    """Rows whose picture could not be read; `unreadable` = {path: (reason, detail)}."""
    for row in np.flatnonzero(catalog["path"].isin(list(unreadable))):
        reason, detail = unreadable[catalog["path"].iat[row]]
        yield catalog["id"].iat[row], "unreadable", f"{reason}: {detail or REASONS[reason]}", np.nan


def other_sizes(catalog, place, records):
    """Rows whose label states another size than the picture has; `place` = record of each row."""
    if not set(STATED_SIZE) <= set(catalog.columns):
        return
    stated = catalog[list(STATED_SIZE)].to_numpy(float)
    real = np.stack([records["width"], records["height"]], axis=1)[place]
    differs = (place >= 0) & ~np.isnan(stated).any(axis=1) & (stated != real).any(axis=1)
    for row in np.flatnonzero(differs):
        (width, height), size = stated[row], real[row]
        detail = f"the label states {width:.0f} x {height:.0f}, the picture has {size[0]} x {size[1]}"
        yield catalog["id"].iat[row], "other size", detail, np.nan


def endless_pictures(catalog, place, endless):
    """Rows whose JPEG lacks only its end mark; `endless` bool, one a record."""
    lacking = place >= 0
    lacking[lacking] = endless[place[lacking]]
    for row in np.flatnonzero(lacking):
        yield catalog["id"].iat[row], "no end mark", NO_END_MARK, np.nan


def flawed_pictures(records, ids):
    """What `FLAWS` says of each picture; `ids` of the first row of each record."""
    for number, name, value in flaws(records):
        flaw = FLAWS[name]
        detail = f"{flaw.measure} {value:.3g}, {flaw.way} {flaw.threshold:g} {flaw.meaning}"
        yield ids[number], name, detail, round(value, 5)


def conflicts(catalog, place, pairs):
    """Pairs of the same picture with different labels, under the id of the second one; `place` = record of each row."""
    sure = pairs[pairs["how"] != "part"]
    readable, number = catalog[place >= 0], place[place >= 0]
    ids = readable["id"].groupby(number).first()
    for column in label_columns(catalog):
        labels = _labels_of_pictures(readable[column], number)
        one, other = sure["first"].map(labels), sure["second"].map(labels)
        for row in np.flatnonzero(one.notna() & other.notna() & (one != other)):
            first, second = ids[sure["first"].iat[row]], ids[sure["second"].iat[row]]
            detail = f"{column} {other.iat[row]!r}; the same picture is {one.iat[row]!r} in {first}"
            yield second, "conflict", detail, np.nan


def _labels_of_pictures(labels, number):
    """The different labels of each picture's rows in one text, a Series by number of the picture."""
    known = labels != NOT_ANNOTATED
    return labels[known].groupby(number[known]).agg(lambda values: " & ".join(sorted(set(values))))


def leaks(catalog):
    """Rows of a group that are in another split than most of it."""
    rows = catalog[catalog["split"] != ""]
    counts = rows.groupby(["group", "split"]).size().rename("rows").reset_index()
    counts = counts[counts.duplicated("group", keep=False)]
    largest_first = counts.sort_values("rows", kind="stable", ascending=False)
    most = largest_first.drop_duplicates("group").set_index("group")["split"]
    total = counts.groupby("group")["rows"].sum()
    texts = counts["rows"].astype(str) + " " + counts["split"]
    details = texts.groupby(counts["group"]).agg(", ".join)
    cut = rows.loc[rows["group"].isin(most.index), ["id", "group", "split"]]
    for name, group, split in cut.itertuples(index=False):
        if split != most[group]:
            yield name, "leak", f"{details[group]} in group {group}", int(total[group])


def unjoined_twins(catalog, first, twins):
    """Pairs of the second detector that are in different groups, under the id of the second one; `first` row of each
    record."""
    ids, groups, splits = (catalog[name].to_numpy()[first] for name in ("id", "group", "split"))
    for one, other in twins[groups[twins[:, 0]] != groups[twins[:, 1]]]:
        where = f", {splits[one]} and {splits[other]}" if splits[one] != splits[other] else ""
        yield ids[other], "twin", f"looks like {ids[one]}{where}", np.nan


def odd_shares(catalog):
    """Splits with an unusual share of the rows, and classes whose share of valid rows is far from the others'."""
    split = catalog["split"][catalog["split"] != ""]
    if not len(split):
        return
    for name, (low, high) in SHARES.items():
        share = float((split == name).mean())
        if not low <= share <= high:
            detail = f"{name} {share:.0%} of {len(split):,} rows with a split; usual are {low:.0%} to {high:.0%}"
            yield "", "shares", detail, round(share, 4)
    if (split == "valid").any():
        learned = catalog[catalog["split"].isin(["train", "valid"])]
        for column in label_columns(catalog):
            yield from _odd_classes(learned[learned[column] != NOT_ANNOTATED], column)


def _odd_classes(learned, column):
    """Classes of FEWEST rows or more, of which the share that is valid is less than half or more than twice that of
    all rows."""
    valid = learned["split"] == "valid"
    usual = valid.mean()
    for label, members in valid.groupby(learned[column]):
        share = float(members.mean())
        if len(members) >= FEWEST and not usual / 2 <= share <= 2 * usual:
            detail = f"{column} {label!r}: {share:.0%} of {len(members):,} rows are valid, of all rows {usual:.0%}"
            yield "", "shares", detail, round(share, 4)


def findings_table(rows):
    """DataFrame `id, finding, detail, value` of the rows that the functions above give."""
    return pd.DataFrame(list(rows), columns=COLUMNS)
