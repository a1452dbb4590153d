"""The origin of a number on the screen."""

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.markup import escape

from mtbench.cli.base.shared import grid
from mtbench.engines.screen.say import say
from mtbench.report.page.sentences import QUICK
from mtbench.report.provenance.origin import Origin
from mtbench.report.provenance.runs import MethodList
from mtbench.report.text import seeds

__all__ = ["print_origin"]


def print_origin(origin: Origin, out: Console) -> None:
    """Print the origin of a number: itself, how it was made, its runs, and the command for them."""
    number = origin.number
    say(out, f"{escape(f'{origin.table}: {origin.method}, {origin.column}')}", style="bold")
    say(out, f"[bold]{escape(number.cell)}[/]{escape(_more(origin))}")
    out.print()
    for line in _sentences(origin):
        say(out, line, markup=False)
    for title, method in origin.runs.methods.items():
        out.print()
        _print_runs(origin, title, method, out)
    if origin.runs.machines:
        out.print()
    for place, machine in enumerate(origin.runs.machines, start=1):
        said = "; ".join(f"{name}: {value}" for name, value in machine)
        say(out, f"Machine {place}. {said}.", markup=False)


def _more(origin: Origin) -> str:
    """Return what stands behind a number: its unit, its digits and its interval."""
    number = origin.number
    if not number.says:
        return " (no number)"
    unit = f" {origin.unit}" if origin.unit and number.std else ""
    digits = f"{number.value:.10g}"
    is_range = number.interval is not None and not number.std  # of ranks: its ends are what it says
    parts = [f"unrounded {digits}"] if digits != number.says and not is_range else []
    if number.interval and not is_range:
        parts.append(f"95 % confidence interval {number.interval[0]} to {number.interval[1]}")
    return f"{unit} ({'; '.join(parts)})" if parts else unit


def _sentences(origin: Origin) -> Iterator[str]:
    if origin.quick:
        yield QUICK
    yield from origin.says
    yield from (f"{mark} {meaning}." for mark, meaning in origin.marks)


def _print_runs(origin: Origin, title: str, method: MethodList, out: Console) -> None:
    is_other = title != origin.title
    say(out, f"Runs of {title}{', which it is relative to' * is_other}:", markup=False)
    about = [(str(line.seed), line.run, line.state, line.level, str(line.machine or "")) for line in method.lines]
    values = [line.values or ("",) * len(origin.runs.heads) for line in method.lines]
    first = list(zip(("seed", "run", "state", "trust", "machine"), *about, strict=True))
    for block in _blocks(first, list(zip(origin.runs.heads, *values, strict=True)), out.width):
        found = grid(*(head for head, *_ in block))
        for column in found.columns:
            column.justify = "left" if column.header in ("run", "state", "trust") else "right"
        for row in zip(*(cells for _, *cells in block), strict=True):
            found.add_row(*row)
        out.print(found)
    for line in _reasons(method):
        say(out, line, markup=False)
    folders = list(dict.fromkeys(str(line.folder.parent) for line in method.lines))
    say(out, f"In {', '.join(folders)}", style="dim", markup=False)
    for line in method.code:
        say(out, line, style="dim", markup=False)
    say(out, method.command, markup=False)


def _blocks(
    first: Sequence[tuple[str, ...]], columns: Sequence[tuple[str, ...]], width: int
) -> Iterator[list[tuple[str, ...]]]:
    """Yield columns that fit a width side by side: behind the first ones, then behind the seeds alone."""
    block = list(first)
    for column in columns:
        if sum(map(_width, [*block, column])) > width and len(block) > 1:
            yield block
            block = [first[0]]
        block.append(column)
    yield block


def _width(column: tuple[str, ...]) -> int:
    """Return the width of a column with the space beside it; its head is wrapped at spaces."""
    head, *cells = column
    return 3 + max(map(len, [*head.split(), *cells]))


def _reasons(method: MethodList) -> Iterator[str]:
    """Yield a sentence on each reason why runs are not as they should be."""
    groups: dict[tuple[str, str], list[int]] = {}
    for line in method.lines:
        if line.why:
            groups.setdefault((line.state, line.why), []).append(line.seed)
    for (state, why), numbers in groups.items():
        yield f"{seeds(numbers)}, {state}: {why}"
