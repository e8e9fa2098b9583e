"""Shards: stored zips of about 2,000 prepared pictures, filled item by item, continued after a kill, sealed under their own hash.

A `ShardWriter` fills one shard; an interrupted one continues where its journal ends. `Shards` finds the items of sealed shards.
"""

import json
import os
import struct
import zlib
from collections import namedtuple
from pathlib import Path

import numpy as np

from kfashion_utils.errors import InputError
from kfashion_utils.storage.files import TEMPORARY, hash_file, lock, make_folder, naming, replace_durably, sync_folder

SYNC_EVERY = 64  # members between two fsyncs of a shard: what a power cut can cost
JOURNAL = ".journal"
REJECTED_MEMBER = "rejected.jsonl"  # every shard ends with the rows of its block that could not be prepared
ZIP_DATE = (1 << 5) | 1  # 1 January 1980 in DOS form: a shard's bytes depend on its members alone
LOCK_PATIENCE = 60  # seconds to wait for the worker of a killed call to end by itself


# Writing a shard ------------------------------------------------------------------------------------------------------

Member = namedtuple("Member", "shard offset size crc")  # where a finished item lies: file, first byte, bytes, CRC-32


class ShardWriter:
    """One shard being filled, in order, by one process: `<folder>/<name>.part` and its journal.

    A journal line is a CRC-32 of its text and the text, JSON. It is written after the member's bytes, so a member that the journal
    names is whole; whatever follows the last good line is cut off when the shard is opened again.

    Raises:
        InputError: another process fills it.
        OSError: the storage failed; the shard can be opened again and continues.
    """

    def __init__(self, folder, name):
        self.part, self.journal = Path(folder, name + TEMPORARY), Path(folder, name + JOURNAL)
        self.members, self.rejected = {}, {}
        self._data = self._log = None
        make_folder(folder)
        try:
            self._data = _open_alone(self.part)
            self._log = os.open(self.journal, os.O_RDWR | os.O_CREAT)
            sync_folder(folder)
            self._resume()
        except BaseException:
            self.close()
            raise

    def _resume(self):
        self._end = self._log_end = 0
        with open(self._log, "rb", closefd=False) as journal:
            for line in journal:
                if not self._take(_read_journal_line(line)):
                    break
                self._log_end += len(line)
        os.ftruncate(self._data, self._end)
        os.ftruncate(self._log, self._log_end)

    def _take(self, entry):
        """Whether a journal entry holds: its member is there, whole."""
        if entry is None:
            return False
        if "rejected" in entry:
            self.rejected[entry["name"]] = entry["rejected"]
            return True
        member = Member(None, entry["offset"], entry["size"], entry["crc"])
        if zlib.crc32(os.pread(self._data, member.size, member.offset)) != member.crc:
            return False
        self.members[entry["name"]] = member
        self._end = member.offset + member.size
        return True

    def __contains__(self, name):
        return name in self.members or name in self.rejected

    def add(self, name, data):
        """Append one member, whole."""
        member = self._append(name, data)
        self._note({"name": name, "offset": member.offset, "size": member.size, "crc": member.crc})
        self.members[name] = member
        self._sync_now_and_then()

    def reject(self, name, record):
        """Note that `name` cannot be prepared; `record` is a list of texts that ends in the shard's table of rejections."""
        self._note({"name": name, "rejected": record})
        self.rejected[name] = record
        self._sync_now_and_then()

    def _append(self, name, data):
        crc, start = zlib.crc32(data), self._end
        self._end += _write(self._data, _local_header(name, crc, len(data)) + data, start, self.part)
        return Member(None, start + 30 + len(name), len(data), crc)

    def _note(self, entry):
        text = json.dumps(entry, ensure_ascii=False).encode("utf-8")
        self._log_end += _write(self._log, b"%08x %s\n" % (zlib.crc32(text), text), self._log_end, self.journal)

    def _sync_now_and_then(self):
        if (len(self.members) + len(self.rejected)) % SYNC_EVERY == 0:
            with naming(self.part):
                os.fsync(self._data)
                os.fsync(self._log)

    def seal(self):
        """Write the zip directory, give the shard its final name (its own SHA-256) and drop the journal; returns the path."""
        members = dict(self.members)
        if self.rejected:
            table = "".join(
                json.dumps([name, *record], ensure_ascii=False) + "\n" for name, record in self.rejected.items()
            )
            members[REJECTED_MEMBER] = self._append(REJECTED_MEMBER, table.encode("utf-8"))
        directory = b"".join(_directory_entry(name, member) for name, member in members.items())
        _write(self._data, directory + _directory_end(len(members), len(directory), self._end), self._end, self.part)
        with naming(self.part):
            os.fsync(self._data)
        final = self.part.with_name(hash_file(self.part) + ".zip")
        replace_durably(self.part, final)
        os.unlink(self.journal)
        self.close()
        return final

    def close(self):
        """Leave the shard as it is; opening it again continues it."""
        for descriptor in (self._data, self._log):
            if descriptor is not None:
                os.close(descriptor)
        self._data = self._log = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def _open_alone(path):
    """Descriptor of a file that no other process fills: the worker of a killed call is given time to end its block."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
        try:
            lock(descriptor, f"{path} is being filled", LOCK_PATIENCE)
            if os.fstat(descriptor).st_ino == os.stat(path).st_ino:
                return descriptor
        except FileNotFoundError:  # sealed while we waited
            pass
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _write(descriptor, data, offset, path):
    """Write all of `data` at `offset`; returns its length."""
    view = memoryview(data)
    with naming(path, len(data)):
        while view:
            view = view[os.pwrite(descriptor, view, offset + len(data) - len(view)) :]
    return len(data)


def _read_journal_line(line):
    checksum, _, text = line.rstrip(b"\n").partition(b" ")
    if not line.endswith(b"\n") or checksum != b"%08x" % zlib.crc32(text):
        return None
    return json.loads(text)


# The form of a shard: PKWARE APPNOTE 6.3, sections 4.3.7, 4.3.12 and 4.3.16; stored (method 0), version 2.0, no extra fields ---

DIRECTORY_ENTRY = struct.Struct("<4s6H3L5H2L")
DIRECTORY_END = struct.Struct("<4s4H2LH")


def _local_header(name, crc, size):
    return struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 0, 0, ZIP_DATE, crc, size, size, len(name), 0) + name.encode(
        "ascii"
    )


def _directory_entry(name, member):
    start = member.offset - 30 - len(name)
    values = (20, 20, 0, 0, 0, ZIP_DATE, member.crc, member.size, member.size, len(name), 0, 0, 0, 0, 0, start)
    return DIRECTORY_ENTRY.pack(b"PK\1\2", *values) + name.encode("ascii")


def _directory_end(count, size, start):
    return DIRECTORY_END.pack(b"PK\5\6", 0, 0, count, count, size, start, 0)


def _read_directory(path):
    """Yield (name, Member) of a sealed shard.

    Raises:
        InputError: the file is not what was sealed.
    """
    try:
        with open(path, "rb") as shard:
            shard.seek(-DIRECTORY_END.size, os.SEEK_END)
            mark, _, _, _, count, size, start, _ = DIRECTORY_END.unpack(shard.read())
            shard.seek(start)
            directory = shard.read(size)
            at = 0
            for _ in range(count if mark == b"PK\5\6" else -1):
                values = DIRECTORY_ENTRY.unpack_from(directory, at)
                length = values[10]
                name = directory[at + DIRECTORY_ENTRY.size : at + DIRECTORY_ENTRY.size + length].decode("ascii")
                yield name, Member(path, values[-1] + 30 + length, values[9], values[7])
                at += DIRECTORY_ENTRY.size + length
    except (struct.error, UnicodeDecodeError) as error:
        raise InputError(f"{path} is damaged ({error}); delete it and prepare again") from error


# Reading shards -------------------------------------------------------------------------------------------------------


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

    PLACE = np.dtype([("shard", "i4"), ("offset", "i8"), ("size", "i8"), ("crc", "u4")])

    def __init__(self, folder, wanted=None):
        self.paths, self.rejected = sealed_shards(folder), {}
        names, places = [], []
        for number, path in enumerate(self.paths):
            found = dict(_read_directory(path))
            if REJECTED_MEMBER in found:
                self._read_rejected(found.pop(REJECTED_MEMBER), wanted)
            name = np.array(list(found), "S")
            place = np.array(
                [(number, member.offset, member.size, member.crc) for member in found.values()], self.PLACE
            )
            keep = slice(None) if wanted is None else contains(wanted, name)
            names.append(name[keep])
            places.append(place[keep])
        names = np.concatenate(names) if names else np.zeros(0, "S1")
        order = names.argsort(kind="stable")
        self._names, self._places = names[order], (np.concatenate(places) if places else np.zeros(0, self.PLACE))[order]

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
        number, *place = self._places[at].tolist()
        return Member(self.paths[number], *place)

    def read(self, name):
        """Bytes of a finished item; see `read_member`."""
        return read_member(self.member(name))


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
        raise InputError(
            f"{member.shard} is damaged (bytes {member.offset:,} to {member.offset + member.size:,}); delete it and prepare again"
        )
    return data
