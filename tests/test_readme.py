"""Every command of the READMEs is run, in the order in which a newcomer reads them, on photographs drawn here."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import picture

import kfashion_utils as kf
from kfashion_utils.__main__ import main, verbs
from kfashion_utils.evaluation.submission import blank_template
from kfashion_utils.runs.backbones import BACKBONES
from kfashion_utils.storage.files import write_table

PROJECT = Path(__file__).parents[1]
READMES = [PROJECT / "README.md", PROJECT / "README.ko.md"]
SMALL = {  # what a test changes so that it takes seconds: no download, few pictures
    "sample data": ["--photos", "140"],
    "train mine.csv": ["--fine-tune-epochs", "1", "--size", "32"],
    "train kf.csv": ["--fine-tune-epochs", "1", "--size", "32"],
}


def blocks(path, language):
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def commands(path):
    """The command lines of the `sh` blocks, without their comments."""
    lines = [line.partition(" #")[0].strip() for block in blocks(path, "sh") for line in block.splitlines()]
    return [line for line in lines if line]


def smaller(words):
    more = next((more for start, more in SMALL.items() if " ".join(words).startswith(start)), [])
    return ["tiny" if word == "efficientnet_lite0" else word for word in words] + more


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A newcomer's folder: class folders with pictures, two new photographs."""
    place = tmp_path_factory.mktemp("newcomer")
    for number in range(20):
        picture(place / "photos" / ("coat", "원피스")[number % 2] / f"{number}.jpg", (48, 64), seed=number)
    picture(place / "new.jpg", (48, 64), seed=100)
    picture(place / "photo.jpg", (48, 64), seed=102)
    picture(place / "more_photos/새 사진.jpg", (48, 64), seed=101)
    return place


def test_both_languages_name_the_same_commands_and_code():
    english, korean = READMES
    assert commands(english) == commands(korean) and len(commands(english)) > 15

    def code(path):
        return [re.sub("#.*", "", block) for block in blocks(path, "python")]

    assert code(english) == code(korean)


@pytest.mark.slow
def test_every_command_of_the_shell_works(place, monkeypatch, capsys):
    monkeypatch.chdir(place)
    for line in commands(READMES[0]):
        program, *words = shlex.split(line)
        if program != "kfashion":
            assert program in ("git", "cd", "python3", ".", "pip"), line  # the install block: see the slow test
            continue
        if words[0] == "submit":
            write_table("sample_submission.csv", blank_template(kf.read_predictions("p.csv")))
        assert main(smaller(words)) == 0, f"{line}\n{capsys.readouterr().err}"
    told = capsys.readouterr().out
    assert "is finished; nothing to do" in told  # train --run of a run that was not interrupted
    assert "새 사진.jpg: " in told and (place / "runs/mine/report.html").is_file()
    assert (place / "submission.csv").is_file()


@pytest.mark.slow
def test_the_python_works(place, monkeypatch, capsys):
    monkeypatch.chdir(place)
    if not (place / "data").exists():
        kf.draw_sample("data", photos=140)
    [_, block] = blocks(READMES[0], "python")
    small = block.replace('"efficientnet_lite0"', '"tiny", fine_tune_epochs=1').replace(
        '"runs/b", ', '"runs/b", preprocess=kf.Preprocess(size=32), '
    )
    assert small != block
    exec(small, {})
    assert "style:레트로" in capsys.readouterr().out


@pytest.mark.parametrize("path", READMES, ids=lambda path: path.name)
def test_verbs_flags_files_and_numbers_that_are_named_are_there(path, capsys):
    text = path.read_text(encoding="utf-8")
    for verb in re.findall(r"`?kfashion ([a-z]+) ", text):
        assert verb in verbs(), verb
    for verb in ("train", "predict", "preprocess", "download", "audit", "split", "catalog", "submit", "evaluate"):
        with pytest.raises(SystemExit):
            main([verb, "--help"])
    known = capsys.readouterr().out
    ours = re.sub(r"`(git|pip) [^`]*`|^(git|pip|!git|%pip) .*$", "", text, flags=re.MULTILINE)
    for flag in re.findall(r"(?<![\w-])--[a-z][a-z-]+", ours):
        assert flag in known or flag in ("--help", "--quiet"), flag
    for target in re.findall(r"\]\((?!http)([^)]+)\)", text):
        assert (PROJECT / target).exists(), target
    assert f" {len(BACKBONES)}" in text  # how many `kfashion backbones` lists


@pytest.mark.slow
def test_the_install_block_works_in_a_fresh_clone(tmp_path):
    """As it stands, but for where it is cloned from; then the demo's smallest relative."""
    if not (PROJECT / ".git").exists():
        pytest.skip("no repository to clone")
    [install, *_] = blocks(READMES[0], "sh")
    script = install.replace("https://github.com/kfashion/kfashion", shlex.quote(str(PROJECT)), 1)
    script = script.replace("cd kfashion", f"cd {PROJECT.name}").replace("python3 ", f"{sys.executable} ")
    script += "kfashion --version && kfashion sample data --photos 46\n"
    done = subprocess.run(["bash", "-e", "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"kfashion {kf.__version__}" in done.stdout
    shutil.rmtree(tmp_path / PROJECT.name)
