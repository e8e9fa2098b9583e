"""Prints that are drawn: lace, dots, hearts, flowers, skins, letters.

Every function without an underscore is a tile as in `weaves`: `tile(a, b, c, rng)` -> uint8 RGB `(TILE, TILE, 3)`;
but for `draw_leaf`.
"""

import cv2
import numpy as np

from kfashion_utils.datasets.sample.facts import COLOURS
from kfashion_utils.datasets.sample.paint import darker, disc, distance, fill, letter, lighter, mix, stroke
from kfashion_utils.datasets.sample.weaves import TILE, flat


def mesh(a, b, c, rng):
    tile = flat(a)
    for x, y in ((i * 16 + 8 * (j % 2), j * 16) for i in range(17) for j in range(17)):
        disc(tile, (x, y), 3.5, darker(a, 0.45))
    return tile


def lace(a, b, c, rng):
    tile = flat(mix(lighter(a, 0.2), b, 0.2))
    thread = darker(a, 0.30)
    for k in range(0, 2 * TILE, 16):
        stroke(tile, [(k, 0), (k - TILE, TILE)], thread)
        stroke(tile, [(k - TILE, 0), (k, TILE)], thread)
    for x, y in _scatter(rng, 16, 0.1):
        for turn in range(8):
            angle = turn * np.pi / 4
            dx, dy = 13 * np.cos(angle), 13 * np.sin(angle)
            _wrapped(lambda u, v: disc(tile, (u + dx, v + dy), 7, lighter(a, 0.8)), x, y, 24)
        _wrapped(lambda u, v: disc(tile, (u, v), 5, thread), x, y, 24)
    return tile


def argyle(a, b, c, rng):
    tile = flat(a)
    w, h = 64, 85.33
    for j in range(-1, 7):
        for i in range(-1, 5):
            x, y = i * w + (w / 2) * (j % 2), j * h / 2
            fill(tile, [(x, y - h / 2), (x + w / 2, y), (x, y + h / 2), (x - w / 2, y)], (a, b)[j % 2])
    for k in range(-5, 10):
        stroke(tile, [(k * w, -h), (k * w + 4 * w, 3 * h + h)], c, 3)
        stroke(tile, [(k * w, -h), (k * w - 4 * w, 3 * h + h)], c, 3)
    return tile


def dots(a, b, c, rng):
    tile = flat(a)
    ink = b if distance(a, b) > 120 else c
    for j in range(8):
        for i in range(8):
            _wrapped(lambda u, v: disc(tile, (u, v), 8.5, ink), i * 32 + 16 * (j % 2), j * 32 + 16, 12)
    return tile


def hearts(a, b, c, rng):
    tile = flat(a)
    for k, (x, y) in enumerate(_scatter(rng, 16, 0.12)):
        _wrapped(lambda u, v: _heart(tile, u, v, 17, (b, c, (250, 250, 250))[k % 3]), x, y, 30)
    return tile


def rings(a, b, c, rng):
    tile = flat(a)
    for j in range(3):
        for i in range(3):
            x, y = (i + 0.5 * (j % 2)) * 85.33 + 20, j * 85.33 + 42
            for radius, colour in ((40, b), (29, c), (18, a), (9, b)):
                _wrapped(lambda u, v: disc(tile, (u, v), radius, colour), x, y, 44)
    return tile


def floral(a, b, c, rng):
    tile = flat(lighter(a, 0.15))
    leaf = mix(COLOURS["그린"], a, 0.25)
    for k, (x, y) in enumerate(_scatter(rng, 36)):
        _wrapped(lambda u, v: _flower(tile, u, v, 9, (b, c)[k % 2], leaf), x, y, 20)
    return tile


def bloom(a, b, c, rng):
    tile = flat(a)
    angles = rng.uniform(0, 2 * np.pi, 9)
    for k, (x, y) in enumerate(_scatter(rng, 9, 0.15)):
        _wrapped(lambda u, v: draw_leaf(tile, u, v, 76, angles[k], mix(COLOURS["그린"], b, 0.3)), x + 30, y + 26, 64)
        _wrapped(lambda u, v: _flower(tile, u, v, 24, (b, c)[k % 2], None), x, y, 44)
    return tile


def tropical(a, b, c, rng):
    tile = flat(a)
    green = COLOURS["그린"] if distance(a, COLOURS["그린"]) > 120 else lighter(COLOURS["그린"], 0.5)
    for k, (x, y) in enumerate(_scatter(rng, 9, 0.18)):
        first, colour = rng.uniform(0, 2 * np.pi), (green, darker(green, 0.3), c)[k % 3]
        for fan in range(5):
            angle = first + (fan - 2) * 0.5
            dx, dy = 26 * np.cos(angle), 26 * np.sin(angle)
            _wrapped(lambda u, v: draw_leaf(tile, u + dx, v + dy, 56, angle, colour), x, y, 70)
    return tile


def paisley(a, b, c, rng):
    tile = flat(a)
    turn = np.linspace(0, 2 * np.pi, 20)
    for k, (x, y) in enumerate(_scatter(rng, 16, 0.12)):
        side = 1 if k % 2 else -1
        for scale, colour in ((1.0, b), (0.66, c), (0.32, a)):
            across = side * scale * (15 * np.sin(turn) + 16 * np.clip(np.cos(turn), 0, 1) ** 2)
            drop = np.stack([across, scale * (-24 * np.cos(turn))], 1)
            _wrapped(lambda u, v: fill(tile, drop + (u, v), colour), x, y, 40)
    return tile


def patchwork(a, b, c, rng):
    tile = flat(a)
    side = 64
    for j in range(4):
        for i in range(4):
            patch = tile[j * side : (j + 1) * side, i * side : (i + 1) * side]
            patch[:] = (a, b, c, lighter(a), darker(b, 0.2))[rng.integers(5)]
            if rng.random() < 0.5:
                for k in range(8, 64, 18):
                    disc(patch, (k, k), 6, lighter(c))
                    disc(patch, (64 - k, k), 6, lighter(c))
            cv2.rectangle(patch, (2, 2), (61, 61), (250, 240, 220), 1)
    return tile


def leopard(a, b, c, rng):
    coat = mix(a, (214, 160, 92), 0.75)
    tile = flat(coat)
    for x, y in _scatter(rng, 49, 0.2):
        size, turn = rng.uniform(9, 13), rng.uniform(0, 360)
        _wrapped(lambda u, v: _rosette(tile, u, v, size, turn, darker(coat, 0.35)), x, y, 20)
    return tile


def letters(a, b, c, rng):
    tile = flat(a)
    for row, words in enumerate(("WAVE 99", "SEOUL", "NO RULE", "FRESH")):
        letter(tile, words, 128 + 40 * (row % 2) - 20, row * 64 + 32, 40, (b, c)[row % 2], 8)
    return tile


def clouds(a, b, c, rng):
    tile = flat(a)
    for j in range(13):
        for i in range(-1, 6):
            x, y = i * 51.2 + 25.6 * (j % 2), j * 21.33
            for radius, colour in ((26, darker(b, 0.1)), (22, a), (16, b), (11, a), (6, c)):
                disc(tile, (x, y), radius, colour)
    return tile


def medallion(a, b, c, rng):
    tile = flat(a)
    for x, y in ((64, 64), (192, 192)):
        disc(tile, (x, y), 50, b)
        disc(tile, (x, y), 43, mix(a, b, 0.25))
        for ring, size in ((26, 13), (12, 9)):
            for turn in np.arange(8) * np.pi / 4:
                disc(tile, (x + ring * np.cos(turn), y + ring * np.sin(turn)), size, (b, c)[ring == 12])
    for x, y in ((192, 64), (64, 192)):
        _flower(tile, x, y, 15, b, None)
    return tile


def slabs(a, b, c, rng):
    tile = flat(a)
    x0, tilt = rng.uniform(0, 60), rng.uniform(50, 120)
    for x, width, colour in ((20, 70, b), (108, 22, c), (150, 48, darker(b, 0.15))):
        for shift in (-2 * TILE, -TILE, 0, TILE):
            x1 = x + x0 + shift
            fill(
                tile,
                [
                    (x1, 0),
                    (x1 + width, 0),
                    (x1 + width * 0.4 + TILE, TILE),
                    (x1 + TILE - width * 0.1 * tilt / 100, TILE),
                ],
                colour,
            )
    return tile


def draw_leaf(pixels, x, y, size, angle, colour):
    """A leaf `size` pixels long, its middle at (x, y), turned by `angle` radians."""
    t = np.linspace(0, np.pi, 8)
    along = np.concatenate([-np.cos(t), np.cos(t)]) * size / 2
    across = np.concatenate([np.sin(t), -np.sin(t)]) * size / 5
    c, s = np.cos(angle), np.sin(angle)
    fill(pixels, np.stack([x + along * c - across * s, y + along * s + across * c], 1), colour)
    stroke(pixels, [(x - c * size / 2, y - s * size / 2), (x + c * size / 2, y + s * size / 2)], darker(colour), 1)


def _scatter(rng, count, jitter=0.28):
    """About `count` points of a jittered grid, in tile pixels."""
    side = max(1, int(round(count**0.5)))
    step = TILE / side
    return [
        (
            (i + 0.5 * (j % 2) + 0.25 + rng.uniform(-jitter, jitter)) * step,
            (j + 0.5 + rng.uniform(-jitter, jitter)) * step,
        )
        for j in range(side)
        for i in range(side)
    ]


def _wrapped(draw, x, y, reach):
    """Calls `draw(x, y)` again across the tile's edges, so that the tile stays periodic."""
    for dx in (-TILE, 0, TILE):
        for dy in (-TILE, 0, TILE):
            if -reach < x + dx < TILE + reach and -reach < y + dy < TILE + reach:
                draw(x + dx, y + dy)


def _heart(pixels, x, y, size, colour):
    turn = np.linspace(0, 2 * np.pi, 24)
    across = 16 * np.sin(turn) ** 3
    down = -(13 * np.cos(turn) - 5 * np.cos(2 * turn) - 2 * np.cos(3 * turn) - np.cos(4 * turn))
    fill(pixels, np.stack([x + across * size / 16, y + down * size / 16], 1), colour)


def _rosette(pixels, x, y, size, turn, colour):
    disc(pixels, (x, y), size * 0.7, colour)
    axes = (int(size), int(size * 0.8))
    cv2.ellipse(pixels, (int(x), int(y)), axes, turn, 0, 250, (38, 26, 24), 6, cv2.LINE_AA)


def _flower(pixels, x, y, size, colour, leaf):
    if leaf is not None:
        stroke(pixels, [(x - size * 1.6, y + size * 1.2), (x, y)], leaf, size * 0.5)
    for turn in np.arange(5) * 2 * np.pi / 5:
        disc(pixels, (x + 0.75 * size * np.sin(turn), y - 0.75 * size * np.cos(turn)), size * 0.62, colour)
    disc(pixels, (x, y), size * 0.4, (250, 222, 120))
