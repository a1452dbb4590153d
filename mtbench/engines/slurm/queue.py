"""Slurm's queue: the elements of arrays that wait, run, or were there a while ago."""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["FORMAT", "Entry", "Place", "parse_queue", "unusual"]

FORMAT = "%i|%K|%T|%N|%r|%j"
"""The columns of squeue: job, index in its array, state, node, reason and name."""

OVER = frozenset(
    {
        *("BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED"),
        *("REVOKED", "TIMEOUT"),
    }
)
"""States of a job that is over. A requeued one is PENDING again."""

_USUAL = frozenset(
    {
        *("", "None", "BeginTime", "Cleaning", "Dependency", "JobArrayTaskLimit", "Licenses", "Priority", "Prolog"),
        *("Resources", "WaitingForScheduling"),
    }
)
"""Reasons of a job that starts by itself when its turn comes."""


@dataclass(frozen=True, order=True)
class Place:
    """An element of a submission: the name of the submission, which is that of its job, and the index in its array."""

    submission: str
    index: int


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A line of the queue.

    Attributes:
        job: the number of the job at Slurm, as ``12_3`` for element 3 of the array 12.
        state: the state, such as ``PENDING`` or ``RUNNING``.
        node: the machine that it runs on; empty unless it runs.
        reason: the reason for which it waits or has ended, such as ``Priority``.
    """

    job: str
    state: str
    node: str
    reason: str

    @property
    def array(self) -> str:
        """The number of its array."""
        return self.job.partition("_")[0]

    @property
    def is_over(self) -> bool:
        """True if it is neither waiting nor running, and stays so."""
        return self.state in OVER

    @property
    def is_running(self) -> bool:
        """True if its script is at work."""
        return self.state in ("RUNNING", "COMPLETING")


def parse_queue(text: str) -> dict[Place, Entry]:
    """Return the entries of the output of ``squeue -h -r -o`` with `FORMAT`; jobs of no array are left out."""
    found: dict[Place, Entry] = {}
    for line in text.splitlines():
        job, index, state, node, rest = [*line.split("|", 4), "", "", "", ""][:5]
        reason, _, name = rest.rpartition("|")  # a reason may be any text
        if not index.isdecimal():
            continue
        place = Place(name, int(index))
        # sbatch that was cut off after it had submitted an array may have been called twice.
        if place not in found or found[place].is_over:
            found[place] = Entry(job=job, state=state, node=node, reason=reason)
    return found


def unusual(queue: Mapping[Place, Entry]) -> dict[str, Place]:
    """Return the reasons for which elements wait that do not pass by themselves, each with the first such element."""
    found: dict[str, Place] = {}
    for place, entry in queue.items():
        if entry.state == "PENDING" and entry.reason not in _USUAL:
            found[entry.reason] = min(place, found.get(entry.reason, place))
    return found
