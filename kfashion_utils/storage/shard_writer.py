"""Writing shards: one shard is filled item by item, continued after a kill, and sealed under its own hash.

A shard is a stored zip whose bytes depend on its members alone; see `shards`.
"""

import json
import os
import struct
import zlib
from pathlib import Path

from kfashion_utils.storage.files import TEMPORARY, hash_file, lock, make_folder, naming, replace_durably, sync_folder
from kfashion_utils.storage.shards import REJECTED_MEMBER, Member

SYNC_EVERY = 64  # members between two fsyncs of a shard: what a power cut can cost
JOURNAL = ".journal"
ZIP_DATE = (1 << 5) | 1  # 1 January 1980 in DOS form: a shard's bytes depend on its members alone
LOCK_PATIENCE = 60  # seconds to wait for the worker of a killed call to end by itself


class ShardWriter:
    """One shard being filled, in order, by one process: `<folder>/<name>.part` and its journal.

    A journal line is a CRC-32 of its text and the text, JSON. It is written after the member's bytes, so a member that
    the journal names is whole; whatever follows the last good line is cut off when the shard is opened again.

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
        """Note that `name` cannot be prepared.

        Args:
            name: of the item.
            record: list of texts, a row of the shard's table of rejections.
        """
        self._note({"name": name, "rejected": record})
        self.rejected[name] = record
        self._sync_now_and_then()

    def _append(self, name, data):
        crc, start = zlib.crc32(data), self._end
        self._end += _write(self._data, _local_header(name, crc, len(data)) + data, start, self.part)
        return Member(None, start + LOCAL_HEADER.size + len(name), len(data), crc)

    def _note(self, entry):
        text = json.dumps(entry, ensure_ascii=False).encode("utf-8")
        self._log_end += _write(self._log, b"%08x %s\n" % (zlib.crc32(text), text), self._log_end, self.journal)

    def _sync_now_and_then(self):
        if (len(self.members) + len(self.rejected)) % SYNC_EVERY == 0:
            with naming(self.part):
                os.fsync(self._data)
                os.fsync(self._log)

    def seal(self):
        """Write the zip directory, give the shard its final name, its own SHA-256, and drop the journal.

        Returns:
            Path of the sealed shard.
        """
        members = dict(self.members)
        if self.rejected:
            rows = [[name, *record] for name, record in self.rejected.items()]
            table = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            members[REJECTED_MEMBER] = self._append(REJECTED_MEMBER, table.encode("utf-8"))
        directory = b"".join(_directory_entry(name, member) for name, member in members.items())
        end = _directory_end(len(members), len(directory), self._end)
        _write(self._data, directory + end, self._end, self.part)
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


# The form of a shard -------------------------------------------------------------------------------------------------
# PKWARE APPNOTE 6.3, sections 4.3.7, 4.3.12 and 4.3.16; stored (method 0), version 2.0, no extra fields

LOCAL_HEADER = struct.Struct("<4s5H3L2H")
DIRECTORY_ENTRY = struct.Struct("<4s6H3L5H2L")
DIRECTORY_END = struct.Struct("<4s4H2LH")


def _local_header(name, crc, size):
    values = 20, 0, 0, 0, ZIP_DATE, crc, size, size, len(name), 0
    return LOCAL_HEADER.pack(b"PK\3\4", *values) + name.encode("ascii")


def _directory_entry(name, member):
    start = member.offset - LOCAL_HEADER.size - len(name)
    values = (20, 20, 0, 0, 0, ZIP_DATE, member.crc, member.size, member.size, len(name), 0, 0, 0, 0, 0, start)
    return DIRECTORY_ENTRY.pack(b"PK\1\2", *values) + name.encode("ascii")


def _directory_end(count, size, start):
    return DIRECTORY_END.pack(b"PK\5\6", 0, 0, count, count, size, start, 0)
