"""How fast and how well an audit finds copies and wrong labels: `python -m benchmarks.audit [hashing] [search] [copies]
[labels]`.

Needs the real data and weights of `KFASHION_DATA` (default `../shared/data`). Prints Markdown; what is made is removed.
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import joblib
import numpy as np
import pandas as pd
from PIL import Image

import kfashion_utils as kf
from kfashion_utils.audit.findings import RADIUS, audit_catalog
from kfashion_utils.audit.hashes import MIRROR, near_pairs
from kfashion_utils.audit.pictures import LOOKED_AT, RECORD, look_at
from kfashion_utils.images import decoding, geometry
from kfashion_utils.storage import addresses
from kfashion_utils.tables.catalog import complete_catalog

DATA = Path(os.environ.get("KFASHION_DATA", "../shared/data"))
WEIGHTS = str(DATA / "weights/mobilenet_2_5_224_tf_no_top.h5")
WORKERS = 2


# Hashing --------------------------------------------------------------------------------------------------------------


def read(paths, root):
    for path in paths:
        addresses.read_source(path, root)


def decode_reduced(paths, root):
    for path in paths:
        decoding.decode(path, root, lambda *size: max(size) / LOOKED_AT)


def decode_full(paths, root):
    for path in paths:
        decoding.open_image(path, root)


def record(paths, root):
    for path, row in zip(paths, np.zeros(len(paths), RECORD), strict=True):
        look_at(path, root, row)


def hashing(scratch, rounds=3):
    """Pictures a second: reading, decoding, and what the audit does with them; variants interleaved, the best round of
    each."""
    from benchmarks.preprocess import draw_photographs

    kfashion = DATA / "kfashion/New_sample"
    drawn = draw_photographs(scratch / "photos", 600)["path"].tolist()
    sets = {
        "K-Fashion's sample, 64 kB": (kfashion, kf.build_catalog("kfashion", kfashion)[0]["path"].tolist()),
        "drawn, 1.3 MP, 249 kB": (scratch / "photos", drawn),
    }
    print(
        f"\n### Pictures a second, {WORKERS} processes\n\n| | read | decode | decode reduced | the audit's record | "
        "record : decode reduced |\n|---|---|---|---|---|---|"
    )
    with joblib.Parallel(n_jobs=WORKERS) as parallel:
        for name, (root, paths) in sets.items():
            best = {}
            for _ in range(rounds):
                for work in (read, decode_full, decode_reduced, record):
                    started = time.perf_counter()
                    parallel(joblib.delayed(work)(paths[part::8], root) for part in range(8))
                    best[work] = max(best.get(work, 0), len(paths) / (time.perf_counter() - started))
            print(
                f"| {name} | "
                + " | ".join(f"{value:,.0f}" for value in best.values())
                + f" | {best[record] / best[decode_reduced]:.2f} |",
                flush=True,
            )


# Search ---------------------------------------------------------------------------------------------------------------


def brute_force(hashes, radius):
    """All pairs, mirrored ones too, by comparing each hash with all that follow."""
    pairs = []
    for row in range(len(hashes)):
        different = hashes[row] ^ hashes[row + 1 :]
        other = (
            row
            + 1
            + np.flatnonzero(
                (np.bitwise_count(different) <= radius) | (np.bitwise_count(different ^ np.uint64(MIRROR)) <= radius)
            )
        )
        pairs.append(np.stack([np.full(len(other), row), other], axis=1))
    return np.concatenate(pairs)


def random_hashes(count):
    return np.random.default_rng(0).integers(0, 2**64, count, dtype=np.uint64)


def clustered_hashes(count, per=200, flips=0.12):
    """Scattered around count / per centres: each bit flips with that probability."""
    rng = np.random.default_rng(0)
    centres = rng.integers(0, 2**64, max(1, count // per), dtype=np.uint64)
    noise = [
        np.packbits(rng.random((size, 64), np.float32) < flips, axis=1).view(">u8")[:, 0]
        for size in np.diff(np.r_[0 : count : 2**17, count])
    ]
    return centres[rng.integers(0, len(centres), count)] ^ np.concatenate(noise).astype(np.uint64)


def photograph_like(count):
    """Bits drawn with the means and the low-rank correlations that the pHashes of clothing_small have."""
    root = DATA / "clothing_small"
    paths = sorted(path.relative_to(root).as_posix() for path in root.rglob("*.jpg"))
    rows = np.zeros(len(paths), RECORD)
    for path, row in zip(paths, rows, strict=True):
        look_at(path, root, row)
    bits = np.unpackbits(rows["phash"].astype(">u8").view(np.uint8).reshape(-1, 8), axis=1).astype(np.float32) * 2 - 1
    values, directions = np.linalg.eigh(np.cov(bits.T))
    shape = (directions * np.sqrt(np.maximum(values, 0))).T.astype(np.float32)
    rng, drawn = np.random.default_rng(0), []
    for start in range(0, count, 2**17):
        normal = rng.standard_normal((min(2**17, count - start), 64), np.float32) @ shape + bits.mean(axis=0)
        drawn.append(np.packbits(normal > 0, axis=1).view(">u8")[:, 0])
    return np.concatenate(drawn).astype(np.uint64)


def search(scratch):
    """Seconds of the search and of brute force, and whether both give the same pairs of a subset of 20,000."""
    print(
        f"\n### Near pairs among hashes, mirror images too, {os.cpu_count()} cores\n\n| hashes | radius | 10,000 s | "
        "100,000 s | 1,000,000 s | pairs | brute force 20,000 s | equal on 20,000 |\n|---|---|---|---|---|---|---|---|"
    )
    for name, draw in {
        "random": random_hashes,
        "clustered": clustered_hashes,
        "as clothing_small": photograph_like,
    }.items():
        values = draw(1_000_000)
        some = values[:: len(values) // 20_000][:20_000] if draw is random_hashes else draw(20_000)
        for radius in (RADIUS, 6):
            spent = []
            for count in (10_000, 100_000, 1_000_000):
                started = time.perf_counter()
                pairs = near_pairs(values[:count], radius, MIRROR)
                spent.append(time.perf_counter() - started)
            started = time.perf_counter()
            expected = brute_force(some, radius)
            slow = time.perf_counter() - started
            equal = np.array_equal(near_pairs(some, radius, MIRROR), expected)
            print(
                f"| {name} | {radius} | "
                + " | ".join(f"{value:.2f}" for value in spent)
                + f" | {len(pairs):,} | {slow:.1f} | {equal}, {len(expected):,} pairs |",
                flush=True,
            )


# Copies ---------------------------------------------------------------------------------------------------------------


def shrunk(share):
    return lambda picture: picture.resize(
        (max(1, round(picture.width * share)), max(1, round(picture.height * share))), Image.Resampling.LANCZOS
    )


def cropped(share, mirror=False):
    """A part that lacks `share` of width and height, half of it on each side."""

    def crop(picture):
        across, down = picture.width * share / 2, picture.height * share / 2
        part = picture.crop((round(across), round(down), round(picture.width - across), round(picture.height - down)))
        return part.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if mirror else part

    return crop


COPIES = {
    "25 %": shrunk(0.25),
    "50 %": shrunk(0.5),
    "q40": lambda picture: picture,
    "128 px": lambda picture: shrunk(128 / max(picture.size))(picture),
    "mirror": lambda picture: picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "crop 5 %": cropped(0.05),
    "crop 15 %": cropped(0.15),
    "crop 15 %, mirror": cropped(0.15, mirror=True),
}


def make_copies(catalog, root, folder):
    """A catalog of each picture and its copies, `photo` saying of which it is one, and `kind` which copy."""
    rows = []
    for number, (path, polygon) in enumerate(zip(catalog["path"], catalog["polygon"], strict=True)):
        pixels = decoding.open_image(path, root)
        picture = Image.fromarray(pixels)
        made = {"original": picture, **{name: make(picture) for name, make in COPIES.items()}}
        if polygon:
            painted = pixels.copy()
            painted[
                geometry.inside([np.array(ring, float) for ring in json.loads(polygon)], *pixels.shape[:2]) == 0
            ] = 255
            made["mask"] = Image.fromarray(painted)
        for kind, copy in made.items():
            row = f"{number:05d}-{kind}".replace(" ", "").replace("%", "pc").replace(",", "-")
            copy.save(folder / f"{row}.jpg", quality=40 if kind == "q40" else 90)
            rows.append({"id": row, "path": f"{row}.jpg", "kind": kind, "of": str(number)})
    table = pd.DataFrame(rows)
    return complete_catalog(table[["id", "path"]]), table["kind"].to_numpy(), table["of"].to_numpy()


def copies(scratch, most=700):
    """Share of copies of real photographs in the group of their original, and false pairs, by hash alone and with the
    embedding step.

    Originals that are copies of each other are told by comparing them at full size; pairs between them and their copies
    are no false ones.
    """
    sets = {
        "K-Fashion's sample": ("kfashion", DATA / "kfashion/New_sample"),
        "clothing_small": ("folders", DATA / "clothing_small"),
        "ccp_people": ("folders", DATA / "ccp_people/photos"),
    }
    for name, (kind_of_data, root) in sets.items():
        folder = scratch / name
        folder.mkdir()
        catalog = (
            kf.build_catalog(kind_of_data, root)[0]
            .iloc[:: max(1, 3409 // most) if name == "clothing_small" else 1]
            .iloc[:most]
        )
        table, kind, of = make_copies(catalog, root, folder)
        print(f"\n### Copies of {len(catalog)} photographs of {name}\n")
        print(
            "| | "
            + " | ".join(dict.fromkeys(kind[kind != "original"]))
            + " | pairs of different photographs |\n|"
            + "---|" * (len(set(kind)) + 1)
        )
        for step, options in {
            "hash": {},
            "hash and embedding": {"backbone": "mobilenet_025", "weights": WEIGHTS},
        }.items():
            started = time.perf_counter()
            audit = audit_catalog(table, folder, scratch / f"{name}-out", progress=False, **options)
            source = dict(zip(table["id"], of, strict=True))
            group = audit.catalog["group"].to_numpy()
            original = dict(zip(of[kind == "original"], group[kind == "original"], strict=True))
            joined = pd.Series([row == original[one] for row, one in zip(group, of, strict=True)])
            recall = joined[kind != "original"].groupby(kind[kind != "original"], sort=False).mean()
            between = {
                tuple(sorted((source[a], source[b]))): how
                for a, b, how in zip(audit.pairs["id"], audit.pairs["other"], audit.pairs["how"], strict=True)
                if source[a] != source[b]
            }
            same = {
                pair
                for pair in between
                if same_photograph(*(decoding.open_image(catalog["path"].iloc[int(one)], root) for one in pair))
            }
            shown = f"{len(between) - len(same)} ({len(same)} more are duplicates in the data)"
            print(
                f"| {step}, {time.perf_counter() - started:.0f} s | "
                + " | ".join(f"{value:.3f}" for value in recall)
                + f" | {shown} |",
                flush=True,
            )
            for pair in sorted(set(between) - same):
                print(f"  false: {[catalog['path'].iloc[int(one)] for one in pair]} {between[pair]}")


def same_photograph(one, other):
    """Whether two whole pictures, uint8 RGB, are equal but for size and compression: correlation at 128 px of .98 in
    every colour, either way round."""
    one, other = (
        np.asarray(Image.fromarray(picture).resize((128, 128), Image.Resampling.BOX), float) for picture in (one, other)
    )
    return any(
        min(np.corrcoef(one[..., c].ravel(), view[..., c].ravel())[0, 1] for c in range(3)) > 0.98
        for view in (other, other[:, ::-1])
    )


# Labels ---------------------------------------------------------------------------------------------------------------


def labels(scratch, share=0.05, seeds=3):
    """Precision and recall of the labels found wrong when a share of those of clothing_small is flipped at random."""
    root = DATA / "clothing_small"
    catalog = kf.build_catalog("folders", root)[0]
    classes = sorted(set(catalog["label"]))
    print(
        f"\n### {share:.0%} of the labels of clothing_small flipped\n\n| seed | flipped | found | precision | recall | "
        "suggestion right |\n|---|---|---|---|---|---|"
    )
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        wrong = rng.choice(len(catalog), round(share * len(catalog)), replace=False)
        flipped = catalog.copy()
        flipped.loc[wrong, "label"] = [
            rng.choice([name for name in classes if name != catalog["label"].iat[row]]) for row in wrong
        ]
        config = kf.TrainConfig(backbone="mobilenet_025", weights=WEIGHTS, seed=seed, taps="stages", fine_tune_epochs=0)
        run = kf.train(
            flipped,
            root,
            scratch / f"labels-{seed}",
            split="all",
            config=config,
            cache=scratch / "labels-cache",
            progress=False,
        )
        errors = kf.find_label_errors(run.predictions, flipped)
        truth = catalog.set_index("id")["label"]
        right = errors["id"].isin(catalog["id"].iloc[wrong])
        suggested = (errors["suggestion"] == truth[errors["id"]].to_numpy())[right].mean()
        print(
            f"| {seed} | {len(wrong)} | {len(errors)} | {right.mean():.3f} | {right.sum() / len(wrong):.3f} | "
            f"{suggested:.3f} |",
            flush=True,
        )


PARTS = {"hashing": hashing, "search": search, "copies": copies, "labels": labels}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", default=list(PARTS))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        for part in given.parts:
            PARTS[part](Path(scratch))


if __name__ == "__main__":
    main()
