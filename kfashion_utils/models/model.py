"""The model around a backbone: RGB 0..255 in, the flat probabilities of a `Task` out.

The scaling that the backbone's weights expect is a layer of the model, so no caller scales.
"""

import collections
import contextlib
import logging
import weakref

import keras
from keras import layers, ops

from kfashion_utils.errors import InputError
from kfashion_utils.models.backbones import (
    SCALINGS,
    build_base,
    tap_outputs,
)
from kfashion_utils.models.encoders import build_encoder, require_pyramid
from kfashion_utils.models.internals import all_layers
from kfashion_utils.models.weight_files import load_base_weights, load_weights
from kfashion_utils.runs.backbones import find_backbone
from kfashion_utils.runs.weights import HUB
from kfashion_utils.storage.files import known_hash

logging.getLogger("tensorflow").setLevel(logging.ERROR)  # it warns of retracing whenever a last batch is smaller


ENTRIES = {"linear": (), "hidden": ("hidden_0",), "residual": ("long_0", "short")}  # layers that read the features
HIDDEN, DROPOUT = (512, 256), 0.3
TAPS = ("last", "stages")
MOST_KEPT = 4  # models that `load_trained` keeps


def build_model(
    task, backbone, size, weights=None, seed=0, *, taps="last", sizes=(), classifier="linear", precision="float32"
):
    """The whole model, functional: `(size, size, 3)` RGB 0..255 -> flat probabilities `(num_classes,)`.

    Args:
        task: the Task it answers.
        backbone: a row of `BACKBONES`, or `hub:<preset>`.
        size: side of its input, pixels.
        weights: path of pretrained weights of the backbone (`preset` = those of a `hub:` row); None = random. With
            pretrained weights its batch norms stay in inference mode for good: running averages of a few small batches
            would spoil them.
        seed: of the random weights.
        taps: `last` = the average over places of the base's output; `stages` = mean, standard deviation and maximum of
            its last two stages (of `hub:` encoders, those that are feature pyramids).
        sizes: sides at which the base sees the picture, pixels, resized within the model; () = as it comes.
        classifier: a row of `ENTRIES`: the layers after `features`.
        precision: Keras' dtype policy of the backbone (`mixed_float16`, `mixed_bfloat16`); everything after it computes
            in float32.

    Layers by name: `backbone`, `features` (pooled, the input of the classifier), those of the classifier, of which the
    last are `head_0`, `head_1`, …, one a head of the task.
    """
    require_shape(backbone, size, taps, sizes)
    keras.utils.set_random_seed(seed)
    sizes = tuple(sizes) or (size,)
    image = layers.Input((size, size, 3), name="image")
    find_features = _hub_features if backbone.startswith(HUB) else _tapped_features
    with _policy(precision):
        pooled = find_features(image, backbone, weights, taps, sizes)
    if len(pooled) > 1:
        features = layers.Concatenate(name="features")(pooled)
    else:
        features = layers.Identity(name="features")(pooled[0])
    return keras.Model(image, _answers(features, task, classifier), name=_model_name(backbone, taps, sizes, precision))


def _model_name(backbone, taps, sizes, precision):
    """Names the features of a model in a cache."""
    parts = [backbone.replace(":", "_").replace("/", "_"), taps, *map(str, sizes)]
    return "-".join(parts if precision == "float32" else [*parts, precision])


def require_shape(backbone, size, taps, sizes):
    """Refuse taps and sizes that a backbone cannot give.

    Raises:
        InputError: said which.
    """
    several = tuple(sizes) not in ((), (size,))
    if backbone.startswith(HUB) and several:
        raise InputError(f"{backbone} sees a picture at one size: leave sizes={tuple(sizes)} out")
    if backbone.startswith(HUB) and taps == "stages":
        require_pyramid(backbone)
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


# Features -------------------------------------------------------------------------------------------------------------


def _tapped_features(image, backbone, weights, taps, sizes):
    """Pooled features, symbolic, a list."""
    size = image.shape[1]
    base = build_base(backbone, size if sizes == (size,) else None)
    if weights is not None:
        load_base_weights(base, backbone, weights)
        _freeze_batch_norms(base)
    base = _tapped(base, backbone, taps)
    scaled = SCALINGS[find_backbone(backbone).scaling](image)
    pooled = []
    for side in sizes:
        seen = scaled
        if side != size:
            seen = layers.Resizing(side, side, antialias=True, name=f"resize_{side}")(scaled)
        maps = base(seen)
        for values in maps if isinstance(maps, (list, tuple)) else [maps]:
            values = ops.cast(values, "float32")
            pooled += [ops.mean(values, axis=(1, 2))] if taps == "last" else _statistics(values)
    return pooled


def _tapped(base, backbone, taps):
    outputs = base.outputs if taps == "last" else tap_outputs(base, backbone)[-2:]
    return keras.Model(base.input, outputs, name="backbone")


def _statistics(values):
    """Mean, deviation and maximum over the places of a map `(b, height, width, depth)` or of tokens `(b, n, depth)`."""
    places = tuple(range(1, len(values.shape) - 1))
    mean = ops.mean(values, axis=places)
    variance = ops.maximum(ops.mean(ops.square(values), axis=places) - ops.square(mean), 0)
    return [mean, ops.sqrt(variance + 1e-6), ops.max(values, axis=places)]  # the root of 0 has no slope


def _hub_features(image, backbone, weights, taps, sizes):
    base = build_encoder(backbone.removeprefix(HUB), image.shape[1], weights=weights is not None, taps=taps)
    if weights is not None:
        _freeze_batch_norms(base)
    base.name = "backbone"
    if taps == "last":
        return [ops.cast(base(image), "float32")]
    return [one for values in base(image) for one in _statistics(ops.cast(values, "float32"))]


def _freeze_batch_norms(base):
    # base(x, training=False) does not: fit() passes training=True on to nested models (Keras 3.13 and 3.15)
    for layer in all_layers(base):
        if isinstance(layer, layers.BatchNormalization):
            layer.trainable = False


def model_features(model):
    """The part of a model from picture to pooled features; the same object for the same model, so that it is traced
    once."""
    if model not in _FEATURES:
        _FEATURES[model] = keras.Model(model.input, model.get_layer("features").output)
    return _FEATURES[model]


_FEATURES = weakref.WeakKeyDictionary()


# Classifiers ----------------------------------------------------------------------------------------------------------


def build_classifier(task, kind, depth):
    """The layers after `features` as a model of their own: `(depth,)` -> flat probabilities; layer names as in
    `build_model`."""
    features = layers.Input((depth,), name="features")
    return keras.Model(features, _answers(features, task, kind), name=f"{kind}_classifier")


def classifier_weights(model):
    """{layer name: arrays} of what lies after `features`: what `build_classifier`'s layers of these names take."""
    names = [layer.name for layer in model.layers]
    after = model.layers[names.index("features") + 1 :]
    return {layer.name: layer.get_weights() for layer in after if layer.weights}


def _answers(features, task, kind):
    body = _BODIES[kind](features)
    answers = [_head_layer(head, number)(body) for number, head in enumerate(task.heads)]
    return layers.Concatenate(name="answers")(answers) if len(answers) > 1 else answers[0]


def _hidden(features):
    for number, width in enumerate(HIDDEN):
        drop = layers.Dropout(DROPOUT, name=f"drop_{number}")  # made first: layers get their seeds in this order
        features = drop(layers.Dense(width, "relu", name=f"hidden_{number}")(features))
    return features


def _residual(features):
    """A long branch, two layers deep, added to a short one: what is linear in the features stays easy to learn (He et
    al., CVPR 2016)."""
    drop = layers.Dropout(DROPOUT, name="drop_0")
    long = drop(layers.Dense(HIDDEN[0], "relu", name="long_0")(features))
    long = layers.Dense(HIDDEN[1], name="long_1")(long)
    drop = layers.Dropout(DROPOUT, name="drop_1")
    short = layers.Dense(HIDDEN[1], name="short")(features)
    return drop(layers.Add(name="sum")([long, short]))


_BODIES = {"linear": lambda features: features, "hidden": _hidden, "residual": _residual}


def _head_layer(head, number):
    activation = "sigmoid" if head.multi else "softmax"
    return layers.Dense(len(head.classes), activation, name=f"head_{number}", dtype="float32")


# Trained models -------------------------------------------------------------------------------------------------------


def load_trained(run):
    """The model of a finished Run with its best weights; architecture from our own code, weights checked by hash.

    The last `MOST_KEPT` models stay loaded, told apart by what they are made of, not by the Run that was asked.

    Raises:
        InputError: the weights are missing, changed since training, or of another architecture.
    """
    path = run.weights
    key = (known_hash(path), run.task.to_json(), run.config.backbone, run.preprocess.size, *run.config.shape.values())
    if key not in _KEPT:
        _KEPT[key] = _load(run, path)
        while len(_KEPT) > MOST_KEPT:
            _KEPT.popitem(last=False)
    _KEPT.move_to_end(key)
    return _KEPT[key]


_KEPT = collections.OrderedDict()


def _load(run, path):
    config = run.config
    model = build_model(run.task, config.backbone, run.preprocess.size, seed=config.seed, **config.shape)
    load_weights(model, path, f"{run.path}: the weights do not fit the recipe in run.json")
    return model


def trained_base(run):
    """The backbone of a finished Run, without top and scaling, as `build_base` builds it: what another training can
    start from."""
    base = build_base(run.config.backbone, run.preprocess.size)
    weights = load_trained(run).get_layer("backbone").get_weights()
    _tapped(base, run.config.backbone, run.config.taps).set_weights(weights)
    return base
