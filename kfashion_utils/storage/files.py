"""Durable files: a finished name is a finished file.

`write_bytes` replaces a file as a whole or not at all. Errors name the file they met and, on a full disk, the bytes
that are missing.
"""

import contextlib
import errno
import fcntl
import functools
import hashlib
import json
import os
import shutil
import time
from pathlib import Path

from kfashion_utils.errors import InputError
from kfashion_utils.storage.colab import require_mounted

TEMPORARY = ".part"
TRANSIENT = (errno.EIO, errno.ETIMEDOUT, errno.EAGAIN)  # a mounted Drive gives them and recovers
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
DELAYS = (1, 2, 4, 8, 16, 32, 64)  # seconds before each new try
LOCKLESS = (errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOLCK)  # a mount such as Drive that knows no locks


# Single files ---------------------------------------------------------------------------------------------------------


def sync_folder(folder):
    """Make the names in `folder` durable, where the file system knows how."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:  # Windows cannot open a folder; its renames are durable by themselves
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder):
    """Make a folder, and those above it that are missing, durably.

    Raises:
        InputError: it lies where Colab mounts Google Drive, and no Drive can be mounted.
    """
    folder = Path(folder)
    require_mounted(folder)  # without Drive its folders would be made on a disk that is gone tomorrow
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def replace_durably(temporary, path):
    """Give a written and synced `temporary` its final name."""
    os.replace(temporary, path)
    sync_folder(Path(path).parent)


@contextlib.contextmanager
def finished_file(path, suffix=TEMPORARY):
    """Yield a temporary path beside `path`; sync it and give it its final name when the block ends without an error.

    A killed writer leaves the temporary file; the next writer of `path` takes it over, so that none is left in the end.

    Raises:
        InputError: another process writes the same file.
        OSError: the storage failed; where it is full, with the bytes that are missing.
    """
    path = Path(path)
    make_folder(path.parent)
    temporary = path.with_name(f".{path.name}{suffix}")
    with naming(path), open(temporary, "ab") as handle:
        lock(handle.fileno(), f"{path} is being written")
        os.ftruncate(handle.fileno(), 0)
        try:
            yield temporary
            with open(temporary, "rb+") as written:
                os.fsync(written.fileno())
            replace_durably(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


def write_bytes(path, data):
    """Write a whole file so that `path` holds either its old or its new content, never a part."""
    with finished_file(path) as temporary:
        temporary.write_bytes(data)


def write_text(path, text):
    """`write_bytes` of UTF-8 text."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path, values):
    """`write_text` of readable JSON that keeps Korean as it is."""
    write_text(path, json.dumps(values, ensure_ascii=False, indent=2) + "\n")


def write_table(path, table):
    """Write a DataFrame as CSV without its index; equal tables give equal bytes."""
    with finished_file(path) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n", encoding=csv_encoding(table))


def csv_encoding(table):
    """`utf-8-sig` for a table with other than ASCII letters, whose Hangul Excel shows only behind that mark; `utf-8`
    for others, which any reader takes."""
    columns = [table.columns, *(column for _, column in table.items() if column.dtype.kind not in "biuf")]
    plain = all(str(value).isascii() for column in columns for value in column)
    return "utf-8" if plain else "utf-8-sig"


def hash_file(path, algorithm="sha256"):
    """Hex digest of a file's content, read in pieces."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, algorithm).hexdigest()


def known_hash(path):
    """`hash_file` of a file, read again only when its place, size or times are others than when it was read last."""
    status = os.stat(path)
    return _hash_of(os.fspath(path), status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


@functools.lru_cache(maxsize=64)
def _hash_of(path, *_status):
    return hash_file(path)


# What can go wrong ----------------------------------------------------------------------------------------------------


def require_space(folder, needed, what):
    """Refuse to start work for which `folder` has no room.

    Raises:
        InputError: names the bytes that are missing.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise InputError(
            f"{what} needs about {needed / 1e9:.1f} GB in {folder}, {free / 1e9:.1f} GB are free; "
            f"free {(needed - free) / 1e9:.1f} GB or choose another folder"
        )


class StorageFull(OSError):
    """No room: the text says how many bytes were wanted and how many are free, `filename` where."""


@contextlib.contextmanager
def naming(path, needed=None):
    """Let storage errors of the block say which file they met and, where the disk is full, how much room is missing."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL and not isinstance(error, StorageFull):
            wanted = f"{needed:,} bytes were to be written, " if needed else ""
            text = f"{error.strerror}: {wanted}{_free(path)} are free; make room"
            raise StorageFull(error.errno, text, str(path)) from error
        if error.errno is None or error.filename is not None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


def _free(path):
    try:
        return f"{shutil.disk_usage(Path(path).parent).free:,} bytes"
    except OSError:
        return "unknown bytes"


def patiently(work, *arguments, remount=None):
    """`work(*arguments)`, tried again after errors that pass.

    EIO, ETIMEDOUT and EAGAIN: after 1, 2, 4 … 64 seconds. ENOTCONN: once, after `remount()`. Everything else, a full or
    read-only disk above all, is raised at once.
    """
    delays = iter(DELAYS)
    while True:
        try:
            return work(*arguments)
        except OSError as error:
            if error.errno == errno.ENOTCONN and remount:
                remount()
                remount = None
                continue
            delay = next(delays, None) if error.errno in TRANSIENT else None
            if delay is None:
                raise
            time.sleep(delay)


def lock(descriptor, doing, patience=0.0):
    """Lock an open file or folder for this process; the lock ends with the descriptor, or with the process.

    Raises:
        InputError: another process still has it after `patience` seconds.
    """
    until = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError as error:
            if time.monotonic() >= until:
                raise InputError(f"{doing} by another process; wait for it, or end it") from error
            time.sleep(0.1)
        except OSError as error:
            if error.errno not in LOCKLESS:
                raise
            return


@contextlib.contextmanager
def only_one(folder, doing):
    """Lock `folder` for this process while the block runs; nothing is left behind.

    Raises:
        InputError: another process has it.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        lock(descriptor, f"{folder} {doing}")
        yield
    finally:
        os.close(descriptor)


# Folders that may go away ---------------------------------------------------------------------------------------------


def folder_identity(root):
    """What tells one folder from another that took its place: device and number; None if it is not there."""
    try:
        stat = os.stat(root)
    except OSError:
        return None
    return stat.st_dev, stat.st_ino


def require_same(root, identity):
    """Raise an OSError if `root` is another folder than it was.

    A mount that went away says nothing about its pictures.
    """
    if folder_identity(root) != identity:
        remedy = "mount it again and repeat the call: it continues"
        raise OSError(errno.ENOTCONN, f"the folder of the pictures went away; {remedy}", str(root))
