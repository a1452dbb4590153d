"""Outputs of a network for the examples of a split, with as little computation as the network needs.

Shapes: N examples, T tasks, V inputs per example, U inputs that are in any of some examples.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor

from mtbench.contract import Backbone, Batch, Network, Split, Task
from mtbench.contract.networks.normalization import batch_statistics
from mtbench.contract.promises import check_outputs
from mtbench.errors import PluginError
from mtbench.train.batches.ahead import placed
from mtbench.train.batches.prefetch import batches

__all__ = ["BATCH", "Answered", "ask", "batch_size", "largest_map", "one_by_one", "outputs", "parts_of"]

BATCH = 250
"""Largest number of examples at a time; fixed, so that results do not depend on the training batch.

1000 take as long and four times the memory, or twice as long if the heap returns memory after each batch
(`mtbench.engines.heap`).
"""
VALUES = 2**24
"""Largest number of values at a time in the inputs and the outputs of a batch (64 MB in float32).

250 examples of digits or vectors have fewer, of large images and maps more.
"""
MAP_VALUES = 2**27
"""Largest number of values at a time in the largest feature map of a backbone (512 MB in float32).

A few maps are in memory together. 250 digits on LeNet have 2.6 million; of 224 x 224 images on VGG-11 41 fit.
"""


@dataclass(frozen=True, kw_only=True)
class Answered:
    """Outputs for some examples.

    Attributes:
        rows: (B,) int64, the indices of the examples.
        used_rows: per task the places (n,) int64 in `rows` of the examples with a defined target.
        targets: per task (B, ...).
        outputs: per task, for the n examples with a defined target, (n, ...), or (n, V, ...) if V > 1; any tensor of
            length 0 if there are none.
    """

    rows: Tensor
    used_rows: tuple[Tensor, ...]
    targets: tuple[Tensor, ...]
    outputs: list[Tensor]


def outputs(
    network: Network, split: Split, *, norm_batch: int = 0, check_stop: Callable[[], None] = lambda: None
) -> Iterator[Answered]:
    """Yield the outputs of a network in evaluation mode for all examples with any defined target.

    If examples share inputs, as triplets do, each input is processed once for each task that has it in an example.

    Args:
        norm_batch: number of examples over which batch normalization takes statistics; 0 for its running statistics.
        check_stop: called before each batch.

    Raises:
        PluginError: a module of the network stays in training mode.
    """
    training = network.training
    network.eval()
    if trains := [name for name, module in network.named_modules() if module.training]:
        raise PluginError(
            f"module '{trains[0]}' of network '{type(network).__name__}' stays in training mode after `eval()`: its "
            "results would not be those of evaluation."
        )
    rows = split.defined.any(1).nonzero().squeeze(1)
    if _are_apart(split) or norm_batch:
        yield from _of_examples(network, split, rows, norm_batch, check_stop)
    else:
        for part in torch.split(rows, _kept_at_once(network.tasks, split)):
            yield from _of_shared_inputs(network, split, part, check_stop)
    network.train(training)


def parts_of(tasks: Sequence[Task], largest: int, split: Split, *, norm_batch: int = 0) -> Iterator[Tensor]:
    """Yield the rows (B,) int64 of the examples in each part of `outputs`, without a network.

    Args:
        tasks: the tasks of the network.
        largest: the `largest_map` of the network.
        norm_batch: see `outputs`.
    """
    rows = split.defined.any(1).nonzero().squeeze(1)
    if _are_apart(split) or norm_batch:
        yield from _cut(rows, norm_batch or _at_once(tasks, largest, split), norm_batch)
    else:
        for part in torch.split(rows, _kept_at_once(tasks, split)):
            yield from torch.split(part, BATCH)


def batch_size(network: Network, split: Split) -> int:
    """Return the number of examples at a time: `BATCH`, or fewer if they or their feature maps are large.

    It depends neither on the device nor on free memory, so that results do not.
    """
    return _at_once(network.tasks, largest_map(network), split)


def largest_map(network: Network) -> int:
    """Return the number of values of the largest feature map of the backbones in a network; 1 without any."""
    backbones = [module for module in network.modules() if isinstance(module, Backbone)]
    return max((backbone.largest_map for backbone in backbones), default=1)


def ask(network: Network, batch: Batch) -> list[Tensor]:
    """Return per task the outputs (n * V, ...) for the n examples with a defined target, without gradients."""
    with torch.no_grad():
        # All of them together if nothing is undefined: parts of a batch are rounded differently.
        every = min(batch.counts) == len(batch.rows)
        found = network.all_outputs(batch.inputs) if every else network.used_outputs(batch)
    check_outputs(found, network.tasks, network, ("all_outputs" if every else "used_outputs", "decode", "forward"))
    return found


def one_by_one(split: Split, rows: Tensor) -> tuple[Split, Tensor]:
    """Return a split whose U examples are the inputs of some examples, and the indices of the inputs of each (n, V).

    An input is defined for the tasks that have it in an example. Targets are zeros.

    Args:
        split: a split with `members`.
        rows: (n,) int64, indices of examples.
    """
    assert split.members is not None
    device = split.defined.device
    used, places = split.members[rows.to(split.members.device)].unique(return_inverse=True)  # type: ignore[no-untyped-call]
    places = places.to(device)
    needed = torch.zeros(len(used), len(split.targets), dtype=torch.bool, device=device)
    for index, defined in enumerate(split.defined[rows].T):
        needed[places[defined].flatten(), index] = True
    alone = Split(
        inputs=split.inputs,
        targets=tuple(target.new_zeros(()).expand(len(used), *target.shape[1:]) for target in split.targets),
        defined=needed,
        mean=split.mean,
        std=split.std,
        members=used[:, None],
        release=split.release,
    )
    return alone, places


def _of_examples(
    network: Network, split: Split, rows: Tensor, norm_batch: int, check_stop: Callable[[], None]
) -> Iterator[Answered]:
    parts = _cut(rows.cpu(), norm_batch or batch_size(network, split), norm_batch)
    chunks = placed([(part, None) for part in parts], split.defined.cpu(), rows.device)
    for batch in batches(split, chunks):
        check_stop()
        with batch_statistics(network) if norm_batch else nullcontext():
            found = ask(network, batch)
        if (inputs := batch.inputs_per_example) > 1:
            found = [output.view(-1, inputs, *output.shape[1:]) if len(output) else output for output in found]
        yield Answered(rows=batch.rows, used_rows=batch.used_rows, targets=batch.targets, outputs=found)


def _of_shared_inputs(
    network: Network, split: Split, rows: Tensor, check_stop: Callable[[], None]
) -> Iterator[Answered]:
    """Yield the outputs for some examples; those of all their inputs are in memory together."""
    alone, places = one_by_one(split, rows)
    parts: list[list[Tensor]] = [[] for _ in split.targets]
    for answered in _of_examples(network, alone, torch.arange(len(alone), device=rows.device), 0, check_stop):
        for part, output in zip(parts, answered.outputs, strict=True):
            if len(output):
                part.append(output)
    of_inputs = [torch.cat(part) if part else torch.empty(0, device=rows.device) for part in parts]
    positions = alone.defined.cumsum(0) - 1  # in those of a task, of an input that it has
    for some in torch.split(torch.arange(len(rows), device=rows.device), BATCH):
        used_rows = tuple(defined.nonzero().squeeze(1) for defined in split.defined[rows[some]].T)
        yield Answered(
            rows=rows[some],
            used_rows=used_rows,
            targets=tuple(target[rows[some]] for target in split.targets),
            outputs=[
                output[positions[places[some[used]], index]]
                for index, (output, used) in enumerate(zip(of_inputs, used_rows, strict=True))
            ],
        )


def _are_apart(split: Split) -> bool:
    """Return True if no two examples share an input."""
    return split.members is None or split.members.shape[1] == 1


def _at_once(tasks: Sequence[Task], largest: int, split: Split) -> int:
    """Return the `batch_size` of a network for these tasks, of whose maps the largest has that many values."""
    inputs = [split.inputs] if isinstance(split.inputs, Tensor) else list(split.inputs.values())
    per_example = sum(tensor[0].numel() for tensor in inputs)
    for task, target in zip(tasks, split.targets, strict=True):
        places = target.shape[-2:].numel() if task.kind.layout == "map" else 1
        per_example += task.kind.output_size * places
    views = 1 if split.members is None else split.members.shape[1]
    return max(1, min(BATCH, VALUES // (per_example * views), MAP_VALUES // (max(1, largest) * views)))


def _cut(rows: Tensor, size: int, norm_batch: int) -> list[Tensor]:
    parts = list(torch.split(rows, size))
    if norm_batch and len(parts) > 1 and len(parts[-1]) == 1:  # one example may have no variance
        parts[-2:] = [torch.cat(parts[-2:])]
    return parts


def _kept_at_once(tasks: Sequence[Task], split: Split) -> int:
    """Return the number of examples whose inputs have outputs with at most `MAP_VALUES` numbers."""
    assert split.members is not None
    sizes = torch.tensor([task.kind.output_size for task in tasks])
    per_input = int((split.defined.cpu() * sizes).sum(1).max())
    return max(1, MAP_VALUES // (per_input * split.members.shape[1]))
