"""From a spec to the parts that are trained: data on the device, a network, a balancer."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from mtbench.contract import Balancer, Batches, Network, Setup, Split, Task, seeded
from mtbench.contract.data.dataset import Dataset
from mtbench.contract.data.targets import check_targets
from mtbench.contract.networks.normalization import convert_batch_norm
from mtbench.plan.chosen import MethodChoice
from mtbench.plan.spec import RunSpec
from mtbench.train.network.pointwise import convert_pointwise
from mtbench.train.network.precision import compute_in_bfloat16

__all__ = ["Assembly", "assemble", "build", "build_balancer", "load_splits", "trained_part"]


@dataclass(frozen=True, kw_only=True)
class Assembly:
    """The parts of one run.

    Attributes:
        tasks: the tasks in the dataset's order.
        splits: ``train``, ``test`` unless the run is a trial of a search, and, if one is held out, ``val``, on the
            device.
        network: the network on the device, with the seed's initial weights.
        balancer: the balancer on the device.
        setup: the setup that the network was built from.
        whole: (N, T) bool on the CPU, the mask of defined targets of all training examples, if ``train`` holds only a
            fraction of them that is visited as often as all would be; None if it holds them all.
        batches: kinds of batches over which means of the test metrics are kept, from the dataset's conventions.
    """

    tasks: tuple[Task, ...]
    splits: Mapping[str, Split]
    network: Network
    balancer: Balancer
    setup: Setup
    whole: Tensor | None = None
    batches: tuple[Batches, ...] = ()

    @property
    def held_out(self) -> Split:
        """The test split; of a trial of a search, which has none, the validation split."""
        return self.splits["test"] if "test" in self.splits else self.splits["val"]

    def batches_of(self, split: str) -> tuple[Batches, ...]:
        """Return the batches over which means are kept of one split: `batches` of the test split, else none."""
        return self.batches if split == "test" else ()


def assemble(spec: RunSpec, *, root: Path, device: torch.device, data: Mapping[str, Split] | None = None) -> Assembly:
    """Load the data below `root` and build the network of a spec.

    Args:
        data: splits on the CPU that take the place of the dataset's.

    Raises:
        UsageError, PluginError: a part is not installed, or does not fit.
        DataError: a data file, or a file among the options, is missing, truncated or altered.
    """
    chosen = spec.resolve()
    dataset, method = chosen.dataset.open(root), chosen.method
    setup = chosen.setup(dataset, seed=spec.seed)
    splits = load_splits(spec, dataset) if data is None else dict(data)
    whole = splits["train"].defined
    splits["train"] = trained_part(spec, splits["train"])
    network = build(method, setup).to(device)
    if spec.protocol.precision == "bf16":
        compute_in_bfloat16(network, device)
    balancer = build_balancer(method, dataset.tasks, seed=spec.seed).to(device)
    balancer.gradient_scale = spec.protocol.gradient_scale
    return Assembly(
        tasks=dataset.tasks,
        splits={name: split.to(device) for name, split in splits.items()},
        network=network,
        balancer=balancer,
        setup=setup,
        whole=whole if len(splits["train"]) < len(whole) else None,
        batches=tuple(dict.fromkeys(each.batches for each in dataset.conventions.values() if each.batches)),
    )


def build(method: MethodChoice, setup: Setup) -> Network:
    """Return the network with its initial weights, in the memory format with the fastest convolutions (channels last).

    Its batch normalization is exact in that format, and its convolutions are safe in it.

    Random numbers outside of the streams of `Setup` come from one stream of the seed, so that a run can be repeated.
    """
    setup = dataclasses.replace(setup, separate=not method.network_class.shares_parameters)
    with seeded(setup.seed, "build", "network"):
        network = method.network_class(method.network_options, setup)
    convert_batch_norm(network)
    convert_pointwise(network)
    return network.to(memory_format=torch.channels_last)


def build_balancer(method: MethodChoice, tasks: Sequence[Task], *, seed: int) -> Balancer:
    """Return the balancer with its initial state; its random numbers come from a stream of the seed."""
    with seeded(seed, "build", "balancer"):
        return method.balancer_class(method.balancer_options, tasks)


def load_splits(spec: RunSpec, dataset: Dataset) -> dict[str, Split]:
    """Return the splits of a run on the CPU.

    The training protocol sets the validation split and the number of training images, of which `assemble` takes a
    fraction. A trial of a search has no test split.

    Raises:
        DataError: a data file is missing, truncated or altered.
        PluginError: a target is not valid for the kind of its task.
    """
    held_out = ("val",) if spec.protocol.validation else ()
    names = ("train", *held_out, *(() if spec.trial else ("test",)))
    splits = {name: dataset.load(name, validation=spec.protocol.validation) for name in names}
    for name, split in splits.items():
        if not split.mapped_targets:  # maps that lie in files are read by `mtbench data prepare` and `mtbench check`
            check_targets(dataset.tasks, split, name)
    if spec.protocol.images:
        splits["train"] = splits["train"].first(spec.protocol.images)
    return splits


def trained_part(spec: RunSpec, train: Split) -> Split:
    """Return the training examples of a run: the fraction of those of `load_splits` that its protocol sets."""
    return train.first(max(1, round(spec.protocol.fraction * len(train))))
