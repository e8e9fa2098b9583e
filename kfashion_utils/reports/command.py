"""The command line that trains a run again."""

import shlex
from dataclasses import fields
from html import escape

from kfashion_utils.reports.page import bullets, element, lines, section
from kfashion_utils.tables.labels import Head
from kfashion_utils.tables.tasks import HEADS, PART, TASKS

TASK_FILE = "task.json"
CONTINUES = "The same command on the same folder continues an interrupted training, or returns the finished run."


def how_to_repeat(run):
    """The section with the command."""
    digest = escape(str(run.trained_on.get("hash", "unknown"))[:12])
    notes = [
        f"<code>catalog.csv</code>: the table whose train and valid rows have the hash <code>{digest}</code>; "
        "<code>DIR</code>: the folder with its photographs."
    ]
    if _task_argument(run.task) == TASK_FILE:
        notes.append(f"<code>{TASK_FILE}</code>: the part <code>task</code> of this run's <code>run.json</code>.")
    command = element("pre", element("code", escape(train_command(run))))
    return section("How to repeat it", lines(command, bullets([*notes, CONTINUES])))


def train_command(run):
    """The command line that trains this run again; only flags that differ from the defaults of the recipes."""
    words = ["kfashion", "train", "catalog.csv", "--root", "DIR", "--run", f"runs/{run.path.resolve().name}"]
    return shlex.join([*words, *_flags(run)])


def _flags(run):
    task = _task_argument(run.task)
    flags = ["--task", task] if task else _label_flags(run.task)
    if run.split == "all":
        flags += ["--split", "all"]
    for recipe in (run.preprocess, run.config):
        for field in fields(recipe):
            chosen = getattr(recipe, field.name)
            if chosen != field.default:
                flags += flag_words(field.name, chosen)
    return flags


def _label_flags(task):
    """The names of the targets, where they are not those that the columns' names alone give."""
    names = [head.name for head in task.heads]
    return ["--label", *names] if len(names) > 1 and not set(names) <= {*HEADS, PART} else []


def flag_words(name, value):
    """A field of a recipe as words of a command line; [] for what is left open."""
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return [f"--{flag}" if value else f"--no-{flag}"]
    if isinstance(value, (list, tuple)):
        return [f"--{flag}", *map(str, value)] if value else []
    return [] if value is None else [f"--{flag}", str(value)]


def _task_argument(task):
    """None where the label columns alone give this task; else a known task's name, or a file to be made of run.json."""
    given = all(HEADS.get(head.name) == head or _is_plain(head) for head in task.heads)
    if given and task.name == "_".join(head.name for head in task.heads):
        return None
    return task.name if TASKS.get(task.name) == task else TASK_FILE


def _is_plain(head):
    """Whether a head has nothing but a name and classes that exclude each other."""
    return len(head.classes) > 1 and head == Head(head.name, head.classes)
