"""A report in Korean: every text of the page is, but for names, code and messages."""

import re
from html import unescape

import pytest
from made_runs import make_run

from kfashion_utils.__main__ import main
from kfashion_utils.errors import InputError
from kfashion_utils.reports.korean import PATTERNS, WHOLE, in_korean
from kfashion_utils.reports.report import report
from kfashion_utils.runs.run import Run
from kfashion_utils.tables.labels import Head, Task
from kfashion_utils.tables.tasks import STYLE

SEVERAL = Head("detail", ("zip", "button", "blurred"), multi=True)
NAMES = {"style", "detail", "zip", "button", "blurred", "tiny", "weights", "my"}  # of the made run
SAME = {"ECE", "sha", "AdamW", "JPEG", "MixUp", "Grad-CAM", "GPU", "F1"}  # in both languages


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return Run(make_run(tmp_path_factory.mktemp("korean"), Task("both", (STYLE, SEVERAL)))[0])


def texts(path):
    """The texts of a page between its tags, without code, names of classes, messages and what was missing."""
    page = path.read_text(encoding="utf-8")
    kept = r"<(style|code|pre|title|h1|i|figcaption|details)\b.*?</\1>|<section class=\"note\">.*?</section>"
    return [unescape(text).strip() for text in re.split(r"<[^>]+>", re.sub(kept, "<x>", page, flags=re.DOTALL))]


def test_nothing_is_left_in_english(made, tmp_path):
    path = report(made, out=tmp_path / "r.html", heat=False)
    page = path.read_text(encoding="utf-8")
    assert '<html lang="ko">' in page and "얼마나 맞힐까요?" in page
    words = {word for text in texts(path) for word in re.findall(r"[A-Za-z][A-Za-z-]{2,}", text)}
    assert words - NAMES - SAME == set()


def test_the_language_is_that_of_the_labels_unless_one_is_named(made, tmp_path, capsys):
    english = report(made, out=tmp_path / "en.html", heat=False, language="en").read_text(encoding="utf-8")
    assert '<html lang="en">' in english and "How good is it?" in english
    assert main(["report", str(made.path), "--no-heat", "--language", "ko", "--out", str(tmp_path / "ko.html")]) == 0
    assert (tmp_path / "ko.html").read_text(encoding="utf-8") == in_korean(english)
    with pytest.raises(InputError, match="language='fr': expected one of"):
        report(made, language="fr")
    plain, *_ = make_run(tmp_path / "plain", Task("kind", (Head("kind", ("coat", "skirt")),)))
    assert '<html lang="en">' in report(plain, out=tmp_path / "p.html", heat=False).read_text(encoding="utf-8")


def test_figures_stay_and_so_do_names(made, tmp_path):
    english = report(made, out=tmp_path / "en.html", heat=False, language="en").read_text(encoding="utf-8")
    korean = in_korean(english)
    for pattern in (r"<b>[\d.]+ %</b>", r"<td>[\d,.]+</td>", r"<code>.*?</code>", r'<span lang="ko">.*?</span>'):
        assert re.findall(pattern, english) == re.findall(pattern, korean), pattern
    assert len(re.findall("<[^>]+>", english)) == len(re.findall("<[^>]+>", korean))


def test_the_table_is_whole():
    for pattern, korean in PATTERNS:
        places = {int(number) for number in re.findall(r"\{(\d)\}", korean)}
        assert places <= set(range(pattern.groups)), korean
    assert not [text for text in WHOLE.values() if re.search("[A-Za-z]{4}", text)]
