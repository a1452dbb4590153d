"""The progress of a run elsewhere, read from its curve."""

import json
import math
from statistics import fmean

from mtbench.engines.engine import Job
from mtbench.errors import StoreError
from mtbench.store.run.folder import RunFolder
from mtbench.train.progress import Progress

__all__ = ["Watch"]

LARGEST = 1 << 24
"""Bytes of the largest curve that is read for this."""


class Watch:
    """The progress of a run by the last line of its ``curve.jsonl``."""

    def __init__(self, job: Job) -> None:
        self._path = job.folder / "curve.jsonl"
        self._changed = 0
        try:
            self._epochs = RunFolder(job.folder).spec().protocol.epochs
        except StoreError:
            self._epochs = 0

    def news(self) -> Progress | None:
        """Return the progress if it has changed since the last call, and can be read."""
        try:
            state = self._path.stat()
            if state.st_mtime_ns == self._changed or state.st_size > LARGEST:
                return None
            self._changed = state.st_mtime_ns
            point = json.loads(self._path.read_bytes().splitlines()[-1])
            epoch, losses = int(point["epoch"]), [float(loss) for loss in point["train_losses"].values()]
        except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError):
            return None  # a curve is replaced as a whole, but another mtbench may have written it
        finite = [loss for loss in losses if math.isfinite(loss)]
        epochs = max(epoch, self._epochs, 1)
        loss = fmean(finite) if finite else math.nan
        return Progress(epoch=epoch, epochs=epochs, step=epoch, steps=epochs, loss=loss, metric="", score=None)
