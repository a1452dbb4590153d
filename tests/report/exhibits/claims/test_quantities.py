"""Claims about quantities of runs other than their test metrics."""

import dataclasses
import math
from pathlib import Path
from typing import Any

import pytest
from scipy import stats

from mtbench.contract import TrainingProtocol
from mtbench.plan.suite import Claim, Grid, Suite
from mtbench.plan.suite.claims.quantity import QUANTITIES
from mtbench.plan.suite.planned import Place
from mtbench.report.data.comparison import MethodRuns, compare
from mtbench.report.data.quantities import VALUES, selectivity
from mtbench.report.data.suite.runs import SuiteRuns
from mtbench.report.exhibits.claims.judged import judge_claims
from mtbench.report.exhibits.claims.page import claims_frame, claims_page
from mtbench.report.exhibits.claims.prospect import prospects
from mtbench.store.record import CurvePoint, TaskResult
from mtbench.store.record.diagnosis import Probed, Selectivity
from mtbench.store.status import RunStatus
from mtbench.train.diagnostics.selectivity import selectivity as formula
from tests.report.records import PAPER, finished
from tests.report.suite_runs import filled

MEASURED = {"td": (0.60, 0.64, 0.59), "chmod": (0.30, 0.33, 0.31)}
CLAIM = Claim(dataset="mmnist2", contrast=("td", "chmod"), quantity="selectivity", margin=10.0)


def probed(value: float, depth: str = "hidden", **others: float) -> Selectivity:
    """Return probes whose selectivity is `value` by those with a hidden layer at a depth; `others` by depth."""
    found = {name: _probes(number) for name, number in {depth: value, **others}.items()}
    return Selectivity(chance=(10.0, 10.0), wrong_cue=((90.0, 10.0), (10.0, 90.0)), probes=found)


def _probes(value: float) -> dict[str, Probed]:
    accuracy = ((90.0, 10 + 80 * (1 - value)), (10 + 80 * (1 - value), 90.0))
    return {
        "mlp": Probed(accuracy=accuracy, selectivity=formula(accuracy, (10.0, 10.0))),
        "linear": Probed(accuracy=accuracy, selectivity=0.99),
    }


def run(method: str, seed: int, found: Selectivity | None, **more: Any) -> RunStatus:
    status = finished(method, seed, (80.0 + seed, 70.0), **more)
    assert status.record is not None
    return dataclasses.replace(status, record=dataclasses.replace(status.record, selectivity=found))


def suite_of(claim: Claim, *, measured: bool = True) -> SuiteRuns:
    def made(method: str, dataset: str, protocol: TrainingProtocol, seed: int) -> RunStatus:
        found = probed(MEASURED[method][seed], representation=0.0) if measured or method == "td" else None
        return run(method, seed, found, dataset=dataset, protocol=protocol)

    grid = Grid(datasets=("mmnist2",), methods=tuple(MEASURED))
    return filled(Suite(name="selective", title="", settings={"seeds": 3}, grid=(grid,), claim=(claim,)), made)


def test_every_quantity_has_values() -> None:
    assert VALUES.keys() == QUANTITIES.keys()


def test_selectivity_is_that_of_the_features_that_a_heads_last_layer_reads() -> None:
    records = [probed(0.625, representation=0.0), probed(0.25, depth="representation"), None]
    method = MethodRuns(title="td", runs=tuple(run("td", seed, found) for seed, found in enumerate(records)))
    (comparison,) = compare(list(method.runs))
    (found,) = selectivity(comparison, [method])
    # A_12 = 10 + 80 (1 - .625) = 40, so that S = 1 - (40 - 10) / (90 - 10) = .625; of one layer: the representation
    assert [found[0], found[1]] == pytest.approx([62.5, 25.0])
    assert math.isnan(found[2])


def test_a_claim_about_selectivity_is_judged_on_it_in_points() -> None:
    whole = suite_of(CLAIM)
    (found,) = judge_claims(whole, Path("nowhere"))
    expected = stats.ttest_rel([60, 64, 59], [30, 33, 31])
    assert found.ours.difference == pytest.approx(89 / 3)  # 30, 31 and 28
    assert found.ours.p == pytest.approx(expected.pvalue)
    assert (found.verdict.word, found.holds, found.unit) == ("better by more than the margin", "yes", "%")
    assert found.resampled is None
    assert found.name == "mmnist2, selectivity: td \N{MINUS SIGN} chmod"
    page = claims_page(whole, [found])
    assert QUANTITIES["selectivity"].words in page.details
    assert claims_frame(whole, [found])["metric"].tolist() == ["selectivity"]


def test_a_claim_about_the_gap_is_judged_on_test_loss_minus_training_loss() -> None:
    # Test losses of .5 and .7 in each run; training losses by method and seed, the same for both tasks.
    train = {"td": (0.30, 0.32, 0.28), "chmod": (0.10, 0.14, 0.09)}

    def made(method: str, dataset: str, protocol: TrainingProtocol, seed: int) -> RunStatus:
        status = finished(method, seed, dataset=dataset, protocol=protocol)
        assert status.record is not None
        losses = {"test": (0.5, 0.7), "train": (train[method][seed],) * 2}
        results = {
            split: {
                task: TaskResult(loss=loss, count=9, metrics={"accuracy": 90.0})
                for task, loss in zip(("LU", "RL"), pair, strict=True)
            }
            for split, pair in losses.items()
        }
        return dataclasses.replace(status, record=dataclasses.replace(status.record, results=results))

    claim = dataclasses.replace(CLAIM, quantity="gap", margin=0.02)
    grid = Grid(datasets=("mmnist2",), methods=tuple(train))
    suite = Suite(name="gaps", title="", settings={"seeds": 3}, grid=(grid,), claim=(claim,))
    (found,) = judge_claims(filled(suite, made), Path("nowhere"))
    assert found.ours.difference == pytest.approx(-0.57 / 3)  # .20, .18 and .19 lower
    assert (found.verdict.word, found.holds) == ("better by more than the margin", "yes")  # lower is better


def test_a_claim_about_the_error_at_equal_loss_is_judged_where_both_methods_have_been() -> None:
    # Training losses and test accuracies of both tasks at the first two points of a curve, which is level from there.
    curves = {"td": ((0.4, 80.0), (0.1, 90.0)), "chmod": ((0.4, 78.0), (0.2, 82.0))}
    rate = {"td": 1.1, "chmod": 1.0}

    def measured(point: CurvePoint, loss: float, accuracy: float) -> CurvePoint:
        result = TaskResult(loss=1.0, count=9, metrics={"accuracy": accuracy})
        tasks = ("LU", "RL")
        return dataclasses.replace(
            point, train_losses=dict.fromkeys(tasks, loss), results={"test": dict.fromkeys(tasks, result)}
        )

    def made(method: str, dataset: str, protocol: TrainingProtocol, seed: int) -> RunStatus:
        status = finished(method, seed, dataset=dataset, protocol=protocol)
        assert status.record is not None
        first, level = curves[method]
        points = tuple(
            measured(point, loss, accuracy + rate[method] * seed)
            for number, point in enumerate(status.record.curve)
            for loss, accuracy in [first if number == 0 else level]
        )
        return dataclasses.replace(status, record=dataclasses.replace(status.record, curve=points))

    claim = dataclasses.replace(CLAIM, quantity="equal-loss", margin=0.5)
    grid = Grid(datasets=("mmnist2",), methods=tuple(curves))
    suite = Suite(name="equal", title="", settings={"seeds": 3}, grid=(grid,), claim=(claim,))
    whole = filled(suite, made)
    (found,) = judge_claims(whole, Path("nowhere"))
    # At the loss .2, half of the way from .4 to .1 by its logarithm, td has 85, 86.1, 87.2 % and chmod 82, 83, 84 %.
    assert found.ours.difference == pytest.approx(-3.1)
    assert (found.verdict.word, found.unit) == ("better by more than the margin", "%")
    assert QUANTITIES["equal-loss"].words in claims_page(whole, [found]).details


def test_a_claim_about_the_metric_of_the_same_runs_is_another_one() -> None:
    (found,) = judge_claims(suite_of(dataclasses.replace(CLAIM, quantity="")), Path("nowhere"))
    assert found.ours.difference == 0


def test_a_method_whose_runs_lack_the_quantity_is_named() -> None:
    whole = suite_of(CLAIM, measured=False)
    (found,) = judge_claims(whole, Path("nowhere"))
    assert (found.ours.n, found.verdict.word) == (0, "undecided")
    assert (
        f"{found.name}: not compared, as no run of chmod has a measured selectivity."
        in claims_page(whole, [found]).footnotes
    )


def test_seeds_are_planned_from_earlier_runs_that_measured_the_quantity() -> None:
    suite = Suite(name="mine", title="", grid=(Grid(datasets=("mmnist2",), methods=tuple(MEASURED)),), claim=(CLAIM,))
    planned = {Place(dataset="mmnist2", method=method, variation=()): finished(method).spec for method in MEASURED}
    with_probes = dataclasses.replace(PAPER, epochs=20, diagnostics=("selectivity",))
    without = [run(method, seed, None) for method in MEASURED for seed in range(5)]
    earlier = [
        run(method, seed, probed(value), protocol=with_probes, title="probed")
        for method, values in MEASURED.items()
        for seed, value in enumerate(values)
    ]
    (found,) = prospects(suite, planned, without)
    assert found.contrast is None
    (found,) = prospects(suite, planned, [*without, *earlier])
    assert found.contrast is not None
    assert found.contrast.difference == pytest.approx(89 / 3)
    assert [each.protocol.epochs for each in found.comparisons] == [20]
