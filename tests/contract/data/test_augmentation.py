"""Augmentation: images, points, targets and foreground move together, as drawn from one generator and nothing else."""

import dataclasses
import itertools
import math
from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor, nn

from mtbench.contract import (
    Augmentation,
    Batch,
    Classification,
    Depth,
    Flip,
    Motion,
    Normals,
    Regression,
    ScaleCrop,
    Segmentation,
    Shift,
    Split,
    Task,
    stream,
)
from mtbench.errors import PluginError

KINDS = [Classification(classes=3), Segmentation(classes=9), Depth(), Depth(inverse=True), Normals()]
TASKS = [Task(name=str(number), kind=kind) for number, kind in enumerate(KINDS)]
MEAN, STD = 0.25, 0.5
NAN = math.nan


class Given(Augmentation):
    """A motion that is not drawn: one for all examples."""

    def __init__(self, *, start: tuple[float, float], step: tuple[float, float] = (1, 1), enlarged: float = 1) -> None:
        self.start, self.step, self.enlarged = start, step, enlarged

    def draw(self, count: int, size: tuple[int, int], generator: torch.Generator) -> Motion:  # noqa: ARG002
        return Motion(
            size=size,
            start=torch.tensor([self.start]).expand(count, 2),
            step=torch.tensor([self.step]).expand(count, 2),
            enlarged=torch.full((count,), self.enlarged),
            exact=all(number == int(number) for number in (*self.start, *self.step)),
        )


def split(images: Tensor, **more: object) -> Split:
    """Return everything that can move, made of images (N, 1, H, W) uint8: classes are those of `images` modulo 9,
    depths their values, normals (value, 1, 2), and the foreground is where they are odd; a point per task."""
    values = images.squeeze(1).long()
    count = len(images)
    depth = values.float()
    normals = torch.stack([depth, torch.ones_like(depth), 2 * torch.ones_like(depth)], dim=1)
    points = torch.tensor([[0.0, 0.0], [1.0, 2.0], [3.0, 1.0], [2.5, 0.5], [NAN, NAN]]).repeat(count, 1, 1)
    made = Split(
        inputs=images,
        targets=(torch.arange(count) % 3, values % 9, depth, depth, normals),
        defined=torch.ones(count, len(TASKS), dtype=torch.bool),
        mean=(MEAN,),
        std=(STD,),
        foreground=lambda rows, task: (values[rows] % 2 == task % 2).float(),
        points=points,
    )
    return dataclasses.replace(made, **more)  # type: ignore[arg-type]


FOUR = torch.arange(1, 17, dtype=torch.uint8).view(1, 1, 4, 4)
"""1 to 16, row by row."""


def moved(images: Tensor, *augment: Augmentation, seed: int = 0) -> Batch:
    made = split(images, augment=augment)
    return made.augmented(TASKS, stream(seed, "augment")).batch(torch.arange(len(images)))


def numbers(batch: Batch, row: int = 0) -> Tensor:
    """Return an image (H, W) as it was before it was normalized; 0 where black came in."""
    assert isinstance(batch.inputs, Tensor)
    return 255 * (batch.inputs[row, 0] * STD + MEAN)


def test_a_shift_moves_an_image_and_all_that_comes_with_it() -> None:
    batch = moved(FOUR, Given(start=(1, -2)))  # one up, two to the right
    shown = torch.tensor([[0, 0, 5, 6], [0, 0, 9, 10], [0, 0, 13, 14], [0, 0, 0, 0]])
    came = shown == 0
    assert torch.allclose(numbers(batch), shown.float(), atol=1e-4)
    label, classes, depth, disparity, normals = batch.targets
    assert label.tolist() == [0]
    assert torch.equal(classes[0], torch.where(came, -1, shown % 9))
    for floats in (depth[0], disparity[0], normals[0, 0]):
        assert torch.equal(floats.nan_to_num(0), shown.float())
        assert torch.equal(floats.isnan(), came)
    assert normals[0, 1:, 0, 2].tolist() == [1, 2]
    assert batch.foreground is not None
    assert torch.equal(batch.foreground(batch.rows, 1)[0], (shown % 2 == 1).float())
    assert torch.equal(batch.foreground(batch.rows, 0)[0], ((shown % 2 == 0) & ~came).float())
    assert batch.points is not None
    expected = torch.tensor([[NAN, NAN], [3.0, 1.0], [NAN, NAN], [NAN, NAN], [NAN, NAN]])
    assert torch.equal(batch.points[0].isnan(), expected.isnan())
    assert torch.equal(batch.points[0].nan_to_num(), expected.nan_to_num())


def test_a_flip_mirrors_an_image_and_all_that_comes_with_it_and_turns_normals() -> None:
    batch = moved(FOUR, Flip(probability=1))
    shown = FOUR[0, 0].flip(1).long()
    assert torch.allclose(numbers(batch), shown.float(), atol=1e-4)
    _, classes, depth, disparity, normals = batch.targets
    assert torch.equal(classes[0], shown % 9)
    assert torch.equal(depth[0], shown.float())
    assert torch.equal(disparity[0], shown.float())
    assert torch.equal(normals[0, 0], -shown.float())
    assert normals[0, 1].eq(1).all()
    assert normals[0, 2].eq(2).all()
    assert batch.foreground is not None
    assert torch.equal(batch.foreground(batch.rows, 1)[0], (shown % 2).float())
    assert batch.points is not None
    assert batch.points[0, :4].tolist() == [[3, 0], [2, 2], [0, 1], [0.5, 0.5]]
    assert batch.points[0, 4].isnan().all()


def test_an_enlarged_crop_has_its_corners_at_those_of_the_image() -> None:
    """The right lower 2 x 2 pixels, 11 12 / 15 16, three times as far apart: (2 - 1) / (4 - 1) pixels a step."""
    batch = moved(FOUR, Given(start=(2, 2), step=(1 / 3, 1 / 3), enlarged=2))
    down, right = torch.meshgrid(torch.arange(4) / 3, torch.arange(4) / 3, indexing="ij")
    assert torch.allclose(numbers(batch), 11 + 4 * down + right, atol=1e-4)
    nearest = torch.tensor([[11, 11, 12, 12]] * 2 + [[15, 15, 16, 16]] * 2)
    _, classes, depth, disparity, normals = batch.targets
    assert torch.equal(classes[0], nearest % 9)
    assert torch.equal(depth[0], nearest / 2)
    assert torch.equal(disparity[0], nearest * 2.0)
    assert torch.equal(normals[0, 0], nearest.float())
    assert batch.foreground is not None
    assert torch.equal(batch.foreground(batch.rows, 1)[0], (nearest % 2).float())
    assert batch.points is not None
    assert batch.points[0, :2].isnan().all()
    assert batch.points[0, 3].isnan().all()
    lower = moved(FOUR, Given(start=(1, 1), step=(1 / 3, 1 / 3))).points
    assert lower is not None
    assert torch.allclose(lower[0, 1], torch.tensor([0.0, 3.0]))  # 0 and 1 pixels behind the crop's first, times 3


@pytest.mark.parametrize("scales", [(1.0,), (1.2,), (1.5,), (1.0, 1.2, 1.5)])
def test_enlarged_crops_are_those_of_torchs_grid_sample(scales: tuple[float, ...]) -> None:
    images = torch.randint(0, 256, (16, 3, 18, 24), dtype=torch.uint8, generator=stream(0, "images"))
    maps = torch.rand(16, 1, 18, 24, generator=stream(0, "maps"))
    motion = ScaleCrop(scales).draw(16, (18, 24), stream(0, "augment"))
    corners = motion.start, motion.start + motion.step * torch.tensor([17, 23])
    (top, left), (bottom, right) = (corner.unbind(1) for corner in corners)
    grid = torch.empty(16, 18, 24, 2)  # x and y, -1 and 1 at the centers of the corner pixels
    for row, (y, x, y_end, x_end) in enumerate(zip(top, left, bottom, right, strict=True)):
        assert float(y) == int(y)
        assert float(x) == int(x)
        grid[row, :, :, 0] = torch.linspace(float(x), float(x_end), 24)[None, :] * 2 / 23 - 1
        grid[row, :, :, 1] = torch.linspace(float(y), float(y_end), 18)[:, None] * 2 / 17 - 1
    expected = nn.functional.grid_sample(images.float(), grid, mode="bilinear", align_corners=True)
    found = motion.images(images.float(), torch.full((1, 3, 1, 1), NAN))
    assert torch.allclose(found, expected, atol=1e-2)  # of 255
    nearest = nn.functional.grid_sample(maps, grid, mode="nearest", align_corners=True)[:, 0]
    assert (motion.maps(maps[:, 0], NAN) == nearest).float().mean() > 0.99  # rounding of halves aside
    lengths = {(round(float(h)) + 1, round(float(w)) + 1) for h, w in motion.step * torch.tensor([17, 23])}
    assert lengths == {(int(18 / scale), int(24 / scale)) for scale in scales}


def test_crops_lie_everywhere_within_the_image_with_each_scale() -> None:
    motion = ScaleCrop((1.0, 2.0)).draw(4000, (4, 6), stream(0, "augment"))
    enlarged = motion.enlarged == 2
    assert 0.45 < enlarged.float().mean() < 0.55
    assert not motion.start[~enlarged].any()
    places, counts = torch.unique(motion.start[enlarged], dim=0, return_counts=True)
    assert places.tolist() == [list(map(float, place)) for place in itertools.product(range(3), range(4))]
    assert counts.min() > 0.6 * enlarged.sum() / 12


@pytest.mark.parametrize("pixels", [0, 1, 2])
def test_a_shift_is_padding_and_a_random_crop_each_with_the_same_frequency(pixels: int) -> None:
    """All crops of the padded image are those of torchvision's RandomCrop(size, padding=pixels)."""
    images = torch.randint(1, 256, (1, 1, 5, 4), dtype=torch.uint8, generator=stream(0, "images")).expand(
        4000, -1, -1, -1
    )
    batch = moved_images(images, Shift(pixels))
    normalized = split(images[:1]).batch(torch.tensor([0])).inputs
    black = split(torch.zeros(1, 1, 5, 4, dtype=torch.uint8)).batch(torch.tensor([0])).inputs
    assert isinstance(normalized, Tensor)
    assert isinstance(black, Tensor)
    padded = nn.functional.pad(normalized, (pixels,) * 4, value=float(black[0, 0, 0, 0]))
    crops = {
        tuple(padded[0, 0, top : top + 5, left : left + 4].flatten().tolist())
        for top, left in itertools.product(range(2 * pixels + 1), repeat=2)
    }
    found, counts = torch.unique(batch.flatten(1), dim=0, return_counts=True)
    assert {tuple(image) for image in found.tolist()} == crops
    assert counts.min() > 0.6 * 4000 / len(crops)


def moved_images(images: Tensor, *augment: Augmentation) -> Tensor:
    plain = Split(
        inputs=images,
        targets=(torch.zeros(len(images), dtype=torch.int64),),
        defined=torch.ones(len(images), 1, dtype=torch.bool),
        mean=(MEAN,),
        std=(STD,),
        augment=augment,
    )
    inputs = plain.augmented(TASKS[:1], stream(0, "augment")).batch(torch.arange(len(images))).inputs
    assert isinstance(inputs, Tensor)
    return inputs


def test_half_of_the_images_are_flipped_or_as_many_as_is_said() -> None:
    for probability in (0.5, 0.1):
        mirrored = Flip(probability).draw(4000, (3, 3), stream(0, "augment")).mirrored
        assert abs(mirrored.float().mean() - probability) < 0.03


def everything(batch: Batch) -> list[Tensor]:
    assert isinstance(batch.inputs, Tensor)
    assert batch.points is not None
    assert batch.foreground is not None
    maps = [batch.foreground(batch.rows, task) for task in range(len(TASKS))]
    return [batch.inputs, *batch.targets, batch.use.T, batch.points, *maps]


def same(first: Batch, second: Batch) -> bool:
    return all(
        torch.equal(one.nan_to_num(-7), other.nan_to_num(-7))
        for one, other in zip(everything(first), everything(second), strict=True)
    )


MANY = torch.randint(0, 256, (12, 1, 6, 4), dtype=torch.uint8, generator=stream(0, "images"))


@pytest.mark.parametrize(
    "augment",
    [(Flip(1), Flip(1)), (Shift(0),), (Flip(0),), (ScaleCrop((1.0,)),), (Given(start=(2, -1)), Given(start=(-2, 1)))],
)
def test_motions_that_end_where_they_began_leave_every_bit_as_it_was(augment: Sequence[Augmentation]) -> None:
    still = split(MANY).batch(torch.arange(12))
    assert same(moved(MANY, *augment), still)
    assert not same(moved(MANY, Flip(1)), still)


def test_motions_are_made_in_order() -> None:
    right, flip = Given(start=(0, -1)), Flip(probability=1)
    row = torch.tensor([[[[1, 2, 3, 4]]]], dtype=torch.uint8)
    assert numbers(moved(row, right, flip)).round().long().tolist() == [[3, 2, 1, 0]]
    assert numbers(moved(row, flip, right)).round().long().tolist() == [[0, 4, 3, 2]]


ENLARGED = Given(start=(1, 0.5), step=(0.6, 0.75))
"""Within images of 6 x 8 pixels."""


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Flip(1), ENLARGED),
        (ENLARGED, Flip(1)),
        (Flip(1), Given(start=(1, -2))),
        (Given(start=(1, -2)), Flip(1)),
        (Given(start=(1, -2)), Given(start=(3, -1))),
        (ScaleCrop((1.5,)), Flip(0.5)),
    ],
)
def test_two_motions_in_one_are_the_second_of_what_the_first_gives(first: Augmentation, second: Augmentation) -> None:
    images = torch.rand(3, 2, 6, 8, generator=stream(0, "images"))
    black = torch.full((1, 2, 1, 1), -0.5)
    one, two = (motion.draw(3, (6, 8), stream(0, "augment")) for motion in (first, second))
    assert torch.allclose(one.then(two).images(images, black), two.images(one.images(images, black), black), atol=1e-6)


def test_a_map_of_which_nothing_is_left_is_not_used() -> None:
    corner = torch.zeros(1, 1, 4, 4, dtype=torch.uint8)
    corner[0, 0, 0, 0] = 200
    made = split(corner, augment=(Given(start=(1, 0)),))
    classes = torch.where(made.targets[1] > 0, made.targets[1], -1)
    made = dataclasses.replace(made, targets=(made.targets[0], classes, *made.targets[2:]))
    still = made.batch(torch.tensor([0]))
    left = made.augmented(TASKS, stream(0, "augment")).batch(torch.tensor([0]))
    assert still.use[:, 0].tolist() == [True] * 5
    assert left.use[:, 0].tolist() == [True, False, False, False, True]  # depths of 0 are undefined
    drawn = made.augmented(TASKS, stream(0, "augment")).batch(torch.tensor([0]), torch.tensor([0]))
    assert drawn.use[:, 0].tolist() == [True] + [False] * 4
    before = made.augmented(TASKS, stream(0, "augment")).batch(torch.tensor([0]), None, still.used_rows)
    assert before.counts == (1, 0, 0, 0, 1)


def test_a_label_that_may_not_be_used_stays_so() -> None:
    made = split(MANY, augment=(Shift(1),))
    made = dataclasses.replace(made, defined=made.defined & torch.tensor([True, False, True, False, True]))
    use = made.augmented(TASKS, stream(0, "augment")).batch(torch.arange(12)).use
    assert not use[[1, 3]].any()
    assert use[[0, 2, 4]].all()


AUGMENT = (ScaleCrop(), Flip(), Shift(1))


def test_an_example_moves_alike_in_whatever_batch_it_is_and_otherwise_in_another_epoch() -> None:
    made = split(MANY, augment=AUGMENT)
    before = torch.get_rng_state()
    epochs = [made.augmented(TASKS, stream(0, "augment", epoch)) for epoch in (0, 0, 1)]
    whole, again, other = (epoch.batch(torch.arange(12)) for epoch in epochs)
    assert torch.equal(before, torch.get_rng_state())
    assert same(whole, again)
    assert not same(whole, other)
    rows = torch.tensor([7, 2, 7])
    for part, full in zip(everything(epochs[0].batch(rows)), everything(whole), strict=True):
        assert torch.equal(part.nan_to_num(-7), full[rows].nan_to_num(-7))


def test_a_split_without_augmentation_draws_nothing() -> None:
    made, generator = split(MANY), stream(0, "augment")
    before = generator.get_state()
    assert made.augmented(TASKS, generator) is made
    assert torch.equal(generator.get_state(), before)


def test_what_is_drawn_for_the_first_examples_of_a_split_is_theirs() -> None:
    made = split(MANY, augment=AUGMENT).first(5)
    batch = made.augmented(TASKS, stream(0, "augment")).batch(torch.arange(5))
    assert batch.points is not None
    assert len(batch.points) == len(made) == 5


def test_all_images_of_an_example_move_alike_and_other_inputs_stay() -> None:
    images = MANY[:4]
    made = Split(
        inputs={"image": images, "age": torch.arange(4.0)[:, None]},
        targets=(torch.tensor([1.0, 2.0]),),
        defined=torch.ones(2, 1, dtype=torch.bool),
        members=torch.tensor([[0, 1, 0], [2, 2, 3]]),
        augment=(Shift(2),),
    )
    tasks = [Task(name="number", kind=Regression())]
    batch = made.augmented(tasks, stream(2, "augment")).batch(torch.tensor([1, 0]))
    assert not isinstance(batch.inputs, Tensor)
    shown, ages = batch.inputs["image"], batch.inputs["age"]
    assert ages.flatten().tolist() == [2, 2, 3, 0, 1, 0]
    assert torch.equal(shown[0], shown[1])
    assert torch.equal(shown[3], shown[5])
    (first, second) = Shift(2).draw(2, (6, 4), stream(2, "augment")).start.tolist()
    assert first != second
    alone = dataclasses.replace(
        made, inputs=images, members=None, targets=(torch.zeros(4),), defined=torch.ones(4, 1).bool()
    )
    for row, (image, start) in enumerate([(2, second), (2, second), (3, second), (0, first), (1, first), (0, first)]):
        given = dataclasses.replace(alone, augment=(Given(start=(start[0], start[1])),))
        expected = given.augmented(tasks, stream(0, "augment")).batch(torch.tensor([image])).inputs
        assert isinstance(expected, Tensor)
        assert torch.equal(shown[row], expected[0])


def test_float_images_have_zeros_come_in() -> None:
    images = torch.rand(1, 3, 4, 4, generator=stream(0, "images")) + 1
    made = Split(
        inputs=images, targets=(torch.zeros(1),), defined=torch.ones(1, 1).bool(), augment=(Given(start=(-1, 0)),)
    )
    shown = (
        made.augmented([Task(name="number", kind=Regression())], stream(0, "augment")).batch(torch.tensor([0])).inputs
    )
    assert isinstance(shown, Tensor)
    assert torch.equal(shown[:, :, 1:], images[:, :, :3])
    assert not shown[:, :, 0].any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda made: dataclasses.replace(made, inputs=torch.zeros(12, 5)),
            r"inputs of \[\(5,\)\] are augmented as images\.",
        ),
        (
            lambda made: dataclasses.replace(made, targets=(*made.targets[:4], torch.zeros(12, 3, 3, 2))),
            r"an image or map of 3 x 2 pixels cannot be moved along with images of 6 x 4\. Where a dataset",
        ),
    ],
)
def test_what_cannot_be_moved_is_refused_in_a_sentence(change: Callable[[Split], Split], message: str) -> None:
    made = change(split(MANY, augment=(Shift(1),)))
    with pytest.raises(PluginError, match=f"^{message}"):
        made.augmented(TASKS, stream(0, "augment")).batch(torch.arange(12))


def test_scales_below_1_are_refused() -> None:
    with pytest.raises(ValueError, match="scales are at least 1"):
        ScaleCrop((0.5, 1.0))


@pytest.mark.gpu
def test_on_a_gpu_the_same_is_drawn_and_moved_alike() -> None:
    made = split(MANY, augment=AUGMENT)
    there = made.to(torch.device("cuda"))
    values = MANY.squeeze(1).long().cuda()
    there = dataclasses.replace(there, foreground=lambda rows, task: (values[rows] % 2 == task % 2).float())
    epoch = there.augmented(TASKS, stream(0, "augment"))
    rows = torch.arange(12, device="cuda")
    here = made.augmented(TASKS, stream(0, "augment")).batch(torch.arange(12))
    for one, other in zip(everything(epoch.batch(rows)), everything(here), strict=True):
        assert torch.allclose(one.cpu().nan_to_num(-7), other.nan_to_num(-7), atol=1e-6)
