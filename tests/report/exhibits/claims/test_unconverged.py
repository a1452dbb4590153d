"""Claims on methods that were still gaining when their training ended."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from mtbench.contract import TrainingProtocol
from mtbench.plan.suite import AcrossClaim, Claim, Grid, Suite
from mtbench.report.exhibits.claims.judged import Judged, judge_claims
from mtbench.report.exhibits.claims.page import claims_frame, claims_page
from mtbench.store.status import RunStatus
from tests.report.data.test_convergence import curved
from tests.report.suite_runs import filled

WOBBLE = np.array([0.05, -0.02, 0.01])
SCORES = {"single": 60 + WOBBLE, "moo": 65 + WOBBLE[::-1], "td": 65.1 - WOBBLE}
LATE = {"single": 0.0, "moo": 0.7, "td": 0.2}
"""Points that a method gains in the last tenth of training on mmnist2; on mmnist4 none does."""
SUITE = Suite(name="late", title="", grid=(Grid(datasets=("mmnist2", "mmnist4"), methods=tuple(SCORES)),))


def judged(claim: Claim | AcrossClaim, *, quick: bool = False) -> tuple[Judged, list[str], str]:
    """Return a claim, the notes below its table, and the word in the CSV file."""

    def run(method: str, dataset: str, protocol: TrainingProtocol, seed: int) -> RunStatus:
        score = float(SCORES[method][seed]) + 2 * (dataset == "mmnist4") * (1 + float(WOBBLE[seed - 1]))
        late, end = LATE[method] * (dataset == "mmnist2"), protocol.epochs
        points = {round(0.9 * end): (score - late, score - late), end: (score, score)}
        return curved(method, points, seed=seed, dataset=dataset, protocol=protocol)

    runs = filled(dataclasses.replace(SUITE, claim=(claim,)), run, quick=quick)
    (found,) = judge_claims(runs, Path("nowhere"))
    page = claims_page(runs, [found])
    assert ("Not converged stands for a verdict" in " ".join(page.details)) is not quick
    return found, list(page.footnotes), claims_frame(runs, [found])["verdict"].item()


def within(first: str, second: str, metric: str = "mean", margin: float = 0.5) -> Claim:
    return Claim(dataset="mmnist2", contrast=(first, second), metric=metric, margin=margin, direction="better")


@pytest.mark.parametrize("metric", ["mean", "LU", "delta_m"])
def test_a_claim_on_a_method_that_still_gains_reads_not_converged_instead_of_holds(metric: str) -> None:
    found, notes, word = judged(within("moo", "single", metric))
    assert (found.verdict.word, found.holds, word) == ("not converged", "open", "not converged")
    gained = 100 * 0.7 / 65 if metric == "delta_m" else 0.7
    assert found.gaining == {"moo": pytest.approx(gained, abs=1e-3)}
    assert (
        f"not converged, in the last tenth of training more than the margin 0.5 is gained by moo (+{gained:.2f}); else "
        "better by more than the margin, difference +" in notes[0]
    )


def test_the_margin_of_the_claim_is_the_bound() -> None:
    assert judged(within("moo", "single", margin=1.0))[0].holds == "yes"
    assert judged(within("td", "single"))[0].holds == "yes"
    assert judged(within("td", "single", margin=0.1))[0].verdict.word == "not converged"


def test_without_a_margin_half_a_point_is() -> None:
    assert judged(within("td", "single", margin=0.0))[0].holds == "yes"
    found, notes, _ = judged(within("single", "moo", margin=0.0))
    assert found.verdict.word == "not converged"
    assert "more than 0.5 is gained by moo (+0.70); else worse, difference" in notes[0]


def test_an_undecided_claim_stays_so() -> None:
    assert judged(within("td", "moo", margin=0.05))[0].verdict.word == "undecided"


def test_a_preview_keeps_its_verdicts() -> None:
    assert judged(within("moo", "single"), quick=True)[0].holds == "yes"


def test_a_claim_across_datasets_names_the_dataset_on_which_a_method_still_gains() -> None:
    claim = AcrossClaim(datasets=("mmnist4", "mmnist2"), task="LU", method="moo", margin=0.5, direction="better")
    found, _, _ = judged(claim)
    assert found.gaining == {"moo on mmnist2": pytest.approx(0.7)}
    assert judged(dataclasses.replace(claim, method="td"))[0].holds == "yes"
