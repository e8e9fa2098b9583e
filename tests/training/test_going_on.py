"""A run goes on from what it kept, and tells each epoch to whoever asks."""

import keras
import numpy as np
import pytest
from conftest import train_colours as train

import kfashion_utils as kf
from kfashion_utils.__main__ import main
from kfashion_utils.errors import InputError
from kfashion_utils.models.backbones import build_base
from kfashion_utils.models.model import load_trained

TWO = kf.TrainConfig(backbone="tiny", fine_tune_epochs=2, batch_size=8, seed=4)


class Stopped(Exception):
    pass


@pytest.fixture(scope="module")
def stopped(colour_data, tmp_path_factory):
    """(folder of a run that was stopped after its first epoch and went on alone, rows told while it was stopped, rows
    told after)."""
    folder, before, after = tmp_path_factory.mktemp("going") / "run", [], []

    def stop(row):
        before.append(row)
        raise Stopped

    with pytest.raises(Stopped):
        train(colour_data, folder, TWO, folder.parent / "elsewhere", on_epoch=stop)
    kf.train(run=folder, progress=False, on_epoch=after.append)
    return folder, before, after


def test_a_run_goes_on_with_what_it_was_begun_with(stopped, colour_data, tmp_path):
    folder, _, _ = stopped
    whole = train(colour_data, tmp_path / "whole", TWO, folder.parent / "elsewhere")
    assert kf.Run(folder).history.drop(columns="seconds").equals(whole.history.drop(columns="seconds"))
    assert kf.Run(folder).metrics == whole.metrics
    assert not (folder.parent / "cache").exists()  # it went on with the cache that it began with


def test_each_epoch_is_told_once_with_its_row(stopped):
    folder, before, after = stopped
    assert [row["epoch"] for row in before + after] == [1, 2]
    for row, (_, kept) in zip(before + after, kf.Run(folder).history.iterrows(), strict=True):
        assert row == pytest.approx(kept.to_dict())


def test_epoch_0_is_told_too(colour_data, cache, tmp_path):
    told = []
    frozen = kf.TrainConfig(backbone="tiny", fine_tune_epochs=0)
    run = train(colour_data, tmp_path / "run", frozen, cache, on_epoch=told.append)
    assert [row["epoch"] for row in told] == [0] and told[0]["val_label_accuracy"] == run.metrics["label"]["accuracy"]


def test_the_command_line_goes_on_with_the_run_alone(stopped, capsys):
    folder = str(stopped[0])
    assert main(["train", "--run", folder]) == 0
    assert "is finished; nothing to do" in capsys.readouterr().out
    assert main(["train", "--run", folder, "--fine-tune-epochs", "3"]) == 0
    assert kf.Run(folder).history["epoch"].tolist() == [1, 2, 3]


@pytest.mark.slow
def test_efficientnet_lite_fine_tunes_and_goes_on_exactly(colour_data, tmp_path):
    """From a file of weights, through a stop after the first epoch, as an undisturbed training does."""
    keras.utils.set_random_seed(1)
    build_base("efficientnet_lite0", 32).save_weights(tmp_path / "w.weights.h5")
    config = kf.TrainConfig(
        backbone="efficientnet_lite0", weights=str(tmp_path / "w.weights.h5"), fine_tune_epochs=2, batch_size=8
    )
    whole = train(colour_data, tmp_path / "whole", config, tmp_path / "cache")
    assert whole.history["loss"].iloc[-1] < whole.history["loss"].iloc[1] or whole.metrics["label"]["accuracy"] == 1

    def stop(row):
        if row["epoch"] == 1:
            raise Stopped

    with pytest.raises(Stopped):
        train(colour_data, tmp_path / "stopped", config, tmp_path / "cache", on_epoch=stop)
    stopped = kf.train(run=tmp_path / "stopped", progress=False)
    assert stopped.history.drop(columns="seconds").equals(whole.history.drop(columns="seconds"))
    for one, other in zip(load_trained(stopped).get_weights(), load_trained(whole).get_weights(), strict=True):
        assert np.array_equal(one, other)


def test_what_cannot_go_on_is_refused(stopped, tmp_path, capsys):
    with pytest.raises(InputError, match="is no run to go on with; name the catalog and root="):
        kf.train(run=tmp_path / "nothing")
    assert main(["train", "--run", str(tmp_path / "nothing")]) == 2
    assert "name the catalog and --root that it learns from" in capsys.readouterr().err
    with pytest.raises(InputError, match="run= is missing"):
        kf.train(stopped[0] / "catalog.csv.gz", ".")
    with pytest.raises(InputError, match="root= is missing"):
        kf.train(stopped[0] / "catalog.csv.gz", run=tmp_path / "new")
    older = tmp_path / "older"
    older.mkdir()
    (older / "run.json").write_bytes((stopped[0] / "run.json").read_bytes())
    with pytest.raises(InputError, match="did not keep its rows"):
        kf.train(run=older)
