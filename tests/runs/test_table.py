"""The local leaderboard: which runs are found, how they are sorted, what differs between them, and what is said of the
others. No training."""

import json
import shutil
from dataclasses import replace

import pandas as pd
import pytest
from made_runs import CONFIG, DETAIL, KIND, make_run

import kfashion_utils as kf
from kfashion_utils.__main__ import main
from kfashion_utils.errors import InputError
from kfashion_utils.runs.table import describe_runs
from kfashion_utils.tables.labels import Task
from kfashion_utils.tables.tasks import STYLE

TASK = Task("style", (STYLE,))
COSINE = replace(CONFIG, schedule="cosine", backbone="mobilenet_v2", sizes=(224, 320))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("leaderboard")
    make_run(folder, TASK, seed=0, called="첫번째")
    make_run(folder, TASK, seed=1, called="deep/second", config=COSINE)
    return folder / "runs"


@pytest.fixture
def folder(made, tmp_path):
    return shutil.copytree(made, tmp_path / "runs")


def figures(folder, name):
    return json.loads((folder / name / "metrics.json").read_text(encoding="utf-8"))["style"]


def test_best_first_with_what_differs(folder):
    table = kf.runs_table(folder)
    assert sorted(table["run"]) == ["deep/second", "첫번째"] and table["accuracy"].is_monotonic_decreasing
    assert table.set_index("run").loc["첫번째", "accuracy"] == figures(folder, "첫번째")["accuracy"]
    assert (table["low"] < table["accuracy"]).all()
    assert (table["accuracy"] < table["high"]).all()
    assert (table["state"] == "finished").all()
    assert list(table.columns[table.columns.get_loc("minutes") + 1 :]) == ["backbone", "sizes", "schedule"]
    row = table.set_index("run").loc["deep/second"]
    assert (row["backbone"], row["sizes"], row["schedule"]) == ("mobilenet_v2", "[224, 320]", "cosine")


def test_sorted_by_another_figure(folder):
    worse = figures(folder, "deep/second") | {"accuracy": 0.01, "balanced_accuracy": 0.99}
    (folder / "deep/second/metrics.json").write_text(json.dumps({"style": worse}), encoding="utf-8")
    assert kf.runs_table(folder)["run"].tolist() == ["첫번째", "deep/second"]
    assert kf.runs_table(folder, by="balanced")["run"].tolist() == ["deep/second", "첫번째"]


def test_one_run_differs_from_none(folder):
    assert kf.runs_table(folder / "첫번째").columns[-1] == "minutes"


def test_unfinished_and_unreadable_runs_are_said_and_stand_last(folder):
    (folder / "첫번째" / "metrics.json").unlink()
    (folder / "broken").mkdir()
    (folder / "broken" / "run.json").write_text("{", encoding="utf-8")
    table = kf.runs_table(folder)
    assert table["run"].tolist() == ["deep/second", "broken", "첫번째"]
    assert table["state"].tolist()[0] == "finished"
    assert table["state"][1].startswith("unreadable: ")
    assert table["state"][2] == "unfinished, 5 of 5 epochs"
    (folder / "첫번째" / "history.csv").unlink()
    table = kf.runs_table(folder)
    assert table["state"][2] == "unfinished, no epoch yet"
    assert "1 of 3 runs are finished" in describe_runs(table)
    assert "0 of 1 runs are finished" in describe_runs(kf.runs_table(folder / "첫번째"))


def test_without_predictions_there_is_no_interval(folder):
    (folder / "첫번째" / "predictions.csv").unlink()
    table = kf.runs_table(folder).set_index("run")
    assert table.loc["첫번째", ["low", "high"]].isna().all()
    assert table.loc["첫번째", "accuracy"] == figures(folder, "첫번째")["accuracy"]
    assert "첫번째" in describe_runs(table.reset_index())


def test_runs_of_other_rows_are_said(folder):
    path = folder / "첫번째" / "run.json"
    recipe = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(
        json.dumps(recipe | {"catalog": {"hash": "ef" * 32}, "without_annotation": {"style": {"accuracy": 0.25}}}),
        encoding="utf-8",
    )
    table = kf.runs_table(folder)
    assert set(table["catalog"]) == {"cdcdcdcd", "efefefef"}
    assert table.set_index("run").loc["첫번째", "without_annotation"] == 0.25
    assert "not of the same photos" in describe_runs(table)


def test_the_head_is_chosen(tmp_path):
    make_run(tmp_path, Task("garment", (KIND, DETAIL)), called="a")
    found = json.loads((tmp_path / "runs/a/metrics.json").read_text(encoding="utf-8"))
    assert kf.runs_table(tmp_path)["accuracy"].tolist() == [found["kind"]["accuracy"]]
    assert kf.runs_table(tmp_path, head="detail")["accuracy"].tolist() == [found["detail"]["accuracy"]]
    with pytest.raises(InputError, match="'colour'"):
        kf.runs_table(tmp_path, head="colour")


def test_the_command_prints_and_writes(folder, tmp_path, capsys):
    assert main(["runs", str(folder), "--by", "balanced", "--out", str(tmp_path / "out.csv")]) == 0
    printed = capsys.readouterr().out
    assert "첫번째" in printed and "cosine" in printed and "–" in printed
    assert pd.read_csv(tmp_path / "out.csv")["run"].tolist() == kf.runs_table(folder, by="balanced")["run"].tolist()


def test_bad_input_is_said(tmp_path, capsys):
    for arguments, message in ((["runs", tmp_path / "no"], "there is no folder"), (["runs", tmp_path], "no run in")):
        assert main([str(word) for word in arguments]) == 2
        assert message in capsys.readouterr().err
    with pytest.raises(InputError, match="expected one of"):
        kf.runs_table(tmp_path, by="speed")
