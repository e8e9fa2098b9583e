"""Folders that systems and tools make for themselves: bins, previews, checkpoints, caches. Nothing in them is data."""

import functools

SERVICE_FOLDERS = {  # names in lower case; those that begin with a dot are service folders whatever they are called
    "__macosx": "macOS, in zips",
    "__pycache__": "Python",
    "$recycle.bin": "the bin of Windows",
    "recycler": "the bin of older Windows",
    "recycled": "the bin of older Windows",
    "system volume information": "Windows",
    "lost+found": "Linux file systems",
    "@eadir": "previews of Synology",
    "#recycle": "the bin of Synology",
    "#snapshot": "Synology",
    "@tmp": "Synology",
    "@recycle": "the bin of QNAP",
    "@recently-snapshot": "QNAP",
    "lost.dir": "Android",
}


def is_service_folder(name):
    """Whether a folder of that name holds what a system or tool made for itself."""
    return (name.startswith(".") and name not in (".", "..")) or name.lower() in SERVICE_FOLDERS


@functools.lru_cache(maxsize=4096)
def service_folder(folders):
    """The outermost service folder among the names of `folders`, as a path; empty = there is none."""
    places = [number for number, name in enumerate(folders, 1) if is_service_folder(name)]
    return "/".join(folders[: places[0]]) if places else ""
