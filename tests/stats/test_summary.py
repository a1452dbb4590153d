import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mtbench.stats.summary import summarize, t_interval

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


@pytest.mark.parametrize("n", [3, 5, 10])
def test_the_interval_covers_the_truth_in_95_percent_of_simulations(n: int) -> None:
    draws = np.random.default_rng(n).normal(loc=1.5, scale=2, size=(4000, n))
    covered = sum(low <= 1.5 <= high for low, high in filter(None, map(t_interval, draws)))
    assert covered / len(draws) == pytest.approx(0.95, abs=0.02)
