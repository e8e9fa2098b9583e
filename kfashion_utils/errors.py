"""The one exception for bad input, and the types of a recipe's values.

The command line prints it and exits with code 2; it never shows a traceback for it.
"""

import dataclasses
import os
import types
import typing

SHOWN = 12  # problems listed in full; the rest is counted, so that a million bad rows still make one readable message


class InputError(ValueError):
    """What was received, what was expected, how to fix it, and which file or row."""


def listing(problems, shown=SHOWN):
    """One line a problem, at most `shown` of them, and how many more there are."""
    problems = list(problems)
    lines = [f"  - {problem}" for problem in problems[:shown]]
    if len(problems) > shown:
        lines.append(f"  … and {len(problems) - shown:,} more")
    return "\n".join(lines)


def refuse(heading, problems):
    """Raise one `InputError` that lists every problem, if there is any."""
    problems = list(problems)
    if problems:
        raise InputError(f"{heading} ({len(problems):,} problem{'s' * (len(problems) > 1)}):\n{listing(problems)}")


def settle_types(recipe):
    """Give a frozen dataclass Python's numbers for numpy's, and text for paths.

    Raises:
        InputError: values of another type than the fields', all of them.
    """
    for field in dataclasses.fields(recipe):
        value = getattr(recipe, field.name)
        if type(value).__module__ == "numpy" and value.ndim == 0:
            object.__setattr__(recipe, field.name, value.item())
        if isinstance(value, os.PathLike):
            object.__setattr__(recipe, field.name, os.fspath(value))
    refuse(f"the values of {type(recipe).__name__} are not usable", misfits(type(recipe), vars(recipe)))


def misfits(cls, values):
    """Yield which values are not of the types of the fields of a dataclass, in words."""
    for name, value in values.items():
        declared = cls.__dataclass_fields__[name].type
        kinds = typing.get_args(declared) if isinstance(declared, types.UnionType) else (typing.get_origin(declared) or declared,)
        if not _is_one(value, kinds):
            yield f"{name}={value!r}: expected {' or '.join(_NAMES[kind] for kind in kinds)}"


_NAMES = {int: "a whole number", float: "a number", str: "text", bool: "True or False", tuple: "a list", types.NoneType: "None"}


def _is_one(value, kinds):
    if isinstance(value, bool):
        return bool in kinds
    if isinstance(value, list):
        return tuple in kinds
    return isinstance(value, kinds) or float in kinds and isinstance(value, int)
