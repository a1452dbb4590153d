"""Checks of targets against the requirements of their kinds."""

from collections.abc import Iterator, Sequence

import torch

from mtbench.contract.data.split import Split
from mtbench.contract.tasks.task import Task
from mtbench.errors import PluginError

__all__ = ["check_targets", "wrong_targets"]

AT_ONCE = 256
"""Number of examples whose targets are read from a memory map at a time."""


def check_targets(tasks: Sequence[Task], split: Split, name: str) -> None:
    """Check that the defined targets of a split are valid; on a GPU an invalid one would end the process.

    Raises:
        PluginError: the targets of a task are invalid.
    """
    if faults := list(wrong_targets(tasks, split)):
        more = len(faults) - 1
        rest = f" The same holds for {more} more task{'s' * (more > 1)}." if more else ""
        raise PluginError(
            f"in split '{name}' {faults[0]}.{rest}",
            mend="The dataset has to give other targets, or other kinds of tasks; `mtbench check` checks all splits.",
        )


def wrong_targets(tasks: Sequence[Task], split: Split) -> Iterator[str]:
    """Yield the reason for each task whose defined targets are not all valid, see `Kind.wrong_targets`."""
    for index, (task, targets) in enumerate(zip(tasks, split.targets, strict=True)):
        rows = split.defined[:, index].nonzero().squeeze(1)
        for part in torch.split(rows, AT_ONCE if split.mapped_targets else max(1, len(rows))):
            some = targets if len(part) == len(targets) else targets.index_select(0, part)
            wrong = task.kind.wrong_targets(some)
            if split.release is not None:
                split.release()
            if wrong:
                yield f"the targets of task '{task.name}' {wrong}"
                break
