import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import studentized_range, tukey_hsd

from mtbench.stats.ranks.differences import differences

NAN = float("nan")
BASE = np.array([80.0, 85, 90, 82, 88])
PARTS = np.array([[0.3, -0.2, 0.1, -0.3, 0.1], [-0.1, 0.2, -0.3, 0.1, 0.1], [-0.2, 0.0, 0.2, 0.2, -0.2]])
"""Parts of a table that add up to 0 over methods and over seeds."""


def test_without_blocks_the_least_difference_is_that_of_scipys_test_of_all_pairs() -> None:
    chance = np.random.default_rng(4)
    values = chance.normal(size=(6, 8)) + np.arange(6)[:, None] * 0.8
    found = differences(values, higher_is_better=True, blocks=False)
    assert found.freedom == 6 * 7
    theirs = tukey_hsd(*values)
    interval = theirs.confidence_interval()
    assert np.full((6, 6), found.least) == pytest.approx((np.array(interval.high) - np.array(interval.low)) / 2)
    significant = theirs.pvalue < 0.05
    assert significant.any()
    # The variances of the two methods alone may take a significant difference away, and never add one.
    assert ((found.better | found.better.T) <= significant).all()


def test_in_blocks_of_seeds_the_least_difference_is_that_of_a_calculation_by_hand() -> None:
    values = BASE + PARTS + np.array([0, 1, 3])[:, None]
    found = differences(values, higher_is_better=True)
    square = (PARTS**2).sum() / ((3 - 1) * (5 - 1))
    quantile = studentized_range.ppf(0.95, 3, 8)
    assert found.freedom == 8
    assert found.least == pytest.approx(quantile * math.sqrt(square / 5), rel=1e-9)
    assert quantile == pytest.approx(4.041, abs=5e-4)  # of printed tables
    assert found.better.tolist() == [[False, False, False], [True, False, False], [True, True, False]]
    assert not differences(values, higher_is_better=True, blocks=False).better.any()


def test_two_methods_in_blocks_are_compared_by_the_paired_t_test() -> None:
    one, other = BASE + PARTS[0], BASE + PARTS[1]
    critical = 2.7764451 * np.std(PARTS[0] - PARTS[1], ddof=1) / math.sqrt(5)
    for shift in (critical * 0.999, critical * 1.001):
        found = differences([one + shift - (one - other).mean(), other], higher_is_better=True)
        assert found.least == pytest.approx(critical)
        assert found.better[0, 1] == (shift > critical)


def test_a_method_with_a_much_larger_variance_has_its_own_and_leaves_the_others_theirs() -> None:
    chance = np.random.default_rng(2)
    calm = chance.normal(size=(8, 5)) + np.arange(8)[:, None] * 4
    wild = 100 * chance.normal(size=5)
    alone, beside = (differences(values, higher_is_better=True) for values in (calm, np.vstack([calm, wild])))
    assert beside.apart.tolist() == [*[False] * 8, True]
    assert not alone.apart.any()
    assert (beside.better[:8, :8] == alone.better).all()
    assert alone.better.sum() > 15
    assert beside.least == pytest.approx(alone.least, rel=0.1)


def test_a_significant_difference_needs_both_variances() -> None:
    # The common variance alone calls the noisy methods different: their own are four times as large.
    quiet = np.tile(PARTS, (3, 1))[:8] / 4
    noisy = np.array([[3.0, -2.5, 1.0, -2.5, 1.0], [-1.0, 2.0, -3.0, 1.0, 1.0]])
    values = np.vstack([quiet, noisy + np.array([[0.0], [2.2]])])
    found = differences(values, higher_is_better=True)
    assert not found.better[9, 8]
    assert found.better[9, :8].sum() == 0


@pytest.mark.parametrize("blocks", [True, False])
def test_methods_with_two_seeds_and_values_that_do_not_vary_are_not_compared(blocks: bool) -> None:
    values = BASE + PARTS + np.array([0, 1, 3])[:, None]
    few = np.vstack([values, [1.0, 2.0, NAN, NAN, NAN]])
    found = differences(few, higher_is_better=True, blocks=blocks)
    assert found.compared.tolist() == [True, True, True, False]
    assert math.isnan(found.means[3])
    assert found.pairs == 3
    assert (found.better[:3, :3] == differences(values, higher_is_better=True, blocks=blocks).better).all()
    for nothing in ([[1.0, 1, 1], [2.0, 2, 2]], [[1.0, 2, 3]], [[1.0, 2], [5.0, 6]], np.full((2, 3), NAN)):
        assert not differences(nothing, higher_is_better=True, blocks=blocks).better.any()


def test_seeds_that_no_other_method_has_count_in_blocks_for_nothing() -> None:
    values = np.array([[90.0, 91, 92, 93, NAN, NAN], [NAN, NAN, 80, 81.5, 82, 80], [1, 2, NAN, NAN, 3, 4.0]])
    assert differences(values, higher_is_better=True).compared.all()
    assert differences(values[:2], higher_is_better=True).compared.tolist() == [False, False]
    assert differences(values[:2], higher_is_better=True, blocks=False).better[0, 1]


def test_methods_that_no_chain_of_seeds_connects_are_not_different() -> None:
    chance = np.random.default_rng(0)
    values = np.full((4, 8), NAN)
    values[:2, :4], values[2:, 4:] = chance.normal(size=(2, 4)), 1000 + chance.normal(size=(2, 4))
    values[1] += 100
    found = differences(values, higher_is_better=True)
    assert found.compared.all()
    assert np.argwhere(found.better).tolist() == [[1, 0]]
    assert differences(values, higher_is_better=True, blocks=False).better[2:, :2].all()


@settings(max_examples=50)
@given(
    st.integers(2, 6).flatmap(
        lambda methods: st.lists(
            st.lists(st.floats(-10, 10, allow_subnormal=False), min_size=4, max_size=4),
            min_size=methods,
            max_size=methods,
        )
    ),
    st.booleans(),
)
def test_the_direction_the_unit_and_a_common_shift_change_nothing(table: list[list[float]], blocks: bool) -> None:
    values = np.round(np.array(table), 3)
    found = differences(values, higher_is_better=True, blocks=blocks).better
    assert not (found & found.T).any()
    assert (differences(-values, higher_is_better=False, blocks=blocks).better == found).all()
    assert (differences(4 * values, higher_is_better=True, blocks=blocks).better == found).all()
    assert (differences(values[::-1], higher_is_better=True, blocks=blocks).better == found[::-1, ::-1]).all()
