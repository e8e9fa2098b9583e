import errno
import io
import os
import pickle
import random
import struct
import threading
import unicodedata
import warnings
import zipfile
import zlib

import numpy as np
import pytest
from conftest import pack
from hypothesis import given, settings
from hypothesis import strategies as st

from kfashion_utils.errors import InputError
from kfashion_utils.storage import archives
from kfashion_utils.storage.archives import Archive, open_archive

LIMIT = 10**6


def plain(*members, method=zipfile.ZIP_DEFLATED, comment=b""):
    """Bytes of a zip of (name, data) as Python writes it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # names that occur twice
        archive.comment = comment
        for name, data in members:
            archive.writestr(name, data)
    return buffer.getvalue()


def by_hand(members, *, prefix=b"", comment=b"", disk=0):
    """Bytes of a zip of dicts: raw, data, and what else the headers say.

    That is flags, method, crc, size, packed_size, extra, local_raw, local_sizes, offset, after.
    """
    body, directory = bytearray(), bytearray()
    for member in members:
        raw, data = member["raw"], member.get("data", b"data")
        packed = member.get("packed", data)
        values = (member.get("flags", 0), member.get("method", 0), 0, 0, member.get("crc", zlib.crc32(data)))
        sizes = (member.get("packed_size", len(packed)), member.get("size", len(data)))
        extra, offset = member.get("extra", b""), member.get("offset", len(body))
        local_raw = member.get("local_raw", raw)
        local_sizes = member.get("local_sizes", (0, 0) if values[0] & 8 else sizes)
        body += struct.pack("<4sHHHHHLLLHH", b"PK\3\4", 20, *values, *local_sizes, len(local_raw), 0)
        body += local_raw + packed + member.get("after", b"")
        lengths = len(raw), len(extra), 0
        directory += struct.pack("<4sHHHHHHLLLHHHHHLL", b"PK\1\2", 20, 20, *values, *sizes, *lengths, 0, 0, 0, offset)
        directory += raw + extra
    counts = disk, disk, len(members), len(members)
    end = struct.pack("<4sHHHHLLH", b"PK\5\6", *counts, len(directory), len(body), len(comment))
    return prefix + bytes(body) + bytes(directory) + end + comment


def opened(tmp_path, data):
    (tmp_path / "z.zip").write_bytes(data)
    return Archive(tmp_path / "z.zip")


def test_bombs_encrypted_and_broken_members_are_refused(tmp_path):
    data = bytearray(plain(("bomb", bytes(10**6)), ("big", os.urandom(2000)), ("broken", os.urandom(2000))))
    start = zipfile.ZipFile(io.BytesIO(data)).getinfo("broken").header_offset + 60
    data[start : start + 20] = bytes(20)
    archive = opened(tmp_path, data)
    for name, limit, text in (
        ("bomb", 10**7, "too large: 1,000,000 bytes"),
        ("big", 1000, "too large"),
        ("broken", 10**7, "broken archive member"),
    ):
        with pytest.raises(ValueError, match=text):
            archive.read(name, limit)


@pytest.mark.parametrize(
    ("member", "text"),
    [
        ({"flags": 1}, "encrypted"),
        ({"method": 12}, "compression method 12 is not supported"),
        ({"method": 8, "packed": b"no deflate", "data": b"ab"}, "broken archive member"),
        ({"crc": 1}, "CRC"),
        ({"size": 3}, "4 bytes or more where the directory states 3"),
        ({"size": 5}, "4 bytes or more where the directory states 5"),
        ({"local_raw": b"b"}, "names another member"),
        ({"offset": 10**6}, "ends inside"),
        ({"offset": 0xFFFFFFFF}, "ends inside"),
        ({"offset": 3}, "no local header"),
        ({"packed_size": 60}, "overlaps"),
        ({"packed_size": 10**7, "size": 10**5}, "compressed bytes for"),
    ],
)
def test_what_is_wrong_with_a_member_is_said(tmp_path, member, text):
    archive = opened(tmp_path, by_hand([{"raw": b"a", **member}]))
    assert list(archive.names()) == ["a"]
    with pytest.raises(ValueError, match=text):
        archive.read("a", LIMIT)


def test_a_member_that_lies_about_its_size_does_not_expand(tmp_path):
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = squeeze.compress(bytes(200 * 2**20)) + squeeze.flush()
    archive = opened(tmp_path, by_hand([{"raw": b"a", "method": 8, "packed": packed, "size": 1000}]))
    with pytest.raises(ValueError, match="1,001 bytes or more where the directory states 1,000"):
        archive.read("a", LIMIT)


def test_overlapping_members_are_refused(tmp_path):
    # Fifield's quoted overlap: a's data is b's local header and data
    inner = by_hand([{"raw": b"b", "data": b"inner"}])[: 30 + 1 + 5]
    data = by_hand([{"raw": b"a", "data": inner}, {"raw": b"b", "data": b"inner", "offset": 31}])
    archive = opened(tmp_path, data)
    with pytest.raises(ValueError, match="overlaps"):
        archive.read("a", LIMIT)
    twice = opened(tmp_path, by_hand([{"raw": b"a"}, {"raw": b"a", "offset": 0}]))
    with pytest.raises(ValueError, match="overlaps"):
        twice.read("a", LIMIT)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"nothing", b"PK\5\6", plain(("a", b"1"))[:-1], plain(("a", b"1"))[:-30], plain(("a", b"1"))[40:],
        by_hand([{"raw": b"a"}])[:-6] + b"\xff\xff\0\0\0\0",
    ],
    ids=["empty", "text", "end alone", "cut by 1", "cut by 30", "without its begin", "end elsewhere"],
)  # fmt: skip
def test_files_that_are_no_whole_zip_are_refused(tmp_path, data):
    with pytest.raises(InputError, match="is not a zip"):
        opened(tmp_path, data)


def test_a_volume_of_several_is_refused(tmp_path):
    with pytest.raises(InputError, match="one volume of a zip in several"):
        opened(tmp_path, by_hand([{"raw": b"a"}], disk=2))


def test_a_pipe_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "z.zip")
    with pytest.raises(InputError, match="not a regular file"):
        Archive(tmp_path / "z.zip")


@pytest.mark.parametrize("comment", [b"", b"k" * 0xFFFF, b"PK\5\6 in words", b"..PK\5\6" + bytes(18), b"PK\5\6" * 5000])
@pytest.mark.parametrize("prefix", [b"", b"#!/bin/sh\n" * 50])
def test_comments_and_what_stands_before_a_zip(tmp_path, comment, prefix):
    archive = opened(tmp_path, prefix + plain(("a", b"1" * 100), ("b", b""), comment=comment))
    assert [archive.read(name, LIMIT) for name in ("a", "b")] == [b"1" * 100, b""]
    assert list(opened(tmp_path, prefix + plain(comment=comment)).names()) == []


def test_zip64_in_all_its_fields(tmp_path):
    with zipfile.ZipFile(tmp_path / "z.zip", "w", allowZip64=True) as archive:
        with archive.open("a", "w", force_zip64=True) as handle:
            handle.write(b"1" * 100)
    assert Archive(tmp_path / "z.zip").read("a", LIMIT) == b"1" * 100
    extra = struct.pack("<HHQQQ", 1, 24, 4, 4, 0)
    data = by_hand([{"raw": b"a", "extra": extra, "size": 0xFFFFFFFF, "packed_size": 0xFFFFFFFF, "offset": 0xFFFFFFFF}])
    directory = data.index(b"PK\1\2")
    size = len(data) - 22 - directory
    end64 = struct.pack("<4sQHHLLQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, size, directory)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, len(data) - 22, 1)
    end = struct.pack("<4sHHHHLLH", b"PK\5\6", 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    for prefix in (b"", b"before"):
        archive = opened(tmp_path, prefix + data[:-22] + end64 + locator + end)
        assert archive.info("a")[:3] == ("a", 4, 4) and archive.read("a", LIMIT) == b"data"


def test_a_zip_of_more_than_4_gb_is_read(tmp_path):
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr("first", b"1")
        archive.fp.seek(4 * 2**30 + 5)  # a hole: no bytes on disk
        archive.start_dir = archive.fp.tell()
        archive.writestr("last", b"2" * 50)
    archive = Archive(tmp_path / "z.zip")
    assert archive.info("last").header_offset > 2**32
    assert archive.read("first", 9) + archive.read("last", 99) == b"1" + b"2" * 50


def test_data_descriptors_names_of_any_length_and_folders(tmp_path):
    long = ("가" * 300).encode()
    members = [
        {"raw": b"a", "flags": 8, "after": bytes(16)},
        {"raw": long},
        {"raw": b"folder/", "data": b""},
        {"raw": b"windows\\", "data": b""},
    ]
    archive = opened(tmp_path, by_hand(members))
    assert list(archive.names()) == ["a", "가" * 300] and len(archive) == 2
    assert archive.read("a", LIMIT) == archive.read("가" * 300, LIMIT) == b"data"
    for name in ("folder/", "b", ""):
        with pytest.raises(KeyError):
            archive.info(name)


UNICODE_PATH = b"\x75\x70" + struct.pack("<HBL", 5 + 3, 1, zlib.crc32(b"?")) + "가".encode()


@pytest.mark.parametrize(
    ("members", "names"),
    [
        ([{"raw": "가".encode(), "flags": 0x800}], ["가"]),
        ([{"raw": "가".encode()}, {"raw": b"a"}], ["가", "a"]),
        ([{"raw": "가".encode("cp949")}, {"raw": b"a"}], ["가", "a"]),
        ([{"raw": "가".encode("cp949")}, {"raw": "나".encode(), "flags": 0x800}], ["가", "나"]),
        ([{"raw": b"caf\x82\xff"}], ["café\xa0"]),
        ([{"raw": b"\xff\xfe", "flags": 0x800}], ["\xa0■"]),
        ([{"raw": unicodedata.normalize("NFD", "가").encode()}], ["가"]),
        ([{"raw": b"?", "extra": UNICODE_PATH}], ["가"]),
        ([{"raw": b"!", "extra": UNICODE_PATH}], ["!"]),
        ([{"raw": b"a", "extra": b"\x01\x00\xff\xff"}], ["a"]),
    ],
)
def test_names_in_every_encoding(tmp_path, members, names):
    archive = opened(tmp_path, by_hand(members))
    assert list(archive.names()) == names
    for name in names:
        assert archive.read(unicodedata.normalize("NFD", name), LIMIT) == b"data"


def test_a_name_that_occurs_twice_means_its_last_member(tmp_path):
    apart = unicodedata.normalize("NFD", "가")
    archive = opened(tmp_path, plain(("a", b"1"), ("가", b"2"), ("a", b"3"), (apart, b"4"), ("a", b"5")))
    assert sorted(archive.duplicates) == ["a", "a", "가"]
    assert list(archive.names()) == ["가", "a"]
    assert [archive.read(name, 9) for name in ("a", "가", apart)] == [b"5", b"4", b"4"]


def test_equal_hashes_return_no_other_member(tmp_path):
    archive = opened(tmp_path, plain(("a", b"1"), ("b", b"2")))
    archive._hashes = np.full(2, hash("b"))
    assert archive.read("b", 9) == b"2"
    archive._hashes = np.full(2, hash("c"))
    with pytest.raises(KeyError):
        archive.read("c", 9)


def test_threads_read_one_archive_and_processes_their_own(tmp_path):
    members = [(f"{n}", b"%d" % n * 1000) for n in range(200)]
    (tmp_path / "z.zip").write_bytes(plain(*members))
    archive, wrong = open_archive(tmp_path / "z.zip"), []

    def read_all():
        wrong.extend(name for name, data in members if archive.read(name, LIMIT) != data)

    threads = [threading.Thread(target=read_all) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert pickle.loads(pickle.dumps(archive)).read("7", LIMIT) == b"7" * 1000
    assert open_archive(tmp_path / "z.zip") is archive
    (tmp_path / "z.zip").write_bytes(plain(("new", b"")))
    assert list(open_archive(tmp_path / "z.zip").names()) == ["new"]


def test_a_failing_disk_is_no_broken_member(tmp_path, monkeypatch):
    archive = opened(tmp_path, plain(("a", b"1")))

    def fails(*_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(archives.os, "pread", fails)
    with pytest.raises(OSError, match="Input/output error"):
        archive.read("a", LIMIT)
    with pytest.raises(OSError, match="Input/output error"):
        Archive(tmp_path / "z.zip")


def test_a_file_cut_short_under_us_is_broken(tmp_path):
    archive = opened(tmp_path, plain(("a", os.urandom(5000)), ("b", b"")))
    os.truncate(tmp_path / "z.zip", 100)
    with pytest.raises(ValueError, match="changed"):
        archive.read("a", LIMIT)


def test_damaged_zips_end_in_a_result_or_a_reason(tmp_path):
    rng = random.Random(0)
    seeds = [
        plain(("라벨/1.json", b"{}" * 50), ("b.jpg", os.urandom(50)), ("c/", b"")),
        plain(("a", b"1" * 100), method=zipfile.ZIP_STORED, comment=b"comment"),
        by_hand(
            [
                {"raw": "가".encode("cp949"), "flags": 8},
                {"raw": b"?", "extra": UNICODE_PATH},
                {"raw": b"a", "extra": struct.pack("<HHQ", 1, 8, 4), "size": 0xFFFFFFFF},
            ]
        ),
    ]
    path, results = tmp_path / "z.zip", set()
    for _ in range(2000):
        data = bytearray(rng.choice(seeds))
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(data))
            action = rng.random()
            if action < 0.6:
                data[at] = rng.choice([0, 1, 0x7F, 0xFF, rng.randrange(256)])
            elif action < 0.8:
                del data[at : at + rng.randint(1, 30)]
            else:
                data[at:at] = rng.randbytes(rng.randint(1, 30))
            data = data or bytearray(1)
        path.write_bytes(data)
        try:
            archive = Archive(path)
        except InputError:
            results.add("no zip")
            continue
        for name in [*archive.names(), "라벨/1.json", "a"]:
            try:
                assert len(archive.read(name, LIMIT)) <= LIMIT
                results.add("read")
            except (KeyError, ValueError) as error:
                results.add(type(error).__name__)
    assert results == {"no zip", "read", "KeyError", "ValueError"}


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0\\"), min_size=1, max_size=30) | st.sampled_from(
    ["가/나.jpg", "각", "é", "a b"]
)


@settings(max_examples=150, deadline=None)
@given(
    members=st.dictionaries(
        NAMES.map(lambda name: unicodedata.normalize("NFC", name).rstrip("/")).filter(bool),
        st.binary(max_size=3000),
        max_size=8,
    ),
    method=st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]),
    prefix=st.binary(max_size=40),
    comment=st.binary(max_size=60).filter(lambda text: b"PK\5\6" not in text),  # there zipfile fails
    level=st.integers(1, 9),
    form=st.sampled_from(["NFC", "NFD"]),
)
def test_whatever_zipfile_reads_is_read_alike(tmp_path_factory, members, method, prefix, comment, level, form):
    path = tmp_path_factory.mktemp("zip") / "z.zip"
    path.write_bytes(prefix)
    with zipfile.ZipFile(path, "a", method, compresslevel=level) as archive:
        archive.comment = comment
        for name, data in members.items():
            archive.writestr(unicodedata.normalize(form, name), data)
    ours = Archive(path)
    with zipfile.ZipFile(path) as theirs:
        assert [unicodedata.normalize("NFC", name) for name in theirs.namelist()] == list(ours.names())
        for info in theirs.infolist():
            if info.file_size <= archives.MAX_MEMBER_RATIO * max(info.compress_size, 1):
                assert ours.read(info.filename, LIMIT) == theirs.read(info)
                assert ours.info(info.filename).CRC == info.CRC


def test_windows_zips_with_korean_names(tmp_path):
    for name in ("가나다.jpg", "a/똠방각하.json"):
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / name).write_bytes(name.encode())
    pack(tmp_path / "data", tmp_path / "z.zip", "cp949")
    archive = Archive(tmp_path / "z.zip")
    assert sorted(archive.names()) == ["a/똠방각하.json", "가나다.jpg"]
    assert archive.read("가나다.jpg", LIMIT).decode() == "가나다.jpg"
