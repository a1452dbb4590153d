"""Choice by score of the queries and the triplets that are shown."""

from collections.abc import Sequence
from statistics import fmean

import torch

from mtbench.explanation.examples import Case, surest_of_each
from mtbench.explanation.retrieval.embedded import Embedded

__all__ = ["RULE", "best_and_worst", "queries_of", "triplets_of"]

RULE = (
    "Queries are chosen by their average precision, half of them with the highest and half with the lowest; triplets "
    "by the difference of their two distances. The first one of every class of the query or anchor comes before a "
    "second one of any; of equal ones the first in the test split."
)


def queries_of(found: Embedded, count: int) -> list[Case]:
    """Return the queries of a task with the highest and with the lowest average precision, `count` together.

    No query is shown twice; those without relevant candidates are not shown.
    """
    ranking = found.ranking
    known = ~ranking.precisions.isnan()
    scores, classes = ranking.precisions.nan_to_num(), ranking.query_classes
    best = surest_of_each(known, scores, classes)[: (count + 1) // 2]
    left = known.clone()
    left[best] = False
    worst = surest_of_each(left, -scores, classes)[: count // 2]
    of = f"of {int(known.sum()):,} queries among {len(ranking.candidates):,} candidates"
    return [
        Case(name=f"highest average precision {of}", slug="best", members=best),
        Case(name=f"lowest average precision {of}", slug="worst", members=worst),
    ]


def triplets_of(found: Embedded, count: int) -> list[Case]:
    """Return the right and the wrong triplets of a task whose distances differ most, up to `count` each."""
    cases = []
    for slug, chosen in (("right", found.right), ("wrong", ~found.right)):
        members = surest_of_each(chosen, found.gaps.abs(), found.classes[:, 0])[:count]
        name = f"{slug} triplets, {int(chosen.sum()):,} of {len(found.rows):,}; the largest differences first"
        cases.append(Case(name=name, slug=slug, members=members))
    return cases


def best_and_worst(found: Sequence[Embedded]) -> list[int]:
    """Return the numbers of the images with the highest and the lowest mean of their average precisions.

    Only images that are a query of at least half as many tasks as any image are considered; fewer than two are returned
    if there are fewer.
    """
    precisions: dict[int, list[float]] = {}
    for each in found:
        for number, value in zip(each.ranking.queries.tolist(), each.ranking.precisions.tolist(), strict=True):
            if value == value:  # no NaN
                precisions.setdefault(number, []).append(value)
    most = max(map(len, precisions.values()), default=0)
    numbers = sorted(number for number, values in precisions.items() if 2 * len(values) >= most)
    means = torch.tensor([fmean(precisions[number]) for number in numbers], dtype=torch.float64)
    if len(numbers) < 2:
        return numbers
    best = int(means.argmax())
    means[best] = torch.inf
    return [numbers[best], numbers[int(means.argmin())]]
