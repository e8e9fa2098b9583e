"""A person dressed: the body and the garments of a wardrobe, drawn from back to front."""

import numpy as np

from kfashion_utils.datasets.sample.body import draw_hair_behind, draw_head, draw_legs_and_shoes, draw_torso
from kfashion_utils.datasets.sample.cloth import Cloth, code_of
from kfashion_utils.datasets.sample.details_lower import LOWER_DETAILS
from kfashion_utils.datasets.sample.details_upper import SLEEVE_DETAILS, UPPER_DETAILS
from kfashion_utils.datasets.sample.figures import (
    half_bodice,
    joint_at,
    limb,
    mirrored,
    skirt,
    sleeve,
    smooth,
    trousers,
    width_at_hem,
)
from kfashion_utils.datasets.sample.paint import darker

_DETAILS = UPPER_DETAILS | LOWER_DETAILS
_WITH_SLEEVES = ("arm_stripe", "fringe_sleeves", "white_sleeves")  # drawn when the arms are


def draw_figure(figure, wardrobe):
    """Draws body and garments on a Figure, from back to front. `wardrobe` maps part to Cloth."""
    top, bottom, dress, outer = (wardrobe.get(part) for part in ("상의", "하의", "원피스", "아우터"))
    draw_hair_behind(figure)
    if top and top.cut.get("neck") == "hood":
        hood = mirrored(smooth([(0, 0.10), (0.050, 0.115), (0.066, 0.160), (0.04, 0.195), (0, 0.20)]))
        figure.lay([hood], top, code_of(top))
    draw_legs_and_shoes(figure)
    draw_torso(figure)
    beneath = top and (top.cut.get("tuck", False) or dress)  # under the waistband, or under overalls
    if beneath:
        _wear_upper(figure, top)
    if bottom:
        _wear_lower(figure, bottom)
    if top and not beneath:
        _wear_upper(figure, top)
    if dress:
        _wear_dress(figure, dress)
    if outer:
        _wear_outer(figure, outer)
    for side in (-1, 1):
        _arm_and_sleeves(figure, side, [c for c in (top, dress, outer) if c])
    draw_head(figure)
    jewel = figure.person["jewel"]
    if jewel:
        _DETAILS[jewel](figure, outer or top or dress)


def _wear_upper(figure, cloth):
    cut = cloth.cut
    outline = mirrored(half_bodice(cut, figure.body, cut["hem"], width_at_hem(cut, figure.body)))
    if "skew" in cut:
        outline[:, 1] += np.where(outline[:, 1] > 0.40, cut["skew"] * outline[:, 0] * 3 * (outline[:, 1] - 0.40) * 4, 0)
    figure.lay([outline], cloth, code_of(cloth))
    _decorate(figure, cloth)


def _wear_lower(figure, cloth):
    cut = cloth.cut
    if "legs" in cut:
        pelvis, right, left = trousers(cut, figure.body, figure.legs)
        figure.lay([pelvis, left], cloth, code_of(cloth))
        figure.lay([right], cloth, code_of(cloth, True))
        figure.lay([pelvis[pelvis[:, 1] < 0.51]], cloth, code_of(cloth), 0.6)
    else:
        figure.lay([skirt(cut, figure.body, cut.get("waist_y", 0.372))], cloth, code_of(cloth))
    _decorate(figure, cloth)


def _wear_dress(figure, cloth):
    cut = cloth.cut
    waist = figure.body["waist"] + 0.006 + cut.get("waist_ease", 0) + cut.get("ease", 0) * 0.5
    bodice = mirrored(half_bodice(cut, figure.body, 0.392, waist))
    if "legs" in cut:
        pelvis, right, left = trousers(cut, figure.body, figure.legs)
        figure.lay([right, pelvis, left], cloth, code_of(cloth))
        figure.lay([bodice], cloth, code_of(cloth), 0.7)
    else:
        figure.lay([skirt(cut, figure.body, 0.382)], cloth, code_of(cloth))
        figure.lay([bodice], cloth, code_of(cloth))
    _decorate(figure, cloth)


def _wear_outer(figure, cloth):
    cut, body = {"neck": "shirt", **cloth.cut}, figure.body
    half = half_bodice(cut, body, cut["hem"], width_at_hem(cut, body))
    gap = cut["open"]
    for side in (1, -1):
        outline = half * (side, 1)
        inner = [(side * gap, 0.30), (side * gap * 1.25, cut["hem"] * 0.7 + 0.1), (side * gap * 1.5, cut["hem"])]
        edge = np.interp(outline[:, 1], (0.155, 0.30, cut["hem"], 1), (0.026, gap, gap * 1.5, gap * 1.5))
        panel = np.concatenate([outline[np.abs(outline[:, 0]) > edge], smooth(inner)[::-1]])
        if "skew" in cut:
            panel[:, 1] += np.where(panel[:, 1] > 0.45, cut["skew"] * panel[:, 0] * 2, 0)
        figure.lay([panel], cloth, code_of(cloth))
    # the back of the collar joins both fronts behind the neck
    figure.lay([np.array([(-0.034, 0.150), (0.034, 0.150), (0.036, 0.162), (-0.036, 0.162)])], cloth, code_of(cloth))
    _decorate(figure, cloth)


def _arm_and_sleeves(figure, side, clothes):
    arm, skin = figure.arms[side], figure.person["skin"]
    outline = limb(arm, (0.026, 0.024, 0.020, 0.015), cap=True)
    figure.shape(outline, skin)
    wrist = arm[2]
    hand = joint_at(wrist, _forearm(arm), 0.030, 1)
    palm = ((wrist[0] + hand[0]) / 2, (wrist[1] + hand[1]) / 2)
    figure.shape(limb([wrist, palm, hand], (0.014, 0.019, 0.011)), skin)
    figure.line(outline[:14], darker(skin, 0.25), 0.002)
    for cloth in clothes:
        if "white_sleeves" in cloth.cut["details"]:
            white = Cloth(
                cloth.name,
                {**cloth.cut, "sleeve": 1.0},
                cloth.print,
                np.full_like(cloth.tile, 240),
                cloth.names,
                ((236, 234, 230),) * 3,
            )
            figure.lay([sleeve(white.cut, arm)], white, code_of(cloth, True))
        if cloth.cut.get("sleeve", 0) > 0:
            figure.lay([sleeve(cloth.cut, arm)], cloth, code_of(cloth, True))
            for name in cloth.cut["details"]:
                if name in SLEEVE_DETAILS:
                    SLEEVE_DETAILS[name](figure, cloth, side)


def _forearm(arm):
    """Direction of the forearm in degrees from straight down, to the right positive."""
    return np.degrees(np.arctan2(arm[2][0] - arm[1][0], arm[2][1] - arm[1][1]))


def _decorate(figure, cloth):
    for name in cloth.cut["details"]:
        if name not in _WITH_SLEEVES:
            _DETAILS[name](figure, cloth)
