import os

import pytest

from kfashion_utils.errors import InputError
from kfashion_utils.storage import files as storage
from kfashion_utils.storage.files import write_bytes


def test_a_file_is_replaced_as_a_whole(tmp_path):
    path = tmp_path / "deep" / "file"
    write_bytes(path, b"old")

    class Full(OSError):
        pass

    with pytest.raises(Full), storage.finished_file(path) as temporary:
        temporary.write_bytes(b"ne")
        raise Full
    assert path.read_bytes() == b"old" and os.listdir(path.parent) == ["file"]


def test_too_little_room_names_what_is_missing(tmp_path):
    with pytest.raises(InputError, match="free .* GB or choose another folder"):
        storage.require_space(tmp_path, 1e18, "preparing")


def test_a_known_hash_is_computed_again_for_a_changed_file(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"one")
    first, status = storage.known_hash(path), path.stat()
    assert first == storage.known_hash(path) == storage.hash_file(path)
    path.write_bytes(b"two")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))  # as a copy that keeps times
    assert storage.known_hash(path) == storage.hash_file(path) != first
