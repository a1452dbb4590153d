"""The contents of a page on a run, before it is rendered."""

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from mtbench.explanation.page import Shown
from mtbench.report.figure.sheet import Sheet
from mtbench.report.page.layout import Page

__all__ = ["Material"]


@dataclass(frozen=True, kw_only=True)
class Material:
    """A page with its figures.

    Attributes:
        page: the table.
        table: one row per picture on the sheets of tasks, or per test image.
        sheets: the figures, which are drawn one at a time.
    """

    page: Page
    table: pd.DataFrame
    sheets: Iterable[tuple[Shown, Sheet]]
