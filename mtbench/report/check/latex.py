r"""Numbers in LaTeX, by the macros of ``numbers.tex``."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mtbench.errors import UsageError
from mtbench.report.check.finding import Finding
from mtbench.report.check.folder import check_text
from mtbench.report.prose.known import Known, Name
from mtbench.report.prose.macros import arguments, plain_name
from mtbench.report.prose.names import KINDS

__all__ = ["check_inputs", "check_macros", "number_inputs"]

_COMMENT = re.compile(r"(?<!\\)((?:\\\\)*)%.*")
_MACRO = re.compile(rf"\\mtb(?P<kind>{'|'.join(filter(None, KINDS))}|)(?![A-Za-z@])")
_INPUT = re.compile(r"\\(?:input|include)\s*(?:\{([^}]*)\}|([^\s{\\]+))")
_TABLE = re.compile(r"^\\mtb@table\{", re.MULTILINE)


def check_macros(path: Path, text: str, known: Known) -> tuple[int, list[Finding]]:
    r"""Return the number of macros in a document, and what is wrong with them: those of numbers that are not there.

    A macro within a definition, whose names are parameters such as ``#1``, is not checked, and a note says so.

    Args:
        path: the path of the document.
        text: its content.
        known: the numbers of the reports.
    """
    text = _COMMENT.sub(r"\1", text)
    found, count = list[Finding](), 0
    for macro in _MACRO.finditer(text):
        line = text.count("\n", 0, macro.start()) + 1
        names, end = arguments(text, macro.end(), 3)
        shown = " ".join(text[macro.start() : end].split())
        if not names:
            continue
        count += 1
        if any(re.search(r"(?<!\\)#", name) for name in names):
            found.append(Finding(path=path, line=line, says=f"{shown} is not checked: it has a parameter.", note=True))
        elif len(names) < 3:
            found.append(Finding(path=path, line=line, says=f"{shown} needs three names: table, method and column."))
        else:
            table, method, column = map(plain_name, names)
            try:
                known.find(Name(table=table, method=method, column=column, kind=macro["kind"]))
            except UsageError as error:
                found.append(Finding(path=path, line=line, says=f"{shown}: {error}"))
    return count, found


def number_inputs(path: Path, text: str) -> list[tuple[int, Path]]:
    r"""Return the files with numbers that a document reads, and the line of each.

    As for LaTeX, a path is relative to the working folder; else it is relative to the document.

    Args:
        path: the path of the document.
        text: its content.
    """
    text, found = _COMMENT.sub(r"\1", text), list[tuple[int, Path]]()
    for each in _INPUT.finditer(text):
        given = (each[1] or each[2]).strip()
        name = Path(given if given.endswith(".tex") else f"{given}.tex")
        if name.name.endswith("numbers.tex"):
            place = name if name.is_file() else path.parent / name
            found.append((text.count("\n", 0, each.start()) + 1, place))
    return found


def check_inputs(
    path: Path, inputs: Sequence[tuple[int, Path]], made: Mapping[frozenset[str], bytes]
) -> Iterator[Finding]:
    """Yield what differs between the files with numbers that a document reads and those of the records.

    Args:
        path: the path of the document.
        inputs: see `number_inputs`.
        made: the files with numbers that the records make, by the tables in them.
    """
    for line, file in inputs:
        if not file.is_file():
            yield Finding(path=path, line=line, says=f"{file} is missing.")
            continue
        written = file.read_bytes()
        tables = tables_of(written)
        if tables not in made:
            there = " or ".join(sorted(map(_listed, made))) or "none"
            yield Finding(path=file, says=f"it has the tables {_listed(tables)}, and the records {there}.")
        elif found := check_text(file, written, made[tables]):
            yield found


def tables_of(numbers: bytes) -> frozenset[str]:
    """Return the names of the tables in a file with numbers."""
    text = numbers.decode(errors="replace")
    return frozenset(plain_name(arguments(text, each.end() - 1, 1)[0][0]) for each in _TABLE.finditer(text))


def _listed(tables: frozenset[str]) -> str:
    return ", ".join(f"'{name}'" for name in sorted(tables)) or "none"
