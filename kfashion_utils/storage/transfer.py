"""Bytes from a web server or Google Drive into a temporary file, continued where an earlier call ended."""

import errno
import html
import inspect
import itertools
import json
import os
import re
import time
from pathlib import Path

import requests
from tqdm import tqdm

from kfashion_utils.errors import InputError
from kfashion_utils.storage.files import TEMPORARY, require_space, write_json

DRIVE_URL = "https://drive.google.com/uc?id={id}"
DELAYS = (1, 2, 4, 8)  # seconds before the second, third … attempt
TIMEOUT = (15, 60)  # seconds to connect, and between two reads
CHUNK = 2**18
BUSY = (408, 425, 429, 500, 502, 503, 504)
FULL = (errno.ENOSPC, errno.EDQUOT)
PAGE = re.compile(rb"\s*(<!--.*?-->\s*)*<(!doctype\s+html|html|head)\b", re.IGNORECASE | re.DOTALL)
PAGE_TEXT = "a web page instead of the file (a quota or login page)"


def page_title(head):
    """The title of the web page that `head` begins, `""` if it has none; None where it begins no page."""
    if not PAGE.match(head.removeprefix(b"\xef\xbb\xbf")):
        return None
    title = re.search(rb"<title[^>]*>(.*?)</title>", head, re.IGNORECASE | re.DOTALL)
    return html.unescape(" ".join(title[1].decode("utf-8", "replace").split()))[:200] if title else ""


def refuse_page(source, head):
    """Raise an `InputError` if `head`, the first bytes that `source` sent, begins a web page."""
    title = page_title(head)
    if title is not None:
        raise InputError(
            f"{source} sent {PAGE_TEXT}: {title or 'without a title'!r}; nothing of it was kept. Open it in a browser, or try again later"
        )


def _retried(source, kept, attempt):
    """Call `attempt` until it returns None; what it returns, or a failed connection, is worth another try."""
    for delay in (0, *DELAYS):
        time.sleep(delay)
        try:
            problem = attempt()
        except requests.RequestException as error:
            problem = f"{type(error).__name__}: {error}"
        except OSError as error:
            if error.errno not in FULL:
                raise
            raise InputError(
                f"the disk of {kept} is full ({kept.parent}); {source} is kept as far as it came. Free space, then call again to continue"
            ) from error
        if problem is None:
            return
    raise InputError(
        f"{source} cannot be reached or did not send the whole file in {1 + len(DELAYS)} attempts; the last: {problem}. "
        f"{_length(kept):,} bytes are there ({kept}); calling again continues, or put the file, fetched elsewhere, there as {kept.name.removesuffix(TEMPORARY)}"
    )


def _length(path):
    files = path.iterdir() if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.exists())


# A web server ---------------------------------------------------------------------------------------------------------


def fetch_http(url, part, size=None):
    """Fill the file `part` from `url`; `size` is the stated number of bytes.

    What an earlier call left there is continued if the server still has the same file (its ETag, else Last-Modified, kept beside it).
    Short reads, time-outs and busy servers are tried again.

    Raises:
        InputError: not there, a web page, another size than stated, no room, or not whole after the last attempt.
    """
    _retried(url, part, lambda: _attempt(url, part, size))


def state_file(part):
    """Where `fetch_http` keeps what the server said of the file that it began."""
    return part.with_name(part.name + ".json")


def _resume_point(part):
    """(bytes that can be continued, what the server called them, their total)."""
    try:
        state = json.loads(state_file(part).read_text(encoding="utf-8"))
        return part.stat().st_size, state["version"], state["total"]
    except (FileNotFoundError, ValueError, KeyError):
        return 0, "", None


def _attempt(url, part, size):
    """One request: None when the file is whole, else what was wrong."""
    start, version, total = _resume_point(part)
    if start and start == total:
        return None
    headers = {"Accept-Encoding": "identity"}
    if start and version:
        headers |= {"Range": f"bytes={start}-", "If-Range": version}
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
        if response.status_code in BUSY:
            return f"it answered {response.status_code} {response.reason}"
        if response.status_code in (206, 416) and not _continues(response, start, version, total):
            _begin(part, None, "")
            return "the file there is not the one that was begun; started again"
        if response.status_code not in (200, 206):
            raise InputError(
                f"{url} answered {response.status_code} {response.reason}; expected the file. Check the address in data_manifest.csv, or fetch it by hand"
            )
        if response.status_code == 200:
            start, total = 0, _total(response)
        _refuse_other_size(url, part, size, total)
        require_space(part.parent, (total or size or 0) - start, url)
        chunks = response.iter_content(CHUNK)
        if not start:
            head = next(chunks, b"")
            _refuse_page_for(response, part, head)  # before what an earlier call left is given up for it
            _begin(part, total, _version(response))
            chunks = itertools.chain([head], chunks)
        return _receive(chunks, url, part, start, total, size)


def _continues(response, start, version, total):
    """Whether a 206 is the rest of what was begun."""
    answer = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
    same = _version(response) in ("", version) and answer and answer[2] in ("*", str(total))
    return bool(same and response.status_code == 206 and int(answer[1]) == start)


def _version(response):
    """A name of this version of the file, or ""; a weak ETag does not stand for the same bytes."""
    tag = response.headers.get("ETag", "")
    if response.headers.get("Content-Encoding", "identity") != "identity":  # then positions are not those of the file
        return ""
    return tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified", "")


def _total(response):
    encoded = response.headers.get("Content-Encoding", "identity") != "identity"
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdigit() and not encoded else None


def _refuse_other_size(url, part, size, received):
    if size and received and received != size:
        _begin(part, None, "")
        raise InputError(
            f"{url} has {received:,} bytes; {size:,} were expected (column bytes of data_manifest.csv). Nothing was kept"
        )


def _begin(part, total, version):
    with open(part, "wb") as handle:  # emptied durably first: a version is never noted beside another version's bytes
        os.fsync(handle.fileno())
    write_json(state_file(part), {"version": version, "total": total})


def _refuse_page_for(response, part, head):
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if not part.name.removesuffix(TEMPORARY).endswith((".html", ".htm")):
        refuse_page(response.url, b"<html>" + head if kind == "text/html" else head)


def _receive(chunks, url, part, start, total, size):
    with (
        open(part, "rb+") as handle,
        tqdm(total=total, initial=start, unit="B", unit_scale=True, desc=part.stem) as bar,
    ):
        handle.seek(start)
        try:
            for chunk in chunks:
                handle.write(chunk)
                bar.update(len(chunk))
                if size and handle.tell() > size:
                    _refuse_other_size(url, part, size, handle.tell())
        finally:
            handle.flush()
            os.fsync(handle.fileno())
    received = part.stat().st_size
    return None if total is None or received == total else f"{received:,} of {total:,} bytes came"


# Google Drive ---------------------------------------------------------------------------------------------------------


def fetch_drive(file_id, folder, size=None):
    """Fetch a public file of Google Drive by `gdown` into `folder`, where an interrupted one is continued; returns its path.

    gdown 5 calls short downloads complete (wkentaro/gdown#477) and appends whatever comes to what it continues: what it calls
    complete is thrown away if it has another size than `size`.

    Raises:
        InputError: a quota or login page, another size than stated, no room, or not whole after the last attempt.
    """
    url = DRIVE_URL.format(id=file_id)
    require_space(folder, (size or 0) - _length(folder), url)
    _retried(url, folder, lambda: _attempt_drive(url, folder, size))
    return folder / "data"


def _attempt_drive(url, folder, size):
    import gdown

    data = folder / "data"
    limits = {"timeout": TIMEOUT} if "timeout" in inspect.signature(gdown.download).parameters else {}  # since gdown 6
    _keep_one(folder, size, data)
    try:
        gdown.download(url, str(data), resume=True, use_cookies=False, **limits)
    except requests.HTTPError as error:
        if error.response.status_code in BUSY:
            raise
        raise InputError(
            f"{url} answered {error.response.status_code}; is it shared with anyone who has the link?"
        ) from error
    except gdown.exceptions.FileURLRetrievalError as error:
        text = " ".join(str(error).split())
        raise InputError(f"{url} sent {PAGE_TEXT}: {text}. Try again in a day, or fetch it in a browser") from error
    except getattr(gdown.exceptions, "DownloadError", ()) as error:
        if "byte range" in str(error):  # its part cannot be continued, and gdown would try for ever
            _empty(folder)
        return str(error)
    with open(data, "rb") as handle:
        head = handle.read(CHUNK)
    if page_title(head) is not None or (size and data.stat().st_size != size):
        received = data.stat().st_size
        _empty(folder)
        refuse_page(url, head)
        return f"{received:,} bytes came, {size:,} were expected; thrown away"
    return None


def _keep_one(folder, size, data):
    """Leave gdown at most one file to continue, and none that it would spoil: it cannot tell one that is whole already."""
    parts = sorted(folder.glob("*.part"), key=lambda path: path.stat().st_size)
    for path in parts[:-1]:
        path.unlink()
    if parts and size and parts[-1].stat().st_size >= size:
        os.replace(parts[-1], data)
    if data.exists() and size and data.stat().st_size != size:
        data.unlink()


def _empty(folder):
    for path in Path(folder).iterdir():
        path.unlink()
