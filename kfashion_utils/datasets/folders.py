"""Class folders: `<class>/<picture>`, `<split>/<class>/<picture>` or `<class>/<split>/<picture>`, in folders or zips.

Pictures that lie in no class folder have no label and are `test`: they are what a leaderboard asks for. `layout` says
which folders are classes, which splits, and which neither.
"""

import re
from collections import Counter, defaultdict
from pathlib import Path

from kfashion_utils.datasets.files import PICTURE_SUFFIXES
from kfashion_utils.datasets.layout import Layout
from kfashion_utils.errors import InputError
from kfashion_utils.tables.beside import composed
from kfashion_utils.tables.labels import NONE_APPLIES, SEPARATOR

SHOWN = 5  # folders named in a note
AIHUB_FOLDERS = ("라벨링데이터", "원천데이터")  # how AI Hub's folders begin, composed


def read_rows(listing, root):
    """See `DATASETS`; the label column is `label`."""
    _require_no_aihub(listing.files, root)
    pictures = [file for file in listing.files if file.suffix in PICTURE_SUFFIXES]
    layout = Layout(pictures, root)
    rows, rejected, class_folders = [], [], set()
    for file in pictures:
        split, label, folder = layout.place(file)
        if label == NONE_APPLIES or SEPARATOR in label:
            rejected.append((file.path, "picture", "folder name cannot be a class", f"{label!r}: not '-', no '|'"))
            continue
        if not split and not label:
            split = "test"
        class_folders.add(folder)
        rows.append({"name": file.stem, "path": file.path, "group": "", "split": split, "label": label})
    notes = layout.notes + _alike(rows) + _empty(listing.folders, pictures, class_folders - {None})
    notes += _without_classes(rows, root) + _with_labels(listing.files, pictures)
    return rows, rejected, notes


def _require_no_aihub(files, root):
    """Refuse AI Hub's own folders: their classes stand in label files."""
    names = {name for file in files for name in re.split("/|::", composed(file.path))}
    found = sorted(name for name in names if name.startswith(AIHUB_FOLDERS))
    if found:
        raise InputError(
            f"{root} looks like AI Hub's K-Fashion (folder {', '.join(found[:SHOWN])}), whose labels are files, not "
            f"folders; read it with: kfashion catalog kfashion --root '{root}' --out FILE"
        )


def _without_classes(rows, root):
    """Counter of the pictures, where none of them lies in a class folder."""
    if not rows or any(row["label"] for row in rows):
        return Counter()
    root = Path(root).resolve()
    text = (
        "picture in no class folder: test rows without a label, for `predict` "
        f"(if {root.name!r} is one class of several: --root '{root.parent}')"
    )
    return Counter({text: len(rows)})


def _with_labels(files, pictures):
    """Counter of the JSON files that are called like a picture."""
    stems = {file.stem for file in pictures}
    beside = sum(file.suffix == ".json" and file.stem in stems for file in files)
    text = "JSON file called like a picture, not read (AI Hub's labels? `kfashion catalog kfashion` reads them)"
    return Counter({text: beside} if beside else {})


def _alike(rows):
    """Counter of classes whose names differ by case, blanks, `_` and `-` only, with their numbers of rows."""
    counts = Counter(row["label"] for row in rows if row["label"])
    spellings = defaultdict(list)
    for name in sorted(counts):
        spellings["".join(letter for letter in name.casefold() if letter not in " _-")].append(name)
    several = [names for names in spellings.values() if len(names) > 1]
    told = (" and ".join(f"{name!r} ({counts[name]:,})" for name in names) for names in several)
    return Counter({f"pair of classes alike but for case or blanks: {names}": 1 for names in told})


def _empty(folders, pictures, class_folders):
    """Counter of the class folders without a picture: those that lie where others are classes."""
    full = {file.folders[:depth] for file in pictures for depth in range(len(file.folders) + 1)}
    parents = {folder[:-1] for folder in class_folders}
    empty = sorted("/".join(folder) for folder in folders - full if folder[:-1] in parents)
    if not empty:
        return Counter()
    more = f" and {len(empty) - SHOWN:,} more" if len(empty) > SHOWN else ""
    return Counter({f"class folder without a picture ({', '.join(empty[:SHOWN])}{more})": len(empty)})
