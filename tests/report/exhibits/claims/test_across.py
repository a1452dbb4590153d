import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from mtbench.contract import TrainingProtocol
from mtbench.plan.suite import AcrossClaim, Claim, Grid, PaperTable, Suite
from mtbench.report.data.suite.runs import SuiteRuns
from mtbench.report.exhibits.claims.judged import Judged, judge_claims
from mtbench.report.exhibits.claims.page import claims_frame, claims_page
from mtbench.store.status import RunStatus
from tests.report.records import finished
from tests.report.suite_runs import filled

MINUS = "\N{MINUS SIGN}"
MANY, FEW = "mmnist9", "mmnist9:tasks=1/9"
SEEDS = np.array([90.0, 90.9, 89.7, 90.4, 90.1])
WOBBLE = np.array([0.05, -0.02, 0.01, -0.06, 0.03])
SCORES = {
    ("td", MANY): SEEDS + 1 + WOBBLE,
    ("td", FEW): SEEDS,
    ("uniform", MANY): SEEDS - 2 + WOBBLE[::-1],
    ("uniform", FEW): SEEDS - 1.5 - WOBBLE,
}
PAPER = (
    PaperTable(dataset=MANY, columns=("9",), n=5, rows={"td": ((98.43, 0.2),), "uniform": (97.47,)}),
    PaperTable(dataset=FEW, columns=("9",), n=5, rows={"td": ((98.17, 0.1),), "uniform": (98.09,)}),
)
SUITE = Suite(
    name="growing",
    title="",
    settings={"seeds": 5},
    grid=(Grid(datasets=(MANY, FEW), methods=("td", "uniform")),),
    paper=PAPER,
    labels={"uniform": "Uniform"},
)


def runs(*claims: AcrossClaim | Claim, few: range = range(5), examples: dict[str, int] | None = None) -> SuiteRuns:
    """Five runs of each method; on the dataset of two tasks those of seeds `few`."""

    def run(method: str, dataset: str, protocol: TrainingProtocol, seed: int) -> RunStatus | None:
        if dataset == FEW and seed not in few:
            return None
        names = ("1", "5", "9") if dataset == MANY else ("1", "9")
        status = finished(
            method,
            seed,
            {name: SCORES[method, dataset][seed] if name == "9" else 50.0 for name in names},
            dataset=dataset,
            protocol=protocol,
        )
        assert status.record is not None
        if examples:
            status = dataclasses.replace(
                status, record=dataclasses.replace(status.record, training_examples=examples[dataset])
            )
        return status

    return filled(dataclasses.replace(SUITE, claim=claims), run, seeds=5)


def claim(**more: Any) -> AcrossClaim:
    return AcrossClaim(**{"datasets": (MANY, FEW), "task": "9", "method": "td", **more})


def judged(*claims: AcrossClaim | Claim, **more: Any) -> list[Judged]:
    return judge_claims(runs(*claims, **more), Path("nowhere"))


@pytest.mark.parametrize(
    ("more", "word", "holds"),
    [
        ({}, "better", "yes"),
        ({"margin": 0.5}, "better by more than the margin", "yes"),
        ({"margin": 2.0, "direction": "equivalent"}, "equivalent", "yes"),
        ({"datasets": (FEW, MANY)}, "worse", "no"),
        ({"method": "uniform", "margin": 0.2}, "worse by more than the margin", "no"),
    ],
)
def test_a_task_that_gains_from_others_is_better_where_they_are(more: dict[str, Any], word: str, holds: str) -> None:
    (found,) = judged(claim(**more))
    assert (found.verdict.word, found.holds) == (word, holds)


def test_runs_of_one_seed_are_paired() -> None:
    (found,) = judged(claim())
    expected = stats.ttest_rel(SCORES["td", MANY], SCORES["td", FEW])
    interval = expected.confidence_interval(0.95)
    assert found.ours.p == pytest.approx(expected.pvalue)
    assert found.ours.interval() == pytest.approx((interval.low, interval.high))
    assert (found.ours.matched, found.unpaired) == (True, "")
    assert found.ours.detectable is not None


def test_seeds_that_one_dataset_lacks_are_left_out_and_told() -> None:
    (found,) = judged(claim(), few=range(1, 4))
    expected = stats.ttest_rel(SCORES["td", MANY][1:4], SCORES["td", FEW][1:4])
    assert (found.ours.n, found.planned) == (3, 5)
    assert found.ours.p == pytest.approx(expected.pvalue)


def test_of_two_methods_the_difference_of_their_gains_is_tested() -> None:
    (found,) = judged(claim(against="uniform"))
    gains = [SCORES["td", name] - SCORES["uniform", name] for name in (MANY, FEW)]
    expected = stats.ttest_rel(*gains)
    assert (found.ours.difference, found.ours.p) == pytest.approx(
        (1.5 + (WOBBLE - WOBBLE[::-1] - WOBBLE).mean(), expected.pvalue)
    )
    assert found.name == f"9, (td {MINUS} Uniform): mmnist9 {MINUS} mmnist9:tasks=1/9"


def test_welchs_test_is_taken_where_the_claim_asks_for_it() -> None:
    (found,) = judged(claim(test="welch"))
    expected = stats.ttest_ind(SCORES["td", MANY], SCORES["td", FEW], equal_var=False)
    assert (found.ours.matched, found.unpaired) == (False, "")
    assert found.ours.p == pytest.approx(expected.pvalue)


def test_runs_on_unlike_numbers_of_examples_are_not_paired_and_the_page_says_so() -> None:
    claims = (claim(),)
    whole = runs(*claims, examples={MANY: 60_000, FEW: 50_000})
    (found,) = judge_claims(whole, Path("nowhere"))
    expected = stats.ttest_ind(SCORES["td", MANY], SCORES["td", FEW], equal_var=False)
    assert not found.ours.matched
    assert found.ours.p == pytest.approx(expected.pvalue)
    page = claims_page(whole, [found])
    said = f"{found.name}: runs are not paired, as the datasets have 50,000 and 60,000 training examples."
    assert said in page.footnotes
    assert any("by Welch's t-test:" in sentence for sentence in page.details)
    assert claims_frame(whole, [found])["test"].tolist() == ["welch"]


def test_the_papers_numbers_of_the_task_are_compared_likewise() -> None:
    one, two = judged(claim(), claim(against="uniform"))
    assert one.paper is not None
    assert two.paper is not None
    expected = stats.ttest_ind_from_stats(98.43, 0.2, 5, 98.17, 0.1, 5, equal_var=False)
    assert one.paper.difference == pytest.approx(0.26)
    assert one.paper.p == pytest.approx(expected.pvalue)
    assert two.paper.difference == pytest.approx((98.43 - 97.47) - (98.17 - 98.09))
    assert two.paper.interval() is None
    assert judged(claim(task="1"))[0].paper is None


def test_claims_of_both_kinds_are_corrected_together() -> None:
    within = Claim(dataset=FEW, contrast=("td", "uniform"), metric="9")
    alone = [judged(each)[0].ours.p for each in (claim(), within)]
    small, large = sorted(alone)
    together = sorted(each.adjusted.difference for each in judged(claim(), within))
    assert together == pytest.approx(sorted([2 * small, max(large, 2 * small)]))


def test_before_anything_is_run_the_claim_is_there_with_the_papers_difference() -> None:
    whole = dataclasses.replace(runs(claim()), sheets=())
    (found,) = judge_claims(whole, Path("nowhere"))
    assert (found.verdict.word, found.holds, found.ours.n, found.planned) == ("undecided", "open", 0, 5)
    cells = [cell.says for cell in claims_page(whole, [found]).layout.lines[0]]
    assert cells[:7] == [found.name, "better", "undecided", "open", "\N{EN DASH}", "+0.26", "0/5"]


def test_the_page_says_what_such_a_claim_is_and_only_where_there_is_one() -> None:
    within = Claim(dataset=FEW, contrast=("td", "uniform"))
    both, one = (
        "\n".join(claims_page(runs(*claims), judged(*claims)).details) for claims in ((claim(), within), (within,))
    )
    said = "A claim across datasets compares the task's metric, first minus second dataset"
    assert said in both
    assert said not in one


def test_the_frame_names_both_datasets() -> None:
    (row,) = claims_frame(runs(claim()), judged(claim())).to_dict("records")
    assert [row[name] for name in ("dataset", "other_dataset", "metric", "first", "second", "test", "n")] == [
        *(MANY, FEW, "9", "td", None, "paired", 5)
    ]


def test_runs_of_unlike_numerics_or_stale_ones_are_marked() -> None:
    whole = runs(claim())
    sheets = []
    for sheet in whole.sheets:
        methods = tuple(
            dataclasses.replace(method, runs=tuple(map(_on_two_threads, method.runs)))
            if sheet.dataset == FEW
            else method
            for method in sheet.comparison.methods
        )
        sheets.append(dataclasses.replace(sheet, comparison=dataclasses.replace(sheet.comparison, methods=methods)))
    (found,) = judge_claims(dataclasses.replace(whole, sheets=tuple(sheets)), Path("nowhere"))
    assert found.name.endswith("†‡")
    assert not judged(claim())[0].name.endswith(("†", "‡"))


def _on_two_threads(run: RunStatus) -> RunStatus:
    assert run.record is not None
    numerics = dataclasses.replace(run.record.numerics, threads=2)
    return dataclasses.replace(run, state="stale", record=dataclasses.replace(run.record, numerics=numerics))
