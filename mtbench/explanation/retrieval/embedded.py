"""Embeddings of the test images for each task: distances within triplets, and rankings of candidates.

Shapes: N triplets of the split, n of one task, D dimensions of an embedding, Q queries, C candidates.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mtbench.contract import Network, Retrieval, Split
from mtbench.contract.tasks.kinds.candidates import CandidateLists, average_precisions
from mtbench.train.outputs import outputs

__all__ = ["Embedded", "Ranking", "embed"]


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """Candidates by their distance from queries.

    The rules are those of `mtbench.contract.tasks.kinds.candidates.CandidateLists`.

    Attributes:
        queries: (Q,) int64, the numbers of their images; in ascending order.
        query_classes: (Q,) int64.
        candidates: (C,) int64, the numbers of their images; in ascending order.
        candidate_classes: (C,) int64.
        distances: (Q, C) float64 Euclidean distances; infinite for the query itself, which is not its own candidate.
        relevant: (Q, C) bool, the candidates of the query's class.
        precisions: (Q,) float64, average precisions in [0, 1]; NaN for a query without relevant candidates.
    """

    queries: Tensor
    query_classes: Tensor
    candidates: Tensor
    candidate_classes: Tensor
    distances: Tensor
    relevant: Tensor
    precisions: Tensor

    def nearest(self, query: int, count: int) -> list[int]:
        """Return the indices of up to `count` candidates nearest to a query; among equal distances the first ones."""
        order = self.distances[query].argsort(stable=True)[:count]
        return [index for index in order.tolist() if self.distances[query, index].isfinite()]

    def is_tied(self, query: int, candidate: int) -> bool:
        """Return True if another candidate is at the same distance from a query."""
        return int((self.distances[query] == self.distances[query, candidate]).sum()) > 1


@dataclass(frozen=True, kw_only=True)
class Embedded:
    """The test triplets of one task under the network's embedding for it.

    Attributes:
        index: index of the task.
        rows: (n,) int64, the triplets' rows in the split.
        images: (n, 3) int64, the numbers of anchor, positive and negative in the split.
        classes: (n, 3) int64, the class of each image; -1 if unknown.
        distances: (n, 2) float32 Euclidean distances of the anchor from positive and negative.
        right: (n,) bool, the triplets whose positive is nearer.
        inputs: the index in the split's inputs of each image, by its number.
        ranking: the ranking of the images of the triplets.
    """

    index: int
    rows: Tensor
    images: Tensor
    classes: Tensor
    distances: Tensor
    right: Tensor
    inputs: Mapping[int, int]
    ranking: Ranking

    @property
    def gaps(self) -> Tensor:
        """The distance of the negative minus that of the positive (n,) float32."""
        return self.distances[:, 1] - self.distances[:, 0]


def embed(network: Network, split: Split, indices: Sequence[int]) -> list[Embedded]:
    """Return the triplets of each task under the network's embeddings.

    All embeddings of its triplets are in memory, 12 D bytes each.

    Args:
        network: the network in evaluation mode.
        split: triplets of one task each.
        indices: indices of the tasks, all of retrieval.
    """
    chosen = torch.zeros_like(split.defined[0])
    chosen[list(indices)] = True
    parts: dict[int, list[Tensor]] = {index: [] for index in indices}
    for some in outputs(network, dataclasses.replace(split, defined=split.defined & chosen)):
        for index in indices:
            if len(output := some.outputs[index]):
                parts[index].append(network.tasks[index].kind.predict(output).cpu())
    return [_of_task(network, split, index, parts[index]) for index in indices]


def _of_task(network: Network, split: Split, index: int, parts: Sequence[Tensor]) -> Embedded:
    """Return the triplets of a task from their embeddings (n, 3, D), in parts and in the order of the split."""
    kind = network.tasks[index].kind
    assert isinstance(kind, Retrieval)
    assert split.members is not None
    rows = split.defined[:, index].nonzero().squeeze(1).cpu()
    targets = split.targets[index].cpu()[rows]
    images, classes = targets.long().unbind(2)
    triplets = torch.cat([torch.empty(0, 3, kind.size), *parts])
    distances = kind.stored(triplets)
    lists = CandidateLists()
    lists.add(triplets, images, classes)
    return Embedded(
        index=index,
        rows=rows,
        images=images,
        classes=classes,
        distances=distances,
        right=kind.correct(distances, targets),
        inputs=dict(zip(images.flatten().tolist(), split.members.cpu()[rows].flatten().tolist(), strict=True)),
        ranking=_ranking(lists),
    )


def _ranking(lists: CandidateLists) -> Ranking:
    queries, candidates = lists.queries, lists.candidates
    down, across = queries.images.argsort(), candidates.images.argsort()
    distances, relevant = (each[down][:, across] for each in lists.ranked())
    return Ranking(
        queries=queries.images[down],
        query_classes=queries.classes[down],
        candidates=candidates.images[across],
        candidate_classes=candidates.classes[across],
        distances=distances.clamp(min=0).sqrt(),
        relevant=relevant,
        precisions=average_precisions(distances, relevant),
    )
