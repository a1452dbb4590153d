"""Choices of a reader for tables of a paper: columns, decimals, order and width."""

from dataclasses import dataclass

from mtbench.errors import UsageError, did_you_mean

__all__ = ["STYLES", "PaperStyle", "parse_style"]

STYLES = ("report", "paper")
"""Styles of summary tables: with everything that is known, or as a paper prints them."""
_MOST = 6
"""The largest number of decimals."""


@dataclass(frozen=True, kw_only=True)
class PaperStyle:
    """The form of summary tables in a paper.

    Attributes:
        columns: names of columns in their order; empty for the tasks, their mean and Δm.
        digits: decimals of metrics and gains; None for those of the usual table.
        sort: the name of the column by which methods are sorted, the best first; empty for alphabetical order.
        wide: True if a table is as wide as a page in two columns, not as one of the columns.
        underline_second: True if the second best number of a column is underlined.
    """

    columns: tuple[str, ...] = ()
    digits: int | None = None
    sort: str = ""
    wide: bool = False
    underline_second: bool = False

    def uses(self, column: str) -> bool:
        """Return whether tables have a column or are sorted by it."""
        return column in (*self.columns, self.sort)


def parse_style(
    style: str, *, columns: str, digits: int | None, sort: str, wide: bool, underline_second: bool
) -> PaperStyle | None:
    """Return the style of a command line; None for that of reports.

    Args:
        style: one of `STYLES`, or nothing.
        columns: names with commas.
        digits, sort, wide, underline_second: see `PaperStyle`.

    Raises:
        UsageError: there is no such style, or it does not have what was chosen.
    """
    if style not in ("", *STYLES):
        raise UsageError(
            f"--style is '{style}'.", mend=did_you_mean(style, STYLES), allowed=f"Allowed: {', '.join(STYLES)}."
        )
    given = {
        "--columns": columns,
        "--digits": digits is not None,
        "--sort": sort,
        "--wide": wide,
        "--underline-second": underline_second,
    }
    if style != "paper":
        if asked := [option for option, value in given.items() if value]:
            raise UsageError(f"{asked[0]} is for --style paper.", mend=f"Add --style paper, or leave {asked[0]} out.")
        return None
    if digits is not None and not 0 <= digits <= _MOST:
        raise UsageError(f"--digits is {digits}.", allowed=f"Allowed: 0 to {_MOST}.")
    return PaperStyle(
        columns=tuple(dict.fromkeys(name.strip() for name in columns.split(",") if name.strip())),
        digits=digits,
        sort=sort.strip(),
        wide=wide,
        underline_second=underline_second,
    )
