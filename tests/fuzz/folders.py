"""A results folder with a file of each kind, made in this process."""

import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from mtbench.engines.job import execute
from mtbench.engines.stop import Stop
from mtbench.errors import Stopped
from mtbench.plan.grid import Request, plan
from mtbench.plan.spec import RunSpec
from mtbench.plan.suite.file import find_suite
from mtbench.plan.suite.planned import plan_suite
from mtbench.search.planning import StudyPlan, plan_search
from mtbench.search.request import SearchRequest
from mtbench.search.rounds import run_search
from mtbench.store.pack.contents import collect
from mtbench.store.pack.write import write_pack
from mtbench.store.record import Record
from mtbench.store.results import find_runs, mark_results
from mtbench.store.run.folder import RunFolder
from mtbench.store.run.lease import Lease
from mtbench.store.status import RunStatus, status_of
from mtbench.store.suites.declaration import declare

__all__ = ["SUITE", "execute_here", "make_folder", "plan_one_search", "train_unfinished"]

SUITE = """
title = "A suite of toys"

[protocol]
epochs = 1
seeds = 2

[[grid]]
datasets = ["toy-all"]
methods = ["single", "uniform"]
set = { diagnostics = "conflict", lr = 0.01 }

[[search]]
datasets = ["toy-all"]
methods = ["uniform"]
trials = 4
seeds = 1

[[paper]]
dataset = "toy-all"
columns = ["upper", "mean"]
[paper.rows]
single = [97.16, [96.19, 0.14]]

[[claim]]
dataset = "toy-all"
contrast = ["uniform", "single"]
direction = "better"
margin = 0.5
"""


def execute_here(results: Path, specs: Sequence[RunSpec]) -> list[RunStatus]:
    """Train runs in this process, as `mtbench run` trains them in workers, and return their states."""
    found = []
    for folder, spec in zip(find_runs(results, specs), specs, strict=True):
        folder.write_spec(spec)
        execute(folder, spec, results, "cpu")
        found.append(status_of(folder.path, spec, results))
    return found


class _StopAtCheckpoint(Stop):
    """A stop that is requested as soon as a run has a checkpoint."""

    def __init__(self, folder: RunFolder) -> None:
        super().__init__()
        self._folder = folder

    def check(self) -> None:
        self.requested = self._folder.has_checkpoint
        super().check()


def plan_one_search(trials: int = 4) -> list[StudyPlan]:
    """Return the plan of a search."""
    return plan_search(
        SearchRequest(
            datasets=["toy-all"],
            methods=["uniform"],
            trials=trials,
            settings={"epochs": "1"},
            backbone="mlp:width=2:depth=1",
            retrain=1,
        )
    )


def make_folder(results: Path) -> None:
    """Make a results folder, and beside it ``pack.zip``, ``suite.toml`` and ``spec.json``, of a run to be trained."""
    mark_results(results)
    suite = results.parent / "suite.toml"
    suite.write_text(SUITE)
    declare(results, find_suite(str(suite)))
    execute_here(results, plan_suite(find_suite(str(suite))))
    run_search(plan_one_search(), results=results, perform=lambda specs, _: execute_here(results, specs))
    contents = collect(results, weights=True)
    write_pack(results.parent / "pack.zip", contents.members, contents.left_out)
    _leave_unfinished(results)


def train_unfinished(results: Path) -> Record:
    """Return the record of the run that `make_folder` leaves unfinished, trained at once in another folder."""
    (status,) = execute_here(results, [_plan_unfinished()])
    assert status.record is not None
    return status.record


def _plan_unfinished() -> RunSpec:
    settings = {"epochs": "2", "schedule": "constant"}
    (spec,) = plan(Request(methods=["td"], datasets=["toy-all"], settings=settings, seeds=[0]))
    return spec


def _leave_unfinished(results: Path) -> None:
    spec = _plan_unfinished()
    (folder,) = find_runs(results, [spec])
    folder.write_spec(spec)
    with suppress(Stopped):
        execute(folder, spec, results, "cpu", stop=_StopAtCheckpoint(folder))
    assert folder.has_checkpoint
    shutil.copyfile(folder.path / "spec.json", results.parent / "spec.json")
    folder.write_failure(kind="killed", message="its process died")
    with Lease(folder.path) as lease:
        shutil.copyfile(lease.path, folder.path / "claim.7")
