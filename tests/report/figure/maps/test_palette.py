"""Colors of maps: apart for all kinds of sight, and those of known pixels."""

import itertools

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from mtbench.report.figure.maps.palette import (
    CLASSES,
    ERRORS,
    RIGHT,
    UNDEFINED,
    VALUES,
    WRONG,
    class_color,
    painted,
    scaled,
)

SIGHT = {
    "normal": np.eye(3),
    # Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
}
XYZ = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]])


def lab(colors: list[str], sight: str) -> NDArray[np.float64]:
    """CIELAB (n, 3) of colors under D65, as they are seen."""
    rgb = np.array([to_rgb(color) for color in colors])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = (linear @ np.array(SIGHT[sight]).T).clip(0, 1)
    ratios = (seen @ XYZ.T) / XYZ.sum(1)
    roots = np.where(ratios > (6 / 29) ** 3, np.cbrt(ratios), ratios / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = roots.T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


@pytest.mark.parametrize("sight", SIGHT)
def test_no_two_classes_look_alike_nor_like_undefined_pixels(sight: str) -> None:
    colors = lab([*CLASSES, UNDEFINED], sight)
    assert len(colors) == 41

    def least(count: int) -> float:
        some = [*colors[:count], colors[-1]]
        return min(float(np.linalg.norm(first - second)) for first, second in itertools.combinations(some, 2))

    assert least(40) > 10  # 2.3 is just noticeable side by side
    assert least(13) > 16


@pytest.mark.parametrize("sight", SIGHT)
def test_right_and_wrong_pixels_look_like_none_of_twenty_classes(sight: str) -> None:
    classes = lab([*CLASSES[:20], UNDEFINED], sight)
    right, wrong = lab([RIGHT, WRONG], sight)
    assert np.linalg.norm(right - wrong) > 40
    for color in (right, wrong):
        assert np.linalg.norm(classes - color, axis=1).min() > 10


def test_a_class_has_its_color_whatever_other_classes_there_are() -> None:
    known = np.array([[True, True], [True, False]])
    picture = painted(np.array([[0, 12], [40, 7]]), known)
    expected = [[to_rgb("#0072B2"), to_rgb("#5A3C3C")], [to_rgb("#0072B2"), (0, 0, 0)]]
    assert picture.tolist() == np.array(expected).tolist()
    assert class_color(0) == class_color(40) == "#0072B2"


def test_numbers_have_the_colors_of_a_scale_and_undefined_ones_are_black() -> None:
    values = np.array([[1.0, 2.0, 3.0], [0.0, 9.0, np.nan]])
    picture = scaled(values, ~np.isnan(values), 1.0, 3.0, ERRORS)
    of = matplotlib.colormaps["YlOrRd"]
    low, middle, high = of(0.0)[:3], of(0.5)[:3], of(1.0)[:3]
    assert picture.tolist() == np.array([[low, middle, high], [low, high, (0, 0, 0)]]).tolist()
    assert scaled(np.full((1, 1), 5.0), np.ones((1, 1), bool), 5.0, 5.0, ERRORS)[0, 0].tolist() == list(low)


def test_no_color_of_a_scale_looks_like_undefined_pixels() -> None:
    for scale in (VALUES, ERRORS):
        shown = [matplotlib.colors.to_hex(scale(value)) for value in np.linspace(0, 1, 64)]
        assert np.linalg.norm(lab(shown, "normal"), axis=1).min() > 30
