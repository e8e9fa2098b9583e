"""Data flows one way: a package imports only packages above it, its modules import one way, and only the marked ones import Keras."""

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import kfashion_utils

PACKAGE = Path(kfashion_utils.__file__).parent
ROOT = ("errors", "environment", "recipes")  # modules at the top of the package, which everything may import
ORDER = [
    *ROOT, "storage", "tables", "datasets", "images", "evaluation", "runs", "plots", "models", "training", "audit",
    "reports", "cli", "__main__",
]  # fmt: skip
KERAS = {"models", "training"}
TENSORFLOW = {"training.devices", "training.explanation", "models.export"}
FILES = sorted(PACKAGE.rglob("*.py"))


def module_name(path):
    """`training/train.py` -> `training.train`; the root's `__init__` is empty text."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix("__init__").rstrip(".")


MODULES = {module_name(path): ast.parse(path.read_text(encoding="utf-8")) for path in FILES}


def imports(tree):
    """(module, whether it is imported when the file is) of every import."""
    within = {id(node) for function in functions(tree) for node in ast.walk(function)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) not in within) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module, id(node) not in within
            yield from ((f"{node.module}.{alias.name}", id(node) not in within) for alias in node.names)


def functions(tree):
    return [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.Lambda))]


def own_imports(tree):
    """Names of the modules of this package that a module imports, anywhere in it."""
    found = {name.removeprefix("kfashion_utils.") for name, _ in imports(tree) if name.startswith("kfashion_utils.")}
    whole = {
        name for name in found if any(other.startswith(f"{name}.") for other in found)
    }  # `from package import module`
    return (found - whole) & MODULES.keys()


@pytest.mark.parametrize("name", [name for name in MODULES if name])
def test_packages_import_from_those_above_only(name):
    here = name.partition(".")[0]
    assert here in ORDER, f"{name} has no place in the order of packages"
    for other in own_imports(MODULES[name]):
        there = other.partition(".")[0]
        assert ORDER.index(there) <= ORDER.index(here), f"{name} imports {other}, which stands below it"


@pytest.mark.parametrize("package", [name for name in ORDER if (PACKAGE / name).is_dir()])
def test_modules_of_a_package_import_one_way(package):
    inside = {name: own_imports(tree) for name, tree in MODULES.items() if name.partition(".")[0] == package}
    graph = {name: {other for other in others if other in inside and other != name} for name, others in inside.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"these modules import each other: {' -> '.join(error.args[1])}")


def test_only_marked_packages_import_keras_and_tensorflow():
    for name, tree in MODULES.items():
        for imported, at_import in imports(tree):
            top = imported.partition(".")[0]
            if top in ("keras", "jax"):
                assert name.partition(".")[0] in KERAS or (name == "__main__" and not at_import), (
                    f"{name} imports {imported}"
                )
            if top == "tensorflow":
                assert name in TENSORFLOW and not at_import, f"{name} imports tensorflow"


def test_packages_have_nothing_of_their_own():
    for path in PACKAGE.rglob("__init__.py"):
        if module_name(path) not in ("", "datasets", "datasets.sample"):
            assert not path.read_text(encoding="utf-8"), path


def test_the_rules_catch_who_breaks_them():
    tree = ast.parse(
        "import keras\ndef f():\n    from kfashion_utils.training import train\n    import tensorflow as tf"
    )
    assert dict(imports(tree)) == {
        "keras": True, "kfashion_utils.training": False, "kfashion_utils.training.train": False, "tensorflow": False,
    }  # fmt: skip
    assert own_imports(tree) == {"training.train"}


def loaded_by(code):
    probe = f"import sys; {code}; print(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    return subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.parametrize(
    "code",
    [
        "import kfashion_utils",
        "from kfashion_utils.__main__ import main; main(['--help'])",
        "import kfashion_utils.cli.commands",
        "import kfashion_utils as kf; kf.Preprocess, kf.TrainConfig, kf.evaluate, kf.write_submission, kf.build_catalog, kf.report, kf.plot_counts",
    ],
)
def test_keras_is_not_loaded_before_it_is_needed(code):
    assert not {"keras", "tensorflow", "jax"} & set(loaded_by(code))


@pytest.mark.parametrize(
    "code", ["import kfashion_utils", "from kfashion_utils.__main__ import main; main(['--help'])"]
)
def test_importing_and_help_load_nothing_heavy(code):
    assert not {"pandas", "numpy", "cv2", "sklearn", "matplotlib"} & set(loaded_by(code))


def test_the_catalog_loads_no_picture_library():
    assert not {"cv2", "PIL", "keras"} & set(
        loaded_by("import kfashion_utils as kf; kf.read_catalog, kf.split_catalog, kf.build_catalog")
    )


def test_every_public_name_is_there():
    for name in kfashion_utils.__all__:
        assert getattr(kfashion_utils, name).__doc__, name
    with pytest.raises(AttributeError, match="has no 'nonsense'"):
        kfashion_utils.nonsense  # noqa: B018
