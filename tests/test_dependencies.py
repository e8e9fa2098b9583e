"""What the package imports is declared: in requirements.txt, or in an extra of pyproject.toml where it is optional."""

import ast
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[1]
DISTRIBUTIONS = {  # module: the distribution that brings it, where the names differ
    "PIL": "pillow",
    "cv2": "opencv-python-headless",
    "keras_hub": "keras-hub",
    "sklearn": "scikit-learn",
}
NOT_DECLARED = {  # distribution: why not
    "google": "google.colab: there in Colab and nowhere else",
}


def imported():
    """{distribution: modules of the package that import it}."""
    found = {}
    for path in sorted((ROOT / "kfashion_utils").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for top in {name.partition(".")[0] for name in names} - sys.stdlib_module_names - {"kfashion_utils"}:
                modules = found.setdefault(DISTRIBUTIONS.get(top, top), [])
                modules.append(path.relative_to(ROOT).as_posix())
    return found


def required():
    """The Requirements of requirements.txt."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def optional():
    """The Requirements of the extras, but for those of `dev`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    return [Requirement(text) for extra, texts in extras.items() if extra != "dev" for text in texts]


def pins(name):
    """{distribution: version} of a file of constraints."""
    lines = (ROOT / "constraints" / name).read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if "==" in line)


def test_every_import_is_declared():
    declared = {requirement.name for requirement in [*required(), *optional()]}
    for name, modules in imported().items():
        assert name in declared or name in NOT_DECLARED, (
            f"{', '.join(modules)} import {name}; add it to requirements.txt"
        )


def test_everything_declared_is_imported():
    assert {requirement.name for requirement in [*required(), *optional()]} <= imported().keys()


def test_what_is_not_declared_is_imported_somewhere():
    assert NOT_DECLARED.keys() <= imported().keys()


@pytest.mark.parametrize("name", ["colab.txt", "latest.txt"])
def test_the_tested_versions_satisfy_what_is_declared(name):
    versions = pins(name)
    for requirement in [*required(), *optional()]:
        assert Version(versions[requirement.name]) in requirement.specifier, requirement
