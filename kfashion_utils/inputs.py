"""Prepared pictures -> batches, as a `keras.utils.PyDataset` of NumPy arrays: the same for every Keras backend.

`Batches` is a plain pass, `Epoch` one of fine-tuning: drawn, augmented and mixed, all of it a function of (seed, epoch) alone, so an
interrupted training goes on exactly.
"""

import hashlib
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import keras
import numpy as np
from tqdm.auto import tqdm

from kfashion_utils.losses import mix_targets, normalised
from kfashion_utils.storage import finished_file

PREDICTION_BATCH = 32  # pictures
AHEAD = 256  # pictures decoded before they are written
READERS = 2  # threads: OpenCV and Pillow work outside the interpreter's lock
MIXUP, CUTMIX = 0.2, 1.0  # both parameters of the Beta distribution of shares (Zhang et al. 2018; Yun et al. 2019)
CUT = 0.5  # share of the pictures that CutMix changes


@dataclass(frozen=True)
class Augmentation:
    """Largest changes: of position and zoom as shares of the side, degrees, of brightness and of each channel as shares of the value.

    `erase`: share of the pictures in which a rectangle of up to a fifth of the area is painted grey (Zhong et al., Random Erasing, AAAI 2020).
    """

    shift: float
    zoom: float
    brightness: float
    colour: float
    turn: float = 0.0
    erase: float = 0.0


AUGMENTATIONS = {"light": Augmentation(0.06, 0.15, 0.15, 0.1), "strong": Augmentation(0.12, 0.3, 0.3, 0.2, turn=15, erase=0.5)}


def view_names(count):
    """The first `count` views of a picture: the original, its mirror image, then lightly augmented ones, `light-1`, `light-2`, …"""
    return ("original", "mirror", *(f"light-{number}" for number in range(1, count - 1)))[:count]


class Batches(keras.utils.PyDataset):
    """Batches of one plain pass over some rows, in order.

    Args:
        prepared: PreparedImages.
        ids: row ids.
        batch_size: pictures a batch. After the first batch the last one is filled up with copies of its last picture: a network is traced
            anew for every shape it is given. `predict` leaves the copies out.
        view: what a picture looks like: `original`, `mirror`, or `light-1`, `light-2`, …: augmented, each in its own way for good.

    Yields:
        uint8 `(b, size, size, 3)`.
    """

    def __init__(self, prepared, ids, *, batch_size=PREDICTION_BATCH, view="original"):
        super().__init__(workers=READERS, max_queue_size=8)
        self.prepared, self.ids, self.batch_size, self.view = prepared, list(ids), batch_size, view

    def __len__(self):
        return -(-len(self.ids) // self.batch_size)

    def __getitem__(self, number):
        pictures = [self._picture(row) for row in self.ids[number * self.batch_size : (number + 1) * self.batch_size]]
        return np.stack([*pictures, *pictures[-1:] * (self.batch_size - len(pictures) if number else 0)])

    def predict(self, model, callbacks=None):
        """What a model answers, float32 `(len(ids), …)`."""
        return np.asarray(model.predict(self, verbose=0, callbacks=callbacks), np.float32)[: len(self.ids)]

    def _picture(self, row):
        pixels = self.prepared.pixels(row)
        if self.view == "mirror":
            return pixels[:, ::-1]
        if self.view != "original":
            drawn = zlib.crc32(f"{self.prepared.item(row)} {self.view}".encode())
            return augmented(pixels, np.random.default_rng(drawn), self.prepared.preprocess.fill)
        return pixels


class Epoch(keras.utils.PyDataset):
    """Batches of one epoch of fine-tuning.

    Args:
        pictures: uint8 `(n, size, size, 3)`, an array or a memory map, or anything that gives one picture for a row number.
        targets: float32 `(n, num_classes + heads)` of `task_targets`.
        task: the Task.
        config: TrainConfig; `batch_size`, `seed`, `augment`, `mix` and `swap` are read.
        epoch: its number.
        chances: float `(n,)`, how often a row is drawn, sum 1; None = each once.
        people: masks for the background swap, see `People`; None = no swap.
        fill: grey value of what is moved in from outside.
        multiple: the last batch is filled up with rows of weight 0 until this divides it (the number of devices).

    Yields:
        `(pixels uint8 (b, size, size, 3), normalised targets float32)`.
    """

    def __init__(self, pictures, targets, task, config, epoch, *, chances=None, people=None, fill=255, multiple=1):
        super().__init__(workers=READERS, max_queue_size=8)
        self.pictures, self.targets, self.task, self.config, self.epoch = pictures, targets, task, config, epoch
        self.people, self.fill, self.multiple = people, fill, multiple
        rng, rows = np.random.default_rng((config.seed, epoch)), len(targets)
        self.order = rng.permutation(rows) if chances is None else rng.choice(rows, rows, p=chances)
        self.padding = -(rows % config.batch_size) % multiple

    def __len__(self):
        return -(-len(self.order) // self.config.batch_size)

    def __getitem__(self, number):
        rows = self.order[number * self.config.batch_size : (number + 1) * self.config.batch_size]
        rng = np.random.default_rng((self.config.seed, self.epoch, number))
        pixels, targets = np.stack([self._picture(row, rng) for row in rows]), self.targets[rows]
        if self.config.mix != "none" and len(rows) > 1:
            mixer = {"mixup": _mixup, "cutmix": _cutmix, "both": _mixup if rng.random() < 0.5 else _cutmix}[self.config.mix]
            pixels, shares = mixer(pixels, rng)
            targets = mix_targets(self.task, targets, np.roll(targets, 1, axis=0), shares)
        if number == len(self) - 1 and self.padding:
            pixels, targets = (np.concatenate([values, np.repeat(values[:1], self.padding, axis=0)]) for values in (pixels, targets))
            targets[len(rows) :, -len(self.task.heads) :] = 0
        return pixels, normalised(targets, len(self.task.heads))

    def _picture(self, row, rng):
        pixels = self.pictures[row]
        if self.people is not None and rng.random() < self.config.swap:
            pixels = self.people.swap(row, rng.integers(len(self.targets)), self.pictures)
        if self.config.augment in AUGMENTATIONS:
            return augmented(pixels, rng, self.fill, self.config.augment)
        return pixels


def augmented(pixels, rng, fill, strength="light"):
    """A picture uint8 `(size, size, 3)` mirrored or not, moved, zoomed, turned, brighter or darker, with other colours: a row of `AUGMENTATIONS`."""
    ranges, size = AUGMENTATIONS[strength], pixels.shape[0]
    zoom = 1 + rng.uniform(-ranges.zoom, ranges.zoom)
    mirror = -1 if rng.random() < 0.5 else 1
    shift = rng.uniform(-ranges.shift, ranges.shift, 2) * size
    angle = np.deg2rad(rng.uniform(-ranges.turn, ranges.turn)) if ranges.turn else 0.0
    centre = np.full(2, (size - 1) / 2)
    turn = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ np.diag([mirror, 1])
    matrix = np.column_stack([turn, centre + shift - turn @ centre])
    warped = cv2.warpAffine(pixels, matrix, (size, size), flags=cv2.INTER_LINEAR, borderValue=(fill,) * 3)
    factors = (1 + rng.uniform(-ranges.brightness, ranges.brightness)) * (1 + rng.uniform(-ranges.colour, ranges.colour, 3))
    changed = cv2.LUT(warped, np.clip(np.arange(256)[None, :, None] * factors, 0, 255).astype(np.uint8))
    if ranges.erase and rng.random() < ranges.erase:
        left, top, right, bottom = _rectangle(size, rng.uniform(0.02, 0.2), rng)
        changed[top:bottom, left:right] = 127
    return changed


def _rectangle(size, area, rng):
    """Whole pixels (left, top, right, bottom) of a square of a share of the area around a random centre, cut off at the border."""
    half = size * np.sqrt(area) / 2
    x, y = rng.uniform(0, size, 2)
    return tuple(int(value) for value in np.round([max(x - half, 0), max(y - half, 0), min(x + half, size), min(y + half, size)]))


# Mixing ---------------------------------------------------------------------------------------------------------------


def _mixup(pixels, rng):
    """Each picture blended with the one before it in the batch -> (pixels, shares `(b,)` that stay its own)."""
    shares = rng.beta(MIXUP, MIXUP, len(pixels))
    pairs = zip(pixels, np.roll(pixels, 1, axis=0), shares.tolist(), strict=True)
    return np.stack([cv2.addWeighted(mine, share, other, 1 - share, 0) for mine, other, share in pairs]), shares


def _cutmix(pixels, rng):
    """A rectangle of each picture replaced by that of the one before it in the batch -> (pixels, shares `(b,)`: of the area that is left)."""
    others, mixed, shares = np.roll(pixels, 1, axis=0), pixels.copy(), np.ones(len(pixels), np.float32)
    size = pixels.shape[1]
    for number in range(len(pixels)):
        wanted = rng.beta(CUTMIX, CUTMIX)
        left, top, right, bottom = _rectangle(size, 1 - wanted, rng)
        if rng.random() < CUT:
            mixed[number, top:bottom, left:right] = others[number, top:bottom, left:right]
            shares[number] = 1 - (right - left) * (bottom - top) / size**2
    return mixed, shares


# Background swap ------------------------------------------------------------------------------------------------------


class People:
    """Which pixels of each training picture are the person's, so that it can be pasted on the background of another photograph.

    Args:
        masks: iterable of bool `(size, size)`, one a row; all False = the row has no polygon and is never pasted.
    """

    SOFT = 5  # pixels over which the edge of a pasted person fades
    REACH = 31  # pixels from which the colour comes that stands in for the person who was there

    def __init__(self, masks):
        packed = [(mask.shape[0], np.packbits(mask)) for mask in masks]
        self._size, self._bits = packed[0][0], np.stack([bits for _, bits in packed])
        self.known = self._bits.any(axis=1)

    def mask(self, row):
        """float32 `(size, size)`, 0 or 1."""
        return np.unpackbits(self._bits[row], count=self._size**2).reshape(self._size, self._size).astype(np.float32)

    def swap(self, row, other, pictures):
        """The person of `row` before what lies behind the person of `other`, uint8 `(size, size, 3)`; the picture as it is where no polygon says who."""
        pixels = pictures[row]
        if not self.known[row] or not self.known[other] or row == other:
            return pixels
        alpha = cv2.GaussianBlur(self.mask(row), (self.SOFT, self.SOFT), 0)[..., None]
        return np.round(alpha * pixels + (1 - alpha) * self._background(pictures[other], 1 - self.mask(other))).astype(np.uint8)

    def _background(self, pixels, outside):
        """A photograph whose person is painted over with the colours around, by a blur that only sees the background."""
        seen = cv2.blur(outside, (self.REACH, self.REACH))[..., None]
        colours = cv2.blur(pixels * outside[..., None], (self.REACH, self.REACH))
        everywhere = (pixels * outside[..., None]).sum(axis=(0, 1)) / max(outside.sum(), 1)
        filled = np.where(seen > 0.01, colours / np.maximum(seen, 0.01), everywhere)
        return np.where(outside[..., None] > 0, pixels, filled)


# Memory map -----------------------------------------------------------------------------------------------------------


class Decoded:
    """Pictures by row number, decoded anew each time: where a memory map would not fit on the disk."""

    def __init__(self, prepared, ids):
        self.prepared, self.ids = prepared, ids

    def __getitem__(self, row):
        return self.prepared.pixels(self.ids[row])


def map_pictures(prepared, ids, folder, progress=True):
    """Decoded pictures as one file that is read through a memory map: uint8 `(n, size, size, 3)`; an existing one is used again.

    Args:
        prepared: PreparedImages.
        ids: rows, in the order wanted.
        folder: on a local disk.

    Raises:
        OSError: the disk is full.
    """
    names = hashlib.sha256("".join(prepared.item(row) for row in ids).encode()).hexdigest()[:32]
    size = prepared.preprocess.size
    path = Path(folder, f"{names}.pixels")
    shape = (len(ids), size, size, 3)
    if not path.is_file() or path.stat().st_size != np.prod(shape):
        with finished_file(path) as temporary, open(temporary, "wb") as file, ThreadPoolExecutor(READERS) as readers:
            with tqdm(total=len(ids), desc="pictures to local disk", unit="picture", leave=False, disable=not progress) as bar:
                for start in range(0, len(ids), AHEAD):  # all at once would wait in memory where the disk is slower than the decoder
                    for pixels in readers.map(prepared.pixels, ids[start : start + AHEAD]):
                        file.write(pixels.tobytes())
                        bar.update()
    return np.memmap(path, np.uint8, "r", shape=shape)
