"""`preprocess_images`: the pixels of a whole catalog, on every core, into shards; calling it again continues it."""

import contextlib
import threading
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from kfashion_utils.errors import InputError, refuse
from kfashion_utils.images import decoding
from kfashion_utils.images.blocks import BACKENDS, fill_missing, sweep
from kfashion_utils.images.catalog_rows import CatalogRows
from kfashion_utils.images.recipe import Preprocess
from kfashion_utils.output import say
from kfashion_utils.storage.colab import is_on_drive
from kfashion_utils.storage.drive import Drive
from kfashion_utils.storage.files import make_folder, only_one, write_json, write_table
from kfashion_utils.storage.shards import Shards
from kfashion_utils.tables.catalog import region_problems

FAILURES = "failures.csv"  # beside the shards: the rows that could not be prepared


@dataclass(frozen=True)
class PreparedImages:
    """The prepared pictures of a catalog.

    Attributes:
        preprocess: the recipe.
        folder: where the shards lie.
        ids: object array of the rows that are prepared, in id order.
        items: bytes array, the item name of each.
        shards: where their bytes lie.
        failures: DataFrame `id, path, reason, detail` of the rows that could not be prepared.
    """

    preprocess: Preprocess
    folder: Path
    ids: np.ndarray
    items: np.ndarray
    shards: Shards
    failures: pd.DataFrame

    @cached_property
    def _row(self):
        return pd.Index(self.ids)

    def __len__(self):
        return len(self.ids)

    def __contains__(self, row_id):
        return row_id in self._row

    def item(self, row_id):
        """Name of a row's prepared picture."""
        return self.items[self._row.get_loc(row_id)].decode()

    def read(self, row_id):
        """JPEG bytes of a row."""
        return self.shards.read(self.item(row_id))

    @property
    def summary_of_failures(self):
        """How many rows could not be prepared, and why, in words."""
        counts = ", ".join(f"{reason} {count:,}" for reason, count in self.failures["reason"].value_counts().items())
        return f"{len(self.failures):,} rows could not be prepared ({counts})"

    def pixels(self, row_id):
        """uint8 RGB `(size, size, 3)` of a row."""
        return decoding.open_image(self.read(row_id))


def preprocess_images(
    catalog, root, cache, preprocess=None, *, workers=None, backend="processes", drive=None, progress=True
):
    """Prepare every row of a catalog; what the cache already holds is not done again.

    Args:
        catalog: DataFrame of the column contract.
        root: folder that `path` is relative to.
        cache: local folder of caches; this recipe's is `<cache>/<preprocess.key>`.
        preprocess: the recipe; None = the defaults.
        workers: processes; None = one a core (with Ray: one a core of the cluster).
        backend: `processes` of this machine, or `ray` = the Ray cluster of this session (one is started where there is
            none); `root` and `cache` then lie on storage that all its machines see.
        drive: folder on Google Drive (or any other) that keeps a proven copy of the shards: what is there is fetched
            first, what is new is copied while the work goes on, flushed, read back and compared. None = no copy.
        progress: show a bar with the time left, and what was found before.

    Returns:
        PreparedImages; rows it could not prepare are counted in its `failures`, and in `failures.csv` beside the
        shards.

    Raises:
        InputError: not one picture is there, no room on the disk, or another process is filling the same cache.
        OSError: the storage failed; calling again continues.
    """
    prepared = prepare(catalog, root, cache, preprocess, workers, backend, drive, progress)
    if progress and len(prepared.failures):
        say(f"{prepared.summary_of_failures}: {prepared.folder / FAILURES}")
    return prepared


def prepare(catalog, root, cache, preprocess=None, workers=None, backend="processes", drive=None, progress=True):
    """`preprocess_images`, which leaves it to the caller to tell of pictures that could not be prepared."""
    preprocess = preprocess or Preprocess()
    _require_usable(catalog, cache, backend)
    rows, missing = CatalogRows.named(catalog, root, preprocess)
    folder = Path(cache, preprocess.key)
    make_folder(folder)
    with only_one(folder, "is being filled"):
        write_json(folder / "recipe.json", preprocess.to_dict())
        on_drive = drive and Drive(Path(drive, preprocess.key), folder, progress)
        if on_drive:
            _fetch(on_drive, progress)
        with _uploading(on_drive):
            shards, mended = fill_missing(folder, rows, root, preprocess, workers, backend, progress)
        sweep(folder)
        done = shards.has(rows.items)
        failures = _failures(rows, missing, ~done, shards.rejected)
        write_table(folder / FAILURES, failures)
        _say_mended(mended, progress)
        if on_drive:
            _prove(on_drive, progress)
    return PreparedImages(preprocess, folder, rows.ids[done], rows.items[done], shards, failures)


def _require_usable(catalog, cache, backend):
    if backend not in BACKENDS:
        raise InputError(f"backend {backend!r}: expected one of {BACKENDS}")
    if is_on_drive(cache):
        raise InputError(
            f"the cache {cache} lies on Drive, which loses what is written to it piecemeal; "
            "name a local folder, and this one as drive"
        )
    refuse("the catalog is not usable", region_problems(catalog))


def _failures(rows, missing, undone, rejected):
    """DataFrame `id, path, reason, detail`, by id: what was not there, and what is not done of the rest."""
    gone = ["", "", "missing", "it was there when the call began, then the storage did not give it; call again"]
    ids, paths = rows.ids[undone], rows.columns["path"][rows.places[undone]]
    records = list(missing)
    for row_id, path, item in zip(ids, paths, rows.items[undone], strict=True):
        reason, detail = rejected.get(item.decode(), gone)[2:]
        records.append([row_id, path, reason, detail])
    failures = pd.DataFrame(records, columns=["id", "path", "reason", "detail"], dtype=object)
    return failures.sort_values("id", ignore_index=True)


def _say_mended(counts, progress):
    """What was mended in the pictures that this call prepared."""
    for what, count in sorted(counts.items()):
        if progress:
            say(f"{count:,} x {what}")


# Drive ----------------------------------------------------------------------------------------------------------------


def _fetch(on_drive, progress):
    came, damaged = on_drive.pull()
    if progress and (came or damaged):
        aside = f"; {len(damaged):,} damaged ones set aside" if damaged else ""
        say(f"from {on_drive.folder}: {len(came):,} shards, each equal to its hash{aside}")


@contextlib.contextmanager
def _uploading(on_drive):
    """Copy shards to Drive as they are sealed, while the block works; what fails here is tried again, and reported, at
    the end."""
    if on_drive is None:
        yield
        return
    finished = threading.Event()

    def upload():
        while not finished.wait(5):
            try:
                on_drive.push()
            except (OSError, InputError):
                return

    uploader = threading.Thread(target=upload, daemon=True)
    uploader.start()
    try:
        yield
    finally:
        finished.set()
        uploader.join()


def _prove(on_drive, progress):
    try:
        on_drive.push()
        shards, size, seconds = on_drive.prove()
    except OSError as error:
        kept = f"The pictures are prepared and whole in {on_drive.local}, but not proven to be on Drive"
        raise OSError(error.errno, f"{error.strerror}. {kept}", error.filename) from error
    if progress:
        new = ", none of them new"
        if shards:
            new = f"; {shards:,} of them ({size / 1e6:,.0f} MB) flushed, read back and equal in {seconds:.0f} s"
        say(f"{on_drive.folder}: {len(on_drive.proven):,} shards on Drive{new}")
