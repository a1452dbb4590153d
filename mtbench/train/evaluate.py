"""Evaluation of a network on its tasks. It draws and changes nothing, so it can be called at any time.

A network is asked only for pairs of an example and a task whose target is defined.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from mtbench.contract import Batches, Kind, Network, Split, Task
from mtbench.contract.promises import check_output, check_predictions, example_losses
from mtbench.errors import PluginError
from mtbench.store.record import BatchMeans, TaskResult
from mtbench.train.network.buffers import unchanged_buffers
from mtbench.train.outputs import outputs
from mtbench.train.scores import Scores

__all__ = ["Evaluation", "evaluate", "measure"]

ANSWERING = ("used_outputs", "all_outputs", "decode", "forward")
"""Methods that compute a network's outputs in evaluation."""


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Results of one pass over a split, and the predictions that its metrics were computed from.

    Attributes:
        results: results by task name.
        predictions: predictions (N, ...) by task name on the CPU, in the dtype of the kind; empty unless requested.
            Entries of undefined targets are NaN, or the largest value of an integer dtype.
        not_stored: the reason in a sentence for each task whose requested predictions are too large, or that has no
            defined target, by name.
        batch_means: means of the metrics over batches, of each requested kind.
    """

    results: Mapping[str, TaskResult]
    predictions: Mapping[str, Tensor]
    not_stored: Mapping[str, str]
    batch_means: tuple[BatchMeans, ...] = ()


def evaluate(network: Network, split: Split) -> Mapping[str, TaskResult]:
    """Return loss and metrics of every task over the defined targets of a split, by task name."""
    return measure(network, split).results


def measure(
    network: Network,
    split: Split,
    *,
    keep: bool = False,
    batches: Sequence[Batches] = (),
    norm_batch: int = 0,
    check_stop: Callable[[], None] = lambda: None,
) -> Evaluation:
    """Evaluate a network in one pass over a split.

    Args:
        keep: True if predictions are wanted.
        batches: kinds of batches whose means are wanted; they do not affect the number of examples evaluated at a time.
        norm_batch: number of examples over which batch normalization takes statistics; 0 for its running statistics.
        check_stop: called before each batch, as in `mtbench.train.loop.fit`.

    Raises:
        PluginError: the network changes a buffer, is not in evaluation mode, or returns more or fewer outputs than
            requested; or not every label was counted once.
    """
    tasks = network.tasks
    losses = torch.zeros(len(tasks), dtype=torch.float64, device=split.defined.device)
    views = 1 if split.members is None else split.members.shape[1]
    scores = Scores(tasks, len(split), batches)
    kept: dict[str, NDArray[Any]] = {}
    not_stored = {task.name: f"no example has a label of task '{task.name}'." for task in tasks if keep}
    visited = [torch.zeros(0, dtype=torch.int64, device=split.defined.device)]
    with unchanged_buffers(network):
        for some in outputs(network, split, norm_batch=norm_batch, check_stop=check_stop):
            visited.append(some.rows)
            labels = zip(some.used_rows, some.targets, strict=True)
            for index, (task, output, (used, target)) in enumerate(zip(tasks, some.outputs, labels, strict=True)):
                if not len(used):
                    continue
                target = target[used]
                flat = output.flatten(0, 1) if views > 1 else output
                check_output(flat, target, len(used), views, task, network, ANSWERING)
                predictions = task.kind.predict(output)
                check_predictions(predictions, output, task)
                stored = task.kind.stored(predictions) if keep else predictions
                if keep and not scores.counts[index]:
                    if too_large := _too_large(task.kind, stored, len(split)):
                        not_stored[task.name] = f"the predictions of task '{task.name}' {too_large}."
                    else:
                        del not_stored[task.name]
                        kept[task.name] = _nothing_predicted(stored, len(split))
                if task.name in kept:
                    kept[task.name][some.rows[used].cpu().numpy()] = stored.cpu().numpy()
                losses[index] += example_losses(task, output, target).double().sum()
                scores.add(index, some.rows[used], predictions, target)
    _check_counted(tasks, split.defined, torch.cat(visited).cpu(), scores.counts)
    results = {
        task.name: TaskResult(loss=loss / count if count else math.nan, count=count, metrics=metrics)
        for task, loss, count, metrics in zip(tasks, losses.tolist(), scores.counts, scores.metrics(), strict=True)
    }
    return Evaluation(
        results=results,
        predictions={name: torch.from_numpy(values) for name, values in kept.items()},
        not_stored=not_stored,
        batch_means=scores.batch_means(),
    )


def _check_counted(tasks: Sequence[Task], defined: Tensor, visited: Tensor, counts: Sequence[int]) -> None:
    """Raise PluginError unless each label of a split was counted once, so that means have the right denominator.

    Args:
        defined: (N, T) bool.
        visited: (n,) int64, the examples in the order in which they were evaluated.
        counts: number of counted labels of each task.
    """
    defined = defined.cpu()
    times, wanted = torch.bincount(visited, minlength=len(defined)), defined.any(1).long()
    if len(wrong := (times != wanted).nonzero()):
        row = int(wrong[0])
        raise PluginError(
            f"evaluation counts example {row} of {len(defined)} {int(times[row])} times, and it should count "
            f"{'once' if wanted[row] else 'never, since it has no label'}."
        )
    for task, count, labels in zip(tasks, counts, defined.sum(0).tolist(), strict=True):
        if count != labels:
            raise PluginError(f"evaluation counts {count} labels of task '{task.name}', and the split has {labels}.")


def _nothing_predicted(some: Tensor, count: int) -> NDArray[Any]:
    """Return an array (count, ...) of the value that stands for no prediction, given some predictions."""
    dtype, shape = some.dtype, (count, *some.shape[1:])
    return torch.full(shape, math.nan if dtype.is_floating_point else torch.iinfo(dtype).max, dtype=dtype).numpy()


def _too_large(kind: Kind, predictions: Tensor, count: int) -> str:
    """Return the reason why the predictions of `count` examples are not stored, given some; empty if they are."""
    size = predictions[0].numel() * predictions.element_size() * count
    if size <= kind.stored_up_to:
        return ""
    dtype = str(predictions.dtype).removeprefix("torch.")
    return f"take {_megabytes(size)} in {dtype}, and up to {_megabytes(kind.stored_up_to)} are stored"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.3g} MB"
