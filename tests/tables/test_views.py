"""Views of photos: which rows there are, and that one recipe shows each as meant."""

import json

import numpy as np
import pandas as pd
import pytest
from conftest import picture

import kfashion_utils as kf
from kfashion_utils.errors import InputError
from kfashion_utils.images.recipe import Preprocess
from kfashion_utils.tables.catalog import BOX, complete_catalog

pytestmark = pytest.mark.filterwarnings("error::FutureWarning")
RING = [[[20, 20], [40, 20], [40, 40], [20, 40]]]


def photos():
    """a: box and polygon; b: box; c: nothing."""
    boxes = np.array([[10, 10, 50, 60], [0, 0, 30, 30], [np.nan] * 4]).T
    columns = {
        "group": "g",
        "split": ["train", "train", "valid"],
        "fold": [0, 0, 1],
        **dict(zip(BOX, boxes, strict=True)),
    }
    labels = {"style": ["모던", "펑크", "모던"], "sub_style": ["키치", "", ""]}
    regions = {"polygon": [json.dumps(RING), "", ""], "region": ["annotation", "hand", ""]}
    return complete_catalog(
        {"id": list("abc"), "path": [f"{name}.png" for name in "abc"], **columns, **regions, **labels}
    )


def test_each_photo_has_one_row_for_each_view_that_shows_something_else():
    table = kf.photo_views(photos()).set_index("id")
    assert table.index.tolist() == ["a-whole", "a-crop", "a-mask", "b-whole", "b-crop", "c-whole"]
    assert table["photo"].tolist() == list("aaabbc") and table["group"].nunique() == 1
    assert table["region"].tolist() == ["", "annotation", "annotation", "", "hand", ""]
    assert table["sub_style"].tolist() == ["키치"] * 3 + [""] * 3
    assert table["left"].notna().tolist() == [False, True, True, False, True, False]
    assert (table["polygon"] != "").tolist() == [False, False, True, False, False, False]
    assert (
        table["fold"].tolist() == [0] * 5 + [1]
        and kf.check_catalog(table.reset_index().assign(group=table["photo"].to_numpy())) == []
    )


def test_no_photo_is_lost_when_the_view_asked_for_is_not_there():
    assert kf.photo_views(photos(), ["mask"])["id"].tolist() == ["a-mask", "b-mask", "c-mask"]
    assert kf.photo_views(photos(), ["mask", "mask", "crop"])["id"].tolist() == ["a-mask", "a-crop", "b-mask", "c-mask"]


def test_an_annotated_polygon_without_a_box_has_no_crop():
    catalog = photos()
    catalog.loc[0, BOX] = np.nan
    assert kf.photo_views(catalog)["id"].tolist()[:3] == ["a-whole", "a-mask", "b-whole"]


def garments():
    rows = photos()
    more = rows.loc[[0]].assign(id="a-top", left=20.0, part="top")
    rows = pd.concat(
        [rows.assign(id=["a-bottom", "b-dress", "c"], part=["bottom", "dress", ""]), more], ignore_index=True
    )
    rows.loc[0, "polygon"] = ""
    return complete_catalog(rows.assign(split="", fold=-1, group="other"))


def test_garments_are_appended_on_their_photos_side_of_the_split():
    table = kf.photo_views(photos().iloc[::-1], garments=garments()).set_index("id")
    # a-bottom shows what a-crop shows, and b's only garment what b-crop shows: their `part` is kept
    assert table.index.tolist() == ["c-whole", "b-whole", "b-crop", "a-whole", "a-crop", "a-mask", "a-top"]
    assert table["part"].tolist() == ["", "", "dress", "", "bottom", "", "top"]
    assert table.loc["a-top", ["group", "split", "fold"]].tolist() == ["g", "train", 0]
    assert table.columns.tolist()[-3:] == ["style", "sub_style", "part"]
    alone = kf.photo_views(photos().iloc[:1], garments=garments())
    assert set(alone["photo"]) == {"a"}


def test_the_upper_middle_needs_the_size():
    with pytest.raises(InputError, match="photo 'c' has no size"):
        kf.photo_views(photos(), ["whole", "upper"], sizes={"a": (100, 200), "b": (80, 80)})
    table = kf.photo_views(photos()[:1], ["whole", "upper"], sizes={"a": (100, 200)})
    assert table.loc[1, BOX].tolist() == pytest.approx([20, 0, 80, 110])
    assert table["region"].tolist() == ["", "upper"] and kf.check_catalog(table) == []


def test_labels_are_not_needed():
    assert len(kf.photo_views(photos().drop(columns=["style", "sub_style"]))) == 6
    assert len(kf.photo_views(photos()[:0])) == 0


def test_impossible_views_are_refused():
    with pytest.raises(InputError, match="no view 'upside'; known: whole, crop, mask, upper"):
        kf.photo_views(photos(), ["upside"])
    with pytest.raises(InputError, match="no view is named"):
        kf.photo_views(photos(), [])
    with pytest.raises(InputError, match="photo 'a' has several rows"):
        kf.photo_views(garments())
    with pytest.raises(InputError, match="none of 4 rows of garments"):
        kf.photo_views(photos().assign(photo=["x", "y", "z"]), garments=garments())


def test_one_recipe_shows_each_view_as_meant(tmp_path):
    for name in "abc":
        picture(tmp_path / f"{name}.png", (64, 80), colour=(200, 40, 40), seed=ord(name))
    table = kf.photo_views(photos())
    prepared = kf.preprocess_images(
        table, tmp_path, tmp_path / "cache", Preprocess(size=32, crop="box", mask="polygon"), progress=False, workers=1
    )
    assert len(prepared) == len(table)
    recipes = {
        "whole": Preprocess(size=32),
        "crop": Preprocess(size=32, crop="box"),
        "mask": Preprocess(size=32, crop="box", mask="polygon"),
    }
    rows = photos().set_index("id")
    for row_id in table["id"]:
        photo, view = row_id.split("-")
        np.testing.assert_array_equal(
            prepared.pixels(row_id), recipes[view].apply(f"{photo}.png", rows.loc[photo], tmp_path), row_id
        )


@pytest.mark.realdata
def test_views_of_the_real_sample(real_data, tmp_path):
    root = real_data / "kfashion" / "New_sample"
    catalog, garments = (kf.build_catalog("kfashion", root, rows=rows)[0] for rows in ("photo", "garment"))
    table = kf.photo_views(kf.split_catalog(catalog), garments=garments)
    assert kf.check_catalog(table, root) == []
    assert table["photo"].nunique() == 700 and (table.groupby("photo")["split"].nunique() == 1).all()
    counts = table["id"].str.rpartition("-")[2].value_counts()
    assert counts["whole"] == 700 and counts["crop"] == counts["mask"] == 698
    several = garments.groupby("photo")["id"].transform("size") > 1
    assert counts[["outer", "top", "bottom", "dress"]].sum() == several.sum() == len(table) - 2096
    assert sorted(table.loc[table["part"] != "", "part"]) == sorted(garments.loc[garments["part"] != "", "part"])
    busiest = table["photo"].value_counts().index[:3]
    few = table[table["photo"].isin([*busiest, *catalog.loc[catalog["region"] == "", "id"]])]
    prepared = kf.preprocess_images(
        few, root, tmp_path, Preprocess(size=64, crop="box", mask="polygon"), progress=False, workers=1
    )
    assert len(prepared) == len(few) and prepared.failures.empty
    pixels = {row_id: prepared.pixels(row_id).tobytes() for row_id in few["id"]}
    assert len(set(pixels.values())) == len(pixels)
