"""Folders that systems and tools make for themselves: nothing below them is a row, in every adapter, folder and zip."""

import shutil
import zipfile
from pathlib import Path

import pytest
from conftest import picture

import kfashion_utils as kf
from kfashion_utils.__main__ import main

SERVICE = [
    ".ipynb_checkpoints", ".Trash-0", ".cache", "@eaDir", "$RECYCLE.BIN", "__MACOSX", ".git", "#recycle",
    "System Volume Information", "lost+found", "$Recycle.Bin", "__pycache__", ".숨김",
]  # fmt: skip


def class_folders(root):
    for start, name in enumerate(("coat", "모자")):
        for number in range(2):
            picture(root / name / f"{name}{number}.png", seed=2 * start + number)
    return root


def put_in(root, service):
    """Copies of a class's pictures in a service folder at the top, in a class, and below another folder in it."""
    for place in (root / service, root / "coat" / service, root / service / "100" / "deep"):
        shutil.copytree(root / "모자", place, dirs_exist_ok=True)


def zipped(root, path):
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(root.rglob("*")):
            archive.write(file, file.relative_to(root).as_posix())
    return path


@pytest.mark.parametrize("service", SERVICE)
@pytest.mark.parametrize("packed", [False, True])
def test_nothing_below_one_is_a_row_of_class_folders(tmp_path, service, packed):
    root = class_folders(tmp_path / "data")
    put_in(root, service)
    if packed:
        (tmp_path / "zips").mkdir()
        zipped(root, tmp_path / "zips" / "photos.zip")
        root = tmp_path / "zips"
    catalog, rejected = kf.build_catalog("folders", root)
    assert sorted(catalog["id"]) == ["coat0", "coat1", "모자0", "모자1"]
    assert set(catalog["label"]) == {"coat", "모자"} and rejected.empty
    assert catalog.attrs["notes"] == {f"service folder passed over ({service})": 2}


def test_an_archive_in_a_bin_is_not_opened(tmp_path):
    root = class_folders(tmp_path / "data")
    (root / ".Trash-0" / "files").mkdir(parents=True)
    zipped(root / "coat", root / ".Trash-0" / "files" / "old.zip")
    (root / ".Trash-0" / "broken.zip").write_bytes(b"PK")
    (root / "._photos.zip").write_bytes(b"\0\5\x16\7")  # what macOS leaves beside a zip on a foreign disk
    catalog, rejected = kf.build_catalog("folders", root)
    assert len(catalog) == 4 and rejected.empty


def test_a_root_below_a_dot_folder_is_data(tmp_path):
    root = class_folders(tmp_path / ".cache" / "kagglehub" / "data")
    assert len(kf.build_catalog("folders", root)[0]) == 4


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("rows", ["photo", "garment"])
def test_labels_and_pictures_of_kfashion_alike(tree, packed, rows):
    tree.pair(1, "모던")
    tree.pair(2, "펑크")
    whole, _ = kf.build_catalog("kfashion", tree.root, rows=rows)
    for folder in [folder for folder in Path(tree.root).rglob("*") if folder.is_dir()]:
        files = [file for file in folder.iterdir() if file.is_file()]
        for file in files:
            (folder / ".ipynb_checkpoints").mkdir(exist_ok=True)
            shutil.copy(file, folder / ".ipynb_checkpoints" / f"{file.stem}-checkpoint{file.suffix}")
    root = tree.root
    if packed:
        root = tree.root.parent / "zips"
        root.mkdir()
        zipped(tree.root, root / "all.zip")
    catalog, rejected = kf.build_catalog("kfashion", root, rows=rows)
    assert catalog["id"].tolist() == whole["id"].tolist() and rejected.empty
    assert "service folder passed over (.ipynb_checkpoints)" in catalog.attrs["notes"]


def test_the_command_line_tells_them(tmp_path, capsys):
    root = class_folders(tmp_path / "data")
    put_in(root, ".ipynb_checkpoints")
    assert main(["catalog", "folders", "--root", str(root), "--out", str(tmp_path / "kf.csv")]) == 0
    assert "2 x service folder passed over (.ipynb_checkpoints)" in capsys.readouterr().out
