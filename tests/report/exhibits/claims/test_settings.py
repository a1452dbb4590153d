"""Claims about a method under two settings of training."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from mtbench.contract import TrainingProtocol
from mtbench.plan.suite import Claim, Grid, PaperTable, Search, SettingsClaim, Suite
from mtbench.report.data.studies import StudyRuns
from mtbench.report.data.suite.runs import SuiteRuns, suite_runs
from mtbench.report.exhibits.claims.judged import Judged, judge_claims
from mtbench.report.exhibits.claims.page import claims_frame, claims_page
from mtbench.store.status import RunStatus
from mtbench.store.suites.looks import LookPlan
from tests.report.records import PAPER, finished
from tests.report.searches import Tried, rated
from tests.report.suite_runs import filled

MINUS = "\N{MINUS SIGN}"
NONE, HIGH = {"beta1": 0.0}, {"beta1": 0.9}
LU = {
    ("uniform", 0.0): [80.0, 81.0, 79.5, 80.5],
    ("uniform", 0.9): [82.0, 82.8, 81.4, 82.6],
    ("moo", 0.0): [83.0, 83.9, 82.7, 83.4],
    ("moo", 0.9): [82.5, 83.1, 81.9, 83.2],
    ("single", 0.0): [80.0, 80.0, 80.0, 80.0],
    ("single", 0.9): [50.0, 50.0, 50.0, 50.0],
}
SUITE = Suite(
    name="momentum",
    title="",
    settings={"seeds": 4},
    grid=(Grid(datasets=("mmnist2",), methods=("uniform", "moo", "single"), vary={"beta1": (0.0, 0.9)}),),
    labels={"uniform": "Uniform"},
)


def claim(**more: Any) -> SettingsClaim:
    given = {
        "dataset": "mmnist2",
        "method": "uniform",
        "settings": (NONE, HIGH),
        "direction": "worse",
        "test": "paired",
    }
    return SettingsClaim(**{**given, **more})


def runs(*claims: SettingsClaim | Claim, suite: Suite = SUITE, **changed: Any) -> SuiteRuns:
    """Four runs of each method under each setting; RL is 10 below LU."""

    def run(method: str, dataset: str, protocol: TrainingProtocol, seed: int) -> RunStatus:
        value = LU[method, protocol.beta1][seed]
        return finished(method, seed, (value, value - 10), dataset=dataset, protocol=protocol)

    return dataclasses.replace(filled(dataclasses.replace(suite, claim=claims), run, seeds=4), **changed)


def judged(*claims: SettingsClaim | Claim, **more: Any) -> list[Judged]:
    return judge_claims(runs(*claims, **more), Path("nowhere"))


def test_runs_of_one_seed_under_two_settings_are_paired() -> None:
    (found,) = judged(claim())
    expected = stats.ttest_rel(LU["uniform", 0.0], LU["uniform", 0.9])
    assert (found.ours.matched, found.unpaired, found.ours.n) == (True, "", 4)
    assert found.ours.difference == pytest.approx(-1.95)  # -2, -1.8, -1.9, -2.1, of both tasks
    assert found.ours.p == pytest.approx(expected.pvalue)
    assert (found.verdict.word, found.holds) == ("worse", "yes")
    assert found.name == f"mmnist2, Uniform: beta1=0 {MINUS} beta1=0.9"


def test_of_two_methods_the_difference_of_their_gains_is_tested() -> None:
    (found,) = judged(claim(method="moo", against="uniform", direction="better", margin=0.5))
    gains = [np.subtract(LU["moo", beta1], LU["uniform", beta1]) for beta1 in (0.0, 0.9)]
    assert gains[0].tolist() == pytest.approx([3.0, 2.9, 3.2, 2.9])
    assert gains[1].tolist() == pytest.approx([0.5, 0.3, 0.5, 0.6])
    assert found.ours.difference == pytest.approx(2.525)
    assert found.ours.p == pytest.approx(stats.ttest_rel(gains[0], gains[1]).pvalue)
    assert (found.verdict.word, found.holds) == ("better by more than the margin", "yes")
    assert found.name == f"mmnist2, (moo {MINUS} Uniform): beta1=0 {MINUS} beta1=0.9"


def test_welchs_test_is_taken_where_the_claim_asks_for_it() -> None:
    (found,) = judged(claim(test="welch"))
    assert not found.ours.matched
    expected = stats.ttest_ind(LU["uniform", 0.0], LU["uniform", 0.9], equal_var=False)
    assert found.ours.p == pytest.approx(expected.pvalue)


def test_a_claim_on_one_task_is_about_that_task_alone() -> None:
    (found,) = judged(claim(metric="RL", settings=(HIGH, NONE)))
    assert found.ours.difference == pytest.approx(1.95)
    assert found.name == f"mmnist2, RL, Uniform: beta1=0.9 {MINUS} beta1=0"


def test_relative_gains_are_over_the_single_task_networks_of_the_same_settings() -> None:
    (found,) = judged(claim(metric="delta_m", direction="worse"))
    gains = [
        [100 * ((value - base) / base + (value - base) / (base - 10)) / 2 for value in LU["uniform", beta1]]
        for beta1, base in ((0.0, 80.0), (0.9, 50.0))
    ]
    assert found.ours.difference == pytest.approx(np.mean(gains[0]) - np.mean(gains[1]))
    assert found.unit == "%"
    assert ", Δm, Uniform" in found.name


def test_an_empty_table_means_the_part_of_the_grid_without_settings() -> None:
    plain = Grid(datasets=("mmnist2",), methods=("uniform",))
    other = Grid(datasets=("mmnist2",), methods=("uniform",), set=NONE)
    suite = dataclasses.replace(SUITE, grid=(other, plain))
    (found,) = judged(claim(settings=(NONE, {})), suite=suite)
    assert found.ours.difference == pytest.approx(-1.95)  # beta1 is 0.9 by default
    assert found.name == f"mmnist2, Uniform: beta1=0 {MINUS} default settings"


def test_settings_that_leave_other_examples_are_not_paired_and_the_page_says_so() -> None:
    whole = runs(claim())
    first, second = whole.sheets
    fewer = tuple(
        dataclasses.replace(method, runs=tuple(map(_on_fewer, method.runs))) for method in first.comparison.methods
    )
    first = dataclasses.replace(first, comparison=dataclasses.replace(first.comparison, methods=fewer))
    whole = dataclasses.replace(whole, sheets=(first, second))
    (found,) = judge_claims(whole, Path("nowhere"))
    assert not found.ours.matched
    said = f"{found.name}: runs are not paired, as the settings have 50,000 and 60,000 training examples."
    assert said in claims_page(whole, [found]).footnotes


def _on_fewer(run: RunStatus) -> RunStatus:
    assert run.record is not None
    return dataclasses.replace(run, record=dataclasses.replace(run.record, training_examples=50_000))


def test_a_method_that_still_gains_is_named_with_its_settings() -> None:
    def run(method: str, dataset: str, protocol: TrainingProtocol, seed: int) -> RunStatus:
        value = LU[method, protocol.beta1][seed]
        short = dataclasses.replace(protocol, epochs=3 if protocol.beta1 else 100)
        return finished(method, seed, (value, value - 10), dataset=dataset, protocol=short)

    whole = filled(dataclasses.replace(SUITE, claim=(claim(),)), run, seeds=4)
    (found,) = judge_claims(whole, Path("nowhere"))
    assert found.verdict.word == "not converged"
    assert list(found.gaining) == ["Uniform with beta1=0.9"]


def test_published_numbers_of_both_settings_are_compared_likewise() -> None:
    tables = tuple(
        PaperTable(dataset="mmnist2", columns=("mean",), n=3, rows={"uniform": ((value, 0.2),)}, set=settings)
        for value, settings in ((94.0, NONE), (95.0, HIGH))
    )
    (found,) = judged(claim(), suite=dataclasses.replace(SUITE, paper=tables))
    assert found.paper is not None
    expected = stats.ttest_ind_from_stats(94.0, 0.2, 3, 95.0, 0.2, 3, equal_var=False)
    assert (found.paper.difference, found.paper.p) == pytest.approx((-1.0, expected.pvalue))


def test_the_page_and_the_frame_say_what_such_a_claim_is_and_only_where_there_is_one() -> None:
    within = Claim(dataset="mmnist2", contrast=("moo", "uniform"), set=HIGH)
    whole, alone = runs(claim(), within), runs(within)
    said = "A claim across settings compares the metric, first minus second settings of training"
    pages = ["\n".join(claims_page(each, judge_claims(each, Path("nowhere"))).details) for each in (whole, alone)]
    assert [said in page for page in pages] == [True, False]
    frames = [claims_frame(each, judge_claims(each, Path("nowhere"))) for each in (whole, alone)]
    assert ["other_variation" in frame for frame in frames] == [True, False]
    row = frames[0].to_dict("records")[0]
    assert [row[name] for name in ("dataset", "variation", "other_variation", "metric", "first", "test")] == [
        *("mmnist2", "beta1=0", "beta1=0.9", "mean", "uniform", "paired")
    ]


def test_a_plan_of_looks_judges_such_a_claim_at_each_look() -> None:
    plan = LookPlan(
        suite="momentum",
        size="paper",
        at="2026-01-01T00:00:00+00:00",
        looks=(2, 4),
        alpha=0.05,
        spending="obrien-fleming",
        correction="holm",
        claims=(),
        seen=0,
        later=(),
    )
    (found,) = judged(claim(), looks=plan)
    assert found.course is not None
    assert found.course.last is not None
    assert found.course.last.look == 1
    assert found.ours.n == 4
    assert found.verdict.sentence.startswith("worse: at look 2 of 2 (n = 4)")


def test_tuned_runs_are_compared_under_both_settings_where_each_has_a_search_with_the_same_budget() -> None:
    suite = Suite(
        name="tuned",
        title="",
        judges="tuned",
        grid=(Grid(datasets=("mmnist2",), methods=("td",), vary={"beta1": (0.0, 0.9)}),),
        search=tuple(
            Search(datasets=("mmnist2",), methods=("td",), trials=2, sampler="grid", set=settings)
            for settings in (NONE, HIGH)
        ),
        claim=(claim(method="td"),),
    )

    def tuned(beta1: float, worth: float, trials: int = 2) -> tuple[StudyRuns, list[RunStatus]]:
        default, better = ([(value + seed, value + seed) for seed in range(3)] for value in (60.0, worth))
        tried = [
            Tried(asked="0.001", worth=(60, 60), tested=default),
            Tried(asked="0.003", worth=(70, 70), front=True, tested=better),
            Tried(asked="0.01", worth=(1, 1)),
        ]
        return rated("td", tried[:trials], protocol=dataclasses.replace(PAPER, beta1=beta1))

    for trials, refused in ((2, ""), (3, "the budgets of the searches are unequal (td with beta1=0: 2 trials of ")):
        found = [tuned(0.0, 71.0), tuned(0.9, 75.0, trials)]
        (whole,) = suite_runs(suite, [run for _, each in found for run in each], [each for each, _ in found])
        (each,) = judge_claims(whole, Path("nowhere"))
        assert each.refused.startswith(refused)
        assert bool(each.refused) is bool(refused)
        if not refused:
            assert each.ours.difference == pytest.approx(-4.0)
            assert each.ours.n == 3
            said = "\n".join(claims_page(whole, [each]).details)
            assert "td on mmnist2 with beta1=0 lr=0.003 (2 trials" in said
            assert "td on mmnist2 with beta1=0.9 lr=0.003 (2 trials" in said
