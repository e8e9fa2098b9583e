"""Details of upper garments: necks, fronts, pockets, things printed on the chest, hems, jewellery and sleeves.

A detail draws over a garment, `detail(f, c)`: the Figure and the Cloth; a detail of a sleeve gets the side (1 or -1)
too. Only details that add cloth (collars, ruffles, fringe) touch the labels. Names are those of `cuts.CUTS`.
"""

import numpy as np

from kfashion_utils.datasets.sample.cloth import code_of
from kfashion_utils.datasets.sample.figures import part_of, smooth, width_at_hem
from kfashion_utils.datasets.sample.paint import contrast, darker, distance, lighter, mix


def _seams(f, c):
    f.line([(-0.036, 0.164), (0, 0.194), (0.036, 0.164)], c.dark, 0.003, True)


def _ribs(f, c):
    w = width_at_hem(c.cut, f.body)
    f.line([(-w, c.hem - 0.016), (w, c.hem - 0.016)], c.dark, 0.002)
    for x in np.linspace(-w * 0.9, w * 0.9, 12):
        f.line([(x, c.hem - 0.014), (x, c.hem)], c.dark, 0.002)


def _buttons(f, c):
    f.line([(0, 0.19), (0, c.hem)], c.dark, 0.002)
    for y in np.arange(0.21, min(c.hem, 0.70) - 0.01, 0.045):
        f.dot(0, y, 0.0052, contrast(c.colours[0]))


def _buttons2(f, c):
    for y in (0.36, 0.41):
        f.dot(c.cut["open"] * 1.5 + 0.010, y, 0.0065, (214, 178, 96))


def _double(f, c):
    for y in (0.33, 0.38, 0.43):
        for x in (-0.036, 0.036):
            f.dot(x, y, 0.0075, darker(c.colours[0], 0.65))
            f.dot(x, y, 0.004, lighter(c.colours[0], 0.3))
    f.line([(0.012, 0.30), (0.012, c.hem)], c.dark, 0.003)


def _lapels(f, c):
    tone = darker(c.colours[0], 0.18) if sum(c.colours[0]) > 260 else lighter(c.colours[0], 0.14)
    for s in (-1, 1):
        lapel = [
            (s * 0.030, 0.150),
            (s * 0.052, 0.172),
            (s * 0.066, 0.222),
            (s * 0.050, 0.226),
            (s * 0.054, 0.238),
            (s * c.cut.get("open", 0.02), 0.320),
        ]
        f.shape(lapel, tone, code_of(c))
        f.line(lapel + lapel[:1], c.dark, 0.0025)


def _collar(f, c):
    for s in (-1, 1):
        wing = [(s * 0.024, 0.142), (s * 0.040, 0.158), (s * 0.034, 0.198), (s * 0.004, 0.178)]
        f.shape(wing, lighter(c.colours[0], 0.18), code_of(c))
        f.line(wing + wing[:1], c.dark, 0.0025)


def _big_collar(f, c):
    for s in (-1, 1):
        wing = [(s * 0.022, 0.142), (s * 0.046, 0.156), (s * 0.086, 0.232), (s * 0.030, 0.228), (s * 0.006, 0.196)]
        f.shape(wing, lighter(c.colours[2], 0.1), code_of(c))
        f.line(wing + wing[:1], c.dark, 0.003)


def _frog(f, c):
    f.line([(0, 0.168), (0.030, 0.195), (0.070, 0.215), (0.074, 0.262)], c.second, 0.008, True)
    f.line([(-0.026, 0.146), (0.026, 0.146)], c.second, 0.007)
    for x, y in ((0.004, 0.172), (0.038, 0.200), (0.072, 0.232)):
        f.line([(x - 0.016, y + 0.006), (x + 0.016, y - 0.006)], c.second, 0.008)


def _tie(f, c):
    colour = darker(c.colours[1] if distance(c.colours[0], c.colours[1]) > 150 else c.colours[2], 0.12)
    if sum(colour) > 560:
        colour = (112, 34, 50)
    f.shape([(-0.010, 0.176), (0.010, 0.176), (0.016, 0.36), (0, 0.385), (-0.016, 0.36)], colour, code_of(c))
    f.shape([(-0.012, 0.168), (0.012, 0.168), (0.007, 0.190), (-0.007, 0.190)], darker(colour, 0.3), code_of(c))
    for y in np.arange(0.215, 0.35, 0.03):
        f.line([(-0.011, y), (0.012, y + 0.016)], lighter(colour, 0.4), 0.004)


def _bow(f, c):
    colour = mix(c.colours[0], c.colours[1], 0.4)
    for s in (-1, 1):
        f.shape(smooth([(0, 0.180), (s * 0.048, 0.160), (s * 0.052, 0.205)], True), colour, code_of(c))
        f.shape([(0, 0.180), (s * 0.010, 0.182), (s * 0.028, 0.285), (s * 0.010, 0.280)], colour, code_of(c))
        f.line([(s * 0.045, 0.166), (0, 0.180), (s * 0.047, 0.202)], c.dark, 0.0025, True)
    f.dot(0, 0.181, 0.010, darker(colour, 0.3))


def _wrap(f, c):
    f.line([(-0.036, 0.160), (0.010, 0.250), (0.058, 0.372)], c.dark, 0.004)
    f.line([(0.036, 0.160), (0.008, 0.232)], c.dark, 0.004)
    if c.name == "jeogori":  # its white collar band
        f.line([(-0.036, 0.156), (0.006, 0.238), (0.040, 0.300)], (250, 248, 244), 0.013)
        f.line([(0.036, 0.156), (0.008, 0.228)], (250, 248, 244), 0.013)


def _goreum(f, c):
    for dx, length in ((0.0, 0.34), (0.030, 0.30)):
        f.shape(
            [(0.018, 0.262), (0.032, 0.262), (0.036 + dx, 0.262 + length), (0.010 + dx, 0.258 + length)],
            c.colours[2],
            code_of(c),
        )
    f.shape([(0.026, 0.255), (0.068, 0.235), (0.070, 0.262), (0.026, 0.272)], c.colours[2], code_of(c))


def _ruffle_neck(f, c):
    edge = ((0.010, 0.216), (0.028, 0.218), (0.046, 0.216), (0.058, 0.200), (0.062, 0.182), (0.064, 0.166))
    for s in (-1, 1):
        for k, (x, y) in enumerate(edge):
            f.oval(s * x, y, 0.013, 0.012, lighter(c.colours[0], 0.45 - 0.2 * (k % 2)), code_of(c))


def _bandana(f, c):
    f.shape([(-0.036, 0.152), (0.036, 0.152), (0.012, 0.222), (-0.006, 0.232)], (190, 46, 50), None)
    for x, y in ((-0.012, 0.168), (0.012, 0.170), (0, 0.192), (0.002, 0.212)):
        f.dot(x, y, 0.004, (248, 240, 232))


def _pockets(f, c):
    for s in (-1, 1):
        f.shape(
            [(s * 0.034, 0.440), (s * 0.082, 0.436), (s * 0.082, 0.448), (s * 0.034, 0.452)],
            darker(c.colours[0], 0.25),
            None,
        )
    f.line([(0.04, 0.262), (0.068, 0.256)], contrast(c.colours[0]), 0.006)


def _flaps(f, c):
    for s in (-1, 1):
        for x, y in ((0.058, 0.255), (0.066, 0.430)):
            pocket = [
                (s * (x - 0.026), y),
                (s * (x + 0.026), y),
                (s * (x + 0.026), y + 0.050),
                (s * (x - 0.026), y + 0.050),
            ]
            flap = [
                (s * (x - 0.028), y - 0.003),
                (s * (x + 0.028), y - 0.003),
                (s * (x + 0.028), y + 0.014),
                (s * x, y + 0.022),
                (s * (x - 0.028), y + 0.014),
            ]
            f.shape(pocket, darker(c.colours[0], 0.16), None)
            f.shape(flap, darker(c.colours[0], 0.34), None)
            f.dot(s * x, y + 0.012, 0.004, (206, 176, 96))
        f.line([(s * 0.05, 0.180), (s * 0.10, 0.192)], darker(c.colours[0], 0.4), 0.010)


def _chest_pocket(f, c):
    pocket = [(0.034, 0.250), (0.070, 0.250), (0.070, 0.295), (0.052, 0.305), (0.034, 0.295), (0.034, 0.250)]
    f.line(pocket, c.dark, 0.003)


def _kangaroo(f, c):
    f.shape([(-0.050, 0.405), (0.050, 0.405), (0.076, 0.480), (-0.076, 0.480)], darker(c.colours[0], 0.14), None)
    f.line([(-0.050, 0.405), (0.050, 0.405), (0.076, 0.480), (-0.076, 0.480), (-0.050, 0.405)], c.dark, 0.003)
    f.line([(-0.052, 0.150), (-0.030, 0.190), (0, 0.205), (0.030, 0.190), (0.052, 0.150)], c.dark, 0.010, True)


def _strings(f, c):
    for s in (-1, 1):
        f.line([(s * 0.018, 0.200), (s * 0.022, 0.290)], contrast(c.colours[0]), 0.005)


def _zip(f, c):
    f.line([(0, 0.160), (0, c.hem)], (206, 206, 212), 0.005)
    f.line([(0, 0.160), (0, c.hem)], (120, 120, 128), 0.0015)


def _zips(f, c):
    gap = c.cut["open"]
    f.line([(gap, 0.30), (gap * 1.5, c.hem)], (210, 210, 216), 0.006)
    f.line([(-0.042, 0.36), (-0.078, 0.34)], (210, 210, 216), 0.006)
    f.line([(0.046, 0.27), (0.078, 0.25)], (210, 210, 216), 0.006)


def _studs(f, c):
    for s in (-1, 1):
        for k in range(6):
            f.dot(s * (0.052 + k * 0.009), 0.176 + k * 0.0035, 0.0042, (226, 226, 232))
        for k in range(5):
            f.dot(s * (0.058 - k * 0.007), 0.232 + k * 0.018, 0.0038, (226, 226, 232))


def _piping(f, c):
    gap = c.cut["open"]
    for s in (-1, 1):
        f.line([(s * gap, 0.31), (s * gap * 1.5, c.hem)], (240, 236, 226), 0.008)
    w = width_at_hem(c.cut, f.body)
    for s in (-1, 1):
        f.line([(s * w, c.hem - 0.004), (s * gap * 1.5, c.hem + 0.002)], (240, 236, 226), 0.008)


def _trim_open(f, c):
    edge = c.second if c.print == "tweed" else darker(c.colours[0], 0.35)
    for s in (-1, 1):
        f.line([(s * 0.030, 0.158), (s * c.cut["open"] * 1.1, 0.300), (s * c.cut["open"] * 1.5, c.hem)], edge, 0.011)
    w = width_at_hem(c.cut, f.body)
    for s in (-1, 1):
        f.line([(s * w, c.hem - 0.005), (s * c.cut["open"] * 1.5, c.hem - 0.002)], edge, 0.010)
        f.line([(s * 0.038, 0.330), (s * 0.066, 0.326)], edge, 0.008)


def _placket(f, c):
    f.line([(-0.036, 0.160), (0, 0.238), (0.036, 0.160)], c.second, 0.010)
    w = width_at_hem(c.cut, f.body)
    f.line([(-w, c.hem - 0.008), (w, c.hem - 0.008)], c.second, 0.010)


def _chest_text(f, c):
    words = ("WAVE", "SEOUL", "NO.7", "FRESH", "URBAN")[sum(map(ord, c.names[0] + c.names[1])) % 5]
    f.words(words, 0, 0.270, 0.046, c.second)
    f.words("club 1999", 0, 0.320, 0.020, c.colours[2])
    if c.cut["part"] == "아우터":
        f.shape([(-0.10, 0.345), (0.10, 0.345), (0.10, 0.375), (-0.10, 0.375)], c.second, None)


def _chest_graphic(f, c):
    f.line([(-0.036, 0.164), (0, 0.194), (0.036, 0.164)], c.dark, 0.004, True)


def _number(f, c):
    f.words("23", 0, 0.330, 0.110, c.second)
    f.words("KINGS", 0, 0.245, 0.036, c.second)


def _crest(f, c):
    f.shape(
        smooth([(0.040, 0.246), (0.072, 0.246), (0.070, 0.276), (0.056, 0.290), (0.042, 0.276)], True),
        (206, 168, 82),
        None,
    )
    f.shape(
        smooth([(0.046, 0.252), (0.066, 0.252), (0.065, 0.270), (0.056, 0.280), (0.047, 0.270)], True),
        (150, 36, 52),
        None,
    )


def _skull(f, c):
    bone = (236, 232, 224)
    f.oval(0, 0.268, 0.036, 0.034, bone, None)
    f.shape([(-0.020, 0.292), (0.020, 0.292), (0.017, 0.322), (-0.017, 0.322)], bone, None)
    f.dot(-0.014, 0.272, 0.010, (30, 26, 30))
    f.dot(0.014, 0.272, 0.010, (30, 26, 30))
    for x in (-0.007, 0.002, 0.010):
        f.line([(x, 0.304), (x, 0.322)], (30, 26, 30), 0.003)


def _smiley(f, c):
    f.dot(0, 0.290, 0.046, (250, 216, 70))
    f.dot(-0.016, 0.278, 0.0065, (44, 34, 34))
    f.dot(0.016, 0.278, 0.0065, (44, 34, 34))
    f.line([(-0.024, 0.298), (0, 0.318), (0.024, 0.298)], (44, 34, 34), 0.006, True)


def _yoke(f, c):
    f.line([(-0.090, 0.225), (-0.045, 0.250), (0, 0.228), (0.045, 0.250), (0.090, 0.225)], c.dark, 0.005)
    for s in (-1, 1):
        pocket = [(s * 0.028, 0.272), (s * 0.066, 0.272), (s * 0.066, 0.315), (s * 0.047, 0.325), (s * 0.028, 0.315)]
        f.line(pocket + pocket[:1], c.dark, 0.003)


def _blocks(f, c):
    w = f.body["shoulder"]
    for s in (-1, 1):
        f.shape(
            [(s * 0.034, 0.168), (s * w, 0.190), (s * (w - 0.008), 0.236), (s * 0.010, 0.268), (s * 0.010, 0.250)],
            c.second,
            None,
        )


def _cuffs(f, c):
    w = width_at_hem(c.cut, f.body)
    if c.cut["hem"] > 0.48:
        f.shape(
            [(-w, c.hem - 0.022), (w, c.hem - 0.022), (w * 0.97, c.hem + 0.004), (-w * 0.97, c.hem + 0.004)],
            darker(c.colours[0], 0.22),
            None,
        )


def _fringe(f, c, left, right, length):
    """Strands of cloth hanging from the line left-right."""
    step = 0.0085
    count = max(3, int(abs(right[0] - left[0]) / step))
    for k in range(count):
        x, y = np.asarray(left) + (np.asarray(right) - left) * (k + 0.5) / count
        f.shape(
            [(x - step * 0.46, y), (x + step * 0.46, y), (x + step * 0.2, y + length * (0.9 + 0.2 * (k % 2)))],
            darker(c.colours[0], 0.10 + 0.22 * (k % 2)),
            code_of(c),
        )


def _fringe_hem(f, c):
    w = width_at_hem(c.cut, f.body) if "hem" in c.cut else f.body["hip"] + c.cut["flare"] * (c.hem - 0.42)
    gap = c.cut.get("open", 0) * 1.5
    for s in (-1, 1):
        _fringe(f, c, (s * gap, c.hem - 0.006), (s * w, c.hem - 0.006), 0.055)


def _fringe_yoke(f, c):
    for s in (-1, 1):
        _fringe(f, c, (s * max(c.cut["open"], 0.02), 0.262), (s * 0.098, 0.246), 0.075)
        f.line([(s * max(c.cut["open"], 0.02), 0.262), (s * 0.098, 0.246)], c.dark, 0.005)


def _straps(f, c):
    for s in (-1, 1):
        strap = [(s * 0.044, 0.168), (s * 0.053, 0.170), (s * 0.056, 0.232), (s * 0.044, 0.232)]
        f.shape(strap, c.colours[0], code_of(c))


def _band(f, c):
    w = f.body["chest"] + 0.002
    f.line([(-w, 0.304), (w, 0.304)], c.second, 0.014)


def _laces(f, c):
    x = 0.014
    for k in range(4):
        y = 0.235 + k * 0.026
        f.line([(-x, y), (x, y + 0.020)], contrast(c.colours[0]), 0.004)
        f.line([(x, y), (-x, y + 0.020)], contrast(c.colours[0]), 0.004)


def _flounce(f, c):
    w = f.body["shoulder"] + 0.022
    edge = [(x, 0.272 + 0.010 * (-1) ** k) for k, x in enumerate(np.linspace(w, -w, 11))]
    f.lay([np.concatenate([[(-w, 0.214), (w, 0.214)], smooth(edge)])], c, code_of(c))


def _pearls(f, c):
    for k in np.linspace(-1, 1, 13):
        f.dot(0.036 * k, 0.168 + 0.036 * (1 - k * k), 0.0055, (246, 240, 230))


def _gold_chain(f, c):
    f.line([(0.040 * k, 0.166 + 0.110 * (1 - k * k)) for k in np.linspace(-1, 1, 9)], (222, 178, 70), 0.009, True)
    f.dot(0, 0.284, 0.015, (238, 198, 92))


def _chain(f, c):
    for k in np.linspace(-1, 1, 15):
        f.dot(0.030 * k, 0.164 + 0.050 * (1 - k * k), 0.0042, (206, 208, 216))
    for k in np.linspace(0, 1, 11):
        f.dot(0.05 + 0.03 * k, 0.40 + 0.35 * k * (1 - k), 0.0042, (206, 208, 216))


def _sleeve_stripe(f, c, side):
    arm = f.arms[side]
    path = part_of(arm, 0.97) + (side * 0.010, 0)
    f.line(path, c.second, 0.020)
    f.line(path, c.colours[0], 0.004)


def _sleeve_fringe(f, c, side):
    path = part_of(f.arms[side], 0.92)
    for x, y in path[np.linspace(1, 6, 6).astype(int)]:
        _fringe(f, c, (x + side * 0.004, y), (x + side * 0.026, y + 0.006), 0.050)


def _sleeve_cuff(f, c, side):
    path = part_of(f.arms[side], c.cut["sleeve"])
    f.line(
        [path[-2] * 0.5 + path[-1] * 0.5 + (-0.020, 0), path[-1] * 0.6 + path[-2] * 0.4 + (0.020, 0)],
        darker(c.colours[0], 0.35),
        0.010,
    )


UPPER_DETAILS = {
    "seams": _seams,
    "ribs": _ribs,
    "buttons": _buttons,
    "buttons2": _buttons2,
    "double": _double,
    "lapels": _lapels,
    "collar": _collar,
    "big_collar": _big_collar,
    "frog": _frog,
    "tie": _tie,
    "bow": _bow,
    "wrap": _wrap,
    "goreum": _goreum,
    "ruffle_neck": _ruffle_neck,
    "bandana": _bandana,
    "pockets": _pockets,
    "flaps": _flaps,
    "chest_pocket": _chest_pocket,
    "kangaroo": _kangaroo,
    "strings": _strings,
    "zip": _zip,
    "zips": _zips,
    "studs": _studs,
    "piping": _piping,
    "trim_open": _trim_open,
    "placket": _placket,
    "chest_text": _chest_text,
    "chest_graphic": _chest_graphic,
    "number": _number,
    "crest": _crest,
    "skull": _skull,
    "smiley": _smiley,
    "yoke": _yoke,
    "blocks": _blocks,
    "cuffs": _cuffs,
    "fringe_hem": _fringe_hem,
    "fringe_yoke": _fringe_yoke,
    "straps": _straps,
    "band": _band,
    "laces": _laces,
    "flounce": _flounce,
    "pearls": _pearls,
    "gold_chain": _gold_chain,
    "chain": _chain,
}
SLEEVE_DETAILS = {"arm_stripe": _sleeve_stripe, "fringe_sleeves": _sleeve_fringe, "cuffs": _sleeve_cuff}
