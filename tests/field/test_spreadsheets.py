"""Tables as spreadsheets save them: CP949, UTF-16, tabs, semicolons, empty rows and columns, rows that do not fit."""

import bz2
import gzip
import io
import lzma
import warnings
import zipfile

import pandas as pd
import pytest

import kfashion_utils as kf
from kfashion_utils.__main__ import main
from kfashion_utils.cli.options import read_pairs, read_prior
from kfashion_utils.errors import InputError
from kfashion_utils.evaluation.label_errors import read_edits
from kfashion_utils.storage.files import write_table
from kfashion_utils.tables.catalog import complete_catalog
from kfashion_utils.tables.reading import decode

CATALOG = "id,path,split,종류\na,모자/0.jpg,train,모자\nb,신발/0.jpg,valid,신발\n"


def read(tmp_path, data, name="c.csv"):
    (tmp_path / name).write_bytes(data.encode() if isinstance(data, str) else data)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # no library speaks for us
        return kf.read_catalog(tmp_path / name)


# Encodings ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_utf_8_is_read_in_silence_and_written_again_as_it_was(tmp_path, capsys, encoding, ends):
    table = read(tmp_path, CATALOG.replace("\n", ends).encode(encoding))
    assert table["종류"].tolist() == ["모자", "신발"] and capsys.readouterr().out == ""
    kf.write_catalog(table, tmp_path / "1.csv")
    kf.write_catalog(kf.read_catalog(tmp_path / "1.csv"), tmp_path / "2.csv")
    assert (tmp_path / "1.csv").read_bytes() == (tmp_path / "2.csv").read_bytes()


@pytest.mark.parametrize("name", ["c.csv", "c.csv.gz"])
@pytest.mark.parametrize(
    "labels", ["모자 신발", "레트로 로맨틱", "빨강 파랑", "홍길동 김철수", "걸리쉬 우아한", "모자·가방 신발"]
)
def test_korean_excel_is_read_and_told(tmp_path, capsys, name, labels):
    first, second = labels.split()
    text = CATALOG.replace("모자", first).replace("신발", second).replace("\n", "\r\n").encode("cp949")
    table = read(tmp_path, gzip.compress(text, mtime=0) if name.endswith("gz") else text, name)
    assert table["종류"].tolist() == [first, second] and table["path"].tolist() == [f"{first}/0.jpg", f"{second}/0.jpg"]
    told = capsys.readouterr().out
    assert told.count("\n") == 1 and "CP949" in told and "종류" in told and "CSV UTF-8" in told


@pytest.mark.parametrize(
    ("labels", "encoding"),
    [
        ("红色 蓝色", "gbk"),
        ("帽子 鞋子", "gbk"),
        ("男 女", "gbk"),
        ("黑 白", "gbk"),
        ("短裤 长裤", "gbk"),
        ("シャツ ズボン", "shift_jis"),
        ("ｱｶ ｱｵ", "shift_jis"),
        ("帽子 靴", "euc_jp"),
        ("あか あお", "euc_jp"),
        ("紅色 藍色", "big5"),
        ("Größe café", "cp1252"),
        ("ÄÖ ÀÉ", "cp1252"),
        ("ПЛАТЬЕ синий", "cp1251"),
        ("帽子 신발", "cp949"),
        ("뷁 햏", "cp949"),
    ],
)
def test_bytes_that_can_only_be_guessed_are_refused(tmp_path, labels, encoding):
    first, second = labels.split()
    text = f"id,path,kind\na,a.jpg,{first}\nb,b.jpg,{second}\n"
    with pytest.raises(InputError, match="CSV UTF-8") as refused:
        read(tmp_path, text.encode(encoding))
    told = str(refused.value)
    assert "line 2" in told and "c.csv" in told and "codec" not in told and "0x" not in told


def test_mojibake_that_was_saved_is_not_read_as_korean(tmp_path):
    garbled = CATALOG.encode().decode("cp949", "replace").replace("\ufffd", "?").encode("cp949")
    with pytest.raises(InputError, match="not surely Korean"):
        read(tmp_path, garbled)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_unicode_text_of_excel(tmp_path, capsys, encoding):
    mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")
    data = mark + CATALOG.replace(",", "\t").replace("\n", "\r\n").encode(encoding)
    assert read(tmp_path, data)["종류"].tolist() == ["모자", "신발"]
    told = capsys.readouterr().out
    assert told.count("\n") == 1 and "UTF-16" in told and "tabs" in told
    with pytest.raises(InputError, match="ends within a letter"):
        read(tmp_path, data[:-1])
    if mark:
        with pytest.raises(InputError, match="NUL.*CSV UTF-8"):
            read(tmp_path, data.removeprefix(mark))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"PK\3\4\x14\0\6\0\x08\0" + bytes(range(200)), "Excel workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "old Excel workbook"),
        (b"<!DOCTYPE html><html><body>Quota exceeded</body></html>", "web page"),
        (CATALOG.encode() + bytes(4096), "byte 78 is NUL.*copied in part"),
        (b"id,path,kind\na,a.jpg,x\0y\n", "NUL"),
        (gzip.compress(CATALOG.encode(), mtime=0)[:-9], "not a whole"),
    ],
)
def test_what_is_no_table_is_named(tmp_path, data, message):
    with pytest.raises(InputError, match=message) as refused:
        read(tmp_path, data)
    assert "codec" not in str(refused.value)


def test_a_workbook_by_the_name_of_a_table(tmp_path):
    with zipfile.ZipFile(tmp_path / "c.csv", "w") as book:
        for name in ("[Content_Types].xml", "xl/workbook.xml"):
            book.writestr(name, "<xml/>")
    with pytest.raises(InputError, match=r"Excel workbook \(.xlsx\).*CSV UTF-8"):
        kf.read_catalog(tmp_path / "c.csv")


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("name", ["c.csv", "c.csv.gz", "c.csv.bz2", "c.csv.xz"])
def test_packed_tables_are_told_by_their_bytes(tmp_path, pack, name):
    assert len(read(tmp_path, pack(CATALOG.encode()), name)) == 2


def test_a_zip_with_one_table_is_that_table(tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("c.csv", CATALOG)
    assert len(read(tmp_path, packed.getvalue(), "c.csv.zip")) == 2


# Separators -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("separator", "name"), [(";", "semicolons"), ("\t", "tabs")])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
def test_other_separators_are_read_and_told(tmp_path, capsys, separator, name, encoding):
    table = read(tmp_path, CATALOG.replace(",", separator).encode(encoding))
    assert table["종류"].tolist() == ["모자", "신발"] and name in capsys.readouterr().out


def test_commas_and_semicolons_within_values(tmp_path):
    assert read(tmp_path, 'id,path,kind\na,a;1.jpg,x;y\nb,"b,1.jpg",z\n')["kind"].tolist() == ["x;y", "z"]
    table = read(tmp_path, "id;path;polygon;region\na;a.jpg;[[[1, 2], [3, 4], [5, 6]]];hand\n")
    assert table["polygon"].tolist() == ["[[[1, 2], [3, 4], [5, 6]]]"]
    assert read(tmp_path, "sep=;\nid;path;kind\na;a.jpg;x\n")["kind"].tolist() == ["x"]
    with pytest.raises(InputError, match="row 2: '10,5'"):  # a decimal comma is not guessed
        read(tmp_path, "id;path;left\na;a.jpg;10,5\n")


# Rows and columns -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "number", "extra"),
    [
        (["a,a.jpg,x,y", "b,b.jpg,z"], 2, "y"),
        (["a,a.jpg,x", "b,b.jpg,z,y"], 3, "y"),
        (["a,a.jpg,x", "b,b.jpg,z,,y"], 3, ",y"),
        (['a,"a\n.jpg",x', "", "b,b.jpg,z,y,w"], 4, "y,w"),
        (["a,a.jpg,x"] * 50 + ["b,b,1.jpg,z"], 52, "z"),
        (["a,a.jpg,x,", "b,b.jpg,z,y"], 3, "y"),
    ],
)
def test_a_field_too_many_is_named(tmp_path, rows, number, extra):
    with pytest.raises(InputError, match="more fields than its 3 columns") as refused:
        read(tmp_path, "\n".join(["id,path,kind", *rows, ""]))
    assert f"row {number} (" in str(refused.value) and repr(extra) in str(refused.value)
    assert "1 problem)" in str(refused.value) and "C error" not in str(refused.value)


def test_empty_fields_too_many_and_fields_too_few_are_no_loss(tmp_path):
    assert read(tmp_path, "id,path,kind\na,a.jpg,x,\nb,b.jpg,z,,\n")["kind"].tolist() == ["x", "z"]
    assert read(tmp_path, "id,path,kind\na,a.jpg\nb,b.jpg,z\n")["kind"].tolist() == ["", "z"]


def test_empty_rows_and_columns_of_excel_are_left_out_and_counted(tmp_path, capsys):
    table = read(tmp_path, "id,path,kind,,\na,a.jpg,x,,\nb,b.jpg,z,,\n,,,,\n,,,,\n")
    assert table["kind"].tolist() == ["x", "z"] and list(table.columns)[-1] == "kind" and not kf.check_catalog(table)
    told = capsys.readouterr().out
    assert told.count("\n") == 1 and "2 empty rows" in told and "2 empty columns without a name" in told
    with pytest.raises(InputError, match="row 4: 'wide'"):  # rows keep the numbers of the file
        read(tmp_path, "id,path,left\na,a.jpg,1\n,,\nb,b.jpg,wide\n")
    with pytest.raises(InputError, match="1 column without a name"):
        read(tmp_path, "id,path,kind,\na,a.jpg,x,\nb,b.jpg,z,note\n")


@pytest.mark.parametrize("text", ['id,path,kind\na,a.jpg,x\nb,b.jpg,"z\n', 'id,path,kind\na,a.jpg,x\nb,"b.j'])
def test_a_table_cut_within_quotes(tmp_path, text):
    with pytest.raises(InputError, match="row 3 is never closed; the file was cut off"):
        read(tmp_path, text)


# The other tables -----------------------------------------------------------------------------------------------------

EDITS = "id,column,label,suggestion\na,종류,모자,신발\n,,,\n"
PAIRS = "하나,둘\n모자0,모자1\n,\n"
PREDICTIONS = "id,photo,종류,종류:모자,종류:신발\na,a,모자,0.7,0.3\n,,,,\n"
READERS = {
    "edits": (read_edits, EDITS, lambda table: table["suggestion"].tolist(), ["신발"]),
    "pairs": (read_pairs, PAIRS, lambda table: table.values.tolist(), [["모자0", "모자1"]]),
    "predictions": (kf.read_predictions, PREDICTIONS, lambda table: table["종류:모자"].tolist(), [0.7]),
}


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_every_table_is_read_alike(tmp_path, capsys, name, encoding, separator):
    reader, text, seen, right = READERS[name]
    path = tmp_path / "t.csv"
    path.write_bytes(text.replace(",", separator).encode(encoding))
    assert seen(reader(path)) == right
    told = capsys.readouterr().out
    assert "left out: 1 empty row\n" in told
    assert (encoding in ("cp949", "utf-16")) == (encoding.upper() in told) and (separator != ",") == ("between" in told)


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize(
    ("data", "message"),
    [(b"id\n\xff\xfe\xfa", "CSV UTF-8"), (b'a,b\n"x,y\n', "never closed"), (b"a,b\n1,2,3\n", "too much is '3'")],
)
def test_every_table_is_refused_alike(tmp_path, name, data, message):
    (tmp_path / "t.csv").write_bytes(data)
    with pytest.raises(InputError, match=message):
        READERS[name][0](tmp_path / "t.csv")


@pytest.mark.parametrize(
    "text",
    [
        "class,share\n모자,0.25\n신발,0.75\n",
        "모자;0,25\r\n신발;0,75\r\n",
        "class\tshare\n모자\t0.25\n신발\t0.75\n\t\n",
        '{"모자": 0.25, "신발": 0.75}',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
def test_a_class_mix_is_read_alike(tmp_path, text, encoding):
    path = tmp_path / ("mix.json" if text.startswith("{") else "mix.csv")
    path.write_bytes(text.encode(encoding))
    assert read_prior(str(path)) == {"모자": 0.25, "신발": 0.75}


def test_names_with_commas_and_semicolons_in_a_class_mix(tmp_path):
    (tmp_path / "mix.csv").write_text("a;b,0.25\nc,d,0.75\n")
    assert read_prior(str(tmp_path / "mix.csv")) == {"a;b": 0.25, "c,d": 0.75}
    (tmp_path / "mix.csv").write_bytes("帽子,0.25\n".encode("gbk"))
    with pytest.raises(InputError, match="CSV UTF-8"):
        read_prior(str(tmp_path / "mix.csv"))


def test_the_command_line_reads_what_korean_excel_saved(tmp_path, capsys):
    rows = [f"p{n},{kind}/{n}.jpg,{kind}" for n in range(10) for kind in ("모자", "신발")]
    rows = [f"p{number}{row[2:]}" if row[2] == "," else row for number, row in enumerate(rows)]
    (tmp_path / "c.csv").write_bytes("\r\n".join(["id,path,종류", *rows, ""]).encode("cp949"))
    assert main(["split", str(tmp_path / "c.csv"), "--out", str(tmp_path / "s.csv")]) == 0
    assert "CP949" in capsys.readouterr().out
    assert set(kf.read_catalog(tmp_path / "s.csv")["종류"]) == {"모자", "신발"}
    assert "CP949" not in capsys.readouterr().out  # what we write is UTF-8


def test_the_encoding_of_a_file_is_offered():
    assert decode("모자,신발".encode("cp949"), "t.csv") == ("모자,신발", "cp949")


def test_tables_for_people_show_hangul_on_a_double_click(tmp_path):
    """Excel reads UTF-8 as such only behind its mark; what is plain ASCII, packed or a template stays without."""
    mark = b"\xef\xbb\xbf"
    korean = complete_catalog({"id": ["a"], "path": ["사진/a.jpg"], "style": ["모던"]})
    plain = complete_catalog({"id": ["a"], "path": ["a.jpg"], "label": ["x"]})
    for table, begins in ((korean, mark), (plain, b"id,")):
        kf.write_catalog(table, tmp_path / "c.csv")
        assert (tmp_path / "c.csv").read_bytes().startswith(begins)
        assert kf.read_catalog(tmp_path / "c.csv").equals(table)
        assert pd.read_csv(tmp_path / "c.csv").columns[0] == "id"
        write_table(tmp_path / "t.csv", table)
        assert (tmp_path / "t.csv").read_bytes().startswith(begins)
    kf.write_catalog(korean, tmp_path / "c.csv.gz")
    assert gzip.decompress((tmp_path / "c.csv.gz").read_bytes()).startswith(b"id,")
    answers = pd.DataFrame({"id": ["a"], "photo": ["a"], "style": ["모던"], "style:모던": [0.75], "style:펑크": [0.25]})
    kf.write_predictions(answers, tmp_path / "p.csv")
    assert (tmp_path / "p.csv").read_bytes().startswith(mark)
    assert kf.read_predictions(tmp_path / "p.csv").equals(answers)
    (tmp_path / "template.csv").write_bytes(b"id,style\na,0\n")
    kf.write_submission(answers, tmp_path / "template.csv", tmp_path / "s.csv", labels="name")
    assert (tmp_path / "s.csv").read_bytes() == "id,style\na,모던\n".encode()
