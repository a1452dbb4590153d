import dataclasses
import math
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from mtbench.contract import Metric
from mtbench.plan.suite import Claim, Grid, PaperTable, Suite
from mtbench.plan.suite.planned import plan_suite
from mtbench.report.data.comparison import compare
from mtbench.report.data.suite.runs import SuiteRuns, suite_runs
from mtbench.report.exhibits.claims.judged import Judged, judge_claims
from mtbench.report.exhibits.claims.page import claims_frame, claims_page
from mtbench.report.page.markdown import render_markdown
from mtbench.store.record import TaskInfo
from mtbench.store.status import RunStatus
from tests.report.records import answering, finished

DASH = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
SEEDS = np.array([90.0, 90.9, 89.7, 90.4, 90.1])
WOBBLE = np.array([0.05, -0.02, 0.01, -0.06, 0.03])
SCORES: Mapping[str, NDArray[np.float64]] = {
    "single": SEEDS,
    "uniform": SEEDS + 2 + WOBBLE,  # better than single by 2
    "chmod": SEEDS + 0.1 + 1.8 * WOBBLE,  # by 0.1, which is barely more than chance
    "film": SEEDS + 12 * WOBBLE[::-1],  # by nothing that could be told
    "moo": SEEDS[:3] - 1 - WOBBLE[:3],  # worse by 1, and two seeds are missing
}
PAPER = PaperTable(
    dataset="mmnist2",
    columns=("LU", "RL"),
    n=5,
    rows={"uniform": ((95.0, 0.5), (93.0, 0.3)), "single": ((94.0, 0.2), (92.5, 0.1)), "chmod": (90.0, 80.0)},
)
SUITE = Suite(
    name="claimed",
    title="",
    settings={"seeds": 5},
    grid=(
        Grid(datasets=("mmnist2",), methods=tuple(SCORES)),
        Grid(datasets=("mmnist2",), methods=("single", "uniform"), set={"lr": 1e-2}),
    ),
    paper=(PAPER,),
    labels={"single": "Single task"},
)


@cache
def runs() -> SuiteRuns:
    """Return all methods at the suite's own learning rate; at the other uniform is worse than single by 3."""
    found = []
    for spec in plan_suite(SUITE):
        values = SEEDS - 3 - WOBBLE if spec.protocol.lr == 1e-2 else SCORES[spec.titles.method]
        if spec.protocol.lr == 1e-2 and spec.titles.method == "single":
            values = SEEDS
        if spec.seed < len(values):
            found.append(answering(spec, (values[spec.seed] + spec.seed, values[spec.seed] - spec.seed)))
    (whole,) = suite_runs(SUITE, found)
    return whole


def claiming(*claims: Claim) -> SuiteRuns:
    return dataclasses.replace(runs(), suite=dataclasses.replace(SUITE, claim=claims))


def judged(*claims: Claim) -> list[Judged]:
    return judge_claims(claiming(*claims), Path("nowhere"))


def claim(first: str, second: str, **more: Any) -> Claim:
    return Claim(**{"dataset": "mmnist2", "contrast": (first, second), **more})


def line(*claims: Claim) -> dict[str, str]:
    """Return the first claim's cells by head."""
    layout = claims_page(claiming(*claims), judged(*claims)).layout
    return dict(zip(layout.header, (cell.says for cell in layout.lines[0]), strict=True))


@pytest.mark.parametrize(
    ("first", "second", "margin", "word"),
    [
        ("uniform", "single", 0.0, "better"),
        ("uniform", "single", 1.98, "better"),
        ("uniform", "single", 0.5, "better by more than the margin"),
        ("single", "uniform", 0.0, "worse"),
        ("single", "uniform", 0.5, "worse by more than the margin"),
        ("chmod", "single", 0.5, "equivalent"),
        ("film", "single", 0.0, "undecided"),
        ("film", "single", 0.1, "undecided"),
    ],
)
def test_a_claim_gets_the_word_that_its_runs_earn(first: str, second: str, margin: float, word: str) -> None:
    (found,) = judged(claim(first, second, margin=margin))
    assert found.verdict.word == word
    assert found.verdict.sentence.startswith(f"{word}: difference ")


@pytest.mark.parametrize(
    ("first", "second", "margin", "direction", "holds"),
    [
        ("uniform", "single", 0.5, "better", "yes"),
        ("uniform", "single", 0.0, "better", "yes"),
        ("uniform", "single", 0.5, "worse", "no"),
        ("uniform", "single", 0.5, "equivalent", "no"),
        ("single", "uniform", 0.5, "worse", "yes"),
        ("single", "uniform", 0.5, "better", "no"),
        ("single", "uniform", 0.5, "equivalent", "no"),
        ("chmod", "single", 0.5, "equivalent", "yes"),
        ("chmod", "single", 0.5, "better", "no"),
        ("film", "single", 0.1, "better", "open"),
        ("film", "single", 0.1, "equivalent", "open"),
        ("uniform", "moo", 0.5, "better", "yes"),
    ],
)
def test_a_claim_holds_if_the_verdict_is_what_was_claimed(
    first: str, second: str, margin: float, direction: str, holds: str
) -> None:
    assert judged(claim(first, second, margin=margin, direction=direction))[0].holds == holds


def test_a_small_difference_leaves_equivalence_open() -> None:
    # 2 is within 2.02 by the mean, but not by the 90 % interval; and it is surely not 0.
    (found,) = judged(claim("uniform", "single", margin=2.02, direction="equivalent"))
    assert (found.verdict.word, found.holds) == ("better", "open")


def test_ours_is_the_paired_test_over_common_seeds() -> None:
    (found,) = judged(claim("uniform", "moo"))
    expected = stats.ttest_rel(SCORES["uniform"][:3], SCORES["moo"])
    assert found.ours.p == pytest.approx(expected.pvalue)
    interval = expected.confidence_interval(0.95)
    assert found.ours.interval() == pytest.approx((interval.low, interval.high))
    assert (found.ours.n, found.planned) == (3, 5)


def test_a_claim_may_be_about_a_task() -> None:
    (left, right) = judged(claim("uniform", "single", metric="LU"), claim("uniform", "single", metric="RL"))
    assert left.ours.difference == pytest.approx(2 + WOBBLE.mean())
    assert left.ours.difference == pytest.approx(right.ours.difference)
    assert left.unit == "%"
    assert (left.name, right.name) == tuple(f"mmnist2, {task}: uniform {MINUS} Single task" for task in ("LU", "RL"))


def test_a_claim_may_be_about_the_mean_of_a_group_of_tasks() -> None:
    both, left, right = (
        judged(claim("uniform", "single", **more))[0]
        for more in ({"tasks": ("LU", "RL")}, {"metric": "LU"}, {"metric": "RL"})
    )
    assert both.ours.difference == pytest.approx((left.ours.difference + right.ours.difference) / 2)
    assert both.ours.p == pytest.approx(judged(claim("uniform", "single"))[0].ours.p)  # that of the mean over all two
    assert both.paper is not None
    assert both.paper.difference == pytest.approx((1.0 + 0.5) / 2)
    assert both.paper.interval() is None
    assert both.name.startswith("mmnist2, mean of LU, RL: ")


def test_a_claim_may_be_about_gains_over_single_task_networks() -> None:
    (found,) = judged(claim("uniform", "chmod", metric="delta_m"))
    seeds, single = np.arange(5), SCORES["single"]
    left, right = (
        50 * ((SCORES[name] - single) / (single + seeds) + (SCORES[name] - single) / (single - seeds))
        for name in ("uniform", "chmod")
    )
    expected = stats.ttest_rel(left, right)
    assert (found.ours.p, found.ours.difference) == pytest.approx((expected.pvalue, (left - right).mean()))
    assert (found.unit, found.name) == ("%", f"mmnist2, Δm: uniform {MINUS} chmod")


def test_a_claim_may_ask_for_welchs_test() -> None:
    (found,) = judged(claim("uniform", "moo", test="welch"))
    expected = stats.ttest_ind(SCORES["uniform"], SCORES["moo"], equal_var=False)
    assert found.ours.p == pytest.approx(expected.pvalue)
    assert (found.ours.runs, found.ours.n) == ((5, 3), 3)
    assert found.ours.correlation is None


def test_a_claim_may_be_about_a_variation() -> None:
    plain, other = judged(claim("uniform", "single"), claim("uniform", "single", set={"lr": 1e-2}))
    assert plain.ours.difference == pytest.approx(2 + WOBBLE.mean())
    assert other.ours.difference == pytest.approx(-3 - WOBBLE.mean())
    assert other.name == f"mmnist2, lr=0.01: uniform {MINUS} Single task"


def ps(*claims: Claim) -> list[float]:
    return [each.adjusted.difference for each in judged(*claims)]


def test_the_claims_of_a_family_are_corrected_together() -> None:
    small = float(stats.ttest_rel(SCORES["uniform"], SCORES["single"]).pvalue)
    large = float(stats.ttest_rel(SCORES["film"], SCORES["single"]).pvalue)
    assert small < large < 1
    clear, unclear = claim("uniform", "single"), claim("film", "single")
    assert ps(unclear, clear) == pytest.approx([large, 2 * small])
    assert ps(unclear, claim("uniform", "single", family="other")) == pytest.approx([large, small])


def test_correction_takes_away_what_would_hold_alone() -> None:
    doubtful = claim("chmod", "single")
    (alone,) = ps(doubtful)
    assert alone < 0.05 < 2 * alone
    assert judged(doubtful)[0].verdict.word == "better"
    assert judged(doubtful, claim("film", "single"))[0].verdict.word == "undecided"


def test_a_claim_without_runs_has_no_p_and_no_part_in_the_correction() -> None:
    clear, absent = claim("uniform", "single"), claim("film", "single", dataset="mmnist3")
    (alone,) = ps(clear)
    assert ps(clear, absent)[0] == alone
    found = judged(clear, absent)[1]
    assert (found.verdict.word, found.holds, found.ours.n, found.planned) == ("undecided", "open", 0, 5)
    assert math.isnan(found.adjusted.difference)
    assert found.resampled is None


def test_the_papers_contrast_is_welchs_from_its_printed_numbers() -> None:
    (found,) = judged(claim("uniform", "single", metric="LU"))
    expected = stats.ttest_ind_from_stats(95.0, 0.5, 5, 94.0, 0.2, 5, equal_var=False)
    assert found.paper is not None
    assert (found.paper.difference, found.paper.p) == pytest.approx((1.0, expected.pvalue))


def test_the_papers_mean_over_tasks_has_the_spread_of_tasks_that_move_as_one() -> None:
    (found,) = judged(claim("uniform", "single"))
    expected = stats.ttest_ind_from_stats(94.0, 0.4, 5, 93.25, 0.15, 5, equal_var=False)
    assert found.paper is not None
    assert (found.paper.difference, found.paper.p) == pytest.approx((0.75, expected.pvalue))


def test_without_a_published_spread_there_is_a_difference_and_no_interval() -> None:
    (found,) = judged(claim("uniform", "chmod"))
    assert found.paper is not None
    assert (found.paper.difference, found.paper.interval()) == (9.0, None)
    assert line(claim("uniform", "chmod"))["paper 95 %"] == DASH
    assert judged(claim("uniform", "film"))[0].paper is None
    assert judged(claim("uniform", "single", set={"lr": 1e-2}))[0].paper is None


def test_what_was_published_is_shown_before_anything_is_run() -> None:
    suite = dataclasses.replace(
        SUITE, grid=(*SUITE.grid, Grid(datasets=("mmnist3",), methods=("uniform", "single"))),
        paper=(dataclasses.replace(PAPER, dataset="mmnist3"),),
        claim=(claim("uniform", "single", dataset="mmnist3", n=7),),
    )  # fmt: skip
    whole = dataclasses.replace(runs(), suite=suite)
    page = claims_page(whole, judge_claims(whole, Path("nowhere")))
    assert [cell.says for cell in page.layout.lines[0]] == [
        *(f"mmnist3: uniform {MINUS} Single task", "better", "undecided", "open", DASH, "+0.75", "0/7"),
        *(DASH, DASH, "+0.26 to +1.24", *[DASH] * 5),
    ]
    assert page.footnotes == ()


def test_a_claim_is_a_line_with_what_it_rests_on() -> None:
    found = line(claim("uniform", "single", margin=0.5))
    low, high = stats.ttest_rel(SCORES["uniform"], SCORES["single"]).confidence_interval(0.95)
    assert found == {
        "claim": f"mmnist2: uniform {MINUS} Single task",
        "claimed": "better",
        "paper": "+0.75",
        "ours": "+2.00",
        "n": "5",
        "verdict": "better by > 0.5",
        "holds": "yes",
        "margin": "0.5",
        "paper 95 %": "+0.26 to +1.24",
        "ours 95 %": f"{low:+.2f} to {high:+.2f}",
        "runs & images": DASH,
        "p": "< 0.0001",
        "flips": "0.062",  # all five differences have one sign: 2 of 32 ways are as far from 0
        "r": f"{np.corrcoef(SCORES['uniform'], SEEDS)[0, 1]:+.2f}",
        "detect": f"{found['detect']}",
    }
    assert 0.05 < float(found["detect"]) < 0.1  # a spread of 0.046 over 5 pairs


def test_a_claim_that_rests_on_stale_runs_is_marked() -> None:
    sheet, *rest = runs().sheets
    methods = [
        dataclasses.replace(
            method,
            runs=tuple(dataclasses.replace(run, state="stale" if name == "film" else run.state) for run in method.runs),
        )
        for name, method in zip(sheet.methods, sheet.comparison.methods, strict=True)
    ]
    old = dataclasses.replace(sheet, comparison=dataclasses.replace(sheet.comparison, methods=tuple(methods)))
    suite = dataclasses.replace(SUITE, claim=(claim("film", "single"), claim("uniform", "single")))
    whole = dataclasses.replace(runs(), suite=suite, sheets=(old, *rest))
    found = judge_claims(whole, Path("nowhere"))
    page = claims_page(whole, found)
    assert [each.name.endswith("†") for each in found] == [True, False]
    assert page.footnotes[-1].startswith("† Stale runs: ")
    assert claims_frame(whole, found)["stale"].tolist() == [True, False]


def test_a_claim_that_compares_runs_of_unlike_numerics_is_marked() -> None:
    sheet, *rest = runs().sheets
    methods = [
        dataclasses.replace(method, runs=tuple(map(on_two_threads, method.runs)) if name == "single" else method.runs)
        for name, method in zip(sheet.methods, sheet.comparison.methods, strict=True)
    ]
    changed = dataclasses.replace(sheet, comparison=dataclasses.replace(sheet.comparison, methods=tuple(methods)))
    claims = (claim("film", "single"), claim("film", "uniform"), claim("film", "uniform", metric="delta_m"))
    suite = dataclasses.replace(SUITE, claim=claims)
    whole = dataclasses.replace(runs(), suite=suite, sheets=(changed, *rest))
    found = judge_claims(whole, Path("nowhere"))
    assert [each.name.endswith("‡") for each in found] == [True, False, True]  # gains are over single-task networks
    assert claims_page(whole, found).footnotes[-1].startswith("‡ Compares runs of unlike numerics")
    assert claims_frame(whole, found)["unlike_numerics"].tolist() == [True, False, True]


def on_two_threads(run: RunStatus) -> RunStatus:
    assert run.record is not None
    numerics = dataclasses.replace(run.record.numerics, threads=2)
    return dataclasses.replace(run, record=dataclasses.replace(run.record, numerics=numerics))


def test_seeds_that_are_missing_are_told() -> None:
    assert line(claim("uniform", "moo"))["n"] == "3/5"
    assert line(claim("uniform", "moo", n=3))["n"] == "3"


def test_the_page_explains_itself() -> None:
    claims = claim("uniform", "single"), claim("film", "moo", test="welch", family="other")
    page = claims_page(claiming(*claims), judged(*claims))
    assert (page.title, page.label) == ("claimed, size paper: claims", "claimed-paper-claims")
    assert "Verdict, by the paired t-test over common seeds or Welch's t-test: better or worse if p < 0.05" in (
        " ".join(page.details)
    )
    assert (
        "p: p-value of no difference after Holm's correction over 2 claims in 2 families; flips: p-value of the exact "
        "sign-flip test, uncorrected (no less than 0.062 with 5 pairs)."
    ) in page.details
    assert page.footnotes[0].startswith(f"mmnist2: uniform {MINUS} Single task: better, difference +2.0")
    text = render_markdown(page)
    assert text.startswith(
        "### claimed, size paper: claims\n\n| claim | claimed | verdict | holds | ours | paper | n |"
    )
    assert f"\n| mmnist2: uniform {MINUS} Single task | better | better | yes | +2.00 | +0.75 | 5 | {DASH} | " in text


def test_the_frame_has_every_number() -> None:
    claims: Sequence[Claim] = (claim("uniform", "moo", margin=0.5), claim("film", "single", dataset="mmnist3"))
    first, second = claims_frame(claiming(*claims), judged(*claims)).to_dict("records")
    expected = stats.ttest_rel(SCORES["uniform"][:3], SCORES["moo"])
    low, high = expected.confidence_interval(0.95)
    assert [first[name] for name in ("t95_low", "t95_high", "p", "holm_p")] == pytest.approx(
        [low, high, expected.pvalue, expected.pvalue]
    )
    assert (first["n"], first["planned"], first["least_sign_flip_p"], first["sign_flip_p"]) == (3, 5, 0.25, 0.25)
    assert (first["verdict"], first["holds"], first["margin"]) == ("better by more than the margin", "yes", 0.5)
    assert (second["n"], second["verdict"], second["holds"]) == (0, "undecided", "open")
    assert math.isnan(second["difference"])


def test_where_lower_is_better_a_lower_first_is_better() -> None:
    errors = tuple(
        TaskInfo(name=name, metrics=(Metric(name="error", unit="", higher_is_better=False),)) for name in ("LU", "RL")
    )
    sheet = runs().sheets[0]
    methods = [
        finished(name, seed, (value, value), tasks=errors)
        for name in ("single", "uniform")
        for seed, value in enumerate(SCORES[name])
    ]
    (comparison,) = compare(methods)
    turned = dataclasses.replace(sheet, comparison=comparison, methods=("single", "uniform"))
    suite = dataclasses.replace(SUITE, claim=(claim("single", "uniform"), claim("uniform", "single", metric="LU")))
    first, second = judge_claims(dataclasses.replace(runs(), suite=suite, sheets=(turned,)), Path("nowhere"))
    assert first.ours.difference == pytest.approx(-2 - WOBBLE.mean())
    assert (first.verdict.word, first.holds) == ("better", "yes")
    assert (second.verdict.word, second.holds) == ("worse", "no")
