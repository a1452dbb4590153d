r"""Numbers and tables in Markdown, between comments that a reader does not see.

``<!-- \mtb{mmnist3, quick}{td}{mean} -->70.10<!-- /mtb -->`` is a number, with the macro that prints it in LaTeX;
``<!-- \mtbtable{mmnist3-quick-table} -->``, the table and ``<!-- /mtb -->``, in lines of their own, are a table of the
report by the name of its files.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
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
    r"^[ \t>]*(?P<fence>`{3,}|~{3,}).*?(?:^[ \t>]*(?P=fence)[`~]*[ \t]*$|\Z)|"
    r"(?<!`)(?P<ticks>`+)(?!`)(?:(?!\n\s*\n).)+?(?<!`)(?P=ticks)(?!`)",
    re.MULTILINE | re.DOTALL,
)
_COMMENT = re.compile(r"<!--(.*?)-->", re.DOTALL)
_MARKER = re.compile(r"\s*(?:/mtb\b|\\mtb|mtb[a-z]*\s*\{)")
"""The beginning of a comment that is a marker, or was meant to be one."""
_MACRO = re.compile(r"\s*\\mtb(?P<kind>[A-Za-z]*)")
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


@dataclass(frozen=True, kw_only=True)
class _Region:
    """A number or a table between two markers.

    Attributes:
        path: the document.
        line: the line of the first marker.
        marker: the first marker.
        before: the text before each marker in its line.
        written: the text between them.
    """

    path: Path
    line: int
    marker: _Marker
    before: tuple[str, str]
    written: str

    def compared(self, known: Known, tables: Mapping[str, str]) -> tuple[str, Finding | None]:
        """Return the text of the records, and the difference from it, or a note.

        Raises:
            UsageError: the marker, or its place, is not as it should be, or it names nothing.
        """
        words = self.marker.words
        macro = _MACRO.match(words)
        names, end = arguments(words, macro.end(), 4) if macro else ([], 0)
        kind = macro["kind"] if macro else ""
        if len(names) != (1 if kind == "table" else 3) or words[end:].strip():
            raise UsageError("the marker cannot be read.", allowed=_FORMS)
        first, *others = map(plain_name, names)
        if kind == "table":
            return self._table(first, tables)
        return self._number(Name(table=first, method=others[0], column=others[1], kind=kind), known)

    def _number(self, name: Name, known: Known) -> tuple[str, Finding | None]:
        if any(map(_BEGINNING.fullmatch, self.before)):
            raise UsageError(
                "a line that begins with a comment is not shown as a part of its paragraph.",
                mend="Put a word before it.",
            )
        written = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", " ".join(self.written.split()))
        says, marks = known.says(name, written), known.find(name).marks
        if says != written:
            return escape_markdown(says), self._finding(f"'{written}' is written, the records say '{says}'.")
        if marks and name.kind not in ("n", "cell"):
            meanings = ", ".join(f"{mark} ({MARKS[mark][1]})" for mark in marks)
            return self.written, self._finding(f"'{written}' has marks in its table: {meanings}.", note=True)
        return self.written, None

    def _table(self, name: str, tables: Mapping[str, str]) -> tuple[str, Finding | None]:
        if name not in tables:
            raise UsageError(
                f"there is no table '{name}' in the report.",
                mend=did_you_mean(name, tables),
                allowed=f"Tables: {shortlist(tables)}.",
            )
        content = self.written.lstrip()
        found = first_difference(list(markdown_lines(content.rstrip())), list(markdown_lines(tables[name])))
        if found is None:
            return self.written, None
        above = self.written[: len(self.written) - len(content)].count("\n")
        says = f"table '{name}', {found[1]}"
        return f"\n\n{tables[name]}\n\n", self._finding(says, below=above + found[0] - 1)

    def _finding(self, says: str, *, below: int = 0, note: bool = False) -> Finding:
        return Finding(path=self.path, line=self.line + below, says=says, note=note)


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
    for opening, closing in zip_longest(markers, markers[1:]):
        if opening.start == at > 0:  # it closes the one before
            continue
        line = text.count("\n", 0, opening.start) + 1
        if opening.is_end or closing is None or not closing.is_end:
            why = "it ends nothing" if opening.is_end else f"it is not closed by {_END}"
            findings.append(Finding(path=path, line=line, says=f"{opening}: {why}."))
            continue
        count += 1
        region = _Region(
            path=path,
            line=line,
            marker=opening,
            before=(_before(text, opening), _before(text, closing)),
            written=text[opening.end : closing.start],
        )
        try:
            says, found = region.compared(known, tables)
        except UsageError as error:
            says, found = region.written, Finding(path=path, line=line, says=f"{opening}: {error}")
        findings += [found] if found else []
        parts += [text[at : opening.end], says]
        at = closing.start
    return count, findings, "".join([*parts, text[at:]])


def _before(text: str, marker: _Marker) -> str:
    return text[text.rfind("\n", 0, marker.start) + 1 : marker.start]


def _markers(text: str) -> Iterator[_Marker]:
    """Yield the comments that are about numbers, but those in code."""
    hidden = _CODE.sub(lambda found: " " * len(found[0]), text)
    for found in _COMMENT.finditer(hidden):
        if _MARKER.match(found[1]):
            yield _Marker(words=text[found.start(1) : found.end(1)], start=found.start(), end=found.end())
