"""Metrics of each test image, and the maps of some.

Shapes: N images of the split, n of them with a map of a task.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mtbench.contract import Kind, Metric, Network, Split, Task
from mtbench.train.outputs import ask, batch_size, outputs

__all__ = ["Maps", "Measured", "maps_of", "measure_images"]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The metrics of one task on each test image alone.

    Attributes:
        index: index of the task.
        task: the task.
        rows: (n,) int64, the images with a map, in the order of the split.
        values: values (n,) float64 by metric, NaN where it is undefined on an image. They follow the definitions of
            mtbench, also if the task follows other code: some definitions of other code do not apply to a single image.
        whole: value of each metric over all of these images, as in the record.
    """

    index: int
    task: Task
    rows: Tensor
    values: Mapping[str, Tensor]
    whole: Mapping[str, float]

    @property
    def metric(self) -> Metric:
        """The primary metric."""
        return self.task.kind.metrics[0]

    @property
    def primary(self) -> Tensor:
        """Values (n,) of the primary metric."""
        return self.values[self.metric.name]

    @property
    def goodness(self) -> Tensor:
        """The primary metric with a sign, so that more is better; NaN where undefined."""
        return self.primary if self.metric.higher_is_better else -self.primary


@dataclass(frozen=True, kw_only=True)
class Maps:
    """Truths and predictions (n, ...) of some images for one task, in the form of a batch and of `Kind.predict`."""

    truths: Tensor
    predictions: Tensor


def measure_images(network: Network, split: Split, indices: Sequence[int]) -> list[Measured]:
    """Return the metrics of some tasks on each image of a split, in one pass over it.

    Args:
        network: the network in evaluation mode.
        indices: indices of the tasks, each with a map per image.
    """
    kinds = {index: network.tasks[index].kind for index in indices}
    tallies = {index: kind.tally() for index, kind in kinds.items()}
    rows: dict[int, list[Tensor]] = {index: [torch.zeros(0, dtype=torch.int64)] for index in indices}
    scores: dict[int, list[dict[str, float]]] = {index: [] for index in indices}
    for some in outputs(network, split):
        for index, kind in kinds.items():
            used = some.used_rows[index]
            if not len(used):
                continue
            predictions, truths = kind.predict(some.outputs[index]).cpu(), some.targets[index][used].cpu()
            tallies[index].add(predictions, truths)
            rows[index].append(some.rows[used].cpu())
            own = _own(kind)
            for place in range(len(used)):
                alone = own.tally()
                alone.add(predictions[place : place + 1], truths[place : place + 1])
                scores[index].append(alone.score())
    return [
        Measured(
            index=index,
            task=network.tasks[index],
            rows=torch.cat(rows[index]),
            values={
                metric.name: torch.tensor([score[metric.name] for score in scores[index]], dtype=torch.float64)
                for metric in kind.metrics
            },
            whole=tallies[index].score(),
        )
        for index, kind in kinds.items()
    ]


def maps_of(network: Network, split: Split, index: int, rows: Tensor) -> Maps:
    """Return the maps of some images (n,), all of which have one for the task."""
    found = []
    for part in torch.split(rows.to(split.defined.device), batch_size(network, split)):
        batch = split.batch(part)
        output = ask(network, batch)[index]
        found.append((batch.targets[index].cpu(), network.tasks[index].kind.predict(output).cpu()))
    truths, predictions = (torch.cat(each) for each in zip(*found, strict=True))
    return Maps(truths=truths, predictions=predictions)


def _own(kind: Kind) -> Kind:
    """Return a kind with the definitions of mtbench."""
    changed: Any = kind
    return dataclasses.replace(changed, like="") if getattr(kind, "like", "") else kind
