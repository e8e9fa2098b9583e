"""What the verbs share: recipes from a file as defaults of flags, small files that people write, tables for people."""

import inspect
import json
import re
from pathlib import Path

from kfashion_utils.errors import InputError
from kfashion_utils.images.recipe import Preprocess
from kfashion_utils.recipes import from_dict
from kfashion_utils.runs.config import TrainConfig
from kfashion_utils.tables.reading import read_table, read_text

CONFIG = "--config"
OLD_FLAGS = {f"--{old.replace('_', '-')}": f"--{new.replace('_', '-')}" for old, new in TrainConfig.OLD_NAMES.items()}
RECIPES = {
    "preprocess": (Preprocess, "preprocess"),
    "config": (TrainConfig, "train"),
}  # argument: type, key of run.json


SHARE = re.compile(r"[\t;]\s*(\d+(?:[.,]\d+)?|share)\s*$")  # at the end of a line, behind a tab or a semicolon

# Recipes from a file --------------------------------------------------------------------------------------------------


def new_flags(arguments):
    """Words of a command line in which old names of flags are the new ones."""
    words = (word.partition("=") for word in arguments)
    return ["".join([OLD_FLAGS.get(flag, flag), sign, value]) for flag, sign, value in words]


def with_config(verb, arguments):
    """A verb whose arguments `preprocess`, `config` and `split` default to the values in the file that `--config`
    names, or in the record of a run that goes on with what it kept; flags go over them.

    Raises:
        InputError: the flag is given twice, or its file is no recipe.
    """
    path = _config_path(arguments) or _kept_record(arguments)
    return verb if path is None else _with_defaults(verb, _read_recipes(path))


def _values(flag, arguments):
    """What a command line says behind a flag, each time."""
    behind = [after for word, after in zip(arguments, arguments[1:], strict=False) if word == flag]
    return behind + [word.partition("=")[2] for word in arguments if word.startswith(f"{flag}=")]


def _config_path(arguments):
    named = _values(CONFIG, arguments)
    if len(named) > 1:
        raise InputError(f"{CONFIG} is given {len(named)} times: {named}; one recipe can be repeated")
    return Path(named[0]) if named else None


def _kept_record(arguments):
    """The record of the run that goes on alone (`--run` without `--root`); None = a run begins, or none is there."""
    if _values("--root", arguments):
        return None
    records = [Path(run, "run.json") for run in _values("--run", arguments)]
    return next((path for path in records if path.is_file()), None)


def _read_recipes(path):
    """{argument: value} of the recipes in a run.json, and of its split."""
    try:
        values = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise InputError(f"{CONFIG} {path}: not a readable JSON file ({error})") from error
    if not isinstance(values, dict):
        raise InputError(f"{CONFIG} {path}: expected a run.json, got {str(values)[:60]}")
    found = {}
    for argument, (recipe, key) in RECIPES.items():
        found[argument] = from_dict(recipe, values.get(key, {}), f"{path}, {key!r}")
    return found | ({"split": values["split"]} if values.get("split") else {})


def _with_defaults(verb, defaults):
    """The same function with other default values, for whoever looks at its signature."""
    signature = inspect.signature(verb)
    parameters = [one.replace(default=defaults.get(name, one.default)) for name, one in signature.parameters.items()]

    def call(*arguments, **options):
        return verb(*arguments, **options)

    call.__doc__, call.__name__, call.__annotations__ = verb.__doc__, verb.__name__, verb.__annotations__
    call.__signature__ = signature.replace(parameters=parameters)
    return call


# Small files ----------------------------------------------------------------------------------------------------------


def read_prior(prior):
    """`train`, `uniform`, None, or the shares in a file."""
    if prior in (None, "train", "uniform"):
        return prior
    path = Path(prior)
    if not path.is_file():
        raise InputError(f"--prior {prior}: neither 'train', 'uniform' nor a file")
    text = read_text(path)
    try:
        if path.suffix.lower() == ".json":
            return json.loads(text)
        lines = [line for line in text.splitlines() if line.strip(" \t,;")]
        if all(map(SHARE.search, lines)):
            rows = [(SHARE.sub("", line), SHARE.search(line)[1].replace(",", ".")) for line in lines]
        else:
            rows = [line.rsplit(",", 1) for line in lines]
        has_header = rows[0][1].strip() == "share"
        return {name.strip(): float(share) for name, share in rows[has_header:]}
    except (ValueError, IndexError) as error:
        raise InputError(
            f"{path} is not a class mix: expected JSON {{class: share}} or lines 'class,share' ({error})"
        ) from error


def read_pairs(path):
    """A table whose first two columns are ids of near-duplicates.

    Raises:
        InputError: no such file, no table, or one column only.
    """
    if not path.is_file():
        raise InputError(f"--near {path}: no such file; give a CSV with pairs of ids in its first two columns")
    table = read_table(path)
    if table.shape[1] < 2:
        raise InputError(f"--near {path}: one column, {list(table.columns)}; expected pairs of ids in the first two")
    return table.reset_index(drop=True)


def beside(path, word):
    """`kf.csv` or `kf.csv.gz` -> `kf.<word>.csv`."""
    return path.with_name(f"{path.name.removesuffix('.gz').removesuffix('.csv')}.{word}.csv")
