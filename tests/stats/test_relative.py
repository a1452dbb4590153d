import numpy as np
import pytest

from mtbench.stats.relative import delta_m, delta_parts, relative_error
from mtbench.stats.summary import t_interval

NAN = float("nan")
# Levi and Ullman, table 1: single-task networks and the top-down network on four digits; then CUB-200's twelve parts.
DIGITS_SINGLE, DIGITS_OURS = [95.73, 92.97, 93.11, 94.81], [95.76, 93.89, 93.81, 95.11]
PARTS = {
    "single": [77.91, 75.09, 73.46, 70.99, 62.82, 89.66, 75.54, 75.30, 71.07, 77.63, 71.82, 70.26],
    "uniform": [81.01, 79.46, 77.55, 75.94, 64.57, 90.40, 79.46, 78.67, 74.58, 80.62, 75.25, 72.07],
    "moo": [82.78, 82.17, 77.37, 75.66, 64.84, 91.39, 81.15, 79.63, 75.03, 81.57, 75.44, 73.80],
    "modulation": [82.07, 81.72, 80.03, 77.20, 68.61, 91.30, 81.29, 81.22, 76.91, 82.29, 77.87, 76.23],
    "top-down": [84.90, 81.77, 81.01, 79.53, 67.60, 91.08, 83.22, 83.64, 78.55, 84.41, 79.96, 75.61],
}


def test_four_digits_gain_what_the_papers_table_gives() -> None:
    assert delta_m([DIGITS_OURS], [DIGITS_SINGLE], [True] * 4) == pytest.approx([0.522], abs=5e-4)


@pytest.mark.parametrize(("name", "gain"), [("uniform", 4.31), ("moo", 5.55), ("modulation", 7.46), ("top-down", 9.07)])
def test_birds_gain_what_the_papers_table_gives(name: str, gain: float) -> None:
    assert delta_m([PARTS[name]], PARTS["single"], [True] * 12) == pytest.approx([gain], abs=5e-3)


def test_nyuv2_gains_by_each_average_what_is_published_of_it() -> None:
    """Linear scalarization beside single-task networks (Nash-MTL, ICML 2022, table 2): 5.59 worse by the mean over all
    nine metrics, as there; 0.88 better by the mean over tasks, as in LibMTL; 2.90 better by the first metric of each
    task, as in Auto-Lambda."""
    single = [38.30, 63.76, 0.6754, 0.2780, 25.01, 19.21, 30.14, 57.20, 69.15]
    uniform = [[39.29, 65.33, 0.5493, 0.2263, 28.15, 23.96, 22.09, 47.50, 61.08]]
    higher = [True, True, False, False, False, False, True, True, True]
    tasks = ["segmentation"] * 2 + ["depth"] * 2 + ["normals"] * 5
    assert delta_m(uniform, single, higher) == pytest.approx([-5.59], abs=5e-3)
    assert delta_m(uniform, single, higher, tasks) == pytest.approx([0.88], abs=5e-3)
    first = [0, 2, 4]
    mains = delta_m(np.take(uniform, first, 1), np.take(single, first), np.take(higher, first))
    assert mains == pytest.approx([2.90], abs=5e-3)


def test_each_task_has_its_own_direction() -> None:
    # Accuracy 80 -> 84 is +5 %, error 2.0 -> 1.5 is +25 %, and the other way about for another seed.
    gains = delta_m([[84, 1.5], [76, 2.5]], [[80, 2.0], [80, 2.0]], [True, False])
    assert gains == pytest.approx([15, -15])


def test_a_gain_is_positive_where_metrics_are_below_zero_too() -> None:
    # An objective -10 -> -12 is a fifth better where lower is better; a log-likelihood -10 -> -12 a fifth worse.
    assert delta_m([[-12.0]], [[-10.0]], [False]) == pytest.approx([20])
    assert delta_m([[-12.0]], [[-10.0]], [True]) == pytest.approx([-20])


def test_near_the_ceiling_the_error_tells_what_the_accuracy_hides() -> None:
    assert delta_m([[97]], [[96]], [True]) == pytest.approx([100 / 96])
    assert relative_error([[97]], [[96]]) == pytest.approx([-25])


def test_relative_errors_are_averaged_over_tasks_within_each_seed() -> None:
    # Errors 10 -> 5 and 20 -> 30; then 10 -> 10 and 20 -> 10.
    assert relative_error([[95, 70], [90, 90]], [90, 80]) == pytest.approx([0, -25])


def test_a_seed_without_its_single_task_run_has_no_value() -> None:
    gains = delta_m([[90, 80], [91, 81]], [[90.0, 80.0], [90.0, NAN]], [True, True])
    assert gains[0] == 0
    assert np.isnan(gains[1])
    assert np.isnan(relative_error([[91, 81]], [[90.0, NAN]])).all()


def test_nothing_is_relative_to_zero() -> None:
    assert np.isnan(delta_m([[1.0]], [[0.0]], [False])).all()
    assert np.isnan(relative_error([[99.0]], [[100.0]])).all()


@pytest.mark.parametrize("n", [3, 5, 10])
def test_the_interval_over_runs_covers_the_true_gain_in_95_percent_of_simulations(n: int) -> None:
    """Tasks of a run are correlated (.7), and so are the runs of a method and of the single networks of its seed."""
    rng = np.random.default_rng(n)

    def gains(runs: int) -> np.ndarray:
        seed = rng.normal(size=(runs, 1))
        single, method = (
            np.array([95.0, 90.0, 85.0]) + shift + np.sqrt(0.7) * (seed + run) / np.sqrt(2) + np.sqrt(0.3) * own
            for shift, run, own in (
                (0.0, rng.normal(size=(runs, 1)), rng.normal(size=(runs, 3))),
                (1.0, rng.normal(size=(runs, 1)), rng.normal(size=(runs, 3))),
            )
        )
        return delta_m(method, single, [True] * 3)

    truth = gains(500_000).mean()
    intervals = [t_interval(values) or (NAN, NAN) for values in gains(4000 * n).reshape(4000, n)]
    assert np.mean([low <= truth <= high for low, high in intervals]) == pytest.approx(0.95, abs=0.02)


def test_parts_of_a_gain_add_up_to_it_within_each_seed() -> None:
    rng = np.random.default_rng(0)
    values, single = rng.uniform(1, 2, (4, 6)), rng.uniform(1, 2, (4, 6))
    higher, tasks = [True, False] * 3, ["a", "a", "a", "b", "b", "c"]
    for groups in (None, tasks):
        parts = delta_parts(values, single, higher, groups)
        assert parts.sum(axis=1) == pytest.approx(delta_m(values, single, higher, groups))
    # One of the three metrics of one of three tasks, better by 18 %.
    assert delta_parts([[1.18, 1, 1, 1, 1, 1]], [1.0] * 6, higher, tasks)[0, 0] == pytest.approx(2)
