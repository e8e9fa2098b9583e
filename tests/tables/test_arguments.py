"""A path is taken wherever a table is, and messages name what the caller wrote: arguments or flags."""

import inspect

import pandas as pd
import pytest

import kfashion_utils as kf
from kfashion_utils.__main__ import main
from kfashion_utils.errors import InputError
from kfashion_utils.tables.arguments import READERS


@pytest.fixture
def files(tmp_path):
    """(catalog file, predictions file) of four photographs, three of them answered rightly."""
    catalog = pd.DataFrame({"id": list("abcd"), "path": [f"{name}.jpg" for name in "abcd"], "label": list("xyxy")})
    answers = pd.DataFrame({"id": list("abcd"), "photo": list("abcd"), "label": list("xyxx")})
    scores = (answers["label"] == "x") * 0.6 + 0.2
    kf.write_catalog(kf.split_catalog(catalog, valid=0.5), tmp_path / "kf.csv")
    kf.write_predictions(answers.assign(**{"label:x": scores, "label:y": 1 - scores}), tmp_path / "p.csv")
    return tmp_path / "kf.csv", str(tmp_path / "p.csv")


def test_a_path_is_taken_where_a_table_is(files):
    catalog, predictions = files
    figures = kf.evaluate(predictions, catalog)
    assert figures == kf.evaluate(kf.read_predictions(predictions), catalog=kf.read_catalog(catalog))
    assert figures["label"]["accuracy"] == 0.75
    assert len(kf.ensemble([predictions, kf.read_predictions(predictions)])) == 4
    assert kf.count_classes(catalog).to_numpy().sum() == kf.count_classes(kf.read_catalog(catalog)).to_numpy().sum()
    with pytest.raises(InputError, match="no catalog at nowhere.csv"):
        kf.train("nowhere.csv", ".", "run")


def test_every_public_function_that_takes_a_table_takes_its_path():
    for name in kf.__all__:
        function = getattr(kf, name)
        if not inspect.isfunction(function):
            continue
        if any(one in READERS for one in inspect.signature(function).parameters):
            with pytest.raises(InputError, match="no (catalog|predictions) at nowhere.csv"):
                function(**{one: "nowhere.csv" for one in needed(function)})


def needed(function):
    """The names of the parameters without a default."""
    parameters = inspect.signature(function).parameters.values()
    return [one.name for one in parameters if one.default is one.empty or one.name in READERS]


def test_messages_name_arguments_in_python_and_flags_in_a_shell(files, tmp_path, capsys):
    with pytest.raises(InputError, match="^valid=0.9 and test=0.3: "):
        kf.split_catalog(files[0], valid=0.9, test=0.3)
    assert main(["split", str(files[0]), "--out", str(tmp_path / "o.csv"), "--valid", ".9", "--test", ".3"]) == 2
    assert "kfashion split: --valid 0.9 and --test 0.3: " in capsys.readouterr().err
    arguments = [str(files[0]), "--root", str(tmp_path), "--run", str(tmp_path / "r")]
    assert main(["train", *arguments, "--weight-decay", "2", "--backbone", "tiny"]) == 2
    assert "--weight-decay 2.0: expected a share" in capsys.readouterr().err
