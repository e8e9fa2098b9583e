"""Class folders: `<class>/<picture>` or `<split>/<class>/<picture>`, in folders or in a zip.

Pictures that lie in no class folder have no label and are `test`: they are what a leaderboard asks for.
"""

from kfashion_utils.datasets.files import PICTURE_SUFFIXES, SPLIT_FOLDERS
from kfashion_utils.tables.labels import NONE_APPLIES, SEPARATOR


def read_rows(files, root):
    """See `DATASETS`; the label column is `label`."""
    pictures = [file for file in files if file.suffix in PICTURE_SUFFIXES]
    depth = _wrapping_folders(pictures)
    rows, rejected = [], []
    for file in pictures:
        folders = list(file.folders[depth:])
        split = SPLIT_FOLDERS.get(folders[0].lower(), "") if folders else ""
        if split:
            folders.pop(0)
        label = folders[0].strip() if folders else ""
        if label == NONE_APPLIES or SEPARATOR in label:
            rejected.append((file.path, "picture", "folder name cannot be a class", f"{label!r}: not '-', no '|'"))
            continue
        if not split and not label:
            split = "test"
        rows.append({"name": file.stem, "path": file.path, "group": "", "split": split, "label": label})
    return rows, rejected, []


def _wrapping_folders(pictures):
    """How many folders lie around all of the pictures without saying anything about them."""
    depth = 0
    while pictures:
        names = {file.folders[depth] if len(file.folders) > depth + 1 else None for file in pictures}
        if len(names) > 1 or None in names or names.pop().lower() in SPLIT_FOLDERS:
            break
        depth += 1
    return depth
