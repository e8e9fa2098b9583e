"""Zips made by others, read in place: a compact directory, names in NFC whatever their encoding, members under limits of size and ratio.

AI Hub's label zip has 967,806 members, a photo zip 449,494 and more than 4 GB. `zipfile` keeps an object a member, in every process;
here a member is 24 bytes: the hash of its name, where its directory record lies, where its data lies. The record is read again when
the member is asked for and its name compared, so equal hashes cannot return another member. Sources: PKWARE APPNOTE 6.3.10, 4.3.7
local header, 4.3.12 central directory, 4.3.14-16 its end, 4.5.3 zip64 extra field, 4.6.9 Unicode path extra field.
"""

import functools
import os
import stat
import struct
import unicodedata
import zlib
from array import array
from collections import Counter, namedtuple
from pathlib import Path

import numpy as np

from kfashion_utils.errors import InputError

MAX_MEMBER_RATIO = 200  # uncompressed : compressed; a photograph or a label file stays far below
STORED, DEFLATED = 0, 8
ENCODINGS = (
    "utf-8",
    "cp949",
    "cp437",
)  # of names without the UTF-8 flag: today's tools, Windows in Korea, the zip standard
BLOCK = 4 * 2**20  # bytes of the directory read at once; a record has at most 196,651
GUESS = 512  # bytes read for one record or local header: nearly always all of it

CENTRAL = struct.Struct(
    "<4s4xHH4xLLLHHH8xL"
)  # signature, flags, method, crc, sizes (compressed, full), lengths (name, extra, comment), offset
CENTRAL_SIZE = CENTRAL.size
LOCAL = struct.Struct("<4s2xHH16xHH")  # signature, flags, method, lengths (name, extra)
END = struct.Struct(
    "<4sHHHHLLH"
)  # signature, disk, directory's disk, entries here, entries, directory's size, offset, length of the comment
END64 = struct.Struct(
    "<4sQ4xLLQQQQ"
)  # signature, size, disk, directory's disk, entries here, entries, directory's size, offset
LOCATOR = struct.Struct("<4sLQL")  # signature, disk, offset of END64, disks
UTF8_FLAG, ENCRYPTED_FLAGS = 0x800, 0x2041  # encrypted, strongly encrypted, masked headers
ZIP64_EXTRA, UNICODE_PATH_EXTRA = 0x0001, 0x7075
FULL = 0xFFFFFFFF  # the field's value stands in the zip64 extra field

# header_offset: of the local header in the file; raw_name: the bytes that stand in the zip
Member = namedtuple("Member", "name file_size compress_size CRC method flags header_offset raw_name")


class Archive:
    """A zip read in place, by any number of threads. A name that occurs twice, also after NFC, means the last of its members.

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
        size = os.fstat(self._file).st_size
        self._start, self._end, self._shift = self._find_directory(size)
        for self._encoding in ENCODINGS:
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
        superseded = Counter(self.duplicates)
        for _, _, name, _ in self._records():
            if superseded and superseded[name] > 0:
                superseded[name] -= 1
            elif not _is_folder(name):
                yield name

    def info(self, name):
        """The `Member` of a name; KeyError if there is none."""
        name = unicodedata.normalize("NFC", name)
        key = hash(name)
        for row in range(int(np.searchsorted(self._hashes, key, "right")) - 1, -1, -1):
            if self._hashes[row] != key:
                break
            member = self._member(int(self._places[row]))
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
        if member.file_size > limit or member.file_size > MAX_MEMBER_RATIO * max(member.compress_size, 1):
            raise ValueError(
                f"too large: {member.file_size:,} bytes from {member.compress_size:,} compressed; the limit is {limit:,}"
            )
        if member.flags & ENCRYPTED_FLAGS:
            raise ValueError("encrypted")
        if member.method not in (STORED, DEFLATED):
            raise ValueError(
                f"compression method {member.method} is not supported, only stored and deflated members are"
            )
        if member.compress_size > 2 * member.file_size + BLOCK:
            raise _broken(f"{member.compress_size:,} compressed bytes for {member.file_size:,}")
        data = _unpack(member, self._packed(member))
        if len(data) != member.file_size:
            raise _broken(f"{len(data):,} bytes or more where the directory states {member.file_size:,}")
        if zlib.crc32(data) != member.CRC:
            raise _broken("its CRC is not the stated one")
        return data

    def _packed(self, member):
        """The compressed bytes of a member whose local header agrees with the directory and whose data reaches into no other."""
        head = LOCAL.size + len(member.raw_name)
        data = self._pread(head + member.compress_size + GUESS, member.header_offset)
        if len(data) < head:
            raise _broken("the file ends inside its local header")
        signature, flags, method, name_length, extra_length = LOCAL.unpack_from(data)
        if signature != b"PK\x03\x04":
            raise _broken("no local header where the directory says")
        if data[LOCAL.size : head] != member.raw_name or name_length != len(member.raw_name) or method != member.method:
            raise _broken("its local header names another member than the directory")
        if flags & ENCRYPTED_FLAGS:
            raise ValueError("encrypted")
        start = head + extra_length
        stop = start + member.compress_size
        first, following = np.searchsorted(self._offsets, [member.header_offset, member.header_offset + 1])
        limit = int(self._offsets[following]) if following < len(self._offsets) else self._start
        if following - first > 1 or member.header_offset + stop > limit:
            raise _broken("its data overlaps what follows (a zip bomb?)")
        if stop > len(data):
            data += self._pread(stop - len(data), member.header_offset + len(data))
        if stop > len(data):
            raise _broken("the file ends inside it")
        return memoryview(data)[start:stop]

    def _pread(self, size, offset):
        """`size` bytes from `offset` on; fewer only where the file ends."""
        parts = []
        while size > 0:
            part = os.pread(self._file, size, offset)
            if not part:
                break
            parts.append(part)
            size, offset = size - len(part), offset + len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _find_directory(self, size):
        """(first byte of the directory, byte after it, bytes that stand before the zip): APPNOTE 4.3.14-16."""
        tail_start = max(0, size - END.size - 0xFFFF)
        tail = self._pread(size - tail_start, tail_start)
        for at in _end_records(tail):
            found = self._directory_before(tail_start + at, END.unpack_from(tail, at))
            if found:
                return found
        raise InputError(
            f"{self.path} is not a zip that can be read: it has no whole directory at its end; download it again"
        )

    def _directory_before(self, at, end):
        """What an end record at byte `at` says, or None if no directory lies where it says."""
        _, disk, directory_disk, _, entries, size, offset, _ = end
        locator = self._pread(LOCATOR.size, at - LOCATOR.size) if at >= LOCATOR.size else b""
        if locator[:4] == b"PK\x06\x07":
            _, _, place, disks = LOCATOR.unpack(locator)
            at -= LOCATOR.size
            for candidate in (at - END64.size, place):  # the first also where something stands before the zip
                data = self._pread(END64.size, candidate) if 0 <= candidate <= at - END64.size else b""
                if data[:4] == b"PK\x06\x06":
                    _, _, disk, directory_disk, _, entries, size, offset = END64.unpack(data)
                    at = candidate
                    break
            disk = disk or (disks > 1)
        if disk not in (0, 0xFFFF) or directory_disk not in (0, 0xFFFF):
            raise InputError(
                f"{self.path} is one volume of a zip in several; join them (`zip -s 0`) or unpack them elsewhere"
            )
        start = at - size
        if start < offset or (size and self._pread(4, start) != b"PK\x01\x02") or (entries and not size):
            return None
        return start, at, start - offset

    def _records(self):
        """(place, header fields, name, extra field) of every directory record, folders too, in order."""
        place = self._start
        while place < self._end:
            block = self._pread(min(BLOCK, self._end - place), place)
            at, last = 0, len(block) - CENTRAL_SIZE
            while at <= last:
                fields = CENTRAL.unpack_from(block, at)
                name_end = at + CENTRAL_SIZE + fields[6]
                extra_end = name_end + fields[7]
                end = extra_end + fields[8]
                if fields[0] != b"PK\x01\x02":
                    raise InputError(
                        f"{self.path} is not a zip that can be read: its directory is damaged; download it again"
                    )
                if end > len(block):
                    break
                extra = block[name_end:extra_end]
                yield place + at, fields, self._name(fields[1], block[at + CENTRAL_SIZE : name_end], extra), extra
                at = end
            if at == 0:
                raise InputError(
                    f"{self.path} is not a zip that can be read: its directory is truncated; download it again"
                )
            place += at

    def _scan(self):
        """Of every member but folders: hash of its name, place of its record, place of its local header; three int64 arrays."""
        hashes, places, offsets = array("q"), array("q"), array("q")
        for place, fields, name, extra in self._records():
            if name[-1:] == "/" or name[-1:] == "\\":
                continue
            hashes.append(hash(name))
            places.append(place)
            offset = fields[9] if fields[9] != FULL else min(_sizes(fields, extra)[2], 2**62)
            offsets.append(offset + self._shift)
        return tuple(
            np.frombuffer(values, np.int64) if values else np.zeros(0, np.int64) for values in (hashes, places, offsets)
        )

    def _name(self, flags, raw, extra):
        """The name in NFC. UnicodeDecodeError: the encoding tried for unflagged names is not the archive's."""
        if raw.isascii() and not extra:
            return raw.decode("ascii")
        unicode_path = _field(extra, UNICODE_PATH_EXTRA) if extra else b""
        if unicode_path[:1] == b"\x01" and unicode_path[1:5] == zlib.crc32(raw).to_bytes(4, "little"):
            name = _utf8(unicode_path[5:])
            if name:
                return unicodedata.normalize("NFC", name)
        name = _utf8(raw) if flags & UTF8_FLAG else None
        return unicodedata.normalize("NFC", raw.decode(self._encoding) if name is None else name)

    def _member(self, place):
        data = self._pread(CENTRAL_SIZE + GUESS, place)
        if len(data) < CENTRAL_SIZE or data[:4] != b"PK\x01\x02":
            raise _broken("the archive changed while it was read")
        fields = CENTRAL.unpack_from(data)
        name_end = CENTRAL_SIZE + fields[6]
        extra_end = name_end + fields[7]
        if len(data) < extra_end:
            data = self._pread(extra_end, place)
        raw, extra = data[CENTRAL_SIZE:name_end], data[name_end:extra_end]
        full, packed, offset = _sizes(fields, extra)
        try:
            name = self._name(fields[1], raw, extra)
        except UnicodeDecodeError as error:
            raise _broken("the archive changed while it was read") from error
        return Member(name, full, packed, fields[3], fields[2], fields[1], min(offset, 2**62) + self._shift, raw)

    def _find_duplicates(self):
        same = np.flatnonzero(self._hashes[1:] == self._hashes[:-1])
        rows = sorted({*same.tolist(), *(same + 1).tolist()})
        counts = Counter(self._member(int(self._places[row])).name for row in rows)
        return [name for name, count in counts.items() for _ in range(count - 1)]


def _is_folder(name):
    return name[-1:] in ("/", "\\")


def _end_records(tail):
    """Where end records may stand: those whose comment ends with the file, outermost first; then those with something after them."""
    found, at = [], tail.find(b"PK\x05\x06")
    while 0 <= at <= len(tail) - END.size:
        found.append(at)
        at = tail.find(b"PK\x05\x06", at + 1)
    comment_ends = {at: at + END.size + END.unpack_from(tail, at)[-1] for at in found}
    return [at for at in found if comment_ends[at] == len(tail)] + [
        at for at in reversed(found) if comment_ends[at] != len(tail)
    ]


def _field(extra, wanted):
    """The data of one extra field (APPNOTE 4.5), empty if there is none."""
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, at)
        if kind == wanted:
            return extra[at + 4 : at + 4 + size]
        at += 4 + size
    return b""


def _sizes(fields, extra):
    """(full size, compressed size, offset) with what the zip64 extra field says; a value that should be there and is not stays 4 GB - 1."""
    values = [fields[5], fields[4], fields[9]]
    if FULL in values:
        data = _field(extra, ZIP64_EXTRA)
        numbers = iter(struct.unpack(f"<{len(data) // 8}Q", data[: len(data) // 8 * 8]))
        values = [next(numbers, FULL) if value == FULL else value for value in values]
    return values


def _utf8(raw):
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return None


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
