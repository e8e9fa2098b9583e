"""Prepared pictures -> batches, as a `keras.utils.PyDataset` of NumPy arrays: the same for every Keras backend.

`Batches` is a plain pass, `Epoch` one of fine-tuning: drawn, augmented and mixed, all of it a function of (seed, epoch)
alone, so an interrupted training goes on exactly.
"""

import os
import zlib

import keras
import numpy as np

from kfashion_utils.images.augment import AUGMENTATIONS, augmented, cutmix, mixup
from kfashion_utils.output import say
from kfashion_utils.training.devices import OutOfMemory, memory_blamed, prediction_batch
from kfashion_utils.training.losses import mix_targets, normalised

READERS = min(8, max(2, os.cpu_count() or 2))  # threads: OpenCV and Pillow work outside the interpreter's lock


class Batches(keras.utils.PyDataset):
    """Batches of one plain pass over some rows, in order.

    Args:
        prepared: PreparedImages.
        ids: row ids.
        batch_size: pictures a batch; None = what the device is filled by. After the first batch the last one is filled
            up with copies of its last picture: a network is traced anew for every shape it is given. `predict` leaves
            the copies out.
        views: what a picture looks like, decoded once for all: `original`, `mirror`, or `light-1`, `light-2`, …:
            augmented, each in its own way for good.

    Yields:
        uint8 `(b, size, size, 3)`, the views of a picture one after the other.
    """

    def __init__(self, prepared, ids, *, batch_size=None, views=("original",)):
        super().__init__(workers=READERS, max_queue_size=8)
        self.prepared, self.ids, self.views = prepared, list(ids), views
        self.batch_size = batch_size or prediction_batch()

    @property
    def rows(self):
        """Rows a batch."""
        return max(1, self.batch_size // len(self.views))

    def __len__(self):
        return -(-len(self.ids) // self.rows)

    def __getitem__(self, number):
        rows = self.ids[number * self.rows : (number + 1) * self.rows]
        pictures = [picture for row in rows for picture in self._views_of(row)]
        lacking = self.rows - len(rows) if number else 0
        return np.stack([*pictures, *pictures[-len(self.views) :] * lacking])

    def predict(self, model, callbacks=None):
        """What a model answers, float32 `(len(ids) * len(views), …)`; in smaller batches where the memory is short."""
        while True:
            try:
                with memory_blamed(self.batch_size):
                    answers = model.predict(self, verbose=0, callbacks=callbacks)
                return np.asarray(answers, np.float32)[: len(self.ids) * len(self.views)]
            except OutOfMemory:
                if self.batch_size == 1:
                    raise
                self.batch_size //= 2
                say(f"out of memory: {self.batch_size} pictures are answered at once from here on")

    def _views_of(self, row):
        pixels = self.prepared.pixels(row)
        return [self._view(pixels, row, name) for name in self.views]

    def _view(self, pixels, row, name):
        if name == "original":
            return pixels
        if name == "mirror":
            return pixels[:, ::-1]
        drawn = zlib.crc32(f"{self.prepared.item(row)} {name}".encode())
        return augmented(pixels, np.random.default_rng(drawn), self.prepared.preprocess.fill)


class ArrayBatches:
    """Batches of pictures that are there as an array: uint8 `(n, size, size, 3)`, at least one; `variant` is `original`
    or `mirror`."""

    def __init__(self, pixels, variant="original"):
        self.pixels = pixels[:, :, ::-1] if variant == "mirror" else pixels

    def predict(self, model):
        """What a model answers, float32 `(n, …)`; the last batch is filled up, so that it is traced for one shape."""
        answers, size = [], prediction_batch()
        for start in range(0, len(self.pixels), size):
            batch = self.pixels[start : start + size]
            lacking = size - len(batch) if start else 0
            filled = np.concatenate([batch, np.repeat(batch[-1:], lacking, axis=0)])
            answers.append(np.asarray(model.predict_on_batch(filled), np.float32)[: len(batch)])
        return np.concatenate(answers)


class Epoch(keras.utils.PyDataset):
    """Batches of one epoch of fine-tuning.

    Args:
        pictures: uint8 `(n, size, size, 3)`, an array or a memory map, or anything that gives one picture for a row
            number.
        targets: float32 `(n, num_classes + heads)` of `task_targets`.
        task: the Task.
        config: TrainConfig; `batch_size`, `seed`, `augment`, `mix` and `swap` are read.
        epoch: its number.
        chances: float `(n,)`, how often a row is drawn, sum 1; None = each once.
        people: masks for the background swap, see `People`; None = no swap.
        fill: grey value of what is moved in from outside.
        multiple: the last batch is filled up with rows of weight 0 until this divides it: the number of devices, or the
            size of a batch where each shape is compiled anew.

    Attributes:
        order: int, the row numbers in the order in which they come.
        padding: how many rows of weight 0 the last batch ends with.

    Yields:
        `(pixels uint8 (b, size, size, 3), normalised targets float32)`.
    """

    def __init__(self, pictures, targets, task, config, epoch, *, chances=None, people=None, fill=255, multiple=1):
        super().__init__(workers=READERS, max_queue_size=8)
        self.pictures, self.targets, self.task, self.config, self.epoch = pictures, targets, task, config, epoch
        self.people, self.fill, self.multiple = people, fill, multiple
        self.shape = np.shape(pictures[0])
        rng, rows = np.random.default_rng((config.seed, epoch)), len(targets)
        self.order = rng.permutation(rows) if chances is None else rng.choice(rows, rows, p=chances)
        self.padding = -(rows % config.batch_size) % multiple

    def __len__(self):
        return -(-len(self.order) // self.config.batch_size)

    def __getitem__(self, number):
        rows = self.order[number * self.config.batch_size : (number + 1) * self.config.batch_size]
        rng = np.random.default_rng((self.config.seed, self.epoch, number))
        pixels, targets = self._drawn(rows, rng), self.targets[rows]
        if self.config.mix != "none" and len(rows) > 1:
            pixels, targets = self._mixed(pixels, targets, rng)
        if number == len(self) - 1 and self.padding:
            pixels, targets = self._filled(pixels, targets, rng)
        return pixels, normalised(targets, len(self.task.heads))

    def _filled(self, pixels, targets, rng):
        """A batch filled up with other rows that count nothing."""
        rows = np.resize(self.order, self.padding)
        unheard = self.targets[rows]
        unheard[:, -len(self.task.heads) :] = 0
        return np.concatenate([pixels, self._drawn(rows, rng)]), np.concatenate([targets, unheard])

    def _drawn(self, rows, rng):
        """The pictures of rows as they look in this epoch, uint8 `(len(rows), size, size, 3)`."""
        pixels = np.empty((len(rows), *self.shape), np.uint8)
        for row, place in zip(rows, pixels, strict=True):
            self._draw(row, rng, place)
        return pixels

    def _draw(self, row, rng, place):
        """Write a row's picture, as it looks in this epoch, into its place in the batch."""
        pixels = self.pictures[row]
        if self.people is not None and rng.random() < self.config.swap:
            pixels = self.people.swap(row, rng.integers(len(self.targets)), self.pictures)
        if self.config.augment in AUGMENTATIONS:
            augmented(pixels, rng, self.fill, self.config.augment, place)
        else:
            place[...] = pixels

    def _mixed(self, pixels, targets, rng):
        """Pictures and targets of a batch, each mixed with those before it."""
        first = rng.random() < 0.5
        mixer = {"mixup": mixup, "cutmix": cutmix, "both": mixup if first else cutmix}[self.config.mix]
        pixels, shares = mixer(pixels, rng)
        return pixels, mix_targets(self.task, targets, np.roll(targets, 1, axis=0), shares)
