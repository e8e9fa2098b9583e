import json
import shutil

import numpy as np
import pandas as pd
import pytest
from conftest import train_colours as train

import kfashion_utils as kf
from kfashion_utils.errors import InputError
from kfashion_utils.images.augment import variant_names
from kfashion_utils.images.recipe import Preprocess
from kfashion_utils.models.backbones import build_base
from kfashion_utils.models.model import build_classifier, build_model, load_trained
from kfashion_utils.runs.identity import is_done
from kfashion_utils.tables.labels import Head, Task
from kfashion_utils.training import batches as inputs
from kfashion_utils.training import features, fine_tuning
from kfashion_utils.training import train as training
from kfashion_utils.training.features import compute_features
from kfashion_utils.training.start import starting_weights

RECIPE = Preprocess(size=32)
SCRATCH = kf.TrainConfig(backbone="tiny", fine_tune_epochs=4, every=2, batch_size=8)
LITES = ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2")
FROZEN = kf.TrainConfig(backbone="tiny", fine_tune_epochs=0)


def test_a_run_folder_holds_what_it_promises(run, colour_data):
    assert run.finished and len(run.history) == 4
    assert list(run.history.columns) == [
        "epoch",
        "learning_rate",
        "loss",
        "val_loss",
        "val_calibrated_loss",
        "val_label_accuracy",
        "seconds",
    ]
    assert run.history["learning_rate"].tolist() == pytest.approx([2e-3, 2e-3, 1e-3, 1e-3])
    valid = colour_data[1][colour_data[1]["split"] == "valid"]
    assert list(run.predictions.columns) == ["id", "photo", "label", "label:빨강", "label:초록", "label:파랑"]
    assert sorted(run.predictions["id"]) == sorted(valid["id"]) == sorted(run.catalog["id"])
    assert run.metrics == kf.evaluate(run.predictions, valid)
    assert run.recipe["catalog"]["rows"] == {"train": 27, "valid": 18} and run.recipe["regions"] == {"none": 1.0}
    best = run.history.loc[run.history["val_calibrated_loss"].idxmin()]
    assert run.metrics["label"]["accuracy"] == pytest.approx(best["val_label_accuracy"])


def test_a_linear_head_on_frozen_features_learns_colours(colour_data, cache, tmp_path):
    run = train(colour_data, tmp_path / "run", FROZEN, cache)
    assert run.history["epoch"].tolist() == [0] and run.metrics["label"]["accuracy"] == 1.0


def test_the_final_fit_learns_from_everything_and_is_judged_out_of_fold(colour_data, cache, tmp_path):
    run = train(colour_data, tmp_path / "run", FROZEN, cache, split="all")
    root, catalog = colour_data
    assert run.recipe["split"] == "all" and sorted(run.predictions["id"]) == sorted(catalog["id"]) == sorted(
        run.catalog["id"]
    )
    assert run.metrics == kf.evaluate(run.predictions, catalog) and run.metrics["label"]["accuracy"] > 0.9
    inside = kf.predict(run, catalog, root, cache=cache, progress=False).set_index("id").loc[run.predictions["id"]]
    assert (
        np.abs(inside["label:빨강"].to_numpy() - run.predictions["label:빨강"].to_numpy()).max() > 1e-3
    )  # not what it says of rows it learned
    with pytest.raises(InputError, match="split: train|split: all"):
        train(colour_data, tmp_path / "run", FROZEN, cache)
    with pytest.raises(InputError, match="fine_tune_epochs=0"):
        train(colour_data, tmp_path / "other", SCRATCH, cache, split="all")
    with pytest.raises(InputError, match="all rows are of one group"):
        train((root, catalog.assign(group="one", split="train")), tmp_path / "lonely", FROZEN, cache, split="all")
    only = catalog.assign(split="train")
    assert train((root, only), tmp_path / "only", FROZEN, cache, split="all").finished


@pytest.mark.slow
@pytest.mark.parametrize("head", ["hidden", "residual"])
def test_one_model_from_pixels_to_probabilities_whatever_head_taps_and_sizes(head, colour_data, cache, tmp_path):
    base = build_base("mobilenet_025", None)
    for layer in base.layers:
        if "bn" in layer.name:  # random weights let everything fade within thirteen blocks
            layer.gamma.assign(layer.gamma + 3)
    base.save_weights(tmp_path / "base.weights.h5")
    options = {
        "weights": str(tmp_path / "base.weights.h5"),
        "fine_tune_epochs": 0,
        "taps": "stages",
        "sizes": (32, 64),
        "classifier_epochs": 4,
        "variants": 3,
    }
    config = kf.TrainConfig(backbone="mobilenet_025", classifier=head, **options)
    run = train(colour_data, tmp_path / "run", config, cache)
    model = load_trained(run)
    depth = 2 * 3 * (128 + 256)
    assert model.get_layer("features").output.shape == (None, depth)
    root, catalog = colour_data
    prepared = kf.preprocess_images(catalog, root, cache, RECIPE, progress=False, workers=1)
    ids = catalog["id"].tolist()
    rows = compute_features(model, prepared, ids, cache, progress=False)
    from_features = model_of_classifier(model, run.task, head, depth).predict(np.asarray(rows), verbose=0)
    through_the_base = inputs.Batches(prepared, ids).predict(model)
    np.testing.assert_allclose(from_features, through_the_base, atol=1e-4)
    served = kf.predict(run, catalog, root, progress=False)
    mirrored = inputs.Batches(prepared, ids, views=("mirror",)).predict(model)
    np.testing.assert_allclose(
        served.drop(columns=["id", "photo", "label"]), (through_the_base + mirrored) / 2, atol=1e-6
    )


@pytest.mark.slow
@pytest.mark.parametrize("backbone", ["vgg19", "resnet50", "efficientnet_b0", *LITES])
def test_the_great_backbones_overfit_a_small_set(backbone, colour_data, cache, tmp_path):
    run = train(
        colour_data, tmp_path / "run", kf.TrainConfig(backbone=backbone, weights="none", fine_tune_epochs=0), cache
    )
    assert run.history["label_accuracy"].iloc[0] == 1.0


def model_of_classifier(model, task, head, depth):
    alone = build_classifier(task, head, depth)
    for layer in alone.layers:
        if layer.weights:
            layer.set_weights(model.get_layer(layer.name).get_weights())
    return alone


def test_pictures_scaled_before_and_a_mad_start_are_refused(colour_data, cache, tmp_path, monkeypatch):
    root, catalog = colour_data
    prepared = kf.preprocess_images(catalog, root, cache, RECIPE, progress=False, workers=1)
    with monkeypatch.context() as patch:
        patch.setattr(type(prepared), "pixels", lambda self, row: np.ones((32, 32, 3), np.uint8))
        with pytest.raises(InputError, match="values 0..1 only"):
            train(colour_data, tmp_path / "scaled", SCRATCH, cache)
    with monkeypatch.context() as patch:
        patch.setattr(
            fine_tuning,
            "mean_answers",
            lambda model, look, count: np.eye(3, dtype=np.float32)[np.zeros(len(look("original").ids), int)],
        )
        with pytest.raises(InputError, match="the first loss is"):
            train(colour_data, tmp_path / "mad", SCRATCH, cache)


def test_equal_answers_for_every_picture_are_said(capsys, run):
    table = run.predictions.copy()
    table[["label:빨강", "label:초록", "label:파랑"]] = 1 / 3
    training.warn_if_all_the_same(table, run.task)
    assert "every picture gets the same answer" in capsys.readouterr().out
    training.warn_if_all_the_same(run.predictions, run.task)
    assert not capsys.readouterr().out


def test_a_finished_run_is_returned_and_more_epochs_continue_it(run, colour_data, cache, tmp_path):
    path = tmp_path / "run"
    shutil.copytree(run.path, path)
    before = (path / "metrics.json").stat().st_mtime_ns
    train(colour_data, path, cache=cache)
    assert (path / "metrics.json").stat().st_mtime_ns == before
    longer = train(colour_data, path, kf.TrainConfig(**{**SCRATCH.to_dict(), "fine_tune_epochs": 6}), cache)
    assert longer.history["epoch"].tolist() == [1, 2, 3, 4, 5, 6]
    pd.testing.assert_frame_equal(longer.history[:4], run.history)


def test_another_recipe_or_catalog_is_refused_with_what_differs(run, colour_data, cache):
    with pytest.raises(InputError, match=r"(?s)train.seed: 0 there, 1 now"):
        train(colour_data, run.path, kf.TrainConfig(**{**SCRATCH.to_dict(), "seed": 1}), cache)
    with pytest.raises(InputError, match="train.fine_tune_epochs: 4 there, 2 now"):
        train(colour_data, run.path, kf.TrainConfig(**{**SCRATCH.to_dict(), "fine_tune_epochs": 2}), cache)
    root, catalog = colour_data
    with pytest.raises(InputError, match="catalog.hash"):
        train(
            (root, catalog.assign(label=catalog["label"].replace("빨강", "파랑"))), run.path, cache=cache, task=run.task
        )
    with pytest.raises(InputError, match="catalog.hash"):
        train((root, catalog.assign(group=catalog["split"])), run.path, cache=cache)
    assert run.finished


def test_a_folder_with_other_things_is_no_run(colour_data, cache, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="neither empty nor a run folder"):
        train(colour_data, tmp_path, cache=cache)
    (tmp_path / "thesis.txt").rename(tmp_path / ".run.json.part")
    assert not is_done(kf.Run(tmp_path), None)  # a writer was killed here


def test_an_encoder_of_kerashub_takes_no_weights_file(tmp_path):
    with pytest.raises(InputError, match="hub:clip: an encoder of KerasHub comes with its own"):
        starting_weights(kf.TrainConfig(backbone="hub:clip", weights="other.h5"), tmp_path)


def test_catalogs_that_cannot_be_trained_on(colour_data, cache, tmp_path):
    root, catalog = colour_data
    with pytest.raises(InputError, match=r"(?s)45 of 45 rows.*kfashion split"):
        train((root, catalog.assign(split="")), tmp_path / "run", cache=cache)
    with pytest.raises(InputError, match="no 'valid' row"):
        train((root, catalog.assign(split="train")), tmp_path / "run", cache=cache)
    with pytest.raises(InputError, match="'우주복' in 45 rows"):
        train((root, catalog.rename(columns={"label": "style"}).assign(style="우주복")), tmp_path / "run", cache=cache)
    with pytest.raises(InputError, match="stands in 2 splits"):
        train((root, catalog.assign(group="one")), tmp_path / "run", cache=cache)
    assert not (tmp_path / "run").exists()


def test_changed_weights_of_a_run_are_noticed(run, tmp_path):
    shutil.copytree(run.path, tmp_path / "run")
    with open(tmp_path / "run" / "best.weights.h5", "ab") as handle:
        handle.write(b"x")
    with pytest.raises(InputError, match="not the file that training wrote"):
        kf.load_run(tmp_path / "run").weights  # noqa: B018


def test_unknown_keys_in_a_recipe_are_refused(run, tmp_path):
    shutil.copytree(run.path, tmp_path / "run")
    recipe = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    recipe["train"]["momentum"] = 1
    (tmp_path / "run" / "run.json").write_text(json.dumps(recipe), encoding="utf-8")
    with pytest.raises(InputError, match=r"unknown keys \['momentum'\]"):
        kf.load_run(tmp_path / "run").config  # noqa: B018


# Prediction -----------------------------------------------------------------------------------------------------------


def test_prediction_repeats_the_validation_predictions(run, colour_data):
    root, catalog = colour_data
    table = kf.predict(run.path, catalog, root, split="valid", progress=False)
    pd.testing.assert_frame_equal(table, run.predictions, atol=1e-6, check_dtype=False)


def test_several_runs_are_averaged(run, colour_data, cache, tmp_path):
    root, catalog = colour_data
    other = train(colour_data, tmp_path / "run", FROZEN, cache)
    tables = [kf.predict(r, catalog, root, split="valid", progress=False) for r in (run, other)]
    both = kf.predict([run, other], catalog, root, split="valid", progress=False)
    np.testing.assert_allclose(both["label:빨강"], (tables[0]["label:빨강"] + tables[1]["label:빨강"]) / 2, atol=1e-9)


def test_unreadable_pictures_are_counted_and_the_rest_predicted(run, colour_data, tmp_path):
    root, catalog = colour_data
    shutil.copytree(root, tmp_path / "root")
    (tmp_path / "root" / catalog["path"][0]).write_bytes(b"")
    table = kf.predict(run, catalog, tmp_path / "root", progress=False)
    assert len(table) == 44 and table.attrs["failures"]["reason"].tolist() == ["empty"]


def test_views_of_a_photo_are_averaged_unless_rows_are_asked_for(run, colour_data):
    root, catalog = colour_data
    views = catalog[:4].assign(photo=["a", "a", "b", "b"])
    rows = kf.predict(run, views, root, rows=True, progress=False)
    photos = kf.predict(run, views, root, progress=False)
    assert len(rows) == 4 and photos["photo"].tolist() == ["a", "b"]
    np.testing.assert_allclose(photos["label:빨강"][0], rows["label:빨강"][:2].mean())


def test_rows_of_a_photo_with_labels_of_their_own_are_answered_and_judged_by_row(colour_data, cache, tmp_path):
    root, catalog = colour_data
    turn = catalog.groupby(["split", "label"]).cumcount().astype(str)
    mixed = catalog.assign(photo=catalog["split"] + turn)  # a photo has a row of each colour
    mixed["group"] = mixed["photo"]
    run = kf.train(
        mixed, root, tmp_path / "run", preprocess=Preprocess(size=32), config=FROZEN, cache=cache, progress=False
    )
    held = mixed[mixed["split"] == "valid"]
    assert run.by_row == ("label",) and run.metrics["label"]["n"] == len(held) > held["photo"].nunique()
    assert run.metrics["label"]["accuracy"] > 0.9 and run.metrics["label"]["by_row"] is True
    answers = kf.predict(run, mixed, root, split="valid", progress=False)
    assert sorted(answers["id"]) == sorted(held["id"])
    assert kf.evaluate(answers, mixed)["label"]["accuracy"] == run.metrics["label"]["accuracy"]


@pytest.fixture(scope="module")
def boxed_run(colour_data, cache, tmp_path_factory):
    """(catalog with a box in every row, a run that cuts to it)."""
    root, catalog = colour_data
    boxed = catalog.assign(left=2.0, top=2.0, right=40.0, bottom=50.0, region="hand")
    recipe = Preprocess(size=32, crop="box")
    folder = tmp_path_factory.mktemp("boxed") / "run"
    return boxed, kf.train(boxed, root, folder, preprocess=recipe, config=FROZEN, cache=cache, progress=False)


def test_pictures_without_the_recipes_region_are_refused(colour_data, boxed_run):
    root, catalog = colour_data
    _, run = boxed_run
    assert run.recipe["regions"] == {"hand": 1.0} and run.metrics["label"]["regions"] == {"hand": 1.0}
    with pytest.raises(InputError, match="100% of the pictures lack the region.*allow_missing_regions=True"):
        kf.predict(run, catalog, root, progress=False)
    assert len(kf.predict(run, catalog, root, allow_missing_regions=True, progress=False)) == 45


def test_wrong_splits_and_tasks_are_refused(run, colour_data):
    root, catalog = colour_data
    with pytest.raises(InputError, match="no row with split 'test'"):
        kf.predict(run, catalog, root, split="test", progress=False)
    with pytest.raises(InputError, match="not a finished run"):
        kf.predict("nowhere", catalog, root)


# Features and inputs --------------------------------------------------------------------------------------------------


@pytest.fixture
def featured(colour_data, tmp_path):
    root, catalog = colour_data
    prepared = kf.preprocess_images(catalog, root, tmp_path, RECIPE, progress=False, workers=1)
    model = build_model(Task("t", (Head("label", ("a", "b")),)), "tiny", 32)
    return model, prepared, catalog["id"].tolist(), tmp_path


def test_features_are_computed_once_for_every_row_and_view(featured):
    model, prepared, ids, cache = featured
    some = np.asarray(compute_features(model, prepared, ids[:10], cache, progress=False))
    every = compute_features(model, prepared, ids[::-1], cache, progress=False)
    np.testing.assert_array_equal(np.asarray(every)[::-1][:10], some)
    np.testing.assert_array_equal(every.take(np.array([44, 40])), some[[0, 4]])
    assert len(list(cache.glob("features/*/original/*.features"))) == 2
    views = [
        np.asarray(compute_features(model, prepared, ids[:10], cache, view, progress=False))
        for view in variant_names(4)
    ]
    for number, view in enumerate(views[1:], 1):
        assert np.abs(view - some).max() > 0 and np.abs(view - views[number - 1]).max() > 0
    again = compute_features(model, prepared, ids[9:4:-1], cache / "elsewhere", "light-1", progress=False)
    np.testing.assert_allclose(
        np.asarray(again)[::-1], views[2][5:], atol=1e-5
    )  # a view is of the picture, not of its place in a call
    other = build_model(Task("t", (Head("label", ("a", "b")),)), "tiny", 32, seed=5)
    assert np.abs(np.asarray(compute_features(other, prepared, ids[:10], cache, progress=False)) - some).max() > 0


def test_damaged_features_are_computed_again_and_repeated_rows_once(featured, monkeypatch):
    model, prepared, ids, cache = featured
    monkeypatch.setattr(features, "CHUNK", 20)
    before = np.asarray(compute_features(model, prepared, ids, cache, progress=False))
    chunks = sorted(cache.glob("features/*/original/*.features"))
    assert len(chunks) == 3
    for path, size in zip(chunks, (3, 400, 3000), strict=True):
        path.write_bytes(path.read_bytes()[:size])
    np.testing.assert_allclose(
        np.asarray(compute_features(model, prepared, ids * 2, cache, progress=False)),
        np.tile(before, (2, 1)),
        atol=1e-5,
    )


def test_the_same_weights_under_another_path_continue_a_run(colour_data, cache, tmp_path):
    base = build_base("tiny", 32)
    for name in ("a", "b"):
        base.save_weights(tmp_path / f"{name}.weights.h5")
    shutil.copyfile(tmp_path / "a.weights.h5", tmp_path / "b.weights.h5")
    first, again = (kf.TrainConfig(backbone="tiny", weights=str(tmp_path / f"{name}.weights.h5")) for name in "ab")
    train(colour_data, tmp_path / "run", first, cache)
    assert train(colour_data, tmp_path / "run", again, cache).finished


def test_a_failed_start_leaves_no_run(colour_data, cache, tmp_path):
    build_base("mobilenet_025", 32).save_weights(tmp_path / "other.weights.h5")
    config = kf.TrainConfig(backbone="tiny", weights=str(tmp_path / "other.weights.h5"))
    with pytest.raises(InputError, match="does not fit 'tiny'"):
        train(colour_data, tmp_path / "run", config, cache)
    root, catalog = colour_data
    for split in ("train", "valid"):
        unlabelled = catalog.assign(label=catalog["label"].where(catalog["split"] != split, ""))
        with pytest.raises(InputError, match=f"no '{split}' row has a label"):
            train(
                (root, unlabelled),
                tmp_path / "run",
                cache=cache,
                task=Task("t", (Head("label", tuple(sorted(set(catalog["label"])))),)),
            )
    assert not (tmp_path / "run").exists()


def test_runs_with_different_crops_predict_what_both_can_read(run, colour_data, boxed_run):
    root, _ = colour_data
    boxed, other = boxed_run
    outside = boxed.copy()
    outside.loc[0, ["left", "right"]] = [500.0, 600.0]
    table = kf.predict([run, other], outside, root, progress=False)
    assert len(table) == 44 and table.attrs["failures"]["reason"].tolist() == ["region outside"]
