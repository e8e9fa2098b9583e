"""Details of lower garments and dresses: waists, trousers, skirts, openings, aprons.

A detail draws over a garment, `detail(f, c)`: the Figure and the Cloth. Only details that add cloth touch the labels.
Names are those of `cuts.CUTS`.
"""

import numpy as np

from kfashion_utils.datasets.sample.cloth import code_of
from kfashion_utils.datasets.sample.figures import part_of, smooth
from kfashion_utils.datasets.sample.paint import contrast, darker, lighter, mix


def _belt(f, c):
    w, y = f.body["waist"] + 0.010 + c.cut.get("ease", 0), 0.385
    colour = darker(c.colours[1], 0.25) if c.print in ("tweed", "satin") else darker(c.colours[0], 0.4)
    f.shape([(-w, y - 0.011), (w, y - 0.011), (w, y + 0.011), (-w, y + 0.011)], colour, None)
    f.shape([(-0.013, y - 0.013), (0.013, y - 0.013), (0.013, y + 0.013), (-0.013, y + 0.013)], (214, 178, 96), None)
    f.shape([(-0.007, y - 0.007), (0.007, y - 0.007), (0.007, y + 0.007), (-0.007, y + 0.007)], colour, None)


def _sash(f, c):
    w = f.body["waist"] + 0.010 + c.cut.get("ease", 0)
    f.shape([(-w, 0.372), (w, 0.372), (w, 0.396), (-w, 0.396)], c.second, None)
    f.shape([(0.02, 0.39), (0.04, 0.39), (0.055, 0.50), (0.030, 0.49)], c.second, code_of(c))


def _waistband(f, c):
    w, y = f.body["waist"] + 0.009, c.cut.get("waist_y", 0.376)
    f.line([(-w, y + 0.018), (w, y + 0.018)], c.dark, 0.003)


def _cargo(f, c):
    for s in (-1, 1):
        hip, knee, _ = f.legs[s]
        x, y = (hip[0] * 0.4 + knee[0] * 0.6) + s * 0.034, hip[1] * 0.4 + knee[1] * 0.6
        f.shape(
            [(x - 0.024, y - 0.034), (x + 0.022, y - 0.034), (x + 0.022, y + 0.034), (x - 0.024, y + 0.034)],
            darker(c.colours[0], 0.22),
            None,
        )
        f.shape(
            [(x - 0.026, y - 0.036), (x + 0.024, y - 0.036), (x + 0.024, y - 0.014), (x - 0.026, y - 0.014)],
            darker(c.colours[0], 0.40),
            None,
        )


def _crease(f, c):
    for s in (-1, 1):
        _, knee, ankle = f.legs[s]
        end = min(ankle[1], 0.48 + 0.46 * c.cut.get("length", 1))
        f.line([(knee[0], 0.50), knee, (ankle[0], end)], c.dark, 0.002, True)
    f.line([(0, 0.39), (0, 0.47)], c.dark, 0.002)
    _waistband(f, c)


def _jeans(f, c):
    stitch = (214, 160, 84)
    w = f.body["waist"] + 0.008
    f.line([(-w, 0.395), (w, 0.395)], stitch, 0.003)
    f.line([(0, 0.395), (0.004, 0.46), (-0.004, 0.50)], stitch, 0.003, True)
    for s in (-1, 1):
        f.line([(s * 0.030, 0.396), (s * 0.050, 0.425), (s * 0.082, 0.432)], stitch, 0.003, True)
        _, knee, ankle = f.legs[s]
        f.shape(
            smooth([(knee[0], 0.56), (knee[0] + 0.012, 0.64), (knee[0], 0.73), (knee[0] - 0.012, 0.64)], True),
            (150, 176, 210),
            None,
        )


def _rips(f, c):
    for s in (-1, 1):
        _, (x, y), _ = f.legs[s]
        for dy in (-0.03, 0.02):
            f.shape(
                smooth([(x - 0.022, y + dy), (x, y + dy - 0.009), (x + 0.022, y + dy), (x, y + dy + 0.009)], True),
                f.person["skin"],
                None,
            )
            f.line([(x - 0.020, y + dy), (x + 0.020, y + dy)], (238, 240, 244), 0.003)


def _cuff_legs(f, c):
    for s in (-1, 1):
        path = f.legs[s]
        x, y = path[2][0] * 0.96 + path[1][0] * 0.04, path[2][1] - 0.02
        f.shape(
            [(x - 0.028, y - 0.022), (x + 0.028, y - 0.022), (x + 0.024, y + 0.002), (x - 0.024, y + 0.002)],
            darker(c.colours[0], 0.3),
            None,
        )
    f.line([(-0.012, 0.40), (-0.018, 0.47)], contrast(c.colours[0]), 0.004)
    f.line([(0.012, 0.40), (0.016, 0.46)], contrast(c.colours[0]), 0.004)
    _waistband(f, c)


def _side_stripe(f, c):
    thigh, knee_w, hem_w = c.cut["legs"]
    for s in (-1, 1):
        hip, knee, ankle = f.legs[s]
        seam = [
            (hip[0] + s * 0.012, 0.40),
            (hip[0] + s * (thigh - 0.014), 0.50),
            (knee[0] + s * (knee_w - 0.010), knee[1]),
            (ankle[0] + s * (hem_w - 0.008), ankle[1]),
        ]
        path = part_of(seam, c.cut["length"])
        f.line(path, c.second, 0.021, True)
        f.line(path, c.colours[0], 0.004, True)
    _waistband(f, c)


def _turn_ups(f, c):
    for s in (-1, 1):
        x, y = f.legs[s][2]
        f.shape(
            [(x - 0.046, y - 0.050), (x + 0.046, y - 0.050), (x + 0.045, y - 0.018), (x - 0.045, y - 0.018)],
            (168, 188, 214),
            None,
        )


def _tiers(f, c):
    flare, top, hem = c.cut["flare"], 0.385, c.cut["length"]
    hip, waist = f.body["hip"] + 0.008, f.body["waist"]
    for share in (0.36, 0.68, 0.985):
        y = top + (hem - top) * share
        w = max(hip + flare * (y - 0.42), waist + 0.02)
        wave = [(x, y + 0.008 * (1 - (x / w) ** 2) + 0.005 * (-1) ** k) for k, x in enumerate(np.linspace(-w, w, 17))]
        f.line(wave, c.dark, 0.0035, True)
        f.line([(x, v - 0.006) for x, v in wave], lighter(c.colours[0], 0.55), 0.003, True)


def _folds(f, c):
    _falling_lines(f, c, 7, 0.0035)


def _pleats(f, c):
    _falling_lines(f, c, 15, 0.003)
    _waistband(f, c)


def _falling_lines(f, c, count, width):
    """Lines that fan out from the waist to the hem of a skirt."""
    flare, hem = c.cut["flare"], c.cut["length"]
    top = c.cut.get("waist_y", 0.385)
    w0, w1 = f.body["waist"], f.body["hip"] + flare * (hem - 0.42)
    for k in np.linspace(-0.86, 0.86, count):
        f.line([(w0 * k, top + 0.012), ((w0 + w1) / 2.1 * k, (top + hem) / 2), (w1 * k, hem)], c.dark, width, True)


def _slit(f, c):
    hem = c.cut["length"]
    f.shape([(-0.046, hem - 0.09), (-0.036, hem + 0.01), (-0.056, hem + 0.01)], f.person["skin"])


def _thigh_slit(f, c):
    hem = c.cut["length"]
    f.shape([(0.052, 0.56), (0.078, hem + 0.014), (0.034, hem + 0.016)], f.person["skin"])
    f.line([(0.052, 0.56), (0.034, hem + 0.014)], c.dark, 0.003)


def _cutouts(f, c):
    for s in (-1, 1):
        f.oval(s * (f.body["waist"] - 0.004), 0.372, 0.024, 0.036, f.person["skin"])
    f.oval(0, 0.275, 0.014, 0.024, f.person["skin"])


def _panels(f, c):
    for s in (-1, 1):
        side = smooth(
            [
                (0.078, 0.245),
                (0.058, 0.300),
                (0.046, 0.385),
                (0.062, 0.470),
                (0.058, 0.70),
                (0.085, 0.70),
                (f.body["hip"] * 1.02, 0.48),
                (f.body["waist"] + 0.003, 0.385),
            ]
        )
        f.shape(side * (s, 1), darker(c.colours[1], 0.2), None)


def _trim(f, c):
    w, hem = f.body["hip"], c.cut["length"]
    f.line([(-w, hem + 0.002), (0, hem + 0.012), (w, hem + 0.002)], c.second, 0.012, True)


def _slashes(f, c):
    hem = c.hem
    f.line([(-0.070, 0.200), (0.030, 0.360), (-0.020, hem - 0.02)], contrast(c.colours[0]), 0.006)
    f.shape([(0.010, 0.250), (0.120, 0.330), (0.040, 0.420)], c.second, code_of(c))
    f.line([(0.010, 0.250), (0.120, 0.330), (0.040, 0.420), (0.010, 0.250)], c.dark, 0.003)


def _bib(f, c):
    tone = lighter(mix(c.colours[0], (66, 98, 150), 0.80), 0.12)
    for s in (-1, 1):
        strap = [(s * 0.040, 0.164), (s * 0.054, 0.166), (s * 0.050, 0.262), (s * 0.038, 0.262)]
        f.shape(strap, darker(tone, 0.2), code_of(c))
        f.dot(s * 0.043, 0.264, 0.007, (222, 186, 96))
    pocket = [(-0.028, 0.288), (0.028, 0.288), (0.026, 0.336), (-0.026, 0.336)]
    f.shape(pocket, tone, None)
    f.line(pocket + pocket[:1], (214, 160, 84), 0.003)
    f.line([(-0.066, 0.388), (0.066, 0.388)], (214, 160, 84), 0.003)


def _apron(f, c):
    hem = c.cut["length"]
    skirt = [
        (-0.050, 0.388),
        (-0.050, 0.388),
        (0.050, 0.388),
        (0.050, 0.388),
        (0.088, hem - 0.11),
        (0.06, hem - 0.08),
        (-0.06, hem - 0.08),
        (-0.088, hem - 0.11),
    ]
    f.shape(smooth(skirt, True), lighter(c.colours[2], 0.45), code_of(c))
    f.shape([(-0.034, 0.270), (0.034, 0.270), (0.042, 0.39), (-0.042, 0.39)], lighter(c.colours[2], 0.45), code_of(c))
    f.line([(-0.070, 0.390), (0.070, 0.390)], darker(c.colours[2], 0.2), 0.008)
    f.line([(-0.050, 0.52), (0.0, 0.53), (0.050, 0.52)], darker(c.colours[2], 0.2), 0.003)


LOWER_DETAILS = {
    "belt": _belt,
    "sash": _sash,
    "waistband": _waistband,
    "cargo": _cargo,
    "crease": _crease,
    "jeans": _jeans,
    "rips": _rips,
    "cuff_legs": _cuff_legs,
    "side_stripe": _side_stripe,
    "turn_ups": _turn_ups,
    "tiers": _tiers,
    "folds": _folds,
    "pleats": _pleats,
    "slit": _slit,
    "thigh_slit": _thigh_slit,
    "cutouts": _cutouts,
    "panels": _panels,
    "trim": _trim,
    "slashes": _slashes,
    "bib": _bib,
    "apron": _apron,
}
