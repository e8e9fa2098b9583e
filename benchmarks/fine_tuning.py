"""What fine-tuning gains over frozen features.

    python -m benchmarks.fine_tuning [clothing] [kfashion] [coarse] [--seeds 3]

Needs the real data and weights of `KFASHION_DATA` (default `../shared/data`), but for `coarse`. Prints Markdown.
`benchmarks.accelerator` measures speeds.
"""

import argparse
import dataclasses
import json
import os
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pandas as pd

import kfashion_utils as kf
from benchmarks.measures import DATA, WEIGHTS, interval, paired_difference
from kfashion_utils.tables.labels import Head, Task
from kfashion_utils.tables.tasks import STYLE
from kfashion_utils.training.linear import group_folds

TUNED = {"fine_tune_epochs": 6}
SHORT = {"fine_tune_epochs": 4, "schedule": "cosine", "batch_size": 32, "ema": 0.98}
CLOTHING = {  # name: (side, settings)
    "frozen stages, 224": (224, {"fine_tune_epochs": 0}),
    "fine-tuned from there": (224, TUNED),
    "fine-tuned without EMA and warm-up": (224, {**TUNED, "ema": 0.0, "warmup": 0.0}),
    "fine-tuned, MixUp": (224, {**TUNED, "mix": "mixup"}),
    "frozen stages, 224 + 320": (320, {"fine_tune_epochs": 0, "sizes": (224, 320)}),
    "fine-tuned from there, 224 + 320": (320, {**TUNED, "sizes": (224, 320)}),
}
KFASHION = {  # what is changed of the plain fine-tuning
    "plain": {},
    "without EMA": {"ema": 0.0},
    "MixUp": {"mix": "mixup"},
    "CutMix": {"mix": "cutmix"},
    "no label smoothing": {"label_smoothing": 0.0},
    "generalised cross-entropy": {"loss": "generalized"},
    "strong augmentation": {"augment": "strong"},
    "background swap": {"swap": 0.5},
    "last 3 layers only": {"unfreeze": 3},
    "classifier alone": {"unfreeze": 0},
}


def config(settings, seed=0, **more):
    return kf.TrainConfig(backbone="mobilenet_025", **{"weights": WEIGHTS, "seed": seed, **settings, **more})


def clothing(scratch, seeds, names):
    """Validation accuracy and seconds; seeds draw the validation photographs anew, seed 0 keeps the published ones."""
    root = DATA / "clothing_small"
    catalog = kf.build_catalog("folders", root)[0]
    print("\n### clothing_small: fine-tuning against frozen features, same photographs\n")
    print("| | validation accuracy | as published | s, pictures and features in the cache |\n|---|---|---|---|")
    for name in names or CLOTHING:
        (size, settings), found, spent = CLOTHING[name], [], []
        for seed in range(seeds):
            table = catalog if seed == 0 else kf.split_catalog(catalog, valid=0.1, seed=seed, redraw=True)
            options = {
                "preprocess": kf.Preprocess(size=size),
                "config": config(settings, seed),
                "cache": Path(scratch, "cache"),
            }
            run = kf.train(table, root, Path(scratch, f"clothing-{name}-{seed}"), progress=False, **options)
            spent.append(run.times["seconds"])
            found.append(run.metrics["label"]["accuracy"])
        print(f"| {name} | {interval(found)} | {found[0]:.3f} | {np.mean(spent):.0f} |", flush=True)


def kfashion(scratch, seeds, names, folds=3):
    """Accuracy and balanced accuracy out of fold, groups kept together, whole picture at 224, and the paired difference
    to frozen features."""
    root = DATA / "kfashion/New_sample"
    everything = kf.build_catalog("kfashion", root)[0]
    catalog = everything.drop(columns="sub_style")
    print(
        f"\n### K-Fashion sample, {len(catalog)} photographs, {folds}-fold group cross-validation, "
        f"each fold with its own seed, {seeds} times, whole picture\n"
    )
    print("| | accuracy | balanced | accuracy − frozen, 95 % interval |\n|---|---|---|---|", flush=True)
    frozen = None
    for name, settings in _kfashion_settings(scratch, names).items():
        rows = catalog
        if "auxiliary" in name:
            rows = _with_categories(catalog, root)
        elif "sub-styles" in name:
            rows = everything
        tables = []
        for seed in range(seeds):
            place = Path(scratch, f"kfashion-{name}-{seed}")
            tables.append(_out_of_fold(rows, root, place, config(settings, seed), folds, Path(scratch, "cache")))
        frozen = frozen or tables
        figures = [kf.evaluate(table, catalog)["style"] for table in tables]
        shown = [interval([each[key] for each in figures]) for key in ("accuracy", "balanced_accuracy")]
        low, mean, high = paired_difference(tables, frozen, catalog)
        print(f"| {name} | {shown[0]} | {shown[1]} | {mean:+.3f} [{low:+.3f}, {high:+.3f}] |", flush=True)


def _kfashion_settings(scratch, names):
    """{name: settings}, those of frozen features first; `names` None = all."""
    frozen = {"fine_tune_epochs": 0}
    every = {"frozen": frozen, "frozen, sub-styles as soft targets": {**frozen, "sub_labels": True}}
    every |= {name: {**SHORT, **changed} for name, changed in KFASHION.items()}
    every |= {"garment categories as auxiliary heads": SHORT}
    every |= {"from clothing_small, frozen": frozen, "from clothing_small": SHORT}
    chosen = {name: every[name] for name in every if not names or name in names or name == "frozen"}
    for name in chosen:
        if "clothing_small" in name:
            chosen[name] = {**chosen[name], "weights": _clothing_run(scratch)}
    return chosen


def _out_of_fold(catalog, root, place, settings, folds, cache):
    """Predictions of every photograph by a run that was not trained on it."""
    task = _with_auxiliary_head(catalog) if "category" in catalog else None
    codes = np.unique(catalog["style"], return_inverse=True)[1]
    groups = catalog["group"].where(catalog["group"] != "", catalog["photo"]).to_numpy(str)
    tables = []
    for number, (_, held) in enumerate(group_folds(groups, np.eye(codes.max() + 1)[codes], settings.seed, folds)):
        split = np.where(np.isin(np.arange(len(catalog)), held), "valid", "train")
        own = dataclasses.replace(settings, seed=settings.seed * folds + number)
        options = {"task": task, "config": own, "cache": cache, "progress": False}
        answers = kf.train(catalog.assign(split=split), root, place / str(number), **options).predictions
        tables.append(answers[["id", "photo", *(name for name in answers if name.startswith("style"))]])
    return pd.concat(tables, ignore_index=True)


def _with_categories(catalog, root):
    """The photographs with the categories of their garments, as the label files say them, as a second head, several a
    picture."""
    names = {}
    for path in Path(root).rglob("*.json"):
        garments = json.loads(path.read_text(encoding="utf-8"))["데이터셋 정보"]["데이터셋 상세설명"]["라벨링"]
        entries = [entry for part in garments if part != "스타일" for entry in garments[part]]
        found = {entry["카테고리"] for entry in entries if entry.get("카테고리")}
        names[path.stem] = "|".join(sorted(found))
    return catalog.assign(category=catalog["photo"].map(names).fillna(""))


def _with_auxiliary_head(catalog):
    """Task of the columns that are there, `category` as a head whose classes are all that are seen."""
    seen = sorted({name for row in catalog["category"] for name in row.split("|") if name})
    style = [STYLE] if "style" in catalog else []
    return Task("with_categories", (*style, Head("category", tuple(seen), multi=True)))


def _clothing_run(scratch):
    """A backbone fine-tuned on clothing_small, once."""
    root = DATA / "clothing_small"
    catalog = kf.build_catalog("folders", root)[0]
    options = {"config": config(TUNED), "cache": Path(scratch, "cache"), "progress": False}
    return str(kf.train(catalog, root, Path(scratch, "clothing-source"), **options).path)


# The drawn sample -----------------------------------------------------------------------------------------------------


AFTER = {"fine_tune_epochs": 25, "fine_tune_rate": 2e-3, "ema": 0.0, "warmup": 0.0, "taps": "last"}
FIRST_LEARNED = {"groups": "group_of_styles", "categories": "category"}  # what: column
COARSE = {  # name: (settings, what is learned before, or beside)
    "styles, 25 epochs": ({}, None),
    "a third of the loss over the 10 groups": ({"parent_share": 0.3}, None),
    "styles, 37 epochs": ({"fine_tune_epochs": 37}, None),
    "12 epochs on the groups, then 25 on styles": (AFTER, "groups"),
    "12 epochs on garment categories, then 25 on styles": (AFTER, "categories"),
    "garment categories as an auxiliary head": ({}, "auxiliary"),
}


def coarse(scratch, seeds, names, photos=1200):
    """What 10 groups of styles and the categories of garments teach: the drawn sample, 23 styles, a small network from
    random weights, cropped and masked."""
    print(f"\n### The drawn sample, {photos:,} photographs, `tiny` from random weights\n")
    print("| | accuracy on validation looks | balanced |\n|---|---|---|", flush=True)
    found = {name: [] for name in names or COARSE}
    for seed in range(seeds):
        root = Path(scratch, f"drawn-{seed}")
        kf.draw_sample(root, photos=photos, seed=seed)
        catalog = _drawn_catalog(root, seed)
        for name, figures in found.items():
            settings, before = COARSE[name]
            if before in FIRST_LEARNED:
                settings = {**settings, "weights": _learned_before(scratch, catalog, root, before, seed)}
            unused = ["group_of_styles"] if before == "auxiliary" else ["group_of_styles", "category"]
            rows = catalog.drop(columns=unused)
            run = _train_small(scratch, rows, root, f"coarse-{name}-{seed}", settings, seed)
            figures.append((run.metrics["style"]["accuracy"], run.metrics["style"]["balanced_accuracy"]))
    for name, figures in found.items():
        print(f"| {name} | " + " | ".join(interval(values) for values in zip(*figures, strict=True)) + " |", flush=True)


def _drawn_catalog(root, seed):
    """The drawn sample with the columns `group_of_styles` and `category`."""
    catalog = kf.build_catalog("sample", root)[0].drop(columns="sub_style", errors="ignore")
    catalog = kf.split_catalog(catalog, valid=0.25, seed=seed)
    catalog["group_of_styles"] = catalog["style"].map(dict(zip(STYLE.classes, STYLE.parents, strict=True)))
    catalog["category"] = _with_categories(catalog, root)["category"]
    return catalog


def _learned_before(scratch, catalog, root, before, seed):
    """The run of a network that learned the groups of styles, or the categories of garments."""
    rows = catalog.drop(columns=["style", *(name for name in FIRST_LEARNED.values() if name != FIRST_LEARNED[before])])
    settings = {"weights": "none", "fine_tune_epochs": 12}
    return str(_train_small(scratch, rows, root, f"coarse-{before}-{seed}", settings, seed).path)


def _train_small(scratch, rows, root, name, settings, seed):
    return kf.train(
        rows,
        root,
        Path(scratch, name),
        task=_with_auxiliary_head(rows) if "category" in rows else None,
        preprocess=kf.Preprocess(size=96, crop="box", mask="polygon"),
        config=kf.TrainConfig(backbone="tiny", seed=seed, **settings),
        cache=Path(scratch, f"drawn-cache-{seed}"),
        progress=False,
    )


# Input ----------------------------------------------------------------------------------------------------------------


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", default=["clothing", "kfashion", "coarse"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--names", nargs="*", help="only these recipes")
    parser.add_argument(
        "--scratch", type=Path, help="folder for caches and runs, kept; what is there is not trained again"
    )
    given = parser.parse_args()
    learned = {"clothing": clothing, "kfashion": kfashion, "coarse": coarse}
    with tempfile.TemporaryDirectory() as scratch:
        scratch = given.scratch or scratch
        for part in given.parts:
            learned[part](scratch, given.seeds, given.names)


if __name__ == "__main__":
    main()
