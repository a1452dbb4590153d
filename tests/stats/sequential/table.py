"""The table of error rates and powers in ``docs/seeds.md``: ``make looks`` prints it, in some minutes."""

from collections.abc import Iterator

import numpy as np

from mtbench.stats.power import two_sided_power
from tests.stats.sequential.simulated import LOOKS, judged, normal, resampled

GRIDS = 4000


def main() -> None:
    for name, value in _rows(np.random.default_rng(2026)):
        print(f"{name:60} {value}", flush=True)  # noqa: T201


def _rows(rng: np.random.Generator) -> Iterator[tuple[str, str]]:
    for draw in (normal, resampled):
        for claims in (1, 4):
            grids = judged(draw(rng, (GRIDS, claims, LOOKS[-1])))
            yield f"false positives, {draw.__name__}, {claims} claims", _rate([grid.positive for grid in grids])
    values = normal(rng, (GRIDS, 4, LOOKS[-1]))
    values[:, :2] += 1.5
    words = [[step.word for course in grid.courses[2:] for step in course.steps] for grid in judged(values)]
    yield "false positives beside two true claims of four", _rate([set(each) > {"undecided"} for each in words])
    at_margin = judged(normal(rng, (GRIDS, 1, LOOKS[-1])) + 1.0, margin=1.0, direction="equivalent")
    called = [[step.word for step in grid.courses[0].steps] for grid in at_margin]
    yield "equivalence at the margin", _rate(["equivalent" in each for each in called])
    for effect in (0.3, 0.5, 0.75, 1.0, 1.5, 2.0):
        outcomes = list(judged(normal(rng, (GRIDS // 2, 1, LOOKS[-1])) + effect))
        seeds = float(np.mean([grid.seeds for grid in outcomes]))
        above = _rate([bool(grid.courses[0].estimate > effect) for grid in outcomes])
        few = int(seeds)
        powers = [two_sided_power(effect * n**0.5, n - 1) for n in (few, few + 1)]
        fixed = powers[0] + (seeds - few) * (powers[1] - powers[0])
        found = _rate([grid.positive for grid in outcomes])
        yield f"difference {effect:g}: power", f"{found}, mean n {seeds:.1f}, that n fixed {fixed:.3f}"
        yield f"difference {effect:g}: estimates above it", above


def _rate(hits: list[bool]) -> str:
    rate = float(np.mean(hits))
    return f"{rate:.4f} (standard error {(rate * (1 - rate) / len(hits)) ** 0.5:.4f})"


if __name__ == "__main__":
    main()
