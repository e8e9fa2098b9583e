"""`audit_catalog`: what is wrong with a catalog's pictures, which of them are the same, and groups that keep those
together.

Every picture is decoded once, at reduced scale, into a record of a few hundred bytes: hashes, measures, a tiny grey and
colour version. The records are kept in `<out>/records`, so calling again continues. All else is computed from them: a
pair of pictures must be near by hash and then equal in the tiny versions, so that a hash that many pictures share joins
nothing.
"""

from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd

from kfashion_utils.audit.findings import (
    MEANT,
    conflicts,
    endless_pictures,
    findings_table,
    flawed_pictures,
    leaks,
    meaning,
    odd_shares,
    other_sizes,
    unjoined_twins,
    unreadable_rows,
)
from kfashion_utils.audit.pairs import RADIUS, exact_pairs, in_order, join_rows, near_and_mirrored, twins
from kfashion_utils.audit.pictures import first_rows, read_records
from kfashion_utils.errors import InputError, refuse
from kfashion_utils.storage.files import write_table
from kfashion_utils.tables.catalog import complete_catalog, region_problems


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
        lines = [f"{rows:,} rows, {self.pictures:,} pictures, {groups:,} groups that a split must not separate"]
        lines += [f"  {count:,} pairs: {MEANT[how]}" for how, count in self.pairs["how"].value_counts().items()]
        counts = self.findings["finding"].value_counts()
        lines += [f"  {count:,} x {finding}: {meaning(finding)}" for finding, count in counts.items()]
        return "\n".join(lines if len(lines) > 1 else [*lines, "  nothing is wrong with them"])

    def write(self, folder):
        """`catalog.csv`, `findings.csv`, `pairs.csv` in `folder`."""
        for name, table in {"catalog": self.catalog, "findings": self.findings, "pairs": self.pairs}.items():
            write_table(Path(folder, f"{name}.csv"), table)


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
    looked_at = read_records(catalog["path"], root, out, workers=workers, progress=progress)
    records, place, unreadable, endless = looked_at
    first = first_rows(place)
    pairs = [exact_pairs(records), near_and_mirrored(records, radius)]
    if backbone is not None:
        with_backbone = {"backbone": backbone, "weights": weights, "workers": workers, "progress": progress}
        pairs.append(_parts(catalog.iloc[first], records, root, out, pd.concat(pairs), **with_backbone))
    pairs = in_order(pd.concat(pairs, ignore_index=True), first)
    audited = catalog.assign(group=join_rows(catalog, place, pairs))
    ids = catalog["id"].to_numpy()[first]
    findings = chain(
        unreadable_rows(catalog, unreadable),
        other_sizes(catalog, place, records),
        endless_pictures(catalog, place, endless),
        flawed_pictures(records, ids),
        conflicts(catalog, place, pairs),
        leaks(audited),
        unjoined_twins(audited, first, twins(records)),
        odd_shares(catalog),
    )
    named = {
        "id": ids[pairs["first"]],
        "other": ids[pairs["second"]],
        "how": pairs["how"],
        "distance": pairs["distance"],
    }
    return Audit(audited, findings_table(findings), pd.DataFrame(named), len(records))


def _parts(rows, records, root, out, known, **options):
    """Pairs of which one shows a part of the other, where they are not `known` ones; `rows` = the first of each
    record."""
    from kfashion_utils.audit.crops import find_parts

    sizes = np.stack([records["width"], records["height"]], axis=1)
    known = known[["first", "second"]].to_numpy().tolist()
    return find_parts(rows, sizes, root, out, known=known, **options)
