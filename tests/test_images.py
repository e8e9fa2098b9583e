import io
import struct
import zipfile
import zlib

import numpy as np
import pytest
from conftest import picture
from PIL import Image

from kfashion_utils import images
from kfashion_utils.images import ImageRejected, decode, open_image


def encoded(image, format="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def corners(width=64, height=32):
    """A picture whose four corners differ: red, green, blue, white."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2, 0] = 255
    pixels[: height // 2, width // 2 :, 1] = 255
    pixels[height // 2 :, : width // 2, 2] = 255
    pixels[height // 2 :, width // 2 :] = 255
    return pixels


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_exif_orientation_is_applied(orientation, format):
    upright = Image.fromarray(corners())
    inverse = {Image.Transpose.ROTATE_270: Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_90: Image.Transpose.ROTATE_270}
    turn = images.ORIENTATIONS.get(orientation)
    stored = upright if turn is None else upright.transpose(inverse.get(turn, turn))
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels, size = decode(encoded(stored, format, exif=exif, **({"lossless": True} if format == "WEBP" else {})))
    assert pixels.shape == (32, 64, 3) and size == (64, 32)
    assert np.abs(pixels.astype(int) - corners()).mean() < 6


def test_broken_exif_does_not_stop_a_picture():
    data = encoded(Image.fromarray(corners()), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\xff" * 30)
    assert open_image(data).shape == (32, 64, 3)


MODES = {
    "1": 255, "L": 200, "P": 3, "RGB": (10, 200, 30), "RGBA": (10, 200, 30, 255), "LA": (200, 255), "I;16": 200 * 256, "CMYK": (0, 0, 0, 0),
}  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_becomes_rgb(mode):
    data = encoded(Image.new(mode, (8, 6), MODES[mode]), "JPEG" if mode == "CMYK" else "PNG")
    pixels = open_image(data)
    assert pixels.shape == (6, 8, 3) and pixels.dtype == np.uint8
    expected = {"1": 255, "L": 200, "LA": 200, "I;16": 200, "CMYK": 255}.get(mode)
    if expected is not None:
        assert np.abs(pixels.astype(int) - expected).max() <= 2


def test_transparency_is_laid_over_white():
    data = encoded(Image.new("RGBA", (4, 4), (255, 0, 0, 0)))
    assert (open_image(data) == 255).all()


def test_first_frame_of_an_animation():
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    pixels = open_image(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    assert (pixels == (255, 0, 0)).all()


def test_scaled_decoding_stays_at_or_above_what_is_needed():
    data = encoded(Image.fromarray(np.random.default_rng(0).integers(0, 255, (801, 603, 3), np.uint8)), "JPEG")
    for factor, expected in ((1, 801), (1.9, 801), (2, 401), (3.9, 401), (4.1, 201), (50, 101)):
        pixels, size = decode(data, shrink=lambda width, height, factor=factor: factor)
        assert pixels.shape[0] == expected and size == (603, 801)


def bomb():
    header = struct.pack(">II5B", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    return b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))


REJECTED = {
    "empty": b"",
    "not a picture": b"<html>quota exceeded</html>",
    "too many pixels": bomb(),
    "broken": encoded(Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)), "JPEG")[:1500],
}


@pytest.mark.parametrize("reason", REJECTED)
def test_rejections_have_a_reason(reason):
    with pytest.raises(ImageRejected) as caught:
        open_image(REJECTED[reason])
    assert caught.value.reason == reason and reason in images.REASONS


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "BMP"])
def test_truncated_files_are_rejected(format):
    data = encoded(Image.fromarray(np.random.default_rng(1).integers(0, 255, (60, 60, 3), np.uint8)), format)
    for tenth in range(1, 10):
        with pytest.raises(ImageRejected):
            open_image(data[: len(data) * tenth // 10])


def test_unlisted_formats_are_rejected():
    with pytest.raises(ImageRejected, match="not a picture"):
        open_image(encoded(Image.fromarray(corners()), "TIFF"))


def test_sources_path_zip_member_npz_row_and_bytes(tmp_path):
    path = picture(tmp_path / "가.png")
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.write(path, "폴더/가.png")
    np.savez(tmp_path / "digits.npz", x_train=np.arange(5 * 16, dtype=np.uint8).reshape(5, 4, 4))
    expected = open_image("가.png", tmp_path)
    np.testing.assert_array_equal(open_image("z.zip::폴더/가.png", tmp_path), expected)
    np.testing.assert_array_equal(open_image(path.read_bytes()), expected)
    np.testing.assert_array_equal(open_image("digits.npz::x_train/2", tmp_path)[..., 1].ravel(), np.arange(32, 48))


@pytest.mark.parametrize("path", ["no.jpg", "no.zip::a.jpg", "z.zip::no.jpg", "x/y.jpg", "digits.npz::nothing/0"])
def test_missing_sources_are_rejections(tmp_path, path):
    with zipfile.ZipFile(tmp_path / "z.zip", "w"):
        pass
    np.savez(tmp_path / "digits.npz", x=np.zeros(1))
    with pytest.raises(ImageRejected) as caught:
        open_image(path, tmp_path)
    assert caught.value.reason == "missing" and path in str(caught.value)


def test_painting_outside_keeps_holes_out():
    pixels = np.zeros((20, 20, 3), np.uint8)
    images.paint_outside(pixels, [[(2, 2), (18, 2), (18, 18), (2, 18)], [(8, 8), (12, 8), (12, 12), (8, 12)]], 255)
    assert pixels[5, 5, 0] == 0 and pixels[10, 10, 0] == 255 and pixels[0, 0, 0] == 255
