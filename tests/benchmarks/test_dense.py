"""An epoch of dense-mini on one core, over that of a plain loop with a DataLoader of its files on two.

Nothing is asserted of time. Epochs are timed in turn, in wall and CPU seconds; the ratios printed are of the medians.
"""

import copy
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from mtbench.contract import Network
from mtbench.contract.networks.normalization import BatchNorm
from mtbench.plan.grid import Request, plan
from mtbench.plan.parse import parse_dataset
from mtbench.train.assemble import Assembly, assemble
from mtbench.train.batches.prefetch import batches
from mtbench.train.machine.device import deterministic
from tests.benchmarks.test_speed import show

pytestmark = pytest.mark.benchmark

IMAGES, BATCH, ROUNDS, WORKERS = 96, 8, 3, 2
DATASET = f"dense-mini:train={IMAGES}:test=8"
MEAN, STD = (torch.tensor(values)[:, None, None] for values in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))


class Files(Dataset[tuple[Tensor, ...]]):
    """Images, labels, depths and normals as they lie on the disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __len__(self) -> int:
        return IMAGES

    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        image, label, depth, normal = (
            torch.from_numpy(np.load(self.folder / name / f"{index}.npy"))
            for name in ("image", "label", "depth", "normal")
        )
        image = (image.permute(2, 0, 1).float() - MEAN) / STD
        return image, label.long(), depth.float().permute(2, 0, 1), normal.float().permute(2, 0, 1)


def as_written_by_hand(network: Network) -> Network:
    """Return a copy with torch's batch normalization, in torch's default memory format."""
    theirs = copy.deepcopy(network)
    for module in list(theirs.modules()):
        for name, child in module.named_children():
            if isinstance(child, BatchNorm):
                setattr(module, name, nn.BatchNorm2d(child.num_features, child.eps, child.momentum))
    return theirs.to(memory_format=torch.contiguous_format)


def losses_of(outputs: list[Tensor], label: Tensor, depth: Tensor, normal: Tensor) -> Tensor:
    """Return the sum of LibMTL's losses: over defined pixels of the batch."""
    known = depth > 0
    turned = (normal != 0).any(1)
    cosine = nn.functional.cosine_similarity(outputs[2], normal, dim=1)
    return (
        nn.functional.cross_entropy(outputs[0], label, ignore_index=-1)
        + (outputs[1] - depth).abs()[known].mean()
        + (1 - cosine)[turned].mean()
    )


def by_hand(network: Network, folder: Path) -> Callable[[], None]:
    theirs = as_written_by_hand(network).train()
    optimizer = torch.optim.Adam(theirs.parameters(), lr=1e-3)

    def epoch() -> None:
        for image, label, depth, normal in DataLoader(Files(folder), BATCH, shuffle=True, num_workers=WORKERS):
            optimizer.zero_grad()
            losses_of(theirs.all_outputs(image), label, depth, normal).backward()  # type: ignore[no-untyped-call]
            optimizer.step()

    return epoch


def by_the_harness(run: Assembly) -> Callable[[], None]:
    optimizer = torch.optim.Adam(run.network.parameters(), lr=1e-3)

    def epoch() -> None:
        run.network.train()
        for batch in batches(
            run.splits["train"], [(rows, None) for rows in torch.split(torch.randperm(IMAGES), BATCH)]
        ):
            optimizer.zero_grad()
            run.balancer.backward(run.network, batch)
            optimizer.step()

    return epoch


@contextmanager
def threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    yield
    torch.set_num_threads(before)


def seconds_of(epoch: Callable[[], None], cores: int) -> tuple[float, float]:
    """Wall and CPU seconds, those of finished child processes included."""
    with threads(cores):
        wall, used = time.perf_counter(), sum(os.times()[:4])
        epoch()
        return time.perf_counter() - wall, sum(os.times()[:4]) - used


def test_an_epoch_of_dense_mini_over_a_plain_loop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    deterministic(torch.device("cpu"), "float32")
    dataset = parse_dataset(DATASET).open(tmp_path)
    dataset.prepare(lambda _: None)
    spec = plan(Request(methods=["branches+uniform"], datasets=[DATASET], settings={}, seeds=[0]))[0]
    run = assemble(spec, root=tmp_path, device=torch.device("cpu"))
    assert run.splits["train"].release is not None
    [folder] = tmp_path.glob("dense-mini*/train")
    epochs = {"ours": (by_the_harness(run), 1), "theirs": (by_hand(run.network, folder), WORKERS)}
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in epochs}
    for _ in range(1 + ROUNDS):
        for name, (epoch, cores) in epochs.items():
            found[name].append(seconds_of(epoch, cores))
    wall, cpu = ({name: median(pair[kind] for pair in found[name][1:]) for name in epochs} for kind in (0, 1))
    show(
        capsys,
        f"epoch of dense-mini on one core / plain loop on two: wall {wall['ours'] / wall['theirs']:.2f} (goal .6), "
        f"CPU {cpu['ours'] / cpu['theirs']:.2f}; {wall['ours']:.1f} / {wall['theirs']:.1f} s for {IMAGES} images",
    )
