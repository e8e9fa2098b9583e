"""Prints that are computed: weaves, stripes and checks, stains.

Every function is a tile, `tile(a, b, c, rng)`: three colours (RGB) in, one period of the print out, uint8 RGB
`(TILE, TILE, 3)`. `flat` is what the others begin with.
"""

import cv2
import numpy as np

from kfashion_utils.datasets.sample.facts import COLOURS
from kfashion_utils.datasets.sample.paint import darker, distance, lighter, mix

TILE = 256  # side of a print's tile in pixels


def flat(colour):
    """A tile of one colour."""
    return np.full((TILE, TILE, 3), colour, np.uint8)


def solid(a, b, c, rng):
    return _tinted(a, 1 + 0.03 * (_noise(rng, 16) - 0.5))


def canvas(a, b, c, rng):
    x, y = _grid(4, 4)
    return _tinted(a, 0.94 + 0.08 * ((x < 0.5) ^ (y < 0.5)) + 0.1 * (_noise(rng, 32) - 0.5))


def linen(a, b, c, rng):
    threads = rng.uniform(0.93, 1.05, (TILE, 1)) * rng.uniform(0.93, 1.05, (1, TILE))
    return _tinted(a, threads)


def ribbed(a, b, c, rng):
    x, _ = _grid(16, 16)
    return _tinted(a, 0.86 + 0.2 * np.abs(x - 0.5) * 2)


def corduroy(a, b, c, rng):
    x, _ = _grid(10.667, 10)
    return _tinted(a, 0.76 + 0.32 * np.sin(np.pi * x))


def denim(a, b, c, rng):
    blue = mix(a, (66, 98, 150), 0.80)
    y, x = np.mgrid[0:TILE, 0:TILE]
    twill = ((x + y) % 4 < 2) * 0.10
    return _tinted(blue, 0.86 + twill + 0.30 * (_noise(rng, 4) - 0.4) + rng.normal(0, 0.05, (TILE, TILE)))


def leather(a, b, c, rng):
    shine = np.clip(_noise(rng, 8) - 0.55, 0, 1) * 2.2 + np.clip(_noise(rng, 16) - 0.7, 0, 1) * 1.6
    return _as_pixels(np.asarray(darker(a, 0.4), np.float32) + 150 * shine[..., None])


def suede(a, b, c, rng):
    return _tinted(a, 0.86 + 0.30 * _noise(rng, 16) * _noise(rng, 64) + rng.normal(0, 0.03, (TILE, TILE)))


def satin(a, b, c, rng):
    y, x = np.mgrid[0:TILE, 0:TILE] * (2 * np.pi / TILE)
    sheen = np.clip(np.sin(2 * x + y + 1.5 * np.sin(y)), 0, 1) ** 3
    return _as_pixels(np.asarray(a, np.float32) * 0.86 + 105 * sheen[..., None])


def tweed(a, b, c, rng):
    flecks = rng.choice(4, (64, 64), p=(0.50, 0.26, 0.14, 0.10))
    tile = np.asarray((a, mix(a, b, 0.6), mix(a, c, 0.8), darker(a)), np.uint8)[flecks]
    tile[::16, :], tile[:, ::16] = mix(a, b, 0.8), mix(a, b, 0.8)
    return cv2.resize(tile, (TILE, TILE), interpolation=cv2.INTER_NEAREST)


def quilt(a, b, c, rng):
    _, y = _grid(51.2, 51.2)
    gain = 0.50 + 0.65 * np.sin(np.pi * y) ** 0.7 + 0.25 * np.clip(np.sin(np.pi * (y + 0.22)), 0, 1) ** 8
    seam = 26 * (np.abs(y - 0.3) < 0.12)
    return _as_pixels(np.asarray(lighter(a, 0.12), np.float32) * gain[..., None] + seam[..., None])


def pinstripe(a, b, c, rng):
    tile = solid(a, b, c, rng)
    line = mix(a, b if distance(a, b) > 150 else (255, 255, 255), 0.75)
    for x in range(8, TILE, 32):
        tile[:, x : x + 5] = line
    return tile


def plains(a, b, c, rng):
    return _plaid(a, b, c, 64)


def tartan(a, b, c, rng):
    return _plaid(a, b, c, 85.33)


def _plaid(a, b, c, period):
    """Wide bars of `b` and thin lines of `c`, woven over `a`."""
    x, y = _grid(period, period)
    tile = flat(a).astype(np.float32)
    for share in (x, y):
        bar = ((share > 0.10) & (share < 0.50))[..., None]
        tile = np.where(bar, tile * 0.5 + np.asarray(darker(b, 0.15), np.float32) * 0.5, tile)
    for share in (x, y):
        tile = np.where(((share > 0.70) & (share < 0.77))[..., None], np.asarray(c, np.float32), tile)
    return tile.astype(np.uint8)


def gingham(a, b, c, rng):
    x, y = _grid(42.667, 42.667)
    cover = ((x < 0.5) * 0.5 + (y < 0.5) * 0.5)[..., None]
    return (np.asarray(lighter(b, 0.4), np.float32) * (1 - cover) + np.asarray(a, np.float32) * cover).astype(np.uint8)


def houndstooth(a, b, c, rng):
    y, x = np.mgrid[0:8, 0:8]
    warp, weft = x < 4, y < 4
    twill = (x + y) % 4 < 2
    tooth = np.where(warp == weft, warp, np.where(twill, warp, weft))
    dark, pale = sorted((a, lighter(b, 0.4)), key=sum)
    tile = np.where(tooth[..., None], np.uint8(darker(dark, 0.3)), np.uint8(pale))
    return cv2.resize(np.tile(tile, (7, 7, 1)), (TILE, TILE), interpolation=cv2.INTER_AREA)


def breton(a, b, c, rng):
    _, y = _grid(36.57, 36.57)
    return np.where((y < 0.42)[..., None], np.uint8(b), np.uint8(lighter(a, 0.3)))


def candy(a, b, c, rng):
    x, _ = _grid(85.33, 85.33)
    return np.asarray((a, lighter(b, 0.1), c, (250, 248, 244)), np.uint8)[(x * 4).astype(int) % 4]


def jersey(a, b, c, rng):
    x, _ = _grid(64, 64)
    return np.where((np.abs(x - 0.5) < 0.10)[..., None], np.uint8(b), np.uint8(a))


def halves(a, b, c, rng):
    x, _ = _grid(TILE, TILE)
    return np.where((x < 0.5)[..., None], np.uint8(a), np.uint8(mix(a, darker(b, 0.35), 0.8)))


def waves(a, b, c, rng):
    y, x = np.mgrid[0:TILE, 0:TILE].astype(np.float32)
    phase = (y / TILE * 2 + 0.22 * np.sin(x * 4 * np.pi / TILE)) % 1
    return np.asarray((a, b, c, lighter(b, 0.3)), np.uint8)[(phase * 4).astype(int) % 4]


def tiedye(a, b, c, rng):
    y, x = np.mgrid[0:TILE, 0:TILE].astype(np.float32) - TILE / 2
    radius, angle = np.hypot(x, y) / (TILE / 2), np.arctan2(y, x)
    phase = (radius * 2.0 + angle / np.pi + 0.18 * (_noise(rng, 8) - 0.5)) % 1
    colours = np.asarray((a, (248, 244, 238), b, c, a), np.float32)
    at = phase * 4
    low = at.astype(int).clip(0, 3)
    part = (at - low)[..., None]
    return (colours[low] * (1 - part) + colours[low + 1] * part).astype(np.uint8)


def camo(a, b, c, rng):
    tile = flat(mix(a, COLOURS["베이지"], 0.35))
    khaki, brown = mix(b, COLOURS["카키"], 0.5), mix(c, COLOURS["브라운"], 0.5)
    for colour, level in ((khaki, 0.52), (brown, 0.62), ((44, 46, 38), 0.70)):
        tile[_noise(rng, 8) * 0.75 + _noise(rng, 16) * 0.25 > level] = colour
    return tile


def zebra(a, b, c, rng):
    y, x = np.mgrid[0:TILE, 0:TILE] / TILE
    stripes = np.sin(2 * np.pi * (6 * y + 0.9 * np.sin(4 * np.pi * x) + 0.7 * _noise(rng, 8)))
    return np.where((stripes > 0)[..., None], np.uint8((28, 26, 30)), np.uint8(lighter(b, 0.5)))


def _noise(rng, cells):
    """Periodic smooth noise, float32 `(TILE, TILE)`, about 0..1; `cells` bumps a side."""
    small = np.pad(rng.uniform(0.0, 1.0, (cells, cells)).astype(np.float32), 2, mode="wrap")
    step = TILE // cells
    inner = slice(2 * step, 2 * step + TILE)
    return cv2.resize(small, None, fx=step, fy=step, interpolation=cv2.INTER_CUBIC)[inner, inner]


def _grid(period_x, period_y):
    """(x, y) of every tile pixel as shares 0..1 of a period, which is in tile pixels; float32 `(TILE, TILE)` each."""
    at = np.arange(TILE, dtype=np.float32)
    x, y = (at / period_x) % 1, (at / period_y) % 1
    return np.broadcast_to(x, (TILE, TILE)), np.broadcast_to(y[:, None], (TILE, TILE))


def _tinted(colour, gain):
    """The colour times `gain` `(TILE, TILE)`."""
    return _as_pixels(np.asarray(colour, np.float32) * gain[..., None])


def _as_pixels(values):
    return np.clip(values, 0, 255, out=values).astype(np.uint8)
