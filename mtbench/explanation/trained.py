"""The network of a finished run with its weights, and its test split."""

import shlex
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from mtbench.contract import Backbone, Classification, Dataset, Kind, Network, Retrieval, Setup, Split, Task
from mtbench.errors import StoreError, UsageError, shortlist
from mtbench.plan.spec import RunSpec
from mtbench.report.figure.maps.views import KINDS
from mtbench.store.files.reading import inside, is_there, size_of
from mtbench.store.record import Record
from mtbench.store.results import run_folders
from mtbench.store.run.folder import RunFolder
from mtbench.store.status import RunStatus, status_of
from mtbench.store.study import read_studies
from mtbench.train.assemble import build

__all__ = [
    *("CLASSES", "EMBEDDINGS", "EXPLAINED", "MAPS", "OpenedRun", "TrainedRun"),
    *("find_run", "open_network", "open_run"),
]

CLASSES: tuple[type[Kind], ...] = (Classification,)
EMBEDDINGS: tuple[type[Kind], ...] = (Retrieval,)
MAPS = KINDS
EXPLAINED = (CLASSES, EMBEDDINGS, MAPS)
"""Kinds of tasks that one page explains together; for a dataset with several, the first is explained."""

EXAMPLE = "Allowed: the folder of a run, such as results/local/mmnist3/td/seed-0-1a2b3c4d5e6f, or a file in it."
AGAIN = Path("results/again")
"""The results folder that is proposed for runs whose weights are missing."""


@dataclass(frozen=True, kw_only=True)
class TrainedRun:
    """A finished run whose network can be evaluated.

    Attributes:
        status: the status of the run, which may be stale.
        record: the record of the run.
        network: the network in evaluation mode, with the weights of the reported epoch.
        backbone: a backbone like those that the network is built on, with initial weights.
        dataset: the opened dataset.
        test: the test split, on the network's device.
        kinds: the kinds of the tasks that are explained, one of `EXPLAINED`.
        indices: indices of these tasks.
    """

    status: RunStatus
    record: Record
    network: Network
    backbone: Backbone
    dataset: Dataset
    test: Split
    kinds: tuple[type[Kind], ...]
    indices: tuple[int, ...]

    @property
    def tasks(self) -> tuple[Task, ...]:
        """All tasks, in the dataset's order."""
        return self.network.tasks

    @property
    def others(self) -> list[str]:
        """The names of the tasks that are not explained."""
        return [task.name for index, task in enumerate(self.tasks) if index not in self.indices]


def find_run(given: Path) -> RunFolder:
    """Return the run that is named by its folder, a file in it, or a folder above it that has no other run below.

    Raises:
        UsageError: there is none, or there are several.
        StoreError: the results cannot be read.
    """
    path = given.expanduser()
    if size_of(path) is None and not is_there(path):
        raise UsageError(f"there is no {given}.", mend="`mtbench status` lists the runs.", allowed=EXAMPLE)
    if not is_there(path):  # a file in the folder of a run
        path = path.parent
    if any(size_of(path / name) is not None for name in ("spec.json", "record.json")):
        return RunFolder(path)
    below = run_folders(path)
    if not below:
        raise UsageError(f"there is no run in {given}.", allowed=EXAMPLE)
    if len(below) > 1:
        names = shortlist((str(run.path) for run in below), most=12)
        raise UsageError(f"there are {len(below)} runs below {given}.", mend="Choose one of them.", allowed=names + ".")
    return below[0]


@dataclass(frozen=True, kw_only=True)
class OpenedRun:
    """The network of a finished run, and its dataset.

    Attributes:
        status: status of the run, which may be stale.
        record: record of the run.
        network: in evaluation mode, with the weights of the reported epoch, on the device.
        setup: the setup that the network was built from.
        dataset: the opened dataset.
        test: the test split, on the CPU.
    """

    status: RunStatus
    record: Record
    network: Network
    setup: Setup
    dataset: Dataset
    test: Split


def open_network(folder: RunFolder, root: Path, device: torch.device) -> OpenedRun:
    """Load the trained network of a run and the test split of its dataset.

    Args:
        root: the folder of the data files.

    Raises:
        UsageError: the run is not finished, or a part of it is not installed.
        StoreError: its weights are missing, damaged, or no longer fit; the text says how to make them again.
        DataError: a data file is missing or damaged.
    """
    spec = folder.known_spec()
    status = status_of(folder.path, spec, root)
    if status.record is None:
        raise UsageError(
            f"the run in {folder.path} has no record: it is {status.state}{f' ({status.why})' if status.why else ''}.",
            mend=f"Finish it: mtbench exec {shlex.quote(str(folder.path / 'spec.json'))}",
        )
    weights = _weights(folder, spec, status.record)
    chosen = spec.resolve()
    dataset = chosen.dataset.open(root)
    setup = chosen.setup(dataset, seed=spec.seed)
    network = build(chosen.method, setup)
    try:
        network.load_state_dict(weights)
    except RuntimeError as cause:
        raise StoreError(
            f"the weights in {folder.path} do not fit the network as it is built now, since its code has changed "
            f"({' '.join(str(cause).split())[:200]}).",
            mend=_again(folder, spec),
        ) from cause
    return OpenedRun(
        status=status,
        record=status.record,
        network=network.to(device).eval(),
        setup=setup,
        dataset=dataset,
        test=dataset.load("test", validation=spec.protocol.validation),
    )


def open_run(folder: RunFolder, root: Path, device: torch.device) -> TrainedRun:
    """Load the test split and the trained network of a run whose pages are to be made.

    Args:
        root: the folder of the data files.

    Raises:
        UsageError: see `open_network`; or it is a trial of a search; or there are no pages for its tasks.
        StoreError, DataError: see `open_network`.
    """
    if _is_trial(folder):
        raise UsageError(
            f"the run in {folder.path} is a trial of a search, which is not evaluated on the test split.",
            mend="Name a run that the search retrained: `mtbench report` lists them.",
        )
    opened = open_network(folder, root, device)
    kinds = _explained(opened.dataset)
    _check_inputs(opened.dataset, opened.test, kinds)
    return TrainedRun(
        status=opened.status,
        record=opened.record,
        network=opened.network,
        backbone=opened.setup.build_backbone(),
        dataset=opened.dataset,
        test=opened.test.to(device),
        kinds=kinds,
        indices=tuple(index for index, task in enumerate(opened.dataset.tasks) if isinstance(task.kind, kinds)),
    )


def _is_trial(folder: RunFolder) -> bool:
    """Return True if a run chose a setting: as its record says, or a search of an earlier version in its folder."""
    record, name = folder.record(), folder.path.name
    if record is not None and record.spec.trial:
        return True
    above = folder.path.absolute().parents
    studies = read_studies(above[2], unread=lambda _: None) if len(above) > 2 else []
    trials = {_last(run) for study in studies for run in study.trial_runs}
    again = {_last(run) for study in studies for runs in study.retrained.values() for run in runs}
    return name in trials - again


def _last(folder: str) -> str:
    return folder.rpartition("/")[2]


def _weights(folder: RunFolder, spec: RunSpec, record: Record) -> dict[str, Tensor]:
    try:
        return folder.model(record)
    except StoreError as cause:
        raise type(cause)(cause.given, mend=_again(folder, spec)) from cause


def _again(folder: RunFolder, spec: RunSpec) -> str:
    """Return a sentence with a command that retrains a run and explains it.

    It does so in another results folder: here a run that has a record is not repeated, and its results may be kept.
    """
    new, old = AGAIN / spec.folder, folder.path
    if (found := inside(old)) is not None:
        pack = found[0].path
        return (
            f"Packs have weights if they are written with --weights. Make them again: mtbench store unpack {pack} "
            f"{AGAIN}, and with --results {AGAIN} the command that trained the run, with --refresh all."
        )
    while new.absolute() == old.absolute():
        new = AGAIN / new
    files = " ".join(shlex.quote(str(old / name)) for name in ("spec.json", "files.json") if (old / name).exists())
    to = shlex.quote(str(new))
    return f"Make them again: mkdir -p {to} && cp {files} {to} && mtbench exec {to}/spec.json && mtbench explain {to}"


def _explained(dataset: Dataset) -> tuple[type[Kind], ...]:
    """Return the first of `EXPLAINED` that a dataset has a task of."""
    for chosen in EXPLAINED:
        if any(isinstance(task.kind, chosen) for task in dataset.tasks):
            return chosen
    kinds = sorted({type(task.kind).__name__ for task in dataset.tasks})
    raise UsageError(
        f"the tasks of this run are of kind {', '.join(kinds)}, for which there are no pages.",
        allowed="Allowed: tasks of one class per image, of retrieval, or of maps.",
    )


def _check_inputs(dataset: Dataset, test: Split, kinds: tuple[type[Kind], ...]) -> None:
    inputs = test.inputs
    if not isinstance(inputs, Tensor) or inputs.dim() != 4 or inputs.shape[1] not in (1, 3):
        found = "several tensors" if not isinstance(inputs, Tensor) else "x".join(map(str, inputs.shape[1:]))
        raise UsageError(
            f"the inputs of this run's dataset are no images ({found}).",
            allowed="Allowed: images of one or three channels.",
        )
    if kinds != EMBEDDINGS and test.members is not None and test.members.shape[1] > 1:
        raise UsageError(
            f"an example of this run's dataset is {test.members.shape[1]} images.",
            allowed="Allowed: networks that answer about one image.",
        )
    if max(dataset.input_shape[-2:]) < 2:
        raise UsageError("the inputs of this run's dataset are no images: they have one pixel.")
