"""`hub:<preset>`: any image encoder of KerasHub as a backbone.

KerasHub is optional (`pip install 'kfashion_utils[hub]'`) and imported when it is used. A preset is read as data:
KerasHub rebuilds registered classes from its config, Keras' safe mode stays on, weights come from .h5 or .safetensors.
"""

import difflib
import logging
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from keras import layers, ops

from kfashion_utils.errors import InputError
from kfashion_utils.runs.weights import HUB

FOLDER_REMEDY = "a preset folder is one that save_to_preset wrote, with everything that this call reads"
FETCH_REMEDY = (
    "it is fetched at first use, so check the network and the spelling, "
    "or give the folder of a preset fetched elsewhere"
)
NEAREST = 12  # names that an unknown preset is answered with


@dataclass(frozen=True)
class Family:
    """One row of `FAMILIES`.

    Attributes:
        pooling: a row of `POOLINGS`: how its output becomes one vector.
        scaling: a row of `SCALINGS`, used where a preset has no image converter to state its own.
        text: (preprocessor in `keras_hub.models`, layer that holds the learned logit scale); None = no text side.
        any_size: built at the size that is asked for, rounded down to whole patches: its positions are interpolated.
    """

    pooling: str
    scaling: str
    text: tuple[str, str] | None = None
    any_size: bool = False


FAMILIES = {  # backbone class of KerasHub
    # linear probes of CLIP use the vector before its projection (Radford et al. 2021, A.3): the normalised class token
    "CLIPBackbone": Family("token", "clip", ("CLIPPreprocessor", "clip_head")),
    "SigLIPBackbone": Family("pooled", "half", ("SigLIPPreprocessor", "siglip_head")),  # pools by attention itself
    "DINOV2Backbone": Family("token", "imagenet", any_size=True),
    "DINOV3Backbone": Family("token", "imagenet", any_size=True),
    "ViTBackbone": Family("token", "half"),
    "DeiTBackbone": Family("token", "imagenet"),
    "SwinTransformerBackbone": Family("tokens", "imagenet"),
    "MiTBackbone": Family("map", "imagenet"),
    "ResNetBackbone": Family("map", "imagenet"),
    "EfficientNetBackbone": Family("map", "imagenet"),
    "MobileNetBackbone": Family("map", "imagenet"),
    "DenseNetBackbone": Family("map", "imagenet"),
    "VGGBackbone": Family("map", "imagenet"),
    "CSPNetBackbone": Family("map", "imagenet"),
    "XceptionBackbone": Family("map", "half"),
}
POOLINGS = {
    "token": lambda values: values[:, 0],  # (b, tokens, depth): the class token stands first
    "tokens": lambda values: ops.mean(values, axis=1),  # … a ViT without one: the average token
    "map": lambda values: ops.mean(values, axis=(1, 2)),  # (b, height, width, depth)
    "pooled": lambda values: values,  # (b, depth)
}
# mean and deviation of RGB 0..1, as published with the weights (CLIP: openai/CLIP, clip.py; others: timm, default_cfg)
SCALINGS = {
    "clip": ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)),
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "half": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),  # [-1, 1]
}


def presets(text=False):
    """Names of KerasHub's own presets that `build_encoder` takes, in the order of `FAMILIES`.

    Args:
        text: only those with a text side.
    """
    models = keras_hub_package().models
    rows = [name for name, family in FAMILIES.items() if hasattr(models, name) and (family.text or not text)]
    return [preset for name in rows for preset in getattr(models, name).presets]


def require_pyramid(preset):
    """Refuse one of KerasHub's own presets that gives no stages; those of folders and handles tell when they are built.

    Raises:
        InputError: said which kinds do.
    """
    name, package = str(preset).removeprefix(HUB), keras_hub_package().models
    kinds = [getattr(package, kind) for kind in FAMILIES if hasattr(package, kind)]
    if any(name in kind.presets and not hasattr(kind, "pyramid_outputs") for kind in kinds):
        raise InputError(_no_pyramid(name))


def _no_pyramid(name):
    package = keras_hub_package().models
    pyramids = [kind for kind in FAMILIES if hasattr(getattr(package, kind, None), "pyramid_outputs")]
    return f"{HUB}{name} gives one vector a picture, no stages: use taps=last, or a preset of {', '.join(pyramids)}"


def build_encoder(preset, size, weights=True, taps="last"):
    """A pretrained encoder: `(size, size, 3)` RGB 0..255, uint8 or float -> pooled features `(depth,)` float32; with
    taps `stages` the last two levels of its feature pyramid as they come, shallow to deep.

    Scaling is inside: what the preset's image converter states, else its family's. So is resizing, where an encoder has
    one size only; one that takes any (convolutions, DINO) sees `size`.

    Args:
        preset: with or without `hub:`: a name of `presets()`, a handle (`hf://…`, `kaggle://…`) or a folder of
            `save_to_preset`.
        size: side of the pictures, pixels.
        weights: False = random ones (they will be loaded from a run).
        taps: `last` or `stages`.

    Raises:
        InputError: KerasHub is missing, no such preset, no image encoder, no pyramid, or it could not be fetched.
    """
    name = require_preset(preset)
    backbone, family = load_encoder(name, size, weights)
    vision = getattr(backbone, "vision_encoder", backbone)
    pooling = "tokens" if getattr(vision, "use_class_token", True) is False else family.pooling
    image = layers.Input((size, size, 3), name="image")
    if taps == "stages":
        pyramid = _pyramid(vision, name)
        return keras.Model(image, _call(pyramid, scale_pixels(name, family, vision, image)), name="encoder")
    features = POOLINGS[pooling](_call(vision, scale_pixels(name, family, vision, image)))
    return keras.Model(image, ops.cast(features, "float32"), name="encoder")


def _pyramid(vision, name):
    """A model of the last two levels of an encoder's feature pyramid."""
    levels = getattr(vision, "pyramid_outputs", {})
    if len(levels) < 2:
        raise InputError(_no_pyramid(name))
    deepest = sorted(levels, key=_level)[-2:]
    return keras.Model(vision.input, [levels[level] for level in deepest])


def _level(name):
    """The number in the name of a level: `P5`, `stage2`."""
    return int("".join(filter(str.isdigit, name)) or 0)


def keras_hub_package():
    try:
        import keras_hub
    except ImportError as error:
        raise InputError(
            f"hub:… needs KerasHub ({error}); install it with: pip install 'kfashion_utils[hub]'"
        ) from error
    return keras_hub


def load_encoder(name, size, weights=True):
    """(backbone of KerasHub, its Family)."""
    part = keras_hub_package().models.Backbone
    backbone = from_preset(part, name, load_weights=weights)
    family = FAMILIES.get(type(backbone).__name__)
    if family is None:
        raise InputError(
            f"preset {name!r} is a {type(backbone).__name__}, no image encoder that is known here; "
            f"known: {', '.join(FAMILIES)}"
        )
    side = max(size // backbone.patch_size, 1) * backbone.patch_size if family.any_size else None
    if family.any_size and tuple(backbone.image_shape[:2]) != (side, side):
        backbone = from_preset(part, name, load_weights=weights, image_shape=(side, side, 3))
    return backbone, family


def require_preset(preset):
    """The preset without `hub:`, if it is a known name, a handle or a folder."""
    name = str(preset).removeprefix(HUB)
    known = presets()
    if name in known or "://" in name or Path(name).is_dir():
        return name
    nearest = ", ".join(difflib.get_close_matches(name, known, NEAREST, cutoff=0))
    raise InputError(
        f"unknown preset {name!r}: neither a folder, a handle (hf://…, kaggle://…) nor one of KerasHub's {len(known)} "
        f"image encoders, of which the nearest are {nearest}; kfashion_utils.models.encoders.presets() lists them all"
    )


def from_preset(part, name, **arguments):
    """A part of KerasHub (a class with `from_preset`) made of a preset.

    Raises:
        InputError: it cannot be fetched or read.
    """
    try:
        return part.from_preset(name, **arguments)
    except Exception as error:  # kagglehub, huggingface_hub, requests and h5py share no class
        why = (str(error).splitlines() or [""])[0]
        remedy = FOLDER_REMEDY if Path(name).is_dir() else FETCH_REMEDY
        raise InputError(f"preset {name!r} could not be loaded ({type(error).__name__}: {why}); {remedy}") from error


def scale_pixels(name, family, vision, image):
    """RGB 0..255 -> what the weights expect, at the encoder's own size."""
    scale, offset, resizing = _scaling_of(name, family)
    own = keras.tree.flatten(vision.input)[0].shape[1:3]
    if None not in own and own != image.shape[1:3]:
        image = ops.image.resize(ops.cast(image, "float32"), own, **resizing)
    return layers.Rescaling(scale, offset, name="scale")(image)


def _scaling_of(name, family):
    """(scale, offset, how pictures are resized) as the preset states them, else those of its family."""
    try:
        converter = keras_hub_package().layers.ImageConverter.from_preset(name)
    except FileNotFoundError:
        converter = None
    if converter is None:
        warning = "preset %r states no pixel scaling; its family's is used: %s"
        logging.getLogger(__name__).warning(warning, name, family.scaling)
        mean, deviation = np.array(SCALINGS[family.scaling])
        return (1 / 255 / deviation).tolist(), (-mean / deviation).tolist(), {"antialias": True}
    scale = 1.0 if converter.scale is None else converter.scale
    offset = 0.0 if converter.offset is None else converter.offset
    return scale, offset, {"interpolation": converter.interpolation, "antialias": converter.antialias}


def _call(encoder, values):
    return encoder(keras.tree.map_structure(lambda _: values, encoder.input))  # a tensor, or {its name: tensor}
