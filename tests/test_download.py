import hashlib
import http.server
import re
import threading

import pytest

from kfashion_utils.datasets.download import MANIFEST, MANIFEST_COLUMNS, download, read_manifest
from kfashion_utils.errors import InputError
from kfashion_utils.models import BACKBONES


@pytest.fixture
def server(tmp_path):
    """(address of a loopback server, the folder that it serves)."""
    folder = tmp_path / "served"
    folder.mkdir()
    handler = lambda *a: http.server.SimpleHTTPRequestHandler(*a, directory=folder)  # noqa: E731
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_port}", folder
        httpd.shutdown()


def manifest(tmp_path, **values):
    path = tmp_path / "manifest.csv"
    row = {**dict.fromkeys(MANIFEST_COLUMNS, ""), **values}
    path.write_text(",".join(row) + "\n" + ",".join(row.values()) + "\n", encoding="utf-8")
    return path


def test_the_manifest_has_the_form_of_the_design():
    table = read_manifest()
    assert tuple(table.columns) == MANIFEST_COLUMNS and table["name"].is_unique and MANIFEST.exists()
    assert table["source"].map(lambda s: bool(re.match(r"https://|aihub:51/|manual$", s))).all()
    assert table["sha256"].map(lambda s: bool(re.fullmatch(r"|[0-9a-f]{64}|md5:[0-9a-f]{32}", s))).all()
    assert table["bytes"].map(lambda s: s == "" or s.isdigit()).all() and (table["licence"] != "").all()
    assert {row.weights for row in BACKBONES.values() if row.weights} <= set(table["name"])


def test_a_download_is_checked_before_it_gets_its_name(server, tmp_path):
    address, folder = server
    (folder / "w.h5").write_bytes(b"weights")
    good = manifest(tmp_path, name="w", source=f"{address}/w.h5", sha256=hashlib.sha256(b"weights").hexdigest())
    path = download("w", tmp_path / "kept", good)
    assert path.read_bytes() == b"weights"
    (folder / "w.h5").unlink()
    assert download("w", tmp_path / "kept", good) == path  # it is there and whole: nothing is fetched


def test_other_content_gets_no_name(server, tmp_path):
    address, folder = server
    (folder / "w.h5").write_bytes(b"<html>quota exceeded</html>")
    bad = manifest(tmp_path, name="w", source=f"{address}/w.h5", sha256="md5:" + "0" * 32)
    with pytest.raises(InputError, match="not the stated file"):
        download("w", tmp_path / "kept", bad)
    assert list((tmp_path / "kept").glob("*")) == []


def test_no_connection_unknown_names_and_sources_that_need_hands(server, tmp_path):
    address, _ = server
    with pytest.raises(InputError, match="cannot be reached"):
        download("w", tmp_path, manifest(tmp_path, name="w", source=f"{address}/missing.h5"))
    with pytest.raises(InputError, match="'nothing' is not in data_manifest.csv; it has mobilenet_025"):
        download("nothing")
    with pytest.raises(InputError, match="aihubshell"):
        download("kfashion_train_labels")
