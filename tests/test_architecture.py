"""Data flows one way: a module imports only from rows above it, and only the marked ones import Keras."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import kfashion_utils

PACKAGE = Path(kfashion_utils.__file__).parent
ORDER = [
    "errors", "environment", "labels", "tasks", "storage", "shards", "drive", "archives", "formats", "images", "catalog", "views", "datasets", "pixels", "preprocess", "runs", "evaluation", "intervals", "calibration", "comparison", "submission", "logistic",
    "losses", "inputs", "backbones", "hub", "models", "features", "heads", "prediction", "checkpoints", "devices", "fine_tuning", "training", "explain", "hashes", "label_errors", "crops", "audit", "plots", "data_figures", "audit_sheets", "report_page", "report_recipe", "report_scores", "report_pictures", "report", "leaderboard", "demo", "commands", "__main__",
]  # fmt: skip
KERAS = {"explain", "losses", "devices", "fine_tuning", "inputs", "backbones", "hub", "models", "features", "heads", "training", "prediction"}
TENSORFLOW = {"devices", "explain", "export"}


def row(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return parts[0]


def imports(tree):
    """(module, whether at the top of the file) of every import."""
    top = set(ast.walk(ast.Module(tree.body, []))) and {id(node) for node in tree.body}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) in top) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module, id(node) in top
            yield from ((f"{node.module}.{alias.name}", id(node) in top) for alias in node.names)


FILES = [path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py" or path.parent != PACKAGE]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_modules_import_from_rows_above_only(path):
    here = row(path)
    assert here in ORDER, f"{path} has no place in the order of modules"
    for module, at_top in imports(ast.parse(path.read_text(encoding="utf-8"))):
        first, _, rest = module.partition(".")
        if first == "kfashion_utils" and rest and rest.split(".")[0] in ORDER:
            there = rest.split(".")[0]
            assert ORDER.index(there) <= ORDER.index(here), f"{here} imports {there}, which stands below it"
        if first == "keras":
            assert here in KERAS or (here == "__main__" and not at_top)
        if first == "tensorflow":
            assert here in TENSORFLOW and not at_top


def loaded_by(code):
    probe = f"import sys; {code}; print(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    return subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.parametrize(
    "code",
    [
        "import kfashion_utils",
        "from kfashion_utils.__main__ import main; main(['--help'])",
        "import kfashion_utils.commands",
        "import kfashion_utils as kf; kf.Preprocess, kf.TrainConfig, kf.evaluate, kf.write_submission, kf.build_catalog, kf.report, kf.plot_counts",
    ],
)
def test_keras_is_not_loaded_before_it_is_needed(code):
    assert not {"keras", "tensorflow", "jax"} & set(loaded_by(code))


@pytest.mark.parametrize("code", ["import kfashion_utils", "from kfashion_utils.__main__ import main; main(['--help'])"])
def test_importing_and_help_load_nothing_heavy(code):
    assert not {"pandas", "numpy", "cv2", "sklearn", "matplotlib"} & set(loaded_by(code))


def test_every_public_name_is_there():
    for name in kfashion_utils.__all__:
        assert getattr(kfashion_utils, name).__doc__, name
    with pytest.raises(AttributeError, match="has no 'nonsense'"):
        kfashion_utils.nonsense  # noqa: B018
