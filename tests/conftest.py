"""Small data made on the spot: a K-Fashion tree in AI Hub's own format and catalogs of coloured pictures."""

import json
import os
import random
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("MPLBACKEND", "Agg")

REAL_DATA = Path(os.environ.get("KFASHION_DATA", Path(__file__).parents[2] / "shared" / "data"))
LABELS, PHOTOS = "라벨링데이터", "원천데이터/원천데이터_1"


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Nothing waits in a test."""
    from kfashion_utils.storage import files as storage
    from kfashion_utils.storage import shard_writer

    monkeypatch.setattr(storage, "DELAYS", (0,) * 7)
    monkeypatch.setattr(shard_writer, "LOCK_PATIENCE", 1)


@pytest.fixture
def real_data():
    """The folder of real pictures; a test that asks for it is skipped without them."""
    if not (REAL_DATA / "kfashion").is_dir():
        pytest.skip("no real pictures (KFASHION_DATA)")
    return REAL_DATA


def picture(path, size=(80, 100), colour=(120, 60, 30), seed=0, **options):
    """Write a picture with some texture; returns its path."""
    noise = np.random.default_rng(seed).integers(-20, 20, (size[1], size[0], 3))
    pixels = (np.array(colour) + noise).clip(0, 255).astype(np.uint8)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return path


def label_json(number, style, name=None, parts=None, size=(80, 100)):
    """One label as AI Hub writes it. `parts`: {part: (list of points, rectangle or None = of the points)}."""
    parts = parts if parts is not None else {"상의": ([(10, 10), (60, 12), (58, 50), (12, 48)], None)}
    rects, polygons, labels = {}, {}, {"스타일": [{"스타일": style} if style else {}]}
    for part in ("아우터", "하의", "원피스", "상의"):
        points, rect = parts.get(part, (None, None))
        if points is None:
            rects[part], polygons[part], labels[part] = [{}], [{}], [{}]
            continue
        xs, ys = zip(*points, strict=True)
        rect = rect or (min(xs) - 0.5, min(ys) - 0.5, int(max(xs) - min(xs)), int(max(ys) - min(ys)))
        rects[part] = [dict(zip(("X좌표", "Y좌표", "가로", "세로"), rect, strict=True))]
        pairs = [(f"{axis}좌표{i + 1}", point[k]) for i, point in enumerate(points) for k, axis in enumerate("XY")]
        random.Random(number).shuffle(pairs)
        polygons[part], labels[part] = [dict(pairs)], [{"카테고리": "티셔츠"}]
    name = name or f"shop_{number:03d}_01.jpg"
    details = {"렉트좌표": rects, "폴리곤좌표": polygons, "라벨링": labels}
    return {
        "이미지 정보": {"이미지 식별자": number, "이미지 높이": size[1], "이미지 파일명": name, "이미지 너비": size[0]},
        "데이터셋 정보": {
            "파일 생성일자": "2020-01-01",
            "데이터셋 상세설명": details,
            "파일 번호": number,
            "파일 이름": name,
        },
    }


class Tree:
    """A K-Fashion root under construction."""

    def __init__(self, root):
        self.root = Path(root)

    def label(self, number, style, folder=None, stem=None, text=None, encoding="utf-8", **options):
        path = self.root / LABELS / (folder or style or "기타") / f"{stem or number}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(label_json(number, style, **options), ensure_ascii=False) if text is None else text
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return path

    def photo(self, number, folder, suffix=".jpg", stem=None, **options):
        options.setdefault("seed", number)
        return picture(self.root / PHOTOS / folder / f"{stem or number}{suffix}", **options)

    def pair(self, number, style, **options):
        self.label(number, style, **options)
        return self.photo(number, style)


@pytest.fixture
def tree(tmp_path):
    return Tree(tmp_path / "data")


def pack(folder, archive, encoding=None):
    """Zip a folder's files; `encoding` = names in that encoding and without the UTF-8 flag, as Windows in Korea writes
    them."""
    with zipfile.ZipFile(archive, "w") as zipped:
        for path in sorted(p for p in Path(folder).rglob("*") if p.is_file()):
            name = path.relative_to(folder).as_posix()
            info = _Unflagged(name.encode(encoding).decode("cp437")) if encoding else zipfile.ZipInfo(name)
            zipped.writestr(info, path.read_bytes())


class _Unflagged(zipfile.ZipInfo):
    __slots__ = ()

    def _encodeFilenameFlags(self):
        return self.filename.encode("cp437"), 0


COLOURS = {"빨강": (200, 40, 40), "파랑": (40, 40, 200), "초록": (40, 180, 40)}


@pytest.fixture(scope="session")
def colour_data(tmp_path_factory):
    """(root, catalog): 45 pictures in three colours and 15 of them valid, 3 shots a group; one colour is one class."""
    import kfashion_utils as kf

    root = tmp_path_factory.mktemp("colours")
    for name, colour in COLOURS.items():
        for number in range(15):
            picture(root / name / f"{name}{number:02d}.png", (48, 60), colour, seed=number)
    catalog, _ = kf.build_catalog("folders", root)
    catalog["group"] = catalog["id"].str[:2] + (catalog["id"].str[2:].astype(int) // 3).astype(str)
    return root, kf.split_catalog(catalog, valid=0.34, seed=0)


def train_colours(colour_data, run, config=None, cache=None, **options):
    """A run of the `tiny` network on 45 coloured pictures of 32 px; without a recipe four epochs from random
    weights."""
    import kfashion_utils as kf

    root, catalog = colour_data
    config = config or kf.TrainConfig(backbone="tiny", fine_tune_epochs=4, every=2, batch_size=8)
    return kf.train(
        catalog,
        root,
        run,
        preprocess=kf.Preprocess(size=32),
        config=config,
        cache=cache,
        progress=False,
        workers=1,
        **options,
    )


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def run(colour_data, cache, tmp_path_factory):
    return train_colours(colour_data, tmp_path_factory.mktemp("runs") / "run", cache=cache)
