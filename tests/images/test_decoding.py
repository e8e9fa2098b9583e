"""The decoder: pixels of every kind of file, rejections with a reason, and the settings of others."""

import errno
import os
import random
import socket
import struct
import threading
import warnings
import zipfile
import zlib

import numpy as np
import pytest
from conftest import picture
from hostile_mutations import MUTATIONS
from hostile_parts import bmp, chunk, corners, encoded, gif_canvas, png, split_idat, whole_files
from PIL import Image, ImageFile

from kfashion_utils import errors
from kfashion_utils.errors import ImageRejected
from kfashion_utils.images import decoding, formats, geometry
from kfashion_utils.images.decoding import decode, open_image
from kfashion_utils.storage import addresses


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_exif_orientation_is_applied(orientation, format):
    upright = Image.fromarray(corners())
    inverse = {
        Image.Transpose.ROTATE_270: Image.Transpose.ROTATE_90,
        Image.Transpose.ROTATE_90: Image.Transpose.ROTATE_270,
    }
    turn = formats.ORIENTATIONS.get(orientation)
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
    "1": 255, "L": 200, "P": 3, "RGB": (10, 200, 30), "RGBA": (10, 200, 30, 255), "LA": (200, 255), "I;16": 200 * 256,
    "CMYK": (0, 0, 0, 0),
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
    assert caught.value.reason == reason and reason in errors.REASONS


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


def test_a_mask_keeps_holes_out_and_pictures_are_centred():
    pixels = np.zeros((20, 10, 3), np.uint8)
    rings = [[(2, 2), (8, 2), (8, 18), (2, 18)], [(4, 8), (6, 8), (6, 12), (4, 12)]]
    placement = geometry.Placement.fitted((0, 0, 10, 20), 20, "pad")
    placed = placement.place(pixels, 255, [np.array(ring) for ring in rings])
    assert placed.shape == (20, 20, 3)
    assert placed[5, 8, 0] == 0 and placed[10, 10, 0] == 255 and placed[0, 6, 0] == 255 and placed[5, 2, 0] == 255
    whole = placement.place(pixels, 255)
    assert (whole[:, 5:15] == 0).all() and (whole[:, :5] == 255).all() and (whole[:, 15:] == 255).all()


# Pixels as they should be ---------------------------------------------------------------------------------------------

GREYS = [0x00FF, 0x0100, 0x80FF, 0xFFFF]
ROW = {
    "16-bit grey": (png(4, 1, 16, 0, b"\0" + struct.pack(">4H", *GREYS)), [0, 1, 128, 255]),
    "16-bit grey, one clear": (
        png(4, 1, 16, 0, b"\0" + struct.pack(">4H", *GREYS), chunk(b"tRNS", b"\x80\xff")),
        [0, 1, 255, 255],
    ),
    "16-bit colours": (
        png(2, 1, 16, 2, b"\0" + struct.pack(">6H", 0x1234, 0x5678, 0x9ABC, 1, 0xFF, 0x100)),
        [[0x12, 0x56, 0x9A], [0, 0, 1]],
    ),
    "16-bit colours, one clear": (
        png(1, 1, 16, 2, b"\0" + struct.pack(">3H", 256, 512, 768), chunk(b"tRNS", struct.pack(">3H", 256, 512, 768))),
        [255],
    ),
    "16-bit grey and alpha": (png(2, 1, 16, 4, b"\0" + struct.pack(">4H", 0x4000, 0xFFFF, 0, 0)), [0x40, 255]),
    "16-bit colours and alpha": (png(1, 1, 16, 6, b"\0" + struct.pack(">4H", 0, 0, 0, 0)), [255]),
    "1-bit": (png(4, 1, 1, 0, b"\0\x50"), [0, 255, 0, 255]),
    "1-bit, black clear": (png(4, 1, 1, 0, b"\0\x50", chunk(b"tRNS", b"\0\0")), [255] * 4),
    "2-bit": (png(4, 1, 2, 0, b"\0\x1b"), [0, 85, 170, 255]),
    "2-bit, one clear": (png(4, 1, 2, 0, b"\0\x1b", chunk(b"tRNS", b"\0\1")), [0, 255, 170, 255]),
    "4-bit, one clear": (png(2, 1, 4, 0, b"\0\x25", chunk(b"tRNS", b"\0\5")), [34, 255]),
    "8-bit, one clear": (png(2, 1, 8, 0, b"\0\x25\x26", chunk(b"tRNS", b"\0\x25")), [255, 0x26]),
    "colours, one clear": (png(2, 1, 8, 2, b"\0\1\2\3\4\5\6", chunk(b"tRNS", b"\0\1\0\2\0\3")), [[255] * 3, [4, 5, 6]]),
    "palette": (png(2, 1, 4, 3, b"\0\x01", chunk(b"PLTE", b"\1\2\3\4\5\6")), [[1, 2, 3], [4, 5, 6]]),
    "palette, one clear": (
        png(2, 1, 8, 3, b"\0\0\1", chunk(b"PLTE", b"\1\2\3\4\5\6"), chunk(b"tRNS", b"\0")),
        [[255] * 3, [4, 5, 6]],
    ),
    "palette, one half clear": (
        png(2, 1, 8, 3, b"\0\0\1", chunk(b"PLTE", bytes(6)), chunk(b"tRNS", b"\x80\xff")),
        [127, 0],
    ),
    "grey and alpha": (png(2, 1, 8, 4, b"\0\0\x80\x09\xff"), [127, 9]),
    "BMP from below": (bmp(1, 2, 24, 0, b"\0\0\xff\0" + b"\xff\0\0\0"), [[0, 0, 255], [255, 0, 0]]),
    "BMP from above": (bmp(1, -2, 24, 0, b"\0\0\xff\0" + b"\xff\0\0\0"), [[255, 0, 0], [0, 0, 255]]),
}


@pytest.mark.parametrize("name", ROW)
def test_pixels_of_every_kind(name):
    data, expected = ROW[name]
    expected = np.array(expected)
    expected = np.repeat(expected[:, None], 3, axis=1) if expected.ndim == 1 else expected
    assert open_image(data).reshape(-1, 3).tolist() == np.broadcast_to(expected, (max(len(expected), 1), 3)).tolist()


def test_interlaced_pixels_lie_where_they_should():
    pixels = open_image(WHOLE["PNG interlaced"])[..., 0]
    assert pixels.tolist() == [[8 * x + y for x in range(8)] for y in range(8)]


@pytest.mark.parametrize("size", [1, 7, 64])
def test_pixels_in_several_chunks(size):
    data = encoded(Image.fromarray(corners()))
    np.testing.assert_array_equal(open_image(split_idat(data, size)), corners())


def test_a_gif_is_white_where_its_first_frame_is_not():
    data = gif_canvas(encoded(Image.new("RGB", (4, 4), "red"), "GIF"), 8, 6)
    pixels = open_image(data)
    assert pixels.shape == (6, 8, 3) and (pixels[:4, :4] == (255, 0, 0)).all()
    assert (pixels[4:] == 255).all() and (pixels[:, 4:] == 255).all()


def test_cmyk_is_read_as_adobe_writes_it():
    for colour, expected in (((0, 0, 0, 0), 255), ((0, 0, 0, 255), 0)):
        assert np.abs(open_image(encoded(Image.new("CMYK", (16, 16), colour), "JPEG")).astype(int) - expected).max() < 3


@pytest.mark.parametrize("format", ["PNG", "WEBP", "GIF"])
def test_of_an_animation_the_first_frame_counts(format):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue", "lime")]
    options = {"lossless": True} if format == "WEBP" else {}
    pixels = open_image(encoded(frames[0], format, save_all=True, append_images=frames[1:], **options))
    assert (pixels == (255, 0, 0)).all()


# Whatever users do to the process -------------------------------------------------------------------------------------


WHOLE = whole_files()


@pytest.fixture
def others(monkeypatch):
    """What other code in the process may have set."""
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    for name in errors.FORMATS:
        monkeypatch.setitem(Image.OPEN, name, (lambda *_: pytest.fail("somebody else's plugin"), None))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def test_settings_of_others_change_nothing_and_stay(others):
    for name, data in WHOLE.items():
        assert open_image(data).shape[2] == 3
        if name in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "PNG palette"):
            for cut in (len(data) // 2, len(data) * 9 // 10):
                with pytest.raises(ImageRejected, match="broken"):
                    open_image(data[:cut])
    with pytest.raises(ImageRejected, match="broken"):
        open_image(png(8, 8, 8, 0, (b"\x09" + bytes(8)) * 8))  # what Pillow's decoder itself says is heard too
    assert ImageFile.LOAD_TRUNCATED_IMAGES is True and Image.MAX_IMAGE_PIXELS == 10


@pytest.mark.parametrize("limit", [None, 1, 10**12])
def test_limits_of_others_do_not_matter(monkeypatch, limit):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    assert open_image(encoded(Image.fromarray(corners()), "GIF")).shape == (32, 64, 3)
    with pytest.raises(ImageRejected, match="too many pixels"):
        open_image(gif_canvas(encoded(Image.fromarray(corners()), "GIF"), 65535, 65535))
    assert limit == Image.MAX_IMAGE_PIXELS


def test_threads_see_the_same_strictness(monkeypatch):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    whole = encoded(Image.fromarray(corners(640, 320)), "GIF")
    wrong = []

    def work():
        for _ in range(40):
            open_image(whole)
            try:
                open_image(whole[: len(whole) * 2 // 3])
                wrong.append("a truncated picture was accepted")
            except ImageRejected:
                pass

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong and ImageFile.LOAD_TRUNCATED_IMAGES is True and decoding._PILLOW.threads == 0


def test_an_error_of_the_caller_is_not_the_pictures_fault():
    def shrink(width, height):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        decode(encoded(Image.fromarray(corners())), shrink=shrink)


# Paths that are no pictures -------------------------------------------------------------------------------------------


def reason(path, root="."):
    with pytest.raises(ImageRejected) as caught:
        open_image(path, root)
    assert caught.value.reason in errors.REASONS and caught.value.source == str(path)
    return caught.value.reason


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_what_is_not_a_file_is_rejected_at_once(tmp_path, monkeypatch):
    for name in ("a.jpg", "b.zip", "c.npz"):
        os.mkfifo(tmp_path / name)
    assert [reason(path, tmp_path) for path in ("a.jpg", "b.zip::x.jpg", "c.npz::x/0")] == ["unreadable"] * 3
    (tmp_path / "folder.jpg").mkdir()
    assert reason("folder.jpg", tmp_path) == "missing" and reason("folder.jpg::x", tmp_path) == "missing"
    assert reason("/dev/zero") == reason("/dev/null") == "unreadable"
    monkeypatch.chdir(tmp_path)  # the name of a socket may not be long
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s")
        assert reason("s") == "unreadable"
    with pytest.raises(ImageRejected, match="unreadable"):
        addresses.source_version("b.zip::x.jpg", tmp_path)


@pytest.mark.parametrize("path", ["a\0b.jpg", "\ud800.jpg", "x" * 5000, "a\0.zip::b", "a\0.npz::x/0"])
def test_names_that_cannot_be_names(path):
    assert reason(path) == "unreadable"


def test_what_the_storage_does_is_not_the_pictures_fault(tmp_path, monkeypatch):
    path = picture(tmp_path / "a.png")
    for code in (errno.EIO, errno.ENOTCONN, errno.ETIMEDOUT, errno.ESTALE):

        def failing(*_, code=code):
            raise OSError(code, os.strerror(code))

        monkeypatch.setattr(addresses, "_open_at_once", failing)
        with pytest.raises(OSError, match=os.strerror(code)) as caught:
            open_image(path)
        assert not isinstance(caught.value, ImageRejected)


def npz(path, name, header, body, **options):
    text = repr(header).encode() if isinstance(header, dict) else header
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    with zipfile.ZipFile(path, "w", **options) as archive:
        archive.writestr(name + ".npy", b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text + body)


HEADER = {"descr": "|u1", "fortran_order": False, "shape": (2, 4, 4)}
BROKEN_ARRAYS = {
    "far too large": (HEADER | {"shape": (10**9, 10**9, 4)}, bytes(32)), "too short": (HEADER, bytes(31)),
    "negative": (HEADER | {"shape": (-2, 4, 4)}, bytes(32)),
    "objects": (HEADER | {"descr": "|O"}, bytes(256)), "no header": (b"{", b""),
    "code for a header": (b"__import__('os').getcwd()", b""),
    "no numbers": (HEADER | {"shape": ("a",)}, bytes(32)), "nested": (b"(" * 5000, b""),
    "a name for a type": (HEADER | {"descr": "nonsense"}, bytes(32)),
}  # fmt: skip


@pytest.mark.parametrize("kind", BROKEN_ARRAYS)
def test_broken_arrays_are_broken_archives(tmp_path, kind):
    npz(tmp_path / "a.npz", "x", *BROKEN_ARRAYS[kind])
    assert reason("a.npz::x/0", tmp_path) == "broken archive"


def test_rows_of_arrays(tmp_path):
    npz(tmp_path / "a.npz", "x", HEADER, bytes(range(32)))
    assert open_image("a.npz::x/1", tmp_path)[..., 0].ravel().tolist() == list(range(16, 32))
    for row in ("-1", "2", "x", "", "1.0", "1e0", "9" * 5000, "\u0661", " 1"):
        assert reason(f"a.npz::x/{row}", tmp_path) == "missing"
    npz(tmp_path / "a.npz", "x", HEADER | {"shape": (1, 4, 4)}, bytes([7] * 16))
    assert (open_image("a.npz::x/0", tmp_path) == 7).all()  # not what the file held before
    np.savez(
        tmp_path / "b.npz",
        flat=np.zeros(3, np.uint8),
        real=np.zeros((1, 2, 2)),
        text=np.array([b"\xff\xd8\xff"]),
        wide=np.zeros((1, 1, 40_000_001), np.uint8),
    )
    assert [reason(f"b.npz::{name}/0", tmp_path) for name in ("flat", "real", "text", "wide")] == [
        "not a picture"
    ] * 3 + ["too many pixels"]
    npz(
        tmp_path / "bomb.npz",
        "x",
        HEADER | {"shape": (1, 10_000, 10_000)},
        bytes(10**8),
        compression=zipfile.ZIP_DEFLATED,
    )
    assert reason("bomb.npz::x/0", tmp_path) == "broken archive"
    for content in (b"", b"no zip", (tmp_path / "b.npz").read_bytes()[:300]):
        (tmp_path / "c.npz").write_bytes(content)
        assert reason("c.npz::x/0", tmp_path) == "broken archive"


def test_mutations_of_containers_are_pictures_or_rejections(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", x=np.zeros((3, 8, 8), np.uint8))
    whole = (tmp_path / "a.npz").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.png", encoded(Image.fromarray(corners())))
    containers = {"npz::x/1": whole, "zip::a.png": (tmp_path / "a.zip").read_bytes()}
    outcomes = []
    for number in range(600):
        chance = random.Random(number)
        address = chance.choice(list(containers))
        data = bytearray(containers[address])
        for _ in range(chance.choice((1, 2, 5))):
            chance.choice(MUTATIONS)(data, chance, whole)
        path = f"{number}.{address}"
        (tmp_path / path.partition("::")[0]).write_bytes(data)
        try:
            outcomes.append(f"{open_image(path, tmp_path).dtype}")
        except ImageRejected as error:
            outcomes.append(error.reason)
    assert {"uint8", "missing", "broken archive"} <= set(outcomes) <= {"uint8", *errors.REASONS}
