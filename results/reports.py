"""Write the reports of `reports.toml` from the packs below ``results/``, or compare them: ``make reports-check``.

Each report is that of one `mtbench report`, whose command is printed. A document has numbers of several reports, which
no single command makes, and is compared with all of them.
"""

import argparse
import shlex
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mtbench.door.contents import read_contents
from mtbench.door.given import data_root
from mtbench.door.reports.check import Outcome, check_reports, update_documents
from mtbench.door.reports.made import make_reports
from mtbench.errors import UsageError, did_you_mean
from mtbench.plan.parse import parse_dataset
from mtbench.report.assemble import Report, write_reports
from mtbench.report.data.conventions.convert import Asked

HOUSE = Path(__file__).resolve().parent.parent
LIST = HOUSE / "results" / "reports.toml"
TOLERANCE = 1e-6
"""Largest relative difference of numbers at full precision: processors add in another order."""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A report of the list.

    Attributes:
        out: its folder below ``reports/``.
        results: the folder below ``results/`` with its packs; empty for the first part of `out`.
        suite: the suite whose runs it shows, or a file of one; empty for all runs.
        data: the datasets that it needs.
    """

    out: str
    results: str = ""
    suite: str = ""
    data: Sequence[str] = ()

    @property
    def folder(self) -> Path:
        """The folder of its files."""
        return HOUSE / "reports" / self.out

    @property
    def packs(self) -> list[Path]:
        """The packs that it is made of."""
        return sorted((HOUSE / "results" / (self.results or Path(self.out).parts[0])).glob("*.zip"))

    @property
    def command(self) -> str:
        """The command that writes it, in the folder of the repository."""
        packs = self.packs[0].parent.relative_to(HOUSE)
        suite = ["--suite", self.suite] * bool(self.suite)
        return f"mtbench report {packs}/*.zip {shlex.join([*suite, '--out', f'reports/{self.out}'])}"

    def make(self, nowhere: Path) -> list[Report]:
        """Make the report, or the reports of the sizes of the suite, without writing them.

        Args:
            nowhere: a folder without data, for reports that need none.

        Raises:
            UsageError, StoreError: see `mtbench.report`.
        """
        root = data_root(None) if self.data else nowhere
        for name in self.data:
            parse_dataset(name).open(root).prepare(lambda _: None)
        suite = str(HOUSE / self.suite) if self.suite.endswith(".toml") else self.suite
        found = read_contents(self.packs, root)
        made = make_reports(found, suite=suite, metrics="", asked=Asked(), convention="", rank=False, rank_intervals="")
        return [each.report for each in made]


@dataclass(frozen=True, kw_only=True)
class Explained:
    """A folder of `mtbench explain`, which is not made anew: packs have no weights.

    Attributes:
        out: the folder below ``reports/``.
    """

    out: str


@dataclass(frozen=True, kw_only=True)
class Document:
    """A Markdown document with numbers of reports.

    Attributes:
        path: its path in the repository.
        reports: the folders of the reports whose numbers it has.
    """

    path: str
    reports: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Reports:
    """The list: reports, folders of `mtbench explain`, and documents."""

    report: tuple[Kept, ...]
    explained: tuple[Explained, ...] = ()
    document: tuple[Document, ...] = ()

    def named(self, names: Sequence[str]) -> "Reports":
        """Return the reports in these folders and the documents of these paths; all where none is named.

        Raises:
            UsageError: the list has no such report or document.
        """
        known = [each.out for each in self.report] + [each.path for each in self.document]
        for name in names:
            if name not in known:
                raise UsageError(
                    f"{LIST.name} has no report or document '{name}'.",
                    mend=did_you_mean(name, known),
                    allowed=f"Allowed: {', '.join(known)}.",
                )
        return Reports(
            report=tuple(each for each in self.report if not names or each.out in names),
            document=tuple(each for each in self.document if not names or each.path in names),
        )


def read(path: Path = LIST) -> Reports:
    """Return the list in a TOML file."""
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    return Reports(
        report=tuple(Kept(**each) for each in content["report"]),
        explained=tuple(Explained(**each) for each in content["explained"]),
        document=tuple(Document(**each) for each in content["document"]),
    )


def outcomes(listed: Reports, everything: Reports, *, check: bool) -> Iterator[tuple[str, Outcome]]:
    """Compare reports and documents with the records, or write reports and then the numbers in documents.

    Args:
        listed: the reports and documents to write or to compare.
        everything: the whole list, with the reports that documents have numbers of.
        check: True to write nothing.

    Yields:
        the command of each report, or the path of each document, and what differs.
    """
    by_folder = {each.out: each for each in everything.report}
    with tempfile.TemporaryDirectory() as nowhere:
        make = cache(lambda out: by_folder[out].make(Path(nowhere)))
        for each in listed.report:
            if check:
                yield each.command, check_reports(make(each.out), out=each.folder, tolerance=TOLERANCE)
            else:
                files = write_reports(make(each.out), each.folder)
                yield each.command, Outcome(findings=(), files=len(files))
        for document in listed.document:
            reports, path = [made for out in document.reports for made in make(out)], HOUSE / document.path
            if not check:
                update_documents(reports, [path])
            yield document.path, check_reports(reports, out=None, documents=[path])


def main(words: Sequence[str] | None = None) -> int:
    """Write or compare the reports of the list; return the exit code.

    Args:
        words: the arguments; None for those of the process.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="folders below reports/ and paths of documents; by default all")
    parser.add_argument("--check", action="store_true", help="write nothing: name each difference from the records")
    asked, everything, wrong = parser.parse_args(words), read(), 0
    try:
        for name, outcome in outcomes(everything.named(asked.names), everything, check=asked.check):
            sys.stdout.write(f"{name}\n")
            sys.stdout.writelines(f"  {finding}\n".replace(f"{HOUSE}/", "") for finding in outcome.findings)
            sys.stdout.write(f"  {outcome.summary if asked.check else 'Written.'}\n")
            sys.stdout.flush()
            wrong += len(outcome.wrong)
    except UsageError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
