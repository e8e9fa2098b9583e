"""A test picture that could not be read: submit says so, and writes a whole file where a fallback is named."""

import json

import cv2
import numpy as np
import pandas as pd
import pytest

import kfashion_utils as kf
from kfashion_utils.__main__ import main
from kfashion_utils.errors import InputError
from kfashion_utils.tables.labels import Head, Task
from kfashion_utils.tables.predictions import prediction_table, with_failures, with_provenance
from kfashion_utils.tables.tasks import STYLE

SIZE = (32, 32, 3)


# The whole way --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Class folders of pictures 0.jpg … and a test folder with the same names, one cut; a run, and predictions."""
    folder = tmp_path_factory.mktemp("field")
    for split, label, count in (("train", "빨강", 8), ("train", "파랑", 12), ("test", "", 4)):
        for number in range(count):
            pixels = np.full(SIZE, (200, 40, 40) if label == "파랑" or number % 2 else (40, 40, 200), np.uint8)
            pixels[: number + 2] = np.random.default_rng(number + 99 * count).integers(0, 255, (number + 2, *SIZE[1:]))
            path = folder / "data" / split / label / f"{number}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imencode(".jpg", pixels)[1].tofile(path)
    cut = folder / "data" / "test" / "2.jpg"
    cut.write_bytes(cut.read_bytes()[:300])
    catalog, _ = kf.build_catalog("folders", folder / "data")
    train = catalog.index[catalog["split"] == "train"]
    catalog.loc[train[::4], "split"] = "valid"
    config = kf.TrainConfig(backbone="tiny", fine_tune_epochs=0)
    places = {"cache": folder / "cache", "workers": 1, "progress": False}
    recipe = kf.Preprocess(size=32)
    run = kf.train(catalog, folder / "data", folder / "run", preprocess=recipe, config=config, **places)
    table = kf.predict(run, catalog, folder / "data", split="test", **places)
    kf.write_predictions(table, folder / "p.csv")
    (folder / "t.csv").write_text("filename,label\n" + "".join(f"{number}.jpg,0\n" for number in range(4)))
    return folder


def submit(folder, monkeypatch, *words):
    monkeypatch.chdir(folder)
    (folder / "s.csv").unlink(missing_ok=True)
    return main(["submit", "p.csv", "--template", "t.csv", "--out", "s.csv", *words])


def test_the_shell_says_which_picture_could_not_be_read_and_what_helps(folder, monkeypatch, capsys):
    assert submit(folder, monkeypatch) == 2
    said = capsys.readouterr().err
    assert "'2.jpg' could not be read: broken (truncated" in said and "unknown id" not in said
    assert "--fallback majority" in said and "(1 problem)" in said and not (folder / "s.csv").exists()


@pytest.mark.parametrize(
    ("fallback", "index"), [("majority", "1"), ("빨강", "0"), ("파랑", "1"), ("0", "0"), ("1", "1")]
)
def test_a_fallback_writes_a_whole_file_and_says_what_is_no_prediction(folder, fallback, index, monkeypatch, capsys):
    assert submit(folder, monkeypatch, "--fallback", fallback) == 0
    lines = (folder / "s.csv").read_text().splitlines()
    assert len(lines) == 5 and lines[3] == f"2.jpg,{index}"
    answers = kf.read_predictions(folder / "p.csv")["label"]
    assert [line[-1] for line in lines[1:] if line[0] != "2"] == [str(int(name == "파랑")) for name in answers]
    label = ("빨강", "파랑")[int(index)]
    assert f"1 of 4 rows is not a prediction but the fallback label = '{label}'" in capsys.readouterr().out
    told = json.loads((folder / "s.provenance.json").read_text(encoding="utf-8"))
    assert told["fallback"]["rows"] == ["2.jpg"] and told["fallback"]["labels"] == {"label": label}


def test_a_fallback_that_is_no_class_is_refused_with_the_classes(folder, monkeypatch, capsys):
    assert submit(folder, monkeypatch, "--fallback", "hat") == 2
    assert "'hat' is no class of 'label': ['빨강', '파랑']" in capsys.readouterr().err
    assert not (folder / "s.csv").exists()


def test_what_could_not_be_read_travels_beside_the_table_through_a_vote(folder, tmp_path):
    table = kf.read_predictions(folder / "p.csv")
    assert table.attrs["failures"]["path"].tolist() == ["test/2.jpg"]
    for one in (table, kf.ensemble([table, table]), kf.temper(table, {"label": 2.0})):
        with pytest.raises(InputError, match="'2.jpg' could not be read: broken"):
            kf.write_submission(one, folder / "t.csv", tmp_path / "s.csv")
    kf.write_predictions(kf.ensemble([table, table]), tmp_path / "vote.csv")
    result = kf.write_submission(
        kf.read_predictions(tmp_path / "vote.csv"), folder / "t.csv", tmp_path / "s.csv", fallback="majority"
    )
    assert result.attrs["fallback"]["labels"] == {"label": "파랑"}
    assert result.attrs["fallback"]["origin"] == {"label": "most frequent in training"}


# Fallbacks ------------------------------------------------------------------------------------------------------------

LOOK = Head("look", ("a", "b", "c"))
TAGS = Head("tags", ("warm", "cold", "deep"), multi=True)


def predicted(heads, scores, mix=None, failed=("x",)):
    """Predictions of `0`, `1`, …; `mix` = the training mix of their run, `failed` = ids that could not be read."""
    ids = [str(number) for number in range(len(scores))]
    rows = pd.DataFrame({"id": ids, "photo": ids}, dtype=object)
    table = prediction_table(Task("t", tuple(heads)), rows, np.array(scores, float))
    failures = {"id": list(failed), "path": [f"test/{name}.png" for name in failed], "reason": "empty", "detail": ""}
    table = with_failures(table, pd.DataFrame(failures, dtype=object))
    runs = [{"run": "r", "training_mix": one} for one in (mix if isinstance(mix, list) else [mix])]
    return table if mix is None else with_provenance(table, {"runs": runs, "by_row": []})


def filled(table, text, tmp_path, fallback, **options):
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    return kf.write_submission(table, tmp_path / "t.csv", tmp_path / "s.csv", fallback=fallback, **options)


ONE = [[0.8, 0.1, 0.1], [0.7, 0.2, 0.1], [0.1, 0.1, 0.8]]
TEMPLATE = "id,look\nx.jpg,a\n0,a\n1,a\n2,a\n"


def test_majority_is_that_of_the_training_rows_and_of_answers_only_where_these_are_not_known(tmp_path, capsys):
    trained = {"look": {"a": 0.2, "b": 0.5, "c": 0.3}}
    assert filled(predicted([LOOK], ONE, trained), TEMPLATE, tmp_path, "majority")["look"].tolist() == list("baac")
    assert "look = 'b' (most frequent in training): 'x.jpg'" in capsys.readouterr().out
    assert filled(predicted([LOOK], ONE), TEMPLATE, tmp_path, "majority")["look"].tolist() == list("aaac")
    assert "most frequent of these predictions, whose training rows are not known" in capsys.readouterr().out
    two = [trained, {"look": {"a": 0.1, "b": 0.2, "c": 0.7}}]
    assert filled(predicted([LOOK], ONE, two), TEMPLATE, tmp_path, "majority")["look"][0] == "c"


def test_rows_that_nobody_predicted_are_filled_and_named_too(tmp_path, capsys):
    names = "".join(f"n{number}.jpg,a\n" for number in range(8))
    result = filled(predicted([LOOK], ONE), TEMPLATE + names, tmp_path, "c")
    assert result["look"].tolist() == [*"caac", *"c" * 8] and len(result.attrs["fallback"]["rows"]) == 9
    said = capsys.readouterr().out
    assert "9 of 12 rows are not predictions" in said and "'x.jpg', 'n0.jpg'" in said and "and 4 more" in said


def test_a_fallback_mends_nothing_else(tmp_path):
    table = predicted([LOOK], ONE)
    table.loc[1, "look:a"] = np.nan
    with pytest.raises(InputError) as caught:
        filled(table, "id,look\n0,a\n0.jpg,a\n1,a\nx,a\nx.png,a\n", tmp_path, "hat")
    for text in ("'0.jpg' stands in", "'x.png' stands in", "'2' is in the pred", "'1': a probability", "'hat' is no"):
        assert text in str(caught.value)
    assert not (tmp_path / "s.csv").exists()


def test_all_problems_come_together_with_the_remedy(tmp_path):
    with pytest.raises(InputError) as caught:
        filled(predicted([LOOK], ONE, failed=("x", "y")), f"{TEMPLATE}y,hat\nz,a\n", tmp_path, None)
    for text in (
        "'x.jpg' could not be read: empty (the file has no bytes)", "'y' could not be read",
        "'z' is in the template, but not in the predictions (unknown id)", "['hat']", "fallback=majority",
    ):  # fmt: skip
        assert text in str(caught.value)


def test_a_fallback_that_is_not_needed_is_checked_and_said(tmp_path, capsys):
    template = TEMPLATE.replace("x.jpg,a\n", "")
    result = filled(predicted([LOOK], ONE), template, tmp_path, "majority")
    assert "fallback" not in result.attrs and "every row is a prediction" in capsys.readouterr().out
    with pytest.raises(InputError, match="no class of 'look'"):
        filled(predicted([LOOK], ONE), template, tmp_path, "hat")


def test_majority_is_each_heads_own_and_of_several_labels_each_class_that_half_have(tmp_path):
    mix = {"look": {"a": 0.2, "b": 0.5, "c": 0.3}, "tags": {"warm": 0.6, "cold": 0.2, "deep": 0.5}}
    table = predicted([LOOK, TAGS], [[0.8, 0.1, 0.1, 0.9, 0.1, 0.1]], mix)
    template = "id,tags,look\nx,warm,a\n0,warm,a\n"
    result = filled(table, template, tmp_path, "majority")
    assert result.to_numpy().tolist() == [["x", "warm|deep", "b"], ["0", "warm", "a"]]
    none = {"look": mix["look"], "tags": {"warm": 0.1, "cold": 0.2, "deep": 0.3}}
    assert filled(table, template, tmp_path, "majority").attrs["fallback"]["labels"]["look"] == "b"
    result = filled(predicted([LOOK, TAGS], [[0.8, 0.1, 0.1, 0.9, 0.1, 0.1]], none), template, tmp_path, "majority")
    assert result["tags"].tolist() == ["-", "warm"]
    for fallback, expected in (("deep|warm", "warm|deep"), ("-", "-"), ("cold", "cold"), ("1", "cold")):
        one = predicted([TAGS], [[0.9, 0.1, 0.1]])
        assert filled(one, "id,tags\nx,warm\n0,warm\n", tmp_path, fallback)["tags"].tolist() == [expected, "warm"]


def test_a_class_must_be_one_of_every_head(tmp_path):
    table = predicted([LOOK, Head("kind", ("a", "z"))], [[0.8, 0.1, 0.1, 0.7, 0.3]])
    template = "id,look,kind\nx,a,a\n0,a,a\n"
    assert filled(table, template, tmp_path, "a")["kind"].tolist() == ["a", "a"]
    with pytest.raises(InputError, match=r"'z' is no class of 'look': \['a', 'b', 'c'\]"):
        filled(table, template, tmp_path, "z")


@pytest.mark.parametrize("fallback", ["로맨틱", "romantic", "1", 1])
@pytest.mark.parametrize(("label", "expected"), [("0", "1"), ("레트로", "로맨틱"), ("retro", "romantic")])
def test_a_fallback_is_understood_in_any_form_and_written_in_the_templates(fallback, label, expected, tmp_path):
    table = predicted([STYLE], [np.eye(23)[2] * 0.5 + 0.5 / 23])
    result = filled(table, f"id,style\nx,{label}\n0,{label}\n", tmp_path, fallback)
    assert result["style"][0] == expected


def test_a_number_that_is_a_class_is_not_taken_for_an_index(tmp_path):
    table = predicted([Head("code", ("1", "2.0", "4"))], ONE)
    template = "id,code\nx,1\n0,1\n1,1\n2,1\n"
    assert filled(table, template, tmp_path, "2")["code"].tolist() == ["2", "1", "1", "4"]
    for fallback, options in (("0", {}), ("1", {"labels": "index"})):
        with pytest.raises(InputError, match=f"'{fallback}' (is no class|may be any)"):
            filled(table, template, tmp_path, fallback, **options)


def test_a_photo_of_which_one_row_could_be_read_is_predicted(tmp_path):
    rows = pd.DataFrame({"id": ["p-top"], "photo": ["p"]}, dtype=object)
    table = prediction_table(Task("t", (LOOK,)), rows, np.array([[0.1, 0.8, 0.1]]))
    failures = {"id": ["p-dress", "q-top", "q-dress"], "photo": ["p", "q", "q"], "reason": "region outside"}
    failures |= {"path": ["test/p.jpg", "test/q.jpg", "test/q.jpg"], "detail": "box"}
    table = with_failures(table, pd.DataFrame(failures))
    result = filled(table, "id,look\np.jpg,a\nq.jpg,a\n", tmp_path, "c")
    assert result["look"].tolist() == ["b", "c"] and result.attrs["fallback"]["rows"] == ["q.jpg"]
    assert filled(table, "id,look\np-top,a\np-dress,a\nq-top,a\n", tmp_path, "c")["look"].tolist() == ["b", "c", "c"]
