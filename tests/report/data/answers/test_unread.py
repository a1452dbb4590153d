"""Predictions that cannot be read, in words."""

import dataclasses
from pathlib import Path

import pytest

from mtbench.plan.grid import Request, plan
from mtbench.plan.suite import Claim, Grid, Suite
from mtbench.report.data.answers.unread import unread
from mtbench.report.data.comparison import MethodRuns
from mtbench.report.data.suite.runs import suite_runs
from mtbench.report.exhibits.claims.judged import judge_claims
from mtbench.report.exhibits.claims.page import claims_page
from mtbench.store.record import StoredPredictions
from mtbench.store.status import RunStatus
from tests.report.data.answers.test_images import runs_of, trained

SUITE = Suite(
    name="toys",
    title="",
    grid=(Grid(datasets=("toy-all",), methods=("single", "uniform")),),
    claim=(Claim(dataset="toy-all", contrast=("uniform", "single"), metric="upper"),),
)


@pytest.fixture
def statuses(tmp_path: Path) -> list[RunStatus]:
    """Two methods of two seeds."""
    settings = {"epochs": "1"}
    return trained(
        tmp_path, plan(Request(methods=["single", "uniform"], datasets=["toy-all"], settings=settings, seeds=[0, 1]))
    )


def test_runs_are_named_by_what_is_amiss(statuses: list[RunStatus]) -> None:
    single, uniform = (runs_of(statuses, name) for name in ("single", "uniform"))
    assert unread([single, uniform]) == ""
    (uniform.runs[0].folder / "predictions.npz").unlink()
    assert unread([single, uniform]) == "the predictions of uniform seed 0 are missing"
    for run in single.runs:
        path = run.folder / "predictions.npz"
        path.write_bytes(bytes(path.stat().st_size))
    assert unread([single, uniform]) == (
        "the predictions of single seeds 0 and 1 do not match their checksum, those of uniform seed 0 are missing"
    )


def test_predictions_that_were_never_stored_or_are_maps_are_not_missed(statuses: list[RunStatus]) -> None:
    (run, _) = runs_of(statuses, "uniform").runs
    (run.folder / "predictions.npz").unlink()
    assert run.record is not None
    for stored in (StoredPredictions(why_not="Too large."), StoredPredictions(dtype="uint8", shape=(48, 8, 8))):
        record = dataclasses.replace(run.record, predictions={"upper": stored})
        assert unread([MethodRuns(title="uniform", runs=(dataclasses.replace(run, record=record),))]) == ""


def test_a_claim_without_the_interval_over_images_says_why(statuses: list[RunStatus], tmp_path: Path) -> None:
    for run in statuses:
        path = run.folder / "predictions.npz"
        path.write_bytes(bytes(path.stat().st_size))
    (runs,) = suite_runs(SUITE, statuses)
    (judged,) = judge_claims(runs, tmp_path / "data")
    assert judged.resampled is None
    (line,) = [line for line in claims_page(runs, [judged]).footnotes if "runs & images" in line]
    assert line.endswith(
        "the predictions of uniform seeds 0 and 1 and single seeds 0 and 1 do not match their checksum."
    )
