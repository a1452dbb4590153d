"""The options of the engine ``slurm``."""

import math
import re
import shlex
from dataclasses import dataclass

from mtbench.contract import option
from mtbench.errors import UsageError
from mtbench.plan.durations import parse_duration

__all__ = ["SlurmOptions", "limit_of"]

_SLURMS = re.compile(r"(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class SlurmOptions:
    """Options of the engine ``slurm``, each with its default and what it does."""

    partition: str = option("", "partition of the jobs; by default the cluster's")
    time: str = option("", "time limit of a job, such as 4h, 90min, 1d12h or 90 (minutes); by default the partition's")
    array_size: int = option(50, "jobs of an array that run at a time", low=1)
    gres: str = option("", "generic resources of a job, such as gpu:1")
    memory: str = option("", "memory of a job, such as 4G; by default the cluster's")
    runs_per_job: int = option(
        0, "runs that a job executes one after another; 0 for as many as fill about ten minutes", low=0
    )
    follow: bool = option(False, "show the progress of the runs until they are over")
    sbatch: str = option("", "further options of sbatch, such as --account=mine --constraint=avx512")

    def __post_init__(self) -> None:
        limit_of(self.time)
        self.further()

    def further(self) -> list[str]:
        """Return the words of `sbatch`.

        Raises:
            UsageError: a quotation mark is not closed, or a word is no option.
        """
        try:
            words = shlex.split(self.sbatch)
        except ValueError as cause:
            raise UsageError(f"option 'sbatch' of engine 'slurm' is {self.sbatch!r}: {cause}.") from cause
        if words and not words[0].startswith("-"):
            raise UsageError(
                f"option 'sbatch' of engine 'slurm' is {self.sbatch!r}.",
                allowed="It has options of sbatch, such as --account=mine.",
            )
        return words


def limit_of(text: str) -> int | None:
    """Return the seconds of a time limit; None for an empty text.

    Args:
        text: a duration (see `mtbench.plan.durations`), or one of Slurm's forms: minutes, minutes:seconds,
            hours:minutes:seconds, days-hours, days-hours:minutes and days-hours:minutes:seconds.

    Raises:
        UsageError: it is none of these, or no time.
    """
    if not text:
        return None
    subject = "option 'time' of engine 'slurm'"
    if slurms := _SLURMS.fullmatch(text):
        before, *parts = slurms.groups()
        given = [int(part) for part in parts if part]
        # After days the first number is hours; otherwise one or two numbers begin with minutes.
        sizes = (3600, 60, 1) if before or len(given) == 3 else (60, 1)
        seconds = 86400 * int(before or 0) + sum(size * part for size, part in zip(sizes, given, strict=False))
        if seconds > 0:
            return seconds
        raise UsageError(f"{subject} is '{text}'.", allowed="A time is such as 4h or 90min, or a number of minutes.")
    return math.ceil(parse_duration(text, subject=subject, low=1))
