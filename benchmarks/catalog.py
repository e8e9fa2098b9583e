"""How fast the catalog is made, checked and split, and how that grows: `python -m benchmarks.catalog`.

Prints Markdown tables. Every figure stands beside the plain way measured in the same run, each in a process of its own
(for its peak memory). Labels have AI Hub's form: Korean folder names, two garments of about 80 points, deflated in one
zip; their pictures are tiny members of a second zip.
"""

import argparse
import json
import math
import multiprocessing
import os
import random
import resource
import shutil
import tempfile
import time
import zipfile
from pathlib import Path

# measured; the others share the rest
STYLE_SHARES = {"스트리트": 0.464, "페미닌": 0.091, "리조트": 0.086, "모던": 0.083, "로맨틱": 0.076}
LABELLED = {
    "기장": "노멀",
    "색상": "화이트",
    "카테고리": "셔츠",
    "소재": ["우븐"],
    "프린트": ["무지"],
    "핏": "루즈",
}
DRAWINGS = 500  # different drawings; every label has its own number, name and style


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--labels", type=int, default=100_000, help="labels in the zip")
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000], help="rows of the tables")
    parser.add_argument("--members", type=int, default=1_000_000, help="members of the zip that is opened")
    parser.add_argument("--points", type=int, default=80, help="points of a garment's polygon")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="kfashion-benchmark-"))
    try:
        print(f"{os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}\n")
        measure_opening(folder, options.members)
        measure_building(folder, options.labels, options.points)
        measure_growth(folder, options.rows)
    finally:
        shutil.rmtree(folder)


def alone(function, *arguments):
    """(result, seconds, MiB that the memory grew by at its peak) of a function in a fresh process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measured, (function, arguments))


def _measured(function, arguments):
    import kfashion_utils as kf

    kf.build_catalog, kf.open_image  # noqa: B018 - imported before the clock starts
    before, start = _peak(), time.perf_counter()
    result = function(*arguments)
    seconds = time.perf_counter() - start
    return result, seconds, _peak() - before


def _peak():
    """MiB; on Linux of this process alone (`ru_maxrss` starts with its parent's)."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")) / 1024


# Opening a zip --------------------------------------------------------------------------------------------------------


def measure_opening(folder, members):
    path = folder / "members.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(members):
            archive.writestr(zipfile.ZipInfo(f"라벨링데이터/스트리트/{number}.json"), b"%d" % number)
    columns = ["s", "MiB", "bytes a member", "10,000 members read: us each"]
    print(f"| opening a zip of {members:,} members | {' | '.join(columns)} |\n|---|---|---|---|---|")
    rows = [
        (name, *alone(function, str(path), members))
        for name, function in (("zipfile.ZipFile", open_plain), ("Archive", open_ours))
    ]
    for name, (opened, each), _, memory in rows:
        print(f"| {name} | {opened:.2f} | {memory:,.0f} | {memory * 2**20 / members:,.0f} | {each * 1e6:.0f} |")
    (_, (plain, _), _, plain_memory), (_, (ours, _), _, our_memory) = rows
    print(f"| ratio | {plain / ours:.1f} | {plain_memory / max(our_memory, 1):.0f} | | |\n")
    path.unlink()


def open_plain(path, members):
    return _open_and_read(lambda: zipfile.ZipFile(path), lambda archive, name: archive.read(name), members)


def open_ours(path, members):
    from kfashion_utils.storage.archives import Archive

    return _open_and_read(lambda: Archive(path), lambda archive, name: archive.read(name, 1000), members)


def _open_and_read(opened, read, members):
    start = time.perf_counter()
    archive = opened()
    middle = time.perf_counter()
    numbers = range(0, members, max(1, members // 10_000))
    for number in numbers:
        read(archive, f"라벨링데이터/스트리트/{number}.json")
    return middle - start, (time.perf_counter() - middle) / len(numbers)


# Building a catalog ---------------------------------------------------------------------------------------------------


def measure_building(folder, labels, points):
    root = folder / "kfashion"
    root.mkdir()
    bytes_a_label = write_zips(root, labels, points)
    print(f"| {labels:,} labels of {bytes_a_label:,.0f} bytes in a zip | s | labels/s | MiB at the peak |")
    print("|---|---|---|---|")
    results = {}
    for name, function in (("zipfile + json.loads, nothing kept", read_plainly), ("build_catalog", build)):
        count, seconds, memory = alone(function, str(root))
        assert count == labels, f"{name} read {count:,} of {labels:,} labels"
        results[name] = seconds
        print(f"| {name} | {seconds:.1f} | {labels / seconds:,.0f} | {memory:,.0f} |")
    floor, ours = results.values()
    print(f"| ratio | {ours / floor:.2f} | | |\n")
    shutil.rmtree(root)


def read_plainly(root):
    with zipfile.ZipFile(Path(root, "라벨링데이터.zip")) as archive:
        return sum("데이터셋 정보" in json.loads(archive.read(name)) for name in archive.namelist())


def build(root):
    import kfashion_utils as kf

    catalog, rejected = kf.build_catalog("kfashion", root)
    return len(catalog) + len(rejected)


def write_zips(root, labels, points):
    """Two zips, labels and pictures; returns the mean size of a label in bytes."""
    rng, total = random.Random(0), 0
    drawn = [_label_text(rng, points) for _ in range(DRAWINGS)]
    styles = _styles(labels, rng)
    with (
        zipfile.ZipFile(root / "라벨링데이터.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as label_zip,
        zipfile.ZipFile(root / "원천데이터_1.zip", "w") as photo_zip,
    ):
        for number, style in enumerate(styles):
            name = f"shop_{number // 3:06d}_{number % 3:02d}.jpg"
            text = drawn[number % DRAWINGS].replace("@NUMBER", str(number)).replace("@NAME", name)
            data = text.replace("@STYLE", style).encode()
            total += len(data)
            label_zip.writestr(f"{style}/{number}.json", data)
            photo_zip.writestr(f"{style}/{number}.jpg", b"%d" % number)
    return total / labels


def _styles(count, rng):
    from kfashion_utils.tables.tasks import STYLE

    rest = (1 - sum(STYLE_SHARES.values())) / (len(STYLE.classes) - len(STYLE_SHARES))
    return rng.choices(STYLE.classes, [STYLE_SHARES.get(name, rest) for name in STYLE.classes], k=count)


def _label_text(rng, points):
    """One label as AI Hub writes it, with places for number, name and style."""
    rects, polygons, labels = ({part: [{}] for part in ("아우터", "하의", "원피스", "상의")} for _ in range(3))
    for part, middle in (("상의", (400, 250)), ("하의", (400, 550))):
        ring = _ring(rng, middle, points)
        pairs = [(f"{axis}좌표{k + 1}", point["XY".index(axis)]) for k, point in enumerate(ring) for axis in "XY"]
        rng.shuffle(pairs)
        rects[part], polygons[part] = [_rect(ring)], [dict(pairs)]
        category = "팬츠" if part == "하의" else "셔츠"
        labels[part] = [{**LABELLED, "카테고리": category}]
    details = {"렉트좌표": rects, "폴리곤좌표": polygons, "라벨링": {"스타일": [{"스타일": "@STYLE"}], **labels}}
    info = {"이미지 식별자": "@NUMBER", "이미지 높이": 800, "이미지 파일명": "@NAME", "이미지 너비": 800}
    content = {
        "이미지 정보": info,
        "데이터셋 정보": {"파일 생성일자": "2020-08-10 08:33:18", "데이터셋 상세설명": details, "파일 이름": "@NAME"},
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def _ring(rng, middle, points):
    """[(x, y)] of about as many points around a middle."""
    count = max(3, int(points * rng.uniform(0.6, 1.4)))
    radius, ring = rng.uniform(120, 170), []
    for number in range(count):
        angle = 2 * math.pi * number / count
        x = middle[0] + radius * math.cos(angle) + rng.uniform(-5, 5)
        y = middle[1] + radius * math.sin(angle) + rng.uniform(-5, 5)
        ring.append((round(x, 3), round(y, 3)))
    return ring


def _rect(ring):
    xs, ys = zip(*ring, strict=True)
    width, height = int(max(xs) - min(xs)), int(max(ys) - min(ys))
    return {"X좌표": min(xs) - 0.5, "Y좌표": min(ys) - 0.5, "가로": width, "세로": height}


# Growth ---------------------------------------------------------------------------------------------------------------


def measure_growth(folder, sizes):
    steps = ("check", "split", "write csv.gz", "read csv.gz")
    print(f"| rows | {' | '.join(f'{step} s' for step in steps)} | MiB at the peak |\n|{'---|' * (len(steps) + 2)}")
    measured = {}
    for rows in sizes:
        seconds, _, memory = alone(grow, rows, str(folder / "catalog.csv.gz"))
        measured[rows] = seconds
        print(f"| {rows:,} | {' | '.join(f'{value:.2f}' for value in seconds)} | {memory:,.0f} |")
    if len(sizes) > 1:
        small, large = sizes[-2:]
        ratios = [after / before for before, after in zip(measured[small], measured[large], strict=True)]
        exponents = [math.log(ratio) / math.log(large / small) for ratio in ratios]
        print(f"| exponent {small:,} to {large:,} | {' | '.join(f'{value:.2f}' for value in exponents)} | |")


def grow(rows, path):
    """Seconds of each step on a table with boxes, polygons of 20 points, look groups of 1 to 5 rows and the skewed
    classes."""
    import kfashion_utils as kf

    table = made_table(rows)
    results = []
    for step in (
        lambda: kf.check_catalog(table),
        lambda: kf.split_catalog(table, valid=0.1, test=0.1, folds=5),
        lambda: kf.write_catalog(table, path),
        lambda: kf.read_catalog(path),
    ):
        start = time.perf_counter()
        step()
        results.append(time.perf_counter() - start)
    return results


def made_table(rows):
    from kfashion_utils.tables.catalog import complete_catalog

    rng = random.Random(0)
    polygons = [json.dumps([[[round(rng.uniform(0, 800), 1) for _ in "xy"] for _ in range(20)]]) for _ in range(2000)]
    groups, styles = [], []
    for look, style in enumerate(_styles(rows, rng)):
        shots = min(rng.randint(1, 5), rows - len(styles))
        groups += [f"look_{look:07d}"] * shots
        styles += [style] * shots
    columns = {
        "id": [str(number) for number in range(rows)],
        "path": [f"원천데이터_1.zip::{style}/{number}.jpg" for number, style in enumerate(styles)],
        "group": groups,
        **{"left": 10.5, "top": 20.5, "right": 700.0, "bottom": 790.0},
        "polygon": [polygons[number % len(polygons)] for number in range(rows)],
        "region": "annotation",
        "style": styles,
    }
    return complete_catalog(columns)


if __name__ == "__main__":
    main()
