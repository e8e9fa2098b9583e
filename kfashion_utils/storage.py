"""Durable files: a finished name is a finished file.

`write_bytes` replaces a file as a whole or not at all. A `ShardWriter` fills one shard (a stored zip) member by member and
continues after a kill where its journal ends; `read_shards` finds the members of finished shards.
"""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import shutil
import struct
import zipfile
import zlib
from collections import namedtuple
from pathlib import Path

from kfashion_utils.errors import InputError

SYNC_EVERY = 64  # members between two fsyncs of a shard: what a power cut can cost
TEMPORARY = ".part"
REJECTED_MEMBER = "rejected.jsonl"  # every shard ends with the rows of its block that could not be prepared
ZIP_DATE = (1 << 5) | 1  # 1 January 1980 in DOS form: a shard's bytes depend on its members alone


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


def replace_durably(temporary, path):
    """Give a written and synced `temporary` its final name."""
    os.replace(temporary, path)
    sync_folder(Path(path).parent)


@contextlib.contextmanager
def finished_file(path, suffix=TEMPORARY):
    """Yield a temporary path beside `path`; sync it and give it its final name when the block ends without an error."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}{suffix}")
    try:
        yield temporary
        with open(temporary, "rb+") as handle:
            os.fsync(handle.fileno())
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


@contextlib.contextmanager
def only_one(folder, doing):
    """Lock `folder` for this process while the block runs; nothing is left behind.

    Raises:
        InputError: another process has it.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(f"{folder} {doing} by another process; wait for it, or end it") from error
        except OSError as error:
            if error.errno not in (errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL):  # a mount such as Drive that knows no locks
                raise
        yield
    finally:
        os.close(descriptor)


def hash_file(path, algorithm="sha256"):
    """Hex digest of a file's content, read in pieces."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, algorithm).hexdigest()


def require_space(folder, needed, what):
    """Refuse to start work for which `folder` has no room.

    Raises:
        InputError: names the bytes that are missing.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise InputError(f"{what} needs about {needed / 1e9:.1f} GB in {folder}, {free / 1e9:.1f} GB are free; free {(needed - free) / 1e9:.1f} GB or choose another folder")


# Shards ---------------------------------------------------------------------------------------------------------------

Member = namedtuple("Member", "shard offset size crc")  # where a finished item lies: file, first byte, bytes, CRC-32


class ShardWriter:
    """One shard being filled, in order, by one process: `<folder>/<name>.part` and its journal.

    A journal line is a CRC-32 of its text and the text, JSON. It is written after the member's bytes, so a member that the journal
    names is whole; whatever follows the last good line is cut off when the shard is opened again.
    """

    def __init__(self, folder, name):
        self.part = Path(folder, name + TEMPORARY)
        self.journal = Path(folder, name + ".journal")
        self.part.parent.mkdir(parents=True, exist_ok=True)
        self.members, self.rejected = {}, {}
        self._data = open(self.part, "ab+")
        self._log = open(self.journal, "ab+")
        self._resume()

    def _resume(self):
        end = journal_end = 0
        self._log.seek(0)
        for line in self._log:
            entry = _read_journal_line(line)
            if entry is None:
                break
            if "rejected" in entry:
                self.rejected[entry["name"]] = entry["rejected"]
            else:
                member = Member(None, entry["offset"], entry["size"], entry["crc"])
                self._data.seek(member.offset)
                if zlib.crc32(self._data.read(member.size)) != member.crc:
                    break
                self.members[entry["name"]] = member
                end = member.offset + member.size
            journal_end += len(line)
        self._data.truncate(end)
        self._log.truncate(journal_end)

    def __contains__(self, name):
        return name in self.members or name in self.rejected

    def add(self, name, data):
        """Append one member, whole."""
        self.members[name] = member = self._append(name, data)
        self._note({"name": name, "offset": member.offset, "size": member.size, "crc": member.crc})

    def _append(self, name, data):
        crc = zlib.crc32(data)
        start = self._data.seek(0, os.SEEK_END)
        self._data.write(_local_header(name, crc, len(data)) + data)
        self._data.flush()
        return Member(None, start + 30 + len(name), len(data), crc)

    def reject(self, name, record):
        """Note that `name` cannot be prepared; `record` is a list of texts that ends in the shard's table of rejections."""
        self.rejected[name] = record
        self._note({"name": name, "rejected": record})

    def _note(self, entry):
        text = json.dumps(entry, ensure_ascii=False).encode("utf-8")
        self._log.write(b"%08x %s\n" % (zlib.crc32(text), text))
        self._log.flush()
        if (len(self.members) + len(self.rejected)) % SYNC_EVERY == 0:
            self._sync()

    def _sync(self):
        os.fsync(self._data.fileno())
        os.fsync(self._log.fileno())

    def seal(self):
        """Write the zip directory, give the shard its final name (its own SHA-256) and drop the journal; returns the path."""
        members = dict(self.members)
        if self.rejected:
            table = "".join(json.dumps([name, *record], ensure_ascii=False) + "\n" for name, record in self.rejected.items())
            members[REJECTED_MEMBER] = self._append(REJECTED_MEMBER, table.encode("utf-8"))
        start = self._data.seek(0, os.SEEK_END)
        directory = b"".join(_directory_entry(name, member) for name, member in members.items())
        self._data.write(directory + _directory_end(len(members), len(directory), start))
        self._data.flush()
        self._sync()
        self.close()
        final = self.part.with_name(hash_file(self.part) + ".zip")
        replace_durably(self.part, final)
        self.journal.unlink()
        return final

    def close(self):
        """Leave the shard as it is; opening it again continues it."""
        self._data.close()
        self._log.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def _read_journal_line(line):
    checksum, _, text = line.rstrip(b"\n").partition(b" ")
    if not line.endswith(b"\n") or checksum != b"%08x" % zlib.crc32(text):
        return None
    return json.loads(text)


def _local_header(name, crc, size):
    # PKWARE APPNOTE 4.3.7: stored (method 0), version 2.0, no extra field
    return struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 0, 0, ZIP_DATE, crc, size, size, len(name), 0) + name.encode("ascii")


def _directory_entry(name, member):
    # APPNOTE 4.3.12
    start = member.offset - 30 - len(name)
    values = (20, 20, 0, 0, 0, ZIP_DATE, member.crc, member.size, member.size, len(name), 0, 0, 0, 0, 0, start)
    return struct.pack("<4s6H3L5H2L", b"PK\1\2", *values) + name.encode("ascii")


def _directory_end(count, size, start):
    # APPNOTE 4.3.16
    return struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, size, start, 0)


def sealed_shards(folder):
    """Paths of the finished shards of a folder, sorted."""
    return sorted(path for path in Path(folder).glob("*.zip") if len(path.stem) == 64)


def read_shards(folder, wanted=None):
    """Members of all finished shards: ({name: Member}, {name: record of a rejection}); only `wanted` names if given."""
    members, rejected = {}, {}
    for path in sealed_shards(folder):
        with _open_shard(path) as shard:
            for info in shard.infolist():
                if info.filename == REJECTED_MEMBER:
                    rows = [json.loads(line) for line in shard.read(info).decode("utf-8").splitlines()]
                    rejected.update({name: record for name, *record in rows if wanted is None or name in wanted})
                elif wanted is None or info.filename in wanted:
                    start = info.header_offset + 30 + len(info.filename)
                    members[info.filename] = Member(path, start, info.file_size, info.CRC)
    return members, rejected


def _open_shard(path):
    try:
        return zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise InputError(f"{path} is damaged ({error}); delete it and prepare again") from error


def read_member(member):
    """Bytes of one finished member, checked.

    Raises:
        InputError: the shard was changed after it was sealed.
    """
    with open(member.shard, "rb") as handle:
        handle.seek(member.offset)
        data = handle.read(member.size)
    if zlib.crc32(data) != member.crc:
        raise InputError(f"{member.shard} is damaged (bytes {member.offset:,} to {member.offset + member.size:,}); delete it and prepare again")
    return data
