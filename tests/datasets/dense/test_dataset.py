"""The dense datasets on small trees in their format: numbers, splits, caches, and what is printed."""

import json
import math
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from typer.testing import CliRunner

from mtbench.cli.data.commands import app
from mtbench.conformance.dataset import splits
from mtbench.conformance.dataset.augmentation import augments
from mtbench.conformance.dataset.kinds import kinds_keep
from mtbench.contract import Dataset, Depth, Flip, Normals, ScaleCrop, Segmentation, Split, stream
from mtbench.errors import DataError, UsageError
from mtbench.plan.parse import parse_dataset
from mtbench_datasets.dense.dataset import ordered
from tests.datasets.dense.trees import CITY, NYU, write_city, write_nyu

TRAIN, VAL = 20, 5


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root with small worlds under the names of both datasets, prepared. It is not written to."""
    root = tmp_path_factory.mktemp("data")
    write_city(root / "cityscapes", TRAIN, VAL)
    write_nyu(root / "nyuv2")
    for name in ("cityscapes", "nyuv2"):
        prepare(root, name)
    return root


@pytest.fixture
def root(prepared: Path, tmp_path: Path) -> Path:
    """A copy of the root with Cityscapes that may be damaged."""
    for name in ("cityscapes", "dense", "images"):
        shutil.copytree(prepared / name, tmp_path / name, ignore=shutil.ignore_patterns("nyuv2*"))
    return tmp_path


def opened(root: Path, name: str) -> Dataset:
    return parse_dataset(name).open(root)


def prepare(root: Path, name: str) -> list[str]:
    said: list[str] = []
    opened(root, name).prepare(said.append)
    return said


def inputs(split: Split) -> Tensor:
    assert isinstance(split.inputs, Tensor)
    return split.inputs


def arrays(folder: Path, content: str, indices: Sequence[int]) -> NDArray[np.float64]:
    return np.stack([np.load(folder / content / f"{index}.npy") for index in indices]).astype(np.float64)


def test_rows_are_the_numbers_of_the_files_and_val_is_the_test_split(prepared: Path) -> None:
    split = opened(prepared, "nyuv2").load("test", validation=False)
    files, indices = prepared / "nyuv2" / "val", range(3)  # in the order of the files
    images = arrays(files, "image", indices).transpose(0, 3, 1, 2)
    assert np.array_equal(inputs(split).numpy(), np.rint(255 * images))
    labels, depths, normals = (target.numpy() for target in split.targets)
    expected = arrays(files, "label", indices)
    assert np.array_equal(labels, np.where(expected < 0, 255, expected))
    assert np.array_equal(depths, arrays(files, "depth", indices)[..., 0].astype(np.float16))
    assert np.array_equal(normals, arrays(files, "normal", indices).transpose(0, 3, 1, 2).astype(np.float16))
    assert [target.dtype for target in split.targets] == [torch.uint8, torch.float16, torch.float16]
    assert split.defined.all()


def test_training_and_validation_are_pieces_of_the_caches_in_one_order_of_hashes(prepared: Path) -> None:
    dataset = opened(prepared, "cityscapes")
    order = ordered("cityscapes", TRAIN)
    assert sorted(order) == list(range(TRAIN))
    images = arrays(prepared / "cityscapes" / "train", "image", order).transpose(0, 3, 1, 2)
    whole = dataset.load("train", validation=False)
    assert np.array_equal(inputs(whole).numpy(), np.rint(255 * images))
    train, val = (dataset.load(name, validation=True) for name in ("train", "val"))
    assert (len(train), len(val)) == (18, 2)
    for column, target in enumerate(whole.targets):
        assert torch.equal(torch.cat([train.targets[column], val.targets[column]]), target)
    assert torch.equal(torch.cat([inputs(train), inputs(val)]), inputs(whole))
    with pytest.raises(UsageError, match="has no split 'val' without validation"):
        dataset.load("val", validation=False)


def test_the_images_that_are_held_out_are_the_same_on_every_machine() -> None:
    """The stored list of NYUv2: a tenth of 795 images, by the hashes that `derive` takes of dataset and index."""
    held = ordered("nyuv2", 795)[-80:]
    assert len(set(held)) == 80
    assert held[-5:] == [136, 350, 690, 451, 526]


def test_batches_have_int64_labels_and_float32_maps(prepared: Path) -> None:
    dataset = opened(prepared, "nyuv2")
    split = dataset.load("train", validation=False)
    batch = split.batch(torch.arange(2))
    assert [target.dtype for target in batch.targets] == [torch.int64, torch.float32, torch.float32]
    assert isinstance(batch.inputs, Tensor)
    assert batch.inputs.min() >= 0
    assert batch.inputs.max() <= 1
    for task, target, outputs in zip(dataset.tasks, batch.targets, (13, 1, 3), strict=True):
        losses = task.kind.losses(torch.full((2, outputs, *NYU), 0.5), target)
        assert losses.shape == (2,)
        assert losses.isfinite().all()
    # Of 13 equally likely classes each costs ln 13.
    assert dataset.tasks[0].kind.losses(torch.zeros(2, 13, *NYU), batch.targets[0])[0] == pytest.approx(math.log(13))


def test_tasks_are_of_the_kinds_that_options_say(prepared: Path) -> None:
    for like, word in (("", "none"), ("libmtl", "libmtl")):
        found = {task.name: task.kind for task in opened(prepared, f"nyuv2:like={word}").tasks}
        assert found == {
            "segmentation": Segmentation(classes=13, ignore=255, like=like),  # type: ignore[arg-type]
            "depth": Depth(like=like),  # type: ignore[arg-type]
            "normals": Normals(like=like),  # type: ignore[arg-type]
        }
    city = {task.name: task.kind for task in opened(prepared, "cityscapes:classes=19").tasks}
    assert city == {"segmentation": Segmentation(classes=19, ignore=255), "depth": Depth(inverse=True)}


def test_training_alone_is_augmented_and_only_where_it_is_asked_for(prepared: Path) -> None:
    for name, expected in (("cityscapes", (ScaleCrop(), Flip())), ("cityscapes:augment=false", ())):
        dataset = opened(prepared, name)
        assert dataset.load("train", validation=True).augment == expected
        assert {dataset.load(split, validation=True).augment for split in ("val", "test")} == {()}


def test_a_disparity_is_multiplied_by_the_scale_and_divided_like_libmtl(prepared: Path) -> None:
    """Nothing is above 9.5, so that what is above it was multiplied."""
    rows = torch.arange(TRAIN)
    for name, brighter in (("cityscapes", True), ("cityscapes:like=libmtl", False)):
        dataset = opened(prepared, name)
        split = dataset.load("train", validation=False).augmented(dataset.tasks, stream(0, "test"))
        disparities = split.batch(rows).targets[1]
        assert bool((disparities > 9.51).any()) is brighter
        assert disparities.nan_to_num().max() <= 9.51 * 1.5


def test_prepare_prints_what_was_checked(prepared: Path) -> None:
    lines = [line.removeprefix("nyuv2: ") for line in prepare(prepared, "nyuv2")]
    assert lines[0] == (
        "6 images to train on, of which a validation split, if asked for, takes 1, and 3 to test on; labels are those "
        "of label/"
    )
    train = prepared / "nyuv2" / "train"
    labels, depths, normals = (arrays(train, content, range(6)) for content in ("label", "depth", "normal"))
    facts = dict(line.split(": ", 1) for line in lines[1:])
    undefined = int((labels < 0).sum())
    assert facts["train-label"].startswith(
        f"{undefined:,} pixels ({100 * undefined / labels.size:.2f} %) are undefined"
    )
    fraction = 100 * (labels == 3).sum() / (labels >= 0).sum()
    assert f", 3: {fraction:.2f} %" in facts["train-label"]
    known = depths[depths > 0]
    assert facts["train-depth"] == (
        f"{(depths == 0).sum():,} pixels ({100 * (depths == 0).mean():.2f} %) are undefined, the others are from "
        f"{known.min():.4g} to {known.max():.4g}"
    )
    hidden = (normals == 0).all(-1)
    assert facts["train-normal"].startswith(f"{hidden.sum():,} pixels ({100 * hidden.mean():.2f} %) are undefined")
    assert "have lengths from 0.999" in facts["train-normal"]
    assert facts["train-image"] == facts["train-image"].partition(", means")[0] + ", means " + " ".join(
        f"{mean:.3f}" for mean in arrays(train, "image", range(6)).mean((0, 1, 2))
    )


def test_a_label_that_no_pixel_has_is_named(root: Path) -> None:
    for part, count in (("train", TRAIN), ("val", VAL)):
        for index in range(count):
            path = root / "cityscapes" / part / "label_7" / f"{index}.npy"
            labels = np.load(path)
            np.save(path, np.where(labels == 4, 5, labels))
    said = prepare(root, "cityscapes")
    assert sum(line.endswith("; no pixel has label 4") for line in said) == 2


def test_labels_come_from_the_folder_of_their_classes_and_prepare_says_which(tmp_path: Path) -> None:
    write_city(tmp_path / "both" / "cityscapes", 3, 1, label_7=7, label_19=19)
    write_city(tmp_path / "one" / "cityscapes", 3, 1, label=7)
    for root, classes, folder in (("both", 7, "label_7"), ("both", 19, "label_19"), ("one", 7, "label")):
        name = f"cityscapes:classes={classes}"
        assert prepare(tmp_path / root, name)[0].endswith(f"labels are those of {folder}/")
        labels = opened(tmp_path / root, name).load("test", validation=False).targets[0]
        assert set(labels.flatten().tolist()) == {*range(classes), 255}


def test_a_map_without_a_defined_pixel_is_undefined(root: Path) -> None:
    order = ordered("cityscapes", TRAIN)
    for index in (order[0], order[7]):
        np.save(root / "cityscapes" / "train" / "depth" / f"{index}.npy", np.zeros((*CITY, 1), np.float32))
    np.save(root / "cityscapes" / "val" / "label_7" / "4.npy", np.full(CITY, -1, np.float32))
    prepare(root, "cityscapes")
    dataset = opened(root, "cityscapes")
    train, test = (dataset.load(name, validation=False) for name in ("train", "test"))
    assert (~train.defined).nonzero().tolist() == [[0, 1], [7, 1]]
    assert (~test.defined).nonzero().tolist() == [[4, 0]]


def test_normals_that_add_up_to_0_are_undefined_like_libmtl(tmp_path: Path) -> None:
    write_nyu(tmp_path / "nyuv2", 2, 1)
    balanced = np.broadcast_to(np.array([math.sqrt(0.5), -math.sqrt(0.5), 0], np.float32), (*NYU, 3))
    np.save(tmp_path / "nyuv2" / "val" / "normal" / "0.npy", balanced)
    said = prepare(tmp_path, "nyuv2")
    assert said[-1].endswith(f"; with components that add up to 0: {math.prod(NYU):,}")
    ours, theirs = (
        opened(tmp_path, name).load("test", validation=False).defined for name in ("nyuv2", "nyuv2:like=libmtl")
    )
    assert ours.tolist() == [[True, True, True]]
    assert theirs.tolist() == [[True, True, False]]


def test_originals_that_are_deleted_afterwards_are_not_missed(root: Path) -> None:
    before = opened(root, "cityscapes").fingerprint()
    shutil.rmtree(root / "cityscapes")
    assert prepare(root, "cityscapes")[0].startswith("cityscapes: 20 images to train on")
    dataset = opened(root, "cityscapes")
    assert len(dataset.load("train", validation=False)) == TRAIN
    dataset.verify()
    assert dataset.fingerprint() == before != ""


def test_what_was_altered_in_the_caches_is_found_and_mended(root: Path) -> None:
    dataset = opened(root, "cityscapes")
    assert len(dataset.verify()) == 7
    [path] = (root / "images").glob("cityscapes-train-depth-*.pixels")
    kept = path.read_bytes()
    path.write_bytes(kept[:-2] + bytes([kept[-2] ^ 1, kept[-1]]))
    with pytest.raises(DataError, match=r"cityscapes-train-depth-128x256-v1\.pixels is altered: .*1 of 20 images"):
        dataset.verify()
    [facts] = (root / "dense").glob("*.json")
    facts.write_text(facts.read_text().replace('"train": 20', '"train": 19'))
    with pytest.raises(DataError, match=r"cityscapes-7-v1\.json is truncated or altered"):
        dataset.load("train", validation=False)
    assert dataset.fingerprint() == ""
    prepare(root, "cityscapes")
    assert path.read_bytes() == kept
    dataset.verify()


def test_fingerprints_are_of_the_numbers_that_are_used(root: Path, prepared: Path) -> None:
    same = opened(root, "cityscapes").fingerprint()
    assert same == opened(prepared, "cityscapes").fingerprint() != opened(prepared, "nyuv2").fingerprint() != ""
    path = root / "cityscapes" / "val" / "depth" / "2.npy"
    values = np.load(path)
    values[3, 4] = 1.25
    np.save(path, values)
    said = prepare(root, "cityscapes")
    assert sum("decoded 1 images, 4 were there" in line for line in said) == 1
    assert opened(root, "cityscapes").fingerprint() != same


def test_a_folder_is_linked_if_it_has_the_files(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MTBENCH_DATA", str(tmp_path / "other"))
    refused = CliRunner().invoke(app, ["link", "nyuv2", str(prepared / "cityscapes")])
    assert refused.exit_code != 0
    assert "train/normal is missing" in str(refused.exception) or "train/label is missing" in str(refused.exception)
    for name in ("nyuv2", "cityscapes"):
        assert CliRunner().invoke(app, ["link", name, str(prepared / name)]).exit_code == 0
    links = json.loads((tmp_path / "other" / "links.json").read_text())
    assert links == {name: str(prepared / name) for name in ("nyuv2", "cityscapes")}
    prepare(tmp_path / "other", "cityscapes")
    there, here = (opened(root, "cityscapes") for root in (tmp_path / "other", prepared))
    assert there.fingerprint() == here.fingerprint()


def test_a_page_of_samples_and_a_table_of_labels_are_shown(prepared: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.png"
    for options in (["--out", str(page)], ["--labels"]):
        shown = CliRunner().invoke(app, ["show", "cityscapes", "--data-root", str(prepared), *options])
        assert shown.exception is None
    assert page.stat().st_size > 10_000
    assert len(shown.stdout.splitlines()) == 1 + 5  # a head, and a line for each test image


@pytest.mark.parametrize("name", ["cityscapes", "cityscapes:like=libmtl"])
def test_it_keeps_what_the_contract_promises(name: str, root: Path) -> None:
    dataset = opened(root, name)
    for check in (
        splits.prepares,
        splits.offers_protocols,
        splits.splits_fit,
        splits.targets_fit,
        splits.holds_out,
        kinds_keep,
        augments,
    ):
        check(dataset)
    splits.repeats(dataset, opened(root, name))


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="counts the pages of maps")
def test_memory_of_inputs_and_targets_is_given_back_after_each_batch(prepared: Path) -> None:
    split = opened(prepared, "nyuv2").load("train", validation=False)

    def resident() -> int:
        """Return bytes in memory of the four caches of the training split."""
        found, ours = 0, False
        for line in Path("/proc/self/smaps").read_text().splitlines():
            if line.endswith(".pixels"):
                ours = f"{prepared}/images/nyuv2-train-" in line
            if ours and line.startswith("Rss:"):
                found, ours = found + int(line.split()[1]) * 1024, False
        return found

    total = sum(target.sum(dtype=torch.float32) for target in split.targets) + inputs(split).sum()
    assert resident() >= 6 * math.prod(NYU) * (3 + 1 + 2 + 6)
    split.batch(torch.arange(2))
    assert resident() == 0
    assert total == sum(target.sum(dtype=torch.float32) for target in split.targets) + inputs(split).sum()
