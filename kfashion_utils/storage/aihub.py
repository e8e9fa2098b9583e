"""Archives of AI Hub, fetched by AI Hub's own program `aihubshell` with the user's key.

What `aihubshell` 0.6 (September 2025) does: curl writes `download.tar`, `tar` unpacks it, the pieces `X.zip.part0`,
`X.zip.part1073741824` … (each named by the byte at which it starts) are joined to `X.zip`, `download.tar` is deleted.
Older ones leave the pieces. Its exit status is 0 whatever happened, a cut download counts as success, and a
`download.tar` that is there is put aside and not continued. So nothing of what it says is believed: the archive that
lies there afterwards is checked.
"""

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
import unicodedata
import zipfile
from collections import deque
from pathlib import Path

from kfashion_utils.errors import InputError
from kfashion_utils.storage.files import lock, make_folder, require_space

KEY_VARIABLE = "AIHUB_API_KEY"
PROGRAM_VARIABLE = "KFASHION_AIHUBSHELL"
PIECE = re.compile(r"(.+)\.part(\d+)")
JOINING = ".joining"
COPIES = 3  # download.tar, its pieces and the joined archive lie side by side for a while
LAST_LINES = 12
HELP = f"""To let it be fetched:
(1) ask for approval on the data set's page, https://aihub.or.kr, dataSetSn={{dataset}};
(2) create an API key on "My page" there and put it into the environment: export {KEY_VARIABLE}=…;
(3) curl -o aihubshell https://api.aihub.or.kr/api/aihubshell.do; chmod +x aihubshell; put it on the PATH, or its path
    into {PROGRAM_VARIABLE};
(4) `aihubshell -mode l -datasetkey {{dataset}}` lists the files and their keys;
(5) kfashion download {{name}} --filekey KEY, which runs
    `aihubshell -mode d -datasetkey {{dataset}} -filekey KEY -aihubapikey …`.
A zip fetched by hand needs none of this: put it, with the folders it came in, below the folder given as --root"""


@contextlib.contextmanager
def fetched(name, dataset, key, scratch, size=None):
    """Yield (path of the archive, its path below AI Hub's own folders).

    `scratch` is deleted when the block ends without an error. What an interrupted call left there is used if it is
    whole; pieces are joined once, and each is deleted when it is safe in the archive. `aihubshell` itself continues no
    download.

    Raises:
        InputError: no file key, program or API key; refused by AI Hub; a piece is missing; not one whole zip; or
            another process does it.
    """
    _require_key(name, dataset, key)
    work = scratch / key
    make_folder(work)
    with _locked(scratch) as descriptor:
        try:
            archive = _left_over(work) or _run(name, dataset, key, work, descriptor, size)
            yield archive, Path(unicodedata.normalize("NFC", str(archive.relative_to(work))))
        except InputError:
            pieces = any(path.is_file() for path in scratch.rglob("*"))
            if not pieces:  # otherwise the user may add the one that is missing
                shutil.rmtree(scratch)
            raise
        shutil.rmtree(scratch)


def _require_key(name, dataset, key):
    if not key:
        problem = "data_manifest.csv states no file key of AI Hub and none was given (--filekey; file_key= in Python)"
    elif not re.fullmatch(r"\d+", key):
        problem = f"a file key of AI Hub is a number, got {key!r}"
    else:
        return
    raise InputError(f"{name}: {problem}{_help(name, dataset)}")


def _help(name, dataset):
    return "\n" + HELP.format(name=name, dataset=dataset)


@contextlib.contextmanager
def _locked(folder):
    """`files.only_one` that yields its descriptor: `aihubshell` holds the lock too, so it cannot outlive us unseen."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        lock(descriptor, f"{folder} is being filled (aihubshell may still run)")
        yield descriptor
    finally:
        os.close(descriptor)


def _left_over(work):
    """The archive if an interrupted call brought it whole; else None, and `work` is empty."""
    try:
        return _collect(work)
    except InputError:
        shutil.rmtree(work)
        work.mkdir()
        return None


# aihubshell -----------------------------------------------------------------------------------------------------------


def _run(name, dataset, key, work, descriptor, size):
    """Run `aihubshell` in `work`, showing what it says; returns the archive that it brought."""
    program, secret = _program_and_secret(name, dataset)
    require_space(work, COPIES * (size or 0), f"{name} (the tar, its pieces and the archive)")
    command = [program, "-mode", "d", "-datasetkey", dataset, "-filekey", key, "-aihubapikey", secret]
    status, said = _run_shown(command, secret, work, descriptor)
    if not any(path.is_file() and path.suffix != ".tar" for path in work.rglob("*")):
        shutil.rmtree(work)
        problem = f"aihubshell brought no file (exit status {status}); it said:\n{said or 'nothing'}"
        raise InputError(f"{name}: {problem}{_help(name, dataset)}")
    return _collect(work)


def _program_and_secret(name, dataset):
    """(path of `aihubshell`, API key).

    Raises:
        InputError: one is lacking, or both.
    """
    program = os.environ.get(PROGRAM_VARIABLE) or shutil.which("aihubshell")
    secret = os.environ.get(KEY_VARIABLE)
    lacking = []
    if not program or not os.access(program, os.X_OK):
        lacking.append(f"no program aihubshell on the PATH or in {PROGRAM_VARIABLE}")
    if not secret:
        lacking.append(f"no API key in {KEY_VARIABLE}")
    if lacking:
        raise InputError(f"{name}: {' and '.join(lacking)}{_help(name, dataset)}")
    return Path(program).absolute(), secret


def _run_shown(command, secret, work, descriptor):
    """Run a command in `work`, showing what it says without the secret; returns (exit status, its last lines)."""
    last = deque(maxlen=LAST_LINES)
    with subprocess.Popen(
        command,
        cwd=work,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pass_fds=[descriptor],
    ) as child:
        output = io.TextIOWrapper(child.stdout, encoding="utf-8", errors="replace", newline="")  # keeps "\r"
        for line in output:
            line = line.replace(secret, "***")
            sys.stderr.write(line)
            progress = line.endswith("\r")
            if line.strip() and not progress:
                last.append(line.strip())
    return child.returncode, "\n".join(last)


# Pieces ---------------------------------------------------------------------------------------------------------------


def _collect(work):
    """Path of the one archive below `work`, joined from its pieces if need be.

    Raises:
        InputError: a piece is missing, or there is not exactly one archive, or it is not whole.
    """
    for target, pieces in _pieces(work).items():
        _join(target, dict(sorted(pieces.items())))
    files = [path for path in work.rglob("*") if path.is_file()]
    archives = [path for path in files if path.suffix.lower() == ".zip"]
    if len(archives) != 1:
        names = ", ".join(str(path.relative_to(work)) for path in files) or "nothing"
        raise InputError(f"expected one zip from aihubshell in {work}, found {names}")
    _require_whole(archives[0])
    return archives[0]


def _pieces(work):
    """{path of an archive: {number in the name of a piece: path of the piece}}; no pieces = all of them are joined."""
    found = {}
    for path in sorted(work.rglob("*")):
        match = PIECE.fullmatch(path.name)
        if match:
            target = path.with_name(match[1])
            found.setdefault(target, {})[int(match[2])] = path
        elif path.name.endswith(JOINING):
            target = path.with_name(path.name.removesuffix(JOINING))
            found.setdefault(target, {})
    return found


def _join(target, pieces):
    """Append the pieces to `<target>.joining`, each deleted when it is durable there, then give it its name.

    Pieces named by their first byte continue an interrupted join exactly; numbered ones are all kept until it is done.
    """
    joining = target.with_name(target.name + JOINING)
    done = joining.stat().st_size if joining.exists() else 0
    starts = _starts(target, pieces, done)
    numbered = list(pieces) != starts
    with open(joining, "ab") as output:
        for start, path in zip(starts, pieces.values(), strict=True):
            output.truncate(start)
            with open(path, "rb") as piece:
                shutil.copyfileobj(piece, output, 2**24)
            output.flush()
            os.fsync(output.fileno())
            if not numbered:
                path.unlink()
    os.replace(joining, target)
    for path in pieces.values():
        path.unlink(missing_ok=True)


def _starts(target, pieces, done):
    """First byte of every piece, given that `done` bytes are joined already.

    Raises:
        InputError: names the piece that is missing.
    """
    sizes = [path.stat().st_size for path in pieces.values()]
    numbers, folder = list(pieces), target.parent
    remedy = "put it there and call again, or call again to fetch all of them anew"
    if numbers == list(range(len(numbers))):
        return [sum(sizes[:index]) for index in range(len(sizes))]
    if max(numbers) < max(sizes):  # too small for a position: counted pieces
        missing = next(number for number in range(max(numbers)) if number not in pieces)
        names = ", ".join(path.name for path in pieces.values())
        raise InputError(f"{target.name}.part{missing} is missing: found {names} in {folder}; {remedy}")
    expected = 0 if numbers[0] > done else numbers[0]
    for start, size in zip(numbers, sizes, strict=True):
        if start != expected:
            raise InputError(
                f"{target.name}.part{expected} is missing, or the piece before it has not its full length: "
                f"the next in {folder} is .part{start}; {remedy}"
            )
        expected += size
    return numbers


def _require_whole(path):
    """Refuse a zip that was cut or joined in the wrong order: every member must begin where the directory says."""
    try:
        with zipfile.ZipFile(path) as archive, open(path, "rb", buffering=0) as handle:
            for info in archive.infolist():
                handle.seek(info.header_offset)
                if handle.read(4) != b"PK\3\4":
                    raise zipfile.BadZipFile(f"{info.filename} does not begin at byte {info.header_offset:,}")
    except zipfile.BadZipFile as error:
        size = path.stat().st_size
        path.unlink()
        raise InputError(
            f"{path.name}, {size:,} bytes, as aihubshell left it, is not a whole zip: {error}. The download was cut or "
            "its pieces were joined in the wrong order; it was deleted. Call again, or fetch it on the data set's page"
        ) from error
