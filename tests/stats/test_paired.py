import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mtbench.stats.paired import best_separated, paired_difference, summarize, t_interval

NAN = float("nan")
numbers = st.floats(-1e3, 1e3)


def test_one_value_has_a_mean_and_neither_spread_nor_interval() -> None:
    summary = summarize([93.5])
    assert (summary.n, summary.mean, summary.std, summary.interval) == (1, 93.5, None, None)


def test_no_value_has_no_mean() -> None:
    summary = summarize([])
    assert summary.n == 0
    assert math.isnan(summary.mean)
    assert summary.std is None


def test_a_hand_computed_sample_has_its_mean_spread_and_interval() -> None:
    # 2, 4, 9: mean 5, squares 9 + 1 + 16 = 26, variance 13; t(2, .975) = 4.302653 in printed tables.
    summary = summarize([2, 4, 9])
    assert summary.mean == 5
    assert summary.std == pytest.approx(math.sqrt(13))
    half = 4.302653 * math.sqrt(13 / 3)
    assert summary.interval == pytest.approx((5 - half, 5 + half), abs=1e-5)


@pytest.mark.parametrize(("n", "quantile"), [(2, 12.706), (3, 4.303), (5, 2.776), (10, 2.262), (30, 2.045)])
def test_the_half_width_follows_the_printed_table_of_t(n: int, quantile: float) -> None:
    values = np.arange(n, dtype=float)
    low, high = t_interval(values) or (NAN, NAN)
    assert (high - low) / 2 == pytest.approx(quantile * values.std(ddof=1) / math.sqrt(n), rel=1e-3)


@given(st.lists(numbers, min_size=2, max_size=12), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_the_interval_is_that_of_scipy(values: list[float], confidence: float) -> None:
    spread = float(np.std(values, ddof=1))
    expected = stats.t.interval(
        confidence, len(values) - 1, loc=np.mean(values), scale=max(spread, 1e-300) / len(values) ** 0.5
    )
    assert t_interval(values, confidence) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_the_paired_interval_is_that_of_scipys_paired_test() -> None:
    first, second = [88.1, 89.4, 87.9, 88.8, 90.0], [87.0, 88.9, 87.5, 87.1, 89.9]
    expected = stats.ttest_rel(first, second).confidence_interval(0.95)
    assert paired_difference(first, second).interval == pytest.approx((expected.low, expected.high))


def test_only_seeds_that_both_have_are_paired() -> None:
    difference = paired_difference([1, 2, NAN, 7], [0, NAN, 5, 4])
    assert (difference.n, difference.mean) == (2, 2)


@pytest.mark.parametrize("n", [3, 5, 10])
def test_the_interval_covers_the_truth_in_95_percent_of_simulations(n: int) -> None:
    draws = np.random.default_rng(n).normal(loc=1.5, scale=2, size=(4000, n))
    covered = sum(low <= 1.5 <= high for low, high in filter(None, map(t_interval, draws)))
    assert covered / len(draws) == pytest.approx(0.95, abs=0.02)


def test_of_two_equal_methods_one_is_called_best_in_5_percent_of_simulations() -> None:
    draws = np.random.default_rng(0).normal(size=(4000, 2, 5))
    called = sum(best_separated(pair, higher_is_better=True) is not None for pair in draws)
    assert called / len(draws) == pytest.approx(0.05, abs=0.02)


def test_pairing_separates_what_the_spread_over_seeds_would_hide() -> None:
    seeds = np.array([80.0, 85.0, 90.0])
    values = np.array([seeds, seeds + np.array([1.0, 1.1, 0.9])])
    assert best_separated(values, higher_is_better=True) == 1
    assert best_separated(values, higher_is_better=False) == 0


def test_one_close_rival_is_enough_for_nothing_to_be_best() -> None:
    values = np.array([[90, 91, 92], [80, 81, 82], [90.5, 90.5, 92]])
    assert best_separated(values, higher_is_better=True) is None
    assert best_separated(values[:2], higher_is_better=True) == 0


def test_equal_methods_are_not_separated() -> None:
    assert best_separated([[1, 2, 3], [1, 2, 3]], higher_is_better=True) is None


def test_one_common_seed_separates_nothing() -> None:
    assert best_separated([[90.0, NAN], [10.0, 11.0]], higher_is_better=True) is None
    assert best_separated([[90], [10]], higher_is_better=True) is None


def test_a_method_without_values_neither_wins_nor_stands_in_the_way() -> None:
    values = np.array([[NAN, NAN, NAN], [1, 2, 3], [7, 8, 9.5]])
    assert best_separated(values, higher_is_better=True) == 2
    assert best_separated(values[:2], higher_is_better=True) is None


@given(st.lists(st.tuples(numbers, numbers), min_size=2, max_size=8))
def test_turning_every_sign_and_the_direction_changes_nothing(pairs: list[tuple[float, float]]) -> None:
    values = np.array(pairs).T
    assert best_separated(values, higher_is_better=True) == best_separated(-values, higher_is_better=False)
