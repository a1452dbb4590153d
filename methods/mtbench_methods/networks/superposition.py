"""Superposition: the weights of all tasks are in one network, and a task's context selects its own."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import partial
from typing import cast

import torch
from torch import Tensor, nn

from mtbench.contract import Inputs, OneTaskNetwork, Setup, option
from mtbench.errors import UsageError

from .rows import Asked, RowsByTask

__all__ = ["Superposition"]

WIDEST_ROTATION = 2048
"""Largest number of inputs of a layer for which a rotation is drawn: 16 MiB per task."""


@dataclass(frozen=True, kw_only=True)
class SuperpositionOptions:
    context: str = option(
        "binary",
        "signs, rotations of pairs of channels, or rotations of all channels",
        choices=("binary", "complex", "rotation"),
    )


class Superposition(OneTaskNetwork):
    """Superposition (Cheung et al. 2019): fixed random contexts separate the tasks within one set of weights.

    Every convolution and linear layer except the first binds its input x (B, C, ...) to the requested task t::

        y = W (c_t * x)

    c_t in {-1, +1}^C (binary); a phase for each pair of channels, by which the pair is rotated (complex, in its real
    form; a channel without a partner gets a sign); or an orthogonal C x C matrix (rotation). A convolution has one
    context for all places. The head is shared. Contexts are drawn uniformly and never trained.

    Chosen here: the first layer, which has 1 or 3 input channels, is not bound. The paper learns its tasks one after
    the other; here all are learned together, as in every method. A normalization between layers has no context.

    Compared with: the plain network with contexts multiplied into its weights, atol=1e-5
    (networks/test_superposition.py::test_a_task_sees_the_plain_network_with_its_contexts_multiplied_into_the_weights).
    """

    Options = SuperpositionOptions
    paper = "Cheung et al., Superposition of many models into one, NeurIPS 2019"
    title = "Superposition"
    bibtex = """@inproceedings{cheung2019superposition,
      title = {Superposition of many models into one},
      author = {Cheung, Brian and Terekhov, Alexander and Chen, Yubei and Agrawal, Pulkit and Olshausen, Bruno},
      booktitle = {Advances in Neural Information Processing Systems},
      year = {2019},
    }"""
    layouts = frozenset({"vector", "map"})

    def __init__(self, options: SuperpositionOptions, setup: Setup) -> None:
        super().__init__(options, setup)
        self.backbone = setup.build_backbone()
        self.branch = setup.head(self.backbone, self.widest, "branch")
        self.asked = Asked()
        layers = [(name, part) for name, part in self.named_modules() if isinstance(part, nn.Conv2d | nn.Linear)][1:]
        if not layers:
            raise UsageError(
                "method 'superposition' binds the inputs of a network's layers, and this one has none after its first."
            )
        bound = CONTEXTS[options.context]
        for name, layer in layers:
            width = layer.in_channels if isinstance(layer, nn.Conv2d) else layer.in_features
            if options.context == "rotation" and width > WIDEST_ROTATION:
                raise UsageError(
                    f"option 'context' of method 'superposition' is 'rotation', and layer '{name}' has {width} inputs: "
                    f"a {width} x {width} matrix for each task.",
                    mend="Use context=binary.",
                    allowed=f"Rotations are for layers of up to {WIDEST_ROTATION} inputs.",
                )
            with setup.initialized(f"context/{name}"):
                contexts = torch.stack([bound.draw(width) for _ in setup.tasks])
            self.set_submodule(name, bound(layer, contexts, self.asked))

    def forward(self, inputs: Inputs, task: Tensor) -> Tensor:
        with self.asked.about(RowsByTask(task, len(self.tasks))):
            return cast(Tensor, self.branch(self.backbone(inputs)))


class Superposed(nn.Module, ABC):
    """A layer whose input is bound to the task of each row.

    Attributes:
        contexts: the contexts of all tasks, each as returned by `draw`.
    """

    contexts: Tensor

    def __init__(self, layer: nn.Module, contexts: Tensor, asked: Asked) -> None:
        super().__init__()
        self.layer = layer
        self.register_buffer("contexts", contexts)
        self.asked = asked

    def forward(self, x: Tensor) -> Tensor:
        channels = 1 if isinstance(self.layer, nn.Conv2d) else -1
        return cast(Tensor, self.layer(self.bind(x.movedim(channels, -1)).movedim(-1, channels)))

    @staticmethod
    @abstractmethod
    def draw(width: int) -> Tensor:
        """Return the context of one task for an input of this number of channels."""

    @abstractmethod
    def bind(self, x: Tensor) -> Tensor:
        """Return x (B, ..., C), bound row by row."""

    def chosen(self, x: Tensor) -> Tensor:
        """Return the context of each row's task, a vector (B, 1, ..., n) that broadcasts with x (B, ..., C)."""
        contexts = self.contexts[self.asked.rows.task]
        return contexts.view(len(contexts), *[1] * (x.dim() - 2), -1)


class Flipped(Superposed):
    """The binary context: a sign for each channel, (C,). Binding twice undoes it."""

    @staticmethod
    def draw(width: int) -> Tensor:
        return 2.0 * torch.randint(2, (width,)) - 1

    def bind(self, x: Tensor) -> Tensor:
        return x * self.chosen(x)


class Turned(Superposed):
    """The complex context: a phase in [0, 2 pi) per pair of channels, (ceil(C / 2),); 0 or pi without a partner."""

    @staticmethod
    def draw(width: int) -> Tensor:
        phases = 2 * math.pi * torch.rand(width // 2)
        return torch.cat([phases, math.pi * torch.randint(2, (width % 2,))])

    def bind(self, x: Tensor) -> Tensor:
        width = x.shape[-1]
        whole = nn.functional.pad(x, (0, width % 2))  # the partner of an odd channel is 0
        phases, real, imaginary = self.chosen(x), whole[..., 0::2], whole[..., 1::2]
        cosine, sine = phases.cos(), phases.sin()
        turned = torch.stack([real * cosine - imaginary * sine, real * sine + imaginary * cosine], dim=-1)
        return turned.flatten(-2)[..., :width]


class Rotated(Superposed):
    """The rotation context: an orthogonal matrix, (C, C), drawn from Haar's measure, reflections included."""

    @staticmethod
    def draw(width: int) -> Tensor:
        rotation, triangle = torch.linalg.qr(torch.randn(width, width))
        signs = triangle.diagonal().sign()  # without them QR's own choice of signs would show
        return cast(Tensor, rotation * signs)

    def bind(self, x: Tensor) -> Tensor:
        return self.asked.rows.apply([partial(nn.functional.linear, weight=matrix) for matrix in self.contexts], x)


CONTEXTS: dict[str, type[Superposed]] = {"binary": Flipped, "complex": Turned, "rotation": Rotated}
