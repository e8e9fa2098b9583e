"""One name in several forms: a path of another system finds the file that it means.

macOS writes Hangul decomposed (NFD), other systems composed (NFC); Windows writes backslashes. A catalog made on one
and read on the other names files that "are not there", and the message looks exactly like the existing name. Source:
Unicode Standard Annex 15.
"""

import functools
import os
import re
import unicodedata
from pathlib import Path

SLASHES = re.compile(r"[/\\]")
KEPT_FOLDERS = 256  # listings
MOST_MEMBERS = 100_000  # of a zip whose names are looked through for one that is alike


def other_form(root, path):
    """Where a relative path leads whose parts lie there in another normal form or with other slashes.

    Args:
        root: folder.
        path: relative to it; without `..`.

    Returns:
        Path below `root`; None where there is no such file.
    """
    parts = SLASHES.split(str(path))
    if not parts[0] or ".." in parts or ":" in parts[0]:
        return None
    return _descend(Path(root), [part for part in parts if part not in ("", ".")], _composed)


def other_case(root, path):
    """The same for a path whose letters differ in case, too: what may have been meant, but may be another file."""
    parts = SLASHES.split(str(path))
    return None if ".." in parts else _descend(Path(root), [part for part in parts if part not in ("", ".")], _folded)


def forms_of_member(name):
    """Other names by which a zip may hold a member: with the other slashes, without a dot before."""
    forward = name.replace("\\", "/")
    plain = re.sub(r"^(\./+)+", "", forward)
    return [form for form in dict.fromkeys((forward, plain, plain.replace("/", "\\"))) if form != name]


def other_case_of_member(archive, name):
    """A member's name as `other_case`; None where there is none, or too many members to look through."""
    if len(archive) > MOST_MEMBERS:
        return None
    return _folded_members(archive).get(_folded(name.replace("\\", "/")))


def _descend(place, parts, key):
    for part in parts:
        exact = place / part
        if os.path.lexists(exact):
            place = exact
            continue
        name = _names(place, key).get(key(part))
        if name is None:
            return None
        place = place / name
    return place


def _composed(name):
    return unicodedata.normalize("NFC", name)


def _folded(name):
    return _composed(name).casefold()


def _names(folder, key):
    """{key of a name: the name as it stands} of a folder; empty where there is none."""
    try:
        return _listing(str(folder), os.stat(folder).st_mtime_ns, key)
    except OSError:  # whoever asked gets the error of the path as it was given
        return {}


@functools.lru_cache(maxsize=KEPT_FOLDERS)
def _listing(folder, _version, key):
    return {key(name): name for name in sorted(os.listdir(folder), reverse=True)}


@functools.lru_cache(maxsize=2)
def _folded_members(archive):
    return {_folded(name.replace("\\", "/")): name for name in archive.names()}
