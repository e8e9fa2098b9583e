"""How a leaderboard writes labels: as names, English names, numbers or indices; what a text means, and how a label is
written."""

import re
from decimal import Decimal

from kfashion_utils.errors import InputError
from kfashion_utils.tables.beside import composed
from kfashion_utils.tables.labels import NONE_APPLIES, SEPARATOR
from kfashion_utils.tables.tasks import gloss

LABEL_FORMS = ("index", "name", "english")
INTEGERS, FLOATS = "integers", "floats"  # forms of classes that are numbers themselves: `2`, `2.0`
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
INTEGER = re.compile(r"-?(0|[1-9]\d*)")
FLOAT = re.compile(r"-?(0|[1-9]\d*)\.0+")


def label_form(head, column, values):
    """How a template's column writes the labels of a head: one of `LABEL_FORMS`, `integers` or `floats`.

    Args:
        values: the column's texts.

    Raises:
        InputError: it does not say, or it holds what is no label of the head.
    """
    given = {composed(value).strip() for value in values} - {""}
    if not given:
        raise InputError(
            f"the template's column {column!r} is empty, so it does not say whether labels are numbers or names; "
            "add labels=index, name or english"
        )
    parts = {part for value in given for part in head.names_in(value)}
    names, english = {composed(name) for name in head.classes}, {gloss(name) for name in head.classes}
    if any(map(NUMBER.fullmatch, names)):
        return _form_of_numbers(head, column, parts)
    if parts <= names:
        return "name"
    if parts <= english:
        return "english"
    if all(part.lstrip("-").isdecimal() for part in parts):
        _require_indices(head, column, parts)
        return "index"
    unknown = sorted(parts - names - english)
    raise InputError(
        f"the template's column {column!r} holds {unknown[:5]}, which are no classes of {head.name!r}: "
        f"{list(head.classes)}; if they are placeholders, say the form with labels=index, name or english"
    )


def _form_of_numbers(head, column, parts):
    """The form of a column for classes that are numbers themselves, which are never taken for indices: as they are, or
    integers for classes like `2.0`, and the other way round."""
    names = {composed(name) for name in head.classes}
    values = {Decimal(name) for name in filter(NUMBER.fullmatch, names)}
    numbers = set(filter(NUMBER.fullmatch, parts))
    if numbers and set(map(Decimal, numbers)) <= values and parts - numbers <= names:
        if all(map(INTEGER.fullmatch, numbers)) and any(map(FLOAT.fullmatch, names)):
            return INTEGERS
        if all(map(FLOAT.fullmatch, numbers)) and any(map(INTEGER.fullmatch, names)):
            return FLOATS
    if parts <= names:
        return "name"
    raise InputError(
        f"the classes of {head.name!r} are numbers themselves and the template's column {column!r} holds others; "
        "say labels=index or labels=name"
    )


def _require_indices(head, column, parts):
    outside = sorted({int(part) for part in parts if not 0 <= int(part) < len(head.classes)})
    if outside:
        raise InputError(
            f"the template's column {column!r} holds {outside[:5]}, but {head.name!r} has the classes "
            f"0..{len(head.classes) - 1}; if they are placeholders, say the form with labels=index, name or english"
        )


def written(head, label, form):
    """A label in one of the forms."""
    if label == NONE_APPLIES:
        return NONE_APPLIES
    return SEPARATOR.join(class_in(head, name, form) for name in label.split(SEPARATOR))


def class_in(head, name, form):
    """A class in one of the forms; one that is no integer stays as it is where integers are written."""
    if form == "index":
        return str(head.classes.index(name))
    if form == INTEGERS and FLOAT.fullmatch(name):
        return name.partition(".")[0]
    if form == FLOATS and INTEGER.fullmatch(name):
        return f"{name}.0"
    return gloss(name) if form == "english" else name


def label_meant(head, text, form=None):
    """The label that a person means by a text: class names, English names, numbers or indices; several of a multi-label
    head joined with `|`, `-` = none applies.

    Args:
        form: how the template writes labels; None = not known.

    Raises:
        InputError: no class, or several that it could be.
    """
    parts = head.names_in(composed(text).strip())
    named = [_class_meant(head, part.strip(), form) for part in parts]
    label = SEPARATOR.join(name for name in head.classes if name in named) or NONE_APPLIES
    head.encode([label])  # several of a head whose classes exclude each other are no label
    return label


def _class_meant(head, text, form):
    readings = {name for name in head.classes if text == composed(name)}
    readings = readings or {name for name in head.classes if text == gloss(name)}
    numbers = list(filter(NUMBER.fullmatch, head.classes))
    if not readings and NUMBER.fullmatch(text):
        readings = {name for name in numbers if Decimal(name) == Decimal(text)}
    if form == "index" or not numbers:
        readings |= {name for number, name in enumerate(head.classes) if text == str(number)}
    if len(readings) > 1:
        raise InputError(f"{text!r} may be any of {sorted(readings)} of {head.name!r}; name the class otherwise")
    if not readings:
        raise InputError(f"{text!r} is no class of {head.name!r}: {list(head.classes)}")
    return readings.pop()
