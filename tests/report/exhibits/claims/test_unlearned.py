"""Claims on methods that are not above the constant prediction."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from mtbench.contract import TrainingProtocol
from mtbench.plan.suite import AcrossClaim, Claim, Grid, Suite
from mtbench.report.exhibits.claims.judged import UNLEARNED, Judged, judge_claims
from mtbench.report.exhibits.claims.page import claims_page
from mtbench.store.status import RunStatus
from tests.report.records import beside, finished
from tests.report.suite_runs import filled

WOBBLE = np.array([0.05, -0.02, 0.01])
SCORES = {"single": 60 + WOBBLE, "moo": 65 + WOBBLE[::-1], "uniform": 80 - WOBBLE}
DATASETS = ("mmnist2", "mmnist4")
SUITE = Suite(name="low", title="", grid=(Grid(datasets=DATASETS, methods=tuple(SCORES)),))


def judged(claim: Claim | AcrossClaim, majority: float) -> Judged:
    """Return a claim where the majority class has this accuracy on every task; on mmnist4 all methods are better by
    2."""

    def run(method: str, dataset: str, protocol: TrainingProtocol, seed: int) -> RunStatus:
        score = SCORES[method][seed] + 2 * (dataset == "mmnist4") * (1 + WOBBLE[seed - 1])
        status = finished(method, seed, {"LU": score, "RL": score}, dataset=dataset, protocol=protocol)
        return beside(status, {"LU": majority, "RL": majority})

    runs = filled(dataclasses.replace(SUITE, claim=(claim,)), run)
    (found,) = judge_claims(runs, Path("nowhere"))
    if found.verdict is UNLEARNED:
        page = claims_page(runs, [found])
        assert page.layout.lines[0][2].says == "undecided"
        assert any(note.endswith("neither side is above the best constant prediction.") for note in page.footnotes)
    return found


def within(first: str, second: str, metric: str = "mean") -> Claim:
    return Claim(dataset="mmnist2", contrast=(first, second), metric=metric, margin=0.5, direction="better")


@pytest.mark.parametrize(
    ("majority", "word"),
    [(50.0, "better by more than the margin"), (62.0, "better by more than the margin"), (70.0, "undecided")],
)
@pytest.mark.parametrize("metric", ["mean", "LU", "delta_m"])
def test_a_claim_is_undecided_if_neither_method_is_above_the_constant(majority: float, word: str, metric: str) -> None:
    found = judged(within("moo", "single", metric), majority)
    assert found.verdict.word == word
    assert found.holds == ("open" if word == "undecided" else "yes")
    assert found.ours.difference > 4


def test_one_side_above_the_constant_is_enough() -> None:
    assert judged(within("uniform", "moo"), 70.0).verdict.word == "better by more than the margin"


def test_two_methods_that_learned_nothing_are_not_equivalent() -> None:
    claim = Claim(dataset="mmnist2", contrast=("moo", "single"), margin=9.0, direction="equivalent")
    assert judged(claim, 50.0).holds == "yes"
    assert judged(claim, 70.0).holds == "open"


@pytest.mark.parametrize(("majority", "word"), [(61.0, "better"), (70.0, "undecided")])
def test_a_claim_across_datasets_is_undecided_if_the_method_is_above_the_constant_on_neither(
    majority: float, word: str
) -> None:
    claim = AcrossClaim(datasets=("mmnist4", "mmnist2"), task="LU", method="single", direction="better")
    assert judged(claim, majority).verdict.word == word
