"""How far a dataset's points can be guessed without looking at an image, in words."""

from collections.abc import Iterator
from dataclasses import replace
from statistics import mean, median
from typing import TYPE_CHECKING

from mtbench.contract import Split
from mtbench.train.pointing import best_constant, places_of

if TYPE_CHECKING:
    from mtbench.contract import Dataset

__all__ = ["EASY", "constant_points"]

EASY = 30
"""Percentage of a task's points near a constant one, beyond which it says little that a network points to them."""
MANY_TASKS = 12
"""How many tasks are listed at most."""


def constant_points(dataset: "Dataset") -> Iterator[str]:
    """Return lines on the points of a dataset that is prepared; none where it has no points in images.

    Per task how many test examples have a point, and how many of these points lie within 10 % of the image's side of
    the constant point that is best in training (`mtbench.train.pointing.best_constant`); of many tasks the range and
    the median. A warning names the tasks of which more than `EASY` % do.

    Raises:
        DataError: as `Dataset.load`.
    """
    if not dataset.points or len(dataset.input_shape) != 3:
        return
    size = (dataset.input_shape[1], dataset.input_shape[2])
    train, test = (dataset.load(name, validation=False) for name in ("train", "test"))
    there, near = {}, {}
    for index, task in enumerate(dataset.tasks):
        seen, known = (places_of(_of_task(split, index), size)[:, 0] for split in (train, test))  # (N, 2)
        there[task.name] = 100 * float(known.isfinite().all(1).double().mean())
        best = best_constant(seen, known)
        if best is not None:
            near[task.name] = 100 * best.nearness.within_10
    yield f"examples with a point, in % of {len(test):,} test examples: {_listed(there)}"
    if near:
        yield f"best constant point, in % of these within 10 % of the image's side: {_listed(near)}"
    easy = [name for name, value in near.items() if value > EASY]
    if easy:
        which = ", ".join(easy) if len(easy) <= MANY_TASKS else f"{len(easy):,} tasks"
        yield (
            f"warning: the constant point is that near to more than {EASY} % of the points of {which}: that a network "
            "points to these says little, the images are too much alike"
        )


def _of_task(split: Split, index: int) -> Split:
    """A split with the points of one task alone: of 1,645 tasks all places together take gigabytes."""
    assert split.points is not None
    return replace(split, points=split.points[:, index, None], defined=split.defined[:, index, None])


def _listed(values: dict[str, float]) -> str:
    if len(values) > MANY_TASKS:
        low, middle, high = min(values.values()), median(values.values()), max(values.values())
        return f"{low:.1f} to {high:.1f} (median {middle:.1f})"
    return ", ".join([*(f"{name} {value:.1f}" for name, value in values.items()), f"mean {mean(values.values()):.1f}"])
