"""How well a network does its tasks. Draws nothing and changes nothing, so it can be called at any time."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from mtbench.contract import Backbone, Kind, Network, Split
from mtbench.store.record import TaskResult
from mtbench.train.prefetch import batches

__all__ = ["BATCH", "Evaluation", "batch_size", "evaluate", "measure"]

BATCH = 1000
"""Examples at a time, at most; fixed, so that results do not depend on the training batch."""
VALUES = 2**24
"""Numbers at a time, at most, in the inputs and the outputs of a batch (64 MB in float32). 1000 examples of digits or
vectors have fewer, of large images and maps more."""
MAP_VALUES = 2**27
"""Numbers at a time, at most, in the largest feature map of a backbone (512 MB in float32), of which a few are in
memory together. 1000 digits on LeNet have 10 million; of 224 x 224 images on VGG-11 41 fit."""


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Results of one pass over a split, and the predictions that its metrics were computed from.

    Attributes:
        results: by task name.
        predictions: by task name (N, ...) on the CPU, in the dtype that the kind states; empty unless asked for.
        not_stored: by name of each task whose predictions were asked for and are too large, the reason in a sentence.
    """

    results: Mapping[str, TaskResult]
    predictions: Mapping[str, Tensor]
    not_stored: Mapping[str, str]


def evaluate(network: Network, split: Split) -> Mapping[str, TaskResult]:
    """Return loss and metrics of every task over the defined targets of a split, by task name."""
    return measure(network, split).results


def measure(
    network: Network, split: Split, *, keep: bool = False, check_stop: Callable[[], None] = lambda: None
) -> Evaluation:
    """Evaluate a network in one pass over a split.

    Args:
        keep: whether predictions are wanted, of all examples, targets defined or not.
        check_stop: called before each batch, as in `mtbench.train.loop.fit`.
    """
    tasks = network.tasks
    losses, counts = [0.0] * len(tasks), [0] * len(tasks)
    tallies = [task.kind.tally() for task in tasks]
    parts: dict[str, list[Tensor]] = {task.name: [] for task in tasks} if keep else {}
    not_stored: dict[str, str] = {}
    for rows, outputs in _outputs(network, split, check_stop):
        for index, (task, output, target) in enumerate(zip(tasks, outputs, split.targets, strict=True)):
            predictions = task.kind.predict(output)
            if task.name in parts and (too_large := _too_large(task.kind, predictions, len(split))):
                del parts[task.name]
                not_stored[task.name] = f"the predictions of task '{task.name}' {too_large}."
            if task.name in parts:
                parts[task.name].append(predictions.cpu())
            defined = split.defined[rows, index].nonzero().squeeze(1)
            if not len(defined):
                continue
            target = target[rows[defined]]
            losses[index] += float(task.kind.losses(output[defined], target).double().sum())
            counts[index] += len(defined)
            tallies[index].add(predictions[defined], target)
    results = {
        task.name: TaskResult(loss=loss / count if count else math.nan, count=count, metrics=tally.score())
        for task, loss, count, tally in zip(tasks, losses, counts, tallies, strict=True)
    }
    return Evaluation(
        results=results,
        predictions={name: torch.cat(part) for name, part in parts.items()},
        not_stored=not_stored,
    )


def batch_size(network: Network, split: Split) -> int:
    """Return how many examples are evaluated at a time: `BATCH`, or fewer where they or their feature maps are large.

    It depends on no device and no free memory, so that results do not.
    """
    inputs = [split.inputs] if isinstance(split.inputs, Tensor) else list(split.inputs.values())
    per_example = sum(tensor[0].numel() for tensor in inputs)
    for task, target in zip(network.tasks, split.targets, strict=True):
        places = target.shape[-2:].numel() if task.kind.layout == "map" else 1
        per_example += task.kind.output_size * places
    backbones = [module for module in network.modules() if isinstance(module, Backbone)]
    maps = [math.prod(shape.pre) for backbone in backbones for shape in backbone.shapes]
    per_map = max(maps, default=1)
    views = 1 if split.members is None else split.members.shape[1]
    return max(1, min(BATCH, VALUES // (per_example * views), MAP_VALUES // (per_map * views)))


def _outputs(network: Network, split: Split, check_stop: Callable[[], None]) -> Iterator[tuple[Tensor, list[Tensor]]]:
    """Yield rows (B,) and every task's output (B, ...), (B, V, ...) if V > 1, batch by batch, in evaluation mode."""
    training = network.training
    network.eval()
    rows_of_split = torch.arange(len(split), device=split.defined.device)
    chunks = [(rows, None) for rows in torch.split(rows_of_split, batch_size(network, split))]
    for batch in batches(split, chunks):
        check_stop()
        with torch.no_grad():
            outputs = network.all_outputs(batch.inputs)
        if batch.inputs_per_example > 1:
            outputs = [output.view(-1, batch.inputs_per_example, *output.shape[1:]) for output in outputs]
        yield batch.rows, outputs
    network.train(training)


def _too_large(kind: Kind, predictions: Tensor, count: int) -> str:
    """Return why the predictions of `count` examples are not stored, given those of some; empty if they are."""
    size = predictions[0].numel() * predictions.element_size() * count
    if size <= kind.stored_up_to:
        return ""
    dtype = str(predictions.dtype).removeprefix("torch.")
    return f"take {_megabytes(size)} in {dtype}, and up to {_megabytes(kind.stored_up_to)} are stored"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.3g} MB"
