"""Widths of texts as LaTeX sets them in Computer Modern, from above."""

from mtbench.report.page.latex import printed

__all__ = ["COLUMN", "GAP", "PAGE", "number_width", "text_width"]

COLUMN = 229.0
"""Points: one of the two columns of LaTeX's article; those of ICML, CVPR and ACM are wider."""
PAGE = 469.0
"""Points: both columns of the same, with the space between them."""
GAP = 6.0
"""Points between two columns of a table."""
_WIDTHS = {
    2.6: " .,:;'|il",
    3.8: "()[]-jftrs/!I",
    4.3: "0123456789",
    7.2: "mw%@+=<>~&\N{PLUS-MINUS SIGN}\N{MULTIPLICATION SIGN}",
    8.8: "MW",
}
"""Points of letters in \\footnotesize; of other ones see `_letter_width`."""
_LETTERS = {letter: points for points, letters in _WIDTHS.items() for letter in letters}
_BOLD = 1.16
"""Width of bold digits over that of others."""
_SCRIPT = 0.94
"""Width of digits in \\scriptsize over that in \\footnotesize."""
_SPREAD = 8.7
"""Points of the sign before a standard deviation, with the spaces around it."""
_MARK = 4.2
"""Points of a mark."""


def text_width(text: str) -> float:
    """Return the points that a text takes in \\footnotesize."""
    return sum(map(_letter_width, printed(text)))


def number_width(says: str, std: str, marks: str, *, bold: bool) -> float:
    """Return the points that a number takes with its standard deviation, in smaller type, and its marks."""
    spread = _SPREAD + _SCRIPT * text_width(std) if std else 0.0
    return (text_width(says) + spread) * (_BOLD if bold else 1) + _MARK * len(marks)


def _letter_width(letter: str) -> float:
    if letter in _LETTERS:
        return _LETTERS[letter]
    if not letter.isascii():
        return 7.2
    return 6.6 if letter.isupper() or not letter.isalpha() else 4.75
