"""Folders that state splits in other words, doubled, or a level higher: read as splits, or told."""

import zipfile

import pytest
from conftest import picture

import kfashion_utils as kf
from kfashion_utils.__main__ import main
from kfashion_utils.datasets.split_names import is_container, stated_split


def draw(root, *folders, start=0):
    """Two pictures in each folder; a name that ends with `/-` means one picture right in the folder before."""
    for number, folder in enumerate(folders, start):
        if folder.endswith("/-"):
            picture(root / folder[:-2] / f"{number}.png", (16, 16), seed=number)
            continue
        for which in range(2):
            picture(root / folder / f"{number}-{which}.png", (16, 16), seed=10 * number + which)
    return root


def read(root):
    catalog, _ = kf.build_catalog("folders", root)
    return {(split, label) for split, label in zip(catalog["split"], catalog["label"], strict=True)}, catalog


TWO = {("train", "coat"), ("train", "모자"), ("test", "coat"), ("test", "모자")}
READ = {  # folders: (split, label) of what comes out
    "training_set/test_set": (["training_set/coat", "training_set/모자", "test_set/coat", "test_set/모자"], TWO),
    "seg_train/seg_train": (
        ["seg_train/seg_train/coat", "seg_train/seg_train/모자", "seg_test/seg_test/coat", "seg_test/seg_test/모자",
         "seg_pred/seg_pred/-"],
        TWO | {("test", "")},
    ),
    "train_images/valid_images": (
        ["train_images/coat", "train_images/모자", "valid_images/coat"],
        {("train", "coat"), ("train", "모자"), ("valid", "coat")},
    ),
    "names with years": (["train2017/coat", "val2017/coat"], {("train", "coat"), ("valid", "coat")}),
    "TrainSet, in capitals": (["TRAINSET/coat", "TESTSET/coat"], {("train", "coat"), ("test", "coat")}),
    "train/images/<class>": (["train/images/coat", "train/images/모자", "test/images/-"],
                             {("train", "coat"), ("train", "모자"), ("test", "")}),
    "wrapped once": (["archive/seg_train/coat", "archive/seg_test/coat"], {("train", "coat"), ("test", "coat")}),
    "wrapped twice": (["a/b/training/coat", "a/b/testing/coat"], {("train", "coat"), ("test", "coat")}),
    "AI Hub's": (["1.Training/coat", "2.Validation/coat"], {("train", "coat"), ("valid", "coat")}),
    "Korean": (["학습데이터/coat", "검증데이터/coat"], {("train", "coat"), ("valid", "coat")}),
    "class first": (["coat/train", "coat/test", "모자/train", "모자/test"], TWO),
    "plain": (["train/coat", "train/모자", "test/coat", "test/모자"], TWO),
    "no split": (["coat", "모자"], {("", "coat"), ("", "모자")}),
    "leaderboard": (["train/coat", "train/모자", "test/-"], {("train", "coat"), ("train", "모자"), ("test", "")}),
    "persons below classes": (["coat/kim", "coat/lee", "모자/kim"], {("", "coat"), ("", "모자")}),
    "one class in a split": (["train/coat/a", "train/coat/b", "test/coat/a"], {("train", "coat"), ("test", "coat")}),
    "a class called train": (["train/-", "bus", "car"], {("", "train"), ("", "bus"), ("", "car")}),
    "classes that only hold such a word": (["train_dress", "coat"], {("", "train_dress"), ("", "coat")}),
}  # fmt: skip


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(("folders", "expected"), READ.values(), ids=READ)
def test_what_folders_say_is_read(tmp_path, folders, expected, packed):
    root = draw(tmp_path / "data", *folders)
    if packed:
        root = pack(root, tmp_path / "zips" / "photos.zip").parent
    assert read(root)[0] == expected


def pack(root, path):
    path.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(root.rglob("*")):
            archive.write(file, file.relative_to(root).as_posix() + "/" * file.is_dir())
    return path


@pytest.mark.parametrize("inside", ["", "train/"])
def test_zips_that_state_splits(tmp_path, inside):
    pack(draw(tmp_path / "a", f"{inside}coat", f"{inside}모자"), tmp_path / "zips" / "train.zip")
    pack(draw(tmp_path / "b", "0/-", start=7), tmp_path / "zips" / "test.zip")
    expected = {("train", "coat"), ("train", "모자"), ("test", "0")}
    assert read(tmp_path / "zips")[0] == expected


def test_a_split_beside_classes_is_told(tmp_path):
    for number, folders in enumerate((["train_images/a", "shoes"], ["train/coat", "test/coat", "extra"])):
        _, catalog = read(draw(tmp_path / str(number), *folders))
        told = "\n".join(catalog.attrs["notes"])
        assert "read as a class" in told and ("'train_images' beside shoes" in told or "'extra' beside" in told)


def test_data_sets_side_by_side_are_refused_with_their_roots(tmp_path):
    root = draw(
        tmp_path / "data", *[f"{name}/{split}/coat" for name in ("shop", "street") for split in ("train", "test")]
    )
    with pytest.raises(kf.InputError, match="2 data sets side by side") as error:
        read(root)
    assert f"root='{root}/shop' (test, train)" in str(error.value)


def test_one_beside_other_pictures_is_told(tmp_path):
    root = draw(tmp_path / "data", "shop/train/coat", "shop/test/coat", "examples")
    _, catalog = read(root)
    assert f"root='{root}/shop' (test, train)" in "\n".join(catalog.attrs["notes"])


@pytest.mark.parametrize("packed", [False, True])
def test_empty_class_folders_and_classes_alike_are_told(tmp_path, packed, capsys):
    root = draw(tmp_path / "data", "train/coat", "train/Coat", "train/t_shirt", "train/T-Shirt", "test/coat")
    for empty in ("train/dress", "test/dress", "train/coat/nothing"):
        (root / empty).mkdir()
    if packed:
        root = pack(root, tmp_path / "zips" / "photos.zip").parent
    assert main(["catalog", "folders", "--root", str(root), "--out", str(tmp_path / "kf.csv")]) == 0
    told = capsys.readouterr().out
    assert "2 x class folder without a picture (test/dress, train/dress)" in told
    assert "alike but for case or blanks: 'Coat' (2) and 'coat' (4)" in told
    assert "'T-Shirt' (2) and 't_shirt' (2)" in told
    table = [line.split() for line in told.splitlines()]
    assert ["split", "train", "test", "total"] in table or ["train", "test", "total"] in table
    assert ["coat", "2", "2", "4"] in table


@pytest.mark.parametrize(
    ("name", "split"),
    {
        "train": "train", "Validation": "valid", "val2017": "valid", "trainset": "train", "test-data": "test",
        "X_train": "", "training shoes": "", "contest": "", "valid train": "", "테스트 이미지": "test", "images": "",
    }.items(),
)  # fmt: skip
def test_words_of_a_name(name, split):
    assert stated_split(name) == split


def test_containers():
    assert is_container("images") and is_container("JPEGImages") and not is_container("coat images")
