"""Networks and backbones made outside of a run, of tasks that need no dataset.

Their convolutions are those of runs: with others some widths of ResNet damage the memory of the process.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from mtbench.contract import Backbone, Classification, Kind, Network, Setup, Task
from mtbench.plan.chosen import BackboneChoice
from mtbench.plan.parse import parse_backbone, parse_method
from mtbench.train.network.pointwise import convert_pointwise

__all__ = ["Tasks", "backbone_of", "network_in", "network_of", "setup_of"]

Tasks = int | Sequence[int] | Mapping[str, Kind] | Sequence[Task]
"""A number of tasks with ten classes each, the number of classes of each task, the kinds of tasks by name, or tasks."""
Shape = tuple[int, ...]
N = TypeVar("N", bound=Network)
DIGITS = (1, 28, 28)


def _tasks(given: Tasks) -> tuple[Task, ...]:
    if isinstance(given, Mapping):
        return tuple(Task(name=name, kind=kind) for name, kind in given.items())
    each: Sequence[int | Task] = [10] * given if isinstance(given, int) else given
    return tuple(
        one if isinstance(one, Task) else Task(name=str(index), kind=Classification(classes=one))
        for index, one in enumerate(each)
    )


def backbone_of(text: str, shape: Shape = DIGITS) -> Backbone:
    """Return a backbone for inputs of a shape, drawn from torch's global generator."""
    chosen = parse_backbone(text)
    backbone: Backbone = chosen.backbone_class(chosen.options, shape)  # type: ignore[call-arg]
    convert_pointwise(backbone)
    return backbone


def setup_of(
    tasks: Tasks, backbone: str | BackboneChoice = "lenet", shape: Shape = DIGITS, seed: int = 0, **more: Any
) -> Setup:
    """Return the setup of a network; `more` are further fields of it."""
    chosen = parse_backbone(backbone) if isinstance(backbone, str) else backbone
    return Setup(
        tasks=_tasks(tasks),
        backbone_class=chosen.backbone_class,
        backbone_options=chosen.options,
        input_shape=shape,
        seed=seed,
        **more,
    )


def network_in(setup: Setup, kind: type[N], method: str) -> N:
    """Return the network of a method, which must be of the kind that is given."""
    chosen = parse_method(method)
    network = chosen.network_class(chosen.network_options, setup)
    assert isinstance(network, kind)
    convert_pointwise(network)
    return network


def network_of(
    kind: type[N],
    method: str,
    backbone: str = "lenet",
    tasks: Tasks = 3,
    seed: int = 0,
    shape: Shape = DIGITS,
    **more: Any,
) -> N:
    """Return the network of a method on the backbone that it names or prefers, else on the one that is given."""
    return network_in(setup_of(tasks, parse_method(method).on(backbone), shape, seed, **more), kind, method)
