"""Prepared pictures -> batches, as a `keras.utils.PyDataset` of NumPy arrays: the same for every Keras backend.

`Batches` is a plain pass, `Epoch` one of fine-tuning: drawn, augmented and mixed, all of it a function of (seed, epoch) alone, so an
interrupted training goes on exactly.
"""

import hashlib
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np
from tqdm.auto import tqdm

from kfashion_utils.images.augment import AUGMENTATIONS, augmented, cutmix, mixup
from kfashion_utils.storage.files import finished_file
from kfashion_utils.training.losses import mix_targets, normalised

PREDICTION_BATCH = 32  # pictures
AHEAD = 256  # pictures decoded before they are written
READERS = 2  # threads: OpenCV and Pillow work outside the interpreter's lock


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
            mixer = {"mixup": mixup, "cutmix": cutmix, "both": mixup if rng.random() < 0.5 else cutmix}[self.config.mix]
            pixels, shares = mixer(pixels, rng)
            targets = mix_targets(self.task, targets, np.roll(targets, 1, axis=0), shares)
        if number == len(self) - 1 and self.padding:
            pixels, targets = (
                np.concatenate([values, np.repeat(values[:1], self.padding, axis=0)]) for values in (pixels, targets)
            )
            targets[len(rows) :, -len(self.task.heads) :] = 0
        return pixels, normalised(targets, len(self.task.heads))

    def _picture(self, row, rng):
        pixels = self.pictures[row]
        if self.people is not None and rng.random() < self.config.swap:
            pixels = self.people.swap(row, rng.integers(len(self.targets)), self.pictures)
        if self.config.augment in AUGMENTATIONS:
            return augmented(pixels, rng, self.fill, self.config.augment)
        return pixels


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
            with tqdm(
                total=len(ids), desc="pictures to local disk", unit="picture", leave=False, disable=not progress
            ) as bar:
                for start in range(
                    0, len(ids), AHEAD
                ):  # all at once would wait in memory where the disk is slower than the decoder
                    for pixels in readers.map(prepared.pixels, ids[start : start + AHEAD]):
                        file.write(pixels.tobytes())
                        bar.update()
    return np.memmap(path, np.uint8, "r", shape=shape)
