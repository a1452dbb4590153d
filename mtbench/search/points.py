"""Points that are known before any of them is tried: a grid, and a Sobol sequence, which fills the space evenly."""

import itertools
import math
from collections.abc import Sequence

import numpy as np

from mtbench.contract import Choices, derive
from mtbench.errors import UsageError
from mtbench.search.axes import Axis, Coordinate

__all__ = ["LEVELS", "Point", "default_point", "grid_point", "grid_size", "setting_count", "sobol_point"]

LEVELS = 5
"""The number of values of a range on a grid, including its ends; choices are all on it."""
LIMIT = 100_000
"""The largest number of points that a grid may have."""

Point = dict[str, float | str]
"""A value for each coordinate, by name."""


def default_point(axes: Sequence[Axis]) -> Point | None:
    """Return the default; None if any part of it lies outside of the space."""
    parts = [axis.default_point() for axis in axes]
    return None if any(part is None for part in parts) else {k: v for part in parts if part for k, v in part.items()}


def setting_count(axes: Sequence[Axis]) -> float:
    """Return the number of different settings to try, including the default; infinite if a range is searched."""
    return math.prod(map(_values, _coordinates(axes))) + (default_point(axes) is None)


def grid_size(axes: Sequence[Axis]) -> int:
    """Return the number of points of the grid without the default, which is always tried.

    Raises:
        UsageError: there are more points than can be tried.
    """
    return len(_grid(axes))


def grid_point(axes: Sequence[Axis], seed: int, number: int) -> Point:
    """Return the point of a trial, counted from 1, in a random order of the grid, so that any part is spread out."""
    points = _grid(axes)
    order = np.random.default_rng(derive(seed, "grid")).permutation(len(points))
    return points[int(order[number - 1])]


def sobol_point(axes: Sequence[Axis], seed: int, number: int) -> Point:
    """Return the point of a trial, counted from 1, of a Sobol sequence scrambled by the seed (Owen 1998).

    Choices are divided evenly.
    """
    from scipy.stats import qmc

    coordinates = _coordinates(axes)
    engine = qmc.Sobol(len(coordinates), scramble=True, seed=np.random.default_rng(derive(seed, "sobol")))
    if number > 1:
        engine.fast_forward(number - 1)
    fractions = engine.random(1)[0]
    return {
        coordinate.name: _at(coordinate, float(fraction))
        for coordinate, fraction in zip(coordinates, fractions, strict=True)
    }


def _grid(axes: Sequence[Axis]) -> list[Point]:
    coordinates = _coordinates(axes)
    levels = [_levels(coordinate) for coordinate in coordinates]
    if (count := math.prod(map(len, levels))) > LIMIT:
        raise UsageError(
            f"a grid over {', '.join(axis.name for axis in axes)} has {count:,} points.",
            mend="Search less, give choices in place of ranges, or use --sampler qmc.",
        )
    names = [coordinate.name for coordinate in coordinates]
    default = _asked(axes, default_point(axes))
    points = [dict(zip(names, values, strict=True)) for values in itertools.product(*levels)]
    return [point for point in points if _asked(axes, point) != default]


def _asked(axes: Sequence[Axis], point: Point | None) -> list[str] | None:
    return None if point is None else [axis.text(point) for axis in axes]


def _values(coordinate: Coordinate) -> float:
    space = coordinate.space
    if isinstance(space, Choices):
        return len(space.values)
    return round(space.high) - round(space.low) + 1 if coordinate.whole else math.inf


def _levels(coordinate: Coordinate) -> list[float | str]:
    space = coordinate.space
    if isinstance(space, Choices):
        return list(space.values)
    if coordinate.whole and space.high - space.low < LEVELS:
        return [float(value) for value in range(round(space.low), round(space.high) + 1)]
    return list(dict.fromkeys(_on_range(coordinate, step / (LEVELS - 1)) for step in range(LEVELS)))


def _at(coordinate: Coordinate, fraction: float) -> float | str:
    """Return the value at a fraction of the range, in [0, 1)."""
    if isinstance(coordinate.space, Choices):
        values = coordinate.space.values
        return values[min(int(fraction * len(values)), len(values) - 1)]
    return _on_range(coordinate, fraction)


def _on_range(coordinate: Coordinate, fraction: float) -> float:
    space = coordinate.space
    assert not isinstance(space, Choices)
    if fraction in (0, 1):
        return space.high if fraction else space.low
    low, high = (math.log(space.low), math.log(space.high)) if space.log else (space.low, space.high)
    value = low + fraction * (high - low)
    value = math.exp(value) if space.log else value
    return float(round(value)) if coordinate.whole else value


def _coordinates(axes: Sequence[Axis]) -> list[Coordinate]:
    return [coordinate for axis in axes for coordinate in axis.coordinates()]
