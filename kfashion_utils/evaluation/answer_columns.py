"""Which columns of a leaderboard's template are filled with what: the labels of a head, or, where the columns are the
classes of a head, the probability of each."""

from dataclasses import dataclass

from kfashion_utils.errors import InputError
from kfashion_utils.evaluation.label_forms import FLOAT, INTEGERS, LABEL_FORMS, NUMBER, class_in, written
from kfashion_utils.tables.beside import composed
from kfashion_utils.tables.labels import Head
from kfashion_utils.tables.tasks import HEADS

SHOWN = 6  # classes in a message
DIGITS = 9  # significant ones of a probability in a submission
MARKS = (":", "+", "_", "-", ".", " ", "/")  # between the head, or a word, and the class in the name of a column
WORDS = ("class", "label", "prob", "proba", "probability", "p", "pred", "score")  # that may stand before a class


@dataclass(frozen=True)
class AnswerColumn:
    """A column of a template that is filled.

    Attributes:
        name: as the template spells it.
        head: the head that it answers.
        of_class: the class whose probability it holds; None = it holds labels.
    """

    name: str
    head: Head
    of_class: str | None = None

    @property
    def source(self):
        """The column of the predictions that it is filled from."""
        if self.of_class is None:
            return self.head.name
        return self.head.columns[self.head.classes.index(self.of_class)]

    def text(self, value, form):
        """A label in a form of `label_forms`, or a probability, as it is written."""
        return written(self.head, value, form) if self.of_class is None else f"{value:.{DIGITS}g}"


def named_columns(columns, heads):
    """Those of these columns that are called like a head or one of its classes, a set."""
    names = {_key(head.name) for head in heads}
    of_heads = {column for column in columns if _key(column) in names}
    return of_heads | {column for one in _readings(columns, heads, None).values() for column in one if one[column]}


def answer_columns(table, id_column, heads, labels=None):
    """The columns of a template that are filled, a list of AnswerColumn.

    Args:
        table: the template.
        id_column: the one that is not filled.
        heads: what the predictions answer.
        labels: of `LABEL_FORMS`: decides between several ways in which the names of columns may be read; None = none.

    Raises:
        InputError: columns that name no head and no classes, or that could be read in two ways.
    """
    others = [column for column in table.columns if column != id_column]
    by_name = {_key(column): column for column in others}
    of_heads = []
    if all(_key(head.name) in by_name for head in heads):
        of_heads = [AnswerColumn(by_name[_key(head.name)], head) for head in heads]
    elif len(heads) == 1 and len(others) == 1:
        _require_same_question(others[0], heads[0])
        of_heads = [AnswerColumn(others[0], heads[0])]
    rest = [column for column in others if column not in {one.name for one in of_heads}]
    readings = _readings(rest, heads, labels)
    whole = {form: _whole(reading, rest) for form, reading in readings.items()}
    chosen = [whole[labels]] if labels and whole[labels] else whole.values()
    complete = [list(columns) for columns in dict.fromkeys(chosen) if columns]
    if len(complete) > 1:
        first = next(one for one, other in zip(*complete[:2], strict=True) if one != other)
        raise InputError(
            f"the template's columns {rest[:5]} can be read in several ways: {first.name!r} is a class by its name, or "
            "by its number; say labels=index, name or english"
        )
    if of_heads or complete:
        return of_heads + (complete[0] if complete else [])
    raise InputError(_what_is_wrong(rest, list(readings.values()), id_column, heads))


def _require_same_question(column, head):
    """Refuse a column that is named like a known question which is not the one that was answered."""
    known = {_key(name): one for name, one in HEADS.items()}.get(_key(column))
    if known and not set(head.classes) <= set(known.classes):
        raise InputError(
            f"the template asks for {column!r}, a known question whose classes are {', '.join(known.classes)}, and the "
            f"predictions answer {head.name!r} with {', '.join(head.classes[:SHOWN])}; predict with a run of "
            f"{column!r}, or rename the column to {head.name!r} in a copy of the template"
        )


def _readings(columns, heads, labels):
    """{form: {column: list of the AnswerColumns that it may be}} for each way to write classes."""
    readings = {}
    for form in LABEL_FORMS:
        spelled, loosely = {}, {}
        for head in heads:
            if form == "index" != labels and any(map(NUMBER.fullmatch, head.classes)):
                continue  # a number that is a class is never taken for an index
            for name in head.classes:
                for key in _spellings(head, name, form):
                    spelled.setdefault(key, {})[head.name, name] = head
                    loosely.setdefault(key.casefold(), {})[head.name, name] = head
        readings[form] = {column: _found(column, spelled, loosely) for column in columns}
    return readings


def _key(column):
    return composed(column).strip().casefold()


def _found(column, spelled, loosely):
    """The AnswerColumns that a column may be; letters in the other case count where nothing else fits."""
    found = spelled.get(composed(column).strip()) or loosely.get(_key(column), {})
    return [AnswerColumn(column, head, name) for (_, name), head in found.items()]


def _spellings(head, name, form):
    """How a column for a class may be called."""
    texts = {class_in(head, name, form)} | ({class_in(head, name, INTEGERS)} if FLOAT.fullmatch(name) else set())
    before = [word + mark for word in (head.name, *WORDS) for mark in MARKS]
    return {composed(word + text) for text in texts for word in ("", *before)}


def _whole(reading, columns):
    """The columns as all the classes of one or several heads, a tuple of AnswerColumn; None = they are not."""
    chosen = [column for column in columns if reading[column]]
    if not columns or len(chosen) < len(columns):
        return None
    heads = {one.head.name: one.head for found in reading.values() for one in found}
    whole = [name for name, head in heads.items() if not _lacking(reading, head)]
    found = [[one for one in reading[column] if one.head.name in whole] for column in columns]
    answers = tuple(ones[0] for ones in found if len(ones) == 1)
    if len(answers) < len(columns) or len({one.source for one in answers}) < len(columns):
        return None
    return answers


def _lacking(reading, head):
    """The classes of a head that no column is."""
    there = {one.of_class for found in reading.values() for one in found if one.head.name == head.name}
    return [name for name in head.classes if name not in there]


def _what_is_wrong(columns, readings, id_column, heads):
    """Why columns are no heads and not the classes of a head."""
    reading = max(readings, key=lambda one: sum(map(bool, one.values())))
    matched = [column for column in columns if reading[column]]
    start = f"the template's columns {columns} beside {id_column!r} do not name the heads {[one.name for one in heads]}"
    if not matched:
        return f"{start}; rename them in a copy of it"
    heads_meant = {one.head.name: one.head for column in matched for one in reading[column]}
    problems = [f"{column!r} is no class" for column in columns if not reading[column]]
    for head in heads_meant.values():
        lacking = _lacking(reading, head)
        problems += [f"no column for {lacking} of {head.name!r}"] if lacking else []
    sources = {}
    for column in matched:
        sources.setdefault(tuple(one.source for one in reading[column]), []).append(column)
        if len(reading[column]) > 1:
            problems.append(f"{column!r} may be any of {[one.source for one in reading[column]]}")
    problems += [f"{names} are the same class" for names in sources.values() if len(names) > 1]
    return (
        f"{start}, and are not one column a class: {'; '.join(problems)}. A template of probabilities has a column for "
        "every class of a head and no other; rename them in a copy of it, or call them <head>:<class>"
    )
