"""The upper bound of one embedding that all tasks share, from the labels of the test split."""

from collections.abc import Mapping, Sequence

from mtbench.contract import Split, Task
from mtbench.contract.tasks.kinds.ceiling import shared_embedding_ceiling
from mtbench.store.record import CEILING, Measurement

__all__ = ["ceilings"]


def ceilings(tasks: Sequence[Task], test: Split) -> Mapping[str, Measurement]:
    """Return the upper bound of the triplet accuracy of one embedding in %, under `CEILING` and the name of each task.

    Empty if examples are no triplets of one task each, or if classes of images are unknown.
    """
    if test.classes is None or test.members is None or test.members.shape[1] != 3:
        return {}
    if not all(task.kind.one_task_per_example for task in tasks):
        return {}
    owner = test.defined.cpu().int().argmax(1)
    owner[~test.defined.cpu().any(1)] = -1
    found = shared_embedding_ceiling(test.classes.cpu(), test.members.cpu(), owner)
    return {CEILING + task.name: Measurement(value=value, unit="%") for task, value in zip(tasks, found, strict=True)}
