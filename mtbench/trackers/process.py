"""The process of a tracker: ``python -m mtbench.trackers.process ORDER``, started by a command that trains.

It receives the folders of runs in a file that the command adds lines to, and sends until its standard input ends, which
it also does if the command is killed. Then it has some seconds for the rest. Each line of its standard output is a
sentence for the user. Training never waits for it.
"""

import json
import os
import resource
import sys
import threading
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from pydantic import TypeAdapter

from mtbench.contract.options import parse_options
from mtbench.plan.spec import Choice
from mtbench.store.upkeep.space import free_space
from mtbench.trackers.follow import Follower
from mtbench.trackers.tracker import Tracker, load_tracker

__all__ = ["LEFT", "Order", "largest_file", "make_tracker"]

LEFT = 3
"""Exit status if something was not sent."""
PERIOD = 1.0
"""Seconds between two looks at the curves."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """Task of the process of a tracker.

    Attributes:
        tracker: the tracker and its own options.
        place: the folder that it writes to; an absolute path.
        runs: the file to which folders of runs are added, each as a JSON text on a line.
        last: seconds to send the rest in, after the command has ended.
    """

    tracker: Choice
    place: str
    runs: str
    last: float

    def to_json(self) -> str:
        """Return the text that `from_json` reads."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> "Order":
        """Parse an order."""
        return TypeAdapter(Order).validate_json(text)


def make_tracker(tracker: Choice, place: Path) -> Tracker:
    """Return a tracker that writes to a folder.

    Raises:
        UsageError: there is no such tracker or option, or a value does not fit.
        PluginError: the tracker is broken.
    """
    plugin = load_tracker(tracker.name)
    return plugin(place, parse_options(plugin.Options, tracker.options, owner=f"tracker '{tracker.name}'"))


def largest_file(place: Path, free: int) -> int:
    """Return the bytes that a file of a tracker may have: those of the largest one there, and half of what is free.

    So a tracker that writes without end leaves space for the runs.
    """
    sizes = (path.stat().st_size for path in place.rglob("*") if path.is_file())
    return max(sizes, default=0) + free // 2


def _work(order: Order, notes: IO[str], over: threading.Event) -> int:
    """Send what there is until the command is over, and return the exit status."""

    def note(text: str) -> None:
        with suppress(OSError):
            print(" ".join(text.split()), file=notes, flush=True)

    follower, known = Follower(make_tracker(order.tracker, Path(order.place)), note), 0
    while not over.is_set():
        known += _add(follower, order, known)
        follower.look()
        over.wait(PERIOD)
    _add(follower, order, known)
    is_all = follower.look_until_sent()
    follower.finish()
    return 0 if is_all else LEFT


def _add(follower: Follower, order: Order, known: int) -> int:
    """Let the runs be followed that were added to the file of an order after the first `known` ones."""
    lines = Path(order.runs).read_text().split("\n")[known:-1]  # the last line is not complete yet
    follower.add(Path(json.loads(line)) for line in lines)
    return len(lines)


def _limit_files(place: Path) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    soft = largest_file(place, free_space(place))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def _end(over: threading.Event, last: float) -> None:
    """Wait for the end of the command, and end this process so many seconds later at the latest."""
    while os.read(0, 4096):
        pass
    over.set()
    threading.Event().wait(last)
    os._exit(LEFT)


def main(order: str) -> int:
    """Follow an order, a file, and return the exit status: 0 if all was sent."""
    notes = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no sentence for the user
    known = Order.from_json(Path(order).read_text())
    _limit_files(Path(known.place))
    over = threading.Event()
    threading.Thread(target=_end, args=[over, known.last], daemon=True).start()
    return _work(known, notes, over)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
