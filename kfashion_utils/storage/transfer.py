"""Bytes from a web server into a temporary file, continued where an earlier call ended."""

import errno
import html
import itertools
import json
import os
import re
import time

import requests
from tqdm import tqdm

from kfashion_utils.errors import InputError
from kfashion_utils.storage.files import TEMPORARY, require_space, write_json

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
    if not title:
        return ""
    words = title[1].decode("utf-8", "replace").split()
    return html.unescape(" ".join(words))[:200]


def refuse_page(source, head):
    """Raise an `InputError` if `head`, the first bytes that `source` sent, begins a web page."""
    title = page_title(head)
    if title is not None:
        raise InputError(
            f"{source} sent {PAGE_TEXT}: {title or 'without a title'!r}; nothing of it was kept. "
            "Open it in a browser, or try again later"
        )


def retried(source, kept, attempt):
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
                f"the disk of {kept} is full ({kept.parent}); {source} is kept as far as it came. "
                "Free space, then call again to continue"
            ) from error
        if problem is None:
            return
    raise InputError(
        f"{source} cannot be reached or did not send the whole file in {1 + len(DELAYS)} attempts; "
        f"the last: {problem}. {length(kept):,} bytes are there ({kept}); calling again continues, or put the file, "
        f"fetched elsewhere, there as {kept.name.removesuffix(TEMPORARY)}"
    )


def length(path):
    """Bytes of a file, or of the files of a folder; 0 where there is none."""
    files = path.iterdir() if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.exists())


# A web server ---------------------------------------------------------------------------------------------------------


def fetch_http(url, part, size=None):
    """Fill the file `part` from `url`; `size` is the stated number of bytes.

    What an earlier call left there is continued if the server still has the same file: its ETag, else Last-Modified, is
    kept beside it. Short reads, time-outs and busy servers are tried again.

    Raises:
        InputError: not there, a web page, another size than stated, no room, or not whole after the last attempt.
    """
    retried(url, part, lambda: _attempt(url, part, size))


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
        _require_file(url, response)
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


def _require_file(url, response):
    if response.status_code not in (200, 206):
        raise InputError(
            f"{url} answered {response.status_code} {response.reason}; expected the file. "
            "Check the address in data_manifest.csv, or fetch it by hand"
        )


def _continues(response, start, version, total):
    """Whether a 206 is the rest of what was begun."""
    answer = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
    if response.status_code != 206 or not answer:
        return False
    same = _version(response) in ("", version) and answer[2] in ("*", str(total))
    return same and int(answer[1]) == start


def _version(response):
    """A name of this version of the file, or ""; a weak ETag does not stand for the same bytes."""
    if _is_encoded(response):  # then positions are not those of the file
        return ""
    tag = response.headers.get("ETag", "")
    strong = tag and not tag.startswith("W/")
    return tag if strong else response.headers.get("Last-Modified", "")


def _total(response):
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdigit() and not _is_encoded(response) else None


def _is_encoded(response):
    return response.headers.get("Content-Encoding", "identity") != "identity"


def _refuse_other_size(url, part, size, received):
    if size and received and received != size:
        _begin(part, None, "")
        stated = f"{size:,} were expected (column bytes of data_manifest.csv)"
        raise InputError(f"{url} has {received:,} bytes; {stated}. Nothing was kept")


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
