"""Errors of rank intervals in tables whose true means are known: ``make ranks`` prints them all, in ten minutes.

Of each case: the fraction of tables in which any pair is falsely called different (or different in the wrong
direction), that in which every interval has all ranks that its method truly has, and the mean width of the intervals as
a fraction of the widest.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtbench.stats.ranks.intervals import rank_intervals

__all__ = ["CASES", "Case", "Rates", "rates"]

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A kind of table.

    Attributes:
        means: a function from M to the true means (M,), in standard deviations of one run.
        noise: a function from (M, S) and a generator to the values without their means.
        blocks: True if values of one seed are compared with each other.
    """

    means: Callable[[int], Array]
    noise: Callable[[tuple[int, int], np.random.Generator], Array]
    blocks: bool = True


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Rates over tables, see the top of this module."""

    error: float
    coverage: float
    width: float


def rates(case: Case, methods: int, seeds: int, *, tables: int, baselines: tuple[int, ...] | None = None) -> Rates:
    """Return the rates of a case over tables that a fixed generator draws."""
    chance, means = np.random.default_rng(20), case.means(methods)
    above, below = (means[:, None] > means).sum(axis=0), (means[:, None] < means).sum(axis=0)
    false, covered, width = 0, 0, 0.0
    for _ in range(tables):
        values = means[:, None] + case.noise((methods, seeds), chance)
        found = rank_intervals(values, higher_is_better=True, blocks=case.blocks, baselines=baselines)
        false += bool((found.differences.better & ~(means[:, None] > means)).any())
        ends = np.array([each for each in found.intervals if each])
        covered += bool(((ends[:, 0] <= 1 + above) & (ends[:, 1] >= methods - below)).all())
        width += float((ends[:, 1] - ends[:, 0]).mean()) / (methods - 1)
    return Rates(error=false / tables, coverage=covered / tables, width=width / tables)


def _equal(methods: int) -> Array:
    return np.zeros(methods)


def _ladder(methods: int) -> Array:
    return np.arange(methods, dtype=np.float64) / 4


def _tied(methods: int) -> Array:
    return np.repeat([0.0, 3.0, 6.0, 9.0], methods // 4)


def _normal(shape: tuple[int, int], chance: np.random.Generator) -> Array:
    return chance.standard_normal(shape)


def _scaled(deviations: Callable[[int], Array]) -> Callable[[tuple[int, int], np.random.Generator], Array]:
    return lambda shape, chance: deviations(shape[0])[:, None] * chance.standard_normal(shape)


def _halves(methods: int) -> Array:
    return np.repeat([1.0, 4.0], methods // 2)


def _quarter(methods: int) -> Array:
    return np.repeat([4.0, 1.0, 1.0, 1.0], methods // 4)


def _last(deviation: float) -> Callable[[int], Array]:
    return lambda methods: np.append(np.ones(methods - 1), deviation)


def _seeds(shape: tuple[int, int], chance: np.random.Generator) -> Array:
    """Runs of one seed have the correlation .9."""
    return chance.standard_normal(shape) + 3 * chance.standard_normal(shape[1])


def _families(shape: tuple[int, int], chance: np.random.Generator) -> Array:
    """Runs of one seed have the correlation .7 within two halves of the methods, and 0 between them."""
    families = np.repeat(chance.standard_normal((2, shape[1])), shape[0] // 2, axis=0)
    values: Array = chance.standard_normal(shape) + (7 / 3) ** 0.5 * families
    return values


def _negative(shape: tuple[int, int], chance: np.random.Generator) -> Array:
    """Seeds that are good for one half of the methods are bad for the other: the correlation between them is -.7."""
    signs = np.repeat([1.0, -1.0], shape[0] // 2)
    values: Array = (7 / 3) ** 0.5 * signs[:, None] * chance.standard_normal(shape[1])
    return values + chance.standard_normal(shape)


def _heavy(shape: tuple[int, int], chance: np.random.Generator) -> Array:
    return chance.standard_t(4, shape)


def _holes(shape: tuple[int, int], chance: np.random.Generator) -> Array:
    """A third of the methods lack a fifth of the seeds, and have four times the standard deviation."""
    values = chance.standard_normal(shape) + 3 * chance.standard_normal(shape[1])
    third = shape[0] // 3
    values[:third] += 15**0.5 * chance.standard_normal((third, shape[1]))
    for row in values[:third] if shape[1] > 3 else ():
        row[chance.permutation(shape[1])[: shape[1] // 5]] = np.nan
    return values


CASES = {
    "all equal": Case(means=_equal, noise=_normal),
    "four groups of ties": Case(means=_tied, noise=_normal),
    "a quarter of a standard deviation apart": Case(means=_ladder, noise=_normal),
    "seeds correlate .9": Case(means=_equal, noise=_seeds),
    "half the methods 1:4": Case(means=_equal, noise=_scaled(_halves)),
    "a quarter of the methods 1:4": Case(means=_equal, noise=_scaled(_quarter)),
    "groups of ties, 1:4 within each": Case(
        means=_tied, noise=_scaled(lambda methods: np.tile([1.0, 4.0], methods // 2))
    ),
    "one method 1:4": Case(means=_equal, noise=_scaled(_last(4.0))),
    "one method 4:1": Case(means=_equal, noise=_scaled(_last(0.25))),
    "one method 1:16": Case(means=_equal, noise=_scaled(_last(16.0))),
    "from 1 to 4": Case(means=_equal, noise=_scaled(lambda methods: np.geomspace(1, 4, methods))),
    "two families, r .7": Case(means=_equal, noise=_families),
    "two families, r -.7": Case(means=_equal, noise=_negative),
    "t with 4 degrees of freedom": Case(means=_equal, noise=_heavy),
    "1:4 with missing runs": Case(means=_equal, noise=_holes),
    "unpaired, all equal": Case(means=_equal, noise=_normal, blocks=False),
    "unpaired, half 1:4": Case(means=_equal, noise=_scaled(_halves), blocks=False),
    "unpaired, one 1:4": Case(means=_equal, noise=_scaled(_last(4.0)), blocks=False),
}


def main() -> None:
    """Print the rates of all cases; the first argument is the number of tables of each."""
    tables = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    head = [f"{methods} x {seeds}" for methods in (12, 40) for seeds in (3, 5, 10)]
    print(f"error / coverage / width of {tables} tables (methods x seeds)")  # noqa: T201
    print(f"{'':40}" + "".join(f"{each:>18}" for each in head))  # noqa: T201
    for name, case in CASES.items():
        print(f"{name:40}", end="", flush=True)  # noqa: T201
        for methods in (12, 40):
            for seeds in (3, 5, 10):
                found = rates(case, methods, seeds, tables=tables)
                print(f"  {found.error:.3f} {found.coverage:.3f} {found.width:.2f}", end="", flush=True)  # noqa: T201
        print()  # noqa: T201


if __name__ == "__main__":
    main()
