"""Features of a frozen backbone, computed once a picture and kept on disk: folds, heads, search and audit share them.

A cache folder belongs to one extractor (backbone, weights, taps, sizes), one recipe for pixels and one view of the pixels. It holds
chunks of some thousand pictures, each a file that is written once; rows are read through memory maps, so a million of them need not fit.
"""

import hashlib
import io
from pathlib import Path

import keras
import numpy as np
from tqdm.auto import tqdm

from kfashion_utils.images.recipe import ITEM_NAME
from kfashion_utils.models.backbones import weights_digest
from kfashion_utils.models.model import model_features
from kfashion_utils.storage.files import write_bytes
from kfashion_utils.training.batches import Batches

CHUNK = 2048  # pictures a file: what a kill can cost
CHUNK_BYTES = 2**26  # of a file, at most


class Features:
    """Rows of float32 features on disk, in the order they were asked for.

    Attributes:
        shape: (rows, depth).
    """

    def __init__(self, chunks, places):
        self._chunks, self._places = chunks, places
        self.shape = len(places), chunks[0].shape[1]

    def __len__(self):
        return self.shape[0]

    def take(self, rows):
        """float32 `(len(rows), depth)` of some row numbers."""
        chosen = self._places[rows]
        values = np.empty((len(chosen), self.shape[1]), np.float32)
        for chunk in np.unique(chosen["chunk"]):
            here = np.flatnonzero(chosen["chunk"] == chunk)
            values[here] = self._chunks[chunk][chosen["row"][here]]
        return values

    def __array__(self, dtype=None, copy=None):
        return self.take(np.arange(len(self))).astype(dtype or np.float32, copy=False)


def compute_features(model, prepared, ids, cache, view="original", progress=True):
    """Features of prepared pictures; those in the cache are not computed again, and calling it again after a kill continues.

    Args:
        model: of `build_model`; what lies before its `features` layer is frozen.
        prepared: PreparedImages that hold `ids`.
        ids: rows, in the order wanted; repeated ones are computed once.
        cache: folder of caches.
        view: one of `inputs.view_names`.

    Returns:
        Features, `(len(ids), depth)`.
    """
    extractor = model_features(model)
    name = f"{model.name}-{weights_digest(model.get_layer('backbone'))[:12]}-{prepared.preprocess.key}"
    folder = Path(cache, "features", name, view)
    items = np.array([prepared.item(row) for row in ids], ITEM_NAME)
    wanted, first = np.unique(items, return_index=True)
    found = _Found(folder, wanted, extractor.output_shape[1])
    todo = np.sort(first[~found.known])  # in the order of the shards
    size = max(1, min(CHUNK, CHUNK_BYTES // (4 * extractor.output_shape[1])))
    with tqdm(total=len(todo), desc=f"features, {view}", unit="picture", disable=not (progress and len(todo))) as bar:
        step = keras.callbacks.LambdaCallback(
            on_predict_batch_end=lambda batch, logs: bar.update(min(len(logs["outputs"]), len(todo) - bar.n))
        )
        for start in range(0, len(todo), size):
            rows = todo[start : start + size]
            values = Batches(prepared, [ids[row] for row in rows], view=view).predict(extractor, [step])
            _write_chunk(folder, items[rows], values)
    found = _Found(folder, wanted, extractor.output_shape[1]) if len(todo) else found
    return Features(found.chunks, found.places[np.searchsorted(wanted, items)])


class _Found:
    """The wanted items that a folder holds: `known` boolean, `places` (chunk, row), both in the order of `wanted`."""

    def __init__(self, folder, wanted, depth):
        self.chunks, self.known = [], np.zeros(len(wanted), bool)
        self.places = np.zeros(len(wanted), [("chunk", "i4"), ("row", "i4")])
        for path in sorted(folder.glob("*.features")):
            chunk = _read_chunk(path, depth)
            if chunk is None:
                path.unlink()  # damaged on the way here: computed again
                continue
            items, values = chunk
            _, at, row = np.intersect1d(wanted, items, assume_unique=True, return_indices=True)
            self.known[at] = True
            self.places["chunk"][at], self.places["row"][at] = len(self.chunks), row
            self.chunks.append(values)


def _write_chunk(folder, items, values):
    """A chunk: the array of item names and the array of features, one after the other in NumPy's own format."""
    buffer = io.BytesIO()
    np.save(buffer, items)
    np.save(buffer, values)
    data = buffer.getvalue()
    write_bytes(folder / f"{hashlib.sha256(data).hexdigest()[:32]}.features", data)


def _read_chunk(path, depth):
    """(items, features as a memory map), or None if the file is damaged."""
    try:
        with open(path, "rb") as file:
            items = np.load(file, allow_pickle=False)
            np.lib.format.read_magic(file)
            shape, _, dtype = np.lib.format.read_array_header_1_0(file)
            if items.dtype != ITEM_NAME or dtype != np.float32 or shape != (len(items), depth):
                return None
            return items, np.memmap(path, np.float32, "r", file.tell(), shape)
    except (ValueError, EOFError):
        return None
