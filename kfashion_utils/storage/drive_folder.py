"""One folder on Google Drive: whether it is still the same one and still there, and which shards it holds.

In Colab it lies on the mounted Drive (`colab`); anywhere else it is a plain folder. A mounted Drive forgets what it was
not made to flush and answers "no such file" when it is gone (TRAPS 25-30): an absence is believed only if a sentinel
file can be read afterwards.
"""

import errno
import functools
import json
import os
import re
import uuid
from pathlib import Path

from kfashion_utils.errors import InputError
from kfashion_utils.storage.colab import flush_and_unmount, is_on_drive, mount_drive, require_mounted
from kfashion_utils.storage.files import TEMPORARY, patiently, sync_folder, write_json

SENTINEL = "kfashion-drive.json"
DIGITS = "0123456789abcdef"
SHARD = re.compile(r"[0-9a-f]{64}\.zip")
REMEDY = (
    "mount Drive again (in Colab: Runtime > Restart session, then run the cells again) "
    "and repeat the call: it continues"
)


class DriveGone(OSError):
    """The Drive folder cannot be reached any more; what it lacks must not be believed."""


class DriveFolder:
    """A folder on Drive with shards in sixteen folders below it, by the first digit of their names.

    Args:
        folder: made if missing.
        known: what its sentinel said when it was met before; None = never.
        record: path of the file that knows it, for messages.

    Attributes:
        folder: its path.
        sentinel: what its sentinel says.

    Raises:
        InputError: it is not the folder that is known; no Drive outside Colab.
        OSError: the storage failed; `DriveGone` where Drive is no longer there.
    """

    def __init__(self, folder, known, record):
        self.folder = Path(folder)
        require_mounted(self.folder)
        self.sentinel = patiently(self._meet, known, record, remount=self._remount())

    def _meet(self, known, record):
        path = self.folder / SENTINEL
        there = exists(path)
        if not there and known:
            raise InputError(
                f"{self.folder} no longer holds {SENTINEL}: it is another folder, was emptied, or Drive is gone. "
                f"If it was emptied on purpose, delete {record}; otherwise {REMEDY}"
            )
        if not there:
            what = "prepared pictures of kfashion; each zip is named by its SHA-256"
            write_json(path, {"id": uuid.uuid4().hex, "what": what})  # and makes the folder
        sentinel = self._read_sentinel()
        if known and known != sentinel:
            raise InputError(f"{self.folder} is not the folder that {record} knows; delete that file to begin anew")
        return sentinel

    def _read_sentinel(self):
        try:
            return json.loads((self.folder / SENTINEL).read_text(encoding="utf-8"))["id"]
        except (FileNotFoundError, NotADirectoryError, ValueError, KeyError) as error:
            raise self._gone("Drive is gone") from error

    def _gone(self, what):
        return DriveGone(errno.ENOTCONN, f"{what}; {REMEDY}", str(self.folder))

    def _remount(self):
        return functools.partial(mount_drive, again=True) if is_on_drive(self.folder) else None

    def require_alive(self):
        """Raise `DriveGone` unless the sentinel can be read: an absence on a dead mount says nothing."""
        if self._read_sentinel() != self.sentinel:
            raise self._gone("another folder stands there now")

    def patiently(self, work, *arguments):
        """`files.patiently`; in Colab a lost connection is mounted again once.

        Raises:
            DriveGone: the connection is lost for good.
        """
        try:
            return patiently(work, *arguments, remount=self._remount())
        except OSError as error:
            if error.errno != errno.ENOTCONN or isinstance(error, DriveGone):
                raise
            raise self._gone("Drive is gone") from error

    def path(self, name):
        """Where a shard lies."""
        return self.folder / name[0] / name

    def entries(self):
        """(names of the shards, set; paths of temporary files); the sentinel is read afterwards."""
        names, leftovers = set(), []
        for digit in DIGITS:
            try:
                found = os.listdir(self.folder / digit)
            except FileNotFoundError:
                continue
            names.update(name for name in found if SHARD.fullmatch(name))
            leftovers += [self.folder / digit / name for name in found if name.endswith(TEMPORARY)]
        self.require_alive()
        return names, leftovers

    def flush(self, names):
        """Make Drive upload the shards that it holds back: in Colab by unmounting, elsewhere by syncing the folders."""
        if not is_on_drive(self.folder):
            for digit in {name[0] for name in names}:
                sync_folder(self.folder / digit)
            return
        try:
            flush_and_unmount()
        except ValueError as error:  # what Colab raises when the unmounting takes too long
            raise self._gone(f"Drive did not finish uploading ({error})") from error
        mount_drive(again=True)
        self.require_alive()


def exists(path):
    """Whether a file is there; an error where the storage cannot say (`os.path.exists` is False on a dead mount)."""
    try:
        os.stat(path)
    except FileNotFoundError:
        return False
    return True
