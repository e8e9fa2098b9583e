"""How fast and how well an audit finds copies and wrong labels.

    python -m benchmarks.audit [hashing] [search] [copies] [labels]

Needs the real data and weights of `KFASHION_DATA` (default `../shared/data`). Prints Markdown; what is made is removed.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import joblib
import numpy as np

import kfashion_utils as kf
from benchmarks.audit_copies import copies
from benchmarks.audit_search import search
from benchmarks.measures import DATA, WEIGHTS
from kfashion_utils.audit.pictures import LOOKED_AT, RECORD, look_at
from kfashion_utils.images import decoding
from kfashion_utils.storage import addresses

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


WORK = {"read": read, "decode": decode_full, "decode reduced": decode_reduced, "the audit's record": record}


def hashing(scratch, rounds=3):
    """Pictures a second: reading, decoding, and what the audit does with them; interleaved, the best round of each."""
    from benchmarks.preprocess import draw_photographs

    kfashion = DATA / "kfashion/New_sample"
    drawn = draw_photographs(scratch / "photos", 600)["path"].tolist()
    sets = {
        "K-Fashion's sample, 64 kB": (kfashion, kf.build_catalog("kfashion", kfashion)[0]["path"].tolist()),
        "drawn, 1.3 MP, 249 kB": (scratch / "photos", drawn),
    }
    print(f"\n### Pictures a second, {WORKERS} processes\n")
    print(f"| | {' | '.join(WORK)} | record : decode reduced |\n|{'---|' * (len(WORK) + 2)}")
    with joblib.Parallel(n_jobs=WORKERS) as parallel:
        for name, (root, paths) in sets.items():
            best = dict.fromkeys(WORK, 0)
            for _ in range(rounds):
                for what, work in WORK.items():
                    started = time.perf_counter()
                    parallel(joblib.delayed(work)(paths[part::8], root) for part in range(8))
                    best[what] = max(best[what], len(paths) / (time.perf_counter() - started))
            shown = " | ".join(f"{value:,.0f}" for value in best.values())
            ratio = best["the audit's record"] / best["decode reduced"]
            print(f"| {name} | {shown} | {ratio:.2f} |", flush=True)


# Labels ---------------------------------------------------------------------------------------------------------------


def labels(scratch, share=0.05, seeds=3):
    """Precision and recall of the labels found wrong when a share of those of clothing_small is flipped at random."""
    root = DATA / "clothing_small"
    catalog = kf.build_catalog("folders", root)[0]
    truth = catalog.set_index("id")["label"]
    print(f"\n### {share:.0%} of the labels of clothing_small flipped\n")
    print("| seed | flipped | found | precision | recall | suggestion right |\n|---|---|---|---|---|---|")
    for seed in range(seeds):
        flipped, wrong = _flipped(catalog, share, seed)
        config = kf.TrainConfig(backbone="mobilenet_025", weights=WEIGHTS, seed=seed, taps="stages", fine_tune_epochs=0)
        options = {"split": "all", "config": config, "cache": scratch / "labels-cache", "progress": False}
        run = kf.train(flipped, root, scratch / f"labels-{seed}", **options)
        errors = kf.find_label_errors(run.predictions, flipped)
        right = errors["id"].isin(wrong)
        suggested = (errors["suggestion"] == truth[errors["id"]].to_numpy())[right].mean()
        shown = f"{right.mean():.3f} | {right.sum() / len(wrong):.3f} | {suggested:.3f}"
        print(f"| {seed} | {len(wrong)} | {len(errors)} | {shown} |", flush=True)


def _flipped(catalog, share, seed):
    """(a catalog with a share of the labels replaced by other ones at random, the ids of these rows)."""
    rng = np.random.default_rng(seed)
    wrong = rng.choice(len(catalog), round(share * len(catalog)), replace=False)
    classes = sorted(set(catalog["label"]))
    others = [[name for name in classes if name != catalog["label"].iat[row]] for row in wrong]
    flipped = catalog.copy()
    flipped.loc[wrong, "label"] = [rng.choice(names) for names in others]
    return flipped, catalog["id"].iloc[wrong]


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
