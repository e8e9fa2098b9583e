"""Predictions tables: what the header says, what stands beside it, and how rows of a photo are answered."""

import json

import numpy as np
import pandas as pd
import pytest

import kfashion_utils as kf
from kfashion_utils.errors import InputError
from kfashion_utils.tables.labels import Head, Task
from kfashion_utils.tables.predictions import (
    average_photos,
    prediction_heads,
    prediction_table,
    provenance,
    row_heads,
    split_column,
    with_failures,
    with_provenance,
)

PART = Head("part", ("top", "bottom", "dress"))
TAGS = Head("tags", ("warm", "cold"), multi=True)
LOOK = Head("look", ("a", "b", "c", "d"), parents=("x", "x", "y", "y"))
TASK = Task("t", (LOOK, PART, TAGS))


def table_of(task, scores, photos=None):
    ids = [f"r{number}" for number in range(len(scores))]
    rows = pd.DataFrame({"id": ids, "photo": photos or ids})
    return prediction_table(task, rows, np.asarray(scores, float))


# Header ---------------------------------------------------------------------------------------------------------------


def test_the_header_says_which_classes_exclude_each_other():
    table = table_of(Task("t", (PART, TAGS)), [[0.2, 0.5, 0.3, 0.7, 0.3003]])
    assert list(table.columns)[2:] == [
        "part", "tags", "part:top", "part:bottom", "part:dress", "tags+warm", "tags+cold",
    ]  # fmt: skip
    table.attrs.clear()  # one row whose values add up nearly to 1, from its header alone
    assert [(head.name, head.multi) for head in prediction_heads(table)] == [("part", False), ("tags", True)]
    assert table["tags"].tolist() == ["warm"]


def test_class_names_may_hold_the_signs_and_heads_not():
    assert split_column("size:+1:2") == ("size", ":", "+1:2") and split_column("tags+a:b") == ("tags", "+", "a:b")
    head = Head("size", ("+1", "a:b"), multi=True)
    table = table_of(Task("t", (head,)), [[0.9, 0.1]])
    table.attrs.clear()
    assert prediction_heads(table) == [head]
    for name in ("a+b", "a:b"):
        with pytest.raises(InputError, match="text without ':' and '\\+'"):
            Head(name, ("x", "y"))


def old_table(tmp_path, values="0.9,0.8", label="x|y"):
    path = tmp_path / "old.csv"
    path.write_text(f"id,photo,tags,tags:x,tags:y\n1,1,{label},{values}\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("values, label", [("0.9,0.8", "x|y"), ("0.1,0.2", "-"), ("0.7,0.2", "x")])
def test_an_old_table_with_several_labels_is_refused_with_the_command_that_makes_it_anew(values, label, tmp_path):
    catalog = pd.DataFrame({"id": ["1"], "path": "a.jpg", "photo": "1", "group": "1", "region": "", "tags": "x"})
    with pytest.raises(InputError, match=r"(?s)kfashion predict RUN --catalog FILE.*head 'tags'"):
        kf.evaluate(kf.read_predictions(old_table(tmp_path, values, label)), catalog)


def test_an_old_table_of_single_labels_stays_readable_and_a_run_knows_its_task(tmp_path):
    (head,) = prediction_heads(kf.read_predictions(old_table(tmp_path, "0.7,0.3", "x")))
    assert head == Head("tags", ("x", "y"))
    task = Task("t", (Head("tags", ("x", "y"), multi=True),))
    table = kf.read_predictions(old_table(tmp_path), task)
    assert list(table.columns) == ["id", "photo", "tags", "tags+x", "tags+y"]
    assert prediction_heads(table) == list(task.heads)


# Beside the table -----------------------------------------------------------------------------------------------------


def told(name, **facts):
    return {"runs": [{"run": name}], "prior": None, "thresholds": False, "by_row": [], **facts}


def test_parents_of_a_custom_task_survive_writing_and_reading(tmp_path):
    table = with_provenance(table_of(Task("t", (LOOK,)), [[0.4, 0.1, 0.3, 0.2], [0.1, 0.2, 0.3, 0.4]]), told("a"))
    kf.write_predictions(table, tmp_path / "p.csv")
    again = kf.read_predictions(tmp_path / "p.csv")
    assert prediction_heads(again) == [LOOK] and provenance(again) == told("a")
    catalog = pd.DataFrame({"id": ["r0", "r1"], "photo": ["r0", "r1"], "group": "", "region": "", "look": ["b", "a"]})
    assert kf.evaluate(again, catalog)["look"]["parent_accuracy"] == 0.5


def test_a_vote_names_the_runs_of_all_members(tmp_path):
    task = Task("t", (PART,))
    one = with_provenance(table_of(task, [[0.6, 0.3, 0.1]]), told("one"))
    two = with_provenance(table_of(task, [[0.2, 0.7, 0.1]]), told("two", prior="uniform"))
    three = table_of(task, [[0.1, 0.1, 0.8]])
    both = kf.ensemble([one, two], weights=[3, 1])
    facts = provenance(both)
    assert [run["run"] for run in facts["runs"]] == ["one", "two"] and facts["prior"] == [None, "uniform"]
    assert facts["votes"] == [{"runs": ["one"], "weight": 0.75}, {"runs": ["two"], "weight": 0.25}]
    kf.write_predictions(both, tmp_path / "p.csv")
    assert provenance(kf.read_predictions(tmp_path / "p.csv")) == facts
    assert provenance(kf.ensemble([both, three]))["members_of_unknown_origin"] == 1
    assert provenance(kf.temper(both, {"part": 2.0}))["temperatures"] == {"part": 2.0}


def test_what_belongs_to_another_table_is_not_believed(tmp_path):
    task, path = Task("t", (PART,)), tmp_path / "p.csv"
    kf.write_predictions(with_provenance(table_of(task, [[0.6, 0.3, 0.1]]), told("one")), path)
    other = table_of(task, [[0.1, 0.3, 0.6]])
    other.to_csv(path, index=False)  # written over by other means
    assert provenance(kf.read_predictions(path)) == {}
    kf.write_predictions(with_provenance(other, told("two")), path)
    kf.write_predictions(table_of(task, [[0.6, 0.3, 0.1]]), path)
    assert not kf.provenance_path(path).exists()


def test_tables_with_failures_can_be_put_together():
    task = Task("t", (PART,))
    tables = [
        with_failures(table_of(task, [[0.6, 0.3, 0.1]]), pd.DataFrame({"id": [name], "reason": "empty"}))
        for name in "ab"
    ]
    assert len(pd.concat(tables)) == 2 and tables[0].attrs["failures"]["reason"].tolist() == ["empty"]


def test_a_submission_carries_the_provenance_of_a_vote(tmp_path, monkeypatch, capsys):
    from kfashion_utils.__main__ import main

    monkeypatch.chdir(tmp_path)
    task = Task("t", (PART,))
    facts = {"backbone": "tiny", "weights": "none", "reads_regions": False, "regions_here": {"none": 1.0}}
    members = [
        with_provenance(table_of(task, [[0.6, 0.3, 0.1]]), told(name, runs=[{"run": name, **facts}]))
        for name in ("one", "two")
    ]
    kf.write_predictions(kf.ensemble(members), "p.csv")
    pd.DataFrame({"id": ["r0"], "part": "top"}).to_csv("t.csv", index=False)
    assert main(["submit", "p.csv", "--template", "t.csv", "--out", "s.csv"]) == 0
    assert "one: tiny" in capsys.readouterr().out
    rules = json.loads((tmp_path / "s.provenance.json").read_text())
    assert [run["run"] for run in rules["runs"]] == ["one", "two"]
    table_of(task, [[0.1, 0.3, 0.6]]).to_csv("p.csv", index=False)  # other answers under the same name
    assert main(["submit", "p.csv", "--template", "t.csv", "--out", "s.csv"]) == 0
    assert not (tmp_path / "s.provenance.json").exists()


# Rows of a photo ------------------------------------------------------------------------------------------------------


def garments():
    """Two garments of one photo and one of another: a perfect model of `part`; `look` is the photo's, written once."""
    parts = np.array([[0.9, 0.1, 0], [0.2, 0.8, 0], [0, 0, 1.0]])
    looks = np.array([[0.2, 0.6, 0.1, 0.1], [0.6, 0.2, 0.1, 0.1], [0.1, 0.1, 0.1, 0.7]])
    table = table_of(Task("t", (LOOK, PART)), np.concatenate([looks, parts], axis=1), ["p", "p", "q"])
    catalog = pd.DataFrame({"id": table["id"], "photo": table["photo"], "group": "", "region": "", "path": "x"})
    return table, catalog.assign(part=["top", "bottom", "dress"], look=["", "a", "d"])


def test_a_head_whose_label_differs_between_rows_of_a_photo_is_judged_by_row():
    table, catalog = garments()
    assert row_heads(catalog, [LOOK, PART]) == ["part"]
    figures = kf.evaluate(table, catalog)
    assert figures["part"]["accuracy"] == 1.0 and figures["part"]["n"] == 3 and figures["part"]["by_row"]
    # the other head is the photo's: the mean of its rows, against the label that one of them has
    assert figures["look"]["n"] == 2 and "by_row" not in figures["look"] and figures["look"]["accuracy"] == 1.0
    assert "3 rows" in kf.describe(figures["part"]) and "2 photos" in kf.describe(figures["look"])
    scores = kf.score_intervals(table, catalog).set_index(["head", "figure"])
    assert scores.loc[("part", "accuracy"), "n"] == 3 and scores.loc[("look", "accuracy"), "n"] == 2


def test_answers_by_row_stay_and_the_others_are_the_photos():
    table, catalog = garments()
    averaged = kf.ensemble([table])  # one table stays as it is
    pd.testing.assert_frame_equal(averaged, table)
    answers = average_photos(table, ["part"])
    assert answers["id"].tolist() == ["r0", "r1", "r2"] and answers["part"].tolist() == ["top", "bottom", "dress"]
    assert answers["look"].tolist() == ["a", "a", "d"] and answers["look:a"].tolist()[:2] == pytest.approx([0.4, 0.4])
    assert kf.evaluate(answers, catalog) == kf.evaluate(table, catalog)
    assert average_photos(table)["id"].tolist() == ["r0", "r2"]


def test_a_mean_is_judged_by_the_labels_of_all_rows_of_its_photo():
    table, catalog = garments()
    averaged = average_photos(table)  # named by the first row, whose look nobody wrote down
    figures = kf.evaluate(averaged, catalog)
    assert figures["look"] == kf.evaluate(table, catalog)["look"]
    assert figures["part"]["by_row"]  # such a mean can only be judged as the answer to the row it is named by


def test_one_head_of_a_table_keeps_its_parents():
    table, _ = garments()
    assert prediction_heads(table[["id", "photo", "look", *LOOK.columns]]) == [LOOK]


def test_rows_asked_for_are_rows_for_every_head():
    table, catalog = garments()
    figures = kf.evaluate(table, catalog, rows=True)
    assert figures["look"]["n"] == 2 and figures["part"]["n"] == 3 and "by_row" not in figures["part"]


def test_a_template_that_names_photos_is_told_that_rows_are_answered(tmp_path):
    table, _ = garments()
    table = with_provenance(table, told("a", by_row=["part"]))
    template = pd.DataFrame({"id": ["p.jpg", "r2"], "part": "top", "look": "a"})
    template.to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(InputError, match="'p.jpg' is a photo whose rows are answered one by one"):
        kf.write_submission(table, tmp_path / "t.csv", tmp_path / "s.csv")
    pd.DataFrame({"id": ["r1", "r2", "r0"], "part": "top", "look": "a"}).to_csv(tmp_path / "t.csv", index=False)
    written = kf.write_submission(table, tmp_path / "t.csv", tmp_path / "s.csv")
    assert written["part"].tolist() == ["bottom", "dress", "top"] and written["look"].tolist() == ["a", "d", "a"]
