"""Form of the notebooks on every push; the slow suite executes them from clean."""

import os
import re
import sys
from pathlib import Path

import nbformat
import pytest

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
    assert sum(len(cell.source.splitlines()) for cell in code) <= 150
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
