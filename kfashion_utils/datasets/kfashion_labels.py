"""Label files of K-Fashion: JSON -> what a catalog row needs but for the picture, or why there is no row.

The polygon is the union of the garments, the box the union of their rectangles and polygons, clipped to the picture
(`garments`). The group is the look: of `PREFIX_NNN_MM.jpg`, `PREFIX_NNN`. A flaw is either mended and counted (`NOTES`)
or costs the row (`REJECTIONS`).
"""

import json
import math
import re
import unicodedata
from collections import Counter, namedtuple

import shapely

from kfashion_utils.datasets import garments
from kfashion_utils.datasets.files import read_bytes
from kfashion_utils.datasets.garments import finite, first_entry, region_of, regions_of
from kfashion_utils.datasets.split_names import SPLIT_FOLDERS
from kfashion_utils.tables.labels import ANNOTATION, STATED_SIZE
from kfashion_utils.tables.tasks import NO_STYLE, PARTS, STYLE, STYLE_ALIASES

MAX_LABEL_BYTES = 8 * 2**20
LOOK = re.compile(r"^([^\x00-\x1f\x7f]+_\d+)_\d+$")
SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")  # as JSON writes half a character beyond U+FFFF

REJECTIONS = {  # reason: what it means; each costs the row and is listed with the file
    "label is empty": "0 bytes",
    "label is too large": f"more than {MAX_LABEL_BYTES:,} bytes, or compressed beyond reason",
    "label cannot be read": "an encrypted or broken archive member, or no permission",
    "label is neither UTF-8 nor cp949": "damaged, or in another encoding",
    "label is not JSON": "truncated or damaged",
    "label is nested too deeply": "a thousand brackets and more",
    "label holds half a character": "a lone surrogate such as \\ud800, which fits into no table",
    "label is not of K-Fashion": "JSON of another form",
    "label without a style": "스타일 missing, empty or 기타",
    "unknown style": "none of the 23 styles nor of their other spellings",
    "label without a picture": "no picture of its stem, file name or number",
    "label whose picture has another label": "that one was found first",
    "label that fits several pictures": "equal names, and none lies closer",
    "its label was rejected": "a picture",
    "picture without a label": "a picture",
}
NOTES = {  # text that is counted: what it means; the row is kept
    **garments.NOTES,
    "label in cp949": "as Windows in Korea writes text",
    "label with a byte order mark": "U+FEFF at its start",
    "label with a key written twice: the last counts": "as every JSON reader has it",
    "several styles: the first counts": "the list holds one entry in every label measured",
    "style in another spelling: normalised": "an alias, decomposed Hangul, blanks",
    "folder and style differ: the label's style counts": "the folder is another style's, or 기타",
    "sub-style that is none of the 23 styles: dropped": "서브스타일 is something else",
    "no garment labelled": "no garment has attributes",
    "garment without 카테고리": "an optional key",
}

# file: the label's File; file_name, number: other names of its picture; row: a catalog row but for the path;
# problem: LabelRejected or None
Label = namedtuple("Label", "file file_name number row problem")


OTHER_FORM = (  # what JSON of another form raises when it is read as a label
    TypeError,
    AttributeError,
    KeyError,
    IndexError,
    ValueError,
    OverflowError,
    shapely.errors.GEOSException,
)


class LabelRejected(ValueError):
    """A label file that makes no row: (reason of `REJECTIONS`, detail)."""


def load_label(file, root, notes, regions):
    """The Label of a file below `root`; arguments as in `read_label`."""
    try:
        data = read_bytes(file.path, root, MAX_LABEL_BYTES)
    except (ValueError, KeyError, PermissionError) as error:
        reason = "label is too large" if str(error).startswith("too large") else "label cannot be read"
        return Label(file, "", "", {}, LabelRejected(reason, str(error)))
    return read_label(data, file, notes, regions)


def read_label(data, file, notes, regions):
    """What is kept of a label file; its JSON, 17 kB in memory, is dropped.

    Args:
        data: bytes of the file.
        file: its File.
        notes: Counter of `NOTES`, of the labels that make a row.
        regions: `whole_region` or `garment_regions`.

    Returns:
        Label.
    """
    mended = Counter()
    try:
        content = _parse(data, mended)
    except LabelRejected as problem:
        return Label(file, "", "", {}, problem)
    names = _file_name(content), _identifier(content)
    try:
        style = _style(content, mended)
        row = _row(file, content, style, mended, regions)
        _count_labels(content, file, style, mended)
    except LabelRejected as problem:
        return Label(file, *names, {}, problem)
    except OTHER_FORM as error:
        detail = f"{type(error).__name__}: {str(error)[:100]}"
        return Label(file, *names, {}, LabelRejected("label is not of K-Fashion", detail))
    notes.update(mended)
    return Label(file, *names, row, None)


def _parse(data, notes):
    """The JSON of a label file. LabelRejected: there is none, or none of K-Fashion."""
    text = _decoded(data, notes)
    content = _content(text, notes)
    half = SURROGATE.search(text)
    if half and not _encodes(content):
        raise LabelRejected("label holds half a character", half.group() + "..")
    if not isinstance(content, dict) or not isinstance(content.get("데이터셋 정보"), dict):
        raise LabelRejected("label is not of K-Fashion", "no '데이터셋 정보'")
    return content


def _decoded(data, notes):
    if not data:
        raise LabelRejected("label is empty", "0 bytes")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        try:
            text = data.decode("cp949")
        except UnicodeDecodeError:
            raise LabelRejected("label is neither UTF-8 nor cp949", str(error)[:120]) from error
        notes["label in cp949"] += 1
    if text.startswith("\ufeff"):
        notes["label with a byte order mark"] += 1
        text = text[1:]
    return text


def _content(text, notes):
    doubled = []

    def entry_of(pairs):
        entry = dict(pairs)
        if len(entry) != len(pairs):
            doubled.append(len(pairs) - len(entry))
        return entry

    try:
        content = json.loads(text, object_pairs_hook=entry_of)
    except RecursionError as error:
        raise LabelRejected("label is nested too deeply", str(error)[:120]) from error
    except ValueError as error:
        raise LabelRejected("label is not JSON", str(error)[:120]) from error
    if doubled:
        notes["label with a key written twice: the last counts"] += 1
    return content


def _encodes(content):
    try:
        json.dumps(content, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _image_info(content):
    info = content.get("이미지 정보")
    return info if isinstance(info, dict) else {}


def _file_name(content):
    return unicodedata.normalize("NFC", str(_image_info(content).get("이미지 파일명", "")))


def _identifier(content):
    return str(_image_info(content).get("이미지 식별자", ""))


def stem_of(name):
    """A file name without its suffix."""
    return name.rpartition(".")[0] or name


def _details(content):
    details = content["데이터셋 정보"].get("데이터셋 상세설명")
    return details if isinstance(details, dict) else {}


def _style(content, notes):
    labelling = _details(content).get("라벨링")
    entries = labelling.get("스타일") if isinstance(labelling, dict) else None
    if isinstance(entries, list) and len(entries) > 1:
        notes["several styles: the first counts"] += 1
    written = first_entry(labelling, "스타일").get("스타일", "")
    name = _style_name(str(written))
    if name in ("", NO_STYLE):
        raise LabelRejected("label without a style", f"스타일 is {written!r}")
    if name not in STYLE.classes:
        raise LabelRejected("unknown style", f"{written!r} is none of the 23 styles")
    if name != written:
        notes["style in another spelling: normalised"] += 1
    return name


def _sub_style(content, style, notes):
    """The second style, where there is one of the 23 that is not the first; else empty."""
    written = first_entry(_details(content).get("라벨링"), "스타일").get("서브스타일")
    name = _style_name(str(written or ""))
    if name in ("", NO_STYLE, style):
        return ""
    if name not in STYLE.classes:
        notes["sub-style that is none of the 23 styles: dropped"] += 1
        return ""
    return name


def _style_name(text):
    name = unicodedata.normalize("NFC", text).replace("\xa0", " ").strip()
    return STYLE_ALIASES.get(name, name)


def _count_labels(content, file, style, notes):
    """Count what a label says about its garments and its folder, none of which changes the row."""
    labelling = _details(content).get("라벨링")
    entries = [first_entry(labelling, part) for part in PARTS]
    if not any(entries):
        notes["no garment labelled"] += 1
    notes["garment without 카테고리"] += sum(bool(entry) and "카테고리" not in entry for entry in entries)
    folder = _style_name(file.folders[-1]) if file.folders else style
    if folder != style and (folder in STYLE.classes or folder == NO_STYLE):
        notes["folder and style differ: the label's style counts"] += 1


def _row(label, content, style, notes, regions):
    info = _image_info(content)
    look = LOOK.match(stem_of(_file_name(content)))
    splits = [SPLIT_FOLDERS[name.lower()] for name in label.folders if name.lower() in SPLIT_FOLDERS]
    size = info.get("이미지 너비"), info.get("이미지 높이")
    return {
        "name": label.stem,
        "group": look.group(1) if look else "",
        "split": splits[0] if splits else "",
        **regions(_details(content), size, notes),
        **_stated_size(size),
        "style": style,
        "sub_style": _sub_style(content, style, notes),
    }


def _stated_size(size):
    """Columns of the picture's size as the label states it; empty where that is no size."""
    sides = [finite(side) or math.nan for side in size]
    return dict(zip(STATED_SIZE, sides if min(sides) > 0 else [math.nan] * 2, strict=True))


def whole_region(details, size, notes):
    """Columns of a row that is a photo: box and polygon of all garments together; arguments as in `region_of`."""
    return _region_columns(*region_of(details, size, notes))


def garment_regions(details, size, notes):
    """The column `garments` of a photo whose rows are garments: list of {column: value}, one a garment."""
    found = regions_of(details, size, notes)
    return {"garments": [{**_region_columns(*region), "part": PARTS[part]} for part, region in found.items()]}


def _region_columns(box, rings):
    sides = box or [math.nan] * 4
    return {
        **dict(zip(("left", "top", "right", "bottom"), sides, strict=True)),
        "polygon": json.dumps(rings) if rings else "",
        "region": ANNOTATION if box else "",
    }
