"""``mtbench open``: the page of a report in the browser."""

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from mtbench.cli.base import shared

__all__ = ["EXAMPLES", "open_"]

EXAMPLES = """Examples:

  mtbench open
  mtbench open reports/local/mmnist3
"""


def open_(
    folder: Annotated[
        Path | None,
        typer.Argument(
            help="Folder of a report, or of several; by default reports/local. Of several the newest is opened.",
            metavar="DIR",
        ),
    ] = None,
) -> None:
    """Open the page of a report in the browser, and print its path."""
    from mtbench.engines.screen.say import say
    from mtbench.report.place import find_page

    page = find_page(folder)
    say(shared.console(), str(page), markup=False)
    try:
        opened = webbrowser.open(page.resolve().as_uri())
    except webbrowser.Error:
        opened = False
    if not opened:
        say(shared.console(), "There is no browser here: open this file in one.", style="dim", markup=False)
