"""Networks that are wrong in one way each."""

import dataclasses
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mtbench.contract import Batch, Inputs, Losses, Setup
from mtbench_methods.networks.branches import Branches


class PlainLinear(Branches):
    """Makes a layer outside of the streams of the setup."""

    def __init__(self, options: Any, setup: Setup) -> None:
        super().__init__(options, setup)
        self.gate = nn.Linear(self.backbone.features, self.backbone.features)

    def encode(self, inputs: Inputs) -> Tensor:
        z = super().encode(inputs)
        gated: Tensor = z * self.gate(z).sigmoid()
        return gated


class OwnRandomness(Branches):
    """Draws initial weights from a generator of the module."""

    def __init__(self, options: Any, setup: Setup) -> None:
        super().__init__(options, setup)
        self.scale = nn.Parameter(torch.rand(self.backbone.features, generator=GENERATOR))

    def encode(self, inputs: Inputs) -> Tensor:
        return super().encode(inputs) * self.scale


GENERATOR = torch.Generator().manual_seed(0)


class AtImport(Branches):
    """Draws initial weights as its module is imported."""

    def __init__(self, options: Any, setup: Setup) -> None:
        super().__init__(options, setup)
        self.scale = nn.Parameter(torch.tensor(SCALE, dtype=torch.float32))

    def encode(self, inputs: Inputs) -> Tensor:
        return super().encode(inputs) * self.scale


SCALE = np.random.rand(50)


class OwnNoise(Branches):
    """Draws noise in training from a generator that no checkpoint carries."""

    def __init__(self, options: Any, setup: Setup) -> None:
        super().__init__(options, setup)
        self.generator = torch.Generator().manual_seed(setup.seed)

    def encode(self, inputs: Inputs) -> Tensor:
        z = super().encode(inputs)
        return z + 0.1 * torch.rand(z.shape, generator=self.generator) if self.training else z


class ModuleNoise(Branches):
    """Draws noise in training from a generator of the module."""

    def encode(self, inputs: Inputs) -> Tensor:
        z = super().encode(inputs)
        return z + 0.1 * torch.rand(z.shape, generator=GENERATOR) if self.training else z


class Narrow(Branches):
    """One value too few for each task."""

    def decode(self, z: Tensor) -> list[Tensor]:
        return [output[:, 1:] for output in super().decode(z)]


class Shorter(Branches):
    """No output for the last input."""

    def decode(self, z: Tensor) -> list[Tensor]:
        return [output[:-1] for output in super().decode(z)]


class OneTask(Branches):
    """Answers the first task alone."""

    def decode(self, z: Tensor) -> list[Tensor]:
        return super().decode(z)[:1]


class OneAuxiliary(Branches):
    """One auxiliary loss for all tasks, which a sum would broadcast."""

    def losses(self, batch: Batch) -> Losses:
        losses = super().losses(batch)
        return dataclasses.replace(losses, auxiliary=losses.means.mean())


class LongPenalty(Branches):
    """A penalty that is a vector."""

    def penalty(self) -> Tensor:
        return next(self.backbone.parameters()).square().flatten(1).sum(1)


class Undeclared(Branches):
    """Two parts that grow and are not declared."""

    per_task = frozenset[str]()

    def __init__(self, options: Any, setup: Setup) -> None:
        super().__init__(options, setup)
        self.scales = nn.Parameter(torch.ones(len(setup.tasks), self.backbone.features))

    def decode(self, z: Tensor) -> list[Tensor]:
        return [branch(z * scale) for branch, scale in zip(self.branches, self.scales, strict=True)]


class Channels(Branches):
    """Maps with a dimension too many."""

    task_map_name = "brightness"

    def task_map(self, inputs: Inputs, index: int) -> Tensor:  # noqa: ARG002
        assert isinstance(inputs, Tensor)
        return inputs


class Counting(Branches):
    """Counts how often it is used, in evaluation too."""

    def __init__(self, options: Any, setup: Setup) -> None:
        super().__init__(options, setup)
        self.register_buffer("uses", torch.zeros(()))

    def encode(self, inputs: Inputs) -> Tensor:
        assert isinstance(self.uses, Tensor)
        self.uses += 1
        return super().encode(inputs)


class Widens(Branches):
    """Makes another head for a task that is added."""

    def welcome(self, index: int) -> None:
        self.branches[index] = nn.Linear(self.backbone.features, 5)


class Restarts(Branches):
    """Starts again for a task that is added."""

    def welcome(self, index: int) -> None:  # noqa: ARG002
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.zero_()


class Fails(Branches):
    """Takes for granted that z has 500 features."""

    def encode(self, inputs: Inputs) -> Tensor:
        return super().encode(inputs) * torch.ones(500)
