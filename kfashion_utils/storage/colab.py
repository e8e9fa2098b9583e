"""Colab's mounted Google Drive. It is mounted when somebody names a path on it, never by itself."""

import os
from pathlib import Path

from kfashion_utils.errors import InputError

MOUNT = Path("/content/drive")


def is_on_drive(path):
    """Whether a path lies on the mounted Drive, or is a link to it."""
    places = os.path.abspath(path), os.path.realpath(path)
    return any(Path(place).is_relative_to(MOUNT) for place in places)


def require_mounted(path):
    """Mount Drive where a path lies on it and it is not mounted.

    Raises:
        InputError: not in Colab.
    """
    if is_on_drive(path):
        mount_drive()


def mount_drive(again=False):
    """Mount Google Drive.

    Raises:
        InputError: not in Colab.
    """
    if os.path.ismount(MOUNT) and not again:
        return
    try:
        from google.colab import drive
    except ImportError as error:
        where = f"{MOUNT} is where Colab mounts Google Drive, and this is not Colab"
        raise InputError(f"{where}; name a plain folder") from error
    drive.mount(str(MOUNT), force_remount=again)


def flush_and_unmount():
    """Make Drive upload what it holds back.

    Raises:
        ValueError: it took too long.
    """
    from google.colab import drive

    drive.flush_and_unmount()
