"""Epochs of the harness over those of loops that one would write by hand. Nothing is asserted of time.

Epochs are timed in turn, A B A B ..., in CPU seconds, and in wall seconds where the two sides have different numbers of
cores; the ratio printed is that of the medians.
"""

import os
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from mtbench.engines.heap import keep_freed_memory
from mtbench.store.record import CurvePoint
from mtbench.train.assemble import Assembly, assemble
from mtbench.train.batches.order import draw_tasks
from mtbench.train.machine.device import deterministic
from mtbench.train.trained import train
from tests.benchmarks.test_dense import seconds_of
from tests.benchmarks.test_speed import CPU, show, spec_of

pytestmark = pytest.mark.benchmark

MEAN, STD = 0.1307, 0.3081


class Stopwatch:
    """A keeper that times each epoch of the harness, and runs an epoch of another loop between two of them.

    Attributes:
        harness, rival: wall and CPU seconds of each epoch.
    """

    def __init__(self, rival: Callable[[], None], *, cores: int = 1) -> None:
        self.run_rival, self.cores = rival, cores
        self.harness: list[tuple[float, float]] = []
        self.rival: list[tuple[float, float]] = []
        self.started = now()

    def restore(self) -> None:
        return None

    def keep(self, state: dict[str, Any], curve: Sequence[CurvePoint]) -> None:  # noqa: ARG002
        wall, used = now()
        self.harness.append((wall - self.started[0], used - self.started[1]))
        self.rival.append(seconds_of(self.run_rival, self.cores))
        self.started = now()

    def ratios(self) -> tuple[float, float]:
        """Return the ratios of wall and of CPU seconds; the first epoch pays for loading, the last for the
        evaluation."""
        wall, used = (
            median(pair[kind] for pair in self.harness[1:-1]) / median(pair[kind] for pair in self.rival[1:-1])
            for kind in (0, 1)
        )
        return wall, used


def now() -> tuple[float, float]:
    return time.perf_counter(), sum(os.times()[:4])


def bare_epoch(run: Assembly, batch_size: int) -> Callable[[], None]:
    """Return an epoch that one would write by hand around the network and the batches of a run."""
    network, split = run.network, run.splits["train"]
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, fused=True)

    def epoch() -> None:
        network.train()
        for rows in torch.split(torch.randperm(len(split)), batch_size):
            task = draw_tasks(split.defined[rows], torch.default_generator) if network.one_task else None
            batch = split.batch(rows, task)
            optimizer.zero_grad()
            if task is None:
                pairs = zip(network(batch.inputs), batch.targets, strict=True)
                loss = torch.stack([nn.functional.cross_entropy(*pair) for pair in pairs]).mean()
            else:
                wanted = torch.stack(batch.targets, dim=1).gather(1, task[:, None]).squeeze(1)
                loss = nn.functional.cross_entropy(network(batch.inputs, task), wanted)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()

    return epoch


@pytest.mark.parametrize(("method", "images", "epochs"), [("uniform", 5_120, 11), ("td", 2_560, 7)])
def test_an_epoch_of_the_harness_over_a_bare_loop(
    method: str, images: int, epochs: int, data_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both train networks of one class, at a batch of 512, in a process with the heap of a worker."""
    deterministic(CPU, "float32")
    keep_freed_memory()
    spec = spec_of(method, images=str(images), epochs=str(epochs), batch="512")
    watch = Stopwatch(bare_epoch(assemble(spec, root=data_root, device=CPU), 512))
    train(spec, root=data_root, device=CPU, keeper=watch, points=())
    _, used = watch.ratios()
    show(capsys, f"epoch of the harness / bare loop, {method:8} CPU {used:5.3f}  (goal 1.03)")
    assert len(watch.harness) == epochs


class Pictures(Dataset[tuple[Tensor, Tensor]]):
    """Two-digit images and their labels, as public code has them: each is made a PIL image and changed when asked."""

    def __init__(self, images: Tensor, labels: Tensor) -> None:
        self.images, self.labels = images, labels
        self.change = transforms.Compose([transforms.ToTensor(), transforms.Normalize((MEAN,), (STD,))])

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.change(Image.fromarray(self.images[index, 0].numpy())), self.labels[index]


class PeerLeNet(nn.Module):
    """A LeNet with two heads, in torch's default memory format."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2, self.fc = nn.Conv2d(1, 10, 5), nn.Conv2d(10, 20, 5), nn.Linear(320, 50)
        self.heads = nn.ModuleList(nn.Sequential(nn.Linear(50, 50), nn.ReLU(), nn.Linear(50, 10)) for _ in range(2))

    def forward(self, x: Tensor) -> list[Tensor]:
        x = nn.functional.max_pool2d(self.conv1(x).relu(), 2)
        x = nn.functional.max_pool2d(self.conv2(x).relu(), 2)
        z = self.fc(x.flatten(1)).relu()
        return [head(z) for head in self.heads]


def backward_of_the_sum(network: nn.Module, losses: list[Tensor]) -> None:  # noqa: ARG001
    torch.stack(losses).sum().backward()  # type: ignore[no-untyped-call]


def backward_by_projection(network: nn.Module, losses: list[Tensor]) -> None:
    """PCGrad as public code has it: a backward pass for each task, gradients of all parameters as one vector."""
    parameters, gradients = list(network.parameters()), []
    for loss in losses:
        network.zero_grad()
        loss.backward(retain_graph=True)  # type: ignore[no-untyped-call]
        gradients.append(torch.cat([(torch.zeros_like(p) if p.grad is None else p.grad).flatten() for p in parameters]))
    projected = [gradient.clone() for gradient in gradients]
    for one in projected:
        for other in random.sample(gradients, len(gradients)):
            product = one @ other
            if product < 0:
                one -= product * other / other.norm() ** 2
    parts = torch.split(torch.stack(projected).sum(0), [p.numel() for p in parameters])
    for parameter, part in zip(parameters, parts, strict=True):
        parameter.grad = part.view_as(parameter)


def peer_epoch(
    images: Tensor, labels: Tensor, backward: Callable[[nn.Module, list[Tensor]], None], *, workers: int
) -> Callable[[], None]:
    """Return an epoch in the style of public multi-task code, at a batch of 256."""
    network = PeerLeNet()
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    loader = DataLoader(Pictures(images, labels), batch_size=256, shuffle=True, num_workers=workers)

    def epoch() -> None:
        for x, y in loader:
            optimizer.zero_grad()
            outputs = network(x)
            losses = [nn.functional.cross_entropy(output, y[:, index]) for index, output in enumerate(outputs)]
            backward(network, losses)
            optimizer.step()

    return epoch


@pytest.mark.parametrize(
    ("method", "backward", "goal"),
    [("uniform", backward_of_the_sum, 0.35), ("branches+pcgrad", backward_by_projection, 0.45)],
)
def test_an_epoch_on_one_core_over_a_peers_on_two(
    method: str,
    backward: Callable[[nn.Module, list[Tensor]], None],
    goal: float,
    data_root: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The peer's loop has one or two threads of torch and loads images in its own process or in two others, whichever
    is the fastest here and now: where other work runs on the cores, two threads wait for each other."""
    deterministic(CPU, "float32")
    epochs = 9
    spec = spec_of(method, "mmnist2", images="2560", epochs=str(epochs), batch="256")
    split = assemble(spec, root=data_root, device=CPU).splits["train"]
    assert isinstance(split.inputs, Tensor)
    labels = torch.stack(split.targets, dim=1)
    peers = {workers: peer_epoch(split.inputs, labels, backward, workers=workers) for workers in (0, 2)}
    tried = {(workers, cores): seconds_of(peer, cores) for workers, peer in peers.items() for cores in (1, 2)}
    workers, cores = min(tried, key=lambda ways: tried[ways])
    watch = Stopwatch(peers[workers], cores=cores)
    train(spec, root=data_root, device=CPU, keeper=watch, points=())
    wall, used = watch.ratios()
    show(
        capsys,
        f"epoch on one core / a peer's loop on two, {method:15} wall {wall:4.2f} (goal {goal}), CPU {used:4.2f}; "
        f"the peer has {cores} threads and {workers} processes that load",
    )
    assert len(watch.harness) == epochs
