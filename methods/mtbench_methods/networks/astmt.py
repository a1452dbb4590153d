"""Attentive single-tasking: one backbone with attention, adapters and normalization for each task."""

import copy
import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias, cast

import torch
from torch import Tensor, nn

from mtbench.contract import Batch, BatchNorm, Conformance, Inputs, Losses, OneTaskNetwork, Setup, normalize, option

from .rows import Asked, RowBranches, RowsByTask, per_channel

__all__ = ["Astmt"]

Norm: TypeAlias = nn.BatchNorm1d | nn.BatchNorm2d

ADVERSARIAL_SHARE = 0.01
"""w, the weight of the discriminator's loss."""


@dataclass(frozen=True, kw_only=True)
class AstmtOptions:
    se: bool = option(True, "squeeze and excitation per task, on every stage's map")
    adapters: bool = option(True, "a residual adapter per task beside every spatial convolution")
    task_norm: bool = option(True, "batch normalization per task, where the backbone has any")
    adversarial: bool = option(True, "a discriminator that is not to tell tasks by their gradients in z")


class Astmt(OneTaskNetwork):
    """Attentive single-tasking (Maninis et al. 2019): one backbone, modulated for the requested task.

    For the task t, with G the mean over places and z the representation (B, features)::

        conv(x) + A_t x                                beside every convolution with a kernel above 1, A_t 1 x 1 from 0
        BN_t(x)                                        in place of every batch normalization of the backbone
        x * sigmoid(W2_t relu(W1_t G(x)))              on every stage's map, max(4, C / 16) hidden units
        y = branch_t(z)

    and, with g = dL_t/dz of each image and d = Linear relu Linear from z's features to T logits::

        L = (1 - w) L_t + w CE(d(R(g / (|g| + 1e-10))), t)                   w = 0.01
        R  is the identity; backwards it multiplies by -(2 / (1 + exp(-10 e / E)) - 1) in epoch e of E

    Maps are excited before their last nonlinearity. An adapter has its convolution's stride, and its input is cropped
    to the center of the kernel if the convolution is not padded. The discriminator learns 10 times as fast as the
    backbone, task-specific parts T times.

    Chosen here: one task is drawn per image (the released code makes one step for each task). A task with one value per
    channel in a batch is normalized by its running statistics. If z is a map (B, features, H, W), g is its mean over
    places: the gradient in a shift of the whole map (the paper discriminates maps by convolutions). Balancers work on
    the backbone; the discriminator, the tasks' opponent, is not part of it.

    Compared with: the formulas written out again, atol=1e-5, atol=1e-6
    (networks/test_astmt.py::test_excitation_is_that_of_its_formula); the adversary's gradients, one for each side,
    atol=1e-12 (networks/test_astmt.py::test_the_discriminator_descends_its_loss_and_the_network_ascends_it).
    """

    Options = AstmtOptions
    paper = "Maninis et al., Attentive Single-Tasking of Multiple Tasks, CVPR 2019"
    title = "ASTMT"
    bibtex = """@inproceedings{maninis2019attentive,
      title = {Attentive Single-Tasking of Multiple Tasks},
      author = {Maninis, Kevis-Kokitsi and Radosavovic, Ilija and Kokkinos, Iasonas},
      booktitle = {IEEE/CVF Conference on Computer Vision and Pattern Recognition (CVPR)},
      year = {2019},
    }"""
    per_task = frozenset({"excitation", "adapters", "norms", "branches"})
    conformance = Conformance(grows=frozenset({"discriminator"}))
    needs_stages = True
    layouts = frozenset({"vector", "map"})

    def __init__(self, options: AstmtOptions, setup: Setup) -> None:
        super().__init__(options, setup)
        self.backbone = setup.build_backbone()
        heads = [setup.head(self.backbone, task.kind.output_size, f"branch/{task.name}") for task in setup.tasks]
        self.branches = RowBranches(heads, self.widest)
        self.asked = Asked()
        self.excitation, self.adapters, self.norms = nn.ModuleDict(), nn.ModuleList(), nn.ModuleList()
        if options.se:
            for name, shape in zip(self.backbone.stages, self.backbone.shapes, strict=True):
                with setup.initialized(f"excitation/{name}"):
                    self.excitation[name] = nn.ModuleList([squeeze_and_excite(shape.pre[0]) for _ in setup.tasks])
        if options.adapters:
            with setup.initialized("adapters"):
                self.adapt()
        if options.task_norm:
            self.normalize_by_task()
        if options.adversarial:
            for part in self.branches.modules():  # the gradient in z passes through them and is differentiated again
                if isinstance(part, nn.BatchNorm2d):  # which the harness turns into a `BatchNorm`
                    cast(BatchNorm, part).twice_differentiable = True
            features = self.backbone.features
            with setup.initialized("discriminator"):
                self.discriminator = nn.Sequential(
                    nn.Linear(features, features), nn.ReLU(), nn.Linear(features, len(setup.tasks))
                )
        self.reversal = 0.0

    def adapt(self) -> None:
        """Put T adapters beside every spatial convolution of the stages."""
        for name, part in list(self.backbone.stages.named_modules()):
            if isinstance(part, nn.Conv2d) and max(part.kernel_size) > 1:
                adapters = [adapter(part) for _ in self.tasks]
                self.adapters.append(nn.ModuleList(adapters))
                self.backbone.stages.set_submodule(name, Adapted(part, adapters, self.asked))

    def normalize_by_task(self) -> None:
        """Put T copies in the place of every batch normalization of the backbone."""
        for name, part in list(self.backbone.named_modules()):
            if isinstance(part, Norm):
                norms = [copy.deepcopy(part) for _ in self.tasks]
                self.norms.append(nn.ModuleList(norms))
                self.backbone.set_submodule(name, NormalizedByTask(norms, self.asked))

    def forward(self, inputs: Inputs, task: Tensor) -> Tensor:
        rows = RowsByTask(task, len(self.tasks))
        return cast(Tensor, self.branches(self.represent(inputs, rows), rows))

    def represent(self, inputs: Inputs, rows: RowsByTask) -> Tensor:
        """Return z (B, features), each row for its own task."""
        with self.asked.about(rows):
            return self.backbone.walk(cast(Tensor, inputs), lambda name, maps: self.excite(name, maps, rows))

    def excite(self, name: str, maps: Tensor, rows: RowsByTask) -> Tensor:
        """Return the feature map (B, C, H, W) of a stage, with channels weighted by their means over places."""
        if name not in self.excitation:
            return maps
        weights = rows.apply(list(cast(nn.ModuleList, self.excitation[name])), maps.mean((2, 3)))
        return maps * per_channel(weights, maps)

    def losses(self, batch: Batch) -> Losses:
        """Return the tasks' losses with their parts of the discriminator's; the same with and without a recorded
        graph."""
        if not self.options.adversarial:
            return super().losses(batch)
        count = len(self.tasks)
        if batch.drawn is None:
            asked = [RowsByTask(self.asking(batch.inputs, index), count) for index in range(count)]
        else:
            asked = [RowsByTask(batch.drawn.repeat_interleave(batch.inputs_per_example), count)]
        with torch.enable_grad():
            seen = [self.represent(batch.inputs, rows) for rows in asked]
            answers = [self.fitted(self.branches(z, rows)) for z, rows in zip(seen, asked, strict=True)]
            once = batch.drawn is not None
            losses = self.mean_losses([answers[0 if once else task][task] for task in range(count)], batch)
            if not losses.present_mask.any():
                return losses
            # Summed over examples, not averaged, so that each gradient is that of an example's own loss.
            total = (losses.means * losses.counts).sum()
            felt = torch.autograd.grad(total, seen, create_graph=True, allow_unused=True, materialize_grads=True)
            told = self.told([felt[0 if once else task] for task in range(count)], batch)
        return dataclasses.replace(losses, means=(1 - ADVERSARIAL_SHARE) * losses.means + ADVERSARIAL_SHARE * told)

    def told(self, felt: Sequence[Tensor], batch: Batch) -> Tensor:
        """Return (T,) the discriminator's mean loss on each task's gradients, 0 for a task that is absent.

        Args:
            felt: the gradients in z (B * V, features, ...) of each task, right where the batch may use the row.
        """
        means = []
        for task, (gradients, use) in enumerate(zip(felt, batch.use, strict=True)):
            rows = use.repeat_interleave(batch.inputs_per_example).nonzero().squeeze(1)
            if not len(rows):
                means.append(gradients.new_zeros(()))
                continue
            gradients = gradients[rows].reshape(len(rows), gradients.shape[1], -1).mean(2)
            unit = gradients / (gradients.norm(dim=1, keepdim=True) + 1e-10)
            logits = self.discriminator(reverse(unit, self.reversal))
            means.append(nn.functional.cross_entropy(logits, torch.full_like(rows, task)))
        return torch.stack(means)

    def begin_epoch(self, epoch: int, epochs: int) -> None:
        self.reversal = 2 / (1 + math.exp(-10 * (epoch + 1) / epochs)) - 1

    def lr_factors(self) -> Mapping[str, float]:
        return {"discriminator": 10.0} | {part: float(len(self.tasks)) for part in self.per_task}

    def shared_parameters(self) -> list[nn.Parameter]:
        """Return the backbone's parameters: the discriminator works against the tasks, not for them."""
        return list(self.backbone.parameters())


class Adapted(nn.Module):
    """A convolution with an adapter per task added to it: conv(x) + A_t x."""

    def __init__(self, convolution: nn.Conv2d, adapters: Sequence[nn.Conv2d], asked: Asked) -> None:
        super().__init__()
        self.convolution = convolution
        self.own = tuple(adapters)  # in a tuple, since they are parts of the network and not of its backbone
        self.asked = asked
        self.margins = margins(convolution)

    def forward(self, x: Tensor) -> Tensor:
        center = nn.functional.pad(x, self.margins)
        return cast(Tensor, self.convolution(x)) + self.asked.rows.apply(self.own, center)


class NormalizedByTask(nn.Module):
    """Batch normalization with weights and statistics per task, over the rows of the task."""

    def __init__(self, norms: Sequence[Norm], asked: Asked) -> None:
        super().__init__()
        self.own = tuple(norms)  # as above
        self.asked = asked

    def forward(self, x: Tensor) -> Tensor:
        return self.asked.rows.apply([partial(normalize, norm) for norm in self.own], x)


def adapter(convolution: nn.Conv2d) -> nn.Conv2d:
    """Return a 1 x 1 convolution with the input and output of a convolution, initially zero."""
    channels = convolution.in_channels, convolution.out_channels
    made = nn.Conv2d(*channels, 1, stride=cast(tuple[int, int], convolution.stride), bias=False)
    nn.init.zeros_(made.weight)
    return made


def margins(convolution: nn.Conv2d) -> list[int]:
    """Return the padding (left, right, top, bottom; negative: cropped) that keeps only the center of each kernel."""
    sides: list[int] = []
    for axis in (1, 0):
        reach = convolution.dilation[axis] * (convolution.kernel_size[axis] - 1)
        if convolution.padding == "same":
            sides += [0, 0]
            continue
        padding = 0 if isinstance(convolution.padding, str) else convolution.padding[axis]
        sides += [padding - reach // 2, padding - (reach - reach // 2)]
    return sides


def squeeze_and_excite(channels: int) -> nn.Sequential:
    """Return a module from the mean of each channel (n, C) to its weight in (0, 1)."""
    hidden = max(4, channels // 16)
    return nn.Sequential(nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, channels), nn.Sigmoid())


def reverse(x: Tensor, factor: float) -> Tensor:
    """Return x; in the backward pass the gradient is multiplied by -factor (Ganin & Lempitsky 2015)."""
    return x.detach() + factor * (x.detach() - x)
