"""Data flows one way: a package imports only packages above it, its modules import one way, only the marked ones import
Keras."""

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import kfashion_utils
from docs.make_map import KERAS, MAP, ORDER, draw, imported_modules, modules, room_of

PACKAGE = Path(kfashion_utils.__file__).parent
TENSORFLOW = {"training.devices", "models.export"}  # jax, too
WITH_NAMES = {"__init__.py", "datasets/__init__.py", "datasets/sample/__init__.py"}  # the other `__init__`s are empty
MODULES = modules()


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


@pytest.mark.parametrize("name", MODULES)
def test_packages_import_from_those_above_only(name):
    here = ORDER.index(room_of(name))
    for other in imported_modules(MODULES[name], MODULES):
        assert ORDER.index(room_of(other)) <= here, f"{name} imports {other}, which stands below it"


def test_every_package_has_a_place():
    packages = {path.name for path in PACKAGE.iterdir() if path.is_dir() and list(path.glob("*.py"))}
    assert packages | {"(root)", "__main__"} == set(ORDER)


@pytest.mark.parametrize("package", ORDER)
def test_modules_of_a_package_import_one_way(package):
    inside = {name: imported_modules(tree, MODULES) for name, tree in MODULES.items() if room_of(name) == package}
    graph = {name: (others & inside.keys()) - {name} for name, others in inside.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"these modules import each other: {' -> '.join(error.args[1])}")


def test_only_marked_packages_import_keras_and_tensorflow():
    for name, tree in MODULES.items():
        for imported, at_import in imports(tree):
            top = imported.partition(".")[0]
            if top == "keras":
                allowed = room_of(name) in KERAS or (name == "__main__" and not at_import)
                assert allowed, f"{name} imports {imported}"
            if top in ("tensorflow", "jax"):
                assert name in TENSORFLOW and not at_import, f"{name} imports {imported}"


def test_packages_have_nothing_of_their_own():
    for path in PACKAGE.rglob("__init__.py"):
        if path.relative_to(PACKAGE).as_posix() not in WITH_NAMES:
            assert not path.read_text(encoding="utf-8"), path


def test_the_map_is_drawn_from_these_imports():
    assert MAP.read_text(encoding="utf-8") == draw(), "docs/map.svg is stale: make map"


def test_the_rules_catch_who_breaks_them():
    tree = ast.parse(
        "import keras\ndef f():\n    from kfashion_utils.training import train\n    import tensorflow as tf"
    )
    assert dict(imports(tree)) == {
        "keras": True, "kfashion_utils.training": False, "kfashion_utils.training.train": False, "tensorflow": False,
    }  # fmt: skip
    assert imported_modules(tree, MODULES) == {"training.train"}


def loaded_by(code):
    probe = f"import sys; {code}; print(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    return subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.parametrize(
    "code",
    [
        "import kfashion_utils",
        "from kfashion_utils.__main__ import main; main(['--help'])",
        "import kfashion_utils.cli.data, kfashion_utils.cli.models, kfashion_utils.cli.results",
        "import kfashion_utils as kf; kf.Preprocess, kf.TrainConfig, kf.evaluate, kf.write_submission, "
        "kf.build_catalog, kf.report, kf.plot_counts",
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
