"""A label that states another size than its picture has: its region follows where that is certain, else it is told."""

import json
import zipfile

import numpy as np
import pandas as pd
import pytest
from conftest import PHOTOS, label_json
from PIL import Image

import kfashion_utils as kf
from kfashion_utils.images.annotation import Annotation, Frame
from kfashion_utils.images.mended import SCALED, TURNED
from kfashion_utils.tables.catalog import complete_catalog

RECIPE = kf.Preprocess(size=64, crop="box", mask="polygon", fit="stretch")
RED = np.array([200, 30, 30])
BOX = (20, 150, 80, 270)  # of a picture of 200 x 300: the only red thing in it
SIZE = (200, 300)
TO_STORED = {  # EXIF orientation: how a viewer's upright picture lies in the file
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}  # fmt: skip


def photograph(size=SIZE):
    pixels = np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)
    left, top, right, bottom = BOX
    pixels[top:bottom, left:right] = RED
    picture = Image.fromarray(pixels)
    return picture if size == SIZE else picture.resize(size, Image.Resampling.BOX)


def corners(box):
    left, top, right, bottom = box
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def stored_box(orientation):
    """BOX in the pixels of the stored file, found in the turned picture itself."""
    turned = np.asarray(photograph().transpose(TO_STORED[orientation]))
    rows, columns = np.nonzero(turned[..., 0] > 150)
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def put(tree, number, picture, box, stated, orientation=None, style="모던"):
    """One label and photograph; the label's rectangle and polygon are `box`."""
    left, top, right, bottom = (int(side) for side in box)
    parts = {"상의": (corners((left, top, right, bottom)), (left, top, right - left, bottom - top))}
    tree.label(number, style, text=json.dumps(label_json(number, style, parts=parts, size=stated), ensure_ascii=False))
    path = tree.root / PHOTOS / style / f"{number}.jpg"
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    if orientation:
        exif[0x0112] = orientation
    picture.save(path, quality=98, exif=exif)


def garment_share(pixels):
    """How much of a prepared picture is the red thing: 1 where the crop is right."""
    return (np.abs(pixels.astype(int) - RED).max(axis=-1) < 40).mean()


CASES = {  # picture, EXIF orientation, box of the label, stated size, what is told
    "as stated": (photograph(), None, BOX, SIZE, None),
    "shrunk to a half": (photograph((100, 150)), None, BOX, SIZE, SCALED),
    "shrunk, sides rounded": (photograph((67, 100)), None, BOX, SIZE, SCALED),
    "grown": (photograph((400, 600)), None, BOX, SIZE, SCALED),
    **{
        f"drawn on stored pixels, {number}": (
            photograph().transpose(turn), number, stored_box(number), SIZE[::-1], TURNED,
        )
        for number, turn in TO_STORED.items()
    },
    "drawn on upright pixels": (photograph().transpose(TO_STORED[6]), 6, BOX, SIZE, None),
    "turned and shrunk": (
        photograph().transpose(TO_STORED[8]).resize((150, 100)), 8, stored_box(8), SIZE[::-1], TURNED,
    ),
}  # fmt: skip


@pytest.mark.parametrize("rows", ["photo", "garment"])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(("picture", "orientation", "box", "stated", "told"), CASES.values(), ids=CASES)
def test_the_crop_holds_the_garment(tree, tmp_path, capsys, picture, orientation, box, stated, told, packed, rows):
    put(tree, 1, picture, box, stated, orientation)
    root = tree.root
    if packed:
        root = tmp_path / "zips"
        root.mkdir()
        with zipfile.ZipFile(root / "all.zip", "w") as archive:
            for path in sorted(tree.root.rglob("*.*")):
                archive.write(path, path.relative_to(tree.root).as_posix())
    catalog, _ = kf.build_catalog("kfashion", root, rows=rows)
    kf.write_catalog(catalog, tmp_path / "kf.csv")
    catalog = kf.read_catalog(tmp_path / "kf.csv")
    prepared = kf.preprocess_images(catalog, root, tmp_path / "cache", RECIPE, workers=1)
    assert prepared.failures.empty
    pixels = prepared.pixels(catalog["id"][0])
    assert garment_share(pixels) > 0.9
    row = catalog.iloc[0]
    np.testing.assert_array_equal(pixels, RECIPE.apply(row["path"], row, root))
    assert RECIPE.foreground(row["path"], row, root).mean() > 0.95
    said = capsys.readouterr().out
    assert [line for line in said.splitlines() if line.startswith("1 x ")] == ([f"1 x {told}"] if told else [])


UNCERTAIN = {  # size of the file, stated size
    "cut": ((200, 240), SIZE),
    "turned by hand": ((300, 200), SIZE),
    "another picture": ((500, 500), SIZE),
}


@pytest.mark.parametrize(("size", "stated"), UNCERTAIN.values(), ids=UNCERTAIN)
def test_where_nobody_knows_the_picture_is_named(tree, tmp_path, size, stated):
    put(tree, 1, photograph(size), BOX, stated)
    put(tree, 2, photograph(), BOX, SIZE)
    catalog, _ = kf.build_catalog("kfashion", tree.root)
    failures = kf.preprocess_images(catalog, tree.root, tmp_path / "cache", RECIPE, progress=False).failures
    assert failures[["id", "reason"]].values.tolist() == [["1", "size differs"]]
    assert f"the label states 200 x 300, the picture has {size[0]} x {size[1]}" in failures["detail"].item()
    whole = kf.preprocess_images(catalog, tree.root, tmp_path / "cache", kf.Preprocess(size=64), progress=False)
    assert len(whole) == 2  # a recipe that reads no region uses it
    findings = kf.audit_catalog(catalog, tree.root, tmp_path / "audit", progress=False).findings
    assert findings[findings["finding"] == "other size"]["id"].tolist() == ["1"]


def test_what_others_found_is_in_the_pixels_of_the_picture(tree):
    put(tree, 1, photograph((100, 150)), (10, 75, 40, 135), SIZE)
    catalog, _ = kf.build_catalog("kfashion", tree.root)
    row = catalog.assign(region="hand").iloc[0]
    assert garment_share(RECIPE.apply(row["path"], row, tree.root)) > 0.9


def test_catalogs_without_stated_sizes_stay_as_they_were(tree, tmp_path):
    put(tree, 1, photograph(), BOX, SIZE)
    catalog, _ = kf.build_catalog("kfashion", tree.root)
    old = catalog.drop(columns=["stated_width", "stated_height"])
    assert list(complete_catalog(old).columns) == list(old.columns)
    kf.write_catalog(complete_catalog(old), tmp_path / "old.csv")
    assert b"stated" not in (tmp_path / "old.csv").read_bytes()
    row = old.iloc[0]
    assert RECIPE.item(row, (1, 2)) != RECIPE.item(catalog.iloc[0], (1, 2))
    assert kf.Preprocess().item(row, (1, 2)) == kf.Preprocess().item(catalog.iloc[0], (1, 2))
    both = complete_catalog(pd.concat([old.assign(id="a"), catalog.assign(id="b")]))
    assert kf.check_catalog(both) == [] and both["stated_width"].isna().tolist() == [True, False]


def test_a_label_without_a_size_states_none(tree):
    for number, size in enumerate([(0, 300), (None, 300), ("200", "300"), (float("nan"), 300)], 1):
        put(tree, number, photograph(), BOX, size)
    catalog, _ = kf.build_catalog("kfashion", tree.root)
    assert catalog["stated_width"].isna().sum() in (3, 4)
    assert all(Annotation(row).on(Frame(200, 300))[0] for row in catalog.to_dict("records"))
