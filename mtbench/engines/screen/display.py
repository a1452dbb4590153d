"""Output on the screen while runs are under way: live lines on a terminal, plain lines elsewhere, or nothing."""

import time
from types import TracebackType
from typing import Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from mtbench.engines.engine import Job, Listener
from mtbench.engines.screen.headline import headline_of_folder
from mtbench.engines.screen.say import say
from mtbench.train.progress import Progress

__all__ = ["Display", "Lines", "LiveLines", "Silence", "choose_display", "duration"]


class Display(Listener, Protocol):
    """A listener that is on screen for as long as its block lasts."""

    def __enter__(self) -> "Display": ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...


def choose_display(console: Console, total: int, *, quiet: bool) -> Display:
    """Return the display that suits the console, for a total number of runs."""
    if quiet:
        return Silence()
    return LiveLines(console, total) if console.is_terminal else Lines(console, total)


def duration(seconds: float) -> str:
    """Return a time span in its two largest units: ``48 s``, ``3 min 20 s``, ``2 h 5 min``, ``3 d 4 h``."""
    whole = round(seconds)
    for name, size, smaller, part in (("d", 86400, "h", 3600), ("h", 3600, "min", 60), ("min", 60, "s", 1)):
        if whole >= size:
            rest = whole % size // part
            return f"{whole // size} {name}" + (f" {rest} {smaller}" if rest else "")
    return f"{whole} s"


class Silence:
    """A display that prints nothing."""

    def __enter__(self) -> "Silence":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        pass

    def started(self, job: Job, device: str) -> None:
        pass

    def advanced(self, job: Job, progress: Progress) -> None:
        pass

    def noted(self, job: Job, text: str) -> None:
        pass

    def ended(self, job: Job, how: str, why: str) -> None:
        pass

    def refresh(self) -> None:
        pass


class Lines(Silence):
    """A line for every tenth of a run and for its end, for logs."""

    TENTHS = 10

    def __init__(self, console: Console, total: int) -> None:
        self.console, self.total = console, total
        self.over = 0
        self.last: dict[Job, tuple[int, int]] = {}

    def advanced(self, job: Job, progress: Progress) -> None:
        part = (progress.epoch, progress.epoch * self.TENTHS // progress.epochs)
        before = self.last.setdefault(job, (0, 0))
        if part[1] > before[1]:
            self.last[job] = part
            self._say(f"{escape(job.title)}: {describe(progress)}")

    def noted(self, job: Job, text: str) -> None:
        self._say(remark(job, text))

    def ended(self, job: Job, how: str, why: str) -> None:
        self.over += how in FINAL
        self._say(report(job, how, why, f"{self.over}/{self.total}"))

    def _say(self, line: str) -> None:
        say(self.console, line)


class LiveLines(Silence):
    """One line per run under way, and a bar for all of them, redrawn in place."""

    def __init__(self, console: Console, total: int) -> None:
        self.console, self.total = console, total
        self.running: dict[Job, Progress | None] = {}
        self.clocks: dict[Job, Clock] = {}
        self.busy: set[Job] = set()
        self.over = 0
        self.clock = Clock(0.0)
        self.live = Live(console=console, auto_refresh=False, transient=True, get_renderable=self.render)

    def __enter__(self) -> "LiveLines":
        self.live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.live.stop()

    def started(self, job: Job, device: str) -> None:  # noqa: ARG002
        self.busy.discard(job)
        self.running[job] = None

    def advanced(self, job: Job, progress: Progress) -> None:
        if self.running.get(job) is None:
            self.clocks[job] = Clock(progress.step / progress.steps)
        self.running[job] = progress

    def noted(self, job: Job, text: str) -> None:
        self.live.console.print(remark(job, text), soft_wrap=True, highlight=False)

    def ended(self, job: Job, how: str, why: str) -> None:
        self.running.pop(job, None)
        self.busy.discard(job)
        if how == "busy":
            self.busy.add(job)
        self.over += how in FINAL
        self.live.console.print(report(job, how, why, f"{self.over}/{self.total}"), soft_wrap=True, highlight=False)

    def refresh(self) -> None:
        self.live.refresh()

    def render(self) -> RenderableType:
        """Return the lines that are on the screen now."""
        lines = Table.grid(padding=(0, 2), expand=True)
        lines.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        for _ in range(4):
            # Not 0 wide, since rich does not expand a table that has an empty column.
            lines.add_column(justify="right", no_wrap=True, min_width=1)
        for job, progress in self.running.items():
            lines.add_row(escape(job.title), *self._cells(job, progress))
        done = self.over + sum(p.step / p.steps for p in self.running.values() if p is not None)
        fraction = done / max(1, self.total)
        total = Table.grid(padding=(0, 2), expand=True)
        total.add_column(no_wrap=True)
        total.add_column(ratio=1)
        total.add_column(justify="right", no_wrap=True)
        waiting = f", {len(self.busy)} with another mtbench" if self.busy else ""
        bar = ProgressBar(total=1, completed=fraction)
        total.add_row(f"{self.over} of {self.total} runs{waiting}", bar, self.clock.left(fraction))
        return Group(lines, total)

    def _cells(self, job: Job, progress: Progress | None) -> list[RenderableType]:
        if progress is None:
            return [Text("starting", style="dim"), "", "", ""]
        return [
            f"epoch {progress.epoch}/{progress.epochs}",
            f"loss {progress.loss:.3f}",
            "" if progress.score is None else f"{progress.metric} {progress.score:.2f}",
            self.clocks[job].left(progress.step / progress.steps),
        ]


class Clock:
    """The time left of some work, from the fraction of it that was done since the clock was started."""

    def __init__(self, fraction: float) -> None:
        self.fraction, self.since = fraction, time.monotonic()

    def left(self, fraction: float) -> str:
        """Return the time left when this fraction of the work is done; an empty text before there is any progress."""
        gained = fraction - self.fraction
        if gained <= 0:
            return ""
        return f"{duration((time.monotonic() - self.since) * (1 - fraction) / gained)} left"


FINAL = ("done", "failed", "stopped")
STYLES = {"done": "green", "failed": "bold red", "stopped": "yellow", "again": "yellow", "busy": "cyan"}


def describe(progress: Progress) -> str:
    """``epoch 3/10, loss 0.412, accuracy 91.20``."""
    score = "" if progress.score is None else f", {progress.metric} {progress.score:.2f}"
    return f"epoch {progress.epoch}/{progress.epochs}, loss {progress.loss:.3f}{score}"


def remark(job: Job, text: str) -> str:
    """Return the line for a note on a run, as markup."""
    return f"[yellow]note   [/]       {escape(job.title)}: {escape(text)}"


def report(job: Job, how: str, why: str, count: str) -> str:
    """Return the line that stays when a run is over, as markup; of a finished one with its result and its time."""
    line = f"[{STYLES[how]}]{'waiting' if how == 'busy' else how:7}[/] {count}  {escape(job.title)}"
    if how == "done" and (found := headline_of_folder(job.folder)):
        return f"{line}  {escape(found[0])}  {duration(found[1])}"
    return line + (f": {escape(why)}" if why else "")
