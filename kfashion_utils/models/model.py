"""The model around a backbone: RGB 0..255 in, the flat probabilities of a `Task` out.

The scaling that the backbone's weights expect is a layer of the model, so no caller scales.
"""

import contextlib
import functools
import logging
import weakref

import keras
from keras import layers, ops

from kfashion_utils.errors import InputError
from kfashion_utils.models.backbones import SCALINGS, build_base, find_backbone, load_base_weights, tap_outputs
from kfashion_utils.models.encoders import build_encoder
from kfashion_utils.runs.config import HUB

logging.getLogger("tensorflow").setLevel(logging.ERROR)  # it warns of retracing whenever a last batch is smaller


ENTRIES = {
    "linear": (),
    "hidden": ("hidden_0",),
    "residual": ("long_0", "short"),
}  # a head's layers that read the features
HIDDEN, DROPOUT = (512, 256), 0.3
TAPS = ("last", "stages")


def build_model(
    task, backbone, size, weights=None, seed=0, *, taps="last", sizes=(), head="linear", precision="float32"
):
    """The whole model, functional: `(size, size, 3)` RGB 0..255 -> flat probabilities `(num_classes,)`.

    Args:
        task: the Task it answers.
        backbone: a row of `BACKBONES`, or `hub:<preset>`.
        size: side of its input, pixels.
        weights: path of pretrained weights of the backbone (`preset` = those of a `hub:` row); None = random. With pretrained weights its batch norms stay in inference
            mode for good: running averages of a few small batches would spoil them.
        seed: of the random weights.
        taps: `last` = the average over places of the base's output; `stages` = mean, standard deviation and maximum of its last two stages.
        sizes: sides at which the base sees the picture, pixels, resized within the model; () = as it comes.
        head: a row of `ENTRIES`.
        precision: Keras' dtype policy of the backbone (`mixed_float16`, `mixed_bfloat16`); everything after it computes in float32.

    Layers by name: `backbone`, `features` (pooled, the input of a head), those of the head, of which the last are `head_0`, `head_1`, …
    """
    require_shape(backbone, size, taps, sizes)
    keras.utils.set_random_seed(seed)
    sizes = tuple(sizes) or (size,)
    image = layers.Input((size, size, 3), name="image")
    find_features = _hub_features if backbone.startswith(HUB) else _tapped_features
    with _policy(precision):
        pooled = find_features(image, backbone, weights, taps, sizes)
    features = (
        layers.Concatenate(name="features")(pooled) if len(pooled) > 1 else layers.Identity(name="features")(pooled[0])
    )
    name = "-".join(
        [
            backbone.replace(":", "_").replace("/", "_"),
            taps,
            *map(str, sizes),
            *([precision] if precision != "float32" else []),
        ]
    )
    return keras.Model(image, _answers(features, task, head), name=name)


def require_shape(backbone, size, taps, sizes):
    """Refuse taps and sizes that a backbone cannot give.

    Raises:
        InputError: said which.
    """
    several = tuple(sizes) not in ((), (size,))
    if backbone.startswith(HUB) and (taps != "last" or several):
        raise InputError(f"{backbone} gives one vector a picture: use taps='last' and no sizes")
    if backbone == "tiny" and several:
        raise InputError(
            f"backbone 'tiny' sees pictures at one size, {size} as prepared; sizes={tuple(sizes)} need another backbone"
        )


@contextlib.contextmanager
def _policy(name):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _tapped_features(image, backbone, weights, taps, sizes):
    """Pooled features, symbolic, a list."""
    size = image.shape[1]
    base = build_base(backbone, size if sizes == (size,) else None)
    if weights is not None:
        load_base_weights(base, backbone, weights)
        _freeze_batch_norms(base)
    base = _tapped(base, backbone, taps)
    scaled, pooled = SCALINGS[find_backbone(backbone).scaling](image), []
    for side in sizes:
        maps = base(
            scaled if side == size else layers.Resizing(side, side, antialias=True, name=f"resize_{side}")(scaled)
        )
        for values in maps if isinstance(maps, (list, tuple)) else [maps]:
            values = ops.cast(values, "float32")
            pooled += [ops.mean(values, axis=(1, 2))] if taps == "last" else _statistics(values)
    return pooled


def _tapped(base, backbone, taps):
    outputs = base.outputs if taps == "last" else tap_outputs(base, backbone)[-2:]
    return keras.Model(base.input, outputs, name="backbone")


def _statistics(values):
    mean = ops.mean(values, axis=(1, 2))
    variance = ops.maximum(ops.mean(ops.square(values), axis=(1, 2)) - ops.square(mean), 0)
    return [mean, ops.sqrt(variance + 1e-6), ops.max(values, axis=(1, 2))]  # the root of 0 has no slope


def _hub_features(image, backbone, weights, taps, sizes):
    base = build_encoder(backbone.removeprefix(HUB), image.shape[1], weights=weights is not None)
    if weights is not None:
        _freeze_batch_norms(base)
    base.name = "backbone"
    return [ops.cast(base(image), "float32")]


def build_head(task, head, depth):
    """The layers after `features` as a model of their own: `(depth,)` -> flat probabilities; same layer names as in `build_model`."""
    features = layers.Input((depth,), name="features")
    return keras.Model(features, _answers(features, task, head), name=f"{head}_head")


def _answers(features, task, head):
    body = _BODIES[head](features)
    answers = [_head_layer(one, number)(body) for number, one in enumerate(task.heads)]
    return layers.Concatenate(name="answers")(answers) if len(answers) > 1 else answers[0]


def _hidden(features):
    for number, width in enumerate(HIDDEN):
        features = layers.Dropout(DROPOUT, name=f"drop_{number}")(
            layers.Dense(width, "relu", name=f"hidden_{number}")(features)
        )
    return features


def _residual(features):
    """A long branch, two layers deep, added to a short one: what is linear in the features stays easy to learn (He et al., CVPR 2016)."""
    long = layers.Dropout(DROPOUT, name="drop_0")(layers.Dense(HIDDEN[0], "relu", name="long_0")(features))
    long = layers.Dense(HIDDEN[1], name="long_1")(long)
    return layers.Dropout(DROPOUT, name="drop_1")(
        layers.Add(name="sum")([long, layers.Dense(HIDDEN[1], name="short")(features)])
    )


_BODIES = {"linear": lambda features: features, "hidden": _hidden, "residual": _residual}


def _freeze_batch_norms(base):
    # base(x, training=False) does not: fit() passes training=True on to nested models (Keras 3.13 and 3.15)
    for layer in base._flatten_layers():
        if isinstance(layer, layers.BatchNormalization):
            layer.trainable = False


def _head_layer(head, number):
    return layers.Dense(
        len(head.classes), "sigmoid" if head.multi else "softmax", name=f"head_{number}", dtype="float32"
    )


def model_features(model):
    """The part of a model from picture to pooled features; the same object for the same model, so that it is traced once."""
    if model not in _FEATURES:
        _FEATURES[model] = keras.Model(model.input, model.get_layer("features").output)
    return _FEATURES[model]


_FEATURES = weakref.WeakKeyDictionary()


def head_weights(model):
    """{layer name: arrays} of what lies after `features`: what `build_head`'s layers of these names take."""
    names = [layer.name for layer in model.layers]
    return {layer.name: layer.get_weights() for layer in model.layers[names.index("features") + 1 :] if layer.weights}


@functools.lru_cache(maxsize=8)
def load_trained(run):
    """The model of a finished Run with its best weights; architecture from our own code, weights checked by hash."""
    config = run.config
    model = build_model(run.task, config.backbone, run.preprocess.size, seed=config.seed, **config.shape)
    weights = run.weights
    try:
        model.load_weights(weights)
    except (ValueError, OSError) as error:
        raise InputError(
            f"{run.path}: the weights do not fit the recipe in run.json: {str(error).splitlines()[0]}"
        ) from error
    return model


def trained_base(run):
    """The backbone of a finished Run, without top and scaling, as `build_base` builds it: what another training can start from."""
    base = build_base(run.config.backbone, run.preprocess.size)
    _tapped(base, run.config.backbone, run.config.taps).set_weights(
        load_trained(run).get_layer("backbone").get_weights()
    )
    return base
