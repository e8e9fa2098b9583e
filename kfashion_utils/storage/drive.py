"""Google Drive: sealed shards are copied there, flushed, read back and compared; only then they count as being there.

A mounted Drive also slows down with many files in one folder, hence sixteen folders by the first digit of the names.
Names are content hashes and never overwritten; errors are tried again, or not, by their kind. See `drive_folder`.
"""

import contextlib
import errno
import json
import os
import time
from pathlib import Path

from tqdm.auto import tqdm

from kfashion_utils.errors import InputError
from kfashion_utils.storage.drive_folder import DriveFolder, exists
from kfashion_utils.storage.files import (
    TEMPORARY,
    hash_file,
    make_folder,
    naming,
    replace_durably,
    require_space,
    write_json,
)
from kfashion_utils.storage.shards import sealed_shards

RECORD = "drive.json"  # in the local folder: which Drive, and what is proven to be there
MAX_ENTRIES = 1000  # of a folder on Drive
LEFTOVER_AGE = 3600  # seconds after which a temporary file on Drive belongs to nobody
PIECE = 2**22  # bytes copied at a time


class Drive:
    """The shards of one local folder on Drive.

    Args:
        folder: on Drive; made if missing.
        local: the folder of the shards; it keeps a record of what is proven.
        progress: show bars.

    Attributes:
        proven: names of the shards that were read back from Drive and are equal.

    Raises:
        InputError: the folder on Drive is not the one that the record knows; no Drive outside Colab.
        OSError: the storage failed; `DriveGone` where Drive is no longer there.
    """

    def __init__(self, folder, local, progress=True):
        self.folder, self.local, self.progress = Path(folder), Path(local), progress
        record = self._read_record()
        self.there = DriveFolder(folder, record.get("sentinel"), self.local / RECORD)
        self.proven = set(record.get("proven", []))
        self.copied = set()

    def _read_record(self):
        path = self.local / RECORD
        record = json.loads(path.read_text(encoding="utf-8")) if exists(path) else {}
        return record if record.get("folder") == str(self.folder) else {}

    def _write_record(self):
        record = {"folder": str(self.folder), "sentinel": self.there.sentinel, "proven": sorted(self.proven)}
        write_json(self.local / RECORD, record)

    # To Drive ---------------------------------------------------------------------------------------------------------

    def push(self):
        """Copy the local shards that are not there yet; returns how many. They are proven later.

        Raises:
            InputError: a folder on Drive would hold more than 1,000 files.
            OSError: the storage failed.
        """
        there, leftovers = self.there.patiently(self.there.entries)
        self.proven &= there
        todo = [path for path in sealed_shards(self.local) if path.name not in self.proven | self.copied]
        for path in todo:
            if path.name not in there:
                self._require_entries(there, path.name)
                self.there.patiently(self._copy_there, path)
            self.copied.add(path.name)
        _drop_old(leftovers)
        return len(todo)

    def _require_entries(self, there, name):
        if sum(other[0] == name[0] for other in there | self.copied) >= MAX_ENTRIES:
            full = f"{self.folder / name[0]} holds {MAX_ENTRIES:,} files"
            raise InputError(f"{full}, more make Drive fail; name another folder")

    def _copy_there(self, source):
        target = self.there.path(source.name)
        make_folder(target.parent)
        temporary = target.with_name(f".{target.name}{TEMPORARY}")
        with naming(target, source.stat().st_size), open(source, "rb") as original, open(temporary, "wb") as copy:
            for piece in iter(lambda: original.read(PIECE), b""):
                copy.write(piece)
            copy.flush()
            os.fsync(copy.fileno())
        replace_durably(temporary, target)

    def prove(self):
        """Flush, read back and compare what was copied; a copy that differs is made once more.

        Returns:
            (shards, bytes, seconds).

        Raises:
            OSError: Drive failed, or gave back other bytes twice.
        """
        started = time.monotonic()
        names = sorted(self.copied)
        sizes = sum((self.local / name).stat().st_size for name in names)
        different = self._compare(names) if names else []
        if different:
            for name in different:
                self.there.patiently(os.unlink, self.there.path(name))
                self.there.patiently(self._copy_there, self.local / name)
            different = self._compare(different)
        if different:
            count = f"{len(different)} of {len(names)} shards"
            text = f"Drive twice gave back other bytes than it was given, for {count}"
            raise OSError(errno.EIO, text, str(self.there.path(different[0])))
        return len(names), sizes, time.monotonic() - started

    def _compare(self, names):
        self._flush()
        different = []
        for name in tqdm(names, desc="read back from Drive", unit="shard", disable=not self.progress):
            if self.there.patiently(self._hash_there, name) == Path(name).stem:
                self.copied.discard(name)
                self.proven.add(name)
            else:
                different.append(name)
        self._write_record()
        return different

    def _hash_there(self, name):
        try:
            _forget_pages(self.there.path(name))
            return hash_file(self.there.path(name))
        except FileNotFoundError:
            self.there.require_alive()
            return None

    def _flush(self):
        self.there.flush(self.copied)

    # From Drive -------------------------------------------------------------------------------------------------------

    def pull(self):
        """Copy the shards that are not here, each checked by its hash; an interrupted copy goes on where it stopped.

        Returns:
            (names that came, names whose bytes on Drive are not what the name says). The latter files are set aside as
            `….damaged`.
        """
        here = {path.name for path in sealed_shards(self.local)}
        there, _ = self.there.patiently(self.there.entries)
        missing = sorted(there - here)
        if not missing:
            return [], []
        sizes = {name: self.there.patiently(os.path.getsize, self.there.path(name)) for name in missing}
        total = sum(sizes.values())
        require_space(self.local, total, f"copying {len(missing):,} shards from Drive")
        came, damaged, done = [], [], 0
        with tqdm(total=total, desc="from Drive", unit="B", unit_scale=True, disable=not self.progress) as bar:
            for name in missing:
                whole = self._fetch(name, bar, done)
                (came if whole else damaged).append(name)
                done += sizes[name]
        self.proven.update(came)
        self._write_record()
        return came, damaged

    def _fetch(self, name, bar, done):
        """Whether a shard came whole: continued, else once more from its beginning."""
        temporary = self.local / f".{name}{TEMPORARY}"
        for _ in range(2):
            self.there.patiently(self._copy_here, name, temporary, bar, done)
            if hash_file(temporary) == Path(name).stem:
                replace_durably(temporary, self.local / name)
                return True
            temporary.unlink()
        self.there.require_alive()
        self.there.patiently(os.replace, self.there.path(name), self.there.path(name + ".damaged"))
        return False

    def _copy_here(self, name, temporary, bar, done):
        with naming(temporary), open(self.there.path(name), "rb") as original, open(temporary, "ab") as copy:
            original.seek(copy.tell())
            for piece in iter(lambda: original.read(PIECE), b""):
                copy.write(piece)
                bar.update(done + copy.tell() - bar.n)
            copy.flush()
            os.fsync(copy.fileno())


def _drop_old(leftovers):
    """Delete temporary files of calls that were killed elsewhere, an hour old at least."""
    for path in leftovers:
        with contextlib.suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > LEFTOVER_AGE:
                path.unlink()


def _forget_pages(path):
    """Ask the kernel to read a file from its storage again, not from memory."""
    with open(path, "rb") as handle:
        os.posix_fadvise(handle.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
