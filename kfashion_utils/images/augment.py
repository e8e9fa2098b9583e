"""Augmentation and mixing: pictures changed at random, all of it a function of the generator that is given.

What is drawn is a `Change`, which boxes, points and masks of the picture can follow.
"""

from dataclasses import dataclass

import cv2
import numpy as np

MIXUP, CUTMIX = 0.2, 1.0  # both parameters of the Beta distribution of shares (Zhang et al. 2018; Yun et al. 2019)
CUT = 0.5  # share of the pictures that CutMix changes
ERASED = (0.02, 0.2)  # share of the area of an erased rectangle
GREY = 127  # of what is erased
LEVELS = np.arange(256)[None, :, None]


@dataclass(frozen=True)
class Augmentation:
    """Largest changes: of position and zoom as shares of the side, degrees, of brightness and of each channel as shares
    of the value.

    `erase`: share of the pictures in which a rectangle of up to a fifth of the area is painted grey (Zhong et al.,
    Random Erasing, AAAI 2020).
    """

    shift: float
    zoom: float
    brightness: float
    colour: float
    turn: float = 0.0
    erase: float = 0.0


AUGMENTATIONS = {
    "light": Augmentation(0.06, 0.15, 0.15, 0.1),
    "strong": Augmentation(0.12, 0.3, 0.3, 0.2, turn=15, erase=0.5),
}


def variant_names(count):
    """The first `count` variants of a picture: the original, its mirror image, then lightly augmented ones, `light-1`,
    `light-2`, …"""
    return ("original", "mirror", *(f"light-{number}" for number in range(1, count - 1)))[:count]


@dataclass(frozen=True)
class Change:
    """One change of a square picture.

    Attributes:
        matrix: float `(2, 3)`, centres of pixels before -> after, as OpenCV has it.
        factors: float `(3,)`, of the values of each channel.
        erased: left, top, right, bottom of a rectangle that is painted grey, whole pixels; None = nothing is.
    """

    matrix: np.ndarray
    factors: np.ndarray
    erased: tuple[int, int, int, int] | None = None

    def apply(self, pixels, fill, out=None):
        """The changed picture, uint8 `(size, size, 3)`, written into `out` if it is given; `fill` is the grey value of
        what is moved in from outside."""
        warped = self._warped(pixels, cv2.INTER_LINEAR, (fill,) * 3)
        values = np.clip(LEVELS * self.factors, 0, 255).astype(np.uint8)
        changed = cv2.LUT(warped, values, dst=out)
        if self.erased is not None:
            left, top, right, bottom = self.erased
            changed[top:bottom, left:right] = GREY
        return changed

    def mask(self, mask):
        """A mask or label map of the picture, changed with it: uint8 `(size, size)`, nearest neighbour, 0 from outside.
        What is erased stays in it."""
        return self._warped(mask, cv2.INTER_NEAREST, 0)

    def points(self, points):
        """Points of the picture, changed with it: float x, y `(n, 2)`, pixel (0, 0) reaching from 0 to 1."""
        centres = np.asarray(points, float) - 0.5
        return centres @ self.matrix[:, :2].T + self.matrix[:, 2] + 0.5

    def _warped(self, pixels, interpolation, border):
        size = pixels.shape[0]
        return cv2.warpAffine(pixels, self.matrix, (size, size), flags=interpolation, borderValue=border)


def draw_change(rng, size, strength="light"):
    """A Change for pictures of a size: mirrored or not, moved, zoomed, turned, brighter or darker, with other colours,
    within a row of `AUGMENTATIONS`."""
    ranges = AUGMENTATIONS[strength]
    matrix = _draw_matrix(rng, size, ranges)
    brightness = 1 + rng.uniform(-ranges.brightness, ranges.brightness)
    factors = brightness * (1 + rng.uniform(-ranges.colour, ranges.colour, 3))
    erased = None
    if ranges.erase and rng.random() < ranges.erase:
        erased = _rectangle(size, rng.uniform(*ERASED), rng)
    return Change(matrix, factors, erased)


def _draw_matrix(rng, size, ranges):
    zoom = 1 + rng.uniform(-ranges.zoom, ranges.zoom)
    mirror = -1 if rng.random() < 0.5 else 1
    shift = rng.uniform(-ranges.shift, ranges.shift, 2) * size
    angle = np.deg2rad(rng.uniform(-ranges.turn, ranges.turn)) if ranges.turn else 0.0
    centre = np.full(2, (size - 1) / 2)
    turn = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ np.diag([mirror, 1])
    return np.column_stack([turn, centre + shift - turn @ centre])


def augmented(pixels, rng, fill, strength="light", out=None):
    """A picture uint8 `(size, size, 3)` changed by what `draw_change` draws, written into `out` if it is given."""
    return draw_change(rng, pixels.shape[0], strength).apply(pixels, fill, out)


def _rectangle(size, area, rng):
    """Whole pixels (left, top, right, bottom) of a square of a share of the area around a random centre, cut off at the
    border."""
    half = size * np.sqrt(area) / 2
    x, y = rng.uniform(0, size, 2)
    sides = [max(x - half, 0), max(y - half, 0), min(x + half, size), min(y + half, size)]
    return tuple(int(value) for value in np.round(sides))


# Mixing ---------------------------------------------------------------------------------------------------------------


def mixup(pixels, rng):
    """Each picture blended with the one before it in the batch -> (pixels, shares `(b,)` that stay its own)."""
    shares = rng.beta(MIXUP, MIXUP, len(pixels))
    pairs = zip(pixels, np.roll(pixels, 1, axis=0), shares.tolist(), strict=True)
    return np.stack([cv2.addWeighted(mine, share, other, 1 - share, 0) for mine, other, share in pairs]), shares


def cutmix(pixels, rng):
    """A rectangle of each picture replaced by that of the one before it in the batch -> (pixels, shares `(b,)`: of the
    area that is left)."""
    others, mixed, shares = np.roll(pixels, 1, axis=0), pixels.copy(), np.ones(len(pixels), np.float32)
    size = pixels.shape[1]
    for number in range(len(pixels)):
        wanted = rng.beta(CUTMIX, CUTMIX)
        left, top, right, bottom = _rectangle(size, 1 - wanted, rng)
        if rng.random() < CUT:
            mixed[number, top:bottom, left:right] = others[number, top:bottom, left:right]
            shares[number] = 1 - (right - left) * (bottom - top) / size**2
    return mixed, shares
