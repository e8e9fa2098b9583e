"""The types of a recipe's values: frozen dataclasses of plain values, from and to JSON."""

import dataclasses
import os
import types
import typing
from dataclasses import fields

from kfashion_utils.errors import InputError, refuse


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
        kinds = (
            typing.get_args(declared)
            if isinstance(declared, types.UnionType)
            else (typing.get_origin(declared) or declared,)
        )
        if not _is_one(value, kinds):
            yield f"{name}={value!r}: expected {' or '.join(_NAMES[kind] for kind in kinds)}"


_NAMES = {
    int: "a whole number",
    float: "a number",
    str: "text",
    bool: "True or False",
    tuple: "a list",
    types.NoneType: "None",
}


def _is_one(value, kinds):
    if isinstance(value, bool):
        return bool in kinds
    if isinstance(value, list):
        return tuple in kinds
    return isinstance(value, kinds) or float in kinds and isinstance(value, int)


def from_dict(cls, values, source="the recipe"):
    """A recipe dataclass from JSON's values; an unknown key is an error.

    Raises:
        InputError: unknown keys, with the known ones; values of another type than the defaults'.
    """
    if not isinstance(values, dict):
        raise InputError(f"{source}: expected the fields of {cls.__name__}, got {str(values)[:60]}")
    known = [field.name for field in fields(cls)]
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise InputError(f"{source} has unknown keys {unknown}; {cls.__name__} knows {known}")
    refuse(f"{source}: values of the wrong type", misfits(cls, values))
    return cls(**values)
