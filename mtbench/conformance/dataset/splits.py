"""Checks of a dataset's files and splits."""

import torch
from torch import Tensor

from mtbench.conformance.dataset.reading import alike, all_splits
from mtbench.conformance.fault import Fault
from mtbench.contract import Dataset, Split, seeded
from mtbench.contract.data.targets import wrong_targets
from mtbench.errors import UsageError

__all__ = ["holds_out", "offers_protocols", "prepares", "repeats", "splits_fit", "targets_fit"]


def prepares(dataset: Dataset) -> None:
    dataset.prepare(lambda _: None)
    dataset.verify()
    if not dataset.fingerprint():
        raise Fault("`fingerprint` is empty although the data are there.")
    if dataset.fingerprint() != dataset.fingerprint():
        raise Fault("`fingerprint` differs from call to call.")


def offers_protocols(dataset: Dataset) -> None:
    for name in ("paper", "quick"):
        if name not in dataset.protocols:
            its = ", ".join(dataset.protocols) or "none"
            raise Fault(f"it has no training protocol '{name}'; its training protocols are {its}.")
        if dataset.protocols[name].name != name:
            raise Fault(f"its training protocol '{name}' has the name '{dataset.protocols[name].name}'.")


def splits_fit(dataset: Dataset) -> None:
    for name, split in all_splits(dataset):
        count = len(split)
        inputs = _tensor(split)
        if inputs is not None and tuple(inputs.shape[1:]) != tuple(dataset.input_shape):
            raise Fault(
                f"inputs of {name} are {tuple(inputs.shape[1:])}, and `input_shape` is {tuple(dataset.input_shape)}."
            )
        if split.members is None and inputs is not None and len(inputs) != count:
            raise Fault(f"{name} has {len(inputs)} inputs for {count} examples, and no `members`.")
        _check_members(name, split, inputs)
        if split.points is not None and tuple(split.points.shape) != (count, len(dataset.tasks), 2):
            raise Fault(f"`points` of {name} are {tuple(split.points.shape)}, not (N, T, 2).")
        if split.defined.shape != (count, len(dataset.tasks)) or split.defined.dtype != torch.bool:
            raise Fault(f"`defined` of {name} is {split.defined.dtype} {tuple(split.defined.shape)}, not bool (N, T).")
        if len(split.targets) != len(dataset.tasks):
            raise Fault(f"{name} has targets for {len(split.targets)} tasks, and there are {len(dataset.tasks)}.")
        for task, target, defined in zip(dataset.tasks, split.targets, split.defined.T, strict=True):
            if len(target) != count:
                raise Fault(f"task '{task.name}' has {len(target)} targets in {name} for {count} examples.")
            if (defined & ~task.kind.defined(target)).any():
                raise Fault(f"targets of task '{task.name}' in {name} are marked as defined, and are not.")


def _check_members(name: str, split: Split, inputs: Tensor | None) -> None:
    members = split.members
    if members is None:
        return
    if members.dtype != torch.int64 or members.dim() != 2 or len(members) != len(split):
        raise Fault(f"`members` of {name} are {members.dtype} {tuple(members.shape)}, not int64 (N, V).")
    if inputs is not None and len(members) and (members.min() < 0 or members.max() >= len(inputs)):
        raise Fault(
            f"`members` of {name} go from {int(members.min())} to {int(members.max())}, and there are inputs 0 to "
            f"{len(inputs) - 1}."
        )


def targets_fit(dataset: Dataset) -> None:
    """Check that each defined target is valid for its kind, such as one of its classes."""
    faults = [
        f"in {name} {wrong}" for name, split in all_splits(dataset) for wrong in wrong_targets(dataset.tasks, split)
    ]
    if faults:
        raise Fault(f"{'; '.join(faults[:3])}{f'; and {len(faults) - 3} more' if len(faults) > 3 else ''}.")


def repeats(dataset: Dataset, again: Dataset) -> None:
    """Compare the examples with those of the same dataset, opened again with the global generators in another state."""
    first_time = all_splits(dataset)
    with seeded(0, "check", "disturbed"):
        second_time = all_splits(again)
    for (name, first), (_, second) in zip(first_time, second_time, strict=True):
        one, two = _tensor(first), _tensor(second)
        inputs = one is None or two is None or torch.equal(one, two)
        labels = all(alike(a, b) for a, b in zip(first.targets, second.targets, strict=True))
        if not (inputs and labels and torch.equal(first.defined, second.defined)):
            raise Fault(f"the examples of {name} differ from one load to the next: use fixed seeds.")


def holds_out(dataset: Dataset) -> None:
    held, kept = (_hashes(dataset.load(name, validation=True)) for name in ("val", "train"))
    inside = held & kept
    if inside and len(kept) > 1:  # else there is one input only, from which nothing can be learned of another
        raise Fault(f"{len(inside)} inputs of the validation split are in the training split too.")
    try:
        dataset.load("val", validation=False)
    except UsageError:
        return
    raise Fault("without `validation` there should be no split 'val' (a UsageError).")


def _tensor(split: Split) -> Tensor | None:
    return split.inputs if isinstance(split.inputs, Tensor) else None


def _hashes(split: Split) -> set[bytes]:
    inputs = _tensor(split)
    if inputs is None:
        return set()
    members = range(len(inputs)) if split.members is None else set(split.members.flatten().tolist())
    return {inputs[member].numpy().tobytes() for member in members}
