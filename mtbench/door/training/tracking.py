"""Trackers chosen by text, their processes beside a command that trains, and what a results folder holds already."""

import dataclasses
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from mtbench.contract.options import parse_options
from mtbench.errors import UsageError
from mtbench.plan.spec import Choice
from mtbench.store.results import run_folders
from mtbench.trackers.follow import Follower
from mtbench.trackers.process import LEFT, Order, make_tracker
from mtbench.trackers.tracker import Place, Tracker, load_tracker

__all__ = ["ChosenTracker", "parse_tracker", "send", "tracking"]

LAST = 20.0
"""Seconds that a tracker has to receive the rest, after the runs have ended."""
SOON = 5.0
"""Seconds after which a process is killed that has not ended itself in `LAST`."""
_OPTION = re.compile(r":(?=[a-z][a-z0-9_-]*=)")
"""The beginning of an option; another colon is part of a value, as in ``http://host:5000``."""


@dataclass(frozen=True, kw_only=True)
class ChosenTracker:
    """A tracker with its options, and the folder that it writes to.

    Attributes:
        text: the tracker as it was given.
        choice: the tracker and its own options.
        place: the folder; an absolute path.
    """

    text: str
    choice: Choice
    place: Path

    def make(self) -> Tracker:
        """Return the tracker itself."""
        return make_tracker(self.choice, self.place)


def parse_tracker(text: str, results: Path) -> ChosenTracker:
    """Parse a tracker such as ``tensorboard`` or ``mlflow:uri=http://host:5000:experiment=mine``.

    Args:
        text: the name and the options.
        results: the results folder, or the pack, that is tracked.

    Raises:
        UsageError: there is no such tracker or option, or a value does not fit.
        PluginError: the tracker is broken, or a package that it needs is not installed.
    """
    name, *parts = _OPTION.split(text.strip())
    if ":" in name:
        raise UsageError(
            f"'{name.partition(':')[2]}' in tracker '{text}' is not an option.", allowed="An option is name=value."
        )
    given = {key.replace("-", "_"): value for key, _, value in (part.partition("=") for part in parts)}
    if len(given) < len(parts):
        raise UsageError(f"tracker '{text}' gives an option twice.")
    plugin = load_tracker(name)
    folder = given.pop("folder", "")
    parse_options(
        plugin.Options, given, owner=f"tracker '{name}'", others=[field.name for field in dataclasses.fields(Place)]
    )
    place = Path(folder).expanduser().absolute() if folder else default_place(results) / name
    return ChosenTracker(text=text, choice=Choice(name=name, options=given), place=place)


def default_place(results: Path) -> Path:
    """Return the folder of trackers for a results folder or a pack: beside it, so that it is no part of the results."""
    whole = results.absolute()
    return whole.with_name(f"{whole.stem if whole.suffix == '.zip' else whole.name}-tracked")


@contextmanager
def tracking(
    trackers: Iterable[str], results: Path, say: Callable[[str], None], *, quiet: bool = False
) -> Iterator[Callable[[Sequence[Path]], None]]:
    """Track runs within the block.

    Args:
        trackers: see `parse_tracker`.
        results: the results folder.
        say: called with each line for the user: where the curves are shown, and problems. A thread may call it.
        quiet: True to say problems alone.

    Yields:
        a function that is called with the folders of runs, before they are trained; it may be called again.

    Raises:
        UsageError, PluginError: see `parse_tracker`; nothing is started then.
    """
    chosen = [parse_tracker(text, results) for text in trackers]
    processes = [_Process(each, results, say, quiet=quiet) for each in chosen]

    def follow(folders: Sequence[Path]) -> None:
        for process in processes:
            process.follow(folders)

    try:
        yield follow
    finally:
        for process in processes:
            process.close()
        for process in processes:
            process.end()


def send(results: Path, chosen: ChosenTracker, note: Callable[[str], None]) -> tuple[int, int]:
    """Send what a tracker lacks of the runs in a results folder or a pack.

    Args:
        results: the folder or the pack.
        chosen: the tracker.
        note: called with a sentence on each problem.

    Returns:
        the number of runs, and the number of those of which something could not be sent.

    Raises:
        StoreError: there is no such folder or pack.
        NewerResults: a newer mtbench made it.
    """
    runs = run_folders(results, note)
    follower = Follower(chosen.make(), note)
    follower.add(run.path for run in runs)
    follower.look_until_sent()
    follower.finish()
    return len(runs), follower.left


class _Process:
    """The process of a tracker. Nothing that happens to it concerns the command."""

    def __init__(self, chosen: ChosenTracker, results: Path, say: Callable[[str], None], *, quiet: bool) -> None:
        self._chosen = chosen
        self._quiet = quiet
        self._name = chosen.choice.name
        self._say = say
        self._later = f"mtbench track {shlex.quote(str(results))} --to {shlex.quote(chosen.text)}"
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[str] | None = None
        self._notes = threading.Thread(target=self._read_notes, name=f"tracker {self._name}", daemon=True)
        self._is_ending = self._has_ended = False
        self._last = ""

    def follow(self, folders: Sequence[Path]) -> None:
        """Let runs be followed; the process is started by the first call."""
        try:
            if self._folder is None:
                self._folder = tempfile.TemporaryDirectory(prefix="mtbench-tracker-")
            with self._runs.open("a") as file:
                file.writelines(json.dumps(str(folder.absolute())) + "\n" for folder in folders)
            if self._process is None:
                self._start()
        except OSError as cause:
            self._warn(f"cannot be started ({cause.strerror or cause})")

    def close(self) -> None:
        """Tell the process that nothing is added any more."""
        self._is_ending = True
        if self._process is not None and self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()

    def end(self) -> None:
        """Wait for the end of the process, and kill it if it takes too long."""
        process = self._process
        if process is None:
            return
        try:
            status = process.wait(LAST + SOON)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            process.kill()
            status = process.wait()
        self._notes.join(SOON)
        if status in (LEFT, -signal.SIGKILL) and not self._has_ended:
            self._warn("not everything was sent")
        elif status and not self._has_ended:
            self._warn_of_end()
        if self._folder is not None:
            self._folder.cleanup()

    @property
    def _runs(self) -> Path:
        assert self._folder is not None
        return Path(self._folder.name) / "runs"

    def _start(self) -> None:
        order = self._runs.with_name("order.json")
        wanted = Order(tracker=self._chosen.choice, place=str(self._chosen.place), runs=str(self._runs), last=LAST)
        order.write_text(wanted.to_json())
        with self._runs.with_name("log").open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "mtbench.trackers.process", str(order)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                errors="replace",
                env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
                start_new_session=True,  # Ctrl-C is for the command, which then ends this process
            )
        self._notes.start()
        if not self._quiet and (shown_by := self._chosen.make().shown_by):
            self._say(f"Curves: {shown_by}")

    def _read_notes(self) -> None:
        """Say each sentence of the process, and that it has ended before its time."""
        assert self._process is not None
        assert self._process.stdout is not None
        with self._process.stdout as sentences:
            for line in sentences:
                self._warn(line.strip())
        if self._process.wait() and not self._is_ending:
            self._has_ended = True
            self._warn_of_end()

    def _warn_of_end(self) -> None:
        lines = self._runs.with_name("log").read_text(errors="replace").split("\n")
        words = next((line.strip() for line in reversed(lines) if line.strip()), "it was killed")
        self._warn(f"its process has ended ({words})")

    def _warn(self, what: str) -> None:
        line = (
            f"Tracker {self._name}: {what.rstrip('.')}. Runs are not affected. To send what is missing: {self._later}"
        )
        if line != self._last:
            self._last = line
            self._say(line)
