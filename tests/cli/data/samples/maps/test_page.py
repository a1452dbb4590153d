"""A page of test images with the truth of every task."""

from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb
from matplotlib.image import imread

from mtbench.cli.data.samples.maps.page import sheet_of
from mtbench.cli.data.samples.page import sample_page
from mtbench.contract import Classification, Depth, Regression, Segmentation, Split, Task
from mtbench.errors import UsageError
from mtbench.plan.parse import parse_dataset
from mtbench.report.figure.examples import images_of
from mtbench.report.figure.maps.palette import class_color
from mtbench_toys.datasets import Surfaces, ToyOptions


class WithNumbers(Surfaces):
    @property
    def tasks(self) -> tuple[Task, ...]:
        return (*super().tasks[:2], Task(name="mean", kind=Regression()))


def test_each_image_stands_before_its_maps_with_the_colors_of_their_pixels(tmp_path: Path) -> None:
    dataset = parse_dataset("toy-surfaces").open(tmp_path)
    split = dataset.load("test", validation=False).first(3)
    images = images_of(split)
    assert images is not None
    sheet = sheet_of(dataset.tasks, split, images)
    assert sheet.columns == 4
    assert [key.name for key in sheet.keys] == ["class", "depth", "normal", "all maps"]
    assert [[panel.above for panel in line.panels if panel] for line in sheet.lines] == [
        ["test image 0", "class", "depth", "normal"],
        ["test image 1", "", "", ""],
        ["test image 2", "", "", ""],
    ]
    for row, line in enumerate(sheet.lines):
        image, classes, depth, _ = (panel.image for panel in line.panels if panel)
        assert np.array_equal(image, images[row][..., None].repeat(3, axis=2))
        for label, color in ((-1, "#000000"), (0, class_color(0)), (1, class_color(1)), (2, class_color(2))):
            mask = (split.targets[0][row] == label).numpy()
            assert mask.any()
            assert np.array_equal(classes[mask], np.broadcast_to(to_rgb(color), (mask.sum(), 3)))
        assert np.array_equal((depth == 0).all(2), (split.targets[1][row] == 0).numpy())


def test_the_page_is_a_picture_of_six_images_unless_others_are_asked_for(tmp_path: Path) -> None:
    dataset = parse_dataset("toy-surfaces").open(tmp_path)
    heights = []
    for count in (None, 6, 1):
        sample_page(dataset, tmp_path / "page.png", count)
        page = imread(tmp_path / "page.png")
        assert page.shape[1] == 1380
        heights.append(page.shape[0])
    assert heights[0] == heights[1]
    tall = (1380 - 12) / 4  # about the side of a picture
    assert 5 * tall < heights[0] - heights[2] < 6 * tall
    assert (np.abs(page[..., :3] - to_rgb(class_color(1))).max(2) < 0.01).mean() > 0.02


def test_classes_of_whole_images_stand_below_them() -> None:
    split = Split(
        inputs=torch.zeros(2, 3, 4, 4, dtype=torch.uint8),
        targets=(torch.tensor([1, -1]), torch.ones(2, 4, 4)),
        defined=torch.tensor([[True, True], [False, True]]),
    )
    tasks = (
        Task(name="room", kind=Classification(classes=2), answers=("hall", "attic")),
        Task(name="depth", kind=Depth()),
    )
    sheet = sheet_of(tasks, split, np.zeros((2, 4, 4, 3)))
    first = [line.panels[0] for line in sheet.lines]
    assert [panel.below for panel in first if panel] == [("room\N{NO-BREAK SPACE}attic",), ("(no label)",)]
    assert sheet.columns == 2


def test_maps_that_find_no_room_beside_the_image_stand_below_it() -> None:
    tasks = tuple(Task(name=f"task {number}", kind=Segmentation(classes=2)) for number in range(7))
    split = Split(
        inputs=torch.zeros(1, 3, 4, 4, dtype=torch.uint8),
        targets=(torch.zeros(1, 4, 4, dtype=torch.uint8),) * 7,
        defined=torch.ones(1, 7, dtype=torch.bool),
    )
    sheet = sheet_of(tasks, split, np.zeros((1, 4, 4, 3)))
    assert [[panel.above if panel else None for panel in line.panels] for line in sheet.lines] == [
        ["test image 0", *(f"task {number}" for number in range(5))],
        [None, "task 5", "task 6"],
    ]


def test_what_has_no_page_is_refused(tmp_path: Path) -> None:
    dataset = parse_dataset("toy-surfaces").open(tmp_path)
    with pytest.raises(UsageError) as error:
        sample_page(dataset, tmp_path / "page.png", 61)
    assert str(error.value) == "61 images with maps were asked for. Choose fewer with --count. Allowed: up to 60."
    with pytest.raises(
        UsageError, match=r"^WithNumbers has no page of samples\. .*\. It has tasks of kind Regression\.$"
    ):
        sample_page(WithNumbers(ToyOptions(), tmp_path), tmp_path / "page.png")
    assert not (tmp_path / "page.png").exists()
