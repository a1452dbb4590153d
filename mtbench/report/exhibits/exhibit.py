"""The exhibits of a suite's report beside its tables: a figure, the same in words, and the numbers behind both."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from mtbench.report.page.layout import Page

__all__ = ["Exhibit"]


@dataclass(frozen=True, kw_only=True)
class Exhibit:
    """A figure of a suite with all that belongs to it.

    Attributes:
        name: what it is, as part of a file name.
        pages: the same in words; their labels are the names of their files.
        frame: the numbers behind it, tidy and at full precision.
        draw: makes the figure; None where no run has finished.
    """

    name: str
    pages: tuple[Page, ...]
    frame: pd.DataFrame
    draw: Callable[[], Figure] | None
