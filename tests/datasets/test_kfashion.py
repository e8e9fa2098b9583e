import errno
import json
import os
import random
import unicodedata
import warnings
import zipfile
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from conftest import LABELS, PHOTOS, label_json, pack, picture

import kfashion_utils as kf
from kfashion_utils.datasets import files, garments, kfashion_labels, rings
from kfashion_utils.errors import InputError
from kfashion_utils.images.geometry import inside
from kfashion_utils.tables.catalog import complete_catalog

SQUARE = [(10, 10), (50, 10), (50, 50), (10, 50)]


def reasons(rejected, kind):
    return rejected[rejected["kind"] == kind]["reason"].value_counts().to_dict()


def build(tree, rows="photo"):
    return kf.build_catalog("kfashion", tree.root, rows=rows)


def test_one_row_a_photo_with_box_polygon_group_and_label(tree):
    tree.pair(7, "레트로", name="Ave29th_160_02.jpg")
    catalog, rejected = build(tree)
    row = catalog.iloc[0]
    assert (row["id"], row["photo"], row["group"], row["style"], row["region"]) == (
        "7",
        "7",
        "Ave29th_160",
        "레트로",
        "annotation",
    )
    assert row[["left", "top", "right", "bottom"]].tolist() == [9.5, 9.5, 60, 50]
    assert json.loads(row["polygon"]) == [[[10, 10], [60, 12], [58, 50], [12, 48]]]
    assert rejected.empty and kf.check_catalog(catalog, tree.root) == []


def test_everything_found_is_kept_or_rejected_with_a_reason(tree):
    tree.pair(1, "모던")
    tree.pair(2, "")  # 기타
    tree.pair(3, "우주복")
    tree.label(4, "모던")  # no picture
    tree.photo(5, "모던")  # no label
    tree.label(6, "모던", text="{not json")
    tree.photo(6, "모던")
    tree.label(8, "모던", text="[" * 100_000)
    tree.label(9, "모던", text='{"a": 1}')
    tree.label(10, None, folder="모던")
    catalog, rejected = build(tree)
    labels, pictures = len(list(tree.root.rglob("*.json"))), len(list(tree.root.rglob("*.jpg")))
    assert catalog["id"].tolist() == ["1"]
    assert len(catalog) + (rejected["kind"] == "label").sum() == labels
    assert len(catalog) + (rejected["kind"] == "picture").sum() == pictures
    assert reasons(rejected, "label") == {
        "label without a style": 2,
        "unknown style": 1,
        "label without a picture": 1,
        "label is not JSON": 1,
        "label is nested too deeply": 1,
        "label is not of K-Fashion": 1,
    }
    assert reasons(rejected, "picture") == {"its label was rejected": 3, "picture without a label": 1}


def test_zips_give_the_same_catalog_in_every_column_but_path(tree, tmp_path):
    for number in range(6):
        tree.pair(number, "키치" if number % 2 else "펑크", name=f"look_{number // 3:03d}_{number:02d}.jpg")
    (tree.root / PHOTOS / "키치" / "5.jpg").write_bytes((tree.root / PHOTOS / "펑크" / "0.jpg").read_bytes())
    for name, encoding in (("utf8", None), ("windows", "cp949")):
        (tmp_path / name).mkdir()
        pack(tree.root / LABELS, tmp_path / name / "라벨링데이터.zip", encoding)
        pack(tree.root / PHOTOS, tmp_path / name / "원천데이터_1.zip", encoding)
    folders, _ = build(tree)
    assert folders["group"].nunique() == 1  # two looks joined by two byte-equal pictures
    for name in ("utf8", "windows"):
        zipped, rejected = kf.build_catalog("kfashion", tmp_path / name)
        assert rejected.empty and kf.check_catalog(zipped, tmp_path / name) == []
        assert zipped.drop(columns="path").equals(folders.drop(columns="path"))
        np.testing.assert_array_equal(
            kf.open_image(zipped["path"][0], tmp_path / name), kf.open_image(folders["path"][0], tree.root)
        )


def test_twice_gives_the_same_bytes(tree, tmp_path):
    for number in range(5):
        tree.pair(number, "모던")
    for name in ("a.csv", "b.csv.gz", "c.csv.gz"):
        kf.write_catalog(build(tree)[0], tmp_path / name)
    assert (tmp_path / "b.csv.gz").read_bytes() == (tmp_path / "c.csv.gz").read_bytes()
    assert kf.read_catalog(tmp_path / "a.csv").equals(kf.read_catalog(tmp_path / "b.csv.gz"))


def test_pictures_are_found_by_stem_then_file_name_then_number(tree):
    tree.label(1, "모던", stem="(116)IMG_1")
    tree.photo(1, "모던", stem="(116)IMG_1", suffix=".JPG", format="JPEG")
    tree.label(2, "모던", stem="label2", name="SHOP 가_001.jpg")
    tree.photo(2, "모던", stem=unicodedata.normalize("NFD", "SHOP 가_001"))
    tree.label(3, "모던", stem="label3")
    tree.photo(3, "모던")
    catalog, rejected = build(tree)
    assert rejected.empty and len(catalog) == 3
    assert catalog.set_index("id")["path"].str.rpartition("/")[2].str.len().min() > 4
    assert kf.check_catalog(catalog, tree.root) == []


def test_same_stem_in_two_styles_goes_to_the_own_folder_and_ids_stay_unique(tree):
    for style in ("모던", "펑크"):
        tree.pair(1, style)
    catalog, rejected = build(tree)
    assert rejected.empty and catalog["id"].is_unique
    assert all(row["style"] in row["path"] for _, row in catalog.iterrows())


def test_cp949_bom_and_decomposed_labels_are_read(tree):
    tree.pair(1, "모던", encoding="cp949")
    tree.pair(2, "모던", encoding="utf-8-sig")
    tree.label(3, unicodedata.normalize("NFD", "모던"), folder="모던")
    tree.photo(3, "모던")
    assert build(tree)[0]["style"].tolist() == ["모던"] * 3


@pytest.mark.parametrize(
    ("written", "meant"), [("키치/키덜트", "키치"), ("펑크/로커", "펑크"), ("젠더리스/젠더플루이드", "젠더리스")]
)
def test_aliases(tree, written, meant):
    tree.label(1, written, folder=meant)
    tree.photo(1, meant)
    assert build(tree)[0]["style"].tolist() == [meant]


def test_joined_polygons_are_taken_apart_and_count_for_the_box(tree):
    first, second = [(10, 10), (30, 10), (30, 30), (10, 30), (10, 11)], [(50, 60), (70, 60), (70, 90), (50, 90)]
    tree.pair(1, "모던", parts={"아우터": (first + second, (9.5, 9.5, 20, 20))})
    catalog, _ = build(tree)
    rings = json.loads(catalog["polygon"][0])
    assert [len(ring) for ring in rings] == [5, 4]
    assert catalog.loc[0, ["left", "top", "right", "bottom"]].tolist() == [9.5, 9.5, 70, 90]
    assert "joined polygons taken apart" in catalog.attrs["notes"]


def test_loose_points_after_a_closed_ring_draw_no_bridge():
    points = np.array([(10, 10), (200, 10), (200, 200), (10, 200), (10, 14), (600, 700)], float)
    pieces = rings.split_joined(points, [9.5, 9.5, 200, 200])
    assert len(pieces) == 1 and pieces[0].max() == 200


def test_overlapping_garments_become_one_region_without_a_hole():
    top, bottom = np.array(SQUARE, float), np.array(SQUARE, float) + (0, 20)
    joined = rings.union_of_rings([top, bottom], [(10, 10, 50, 50), (10, 30, 50, 70)])
    assert inside(joined, 100, 100)[12:68, 12:48].all()


def test_boxes_are_clipped_and_zero_areas_dropped(tree):
    tree.pair(1, "모던", parts={"상의": ([(-8, 5), (40, 5), (40, 130), (-8, 130)], None)})
    tree.pair(2, "모던", parts={"상의": ([(5, 5), (5, 5), (5, 15)], (5, 5, 0, 10))})
    tree.pair(3, "모던", parts={})
    catalog, _ = build(tree)
    box = catalog.set_index("id")[["left", "top", "right", "bottom"]]
    assert box.loc["1"].tolist() == [0, 4.5, 40, 100]
    assert box.loc[["2", "3"]].isna().all(axis=None)
    assert catalog.set_index("id").loc["3", "region"] == ""
    assert kf.check_catalog(catalog) == []


TWO_GARMENTS = {
    "상의": ([(10, 10), (60, 12), (58, 50), (12, 48)], None),
    "하의": ([(-8, 40), (40, 40), (40, 130), (-8, 130)], None),
}


def test_garments_are_rows_of_their_own_photo(tree):
    joined = [(10, 10), (30, 10), (30, 30), (10, 30), (10, 11)], [(50, 60), (70, 60), (70, 90), (50, 90)]
    tree.pair(1, "모던", name="look_001_01.jpg", parts=TWO_GARMENTS)
    tree.pair(2, "펑크", name="look_001_02.jpg", parts={"아우터": (joined[0] + joined[1], (9.5, 9.5, 20, 20))})
    tree.pair(3, "모던", name="x.jpg", parts={})
    tree.pair(
        4, "모던", name="x.jpg", parts={"하의": ([(5, 5), (5, 5), (5, 15)], (2, 2, 9, 10)), "원피스": (SQUARE, None)}
    )
    tree.photo(5, "모던")
    photos, garments_ = build(tree)[0].set_index("id"), build(tree, "garment")
    table, rejected = garments_[0].set_index("id"), garments_[1]
    assert table.index.tolist() == ["1-bottom", "1-top", "2-outer", "3", "4-bottom", "4-dress"]
    assert table["part"].tolist() == ["bottom", "top", "outer", "", "bottom", "dress"]
    assert table["photo"].tolist() == ["1", "1", "2", "3", "4", "4"]
    for column in ("path", "group", "split", "fold", "style", "sub_style"):
        assert table[column].tolist() == photos.loc[table["photo"], column].tolist()
    assert table.loc["1-top", ["left", "top", "right", "bottom"]].tolist() == [9.5, 9.5, 60, 50]
    assert table.loc["1-bottom", ["left", "top", "right", "bottom"]].tolist() == [0, 39.5, 40, 100]
    assert json.loads(table.loc["1-top", "polygon"]) == [[[10, 10], [60, 12], [58, 50], [12, 48]]]
    same = [*["left", "top", "right", "bottom"], "polygon", "region"]
    assert table.loc["2-outer", same].equals(
        photos.loc["2", same].rename("2-outer")
    )  # an only garment is the photo's region
    assert (
        table.loc["3", "region"] == "" and np.isnan(table.loc["3", "left"]) and table.loc["4-bottom", "polygon"] == ""
    )
    assert reasons(rejected, "picture") == {"picture without a label": 1}
    assert kf.check_catalog(table.reset_index(), tree.root) == []
    split = kf.split_catalog(table.reset_index(), valid=0.5)
    assert split.groupby("photo")["split"].nunique().max() == 1


def test_ids_of_garments_stay_unique_and_equal_pictures_are_counted_by_photo(tree):
    tree.pair(1, "모던", name="a.jpg", parts=TWO_GARMENTS)
    tree.label(2, "펑크", stem="1-top", name="b.jpg", parts={})
    tree.photo(1, "펑크", stem="1-top")
    table, _ = build(tree, "garment")
    assert len(table) == 3 and table["id"].is_unique and kf.check_catalog(table, tree.root) == []
    assert table.attrs["notes"]["equal pictures with different styles"] == 2 and table["group"].nunique() == 1


def test_a_data_set_without_garments_says_so(tmp_path, tree):
    picture(tmp_path / "a" / "b.jpg")
    with pytest.raises(InputError, match="a row of 'folders' is a photo, not a garment"):
        kf.build_catalog("folders", tmp_path, rows="garment")
    with pytest.raises(InputError, match="a row of 'kfashion' is a photo or a garment, not a pixel"):
        build(tree, "pixel")


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("펑크/로커", "펑크"),
        (" 레트로\xa0", "레트로"),
        ("모던", ""),
        ("기타", ""),
        ("", ""),
        (None, ""),
        ("우주복", ""),
        (3, ""),
        ([{}], ""),
    ],
)
def test_the_second_style_is_a_column_beside_the_first(tree, given, meant):
    tree.label(
        1,
        None,
        folder="모던",
        text=written(lambda details, _: details[ATTRIBUTES]["스타일"][0].update({"서브스타일": given})),
    )
    tree.photo(1, "모던")
    catalog, _ = build(tree)
    assert catalog.columns.tolist()[-2:] == ["style", "sub_style"] and catalog["sub_style"].tolist() == [meant]
    assert sum(catalog.attrs["notes"].values()) == (given in ("우주복", 3) or isinstance(given, list))


def test_class_folders_with_and_without_split_folders(tmp_path):
    for split in ("train", "validation", "test"):
        for name in ("dress", "모자"):
            picture(tmp_path / "a" / split / name / f"{split}-{name}.jpg")
    catalog, _ = kf.build_catalog("folders", tmp_path / "a")
    assert catalog["split"].value_counts().to_dict() == {"train": 2, "valid": 2, "test": 2}
    assert set(catalog["label"]) == {"dress", "모자"}
    plain, _ = kf.build_catalog("folders", tmp_path / "a" / "train")
    assert set(plain["split"]) == {""} and set(plain["label"]) == {"dress", "모자"}
    (tmp_path / "b").mkdir()
    pack(tmp_path, tmp_path / "b" / "photos.zip")
    zipped, _ = kf.build_catalog("folders", tmp_path / "b")
    assert zipped.drop(columns="path").equals(catalog.drop(columns="path"))


def test_pictures_without_class_folder_are_test_rows(tmp_path):
    picture(tmp_path / "photo.jpg")
    catalog, _ = kf.build_catalog("folders", tmp_path)
    assert catalog.loc[0, ["label", "split"]].tolist() == ["", "test"]


def test_bad_roots(tmp_path, tree):
    with pytest.raises(InputError, match="no folder"):
        kf.build_catalog("kfashion", tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="is empty"):
        kf.build_catalog("kfashion", tmp_path / "empty")
    with pytest.raises(InputError, match="unknown data set 'nonsense'; known: kfashion"):
        kf.build_catalog("nonsense", tmp_path)
    tree.label(1, "모던", text="nothing")
    with pytest.raises(InputError, match=r"1 label: label is not JSON \(for example .*1.json"):
        build(tree)


def test_a_broken_zip_is_counted(tree):
    tree.pair(1, "모던")
    (tree.root / "broken.zip").write_bytes(b"PK nothing")
    catalog, rejected = build(tree)
    assert len(catalog) == 1 and reasons(rejected, "archive") == {"not a zip": 1}


@pytest.mark.realdata
def test_every_file_of_the_real_sample_is_accounted_for(real_data, tmp_path):
    root = real_data / "kfashion" / "New_sample"
    catalog, rejected = kf.build_catalog("kfashion", root)
    kinds = rejected["kind"].value_counts()
    assert len(catalog) + kinds.get("label", 0) == len(list(root.rglob("*.json")))
    assert len(catalog) + kinds.get("picture", 0) == len(list(root.rglob("*.jpg")))
    assert kf.check_catalog(catalog, root) == []
    for part in ("라벨링데이터", "원천데이터/원천데이터_1"):
        pack(root / part, tmp_path / f"{part.rpartition('/')[2]}.zip")
    zipped, _ = kf.build_catalog("kfashion", tmp_path)
    assert zipped.drop(columns="path").equals(catalog.drop(columns="path"))


@pytest.mark.realdata
def test_the_garments_of_the_real_sample(real_data):
    root = real_data / "kfashion" / "New_sample"
    photos, _ = kf.build_catalog("kfashion", root)
    table, rejected = kf.build_catalog("kfashion", root, rows="garment")
    assert table["photo"].nunique() + (rejected["kind"] == "label").sum() == len(list(root.rglob("*.json"))) == 700
    annotated, whole = table[table["part"] != ""], table[table["part"] == ""]
    assert table.attrs["notes"]["garment with attributes and no region: it gets no row"] == 73
    assert (len(table), len(whole)) == (930, 2) and whole["id"].tolist() == photos.loc[
        photos["region"] == "", "id"
    ].tolist()
    assert (annotated["id"] == annotated["photo"] + "-" + annotated["part"]).all() and set(annotated["part"]) == {
        "outer",
        "top",
        "bottom",
        "dress",
    }
    assert kf.check_catalog(table, root) == []
    union = annotated.groupby("photo").agg({"left": "min", "top": "min", "right": "max", "bottom": "max"})
    boxes = photos.set_index("id").loc[union.index, ["left", "top", "right", "bottom"]]
    np.testing.assert_array_equal(union.to_numpy(), boxes.to_numpy())
    assert (table.groupby("photo")["group"].nunique() == 1).all()
    assert 0.4 < (photos["sub_style"] != "").mean() < 0.7 and (photos["sub_style"] != photos["style"]).all()


@pytest.mark.realdata
def test_a_real_label_without_style_is_counted(real_data):
    catalog, rejected = kf.build_catalog("kfashion", real_data / "kfashion")
    assert "label without a style" in set(rejected["reason"])
    assert "100026" in set(catalog["id"])


VALUES = [
    None,
    True,
    -1,
    0,
    1e308,
    10**400,
    "text",
    "",
    [],
    [{}],
    {},
    {"스타일": 3},
    "\ud800",
    float("nan"),
    [[1, 2]],
    "12.5",
]


def mutate(value, rng):
    """A copy of some JSON with one random place replaced by something of another kind."""
    if isinstance(value, dict) and value and rng.random() < 0.85:
        key = rng.choice(list(value))
        return {**value, key: mutate(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.85:
        place = rng.randrange(len(value))
        return [*value[:place], mutate(value[place], rng), *value[place + 1 :]]
    return rng.choice(VALUES)


def test_labels_of_any_shape_are_a_row_or_a_counted_rejection(tree):
    rng = random.Random(0)
    tree.pair(1000, "모던")
    for number in range(400):
        content = mutate(label_json(number, "모던"), rng)
        tree.label(number, None, folder="모던", text=json.dumps(content).encode())
        (tree.root / PHOTOS / "모던" / f"{number}.jpg").write_bytes(b"never decoded %d" % number)
    catalog, rejected = build(tree)
    kinds = rejected["kind"].value_counts()
    assert len(catalog) + kinds["label"] == len(catalog) + kinds["picture"] == 401
    assert len(catalog) > 50 and kinds["label"] > 20
    assert kf.check_catalog(catalog, tree.root) == []
    kf.write_catalog(catalog, tree.root / "catalog.csv")


def test_files_that_a_catalog_cannot_hold_are_counted(tmp_path):
    picture(tmp_path / "a" / "good.jpg")
    picture(tmp_path / "a" / "x::y.jpg")
    (tmp_path / "a" / "scan.tiff").write_bytes(b"II*")
    (tmp_path / "a" / "gone.jpg").symlink_to(tmp_path / "nowhere")
    (tmp_path / "loop").symlink_to(tmp_path)
    pack(tmp_path / "a", tmp_path / "inner.zip")
    with zipfile.ZipFile(tmp_path / "outer.zip", "w") as archive:
        archive.write(tmp_path / "inner.zip", "inner.zip")
        archive.write(tmp_path / "a" / "good.jpg", "../up.jpg")
    (tmp_path / "inner.zip").unlink()
    (tmp_path / "a" / os.fsdecode("가".encode("cp949") + b".jpg")).write_bytes(b"x")
    catalog, rejected = kf.build_catalog("folders", tmp_path)
    assert catalog["path"].tolist() == ["a/good.jpg"]
    assert sorted(rejected["reason"]) == sorted(
        [
            "name holds '::'",
            "format is not decoded",
            "link that leads nowhere",
            "zip inside a zip",
            "path leaves the archive",
            "file name is not UTF-8",
        ]
    )
    kf.preprocess_images(catalog, tmp_path, tmp_path / "cache", kf.Preprocess(size=16), progress=False, workers=1)
    assert len(kf.build_catalog("folders", tmp_path)[0]) == 1  # prepared pictures are no photographs


def written(change=None, style="모던", **options):
    """Bytes of one label, after `change` of its JSON."""
    content = label_json(1, style, **options)
    if change:
        change(content["데이터셋 정보"]["데이터셋 상세설명"], content)
    return json.dumps(content, ensure_ascii=False).encode()


def in_part(section, part="상의", **values):
    """A change of one garment's rectangle, polygon or attributes; None removes a key."""

    def change(details, _):
        entry = details[section][part][0]
        entry.update(values)
        for key in [key for key, value in values.items() if value is None]:
            del entry[key]

    return change


RECT, POLYGON, ATTRIBUTES = "렉트좌표", "폴리곤좌표", "라벨링"
HALF = "\\ud83d"
LABEL_REJECTIONS = {
    "label is empty": b"",
    "label is too large": b" " * (kfashion_labels.MAX_LABEL_BYTES + 1),
    "label is neither UTF-8 nor cp949": written()[:200] + b"\xff\xff" + written()[200:],
    "label is not JSON": written()[:-9],
    "label is nested too deeply": b'{"a":' * 100_000,
    "label holds half a character": written(name="a.jpg").replace(b"a.jpg", HALF.encode() + b".jpg"),
    "label is not of K-Fashion": b'{"shapes": []}',
    "label without a style": written(style=""),
    "unknown style": written(style="우주복"),
}
NOTED = {
    "number written as text: read as a number": in_part(RECT, 가로="48.5"),
    "rectangle with values that are no numbers: dropped": in_part(RECT, 가로=float("nan")),
    "rectangle without area: dropped": in_part(RECT, 세로=0),
    "polygon with values that are no numbers: those points dropped": in_part(POLYGON, X좌표2=1e308),
    "polygon with points that lack a coordinate: those dropped": in_part(POLYGON, X좌표4=None),
    "polygon with a point number written twice: the last counts": in_part(POLYGON, X좌표01=11.0),
    "polygon with keys that are no coordinates: those ignored": in_part(POLYGON, Z좌표1=1),
    "polygon of fewer than three points: dropped": in_part(POLYGON, X좌표3=None, X좌표4=None, Y좌표3=None, Y좌표4=None),
    "polygon without area: dropped": in_part(POLYGON, X좌표1=10.0, X좌표2=10.5, X좌표3=10.2, X좌표4=10.0),
    "joined polygons taken apart": {
        "parts": {
            "상의": (
                [(10, 10), (30, 10), (30, 30), (10, 30), (10, 11), (50, 60), (70, 60), (70, 90)],
                (9.5, 9.5, 20, 20),
            )
        }
    },
    "joined polygons taken apart: loose points of a piece never finished dropped from the mask": {
        "parts": {"상의": ([(10, 10), (30, 10), (30, 30), (10, 30), (10, 11), (50, 60)], (9.5, 9.5, 20, 20))}
    },
    "box outside the picture: clipped": in_part(RECT, X좌표=-4),
    "box wholly outside the picture: the whole picture is used": {
        "parts": {"상의": ([(200, 10), (230, 10), (230, 30)], None)}
    },
    "no picture size in the label: box not clipped": {"size": (None, 0)},
    "several entries of one garment: the first counts": lambda details, _: details[RECT]["상의"].append({}),
    "no garment annotated: the whole picture is used": {"parts": {}},
    "label in cp949": lambda data: data.decode().encode("cp949"),
    "label with a byte order mark": lambda data: b"\xef\xbb\xbf" + data,
    "label with a key written twice: the last counts": lambda data: data.replace(
        '{"스타일":'.encode(), '{"스타일": "펑크", "스타일":'.encode()
    ),
    "several styles: the first counts": lambda details, _: details[ATTRIBUTES]["스타일"].append({"스타일": "펑크"}),
    "style in another spelling: normalised": {"style": unicodedata.normalize("NFD", "모던") + "\xa0"},
    "folder and style differ: the label's style counts": {"folder": "펑크"},
    "garment wholly outside the picture: it gets no row": {
        "parts": {"상의": (SQUARE, None), "하의": ([(200, 10), (230, 10), (230, 30)], None)},
        "rows": "garment",
    },
    "garment with attributes and no region: it gets no row": {
        "change": in_part("라벨링", "하의", 카테고리="팬츠"),
        "rows": "garment",
    },
    "sub-style that is none of the 23 styles: dropped": lambda details, _: details[ATTRIBUTES]["스타일"][0].update(
        {"서브스타일": "우주복"}
    ),
    "no garment labelled": {"parts": {}},
    "garment without 카테고리": in_part(ATTRIBUTES, 카테고리=None, 색상="블랙"),
}
ON_BYTES = ("label in cp949", "label with a byte order mark", "label with a key written twice: the last counts")


def test_every_reason_stands_in_one_table_and_has_a_test_below():
    of_files = {
        "label cannot be read",
        "label without a picture",
        "label whose picture has another label",
        "label that fits several pictures",
    }
    assert set(kfashion_labels.REJECTIONS) == LABEL_REJECTIONS.keys() | of_files | {
        "its label was rejected",
        "picture without a label",
    }
    assert set(kfashion_labels.NOTES) == NOTED.keys()


@pytest.mark.parametrize("reason", LABEL_REJECTIONS)
def test_a_flaw_that_costs_the_row_is_named(tree, reason):
    tree.pair(1, "모던")
    tree.label(2, "모던", text=LABEL_REJECTIONS[reason])
    tree.photo(2, "모던")
    catalog, rejected = build(tree)
    assert catalog["id"].tolist() == ["1"]
    assert reasons(rejected, "label") == {reason: 1} and reasons(rejected, "picture") == {"its label was rejected": 1}


@pytest.mark.parametrize("note", NOTED)
def test_a_flaw_that_is_mended_is_counted(tree, note):
    change = NOTED[note]
    options = dict(change) if isinstance(change, dict) else {"change": change}
    folder, rows = options.pop("folder", "모던"), options.pop("rows", "photo")
    data = change(written()) if note in ON_BYTES else written(**options)
    tree.label(1, None, folder=folder, text=data)
    tree.photo(1, "모던")
    catalog, rejected = build(tree, rows)
    assert rejected.empty and catalog["style"].tolist() == ["모던"]
    expected = {note} | (
        {"no garment annotated: the whole picture is used", "no garment labelled"}
        if options.get("parts") == {}
        else set()
    )
    assert catalog.attrs["notes"] == dict.fromkeys(expected, 1)
    assert kf.check_catalog(catalog, tree.root) == []


def test_what_is_dropped_of_a_garment_leaves_the_rest():
    notes = Counter()
    details = json.loads(written(in_part(POLYGON, X좌표2=float("inf"))))["데이터셋 정보"]["데이터셋 상세설명"]
    assert garments.region_of(details, (80, 100), notes) == ([9.5, 9.5, 59.5, 50], [[[10, 10], [58, 50], [12, 48]]])
    assert garments.regions_of(details, (80, 100), notes) == {"상의": garments.region_of(details, (80, 100), notes)}
    details[RECT]["상의"][0]["가로"] = None
    assert garments.region_of(details, (80, 100), notes) == ([10, 10, 58, 50], [[[10, 10], [58, 50], [12, 48]]])


def test_coordinates_are_rounded_as_python_rounds():
    values = np.array(
        [
            0.05,
            0.15,
            0.25,
            0.35,
            2.675,
            288.65,
            1e5 + 0.45,
            0.949999999,
            799.95,
            *np.random.default_rng(0).uniform(0, 1600, 999).round(3),
        ]
    ).reshape(-1, 2)
    assert rings._tenths(values) == [[round(x, 1), round(y, 1)] for x, y in values.tolist()]


def test_two_labels_of_one_picture_and_labels_that_fit_several(tree):
    tree.pair(1, "모던")
    tree.label(2, "모던", stem="other", name="1.jpg")
    for folder in ("a", "b"):
        tree.photo(7, f"{folder}/x")
    tree.label(7, "모던", folder="z")
    catalog, rejected = build(tree)
    assert reasons(rejected, "label") == {
        "label whose picture has another label": 1,
        "label that fits several pictures": 1,
    }
    assert reasons(rejected, "picture") == {"picture without a label": 2} and catalog["id"].tolist() == ["1"]


def test_an_encrypted_label_cannot_be_read(tree):
    tree.pair(1, "모던")
    with zipfile.ZipFile(tree.root / "more.zip", "w") as archive:
        archive.writestr("2.json", written())
    data = bytearray((tree.root / "more.zip").read_bytes())
    data[data.index(b"PK\1\2") + 8] |= 1
    (tree.root / "more.zip").write_bytes(data)
    assert reasons(build(tree)[1], "label") == {"label cannot be read": 1}


def test_equal_pictures_with_different_styles_are_kept_in_one_group_and_counted(tree):
    for number, style in enumerate(("모던", "펑크", "펑크", "키치")):
        tree.label(number, style, name=f"a{number}.jpg")
        tree.photo(number, style, seed=max(number - 2, 0))  # 0, 1, 2 are equal
    catalog, _ = build(tree)
    assert catalog.attrs["notes"] == {"equal pictures with different styles": 3}
    assert catalog["group"].nunique() == 2 and len(catalog) == 4


def test_five_hundred_damaged_labels_are_rows_or_rejections():
    rng = random.Random(1)
    data, file = written(name="look_001_01.jpg"), files.File("모던/1.json", ("모던",), "1", ".json")
    notes, rows, problems = Counter(), [], Counter()
    for number in range(500):
        changed = bytearray(data)
        for _ in range(rng.randint(1, 3)):
            place = rng.randrange(len(changed))
            changed[place : place + rng.randint(0, 3)] = rng.choice(
                [b"", b"\xff", b"9", b'"', b"\\ud800", b"e999", rng.randbytes(2)]
            )
        content = mutate(json.loads(data), rng)
        for text in (bytes(changed), json.dumps(content).encode()):
            label = kfashion_labels.read_label(text, file, notes, kfashion_labels.whole_region)
            again = kfashion_labels.read_label(text, file, Counter(), kfashion_labels.garment_regions)
            assert (label.problem and label.problem.args[0]) == (again.problem and again.problem.args[0])
            problems[label.problem.args[0] if label.problem else "row"] += 1
            rows += [{**label.row, "path": "x.jpg", "id": f"{number}-{len(rows)}"}] if label.row else []
    assert problems.keys() <= {"row", *kfashion_labels.REJECTIONS} and notes.keys() <= kfashion_labels.NOTES.keys()
    assert len(rows) == problems["row"] > 200 and len(problems) > 4
    table = pd.DataFrame(rows).drop(columns="name").assign(group="g", split="")
    assert kf.check_catalog(complete_catalog(table)) == []


def test_pipes_control_characters_links_and_doubles_are_counted_and_hang_nothing(tmp_path):
    picture(tmp_path / "a" / "good.jpg")
    picture(tmp_path / "a" / "line\nbreak.jpg")
    for name in ("pipe.jpg", "pipe.zip"):
        os.mkfifo(tmp_path / "a" / name)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "to_a").symlink_to(tmp_path / "a")  # two folders that link to each other, and a link to itself
    (tmp_path / "a" / "to_b").symlink_to(tmp_path / "b")
    (tmp_path / "a" / "self.jpg").symlink_to("self.jpg")
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in (
            "c/x.jpg",
            "c/y.jpg",
            "c/x.jpg",
            "/etc/x.jpg",
            "C:\\x.jpg",
            "..\\x.jpg",
            "windows\\c\\w.jpg",
            "__MACOSX/x.jpg",
            "c/.jpg",
        ):
            archive.writestr(name, name.encode())
    found, rejected, *_ = files.list_files(tmp_path)
    assert [(file.path, file.folders, file.stem) for file in found] == [
        ("a/good.jpg", ("a",), "good"),
        ("z.zip::c/x.jpg", ("c",), "x"),
        ("z.zip::c/y.jpg", ("c",), "y"),
        ("z.zip::windows\\c\\w.jpg", ("windows", "c"), "w"),
    ]
    assert Counter(reason for _, _, reason, _ in rejected) == {
        "not a regular file": 2,
        "name holds a control character": 1,
        "link that leads nowhere": 1,
        "name occurs twice in the archive": 1,
        "path leaves the archive": 3,
    }


def test_a_failing_disk_stops_the_listing(tmp_path, monkeypatch):
    (tmp_path / "z.zip").write_bytes(b"PK")

    def fails(*_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(files, "open_archive", fails)
    with pytest.raises(OSError, match="Input/output error"):
        files.list_files(tmp_path)
