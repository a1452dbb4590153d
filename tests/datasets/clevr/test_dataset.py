"""The datasets on a small tree in the official format: pictures, labels, splits, files that are missing or damaged."""

import json
import os
import random
import re
import shutil
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor
from typer.testing import CliRunner

from mtbench.cli.app import app as mtbench
from mtbench.cli.data.commands import app
from mtbench.conformance.dataset import dataset_checks
from mtbench.contract import Dataset, Split
from mtbench.contract.data.links import set_link
from mtbench.errors import DataError, UsageError
from mtbench.plan.parse import parse_dataset
from mtbench_datasets.clevr.dataset import held_out
from tests.datasets.clevr.trees import FRAME, random_scene, scene, thing, write_tree

TRAIN, TEST = 60, 12
DRAW = random.Random(8)
PARTS = {"train": [random_scene(DRAW) for _ in range(TRAIN)], "val": [random_scene(DRAW) for _ in range(TEST)]}
SIZE = 32


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root with a small world under the name of CLEVR, prepared. It is not written to."""
    root = tmp_path_factory.mktemp("data")
    write_tree(root / "clevr", PARTS)
    opened(root).prepare(lambda _: None)
    return root


@pytest.fixture
def root(prepared: Path, tmp_path: Path) -> Path:
    """A copy that may be damaged."""
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    return tmp_path


def opened(root: Path, name: str = f"clevr4:size={SIZE}") -> Dataset:
    return parse_dataset(name).open(root)


def prepare(root: Path, name: str = f"clevr4:size={SIZE}") -> list[str]:
    said: list[str] = []
    opened(root, name).prepare(said.append)
    return said


def images(split: Split) -> Tensor:
    assert isinstance(split.inputs, Tensor)
    return split.inputs if split.members is None else split.inputs[split.members[:, 0]]


def test_pictures_are_squashed_to_the_size_by_bilinear_interpolation(prepared: Path) -> None:
    shown = images(opened(prepared).load("test", validation=False))
    assert shown.shape == (TEST, 3, SIZE, SIZE)
    assert shown.dtype == torch.uint8
    for index in (0, TEST - 1):
        with Image.open(prepared / "clevr" / "images" / "val" / f"CLEVR_val_{index:06d}.png") as picture:
            squashed = picture.resize((SIZE, SIZE), Image.Resampling.BILINEAR)
        assert shown[index].permute(1, 2, 0).numpy().tobytes() == squashed.tobytes()


def test_val_is_the_test_split_and_train_the_rest(prepared: Path) -> None:
    dataset = opened(prepared)
    assert len(dataset.load("train", validation=False)) == TRAIN
    assert len(dataset.load("test", validation=True)) == TEST
    with pytest.raises(UsageError, match=r"has no split 'val' without validation\. Hold one out"):
        dataset.load("val", validation=False)


def test_the_validation_split_and_the_rest_are_the_training_split_disjoint(prepared: Path) -> None:
    dataset = opened(prepared)
    whole, rest, held = (
        dataset.load(name, validation=validation)
        for name, validation in [("train", False), ("train", True), ("val", True)]
    )
    chosen = held_out(TRAIN)
    assert 0 < int(chosen.sum()) < TRAIN
    assert torch.equal(images(rest), images(whole)[~chosen])
    assert torch.equal(images(held), images(whole)[chosen])
    assert torch.equal(rest.targets[0], whole.targets[0][~chosen])
    assert torch.equal(held.targets[1], whole.targets[1][chosen])


def test_a_twentieth_is_held_out_by_the_index_alone() -> None:
    chosen = held_out(70_000)
    assert torch.equal(chosen[:500], held_out(500))
    assert int(chosen.sum()) == pytest.approx(3500, abs=4 * (70_000 * 0.05 * 0.95) ** 0.5)


def test_images_are_normalized_as_those_of_imagenet(prepared: Path) -> None:
    split = opened(prepared).load("test", validation=False)
    batch = split.batch(torch.arange(2))
    assert isinstance(batch.inputs, Tensor)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    expected = (images(split)[:2] / 255 - mean.view(3, 1, 1)) / std.view(3, 1, 1)
    torch.testing.assert_close(batch.inputs.contiguous(), expected, atol=1e-5, rtol=0)


def test_points_are_where_the_answers_are_read_in_pixels_of_the_image(tmp_path: Path) -> None:
    cube, ball = thing("large purple rubber cube", x=24, y=16), thing("small gray metal sphere", x=12, y=20)
    write_tree(tmp_path / "clevr", {part: [scene(cube, ball)] for part in ("train", "val")})
    prepare(tmp_path)
    split = opened(tmp_path, f"clevr40:size={SIZE}").load("test", validation=False)
    assert split.points is not None
    assert split.points.shape == (1, 40, 2)
    assert split.targets[0].tolist() == [0]  # the shape of what is left of the purple thing: sphere
    assert split.points[0, 0].tolist() == [12 * SIZE / FRAME[1] - 0.5, 20 * SIZE / FRAME[0] - 0.5]
    assert torch.equal(split.points.isnan().any(2), ~split.defined)
    direct = opened(tmp_path, f"clevr40:size={SIZE}:variant=direct").load("test", validation=False)
    assert direct.targets[0].tolist() == [1]  # the shape of the purple thing: cube
    assert direct.points is not None
    assert direct.points[0, 0].tolist() == [24 * SIZE / FRAME[1] - 0.5, 16 * SIZE / FRAME[0] - 0.5]


def test_tasks_may_be_picked_by_name_and_by_group(prepared: Path) -> None:
    every = opened(prepared, f"clevr-questions:size={SIZE}").load("test", validation=False)
    for name, first in (("self", 0), ("below", 4 * 329)):
        some = opened(prepared, f"clevr-questions:size={SIZE}:about={name}").load("test", validation=False)
        assert len(some.targets) == 329
        assert torch.equal(some.defined, every.defined[:, first : first + 329])
        assert torch.equal(torch.stack(some.targets), torch.stack(every.targets[first : first + 329]))
    names = [task.name for task in opened(prepared, "clevr-questions").tasks]
    picked = [names[1], names[700]]
    two = opened(prepared, f"clevr-questions:size={SIZE}:tasks={'/'.join(picked)}").load("test", validation=False)
    assert torch.equal(two.targets[1], every.targets[700])
    assert [task.kind.output_size for task in opened(prepared, "clevr-questions:tasks=red-shape/cube-color").tasks] == [
        3,
        8,
    ]


def test_prepare_says_what_the_splits_have_and_which_relations_were_wrong(tmp_path: Path) -> None:
    parts = {"train": [*PARTS["train"], scene(thing(), relationships=None)], "val": PARTS["val"]}
    write_tree(tmp_path / "clevr", parts)
    held = int(held_out(TRAIN + 1).sum())
    assert prepare(tmp_path)[:3] == [
        f"clevr4:size={SIZE}: 61 scenes to train on, of which a validation split, if asked for, takes {held}, "
        "and 12 to test on",
        f"clevr4:size={SIZE}: relations computed anew in 1 scenes of train",
        f"clevr4:size={SIZE}: relations computed anew in 0 scenes of val",
    ]


def test_scenes_are_parsed_once_for_all_questions(root: Path) -> None:
    written = {path: path.stat().st_mtime_ns for path in (root / "scenes").iterdir()}
    prepare(root, f"clevr-questions:size={SIZE}")
    shutil.rmtree(root / "clevr")
    assert len(opened(root, f"clevr2:size={SIZE}").load("train", validation=False)) == TRAIN
    assert {path: path.stat().st_mtime_ns for path in (root / "scenes").iterdir()} == written


def test_a_scene_file_that_changed_is_noticed_and_read_again(root: Path) -> None:
    before = opened(root).fingerprint()
    write_tree(root / "clevr", {"val": PARTS["train"][:TEST]}, images=False)
    with pytest.raises(DataError, match=r"CLEVR_val_scenes\.json is not the file any more that .* was read from"):
        opened(root).load("test", validation=False)
    prepare(root)
    changed, old = (opened(where).load("test", validation=False) for where in (root, root))
    assert torch.equal(changed.targets[0], opened(root).load("train", validation=False).targets[0][:TEST])
    assert len(old) == TEST
    assert opened(root).fingerprint() not in ("", before)


def test_equal_data_have_equal_fingerprints_wherever_they_lie(prepared: Path, tmp_path: Path) -> None:
    assert opened(tmp_path).fingerprint() == ""
    folder = tmp_path / "elsewhere"
    shutil.copytree(prepared / "clevr", folder)
    for path in folder.rglob("*.json"):
        os.utime(path, (1, 1))
    set_link(tmp_path, "clevr", folder)
    prepare(tmp_path)
    assert opened(tmp_path).fingerprint() == opened(prepared).fingerprint() != ""
    assert opened(prepared, f"clevr2:size={SIZE}").fingerprint() == opened(prepared).fingerprint()
    assert opened(prepared, "clevr4:size=48").fingerprint() == ""


def test_verify_names_every_file_and_finds_one_that_is_altered(root: Path) -> None:
    checked = opened(root).verify()
    assert [path.suffix for path, _ in checked] == [".safetensors", ".pixels"] * 2
    damaged = checked[2][0]
    damaged.write_bytes(damaged.read_bytes()[:-1])
    with pytest.raises(DataError, match=rf"{damaged.name} is truncated or altered.*data prepare clevr4:size={SIZE}"):
        opened(root).verify()
    prepare(root)
    assert opened(root).verify() == checked


def test_a_folder_that_is_not_clevr_is_not_linked(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"CLEVR_train_scenes\.json is missing.*from its authors' page"):
        CliRunner().invoke(app, ["link", "clevr", str(tmp_path), "--data-root", str(tmp_path)], catch_exceptions=False)


def test_pictures_of_another_size_than_the_scenes_count_in_are_refused(root: Path) -> None:
    path = root / "clevr" / "images" / "val" / "CLEVR_val_000002.png"
    with Image.open(path) as picture:
        small = picture.resize((24, 16))
    small.save(path)
    with pytest.raises(DataError, match=r"CLEVR_val_000002\.png .*it has 24 x 16 pixels, not 48 x 32\)"):
        prepare(root)


def test_labels_need_no_images(tmp_path: Path) -> None:
    write_tree(tmp_path / "clevr", PARTS, images=False)
    labels = opened(tmp_path).labels("train", validation=True)
    assert len(labels) == TRAIN - int(held_out(TRAIN).sum())
    assert isinstance(labels.inputs, Tensor)
    assert labels.inputs.numel() == 0
    with pytest.raises(DataError, match=r"CLEVR_train_000000\.png is missing or empty.*from its authors' page"):
        prepare(tmp_path)


def test_labels_are_shown_without_images(tmp_path: Path) -> None:
    first = scene(thing("small red metal sphere", x=10), thing("large gray rubber cube", x=30))
    write_tree(tmp_path / "clevr", {"train": [first], "val": [first, scene(thing())]}, images=False)
    show = ["show", "--data-root", str(tmp_path), "--labels"]
    result = CliRunner().invoke(app, [*show, "clevr4"], catch_exceptions=False)
    assert result.stdout == "example,q1,q2,q3,q4\n0,no,yes,yes,no\n1,no,no,no,no\n"
    assert result.stderr.splitlines()[-1] == (
        "majority class, accuracy in % on 2 test examples: q1 100.00, q2 50.00, q3 50.00, q4 100.00, mean 75.00"
    )
    names = "tasks=gray-left-shape/gray-size"
    out = tmp_path / "new" / "labels.csv"
    CliRunner().invoke(
        app, [*show, f"clevr-questions:{names}", "--count", "1", "--out", str(out)], catch_exceptions=False
    )
    assert out.read_text() == "example,gray-left-shape,gray-size\n0,sphere,large\n"


def test_the_page_marks_every_object(prepared: Path) -> None:
    marks = opened(prepared).marks("test", 3)
    assert marks is not None
    for row, made in zip(marks, PARTS["val"][:3], strict=True):
        expected = [
            [item["pixel_coords"][0] * SIZE / FRAME[1] - 0.5, item["pixel_coords"][1] * SIZE / FRAME[0] - 0.5]
            for item in made["objects"]
        ]
        torch.testing.assert_close(row[: len(expected)], torch.tensor(expected))
        assert row[len(expected) :].isnan().all()


@pytest.mark.parametrize("name", ["clevr2", "clevr3", "clevr4:no_sphere=ignore", "clevr40", "clevr40:variant=direct"])
def test_the_datasets_conform(name: str, root: Path) -> None:
    checks = dataset_checks(f"{name}:size={SIZE}", root)
    whole = {sentence for sentence in checks if "trained" in sentence or "measure" in sentence}
    assert len(whole) == 2  # these take the whole VGG-11
    assert len(checks) == 11
    for sentence in checks.keys() - whole:
        checks[sentence]()


def test_td_on_four_questions_has_the_weights_of_the_paper() -> None:
    """Levi & Ullman, Table 5b: backbone, a head, the top-down stream, and the embedding of each task."""
    output = CliRunner().invoke(mtbench, ["info", "td", "--dataset", "clevr4"], catch_exceptions=False).output
    for part, weights in (("backbone", "7,448,256"), ("branch", "7,473,152"), ("top_down", "8,306,688")):
        assert re.search(rf"^ *{part} +{weights} ", output, re.MULTILINE)
    assert re.search(r"^ *embedding .* 1,568 weights", output, re.MULTILINE)


def test_protocols_state_the_papers_settings() -> None:
    for name, batch in (("clevr2", 128), ("clevr4", 128), ("clevr40", 32), ("clevr-questions", 32)):
        paper = parse_dataset(name).dataset_class.protocols["paper"]
        assert (paper.lr, paper.batch, paper.epochs, paper.optimizer, paper.schedule) == (
            1e-4,
            batch,
            100,
            "adam",
            "halving",
        )


def test_a_half_copied_scene_file_is_named_by_prepare(root: Path) -> None:
    path = root / "clevr" / "scenes" / "CLEVR_train_scenes.json"
    path.write_text(path.read_text()[:5000])
    with pytest.raises(DataError, match=r"CLEVR_train_scenes\.json of 5000 bytes is no whole JSON"):
        prepare(root)
    path.write_text(json.dumps({"info": {"split": "train"}, "scenes": []}))
    with pytest.raises(DataError, match=r"CLEVR_train_scenes\.json has no scenes\."):
        prepare(root)


@pytest.mark.parametrize("head", [b"\xff" * 8, b"\xff" * 7 + b"\0", b"\0" * 8])
def test_a_damaged_head_of_the_scenes_is_no_fingerprint_and_prepare_mends_it(head: bytes, root: Path) -> None:
    fingerprint = opened(root).fingerprint()
    [path] = (root / "scenes").glob("clevr-val-*.safetensors")
    path.write_bytes(head + path.read_bytes()[8:])
    assert opened(root).fingerprint() == ""
    prepare(root)
    assert opened(root).fingerprint() == fingerprint


def test_the_world_that_is_not_there_is_made_by_the_command_that_is_named(tmp_path: Path) -> None:
    for name in ("clevr-mini", "clevr-mini:test=2:train=4"):
        with pytest.raises(DataError, match=rf"`mtbench data prepare {name}` makes it\.$"):
            opened(tmp_path, name).labels("test", validation=False)


def test_a_part_without_pictures_is_found_before_the_other_is_decoded(tmp_path: Path) -> None:
    write_tree(tmp_path / "clevr", PARTS)
    shutil.rmtree(tmp_path / "clevr" / "images" / "val")
    with pytest.raises(DataError, match=r"CLEVR_val_000000\.png is missing or empty"):
        prepare(tmp_path)
    assert not list(tmp_path.glob("images/*"))


def test_verify_finds_a_rendered_picture_that_is_gone_and_prepare_mends_it(tmp_path: Path) -> None:
    name = f"clevr-mini:train=3:test=1:size={SIZE}"
    prepare(tmp_path, name)
    opened(tmp_path, name).verify()
    [picture] = tmp_path.glob("*/images/val/*.png")
    content = picture.read_bytes()
    picture.unlink()
    with pytest.raises(DataError, match=rf"{picture.name} is missing\. `mtbench data prepare clevr-mini:.*` mends it"):
        opened(tmp_path, name).verify()
    prepare(tmp_path, name)
    assert picture.read_bytes() == content
    opened(tmp_path, name).verify()
