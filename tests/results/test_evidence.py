"""The list of evidence, `results/evidence.toml`, and what trains it."""

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mtbench.plan.suite.built_in import built_in_suites
from mtbench.plan.suite.file import find_suite
from mtbench.store.status import survey
from mtbench.store.suites.declaration import changes, declare, read_declaration
from results import evidence
from results.evidence import Evidence, Part
from tests.builders.kept import kept
from tests.waits import DEADLINE, wait_until

LIST = evidence.read()
SUITES = [(part.results, part.suite) for part in LIST.part if part.suite]
FOLDERS = sorted({part.results for part in LIST.part})
BEFORE = "0.1."
"""The releases whose records are stale: the drawn worlds were trained with them, and take hours to be retrained."""
WORLDS = {"2026-11-28-clevr-mini", "2026-11-29-birds-mini", "2026-11-29-dense-mini", "2026-11-29-faces-mini"}


@pytest.mark.parametrize(("folder", "suite"), SUITES)
def test_every_suite_of_the_list_is_as_it_was_declared(folder: str, suite: str) -> None:
    declared = read_declaration(evidence.RESULTS / folder, suite)
    assert declared is not None
    assert changes(declared, find_suite(suite)) == []


def test_the_suites_at_the_head_of_the_list_were_declared_before_any_of_their_runs() -> None:
    first = [suite for folder, suite in SUITES if folder == LIST.part[0].results]
    assert first == ["levi2020-two-digits", "levi2020-two-digits-setting"]
    found = [read_declaration(evidence.RESULTS / LIST.part[0].results, suite) for suite in first]
    assert [each.runs for each in found if each] == [0, 0]


def test_every_command_of_the_list_names_what_is_there_and_no_results_folder_of_its_own() -> None:
    assert len(LIST.part) > 1
    for part in LIST.part:
        words = shlex.split(part.command)
        assert words[0] in ("run", "search")
        assert not {"--results", "--jobs", "--quiet", "--dry-run"} & set(words)
        assert not part.suite or part.suite in built_in_suites()
        assert all((evidence.HOUSE / word).is_file() for word in words if word.endswith(".toml"))


@pytest.mark.parametrize("folder", FOLDERS)
def test_what_the_list_has_trained_is_fresh_under_the_present_code(folder: str, tmp_path: Path) -> None:
    """Freshness is that of `mtbench status` on a machine without data, whose fingerprints are not compared.

    A change of code that makes numbers, or of NUMERICS, makes evidence stale that takes days to be retrained.
    """
    found = [run for pack in kept(folder) for run in survey(pack, tmp_path / "no data")]
    assert all(run.record is not None for run in found)
    later = [run for run in found if run.record and not run.record.environment.mtbench.startswith(BEFORE)]
    assert later or folder in WORLDS or not found  # nothing is trained yet
    stale = [f"{run.folder}: {run.state}, {run.why}" for run in later if run.state != "fresh"]
    assert not stale[:1], f"{len(stale)} of {len(later)} records are not fresh"


def test_a_part_is_a_command_with_its_results_folder() -> None:
    words = ["run", "--quick", "--results", str(evidence.WORK / "here")]
    assert Part(results="here", command="run --quick").words == words


def test_a_part_may_name_the_file_of_a_suite() -> None:
    assert Part(results="here", command="run --suite mtbench/suites/levi2020-table1.toml").suite == "levi2020-table1"


def test_a_suite_that_is_not_declared_or_was_changed_since_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "RESULTS", tmp_path)
    command = "run --suite levi2020-table2c"
    one = Evidence(release="0", commit="0", part=(Part(results="here", command=command),))
    told = "levi2020-table2c: mtbench suite declare levi2020-table2c --results results/here"
    assert list(evidence.undeclared(one)) == [told]
    suite = find_suite("levi2020-table2c")
    declare(tmp_path / "here", suite)
    monkeypatch.setattr(evidence, "find_suite", lambda _: find_suite("levi2020-table2b"))
    (line,) = evidence.undeclared(one)
    assert "changed after it was declared" in line
    assert "grid (1 added, 1 removed)" in line


def test_told_to_stop_it_stops_the_training_too(tmp_path: Path) -> None:
    package, pid = tmp_path / "mtbench", tmp_path / "pid"
    package.mkdir()
    (package / "__init__.py").touch()
    writes = f"import os, pathlib, time\npathlib.Path({str(pid)!r}).write_text(str(os.getpid()))\ntime.sleep(600)\n"
    (package / "__main__.py").write_text(writes)
    listed = "Evidence(release='0', commit='0', part=(Part(results='here', command='run'),))"
    script = (
        "import pathlib, sys\nfrom results import evidence\nfrom results.evidence import Evidence, Part\n"
        f"evidence.read, evidence.install = lambda: {listed}, lambda _: pathlib.Path({str(tmp_path)!r})\n"
        f"evidence.WORK, evidence.RESULTS = pathlib.Path({str(tmp_path)!r}) / 'work', pathlib.Path({str(tmp_path)!r})\n"
        "evidence.NICE, sys.argv[1:] = 0, []\nsys.exit(evidence.main())\n"  # at low priority it would wait for others
    )
    process = subprocess.Popen([sys.executable, "-c", script], cwd=evidence.HOUSE, stdout=subprocess.DEVNULL)
    wait_until(lambda: pid.exists() and pid.read_text())
    process.terminate()
    assert process.wait(timeout=DEADLINE) == 128 + signal.SIGTERM
    wait_until(lambda: not is_alive(int(pid.read_text())))


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
