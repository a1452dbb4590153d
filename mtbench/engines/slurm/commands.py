"""Slurm's commands, each with a deadline."""

import re
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from mtbench.engines.slurm.queue import FORMAT, Entry, Place, parse_queue
from mtbench.errors import RunError

__all__ = ["Commands", "Refused", "Unanswered"]

Answer = TypeVar("Answer")

DEADLINE = 60.0
"""Seconds that a command of Slurm may take. squeue itself gives up when the controller does not answer."""
PATIENCE = 600.0
"""Seconds for which a command is repeated while the controller does not answer."""
PAUSE = 10.0
"""Seconds between two tries."""
LARGEST_ARRAY = 1001
"""Slurm's default of MaxArraySize, the number of elements of an array."""

_SILENT = re.compile(
    r"unable to contact|connection refused|connection timed out|socket timed out|temporarily|"
    r"slurm_load_jobs error|zero bytes were transmitted|try again|backup controller",
    re.IGNORECASE,
)
"""Messages of a cluster whose controller is down for a while, not of a request that is wrong."""


class Unanswered(RunError):
    """The controller of the cluster does not answer."""


class Refused(RunError):
    """Slurm does not accept a request; its message is the text."""


class Commands:
    """The commands of Slurm on this machine.

    Args:
        note: called with a sentence when a command is repeated.
        wait: called to wait for so many seconds; it may raise to end the waiting.

    Raises:
        RunError: Slurm is not installed here.
    """

    def __init__(self, note: Callable[[str], None], wait: Callable[[float], None] = time.sleep) -> None:
        self._note, self._wait = note, wait
        for name in ("sbatch", "squeue", "scontrol"):
            if shutil.which(name) is None:
                raise RunError(
                    f"engine 'slurm' needs Slurm's commands, and there is no '{name}' on this machine.",
                    mend="Run the command on a login node of the cluster, or use --engine local.",
                )

    def queue(self) -> dict[Place, Entry]:
        """Return the elements of arrays of this user that wait or run, and those that were over some minutes ago.

        Raises:
            Unanswered, Refused: see `call`.
        """
        return parse_queue(self.call(["squeue", "--noheader", "--array", "--me", "--states=all", "-o", FORMAT]))

    def submit(self, words: Sequence[str], name: str) -> str:
        """Submit an array by the words of a command, and return the number of its job.

        Args:
            name: the name of the job, by which a submission is found that was accepted although the command failed.

        Raises:
            Unanswered: see `call`.
            Refused: see `call`; or the command has printed no number, and the array is not in the queue.
        """

        def queued() -> str:
            return next((entry.array for place, entry in self.queue().items() if place.submission == name), "")

        try:
            said = self.call(words)
        except Unanswered as cause:
            self._pause(cause)
            said = self.patiently(lambda: queued() or self.call(words))
        # "12", or "12;cluster"; a site's own sbatch may print more before it.
        numbers: list[str] = re.findall(r"^(\d+)(?:;.*)?$", said, re.MULTILINE | re.ASCII)
        if number := numbers[-1] if numbers else self.patiently(queued):
            return number
        raise Refused(f"{words[0]} has printed no number of a job, but {said.strip()[:200]!r}.")

    def largest_array(self) -> int:
        """Return the number of elements that an array may have.

        Raises:
            Unanswered, Refused: see `call`.
        """
        found = re.search(r"^MaxArraySize\s*=\s*(\d+)", self.call(["scontrol", "show", "config"]), re.MULTILINE)
        return max(1, int(found[1])) if found else LARGEST_ARRAY

    def call(self, words: Sequence[str]) -> str:
        """Return the output of a command.

        Raises:
            Unanswered: it got no answer.
            Refused: it failed for another reason.
        """
        try:
            # In a session of its own, so that Ctrl-C does not cut off a submission.
            ended = subprocess.run(
                words, capture_output=True, text=True, errors="replace", timeout=DEADLINE, start_new_session=True
            )
        except subprocess.TimeoutExpired as cause:
            raise Unanswered(f"{words[0]} took more than {DEADLINE:.0f} s.") from cause
        except OSError as cause:
            raise Refused(f"{words[0]} cannot be started: {cause.strerror or cause}.") from cause
        if ended.returncode == 0:
            return ended.stdout
        said = " ".join(ended.stderr.replace(f"{words[0]}: error: ", "").split()) or f"exit code {ended.returncode}"
        raise (Unanswered if _SILENT.search(said) else Refused)(f"{words[0]} says: {said.rstrip('.')}.")

    def patiently(self, ask: Callable[[], Answer]) -> Answer:
        """Return the answer of a function of this class, which is repeated while there is none.

        Raises:
            Unanswered: there is none for `PATIENCE`.
            Refused: see `call`.
        """
        end = time.monotonic() + PATIENCE
        while True:
            try:
                return ask()
            except Unanswered as cause:
                if time.monotonic() > end:
                    raise
                self._pause(cause)

    def _pause(self, cause: Unanswered) -> None:
        self._note(f"Slurm does not answer, and is asked again: {cause}")
        self._wait(PAUSE)
