"""Progress of long work: a bar with the time left on a terminal, else a line now and then."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

__all__ = ["shown"]

EVERY = 10.0
"""Seconds between two lines, where there is no terminal."""


@contextmanager
def shown(title: str, total: int, say: Callable[[str], None]) -> Iterator[Callable[[], None]]:
    """Show progress within the block; the function that it receives is called after each of `total` parts."""
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True)) as bar:
            task = bar.add_task(title, total=total)
            yield lambda: bar.advance(task)
        return
    started = said = time.monotonic()
    done = 0

    def advance() -> None:
        nonlocal done, said
        done += 1
        now = time.monotonic()
        if now - said >= EVERY and done < total:
            said = now
            left = timedelta(seconds=round((now - started) / done * (total - done)))
            say(f"{title}: {done:,} of {total:,} images, {left} left")

    yield advance
