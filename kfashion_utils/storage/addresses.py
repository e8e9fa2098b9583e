"""Addresses of pictures: a path, or `container::member`.

`read_source` gives the encoded bytes behind one, `source_version` what changes when the picture behind it changes.
"""

import contextlib
import errno
import functools
import io
import math
import os
import re
import stat
import struct
import tokenize
from pathlib import Path

import numpy as np

from kfashion_utils.errors import MAX_BYTES, ImageRejected, InputError
from kfashion_utils.storage.archives import open_archive
from kfashion_utils.storage.name_forms import forms_of_member, other_case, other_case_of_member, other_form

MAX_ARRAY_BYTES = 2**30  # of a member of an `.npz`, unpacked
CONTAINER_MARK = "::"
BROKEN = (  # what a damaged archive or array raises
    ValueError,
    TypeError,
    OverflowError,
    EOFError,
    SyntaxError,
    RecursionError,
    struct.error,
    tokenize.TokenError,
)
UNREADABLE = {errno.ELOOP, errno.ENAMETOOLONG, errno.EILSEQ, errno.ENXIO}  # ENXIO: a socket


# Addresses to bytes ---------------------------------------------------------------------------------------------------


def split_address(path):
    """`photos.zip::a/b.jpg` -> (`photos.zip`, `a/b.jpg`); a plain path -> (path, None)."""
    container, mark, member = str(path).partition(CONTAINER_MARK)
    return (container, member) if mark else (str(path), None)


def source_version(path, root="."):
    """What changes when a source changes: size and CRC of a zip member, size and modification time of a file.

    Raises:
        ImageRejected: missing, unreadable, broken archive.
    """
    with _path_blamed(path, root):
        return _in_any_form(_version_of, path, root)


def read_source(source, root="."):
    """The encoded bytes of a picture (or its pixels, for a member of an `.npz`).

    Args:
        source: bytes; or a path, relative to `root`, or `container::member`.

    Raises:
        ImageRejected: missing, empty, too many bytes, unreadable, broken archive.
        OSError: the storage itself failed; that says nothing about the picture.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        data = bytes(source)
    else:
        with _path_blamed(source, root):
            data = _in_any_form(_read_path, str(source), root)
    if isinstance(data, bytes) and not data:
        raise ImageRejected("empty", source=source_name(source))
    if isinstance(data, bytes) and len(data) > MAX_BYTES:
        raise ImageRejected("too many bytes", f"{len(data):,} bytes", source_name(source))
    return data


def _in_any_form(read, path, root):
    """`read(address, member)` of a path as it stands; where nothing is there, of its other forms."""
    container, member = split_address(path)
    address = Path(root, container)
    try:
        return read(address, member)
    except (FileNotFoundError, NotADirectoryError):
        address = other_form(root, container)
        if address is None:
            raise
        return read(address, member)


def _version_of(address, member):
    if member is None or address.suffix == ".npz":
        return _version(os.stat(address))
    info = _find_member(_archive(address), member, lambda archive, name: archive.info(name))
    return info.file_size, info.CRC


def _find_member(archive, member, action):
    """`action(archive, member)` of the first form of a member's name that the archive holds."""
    try:
        return action(archive, member)
    except KeyError:
        for form in forms_of_member(member):
            try:
                return action(archive, form)
            except KeyError:
                continue
        raise


def _read_path(address, member):
    if member is None:
        with open(address, "rb", opener=_open_at_once) as handle:
            status = _require_regular(os.fstat(handle.fileno()))
            return handle.read(min(status.st_size, MAX_BYTES) + 1)
    if address.suffix != ".npz":
        return _find_member(_archive(address), member, lambda archive, name: archive.read(name, MAX_BYTES))
    name, _, row = member.rpartition("/")
    if not (row.isascii() and row.isdigit() and len(row) < 19):
        raise KeyError(row)
    array = _read_array(address, name, _version(os.stat(address)))
    return np.asarray(array[int(row)])


def _open_at_once(path, flags):
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))  # a FIFO without a writer would be waited for


def _require_regular(status):
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError
    if not stat.S_ISREG(status.st_mode):
        raise ImageRejected("unreadable", "not a regular file")
    return status


def _version(status):
    return status.st_size, status.st_mtime_ns


def _archive(path):
    _require_regular(os.stat(path))
    return open_archive(path)


@functools.lru_cache(maxsize=2)
def _read_array(path, name, _version):
    data = _archive(path).read(name + ".npy", MAX_ARRAY_BYTES)
    handle = io.BytesIO(data)
    major, _ = np.lib.format.read_magic(handle)
    read_header = np.lib.format.read_array_header_1_0 if major == 1 else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read_header(handle)
    if dtype.hasobject or any(side < 0 for side in shape):
        raise ValueError(f"an array of {dtype} {shape}")
    count = math.prod(shape)  # what the header states must be there
    array = np.frombuffer(data, dtype, count, handle.tell())
    return array.reshape(shape, order="F" if fortran else "C")


@contextlib.contextmanager
def _path_blamed(path, root):
    """Errors that say something about a path become an `ImageRejected`; the storage's own go through."""
    try:
        yield
    except ImageRejected as error:
        raise ImageRejected(error.reason, error.detail, str(path)) from error.__cause__
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, LookupError) as error:
        raise ImageRejected("missing", _meant(path, root), str(path)) from error
    except BROKEN as error:
        wrong_name = isinstance(error, UnicodeEncodeError) or "embedded null" in str(error)
        raise ImageRejected("unreadable" if wrong_name else "broken archive", str(error), str(path)) from error
    except OSError as error:
        if isinstance(error, PermissionError) or error.errno in UNREADABLE:
            raise ImageRejected("unreadable", error.strerror, str(path)) from error
        raise


def _meant(path, root):
    """What may have been meant by a path that leads nowhere, in words; empty = nothing like it is there."""
    if re.match(r"[A-Za-z]:[/\\]", str(path)):
        return "a path of Windows with its drive; paths are relative to the root folder"
    container, member = split_address(path)
    address = Path(root, container)
    if not address.is_file():
        address = other_form(root, container) or other_case(root, container)
    if address is None or not address.is_file():
        return ""
    found = str(address)
    if member is not None and address.suffix != ".npz":
        with contextlib.suppress(OSError, InputError):  # the path is missing, whatever the archive says now
            name = member and other_case_of_member(_archive(address), member)
            found = f"{address}{CONTAINER_MARK}{name}" if name else ""
    exact = Path(root, container).is_file()
    return f"there is {found!r}, which differs in case" if found and not (exact and found == str(address)) else ""


def source_name(source):
    return f"{len(source):,} bytes" if isinstance(source, (bytes, bytearray, memoryview)) else str(source)
