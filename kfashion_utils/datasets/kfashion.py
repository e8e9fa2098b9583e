"""AI Hub's K-Fashion (dataSetSn=51): JSON labels and photographs, in folders or in the zips as downloaded.

One row a photograph, or a garment. A label finds its picture by its own stem, then by `이미지 파일명`, then by `이미지
식별자`. What a label says is read in `kfashion_labels`.
"""

from collections import Counter, defaultdict

import numpy as np

from kfashion_utils.datasets.files import PICTURE_SUFFIXES
from kfashion_utils.datasets.kfashion_labels import LabelRejected, garment_regions, load_label, stem_of, whole_region

# the names by which a label may call its picture, the surest first
NAMES = (lambda label: label.file.stem, lambda label: stem_of(label.file_name), lambda label: label.number)


def read_photos(listing, root):
    """See `DATASETS`; the label columns are `style` and, a second opinion on it, `sub_style`."""
    return _read_rows(listing.files, root, whole_region)


def read_garments(listing, root):
    """See `DATASETS`: `garments` of a row are the columns, `part` among them, in which its garments differ from it."""
    return _read_rows(listing.files, root, garment_regions)


def _read_rows(files, root, regions):
    files_of_labels = [file for file in files if file.suffix == ".json"]
    pictures = [file for file in files if file.suffix in PICTURE_SUFFIXES]
    notes = Counter()
    labels = [load_label(file, root, notes, regions) for file in files_of_labels]
    by_stem = defaultdict(list)
    for picture in pictures:
        by_stem[picture.stem].append(picture)
    matches = _match(labels, by_stem)
    unmatched = _unmatched(labels, by_stem, matches)
    rows, rejected = [], []
    for label in labels:
        picture = matches.get(label.file.path)
        problem = label.problem or unmatched.get(label.file.path)
        if problem is None:
            rows.append({**label.row, "path": picture.path})
            continue
        rejected.append((label.file.path, "label", *problem.args))
        if picture:
            rejected.append((picture.path, "picture", "its label was rejected", problem.args[0]))
    used = {picture.path for picture in matches.values()}
    for picture in pictures:
        if picture.path not in used:
            rejected.append((picture.path, "picture", "picture without a label", "no label file names it"))
    return rows, rejected, +notes


def _match(labels, by_stem):
    """{label path: picture File}: by stem for all labels first, then by file name, then by number."""
    matches, taken, left = {}, set(), labels
    for name_of in NAMES:
        for label in left:
            free = [picture for picture in by_stem.get(name_of(label), ()) if picture.path not in taken]
            found = _closest(label.file, free)
            if found:
                matches[label.file.path] = found
                taken.add(found.path)
        left = [label for label in left if label.file.path not in matches]
    return matches


def _unmatched(labels, by_stem, matches):
    """{label path: LabelRejected} of the labels that found no picture."""
    taken = {picture.path for picture in matches.values()}
    unmatched = {}
    for label in labels:
        if label.file.path in matches:
            continue
        named = [picture for name_of in NAMES for picture in by_stem.get(name_of(label), ())]
        free = [picture.path for picture in named if picture.path not in taken]
        if free:
            problem = LabelRejected("label that fits several pictures", ", ".join(free[:3]))
        elif named:
            problem = LabelRejected("label whose picture has another label", named[0].path)
        else:
            names = f"{label.file.stem}, {label.file_name!r} or {label.number!r}"
            problem = LabelRejected("label without a picture", f"no picture called {names}")
        unmatched[label.file.path] = problem
    return unmatched


def _closest(label, pictures):
    """The picture that shares most folder names (style, Training) with the label; None if that is no single one."""
    if len(pictures) < 2:
        return pictures[0] if pictures else None
    shared = [len(set(label.folders) & set(picture.folders)) for picture in pictures]
    return pictures[int(np.argmax(shared))] if shared.count(max(shared)) == 1 else None
