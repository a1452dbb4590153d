import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from mtbench.engines.job import execute
from mtbench.plan.grid import Request, plan
from mtbench.plan.spec import RunSpec
from mtbench.plan.suite import Claim, Grid, Suite
from mtbench.report.data.answers.images import right_answers
from mtbench.report.data.comparison import MethodRuns
from mtbench.report.data.suite.runs import SuiteRuns, suite_runs
from mtbench.report.exhibits.claims.judged import judge_claims
from mtbench.store.run.folder import RunFolder
from mtbench.store.status import RunStatus, survey

IMAGES = 48  # of the toys' test split


def trained(place: Path, specs: Sequence[RunSpec]) -> list[RunStatus]:
    """Return the runs of these specs, done for good."""
    for spec in specs:
        folder = RunFolder(place / "results" / spec.folder)
        folder.path.mkdir(parents=True, exist_ok=True)
        folder.write_spec(spec)
        execute(folder, folder.spec(), place / "data", "cpu", lambda _: None)
    return survey(place / "results", place / "data")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("answers")


@pytest.fixture(scope="module")
def statuses(place: Path) -> list[RunStatus]:
    """Two methods of three seeds on labels that are all there, one of one seed where half of them lack."""
    whole = Request(methods=["single", "uniform"], datasets=["toy-all"], settings={}, seeds=[0, 1, 2])
    half = Request(methods=["uniform"], datasets=["toy-partial"], settings={"epochs": "1"}, seeds=[0])
    return trained(place, [*plan(whole), *plan(half)])


def runs_of(statuses: Sequence[RunStatus], method: str, dataset: str = "toy-all") -> MethodRuns:
    found = [run for run in statuses if (run.spec.titles.method, run.spec.dataset.name) == (method, dataset)]
    return MethodRuns(title=method, runs=tuple(sorted(found, key=lambda run: run.spec.seed)))


def test_right_answers_make_the_accuracies_of_the_records(statuses: list[RunStatus], place: Path) -> None:
    runs = runs_of(statuses, "uniform")
    for column in ("upper", "lower", "mean"):
        found = right_answers(runs, column, place / "data")
        assert list(found) == [0, 1, 2]
        for seed, record in runs.records.items():
            score = {task.name: record.score(task) for task in record.tasks} | {"mean": record.mean()}
            assert found[seed].shape == (IMAGES,)
            assert 100 * found[seed].mean() == pytest.approx(score[column], rel=1e-6)
            assert set(found[seed]) <= ({0, 0.5, 1} if column == "mean" else {0, 1})


def test_images_without_a_label_are_left_out_of_a_task(statuses: list[RunStatus], place: Path) -> None:
    runs = runs_of(statuses, "uniform", "toy-partial")
    found = right_answers(runs, "upper", place / "data")
    assert found[0].shape == (runs.records[0].results["test"]["upper"].count,)
    assert 0 < len(found[0]) < IMAGES


def test_where_labels_lack_there_is_no_mean_over_tasks_image_by_image(statuses: list[RunStatus], place: Path) -> None:
    assert right_answers(runs_of(statuses, "uniform", "toy-partial"), "mean", place / "data") == {}


@pytest.mark.parametrize("column", ["nowhere", "UPPER"])
def test_a_task_that_is_not_there_has_no_answers(statuses: list[RunStatus], place: Path, column: str) -> None:
    assert right_answers(runs_of(statuses, "uniform"), column, place / "data") == {}


def test_a_record_of_other_numbers_than_the_answers_make_is_not_trusted(statuses: list[RunStatus], place: Path) -> None:
    runs = runs_of(statuses, "uniform")
    record = runs.runs[0].record
    assert record is not None
    result = record.results["test"]["upper"]
    off = dataclasses.replace(result, metrics={"accuracy": result.metrics["accuracy"] + 100 / IMAGES})
    other = dataclasses.replace(record, results={"test": {**record.results["test"], "upper": off}})
    turned = dataclasses.replace(runs, runs=(dataclasses.replace(runs.runs[0], record=other), *runs.runs[1:]))
    assert list(right_answers(turned, "upper", place / "data")) == [1, 2]
    assert list(right_answers(turned, "lower", place / "data")) == [0, 1, 2]


def test_a_run_whose_predictions_are_damaged_or_gone_has_no_answers(tmp_path: Path) -> None:
    request = Request(methods=["uniform"], datasets=["toy-all"], settings={"epochs": "1"}, seeds=[0, 1, 2])
    runs = runs_of(trained(tmp_path, plan(request)), "uniform")
    (runs.runs[0].folder / "predictions.npz").unlink()
    (runs.runs[2].folder / "predictions.npz").write_bytes(b"damaged")
    assert list(right_answers(runs, "upper", tmp_path / "data")) == [1]


def test_numbers_and_data_that_are_not_there_have_no_answers(tmp_path: Path) -> None:
    toys = ["toy-numbers", "toy-triplets"]
    statuses = trained(tmp_path, plan(Request(methods=["uniform"], datasets=toys, settings={"epochs": "1"}, seeds=[0])))
    for toy in toys:
        runs = runs_of(statuses, "uniform", toy)
        assert RunFolder(runs.runs[0].folder).predictions(runs.records[0])["upper"].dtype.kind == "f"
        assert right_answers(runs, "upper", tmp_path / "data") == {}
    elsewhere = dataclasses.replace(
        runs.runs[0], spec=plan(Request(methods=["uniform"], datasets=["mmnist2"], settings={}, seeds=[0]))[0]
    )
    assert right_answers(MethodRuns(title="", runs=(elsewhere,)), "LU", tmp_path / "data") == {}


SUITE = Suite(
    name="toys",
    title="",
    grid=(Grid(datasets=("toy-all",), methods=("single", "uniform")),),
    claim=(
        Claim(dataset="toy-all", contrast=("uniform", "single")),
        Claim(dataset="toy-all", contrast=("uniform", "single"), metric="lower"),
        Claim(dataset="toy-all", contrast=("uniform", "single"), metric="delta_m"),
        Claim(dataset="toy-all", contrast=("uniform", "single"), test="welch"),
    ),
)


def whole(statuses: Sequence[RunStatus]) -> SuiteRuns:
    (found,) = suite_runs(SUITE, statuses)
    return found


def test_a_claim_has_the_spread_over_runs_and_images_of_its_very_runs(statuses: list[RunStatus], place: Path) -> None:
    mean, lower, gain, unpaired = judge_claims(whole(statuses), place / "data")
    for each in (mean, lower):
        assert each.resampled is not None
        # By way of images it is the difference that the records' accuracies have.
        assert each.resampled.difference == pytest.approx(each.ours.difference, abs=1e-4)
        assert (each.resampled.runs, each.resampled.images) == (3, IMAGES)
        low, high = each.resampled.interval
        assert low < each.resampled.difference < high
    # Images alone, drawn anew one way by hand, already spread it by so much.
    first, second = (right_answers(runs_of(statuses, name), "lower", place / "data") for name in ("uniform", "single"))
    gains = 100 * np.mean([first[seed] - second[seed] for seed in range(3)], axis=0)  # (N,)
    assert lower.resampled is not None
    assert lower.resampled.std > 0.9 * gains.std(ddof=1) / IMAGES**0.5
    assert (gain.resampled, unpaired.resampled) == (None, None)


def test_one_run_without_answers_leaves_the_claim_without_that_spread(statuses: list[RunStatus], place: Path) -> None:
    lost = [
        dataclasses.replace(run, folder=Path("gone"))
        if (run.spec.seed, run.spec.titles.method) == (1, "single")
        else run
        for run in statuses
    ]
    mean, *_ = judge_claims(whole(lost), place / "data")
    assert mean.ours.n == 3
    assert mean.resampled is None
