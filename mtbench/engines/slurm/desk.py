"""The submission of runs: those that are in the queue already are found, the others are submitted."""

import math
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from mtbench.engines.engine import Job, Site
from mtbench.engines.kinds import kinds_of
from mtbench.engines.slurm.commands import Commands
from mtbench.engines.slurm.elements import grouped, seconds_of
from mtbench.engines.slurm.options import SlurmOptions, limit_of
from mtbench.engines.slurm.queue import Entry, Place
from mtbench.engines.slurm.script import MARGIN
from mtbench.engines.slurm.submission import (
    FOLDER,
    in_queue,
    new_name,
    read_submissions,
    remove_finished,
    write_submission,
)
from mtbench.errors import Busy
from mtbench.plan.spec import RunSpec
from mtbench.store.files.atomic import make_folder
from mtbench.store.identity.expected import expected_of, write_expected
from mtbench.store.run.lease import Lease

__all__ = ["Desk", "Element"]


@dataclass(frozen=True, kw_only=True)
class Element:
    """Runs in the queue.

    Attributes:
        place: their place there.
        id: the number of the job, as ``12_3``.
        jobs: the runs.
    """

    place: Place
    id: str
    jobs: tuple[Job, ...]


class Desk:
    """The place where runs of a results folder are submitted.

    Args:
        site: the circumstances of the runs.
        options: the options of the engine.
        slurm: the commands.
        wait: called to wait for so many seconds.
    """

    def __init__(self, site: Site, options: SlurmOptions, slurm: Commands, wait: Callable[[float], None]) -> None:
        self.site, self.options, self.slurm, self.wait = site, options, slurm, wait

    def place(self, jobs: Sequence[Job], placed: list[Element]) -> None:
        """Submit the runs that are not in the queue.

        Args:
            jobs: the runs.
            placed: receives the elements of the runs, those that were in the queue first; it has those before an error.

        Raises:
            Refused, Unanswered: Slurm accepts no more jobs, or does not answer.
            StoreError: a file cannot be read or written.
        """
        with self._alone():
            queue = self.slurm.patiently(self.slurm.queue)
            waiting = {place: entry for place, entry in queue.items() if not entry.is_over}
            placed += self._found(jobs, waiting)
            remove_finished(self.site.results, {place.submission for place in waiting})
            there = {job.folder for element in placed for job in element.jobs}
            if left := [job for job in jobs if job.folder not in there]:
                self._submit(left, placed)

    def log(self, place: Place) -> Path:
        """Return the file of the output of a job that belongs to no run."""
        return self.site.results / FOLDER / place.submission / f"{place.index}.log"

    def _found(self, jobs: Sequence[Job], waiting: dict[Place, Entry]) -> Iterator[Element]:
        """Yield the elements of runs that are in the queue; each run once."""
        left = {self._relative(job): job for job in jobs}
        submissions = read_submissions(self.site.results, {place.submission for place in waiting})
        for place, entry, runs in in_queue(submissions, waiting):
            if its := [left.pop(run) for run in runs if run in left]:
                yield Element(place=place, id=entry.job, jobs=tuple(its))

    def _submit(self, jobs: Sequence[Job], placed: list[Element]) -> None:
        kinds = kinds_of(jobs)
        elements = self._elements(jobs, kinds)
        expected = expected_of(spec for spec, _ in kinds)
        most = self.slurm.patiently(self.slurm.largest_array)
        parts = [elements[first : first + most] for first in range(0, len(elements), most)]
        for part in parts:
            name = new_name()
            folder = self.site.results / FOLDER / name
            sbatch = self._sbatch(folder, len(part), at_a_time=max(1, self.options.array_size // len(parts)))
            make_folder(folder)
            write_expected(folder / "expected.json", expected)
            runs = [[self._relative(job) for job in element] for element in part]
            command = self.site.command(expect=folder / "expected.json")
            write_submission(self.site.results, name, runs, command, sbatch)
            array = self.slurm.submit(sbatch, name)
            placed += [
                Element(place=Place(name, index), id=f"{array}_{index}", jobs=tuple(element))
                for index, element in enumerate(part)
            ]
            self.wait(0)

    def _elements(self, jobs: Sequence[Job], kinds: Sequence[tuple[RunSpec, Sequence[Job]]]) -> list[list[Job]]:
        if (count := self.options.runs_per_job) > 0:
            return [list(jobs[first : first + count]) for first in range(0, len(jobs), count)]
        seconds, limit = seconds_of(kinds), limit_of(self.options.time)
        return grouped(jobs, seconds.get, at_a_time=self.options.array_size, limit=limit)

    def _sbatch(self, folder: Path, elements: int, *, at_a_time: int) -> list[str]:
        """Return the words that submit an array.

        They are options of the command, since these take precedence over variables such as SBATCH_NO_REQUEUE.
        """
        options, limit = self.options, limit_of(self.options.time)
        chosen = {
            "partition": options.partition,
            "time": "" if limit is None else str(math.ceil(limit / 60)),
            "gres": options.gres,
            "mem": options.memory,
        }
        return [
            *("sbatch", "--parsable", f"--job-name={folder.name}", f"--array=0-{elements - 1}%{at_a_time}"),
            *("--requeue", "--open-mode=append", f"--signal=B:USR2@{MARGIN}", "--ntasks=1", "--cpus-per-task=1"),
            *("--export=ALL", f"--output={_literal(folder)}/%a.log"),
            *(f"--{name}={value}" for name, value in chosen.items() if value),
            *options.further(),
            str(folder / "script.sh"),
        ]

    def _relative(self, job: Job) -> str:
        return os.path.relpath(os.path.abspath(job.folder), self.site.results)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let no other command submit runs of this results folder within the block, which would submit some twice."""
        folder = self.site.results / FOLDER
        make_folder(folder)
        with ExitStack() as stack:
            while True:
                try:
                    stack.enter_context(Lease(folder))
                    break
                except Busy:
                    self.wait(1)
            yield


def _literal(path: Path) -> str:
    """Return a path for an option of sbatch in which % begins a placeholder."""
    return str(path).replace("%", "%%")
