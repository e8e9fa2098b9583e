"""Zero-shot answers: an encoder that reads pictures and text compares each picture with the names of the classes."""

import keras
import numpy as np
from keras import layers, ops

from kfashion_utils.errors import InputError
from kfashion_utils.models.encoders import (
    NEAREST,
    from_preset,
    keras_hub_package,
    load_encoder,
    presets,
    require_preset,
    scale_pixels,
)
from kfashion_utils.tables.tasks import gloss

BATCH = 64  # pictures or prompts
MULTILINGUAL = ("siglip2", "multilingual", "i18n")  # parts of the names of presets whose text side has read Korean
TEMPLATES = {  # head, "" = any other: language: sentences around a class; "en" is given its gloss, "ko" its own name
    "style": {
        "en": ("a photo of a person in {} style clothes", "{} style fashion", "an outfit in the {} style", "a {} look"),
        "ko": ("{} 스타일의 옷을 입은 사람 사진", "{} 스타일 패션", "{} 룩"),
    },
    "": {"en": ("a photo of {}", "a picture showing {}", "{}"), "ko": ("{} 사진", "{}의 모습", "{}")},
}


def task_prompts(task, languages=("en",)):
    """{head: {class: sentences}} from `TEMPLATES`.

    Args:
        task: of single-label heads, or of any.
        languages: of `en`, `ko`.
    """
    return {head.name: {name: _sentences(head.name, name, languages) for name in head.classes} for head in task.heads}


def zero_shot(preset, task, pixels, prompts=None):
    """Answers of an encoder that nobody trained on the task: `prediction_table(task, rows, zero_shot(…))` makes them a
    predictions table.

    Cosine of picture and class, times the encoder's learned scale, softmax within a head. A class is the mean of the
    unit vectors of its prompts (Radford et al. 2021, 3.1.4). SigLIP's loss is a sigmoid with a bias; the bias is the
    same for every class and so drops out.

    Args:
        preset: as in `build_encoder`, of an encoder with a text side (CLIP, SigLIP).
        task: a Task of single-label heads.
        pixels: RGB 0..255 `(n, size, size, 3)`, or `Batches`.
        prompts: {head: {class: sentences}}; None = `task_prompts`, with Korean ones too where the preset's name says
            that it reads Korean.

    Returns:
        float32 `(n, num_classes)`.

    Raises:
        InputError: as `build_encoder`; no text side; a multi-label head; a class without a prompt.
    """
    name = require_preset(preset)
    prompts = _default_prompts(name, task) if prompts is None else prompts
    _require_askable(task, prompts)
    size = np.shape(pixels[0])[-2]  # of one picture, or of the first batch
    backbone, family = load_encoder(name, size)
    if family.text is None:
        readers = ", ".join(presets(text=True)[:NEAREST])
        raise InputError(
            f"preset {name!r} is a {type(backbone).__name__}, which reads no text; "
            f"zero-shot needs CLIP or SigLIP: {readers}, …"
        )
    pictures = _see(name, backbone, family, pixels, size)
    asked = [text for head in task.heads for name in head.classes for text in prompts[head.name][name]]
    sentences = list(dict.fromkeys(asked))
    vectors = dict(zip(sentences, _read(name, backbone, family, sentences), strict=True))
    scale = np.exp(ops.convert_to_numpy(getattr(backbone, family.text[1]).logit_scale))
    blocks = []
    for head in task.heads:
        of_classes = ([vectors[text] for text in prompts[head.name][name]] for name in head.classes)
        classes = _unit([np.mean(texts, axis=0) for texts in of_classes])
        blocks.append(_softmax(scale * pictures @ classes.T))
    return np.concatenate(blocks, axis=1).astype(np.float32)


def _see(name, backbone, family, pixels, size):
    """Pictures -> unit vectors float32 `(n, depth)` in the space that texts share."""
    image = layers.Input((size, size, 3), name="image")
    model = keras.Model(
        image, backbone.get_vision_embeddings(scale_pixels(name, family, backbone.vision_encoder, image))
    )
    in_batches = hasattr(pixels, "predict")
    return _unit(pixels.predict(model) if in_batches else model.predict(pixels, batch_size=BATCH, verbose=0))


def _read(name, backbone, family, sentences):
    """Sentences -> unit vectors float32 `(n, depth)`."""
    preprocessor = from_preset(getattr(keras_hub_package().models, family.text[0]), name, image_converter=None)
    token_ids = ops.convert_to_numpy(preprocessor({"prompts": sentences, "images": None})["token_ids"])
    tokens = layers.Input(token_ids.shape[1:], dtype="int32", name="token_ids")
    model = keras.Model(tokens, backbone.get_text_embeddings(tokens))
    return _unit(model.predict(token_ids, batch_size=BATCH, verbose=0))


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
            f"preset {name!r} reads English only and {len(korean)} classes have no English name "
            f"({', '.join(korean[:3])}, …); give your own prompts, "
            f"or a preset whose name contains {' or '.join(MULTILINGUAL)}"
        )
    return task_prompts(task)


def _require_askable(task, prompts):
    multi = [head.name for head in task.multi_label]
    if multi:
        raise InputError(
            f"zero-shot chooses one class a head, but {', '.join(multi)} may have several; "
            "leave such heads out of the task"
        )
    silent = [
        f"{head.name}:{name}"
        for head in task.heads
        for name in head.classes
        if not prompts.get(head.name, {}).get(name)
    ]
    if silent:
        raise InputError(
            f"{len(silent)} classes have no prompt ({', '.join(silent[:3])}, …); "
            "give every class of every head at least one sentence"
        )


def _unit(vectors):
    vectors = np.asarray(vectors, np.float32)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def _softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
