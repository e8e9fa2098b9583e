"""How fast pictures are prepared, and how much memory it takes.

    python -m benchmarks.preprocess [--photos 600] [--rounds 5]

Crop + polygon mask + resize + hash + durable write on two processes, interleaved with (a) the loop that notebooks use,
on one process, (b) a plain OpenCV loop on a pool, (c) the same scaled decode of the same files on two processes and
nothing else: the limit. Quality: PSNR against full decoding and area resize. Prints Markdown; nothing is kept. With
`--real DIR` (AI Hub's New_sample) the same on it.
"""

import argparse
import contextlib
import json
import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

import kfashion_utils as kf
from kfashion_utils.images import decoding, geometry
from kfashion_utils.tables.catalog import BOX, complete_catalog

WORKERS = 2
RECIPE = kf.Preprocess(crop="box", mask="polygon")
WIDTH, HEIGHT, QUALITY = 1000, 1300, 90  # 1.3 MP, about 250 kB: AI Hub's photographs are 256 kB on average


def draw_photographs(root, count, seed=0):
    """Pictures with the spectrum of photographs (1/f) and a garment in the middle; returns their catalog."""
    root.mkdir(parents=True, exist_ok=True)
    rng, rows = np.random.default_rng(seed), []
    for number in range(count):
        picture = np.zeros((HEIGHT, WIDTH, 3), np.float32)
        for octave in range(2, 10):
            shape = HEIGHT * 2**octave // 1024 + 2, WIDTH * 2**octave // 1024 + 2, 3
            noise = cv2.resize(
                rng.normal(0, 1, shape).astype(np.float32), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC
            )
            picture += noise * 2.0 ** (5.0 - 0.55 * octave)
        path = f"{number:05d}.jpg"
        Image.fromarray((128 + 3 * picture).clip(0, 255).astype(np.uint8)).save(root / path, quality=QUALITY)
        ring = _ring(rng)
        box = [*ring.min(axis=0).round(1).tolist(), *ring.max(axis=0).round(1).tolist()]
        region = {**dict(zip(BOX, box, strict=True)), "polygon": json.dumps([ring.round(1).tolist()])}
        rows.append({"id": path[:-4], "path": path, **region, "region": "hand"})
    return complete_catalog(rows)


def _ring(rng):
    """The outline of a garment about the middle of a picture, float `(80, 2)`."""
    centre = np.array([WIDTH, HEIGHT]) * rng.uniform(0.45, 0.55, 2)
    radius = np.array([0.28 * WIDTH, 0.36 * HEIGHT])
    angles = np.linspace(0, 2 * np.pi, 80, endpoint=False)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return centre + radius * circle * rng.uniform(0.9, 1.1, (80, 1))


# The others -----------------------------------------------------------------------------------------------------------


def notebook_loop(root, rows, out):
    """(a): Keras' own functions, one picture after the other."""
    from keras.utils import img_to_array, load_img, save_img

    for row in rows:
        left, top, right, bottom = (int(row[name]) for name in BOX)
        pixels = img_to_array(load_img(root / row["path"]))
        mask = np.zeros(pixels.shape[:2], np.uint8)
        cv2.fillPoly(mask, [np.array(ring, np.int32) for ring in json.loads(row["polygon"])], 1)
        pixels = (pixels * mask[..., None] + 255.0 * (1 - mask[..., None]))[top:bottom, left:right]
        small = cv2.resize(pixels, (RECIPE.size, RECIPE.size), interpolation=cv2.INTER_AREA)
        save_img(out / f"{row['id']}.jpg", small, quality=95)


def opencv_part(root, rows, out):
    """(b), one process's share."""
    cv2.setNumThreads(1)
    for row in rows:
        left, top, right, bottom = (int(row[name]) for name in BOX)
        pixels = cv2.imread(str(root / row["path"]))
        mask = np.zeros(pixels.shape[:2], np.uint8)
        cv2.fillPoly(mask, [np.array(ring, np.int32) for ring in json.loads(row["polygon"])], 1)
        pixels[mask == 0] = 255
        small = cv2.resize(pixels[top:bottom, left:right], (RECIPE.size, RECIPE.size), interpolation=cv2.INTER_AREA)
        cv2.imwrite(str(out / f"{row['id']}.jpg"), small, [cv2.IMWRITE_JPEG_QUALITY, 95])


def decode_part(root, rows, _):
    """(c), one process's share: read and decode at the scale that we choose, nothing else."""
    import io

    for row in rows:
        with open(root / row["path"], "rb") as handle:
            picture = Image.open(io.BytesIO(handle.read()))
        factor = max(1.0, max(row["right"] - row["left"], row["bottom"] - row["top"]) / RECIPE.size)
        if factor >= 2:
            picture.draft(None, (int(picture.width / factor), int(picture.height / factor)))
        picture.load()


def on_pool(part):
    def run(pool, root, rows, out):
        shares = [rows[start::WORKERS] for start in range(WORKERS)]
        list(pool.map(part, [root] * WORKERS, shares, [out] * WORKERS))

    return run


def ours(root, catalog, out):
    kf.preprocess_images(catalog, root, out, RECIPE, workers=WORKERS, progress=False)


# Figures --------------------------------------------------------------------------------------------------------------


def seconds(scratch, work, *arguments):
    """Of `work(*arguments, out)`, a picture; `out` is a new folder."""
    out = Path(tempfile.mkdtemp(dir=scratch))
    os.sync()
    started = time.perf_counter()
    work(*arguments, out)
    spent = time.perf_counter() - started
    shutil.rmtree(out)
    return spent / len(arguments[-1])


def measure_speed(root, catalog, scratch, rounds):
    rows = catalog.to_dict("records")
    some = rows[: max(50, len(rows) // 6)]  # the slow one gets fewer
    spent = {name: [] for name in ("a", "b", "c", "ours")}
    with ProcessPoolExecutor(WORKERS, multiprocessing.get_context("spawn")) as pool:  # a fork of TensorFlow would hang
        for _ in range(rounds + 1):
            spent["a"].append(seconds(scratch, notebook_loop, root, some))
            spent["b"].append(seconds(scratch, on_pool(opencv_part), pool, root, rows))
            spent["ours"].append(seconds(scratch, ours, root, catalog))
            spent["c"].append(seconds(scratch, on_pool(decode_part), pool, root, rows))
    return {name: 1 / statistics.median(values[1:]) for name, values in spent.items()}  # the first round warms up


def psnr(catalog, root, count=150):
    """Median PSNR, dB, of our crop against full decoding and area resize of the same region, before mask and JPEG."""
    found = []
    for row in catalog.head(count).to_dict("records"):
        left, top, right, bottom = (row[name] for name in BOX)
        full = decoding.open_image(row["path"], root)
        width, height = geometry.fitted_size(right - left, bottom - top, RECIPE.size, "pad")
        box = np.array([left, top, right, bottom])
        expected = area_resize(full, box, width, height)
        pixels = decoding.decode_region(row["path"], root, lambda *_: box, RECIPE.size, "pad")[0]
        found.append(10 * np.log10(255**2 / np.mean((pixels.astype(float) - expected) ** 2)))
    return statistics.median(found)


def area_resize(pixels, box, width, height):
    """Exact area averages of a fractional box: the integral of the picture, at the corners of the new pixels."""
    integral = np.zeros((pixels.shape[0] + 1, pixels.shape[1] + 1, 3))
    integral[1:, 1:] = pixels.astype(float).cumsum(axis=0).cumsum(axis=1)
    ys, xs = np.linspace(box[1], box[3], height + 1), np.linspace(box[0], box[2], width + 1)
    columns = integral.reshape(len(integral), -1).T  # of each place across and colour
    rows = np.stack([np.interp(ys, np.arange(len(integral)), column) for column in columns], axis=1)
    rows = rows.reshape(height + 1, integral.shape[1], 3)
    at = np.clip(xs, 0, integral.shape[1] - 1)
    low = np.minimum(at.astype(int), integral.shape[1] - 2)
    share = (at - low)[None, :, None]
    corners = rows[:, low] * (1 - share) + rows[:, low + 1] * share
    sums = corners[1:, 1:] - corners[:-1, 1:] - corners[1:, :-1] + corners[:-1, :-1]
    return sums / ((ys[1] - ys[0]) * (xs[1] - xs[0]))


def print_speed(title, root, catalog, scratch, rounds):
    speed = measure_speed(root, catalog, scratch, rounds)
    size = statistics.mean(Path(root, path).stat().st_size for path in catalog["path"]) / 1000
    print(f"\n### {title}: {len(catalog):,} photographs of {size:.0f} kB, medians of {rounds} interleaved rounds\n")
    print("| | photographs/s | ours : this |\n|---|---|---|")
    names = {
        "a": "(a) notebook loop, one process",
        "b": f"(b) OpenCV loop, pool of {WORKERS}",
        "c": f"(c) scaled decode alone, {WORKERS} processes: the limit",
        "ours": f"ours, {WORKERS} processes",
    }
    for key, name in names.items():
        print(f"| {name} | {speed[key]:,.0f} | {speed['ours'] / speed[key]:.2f} |")
    against = "the scaled decode against full decoding and area resize"
    print(f"\nQuality of {against}: {psnr(catalog, root):.1f} dB (median PSNR).")


# Memory ---------------------------------------------------------------------------------------------------------------


def peak_memory(rows, scratch):
    """(MB of the table, peak MB of this process without it, peak MB of its workers) of preparing `rows` rows, in a
    process of its own."""
    command = [sys.executable, "-m", "benchmarks.preprocess", "--memory-of", str(rows), "--scratch", str(scratch)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [float(text) for text in done.stdout.split()[-3:]]


def resident(pid="self"):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) / 1000 for line in status if line.startswith("VmRSS"))


def print_peak_memory(rows, scratch):
    root = Path(scratch, "few")
    few = draw_few(root)
    before = resident()
    table = _repeated(few, rows)
    table_size = resident() - before
    recipe = kf.Preprocess(size=16, crop="box", mask="polygon")
    with _watched_memory() as peak:
        out = tempfile.mkdtemp(dir=scratch)
        kf.preprocess_images(table, root, out, recipe, workers=WORKERS, progress=False)
    print(table_size, peak["own"] - table_size, peak["workers"])


def _repeated(few, rows):
    """As many rows, each with a name, box and polygon of its own."""
    numbers = range(rows)
    table = few.iloc[np.arange(rows) % len(few)].reset_index(drop=True)
    table["id"] = table["photo"] = table["group"] = [f"r{number:07d}" for number in numbers]
    table["left"] += np.arange(rows) % 1000 / 1000
    firsts = [round(number % 97 / 10, 1) for number in numbers]
    table["polygon"] = [json.dumps([[[first, 5.0], [40.0, 6.0], [38.0, 50.0]]]) for first in firsts]
    return table


@contextlib.contextmanager
def _watched_memory():
    """{own, workers: MB at the peak} of what is done in the block."""
    peak, finished = {"own": 0.0, "workers": 0.0}, threading.Event()

    def watch():
        while not finished.wait(0.05):
            children = Path("/proc/self/task").glob("*/children")
            pids = {pid for path in children for pid in path.read_text().split()}
            workers = sum(resident(pid) for pid in pids if Path(f"/proc/{pid}/status").exists())
            peak["own"], peak["workers"] = max(peak["own"], resident()), max(peak["workers"], workers)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        finished.set()
        watcher.join()


def draw_few(root, count=50):
    root.mkdir(parents=True, exist_ok=True)
    rng, rows = np.random.default_rng(0), []
    box = dict(zip(BOX, (2.0, 2, 40, 55), strict=True))
    for number in range(count):
        Image.fromarray(rng.integers(0, 255, (60, 48, 3), np.uint8)).save(root / f"{number}.jpg")
        named = {"id": str(number), "path": f"{number}.jpg"}
        rows.append({**named, **box, "polygon": "[[[1,1],[40,1],[40,50]]]", "region": "hand"})
    return complete_catalog(rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--real", type=Path, help="AI Hub's New_sample")
    parser.add_argument(
        "--memory", type=int, nargs="*", default=[10_000, 100_000], help="rows to measure the memory at"
    )
    parser.add_argument("--memory-of", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--scratch", type=Path, help="folder for what is made and removed")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.scratch) as scratch:
        scratch = Path(scratch)
        if given.memory_of:
            return print_peak_memory(given.memory_of, scratch)
        if given.photos:
            catalog = draw_photographs(scratch / "photos", given.photos)
            print_speed("Drawn, 1.3 MP", scratch / "photos", catalog, scratch, given.rounds)
        if given.real:
            catalog = kf.build_catalog("kfashion", given.real)[0]
            catalog = catalog[catalog["polygon"] != ""].reset_index(drop=True)
            print_speed("AI Hub's sample", given.real, catalog, scratch, given.rounds)
        if given.memory:
            columns = ["table", "this process without the table", "both workers", "both, the table apart"]
            print(f"\n### Memory\n\n| rows | {', MB | '.join(columns)}, MB |\n|---|---|---|---|---|")
            for rows in given.memory:
                table, above, workers = peak_memory(rows, scratch)
                print(f"| {rows:,} | {table:.0f} | {above:.0f} | {workers:.0f} | {above + workers:.0f} |")


if __name__ == "__main__":
    main()
