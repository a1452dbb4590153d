"""Following of runs: what their curves have gained is sent to a tracker, each point once."""

import json
import os
import random
import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from mtbench.errors import Busy, MtbenchError, StoreError
from mtbench.plan.spec import RunSpec
from mtbench.store.files.atomic import make_folder
from mtbench.store.files.guard import read_guarded
from mtbench.store.files.reading import inside
from mtbench.store.record import CurvePoint
from mtbench.store.run.folder import RunFolder
from mtbench.store.run.lease import Lease
from mtbench.store.upkeep.space import megabytes
from mtbench.trackers.tracker import Tracker
from mtbench.trackers.values import tracked_run, values_of

__all__ = ["CURVE", "Follower", "read_curve"]

CURVE = "curve.jsonl"
LOCK = ".mtbench"
"""Folder in a tracker's place, whose lease is held while something is sent there."""
ATTEMPTS = 3
"""Looks in which a tracker may raise an exception before it is given up, at the end."""
LONGEST = 60.0
"""Seconds that a tracker is left alone at most after an error, before it is tried again."""
RESERVE = 1 << 30
"""Bytes that a tracker leaves to the runs; or a part of the disk, one of `PART`, if that is less."""
PART = 20


class Follower:
    """Runs that are followed, and the tracker that their curves are sent to.

    Args:
        tracker: the tracker.
        note: called with a sentence on each problem, once.
    """

    def __init__(self, tracker: Tracker, note: Callable[[str], None]) -> None:
        self._tracker = tracker
        self._note = note
        self._noted: set[str] = set()
        self._runs: dict[Path, _Followed] = {}
        self._is_prepared = False
        self._rests_until = 0.0
        self._errors = 0

    def add(self, folders: Iterable[Path]) -> None:
        """Follow the runs in these folders too; one that is followed is looked at again."""
        for folder in folders:
            self._runs.setdefault(folder, _Followed(folder)).state = None

    @property
    def left(self) -> int:
        """The number of runs of which something is still to be sent."""
        return sum(run.state != run.present() for run in self._runs.values())

    def look(self) -> bool:
        """Send what is new, and return True if nothing is left to be sent.

        After an exception of the tracker nothing is sent for a while, at most `LONGEST`, and the run that it was raised
        for comes last.
        """
        fresh = [run for run in self._runs.values() if run.state != run.present()]
        if not fresh:
            return True
        if time.monotonic() < self._rests_until:
            return False
        try:
            self._check_space()
            make_folder(self._tracker.place / LOCK)
            with Lease(self._tracker.place / LOCK) as lease:
                self._prepare()
                for run in fresh:
                    lease.check()
                    self._runs[run.folder] = self._runs.pop(run.folder)
                    self._send(run)
        except Busy:  # another command sends to the same place at this moment
            self._rests_until = time.monotonic() + random.uniform(0.1, 0.5)
            return False
        except Exception as cause:
            self._say(f"{type(cause).__name__}: {cause}" if not isinstance(cause, MtbenchError) else str(cause))
            self._errors += 1
            self._rests_until = time.monotonic() + min(2.0**self._errors, LONGEST)
            return False
        self._errors = 0
        return True

    def look_until_sent(self) -> bool:
        """Send all that is new, and return False if the tracker raises an exception in `ATTEMPTS` looks in a row."""
        for _ in range(ATTEMPTS):
            self._rests_until, before = 0.0, self._errors
            while self._errors == before:
                if self.look():
                    return True
                time.sleep(0.1)  # another process sends to the same place
        return False

    def finish(self) -> None:
        """Note the end of the runs that were sent and have no record."""
        for run in self._runs.values():
            if run.sent is not None and not run.folder_of.has_record and not run.folder_of.is_leased:
                how = "failed" if run.folder_of.failure() else "stopped"
                try:
                    self._tracker.finish(run.sent, how)
                except Exception as cause:
                    self._say(f"{type(cause).__name__}: {cause}")
                    return

    def _prepare(self) -> None:
        if not self._is_prepared:
            self._tracker.prepare()
            self._is_prepared = True

    def _send(self, run: "_Followed") -> None:
        """Send what is new of a run.

        Raises:
            Exception: the tracker raised it.
        """
        state = run.present()
        try:
            spec, curve = run.spec(), read_curve(run.folder_of)
        except (OSError, StoreError, ValueError) as cause:
            self._say(f"the curve in {run.folder} cannot be read and is left out: {cause}")
            run.state = state
            return
        if curve:
            known = tracked_run(spec, curve)
            last = self._tracker.held(known)
            points = {point.epoch: values_of(point) for point in curve if point.epoch > last}
            if points := {epoch: values for epoch, values in points.items() if values}:
                self._tracker.log(known, points)
            run.sent = known
            if run.folder_of.has_record:
                self._tracker.finish(known, "done")
        run.state = state

    def _check_space(self) -> None:
        """Refuse to send anything to a disk that is nearly full, since the runs need it.

        Raises:
            StoreError: it is.
        """
        place = self._tracker.place
        while not place.is_dir() and place != place.parent:
            place = place.parent
        disk = shutil.disk_usage(place)
        if disk.free < min(RESERVE, disk.total // PART):
            raise StoreError(f"the disk of {place} has only {megabytes(disk.free)} left, which the runs may need.")

    def _say(self, text: str) -> None:
        if text not in self._noted:
            self._noted.add(text)
            self._note(text)


class _Followed:
    """A run that is followed.

    Attributes:
        folder: the folder of the run, perhaps in a pack.
        state: the `present` state of its files when they were sent; None if they were not.
        sent: the run as the tracker knows it; None if nothing was sent.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder_of = RunFolder(folder)
        self.state: Any = None
        self.sent: Any = None
        self._spec: RunSpec | None = None

    def present(self) -> Any:
        """Return a value that changes when there is something to be sent."""
        has_record = self.folder_of.has_record
        if inside(self.folder) is not None:
            return has_record
        try:
            state = os.stat(self.folder / CURVE)
        except OSError:
            return has_record or None
        return has_record, state.st_mtime_ns, state.st_size, state.st_ino

    def spec(self) -> RunSpec:
        """Return the spec of the run.

        Raises:
            StoreError: it cannot be read.
        """
        self._spec = self._spec or self.folder_of.known_spec()
        return self._spec


def read_curve(run: RunFolder) -> list[CurvePoint]:
    """Return the points of the curve of a run so far: those in its record where there is no ``curve.jsonl``.

    Raises:
        OSError, StoreError: it cannot be read.
        ValueError: it is no curve.
    """
    try:
        lines = read_guarded(run.path / CURVE).splitlines()
    except FileNotFoundError:
        record = run.record()
        return [] if record is None else list(record.curve)
    try:
        return [_POINT.validate_python(json.loads(line)) for line in lines]
    except ValidationError as cause:
        raise ValueError(f"{cause.error_count()} values are wrong") from None


_POINT = TypeAdapter(CurvePoint)
