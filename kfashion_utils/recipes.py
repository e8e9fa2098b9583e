"""What all recipes share: frozen dataclasses of plain values, from and to JSON, and fields that were renamed."""

import dataclasses
import functools
import os
import types
import typing

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
        kinds = _kinds(cls.__dataclass_fields__[name].type)
        if not _is_one(value, kinds):
            yield f"{name}={value!r}: expected {' or '.join(_NAMES[kind] for kind in kinds)}"


def _kinds(declared):
    """The classes that a declared type allows: `tuple[int, ...] | None` -> (tuple, NoneType)."""
    parts = typing.get_args(declared) if isinstance(declared, types.UnionType) else (declared,)
    return tuple(typing.get_origin(part) or part for part in parts)


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
    """A recipe dataclass from JSON's values; an unknown key is an error, an old name of a field is its new one.

    Raises:
        InputError: unknown keys, with the known ones; values of another type than the defaults'.
    """
    if not isinstance(values, dict):
        raise InputError(f"{source}: expected the fields of {cls.__name__}, got {str(values)[:60]}")
    values = new_names(cls, values)
    known = [field.name for field in dataclasses.fields(cls)]
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise InputError(f"{source} has unknown keys {unknown}; {cls.__name__} knows {known}")
    refuse(f"{source}: values of the wrong type", misfits(cls, values))
    return cls(**values)


# Renamed fields -------------------------------------------------------------------------------------------------------


def new_names(cls, values):
    """A mapping with old names of fields replaced by new ones; where both are given, the old one counts: it was asked
    for."""
    old_names = getattr(cls, "OLD_NAMES", {})
    asked = {old_names[name]: value for name, value in values.items() if name in old_names}
    return {name: value for name, value in values.items() if name not in old_names} | asked


def takes_old_names(cls):
    """Class decorator: old names of fields (`OLD_NAMES`, {old: new}) still work as arguments and attributes."""
    made = cls.__init__

    @functools.wraps(made)
    def initialise(self, *arguments, **values):
        made(self, *arguments, **new_names(cls, values))

    cls.__init__ = initialise
    for old, new in cls.OLD_NAMES.items():
        setattr(cls, old, property(lambda self, new=new: getattr(self, new), doc=f"The old name of `{new}`."))
    return cls
