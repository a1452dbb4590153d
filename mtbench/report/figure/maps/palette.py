"""Colors of maps: one per class, color scales of numbers, and the color of undefined pixels.

Shapes: H x W pixels. Pictures (H, W, 3) are float64 from 0 to 1.
"""

from typing import TypeAlias

import matplotlib
import numpy as np
from matplotlib.colors import Colormap, ListedColormap, to_rgb
from numpy.typing import NDArray

__all__ = ["CLASSES", "ERRORS", "RIGHT", "UNDEFINED", "VALUES", "WRONG", "Picture", "class_color", "painted", "scaled"]

Picture: TypeAlias = NDArray[np.float64]

CLASSES = (
    *("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#005AF0", "#5A2D00", "#A5F096"),
    *("#69005A", "#2D1E96", "#5A3C3C", "#7887FF", "#FFA5B4", "#4BB45A", "#A5E1FF", "#875A3C", "#B4FF78", "#964B78"),
    *("#2D5AC3", "#A53C00", "#003C87", "#69D25A", "#E1F0C3", "#3C96E1", "#D2693C", "#F07887", "#FFA5D2", "#5A2D1E"),
    *("#694B87", "#2D3CC3", "#691E4B", "#5A695A", "#F0963C", "#A587C3", "#B4C387", "#78B496", "#6969F0", "#2D78D2"),
)
"""Colors of classes by number: seven of Okabe and Ito (2008), then each time the one that is farthest from all before
it, from black and from white, in CIELAB, in that of normal sight, protanopia and deuteranopia (Machado et al. 2009) in
which it is nearest."""
UNDEFINED = "#000000"
"""Color of pixels without a value, in every picture of a map."""
VALUES: Colormap = ListedColormap(matplotlib.colormaps["viridis"](np.linspace(0.1, 1, 256)))
ERRORS: Colormap = matplotlib.colormaps["YlOrRd"]
"""Color scales for values, without the darkest colors, which look like `UNDEFINED`, and for errors."""
RIGHT, WRONG = "#E4E4E4", "#B10026"
"""Colors of pixels with the right and with a wrong class: of none of the first twenty classes, and the second like
large errors of other tasks."""


def class_color(label: int) -> str:
    """Return the color of a class, as ``#RRGGBB``; of more than 40 classes two have the same."""
    return CLASSES[label % len(CLASSES)]


def painted(labels: NDArray[np.int64], known: NDArray[np.bool_]) -> Picture:
    """Return the picture of a map of classes (H, W), `UNDEFINED` where it is not known."""
    colors = np.array([to_rgb(color) for color in CLASSES])
    return _marked(colors[np.where(known, labels, 0) % len(CLASSES)], known)


def scaled(values: NDArray[np.float64], known: NDArray[np.bool_], low: float, high: float, scale: Colormap) -> Picture:
    """Return the picture of a map of numbers (H, W) by a color scale; numbers outside have the color of its ends.

    Args:
        known: (H, W), the pixels with a value.
        low, high: the ends of the scale; where they are equal all pixels have its lower color.
        scale: its colors.
    """
    fractions = (np.where(known, values, low) - low) / ((high - low) or 1.0)
    return _marked(scale(fractions.clip(0, 1))[..., :3], known)


def _marked(picture: Picture, known: NDArray[np.bool_]) -> Picture:
    return np.where(known[..., None], picture, to_rgb(UNDEFINED))
