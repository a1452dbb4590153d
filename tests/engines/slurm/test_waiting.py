"""Missing runs in Slurm's queue, as ``mtbench status`` tells of them."""

import os
from pathlib import Path

import pytest

from mtbench.cli.app import app
from mtbench.cli.results.states import watch
from mtbench.engines.slurm.waiting import waiting_runs
from mtbench.errors import RunError
from tests.cli.commands import call
from tests.engines.slurm.fake import FakeSlurm
from tests.engines.slurm.test_engine import make, run


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeSlurm:
    monkeypatch.setenv("COLUMNS", "200")
    return FakeSlurm(tmp_path / "slurm", monkeypatch)


def shown(*arguments: str) -> str:
    """Return the output of a command."""
    return call(app, *arguments).output


def test_runs_that_wait_have_the_numbers_of_their_jobs(tmp_path: Path, cluster: FakeSlurm) -> None:
    jobs, site = make(tmp_path, [0, 1, 2])
    folders = [job.folder for job in jobs]
    cluster.says("squeue", "exit 1")
    assert waiting_runs(site.results, folders) == {}  # nothing was submitted, and Slurm is not asked
    (cluster.folder / "squeue.says").unlink()
    run(tmp_path, [0, 1, 2])
    cluster.change("11_1", "CANCELLED")
    assert waiting_runs(site.results, folders) == {folders[0]: "11_0", folders[2]: "11_2"}
    assert waiting_runs(site.results, folders[1:]) == {folders[2]: "11_2"}
    cluster.forget("11_0")
    assert waiting_runs(site.results, folders) == {folders[2]: "11_2"}


def test_a_folder_may_be_named_from_the_working_directory(
    tmp_path: Path, cluster: FakeSlurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    (job,), site = make(tmp_path, [0])
    run(tmp_path, [0])
    assert cluster.has(1)
    monkeypatch.chdir(tmp_path)
    folder = Path(os.path.relpath(job.folder))
    assert waiting_runs(Path(os.path.relpath(site.results)), [folder]) == {folder: "11_0"}


def test_status_tells_of_missing_runs_in_the_queue(tmp_path: Path, cluster: FakeSlurm) -> None:
    jobs, site = make(tmp_path, [0, 1, 2])
    asked = ("status", "--results", str(site.results))
    assert "Slurm" not in shown(*asked)
    run(tmp_path, [0, 1])
    run(tmp_path, [2])
    assert "3 of the missing runs are in Slurm's queue, jobs 11, 12. `squeue --me` has their states." in shown(*asked)
    assert "It is in Slurm's queue, job 11_1." in shown("status", "--why", str(jobs[1].folder))
    for job in ("11_0", "11_1", "12_0"):
        cluster.forget(job)
    assert "Slurm" not in shown(*asked)
    assert "Slurm" not in shown("status", "--why", str(jobs[1].folder))


def test_the_watch_goes_on_while_runs_are_in_the_queue(
    tmp_path: Path, cluster: FakeSlurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "_GRACE", 0.1)
    _, site = make(tmp_path, [0])
    run(tmp_path, [0])
    cluster.says("squeue", 'cat "$HERE/queue"', "true")  # in the queue, and then no longer
    said = shown("status", "--results", str(site.results), "--watch", "--interval", "0.5")
    assert said.splitlines()[-1].endswith("no run is running: 1 missing")
    assert not (cluster.folder / "squeue.says").read_text()  # Slurm was asked twice


def test_status_of_a_copy_on_another_machine_does_without_slurm(
    tmp_path: Path, cluster: FakeSlurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs, site = make(tmp_path, [0])
    run(tmp_path, [0])
    cluster.says("squeue", "echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1")
    said = shown("status", "--results", str(site.results))
    assert "Missing runs were submitted to Slurm. The state of its queue is not known: squeue says:" in said
    monkeypatch.setenv("PATH", "/usr/bin:/bin" if not Path("/usr/bin/squeue").exists() else str(tmp_path))
    with pytest.raises(RunError, match="needs Slurm's commands"):
        waiting_runs(site.results, [job.folder for job in jobs])
    assert "uniform" in shown("status", "--results", str(site.results))
    assert "It was submitted to Slurm." in shown("status", "--why", str(jobs[0].folder))
