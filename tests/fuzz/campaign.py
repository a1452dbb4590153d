"""Mutations of the files of a place, each read by everything that reads it, and what came of them.

A reader may refuse a file with an error of mtbench, or go on without it and say so. It fails if another exception ends
it, if it takes too long or too much memory (see `tests.fuzz.limits`), or if a number that it gives is another.
"""

import random
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from mtbench.errors import MtbenchError
from tests.fuzz.limits import Hung, limited
from tests.fuzz.place import Place

__all__ = ["ACCEPTED", "REFUSED", "SAID", "SAME", "UNREAD", "Campaign", "Fault", "Kind", "Silent", "total_of"]

REFUSED, SAID, SAME, UNREAD, ACCEPTED = "refused", "said", "same", "not read", "accepted"
"""Outcomes: an error of mtbench; a line about it; the numbers are the same although the file is another; nobody reads
what was changed; a file whose checksum is right was taken."""

W = TypeVar("W", bound=Place)


class Silent(Exception):
    """A number is another, and nothing says so."""


@dataclass(frozen=True, kw_only=True)
class Kind(Generic[W]):
    """A kind of file.

    Attributes:
        files: a pattern of such files below a place.
        mutate: returns what was done to a file in a word, and its new content.
        read: reads it, and returns the outcome.
        part: the fraction of all mutations.
    """

    files: str
    mutate: Callable[[W, Path, random.Random], tuple[str, bytes]]
    read: Callable[[W, Path, random.Random], str]
    part: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A mutation that a reader failed at."""

    kind: str
    number: int
    how: str
    file: str
    error: str

    def __str__(self) -> str:
        return f"{self.kind} {self.number}: {self.how} in {self.file}\n{self.error}"


@dataclass
class Campaign(Generic[W]):
    """Mutations of some kinds of files in a place, and what came of them."""

    world: W
    kinds: Mapping[str, Kind[W]]
    outcomes: dict[str, Counter[str]] = field(default_factory=dict)
    hows: dict[str, Counter[str]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    slowest: float = 0.0

    def run(self, name: str, numbers: range) -> str:
        """Make the mutations of these numbers of one kind, and return a line of what came of them."""
        kind = self.kinds[name]
        files = [path for path in sorted(self.world.place.glob(kind.files)) if path.is_file()]
        for number in numbers:
            draw = random.Random(f"{name} {number}")
            file = draw.choice(files)
            how, data = kind.mutate(self.world, file, draw)
            self.hows.setdefault(name, Counter())[how] += 1
            file.write_bytes(data)
            try:
                with limited() as spent:
                    outcome = self._outcome(kind, file, draw)
                self.slowest = max(self.slowest, spent.seconds)
            except (Exception, Hung) as cause:
                outcome = type(cause).__name__
                error = "".join(traceback.format_exception(cause)[-12:])
                where = str(file.relative_to(self.world.place))
                self.faults.append(Fault(kind=name, number=number, how=how, file=where, error=error))
            finally:
                self.world.restore()
            self.outcomes.setdefault(name, Counter())[outcome] += 1
        found = self.outcomes[name]
        return f"{name:24}{found.total():5}  {_counted(found)}  ({_counted(self.hows[name])})"

    def _outcome(self, kind: Kind[W], file: Path, draw: random.Random) -> str:
        try:
            return kind.read(self.world, file, draw)
        except MtbenchError:
            return REFUSED


def total_of(campaigns: Sequence[Campaign[Any]]) -> Iterator[str]:
    """Yield a line for the mutations of all campaigns."""
    total = sum((each for campaign in campaigns for each in campaign.outcomes.values()), Counter[str]())
    yield f"{'all':24}{total.total():5}  {_counted(total)}; {sum(len(each.faults) for each in campaigns)} faults"


def _counted(counter: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counter.items()))
