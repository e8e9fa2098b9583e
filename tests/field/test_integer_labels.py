"""Integer labels that pandas wrote as `2.0` beside an empty cell, in every table that holds labels or ids."""

import json

import numpy as np
import pandas as pd
import pytest

import kfashion_utils as kf
from kfashion_utils.__main__ import main
from kfashion_utils.errors import InputError
from kfashion_utils.evaluation.label_errors import read_edits
from kfashion_utils.tables.catalog import complete_catalog, hash_catalog
from kfashion_utils.tables.labels import Head, Task
from kfashion_utils.tables.predictions import prediction_table
from kfashion_utils.tables.tasks import resolve_task
from kfashion_utils.training.prior import wanted_shifts
from tests.conftest import picture


def with_labels(values, **columns):
    table = {"id": [f"p{number}" for number in range(len(values))], "path": "x.jpg", "number": values, **columns}
    return complete_catalog(pd.DataFrame(table))


def written_by_pandas(path, values):
    """A catalog file as pandas writes integers with an empty cell."""
    ids = [f"p{number}" for number in range(len(values))]
    table = pd.DataFrame({"id": ids, "path": [f"{name}.png" for name in ids], "split": "train", "number": values})
    table.to_csv(path, index=False)
    return table


@pytest.mark.parametrize(
    ("values", "right"),
    [
        ([0.0, 10.0, np.nan, 2.0], ["0", "10", "", "2"]),
        (["2", "2.0", "2.00", "2."], ["2", "2", "2", "2"]),
        (["0.0|2.0", "2", "-", "2.0|2"], ["0|2", "2", "-", "2"]),
        ([1, 2.0, None, "-"], ["1", "2", "", "-"]),
        (["-1.0", "-0.0", "3"], ["-1", "0", "3"]),
        ([1e16, 2.0], ["10000000000000000", "2"]),
        (pd.array([7, None], dtype="Int64"), ["7", ""]),
        (pd.array([7, None], dtype="float32"), ["7", ""]),
        ([2.5, "2.50", 3.0, "3"], ["2.5", "2.5", "3", "3"]),
        (pd.Categorical([1.0, None, 2.0]), ["1", "", "2"]),
    ],
)
def test_whole_numbers_are_integers(values, right):
    assert with_labels(values)["number"].tolist() == right
    again = complete_catalog(with_labels(values))
    assert again["number"].tolist() == right


@pytest.mark.parametrize(
    "values",
    [
        ["2.0", "2.5", "10.5"],
        ["007", "7"],
        ["NA", "007", "1.0", "null"],
        ["S", "M", "90.0"],
        ["None", "red", "nan"],
        ["nan", "nan"],
        ["1.0", "1.1", "v2.0"],
        ["1e3", "1e4"],
        ["2 ", "2.0x", "|", "a|2.0"],
    ],
)
def test_text_codes_and_decimals_stay_as_they_are(values):
    assert with_labels(values)["number"].tolist() == values


@pytest.mark.parametrize("word", ["nan", "NaN", "None", "<NA>", "NA", "null", "#N/A"])
@pytest.mark.parametrize("numbers", [["1", "2"], ["1.0", "2.0"], ["2.5", "3.0|1.0"]])
def test_an_empty_cell_that_became_a_word_is_refused(word, numbers):
    with pytest.raises(InputError, match=r"(?s)'number' can only be guessed.*leave the cell empty.*row 4: ") as refused:
        with_labels([*numbers, word])
    assert repr(word) in str(refused.value) and "1 problem" in str(refused.value)


@pytest.mark.parametrize(
    "values",
    [
        ["007", "7.0"],
        ["S", "90", "90.0"],
        ["01", "nan"],
        ["12345678901234567", "1.2345678901234568e+16"],
        ["1.23457E+11", "123456789012"],
    ],
)
def test_what_can_only_be_guessed_is_refused(values):
    with pytest.raises(InputError, match="can only be guessed.*") as refused:
        with_labels(values)
    assert f"row {len(values) + 1}" in str(refused.value) or "row 2" in str(refused.value)


def test_photos_and_groups_are_integers_too():
    table = with_labels(list("abc"), photo=["1.0", "", "2"], group=[7.0, None, 7.0])
    assert table["photo"].tolist() == ["1", "p1", "2"] and table["group"].tolist() == ["7", "p1", "7"]
    numbered = complete_catalog(
        {"id": ["1.0", "2.0"], "path": "x"}
    )  # ids are names: theirs and what follows them stays
    assert complete_catalog(numbered)[["photo", "group"]].values.tolist() == [["1.0", "1.0"], ["2.0", "2.0"]]
    with pytest.raises(InputError, match="'group' can only be guessed"):
        with_labels(list("ab"), group=["1", "nan"])


def test_a_file_has_its_classes_in_numeric_order(tmp_path):
    written_by_pandas(tmp_path / "c.csv", [*range(12), None])
    catalog = kf.read_catalog(tmp_path / "c.csv")
    assert resolve_task(None, catalog).heads[0].classes == tuple(map(str, range(12)))
    kf.write_catalog(catalog, tmp_path / "again.csv")
    assert hash_catalog(kf.read_catalog(tmp_path / "again.csv")) == hash_catalog(catalog)
    sizes = with_labels(["10.5", "2.5", "9.0"], split="train")
    assert resolve_task(None, sizes).heads[0].classes == ("2.5", "9.0", "10.5")


# Tasks and runs of before ---------------------------------------------------------------------------------------------

OLD = Task("number", (Head("number", ("0.0", "1.0", "10.0")),))


def test_an_old_task_reads_the_catalog_of_today():
    catalog = with_labels([0.0, 1.0, 10.0, None])
    encoded = OLD.encode(catalog)
    assert np.nanargmax(encoded[:3], axis=1).tolist() == [0, 1, 2] and np.isnan(encoded[3]).all()
    assert Head("k", ("2", "2.0", "3")).encode(["2.0", "3.0"]).argmax(axis=1).tolist() == [1, 2]
    with pytest.raises(InputError, match="unknown class '7'"):
        OLD.encode(with_labels(["7"]))
    answers = prediction_table(OLD, catalog, np.eye(3)[[0, 1, 1, 2]])
    figures = kf.evaluate(answers, catalog)["number"]
    assert figures["n"] == 3 and figures["accuracy"] == pytest.approx(2 / 3)


def test_a_run_of_before_is_loaded_and_answers(tmp_path):
    for number in range(8):
        colour = ((220, 30, 30), (30, 30, 220))[number % 2]
        picture(tmp_path / f"p{number}.png", (40, 40), colour, seed=number)
    table = written_by_pandas(tmp_path / "c.csv", [number % 2 for number in range(7)] + [None])
    table["split"] = ["train"] * 4 + ["valid"] * 3 + ["test"]
    config = kf.TrainConfig(backbone="tiny", fine_tune_epochs=1, batch_size=4)
    task = Task("number", (Head("number", ("0.0", "1.0")),))
    run = kf.train(
        table, tmp_path, tmp_path / "run", preprocess=kf.Preprocess(size=32), config=config, task=task, progress=False
    )
    answers = kf.predict(run, complete_catalog(table), tmp_path, progress=False)
    assert set(answers["number"]) <= {"0.0", "1.0"} and len(answers) == 8
    assert kf.evaluate(run.predictions, run.catalog)["number"]["n"] == 3


def test_a_class_mix_may_be_written_either_way():
    class Learned:
        path, task, fit = "run", OLD, {}
        prior = {"number": {name: {"0.0": 0.2, "1.0": 0.3, "10.0": 0.5} for name in ("train", "model")}}

    for names in (("0", "1", "10"), ("0.0", "1.0", "10.0"), ("0.00", "1", "10.0")):
        shifts = wanted_shifts(Learned, dict(zip(names, (0.2, 0.3, 0.5), strict=True)), False)
        assert shifts["number"] == pytest.approx(0)
    with pytest.raises(InputError, match="class '7' is unknown"):
        wanted_shifts(Learned, {"0": 0.2, "1": 0.3, "7": 0.5}, False)


# Other tables ---------------------------------------------------------------------------------------------------------


def test_edits_with_decimals_fit_a_catalog_of_integers(tmp_path):
    catalog = complete_catalog({"id": ["1", "2", "3"], "path": "x", "number": ["4", "5", ""], "size": ["S", "90", "M"]})
    edits = pd.DataFrame(
        {
            "id": [1.0, 2.0, 3.0, 3.0],
            "column": ["number", "number", "number", "size"],
            "label": [4.0, 5.0, None, "M"],
            "suggestion": [5.0, None, 6.0, "90.0"],
        }
    )
    edits.to_csv(tmp_path / "e.csv", index=False)
    edited = kf.apply_edits(catalog, read_edits(tmp_path / "e.csv"))
    assert edited["number"].tolist() == ["5", "", "6"] and edited["size"].tolist() == ["S", "90", "90"]
    assert kf.apply_edits(catalog, edits).equals(edited)
    with pytest.raises(InputError, match="was '9.0' when the table was made and is '4' now"):
        kf.apply_edits(catalog, edits[:1].assign(label="9.0"))


def test_predictions_have_the_labels_of_their_header(tmp_path):
    text = "id,photo,number,number:2,number:10\na,a,2.0,.7,.3\nb,b,10.0,.2,.8\n"
    (tmp_path / "p.csv").write_text(text)
    assert kf.read_predictions(tmp_path / "p.csv")["number"].tolist() == ["2", "10"]
    (tmp_path / "p.csv").write_text(text.replace("number:2", "number:2.0"))
    assert kf.read_predictions(tmp_path / "p.csv")["number"].tolist() == ["2.0", "10"]


def test_near_duplicates_with_decimals_are_found(tmp_path):
    ids = [str(number) for number in range(12)]
    split = ["train"] * 4 + ["test"] * 8
    catalog = complete_catalog({"id": ids, "path": "x", "number": ["1", "2"] * 6, "split": split})
    task = Task("number", (Head("number", ("1", "2")),))
    answers = prediction_table(task, catalog[4:], np.eye(2)[[0, 1] * 4])
    near = pd.DataFrame({"a": [4.0, 5.0], "b": [0.0, 1.0]})
    scores = kf.score_intervals(answers, catalog, near=near, draws=10)
    assert scores.loc[scores["photos"] == "near-duplicates", "n"].max() == 2
    with pytest.raises(InputError, match=r"(?s)one of a pair is missing.*row 3"):
        kf.score_intervals(answers, catalog, near=near.assign(b=[0.0, np.nan]), draws=10)


@pytest.mark.parametrize("word", ["nan", "None"])
def test_the_command_names_file_row_and_remedy(tmp_path, capsys, word):
    (tmp_path / "c.csv").write_text(f"id,path,number\na,a.jpg,1\nb,b.jpg,2.0\nc,c.jpg,{word}\n")
    assert main(["split", str(tmp_path / "c.csv"), "--out", str(tmp_path / "d.csv")]) == 2
    told = capsys.readouterr().err
    assert "c.csv" in told and "row 4" in told and repr(word) in told and "leave the cell empty" in told


# Names that are taken -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("column", "values"), [("style", ["casual", "formal"]), ("Gender", ["M", "F"])])
def test_a_column_named_like_a_known_head_says_so(tmp_path, column, values):
    catalog = complete_catalog({"id": ["a", "b"], "path": "x", "split": "train", column: values})
    with pytest.raises(InputError, match="the name is taken by the task's head") as refused:
        resolve_task(None, catalog)
    told = str(refused.value)
    assert all(repr(value) in told for value in values) and "rename" in told and "task=FILE" in told
    assert all(name in told for name in kf.tables.tasks.HEADS[column].classes)
    example = told[told.index('{"name"') : told.index("}]}") + 3]
    (tmp_path / "task.json").write_text(example, encoding="utf-8")
    assert json.loads(example)["heads"][0]["name"] == column
    task = resolve_task(str(tmp_path / "task.json"), catalog)
    assert task.encode(catalog).sum() == 2


def test_slips_in_a_known_column_are_listed_with_their_rows():
    labels = ["레트로", "로맨틱", "로멘틱", "로멘틱", ""]
    catalog = complete_catalog({"id": list("abcde"), "path": "x", "split": "train", "style": labels})
    with pytest.raises(InputError, match=r"does not fit its classes(?s:.*)'로멘틱' in 2 rows"):
        resolve_task(None, catalog)
    test_rows = catalog.assign(split=["train", "valid", "test", "test", "test"])
    assert resolve_task(None, test_rows).heads[0].name == "style"  # what is not learned from may be anything
