"""A terminal, pipe or log that cannot take what is told: the work goes on, whole files are written."""

import os
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

import kfashion_utils as kf
from kfashion_utils.output import readable, say

CLASSES = ("모자", "코트")


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    root = tmp_path_factory.mktemp("한글") / "사진"
    for number, name in enumerate(CLASSES):
        (root / name).mkdir(parents=True)
        for picture in range(6):
            pixels = np.random.default_rng(10 * number + picture).integers(0, 255, (24, 24, 3), np.uint8)
            cv2.imencode(".jpg", pixels)[1].tofile(root / name / f"{number}_{picture}.jpg")
    (root / "모자" / "그림.tif").write_bytes(b"II*\0")  # rejected, so that its Korean name is told
    return root


def words(*arguments):
    return [sys.executable, "-m", "kfashion_utils", *map(str, arguments)]


def in_shell(command, ending, folder, **environment):
    """(exit code of a command in front of a pipe or redirection, what came on standard error)."""
    quoted = " ".join(f"'{word}'" for word in command)
    script = f"{{ {quoted}; echo $? >'{folder}/code'; }} {ending}"
    done = subprocess.run(["sh", "-c", script], capture_output=True, env={**os.environ, **environment}, timeout=120)
    return int((folder / "code").read_text()), done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "cp949", "utf-8"])
def test_a_terminal_of_another_encoding_is_told_what_it_can_take(photographs, tmp_path, encoding):
    out = tmp_path / "kf.csv"
    command = words("catalog", "folders", "--root", photographs, "--out", out)
    done = subprocess.run(command, capture_output=True, env={**os.environ, "PYTHONIOENCODING": f"{encoding}:strict"})
    assert done.returncode == 0 and done.stderr == b""
    assert len(kf.read_catalog(out)) == 12
    told = done.stdout.decode(encoding)
    name = "그림" if encoding in ("cp949", "utf-8") else r"\uadf8\ub9bc"
    assert f"{name}.tif" in told


@pytest.mark.parametrize("encoding", ["ascii"])
def test_an_error_message_too(tmp_path, encoding):
    command = words("catalog", "folders", "--root", tmp_path / "없는 폴더 🧥", "--out", tmp_path / "kf.csv")
    done = subprocess.run(command, capture_output=True, env={**os.environ, "PYTHONIOENCODING": f"{encoding}:strict"})
    told = done.stderr.decode(encoding)
    assert done.returncode == 2 and "no folder" in told and "Traceback" not in told


@pytest.mark.parametrize("ending", ["| true", ">/dev/full", ">&- 2>&-"])
def test_a_reader_that_has_gone_and_a_full_disk_stop_nothing(photographs, tmp_path, ending):
    out = tmp_path / "kf.csv"
    code, told = in_shell(words("catalog", "folders", "--root", photographs, "--out", out), ending, tmp_path)
    assert code == 0 and b"Traceback" not in told and b"Error" not in told
    assert len(kf.read_catalog(out)) == 12


@pytest.mark.slow
def test_a_training_goes_on_when_its_reader_has_gone(photographs, tmp_path):
    out = tmp_path / "kf.csv"
    kf.write_catalog(kf.split_catalog(kf.build_catalog("folders", photographs)[0], valid=0.5), out)
    recipe = ["--backbone", "tiny", "--size", 32, "--fine-tune-epochs", 1, "--batch-size", 4]
    command = words("train", out, "--root", photographs, "--run", tmp_path / "run", "--cache", tmp_path / "c", *recipe)
    code, _ = in_shell(command, "2>&1 | true", tmp_path, PYTHONIOENCODING="ascii:strict")
    assert code == 0
    assert kf.load_run(tmp_path / "run").finished


def test_python_callers_are_told_as_well(tmp_path):
    script = "from kfashion_utils.output import say; say('모자 – 1 × 2 …'); print('after')"
    for encoding, told in (("ascii", r"\ubaa8\uc790 - 1 x 2 ..."), ("cp949", "모자 - 1 × 2 …")):
        environment = {**os.environ, "PYTHONIOENCODING": f"{encoding}:strict"}
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, env=environment)
        assert done.stdout.decode(encoding).splitlines() == [told, "after"]


def test_names_that_are_not_utf8_can_be_told(capsys):
    say("file \udcff.jpg")
    assert capsys.readouterr().out == "file \\udcff.jpg\n"
    assert readable("모자", "utf-8") == "모자"


def test_the_library_says_nothing_by_other_ways():
    """Every line of the library for people goes through `say`; the command line's streams are steady themselves."""
    package = Path(kf.__file__).parent
    own = {package / "output.py", package / "__main__.py", *(package / "cli").iterdir()}
    files = [path for path in package.rglob("*.py") if path not in own]
    loud = [path.name for path in files if re.search(r"(?<!\w)print\(", path.read_text("utf-8"))]
    assert loud == []
