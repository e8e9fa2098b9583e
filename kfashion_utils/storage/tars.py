"""Tars, unpacked beside themselves; those that are not harmless are refused."""

import os
import re
import shutil
import tarfile
import zlib
from pathlib import PurePosixPath

from kfashion_utils.errors import InputError
from kfashion_utils.storage.files import only_one, replace_durably, require_space

MAX_UNPACKED = 50 * 2**30  # bytes in all that a tar may hold


def unpack_tar(path):
    """Unpack a tar beside itself into a folder that gets its name when it is whole; returns the folder.

    Raises:
        InputError: damaged, more than `MAX_UNPACKED` bytes, no room, or a member that is no plain file or leaves the
            folder.
    """
    target = path.with_name(re.sub(r"(\.tar)?(\.gz|\.tgz|\.tar|\.bz2|\.xz)$", "", path.name))
    with only_one(path, "is being unpacked"):
        if target.is_dir():
            return target
        temporary = path.with_name(f".{target.name}.unpacking")
        shutil.rmtree(temporary, ignore_errors=True)
        try:
            _extract(path, temporary)
        except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:  # the storage, not the archive
                raise
            raise InputError(f"{path} is not a tar that can be read: {error}; delete it and call again") from error
        os.sync()
        replace_durably(temporary, target)
    return target


def _extract(path, folder):
    with tarfile.open(path) as archive:
        members = [_harmless(member, path) for member in archive]
        total = sum(member.size for member in members)
        if total > MAX_UNPACKED:
            limit = f"the limit is {MAX_UNPACKED:,}. Unpack it by hand if you trust it"
            raise InputError(f"{path} holds {total:,} bytes; {limit}")
        require_space(path.parent, total, f"unpacking {path.name}")
        archive.extractall(folder, members, filter="data")


def _harmless(member, path):
    name = PurePosixPath(member.name)
    if not (member.isfile() or member.isdir()) or name.is_absolute() or ".." in name.parts:
        raise InputError(
            f"{path}: member {member.name!r} is a link, a device or leaves the folder; only plain files are unpacked"
        )
    return member
