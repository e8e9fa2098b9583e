"""`make notebooks`: execute every notebook in a fresh kernel, keep its outputs without what differs between runs."""

import shutil
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).parent
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def execute(path, folder, timeout=900):
    """The notebook of `path`, executed with `folder` as its working directory; raises if a cell fails."""
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook, timeout=timeout, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute()
    return notebook


def normalise(notebook):
    """Drop timings, progress bars and other traces of the machine; one kernel name."""
    notebook.metadata = {
        **{k: v for k, v in notebook.metadata.items() if k in ("accelerator", "colab")},
        "kernelspec": KERNEL,
    }
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:02d}"
        cell.metadata = {"tags": cell.metadata["tags"]} if cell.metadata.get("tags") else {}
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
            for output in cell.outputs:
                output.pop("metadata", None) if output.output_type == "stream" else output.metadata.clear()
    return notebook


def main(names):
    paths = [path for path in sorted(FOLDER.glob("*.ipynb")) if not names or path.stem in names]
    for path in paths:
        print(path.name, flush=True)
        folder = Path(tempfile.mkdtemp())
        try:
            notebook = normalise(execute(path, folder))
        finally:
            shutil.rmtree(folder)
        nbformat.write(notebook, path)


if __name__ == "__main__":
    main(sys.argv[1:])
