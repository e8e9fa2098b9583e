"""Folders that systems and tools make for themselves: bins, previews, checkpoints, caches. Nothing in them is data."""

import functools
import re

SERVICE_FOLDERS = {  # names in lower case; those that begin with a dot are service folders whatever they are called
    "__macosx": "macOS, in zips",
    "network trash folder": "macOS, on shares",
    "temporary items": "macOS, on shares",
    "__pycache__": "Python",
    "node_modules": "Node.js",
    "$recycle.bin": "the bin of Windows",
    "recycler": "the bin of older Windows",
    "recycled": "the bin of older Windows",
    "system volume information": "Windows",
    "lost+found": "Linux file systems",
    "@eadir": "previews of Synology",
    "#recycle": "the bin of Synology",
    "#snapshot": "Synology",
    "@tmp": "Synology",
    "@sharebin": "Synology",
    "@sharesnap": "Synology",
    "@recycle": "the bin of QNAP",
    "@recently-snapshot": "QNAP",
    "@__thumb": "previews of QNAP",
    "~snapshot": "NetApp",
    "lost.dir": "Android",
}
REPAIRED = re.compile(r"found\.\d{3}")  # what chkdsk of Windows found


def is_service_folder(name):
    """Whether a folder of that name holds what a system or tool made for itself."""
    if name.startswith("."):
        return name not in (".", "..")
    return name.lower() in SERVICE_FOLDERS or REPAIRED.fullmatch(name.lower()) is not None


@functools.lru_cache(maxsize=4096)
def service_folder(folders):
    """The outermost service folder among the names of `folders`, as a path; empty = there is none."""
    places = [number for number, name in enumerate(folders, 1) if is_service_folder(name)]
    return "/".join(folders[: places[0]]) if places else ""
