"""Preparation: rows, interruptions, workers, and what each field of the recipe does to pixels."""

import json
import os
import zipfile

import numpy as np
import pytest
from conftest import picture
from PIL import Image

import kfashion_utils as kf
from kfashion_utils.errors import ImageRejected, InputError
from kfashion_utils.images import blocks as module
from kfashion_utils.images import decoding
from kfashion_utils.images.prepare import preprocess_images
from kfashion_utils.images.recipe import Preprocess
from kfashion_utils.storage import files
from kfashion_utils.tables.catalog import complete_catalog


@pytest.fixture
def photos(tmp_path):
    """(root, catalog) of 12 pictures with boxes and polygons, one of them unreadable, one missing, one without a
    region."""
    root = tmp_path / "root"
    rows = []
    for number in range(12):
        picture(root / f"{number}.jpg", (90, 120), (20 * number, 100, 50), seed=number)
        polygon = json.dumps([[[20, 20], [70, 20], [70, 100], [20, 100]]])
        box = {"left": 10, "top": 10, "right": 80, "bottom": 110}
        rows.append({"id": f"p{number:02d}", "path": f"{number}.jpg", **box, "polygon": polygon, "region": "hand"})
    (root / "3.jpg").write_bytes(b"no picture")
    (root / "4.jpg").unlink()
    rows[5] |= {"left": "", "top": "", "right": "", "bottom": "", "polygon": "", "region": ""}
    return root, complete_catalog(rows)


def prepare(photos, cache, recipe=Preprocess(size=32, crop="box", mask="polygon"), **options):  # noqa: B008
    root, catalog = photos
    return preprocess_images(catalog, root, cache, recipe, progress=False, **{"workers": 1, **options})


def contents(prepared):
    return {row: prepared.read(row) for row in prepared.ids}


def leftovers(folder):
    names = [path.name for path in folder.iterdir()]
    return sorted(name for name in names if name == "plan.json" or not name.endswith((".zip", ".csv", ".json")))


def test_rows_in_are_rows_kept_plus_rows_rejected(photos, tmp_path):
    prepared = prepare(photos, tmp_path / "cache")
    failures = prepared.failures[["id", "reason"]].values.tolist()
    assert len(prepared) == 10 and failures == [["p03", "not a picture"], ["p04", "missing"]]
    assert (prepared.folder / "failures.csv").read_text(encoding="utf-8").count("\n") == 3
    assert leftovers(prepared.folder) == []


def test_cache_prediction_and_bytes_give_equal_pixels(photos, tmp_path):
    root, catalog = photos
    prepared = prepare(photos, tmp_path / "cache")
    for row in catalog[catalog["id"].isin(prepared.ids)].to_dict("records"):
        direct = prepared.preprocess.apply(row["path"], row, root)
        uploaded = prepared.preprocess.apply((root / row["path"]).read_bytes(), row)
        np.testing.assert_array_equal(prepared.pixels(row["id"]), direct)
        np.testing.assert_array_equal(uploaded, direct)
        assert direct.shape == (32, 32, 3) and direct.dtype == np.uint8


def test_calling_again_does_nothing_and_new_rows_are_added(photos, tmp_path, monkeypatch):
    root, catalog = photos
    first = contents(preprocess_images(catalog[:6], root, tmp_path, progress=False))
    done = []
    encode = Preprocess.encode
    monkeypatch.setattr(
        Preprocess, "encode", lambda self, source, *a, **k: done.append(source) or encode(self, source, *a, **k)
    )
    again = preprocess_images(catalog, root, tmp_path, progress=False, workers=1)
    assert sorted(done) == sorted(catalog["path"][6:])
    assert {row: contents(again)[row] for row in first} == first
    preprocess_images(catalog, root, tmp_path, progress=False, workers=1)
    assert len(done) == 6


def test_a_changed_file_is_prepared_again(photos, tmp_path):
    before = contents(prepare(photos, tmp_path))
    picture(photos[0] / "0.jpg", (90, 120), (255, 0, 255), seed=99)
    picture(photos[0] / "4.jpg", (90, 120))
    after = contents(prepare(photos, tmp_path))
    assert before["p00"] != after["p00"] and before["p01"] == after["p01"] and "p04" in after


class Killed(BaseException):
    pass


@pytest.mark.parametrize("after", [0, 1, 5, 9])
def test_an_interrupted_call_continues_and_ends_with_the_same_pictures(photos, tmp_path, monkeypatch, after):
    undisturbed = contents(prepare(photos, tmp_path / "a"))
    encode, calls = Preprocess.encode, []

    def dying(self, *args, **options):
        calls.append(1)
        if len(calls) == after + 1:
            raise Killed
        return encode(self, *args, **options)

    monkeypatch.setattr(Preprocess, "encode", dying)
    with pytest.raises(Killed):
        prepare(photos, tmp_path / "b")
    prepared = prepare(photos, tmp_path / "b")
    assert contents(prepared) == undisturbed and leftovers(prepared.folder) == []
    assert len(calls) == 11 + 1  # every readable or rejected row once, and the one that died twice


def test_an_interrupted_plan_of_another_catalog_is_kept(photos, tmp_path, monkeypatch):
    root, catalog = photos
    monkeypatch.setattr(module, "SHARD_ITEMS", 3)
    encode, calls = Preprocess.encode, []

    def dying(self, *args, **options):
        calls.append(1)
        if len(calls) == 5:
            raise Killed
        return encode(self, *args, **options)

    monkeypatch.setattr(Preprocess, "encode", dying)
    with pytest.raises(Killed):
        preprocess_images(catalog[:6], root, tmp_path, progress=False, workers=1)
    prepared = preprocess_images(catalog[2:], root, tmp_path, progress=False, workers=1)
    assert leftovers(prepared.folder) == []
    assert len(calls) == 4 + 1 + 7  # four done, one died, the rest of both catalogs
    assert len(preprocess_images(catalog, root, tmp_path, progress=False, workers=1)) == 10


def test_several_processes_give_the_same_pictures(photos, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "SHARD_ITEMS", 4)
    one, two = prepare(photos, tmp_path / "a"), prepare(photos, tmp_path / "b", workers=2)
    assert contents(one) == contents(two)
    for path in two.folder.glob("*.zip"):
        assert zipfile.ZipFile(path).testzip() is None


def test_another_process_in_the_same_cache_is_refused(photos, tmp_path):
    folder = tmp_path / Preprocess(size=32, crop="box", mask="polygon").key
    folder.mkdir()
    with files.only_one(folder, "is being filled"), pytest.raises(InputError, match="another process"):
        prepare(photos, tmp_path)


def test_a_wrong_root_writes_nothing(photos, tmp_path):
    with pytest.raises(InputError, match="none of the catalog's 12 pictures"):
        prepare((tmp_path / "elsewhere", photos[1]), tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_what_happens_outside_the_pictures_is_not_their_fault(photos, tmp_path, monkeypatch):
    def failing(path, root="."):
        raise OSError(5, "Input/output error", path)

    monkeypatch.setattr(decoding, "read_source", failing)
    with pytest.raises(OSError, match="Input/output error"):
        prepare(photos, tmp_path)


# Pixels ---------------------------------------------------------------------------------------------------------------


def row(**values):
    return {"left": None, "top": None, "right": None, "bottom": None, "polygon": "", **values}


@pytest.fixture
def quarters(tmp_path):
    """Path of a PNG, 200 x 400, whose left upper quarter is red, the rest blue."""
    pixels = np.zeros((400, 200, 3), np.uint8)
    pixels[..., 2] = 255
    pixels[:200, :100] = (255, 0, 0)
    Image.fromarray(pixels).save(tmp_path / "q.png")
    return tmp_path / "q.png"


def test_pad_keeps_the_shape_and_stretch_does_not(quarters):
    padded = Preprocess(size=64).apply(quarters, row())
    assert (padded[:, :14] > 240).all() and padded[10, 20, 0] > 200 and padded[50, 20, 2] > 200
    stretched = Preprocess(size=64, fit="stretch").apply(quarters, row())
    assert stretched[10, 5, 0] > 200 and stretched[10, 60, 2] > 200


def test_crop_takes_the_box_with_its_margin(quarters):
    box = {"left": 0, "top": 0, "right": 100, "bottom": 200}
    cropped = Preprocess(size=64, crop="box", fit="stretch").apply(quarters, row(**box))
    assert (cropped[..., 0] > 200).all()
    wider = Preprocess(size=64, crop="box", fit="stretch", margin=0.5).apply(quarters, row(**box))
    assert wider[10, 10, 0] > 200 and wider[10, 60, 2] > 200 and wider[60, 10, 2] > 200


def test_mask_paints_outside_the_polygon_and_falls_back_to_the_box(quarters):
    polygon = json.dumps([[[0, 0], [100, 0], [100, 200], [0, 200]]])
    recipe = Preprocess(size=64, mask="polygon", fill=0)
    masked = recipe.apply(quarters, row(polygon=polygon))
    assert masked[10, 20, 0] > 200 and masked[50:, :].max() < 30
    np.testing.assert_array_equal(recipe.apply(quarters, row(left=0, top=0, right=100, bottom=200)), masked)
    assert recipe.apply(quarters, row())[60, 40, 2] > 200


def test_scaled_decoding_changes_little(tmp_path):
    y, x = np.mgrid[0:1200, 0:900]
    waves = np.stack([127 + 120 * np.sin(x / 40), 127 + 120 * np.cos(y / 55), (x + y) / 9], axis=-1)
    smooth = waves.clip(0, 255).astype(np.uint8)
    Image.fromarray(smooth).save(tmp_path / "a.jpg", quality=92)
    Image.fromarray(smooth).save(tmp_path / "a.png")
    box = {"left": 100.4, "top": 50, "right": 850, "bottom": 1150.7}
    recipe = Preprocess(size=112, crop="box")
    scaled, full = (recipe.apply(tmp_path / name, row(**box)).astype(float) for name in ("a.jpg", "a.png"))
    assert 10 * np.log10(255**2 / np.mean((scaled - full) ** 2)) > 37


def test_a_box_outside_the_picture_is_a_rejection(quarters):
    with pytest.raises(ImageRejected, match="region outside"):
        Preprocess(crop="box").encode(quarters, row(left=500, top=0, right=600, bottom=100))


def test_lacking_counts_rows_without_what_the_recipe_asks_for(photos):
    assert Preprocess().lacking(photos[1]).sum() == 0
    assert Preprocess(crop="box").lacking(photos[1]).sum() == 1
    assert Preprocess(mask="polygon").lacking(photos[1].assign(polygon="")).sum() == 12


def test_key_is_exact_and_does_not_depend_on_defaults():
    changes = [{}, {"size": 112}, {"crop": "box"}, {"margin": 0.1}, {"fill": 0}]
    assert len({Preprocess(**values).key for values in changes}) == 5
    assert Preprocess().key == "224-crop_none-mask_none-44136fa3"  # released: it may never change


@pytest.mark.parametrize(
    "values", [{"size": 0}, {"crop": "circle"}, {"mask": "yes"}, {"fill": 256}, {"margin": -1}, {"quality": 0}]
)
def test_recipes_out_of_range_are_refused(values):
    with pytest.raises(InputError, match=next(iter(values))):
        Preprocess(**values)


def test_every_failure_reason_survives_the_shard(photos, tmp_path):
    prepare(photos, tmp_path)
    os.utime(photos[0] / "5.jpg", ns=(1, 1))  # the next call prepares it again and still lists the old failures
    assert set(prepare(photos, tmp_path).failures["reason"]) == {"not a picture", "missing"}


def test_a_mount_that_goes_away_says_nothing_about_the_pictures(photos, tmp_path, monkeypatch):
    root, catalog = photos
    encode = Preprocess.encode
    monkeypatch.setattr(
        Preprocess, "encode", lambda self, source, row, root=".": encode(self, source, row, tmp_path / "unmounted")
    )
    assert len(prepare(photos, tmp_path)) == 0
    monkeypatch.undo()
    assert len(prepare(photos, tmp_path)) == 10


@pytest.mark.parametrize("polygon", ["[[1, 2", "[[[NaN, 1], [2, 3], [4, 5]]]", '[[["1", 2], [2, 3], [4, 5]]]'])
def test_unusable_catalogs_are_refused_before_work_starts(photos, tmp_path, polygon):
    root, catalog = photos
    with pytest.raises(InputError, match="'p07': polygon is not JSON rings"):
        prepare((root, catalog.assign(polygon=catalog["polygon"].where(catalog["id"] != "p07", polygon))), tmp_path)
    with pytest.raises(InputError, match="'p00' is not unique"):
        prepare((root, catalog.assign(id="p00")), tmp_path)
    with pytest.raises(InputError, match="no rows"):
        prepare((root, catalog[:0]), tmp_path)


def test_narrow_pictures_are_cropped_where_the_box_says(tmp_path):
    pixels = np.full((4000, 57, 3), 255, np.uint8)
    pixels[:2000] = 0
    Image.fromarray(pixels).save(tmp_path / "narrow.jpg")
    box = {"left": 0, "top": 0, "right": 57, "bottom": 2000}
    cropped = Preprocess(size=64, crop="box", fit="stretch").apply(tmp_path / "narrow.jpg", row(**box))
    assert cropped[:-1].max() < 30
    assert Preprocess().apply(picture(tmp_path / "line.jpg", (20, 8000)), row()).shape == (224, 224, 3)


def test_workers_of_an_earlier_call_stand_in_another_folder(tmp_path, monkeypatch):
    """Relative folders mean those of the caller, who may have moved since the workers were started."""
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        kf.draw_sample("data", photos=46, seed=0, workers=2)
        catalog = kf.build_catalog("sample", "data")[0]
        prepared = kf.preprocess_images(catalog, "data", "cache", Preprocess(size=32), workers=2, progress=False)
        assert len(prepared) >= 40 and (tmp_path / name / "cache").is_dir()
        kf.audit_catalog(catalog, "data", "audit", workers=2, progress=False)
        assert list((tmp_path / name / "audit/records").iterdir())
