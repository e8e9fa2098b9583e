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
    """Features of prepared pictures; those in the cache are not computed again.

    Calling it again after a kill continues.

    Args:
        model: of `build_model`; what lies before its `features` layer is frozen.
        prepared: PreparedImages that hold `ids`.
        ids: rows, in the order wanted; repeated ones are computed once.
        cache: folder of caches.
        variant: one of `augment.variant_names`.

    Returns:
        Chunks, float32 `(len(ids), depth)`.
    """
    extractor = model_features(model)
    depth = extractor.output_shape[1]
    backbone = weights_digest(model.get_layer("backbone"))[:12]
    folder = Path(cache, "features", f"{model.name}-{backbone}-{prepared.preprocess.key}", variant)
    items = np.array([prepared.item(row) for row in ids], ITEM_NAME)
    value = np.dtype((np.float32, (depth,)))
    stored = Chunks(folder, SUFFIX, items, value)
    if stored.known.all():
        return stored
    _, first = np.unique(items, return_index=True)
    todo = np.sort(first[~stored.known[first]])  # in the order of the shards
    size = max(1, min(CHUNK, CHUNK_BYTES // (4 * depth)))
    with tqdm(total=len(todo), desc=f"features, {variant}", unit="picture", disable=not progress) as bar:
        for start in range(0, len(todo), size):
            rows = todo[start : start + size]
            batches = Batches(prepared, [ids[row] for row in rows], variant=variant)
            values = batches.predict(extractor, [_advance(bar)])
            write_chunk(folder, SUFFIX, items[rows], values)
    return Chunks(folder, SUFFIX, items, value)


def _advance(bar):
    """A callback that moves a bar on by each batch; the last batch is filled up and counts for what is left."""
    return keras.callbacks.LambdaCallback(
        on_predict_batch_end=lambda batch, logs: bar.update(min(len(logs["outputs"]), bar.total - bar.n))
    )
