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

__all__ = ["CHARACTERS", "escape_latex", "fill_template", "printed", "render_latex", "spelled", "stacked"]

CHARACTERS = {
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
    "[": "{[}",  # or it would begin an optional argument after the end of a row
    "]": "{]}",
    "*": "{*}",
    "±": r"$\pm$",
    "\N{MULTIPLICATION SIGN}": r"$\times$",
    "†": r"$^\dagger$",
    "‡": r"$^\ddagger$",
    "§": r"\S{}",
    "¶": r"\P{}",
    "‖": r"$\Vert$",
    "△": r"$^\triangle$",
    "°": r"$^\circ$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "\N{EN DASH}": r"\textendash{}",
    "…": r"\ldots{}",
    "Δ": r"$\Delta$",
    "τ": r"$\tau$",
    "≥": r"$\ge$",
    "\N{MINUS SIGN}": "$-$",
}
"""Characters that LaTeX prints only if they are written so."""
_ESCAPED_IN_NAMES = frozenset("\\{}%#^")
"""Characters before which a name in a document has a backslash; before others it may have one."""
_ACROSS = 76
"""Characters that a row of a table may have, in \\footnotesize on a page in one column (345 points)."""
_GAP = 1.5
"""Characters that the space between two columns takes."""
_TEXT = 80
"""Characters of a line of text in \\footnotesize on such a page."""
_CAPTION_TEXT = 64
"""Characters of a line of a caption, which is in larger type."""
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

    In a document in two columns it is as wide as both. It defines ``\\mtbenchwide``, the star of such floats.

    A row of more than 76 characters is split by columns, into blocks below one another. A table of more lines than a
    page has continues in further tables.
    """
    return _TEMPLATE.render(
        title=page.title,
        quick=QUICK if page.quick else "",
        caption=page.caption,
        label=f"tab:{page.label}",
        floats=_floats(blocks(page.layout, width=_ACROSS, name=_NAME, head=_HEAD, gap=_GAP, measure=_letters), page),
    )


def fill_template(name: str, **values: object) -> str:
    """Return a template of this package, such as ``numbers.tex``, filled with values."""
    return _ENVIRONMENT.get_template(f"{name}.j2").render(**values)


def escape_latex(text: str) -> str:
    """Return a text that LaTeX prints as it is; characters beyond ASCII and accented letters are named by their
    number."""
    known = "".join(CHARACTERS.get(letter) or _printable(letter) for letter in _signed(" ".join(text.split())))
    return re.sub("-(?=-)", "-{}", known)  # or two hyphens would become a dash


def spelled(name: str) -> str:
    """Return a name as the argument of a macro, in which LaTeX reads all its characters as they are."""
    letters = (letter if letter.isprintable() else f"[U+{ord(letter):04X}]" for letter in " ".join(name.split()))
    return "".join("\\" + letter if letter in _ESCAPED_IN_NAMES else letter for letter in letters)


def printed(text: str) -> str:
    """Return the letters that LaTeX prints of a text, which has no type for some."""
    known = (letter if letter in CHARACTERS else _printable(letter) for letter in text)
    return "".join(letter.replace("{[}", "[").replace("{]}", "]") for letter in known)


def _signed(text: str) -> str:
    """Return a text in which a hyphen that begins a number is a minus."""
    return re.sub(r"(?<![^\s(])-(?=\.?\d)", "\N{MINUS SIGN}", text)


def _printable(letter: str) -> str:
    if letter.isascii() and letter.isprintable():
        return letter
    accented = "À" <= letter <= "ÿ" and letter not in "ÐÞðþ÷"
    return letter if accented else f"{{[}}U+{ord(letter):04X}{{]}}"


def _letters(words: Words) -> int:
    """Return the number of characters that LaTeX prints of a cell."""
    return len(printed(words.says))


@dataclass(kw_only=True)
class Float:
    """A table of one page.

    Attributes:
        blocks: blocks of columns and rows, from top to bottom.
        details: details of the page, below the blocks.
        footnotes: footnotes, below the details.
        height: height of all that in lines.
    """

    blocks: list[Layout] = field(default_factory=list)
    details: str = ""
    footnotes: list[str] = field(default_factory=list)
    height: float = _CAPTION


def _floats(blocks: Sequence[Layout], page: Page) -> list[Float]:
    """Put as many blocks and footnotes into a float as a page has room for; the first has the caption above them.

    A block with more lines than there is room for is cut into parts of about equal length.
    """
    caption = _lines(" ".join(page.caption), _CAPTION_TEXT)
    floats = [Float(height=_CAPTION + 1.26 * caption)]  # a line of a caption is a quarter higher
    for block in blocks:
        room = _PAGE - (_CAPTION if floats[-1].blocks else floats[-1].height)
        for part in _parts(block, room):
            height = _head_height(part) + sum(map(_row_height, part.lines))
            if floats[-1].blocks and floats[-1].height + height > _PAGE:
                floats.append(Float())
            floats[-1].blocks.append(part)
            floats[-1].height += height
    if details := " ".join(page.details):
        _with_room(floats, details).details = details
    for footnote in page.footnotes:
        _with_room(floats, footnote).footnotes.append(footnote)
    return floats


def _with_room(floats: list[Float], text: str) -> Float:
    """Return the last float, or a further one if it has no room for a text, and count the text's lines."""
    height = _lines(text)
    if floats[-1].height + height > _PAGE:
        floats.append(Float())
    floats[-1].height += height
    return floats[-1]


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


def _lines(text: str, width: int = _TEXT) -> int:
    return math.ceil(_letters(Words(says=text)) / width)


def _head(text: str) -> str:
    return stacked(text, _HEAD, "[b]{@{}r@{}}")


def _name(words: Words) -> str:
    return stacked(words.says, _NAME, "[t]{@{}l@{}}")


def stacked(text: str, width: int, columns: str) -> str:
    """Return a text for LaTeX that is wrapped into a table of its lines if it is longer than a width.

    Args:
        text: the text.
        width: characters of a line.
        columns: position and columns of the table, such as ``[t]{l}``.
    """
    lines = [escape_latex(line) for line in wrap(text, width).split("\n")]
    below = r"\\".join(lines)
    return rf"\begin{{tabular}}{columns}{below}\end{{tabular}}" if len(lines) > 1 else below


def _cell(words: Words) -> str:
    said = escape_latex(words.says).replace(r" $\pm$ ", r"\,$\pm$\,")
    return rf"{{\boldmath\bfseries {said}}}" if words.bold else said


def _breakable(text: str) -> str:
    """Return a text for LaTeX in which a line may end within the name of a method."""
    return r"\allowbreak{}".join(map(escape_latex, re.split(r"(?<=[:+/@=_])(?=[.\w])", text)))


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
    environment.filters.update(
        tex=escape_latex, head=_head, cell=_cell, name=_name, spelled=spelled, breakable=_breakable
    )
    return environment


_ENVIRONMENT = _environment()
_TEMPLATE = _ENVIRONMENT.get_template("table.tex.j2")
