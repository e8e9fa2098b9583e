import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

import kfashion_utils as kf
from kfashion_utils.errors import InputError
from kfashion_utils.evaluation.figures import confusion, describe
from kfashion_utils.tables.catalog import complete_catalog
from kfashion_utils.tables.predictions import average_photos
from kfashion_utils.tables.tasks import STYLE


def case(rows=200, seed=0, classes=STYLE.classes, head="style"):
    """A predictions table and its catalog, right more often than not."""
    rng = np.random.default_rng(seed)
    actual = rng.integers(0, 6, rows)  # most classes are absent
    scores = rng.random((rows, len(classes))) + 0.8 * np.eye(len(classes))[actual]
    scores /= scores.sum(axis=1, keepdims=True)
    ids = [f"p{n}" for n in range(rows)]
    answers = np.array(classes)[scores.argmax(axis=1)]
    table = pd.DataFrame({"id": ids, "photo": ids, head: answers.astype(object)})
    table = pd.concat([table, pd.DataFrame(scores, columns=[f"{head}:{name}" for name in classes])], axis=1)
    return table, complete_catalog({"id": ids, "path": "x", head: np.array(classes)[actual]}), actual, scores


def test_figures_agree_with_scikit_learn():
    table, catalog, actual, scores = case()
    figures = kf.evaluate(table, catalog)["style"]
    predicted = scores.argmax(1)
    assert figures["n"] == 200 and figures["classes_present"] == 6
    assert figures["accuracy"] == pytest.approx(metrics.accuracy_score(actual, predicted))
    recalls = [np.mean(predicted[actual == c] == c) for c in range(6)]
    assert figures["balanced_accuracy"] == pytest.approx(np.mean(recalls))
    assert figures["macro_f1"] == pytest.approx(metrics.f1_score(actual, predicted, labels=range(6), average="macro"))
    assert figures["top3"] == pytest.approx(metrics.top_k_accuracy_score(actual, scores, k=3, labels=range(23)))
    assert figures["majority"] == pytest.approx(np.bincount(actual).max() / 200)
    parents = np.array(STYLE.parents)
    sums = np.stack([scores[:, parents == parent].sum(1) for parent in STYLE.parent_names], 1)
    right = np.array(STYLE.parent_names)[sums.argmax(1)] == parents[actual]
    assert figures["parent_accuracy"] == pytest.approx(right.mean())
    assert figures["regions"] == {"none": 1.0}


def test_row_order_does_not_matter_and_unknown_columns_are_ignored():
    table, catalog, *_ = case()
    assert kf.evaluate(table.sample(frac=1, random_state=1), catalog.assign(more="x")) == kf.evaluate(table, catalog)


def test_rows_without_a_label_do_not_count():
    table, catalog, *_ = case()
    catalog.loc[:49, "style"] = ""
    catalog.loc[50:59, "style"] = "-"
    assert kf.evaluate(table, catalog)["style"]["n"] == 140
    with pytest.raises(InputError, match="no row of the evaluated ones has a label"):
        kf.evaluate(table, catalog.assign(style=""))


def test_regions_are_stated():
    table, catalog, *_ = case()
    catalog["region"] = ["annotation"] * 150 + [""] * 50
    figures = kf.evaluate(table, catalog)["style"]
    assert figures["regions"] == {"annotation": 0.75, "none": 0.25}
    assert "annotation 75%" in describe(figures) and "majority baseline" in describe(figures)


def test_photos_are_judged_once_by_the_mean_of_their_rows():
    table, catalog, *_ = case(4)
    table["photo"] = catalog["photo"] = ["a", "a", "b", "b"]
    catalog["style"] = ["레트로", "레트로", "모던", "모던"]
    assert kf.evaluate(table, catalog)["style"]["n"] == 2
    assert kf.evaluate(table, catalog, rows=True)["style"]["n"] == 4
    mean = average_photos(table)
    np.testing.assert_allclose(mean["style:모던"], [table["style:모던"][:2].mean(), table["style:모던"][2:].mean()])


def test_second_labels_count_beside_the_first_where_there_are_any():
    table, catalog, actual, scores = case()
    answers = np.array(STYLE.classes)[scores.argmax(1)]
    assert "main_or_sub" not in kf.evaluate(table, catalog)["style"] and kf.evaluate(
        table, catalog.assign(sub_style="")
    ) == kf.evaluate(table, catalog)
    seconds = np.where(np.arange(200) % 2, answers, "펑크").astype(object)
    plain, figures = (
        kf.evaluate(table, catalog)["style"],
        kf.evaluate(table, catalog.assign(sub_style=seconds))["style"],
    )
    assert (
        figures.pop("main_or_sub") == np.mean((scores.argmax(1) == actual) | (answers == seconds)) > plain["accuracy"]
    )
    assert figures == plain
    said = describe(kf.evaluate(table, catalog.assign(sub_style=answers))["style"])
    assert said.startswith(f"accuracy {plain['accuracy']:.3f}, main or second label 1.000, majority baseline")
    unknown = catalog.assign(style="", sub_style="모던", other="x")
    unknown.loc[:9, "style"] = "모던"
    assert kf.evaluate(table, unknown)["style"]["n"] == 10


def test_second_labels_are_judged_once_a_photo():
    table, catalog, *_ = case(4)
    table["photo"] = catalog["photo"] = ["a", "a", "b", "b"]
    answer = average_photos(table)["style"]
    catalog["sub_style"] = [answer[0]] * 2 + [""] * 2
    catalog["style"] = ["펑크"] * 2 + [answer[1]] * 2
    figures = kf.evaluate(table, catalog)["style"]
    assert (figures["n"], figures["accuracy"], figures["main_or_sub"]) == (2, 0.5, 1.0)


def test_a_mismatch_is_refused_with_every_problem():
    table, catalog, *_ = case(10)
    table.loc[3, "id"] = "stranger"
    table.loc[4, "id"] = "p5"
    table.loc[6, "style:모던"] = np.nan
    with pytest.raises(InputError, match=r"(?s)'p5' stands.*'stranger' is not in.*'p6' has a probability") as caught:
        kf.evaluate(table, catalog)
    assert "3 problems" in str(caught.value)
    with pytest.raises(InputError, match="no column 'style'"):
        kf.evaluate(case(10)[0], catalog.drop(columns="style"))


def test_multi_label_heads():
    ids = list("abcd")
    scores = np.array([[0.9, 0.8], [0.9, 0.2], [0.1, 0.1], [0.6, 0.7]])
    table = pd.DataFrame(
        {"id": ids, "photo": ids, "print": ["x|y", "x", "-", "x|y"], "print+x": scores[:, 0], "print+y": scores[:, 1]}
    )
    catalog = complete_catalog({"id": ids, "path": "p", "print": ["x|y", "x", "-", "y"]})
    figures = kf.evaluate(table, catalog)["print"]
    assert figures["accuracy"] == 0.75 and figures["n"] == 4 and figures["top3"] is None
    assert figures["macro_f1"] == pytest.approx((2 * 2 / (2 + 3) + 1) / 2)


def test_ensemble_is_the_weighted_mean_and_refuses_strangers():
    one, catalog, *_ = case(20)
    two = case(20, seed=1)[0]
    mean = kf.ensemble([one, two.sample(frac=1, random_state=0)], weights=[3, 1])
    np.testing.assert_allclose(mean["style:모던"], 0.75 * one["style:모던"] + 0.25 * two["style:모던"])
    kf.evaluate(mean, catalog)
    with pytest.raises(InputError, match="table 2 does not match"):
        kf.ensemble([one, two[:-1]])
    with pytest.raises(InputError, match="1 weights"):
        kf.ensemble([one, two], weights=[1])


def test_written_predictions_read_back(tmp_path):
    table = case(5)[0]
    table["id"] = table["photo"] = ["007", "NA", "x", "y", "z"]
    kf.write_predictions(table, tmp_path / "p.csv")
    again = kf.read_predictions(tmp_path / "p.csv")
    pd.testing.assert_frame_equal(again, table, rtol=1e-6, check_dtype=False)
    assert again["id"].tolist() == ["007", "NA", "x", "y", "z"]
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="no column 'id'"):
        kf.read_predictions(tmp_path / "other.csv")


def test_confusion_counts():
    np.testing.assert_array_equal(confusion([0, 0, 1], [0, 1, 1], 2), [[1, 1], [0, 1]])
