"""The commands as a user types them, in processes of their own; the quick ones in this process."""

import json
import subprocess
import sys

import pandas as pd
import pytest
from conftest import LABELS, picture

from kfashion_utils.__main__ import main, verbs
from kfashion_utils.cli import models


def shell(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "kfashion_utils", *map(str, arguments)], capture_output=True, text=True, **options
    )


def test_a_recipe_from_a_file_is_repeated_and_flags_go_over_it(tmp_path, monkeypatch):
    (tmp_path / "run.json").write_text(
        json.dumps({"train": {"backbone": "tiny", "augment": None, "views": 3, "sizes": [64, 96]}, "split": "all"})
    )
    given = {}
    monkeypatch.setattr(models.kf, "train", lambda *_, **options: given.update(options))
    monkeypatch.setattr(models.kf, "read_catalog", lambda path: None)
    flags = ["train", "c.csv", "--root", ".", "--run", "r", "--config", str(tmp_path / "run.json"), "--seed", "1"]
    assert main(flags) == 0 and given["split"] == "all"
    assert given["config"] == models.TrainConfig(backbone="tiny", variants=3, sizes=(64, 96), seed=1)
    assert main([*flags, "--split", "train", "--head", "hidden", "--views=1"]) == 0  # flags go over, old names too
    assert given["split"] == "train" and given["config"].classifier == "hidden" and given["config"].variants == 1


def test_help_lists_every_verb(capsys):
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    for verb in (
        "demo",
        "sample",
        "catalog",
        "split",
        "preprocess",
        "train",
        "predict",
        "evaluate",
        "submit",
        "report",
    ):
        assert verb in verbs() and f"  {verb}" in text
    assert main(["nonsense"]) == 2 and main([]) == 2


@pytest.mark.slow
def test_the_whole_way(tree, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for number in range(24):
        tree.label(number, "펑크" if number % 2 else "모던", name=f"look_{number // 2 + 100}_01.jpg")
        tree.photo(number, "펑크" if number % 2 else "모던", colour=(200, 30, 30) if number % 2 else (30, 30, 200))
    (tree.root / LABELS / "모던" / "bad.json").write_text("{")

    def run(*words):
        command = [sys.executable, "-m", "kfashion_utils", *map(str, words)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    printed = run("catalog", "kfashion", "--root", tree.root, "--out", "c.csv")
    assert "24 rows" in printed and "label is not JSON" in printed
    assert pd.read_csv("c.rejected.csv")["reason"].tolist() == ["label is not JSON"]
    assert "펑크" in run("split", "c.csv", "--out", "c.csv", "--valid", "0.25", "--test", "0.25", "--seed", "1")
    run(
        "preprocess",
        "c.csv",
        "--root",
        tree.root,
        "--cache",
        "cache",
        "--size",
        "32",
        "--crop",
        "box",
        "--mask",
        "polygon",
    )
    flags = [
        "--root",
        tree.root,
        "--cache",
        "cache",
        "--run",
        "runs/a",
        "--size",
        "32",
        "--crop",
        "box",
        "--mask",
        "polygon",
        "--backbone",
        "tiny",
    ]
    printed = run("train", "c.csv", *flags, "--fine-tune-epochs", "2")
    assert "epoch   2/2" in printed and "majority baseline" in printed
    assert "finished; nothing to do" in run(
        "train", "c.csv", "--root", tree.root, "--run", "runs/a", "--config", "runs/a/run.json"
    )
    run("predict", "runs/a", "--catalog", "c.csv", "--root", tree.root, "--split", "test", "--out", "p.csv")
    assert "annotation 100%" in run("evaluate", "p.csv", "--catalog", "c.csv", "--json", "figures.json")
    with open("figures.json") as file:
        figures = json.load(file)["style"]
    assert set(figures) == {
        "n",
        "classes_present",
        "accuracy",
        "balanced_accuracy",
        "macro_f1",
        "top3",
        "parent_accuracy",
        "majority",
        "regions",
    }
    tested = pd.read_csv("p.csv", dtype=str)["id"]
    pd.DataFrame({"filename": tested[::-1] + ".jpg", "style": 0}).to_csv("template.csv", index=False)
    run("submit", "p.csv", "--template", "template.csv", "--out", "s.csv")
    submitted = pd.read_csv("s.csv")
    assert submitted["filename"].tolist() == (tested[::-1] + ".jpg").tolist() and set(submitted["style"]) <= set(
        range(23)
    )
    page = run("report", "runs/a").strip()
    assert page.endswith("report.html") and "펑크" in open(page, encoding="utf-8").read()


def bad_inputs(tmp_path):
    good = tmp_path / "good.csv"
    picture(tmp_path / "a.png")
    good.write_text("id,path,label\n1,a.png,x\n2,a.png,y\n")
    (tmp_path / "empty").mkdir()
    (tmp_path / "json").mkdir()
    (tmp_path / "json" / "1.json").write_text("no json")
    (tmp_path / "fake").mkdir()
    (tmp_path / "fake" / "a.png").write_text("no picture")
    (tmp_path / "styled.csv").write_text("id,path,style,split\n1,a.png,우주복,train\n2,a.png,모던,valid\n")
    (tmp_path / "p.csv").write_text("id,photo,label,label:x,label:y\n1,1,x,0.9,0.1\n")
    (tmp_path / "t.csv").write_text("id,label\n1,0\n77,0\n")
    (tmp_path / "config.json").write_text('{"train": {"speed": 11}}')
    out = tmp_path / "out"
    return {
        "missing folder": (["catalog", "kfashion", "--root", tmp_path / "no", "--out", out], "no folder"),
        "empty folder": (["catalog", "kfashion", "--root", tmp_path / "empty", "--out", out], "is empty"),
        "JSON that is none": (
            ["catalog", "kfashion", "--root", tmp_path / "json", "--out", out],
            "label is not JSON (for example 1.json",
        ),
        "unknown data set": (["catalog", "imagenet", "--root", tmp_path, "--out", out], "known: kfashion"),
        "picture that is none": (
            ["preprocess", good, "--root", tmp_path / "fake", "--cache", tmp_path / "cache"],
            "not a picture",
        ),
        "unknown style": (
            ["train", tmp_path / "styled.csv", "--root", tmp_path, "--run", out],
            "unknown class '우주복' in 1 rows",
        ),
        "no split": (["train", good, "--root", tmp_path, "--run", out], "kfashion split"),
        "unknown key": (
            ["train", good, "--root", tmp_path, "--run", out, "--config", tmp_path / "config.json"],
            "unknown keys ['speed']",
        ),
        "unknown ids": (
            ["submit", tmp_path / "p.csv", "--template", tmp_path / "t.csv", "--out", out],
            "'77' is in the template",
        ),
        "no run": (
            ["predict", tmp_path / "no", "--catalog", good, "--root", tmp_path, "--out", out],
            "not a finished run",
        ),
        "no report": (["report", tmp_path / "no"], "run.json"),
        "output is a folder": (["split", good, "--out", tmp_path / "empty"], "empty"),
        "negative seed": (["split", good, "--out", out, "--seed", "-1"], "--seed -1"),
        "two recipes": (
            ["train", good, "--root", tmp_path, "--run", out, "--config", "a", "--config=b"],
            "given 2 times",
        ),
        "no predictions": (["evaluate", tmp_path / "no.csv", "--catalog", good], "no predictions at"),
    }


@pytest.mark.parametrize("name", [
    "missing folder", "empty folder", "JSON that is none", "unknown data set", "picture that is none",
    "unknown style", "no split",
    "unknown key", "unknown ids", "no run", "no report", "no predictions", "output is a folder", "negative seed",
    "two recipes",
])  # fmt: skip
def test_bad_input_is_one_message_and_code_2(name, tmp_path, capsys):
    arguments, message = bad_inputs(tmp_path)[name]
    assert main([str(argument) for argument in arguments]) == 2
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error
    assert not (tmp_path / "out").exists()


def test_unknown_flags_and_bad_values_end_with_code_2(tmp_path):
    assert shell("train", "c.csv", "--root", ".", "--run", "r", "--sice", "3").returncode == 2
    stopped = shell("train", "c.csv", "--root", ".", "--run", "r", "--size", "3")
    assert (
        stopped.returncode == 2 and "8..4096" in stopped.stderr + stopped.stdout and "Traceback" not in stopped.stderr
    )
