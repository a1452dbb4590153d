"""The datasets on a small tree in the official format: pictures, labels, points, splits, what is missing or damaged."""

import os
import random
import shutil
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor
from typer.testing import CliRunner

from mtbench.cli.data.commands import app
from mtbench.conformance.dataset import dataset_checks
from mtbench.contract import Dataset, Split, stream
from mtbench.contract.data.links import set_link
from mtbench.errors import DataError, UsageError
from mtbench.plan.parse import parse_dataset
from mtbench.train.diagnostics.pointing import places_of
from mtbench_datasets.cub.dataset import held_out
from tests.datasets.cub.trees import COLORS, PARTS, TASKS, Bird, edit, write_tree

SIZE = 32
NAME = f"cub200:size={SIZE}"
UNKNOWN = 15


def random_birds(count: int, species: int) -> list[Bird]:
    draw = random.Random(5)
    return [
        Bird(
            species=1 + index * species // count,  # as released
            training=index % 3 > 0,
            marked={f"{part}_color::{draw.choice(COLORS)}": draw.randint(1, 4) for part in ("wing", "leg", "crown")},
            points={part: (draw.uniform(0, 38), draw.uniform(0, 30)) for part in draw.sample(PARTS, 9)},
            size=draw.choice([(48, 32), (40, 60)]),
            mode=draw.choice(["RGB", "RGB", "L"]),
        )
        for index in range(count)
    ]


BIRDS = random_birds(72, 3)
TRAIN, TEST = 48, 24


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root with a small world under the name of CUB, prepared. It is not written to."""
    root = tmp_path_factory.mktemp("data")
    write_tree(root / "cub", BIRDS)
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
    return [line.removeprefix(f"{name}: ") for line in said]


def images(split: Split) -> Tensor:
    assert isinstance(split.inputs, Tensor)
    assert split.members is not None
    return split.inputs[split.members[:, 0]]


def numbers(split: Split) -> list[int]:
    """Return the numbers of the images of a split, from 1 on, in its order."""
    assert split.members is not None
    return [row + 1 for row in split.members[:, 0].tolist()]


def picture(root: Path, number: int) -> Path:
    [path] = (root / "cub" / "images").glob(f"*/*_{number:04}.jpg")
    return path


def test_pictures_are_squashed_to_the_size_and_gray_ones_become_rgb(prepared: Path) -> None:
    split = opened(prepared).load("test", validation=False)
    shown = images(split)
    assert shown.shape == (TEST, 3, SIZE, SIZE)
    modes = set()
    for number, pixels in list(zip(numbers(split), shown, strict=True))[:8]:
        with Image.open(picture(prepared, number)) as file:
            modes.add(file.mode)
            squashed = file.convert("RGB").resize((SIZE, SIZE), Image.Resampling.BILINEAR)
        assert pixels.permute(1, 2, 0).numpy().tobytes() == squashed.tobytes()
    assert modes == {"RGB", "L"}


def test_the_split_is_that_of_the_files(prepared: Path) -> None:
    dataset = opened(prepared)
    training = {number for number, bird in enumerate(BIRDS, 1) if bird.training}
    assert set(numbers(dataset.load("train", validation=False))) == training
    assert set(numbers(dataset.load("test", validation=True))) == set(range(1, 73)) - training
    with pytest.raises(UsageError, match=r"cub200:size=32' has no split 'val' without validation\. Hold one out"):
        dataset.load("val", validation=False)


def test_validation_takes_a_tenth_of_the_training_images_of_each_species(prepared: Path) -> None:
    dataset = opened(prepared)
    whole, rest, held = (
        numbers(dataset.load(name, validation=validation))
        for name, validation in [("train", False), ("train", True), ("val", True)]
    )
    assert sorted(rest + held) == sorted(whole)
    for species in (1, 2, 3):  # of 16 training images each
        assert sum(BIRDS[number - 1].species == species for number in held) == 2


def test_who_is_held_out_depends_on_the_images_of_its_own_species_alone() -> None:
    counts = [30, 29, 14, 2, 1]
    names = [f"{kind}/{index}.jpg" for kind, count in enumerate(counts) for index in range(count)]
    species = torch.tensor([kind for kind, count in enumerate(counts) for _ in range(count)])
    chosen = held_out(names, species, torch.ones(len(names), dtype=torch.bool))
    assert [int(chosen[species == kind].sum()) for kind in range(5)] == [3, 3, 1, 1, 0]
    order = torch.randperm(len(names), generator=stream(0, "test"))
    again = held_out([names[row] for row in order.tolist()], species[order], torch.ones(len(names), dtype=torch.bool))
    assert torch.equal(again, chosen[order])
    alone = species == 1
    some = held_out(names, species, alone)
    assert torch.equal(some[alone], chosen[alone])
    assert not some[~alone].any()


def test_the_first_examples_are_of_all_species(prepared: Path) -> None:
    for split in ("train", "test"):
        first = numbers(opened(prepared).load(split, validation=False).first(12))
        assert {BIRDS[number - 1].species for number in first} == {1, 2, 3}


def test_labels_and_points_are_those_of_their_images(prepared: Path) -> None:
    split = opened(prepared).load("test", validation=False)
    assert split.defined.all()
    assert split.points is not None
    assert split.points.shape == (TEST, 12, 2)
    points = opened(prepared).labels("test", validation=False).points
    assert points is not None
    assert torch.equal(points.nan_to_num(-1), split.points.nan_to_num(-1))
    for row, number in enumerate(numbers(split)):
        bird = BIRDS[number - 1]
        for task, part in (("wing", "wing"), ("leg", "leg"), ("crown", "crown"), ("back", "back")):
            colors = [
                COLORS.index(name.partition("::")[2])
                for name, certainty in bird.marked.items()
                if name.startswith(f"{part}_color") and certainty > 1
            ]
            assert int(split.targets[TASKS.index(task)][row]) == (colors or [UNKNOWN])[0]
        found = split.points[row, TASKS.index("throat")]
        if "throat" in bird.points:
            (x, y), (width, height) = bird.points["throat"], bird.size
            torch.testing.assert_close(found, torch.tensor([x * SIZE / width, y * SIZE / height]) - 0.5)
        else:
            assert found.isnan().all()


def test_the_rule_for_several_colors_is_an_option(root: Path) -> None:
    write_tree(root / "cub", [Bird(marked={"wing_color::red": 4, "wing_color::blue": 3}), Bird(training=True)])
    for multi, color in (("certainty", "red"), ("first", "blue"), ("unknown", "unknown")):
        dataset = opened(root, f"{NAME}:multi={multi}")
        split = dataset.labels("test", validation=False)
        assert dataset.tasks[0].answers[int(split.targets[0][0])] == color


def test_training_images_are_flipped_with_their_points_unless_that_is_turned_off(prepared: Path) -> None:
    dataset = opened(prepared)
    split = dataset.load("train", validation=False)
    moved = split.augmented(dataset.tasks, stream(0, "test")).batch(torch.arange(TRAIN))
    still = split.batch(torch.arange(TRAIN))
    assert isinstance(moved.inputs, Tensor)
    assert isinstance(still.inputs, Tensor)
    assert moved.points is not None
    assert still.points is not None
    flipped = torch.tensor([not torch.equal(a, b) for a, b in zip(moved.inputs, still.inputs, strict=True)])
    assert 0 < int(flipped.sum()) < TRAIN
    assert torch.equal(moved.inputs[flipped], still.inputs[flipped].flip(3))
    mirrored = torch.stack([SIZE - 1 - still.points[..., 0], still.points[..., 1]], dim=2)
    torch.testing.assert_close(moved.points[flipped], mirrored[flipped], equal_nan=True)
    torch.testing.assert_close(moved.points[~flipped], still.points[~flipped], equal_nan=True)
    assert dataset.load("test", validation=False).augment == ()
    assert dataset.load("val", validation=True).augment == ()
    assert opened(prepared, f"{NAME}:flip=false").load("train", validation=False).augment == ()


def test_the_page_marks_every_part_that_is_visible(prepared: Path) -> None:
    dataset = opened(prepared)
    marks, split = dataset.marks("test", 5), dataset.load("test", validation=False)
    assert marks is not None
    assert marks.shape == (5, 15, 2)
    for row, number in zip(marks, numbers(split), strict=False):
        bird = BIRDS[number - 1]
        for place, part in zip(row, PARTS, strict=True):
            if part in bird.points:
                expected = [a * SIZE / b - 0.5 for a, b in zip(bird.points[part], bird.size, strict=True)]
                assert place.tolist() == pytest.approx(expected)
            else:
                assert place.isnan().all()


def test_prepare_says_what_the_files_have(tmp_path: Path) -> None:
    wing, nape = "wing_color::red", "nape_color::blue"
    birds = [
        Bird(species=1 + index % 2, training=index < 8, marked=marked, points=points)
        for index, (marked, points) in enumerate(
            [({wing: 4}, {"crown": (24.0, 16.0), "beak": (4.0 * index, 2.0)}) for index in range(8)]
            + [({wing: 2, "wing_color::blue": 3}, {"crown": (25.0, 15.0)}), ({wing: 1, nape: 3}, {"beak": (24, 31.0)})]
        )
    ]
    write_tree(tmp_path / "cub", birds, species=2)
    edit(tmp_path / "cub/attributes/image_attribute_labels.txt", lambda lines: lines.append(f"{lines.pop()} 0"))
    command = ["prepare", NAME, "--data-root", str(tmp_path)]
    said = CliRunner(env={"COLUMNS": "500"}).invoke(app, command, catch_exceptions=False).stdout.splitlines()
    assert [line.removeprefix(f"{NAME}: ") for line in said[:3]] == [
        "attributes of images are read from attributes/image_attribute_labels.txt",
        "lines with more than 5 fields, of which the first four are read: 1 (of images 10)",
        "8 images of 2 species to train on, of which a validation split, if asked for, takes 2, about a tenth of each "
        "species, and 2 to test on",
    ]
    assert said[3].endswith("wing: no color in 10.0 % of the images, one in 80.0 %, several in 10.0 %")
    assert said[6].endswith("nape: no color in 90.0 % of the images, one in 10.0 %, several in 0.0 %")
    majority, near, warning = (line.strip() for line in said[-3:])
    assert majority.endswith(
        "2 test examples: wing 0.00, upper-tail 100.00, throat 100.00, nape 50.00, leg 100.00, eye 100.00, "
        "back 100.00, breast 100.00, forehead 100.00, belly 100.00, crown 100.00, bill 100.00, mean 87.50"
    )
    assert near.endswith("within 10 % of the side: crown 100.0, bill 0.0, mean 50.0")
    assert warning.startswith("warning: above 30 % for crown: ")


def test_points_outside_their_image_are_counted_and_taken_as_unknown(tmp_path: Path) -> None:
    points = {"beak": (4.0, 2.0), "tail": (48.5, 3.0), "crown": (5.0, -1.0)}
    write_tree(tmp_path / "cub", [Bird(training=True), Bird(points=points)])
    command = ["prepare", NAME, "--data-root", str(tmp_path)]
    said = CliRunner(env={"COLUMNS": "500"}).invoke(app, command, catch_exceptions=False).stdout
    assert (
        "visible parts with a point outside the image, of which the place is taken as unknown: 2, the first the crown "
        "of 001.Bird_1/Bird_1_0002.jpg at 5, -1 of 48 x 32 pixels\n"
    ) in said
    known = ~places_of(opened(tmp_path).load("test", validation=False), (SIZE, SIZE)).isnan().any(2)[0]
    assert [task for task, place in zip(TASKS, known.tolist(), strict=True) if place] == ["bill"]


@pytest.mark.parametrize(("training", "what"), [(True, "test"), (False, "train")])
def test_a_world_with_an_empty_split_is_refused(training: bool, what: str, tmp_path: Path) -> None:
    write_tree(tmp_path / "cub", [Bird(training=training)] * 2)
    with pytest.raises(DataError, match=rf"cub/train_test_split\.txt has no image to {what} on\."):
        prepare(tmp_path)


def test_labels_need_no_images(tmp_path: Path) -> None:
    write_tree(tmp_path / "cub", BIRDS, images=False)
    labels = opened(tmp_path).labels("train", validation=True)
    assert labels.points is None  # these need the sizes of the images
    assert len(labels) == TRAIN - 6
    assert isinstance(labels.inputs, Tensor)
    assert labels.inputs.numel() == 0
    with pytest.raises(DataError, match=r"Bird_1_0001\.jpg is missing or empty; 72 of the 72 .*from Caltech's pages"):
        prepare(tmp_path)


def test_labels_are_shown_without_images(tmp_path: Path) -> None:
    birds = [Bird(training=True), Bird(marked={"wing_color::red": 4})]
    write_tree(tmp_path / "cub", birds, images=False)
    show = ["show", "--data-root", str(tmp_path), "--labels", "cub200:tasks=wing/bill"]
    result = CliRunner().invoke(app, show, catch_exceptions=False)
    assert result.stdout == "example,wing,bill\n0,red,unknown\n"
    assert result.stderr.splitlines()[-1] == (
        "majority class, accuracy in % on 1 test examples: wing 0.00, bill 100.00, mean 50.00"
    )


def test_a_page_of_samples_is_written(prepared: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.png"
    show = ["show", NAME, "--data-root", str(prepared), "--count", "3", "--out", str(out)]
    CliRunner().invoke(app, show, catch_exceptions=False)
    with Image.open(out) as page:
        assert page.width > 3 * 200


def test_text_is_read_once_for_all_sizes_and_rules(root: Path) -> None:
    written = {path: path.stat().st_mtime_ns for path in (root / "birds").iterdir()}
    prepare(root, "cub200:multi=first:size=48")
    shutil.rmtree(root / "cub")
    prepare(root)
    assert len(opened(root).load("train", validation=False)) == TRAIN
    assert {path: path.stat().st_mtime_ns for path in (root / "birds").iterdir()} == written


@pytest.mark.parametrize("name", ["images.txt", "parts/part_locs.txt", "attributes/image_attribute_labels.txt"])
def test_a_text_file_that_changed_is_noticed_and_read_again(name: str, root: Path) -> None:
    before = opened(root).fingerprint()
    edit(root / "cub" / name, lambda lines: lines.reverse())
    with pytest.raises(
        DataError, match=r"\.txt is not the file any more that .* was read from\. `mtbench data prepare"
    ):
        opened(root).load("test", validation=False)
    prepare(root)
    assert opened(root).fingerprint() == before  # the same in another order
    [line] = [line for line in (root / "cub/parts/part_locs.txt").read_text().splitlines() if line.startswith("1 1 ")]
    edit(root / "cub/parts/part_locs.txt", lambda lines: lines.__setitem__(lines.index(line), "1 1 7.0 9.0 1"))
    prepare(root)
    assert opened(root).fingerprint() not in ("", before)


def test_a_picture_that_changed_is_measured_again(root: Path) -> None:
    number = numbers(opened(root).load("test", validation=False))[0]
    before = opened(root).marks("test", 2)
    with Image.open(picture(root, number)) as file:
        width, height = file.size
        file.resize((2 * width, height)).save(picture(root, number))
    with pytest.raises(DataError, match=r"\.jpg is not the file any more"):
        opened(root).load("test", validation=False)
    prepare(root)
    after = opened(root).marks("test", 2)
    assert before is not None
    assert after is not None
    torch.testing.assert_close(after[0] + 0.5, (before[0] + 0.5) * torch.tensor([0.5, 1]), equal_nan=True)
    torch.testing.assert_close(after[1], before[1], equal_nan=True)


def test_equal_data_have_equal_fingerprints_wherever_they_lie(prepared: Path, tmp_path: Path) -> None:
    assert opened(tmp_path).fingerprint() == ""
    folder = tmp_path / "elsewhere"
    shutil.copytree(prepared / "cub", folder)
    for path in folder.rglob("*.*"):
        os.utime(path, (1, 1))
    set_link(tmp_path, "cub", folder)
    prepare(tmp_path)
    assert opened(tmp_path).fingerprint() == opened(prepared).fingerprint() != ""
    assert opened(prepared, f"{NAME}:multi=first:flip=false").fingerprint() == opened(prepared).fingerprint()
    assert opened(prepared, "cub200:size=48").fingerprint() == ""


@pytest.mark.parametrize("file", [0, 1, 2])
def test_verify_names_every_file_and_finds_one_that_is_altered(file: int, root: Path) -> None:
    checked = opened(root).verify()
    assert [path.suffix for path, _ in checked] == [".safetensors", ".safetensors", ".pixels"]
    damaged = checked[file][0]
    content = bytearray(damaged.read_bytes())
    content[-1] ^= 1
    damaged.write_bytes(content)
    with pytest.raises(DataError, match=rf"{damaged.name} is .*altered.*data prepare {NAME}"):
        opened(root).verify()
    prepare(root)
    assert opened(root).verify() == checked


@pytest.mark.parametrize("head", [b"\xff" * 8, b"\xff" * 7 + b"\0", b"\0" * 8])
def test_a_damaged_head_is_no_fingerprint_and_prepare_mends_it(head: bytes, root: Path) -> None:
    fingerprint = opened(root).fingerprint()
    path = root / "birds" / "cub-v1.safetensors"
    path.write_bytes(head + path.read_bytes()[8:])
    assert opened(root).fingerprint() == ""
    prepare(root)
    assert opened(root).fingerprint() == fingerprint


def test_a_folder_that_is_not_cub_is_not_linked(tmp_path: Path) -> None:
    link = ["link", "cub", str(tmp_path), "--data-root", str(tmp_path)]
    with pytest.raises(DataError, match=r"parts\.txt is missing.*from Caltech's pages"):
        CliRunner().invoke(app, link, catch_exceptions=False)
    write_tree(tmp_path / "CUB_200_2011", BIRDS, images=False)
    with pytest.raises(DataError, match=rf"Did you mean {tmp_path}/CUB_200_2011\?"):
        CliRunner().invoke(app, link, catch_exceptions=False)
    link[2] = str(tmp_path / "CUB_200_2011")
    assert "cub is linked to" in CliRunner().invoke(app, link, catch_exceptions=False).stdout


def test_the_first_picture_that_is_missing_or_damaged_is_named_and_nothing_is_lost(tmp_path: Path) -> None:
    write_tree(tmp_path / "cub", BIRDS)
    content = {number: picture(tmp_path, number).read_bytes() for number in (20, 40, 60)}
    picture(tmp_path, 20).write_bytes(content[20][: len(content[20]) // 2])  # its head is whole
    picture(tmp_path, 40).write_bytes(b"no picture")
    lost = picture(tmp_path, 60)
    lost.unlink()
    with pytest.raises(DataError, match=r"_0060\.jpg is missing or empty; 1 of the 72 files"):
        prepare(tmp_path)
    assert not list(tmp_path.glob("images/*"))  # before anything is decoded
    lost.write_bytes(content[60])
    with pytest.raises(DataError, match=r"_0040\.jpg is missing, truncated or damaged"):
        prepare(tmp_path)
    picture(tmp_path, 40).write_bytes(content[40])
    with pytest.raises(DataError, match=r"_0020\.jpg is missing, truncated or damaged"):
        prepare(tmp_path)
    picture(tmp_path, 20).write_bytes(content[20])
    assert prepare(tmp_path)[-1] == "cub: decoded 53 images, 19 were there"
    assert len(opened(tmp_path).load("test", validation=False)) == TEST


def test_a_half_copied_text_file_is_named_by_prepare_and_what_was_there_stays(root: Path) -> None:
    path = root / "cub/attributes/image_attribute_labels.txt"
    whole = path.read_bytes()
    kept = {each: each.read_bytes() for each in (root / "birds").iterdir()}
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"image_attribute_labels\.txt.*CUB-200-2011 is a folder with images\.txt"):
        prepare(root)
    assert {each: each.read_bytes() for each in (root / "birds").iterdir()} == kept


def test_the_dataset_conforms(root: Path) -> None:
    checks = dataset_checks(NAME, root)
    whole = {sentence for sentence in checks if "trained" in sentence or "measure" in sentence}
    assert len(whole) == 2  # these take the whole ResNet-18
    assert len(checks) == 11
    for sentence in checks.keys() - whole:
        checks[sentence]()


def test_protocols_state_the_papers_settings() -> None:
    for name in ("cub200", "birds-mini"):
        paper = parse_dataset(name).dataset_class.protocols["paper"]
        assert (paper.lr, paper.batch, paper.epochs, paper.optimizer) == (1e-4, 128, 200, "adam")


def test_the_world_that_is_not_there_is_made_by_the_command_that_is_named(tmp_path: Path) -> None:
    for name in ("birds-mini", "birds-mini:test=2:train=4"):
        with pytest.raises(DataError, match=rf"`mtbench data prepare {name}` makes it\.$"):
            opened(tmp_path, name).labels("test", validation=False)


def test_the_drawn_world_is_read_as_the_released_files_are(tmp_path: Path) -> None:
    name = f"birds-mini:size={SIZE}:species=2:test=2:train=3"
    prepare(tmp_path, name)
    split = opened(tmp_path, name).load("train", validation=False)
    assert images(split).shape == (3, 3, SIZE, SIZE)
    assert split.points is not None
    inside = (split.points >= -0.5) & (split.points < SIZE)
    assert (inside | split.points.isnan()).all()
    assert opened(tmp_path, name).labels("test", validation=False).defined.shape == (2, 12)
    [drawn] = list(tmp_path.glob("birds-mini-*/images/*/*.jpg"))[:1]
    content = drawn.read_bytes()
    drawn.unlink()
    with pytest.raises(DataError, match=rf"{drawn.name} is missing\. `mtbench data prepare birds-mini:.*` mends it"):
        opened(tmp_path, name).verify()
    prepare(tmp_path, name)
    assert drawn.read_bytes() == content
