"""Results of constant predictions, which use no input."""

from collections.abc import Mapping, Sequence

from mtbench.contract import Split, Task
from mtbench.store.record import Constant

__all__ = ["constants"]


def constants(tasks: Sequence[Task], train: Split, test: Split) -> Mapping[str, Constant]:
    """Return the test results of the best constant prediction for the training labels, by task name.

    Tasks whose kind has no such prediction, and those without any label in one of the splits, are left out.

    Args:
        tasks: the tasks of the targets of both splits.
        train: the training labels, with their noise if they have any.
        test: the labels of the test.
    """
    found = {}
    splits = [(split.targets, split.defined.T.contiguous()) for split in (train, test)]
    for index, task in enumerate(tasks):
        if not task.kind.constant_name:
            continue  # maps, which may lie in a memory map, are not read
        seen, known = (targets[index][defined[index]] for targets, defined in splits)
        if len(seen) and len(known):
            prediction, tally = task.kind.constant(seen), task.kind.tally()
            tally.add(prediction.expand(len(known), *prediction.shape), known)
            found[task.name] = Constant(name=task.kind.constant_name, metrics=tally.score())
    return found
