"""Changes: bit for bit what they were before they could be followed, and boxes, points and masks follow them."""

import cv2
import numpy as np
import pytest

from kfashion_utils.images.augment import AUGMENTATIONS, augmented, draw_change


def written_out(pixels, rng, fill, strength):
    """The same in one piece, as caches of features and runs have it: its order of random numbers must never change."""
    ranges, size = AUGMENTATIONS[strength], pixels.shape[0]
    zoom = 1 + rng.uniform(-ranges.zoom, ranges.zoom)
    mirror = -1 if rng.random() < 0.5 else 1
    shift = rng.uniform(-ranges.shift, ranges.shift, 2) * size
    angle = np.deg2rad(rng.uniform(-ranges.turn, ranges.turn)) if ranges.turn else 0.0
    centre = np.full(2, (size - 1) / 2)
    turn = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ np.diag([mirror, 1])
    matrix = np.column_stack([turn, centre + shift - turn @ centre])
    warped = cv2.warpAffine(pixels, matrix, (size, size), flags=cv2.INTER_LINEAR, borderValue=(fill,) * 3)
    brightness = 1 + rng.uniform(-ranges.brightness, ranges.brightness)
    factors = brightness * (1 + rng.uniform(-ranges.colour, ranges.colour, 3))
    changed = cv2.LUT(warped, np.clip(np.arange(256)[None, :, None] * factors, 0, 255).astype(np.uint8))
    if ranges.erase and rng.random() < ranges.erase:
        half = size * np.sqrt(rng.uniform(0.02, 0.2)) / 2
        x, y = rng.uniform(0, size, 2)
        sides = np.round([max(x - half, 0), max(y - half, 0), min(x + half, size), min(y + half, size)]).astype(int)
        changed[sides[1] : sides[3], sides[0] : sides[2]] = 127
    return changed


@pytest.mark.parametrize("strength", AUGMENTATIONS)
def test_pixels_are_what_they_were(strength):
    pixels = np.random.default_rng(0).integers(0, 256, (48, 48, 3), np.uint8)
    for seed in range(40):
        old = written_out(pixels, np.random.default_rng(seed), 255, strength)
        np.testing.assert_array_equal(augmented(pixels, np.random.default_rng(seed), 255, strength), old)


@pytest.mark.parametrize("strength", AUGMENTATIONS)
def test_points_and_masks_follow(strength):
    size = 96
    for seed in range(30):
        change = draw_change(np.random.default_rng(seed), size, strength)
        pixels, mask = np.zeros((size, size, 3), np.uint8), np.zeros((size, size), np.uint8)
        pixels[40:48, 52:60] = 255
        mask[40:48, 52:60] = 1
        ((x, y),) = change.points([[56, 44]])
        ys, xs = np.nonzero(change.mask(mask))
        assert abs(xs.mean() + 0.5 - x) < 0.6 and abs(ys.mean() + 0.5 - y) < 0.6
        if change.erased is None:
            ys, xs = np.nonzero(change.apply(pixels, 0)[..., 0] > 60)
            assert abs(xs.mean() + 0.5 - x) < 0.6 and abs(ys.mean() + 0.5 - y) < 0.6
