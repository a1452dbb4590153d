"""Figures as SVG inside a page: without style attributes, which its content security policy forbids, and compact."""

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from xml.etree import ElementTree

from matplotlib import rc_context
from matplotlib.figure import Figure

from mtbench.report.figure.style import paper_style

__all__ = ["Drawing", "drawing_of"]

_HREF = "{http://www.w3.org/1999/xlink}href"
_INHERITED = {"stroke-linejoin": "round", "stroke-linecap": "butt"}
"""Properties that matplotlib's style sheet gives to everything."""
_ROUNDED = frozenset({"d", "x", "y", "width", "height", "points", "cx", "cy", "r"})
_FONT = re.compile(r"(?:(?P<weight>bold|[1-9]00) )?(?P<size>[\d.]+)px")
_REFERENCE = re.compile(r"#([\w-]+)")


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """A figure of a page.

    Attributes:
        title: its title, in one line.
        svg: the figure.
    """

    title: str
    svg: str


def drawing_of(figure: Figure, name: str) -> Drawing:
    """Return a figure as SVG with texts as texts and presentation attributes; the same figure makes the same text.

    Args:
        figure: a figure that was saved before, so that everything is in its place.
        name: the beginning of all ids in it, unlike those of other figures of the page.
    """
    figure.set_layout_engine("none")  # which saves a third of the time
    buffer = io.StringIO()
    metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with paper_style(), rc_context({"svg.fonttype": "none", "svg.hashsalt": "mtbench", "svg.id": None}):
        figure.savefig(buffer, format="svg", metadata=metadata)
    root = ElementTree.fromstring(buffer.getvalue())
    ids = {old: f"{name}.{number}" for number, old in enumerate(dict.fromkeys(_referred(root)))}
    inside = "".join(_rendered(part, ids) for part in root)
    title = " ".join(figure.get_suptitle().split())
    inherited = "".join(f' {key}="{value}"' for key, value in _INHERITED.items())
    box = escape(root.attrib["viewBox"])
    svg = f'<svg viewBox="{box}" role="img" aria-label="{escape(title or "figure")}"{inherited}>{inside}</svg>'
    return Drawing(title=title, svg=svg)


def _referred(root: ElementTree.Element) -> Iterator[str]:
    """Yield the ids that something refers to."""
    for part in root.iter():
        for value in part.attrib.values():
            if "#" in value:
                yield from (found for found in _REFERENCE.findall(value) if not _is_color(value))


def _is_color(value: str) -> bool:
    return "url(" not in value and not value.startswith("#")


def _rendered(part: ElementTree.Element, ids: Mapping[str, str]) -> str:
    tag = part.tag.rpartition("}")[2]
    if tag in ("style", "metadata"):
        return ""
    attributes = dict(_attributes(part, ids))
    inside = escape(part.text) if part.text and part.text.strip() else ""
    inside += "".join(_rendered(child, ids) for child in part)
    if tag in ("g", "defs") and not (inside and (attributes or tag == "defs")):
        return inside  # a group that says nothing
    said = "".join(f' {key}="{escape(value)}"' for key, value in attributes.items())
    return f"<{tag}{said}>{inside}</{tag}>" if inside else f"<{tag}{said}/>"


def _attributes(part: ElementTree.Element, ids: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for key, value in part.attrib.items():
        if key == "id":
            if value in ids:
                yield "id", ids[value]
        elif key == _HREF:
            yield "href", f"#{ids[value[1:]]}" if value[1:] in ids else "".join(value.split())
        elif key == "style":
            yield from _presented(value, ids)
        elif key == "transform":
            if not value.startswith("rotate(-0 "):
                yield key, value
        elif key in _ROUNDED:
            yield key, _short(value)
        else:
            yield key.rpartition("}")[2], _renamed(value, ids)


def _presented(style: str, ids: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield declarations as attributes; the family of letters is left to the page."""
    for declaration in filter(None, map(str.strip, style.split(";"))):
        key, _, value = (word.strip() for word in declaration.partition(":"))
        if key == "font" and (found := _FONT.search(value)):
            yield "font-size", found["size"]
            if found["weight"]:
                yield "font-weight", found["weight"]
        elif key == "font-size":
            yield key, value.removesuffix("px")
        elif key != "font-family" and _INHERITED.get(key) != value:
            yield key, _renamed(value, ids)


def _renamed(value: str, ids: Mapping[str, str]) -> str:
    return _REFERENCE.sub(lambda found: f"#{ids.get(found[1], found[1])}", value)


def _short(numbers: str) -> str:
    """Return numbers with two decimals at most, which is a fiftieth of a pixel."""
    return re.sub(
        r"-?\d+\.\d+", lambda found: f"{float(found[0]):.2f}".rstrip("0").rstrip("."), " ".join(numbers.split())
    )
