"""`write_submission`: predictions -> the file a leaderboard takes, in the form of its own sample submission."""

import csv
import io
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from kfashion_utils.errors import InputError, refuse
from kfashion_utils.storage.files import write_bytes
from kfashion_utils.tables.catalog import safe_id
from kfashion_utils.tables.labels import NONE_APPLIES, SEPARATOR
from kfashion_utils.tables.predictions import average_photos, prediction_heads, provenance
from kfashion_utils.tables.tasks import gloss

LABEL_FORMS = ("index", "name", "english")
ENCODINGS = ("utf-8-sig", "utf-8", "cp949")


@dataclass(frozen=True)
class Template:
    """A sample submission as it was found: its table as text, encoding and line ends."""

    table: pd.DataFrame
    encoding: str
    newline: str

    @classmethod
    def read(cls, path):
        """Raises:
        InputError: no such file, or not a table with an id and a label column.
        """
        path = Path(path)
        if not path.is_file():
            raise InputError(f"no template at {path}; it is the sample submission that the leaderboard gives")
        data = path.read_bytes()
        encoding = next((name for name in ENCODINGS if _decodes(data, name)), None)
        if encoding is None:
            raise InputError(f"{path} is neither UTF-8 nor cp949 text")
        if encoding == "utf-8-sig" and not data.startswith(b"\xef\xbb\xbf"):
            encoding = "utf-8"
        text = data.decode(encoding)
        try:
            table = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False, header=None, index_col=False)
        except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
            raise InputError(f"{path} is not a CSV table: {error}") from error
        table = table.iloc[1:].set_axis(table.iloc[0].tolist(), axis=1).reset_index(drop=True)
        if not table.columns.is_unique:
            raise InputError(f"{path} names a column twice: {list(table.columns)}")
        if table.shape[1] < 2 or table.empty:
            raise InputError(
                f"{path} has {table.shape[1]} columns and {len(table)} rows; "
                "a template has an id column, label columns and one row a picture"
            )
        return cls(table, encoding, "\r\n" if "\r\n" in text else "\n")


def _decodes(data, encoding):
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def write_submission(predictions, template, out, *, labels=None):
    """Write a submission in the template's form and read it back.

    Args:
        predictions: table of `predict`.
        template: path of the sample submission; its columns, their order, its rows and their order, its ids (with or
            without folder and extension), encoding and line ends are kept. The id column is the one whose values are
            the predictions' ids; label columns are those named like heads, or the one that is left.
        out: path of the CSV to write.
        labels: `index`, `name` or `english`; None = as in the template: integers -> index, class names -> names.

    Returns:
        The submission as a DataFrame of text.

    Raises:
        InputError: every problem: ids missing, doubled or unknown, probabilities that are no numbers, labels that are
            no class, a template that does not say what its labels look like.
    """
    if labels is not None and labels not in LABEL_FORMS:
        raise InputError(f"labels={labels!r}: expected one of {LABEL_FORMS}")
    template = Template.read(template)
    predictions = average_photos(predictions, provenance(predictions).get("by_row", ()))
    heads = prediction_heads(predictions)
    id_column = _id_column(template.table, predictions)
    columns = _label_columns(template.table, id_column, heads)
    keys = template.table[id_column].map(_finder(predictions))
    refuse("the submission was not written", _problems(predictions, template.table[id_column], keys, heads))
    answers = predictions.set_index("id")
    result = template.table.copy()
    for head, column in columns.items():
        form = labels or _label_form(head, column, template.table[column])
        result[column] = [_written(head, answers[head.name].at[key], form) for key in keys]
    write_bytes(out, _encoded(result, template))
    return result


def _encoded(table, template):
    """The bytes of a table in the template's encoding and line ends."""
    buffer = io.StringIO()
    table.to_csv(buffer, index=False, lineterminator=template.newline, quoting=csv.QUOTE_MINIMAL)
    try:
        return buffer.getvalue().encode(template.encoding)
    except UnicodeEncodeError as error:
        lost = error.object[error.start : error.end]
        raise InputError(
            f"the template's encoding {template.encoding} cannot hold {lost!r}; use --labels index"
        ) from error


def _finder(predictions):
    """Function from a template's id to the predictions' id it means: as it stands, without folder, without extension,
    as a file name. Where the rows of a photo are answered one by one, its name means none of them."""
    meant = {}
    rows_of_photos = predictions["photo"].duplicated(keep=False)
    for name, photo, several in zip(predictions["id"], predictions["photo"], rows_of_photos, strict=True):
        for form in (name,) if several else (name, photo):
            for key in (form, _without_extension(form), safe_id(form)):
                meant.setdefault(_composed(key), name)
    meant |= {_composed(name): name for name in predictions["id"]}  # an id as it stands goes before all else

    def find(value):
        return next((meant[form] for form in _forms(_composed(value)) if form in meant), None)

    return find


def _composed(text):
    return unicodedata.normalize("NFC", text)


def _forms(value):
    """What a template's id may mean, the likeliest first."""
    for text in (value, value.replace("\\", "/").rpartition("/")[2]):
        stem = _without_extension(text)
        yield from (text, stem, safe_id(text), safe_id(stem))


def _without_extension(name):
    stem, dot, extension = name.rpartition(".")
    return stem if dot and 2 <= len(extension) <= 4 and extension.isalnum() and not extension.isdigit() else name


def _id_column(table, predictions):
    """The column that names the pictures; of several that could, the one that is written like file names."""
    find = _finder(predictions)
    shares = {column: table[column].map(lambda value: find(value) is not None).mean() for column in table.columns}
    best = [column for column in table.columns if shares[column] == max(shares.values())]
    if not shares[best[0]]:
        first = {column: table[column].iloc[0] for column in table.columns}
        raise InputError(
            f"no column of the template holds ids of the predictions: its first row is {first}, the predictions' first "
            f"ids are {predictions['id'].head(3).tolist()}; predict the pictures that the template names"
        )
    if len(best) > 1:
        like_files = [column for column in best if (table[column].map(_without_extension) != table[column]).all()]
        if len(like_files) != 1:
            raise InputError(
                f"the template's columns {best} could each be the ids; "
                "rename all but one of them in a copy, or remove them"
            )
        best = like_files
    return best[0]


def _label_columns(table, id_column, heads):
    others = [column for column in table.columns if column != id_column]
    by_name = {column.strip().lower(): column for column in others}
    if all(head.name.lower() in by_name for head in heads):
        return {head: by_name[head.name.lower()] for head in heads}
    if len(heads) == 1 and len(others) == 1:
        return {heads[0]: others[0]}
    raise InputError(
        f"the template's columns {others} beside {id_column!r} do not name the heads {[head.name for head in heads]}; "
        "rename them in a copy of it"
    )


def _problems(predictions, written, keys, heads):
    ids = predictions["id"]
    photos = set(predictions["photo"][predictions["photo"].duplicated()])
    for name in written[keys.isna()]:
        if _without_extension(name) in photos or name in photos:
            yield f"{name!r} is a photo whose rows are answered one by one; name its rows instead ({ids.iloc[0]!r}, …)"
        else:
            yield f"{name!r} is in the template, but not in the predictions (unknown id)"
    yield from (f"{name!r} stands in the template more than once" for name in written[keys.notna() & keys.duplicated()])
    yield from (f"{name!r} stands in the predictions more than once" for name in ids[ids.duplicated()].unique())
    yield from (f"{name!r} is in the predictions, but missing in the template" for name in ids[~ids.isin(keys)])
    for head in heads:
        unknown = ids[predictions[head.columns].isna().any(axis=1)]
        yield from (f"{name!r}: a probability of {head.name!r} is NaN" for name in unknown)
        for name, label in zip(ids, predictions[head.name], strict=True):
            wrong = [part for part in head.names_in(label) if part not in head.classes]
            if wrong:
                yield f"{name!r}: {wrong} is no class of {head.name!r}"


def _label_form(head, column, values):
    given = {value.strip() for value in values} - {""}
    if not given:
        raise InputError(
            f"the template's column {column!r} is empty, so it does not say whether labels are numbers or names; "
            "add --labels index, name or english"
        )
    parts = {part for value in given for part in head.names_in(value)}
    english = {gloss(name) for name in head.classes}
    if parts <= set(head.classes):
        return "name"
    if any(name.isdecimal() for name in head.classes):
        raise InputError(
            f"the classes of {head.name!r} are numbers themselves and the template's column {column!r} holds others; "
            "say --labels index or --labels name"
        )
    if parts <= english:
        return "english"
    if all(part.lstrip("-").isdecimal() for part in parts):
        outside = sorted({int(part) for part in parts if not 0 <= int(part) < len(head.classes)})
        if outside:
            raise InputError(
                f"the template's column {column!r} holds {outside[:5]}, but {head.name!r} has the classes "
                f"0..{len(head.classes) - 1}; if they are placeholders, say the form with --labels"
            )
        return "index"
    unknown = sorted(parts - set(head.classes) - english)
    raise InputError(
        f"the template's column {column!r} holds {unknown[:5]}, which are no classes of {head.name!r}: "
        f"{list(head.classes)}; if they are placeholders, say the form with --labels index, name or english"
    )


def _written(head, label, form):
    if label == NONE_APPLIES:
        return NONE_APPLIES
    names = label.split(SEPARATOR)
    forms = {"name": str, "english": gloss, "index": lambda name: str(head.classes.index(name))}
    return SEPARATOR.join(forms[form](name) for name in names)


def blank_template(predictions, column="style"):
    """A sample submission for the ids of a predictions table, as a leaderboard would give it: `filename,<column>` with
    0 everywhere."""
    return pd.DataFrame({"filename": predictions["id"] + ".jpg", column: np.zeros(len(predictions), int)})
