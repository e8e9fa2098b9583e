"""Pictures of which one shows a part of the other: crops, masked versions and their mirror images, which a hash of the
whole does not find.

Features of a frozen backbone propose which pictures to compare; for those that are partly painted over, so does the
correlation of what is left of them. What decides is whether the one is found again in the other, at some scale:
pictures that are merely alike, such as two shots of one look, are not joined.
"""

import functools
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from kfashion_utils.audit.candidates import neighbours, painted_neighbours, whitened
from kfashion_utils.audit.hashes import resized
from kfashion_utils.audit.overlay import COARSE_SIDE, FINE_SIDE, SAME_PART, SIDE, is_same, part_score
from kfashion_utils.images.geometry import Placement
from kfashion_utils.images.prepare import preprocess_images
from kfashion_utils.images.recipe import Preprocess
from kfashion_utils.tables.labels import Head, Task

TINY = 32  # side of the versions in which paint is looked for, pixels
REMEMBERED = 20_000  # pictures whose small versions are kept in memory, about 100 MB


def find_parts(rows, sizes, root, cache, backbone, weights, *, known=(), workers=None, progress=True):
    """Pairs of pictures of which one shows a part of the other.

    Args:
        rows: catalog with one row a picture; boxes and polygons are not looked at.
        sizes: int `(pictures, 2)`, width and height of each.
        root: folder that its paths are relative to.
        cache: folder of caches for prepared pictures and features.
        backbone, weights: as in `TrainConfig`.
        known: pairs (numbers of rows) that need no comparison.
        workers: processes that prepare pictures; None = one a core.

    Returns:
        DataFrame `first, second` (numbers of rows), `how` (`part`), `distance` (1 - correlation).

    Raises:
        InputError: unknown backbone, no such weights.
    """
    prepared = preprocess_images(rows, root, cache, Preprocess(), workers=workers, progress=progress)
    features = picture_features(prepared, rows["id"], Path(cache), backbone, weights, progress)
    pictures = _Pictures(prepared, rows["id"].to_numpy(), sizes)
    known = {tuple(sorted(pair)) for pair in known}
    candidates = [pair for pair in _candidates(features, pictures) if pair not in known]
    found = []
    for first, second in tqdm(candidates, desc="compare", unit="pair", disable=not (progress and candidates)):
        score, fit = part_score(pictures.greys(first), pictures.greys(second))
        if score >= SAME_PART and is_same(pictures.colours(first), pictures.colours(second), *fit):
            found.append((first, second, "part", round(1 - score, 4)))
    return pd.DataFrame(found, columns=["first", "second", "how", "distance"])


def picture_features(prepared, ids, cache, backbone, weights, progress=True):
    """float32 `(pictures, depth)` of a frozen backbone, through the cache that training uses."""
    from kfashion_utils.models.model import build_model
    from kfashion_utils.models.weight_files import weights_file
    from kfashion_utils.training.features import compute_features

    task = Task("audit", (Head("same", ("no", "yes")),))
    model = build_model(task, backbone, prepared.preprocess.size, weights_file(backbone, weights))
    return np.asarray(compute_features(model, prepared, list(ids), cache, progress=progress))


def _candidates(features, pictures):
    """Pairs (numbers of rows, the smaller first) that are worth a comparison, sorted, each once."""
    tiny = np.stack([pictures.tiny(number) for number in range(len(pictures.ids))])
    proposed = [neighbours(whitened(features))]
    proposed += [painted_neighbours(tiny, flip) for flip in (False, True)]
    return [tuple(pair) for pair in np.unique(np.concatenate(proposed), axis=0).tolist()]


class _Pictures:
    """The small versions of prepared pictures that are compared, by number of the row.

    Args:
        prepared: PreparedImages.
        ids: array, one a row.
        sizes: int `(pictures, 2)`, width and height before preparation.
    """

    def __init__(self, prepared, ids, sizes):
        self.prepared, self.ids, self.sizes = prepared, ids, sizes
        self.greys = functools.lru_cache(maxsize=REMEMBERED)(self._greys)

    def tiny(self, number):
        """uint8 grey `(TINY, TINY)`."""
        return _content(self._pixels(number), self.sizes[number], TINY, square=True)

    def colours(self, number):
        """uint8 RGB `(h, w, 3)` at FINE_SIDE."""
        return _content(self._pixels(number), self.sizes[number], FINE_SIDE, colour=True)

    def _greys(self, number):
        """uint8 grey `(h, w)` at COARSE_SIDE and at SIDE."""
        pixels = self._pixels(number)
        return [_content(pixels, self.sizes[number], side) for side in (COARSE_SIDE, SIDE)]

    def _pixels(self, number):
        return self.prepared.pixels(self.ids[number])


def _content(pixels, size, side, square=False, colour=False):
    """A prepared picture, uint8 RGB, as grey (or in `colour`) without its padding, `side` at its longest (or a square
    of it); `size` = width and height before."""
    seen = pixels if colour else cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    placement = Placement.fitted((0, 0, *size), len(seen), "pad")
    extents = placement.inner
    shape = (side, side) if square else [max(8, round(side * extent / max(extents))) for extent in extents]
    return resized(seen[placement.middle], *shape)
