"""Intervals between checkpoints, compared."""

import math

import pytest

from mtbench.engines.simulation.closed import daly
from mtbench.engines.simulation.setting import NEVER, Cluster, RunCost
from mtbench.engines.simulation.sweep import best_rows, compare, courses_for, usual_intervals

RUN = RunCost(epochs=200, epoch=10, start=5, checkpoint=20)
CLUSTER = Cluster(nodes=1, mtbf=1000)


def test_the_best_interval_is_that_of_daly_and_the_extremes_are_worse() -> None:
    optimum = round(daly(20, 1000), -1)
    assert optimum == 190
    rows = compare([RUN], CLUSTER, [0, optimum, 1500], courses=200)
    assert best_rows(rows) == [rows[1]]
    assert rows[1].mean("makespan") < 0.8 * min(rows[0].mean("makespan"), rows[2].mean("makespan"))


def test_intervals_that_differ_by_less_than_the_noise_are_all_best() -> None:
    best = best_rows(compare([RUN], CLUSTER, [180, 190, 200], courses=20))
    assert {row.every for row in best} == {180, 190, 200}
    calm = compare([RUN], Cluster(nodes=1, mtbf=math.inf), [0, 100, NEVER], courses=3)
    assert [row.every for row in best_rows(calm)] == [NEVER]


def test_a_grid_that_would_not_end_is_not_simulated() -> None:
    rows = compare([RUN], Cluster(nodes=1, mtbf=100), [100, NEVER], courses=2)
    assert [bool(row.courses) for row in rows] == [True, False]
    assert best_rows(rows) == [rows[0]]
    assert best_rows(rows[1:]) == []


def test_the_usual_intervals_differ_from_each_other_and_end_with_never() -> None:
    assert usual_intervals([RunCost(epochs=10, epoch=45)]) == [0, 60, 120, 300, NEVER]
    assert usual_intervals([RunCost(epochs=10, epoch=45), RunCost(epochs=2, epoch=5)]) == [
        0,
        10,
        30,
        60,
        120,
        300,
        NEVER,
    ]
    assert usual_intervals([RunCost(epochs=1, epoch=1)]) == [0, NEVER]


def test_a_seed_gives_the_same_rows_and_another_one_others() -> None:
    one, other, third = (compare([RUN] * 3, CLUSTER, [60], courses=4, seed=seed) for seed in (1, 1, 2))
    assert one == other
    assert one != third


def test_percentiles_are_ordered_around_the_median_and_a_large_grid_has_fewer_courses() -> None:
    (row,) = compare([RUN] * 2, CLUSTER, [100], courses=50)
    low, high = row.span("makespan")
    assert min(course.makespan for course in row.courses) < low < row.mean("makespan") < high
    assert courses_for([RUN] * 2, CLUSTER) == 200
    assert courses_for([RunCost(epochs=1, epoch=1)] * 4_000, CLUSTER) == pytest.approx(50, abs=1)
    assert courses_for([RUN] * 100_000, CLUSTER) == 20
