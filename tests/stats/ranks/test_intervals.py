"""Intervals of ranks; `python -m tests.stats.ranks.simulated` prints their errors in many more cases."""

import numpy as np
import pytest

from mtbench.stats.ranks.intervals import rank_intervals
from tests.stats.ranks.simulated import CASES, rates

NAN = float("nan")
NOISE = np.array([[0.3, -0.2, 0.1, -0.3, 0.1], [-0.1, 0.2, -0.3, 0.1, 0.1], [-0.2, 0.0, 0.2, 0.2, -0.2]])
LEVELS = np.array([0, 0.4, 0.8, 5, 9])
TABLE = np.array([60, 70, 65, 80, 75]) + np.vstack([NOISE, NOISE[:2]]) + LEVELS[:, None]


def test_ends_count_the_methods_that_are_significantly_better_and_worse() -> None:
    found = rank_intervals(TABLE, higher_is_better=True)
    assert found.intervals == ((4, 5), (3, 5), (3, 4), (2, 2), (1, 1))
    assert found.letters == ("d", "cd", "c", "b", "a")
    lower = rank_intervals(TABLE, higher_is_better=False)
    assert lower.intervals == ((1, 2), (1, 3), (2, 3), (4, 4), (5, 5))
    assert lower.letters == ("a", "ab", "b", "c", "d")


def test_a_method_with_two_seeds_has_no_interval_and_takes_no_rank() -> None:
    found = rank_intervals(np.vstack([[99, 98, NAN, NAN, NAN], TABLE]), higher_is_better=True)
    assert found.intervals == (None, (4, 5), (3, 5), (3, 4), (2, 2), (1, 1))
    assert found.letters == ("", "d", "cd", "c", "b", "a")
    assert rank_intervals(TABLE[:, :2], higher_is_better=True).intervals == (None,) * 5


def test_with_baselines_only_they_and_the_best_are_compared_with() -> None:
    found = rank_intervals(TABLE, higher_is_better=True, baselines=[2])
    # The first is worse than the baseline, all but the best are worse than the best, whichever that is.
    assert found.intervals == ((2, 5), (2, 5), (3, 4), (2, 4), (1, 4))
    assert found.letters == ("",) * 5
    assert found.differences.pairs == 4 + 3
    assert rank_intervals(TABLE, higher_is_better=True, baselines=[]).intervals == (*[(2, 5)] * 4, (1, 5))


def test_fewer_pairs_need_a_smaller_difference() -> None:
    chance = np.random.default_rng(0)
    values = chance.normal(size=(40, 10))
    every, some = (
        rank_intervals(values, higher_is_better=True, baselines=each).differences.least for each in (None, [0])
    )
    assert some < 0.9 * every


@pytest.mark.parametrize("case", ["all equal", "four groups of ties", "half the methods 1:4", "one method 1:4"])
@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_the_error_of_all_pairs_and_of_all_intervals_is_at_most_five_percent(case: str, seeds: int) -> None:
    tables = 300
    found = rates(CASES[case], 12, seeds, tables=tables)
    allowed = 0.05 + 2 * (0.05 * 0.95 / tables) ** 0.5
    assert found.error <= allowed
    assert found.coverage >= 1 - allowed


@pytest.mark.parametrize("case", ["seeds correlate .9", "unpaired, one 1:4", "a quarter of the methods 1:4"])
def test_it_is_so_for_forty_methods(case: str) -> None:
    found = rates(CASES[case], 40, 3, tables=150)
    assert found.error <= 0.05 + 2 * (0.05 * 0.95 / 150) ** 0.5


def test_methods_that_are_far_apart_have_a_rank_each() -> None:
    assert rates(CASES["four groups of ties"], 4, 10, tables=100).width < 0.02
