"""Zips made by others, read in place: a compact index, names in NFC, members under limits of size and ratio.

AI Hub's label zip has 967,806 members, a photo zip 449,494 and more than 4 GB. `zipfile` keeps an object a member, in
every process; here a member is 24 bytes: the hash of its name, where its directory record lies, where its data lies.
The record is read again when the member is asked for and its name compared, so equal hashes cannot return another one.
Source: PKWARE APPNOTE 6.3.10, 4.3.7 local header; see `zip_directory` for the others.
"""

import functools
import os
import stat
import struct
import unicodedata
import zlib
from array import array
from collections import Counter
from pathlib import Path

import numpy as np

from kfashion_utils.errors import InputError
from kfashion_utils.storage.zip_directory import ENCODINGS, Directory

MAX_MEMBER_RATIO = 200  # uncompressed : compressed; a photograph or a label file stays far below
STORED, DEFLATED = 0, 8
METHODS = {  # APPNOTE 4.4.5: those that one meets
    1: "shrink", 6: "implode", 9: "deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "XZ", 96: "JPEG",
    98: "PPMd", 99: "AES encryption",
}  # fmt: skip
ENCRYPTED_FLAGS = 0x2041  # encrypted, strongly encrypted, masked headers
LOCAL = struct.Struct("<4s2xHH16xHH")  # signature, flags, method, lengths (name, extra)
GUESS = 512  # bytes read for the extra field of a local header: nearly always all of it
WASTE = 4 * 2**20  # bytes that deflate may need beyond the double of what it packs


class Archive:
    """A zip read in place, by any number of threads.

    A name that occurs twice, also after NFC, means the last of its members.

    Attributes:
        path: of the zip.
        duplicates: the names that occur more than once, each once for every member that its name does not reach.

    Raises:
        InputError: not a zip, or truncated, or in several volumes.
        OSError: the storage failed.
    """

    def __init__(self, path):
        self.path = Path(path)
        self._file = None
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise InputError(f"{self.path} is not a regular file")
        self._file = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        self._directory = Directory(self.path, functools.partial(_pread, self._file), os.fstat(self._file).st_size)
        for encoding in ENCODINGS:
            self._directory.encoding = encoding
            try:
                hashes, places, offsets = self._scan()
                break
            except UnicodeDecodeError:
                continue
        order = np.argsort(hashes, kind="stable")  # members of one name stay in the directory's order
        self._hashes, self._places = hashes[order], places[order]
        self._offsets = np.sort(offsets)
        self.duplicates = self._find_duplicates()

    def __del__(self):
        if getattr(self, "_file", None) is not None:
            os.close(self._file)

    def __reduce__(self):
        return open_archive, (str(self.path),)  # hashes of names differ from process to process

    def __len__(self):
        return len(self._hashes)

    def names(self):
        """Names in NFC of all members but folders, each once, in the directory's order; nothing is kept."""
        return (name for name, _ in self.members() if not _is_folder(name))

    def members(self):
        """Yield (name, why its data cannot be read; None = it can) of all members, folders too, as `names` does."""
        superseded = Counter(self.duplicates)
        for _, fields, name, _ in self._directory.records():
            if superseded and superseded[name] > 0:
                superseded[name] -= 1
            else:
                yield name, _obstacle(flags=fields[1], method=fields[2])

    def info(self, name):
        """The `Member` of a name; KeyError if there is none."""
        name = unicodedata.normalize("NFC", name)
        key = hash(name)
        for row in range(int(np.searchsorted(self._hashes, key, "right")) - 1, -1, -1):
            if self._hashes[row] != key:
                break
            member = self._directory.member(int(self._places[row]))
            if member.name == name:
                return member
        raise KeyError(name)

    def read(self, name, limit):
        """Bytes of a member, checked against its stated size and CRC.

        Raises:
            KeyError: no such member.
            ValueError: larger than `limit` bytes, compressed beyond reason, encrypted, or broken; the text says which.
            OSError: the storage failed, which says nothing about the member.
        """
        member = self.info(name)
        _require_readable(member, limit)
        data = _unpack(member, self._packed(member))
        if len(data) != member.file_size:
            raise _broken(f"{len(data):,} bytes or more where the directory states {member.file_size:,}")
        if zlib.crc32(data) != member.CRC:
            raise _broken("its CRC is not the stated one")
        return data

    def _packed(self, member):
        """The compressed bytes of a member.

        Its local header must agree with the directory, and its data reach into no other's.
        """
        head = LOCAL.size + len(member.raw_name)
        data = _pread(self._file, head + member.compress_size + GUESS, member.header_offset)
        if len(data) < head:
            raise _broken("the file ends inside its local header")
        signature, flags, method, name_length, extra_length = LOCAL.unpack_from(data)
        if signature != b"PK\x03\x04":
            raise _broken("no local header where the directory says")
        same_name = data[LOCAL.size : head] == member.raw_name and name_length == len(member.raw_name)
        if not same_name or method != member.method:
            raise _broken("its local header names another member than the directory")
        if flags & ENCRYPTED_FLAGS:
            raise ValueError("encrypted")
        start = head + extra_length
        stop = start + member.compress_size
        first, following = np.searchsorted(self._offsets, [member.header_offset, member.header_offset + 1])
        limit = int(self._offsets[following]) if following < len(self._offsets) else self._directory.start
        if following - first > 1 or member.header_offset + stop > limit:
            raise _broken("its data overlaps what follows (a zip bomb?)")
        if stop > len(data):
            data += _pread(self._file, stop - len(data), member.header_offset + len(data))
        if stop > len(data):
            raise _broken("the file ends inside it")
        return memoryview(data)[start:stop]

    def _scan(self):
        """Of every member but folders: hash of its name, places of its record and local header; int64 arrays."""
        hashes, places, offsets = array("q"), array("q"), array("q")
        for place, fields, name, extra in self._directory.records():
            if _is_folder(name):
                continue
            hashes.append(hash(name))
            places.append(place)
            offsets.append(self._directory.header_offset(fields, extra))
        return [np.array(values, np.int64) for values in (hashes, places, offsets)]

    def _find_duplicates(self):
        same = np.flatnonzero(self._hashes[1:] == self._hashes[:-1])
        rows = sorted({*same.tolist(), *(same + 1).tolist()})
        counts = Counter(self._directory.member(int(self._places[row])).name for row in rows)
        return [name for name, count in counts.items() for _ in range(count - 1)]


def _is_folder(name):
    return name[-1:] in ("/", "\\")


def _obstacle(flags, method):
    """Why a member with these flags and this method cannot be read, with the way out; None = it can."""
    if flags & ENCRYPTED_FLAGS:
        return "encrypted: unpack the zip with its password"
    if method in (STORED, DEFLATED):
        return None
    name = METHODS.get(method, "an unknown method")
    return (
        f"compression method {method} is not supported, only stored and deflated members are, this is {name}: "
        "unpack the zip (7z x) and name the folder, or pack it again with deflate (zip -r)"
    )


def _require_readable(member, limit):
    """Refuse a member whose directory record already says that it cannot be read; see `Archive.read`."""
    full, packed = member.file_size, member.compress_size
    if full > limit or full > MAX_MEMBER_RATIO * max(packed, 1):
        raise ValueError(f"too large: {full:,} bytes from {packed:,} compressed; the limit is {limit:,}")
    obstacle = _obstacle(member.flags, member.method)
    if obstacle:
        raise ValueError(obstacle)
    if packed > 2 * full + WASTE:
        raise _broken(f"{packed:,} compressed bytes for {full:,}")


def _pread(file, size, offset):
    """`size` bytes of a descriptor from `offset` on; fewer only where the file ends."""
    parts = []
    while size > 0:
        part = os.pread(file, size, offset)
        if not part:
            break
        parts.append(part)
        size, offset = size - len(part), offset + len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _unpack(member, packed):
    if member.method == STORED:
        return bytes(packed)
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, member.file_size + 1)
    except zlib.error as error:
        raise _broken(error) from error


def _broken(what):
    return ValueError(f"broken archive member: {what}")


@functools.lru_cache(maxsize=16)
def _open_archive(path, _version):
    return Archive(path)


def open_archive(path):
    """`Archive(path)`, kept open while the file does not change."""
    status = os.stat(path)
    return _open_archive(str(path), (status.st_size, status.st_mtime_ns))
