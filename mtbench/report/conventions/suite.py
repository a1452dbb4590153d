"""The tables of a suite by a convention, with what was published beside them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from mtbench.errors import UsageError, did_you_mean
from mtbench.report.data.choices import Choices
from mtbench.report.data.conventions.convert import Asked, Converted, convert
from mtbench.report.data.conventions.fit import conventions_of
from mtbench.report.data.suite.runs import Sheet, SuiteRuns
from mtbench.report.exhibits.published.page import published_page
from mtbench.report.page.layout import Page
from mtbench.report.suites.pages import sheet_page

__all__ = ["ConvertedSheet", "converted_sheets"]


@dataclass(frozen=True, kw_only=True)
class ConvertedSheet:
    """A sheet of a suite that was read by a convention.

    Attributes:
        runs: of the suite.
        sheet: with the comparison of `found`.
        found: its comparison.
    """

    runs: SuiteRuns
    sheet: Sheet
    found: Converted

    @property
    def stem(self) -> str:
        """The beginning of the names of its files."""
        return f"{self.runs.stem(self.sheet)}-{self.found.name}"

    def pages(self) -> Iterator[tuple[str, Page]]:
        """Yield its pages with the ends of the names of their files: the table, then what was published beside ours."""
        yield "table", sheet_page(self.runs, self.sheet, self.found.choices)
        if page := published_page(self.runs, self.sheet):
            yield "paper", page


def converted_sheets(runs: SuiteRuns, name: str, asked: Asked, choices: Choices) -> list[ConvertedSheet]:
    """Return the sheets of a suite whose datasets have a convention, read by it.

    Raises:
        UsageError: none has it, or what is asked of Δm contradicts it.
    """
    known = dict.fromkeys(each for sheet in runs.sheets for each in conventions_of(sheet.comparison.dataset))
    if name not in known:
        raise UsageError(
            f"no dataset of suite '{runs.suite.name}' has the convention '{name}'.",
            mend=did_you_mean(name, known),
            allowed=f"Conventions there: {', '.join(known) or 'none'}.",
            where="Given by --convention.",
        )
    found = [(sheet, convert(sheet.comparison, name, asked, choices)) for sheet in runs.sheets]
    return [
        ConvertedSheet(runs=runs, sheet=replace(sheet, comparison=one.comparison), found=one)
        for sheet, one in found
        if one is not None
    ]
