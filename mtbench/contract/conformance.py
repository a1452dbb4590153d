"""Facts about a plug-in that only `mtbench check` reads."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from mtbench.contract.options import Value
from mtbench.contract.tasks.task import Task

__all__ = ["Conformance"]


def _nothing(tasks: Sequence[Task]) -> Mapping[str, str]:  # noqa: ARG001
    return {}


@dataclass(frozen=True, kw_only=True)
class Conformance:
    """Facts about a plug-in that only `mtbench check` reads. They change no number: changing them makes no run stale.

    It is the class attribute `conformance` of networks, balancers and backbones::

        conformance = Conformance(learns_within=600)

    Attributes:
        learns_within: number of steps in which 64 images of 2 tasks are learned. The largest of the numbers that the
            network, the balancer and the backbone of a method declare is used.
        learns_to: the accuracy in %, mean over tasks, that is reached then; less than 95 only where the nature of a
            balancer or a network allows no more. The smallest of the declared numbers is used.
        same_as: names of balancers that train exactly as this one.
        grows: names of a network's parts that grow with the number of tasks although the tasks share them.
        works_on: names of the backbones that a network works on; empty for all, or for all with stages if it needs
            those.
        tiny: options that make a backbone as small as possible.
        example: a function from the tasks to options to test a balancer with, as on the command line, if its defaults
            do not work.

    Raises:
        ValueError: there is nothing to learn in `learns_within` steps, or `learns_to` is no accuracy.
    """

    learns_within: int = 300
    learns_to: float = 95.0
    same_as: frozenset[str] = frozenset()
    grows: frozenset[str] = frozenset()
    works_on: tuple[str, ...] = ()
    tiny: Mapping[str, Value] = field(default_factory=dict)
    example: Callable[[Sequence[Task]], Mapping[str, str]] = _nothing

    def __post_init__(self) -> None:
        if self.learns_within < 1:
            raise ValueError(f"learns_within is {self.learns_within}; it is a number of steps, at least 1")
        if not 0 < self.learns_to <= 100:
            raise ValueError(f"learns_to is {self.learns_to:g}; it is an accuracy in %, above 0")
