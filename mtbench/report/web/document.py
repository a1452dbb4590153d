"""The page itself: sections in a template, with a policy that lets nothing leave and nothing else run."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

import jinja2

from mtbench import __version__
from mtbench.report.exhibit import Shown
from mtbench.report.figure.style import drawn_with
from mtbench.report.page.latex import CHARACTERS
from mtbench.report.page.sentences import QUICK
from mtbench.report.web.content import Section, explained, sections
from mtbench.report.web.drawing import Drawing

__all__ = ["render_document"]


def render_document(
    pieces: Sequence[Shown],
    drawings: Mapping[str, Sequence[Drawing]],
    folder: Path,
    numbers: Sequence[str] = (),
    *,
    title: str = "",
    command: str = "mtbench report",
    files_title: str = "All runs in one table, and numbers for sentences",
) -> str:
    """Return the page of the pieces of a report; the same pieces make the same text.

    It is complete without JavaScript, and without the other files of the folder, to which it links.

    Args:
        pieces: the pieces in their order.
        drawings: the drawn pages of each figure by the name of its files.
        folder: the folder of the report, whose pages of `mtbench explain` are linked.
        numbers: names of files with numbers for sentences.
        title: the title of the page; by default the datasets that it is on.
        command: the command that makes it.
        files_title: the title of the links to `numbers`.
    """
    found = tuple(sections(pieces, drawings))
    script, style = _resource("page.js"), _resource("page.css")
    images = any("<image" in figure.drawing.svg for section in found for figure in section.figures)
    return _template().render(
        title=title or _title(found),
        command=command,
        files_title=files_title,
        quick=QUICK,
        sections=[section for section in found if section.tables or section.figures],
        datasets=list(dict.fromkeys(section.dataset for section in found if section.dataset)),
        protocols=list(dict.fromkeys(section.protocol for section in found if section.protocol)),
        tasks=_tasks(found),
        files=[*(file for section in found for file in section.files), *numbers],
        explained=explained(folder),
        version=__version__,
        drawn_with=drawn_with(),
        latex=CHARACTERS,
        script=script,
        style=style,
        policy=_policy(script, style, images=images),
    )


def _title(found: Sequence[Section]) -> str:
    datasets = list(dict.fromkeys(section.dataset for section in found if section.dataset))
    return f"Report on {', '.join(datasets)}" if datasets else "Report"


def _tasks(found: Sequence[Section]) -> list[str]:
    return list(
        dict.fromkeys(head.task for section in found for table in section.tables for head in table.heads if head.task)
    )


def _policy(script: str, style: str, *, images: bool) -> str:
    """Return the content security policy: no request, no script and no style but those of the page."""
    rules = ["default-src 'none'", f"script-src {_sum(script)}", f"style-src {_sum(style)}"]
    rules += ["img-src data:"] if images else []  # photographs in figures
    return "; ".join([*rules, "base-uri 'none'", "form-action 'none'"])


def _sum(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _resource(name: str) -> str:
    return (files("mtbench.report.web") / name).read_text(encoding="utf-8")


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.from_string(_resource("page.html.j2"))
