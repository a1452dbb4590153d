"""The upper bound of one embedding that all tasks share, which depends on labels alone."""

import math

from torch import Tensor

__all__ = ["shared_embedding_ceiling"]


def shared_embedding_ceiling(classes: Tensor, triplets: Tensor, owner: Tensor) -> list[float]:
    """Return per task the triplet accuracy in % of the best embedding that knows the classes but not the task.

    Its distance between two images is the number of tasks for which their classes differ; triplets whose positive and
    negative are at equal distances count one half. For independent tasks with two equally frequent classes no embedding
    that all tasks share is better. NaN for a task without triplets.

    Args:
        classes: (M, T) the class of each image for each task; -1, for an unknown class, differs from no class.
        triplets: (N, 3) the images of anchor, positive and negative.
        owner: (N,) the task of each triplet.
    """
    anchor, positive, negative = (classes[images] for images in triplets.long().T)
    near, far = ((anchor != other) & (anchor >= 0) & (other >= 0) for other in (positive, negative))
    gap = far.sum(1) - near.sum(1)
    worth = (gap > 0).double() + 0.5 * (gap == 0)
    found = []
    for task in range(classes.shape[1]):
        own = worth[owner == task]
        found.append(100 * float(own.mean()) if len(own) else math.nan)
    return found
