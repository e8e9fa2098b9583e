import json
import random

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kfashion_utils as kf
from kfashion_utils.errors import InputError
from kfashion_utils.tables.catalog import (
    complete_catalog,
    hash_catalog,
    join_groups,
    unique_ids,
)
from kfashion_utils.tables.polygons import is_plain_polygon, parses_as_polygon
from kfashion_utils.tables.splits import count_classes, split_warnings


def catalog(rows=60, classes=3, shots=3, **columns):
    number = np.arange(rows)
    table = {
        "id": [f"p{n:04d}" for n in number],
        "path": [f"{n}.jpg" for n in number],
        "group": [f"g{n // shots}" for n in number],
    }
    return complete_catalog({**table, "style": [f"c{(n // shots) % classes}" for n in number], **columns})


def test_empty_cells_of_photo_and_group_are_filled():
    table = complete_catalog(
        pd.DataFrame(
            {
                "id": ["a", "b", "c"],
                "path": ["a.jpg", "b.jpg", "c.jpg"],
                "photo": ["", "p", None],
                "group": ["g", "", ""],
            }
        )
    )
    assert table["photo"].tolist() == ["a", "p", "c"] and table["group"].tolist() == ["g", "p", "c"]


def test_read_keeps_labels_as_text(tmp_path):
    table = catalog(4, style=["NA", "007", "1.0", "null"], left=[1.25, np.nan, 0, 3])
    kf.write_catalog(table, tmp_path / "c.csv")
    again = kf.read_catalog(tmp_path / "c.csv")
    pd.testing.assert_frame_equal(again, table)
    assert again["style"].tolist() == ["NA", "007", "1.0", "null"]


def test_check_lists_all_problems_at_once(tmp_path):
    table = catalog(6, style="a", path=["x.jpg", "", "/etc/passwd", "../up.jpg", "e.jpg", "f.jpg"])
    table.loc[1, "id"] = "p0000"
    table.loc[2, "id"] = "a/b"
    table.loc[3, "split"] = "training"
    table.loc[4, ["left", "top", "right", "bottom"]] = [10, 10, 5, 20]
    table.loc[5, "polygon"] = "[[1, 2]]"
    table.loc[0, "left"] = 1.0
    problems = "\n".join(kf.check_catalog(table))
    for text in (
        "not unique",
        "path is empty",
        "not safe",
        "leaves the data root",
        "split is none of",
        "empty or inverted",
        "not JSON rings",
        "four sides",
        "no region",
    ):
        assert text in problems
    assert "row 4 (id 'a/b')" in problems
    assert len(kf.check_catalog(catalog(3), tmp_path)) == 3  # the files are missing


def test_groups_in_two_splits_are_a_problem():
    assert any(
        "group 'g0' stands in 2 splits" in text
        for text in kf.check_catalog(catalog(3, split=["train", "valid", "train"]))
    )


def test_second_labels_are_no_labels_of_their_own(tmp_path):
    table = catalog(60, sub_style=["c1", "", "c2"] * 20)
    first = complete_catalog(table[[*table.columns[:-2], "sub_style", "style"]])
    for one in (table, first):
        assert count_classes(one).equals(count_classes(one, "style")) and kf.check_catalog(one) == []
        pd.testing.assert_series_equal(
            kf.split_catalog(one)["split"], kf.split_catalog(table.drop(columns="sub_style"))["split"]
        )
    kf.write_catalog(table, tmp_path / "c.csv")
    pd.testing.assert_frame_equal(kf.read_catalog(tmp_path / "c.csv"), table)
    joined = complete_catalog(
        pd.concat([table.drop(columns="sub_style").assign(id=table["id"] + "x"), table], ignore_index=True)
    )
    assert joined["sub_style"].tolist() == [""] * 60 + table["sub_style"].tolist()
    assert count_classes(table, "sub_style").index.tolist()[-1] in ("c1", "c2", "(no label)")


@settings(max_examples=40, deadline=None)
@given(
    groups=st.lists(st.tuples(st.integers(0, 4), st.integers(1, 6)), min_size=2, max_size=60),
    valid=st.floats(0.05, 0.5),
    test=st.sampled_from([0, 0.2]),
    folds=st.sampled_from([0, 3]),
    seed=st.integers(0, 5),
)
def test_split_never_separates_a_group_nor_drops_a_row_or_a_class(groups, valid, test, folds, seed):
    rows = [(f"g{number}", f"c{label}") for number, (label, size) in enumerate(groups) for _ in range(size)]
    table = complete_catalog(
        {
            "id": [str(i) for i in range(len(rows))],
            "path": "x",
            "group": [r[0] for r in rows],
            "style": [r[1] for r in rows],
        }
    )
    result = kf.split_catalog(table, valid=valid, test=test, folds=folds, seed=seed)
    assert result["id"].tolist() == table["id"].tolist()
    assert (
        result.groupby("group")["split"].nunique().max() == 1 and result.groupby("group")["fold"].nunique().max() == 1
    )
    counts = count_classes(result)
    groups_of = table.groupby("style")["group"].nunique()
    assert (counts["train"] > 0).all()
    several = groups_of.index[groups_of > 1 + bool(test)]
    assert len(several) == 0 or (counts.loc[several, "valid"] > 0).all()
    assert ((result["fold"] >= 0) == ((result["split"] != "test") & bool(folds))).all()


@pytest.mark.parametrize(
    "groups", [[(0, 1), (0, 1), (0, 1), (1, 1), (1, 4), (1, 1)], [(0, 1), (0, 1), (1, 1), (0, 4), (1, 1)]]
)
def test_a_split_that_took_too_many_groups_of_a_class_gives_one_back(groups):
    rows = [(f"g{number}", f"c{label}") for number, (label, size) in enumerate(groups) for _ in range(size)]
    table = complete_catalog(
        {
            "id": [str(i) for i in range(len(rows))],
            "path": "x",
            "group": [r[0] for r in rows],
            "style": [r[1] for r in rows],
        }
    )
    counts = count_classes(kf.split_catalog(table, valid=0.0625, test=0.2))
    several = [name for name in ("c0", "c1") if table[table["style"] == name]["group"].nunique() > 2]
    assert (counts.loc[several, ["train", "valid", "test"]] > 0).all(axis=None)


def test_split_shares_are_met_and_reproducible():
    table = catalog(3000, classes=5)
    result = kf.split_catalog(table, valid=0.2, test=0.1, folds=5, seed=3)
    assert (
        abs((result["split"] == "valid").mean() - 0.2) < 0.01 and abs((result["split"] == "test").mean() - 0.1) < 0.01
    )
    assert result.loc[result["fold"] >= 0, "fold"].value_counts(normalize=True).between(0.19, 0.21).all()
    shuffled = kf.split_catalog(table.sample(frac=1, random_state=1), valid=0.2, test=0.1, folds=5, seed=3)
    pd.testing.assert_frame_equal(shuffled.sort_values("id", ignore_index=True), result)
    assert (kf.split_catalog(table, seed=4)["split"] != kf.split_catalog(table, seed=5)["split"]).any()


def test_per_class_caps_before_the_split():
    table = catalog(300, style=["big"] * 270 + ["small"] * 30)
    result = kf.split_catalog(table, valid=0.2, per_class=50)
    assert result["style"].value_counts().to_dict() == {"big": 50, "small": 30}
    assert result.groupby("group")["split"].nunique().max() == 1


def test_unlabelled_rows_are_test_unless_their_group_is_elsewhere():
    table = catalog(30, style=["a"] * 12 + ["b"] * 12 + [""] * 6)
    table.loc[29, "group"] = "g0"
    result = kf.split_catalog(table, valid=0.3)
    assert (result["split"][24:29] == "test").all()
    assert result["split"][29] == result["split"][0]


def test_a_class_with_one_group_is_reported():
    table = kf.split_catalog(catalog(33, style=["a"] * 15 + ["b"] * 15 + ["lonely"] * 3), valid=0.2)
    assert split_warnings(table) == ["class 'lonely' has no valid row: all its pictures are one group"]


@pytest.mark.parametrize("options", [{"valid": 0.8, "test": 0.3}, {"valid": -1}, {"folds": 1}, {"per_class": 0}])
def test_impossible_splits_are_refused(options):
    with pytest.raises(InputError):
        kf.split_catalog(catalog(), **options)


def test_groups_join_through_shared_keys():
    assert join_groups(["b", "a", "c", "d"], ["x", None, "x", "y"]) == ["b", "a", "b", "d"]
    assert join_groups(["a", "b", "b", "c"], [1, 1, 2, 2]) == ["a", "a", "a", "a"]


def test_ids_are_file_names_and_unique():
    ids = unique_ids(["a/b", "가 나", "same", "Same", ".."], ["1", "2", "3", "4", "5"])
    assert ids[0] == "a_b" and ids[1] == "가 나" and len({name.lower() for name in ids}) == 5


def test_hash_does_not_depend_on_row_order():
    table = catalog()
    assert hash_catalog(table) == hash_catalog(table[::-1]) != hash_catalog(table.assign(style="c0"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a whole UTF-8 CSV"),
        ("id,style\n1,a\n", r"\['path'\] missing"),
        ("id,path,left\n1,a.jpg,wide\n", "row 2: 'wide'"),
        ("id,path,fold\n1,a.jpg,0.5\n", "row 2: 0.5"),
    ],
)
def test_unreadable_tables_are_refused(tmp_path, text, message):
    (tmp_path / "c.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        kf.read_catalog(tmp_path / "c.csv")
    with pytest.raises(InputError, match="no catalog at"):
        kf.read_catalog(tmp_path / "none.csv")


def test_caps_count_every_row_by_its_own_class():
    table = complete_catalog(
        {
            "id": [str(n) for n in range(84)],
            "path": "x",
            "group": [f"g{n % 6}" if n < 24 else f"h{n}" for n in range(84)],
            "style": ["a"] * 6 + ["c"] * 18 + ["b"] * 60,
        }
    )
    for cap in (1, 4, 6):
        assert kf.split_catalog(table, per_class=cap)["style"].value_counts().to_dict() == {
            "a": cap,
            "b": cap,
            "c": cap,
        }


def test_views_of_one_photo_are_never_separated():
    table = complete_catalog(
        {
            "id": [str(n) for n in range(40)],
            "path": "x",
            "photo": [f"p{n // 2}" for n in range(40)],
            "style": ["a", "b"] * 20,
        }
    )
    assert table["group"].tolist() == table["photo"].tolist()
    separate = table.assign(group=table["id"])
    for each in (table, separate):
        assert kf.split_catalog(each, valid=0.3).groupby("photo")["split"].nunique().max() == 1


def test_a_column_without_a_name_is_refused(tmp_path):
    catalog(4).to_csv(tmp_path / "c.csv")
    with pytest.raises(InputError, match="column without a name"):
        kf.read_catalog(tmp_path / "c.csv")


NUMBER = st.floats(0, 2000).map(lambda value: round(value, 1))
RINGS = st.lists(st.lists(st.tuples(NUMBER, NUMBER), min_size=3, max_size=9), min_size=1, max_size=3)


@settings(max_examples=100, deadline=None)
@given(rings=RINGS, seed=st.integers(0, 2**32))
def test_polygons_told_without_parsing_are_polygons(rings, seed):
    text = json.dumps(rings)
    assert is_plain_polygon(text) and parses_as_polygon(text)
    rng = random.Random(seed)
    for _ in range(30):
        place = rng.randrange(len(text))
        changed = (
            text[:place]
            + rng.choice(["", "0", "9" * 400, ".", ",", " ", "[", "]", "-", "e9", "٣", "]], [[", "[0"])
            + text[place + rng.randint(0, 3) :]
        )
        assert not is_plain_polygon(changed) or parses_as_polygon(changed), changed


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "[[]]",
        "[[[]]]",
        "[[[",
        "[[[1.0, 2.0], [3.0, 4.0]]]",
        "[[[01.0, 2.0], [3.0, 4.0], [3.0, 4.0]]]",
        "nonsense",
        "null",
        "[[[NaN, 1], [1, 1], [1, 2]]]",
        "[" * 99999,
    ],
)
def test_what_is_no_polygon_is_a_problem(text):
    assert not is_plain_polygon(text) and not parses_as_polygon(text)
    assert any("not JSON rings" in problem for problem in kf.check_catalog(catalog(3, polygon=text, region="hand")))


def test_polygons_written_otherwise_are_polygons_too():
    for text in ("[[[1,2],[3,4],[5,6]]]", "[[[-1.5, 2], [3e1, 4], [5, 6.25]]]"):
        assert kf.check_catalog(catalog(3, polygon=text, region="hand")) == []


HASHES = (  # of the release before
    "8ba689defb4adda9919c84bf7b8826c4238a5470c35f1cc440e0454b237db3de",
    "59beb19ce214a2e8fb673a6d854c299c2978160a83c4c42971bb5ec4313935df",
)


def test_splits_of_known_seeds_stay_what_they_were():
    number = np.arange(600)
    table = catalog(600, group=[f"g{n * 7919 % 211}" for n in number], style=[f"c{int(n**0.5) % 6}" for n in number])
    assert hash_catalog(kf.split_catalog(table, valid=0.2, test=0.1, folds=5, seed=3)) == HASHES[0]
    assert hash_catalog(kf.split_catalog(table, valid=0.3, per_class=37, seed=7)) == HASHES[1]


def test_the_largest_catalogs_have_no_slow_step():
    """A hundred thousand rows in a few groups and in as many groups: a step that is not linear would take minutes."""
    for shots in (1, 20_000):
        table = kf.split_catalog(
            catalog(100_000, classes=23, shots=shots, polygon="[[[1.0, 2.0], [3.0, 4.0], [5.0, 1.0]]]", region="hand")
        )
        assert kf.check_catalog(table) == []
