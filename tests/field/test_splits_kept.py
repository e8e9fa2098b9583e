"""Splits that data comes with: test rows stay test, valid is cut from train, and what is told is true."""

import cv2
import numpy as np
import pandas as pd
import pytest

import kfashion_utils as kf
from kfashion_utils.__main__ import main
from kfashion_utils.tables.catalog import complete_catalog
from kfashion_utils.tables.splits import split_warnings


def rows(split, label, count, start=0, **columns):
    names = [f"{split or 'none'}-{label or 'x'}-{number}" for number in range(start, start + count)]
    return complete_catalog({"id": names, "path": names, "split": split, "label": label} | columns)


def table(*parts):
    return complete_catalog(pd.concat(parts, ignore_index=True))


def train_and_test():
    return table(*[rows("train", name, 20) for name in "ab"], *[rows("test", name, 6) for name in "ab"])


def draw_pictures(root, folders, count):
    for number, folder in enumerate(folders):
        (root / folder).mkdir(parents=True)
        for picture in range(count):
            pixels = np.random.default_rng(100 * number + picture).integers(0, 255, (24, 24, 3), np.uint8)
            cv2.imencode(".jpg", pixels)[1].tofile(root / folder / f"{number}_{picture}.jpg")


def split_of(catalog):
    return dict(zip(catalog["id"], catalog["split"], strict=True))


@pytest.mark.parametrize("options", [{}, {"test": 0.3}, {"folds": 3}, {"per_class": 10}, {"seed": 9}])
def test_labelled_test_rows_stay_test_and_valid_is_cut_from_train(options):
    before = train_and_test()
    after = kf.split_catalog(before, valid=0.25, **options)
    old, new = split_of(before), split_of(after)
    assert {name for name in new if new[name] == "test"} == {name for name in old if old[name] == "test"}
    assert (after["split"] == "valid").sum() == (4 if "per_class" in options else 10)
    assert ((after["fold"] >= 0) == ((after["split"] != "test") & ("folds" in options))).all()
    assert after.attrs["notes"] == {"test row, kept as the catalog has it": 12}


def test_official_valid_rows_stay_valid_and_only_what_is_missing_is_drawn():
    official = table(*[rows("train", name, 20) for name in "ab"], *[rows("valid", name, 5) for name in "ab"])
    assert split_of(kf.split_catalog(official, valid=0.4)) == split_of(official)
    drawn = kf.split_catalog(official, valid=0.4, test=0.2)
    assert (drawn["split"][official["split"] == "valid"] == "valid").all()
    assert (drawn["split"] == "test").sum() == 8
    folds = kf.split_catalog(official, folds=5)
    assert (folds["split"] == official["split"]).all()
    assert sorted(folds["fold"].value_counts()) == [10] * 5


def test_redraw_forgets_them():
    catalog = train_and_test()
    anew = kf.split_catalog(catalog, valid=0.25, redraw=True)
    assert (anew["split"] == "test").sum() == 0 and anew.attrs["notes"] == {}
    pd.testing.assert_frame_equal(anew, kf.split_catalog(catalog.assign(split=""), valid=0.25))


def test_leaderboard_pictures_do_not_count_as_a_labelled_test():
    catalog = table(*[rows("train", name, 20) for name in "ab"], rows("test", "", 7))
    after = kf.split_catalog(catalog, valid=0.2, test=0.2)
    assert after["split"].value_counts().to_dict() == {"train": 24, "test": 7 + 8, "valid": 8}
    assert (after["split"][catalog["label"] == ""] == "test").all()


def test_a_row_of_a_kept_group_is_left_out_and_told():
    catalog = train_and_test()
    catalog.loc[[0, 1, 40], "group"] = "one look"  # two train rows, one test row
    after = kf.split_catalog(catalog, valid=0.25)
    assert set(catalog["id"]) - set(after["id"]) == set(catalog["id"][:2])
    assert [count for text, count in after.attrs["notes"].items() if "left out" in text] == [2]
    assert kf.check_catalog(after) == []


@pytest.mark.parametrize("split", ["valid", "test"])
def test_a_row_without_a_split_goes_where_its_group_is(split):
    catalog = table(*[rows("train", name, 9) for name in "ab"], rows(split, "a", 3), rows("", "b", 2), rows("", "", 1))
    catalog.loc[[18, 21, 23], "group"] = "one look"
    after = split_of(kf.split_catalog(catalog))
    assert after["none-b-0"] == after["none-x-0"] == split
    assert len(after) == len(catalog)


def test_the_reason_for_an_absent_class_is_true():
    catalog = table(*[rows("train", name, 8) for name in "abc"], rows("test", "a", 4), rows("test", "b", 4))
    catalog.loc[catalog["label"] == "b", "group"] = [f"b{number}" for number in range(12)]
    single = rows("train", "lonely", 3, group="one")
    after = kf.split_catalog(table(catalog, single))
    assert split_warnings(after) == [
        "class 'lonely' has no valid row: all its pictures are one group",
        "class 'c' has no test row",
        "class 'lonely' has no test row: all its pictures are one group",
    ]


def test_nothing_but_test_rows_is_refused():
    with pytest.raises(kf.InputError, match="not test"):
        kf.split_catalog(rows("test", "a", 5))


@pytest.mark.parametrize("test_labelled", [True, False])
def test_class_folders_on_the_command_line(tmp_path, capsys, test_labelled):
    tests = ["test/coat", "test/모자"] if test_labelled else ["test"]
    draw_pictures(tmp_path / "data", ["train/coat", "train/모자", *tests], 10)
    path = str(tmp_path / "kf.csv")
    assert main(["catalog", "folders", "--root", str(tmp_path / "data"), "--out", path]) in (0, None)
    given = kf.read_catalog(path)
    capsys.readouterr()
    assert main(["split", path, "--out", path]) in (0, None)
    told = capsys.readouterr().out
    assert "kept as the catalog has it" in told and "--redraw" in told
    assert "one group" not in told
    catalog = kf.read_catalog(path)
    assert (catalog["split"][given["split"] == "test"] == "test").all()
    assert catalog["split"].value_counts().to_dict() == {"train": 16, "valid": 4, "test": 10 * len(tests)}
    assert main(["split", path, "--out", path, "--redraw"]) in (0, None)
    assert (kf.read_catalog(path)["split"] == "test").sum() == (0 if test_labelled else 10)
