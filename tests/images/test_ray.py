"""The same call on a real local Ray with two workers."""

import os

import pandas as pd
import pytest
from conftest import picture

from kfashion_utils.errors import InputError
from kfashion_utils.images import blocks
from kfashion_utils.images.prepare import preprocess_images
from kfashion_utils.images.recipe import Preprocess
from kfashion_utils.storage import files
from kfashion_utils.tables.catalog import complete_catalog

RECIPE = Preprocess(size=32)


@pytest.fixture
def photos(tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "SHARD_ITEMS", 10)
    for number in range(60):
        picture(tmp_path / "root" / f"{number:02d}.jpg", (60, 80), seed=number)
    (tmp_path / "root" / "07.jpg").write_bytes(b"broken")
    return tmp_path / "root", complete_catalog(
        [{"id": f"p{number:02d}", "path": f"{number:02d}.jpg"} for number in range(60)]
    )


@pytest.mark.slow
def test_two_ray_workers_give_what_processes_give_bar_included(photos, tmp_path, capsys, monkeypatch):
    ray = pytest.importorskip("ray")
    root, catalog = photos
    processes = preprocess_images(catalog, root, tmp_path / "a", RECIPE, workers=2, progress=False)
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        workers = ray.get([ray.remote(lambda: os.getpid()).remote() for _ in range(2)])
        assert os.getpid() not in workers
        clustered = preprocess_images(catalog, root, tmp_path / "b", RECIPE, workers=2, backend="ray")
        assert ray.is_initialized()  # the session's own cluster stays
    finally:
        ray.shutdown()
    assert {row: clustered.read(row) for row in clustered.ids} == {row: processes.read(row) for row in processes.ids}
    pd.testing.assert_frame_equal(clustered.failures, processes.failures)
    assert {p.name for p in clustered.folder.glob("*.zip")} == {p.name for p in processes.folder.glob("*.zip")}
    shown = capsys.readouterr()
    assert "60/60" in shown.err and "1 rows could not be prepared" in shown.out


@pytest.mark.slow
def test_a_cluster_of_its_own_is_ended_and_its_errors_are_plain(photos, tmp_path):
    ray = pytest.importorskip("ray")
    root, catalog = photos
    assert len(preprocess_images(catalog, root, tmp_path / "a", RECIPE, workers=2, backend="ray", progress=False)) == 59
    assert not ray.is_initialized()
    held = tmp_path / "b" / RECIPE.key
    held.mkdir(parents=True)
    with files.only_one(held, "is being filled"), pytest.raises(InputError, match="another process"):
        preprocess_images(catalog, root, tmp_path / "b", RECIPE, workers=2, backend="ray", progress=False)


def test_unknown_backends_are_named(photos, tmp_path):
    with pytest.raises(InputError, match="'spark': expected one of"):
        preprocess_images(photos[1], photos[0], tmp_path, RECIPE, backend="spark")
