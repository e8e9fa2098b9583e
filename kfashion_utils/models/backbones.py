"""`BACKBONES`: the networks below a head, with what each one expects of its input, where its stages end and where its
weights come from."""

from dataclasses import dataclass, field, replace

import keras
import numpy as np
from keras import layers

from kfashion_utils.errors import InputError
from kfashion_utils.models.efficientnet_lite import efficientnet_lite


@dataclass(frozen=True)
class Backbone:
    """One row of `BACKBONES`.

    Attributes:
        application: name in `keras.applications` or `OWN`, or "" for our own `tiny`.
        scaling: a row of `SCALINGS`: what the weights expect.
        taps: where the resolutions of 1/8, 1/16 and 1/32 end, as `tap_outputs` reads them; the last one is the base's
            own output.
        size: side its weights were trained at, pixels.
        arguments: further ones of the builder.
        weights: row of data_manifest.csv with ImageNet weights; "" = none are published.
    """

    application: str
    scaling: str
    taps: tuple[str, str, str]
    size: int = 224
    arguments: dict = field(default_factory=dict)
    weights: str = ""


def _resnet(third, fourth):
    return f"conv3_block{third}_out", f"conv4_block{fourth}_out", "conv5_block3_out"


def _resnet_v2(third, fourth):
    # the last block of a stage halves the picture, so the stage ends at what goes into that block
    return f"conv3_block{third}_preact_relu", f"conv4_block{fourth}_preact_relu", "post_relu"


def _convnext(name):
    return (
        f"<{name}_downsampling_block_1",
        f"<{name}_downsampling_block_2",
        "",
    )  # the sums that end its stages are no layers


_MOBILENET = ("conv_pw_5_relu", "conv_pw_11_relu", "conv_pw_13_relu")
_EFFICIENTNET = ("block4a_expand_activation", "block6a_expand_activation", "top_activation")  # both generations
_DENSENET = ("pool3_relu", "pool4_relu", "relu")

_ROWS = {
    "tiny": Backbone("", "tf", ("stage_1", "stage_2", "places")),
    "mobilenet_025": Backbone("MobileNet", "tf", _MOBILENET, arguments={"alpha": 0.25}),
    "mobilenet": Backbone("MobileNet", "tf", _MOBILENET),
    "mobilenet_v2": Backbone("MobileNetV2", "tf", ("block_6_expand_relu", "block_13_expand_relu", "out_relu")),
    "mobilenet_v3_small": Backbone(
        "MobileNetV3Small", "none", ("<expanded_conv_3_depthwise_pad", "<expanded_conv_8_depthwise_pad", "")
    ),
    "mobilenet_v3_large": Backbone(
        "MobileNetV3Large", "none", ("<expanded_conv_6_depthwise_pad", "<expanded_conv_12_depthwise_pad", "")
    ),
    "vgg16": Backbone("VGG16", "caffe", ("block4_conv3", "block5_conv3", "block5_pool")),
    "vgg19": Backbone("VGG19", "caffe", ("block4_conv4", "block5_conv4", "block5_pool")),
    "resnet50": Backbone("ResNet50", "caffe", _resnet(4, 6)),
    "resnet101": Backbone("ResNet101", "caffe", _resnet(4, 23)),
    "resnet152": Backbone("ResNet152", "caffe", _resnet(8, 36)),
    "resnet50_v2": Backbone("ResNet50V2", "tf", _resnet_v2(4, 6)),
    "resnet101_v2": Backbone("ResNet101V2", "tf", _resnet_v2(4, 23)),
    "resnet152_v2": Backbone("ResNet152V2", "tf", _resnet_v2(8, 36)),
    "efficientnet_b0": Backbone("EfficientNetB0", "efficientnet", _EFFICIENTNET, 224),
    "efficientnet_b1": Backbone("EfficientNetB1", "efficientnet", _EFFICIENTNET, 240),
    "efficientnet_b2": Backbone("EfficientNetB2", "efficientnet", _EFFICIENTNET, 260),
    "efficientnet_b3": Backbone("EfficientNetB3", "efficientnet", _EFFICIENTNET, 300),
    "efficientnet_b4": Backbone("EfficientNetB4", "efficientnet", _EFFICIENTNET, 380),
    "efficientnet_b5": Backbone("EfficientNetB5", "efficientnet", _EFFICIENTNET, 456),
    "efficientnet_b6": Backbone("EfficientNetB6", "efficientnet", _EFFICIENTNET, 528),
    "efficientnet_b7": Backbone("EfficientNetB7", "efficientnet", _EFFICIENTNET, 600),
    "efficientnet_lite0": Backbone("EfficientNetLite", "lite", _EFFICIENTNET, 224, {"width": 1.0, "depth": 1.0}),
    "efficientnet_lite1": Backbone("EfficientNetLite", "lite", _EFFICIENTNET, 240, {"width": 1.0, "depth": 1.1}),
    "efficientnet_lite2": Backbone("EfficientNetLite", "lite", _EFFICIENTNET, 260, {"width": 1.1, "depth": 1.2}),
    "efficientnet_v2_b0": Backbone("EfficientNetV2B0", "none", _EFFICIENTNET, 224),
    "efficientnet_v2_b1": Backbone("EfficientNetV2B1", "none", _EFFICIENTNET, 240),
    "efficientnet_v2_b2": Backbone("EfficientNetV2B2", "none", _EFFICIENTNET, 260),
    "efficientnet_v2_b3": Backbone("EfficientNetV2B3", "none", _EFFICIENTNET, 300),
    "efficientnet_v2_s": Backbone("EfficientNetV2S", "none", _EFFICIENTNET, 384),
    "efficientnet_v2_m": Backbone("EfficientNetV2M", "none", _EFFICIENTNET, 480),
    "efficientnet_v2_l": Backbone("EfficientNetV2L", "none", _EFFICIENTNET, 480),
    "inception_v3": Backbone("InceptionV3", "tf", ("mixed2", "mixed7", "mixed10"), 299),
    "inception_resnet_v2": Backbone("InceptionResNetV2", "tf", ("block35_10_ac", "block17_20_ac", "conv_7b_ac"), 299),
    "densenet121": Backbone("DenseNet121", "torch", _DENSENET),
    "densenet169": Backbone("DenseNet169", "torch", _DENSENET),
    "densenet201": Backbone("DenseNet201", "torch", _DENSENET),
    "xception": Backbone("Xception", "tf", ("block4_sepconv2_bn", "block13_sepconv2_bn", "block14_sepconv2_act"), 299),
    "convnext_tiny": Backbone("ConvNeXtTiny", "none", _convnext("convnext_tiny")),
    "convnext_small": Backbone("ConvNeXtSmall", "none", _convnext("convnext_small")),
    "convnext_base": Backbone("ConvNeXtBase", "none", _convnext("convnext_base")),
    "convnext_large": Backbone("ConvNeXtLarge", "none", _convnext("convnext_large")),
}
BACKBONES = {name: replace(row, weights=f"{name}_imagenet") if row.application else row for name, row in _ROWS.items()}

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


def find_backbone(name):
    """A row of `BACKBONES`.

    Raises:
        InputError: unknown, with the known names.
    """
    if name not in BACKBONES:
        raise InputError(f"unknown backbone {name!r}; known: {', '.join(BACKBONES)}")
    return BACKBONES[name]


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
