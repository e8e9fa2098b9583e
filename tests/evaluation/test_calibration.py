import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from made_tables import case
from scipy.special import expit, softmax

import kfashion_utils as kf
from kfashion_utils.errors import InputError
from kfashion_utils.evaluation.calibration import _tempered, calibration_scores, reliability
from kfashion_utils.plots import curves as plots
from kfashion_utils.tables.catalog import complete_catalog
from kfashion_utils.tables.labels import Head

CLASSES = ("a", "b", "c")


def sharpened(temperature, rows=4000, seed=0):
    """Predictions and catalog whose labels are drawn from the probabilities; the log-probabilities are then multiplied
    by `temperature`."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (rows, 3))
    true = softmax(logits, axis=1)
    actual = (rng.random((rows, 1)) > true.cumsum(axis=1)).sum(axis=1).clip(max=2)
    return predictions_of(softmax(logits * temperature, axis=1), actual)


def predictions_of(scores, actual):
    ids = [f"p{number}" for number in range(len(scores))]
    table = pd.DataFrame(
        {
            "id": ids,
            "photo": ids,
            "label": np.array(CLASSES, object)[scores.argmax(axis=1)],
            **{f"label:{name}": scores[:, k] for k, name in enumerate(CLASSES)},
        }
    )
    return table, complete_catalog({"id": ids, "path": "x", "label": np.array(CLASSES, object)[actual]})


@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5])
def test_the_temperature_that_was_put_in_is_found_and_mends_held_out_rows(temperature):
    (table, catalog), (held, truth) = sharpened(temperature), sharpened(temperature, seed=1)
    found = kf.calibrate(table, catalog)
    assert found["label"] == pytest.approx(temperature, rel=0.06)
    mended = kf.temper(held, found)
    before, after = (calibration_scores(one, truth).iloc[0] for one in (held, mended))
    if temperature != 1:
        assert (
            after["ece"] < before["ece"] / 3
            and after["log_loss"] < before["log_loss"]
            and after["brier"] < before["brier"]
        )
    assert after["ece"] < 0.03
    assert kf.evaluate(mended, truth) == kf.evaluate(held, truth) and mended["label"].equals(held["label"])
    np.testing.assert_allclose(mended[[f"label:{name}" for name in CLASSES]].sum(axis=1), 1)


def exclusive(scores):
    return Head("one", tuple(map(str, range(scores.shape[1]))))


def several(scores):
    return Head("many", tuple(map(str, range(scores.shape[1]))), multi=True)


def test_several_labels_are_scaled_by_their_log_odds():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 1.5, (3000, 2))
    actual = rng.random((3000, 2)) < expit(logits)
    ids = [f"p{number}" for number in range(3000)]
    names = np.array(["x", "y"])
    scores = expit(logits * 3)
    labels, answers = (["|".join(names[row]) or "-" for row in rows] for rows in (actual, scores >= 0.5))
    table = pd.DataFrame({"id": ids, "photo": ids, "print": answers, "print+x": scores[:, 0], "print+y": scores[:, 1]})
    catalog = complete_catalog({"id": ids, "path": "x", "print": labels})
    found = kf.calibrate(table, catalog)
    assert found["print"] == pytest.approx(3, rel=0.08)
    mended = kf.temper(table, found)
    np.testing.assert_allclose(mended["print+x"], expit(logits[:, 0] * 3 / found["print"]), atol=1e-6)
    assert kf.evaluate(mended, catalog)["print"] == kf.evaluate(table, catalog)["print"]
    assert calibration_scores(mended, catalog)["ece"][0] < calibration_scores(table, catalog)["ece"][0] / 3


def test_a_temperature_by_hand():
    table, _ = predictions_of(np.array([[0.8, 0.1, 0.1]]), [0])
    np.testing.assert_allclose(
        kf.temper(table, {"label": 2.0}).loc[0, ["label:a", "label:b"]].astype(float),
        np.sqrt([0.8, 0.1]) / (np.sqrt(0.8) + 2 * np.sqrt(0.1)),
    )
    pd.testing.assert_frame_equal(kf.temper(table, {}), table)
    table.attrs["provenance"] = {"runs": []}
    assert kf.temper(table, {"label": 2.0}).attrs["provenance"] == {"runs": [], "temperatures": {"label": 2.0}}
    with pytest.raises(InputError, match=r"(?s)no head 'style'.*temperature 0, expected a number above 0"):
        kf.temper(table, {"style": 1.0, "label": 0})


@settings(max_examples=200, deadline=None)
@given(arrays.arrays(float, (3, 4), elements=st.floats(0, 1)), st.floats(0.05, 20))
def test_no_temperature_changes_an_answer(scores, temperature):
    sums = scores.sum(axis=1, keepdims=True)
    shares = np.where(sums > 0, scores / np.where(sums > 0, sums, 1), 0.25)
    np.testing.assert_array_equal(
        _tempered(exclusive(shares), shares, temperature).argmax(axis=1), shares.argmax(axis=1)
    )
    np.testing.assert_array_equal(_tempered(several(scores), scores, temperature) >= 0.5, scores >= 0.5)


def test_scores_within_rounding_of_each_other_keep_their_order():
    best = np.nextafter(0.4, 1)
    for temperature in (0.05, 3.0, 20.0):
        row = np.array([[0.4, best, 0.2]])
        assert _tempered(exclusive(row), row, temperature).argmax() == 1
    below = np.array([[np.nextafter(0.5, 0)]])
    assert _tempered(several(below), below, 20.0)[0, 0] < 0.5


def test_the_calibration_error_by_hand():
    table, catalog = case([0, 0, 0, 1], [0, 0, 1, 1], sure=0.7)
    scores = calibration_scores(table, catalog).iloc[0]
    assert (
        scores["ece"] == pytest.approx(0.05)
        and scores["accuracy"] == 0.75
        and scores["confidence"] == pytest.approx(0.7)
    )
    assert scores["log_loss"] == pytest.approx(-(3 * np.log(0.7) + np.log(0.1)) / 4)
    assert scores["brier"] == pytest.approx((3 * (0.3**2 + 3 * 0.1**2) + (0.9**2 + 0.7**2 + 2 * 0.1**2)) / 4)


@pytest.mark.parametrize("equal", ["mass", "width"])
def test_bins_hold_every_answer_once(equal):
    table, catalog = sharpened(2.0, rows=900)
    curve = reliability(table, catalog, bins=10, equal=equal)
    assert (
        curve["n"].sum() == 900
        and (curve["low"] <= curve["confidence"]).all()
        and (curve["confidence"] <= curve["high"]).all()
    )
    assert ((curve["n"] == 90).all() and len(curve) == 10) if equal == "mass" else curve["n"].iloc[-1] > 200
    with pytest.raises(InputError, match="equal='depth'"):
        reliability(table, catalog, equal="depth")


def test_what_cannot_be_fitted_is_said():
    table, catalog = case([0, 0, 0], [0, 0, 1])
    with pytest.raises(InputError, match="every annotated photo has the same label"):
        kf.calibrate(table, catalog)
    with pytest.raises(InputError, match="no row of the evaluated ones has a label"):
        kf.calibrate(table, catalog.assign(label=""))
    with pytest.raises(InputError, match="'p0' is not in the catalog"):
        kf.calibrate(table, catalog[1:])


def test_the_curve_is_drawn_before_and_after():
    table, catalog = sharpened(2.5, rows=600)
    figure = plots.plot_reliability(table, catalog, after=kf.temper(table, kf.calibrate(table, catalog)))
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    errors = [float(label.rsplit(" ", 1)[1]) for label in labels]
    assert labels[0].startswith("as predicted, ECE") and errors[1] < errors[0] == pytest.approx(
        calibration_scores(table, catalog)["ece"][0], abs=1e-3
    )
    assert "too sure" in figure.axes[0].get_title(loc="left")
