"""Facts: the 23 styles, their parents, glosses and spellings, and the vocabularies of the other questions.

Sources: index order, the Korean alphabet, as in the reports this project grew from; parents and English names from a
TFDS builder of AI Hub's K-Fashion (dataSetSn=51); attribute vocabularies read from real label files (guideline: 11
attributes).
"""

import json
from pathlib import Path

from kfashion_utils.errors import InputError, did_you_mean, refuse
from kfashion_utils.tables.labels import NONE_APPLIES, NOT_ANNOTATED, OWN_COLUMNS, SEPARATOR, SUB, Head, Task
from kfashion_utils.tables.spelling import class_order

STYLES = (  # Korean name, English name, parent (level 1); the index is the row number
    ("레트로", "retro", "서브컬쳐"),
    ("로맨틱", "romantic", "페미닌"),
    ("리조트", "resort", "내추럴"),
    ("매니시", "mannish", "매니시"),
    ("모던", "modern", "컨템포러리"),
    ("밀리터리", "military", "캐주얼"),
    ("섹시", "sexy", "페미닌"),
    ("소피스트케이티드", "sophisticated", "컨템포러리"),
    ("스트리트", "street", "캐주얼"),
    ("스포티", "sporty", "스포티"),
    ("아방가르드", "avant-garde", "컨템포러리"),
    ("오리엔탈", "oriental", "에스닉"),
    ("웨스턴", "western", "에스닉"),
    ("젠더리스", "genderless", "젠더플루이드"),
    ("컨트리", "country", "내추럴"),
    ("클래식", "classic", "트래디셔널"),
    ("키치", "kitsch", "서브컬쳐"),
    ("톰보이", "tomboy", "매니시"),
    ("펑크", "punk", "서브컬쳐"),
    ("페미닌", "feminine", "페미닌"),
    ("프레피", "preppy", "트래디셔널"),
    ("히피", "hippie", "에스닉"),
    ("힙합", "hip-hop", "서브컬쳐"),
)
PARENTS = {
    "트래디셔널": "traditional", "매니시": "mannish", "페미닌": "feminine", "에스닉": "ethnic",
    "컨템포러리": "contemporary", "내추럴": "natural", "젠더플루이드": "gender-fluid", "스포티": "sporty",
    "서브컬쳐": "subculture", "캐주얼": "casual",
}  # fmt: skip
STYLE_ALIASES = {
    "키치/키덜트": "키치", "키덜트": "키치", "펑크/로커": "펑크", "로커": "펑크",
    "젠더리스/젠더플루이드": "젠더리스", "젠더플루이드": "젠더리스",
}  # fmt: skip
NO_STYLE = "기타"  # AI Hub's 24th folder: pictures without a style
PARTS = {"아우터": "outer", "상의": "top", "하의": "bottom", "원피스": "dress"}

STYLE = Head("style", tuple(row[0] for row in STYLES), parents=tuple(row[2] for row in STYLES))
ENGLISH = {
    **{korean: english for korean, english, _ in STYLES},
    **PARENTS,
    **PARTS,
}  # glosses; unknown names stay as they are

DAILY = Head("Daily", ("실내복", "가벼운 외출", "오피스룩", "격식차린", "이벤트", "교복", "운동복"))
GENDER = Head("Gender", ("밀리터리", "매니쉬", "유니섹스", "걸리쉬", "우아한", "섹시한"))
EMBELLISHMENT = Head("Embellishment", ("없는", "포인트 장식", "많은"))

TASKS = {
    "style": Task("style", (STYLE,)),
    "fashion_how": Task("fashion_how", (DAILY, GENDER, EMBELLISHMENT)),
}
PART = "part"  # of a garment; its classes are those that occur
SHOWN = 12  # classes of an example
HEADS = {head.name: head for task in TASKS.values() for head in task.heads}


def gloss(name):
    """The English name of a class where there is one, else the name itself."""
    return ENGLISH.get(name, name)


def resolve_task(task, catalog, labels=None, *, learned=True):
    """Which Task a catalog has.

    Args:
        task: a Task; the name of a row of `TASKS`; a path to a Task's JSON; None = from the label columns that are
            targets: one named like a head of `HEADS` gets that head's classes, any other the sorted values of its
            training rows (numbers in numeric order).
        catalog: DataFrame of the column contract.
        labels: names of the targets, where `task` is None; see `target_columns`.
        learned: whether its labels are learned from, so that they must be classes of the head that a column is named
            like.

    Raises:
        InputError: no label column, several that nobody named, one with the name of a known head and other labels, an
            unknown name, a file that is not a Task.
    """
    if labels and task is not None:
        raise InputError(f"task={task} names its targets itself; leave out labels={list(labels)}, or the task")
    if isinstance(task, Task):
        return task
    if task is not None:
        return TASKS[task] if task in TASKS else _read_task(Path(task))
    columns = target_columns(catalog, labels)
    heads = tuple(HEADS.get(column) or _head_of_values(column, catalog) for column in columns)
    if learned:
        for head in heads:
            _require_its_classes(head, catalog)
    return Task("_".join(columns), heads)


def _require_its_classes(head, catalog):
    """Refuse a column that is named like a known head and holds other labels than its classes."""
    used = catalog["split"].isin(["train", "valid"])
    labels = catalog[head.name][used | ~used.any()]
    counts = labels[labels != NOT_ANNOTATED].str.split(SEPARATOR, regex=False).explode().value_counts()
    counts = counts.drop(NONE_APPLIES, errors="ignore").sort_index()
    unknown = counts[~counts.index.isin(head.classes)]
    if head.name not in HEADS or unknown.empty:
        return
    refuse(
        f"label column {head.name!r} does not fit its classes: the name is taken by the task's head {head.name!r}, "
        f"whose {len(head.classes)} classes are {', '.join(head.classes)}. Correct what is a slip; if the column means "
        "something else, rename it, or pass task=FILE with its own classes: "
        f"{_example(head.name, class_order(counts.index))}",
        [f"unknown class {name!r} in {count} rows" for name, count in unknown.items()],
    )


def _example(name, classes):
    """The text of a task file with one head."""
    classes = classes if len(classes) <= SHOWN else [*classes[:SHOWN], "…"]
    return json.dumps({"name": f"my {name}", "heads": [{"name": name, "classes": classes}]}, ensure_ascii=False)


def label_columns(catalog):
    """The columns of a catalog that are heads: all that the contract does not name, but for second opinions
    (`sub_style` on `style`)."""
    columns = [column for column in catalog.columns if column not in OWN_COLUMNS]
    return [column for column in columns if column.removeprefix(SUB) not in set(columns) - {column}]


def target_columns(catalog, labels=None):
    """The label columns that are learned from: those that `labels` names, else those named like a head that is known
    (`HEADS`, `part`), else the only one that there is.

    Raises:
        InputError: none; one that is named and is not there; several, none of them known: a note or a slip in a name
            must not become a target in silence.
    """
    columns = label_columns(catalog)
    if labels:
        _require_columns(labels, [name for name in catalog.columns if name not in OWN_COLUMNS])
        return list(dict.fromkeys(labels))
    if not columns:
        raise InputError(
            f"the catalog has no label column beside its own {list(catalog.columns)}; add one, for example 'style'"
        )
    known = [name for name in columns if name in HEADS or name == PART]
    if not known and len(columns) > 1:
        raise InputError(
            f"the catalog has {len(columns)} label columns, {columns}, and none is named like a known question "
            f"({', '.join([*HEADS, PART])}); say which to learn with labels={columns[0]} (one or several)"
        )
    return known or columns


def _require_columns(wanted, columns):
    for name in wanted:
        if name not in columns:
            meant = did_you_mean(name, columns)
            raise InputError(f"labels={name}: the catalog has no such label column{meant} ({columns} are there)")


def _head_of_values(column, catalog):
    rows = catalog[catalog["split"] == "train"] if (catalog["split"] == "train").any() else catalog
    values = class_order(set(rows[column]) - {"", "-"})
    if any(SEPARATOR in value for value in values):
        raise InputError(
            f"column {column!r} holds several labels a row ({next(v for v in values if SEPARATOR in v)!r}); "
            "state its classes and "
            f'"multi": true in a task file and pass it as task=FILE'
        )
    if len(values) < 2:
        raise InputError(
            f"column {column!r} has {len(values)} class among its training rows ({values}); "
            "two are needed to learn anything"
        )
    return Head(column, tuple(values))


def _read_task(path):
    if not path.is_file():
        raise InputError(f"task={path}: neither a known task ({', '.join(TASKS)}) nor a file")
    try:
        return Task.from_dict(json.loads(path.read_text(encoding="utf-8-sig")))
    except ValueError as error:
        raise InputError(f"{path} is not a task file: {error}") from error
