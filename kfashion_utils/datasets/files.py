"""Files of a data root, in folders and inside zips alike; nothing is unpacked."""

import hashlib
import unicodedata
from collections import defaultdict, namedtuple
from pathlib import Path, PurePosixPath

from kfashion_utils.errors import InputError
from kfashion_utils.images import CONTAINER_MARK, split_address
from kfashion_utils.storage import open_archive

PICTURE_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp")
SPLIT_FOLDERS = {
    "train": "train", "training": "train", "1.training": "train",
    "valid": "valid", "val": "valid", "validation": "valid", "2.validation": "valid",
    "test": "test", "testing": "test",
}  # fmt: skip
PROBE = 4096  # bytes read from the middle of a file to tell files of equal size apart

# path: as a catalog writes it; folders: names in NFC between the root and the file, without the zip's own; size: bytes
File = namedtuple("File", "path folders stem suffix")


def list_files(root):
    """All files below `root` and inside the zips there, sorted by address: (list of File, list of zips that cannot be read).

    Raises:
        InputError: no such folder, or nothing in it.
    """
    root = Path(root)
    if not root.is_dir():
        raise InputError(f"no folder {root}; --root is the folder that holds the pictures (or their zips)")
    files, broken = [], []
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        address = path.relative_to(root).as_posix()
        if path.suffix.lower() != ".zip":
            files.append(_file(address, address))
            continue
        try:
            names = open_archive(path).infos
        except InputError as error:
            broken.append((address, "archive", "not a zip", str(error)))
            continue
        outside = PurePosixPath(address).parent
        files += [_file(f"{address}{CONTAINER_MARK}{name}", str(outside / name)) for name in sorted(names)]
    files = [file for file in files if not file.stem.startswith(".") and "__MACOSX" not in file.folders]
    if not files and not broken:
        raise InputError(f"{root} is empty; expected pictures, label files or zips of them")
    return files, broken


def _file(address, location):
    location = PurePosixPath(unicodedata.normalize("NFC", location))
    return File(address, location.parts[:-1], location.stem, location.suffix.lower())


def read_bytes(path, root, limit):
    """Bytes of a file or zip member.

    Raises:
        ValueError: larger than `limit` bytes, or an archive member that cannot be read.
    """
    container, member = split_address(path)
    if member is not None:
        return open_archive(Path(root, container)).read(member, limit)
    with open(Path(root, container), "rb") as handle:
        data = handle.read(limit + 1)
    if len(data) > limit:
        raise ValueError(f"too large: more than {limit:,} bytes")
    return data


def content_keys(paths, root):
    """For each path a key that it shares with byte-equal files only, or None if it has no equal.

    Sizes first, then (zip) the stored CRC or (file) a few bytes from the middle, then a hash of the rest of the suspects.
    """
    paths = list(paths)
    suspects = defaultdict(list)
    for number, path in enumerate(paths):
        suspects[_fingerprint(path, root)].append(number)
    keys = [None] * len(paths)
    for numbers in suspects.values():
        if len(numbers) < 2:
            continue
        equal = defaultdict(list)
        for number in numbers:
            equal[_digest(paths[number], root)].append(number)
        for digest, same in equal.items():
            if digest is not None and len(same) > 1:
                for number in same:
                    keys[number] = digest
    return keys


def _fingerprint(path, root):
    container, member = split_address(path)
    if member is not None:
        info = open_archive(Path(root, container)).info(member)
        return info.file_size, info.CRC
    with open(Path(root, container), "rb") as handle:
        size = handle.seek(0, 2)
        handle.seek(max(0, size // 2 - PROBE // 2))
        return size, hash(handle.read(PROBE))


def _digest(path, root):
    try:
        return hashlib.sha256(read_bytes(path, root, 2**30)).hexdigest()
    except ValueError:
        return None  # an encrypted or broken member: it is rejected when its pixels are asked for
