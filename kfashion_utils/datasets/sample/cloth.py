"""Cloth, and the figure that wears it.

A `Cloth` is one garment of a look, a `Figure` one person in one pose on one picture: it takes figure heights and
draws pixels. Beside the picture runs `labels`, uint8 `(2, height, width)`: the code of the garment seen there (0 =
none), and a bit for each garment that is there, seen or covered.
"""

from dataclasses import dataclass, field
from functools import cached_property

import cv2
import numpy as np

from kfashion_utils.datasets.sample.facts import BUILDS, PARTS
from kfashion_utils.datasets.sample.figures import (
    arm_joints,
    half_bodice,
    leg_joints,
    mirrored,
    skirt,
    sleeve,
    smooth,
    trousers,
    width_at_hem,
)
from kfashion_utils.datasets.sample.paint import FIX, contrast, darker, disc, distance, fixed_point, letter, stroke

TILE_SPAN = 0.30  # what a print's tile covers, in figure heights


@dataclass
class Cloth:
    """One garment of a look: its cut, its print's tile and its colours (three names, three RGB)."""

    name: str
    cut: dict
    print: str
    tile: np.ndarray
    names: tuple
    colours: tuple
    sized: dict = field(default_factory=dict)  # the tile at the sizes it was asked for

    def window(self, x, y, width, height, scale):
        """The print over a window of the picture, uint8 `(height, width, 3)`; `scale` = pixels per figure height."""
        side = max(8, 4 * int(round(TILE_SPAN * scale / 4)))
        if side not in self.sized:
            self.sized[side] = cv2.resize(self.tile, (side, side), interpolation=cv2.INTER_AREA)
        left, top = int(x) % side, int(y) % side
        beyond = max(0, top + int(height) - side), max(0, left + int(width) - side)
        repeated = cv2.copyMakeBorder(self.sized[side], 0, beyond[0], 0, beyond[1], cv2.BORDER_WRAP)
        return repeated[top : top + height, left : left + width]

    @property
    def dark(self):
        """The colour of its seams and folds."""
        return darker(self.colours[0], 0.5)

    @property
    def second(self):
        """The first of its colours that stands out from the main one."""
        main, *others = self.colours
        return next((other for other in others if distance(main, other) > 90), contrast(main))

    @property
    def hem(self):
        """Height of the hem."""
        return self.cut.get("hem", self.cut.get("length", 0.5))

    @cached_property
    def hanging(self):
        """Outlines of its pieces when nobody wears it."""
        body, cut = BUILDS["slim"], self.cut
        pieces = []
        if "hem" in cut or "neck" in cut:
            hem = cut.get("hem", 0.392)
            width = width_at_hem({"hem": hem, **cut}, body)
            pieces.append(mirrored(half_bodice({"neck": "round", **cut}, body, hem, width)))
            if cut.get("sleeve", 0) > 0:
                pieces += [sleeve(cut, arm_joints(body, (10, 4), side)) for side in (-1, 1)]
        if "flare" in cut and "length" in cut:
            pieces.append(skirt(cut, body, 0.382 if pieces else 0.372))
        if "legs" in cut:
            pieces += trousers(cut, body, {side: leg_joints(body, (3, 2), side) for side in (-1, 1)})
        return pieces


def code_of(cloth, second=False):
    """The garment's number in `labels`: 1..4 for its part, 10 more for its second piece (sleeves, the right leg)."""
    return PARTS.index(cloth.cut["part"]) + 1 + 10 * second


_TURN = np.linspace(0, 2 * np.pi, 24, endpoint=False)
_COS, _SIN = np.cos(_TURN), np.sin(_TURN)


class Figure:
    """A body in a pose on a picture: figure lengths in, pixels out. Knows where the arms and legs are."""

    def __init__(self, pixels, labels, person, pose):
        self.pixels, self.labels, self.person = pixels, labels, person
        self.scale, self.origin = pose["scale"], np.asarray(pose["origin"], float)
        self.lean, self.flip = pose["lean"], pose["flip"]
        self.body = person["body"]
        self.arms = {side: arm_joints(self.body, pose["arms"][side], side) for side in (1, -1)}
        self.legs = {side: leg_joints(self.body, pose["legs"][side], side) for side in (1, -1)}

    def place(self, points):
        """Figure heights to pixels, `(n, 2)` both: the body leans, is mirrored, scaled and moved."""
        points = np.asarray(points, np.float64)
        bent = points[:, 0] + self.lean * np.sin(np.pi * np.clip(points[:, 1], 0, 1) * 1.25)
        return self.origin + self.scale * np.stack([bent * self.flip, points[:, 1]], 1)

    def shape(self, points, colour, code=0):
        """A flat shape; it takes the labels' place with `code`, or leaves them with None."""
        corners = fixed_point(self.place(points))
        cv2.fillPoly(self.pixels, [corners], tuple(map(int, colour)), cv2.LINE_AA, FIX)
        if code is not None:
            cv2.fillPoly(self.labels[0], [corners], code, cv2.LINE_8, FIX)
            if code == 0:
                cv2.fillPoly(self.labels[1], [corners], 0, cv2.LINE_8, FIX)

    def line(self, points, colour, width=0.003, curve=False):
        """A line; `curve` rounds it. Leaves the labels."""
        points = smooth(points) if curve else points
        stroke(self.pixels, self.place(points), colour, width * self.scale)

    def dot(self, x, y, radius, colour):
        """A disc. Leaves the labels."""
        disc(self.pixels, self.place([(x, y)])[0], radius * self.scale, colour)

    def oval(self, x, y, rx, ry, colour, code=0):
        """A flat ellipse; `code` as for `shape`."""
        self.shape(np.stack([x + rx * _COS, y + ry * _SIN], 1), colour, code)

    def lay(self, pieces, cloth, code, shine=1.0):
        """Cloth over the pieces, which take the labels' place with `code`."""
        lay(self.pixels, self.labels, [self.place(p) for p in pieces], cloth, self.scale, self.origin, code, shine)

    def words(self, text, x, y, height, colour):
        """Lettering, centred on (x, y). Leaves the labels."""
        at = self.place([(x, y)])[0]
        letter(self.pixels, text, at[0], at[1], height * self.scale, colour, max(1, height * self.scale / 7))


def lay(pixels, labels, pieces, cloth, scale, origin, code=None, shine=1.0):
    """Lays cloth over the union of `pieces` (pixels): print, soft volume, seams. `code`, if given, goes to `labels`.

    `scale` = pixels per figure height; `origin` (pixels) is where a tile of the print starts; `shine` 0..1 deepens the
    volume.
    """
    height, width = pixels.shape[:2]
    every = np.concatenate(pieces)
    x0, y0 = np.maximum(np.floor(every.min(0)).astype(int) - 2, 0)
    x1, y1 = np.minimum(np.ceil(every.max(0)).astype(int) + 3, (width, height))
    if x1 - x0 < 2 or y1 - y0 < 2:
        return
    mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
    for piece in pieces:
        cv2.fillPoly(mask, [fixed_point(piece - (x0, y0))], 255, cv2.LINE_AA, FIX)
    pattern = cloth.window(x0 - int(origin[0]), y0 - int(origin[1]), x1 - x0, y1 - y0, scale)
    area, share = pixels[y0:y1, x0:x1], np.float32(1 / 255)
    area[:] = cv2.blendLinear(_shaded(pattern, mask, scale, shine), area, mask * share, (255 - mask) * share)
    if code is not None:
        inside = mask > 127
        np.copyto(labels[0, y0:y1, x0:x1], code, where=inside)
        labels[1, y0:y1, x0:x1] |= inside.view(np.uint8) << np.uint8(code % 10 - 1)
    for piece in pieces:
        stroke(pixels, piece, cloth.dark, max(1, scale / 420), True)


def _shaded(pattern, mask, scale, shine):
    """Volume from the silhouette itself: the blurred mask, lit from the upper left."""
    small = cv2.resize(mask, (mask.shape[1] // 4 + 1, mask.shape[0] // 4 + 1), interpolation=cv2.INTER_AREA)
    reach = max(3, int(scale * 0.012) | 1)
    soft = cv2.blur(small, (reach, reach), borderType=cv2.BORDER_CONSTANT)
    shift = np.float32([[1, 0, -reach * 0.35], [0, 1, -reach * 0.2]])
    soft = cv2.warpAffine(soft, shift, soft.shape[::-1])
    shade = cv2.resize(soft, mask.shape[::-1], interpolation=cv2.INTER_LINEAR)
    shade = cv2.convertScaleAbs(shade, alpha=0.50 * shine, beta=255 * (0.80 - 0.32 * shine) + 8)
    return cv2.multiply(pattern, cv2.merge([shade] * 3), scale=1 / 235)
