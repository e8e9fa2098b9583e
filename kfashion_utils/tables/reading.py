"""Tables as people save them: one reader for catalogs, edits, pairs, priors and predictions.

UTF-8 with commas is read at once. Whatever else a spreadsheet writes is read where it is certain, and told in one line;
what is not is refused with what to save it as.
"""

import bz2
import csv
import gzip
import io
import lzma
import re
import warnings
import zipfile
import zlib
from pathlib import Path

import pandas as pd

from kfashion_utils.errors import InputError, refuse
from kfashion_utils.output import say
from kfashion_utils.tables.korean_text import is_surely_korean

NAMELESS = "Unnamed: "  # how pandas begins the name of a column without one
SEPARATORS = {",": "commas", "\t": "tabs", ";": "semicolons"}
UTF_8_MARK, UTF_16_MARKS = b"\xef\xbb\xbf", (b"\xff\xfe", b"\xfe\xff")
UNPACK = {b"\x1f\x8b": gzip.decompress, b"BZh": bz2.decompress, b"\xfd7zXZ": lzma.decompress}
ZIP = b"PK\3\4"
NO_TABLES = {
    ZIP: "an Excel workbook (.xlsx) or another zip file",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls)",
    b"%PDF": "a PDF",
    b"PAR1": "a Parquet file",
    b"<!": "a web page",
    b"<html": "a web page",
}
SAVE_AS = "save it as 'CSV UTF-8' (Excel: File > Save as > 'CSV UTF-8 (comma delimited)')"
SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n")  # Excel's own first line
UNCLOSED = re.compile(r"EOF inside string starting at row (\d+)")
FOREIGN = re.compile(r"[^\s,;\"]*[^\x00-\x7f][^,;\t\"\r\n]*")
SHOWN = 40  # characters of an example
NOT_WHOLE = (pd.errors.ParserError, pd.errors.ParserWarning, pd.errors.EmptyDataError)


def read_table(path, columns=()):
    """A table of text from a file that a person may have saved.

    Args:
        path: `.csv` or `.csv.gz`: UTF-8, UTF-16 as Excel writes it, or CP949 where it is certainly Korean; fields
            separated by commas, tabs or semicolons.
        columns: names that the table is expected to have; they decide on the separator.

    Returns:
        DataFrame of texts, `""` where nothing stands, without empty rows and empty columns that have no name; its index
        counts the rows of the file from 0.

    Raises:
        InputError: no readable file, no table, a row with more fields than columns, a quote that is never closed.
    """
    path = Path(path)
    data = read_data(path)
    try:
        table = _parsed(io.BytesIO(data.removeprefix(UTF_8_MARK)), ",", encoding="utf-8")
        whole = b"\0" not in data and table.shape[1] > 1 and set(columns) <= set(table.columns)
    except (UnicodeDecodeError, *NOT_WHOLE):
        whole = False
    return _without_empty(table if whole else _read_otherwise(path, data, columns), path)


def read_data(path):
    """The bytes of a file, unpacked where they are packed (gzip, bzip2, xz, or the only member of a zip).

    Raises:
        InputError: they cannot be read, or their packing is damaged.
    """
    try:
        data = Path(path).read_bytes()
        unpack = next((unpack for start, unpack in UNPACK.items() if data.startswith(start)), None)
        if data.startswith(ZIP):
            return _only_member(data)
        return data if unpack is None else unpack(data)
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise InputError(f"{path} is not a whole UTF-8 CSV table: {error}; copy or make it again") from error


def _only_member(data):
    """What a zip holds, where that is one file; else its own bytes."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            names = packed.namelist()
            return packed.read(names[0]) if len(names) == 1 else data
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError):  # damaged, encrypted, packed by unknown means
        return data


def read_text(path):
    """The text of a file that a person may have saved, without a byte order mark; another encoding than UTF-8 is told.

    Raises:
        InputError: as `decode`.
    """
    text, encoding = decode(read_data(path), path)
    if encoding != "utf-8":
        say(f"{path}: {_told_encoding(encoding, text)}")
    return text


def decode(data, path):
    """(text, `utf-8`, `utf-16` or `cp949`) of a file's bytes.

    Raises:
        InputError: bytes that are no text, or of an encoding that can only be guessed.
    """
    for start, what in NO_TABLES.items():
        if data.startswith(start):
            raise InputError(f"{path} is {what}, no text; open it in a spreadsheet and {SAVE_AS}")
    if data.startswith(UTF_16_MARKS):
        return _utf_16(data, path), "utf-16"
    if b"\0" in data:
        raise InputError(
            f"{path} is not a whole UTF-8 CSV table: byte {data.index(0) + 1:,} is NUL; it was copied in part, or is "
            f"UTF-16 without a mark: copy it again, or {SAVE_AS}"
        )
    try:
        return data.removeprefix(UTF_8_MARK).decode("utf-8"), "utf-8"
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
    text = _cp949(data)
    if text is None:
        raise InputError(
            f"{path} is not a whole UTF-8 CSV table: line {row:,} holds bytes that are no UTF-8 and not surely Korean "
            f"(CP949); open it where its letters look right and {SAVE_AS}"
        )
    return text, "cp949"


def _utf_16(data, path):
    try:
        return data.decode("utf-16")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not whole: its UTF-16 text ends within a letter; copy it again") from error


def _cp949(data):
    """The text, where it is certainly Korean; else None."""
    try:
        text = data.decode("cp949")
    except UnicodeDecodeError:
        return None
    return text if is_surely_korean(text) else None


def _told_encoding(encoding, text):
    example = FOREIGN.search(text)
    shown = f", for example {example[0].strip()[:SHOWN]!r}" if example else ""
    name = "Korean CP949" if encoding == "cp949" else encoding.upper()
    return f"read as {name}{shown}; if that is wrong, {SAVE_AS}"


# Tables ---------------------------------------------------------------------------------------------------------------


def _parsed(handle, separator, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)  # fields that pandas would drop
        return pd.read_csv(handle, dtype=str, keep_default_na=False, index_col=False, sep=separator, **options)


def _read_otherwise(path, data, columns):
    """A table that is not simply UTF-8 with commas, or why it is none."""
    text, encoding = decode(data, path)
    text, separator = _separated(text, columns)
    told = [_told_encoding(encoding, text)] * (encoding != "utf-8")
    told += [f"read with {SEPARATORS.get(separator, repr(separator))} between fields"] * (separator != ",")
    width = _require_fields_of_columns(path, text, separator)
    try:
        table = _parsed(io.StringIO(text), separator, usecols=range(width) if width else None)
    except NOT_WHOLE as error:
        raise InputError(f"{path} is not a whole UTF-8 CSV table: {_in_words(error)}") from error
    if told:
        say(f"{path}: {'; '.join(told)}")
    return table


def _in_words(error):
    unclosed = UNCLOSED.search(str(error))
    if unclosed:
        return (
            f'a quotation mark (") that opens in row {int(unclosed[1]) + 1} is never closed; the file was cut off, or '
            "the mark is one too many"
        )
    return str(error).strip()


def _separated(text, columns):
    """(the text without Excel's separator line, what stands between its fields)."""
    line = SEPARATOR_LINE.match(text)
    if line:
        return text[line.end() :], line[1]
    headers = {separator: next(_rows(text, separator), []) for separator in SEPARATORS}
    fitting = [one for one, names in headers.items() if len(names) > 1 and set(columns) <= {n.strip() for n in names}]
    return text, fitting[0] if fitting else ","


def _rows(text, separator):
    """The rows of a table that are not blank, lists of fields."""
    return filter(None, csv.reader(io.StringIO(text, newline=""), delimiter=separator))


def _require_fields_of_columns(path, text, separator):
    """Refuse rows in which something stands beyond the last column; returns the number of columns."""
    problems, width = [], 0
    try:
        for number, row in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=separator), 1):
            width = width or len(row)
            if any(row[width:]):
                problems.append(f"row {number} ({row[0]!r}, …): too much is {separator.join(row[width:])[:SHOWN]!r}")
    except csv.Error as error:
        raise InputError(f"{path}, row {number + 1}: {error}; is a quotation mark never closed?") from error
    name = {",": "comma", "\t": "tab", ";": "semicolon"}.get(separator, repr(separator))
    refuse(
        f"{path} has rows with more fields than its {width} columns (a {name} within a value needs quotes)", problems
    )
    return width


def _without_empty(table, path):
    """A table without the rows, and the columns without a name, in which nothing stands; they are counted."""
    nameless = [name for name in table.columns if not name.strip() or name.startswith(NAMELESS)]
    columns = [name for name in nameless if not table[name].str.strip().any()]
    table = table.drop(columns=columns) if columns else table
    candidates = table[table[table.columns[0]] == ""] if table.shape[1] else table
    rows = candidates.index[(candidates == "").all(axis=1)]
    told = [f"{len(rows):,} empty row{'s' * (len(rows) > 1)}"] * (len(rows) > 0)
    told += [f"{len(columns):,} empty column{'s' * (len(columns) > 1)} without a name"] * (len(columns) > 0)
    if told:
        say(f"{path}: left out: {', '.join(told)}")
    return table.drop(index=rows) if len(rows) else table
