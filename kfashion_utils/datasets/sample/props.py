"""Things that stand about in places: garments on hangers and mannequins, racks, posters, plants, floors.

Coordinates and sizes are pixels; `hangers` are Cloths of other styles, `hues` five colours of the place.
"""

import numpy as np

from kfashion_utils.datasets.sample.cloth import lay
from kfashion_utils.datasets.sample.figures import mirrored, smooth
from kfashion_utils.datasets.sample.motifs import draw_leaf
from kfashion_utils.datasets.sample.paint import darker, fill, gradient, letter, lighter, mix, rectangle, stroke


def hang(pixels, cloth, x, y, scale, mannequin=False):
    """A garment on a hanger, or on a mannequin, its neck at (x, y); `scale` = pixels per figure height."""
    lift = 0 if mannequin else 0.15 - min(piece[:, 1].min() for piece in cloth.hanging)
    placed = [np.asarray((x, y)) + scale * (piece + (0, lift - 0.15)) for piece in cloth.hanging]
    if mannequin:
        fill(pixels, np.asarray((x, y)) + scale * (_MANNEQUIN - (0, 0.15)), (206, 190, 170))
        stroke(
            pixels,
            [
                (x, y + 0.38 * scale),
                (x, y + 0.84 * scale),
                (x - 0.08 * scale, y + 0.86 * scale),
                (x + 0.08 * scale, y + 0.86 * scale),
            ],
            (70, 62, 60),
            scale * 0.012,
        )
    else:
        stroke(
            pixels,
            [
                (x, y - 0.05 * scale),
                (x, y - 0.01 * scale),
                (x - 0.08 * scale, y + 0.03 * scale),
                (x + 0.08 * scale, y + 0.03 * scale),
                (x, y - 0.01 * scale),
            ],
            (90, 84, 82),
            scale * 0.008,
        )
    lay(pixels, None, placed, cloth, scale, (x, y))


_MANNEQUIN = mirrored(
    smooth(
        [(0, 0.06), (0.020, 0.07), (0.022, 0.15), (0.09, 0.19), (0.07, 0.27), (0.06, 0.385), (0.08, 0.47), (0, 0.55)]
    )
)


def draw_rack(pixels, rng, hangers, y, x0, x1, scale):
    """A rail with garments close together."""
    stroke(pixels, [(x0, y - 0.05 * scale), (x1, y - 0.05 * scale)], (86, 82, 84), max(2, scale * 0.014))
    for x in np.arange(x0 + 0.08 * scale, x1 - 0.04 * scale, scale * rng.uniform(0.15, 0.24)):
        hang(pixels, hangers[rng.integers(len(hangers))], x, y, scale * rng.uniform(0.95, 1.05))


def draw_poster(pixels, rng, hues, hangers, x, y, width, height):
    """A framed print: a garment, a pattern or lettering."""
    rectangle(pixels, x - 3, y - 3, width + 6, height + 6, (40, 36, 38))
    rectangle(pixels, x, y, width, height, hues[rng.integers(5)])
    kind = rng.integers(3)
    cloth = hangers[rng.integers(len(hangers))]
    x, y, width, height = int(x), int(y), int(width), int(height)
    x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + width, pixels.shape[1]), min(y + height, pixels.shape[0])
    if kind == 0 and x1 > x0 and y1 > y0:
        pixels[y0:y1, x0:x1] = cloth.window(x0, y0, x1 - x0, y1 - y0, height * 1.6)
    elif kind == 1:
        hang(pixels, cloth, x + width / 2, y + height * 0.24, height * 0.95)
    else:
        for k, word in enumerate(("NEW", "SALE", "OPEN", "MUSIC", "ART")[rng.integers(3) :][:3]):
            letter(
                pixels,
                word,
                x + width / 2,
                y + height * (0.25 + 0.25 * k),
                height * 0.13,
                hues[(k + 2) % 5],
                max(1, height / 45),
            )


def draw_plant(pixels, rng, x, y, size):
    """A potted plant, its foot at (x, y)."""
    pot = [
        (x - 0.16 * size, y - 0.28 * size),
        (x + 0.16 * size, y - 0.28 * size),
        (x + 0.12 * size, y),
        (x - 0.12 * size, y),
    ]
    fill(pixels, pot, (186, 108, 74))
    for angle in np.linspace(-1.15, 1.15, 7):
        green = mix((52, 112, 66), (134, 178, 92), rng.random())
        draw_leaf(
            pixels,
            x + 0.3 * size * np.sin(angle),
            y - 0.28 * size - 0.3 * size * np.cos(angle),
            0.62 * size,
            angle - np.pi / 2,
            green,
        )


def draw_floor(pixels, colour, horizon, boards=True):
    """A floor below the row `horizon`."""
    height, width = pixels.shape[:2]
    gradient(pixels, darker(colour, 0.25), lighter(colour, 0.1), horizon)
    if boards:
        for k in np.linspace(-2.2, 3.2, 19):
            stroke(pixels, [(width * (0.5 + (k - 0.5) * 0.35), horizon), (width * k, height)], darker(colour, 0.35), 1)
