import dataclasses

import numpy as np
import pytest

import kfashion_utils as kf
from kfashion_utils.errors import InputError
from kfashion_utils.tables.labels import Head, Task
from kfashion_utils.training import classifier, linear
from kfashion_utils.training.balance import model_prior
from kfashion_utils.training.classifier import apply_classifier, effective_balance, fit_classifier
from kfashion_utils.training.linear import solve_linear

ONE = Task("t", (Head("a", ("x", "y", "z")),))


class Rows(np.ndarray):
    """An array that is read like kept features."""

    def take(self, rows):
        return np.asarray(self)[rows]


def clouds(count=240, classes=3, depth=6, noise=1.0, seed=0):
    """Features `(n, depth)` with classes apart along their first axes, flat labels, groups of two."""
    rng = np.random.default_rng(seed)
    answer = rng.integers(0, classes, count)
    values = rng.normal(5, noise, (count, depth)).astype(np.float32)
    values[np.arange(count), answer] += 3
    return values.view(Rows), np.eye(classes, dtype=np.float32)[answer], np.arange(count) // 2


def test_linear_head_handles_several_heads_missing_labels_and_absent_classes():
    rng = np.random.default_rng(0)
    task = Task("t", (Head("a", ("x", "y", "never")), Head("b", ("p", "q"), multi=True)))
    features = rng.normal(5, 3, (200, 6)).astype(np.float32)
    labels = np.zeros((200, 5), np.float32)
    labels[:, 0], labels[:, 1] = features[:, 0] > 5, features[:, 0] <= 5
    labels[:, 3] = features[:, 1] > 5
    labels[:20, :3] = np.nan
    labels[20:40, 3:] = np.nan
    fitted = solve_linear(task, features, labels, np.arange(200) // 2)
    (kernel, bias), (kernel2, bias2) = fitted.weights["head_0"], fitted.weights["head_1"]
    logits = features @ kernel + bias
    assert (logits[20:].argmax(1) == labels[20:, :3].argmax(1)).mean() > 0.95 and (logits.argmax(1) != 2).all()
    several = features @ kernel2 + bias2
    assert ((several[40:, 0] > 0) == labels[40:, 3]).mean() > 0.95 and (several[:, 1] < 0).all()
    assert ((fitted.out_of_fold[20:, :3].argmax(1)) == labels[20:, :3].argmax(1)).mean() > 0.9


def test_folds_are_fewer_where_no_class_has_as_many_rows():
    labels = np.eye(5, dtype=np.float32)
    doubled = linear.group_folds(np.arange(10), labels[[0, 1, 2, 3, 4] * 2], seed=0)
    assert len(doubled) == 2 and sorted(np.concatenate([held for _, held in doubled])) == list(range(10))
    assert linear.group_folds(np.arange(5), labels, seed=0) == []
    assert linear.group_folds(np.zeros(10), labels[[0] * 10], seed=0) == []


def test_strength_and_second_opinions_are_chosen_by_group():
    rng = np.random.default_rng(0)
    values, labels, groups = clouds(noise=2.5)
    values = np.concatenate([values, rng.normal(0, 1, (240, 60))], axis=1).astype(np.float32)
    fitted = solve_linear(ONE, values, labels, groups)
    assert linear.STRENGTHS[0] < fitted.chosen["a"]["strength"] < linear.STRENGTHS[-1]
    assert (fitted.out_of_fold.argmax(1) == labels.argmax(1)).mean() > 0.5
    # twins in one group tell nothing about each other: labels drawn by group are not learned out of fold, those by row
    # of a twin would be
    drawn = np.eye(3, dtype=np.float32)[np.repeat(rng.integers(0, 3, 120), 2)]
    twins = np.repeat(rng.normal(0, 1, (120, 200)), 2, axis=0).astype(np.float32)
    assert (solve_linear(ONE, twins, drawn, groups).out_of_fold.argmax(1) == drawn.argmax(1)).mean() < 0.5
    assert (
        solve_linear(ONE, twins, drawn, np.arange(240)[::-1] % 120).out_of_fold.argmax(1) == drawn.argmax(1)
    ).mean() > 0.5


def test_a_helpful_second_opinion_gets_a_share():
    rng = np.random.default_rng(1)
    values, truth, groups = clouds(noise=1.5, seed=1)
    wrong = rng.random(240) < 0.35
    labels = np.where(
        wrong[:, None], np.eye(3, dtype=np.float32)[(truth.argmax(1) + rng.integers(1, 3, 240)) % 3], truth
    )
    secondary = np.where(wrong[:, None], truth, 0).astype(np.float32)
    fitted = solve_linear(ONE, values, labels, groups, secondary=secondary)
    assert fitted.chosen["a"]["sub_share"] in linear.SUB_SHARES
    everyone = np.ones(240, bool)
    mixed = linear._Problem(ONE.heads[0], None, 1, everyone, labels, secondary, groups, "none", None).targets(0.2)
    np.testing.assert_allclose(mixed[wrong].max(axis=1), 0.8)
    np.testing.assert_array_equal(mixed[~wrong], labels[~wrong])


def test_balance_moves_answers_to_rare_classes():
    values, labels, groups = clouds(600, noise=3)
    keep = (labels[:, 0] > 0) | (np.random.default_rng(0).random(600) < 0.15)
    values, labels, groups = values[keep], labels[keep], groups[keep]
    rare = {}
    for balance in ("none", "sqrt", "full", "logit"):
        kernel, bias = solve_linear(ONE, values, labels, groups, balance=balance).weights["head_0"]
        rare[balance] = ((values @ kernel + bias).argmax(1) > 0).mean()
    assert rare["none"] < rare["sqrt"] < rare["full"] and rare["none"] < rare["logit"]
    shares = np.array([0.7, 0.2, 0.1])
    np.testing.assert_array_equal(model_prior(ONE.heads[0], shares, "none"), shares)
    np.testing.assert_allclose(model_prior(ONE.heads[0], shares, "full"), 1 / 3)


@pytest.mark.parametrize("kind", ["hidden", pytest.param("residual", marks=pytest.mark.slow)])
def test_trained_heads_learn_and_score_out_of_fold(kind):
    values, labels, groups = clouds()
    config = kf.TrainConfig(classifier=kind, classifier_epochs=8, mix="mixup", learning_rate=3e-3)
    fitted = fit_classifier(
        ONE, config, [values, values + np.float32(0.1)], labels, groups, out_of_fold=kind == "residual"
    )
    scores = apply_classifier(ONE, kind, fitted.weights, [values], np.arange(240))
    assert (scores.argmax(1) == labels.argmax(1)).mean() > 0.9
    assert kind == "hidden" or (fitted.out_of_fold.argmax(1) == labels.argmax(1)).mean() > 0.85
    if kind == "residual":  # once is enough: both go through the same epochs
        return
    again = fit_classifier(ONE, config, [values, values + np.float32(0.1)], labels, groups)
    for name, arrays in fitted.weights.items():
        for one, two in zip(arrays, again.weights[name], strict=True):
            np.testing.assert_array_equal(one, two)


def test_constant_features_and_too_many_are_refused(monkeypatch):
    _, labels, groups = clouds()
    constant = np.ones((240, 4), np.float32).view(Rows)
    for kind in ("linear", "hidden"):
        with pytest.raises(InputError, match="same features for every picture"):
            fit_classifier(ONE, kf.TrainConfig(classifier=kind), [constant], labels, groups)
    monkeypatch.setattr(classifier, "_memory", lambda: 1000)
    with pytest.raises(InputError, match="classifier=hidden"):
        fit_classifier(ONE, kf.TrainConfig(), [constant], labels, groups)


def test_a_head_of_several_labels_that_is_trained_is_solved_as_it_comes():
    """It has no class weights while it is trained: solved with them, fine-tuning would only undo them, and the noted
    prior would be wrong."""
    one, several = Head("style", ("a", "b")), Head("tags", ("p", "q"), multi=True)
    for balance, wanted in (
        ("full", ("full", "none")),
        ("sample", ("full", "none")),
        ("logit", ("logit", "logit")),
        ("focal", ("none", "none")),
    ):
        config = kf.TrainConfig(balance=balance, fine_tune_epochs=1)
        assert (effective_balance(config, one), effective_balance(config, several)) == wanted
    assert effective_balance(kf.TrainConfig(balance="full", fine_tune_epochs=0), several) == "full"
    task = Task("t", (one, several))
    rng = np.random.default_rng(0)
    labels = np.concatenate([np.eye(2)[rng.integers(0, 2, 300)], rng.uniform(size=(300, 2)) < 0.15], axis=1).astype(
        np.float32
    )
    values = rng.normal(size=(300, 6)).astype(np.float32)
    shares = [
        fit_classifier(task, kf.TrainConfig(balance="full", fine_tune_epochs=epochs), [values], labels, np.arange(300))
        .out_of_fold[:, 2:]
        .mean()
        for epochs in (1, 0)
    ]
    assert shares[0] < 0.25 and shares[1] > 0.4


def test_recipes_that_make_no_sense_are_refused():
    for wrong in ({"classifier": "residual", "sub_labels": True}, {"sizes": (224, 224)}, {"variants": 0}):
        with pytest.raises(InputError):
            kf.TrainConfig(**wrong)
    with pytest.raises(InputError, match="variants=4"):
        dataclasses.replace(kf.TrainConfig(), augment="light").resolved(True)
