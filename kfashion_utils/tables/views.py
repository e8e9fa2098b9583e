"""Views: several rows of one photograph, each showing another region of it, so that one recipe prepares them all.

`Preprocess(crop="box", mask="polygon")` shows a row without a box whole, one without a polygon by its box; so what a
view shows is said by the box and the polygon that its row keeps. `predict` averages the rows of a photo.
"""

import numpy as np
import pandas as pd

from kfashion_utils.errors import InputError, refuse
from kfashion_utils.tables.catalog import BOX, complete_catalog
from kfashion_utils.tables.labels import OWN_COLUMNS

VIEWS = {  # name: which of a row's regions it keeps
    "whole": (),
    "crop": ("box",),
    "mask": ("box", "polygon"),
    "upper": (),  # a box of its own, which needs the picture's size
}
UPPER = (
    0.2,
    0.0,
    0.8,
    0.55,
)  # left, top, right, bottom as shares of the picture: where one who stands in the middle wears the upper half
REGION = ["photo", *BOX, "polygon"]  # rows equal in these show the same
OF_PHOTO = ["group", "split", "fold"]


def photo_views(catalog, views=("whole", "crop", "mask"), garments=None, sizes=None):
    """A catalog in which every photo has one row a view, to be prepared by `Preprocess(crop="box", mask="polygon")`.

    Args:
        catalog: DataFrame of the column contract, one row a photo.
        views: names of `VIEWS`: `whole` = the whole picture, `crop` = the box, `mask` = box and polygon, `upper` = the
            middle of the picture's upper half, whatever is annotated.
        garments: a catalog of the same photos with one row a garment (`build_catalog(…, rows="garment")`), whose rows
            are appended; group, split and fold are the photo's. None = none.
        sizes: {photo: (width, height)} of the upright pictures, which `upper` needs; None = unknown.

    Returns:
        A catalog in the order of `catalog`, ids `<id>-<view>`, those of `garments` as they are. `region` stays where a
        box or polygon is kept. Of a photo's rows that show the same (`crop` without a box, `mask` without a polygon, an
        only garment) the first stays and takes over the labels, such as `part`, that it does not have.

    Raises:
        InputError: an unknown view or none, several rows of one photo, `upper` without sizes, no garment of these
            photos.
    """
    catalog, names = complete_catalog(catalog), list(dict.fromkeys(views))
    refuse("the views are not usable", _problems(catalog, names, sizes))
    tables = [_view(catalog, name, sizes) for name in names]
    if garments is not None:
        tables.append(_of_photos(complete_catalog(garments), catalog))
    table = complete_catalog(pd.concat(tables, ignore_index=True))
    labels = [name for name in table.columns if name not in OWN_COLUMNS]
    same = table.groupby(REGION, dropna=False, sort=False).ngroup()
    given = table[labels].mask(table[labels] == "")
    table[labels] = given.fillna(given.groupby(same).transform("first")).fillna("").astype(object)
    place = pd.Series(np.arange(len(catalog)), index=catalog["photo"])
    order = table["photo"].map(place)[~same.duplicated()].sort_values(kind="stable").index
    return table.loc[order].reset_index(drop=True)


def _problems(catalog, names, sizes):
    yield from (f"no view {name!r}; known: {', '.join(VIEWS)}" for name in names if name not in VIEWS)
    if not names:
        yield f"no view is named; known: {', '.join(VIEWS)}"
    several = catalog["photo"][catalog["photo"].duplicated()].unique()
    yield from (f"photo {name!r} has several rows; give one row a photo, and garments as garments=" for name in several)
    if "upper" in names:
        lacking = catalog["photo"][~catalog["photo"].isin(list(sizes or {}))]
        yield from (f"photo {name!r} has no size in sizes=, which the view 'upper' needs" for name in lacking)


def _view(catalog, name, sizes):
    """The rows of one view."""
    table = catalog.assign(id=catalog["id"] + f"-{name}")
    kept = VIEWS[name]
    if "box" not in kept:
        table[BOX] = np.nan
    if "polygon" not in kept:
        table["polygon"] = ""
    table["region"] = table["region"].where(table["left"].notna() | (table["polygon"] != ""), "")
    if name == "upper":
        table[BOX] = np.array([sizes[photo] * 2 for photo in table["photo"]], float).reshape(-1, 4) * UPPER
        table["region"] = "upper"
    return table


def _of_photos(garments, catalog):
    """The garments of the catalog's photos, on their side of every split."""
    table = garments[garments["photo"].isin(catalog["photo"])].copy()
    if table.empty:
        raise InputError(
            f"none of {len(garments):,} rows of garments is of a photo of the catalog; build both from the same root"
        )
    table[OF_PHOTO] = catalog.set_index("photo").loc[table["photo"], OF_PHOTO].to_numpy()
    return table
