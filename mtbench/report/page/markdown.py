"""Tables as GitHub Markdown and as CSV."""

import re

from mtbench.report.page.layout import Layout, Page
from mtbench.report.page.sentences import QUICK
from mtbench.report.page.words import Words

__all__ = ["escape_markdown", "markdown_table", "render_markdown"]


def render_markdown(page: Page) -> str:
    """Return a page for GitHub: a heading, the table, its caption, the details and the footnotes."""
    title = page.title + (f" ({QUICK[0].lower()}{QUICK[1:].rstrip('.')})" if page.quick else "")
    lines = [
        f"### {escape_markdown(title)}",
        "",
        markdown_table(page.layout),
        "",
        " ".join([*[f"**{QUICK}**"] * page.quick, *map(escape_markdown, page.caption)]),
    ]
    if page.details:
        lines += ["", " ".join(["**Details.**", *map(escape_markdown, page.details)])]
    if page.footnotes:
        lines += ["", *(f"- {escape_markdown(footnote)}" for footnote in page.footnotes)]
    return "\n".join(lines) + "\n"


def markdown_table(layout: Layout) -> str:
    """Return a table for GitHub, without an end of the last line."""
    lines = [
        _line([escape_markdown(head) for head in layout.header]),
        _line(["---", *("---:" for _ in layout.header[1:])]),
        *(_line([_cell(words) for words in line]) for line in layout.lines),
    ]
    return "\n".join(lines)


def escape_markdown(text: str) -> str:
    """Return a text that GitHub shows as it is."""
    return re.sub(r"([\\`*_{}\[\]<>|~$&#])", r"\\\1", " ".join(text.split()))


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(words: Words) -> str:
    said = escape_markdown(words.says)
    return f"**{said}**" if words.bold else said
