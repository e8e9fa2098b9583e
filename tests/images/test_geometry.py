"""Placements: points of a picture to the square and back, and that what is prepared lies where they say."""

import json

import cv2
import numpy as np
import pytest
from hostile_parts import encoded
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import kfashion_utils as kf
from kfashion_utils.images.geometry import Placement, fitted_size, inside

SIDES = st.floats(1, 3000)


@given(st.floats(-50, 500), st.floats(-50, 500), SIDES, SIDES, st.integers(8, 512), st.sampled_from(["pad", "stretch"]))
def test_there_and_back(left, top, width, height, size, fit):
    placement = Placement.fitted((left, top, left + width, top + height), size, fit)
    points = np.array([[left, top], [left + width, top + height], [left + width / 3, top + height / 7]])
    np.testing.assert_allclose(placement.to_picture(placement.to_square(points)), points, rtol=1e-9, atol=1e-6)
    corner = np.array(placement.offset)
    np.testing.assert_allclose(placement.to_square(points[:1])[0], corner, atol=1e-6)
    np.testing.assert_allclose(placement.to_square(points[1:2])[0], corner + placement.inner, atol=1e-6)
    x, y, right, bottom = placement.region
    assert placement.inner == fitted_size(right - x, bottom - y, size, fit) and max(placement.inner) == size


RECIPES = [
    {}, {"fit": "stretch"}, {"crop": "box"}, {"crop": "box", "margin": 0.2, "fit": "stretch"}, {"mask": "polygon"},
    {"crop": "box", "mask": "polygon", "margin": 0.1},
]  # fmt: skip


@pytest.mark.parametrize("recipe", RECIPES, ids=str)
def test_a_mark_in_a_photograph_lies_where_its_placement_says(recipe, tmp_path):
    pixels = np.zeros((200, 120, 3), np.uint8)
    pixels[90:106, 60:76] = 255  # around (68, 98)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    ring = [[20.0, 30.0], [110.0, 30.0], [110.0, 180.0], [20.0, 180.0]]
    row = {"left": 20, "top": 30, "right": 110, "bottom": 180, "polygon": json.dumps([ring])}
    preprocess = kf.Preprocess(size=96, fill=0, **recipe)
    seen = preprocess.apply("a.png", row, tmp_path)[..., 0]
    placement = preprocess.placement(row, 120, 200)
    ((x, y),) = placement.to_square([[68, 98]])
    ys, xs = np.nonzero(seen > 128)
    assert abs(xs.mean() + 0.5 - x) < 0.6 and abs(ys.mean() + 0.5 - y) < 0.6
    np.testing.assert_array_equal(preprocess.foreground("a.png", row, tmp_path), placement.mask([ring]))


BLACK = encoded(Image.new("RGB", (120, 200)))


CORNER = st.tuples(st.floats(-20, 140), st.floats(-20, 220))


@given(st.tuples(CORNER, CORNER, CORNER), st.sampled_from(RECIPES))
def test_a_polygon_drawn_through_the_placement_is_the_foreground(ring, recipe):
    """But for pixels on its edges, since a sixteenth of a pixel may be rounded to either side, and for those on the
    border of the region, which OpenCV also fills beside what lies outside."""
    row = {"left": 20, "top": 30, "right": 110, "bottom": 180, "polygon": json.dumps([ring])}
    preprocess = kf.Preprocess(size=64, **recipe)
    placement = preprocess.placement(row, 120, 200)
    foreground = preprocess.foreground(BLACK, row)
    drawn = inside([placement.to_square(ring)], 64, 64)
    around = np.ones((3, 3), np.uint8)
    surely, perhaps = cv2.erode(drawn, around) > 0, cv2.dilate(drawn, around) > 0
    within = np.zeros((64, 64), bool)
    within[placement.middle] = True
    within = cv2.erode(within.astype(np.uint8), around, borderType=cv2.BORDER_CONSTANT, borderValue=0) > 0
    assert (foreground >= surely)[within].all() and (foreground <= perhaps)[within].all()
    assert foreground.sum() == foreground[placement.middle].sum()


def test_a_box_outside_is_rejected_as_in_encoding(tmp_path):
    row = {"left": 500, "top": 0, "right": 600, "bottom": 10}
    with pytest.raises(kf.ImageRejected, match="region outside"):
        kf.Preprocess(crop="box").placement(row, 100, 100)
