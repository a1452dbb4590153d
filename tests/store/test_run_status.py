"""In what state a run is, and why."""

import dataclasses
import json
from pathlib import Path

import pytest

from mtbench import __version__
from mtbench.errors import NewerResults, StoreError
from mtbench.plan.spec import Choice, RunSpec
from mtbench.store.identity.fingerprint import NUMERICS
from mtbench.store.record import FORMAT, Code, Record, render_record
from mtbench.store.results import MARKER, find_runs, mark_results, run_folders
from mtbench.store.run.folder import RunFolder
from mtbench.store.run.lease import Lease
from mtbench.store.run.leased import leased
from mtbench.store.status import RunStatus, status_of, survey


def published(folder: Path, record: Record) -> RunFolder:
    run = RunFolder(folder)
    run.write_spec(record.spec)
    with leased(run) as held:
        held.publish(record, {}, {})
    return run


def state(folder: Path, spec: RunSpec) -> RunStatus:
    return status_of(folder, spec, folder / "no-data")


def test_a_run_that_nobody_began_is_missing(tmp_path: Path, spec: RunSpec) -> None:
    assert state(tmp_path / "nowhere", spec).state == "missing"


def test_a_leased_run_is_running_even_after_a_failure(tmp_path: Path, spec: RunSpec) -> None:
    RunFolder(tmp_path).write_failure(kind="exception", message="no")
    with Lease(tmp_path):
        assert state(tmp_path, spec).state == "running"


def test_a_failed_run_says_what_happened_and_how_often(tmp_path: Path, spec: RunSpec) -> None:
    run = RunFolder(tmp_path)
    run.write_failure(kind="killed", message="its process died")
    assert (state(tmp_path, spec).state, state(tmp_path, spec).why) == ("failed", "its process died")
    run.write_failure(kind="killed", message="its process died")
    assert state(tmp_path, spec).why == "its process died (2 attempts)"


def test_a_record_that_stands_is_fresh(tmp_path: Path, record: Record) -> None:
    run = published(tmp_path, record)
    found = state(tmp_path, record.spec)
    assert (found.state, found.why, found.record) == ("fresh", "", run.record())


def test_a_record_is_stale_when_the_harness_makes_other_numbers(tmp_path: Path, record: Record) -> None:
    marks = dataclasses.replace(record.fingerprints, numerics=0)
    published(tmp_path, dataclasses.replace(record, fingerprints=marks))
    found = state(tmp_path, record.spec)
    assert (found.state, found.why) == ("stale", f"NUMERICS 0 -> {NUMERICS}")
    assert found.record is not None


def test_a_record_is_stale_when_code_or_data_changed_and_says_which(tmp_path: Path, record: Record) -> None:
    old = Code(distribution="mtbench", version="0.1.0", hash="old")
    code = {**record.fingerprints.code, "network": old, "dataset": old}
    marks = dataclasses.replace(record.fingerprints, code=code, data="toy-0")
    published(tmp_path, dataclasses.replace(record, fingerprints=marks))
    assert state(tmp_path, record.spec).why == (
        "the network's code changed (mtbench_methods.networks.branches); "
        "the dataset's code changed (mtbench_toys.datasets); the data changed"
    )


def test_data_that_are_not_here_have_not_changed(
    tmp_path: Path, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mtbench_toys.datasets import AllTasks

    marks = dataclasses.replace(record.fingerprints, data="other")
    published(tmp_path, dataclasses.replace(record, fingerprints=marks))
    monkeypatch.setattr(AllTasks, "fingerprint", lambda _: "")
    assert state(tmp_path, record.spec).state == "fresh"


def test_a_record_whose_plugin_is_gone_is_stale(tmp_path: Path, record: Record) -> None:
    spec = dataclasses.replace(record.spec, network=Choice(name="gone"), dataset=Choice(name="lost"))
    published(tmp_path, dataclasses.replace(record, spec=spec))
    assert state(tmp_path, spec).why == "method 'gone' is no longer installed; dataset 'lost' is no longer installed"


@pytest.mark.parametrize("change", [lambda text: text[:-20], lambda text: text.replace("75.0", "76.0")])
def test_a_record_that_was_changed_is_damaged(tmp_path: Path, record: Record, change: object) -> None:
    run = published(tmp_path, record)
    path = run.path / "record.json"
    path.write_text(change(path.read_text()))  # type: ignore[operator]
    found = state(tmp_path, record.spec)
    assert (found.state, found.record) == ("damaged", None)
    assert f"the record {path} is damaged" in found.why


def test_the_record_of_another_run_is_damaged(tmp_path: Path, record: Record) -> None:
    published(tmp_path, record)
    assert "is that of another run" in state(tmp_path, dataclasses.replace(record.spec, seed=7)).why


def test_results_of_a_newer_mtbench_are_not_touched(tmp_path: Path, record: Record) -> None:
    published(tmp_path, record)
    (tmp_path / "record.json").write_text(render_record(dataclasses.replace(record, format=99)))
    with pytest.raises(NewerResults, match="has format 99"):
        state(tmp_path, record.spec)


def test_a_survey_finds_every_run_and_leaves_superseded_ones_out(tmp_path: Path, record: Record) -> None:
    mark_results(tmp_path)
    specs = [dataclasses.replace(record.spec, seed=seed) for seed in (10, 9, 0)]
    for spec in specs:
        RunFolder(tmp_path / spec.folder).write_spec(spec)
    run = published(tmp_path / specs[1].folder, dataclasses.replace(record, spec=specs[1]))
    with leased(run) as held:
        held.supersede()
    found = survey(tmp_path, tmp_path)
    assert [(status.spec.seed, status.state) for status in found] == [(0, "missing"), (9, "missing"), (10, "missing")]


def test_a_survey_knows_a_run_by_its_record_where_its_spec_is_torn(tmp_path: Path, record: Record) -> None:
    run = published(tmp_path / "a", record)
    (run.path / "spec.json").write_text("{")
    assert [status.state for status in survey(tmp_path, tmp_path)] == ["fresh"]
    (run.path / "record.json").unlink()
    with pytest.raises(StoreError, match=r"a/spec.json is not the spec of a run"):
        survey(tmp_path, tmp_path)


def test_a_survey_of_nothing_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"there is no results folder .*Name one with --results"):
        survey(tmp_path / "none", tmp_path)


def test_the_mark_of_a_newer_mtbench_is_refused_for_reading_and_writing(tmp_path: Path) -> None:
    mark_results(tmp_path)
    mark_results(tmp_path)
    assert json.loads((tmp_path / MARKER).read_text()) == {"format": FORMAT, "made_by": f"mtbench {__version__}"}
    (tmp_path / MARKER).write_text('{"format": 3}')
    for look in (mark_results, run_folders):
        with pytest.raises(NewerResults, match=r"has format 3, and this mtbench reads formats up to 2. Upgrade"):
            look(tmp_path)


def test_a_mark_that_cannot_be_read_is_told_with_the_mend(tmp_path: Path) -> None:
    (tmp_path / MARKER).write_text("?")
    with pytest.raises(StoreError, match="Delete it"):
        mark_results(tmp_path)


def test_a_run_is_found_under_the_title_it_was_made_under(tmp_path: Path, spec: RunSpec) -> None:
    renamed = dataclasses.replace(spec, titles=dataclasses.replace(spec.titles, method="a-new-alias"))
    assert find_runs(tmp_path, [renamed])[0].path == tmp_path / renamed.folder
    RunFolder(tmp_path / spec.folder).write_spec(spec)
    assert find_runs(tmp_path, [renamed])[0].path == tmp_path / spec.folder
