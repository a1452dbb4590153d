"""How well a network does its tasks. Draws nothing and changes nothing, so it can be called at any time.

A network is asked for the pairs of an example and a task whose target is defined, and for no others.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from mtbench.contract import Backbone, Batch, Kind, Network, Split
from mtbench.contract.normalization import batch_statistics
from mtbench.store.record import TaskResult
from mtbench.train.prefetch import batches

__all__ = ["BATCH", "Evaluation", "ask", "batch_size", "evaluate", "measure"]

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
        predictions: by task name (N, ...) on the CPU, in the dtype that the kind states; empty unless asked for. Where
            a target is undefined nothing was predicted: NaN, or the largest value of an integer dtype.
        not_stored: by name of each task whose predictions were asked for and are too large, or of which no target is
            defined, the reason in a sentence.
    """

    results: Mapping[str, TaskResult]
    predictions: Mapping[str, Tensor]
    not_stored: Mapping[str, str]


def evaluate(network: Network, split: Split) -> Mapping[str, TaskResult]:
    """Return loss and metrics of every task over the defined targets of a split, by task name."""
    return measure(network, split).results


def measure(
    network: Network,
    split: Split,
    *,
    keep: bool = False,
    norm_batch: int = 0,
    check_stop: Callable[[], None] = lambda: None,
) -> Evaluation:
    """Evaluate a network in one pass over a split.

    Args:
        keep: whether predictions are wanted.
        norm_batch: examples at a time, whose statistics batch normalization takes; 0 for its running statistics.
        check_stop: called before each batch, as in `mtbench.train.loop.fit`.
    """
    tasks = network.tasks
    losses, counts = [0.0] * len(tasks), [0] * len(tasks)
    tallies = [task.kind.tally() for task in tasks]
    kept: dict[str, NDArray[Any]] = {}
    not_stored = {task.name: f"no example has a label of task '{task.name}'." for task in tasks if keep}
    for batch, outputs in _outputs(network, split, norm_batch, check_stop):
        labels = zip(batch.use, batch.targets, strict=True)
        for index, (task, output, (use, target)) in enumerate(zip(tasks, outputs, labels, strict=True)):
            used = use.nonzero().squeeze(1)
            if not len(used):
                continue
            predictions, target = task.kind.predict(output), target[used]
            stored = task.kind.stored(predictions) if keep else predictions
            if keep and not counts[index]:
                if too_large := _too_large(task.kind, stored, len(split)):
                    not_stored[task.name] = f"the predictions of task '{task.name}' {too_large}."
                else:
                    del not_stored[task.name]
                    kept[task.name] = _nothing_predicted(stored, len(split))
            if task.name in kept:
                kept[task.name][batch.rows[used].cpu().numpy()] = stored.cpu().numpy()
            losses[index] += float(task.kind.losses(output, target).double().sum())
            counts[index] += len(used)
            tallies[index].add(predictions, target)
    results = {
        task.name: TaskResult(loss=loss / count if count else math.nan, count=count, metrics=tally.score())
        for task, loss, count, tally in zip(tasks, losses, counts, tallies, strict=True)
    }
    return Evaluation(
        results=results,
        predictions={name: torch.from_numpy(values) for name, values in kept.items()},
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
    per_map = max([1, *(backbone.largest_map for backbone in backbones)])
    views = 1 if split.members is None else split.members.shape[1]
    return max(1, min(BATCH, VALUES // (per_example * views), MAP_VALUES // (per_map * views)))


def _outputs(
    network: Network, split: Split, norm_batch: int, check_stop: Callable[[], None]
) -> Iterator[tuple[Batch, list[Tensor]]]:
    """Yield batches, and per task the output for the examples with a defined target, in evaluation mode.

    An output is (n, ...), (n, V, ...) if V > 1, or anything of length 0. Examples without any target are left out.
    """
    training = network.training
    network.eval()
    rows_of_split = split.defined.any(1).nonzero().squeeze(1)
    parts = list(torch.split(rows_of_split, norm_batch or batch_size(network, split)))
    if norm_batch and len(parts) > 1 and len(parts[-1]) == 1:  # one example may have no variance
        parts[-2:] = [torch.cat(parts[-2:])]
    for batch in batches(split, [(rows, None) for rows in parts]):
        check_stop()
        with batch_statistics(network) if norm_batch else nullcontext():
            outputs = ask(network, batch)
        if (inputs := batch.inputs_per_example) > 1:
            outputs = [output.view(-1, inputs, *output.shape[1:]) if len(output) else output for output in outputs]
        yield batch, outputs
    network.train(training)


def ask(network: Network, batch: Batch) -> list[Tensor]:
    """Return per task the outputs (n * V, ...) for the n examples with a defined target, without gradients."""
    with torch.no_grad():
        # All of them at once where nothing is undefined: parts of a batch are rounded otherwise.
        return network.all_outputs(batch.inputs) if batch.use.all() else network.used_outputs(batch)


def _nothing_predicted(some: Tensor, count: int) -> NDArray[Any]:
    """Return an array (count, ...) of what stands for no prediction, given those of some examples."""
    dtype, shape = some.dtype, (count, *some.shape[1:])
    return torch.full(shape, math.nan if dtype.is_floating_point else torch.iinfo(dtype).max, dtype=dtype).numpy()


def _too_large(kind: Kind, predictions: Tensor, count: int) -> str:
    """Return why the predictions of `count` examples are not stored, given those of some; empty if they are."""
    size = predictions[0].numel() * predictions.element_size() * count
    if size <= kind.stored_up_to:
        return ""
    dtype = str(predictions.dtype).removeprefix("torch.")
    return f"take {_megabytes(size)} in {dtype}, and up to {_megabytes(kind.stored_up_to)} are stored"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.3g} MB"
