"""What the work runs on: versions for a run's record, and the machine for a notebook's first cell."""

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import subprocess
from pathlib import Path

from kfashion_utils.errors import InputError

BACKENDS = ("tensorflow", "jax")
PACKAGES = ("keras", "tensorflow", "jax", "numpy", "pandas", "pillow", "opencv-python-headless", "scikit-learn")


def require_backend():
    """Refuse a backend of Keras that this package is not tested on, or that is not installed, before Keras is imported.

    Raises:
        InputError: with what `KERAS_BACKEND` may be.
    """
    name = os.environ.get("KERAS_BACKEND") or BACKENDS[0]
    known = " or ".join(BACKENDS)
    if name not in BACKENDS:
        raise InputError(
            f"KERAS_BACKEND={name}: this package runs on Keras' {known}; set it to one of them, or unset it"
        )
    if importlib.util.find_spec(name) is None:
        raise InputError(f"KERAS_BACKEND={name}, and {name} is not installed: pip install {name}, or set it to {known}")


def versions():
    """{package: version} of what a result depends on.

    Python is among them, and the commit of this package (`unknown` without git).
    """
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue  # another backend's package, or another build of OpenCV
    found["commit"] = _output("git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD") or "unknown"
    return found


def describe_machine(folder="."):
    """One line: cores, memory, room on the disk of `folder`, GPU."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    free = shutil.disk_usage(folder).free / 1e9
    gpu = _output("nvidia-smi", "--query-gpu=name", "--format=csv,noheader").replace("\n", ", ") or "no GPU"
    return f"{os.cpu_count()} cores, {memory:.0f} GB of memory, {free:.0f} GB free on the disk, {gpu}"


def _output(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
