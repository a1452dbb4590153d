"""Runs whose folders are read-only, or go when their processes start: a script, since it mounts.

It prints the lines of the display, and a line of JSON for each run at last.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from rich.console import Console

from mtbench.engines.engine import Job
from mtbench.engines.local.pool import run_all
from mtbench.engines.screen.display import Lines
from mtbench.plan.grid import Request, plan
from mtbench.store.run.folder import RunFolder

ROOT = Path(sys.argv[1])


class Fault(Lines):
    """A display that removes the folder of a run when it starts, and of another when its first epoch is over."""

    def started(self, job: Job, device: str) -> None:  # noqa: ARG002
        if job.title == "removed":
            shutil.rmtree(job.folder)

    def refresh(self) -> None:
        underway = ROOT / "underway" / "run"
        if (underway / "checkpoint.pt").exists():
            shutil.rmtree(underway.rename(ROOT / "trash"), ignore_errors=True)  # at once, whatever is being written


def planned(title: str) -> Job:
    run = RunFolder(ROOT / title / "run")
    settings = {"epochs": "5000" if title == "underway" else "1", "schedule": "constant"}
    run.write_spec(plan(Request(methods=["uniform"], datasets=["toy-all"], settings=settings, seeds=[0]))[0])
    return Job(folder=run.path, title=title)


if __name__ == "__main__":
    jobs = [planned(title) for title in ("read-only", "removed", "underway", "other")]
    folder = str(jobs[0].folder.parent)
    subprocess.run(["mount", "--bind", folder, folder], check=True, timeout=60)
    subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True, timeout=60)
    for outcome in run_all(jobs, root=ROOT, slots=["cpu"], listener=Fault(Console(width=500), len(jobs))):
        print(json.dumps([outcome.job.title, outcome.how, outcome.why]))  # noqa: T201
