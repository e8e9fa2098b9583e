"""Parts: crops and masked versions of photographs are found, each pair once; known pairs are not compared."""

import cv2
import numpy as np
import pytest
from conftest import picture
from PIL import Image

from kfashion_utils.audit import crops
from kfashion_utils.images.decoding import open_image
from kfashion_utils.tables.catalog import complete_catalog


def scene(seed):
    """A photograph without straight repetition: blurred noise of its own colours."""
    noise = np.random.default_rng(seed).integers(0, 256, (40, 30, 3), np.uint8)
    return cv2.resize(noise, (240, 320), interpolation=cv2.INTER_CUBIC)


@pytest.fixture
def photos(tmp_path):
    """(catalog, sizes, root): six scenes, a crop of the first, the second but for its middle painted over."""
    pictures = [scene(seed) for seed in range(6)]
    painted = np.full_like(pictures[1], 255)
    painted[80:240, 60:180] = pictures[1][80:240, 60:180]
    pictures += [np.ascontiguousarray(pictures[0][30:300, 20:220]), painted]
    for number, pixels in enumerate(pictures):
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    rows = [{"id": f"p{number}", "path": f"{number}.png"} for number in range(len(pictures))]
    return complete_catalog(rows), np.array([pixels.shape[1::-1] for pixels in pictures]), tmp_path


@pytest.fixture(autouse=True)
def plain_features(monkeypatch):
    """Directions in a plane in place of a backbone's features: the crop alone is like its whole."""

    def features(*_):
        turns = np.array([0, 1, 2, 3, 4, 5, 0, 3.5]) / 6  # the crop is where its whole is, the painted one is not
        return np.stack([np.cos(2 * np.pi * turns), np.sin(2 * np.pi * turns)], axis=1).astype(np.float32)

    monkeypatch.setattr(crops, "picture_features", features)


def found(photos, tmp_path, **options):
    catalog, sizes, root = photos
    return crops.find_parts(
        catalog, sizes, root, tmp_path / "cache", "backbone", "weights", workers=1, progress=False, **options
    )


def test_crops_and_masked_versions_are_found(photos, tmp_path):
    pairs = found(photos, tmp_path)
    assert pairs[["first", "second"]].to_numpy().tolist() == [[0, 6], [1, 7]]
    assert set(pairs["how"]) == {"part"} and (pairs["distance"] < 0.1).all()


def test_known_pairs_are_not_compared(photos, tmp_path):
    pairs = found(photos, tmp_path, known=[(6, 0)])
    assert pairs[["first", "second"]].to_numpy().tolist() == [[1, 7]]


def test_padding_is_cut_off_before_pictures_are_compared(tmp_path):
    path = picture(tmp_path / "narrow.png", (40, 160))
    square = np.full((224, 224, 3), 255, np.uint8)
    square[:, 84:140] = cv2.resize(open_image(path), (56, 224))
    content = crops._content(square, (40, 160), 64)
    assert content.shape == (64, 16) and content.max() < 255
