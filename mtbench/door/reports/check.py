"""Reports and documents beside the records that they are made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mtbench.errors import UsageError
from mtbench.report.assemble import Report, report_files
from mtbench.report.check.documents import Checked, check_document, source_of
from mtbench.report.check.finding import Finding
from mtbench.report.check.folder import check_files
from mtbench.report.place import DEFAULT_REPORTS
from mtbench.store.files.atomic import write_text

__all__ = ["Outcome", "check_reports", "update_documents"]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The outcome of a check.

    Attributes:
        findings: differences from the records, and notes.
        files: the number of files that were compared.
        numbers: the number of numbers and tables in documents.
    """

    findings: tuple[Finding, ...]
    files: int = 0
    numbers: int = 0

    @property
    def wrong(self) -> list[Finding]:
        """The findings that are no notes."""
        return [finding for finding in self.findings if not finding.note]

    @property
    def summary(self) -> str:
        """A sentence on the whole."""
        compared = [_counted(self.files, "file")] * bool(self.files)
        compared += [f"{_counted(self.numbers, 'number or table')} in documents"] * bool(self.numbers or not self.files)
        count = len(self.wrong)
        if not count:
            return f"As the records say: {' and '.join(compared)}."
        return f"{_counted(count, 'difference')} from the records in {' and '.join(compared)}."


def check_reports(
    reports: Sequence[Report], *, out: Path | None, documents: Sequence[Path] = (), tolerance: float = 0.0
) -> Outcome:
    """Compare files of reports, and numbers in documents, with the records; nothing is written.

    Args:
        reports: the reports as the records make them now.
        out: the folder of the files; None for that of `mtbench.report`, or, if there are documents, for no files.
        documents: files in Markdown and LaTeX.
        tolerance: largest relative difference of numbers in tables of files that count as equal.

    Raises:
        UsageError: there is no such folder or document.
        StoreError: a file cannot be read.
    """
    findings, files = list[Finding](), 0
    if out or not documents:
        folders = [out] if out else [DEFAULT_REPORTS / each.folder(piece) for each in reports for piece in each.shown]
        if folders and not any(folder.is_dir() for folder in folders):
            raise UsageError(
                f"there is no folder {folders[0]}.",
                mend="Write the report first, with the same command without --check; or name its folder with --out.",
            )
        made = dict(report_files(reports, out))
        findings += check_files(made, tolerance=tolerance, others=documents)
        files = len(made)
    checked = _checked(reports, documents)
    findings += [finding for each in checked for finding in each.findings]
    if not files and not any(each.reads_numbers for each in checked):
        findings += [
            Finding(path=each.path, says="no document reads numbers.tex: name the one that does too, or give --out.")
            for each in checked
            if each.needs_numbers
        ]
    return Outcome(findings=tuple(findings), files=files, numbers=sum(each.count for each in checked))


def update_documents(reports: Sequence[Report], documents: Sequence[Path]) -> tuple[list[Path], list[Finding]]:
    """Write the numbers and tables of reports into documents in Markdown, each replaced as a whole or not at all.

    Args:
        reports: the reports.
        documents: files in Markdown and LaTeX; those in LaTeX have macros, and are checked alone.

    Returns:
        the documents that changed, and what is wrong in documents and cannot be mended so.

    Raises:
        UsageError: there is no such document.
        StoreError: a document cannot be written.
    """
    changed = list[Path]()
    for each in _checked(reports, documents):
        if each.new != each.old:
            write_text(each.path.resolve(), each.new)
            changed.append(each.path)
    left = [finding for each in _checked(reports, documents) for finding in each.findings if not finding.note]
    return changed, left


def _checked(reports: Sequence[Report], documents: Sequence[Path]) -> list[Checked]:
    source = source_of(reports) if documents else None
    return [check_document(path, source) for path in documents] if source else []


def _counted(count: int, what: str) -> str:
    return f"{count} {what if count == 1 else f'{what}s'.replace(' or', 's or')}"
