"""The distance that a switch moves Δm and the order, worked out by hand."""

import math

import numpy as np
import pytest

from mtbench.report.exhibits.conventions.moved import moved, pooled

NAN = math.nan


def gains(**values: list[float]) -> dict[str, np.ndarray]:
    return {name: np.array(each) for name, each in values.items()}


def test_the_spread_of_methods_is_pooled_by_their_degrees_of_freedom() -> None:
    # Squares about the mean: 2 of three values, 8 of two; three degrees of freedom.
    assert pooled([np.array([1.0, 2.0, 3.0]), np.array([5.0, NAN, 9.0])]) == pytest.approx(math.sqrt((2 + 8) / 3))
    assert math.isnan(pooled([np.array([1.0]), np.array([NAN, 4.0])]))
    assert math.isnan(pooled([]))


def test_a_spread_that_is_rounding_is_none() -> None:
    assert math.isnan(pooled([np.array([0.1 + 0.2, 0.3, 0.3]), np.array([7.0, 7.0, 7.0])]))


def test_the_largest_change_is_given_in_points_and_in_standard_deviations_over_seeds() -> None:
    usual = gains(a=[0, 1, 2], b=[3, 4, 5])  # a standard deviation of 1 in each
    found = moved(usual, gains(a=[1, 2, 3], b=[0, 1, 2]), alike=True)
    assert found.change == 3
    assert found.spreads == pytest.approx(3)
    unlike = moved(usual, gains(a=[1, 2, 3], b=[0, 1, 2]), alike=False)
    assert math.isnan(unlike.change)
    assert math.isnan(unlike.spreads)
    assert unlike.tau == -1


def test_reversed_pairs_are_counted_and_those_apart_that_differ_significantly() -> None:
    usual = gains(a=[0, 0.1, 0.2, 0.1], b=[9, 9.2, 9.1, 9.3], c=[4, 6, 4, 6.1])
    other = gains(a=[9, 9.2, 9.1, 9.3], b=[0, 0.1, 0.2, 0.1], c=[4, 6, 4, 6.1])
    found = moved(usual, other, alike=True)
    # a < c < b becomes b < c < a: all three pairs, each with a p-value below 2 % even after Holm's correction by 3.
    assert (found.tau, found.pairs, found.reversed, found.significant) == (-1, 3, 3, 3)
    close = moved(gains(a=[0, 3, 1], b=[2, 0, 2.5]), gains(a=[1, 2, 1.5], b=[2, 0, 2.4]), alike=True)
    assert (close.pairs, close.reversed, close.significant) == (1, 1, 0)


def test_one_seed_reverses_pairs_and_says_nothing_of_significance() -> None:
    found = moved(gains(a=[1], b=[2]), gains(a=[2], b=[1]), alike=True)
    assert (found.reversed, found.significant) == (1, None)
    assert math.isnan(found.spreads)


def test_only_methods_with_a_number_in_both_columns_are_compared_and_one_alone_has_no_order() -> None:
    found = moved(gains(a=[1, 2], b=[2, 3], c=[0, 0]), gains(b=[1, 2], c=[5, 6]), alike=True)
    assert (found.pairs, found.reversed, found.change) == (1, 1, 5.5)
    alone = moved(gains(a=[1, 2]), gains(a=[1, 2]), alike=True)
    assert (alone.pairs, alone.reversed, alone.significant) == (0, 0, None)
    assert math.isnan(alone.tau)
