import math

import numpy as np
import pytest

from mtbench import registry
from mtbench.contract import Metric
from mtbench.plan.spec import Choice
from mtbench.report.data.comparison import Comparison, compare
from mtbench.report.data.gains.relative import deltas, error_changes, single_task_runs
from mtbench.report.exhibits.summary.data import build_table
from mtbench.report.exhibits.summary.page import page_of
from mtbench.store.record import TaskInfo
from mtbench.store.status import RunStatus
from tests.report.records import finished, on, unfinished

WIDE = Choice(name="lenet", options={"width": "2"})
ACCURACY = TaskInfo(name="shape", metrics=(Metric(name="accuracy", unit="%", higher_is_better=True),))
ERROR = TaskInfo(name="depth", metrics=(Metric(name="error", unit="m", higher_is_better=False),))


def comparison(*runs: RunStatus) -> Comparison:
    (found,) = compare(runs)
    return found


def by_method(found: Comparison, values: list[np.ndarray]) -> dict[str, list[float]]:
    return {method.title: list(each) for method, each in zip(found.methods, values, strict=True)}


def test_the_gain_is_the_mean_over_tasks_of_what_each_gains_on_its_own_network() -> None:
    found = comparison(finished("single", 0, (80, 50)), finished("td", 0, (88, 45)), finished("moo", 0, (84, 60)))
    # td: 8 of 80 and -5 of 50, +10 % and -10 %; moo: 4 of 80 and 10 of 50, +5 % and +20 %.
    gains = by_method(found, deltas(found))
    assert gains == {"moo": [pytest.approx(12.5)], "single": [0], "td": [pytest.approx(0)]}


def test_the_error_rate_changes_by_what_is_left_to_gain() -> None:
    found = comparison(finished("single", 0, (80, 50)), finished("td", 0, (88, 45)))
    # Errors of 20 and 50 became 12 and 55: -40 % and +10 %.
    assert by_method(found, error_changes(found)) == {"single": [0], "td": [pytest.approx(-15)]}


def test_where_lower_is_better_less_is_a_gain_and_no_error_rate_is_known() -> None:
    found = comparison(
        finished("single", 0, {"shape": 80, "depth": 0.5}, tasks=(ACCURACY, ERROR)),
        finished("td", 0, {"shape": 80, "depth": 0.4}, tasks=(ACCURACY, ERROR)),
    )
    assert by_method(found, deltas(found))["td"] == [pytest.approx(10)]  # 0 % and +20 %
    assert np.isnan(error_changes(found)).all()


def test_where_a_metric_falls_below_zero_there_is_no_gain_and_the_details_say_so() -> None:
    objective = (TaskInfo(name="depth", metrics=(Metric(name="log-likelihood", unit="", higher_is_better=False),)),)
    found = comparison(
        *(finished("single", seed, {"depth": 0.01 - seed}, tasks=objective) for seed in (0, 1)),
        *(finished("td", seed, {"depth": 3.0 - seed}, tasks=objective) for seed in (0, 1)),
    )
    assert all(np.isnan(gains).all() for gains in deltas(found))
    page = page_of(build_table(found))
    (said,) = (sentence for sentence in (*page.caption, *page.details) if "Δm" in sentence)
    assert said == "No Δm: a metric is below 0 here, so that a gain relative to single has no meaning."


def test_gains_are_within_seeds_and_unknown_where_one_of_the_two_runs_is_missing() -> None:
    found = comparison(
        *(finished("single", seed, (50 + 50 * seed, 100)) for seed in (0, 1)),
        unfinished("failed", "single", 2),
        *(finished("td", seed, (100, 100)) for seed in (0, 2, 3)),
    )
    gains = by_method(found, deltas(found))["td"]
    assert gains[0] == pytest.approx(50)
    assert [math.isnan(gain) for gain in gains] == [False, True, True, True]


def test_a_task_without_a_number_leaves_its_seed_without_a_gain() -> None:
    found = comparison(
        *(finished("single", seed, (80, 80)) for seed in (0, 1)),
        finished("td", 0, (88, math.nan)),
        finished("td", 1, {"LU": 88.0}),
    )
    assert np.isnan(by_method(found, deltas(found))["td"]).all()


def test_single_task_networks_are_taken_from_the_backbone_of_most_methods_and_held_against_those_on_it() -> None:
    found = comparison(
        finished("single", 0, (80, 80)),
        on(WIDE, finished("single", 0, (40, 40))),
        finished("td", 0, (88, 88)),
        on(WIDE, finished("td", 0, (88, 88))),
        finished("moo", 0, (84, 84)),
    )
    taken = single_task_runs(found)
    assert taken is not None
    assert taken.title == "single"
    gains = by_method(found, deltas(found))
    assert [*gains["td"], *gains["moo"]] == pytest.approx([10, 5])
    assert np.isnan(gains["td@lenet:width=2"] + gains["single@lenet:width=2"]).all()


def test_single_task_networks_on_another_backbone_alone_are_not_taken() -> None:
    found = comparison(on(WIDE, finished("single")), finished("td"), finished("moo"))
    assert single_task_runs(found) is None
    assert np.isnan(deltas(found)).all()


def test_single_task_networks_with_a_balancer_or_without_a_finished_run_are_not_taken() -> None:
    assert single_task_runs(comparison(finished("single+dwa"), finished("td"))) is None
    assert single_task_runs(comparison(unfinished("running", "single"), finished("td"))) is None


def test_of_several_single_task_baselines_the_first_one_that_was_run_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        registry, "with_role", lambda kind, _: {"method": ["single", "td"], "balancer": ["uniform"]}[kind]
    )
    both, other = comparison(finished("td"), finished("single")), comparison(finished("moo"), finished("td"))
    assert [run.title for found in (both, other) if (run := single_task_runs(found))] == ["single", "td"]


def test_without_any_finished_run_there_are_no_values() -> None:
    found = comparison(unfinished("missing", "single"), unfinished("missing"))
    assert [len(values) for values in (*deltas(found), *error_changes(found))] == [0] * 4


def test_the_table_has_gains_with_their_spread_and_says_what_they_are() -> None:
    runs = [
        *(finished("single", seed, (80, 50)) for seed in range(2)),
        *(finished("td", seed, scores) for seed, scores in enumerate([(88, 45), (84, 60)])),
    ]
    table = build_table(comparison(*runs))
    # Gains of 0 and 12.5 %: mean 6.25, standard deviation 12.5 / sqrt 2; error rates of -15 % and -20 %.
    layout = page_of(table).layout
    assert layout.header[4:7] == ("Δm ↑", "Δerr", "n")
    assert [cell.says for cell in layout.lines[1][4:6]] == ["+6.25 ± 8.84", "-17.50 ± 3.54"]
    assert (
        "Δm: the mean over tasks of the relative gain over single with the same seed and backbone. "
        "Δerr: the same for the error rate (lower is better)."
    ) in table.details
    assert "Δm: mean relative gain over single (%)." in table.caption


def test_the_table_says_what_a_gain_would_take() -> None:
    table = build_table(comparison(finished("td")))
    assert page_of(table).layout.lines[0][4].says == "\N{EN DASH}"
    assert "Δm, the gain over single-task networks, needs runs of them: add single to the methods." in table.details
