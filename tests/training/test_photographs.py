"""Photographs asked directly: what `predict` says of a catalog with the same pictures, without one."""

import io
import subprocess
import sys

import numpy as np
import pytest
from conftest import train_colours
from PIL import Image

import kfashion_utils as kf
from kfashion_utils.__main__ import main
from kfashion_utils.training.requirements import require_regions


@pytest.fixture(scope="module")
def run(colour_data, tmp_path_factory):
    config = kf.TrainConfig(backbone="tiny", fine_tune_epochs=2, batch_size=8)
    return kf.load_run(train_colours(colour_data, tmp_path_factory.mktemp("runs") / "run", config).path)


def scores(table):
    return table.filter(like=":").to_numpy()


def test_they_are_answered_as_the_rows_of_a_catalog(run, colour_data):
    root, catalog = colour_data
    rows = catalog.head(5)
    expected = scores(kf.predict(run, rows, root, progress=False))
    paths = [root / path for path in rows["path"]]
    found = run.predict(paths)
    assert found["id"].tolist() == rows["id"].tolist() and found["label"].tolist()
    np.testing.assert_allclose(scores(found), expected, atol=1e-6)
    np.testing.assert_allclose(scores(run.predict(paths[2])), expected[2:3], atol=1e-6)
    several = kf.predict_photographs([run, run.path], paths)
    np.testing.assert_allclose(scores(several), expected, atol=1e-6)
    uniform = kf.predict(run, rows, root, prior="uniform", progress=False)
    np.testing.assert_allclose(scores(run.predict(paths, prior="uniform")), scores(uniform), atol=1e-6)


def test_bytes_arrays_and_pillows_pictures_are_the_same_picture(run, colour_data):
    root, catalog = colour_data
    path = root / catalog["path"][0]
    expected = scores(run.predict(path))
    picture = Image.open(path)
    for form in (path.read_bytes(), picture, np.asarray(picture.convert("RGB")), str(path)):
        np.testing.assert_allclose(scores(run.predict(form)), expected, atol=1e-6)
    assert run.predict([picture, picture])["id"].tolist() == ["picture_0", "picture_1"]


def test_a_folder_is_all_that_is_in_it(run, colour_data, tmp_path):
    root, catalog = colour_data
    assert len(run.predict(root, progress=False)) == len(catalog)
    with pytest.raises(kf.InputError, match="holds no picture"):
        (tmp_path / "text.txt").write_text("x")
        run.predict(tmp_path)


@pytest.mark.parametrize(
    "picture", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8), []], ids=str
)
def test_what_is_no_picture_is_refused(run, picture):
    with pytest.raises(kf.InputError, match=r"a picture is uint8 RGB|no picture was named"):
        run.predict(picture)


def test_the_shell_prints_three_answers_and_the_code_tells_of_a_bad_one(
    run, colour_data, tmp_path, capsys, monkeypatch
):
    root, catalog = colour_data
    good, bad = root / catalog["path"][0], tmp_path / "bad.jpg"
    bad.write_bytes(b"\xff\xd8\xff no")
    assert main(["predict", str(run.path), str(good), "--out", str(tmp_path / "p.csv")]) == 0
    line, written = capsys.readouterr().out.splitlines()
    assert line.startswith(f"{good}: ") and line.count("%") == 3 and "p.csv: 1 predictions" in written
    assert len(kf.read_predictions(tmp_path / "p.csv")) == 1
    assert main(["predict", str(run.path), str(good), str(bad)]) == 2
    told = capsys.readouterr()
    assert str(good) in told.out and f"{bad}: broken" in told.err and "1 pictures are answered" in told.err
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{good}\n\n{good}\n"))
    assert main(["predict", str(run.path), "-"]) == 0
    assert capsys.readouterr().out.count(str(good)) == 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["no-run", "photo.jpg"], "none of no-run, photo.jpg is a run's folder"),
        (["RUN"], "name pictures or a folder after the run"),
        (["RUN", "none.jpg"], "none of 1 pictures could be read"),
        (["RUN", "--catalog", "kf.csv"], "--catalog needs --root"),
    ],
)
def test_mistakes_are_one_message(run, words, told, capsys):
    assert main(["predict", *[str(run.path) if word == "RUN" else word for word in words]]) == 2
    assert told in capsys.readouterr().err


def test_a_recipe_that_reads_regions_says_what_it_had_to_do_without(boxed, colour_data, capsys):
    root, catalog = colour_data
    answers = boxed.predict(root / catalog["path"][0])
    assert len(answers) == 1
    assert "cut by box, which nobody has drawn in" in capsys.readouterr().out


@pytest.fixture(scope="module")
def boxed(colour_data, tmp_path_factory):
    root, catalog = colour_data
    drawn = catalog.assign(left=2.0, top=2.0, right=40.0, bottom=50.0, region="annotation")
    folder = tmp_path_factory.mktemp("boxed") / "run"
    config = kf.TrainConfig(backbone="tiny", fine_tune_epochs=1, batch_size=8)
    kf.train(drawn, root, folder, preprocess=kf.Preprocess(size=32, crop="box"), config=config, progress=False)
    return kf.load_run(folder)


def test_loading_a_run_loads_no_keras(run):
    code = f"import sys, kfashion_utils as kf; kf.load_run({str(run.path)!r}); assert 'keras' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_box_drawn_by_hand_serves_a_crop(colour_data, tmp_path):
    """It is what a catalog's row with that box gives; where there is none, one line says so and nothing is refused."""
    root, catalog = colour_data
    boxed = catalog.assign(left=2.0, top=3.0, right=25.0, bottom=28.0, region="annotation", polygon="")
    recipe = kf.Preprocess(size=32, crop="box", mask="polygon")
    config = kf.TrainConfig(backbone="tiny", fine_tune_epochs=1)
    run = kf.train(boxed, root, tmp_path / "run", preprocess=recipe, config=config, progress=False, workers=1)
    rows, path = boxed.head(2).assign(region="hand"), str(root / catalog["path"][0])
    expected = scores(kf.predict(run, rows, root, progress=False, allow_missing_regions=True))
    box = (2, 3, 25, 28)
    np.testing.assert_allclose(scores(run.predict(path, boxes=box)), expected[:1], atol=1e-6)
    paths = [str(root / name) for name in rows["path"]]
    np.testing.assert_allclose(scores(run.predict(paths, boxes=[box, box])), expected, atol=1e-6)
    whole = scores(run.predict(paths, boxes=[box, None]))
    np.testing.assert_allclose(whole[0], expected[0], atol=1e-6)
    assert not np.allclose(whole[1], expected[1], atol=1e-4)
    for wrong in ([box], (1, 2, 3), (9, 9, 1, 1), (0, 0, float("nan"), 1)):
        with pytest.raises(kf.InputError, match="boxes for 2 pictures|a box is|1 boxes"):
            run.predict(paths if wrong == [box] else path, boxes=wrong)


def test_what_has_to_be_done_without_is_said(run, boxed, colour_data, tmp_path, capsys):
    root, catalog = colour_data
    path = root / catalog["path"][0]
    boxed.predict(path, boxes=(1, 1, 20, 20))
    assert capsys.readouterr().out == ""
    run.predict(path, boxes=(1, 1, 20, 20))
    assert "trained on whole pictures: boxes are not read" in capsys.readouterr().out
    masked = kf.Preprocess(size=32, crop="box", mask="polygon")
    with pytest.raises(kf.InputError, match="none of 45 rows has one: every picture would stay whole"):
        kf.train(catalog, root, tmp_path / "none", preprocess=masked, config=kf.TrainConfig(backbone="tiny"))
    require_regions(catalog.assign(left=2.0, top=3.0, right=25.0, bottom=28.0), masked)
    assert "masked by their boxes" in capsys.readouterr().out
