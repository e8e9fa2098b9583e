"""Run folders with predictions, history and photographs, made without training: what the report and the leaderboard read."""

import json

import numpy as np
import pandas as pd
from PIL import Image

from kfashion_utils.evaluation.figures import evaluate
from kfashion_utils.images.recipe import Preprocess
from kfashion_utils.runs.config import TrainConfig
from kfashion_utils.tables.catalog import complete_catalog, write_catalog
from kfashion_utils.tables.labels import Head

KIND = Head("kind", ("<b>bold</b>", "plain & simple"))
DETAIL = Head("detail", ("button", "zip"), multi=True)
ROWS = 40
CONFIG = TrainConfig(backbone="tiny", weights="/somewhere/my weights.h5", fine_tune_epochs=5)


def make_run(folder, task, seed=0, called="first <i>run", config=CONFIG, polygon=""):
    """A run folder and its photographs, as `train` leaves them: 40 validation rows in 20 groups, 6 epochs. Returns (run's path, catalog, root)."""
    rng = np.random.default_rng(seed)
    (folder / "photos").mkdir(parents=True, exist_ok=True)
    ids = [f"p{number:02}" for number in range(ROWS)]
    for name in ids:
        Image.fromarray(rng.integers(0, 255, (30, 20, 3), np.uint8)).save(folder / "photos" / f"{name}.png")
    catalog = pd.DataFrame(
        {
            "id": ids,
            "path": [f"{name}.png" for name in ids],
            "split": "valid",
            "left": 2,
            "top": 2,
            "right": 18,
            "bottom": 28,
            "region": "annotation",
            "polygon": polygon,
        }
    )
    catalog["group"] = [f"look{number // 2}" for number in range(ROWS)]
    predictions = pd.DataFrame({"id": ids, "photo": ids})
    for head in task.heads:
        catalog[head.name] = _truth(head, rng)
        scores = _scores(head, catalog[head.name], rng)
        predictions[head.name] = head.decode(scores)
        for number, column in enumerate(head.columns):
            predictions[column] = scores[:, number]
    catalog = complete_catalog(catalog)
    run = folder / "runs" / called
    run.mkdir(parents=True)
    _write(run, task, folder / "photos", catalog, predictions, config)
    return run, catalog, folder / "photos"


def _truth(head, rng):
    if head.multi:
        return rng.choice(["-", *head.classes, "|".join(head.classes)], ROWS)
    return rng.choice(head.classes[:3], ROWS)


def _scores(head, labels, rng):
    truth = head.encode(labels)
    if head.multi:
        return np.clip(0.3 + 0.4 * truth + rng.normal(0, 0.2, truth.shape), 0.01, 0.99)
    scores = rng.dirichlet(np.ones(len(head.classes)) * 0.3, ROWS) + 0.4 * truth
    return scores / scores.sum(axis=1, keepdims=True)


def _write(run, task, root, catalog, predictions, config):
    recipe = {
        "task": task.to_dict(),
        "preprocess": Preprocess(size=32, crop="box").to_dict(),
        "train": config.to_dict(),
        "weights_sha256": "ab" * 32,
        "catalog": {"hash": "cd" * 32, "rows": {"train": 160, "valid": ROWS}},
        "regions": {"annotation": 0.95, "none": 0.05},
        "lacking": 0.05,
        "environment": {"python": "3.11", "commit": "0123456"},
        "times": {"finished": "2026-01-02T03:04:05+0000", "seconds": 75.0},
        "rejected": 2,
        "root": str(root),
    }
    (run / "run.json").write_text(json.dumps(recipe, ensure_ascii=False), encoding="utf-8")
    history = {"epoch": range(6), "learning_rate": [0, *[1e-4] * 5], "loss": 1.0, "val_loss": 1.1, "seconds": 9}
    history |= {f"val_{head.name}_accuracy": np.linspace(0.3, 0.6, 6) for head in task.heads}
    pd.DataFrame(history).to_csv(run / "history.csv", index=False)
    predictions.to_csv(run / "predictions.csv", index=False)
    write_catalog(catalog, run / "valid.csv.gz")
    (run / "metrics.json").write_text(json.dumps(evaluate(predictions, catalog)), encoding="utf-8")
