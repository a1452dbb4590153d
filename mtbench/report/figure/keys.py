"""Keys below pictures: named swatches of color, and bars of color scales."""

import functools
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap
from matplotlib.patches import Rectangle
from matplotlib.textpath import TextPath
from matplotlib.ticker import MaxNLocator

from mtbench.report.figure.style import WIDTH
from mtbench.report.text import brief

__all__ = ["Bar", "Key", "Swatches"]

TYPE = 6.5  # points
ROW = 0.135  # inches, of a line of swatches
SWATCH = 0.1  # inches, the side of one
LEFT = 0.06  # inches
INDENT = 1.05  # inches, of what stands beside a key's name
SPACE = 0.12  # inches, after a swatch with its name
NAME = 18  # characters of a key's name
BAR = 2.4  # inches, the length of a bar


@dataclass(frozen=True, kw_only=True)
class Key(ABC):
    """The meaning of the colors of some pictures.

    Attributes:
        name: in front of it, e.g. of a task; a long one is cut.
    """

    name: str

    @property
    @abstractmethod
    def height(self) -> float:
        """Its height in inches."""

    @abstractmethod
    def draw(self, axes: Axes, top: float) -> None:
        """Draw it below a height, on axes in inches that are as wide as a paper's text."""

    def _named(self, axes: Axes, top: float) -> None:
        axes.text(LEFT, top - SWATCH / 2, brief(self.name, NAME), fontsize=TYPE, va="center_baseline", weight="bold")


@dataclass(frozen=True, kw_only=True)
class Swatches(Key):
    """Colors with names, in lines.

    Attributes:
        entries: color and name of each.
    """

    entries: Sequence[tuple[str, str]]

    @property
    def height(self) -> float:
        return ROW * (1 + max((line for line, _, _ in self._places()), default=0))

    def draw(self, axes: Axes, top: float) -> None:
        self._named(axes, top)
        for (color, name), (line, left, _) in zip(self.entries, self._places(), strict=True):
            bottom = top - line * ROW - SWATCH
            axes.add_patch(Rectangle((left, bottom), SWATCH, SWATCH, facecolor=color, edgecolor="black", linewidth=0.3))
            axes.text(left + SWATCH + 0.04, bottom + SWATCH / 2, name, fontsize=TYPE, va="center_baseline")

    def _places(self) -> Iterator[tuple[int, float, float]]:
        """Yield of each entry its line and its left and right end in inches."""
        line, left = 0, INDENT
        for _, name in self.entries:
            width = SWATCH + 0.04 + _width(name)
            if left > INDENT and left + width > WIDTH - LEFT:
                line, left = line + 1, INDENT
            yield line, left, left + width
            left += width + SPACE


@dataclass(frozen=True, kw_only=True)
class Bar(Key):
    """A color scale with numbers.

    Attributes:
        scale: its colors.
        low, high: its ends.
        says: words beside it.
    """

    scale: Colormap
    low: float
    high: float
    says: str = ""

    @property
    def height(self) -> float:
        return 0.23

    def draw(self, axes: Axes, top: float) -> None:
        self._named(axes, top)
        colors = self.scale(np.linspace(0, 1, 256))[None, :, :3]
        extent = (INDENT, INDENT + BAR, top - SWATCH, top)
        axes.imshow(colors, extent=extent, aspect="auto", interpolation="nearest")
        axes.add_patch(Rectangle((INDENT, top - SWATCH), BAR, SWATCH, fill=False, edgecolor="black", linewidth=0.3))
        for value, words in self.ticks():
            x = INDENT + BAR * (value - self.low) / ((self.high - self.low) or 1.0)
            axes.plot([x, x], [top - SWATCH, top - SWATCH - 0.03], color="black", linewidth=0.5)
            axes.text(x, top - SWATCH - 0.04, words, fontsize=TYPE - 0.5, va="top", ha="center")
        axes.text(INDENT + BAR + SPACE, top - SWATCH / 2, self.says, fontsize=TYPE, va="center_baseline")

    def ticks(self) -> list[tuple[float, str]]:
        """Return round numbers within the scale, and the words for each."""
        if not self.low < self.high:
            return [(self.low, f"{self.low:.4g}")]
        places = MaxNLocator(nbins=6, steps=[1, 2, 2.5, 5, 10]).tick_values(self.low, self.high)
        slack = 1e-9 * (self.high - self.low)
        inside = [float(place) for place in places if self.low - slack <= place <= self.high + slack]
        step = inside[1] - inside[0] if len(inside) > 1 else self.high - self.low
        digits = next(
            (n for n in range(12) if math.isclose(round(step, n), step, rel_tol=1e-6)), 12
        )  # decimals of the step
        return [(place, f"{place:z.{digits}f}") for place in inside]


@functools.cache
def _width(text: str) -> float:
    """Return the width of a text in inches; about that in another font."""
    return float(TextPath((0, 0), text, size=TYPE).get_extents().width) / 72 if text.strip() else 0.0
