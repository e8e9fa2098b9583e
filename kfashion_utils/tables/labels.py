"""`Head` and `Task`: what a model answers, and the only place that knows how an answer is written.

A label is text in a table: one class, or several joined with `|` for a multi-label head; empty = not annotated;
`-` = annotated, none applies. Encoded it is a *flat vector*: the heads' classes one after the other, float32, with NaN
over a head that is not annotated. Soft voting, MixUp and CutMix work on that vector; `Task.decode` reads names back.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from kfashion_utils.errors import InputError, refuse

SEPARATOR = "|"
NONE_APPLIES = "-"
NOT_ANNOTATED = ""
SUB = "sub_"  # before a head's name: the column of a second opinion on it, no head of its own
RESERVED_COLUMNS = (
    "id", "path", "photo", "group", "split", "fold", "left", "top", "right", "bottom", "polygon", "region",
)  # fmt: skip


@dataclass(frozen=True)
class Head:
    """One question about a picture.

    Args:
        name: the label column in a catalog; not one of the contract's own columns, without ":".
        classes: class names in index order, at least two (one is enough for a multi-label head).
        multi: False = exactly one class applies (softmax); True = any number do (sigmoid each).
        weight: factor of this head's loss, > 0.
        parents: one coarser name for each class (or a mapping class -> name); None = no coarser level.

    Raises:
        InputError: names that a table could not hold, doubled classes, a missing parent.
    """

    name: str
    classes: tuple[str, ...]
    multi: bool = False
    weight: float = 1.0
    parents: tuple[str, ...] | None = None

    def __post_init__(self):
        object.__setattr__(self, "classes", tuple(self.classes))
        refuse(f"head {self.name!r} is not usable", self._problems())
        if isinstance(self.parents, Mapping):
            object.__setattr__(self, "parents", tuple(self.parents[name] for name in self.classes))
        elif self.parents is not None:
            object.__setattr__(self, "parents", tuple(self.parents))
        object.__setattr__(self, "weight", float(self.weight))

    def _problems(self):
        if not isinstance(self.name, str) or not self.name.strip() or ":" in self.name:
            yield f"a head's name is text without ':', got {self.name!r}"
        elif self.name in RESERVED_COLUMNS:
            yield f"{self.name!r} is a column of every catalog; choose another name"
        for name in self.classes:
            if (
                not isinstance(name, str)
                or name != name.strip()
                or not name
                or name == NONE_APPLIES
                or SEPARATOR in name
            ):
                yield f"class {name!r}: a class is text, not blank, not '-', without '|' and without blanks around it"
        doubled = sorted({str(name) for name in self.classes if self.classes.count(name) > 1})
        if doubled:
            yield f"classes named twice: {doubled}"
        if len(self.classes) < (1 if self.multi else 2):
            yield f"needs {'one class' if self.multi else 'two classes'} at least, got {list(self.classes)}"
        if not self.weight > 0:
            yield f"weight must be > 0, got {self.weight}"
        if isinstance(self.parents, Mapping):
            missing = [name for name in self.classes if name not in self.parents]
            if missing:
                yield f"classes without a parent: {missing}"
        elif self.parents is not None and len(self.parents) != len(self.classes):
            yield f"{len(self.parents)} parents for {len(self.classes)} classes"

    @property
    def parent_names(self):
        """The coarser names, each once, in order of first use; empty without parents."""
        return tuple(dict.fromkeys(self.parents or ()))

    def encode(self, labels):
        """Labels (sequence of str, length n) -> float32 `(n, len(classes))`; a NaN row = not annotated.

        Raises:
            InputError: names every unknown label with the number of rows that hold it.
        """
        codes, values = pd.factorize(pd.Series(labels, dtype=object).fillna(NOT_ANNOTATED).astype(str))
        vectors, problems = [], []
        for code, value in enumerate(values):
            try:
                vectors.append(self._vector(value))
            except InputError as error:
                problems.append(f"{error} in {int((codes == code).sum())} rows")
        refuse(f"label column {self.name!r} does not fit its classes {list(self.classes)}", problems)
        if not len(codes):
            return np.zeros((0, len(self.classes)), np.float32)
        return np.stack(vectors)[codes]

    def _vector(self, value):
        if value == NOT_ANNOTATED:
            return np.full(len(self.classes), np.nan, np.float32)
        vector = np.zeros(len(self.classes), np.float32)
        names = [] if value == NONE_APPLIES else value.split(SEPARATOR)
        unknown = [name for name in names if name not in self.classes]
        if unknown:
            raise InputError(f"unknown class {', '.join(map(repr, unknown))}")
        if len(names) > 1 and not self.multi:
            raise InputError(f"several classes {value!r} for a single-label head")
        vector[[self.classes.index(name) for name in names]] = 1
        return vector

    def decode(self, block, threshold=0.5):
        """Probabilities or encoded labels `(n, len(classes))` -> list of n labels.

        Single-label: the class of the largest value; multi-label: every class at or above `threshold`.
        """
        block = np.asarray(block)
        labels = []
        for row, best in zip(block, np.argmax(np.nan_to_num(block, nan=-1), axis=1), strict=True):
            if np.isnan(row).any():
                labels.append(NOT_ANNOTATED)
            elif self.multi:
                labels.append(SEPARATOR.join(np.array(self.classes)[row >= threshold]) or NONE_APPLIES)
            else:
                labels.append(self.classes[best] if row[best] > 0 else NONE_APPLIES)
        return labels

    def parent_scores(self, block):
        """Class probabilities `(n, classes)` -> summed `(n, len(parent_names))`, in the order of `parent_names`."""
        index = [self.parent_names.index(parent) for parent in self.parents]
        membership = np.eye(len(self.parent_names), dtype=np.float32)[index]
        return np.asarray(block) @ membership


@dataclass(frozen=True)
class Task:
    """Heads in order: 23 styles are one softmax head, garment attributes are several, some of them multi-label."""

    name: str
    heads: tuple[Head, ...]

    def __post_init__(self):
        object.__setattr__(self, "heads", tuple(self.heads))
        names = [head.name for head in self.heads]
        problems = [] if names else ["a task has at least one head"]
        problems += [f"two heads named {name!r}" for name in sorted({n for n in names if names.count(n) > 1})]
        refuse(f"task {self.name!r} is not usable", problems)

    @property
    def num_classes(self):
        """Length of the flat vector."""
        return sum(len(head.classes) for head in self.heads)

    @property
    def slices(self):
        """Head name -> its slice of the flat vector."""
        ends = np.cumsum([len(head.classes) for head in self.heads]).tolist()
        return {head.name: slice(end - len(head.classes), end) for head, end in zip(self.heads, ends, strict=True)}

    @property
    def columns(self):
        """Names of the flat vector's entries, `<head>:<class>`: the header of every predictions table."""
        return [f"{head.name}:{name}" for head in self.heads for name in head.classes]

    def encode(self, table):
        """A catalog (or one row: a mapping or Series) -> flat labels float32 `(n, num_classes)` (or `(num_classes,)`).

        Raises:
            InputError: a head's column is missing, or holds labels that are none of its classes.
        """
        one = not isinstance(table, pd.DataFrame)
        if one:
            table = pd.DataFrame([dict(table)])
        missing = [head.name for head in self.heads if head.name not in table.columns]
        if missing:
            raise InputError(f"the table has no label column {missing}; its columns are {list(table.columns)}")
        flat = np.concatenate([head.encode(table[head.name]) for head in self.heads], axis=1)
        return flat[0] if one else flat

    def split(self, flat):
        """Flat `(..., num_classes)` -> {head name: `(..., len(classes))`}, views and not copies."""
        return {name: flat[..., part] for name, part in self.slices.items()}

    def annotated(self, flat):
        """Flat labels `(n, num_classes)` -> float32 `(n, heads)`: 1 where a head can be learned from this row.

        That is where it is annotated and, for a single-label head, where a class applies.
        """
        blocks = self.split(np.asarray(flat))
        known = [~np.isnan(blocks[h.name]).any(1) & (h.multi | (np.nansum(blocks[h.name], 1) > 0)) for h in self.heads]
        return np.stack(known, axis=1).astype(np.float32)

    def decode(self, flat, threshold=0.5):
        """Flat probabilities or labels `(n, num_classes)` -> DataFrame of n labels, one column a head."""
        flat = np.atleast_2d(np.asarray(flat))
        blocks = self.split(flat)
        return pd.DataFrame({head.name: head.decode(blocks[head.name], threshold) for head in self.heads}, dtype=object)

    def to_dict(self):
        """Plain values for JSON; `Task.from_dict` gives an equal Task back, order included."""
        return json.loads(json.dumps(asdict(self)))

    @classmethod
    def from_dict(cls, values):
        """The inverse of `to_dict`.

        Raises:
            InputError: a key is missing or unknown.
        """
        try:
            return cls(values["name"], tuple(Head(**head) for head in values["heads"]))
        except (KeyError, TypeError) as error:
            raise InputError(
                "a task is {'name': text, 'heads': [{'name', 'classes', 'multi', 'weight', 'parents'}, …]}, "
                f"got {str(values)[:200]} ({error})"
            ) from error

    def to_json(self):
        return json.dumps(self.to_dict(), ensure_ascii=False)

    @classmethod
    def from_json(cls, text):
        return cls.from_dict(json.loads(text))
