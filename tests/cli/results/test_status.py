"""``mtbench status --why``: the reasons for the state of one run, by name."""

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from mtbench.cli.app import app
from mtbench.errors import UsageError
from mtbench.plan.grid import Request, plan
from mtbench.plan.spec import RunSpec
from mtbench.registry import find, module_path
from mtbench.store.identity.fingerprint import NUMERICS, code, fingerprints
from mtbench.store.record import Fingerprints, TaskResult
from mtbench.store.results import mark_results
from mtbench.store.run.folder import RunFolder
from mtbench.store.run.lease import Lease
from mtbench.store.trust import Earned, record_sum, write_earned
from tests.builders.published import publish
from tests.builders.records import accuracies, record_of
from tests.cli.commands import call

NETWORK = "mtbench_methods.networks.td.network"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MTBENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


def planned() -> RunSpec:
    return plan(Request(methods=["td"], datasets=["toy-all"], settings={}, seeds=[0]))[0]


def finished(marks: Fingerprints) -> RunSpec:
    """Publish a run of td into ``kept`` with some fingerprints, and return its spec."""
    results = {"test": {"upper": TaskResult(loss=0.5, count=48, metrics={"accuracy": 75.0})}}
    record = record_of(planned(), accuracies("upper"), results, fingerprints=marks)
    (spec,) = publish(Path("kept"), record, [0])
    return spec


def with_modules(marks: Fingerprints, modules: Mapping[str, str]) -> Fingerprints:
    """Return fingerprints with another network, of these modules."""
    network = dataclasses.replace(marks.code["network"], hash="0" * 64, modules=modules)
    return dataclasses.replace(marks, code={**marks.code, "network": network})


def why(run: str, *places: str) -> str:
    done = call(app, "status", "--why", run, *(places or ("kept",)))
    assert done.exit_code == 0, done.output
    return done.output


def test_a_fresh_run_is_said_to_be_fresh_with_all_that_was_compared() -> None:
    marks = fingerprints(planned(), "toy-1")
    said = why(finished(marks).id)
    assert "is fresh: everything that makes its numbers is as in its record." in said
    assert said.count(" same ") == 6
    assert marks.code["network"].hash[:12] in said
    assert "--refresh" not in said


def test_the_module_that_changed_is_named_with_both_hashes_and_its_file() -> None:
    marks = fingerprints(planned(), "toy-1")
    present = code(find("method", "td")).modules
    other = {**present, NETWORK: "0123456789abcdef", "mtbench_methods.networks.td.gone": "fedcba9876543210"}
    said = why(finished(with_modules(marks, other)).id)
    assert f"{NETWORK}: hash 0123456789ab -> {present[NETWORK][:12]} ({module_path(NETWORK)})" in said
    assert "mtbench_methods.networks.td.gone: hash fedcba987654 -> none\n" in said
    assert said.count(": hash ") == 2
    assert "mtbench run --methods td --dataset toy-all --protocol paper --seeds 0, --refresh stale" in said


def test_the_numbers_the_data_and_the_version_that_changed_have_their_old_and_new_values() -> None:
    marks = fingerprints(planned(), "toy-0")
    older = dataclasses.replace(marks.code["balancer"], version="0.0.9")
    said = why(
        finished(dataclasses.replace(marks, numerics=0, code={**marks.code, "balancer": older})).id,
    )
    rows = {
        line.split()[0]: line.split()[1:] for line in said.splitlines() if line.startswith((" NUM", " data", " bal"))
    }
    assert rows["NUMERICS"] == ["0", str(NUMERICS), "changed"]
    assert rows["data"] == ["toy-0", "toy-1", "changed"]
    assert rows["balancer"][2:4] == ["(mtbench", "0.0.9)"]
    assert rows["balancer"][-1] == "same"


def test_a_record_without_hashes_of_modules_names_files_that_are_newer_than_the_run() -> None:
    said = why(finished(with_modules(fingerprints(planned(), "toy-1"), {})).id)
    count = len(code(find("method", "td")).modules)
    assert f"The record has no hashes of single files of the network, and all {count} are newer than the run" in said


def test_an_altered_file_of_a_run_is_named_with_both_sums() -> None:
    spec = finished(fingerprints(planned(), "toy-1"))
    path = Path("kept", spec.folder, "predictions.npz")
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    path.write_bytes(path.read_bytes() + b" ")
    after = hashlib.sha256(path.read_bytes()).hexdigest()
    assert f"predictions.npz: its sum is {after[:12]}..., and its record has {before[:12]}..." in why(spec.id)


def test_a_damaged_record_is_named_once_with_the_command_that_mends_it() -> None:
    spec = finished(fingerprints(planned(), "toy-1"))
    path = Path("kept", spec.folder, "record.json")
    path.write_text(path.read_text().replace("75.0", "76.0"))
    said = why(spec.id)
    assert said.count("is damaged") == 2  # its state, and the reason
    assert "--refresh damaged" in said


def test_a_failure_is_shown_with_the_end_of_its_traceback() -> None:
    mark_results(Path("kept"))
    run = RunFolder(Path("kept", planned().folder))
    run.write_spec(planned())
    assert "is missing: it has no record, and no process works on it." in why(planned().id)
    run.write_failure(kind="exception", message="it broke", traceback="Traceback\n  the line that broke", signal=None)
    said = why(planned().id)
    assert "is failed: it broke." in said
    assert "the line that broke" in said
    with Lease(run.path):
        assert "is running: process" in why(planned().id)


def test_a_run_is_found_by_the_beginning_of_its_id_and_by_its_folder_there_and_in_a_pack() -> None:
    spec = finished(fingerprints(planned(), "toy-1"))
    assert call(app, "store", "pack", "kept", "x.zip").exit_code == 0
    texts = [why(spec.id[:5]), why(f"kept/{spec.folder}", "elsewhere"), why(f"x.zip/{spec.folder}", "elsewhere")]
    assert {f"run {spec.id} is fresh" in text for text in texts} == {True}
    earned = Earned(run=spec.folder, record=record_sum(Path("kept", spec.folder)), recomputed=True, mtbench="0.2.0")
    write_earned(Path("kept"), [earned])
    for name in (spec.id, f"kept/{spec.folder}"):
        assert "Level of trust: recomputed" in why(name)
    assert "Level of trust: reported" in why(f"x.zip/{spec.folder}")


def test_a_name_of_no_run_and_one_of_several_are_errors() -> None:
    specs = plan(Request(methods=["td"], datasets=["toy-all"], settings={}, seeds=list(range(17))))
    for spec in specs:
        RunFolder(Path("kept", spec.folder)).write_spec(spec)
    with pytest.raises(UsageError, match="there is no run 'xyz' among the 17 in kept"):
        why("xyz")
    first = Counter(spec.id[0] for spec in specs)
    (digit, count), *_ = first.most_common(1)  # of 17 ids two begin with the same of 16 digits
    with pytest.raises(UsageError, match=rf"{count} runs in kept have an id that begins with '{digit}'.*, td, seed \d"):
        why(digit)
