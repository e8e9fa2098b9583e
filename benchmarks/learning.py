"""How well and how fast heads on frozen features learn: `python -m benchmarks.learning [clothing] [kfashion] [speed]
[--seeds 3]`.

Needs the real data and weights of `KFASHION_DATA` (default `../shared/data`): `clothing_small`, K-Fashion's sample,
MobileNet 0.25. Prints Markdown; caches go to --scratch and are removed unless it is given.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

import kfashion_utils as kf
import kfashion_utils.training.train  # noqa: F401 - the times are wall time after import
from benchmarks.old_recipe import naive_fit, old_recipe
from kfashion_utils.evaluation.figures import evaluate
from kfashion_utils.models.backbones import BACKBONES, SCALINGS
from kfashion_utils.tables.predictions import average_photos, prediction_table
from kfashion_utils.tables.tasks import TASKS
from kfashion_utils.training.prior import shift_scores

DATA = Path(os.environ.get("KFASHION_DATA", "../shared/data"))
WEIGHTS = str(DATA / "weights/mobilenet_2_5_224_tf_no_top.h5")
HEADS = {  # name: (side of the prepared picture, settings)
    "last layer, 224": (224, {"taps": "last"}),
    "stages, 224": (224, {"taps": "stages"}),
    "last layer, 224 + 320": (320, {"taps": "last", "sizes": (224, 320)}),
    "stages, 224 + 320": (320, {"taps": "stages", "sizes": (224, 320)}),
}
VIEWS = {"whole": {}, "crop": {"crop": "box"}, "mask": {"crop": "box", "mask": "polygon"}}


def config(settings, seed=0, **more):
    return kf.TrainConfig(backbone="mobilenet_025", weights=WEIGHTS, seed=seed, **settings, **more)


def interval(values):
    """`mean ± half a 95 % interval` over seeds (Student's t)."""
    values = np.asarray(values, float)
    if len(values) < 2:
        return f"{values.mean():.3f}"
    from scipy.stats import t

    return f"{values.mean():.3f} ± {t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / len(values) ** 0.5:.3f}"


# clothing_small -----------------------------------------------------------------------------------------------------


def clothing(scratch, seeds, heads):
    """Validation accuracy and seconds of the old recipe and of heads on frozen features, in one run; seeds draw the
    validation photographs anew."""
    root = DATA / "clothing_small"
    catalog = kf.build_catalog("folders", root)[0]
    print(
        "\n### clothing_small, 10 classes, MobileNet 0.25 with ImageNet weights\n\n| | validation accuracy | s, "
        "everything computed anew |\n|---|---|---|"
    )
    started = time.perf_counter()
    accuracy, served = old_recipe(catalog, root, WEIGHTS)
    print(
        f"| the old recipe, 8 epochs (through its own serving code) | {accuracy:.3f} ({served:.3f}) | "
        f"{time.perf_counter() - started:.0f} |",
        flush=True,
    )
    for name, (size, settings) in heads.items():
        found, spent = [], []
        for seed in range(seeds):
            table = catalog if seed == 0 else kf.split_catalog(catalog.assign(split=""), valid=0.1, seed=seed)
            started = time.perf_counter()
            place = Path(scratch, f"clothing-{name}-{seed}")
            cache = place / "cache" if seed == 0 else Path(scratch, f"clothing-{name}-0", "cache")
            run = kf.train(
                table,
                root,
                place / "run",
                preprocess=kf.Preprocess(size=size),
                config=config(settings, seed),
                cache=cache,
                progress=False,
            )
            spent.append(time.perf_counter() - started)
            found.append(run.metrics["label"]["accuracy"])
        print(f"| {name} | {interval(found)} (as published: {found[0]:.3f}) | {spent[0]:.0f} |", flush=True)


# K-Fashion ----------------------------------------------------------------------------------------------------------


def kfashion(scratch, seeds, heads):
    """Accuracy and balanced accuracy out of fold (groups kept together) of every view, with natural and uniform
    prior."""
    root = DATA / "kfashion/New_sample"
    catalog = kf.split_catalog(kf.build_catalog("kfashion", root)[0].drop(columns="sub_style"), valid=0.2)
    print(
        f"\n### K-Fashion sample, {len(catalog)} photographs, {catalog['style'].nunique()} styles, "
        "group cross-validation, accuracy / balanced\n"
    )
    print("| view | head | natural prior | uniform prior |\n|---|---|---|---|")
    tables = {}
    for head, (size, settings) in heads.items():
        for view, recipe in VIEWS.items():
            for seed in range(seeds):
                place = Path(scratch, f"kfashion-{head}-{view}-{seed}")
                options = {
                    "preprocess": kf.Preprocess(size=size, **recipe),
                    "config": config(settings, seed),
                    "cache": Path(scratch, "kfashion-cache"),
                }
                run = kf.train(catalog, root, place, split="all", progress=False, **options)
                tables[head, view, seed] = run.predictions
                mix = run.recipe["prior"]["style"]["model"]
        for seed in range(seeds):
            tables[head, "mean of the three", seed] = kf.ensemble([tables[head, view, seed] for view in VIEWS])
            views = kf.photo_views(catalog)
            place = Path(scratch, f"kfashion-{head}-rows-{seed}")
            options = {
                "preprocess": kf.Preprocess(size=size, **VIEWS["mask"]),
                "config": config(settings, seed),
                "cache": Path(scratch, "kfashion-cache"),
            }
            run = kf.train(views, root, place, split="all", progress=False, **options)
            tables[head, "rows of one run", seed] = _by_photo(run.predictions)
        for view in (*VIEWS, "mean of the three", "rows of one run"):
            natural = [_judge(tables[head, view, seed], catalog) for seed in range(seeds)]
            uniform = [_judge(_uniform(tables[head, view, seed], mix), catalog) for seed in range(seeds)]
            shown = [
                " / ".join(interval([pair[number] for pair in pairs]) for number in (0, 1))
                for pairs in (natural, uniform)
            ]
            print(f"| {view} | {head} | {shown[0]} | {shown[1]} |", flush=True)
    print(
        "\nPaired differences in accuracy, 95 % interval (bootstrap over groups, seeds averaged), natural prior, "
        f"{head}:\n"
    )
    for better, worse in (
        ("crop", "whole"),
        ("mask", "whole"),
        ("mask", "crop"),
        ("mean of the three", "whole"),
        ("rows of one run", "whole"),
    ):
        low, mean, high = paired_difference(
            [tables[head, better, s] for s in range(seeds)], [tables[head, worse, s] for s in range(seeds)], catalog
        )
        print(
            f"- {better} − {worse}: {mean:+.3f} [{low:+.3f}, "
            f"{high:+.3f}]{'' if low <= 0 <= high else ', excludes zero'}"
        )


def _by_photo(predictions):
    table = average_photos(predictions)
    return table.assign(id=table["photo"])


def _uniform(predictions, mix):
    columns = [f"style:{name}" for name in mix]
    shares = np.maximum(list(mix.values()), 1e-6)
    return prediction_table(
        TASKS["style"],
        predictions,
        shift_scores(TASKS["style"], predictions[columns].to_numpy(), {"style": -np.log(shares)}),
    )


def _judge(predictions, catalog):
    figures = evaluate(predictions, catalog)["style"]
    return figures["accuracy"], figures["balanced_accuracy"]


def paired_difference(better, worse, catalog, draws=2000):
    """(low, mean, high) of the difference in accuracy of two lists of predictions, one a seed: bootstrap over groups,
    seeds averaged."""
    truth = catalog.set_index("id")
    right = [
        np.mean(
            [(t.set_index("id").loc[truth.index, "style"] == truth["style"]).to_numpy(float) for t in tables], axis=0
        )
        for tables in (better, worse)
    ]
    difference, groups = right[0] - right[1], truth["group"].where(truth["group"] != "", truth.index.to_series())
    codes = groups.astype("category").cat.codes.to_numpy()
    sums, counts = np.bincount(codes, difference), np.bincount(codes)
    chosen = np.random.default_rng(0).integers(0, len(sums), (draws, len(sums)))
    means = sums[chosen].sum(axis=1) / counts[chosen].sum(axis=1)
    return np.quantile(means, 0.025), difference.mean(), np.quantile(means, 0.975)


# Speed --------------------------------------------------------------------------------------------------------------


def speed(scratch, photos=500, epochs=30):
    """Seconds of the naive Keras recipe and of ours, from photographs to a judged head; naive ones after the first are
    timed for two epochs.

    Each is timed in a fresh process, after import: what ran before in the same one slows TensorFlow down. Ours with the
    first backbone are the median of three.
    """
    print(f"\n### {photos} photographs x {epochs} epochs, random weights, head on a frozen base, wall seconds\n")
    heads = [(head, views) for head in ("linear", "hidden") for views in (1, 2)]
    names = [f"ours, {head}, {views} view{'s' * (views > 1)}" for head, views in heads]
    print(
        f"| backbone | naive (PyDataset, load_img) | image_dataset_from_directory | {' | '.join(names)} | naive : "
        f"ours |\n{'|---' * (len(heads) + 4)}|",
        flush=True,
    )
    for number, backbone in enumerate(("mobilenet_v2", "resnet50", "efficientnet_b0", "vgg19")):
        naive = _alone("naive", scratch, photos, backbone, epochs, number == 0, False)
        stock = _alone("naive", scratch, photos, backbone, epochs, False, True)
        ours = [
            np.median([_alone("ours", scratch, photos, backbone, epochs, *head) for _ in range(1 if number else 3)])
            for head in heads
        ]
        ratios = "; ".join(f"{naive / spent:.1f}" for spent in ours)
        print(
            f"| {backbone} | {naive:.0f} | {stock:.0f} | {' | '.join(f'{spent:.1f}' for spent in ours)} | {ratios} |",
            flush=True,
        )


def _alone(what, scratch, *arguments):
    """Seconds of `_naive` or `_ours` in a process of its own."""
    code = f"from benchmarks import learning; print(learning._{what}(*learning._photographs({str(scratch)!r}, {arguments[0]}), *{arguments[1:]!r}))"
    return float(
        subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, text=True).stdout.split()[-1]
    )


def _photographs(scratch, photos):
    """(catalog, root) of drawn photographs, which are drawn once."""
    from benchmarks.preprocess import draw_photographs

    root, table = Path(scratch, "photos"), Path(scratch, "photos.csv")
    if not table.is_file():
        kf.write_catalog(draw_photographs(root, photos), table)
    catalog = kf.read_catalog(table)
    numbers = np.arange(len(catalog))
    return catalog.assign(label=np.where(numbers % 2, "a", "b"), split=np.where(numbers % 5, "train", "valid")), root


def _naive(catalog, root, backbone, epochs, whole, stock):
    return naive_fit(catalog, root, BACKBONES[backbone], SCALINGS, epochs, whole=whole, stock=stock)


def _ours(catalog, root, backbone, epochs, head, views):
    settings = kf.TrainConfig(
        backbone=backbone, weights="none", fine_tune_epochs=0, taps="last", views=views, head=head, head_epochs=epochs
    )
    with tempfile.TemporaryDirectory() as place:
        started = time.perf_counter()
        kf.train(catalog, root, Path(place, "run"), config=settings, cache=Path(place, "cache"), progress=False)
        return time.perf_counter() - started


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", default=["clothing", "kfashion", "speed"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--heads", nargs="*", default=list(HEADS), choices=list(HEADS))
    parser.add_argument("--scratch", type=Path, help="folder for caches and runs, kept")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        scratch = given.scratch or scratch
        for part in given.parts:
            if part == "speed":
                speed(scratch)
            else:
                {"clothing": clothing, "kfashion": kfashion}[part](
                    scratch, given.seeds, {name: HEADS[name] for name in given.heads}
                )


if __name__ == "__main__":
    main()
