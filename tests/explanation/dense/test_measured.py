"""Metrics of single images: those of a network whose answers are known, by hand."""

import math

import pytest
import torch
from torch import Tensor, nn

from mtbench.contract import AllTasksNetwork, Depth, Inputs, Normals, Segmentation, Split, Task
from mtbench.explanation.dense.measured import maps_of, measure_images

BACK, RIGHT = (0.0, 0.0, 1.0), (1.0, 0.0, 0.0)


class Constant(AllTasksNetwork):
    """It sees class 1 everywhere, a depth that is the value of the image, and surfaces that face the camera."""

    def __init__(self, like: str = "") -> None:
        nn.Module.__init__(self)
        kinds = (Segmentation(classes=3, like=like), Depth(like=like), Normals(like=like))  # type: ignore[arg-type]
        self.tasks = tuple(Task(name=type(kind).__name__, kind=kind) for kind in kinds)

    def forward(self, inputs: Inputs) -> list[Tensor]:
        assert isinstance(inputs, Tensor)
        ones = torch.ones_like(inputs)
        return [torch.cat([0 * ones, ones, 0 * ones], 1), inputs, torch.cat([0 * ones, 0 * ones, ones], 1)]


def split() -> Split:
    """Return three images of 1 x 4 pixels with the values 1, 2, 3; the last one has no normals."""
    classes = torch.tensor([[1, 1, 0, -1], [1, 1, 1, 1], [0, 0, 0, 2]])
    depths = torch.tensor([[1.0, 2, 0, 3], [2, 2, 2, 2], [1, 2, 3, 4]])
    normals = torch.tensor([[BACK, BACK, RIGHT, (0.0, 0.0, 0.0)], [RIGHT] * 4, [(0.0, 0.0, 0.0)] * 4])
    return Split(
        inputs=torch.tensor([1.0, 2, 3]).reshape(3, 1, 1, 1).expand(3, 1, 1, 4).clone(),
        targets=(classes[:, None], depths[:, None], normals.movedim(2, 1)[:, :, None]),
        defined=torch.tensor([[True, True, True], [True, True, True], [True, True, False]]),
    )


def test_each_image_has_its_own_metrics_and_all_have_those_of_the_pool() -> None:
    classes, depths, normals = measure_images(Constant(), split(), (0, 1, 2))
    assert classes.rows.tolist() == depths.rows.tolist() == [0, 1, 2]
    # class 1: 2 of 3 pixels, class 0: none; all right; classes 0 and 2: none
    assert classes.values["miou"].tolist() == pytest.approx([100 * (2 / 3 + 0) / 2, 100, 0])
    assert classes.values["pixel-accuracy"].tolist() == pytest.approx([200 / 3, 100, 0])
    assert classes.whole["miou"] == pytest.approx(100 * (0 + 6 / 11 + 0) / 3)
    assert depths.values["absolute-error"].tolist() == pytest.approx([(0 + 1 + 2) / 3, 0, (2 + 1 + 0 + 1) / 4])
    assert depths.whole["absolute-error"] == pytest.approx(7 / 11)
    assert normals.rows.tolist() == [0, 1]
    assert normals.values["mean-angle"].tolist() == pytest.approx([30, 90])
    assert normals.values["median-angle"].tolist() == pytest.approx([0, 90])
    assert depths.goodness.tolist() == [-1, 0, -1]
    assert classes.goodness is classes.primary


def test_metrics_that_other_code_has_on_no_single_image_follow_the_own_definitions() -> None:
    [own] = measure_images(Constant(), split(), (0,))
    [theirs] = measure_images(Constant("libmtl"), split().first(2), (0,))
    assert theirs.values["miou"].tolist() == own.values["miou"][:2].tolist()
    assert math.isnan(theirs.whole["miou"])  # class 2 is in neither truth nor prediction


def test_maps_of_some_images_are_their_truths_and_predictions_in_that_order() -> None:
    found = maps_of(Constant(), split(), 1, torch.tensor([2, 0]))
    assert found.truths.tolist() == [[[1, 2, 3, 4]], [[1, 2, 0, 3]]]
    assert found.predictions.tolist() == [[[3, 3, 3, 3]], [[1, 1, 1, 1]]]
    assert found.predictions.dtype == torch.float16
    one_hidden = maps_of(Constant(), split(), 2, torch.tensor([1]))
    assert one_hidden.truths[0, :, 0, 0].tolist() == [1, 0, 0]
