"""Tables as LaTeX with booktabs, for papers one column wide."""

import re
from collections.abc import Sequence

import jinja2

from mtbench.report.caption import QUICK
from mtbench.report.layout import Layout, Words, blocks, lay_out
from mtbench.report.table import Table
from mtbench.report.text import slug, wrap

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
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "\N{EN DASH}": r"\textendash{}",
    "…": r"\ldots{}",
}
_LINE = 345.0
"""Points in a line of LaTeX's article class."""
_PAGE = 40
"""Lines of tables on a page, beside the caption."""
_NAME = 26
"""Characters in a line of a method's name."""
_WIDTH = 108
"""Points of the first column where names are wrapped."""
_HEAD = 12
"""Characters in a line of a head."""


def render_latex(table: Table) -> str:
    """A floating table, to be included with ``\\input`` in a document that uses booktabs.

    Where the tasks are too many for the width of a page, blocks of columns stand below one another.
    """
    layout = lay_out(table)
    return _TEMPLATE.render(
        title=f"{table.dataset}, protocol {table.protocol}",
        quick=QUICK if table.quick else "",
        caption=[sentence for sentence in table.caption if sentence != QUICK],
        label=f"tab:{slug(table.dataset)}-{slug(table.protocol)}",
        floats=_floats(blocks(layout, width=_LINE, name=_WIDTH, head=_HEAD, gap=6, measure=_points)),
        width=_WIDTH,
        wide=max(len(line[0].says) for line in layout.lines) > _NAME,
        footnotes=table.footnotes,
    )


def escape_latex(text: str) -> str:
    """A text that LaTeX prints as it is; characters beyond ASCII and accented letters are named by their number."""
    known = "".join(_CHARACTERS.get(letter) or _printable(letter) for letter in " ".join(text.split()))
    return re.sub("-(?=-)", "-{}", known)  # or two hyphens would become a dash


def _printable(letter: str) -> str:
    if letter.isascii() and letter.isprintable():
        return letter
    accented = "À" <= letter <= "ÿ" and letter not in "ÐÞðþ÷"
    return letter if accented else f"[U+{ord(letter):04X}]"


def _points(text: str) -> float:
    """About how wide a text is in bold type of \\footnotesize (8 pt), digits exactly."""
    thin = text.replace(" ± ", "±")
    shown = "".join(letter if letter in _CHARACTERS else _printable(letter) for letter in thin)
    wide = {"±": 10.0, "%": 8.0, "&": 8.0, **dict.fromkeys(".,:", 2.7)}
    return sum(wide.get(letter, 6.6 if letter.isupper() else 4.9) for letter in shown)


def _floats(blocks: Sequence[Layout]) -> list[list[Layout]]:
    """As many blocks to a float as a page has room for, one at least."""
    floats: list[list[Layout]] = [[]]
    for block in blocks:
        if floats[-1] and (len(floats[-1]) + 1) * (len(block.lines) + 3) > _PAGE:
            floats.append([])
        floats[-1].append(block)
    return floats


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
        loader=jinja2.PackageLoader("mtbench.report"),
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
