"""Count what one training step launches on a GPU, by a step on this CPU; and the seconds that it then takes there.

Nothing is timed. Each operation of torch's ATen library that computes something counts as one kernel: those of forward
and backward pass, balancer and optimizer. Views launch none, and neither do allocations. Some operations launch several
kernels (the backward pass of a convolution up to three). On a GPU a few are missing that the CPU has, where each step
finds by itself the labels that it uses.
"""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from mtbench.contract import Split, TrainingProtocol
from mtbench.door.given import data_root
from mtbench.errors import MtbenchError
from mtbench.plan.chosen import load_dataset
from mtbench.plan.spec import Choice, RunSpec
from mtbench.train.assemble import assemble
from mtbench.train.cost.pace import pace

__all__ = ["LAUNCH", "RATE", "Counter", "Step", "step_of"]

LAUNCH = (5e-6, 10e-6)
"""Seconds per kernel: the lowest and the highest that eager PyTorch is assumed to need to launch one."""
RATE = (10e12, 1e12)
"""Floating-point operations per second that a GPU is assumed to sustain in float32: the highest and the lowest."""
BATCH = 32
"""The largest number of examples of a counted step: kernels do not depend on it, arithmetic is proportional to it."""
STEPS = 3
"""Batches of an epoch: the first step makes the state of the optimizer, the second is counted, the third not begun."""
EPOCHS = 1_000_000
"""A number of epochs whose last one, after which splits are evaluated, is never reached."""
KEPT = ("optimizer", "tasks_per_image", "precision", "adds")
"""Settings of the training protocol that a counted step has; of the others, few of which add kernels, the defaults."""
SMALL = {"train": STEPS * BATCH, "val": 30, "test": 30, "triplets": BATCH, "test_triplets": 8, "images": 100}
"""Options of drawn datasets that set their size, and the most that a small version has."""
ALLOCATIONS = {"empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided"}


@dataclass(frozen=True, kw_only=True)
class Step:
    """One training step.

    Attributes:
        kernels: number of operations that launch a kernel.
        flops: floating-point operations of convolutions and matrix products per example, in both passes.
        solves: True if a balancer solves a problem with NumPy, on the CPU for a GPU too.
    """

    kernels: int
    flops: float
    solves: bool

    def seconds(self, batch: int) -> tuple[float, float]:
        """Return the least and the most seconds that a step takes on a GPU, without NumPy's.

        The host launches kernels while the GPU computes, so that the slower of both counts.

        Args:
            batch: examples per step.
        """
        low, high = (
            max(self.kernels * launch, self.flops * batch / rate) for launch, rate in zip(LAUNCH, RATE, strict=True)
        )
        return low, high


class Counter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """A block whose operations are counted as `kernels`, unless they are views or only allocate memory.

    `flops` are the floating-point operations of those that torch's flop counter knows: convolutions and matrix
    products.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kernels = self.flops = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        is_view = any(each.alias_info and not each.alias_info.is_write for each in func._schema.returns)
        self.kernels += not is_view and func.overloadpacket.__name__ not in ALLOCATIONS
        found = func(*args, **kwargs or {})
        if count := flop_registry.get(func.overloadpacket):
            self.flops += count(*args, **kwargs or {}, out_val=found)
        return found


class Exits(TorchFunctionMode):
    """A block whose tensors that are handed to NumPy are counted as `exits`."""

    def __init__(self) -> None:
        super().__init__()
        self.exits = 0

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        self.exits += func is torch.Tensor.numpy
        return func(*args, **kwargs or {})


def step_of(spec: RunSpec, folder: Path) -> Step | None:
    """Return the counted step of a kind of run; None if its data cannot be had here.

    Args:
        spec: a run of the kind.
        folder: the folder that small versions of drawn datasets are drawn into; of others the data must be here.

    Raises:
        MtbenchError: the run cannot be built or trained.
    """
    kept = {name: getattr(spec.protocol, name) for name in KEPT}
    protocol = TrainingProtocol(epochs=EPOCHS, batch=min(spec.protocol.batch, BATCH), **kept)
    return _counted(dataclasses.replace(spec, seed=0, trial=False, protocol=protocol).to_json(), folder)


@cache
def _counted(text: str, folder: Path) -> Step | None:
    spec = RunSpec.from_json(text)
    protocol = spec.protocol
    if (splits := _splits(spec.dataset, STEPS * protocol.batch, folder)) is None:
        return None
    run = assemble(spec, root=folder, device=torch.device("cpu"), data=splits)
    counter, exits = Counter(), Exits()

    def begin() -> None:
        counter.kernels = counter.flops = exits.exits = 0

    with exits, counter:
        pace(run, protocol, seconds=0, warm=1, begin=begin)
    return Step(
        kernels=counter.kernels,
        flops=counter.flops / protocol.batch,
        solves=exits.exits > 0,
    )


@cache
def _splits(dataset: Choice, examples: int, folder: Path) -> Mapping[str, Split] | None:
    """Return a few examples of each split of a dataset; None if they cannot be had."""
    options = load_dataset(dataset).dataset_class.Options
    drawn = {field.name for field in dataclasses.fields(options)} & SMALL.keys()
    sizes = {name: str(min(SMALL[name], examples)) for name in drawn}
    small = dataclasses.replace(dataset, options={**dataset.options, **sizes})
    try:
        found = load_dataset(small).open(folder if drawn else data_root(None))
        if drawn:
            found.prepare(lambda _: None)
        splits = {name: found.load(name, validation=False) for name in ("train", "test")}
    except MtbenchError:
        return None
    return splits if drawn else {name: split.first(examples) for name, split in splits.items()}
