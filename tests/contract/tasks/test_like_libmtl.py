"""Kinds of dense tasks with ``like="libmtl"``: LibMTL's definitions, in cases that are computed by hand."""

import math

import pytest
import torch
from torch import Tensor, nn

from mtbench.contract import Depth, Flip, Kind, Motion, Normals, ScaleCrop, Segmentation, stream
from tests.contract.tasks.kinds import scores

UNDEFINED = 255


def test_cross_entropy_is_of_all_pixels_of_a_batch_in_one_pool() -> None:
    """Logits (0, ln 3) give probabilities 1/4 and 3/4: class 0 costs ln 4 and class 1 ln 4/3.

    The first image has one defined pixel, of class 0, and the second three, of class 1.
    """
    output = torch.tensor([0.0, math.log(3)]).view(1, 2, 1, 1).expand(2, 2, 1, 3)
    target = torch.tensor([[[0, UNDEFINED, UNDEFINED]], [[1, 1, 1]]])
    zero, one = math.log(4), math.log(4 / 3)
    theirs = Segmentation(classes=2, ignore=UNDEFINED, like="libmtl").mean_loss(output, target)
    assert float(theirs) == pytest.approx((zero + 3 * one) / 4, rel=1e-6)
    ours = Segmentation(classes=2, ignore=UNDEFINED).mean_loss(output, target)
    assert float(ours) == pytest.approx((zero + one) / 2, rel=1e-6)


def test_depth_loss_is_the_absolute_error_over_the_defined_pixels_of_a_batch() -> None:
    """Errors: 1 at the one defined pixel of the first image, 2, 4 and 6 at those of the second."""
    target = torch.tensor([[[1.0, 0.0, 0.0]], [[1.0, 5.0, 8.0]]])
    output = torch.tensor([[[2.0, 9.0, 9.0]], [[3.0, 1.0, 2.0]]])[:, None]
    assert float(Depth(like="libmtl").mean_loss(output, target)) == pytest.approx((1 + 2 + 4 + 6) / 4)
    assert float(Depth().mean_loss(output, target)) == pytest.approx((1 + 4) / 2)


BALANCED = (math.sqrt(0.5), -math.sqrt(0.5), 0.0)
"""A defined normal whose components add up to 0."""


def maps(*rows: list[tuple[float, float, float]]) -> Tensor:
    """Return vectors (n, 3, 1, W), a list for each image."""
    return torch.tensor(rows, dtype=torch.float32).movedim(-1, 1)[:, :, None]


def test_loss_of_normals_drops_one_that_adds_up_to_0_and_keeps_short_targets() -> None:
    """1 - cosine, first image: 0; second: 2 and, as the target is .5 long, 1 - .5; that of `BALANCED`, 1, is dropped.

    Over batches: (0 + 2 + .5) / 3. Here: the mean of 0 and (2 + 0 + 1) / 3.
    """
    target = maps([(1, 0, 0), (0, 0, 0), (0, 0, 0)], [(0, 1, 0), (0, 0, 0.5), BALANCED])
    output = maps([(3, 0, 0), (1, 1, 1), (1, 1, 1)], [(0, -2, 0), (0, 0, 7), (0, 0, 1)])
    theirs = Normals(like="libmtl").mean_loss(output, target)
    assert float(theirs) == pytest.approx((0 + 2 + 0.5) / 3)
    assert float(Normals().mean_loss(output, target)) == pytest.approx((0 + 3 / 3) / 2)
    assert Normals(like="libmtl").losses(output, target).tolist() == pytest.approx([0, 2.5 / 2])


def test_angles_of_normals_leave_out_one_that_adds_up_to_0() -> None:
    """Angles to (0, 0, 1): 0 degrees, arccos(.6) and arccos(.8), and 90 of `BALANCED`, which is left out."""
    target = maps([(0, 0, 1), (0.8, 0, 0.6), (0, 0.6, 0.8), BALANCED])
    predicted = maps([(0, 0, 1)] * 4)
    first, second = (math.degrees(math.acos(cosine)) for cosine in (0.6, 0.8))
    theirs = scores(Normals(like="libmtl"), predicted, target)
    assert theirs["mean-angle"] == pytest.approx((0 + first + second) / 3, rel=1e-6)
    assert theirs["median-angle"] == pytest.approx(second, abs=1 / 8192)
    assert theirs["within-30"] == pytest.approx(100 / 3)
    ours = scores(Normals(), predicted, target)
    assert ours["mean-angle"] == pytest.approx((0 + first + second + 90) / 4, rel=1e-6)
    assert ours["median-angle"] == pytest.approx((first + second) / 2, abs=1 / 8192)
    assert ours["within-30"] == pytest.approx(25)


def test_a_map_of_nothing_but_such_normals_is_undefined() -> None:
    target = maps([BALANCED], [(0, 0, 1)])
    assert Normals(like="libmtl").defined(target).tolist() == [False, True]
    assert Normals().defined(target).tolist() == [True, True]


def test_mean_iou_is_over_all_classes() -> None:
    """IoU of class 0: 1 of 2; of class 1: 2 of 2; class 2, predicted once and never true, counts 0."""
    truth, predicted = torch.tensor([[[0, 0, 1, 1]]]), torch.tensor([[[0, 2, 1, 1]]])
    theirs = Segmentation(classes=3, ignore=UNDEFINED, like="libmtl")
    assert scores(theirs, predicted, truth)["miou"] == pytest.approx(100 * (0.5 + 1 + 0) / 3)
    assert scores(Segmentation(classes=3, ignore=UNDEFINED), predicted, truth)["miou"] == pytest.approx(75)


def test_mean_iou_of_a_class_that_occurs_nowhere_is_undefined() -> None:
    truth = torch.tensor([[[0, 1, UNDEFINED]]])
    predicted = torch.tensor([[[0, 1, 1]]])
    theirs = Segmentation(classes=3, ignore=UNDEFINED, like="libmtl")
    assert math.isnan(scores(theirs, predicted, truth)["miou"])
    assert scores(Segmentation(classes=3, ignore=UNDEFINED), predicted, truth)["miou"] == pytest.approx(100)


SIZES = [(288, 384), (128, 256), (96, 128)]


@pytest.mark.parametrize("size", SIZES)
def test_enlarged_crops_are_those_of_torchs_interpolation(size: tuple[int, int]) -> None:
    """LibMTL enlarges a crop with torch: labels and depth with mode nearest, normals bilinearly with aligned corners,
    divides depths by the scale, and mirrors afterwards. The crop is read off the motion that was drawn."""
    generator = stream(0, "test", *size)
    count = 12
    motion = ScaleCrop().draw(count, size, generator).then(Flip().draw(count, size, generator))
    assert motion.mirrored.any()
    assert (~motion.mirrored).any()
    assert sorted(set(motion.enlarged.tolist())) == pytest.approx([1, 1.2, 1.5])
    label = torch.randint(0, 13, (count, *size), generator=generator)
    depth = torch.rand(count, *size, generator=generator)
    normal = torch.randn(count, 3, *size, generator=generator)
    kinds: list[Kind] = [
        Segmentation(classes=13, like="libmtl"),
        Depth(like="libmtl"),
        Depth(inverse=True, like="libmtl"),
        Normals(like="libmtl"),
    ]
    found = [kind.moved(target, motion) for kind, target in zip(kinds, (label, depth, depth, normal), strict=True)]
    for row in range(count):
        expected = _expected(label[row], depth[row], normal[row], motion, row)
        assert torch.equal(found[0][row], expected[0].long())
        assert torch.allclose(found[1][row], expected[1], rtol=1e-6)
        assert torch.allclose(found[2][row], expected[1], rtol=1e-6)
        # Places up to 383 have 3e-5 of a pixel in float32, and neighbors differ by up to 6 or so.
        assert torch.allclose(found[3][row], expected[2], rtol=0, atol=2e-4)


def _expected(label: Tensor, depth: Tensor, normal: Tensor, motion: Motion, row: int) -> list[Tensor]:
    size, scale, mirrored = motion.size, float(motion.enlarged[row]), bool(motion.mirrored[row])
    height, width = (int(length / round(scale, 1)) for length in size)
    top, left = (round(float(place)) for place in motion.start[row])
    if mirrored:
        left -= width - 1
    window = (..., slice(top, top + height), slice(left, left + width))
    enlarged = [
        nn.functional.interpolate(label[window][None, None].float(), size=size, mode="nearest")[0, 0],
        nn.functional.interpolate(depth[window][None, None], size=size, mode="nearest")[0, 0] / scale,
        nn.functional.interpolate(normal[window][None], size=size, mode="bilinear", align_corners=True)[0],
    ]
    if mirrored:
        enlarged = [each.flip(-1) for each in enlarged]
        enlarged[2][0] = -enlarged[2][0]
    return enlarged


def test_normals_that_are_blended_are_shorter_and_half_undefined_ones_count_as_defined() -> None:
    """(1, 0, 0), (0, 1, 0) and an undefined pixel, enlarged to steps of half a pixel."""
    target = maps([(1, 0, 0), (0, 1, 0), (0, 0, 0)])
    motion = Motion(
        size=(1, 3),
        start=torch.tensor([[0.0, 0.5]]),
        step=torch.tensor([[1.0, 0.5]]),
        enlarged=torch.tensor([2.0]),
        exact=False,
    )
    moved = Normals(like="libmtl").moved(target, motion)
    assert moved[0, :, 0].T.tolist() == [[0.5, 0.5, 0], [0, 1, 0], [0, 0.5, 0]]
    ours = Normals().moved(target, motion)
    assert set(ours[0].norm(dim=0).flatten().tolist()) <= {0.0, 1.0}
