"""A template with one column a class gets probabilities; classes that are numbers are never taken for indices."""

import unicodedata

import numpy as np
import pandas as pd
import pytest

import kfashion_utils as kf
from kfashion_utils.__main__ import main
from kfashion_utils.errors import InputError
from kfashion_utils.tables.labels import Head, Task
from kfashion_utils.tables.predictions import prediction_table, with_failures, with_provenance
from kfashion_utils.tables.tasks import STYLE, STYLES

LOOK = Head("look", ("레트로", "로맨틱", "리조트"))
KIND = Head("kind", ("a", "b"))
TAGS = Head("tags", ("warm", "cold"), multi=True)
SCORES = [[0.1, 0.8, 0.1], [0.25, 0.125, 0.625]]


def predicted(*heads, scores=SCORES):
    ids = [str(number) for number in range(len(scores))]
    rows = pd.DataFrame({"id": ids, "photo": ids}, dtype=object)
    return prediction_table(Task("t", heads), rows, np.array(scores, float))


def filled(table, header, tmp_path, rows=("1.jpg", "0.jpg"), encoding="utf-8", **options):
    count = header.count(",")
    text = f"{header}\n" + "".join(f"{name}{',0' * count}\n" for name in rows)
    (tmp_path / "t.csv").write_bytes(text.encode(encoding))
    return kf.write_submission(table, tmp_path / "t.csv", tmp_path / "s.csv", **options)


@pytest.mark.parametrize(
    "names",
    [
        "레트로,로맨틱,리조트", "retro,romantic,resort", "Retro,Romantic,RESORT", "0,1,2", " 레트로 , 로맨틱,리조트 ",
        "look_레트로,look_로맨틱,look_리조트", "look:레트로,look:로맨틱,look:리조트", "look_0,look_1,look_2",
        "look_retro,look_romantic,look_resort", "class_0,class_1,class_2", "prob_레트로,prob_로맨틱,prob_리조트",
    ],
)  # fmt: skip
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_columns_that_are_the_classes_get_their_probabilities(names, order, tmp_path):
    columns = [names.split(",")[number] for number in order]
    result = filled(predicted(LOOK), ",".join(["filename", *columns]), tmp_path)
    assert list(result.columns) == ["filename", *columns] and result["filename"].tolist() == ["1.jpg", "0.jpg"]
    expected = np.array(SCORES)[::-1][:, order]
    np.testing.assert_allclose(result[columns].astype(float), expected)
    np.testing.assert_allclose(result[columns].astype(float).sum(axis=1), 1)


def test_all_23_styles_from_the_shell_in_the_templates_encoding(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    scores = np.random.default_rng(0).dirichlet(np.ones(23), 40)
    kf.write_predictions(predicted(STYLE, scores=scores), "p.csv")
    columns = [row[0] for row in STYLES][::-1]
    text = "\r\n".join([",".join(["파일", *columns]), *(f"{n}.jpg" + ",0.0" * 23 for n in range(39, -1, -1)), ""])
    (tmp_path / "t.csv").write_bytes(text.encode("cp949"))
    assert main(["submit", "p.csv", "--template", "t.csv", "--out", "s.csv"]) == 0
    written = (tmp_path / "s.csv").read_bytes().decode("cp949")
    assert written.count("\r\n") == 41
    table = pd.read_csv(tmp_path / "s.csv", encoding="cp949")
    assert list(table.columns) == ["파일", *columns] and table["파일"][0] == "39.jpg"
    np.testing.assert_allclose(table[columns], scores[::-1, ::-1], rtol=1e-6)
    np.testing.assert_allclose(table[columns].sum(axis=1), 1, atol=1e-6)


def test_several_labels_and_several_heads_go_the_same_way(tmp_path):
    table = predicted(TAGS, scores=[[0.9, 0.4], [0.2, 0.3]])
    assert filled(table, "id,cold,warm", tmp_path).to_numpy().tolist() == [
        ["1.jpg", "0.3", "0.2"],
        ["0.jpg", "0.4", "0.9"],
    ]
    both = predicted(LOOK, TAGS, scores=[[0.1, 0.8, 0.1, 0.9, 0.4]])
    result = filled(both, "id,warm,retro,resort,romantic,cold", tmp_path, rows=["0"])
    assert result.iloc[0].tolist() == ["0", "0.9", "0.1", "0.1", "0.8", "0.4"]
    assert filled(both, "id,tags+warm,tags+cold", tmp_path, rows=["0"]).iloc[0].tolist() == ["0", "0.9", "0.4"]
    result = filled(predicted(KIND, scores=[[0.3, 0.7]]), "id,b,a", tmp_path, rows=["0"])
    assert result.iloc[0].tolist() == ["0", "0.7", "0.3"]


def test_a_label_column_beside_the_classes_is_filled_too(tmp_path):
    (tmp_path / "t.csv").write_text("id,look,레트로,로맨틱,리조트\n0,레트로,0,0,0\n1,레트로,0,0,0\n", encoding="utf-8")
    result = kf.write_submission(predicted(LOOK), tmp_path / "t.csv", tmp_path / "s.csv")
    assert result.iloc[0].tolist() == ["0", "로맨틱", "0.1", "0.8", "0.1"]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("id,레트로,로맨틱", r"no column for \['리조트'\] of 'look'"),
        ("id,레트로,로맨틱,리조트,fold", "'fold' is no class"),
        ("id,레트로,로맨틱,모자", r"'모자' is no class; no column for \['리조트'\]"),
        ("id,레트로,Retro,로맨틱,리조트", "do not name the heads"),
        ("id,1,2,3", r"'3' is no class; no column for \['레트로'\]"),
        ("id,look_레트로,레트로,로맨틱,리조트", "are the same class"),
        ("id,x,y,z", "do not name the heads"),
    ],
)
def test_classes_that_are_missing_doubled_or_unknown_are_refused(header, message, tmp_path):
    with pytest.raises(InputError, match=message):
        filled(predicted(LOOK), header, tmp_path)
    assert not (tmp_path / "s.csv").exists()


def test_a_class_of_two_heads_must_be_named_with_its_head(tmp_path):
    table = predicted(KIND, Head("form", ("a", "b")), scores=[[0.3, 0.7, 0.9, 0.1]])
    with pytest.raises(InputError, match=r"'a' may be any of \['kind:a', 'form:a'\]"):
        filled(table, "id,a,b", tmp_path, rows=["0"])
    result = filled(table, "id,kind_a,kind_b,form:b,form:a", tmp_path, rows=["0"])
    assert result.iloc[0].tolist() == ["0", "0.3", "0.7", "0.1", "0.9"]


def test_columns_of_numbers_are_classes_by_name_and_indices_only_when_said(tmp_path):
    numbers = predicted(Head("code", ("1", "2", "3")))
    assert filled(numbers, "id,3,2,1", tmp_path, rows=["0", "1"]).iloc[0].tolist() == ["0", "0.1", "0.8", "0.1"]
    with pytest.raises(InputError, match="'0' is no class"):
        filled(numbers, "id,0,1,2", tmp_path)
    assert filled(numbers, "id,0,1,2", tmp_path, labels="index").iloc[1].tolist() == ["0.jpg", "0.1", "0.8", "0.1"]
    floats = predicted(Head("code", ("0.0", "2.0", "10.0")))
    assert filled(floats, "id,10,2,0", tmp_path).iloc[1].tolist() == ["0.jpg", "0.1", "0.8", "0.1"]
    mixed = predicted(Head("code", ("2", "0", "1")))  # by name and by index these are not the same
    assert filled(mixed, "id,0,1,2", tmp_path).iloc[1].tolist() == ["0.jpg", "0.8", "0.1", "0.1"]
    assert filled(mixed, "id,0,1,2", tmp_path, labels="index").iloc[1].tolist() == ["0.jpg", "0.1", "0.8", "0.1"]


def test_letters_in_the_other_case_are_other_classes_where_there_are_both(tmp_path):
    table = predicted(Head("kind", ("A", "a", "b")))
    assert filled(table, "id,a,A,b", tmp_path).iloc[1].tolist() == ["0.jpg", "0.8", "0.1", "0.1"]


def test_a_header_in_the_other_normal_form_is_the_same(tmp_path):
    header = unicodedata.normalize("NFD", "id,리조트,로맨틱,레트로")
    assert filled(predicted(LOOK), header, tmp_path).iloc[1].tolist() == ["0.jpg", "0.1", "0.8", "0.1"]
    head = Head("스타일", LOOK.classes)
    header = unicodedata.normalize("NFD", "no,id,스타일")
    (tmp_path / "t.csv").write_text(f"{header}\n9,0,0\n8,1,0\n", encoding="utf-8")
    result = kf.write_submission(predicted(head), tmp_path / "t.csv", tmp_path / "s.csv")
    assert result.iloc[:, 2].tolist() == ["1", "2"]


def test_the_ids_may_stand_anywhere_and_be_numbers(tmp_path):
    (tmp_path / "t.csv").write_text("레트로,image,로맨틱,리조트\n0,1,0,0\n0,0,0,0\n", encoding="utf-8")
    result = kf.write_submission(predicted(LOOK), tmp_path / "t.csv", tmp_path / "s.csv")
    assert result.to_numpy().tolist() == [["0.25", "1", "0.125", "0.625"], ["0.1", "0", "0.8", "0.1"]]


# Fallbacks ------------------------------------------------------------------------------------------------------------


def test_a_fallback_is_the_mix_of_the_training_rows_or_one_class(tmp_path, capsys):
    failures = pd.DataFrame({"id": ["x"], "path": ["test/x.jpg"], "reason": ["broken"], "detail": ["cut"]})
    header, rows = "id,리조트,로맨틱,레트로", ["x.jpg", "1", "0"]
    plain = with_failures(predicted(LOOK), failures)
    with pytest.raises(InputError, match=r"'x.jpg' could not be read: broken \(cut\)"):
        filled(plain, header, tmp_path, rows)
    for fallback in ("로맨틱", "romantic", "1"):
        assert filled(plain, header, tmp_path, rows, fallback=fallback).iloc[0].tolist() == ["x.jpg", "0", "1", "0"]
    assert "look = 1 for one class (the most: '로맨틱')" in capsys.readouterr().out
    mean = filled(plain, header, tmp_path, rows, fallback="majority").iloc[0, 1:].astype(float)
    np.testing.assert_allclose(mean, np.mean(SCORES, axis=0)[::-1])
    assert "the mean of these predictions" in capsys.readouterr().out
    mix = {"look": {"레트로": 0.5, "로맨틱": 0.3, "리조트": 0.2}}
    known = with_provenance(with_failures(predicted(LOOK), failures), {"runs": [{"run": "r", "training_mix": mix}]})
    result = filled(known, header, tmp_path, rows, fallback="majority")
    assert result.iloc[0].tolist() == ["x.jpg", "0.2", "0.3", "0.5"]
    assert "look = the mix in training (the most: '레트로'): 'x.jpg'" in capsys.readouterr().out


# Labels that are numbers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("classes", "placeholder", "expected"),
    [
        (("0.0", "2.0", "4.0"), "0", ["2", "4"]),  # by index these were 1 and 2
        (("0.0", "2.0", "4.0"), "4", ["2", "4"]),
        (("0.0", "2.0", "4.0"), "0.0", ["2.0", "4.0"]),
        (("0", "2", "4"), "0.0", ["2.0", "4.0"]),
        (("0", "2", "4"), "2", ["2", "4"]),
        (("0", "2.0", "4"), "0", ["2", "4"]),
        (("01", "02", "10"), "01", ["02", "10"]),
        (("0.5", "2.5", "4.5"), "0.5", ["2.5", "4.5"]),
        (("-1", "2.0", "none"), "-1", ["2", "none"]),
    ],
)
def test_a_label_that_reads_as_a_number_is_written_as_that_number(classes, placeholder, expected, tmp_path):
    text = f"id,code\n0,{placeholder}\n1,{placeholder}\n"
    (tmp_path / "t.csv").write_text(text)
    result = kf.write_submission(predicted(Head("code", classes)), tmp_path / "t.csv", tmp_path / "s.csv")
    assert result["code"].tolist() == expected


@pytest.mark.parametrize(
    ("classes", "placeholder"),
    [
        (("1.0", "2.0", "4.0"), "0"),
        (("0.5", "2.5", "4.5"), "0"),
        (("1", "3", "5"), "0"),
        (("01", "02", "03"), "1"),
        (("-1", "0.5", "none"), "0"),
    ],
)
def test_a_number_that_is_no_class_is_not_guessed_to_be_an_index(classes, placeholder, tmp_path):
    table = predicted(Head("code", classes))
    (tmp_path / "t.csv").write_text(f"id,code\n0,{placeholder}\n1,{placeholder}\n")
    with pytest.raises(InputError, match="are numbers themselves"):
        kf.write_submission(table, tmp_path / "t.csv", tmp_path / "s.csv")
    for labels, expected in (("index", ["1", "2"]), ("name", list(classes[1:]))):
        result = kf.write_submission(table, tmp_path / "t.csv", tmp_path / "s.csv", labels=labels)
        assert result["code"].tolist() == expected
