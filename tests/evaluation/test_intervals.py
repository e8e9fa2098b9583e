"""Intervals against what is known in closed form, on tables as evaluation's tests make them."""

import json

import numpy as np
import pandas as pd
import pytest
from made_tables import case, random_case

import kfashion_utils as kf
from kfashion_utils.__main__ import main
from kfashion_utils.errors import InputError
from kfashion_utils.evaluation.figures import describe
from kfashion_utils.evaluation.intervals import bootstrap, figure_intervals, interval
from kfashion_utils.tables.catalog import complete_catalog


def accuracy_row(table, photos="all"):
    return table[(table["figure"] == "accuracy") & (table["photos"] == photos)].iloc[0]


def test_figures_are_those_of_evaluate_and_lie_in_their_intervals():
    table, catalog = random_case()
    figures, scores = kf.evaluate(table, catalog)["label"], kf.score_intervals(table, catalog)
    assert scores["figure"].tolist() == ["accuracy", "top3", "macro_f1"]
    for row in scores.to_dict("records"):
        assert row["natural"] == pytest.approx(figures[row["figure"]]) and row["low"] < row["natural"] < row["high"]
    row = accuracy_row(scores)
    assert (
        row["balanced"] == pytest.approx(figures["balanced_accuracy"])
        and row["balanced_low"] < row["balanced"] < row["balanced_high"]
    )
    found = figure_intervals(scores)["label"]
    assert found["balanced_accuracy"] == (row["balanced_low"], row["balanced_high"])
    assert f"accuracy {row['natural']:.3f} ({row['low']:.3f}–{row['high']:.3f}), majority" in describe(
        kf.evaluate(table, catalog)["label"], found
    )


def test_single_photos_give_the_normal_interval_and_groups_of_equals_a_wider_one():
    table, catalog = random_case()
    row = accuracy_row(kf.score_intervals(table, catalog, draws=4000))
    half = 1.96 * np.sqrt(row["natural"] * (1 - row["natural"]) / 2000)
    np.testing.assert_allclose(
        [row["low"], row["high"]], [row["natural"] - half, row["natural"] + half], atol=0.1 * half
    )
    copies = pd.concat([table] * 4, ignore_index=True)
    copies["id"] = copies["photo"] = [f"{name}-{number}" for number, name in enumerate(copies["id"])]
    looks = pd.concat([catalog.assign(group=catalog["id"])] * 4, ignore_index=True).assign(id=copies["id"])
    again = accuracy_row(kf.score_intervals(copies, looks, draws=4000))
    assert (again["n"], again["groups"]) == (8000, 2000)
    np.testing.assert_allclose(
        [again["low"], again["high"]], [row["low"], row["high"]], atol=0.1 * half
    )  # four copies of a photo tell nothing new


def test_equal_seeds_give_equal_tables_whatever_the_row_order():
    table, catalog = random_case(300)
    first = kf.score_intervals(table, catalog, seed=3)
    pd.testing.assert_frame_equal(kf.score_intervals(table.sample(frac=1, random_state=0), catalog, seed=3), first)
    assert not kf.score_intervals(table, catalog, seed=4).equals(first)


def test_samples_do_not_depend_on_how_many_are_held_at_once(monkeypatch):
    counts, groups = (
        {"n": np.ones((50, 1)), "right": np.arange(50)[:, None] % 3 == 0},
        [f"g{number // 2}" for number in range(50)],
    )

    def share(sums):
        return {"share": sums["right"] / sums["n"]}

    whole = bootstrap(counts, groups, share, draws=40)["share"]
    monkeypatch.setattr("kfashion_utils.evaluation.intervals.MEMORY", 100)
    parts = bootstrap(counts, groups, share, draws=40)["share"]
    np.testing.assert_array_equal(whole, parts)
    assert whole.shape == (40, 1)


def test_all_right_is_not_certain():
    table, catalog = case([0] * 8 + [1] * 4, [0] * 8 + [1] * 4)
    row = accuracy_row(kf.score_intervals(table, catalog))
    assert row["high"] == 1 and row["low"] == pytest.approx(0.025 ** (1 / 12))  # Clopper and Pearson, 12 of 12
    assert np.isnan(row["balanced_low"])
    classes = kf.class_intervals(table, catalog).set_index("class")
    np.testing.assert_allclose(classes.loc[["a", "b"], "recall_low"], 0.025 ** (1 / np.array([8, 4])))
    low, high = interval(np.zeros((10, 1)), np.zeros(1), groups=np.array([4]))
    np.testing.assert_allclose([low[0], high[0]], [0, 1 - 0.025 ** (1 / 4)])


def test_classes_by_hand():
    table, catalog = case([0, 0, 0, 0, 1, 1], [0, 0, 0, 1, 1, 0], groups=["x", "x", "y", "y", "z", "w"])
    classes = kf.class_intervals(table, catalog).set_index("class")
    assert (
        classes["n"].tolist() == [4, 2, 0, 0]
        and classes["groups"].tolist() == [2, 2, 0, 0]
        and classes["answered"].tolist() == [4, 2, 0, 0]
    )
    np.testing.assert_allclose(classes.loc["a", ["recall", "precision", "f1"]].astype(float), [0.75, 0.75, 0.75])
    assert (classes["recall_low"][:2] <= classes["recall"][:2]).all() and classes.loc["c":, "recall":].isna().all(
        axis=None
    )
    with pytest.raises(InputError, match="no head 'style'"):
        kf.class_intervals(table, catalog, "style")


def test_a_balanced_mix_weighs_every_class_the_same():
    rng = np.random.default_rng(0)
    actual = np.repeat([0, 1, 2, 3], [600, 100, 50, 10])
    answers = np.where(rng.random(len(actual)) < np.array([0.9, 0.5, 0.5, 0.2])[actual], actual, 3)
    table, catalog = case(actual, answers)
    row = accuracy_row(kf.score_intervals(table, catalog))
    evenly = [(answers == actual)[actual == number].mean() for number in range(4)]
    assert row["balanced"] == pytest.approx(np.mean(evenly)) and row["natural"] > row["balanced"]


def test_near_duplicates_are_judged_apart():
    table, catalog = random_case(400)
    right = table["id"][(table["label"].to_numpy() == catalog["label"].to_numpy())].tolist()
    seen = right[:100]
    pairs = [(name, f"train{number}") for number, name in enumerate(seen)]
    scores = kf.score_intervals(table, catalog, near=pairs)
    assert scores["photos"].unique().tolist() == ["all", "without near-duplicates", "near-duplicates"]
    every, without, near = (accuracy_row(scores, photos) for photos in scores["photos"].unique())
    assert (every["n"], without["n"], near["n"]) == (400, 300, 100) and near["natural"] == 1 > every[
        "natural"
    ] > without["natural"]
    pd.testing.assert_frame_equal(kf.score_intervals(table, catalog, near=seen), scores)
    pd.testing.assert_frame_equal(kf.score_intervals(table, catalog, near=pd.DataFrame(pairs)), scores)
    within = [(seen[0], right[100]), (right[101], right[102])]  # of judged photos: the first leads on to a training row
    assert accuracy_row(kf.score_intervals(table, catalog, near=pairs + within), "near-duplicates")["n"] == 101
    others = pd.concat(
        [catalog, complete_catalog({"id": ["train0", "train1"], "path": "x", "split": ["train", "test"]})]
    )
    assert accuracy_row(kf.score_intervals(table, others, near=pairs), "near-duplicates")["n"] == 99
    with pytest.raises(InputError, match="none of 1 ids of near-duplicates is in the predictions"):
        kf.score_intervals(table, catalog, near=["stranger"])
    nothing_left = kf.score_intervals(table, catalog, near=table["id"].tolist())
    assert accuracy_row(nothing_left, "without near-duplicates")["n"] == 0


def test_several_labels_and_parents():
    rng = np.random.default_rng(0)
    actual, scores = rng.random((300, 2)) < 0.4, rng.random((300, 2))
    scores = np.where(actual, 0.5 + scores / 2, scores * 0.7)
    ids = [f"p{number}" for number in range(300)]
    labels = ["|".join(np.array(["x", "y"])[row]) or "-" for row in actual]
    answers = ["|".join(np.array(["x", "y"])[row]) or "-" for row in scores >= 0.5]
    table, catalog = (
        pd.DataFrame({"id": ids, "photo": ids, "print": answers, "print+x": scores[:, 0], "print+y": scores[:, 1]}),
        complete_catalog({"id": ids, "path": "x", "print": labels}),
    )
    figures, row = kf.evaluate(table, catalog)["print"], accuracy_row(kf.score_intervals(table, catalog))
    assert row["natural"] == pytest.approx(figures["accuracy"]) and row["balanced"] == pytest.approx(
        figures["balanced_accuracy"]
    )
    from kfashion_utils.tables.tasks import STYLE

    styles = rng.integers(0, 6, 200)
    table, catalog = case(styles, np.where(rng.random(200) < 0.6, styles, 0), classes=STYLE.classes)
    table, catalog = (
        table.rename(columns=lambda name: name.replace("label", "style")),
        catalog.rename(columns={"label": "style"}),
    )
    scores = kf.score_intervals(table, catalog).set_index("figure")
    assert scores.loc["parent_accuracy", "natural"] == pytest.approx(
        kf.evaluate(table, catalog)["style"]["parent_accuracy"]
    )


def test_one_class_one_group_and_nothing_are_said_in_words():
    table, catalog = case([0, 0, 0], [0, 0, 1])
    row = accuracy_row(kf.score_intervals(table, catalog))
    assert row["natural"] == row["balanced"] == pytest.approx(2 / 3)
    alone = accuracy_row(kf.score_intervals(table, catalog.assign(group="one")))
    assert alone["groups"] == 1 and np.isnan(alone["low"])
    with pytest.raises(InputError, match="no row of the evaluated ones has a label"):
        kf.score_intervals(table, catalog.assign(label=""))
    with pytest.raises(InputError, match="no row of the evaluated ones has a label"):
        kf.score_intervals(table[:0], catalog)
    with pytest.raises(InputError, match="draws=0"):
        kf.score_intervals(table, catalog, draws=0)


def test_the_command_prints_intervals_and_writes_tables_but_keeps_its_json(tmp_path, capsys):
    table, catalog = random_case(200)
    kf.write_predictions(table, tmp_path / "p.csv")
    kf.write_catalog(catalog, tmp_path / "c.csv")
    pd.DataFrame({"id": table["id"][:50], "other": [f"t{number}" for number in range(50)]}).to_csv(
        tmp_path / "near.csv", index=False
    )
    arguments = [
        "evaluate",
        tmp_path / "p.csv",
        "--catalog",
        tmp_path / "c.csv",
        "--json",
        tmp_path / "f.json",
        "--near",
        tmp_path / "near.csv",
        "--tables",
        tmp_path / "out",
    ]
    assert main([str(argument) for argument in arguments]) == 0
    printed = capsys.readouterr().out
    row = accuracy_row(kf.score_intervals(table, catalog))
    assert (
        f"label: accuracy {row['natural']:.3f} ({row['low']:.3f}–{row['high']:.3f})" in printed
        and "label, without near-duplicates: accuracy" in printed
    )
    assert json.loads((tmp_path / "f.json").read_text()) == kf.evaluate(table, catalog)
    assert {path.name: len(pd.read_csv(path)) for path in (tmp_path / "out").iterdir()} == {
        "scores.csv": 9,
        "classes.csv": 4,
        "reliability.csv": 1,
    }
    assert (
        main(
            [
                "evaluate",
                str(tmp_path / "p.csv"),
                "--catalog",
                str(tmp_path / "c.csv"),
                "--near",
                str(tmp_path / "no.csv"),
            ]
        )
        == 2
    )
    assert "no such file" in capsys.readouterr().err
