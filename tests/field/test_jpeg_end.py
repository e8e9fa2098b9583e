"""A JPEG that lacks only its end mark is whole: accepted and counted; one that lacks more stays refused."""

import io

import numpy as np
import pytest
from PIL import Image

import kfashion_utils as kf
from kfashion_utils.errors import ImageRejected
from kfashion_utils.images.decoding import decode, open_image, read_size
from kfashion_utils.images.mended import NO_END_MARK, mending
from kfashion_utils.tables.catalog import complete_catalog

FORMS = {
    "photograph": {"quality": 90},
    "progressive": {"quality": 90, "progressive": True},
    "grey": {"mode": "L", "quality": 80},
    "4:4:4": {"quality": 95, "subsampling": 0},
    "restart marks": {"quality": 90, "restart_marker_blocks": 3},
    "optimized": {"quality": 60, "optimize": True},
    "low quality": {"quality": 5},
    "CMYK": {"mode": "CMYK", "quality": 90},
}


def jpeg(size=(70, 53), seed=0, mode="RGB", **options):
    """Bytes of a picture that is smooth in places and busy in others."""
    noise = np.random.default_rng(seed).normal(0, 60, (size[1] // 8 + 1, size[0] // 8 + 1, 3))
    smooth = np.asarray(Image.fromarray((noise + 128).clip(0, 255).astype(np.uint8)).resize(size))
    fine = np.random.default_rng(seed + 1).integers(-30, 30, smooth.shape) * (smooth > 128)
    buffer = io.BytesIO()
    Image.fromarray((smooth + fine).clip(0, 255).astype(np.uint8)).convert(mode).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def is_read(data):
    try:
        decode(data)
    except ImageRejected as error:
        assert error.reason == "broken" and "truncated" in error.detail
        return False
    return True


@pytest.mark.parametrize("options", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("lost", [2, 1])
def test_without_its_end_mark_it_is_read_as_with_it(options, lost):
    for seed in range(5):
        whole = jpeg(seed=seed, **options)
        with mending() as noted:
            pixels = open_image(whole[:-lost])
        assert noted == [NO_END_MARK]
        np.testing.assert_array_equal(pixels, open_image(whole))
        assert read_size(whole[:-lost]) == (70, 53)
    for shrink in (2, 4):
        big = jpeg((640, 480), **options)
        np.testing.assert_array_equal(*(decode(data, shrink=lambda *_: shrink)[0] for data in (big, big[:-2])))


@pytest.mark.parametrize("options", FORMS.values(), ids=FORMS)
def test_one_that_lacks_more_stays_refused(options):
    for seed in range(5):
        whole = jpeg(seed=seed, **options)
        start = whole.rindex(b"\xff\xda") if "progressive" not in options else whole.index(b"\xff\xda")
        scan = len(whole) - start
        for lost in {5, 8, 20, scan // 4, scan // 2, scan - 20}:
            assert not is_read(whole[:-lost]), lost
            assert not is_read(whole[:-lost] + bytes(2000)), "zeros, as a download leaves them that was not finished"


def test_a_progressive_one_that_lacks_a_whole_scan_stays_refused():
    whole = jpeg(progressive=True)
    starts = [at for at in range(len(whole) - 1) if whole[at : at + 2] == b"\xff\xda"]
    for start in starts[1:]:
        tables = whole.rfind(b"\xff\xc4", 0, start)
        assert not is_read(whole[: max(tables, 0)] if tables > starts[0] else whole[:start])


def test_a_whole_picture_is_not_mended():
    with mending() as noted:
        open_image(jpeg())
        open_image(jpeg() + bytes(100))
    assert noted == []


def test_it_is_counted_where_pictures_are_prepared(tmp_path, capsys):
    for number in range(3):
        (tmp_path / f"{number}.jpg").write_bytes(jpeg(seed=number)[: None if number else -2])
    (tmp_path / "3.jpg").write_bytes(jpeg()[:-40])
    catalog = complete_catalog({"id": list("0123"), "path": [f"{number}.jpg" for number in range(4)]})
    prepared = kf.preprocess_images(catalog, tmp_path, tmp_path / "cache", kf.Preprocess(size=32), workers=1)
    assert prepared.failures["id"].tolist() == ["3"]
    assert f"1 x {NO_END_MARK}" in capsys.readouterr().out


def test_an_audit_names_them_each_time(tmp_path):
    for number in range(3):
        (tmp_path / f"{number}.jpg").write_bytes(jpeg(seed=number)[: -2 if number == 1 else None])
    paths = [f"{number}.jpg" for number in (0, 1, 2, 1)]
    catalog = complete_catalog({"id": list("abcd"), "path": paths, "photo": list("abcb")})
    for _ in range(2):  # the second call finds its records
        audit = kf.audit_catalog(catalog, tmp_path, tmp_path / "audit", workers=1, progress=False)
        found = audit.findings[audit.findings["finding"] == "no end mark"]
        assert found["id"].tolist() == ["b", "d"] and set(found["detail"]) == {NO_END_MARK}
    assert "2 x no end mark" in str(audit)
