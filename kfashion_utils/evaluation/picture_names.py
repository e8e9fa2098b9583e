"""What a leaderboard's names mean: which picture, by id, photo, path, part of a path, file name or stem, where only one
can be meant among those that were asked for."""

import hashlib
import re

from kfashion_utils.errors import REASONS
from kfashion_utils.storage.addresses import CONTAINER_MARK
from kfashion_utils.tables.beside import FAILURES, PICTURES, composed, stem_of
from kfashion_utils.tables.catalog import safe_id

HASH = re.compile(r"-[0-9a-f]{8}(?=-|$)")  # what the ids of pictures of one name end in
FLOAT = re.compile(r"(\d+)\.0+")  # an integer that pandas wrote beside an empty cell
SHOWN = 4  # candidates of a name


class PictureNames:
    """The pictures that predictions answer, and those that could not be read, under all their names.

    Attributes:
        unread: {id: why it could not be read} of the pictures without a prediction.
        photos: {id: photo} of all of them.
        know_paths: whether the predictions tell the paths that their ids do not.
    """

    def __init__(self, predictions):
        self.photos = dict(zip(predictions["id"], predictions["photo"], strict=True))
        self.unread, self._paths = {}, _paths(predictions)
        self.know_paths = PICTURES in predictions.attrs
        self._own = {name: True for name in self.photos}
        self._add_unread(predictions.attrs.get(FAILURES), set(predictions["photo"]))
        self._asked, self._indexes = {}, [_Index() for _ in range(6)]
        for name in self.photos:
            for index, keys in zip(self._indexes, self._keys(name), strict=True):
                index.add(keys, name)

    def meant(self, text):
        """The ids that a text may mean, a list: none, the one that it means, or several between which it does not
        decide."""
        if text not in self._asked:
            self._asked[text] = self._search(text)
        return self._asked[text]

    def _search(self, text):
        for tail in _tails(_plain(text)):
            for form in dict.fromkeys(_forms(tail)):
                found = next((index[form] for index in self._indexes[:-1] if form in index), None)
                if found:
                    return self._decided(found, tail)
            found = self._indexes[-1].get(_loose(tail))
            if found:
                return self._decided(found, tail)
        return []

    def one_photo(self, names):
        """Whether these ids are rows of one photo."""
        return len({self.photos[name] for name in names}) == 1

    def described(self, names):
        """Candidates for people: their paths, where these are known, and ids."""
        shown = [f"{self._paths[name]} (id {name})" if name in self._paths else repr(name) for name in names[:SHOWN]]
        return ", ".join(shown) + (f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else "")

    def _decided(self, found, tail):
        """Of several candidates the one that has the name as its id; one of a photo of which no row could be read."""
        found = list(found)
        if len(found) > 1:
            same = [name for name in found if _plain(name) in (tail, _without_extension(tail))]
            if len(same) == 1:
                return same
            if self.unread.keys() >= set(found) and self.one_photo(found):
                return found[:1]
        return found

    def _add_unread(self, failures, answered):
        """The rows that could not be read. Where other rows of their photo are answered, only their ids mean them."""
        if failures is None:
            return
        for row in failures.to_dict("records"):
            name, path = str(row["id"]), str(row.get("path") or "")
            if name in self.photos:
                continue
            photo = row.get("photo")
            photo = photo if isinstance(photo, str) and photo else name
            self.photos[name], self.unread[name] = photo, _reason(row)
            self._own[name] = photo not in answered and (stem_of(path) == name or stem_of(path) not in answered)
            if path:
                self._paths[name] = path

    def _keys(self, name):
        """The names of a picture, the surest first: ids, photos, parts of its path, these without extension, its safe
        names, and its loosest."""
        photo, path = self.photos[name], self._paths.get(name) if self._own[name] else None
        names = [_plain(one) for one in ((name, photo) if self._own[name] and photo != name else (name,))]
        tails = [] if path is None else list(_tails(_plain(path)))
        stems = [_without_extension(one) for one in (*names, *tails)]
        safe = [safe_id(one) for one in (*names, *stems[: len(names)], *stems[-1:])]
        bare = [_as_integer(one) for one in safe] + [self._without_hash(one, path) for one in safe]
        return (
            names[:1],
            names[1:],
            [one for tail in tails for one in (tail, _with_lower_extension(tail))],
            stems,
            [*safe, *bare],
            [_loose(one) for one in (*names, *tails, *bare)],
        )

    def _without_hash(self, name, path):
        """An id without the hash of its path; without any, where nobody knows the path."""
        if path is not None:
            return name.replace(f"-{_hash(path)}", "")
        return name if self.know_paths else HASH.sub("", name) or name


class _Index(dict):
    """{name: {id: None}}, ids in the order in which they came."""

    def add(self, keys, name):
        for key in keys:
            self.setdefault(key, {})[name] = None


def _paths(predictions):
    told = predictions.attrs.get(PICTURES)
    return {} if told is None else dict(zip(told["id"], told["path"], strict=True))


def _reason(row):
    """As an `ImageRejected` says it."""
    reason, detail = str(row.get("reason") or "unreadable"), row.get("detail")
    detail = detail if isinstance(detail, str) and detail else REASONS.get(reason, "")
    return f"{reason} ({detail})" if detail else reason


# Spellings ------------------------------------------------------------------------------------------------------------


def _plain(text):
    """A name with composed letters and slashes, without blanks around it."""
    return composed(text).strip("\ufeff").strip().replace("\\", "/").replace(CONTAINER_MARK, "/")


def _tails(name):
    """`a/b/c.jpg`, `b/c.jpg`, `c.jpg`."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    return ["/".join(parts[start:]) for start in range(len(parts))]


def _forms(tail):
    """How a name may be spelled among those of the pictures, the likeliest first."""
    stem = _without_extension(tail)
    yield from (tail, _with_lower_extension(tail), f"{safe_id(stem.rpartition('/')[2])}-{_hash(tail)}")
    yield from (stem, safe_id(tail), safe_id(stem), _as_integer(stem))


def _loose(name):
    return _as_integer(safe_id(_without_extension(name))).casefold()


def _without_extension(name):
    stem, dot, extension = name.rpartition(".")
    return stem if dot and 2 <= len(extension) <= 4 and extension.isalnum() and not extension.isdigit() else name


def _with_lower_extension(name):
    stem = _without_extension(name)
    return stem + name[len(stem) :].lower()


def _as_integer(name):
    found = FLOAT.fullmatch(name)
    return found[1] if found else name


def _hash(path):
    """As `unique_ids` adds it to an id."""
    return hashlib.sha256(path.encode()).hexdigest()[:8]
