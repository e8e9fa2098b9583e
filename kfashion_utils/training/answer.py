"""`answer`: what a run says of pixels. Arrays in, arrays out: no folder, file or lock."""

import functools

import numpy as np

from kfashion_utils.errors import InputError
from kfashion_utils.images.augment import variant_names
from kfashion_utils.models.model import load_trained
from kfashion_utils.training.batches import ArrayBatches, Batches


def answer(run, pixels):
    """Flat probabilities of pictures, float32 `(n, num_classes)`; the model stays loaded for the next call.

    Args:
        run: a finished Run.
        pixels: uint8 RGB `(n, size, size, 3)`, as `run.preprocess.apply` gives them, or `(size, size, 3)` for one; or a
            function (variant) -> batches, such as `look_at` gives for pictures in a cache.

    Returns:
        In the order of `run.task`; the mean over the picture and its mirror image where the run is judged so.

    Raises:
        InputError: pixels of another shape or type; the run's weights are missing or changed.
    """
    look = pixels if callable(pixels) else functools.partial(ArrayBatches, _checked(pixels, run))
    return mean_answers(load_trained(run), look, run.config.judged_variants)


def _checked(pixels, run):
    """Pixels as uint8 `(n, size, size, 3)`."""
    pixels, size = np.asarray(pixels), run.preprocess.size
    several = pixels[None] if pixels.ndim == 3 else pixels
    if pixels.dtype != np.uint8 or several.shape[1:] != (size, size, 3) or not len(several):
        raise InputError(
            f"pixels {pixels.dtype} {pixels.shape}: {run.path} answers uint8 (n, {size}, {size}, 3), RGB 0..255, "
            "as run.preprocess.apply prepares them"
        )
    return several


def look_at(prepared, ids):
    """A function (variant) -> batches of pictures that are prepared in a cache."""
    return lambda variant: Batches(prepared, ids, views=(variant,))


def mean_answers(model, look, count):
    """Flat probabilities float32 `(n, num_classes)`: the mean over the first `count` variants of each picture.

    Args:
        model: of `build_model`.
        look: function (variant) -> batches.
        count: see `augment.variant_names`.
    """
    return np.mean([look(name).predict(model) for name in variant_names(count)], axis=0)
