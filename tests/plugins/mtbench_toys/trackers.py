"""Trackers: one as its user would write it, and others that do what no tracker should."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from mtbench.contract import option
from mtbench.trackers.tracker import TrackedRun, Tracker


class Csv(Tracker):
    """A CSV file for each run: epoch, name and value."""

    def held(self, run: TrackedRun) -> int:
        lines = self._path(run).read_text().splitlines() if self._path(run).exists() else []
        return int(lines[-1].split(",")[0]) if lines else 0

    def log(self, run: TrackedRun, points: Mapping[int, Mapping[str, float]]) -> None:
        with self._path(run).open("a") as file:
            for epoch, values in points.items():
                file.write("".join(f"{epoch},{name},{value}\n" for name, value in values.items()))

    def _path(self, run: TrackedRun) -> Path:
        return self.place / f"{run.key}.csv"


@dataclass(frozen=True, kw_only=True)
class At:
    """The place at which a tracker misbehaves."""

    at: str = option("log", "name of a method", choices=("prepare", "held", "log", "finish"))


class Wrong(Csv):
    """Misbehaves in one of its methods."""

    Options: ClassVar[type[Any]] = At

    def prepare(self) -> None:
        self._reach("prepare")

    def held(self, run: TrackedRun) -> int:
        self._reach("held")
        return super().held(run)

    def log(self, run: TrackedRun, points: Mapping[int, Mapping[str, float]]) -> None:
        self._reach("log")
        super().log(run, points)

    def finish(self, run: TrackedRun, how: str) -> None:  # noqa: ARG002
        self._reach("finish")

    def _reach(self, name: str) -> None:
        if name == self.options.at:
            (self.place / "reached").touch()
            self.misbehave()

    def misbehave(self) -> None:
        raise NotImplementedError


class Raises(Wrong):
    """Raises an exception."""

    def misbehave(self) -> None:
        raise RuntimeError(f"no {self.options.at} today")


class Blocks(Wrong):
    """Waits for ever."""

    def misbehave(self) -> None:
        while True:
            time.sleep(1)


class Exits(Wrong):
    """Ends its process."""

    def misbehave(self) -> None:
        raise SystemExit("enough")


class Fills(Wrong):
    """Writes a file until it cannot."""

    def misbehave(self) -> None:
        with (self.place / "filler").open("ab") as file:
            while file.write(bytes(1 << 16)):
                pass
