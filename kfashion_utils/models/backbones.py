"""The networks of `BACKBONES`: built without top, with the scaling that their weights expect and where their stages
end."""

import keras
import numpy as np
from keras import layers

from kfashion_utils.errors import InputError
from kfashion_utils.models.efficientnet_lite import efficientnet_lite
from kfashion_utils.runs.backbones import find_backbone

MEAN, DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])  # of ImageNet's RGB in 0..1


def _linear(scale, offset):
    """A layer `scale * pixels + offset`, both a number or three."""
    return layers.Rescaling(np.asarray(scale).tolist(), offset=np.asarray(offset).tolist(), name="scale")


SCALINGS = {  # what comes out of RGB 0..255
    "none": lambda pixels: pixels,  # MobileNetV3, EfficientNetV2 and ConvNeXt scale by themselves
    "tf": lambda pixels: _linear(1 / 127.5, -1.0)(pixels),  # [-1, 1]
    "lite": lambda pixels: _linear(1 / 128, -127 / 128)(pixels),
    # VGG and ResNet v1 were trained in Caffe: BGR, ImageNet channel means removed, no division
    "caffe": lambda pixels: _linear(1.0, (-103.939, -116.779, -123.68))(pixels[..., ::-1]),
    "torch": lambda pixels: _linear(1 / (255 * DEVIATION), -MEAN / DEVIATION)(pixels),
    # EfficientNet scales by itself, but its weights hold the deviation where a variance belongs (tensorflow issue
    # 49930). Keras divides by the missing root only where it fetches the weights itself (weights="imagenet"); this is
    # that division, around the mean, before its scaling.
    "efficientnet": lambda pixels: _linear(DEVIATION**-0.5, 255 * MEAN * (1 - DEVIATION**-0.5))(pixels),
}


OWN = {"EfficientNetLite": efficientnet_lite}  # builders beside those of `keras.applications`


def tiny(input_shape):
    """A small network that learns from random weights in a minute on two cores: `(size, size, 3)` -> `(1, 1, 128)`,
    170,000 weights.

    Four strided convolutions, then a learned average over places: a shoe counts below, a collar above.
    """
    image = x = layers.Input(input_shape)
    for stage, (filters, kernel, stride) in enumerate(((24, 5, 4), (48, 3, 2), (96, 3, 2), (128, 3, 2))):
        x = layers.Conv2D(filters, kernel, stride, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.9)(x)  # 0.99 lags behind in a training of a thousand steps
        x = layers.ReLU(name=f"stage_{stage}")(x)
    height, width = x.shape[1:3]
    average = keras.initializers.Constant(1 / (height * width))
    return keras.Model(image, layers.DepthwiseConv2D((height, width), depthwise_initializer=average, name="places")(x))


def build_base(name, size):
    """The backbone without top and without scaling, random weights.

    Args:
        name: a row of `BACKBONES`.
        size: side of its input, pixels; None = any side, `(None, None, 3)`. A base of any side gives what one of a
            fixed side gives where the side is a multiple of 32; at others MobileNetV2, V3 and EfficientNet pad an odd
            side differently.

    Raises:
        InputError: unknown; too small for it; `tiny` without a side.
    """
    row = find_backbone(name)
    shape = (size, size, 3)
    if not row.application:
        if size is None:
            raise InputError(
                f"{name!r} learns one weight a place, so it needs a side in pixels, not None; "
                "give one, or take another backbone"
            )
        return tiny(shape)
    try:
        return (OWN.get(row.application) or getattr(keras.applications, row.application))(
            include_top=False, weights=None, input_shape=shape, **row.arguments
        )
    except ValueError as error:
        raise InputError(
            f"{name!r} cannot be built for pictures of {size} pixels; take a larger size: {str(error).splitlines()[0]}"
        ) from error


def tap_outputs(base, name):
    """The symbolic outputs at which the last three resolutions of a base end, shallow to deep: float `(n, side, side,
    channels)` each.

    A tap of the table is a layer's name; `<` before it means what goes into that layer, and "" the output of the base.
    So none of them is one of the names that Keras numbers through the whole process (`activation_17`).
    `keras.Model(base.input, tap_outputs(base, name))` computes them.

    Args:
        base: of `build_base`.
        name: the row it was built from.
    """
    return [_tap_output(base, tap) for tap in find_backbone(name).taps]


def _tap_output(base, tap):
    if not tap:
        return base.outputs[0]
    layer = base.get_layer(tap.removeprefix("<"))
    return layer.input if tap.startswith("<") else layer.output
