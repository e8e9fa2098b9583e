import json
import os
import random
import unicodedata
import zipfile

import numpy as np
import pytest
from conftest import LABELS, PHOTOS, label_json, pack, picture

import kfashion_utils as kf
from kfashion_utils.datasets import kfashion
from kfashion_utils.errors import InputError
from kfashion_utils.images import paint_outside

SQUARE = [(10, 10), (50, 10), (50, 50), (10, 50)]


def reasons(rejected, kind):
    return rejected[rejected["kind"] == kind]["reason"].value_counts().to_dict()


def build(tree):
    return kf.build_catalog("kfashion", tree.root)


def test_one_row_a_photo_with_box_polygon_group_and_label(tree):
    tree.pair(7, "레트로", name="Ave29th_160_02.jpg")
    catalog, rejected = build(tree)
    row = catalog.iloc[0]
    assert (row["id"], row["photo"], row["group"], row["style"], row["region"]) == ("7", "7", "Ave29th_160", "레트로", "annotation")
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
        "label without a style": 2, "unknown style": 1, "label without a picture": 1, "label is not JSON": 2, "label is not of K-Fashion": 1,
    }  # fmt: skip
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
        np.testing.assert_array_equal(kf.open_image(zipped["path"][0], tmp_path / name), kf.open_image(folders["path"][0], tree.root))


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


@pytest.mark.parametrize(("written", "meant"), [("키치/키덜트", "키치"), ("펑크/로커", "펑크"), ("젠더리스/젠더플루이드", "젠더리스")])
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
    rings = kfashion.split_joined(points, [9.5, 9.5, 200, 200])
    assert len(rings) == 1 and rings[0].max() == 200


def test_overlapping_garments_become_one_region_without_a_hole():
    top, bottom = np.array(SQUARE, float), np.array(SQUARE, float) + (0, 20)
    rings = kfashion.union_of_rings([[top], [bottom]])
    pixels = np.zeros((100, 100, 3), np.uint8)
    paint_outside(pixels, rings, 255)
    assert (pixels[12:68, 12:48] == 0).all()


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
def test_a_real_label_without_style_is_counted(real_data):
    catalog, rejected = kf.build_catalog("kfashion", real_data / "kfashion")
    assert "label without a style" in set(rejected["reason"])
    assert "100026" in set(catalog["id"])


VALUES = [None, True, -1, 0, 1e308, 10**400, "text", "", [], [{}], {}, {"스타일": 3}, "\ud800", float("nan"), [[1, 2]], "12.5"]


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
        ["name holds '::'", "format is not decoded", "link that leads nowhere", "zip inside a zip", "path leaves the archive", "file name is not UTF-8"]
    )
    kf.preprocess_images(catalog, tmp_path, tmp_path / "cache", kf.Preprocess(size=16), progress=False, workers=1)
    assert len(kf.build_catalog("folders", tmp_path)[0]) == 1  # prepared pictures are no photographs
