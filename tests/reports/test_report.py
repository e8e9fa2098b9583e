"""The page of a run: what it says, what it shows, and what it says when something is missing. No run of `train`."""

import json
import re
import shutil
from functools import partial
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from made_runs import DETAIL, KIND, ROWS, make_run

import kfashion_utils as kf
from kfashion_utils.errors import InputError
from kfashion_utils.evaluation.calibration import calibrate
from kfashion_utils.evaluation.figures import evaluate
from kfashion_utils.reports import page as report_page
from kfashion_utils.reports.calibration import cross_temper
from kfashion_utils.reports.pictures import choose_pictures
from kfashion_utils.runs.run import Run
from kfashion_utils.storage.files import hash_file
from kfashion_utils.tables.catalog import write_catalog
from kfashion_utils.tables.labels import Task
from kfashion_utils.tables.predictions import read_predictions
from kfashion_utils.tables.tasks import STYLE

report = partial(kf.report, language="en")  # what it says is read in English here; in Korean: test_korean


@pytest.fixture(scope="module")
def style_run(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("style"), Task("style", (STYLE,)))


@pytest.fixture(scope="module")
def heads_run(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("heads"), Task("garment", (KIND, STYLE, DETAIL)))


@pytest.fixture
def copy(style_run, tmp_path, monkeypatch):
    """A run folder of one's own to take things out of; figures are not drawn, which takes most of the time."""
    monkeypatch.setattr(report_page, "png", lambda figure, dpi: b"")
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
        self.addresses += [
            attributes[name] for name in ("src", "href", "srcset", "data", "action") if name in attributes
        ]
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


def page(*arguments, heat=False, **options):
    return Page(report(*arguments, heat=heat, **options))


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
    for fact in (
        "레트로 retro",
        "subculture",
        "160 train, 40 valid",
        "2 pictures rejected",
        "abababababab",
        "cdcdcdcdcdcd",
        "tiny",
        "0123456",
        "75.0 seconds",
    ):
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
    assert sum("png" in image["src"][:20] for image in made.images) == 3  # curves, confusion, calibration


def test_mistakes_come_first_and_the_most_confident_ones():
    ids, right = [f"p{number}" for number in range(30)], [number % 2 == 0 for number in range(30)]
    answers = pd.DataFrame({"id": ids, "right": right, "confidence": np.linspace(0.1, 0.9, 30)})
    mistakes, drawn = choose_pictures(answers, 8)
    assert mistakes == ["p29", "p27", "p25", "p23"] and len(drawn) == 4 and not set(drawn) & set(mistakes)
    assert choose_pictures(answers, 8) == (mistakes, drawn)
    assert [len(part) for part in choose_pictures(answers[answers["right"]], 8)] == [0, 8]
    assert [len(part) for part in choose_pictures(answers[:3], 8)] == [1, 2]


def test_equal_input_gives_equal_bytes_wherever_it_is_written(style_run, style_page, tmp_path):
    again = report(style_run[0], out=tmp_path / "deep" / "page.html", heat=False)
    assert again.read_bytes() == (style_run[0] / "report.html").read_bytes()


def test_names_cannot_become_markup(heads_page):
    made = heads_page
    assert "<b>bold</b>" not in made.html and "<i>run" not in made.html
    assert "<b>bold</b>" in made.text and "plain & simple" in made.text and "first <i>run" in made.text


def test_every_head_has_its_figures_and_its_classes(heads_page):
    made = heads_page
    assert [title for title in made.titles if title.startswith("Class by class")] == [
        "Class by class: kind",
        "Class by class: style",
        "Class by class: detail",
    ]
    assert "any number of them apply" in made.text and "with all labels right" in made.text
    assert sum("png" in image["src"][:20] for image in made.images) == 7
    assert len([image for image in made.images if image["alt"].startswith("photo ")]) == 24


def test_the_command_repeats_the_run(style_page, heads_page):
    expected = (
        "kfashion train catalog.csv --root DIR --run 'runs/first <i>run'{} --size 32 --crop box --backbone tiny "
        "--weights '/somewhere/my weights.h5' --fine-tune-epochs 5"
    )
    assert expected.format("") in style_page.text
    assert expected.format(" --task task.json") in heads_page.text


def test_figures_stand_beside_their_intervals_in_both_class_mixes(style_run, style_page):
    import kfashion_utils as kf

    run, catalog, _ = style_run
    row = kf.score_intervals(Run(run).predictions, catalog).set_index("figure").loc["accuracy"]
    natural = f"{row['natural']:.3f}{row['low']:.3f}–{row['high']:.3f}"
    balanced = f"{row['balanced']:.3f}{row['balanced_low']:.3f}–{row['balanced_high']:.3f}"
    assert f"accuracy{natural}{balanced}" in style_page.text
    assert "40 photos of 20 groups" in style_page.text
    assert "every class as often" in style_page.text


def test_a_boards_rules_can_be_checked(style_page, heads_page):
    assert "my weights.h5 (sha256 abababababab): check that the rules allow" in style_page.text
    assert "each row's box: 95.0% drawn by annotators, 5.0% not given" in style_page.text
    assert "160 train rows; not from valid or test rows" in style_page.text
    assert "A new picture needsits box: from annotators, drawn by hand, or found by a model" in style_page.text
    assert "For a board's rules" in heads_page.titles


def test_a_final_fit_is_said_to_be_judged_out_of_fold(copy):
    run = copy[0]
    _edit(run / "run.json", split="all")
    made = page(run)
    assert "--split all" in made.text
    assert "out of fold" in made.text
    assert "trained on 200 rows" in made.text
    assert "of 40 photos answered" in made.text


def test_which_weights_were_kept_is_said(copy):
    run = copy[0]
    recipe = json.loads((run / "run.json").read_text(encoding="utf-8"))
    _edit(
        run / "run.json",
        train=recipe["train"] | {"fine_tune_epochs": 6},
        fit={"best": {"epoch": 6, "share": 0.5, "val_calibrated_loss": 0.4}},
    )
    assert "50% of the way from the frozen start to epoch 6, so the figures" in page(run).text


def _edit(path, **values):
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | values), encoding="utf-8")


# Calibration ----------------------------------------------------------------------------------------------------------


def test_each_half_is_given_the_temperature_of_the_other(style_run):
    run, catalog, _ = style_run
    predictions = read_predictions(run / "predictions.csv")
    tempered, temperatures = cross_temper(predictions, catalog)
    assert tempered["id"].tolist() == predictions["id"].tolist() and tempered["style"].equals(predictions["style"])
    scores = [name for name in predictions if ":" in name]
    best = np.argsort(predictions[scores].to_numpy(), axis=1)[:, -2:]
    before, after = (
        np.diff(np.log(np.take_along_axis(table[scores].to_numpy(), best, axis=1)))[:, 0]
        for table in (predictions, tempered)
    )
    slopes = before / after
    first = np.isclose(slopes, temperatures[0], rtol=1e-3)
    assert 10 <= first.sum() <= 30 and np.isclose(slopes[~first], temperatures[1], rtol=1e-3).all()
    groups = catalog["group"].to_numpy()
    assert not set(groups[first]) & set(groups[~first])
    assert temperatures[0] == pytest.approx(calibrate(predictions[~first], catalog)["style"])


def test_calibration_is_shown_before_and_after(style_page, heads_page):
    assert "How sure may one be?" in style_page.titles
    assert "as predicted" in style_page.text
    assert "with a temperature" in style_page.text
    assert heads_page.titles.count("How sure may one be? ") == 3


# Heat -----------------------------------------------------------------------------------------------------------------


def test_where_it_looked(tmp_path, monkeypatch):
    from kfashion_utils.models.model import build_model

    monkeypatch.setattr(report_page, "png", lambda figure, dpi: b"")
    run, _, _ = make_run(tmp_path, Task("style", (STYLE,)), polygon="[[[4, 4], [14, 4], [14, 20], [4, 20]]]")
    build_model(Task("style", (STYLE,)), "tiny", 32).save_weights(run / "best.weights.h5")
    made = page(run, heat=True)
    assert "What is missing" not in made.text and "Where it looked" in made.titles
    assert len([image for image in made.images if image["alt"].startswith("heat ")]) == 8
    assert re.search(r"In \d pictures? with polygons [\d.]+ % of the heat lies on the garments", made.text)
    _edit(run / "run.json", files={"best.weights.h5": hash_file(run / "run.json")})
    with pytest.raises(InputError, match=r"(?s)report\.html was written without .*best\.weights\.h5 is not the file"):
        report(run, heat=True)
    made = Page(run / "report.html")
    assert "No heat maps (where it looked)" in made.text
    assert "is not the file that training wrote" in made.text
    assert "Class by class" in made.text


def test_a_run_without_weights_says_so(copy):
    made = page(copy[0], heat=True)
    assert "No heat maps (where it looked)" in made.text
    assert "best.weights.h5 is missing" in made.text
    assert "Where it looked" not in made.titles
    assert "Class by class" in made.text


# Audit ----------------------------------------------------------------------------------------------------------------


def make_audit(folder, catalog, pairs):
    """What `kfashion audit` writes, by hand; rows t0, t1, … are training rows."""
    folder.mkdir()
    pd.DataFrame({"id": [*catalog["id"], "t0", "t1", "t2"]}).to_csv(folder / "catalog.csv", index=False)
    findings = [
        ("p01", "blurred", "sharpness 0.001 & less", 0.001),
        ("t0", "blurred", "x", 0.002),
        ("", "shares", "valid 20%", 0.2),
    ]
    pd.DataFrame(findings, columns=["id", "finding", "detail", "value"]).to_csv(folder / "findings.csv", index=False)
    pd.DataFrame(pairs, columns=["id", "other", "how", "distance"]).to_csv(folder / "pairs.csv", index=False)
    return folder


def test_what_an_audit_found_and_the_scores_without_near_duplicates(copy, tmp_path):
    run, catalog, _ = copy
    made = page(
        run,
        audit=make_audit(
            tmp_path / "audit", catalog, [("p00", "t0", "near", 3), ("p01", "t1", "exact", 0), ("t1", "t2", "near", 1)]
        ),
    )
    assert "What the audit found" in made.titles
    assert "blurred21p01 sharpness 0.001 & less" in made.text
    assert "pairs: near21p00 t0" in made.text
    assert "all40" in made.text and "without near-duplicates38" in made.text and "near-duplicates2" in made.text


def test_labels_that_an_audit_takes_for_wrong_are_counted(copy, tmp_path):
    run, catalog, _ = copy
    folder = make_audit(tmp_path / "audit", catalog, [])
    pd.DataFrame(
        {"id": ["p03", "t0"], "column": "style", "label": "모던", "suggestion": "로맨틱", "probability": 0.9}
    ).to_csv(folder / "label_errors.csv", index=False)
    audited = catalog[["id", "style"]].copy()
    audited.loc[audited["id"] == "p03", "style"] = "모던"
    pd.concat([audited, pd.DataFrame({"id": ["t0", "t1", "t2"], "style": ["모던", "", ""]})]).to_csv(
        folder / "catalog.csv", index=False
    )
    assert "likely wrong labels: style21p03 모던 → 로맨틱" in page(run, audit=folder).text
    audited.loc[audited["id"] == "p03", "style"] = "로맨틱"  # put right; t0 is gone
    audited.to_csv(folder / "catalog.csv", index=False)
    assert "likely wrong labels" not in page(run, audit=folder).text


def test_pairs_that_touch_no_judged_photo_are_said(copy, tmp_path):
    run, catalog, _ = copy
    assert (
        "No validation photo is in a pair"
        in page(run, audit=make_audit(tmp_path / "1", catalog, [("t0", "t1", "near", 3)])).text
    )
    assert (
        "none has a near-duplicate in training"
        in page(run, audit=make_audit(tmp_path / "2", catalog, [("p00", "p01", "near", 3)])).text
    )


def test_an_audit_that_is_missing_or_of_other_rows_is_said(copy, tmp_path):
    run, catalog, _ = copy
    made = page(run, audit=tmp_path / "nowhere")
    assert "No audit's findings" in made.text and "kfashion audit CATALOG" in made.text
    assert "Class by class" in made.text
    made = page(run, audit=make_audit(tmp_path / "audit", catalog[5:], []))
    assert "is of another catalog: it lacks 5 of 40 validation rows" in made.text
    assert "What the audit found" not in made.titles


# What is missing ------------------------------------------------------------------------------------------------------


def test_without_the_truth_it_says_so(copy):
    run, _, _ = copy
    (run / "valid.csv.gz").unlink()
    made = page(run)
    assert "No class table, intervals, confusion, calibration and pictures" in made.text
    assert "Class by class" not in made.text
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
    (run / "run.json").write_text(
        json.dumps({key: recipe[key] for key in ("task", "preprocess", "train")}), encoding="utf-8"
    )
    assert "What is missing here" in page(run).text


def test_another_catalog_is_noticed(copy):
    run, catalog, root = copy
    made = page(run, catalog.assign(style=catalog["style"].iloc[::-1].to_numpy()), root)
    assert "not the catalog the run was trained with" in made.text
    made = page(run, catalog.assign(id="x" + catalog["id"]), root)
    assert "is not in the catalog" in made.text and "Class by class" not in made.text


def test_a_head_without_truth_does_not_hide_the_others(heads_run, tmp_path, monkeypatch):
    run, catalog, root = heads_run
    monkeypatch.setattr(report_page, "png", lambda figure, dpi: b"")
    made = page(run, catalog.assign(kind=""), root, out=tmp_path / "page.html")
    assert "No truth for 'kind'" in made.text
    assert [title for title in made.titles if title.startswith("Class by class")] == [
        "Class by class: style",
        "Class by class: detail",
    ]


def test_an_unreadable_picture_is_a_placeholder_with_the_reason(copy, tmp_path):
    run, catalog, root = copy
    photos = shutil.copytree(root, tmp_path / "photos")
    for number, path in enumerate(sorted(photos.iterdir())):
        path.unlink() if number % 2 else path.write_bytes(b"no picture")
    made = page(run, catalog, photos)
    assert not any(image["alt"].startswith("photo ") for image in made.images)
    assert made.html.count('class="placeholder"') == 24
    assert "not a picture" in made.text
    assert "there is no such file" in made.text


@pytest.mark.parametrize("content", [None, "{", "{}", '{"task": 3}', "[]"])
def test_a_folder_without_a_recipe_is_refused(tmp_path, content):
    if content is not None:
        (tmp_path / "run.json").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match="run.json"):
        report(tmp_path)
    assert not (tmp_path / "report.html").exists()


def test_one_class_only_is_said(copy):
    run, catalog, root = copy
    made = page(run, catalog.assign(style="레트로"), root)
    assert "Only one of the 23 classes occurs" in made.text
    assert "No temperature could be fitted" in made.text
    assert "Class by class" in made.text


def test_no_validation_rows_is_said(copy):
    run = copy[0]
    for name in ("predictions.csv", "metrics.json"):
        lines = (run / name).read_text(encoding="utf-8").splitlines()
        (run / name).write_text(lines[0] + "\n" if name.endswith("csv") else "{}", encoding="utf-8")
    made = page(run)
    assert "predictions.csv has no row: there were no validation photos" in made.text and "What was done" in made.text
    assert "How good is it" not in made.text


def test_all_photos_of_one_group_are_said(copy):
    run, catalog, root = copy
    made = page(run, catalog.assign(group="one"), root)
    assert "all photos are of one group" in made.text and "cannot be told from 1 group of photos" in made.text


# By row ---------------------------------------------------------------------------------------------------------------


def test_a_head_that_is_judged_by_row_counts_rows(tmp_path):
    photos = [f"photo{number // 2}" for number in range(ROWS)]
    run, catalog, _ = make_run(tmp_path, Task("garment", (STYLE, KIND)), photo=photos)
    told = catalog.assign(kind=catalog.groupby("photo")["kind"].transform("first"))
    write_catalog(told, run / "valid.csv.gz")
    figures = evaluate(Run(run).predictions, told)
    assert figures["style"]["by_row"] and figures["style"]["n"] == 40 and figures["kind"]["n"] == 20
    (run / "metrics.json").write_text(json.dumps(figures), encoding="utf-8")
    made = page(run)
    assert "What is missing" not in made.text
    assert "of 40 validation rows answered correctly" in made.text
    assert "of 20 validation photos answered correctly" in made.text
    assert "With 40 rows of 20 groups" in made.text or "from 20 groups of rows" in made.text
    assert "rows of one true class" in made.text and "photos of one true class" in made.text
    assert "right in 8 of 10 rows" in made.text and "right in 8 of 10 photos" in made.text
    titles = [image["alt"] for image in made.images if image["alt"].startswith("photo ")]
    assert len(titles) == len(set(titles)) == 24
    # a run of an older version judged it by photo: that is no other catalog
    figures["style"].pop("by_row")
    (run / "metrics.json").write_text(json.dumps(figures | {"style": figures["style"] | {"n": 20}}), encoding="utf-8")
    assert "not the catalog the run was trained with" not in page(run).text
