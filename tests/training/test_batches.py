"""What a network sees of a picture: order, augmentation, mixing and the background swap, each a function of (seed,
epoch) alone."""

from types import SimpleNamespace

import cv2
import keras
import numpy as np
import pytest

import kfashion_utils as kf
from kfashion_utils.errors import ImageRejected, InputError
from kfashion_utils.images.augment import augmented
from kfashion_utils.images.compositing import People
from kfashion_utils.images.decoding import open_image
from kfashion_utils.tables.labels import Head, Task
from kfashion_utils.training import pictures as room
from kfashion_utils.training.batches import Batches, Epoch
from kfashion_utils.training.losses import task_targets
from kfashion_utils.training.pictures import Decoded, map_pictures

TASK = Task("t", (Head("label", tuple("abc")),))
SIZE = 32


@pytest.fixture
def pictures():
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (21, SIZE, SIZE, 3), np.uint8)
    return pixels, task_targets(TASK, np.eye(3, dtype=np.float32)[rng.integers(0, 3, 21)])


def epoch(pictures, number=3, **options):
    settings = {"backbone": "tiny", "fine_tune_epochs": 1, "batch_size": 8, "seed": 1, **options}
    extra = {name: settings.pop(name) for name in ("chances", "people", "multiple") if name in settings}
    return Epoch(*pictures, TASK, kf.TrainConfig(**settings), number, **extra)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"augment": "light"},
        {"augment": "strong", "mix": "mixup"},
        {"mix": "both"},
        {"chances": np.arange(21) / 210},
    ],
)
def test_an_epoch_depends_on_seed_and_number_alone(pictures, options):
    first, again, other = epoch(pictures, **options), epoch(pictures, **options), epoch(pictures, 4, **options)
    for batch in (2, 0):  # in whatever order they are asked for
        for one, two in zip(first[batch], again[batch], strict=True):
            np.testing.assert_array_equal(one, two)
    assert (
        len(first) == 3 and len(first[2][0]) == 5 and first[0][0].dtype == np.uint8 and first[0][1].dtype == np.float32
    )
    assert (first[0][0] != other[0][0]).any()


def test_an_epoch_holds_every_picture_once(pictures):
    seen = np.concatenate([epoch(pictures)[number][0] for number in range(3)])
    assert sorted(map(bytes, seen)) == sorted(map(bytes, pictures[0]))


def test_rare_rows_are_drawn_more_often(pictures):
    chances = np.full(21, 0.5 / 20)
    chances[7] = 0.5
    drawn = np.concatenate([epoch(pictures, number, chances=chances).order for number in range(40)])
    assert 0.4 < (drawn == 7).mean() < 0.6


def test_a_last_batch_is_filled_up_without_weight(pictures):
    pixels, targets = epoch(pictures, multiple=4)[2]
    assert len(pixels) == 8 and (targets[5:, 3] == 0).all() and targets[:, 3].sum() == pytest.approx(8)


def test_pictures_that_do_not_fit_into_memory_together_are_answered_apart(pictures, monkeypatch, capsys):
    predict, tried = keras.Model.predict, []

    def greedy(model, batches, **options):
        tried.append(batches.batch_size)
        if tried[-1] > 6:
            raise MemoryError
        return predict(model, batches, **options)

    image = keras.Input(pictures[0].shape[1:], dtype="uint8")
    means = keras.Model(image, keras.ops.mean(keras.ops.cast(image, "float32"), axis=(1, 2, 3)))
    monkeypatch.setattr("keras.Model.predict", greedy)
    answers = Batches(SimpleNamespace(pixels=pictures[0].__getitem__), range(21), batch_size=20).predict(means)
    np.testing.assert_allclose(answers, pictures[0].mean(axis=(1, 2, 3)), rtol=1e-5)
    assert tried == [20, 10, 5] and "5 pictures are answered at once" in capsys.readouterr().out
    monkeypatch.setattr("keras.Model.predict", lambda *_, **__: (_ for _ in ()).throw(MemoryError))
    with pytest.raises(InputError, match="out of memory with batch_size=1"):
        Batches(SimpleNamespace(pixels=pictures[0].__getitem__), range(3), batch_size=2).predict(means)


def test_a_network_sees_one_shape_and_answers_for_every_picture_once(pictures):
    prepared = SimpleNamespace(pixels=pictures[0].__getitem__)
    image = keras.Input(pictures[0].shape[1:], dtype="uint8")
    means = keras.Model(image, keras.ops.mean(keras.ops.cast(image, "float32"), axis=(1, 2, 3)))
    for count, shapes in ((21, {8}), (5, {5})):
        batches = Batches(prepared, range(count), batch_size=8)
        assert {len(batches[number]) for number in range(len(batches))} == shapes
        np.testing.assert_allclose(batches.predict(means), pictures[0][:count].mean(axis=(1, 2, 3)), rtol=1e-5)


def test_a_picture_is_decoded_once_for_all_of_its_views(pictures):
    decoded = []
    prepared = SimpleNamespace(pixels=lambda row: decoded.append(row) or pictures[0][row])
    batches = Batches(prepared, range(5), batch_size=6, views=("mirror", "original"))
    first, last = batches[0], batches[1]
    assert len(batches) == 2 and decoded == [0, 1, 2, 3, 4] and len(first) == len(last) == 6
    np.testing.assert_array_equal(first[2], pictures[0][1][:, ::-1])
    np.testing.assert_array_equal(first[3], pictures[0][1])
    np.testing.assert_array_equal(last[4:], last[2:4])
    image = keras.Input(pictures[0].shape[1:], dtype="uint8")
    corner = keras.Model(image, keras.ops.cast(image, "float32")[:, 0, 0])
    expected = pictures[0][:5, 0][:, [-1, 0]].reshape(10, 3)
    np.testing.assert_array_equal(batches.predict(corner), expected)


def test_mixup_blends_by_the_share_of_its_labels(pictures):
    plain, mixed = epoch(pictures, seed=5), epoch(pictures, seed=5, mix="mixup")
    (before, labels), (after, shares) = plain[0], mixed[0]
    others = np.roll(np.arange(8), 1)
    free = np.flatnonzero(labels[:, :3].argmax(1) != labels[others, :3].argmax(1))
    share = shares[free, labels[free, :3].argmax(1)][:, None, None, None]
    np.testing.assert_allclose(after[free], share * before[free] + (1 - share) * before[others[free]], atol=1)
    assert len(free) > 2 and np.ptp(share) > 0.01


def test_cutmix_labels_are_the_area_that_is_left(pictures):
    pixels = np.stack([np.full((SIZE, SIZE, 3), 10 * number, np.uint8) for number in range(21)])
    changed = 0
    for number in range(6):
        batch = epoch((pixels, pictures[1]), number, mix="cutmix")
        for index in range(len(batch)):
            rows = batch.order[index * 8 : index * 8 + 8]
            mixed, targets = batch[index]
            left = (mixed[..., 0] == 10 * rows[:, None, None]).mean(axis=(1, 2))
            labels, others = pictures[1][rows, :3].argmax(1), pictures[1][np.roll(rows, 1), :3].argmax(1)
            free = labels != others
            np.testing.assert_allclose(targets[np.arange(len(rows)), labels][free], left[free], atol=1e-6)
            changed += (left < 1).sum()
    assert 20 < changed < 100


def test_augmentation_changes_by_as_much_as_it_says():
    pixels = np.full((64, 64, 3), 100, np.uint8)
    pixels[20:44, 20:44] = 200
    for strength, most in (("light", 0.27), ("strong", 0.57)):
        values = np.array([augmented(pixels, np.random.default_rng(seed), 100, strength)[0, 0] for seed in range(60)])
        assert np.abs(values / 100 - 1).max() <= most and np.abs(values / 100 - 1).max() > most / 3
    erased = sum(
        (augmented(np.full((64, 64, 3), 250, np.uint8), np.random.default_rng(seed), 250, "strong") == 127)
        .all(-1)
        .sum()
        > 60
        for seed in range(60)
    )
    assert 15 < erased < 45


def test_a_person_moves_to_another_background():
    pixels = np.zeros((2, SIZE, SIZE, 3), np.uint8)
    pixels[0], pixels[1] = (200, 0, 0), (0, 200, 0)
    pixels[1, 10:20, 10:20] = (0, 0, 200)
    masks = np.zeros((2, SIZE, SIZE), bool)
    masks[0, 5:15, 5:15] = masks[1, 10:20, 10:20] = True
    people = People(masks)
    swapped = people.swap(0, 1, pixels)
    assert (swapped[8:12, 8:12] == (200, 0, 0)).all()  # the person
    assert (swapped[25:, 25:] == (0, 200, 0)).all()  # the other's background
    assert (swapped[18, 18] == (0, 200, 0)).all()  # where the other stood, the colours around
    np.testing.assert_array_equal(people.swap(1, 1, pixels), pixels[1])
    np.testing.assert_array_equal(People(np.zeros((2, SIZE, SIZE), bool)).swap(0, 1, pixels), pixels[0])


@pytest.mark.parametrize(
    "recipe", [{}, {"crop": "box", "margin": 0.1}, {"fit": "stretch"}, {"crop": "box", "fit": "stretch"}]
)
def test_the_foreground_is_where_a_masked_recipe_paints_nothing(tmp_path, recipe):
    cv2.imwrite(str(tmp_path / "a.jpg"), np.full((90, 60, 3), 30, np.uint8))
    ring = "[[[10.0, 20.0], [50.0, 25.0], [30.0, 80.0]]]"
    row = {"path": "a.jpg", "left": 5.0, "top": 10.0, "right": 55.0, "bottom": 85.0, "polygon": ring}
    masked = kf.Preprocess(size=64, mask="polygon", quality=100, **recipe).apply("a.jpg", row, tmp_path)
    foreground = kf.Preprocess(size=64, **recipe).foreground("a.jpg", row, tmp_path)
    assert ((masked.mean(axis=-1) < 128) != foreground).mean() < 0.01 and 0.1 < foreground.mean() < 0.6
    assert not kf.Preprocess(size=64, **recipe).foreground("a.jpg", {**row, "polygon": ""}, tmp_path).any()
    (tmp_path / "b.jpg").write_bytes(b"text")
    with pytest.raises(ImageRejected):
        kf.Preprocess(size=64).foreground("b.jpg", row, tmp_path)


def test_mapped_pictures_are_the_prepared_ones(colour_data, tmp_path, monkeypatch):
    root, catalog = colour_data
    prepared = kf.preprocess_images(catalog, root, tmp_path, kf.Preprocess(size=SIZE), progress=False, workers=1)
    ids = catalog["id"].to_numpy()[::-1]
    mapped, decoded = map_pictures(prepared, ids, tmp_path / "local", progress=False), Decoded(prepared, ids)
    assert mapped.shape == (len(ids), SIZE, SIZE, 3)
    for number in (0, 7, 44):
        np.testing.assert_array_equal(mapped[number], open_image(prepared.read(ids[number])))
        np.testing.assert_array_equal(mapped[number], decoded[number])
    monkeypatch.setattr(room, "ThreadPoolExecutor", None)  # it is there already
    np.testing.assert_array_equal(map_pictures(prepared, ids, tmp_path / "local", progress=False), mapped)
