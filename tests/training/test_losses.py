"""The losses by hand, and what must hold whatever the numbers: batches cut up, rows mixed, classes balanced."""

import math

import keras
import numpy as np
import pytest
from scipy.special import softmax

import kfashion_utils as kf
from kfashion_utils.tables.labels import Head, Task
from kfashion_utils.training import losses
from kfashion_utils.training.losses import (
    balanced_targets,
    drawing_chances,
    mean_loss,
    mix_targets,
    normalised,
    recipe_loss,
    task_loss,
    task_targets,
)

TASK = Task(
    "t", (Head("style", ("a", "b", "c"), parents=("x", "x", "y")), Head("tags", ("p", "q"), multi=True, weight=2.0))
)
LABELS = np.array([[1, 0, 0, np.nan, np.nan], [np.nan] * 3 + [1, 0]], np.float32)
SCORES = np.array([[0.5, 0.25, 0.25, 0.9, 0.9], [0.1, 0.2, 0.7, 0.5, 0.5]], np.float32)


def rows(loss, targets, scores):
    return keras.ops.convert_to_numpy(
        loss(keras.ops.convert_to_tensor(targets), keras.ops.convert_to_tensor(scores.astype(np.float32)))
    )


@pytest.fixture
def some():
    rng = np.random.default_rng(0)
    labels = np.concatenate(
        [np.eye(3)[rng.choice(3, 40, p=(0.7, 0.2, 0.1))], rng.integers(0, 2, (40, 2))], axis=1
    ).astype(np.float32)
    labels[:8, :3], labels[5:12, 3:] = np.nan, np.nan
    return labels, np.concatenate([softmax(rng.normal(size=(40, 3)), axis=1), rng.uniform(0.05, 0.95, (40, 2))], axis=1)


def test_a_head_is_averaged_over_its_annotated_rows_and_weighed():
    assert math.isclose(
        mean_loss(TASK, task_targets(TASK, LABELS), SCORES), math.log(2) + 2 * 2 * math.log(2), rel_tol=1e-4
    )
    nobody = np.full((2, 5), np.nan, np.float32)
    assert mean_loss(TASK, task_targets(TASK, nobody), SCORES) == 0


def test_the_mean_is_the_same_however_the_batch_is_cut_up(some):
    labels, scores = some
    targets, loss = normalised(task_targets(TASK, labels), 2), task_loss(TASK)
    halves = [rows(loss, targets[part], scores[part]).mean() for part in (slice(0, 20), slice(20, 40))]
    assert np.mean(halves) == pytest.approx(mean_loss(TASK, task_targets(TASK, labels), scores), rel=1e-5)


@pytest.mark.parametrize("kind", list(losses._COSTS))
def test_the_loss_of_a_mix_is_the_mix_of_the_losses(some, kind):
    labels, scores = some
    targets = balanced_targets(TASK, labels, "full")
    share = np.random.default_rng(1).uniform(size=40).astype(np.float32)
    mixed = mix_targets(TASK, targets, targets[::-1], share)
    loss = task_loss(TASK, kind=kind, smoothing=0.1, parent_share=0.3)
    apart = share * rows(loss, targets, scores) + (1 - share) * rows(loss, targets[::-1], scores)
    np.testing.assert_allclose(rows(loss, mixed, scores), apart, rtol=2e-4, atol=1e-5)


def test_losses_by_hand():
    one = Task("t", (Head("style", ("a", "b", "c"), parents=("x", "x", "y")),))
    targets, scores = task_targets(one, np.array([[1, 0, 0]], np.float32)), np.array([[0.5, 0.3, 0.2]])
    assert rows(task_loss(one), targets, scores)[0] == pytest.approx(-math.log(0.5))
    assert rows(task_loss(one, kind="focal"), targets, scores)[0] == pytest.approx(-0.25 * math.log(0.5))
    assert rows(task_loss(one, kind="generalized"), targets, scores)[0] == pytest.approx((1 - 0.5**0.7) / 0.7)
    assert rows(task_loss(one, parent_share=1.0), targets, scores)[0] == pytest.approx(-math.log(0.8))
    smoothed = -(0.9 * math.log(0.5) + 0.1 * np.mean(np.log(scores[0])))
    assert rows(task_loss(one, smoothing=0.1), targets, scores)[0] == pytest.approx(smoothed)


def test_several_labels_by_hand():
    one = Task("t", (Head("tags", ("p", "q"), multi=True),))
    targets, scores = task_targets(one, np.array([[1, 0]], np.float32)), np.array([[0.8, 0.3]])
    assert rows(task_loss(one), targets, scores)[0] == pytest.approx(-math.log(0.8) - math.log(0.7))
    assert rows(task_loss(one, kind="focal"), targets, scores)[0] == pytest.approx(
        -0.04 * math.log(0.8) - 0.09 * math.log(0.7)
    )


def test_logit_adjustment_is_the_loss_of_shifted_logits(some):
    labels, scores = some
    config = kf.TrainConfig(balance="logit", label_smoothing=0, fine_tune_epochs=1)
    known = ~np.isnan(labels[:, 0])
    share = np.nanmean(labels[:, :3], axis=0)
    shifted = scores.copy()
    shifted[:, :3] = softmax(np.log(scores[:, :3]) + np.log(share), axis=1)
    odds = np.nanmean(labels[:, 3:], axis=0)
    shifted[:, 3:] = 1 / (1 + (1 - scores[:, 3:]) / scores[:, 3:] * (1 - odds) / odds)
    targets = task_targets(TASK, labels)
    np.testing.assert_allclose(
        rows(recipe_loss(TASK, config, labels), targets, scores)[known],
        rows(task_loss(TASK), targets, shifted)[known],
        rtol=1e-4,
    )


def test_balancing_gives_every_class_its_say(some):
    labels, _ = some
    full = balanced_targets(TASK, labels, "full")
    np.testing.assert_allclose(
        [full[labels[:, one] == 1, 5].sum() for one in range(3)], full[:, 5].sum() / 3, rtol=1e-5
    )
    assert set(full[:, 6]) == {0.0, 1.0} and (full[np.isnan(labels[:, 0]), 5] == 0).all()
    chances = drawing_chances(TASK, labels, "sample")
    np.testing.assert_allclose(
        [chances[labels[:, one] == 1].sum() for one in range(3)], 0.8 / 3, rtol=1e-5
    )  # the other fifth knows no style, and is drawn as often as before
    assert drawing_chances(TASK, labels, "full") is None and chances.sum() == pytest.approx(1)


@pytest.mark.parametrize("size", [1, 4, 40])
def test_class_weights_mean_the_same_in_batches_of_any_size(some, size):
    labels, _ = some
    full = balanced_targets(TASK, labels[8:], "full")  # all know the style
    batches = [normalised(full[start : start + size], 2) for start in range(0, len(full), size)]
    weights = np.concatenate([batch[:, 5] / len(batch) for batch in batches])
    mass = [weights[labels[8:, one] == 1].sum() for one in range(3)]
    np.testing.assert_allclose(mass, np.mean(mass), rtol=1e-5)


def test_a_head_of_few_rows_does_not_take_all_draws():
    two = Task("t", (Head("style", ("a", "b")), Head("part", ("x", "y", "z"))))
    labels = np.zeros((100, 5), np.float32)
    labels[:90, 0] = labels[90:, 1] = 1
    labels[:, 2:] = np.nan
    labels[:3, 2:] = np.eye(3)
    chances = drawing_chances(two, labels, "sample")
    assert chances[:3].sum() < 0.06 and chances[90:].sum() == pytest.approx(0.5, abs=0.02)


def test_the_calibrated_loss_does_not_mind_how_sure_answers_sound():
    one, rng = (
        Task("t", (Head("style", ("a", "b", "c")), Head("tags", ("p", "q"), multi=True))),
        np.random.default_rng(0),
    )
    scores = np.concatenate([softmax(rng.normal(size=(2000, 3)), axis=1), rng.uniform(0.05, 0.95, (2000, 2))], axis=1)
    drawn = np.stack([rng.multinomial(1, row[:3]) for row in scores])  # labels that the scores are right about
    targets = task_targets(
        one, np.concatenate([drawn, rng.uniform(size=(2000, 2)) < scores[:, 3:]], axis=1).astype(np.float32)
    )
    best = losses.calibrated_loss(one, targets, scores)
    assert best == pytest.approx(mean_loss(one, targets, scores), rel=1e-3)
    for temperature in (0.5, 2.0):
        sounding = losses._tempered(one, scores, temperature)
        assert mean_loss(one, targets, sounding) > 1.02 * best and losses.calibrated_loss(
            one, targets, sounding
        ) == pytest.approx(best, rel=1e-3)


def test_nothing_is_spread_over_classes_that_never_occur():
    one = Task("t", (Head("style", ("a", "b", "c")),))
    labels = np.array([[1, 0, 0], [0, 1, 0]], np.float32)
    scores = np.array([[0.9, 0.1 - 1e-6, 1e-6], [0.2, 0.8 - 1e-6, 1e-6]])
    smoothed = rows(
        recipe_loss(one, kf.TrainConfig(label_smoothing=0.1, fine_tune_epochs=1), labels),
        task_targets(one, labels),
        scores,
    )
    assert smoothed[0] == pytest.approx(-0.95 * math.log(0.9) - 0.05 * math.log(0.1), rel=1e-4)
