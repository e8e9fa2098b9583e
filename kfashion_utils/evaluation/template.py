"""A leaderboard's sample submission: how it is read, which of its columns names the pictures, and how a table is
written in its form."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from kfashion_utils.errors import InputError

ENCODINGS = ("utf-8-sig", "utf-8", "cp949")


@dataclass(frozen=True)
class Template:
    """A sample submission as it was found: its table as text, encoding and line ends, and how many empty rows at its
    end are left out."""

    table: pd.DataFrame
    encoding: str
    newline: str
    empty_rows: int = 0

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
        table, empty = _table_of(text, path)
        return cls(table, encoding, "\r\n" if "\r\n" in text else "\n", empty)

    def encoded(self, table):
        """The bytes of a table in the template's encoding and line ends.

        Raises:
            InputError: letters that the encoding does not have.
        """
        buffer = io.StringIO()
        table.to_csv(buffer, index=False, lineterminator=self.newline, quoting=csv.QUOTE_MINIMAL)
        try:
            return buffer.getvalue().encode(self.encoding)
        except UnicodeEncodeError as error:
            lost = error.object[error.start : error.end]
            raise InputError(
                f"the template's encoding {self.encoding} cannot hold {lost!r}; use labels=index"
            ) from error


def _table_of(text, path):
    """(table of text, number of empty rows at its end that are left out)."""
    try:
        table = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False, header=None, index_col=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise InputError(f"{path} is not a CSV table: {error}") from error
    table = table.iloc[1:].set_axis(table.iloc[0].tolist(), axis=1).reset_index(drop=True)
    if not table.columns.is_unique:
        raise InputError(f"{path} names a column twice: {list(table.columns)}")
    rows = len(table)
    while len(table) and not "".join(table.iloc[-1]).strip():
        table = table.iloc[:-1]
    if table.shape[1] < 2 or table.empty:
        raise InputError(
            f"{path} has {table.shape[1]} columns and {len(table)} rows; "
            "a template has an id column, label columns and one row a picture"
        )
    return table, rows - len(table)


def _decodes(data, encoding):
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def find_id_column(table, names, answered):
    """The column of a template that names the pictures: the one with the most names that mean one; of several, the one
    that is written like file names.

    Args:
        names: PictureNames.
        answered: columns that are called like a head or a class; of several that could be the ids, these are none.

    Raises:
        InputError: no column names a picture, or several do.
    """
    counts = {column: sum(map(bool, map(names.meant, table[column].unique()))) for column in table.columns}
    best = [column for column in table.columns if counts[column] == max(counts.values())]
    if not counts[best[0]]:
        raise InputError(
            f"no column of the template holds ids of the predictions: its first row is {table.iloc[0].to_dict()}, the "
            f"predictions' first ids are {list(names.photos)[:3]}; predict the pictures that the template names"
        )
    best = [column for column in best if column not in answered] or best
    return best[0] if len(best) == 1 else _like_files(table, best)


def _like_files(table, columns):
    """The one of these columns that is written like file names."""
    like_files = [column for column in columns if table[column].str.fullmatch(r".+\.(?!\d+$)\w{2,4}\s*").all()]
    if len(like_files) != 1:
        raise InputError(
            f"the template's columns {columns} could each be the ids; "
            "rename all but one of them in a copy, or remove them"
        )
    return like_files[0]
