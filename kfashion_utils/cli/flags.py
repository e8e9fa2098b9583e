"""The flags of a verb: its parameters, and the fields of its recipes in groups, the common ones first.

tyro reads them from a signature, which is made here from the verb's own: every text is the docstring's, the choices of
a field are those of its recipe, and a default is said once.
"""

import dataclasses
import functools
import inspect
import re
from typing import Annotated, Literal

import tyro
from docstring_parser import parse

from kfashion_utils.images import recipe as pixels
from kfashion_utils.runs import config as learning

RECIPES = {  # type: (choices of its fields, {group: (its fields, what they are)})
    pixels.Preprocess: (
        pixels.CHOICES,
        {"pixels": (tuple(pixels.Preprocess.__dataclass_fields__), "how pictures are prepared")},
    ),
    learning.TrainConfig: (
        learning.CHOICES,
        {
            "learning": (
                (
                    "backbone", "weights", "taps", "sizes", "variants", "classifier", "balance", "sub_labels",
                    "fine_tune_epochs", "seed",
                ),
                "how the model learns: what is chosen most often",
            ),
            "fine-tuning": (
                (
                    "unfreeze", "fine_tune_rate", "schedule", "drop", "every", "patience", "warmup", "stop_after",
                    "augment", "mix", "swap", "ema", "parent_share", "precision",
                ),
                "of --fine-tune-epochs",
            ),
            "training": (
                (
                    "classifier_epochs", "classifier_factor", "learning_rate", "batch_size", "loss", "label_smoothing",
                    "weight_decay",
                ),
                "of what is trained and not solved",
            ),
        },
    ),
}  # fmt: skip
UNSAID = ("None", "", "False")  # defaults that say nothing; the text of a flag explains them


def with_flags(verb):
    """A verb as a function whose parameters are its flags, for `tyro.cli`; a recipe is made again from its groups."""
    texts = _texts(verb)
    parameters, recipes = [], {}
    for one in inspect.signature(verb).parameters.values():
        if one.annotation in RECIPES:
            recipes[one.name] = one.annotation
            parameters += _groups(one)
        else:
            parameters.append(one.replace(annotation=_explained(one.annotation, texts[one.name])))

    @functools.wraps(verb, assigned=("__name__", "__module__"), updated=())
    def call(*arguments, **options):
        for name, recipe in recipes.items():
            values = {}
            for group in RECIPES[recipe][1]:
                values |= dataclasses.asdict(options.pop(_parameter(group)))
            options[name] = recipe(**values)
        return verb(*arguments, **options)

    del call.__wrapped__  # tyro would look through it
    call.__signature__ = inspect.Signature(parameters)
    call.__annotations__ = {one.name: one.annotation for one in parameters}
    call.__doc__ = _summary(verb)
    return call


def _groups(parameter):
    """A parameter for each group of a recipe's fields."""
    recipe, made = parameter.annotation, []
    for group, (names, text) in RECIPES[recipe][1].items():
        kind = _group_type(recipe, group)
        default = kind(*(getattr(parameter.default, name) for name in names))
        annotation = Annotated[kind, tyro.conf.arg(name=group, help=text)]
        made.append(parameter.replace(name=_parameter(group), annotation=annotation, default=default))
    return made


@functools.cache
def _group_type(recipe, group):
    """A dataclass of the fields of a recipe that belong to a group."""
    choices, groups = RECIPES[recipe]
    texts, known = _texts(recipe), recipe.__dataclass_fields__
    fields = [(name, _explained(_field_type(known[name], choices), texts[name])) for name in groups[group][0]]
    return dataclasses.make_dataclass(group.title().replace("-", ""), fields, frozen=True)


def _parameter(group):
    """Its name in the signature."""
    return group.replace("-", "_")


def _field_type(field, choices):
    return Literal[choices[field.name]] if field.name in choices else field.type


def _explained(annotation, text):
    """An annotation with the text of its flag."""
    return Annotated[annotation, tyro.conf.arg(help=text, help_behavior_hint=_default)]


def _default(label):
    return "" if label in UNSAID else f"(default: {label})"


def _texts(documented):
    """{parameter: text} of a docstring; parameters that are explained together have the same one."""
    found = {}
    for entry in parse(inspect.getdoc(documented)).params:
        text = " ".join((entry.description or "").split())
        found |= dict.fromkeys((name.strip() for name in entry.arg_name.split(",")), text)
    return found


def as_typed(message, verb):
    """A message of the library, which names arguments (`labels=index`, `thresholds=True`), with a verb's flags
    (`--labels index`, `--thresholds`)."""
    flags = {}
    for one in inspect.signature(verb).parameters.values():
        flags |= {name: name for name in getattr(one.annotation, "__dataclass_fields__", [one.name])}
        flags[one.name] = _own_name(one)
    written = re.compile(rf"(?<![\w.{{-])({'|'.join(flags)})=(?:True\b|(?=[\s;:,)])|$|( ?))")
    return written.sub(lambda found: f"--{flags[found[1]].replace('_', '-')}{'' if found[2] is None else ' '}", message)


def _own_name(parameter):
    """What a parameter is called as a flag."""
    given = [mark.name for mark in getattr(parameter.annotation, "__metadata__", ()) if getattr(mark, "name", None)]
    return given[0] if given else parameter.name


def _summary(verb):
    parsed = parse(inspect.getdoc(verb))
    return "\n\n".join(text for text in (parsed.short_description, parsed.long_description) if text)
