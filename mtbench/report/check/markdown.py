r"""Numbers and tables in Markdown, between comments that a reader does not see.

``<!-- \mtb{mmnist3, quick}{td}{mean} -->70.10<!-- /mtb -->`` is a number, with the macro that prints it in LaTeX;
``<!-- \mtbtable{mmnist3-quick-table} -->``, the table and ``<!-- /mtb -->``, in lines of their own, are a table of the
report by the name of its files.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from mtbench.errors import UsageError, did_you_mean, shortlist
from mtbench.report.check.finding import Finding
from mtbench.report.check.line import first_difference
from mtbench.report.check.lines import markdown_lines
from mtbench.report.marks import MARKS
from mtbench.report.page.markdown import escape_markdown
from mtbench.report.prose.known import Known, Name
from mtbench.report.prose.macros import arguments, plain_name

__all__ = ["check_markdown"]

_CODE = re.compile(
    r"^ {0,3}(?P<fence>`{3,}|~{3,}).*?(?:^ {0,3}(?P=fence)[`~]*[ \t]*$|\Z)|"
    r"(?<!`)(?P<ticks>`+)(?!`)(?:(?!\n\s*\n).)+?(?<!`)(?P=ticks)(?!`)",
    re.MULTILINE | re.DOTALL,
)
_COMMENT = re.compile(r"<!--(.*?)-->", re.DOTALL)
_MARKER = re.compile(r"\s*(?P<end>/mtb\b)|\s*\\?mtb(?P<kind>[a-z]*)")
_BEGINNING = re.compile(r"\s*(?:(?:[-*+>]|\d+[.)])\s+)*")
"""The beginning of a paragraph, an item of a list or a quotation."""
_END = "<!-- /mtb -->"
_FORMS = rf"Allowed: <!-- \mtb{{TABLE}}{{METHOD}}{{COLUMN}} -->, <!-- \mtbtable{{FILE}} --> and {_END}."


@dataclass(frozen=True, kw_only=True)
class _Marker:
    """A comment that begins or ends a number or a table: its words and its place in the text."""

    words: str
    start: int
    end: int

    @property
    def is_end(self) -> bool:
        return self.words.strip() == "/mtb"

    def __str__(self) -> str:
        return f"<!-- {' '.join(self.words.split())} -->"


def check_markdown(path: Path, text: str, known: Known, tables: Mapping[str, str]) -> tuple[int, list[Finding], str]:
    """Compare the numbers and tables in a Markdown document with those of reports.

    Args:
        path: the path of the document.
        text: its content.
        known: the numbers of the reports.
        tables: the tables of the reports in Markdown, by the names of their files without the ending.

    Returns:
        the number of numbers and tables, what differs, with notes, and the document with those of the reports.
    """
    findings, parts, at, count = list[Finding](), list[str](), 0, 0
    markers = list(_markers(text))
    while markers:
        opening, *markers = markers
        line = text.count("\n", 0, opening.start) + 1
        if opening.is_end or not (markers and markers[0].is_end):
            why = "it ends nothing" if opening.is_end else f"it is not closed by {_END}"
            findings.append(Finding(path=path, line=line, says=f"{opening}: {why}."))
            continue
        closing, *markers = markers
        count += 1
        region = _Region(opening=opening, closing=closing, text=text)
        try:
            says, found = region.compared(known, tables)
        except UsageError as error:
            findings.append(Finding(path=path, line=line, says=f"{opening}: {error}"))
            continue
        findings += [Finding(path=path, line=line + below, says=says, note=note) for below, says, note in found]
        parts += [text[at : opening.end], says]
        at = closing.start
    return count, findings, "".join([*parts, text[at:]])


@dataclass(frozen=True, kw_only=True)
class _Region:
    """A number or a table between two markers of a text."""

    opening: _Marker
    closing: _Marker
    text: str

    @property
    def written(self) -> str:
        return self.text[self.opening.end : self.closing.start]

    def compared(self, known: Known, tables: Mapping[str, str]) -> tuple[str, list[tuple[int, str, bool]]]:
        """Return the text of the records, and for each finding the lines below the marker, a sentence, and True if
        it is a note.

        Raises:
            UsageError: the marker, or its place, is not as it should be, or it names nothing.
        """
        marker = _MARKER.match(self.opening.words)
        assert marker is not None
        kind, names = marker["kind"], arguments(self.opening.words, marker.end(), 4)
        wanted = 1 if kind == "table" else 3
        if "\\" not in marker[0] or len(names[0]) != wanted or self.opening.words[names[1] :].strip():
            raise UsageError("the marker cannot be read.", allowed=_FORMS)
        given = [plain_name(name) for name in names[0]]
        if kind == "table":
            return self._table(given[0], tables)
        return self._number(Name(table=given[0], method=given[1], column=given[2], kind=kind), known)

    def _number(self, name: Name, known: Known) -> tuple[str, list[tuple[int, str, bool]]]:
        for marker in (self.opening, self.closing):
            if _BEGINNING.fullmatch(self.text[self.text.rfind("\n", 0, marker.start) + 1 : marker.start]):
                raise UsageError(
                    "a line that begins with a comment is not shown as a part of its paragraph.",
                    mend="Put a word before it.",
                )
        written = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", " ".join(self.written.split()))
        says, marks = known.says(name, written), known.find(name).marks
        if says != written:
            return escape_markdown(says), [(0, f"'{written}' is written, the records say '{says}'.", False)]
        if marks and name.kind not in ("n", "cell"):
            meanings = ", ".join(f"{mark} ({MARKS[mark][1]})" for mark in marks)
            return self.written, [(0, f"'{written}' has marks in its table: {meanings}.", True)]
        return self.written, []

    def _table(self, name: str, tables: Mapping[str, str]) -> tuple[str, list[tuple[int, str, bool]]]:
        if name not in tables:
            raise UsageError(
                f"there is no table '{name}' in the report.",
                mend=did_you_mean(name, tables),
                allowed=f"Tables: {shortlist(tables)}.",
            )
        written = self.written.strip()
        found = first_difference(list(markdown_lines(written)), list(markdown_lines(tables[name])))
        if found is None:
            return self.written, []
        start = len(self.written) - len(self.written.lstrip())
        above = self.written.count("\n", 0, start)
        return f"\n\n{tables[name]}\n\n", [(above + found[0] - 1, f"table '{name}', {found[1]}", False)]


def _markers(text: str) -> Iterator[_Marker]:
    """Yield the comments that are about numbers, but those in code."""
    hidden = _CODE.sub(lambda found: " " * len(found[0]), text)
    for found in _COMMENT.finditer(hidden):
        if _MARKER.match(found[1]):
            yield _Marker(words=text[found.start(1) : found.end(1)], start=found.start(), end=found.end())
