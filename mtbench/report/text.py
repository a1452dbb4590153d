"""Names and numbers as they are written in tables and figures."""

import re
from collections.abc import Iterable, Sequence

__all__ = [
    *("brief", "counted", "counts", "decimals", "difference", "duration", "fixed", "listed", "memory", "p_value"),
    *("ratio", "rounded", "seeds", "signed", "slug", "span", "spread", "wrap"),
]


def brief(text: str, width: int = 160) -> str:
    """Return a text on one line, cut at a word with an ellipsis if it is longer than `width` characters."""
    line = " ".join(text.split())
    if len(line) <= width:
        return line
    return (line[:width].rpartition(" ")[0] or line[: width - 1]).rstrip(" ,;:.") + "…"


def counted(number: float) -> str:
    """Return a count in three digits or so: 950, 12.0k, 1.2M, 3.4G, 5.6T."""
    for size, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if round(number / size, 1) >= 1 and number >= 0.9995 * size:
            return f"{number / size:.1f}{letter}"
    return f"{number:.0f}"


def counts(numbers: Sequence[int]) -> str:
    """Say how many there are of each: one number where they are alike, else all of them with commas."""
    return ", ".join(map(str, numbers if len(set(numbers)) > 1 else numbers[:1]))


def decimals(values: Iterable[float], unit: str) -> int:
    """Return the number of decimals that show four digits of the largest value; two for percentages."""
    if unit == "%":
        return 2
    largest = max(map(abs, values), default=0.0)
    return 2 if largest >= 10 else 3 if largest >= 1 else 4


def difference(mean: float, interval: tuple[float, float] | None, digits: int = 2) -> str:
    """Return a difference with its sign, and its interval where there is one: ``+0.50 (+0.10 to +0.90)``."""
    return signed(mean, digits) if interval is None else f"{signed(mean, digits)} ({span(interval, digits)})"


def duration(seconds: float) -> str:
    """Seconds in three digits: 0.0123, 1.20, 12.3, 123; all digits of thousands."""
    return f"{seconds:#.3g}".rstrip(".") if seconds < 999.5 else f"{seconds:.0f}"


def fixed(number: float, digits: int = 2) -> str:
    """Return a number with so many decimals; no minus stands before what is rounded to 0."""
    return f"{number:z.{digits}f}"


def memory(size: float) -> str:
    """Return bytes in millions or thousands of millions: 412 MB, 1.24 GB."""
    return f"{size / 1e6:.0f} MB" if size < 999.5e6 else f"{size / 1e9:.2f} GB"


def p_value(p: float) -> str:
    """Return a p in two figures; one that would be rounded to 0 is said to be below what is printed."""
    return "< 0.0001" if p < 1e-4 else f"{p:.2g}"


def ratio(number: float) -> str:
    """Return a ratio after a multiplication sign: 1.25, 2.00, and 1.0025 where two decimals would hide the difference
    to 1."""
    text = f"{number:.2f}"
    if float(text) == 1 != number:
        text = f"{number:.4f}"
    return f"\N{MULTIPLICATION SIGN}{text}"


def rounded(names: Iterable[str]) -> dict[str, str]:
    """Return by name how it is shown: numbers with more than three decimals in three digits, as
    ``weights=0.115/0.885``, unless two names would look alike."""
    short = {name: re.sub(r"\d*\.\d{4,}", lambda found: f"{float(found[0]):.3g}", name) for name in names}
    shown = list(short.values())
    return {name: text if shown.count(text) == 1 else name for name, text in short.items()}


def listed(words: Iterable[str]) -> str:
    """Words with commas and a last 'and'."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def seeds(numbers: Iterable[int]) -> str:
    """``seed 2`` or ``seeds 0, 1, 4``."""
    ordered = sorted(numbers)
    return f"seed{'s' * (len(ordered) > 1)} {', '.join(map(str, ordered))}"


def signed(number: float, digits: int = 2) -> str:
    """Return a number as `fixed` does, with its sign, which is a plus of what is rounded to 0."""
    return f"{number:+z.{digits}f}"


def slug(title: str) -> str:
    """Return a title as part of a file name: ``paper, lr=0.0005`` is ``paper-lr-0.0005``."""
    return re.sub(r"[^A-Za-z0-9._]+", "-", title).strip("-.")[:80] or "untitled"


def span(interval: tuple[float, float], digits: int = 2) -> str:
    """Return the ends of an interval of differences: ``+0.10 to +0.90``."""
    return f"{signed(interval[0], digits)} to {signed(interval[1], digits)}"


def spread(mean: float, std: float | None, digits: int = 2, *, sign: bool = False) -> str:
    """Return a mean, and its standard deviation where there is one: ``90.12 ± 0.34``.

    Args:
        sign: True if it is a gain, and so has its sign.
    """
    said = signed(mean, digits) if sign else fixed(mean, digits)
    return said if std is None else f"{said} ± {fixed(std, digits)}"


def wrap(name: str, width: int) -> str:
    """Return a name in lines of at most `width` characters where it can be broken: at spaces and after ``_ : + / @
    -``."""
    lines = [""]
    for piece in re.findall(r"[^\s_:+/@-]*[_:+/@-]+|\s+|[^\s_:+/@-]+", name):
        if lines[-1] and len(lines[-1]) + len(piece.rstrip()) > width:
            lines.append(piece.lstrip())
        else:
            lines[-1] += piece
    return "\n".join(line.rstrip() for line in lines)
