"""`BACKBONES`: the networks below a classifier, with what each one expects of its input, where its stages end and where
its weights come from. Facts only; `models/backbones.py` builds them."""

from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

import pandas as pd

from kfashion_utils.errors import InputError, did_you_mean


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
INPUTS = {  # what a row of `SCALINGS` makes of RGB 0..255, in words
    "none": "0..255 (scales by itself)",
    "tf": "-1..1",
    "lite": "(RGB - 127) / 128",
    "caffe": "BGR less the channel means",
    "torch": "less mean, by deviation",
    "efficientnet": "0..255 (scales by itself)",
}


def find_backbone(name):
    """A row of `BACKBONES`.

    Raises:
        InputError: unknown, with what may be meant and the known names.
    """
    if name not in BACKBONES:
        known = f"known: {', '.join(BACKBONES)}, and hub:PRESET for KerasHub's"
        raise InputError(f"unknown backbone {name!r}{did_you_mean(name, BACKBONES, 3)} ({known})")
    return BACKBONES[name]


def backbones_table():
    """DataFrame `backbone, weights, size, input, source`: one row a backbone, for people to choose from.

    `weights` says which ones are published, `size` the side in pixels that they were trained at, `input` what the
    network makes of RGB 0..255, `source` where the weights come from, and their licence.
    """
    from kfashion_utils.storage.downloads import read_manifest  # here: recipes are read without it

    manifest = read_manifest().set_index("name")
    rows = [
        (name, "imagenet" if row.weights else "none", row.size, INPUTS[row.scaling], _source(manifest, row.weights))
        for name, row in BACKBONES.items()
    ]
    return pd.DataFrame(rows, columns=["backbone", "weights", "size", "input", "source"])


def _source(manifest, weights):
    if not weights:
        return "learns from random weights in minutes"
    source, licence = manifest.loc[weights, ["source", "licence"]]
    place = urlsplit(source).netloc or source.replace(":", " ", 1)
    return f"{place}, {licence}"
