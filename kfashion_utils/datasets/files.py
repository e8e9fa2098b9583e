"""Files of a data root, in folders and inside zips alike; nothing is unpacked."""

import errno
import functools
import hashlib
import os
import re
import stat
import sys
import unicodedata
from collections import Counter, defaultdict, namedtuple
from pathlib import Path, PurePosixPath

from kfashion_utils import extras
from kfashion_utils.datasets.foreign_archives import foreign_archive
from kfashion_utils.datasets.service import is_service_folder, service_folder
from kfashion_utils.errors import InputError
from kfashion_utils.storage.addresses import CONTAINER_MARK, split_address
from kfashion_utils.storage.archives import open_archive

PICTURE_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", *extras.HEIC_SUFFIXES)
# suffixes known to be those of pictures, and none, which says nothing
OTHER_PICTURES = (".tif", ".tiff", ".avif", ".jp2", ".psd", ".svg", "")
READ = {*PICTURE_SUFFIXES, ".json"}  # suffixes of what is read
PROBE = 4096  # bytes read from the middle of a file to tell files of equal size apart

# path: as a catalog writes it; folders: names in NFC between the root and the file, without the zip's own; tuples of
# folders and suffixes are shared, so a million files stay small
File = namedtuple("File", "path folders stem suffix")
# files: list of File; rejected: list of (path, kind, reason, detail); folders: set of tuples of names, of all folders
# on disk and in zips; notes: Counter of what was passed over
Listing = namedtuple("Listing", "files rejected folders notes")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
ABSOLUTE = re.compile(r"/|\\|[A-Za-z]:[/\\]")


def list_files(root):
    """The `Listing` of all files below `root` and inside the zips there, sorted by address.

    Rejected are archives that cannot be read or lie inside a zip, members that are encrypted or packed in a way that is
    not read, members whose name occurs again in their zip (the last one counts), pictures in a format that is not
    decoded, links that lead nowhere, and names that a catalog cannot hold. Folders of prepared pictures (they hold
    `recipe.json`) and service folders are passed over; a folder reached twice, by links, is listed once.

    Raises:
        InputError: no such folder, or nothing in it.
        OSError: the storage failed.
    """
    root = Path(root)
    if not root.is_dir():
        raise InputError(f"no folder {root}; root= is the folder that holds the pictures (or their zips)")
    listing, service = Listing([], [], set(), Counter()), set()
    addresses = _walk(root, listing.folders, service)
    there = set(addresses)
    for address in addresses:
        problem = _problem(root / address, address, there)
        if problem:
            listing.rejected.append((address.encode("utf-8", "backslashreplace").decode(), *problem))
        elif address.lower().endswith(".zip") and not address.rpartition("/")[2].startswith("."):
            _add_members(address, open_archive(root / address), listing, service)
        else:
            _add(_file(address, address), None, listing)
    for folder in service:
        name = folder.replace(CONTAINER_MARK, "/").rpartition("/")[2]
        listing.notes[f"service folder passed over ({name})"] += 1
    if not listing.files and not listing.rejected:
        raise InputError(f"{root} is empty; expected pictures, label files or zips of them")
    return listing


def _add_members(address, archive, listing, service):
    outside = f"{address.rpartition('/')[0]}/".lstrip("/")
    for name, obstacle in sorted(archive.members()):
        file = _file(f"{address}{CONTAINER_MARK}{name}", outside + name.replace("\\", "/"))
        passed_over = service_folder(file.folders)
        if passed_over:
            service.add(f"{address}{CONTAINER_MARK}{passed_over}")
        elif name[-1] in "/\\":
            listing.folders.add(file.folders)
        else:
            _add(file, name, listing, obstacle)
    for name in archive.duplicates:
        file = _file(f"{address}{CONTAINER_MARK}{name}", name)
        if not _is_hidden(file):
            path, kind = CONTROL.sub("?", file.path), _kind(file.suffix)
            reason = "name occurs twice in the archive"
            listing.rejected.append((path, kind, reason, "the last member of that name counts"))


def _add(file, member, listing, obstacle=None):
    if file.stem.startswith("."):
        return
    problem = _name_problem(file, member)
    if problem is None and obstacle and _kind(file.suffix) == "picture":  # of labels their reader says it
        problem = "picture", "archive member that cannot be read", obstacle
    if problem:
        listing.rejected.append((CONTROL.sub("?", file.path), *problem))
    else:
        listing.files.append(file)


def _is_hidden(file):
    return file.stem.startswith(".") or bool(service_folder(file.folders))


def _walk(root, known, service):
    """Addresses of all files below `root`, and of folders that may not be read, sorted; folders are added to `known`,
    those of a service to `service` instead.

    No folder is entered twice: real ones come before links.
    """
    found, entered, folders, links = [], set(), [""], []
    while folders or links:
        folder = folders.pop() if folders else links.pop(0)
        status = os.stat(root / folder)
        if (status.st_dev, status.st_ino) in entered:
            continue
        entered.add((status.st_dev, status.st_ino))
        name = folder[:-1].rpartition("/")[2]
        if is_service_folder(name):
            service.add(folder[:-1])
            continue
        try:
            with os.scandir(root / folder) as entries:
                below = {entry.name: _descent(entry) for entry in entries}
        except PermissionError:
            found.append(folder.rstrip("/"))
            continue
        if "recipe.json" in below:
            continue
        known.add(_folders(unicodedata.normalize("NFC", folder[:-1])))
        found += [folder + name for name, kind in below.items() if kind == "file"]
        folders += [f"{folder}{name}/" for name, kind in below.items() if kind == "folder"]
        links = sorted([*links, *(f"{folder}{name}/" for name, kind in below.items() if kind == "link")])
    return sorted(found)


def _descent(entry):
    if entry.is_dir(follow_symlinks=False):
        return "folder"
    try:
        return "link" if entry.is_dir() else "file"
    except OSError:  # a link to itself, or to a place that cannot be reached: `_problem` says which
        return "file"


def _problem(path, address, there):
    """(kind, reason, detail) of a file on disk that cannot be used, or None. `there`: all addresses."""
    kind = _kind(path.suffix.lower())
    try:
        address.encode("utf-8")
    except UnicodeEncodeError:
        return kind, "file name is not UTF-8", "unpacked with another encoding? read the zip in place instead"
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        if not path.is_symlink() or error.errno not in (errno.ENOENT, errno.ELOOP, errno.ENOTDIR):
            raise
        return kind, "link that leads nowhere", f"points to {os.readlink(path)}"
    if stat.S_ISDIR(mode):
        return kind, "folder may not be read", "its files are not known"
    if not stat.S_ISREG(mode):
        return kind, "not a regular file", "a device or a pipe"
    foreign = None if path.suffix.lower() in READ else foreign_archive(address, there)
    if foreign:
        return "archive", *foreign
    if kind == "archive" and not path.name.startswith("."):
        try:
            open_archive(path)
        except (InputError, PermissionError) as error:  # another OSError: the storage failed, the zip may be whole
            return kind, "not a zip", str(error)
    return None


def _kind(suffix):
    return {".json": "label", ".zip": "archive"}.get(suffix, "picture")


def _name_problem(file, member):
    """(kind, reason, detail) of a file or member that a catalog cannot address or nothing can decode, or None."""
    kind = _kind(file.suffix)
    if file.path.count(CONTAINER_MARK) != (member is not None):
        return kind, "name holds '::'", "which in a catalog separates a zip from its member"
    if CONTROL.search(file.path):
        return kind, "name holds a control character", repr(file.path)
    if member is not None and (ABSOLUTE.match(member) or _climbs(member)):
        return kind, "path leaves the archive", member
    if member is not None and file.suffix == ".zip":
        return "archive", "zip inside a zip", "unpack the outer one"
    foreign = None if member is None or file.suffix in READ else foreign_archive(member.replace("\\", "/"))
    if foreign:
        return "archive", "archive inside a zip", f"unpack the outer one; {foreign[1]}"
    if file.suffix in extras.HEIC_SUFFIXES and not extras.reads_heic():
        return "picture", "format is not decoded", f"{file.suffix}; {extras.HEIC_REMEDY}"
    if file.suffix in OTHER_PICTURES:
        remedy = f"convert it to {', '.join(PICTURE_SUFFIXES[:2])} or .png"
        return "picture", "format is not decoded", f"{file.suffix or 'no suffix'}; {remedy}"
    return None


def _climbs(member):
    return ".." in member and ".." in member.replace("\\", "/").split("/")


def _file(address, location):
    folder, _, name = unicodedata.normalize("NFC", location).rpartition("/")
    stem, dot, suffix = name.rpartition(".")
    if not stem or not suffix:
        stem, dot, suffix = name, "", ""
    return File(address, _folders(folder), stem, sys.intern(dot + suffix.lower()))


@functools.lru_cache(maxsize=4096)
def _folders(folder):
    return PurePosixPath(folder).parts


def read_bytes(path, root, limit):
    """Bytes of a file or zip member.

    Raises:
        ValueError: larger than `limit` bytes, or an archive member that cannot be read.
    """
    container, member = split_address(path)
    if member is not None:
        return open_archive(os.path.join(root, container)).read(member, limit)
    with open(Path(root, container), "rb") as handle:
        data = handle.read(limit + 1)
    if len(data) > limit:
        raise ValueError(f"too large: more than {limit:,} bytes")
    return data


def content_keys(paths, root):
    """For each path a key that it shares with byte-equal files only, or None if it has no equal.

    Sizes are compared first, then the stored CRCs of zip members or a few bytes from the middle of files, then hashes
    of those that are still alike.
    """
    paths = list(paths)
    suspects = defaultdict(list)
    for number, path in enumerate(paths):
        suspects[_fingerprint(path, root)].append(number)
    keys = [None] * len(paths)
    for numbers in suspects.values():
        if len(numbers) < 2:
            continue
        digests = [_digest(paths[number], root) for number in numbers]
        counts = Counter(digests)
        for number, digest in zip(numbers, digests, strict=True):
            if digest is not None and counts[digest] > 1:
                keys[number] = digest
    return keys


def _fingerprint(path, root):
    container, member = split_address(path)
    if member is not None:
        info = open_archive(os.path.join(root, container)).info(member)
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
    except (ValueError, PermissionError):
        return None  # an encrypted or broken member: it is rejected when its pixels are asked for
