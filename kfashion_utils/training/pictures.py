"""The pictures of a training by row number: decoded once into a memory map on local disk, or anew each time."""

import contextlib
import hashlib
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from kfashion_utils.storage.colab import is_on_drive
from kfashion_utils.storage.files import finished_file
from kfashion_utils.training.batches import READERS

AHEAD = 256  # pictures decoded before they are written: all at once would wait in memory where the disk is slow
MAPPED = 0.5  # share of the free disk that decoded pictures may take


class Decoded:
    """Pictures by row number, decoded anew each time: where a memory map would not fit on the disk."""

    def __init__(self, prepared, ids):
        self.prepared, self.ids = prepared, ids

    def __getitem__(self, row):
        return self.prepared.pixels(self.ids[row])


@contextlib.contextmanager
def pictures_by_row(prepared, ids, cache, progress=True):
    """Within the block: something that gives uint8 `(size, size, 3)` for a row number. A memory map is gone after it.

    Args:
        prepared: PreparedImages.
        ids: rows, in the order wanted.
        cache: folder of caches; where it lies on Drive the map is made in a temporary folder of this machine.
    """
    needed = len(ids) * prepared.preprocess.size**2 * 3
    with contextlib.ExitStack() as stack:
        if is_on_drive(cache):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        else:
            folder = Path(cache, "mapped")
        folder.mkdir(parents=True, exist_ok=True)
        if needed > MAPPED * shutil.disk_usage(folder).free:
            yield Decoded(prepared, ids)
            return
        pictures = map_pictures(prepared, ids, folder, progress)
        yield pictures
        Path(pictures.filename).unlink(missing_ok=True)


def map_pictures(prepared, ids, folder, progress=True):
    """Decoded pictures as one file that is read through a memory map: uint8 `(n, size, size, 3)`; an existing one is
    used again.

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
        _write_pictures(prepared, ids, path, progress)
    return np.memmap(path, np.uint8, "r", shape=shape)


def _write_pictures(prepared, ids, path, progress):
    bar = tqdm(total=len(ids), desc="pictures to local disk", unit="picture", leave=False, disable=not progress)
    with finished_file(path) as temporary, open(temporary, "wb") as file, bar, ThreadPoolExecutor(READERS) as readers:
        for start in range(0, len(ids), AHEAD):
            for pixels in readers.map(prepared.pixels, ids[start : start + AHEAD]):
                file.write(pixels.tobytes())
                bar.update()
