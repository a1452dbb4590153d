"""Runs on a real Slurm that loses a node, ends a job at its time limit and requeues another: the records of `local`.

Real mmnist3, the protocol ``quick`` with 256 images and 2 epochs, so that the test takes minutes. The evaluation of
the whole test split after each epoch takes most of the time, in which the jobs are disturbed.
"""

import json
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mtbench.engines.engine import Engine
from mtbench.engines.slurm.engine import Slurm
from mtbench.engines.slurm.options import SlurmOptions
from mtbench.engines.slurm.waiting import waiting_runs
from mtbench.store.run.attempts import DONE, LOST, STOPPED, Attempt, read_attempts
from mtbench.store.run.folder import RunFolder
from tests.engines.contract import CHECKS, Events, grid, numbers, site_of
from tests.slurm.cluster import Cluster, a_cluster, why_not
from tests.waits import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(why_not()), reason=why_not())]

GRID = ("--methods", "td,chmod,moo", "--dataset", "mmnist3", "--quick", "--set", "images=256", "--epochs", "2")
PATIENCE = 400.0
"""Seconds that each step may take on a machine that is busy with other tests."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, data_root: Path) -> Iterator[Cluster]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))
        patch.setenv("MTBENCH_DATA", str(data_root))
        with a_cluster(tmp_path_factory.mktemp("slurm"), patch.setenv) as found:
            yield found


def runs(results: Path) -> list[Path]:
    return sorted(path.parent for path in results.glob("*/*/*/spec.json"))


def at_work(results: Path, index: int) -> Attempt | None:
    """Return the open attempt of the element of that index, if there is one."""
    attempts = (attempt for run in runs(results) for attempt in read_attempts(run))
    return next((each for each in attempts if each.job.endswith(f"_{index}") and each.ended is None), None)


def has_checkpoint(results: Path, index: int) -> bool:
    """True if the element of that index is training a run that has a checkpoint."""
    open_runs = [run for run in runs(results) for each in read_attempts(run)[-1:] if each.ended is None]
    return any(read_attempts(run)[-1].job.endswith(f"_{index}") and RunFolder(run).has_checkpoint for run in open_runs)


def test_a_grid_that_loses_a_node_hits_a_limit_and_requeues_itself_has_the_records_of_the_local_engine(
    cluster: Cluster, tmp_path: Path
) -> None:
    results, here = tmp_path / "it's there", tmp_path / "here"
    engine = ("--engine", "slurm", "--partition", "main", "--time", "10min", "--runs-per-job", "2", "--follow")
    command = ("run", *GRID, "--seeds", "2", "--device", "cpu", "--results", str(results), *engine)

    first = cluster.mtbench(*command)
    wait_until(lambda: has_checkpoint(results, 0), within=PATIENCE)
    hangs = at_work(results, 0)
    assert hangs is not None
    for pid in cluster.processes(hangs.job):  # as on a file system that hangs: it heeds no request to stop
        os.kill(pid, signal.SIGSTOP)
    cluster.call("scontrol", "update", f"JobId={hangs.job}", "TimeLimit=1")

    wait_until(lambda: has_checkpoint(results, 1), within=PATIENCE)
    lost = at_work(results, 1)
    assert lost is not None
    first.kill()
    said_before = first.communicate(timeout=60)[0]
    node = cluster.call("squeue", "-h", "-j", lost.job, "-o", "%N").strip()
    cluster.kill_node(node)

    second = cluster.mtbench(*command)  # the same command follows what the first one has submitted
    wait_until(lambda: at_work(results, 2), within=PATIENCE)
    again = at_work(results, 2)
    assert again is not None
    cluster.call("scancel", "--batch", "--signal=USR2", again.job)  # as Slurm does before the time limit
    said = second.communicate(timeout=PATIENCE)[0]
    assert second.returncode == 0, said
    # To the first command, if on a busy machine the limit was reached before that was killed.
    assert f"job {hangs.job} ended as TIMEOUT; submitted again" in said_before + said
    assert re.search("6 of 6 runs have a record", said), said

    local = cluster.mtbench("run", *GRID, "--seeds", "2", "--device", "cpu", "--results", str(here), "--quiet")
    said = local.communicate(timeout=PATIENCE)[0]
    assert local.returncode == 0, said
    assert [run.relative_to(results) for run in runs(results)] == [run.relative_to(here) for run in runs(here)]
    assert len(runs(here)) == 6
    for run, alike in zip(runs(results), runs(here), strict=True):
        theirs, ours = RunFolder(run).record(), RunFolder(alike).record()
        assert theirs is not None
        assert ours is not None
        assert numbers(theirs) == numbers(ours)

    attempts = {run: read_attempts(run) for run in runs(results)}
    for each in attempts.values():  # a run that is done is not retrained
        assert [attempt.reason for attempt in each].count(DONE) == 1
        assert each[-1].reason == DONE
        assert all(attempt.job for attempt in each)
    every = [attempt for each in attempts.values() for attempt in each]
    # At the limit Slurm continues a stopped process, ends it by SIGTERM and, 5 s later, by SIGKILL.
    assert {attempt.reason for attempt in every if attempt.job == hangs.job} & {LOST, STOPPED}
    resumed = next(each for each in attempts.values() if hangs.started in {attempt.started for attempt in each})
    assert resumed[-1].since_epoch == 1
    assert resumed[-1].job.partition("_")[0] != hangs.job.partition("_")[0]
    assert LOST in {attempt.reason for attempt in every if attempt.job == lost.job}
    assert {DONE} < {attempt.reason for attempt in every if attempt.job == again.job} <= {DONE, STOPPED, LOST}
    arrays = {attempt.job.partition("_")[0] for attempt in every}
    assert len(arrays) == 2  # the array, and one for what hit its time limit


def test_a_queued_job_whose_code_has_changed_is_refused_by_name(cluster: Cluster, tmp_path: Path) -> None:
    site = site_of(tmp_path)
    jobs = grid(site, "uniform")
    (queued,) = Slurm(SlurmOptions(sbatch="--hold")).execute(jobs, site, Events())
    (path,) = (site.results / ".slurm").glob("*/expected.json")
    expected = json.loads(path.read_text())
    expected["code"]["balancer uniform"]["hash"] = "that of another day"
    path.write_text(json.dumps(expected))
    (job,) = re.findall(r"\d+_0", queued.why)
    assert waiting_runs(site.results, [jobs[0].folder]) == {jobs[0].folder: job}
    cluster.call("scontrol", "release", job)
    (outcome,) = Slurm(SlurmOptions(follow=True)).execute(jobs, site, Events())
    assert outcome.how == "failed"
    assert "the code of balancer 'uniform' has changed since the run was submitted" in outcome.why
    assert not read_attempts(jobs[0].folder)
    assert not waiting_runs(site.results, [jobs[0].folder])


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_engine_keeps_the_contract_of_engines(
    check: Callable[[Engine, Path], None],
    cluster: Cluster,  # noqa: ARG001
    tmp_path: Path,
) -> None:
    check(Slurm(SlurmOptions(follow=True, time="30min")), tmp_path)
