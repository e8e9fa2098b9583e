"""Encoders of KerasHub with random weights, saved as presets on the spot; nothing is downloaded."""

import ast
import json
import shutil
import struct
import sys
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pandas as pd
import pytest

keras_hub = pytest.importorskip("keras_hub")

from keras_hub import layers, models  # noqa: E402

from kfashion_utils.cli import models as commands  # noqa: E402
from kfashion_utils.errors import InputError  # noqa: E402
from kfashion_utils.models import encoders as hub  # noqa: E402
from kfashion_utils.models import zero_shot as asking  # noqa: E402
from kfashion_utils.models.model import build_model  # noqa: E402
from kfashion_utils.tables import tasks  # noqa: E402
from kfashion_utils.tables.labels import Head, Task  # noqa: E402
from kfashion_utils.tables.predictions import prediction_table  # noqa: E402
from kfashion_utils.training.batches import Batches  # noqa: E402

TOKENS = 40
SIZES = {"num_layers": 2, "hidden_dim": 16, "num_heads": 2, "intermediate_dim": 32}
PLAIN = {"num_layers": 2, "hidden_dim": 16, "num_heads": 2, "mlp_dim": 32}
STATED = {
    "scale": [0.011, 0.012, 0.013],
    "offset": [-1.0, -1.5, -2.0],
}  # of no family: it can only come from the preset
TWO = Task("two", (Head("style", ("힙합", "펑크", "모던")), Head("season", ("summer", "winter"))))


def clip():
    vision = models.CLIPVisionEncoder(patch_size=8, image_shape=(32, 32, 3), **SIZES)
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]  # how byte-level pairs write the 256 bytes
    letters = [chr(code) for code in printable] + [chr(256 + number) for number in range(256 - len(printable))]
    pieces = [
        *letters,
        *(letter + "</w>" for letter in letters),
        "re",
        "<|startoftext|>",
        "<|endoftext|>",
    ]  # the end has the highest id
    text = models.CLIPTextEncoder(vocabulary_size=len(pieces), embedding_dim=16, max_sequence_length=TOKENS, **SIZES)
    tokenizer = models.CLIPTokenizer(vocabulary={piece: number for number, piece in enumerate(pieces)}, merges=["r e"])
    converter = layers.CLIPImageConverter(image_size=(32, 32), interpolation="bicubic", antialias=True, **STATED)
    return models.CLIPBackbone(vision, text, projection_dim=12), models.CLIPPreprocessor(
        tokenizer, converter, sequence_length=TOKENS
    )


def siglip():
    vision = models.SigLIPVisionEncoder(patch_size=8, image_shape=(32, 32, 3), **SIZES)
    pieces = ["<unk>", "<s>", "</s>", "▁", *"abcdefghijklmnopqrstuvwxyz"]
    text = models.SigLIPTextEncoder(
        vocabulary_size=len(pieces), embedding_dim=16, max_sequence_length=TOKENS, projection_dim=16, **SIZES
    )
    backbone = models.SigLIPBackbone(vision, text)
    backbone.siglip_head.logit_scale.assign(1.5)
    backbone.siglip_head.logit_bias.assign(-3.0)
    converter = layers.SigLIPImageConverter(image_size=(32, 32), scale=1 / 127.5, offset=-1)
    return backbone, models.SigLIPPreprocessor(
        models.SigLIPTokenizer(sentence_pieces(pieces)), converter, sequence_length=TOKENS
    )


def sentence_pieces(pieces):
    """A sentencepiece model in protobuf's wire format: `pieces` = field 1 of {1: text, 2: score, 3: type}."""
    kinds = {"<unk>": 2, "<s>": 3, "</s>": 3}
    rows = [(piece.encode(), kinds.get(piece, 1)) for piece in pieces]
    rows = [
        b"\x0a" + bytes([len(piece)]) + piece + b"\x15" + struct.pack("<f", -1.0) + b"\x18" + bytes([kind])
        for piece, kind in rows
    ]
    return b"".join(b"\x0a" + bytes([len(row)]) + row for row in rows)


def vit(**options):
    return models.ViTBackbone(image_shape=(32, 32, 3), patch_size=8, **PLAIN, **options), layers.ViTImageConverter(
        image_size=(32, 32), **STATED
    )


def dinov2():
    backbone = models.DINOV2Backbone(
        patch_size=7, image_shape=(35, 35, 3), position_embedding_shape=(35, 35, 3), num_register_tokens=2, **SIZES
    )
    return backbone, layers.DINOV2ImageConverter(image_size=(35, 35), **STATED)


def resnet():
    backbone = models.ResNetBackbone(
        input_conv_filters=[64], input_conv_kernel_sizes=[7], stackwise_num_filters=[64, 64], stackwise_num_blocks=[1,
        1],
        stackwise_num_strides=[1, 2], block_type="basic_block",
    )  # fmt: skip
    return backbone, layers.ResNetImageConverter(image_size=(32, 32), **STATED)


MADE = {
    "clip": clip,
    "siglip": siglip,
    "vit": vit,
    "vit_without_token": lambda: vit(use_class_token=False),
    "dinov2": dinov2,
    "resnet": resnet,
}
POOLED_BY_HAND = {
    "clip": lambda backbone, values: backbone.vision_pooler(backbone.vision_encoder({"images": values})),
    "siglip": lambda backbone, values: backbone.vision_encoder({"images": values}),
    "vit": lambda backbone, values: backbone(values)[:, 0],
    "vit_without_token": lambda backbone, values: keras.ops.mean(backbone(values), axis=1),
    "dinov2": lambda backbone, values: backbone({"images": values})[:, 0],
    "resnet": lambda backbone, values: keras.layers.GlobalAveragePooling2D()(backbone(values)),
}


OTHERS = {  # the smallest of every other row
    "DINOV3Backbone": {"patch_size": 8, "image_shape": (32, 32, 3), **SIZES},
    "DeiTBackbone": {"patch_size": 8, "image_shape": (32, 32, 3), **SIZES},
    "SwinTransformerBackbone": {"image_shape": (64, 64, 3), "embed_dim": 8, "depths": (1, 1), "num_heads": (1, 1),
    "window_size": 4},
    "MiTBackbone": {
        "layerwise_depths": [1], "num_layers": 1, "layerwise_num_heads": [1], "layerwise_sr_ratios": [2],
        "max_drop_path_rate": 0.1,
        "layerwise_patch_sizes": [7], "layerwise_strides": [4], "hidden_dims": [8], "image_shape": (32, 32, 3),
    },
    "EfficientNetBackbone": {
        "stackwise_width_coefficients": [1.0], "stackwise_depth_coefficients": [1.0], "stackwise_kernel_sizes": [3],
        "stackwise_num_repeats": [1],
        "stackwise_input_filters": [8], "stackwise_output_filters": [8], "stackwise_expansion_ratios": [1],
        "stackwise_strides": [2],
        "stackwise_squeeze_and_excite_ratios": [0.25], "stackwise_block_types": ["v1"],
    },
    "MobileNetBackbone": {
        "stackwise_expansion": [[8]], "stackwise_num_blocks": [1], "stackwise_num_filters": [[8]],
        "stackwise_kernel_size": [[3]],
        "stackwise_num_strides": [[2]], "stackwise_se_ratio": [[None]], "stackwise_activation": [["relu"]],
        "stackwise_padding": [[1]],
        "output_num_filters": 8, "input_num_filters": 8, "input_activation": "relu", "output_activation": "relu",
        "depthwise_filters": 8,
        "depthwise_stride": 2, "depthwise_residual": False, "squeeze_and_excite": None, "last_layer_filter": 8,
    },
    "DenseNetBackbone": {"stackwise_num_repeats": [1], "growth_rate": 8},
    "VGGBackbone": {"stackwise_num_repeats": [1], "stackwise_num_filters": [8]},
    "CSPNetBackbone": {
        "stem_filters": 8, "stem_kernel_size": 3, "stem_strides": 1, "stackwise_depth": [1, 1],
        "stackwise_strides": [1, 2],
        "stackwise_num_filters": [8, 8], "block_type": "dark_block", "stage_type": "dark", "bottle_ratio": (1.0, 1.0),
    },
    "XceptionBackbone": {"stackwise_conv_filters": [[8, 16], [16, 32]], "stackwise_pooling": [True, False]},
}  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """{kind: (folder, backbone, its preprocessor or image converter)}."""
    keras.utils.set_random_seed(0)
    found = {}
    for kind, make in MADE.items():
        folder = tmp_path_factory.mktemp("presets") / kind
        backbone, before = make()
        backbone.save_to_preset(str(folder))
        before.save_to_preset(str(folder))
        found[kind] = folder, backbone, before
    return found


def pictures(size, number=3):
    return np.random.default_rng(1).integers(0, 256, (number, size, size, 3)).astype(np.float32)


def converter(before):
    return getattr(before, "image_converter", before)


def tokenized(kind, folder, sentences):
    """Token ids as the preset's own preprocessor makes them. It is read anew: on Colab's pins TensorFlow drops a
    tokenizer's table whenever a seed is set."""
    preprocessor = {"clip": models.CLIPPreprocessor, "siglip": models.SigLIPPreprocessor}[kind]
    inputs = {"images": pictures(32, len(sentences)), "prompts": sentences}
    return numpy(preprocessor.from_preset(str(folder))(inputs)["token_ids"])


def numpy(values):
    return np.asarray(keras.ops.convert_to_numpy(values))


CASES = [
    ("clip", 48),
    ("siglip", 48),
    ("vit", 32),
    ("vit", 48),
    ("vit_without_token", 48),
    ("dinov2", 35),
    ("resnet", 32),
]


@pytest.mark.parametrize(("kind", "size"), CASES)
def test_features_equal_the_encoder_called_by_hand(made, kind, size):
    folder, backbone, before = made[kind]
    pixels = pictures(size)
    features = hub.build_encoder(folder, size).predict(pixels, verbose=0)
    by_hand = numpy(POOLED_BY_HAND[kind](backbone, numpy(converter(before)(pixels))))
    assert features.dtype == np.float32 and features.shape == by_hand.shape == (3, by_hand.shape[1])
    np.testing.assert_allclose(features, by_hand, atol=1e-5)
    assert np.ptp(features, axis=0).max() > 1e-3  # three pictures, three answers


@pytest.mark.parametrize(("kind", "size", "levels"), [("resnet", 32, "P2 P3"), ("dinov2", 35, "stage1 stage2")])
def test_stages_are_the_last_two_levels_of_a_pyramid(made, kind, size, levels):
    folder, backbone, before = made[kind]
    pixels = pictures(size)
    model = build_model(TWO, f"hub:{folder}", size, "preset", taps="stages")
    features = keras.Model(model.input, model.get_layer("features").output).predict(pixels, verbose=0)
    outputs = [backbone.pyramid_outputs[level] for level in levels.split()]
    pyramid = keras.Model(backbone.input, outputs)
    values = numpy(converter(before)(pixels))
    maps = [np.asarray(one) for one in pyramid({"images": values} if kind == "dinov2" else values)]
    flat = [one.reshape(len(pixels), -1, one.shape[-1]) for one in maps]
    parts = [(one.mean(axis=1), np.sqrt(one.var(axis=1) + 1e-6), one.max(axis=1)) for one in flat]
    np.testing.assert_allclose(features, np.concatenate([each for of_map in parts for each in of_map], 1), atol=1e-4)


@pytest.mark.parametrize("name", OTHERS)
def test_every_other_row_pools_to_one_vector(name):
    if not hasattr(models, name):
        pytest.skip(f"this KerasHub has no {name}")
    backbone = getattr(models, name)(**OTHERS[name])
    shape = hub.POOLINGS[hub.FAMILIES[name].pooling](backbone.output).shape
    assert len(shape) == 2 and shape[1] > 1


def test_every_row_is_tested(made):
    assert {type(backbone).__name__ for _, backbone, _ in made.values()} | set(OTHERS) == set(hub.FAMILIES)


def test_uint8_is_taken_as_it_is(made):
    encoder, pixels = hub.build_encoder(f"hub:{made['vit'][0]}", 48), pictures(48)
    np.testing.assert_allclose(
        encoder.predict(pixels.astype(np.uint8), verbose=0), encoder.predict(pixels, verbose=0), atol=1e-5
    )


def test_an_encoder_of_any_size_sees_the_pictures_size(made):
    folder, _, before = made["dinov2"]
    pixels = pictures(30)
    features = hub.build_encoder(folder, 30).predict(pixels, verbose=0)
    before = layers.DINOV2ImageConverter(image_size=(28, 28), **STATED)  # four patches of seven
    backbone = models.DINOV2Backbone.from_preset(str(folder), image_shape=(28, 28, 3))
    np.testing.assert_allclose(features, numpy(backbone({"images": numpy(before(pixels))}))[:, 0], atol=1e-5)
    folder, backbone, _ = made["resnet"]
    pixels = pictures(64)
    scaled = pixels * STATED["scale"] + STATED["offset"]
    np.testing.assert_allclose(
        hub.build_encoder(folder, 64).predict(pixels, verbose=0), numpy(backbone(scaled)).mean(axis=(1, 2)), atol=1e-5
    )


@pytest.mark.parametrize("kind", ["vit", "resnet"])
def test_a_preset_without_converter_gets_its_familys_scaling(made, tmp_path, caplog, kind):
    folder, backbone, _ = made[kind]
    shutil.copytree(folder, tmp_path / "bare")
    (tmp_path / "bare" / "image_converter.json").unlink()
    features = hub.build_encoder(tmp_path / "bare", 32).predict(pictures(32), verbose=0)
    mean, deviation = hub.SCALINGS[{"vit": "half", "resnet": "imagenet"}[kind]]
    by_hand = POOLED_BY_HAND[kind](backbone, ((pictures(32) / 255 - mean) / deviation).astype(np.float32))
    np.testing.assert_allclose(features, numpy(by_hand), atol=1e-5)
    assert "states no pixel scaling" in caplog.text


def same_weights(one, two):
    return all(np.array_equal(a, b) for a, b in zip(one.get_weights(), two.get_weights(), strict=True))


def test_weights_come_from_the_preset_or_from_a_run(made, tmp_path):
    folder = made["clip"][0]
    one, two, random = (
        hub.build_encoder(folder, 48),
        hub.build_encoder(folder, 48),
        hub.build_encoder(folder, 48, weights=False),
    )
    assert same_weights(one, two) and not same_weights(one, random)
    one.save_weights(tmp_path / "run.weights.h5")
    random.load_weights(tmp_path / "run.weights.h5")
    assert same_weights(one, random)


def test_code_inside_a_preset_is_refused(made, tmp_path):
    shutil.copytree(made["clip"][0], tmp_path / "code")
    path = tmp_path / "code" / "config.json"
    config = json.loads(path.read_text())
    network = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Lambda(lambda pixels: pixels)])
    config["config"]["vision_encoder"] = keras.saving.serialize_keras_object(network)
    path.write_text(json.dumps(config))
    with pytest.raises(InputError, match="could not be loaded.*lambda"):
        hub.build_encoder(tmp_path / "code", 32)


@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_one_prompt_a_class_gives_the_models_own_logits(made, kind):
    folder, backbone, before = made[kind]
    task = Task("t", (Head("season", ("summer", "winter", "spring")),))
    prompts = {"season": {name: [f"a {name} day"] for name in task.heads[0].classes}}
    tokens = tokenized(kind, folder, ["a summer day", "a winter day", "a spring day"])
    images = numpy(converter(before)(pictures(48)))
    logits = numpy(backbone({"images": images, "token_ids": tokens})["vision_logits"])
    np.testing.assert_allclose(
        asking.zero_shot(folder, task, pictures(48), prompts), numpy(keras.ops.softmax(logits)), atol=1e-5
    )


@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_prompts_of_a_class_are_averaged_as_unit_vectors(made, kind):
    folder, backbone, before = made[kind]
    scores = asking.zero_shot(folder, TWO, pictures(32))
    assert scores.shape == (3, 5) and scores.dtype == np.float32
    image = numpy(backbone.get_vision_embeddings(numpy(converter(before)(pictures(32)))))
    image /= np.linalg.norm(image, axis=1, keepdims=True)
    scale = np.exp(numpy(getattr(backbone, f"{kind}_head").logit_scale))
    templates = {"style": asking.TEMPLATES["style"]["en"], "season": asking.TEMPLATES[""]["en"]}
    names = {"style": ("hip-hop", "punk", "modern"), "season": ("summer", "winter")}
    for head in TWO.heads:
        vectors = []
        for name in names[head.name]:
            sentences = [sentence.format(name) for sentence in templates[head.name]]
            text = numpy(backbone.get_text_embeddings(tokenized(kind, folder, sentences)))
            vector = (text / np.linalg.norm(text, axis=1, keepdims=True)).mean(axis=0)
            vectors.append(vector / np.linalg.norm(vector))
        powers = np.exp(scale * image @ np.array(vectors).T)
        np.testing.assert_allclose(
            scores[:, TWO.slices[head.name]], powers / powers.sum(axis=1, keepdims=True), atol=1e-5
        )


@pytest.mark.slow
def test_zero_shot_makes_a_predictions_table_from_batches(made):
    folder, pixels = made["clip"][0], pictures(32).astype(np.uint8)
    rows = pd.DataFrame({"id": ["a", "b", "c"], "photo": ["a", "b", "c"]})
    prepared = SimpleNamespace(pixels=lambda row: pixels["abc".index(row)])
    scores = asking.zero_shot(folder, TWO, Batches(prepared, rows["id"], batch_size=2))
    np.testing.assert_allclose(scores, asking.zero_shot(folder, TWO, pixels), atol=1e-5)
    assert list(prediction_table(TWO, rows, scores).columns) == ["id", "photo", "style", "season", *TWO.columns]


@pytest.mark.slow
def test_a_preset_is_a_backbone_like_any_other(made, colour_data, tmp_path):
    import kfashion_utils as kf

    root, catalog = colour_data
    preset = f"hub:{made['resnet'][0]}"
    options = {"preprocess": kf.Preprocess(size=32), "cache": tmp_path / "cache", "progress": False}
    config = kf.TrainConfig(backbone=preset)
    run = kf.train(catalog, root, tmp_path / "run", config=config, **options)
    assert run.config.weights == "preset" and run.config.taps == "last" and run.metrics["label"]["accuracy"] > 0.8
    assert len(kf.predict(run, catalog, root, split="valid", progress=False)) == 18
    assert kf.train(catalog, root, tmp_path / "run", config=config, **options).finished
    staged = kf.TrainConfig(backbone=preset, taps="stages")
    assert kf.train(catalog, root, tmp_path / "taps", config=staged, **options).metrics["label"]["accuracy"] > 0.8
    assert len(kf.predict(tmp_path / "taps", catalog, root, split="valid", progress=False)) == 18
    for refused, message in (
        ({"taps": "stages", "backbone": f"hub:{made['vit'][0]}"}, "gives one vector a picture, no stages: .*ResNetB"),
        ({"taps": "stages", "backbone": "hub:clip_vit_base_patch32"}, "gives one vector a picture, no stages"),
        ({"sizes": (32, 64), "backbone": preset}, "sees a picture at one size"),
    ):
        with pytest.raises(InputError, match=message):
            kf.train(catalog, root, tmp_path / "refused", config=kf.TrainConfig(**refused), **options)
    answers = kf.predict_zero_shot(
        f"hub:{made['clip'][0]}", catalog, root, task=ZERO, preprocess=kf.Preprocess(size=32), progress=False
    )
    assert len(answers) == 45 and answers.columns[:3].tolist() == ["id", "photo", "style"]
    kf.write_catalog(catalog.rename(columns={"label": "style"}).assign(style="모던"), tmp_path / "c.csv")
    preset = (f"hub:{made['clip'][0]}",)
    commands.predict(preset, catalog=tmp_path / "c.csv", root=root, out=tmp_path / "p.csv", split="valid")
    assert len(kf.read_predictions(tmp_path / "p.csv")) == 18
    with pytest.raises(InputError, match="alone"):
        commands.predict(preset * 2, catalog=tmp_path / "c.csv", root=root, out=tmp_path / "p.csv")


ZERO = Task("t", (Head("style", ("모던", "펑크")),))


def test_korean_prompts_go_to_encoders_that_read_korean(made):
    assert asking.task_prompts(TWO, ("en", "ko"))["style"]["힙합"][-1] == "힙합 룩"
    assert asking._default_prompts("siglip2_base_patch16_256", TWO) == asking.task_prompts(TWO, ("en", "ko"))
    assert asking._default_prompts("clip_vit_base_patch32", TWO) == asking.task_prompts(TWO)
    assert all(
        text.isascii() for prompts in asking.task_prompts(tasks.TASKS["style"])["style"].values() for text in prompts
    )
    with pytest.raises(InputError, match="reads English only and 15 classes have no English name"):
        asking.zero_shot(made["clip"][0], tasks.TASKS["fashion_how"], pictures(32))


def test_an_unknown_preset_is_answered_with_the_nearest_names():
    with pytest.raises(
        InputError, match=r"unknown preset 'clip_vit_base_16'.*nearest are clip_vit_base_patch16"
    ) as raised:
        hub.build_encoder("hub:clip_vit_base_16", 224)
    assert "\n" not in str(raised.value)
    with pytest.raises(InputError, match="unknown preset 'bert_base_en'"):
        hub.build_encoder("bert_base_en", 224)


def test_a_folder_that_is_none_and_an_encoder_of_words(tmp_path):
    with pytest.raises(InputError, match="has no config.json.*that save_to_preset wrote"):
        hub.build_encoder(tmp_path, 224)
    words = models.BertBackbone(
        vocabulary_size=9, num_layers=1, num_heads=1, hidden_dim=4, intermediate_dim=4, max_sequence_length=4
    )
    words.save_to_preset(str(tmp_path))
    with pytest.raises(InputError, match="is a BertBackbone, no image encoder.*known: CLIPBackbone"):
        hub.build_encoder(tmp_path, 224)


def test_without_network_it_says_so(monkeypatch):
    def unreachable(*arguments, **options):
        raise ConnectionError("Max retries exceeded")

    monkeypatch.setattr(models.Backbone, "from_preset", unreachable)
    for preset in ("clip_vit_base_patch32", "hf://openai/clip", "kaggle://keras/clip/keras/clip_vit_base_patch32"):
        with pytest.raises(InputError, match="Max retries exceeded.*fetched at first use, so check the network"):
            hub.build_encoder(preset, 224)


def test_without_keras_hub_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "keras_hub", None)
    with pytest.raises(InputError, match=r"pip install 'kfashion_utils\[hub\]'"):
        hub.build_encoder("clip_vit_base_patch32", 224)


def test_what_zero_shot_refuses(made, tmp_path):
    with pytest.raises(InputError, match="reads no text; zero-shot needs CLIP or SigLIP: clip_vit_base_patch16"):
        asking.zero_shot(made["vit"][0], TWO, pictures(32))
    with pytest.raises(InputError, match="one class a head, but print may have several"):
        asking.zero_shot(made["clip"][0], Task("t", (Head("print", ("dot", "check"), multi=True),)), pictures(32))
    with pytest.raises(InputError, match="2 classes have no prompt .season:summer, season:winter"):
        asking.zero_shot(made["clip"][0], TWO, pictures(32), asking.task_prompts(Task("t", TWO.heads[:1])))
    shutil.copytree(made["clip"][0], tmp_path / "mute")
    (tmp_path / "mute" / "tokenizer.json").unlink()
    (tmp_path / "mute" / "preprocessor.json").unlink()
    with pytest.raises(InputError, match="tokenizer.json.*with everything that this call reads"):
        asking.zero_shot(tmp_path / "mute", TWO, pictures(32))


def test_rows_name_what_keras_hub_has():
    names = hub.presets()
    assert {
        "clip_vit_base_patch32",
        "siglip2_base_patch16_256",
        "dinov2_base",
        "vit_base_patch16_224_imagenet",
        "resnet_50_imagenet",
    } <= set(names)
    assert set(hub.presets(text=True)) < set(names) and all("lip" in name for name in hub.presets(text=True))
    for name, row in hub.FAMILIES.items():
        assert row.pooling in hub.POOLINGS and row.scaling in hub.SCALINGS
        assert row.text is None or hasattr(models, row.text[0]), name


def test_keras_hub_is_imported_inside_functions_only():
    tree = ast.parse(Path(hub.__file__).read_text(encoding="utf-8"))
    assert not any(
        "keras_hub" in ast.dump(node) for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))
    )


def test_batch_norms_of_a_preset_stay_as_they_are(made):
    """The last here: `build_model` sets the global seed, and with Colab's TensorFlow a tokenizer made before that does
    not work any more."""
    folder, _, _ = made["resnet"]
    model = build_model(TWO, f"hub:{folder}", 32, "preset", taps="last")
    before = [numpy(variable) for variable in model.get_layer("backbone").non_trainable_variables]
    assert any("moving" in variable.path for variable in model.variables)
    model.compile("sgd", lambda wanted, given: keras.ops.mean((wanted - given) ** 2, axis=-1))
    model.fit(pictures(32, 8), np.zeros((8, 5), np.float32), verbose=0)
    for old, variable in zip(before, model.get_layer("backbone").non_trainable_variables, strict=True):
        np.testing.assert_array_equal(old, numpy(variable))
