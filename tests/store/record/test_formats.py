"""`format-1` is a folder that version 0.1.0 of mtbench made with records of format 1, weights left out."""

import json
import math
import shutil
from pathlib import Path

import pytest

from mtbench.cli.app import app
from mtbench.plan.grid import Request, plan
from mtbench.store.record import FORMAT, read_record, render_record
from mtbench.store.results import MARKER, check_results, find_runs, mark_results
from mtbench.store.run.folder import RunFolder
from mtbench.store.status import survey
from mtbench.store.study import read_studies
from tests.cli.commands import call

OLD = Path(__file__).with_name("format-1")
RUNS = sorted(path.parent for path in OLD.rglob("record.json"))


@pytest.mark.parametrize("folder", RUNS, ids=lambda folder: folder.name)
def test_a_run_of_format_1_is_read_and_keeps_its_identity(folder: Path) -> None:
    run = RunFolder(folder)
    record, written = run.record(), json.loads((folder / "record.json").read_text())["record"]
    assert record is not None
    assert folder.name == f"seed-{record.spec.seed}-{record.spec.id}" == f"seed-{run.spec().seed}-{run.spec().id}"
    assert record.spec == run.spec()
    assert record.spec.protocol.fraction == written["spec"]["protocol"]["share"]
    for task, before in zip(record.tasks, written["tasks"], strict=True):
        assert (task.name, task.metric, task.unit) == (before["name"], before["metric"], before["unit"])
        assert record.score(task) == written["results"]["test"][task.name]["metrics"][task.metric]
    assert record.numerics.libraries == {"torch": written["environment"]["torch"]}
    assert record.numerics.processor == written["environment"]["processor"]
    assert record.selected_epoch == written["curve"][-1]["epoch"]


@pytest.mark.parametrize(
    ("method", "dataset", "settings", "title"),
    [
        ("moo:normalize=loss+", "toy-partial", {"fraction": ".5"}, "moo:normalize=loss+"),
        ("moo:normalise=loss+", "toy-partial", {"share": ".5"}, "moo:normalize=loss+"),
        ("chmod:regularizer=.1:triple=upper/lower/same", "toy-partial", {"fraction": ".5"}, "chmod:regularizer=0.1:"),
        ("chmod:regulariser=.1:triple=upper/lower/same", "toy-partial", {"share": ".5"}, "chmod:regularizer=0.1:"),
    ],
)
def test_what_was_asked_with_former_names_is_found_by_former_and_present_ones(
    method: str, dataset: str, settings: dict[str, str], title: str
) -> None:
    asked = {"epochs": "2", "diagnostics": "conflict/selectivity", **settings}
    spec = plan(Request(methods=[method], datasets=[dataset], settings=asked, seeds=[0]))[0]
    (run,) = find_runs(OLD, [spec])
    assert run.has_record
    assert spec.titles.method.startswith(title)
    assert spec.titles.protocol == "paper, epochs=2, fraction=0.5, diagnostics=conflict/selectivity"


def test_a_study_of_format_1_is_read() -> None:
    (study,) = read_studies(OLD)
    assert [task.name for task in study.tasks] == ["upper", "lower"]
    assert study.finished == 2


def test_status_and_report_read_a_folder_of_format_1(tmp_path: Path) -> None:
    assert {run.state for run in survey(OLD, tmp_path)} <= {"stale", "fresh"}
    copy = shutil.copytree(OLD, tmp_path / "results")
    report = call(app, "report", "--results", str(copy), "--out", str(tmp_path / "out"))
    assert report.exit_code == 0, report.output
    tables = "".join(path.read_text() for path in (tmp_path / "out").glob("*.md"))
    assert "moo:normalise=loss+" in tables
    assert "fraction=0.5" in tables
    assert "share=0.5" not in tables


def test_a_folder_of_format_1_is_marked_anew_once_something_is_written_to_it(tmp_path: Path) -> None:
    shutil.copy(OLD / MARKER, tmp_path)
    assert check_results(tmp_path) == 1
    mark_results(tmp_path)
    assert check_results(tmp_path) == FORMAT


def test_a_record_is_strict_json_in_which_an_undefined_number_is_null(tmp_path: Path) -> None:
    record = RunFolder(RUNS[0]).record()
    assert record is not None
    name = record.tasks[0].name
    record.results["test"][name].metrics["f1"] = math.nan  # type: ignore[index]

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    text = render_record(record)
    read = json.loads(text, parse_constant=refuse)
    assert read["record"]["results"]["test"][name]["metrics"]["f1"] is None
    assert math.isnan(read_record(text, str(tmp_path)).results["test"][name].metrics["f1"])
