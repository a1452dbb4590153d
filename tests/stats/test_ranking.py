import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mtbench.stats.ranking import kendall_tau, mean_ranks, order_agreement

NAN = float("nan")
pairs = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=2, max_size=10)


@given(pairs)
def test_tau_is_that_of_scipy_ties_included(values: list[tuple[int, int]]) -> None:
    first, second = np.array(values, dtype=float).T
    tau = kendall_tau(first, second)
    if len(set(first)) < 2 or len(set(second)) < 2:
        assert np.isnan(tau)
    else:
        assert tau == pytest.approx(stats.kendalltau(first, second).statistic)


def test_tau_is_taken_of_every_row() -> None:
    assert kendall_tau([1, 2, 3], [[1, 2, 3], [3, 2, 1], [1, 3, 2]]) == pytest.approx([1, -1, 1 / 3])


def test_means_that_are_equal_but_for_rounding_are_tied() -> None:
    assert kendall_tau([1, 2, 3], [0.1 + 0.2, 0.3, 0.9]) == pytest.approx(2 / math.sqrt(6))


def test_an_order_that_runs_do_not_doubt_agrees_surely() -> None:
    runs = np.array([10, 20, 30, 40])[:, None] + np.random.default_rng(0).normal(size=(4, 5))
    agreement = order_agreement([1, 2, 3, 4], runs, np.random.default_rng(1))
    assert (agreement.methods, agreement.tau, agreement.interval, agreement.same) == (4, 1, (1, 1), 1)
    against = order_agreement([4, 3, 2, 1], runs, np.random.default_rng(1))
    assert (against.tau, against.interval, against.same) == (-1, (-1, -1), 0)


def test_seeds_are_resampled_for_all_methods_together() -> None:
    # Within each seed the order is the same; seeds differ by far more than methods do.
    runs = np.array([0.0, 0.1, 0.2])[:, None] + np.array([0, 50, 100])
    assert order_agreement([1, 2, 3], runs, np.random.default_rng(0)).same == 1


def test_the_resamples_are_spread_as_an_enumeration_has_them() -> None:
    runs = np.array([[1.0, 5.2, 3], [2, 2.3, 4], [3, 3.1, 3.57]])
    taus = [
        float(stats.kendalltau([1, 2, 3], runs[:, list(drawn)].mean(axis=1)).statistic)
        for drawn in itertools.product(range(3), repeat=3)
    ]
    agreement = order_agreement([1, 2, 3], runs, np.random.default_rng(0), resamples=20_000, confidence=0.8)
    assert agreement.same == pytest.approx(np.mean(np.array(taus) > 0.999), abs=0.015)
    assert 0 < agreement.same < 1
    assert agreement.interval == pytest.approx(np.quantile(np.repeat(taus, 1000), [0.1, 0.9]))
    assert agreement.tau == pytest.approx(stats.kendalltau([1, 2, 3], runs.mean(axis=1)).statistic)
    assert agreement.resamples == 20_000


def test_methods_without_a_place_in_both_orders_are_left_out() -> None:
    runs = [[1.0, 2.0], [3.0, 4.0], [NAN, NAN], [5.0, 7.0]]
    agreement = order_agreement([1.0, 2.0, 3.0, NAN], runs, np.random.default_rng(0))
    assert (agreement.methods, agreement.tau) == (2, 1)


def test_resamples_that_leave_a_method_without_a_run_do_not_count() -> None:
    agreement = order_agreement([1, 2], [[1.0, NAN], [2.0, 3.0]], np.random.default_rng(0), resamples=4000)
    assert (agreement.tau, agreement.same) == (1, 1)
    assert agreement.resamples / 4000 == pytest.approx(0.75, abs=0.03)


@pytest.mark.parametrize("runs", [[[1.0, 2.0]], [[NAN], [NAN]], [[1.0], [1.0]], np.empty((2, 0))])
def test_fewer_than_two_distinct_values_have_no_order(runs: list[list[float]]) -> None:
    agreement = order_agreement(range(1, len(runs) + 1), runs, np.random.default_rng(0))
    assert math.isnan(agreement.tau)
    assert math.isnan(agreement.same)
    assert (agreement.interval, agreement.resamples) == (None, 0)


def test_mean_ranks_count_the_better_rows_and_equal_ones_share_theirs() -> None:
    values = np.random.default_rng(0).integers(0, 4, (7, 9)).astype(float)
    higher = np.arange(9) % 2 == 0
    signed = np.where(higher, values, -values)
    expected = [
        np.mean(
            [(other > own).sum() + ((other == own).sum() + 1) / 2 for own, other in zip(row, signed.T, strict=True)]
        )
        for row in signed
    ]
    assert mean_ranks(values, higher) == pytest.approx(expected)
    assert mean_ranks([[3.0], [5.0], [5.0], [1.0]], [True]).tolist() == [3, 1.5, 1.5, 4]
    assert mean_ranks(np.empty((0, 2)), [True, True]).shape == (0,)


def test_a_row_that_lacks_a_value_has_no_rank_and_takes_none() -> None:
    ranks = mean_ranks([[3.0, 1.0], [9.0, np.nan], [1.0, 1.0]], [True, False])
    assert ranks[[0, 2]] == pytest.approx([(1 + 1.5) / 2, (2 + 1.5) / 2])
    assert np.isnan(ranks[1])
