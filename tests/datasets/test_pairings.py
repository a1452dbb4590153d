"""Published pairings of mmnist2, read from files: composed as by hand, refused by line, never mixed up in the cache."""

import hashlib
import random
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from torch import Tensor

from mtbench.contract import Split
from mtbench.errors import DataError, UsageError
from mtbench.plan.parse import parse_dataset
from mtbench_datasets import mnist
from mtbench_datasets.composites import PARTS
from mtbench_datasets.mmnist import MultiMnist2
from tests.datasets.test_mmnist import on_a_canvas


def drawn(seed: int, count: int, low: int, high: int) -> list[int]:
    """Right digits with replacement, as those of the paper are."""
    source = random.Random(seed)
    return [source.randrange(low, high) for _ in range(count)]


def write(path: Path, right: Iterable[object]) -> Path:
    path.write_text("".join(f"{index}\n" for index in right))
    return path


def opened(text: str, root: Path) -> MultiMnist2:
    dataset = parse_dataset(text).open(root)
    assert isinstance(dataset, MultiMnist2)
    return dataset


@pytest.fixture(scope="module")
def root(data_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root that has what the shared one has, as links, and takes what is composed here."""
    path = tmp_path_factory.mktemp("pairings")
    (path / "mnist").mkdir()
    for file in (data_root / "mnist").iterdir():
        (path / "mnist" / file.name).symlink_to(file)
    return path


@pytest.fixture(scope="module")
def train_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("files") / "train_right_idx.txt", drawn(0, 50_000, 0, 50_000))


@pytest.fixture(scope="module")
def paired(root: Path, train_file: Path) -> MultiMnist2:
    """With files for training, validation (60,000 lines) and test."""
    val = write(train_file.with_name("val_right_idx.txt"), drawn(1, 60_000, 50_000, 60_000))
    test = write(train_file.with_name("test_right_idx.txt"), drawn(2, 10_000, 0, 10_000))
    dataset = opened(f"mmnist2:pairs={train_file}:pairs-val={val}:pairs-test={test}", root)
    dataset.prepare(lambda _: None)
    return dataset


def read(text: str, root: Path) -> None:
    """Read the files of a dataset, and compose nothing."""
    for _, recipe in opened(text, root).parts.values():
        recipe.members(10_000 if recipe.half == "t10k" else 60_000, 2)


def check(split: Split, digits: mnist.Digits, left: range, right: list[int]) -> None:
    """Compare some examples with composites made the long way, and all labels."""
    assert len(split) == len(left)
    assert isinstance(split.inputs, Tensor)
    for row in (0, 1, len(left) // 2, len(left) - 1):
        by_hand = on_a_canvas(digits.images[[left[row], right[row]]].numpy(), [(0, 0), (6, 6)], 36)
        assert np.array_equal(split.inputs[row, 0].numpy(), by_hand)
    assert split.targets[0].tolist() == digits.labels[list(left)].tolist()
    assert split.targets[1].tolist() == digits.labels[right].tolist()


def test_images_are_composed_of_the_digits_in_order_and_of_those_listed(paired: MultiMnist2, root: Path) -> None:
    train, test = (mnist.load(root, half, "mmnist2") for half in ("train", "t10k"))
    right = drawn(0, 50_000, 0, 50_000)
    for validation in (True, False):
        check(paired.load("train", validation=validation), train, range(50_000), right)
        check(paired.load("test", validation=validation), test, range(10_000), drawn(2, 10_000, 0, 10_000))
    right = drawn(1, 60_000, 50_000, 60_000)[:10_000]
    check(paired.load("val", validation=True), train, range(50_000, 60_000), right)


def test_the_caches_are_named_by_the_hash_of_the_content(paired: MultiMnist2, train_file: Path) -> None:
    names = {part: paired._path(part).name for part in PARTS}
    sha256 = hashlib.sha256(train_file.read_bytes()).hexdigest()
    assert names["train"] == f"mmnist2-offset6-canvas36-train-sha256-{sha256}-v1.safetensors"
    assert names["train-without-val"] == names["train"]
    assert len(set(names.values())) == 3
    assert not set(names.values()) & {opened("mmnist2", paired.root)._path(part).name for part in PARTS}


def test_a_copy_of_the_file_needs_no_work_and_gives_the_same_data(paired: MultiMnist2, tmp_path: Path) -> None:
    copies = []
    for file in (paired.options.pairs, paired.options.pairs_val, paired.options.pairs_test):
        assert file is not None
        copies.append(tmp_path / file.path.name)
        copies[-1].write_bytes(file.read())
    again = opened("mmnist2:pairs={}:pairs-val={}:pairs-test={}".format(*copies), paired.root)
    said: list[str] = []
    again.prepare(said.append)
    assert said == []
    assert again.fingerprint() == paired.fingerprint() != ""
    for copy in copies:  # what was composed needs the files no more
        copy.unlink()
    assert len(again.load("test", validation=False)) == 10_000


def test_another_pairing_has_a_cache_and_a_fingerprint_of_its_own(paired: MultiMnist2, tmp_path: Path) -> None:
    before = paired._path("test").read_bytes()
    right = drawn(2, 10_000, 0, 10_000)
    right[7] = (right[7] + 1) % 10_000
    other = opened(f"mmnist2:pairs-test={write(tmp_path / 'test_right_idx.txt', right)}", paired.root)
    assert other.fingerprint() == ""
    said: list[str] = []
    other.prepare(said.append)
    assert said == [f"mmnist2:pairs_test={tmp_path}/test_right_idx.txt: composing test"]
    assert paired._path("test").read_bytes() == before
    assert other.fingerprint() not in ("", paired.fingerprint(), opened("mmnist2", paired.root).fingerprint())
    assert [part for part in PARTS if other._path(part) != opened("mmnist2", paired.root)._path(part)] == ["test"]


@pytest.mark.parametrize("option", ["pairs", "pairs_val"])
def test_parts_without_a_file_are_drawn_so_that_no_digit_is_in_training_and_validation(
    option: str, train_file: Path, root: Path, tmp_path: Path
) -> None:
    file = train_file if option == "pairs" else write(tmp_path / "val", drawn(1, 10_000, 50_000, 60_000))
    parts = opened(f"mmnist2:{option}={file}", root).parts
    members = {name: parts[name][1].members(60_000, 2) for name in ("train-without-val", "val")}
    assert members["train-without-val"][:, 0].tolist() == list(range(50_000))
    assert members["val"][:, 0].tolist() == list(range(50_000, 60_000))
    assert members["train-without-val"].max() < 50_000
    assert members["val"].min() >= 50_000
    assert parts["test"] == ("test", PARTS["test"])


def test_without_a_file_nothing_is_as_it_was_not(root: Path) -> None:
    assert opened("mmnist2", root).parts == {name: (name, part) for name, part in PARTS.items()}


@pytest.mark.parametrize(
    ("line", "text"),
    [(1, "-1"), (17, "10000"), (10_000, "3.0"), (2, ""), (3, "12 13"), (4, "seven"), (5, "\u0663"), (6, "9" * 50)],
)
def test_a_line_that_is_no_index_is_named(line: int, text: str, root: Path, tmp_path: Path) -> None:
    right: list[object] = list(drawn(2, 10_000, 0, 10_000))
    right[line - 1] = text
    path = write(tmp_path / "test.txt", right)
    with pytest.raises(UsageError) as error:
        read(f"mmnist2:pairs-test={path}", root)
    shown = text[:40] if text.isascii() else ""
    assert str(error.value).startswith(
        f"option 'pairs_test' of dataset 'mmnist2' is '{path}', whose line {line} is '{shown}"
    )
    assert str(error.value).endswith("Allowed: the index of a digit, 0 to 9999.")


@pytest.mark.parametrize(
    ("option", "count", "low", "high", "says"),
    [
        ("pairs", 60_000, 0, 60_000, r"which has 60,000 lines\. Allowed: 50,000 lines with an index in each\."),
        ("pairs", 0, 0, 1, "which has 0 lines"),
        ("pairs", 50_000, 50_000, 60_000, r"whose line 1 is '5\d+'\. Allowed: the index of a digit, 0 to 49999\."),
        ("pairs-val", 9_999, 50_000, 60_000, "which has 9,999 lines. Allowed: 10,000 or 60,000 lines"),
        ("pairs-val", 60_000, 0, 10_000, r"whose line 1 is '\d+'\. Allowed: the index of a digit, 50000 to 59999\."),
        ("pairs-test", 10_001, 0, 10_000, "which has 10,001 lines. Allowed: 10,000 lines"),
    ],
)
def test_a_file_of_other_digits_is_refused(
    option: str, count: int, low: int, high: int, says: str, root: Path, tmp_path: Path
) -> None:
    path = write(tmp_path / "right.txt", drawn(0, count, low, high))
    with pytest.raises(UsageError, match=says):
        read(f"mmnist2:{option}={path}", root)


def test_windows_line_ends_and_a_last_line_without_one_are_read(root: Path, tmp_path: Path) -> None:
    path = tmp_path / "right.txt"
    right = drawn(2, 10_000, 0, 10_000)
    path.write_bytes("\r\n".join(map(str, right)).encode())
    parts = opened(f"mmnist2:pairs-test={path}", root).parts
    assert parts["test"][1].members(10_000, 2).tolist() == [[left, index] for left, index in enumerate(right)]


def test_a_file_that_is_gone_before_its_data_are_prepared_is_named(root: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "right.txt", drawn(3, 10_000, 0, 10_000))
    dataset = opened(f"mmnist2:pairs-test={path}", root)
    path.unlink()
    with pytest.raises(DataError, match=r"^option 'pairs_test' of dataset 'mmnist2' is the file with sha256 "):
        dataset.prepare(lambda _: None)
    with pytest.raises(DataError, match=rf"`mtbench data prepare mmnist2:pairs_test={path}` mends it\."):
        dataset.load("test", validation=False)
