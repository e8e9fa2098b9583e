"""Backgrounds that mislead: eight places, each drawn over a whole picture.

`place(pixels, rng, hues, hangers)`: `pixels` uint8 RGB is drawn over, `hues` are five colours of the look's place,
`hangers` Cloths of other styles, which hang, stand and are printed about, so that a print alone does not tell a
picture's style.
"""

import numpy as np

from kfashion_utils.datasets.sample.paint import darker, disc, fill, gradient, letter, lighter, mix, rectangle, stroke
from kfashion_utils.datasets.sample.props import draw_floor, draw_plant, draw_poster, draw_rack, hang


def studio(pixels, rng, hues, hangers):
    height, width = pixels.shape[:2]
    gradient(pixels, lighter(hues[0], 0.3), darker(hues[0], 0.12))
    gradient(pixels, lighter(hues[0], 0.15), hues[0], int(height * 0.80))
    rectangle(pixels, width * rng.uniform(0.0, 0.15), 0, width * 0.28, height * 0.84, hues[1])
    disc(
        pixels,
        (width * rng.uniform(0.6, 0.9), height * rng.uniform(0.2, 0.5)),
        width * rng.uniform(0.12, 0.22),
        hues[2],
    )
    draw_rack(
        pixels,
        rng,
        hangers,
        height * rng.uniform(0.18, 0.3),
        width * rng.uniform(-0.1, 0.0),
        width * rng.uniform(0.30, 0.42),
        height * 0.62,
    )
    for x in (rng.uniform(0.70, 0.80), rng.uniform(0.86, 0.96)):
        hang(
            pixels,
            hangers[rng.integers(len(hangers))],
            width * x,
            height * rng.uniform(0.25, 0.4),
            height * rng.uniform(0.5, 0.7),
            True,
        )
    draw_plant(pixels, rng, width * rng.uniform(0.9, 1.0), height * 0.93, height * 0.22)


def brick(pixels, rng, hues, hangers):
    height, width = pixels.shape[:2]
    pixels[:] = lighter(hues[0], 0.2)
    step = height / 30
    for row in range(31):
        for x in np.arange(-(row % 2) * step * 1.2, width, step * 2.4):
            rectangle(
                pixels, x + 1, row * step + 1, step * 2.4 - 3, step - 3, mix(hues[1], hues[0], rng.uniform(0, 0.35))
            )
    draw_floor(pixels, hues[3], int(height * 0.86), False)
    for x in (rng.uniform(0.02, 0.1), rng.uniform(0.68, 0.76)):
        draw_poster(
            pixels,
            rng,
            hues,
            hangers,
            width * x,
            height * rng.uniform(0.08, 0.3),
            width * 0.24,
            height * rng.uniform(0.26, 0.36),
        )
    draw_rack(
        pixels,
        rng,
        hangers,
        height * rng.uniform(0.4, 0.5),
        width * rng.uniform(0.62, 0.72),
        width * 1.06,
        height * 0.50,
    )
    letter(
        pixels,
        ("LOVE", "HELLO", "1988", "DREAM")[rng.integers(4)],
        width * rng.uniform(0.2, 0.4),
        height * rng.uniform(0.5, 0.7),
        height * 0.12,
        hues[4],
        height / 60,
    )


def street(pixels, rng, hues, hangers):
    height, width = pixels.shape[:2]
    gradient(pixels, (176, 206, 234), (236, 236, 228))
    x = -10.0
    while x < width:
        wide, tall = width * rng.uniform(0.2, 0.36), height * rng.uniform(0.5, 0.8)
        _house(pixels, rng, hues, hangers, x, height * 0.84, wide, tall)
        x += wide
    gradient(pixels, (176, 174, 172), (120, 120, 124), int(height * 0.84))
    rectangle(pixels, 0, height * 0.84, width, height * 0.018, (206, 204, 198))
    stroke(
        pixels,
        [(width * 0.06, height * 0.9), (width * 0.06, height * 0.2), (width * 0.14, height * 0.17)],
        (58, 60, 64),
        width * 0.014,
    )
    disc(pixels, (width * 0.15, height * 0.18), width * 0.022, (252, 238, 196))


def _house(pixels, rng, hues, hangers, x, ground, wide, tall):
    """Three floors of windows over a shop window with two mannequins."""
    wall = hues[rng.integers(5)]
    rectangle(pixels, x, ground - tall, wide, tall, wall, darker(wall))
    for row in range(3):
        for column in range(3):
            left, top = x + wide * (0.1 + 0.3 * column), ground - tall + tall * (0.06 + 0.16 * row)
            rectangle(pixels, left, top, wide * 0.2, tall * 0.10, mix((120, 150, 176), wall, 0.3), (250, 250, 250))
    rectangle(pixels, x + wide * 0.06, ground - tall * 0.42, wide * 0.88, tall * 0.40, (222, 226, 226), (60, 56, 58))
    for share in (0.3, 0.72):
        cloth = hangers[rng.integers(len(hangers))]
        hang(pixels, cloth, x + wide * share, ground - tall * 0.36, min(tall * 0.46, wide * 1.6), True)
    rectangle(pixels, x, ground - tall * 0.50, wide, tall * 0.08, hues[rng.integers(5)])
    sign = ("CAFE", "SHOP", "BOOKS", "NOODLE", "MODE")[rng.integers(5)]
    letter(pixels, sign, x + wide / 2, ground - tall * 0.46, tall * 0.045, (250, 250, 246), max(1, tall / 180))


def park(pixels, rng, hues, hangers):
    height, width = pixels.shape[:2]
    gradient(pixels, (156, 200, 236), (232, 240, 236))
    for _ in range(9):
        x, y, size = width * rng.uniform(-0.05, 1.05), height * rng.uniform(0.30, 0.5), height * rng.uniform(0.10, 0.2)
        green = mix((64, 120, 70), hues[0], rng.uniform(0, 0.7))
        rectangle(pixels, x - size * 0.08, y, size * 0.16, height * 0.4, (104, 78, 60))
        for dx, dy, r in ((0, 0, 1), (-0.6, 0.25, 0.7), (0.6, 0.2, 0.75), (-0.1, -0.5, 0.7)):
            disc(
                pixels,
                (x + dx * size, y + dy * size),
                r * size * 0.8,
                mix(green, (220, 236, 150), rng.uniform(0, 0.25)),
            )
    gradient(pixels, (128, 168, 92), (92, 136, 74), int(height * 0.74))
    path = [(width * 0.4, height * 0.74), (width * 0.56, height * 0.74), (width * 0.95, height), (width * 0.1, height)]
    fill(pixels, path, (218, 202, 170))
    for _ in range(50):
        disc(pixels, (rng.uniform(0, width), rng.uniform(height * 0.76, height)), height * 0.005, hues[rng.integers(5)])
    draw_rack(
        pixels,
        rng,
        hangers,
        height * rng.uniform(0.34, 0.44),
        -0.02 * width,
        width * rng.uniform(0.34, 0.44),
        height * 0.5,
    )
    draw_rack(
        pixels,
        rng,
        hangers,
        height * rng.uniform(0.32, 0.46),
        width * rng.uniform(0.62, 0.74),
        width * 1.02,
        height * 0.5,
    )


def shop(pixels, rng, hues, hangers):
    height, width = pixels.shape[:2]
    gradient(pixels, lighter(hues[0], 0.5), lighter(hues[0], 0.1))
    draw_floor(pixels, hues[1], int(height * 0.82))
    for row, y in enumerate((0.10, 0.52)):
        draw_rack(
            pixels,
            rng,
            hangers,
            height * (y + rng.uniform(-0.02, 0.05)),
            0,
            width * rng.uniform(0.30, 0.44),
            height * (0.46 - 0.04 * row),
        )
        draw_rack(
            pixels,
            rng,
            hangers,
            height * (y + rng.uniform(-0.02, 0.05)),
            width * rng.uniform(0.58, 0.70),
            width,
            height * (0.46 - 0.04 * row),
        )
    for x in np.linspace(0.1, 0.9, 4):
        disc(pixels, (width * x, height * 0.02), width * 0.03, (255, 246, 214))


def shelves(pixels, rng, hues, hangers):
    height, width = pixels.shape[:2]
    pixels[:] = darker(hues[0], 0.15)
    for y in np.linspace(0.04, 0.80, 5):
        for x in np.linspace(0, 1, 5)[:-1]:
            rectangle(pixels, width * x + 3, height * y, width * 0.24, height * 0.165, lighter(hues[0], 0.15))
            if rng.random() < 0.7:
                for k in range(rng.integers(2, 6)):
                    cloth = hangers[rng.integers(len(hangers))]
                    x0, y1 = int(width * x + width * 0.03), int(height * (y + 0.165) - k * height * 0.028)
                    wide, tall = int(width * 0.18), int(height * 0.025)
                    shelf = pixels[y1 - tall : y1, x0 : x0 + wide]  # smaller at the picture's edge
                    shelf[:] = cloth.window(0, 0, wide, tall, height * 0.8)[: shelf.shape[0], : shelf.shape[1]]
            else:
                draw_plant(pixels, rng, width * (x + 0.12), height * (y + 0.165), height * 0.15)
    draw_floor(pixels, hues[2], int(height * 0.965))
    for x in (rng.uniform(0.06, 0.16), rng.uniform(0.84, 0.94)):
        hang(
            pixels,
            hangers[rng.integers(len(hangers))],
            width * x,
            height * rng.uniform(0.28, 0.4),
            height * rng.uniform(0.6, 0.72),
            True,
        )


def gallery(pixels, rng, hues, hangers):
    height, width = pixels.shape[:2]
    gradient(pixels, lighter(hues[0], 0.45), lighter(hues[0], 0.2))
    draw_floor(pixels, hues[1], int(height * 0.84), False)
    for x in (0.03, 0.27, 0.51, 0.75):
        for y in (0.05, 0.43):
            draw_poster(
                pixels,
                rng,
                hues,
                hangers,
                width * (x + rng.uniform(-0.01, 0.02)),
                height * (y + rng.uniform(-0.02, 0.02)),
                width * 0.20,
                height * rng.uniform(0.26, 0.34),
            )
    hang(
        pixels, hangers[rng.integers(len(hangers))], width * rng.uniform(0.84, 0.94), height * 0.36, height * 0.66, True
    )


def cafe(pixels, rng, hues, hangers):
    height, width = pixels.shape[:2]
    gradient(pixels, hues[0], darker(hues[0], 0.2))
    for x in (0.04, 0.56):
        rectangle(pixels, width * x, height * 0.12, width * 0.40, height * 0.48, (196, 220, 230), (250, 250, 248))
        gradient(
            pixels[:, int(width * (x + 0.01)) : int(width * (x + 0.39))],
            (170, 206, 232),
            lighter(hues[2], 0.4),
            int(height * 0.13),
            int(height * 0.59),
        )
        stroke(pixels, [(width * (x + 0.2), height * 0.12), (width * (x + 0.2), height * 0.6)], (250, 250, 248), 4)
    for k in range(14):
        awning = [
            (width * k / 14, 0),
            (width * (k + 1) / 14, 0),
            (width * (k + 1) / 14, height * 0.10),
            (width * (k + 0.5) / 14, height * 0.125),
            (width * k / 14, height * 0.10),
        ]
        fill(pixels, awning, (hues[3], (248, 246, 240))[k % 2])
    draw_floor(pixels, hues[1], int(height * 0.82))
    for x in (rng.uniform(0.08, 0.2), rng.uniform(0.8, 0.92)):
        hang(
            pixels,
            hangers[rng.integers(len(hangers))],
            width * x,
            height * rng.uniform(0.2, 0.3),
            height * rng.uniform(0.55, 0.7),
            bool(rng.random() < 0.5),
        )
        table = [
            (width * (x - 0.12), height * 0.78),
            (width * (x + 0.12), height * 0.78),
            (width * (x + 0.11), height * 0.80),
            (width * (x - 0.11), height * 0.80),
        ]
        fill(pixels, table, hues[4])
        stroke(pixels, [(width * x, height * 0.8), (width * x, height * 0.95)], (60, 54, 54), 4)


PLACES = {
    "studio": studio,
    "brick": brick,
    "street": street,
    "park": park,
    "shop": shop,
    "shelves": shelves,
    "gallery": gallery,
    "cafe": cafe,
}
