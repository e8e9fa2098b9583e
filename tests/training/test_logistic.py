import numpy as np
import pytest
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

from kfashion_utils.tables.labels import Head, Task
from kfashion_utils.training import devices, linear
from kfashion_utils.training.kernels import Dual, Primal, kernel_space
from kfashion_utils.training.linear import solve_linear
from kfashion_utils.training.logistic import Sigmoids, Softmax, pose, solve

ONE = Task("t", (Head("a", ("x", "y", "z")),))
WAYS = (Dual, Primal)


def clouds(count=240, classes=3, depth=6, seed=0):
    """Standardised features `(n, depth)` and their classes `(n, classes)`, one of which is rare."""
    rng = np.random.default_rng(seed)
    answer = rng.choice(classes, count, p=[0.1, *[0.9 / (classes - 1)] * (classes - 1)])
    values = rng.normal(0, 2, (count, depth)).astype(np.float32)
    values[np.arange(count), answer] += 3
    return (values - values.mean(0)) / values.std(0), np.eye(classes, dtype=np.float32)[answer]


def solved(way, kind, rows, targets, strength, own=None, balance="none", precision=1e-10, start=None):
    """(kernels `(problems, depth, classes)`, biases) of problems on the rows that `own` says."""
    own = np.ones((1, len(rows)), bool) if own is None else own
    of_rows, problems = way(rows), pose(kind, balance, own, targets)
    point = solve(of_rows, problems, strength, start, precision)
    return of_rows.kernels(point.coefs), problems.biases(point)


def chances(kernel, bias, rows):
    return softmax(rows @ kernel + bias, axis=1)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("balance", ["none", "full"])
def test_the_solver_finds_what_scikit_learn_finds(way, balance):
    rows, targets = clouds()
    kernels, biases = solved(way, Softmax, rows, targets, 0.1, balance=balance)
    weight = {"none": None, "full": "balanced"}[balance]
    theirs = LogisticRegression(C=0.1, tol=1e-8, max_iter=2000, class_weight=weight).fit(rows, targets.argmax(1))
    np.testing.assert_allclose(chances(kernels[0], biases[0], rows), theirs.predict_proba(rows), atol=3e-4)


@pytest.mark.parametrize("way", WAYS)
def test_a_label_of_several_is_a_regression_of_its_own(way):
    rows, targets = clouds()
    kernels, biases = solved(way, Sigmoids, rows, targets, 0.1)
    for number in range(3):
        theirs = LogisticRegression(C=0.1, tol=1e-8, max_iter=2000).fit(rows, targets[:, number])
        mine = 1 / (1 + np.exp(-(rows @ kernels[0][:, number] + biases[0, number])))
        np.testing.assert_allclose(mine, theirs.predict_proba(rows)[:, 1], atol=1e-4)


@pytest.mark.parametrize("kind", [Softmax, Sigmoids])
@pytest.mark.parametrize("balance", ["none", "sqrt", "full", "logit"])
def test_problems_solved_together_are_those_solved_alone_whichever_way_kernels_are_written(kind, balance):
    rows, targets = clouds(60, depth=90)
    own = np.random.default_rng(1).random((4, 60)) < 0.7
    own[3] &= targets[:, 0] == 0  # a problem without rows of a class
    together = [solved(way, kind, rows, targets, 0.01, own, balance) for way in WAYS]
    for problem, part in enumerate(own):
        for way, (kernels, biases) in zip(WAYS, together, strict=True):
            (alone,), (bias,) = solved(way, kind, rows[part], targets[part], 0.01, balance=balance)
            np.testing.assert_allclose(rows @ kernels[problem] + biases[problem], rows @ alone + bias, atol=5e-3)
    assert (together[0][0][3][:, 0] == 0).all() and together[0][1][3, 0] == -30


def test_a_problem_of_one_class_is_told_by_its_bias():
    rows, targets = clouds(30)
    own = np.array([targets[:, 1] > 0, np.ones(30, bool)])
    kernels, biases = solved(Dual, Softmax, rows, targets, 0.1, own)
    assert not kernels[0].any() and list(biases[0]) == [-30, 30, -30]
    assert kernels[1].any()


@pytest.mark.parametrize("way", WAYS)
def test_a_good_start_leads_to_the_same_end_and_is_left_as_it_is(way):
    rows, targets = clouds()
    of_rows, problems = way(rows), pose(Softmax, "none", np.ones((1, len(rows)), bool), targets)
    start = solve(of_rows, problems, 0.001, precision=1e-4)
    before = start.copy()
    near = solve(of_rows, problems, 0.01, start, 1e-10)
    far = solve(of_rows, problems, 0.01, None, 1e-10)
    for one, two in ((near.images, far.images), (near.biases, far.biases)):
        np.testing.assert_allclose(one, two, atol=2e-3)
    np.testing.assert_array_equal(start.coefs, before.coefs)
    np.testing.assert_array_equal(start.biases, before.biases)
    again = solve(of_rows, problems, 0.01, start, 1e-10)
    np.testing.assert_array_equal(near.coefs, again.coefs)  # bit for bit


def test_the_way_that_reads_less_is_taken():
    rows = np.zeros((30, 10), np.float32)
    assert isinstance(kernel_space(rows), Primal)
    assert isinstance(kernel_space(rows.T), Dual)


def test_linear_classifiers_are_the_same_whichever_way_kernels_are_written(monkeypatch):
    rng = np.random.default_rng(0)
    rows, labels = clouds(120, depth=300)
    variants = np.stack([rows, rows + rng.normal(0, 0.1, rows.shape).astype(np.float32)])
    found = []
    for way in WAYS:
        monkeypatch.setattr(linear, "kernel_space", way)
        found.append(solve_linear(ONE, variants, labels, np.arange(120) // 2))
    assert found[0].chosen == found[1].chosen
    logits = [rows @ fitted.weights["head_0"][0] + fitted.weights["head_0"][1] for fitted in found]
    np.testing.assert_allclose(*(softmax(one, axis=1) for one in logits), atol=5e-3)
    np.testing.assert_allclose(found[0].out_of_fold, found[1].out_of_fold, atol=2e-2)


def test_multiplying_on_a_device_gives_what_the_processor_gives(monkeypatch):
    rng = np.random.default_rng(0)
    matrix, values = rng.normal(size=(50, 30)).astype(np.float32), rng.normal(size=(7, 50)).astype(np.float32)
    here = devices.multiplier(matrix)(values)
    monkeypatch.setattr(devices, "gpus", lambda: ["one"])
    there = devices.multiplier(matrix)(values)
    assert there.dtype == np.float32
    np.testing.assert_allclose(here, there, rtol=1e-5, atol=1e-5)
