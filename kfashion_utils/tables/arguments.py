"""What every public function does with paths among its arguments: one on Google Drive mounts it, and one is taken
wherever a table is (`kf.evaluate("p.csv", "kf.csv")`)."""

import functools
import inspect
import os

from kfashion_utils.storage.colab import require_mounted
from kfashion_utils.tables.catalog import read_catalog
from kfashion_utils.tables.predictions import read_predictions

READERS = {  # parameter: who reads the file that it names
    "catalog": read_catalog,
    "predictions": read_predictions,
    "first": read_predictions,
    "second": read_predictions,
    "tables": read_predictions,
}


def takes_paths(function):
    """The same function, whose parameters of `READERS` may be paths, or lists of them."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def call(*arguments, **options):
        for value in (*arguments, *options.values()):
            if isinstance(value, (str, os.PathLike)):
                require_mounted(value)
        given = signature.bind(*arguments, **options)
        for name in READERS.keys() & given.arguments.keys():
            given.arguments[name] = _table(given.arguments[name], READERS[name])
        return function(*given.args, **given.kwargs)

    return call


def _table(value, read):
    if isinstance(value, (list, tuple)):
        return [_table(one, read) for one in value]
    return read(value) if isinstance(value, (str, os.PathLike)) else value
