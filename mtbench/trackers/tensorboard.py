"""The tracker ``tensorboard``."""

import os
import platform
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from mtbench.trackers.tracker import TrackedRun, Tracker

if TYPE_CHECKING:
    from tensorboard.compat.proto.summary_pb2 import Summary

__all__ = ["TensorBoard"]

LARGEST = 3.4028234e38
"""The largest float32; a larger value would be infinite."""


class TensorBoard(Tracker):
    """Files for TensorBoard: a folder for each run, values against epochs, and hyperparameters.

    ``tensorboard --logdir FOLDER`` shows them, also while runs are at work. TensorBoard keeps values as float32.
    """

    extra: ClassVar[str] = "mtbench[tensorboard]"
    extra_modules: ClassVar[tuple[str, ...]] = ("tensorboard",)

    def __init__(self, place: Path, options: object = None) -> None:
        super().__init__(place, options)
        self._files: dict[str, Path] = {}
        """The file that is written to, by the key of the run."""
        self._held: dict[str, tuple[dict[Path, int], int]] = {}
        """Sizes of all files of a run after the last write, and its last epoch, by the key of the run."""

    @property
    def shown_by(self) -> str:
        return f"tensorboard --logdir {self.place}"

    def held(self, run: TrackedRun) -> int:
        from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

        sizes, last = self._held.get(run.key, ({}, 0))
        present = self._sizes(run)
        if present != sizes:  # of an earlier process, or of a write that failed in the middle
            self._files.pop(run.key, None)  # nothing is added to a file whose end may be torn
            loaded = (EventFileLoader(str(path)).Load() for path in present)
            last = max((event.step for events in loaded for event in events), default=0)
        return last

    def log(self, run: TrackedRun, points: Mapping[int, Mapping[str, float]]) -> None:
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.plugins.hparams.summary_v2 import hparams_pb

        settings = [] if self._sizes(run) else [(0, hparams_pb(dict(run.settings), trial_id=run.key))]
        summaries = [
            (epoch, Summary(value=[Summary.Value(tag=tag, simple_value=x) for tag, x in values.items() if _fits(x)]))
            for epoch, values in points.items()
        ]
        self._write(run, [*settings, *summaries])
        self._held[run.key] = self._sizes(run), max(points)

    def _write(self, run: TrackedRun, summaries: "Sequence[tuple[int, Summary]]") -> None:
        """Add a record for each epoch to a file of the run: all values of an epoch are there, or none.

        The files of TensorBoard's own writer stay open, with a thread for each, which is too much for a thousand runs.
        """
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.summary.writer.record_writer import RecordWriter

        path = self._files.get(run.key)
        events = [Event(wall_time=time.time(), step=epoch, summary=summary) for epoch, summary in summaries]
        if path is None:
            name = f"events.out.tfevents.{time.time():010.0f}.{platform.node()}.{os.getpid()}"
            path = self._files[run.key] = self._folder(run) / f"{name}.{len(self._sizes(run))}"
            path.parent.mkdir(parents=True, exist_ok=True)
            events.insert(0, Event(wall_time=time.time(), file_version="brain.Event:2"))
        with path.open("ab") as file:
            for event in events:
                RecordWriter(file).write(event.SerializeToString())

    def _sizes(self, run: TrackedRun) -> dict[Path, int]:
        """Return the bytes of each file of a run."""
        return {path: path.stat().st_size for path in sorted(self._folder(run).glob("events.out.tfevents.*"))}

    def _folder(self, run: TrackedRun) -> Path:
        return self.place / run.name


def _fits(value: float) -> bool:
    return abs(value) <= LARGEST
