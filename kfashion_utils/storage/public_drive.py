"""A public file of Google Drive, fetched by `gdown` and continued where an earlier call ended."""

import inspect
import os

import requests

from kfashion_utils.errors import InputError
from kfashion_utils.storage.files import require_space
from kfashion_utils.storage.transfer import BUSY, CHUNK, PAGE_TEXT, TIMEOUT, length, page_title, refuse_page, retried

DRIVE_URL = "https://drive.google.com/uc?id={id}"


def fetch_drive(file_id, folder, size=None):
    """Fetch a public file into `folder`, where an interrupted one is continued; returns its path.

    gdown 5 calls short downloads complete (wkentaro/gdown#477) and appends whatever comes to what it continues: what it
    calls complete is thrown away if it has another size than `size`.

    Raises:
        InputError: a quota or login page, another size than stated, no room, or not whole after the last attempt.
    """
    url = DRIVE_URL.format(id=file_id)
    require_space(folder, (size or 0) - length(folder), url)
    retried(url, folder, lambda: _attempt(url, folder, size))
    return folder / "data"


def _attempt(url, folder, size):
    """One download: None when the file is whole, else what was wrong."""
    data = folder / "data"
    _keep_one(folder, size, data)
    problem = _download(url, folder, data)
    if problem is not None:
        return problem
    with open(data, "rb") as handle:
        head = handle.read(CHUNK)
    received = data.stat().st_size
    if page_title(head) is not None or (size and received != size):
        _empty(folder)
        refuse_page(url, head)
        return f"{received:,} bytes came, {size:,} were expected; thrown away"
    return None


def _download(url, folder, data):
    """Let gdown fill `data`; None when it calls it complete, else what was wrong."""
    import gdown

    limits = {"timeout": TIMEOUT} if "timeout" in inspect.signature(gdown.download).parameters else {}  # since gdown 6
    try:
        gdown.download(url, str(data), resume=True, use_cookies=False, **limits)
    except requests.HTTPError as error:
        status = error.response.status_code
        if status in BUSY:
            raise
        raise InputError(f"{url} answered {status}; is it shared with anyone who has the link?") from error
    except gdown.exceptions.FileURLRetrievalError as error:
        text = " ".join(str(error).split())
        raise InputError(f"{url} sent {PAGE_TEXT}: {text}. Try again in a day, or fetch it in a browser") from error
    except getattr(gdown.exceptions, "DownloadError", ()) as error:
        if "byte range" in str(error):  # its part cannot be continued, and gdown would try for ever
            _empty(folder)
        return str(error)
    return None


def _keep_one(folder, size, data):
    """Leave gdown at most one file to continue, and none that is whole already: it would spoil that one."""
    parts = sorted(folder.glob("*.part"), key=lambda path: path.stat().st_size)
    for path in parts[:-1]:
        path.unlink()
    if parts and size and parts[-1].stat().st_size >= size:
        os.replace(parts[-1], data)
    if data.exists() and size and data.stat().st_size != size:
        data.unlink()


def _empty(folder):
    for path in folder.iterdir():
        path.unlink()
