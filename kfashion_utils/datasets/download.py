"""Files that the project takes from outside: rows of data_manifest.csv, checked by size and hash before they get their name."""

import functools
import os
from pathlib import Path

import pandas as pd
import pooch

from kfashion_utils.errors import InputError

MANIFEST = Path(__file__).parent.parent / "data_manifest.csv"
MANIFEST_COLUMNS = ("name", "dataset", "source", "bytes", "sha256", "licence", "unpack", "photos", "note")


@functools.cache
def read_manifest(path=MANIFEST):
    """The manifest as a DataFrame of text; `sha256` holds `md5:…` where the publisher gives that."""
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def find_row(name, manifest=MANIFEST):
    """The manifest row of a file, as a Series.

    Raises:
        InputError: unknown, with the known names.
    """
    table = read_manifest(manifest)
    rows = table[table["name"] == name]
    if rows.empty:
        raise InputError(f"{name!r} is not in {manifest.name}; it has {', '.join(table['name'])}")
    return rows.iloc[0]


def download_folder():
    """Where downloads are kept: `KFASHION_DOWNLOADS`, else the user's cache folder."""
    return Path(os.environ.get("KFASHION_DOWNLOADS") or pooch.os_cache("kfashion"))


def download(name, folder=None, manifest=MANIFEST):
    """Fetch one file of the manifest, unless it is there and whole; returns its path.

    Raises:
        InputError: unknown name, a source that needs hands, no connection, or content whose hash is not the stated one.
    """
    row = find_row(name, manifest)
    folder = Path(folder or download_folder())
    source = row["source"]
    if not source.startswith(("https://", "http://127.0.0.1")):
        raise InputError(f"{name}: cannot be fetched from {source!r} by itself. {row['note']}")
    known_hash = row["sha256"] or None
    try:
        return Path(pooch.retrieve(source, known_hash, fname=source.rpartition("/")[2], path=folder, progressbar=True))
    except ValueError as error:
        raise InputError(f"{name}: what {source} sent is not the stated file ({error}); try again, or fetch it by hand into {folder}") from error
    except OSError as error:  # requests' errors are OSErrors
        raise InputError(f"{name}: {source} cannot be reached ({type(error).__name__}: {error}); fetch it elsewhere and give its path") from error
