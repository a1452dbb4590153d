"""Labels of datasets, read once for any number of runs whose numbers are derived from them."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from mtbench.contract import Batches, Dataset, Split, Task
from mtbench.errors import DataError, MtbenchError
from mtbench.plan.chosen import load_backbone, load_dataset
from mtbench.plan.spec import RunSpec
from mtbench.train.assemble import build, load_splits, trained_part
from mtbench.train.outputs import BATCH, MAP_VALUES, largest_map, parts_of

__all__ = ["Labels", "Reader"]


@dataclass(frozen=True, kw_only=True)
class Labels:
    """The labels that the numbers of a run depend on, as far as they are derived from its predictions.

    Attributes:
        fingerprint: the fingerprint of the data; empty if they are not on this machine.
        tasks: the tasks of the dataset.
        batches: kinds of batches over which test metrics are averaged, from the dataset's conventions.
        test: the test split, without the values of its inputs.
        train: the examples that the run was trained on.
        parts: rows of the test split in the parts in which evaluation adds them up, so that sums are rounded alike.
    """

    fingerprint: str
    tasks: tuple[Task, ...]
    batches: tuple[Batches, ...]
    test: Split
    train: Split
    parts: tuple[Tensor, ...]


class Reader:
    """A reader of labels, which keeps those of the last dataset.

    Args:
        root: the folder of the data files.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._opened: tuple[str, tuple[Dataset, str]] | None = None
        self._splits: tuple[str, dict[str, Split]] | None = None
        self._labels: dict[str, Labels] = {}

    def fingerprint(self, spec: RunSpec) -> str:
        """Return the fingerprint of the data of a run; empty if they are not on this machine.

        Raises:
            UsageError, PluginError: the dataset is not installed or broken.
            DataError: a file is damaged; the text names it.
        """
        return self._open(spec)[1]

    def labels(self, spec: RunSpec) -> Labels:
        """Return the labels for a run that is no trial of a search.

        Raises:
            UsageError, PluginError: the dataset or the backbone is not installed or broken.
            DataError: the data are not here, or a file does not match its sum; the text names it.
        """
        dataset, fingerprint = self._open(spec)
        if not fingerprint:
            raise DataError(f"the data of {spec.dataset} are not on this machine.")
        protocol = spec.protocol
        norm_batch = protocol.batch if protocol.norm_eval == "batch" else 0
        key = f"{_key(spec)} {protocol.fraction} {spec.network} {spec.backbone} {norm_batch}"
        if key not in self._labels:
            splits = self._load(spec, dataset)
            largest = _largest_map(spec, dataset, splits["test"])
            self._labels[key] = Labels(
                fingerprint=fingerprint,
                tasks=dataset.tasks,
                batches=tuple(dict.fromkeys(each.batches for each in dataset.conventions.values() if each.batches)),
                test=_without_inputs(splits["test"]),
                train=_without_inputs(trained_part(spec, splits["train"])),
                parts=tuple(parts_of(dataset.tasks, largest, splits["test"], norm_batch=norm_batch)),
            )
        return self._labels[key]

    def _open(self, spec: RunSpec) -> tuple[Dataset, str]:
        """Return the dataset and its fingerprint, which is read from the data and not from a cache."""
        if self._opened is None or self._opened[0] != str(spec.dataset):
            dataset = load_dataset(spec.dataset, spec.files).open(self._root)
            self._opened, self._labels = (str(spec.dataset), (dataset, dataset.fingerprint())), {}
        return self._opened[1]

    def _load(self, spec: RunSpec, dataset: Dataset) -> dict[str, Split]:
        if self._splits is None or self._splits[0] != _key(spec):
            self._splits = _key(spec), load_splits(spec, dataset)
        return self._splits[1]


def _key(spec: RunSpec) -> str:
    """Return a text that is equal for runs with the same splits."""
    return f"{spec.dataset} {spec.protocol.validation} {spec.protocol.images}"


def _without_inputs(split: Split) -> Split:
    """Return a split with inputs of no values: labels take little memory, and are kept for further runs."""
    count = len(split) if split.members is None else int(split.members.max()) + 1
    return dataclasses.replace(split, inputs=torch.zeros(count, 0))


def _largest_map(spec: RunSpec, dataset: Dataset, split: Split) -> int:
    """Return the size of the largest map of a run's network, as far as it limits the examples at a time.

    A network is built only if its backbone has maps that are as large; where it is not installed, its backbone counts.
    """
    chosen = load_backbone(spec.backbone, spec.files)
    largest = chosen.setup(dataset, seed=spec.seed).build_backbone().largest_map
    views = 1 if split.members is None else split.members.shape[1]
    if largest * views * BATCH <= MAP_VALUES:
        return 1
    try:
        resolved = spec.resolve()
    except MtbenchError:
        return largest
    return largest_map(build(resolved.method, resolved.setup(dataset, seed=spec.seed)))
