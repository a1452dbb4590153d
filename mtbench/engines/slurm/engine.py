"""The engine ``slurm``."""

import time
from collections.abc import Sequence

from mtbench.engines.engine import Engine, Job, Listener, Outcome, Site
from mtbench.engines.slurm.commands import Commands, Refused, Unanswered
from mtbench.engines.slurm.desk import Desk, Element
from mtbench.engines.slurm.follow import Follower
from mtbench.engines.slurm.options import SlurmOptions
from mtbench.engines.stop import interrupts
from mtbench.errors import RunError, Stopped, UsageError
from mtbench.store.run.folder import RunFolder

__all__ = ["Slurm"]


class Slurm(Engine):
    """Runs as job arrays of a Slurm cluster; the command may end meanwhile, and be given again to follow them."""

    Options = SlurmOptions

    @property
    def waits(self) -> bool:
        return bool(self.options.follow)

    def places(self, device: str, jobs: int | None, runs_per_device: int) -> list[str]:
        if jobs is not None or runs_per_device > 1:
            name = "--runs-per-device" if runs_per_device > 1 else "--jobs"
            raise UsageError(
                f"{name} was given, and engine 'slurm' trains one run at a time in each job.",
                mend="--array-size is the number of jobs at a time, and --runs-per-job that of runs in each.",
            )
        return [device] * self.options.array_size

    def execute(self, jobs: Sequence[Job], site: Site, listener: Listener) -> list[Outcome]:
        """Submit the runs that are not in the queue already, and follow all of them if that was asked for."""
        left, done = list[Job](), list[Outcome]()
        for job in jobs:
            if RunFolder(job.folder).has_record:
                done.append(Outcome(job=job, how="done", why=""))
                listener.ended(job, "done", "")
            else:
                left.append(job)
        if not left:
            return done
        with interrupts() as asked:

            def wait(seconds: float) -> None:
                end = time.monotonic() + seconds
                while not asked and (rest := end - time.monotonic()) > 0:
                    time.sleep(min(rest, 0.5))
                if asked:
                    raise Stopped(f"stopped by {asked[0].name}.", mend="The same command goes on.")

            slurm = Commands(lambda text: listener.noted(left[0], text), wait)
            desk = Desk(site, self.options, slurm, wait)
            placed: list[Element] = []
            try:
                desk.place(left, placed)
            except Stopped:
                raise Stopped(f"stopped by {asked[0].name}; {_count(placed, left)}.", mend=_AGAIN) from None
            except (Refused, Unanswered) as cause:
                if not (self.options.follow and placed):
                    raise RunError(f"{cause} So {_count(placed, left)}.", mend=_mend(cause, placed)) from cause
                listener.noted(left[0], f"{_count(placed, left)}, and the others are submitted later: {cause}")
            if self.options.follow:
                return done + Follower(desk, slurm, listener, wait).follow(left, placed)
        queued = [(job, element.id) for element in placed for job in element.jobs]
        return done + [Outcome(job=job, how="queued", why=f"job {number} of Slurm") for job, number in queued]


_AGAIN = "The same command submits the others."


def _mend(cause: RunError, placed: Sequence[Element]) -> str:
    """Return the remedy for a submission that was refused or not answered, such as for a limit on jobs of a user."""
    if "limit" in str(cause).lower():
        return f"Fewer jobs are needed with --runs-per-job or --array-size. {_AGAIN}"
    if placed or isinstance(cause, Unanswered):
        return _AGAIN
    return "`mtbench info slurm` lists the options; its option sbatch takes others, such as --account=mine."


def _count(placed: Sequence[Element], jobs: Sequence[Job]) -> str:
    queued = sum(len(element.jobs) for element in placed)
    return f"{queued:,} of {len(jobs):,} runs {'is' if queued == 1 else 'are'} in the queue"
