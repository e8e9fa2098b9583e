"""The rows of a catalog whose pictures are there, with the names of what is prepared of them.

Memory does not grow with the catalog but for some hundred bytes a row: rows become mappings block by block, names and
places are arrays.
"""

from pathlib import Path

import numpy as np

from kfashion_utils.errors import REASONS, ImageRejected, InputError
from kfashion_utils.images.recipe import BOX, ITEM_NAME
from kfashion_utils.storage.addresses import source_version
from kfashion_utils.storage.files import folder_identity, patiently, require_same
from kfashion_utils.tables.labels import ANNOTATION, STATED_SIZE

CHUNK = 4096  # rows turned into mappings at a time
TEXTS = ("id", "path", "polygon")
COLUMNS = ("id", "path", *BOX, "polygon")


class CatalogRows:
    """The readable rows of a catalog in id order, with the names of their items."""

    def __init__(self, columns, places, items, identity):
        self.columns, self.places, self.items, self.identity = columns, places, items, identity

    @classmethod
    def named(cls, catalog, root, preprocess):
        """(rows, failures of those whose picture is not there).

        Raises:
            InputError: no picture is there at all.
            OSError: the folder of the pictures went away.
        """
        identity = folder_identity(root)  # before the first look: a mount that goes away is noticed
        columns = {name: catalog[name].to_numpy(object if name in TEXTS else float) for name in COLUMNS}
        columns |= _stated_sizes(catalog)
        order = columns["id"].argsort(kind="stable")
        items, missing = np.zeros(len(order), ITEM_NAME), []
        for start in range(0, len(order), CHUNK):
            for number, row in enumerate(_mappings(columns, order[start : start + CHUNK]), start):
                try:
                    items[number] = preprocess.item(row, patiently(source_version, row["path"], root))
                except ImageRejected as error:
                    missing.append([row["id"], row["path"], error.reason, error.detail or REASONS[error.reason]])
        if len(missing) == len(order):
            raise InputError(
                f"none of the catalog's {len(order):,} pictures is below {root}; the first would be "
                f"{Path(root, missing[0][1])}: {missing[0][2]}, {missing[0][3]}"
            )
        if missing:
            require_same(root, identity)
        there = items != b""
        return cls(columns, order[there], items[there], identity), missing

    @property
    def ids(self):
        return self.columns["id"][self.places]

    def mappings(self, numbers):
        """Mappings of some rows (positions in this order), with their `item`."""
        rows = _mappings(self.columns, self.places[numbers])
        return [{**row, "item": item.decode()} for row, item in zip(rows, self.items[numbers], strict=True)]


def _stated_sizes(catalog):
    """{column: values} of the sizes that annotations state; rows whose region others found have none."""
    annotated = catalog["region"].isin(["", ANNOTATION])
    return {name: catalog[name].where(annotated).to_numpy(float) for name in STATED_SIZE if name in catalog}


def _mappings(columns, places):
    chosen = [values[places].tolist() for values in columns.values()]
    return (dict(zip(columns, values, strict=True)) for values in zip(*chosen, strict=True))
