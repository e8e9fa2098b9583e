"""HEIC from phones: read through the extra `heic`, upright, under the same limits; named where the extra is missing."""

import io

import numpy as np
import pytest
from conftest import picture
from PIL import Image

import kfashion_utils as kf
from kfashion_utils import extras
from kfashion_utils.errors import ImageRejected
from kfashion_utils.images import decoding

pillow_heif = pytest.importorskip("pillow_heif")


def encoded(pixels, **options):
    stream = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(pixels)).save(stream, quality=95, **options)
    return stream.getvalue()


@pytest.fixture(scope="module")
def pixels():
    """A picture with another colour in each corner, uint8 `(48, 64, 3)`."""
    pixels = np.full((48, 64, 3), 128, np.uint8)
    pixels[:24, :32], pixels[:24, 32:], pixels[24:, :32] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    return pixels


def test_it_is_the_picture_that_was_written(pixels, tmp_path):
    (tmp_path / "사진.HEIC").write_bytes(encoded(pixels))
    found = kf.open_image("사진.HEIC", tmp_path)
    assert found.shape == pixels.shape and np.abs(found.astype(int) - pixels).mean() < 4
    small = kf.Preprocess(size=32).apply("사진.HEIC", {}, tmp_path)
    assert small.shape == (32, 32, 3)
    assert decoding.read_frame("사진.HEIC", tmp_path)[:2] == (64, 48)


def test_a_turned_one_is_upright(pixels):
    """Phones write the sensor's rows and say how they are turned; the decoder turns them, and nobody a second time."""
    exif = Image.Exif()
    exif[0x0112] = 6
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", exif=exif, quality=95)
    upright = kf.open_image(stream.getvalue())
    turned = kf.open_image(encoded(pixels, exif=exif.tobytes()))
    assert turned.shape == upright.shape == (64, 48, 3)
    assert np.abs(turned.astype(int) - upright).mean() < 6


def test_class_folders_with_heic(pixels, tmp_path):
    picture(tmp_path / "coat/1.jpg")
    (tmp_path / "coat/2.heic").write_bytes(encoded(pixels))
    assert kf.build_catalog("folders", tmp_path)[0]["path"].tolist() == ["coat/1.jpg", "coat/2.heic"]


def test_without_the_extra_it_is_named(pixels, tmp_path, monkeypatch):
    monkeypatch.setattr(extras, "reads_heic", lambda: False)
    picture(tmp_path / "coat/1.jpg")
    (tmp_path / "coat/2.heic").write_bytes(encoded(pixels))
    (tmp_path / "coat/3.jpg").write_bytes(encoded(pixels))  # renamed, as people do
    catalog, rejected = kf.build_catalog("folders", tmp_path)
    assert rejected["path"].tolist() == ["coat/2.heic"] and "kfashion-utils[heic]" in rejected["detail"][0]
    with pytest.raises(ImageRejected, match=r"not a picture .*kfashion-utils\[heic\]"):
        kf.open_image("coat/3.jpg", tmp_path)


def test_limits_and_damage_are_those_of_the_others(pixels, monkeypatch):
    data = encoded(pixels)
    for cut in (24, 60, len(data) // 2):
        with pytest.raises(ImageRejected, match="broken"):
            kf.open_image(data[:cut])
    monkeypatch.setattr("kfashion_utils.images.formats.require_pixels.__defaults__", (64 * 48 - 1,))
    with pytest.raises(ImageRejected, match="too many pixels"):
        kf.open_image(data)
