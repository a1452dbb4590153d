"""Sentences on the screen and in files. Imports no torch."""

import os
import textwrap
from typing import IO, cast

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from mtbench.engines.output import Output

__all__ = ["open_console", "say"]

WIDTH = 100
"""Columns of output into a file or a pipe, unless the environment variable COLUMNS says otherwise."""


def open_console(*, quiet: bool = False, outlived: bool = False) -> Console:
    """Return standard output; in a file or a pipe it is `WIDTH` columns wide.

    Args:
        quiet: True to print nothing.
        outlived: True if the work goes on where it cannot be written.
    """
    opened = Console(file=cast("IO[str]", Output()) if outlived else None, quiet=quiet, emoji=False)
    if not opened.is_terminal and "COLUMNS" not in os.environ:
        opened.width = WIDTH
    return opened


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
