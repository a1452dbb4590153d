"""Runs at Slurm, followed by their folders and the queue until each is over."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from mtbench.engines.engine import Job, Listener, Outcome
from mtbench.engines.job import FRUITLESS
from mtbench.engines.slurm.commands import Commands, Refused, Unanswered
from mtbench.engines.slurm.desk import Desk, Element
from mtbench.engines.slurm.lost import Verdict, verdict
from mtbench.engines.slurm.queue import Entry, Place, unusual
from mtbench.engines.watch import Watch
from mtbench.errors import RunError, Stopped
from mtbench.store.run.folder import RunFolder

__all__ = ["Follower"]

SHORTEST, LONGEST, PART = 2.0, 30.0, 10
"""Seconds between two looks at the queue: a `PART`-th of the time since the beginning, between these bounds. Hours of
following cost seconds of processor time, on the login node and of Slurm's controller."""
SETTLES = 5.0
"""Seconds that a job is over before its run is judged: a requeued one waits again by then."""
APPEARS = 90.0
"""Seconds after the end of a job in which its record may appear: network file systems show new files late."""
LATER = 60.0
"""Seconds between two tries to submit runs for which there was no room."""


class Follower:
    """Runs in the queue, until each is over.

    Args:
        desk: the place where runs that were lost are submitted again.
        slurm: the commands.
        listener: is notified of the progress and the end of each run.
        wait: called to wait for so many seconds; raises Stopped if a stop was requested.
    """

    def __init__(self, desk: Desk, slurm: Commands, listener: Listener, wait: Callable[[float], None]) -> None:
        self.desk, self.slurm, self.listener, self.wait = desk, slurm, listener, wait
        self.elements: dict[Place, Element] = {}
        self.open: dict[Place, list[Job]] = {}
        self.over_since: dict[Place, float] = {}
        self.watches: dict[Job, Watch] = {}
        self.losses = Counter[Job]()
        self.unplaced: list[Job] = []
        self.retry_at = 0.0
        self.noted: set[str] = set()
        self.outcomes: list[Outcome] = []

    def follow(self, jobs: Sequence[Job], placed: Sequence[Element]) -> list[Outcome]:
        """Return the end of each run, in the order in which they ended.

        Args:
            jobs: the runs.
            placed: those that are in the queue.

        Raises:
            Stopped: a stop was requested; the jobs stay in the queue.
            RunError: Slurm accepts no job, and none is left in the queue.
        """
        self._add(placed)
        there = {job for element in placed for job in element.jobs}
        self.unplaced = [job for job in jobs if job not in there]
        self.retry_at = time.monotonic() + LATER
        begin = time.monotonic()
        while self.open or self.unplaced:
            try:
                self.step()
                if self.open or self.unplaced:
                    self.wait(min(max(SHORTEST, (time.monotonic() - begin) / PART), LONGEST))
            except Stopped as cause:
                raise Stopped(cause.given, mend=self._farewell()) from None
        return self.outcomes

    def step(self) -> None:
        """Look at the queue and the folders once."""
        try:
            queue = self.slurm.queue()
        except Unanswered as cause:
            left = [*self.unplaced, *(job for jobs in self.open.values() for job in jobs)]
            self._note_once(left[0], f"Slurm does not answer; its jobs go on, and it is asked again: {cause}")
            queue = None
        if queue is not None:
            lost = [job for place in list(self.open) for job in self._look(place, queue.get(place))]
            self._explain(queue)
            self._submit(lost)
        self.listener.refresh()

    def _look(self, place: Place, entry: Entry | None) -> list[Job]:
        """Handle the runs of an element, and return those that are to be submitted again."""
        if entry is not None and not entry.is_over:
            self.over_since.pop(place, None)
            if entry.is_running:
                self._progress(place, entry)
            return []
        for job in list(self.open[place]):
            if RunFolder(job.folder).has_record:
                self._end(place, job, "done", "")
        if place not in self.open:
            return []
        since = self.over_since.setdefault(place, time.monotonic())
        appears = entry is None or entry.state == "COMPLETED"
        if time.monotonic() < since + (APPEARS if appears else SETTLES):
            return []
        return [job for job in list(self.open[place]) if self._is_again(place, job, entry)]

    def _is_again(self, place: Place, job: Job, entry: Entry | None) -> bool:
        """Judge a run whose job is over without a record; return True if it is to be submitted again."""
        found = verdict(job, self.elements[place], entry, self.desk.log(place))
        if found.progressed:
            self.losses[job] = 0
        self.losses[job] += 1
        if found.how == "again" and self.losses[job] >= FRUITLESS:
            found = Verdict("failed", f"{found.why}, and so did the others: {FRUITLESS} jobs finished no epoch")
        if found.how != "again":
            self._end(place, job, found.how, found.why)
            return False
        self._close(place, job)
        self.listener.ended(job, "again", f"{found.why}; submitted again")
        return True

    def _progress(self, place: Place, entry: Entry) -> None:
        """Handle the runs of an element that runs: one at a time, in their order."""
        for job in list(self.open[place]):
            if RunFolder(job.folder).has_record:
                self._end(place, job, "done", "")
        if place not in self.open:
            return
        unhurt = [job for job in self.open[place] if RunFolder(job.folder).failure() is None]
        if not unhurt:
            return
        job = unhurt[0]
        if job not in self.watches:
            self.watches[job] = Watch(job)
            self.listener.started(job, entry.node)
        if (progress := self.watches[job].news()) is not None:
            self.listener.advanced(job, progress)

    def _submit(self, lost: list[Job]) -> None:
        self.unplaced += lost
        if not self.unplaced or (not lost and time.monotonic() < self.retry_at):
            return
        placed: list[Element] = []
        try:
            self.desk.place(self.unplaced, placed)
        except (Refused, Unanswered) as cause:
            self.retry_at = time.monotonic() + LATER
            if not self.open and not placed:
                raise RunError(
                    f"{cause} {len(self.unplaced):,} runs are left.", mend="The same command submits them."
                ) from cause
            self._note_once(self.unplaced[0], f"not submitted yet: {cause}")
        self._add(placed)
        there = {job for element in placed for job in element.jobs}
        self.unplaced = [job for job in self.unplaced if job not in there]

    def _add(self, placed: Sequence[Element]) -> None:
        for element in placed:
            self.elements[element.place] = element
            self.open[element.place] = list(element.jobs)

    def _explain(self, queue: Mapping[Place, Entry]) -> None:
        """Note each reason for which jobs wait that does not pass by itself."""
        ours = {place: entry for place, entry in queue.items() if place in self.open}
        for reason, place in unusual(ours).items():
            text = f"waits in the queue as job {ours[place].job}, as others may: {reason}"
            self._note_once(self.open[place][0], text, key=reason)

    def _note_once(self, job: Job, text: str, key: str = "") -> None:
        if (key or text) in self.noted:
            return
        self.noted.add(key or text)
        self.listener.noted(job, text)

    def _end(self, place: Place, job: Job, how: str, why: str) -> None:
        self._close(place, job)
        self.outcomes.append(Outcome(job=job, how=how, why=why))
        self.listener.ended(job, how, why)

    def _close(self, place: Place, job: Job) -> None:
        self.watches.pop(job, None)
        self.open[place].remove(job)
        if not self.open[place]:
            del self.open[place]
            self.over_since.pop(place, None)

    def _farewell(self) -> str:
        arrays = sorted({self.elements[place].id.partition("_")[0] for place in self.open}, key=int)
        if not arrays:
            return "The same command goes on."
        runs = sum(map(len, self.open.values()))
        return (
            f"{runs:,} {'run stays' if runs == 1 else 'runs stay'} in the queue: the same command follows "
            f"{'it' if runs == 1 else 'them'} again, and `scancel {' '.join(arrays)}` cancels."
        )
