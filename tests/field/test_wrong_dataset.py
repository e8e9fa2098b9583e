"""`catalog` called for another kind of data says what the data looks like and names the right call."""

import unicodedata
import zipfile

import pytest
from conftest import picture

import kfashion_utils as kf
from kfashion_utils.__main__ import main
from kfashion_utils.errors import InputError


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("folder", ["원천데이터/레트로", "Training/[원천]/원천데이터_1/레트로", "라벨링데이터/레트로"])
def test_class_folders_of_ai_hub_are_refused(tmp_path, folder, form):
    picture(tmp_path / unicodedata.normalize(form, folder) / "1.jpg")
    with pytest.raises(
        InputError, match=r"looks like AI Hub's K-Fashion .*kfashion catalog kfashion --root '.*' --out"
    ):
        kf.build_catalog("folders", tmp_path)


def test_zips_of_ai_hub_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "원천데이터_1.zip", "w") as archive:
        archive.writestr("레트로/1.jpg", b"\xff\xd8")
    with pytest.raises(InputError, match="kfashion catalog kfashion"):
        kf.build_catalog("folders", tmp_path)


def test_one_class_is_told_with_the_folder_above(tmp_path, capsys):
    for number in range(3):
        picture(tmp_path / "shop/coat" / f"{number}.jpg", seed=number)
    root, out = tmp_path / "shop/coat", tmp_path / "c.csv"
    assert main(["catalog", "folders", "--root", str(root), "--out", str(out)]) == 0
    text = capsys.readouterr().out
    assert "3 x picture in no class folder: test rows without a label" in text
    assert f"if 'coat' is one class of several: --root '{tmp_path / 'shop'}'" in text
    assert main(["catalog", "folders", "--root", str(tmp_path / "shop"), "--out", str(out)]) == 0
    assert "in no class folder" not in capsys.readouterr().out


def test_labels_beside_pictures_are_told(tmp_path):
    for number in range(3):
        picture(tmp_path / "coat" / f"{number}.jpg", seed=number)
        (tmp_path / "coat" / f"{number}.json").write_text("{}")
    notes = kf.build_catalog("folders", tmp_path)[0].attrs["notes"]
    assert [count for text, count in notes.items() if "`kfashion catalog kfashion`" in text] == [3]


def test_class_folders_read_as_k_fashion_name_the_right_call(tmp_path):
    picture(tmp_path / "coat/1.jpg")
    with pytest.raises(InputError, match="no label file.*kfashion catalog folders --root '"):
        kf.build_catalog("kfashion", tmp_path)
