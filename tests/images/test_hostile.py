"""The decoder against files made to break it. Each run is a process of its own, with a limit on memory, killed if it
hangs."""

import io
import json
import subprocess
import sys
from pathlib import Path

import hostile
import numpy as np
import pytest
from hostile_files import exifs, turning
from hostile_parts import FLAT, corners, encoded, whole_files
from PIL import Image, ImageOps

from kfashion_utils.images import decoding as images
from kfashion_utils.images.decoding import decode


def run(tmp_path, *arguments, guard=300):
    progress = tmp_path / "progress"
    command = [sys.executable, hostile.__file__, str(progress), *map(str, arguments)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=guard, cwd=Path(images.__file__).parents[2]
        )
    except subprocess.TimeoutExpired:
        pytest.fail(f"hangs at {progress.read_text(encoding='utf-8')}")
    assert done.returncode == 0, (
        f"dies at {progress.read_text(encoding='utf-8')} ({done.returncode}): {done.stderr[-2000:]}"
    )
    assert done.stderr == ""
    result = json.loads(done.stdout)
    assert result["problems"] == []
    return result["tally"]


@pytest.fixture(autouse=True)
def package_path(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(images.__file__).parents[2]))


def test_hostile_files_are_pictures_or_rejections(tmp_path):
    tally = run(tmp_path, "corpus")
    assert set(tally) == {"ok", "empty", "broken", "not a picture", "too many pixels"} and sum(tally.values()) > 1000


def test_a_thousand_mutations(tmp_path):
    tally = run(tmp_path, "fuzz", 1, 1000)
    assert tally["ok"] > 100 and tally["broken"] > 100


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 6))
def test_five_thousand_more_mutations(tmp_path, seed):
    run(tmp_path, "fuzz", seed, 5000, guard=1800)


def upright(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(encoded(FLAT, exif=exif)))))


def test_orientation_is_applied_though_the_rest_is_broken():
    expected = {orientation: upright(orientation) for orientation in range(1, 9)}
    for name, data, orientation in turning():
        pixels, (width, height) = decode(data)
        assert pixels.shape == expected[orientation].shape == (height, width, 3), name
        assert np.abs(pixels.astype(int) - expected[orientation]).mean() < 6, name


def test_what_is_not_an_orientation_turns_nothing():
    for name, data, _ in exifs():
        pixels = decode(data)[0]
        assert pixels.shape == (32, 64, 3) and np.abs(pixels.astype(int) - corners()).mean() < 6, name


def test_what_follows_a_picture_changes_no_pixel():
    for data in whole_files().values():
        np.testing.assert_array_equal(decode(data)[0], decode(data + bytes(range(256)))[0])
