"""`audit_catalog`: what is wrong with a catalog's pictures, which of them are the same, and groups that keep those
together.

Every picture is decoded once, at reduced scale, into a record of a few hundred bytes: hashes, measures, a tiny grey and
colour version. The records are kept in `<out>/records`, so calling again continues. All else is computed from them: a
pair of pictures must be near by hash and then equal in the tiny versions, so that a hash that many pictures share joins
nothing.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from kfashion_utils import errors
from kfashion_utils.audit.hashes import MIRROR, distances, near_pairs
from kfashion_utils.audit.pictures import first_rows, read_records
from kfashion_utils.errors import InputError, refuse
from kfashion_utils.storage.files import finished_file
from kfashion_utils.tables.catalog import complete_catalog, region_problems
from kfashion_utils.tables.labels import NOT_ANNOTATED
from kfashion_utils.tables.tasks import label_columns

# bits of 64 in which hashes of the same picture may differ: every copy of a quarter of the size, at quality 40 or of
# 128 px was within
RADIUS = 4
TWIN_RADIUS = 4  # the same for the second detector

FLAWS = {  # name: (measure, below or above, threshold, what it means)
    "tiny": ("shorter side", "below", 64, "px: too small to show what is worn"),
    "odd aspect": ("aspect", "above", 3.0, "times as long as wide"),
    "blank": ("contrast", "below", 4.0, "levels of standard deviation: nothing can be seen"),
    "blurred": ("sharpness", "below", 0.004, "share of the contrast in details of 1-2 px at 224 px"),
    "drawing": ("soft", "below", 0.3, "share of soft steps among all steps in brightness: flat areas with hard edges"),
    "collage": ("seam", "above", 0.97, "share of a straight line through the picture along which it breaks"),
}
SHARES = {"train": (0.5, 0.95), "valid": (0.05, 0.4), "test": (0.0, 0.4)}  # of the rows that have a split
SAME_SHAPE, SAME_COLOUR = (
    0.99,
    12.0,
)  # least correlation of the grey versions, largest difference of a cell of the colour versions (levels)
TWIN_COLOUR = 12.0  # the second detector trusts colours alone


@dataclass(frozen=True)
class Audit:
    """What `audit_catalog` found.

    Attributes:
        catalog: the catalog with `group` filled: rows of pictures that are the same are in one group, none of the old
            groups is cut.
        findings: DataFrame `id, finding, detail, value`, one row a finding; `id` is empty where it is about the
            catalog.
        pairs: DataFrame `id, other, how, distance` of pictures that are the same: `exact` = equal bytes, `near` =
            differing in `distance` bits of the hash, `mirror` = near after mirroring, `part` = one is a crop or a
            masked version (1 - correlation).
        pictures: how many different files were looked at.
    """

    catalog: pd.DataFrame
    findings: pd.DataFrame
    pairs: pd.DataFrame
    pictures: int

    def __str__(self):
        """The summary in words, a few lines."""
        rows, groups = len(self.catalog), self.catalog["group"].nunique()
        how = self.pairs["how"].value_counts()
        lines = [f"{rows:,} rows, {self.pictures:,} pictures, {groups:,} groups that a split must not separate"]
        lines += [f"  {count:,} pairs: {MEANT[name]}" for name, count in how.items()]
        counts = self.findings["finding"].value_counts()
        lines += [
            f"  {count:,} x {name}"
            + (
                f": {FLAWS[name][0]} {FLAWS[name][1]} {FLAWS[name][2]:g} {FLAWS[name][3]}"
                if name in FLAWS
                else f": {MEANT[name]}"
            )
            for name, count in counts.items()
        ]
        return "\n".join(lines if len(lines) > 1 else [*lines, "  nothing is wrong with them"])

    def write(self, folder):
        """`catalog.csv`, `findings.csv`, `pairs.csv` in `folder`."""
        for name, table in {"catalog": self.catalog, "findings": self.findings, "pairs": self.pairs}.items():
            with finished_file(Path(folder, f"{name}.csv")) as temporary:
                table.to_csv(temporary, index=False, lineterminator="\n")


MEANT = {
    "exact": "equal files",
    "near": "the same picture at another size or quality",
    "mirror": "one is the other's mirror image",
    "part": "one shows a part of the other, or is masked",
    "unreadable": "no picture could be decoded",
    "conflict": "the same picture with another label",
    "leak": "the same picture, look or person in two splits; split again by the groups of this audit",
    "twin": "alike by the second detector (dHash and colours), not joined; look at them",
    "shares": "an unusual share of rows",
}


def audit_catalog(catalog, root, out, *, radius=RADIUS, backbone=None, weights=None, workers=None, progress=True):
    """Look at every picture of a catalog.

    Args:
        catalog: DataFrame of the column contract.
        root: folder that its paths are relative to.
        out: folder that keeps the records (`records`, about 500 bytes a picture), and features if there is a backbone;
            calling again continues.
        radius: bits of 64 in which hashes of the same picture may differ, 0..8.
        backbone: also find crops and masked versions, by the features of this row of `BACKBONES`; needs Keras. None =
            hashes only.
        weights: of the backbone, as in `TrainConfig`.
        workers: processes; None = one a core.
        progress: show a bar with the time left.

    Returns:
        Audit.

    Raises:
        InputError: no rows, ids that are not unique, no picture is there, more alike pictures than a list can hold.
        OSError: the storage failed; calling again continues.
    """
    if not 0 <= radius <= 8:
        raise InputError(f"radius {radius}: expected 0..8 of 64 bits; 4 finds copies of a quarter of the size")
    catalog = complete_catalog(catalog)
    refuse("the catalog is not usable", region_problems(catalog))
    records, place, unreadable = read_records(catalog["path"], root, out, workers=workers, progress=progress)
    first = first_rows(place)
    pairs = [_exact(records), _near(records, radius)]
    if backbone is not None:
        from kfashion_utils.audit.crops import find_parts

        sizes = np.stack([records["width"], records["height"]], axis=1)
        known = pd.concat(pairs)[["first", "second"]].to_numpy().tolist()
        pairs.append(
            find_parts(
                catalog.iloc[first],
                sizes,
                root,
                out,
                backbone,
                weights,
                known=known,
                workers=workers,
                progress=progress,
            )
        )
    pairs = _in_order(pd.concat(pairs, ignore_index=True), first)
    twins = _twins(records)
    audited = catalog.assign(group=join_rows(catalog, place, pairs))
    findings = [*_unreadable(catalog, unreadable), *_flaws(catalog, records, first), *_conflicts(catalog, place, pairs)]
    findings += [*_leaks(audited), *_twin_findings(audited, first, twins), *_odd_shares(catalog)]
    findings = pd.DataFrame(findings, columns=["id", "finding", "detail", "value"])
    ids = catalog["id"].to_numpy()[first]
    named = pairs.assign(first=ids[pairs["first"]], second=ids[pairs["second"]]).rename(
        columns={"first": "id", "second": "other"}
    )
    return Audit(audited, findings, named, len(records))


# Pairs: DataFrames `first, second` (numbers of records), `how`, `distance` --------------------------------------------


def _pairs(pairs, how, distance):
    return pd.DataFrame(
        {
            "first": pairs[:, 0].astype(int),
            "second": pairs[:, 1].astype(int),
            "how": how,
            "distance": np.asarray(distance, float),
        }
    )


def _in_order(pairs, first):
    """Pairs with the picture first that stands first in the catalog, sorted; `first` is the first row of each
    record."""
    sides = pairs[["first", "second"]].to_numpy(int, copy=True)
    swapped = first[sides[:, 0]] > first[sides[:, 1]]
    sides[swapped] = sides[swapped, ::-1]
    order = np.lexsort((first[sides[:, 1]], first[sides[:, 0]]))
    return pairs.assign(first=sides[:, 0], second=sides[:, 1]).iloc[order].reset_index(drop=True)


def _exact(records):
    """Every file with the first one that is equal to it."""
    _, first, place = np.unique(records["digest"], return_index=True, return_inverse=True)
    again = np.flatnonzero(first[place] != np.arange(len(records)))
    return _pairs(np.stack([first[place[again]], again], axis=1), "exact", np.zeros(len(again)))


def _distinct(records):
    """Numbers of the records that show something, one of each set of equal files."""
    shown = records["contrast"] >= FLAWS["blank"][2]
    shown[np.setdiff1d(np.arange(len(records)), np.unique(records["digest"], return_index=True)[1])] = False
    return np.flatnonzero(shown)


def _near(records, radius):
    """Pairs that are near by pHash, as they are or mirrored, and equal in their tiny versions."""
    usable = _distinct(records)
    hashes = records["phash"][usable]
    pairs = near_pairs(hashes, radius, MIRROR)
    direct, mirrored = distances(hashes, pairs, MIRROR)
    pairs = usable[pairs]
    same = {}
    for how, distance, flip in (("near", direct, False), ("mirror", mirrored, True)):
        same[how] = (
            (distance <= radius)
            & (colour_difference(records, pairs, flip) <= SAME_COLOUR)
            & (shape_correlation(records, pairs, flip) >= SAME_SHAPE)
        )
    same["mirror"] &= ~same["near"]
    return pd.concat(
        [
            _pairs(pairs[same[how]], how, distance[same[how]])
            for how, distance in (("near", direct), ("mirror", mirrored))
        ],
        ignore_index=True,
    )


def shape_correlation(records, pairs, flip=False):
    """Correlation of the tiny grey versions of pairs, -1..1, float `(pairs,)`; `flip` mirrors the second ones."""
    result = np.empty(len(pairs), np.float32)
    for start in range(0, len(pairs), 2**14):
        one, other = (records["grey"][pairs[start : start + 2**14, side]].astype(np.float32) for side in (0, 1))
        one, other = (
            (values - values.mean(axis=(1, 2), keepdims=True)).reshape(len(values), -1)
            for values in (one, other[:, :, ::-1] if flip else other)
        )
        scale = np.sqrt((one**2).sum(axis=1) * (other**2).sum(axis=1))
        result[start : start + len(one)] = (one * other).sum(axis=1) / np.maximum(scale, 1e-6)
    return result


def colour_difference(records, pairs, flip=False):
    """Largest difference of a cell and channel of the 4 x 4 colour versions of pairs, levels, `(pairs,)`; `flip`
    mirrors the second ones."""
    result = np.empty(len(pairs), np.int16)
    for start in range(0, len(pairs), 2**16):
        one, other = (records["colour"][pairs[start : start + 2**16, side]].astype(np.int16) for side in (0, 1))
        result[start : start + len(one)] = np.abs(one - (other[:, :, ::-1] if flip else other)).max(axis=(1, 2, 3))
    return result


def _twins(records):
    """The second, independent detector: pairs that are near by dHash (as they are or mirrored) and equal in colours,
    int `(pairs, 2)`."""
    usable = _distinct(records)
    count = len(usable)
    both = near_pairs(records["dhash"][usable].T.ravel(), TWIN_RADIUS)
    flip = both[:, 0] // count != both[:, 1] // count if count else np.zeros(0, bool)
    pairs = usable[both % max(count, 1)]
    different = np.where(flip, colour_difference(records, pairs, True), colour_difference(records, pairs))
    return np.unique(np.sort(pairs[(different <= TWIN_COLOUR) & (pairs[:, 0] != pairs[:, 1])], axis=1), axis=0)


def join_rows(catalog, place, pairs):
    """`group` of every row: rows of a group, a photo, a picture or a pair are joined; the smallest name of a group
    stays."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    rows = np.arange(len(catalog))
    group, photo = (pd.factorize(catalog[name])[0] for name in ("group", "photo"))
    starts = np.cumsum([len(rows), group.max() + 1, photo.max() + 1])
    readable = place >= 0
    ends = [
        (rows, starts[0] + group),
        (rows, starts[1] + photo),
        (rows[readable], starts[2] + place[readable]),
        (starts[2] + pairs["first"], starts[2] + pairs["second"]),
    ]
    one, other = (np.concatenate([np.asarray(pair[side]) for pair in ends]) for side in (0, 1))
    count = starts[2] + place.max(initial=-1) + 1
    _, component = connected_components(
        coo_array((np.ones(len(one), bool), (one, other)), (count, count)), directed=False
    )
    return catalog["group"].groupby(component[: len(rows)]).transform("min").astype(object)


# Findings: rows `id, finding, detail, value` --------------------------------------------------------------------------


def _unreadable(catalog, unreadable):
    for row in np.flatnonzero(catalog["path"].isin(list(unreadable))):
        reason, detail = unreadable[catalog["path"].iat[row]]
        yield catalog["id"].iat[row], "unreadable", f"{reason}: {detail or errors.REASONS[reason]}", np.nan


def _flaws(catalog, records, first):
    """What `FLAWS` says of each picture, under the id of its first row; of a blank picture nothing else."""
    ids = catalog["id"].to_numpy()[first]
    sides = records["width"], records["height"]
    values = {"shorter side": np.minimum(*sides), "aspect": np.maximum(*sides) / np.maximum(np.minimum(*sides), 1)}
    blank = records["contrast"] < FLAWS["blank"][2]
    for name, (measure, way, threshold, meaning) in FLAWS.items():
        found = values[measure] if measure in values else records[measure]
        bad = found < threshold if way == "below" else found > threshold
        if measure not in values and name != "blank":
            bad &= ~blank
        for number in np.flatnonzero(bad):
            yield (
                ids[number],
                name,
                f"{measure} {found[number]:.3g}, {way} {threshold:g} {meaning}",
                round(float(found[number]), 5),
            )


def _conflicts(catalog, place, pairs):
    """Pairs of the same picture with different labels, under the id of the second one."""
    sure = pairs[pairs["how"] != "part"]
    readable = catalog[place >= 0]
    number = place[place >= 0]
    ids = readable["id"].groupby(number).first()
    for column in label_columns(catalog):
        known = readable[column] != NOT_ANNOTATED
        labels = readable.loc[known, column].groupby(number[known]).agg(lambda values: " & ".join(sorted(set(values))))
        one, other = sure["first"].map(labels), sure["second"].map(labels)
        for row in np.flatnonzero(one.notna() & other.notna() & (one != other)):
            first, second = sure["first"].iat[row], sure["second"].iat[row]
            yield (
                ids[second],
                "conflict",
                f"{column} {other.iat[row]!r}; the same picture is {one.iat[row]!r} in {ids[first]}",
                np.nan,
            )


def _leaks(audited):
    """Rows of a group that are in another split than most of it."""
    rows = audited[audited["split"] != ""]
    counts = rows.groupby(["group", "split"]).size().rename("rows").reset_index()
    counts = counts[counts.duplicated("group", keep=False)]
    most = (
        counts.sort_values("rows", kind="stable", ascending=False).drop_duplicates("group").set_index("group")["split"]
    )
    total = counts.groupby("group")["rows"].sum()
    details = (counts["rows"].astype(str) + " " + counts["split"]).groupby(counts["group"]).agg(", ".join)
    for name, group, split in rows.loc[rows["group"].isin(most.index), ["id", "group", "split"]].itertuples(
        index=False
    ):
        if split != most[group]:
            yield name, "leak", f"{details[group]} in group {group}", int(total[group])


def _twin_findings(audited, first, twins):
    """Pairs of the second detector that are in different groups, under the id of the second one."""
    ids, groups, splits = (audited[name].to_numpy()[first] for name in ("id", "group", "split"))
    for one, other in twins[groups[twins[:, 0]] != groups[twins[:, 1]]]:
        where = f", {splits[one]} and {splits[other]}" if splits[one] != splits[other] else ""
        yield ids[other], "twin", f"looks like {ids[one]}{where}", np.nan


def _odd_shares(catalog):
    """Splits with an unusual share of the rows, and classes whose share of valid rows is far from the others'."""
    split = catalog["split"][catalog["split"] != ""]
    for name, (low, high) in SHARES.items():
        share = float((split == name).mean()) if len(split) else 0.0
        if len(split) and not low <= share <= high:
            yield (
                "",
                "shares",
                f"{name} {share:.0%} of {len(split):,} rows with a split; usual are {low:.0%} to {high:.0%}",
                round(share, 4),
            )
    if (split == "valid").any():
        learned = catalog[catalog["split"].isin(["train", "valid"])]
        for column in label_columns(catalog):
            yield from _odd_classes(learned[learned[column] != NOT_ANNOTATED], column)


def _odd_classes(learned, column):
    """Classes of which, of 20 rows or more, the share that is valid is less than half or more than twice that of all
    rows."""
    valid = learned["split"] == "valid"
    for label, members in valid.groupby(learned[column]):
        if len(members) >= 20 and not valid.mean() / 2 <= members.mean() <= 2 * valid.mean():
            yield (
                "",
                "shares",
                f"{column} {label!r}: {members.mean():.0%} of {len(members):,} rows are valid, "
                f"of all rows {valid.mean():.0%}",
                round(float(members.mean()), 4),
            )
