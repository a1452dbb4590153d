"""The world of rooms as a dataset: drawn, read by the loader of the real files, and mended."""

from pathlib import Path

import numpy as np
import pytest
import torch

from mtbench.contract import Dataset, Depth, Normals, Segmentation
from mtbench.errors import DataError
from mtbench.plan.grid import Request, plan
from mtbench.plan.parse import parse_dataset
from mtbench.train.assemble import assemble
from mtbench.train.evaluate import measure
from mtbench_datasets.dense.dataset import ordered
from mtbench_datasets.worlds.rooms import CLASSES

NAME = "dense-mini:train=4:test=2"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    parse_dataset(NAME).open(folder).prepare(lambda _: None)
    return folder


def opened(root: Path) -> Dataset:
    return parse_dataset(NAME).open(root)


def test_its_tasks_are_those_of_nyuv2_with_classes_that_have_names(root: Path) -> None:
    tasks = opened(root).tasks
    assert {task.name: task.kind for task in tasks} == {
        "segmentation": Segmentation(classes=len(CLASSES), ignore=255),
        "depth": Depth(),
        "normals": Normals(),
    }
    assert tasks[0].answers == CLASSES


def test_its_files_are_read_as_those_of_nyuv2(root: Path) -> None:
    split = opened(root).load("train", validation=False)
    assert isinstance(split.inputs, torch.Tensor)
    assert split.inputs.shape == (4, 3, 96, 128)
    assert split.augment == ()
    files = root / "dense-mini-4-2" / "train"
    for row, index in enumerate(ordered("dense-mini", 4)):
        labels = np.load(files / "label" / f"{index}.npy")
        assert np.array_equal(split.targets[0][row].numpy(), np.where(labels < 0, 255, labels))
        depths = np.load(files / "depth" / f"{index}.npy")[..., 0]
        assert np.allclose(split.targets[1][row].float().numpy(), depths, rtol=2**-11, atol=0)
    lengths = split.targets[2].float().norm(dim=1)
    assert torch.all((lengths == 0) | ((lengths - 1).abs() < 1e-3))


def test_a_damaged_file_is_found_and_prepare_draws_it_again(root: Path) -> None:
    before = opened(root).fingerprint()
    path = root / "dense-mini-4-2" / "val" / "depth" / "1.npy"
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(
        DataError, match=r"1\.npy is truncated or altered\. `mtbench data prepare dense-mini:test=2:train"
    ):
        opened(root).verify()
    opened(root).prepare(lambda _: None)
    assert path.read_bytes() == content
    opened(root).verify()
    assert opened(root).fingerprint() == before != ""


def test_metrics_of_a_network_are_those_of_numpy_on_the_files(root: Path) -> None:
    """The numbers in memory are rounded; the metrics are not changed by it beyond the fourth digit."""
    network = "uniform@deeplab:depth=18:width=.0625:channels=8:rates=1/2"
    spec = plan(Request(methods=[network], datasets=[NAME], settings={}, seeds=[0]))[0]
    run = assemble(spec, root=root, device=torch.device("cpu"))
    losses = run.balancer.backward(run.network, run.splits["train"].batch(torch.arange(4)))
    assert losses.means.isfinite().all()
    found = measure(run.network, run.splits["test"], keep=True)
    results = {task: result.metrics for task, result in found.results.items()}
    predicted = {task: values.numpy().astype(np.float64) for task, values in found.predictions.items()}
    files = root / "dense-mini-4-2" / "val"
    labels, depths, normals = (
        np.stack([np.load(files / folder / f"{index}.npy") for index in range(2)]).astype(np.float64)
        for folder in ("label", "depth", "normal")
    )
    known = labels >= 0
    right = (predicted["segmentation"] == labels)[known]
    assert results["segmentation"]["pixel-accuracy"] == pytest.approx(100 * right.mean())
    depths = depths[..., 0]
    errors = np.abs(predicted["depth"] - depths)[depths > 0]
    assert results["depth"]["absolute-error"] == pytest.approx(errors.mean(), rel=1e-3)
    assert results["depth"]["relative-error"] == pytest.approx((errors / depths[depths > 0]).mean(), rel=1e-3)
    cosines = (predicted["normals"].transpose(0, 2, 3, 1) * normals).sum(-1)[(normals != 0).any(-1)]
    angles = np.degrees(np.arccos(np.clip(cosines, -1, 1)))
    assert results["normals"]["mean-angle"] == pytest.approx(angles.mean(), rel=1e-3)
    assert results["normals"]["median-angle"] == pytest.approx(np.median(angles), rel=1e-3)
