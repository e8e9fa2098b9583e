import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import kfashion_utils as kf
from kfashion_utils.cli import options as commands
from kfashion_utils.cli import results
from kfashion_utils.errors import InputError
from kfashion_utils.evaluation.figures import best_thresholds
from kfashion_utils.tables.labels import Head, Task
from kfashion_utils.training import prior as prediction
from kfashion_utils.training.prior import shift_scores

RECIPE = kf.Preprocess(size=32)
FROZEN = kf.TrainConfig(backbone="tiny", fine_tune_epochs=0)
SCORES = ["label:빨강", "label:초록", "label:파랑"]


@pytest.fixture(scope="module")
def trained(colour_data, tmp_path_factory):
    """A run of two runs' tasks in one: a colour, and several tags of it; its training rows are unbalanced."""
    root, catalog = colour_data
    catalog = catalog[
        ~((catalog["split"] == "train") & (catalog["label"] == "파랑") & (np.arange(len(catalog)) % 3 > 0))
    ].copy()
    catalog["tags"] = catalog["label"].map({"빨강": "warm", "초록": "-", "파랑": "cold|deep"})
    task = Task("t", (Head("label", ("빨강", "초록", "파랑")), Head("tags", ("warm", "cold", "deep"), multi=True)))
    folder = tmp_path_factory.mktemp("prior")
    run = kf.train(
        catalog,
        root,
        folder / "run",
        preprocess=RECIPE,
        config=FROZEN,
        task=task,
        cache=folder / "cache",
        progress=False,
        workers=1,
    )
    return run, catalog, root, folder


def predicted(trained, **options):
    run, catalog, root, folder = trained
    return kf.predict(run, catalog, root, split="valid", cache=folder / "cache", progress=False, **options)


def test_a_prior_shifts_log_probabilities_by_the_ratio_of_the_mixes(trained):
    plain, uniform = predicted(trained)[SCORES].to_numpy(), predicted(trained, prior="uniform")[SCORES].to_numpy()
    shares = (
        trained[1]
        .loc[trained[1]["split"] == "train", "label"]
        .value_counts(normalize=True)
        .loc[["빨강", "초록", "파랑"]]
        .to_numpy()
    )
    expected = plain / shares
    np.testing.assert_allclose(uniform, expected / expected.sum(axis=1, keepdims=True), atol=1e-4)
    np.testing.assert_allclose(predicted(trained, prior="train")[SCORES], plain, atol=1e-5)
    mix = {"빨강": 1, "초록": 0, "파랑": 3}
    weighted = predicted(trained, prior=mix)
    assert set(weighted["label"]) <= {"빨강", "파랑"} and weighted["label:초록"].max() < 0.01
    pd.testing.assert_frame_equal(predicted(trained, prior={"label": mix}), weighted)
    np.testing.assert_allclose(weighted["tags+warm"], predicted(trained)["tags+warm"])


@pytest.mark.parametrize(
    "wrong",
    [
        "other",
        {"빨강": 1},
        {"빨강": 1, "초록": 1, "파랑": -1},
        {"빨강": 1, "초록": 1, "파랑": "x"},
        {"빨강": 0, "초록": 0, "파랑": 0},
    ],
)
def test_a_prior_that_fits_no_head_is_refused(trained, wrong):
    with pytest.raises(InputError, match="prior"):
        predicted(trained, prior=wrong)


def test_a_prior_is_read_from_a_file(tmp_path):
    (tmp_path / "a.csv").write_text("class,share\n빨강,0.25\n'x,y',0.75\n", encoding="utf-8-sig")
    assert commands.read_prior(str(tmp_path / "a.csv")) == {"빨강": 0.25, "'x,y'": 0.75}
    (tmp_path / "a.json").write_text(json.dumps({"빨강": 1}), encoding="utf-8")
    assert commands.read_prior(str(tmp_path / "a.json")) == {"빨강": 1} and commands.read_prior("uniform") == "uniform"
    (tmp_path / "b.csv").write_text("no shares here")
    for wrong in ("b.csv", "nowhere"):
        with pytest.raises(InputError):
            commands.read_prior(str(tmp_path / wrong))


def test_thresholds_are_found_out_of_fold_and_moved_to_a_half(trained):
    found = trained[0].recipe["fit"]["thresholds"]["tags"]
    assert list(found) == ["warm", "cold", "deep"] and all(0 < value < 1 for value in found.values())
    plain, moved = predicted(trained), predicted(trained, thresholds=True)
    for name, limit in found.items():
        assert ((plain[f"tags+{name}"] >= limit) == (moved[f"tags+{name}"] >= 0.5)).all()
    tuned = SimpleNamespace(
        path="run", task=trained[0].task, recipe=trained[0].recipe, config=replace(FROZEN, fine_tune_epochs=2)
    )
    with pytest.raises(InputError, match="no thresholds.*on frozen features"):  # another network by now
        prediction.wanted_shifts(tuned, None, True)
    task = Task("t", (Head("tags", ("a", "b"), multi=True),))
    labels = np.array([[1, 0], [1, 0], [0, 0], [0, 0]], np.float32)
    scores = np.array([[0.3, 0.9], [0.2, 0.9], [0.1, 0.1], [0.05, 0.1]])
    limits = best_thresholds(task, labels, scores)["tags"]
    assert limits["a"] == pytest.approx(0.15) and limits["b"] == 0.5
    with pytest.raises(InputError, match="no thresholds"):
        kf.predict(_without_tags(trained), trained[1], trained[2], thresholds=True, progress=False)


def _without_tags(trained):
    run, catalog, root, folder = trained
    return kf.train(
        catalog.drop(columns="tags"),
        root,
        folder / "one",
        preprocess=RECIPE,
        config=FROZEN,
        cache=folder / "cache",
        progress=False,
        workers=1,
    )


def test_shifted_scores_stay_probabilities():
    task = Task("t", (Head("a", ("x", "y")), Head("b", ("p", "q"), multi=True)))
    scores = np.array([[1.0, 0.0, 1.0, 0.0], [0.5, 0.5, 0.5, 0.5]])
    moved = shift_scores(task, scores, {"a": np.array([0, np.log(3)]), "b": np.array([np.log(3), 0])})
    np.testing.assert_allclose(moved[1], [0.25, 0.75, 0.75, 0.5])
    assert np.isfinite(moved).all() and ((moved >= 0) & (moved <= 1)).all()
    np.testing.assert_array_equal(shift_scores(task, scores, {}), scores)


def train_beside(trained, name, **options):
    """A run of other options on the task, rows and cache of `trained`."""
    run, catalog, root, folder = trained
    config = kf.TrainConfig(backbone="tiny", fine_tune_epochs=0, **options)
    places = {"task": run.task, "cache": folder / "cache", "progress": False, "workers": 1}
    return kf.train(catalog, root, folder / name, preprocess=RECIPE, config=config, **places)


def test_balanced_training_says_which_mix_its_answers_assume(trained):
    run, catalog, root, folder = trained
    full = train_beside(trained, "full", balance="full")
    assert full.recipe["prior"]["label"]["model"] == pytest.approx(
        {"빨강": 1 / 3, "초록": 1 / 3, "파랑": 1 / 3}, abs=1e-5
    )
    assert full.recipe["prior"]["label"]["train"] == run.recipe["prior"]["label"]["model"]
    options = {"split": "valid", "cache": folder / "cache", "progress": False}
    np.testing.assert_allclose(
        kf.predict(full, catalog, root, prior="uniform", **options)[SCORES],
        kf.predict(full, catalog, root, **options)[SCORES],
        atol=1e-4,
    )


def test_a_trained_head_leaves_several_labels_as_they_come_and_says_so(trained):
    hidden = train_beside(trained, "hidden", classifier="hidden", classifier_epochs=2, balance="full")
    assert hidden.recipe["prior"]["tags"]["model"] == hidden.recipe["prior"]["tags"]["train"]
    assert set(hidden.recipe["prior"]["label"]["model"].values()) == {round(1 / 3, 6)}


def test_the_headline_uses_no_annotation_and_a_submission_says_what_was_used(colour_data, tmp_path, capsys):
    root, catalog = colour_data
    catalog = catalog.assign(left=4.0, top=4.0, right=40.0, bottom=50.0, region="annotation")
    options = {
        "preprocess": kf.Preprocess(size=32, crop="box"),
        "config": FROZEN,
        "cache": tmp_path / "cache",
        "workers": 1,
    }
    run = kf.train(catalog, root, tmp_path / "run", **options)
    plain = run.recipe["without_annotation"]["label"]
    assert (
        plain["regions"] == {"none": 1.0}
        and plain["n"] == 18
        and run.metrics["label"]["regions"] == {"annotation": 1.0}
    )
    assert "headline, without any annotation" in capsys.readouterr().out
    table = kf.predict(run, catalog, root, split="valid", progress=False)
    kf.write_predictions(table, tmp_path / "p.csv")
    told = json.loads((tmp_path / "p.provenance.json").read_text())
    assert (
        told["runs"][0]["regions_here"] == {"annotation": 1.0}
        and told["runs"][0]["crop"] == "box"
        and told["prior"] is None
    )
    template = pd.DataFrame({"id": table["id"], "label": "빨강"})
    template.to_csv(tmp_path / "t.csv", index=False)
    results.submit(tmp_path / "p.csv", template=tmp_path / "t.csv", out=tmp_path / "s.csv")
    assert json.loads((tmp_path / "s.provenance.json").read_text()) == told
    assert "regions of these pictures by: annotation 100%" in capsys.readouterr().out
    whole = kf.train(catalog, root, tmp_path / "whole", **{**options, "preprocess": RECIPE}, progress=False)
    assert "without_annotation" not in whole.recipe


def test_no_file_is_named_that_is_gone_when_it_is_read(run, colour_data, tmp_path, capsys):
    """Without a cache pictures are prepared in a folder that is deleted: what failed there is told without its file."""
    root, catalog = colour_data
    (tmp_path / "bad.jpg").write_bytes(b"\xff\xd8\xff no")
    shutil.copy(root / catalog["path"][0], tmp_path / "good.jpg")
    rows = catalog.head(2).assign(path=["good.jpg", "bad.jpg"])
    kf.predict(run, rows, tmp_path, cache=tmp_path / "cache")
    told = capsys.readouterr().out
    assert "1 rows could not be prepared (broken 1)" in told and "failures.csv" not in told
