"""Files of a run that were cut, half copied or come from elsewhere: one message, never silence, never a wall of
warnings."""

import json
import shutil
import warnings

import keras
import pytest
from conftest import train_colours

import kfashion_utils as kf
from kfashion_utils.__main__ import main
from kfashion_utils.models.backbones import build_base
from kfashion_utils.models.model import load_trained
from kfashion_utils.runs.run import SEALED, TABLES

ONE_EPOCH = {"backbone": "tiny", "fine_tune_epochs": 1, "batch_size": 8}


@pytest.fixture(scope="module")
def trained(colour_data, tmp_path_factory):
    return train_colours(colour_data, tmp_path_factory.mktemp("runs") / "run", kf.TrainConfig(**ONE_EPOCH))


@pytest.fixture
def run(trained, tmp_path):
    return kf.load_run(shutil.copytree(trained.path, tmp_path / "run"))


def cut(path):
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


def test_a_run_keeps_the_hashes_of_its_files(trained):
    assert sorted(trained.record.files) == sorted(SEALED)
    assert len(trained.predictions) == 18


@pytest.mark.parametrize("name", TABLES)
def test_a_table_cut_in_half_is_told_by_its_reader_and_by_the_report(run, name, capsys):
    whole_lines = (run.path / name).read_bytes().splitlines(keepends=True)
    if name == "predictions.csv":  # cut between two rows: still a table, so only its hash can tell
        (run.path / name).write_bytes(b"".join(whole_lines[: len(whole_lines) // 2]))
    else:
        cut(run.path / name)
    reader = {"history.csv": "history", "predictions.csv": "predictions", "valid.csv.gz": "catalog"}[name]
    with pytest.raises(kf.InputError, match="not the file that training wrote: its .* bytes"):
        getattr(run, reader)
    assert main(["report", str(run.path), "--no-heat"]) == 2
    told = capsys.readouterr().err
    assert "report.html was written without" in told and name in told
    assert f"{name} is not the file that training wrote" in (run.path / "report.html").read_text("utf-8")


def test_a_report_that_lacks_something_says_so(run, capsys):
    (run.path / "history.csv").unlink()
    assert main(["report", str(run.path), "--no-heat"]) == 0
    assert "No learning curves" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["best.weights.h5", "run.json", "metrics.json"])
def test_a_half_copied_run_is_refused_in_one_message(run, colour_data, name, capfd):
    cut(run.path / name)
    kf.write_catalog(colour_data[1], run.path / "kf.csv")
    arguments = ["--catalog", run.path / "kf.csv", "--root", colour_data[0], "--out", run.path / "p.csv"]
    code = main(["predict", *map(str, [run.path, *arguments])])
    told = capfd.readouterr().err
    if name == "metrics.json":  # nothing of it is needed to predict
        assert code == 0
        with pytest.raises(kf.InputError, match="not JSON"):
            run.metrics  # noqa: B018 - it is read here
        return
    assert code == 2 and name in told
    assert len(told.splitlines()) < 4 and not (run.path / "p.csv").exists()


def test_a_run_of_before_without_hashes_is_read_and_a_foreign_weights_file_refused_without_warnings(run):
    record = json.loads((run.path / "run.json").read_text("utf-8"))
    del record["files"]
    (run.path / "run.json").write_text(json.dumps(record), "utf-8")
    old = kf.load_run(run.path)
    assert len(old.predictions) == 18
    build_base("mobilenet_025", 32).save_weights(run.path / "best.weights.h5")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("default", DeprecationWarning)
        with pytest.raises(kf.InputError, match="do not fit the recipe in run.json"):
            load_trained(old)


def test_a_foreign_file_to_start_from_is_refused_without_warnings(colour_data, tmp_path):
    other = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(3)])
    other.save_weights(tmp_path / "other.weights.h5")
    config = kf.TrainConfig(**ONE_EPOCH, weights=str(tmp_path / "other.weights.h5"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("default", DeprecationWarning)
        with pytest.raises(kf.InputError, match=r"other\.weights\.h5 does not fit 'tiny'"):
            train_colours(colour_data, tmp_path / "run", config)
    assert not (tmp_path / "run").exists()
