"""Geometry of bodies and garments: curves, limbs and the outlines of cuts.

Lengths are in figure heights, y down from the crown, x = 0 the figure's middle line; `side` is 1 or -1. Points are
float `(n, 2)`. A `body` is a row of `facts.BUILDS`, a `cut` a row of `cuts.CUTS`, both moved a little.
"""

from functools import lru_cache

import numpy as np

from kfashion_utils.datasets.sample.cuts import NECKS


def smooth(points, closed=False, steps=5):
    """Catmull-Rom curve through `points`, `steps` points for each; a point given twice is a corner."""
    points = np.asarray(points, np.float64)
    if closed:
        points = np.concatenate([points[-1:], points, points[:2]])
    else:
        points = np.concatenate([points[:1], points, points[-1:]])
    t, t2, t3 = _powers(steps)
    count = len(points) - 3
    p0, p1, p2, p3 = points[:count, None], points[1:-2, None], points[2:-1, None], points[3:, None]
    curve = 0.5 * (2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t2 + (3 * p1 - p0 - 3 * p2 + p3) * t3)
    corner = (p1 == p2).all(-1)
    curve = np.where(corner[..., None], p1, curve).reshape(-1, 2)  # a zero-length piece would curl into an ear
    return curve if closed else np.concatenate([curve, points[-1:]])


@lru_cache
def _powers(steps):
    t = (np.arange(steps) / steps)[None, :, None]
    return t, t**2, t**3


@lru_cache
def _unit(count):
    return np.linspace(0, 1, count)


def mirrored(right):
    """Closed outline from its right half, which starts and ends on the middle line."""
    right = np.asarray(right)
    return np.concatenate([right, right[::-1] * (-1, 1)])


def limb(path, widths, cap=False):
    """Outline of a limb: half `widths` at the points of `path`, smoothed; `cap` rounds its start, as a shoulder is."""
    path, widths = smooth(path, steps=6), np.asarray(widths, np.float64)
    widths = np.interp(_unit(len(path)), _unit(len(widths)), widths)
    along = np.gradient(path, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    across = np.stack([-along[:, 1], along[:, 0]], 1) * widths[:, None]
    sides = [path + across, (path - across)[::-1]]
    if cap:
        turn = np.linspace(0, np.pi, 8)[1:-1, None]
        sides.append(path[0] - across[0] * np.cos(turn) - along[0] * widths[0] * np.sin(turn))
    return np.concatenate(sides)


def part_of(path, share):
    """The first `share` of a path's length, as 7 points; a share above 1 goes straight on."""
    path = smooth(path, steps=8)
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    at = np.linspace(0, min(share, 1.06), 7) * length[-1]
    inside = np.stack([np.interp(at, length, path[:, 0]), np.interp(at, length, path[:, 1])], 1)
    onwards = (path[-1] - path[-2]) / max(length[-1] - length[-2], 1e-9)
    beyond = path[-1] + onwards * np.maximum(at - length[-1], 0)[:, None]
    return np.where((at > length[-1])[:, None], beyond, inside)


def arm_joints(body, angles, side):
    """Shoulder, elbow and wrist; `angles` in degrees, as in `facts.ARMS`."""
    shoulder = (side * (body["shoulder"] - 0.012), 0.198)
    elbow = joint_at(shoulder, angles[0], 0.150, side)
    return [shoulder, elbow, joint_at(elbow, angles[1], 0.140, side)]


def leg_joints(body, angles, side):
    """Hip, knee and ankle; `angles` in degrees, as in `facts.LEGS`."""
    hip = (side * body["hip"] * 0.52, 0.485)
    knee = joint_at(hip, angles[0], 0.235, side)
    return [hip, knee, joint_at(knee, angles[1], 0.225, side)]


def joint_at(start, angle, length, side):
    """The point `length` away from `start`, `angle` degrees outwards from straight down."""
    return (start[0] + side * length * np.sin(np.radians(angle)), start[1] + length * np.cos(np.radians(angle)))


def half_bodice(cut, body, hem, hem_width):
    """Right half of a bodice's outline, neck to hem, middle line to middle line; `hem_width` is half the hem."""
    ease, tip = cut.get("ease", 0.01), cut.get("shoulder", 0)
    neck, covered = NECKS[cut.get("neck", "round")]
    chest, waist = body["chest"] + 0.004 + ease, body["waist"] + 0.004 + ease * 1.15 + cut.get("waist_ease", 0)
    points = list(neck)
    if covered:
        end = (body["shoulder"] + 0.006 + ease * 0.5 + tip, 0.187 + ease * 0.15)
        points += [end, end] if cut.get("sleeve", 0) else [(body["shoulder"] * 0.86 + tip, 0.178)] * 2
    points += [(chest, 0.262 + ease * 0.4)]
    if hem > 0.40:
        points += [(waist, 0.382)]
    if hem > 0.50:
        points += [(max(body["hip"] + 0.008 + ease * 0.8, waist), 0.475)]
    points += [(hem_width, hem), (hem_width, hem), (hem_width * 0.5, hem + 0.006), (0, hem + 0.008)]
    return smooth(points)


def width_at_hem(cut, body):
    """Half the width of an upper garment at its hem."""
    hem, ease = cut["hem"], cut.get("ease", 0.01)
    natural = np.interp(hem, (0.26, 0.385, 0.475, 0.8), (body["chest"], body["waist"], body["hip"], body["hip"]))
    return natural + 0.006 + ease * 0.9 + cut.get("flare", 0) + max(hem - 0.5, 0) * 0.06


def skirt(cut, body, top):
    """Closed outline of a skirt, waist (at y = `top`) to hem; `skew` lets the hem run aslant."""
    hem, waist, hip = cut["length"], body["waist"] + 0.006 + cut.get("waist_ease", 0), body["hip"] + 0.008
    spread = max(hip + cut["flare"] * (hem - 0.42), hip * 0.72)
    skew = cut.get("skew", 0)
    tight = cut["flare"] < 0.25
    middle = (hip, 0.470) if tight else (waist + (spread - waist) * 0.42, top + (hem - top) * 0.33)
    side = [(waist, top), (waist, top), middle]
    right = side + [(spread, hem + skew * spread)] * 2
    left = [(-x, y) for x, y in side] + [(-spread, hem - skew * spread)] * 2
    ripple = [
        (spread * k, hem + skew * spread * k + 0.012 * (1 - k * k) + 0.004 * np.sin(9 * k))
        for k in (0.6, 0.2, -0.2, -0.6)
    ]
    return smooth(right + ripple + left[::-1])


def trousers(cut, body, legs):
    """Outlines of pelvis, right leg, left leg; `legs` maps side to joints."""
    thigh, knee, hem = cut["legs"]
    waist, hip, drop = body["waist"] + 0.008, body["hip"] + 0.006 + max(thigh - 0.046, 0) * 0.6, cut.get("drop", 0)
    top = 0.375
    pelvis = mirrored(
        smooth(
            [
                (0, top),
                (waist, top),
                (waist, top),
                (hip, 0.465),
                (hip + 0.002, 0.52 + drop),
                (0.02, 0.545 + drop),
                (0, 0.540 + drop),
            ]
        )
    )
    pieces = [pelvis]
    for side in (1, -1):
        _, knee_joint, ankle = legs[side]
        path = part_of([(side * (hip - thigh + 0.002), 0.485), knee_joint, ankle], cut["length"])
        reach = np.interp(np.linspace(0, cut["length"], 7), (0, 0.15, 0.5, 1.06), (thigh * 0.92, thigh, knee, hem))
        pieces.append(limb(path, reach))
    return pieces


def sleeve(cut, arm):
    """Outline of a sleeve over an arm's joints: as long as the cut says, puffed in the middle, wide at its end."""
    share, wide, puff = cut["sleeve"], cut.get("wide", 1.0), cut.get("puff", 1.0)
    base = 0.030 + cut.get("ease", 0.01) * 0.45
    at = _unit(7)
    tapered = base * (1 - 0.30 * at * share)
    puffed = 1 + (puff - 1) * np.sin(np.pi * np.clip(at * 0.95 + 0.12, 0, 1))
    widened = 1 + (wide - 1) * at**1.6
    return limb(part_of(arm, share), tapered * puffed * widened, cap=True)
