"""Figures of a catalog are tested by their data and by what a reader would see."""

import io

import numpy as np
import pandas as pd
import pytest
from conftest import picture
from PIL import Image

from kfashion_utils.errors import InputError
from kfashion_utils.images.recipe import Preprocess
from kfashion_utils.plots import combinations, regions, sizes, style
from kfashion_utils.plots.combinations import plot_combinations
from kfashion_utils.plots.counts import plot_parents
from kfashion_utils.plots.regions import show_recipe, show_regions
from kfashion_utils.plots.sizes import plot_boxes, plot_sizes
from kfashion_utils.plots.together import plot_together
from kfashion_utils.reports import page
from kfashion_utils.tables.catalog import complete_catalog
from kfashion_utils.tables.tasks import STYLE


@pytest.fixture(autouse=True)
def no_korean_font(monkeypatch):
    monkeypatch.setattr(style, "_korean_font", None)


def table(**columns):
    count = len(next(iter(columns.values())))
    ids = [f"p{number}" for number in range(count)]
    return complete_catalog(pd.DataFrame({"id": ids, "path": [f"{name}.jpg" for name in ids], **columns}))


def texts(figure):
    figure.canvas.draw()
    written = figure.findobj(match=lambda artist: hasattr(artist, "get_text"))
    return [artist.get_text() for artist in written if artist.get_text()]


def ticks(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def widths(axes):
    return [round(bar.get_width()) for bars in axes.containers for bar in bars]


def size(figure):
    with Image.open(io.BytesIO(page.png(figure))) as drawn:
        return drawn.size


@pytest.fixture
def shown(tmp_path):
    """(root, catalog): six photographs, two of them with two garments, one unreadable."""
    for number in range(6):
        picture(tmp_path / f"p{number}.jpg", (80, 100) if number < 4 else (120, 60), seed=number)
    (tmp_path / "p5.jpg").write_bytes(b"no picture")
    ring = "[[[10, 10], [40, 12], [38, 60]]]"
    rows = [(f"p{number}", part) for number in range(6) for part in (("top", "bottom") if number < 2 else ("dress",))]
    photos = [photo for photo, _ in rows]
    columns = {
        "id": [f"{photo}-{part}" for photo, part in rows],
        "path": [f"{photo}.jpg" for photo in photos],
        "photo": photos,
        "part": [part for _, part in rows],
        **{"left": 10.0, "top": 10.0, "right": 40.0, "bottom": 60.0, "polygon": ring, "region": "hand"},
    }
    catalog = pd.DataFrame(columns)
    below = catalog["part"] == "bottom"  # beneath the top, so that neither hides the other
    catalog.loc[below, ["top", "bottom", "polygon"]] = [62.0, 95.0, "[[[10, 62], [40, 64], [38, 95]]]"]
    return tmp_path, complete_catalog(catalog)


# Classes


def test_parents_stand_above_their_classes_most_frequent_first():
    figure = plot_parents(table(style=["레트로", "키치", "키치", "모던"]))
    axes = figure.axes[0]
    assert ticks(axes.yaxis) == ["subculture", "kitsch", "retro", "contemporary", "modern"]
    assert widths(axes) == [3, 2, 1, 1, 1]
    assert axes.get_title(loc="left") == "2 parents, 3 classes; subculture holds 75%; 20 of 23 classes have none"


def test_all_styles_fit_a_notebook():
    figure = plot_parents(table(style=list(STYLE.classes) * 2))
    assert size(figure)[0] <= 800 and len(ticks(figure.axes[0].yaxis)) == 33
    assert not any("have none" in text for text in texts(figure))


def test_combinations_are_counted_by_photograph(shown):
    figure = plot_combinations(shown[1])
    dots, bars = figure.axes
    assert widths(bars) == [4, 2] and ticks(dots.xaxis) == ["dress", "top", "bottom"]
    joined = [line.get_xdata().tolist() for line in dots.lines]
    assert joined == [[0], [1, 2]]
    assert "6 photographs, 2 combinations; 33% show more than one part" in texts(figure)


def test_several_labels_a_row_are_a_combination_and_none_is_counted():
    figure = plot_combinations(table(detail=["a|b", "b|a", "a", "", "-"]), "detail")
    assert widths(figure.axes[1]) == [2, 1, 2] and "no label" in texts(figure)


def test_many_classes_and_combinations_are_folded_and_no_photo_is_lost():
    figure = plot_combinations(table(detail=[f"c{number}|d{number % 7}" for number in range(60)] + ["c0"]), "detail")
    assert sum(widths(figure.axes[1])) == 61 and len(ticks(figure.axes[0].xaxis)) == combinations.MOST_COMBINED
    assert size(figure)[0] <= 800


def test_what_goes_together_is_ordered_by_parent():
    catalog = table(style=["모던", "레트로", "레트로", "로맨틱"], sub_style=["레트로", "키치", "로맨틱", ""])
    figure = plot_together(catalog)
    axes = figure.axes[0]
    assert ticks(axes.yaxis) == ["retro", "modern"] and ticks(axes.xaxis) == ["retro", "kitsch", "romantic"]
    assert np.allclose(np.asarray(axes.images[0].get_array()), [[0, 0.5, 0.5], [1, 0, 0]])
    assert "3 photographs have both; in 33% they have the same parent" in texts(figure)


def test_attributes_without_parents_go_by_frequency(shown):
    catalog = shown[1].assign(colour=["red", "red", "red", "blue"] + ["red"] * 4)
    figure = plot_together(catalog, "part", "colour")
    assert ticks(figure.axes[0].yaxis) == ["dress", "top", "bottom"] and ticks(figure.axes[0].xaxis) == ["red", "blue"]
    shares = np.asarray(figure.axes[0].images[0].get_array())
    assert np.allclose(shares, [[1, 0], [1, 0.5], [1, 0.5]])


def test_hundreds_of_classes_fit_and_nothing_is_lost():
    names = [f"c{number:03d}" for number in range(300)]
    figure = plot_together(table(one=names, other=names), "one", "other")
    assert np.asarray(figure.axes[0].images[0].get_array()).shape == (style.MOST_NAMED,) * 2
    assert size(figure)[0] <= 800


def test_hangul_that_no_font_has_is_numbered():
    figure = plot_combinations(table(detail=["리본", "리본|단추", "도트"]), "detail")
    assert sorted(ticks(figure.axes[0].xaxis)) == ["class 0", "class 1", "class 2"]
    assert any("labelled by number" in text for text in texts(figure))


@pytest.mark.parametrize("draw", [plot_parents, plot_combinations, plot_together])
def test_a_missing_column_is_named(draw):
    with pytest.raises(InputError, match="no label column .*the catalog's are \\['kind'\\]"):
        draw(table(kind=["a"]))
    column = "style" if draw is not plot_combinations else "part"
    with pytest.raises(InputError, match="has a label in"):
        draw(table(**{column: ["", "-"], "sub_style": ["", ""]}))


def test_what_cannot_be_drawn_is_said():
    with pytest.raises(InputError, match="have no parents"):
        plot_parents(table(kind=["a"]), "kind")
    with pytest.raises(InputError, match="none of 2 photographs"):
        plot_together(table(style=["모던", ""], sub_style=["", "레트로"]))


# Sizes and boxes


def test_sizes_are_those_of_the_headers(shown):
    root, catalog = shown
    figure = plot_sizes(catalog, root)
    assert "5 pictures (1 unreadable): 2 sizes, 80% are 80 x 100; 80% are higher than wide" in texts(figure)
    assert {"80 x 100: 80%", "120 x 60: 20%"} <= set(texts(figure))


def test_many_pictures_are_sampled(shown, monkeypatch):
    monkeypatch.setattr(sizes, "MOST_READ", 3)
    assert any(text.startswith("2 of 6 pictures (1 unreadable)") for text in texts(plot_sizes(shown[1], shown[0])))


def test_boxes_are_shares_of_their_picture(shown):
    root, catalog = shown
    catalog = catalog[catalog["photo"].isin(["p2", "p3", "p4"])].copy()
    catalog.loc[catalog["photo"] == "p3", ["left", "top", "right", "bottom"]] = np.nan
    figure = plot_boxes(catalog, root)
    heat = np.asarray(figure.axes[1].images[0].get_array())
    assert heat.min() == 0 and heat.max() == 1  # both boxes lie over one place, none over another
    [finding] = [text for text in texts(figure) if text.startswith("2 boxes in 2 pictures")]
    assert finding.endswith("1 of 3 rows have none")


def test_density_is_the_share_of_boxes_over_a_cell():
    sides = np.array([[0, 0, 0.5, 1], [0, 0, 1, 0.5]])
    assert np.allclose(sizes._density(sides, 2, 2), [[1, 0.5], [0.5, 0]])


@pytest.mark.parametrize("draw", [plot_sizes, plot_boxes, show_regions])
def test_no_picture_at_all_is_said(draw, shown, tmp_path):
    with pytest.raises(InputError, match="none of"):
        draw(shown[1], tmp_path / "nowhere")


def test_no_box_is_said(shown):
    with pytest.raises(InputError, match="has a box"):
        plot_boxes(shown[1].assign(left=np.nan), shown[0])


# Pictures


def test_regions_are_drawn_and_unreadable_pictures_left_out(shown):
    root, catalog = shown
    figure = show_regions(catalog, root, "part")
    assert len(figure.axes) == 5 and {"top\nbottom", "dress"} <= set(texts(figure))
    drawn = regions._outlined(catalog[catalog["photo"] == "p0"], root, *[regions.REGION_COLOURS[:2]] * 2)
    for place, colour in zip((20, 80), regions.REGION_COLOURS, strict=False):  # the right sides of the two boxes
        assert np.abs(drawn[place, 40].astype(int) - colour).max() == 0
    pixels = np.asarray(Image.open(io.BytesIO(figure._repr_png_())).convert("RGB"), int)
    for colour in regions.REGION_COLOURS[:3]:
        assert (np.abs(pixels - colour).max(axis=2) < 40).any()  # no outline is lost where a picture gets fewer colours
    with pytest.raises(InputError, match="colour"):
        show_regions(catalog, root, "colour")


def test_examples_show_every_class_first_and_looks_once():
    catalog = table(style=["모던", "모던", "모던", "레트로"], group=["a", "a", "b", "c"])
    assert regions._examples(catalog, "style", 4) == ["p0", "p3", "p2", "p1"]


def test_a_catalog_without_labels_can_be_shown(shown):
    root, catalog = shown
    assert len(show_regions(catalog.drop(columns="part"), root).axes) == 5
    with pytest.raises(InputError, match="no rows"):
        show_regions(catalog.iloc[:0], root, "part")


def test_before_and_after_stand_side_by_side(shown):
    root, catalog = shown
    figure = show_recipe(catalog, root, Preprocess(size=32, crop="box", margin=0.1, mask="polygon"), photos=3)
    assert len(figure.axes) == 6 and texts(figure)[1].replace("\n", " ") == "crop +10%, mask"
    assert texts(show_recipe(catalog, root, Preprocess(size=64), photos=1))[1] == "whole"
