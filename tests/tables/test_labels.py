import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfashion_utils.errors import InputError
from kfashion_utils.tables import tasks
from kfashion_utils.tables.labels import Head, Task

TASK = Task(
    "garment",
    (
        Head("part", ("상의", "하의", "dress"), parents={"상의": "a", "하의": "a", "dress": "b"}),
        Head("print", ("도트", "체크", "무지"), multi=True, weight=0.5),
    ),
)


def test_not_annotated_differs_from_none_applies():
    flat = TASK.encode(pd.DataFrame({"part": ["하의", "", "dress"], "print": ["도트|무지", "-", ""]}))
    np.testing.assert_array_equal(flat[0], [0, 1, 0, 1, 0, 1])
    assert np.isnan(flat[1, :3]).all() and (flat[1, 3:] == 0).all()
    assert np.isnan(flat[2, 3:]).all()
    np.testing.assert_array_equal(TASK.annotated(flat), [[1, 1], [0, 1], [1, 0]])


labels = st.lists(
    st.tuples(
        st.sampled_from(["", "-", *TASK.heads[0].classes]), st.sets(st.sampled_from(TASK.heads[1].classes)) | st.none()
    ),
    min_size=1,
)


@given(labels)
def test_decode_undoes_encode(rows):
    prints = ["" if p is None else "|".join(c for c in TASK.heads[1].classes if c in p) or "-" for _, p in rows]
    table = pd.DataFrame({"part": [part for part, _ in rows], "print": prints}, dtype=object)
    pd.testing.assert_frame_equal(TASK.decode(TASK.encode(table)), table)


def test_json_round_trip_keeps_values_and_order():
    again = Task.from_json(TASK.to_json())
    assert again == TASK
    assert (
        again.columns
        == TASK.columns
        == ["part:상의", "part:하의", "part:dress", "print+도트", "print+체크", "print+무지"]
    )


def test_split_gives_each_heads_part_of_the_flat_vector():
    flat = np.arange(12, dtype=float).reshape(2, 6)
    np.testing.assert_array_equal(TASK.split(flat)["print"], flat[:, 3:])


def test_one_row_encodes_to_one_vector():
    assert TASK.encode({"part": "상의", "print": "-"}).shape == (6,)


def test_parent_scores_are_sums():
    np.testing.assert_allclose(TASK.heads[0].parent_scores([[0.2, 0.3, 0.5]]), [[0.5, 0.5]], rtol=1e-6)


def test_unknown_labels_are_all_named():
    with pytest.raises(InputError, match=r"(?s)'모자'.* 2 rows.*'신발'.* 1 rows"):
        TASK.encode(pd.DataFrame({"part": ["모자", "신발", "모자", "상의"], "print": ""}))


@pytest.mark.parametrize("classes", [["a|b", "c"], ["-", "c"], ["", "c"], [" a", "c"], ["a", "a"], ["a"]])
def test_class_names_that_a_table_cannot_hold_are_refused(classes):
    with pytest.raises(InputError):
        Head("style", classes)


@pytest.mark.parametrize("name", ["id", "fold", "a:b", ""])
def test_head_names_that_a_table_cannot_hold_are_refused(name):
    with pytest.raises(InputError):
        Head(name, ["a", "b"])


def test_23_styles_in_korean_alphabetical_order_with_10_parents():
    assert list(tasks.STYLE.classes) == sorted(tasks.STYLE.classes) and len(tasks.STYLE.classes) == 23
    assert (tasks.STYLE.classes[0], tasks.STYLE.classes[8], tasks.STYLE.classes[22]) == ("레트로", "스트리트", "힙합")
    assert set(tasks.STYLE.parents) == set(tasks.PARENTS) and len(tasks.PARENTS) == 10
    assert set(tasks.STYLE_ALIASES.values()) <= set(tasks.STYLE.classes)
    assert len({tasks.gloss(name) for name in tasks.STYLE.classes}) == 23


def catalog(**columns):
    return pd.DataFrame({"split": ["train", "train", "train", "valid"], **columns}, dtype=object)


def test_task_from_columns_uses_known_heads_and_sorts_the_rest():
    task = tasks.resolve_task(
        None,
        catalog(style=["모던"] * 4, digit=["10", "9", "1", "7"], colour=["b", "a", "", "c"]),
        ["style", "digit", "colour"],
    )
    assert task.heads[0] is tasks.STYLE
    assert task.heads[1].classes == ("1", "9", "10")
    assert task.heads[2].classes == ("a", "b")


def test_what_becomes_a_target_is_known_named_or_the_only_one():
    def targets(labels=None, **columns):
        return [head.name for head in tasks.resolve_task(None, catalog(**columns), labels).heads]

    known, note = ["모던"] * 4, ["kim", "lee", "kim", "lee"]
    assert targets(style=known, photographer=note) == ["style"]
    assert targets(lable=note) == ["lable"]
    assert targets(style=known, part=note) == ["style", "part"]
    assert targets(["photographer"], style=known, photographer=note) == ["photographer"]
    with pytest.raises(
        InputError, match=r"2 label columns, \['lable', 'photographer'\].*say which to learn with labels="
    ):
        targets(lable=note, photographer=note)
    with pytest.raises(InputError, match="labels=lable: .*did you mean 'label'"):
        targets(["lable"], label=note)
    with pytest.raises(InputError, match="labels=path: "):
        targets(["path"], label=note)
    with pytest.raises(InputError, match="names its targets itself"):
        tasks.resolve_task("style", catalog(style=known), ["style"])


def test_task_by_name_by_file_and_unknown(tmp_path):
    assert tasks.resolve_task("style", catalog()) == tasks.TASKS["style"]
    (tmp_path / "task.json").write_text(TASK.to_json(), encoding="utf-8")
    assert tasks.resolve_task(tmp_path / "task.json", catalog()) == TASK
    with pytest.raises(InputError, match="neither a known task"):
        tasks.resolve_task("nonsense", catalog())
    (tmp_path / "bad.json").write_text('{"name": "x"}')
    with pytest.raises(InputError, match="bad.json is not a task file"):
        tasks.resolve_task(tmp_path / "bad.json", catalog())


def test_several_labels_a_row_ask_for_a_task_file():
    with pytest.raises(InputError, match="task=FILE"):
        tasks.resolve_task(None, catalog(print=["a|b", "a", "b", "a"]))


def test_what_is_known_of_a_label_depends_on_the_kind_of_its_head():
    part, print_ = TASK.heads
    assert part.known(["상의", "-", ""]).tolist() == [True, False, False]
    assert print_.known(["도트|무지", "-", ""]).tolist() == [True, True, False]


@pytest.mark.parametrize("head", TASK.heads, ids=lambda head: head.name)
def test_log_odds_and_probabilities_are_each_others_inverse(head):
    rng = np.random.default_rng(0)
    scores = head.probabilities(rng.normal(0, 3, (50, 3)))
    np.testing.assert_allclose(head.probabilities(head.log_odds(scores)), scores, rtol=1e-9)
    assert np.isfinite(head.log_odds(np.array([[0.0, 0.0, 1.0]]))).all()
    np.testing.assert_array_equal(head.answered(head.probabilities(head.log_odds(scores) / 2)), head.answered(scores))
