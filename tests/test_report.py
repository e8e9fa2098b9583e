"""The page of a run: what it says, what it shows, and what it says when something is missing. No Keras, no run of `train`."""

import json
import re
import shutil
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from kfashion_utils import plots, report
from kfashion_utils.catalog import complete_catalog, write_catalog
from kfashion_utils.errors import InputError
from kfashion_utils.evaluation import evaluate
from kfashion_utils.labels import Head, Task
from kfashion_utils.pixels import Preprocess
from kfashion_utils.report import choose_pictures, class_table
from kfashion_utils.runs import TrainConfig
from kfashion_utils.tasks import STYLE

KIND = Head("kind", ("<b>bold</b>", "plain & simple"))
DETAIL = Head("detail", ("button", "zip"), multi=True)
ROWS = 40


def make_run(folder, task, seed=0):
    """A run folder and its photographs, as `train` leaves them: 40 validation rows, 6 epochs."""
    rng = np.random.default_rng(seed)
    (folder / "photos").mkdir(parents=True)
    ids = [f"p{number:02}" for number in range(ROWS)]
    for name in ids:
        Image.fromarray(rng.integers(0, 255, (30, 20, 3), np.uint8)).save(folder / "photos" / f"{name}.png")
    catalog = pd.DataFrame({"id": ids, "path": [f"{name}.png" for name in ids], "split": "valid", "left": 2, "top": 2, "right": 18, "bottom": 28, "region": "annotation"})
    predictions = pd.DataFrame({"id": ids, "photo": ids})
    for head in task.heads:
        catalog[head.name] = _truth(head, rng)
        scores = _scores(head, catalog[head.name], rng)
        predictions[head.name] = head.decode(scores)
        for number, name in enumerate(head.classes):
            predictions[f"{head.name}:{name}"] = scores[:, number]
    catalog = complete_catalog(catalog)
    run = folder / "runs" / "first <i>run"
    run.mkdir(parents=True)
    _write(run, task, folder / "photos", catalog, predictions)
    return run, catalog, folder / "photos"


def _truth(head, rng):
    if head.multi:
        return rng.choice(["-", *head.classes, "|".join(head.classes)], ROWS)
    return rng.choice(head.classes[:3], ROWS)


def _scores(head, labels, rng):
    truth = head.encode(labels)
    if head.multi:
        return np.clip(0.3 + 0.4 * truth + rng.normal(0, 0.2, truth.shape), 0.01, 0.99)
    scores = rng.dirichlet(np.ones(len(head.classes)) * 0.3, ROWS) + 0.4 * truth
    return scores / scores.sum(axis=1, keepdims=True)


def _write(run, task, root, catalog, predictions):
    recipe = {
        "task": task.to_dict(),
        "preprocess": Preprocess(size=32, crop="box").to_dict(),
        "train": TrainConfig(backbone="tiny", weights="/somewhere/my weights.h5", fine_tune_epochs=5).to_dict(),
        "weights_sha256": "ab" * 32,
        "catalog": {"hash": "cd" * 32, "rows": {"train": 160, "valid": ROWS}},
        "regions": {"annotation": 0.95, "none": 0.05},
        "lacking": 0.05,
        "environment": {"python": "3.11", "commit": "0123456"},
        "times": {"finished": "2026-01-02T03:04:05+0000", "seconds": 75.0},
        "rejected": 2,
        "root": str(root),
    }
    (run / "run.json").write_text(json.dumps(recipe, ensure_ascii=False), encoding="utf-8")
    history = {"epoch": range(6), "learning_rate": [0, *[1e-4] * 5], "loss": 1.0, "val_loss": 1.1, "seconds": 9}
    history |= {f"val_{head.name}_accuracy": np.linspace(0.3, 0.6, 6) for head in task.heads}
    pd.DataFrame(history).to_csv(run / "history.csv", index=False)
    predictions.to_csv(run / "predictions.csv", index=False)
    write_catalog(catalog, run / "valid.csv.gz")
    (run / "metrics.json").write_text(json.dumps(evaluate(predictions, catalog)), encoding="utf-8")


@pytest.fixture(scope="module")
def style_run(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("style"), Task("style", (STYLE,)))


@pytest.fixture(scope="module")
def heads_run(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("heads"), Task("garment", (KIND, STYLE, DETAIL)))


@pytest.fixture
def copy(style_run, tmp_path, monkeypatch):
    """A run folder of one's own to take things out of; figures are not drawn, which takes most of the time."""
    monkeypatch.setattr(plots, "png", lambda figure, dpi: b"")
    run, catalog, root = style_run
    return shutil.copytree(run, tmp_path / "copy"), catalog, root


class Page(HTMLParser):
    """Text, addresses and pictures of a page, and whether its tags are closed in order."""

    def __init__(self, path):
        super().__init__()
        self.html = path.read_text(encoding="utf-8")
        self.addresses, self.images, self.words, self.open, self.tags, self.titles = [], [], [], [], set(), []
        self.feed(self.html)
        assert self.open == []
        self.text = re.sub(r"\s+", " ", "".join(self.words))

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.add(tag)
        self.addresses += [attributes[name] for name in ("src", "href", "srcset", "data", "action") if name in attributes]
        if tag == "img":
            self.images.append(attributes)
        if tag not in ("img", "meta", "br", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "h2":
            self.titles.append(data)
        if "style" not in self.open:
            self.words.append(data)


def page(*arguments, **options):
    return Page(report(*arguments, **options))


@pytest.fixture(scope="module")
def style_page(style_run):
    return page(style_run[0])


@pytest.fixture(scope="module")
def heads_page(heads_run):
    return page(heads_run[0])


def test_the_page_says_what_was_done_and_how_good_it_is(style_run, style_page):
    (run, catalog, _), made = style_run, style_page
    figures = evaluate(pd.read_csv(run / "predictions.csv", dtype={"id": str, "photo": str}), catalog)["style"]
    assert f"{100 * figures['accuracy']:.1f} %" in made.text and f"{figures['majority']:.3f}" in made.text
    assert "majority baseline" in made.text and f"{figures['balanced_accuracy']:.3f}" in made.text
    assert "40 validation photos" in made.text and "100.0% drawn by annotators" in made.text
    assert "New pictures have no annotation" in made.text
    for fact in ("레트로 retro", "subculture", "160 train, 40 valid", "2 pictures rejected", "abababababab", "cdcdcdcdcdcd", "tiny", "0123456", "75.0 seconds"):
        assert fact in made.text, fact
    assert "my weights.h5" in made.text


def test_the_page_needs_nothing_from_outside(style_page, heads_page):
    for made in (style_page, heads_page):
        assert made.addresses and all(address.startswith("data:image/") for address in made.addresses)
        assert not made.tags & {"script", "link", "iframe"} and "url(" not in made.html and "@import" not in made.html
        assert len(made.html) < 3_000_000


def test_twenty_four_pictures_each_with_a_sign_beside_the_colour(style_page):
    made = style_page
    photos = [image for image in made.images if image["alt"].startswith("photo ")]
    assert len(photos) == 24 == len({image["alt"] for image in photos})
    assert made.text.count("✗ wrong") + made.text.count("✓ right") == 24
    assert sum("png" in image["src"][:20] for image in made.images) == 2  # curves, confusion


def test_mistakes_come_first_and_the_most_confident_ones():
    answers = pd.DataFrame({
        "id": [f"p{number}" for number in range(30)], "right": [number % 2 == 0 for number in range(30)], "confidence": np.linspace(0.1, 0.9, 30),
    })  # fmt: skip
    mistakes, drawn = choose_pictures(answers, 8)
    assert mistakes == ["p29", "p27", "p25", "p23"] and len(drawn) == 4 and not set(drawn) & set(mistakes)
    assert choose_pictures(answers, 8) == (mistakes, drawn)
    assert [len(part) for part in choose_pictures(answers[answers["right"]], 8)] == [0, 8]
    assert [len(part) for part in choose_pictures(answers[:3], 8)] == [1, 2]


def test_equal_input_gives_equal_bytes_wherever_it_is_written(style_run, style_page, tmp_path):
    again = report(style_run[0], out=tmp_path / "deep" / "page.html")
    assert again.read_bytes() == (style_run[0] / "report.html").read_bytes()


def test_names_cannot_become_markup(heads_page):
    made = heads_page
    assert "<b>bold</b>" not in made.html and "<i>run" not in made.html
    assert "<b>bold</b>" in made.text and "plain & simple" in made.text and "first <i>run" in made.text


def test_every_head_has_its_figures_and_its_classes(heads_page):
    made = heads_page
    assert [title for title in made.titles if title.startswith("Class by class")] == ["Class by class: kind", "Class by class: style", "Class by class: detail"]
    assert "any number of them apply" in made.text and "with all labels right" in made.text
    assert sum("png" in image["src"][:20] for image in made.images) == 4
    assert len([image for image in made.images if image["alt"].startswith("photo ")]) == 24


def test_the_command_repeats_the_run(style_page, heads_page):
    expected = "kfashion train catalog.csv --root DIR --run 'runs/first <i>run'{} --size 32 --crop box --backbone tiny --weights '/somewhere/my weights.h5' --fine-tune-epochs 5"
    assert expected.format("") in style_page.text
    assert expected.format(" --task task.json") in heads_page.text


def test_class_table_counts():
    actual = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0]])
    answered = np.array([[1, 0, 0], [0, 1, 0], [0, 1, 0]])
    table = class_table(Head("kind", ("a", "b", "c")), actual, answered)
    assert table["recall"][:2].tolist() == [0.5, 1.0] and table["precision"][:2].tolist() == [1.0, 0.5]
    assert table["f1"][0] == pytest.approx(2 / 3) and table.loc[2, ["recall", "precision", "f1"]].isna().all()


# What is missing ------------------------------------------------------------------------------------------------------


def test_without_the_truth_it_says_so(copy):
    run, _, _ = copy
    (run / "valid.csv.gz").unlink()
    made = page(run)
    assert "No class table, confusion and pictures" in made.text and "Class by class" not in made.text
    assert "majority baseline" in made.text  # the run's own figures are still there


def test_a_given_catalog_takes_its_place(copy):
    run, catalog, root = copy
    (run / "valid.csv.gz").unlink()
    made = page(run, catalog, root)
    assert "Class by class" in made.text and "What is missing" not in made.text


def test_without_the_photographs_it_says_so(copy, tmp_path):
    made = page(copy[0], root=tmp_path / "nowhere")
    assert "No pictures: there is no folder" in made.text and "Class by class" in made.text
    assert not any(image["alt"].startswith("photo ") for image in made.images)


@pytest.mark.parametrize("name, said", [
    ("history.csv", "No learning curves"),
    ("predictions.csv", "No predictions"),
    ("metrics.json", "No figures of a finished training"),
])  # fmt: skip
@pytest.mark.parametrize("how", ["gone", "rubbish"])
def test_missing_files_are_named_and_not_fatal(copy, name, said, how):
    path = copy[0] / name
    path.unlink()
    if how != "gone":
        path.write_text('"a,b\n1', encoding="utf-8")
    made = page(copy[0])
    assert said in made.text and name in made.text
    assert "What was done" in made.text and "kfashion train" in made.text


def test_a_bare_recipe_is_enough(copy):
    run = copy[0]
    recipe = json.loads((run / "run.json").read_text(encoding="utf-8"))
    for path in run.iterdir():
        path.unlink()
    (run / "run.json").write_text(json.dumps({key: recipe[key] for key in ("task", "preprocess", "train")}), encoding="utf-8")
    assert "What is missing here" in page(run).text


def test_another_catalog_is_noticed(copy):
    run, catalog, root = copy
    made = page(run, catalog.assign(style=catalog["style"].iloc[::-1].to_numpy()), root)
    assert "not the catalog the run was trained with" in made.text
    made = page(run, catalog.assign(id="x" + catalog["id"]), root)
    assert "is not in the catalog" in made.text and "Class by class" not in made.text


def test_a_head_without_truth_does_not_hide_the_others(heads_run, tmp_path, monkeypatch):
    run, catalog, root = heads_run
    monkeypatch.setattr(plots, "png", lambda figure, dpi: b"")
    made = page(run, catalog.assign(kind=""), root, out=tmp_path / "page.html")
    assert "No truth for 'kind'" in made.text
    assert [title for title in made.titles if title.startswith("Class by class")] == ["Class by class: style", "Class by class: detail"]


def test_an_unreadable_picture_is_a_placeholder_with_the_reason(copy, tmp_path):
    run, catalog, root = copy
    photos = shutil.copytree(root, tmp_path / "photos")
    for number, path in enumerate(sorted(photos.iterdir())):
        path.unlink() if number % 2 else path.write_bytes(b"no picture")
    made = page(run, catalog, photos)
    assert not any(image["alt"].startswith("photo ") for image in made.images)
    assert made.html.count('class="placeholder"') == 24 and "not a picture" in made.text and "there is no such file" in made.text


@pytest.mark.parametrize("content", [None, "{", "{}", '{"task": 3}', "[]"])
def test_a_folder_without_a_recipe_is_refused(tmp_path, content):
    if content is not None:
        (tmp_path / "run.json").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match="run.json"):
        report(tmp_path)
    assert not (tmp_path / "report.html").exists()
