"""The record that a training begins with: its recipe, what its rows are, and which class mix its answers will
assume."""

import keras

from kfashion_utils.environment import versions
from kfashion_utils.runs.run import Record
from kfashion_utils.tables.catalog import hash_catalog
from kfashion_utils.tables.labels import RESERVED_COLUMNS
from kfashion_utils.tables.predictions import row_heads
from kfashion_utils.training.balance import class_shares, model_prior
from kfashion_utils.training.classifier import effective_balance

DIGITS = 6  # of a share in the file


def make_record(task, preprocess, config, used, digest, split, setup):
    """The Record of a training.

    Args:
        task, preprocess, config: the recipe, nothing left open.
        used: catalog of the rows that are learned from or judged.
        digest: sha256 of the weights it starts from; None = random or a preset's.
        split: `train` or `all`.
        setup: Setup, whose folders are noted.
    """
    training = used if split == "all" else used[used["split"] == "train"]
    regions = training["region"].replace("", "none").value_counts(normalize=True)
    return Record(
        task,
        preprocess,
        config,
        split=split,
        weights_sha256=digest,
        catalog={
            "hash": hash_catalog(used, _learned_columns(used)),
            "rows": used["split"].value_counts().to_dict(),
        },
        regions={name: round(float(share), 4) for name, share in regions.items()},
        lacking=round(float(preprocess.lacking(training).mean()), 4),
        by_row=tuple(row_heads(used, task.heads)),
        prior=_priors(task, task.encode(training), config),
        environment={**versions(), "keras_backend": keras.backend.backend()},
        root=str(setup.root.resolve()),
        cache=str(setup.cache.resolve()),
    )


def _priors(task, labels, config):
    """{head: {"train": {class: share}, "model": the mix that the model's answers assume}}."""
    priors = {}
    for head, shares in zip(task.heads, class_shares(task, labels).values(), strict=True):
        assumed = model_prior(head, shares, effective_balance(config, head))
        priors[head.name] = {"train": _named(head, shares), "model": _named(head, assumed)}
    return priors


def _named(head, shares):
    return {name: round(float(share), DIGITS) for name, share in zip(head.classes, shares, strict=True)}


def _learned_columns(catalog):
    return [*RESERVED_COLUMNS, *(name for name in catalog.columns if name not in RESERVED_COLUMNS)]
