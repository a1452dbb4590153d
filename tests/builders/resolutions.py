"""Task weights that a row of a suite takes from the runs of another row."""

from mtbench.plan.suite.stages.resolution import Resolution

__all__ = ["TAKEN"]

TAKEN = Resolution(
    suite="mine",
    size="quick, epochs=2",
    dataset="mmnist2",
    variation=(("lr", "0.001"),),
    method="branches+fixed:from=nash-mtl",
    first="branches+nash-mtl",
    tasks=("LU", "RL"),
    weights=(0.25, 0.75),
    seeds=(0, 1),
    runs=("a1", "b2"),
)
