"""The drawn sample: AI Hub's form, the same bytes from the same seed, and neither trivial nor impossible."""

import json

import numpy as np
import pytest

import kfashion_utils as kf
from kfashion_utils.cli.demo import baseline, histogram, thumbnail
from kfashion_utils.storage.files import hash_file
from kfashion_utils.tables.tasks import STYLE

PHOTOS = 140


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    root = tmp_path_factory.mktemp("drawn")
    return root, kf.draw_sample(root, photos=PHOTOS, seed=3, workers=1)


def hashes(root):
    return {path.relative_to(root).as_posix(): hash_file(path) for path in root.rglob("*") if path.is_file()}


@pytest.mark.slow
def test_same_seed_same_bytes_whatever_the_workers(drawn, tmp_path):
    root, made = drawn
    assert kf.draw_sample(tmp_path, photos=PHOTOS, seed=3, workers=2) == made
    assert hashes(tmp_path) == hashes(root)
    kf.draw_sample(tmp_path / "other", photos=46, seed=4, workers=1)
    mine, other = hashes(root), hashes(tmp_path / "other")
    assert any(mine[name] != other[name] for name in mine.keys() & other.keys())


def test_it_is_read_like_ai_hubs_own(drawn):
    root, _ = drawn
    catalog, rejected = kf.build_catalog("sample", root)
    assert set(catalog["style"]) == set(STYLE.classes)
    assert kf.check_catalog(catalog, root) == []
    kinds = rejected["kind"].value_counts()
    assert len(catalog) + kinds["label"] == len(list(root.rglob("*.json")))
    assert len(catalog) + kinds["picture"] == len(list(root.rglob("*.jpg")))
    assert (catalog["polygon"] != "").mean() > 0.95
    assert catalog["group"].nunique() < len(catalog) / 2  # looks of several shots


def test_half_of_the_labels_give_a_second_style_of_the_same_kind(drawn):
    catalog, _ = kf.build_catalog("sample", drawn[0])
    seconds = catalog[catalog["sub_style"] != ""]
    assert 0.35 < len(seconds) / len(catalog) < 0.75 and (seconds["sub_style"] != seconds["style"]).all()
    parent = dict(zip(STYLE.classes, STYLE.parents, strict=True))
    assert (seconds["style"].map(parent) == seconds["sub_style"].map(parent)).mean() > 0.85
    garments, _ = kf.build_catalog("sample", drawn[0], rows="garment")
    assert garments["photo"].nunique() == len(catalog) < len(garments) and kf.check_catalog(garments, drawn[0]) == []


def test_the_faults_of_the_real_archive_are_planted(drawn, tmp_path):
    root, _ = drawn
    catalog, rejected = kf.build_catalog("sample", root)
    assert {"label without a style", "label without a picture", "picture without a label"} <= set(rejected["reason"])
    assert any("joined" in note for note in catalog.attrs["notes"]) and any(
        "clipped" in note for note in catalog.attrs["notes"]
    )
    prepared = kf.preprocess_images(catalog, root, tmp_path, kf.Preprocess(size=16), progress=False)
    assert len(prepared.failures) == 1
    written = [json.loads(path.read_text(encoding="utf-8")) for path in root.rglob("*.json")]
    parts = [w["데이터셋 정보"]["데이터셋 상세설명"]["렉트좌표"] for w in written]
    assert all(set(part) == {"아우터", "하의", "원피스", "상의"} for part in parts)


def test_masks_cover_clothes(drawn, tmp_path):
    root, _ = drawn
    catalog, _ = kf.build_catalog("sample", root)
    prepared = kf.preprocess_images(
        catalog, root, tmp_path, kf.Preprocess(size=64, crop="box", mask="polygon"), progress=False
    )
    white = np.mean([(prepared.pixels(row) > 250).all(axis=-1).mean() for row in list(prepared.ids)[::5]])
    assert 0.3 < white < 0.9


@pytest.mark.slow
def test_it_is_neither_trivial_nor_impossible(tmp_path):
    root, cache = tmp_path / "root", tmp_path / "cache"
    kf.draw_sample(root, seed=0)
    catalog, _ = kf.build_catalog("sample", root)
    catalog = kf.split_catalog(catalog, valid=0.2, seed=0)
    whole, clothes = kf.Preprocess(size=112), kf.Preprocess(size=112, crop="box", mask="polygon")
    prepared = kf.preprocess_images(catalog, root, cache, whole, progress=False)
    as_test = catalog.assign(split=catalog["split"].replace("valid", "test"))
    assert baseline(as_test, prepared, thumbnail) <= 0.45
    assert baseline(as_test, prepared, histogram) <= 0.45

    def accuracy(table, recipe, name):
        config = kf.TrainConfig(backbone="tiny")
        return kf.train(
            table, root, tmp_path / name, preprocess=recipe, config=config, cache=cache, progress=False
        ).metrics["style"]["accuracy"]

    on_whole, on_clothes = accuracy(catalog, whole, "whole"), accuracy(catalog, clothes, "clothes")
    assert 0.55 <= on_whole <= 0.85
    assert on_clothes >= 0.85 and on_clothes >= on_whole + 0.08
    shuffled = catalog.assign(style=np.random.default_rng(0).permutation(catalog["style"]))
    assert accuracy(shuffled, clothes, "shuffled") <= 0.10


def test_two_drawings_do_not_mix(drawn):
    root, _ = drawn
    with pytest.raises(kf.InputError, match="not of this drawing"):
        kf.draw_sample(root, photos=PHOTOS, seed=9)
