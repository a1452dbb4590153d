"""The exhibits of some results, each built once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from mtbench import registry
from mtbench.errors import PluginError
from mtbench.report.data.choices import DEFAULT, Choices
from mtbench.report.data.comparison import compare
from mtbench.report.data.studies import StudyRuns
from mtbench.report.exhibit import Exhibit, Results, Shown
from mtbench.report.page.layout import Page
from mtbench.report.page.terminal import print_page
from mtbench.report.paper.figures import without_titles
from mtbench.report.paper.table import check_columns
from mtbench.report.place import DEFAULT_REPORTS, PAGE
from mtbench.report.web.document import render_document
from mtbench.report.web.drawing import Drawing
from mtbench.report.write import number_files, shown_files
from mtbench.store.files.atomic import make_folder, write_bytes
from mtbench.store.status import RunStatus

__all__ = ["Report", "assemble", "make_report", "report_files", "write_reports"]


@dataclass(frozen=True, kw_only=True)
class Report:
    """The exhibits of some results.

    Attributes:
        results: all that the report is made of.
        shown: pieces in their order: those beside each summary table, then all others.
        broken: sentences on exhibits that cannot be loaded, and are left out.
    """

    results: Results
    shown: tuple[Shown, ...]
    broken: tuple[str, ...] = ()

    def pages(self) -> Iterator[Page]:
        """Yield the tables for the screen."""
        for piece in self.shown:
            yield from piece.pages.values()

    def print(self, console: Console) -> None:
        """Print the tables, and the exhibits that are left out."""
        for page in self.pages():
            print_page(page, console)
            console.print()
        for sentence in self.broken:
            console.print(f"Left out: {sentence}", style="yellow", soft_wrap=True, highlight=False, markup=False)

    def write(self, out: Path | None) -> list[Path]:
        """Write tables, numbers, figures and the page of each folder; see `write_reports`."""
        return write_reports([self], out)

    def folder(self, piece: Shown) -> str:
        """Return the folder of a piece below `DEFAULT_REPORTS`."""
        if self.results.suite:
            return self.results.suite.suite.name
        return piece.folder or (piece.beside.folder if piece.beside else "")


def write_reports(reports: Sequence[Report], out: Path | None) -> list[Path]:
    """Write tables, numbers and figures, and a page for everything in a folder; the same runs make the same bytes.

    Args:
        reports: the reports of one command, such as those of the sizes of a suite.
        out: folder for everything, or None for one per dataset, or of the suite, below `DEFAULT_REPORTS`.

    Returns:
        The files, in the order in which they were written.

    Raises:
        StoreError: a file cannot be written.
    """
    files = list[Path]()
    for path, data in report_files(reports, out):
        if not files or files[-1].parent != path.parent:
            make_folder(path.parent)
        write_bytes(path, data)
        files.append(path)
    return files


def report_files(reports: Sequence[Report], out: Path | None) -> Iterator[tuple[Path, bytes]]:
    """Yield the path and the content of each file of reports; the arguments are those of `write_reports`.

    The page of a folder comes last: it has links to pages of `mtbench explain` that are there already.
    """
    folders: dict[Path, list[tuple[Report, Shown]]] = {}
    for report in reports:
        for piece in report.shown:
            folders.setdefault(out or DEFAULT_REPORTS / report.folder(piece), []).append((report, piece))
    for folder, placed in folders.items():
        everything, numbers = [piece for _, piece in placed], dict[str, bytes]()
        drawings = dict[str, list[Drawing]]()
        for name, data in shown_files(everything, drawings):
            yield folder / name, data
        for report in reports:
            numbers |= number_files(report.results, [piece for its, piece in placed if its is report])
        for name, data in numbers.items():
            yield folder / name, data
        yield folder / PAGE, render_document(everything, drawings, folder, list(numbers)).encode()


def make_report(statuses: Sequence[RunStatus], studies: Sequence[StudyRuns] = (), choices: Choices = DEFAULT) -> Report:
    """Return the report of some runs.

    Args:
        statuses: runs of any datasets and protocols.
        studies: searches whose findings are shown too.
        choices: the choices for summary tables.
    """
    return assemble(Results(comparisons=tuple(compare(statuses)), studies=tuple(studies), choices=choices))


def assemble(results: Results) -> Report:
    """Build every exhibit that belongs to the results.

    Raises:
        UsageError: a table of a paper has no such column, or no room for those that were chosen.
    """
    if results.choices.paper:
        check_columns(results, results.choices.paper)
    found, broken = _exhibits(results)
    shown = [piece for exhibit in found for piece in exhibit.show(results)]
    if results.choices.paper:
        shown = [without_titles(piece) for piece in shown]
    places = {id(comparison): place for place, comparison in enumerate(results.comparisons)}
    last = len(places)
    ordered = sorted(shown, key=lambda piece: places[id(piece.beside)] if piece.beside else last)
    return Report(results=results, shown=tuple(ordered), broken=tuple(broken))


def _exhibits(results: Results) -> tuple[list[Exhibit], list[str]]:
    """Return the exhibits of a report of these results, in their order, and a sentence on each broken one.

    Raises:
        PluginError: no exhibit is installed.
    """
    if not (always := registry.exhibits("report")):
        raise PluginError(
            "no exhibit is installed: mtbench's code is newer than its installation.",
            mend="Install it again: pip install -e . in its folder.",
        )
    asked = results.suite.suite.figures if results.suite else ()
    names = [*always, *(registry.exhibits("suite") if results.suite else ())]
    names += [name for name in asked if name in registry.exhibits("request")]
    found, broken = list[Exhibit](), list[str]()
    for name in names:
        try:
            exhibit: Exhibit = registry.load("exhibit", name)()
        except PluginError as error:
            broken.append(str(error))
            continue
        if exhibit.by_convention or not results.convention:
            found.append(exhibit)
    return sorted(found, key=lambda exhibit: exhibit.order), broken
