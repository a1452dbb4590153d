"""Options of every dataset in addition to its own: fewer tasks, scaled losses, noisy or missing labels.

They make variants of a dataset on which methods differ: ``mmnist2:scale=1/10``, ``mmnist9:tasks=1/5/9:labels=1/.1/.1``.
Random choices have fixed seeds of their own, so that all methods and all repeats use the same labels.
"""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from mtbench.contract import Dataset, Split, Task, option, stream
from mtbench.contract.options import render_value
from mtbench.errors import UsageError, did_you_mean, shortlist

__all__ = ["Variation", "Varied"]


@dataclass(frozen=True, kw_only=True)
class Variation:
    """The differences of a variant from its dataset. Lists have a value for each task, in the order of the tasks."""

    tasks: tuple[str, ...] = option((), "only these tasks, in this order, e.g. a/b")
    scale: tuple[float, ...] = option((), "factor of each task's loss, e.g. 1/10", low=0)
    noise: tuple[float, ...] = option((), "fraction of each task's training labels that is shuffled", low=0, high=1)
    labels: tuple[float, ...] = option((), "fraction of each task's training labels that is kept", low=0, high=1)

    def canonical(self, tasks: Sequence[str]) -> "Variation":
        """Return the variation without the values that change nothing, so that one experiment has one identity.

        Args:
            tasks: the names of all tasks of the dataset.
        """
        count = len(self.tasks or tasks)
        idle: dict[str, tuple[str | float, ...]] = {
            "tasks": tuple(tasks),
            "scale": (1.0,) * count,
            "noise": (0.0,) * count,
            "labels": (1.0,) * count,
        }
        return dataclasses.replace(self, **{name: () for name, value in idle.items() if getattr(self, name) == value})


class Varied(Dataset):
    """A dataset with a variation; validation and test splits keep all labels of the remaining tasks unchanged.

    Raises:
        UsageError: the variation does not fit the dataset's tasks.
    """

    def __init__(self, dataset: Dataset, variation: Variation, name: str) -> None:
        super().__init__(dataset.options, dataset.root)
        self.dataset, self.variation = dataset, variation
        self.input_shape, self.foreground = dataset.input_shape, dataset.foreground  # type: ignore[misc]
        self.points = dataset.points  # type: ignore[misc]
        self.source, self.conventions = dataset.source, dataset.conventions  # type: ignore[misc]
        self.protocols, self.default_backbone = dataset.protocols, dataset.default_backbone  # type: ignore[misc]
        self.indices = _indices(dataset.tasks, variation.tasks, name)
        chosen = [dataset.tasks[index] for index in self.indices]
        for option_name in ("scale", "noise", "labels"):
            _check_values(option_name, getattr(variation, option_name), chosen, name)
        scales = variation.scale or (1.0,) * len(chosen)
        self._tasks = tuple(
            dataclasses.replace(task, scale=task.scale * scale) for task, scale in zip(chosen, scales, strict=True)
        )

    @property
    def tasks(self) -> tuple[Task, ...]:
        return self._tasks

    def prepare(self, say: Callable[[str], None]) -> None:
        self.dataset.prepare(say)

    def verify(self) -> list[tuple[Path, str]]:
        return self.dataset.verify()

    def fingerprint_files(self) -> Sequence[Path] | None:
        return self.dataset.fingerprint_files()

    def fingerprint(self) -> str:
        return self.dataset.fingerprint()

    def load(self, split: str, *, validation: bool) -> Split:
        return self._varied(self.dataset.load(split, validation=validation), split)

    def labels(self, split: str, *, validation: bool) -> Split:
        return self._varied(self.dataset.labels(split, validation=validation), split)

    def marks(self, split: str, count: int) -> Tensor | None:
        return self.dataset.marks(split, count)

    def _varied(self, whole: Split, split: str) -> Split:
        targets, defined = [whole.targets[index] for index in self.indices], whole.defined[:, self.indices].clone()
        if split == "train":
            for task, name in enumerate(self._names()):
                if self.variation.labels:
                    drawn = _draw(defined[:, task], 1 - self.variation.labels[task], "labels", name)
                    defined[drawn, task] = False
                if self.variation.noise:
                    drawn = _draw(defined[:, task], self.variation.noise[task], "noise", name)
                    targets[task] = targets[task].clone()
                    targets[task][drawn.sort().values] = targets[task][drawn]
        return dataclasses.replace(
            whole,
            targets=tuple(targets),
            defined=defined,
            foreground=self._foreground(whole.foreground),
            points=None if whole.points is None else whole.points[:, self.indices],
            classes=None if whole.classes is None else whole.classes[:, self.indices],
        )

    def _names(self) -> list[str]:
        return [task.name for task in self._tasks]

    def _foreground(self, whole: Callable[[Tensor, int], Tensor] | None) -> Callable[[Tensor, int], Tensor] | None:
        return None if whole is None else lambda rows, task: whole(rows, self.indices[task])


def _indices(tasks: Sequence[Task], chosen: Sequence[str], dataset: str) -> list[int]:
    names = [task.name for task in tasks]
    for name in chosen:
        if name not in names:
            raise UsageError(
                f"dataset '{dataset}' has no task '{name}'.",
                mend=did_you_mean(name, names),
                allowed=f"Its tasks: {shortlist(names)}.",
            )
    if len(set(chosen)) < len(chosen):
        raise UsageError(f"option 'tasks' of dataset '{dataset}' is '{'/'.join(chosen)}', which names a task twice.")
    return [names.index(name) for name in chosen or names]


def _check_values(option_name: str, values: tuple[float, ...], tasks: Sequence[Task], dataset: str) -> None:
    if values and len(values) != len(tasks):
        raise UsageError(
            f"option '{option_name}' of dataset '{dataset}' is '{render_value(values)}', {len(values)} values for "
            f"{len(tasks)} tasks.",
            mend="Give a value for each, separated by slashes.",
            allowed=f"The tasks: {shortlist(task.name for task in tasks)}.",
        )
    if option_name != "noise" and values and not any(values):
        raise UsageError(
            f"option '{option_name}' of dataset '{dataset}' is '{render_value(values)}', which leaves nothing to learn."
        )


def _draw(defined: Tensor, fraction: float, purpose: str, task: str) -> Tensor:
    """Return rows of a fraction of the defined targets, in random order, from a stream of the task's name."""
    rows = defined.nonzero().squeeze(1)
    order = torch.randperm(len(rows), generator=stream(0, "variation", purpose, task))
    return rows[order[: round(fraction * len(rows))]]
