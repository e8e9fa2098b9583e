"""AI Hub's K-Fashion (dataSetSn=51): JSON labels and photographs, in folders or in the zips as downloaded. One row a photograph.

A label finds its picture by its own stem, then by `이미지 파일명`, then by `이미지 식별자`. The polygon is the union of the garments,
the box the union of their rectangles and polygons, clipped to the picture. 3 % of the garments hold several polygons joined in one
list whose rectangle covers the first piece only; they are taken apart where the first ring closes (often only one or two loose
points follow: they count for the box and not for the mask). The group is the look: of
`PREFIX_NNN_MM.jpg`, `PREFIX_NNN`.
"""

import json
import math
import re
import unicodedata
from collections import defaultdict, namedtuple

import numpy as np
import shapely

from kfashion_utils.datasets.files import PICTURE_SUFFIXES, SPLIT_FOLDERS, read_bytes
from kfashion_utils.tasks import NO_STYLE, PARTS, STYLE, STYLE_ALIASES

MAX_LABEL_BYTES = 8 * 2**20
LOOK = re.compile(r"^(.+_\d+)_\d+$")
COORDINATE = re.compile(r"^([XY])좌표(\d{1,6})$")
RECT_TOLERANCE = 1.6  # px between a rectangle and its polygon's box: written 0.5 px off and with whole-number sides
CLOSED = 30.0  # px between the ends of a ring that is drawn to its end; measured 1..12, once 27


# file: the label's File; file_name, number: other names of its picture; row: a catalog row but for the path; problem: LabelRejected or None
Label = namedtuple("Label", "file file_name number row problem")


class LabelRejected(ValueError):
    """A label file that makes no row: (reason, detail)."""


def read_rows(files, root):
    """See `DATASETS`; the label column is `style`."""
    labels = [file for file in files if file.suffix == ".json"]
    pictures = [file for file in files if file.suffix in PICTURE_SUFFIXES]
    read, rejected, notes = [], [], []
    for label in labels:
        try:
            read.append(_read_label(read_bytes(label.path, root, MAX_LABEL_BYTES), label, notes))
        except LabelRejected as error:
            read.append(Label(label, "", "", {}, error))
        except (ValueError, PermissionError) as error:
            read.append(Label(label, "", "", {}, LabelRejected("label cannot be read", str(error))))
    matches = _match(read, pictures)
    rows, used = [], set()
    for label in read:
        picture = matches.get(label.file.path)
        problem = label.problem
        if problem is None and picture is None:
            problem = LabelRejected("label without a picture", f"no picture called {label.file.stem}, {label.file_name!r} or {label.number!r}")
        if problem is None:
            rows.append({**label.row, "path": picture.path})
        else:
            rejected.append((label.file.path, "label", *problem.args))
            rejected += [(picture.path, "picture", "its label was rejected", problem.args[0])] if picture else []
        used |= {picture.path} if picture else set()
    rejected += [(file.path, "picture", "picture without a label", "no label file names it") for file in pictures if file.path not in used]
    return rows, rejected, notes


def _read_label(data, file, notes):
    """What is kept of a label file: a row but for its picture, or why there is none. The JSON itself, 17 kB in memory, is dropped."""
    content = _parse(data)
    names = _file_name(content), _identifier(content)
    try:
        return Label(file, *names, _row(file, content, _style(content), notes), None)
    except LabelRejected as problem:
        return Label(file, *names, {}, problem)
    except (TypeError, AttributeError, KeyError, IndexError, ValueError, OverflowError, shapely.errors.GEOSException) as error:
        return Label(file, *names, {}, LabelRejected("label is not of K-Fashion", f"{type(error).__name__}: {str(error)[:100]}"))


def _parse(data):
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp949", errors="replace")
    try:
        content = json.loads(text)
        json.dumps(content, ensure_ascii=False).encode("utf-8")  # half a surrogate pair, written as \\ud800, fits into no table
    except (ValueError, RecursionError) as error:
        raise LabelRejected("label is not JSON", str(error)[:120]) from error
    if not isinstance(content, dict) or not isinstance(content.get("데이터셋 정보"), dict):
        raise LabelRejected("label is not of K-Fashion", "no '데이터셋 정보'")
    return content


def _image_info(content):
    info = content.get("이미지 정보")
    return info if isinstance(info, dict) else {}


def _file_name(content):
    return unicodedata.normalize("NFC", str(_image_info(content).get("이미지 파일명", "")))


def _identifier(content):
    return str(_image_info(content).get("이미지 식별자", ""))


def _match(read, pictures):
    """{label path: picture File}: by stem for all labels first, then by file name, then by number; no picture twice."""
    matches, taken = {}, set()
    for stem_of in (lambda label: label.file.stem, lambda label: _stem(label.file_name), lambda label: label.number):
        by_stem = defaultdict(list)
        for picture in pictures:
            if picture.path not in taken:
                by_stem[picture.stem].append(picture)
        for label in read:
            if label.file.path in matches:
                continue
            found = _closest(label.file, [p for p in by_stem.get(stem_of(label), ()) if p.path not in taken])
            if found:
                matches[label.file.path] = found
                taken.add(found.path)
    return matches


def _closest(label, pictures):
    """Of several pictures the one that shares most folder names (style, Training) with the label; None if that is no single one."""
    if len(pictures) < 2:
        return pictures[0] if pictures else None
    shared = [len(set(label.folders) & set(picture.folders)) for picture in pictures]
    return pictures[int(np.argmax(shared))] if shared.count(max(shared)) == 1 else None


def _stem(name):
    return name.rpartition(".")[0] or name


def _details(content):
    details = content["데이터셋 정보"].get("데이터셋 상세설명")
    return details if isinstance(details, dict) else {}


def _first(section, key):
    """The one entry of a list such as `[{}]`; an empty dict where it is missing or something else."""
    entries = section.get(key) if isinstance(section, dict) else None
    return entries[0] if isinstance(entries, list) and entries and isinstance(entries[0], dict) else {}


def _style(content):
    written = _first(_details(content).get("라벨링"), "스타일").get("스타일", "")
    name = unicodedata.normalize("NFC", str(written)).replace("\xa0", " ").strip()
    name = STYLE_ALIASES.get(name, name)
    if name in ("", NO_STYLE):
        raise LabelRejected("label without a style", f"스타일 is {written!r}")
    if name not in STYLE.classes:
        raise LabelRejected("unknown style", f"{written!r} is none of the 23 styles")
    return name


def _row(label, content, style, notes):
    rings, boxes = [], []
    for part in PARTS:
        garment_rings, garment_box = _garment(_details(content), part, notes)
        rings.append(garment_rings)
        boxes += [garment_box] if garment_box else []
    info = _image_info(content)
    limits = [_finite(info.get("이미지 너비")) or math.inf, _finite(info.get("이미지 높이")) or math.inf]
    box = _clip_box(boxes, limits, notes)
    polygon = union_of_rings([[np.clip(ring, 0, limits) for ring in garment] for garment in rings if garment]) if box else []
    look = LOOK.match(_stem(_file_name(content)))
    if not boxes:
        notes.append("no garment annotated: the whole picture is used")
    return {
        "name": label.stem,
        "group": look.group(1) if look else "",
        "split": next((SPLIT_FOLDERS[name.lower()] for name in label.folders if name.lower() in SPLIT_FOLDERS), ""),
        **dict(zip(("left", "top", "right", "bottom"), box or [math.nan] * 4, strict=True)),
        "polygon": json.dumps(polygon) if polygon else "",
        "region": "annotation" if box else "",
        "style": style,
    }


def _garment(details, part, notes):
    """One garment -> (list of rings `(n, 2)`, box of its rectangle and rings), or ([], None)."""
    rect = _rect(_first(details.get("렉트좌표"), part), notes)
    points = _points(_first(details.get("폴리곤좌표"), part), notes)
    rings = split_joined(points, rect) if len(points) else []
    if sum(map(len, rings)) < len(points):
        notes.append("joined polygons taken apart: loose points of a piece never finished dropped from the mask")
    elif len(rings) > 1:
        notes.append("joined polygons taken apart")
    corners = [rect] if rect else []
    corners += [[*points.min(axis=0), *points.max(axis=0)]] if len(points) else []
    if not corners:
        return [], None
    corners = np.array(corners, float)
    return rings, [*corners[:, :2].min(axis=0), *corners[:, 2:].max(axis=0)]


def _rect(entry, notes):
    """`{X좌표, Y좌표, 가로, 세로}` (top left, width, height) -> [left, top, right, bottom], or None."""
    values = [_finite(entry.get(key)) for key in ("X좌표", "Y좌표", "가로", "세로")]
    if not entry:
        return None
    if any(value is None for value in values) or values[2] <= 0 or values[3] <= 0:
        notes.append("rectangle without area or with values that are no numbers: dropped")
        return None
    left, top, width, height = values
    return [left, top, left + width, top + height]


def _points(entry, notes):
    """`{X좌표1, Y좌표1, X좌표2, …}` in any order -> float `(n, 2)` in the order of the numbers; empty if there is no polygon."""
    values = {"X": {}, "Y": {}}
    for key, value in entry.items():
        match = COORDINATE.match(key)
        if match and _finite(value) is not None:
            values[match.group(1)][int(match.group(2))] = float(value)
    numbers = sorted(values["X"].keys() & values["Y"].keys())
    if len(numbers) < 3:
        if entry:
            notes.append("polygon of fewer than three points: dropped")
        return np.zeros((0, 2))
    if len(entry) != 2 * len(numbers):
        notes.append("polygon with points that lack a coordinate: those dropped")
    return np.array([(values["X"][i], values["Y"][i]) for i in numbers])


def _finite(value):
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def split_joined(points, rect):
    """Take apart a point list that is several polygons joined without a separator.

    Args:
        points: float `(n, 2)`.
        rect: the rectangle of the first piece, [left, top, right, bottom]; None = unknown.

    Returns:
        list of rings; one if the list is a single polygon. The first piece is the prefix whose box is the rectangle and
        whose end comes back to its start; of the rest, pieces are cut where they close and the next point lies far away.
    """
    if rect is None or len(points) < 6 or _fits(points, rect):
        return [points]
    boxes = np.concatenate([np.minimum.accumulate(points), np.maximum.accumulate(points)], axis=1)  # of every prefix
    cuts = [k for k in range(3, len(points)) if np.abs(boxes[k - 1] - rect).max() <= RECT_TOLERANCE]
    if not cuts:
        return [points]
    gaps = [math.dist(points[k - 1], points[0]) for k in cuts]
    cut = cuts[int(np.argmin(gaps))]
    return [ring for ring in (points[:cut], *_closed_pieces(points[cut:])) if len(ring) >= 3]


def _fits(points, rect):
    box = [*points.min(axis=0), *points.max(axis=0)]
    return max(abs(a - b) for a, b in zip(box, rect, strict=True)) <= RECT_TOLERANCE


def _closed_pieces(points):
    pieces, start = [], 0
    for k in range(3, len(points) - 2):
        gap, jump = math.dist(points[k - 1], points[start]), math.dist(points[k - 1], points[k])
        if k - start >= 3 and gap <= CLOSED / 3 and jump > 3 * CLOSED:
            pieces.append(points[start:k])
            start = k
    return [*pieces, points[start:]]


def _clip_box(boxes, limits, notes):
    if not boxes:
        return None
    boxes = np.array(boxes, float)
    box = np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])
    clipped = np.clip(box, 0, [*limits, *limits])
    if (clipped != box).any():
        notes.append("box outside the picture: clipped")
    if clipped[2] - clipped[0] < 1 or clipped[3] - clipped[1] < 1:
        notes.append("box wholly outside the picture: the whole picture is used")
        return None
    return [round(float(value), 1) for value in clipped]


def union_of_rings(garments):
    """Garments, each a list of rings, that may overlap -> rings for the even-odd rule, one decimal; overlaps stay inside."""
    boxes = [[*ring.min(axis=0), *ring.max(axis=0)] for garment in garments for ring in garment]
    if not _overlapping(boxes):
        return [_text_ring(ring) for garment in garments for ring in garment]
    shape = shapely.union_all([shapely.make_valid(shapely.Polygon(ring)) for garment in garments for ring in garment])
    parts = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon" and part.area >= 1]
    return [_text_ring(np.array(ring.coords)[:-1]) for part in parts for ring in (part.exterior, *part.interiors)]


def _overlapping(boxes):
    for number, (left, top, right, bottom) in enumerate(boxes):
        for other in boxes[number + 1 :]:
            if left < other[2] and other[0] < right and top < other[3] and other[1] < bottom:
                return True
    return False


def _text_ring(ring):
    return [[round(float(x), 1), round(float(y), 1)] for x, y in ring]
