"""A method tested in a small world: built and trained by the harness's own loop."""

import dataclasses
import io
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mtbench.conformance.maps import as_maps
from mtbench.conformance.triplets import fitting
from mtbench.conformance.world import SHAPE, World
from mtbench.contract import Setup, TrainingProtocol
from mtbench.contract.options import parse_options, render_value
from mtbench.errors import UsageError
from mtbench.plan.chosen import BackboneChoice, MethodChoice, load_backbone
from mtbench.plan.parse import parse_backbone, parse_method
from mtbench.plan.spec import Choice
from mtbench.store.record import CurvePoint, TaskResult
from mtbench.train.assemble import Assembly, build, build_balancer
from mtbench.train.loop import fit
from mtbench.train.machine.device import deterministic

__all__ = [
    "BACKBONE",
    "BATCH",
    "PROTOCOL",
    "Candidate",
    "Memory",
    "built",
    "parts_in",
    "primary",
    "state",
    "tiny",
    "trained",
]

BATCH = 16
PROTOCOL = TrainingProtocol(name="check", epochs=3, batch=BATCH, lr=3e-3, schedule="constant")
BACKBONE = "lenet"
"""The backbone that a method is tested on by default."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A method and the backbone that it is tested on."""

    method: MethodChoice
    backbone: BackboneChoice

    @staticmethod
    def of(text: str) -> "Candidate":
        """Return the candidate from a method as written on the command line, on LeNet unless it names a backbone."""
        method = parse_method(text)
        return Candidate(method=method, backbone=method.on(BACKBONE))

    def on(self, backbone: BackboneChoice) -> "Candidate":
        """Return the same method on another backbone."""
        return dataclasses.replace(self, backbone=backbone)


class Memory:
    """A keeper of states in memory, as in files, which may interrupt the training."""

    def __init__(self, *, stop_after: int | None = None, enough: float = float("inf")) -> None:
        """Args: interrupts after `stop_after` epochs, or when the curve's last mean accuracy is `enough`."""
        self.stop_after, self.enough = stop_after, enough
        self.kept: bytes | None = None
        self.best = 0.0

    def restore(self) -> dict[str, Any] | None:
        if self.kept is None:
            return None
        restored: dict[str, Any] = torch.load(io.BytesIO(self.kept), weights_only=True)
        return restored

    def keep(self, state: dict[str, Any], curve: Sequence[CurvePoint]) -> None:
        file = io.BytesIO()
        torch.save(state, file)
        self.kept = file.getvalue()
        if curve and curve[-1].epoch == state["epoch"]:
            accuracies = [primary(result) for result in curve[-1].results["test"].values()]
            self.best = max(self.best, sum(accuracies) / len(accuracies))
        if state["epoch"] == self.stop_after or self.best >= self.enough:
            raise InterruptedError


def primary(result: TaskResult) -> float:
    """Return the value of the primary metric, an accuracy in %."""
    return next(iter(result.metrics.values()))


def tiny(name: str) -> BackboneChoice:
    """Return an installed backbone at the smallest size that it declares; unchanged if options are given."""
    if ":" in name:
        return parse_backbone(name)
    options = parse_backbone(name).backbone_class.conformance.tiny
    return load_backbone(Choice(name=name, options={key: render_value(value) for key, value in options.items()}))


def built(candidate: Candidate, world: World, *, seed: int = 0, shape: tuple[int, ...] = SHAPE) -> Assembly:
    """Return the assembly for training in the world, whose examples are both training and test split.

    Raises:
        UsageError: the method does not fit the world.
    """
    method, world, setup = parts_in(candidate, world, seed=seed, shape=shape)
    return Assembly(
        tasks=world.tasks,
        splits={"train": world.split, "test": world.split},
        network=build(method, setup),
        balancer=build_balancer(method, world.tasks, seed=seed),
        setup=setup,
    )


def parts_in(
    candidate: Candidate, world: World, *, seed: int = 0, shape: tuple[int, ...] = SHAPE
) -> tuple[MethodChoice, World, Setup]:
    """Return the method with options that fit the world, the world with tasks that fit the method, and the setup.

    Raises:
        UsageError: the method does not fit the world.
    """
    method, backbone = candidate.method, candidate.backbone
    if method.network_class.needs_stages and not backbone.backbone_class.has_stages:
        raise UsageError(
            f"method '{method.title}' needs the feature maps of a backbone, and '{backbone.choice}' has none."
        )
    network = method.network_class
    if (layout := backbone.backbone_class.layout) not in network.layouts:
        raise UsageError(
            f"method '{method.title}' gives a {' or a '.join(sorted(network.layouts))} per input, and backbone "
            f"'{backbone.choice}' a {layout}."
        )
    world = as_maps(world, network.kinds) if layout == "map" else fitting(world, network.kinds)
    setup = Setup(
        tasks=world.tasks,
        backbone_class=backbone.backbone_class,
        backbone_options=backbone.options,
        input_shape=shape,
        points=True,
        seed=seed,
        separate=not network.shares_parameters,
    )
    balancer, options = method.balancer_class, method.balancer_options
    if (example := balancer.conformance.example(world.tasks)) and options == balancer.Options():
        options = parse_options(balancer.Options, example, owner=f"balancer '{method.balancer_choice.name}'")
    network.check(method.network_options, world.tasks)
    balancer.check(options, world.tasks)
    return dataclasses.replace(method, balancer_options=options), world, setup


def trained(
    candidate: Candidate,
    world: World,
    *,
    protocol: TrainingProtocol = PROTOCOL,
    seed: int = 0,
    memory: Memory | None = None,
    points: Collection[int] | None = (),
) -> Assembly:
    """Return the assembly after training, which the memory may interrupt."""
    deterministic(torch.device("cpu"), protocol.precision)
    run = built(candidate, world, seed=seed)
    with suppress(InterruptedError):
        fit(run, protocol, keeper=memory or Memory(), points=points)
    return run


def state(run: Assembly) -> Mapping[str, Tensor]:
    """Return every tensor of network and balancer by name."""
    return {
        f"{part}.{name}": value
        for part, module in (("network", run.network), ("balancer", run.balancer))
        for name, value in module.state_dict().items()
        if isinstance(value, Tensor)
    }
