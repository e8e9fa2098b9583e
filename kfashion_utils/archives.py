"""Zips made by others, read in place: names in NFC whatever their encoding, members under limits of size and ratio."""

import errno
import functools
import lzma
import os
import unicodedata
import zipfile
import zlib
from pathlib import Path

from kfashion_utils.errors import InputError

MAX_MEMBER_RATIO = 200  # uncompressed : compressed; a photograph or a label file stays far below


class Archive:
    """A zip read in place: members under names in NFC, whatever encoding the zip was made with.

    Names without the UTF-8 flag are read as UTF-8, then cp949 (Windows in Korea), then cp437 (the zip standard).

    Raises:
        InputError: not a zip.
    """

    def __init__(self, path):
        self.path = Path(path)
        self._zip = self._open()
        self.infos = {unicodedata.normalize("NFC", info.filename): info for info in self._zip.infolist() if not info.is_dir()}

    def _open(self):
        for encoding in ("utf-8", "cp949", None):
            try:
                return zipfile.ZipFile(self.path, metadata_encoding=encoding)
            except UnicodeDecodeError:
                continue
            except (zipfile.BadZipFile, NotImplementedError) as error:
                raise InputError(f"{self.path} is not a zip that can be read: {error}; download it again") from error

    def info(self, name):
        """The ZipInfo of a member; KeyError if there is none."""
        return self.infos[unicodedata.normalize("NFC", name)]

    def read(self, name, limit):
        """Bytes of a member.

        Raises:
            ValueError: larger than `limit` bytes, compressed beyond reason, encrypted, or broken; the text says which.
        """
        info = self.info(name)
        if info.file_size > limit or info.file_size > MAX_MEMBER_RATIO * max(info.compress_size, 1):
            raise ValueError(f"too large: {info.file_size:,} bytes from {info.compress_size:,} compressed; the limit is {limit:,}")
        if info.flag_bits & 1:
            raise ValueError("encrypted")
        try:
            return self._zip.read(info)
        except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, RuntimeError, NotImplementedError, EOFError) as error:
            raise ValueError(f"broken archive member: {error}") from error
        except OSError as error:
            if error.errno not in (None, errno.EINVAL):  # else bz2 found damaged data: the storage itself did not fail
                raise
            raise ValueError(f"broken archive member: {error}") from error


@functools.lru_cache(maxsize=16)
def _open_archive(path, _version):
    return Archive(path)


def open_archive(path):
    """`Archive(path)`, kept open while the file does not change."""
    stat = os.stat(path)
    return _open_archive(str(path), (stat.st_size, stat.st_mtime_ns))
