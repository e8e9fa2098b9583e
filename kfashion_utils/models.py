"""`BACKBONES` and the model around them: RGB 0..255 in, the flat probabilities of a `Task` out.

What a backbone's weights expect of their input is data, next to its name; the scaling is a layer of the model, so no caller scales.
"""

import functools
import hashlib
import logging
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import keras
import numpy as np
from keras import layers, ops

from kfashion_utils.datasets.download import download
from kfashion_utils.errors import InputError
from kfashion_utils.storage import hash_file

logging.getLogger("tensorflow").setLevel(logging.ERROR)  # it warns of retracing whenever a last batch is smaller


@dataclass(frozen=True)
class Backbone:
    """One row of `BACKBONES`.

    Attributes:
        application: name in `keras.applications`, or "" for our own `tiny`.
        scaling: a row of `SCALINGS`: what the weights expect.
        arguments: further ones of the builder.
        size: side its weights were trained at, pixels.
        weights: row of data_manifest.csv with ImageNet weights; "" = none are published.
    """

    application: str
    scaling: str
    arguments: dict = field(default_factory=dict)
    size: int = 224
    weights: str = ""


BACKBONES = {
    "tiny": Backbone("", "tf"),
    "mobilenet_025": Backbone("MobileNet", "tf", {"alpha": 0.25}, weights="mobilenet_025_imagenet"),
    "mobilenet_v2": Backbone("MobileNetV2", "tf", weights="mobilenet_v2_imagenet"),
    "vgg19": Backbone("VGG19", "caffe", weights="vgg19_imagenet"),
    "resnet50": Backbone("ResNet50", "caffe", weights="resnet50_imagenet"),
    "efficientnet_b0": Backbone("EfficientNetB0", "none", weights="efficientnet_b0_imagenet"),
}


def _caffe(pixels):
    # VGG and ResNet v1 were trained in Caffe: BGR, ImageNet channel means removed, no division
    return layers.Rescaling(1.0, offset=(-103.939, -116.779, -123.68), name="scale")(pixels[..., ::-1])


SCALINGS = {  # what comes out of RGB 0..255
    "none": lambda pixels: pixels,  # EfficientNet scales by itself
    "tf": lambda pixels: layers.Rescaling(1 / 127.5, offset=-1.0, name="scale")(pixels),  # [-1, 1]
    "caffe": _caffe,
}


def find_backbone(name):
    """A row of `BACKBONES`.

    Raises:
        InputError: unknown, with the known names.
    """
    if name not in BACKBONES:
        raise InputError(f"unknown backbone {name!r}; known: {', '.join(BACKBONES)}")
    return BACKBONES[name]


def tiny(input_shape):
    """A small network that learns from random weights in a minute on two cores: `(size, size, 3)` -> `(1, 1, 128)`, 170,000 weights.

    Four strided convolutions, then a learned average over places: a shoe counts below, a collar above.
    """
    image = x = layers.Input(input_shape)
    for filters, kernel, stride in ((24, 5, 4), (48, 3, 2), (96, 3, 2), (128, 3, 2)):
        x = layers.Conv2D(filters, kernel, stride, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.9)(x)  # 0.99 lags behind in a training of a thousand steps
        x = layers.ReLU()(x)
    height, width = x.shape[1:3]
    average = keras.initializers.Constant(1 / (height * width))
    return keras.Model(image, layers.DepthwiseConv2D((height, width), depthwise_initializer=average)(x))


def build_base(name, size):
    """The backbone without top and without scaling, random weights."""
    row = find_backbone(name)
    shape = (size, size, 3)
    if not row.application:
        return tiny(shape)
    return getattr(keras.applications, row.application)(include_top=False, weights=None, input_shape=shape, **row.arguments)


def weights_file(name, weights):
    """Path of the weights of a backbone, downloaded and checked if need be; None for `none`.

    Raises:
        InputError: no ImageNet weights published, no such file, or not a weights-only file.
    """
    if weights == "none":
        return None
    if weights == "imagenet":
        row = find_backbone(name).weights
        if not row:
            raise InputError(f"--weights imagenet: none are published for {name!r}; use --weights none, or the path of a weights file")
        return download(row)
    path = Path(weights)
    if not path.is_file():
        raise InputError(f"--weights {weights}: neither 'imagenet', 'none' nor a file")
    _require_weights_only(path)
    return path


def _require_weights_only(path):
    try:
        with h5py.File(path) as file:
            if "model_config" in file.attrs or "model_weights" in file:
                raise InputError(f"{path} is a whole saved model, which is code; save its weights alone (model.save_weights) and give that file")
    except OSError as error:
        raise InputError(f"{path} is not a weights file (.h5 or .weights.h5): {error}") from error


def load_base_weights(base, name, path):
    """Load a weights-only file into a backbone.

    Raises:
        InputError: the file is of another architecture.
    """
    before = base.get_weights()
    try:
        base.load_weights(path)
    except (ValueError, KeyError, OSError) as error:
        raise InputError(f"{path} does not fit {name!r} (without top): {str(error).splitlines()[0]}") from error
    unchanged = all(np.array_equal(old, new) for old, new in zip(before, base.get_weights(), strict=True))
    if unchanged and before:
        raise InputError(f"{path} holds nothing for {name!r}: loading it changed no weight")


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


def weights_digest(base):
    """Hex digest of all weights of a model, in order: names its features in a cache."""
    digest = hashlib.sha256()
    for value in base.get_weights():
        digest.update(np.ascontiguousarray(value).tobytes())
    return digest.hexdigest()


def file_digest(path):
    """SHA-256 of a weights file, None for none."""
    return hash_file(path) if path else None
