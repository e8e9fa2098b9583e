"""The model around a backbone: RGB 0..255 in, the flat probabilities of a `Task` out.

The scaling that the backbone's weights expect is a layer of the model, so no caller scales.
"""

import functools
import logging

import keras
import numpy as np
from keras import layers, ops

from kfashion_utils.backbones import (  # noqa: F401 - training.py and features.py take them from here
    SCALINGS,
    build_base,
    file_digest,
    find_backbone,
    load_base_weights,
    weights_digest,
    weights_file,
)
from kfashion_utils.errors import InputError

logging.getLogger("tensorflow").setLevel(logging.ERROR)  # it warns of retracing whenever a last batch is smaller


def build_model(task, backbone, size, weights=None, seed=0):
    """The whole model, functional: `(size, size, 3)` RGB 0..255 -> flat probabilities `(num_classes,)`.

    Args:
        task: the Task it answers.
        backbone: a row of `BACKBONES`.
        size: side of its input, pixels.
        weights: path of pretrained weights of the backbone; None = random. With pretrained weights its batch norms stay in inference
            mode for good: running averages of a few small batches would spoil them.
        seed: of the random weights.

    Layers by name: `backbone`, `features` (pooled, the input of a head), `head_0`, `head_1`, …
    """
    keras.utils.set_random_seed(seed)
    base = build_base(backbone, size)
    if weights is not None:
        load_base_weights(base, backbone, weights)
        _freeze_batch_norms(base)
    base.name = "backbone"
    image = layers.Input((size, size, 3), name="image")
    scaled = SCALINGS[find_backbone(backbone).scaling](image)
    features = layers.GlobalAveragePooling2D(name="features")(base(scaled))
    answers = [_head_layer(head, number)(features) for number, head in enumerate(task.heads)]
    flat = layers.Concatenate(name="answers")(answers) if len(answers) > 1 else answers[0]
    return keras.Model(image, flat, name=backbone)


def _freeze_batch_norms(base):
    # base(x, training=False) does not: fit() passes training=True on to nested models (Keras 3.13 and 3.15)
    for layer in base._flatten_layers():
        if isinstance(layer, layers.BatchNormalization):
            layer.trainable = False


def _head_layer(head, number):
    return layers.Dense(len(head.classes), "sigmoid" if head.multi else "softmax", name=f"head_{number}", dtype="float32")


def _head_loss(head, labels, scores, smoothing):
    labels = labels * (1 - smoothing) + smoothing / (2 if head.multi else len(head.classes))
    if head.multi:
        return ops.sum(ops.binary_crossentropy(labels, scores), axis=-1)
    return ops.categorical_crossentropy(labels, scores)


def task_targets(task, labels, weights=None):
    """What the loss is given: flat labels float32 `(n, num_classes)` without NaN, then one weight column a head.

    Args:
        labels: of `Task.encode`, NaN where not annotated.
        weights: `(n, heads)` factors; None = 1.
    """
    known = task.annotated(labels)
    return np.concatenate([np.nan_to_num(labels), known if weights is None else known * weights], axis=1).astype(np.float32)


def task_loss(task, smoothing=0.0):
    """Loss on `task_targets`: the weighted sum over heads of the cross-entropy, averaged over the rows that are annotated.

    Args:
        smoothing: share of every label that is spread evenly over the classes (label smoothing).
    """

    def loss(targets, scores):
        total = 0.0
        for number, head in enumerate(task.heads):
            part = task.slices[head.name]
            weight = targets[:, task.num_classes + number]
            rows = _head_loss(head, targets[:, part], scores[:, part], smoothing) * weight
            total += head.weight * ops.sum(rows) / ops.maximum(ops.sum(weight), 1e-7)
        return total

    return loss


def model_features(model):
    """The part of a model from picture to pooled features."""
    return keras.Model(model.input, model.get_layer("features").output)


@functools.lru_cache(maxsize=8)
def load_trained(run):
    """The model of a finished Run with its best weights; architecture from our own code, weights checked by hash."""
    config = run.config
    model = build_model(run.task, config.backbone, run.preprocess.size, seed=config.seed)
    try:
        model.load_weights(run.weights)
    except (ValueError, OSError) as error:
        raise InputError(f"{run.path}: the weights do not fit the recipe in run.json: {str(error).splitlines()[0]}") from error
    return model
