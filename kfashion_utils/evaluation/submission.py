"""`write_submission`: predictions -> the file a leaderboard takes, in the form of its own sample submission."""

import numpy as np
import pandas as pd

from kfashion_utils.errors import InputError, refuse
from kfashion_utils.evaluation.answer_columns import answer_columns, named_columns
from kfashion_utils.evaluation.fallback import fallback_of
from kfashion_utils.evaluation.label_forms import LABEL_FORMS, label_form
from kfashion_utils.evaluation.picture_names import PictureNames
from kfashion_utils.evaluation.template import Template, find_id_column
from kfashion_utils.output import say
from kfashion_utils.storage.files import write_bytes
from kfashion_utils.tables.predictions import average_photos, prediction_heads, provenance

FALLBACK = "fallback"  # key of `attrs`
SHOWN = 5  # names of rows that are no predictions


def write_submission(predictions, template, out, *, labels=None, fallback=None):
    """Write a submission in the template's form.

    Args:
        predictions: table of `predict`.
        template: path of the sample submission; its columns, their order, its rows and their order, its ids, encoding
            and line ends are kept. The id column is the one whose values name the predictions' pictures: by id, photo,
            path, part of a path, file name or stem, with or without extension, whatever means one of them only. Label
            columns are those named like heads, or the one that is left. Where the columns are the classes of a head
            (names, English names or index numbers, in any order, also `<head>:<class>` or `<head>_<class>`), they get
            its probabilities.
        out: path of the CSV to write.
        labels: `index`, `name` or `english`; None = as in the template: integers -> index, class names -> names.
            Classes that are numbers themselves are never taken for indices: `2.0` is written as 2 among integers.
        fallback: what the rows get that have no prediction, because their picture could not be read or was not
            predicted: `majority` = for each head the most frequent class of the training rows (as probabilities: their
            mix), or a class in any form (as probabilities: 1 for it); None = such rows are refused.

    Returns:
        The submission as a DataFrame of text. `attrs["fallback"]`, where rows are no predictions: `rows` = their names,
        `labels` = {head: label}, `origin` = {head: words}; they are counted on the screen, too.

    Raises:
        InputError: every problem, and nothing is written: ids missing, doubled, unknown or of several pictures,
            pictures that could not be read, probabilities that are no numbers, labels that are no class, a template
            that does not say what its labels look like, a fallback that is no class.
    """
    if labels is not None and labels not in LABEL_FORMS:
        raise InputError(f"labels={labels!r}: expected one of {LABEL_FORMS}")
    sheet = Template.read(template)
    predictions = average_photos(predictions, provenance(predictions).get("by_row", ()))
    heads, names = prediction_heads(predictions), PictureNames(predictions)
    id_column = find_id_column(sheet.table, names, named_columns(sheet.table.columns, heads))
    columns = answer_columns(sheet.table, id_column, heads, labels)
    texts = sheet.table[id_column].tolist()
    meant = [names.meant(text) for text in texts]
    forms, problems = _forms(columns, sheet.table, labels)
    instead, more = _fallbacks(columns, forms, fallback, predictions)
    problems = [*_problems_of_rows(texts, meant, names, fallback is not None), *problems, *more]
    refuse(_heading(meant, names, fallback), [*problems, *_problems_of_predictions(predictions, meant, heads)])
    keys = [ids[0] if ids and ids[0] not in names.unread else None for ids in meant]
    result = _filled(sheet.table, columns, forms, keys, predictions, instead)
    write_bytes(out, sheet.encoded(result))
    if sheet.empty_rows:
        say(f"empty rows at the template's end, left out: {sheet.empty_rows:,}")
    if fallback is not None:
        _tell([text for text, key in zip(texts, keys, strict=True) if key is None], columns, instead, result)
    return result


def _forms(columns, table, labels):
    """({column: how it writes labels}, problems)."""
    forms, problems = {}, []
    for column in columns:
        if column.of_class is None:
            try:
                forms[column.name] = labels or label_form(column.head, column.name, table[column.name])
            except InputError as error:
                problems.append(str(error))
    return forms, problems


def _fallbacks(columns, forms, fallback, predictions):
    """({head: Fallback}, problems)."""
    found, problems = {}, []
    for column in columns if fallback is not None else ():
        if column.head.name not in found:
            try:
                found[column.head.name] = fallback_of(column.head, fallback, predictions, forms.get(column.name))
            except InputError as error:
                problems.append(str(error))
    return found, list(dict.fromkeys(problems))


def _filled(table, columns, forms, keys, predictions, instead):
    """The template with the answers of the pictures in `keys`; None = the fallback."""
    result, answers = table.copy(), predictions.set_index("id")
    for column in columns:
        given, other = answers[column.source].to_dict(), instead.get(column.head.name)
        values = [other.value(column.of_class) if key is None else given[key] for key in keys]
        result[column.name] = [column.text(value, forms.get(column.name)) for value in values]
    return result


def _tell(rows, columns, instead, result):
    """Say, and note, which rows are no predictions."""
    if not rows:
        say("every row is a prediction; the fallback was not needed")
        return
    noted = {"rows": rows, "labels": {name: one.label for name, one in instead.items()}}
    result.attrs[FALLBACK] = noted | {"origin": {name: one.origin for name, one in instead.items()}}
    said = ", ".join(dict.fromkeys(instead[column.head.name].said(column.of_class is not None) for column in columns))
    first = ", ".join(map(repr, rows[:SHOWN])) + (f" and {len(rows) - SHOWN:,} more" if len(rows) > SHOWN else "")
    are = "is not a prediction" if len(rows) == 1 else "are not predictions"
    say(f"{len(rows):,} of {len(result):,} rows {are} but the fallback {said}: {first}")


# Problems -------------------------------------------------------------------------------------------------------------


def _heading(meant, names, fallback):
    heading = "the submission was not written"
    if fallback is None and any(ids and ids[0] in names.unread for ids in meant):
        heading += "; mend the pictures that could not be read and predict again, or write a whole file with "
        heading += "fallback=majority (or a class)"
    return heading


def _problems_of_rows(texts, meant, names, filled):
    """What is wrong with the template's rows; `filled` = those without a prediction get the fallback."""
    first = {}
    for text, ids in zip(texts, meant, strict=True):
        key = ids[0] if len(ids) == 1 else text
        if len(ids) > 1:
            yield _undecided(text, ids, names)
        elif not ids and not filled:
            remedy = "predict it, or use fallback=majority"
            yield f"{text!r} is in the template, but not in the predictions (unknown id); {remedy}"
        elif ids and ids[0] in names.unread and not filled:
            yield f"{text!r} could not be read: {names.unread[key]}"
        if key in first and (ids or filled):
            same = "" if first[key] == text else f" (as {first[key]!r})"
            yield f"{text!r} stands in the template more than once{same}"
        first.setdefault(key, text)


def _undecided(text, ids, names):
    if names.one_photo(ids):
        return f"{text!r} is a photo whose rows are answered one by one; name its rows instead ({ids[0]!r}, …)"
    remedy = "name more of the path, or predict fewer rows"
    if not names.know_paths:
        remedy = "this table does not know their paths, predict again and it does"
    return f"{text!r} may mean several pictures: {names.described(ids)}; {remedy}"


def _problems_of_predictions(predictions, meant, heads):
    ids, named = predictions["id"], {name for ids in meant for name in ids}
    yield from (f"{name!r} stands in the predictions more than once" for name in ids[ids.duplicated()].unique())
    yield from (f"{name!r} is in the predictions, but missing in the template" for name in ids[~ids.isin(named)])
    for head in heads:
        unknown = ids[predictions[head.columns].isna().any(axis=1)]
        yield from (f"{name!r}: a probability of {head.name!r} is NaN" for name in unknown)
        for name, label in zip(ids, predictions[head.name], strict=True):
            wrong = [part for part in head.names_in(label) if part not in head.classes]
            if wrong:
                yield f"{name!r}: {wrong} is no class of {head.name!r}"


def blank_template(predictions, column="style"):
    """A sample submission for the ids of a predictions table, as a leaderboard would give it: `filename,<column>` with
    0 everywhere."""
    return pd.DataFrame({"filename": predictions["id"] + ".jpg", column: np.zeros(len(predictions), int)})
