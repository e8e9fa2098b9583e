"""Files of a data root, in folders and inside zips alike; nothing is unpacked."""

import hashlib
import os
import unicodedata
from collections import defaultdict, namedtuple
from pathlib import Path, PurePosixPath

from kfashion_utils.archives import open_archive
from kfashion_utils.errors import InputError
from kfashion_utils.images import CONTAINER_MARK, split_address

PICTURE_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp")
OTHER_PICTURES = (".tif", ".tiff", ".heic", ".heif", ".avif", ".jp2", ".psd", ".svg", "")  # known to be pictures, or to be nothing known
SPLIT_FOLDERS = {
    "train": "train", "training": "train", "1.training": "train",
    "valid": "valid", "val": "valid", "validation": "valid", "2.validation": "valid",
    "test": "test", "testing": "test",
}  # fmt: skip
PROBE = 4096  # bytes read from the middle of a file to tell files of equal size apart

# path: as a catalog writes it; folders: names in NFC between the root and the file, without the zip's own; size: bytes
File = namedtuple("File", "path folders stem suffix")


def list_files(root):
    """All files below `root` and inside the zips there, sorted by address: (list of File, list of rejections).

    Rejected are zips that cannot be read or lie inside a zip, pictures in a format that is not decoded, links that lead nowhere, and
    names that a catalog cannot hold. Folders of prepared pictures (they hold `recipe.json`) are passed over.

    Raises:
        InputError: no such folder, or nothing in it.
    """
    root = Path(root)
    if not root.is_dir():
        raise InputError(f"no folder {root}; --root is the folder that holds the pictures (or their zips)")
    files, rejected = [], []
    for path in _walk(root):
        address = path.relative_to(root).as_posix()
        problem = _problem(path, address)
        if problem:
            rejected.append((address.encode("utf-8", "backslashreplace").decode(), *problem))
        elif path.suffix.lower() != ".zip":
            files.append(_file(address, address))
        else:
            outside = PurePosixPath(address).parent
            files += [_file(f"{address}{CONTAINER_MARK}{name}", str(outside / name)) for name in sorted(open_archive(path).infos)]
    files = [file for file in files if not file.stem.startswith(".") and "__MACOSX" not in file.folders]
    if not files and not rejected:
        raise InputError(f"{root} is empty; expected pictures, label files or zips of them")
    usable = []
    for file in files:
        problem = _member_problem(file)
        rejected += [(file.path, *problem)] if problem else []
        usable += [] if problem else [file]
    return usable, rejected


def _walk(root):
    found = []
    for folder, folders, names in os.walk(root, followlinks=True):
        folders[:] = [] if "recipe.json" in names else [name for name in folders if not _leads_back(Path(folder, name))]
        found += [Path(folder, name) for name in names if "recipe.json" not in names]
    return sorted(found)


def _leads_back(folder):
    return folder.is_symlink() and folder.resolve() in (folder.absolute(), *folder.absolute().resolve().parents, *folder.parent.resolve().parents, folder.parent.resolve())


def _problem(path, address):
    """(kind, reason, detail) of a file on disk that cannot be used, or None."""
    kind = "label" if path.suffix.lower() == ".json" else "archive" if path.suffix.lower() == ".zip" else "picture"
    try:
        address.encode("utf-8")
    except UnicodeEncodeError:
        return kind, "file name is not UTF-8", "unpacked with another encoding? read the zip in place instead"
    if not path.exists():
        return kind, "link that leads nowhere", f"points to {os.readlink(path)}"
    if not path.is_file():
        return kind, "not a regular file", "a device or a pipe"
    if kind == "archive":
        try:
            open_archive(path)
        except (InputError, OSError) as error:
            return kind, "not a zip", str(error)
    return None


def _member_problem(file):
    container, member = split_address(file.path)
    name = member or file.path
    kind = "label" if file.suffix == ".json" else "picture"
    if file.path.count(CONTAINER_MARK) > (member is not None and container.lower().endswith(".zip")):
        return kind, "name holds '::'", "which in a catalog separates a zip from its member"
    if name.startswith("/") or ".." in PurePosixPath(name.replace("\\", "/")).parts:
        return kind, "path leaves the archive", name
    if member and file.suffix == ".zip":
        return "archive", "zip inside a zip", "unpack the outer one"
    if file.suffix in OTHER_PICTURES:
        return "picture", "format is not decoded", f"{file.suffix or 'no suffix'}; convert it to {', '.join(PICTURE_SUFFIXES[:2])} or .png"
    return None


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
    if not os.access(Path(root, container), os.R_OK):
        return None, path  # its pixels are asked for, and rejected, later
    with open(Path(root, container), "rb") as handle:
        size = handle.seek(0, 2)
        handle.seek(max(0, size // 2 - PROBE // 2))
        return size, hash(handle.read(PROBE))


def _digest(path, root):
    try:
        return hashlib.sha256(read_bytes(path, root, 2**30)).hexdigest()
    except (ValueError, OSError):
        return None  # an encrypted or broken member: it is rejected when its pixels are asked for
