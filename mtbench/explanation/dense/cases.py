"""Choice by their metrics of the images that are shown."""

from collections.abc import Sequence

import torch
from torch import Tensor

from mtbench.explanation.dense.measured import Measured
from mtbench.explanation.examples import Case
from mtbench.stats.ranking import mean_ranks

__all__ = ["RULE", "RULE_OF_IMAGES", "best_median_worst", "image_ranks"]

RULE = (
    "For each task the best, the median and the worst images are shown, by the primary metric computed on each image "
    "alone; of equal ones the first in the test split. The mean of these values is not the value of all images."
)
RULE_OF_IMAGES = (
    "Images with a value for every task, by the mean of their ranks over tasks: 1 is the best, and equal values get "
    "the mean of their ranks; of equal ones the first in the test split comes first."
)


def best_median_worst(found: Measured, count: int) -> list[Case]:
    """Return three cases of `count` images together, as indices into those of the task, none of them twice.

    Best and worst images come from the ends of the order, the worst one first; median ones are the nearest to its
    middle, better ones first. Images on which the metric is undefined are left out.
    """
    known = (~found.goodness.isnan()).nonzero().squeeze(1)
    order = known[found.goodness[known].argsort(descending=True, stable=True)]
    upward = known[found.goodness[known].argsort(stable=True)]
    best = order[: (count + 2) // 3]
    worst = _without(upward, best)[: (count + 1) // 3]
    places = (torch.arange(len(order)) - (len(order) - 1) / 2).abs()
    middle = order[places.argsort(stable=True)]
    median = _without(_without(middle, best), worst)[: count // 3]
    chosen = {"best": best, "median": order[torch.isin(order, median)], "worst": worst}
    return [Case(name=name, slug=name, members=members) for name, members in chosen.items()]


def image_ranks(found: Sequence[Measured]) -> tuple[Tensor, Tensor]:
    """Return the images (m,) int64 with a value for every task, and the means (m,) float64 of their ranks among them.

    Ranks are those of `mtbench.stats.ranking.mean_ranks`.
    """
    known = [each.rows[~each.goodness.isnan()] for each in found]
    rows = known[0]
    for more in known[1:]:
        rows = rows[torch.isin(rows, more)]
    goodness = torch.stack([each.goodness[torch.isin(each.rows, rows)] for each in found], dim=1)
    return rows, torch.from_numpy(mean_ranks(goodness.numpy(), [True] * len(found)))


def _without(some: Tensor, others: Tensor) -> Tensor:
    return some[~torch.isin(some, others)]
