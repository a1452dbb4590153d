"""The interface of trackers, which curves of runs are sent to.

A tracker is a plug-in of the group ``mtbench.trackers``: a subclass of `Tracker` of two methods. It is called in a
process of its own (see `mtbench.trackers.process`), so that one that raises, waits or is killed concerns no run.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

from mtbench import registry
from mtbench.contract import NoOptions
from mtbench.contract.options import option
from mtbench.errors import PluginError

__all__ = ["Place", "Setting", "TrackedRun", "Tracker", "load_tracker"]

Setting: TypeAlias = str | int | float | bool
"""The value of a hyperparameter."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """The options of every tracker."""

    folder: str = option("", "folder to write to; by default the name of the results folder with -tracked/NAME added")


@dataclass(frozen=True, kw_only=True)
class TrackedRun:
    """A run, as trackers know it.

    Attributes:
        key: a text of letters, digits and ``-`` that identifies the run and the beginning of its curve: a run that was
            retrained with other results has another key, one that was resumed has not.
        name: the name of the run for people: ``mmnist3/td/seed-0-<key>``, with slashes.
        settings: the hyperparameters of the run by name, its dataset, method and seed among them.
    """

    key: str
    name: str
    settings: Mapping[str, Setting]


class Tracker(ABC):
    """A program that shows the curves of runs, and the first line of its docstring for ``mtbench list``.

    ::

        class Mine(Tracker):
            def held(self, run):
                lines = self._path(run).read_text().splitlines() if self._path(run).exists() else []
                return int(lines[-1].split(",")[0]) if lines else 0

            def log(self, run, points):
                with self._path(run).open("a") as file:
                    for epoch, values in points.items():
                        file.writelines(f"{epoch},{name},{value}\\n" for name, value in values.items())

            def _path(self, run):
                return self.place / f"{run.key}.csv"

    All methods are called in one process, one after another, and only while no other process of mtbench is sending to
    the same place. An exception that a method raises is shown to the user, and the same run is tried again later,
    beginning with `held`.

    Attributes:
        extra: the optional dependency that the tracker needs, in pip's notation, e.g. ``mine[board]``: a plain text.
        extra_modules: the modules that `extra` installs: a tuple of plain texts.
        Options: the data class of its options (see `mtbench.contract.option`), a class attribute. Every tracker has the
            option ``folder`` too.
        place: the folder to write to, which exists when a method is called; an absolute path.
        options: an instance of `Options`.
    """

    extra: ClassVar[str] = ""
    extra_modules: ClassVar[tuple[str, ...]] = ()
    Options: ClassVar[type[Any]] = NoOptions

    def __init__(self, place: Path, options: Any = None) -> None:
        self.place = place
        self.options = self.Options() if options is None else options

    @property
    def shown_by(self) -> str:
        """The command that shows what was sent; empty if there is none. It is asked for before anything is sent."""
        return ""

    def prepare(self) -> None:  # noqa: B027 most trackers need nothing
        """Make what has to be made once, such as a database, before anything is sent. It may be there already."""

    @abstractmethod
    def held(self, run: TrackedRun) -> int:
        """Return the last epoch that was sent of a run; 0 if there is none.

        The answer must come from where the values were sent to, since the process that sent them may have been killed.
        """

    @abstractmethod
    def log(self, run: TrackedRun, points: Mapping[int, Mapping[str, float]]) -> None:
        """Send the values of a run after some epochs.

        Args:
            run: the run.
            points: finite numbers by name (see `mtbench.trackers.values`), at least one, for each number of finished
                epochs; in ascending order, and greater than what is held.
        """

    def finish(self, run: TrackedRun, how: str) -> None:  # noqa: B027 most trackers show no end
        """Note the end of a run, all of whose values were sent; it may have been noted before.

        Args:
            run: the run.
            how: ``done`` if it has a record; ``failed``, or ``stopped``, if the command ended without one.
        """


def load_tracker(name: str) -> type[Tracker]:
    """Return the class of a tracker.

    Raises:
        UsageError: nothing of that name is installed.
        PluginError: it is broken or no tracker, or a package that it needs is not installed.
    """
    plugin, entry = registry.load("tracker", name), registry.find("tracker", name)
    if not issubclass(plugin, Tracker):
        raise PluginError(f"tracker '{name}' of {entry.origin} is not a Tracker.")
    if extra := registry.lacking(entry):
        raise PluginError(
            f"tracker '{name}' needs a package that is not installed.", mend=f"Install it: pip install '{extra}'"
        )
    return plugin
