"""Frozen features, cached by (backbone, weights, size, pixels, view, picture), and the linear head solved on them."""

import hashlib
import io
import warnings
import zipfile
from pathlib import Path

import keras
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from tqdm.auto import tqdm

from kfashion_utils.inputs import Batches
from kfashion_utils.models import model_features, weights_digest
from kfashion_utils.storage import write_bytes

VIEWS = ("original", "mirror")
CHUNK = 2048  # pictures a cache file: what a kill can cost
STRENGTHS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3)  # C of scikit-learn on standardised features
NEVER = -30.0  # logit of a class without a training row
FOLDS = 3


def compute_features(model, prepared, ids, cache, view="original", progress=True):
    """Pooled features of prepared pictures; those in the cache are not computed again.

    Args:
        model: of `build_model`; what lies before its `features` layer is frozen.
        prepared: PreparedImages that hold `ids`.
        cache: folder of caches.
        view: one of `VIEWS`.

    Returns:
        float32 `(len(ids), depth)` in the order of `ids`.
    """
    extractor = model_features(model)
    name = f"{model.name}-{weights_digest(model.get_layer('backbone'))[:12]}-{prepared.preprocess.key}"
    folder = Path(cache, "features", name, view)
    known = _read_chunks(folder)
    todo = list(dict.fromkeys(row for row in ids if prepared.item(row) not in known))
    with tqdm(total=len(todo), desc=f"features, {view}", unit="picture", disable=not (progress and todo)) as bar:
        for start in range(0, len(todo), CHUNK):
            rows = todo[start : start + CHUNK]
            batches = Batches(prepared, rows, mirror=view == "mirror")
            step = keras.callbacks.LambdaCallback(on_predict_batch_end=lambda batch, logs: bar.update(len(logs["outputs"])))
            values = np.asarray(extractor.predict(batches, verbose=0, callbacks=[step]), np.float32)
            items = [prepared.item(row) for row in rows]
            _write_chunk(folder, items, values)
            known.update(zip(items, values, strict=True))
    return np.stack([known[prepared.item(row)] for row in ids])


def _read_chunks(folder):
    known = {}
    for path in sorted(folder.glob("*.npz")):
        try:
            with np.load(path, allow_pickle=False) as chunk:
                known.update(zip(chunk["items"].tolist(), chunk["values"], strict=True))
        except (ValueError, EOFError, zipfile.BadZipFile):
            path.unlink()  # damaged on the way here: computed again
    return known


def _write_chunk(folder, items, values):
    buffer = io.BytesIO()
    np.savez(buffer, items=np.array(items), values=values)
    data = buffer.getvalue()
    write_bytes(folder / f"{hashlib.sha256(data).hexdigest()[:32]}.npz", data)


def solve_linear(task, features, labels, groups):
    """Logistic regression for every head, its strength chosen by group cross-validation.

    Args:
        task: the Task.
        features: float32 `(n, depth)` or several views `(views, n, depth)`.
        labels: flat `(n, num_classes)` of `Task.encode`.
        groups: n names; rows of one group are never on both sides.

    Returns:
        list of (kernel `(depth, classes)`, bias `(classes,)`) for features as they come, one a head.
    """
    views = features if features.ndim == 3 else features[None]
    mean, deviation = views.mean(axis=(0, 1)), views.std(axis=(0, 1)) + 1e-6
    views = (views - mean) / deviation
    groups = np.unique(np.asarray(groups, dtype=str), return_inverse=True)[1]
    solved = []
    for number, head in enumerate(task.heads):
        known = task.annotated(labels)[:, number] > 0
        block = task.split(labels)[head.name][known]
        targets = block.T if head.multi else [block.argmax(axis=1)]
        columns = [_solve_column(views[:, known], target.astype(int), groups[known], head) for target in targets]
        kernel = np.concatenate([kernel for kernel, _ in columns], axis=1) / deviation[:, None]
        bias = np.concatenate([bias for _, bias in columns])
        solved.append((kernel.astype(np.float32), (bias - mean @ kernel).astype(np.float32)))
    return solved


def _solve_column(views, target, groups, head):
    classes = 2 if head.multi else len(head.classes)
    strength = _choose_strength(views, target, groups, classes)
    kernel, bias = _fit(views, target, strength, classes)
    return (kernel[:, 1:] - kernel[:, :1], bias[1:] - bias[:1]) if head.multi else (kernel, bias)


def _choose_strength(views, target, groups, classes):
    if len(np.unique(target)) < 2 or len(np.unique(groups)) < FOLDS:
        return STRENGTHS[len(STRENGTHS) // 2]
    losses = np.zeros(len(STRENGTHS))
    for train, held in GroupKFold(FOLDS).split(target, target, groups):
        for number, strength in enumerate(STRENGTHS):
            kernel, bias = _fit(views[:, train], target[train], strength, classes)
            logits = (views[:, held] @ kernel + bias).mean(axis=0)
            shifted = logits - logits.max(axis=1, keepdims=True)
            losses[number] += (np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(held)), target[held]]).clip(max=20).sum()
    return STRENGTHS[int(losses.argmin())]


def _fit(views, target, strength, classes):
    """Multinomial logistic regression on all views -> (kernel `(depth, classes)`, bias `(classes,)`)."""
    kernel, bias = np.zeros((views.shape[-1], classes)), np.full(classes, NEVER)
    present = np.unique(target)
    if len(present) == 1:
        bias[present] = 0
        return kernel, bias
    solver = LogisticRegression(C=strength, max_iter=300)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        solver.fit(views.reshape(-1, views.shape[-1]), np.tile(target, len(views)))
    coefficients, intercepts = solver.coef_, solver.intercept_
    if len(present) == 2:  # scikit-learn gives the difference of the two
        coefficients, intercepts = np.concatenate([-coefficients, coefficients]) / 2, np.concatenate([-intercepts, intercepts]) / 2
    kernel[:, present], bias[present] = coefficients.T, intercepts
    return kernel, bias


def set_heads(model, solved):
    """Put solved heads into a model's `head_…` layers."""
    for number, (kernel, bias) in enumerate(solved):
        model.get_layer(f"head_{number}").set_weights([kernel, bias])
