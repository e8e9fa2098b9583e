"""The classifier on frozen features: the base looks once at each variant of a picture, and the layers after it are
fitted."""

import time
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from kfashion_utils.evaluation.figures import best_thresholds
from kfashion_utils.images.augment import variant_names
from kfashion_utils.models.model import classifier_weights
from kfashion_utils.output import say
from kfashion_utils.tables.predictions import prediction_table
from kfashion_utils.training.classifier import apply_classifier, fit_classifier
from kfashion_utils.training.features import compute_views
from kfashion_utils.training.loop import head_accuracies


@dataclass(frozen=True)
class Fitted:
    """What fitting a classifier found.

    Attributes:
        history: the history's row of epoch 0.
        fit: for the run's record: `chosen`, `thresholds`.
        out_of_fold: predictions of the rows, each by a classifier that did not see its group; None = not asked for.
    """

    history: dict
    fit: dict = field(default_factory=dict)
    out_of_fold: pd.DataFrame | None = None


def fit_frozen(model, rows, setup):
    """Fit the classifier of a model on the features of its frozen base; the model then holds it. Returns Fitted."""
    started = time.time()
    config, labels = rows.config, rows.labels[rows.part("train")]
    groups = rows.of("train")["group"].to_numpy()
    variants = _features(model, rows.prepared, rows.ids("train"), config.variants, setup)
    second = rows.second_opinions()
    fitted = fit_classifier(rows.task, config, variants, labels, groups, second, rows.split == "all", setup.progress)
    for name, weights in fitted.weights.items():
        model.get_layer(name).set_weights(weights)
    answers = frozen_answers(model, rows, setup, rows.prepared, rows.ids("train"))
    learned = rows.figures("train", answers, "")
    if rows.split == "all":
        answers = fitted.out_of_fold
    else:
        answers = frozen_answers(model, rows, setup, rows.prepared, rows.ids("valid"))
    judged = rows.figures("valid", answers, "val_")
    seconds = round(time.time() - started, 2)
    history = {"epoch": 0, "learning_rate": 0.0, **learned, **judged, "seconds": seconds}
    if setup.progress:
        _report(history, config)
    out_of_fold = prediction_table(rows.task, rows.table, fitted.out_of_fold) if rows.split == "all" else None
    return Fitted(history, _settings(rows.task, labels, fitted), out_of_fold)


def _report(history, config):
    heads = ", ".join(f"{name} {value:.3f}" for name, value in head_accuracies(history).items())
    seconds = history["seconds"]
    say(f"{config.classifier} classifier on frozen features: validation {heads}; {seconds:.0f} s")


def _settings(task, labels, fitted):
    thresholds = {} if fitted.out_of_fold is None else best_thresholds(task, labels, fitted.out_of_fold)
    return {"chosen": fitted.chosen, "thresholds": thresholds}


def frozen_answers(model, rows, setup, prepared, ids):
    """Flat probabilities of prepared pictures from cached features: what the model answers, while the base looks
    once."""
    variants = _features(model, prepared, ids, rows.config.judged_variants, setup)
    weights = classifier_weights(model)
    return apply_classifier(rows.task, rows.config.classifier, weights, variants, np.arange(len(ids)))


def _features(model, prepared, ids, count, setup):
    """Features of prepared pictures, one for each of the first `count` variants."""
    return compute_views(model, prepared, ids, setup.cache, variant_names(count), setup.progress)
