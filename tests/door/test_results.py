"""Results read from Python: one or several folders as frames, two methods compared, files for other programs."""

import dataclasses
import json
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import typer
from scipy.stats import ttest_rel

import mtbench
from mtbench.cli.app import app
from mtbench.cli.results.export import export
from mtbench.cli.results.report import report
from mtbench.engines.job import execute
from mtbench.errors import StoreError, UsageError
from mtbench.plan.grid import Request, plan
from mtbench.store.record import read_record, render_record
from mtbench.store.results import mark_results
from mtbench.store.run.folder import RunFolder
from tests.cli.commands import call


def train(results: Path, methods: Iterable[str], seeds: Iterable[int]) -> None:
    mark_results(results)
    request = Request(methods=list(methods), datasets=["toy-all"], settings={"epochs": "2"}, seeds=list(seeds))
    for spec in plan(request):
        run = RunFolder(results / spec.folder)
        run.write_spec(spec)
        execute(run, run.spec(), results, "cpu")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    train(folder, ["single", "uniform"], [0, 1, 2])
    return folder


@pytest.fixture
def copy(results: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(results, tmp_path / "copy"))


def alter(path: Path) -> None:
    """Make a record one of the same run on another day, with another accuracy."""
    record = read_record(path.read_bytes(), str(path))
    upper = record.results["test"]["upper"]
    test = {**record.results["test"], "upper": dataclasses.replace(upper, metrics={**upper.metrics, "accuracy": 12.5})}
    changed = dataclasses.replace(
        record, results={**record.results, "test": test}, finished="2027-01-01T00:00:00+00:00"
    )
    path.write_text(render_record(changed))


def test_a_frame_has_the_number_of_each_record(results: Path) -> None:
    frame = mtbench.load(results)
    assert set(frame.state) == {"fresh"}
    for path in results.rglob("record.json"):
        record = read_record(path.read_bytes(), str(path))
        rows = frame[(frame.id == record.spec.id) & (frame.split == "test") & frame.primary & (frame.task != "mean")]
        assert dict(zip(rows.task, rows.value, strict=True)) == {task.name: record.score(task) for task in record.tasks}


def test_the_last_epoch_of_the_curves_has_the_reported_metrics(results: Path) -> None:
    keys = ["method", "seed", "task", "metric"]
    whole, curve = mtbench.load(results), mtbench.curves(results)
    assert set(curve.epoch) == {1, 2}
    assert (curve.training_loss > 0).all()
    last = curve[(curve.epoch == 2) & (curve.split == "test")].set_index(keys).value
    reported = whole[(whole.split == "test") & (whole.task != "mean")].set_index(keys).value
    pd.testing.assert_series_equal(last.sort_index(), reported.sort_index())


def test_a_copy_of_a_folder_adds_nothing_and_other_runs_are_added(results: Path, copy: Path, tmp_path: Path) -> None:
    pd.testing.assert_frame_equal(mtbench.load([results, copy]), mtbench.load(results))
    train(tmp_path / "more", ["uniform"], [2, 3])
    shutil.rmtree(next((tmp_path / "more").glob("*/*/seed-2-*")))
    both = mtbench.load([results, tmp_path / "more"])
    assert set(both[both.method == "uniform"].seed) == {0, 1, 2, 3}
    assert len(mtbench.curves([tmp_path / "more", results])) == len(mtbench.curves(results)) * 7 / 6


def test_a_record_counts_before_a_run_without_one(results: Path, copy: Path) -> None:
    for path in copy.rglob("record.json"):
        path.unlink()
    assert set(mtbench.load(copy).state) == {"missing"}
    for folders in ([copy, results], [results, copy]):
        assert set(mtbench.load(folders).state) == {"fresh"}


def test_two_unlike_records_of_one_run_are_an_error_that_shows_both(results: Path, copy: Path) -> None:
    (path,) = copy.glob("toy-all/uniform/seed-1-*/record.json")
    alter(path)
    with pytest.raises(StoreError) as caught:
        mtbench.load([results, copy])
    place = path.parent.relative_to(copy)
    assert str(caught.value).startswith(
        f"one run (toy-all uniform seed 1) has two different records: {results / place} of "
    )
    assert f", and {copy / place} of 2027-01-01T00:00:00+00:00 (accuracy of upper: 12.5 %). Leave one" in str(
        caught.value
    )


def test_a_folder_that_is_not_there_is_named(results: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no results folder nowhere"):
        mtbench.load([results, "nowhere"])
    with pytest.raises(UsageError, match="there are no runs in nowhere"):
        mtbench.load("nowhere")
    with pytest.raises(UsageError, match="no results folder was given"):
        mtbench.load([])
    with pytest.raises(UsageError, match=r"there are no runs of dataset 'toy-al' in .*Did you mean 'toy-all'\?"):
        mtbench.compare(tmp_path if tmp_path == results else results, "single", "uniform", dataset="toy-al")


def test_two_methods_are_compared_by_the_paired_t_test_with_holms_correction(results: Path) -> None:
    frame = mtbench.compare(results, "single", "uniform").set_index("task")
    whole = mtbench.load(results)
    test = whole[(whole.split == "test") & whole.primary]
    values = test.pivot(index=["task", "seed"], columns="method", values="value").astype(float)
    tests = {task: ttest_rel(rows["single"], rows["uniform"]) for task, rows in values.groupby("task")}
    assert set(frame.index) == set(tests) == {"upper", "lower", "mean"}
    for task, found in tests.items():
        row, interval = frame.loc[str(task)], found.confidence_interval(0.95)
        assert row.n == 3
        assert row.difference == pytest.approx(row.mean_a - row.mean_b)
        assert (row.p, row.low, row.high) == pytest.approx((found.pvalue, interval.low, interval.high))
    first, second, third = sorted(frame.p)
    adjusted = np.maximum.accumulate([3 * first, 2 * second, third]).clip(max=1)
    assert sorted(frame.p_holm) == pytest.approx(adjusted)


def test_a_method_that_was_not_run_is_named_beside_those_that_were(results: Path) -> None:
    with pytest.raises(
        UsageError, match=r"no runs of method 'unifrm'\. Did you mean 'uniform'\? Methods there: single, uniform\."
    ):
        mtbench.compare(results, "single", "unifrm")
    with pytest.raises(UsageError, match="Methods there: none"):
        mtbench.compare(results, "single", "uniform", protocol="quick")


def test_the_runs_behind_a_number_are_those_that_the_command_prints(results: Path) -> None:
    said = call(app, "why", "toy-all", "uniform", "delta-m", str(results), "--json").output
    found = mtbench.why(results, "toy-all", "uniform", "delta-m")
    assert found == json.loads(said)
    assert [(run["method"], run["seed"]) for run in found["runs"]] == [
        (method, seed) for method in ("uniform", "single") for seed in range(3)
    ]
    with pytest.raises(UsageError, match="there is no column 'delta'"):
        mtbench.why(results, "toy-all", "uniform", "delta")


def test_a_report_from_python_prints_the_lines_of_the_command(
    results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    mtbench.report(results, out=tmp_path / "a")
    printed = capsys.readouterr().out
    app = typer.Typer()
    app.command()(report)
    shown = call(app, str(results), "--out", str(tmp_path / "b")).output
    assert shown.partition("Written to")[0] == printed
    assert 80 < max(map(len, printed.splitlines())) <= 100


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_an_exported_file_reads_back_as_the_frame(
    results: Path, tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path, frame = tmp_path / "made" / f"all{suffix}", mtbench.load(results)
    export(out=path, folders=[results])
    read = pd.read_parquet(path) if suffix == ".parquet" else pd.read_csv(path)
    pd.testing.assert_frame_equal(read.astype(dict(frame.dtypes)).fillna({"why": ""}), frame)
    assert capsys.readouterr().out.split() == f"{len(frame)} rows of 6 runs are written to {path}".split()


def test_what_cannot_be_exported_is_told(results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"--out is '.*all\.xlsx'\. Allowed: a file that ends with \.csv or \.parquet"):
        export(out=tmp_path / "all.xlsx", folders=[results])
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UsageError, match=r"Parquet needs the package pyarrow.*pip install 'mtbench\[parquet\]'"):
        export(out=tmp_path / "all.parquet", folders=[results])
    assert list(tmp_path.iterdir()) == []
