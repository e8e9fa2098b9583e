"""Google Drive: sealed shards are copied there, flushed, read back and compared; only then they count as being there.

In Colab the folder lies on the mounted Drive (`colab`). Anywhere else it is a plain folder. A mounted Drive forgets
what it was not made to flush, answers "no such file" when it is gone, and slows down with many files in one folder
(TRAPS 25-30). Hence: a sentinel file that must be readable before an absence is believed, names that are content hashes
and never overwritten, sixteen folders by the first digit of the hash, and retries by kind of error.
"""

import contextlib
import errno
import functools
import json
import os
import re
import time
import uuid
from pathlib import Path

from tqdm.auto import tqdm

from kfashion_utils.errors import InputError
from kfashion_utils.storage.colab import flush_and_unmount, is_on_drive, mount_drive
from kfashion_utils.storage.files import (
    TEMPORARY,
    hash_file,
    make_folder,
    naming,
    patiently,
    replace_durably,
    require_space,
    sync_folder,
    write_json,
)
from kfashion_utils.storage.shards import sealed_shards

SENTINEL = "kfashion-drive.json"
RECORD = "drive.json"  # in the local folder: which Drive, and what is proven to be there
DIGITS = "0123456789abcdef"
MAX_ENTRIES = 1000  # of a folder on Drive
LEFTOVER_AGE = 3600  # seconds after which a temporary file on Drive belongs to nobody
PIECE = 2**22  # bytes copied at a time
SHARD = re.compile(r"[0-9a-f]{64}\.zip")
REMEDY = (
    "mount Drive again (in Colab: Runtime > Restart session, then run the cells again) "
    "and repeat the call: it continues"
)


class DriveGone(OSError):
    """The Drive folder cannot be reached any more; what it lacks must not be believed."""


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
        if is_on_drive(self.folder):
            mount_drive()
        record = self._read_record()
        patiently(self._meet_sentinel, record.get("sentinel"), remount=self._remount())
        self.proven = set(record.get("proven", []))
        self.copied = set()

    # Drive itself -----------------------------------------------------------------------------------------------------

    def _read_record(self):
        path = self.local / RECORD
        record = json.loads(path.read_text(encoding="utf-8")) if _exists(path) else {}
        return record if record.get("folder") == str(self.folder) else {}

    def _write_record(self):
        record = {"folder": str(self.folder), "sentinel": self._sentinel, "proven": sorted(self.proven)}
        write_json(self.local / RECORD, record)

    def _meet_sentinel(self, known):
        path = self.folder / SENTINEL
        there = _exists(path)
        if not there and known:
            raise InputError(
                f"{self.folder} no longer holds {SENTINEL}: it is another folder, was emptied, or Drive is gone. "
                f"If it was emptied on purpose, delete {self.local / RECORD}; otherwise {REMEDY}"
            )
        if not there:
            what = "prepared pictures of kfashion; each zip is named by its SHA-256"
            write_json(path, {"id": uuid.uuid4().hex, "what": what})  # and makes the folder
        self._sentinel = self._read_sentinel()
        if known and known != self._sentinel:
            raise InputError(
                f"{self.folder} is not the folder that {self.local / RECORD} knows; delete that file to begin anew"
            )

    def _read_sentinel(self):
        try:
            return json.loads((self.folder / SENTINEL).read_text(encoding="utf-8"))["id"]
        except (FileNotFoundError, NotADirectoryError, ValueError, KeyError) as error:
            raise _gone("Drive is gone", self.folder) from error

    def require_alive(self):
        """Raise `DriveGone` unless the sentinel can be read: an absence on a dead mount says nothing."""
        if self._read_sentinel() != self._sentinel:
            raise _gone("another folder stands there now", self.folder)

    def _remount(self):
        return functools.partial(mount_drive, again=True) if is_on_drive(self.folder) else None

    def _patiently(self, work, *arguments):
        try:
            return patiently(work, *arguments, remount=self._remount())
        except OSError as error:
            if error.errno != errno.ENOTCONN or isinstance(error, DriveGone):
                raise
            raise _gone("Drive is gone", self.folder) from error

    # What is there ----------------------------------------------------------------------------------------------------

    def path(self, name):
        """Where a shard lies on Drive."""
        return self.folder / name[0] / name

    def names(self):
        """Names of the shards on Drive; the sentinel is read afterwards: a dead mount is not taken for an empty one."""
        found, self._leftovers = set(), []
        for digit in DIGITS:
            try:
                entries = os.listdir(self.folder / digit)
            except FileNotFoundError:
                continue
            found.update(name for name in entries if SHARD.fullmatch(name))
            self._leftovers += [self.folder / digit / name for name in entries if name.endswith(TEMPORARY)]
        self.require_alive()
        return found

    # To Drive ---------------------------------------------------------------------------------------------------------

    def push(self):
        """Copy the local shards that are not there yet; returns how many. They are proven later.

        Raises:
            InputError: a folder on Drive would hold more than 1,000 files.
            OSError: the storage failed.
        """
        there = self._patiently(self.names)
        self.proven &= there
        todo = [path for path in sealed_shards(self.local) if path.name not in self.proven | self.copied]
        for path in todo:
            if path.name not in there:
                self._require_entries(there, path.name)
                self._patiently(self._copy_there, path)
            self.copied.add(path.name)
        self._drop_leftovers()
        return len(todo)

    def _drop_leftovers(self):
        """Temporary files of calls that were killed elsewhere, an hour old at least."""
        for path in self._leftovers:
            with contextlib.suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > LEFTOVER_AGE:
                    path.unlink()

    def _require_entries(self, there, name):
        if sum(other[0] == name[0] for other in there | self.copied) >= MAX_ENTRIES:
            full = f"{self.folder / name[0]} holds {MAX_ENTRIES:,} files"
            raise InputError(f"{full}, more make Drive fail; name another folder")

    def _copy_there(self, source):
        target = self.path(source.name)
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
                self._patiently(os.unlink, self.path(name))
                self._patiently(self._copy_there, self.local / name)
            different = self._compare(different)
        if different:
            count = f"{len(different)} of {len(names)} shards"
            text = f"Drive twice gave back other bytes than it was given, for {count}"
            raise OSError(errno.EIO, text, str(self.path(different[0])))
        return len(names), sizes, time.monotonic() - started

    def _compare(self, names):
        self._flush()
        different = []
        for name in tqdm(names, desc="read back from Drive", unit="shard", disable=not self.progress):
            if self._patiently(self._hash_there, name) == Path(name).stem:
                self.copied.discard(name)
                self.proven.add(name)
            else:
                different.append(name)
        self._write_record()
        return different

    def _hash_there(self, name):
        try:
            _forget_pages(self.path(name))
            return hash_file(self.path(name))
        except FileNotFoundError:
            self.require_alive()
            return None

    def _flush(self):
        """Make Drive upload what it holds back: in Colab by unmounting, elsewhere by syncing the folders."""
        if not is_on_drive(self.folder):
            for digit in {name[0] for name in self.copied}:
                sync_folder(self.folder / digit)
            return
        try:
            flush_and_unmount()
        except ValueError as error:  # what Colab raises when the unmounting takes too long
            raise _gone(f"Drive did not finish uploading ({error})", self.folder) from error
        mount_drive(again=True)
        self.require_alive()

    # From Drive -------------------------------------------------------------------------------------------------------

    def pull(self):
        """Copy the shards that are not here, each checked by its hash; an interrupted copy goes on where it stopped.

        Returns:
            (names that came, names whose bytes on Drive are not what the name says). The latter files are set aside as
            `….damaged`.
        """
        here = {path.name for path in sealed_shards(self.local)}
        missing = sorted(self._patiently(self.names) - here)
        if not missing:
            return [], []
        sizes = {name: self._patiently(os.path.getsize, self.path(name)) for name in missing}
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
            self._patiently(self._copy_here, name, temporary, bar, done)
            if hash_file(temporary) == Path(name).stem:
                replace_durably(temporary, self.local / name)
                return True
            temporary.unlink()
        self.require_alive()
        self._patiently(os.replace, self.path(name), self.path(name + ".damaged"))
        return False

    def _copy_here(self, name, temporary, bar, done):
        with naming(temporary), open(self.path(name), "rb") as original, open(temporary, "ab") as copy:
            original.seek(copy.tell())
            for piece in iter(lambda: original.read(PIECE), b""):
                copy.write(piece)
                bar.update(done + copy.tell() - bar.n)
            copy.flush()
            os.fsync(copy.fileno())


def _exists(path):
    """Whether a file is there; an error where the storage cannot say (`os.path.exists` is False on a dead mount)."""
    try:
        os.stat(path)
    except FileNotFoundError:
        return False
    return True


def _forget_pages(path):
    """Ask the kernel to read a file from its storage again, not from memory."""
    with open(path, "rb") as handle:
        os.posix_fadvise(handle.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _gone(what, folder):
    return DriveGone(errno.ENOTCONN, f"{what}; {REMEDY}", str(folder))
