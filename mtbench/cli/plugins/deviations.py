"""The page of deviations: the source of each method, the code it was compared with, and the choices made here.

It is made from the docstrings of plug-ins, from two paragraphs that begin with fixed words:

- ``Chosen here:`` the choices where the source is silent, and the differences from it;
- ``Compared with:`` other code or formulas, each as ``words, tolerance (test)``, with ``; `` between two. A tolerance
  is one or more of ``rtol=``, ``atol=``, ``rel=`` and ``abs=`` with a number, ``default tolerance`` (of
  `torch.allclose` or `pytest.approx`) or ``exactly``; the test is named below the folder ``tests/methods``.

``python -m mtbench.cli.plugins.deviations`` writes the page for the methods of this repository.
"""

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mtbench import registry

__all__ = ["Compared", "Deviations", "deviations_of", "markdown"]

_ITEM = re.compile(
    r"(?P<words>.+?), (?P<tolerance>(?:(?:rtol|atol|rel|abs)=[\d.e-]+(?:, )?)+|default tolerance|exactly) "
    r"\((?P<test>[\w/.]+::\w+)\)"
)
_TITLE = """\
# Sources and deviations

Each method and balancer of mtbench: its source, what it was compared with and to what tolerance, and what was chosen
here where the source is silent or where it was not followed. A comparison is a test below `tests/methods`, which CI
runs: beside another library in the same process, or beside formulas and released code written out again in the test.
The page is made from docstrings, which `mtbench info NAME` prints.
"""


@dataclass(frozen=True, kw_only=True)
class Compared:
    """A comparison with other code or formulas.

    Attributes:
        words: the other side, in words.
        tolerance: largest difference, as in the test.
        test: the test, below ``tests/methods``.
    """

    words: str
    tolerance: str
    test: str


@dataclass(frozen=True, kw_only=True)
class Deviations:
    """A plug-in beside its source.

    Attributes:
        name: its name.
        title: first line of its docstring.
        paper: the paper that proposes it; empty without.
        stands_for: the composition that an alias stands for; empty for others.
        compared: the comparisons with other code and formulas.
        chosen: the choices made here; empty if there is no such paragraph.
    """

    name: str
    title: str
    paper: str
    stands_for: str
    compared: tuple[Compared, ...]
    chosen: str


def deviations_of(kind: str, name: str) -> Deviations:
    """Return what the docstring of a plug-in says of its source.

    Raises:
        PluginError: it cannot be loaded.
        UsageError: it is not installed.
        ValueError: a comparison lacks its tolerance or its test.
    """
    plugin: Any = registry.load(kind, name)
    paragraphs = [" ".join(part.split()) for part in (inspect.getdoc(plugin) or "").split("\n\n")]
    return Deviations(
        name=name,
        title=paragraphs[0],
        paper=plugin.paper,
        stands_for=getattr(plugin, "stands_for", ""),
        compared=tuple(_compared(_paragraph(paragraphs, "Compared with: "), name)),
        chosen=_paragraph(paragraphs, "Chosen here: "),
    )


def markdown() -> str:
    """Return the page of the methods and balancers of mtbench's own distribution."""
    parts = [_TITLE]
    for kind, heading in (("method", "Networks"), ("balancer", "Balancers")):
        own = [entry.name for entry in registry.entries(kind).values() if entry.distribution == "mtbench"]
        parts += [f"## {heading}\n", *(_section(deviations_of(kind, name)) for name in sorted(own))]
    return "\n".join(parts)


def _paragraph(paragraphs: list[str], start: str) -> str:
    return next((part.removeprefix(start) for part in paragraphs if part.startswith(start)), "")


def _compared(text: str, name: str) -> Iterator[Compared]:
    for item in text.rstrip(".").split("; ") if text else ():
        if not (found := _ITEM.fullmatch(item)):
            raise ValueError(f"{name} is compared with '{item}', which lacks a tolerance or a test")
        yield Compared(**found.groupdict())


def _section(each: Deviations) -> str:
    lines = [f"### {each.name}\n", f"{each.title}\n"]
    if each.stands_for:
        return "\n".join([*lines, *_source(each), f"- Stands for `{each.stands_for}`, and adds nothing to it.\n"])
    compared = [f"    - {item.words}: {item.tolerance} (`{item.test}`)" for item in each.compared]
    return "\n".join([*lines, *_source(each), "- Compared with:", *compared, f"- Chosen here: {each.chosen}\n"])


def _source(each: Deviations) -> Iterator[str]:
    yield f"- Source: {each.paper or 'none, it is a reference of this benchmark'}"


if __name__ == "__main__":
    Path("docs/deviations.md").write_text(markdown(), encoding="utf-8")
