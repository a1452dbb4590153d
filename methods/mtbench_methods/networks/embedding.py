"""Tasks whose embeddings a method changes: another size, or another distance."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from mtbench.contract import Task

__all__ = ["with_kinds"]


def with_kinds(tasks: Sequence[Task], **changes: Any) -> tuple[Task, ...]:
    """Return the tasks with some fields of their kinds, see `mtbench.contract.Retrieval`, replaced."""
    changed = []
    for task in tasks:
        kind: Any = task.kind  # a data class, which not every kind is
        changed.append(dataclasses.replace(task, kind=dataclasses.replace(kind, **changes)))
    return tuple(changed)
