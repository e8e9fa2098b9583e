"""Figures are tested by their data and by what a reader would see, not by pixels."""

import io
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from kfashion_utils.errors import InputError
from kfashion_utils.plots import confusion as confusion_plots
from kfashion_utils.plots import counts as count_plots
from kfashion_utils.plots import curves as curve_plots
from kfashion_utils.plots import pictures as picture_plots
from kfashion_utils.plots import style
from kfashion_utils.reports import page
from kfashion_utils.tables.catalog import complete_catalog
from kfashion_utils.tables.labels import Head
from kfashion_utils.tables.tasks import STYLE


@pytest.fixture(autouse=True)
def no_korean_font(monkeypatch):
    monkeypatch.setattr(style, "_korean_font", None)


def catalog_of(labels, splits=None, column="style"):
    ids = [f"p{number}" for number in range(len(labels))]
    return complete_catalog(
        pd.DataFrame({"id": ids, "path": ids, "split": splits or ["train"] * len(labels), column: labels})
    )


def predictions_of(head, scores):
    scores = np.asarray(scores, float)
    ids = [f"p{number}" for number in range(len(scores))]
    columns = {column: scores[:, number] for number, column in enumerate(head.columns)}
    return pd.DataFrame({"id": ids, "photo": ids, head.name: head.decode(scores), **columns})


def texts(figure):
    figure.canvas.draw()
    written = figure.findobj(match=lambda artist: hasattr(artist, "get_text"))
    return [artist.get_text() for artist in written if artist.get_text()]


def tick_labels(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def size(figure):
    with Image.open(io.BytesIO(page.png(figure))) as picture:
        return picture.size


def test_import_is_cheap_and_leaves_matplotlib_alone():
    modules = ("pictures", "counts", "combinations", "together", "sizes", "regions", "confusion", "curves")
    imports = "; ".join(f"import kfashion_utils.plots.{name}" for name in modules)
    code = f"import sys; {imports}; sys.exit('matplotlib' in sys.modules or 'keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_a_figure_is_shown_once_and_without_pyplot():
    figure = curve_plots.plot_history([{"epoch": 0, "loss": 1.0}])
    assert figure._repr_png_()[:4] == b"\x89PNG"
    if "matplotlib.pyplot" in sys.modules:
        assert sys.modules["matplotlib.pyplot"].get_fignums() == []  # nothing that a notebook would draw a second time


def test_equal_figures_are_equal_bytes():
    history = [{"epoch": 0, "loss": 1.0, "val_loss": 1.5}]
    assert page.png(curve_plots.plot_history(history)) == page.png(curve_plots.plot_history(history))


# Pictures


def test_rows_of_pictures_have_one_height_and_their_labels():
    shapes = [(300, 200), (50, 400), (20, 20), (1000, 10), (64, 64)]
    images = [np.full((*shape, 3), 99, np.uint8) for shape in shapes]
    figure = picture_plots.show_images(images, [f"레트로 {number}" for number in range(5)], columns=3)
    heights = {round(axes.get_position(original=True).height * figure.get_figheight() * 100) for axes in figure.axes}
    assert len(heights) == 1
    assert [text.replace("\n", " ") for text in texts(figure)] == [f"retro {number}" for number in range(5)]
    assert size(figure)[0] <= 800


@pytest.mark.parametrize(
    "images, labels, columns",
    [
        ([], None, 6),
        ([np.zeros((4, 4, 3), np.uint8)], ["a", "b"], 6),
        ([np.zeros((4, 4, 3))], None, 6),
        ([np.zeros((4, 4), np.uint8)], None, 6),
        ([np.zeros((4, 4, 3), np.uint8)], None, 0),
    ],
)
def test_what_is_no_picture_is_named(images, labels, columns):
    with pytest.raises(InputError):
        picture_plots.show_images(images, labels, columns)


# Counts


def test_counts_are_sorted_and_stacked_by_split():
    labels = ["레트로"] * 2 + ["모던"] * 5 + ["섹시"] * 3
    splits = ["train", "valid"] + ["train"] * 3 + ["valid", "test"] + ["train"] * 3
    figure = count_plots.plot_counts(catalog_of(labels, splits))
    axes = figure.axes[0]
    assert tick_labels(axes.yaxis) == ["modern", "sexy", "retro"]
    train, valid, test = (np.array([bar.get_width() for bar in bars]) for bars in axes.containers)
    assert train.tolist() == [3, 3, 1] and valid.tolist() == [1, 0, 1] and test.tolist() == [1, 0, 0]
    assert [bars.get_label() for bars in axes.containers] == ["train", "valid", "test"]
    assert axes.get_title(loc="left") == "10 rows, 3 classes; the largest is 2.5 times the smallest"


def test_many_classes_are_folded_and_nothing_is_lost():
    labels = [f"c{number}" for number in range(100) for _ in range(number + 1)]
    figure = count_plots.plot_counts(catalog_of(labels, column="kind"))
    bars = figure.axes[0].containers[0]
    assert len(bars) == count_plots.MOST_BARS and sum(bar.get_width() for bar in bars) == len(labels)
    assert size(figure)[0] <= 800


def test_counts_need_a_label_column():
    with pytest.raises(InputError, match="colour"):
        count_plots.plot_counts(catalog_of(["a", "b"]), "colour")


# History


def curves(epochs):
    rates = [0.01 * 0.5 ** ((epoch - 1) // 4) for epoch in range(1, epochs + 1)]
    columns = {
        "epoch": range(epochs + 1),
        "learning_rate": [0.0, *rates],
        "loss": np.linspace(2, 1, epochs + 1),
        "val_loss": np.linspace(2, 1.2, epochs + 1),
        "style_accuracy": [0.5] + [np.nan] * epochs,
        "val_style_accuracy": np.linspace(0.3, 0.6, epochs + 1),
    }
    return pd.DataFrame(columns)


def test_curves_leave_out_what_was_not_measured():
    figure = curve_plots.plot_history(curves(12))
    accuracy, loss = figure.axes
    lines = {line.get_label(): line for line in accuracy.lines if not line.get_label().startswith("_")}
    assert lines["train"].get_xdata().tolist() == [0] and len(lines["valid"].get_xdata()) == 13
    assert lines["train"].get_color() == "#9a9a9a" and lines["valid"].get_color() == "#0072b2"
    assert "best validation accuracy 0.600, epoch 12" in texts(figure)
    assert [text for text in texts(figure) if "0.00" in text] == ["rate 0.005", "0.0025"]


def test_one_epoch_becomes_bars_with_their_values():
    figure = curve_plots.plot_history(curves(0))
    assert {"0.500", "0.300", "2.000", "linear head on frozen features"} <= set(texts(figure))
    assert not any(axes.lines for axes in figure.axes)


def test_several_heads_are_told_apart_by_more_than_colour():
    history = curves(3).assign(val_part_accuracy=0.7)
    lines = curve_plots.plot_history(history).axes[0].lines
    marks = [line.get_marker() for line in lines if line.get_label().startswith("valid")]
    assert len(marks) == 2 == len(set(marks))


@pytest.mark.parametrize("history", [pd.DataFrame(), pd.DataFrame({"epoch": [0]}), pd.DataFrame({"loss": [1.0]})])
def test_a_history_without_curves_is_named(history):
    with pytest.raises(InputError, match="learning curve"):
        curve_plots.plot_history(history)


def test_only_a_loss_is_enough():
    assert size(curve_plots.plot_history([{"epoch": 1, "loss": 1.0}, {"epoch": 2, "loss": np.nan}]))[0] <= 800


# Confusion


def test_confusion_is_ordered_by_parent_and_rows_sum_to_one():
    order = ["레트로", "로맨틱", "키치"]  # 레트로 and 키치 share a parent, so 키치 comes before 로맨틱
    scores = np.full((4, 23), 0.001)
    for row, name in enumerate(["레트로", "키치", "로맨틱", "키치"]):
        scores[row, STYLE.classes.index(name)] = 1
    predictions = predictions_of(STYLE, scores / scores.sum(1, keepdims=True))
    figure = confusion_plots.plot_confusion(predictions, catalog_of([order[0], order[0], order[1], order[2]]))
    axes = figure.axes[0]
    assert tick_labels(axes.yaxis) == ["retro", "kitsch", "romantic"]
    shares = np.asarray(axes.images[0].get_array())
    assert np.allclose(shares, [[0.5, 0.5, 0], [0, 1, 0], [0, 0, 1]])
    assert "accuracy 0.750, majority baseline 0.500, 4 photos" in texts(figure)


def test_confusion_averages_the_rows_of_a_photo():
    head = Head("kind", ("a", "b"))
    predictions = predictions_of(head, [[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]])
    predictions["photo"] = ["p0", "p0", "p2"]
    figure = confusion_plots.plot_confusion(predictions, catalog_of(["a", "a", "b"], column="kind"))
    assert any("accuracy 1.000" in text and "2 photos" in text for text in texts(figure))


def test_confusion_of_garments_counts_rows_as_evaluate_does():
    head = Head("part", ("top", "dress"))
    predictions = predictions_of(head, [[0.9, 0.1], [0.2, 0.8]]).assign(photo="photo")
    catalog = catalog_of(["top", "dress"], column="part").assign(photo="photo")
    figure = confusion_plots.plot_confusion(predictions, catalog)
    assert "accuracy 1.000, majority baseline 0.500, 2 rows" in texts(figure)


def test_confusion_of_one_head_needs_no_labels_of_the_others():
    kind, colour = Head("kind", ("a", "b")), Head("colour", ("red", "blue"))
    scores = [[0.9, 0.1], [0.2, 0.8]]
    answers = predictions_of(colour, scores).drop(columns=["id", "photo"])
    predictions = pd.concat([predictions_of(kind, scores), answers], axis=1)
    figure = confusion_plots.plot_confusion(predictions, catalog_of(["a", "b"], column="kind"), "kind")
    assert any("accuracy 1.000" in text for text in texts(figure))


def test_confusion_of_a_multi_label_head():
    head = Head("detail", ("a", "b"), multi=True)
    catalog = catalog_of(["a", "a|b", "-", ""], column="detail")
    predictions = predictions_of(head, [[0.9, 0.9], [0.9, 0.9], [0.1, 0.1], [0.9, 0.9]])
    figure = confusion_plots.plot_confusion(predictions, catalog, "detail")
    assert "all labels right 0.667, 3 photos" in texts(figure)
    assert np.allclose(np.asarray(figure.axes[0].images[0].get_array()), 1)


def test_confusion_refuses_what_does_not_match():
    head = Head("kind", ("a", "b"))
    predictions = predictions_of(head, [[0.9, 0.1]])
    with pytest.raises(InputError, match="'p0'"):
        confusion_plots.plot_confusion(predictions, catalog_of(["a"], column="kind").assign(id="other"))
    with pytest.raises(InputError, match="'colour'"):
        confusion_plots.plot_confusion(predictions, catalog_of(["a"], column="kind"), "colour")
    with pytest.raises(InputError, match="no predicted photo"):
        confusion_plots.plot_confusion(predictions, catalog_of([""], column="kind"))
    detail = Head("detail", ("a", "b"), multi=True)
    with pytest.raises(InputError, match="nothing to draw"):
        confusion_plots.plot_confusion(predictions_of(detail, [[0.1, 0.1]]), catalog_of(["-"], column="detail"))


@pytest.mark.parametrize("count", [23, 61])
def test_confusion_fits_a_notebook(count):
    head = Head("kind", tuple(f"class name {number:02}" for number in range(count)))
    scores = np.eye(count)
    figure = confusion_plots.plot_confusion(predictions_of(head, scores), catalog_of(list(head.classes), column="kind"))
    assert size(figure)[0] <= 800 and len(page.png(figure)) < 100_000
    assert ("1" in texts(figure)) == (count <= 30)


# Hangul


def test_hangul_is_never_drawn_without_a_font():
    figure = count_plots.plot_counts(catalog_of(["실내복", "실내복", "레트로"]))
    assert tick_labels(figure.axes[0].yaxis) == ["class 1", "retro"]  # its place among the sorted classes
    assert any("labelled by number" in text for text in texts(figure))
    pictures = picture_plots.show_images([np.zeros((200, 200, 3), np.uint8)], ["실내복 0.9 레트로|모던"])
    assert "? 0.9 retro|modern" in [text.replace("\n", " ") for text in texts(pictures)]


def test_dollars_in_a_class_name_are_no_formula():
    figure = count_plots.plot_counts(catalog_of(["$x_1$ $", "b"]))
    assert page.png(figure)


@pytest.fixture
def fontless(monkeypatch):
    """A machine without a Korean font; returns the commands that were run there."""
    from matplotlib import font_manager

    commands = []

    def fail(command, **_):
        commands.append(command)
        return subprocess.CompletedProcess(command, 100, "", "E: are you root?")

    monkeypatch.setattr(font_manager.fontManager, "ttflist", [])
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [])
    monkeypatch.setattr(style.subprocess, "run", fail)
    return commands


def test_no_korean_font_says_how_to_get_one(fontless, capsys):
    assert style.use_korean_font() is None and fontless == []
    assert "apt-get install -y -qq fonts-nanum" in capsys.readouterr().out


def test_an_installation_that_fails_is_said(fontless, capsys, monkeypatch):
    monkeypatch.setattr(style, "IN_COLAB", True)
    assert style.use_korean_font() is None and fontless == [style.INSTALL_FONT]
    assert "are you root?" in capsys.readouterr().out


def test_in_colab_a_korean_font_is_installed_and_used(fontless, monkeypatch):
    import matplotlib
    from matplotlib import font_manager

    def installed(command, **_):
        font_manager.fontManager.ttflist.append(font_manager.FontEntry(name="NanumGothic"))
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(style.subprocess, "run", installed)
    with matplotlib.rc_context():
        assert style.use_korean_font(install=True) == "NanumGothic" == style._korean_font
        assert matplotlib.rcParams["font.family"][-1] == "NanumGothic"


def test_a_notebook_keeps_a_figure_small():
    figure = count_plots.plot_counts(catalog_of(["레트로", "모던", "모던"]))
    small = figure._repr_png_()
    assert len(small) < len(page.png(figure)) / 2
    with Image.open(io.BytesIO(small)) as drawn, Image.open(io.BytesIO(page.png(figure))) as whole:
        assert np.abs(np.asarray(drawn.convert("RGB"), int) - np.asarray(whole.convert("RGB"), int)).max() < 12


def test_with_a_korean_font_classes_are_korean_with_their_gloss():
    import matplotlib

    with matplotlib.rc_context():
        if style.use_korean_font() is None:
            pytest.skip("no Korean font is installed here")
        figure = count_plots.plot_counts(catalog_of(["레트로", "실내복", "실내복"]))
    assert tick_labels(figure.axes[0].yaxis) == ["실내복", "레트로 retro"]


def test_the_number_over_a_full_bar_leaves_the_title_free():
    history = pd.DataFrame([{"epoch": 0, "loss": 0.1, "label_accuracy": 1.0, "val_label_accuracy": 0.9, "seconds": 1}])
    figure = curve_plots.plot_history(history)
    figure.canvas.draw()
    axes = figure.axes[0]
    [number] = [text for text in axes.texts if text.get_text() == "1.000"]
    title = axes._left_title.get_window_extent()
    assert number.get_window_extent().y1 <= title.y0
