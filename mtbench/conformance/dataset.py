"""The checks of a dataset."""

import math
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from mtbench import registry
from mtbench.conformance.conventions import conventions_fit
from mtbench.conformance.fault import Fault
from mtbench.conformance.least_loss import declares_signs
from mtbench.contract import Batch, Dataset, Split, stream
from mtbench.errors import UsageError
from mtbench.plan.grid import Request, plan
from mtbench.plan.parse import parse_dataset
from mtbench.train.assemble import Assembly, assemble
from mtbench.train.device import deterministic
from mtbench.train.evaluate import measure

__all__ = ["dataset_checks"]


def dataset_checks(name: str, root: Path) -> Mapping[str, Callable[[], None]]:
    """The checks by name, in the order that they must be made in: the first prepares the files."""
    dataset = parse_dataset(name).open(root)
    return {
        "its files can be prepared and verified": lambda: prepares(dataset),
        "it offers the protocols 'paper' and 'quick'": lambda: offers_protocols(dataset),
        "its conventions name what there is": lambda: conventions_fit(dataset),
        "splits are as its tasks and its input shape say": lambda: splits_fit(dataset),
        "it gives the same examples every time": lambda: repeats(dataset),
        "only training examples are augmented, and stay as its tasks say": lambda: augments(dataset),
        "no example of the validation split is in the training split": lambda: holds_out(dataset),
        "its kinds of tasks predict and measure as they declare": lambda: measures_as_declared(name, root),
        "a network can be trained on it": lambda: can_be_learned(name, root),
    }


def prepares(dataset: Dataset) -> None:
    dataset.prepare(lambda _: None)
    dataset.verify()
    if not dataset.fingerprint():
        raise Fault("`fingerprint` is empty although the data are there.")
    if dataset.fingerprint() != dataset.fingerprint():
        raise Fault("`fingerprint` is another one each time it is asked for.")


def offers_protocols(dataset: Dataset) -> None:
    for name in ("paper", "quick"):
        if name not in dataset.protocols:
            raise Fault(f"it has no protocol '{name}'; its protocols are {', '.join(dataset.protocols) or 'none'}.")
        if dataset.protocols[name].name != name:
            raise Fault(f"its protocol '{name}' calls itself '{dataset.protocols[name].name}'.")


def splits_fit(dataset: Dataset) -> None:
    for name, split in _splits(dataset):
        count = len(split)
        inputs = _tensor(split)
        if inputs is not None and tuple(inputs.shape[1:]) != tuple(dataset.input_shape):
            raise Fault(
                f"inputs of {name} are {tuple(inputs.shape[1:])}, and `input_shape` is {tuple(dataset.input_shape)}."
            )
        if split.members is None and inputs is not None and len(inputs) != count:
            raise Fault(f"{name} has {len(inputs)} inputs for {count} examples, and no `members`.")
        if split.defined.shape != (count, len(dataset.tasks)) or split.defined.dtype != torch.bool:
            raise Fault(f"`defined` of {name} is {split.defined.dtype} {tuple(split.defined.shape)}, not bool (N, T).")
        if len(split.targets) != len(dataset.tasks):
            raise Fault(f"{name} has targets for {len(split.targets)} tasks, and there are {len(dataset.tasks)}.")
        for task, target, defined in zip(dataset.tasks, split.targets, split.defined.T, strict=True):
            if len(target) != count:
                raise Fault(f"task '{task.name}' has {len(target)} targets in {name} for {count} examples.")
            if (defined & ~task.kind.defined(target)).any():
                raise Fault(f"targets of task '{task.name}' in {name} are marked as defined, and are not.")


def repeats(dataset: Dataset) -> None:
    for (name, first), (_, second) in zip(_splits(dataset), _splits(dataset), strict=True):
        one, two = _tensor(first), _tensor(second)
        alike = one is None or two is None or torch.equal(one, two)
        labels = all(_equal(a, b) for a, b in zip(first.targets, second.targets, strict=True))
        if not (alike and labels and torch.equal(first.defined, second.defined)):
            raise Fault(f"the examples of {name} differ from one load to the next: give what is random a fixed seed.")


def augments(dataset: Dataset) -> None:
    for name, split in _splits(dataset):
        if not split.augment:
            continue
        if not name.startswith("train"):
            raise Fault(f"the examples of {name} are augmented, and only those of a training split are to be.")
        rows = torch.arange(min(64, len(split)))
        before = torch.get_rng_state()
        first, second = (split.augmented(dataset.tasks, stream(0, "check")).batch(rows) for _ in range(2))
        plain = split.batch(rows)
        still, moved, again = map(_parts, (plain, first, second))
        if not (all(map(_equal, moved, again)) and torch.equal(before, torch.get_rng_state())):
            raise Fault(f"augmentation of {name} draws from elsewhere than from the generator that it is given.")
        for part, other in zip(still, moved, strict=True):
            if part.shape != other.shape or part.dtype != other.dtype:
                raise Fault(
                    f"augmentation of {name} makes {other.dtype} {tuple(other.shape)} of {part.dtype} "
                    f"{tuple(part.shape)}."
                )
        for index, task in enumerate(dataset.tasks):
            maps = plain.targets[index]
            if task.kind.layout == "map" and not _equal(maps, maps.flip(-1)) and _equal(maps, first.targets[index]):
                raise Fault(f"the maps of task '{task.name}' are not moved with their images: its kind needs `moved`.")


def holds_out(dataset: Dataset) -> None:
    held, kept = (_hashes(dataset.load(name, validation=True)) for name in ("val", "train"))
    inside = held & kept
    if inside and len(kept) > 1:  # else there is one input only, from which nothing can be learned of another
        raise Fault(f"{len(inside)} inputs of the validation split are in the training split too.")
    try:
        dataset.load("val", validation=False)
    except UsageError:
        return
    raise Fault("without `validation` there is to be no split 'val' (a UsageError).")


def measures_as_declared(name: str, root: Path) -> None:
    """Predictions have the declared dtype, and metrics the declared names and one value for any split into batches; a
    loss is negative only where that is declared."""
    run = _reference(name, root)
    declares_signs(run)
    split = run.splits["test"].first(64)
    found = measure(run.network, split, keep=True)
    for index, task in enumerate(run.tasks):
        kind, result, whose = task.kind, found.results[task.name], f"the kind of task '{task.name}'"
        declared = [metric.name for metric in kind.metrics]
        if list(result.metrics) != declared:
            raise Fault(f"{whose} declares the metrics {declared}, and gives {[*result.metrics]}.")
        if task.name in found.not_stored or not result.count:
            continue
        predictions, defined = found.predictions[task.name], split.defined[:, index]
        if predictions.dtype != kind.stored_as or len(predictions) != len(split):
            raise Fault(
                f"{whose} predicts {predictions.dtype} {tuple(predictions.shape)} for {len(split)} "
                f"examples, and declares {kind.stored_as}."
            )
        tally = kind.tally()
        for part in torch.split(defined.nonzero().squeeze(1), 23):
            tally.add(predictions[part], split.targets[index][part])
        for metric, value in tally.score().items():
            whole = result.metrics[metric]
            if not math.isclose(value, whole, rel_tol=1e-6, abs_tol=1e-9) and not math.isnan(value):
                raise Fault(
                    f"metric '{metric}' of task '{task.name}' is {whole:.6g} of examples in one batch and "
                    f"{value:.6g} of the same in several."
                )


def can_be_learned(name: str, root: Path) -> None:
    run = _reference(name, root)
    split = run.splits["train"]
    batch = split.batch(torch.arange(min(64, len(split))))
    optimizer, means = torch.optim.Adam(run.network.parameters(), lr=1e-3), []
    for _ in range(30):
        optimizer.zero_grad()
        means.append(float(run.balancer.backward(run.network, batch).totals.detach().sum()))
        optimizer.step()
    if not means[-1] < means[0]:
        raise Fault(f"in 30 steps on one batch the summed losses go from {means[0]:.4g} to {means[-1]:.4g}.")


def _reference(name: str, root: Path) -> Assembly:
    """Assemble the network that others are compared to, on the backbone of the dataset."""
    deterministic(torch.device("cpu"), "float32")
    method = registry.reference("method")
    spec = plan(Request(methods=[method], datasets=[name], protocol="quick", settings={}, seeds=[0]))[0]
    return assemble(spec, root=root, device=torch.device("cpu"))


def _splits(dataset: Dataset) -> list[tuple[str, Split]]:
    names = {"train": False, "test": False, "train without val": True, "val": True}
    return [(name, dataset.load(name.partition(" ")[0], validation=held)) for name, held in names.items()]


def _tensor(split: Split) -> Tensor | None:
    return split.inputs if isinstance(split.inputs, Tensor) else None


def _parts(batch: Batch) -> list[Tensor]:
    """Return all tensors that an augmentation may change."""
    inputs = [batch.inputs] if isinstance(batch.inputs, Tensor) else list(batch.inputs.values())
    points = [] if batch.points is None else [batch.points]
    tasks = [] if batch.foreground is None else range(len(batch.targets))
    maps = [batch.foreground(batch.rows, task) for task in tasks if batch.foreground is not None]
    return [*inputs, *batch.targets, batch.use, *points, *maps]


def _equal(first: Tensor, second: Tensor) -> bool:
    return torch.equal(first.nan_to_num(), second.nan_to_num())


def _hashes(split: Split) -> set[bytes]:
    inputs = _tensor(split)
    if inputs is None:
        return set()
    members = range(len(inputs)) if split.members is None else set(split.members.flatten().tolist())
    return {inputs[member].numpy().tobytes() for member in members}
