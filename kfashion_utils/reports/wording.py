"""How a report writes names, labels and numbers, and what it says of the two kinds of heads."""

from html import escape

from kfashion_utils.tables.labels import NONE_APPLIES
from kfashion_utils.tables.tasks import gloss

ONE_APPLIES = {  # of a head whose classes exclude each other
    "question": "exactly one applies",
    "right": "answered correctly",
    "one class": "<strong>Only one of the {classes} classes occurs among these {unit}</strong>: "
    "always answering it would be right every time, so these figures tell nothing.",
    "even mix": "every class as often",
    "majority": " As they come, {majority} of these {unit} are of the most frequent class; "
    "a board may count every class the same.",
    "confusion": "Each row holds the {unit} of one true class; "
    "a dark cell off the diagonal is a class it is mistaken for.",
}
ANY_APPLY = {  # of a head whose classes each apply or do not
    "question": "any number of them apply",
    "right": "with all labels right",
    "one class": "",
    "even mix": "recall and specificity, mean over the classes",
    "majority": "",
    "confusion": "Each row holds the {unit} that have a class, each column a class that was answered for them.",
}
RIGHT = '<b class="yes">✓ right</b>'
WRONG = '<b class="no">✗ wrong</b>'


def of_kind(head, what):
    """What is said of a head of its kind, text."""
    return (ANY_APPLY if head.multi else ONE_APPLIES)[what]


def both(name):
    """A class or head: Korean with its gloss."""
    english = gloss(name)
    if english == name:
        return escape(name)
    return f'<span lang="ko">{escape(name)}</span> <i>{escape(english)}</i>'


def label(text):
    """A label, several joined by `|`."""
    if text == NONE_APPLIES:
        return "none"
    return ", ".join(both(name) for name in text.split("|"))


def beside_title(task, head):
    """The head's name as it stands behind a title, where a task has several."""
    return f" <small>{both(head.name)}</small>" if len(task.heads) > 1 else ""


def counted(count, name):
    """`1 class`, `2,345 photos`: a number and a noun, given in the singular."""
    if count == 1:
        return f"1 {name}"
    return f"{count:,} {name}es" if name.endswith("s") else f"{count:,} {name}s"


def percent(value):
    return f"{100 * value:.1f} %"


def number(value, digits):
    """A number; a dash where it is unknown."""
    return "–" if value != value else f"{value:.{digits}f}"


def interval(low, high, digits=3):
    """An interval; empty where it is unknown."""
    if low != low or high != high:
        return ""
    return f'<small class="interval">{low:.{digits}f}–{high:.{digits}f}</small>'
