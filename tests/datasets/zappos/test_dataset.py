"""The datasets of shoes on a small tree in the official format: splits, lists, what is said, missing or damaged."""

import errno
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from torch import Tensor
from typer.testing import CliRunner

from mtbench.cli.data.commands import app
from mtbench.conformance.dataset.kinds import kinds_keep
from mtbench.conformance.dataset.splits import holds_out, offers_protocols, repeats, splits_fit, targets_fit
from mtbench.contract import Dataset, Split
from mtbench.contract.data.links import set_link
from mtbench.errors import DataError, UsageError
from mtbench.plan.parse import parse_dataset
from mtbench_datasets.worlds.shoes import write_world
from mtbench_datasets.zappos.catalog import part_of
from mtbench_datasets.zappos.dataset import Zappos50k
from tests.datasets.zappos.trees import many, write_lists, write_tree

SIZE = 32
NAME = f"zappos50k:size={SIZE}:triplets=40:test_triplets=12"
SHOES = many(120)
GOOD = {"class": (0, 1, 4), "closure": (0, 1, 3), "gender": (0, 2, 1), "heel": (0, 2, 5)}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root with a small world under the name of UT-Zappos50K, prepared. It is not written to."""
    root = tmp_path_factory.mktemp("data")
    write_tree(root / "zappos", SHOES)
    prepare(root)
    return root


@pytest.fixture
def root(prepared: Path, tmp_path: Path) -> Path:
    """A copy that may be damaged."""
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    return tmp_path


def opened(root: Path, name: str = NAME) -> Dataset:
    return parse_dataset(name).open(root)


def prepare(root: Path, name: str = NAME) -> list[str]:
    said: list[str] = []
    opened(root, name).prepare(said.append)
    dataset = name.partition(":")[0]
    return [line.partition(": ")[2] if line.startswith(f"{dataset}:") else line for line in said]


def members(split: Split) -> Tensor:
    assert split.members is not None
    return split.members


def test_a_split_has_triplets_of_the_four_tasks_in_turn(prepared: Path) -> None:
    dataset = opened(prepared)
    for name, count in (("train", 40), ("test", 12)):
        split = dataset.load(name, validation=False)
        assert members(split).shape == (4 * count, 3)
        assert split.defined.nonzero()[:, 1].tolist() == [0, 1, 2, 3] * count
    assert [task.name for task in dataset.tasks] == ["category", "closure", "gender", "heel"]


def test_targets_have_the_images_and_their_classes_for_the_task_of_the_triplet(prepared: Path) -> None:
    split = opened(prepared).load("test", validation=False)
    for index in range(4):
        target = split.targets[index][index::4]
        assert torch.equal(target[..., 0], members(split)[index::4].int())
        anchor, near, far = target[..., 1].T
        assert bool((anchor == near).all() and (anchor != far).all() and (anchor >= 0).all())
    names = [SHOES[row].gender for row in members(split)[2::4, 0].tolist()]
    numbers = split.targets[2][2::4, 0, 1].tolist()
    assert len(set(zip(names, numbers, strict=True))) == len(set(names))


def test_classes_of_all_images_have_the_names_that_the_metadata_have(prepared: Path) -> None:
    dataset = opened(prepared)
    split = dataset.labels("train", validation=False)
    assert split.classes is not None
    for row, shoe in enumerate(SHOES):
        names = [task.answers[number] for task, number in zip(dataset.tasks, split.classes[row].tolist(), strict=True)]
        assert names[:3] == [shoe.category, shoe.closure.split(";")[0], shoe.gender]
        assert (split.classes[row, 3] < 0) == (shoe.heel == "")
    assert opened(prepared.parent, NAME).tasks[0].answers == ()  # nothing is prepared there


def test_an_image_is_that_of_its_path(prepared: Path) -> None:
    split = opened(prepared).load("train", validation=False)
    batch = split.batch(torch.tensor([3, 5]))
    assert isinstance(batch.inputs, Tensor)
    assert batch.inputs.shape == (6, 3, SIZE, SIZE)
    assert batch.inputs_per_example == 3
    assert isinstance(split.inputs, Tensor)
    for row in (0, 50, 100):
        color = split.inputs[row].float().mean((1, 2))
        assert color == pytest.approx(torch.tensor(SHOES[row].color).float(), abs=4)  # JPEG


def test_an_image_is_in_one_part_alone_and_without_validation_all_others_are_trained_on(prepared: Path) -> None:
    dataset = opened(prepared, NAME.replace("triplets=40", "triplets=900"))
    used = {}
    for name, held in (("train", False), ("train", True), ("val", True), ("test", True), ("test", False)):
        rows = members(dataset.labels(name, validation=held)).flatten().tolist()
        used[name, held] = {part_of(SHOES[row].path) for row in rows}
    assert used["train", False] == {"train", "val"}
    assert used["train", True] == {"train"}
    assert used["val", True] == {"val"}
    assert used["test", True] == used["test", False] == {"test"}
    with pytest.raises(UsageError, match=r"has no split 'val' without validation"):
        dataset.load("val", validation=False)


def test_it_keeps_what_a_dataset_promises(prepared: Path) -> None:
    dataset = opened(prepared)
    for check in (offers_protocols, splits_fit, targets_fit, kinds_keep, holds_out):
        check(dataset)
    repeats(dataset, opened(prepared))


def test_prepare_says_what_it_found_and_the_sums_of_the_lists(root: Path) -> None:
    said = prepare(root)
    assert "no public triplet lists were found" in said
    assert "heel: known of 96 of 120 pictures" in said
    sums = [line for line in said if "sha256" in line]
    assert [line.partition(":")[0] for line in sums] == ["train", "train with validation held out", "val", "test"]
    assert sums[0].startswith("train: 160 triplets, generated, of ")
    assert len({line.rpartition(" ")[2] for line in sums}) == 4


def test_the_fingerprint_goes_by_labels_pictures_and_lists(root: Path) -> None:
    before = opened(root).fingerprint()
    assert before
    for other in (NAME.replace("triplets=40", "triplets=41"), NAME.replace(f"size={SIZE}", "size=40")):
        prepare(root, other)
        assert opened(root, other).fingerprint() not in ("", before)
    table = root / "zappos" / "ut-zap50k-data" / "meta-data.csv"
    table.write_text(table.read_text().replace("Lace up", "Zipper", 1))
    assert opened(root).fingerprint() == ""
    with pytest.raises(DataError, match=r"meta-data\.csv is not the file any more that .* was read from\."):
        opened(root).load("test", validation=False)
    prepare(root)
    assert opened(root).fingerprint() not in ("", before)


def test_pictures_that_are_gone_after_preparation_are_not_missed(root: Path) -> None:
    before = opened(root).load("test", validation=False)
    fingerprint = opened(root).fingerprint()
    shutil.rmtree(root / "zappos")
    after = opened(root).load("test", validation=False)
    assert torch.equal(members(before), members(after))
    assert opened(root).fingerprint() == fingerprint
    opened(root).verify()


def test_public_lists_are_used_where_they_are_and_not_where_generated_ones_are_asked_for(root: Path) -> None:
    generated = members(opened(root).load("test", validation=False))
    with pytest.raises(DataError, match=r"no public triplet lists lie in .*zappos\. Put filenames\.json and triplet"):
        opened(root, f"{NAME}:lists=public").load("test", validation=False)
    write_lists(root / "zappos", [shoe.path for shoe in SHOES], lambda condition, _: [GOOD[condition]] * 3)
    said = prepare(root)
    assert "val.txt: 3 public triplets; of a sample 3 agree with the labels and 0 contradict them" in " ".join(said)
    assert [line[:53] for line in said if line.startswith("test: ")] == [
        "test: 12 triplets, from the public lists of Veit et a"
    ]
    triplets = [[anchor, near, far] for anchor, far, near in GOOD.values()]
    for name in (NAME, f"{NAME}:lists=public"):
        assert members(opened(root, name).load("train", validation=False)).tolist() == triplets * 3
    assert torch.equal(members(opened(root, f"{NAME}:lists=generated").load("test", validation=False)), generated)


def test_a_linked_folder_is_checked_before_and_read_after(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    with pytest.raises(DataError, match=r"has no folder with Boots, Sandals, Shoes or Slippers"):
        Zappos50k.check_folder(elsewhere)
    write_tree(elsewhere / "deeper", SHOES)
    (elsewhere / "deeper" / "mtbench-world.json").rename(elsewhere / "mtbench-world.json")
    Zappos50k.check_folder(elsewhere)
    before = opened(root).fingerprint()
    set_link(root, "zappos", elsewhere)
    prepare(root)
    assert opened(root).fingerprint() == before


def test_a_missing_picture_stops_preparation_with_one_message(root: Path) -> None:
    next((root / "zappos").rglob("107.7.jpg")).unlink()
    (root / "shoes" / "zappos-v1.safetensors").unlink()
    result = CliRunner().invoke(app, ["prepare", NAME, "--data-root", str(root)])
    assert result.exit_code != 0
    assert "imagepath[8] of" in " ".join(str(result.exception or result.output).split())


def test_a_faulty_file_loses_nothing_that_was_prepared(root: Path) -> None:
    path = root / "zappos" / "ut-zap50k-data" / "image-path.mat"
    kept, whole, times = _contents(root / "shoes"), path.read_bytes(), path.stat()
    for length in (128, len(whole) // 2):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"image-path\.mat is truncated, damaged or no MATLAB file"):
            prepare(root)
    assert _contents(root / "shoes") == kept
    path.write_bytes(whole)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    opened(root).load("train", validation=False)


def test_a_picture_that_is_damaged_is_named_and_the_others_are_kept(tmp_path: Path) -> None:
    write_tree(tmp_path / "zappos", SHOES)
    path = next((tmp_path / "zappos").rglob("120.20.jpg"))
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], b"<html>404</html>"):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"120\.20\.jpg is missing, truncated or damaged .* Replace it; `mtbench "):
            prepare(tmp_path)
    assert opened(tmp_path).fingerprint() == ""
    path.write_bytes(whole)
    assert "decoded 100 images, 20 were there" in prepare(tmp_path)[-1]


def test_where_there_is_no_space_it_says_so_and_goes_on_once_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tree(tmp_path / "zappos", SHOES)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DataError, match=r"shoes/zappos-v1\.safetensors cannot be written: No space left on device\."):
        prepare(tmp_path)
    assert _contents(tmp_path / "shoes") == {}
    monkeypatch.undo()
    prepare(tmp_path)
    opened(tmp_path).verify()


def test_two_preparations_at_once_do_no_harm(prepared: Path, tmp_path: Path) -> None:
    write_tree(tmp_path / "zappos", SHOES)
    with ThreadPoolExecutor(4) as threads:
        said = list(threads.map(lambda _: prepare(tmp_path), range(4)))
    assert sum("decoded 120 images, 0 were there" in lines[-1] for lines in said) == 1
    assert opened(tmp_path).fingerprint() == opened(prepared).fingerprint() != ""
    opened(tmp_path).verify()
    assert {path.suffix for path in (tmp_path / "shoes").iterdir()} == {".safetensors", ".sha256"}


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_small_world_is_drawn_prepared_and_read_as_the_real_dataset_is(tmp_path: Path) -> None:
    name = "shoes-mini:size=32:images=100:triplets=30:test_triplets=10"
    write_world(tmp_path / "shoes-mini-100", images=100, seed=0, say=lambda _: None, jobs=1)
    said = prepare(tmp_path, name)
    assert any(line.startswith("paths of image-path.mat that are spelt otherwise") for line in said) is (
        "Gannet Co." in (tmp_path / "shoes-mini-100" / "ut-zap50k-data" / "image-path.mat").read_text("latin-1")
    )
    dataset = opened(tmp_path, name)
    assert members(dataset.load("train", validation=False)).shape == (120, 3)
    assert dataset.fingerprint()
    dataset.verify()
    next((tmp_path / "shoes-mini-100").rglob("*.jpg")).write_bytes(b"")
    with pytest.raises(DataError, match=r"\.jpg is truncated or altered\. `mtbench data prepare shoes-mini:images=1"):
        dataset.verify()
