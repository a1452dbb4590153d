"""Claims judged by a plan of looks, in words and numbers."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from mtbench.contract import TrainingProtocol
from mtbench.plan.suite import Claim, Grid, Suite
from mtbench.report.data.suite.runs import SuiteRuns
from mtbench.report.exhibits.claims.judged import Judged, judge_claims
from mtbench.report.exhibits.claims.looks_page import looks_frame, looks_page
from mtbench.report.exhibits.claims.page import claims_frame, claims_page
from mtbench.report.exhibits.summary.data import build_table
from mtbench.report.exhibits.summary.numbers import table_frame
from mtbench.report.exhibits.summary.page import page_of
from mtbench.report.page.latex import render_latex
from mtbench.stats.contrast import paired
from mtbench.stats.sequential.rule import Rule
from mtbench.store.status import RunStatus
from mtbench.store.suites.declaration import content
from mtbench.store.suites.looks import LookPlan
from tests.report.records import finished
from tests.report.suite_runs import filled

LOOKS = (3, 5, 8, 12)
BASE = np.array([90.0, 90.9, 89.7, 90.4, 90.1, 90.6, 89.9, 90.2, 90.3, 90.8, 89.8, 90.5])
WOBBLE = np.array([0.05, -0.02, 0.01, -0.06, 0.03, 0.04, -0.05, 0.02, -0.01, 0.03, -0.04, 0.02])
VALUES = {"td": BASE + 1 + WOBBLE, "uniform": BASE, "film": BASE + WOBBLE}
BETTER = Claim(dataset="mmnist2", contrast=("td", "uniform"), margin=0.5)
OPEN = Claim(dataset="mmnist2", contrast=("film", "uniform"))
SUITE = Suite(
    name="looked",
    title="",
    settings={"seeds": 3},
    grid=(Grid(datasets=("mmnist2",), methods=("td", "uniform", "film")),),
    claim=(BETTER, OPEN),
)


def plan_of(suite: Suite, later: Sequence[str] = (), seen: int = 0) -> LookPlan:
    return LookPlan(
        suite=suite.name,
        size="paper",
        at="2026-11-30T08:00:00+00:00",
        looks=LOOKS,
        alpha=0.05,
        spending="obrien-fleming",
        correction="holm",
        claims=tuple(content(suite)["claim"]),
        seen=seen,
        later=tuple(later),
    )


def runs(*claims: Claim, seeds: int = 12, lacking: Sequence[tuple[str, int]] = (), seen: int = 0) -> SuiteRuns:
    """Return runs of which those after the first look are added."""
    suite = dataclasses.replace(SUITE, claim=claims or SUITE.claim)

    def run(method: str, dataset: str, protocol: TrainingProtocol, seed: int) -> RunStatus | None:
        if (method, seed) in lacking:
            return None
        value = VALUES[method][seed]
        made = finished(method, seed, {"LU": value, "RL": value}, dataset=dataset, protocol=protocol)
        return dataclasses.replace(made, added=seed >= LOOKS[0])

    found = filled(suite, run, seeds=seeds)
    return dataclasses.replace(found, looks=plan_of(suite, seen=seen))


def judged(found: SuiteRuns) -> list[Judged]:
    return judge_claims(found, Path("nowhere"))


def test_a_claim_has_the_verdict_of_the_look_that_decided_it_whatever_seeds_came_later() -> None:
    first, second = judged(runs())
    assert (first.verdict.word, first.holds, first.ours.n) == ("better by more than the margin", "yes", 5)
    assert first.ours == paired(VALUES["td"][:5], VALUES["uniform"][:5])
    assert (second.verdict.word, second.holds, second.ours.n) == ("undecided", "open", 12)
    assert first.course is not None
    assert first.course.last is not None
    assert first.course.last.wide == Rule(looks=LOOKS, claims=2).interval(1, first.ours)


def test_before_a_look_has_all_its_runs_the_claim_is_as_the_last_look_left_it() -> None:
    (found,) = judged(runs(OPEN, seeds=8, lacking=[("film", 6)]))
    assert (found.ours.n, found.planned, found.holds) == (5, 5, "open")
    assert found.verdict.sentence.endswith("; look 3 of 4 (n = 8) is not judged, since runs of it lack")
    (none,) = judged(runs(OPEN, seeds=2))
    assert (none.ours.n, none.planned) == (2, 3)
    assert none.verdict.sentence == "undecided: look 1 of 4 (n = 3) is not judged, since runs of it lack"


def test_the_page_has_the_estimate_the_look_and_the_repeated_interval() -> None:
    found = runs()
    page = looks_page(found, judged(found))
    rows = [dict(zip(page.layout.header, (cell.says for cell in line), strict=True)) for line in page.layout.lines]
    assert rows[0]["look"] == "2 of 4"
    assert rows[1]["look"] == "4 of 4"
    assert [row["n"] for row in rows] == ["5", "12"]
    assert rows[0]["claim"].endswith("△")
    assert {"estimate", "repeated 95 %", "bound"} <= rows[0].keys()
    assert not {"flips", "detect", "runs & images"} & rows[0].keys()
    assert any(note.startswith("△ n grew after a look, as the plan allows") for note in page.footnotes)
    assert any(
        "better by more than the margin, at look 2 of 4 (n = 5) estimate +1.0" in note for note in page.footnotes
    )
    assert "The looks, at 3, 5, 8, 12 seeds, were sealed on 2026-11-30, before the first run." in page.details
    assert r"$^\triangle$" in render_latex(page)


def test_numbers_for_a_fixed_number_of_seeds_are_not_given() -> None:
    found = runs()
    frame = looks_frame(claims_frame(found, judged(found)), judged(found))
    assert frame[["p", "t95_low", "welch_p", "sign_flip_p", "detectable"]].isna().all(axis=None)
    assert list(frame["look"]) == [2, 4]
    low, difference, high, estimate = (
        frame[["repeated95_low", "difference", "repeated95_high", "estimate"]].iloc[0].tolist()
    )
    assert low < difference < high
    assert estimate == pytest.approx(difference, rel=0.05)


def test_runs_that_had_been_seen_and_claims_that_were_changed_are_said() -> None:
    found = runs(seen=6)
    page = looks_page(found, judged(found))
    assert any("when 6 runs of the plan had records and may have been looked at" in text for text in page.details)
    other = dataclasses.replace(found, suite=dataclasses.replace(found.suite, claim=(OPEN,)))
    changed = "The claims are not those of the plan of looks, so that the looks were not planned for them."
    assert changed not in page.footnotes
    assert changed in looks_page(other, judged(other)).footnotes


def test_methods_with_added_seeds_are_marked_in_summary_tables_and_only_they() -> None:
    comparison = runs(lacking=[("td", seed) for seed in range(3, 12)]).sheets[0].comparison
    table = build_table(comparison)
    page = page_of(table)
    names = [line[0].says for line in page.layout.lines]
    assert set(names[:3]) == {"film△", "td", "uniform△"}
    assert any(note.startswith("△ n grew after a look: seeds were added") for note in page.footnotes)
    frame = table_frame(table)
    assert set(frame[frame["n_grew_after_a_look"].eq(True)]["method"]) == {"film", "uniform"}


def test_without_added_seeds_nothing_is_marked_and_no_column_is_added() -> None:
    comparison = runs(seeds=3).sheets[0].comparison
    assert "△" not in str(page_of(build_table(comparison)))
    assert "n_grew_after_a_look" not in table_frame(build_table(comparison)).columns


def test_claims_of_a_fixed_number_are_marked_where_seeds_are_beyond_the_declared_number() -> None:
    found = dataclasses.replace(runs(), looks=None)
    page = claims_page(found, judged(found))
    assert all(line[0].says.endswith("△") for line in page.layout.lines)
    assert any(note.startswith("△ n grew after a look: seeds were added") for note in page.footnotes)
    assert "repeated 95 %" not in page.layout.header
