"""Prepared pictures -> batches, as a `keras.utils.PyDataset` of NumPy arrays: the same for every Keras backend."""

import zlib

import cv2
import keras
import numpy as np

PREDICTION_BATCH = 64  # pictures; no gradients are kept, so more fit than in training
LIGHT_SHIFT, LIGHT_ZOOM, LIGHT_BRIGHTNESS, LIGHT_COLOUR = 0.06, 0.15, 0.15, 0.1  # largest shares of side, size, value and channel


def view_names(count):
    """The first `count` views of a picture: the original, its mirror image, then lightly augmented ones, `light-1`, `light-2`, …"""
    return ("original", "mirror", *(f"light-{number}" for number in range(1, count - 1)))[:count]


class Batches(keras.utils.PyDataset):
    """Batches of one pass over some rows.

    What a pass holds depends on (seed, epoch) alone, never on what was drawn before, so an interrupted training goes on exactly.

    Args:
        prepared: PreparedImages.
        ids: row ids.
        targets: float32 `(n, …)` in the order of `ids`, or None for pictures alone.
        batch_size: pictures a batch; the last one may be smaller.
        epoch: number of the pass; None = in order and as they are (validation, prediction).
        seed: of order and augmentation.
        augment: `light` or `none`.
        view: what a picture looks like in every pass: `original`, `mirror`, or `light-1`, `light-2`, …: augmented, each in its own way for good.

    Yields:
        `pixels` uint8 `(b, size, size, 3)`, or `(pixels, targets)`.
    """

    def __init__(self, prepared, ids, targets=None, *, batch_size=PREDICTION_BATCH, epoch=None, seed=0, augment="none", view="original"):
        super().__init__(workers=2, max_queue_size=8)
        self.prepared, self.ids, self.targets = prepared, list(ids), targets
        self.batch_size, self.epoch, self.seed, self.view = batch_size, epoch, seed, view
        self.augment = augment if epoch is not None else "none"
        self.order = np.arange(len(self.ids)) if epoch is None else np.random.default_rng((seed, epoch)).permutation(len(self.ids))

    def __len__(self):
        return -(-len(self.ids) // self.batch_size)

    def __getitem__(self, number):
        rows = self.order[number * self.batch_size : (number + 1) * self.batch_size]
        pixels = np.stack([self._picture(row) for row in rows])
        return pixels if self.targets is None else (pixels, self.targets[rows])

    def _picture(self, row):
        pixels = self.prepared.pixels(self.ids[row])
        if self.view == "mirror":
            return pixels[:, ::-1]
        if self.view != "original":
            drawn = zlib.crc32(f"{self.prepared.item(self.ids[row])} {self.view}".encode())
            return light(pixels, np.random.default_rng(drawn), self.prepared.preprocess.fill)
        if self.augment == "light":
            return light(pixels, np.random.default_rng((self.seed, self.epoch, int(row))), self.prepared.preprocess.fill)
        return pixels


def light(pixels, rng, fill=255):
    """Mirror, shift and zoom in one warp, brightness and colour in one table; uint8 `(size, size, 3)` in and out, `fill` where nothing is."""
    size = pixels.shape[0]
    zoom = 1 + rng.uniform(-LIGHT_ZOOM, LIGHT_ZOOM)
    mirror = -1 if rng.random() < 0.5 else 1
    shift = rng.uniform(-LIGHT_SHIFT, LIGHT_SHIFT, 2) * size
    centre = (size - 1) / 2
    matrix = np.array([[mirror * zoom, 0, centre + shift[0] - mirror * zoom * centre], [0, zoom, centre + shift[1] - zoom * centre]])
    warped = cv2.warpAffine(pixels, matrix, (size, size), flags=cv2.INTER_LINEAR, borderValue=(fill,) * 3)
    factors = (1 + rng.uniform(-LIGHT_BRIGHTNESS, LIGHT_BRIGHTNESS)) * (1 + rng.uniform(-LIGHT_COLOUR, LIGHT_COLOUR, 3))
    table = np.clip(np.arange(256)[None, :, None] * factors, 0, 255).astype(np.uint8)
    return cv2.LUT(warped, table)
