import dataclasses
from pathlib import Path

import numpy as np
import pytest

from mtbench.plan.grid import Request, plan
from mtbench.plan.suite import Claim, Grid, Suite
from mtbench.report.data.answers.triplets import triplet_answers
from mtbench.report.data.comparison import MethodRuns
from mtbench.report.data.suite.runs import suite_runs
from mtbench.report.exhibits.claims.judged import judge_claims
from mtbench.store.run.folder import RunFolder
from mtbench.store.status import RunStatus
from tests.report.data.answers.test_images import trained

TRIPLETS = 48  # of each of the two tasks, in the toys' test split
METHODS = ("fsn", "chmod")


@pytest.fixture(scope="module")
def statuses(tmp_path_factory: pytest.TempPathFactory) -> list[RunStatus]:
    """Two methods of two seeds on triplets."""
    request = Request(methods=METHODS, datasets=["toy-retrieval"], settings={"epochs": "1"}, seeds=[0, 1])
    return trained(tmp_path_factory.mktemp("triplets"), plan(request))


def runs_of(statuses: list[RunStatus], method: str) -> MethodRuns:
    found = [run for run in statuses if run.spec.titles.method == method]
    return MethodRuns(title=method, runs=tuple(sorted(found, key=lambda run: run.spec.seed)))


def test_answers_make_the_accuracies_of_the_records_and_come_with_their_images(statuses: list[RunStatus]) -> None:
    methods = [runs_of(statuses, name) for name in METHODS]
    for column, count in (("upper", TRIPLETS), ("lower", TRIPLETS), ("mean", 2 * TRIPLETS)):
        found = triplet_answers(methods, column)
        assert found is not None
        assert found.images.shape == (count, 3)
        assert len(np.unique(found.images)) <= 48
        assert np.bincount(found.tasks, minlength=2).tolist() == [
            TRIPLETS * (column != "lower"),
            TRIPLETS * (column != "upper"),
        ]
        for method, right in zip(methods, found.right, strict=True):
            assert list(right) == [0, 1]
            for seed, record in method.records.items():
                score = {task.name: record.score(task) for task in record.tasks} | {"mean": record.mean()}
                assert 100 * right[seed].mean() == pytest.approx(score[column], abs=1e-5)


def test_anchors_are_the_images_that_the_dataset_has(statuses: list[RunStatus]) -> None:
    """Each image of the toys is the anchor of one triplet of each task, in turn."""
    run = runs_of(statuses, "fsn").runs[0]
    assert run.record is not None
    images = RunFolder(run.folder).images(run.record)
    assert images is not None
    assert images.dtype == np.int32
    assert images[:, 0].tolist() == np.repeat(np.arange(48), 2).tolist()
    assert set(RunFolder(run.folder).predictions(run.record)) == {"upper", "lower"}


def test_runs_without_files_or_with_other_numbers_have_no_answers(statuses: list[RunStatus]) -> None:
    method = runs_of(statuses, "fsn")
    first, second = method.runs
    lost = dataclasses.replace(method, runs=(dataclasses.replace(first, folder=Path("gone")), second))
    found = triplet_answers([lost], "upper")
    assert found is not None
    assert list(found.right[0]) == [1]
    assert triplet_answers([method], "nowhere") is None
    assert first.record is not None
    result = first.record.results["test"]["upper"]
    off = dataclasses.replace(result, metrics={**result.metrics, "triplet-accuracy": 1.0})
    record = dataclasses.replace(first.record, results={"test": {**first.record.results["test"], "upper": off}})
    other = dataclasses.replace(method, runs=(dataclasses.replace(first, record=record),))
    assert triplet_answers([other], "upper") is None


def test_a_claim_on_triplets_has_an_interval_over_images_without_any_data(
    statuses: list[RunStatus], tmp_path: Path
) -> None:
    suite = Suite(
        name="toys",
        title="",
        grid=(Grid(datasets=("toy-retrieval",), methods=METHODS),),
        claim=(Claim(dataset="toy-retrieval", contrast=("chmod", "fsn")),),
    )
    (found,) = suite_runs(suite, statuses)
    (judged,) = judge_claims(found, tmp_path)
    assert judged.resampled is not None
    assert judged.resampled.difference == pytest.approx(judged.ours.difference, abs=1e-4)
    assert judged.resampled.runs == 2
    assert 40 < judged.resampled.images <= 48
