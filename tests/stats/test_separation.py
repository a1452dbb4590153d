import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtbench.stats.contrast import holm, paired
from mtbench.stats.separation import separated_best

NAN = float("nan")
SEEDS = np.array([80.0, 85.0, 90.0, 82.0, 88.0])
SMALL = np.array([0.3, -0.2, 0.1, -0.3, 0.15])


def test_pairing_separates_what_the_spread_over_seeds_would_hide() -> None:
    column = [SEEDS, SEEDS + 1 + SMALL]
    assert separated_best([column, column], [True, False]).best == (1, 0)


def test_one_close_rival_is_enough_for_nothing_to_be_best() -> None:
    column = [SEEDS, SEEDS + 5 + SMALL, SEEDS + 5 + SMALL[::-1]]
    assert separated_best([column], [True]).best == (None,)
    assert separated_best([column[:2]], [True]).best == (1,)


def test_every_column_counts_in_the_family() -> None:
    lead = paired(SEEDS + 1 + 2.5 * SMALL, SEEDS).p
    assert lead < 0.05 < 3 * lead
    close = [SEEDS, SEEDS + 1 + 2.5 * SMALL]
    noise = [SEEDS, SEEDS + SMALL]
    alone, among = separated_best([close], [True]), separated_best([close, noise, noise], [True] * 3)
    assert (alone.best, alone.comparisons) == ((1,), 1)
    assert (among.best, among.comparisons) == ((None, None, None), 3)


def test_all_pairs_with_the_best_are_corrected_together() -> None:
    rng = np.random.default_rng(4)
    columns = [rng.normal(size=(4, 6)) + np.array([[0], [1], [2], [height]]) for height in (3, 4, 5)]
    separation = separated_best(columns, [True, True, False])
    turned = [columns[0], columns[1], -columns[2]]
    leaders = [int(np.argmax(column.mean(axis=1))) for column in turned]
    adjusted = holm(
        [
            paired(column[leader], column[row]).p
            for column, leader in zip(turned, leaders, strict=True)
            for row in range(4)
            if row != leader
        ]
    ).reshape(3, 3)
    expected = tuple(leader if (ps < 0.05).all() else None for leader, ps in zip(leaders, adjusted, strict=True))
    assert separation.best == expected
    assert separation.comparisons == 9
    assert set(expected) > {None}  # some are separated, some are not


def test_what_cannot_be_tested_is_not_separated_and_not_counted() -> None:
    one_seed = [[90.0, NAN, 91.0], [NAN, 11.0, 10.0]]
    constant = [[1.0, 2.0, 3.0], [2.0, 3.0, 4.0]]
    separation = separated_best([one_seed, constant], [True, True])
    assert (separation.best, separation.comparisons) == ((None, None), 0)


def test_a_method_without_values_neither_wins_nor_stands_in_the_way() -> None:
    column = [np.full(5, NAN), SEEDS, SEEDS + 3 + SMALL]
    assert separated_best([column], [True]).best == (2,)
    assert separated_best([column[:2]], [True]).best == (None,)


def test_the_best_mean_that_trails_in_common_seeds_is_not_separated() -> None:
    # The first has the greater mean by a seed that the second lacks; where both ran, it is surely lower.
    first = [10.0, 11.0, 12.0, 13.0, 99.0]
    second = [20.0, 21.2, 21.9, 23.1, NAN]
    assert separated_best([[first, second]], [True]).best == (None,)


def test_a_direction_for_each_column_is_needed() -> None:
    with pytest.raises(ValueError, match="1 columns, but 2 directions"):
        separated_best([[SEEDS]], [True, False])


def test_an_empty_table_has_nothing_to_separate() -> None:
    separation = separated_best([], [])
    assert (separation.best, separation.comparisons) == ((), 0)


@given(st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)), min_size=2, max_size=8))
def test_turning_every_sign_and_the_direction_changes_nothing(pairs: list[tuple[float, float]]) -> None:
    values = np.array(pairs).T
    assert separated_best([values], [True]) == separated_best([-values], [False])


@pytest.mark.parametrize(
    ("behind", "least"), [(0.0, 0.0), (50.0, 0.02)], ids=["three equal rows", "two equal rows and one far behind"]
)
def test_a_table_of_equal_methods_claims_a_best_in_at_most_5_percent_of_simulations(
    behind: float, least: float
) -> None:
    draws = np.random.default_rng(2).normal(size=(700, 3, 3, 5))
    draws[:, :, 2] -= behind
    claimed = [any(row is not None for row in separated_best(list(table), [True] * 3).best) for table in draws]
    assert least <= np.mean(claimed) < 0.05 + 3 * (0.05 * 0.95 / len(draws)) ** 0.5
