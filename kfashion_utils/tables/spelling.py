"""One number, one spelling: pandas writes a column of integers as `2.0` as soon as one of its cells is empty.

`number_of` says which number a text is, `one_spelling` mends a column, `Speller` finds the name that is meant among
known ones. Codes with leading zeros (`007`) are text, which no rule here changes.
"""

import math
import re

import pandas as pd

from kfashion_utils.errors import InputError, refuse

SEPARATOR = "|"  # between the labels of a row
NEUTRAL = {"", "-"}  # says nothing about what a column holds
NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?", re.ASCII)
CODE = re.compile(r"[+-]?0\d+", re.ASCII)
MISSING = {"nan", "NaN", "NAN", "None", "none", "<NA>", "NaT", "#N/A"}  # what programs write for an empty cell
MISSING_BESIDE_NUMBERS = MISSING | {"NA", "N/A", "n/a", "null", "NULL", "Null"}  # beside codes they may be codes
SUSPECT = re.compile(
    r"\|(?:[+-]?\d+(?:\.\d*(?:[eE][+-]?\d+)?|[eE][+-]?\d+)"
    rf"|{'|'.join(sorted(map(re.escape, MISSING_BESIDE_NUMBERS)))})(?=\|)",
    re.ASCII,
)  # among names that stand between separators
LEAST_SHORT = 10**16  # from here on programs write whole numbers in short form by themselves
EMPTY_CELL = (
    "among numbers this is what programs write for an empty cell; leave the cell empty (not annotated), write '-' "
    "(none applies), or give that class another name"
)
TWO_SPELLINGS = "one number in two spellings, in a column that also holds other text; write each class in one way"
LOST_DIGITS = (
    "a program has cut these numbers to fewer digits than they have; write them in full (in a spreadsheet format the "
    "column as text, in pandas read it with dtype=str)"
)


def number_of(text):
    """The number that a text is, an int where it is a whole one; None = it is none."""
    if not NUMBER.fullmatch(text):
        return None
    try:
        return int(text)
    except ValueError:
        value = float(text)
    if not math.isfinite(value):
        return None
    return int(value) if value.is_integer() else value


def class_order(names):
    """Class names sorted: numbers as numbers, else as text."""
    try:
        return sorted(names, key=int)
    except ValueError:
        pass  # not all of them integers
    names = sorted(names)
    numbers = [number_of(name) for name in names]
    return names if None in numbers else sorted(names, key=number_of)


class Speller:
    """Finds which of known names a text means: itself, or the only one that is the same number.

    Args:
        names: the known names.
    """

    def __init__(self, names):
        self.names, self._by_number = set(names), {}
        for name in self.names:
            number = number_of(name)
            if number is not None:
                self._by_number.setdefault(number, []).append(name)

    def __call__(self, label):
        """A label, or several joined with `|`, spelled as the known names; what means none of them stays."""
        if label in self.names or not self._by_number:
            return label
        return SEPARATOR.join(map(self._spelled, label.split(SEPARATOR)))

    def _spelled(self, name):
        same = [] if name in self.names else self._by_number.get(number_of(name), [])
        return same[0] if len(same) == 1 else name


# Columns --------------------------------------------------------------------------------------------------------------


def one_spelling(values, name, rows=None):
    """A column in which every number is written in one way, whole ones as integers.

    Args:
        values: Series of text; several labels of a row are joined with `|`.
        name: of the column, for messages.
        rows: number of each row for messages; None = as a spreadsheet counts.

    Returns:
        The same Series where nothing was to be mended: text, integers, numbers with decimals.

    Raises:
        InputError: what can only be guessed: `nan` or `None` among numbers, one number in two spellings among text.
    """
    names = pd.unique(values)
    if not is_suspect(names):
        return values
    parts = {cell: cell.split(SEPARATOR) for cell in names}
    try:
        meant, guess = _meant({part for each in parts.values() for part in each} - NEUTRAL), None
    except _Guess as error:
        meant, guess = {}, error
    if guess:
        bad = {cell for cell, each in parts.items() if not guess.parts.isdisjoint(each)}
        rows = range(2, len(values) + 2) if rows is None else rows
        found = [f"row {row}: {cell!r}" for row, cell in zip(rows, values, strict=True) if cell in bad]
        refuse(f"column {name!r} can only be guessed: {guess}", found)
    changed = {part: written for part, written in meant.items() if written != part}
    mended = {
        cell: SEPARATOR.join(dict.fromkeys(changed.get(part, part) for part in each))
        for cell, each in parts.items()
        if not changed.keys().isdisjoint(each)
    }
    return values.map(lambda cell: mended.get(cell, cell)) if mended else values


def is_suspect(names):
    """Whether there is anything among texts that a program may have written in place of an integer, or of nothing."""
    text = SEPARATOR.join(["", *names, ""])
    return not text.replace(SEPARATOR, "").isdecimal() and SUSPECT.search(text) is not None


class _Guess(InputError):
    """Why some parts of a column can only be guessed."""

    def __init__(self, parts, why):
        super().__init__(why)
        self.parts = parts


def _meant(parts):
    """{part: how it is written} of the different parts of a column; empty = as they are."""
    numbers = {part: number_of(part) for part in parts}
    numbers = {part: number for part, number in numbers.items() if number is not None}
    codes = any(CODE.fullmatch(part) for part in numbers)
    missing = (parts - numbers.keys()) & (MISSING if codes else MISSING_BESIDE_NUMBERS)
    others = parts - numbers.keys() - missing
    if missing and numbers and not others:
        raise _Guess(missing, EMPTY_CELL)
    twice = _in_two_spellings(numbers)
    if codes or others:
        if twice:
            raise _Guess(twice, TWO_SPELLINGS)
        return {}
    short = {part for part in numbers if "e" in part.lower()}
    whole = all(isinstance(number, int) for number in numbers.values())
    if short == numbers.keys() or not (whole or twice):
        return {}
    _require_all_digits(numbers, short)
    return {part: str(number) for part, number in numbers.items()}


def _in_two_spellings(numbers):
    """The parts that are one number with another one, where at least one is no plain integer."""
    found = {}
    for part, number in numbers.items():
        found.setdefault(number, []).append(part)
    same = [parts for parts in found.values() if len(parts) > 1 and any(not _is_plain(part) for part in parts)]
    return {part for parts in same for part in parts}


def _is_plain(part):
    return part.lstrip("+-").isdecimal()


def _require_all_digits(numbers, short):
    """Refuse what has lost its last digits: a spreadsheet's short form (1.23457E+11), and numbers of more digits than a
    float holds beside such that went through one."""
    cut = {part for part in short if isinstance(numbers[part], int) and abs(numbers[part]) < LEAST_SHORT}
    if cut:
        raise _Guess(cut, LOST_DIGITS)
    rounded = {float(number): number for part, number in numbers.items() if not _is_plain(part)}
    lost = {part for part, number in numbers.items() if rounded.get(float(number), number) != number}
    if lost:
        raise _Guess(lost, LOST_DIGITS)
