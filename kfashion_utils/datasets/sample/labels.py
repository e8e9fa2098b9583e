"""A shot on the disk: AI Hub's label as JSON and the JPEG beside it, with the flaws that the plan asks for."""

import json
import os

import cv2

from kfashion_utils.datasets.sample.facts import PARTS
from kfashion_utils.datasets.sample.polygons import region
from kfashion_utils.datasets.sample.prints import PRINTS
from kfashion_utils.datasets.sample.styles import ALIASES
from kfashion_utils.storage.files import make_folder

QUALITY = 88
# What AI Hub calls the rows of `cuts.NECKS` and the details.
NECK_NAMES = {
    "round": "라운드넥",
    "shirt": "노카라",
    "vee": "브이넥",
    "plunge": "브이넥",
    "boat": "보트넥",
    "square": "스퀘어넥",
    "turtle": "터틀넥",
    "mandarin": "노카라",
    "hood": "후드",
    "strap": "스퀘어넥",
    "off": "오프숄더",
    "sweetheart": "스위트하트",
    "bib": "스퀘어넥",
}
COLLAR_NAMES = {
    "collar": "셔츠칼라",
    "big_collar": "셔츠칼라",
    "lapels": "테일러드칼라",
    "bow": "보우칼라",
    "frog": "차이나칼라",
}
DETAIL_NAMES = {
    "buttons": "단추",
    "buttons2": "단추",
    "double": "더블브레스티드",
    "belt": "띠",
    "sash": "띠",
    "ruffle_neck": "러플",
    "tiers": "프릴",
    "bow": "리본",
    "pockets": "포켓",
    "chest_pocket": "포켓",
    "cargo": "포켓",
    "flaps": "포켓",
    "kangaroo": "포켓",
    "zip": "지퍼",
    "zips": "지퍼",
    "studs": "스터드",
    "fringe_hem": "프린지",
    "fringe_yoke": "프린지",
    "fringe_sleeves": "프린지",
    "pleats": "플리츠",
    "slit": "슬릿",
    "thigh_slit": "슬릿",
    "cutouts": "컷아웃",
    "laces": "레이스업",
    "rips": "디스트로이드",
    "goreum": "리본",
    "strings": "스트링",
    "crest": "자수",
    "slashes": "비대칭",
    "turn_ups": "롤업",
    "flounce": "플레어",
    "folds": "플레어",
}
# Names of measures: the first limit above the measure counts.
SKIRT_LENGTHS = ((0.64, "미니"), (0.73, "니렝스"), (0.84, "미디"), (0.91, "발목"), (9, "맥시"))
LEG_LENGTHS = ((0.45, "미니"), (0.62, "니렝스"), (0.80, "미디"), (0.99, "발목"), (9, "맥시"))
OUTER_LENGTHS = ((0.45, "크롭"), (0.56, "노멀"), (0.66, "하프"), (0.76, "롱"), (9, "맥시"))
TOP_LENGTHS = ((0.42, "크롭"), (0.53, "노멀"), (9, "롱"))
SLEEVE_LENGTHS = ((0.01, "민소매"), (0.31, "캡"), (0.65, "반팔"), (0.9, "7부소매"), (9, "긴팔"))
FITS = ((0.005, "타이트"), (0.018, "노멀"), (0.034, "루즈"), (9, "오버사이즈"))  # by ease


def write_shot(root, look, shot, wardrobe, pixels, labels, rng, planted):
    """Writes picture and label of one shot, and of its copies.

    Args:
        root: `Path` of the drawing.
        look, shot: as in `plan`.
        wardrobe: part -> Cloth.
        pixels, labels: the picture and its garments, as in `cloth`.
        rng: the shot's stream.
        planted: counts of faults; those of the polygons are added.
    """
    flaw = shot.get("flaw")
    folder = "기타" if flaw == "no_style" else look["style"]
    rects, polygons, parts = _garments(shot, wardrobe, labels, rng, planted)
    style = _style(look, flaw)
    picture = _jpeg(pixels)
    for copy in [shot] + shot.get("copies", []):
        factor = copy.get("factor", 1.0)
        data = picture[:400] if flaw == "unreadable" else picture
        if factor != 1.0:
            copy = {**copy, "size": tuple(int(round(side * factor)) for side in shot["size"])}
            shrink_or_grow = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
            data = _jpeg(cv2.resize(pixels, copy["size"], interpolation=shrink_or_grow))
        if flaw != "orphan_label":
            _write(root / "원천데이터" / "원천데이터_1" / folder / f"{copy['id']}.jpg", data)
        if flaw != "orphan_picture":
            label = _label(copy, style, parts, _all_scaled(rects, factor), _all_scaled(polygons, factor))
            text = json.dumps(label, ensure_ascii=False, separators=(",", ":"))
            _write(root / "라벨링데이터" / folder / f"{copy['id']}.json", text.encode("utf-8"))


def _garments(shot, wardrobe, labels, rng, planted):
    """Rects, polygons and attributes of the garments that can be seen: three dicts by part."""
    flaw = shot.get("flaw")
    rects, polygons, parts = {}, {}, {}
    for part, cloth in wardrobe.items():
        rect, polygon = region(labels, cloth, shot["size"], rng, planted)
        if polygon and flaw != "no_parts":
            rects[part], polygons[part], parts[part] = rect, polygon, _attributes(cloth)
    if flaw == "no_category" and parts:
        parts[next(iter(parts))].pop("카테고리")
    if flaw == "spelling":
        for values in parts.values():
            values["핏"] = values["핏"].replace("노멀", "노말")
            values["프린트"] = [name.replace("하운즈투스", "하운즈\xa0투스") for name in values["프린트"]]
    return rects, polygons, parts


def _style(look, flaw):
    if flaw == "no_style":
        return {}
    style = {"스타일": ALIASES.get(look["style"], look["style"]) if flaw == "alias" else look["style"]}
    if look["second"]:
        style["서브스타일"] = look["second"]
    return style


def _label(shot, style, parts, rects, polygons):
    """The whole JSON document; `parts` maps part to attributes."""
    width, height = shot["size"]
    details = {
        "렉트좌표": _in_all(rects),
        "폴리곤좌표": _in_all(polygons),
        "라벨링": {"스타일": [style], **_in_all(parts)},
    }
    return {
        "이미지 정보": {
            "이미지 식별자": shot["id"],
            "이미지 높이": height,
            "이미지 파일명": shot["name"],
            "이미지 너비": width,
        },
        "데이터셋 정보": {
            "파일 생성일자": shot["date"],
            "데이터셋 상세설명": details,
            "파일 번호": shot["id"],
            "파일 이름": shot["name"],
        },
    }


def _in_all(found):
    return {part: [found.get(part, {})] for part in PARTS}


def _attributes(cloth):
    """The label of one garment, from its cut, print and colours."""
    cut, upper = cloth.cut, "neck" in cloth.cut or "open" in cloth.cut
    _, print_name, materials = PRINTS[cloth.print]
    label = {
        "기장": _length_name(cut),
        "색상": cloth.names[0],
        "카테고리": cut["category"],
        "소재": list(materials),
        "프린트": [print_name],
        "핏": _fit_name(cut),
    }
    if cloth.names[1] != cloth.names[0] and cloth.print not in ("solid", "denim", "leather"):
        label["서브색상"] = cloth.names[1]
    if upper:
        label["소매기장"] = _name(SLEEVE_LENGTHS, cut.get("sleeve", 0))
        collar = next((COLLAR_NAMES[d] for d in cut["details"] if d in COLLAR_NAMES), None)
        if collar:
            label["옷깃"] = collar
        if "neck" in cut:
            label["넥라인"] = NECK_NAMES[cut["neck"]]
    details = list(dict.fromkeys(DETAIL_NAMES[d] for d in cut["details"] if d in DETAIL_NAMES))
    if details:
        label["디테일"] = details
    return label


def _name(names, measure):
    return next(name for limit, name in names if measure < limit)


def _length_name(cut):
    if "length" in cut:
        return _name(LEG_LENGTHS if "legs" in cut else SKIRT_LENGTHS, cut["length"])
    return _name(OUTER_LENGTHS if cut["part"] == "아우터" else TOP_LENGTHS, cut["hem"])


def _fit_name(cut):
    if "legs" in cut:
        _, knee, hem = cut["legs"]
        if hem > 0.07:
            return "벨보텀"
        return "와이드" if knee > 0.052 else ("스키니" if knee < 0.031 else "노멀")
    return _name(FITS, cut.get("ease", max(cut.get("flare", 0.1), 0) / 8))


def _all_scaled(found, factor):
    return {part: _scaled(values, factor) for part, values in found.items()}


def _scaled(values, factor):
    """Rect or polygon of the same photograph at another size; rect X, Y stay polygon minimum - 0.5."""
    if factor == 1.0:
        return values
    if "가로" in values:
        return {
            key: int(v * factor) if key in ("가로", "세로") else round((v + 0.5) * factor - 0.5, 3)
            for key, v in values.items()
        }
    return {key: round(v * factor, 3) for key, v in values.items()}


def _jpeg(pixels):
    _, data = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return data.tobytes()


def _write(path, data):
    if path.exists() and path.read_bytes() == data:  # drawn before: its time, and so every cache of it, stays
        return
    make_folder(path.parent)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_bytes(data)
    os.replace(temporary, path)
