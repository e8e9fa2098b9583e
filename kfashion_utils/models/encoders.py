"""`hub:<preset>`: any image encoder of KerasHub as a backbone, and zero-shot answers where it has a text side.

KerasHub is optional (`pip install 'kfashion_utils[hub]'`) and imported when it is used. A preset is read as data: KerasHub rebuilds registered
classes from its config, Keras' safe mode stays on, weights come from .h5 or .safetensors.
"""

import difflib
import logging
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from keras import layers, ops

from kfashion_utils.errors import InputError
from kfashion_utils.runs.config import HUB
from kfashion_utils.tables.tasks import gloss

NEAREST = 12  # names that an unknown preset is answered with
BATCH = 64  # pictures or prompts


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
SCALINGS = {  # mean and deviation of RGB 0..1, as published with the weights (CLIP: clip.py of openai/CLIP; the others: timm's default_cfg)
    "clip": ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)),
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "half": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),  # [-1, 1]
}
MULTILINGUAL = ("siglip2", "multilingual", "i18n")  # parts of the names of presets whose text side has read Korean
TEMPLATES = {  # head, "" = any other: language: sentences around a class; "en" is given its gloss, "ko" its own name
    "style": {
        "en": ("a photo of a person in {} style clothes", "{} style fashion", "an outfit in the {} style", "a {} look"),
        "ko": ("{} 스타일의 옷을 입은 사람 사진", "{} 스타일 패션", "{} 룩"),
    },
    "": {"en": ("a photo of {}", "a picture showing {}", "{}"), "ko": ("{} 사진", "{}의 모습", "{}")},
}


def presets(text=False):
    """Names of KerasHub's own presets that `build_encoder` takes, in the order of `FAMILIES`.

    Args:
        text: only those with a text side.
    """
    models = _keras_hub().models
    rows = [name for name, family in FAMILIES.items() if hasattr(models, name) and (family.text or not text)]
    return [preset for name in rows for preset in getattr(models, name).presets]


def build_encoder(preset, size, weights=True):
    """A pretrained encoder: `(size, size, 3)` RGB 0..255, uint8 or float -> pooled features `(depth,)` float32.

    Scaling is inside: what the preset's image converter states, else its family's. So is resizing, where an encoder has one size only; one
    that takes any (convolutions, DINO) sees `size`.

    Args:
        preset: with or without `hub:`: a name of `presets()`, a handle (`hf://…`, `kaggle://…`) or a folder of `save_to_preset`.
        size: side of the pictures, pixels.
        weights: False = random ones (they will be loaded from a run).

    Raises:
        InputError: KerasHub is missing, no such preset, no image encoder, or it could not be fetched.
    """
    name = _require_preset(preset)
    backbone, family = _load_backbone(name, size, weights)
    vision = getattr(backbone, "vision_encoder", backbone)
    pooling = "tokens" if getattr(vision, "use_class_token", True) is False else family.pooling
    image = layers.Input((size, size, 3), name="image")
    features = POOLINGS[pooling](_call(vision, _scale(name, family, vision, image)))
    return keras.Model(image, ops.cast(features, "float32"), name="encoder")


def task_prompts(task, languages=("en",)):
    """{head: {class: sentences}} from `TEMPLATES`.

    Args:
        task: of single-label heads, or of any.
        languages: of `en`, `ko`.
    """
    return {head.name: {name: _sentences(head.name, name, languages) for name in head.classes} for head in task.heads}


def zero_shot(preset, task, pixels, prompts=None):
    """Answers of an encoder that nobody trained on the task: `prediction_table(task, rows, zero_shot(…))` makes them a predictions table.

    Cosine of picture and class, times the encoder's learned scale, softmax within a head. A class is the mean of the unit vectors of its
    prompts (Radford et al. 2021, 3.1.4). SigLIP's loss is a sigmoid with a bias; the bias is the same for every class and so drops out.

    Args:
        preset: as in `build_encoder`, of an encoder with a text side (CLIP, SigLIP).
        task: a Task of single-label heads.
        pixels: RGB 0..255 `(n, size, size, 3)`, or `Batches`.
        prompts: {head: {class: sentences}}; None = `task_prompts`, with Korean ones too where the preset's name says that it reads Korean.

    Returns:
        float32 `(n, num_classes)`.

    Raises:
        InputError: as `build_encoder`; no text side; a multi-label head; a class without a prompt.
    """
    name = _require_preset(preset)
    prompts = _default_prompts(name, task) if prompts is None else prompts
    _require_askable(task, prompts)
    size = np.shape(pixels[0])[-2]  # of one picture, or of the first batch
    backbone, family = _load_backbone(name, size)
    if family.text is None:
        readers = ", ".join(presets(text=True)[:NEAREST])
        raise InputError(
            f"preset {name!r} is a {type(backbone).__name__}, which reads no text; zero-shot needs CLIP or SigLIP: {readers}, …"
        )
    pictures = _see(name, backbone, family, pixels, size)
    sentences = list(
        dict.fromkeys(text for head in task.heads for name in head.classes for text in prompts[head.name][name])
    )
    vectors = dict(zip(sentences, _read(name, backbone, family, sentences), strict=True))
    scale = np.exp(ops.convert_to_numpy(getattr(backbone, family.text[1]).logit_scale))
    blocks = []
    for head in task.heads:
        classes = _unit(
            [np.mean([vectors[text] for text in prompts[head.name][name]], axis=0) for name in head.classes]
        )
        blocks.append(_softmax(scale * pictures @ classes.T))
    return np.concatenate(blocks, axis=1).astype(np.float32)


def _keras_hub():
    try:
        import keras_hub
    except ImportError as error:
        raise InputError(
            f"hub:… needs KerasHub ({error}); install it with: pip install 'kfashion_utils[hub]'"
        ) from error
    return keras_hub


def _load_backbone(name, size, weights=True):
    """(backbone of KerasHub, its Family)."""
    part = _keras_hub().models.Backbone
    backbone = _from_preset(part, name, load_weights=weights)
    family = FAMILIES.get(type(backbone).__name__)
    if family is None:
        raise InputError(
            f"preset {name!r} is a {type(backbone).__name__}, no image encoder that is known here; known: {', '.join(FAMILIES)}"
        )
    side = max(size // backbone.patch_size, 1) * backbone.patch_size if family.any_size else None
    if family.any_size and tuple(backbone.image_shape[:2]) != (side, side):
        backbone = _from_preset(part, name, load_weights=weights, image_shape=(side, side, 3))
    return backbone, family


def _require_preset(preset):
    """The preset without `hub:`, if it is a known name, a handle or a folder."""
    name = str(preset).removeprefix(HUB)
    known = presets()
    if name in known or "://" in name or Path(name).is_dir():
        return name
    nearest = ", ".join(difflib.get_close_matches(name, known, NEAREST, cutoff=0))
    raise InputError(
        f"unknown preset {name!r}: neither a folder, a handle (hf://…, kaggle://…) nor one of KerasHub's {len(known)} image encoders, "
        f"of which the nearest are {nearest}; kfashion_utils.hub.presets() lists them all"
    )


def _from_preset(part, name, **arguments):
    try:
        return part.from_preset(name, **arguments)
    except Exception as error:  # kagglehub, huggingface_hub, requests and h5py share no class
        why = (str(error).splitlines() or [""])[0]
        remedy = (
            "a preset folder is one that save_to_preset wrote, with everything that this call reads"
            if Path(name).is_dir()
            else "it is fetched at first use, so check the network and the spelling, or give the folder of a preset fetched elsewhere"
        )
        raise InputError(f"preset {name!r} could not be loaded ({type(error).__name__}: {why}); {remedy}") from error


def _scale(name, family, vision, image):
    """RGB 0..255 -> what the weights expect, at the encoder's own size."""
    try:
        converter = _keras_hub().layers.ImageConverter.from_preset(name)
    except FileNotFoundError:
        converter = None
    if converter is None:
        logging.getLogger(__name__).warning(
            "preset %r states no pixel scaling; its family's is used: %s", name, family.scaling
        )
        mean, deviation = np.array(SCALINGS[family.scaling])
        scale, offset = (1 / 255 / deviation).tolist(), (-mean / deviation).tolist()
        resizing = {"antialias": True}
    else:
        scale, offset = (
            1.0 if converter.scale is None else converter.scale,
            0.0 if converter.offset is None else converter.offset,
        )
        resizing = {"interpolation": converter.interpolation, "antialias": converter.antialias}
    own = keras.tree.flatten(vision.input)[0].shape[1:3]
    if None not in own and own != image.shape[1:3]:
        image = ops.image.resize(ops.cast(image, "float32"), own, **resizing)
    return layers.Rescaling(scale, offset, name="scale")(image)


def _call(encoder, values):
    return encoder(keras.tree.map_structure(lambda _: values, encoder.input))  # a tensor, or {its name: tensor}


def _see(name, backbone, family, pixels, size):
    """Pictures -> unit vectors float32 `(n, depth)` in the space that texts share."""
    image = layers.Input((size, size, 3), name="image")
    model = keras.Model(image, backbone.get_vision_embeddings(_scale(name, family, backbone.vision_encoder, image)))
    return _unit(
        pixels.predict(model) if hasattr(pixels, "predict") else model.predict(pixels, batch_size=BATCH, verbose=0)
    )


def _read(name, backbone, family, sentences):
    """Sentences -> unit vectors float32 `(n, depth)`."""
    preprocessor = _from_preset(getattr(_keras_hub().models, family.text[0]), name, image_converter=None)
    token_ids = ops.convert_to_numpy(preprocessor({"prompts": sentences, "images": None})["token_ids"])
    tokens = layers.Input(token_ids.shape[1:], dtype="int32", name="token_ids")
    return _unit(
        keras.Model(tokens, backbone.get_text_embeddings(tokens)).predict(token_ids, batch_size=BATCH, verbose=0)
    )


def _sentences(head, name, languages):
    templates = TEMPLATES.get(head, TEMPLATES[""])
    return [
        sentence.format(name if language == "ko" else gloss(name))
        for language in languages
        for sentence in templates[language]
    ]


def _default_prompts(name, task):
    if any(part in name for part in MULTILINGUAL):
        return task_prompts(task, ("en", "ko"))
    korean = [label for head in task.heads for label in head.classes if not gloss(label).isascii()]
    if korean:
        raise InputError(
            f"preset {name!r} reads English only and {len(korean)} classes have no English name ({', '.join(korean[:3])}, …); "
            f"give your own prompts, or a preset whose name contains {' or '.join(MULTILINGUAL)}"
        )
    return task_prompts(task)


def _require_askable(task, prompts):
    multi = [head.name for head in task.heads if head.multi]
    if multi:
        raise InputError(
            f"zero-shot chooses one class a head, but {', '.join(multi)} may have several; leave such heads out of the task"
        )
    silent = [
        f"{head.name}:{name}"
        for head in task.heads
        for name in head.classes
        if not prompts.get(head.name, {}).get(name)
    ]
    if silent:
        raise InputError(
            f"{len(silent)} classes have no prompt ({', '.join(silent[:3])}, …); give every class of every head at least one sentence"
        )


def _unit(vectors):
    vectors = np.asarray(vectors, np.float32)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def _softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
