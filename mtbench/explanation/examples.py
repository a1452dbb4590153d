"""Choice by score of the images that are shown."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mtbench.explanation.answers import Answers

__all__ = ["RULE", "RULE_OF_IMAGES", "Case", "cases", "surest_of_each", "whole_images"]

RULE = (
    "Each case shows the images with the most confident answers, by the log-odds of the predicted class: the most "
    "confident one of every true class before a second one of any; of equal ones the first in the test split."
)
RULE_OF_IMAGES = (
    "Images are ordered by the number of right (or wrong) tasks, then by the mean log-odds of those answers; of equal "
    "ones the first in the test split comes first."
)


@dataclass(frozen=True, kw_only=True)
class Case:
    """Similar answers of one task.

    Attributes:
        name: e.g. ``right answer, wrong place``.
        slug: the name in one word.
        members: indices into the answers of the task, those to be shown first in front.
    """

    name: str
    slug: str
    members: Tensor


def cases(found: Answers) -> list[Case]:
    """Return the cases of a task: right and wrong answers, divided by the place of the peak if true points are known.

    A peak is in the right place if it is within `mtbench.train.diagnostics.pointing.FAR` of the point. Then answers
    without a known point belong to no case.
    """
    if found.points is None:
        kinds = [("right answers", "right", found.right), ("wrong answers", "wrong", ~found.right)]
    else:
        kinds = [
            (f"{answer} answer, {place} place", f"{answer}-{place}", right & near & found.pointed)
            for answer, right in (("right", found.right), ("wrong", ~found.right))
            for place, near in (("right", found.near), ("wrong", ~found.near))
        ]
    return [
        Case(name=name, slug=slug, members=surest_of_each(members, found.log_odds, found.truth))
        for name, slug, members in kinds
    ]


def surest_of_each(chosen: Tensor, scores: Tensor, classes: Tensor) -> Tensor:
    """Return indices of the chosen ones: the one with the highest score of every class, then the second ones.

    Args:
        chosen: (n,) bool.
        scores: (n,); among equal ones the first comes first.
        classes: (n,) int64.
    """
    indices = chosen.nonzero().squeeze(1)
    indices = indices[scores[indices].argsort(descending=True, stable=True)]
    classes = classes[indices]
    rank = torch.zeros_like(classes)
    for each in set(classes.tolist()):
        of_class = classes == each
        rank[of_class] = torch.arange(int(of_class.sum()))
    return indices[rank.argsort(stable=True)]


def whole_images(found: Sequence[Answers], *, right: bool) -> Tensor:
    """Return rows of the split in the order of their right (or wrong) answers, the most first, with all their tasks.

    Images without any such answer are left out.
    """
    size = 1 + max((int(each.rows.max()) for each in found if len(each.rows)), default=-1)
    counts, sums = torch.zeros(size, dtype=torch.int64), torch.zeros(size, dtype=torch.float64)
    for each in found:
        wanted = each.right == right
        counts.index_add_(0, each.rows[wanted], torch.ones_like(each.rows[wanted]))
        sums.index_add_(0, each.rows[wanted], each.log_odds[wanted])
    rows = counts.nonzero().squeeze(1)
    rows = rows[(sums[rows] / counts[rows]).argsort(descending=True, stable=True)]
    return rows[counts[rows].argsort(descending=True, stable=True)]
