"""Steps of training that are timed by a clock of the test."""

from pathlib import Path

from mtbench.train.assemble import assemble
from mtbench.train.cost.pace import pace
from tests.train.runs import CPU, spec_of


class Clock:
    """A clock that goes on by a second whenever it is read."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        self.seconds += 1
        return self.seconds


def test_steps_are_timed_from_the_beginning_until_the_seconds_are_over() -> None:
    spec, clock, begun = spec_of("td", "toy-all", epochs="100"), Clock(), list[float]()
    run = assemble(spec, root=Path(), device=CPU)
    found = pace(run, spec.protocol, seconds=5, begin=lambda: begun.append(clock.seconds), clock=clock)
    assert begun == [0]  # nothing is read while it warms up
    assert (found.steps, found.seconds) == (5, 6)  # the clock is read before each step but the first, and at the end


def test_as_many_steps_are_timed_as_are_asked_for_however_long_they_take() -> None:
    spec = spec_of("moo", "toy-all", epochs="100")
    run = assemble(spec, root=Path(), device=CPU)
    assert pace(run, spec.protocol, seconds=0, at_least=7, clock=Clock()).steps == 7
