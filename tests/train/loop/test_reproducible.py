"""Runs of one seed have the same bits, whatever has been drawn before from the global generators."""

import dataclasses
import random
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mtbench.conformance.candidate import PROTOCOL, Candidate, Memory, built, state
from mtbench.conformance.world import plain
from mtbench.contract import (
    Balancer,
    Inputs,
    Losses,
    LossWeighting,
    Network,
    Setup,
    SharedRepresentation,
    Task,
    reseed,
)
from mtbench.train.loop import fit
from mtbench_methods.balancers.loss_weights.uniform import Uniform
from mtbench_methods.networks.branches import Branches
from tests.conformance.candidates import candidate

SHORT = dataclasses.replace(PROTOCOL, epochs=2)


class PlainLinear(SharedRepresentation):
    """Makes its branches of `nn.Linear`, outside of the setup's streams."""

    per_task = frozenset({"branches"})

    def __init__(self, options: Any, setup: Setup) -> None:
        super().__init__(options, setup)
        self.backbone = setup.build_backbone()
        self.branches = nn.ModuleList(nn.Linear(self.backbone.features, task.kind.output_size) for task in setup.tasks)

    def encode(self, inputs: Inputs) -> Tensor:
        z: Tensor = self.backbone(inputs)
        return z

    def decode(self, z: Tensor) -> list[Tensor]:
        return [branch(z) for branch in self.branches]


class FromNumpy(Branches):
    """Draws a scale of z from NumPy in `__init__`, and noise from Python as it is trained."""

    def __init__(self, options: Any, setup: Setup) -> None:
        super().__init__(options, setup)
        self.scale = nn.Parameter(torch.tensor(np.random.rand() + 0.5))

    def encode(self, inputs: Inputs) -> Tensor:
        return super().encode(inputs) * self.scale * (1 + 0.1 * random.random() * self.training)


class Restarts(Branches):
    """Draws the branch of a task that is added."""

    def welcome(self, index: int) -> None:
        with torch.no_grad():
            for parameter in self.branches[index].parameters():
                parameter.copy_(0.1 * torch.randn(parameter.shape))


class DrawnStart(LossWeighting):
    """Draws the weights that it begins with."""

    def __init__(self, options: Any, tasks: Sequence[Task]) -> None:
        super().__init__(options, tasks)
        self.register_buffer("start", torch.rand(len(tasks)))

    def weigh(self, losses: Losses) -> Tensor:  # noqa: ARG002
        assert isinstance(self.start, Tensor)
        return self.start


def weights(mine: Candidate, *, before: int, seed: int = 0) -> dict[str, Tensor]:
    """Return the state after a training that begins with the global generators in some state."""
    reseed(before)
    run = built(mine, plain(2, 48), seed=seed)
    fit(run, SHORT, keeper=Memory(), points=())
    return dict(state(run))


@pytest.mark.parametrize(
    ("network", "balancer"),
    [(PlainLinear, Uniform), (FromNumpy, Uniform), (Branches, DrawnStart)],
    ids=["torch in __init__", "NumPy in __init__ and Python in forward", "torch in a balancer"],
)
def test_a_seed_gives_the_same_bits_whatever_was_drawn_before(network: type[Network], balancer: type[Balancer]) -> None:
    first, second = (weights(candidate(network, balancer), before=before) for before in (1, 2))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_what_is_drawn_for_an_added_task_is_the_same_after_an_interruption() -> None:
    runs = []
    for stop_after in (None, 2):
        memory = Memory(stop_after=stop_after)
        for _ in range(1 if stop_after is None else 2):
            runs.append(built(candidate(Restarts), plain(2, 48)))
            with suppress(InterruptedError):
                fit(runs[-1], dataclasses.replace(SHORT, adds="all"), keeper=memory, points=())
            memory.stop_after = None
            reseed(9)
    whole, _, resumed = (state(run) for run in runs)
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_another_seed_draws_others_outside_of_the_streams_too() -> None:
    first, second = (weights(candidate(PlainLinear), before=1, seed=seed) for seed in (0, 1))
    branches = [name for name in first if "branches" in name]
    assert branches
    assert all(not torch.equal(first[name], second[name]) for name in branches)


def test_building_leaves_the_global_generators_as_they_were() -> None:
    reseed(5)
    expected = torch.rand(3), np.random.rand(), random.random()
    reseed(5)
    built(candidate(FromNumpy, DrawnStart), plain(2, 48))
    assert torch.equal(torch.rand(3), expected[0])
    assert (np.random.rand(), random.random()) == expected[1:]


def test_what_a_balancer_draws_moves_no_weight_of_the_network() -> None:
    first, second = (built(candidate(PlainLinear, each), plain(2, 48)).network for each in (Uniform, DrawnStart))
    assert all(torch.equal(*pair) for pair in zip(first.parameters(), second.parameters(), strict=True))
