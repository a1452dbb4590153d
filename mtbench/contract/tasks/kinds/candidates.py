"""Candidate lists of retrieval: the images that are ranked for a query, and the quality of the ranking.

Shapes: Q queries, C candidates, D numbers of an embedding.
"""

import math

import torch
from torch import Tensor

__all__ = ["LISTED", "CandidateLists", "average_precisions"]

LISTED = 500
"""Largest number of queries, and of candidates, of a task: 250,000 distances, sorted in a tenth of a second."""
SPREAD = 0x9E3779B1
"""An odd number near 2^32 over the golden ratio, whose multiples select a subset of numbers evenly."""


class CandidateLists:
    """The images of one task's triplets, and the mean average precision of ranking them for each other.

    `queries` and `candidates` contain their numbers, classes and embeddings.

    Queries are images that are an anchor; candidates are all images whose class is known. At most `LISTED` of either
    are used: those whose number n has the smallest n * `SPREAD` modulo 2^32. So the lists depend neither on the order
    of triplets nor on batches nor on the method. Rules:

    - A query is not its own candidate.
    - A candidate is relevant if it has the class of the query.
    - Candidates are ordered by the Euclidean distance of the embeddings, rounded to float16, whose squares are then
      computed without any error: equal embeddings have equal distances.
    - Candidates at equal distances are one step: each of them counts with the precision after all of them.
    - A query without relevant candidates is left out of the mean.
    """

    def __init__(self) -> None:
        self.queries, self.candidates = _Images(), _Images()

    def add(self, embeddings: Tensor, images: Tensor, classes: Tensor) -> None:
        """Add triplets.

        Args:
            embeddings: (n, 3, D).
            images: (n, 3) the numbers of anchor, positive and negative, below 2^31.
            classes: (n, 3), -1 where unknown.
        """
        images, classes = images.long().cpu(), classes.cpu()
        self.queries.add(embeddings[:, 0], images[:, 0], classes[:, 0])
        self.candidates.add(embeddings.flatten(0, 1), images.flatten(), classes.flatten())

    def ranked(self) -> tuple[Tensor, Tensor]:
        """Return squared distances (Q, C), infinite for the query itself, and a mask of relevant candidates (Q, C)."""
        queries, candidates = self.queries, self.candidates
        if not len(queries.images):
            return torch.empty(0, len(candidates.images)), torch.empty(0, len(candidates.images), dtype=torch.bool)
        others = queries.images[:, None] != candidates.images
        relevant = (queries.classes[:, None] == candidates.classes) & others
        return _squared_distances(queries.embeddings, candidates.embeddings).where(others, math.inf), relevant

    def score(self) -> float:
        """Return the mean of the queries' average precisions in %; NaN if no query has a relevant candidate."""
        return 100 * float(average_precisions(*self.ranked()).nanmean())


class _Images:
    """Up to `LISTED` images: numbers (n,), classes (n,) and embeddings (n, D) in float16, on the CPU."""

    def __init__(self) -> None:
        self.images = torch.empty(0, dtype=torch.int64)
        self.classes = torch.empty(0, dtype=torch.int64)
        self.embeddings = torch.empty(0, 0, dtype=torch.float16)

    def add(self, embeddings: Tensor, images: Tensor, classes: Tensor) -> None:
        known = (classes >= 0).nonzero().squeeze(1)
        numbers = torch.cat([self.images, images[known]])
        order = (numbers * SPREAD % 2**32).argsort(stable=True)
        is_first = torch.ones(len(order), dtype=torch.bool)
        is_first[1:] = numbers[order][1:] != numbers[order][:-1]
        kept = order[is_first][:LISTED]
        old, new = kept[kept < len(self.images)], kept[kept >= len(self.images)] - len(self.images)
        rows = known[new]
        added = embeddings[rows.to(embeddings.device)].half().cpu()
        self.embeddings = torch.cat([self.embeddings[old], added]) if len(old) else added
        self.classes = torch.cat([self.classes[old], classes[rows].long()])
        self.images = torch.cat([self.images[old], images[rows]])


def _squared_distances(queries: Tensor, candidates: Tensor) -> Tensor:
    """Return (Q, C) float64 from embeddings (Q, D) and (C, D) in float16.

    Numbers of float16 are multiples of 2^-24, so products and their sums are multiples of 2^-48. For embeddings of a
    norm up to 2 these fit into the 53 bits of float64: the result is exact, in any order of summation.
    """
    queries, candidates = queries.double(), candidates.double()
    squares = queries.square().sum(1)[:, None] + candidates.square().sum(1)
    return squares - 2 * queries @ candidates.T


def average_precisions(distances: Tensor, relevant: Tensor) -> Tensor:
    """Return the average precision (Q,) in [0, 1] of each row's candidates by distance; NaN where none is relevant.

    It is the mean over the relevant candidates of the fraction of relevant ones among all that are at most as far.

    Args:
        distances: (Q, C), the smaller the better; infinite for images that are no candidate of that row.
        relevant: (Q, C) bool.
    """
    ordered, order = distances.sort(dim=1)
    hits = relevant.gather(1, order).double()
    as_near = torch.searchsorted(ordered, ordered, right=True)  # candidates that are at most as far
    precisions = hits.cumsum(1).gather(1, as_near - 1) / as_near
    return (hits * precisions).sum(1) / hits.sum(1)
