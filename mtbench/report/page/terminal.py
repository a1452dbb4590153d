"""Tables on the terminal."""

from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table as Grid
from rich.text import Text

from mtbench.report.page.layout import Layout, Page, blocks
from mtbench.report.page.sentences import QUICK
from mtbench.report.page.words import Words
from mtbench.report.text import wrap

__all__ = ["print_page"]

_NAME = 28
_HEAD = 14
_GAPS = (2, 1)
"""Spaces between columns: one only where that saves a block, or keeps cost beside accuracy."""


def print_page(page: Page, console: Console) -> None:
    """Print a table and its footnotes; where the console is too narrow, blocks of columns stand below one another."""
    quick = f". [bold yellow]{QUICK}[/]" if page.quick else ""
    console.print(f"[bold]{escape(page.title)}[/]{quick}", highlight=False)
    layout = page.layout
    cut = {gap: blocks(layout, width=console.width, name=_NAME, head=_HEAD, gap=gap, measure=_letters) for gap in _GAPS}
    gap = min(_GAPS, key=lambda gap: (len(cut[gap]), cut[gap][-1].apart))
    for number, block in enumerate(cut[gap]):
        if number:
            console.print()
        console.print(_grid(block, gap))
    if page.aside:
        console.print(Text(page.aside))
    for footnote in page.footnotes:
        console.print(Text(footnote))


def _letters(words: Words) -> int:
    return cell_len(words.says)


def _grid(block: Layout, gap: int) -> Grid:
    grid = Grid(box=None, padding=(0, gap, 0, 0), pad_edge=False, header_style="bold")
    grid.add_column(Text(block.header[0]))
    for head in block.header[1:]:
        grid.add_column(Text(wrap(head, _HEAD)), justify="right", no_wrap=True)
    for name, *cells in block.lines:
        grid.add_row(
            Text(wrap(name.says, _NAME)), *(Text(cell.says, style="bold" if cell.bold else "") for cell in cells)
        )
    return grid
