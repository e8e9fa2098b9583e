"""How well and how fast frozen features are learned from.

    python -m benchmarks.learning [clothing] [kfashion] [speed] [--bases] [--seeds 3]

Needs the real data and weights of `KFASHION_DATA` (default `../shared/data`): `clothing_small`, K-Fashion's sample,
MobileNet 0.25; with --bases the EfficientNet-Lites instead, whose weights come through pip. Prints Markdown; caches go
to --scratch and are removed unless it is given.
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
from benchmarks.measures import DATA, WEIGHTS, interval, paired_difference
from benchmarks.old_recipe import naive_fit, old_recipe
from kfashion_utils.evaluation.figures import evaluate
from kfashion_utils.models.backbones import SCALINGS
from kfashion_utils.runs.backbones import BACKBONES
from kfashion_utils.tables.predictions import average_photos, prediction_table
from kfashion_utils.tables.tasks import TASKS
from kfashion_utils.training.prior import shift_scores

FEATURES = {  # name: (side of the prepared picture, settings)
    "last layer, 224": (224, {"taps": "last"}),
    "stages, 224": (224, {"taps": "stages"}),
    "last layer, 224 + 320": (320, {"taps": "last", "sizes": (224, 320)}),
    "stages, 224 + 320": (320, {"taps": "stages", "sizes": (224, 320)}),
}
BASES = {
    "Lite0, last layer, 224": (224, {"backbone": "efficientnet_lite0", "taps": "last"}),
    "Lite0, 224": (224, {"backbone": "efficientnet_lite0"}),
    "Lite0, 224 + 320": (320, {"backbone": "efficientnet_lite0", "sizes": (224, 320)}),
    "Lite1, 240": (240, {"backbone": "efficientnet_lite1"}),
    "Lite2, 260": (260, {"backbone": "efficientnet_lite2"}),
    "Lite2, 260 + 380": (380, {"backbone": "efficientnet_lite2", "sizes": (260, 380)}),
}
ENSEMBLES = (("Lite0, 224 + 320", "Lite2, 260"), ("Lite0, 224 + 320", "Lite1, 240", "Lite2, 260 + 380"))
PICTURES = {"whole": {}, "crop": {"crop": "box"}, "mask": {"crop": "box", "mask": "polygon"}}  # of Preprocess
MEAN, ROWS = "mean of the three", "rows of one run"
COMPARED = (("crop", "whole"), ("mask", "whole"), ("mask", "crop"), (MEAN, "whole"), (ROWS, "whole"))


def config(settings, seed=0):
    mobilenet = {"backbone": "mobilenet_025", "weights": WEIGHTS}
    return kf.TrainConfig(seed=seed, **(settings if "backbone" in settings else mobilenet | settings))


# clothing_small -----------------------------------------------------------------------------------------------------


def clothing(scratch, seeds, features):
    """Validation accuracy and seconds of the old recipe and of classifiers on frozen features, in one run; seeds draw
    the validation photographs anew."""
    root = DATA / "clothing_small"
    catalog = kf.build_catalog("folders", root)[0]
    print("\n### clothing_small, 10 classes\n")
    print("| | validation accuracy | s, everything computed anew |\n|---|---|---|")
    if features is not BASES:
        _clothing_of_old(catalog, root)
    kept = {}
    for name, (size, settings) in features.items():
        found, spent = [], []
        for seed in range(seeds):
            table = catalog if seed == 0 else kf.split_catalog(catalog, valid=0.1, seed=seed, redraw=True)
            options = {
                "preprocess": kf.Preprocess(size=size),
                "config": config(settings, seed),
                "cache": Path(scratch, f"clothing-{name}-cache"),
            }
            started = time.perf_counter()
            run = kf.train(table, root, Path(scratch, f"clothing-{name}-{seed}"), progress=False, **options)
            spent.append(time.perf_counter() - started)
            found.append(run.metrics["label"]["accuracy"])
            kept[name, seed] = run.predictions, table
        print(f"| {name} | {interval(found)} (as published: {found[0]:.3f}) | {spent[0]:.0f} |", flush=True)
    for names in _possible(features):
        found = []
        for seed in range(seeds):
            mean = kf.ensemble([kept[name, seed][0] for name in names])
            found.append(evaluate(mean, kept[names[0], seed][1])["label"]["accuracy"])
        print(f"| mean of {'; '.join(names)} | {interval(found)} (as published: {found[0]:.3f}) | |", flush=True)


def _clothing_of_old(catalog, root):
    started = time.perf_counter()
    accuracy, served = old_recipe(catalog, root, WEIGHTS)
    spent = time.perf_counter() - started
    old = "the old recipe, 8 epochs (through its own serving code)"
    print(f"| {old} | {accuracy:.3f} ({served:.3f}) | {spent:.0f} |", flush=True)


def _possible(features):
    return [names for names in ENSEMBLES if set(names) <= set(features)]


# K-Fashion ----------------------------------------------------------------------------------------------------------


def kfashion(scratch, seeds, features):
    """Accuracy and balanced accuracy out of fold (groups kept together) of whole, cropped and masked photographs, with
    natural and uniform prior."""
    root = DATA / "kfashion/New_sample"
    catalog = kf.split_catalog(kf.build_catalog("kfashion", root)[0].drop(columns="sub_style"), valid=0.2)
    print(
        f"\n### K-Fashion sample, {len(catalog)} photographs, {catalog['style'].nunique()} styles, "
        "group cross-validation, accuracy / balanced\n"
    )
    print("| pictures | features | natural prior | uniform prior |\n|---|---|---|---|")
    kept = {}
    for name, (size, settings) in features.items():
        folder = Path(scratch, f"kfashion-{name}")
        found = [_out_of_fold(catalog, root, folder, size, config(settings, seed)) for seed in range(seeds)]
        tables = {kind: [of_seed[kind] for of_seed, _ in found] for kind in (*PICTURES, MEAN, ROWS)}
        mix = found[-1][1]
        for kind, given in tables.items():
            _print_judged(kind, name, given, mix, catalog)
        kept[name] = tables
    for names in _possible(features):
        for kind in kept[names[0]]:
            means = [kf.ensemble(list(given)) for given in zip(*(kept[name][kind] for name in names), strict=True)]
            _print_judged(kind, f"mean of {'; '.join(names)}", means, mix, catalog)
    print("\nPaired differences in accuracy, 95 % interval (bootstrap over groups, seeds averaged), ", end="")
    print(f"natural prior, {name}:\n")
    for better, worse in COMPARED:
        low, mean, high = paired_difference(tables[better], tables[worse], catalog)
        excludes = "" if low <= 0 <= high else ", excludes zero"
        print(f"- {better} − {worse}: {mean:+.3f} [{low:+.3f}, {high:+.3f}]{excludes}")


def _print_judged(kind, name, given, mix, catalog):
    natural = [_judge(table, catalog) for table in given]
    uniform = [_judge(_uniform(table, mix), catalog) for table in given]
    print(f"| {kind} | {name} | {_shown(natural)} | {_shown(uniform)} |", flush=True)


def _out_of_fold(catalog, root, folder, size, settings):
    """({kind of pictures: predictions}, the class mix of the training rows), one seed."""

    def run(rows, name, **changed):
        place = folder.with_name(f"{folder.name}-{name}-{settings.seed}")
        preprocess, cache = kf.Preprocess(size=size, **changed), folder.with_name("kfashion-cache")
        options = {"split": "all", "preprocess": preprocess, "config": settings, "cache": cache, "progress": False}
        return kf.train(rows, root, place, **options)

    runs = {kind: run(catalog, kind, **changed) for kind, changed in PICTURES.items()}
    tables = {kind: one.predictions for kind, one in runs.items()}
    of_rows = average_photos(run(kf.photo_views(catalog), "rows", **PICTURES["mask"]).predictions)
    tables |= {MEAN: kf.ensemble(list(tables.values())), ROWS: of_rows.assign(id=of_rows["photo"])}
    return tables, runs["mask"].prior["style"]["model"]


def _uniform(predictions, mix):
    """Predictions as they would be if every class came as often."""
    columns = [f"style:{name}" for name in mix]
    shares = np.maximum(list(mix.values()), 1e-6)
    shifted = shift_scores(TASKS["style"], predictions[columns].to_numpy(), {"style": -np.log(shares)})
    return prediction_table(TASKS["style"], predictions, shifted)


def _judge(predictions, catalog):
    figures = evaluate(predictions, catalog)["style"]
    return figures["accuracy"], figures["balanced_accuracy"]


def _shown(pairs):
    """`accuracy / balanced accuracy` with their intervals over seeds."""
    return " / ".join(interval(values) for values in zip(*pairs, strict=True))


# Speed --------------------------------------------------------------------------------------------------------------


def speed(scratch, photos=500, epochs=30):
    """Seconds of the naive Keras recipe and of ours, from photographs to a judged classifier; naive ones after the
    first are timed for two epochs.

    Each is timed in a fresh process, after import: what ran before in the same one slows TensorFlow down. Ours with the
    first backbone are the median of three.
    """
    print(f"\n### {photos} photographs x {epochs} epochs, random weights, classifier on a frozen base, wall seconds\n")
    ours = [(classifier, variants) for classifier in ("linear", "hidden") for variants in (1, 2)]
    named = [f"ours, {classifier}, {variants} variant{'s' * (variants > 1)}" for classifier, variants in ours]
    columns = ["backbone", "naive (PyDataset, load_img)", "image_dataset_from_directory", *named, "naive : ours"]
    print(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|", flush=True)
    for number, backbone in enumerate(("mobilenet_v2", "resnet50", "efficientnet_b0", "vgg19")):
        of_backbone = scratch, photos, backbone, epochs
        naive = _alone("naive", *of_backbone, number == 0, False)
        stock = _alone("naive", *of_backbone, False, True)
        rounds = 1 if number else 3
        spent = [np.median([_alone("ours", *of_backbone, *one) for _ in range(rounds)]) for one in ours]
        shown = " | ".join(f"{each:.1f}" for each in spent)
        ratios = "; ".join(f"{naive / each:.1f}" for each in spent)
        print(f"| {backbone} | {naive:.0f} | {stock:.0f} | {shown} | {ratios} |", flush=True)


def _alone(what, scratch, photos, *arguments):
    """Seconds of `_naive` or `_ours` in a process of its own."""
    photographs = f"learning._photographs({str(scratch)!r}, {photos})"
    code = f"from benchmarks import learning; print(learning._{what}(*{photographs}, *{arguments!r}))"
    done = subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, text=True)
    return float(done.stdout.split()[-1])


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


def _ours(catalog, root, backbone, epochs, classifier, variants):
    frozen = {"backbone": backbone, "weights": "none", "fine_tune_epochs": 0, "taps": "last"}
    settings = kf.TrainConfig(**frozen, variants=variants, classifier=classifier, classifier_epochs=epochs)
    with tempfile.TemporaryDirectory() as place:
        started = time.perf_counter()
        kf.train(catalog, root, Path(place, "run"), config=settings, cache=Path(place, "cache"), progress=False)
        return time.perf_counter() - started


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", default=["clothing", "kfashion", "speed"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--bases", action="store_true", help="EfficientNet-Lites instead of MobileNet 0.25")
    parser.add_argument("--features", nargs="*", help="only these rows of the tables")
    parser.add_argument("--scratch", type=Path, help="folder for caches and runs, kept")
    given = parser.parse_args()
    known = BASES if given.bases else FEATURES
    features = {name: known[name] for name in given.features} if given.features else known
    with tempfile.TemporaryDirectory() as scratch:
        scratch = given.scratch or scratch
        for part in given.parts:
            if part == "speed":
                speed(scratch)
            else:
                {"clothing": clothing, "kfashion": kfashion}[part](scratch, given.seeds, features)


if __name__ == "__main__":
    main()
