"""Results of constant predictions: how far a task is done without a look at any input."""

from collections.abc import Mapping, Sequence

from mtbench.contract import Split, Task
from mtbench.store.record import Constant

__all__ = ["constants"]


def constants(tasks: Sequence[Task], train: Split, test: Split) -> Mapping[str, Constant]:
    """Return by task name how the best constant prediction for the training labels does on the test split.

    Tasks whose kind has no such prediction, and those without any label in one of the splits, are left out.

    Args:
        tasks: of the targets of both splits.
        train: the labels that training sees, with their noise where they have any.
        test: the labels that tests are made with.
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
