"""``mtbench rescore``: metrics from stored predictions, beside the recorded ones."""

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import confusion_matrix, f1_score

from mtbench.cli.app import app
from mtbench.errors import UsageError
from mtbench.store.record import Record
from mtbench.store.run.folder import RunFolder
from mtbench_toys.datasets import AllTasks
from tests.cli.commands import call
from tests.door.checks.trained import forge, pack, train, with_metric


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(tmp_path_factory.mktemp("trained"), ["toy-all", "toy-surfaces"], [0])


@pytest.fixture(autouse=True)
def place(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    shutil.copytree(trained, tmp_path / "mine")
    return tmp_path


def rescored(*words: str) -> tuple[str, pd.DataFrame]:
    done = call(app, "rescore", *words, "--out", "scores.csv")
    assert done.exit_code == 0, done.output
    return done.output, pd.read_csv("scores.csv")


def answers() -> tuple[Record, dict[str, tuple[np.ndarray, np.ndarray]]]:
    """Return the record of the run on toy-all, and by task the true and predicted classes."""
    (folder,) = Path("mine").glob("toy-all/*/*")
    record = RunFolder(folder).record()
    assert record is not None
    test = AllTasks(AllTasks.Options(), Path()).load("test", validation=False)
    stored = RunFolder(folder).predictions(record)
    return record, {
        task.name: (target.numpy(), stored[task.name]) for task, target in zip(record.tasks, test.targets, strict=True)
    }


def test_every_metric_is_a_row_beside_the_recorded_value(place: Path) -> None:
    pack(place / "mine", place / "x.zip")
    for results in ("mine", "x.zip"):
        said, frame = rescored(results)
        assert "left out" not in said
        assert "are not those of the records" not in said
        assert set(frame["dataset"]) == {"toy-all", "toy-surfaces"}
        assert (frame["value"] == frame["recorded"]).all()
        assert set(frame["split"]) == {"test"}
    record, known = answers()
    for task, (true, predicted) in known.items():
        row = frame[(frame.id == record.spec.id) & (frame.task == task) & (frame.metric == "macro-f1")]
        expected = 100 * f1_score(true, predicted, average="macro", labels=np.unique(true))
        assert row["value"].item() == pytest.approx(expected)


def test_a_metric_that_the_record_lacks_is_added_and_one_that_differs_is_shown(place: Path) -> None:
    (folder,) = (place / "mine").glob("toy-all/*/*")

    def older(record: Record) -> Record:
        before = record.results["test"]["upper"]
        metrics = {name: value for name, value in before.metrics.items() if name != "macro-f1"}
        result = dataclasses.replace(before, metrics=metrics)
        changed = dataclasses.replace(
            record, results={**record.results, "test": {**record.results["test"], "upper": result}}
        )
        return with_metric(changed, "test", "lower", accuracy=1.5)

    forge(folder, older)
    before = (folder / "record.json").read_bytes()
    said, frame = rescored("mine", "--metric", "macro-f1,accuracy")
    assert "1 values are of metrics that the records lack: macro-f1" in said
    assert "toy-all uniform seed 0, lower, accuracy: recorded 1.5, now " in said
    assert set(frame["metric"]) == {"macro-f1", "accuracy"}
    assert frame["recorded"].isna().sum() == 1
    assert (folder / "record.json").read_bytes() == before


def test_confusion_matrices_are_those_of_scikit_learn() -> None:
    rescored("mine", "--confusion", "counts.csv")
    frame = pd.read_csv("counts.csv")
    record, known = answers()
    for task, (true, predicted) in known.items():
        mine = frame[(frame.id == record.spec.id) & (frame.task == task)]
        matrix = mine.pivot(index="true", columns="predicted", values="count").to_numpy()
        assert (matrix == confusion_matrix(true, predicted, labels=range(4))).all()


def test_maps_of_classes_are_counted_by_pixels_and_numbers_not_at_all() -> None:
    rescored("mine", "--confusion", "counts.csv")
    frame = pd.read_csv("counts.csv")
    tasks = set(frame[frame.dataset == "toy-surfaces"]["task"])
    assert tasks
    assert not tasks & {"depth", "normal"}


def test_runs_without_predictions_are_left_out_with_the_reason(place: Path) -> None:
    (folder,) = (place / "mine").glob("toy-all/*/*")
    (folder / "predictions.npz").unlink()
    said, frame = rescored("mine")
    assert "1 runs are left out: predictions.npz is not here: toy-all uniform seed 0" in said
    assert set(frame["dataset"]) == {"toy-surfaces"}


def test_a_metric_that_no_task_has_is_refused() -> None:
    with pytest.raises(UsageError, match=r"--metric is 'acuracy'.*accuracy"):
        call(app, "rescore", "mine", "--metric", "acuracy", "--out", "scores.csv")
    with pytest.raises(UsageError, match=r"--out is 'scores.txt'"):
        call(app, "rescore", "mine", "--out", "scores.txt")
