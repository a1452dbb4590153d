"""Claims about tuned runs: judged on what searches chose, over tuned single-task networks, with equal budgets alone."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from scipy import stats

from mtbench.plan.suite import AcrossClaim, Claim, Grid, Search, Suite
from mtbench.report.data.studies import StudyRuns
from mtbench.report.data.suite.runs import SuiteRuns, suite_runs
from mtbench.report.exhibits.claims.judged import Judged, judge_claims
from mtbench.report.exhibits.claims.page import claims_frame, claims_page
from mtbench.store.status import RunStatus
from tests.report.searches import Tried, rated

METHODS = ("td", "moo", "single")
DEFAULT = {"td": (60.0, 61.0, 62.5), "moo": (70.0, 71.2, 72.0), "single": (65.0, 66.0, 67.0)}
TUNED = {"td": (80.0, 81.0, 82.5), "moo": (75.0, 76.2, 77.0), "single": (78.0, 78.5, 80.0)}
SUITE = Suite(
    name="tuned",
    title="Tuned",
    judges="tuned",
    grid=(Grid(datasets=("mmnist2",), methods=METHODS),),
    search=(Search(datasets=("mmnist2",), methods=METHODS, trials=2, sampler="grid"),),
)
CLAIM = Claim(dataset="mmnist2", contrast=("td", "moo"), direction="better")


def searched(name: str, trials: int = 2) -> tuple[StudyRuns, list[RunStatus]]:
    """Return the search of a method whose second setting is better than its default, and what was retrained."""
    default, tuned = ([(value + 5, value - 5) for value in values[name]] for values in (DEFAULT, TUNED))
    tried = [
        Tried(asked="0.001", worth=(60, 60), tested=default),
        Tried(asked="0.003", worth=(70, 70), front=True, tested=tuned),
        Tried(asked="0.01", worth=(1, 1)),
    ]
    return rated(name, tried[:trials])


def runs(
    *claims: Claim | AcrossClaim,
    methods: Sequence[str] = METHODS,
    judges: Literal["default", "tuned"] = "tuned",
    trials: int = 2,
) -> SuiteRuns:
    """Return the runs of the suite where these methods were searched, td with its own number of trials."""
    found = [searched(name, trials if name == "td" else 2) for name in METHODS]
    there = [each for name, (each, _) in zip(METHODS, found, strict=True) if name in methods]
    everything = [run for _, each in found for run in each]
    (whole,) = suite_runs(replace(SUITE, claim=claims, judges=judges), everything, there)
    return whole


def judged(found: SuiteRuns) -> list[Judged]:
    return judge_claims(found, Path("nowhere"))


def test_a_suite_says_whether_claims_are_about_default_or_tuned_runs() -> None:
    ((default,), (tuned,)) = (judged(runs(CLAIM, judges=judges)) for judges in ("default", "tuned"))
    for found, values, word in ((default, DEFAULT, "worse"), (tuned, TUNED, "better")):
        expected = stats.ttest_rel(values["td"], values["moo"])
        assert found.ours.difference == pytest.approx(np.mean(values["td"]) - np.mean(values["moo"]))
        assert found.ours.p == pytest.approx(expected.pvalue)
        assert found.verdict.word == word
    assert "judges" not in claims_frame(runs(CLAIM, judges="default"), [default])
    assert list(claims_frame(runs(CLAIM), [tuned])["judges"]) == ["tuned"]


def test_a_claim_on_tuned_gains_is_over_tuned_single_task_networks() -> None:
    (found,) = judged(runs(replace(CLAIM, metric="delta_m")))
    single = np.array([(value + 5, value - 5) for value in TUNED["single"]])
    gains = {
        name: 100 * ([(value + 5, value - 5) for value in TUNED[name]] / single - 1).mean(axis=1)
        for name in ("td", "moo")
    }
    assert found.ours.difference == pytest.approx((gains["td"] - gains["moo"]).mean())
    assert found.refused == ""


@pytest.mark.parametrize(
    ("metric", "methods", "said"),
    [
        ("mean", ("moo", "single"), "no tuned runs of td on mmnist2 are there"),
        ("delta_m", ("td", "moo"), "no tuned runs of single-task networks on mmnist2 are there"),
        ("mean", (), "no tuned runs of td and moo on mmnist2 are there"),
        ("delta_m", (), "no tuned runs of td and moo on mmnist2 are there"),
    ],
)
def test_default_runs_never_stand_in_for_tuned_ones(metric: str, methods: tuple[str, ...], said: str) -> None:
    found = runs(replace(CLAIM, metric=metric), methods=methods)
    (each,) = judged(found)
    assert (each.ours.n, each.verdict.word, each.holds) == (0, "undecided", "open")
    page = claims_page(found, [each])
    assert page.footnotes[0].endswith(f": not compared, as {said}.")


def test_unequal_budgets_are_not_compared_and_named() -> None:
    found = runs(CLAIM, replace(CLAIM, contrast=("moo", "single")), trials=3)
    first, second = judged(found)
    assert np.isnan(first.ours.difference)
    assert first.refused == (
        "the budgets of the searches are unequal (td: 3 trials of 100 epochs with 1 tuning seed; moo: 2 trials of 100 "
        "epochs with 1 tuning seed)"
    )
    assert (second.refused, second.ours.n) == ("", 3)


def test_the_settings_and_budgets_behind_tuned_claims_are_printed() -> None:
    found = runs(CLAIM)
    page = claims_page(found, judged(found))
    assert "Runs are those with tuned settings." in page.caption
    assert any(
        "td on mmnist2 lr=0.003 (2 trials of 100 epochs with 1 tuning seed)" in sentence for sentence in page.details
    )
