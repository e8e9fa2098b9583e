import numpy as np
import pytest
from made_tables import case, random_case
from scipy.stats import binom

import kfashion_utils as kf
from kfashion_utils.errors import InputError
from kfashion_utils.evaluation.comparison import mcnemar


def test_a_table_is_no_better_than_itself():
    table, catalog = random_case(300)
    same = kf.compare_predictions(table, table.sample(frac=1, random_state=0), catalog)
    assert same["figure"].tolist() == ["accuracy", "balanced_accuracy"] and (same["p"] == 1).all()
    assert (same["difference"] == 0).all() and ((same["low"] <= 0) & (same["high"] >= 0)).all()
    assert (same[["only_first", "only_second"]] == 0).all(axis=None)


def test_a_better_table_is_found_and_a_lucky_one_is_not():
    rng = np.random.default_rng(0)
    actual = rng.integers(0, 4, 1000)
    first, second, other = (np.where(rng.random(1000) < share, actual, (actual + 1) % 4) for share in (0.7, 0.8, 0.7))
    (one, catalog), (two, _), (three, _) = (case(actual, answers) for answers in (first, second, other))
    better, luck = (
        kf.compare_predictions(one, two, catalog).iloc[0],
        kf.compare_predictions(one, three, catalog).iloc[0],
    )
    assert better["difference"] == pytest.approx((second == actual).mean() - (first == actual).mean())
    assert better["p"] < 0.001 and better["low"] > 0 and better["low"] < better["difference"] < better["high"]
    assert luck["p"] > 0.05 and luck["low"] < 0 < luck["high"]
    assert kf.compare_predictions(two, one, catalog).iloc[0]["difference"] == -better["difference"]
    half = 1.96 * np.std((second == actual).astype(int) - (first == actual).astype(int)) / np.sqrt(1000)
    np.testing.assert_allclose(
        [better["low"], better["high"]], better["difference"] + np.array([-half, half]), atol=0.15 * half
    )


def test_pairing_needs_fewer_photos_than_two_intervals():
    rng = np.random.default_rng(1)
    actual = rng.integers(0, 4, 400)
    first = np.where(rng.random(400) < 0.7, actual, (actual + 1) % 4)
    second = np.where(
        (first != actual) & (rng.random(400) < 0.2), actual, first
    )  # mends a fifth of the mistakes and makes none
    (one, catalog), (two, _) = case(actual, first), case(actual, second)
    compared = kf.compare_predictions(one, two, catalog).iloc[0]
    assert compared["low"] > 0 and compared["only_first"] == 0 and compared["p"] < 0.001
    separate = [kf.score_intervals(table, catalog).iloc[0] for table in (one, two)]
    assert separate[0]["high"] > separate[1]["low"]


def test_mcnemar_by_hand():
    assert mcnemar(0, 0) == 1 and mcnemar(3, 3) == 1
    assert mcnemar(1, 9) == pytest.approx(2 * binom.cdf(1, 10, 0.5))


def test_groups_widen_the_interval():
    rng = np.random.default_rng(2)
    looks = np.repeat(np.arange(50), 8)
    actual = rng.integers(0, 4, 50)[looks]
    first, second = ((np.where((rng.random(50) < share)[looks], actual, (actual + 1) % 4)) for share in (0.5, 0.7))
    (one, catalog), (two, _) = case(actual, first), case(actual, second)
    single, grouped = (
        kf.compare_predictions(one, two, catalog.assign(group=groups)).iloc[0]
        for groups in (catalog["id"], looks.astype(str))
    )
    assert grouped["high"] - grouped["low"] > 2 * (single["high"] - single["low"]) and grouped["groups"] == 50


def test_tables_that_do_not_match_are_refused_with_every_problem():
    table, catalog = random_case(20)
    other = table.rename(columns={"label:a": "label:z"})[1:]
    lacking = "1 ids are not in the second table, for example 'p0'"
    with pytest.raises(InputError, match=rf"(?s)cannot be compared.*{lacking}.*classes differ: label:a, label:z"):
        kf.compare_predictions(table, other, catalog)
    with pytest.raises(InputError, match="'p1' belongs to another photo"):
        kf.compare_predictions(table, table.assign(photo=["p0", *["x"] * 1, *table["photo"][2:]]), catalog)
    with pytest.raises(InputError, match="'p3' stands in the first table more than once"):
        kf.compare_predictions(table.assign(id=table["id"].replace("p2", "p3")), table, catalog)
    with pytest.raises(InputError, match="'p0' is not in the catalog"):
        kf.compare_predictions(table, table, catalog[1:])
