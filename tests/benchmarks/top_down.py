"""The top-down network as one would write it by hand, in NCHW, and its steps beside those of `td`.

It stands for the released code of Levi & Ullman (2020), which is of that kind. ``python -m tests.benchmarks.top_down
ours DATA_ROOT`` prints the seconds of a step of `td` in a process that is set up as a worker's is, and with ``bare`` in
place of ``ours`` those of that network in a process of its own.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, interpolate, max_pool2d, one_hot

from mtbench.contract import Split
from mtbench.engines.heap import keep_freed_memory
from mtbench.train.assemble import assemble
from mtbench.train.machine.device import deterministic
from tests.benchmarks.test_speed import CPU, in_turn, spec_of, stepper


class Bare(nn.Module):
    """The top-down network on LeNet for three tasks of ten classes; its modules are in the order of ours."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2, self.fc = nn.Conv2d(1, 10, 5), nn.Conv2d(10, 20, 5), nn.Linear(320, 50)
        self.head = nn.Sequential(nn.Linear(50, 50), nn.ReLU(), nn.Linear(50, 10))
        self.td1, self.td2 = nn.Conv2d(10, 1, 5, padding=4), nn.Conv2d(20, 10, 5, padding=4)
        self.seen1, self.seen2, self.seen3 = nn.Conv2d(10, 10, 1), nn.Conv2d(20, 20, 1), nn.Conv2d(20, 20, 1)
        self.gate0, self.gate1, self.gate2 = nn.Conv2d(1, 1, 1), nn.Conv2d(10, 10, 1), nn.Conv2d(20, 20, 1)
        self.embedding = nn.Linear(3, 320)

    def forward(self, x: Tensor, task: Tensor) -> Tensor:
        a1 = self.conv1(x)
        a2 = self.conv2(max_pool2d(a1.relu(), 2))
        d3 = self.embedding(one_hot(task, 3).float()).view(-1, 20, 4, 4) + self.seen3(max_pool2d(a2.relu(), 2))
        d2 = interpolate(d3, (8, 8), mode="bilinear") + self.seen2(a2)
        d1 = interpolate(self.td2(d2), (24, 24), mode="bilinear") + self.seen1(a1)
        x = x * (1 + self.gate0(self.td1(d1)).sigmoid())
        x = max_pool2d((self.conv1(x) * (1 + self.gate1(d1).sigmoid())).relu(), 2)
        x = max_pool2d((self.conv2(x) * (1 + self.gate2(d2).sigmoid())).relu(), 2)
        return cast(Tensor, self.head(self.fc(x.flatten(1)).relu()))


def bare_step(network: Bare, split: Split) -> Callable[[], float]:
    """Return one optimizer step on a random task of each of 512 images; gives its CPU seconds."""
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    images, labels = split.inputs, torch.stack(split.targets, dim=1)
    assert isinstance(images, Tensor)

    def step() -> float:
        rows, task = torch.randperm(len(images))[:512], torch.randint(3, (512,))
        started = time.process_time()
        x = (images[rows].float() / 255 - 0.1307) / 0.3081
        loss = cross_entropy(network(x, task), labels[rows].gather(1, task[:, None])[:, 0])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        return time.process_time() - started

    return step


def main(which: str, root: Path) -> None:
    """Print the median of the CPU seconds of a step."""
    torch.set_num_threads(1)
    deterministic(CPU, "float32")
    if which == "ours":
        keep_freed_memory()
    run, bare = assemble(spec_of("td"), root=root, device=CPU), Bare()
    with torch.no_grad():
        for theirs, ours in zip(bare.parameters(), run.network.parameters(), strict=True):
            theirs.copy_(ours)
        images, task = torch.rand(64, 1, 28, 28), torch.arange(64) % 3
        torch.testing.assert_close(run.network(images, task), bare(images, task))
    step = stepper(run) if which == "ours" else bare_step(bare, run.splits["train"])
    sys.stdout.write(f"{in_turn({which: step})[which]}\n")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
