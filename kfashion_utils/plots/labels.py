"""Labels as figures count, order and name them."""

import pandas as pd

from kfashion_utils.errors import InputError
from kfashion_utils.plots.style import class_label, note_numbers
from kfashion_utils.tables.labels import NONE_APPLIES, NOT_ANNOTATED, OWN_COLUMNS, SEPARATOR, SUB
from kfashion_utils.tables.predictions import prediction_heads
from kfashion_utils.tables.tasks import HEADS, PARTS

OTHERS = "(others)"
# the catalog's parts are in English: their names for Korean labels
KOREAN = {english: korean for korean, english in PARTS.items()}


def label_pairs(catalog, column):
    """DataFrame `photo, label`: each label of each photo once; what is not annotated is left out.

    Raises:
        InputError: no such column, no labelled row.
    """
    columns = [name for name in catalog.columns if name not in OWN_COLUMNS]
    if column not in columns:
        advice = "; build it with rows='garment'" if column == "part" else ""
        raise InputError(f"no label column {column!r}; the catalog's are {columns}{advice}")
    labels = catalog[column].str.split(SEPARATOR, regex=False)
    pairs = pd.DataFrame({"photo": catalog["photo"], "label": labels}).explode("label", ignore_index=True)
    pairs = pairs[~pairs["label"].isin([NOT_ANNOTATED, NONE_APPLIES])].drop_duplicates(ignore_index=True)
    if pairs.empty:
        raise InputError(f"none of {len(catalog):,} rows has a label in {column!r}")
    return pairs


def known_parents(column):
    """{class: parent} of the known head that a label column is of, in the head's order; {} = it has no parents."""
    head = HEADS.get(column.removeprefix(SUB))
    if head is None or not head.parents:
        return {}
    return dict(zip(head.classes, head.parents, strict=True))


def ordered_labels(labels, column):
    """The classes there are: by parent and then in the head's order; without parents the most frequent first."""
    counts = labels.value_counts()
    parent_of = known_parents(column)
    if not parent_of:
        return list(counts.index)
    parents = list(dict.fromkeys(parent_of.values()))
    place = {name: (parents.index(parent), number) for number, (name, parent) in enumerate(parent_of.items())}
    unknown = (len(place), 0)
    return sorted(counts.index, key=lambda name: (*place.get(name, unknown), name))


def find_head(predictions, head=None):
    """The Head of a head's name, or the first one of the predictions; a Head stays as it is.

    Raises:
        InputError: no such head.
    """
    heads = {known.name: known for known in prediction_heads(predictions)}
    name = getattr(head, "name", head) or next(iter(heads), None)
    if name not in heads:
        raise InputError(f"no head {name!r} in the predictions; they have {list(heads)}")
    return head if hasattr(head, "classes") else heads[name]


# Names ----------------------------------------------------------------------------------------------------------------


def name_label(name, number=None, short=False):
    """A label of a catalog in a figure, as `class_label` writes classes."""
    return name if name == OTHERS else class_label(KOREAN.get(name, name), number, short)


def name_ticks(axis, names, short=False, **options):
    """Name the places 0, 1, … of an axis by classes; one that no font can write by its number among them, sorted."""
    numbers = {name: number for number, name in enumerate(sorted(names))}
    labels = [name_label(name, numbers[name], short) for name in names]
    axis.set_ticks(range(len(names)), labels, **options)
    note_numbers(axis.get_figure(), labels)
