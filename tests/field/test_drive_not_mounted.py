"""A path on Google Drive where no Drive is mounted: refused before anything is made on a disk that is gone tomorrow."""

import os
from pathlib import Path

import pytest

import kfashion_utils as kf
from kfashion_utils.__main__ import main
from kfashion_utils.storage.colab import MOUNT, is_on_drive

DRIVE = Path("/content/drive/MyDrive")
WORDS = {
    "catalog": ["catalog", "folders", "--root", DRIVE, "--out", "kf.csv"],
    "catalog out": ["catalog", "folders", "--root", ".", "--out", DRIVE / "kf.csv"],
    "split": ["split", "kf.csv", "--out", DRIVE / "kf.csv"],
    "train": ["train", "kf.csv", "--root", ".", "--run", DRIVE / "runs/a"],
    "train with =": ["train", "kf.csv", "--root", ".", f"--run={DRIVE / 'runs/a'}"],
    "train cache": ["train", "kf.csv", "--root", ".", "--run", "a", "--cache", DRIVE / "cache"],
    "predict": ["predict", DRIVE / "runs/a", "--catalog", "kf.csv", "--root", ".", "--out", "p.csv"],
    "preprocess": ["preprocess", "kf.csv", "--root", ".", "--cache", DRIVE / "cache"],
    "audit": ["audit", "kf.csv", "--root", ".", "--out", DRIVE / "audit"],
    "submit": ["submit", "p.csv", "--template", "t.csv", "--out", DRIVE / "s.csv"],
    "sample": ["sample", DRIVE / "sample"],
    "demo": ["demo", DRIVE / "demo"],
    "runs": ["runs", DRIVE / "runs"],
    "report": ["report", DRIVE / "runs/a"],
}


@pytest.fixture(autouse=True)
def no_drive():
    if os.path.ismount(MOUNT):
        pytest.skip("a Drive is mounted here")
    yield
    assert not MOUNT.exists()


@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
def test_every_verb_refuses(words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main([str(word) for word in words]) == 2
    assert "where Colab mounts Google Drive, and this is not Colab" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_python_callers_too(colour_data, tmp_path):
    root, catalog = colour_data
    for call in (
        lambda: kf.train(catalog, root, DRIVE / "run", progress=False),
        lambda: kf.train(catalog, DRIVE / "data", tmp_path / "run", progress=False),
        lambda: kf.write_catalog(catalog, DRIVE / "kf.csv"),
        lambda: kf.draw_sample(DRIVE / "sample", photos=46),
    ):
        with pytest.raises(kf.InputError, match="this is not Colab; name a plain folder"):
            call()


def test_a_link_to_drive_is_on_drive(tmp_path):
    (tmp_path / "link").symlink_to(DRIVE)
    assert is_on_drive(tmp_path / "link" / "runs") and is_on_drive("/content/x/../drive/y")
    assert not is_on_drive(tmp_path) and not is_on_drive("/content/drives")


@pytest.mark.parametrize(
    "call",
    [
        lambda: kf.read_catalog(DRIVE / "kf.csv"),
        lambda: kf.build_catalog("folders", str(DRIVE)),
        lambda: kf.evaluate(str(DRIVE / "p.csv"), "kf.csv"),
        lambda: kf.load_run(DRIVE / "runs/a"),
        lambda: kf.open_image("a.jpg", DRIVE),
        lambda: kf.report(DRIVE / "runs/a"),
    ],
)
def test_every_public_function_refuses(call):
    with pytest.raises(kf.InputError, match="this is not Colab"):
        call()
