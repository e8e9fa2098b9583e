"""`Preprocess`: from a photograph and its catalog row to the pixels a model sees, in exactly one way.

The same value fills the cache, predicts and serves: `encode` makes the JPEG bytes that the cache stores, `apply` decodes those
bytes again, so the three are byte-equal. `preprocess_images` fills a cache; calling it again continues it.
"""

import contextlib
import hashlib
import json
import math
import os
import threading
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from kfashion_utils import images
from kfashion_utils.catalog import region_problems
from kfashion_utils.errors import InputError, refuse
from kfashion_utils.images import ImageRejected
from kfashion_utils.storage import (
    ShardWriter,
    finished_file,
    only_one,
    read_member,
    read_shards,
    require_space,
    write_json,
)

SHARD_ITEMS, SHARD_BYTES = 2000, 2**30
BYTES_PER_PIXEL = 0.37  # of a prepared JPEG at quality 95: 18.5 kB at 224 px, measured on photographs
BOX = ("left", "top", "right", "bottom")


@dataclass(frozen=True)
class Preprocess:
    """A recipe for pixels; equal values give equal pixels.

    Args:
        size: side of the square picture, pixels.
        crop: `none` = the whole picture, `box` = the row's box.
        margin: added to each side of the box, as a share of its width or height.
        mask: `none`, or `polygon` = everything outside the row's polygon is painted.
        fit: `pad` keeps the shape and fills the rest of the square, `stretch` does not keep it.
        fill: grey value, 0..255, of what is painted or padded.
        quality: of the stored JPEG, 1..100.

    A row without a polygon is masked by its box, one without a box is used whole; `lacking` counts both.

    Raises:
        InputError: a value outside these ranges.
    """

    size: int = 224
    crop: str = "none"
    margin: float = 0.0
    mask: str = "none"
    fit: str = "pad"
    fill: int = 255
    quality: int = 95

    def __post_init__(self):
        choices = {"crop": ("none", "box"), "mask": ("none", "polygon"), "fit": ("pad", "stretch")}
        ranges = {"size": (8, 4096), "margin": (0, 10), "fill": (0, 255), "quality": (1, 100)}
        problems = [f"{name}={getattr(self, name)!r}: expected one of {valid}" for name, valid in choices.items() if getattr(self, name) not in valid]
        problems += [
            f"{name}={getattr(self, name)!r}: expected {low}..{high}" for name, (low, high) in ranges.items() if not low <= getattr(self, name) <= high
        ]
        refuse("the recipe for pixels is not usable", problems)

    @property
    def key(self):
        """Readable, then exact: names the cache. Only what differs from the defaults is hashed, so new fields keep old caches."""
        changed = {field.name: getattr(self, field.name) for field in fields(self) if getattr(self, field.name) != field.default}
        digest = hashlib.sha256(json.dumps(changed, sort_keys=True).encode()).hexdigest()[:8]
        return f"{self.size}-crop_{self.crop}-mask_{self.mask}-{digest}"

    def to_dict(self):
        return asdict(self)

    def encode(self, source, row, root="."):
        """One picture -> the JPEG bytes that the cache stores.

        Args:
            source: a path relative to `root`, `container::member`, or the encoded bytes of a picture.
            row: mapping with the catalog's box and polygon columns; missing or empty = none.

        Raises:
            ImageRejected: the picture cannot be used, or its region lies outside it.
        """
        box, rings = _box(row), _rings(row)

        def shrink(width, height):
            left, top, right, bottom = self._region(box, rings, width, height)
            side = max if self.fit == "pad" else min
            return images.scale_to(side(right - left, bottom - top), self.size)

        pixels, (width, height) = images.decode(source, root, shrink)
        region = self._region(box, rings, width, height)
        left, top, right, bottom = region
        new_width, new_height = images.fitted_size(right - left, bottom - top, self.size, self.fit)
        divisor = round(max(width, height) / max(pixels.shape[:2]))  # 1, 2, 4 or 8; the last column and row may stand for less
        pixels = images.crop_and_resize(pixels, np.array(region) / divisor, new_width, new_height)
        keep = self._kept_rings(box, rings)
        if keep:
            zoom = np.array([new_width / (right - left), new_height / (bottom - top)])
            keep = [(np.asarray(ring, float) - (left, top)) * zoom for ring in keep]
            images.paint_outside(pixels, keep, self.fill)
        return images.encode_jpeg(images.pad(pixels, self.size, self.fill), self.quality)

    def apply(self, source, row, root="."):
        """The pixels of `encode`: uint8 RGB `(size, size, 3)`."""
        return images.open_image(self.encode(source, row, root))

    def _region(self, box, rings, width, height):
        if self.crop == "none" or not (box or rings):
            return 0, 0, width, height
        left, top, right, bottom = box or _bounds(rings)
        across, down = self.margin * (right - left), self.margin * (bottom - top)
        region = max(left - across, 0), max(top - down, 0), min(right + across, width), min(bottom + down, height)
        if region[2] - region[0] < 1 or region[3] - region[1] < 1:
            raise ImageRejected("region outside", f"box {(left, top, right, bottom)} of a picture of {width} x {height}")
        return region

    def _kept_rings(self, box, rings):
        if self.mask == "none" or not (rings or box):
            return None
        if rings:
            return rings
        left, top, right, bottom = box
        return [[(left, top), (right, top), (right, bottom), (left, bottom)]]

    def lacking(self, catalog):
        """Boolean array, one a row: True where the recipe asks for a box or polygon that the row does not have."""
        no_polygon = (catalog["polygon"] == "").to_numpy()
        no_box = catalog["left"].isna().to_numpy() & no_polygon
        lacking = np.zeros(len(catalog), bool)
        if self.crop == "box":
            lacking |= no_box
        if self.mask == "polygon":
            lacking |= no_polygon
        return lacking

    def item(self, row, version):
        """Name of a prepared picture: a hash of the recipe, the source and its version, and the row values that were read."""
        reads_region = self.crop != "none" or self.mask != "none"
        values = [row[name] for name in (*BOX, "polygon")] if reads_region else []
        text = json.dumps([self.key, row["path"], version, [None if value != value else value for value in values]], ensure_ascii=False)
        return hashlib.sha256(text.encode("utf-8")).hexdigest()[:32] + ".jpg"


def _box(row):
    values = [_number(row.get(name)) for name in BOX]
    return None if any(value is None for value in values) else values


def _number(value):
    if value is None or value == "" or value != value:
        return None
    return float(value)


def _rings(row):
    text = row.get("polygon")
    return json.loads(text) if isinstance(text, str) and text else None


def _bounds(rings):
    points = np.concatenate([np.asarray(ring, float) for ring in rings])
    return [*points.min(axis=0).tolist(), *points.max(axis=0).tolist()]


# The cache ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PreparedImages:
    """The prepared pictures of a catalog.

    Attributes:
        preprocess: the recipe.
        folder: where the shards lie.
        items: {row id: item name}.
        members: {item name: where its bytes lie}.
        failures: DataFrame `id, path, reason, detail` of the rows that could not be prepared.
    """

    preprocess: Preprocess
    folder: Path
    items: dict
    members: dict
    failures: pd.DataFrame

    def __len__(self):
        return len(self.items)

    def __contains__(self, row_id):
        return row_id in self.items

    def read(self, row_id):
        """JPEG bytes of a row."""
        return read_member(self.members[self.items[row_id]])

    def pixels(self, row_id):
        """uint8 RGB `(size, size, 3)` of a row."""
        return images.open_image(self.read(row_id))


def preprocess_images(catalog, root, cache, preprocess=None, *, workers=None, progress=True):
    """Prepare every row of a catalog; what the cache already holds is not done again.

    Args:
        catalog: DataFrame of the column contract.
        root: folder that `path` is relative to.
        cache: folder of caches; this recipe's is `<cache>/<preprocess.key>`.
        preprocess: the recipe; None = the defaults.
        workers: processes; None = one a core.
        progress: show a bar with the time left, and what was found before.

    Returns:
        PreparedImages; rows it could not prepare are counted in its `failures`, and in `failures.csv` beside the shards.

    Raises:
        InputError: not one picture is there, no room on the disk, or another process is filling the same cache.
        OSError: the storage failed; calling again continues.
    """
    preprocess = preprocess or Preprocess()
    refuse("the catalog is not usable", region_problems(catalog))
    rows, missing = _name_items(catalog.sort_values("id"), root, preprocess)
    if not rows:
        raise InputError(f"none of the catalog's {len(catalog):,} pictures is below {root}; the first would be {Path(root, catalog['path'].iat[0])}")
    folder = Path(cache, preprocess.key)
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {row["item"]: row for row in rows}
    with only_one(folder, "is being filled"):
        members, rejected = read_shards(folder, wanted)
        todo = [name for name in wanted if name not in members and name not in rejected]
        if todo:
            if progress:
                size = len(todo) * BYTES_PER_PIXEL * preprocess.size**2
                print(f"{preprocess.key}: {len(todo):,} pictures to prepare (about {size / 1e6:,.0f} MB), {len(wanted) - len(todo):,} in the cache")
            require_space(folder, len(todo) * BYTES_PER_PIXEL * preprocess.size**2, f"preparing {len(todo):,} pictures")
            write_json(folder / "recipe.json", preprocess.to_dict())
            _fill(folder, wanted, todo, root, preprocess, workers or os.cpu_count(), progress)
            members, rejected = read_shards(folder, wanted)
        _sweep(folder)
        failures = _failures(rows, missing, members, rejected)
        _write_failures(folder / "failures.csv", failures)
    if progress and len(failures):
        counts = failures["reason"].value_counts()
        print(f"{len(failures):,} rows could not be prepared ({', '.join(f'{reason} {count:,}' for reason, count in counts.items())}): {folder / 'failures.csv'}")
    items = {row["id"]: row["item"] for row in rows if row["item"] in members}
    return PreparedImages(preprocess, folder, items, members, failures)


def _name_items(catalog, root, preprocess):
    rows, missing = [], []
    for row in catalog[["id", "path", *BOX, "polygon"]].to_dict("records"):
        try:
            row["item"] = preprocess.item(row, images.source_version(row["path"], root))
            rows.append(row)
        except ImageRejected as error:
            missing.append([row["id"], row["path"], error.reason, error.detail or images.REASONS[error.reason]])
    return rows, missing


def _fill(folder, wanted, todo, root, preprocess, workers, progress):
    per_shard = max(1, min(SHARD_ITEMS, int(SHARD_BYTES / (BYTES_PER_PIXEL * preprocess.size**2))))
    blocks = _plan(folder, todo, workers, per_shard)
    jobs = [(name, [wanted[item] for item in items]) for name, items in blocks.items()]
    with _progress_bar(folder, {name: len(items) for name, items in blocks.items()}, progress):
        joblib.Parallel(n_jobs=min(workers, len(jobs)))(joblib.delayed(fill_block)(folder, name, rows, root, preprocess) for name, rows in jobs)


def _plan(folder, todo, workers, per_shard):
    """{block name: item names} of what is to be done: the interrupted plan if it still fits, else a new one."""
    path = folder / "plan.json"
    plan = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    left = set(todo)
    unfinished = {name: items for name, items in plan.items() if left.intersection(items)}
    if set().union(*unfinished.values()) == left:
        return unfinished
    _sweep(folder)
    done, rejected = read_shards(folder, left)
    todo = [name for name in todo if name not in done and name not in rejected]
    count = max(1, math.ceil(len(todo) / per_shard))
    count = min(math.ceil(count / workers) * workers, max(len(todo), 1))  # every worker has the same share
    size = math.ceil(len(todo) / count) or 1
    stamp = hashlib.sha256("".join(todo).encode()).hexdigest()[:8]
    plan = {f"block-{stamp}-{start // size:05d}": todo[start : start + size] for start in range(0, len(todo), size)}
    write_json(path, plan)
    return plan


def _sweep(folder):
    """Leave finished files only: seal what an interrupted call had prepared, drop its plan, journals and temporary files."""
    for part in folder.glob("block-*.part"):
        with ShardWriter(folder, part.stem) as shard:
            if shard.members or shard.rejected:
                shard.seal()
                continue
        part.unlink()
    for leftover in [*folder.glob("block-*.journal"), *folder.glob(".*.part"), folder / "plan.json"]:
        leftover.unlink(missing_ok=True)


def fill_block(folder, name, rows, root, preprocess):
    """One worker's task: prepare `rows` in order into one shard and seal it; continues where a killed one stopped."""
    with ShardWriter(folder, name) as shard:
        for row in rows:
            if row["item"] in shard:
                continue
            try:
                shard.add(row["item"], preprocess.encode(row["path"], row, root))
            except ImageRejected as error:
                if error.reason == "missing":  # it was there a moment ago: a mount that went away says nothing about the picture
                    continue
                shard.reject(row["item"], [row["id"], row["path"], error.reason, error.detail])
        shard.seal()


@contextlib.contextmanager
def _progress_bar(folder, sizes, show):
    """A bar fed from the journals on disk, so that it works with any kind of worker."""
    finished = threading.Event()
    started, total = set(), sum(sizes.values())

    def count():
        done = 0
        for name, size in sizes.items():
            journal = folder / f"{name}.journal"
            try:
                done += journal.read_bytes().count(b"\n")
                started.add(name)
            except FileNotFoundError:
                done += size if name in started else 0
        return done

    with tqdm(total=total, desc="prepare", unit="picture", disable=not show) as bar:

        def watch():
            while not finished.wait(0.5):
                bar.update(count() - bar.n)

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
            bar.update(total - bar.n)
        finally:
            finished.set()
            watcher.join()


def _failures(rows, missing, members, rejected):
    gone = ["", "", "missing", images.REASONS["missing"]]
    records = [[row["id"], row["path"], *rejected.get(row["item"], gone)[2:]] for row in rows if row["item"] not in members]
    return pd.DataFrame(missing + records, columns=["id", "path", "reason", "detail"], dtype=object).sort_values("id", ignore_index=True)


def _write_failures(path, failures):
    with finished_file(path) as temporary:
        failures.to_csv(temporary, index=False, lineterminator="\n")
