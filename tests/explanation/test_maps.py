"""Maps over images: peaks and hot spots lie where what is looked at lies."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mtbench.contract import Inputs
from mtbench.explanation.grid import Axis, Grid, spread
from mtbench.explanation.maps import TaskMaps, enlarge, maps_of
from tests.explanation.networks import SIDE, Heads, setup


class Detector(Heads):
    """Class 2 of every task is the sum of what its convolution sees, a blank but for the middle of its kernel."""

    def __init__(self) -> None:
        super().__init__(None, setup())
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.zero_()
            next(self.backbone.parameters())[0, 0, 2, 2] = 1
            for head in self.heads:
                assert isinstance(head, nn.Linear)
                head.weight[2, :64] = 1


class Own(Detector):
    """It has a map of its own."""

    task_map_name = "hand-drawn map"

    def task_map(self, inputs: Inputs, index: int) -> Tensor:
        assert isinstance(inputs, Tensor)
        return inputs[:, 0, ::3, ::3] * (index + 1)


@pytest.mark.parametrize(("y", "x"), [(2, 2), (4, 9), (7, 3), (9, 9)])
def test_the_peak_and_the_hot_spot_of_a_detector_lie_on_the_pixel_that_it_detects(y: int, x: int) -> None:
    images = torch.zeros(1, 1, SIDE, SIDE)
    images[0, 0, y, x] = 1
    source = maps_of(Detector().eval(), setup().build_backbone(), images)
    found = source.of(images, 1, torch.tensor([2]))
    assert source.gradient_based
    assert found.peaks().tolist() == [[x, y]]
    heat = enlarge(found.values[0].numpy(), found.grid, (SIDE, SIDE))
    assert divmod(int(heat.argmax()), SIDE) == (y, x)
    np.testing.assert_array_equal(heat, images[0, 0].numpy())


def test_what_speaks_for_no_class_has_no_peak() -> None:
    images = torch.zeros(2, 1, SIDE, SIDE)
    images[1, 0, 5, 5] = 1
    source = maps_of(Detector().eval(), setup().build_backbone(), images[:1])
    found = source.of(images, 0, torch.tensor([2, 1]))
    assert found.peaks().isnan().all()
    assert not enlarge(found.values[0].numpy(), found.grid, (SIDE, SIDE)).any()


def test_a_map_of_the_networks_own_goes_before_a_gradient_based_one() -> None:
    images = torch.zeros(1, 1, SIDE, SIDE)
    images[0, 0, 6, 9] = 1
    source = maps_of(Own().eval(), setup().build_backbone(), images)
    found = source.of(images, 1, torch.tensor([0]))
    assert (source.name, source.gradient_based) == ("hand-drawn map", False)
    assert found.values.max() == 2
    assert found.peaks().tolist() == [
        [10, 7]
    ]  # the third of four columns of 3 pixels begins at 9 and has its middle at 10


def test_a_map_is_enlarged_as_torch_enlarges_within_the_outermost_centers() -> None:
    values = np.random.default_rng(0).random((4, 3)).astype(np.float32)
    wanted = torch.nn.functional.interpolate(torch.from_numpy(values)[None, None], (24, 15), mode="bilinear")[0, 0]
    low, high = values.min(), values.max()
    np.testing.assert_allclose(
        enlarge(values, spread((4, 3), (24, 15)), (24, 15)), (wanted.numpy() - low) / (high - low), atol=1e-6
    )


def test_beyond_half_a_cell_the_map_ends() -> None:
    grid = Grid(rows=Axis(start=4, step=2), columns=Axis(start=4, step=2))
    heat = enlarge(np.array([[0, 1], [0, 1]], dtype=np.float32), grid, (12, 12))
    np.testing.assert_array_equal(heat[5], [0, 0, 0, 0, 0, 0.5, 1, 1, 0, 0, 0, 0])
    np.testing.assert_array_equal(heat[:, 6], [0, 0, 0, 1, 1, 1, 1, 1, 0, 0, 0, 0])


def test_of_equal_cells_the_first_is_the_peak() -> None:
    grid = spread((2, 2), (2, 2))
    maps = TaskMaps(values=torch.tensor([[[0.0, 1.0], [1.0, 0.0]]]), grid=grid)
    assert maps.peaks().tolist() == [[1, 0]]
