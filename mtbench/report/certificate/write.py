"""A certificate on disk: a page for a browser, a page in Markdown, and its tables and numbers."""

from pathlib import Path

from mtbench.report.certificate.facts import Facts
from mtbench.report.certificate.pages import budgets_frame, certificate_pages, verdicts_frame
from mtbench.report.exhibit import Shown
from mtbench.report.page.markdown import render_markdown
from mtbench.report.place import PAGE
from mtbench.report.web.document import render_document
from mtbench.report.write import write_shown
from mtbench.store.files.atomic import write_bytes

__all__ = ["MARKDOWN", "write_certificate"]

MARKDOWN = "certificate.md"
"""The name of the page in Markdown."""


def write_certificate(facts: Facts, folder: Path) -> list[Path]:
    """Write a certificate into a folder, and return its files, the two pages first.

    Raises:
        StoreError: a file cannot be written.
    """
    pages = certificate_pages(facts)
    frames = {"verdicts": verdicts_frame(facts), "budgets": budgets_frame(facts)} if facts.parts else {}
    pieces = [*(Shown(pages={stem: page}) for stem, page in pages.items()), Shown(numbers=frames)]
    files = write_shown(pieces, folder)
    title = pages["summary"].title
    links = [MARKDOWN, facts.pack[0]] if facts.pack[0] else [MARKDOWN]
    page = render_document(pieces, {}, folder, links, title=title, command="mtbench certify", files_title="Files")
    write_bytes(folder / PAGE, page.encode())
    write_bytes(folder / MARKDOWN, "\n".join(map(render_markdown, pages.values())).encode())
    return [folder / PAGE, folder / MARKDOWN, *files]
