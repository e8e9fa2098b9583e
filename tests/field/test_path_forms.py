"""Paths that another system wrote: decomposed Hangul, backslashes; found, or named as the reason."""

import unicodedata
import zipfile

import numpy as np
import pytest
from conftest import picture

import kfashion_utils as kf
from kfashion_utils.errors import ImageRejected
from kfashion_utils.storage.addresses import read_source, source_version
from kfashion_utils.tables.catalog import complete_catalog

PLACES = ("옷장/모자/사진 0.png", "옷장/모자/사진 1.png", "옷장/코트/한글.png")


def form(name):
    return lambda text: unicodedata.normalize(name, text)


def mixed(text):
    """Each second part of a path decomposed."""
    parts = text.split("/")
    return "/".join(form("NFD")(part) if number % 2 else part for number, part in enumerate(parts))


WRITTEN = {
    "decomposed": form("NFD"),
    "composed": form("NFC"),
    "mixed": mixed,
    "backslashes": lambda text: text.replace("/", "\\"),
    "decomposed, backslashes": lambda text: form("NFD")(text).replace("/", "\\"),
    "a dot before": lambda text: f"./{text}",
    "a dot before, backslashes": lambda text: ".\\" + text.replace("/", "\\"),
}


@pytest.fixture(params=["NFC", "NFD", "mixed"])
def root(request, tmp_path):
    named = mixed if request.param == "mixed" else form(request.param)
    for number, place in enumerate(PLACES):
        picture(tmp_path / "data" / named(place), (24, 24), seed=number)
    return tmp_path / "data"


@pytest.fixture(params=["NFC", "NFD", "backslashes"])
def zips(request, tmp_path):
    """A zip whose own name is decomposed, with members as macOS, others or Windows name them."""
    (tmp_path / "zips" / "묶음").mkdir(parents=True)
    written = WRITTEN.get(request.param) or form(request.param)
    with zipfile.ZipFile(tmp_path / "zips" / "묶음" / form("NFD")("사진들.zip"), "w") as archive:
        for number, place in enumerate(PLACES):
            data = picture(tmp_path / "0.png", (24, 24), seed=number).read_bytes()
            info = zipfile.ZipInfo("x")
            info.filename = written(place)
            archive.writestr(info, data)
    return tmp_path / "zips"


def table(paths):
    return complete_catalog({"id": ["a", "b", "c"], "path": paths, "label": ["모자", "모자", "코트"]})


def pixels_of(catalog, root, tmp_path):
    prepared = kf.preprocess_images(
        catalog, root, tmp_path / "cache", kf.Preprocess(size=16), workers=1, progress=False
    )
    assert prepared.failures.empty
    return [prepared.pixels(name) for name in ("a", "b", "c")]


@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN)
def test_every_form_of_a_path_finds_its_file(root, tmp_path, written):
    catalog = table([written(place) for place in PLACES])
    assert kf.check_catalog(catalog, root) == []
    found = pixels_of(catalog, root, tmp_path)
    for number, pixels in enumerate(found):
        same = picture(tmp_path / "same.png", (24, 24), seed=number)
        assert np.array_equal(pixels, kf.Preprocess(size=16).apply(str(same), {}))


@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN)
def test_every_form_of_a_member_finds_it(zips, tmp_path, written):
    catalog = table([f"{written('묶음/사진들.zip')}::{written(place)}" for place in PLACES])
    assert kf.check_catalog(catalog, zips) == []
    assert len(pixels_of(catalog, zips, tmp_path)) == 3


def test_some_rows_only(tmp_path):
    for number, place in enumerate(PLACES):
        picture(tmp_path / "data" / place, (24, 24), seed=number)
    catalog = table([PLACES[0], form("NFD")(PLACES[1]), PLACES[2].replace("/", "\\")])
    assert len(pixels_of(catalog, tmp_path / "data", tmp_path)) == 3


def test_both_forms_beside_each_other_are_two_files(tmp_path):
    for number, name in enumerate(("NFC", "NFD")):
        picture(tmp_path / form(name)("모자.png"), (24, 24), seed=number)
    for name in ("NFC", "NFD"):
        path = form(name)("모자.png")
        assert read_source(path, tmp_path) == (tmp_path / path).read_bytes()


def test_a_file_that_comes_later_is_found(tmp_path):
    (tmp_path / "모자").mkdir()
    with pytest.raises(ImageRejected, match="missing"):
        source_version(form("NFD")("모자/0.png"), tmp_path)
    picture(tmp_path / "모자" / "0.png", (24, 24))
    assert source_version(form("NFD")("모자/0.png"), tmp_path) == source_version("모자/0.png", tmp_path)


def test_the_reason_is_named_where_it_is_another(tmp_path):
    picture(tmp_path / "모자" / "0.JPG", (24, 24), format="JPEG")
    with pytest.raises(ImageRejected, match=r"there is '.*0\.JPG', which differs in case"):
        read_source("모자/0.jpg", tmp_path)
    with pytest.raises(ImageRejected, match="a path of Windows with its drive"):
        read_source("C:\\data\\모자\\0.JPG", tmp_path)
    with pytest.raises(kf.InputError, match=r"none of the catalog's 3 pictures.*differs in case"):
        kf.preprocess_images(table(["모자/0.jpg"] * 3), tmp_path, tmp_path / "cache", progress=False)


@pytest.mark.parametrize("path", ["..\\secret.png", "모자\\..\\..\\secret.png", "\\secret.png"])
def test_nothing_above_the_root_is_found_so(tmp_path, path):
    picture(tmp_path / "secret.png", (24, 24))
    (tmp_path / "data" / "모자").mkdir(parents=True)
    with pytest.raises(ImageRejected, match="missing"):
        read_source(path, tmp_path / "data")


@pytest.mark.parametrize("separator", ["/", "\\"])
def test_a_member_that_differs_in_case_is_named(zips, separator):
    with pytest.raises(ImageRejected) as caught:
        read_source("묶음/사진들.zip::옷장/코트/한글.PNG".replace("/", separator), zips)
    assert caught.value.reason == "missing"
    assert form("NFC")("한글.png', which differs in case") in form("NFC")(str(caught.value))
    with pytest.raises(ImageRejected, match="there is no such file or archive member"):
        read_source("묶음/사진들.zip::옷장/코트/다른.png", zips)
