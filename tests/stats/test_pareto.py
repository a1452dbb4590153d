import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy import stats

from mtbench.stats.pareto import dominance, front, front_probability, hypervolume

NAN = float("nan")
Floats = NDArray[np.float64]


def points_of(tasks: int, most: int = 6) -> st.SearchStrategy[Floats]:
    return arrays(np.float64, st.tuples(st.integers(1, most), st.just(tasks)), elements=st.floats(0.0, 10.0, width=32))


some_points = st.integers(2, 4).flatmap(points_of)


def volume_by_inclusion_and_exclusion(points: Floats) -> float:
    """Return the volume of the union of boxes from 0 to each point."""
    return math.fsum(
        (-1) ** (size + 1) * float(points[list(chosen)].min(axis=0).prod())
        for size in range(1, len(points) + 1)
        for chosen in itertools.combinations(range(len(points)), size)
    )


def front_by_pairs(points: Floats) -> list[bool]:
    return [not any((other >= point).all() and (other > point).any() for other in points) for point in points]


@given(some_points)
def test_a_volume_is_that_of_the_union_of_boxes(points: Floats) -> None:
    zero = np.zeros(points.shape[1])
    assert hypervolume(points, zero) == pytest.approx(volume_by_inclusion_and_exclusion(points), rel=1e-9, abs=1e-9)


@settings(max_examples=50)
@given(st.integers(2, 4).flatmap(lambda tasks: arrays(np.int64, (5, tasks), elements=st.integers(0, 5))))
def test_a_volume_of_whole_numbers_is_a_count_of_cells(points: NDArray[np.int64]) -> None:
    cells = np.indices((5,) * points.shape[1])[None]
    within = (cells < points.reshape(*points.shape, *[1] * points.shape[1])).all(axis=1).any(axis=0)
    assert hypervolume(points, np.zeros(points.shape[1])) == pytest.approx(within.sum())


@given(some_points, st.data())
def test_a_volume_grows_with_a_point_added(points: Floats, data: st.DataObject) -> None:
    more = np.vstack([points, data.draw(points_of(points.shape[1], most=1))])
    zero = np.zeros(points.shape[1])
    assert hypervolume(more, zero) >= hypervolume(points, zero) * (1 - 1e-9)


@given(some_points)
def test_the_front_has_the_volume_of_all(points: Floats) -> None:
    zero = np.zeros(points.shape[1])
    assert hypervolume(points[front(points)], zero) == pytest.approx(hypervolume(points, zero), rel=1e-9)


@pytest.mark.parametrize("tasks", [2, 3, 4])
def test_a_volume_is_measured_from_the_reference(tasks: int) -> None:
    points = np.random.default_rng(tasks).uniform(40, 90, size=(6, tasks))
    points[0] = 30  # worse than the reference: no part of any box
    points[1, 0] = 30
    reference = np.full(tasks, 35.0)
    expected = volume_by_inclusion_and_exclusion(np.maximum(points - 35, 0))
    assert hypervolume(points, reference) == pytest.approx(expected)


def test_one_run_has_the_product_of_its_gains() -> None:
    assert hypervolume([90.0, 80.0], [10, 10]) == pytest.approx(80 * 70)


def test_an_ideal_makes_a_volume_a_share() -> None:
    assert hypervolume([[90, 80]], [10, 10], ideal=[100, 100]) == pytest.approx(80 * 70 / 90**2)
    assert hypervolume([[2.0, 80]], [4.0, 10], maximize=[False, True], ideal=[0.0, 100]) == pytest.approx(7 / 18)
    assert hypervolume([[100, 100]], [10, 10], ideal=[100, 100]) == pytest.approx(1)
    with pytest.raises(ValueError, match="not better than the reference"):
        hypervolume([[90, 80]], [10, 10], ideal=[100, 10])


def test_each_task_has_its_own_direction() -> None:
    points = np.random.default_rng(0).uniform(0, 1, size=(8, 3))
    turned = points * [1, -1, 1]
    assert hypervolume(turned, [0, 0, 0], maximize=[True, False, True]) == pytest.approx(hypervolume(points, [0, 0, 0]))
    assert (front(turned, maximize=[True, False, True]) == front(points)).all()
    assert (front(-points, maximize=False) == front(points)).all()


def test_missing_points_count_for_nothing() -> None:
    assert hypervolume([[1.0, 2.0], [NAN, 9.0]], [0, 0]) == 2
    assert hypervolume(np.empty((0, 2)), [0, 0]) == 0
    assert front([[1.0, 2.0], [NAN, 9.0]]).tolist() == [True, False]
    assert front(np.full((2, 2), NAN)).tolist() == [False, False]


@given(some_points)
def test_a_front_is_what_no_other_point_dominates(points: Floats) -> None:
    assert front(points).tolist() == front_by_pairs(points)


@given(some_points)
def test_every_point_off_the_front_is_dominated_by_one_on_it(points: Floats) -> None:
    mask = front(points)
    assert mask.any()
    for point in points[~mask]:
        assert any((other >= point).all() and (other > point).any() for other in points[mask])


def test_equal_points_are_on_the_front_together() -> None:
    assert front([[1, 2], [1, 2], [0, 2]]).tolist() == [True, True, False]


def test_points_far_apart_are_surely_on_the_front_or_off_it() -> None:
    noise = np.random.default_rng(0).normal(scale=0.01, size=(3, 5, 2))
    points = np.array([[1, 3], [3, 1], [0.5, 0.5]])[:, None] + noise
    for matched in (True, False):
        assert front_probability(points, np.random.default_rng(1), matched=matched).tolist() == [1, 1, 0]


def test_the_front_is_as_sure_as_an_enumeration_of_all_resamples_has_it() -> None:
    points = np.random.default_rng(3).normal(size=(4, 3, 2)) + np.random.default_rng(4).normal(size=(4, 1, 2))
    together = [front_by_pairs(points[:, list(drawn)].mean(axis=1)) for drawn in itertools.product(range(3), repeat=3)]
    fractions = front_probability(points, np.random.default_rng(0), resamples=20_000)
    assert 0.1 < np.mean(together, axis=0)[1] < 0.9 or 0.1 < np.mean(together, axis=0)[0] < 0.9
    assert fractions == pytest.approx(np.mean(together, axis=0), abs=0.015)
    # Unmatched: every point draws runs of its own, 10 multisets each.
    two = points[:2]
    apart = [
        front_by_pairs(np.array([two[0, list(a)].mean(axis=0), two[1, list(b)].mean(axis=0)]))
        for a in itertools.product(range(3), repeat=3)
        for b in itertools.product(range(3), repeat=3)
    ]
    fractions = front_probability(two, np.random.default_rng(0), matched=False, resamples=20_000)
    assert fractions == pytest.approx(np.mean(apart, axis=0), abs=0.015)


@pytest.mark.parametrize("matched", [True, False])
def test_runs_that_are_missing_are_not_drawn(matched: bool) -> None:
    points = np.array([[[1, 1], [NAN, 9]], [[0, 0], [0, 0]], [[NAN, NAN], [NAN, NAN]]], dtype=float)
    fractions = front_probability(points, np.random.default_rng(0), matched=matched, resamples=8000)
    assert math.isnan(fractions[2])
    # With common seeds, one in four resamples draws the missing one twice: the second point is alone then.
    assert fractions[:2] == pytest.approx([0.75, 0.25] if matched else [1, 0], abs=0.02)


def test_a_method_below_a_point_in_every_task_is_dominated() -> None:
    rng = np.random.default_rng(0)
    method = rng.normal(size=(5, 2)) * 0.1
    above, beside = 1 + rng.normal(size=(5, 2)) * 0.1, np.array([1, -1]) + rng.normal(size=(5, 2)) * 0.1
    for matched in (True, False):
        found = dominance(method, [beside, above], matched=matched)
        assert (found.dominated, found.by) == (True, 1)
        alone = dominance(method, [beside], matched=matched)
        assert (alone.dominated, alone.by) == (False, None)


def test_the_p_of_a_point_is_the_largest_of_its_tasks_and_is_corrected_for_the_points() -> None:
    rng = np.random.default_rng(1)
    method, points = rng.normal(size=(6, 2)), [rng.normal(size=(6, 2)) + shift for shift in (0.5, 2.5, 1.5)]
    expected = [
        max(stats.ttest_rel(point[:, task], method[:, task], alternative="greater").pvalue for task in range(2))
        for point in points
    ]
    found = dominance(method, points, matched=True)
    assert found.p == pytest.approx(expected)
    assert found.adjusted[1] == pytest.approx(3 * expected[1])
    unmatched = dominance(method, [points[1][:4]], matched=False)
    assert unmatched.p[0] == pytest.approx(
        max(
            stats.ttest_ind(points[1][:4, task], method[:, task], equal_var=False, alternative="greater").pvalue
            for task in range(2)
        )
    )


def test_where_lower_is_better_the_lower_point_dominates() -> None:
    rng = np.random.default_rng(2)
    method, point = rng.normal(size=(5, 2)), rng.normal(loc=[5, -5], size=(5, 2))
    assert dominance(method, [point], matched=True, maximize=[True, False]).dominated
    assert not dominance(method, [point], matched=True).dominated


def test_a_point_that_cannot_be_tested_dominates_nothing() -> None:
    method = np.zeros((3, 2)) + np.random.default_rng(0).normal(size=(3, 2))
    single = np.full((3, 2), NAN)
    single[0] = 9
    found = dominance(method, [single, method + np.array([[50, 50], [51, 52], [52, 51]])], matched=True)
    assert math.isnan(found.p[0])
    assert math.isnan(found.adjusted[0])
    assert (found.dominated, found.by) == (True, 1)
    assert not dominance(method, [single], matched=True).dominated
    assert not dominance(method, [], matched=True).dominated


def test_a_method_on_the_front_is_called_dominated_in_at_most_5_percent_of_simulations() -> None:
    """Three points, each equal to the method in one task and far better in the other: the hardest of null cases."""
    rng = np.random.default_rng(3)
    method, points = rng.normal(size=(500, 5, 2)), rng.normal(loc=[50, 0], size=(500, 3, 5, 2))
    called = [dominance(m, list(p), matched=False).dominated for m, p in zip(method, points, strict=True)]
    assert 0.005 < np.mean(called) < 0.05 + 3 * (0.05 * 0.95 / len(called)) ** 0.5
