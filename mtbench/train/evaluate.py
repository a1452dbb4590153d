"""How well a network does its tasks. Draws nothing and changes nothing, so it can be called at any time."""

from collections.abc import Iterator

import torch
from torch import Tensor

from mtbench.contract import Network, Split
from mtbench.store.record import TaskResult

__all__ = ["evaluate", "predict"]

BATCH = 1000
"""Examples at a time; fixed, so that results do not depend on the training batch."""


def evaluate(network: Network, split: Split) -> dict[str, TaskResult]:
    """Loss and metrics of every task over the defined targets of a split, by task name."""
    losses = [0.0] * len(network.tasks)
    counts = [0] * len(network.tasks)
    tallies: list[Tensor | float] = [0.0] * len(network.tasks)
    for rows, outputs in _outputs(network, split):
        for index, (task, output, target) in enumerate(zip(network.tasks, outputs, split.targets, strict=True)):
            defined = split.defined[rows, index].nonzero().squeeze(1)
            if not len(defined):
                continue
            output, target = output[defined], target[rows[defined]]
            losses[index] += float(task.kind.losses(output, target).double().sum())
            counts[index] += len(defined)
            tallies[index] = tallies[index] + task.kind.tally(output, target)
    return {
        task.name: TaskResult(
            loss=loss / count if count else float("nan"),
            count=count,
            metrics=task.kind.score(tally) if isinstance(tally, Tensor) else _nothing(network, index),
        )
        for index, (task, loss, count, tally) in enumerate(zip(network.tasks, losses, counts, tallies, strict=True))
    }


def predict(network: Network, split: Split) -> dict[str, Tensor]:
    """The predictions (N,) uint8 of every task whose kind stores them, by task name."""
    parts: dict[str, list[Tensor]] = {}
    for _, outputs in _outputs(network, split):
        for task, output in zip(network.tasks, outputs, strict=True):
            predictions = task.kind.predictions(output)
            if predictions is not None:
                parts.setdefault(task.name, []).append(predictions.cpu())
    return {name: torch.cat(part) for name, part in parts.items()}


def _outputs(network: Network, split: Split) -> Iterator[tuple[Tensor, list[Tensor]]]:
    """Rows (B,) and every task's output (B, ...), (B, V, ...) for V views, batch by batch, in evaluation mode."""
    training = network.training
    network.eval()
    for rows in torch.split(torch.arange(len(split), device=split.defined.device), BATCH):
        batch = split.batch(rows)
        with torch.no_grad():
            outputs = network.all_outputs(batch.inputs)
        if batch.inputs_per_example > 1:
            outputs = [output.view(-1, batch.inputs_per_example, *output.shape[1:]) for output in outputs]
        yield rows, outputs
    network.train(training)


def _nothing(network: Network, index: int) -> dict[str, float]:
    return {metric.name: float("nan") for metric in network.tasks[index].kind.metrics}
