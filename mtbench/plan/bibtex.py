"""BibTeX entries in the texts of plug-ins."""

import re

__all__ = ["bibtex_entries"]

_START = re.compile(r"@\w+\s*\{\s*(?P<key>[^\s,{}]+)\s*,")
_BRACE = re.compile(r"(?<!\\)[{}]")


def bibtex_entries(text: str) -> list[tuple[str, str]]:
    """Return the entries of a text, each with its key, in lines that are indented alike.

    Raises:
        ValueError: something else stands between them, or one does not end; the message says where.
    """
    found: list[tuple[str, str]] = []
    rest = text.strip()
    while rest:
        start = _START.match(rest)
        if start is None:
            raise ValueError(f"'{rest.splitlines()[0][:40]}' does not begin an entry, as '@article{{key,' does")
        depth = 0
        for brace in _BRACE.finditer(rest):
            depth += 1 if brace[0] == "{" else -1
            if depth == 0:
                break
        if depth:
            raise ValueError(f"the entry '{start['key']}' does not end: {depth} more braces are opened than closed")
        found.append((start["key"], _indented(rest[: brace.end()])))
        rest = rest[brace.end() :].lstrip(" \t\r\n,")
    return found


def _indented(entry: str) -> str:
    first, *rest = (line.strip() for line in entry.splitlines())
    return "\n".join([first, *(line if line == "}" else f"  {line}" for line in rest)])
