"""Archives that nobody can read yet: counted by reason, with how to join or unpack them, at `catalog`."""

import shutil
import struct
import subprocess
import zipfile

import pytest
from conftest import picture

import kfashion_utils as kf
from kfashion_utils.__main__ import main
from kfashion_utils.datasets.foreign_archives import foreign_archive

FORMS = {  # name: (reason, word of the remedy)
    "모던.zip.part0": ("piece of a zip is not read", "ls -v '모던.zip'.part*"),
    "x.zip.part1073741824": ("piece of a zip is not read", "order of their numbers"),
    "x.zip.001": ("volume of an archive is not read", "cat 'x.zip'.???"),
    "x.7z.002": ("volume of an archive is not read", "cat 'x.7z'.???"),
    "x.z01": ("volume of a zip is not read", "zip -s 0 'x.zip'"),
    "x.rar": ("RAR archive is not read", "unrar"),
    "x.part02.rar": ("RAR archive is not read", "first"),
    "x.EGG": ("ALZip archive (.egg) is not read", "Bandizip"),
    "x.alz": ("ALZip archive (.alz) is not read", "unar 'x.alz'"),
    "x.7z": ("archive (.7z) is not read", "7z x 'x.7z'"),
    "x.tar": ("tar archive is not read", "tar -xf 'x.tar'"),
    "x.tar.gz": ("tar archive is not read", "tar -xf"),
    "x.tgz": ("tar archive is not read", "tar -xf"),
}


@pytest.mark.parametrize(("name", "told"), FORMS.items(), ids=FORMS)
def test_each_form_is_counted_with_its_remedy(tmp_path, tree, name, told):
    picture(tmp_path / "folders" / "coat" / "0.png")
    tree.pair(1, "모던")
    for dataset, root in (("folders", tmp_path / "folders"), ("kfashion", tree.root)):
        (root / "모던").mkdir(exist_ok=True)
        (root / "모던" / name).write_bytes(b"whatever")
        catalog, rejected = kf.build_catalog(dataset, root)
        assert len(catalog) == 1
        assert rejected[["path", "kind", "reason"]].values.tolist() == [[f"모던/{name}", "archive", told[0]]]
        assert told[1] in rejected["detail"].item()
    outer = tmp_path / "zips" / "photos.zip"
    outer.parent.mkdir()
    with zipfile.ZipFile(outer, "w") as archive:
        archive.write(tmp_path / "folders" / "coat" / "0.png", "coat/0.png")
        archive.writestr(f"coat/{name}", b"whatever")
    rejected = kf.build_catalog("folders", outer.parent)[1]
    assert rejected[["kind", "reason"]].values.tolist() == [["archive", "archive inside a zip"]]


@pytest.mark.parametrize(
    "name", ["kf.csv.gz", "0.jpg", "labels.json", "notes.part1.txt", "readme.md", "v1.001", "x.part0", "a.z1.jpg"]
)
def test_other_files_are_none(name):
    assert foreign_archive(name) is None


def test_the_pieces_beside_whole_zips_are_counted_on_the_command_line(tmp_path, capsys):
    root = tmp_path / "data"
    root.mkdir()
    picture(tmp_path / "0.png")
    with zipfile.ZipFile(root / "모던.zip", "w") as archive:
        archive.write(tmp_path / "0.png", "모던/0.png")
    for number in (0, 1073741824, 2147483648):
        (root / f"펑크.zip.part{number}").write_bytes(b"piece")
    (root / "모던.zip.part0").write_bytes(b"piece")
    assert main(["catalog", "folders", "--root", str(root), "--out", str(tmp_path / "kf.csv")]) == 0
    told = capsys.readouterr().out
    assert "4 archives" in told and "4 archives: piece of a zip is not read" in told
    detail = kf.build_catalog("folders", root)[1].set_index("path")["detail"]
    assert "모던.zip lies beside it" in detail["모던.zip.part0"]
    assert "lies beside it" not in detail["펑크.zip.part0"]


def test_the_told_command_joins_pieces_in_the_right_order(tmp_path):
    whole = bytes(range(256)) * 5
    for start in (0, 100, 20, 1000):  # byte offsets, as AI Hub numbers them
        stop = min([other for other in (100, 20, 1000, len(whole)) if other > start])
        (tmp_path / f"펑크.zip.part{start}").write_bytes(whole[start:stop])
    _, remedy = foreign_archive("펑크.zip.part100")
    subprocess.run(["bash", "-c", remedy.partition(": ")[2]], cwd=tmp_path, check=True)
    assert (tmp_path / "펑크.zip").read_bytes() == whole


def test_only_archives_that_nobody_can_read(tmp_path):
    (tmp_path / "x.egg").write_bytes(b"EGGA")
    with pytest.raises(kf.InputError, match=r"(?s)nothing that `folders` can use.*1 archive: ALZip archive \(\.egg\)"):
        kf.build_catalog("folders", tmp_path)


def patched(path, name, flags=None, method=None):
    """Change flags and method of a member in its local header and in the directory."""
    data = bytearray(path.read_bytes())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = 0
        while (at := data.find(mark, at)) >= 0:
            length = struct.unpack_from("<H", data, at + (26 if place == 6 else 28))[0]
            start = at + (30 if place == 6 else 46)
            if data[start : start + length].decode("utf-8") == name:
                old = struct.unpack_from("<HH", data, at + place)
                struct.pack_into("<HH", data, at + place, flags or old[0], old[1] if method is None else method)
            at += 4
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"method": 9}, "deflate64"),
        ({"method": 12}, "bzip2"),
        ({"method": 93}, "Zstandard"),
        ({"flags": 1}, "encrypted: unpack the zip with its password"),
    ],
)
def test_members_that_cannot_be_read_are_told_at_the_catalog(tmp_path, tree, change, told):
    root = tmp_path / "zips"
    root.mkdir()
    tree.pair(1, "모던")
    tree.pair(2, "모던")
    shutil.make_archive(str(root / "all"), "zip", tree.root)
    with zipfile.ZipFile(root / "all.zip") as archive:
        names = [name for name in archive.namelist() if name.endswith(".jpg")]
    patched(root / "all.zip", names[0], **change)
    with zipfile.ZipFile(tmp_path / "folders.zip", "w") as plain, zipfile.ZipFile(root / "all.zip") as archive:
        for number in range(len(names)):
            plain.writestr(f"모던/{number}.jpg", archive.open(names[1]).read() if number else b"\xff\xd8")
    patched(tmp_path / "folders.zip", "모던/0.jpg", **change)
    (tmp_path / "folders").mkdir()
    shutil.move(tmp_path / "folders.zip", tmp_path / "folders/all.zip")
    for dataset, place, member in (("folders", tmp_path / "folders", "모던/0.jpg"), ("kfashion", root, names[0])):
        catalog, rejected = kf.build_catalog(dataset, place)
        assert len(catalog) == 1
        mine = rejected[rejected["reason"] == "archive member that cannot be read"]
        assert mine["path"].tolist() == [f"all.zip::{member}"] and told in mine["detail"].item()
        assert mine["kind"].tolist() == ["picture"]
