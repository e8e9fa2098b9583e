"""Shards: stored zips of about 2,000 prepared pictures, named by their hash. `Shards` finds and reads their items.

They are written by `shard_writer`.
"""

import json
import os
import struct
import zipfile
import zlib
from collections import namedtuple
from pathlib import Path

import numpy as np

from kfashion_utils.errors import InputError
from kfashion_utils.storage.files import naming

REJECTED_MEMBER = "rejected.jsonl"  # every shard ends with the rows of its block that could not be prepared
LOCAL_HEADER = 30  # bytes of a member's local header before its name; a shard's members have no extra field

Member = namedtuple("Member", "shard offset size crc")  # where a finished item lies: file, first byte, bytes, CRC-32
PLACE = np.dtype([("shard", "i4"), ("offset", "i8"), ("size", "i8"), ("crc", "u4")])  # a Member, its file as a number


def sealed_shards(folder):
    """Paths of the finished shards of a folder, sorted."""
    return sorted(path for path in Path(folder).glob("*.zip") if len(path.stem) == 64)


class Shards:
    """Where the finished items of a folder lie; some 50 bytes an item, found by name.

    Args:
        folder: of the shards.
        wanted: bytes array of names, sorted; only those are kept. None = all.

    Attributes:
        rejected: {name: record} of the items that could not be prepared.

    Raises:
        InputError: a shard was changed after it was sealed.
    """

    def __init__(self, folder, wanted=None):
        self.paths, self.rejected = sealed_shards(folder), {}
        names, places = [np.zeros(0, "S1")], [np.zeros(0, PLACE)]
        for number, path in enumerate(self.paths):
            name, place = _read_directory(path, number)
            rejections = name == REJECTED_MEMBER.encode()
            for row in place[rejections]:
                self._read_rejected(self._member(row), wanted)
            keep = ~rejections if wanted is None else contains(wanted, name) & ~rejections
            names.append(name[keep])
            places.append(place[keep])
        names, places = np.concatenate(names), np.concatenate(places)
        order = names.argsort(kind="stable")
        self._names, self._places = names[order], places[order]

    def _read_rejected(self, member, wanted):
        for line in read_member(member).decode("utf-8").splitlines():
            name, *record = json.loads(line)
            if wanted is None or contains(wanted, np.array([name.encode()]))[0]:
                self.rejected[name] = record

    def __len__(self):
        return len(self._names)

    def names(self):
        """Names of the finished items, sorted, bytes array."""
        return self._names

    def has(self, names):
        """Boolean array: which of `names` (bytes array) are finished items."""
        return contains(self._names, names)

    def member(self, name):
        """The `Member` called `name`; KeyError if there is none."""
        name = name.encode() if isinstance(name, str) else name
        at = int(np.searchsorted(self._names, name))
        if at == len(self._names) or self._names[at] != name:
            raise KeyError(name)
        return self._member(self._places[at])

    def _member(self, place):
        number, *values = place.tolist()
        return Member(self.paths[number], *values)

    def read(self, name):
        """Bytes of a finished item; see `read_member`."""
        return read_member(self.member(name))


def _read_directory(path, number):
    """(names `(n,)` bytes, places `(n,)` of PLACE) of the members of shard `number`.

    Raises:
        InputError: the file is not what was sealed.
    """
    try:
        with zipfile.ZipFile(path) as shard:
            members = shard.infolist()
        names = np.array([member.filename for member in members], "S")
    except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error) as error:
        raise _damaged(path, error) from error
    places = np.empty(len(members), PLACE)
    places["shard"] = number
    places["offset"] = [member.header_offset + LOCAL_HEADER + len(member.filename) for member in members]
    places["size"] = [member.file_size for member in members]
    places["crc"] = [member.CRC for member in members]
    if (places["offset"] < 0).any():
        raise _damaged(path, "an item before the begin of the file")
    return names, places


def _damaged(path, what):
    return InputError(f"{path} is damaged ({what}); delete it and prepare again")


def contains(ordered, names):
    """Boolean array: which of `names` stand in the sorted array `ordered`; both bytes."""
    if not len(ordered) or not len(names):
        return np.zeros(len(names), bool)
    at = np.searchsorted(ordered, names).clip(max=len(ordered) - 1)
    return ordered[at] == names


def read_member(member):
    """Bytes of one finished member, checked.

    Raises:
        InputError: the shard was changed after it was sealed.
    """
    descriptor = os.open(member.shard, os.O_RDONLY)
    try:
        with naming(member.shard):
            data = os.pread(descriptor, member.size, member.offset)
    finally:
        os.close(descriptor)
    if len(data) != member.size or zlib.crc32(data) != member.crc:
        raise _damaged(member.shard, f"bytes {member.offset:,} to {member.offset + member.size:,}")
    return data
