"""Korean class names in figures: a font is looked for where they need one, and what is missing is said."""

import pytest
from made_runs import make_run

import kfashion_utils as kf
from kfashion_utils.plots import style
from kfashion_utils.plots.style import class_label, font_for
from kfashion_utils.tables.labels import Head, Task


@pytest.fixture(autouse=True)
def no_korean_font(monkeypatch):
    monkeypatch.setattr(style, "_korean_font", None)


@pytest.fixture
def asked(monkeypatch):
    """Nothing is found; how often a font was looked for."""
    found = []
    monkeypatch.setattr(style, "_find_korean_font", lambda: found.append("looked for"))
    return found


@pytest.mark.parametrize(("classes", "looked_for"), [(("모자", "치마"), True), (("hat", "skirt"), False)])
def test_a_report_looks_for_a_font_where_classes_need_one(tmp_path, asked, capsys, classes, looked_for):
    run = make_run(tmp_path, Task("kind", (Head("kind", classes),)))[0]
    kf.report(run, heat=False)
    assert bool(asked) == looked_for
    assert ("no Korean font found, so figures call classes by number" in capsys.readouterr().out) == looked_for


def test_glosses_need_none(tmp_path, asked, capsys):
    with font_for(["레트로", "힙합"]):
        assert class_label("레트로", 0) == "retro"
    assert "no Korean font" not in capsys.readouterr().out


def test_names_are_written_in_korean_while_it_is_needed():
    if style._find_korean_font() is None:
        pytest.skip("no Korean font here")
    with font_for(["모자", "레트로"]):
        assert class_label("모자", 0) == "모자" and class_label("레트로", 1) == "레트로 retro"
    assert class_label("모자", 0) == "class 0"
