"""The body under and around the clothes: legs, shoes, torso, hair, head, hats. Each draws on a Figure; skin and hair
clear the labels.
"""

import numpy as np

from kfashion_utils.datasets.sample.facts import SHOES
from kfashion_utils.datasets.sample.figures import limb, mirrored, part_of, smooth
from kfashion_utils.datasets.sample.paint import darker, lighter, mix


def draw_legs_and_shoes(figure):
    """Both legs with socks and shoes, the left one first."""
    skin = figure.person["skin"]
    for side in (-1, 1):
        leg = figure.legs[side]
        outline = limb(leg, (0.046, 0.040, 0.030, 0.028, 0.016))
        figure.shape(outline, skin)
        figure.line(outline[:12], darker(skin, 0.2), 0.002)
        if figure.person["socks"]:
            figure.shape(limb(part_of(leg[::-1], 0.34), (0.019, 0.026, 0.029)), figure.person["socks"])
        _shoe(figure, leg, side)


def _shoe(figure, leg, side):
    name, leather = figure.person["shoes"], figure.person["shoe_colour"]
    shaft, sole, heel = SHOES[name]
    x, y = leg[2]
    toe = x + side * 0.022
    foot = [
        (x - side * 0.016, y),
        (x + side * 0.016, y),
        (toe + side * 0.012, y + 0.030),
        (toe, y + 0.042),
        (x - side * 0.018, y + 0.040),
    ]
    if shaft > 0.02:
        figure.shape(limb(part_of(leg[::-1], shaft / 0.46), (0.022, 0.030)), leather)
    figure.shape(smooth(foot, True), leather if name != "sandals" else figure.person["skin"])
    if name == "sandals":
        figure.line([(x - side * 0.014, y + 0.012), (toe, y + 0.028)], leather, 0.007)
    if sole:
        figure.line([(x - side * 0.018, y + 0.040), (toe + side * 0.006, y + 0.042)], (246, 244, 240), 0.008)
    if heel:
        figure.line([(x - side * 0.014, y + 0.018), (x - side * 0.016, y + 0.048)], leather, 0.007)


def draw_torso(figure):
    """Trunk and neck, with collarbones."""
    body, skin = figure.body, figure.person["skin"]
    right = [
        (0, 0.150),
        (0.024, 0.152),
        (body["shoulder"] * 0.7, 0.176),
        (body["shoulder"] + 0.004, 0.196),
        (body["chest"], 0.265),
        (body["waist"], 0.385),
        (body["hip"], 0.470),
        (body["hip"] * 0.95, 0.530),
        (0, 0.545),
    ]
    figure.shape(mirrored(smooth(right)), skin)
    figure.shape([(-0.024, 0.110), (0.024, 0.110), (0.027, 0.168), (-0.027, 0.168)], darker(skin, 0.12))
    figure.line([(-0.055, 0.186), (-0.012, 0.190)], darker(skin, 0.2), 0.002)
    figure.line([(0.055, 0.186), (0.012, 0.190)], darker(skin, 0.2), 0.002)


def draw_hair_behind(figure):
    """The hair that falls behind the shoulders; drawn before the body."""
    hair, cut = figure.person["hair"], figure.person["haircut"]
    length = {"long": 0.265, "waves": 0.235, "bob": 0.150, "ponytail": 0.11}.get(cut, 0)
    if cut == "curly":
        for k in np.linspace(-2.6, 2.6, 13):
            figure.oval(0.062 * np.sin(k), 0.082 - 0.062 * np.cos(k), 0.026, 0.026, hair)
    elif length:
        wide = 0.062 if cut != "ponytail" else 0.050
        right = [
            (0, 0.012),
            (0.040, 0.024),
            (0.056, 0.075),
            (wide, length * 0.7),
            (wide * 0.85, length),
            (0.01, length - 0.012),
            (0, length - 0.012),
        ]
        figure.shape(mirrored(smooth(right)), hair)
    if cut == "ponytail":
        figure.shape(limb([(0.04, 0.05), (0.085, 0.10), (0.080, 0.19)], (0.016, 0.024, 0.006)), hair)
    if cut == "bun":
        figure.oval(0, 0.008, 0.030, 0.026, hair)


def draw_head(figure):
    """Face, hair over the forehead, hat; drawn last."""
    skin, hair = figure.person["skin"], figure.person["hair"]
    right = [(0, 0.020), (0.034, 0.030), (0.047, 0.068), (0.041, 0.108), (0.022, 0.138), (0, 0.146)]
    figure.shape(mirrored(smooth(right)), skin)
    _face(figure, skin, hair)
    figure.shape(smooth(_FRINGES[figure.person["haircut"] in ("long", "waves", "bob", "ponytail")], True), hair)
    figure.line([(-0.022, 0.020), (0.002, 0.014), (0.026, 0.022)], lighter(hair, 0.25), 0.003, True)
    HATS[figure.person["hat"]](figure, figure.person["hat_colour"])


_FRINGES = {  # of long hair (True), of short hair (False)
    True: [
        (-0.050, 0.085),
        (-0.050, 0.045),
        (-0.030, 0.016),
        (0.004, 0.008),
        (0.034, 0.018),
        (0.050, 0.048),
        (0.051, 0.088),
        (0.042, 0.060),
        (0.012, 0.038),
        (-0.018, 0.048),
        (-0.041, 0.066),
    ],
    False: [
        (-0.049, 0.072),
        (-0.051, 0.040),
        (-0.030, 0.012),
        (0.004, 0.004),
        (0.036, 0.014),
        (0.052, 0.042),
        (0.049, 0.074),
        (0.040, 0.050),
        (0.010, 0.044),
        (-0.022, 0.036),
        (-0.041, 0.052),
    ],
}


def _face(figure, skin, hair):
    for side in (-1, 1):
        figure.oval(side * 0.019, 0.080, 0.0075, 0.0042, (250, 248, 246), None)
        figure.dot(side * 0.019, 0.080, 0.0040, (52, 38, 34))
        figure.line([(side * 0.028, 0.0765), (side * 0.019, 0.0745), (side * 0.011, 0.077)], (40, 30, 30), 0.0022)
        figure.line([(side * 0.029, 0.066), (side * 0.012, 0.065)], darker(hair, 0.3), 0.0032)
        figure.oval(side * 0.029, 0.102, 0.009, 0.006, mix(skin, (236, 110, 110), 0.25), None)
    figure.line([(0.001, 0.085), (0.005, 0.101), (-0.001, 0.103)], darker(skin, 0.3), 0.002)
    figure.line([(-0.011, 0.118), (0, 0.121), (0.011, 0.118)], figure.person["lips"], 0.005, True)


def _brim(figure, colour, wide, crown, band=None):
    top = [
        (-0.042, 0.040),
        (-0.040, crown),
        (-0.01, crown - 0.010),
        (0.01, crown - 0.010),
        (0.040, crown),
        (0.042, 0.040),
    ]
    figure.shape(smooth(top), colour)
    figure.oval(0, 0.040, wide, 0.014, colour)
    figure.line([(-wide, 0.042), (0, 0.053), (wide, 0.042)], darker(colour, 0.3), 0.002, True)
    figure.line([(-0.041, 0.031), (0, 0.037), (0.041, 0.031)], band or darker(colour, 0.5), 0.009, True)


def _cap(figure, colour):
    top = [(-0.050, 0.050), (-0.046, 0.014), (0, -0.012), (0.046, 0.014), (0.050, 0.050), (0, 0.040)]
    peak = [(-0.044, 0.046), (0, 0.034), (0.062, 0.046), (0.066, 0.056), (0, 0.050)]
    figure.shape(smooth(top, True), colour)
    figure.shape(smooth(peak, True), darker(colour, 0.25))
    figure.dot(0, 0.018, 0.011, lighter(colour, 0.6))


def _beanie(figure, colour):
    top = [(-0.051, 0.052), (-0.046, 0.008), (0, -0.016), (0.046, 0.008), (0.051, 0.052), (0, 0.044)]
    figure.shape(smooth(top, True), colour)
    figure.line([(-0.049, 0.046), (0, 0.037), (0.049, 0.046)], darker(colour, 0.25), 0.014, True)


def _glasses(figure, colour):
    for side in (-1, 1):
        figure.oval(side * 0.020, 0.081, 0.016, 0.013, (40, 34, 40), None)
        figure.oval(side * 0.020, 0.081, 0.012, 0.010, mix(colour, (60, 50, 60), 0.5), None)
    figure.line([(-0.006, 0.079), (0.006, 0.079)], (40, 34, 40), 0.003)


def _mohawk(figure, colour):
    spikes = [(-0.020, 0.030)]
    for k in range(5):
        spikes += [(-0.024 + k * 0.011, -0.040 - 0.01 * (k == 2)), (-0.018 + k * 0.011, -0.004)]
    spikes += [(0.030, 0.030)]
    figure.shape(spikes, colour)


def _headband(figure, colour):
    figure.line([(-0.049, 0.050), (0, 0.040), (0.049, 0.050)], colour, 0.012, True)
    figure.line([(-0.049, 0.050), (0, 0.040), (0.049, 0.050)], lighter(colour, 0.6), 0.003, True)


def _ribbon(figure, colour):
    for side in (-1, 1):
        figure.shape([(0.030, 0.016), (0.030 + side * 0.034, -0.006), (0.030 + side * 0.034, 0.034)], colour)
    figure.dot(0.030, 0.016, 0.008, darker(colour))


def _beret(figure, colour):
    outline = [(-0.052, 0.036), (-0.058, 0.010), (0, -0.016), (0.060, -0.004), (0.050, 0.036), (0, 0.028)]
    figure.shape(smooth(outline, True), colour)


def _pin(figure, colour):
    figure.line([(-0.05, 0.02), (0.06, -0.012)], (204, 164, 78), 0.005)
    figure.dot(0.06, -0.012, 0.010, colour)


HATS = {  # name -> hat(figure, colour); some look the same in every colour
    "none": lambda figure, colour: None,
    "cap": _cap,
    "beanie": _beanie,
    "beret": _beret,
    "straw": lambda figure, colour: _brim(figure, (226, 196, 132), 0.100, 0.0, colour),
    "cowboy": lambda figure, colour: _brim(figure, (136, 94, 62), 0.098, -0.02, (60, 40, 30)),
    "fedora": lambda figure, colour: _brim(figure, darker(colour, 0.4), 0.070, 0.0),
    "bucket": lambda figure, colour: _brim(figure, colour, 0.064, 0.004, lighter(colour)),
    "disc": lambda figure, colour: figure.oval(0.02, 0.004, 0.085, 0.022, darker(colour, 0.5)),
    "glasses": _glasses,
    "shades": lambda figure, colour: _glasses(figure, (20, 20, 24)),
    "mohawk": _mohawk,
    "band": _headband,
    "ribbon": _ribbon,
    "pin": _pin,
}
