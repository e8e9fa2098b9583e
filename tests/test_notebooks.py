"""Form of the notebooks on every push; the slow suite executes them from clean."""

import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest

import kfashion_utils as kf

FOLDER = Path(__file__).parents[1] / "notebooks"
sys.path.insert(0, str(FOLDER))
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def cells(notebook, kind):
    return [cell for cell in notebook.cells if cell.cell_type == kind]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_form(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code, text = cells(notebook, "code"), cells(notebook, "markdown")
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert len(text) * 2 >= len(code) and len(code) <= 30
    assert sum(len(cell.source.splitlines()) for cell in code[1:]) <= 140  # without the setup
    assert text[0].source.lstrip().startswith("[![") and "\n# " in text[0].source
    assert [cell for cell in code if "parameters" in cell.metadata.get("tags", [])]
    outputs = [output for cell in code for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert path.stat().st_size < 500_000
    assert not re.search(r"/(home|root|tmp|Users)/", path.read_text(encoding="utf-8"))
    assert notebook.metadata.kernelspec.name == "python3" and "widgets" not in notebook.metadata


def test_setup_cells_are_identical():
    assert len({cells(nbformat.read(path, as_version=4), "code")[0].source for path in NOTEBOOKS}) == 1


REAL = {"04_why_point_two": "clothing_small"}  # notebooks that read real photographs: their folder of the data


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_execution(path, tmp_path, monkeypatch):
    from make import execute

    if path.stem in REAL:
        data = Path(os.environ.get("KFASHION_DATA", FOLDER.parents[1] / "shared/data")).resolve()
        if not (data / REAL[path.stem]).is_dir():
            pytest.skip(f"no {REAL[path.stem]} below {data}")
        monkeypatch.setenv("KFASHION_DATA", str(data))
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    execute(path, tmp_path)


def code_with(stem, words):
    """The source of the one code cell of a notebook that holds some words."""
    notebook = nbformat.read(FOLDER / f"{stem}.ipynb", as_version=4)
    [source] = [cell.source for cell in cells(notebook, "code") if words in cell.source]
    return source


@pytest.mark.parametrize("box", [None, (2, 3, 25, 28)])
def test_ones_own_photograph_is_answered_as_the_text_says(run, colour_data, box):
    """The cell as it stands, with OWN and BOX set as its text tells."""
    root, catalog = colour_data
    shown = []
    own = str(root / catalog["path"][0])
    names = {"kf": SimpleNamespace(**vars(kf) | {name: getattr(kf, name) for name in ("open_image", "gloss")})}
    names["kf"].show_images = lambda images, captions: shown.append((images, captions))
    exec(code_with("00_quickstart", "OWN:"), names | {"run": run, "OWN": own, "BOX": box})
    [([picture], [caption])] = shown
    assert np.array_equal(picture, kf.open_image(own)) and caption.count("%") == 3
    scores = run.predict(own, boxes=box).filter(like=":").iloc[0]
    assert caption.startswith(f"{scores.idxmax().partition(':')[2]} {scores.max():.0%}")


def test_the_setup_cell_says_why_a_clone_failed_and_can_be_run_again(tmp_path):
    setup = code_with("00_quickstart", "REPOSITORY")
    blocked = (
        "import sys\n"
        "class Blocked:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'kfashion_utils': raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Blocked())\n"
    )
    environment = {**os.environ, "KFASHION_REPOSITORY": str(tmp_path / "nowhere"), "LC_ALL": "C"}
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", blocked + setup], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 1 and "Traceback" not in done.stderr
        assert "git clone" in done.stderr and "mend it and run this cell again" in done.stderr
        assert "does not exist" in done.stderr
        (tmp_path / "kfashion").mkdir(exist_ok=True)  # what a clone that was cut leaves


def test_the_address_of_the_project_stands_in_one_place():
    text = (FOLDER.parent / "pyproject.toml").read_text(encoding="utf-8")
    [address] = re.findall(r'^Repository = "(.*)"$', text, re.MULTILINE)
    for path in [*NOTEBOOKS, *FOLDER.parent.glob("README*.md")]:
        found = re.findall(r"(?:https://|/)github(?:\.com)?/([\w-]+/[\w-]+)", path.read_text(encoding="utf-8"))
        own = {name for name in found if name.endswith("/kfashion")}
        assert own <= {address.removeprefix("https://github.com/")}, path
    assert f'"{address}")' in code_with("00_quickstart", "REPOSITORY")
