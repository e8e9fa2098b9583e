"""Arrays in, arrays out; and models that stay loaded, told apart by their weights."""

import shutil

import numpy as np
import pytest
from conftest import train_colours as train

import kfashion_utils as kf
from kfashion_utils.errors import InputError
from kfashion_utils.models import model as models
from kfashion_utils.models.model import load_trained
from kfashion_utils.training.answer import answer


def test_a_run_answers_arrays_as_predict_does_and_leaves_nothing_behind(run, colour_data, tmp_path, monkeypatch):
    root, catalog = colour_data
    table = kf.predict(run, catalog, root, progress=False)
    pixels = np.stack([run.preprocess.apply(row["path"], row, root) for row in catalog.to_dict("records")])
    for forbidden in ("tempfile.TemporaryDirectory", "tempfile.mkdtemp", "os.mkdir", "fcntl.flock"):
        monkeypatch.setattr(forbidden, lambda *_, **__: pytest.fail("a folder or a lock"))
    monkeypatch.chdir(tmp_path)
    answers = answer(run, pixels)
    monkeypatch.undo()
    assert answers.dtype == np.float32 and not list(tmp_path.iterdir())
    np.testing.assert_allclose(answers, table[run.task.columns], atol=1e-6)
    np.testing.assert_allclose(answer(run, pixels[3]), answers[3:4], atol=1e-6)  # one picture


def test_the_mirror_image_counts_where_the_run_is_judged_so(colour_data, cache, tmp_path):
    root, catalog = colour_data
    config = kf.TrainConfig(backbone="tiny", fine_tune_epochs=0, weights="none")
    frozen = train(colour_data, tmp_path / "run", config, cache)
    assert frozen.config.judged_variants == 2
    pixels = np.stack([frozen.preprocess.apply(row["path"], row, root) for row in catalog[:4].to_dict("records")])
    np.testing.assert_allclose(answer(frozen, pixels), answer(frozen, pixels[:, :, ::-1]), atol=1e-6)


@pytest.mark.parametrize(
    "shape, dtype", [((2, 32, 32), "uint8"), ((1, 16, 16, 3), "uint8"), ((1, 32, 32, 3), "float32")]
)
def test_other_arrays_are_refused_in_words(shape, dtype, run):
    with pytest.raises(InputError, match=r"answers uint8 \(n, 32, 32, 3\), RGB 0..255"):
        answer(run, np.zeros(shape, dtype))


def test_a_model_is_built_once_however_its_run_is_named(run, colour_data, tmp_path, monkeypatch):
    built = []
    build = models.build_model
    monkeypatch.setattr(models, "build_model", lambda *a, **k: built.append(1) or build(*a, **k))
    monkeypatch.setattr(models, "_KEPT", type(models._KEPT)())
    root, catalog = colour_data
    for name in (run.path, str(run.path), kf.load_run(run.path)):
        kf.predict(name, catalog[:2], root, progress=False)
    assert len(built) == 1
    shutil.copytree(run.path, tmp_path / "copy")
    assert load_trained(kf.load_run(tmp_path / "copy")) is load_trained(run) and len(built) == 1  # the same weights


def test_few_models_stay_loaded(run, monkeypatch):
    monkeypatch.setattr(models, "MOST_KEPT", 2)
    monkeypatch.setattr(models, "_KEPT", type(models._KEPT)())
    first = load_trained(run)
    for number in range(2):
        models._KEPT[number] = object()
    assert load_trained(run) is first and list(models._KEPT)[-1] not in (0, 1)  # what was asked for last stays
    monkeypatch.setattr(models, "_load", lambda *_: object())
    models._KEPT.clear()
    for digest in ("a", "b", "c"):
        monkeypatch.setattr(models, "known_hash", lambda path, digest=digest: digest)
        load_trained(run)
    assert [key[0] for key in models._KEPT] == ["b", "c"]
