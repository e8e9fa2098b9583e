"""Run folders with predictions, history and photographs, made without training: what the report and the leaderboard
read."""

import numpy as np
import pandas as pd
from PIL import Image

from kfashion_utils.evaluation.figures import evaluate
from kfashion_utils.images.recipe import Preprocess
from kfashion_utils.runs.config import TrainConfig
from kfashion_utils.runs.run import Record, Run
from kfashion_utils.storage.files import write_json
from kfashion_utils.tables.catalog import complete_catalog, write_catalog
from kfashion_utils.tables.labels import Head
from kfashion_utils.tables.predictions import prediction_table, write_predictions

KIND = Head("kind", ("<b>bold</b>", "plain & simple"))
DETAIL = Head("detail", ("button", "zip"), multi=True)
ROWS = 40
CONFIG = TrainConfig(backbone="tiny", weights="/somewhere/my weights.h5", fine_tune_epochs=5)


def make_run(folder, task, seed=0, called="first <i>run", config=CONFIG, **columns):
    """A run folder and its photographs, as `train` leaves them: 40 validation rows in 20 groups, 6 epochs.

    Args:
        columns: of the catalog, beside the usual ones or in their place.

    Returns:
        (run's path, catalog, root).
    """
    rng = np.random.default_rng(seed)
    root = folder / "photos"
    root.mkdir(parents=True, exist_ok=True)
    catalog = _photographed(root, rng)
    scores = []
    for head in task.heads:
        catalog[head.name] = _truth(head, rng)
        scores.append(_scores(head, catalog[head.name], rng))
    catalog = complete_catalog(catalog.assign(**columns))
    run = Run(folder / "runs" / called)
    run.path.mkdir(parents=True)
    _write(run, _record(task, root, config), catalog, np.concatenate(scores, axis=1))
    return run.path, catalog, root


def _photographed(root, rng):
    """A catalog without labels, and a picture for each of its rows."""
    ids = [f"p{number:02}" for number in range(ROWS)]
    for name in ids:
        Image.fromarray(rng.integers(0, 255, (30, 20, 3), np.uint8)).save(root / f"{name}.png")
    paths, groups = [f"{name}.png" for name in ids], [f"look{number // 2}" for number in range(ROWS)]
    box = {"left": 2, "top": 2, "right": 18, "bottom": 28}
    return pd.DataFrame({"id": ids, "path": paths, "group": groups, "split": "valid", **box, "region": "annotation"})


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


def _record(task, root, config):
    return Record(
        task,
        Preprocess(size=32, crop="box"),
        config,
        weights_sha256="ab" * 32,
        catalog={"hash": "cd" * 32, "rows": {"train": 160, "valid": ROWS}},
        regions={"annotation": 0.95, "none": 0.05},
        lacking=0.05,
        environment={"python": "3.11", "commit": "0123456"},
        times={"finished": "2026-01-02T03:04:05+0000", "seconds": 75.0},
        rejected=2,
        root=str(root),
    )


def _write(run, record, catalog, scores):
    run.begin(record)
    task, predictions = record.task, prediction_table(record.task, catalog, scores)
    history = {"epoch": range(6), "learning_rate": [0, *[1e-4] * 5], "loss": 1.0, "val_loss": 1.1, "seconds": 9}
    history |= {f"val_{head.name}_accuracy": np.linspace(0.3, 0.6, 6) for head in task.heads}
    pd.DataFrame(history).to_csv(run.path / "history.csv", index=False)
    write_predictions(predictions, run.path / "predictions.csv")
    write_catalog(catalog, run.path / "valid.csv.gz")
    write_json(run.path / "metrics.json", evaluate(predictions, catalog))
