"""Tables as LaTeX with booktabs, as wide as the page of a paper in one or in two columns."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import jinja2

from mtbench.report.page.layout import Layout, Page, blocks
from mtbench.report.page.sentences import QUICK
from mtbench.report.page.words import Words
from mtbench.report.text import wrap

__all__ = ["escape_latex", "render_latex"]

_CHARACTERS = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "&": r"\&",
    "%": r"\%",
    "#": r"\#",
    "$": r"\$",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "`": r"\`{}",
    "±": r"$\pm$",
    "\N{MULTIPLICATION SIGN}": r"$\times$",
    "†": r"$^\dagger$",
    "‡": r"$^\ddagger$",
    "§": r"\S{}",
    "¶": r"\P{}",
    "°": r"$^\circ$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "\N{EN DASH}": r"\textendash{}",
    "…": r"\ldots{}",
    "Δ": r"$\Delta$",
    "≥": r"$\ge$",
    "\N{MINUS SIGN}": "$-$",
}
_WIDTHS = {
    letter: points
    for points, letters in (
        (2.4, "!',.:;[]`il|"),
        (3.4, '"()-I_fjrst '),
        (4.8, "Sbdhknpquvxy"),
        (6.7, "&+<=>@w\N{MULTIPLICATION SIGN}\N{MINUS SIGN}"),
        (7.1, "#%m"),
        (8.8, "MW"),
        (9.4, "±"),
        (11.4, "…"),
    )
    for letter in letters
}
"""Points of letters in Computer Modern at 8 pt; others have 6.7 (capitals) or 4.3."""
_LINE = 345.0
"""Points in a line of LaTeX's article class."""
_PAGE = 56
"""Lines of \\footnotesize on a page."""
_RULES = 2
"""Lines that the rules of a block and the space below it take."""
_CAPTION = 3
"""Lines that a short caption and the space around it take."""
_NAME = 26
"""Characters in a line of a method's name."""
_HEAD = 12
"""Characters in a line of a head."""


def render_latex(page: Page) -> str:
    """Return a floating table, to be included with ``\\input`` in a document that uses booktabs.

    It spans both columns of a document in two. It defines ``\\mtbenchwide``, the star of such floats.

    Where the tasks are too many for the width of a page, blocks of columns stand below one another; what a page has no
    room for goes on in further tables.
    """
    layout = page.layout
    names = [_points(Words(says=part)) for line in layout.lines for part in wrap(line[0].says, _NAME).split("\n")]
    return _TEMPLATE.render(
        title=page.title,
        quick=QUICK if page.quick else "",
        caption=page.caption,
        details=" ".join(page.details),
        label=f"tab:{page.label}",
        floats=_floats(blocks(layout, width=_LINE - 7, name=_NAME, head=_HEAD, gap=6, measure=_points), page),
        width=math.ceil(max(names)),
        wide=max(len(line[0].says) for line in layout.lines) > _NAME,
    )


def escape_latex(text: str) -> str:
    """Return a text that LaTeX prints as it is; characters beyond ASCII and accented letters are named by their
    number."""
    known = "".join(_CHARACTERS.get(letter) or _printable(letter) for letter in _signed(" ".join(text.split())))
    return re.sub("-(?=-)", "-{}", known)  # or two hyphens would become a dash


def _signed(text: str) -> str:
    """Return a text in which a hyphen that begins a number is a minus."""
    return re.sub(r"(?<![^\s(])-(?=\.?\d)", "\N{MINUS SIGN}", text)


def _printable(letter: str) -> str:
    if letter.isascii() and letter.isprintable():
        return letter
    accented = "À" <= letter <= "ÿ" and letter not in "ÐÞðþ÷"
    return letter if accented else f"[U+{ord(letter):04X}]"


def _points(words: Words) -> float:
    """Return the greatest width of a cell in type of \\footnotesize (8 pt)."""
    thin = _signed(words.says).replace(" ± ", "±")
    shown = "".join(letter if letter in _CHARACTERS else _printable(letter) for letter in thin)
    regular = sum(_WIDTHS.get(letter, 6.7 if letter.isupper() else 4.3) for letter in shown)
    return 1.16 * regular if words.bold else regular


@dataclass(kw_only=True)
class Float:
    """A table of one page: blocks, and footnotes below them; its height in lines."""

    blocks: list[Layout] = field(default_factory=list)
    footnotes: list[str] = field(default_factory=list)
    height: float = _CAPTION


def _floats(blocks: Sequence[Layout], page: Page) -> list[Float]:
    """Put as many blocks and footnotes into a float as a page has room for; the first has the caption above them.

    A block with more lines than there is room for is cut into parts of about equal length.
    """
    # Captions are set in larger type: a quarter wider and a quarter higher.
    floats = [Float(height=_CAPTION + 1.26 * _lines(" ".join(page.caption), 1.25))]
    for block in blocks:
        room = _PAGE - (_CAPTION if floats[-1].blocks else floats[-1].height)
        for part in _parts(block, room):
            height = _head_height(part) + sum(map(_row_height, part.lines))
            if floats[-1].blocks and floats[-1].height + height > _PAGE:
                floats.append(Float())
            floats[-1].blocks.append(part)
            floats[-1].height += height
    for footnote in (*([" ".join(page.details)] if page.details else []), *page.footnotes):
        height = _lines(footnote)
        if floats[-1].height + height > _PAGE:
            floats.append(Float())
        floats[-1].footnotes.append(footnote)
        floats[-1].height += height
    return floats


def _parts(block: Layout, room: float) -> list[Layout]:
    heights = [_row_height(line) for line in block.lines]
    room -= _head_height(block)
    fair = math.ceil(sum(heights) / math.ceil(sum(heights) / room)) + max(heights) - 1
    parts: list[list[tuple[Words, ...]]] = [[]]
    used = 0
    for line, height in zip(block.lines, heights, strict=True):
        if parts[-1] and used + height > min(fair, room):
            parts.append([])
            used = 0
        parts[-1].append(line)
        used += height
    return [replace(block, lines=tuple(lines)) for lines in parts]


def _head_height(block: Layout) -> int:
    return _RULES + max(_rows(head, _HEAD) for head in block.header)


def _row_height(line: Sequence[Words]) -> int:
    return _rows(line[0].says, _NAME)


def _rows(name: str, width: int) -> int:
    return wrap(name, width).count("\n") + 1


def _lines(text: str, size: float = 1) -> int:
    return math.ceil(size * _points(Words(says=text)) / _LINE)


def _head(text: str) -> str:
    lines = [escape_latex(line) for line in wrap(text, _HEAD).split("\n")]
    if len(lines) == 1:
        return lines[0]
    stacked = r"\\".join(lines)
    return rf"\begin{{tabular}}[b]{{@{{}}r@{{}}}}{stacked}\end{{tabular}}"


def _cell(words: Words) -> str:
    said = escape_latex(words.says).replace(r" $\pm$ ", r"\,$\pm$\,")
    return rf"{{\boldmath\bfseries {said}}}" if words.bold else said


def _name(words: Words) -> str:
    lines = [escape_latex(line) for line in wrap(words.says, _NAME).split("\n")]
    return r"\raggedright " + r"\newline ".join(lines) if len(lines) > 1 else lines[0]


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("mtbench.report.page"),
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
        comment_start_string="<#",
        comment_end_string="#>",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters.update(tex=escape_latex, head=_head, cell=_cell, name=_name)
    return environment


_TEMPLATE = _environment().get_template("table.tex.j2")
