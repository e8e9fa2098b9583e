"""Features of a frozen backbone, computed once a picture and kept on disk: folds, classifiers and audit share them.

A cache folder belongs to one extractor (backbone, weights, taps, sizes), one preprocess and one variant of the pixels.
"""

from pathlib import Path

import keras
import numpy as np
from tqdm.auto import tqdm

from kfashion_utils.images.recipe import ITEM_NAME
from kfashion_utils.models.model import model_features
from kfashion_utils.models.weight_files import weights_digest
from kfashion_utils.storage.chunks import Chunks, write_chunk
from kfashion_utils.training.batches import Batches

SUFFIX = ".features"
CHUNK = 2048  # pictures a file: what a kill can cost
CHUNK_BYTES = 2**26  # of a file, at most


def compute_features(model, prepared, ids, cache, variant="original", progress=True):
    """`compute_views` of one variant of each picture: Chunks, float32 `(len(ids), depth)`."""
    return compute_views(model, prepared, ids, cache, (variant,), progress)[0]


def compute_views(model, prepared, ids, cache, variants, progress=True):
    """Features of prepared pictures; those in the cache are not computed again, and a picture is decoded once for all
    of its variants.

    Calling it again after a kill continues.

    Args:
        model: of `build_model`; what lies before its `features` layer is frozen.
        prepared: PreparedImages that hold `ids`.
        ids: rows, in the order wanted; repeated ones are computed once.
        cache: folder of caches.
        variants: some of `augment.variant_names`.

    Returns:
        list of Chunks, one a variant, float32 `(len(ids), depth)`.
    """
    extractor = model_features(model)
    backbone = weights_digest(model.get_layer("backbone"))[:12]
    place = Path(cache, "features", f"{model.name}-{backbone}-{prepared.preprocess.key}")
    items = np.array([prepared.item(row) for row in ids], ITEM_NAME)
    value = np.dtype((np.float32, (extractor.output_shape[1],)))

    def stored(variant):
        return Chunks(place / variant, SUFFIX, items, value)

    together = {}  # the rows that lack: the variants that lack them
    for variant in variants:
        lacking = _first_rows(items, stored(variant).known)
        if len(lacking):
            together.setdefault(lacking.tobytes(), (lacking, []))[1].append(variant)
    for lacking, names in together.values():
        _compute(extractor, prepared, np.array(ids, dtype=object), lacking, names, place, items, progress)
    return [stored(variant) for variant in variants]


def _first_rows(items, known):
    """Where each unknown item stands first, in the order of the shards."""
    _, first = np.unique(items, return_index=True)
    return np.sort(first[~known[first]])


def _compute(extractor, prepared, ids, todo, variants, place, items, progress):
    """Keep the features of some variants of the rows `todo`."""
    depth = extractor.output_shape[1]
    size = max(1, min(CHUNK, CHUNK_BYTES // (4 * depth)) // len(variants))
    title = f"features, {', '.join(variants)}"
    with tqdm(total=len(todo) * len(variants), desc=title, unit="picture", disable=not progress) as bar:
        for start in range(0, len(todo), size):
            rows = todo[start : start + size]
            values = Batches(prepared, ids[rows], views=variants).predict(extractor, [_advance(bar)])
            for number, variant in enumerate(variants):
                write_chunk(place / variant, SUFFIX, items[rows], values[number :: len(variants)])


def _advance(bar):
    """A callback that moves a bar on by each batch; the last batch is filled up and counts for what is left."""
    return keras.callbacks.LambdaCallback(
        on_predict_batch_end=lambda batch, logs: bar.update(min(len(logs["outputs"]), bar.total - bar.n))
    )
