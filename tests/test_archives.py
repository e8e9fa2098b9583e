import os
import zipfile

import pytest

from kfashion_utils.archives import Archive
from kfashion_utils.errors import InputError


def test_archives_refuse_bombs_encrypted_and_broken_members(tmp_path):
    with zipfile.ZipFile(tmp_path / "z.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", bytes(10**6))
        archive.writestr("big", os.urandom(2000))
        archive.writestr("broken", os.urandom(2000))
    data = bytearray((tmp_path / "z.zip").read_bytes())
    start = zipfile.ZipFile(tmp_path / "z.zip").getinfo("broken").header_offset + 60
    data[start : start + 20] = bytes(20)
    (tmp_path / "z.zip").write_bytes(data)
    archive = Archive(tmp_path / "z.zip")
    for name, text in (("bomb", "too large"), ("big", "too large"), ("broken", "broken")):
        with pytest.raises(ValueError, match=text):
            archive.read(name, limit=1000 if name == "big" else 10**7)
    with pytest.raises(InputError, match="not a zip"):
        (tmp_path / "no.zip").write_bytes(b"nothing")
        Archive(tmp_path / "no.zip")
