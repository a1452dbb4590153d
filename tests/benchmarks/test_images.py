"""An epoch from the memory map: its time over that of torchvision's, and its memory over that of fewer images.

Nothing is asserted of time. Epochs are timed in turn, A B A B ..., in wall and CPU seconds; the ratios printed are
those of the medians.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder as TorchvisionFolder

from mtbench.train.batches.prefetch import batches
from mtbench_datasets.images import ImageFolder
from tests.datasets.images.pictures import split_of

pytestmark = pytest.mark.benchmark

MEAN, STD, BATCH, ROUNDS = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), 64, 5
FLAT = 1.2
"""Peak memory with 20,000 images over that with 1,000, at most."""


def write_pngs(folder: Path, count: int, size: tuple[int, int], distinct: int = 500) -> list[Path]:
    """Write PNG files of random pixels; where there are more than are to be distinct, others are links to these."""
    folder.mkdir(parents=True)
    files = [folder / f"{number:05}.png" for number in range(count)]
    for number, file in enumerate(files):
        if number < distinct:
            pixels = np.random.default_rng(number).integers(0, 256, (*size, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(file)
        else:
            os.link(files[number % distinct], file)
    return files


def seconds_of(epoch: Callable[[], int]) -> tuple[float, float]:
    """Wall and CPU seconds of an epoch, those of finished child processes included."""

    def cpu() -> float:
        return sum(os.times()[:4])

    wall, used = time.perf_counter(), cpu()
    epoch()
    return time.perf_counter() - wall, cpu() - used


@pytest.mark.parametrize(
    ("count", "original", "size"),
    [(400, (320, 480), (224, 224)), (2000, (120, 160), (120, 160)), (2000, (120, 160), (64, 64))],
)
def test_an_epoch_from_the_map_over_one_of_torchvision(
    count: int, original: tuple[int, int], size: tuple[int, int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.set_num_threads(1)
    files = write_pngs(tmp_path / "originals" / "class", count, original)
    folder = ImageFolder(stem="images", files=files, size=size, root=tmp_path, owner="benchmark")
    folder.prepare(lambda _: None)
    split = split_of(folder.open(), mean=MEAN, std=STD)
    change = transforms.Compose(
        [transforms.Resize(size), transforms.ToTensor(), transforms.Normalize(MEAN, STD)],
    )
    theirs = TorchvisionFolder(str(tmp_path / "originals"), transform=change)
    seventh = split.batch(torch.tensor([7])).inputs
    assert isinstance(seventh, Tensor)
    assert torch.allclose(seventh[0], theirs[7][0], atol=1e-5)

    def ours() -> int:
        rows: list[tuple[Tensor, None]] = [(rows, None) for rows in torch.split(torch.randperm(count), BATCH)]
        return sum(len(batch.rows) for batch in batches(split, rows))

    def loader(workers: int) -> Callable[[], int]:
        return lambda: sum(
            len(images) for images, _ in DataLoader(theirs, batch_size=BATCH, shuffle=True, num_workers=workers)
        )

    epochs = {"ours": ours, "theirs": loader(0), "theirs in processes": loader(len(os.sched_getaffinity(0)))}
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in epochs}
    for _ in range(ROUNDS):
        for name, epoch in epochs.items():
            found[name].append(seconds_of(epoch))
    wall, cpu = ({name: median(pair[kind] for pair in found[name]) / count for name in epochs} for kind in (0, 1))
    with capsys.disabled():
        print(  # noqa: T201
            f"\nepoch of {original[1]} x {original[0]} at {size[1]} x {size[0]} from the map / torchvision's: "
            f"CPU {cpu['ours'] / cpu['theirs']:.3f} ({1e3 * cpu['ours']:.2f} / {1e3 * cpu['theirs']:.2f} ms an image), "
            f"wall {wall['ours'] / wall['theirs']:.3f}, with workers {wall['ours'] / wall['theirs in processes']:.3f}"
        )


EPOCH = """
import sys
from pathlib import Path
import torch
from mtbench.train.cost.memory import peak_memory
from mtbench.train.batches.prefetch import batches
from mtbench_datasets.images import ImageFolder
from tests.datasets.images.pictures import split_of
import dataclasses

root, kept = Path(sys.argv[1]), sys.argv[2] == "kept"
files = sorted((root / "originals").iterdir())
mapped = ImageFolder(stem="images", files=files, size=(120, 160), root=root, owner="benchmark").open()
split = split_of(mapped)
if kept:
    split = dataclasses.replace(split, release=lambda: None)
total = sum(float(b.inputs.sum()) for b in batches(split, [(r, None) for r in torch.randperm(len(files)).split(64)]))
print(peak_memory())
"""


def peak(root: Path, kept: str = "") -> int:
    """Return the peak memory in bytes of a process that goes through an epoch, pages of the map among it."""
    done = subprocess.run(
        [sys.executable, "-c", EPOCH, root, kept], capture_output=True, text=True, check=True, timeout=300
    )
    return int(done.stdout)


def test_peak_memory_is_flat_in_the_number_of_images(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for count in (1_000, 20_000):
        root = tmp_path / str(count)
        files = write_pngs(root / "originals", count, (120, 160))
        folder = ImageFolder(stem="images", files=files, size=(120, 160), root=root, owner="benchmark")
        folder.prepare(lambda _: None)
    few, many = peak(tmp_path / "1000"), peak(tmp_path / "20000")
    kept = peak(tmp_path / "20000", "kept")
    with capsys.disabled():
        print(  # noqa: T201
            f"\npeak memory of an epoch of 20,000 images / 1,000: {many / few:.3f} "
            f"({many / 1e6:.0f} / {few / 1e6:.0f} MB); without release {kept / few:.3f}"
        )
    assert many / few < FLAT < kept / few
