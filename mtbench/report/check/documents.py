"""Documents with numbers of reports, in Markdown and LaTeX."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mtbench.errors import UsageError
from mtbench.report.assemble import Report
from mtbench.report.check.finding import Finding
from mtbench.report.check.latex import check_inputs, check_macros, number_inputs, tables_of
from mtbench.report.check.markdown import check_markdown
from mtbench.report.page.markdown import markdown_table
from mtbench.report.prose.known import Known, known_numbers
from mtbench.report.write import number_files

__all__ = ["Checked", "Source", "check_document", "source_of"]

_MARKDOWN, _LATEX = (".md", ".markdown"), (".tex",)


@dataclass(frozen=True, kw_only=True)
class Source:
    """All that a document may have of reports.

    Attributes:
        known: the numbers.
        tables: the tables in Markdown, by the names of their files without the ending.
        numbers: the files with numbers for LaTeX, by the names of the tables in them.
    """

    known: Known
    tables: Mapping[str, str]
    numbers: Mapping[frozenset[str], bytes]


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A document that was compared with the records.

    Attributes:
        path: its path.
        findings: differences from the records, and notes.
        count: the number of numbers and tables in it.
        old: its text.
        new: its text with the numbers and tables of the records.
        needs_numbers: True if it has macros and reads no file with numbers itself.
        reads_numbers: True if it reads one.
    """

    path: Path
    findings: tuple[Finding, ...]
    count: int
    old: str
    new: str
    needs_numbers: bool = False
    reads_numbers: bool = False


def source_of(reports: Sequence[Report]) -> Source:
    """Return all that documents may have of reports."""
    pages = {
        stem: page
        for report in reports
        for piece in report.shown
        for stem, page in {**piece.pages, **piece.wide}.items()
    }
    return Source(
        known=known_numbers(report.results for report in reports),
        tables={stem: markdown_table(page.layout) for stem, page in pages.items()},
        numbers={tables_of(content): content for report in reports for content in _numbers(report)},
    )


def check_document(path: Path, source: Source) -> Checked:
    """Compare the numbers and tables in a document with those of reports.

    Args:
        path: a file in Markdown or LaTeX.
        source: see `source_of`.

    Raises:
        UsageError: there is no such document, or it is of another kind.
    """
    text = _read(path)
    if path.suffix in _MARKDOWN:
        count, findings, new = check_markdown(path, text, source.known, source.tables)
        return Checked(path=path, findings=tuple(findings), count=count, old=text, new=new)
    count, findings = check_macros(path, text, source.known)
    inputs = number_inputs(path, text)
    findings += check_inputs(path, inputs, source.numbers)
    return Checked(
        path=path,
        findings=tuple(findings),
        count=count,
        old=text,
        new=text,
        needs_numbers=count > 0 and not inputs,
        reads_numbers=bool(inputs),
    )


def _numbers(report: Report) -> Iterator[bytes]:
    """Yield the files with numbers of a report: of all its tables, and of those in a folder of their own."""
    folders = list(dict.fromkeys(report.folder(piece) for piece in report.shown))
    groups = [[piece for piece in report.shown if report.folder(piece) == folder] for folder in folders]
    for pieces in (report.shown, *groups):
        yield from (data for name, data in number_files(report.results, pieces).items() if name.endswith(".tex"))


def _read(path: Path) -> str:
    if path.suffix not in (*_MARKDOWN, *_LATEX):
        raise UsageError(
            f"{path} is no document that can be checked.",
            allowed=f"Allowed: files that end with {', '.join((*_MARKDOWN, *_LATEX))}.",
        )
    try:
        return path.read_bytes().decode()
    except FileNotFoundError:
        raise UsageError(f"there is no document {path}.") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not written in UTF-8.") from None
