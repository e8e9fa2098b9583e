"""`Head` and `Task`: what a model answers, and the only place that knows how an answer is written and read.

A label is text in a table: one class, or several joined with `|` for a multi-label head; empty = not annotated;
`-` = annotated, none applies. Encoded it is a *flat vector*: the heads' classes one after the other, float32, with NaN
over a head that is not annotated. Soft voting, MixUp and CutMix work on that vector; `Task.decode` reads names back.

The classes of a head exclude each other (softmax), or each is a yes or no by itself (`multi`, sigmoids). What follows
from that (columns, decisions, log-odds, losses) is asked of the Head, not decided by its callers.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from kfashion_utils.errors import InputError, refuse
from kfashion_utils.tables.spelling import SEPARATOR, Speller

NONE_APPLIES = "-"
NOT_ANNOTATED = ""
SUB = "sub_"  # before a head's name: the column of a second opinion on it, no head of its own
EXCLUSIVE, YES_OR_NO = ":", "+"  # between head and class in the header of a predictions table
SMALLEST = 1e-12  # a probability of 0 is read as this
RESERVED_COLUMNS = (
    "id", "path", "photo", "group", "split", "fold", "left", "top", "right", "bottom", "polygon", "region",
)  # fmt: skip
STATED_SIZE = ("stated_width", "stated_height")  # columns of what labels say of their picture's size, where they do
OWN_COLUMNS = (*RESERVED_COLUMNS, *STATED_SIZE)  # every further one is a label
ANNOTATION = "annotation"  # the region of boxes and polygons that a data set came with


@dataclass(frozen=True)
class Head:
    """One question about a picture.

    Args:
        name: the label column in a catalog; not one of the contract's own columns, without ":" and "+".
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
        refuse(f"head {self.name!r} is not usable", [*self._problems_of_names(), *self._problems_of_parents()])
        if isinstance(self.parents, Mapping):
            object.__setattr__(self, "parents", tuple(self.parents[name] for name in self.classes))
        elif self.parents is not None:
            object.__setattr__(self, "parents", tuple(self.parents))
        object.__setattr__(self, "weight", float(self.weight))

    def _problems_of_names(self):
        if not isinstance(self.name, str) or not self.name.strip() or {EXCLUSIVE, YES_OR_NO} & set(self.name):
            yield f"a head's name is text without {EXCLUSIVE!r} and {YES_OR_NO!r}, got {self.name!r}"
        elif self.name in OWN_COLUMNS:
            yield f"{self.name!r} is a column of every catalog; choose another name"
        for name in self.classes:
            if not _is_class_name(name):
                yield f"class {name!r}: a class is text, not blank, not '-', without '|' and without blanks around it"
        doubled = sorted({str(name) for name in self.classes if self.classes.count(name) > 1})
        if doubled:
            yield f"classes named twice: {doubled}"
        if len(self.classes) < (1 if self.multi else 2):
            yield f"needs {'one class' if self.multi else 'two classes'} at least, got {list(self.classes)}"

    def _problems_of_parents(self):
        if not self.weight > 0:
            yield f"weight must be > 0, got {self.weight}"
        if isinstance(self.parents, Mapping):
            missing = [name for name in self.classes if name not in self.parents]
            if missing:
                yield f"classes without a parent: {missing}"
        elif self.parents is not None and len(self.parents) != len(self.classes):
            yield f"{len(self.parents)} parents for {len(self.classes)} classes"

    @property
    def columns(self):
        """Its score columns in a predictions table, in class order: `<head>:<class>` where the classes exclude each
        other, `<head>+<class>` where each is a yes or no."""
        mark = YES_OR_NO if self.multi else EXCLUSIVE
        return [f"{self.name}{mark}{name}" for name in self.classes]

    @property
    def summary(self):
        """Name and number of classes in words."""
        return f"{self.name} ({len(self.classes)} classes{', several a row' * self.multi})"

    @property
    def parent_names(self):
        """The coarser names, each once, in order of first use; empty without parents."""
        return tuple(dict.fromkeys(self.parents or ()))

    # Text and vectors -------------------------------------------------------------------------------------------------

    def known(self, labels):
        """Which labels (sequence of n texts) can be learned from or judged, bool `(n,)`: those that are annotated and,
        where classes exclude each other, name one."""
        labels = np.asarray(labels, object)
        return (labels != NOT_ANNOTATED) & (self.multi | (labels != NONE_APPLIES))

    def annotated(self, block):
        """The same for encoded labels `(n, classes)`."""
        return ~np.isnan(block).any(axis=1) & (self.multi | (np.nansum(block, axis=1) > 0))

    def names_in(self, label):
        """The class names that a label is made of, a list; of a multi-label head `-` names none."""
        return [] if label == NONE_APPLIES and self.multi else label.split(SEPARATOR)

    def spelled(self, label):
        """A label with its class names as this head has them: where a class reads `2.0`, `2` is the same number."""
        return Speller(self.classes)(label)

    def encode(self, labels):
        """Labels (sequence of str, length n) -> float32 `(n, len(classes))`; a NaN row = not annotated.

        Raises:
            InputError: names every unknown label with the number of rows that hold it.
        """
        codes, values = pd.factorize(pd.Series(labels, dtype=object).fillna(NOT_ANNOTATED).astype(str))
        vectors, problems, speller = [], [], Speller(self.classes)
        for code, value in enumerate(values):
            try:
                vectors.append(self._vector(speller(value)))
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
        best = np.argmax(np.nan_to_num(block, nan=-1), axis=1)
        unknown = np.isnan(block).any(axis=1)
        if self.multi:
            names = np.array(self.classes, object)
            labels = [SEPARATOR.join(names[row >= threshold]) or NONE_APPLIES for row in block]
        else:
            applies = block[np.arange(len(block)), best] > 0
            labels = [self.classes[one] if some else NONE_APPLIES for one, some in zip(best, applies, strict=True)]
        return [NOT_ANNOTATED if gone else label for gone, label in zip(unknown, labels, strict=True)]

    def parent_scores(self, block):
        """Class probabilities `(n, classes)` -> summed `(n, len(parent_names))`, in the order of `parent_names`."""
        membership = np.eye(len(self.parent_names), dtype=np.float32)[self.parent_numbers]
        return np.asarray(block) @ membership

    @property
    def parent_numbers(self):
        """Of each class the number of its parent, a list."""
        return [self.parent_names.index(parent) for parent in self.parents]

    # Decisions --------------------------------------------------------------------------------------------------------

    def answered(self, scores):
        """0/1 int `(n, classes)`: the most probable class, or every class from 0.5 where each is a yes or no."""
        scores = np.asarray(scores)
        if self.multi:
            return (scores >= 0.5).astype(int)
        return np.eye(len(self.classes), dtype=int)[scores.argmax(axis=1)]

    def decisions(self, scores, actual):
        """(confidence float, right 0/1 float) of every decision, flat: one a row, where the classes exclude each other,
        its probability; else one a row and class, the probability that the class applies, `right` = it does."""
        if self.multi:
            return scores.ravel(), actual.ravel().astype(float)
        return scores.max(axis=1), (actual * self.answered(scores)).sum(axis=1).astype(float)

    def sureness(self, scores):
        """Probability of each row's answer, float `(n,)`: of its class, or the mean over its classes' yes or no."""
        return np.maximum(scores, 1 - scores).mean(axis=1) if self.multi else scores.max(axis=1)

    def share_right(self, actual, scores):
        """How much of each row is answered rightly, float `(n,)`: 0 or 1 where the classes exclude each other, else the
        share of the classes."""
        right = self.answered(scores) == (np.asarray(actual) > 0.5)
        return (right.mean(axis=1) if self.multi else right.all(axis=1)).astype(float)

    def over_classes(self, values):
        """What `(n, classes)` values of classes come to in each row, float `(n,)`: the sum where the classes exclude
        each other, else the mean."""
        return values.mean(axis=1) if self.multi else values.sum(axis=1)

    # Probabilities ----------------------------------------------------------------------------------------------------

    def log_odds(self, probabilities, smallest=SMALLEST):
        """What softmax, or sigmoids, turn into these probabilities `(…, classes)`: log p, or log p/(1 - p).

        Args:
            smallest: least distance from 0 (and from 1, of a yes or no) that is told from it.
        """
        logs = np.log(probabilities.clip(smallest, 1))
        if not self.multi:
            return logs
        return logs - np.log1p(-probabilities.clip(smallest, 1 - smallest))

    def probabilities(self, log_odds):
        """The inverse of `log_odds`, over the last axis."""
        from scipy.special import expit, softmax  # here: half the time of importing this module

        return expit(log_odds) if self.multi else softmax(log_odds, axis=-1)

    def log_losses(self, actual, log_odds):
        """Negative log-likelihood of 0/1 labels, float `(n,)`, nats; of yes or no classes their mean."""
        from scipy.special import log_expit, log_softmax

        if self.multi:
            return self.over_classes(-np.where(actual > 0, log_expit(log_odds), log_expit(-log_odds)))
        return self.over_classes(-(log_softmax(log_odds, axis=1) * actual))

    @property
    def chance_loss(self):
        """Cross-entropy, nats, of a network that knows nothing."""
        return np.log(2) * len(self.classes) if self.multi else np.log(len(self.classes))

    @property
    def even_mix(self):
        """Shares float `(classes,)` of a mix in which every class comes as often; None where that means nothing."""
        return None if self.multi else np.full(len(self.classes), 1 / len(self.classes))

    def settle_mix(self, shares):
        """A class mix as this head has it, float `(classes,)`: shares that add up to 1, or each 0..1.

        Raises:
            InputError: shares that are no mix.
        """
        shares = np.asarray(shares, float)
        if self.multi and shares.max() > 1 or not shares.sum() > 0:
            expected = "0..1 each" if self.multi else "a sum above 0"
            raise InputError(f"the prior of head {self.name!r}: shares {shares.tolist()}, expected {expected}")
        return shares if self.multi else shares / shares.sum()


def _is_class_name(name):
    return isinstance(name, str) and name == name.strip() and name not in ("", NONE_APPLIES) and SEPARATOR not in name


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
    def exclusive(self):
        """[(number, head)] of the heads whose classes exclude each other."""
        return [(number, head) for number, head in enumerate(self.heads) if not head.multi]

    @property
    def multi_label(self):
        """The heads whose classes are a yes or no each, a list."""
        return [head for head in self.heads if head.multi]

    @property
    def slices(self):
        """Head name -> its slice of the flat vector."""
        ends = np.cumsum([len(head.classes) for head in self.heads]).tolist()
        return {head.name: slice(end - len(head.classes), end) for head, end in zip(self.heads, ends, strict=True)}

    @property
    def columns(self):
        """Names of the flat vector's entries: the header of every predictions table (see `Head.columns`)."""
        return [name for head in self.heads for name in head.columns]

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
        return np.stack([head.annotated(blocks[head.name]) for head in self.heads], axis=1).astype(np.float32)

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
