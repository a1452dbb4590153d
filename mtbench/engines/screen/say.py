"""Sentences on the screen and in files. Imports no torch."""

import os
import re
import textwrap
from collections.abc import Iterator, Sequence
from typing import IO, cast

from rich.console import Console, ConsoleOptions, RenderableType
from rich.markup import escape
from rich.segment import Segment
from rich.text import Text

from mtbench.engines.screen.output import Output

__all__ = ["Visible", "capped", "open_console", "say"]

MOST = 20
"""Lines of one kind that are printed."""

WIDTH = 100
"""Columns of output into a file or a pipe, unless the environment variable COLUMNS says otherwise."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Control characters but the tab and the end of a line."""


class Visible(Console):
    """A console that shows a control character of a text, such as one that moves the cursor, as ``\\x1b``."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        """Yield the segments of something to print."""
        for segment in super().render(renderable, options):
            text = segment.text if segment.control else _CONTROL.sub(_visible, segment.text)
            yield segment if text == segment.text else Segment(text, segment.style)


def open_console(*, quiet: bool = False, outlived: bool = False) -> Console:
    """Return standard output; in a file or a pipe it is `WIDTH` columns wide.

    Args:
        quiet: True to print nothing.
        outlived: True if the work goes on where it cannot be written.
    """
    opened = Visible(file=cast("IO[str]", Output()) if outlived else None, quiet=quiet, emoji=False)
    if not opened.is_terminal and "COLUMNS" not in os.environ:
        opened.width = WIDTH
    return opened


def capped(lines: Sequence[str]) -> list[str]:
    """Return the first `MOST` lines, and a last one with the number of the others if there are more."""
    rest = len(lines) - MOST
    return [*lines[:MOST], *([f"... and {rest} more such lines."] if rest > 0 else [])]


def _visible(found: re.Match[str]) -> str:
    return f"\\x{ord(found[0]):02x}"


def say(console: Console, line: str, *, style: str = "", markup: bool = True) -> None:
    """Print a line of text.

    A terminal wraps it, so that a command in it can be copied as a whole. In a file or a pipe it is wrapped here, at
    spaces alone, and lines that follow the first are indented: a path stays in one piece.

    Args:
        style: a style of rich for the whole line.
        markup: if rich's markup in the text is read; else the text is printed as it is.
    """
    if console.is_terminal:
        console.print(
            line if markup else escape(line), style=style or None, soft_wrap=True, highlight=False, emoji=False
        )
        return
    plain = Text.from_markup(line, emoji=False).plain if markup else line
    for part in plain.splitlines() or [""]:
        indent = part[: len(part) - len(part.lstrip())]
        filled = textwrap.fill(
            part, console.width, subsequent_indent=f"{indent}  ", break_long_words=False, break_on_hyphens=False
        )
        console.print(filled, soft_wrap=True, highlight=False, markup=False, emoji=False)
