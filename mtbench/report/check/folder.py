"""Files of a report beside those that the records make."""

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from mtbench.errors import StoreError
from mtbench.report.check.finding import Finding
from mtbench.report.check.line import Line, first_difference
from mtbench.report.check.lines import lines_of
from mtbench.report.data.trust import without_levels
from mtbench.report.figure.style import drawn_with
from mtbench.report.place import PAGE

__all__ = ["check_files", "check_text"]

_DRAWN = frozenset((".pdf", ".png"))
_KINDS = _DRAWN | {".bib", ".csv", ".html", ".md", ".tex"}
"""Endings of the files of reports."""
_VERSIONS = re.compile(r'<meta name="drawn-with" content="([^"]*)">\n')
_DRAWING = re.compile(r'(aria-label="Figure [^"]*">)<svg.*?</svg>', re.DOTALL)


def check_files(
    made: Mapping[Path, bytes], *, tolerance: float = 0.0, others: Collection[Path] = ()
) -> Iterator[Finding]:
    """Yield what differs between files on disk and those of a report, by their order: one finding for each file.

    Figures are compared by their bytes, unless the page of the folder says that other versions of matplotlib or of the
    packages below it drew them: then by the numbers in them, which the page has, and a note says so.

    Args:
        made: the content of each file, by its path; of a folder all files.
        tolerance: see `mtbench.report.check.line.first_difference`.
        others: paths of files that may lie beside them.

    Raises:
        StoreError: a file is there and cannot be read.
    """
    folders = list(dict.fromkeys(path.parent for path in made))
    drawn = {folder: _drawn_otherwise(folder / PAGE) for folder in folders}
    for path, content in made.items():
        written = _read(path)
        if written is None:
            yield Finding(path=path, says="is missing.")
        elif written == content or (path.suffix in _DRAWN and drawn[path.parent]):
            continue
        elif path.suffix in _DRAWN:
            yield Finding(path=path, says="is another drawing than that of the records.")
        elif found := check_text(path, written, content, tolerance, with_drawings=not drawn[path.parent]):
            yield found
    for folder in folders:
        if drawn[folder]:
            yield Finding(path=folder, says=drawn[folder], note=True)
        for path in _beside(folder, made, others):
            yield Finding(path=path, says="is left over: this report does not have it.")


def check_text(
    path: Path, written: bytes, made: bytes, tolerance: float = 0.0, *, with_drawings: bool = True
) -> Finding | None:
    """Return the first difference between a text file and what the records make; None where there is none.

    Levels of trust are left out: each reader has earned others.

    Args:
        path: the path of the file.
        written: its content.
        made: the content that the records make.
        tolerance: see `mtbench.report.check.line.first_difference`.
        with_drawings: False to leave the drawings of a page out.
    """
    old, new = (without_levels(_VERSIONS.sub("", content.decode(errors="replace"))) for content in (written, made))
    if not with_drawings:
        old, new = (_DRAWING.sub(r"\1", text) for text in (old, new))
    first, second = lines_of(path.name, old), lines_of(path.name, new)
    found = first_difference(first, second)
    if found is not None:
        found = first_difference(first, second, tolerance=tolerance)
    elif old.splitlines() != new.splitlines():  # what is not in the cells of tables, such as the drawings of a page
        found = first_difference(*(_plain(text) for text in (old, new)))
    elif old != new:
        found = (1, "ends of lines differ.")
    return found and Finding(path=path, line=found[0], says=found[1])


def _plain(text: str) -> list[Line]:
    return [Line(number=number, cells=(line,)) for number, line in enumerate(text.splitlines(), start=1)]


def _drawn_otherwise(page: Path) -> str:
    """Return a sentence if other versions than those that are installed drew the figures of a page; else nothing."""
    found = _VERSIONS.search((_read(page) or b"").decode(errors="replace"))
    if found is None or found[1] == drawn_with():
        return ""
    return f"drawings are not compared, only the numbers in them: {found[1]} drew them, and here is {drawn_with()}."


def _beside(folder: Path, made: Collection[Path], others: Collection[Path]) -> list[Path]:
    """Return the files of a folder that look like those of a report, and are not among these."""
    known = {path.resolve() for path in (*made, *others)}
    there = sorted(path for path in folder.glob("*") if path.suffix in _KINDS and path.is_file())
    explained = tuple(path.name.removesuffix("explain.md") for path in there if path.name.endswith("-explain.md"))
    return [path for path in there if path.resolve() not in known and not path.name.startswith(explained or ("\0",))]


def _read(path: Path) -> bytes | None:
    """Return the content of a file; None where there is none."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as cause:
        raise StoreError(f"{path} cannot be read: {cause.strerror or cause}.") from cause
