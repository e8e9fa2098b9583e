"""Which folders around pictures are splits, classes, or say nothing: the layout of a data set of class folders.

Folders around all pictures say nothing. Then a level of folders is read as splits where all of them state one
(`train`, `test_set`, `seg_pred`); plain words (`train`, `val`) also beside others. A folder that states its split once
more, or says only that pictures are in it, does not count (`seg_train/seg_train/<class>`, `train/images/<class>`).
"""

from collections import Counter, defaultdict

from kfashion_utils.datasets.split_names import SPLIT_FOLDERS, is_container, stated_split
from kfashion_utils.errors import InputError, listing
from kfashion_utils.storage.addresses import split_address


class Layout:
    """How the folders of pictures are read.

    Args:
        pictures: list of File.
        root: of the files, for messages.

    Attributes:
        notes: Counter of what may have been meant otherwise.

    Raises:
        InputError: several data sets, each with splits of its own, lie side by side.
    """

    def __init__(self, pictures, root):
        self.notes = Counter()
        self._zips_are_splits = _zips_state_splits(pictures)
        places = [self._folders(file) for file in pictures]
        self._depth = _wrapping_folders(places)
        places = [folders[self._depth :] for folders in places]
        self._class_first = _is_class_first(places)
        self._splits = {} if self._class_first else self._read_splits(places)
        self._inner = {name: _inner_folders(places, name, split) for name, split in self._splits.items()}
        if not self._class_first and not self._splits:
            self._tell_data_sets(places, root)

    def place(self, file):
        """(split, label, class folder) of a picture: texts, empty = none, and the names from the root to the class's
        folder; None where there is none."""
        folders = list(self._folders(file)[self._depth :])
        if self._class_first:
            return stated_split(folders[1]), folders[0].strip(), self._upto(file, folders, 1)
        split = self._splits.get(folders[0], "") if folders else ""
        outer = 1 + self._inner[folders[0]] if split else 0
        label = folders[outer].strip() if len(folders) > outer else ""
        return split, label, self._upto(file, folders, outer + 1) if label else None

    def _folders(self, file):
        """The folders around a picture; of a zip that states a split, its name is one of them."""
        if not self._zips_are_splits:
            return file.folders
        container, _ = split_address(file.path)
        outside = container.count("/")
        return (*file.folders[:outside], _stem(container), *file.folders[outside:])

    def _upto(self, file, folders, count):
        """The first names of a picture's own folders, `count` of them below the wrapping ones."""
        below = len(self._folders(file)) - len(folders) + count - self._zips_are_splits
        return tuple(file.folders[:below])

    def _read_splits(self, places):
        """{folder: split} of the outermost folders that are splits."""
        deep = defaultdict(bool)  # folder: whether there are folders in it
        for folders in places:
            if folders:
                deep[folders[0]] |= len(folders) > 1
        stated = {name: stated_split(name) for name in deep}
        if all(stated.values()):
            return stated
        plain = {name: SPLIT_FOLDERS.get(name.lower(), "") for name in deep}
        splits = {name: split for name, split in plain.items() if split and (deep[name] or split == "test")}
        classes = [name for name in deep if name not in splits]
        self._tell_mixed([name for name in classes if stated[name]], "is named like a split", splits, classes)
        if any(split != "test" for split in splits.values()):
            self._tell_mixed([name for name in classes if not stated[name]], "lies beside splits", splits, classes)
        return splits

    def _tell_mixed(self, names, why, splits, classes):
        others = sorted({*splits, *classes})
        for name in names:
            beside = ", ".join(other for other in others if other != name)[:60]
            self.notes[f"folder that {why} and is read as a class ({name!r} beside {beside})"] += 1

    def _tell_data_sets(self, places, root):
        """Refuse a root that holds several data sets; tell one that lies beside other folders."""
        inner, deeper = defaultdict(set), set()
        for folders in places:
            if folders:
                inner[folders[0]].add(folders[1] if len(folders) > 1 else "")
            if len(folders) > 2:
                deeper.add(folders[0])
        found = [name for name in sorted(inner) if name in deeper and all(map(stated_split, inner[name] - {""}))]
        roots = [f"root='{root}/{name}' ({', '.join(sorted(inner[name] - {''}))})" for name in found]
        if len(found) > 1 and len(found) == len(inner):
            raise InputError(
                f"{root} holds {len(found)} data sets side by side, each with splits of its own; name one of them:\n"
                f"{listing(roots)}"
            )
        for name, remedy in zip(found, roots, strict=True):
            self.notes[
                f"folder that holds splits of its own and is read as a class ({name!r}; meant was {remedy}?)"
            ] = 1


def _wrapping_folders(places):
    """How many folders lie around all of the pictures without saying anything about them."""
    depth = 0
    while places:
        names = {folders[depth] if len(folders) > depth + 1 else None for folders in places}
        if len(names) > 1 or None in names or stated_split(names.pop()):
            break
        depth += 1
    return depth


def _is_class_first(places):
    """Whether all pictures lie in `<class>/<split>/`, of two splits at least."""
    if not places or any(len(folders) != 2 or stated_split(folders[0]) for folders in places):
        return False
    splits = {stated_split(folders[1]) for folders in places}
    return "" not in splits and len(splits) > 1


def _inner_folders(places, name, split):
    """How many folders within a split's folder lie around all of its pictures and say nothing more."""
    inside = [folders[1:] for folders in places if folders and folders[0] == name]
    depth = 0
    while inside:
        names = {folders[depth] if len(folders) > depth else None for folders in inside}
        only = names.pop() if len(names) == 1 else None
        if only is None:
            break
        around_classes = all(len(folders) > depth + 1 for folders in inside)
        again = stated_split(only) == split
        if not again and not (is_container(only) and (around_classes or split == "test")):
            break
        depth += 1
    return depth


def _zips_state_splits(pictures):
    """Whether all pictures lie in zips that each state a split (`train.zip`, `test.zip`)."""
    containers = {split_address(file.path)[0] if "::" in file.path else None for file in pictures}
    return bool(containers) and all(name is not None and stated_split(_stem(name)) for name in containers)


def _stem(container):
    return container.rpartition("/")[2].rpartition(".")[0]
