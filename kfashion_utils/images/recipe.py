"""`Preprocess`: from a photograph and its catalog row to the pixels a model sees, in exactly one way.

The same value fills the cache, predicts and serves: `encode` makes the JPEG bytes that the cache stores, `apply`
decodes those bytes again, so the three are byte-equal. `prepare.preprocess_images` fills a cache.
"""

import functools
import hashlib
import json
from dataclasses import asdict, dataclass, fields

import numpy as np

from kfashion_utils.errors import ImageRejected, refuse
from kfashion_utils.images import decoding
from kfashion_utils.images.annotation import Annotation, Frame, stated_size
from kfashion_utils.images.geometry import Placement
from kfashion_utils.recipes import settle_types

BOX = ("left", "top", "right", "bottom")
CHOICES = {"crop": ("none", "box"), "mask": ("none", "polygon"), "fit": ("pad", "stretch")}
RANGES = {"size": (8, 4096), "margin": (0, 10), "fill": (0, 255), "quality": (1, 100)}
ITEM_NAME = "S36"  # NumPy type of the names that `Preprocess.item` gives


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
        settle_types(self)
        refuse("the recipe for pixels is not usable", self._problems())

    def _problems(self):
        for name, valid in CHOICES.items():
            if getattr(self, name) not in valid:
                yield f"{name}={getattr(self, name)!r}: expected one of {valid}"
        for name, (low, high) in RANGES.items():
            if not low <= getattr(self, name) <= high:
                yield f"{name}={getattr(self, name)!r}: expected {low}..{high}"

    @property
    def key(self):
        """Readable, then exact: names the cache. Only what differs from the defaults is hashed, so new fields keep old
        caches."""
        values = {field.name: (getattr(self, field.name), field.default) for field in fields(self)}
        changed = {name: value for name, (value, default) in values.items() if value != default}
        digest = hashlib.sha256(json.dumps(changed, sort_keys=True).encode()).hexdigest()[:8]
        return f"{self.size}-crop_{self.crop}-mask_{self.mask}-{digest}"

    @property
    def reads_regions(self):
        """Whether boxes or polygons change its pixels."""
        return self.crop != "none" or self.mask != "none"

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
        annotation = Annotation(row)
        region_of = functools.partial(self._region, annotation)
        pixels, placement, frame = decoding.decode_region(source, root, region_of, self.size, self.fit)
        placed = placement.place(pixels, self.fill, self._kept_rings(annotation, frame))
        return decoding.encode_jpeg(placed, self.quality)

    def apply(self, source, row, root="."):
        """The pixels of `encode`: uint8 RGB `(size, size, 3)`."""
        return decoding.open_image(self.encode(source, row, root))

    def foreground(self, source, row, root="."):
        """Which pixels of `apply` lie inside the row's polygon: bool `(size, size)`, all False without one. Only the
        picture's header is read.

        Raises:
            ImageRejected: as `encode`.
        """
        annotation = Annotation(row)
        if not annotation.has_rings:
            return np.zeros((self.size, self.size), bool)
        frame = decoding.read_frame(source, root)
        return self.placement(row, *frame).mask(annotation.on(frame)[1])

    def placement(self, row, width, height, orientation=None):
        """Where the part of a picture that the recipe takes lies in the square: points of the picture there and back.

        Args:
            row: as in `encode`.
            width, height, orientation: of the upright picture, pixels, and the EXIF orientation that made it so.

        Raises:
            ImageRejected: the row's box lies outside the picture, or its label states a size that does not fit.
        """
        return Placement.fitted(self._region(Annotation(row), Frame(width, height, orientation)), self.size, self.fit)

    def _region(self, annotation, frame):
        width, height = frame[:2]
        if self.crop == "none" or not annotation:
            return 0, 0, width, height
        box, rings = annotation.on(frame)
        left, top, right, bottom = box or _bounds(rings)
        across, down = self.margin * (right - left), self.margin * (bottom - top)
        region = max(left - across, 0), max(top - down, 0), min(right + across, width), min(bottom + down, height)
        if region[2] - region[0] < 1 or region[3] - region[1] < 1:
            box = left, top, right, bottom
            raise ImageRejected("region outside", f"box {box} of a picture of {width} x {height}")
        return region

    def _kept_rings(self, annotation, frame):
        if self.mask == "none" or not annotation:
            return None
        box, rings = annotation.on(frame)
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
        """Name of a prepared picture: a hash of the recipe, the source and its version, and the row values that were
        read."""
        values = [row[name] for name in (*BOX, "polygon")] if self.reads_regions else []
        values = [None if value != value else value for value in values]
        if any(value not in (None, "") for value in values):
            values += stated_size(row) or ()
        text = json.dumps([self.key, row["path"], version, values], ensure_ascii=False)
        return hashlib.sha256(text.encode("utf-8")).hexdigest()[:32] + ".jpg"


def _bounds(rings):
    points = np.concatenate([np.asarray(ring, float) for ring in rings])
    return [*points.min(axis=0).tolist(), *points.max(axis=0).tolist()]
