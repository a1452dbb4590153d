"""Metrics derived again from stored predictions and labels."""

import dataclasses
import hashlib
import io
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mtbench.door.checks.recompute import Recomputed, recompute
from mtbench.door.checks.runs import finished_runs
from mtbench.plan.spec import Choice
from mtbench.store.pack.contents import collect
from mtbench.store.pack.write import write_pack
from mtbench.store.record import Constant, CurvePoint, Record, StoredPredictions
from mtbench.store.run.folder import RunFolder
from mtbench_toys.datasets import AllTasks, Toy
from tests.builders.kept import kept
from tests.door.checks.trained import forge, pack, train, with_metric

KINDS = ("toy-all", "toy-partial", "toy-numbers", "toy-surfaces", "toy-retrieval")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(tmp_path_factory.mktemp("trained"), KINDS, [0])


@pytest.fixture
def results(trained: Path, tmp_path: Path) -> Path:
    """A folder with one run on toy-all, which a test may change."""
    (run,) = trained.glob("toy-all/*/*")
    shutil.copytree(run, tmp_path / "mine" / Path(*run.parts[-3:]))
    return tmp_path / "mine"


def folder_of(results: Path) -> Path:
    (run,) = results.glob("*/*/seed-*")
    return run


def found(place: Path) -> Recomputed:
    return recompute(finished_runs(place), Path())


def test_every_metric_of_every_kind_of_task_is_equal_to_the_last_digit(trained: Path, tmp_path: Path) -> None:
    for place in (trained, pack(trained, tmp_path / "x.zip")):
        checked = found(place)
        assert [run.name.partition("/")[0] for run in checked.equal] == sorted(KINDS)
        assert not checked.differing
        assert not checked.unverifiable
        assert not checked.rounded


def test_metrics_that_need_more_than_what_is_stored_are_named(trained: Path) -> None:
    assert {name.partition("/")[0]: names for name, names in found(trained).without.items()} == {
        "toy-retrieval": ("map",)
    }


FORGERIES: dict[str, tuple[Callable[[Record], Record], str]] = {
    "a metric": (
        lambda record: with_metric(record, "test", "lower", accuracy=99.0),
        "test, lower, accuracy: stored 99.0, derived ",
    ),
    "the last digit of a metric": (
        lambda record: with_metric(
            record,
            "test",
            "upper",
            macro_f1=float(np.nextafter(record.results["test"]["upper"].metrics["macro-f1"], 200)),
        ),
        "test, upper, macro-f1: stored ",
    ),
    "the number of labels": (
        lambda record: with_metric(record, "test", "upper", count=47),
        "test, upper, labels: stored 47, derived 48",
    ),
    "a loss": (
        lambda record: with_metric(record, "test", "upper", loss=0.01),
        "test, upper, loss (derived: the last point of the curve): stored 0.01, derived ",
    ),
    "a metric of training": (
        lambda record: with_metric(record, "train", "upper", accuracy=100.0),
        "train, upper, accuracy (derived: the last point of the curve): stored 100.0, derived ",
    ),
    "a constant prediction": (
        lambda record: dataclasses.replace(
            record,
            constants={
                **record.constants,
                "lower": Constant(
                    name="majority class", metrics={**record.constants["lower"].metrics, "accuracy": 1.0}
                ),
            },
        ),
        "test, lower, accuracy of the majority class: stored 1.0, derived ",
    ),
    "the direction of a metric": (
        lambda record: dataclasses.replace(
            record,
            tasks=tuple(
                dataclasses.replace(
                    task, metrics=(dataclasses.replace(task.metrics[0], higher_is_better=False), *task.metrics[1:])
                )
                for task in record.tasks
            ),
        ),
        "upper, higher is better of accuracy: stored False, derived True",
    ),
    "the names of tasks": (
        lambda record: dataclasses.replace(record, tasks=record.tasks[:1]),
        "tasks: stored upper, derived upper, lower",
    ),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_record_that_was_sealed_again_is_found_by_name(results: Path, tmp_path: Path, name: str) -> None:
    change, expected = FORGERIES[name]
    run = forge(folder_of(results), change)
    for place in (results, pack(results, tmp_path / "x.zip")):
        checked = found(place)
        assert not checked.equal
        ((forged, differences),) = checked.differing
        assert forged.name == run
        assert str(differences[0]).startswith(expected)


def test_predictions_and_their_sum_that_were_both_changed_are_found(results: Path, tmp_path: Path) -> None:
    folder = folder_of(results)
    record = RunFolder(folder).record()
    assert record is not None
    stored = RunFolder(folder).predictions(record)
    stored["upper"][0] = (stored["upper"][0] + 1) % 4
    archive = io.BytesIO()
    np.savez_compressed(archive, allow_pickle=False, **stored)
    (folder / "predictions.npz").write_bytes(archive.getvalue())
    size, sum_ = len(archive.getvalue()), hashlib.sha256(archive.getvalue()).hexdigest()
    forge(
        folder,
        lambda old: dataclasses.replace(
            old, files={**old.files, "predictions.npz": sum_}, sizes={**old.sizes, "predictions.npz": size}
        ),
    )
    for place in (results, pack(results, tmp_path / "x.zip")):
        ((_, differences),) = found(place).differing
        assert {difference.task for difference in differences} == {"upper"}
        assert "macro-f1" in {difference.metric for difference in differences}


@pytest.mark.parametrize(
    ("array", "why"),
    [
        (np.full(48, 9, np.uint8), "cannot be scored: "),
        (np.zeros(47, np.uint8), "are of shape (47,), and the test split has 48 examples"),
        (np.zeros(48, np.float32), "are float32, and the kind of the task stores uint8"),
    ],
)
def test_predictions_that_cannot_be_those_of_the_test_split_are_found(
    results: Path, array: NDArray[Any], why: str
) -> None:
    folder = folder_of(results)
    archive = io.BytesIO()
    np.savez_compressed(archive, allow_pickle=False, upper=array, lower=np.zeros(48, np.uint8))
    (folder / "predictions.npz").write_bytes(archive.getvalue())
    sum_ = hashlib.sha256(archive.getvalue()).hexdigest()
    forge(folder, lambda old: dataclasses.replace(old, files={**old.files, "predictions.npz": sum_}))
    ((_, differences),) = found(results).differing
    assert str(differences[0]).startswith(f"test, upper: stored predictions, derived {why}")


def test_one_changed_byte_of_predictions_is_found(results: Path) -> None:
    path = folder_of(results) / "predictions.npz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    ((_, differences),) = found(results).differing
    assert differences[0].metric == "predictions.npz"


def without(record: Record, **fields: object) -> Record:
    return dataclasses.replace(record, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda record: without(record, spec=dataclasses.replace(record.spec, trial=True)), "a trial of a search"),
        (
            lambda record: without(
                record,
                predictions={task.name: StoredPredictions(why_not="they take 1 GB.") for task in record.tasks},
            ),
            "they take 1 GB",
        ),
        (lambda record: without(record, files={}), "the record has no sum of predictions.npz"),
        (
            lambda record: without(record, spec=dataclasses.replace(record.spec, dataset=Choice(name="nobodys"))),
            "dataset 'nobodys' is not installed",
        ),
    ],
)
def test_runs_that_cannot_be_verified_are_named_with_the_reason(
    results: Path, change: Callable[[Record], Record], why: str
) -> None:
    run = forge(folder_of(results), change)
    checked = found(results)
    ((reason, runs),) = checked.unverifiable.items()
    assert reason.startswith(why)
    assert [each.name for each in runs] == [run]
    assert not checked.differing
    assert not checked.equal


def test_predictions_that_are_not_here_are_unverifiable(results: Path) -> None:
    (folder_of(results) / "predictions.npz").unlink()
    assert list(found(results).unverifiable) == ["predictions.npz is not here"]


def test_predictions_that_a_pack_leaves_out_for_their_size_are_unverifiable_with_that_reason(
    results: Path, tmp_path: Path
) -> None:
    contents = collect(results, weights=False, largest=10)
    write_pack(tmp_path / "x.zip", contents.members, contents.left_out)
    ((reason, runs),) = found(tmp_path / "x.zip").unverifiable.items()
    assert reason.startswith("predictions.npz is not here (left out of the pack: predictions of ")
    assert len(runs) == 1


def test_data_that_are_not_on_this_machine_are_named_and_others_go_on(
    trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AllTasks, "fingerprint", lambda _: "", raising=False)
    checked = found(trained)
    assert list(checked.unverifiable) == [
        "the data of toy-all are not on this machine (`mtbench data prepare toy-all` makes or fetches them)"
    ]
    assert len(checked.equal) == len(KINDS) - 1


def test_other_data_than_those_of_the_record_are_found_with_both_sums(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Toy, "fingerprint", lambda _: "toy-2")
    ((_, differences),) = found(results).differing
    assert str(differences[0]) == ("data: stored toy-1, derived the data of toy-all on this machine have the sum toy-2")


def test_a_changed_label_in_a_file_of_the_data_is_found_by_name(data_root: Path, tmp_path: Path) -> None:
    (tmp_path / "mnist").mkdir()
    for path in (data_root / "mnist").iterdir():
        (tmp_path / "mnist" / path.name).symlink_to(path)
    labels = tmp_path / "mnist" / "t10k-labels-idx1-ubyte"
    content = bytearray(labels.read_bytes())
    labels.unlink()
    content[-1] ^= 1
    labels.write_bytes(content)
    (first, *_) = kept("2026-11-29-levi2020-two-digits")
    checked = recompute(finished_runs(first), tmp_path)
    assert not checked.equal
    for _, differences in checked.differing:
        assert differences[0].metric == "data"
        assert labels.name in str(differences[0].derived)


def test_sums_of_another_machine_are_equal_to_nine_digits_and_said_to_be(trained: Path, tmp_path: Path) -> None:
    (run,) = trained.glob("toy-surfaces/*/*")
    target = tmp_path / "mine" / Path(*run.parts[-3:])
    shutil.copytree(run, target)

    def elsewhere(record: Record, change: float) -> Record:
        before = record.results["test"]["normal"].metrics["mean-angle"]
        numerics = dataclasses.replace(record.numerics, processor="another")
        changed = with_metric(record, "test", "normal", mean_angle=before * (1 + change))
        curve: tuple[CurvePoint, ...] = ()
        return dataclasses.replace(changed, numerics=numerics, curve=curve)

    forge(target, lambda record: elsewhere(record, 1e-12))
    assert [len(found(tmp_path / "mine").equal), len(found(tmp_path / "mine").rounded)] == [1, 1]
    forge(target, lambda record: elsewhere(record, 1e-6))
    assert len(found(tmp_path / "mine").differing) == 1


def test_a_metric_that_was_added_after_training_makes_no_difference(results: Path) -> None:
    def without_f1(record: Record) -> Record:
        tasks = {
            name: dataclasses.replace(
                result, metrics={key: value for key, value in result.metrics.items() if key != "macro-f1"}
            )
            for name, result in record.results["test"].items()
        }
        return dataclasses.replace(record, results={**record.results, "test": tasks}, curve=())

    forge(folder_of(results), without_f1)
    assert len(found(results).equal) == 1


def test_a_run_with_a_wrong_file_is_not_recomputed(results: Path) -> None:
    runs = finished_runs(results)
    checked = recompute(runs, Path(), wrong=[runs[0].folder.path])
    assert not checked.equal
    assert checked.differing == [(runs[0], [])]
