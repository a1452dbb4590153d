"""Multi-MNIST: composites as its sources define them, cached with their sums, and where each digit is."""

import hashlib
import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from mtbench.contract import Classification, Split
from mtbench.errors import DataError, UsageError
from mtbench.plan.parse import parse_dataset
from mtbench_datasets import mnist
from mtbench_datasets.composites import PARTS, Layout, nearest
from mtbench_datasets.mmnist import (
    Foreground,
    MultiMnist,
    MultiMnist9,
    MultiMnist9ByReference,
    MultiMnistOptions,
    right_of,
)

NAMES = ["mmnist2", "mmnist3", "mmnist4", "mmnist9", "mmnist9-ref"]

# The rows of a canvas that remain when it is resized to 28, as Pillow's NEAREST takes them.
NEAREST_36 = [0, 1, 3, 4, 5, 7, 8, 9, 10, 12, 13, 14, 16, 17, 18, 19, 21, 22, 23, 25, 26, 27, 28, 30, 31, 32, 34, 35]
NEAREST_52 = [0, 2, 4, 6, 8, 10, 12, 13, 15, 17, 19, 21, 23, 25, 26, 28, 30, 32, 34, 36, 38, 39, 41, 43, 45, 47, 49, 51]
COLUMN_MAJOR = [(0, 0), (12, 0), (24, 0), (0, 12), (12, 12), (24, 12), (0, 24), (12, 24), (24, 24)]
LAYOUTS = {
    "mmnist2": (36, [(0, 0), (6, 6)]),
    "mmnist3": (36, [(0, 0), (6, 6), (6, 0)]),
    "mmnist4": (40, [(0, 0), (12, 12), (12, 0), (0, 12)]),
    "mmnist9": (52, COLUMN_MAJOR),
    "mmnist9-ref": (52, COLUMN_MAJOR),
}


def opened(text: str, root: Path = Path()) -> MultiMnist:
    dataset = parse_dataset(text).open(root)
    assert isinstance(dataset, MultiMnist)
    return dataset


@pytest.fixture
def root(data_root: Path, tmp_path: Path) -> Path:
    """A root in which files may be replaced: all of them are links."""
    (tmp_path / "mnist").mkdir()
    for path in (data_root / "mnist").iterdir():
        (tmp_path / "mnist" / path.name).symlink_to(path)
    return tmp_path


@pytest.fixture(scope="module")
def nine(data_root: Path) -> tuple[mnist.Digits, Tensor]:
    """The test digits, and the first 200 members of mmnist9's test split."""
    return mnist.load(data_root, "t10k", "mmnist9"), PARTS["test"].members(10_000, 9)[:200]


def on_a_canvas(digits: np.ndarray, places: list[tuple[int, int]], side: int) -> np.ndarray:
    """Return a composite made the long way: on a canvas, by maximum, resized by one of the lists above."""
    canvas = np.zeros((side, side), dtype=np.uint8)
    for digit, (row, column) in zip(digits, places, strict=True):
        region = canvas[row : row + 28, column : column + 28]
        np.maximum(region, digit, out=region)
    kept = {36: NEAREST_36, 40: [int((i + 0.5) * 40 / 28) for i in range(28)], 52: NEAREST_52}[side]
    return canvas[kept][:, kept]


def test_the_nearest_rows_are_those_that_pillow_takes() -> None:
    assert nearest(36) == NEAREST_36
    assert nearest(52) == NEAREST_52
    assert nearest(28) == list(range(28))


@pytest.mark.parametrize("name", NAMES)
def test_the_layouts_are_those_of_the_papers(name: str) -> None:
    layout = opened(name).layout
    assert (layout.canvas, list(layout.places)) == LAYOUTS[name]


def test_the_tasks_have_the_names_of_the_papers() -> None:
    names = {name: [task.name for task in opened(name).tasks] for name in NAMES}
    assert names == {
        "mmnist2": ["LU", "RL"],
        "mmnist3": ["LU", "RL", "LL"],
        "mmnist4": ["LU", "RL", "LL", "RU"],
        "mmnist9": list("123456789"),
        "mmnist9-ref": [f"right{digit}" for digit in range(10)],
    }
    assert all(task.kind == Classification(classes=10) for name in NAMES for task in opened(name).tasks)


@pytest.mark.parametrize("name", NAMES)
def test_a_protocol_has_the_name_of_its_key(name: str) -> None:
    protocols = opened(name).protocols
    assert all(key == protocol.name for key, protocol in protocols.items())
    assert (protocols["paper"].epochs, protocols["quick"].epochs) == (900 if name == "mmnist9-ref" else 100, 4)


@pytest.mark.parametrize("name", ["mmnist2", "mmnist3", "mmnist4", "mmnist9"])
def test_a_composite_is_the_maximum_of_its_digits_on_a_canvas_resized(
    name: str, nine: tuple[mnist.Digits, Tensor]
) -> None:
    digits, members = nine
    side, places = LAYOUTS[name]
    members = members[:, : len(places)]
    composed = opened(name).layout.compose(digits.images, members)
    for image, member in zip(composed, members, strict=True):
        assert np.array_equal(image.numpy(), on_a_canvas(digits.images[member].numpy(), places, side))


def test_the_first_test_composite_is_made_of_the_first_digit_and_of_a_drawn_one(data_root: Path) -> None:
    digits = mnist.load(data_root, "t10k", "mmnist2")
    split = opened("mmnist2", data_root).load("test", validation=False)
    partner = int(np.random.Generator(np.random.PCG64(1)).integers(0, 10_000))
    assert isinstance(split.inputs, Tensor)
    expected = on_a_canvas(digits.images[[0, partner]].numpy(), [(0, 0), (6, 6)], 36)
    assert np.array_equal(split.inputs[0, 0].numpy(), expected)
    assert [int(target[0]) for target in split.targets] == [7, int(digits.labels[partner])]


@pytest.mark.parametrize(("name", "digits", "total"), [("train", 3, 60_000), ("test", 9, 10_000)])
def test_partners_drawn_at_once_are_those_drawn_one_by_one(name: str, digits: int, total: int) -> None:
    members = PARTS[name].members(total, digits)
    generator = np.random.Generator(np.random.PCG64(0 if name == "train" else 1))
    for base in range(2000):
        drawn = [int(generator.integers(0, total)) for _ in range(digits - 1)]
        assert members[base].tolist() == [base, *drawn]


@pytest.mark.parametrize("digits", [2, 9])
def test_train_and_val_are_made_of_different_digits(digits: int) -> None:
    train = PARTS["train-without-val"].members(60_000, digits)
    val = PARTS["val"].members(60_000, digits)
    assert (len(train), len(val)) == (50_000, 10_000)
    assert not set(train.flatten().tolist()) & set(val.flatten().tolist())
    assert sorted(train[:, 0].tolist() + val[:, 0].tolist()) == list(range(60_000))


def test_a_validation_split_is_held_out_of_train_alone(data_root: Path) -> None:
    dataset = opened("mmnist2", data_root)
    sizes = {(split, True): len(dataset.load(split, validation=True)) for split in ("train", "val", "test")}
    assert list(sizes.values()) == [50_000, 10_000, 10_000]
    assert len(dataset.load("train", validation=False)) == 60_000


def test_there_is_no_val_without_validation() -> None:
    with pytest.raises(UsageError) as error:
        opened("mmnist2").load("val", validation=False)
    assert str(error.value) == (
        "dataset 'mmnist2' has no split 'val' without validation. "
        "Hold one out with --set validation=true. Its splits: train, test."
    )


def test_the_labels_of_the_first_task_are_those_of_mnist(data_root: Path) -> None:
    labels = mnist.load(data_root, "train", "mmnist3").labels
    split = opened("mmnist3", data_root).load("train", validation=False)
    assert torch.equal(split.targets[0], labels.long())
    assert split.defined.all()
    for target in split.targets:
        assert target.dtype == torch.int64
        assert target.bincount() / 60_000 == pytest.approx((labels.bincount() / 60_000).numpy(), abs=0.006)


@pytest.mark.parametrize(
    ("split", "golden"),
    [
        ("train", "bfcf67fb1ec7adde69776dd5bc62ab13fb78968af4ac6aa81f350fd217605dc1"),
        ("test", "b0df1404248bb41189e8bb87fc78621e978b443bd5c2978705c582ee159f3c15"),
    ],
)
def test_mmnist2_is_the_same_bytes_everywhere(data_root: Path, split: str, golden: str) -> None:
    loaded = opened("mmnist2", data_root).load(split, validation=False)
    assert isinstance(loaded.inputs, Tensor)
    found = hashlib.sha256(loaded.inputs.numpy().tobytes())
    for target in loaded.targets:
        found.update(target.numpy().tobytes())
    assert found.hexdigest() == golden


def by_hand(labels: list[int], digit: int) -> int:
    """Return the label to the right of a digit in a grid that is read row by row."""
    grid = [[labels[3 * column + row] for column in range(3)] for row in range(3)]
    places = [(row, column) for row, column in itertools.product(range(3), range(3)) if grid[row][column] == digit]
    if len(places) != 1 or places[0][1] == 2:
        return -1
    row, column = places[0]
    return grid[row][column + 1]


def test_what_is_right_of_a_digit_is_found_as_by_hand() -> None:
    labels = torch.randint(0, 10, (500, 9), generator=torch.Generator().manual_seed(0))
    targets, positions = right_of(labels)
    for grid, answers, places in zip(labels.tolist(), targets.tolist(), positions.tolist(), strict=True):
        assert answers == [by_hand(grid, digit) for digit in range(10)]
        assert answers == [grid[place] if place >= 0 else -1 for place in places]


def test_one_grid_is_answered_as_a_person_would() -> None:
    """0 3 6 / 1 4 7 / 2 5 7: seven occurs twice, six is at the right, eight and nine are not there."""
    targets, _ = right_of(torch.tensor([[0, 1, 2, 3, 4, 5, 6, 7, 7]]))
    assert targets.tolist() == [[3, 4, 5, 6, 7, 7, -1, -1, -1, -1]]


@pytest.fixture(scope="module")
def by_reference(tmp_path_factory: pytest.TempPathFactory, data_root: Path) -> Split:
    """mmnist9-ref's test split, composed for this module alone."""
    root = tmp_path_factory.mktemp("by-reference")
    (root / "mnist").mkdir()
    for name in mnist.MD5:
        (root / "mnist" / name).symlink_to(data_root / "mnist" / name)
    dataset = MultiMnist9ByReference(MultiMnistOptions(), root)
    dataset._write("test", PARTS["test"], mnist.load(root, "t10k", dataset.title))
    return dataset.load("test", validation=False)


def test_a_task_by_reference_is_defined_where_its_label_is(by_reference: Split) -> None:
    targets = torch.stack(by_reference.targets, dim=1)
    assert torch.equal(by_reference.defined, targets >= 0)
    assert int(targets.min()) == -1
    # A digit occurs once in nine with probability 9/10 (9/10)^8, and then in one of two columns out of three.
    assert by_reference.defined.float().mean().item() == pytest.approx(0.9**8 * 6 / 9 * 0.9, abs=0.005)


def test_the_foreground_of_an_undefined_task_is_empty(by_reference: Split) -> None:
    assert by_reference.foreground is not None
    rows = torch.arange(500)
    for task in range(10):
        lit = by_reference.foreground(rows, task).flatten(1).any(1)
        assert torch.equal(lit, by_reference.defined[:500, task])


def test_the_foreground_by_reference_is_that_of_the_digit_that_is_the_answer(
    by_reference: Split, nine: tuple[mnist.Digits, Tensor]
) -> None:
    assert by_reference.foreground is not None
    digits, members = nine
    for row, task in itertools.product(range(50), range(10)):
        grid = digits.labels[members[row]].tolist()
        if by_hand(grid, task) < 0:
            continue
        answer = grid.index(task) + 3
        alone = on_a_canvas(digits.images[members[row, answer]][None].numpy(), [COLUMN_MAJOR[answer]], 52)
        shown = by_reference.foreground(torch.tensor([row]), task)
        assert np.array_equal(shown[0].numpy(), alone > 127)


def test_the_foreground_is_the_digit_alone_resized_and_cut_at_127(data_root: Path) -> None:
    digits = mnist.load(data_root, "t10k", "mmnist3")
    split = opened("mmnist3", data_root).load("test", validation=False)
    assert split.foreground is not None
    rows, members = torch.tensor([9, 0, 4321]), PARTS["test"].members(10_000, 3)
    for task, place in enumerate([(0, 0), (6, 6), (6, 0)]):
        shown = split.foreground(rows, task)
        assert shown.dtype == torch.float32
        for row, shown_one in zip(rows, shown, strict=True):
            alone = on_a_canvas(digits.images[members[row, task]][None].numpy(), [place], 36)
            assert np.array_equal(shown_one.numpy(), alone > 127)


@pytest.mark.gpu
def test_the_foreground_follows_its_rows_to_their_device() -> None:
    generator, dataset = torch.Generator().manual_seed(0), opened("mmnist2")
    tiles = torch.randint(256, (100, 28, 28), dtype=torch.uint8, generator=generator)
    members = torch.randint(100, (64, 2), generator=generator)
    foreground, rows = Foreground(tiles, members, torch.tensor([[0, 1]]), dataset.layout), torch.arange(64)
    here = foreground(rows, 1)
    there = foreground(rows.cuda(), 1)
    assert there.is_cuda
    assert torch.equal(there.cpu(), here)


def test_the_foreground_stays_right_in_the_first_examples_of_a_split(data_root: Path) -> None:
    split = opened("mmnist2", data_root).load("test", validation=False)
    batch = split.first(100).batch(torch.tensor([99]))
    assert split.foreground is not None
    assert batch.foreground is not None
    assert torch.equal(batch.foreground(batch.rows, 0), split.foreground(torch.tensor([99]), 0))


@pytest.mark.parametrize(
    ("text", "canvas", "second"),
    [
        ("mmnist2:offset=6", 36, (6, 6)),
        ("mmnist2:offset=8", 36, (8, 8)),
        ("mmnist3:offset=10", 38, (10, 10)),
        ("mmnist4:offset=8", 36, (8, 8)),
        ("mmnist4:offset=16", 44, (16, 16)),
        ("mmnist4:offset=6:canvas=36", 36, (6, 6)),
        ("mmnist2:canvas=40", 40, (6, 6)),
        ("mmnist9:offset=9", 46, (9, 0)),
    ],
)
def test_offset_and_canvas_change_the_layout(text: str, canvas: int, second: tuple[int, int]) -> None:
    layout = opened(text).layout
    assert (layout.canvas, layout.places[1]) == (canvas, second)


def test_a_canvas_that_does_not_hold_the_digits_is_refused() -> None:
    with pytest.raises(UsageError) as error:
        opened("mmnist4:offset=16:canvas=40")
    assert str(error.value) == (
        "dataset 'mmnist4:canvas=40:offset=16' has a canvas of 40 pixels, which does not hold its digits. "
        "Leave out the canvas, or make it larger. With offset 16 a canvas is at least 44."
    )


@pytest.mark.parametrize("text", ["mmnist2:offset=-1", "mmnist2:canvas=281", "mmnist2:shift=28", "mmnist2:turn=3"])
def test_an_option_out_of_bounds_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"^(option '(offset|canvas|shift)' of )?dataset 'mmnist2' "):
        opened(text)


def cached(root: Path, part: str = "test") -> Path:
    return root / "mnist" / f"mmnist2-offset6-canvas36-{part}-v1.safetensors"


@pytest.mark.parametrize("keep", [0, 100, 7_000_000])
def test_a_truncated_cache_is_named_and_prepare_makes_it_anew(root: Path, keep: int) -> None:
    path, dataset = cached(root), opened("mmnist2", root)
    content, before = path.read_bytes(), dataset.fingerprint()
    path.unlink()
    path.write_bytes(content[:keep])
    with pytest.raises(DataError) as error:
        dataset.load("test", validation=False)
    expected, found = (hashlib.sha256(some).hexdigest() for some in (content, content[:keep]))
    assert str(error.value) == (
        f"{path} is truncated or altered: the sha256 of its {keep} bytes is {found}, expected {expected}. "
        "`mtbench data prepare mmnist2` mends it. The data root is set by --data-root or MTBENCH_DATA."
    )
    said: list[str] = []
    dataset.prepare(said.append)
    assert said == ["mmnist2: composing test"]
    assert path.read_bytes() == content
    assert dataset.fingerprint() == before


def test_a_missing_cache_or_sum_is_named(root: Path) -> None:
    dataset = opened("mmnist2", root)
    for path in (cached(root), cached(root).with_suffix(".sha256")):
        path.rename(path.with_suffix(".away"))
        with pytest.raises(DataError) as error:
            dataset.verify()
        assert str(error.value) == (
            f"{cached(root)} or its sum {cached(root).stem}.sha256 is missing. "
            "`mtbench data prepare mmnist2` mends it. The data root is set by --data-root or MTBENCH_DATA."
        )
        assert dataset.fingerprint() == ""
        path.with_suffix(".away").rename(path)


def test_an_error_names_the_options_of_the_dataset(root: Path) -> None:
    with pytest.raises(DataError, match="`mtbench data prepare mmnist2:offset=8` mends it"):
        opened("mmnist2:offset=8", root).load("test", validation=False)


def test_verify_names_every_file_with_its_sum(data_root: Path) -> None:
    checked = opened("mmnist2", data_root).verify()
    assert [path.name for path, _ in checked[4:]] == [cached(data_root, part).name for part in PARTS]
    for path, checksum in checked[4:]:
        assert checksum == f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


def test_fingerprints_differ_where_data_do(data_root: Path) -> None:
    prints = [opened(name, data_root).fingerprint() for name in ("mmnist2", "mmnist3")]
    assert all(len(text) == 64 for text in prints)
    assert prints[0] != prints[1]


def test_both_tasks_on_nine_digits_share_their_images() -> None:
    place, reference = (cls(MultiMnistOptions(), Path()) for cls in (MultiMnist9, MultiMnist9ByReference))
    assert place._path("train") == reference._path("train")


def test_two_processes_may_prepare_at_once(root: Path) -> None:
    path = cached(root, "val")
    content = path.read_bytes()
    path.unlink()
    program = (
        "import sys; from pathlib import Path; from mtbench.plan.parse import parse_dataset; "
        "parse_dataset('mmnist2').open(Path(sys.argv[1])).prepare(lambda line: None)"
    )
    running = [subprocess.Popen([sys.executable, "-c", program, str(root)]) for _ in range(2)]
    assert [process.wait(300) for process in running] == [0, 0]
    assert path.read_bytes() == content
    assert not [left for left in path.parent.iterdir() if left.name.startswith(".")]


def test_composing_in_chunks_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    tiles = torch.randint(0, 256, (30, 28, 28), dtype=torch.uint8)
    members = torch.randint(0, 30, (25, 2))
    layout = Layout(places=((0, 0), (6, 6)), canvas=36)
    whole = layout.compose(tiles, members)
    monkeypatch.setattr("mtbench_datasets.composites.CHUNK", 7)
    assert torch.equal(layout.compose(tiles, members), whole)
