"""``mtbench diff``: two results folders or packs, of which one thing was changed."""

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import mtbench
from mtbench.cli.app import app
from mtbench.errors import StoreError
from mtbench.plan.grid import Request, plan
from mtbench.plan.suite.file import find_suite
from mtbench.store.record import Code, CurvePoint, Measurement, Record, TaskResult, render_record
from mtbench.store.run.folder import RunFolder
from mtbench.store.study import Spent, read_study, study_files, write_study
from mtbench.store.suites.declaration import declare
from mtbench.store.suites.resolutions import write_resolution
from tests.builders.kept import RESULTS
from tests.builders.published import publish
from tests.builders.records import accuracies, record_of
from tests.builders.resolutions import TAKEN
from tests.cli.commands import call


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with two runs in ``a``."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MTBENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    publish(Path("a"), record())
    return tmp_path


def record(accuracy: float = 75.0) -> Record:
    (spec,) = plan(Request(methods=["td"], datasets=["toy-all"], settings={}, seeds=[0]))
    results = {"test": {"upper": TaskResult(loss=0.5, count=48, metrics={"accuracy": accuracy})}}
    curve = (CurvePoint(epoch=1, steps=6, label_uses=192, train_losses={"upper": math.nan}, results=results),)
    return record_of(spec, accuracies("upper"), results, curve=curve)


def again(change: Callable[[Record], Record]) -> None:
    """Publish the runs of ``a`` into ``b``, with the record of seed 1 changed."""
    publish(Path("b"), record())
    (path,) = Path("b").glob("*/*/seed-1-*/record.json")
    known = RunFolder(path.parent).record()
    assert known is not None
    path.write_text(render_record(change(known)))


def differing(code: int, *places: str) -> str:
    """Return the print of the command, whose exit code, like the frame from Python, says whether the places differ."""
    places = places or ("a", "b")
    done = call(app, "diff", *places)
    assert done.exit_code == code, done.output
    assert mtbench.diff(*places)["counts"].any() == bool(code)
    return done.output


def test_a_folder_and_its_pack_are_the_same() -> None:
    assert call(app, "store", "pack", "a", "x.zip").exit_code == 0
    said = differing(0, "a", "x.zip")
    assert "a: 2 finished runs\nx.zip: 2 finished runs\nIn both: 2 runs\n" in said
    assert "Numbers: equal to the bit in 2 runs, different in 0" in said
    assert "They are the same." in said


def test_one_changed_number_is_named_with_its_run_and_its_size() -> None:
    def change(known: Record) -> Record:
        return dataclasses.replace(known, results=record(75.25).results)

    again(change)
    (path,) = Path("a").glob("*/*/seed-1-*")
    said = differing(1)
    assert "Numbers: equal to the bit in 1 run, different in 1\n" in said
    place = f"results test upper metrics accuracy of toy-all, paper, td, seed 1 ({path.name.rpartition('-')[2]})"
    assert f"  accuracy (test): 75.0 and 75.25 (difference 0.25), {place}\n" in said
    assert "Code and data: equal in 2 runs, different in 0" in said
    assert "They differ." in said
    (row,) = mtbench.diff("a", "b").to_dict("records")
    named = [row[name] for name in ("kind", "method", "seed", "name", "first", "second")]
    assert named == ["number", "td", 1, "results, test, upper, metrics, accuracy", 75.0, 75.25]


def test_the_smallest_change_of_a_curve_is_found_and_an_undefined_number_is_none() -> None:
    def change(known: Record) -> Record:
        (point,) = known.curve
        results = {"test": {"upper": dataclasses.replace(point.results["test"]["upper"], loss=0.5 + 2**-52)}}
        return dataclasses.replace(known, curve=(dataclasses.replace(point, results=results),))

    again(change)
    assert "loss (test, curve): 0.5 and 0.5000000000000002 (difference 2.22e-16)" in differing(1)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"torch": "2.10.0"}, "torch version: 2.9.0 and 2.10.0 (1 run)"),
        ({"processor": "other"}, "processor: some and other (1 run)"),
        ({"seconds": 9.0}, "seconds (1 run)"),
        ({"memory": 7}, "memory (1 run)"),
    ],
)
def test_runs_that_differ_in_versions_machine_seconds_or_memory_alone_are_equal_and_said_so(
    change: dict[str, Any], expected: str
) -> None:
    def changed(known: Record) -> Record:
        numerics, cost = known.numerics, known.cost
        numerics = dataclasses.replace(
            numerics,
            libraries={"torch": change.get("torch", "2.9.0")},
            processor=change.get("processor", numerics.processor),
        )
        cost = dataclasses.replace(
            cost,
            wall_seconds=change.get("seconds", cost.wall_seconds),
            peak_memory=change.get("memory", cost.peak_memory),
        )
        return dataclasses.replace(known, numerics=numerics, cost=cost, finished="2027-01-01T00:00:00+00:00")

    again(changed)
    said = differing(0)
    assert "Circumstances that differ, with equal numbers in 1 run:" in said
    assert f"  {expected}\n" in said


def test_a_seed_that_one_side_lacks_is_named() -> None:
    publish(Path("b"), record(), [1, 2])
    said = differing(1)
    assert "In both: 1 run\nIn a alone: 1 run\n  toy-all, paper, td, seed 0\n" in said
    assert "In b alone: 1 run\n  toy-all, paper, td, seed 2\n" in said
    frame = mtbench.diff("a", "b")
    assert frame[["kind", "seed", "first", "second"]].values.tolist() == [
        ["run", 0, True, False],
        ["run", 2, False, True],
    ]


def test_code_and_data_that_differ_are_named_by_file_where_the_record_has_its_hash() -> None:
    def with_code(known: Record, digits: str, modules: dict[str, str], data: str = "toy-1") -> Record:
        code = {
            "network": Code(distribution="mtbench", version="0.2.0", hash=digits * 64, modules=modules),
            "backbone": Code(distribution="mtbench", version="0.2.0", hash=digits * 64),
        }
        return dataclasses.replace(known, fingerprints=dataclasses.replace(known.fingerprints, code=code, data=data))

    for path in Path("a").glob("*/*/seed-*/record.json"):
        known = RunFolder(path.parent).record()
        assert known is not None
        path.write_text(render_record(with_code(known, "a", {"one": "1", "two": "2"})))
    again(lambda known: with_code(known, "b", {"one": "1", "two": "3", "three": "4"}, "toy-2"))
    said = differing(1)
    assert "  network td: three, two (1 run)\n" in said
    assert "  backbone lenet: hash aaaaaaaaaaaa and bbbbbbbbbbbb, without hashes of single files (1 run)" in said
    assert "  data toy-1 and toy-2 (1 run)\n" in said
    assert "network: no hash in one of the records (1 run)" in said


def test_a_field_that_an_earlier_mtbench_did_not_store_is_no_difference() -> None:
    measured = {"ceiling": Measurement(value=1.0)}
    again(lambda known: dataclasses.replace(known, measurements=measured, sizes={}, notes=("resumed",)))
    said = differing(0)
    assert "  measurements 'ceiling' in b alone (1 run)\n" in said
    assert "They are the same." in said


def test_a_point_and_a_split_that_one_record_alone_has_are_differences() -> None:
    again(lambda known: dataclasses.replace(known, curve=known.curve * 2))
    assert "curve: 1 and 2 (difference 1)" in differing(1)
    again(lambda known: dataclasses.replace(known, results={**known.results, "val": known.results["test"]}))
    assert "val (results): none and 1, results val of toy-all" in differing(1)


def test_a_damaged_record_an_unfinished_run_and_another_file_are_said() -> None:
    again(lambda known: dataclasses.replace(known, files={**known.files, "predictions.npz": "0" * 64}))
    (path,) = Path("b").glob("*/*/seed-0-*/record.json")
    path.write_text(path.read_text().replace("75.0", "76.0"))
    (planned,) = plan(Request(methods=["single"], datasets=["toy-all"], settings={}, seeds=[0]))
    RunFolder(Path("b", planned.folder)).write_spec(planned)
    said = differing(1)
    assert "b: 2 finished runs, and 1 without a record, which are not compared" in said
    assert f"the record {path} is damaged" in said
    assert "seed 1" in next(line for line in said.splitlines() if "the sum of predictions.npz" in line)


def test_declared_suites_are_compared_in_a_line_each() -> None:
    again(lambda known: known)
    declare(Path("a"), find_suite("levi2020-table1"))
    assert "Suite levi2020-table1: declared in a alone\n" in differing(1)
    declare(Path("b"), find_suite("levi2020-table1"))
    assert "Suite levi2020-table1: declared with the same content\n" in differing(0)


def test_weights_that_rows_take_from_other_rows_are_compared_in_a_line_each() -> None:
    again(lambda known: known)
    mine = dataclasses.replace(TAKEN, size="paper")
    title = "Suite mine, paper: weights of branches+fixed:from=nash-mtl on mmnist2, lr=0.001"
    write_resolution(Path("a"), mine)
    assert f"{title}, in a alone\n" in differing(1)
    write_resolution(Path("b"), mine)
    assert f"{title}, the same\n" in differing(0)
    publish(Path("c"), record())
    write_resolution(Path("c"), dataclasses.replace(mine, weights=(0.5, 0.5), runs=("b2",)))
    assert f"{title}, 0.25/0.75 and 0.5/0.5, of other runs\n" in differing(1, "a", "c")


def test_searches_are_compared_by_their_trials_and_findings_in_a_line_each() -> None:
    pack = RESULTS / "2026-11-24-mmnist2-search" / "searches.zip"
    assert call(app, "store", "unpack", str(pack), "searches").exit_code == 0
    assert "Search on mmnist2, branches+fixed:weights=0.5/0.5: same\n" in differing(0, str(pack), "searches")
    (path,) = study_files(Path("searches"))
    study = read_study(path)
    write_study(path.parent, dataclasses.replace(study, spent=Spent(seconds=1.0)))
    differing(0, str(pack), "searches")
    write_study(path.parent, dataclasses.replace(study, trials=study.trials[:-1]))
    expected = f"{study.finished} and {study.finished - 1} finished trials, which differ in trials"
    assert expected in differing(1, str(pack), "searches")


def test_a_folder_that_is_not_there_is_an_error() -> None:
    with pytest.raises(StoreError, match="there is no results folder nowhere"):
        call(app, "diff", "a", "nowhere")
