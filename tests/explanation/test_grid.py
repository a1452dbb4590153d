"""The places of cells against what cells see: the middle of the receptive field, found by differentiation."""

import pytest
import torch
from torch import Tensor, nn

from mtbench.contract import Backbone, Stage
from mtbench.explanation.grid import Axis, Grid, spread, trace
from mtbench.plan.parse import parse_backbone


def seen(backbone: Backbone, level: int, cell: int) -> Tensor:
    """Return the middle (y, x) of the pixels that the cell (cell, cell) of a stage's map depends on."""
    image = torch.zeros(1, *backbone.input_shape, requires_grad=True)
    maps = image
    for number, stage in enumerate(backbone.levels()[: level + 1]):
        maps = stage.pre(maps)
        maps = stage.post(maps) if number < level else maps
    maps[0, :, cell, cell].sum().backward()  # type: ignore[no-untyped-call]
    assert image.grad is not None
    pixels = image.grad[0].abs().sum(0).nonzero()
    return (pixels.amin(0) + pixels.amax(0)) / 2


def linear(backbone: Backbone) -> Backbone:
    """Return the backbone with averages in the place of maxima, and no relu, so that a cell depends on all that it
    sees."""
    for name, module in list(backbone.named_modules()):
        if isinstance(module, nn.ReLU):
            backbone.set_submodule(name, nn.Identity())
        elif isinstance(module, nn.MaxPool2d):
            kernel, stride, padding = module.kernel_size, module.stride, module.padding
            backbone.set_submodule(name, nn.AvgPool2d(kernel, stride, padding, module.ceil_mode))
        elif isinstance(module, nn.Conv2d):
            nn.init.uniform_(module.weight, 0.1, 1)
    return backbone.eval()


@pytest.mark.parametrize(
    ("name", "shape", "level", "cell"),
    [
        ("lenet", (1, 28, 28), 0, 3),
        ("lenet", (1, 28, 28), 1, 2),
        ("vgg11:width=.02", (3, 64, 64), 1, 5),
        ("vgg11:width=.02", (3, 128, 128), 2, 8),
        ("resnet18:width=.02", (3, 64, 64), 0, 7),
        ("resnet18:width=.02", (3, 128, 128), 2, 8),
    ],
)
def test_a_cell_lies_in_the_middle_of_what_it_sees(name: str, shape: tuple[int, ...], level: int, cell: int) -> None:
    choice = parse_backbone(name)
    backbone = linear(choice.backbone_class(choice.options, shape))  # type: ignore[call-arg]
    grid = trace(backbone, level)
    place = torch.tensor(float(cell))
    found = torch.stack([grid.rows.at(place), grid.columns.at(place)])
    torch.testing.assert_close(found, seen(backbone, level, cell))


def test_a_map_is_spread_over_the_image_where_layers_are_not_known() -> None:
    class Folded(Backbone):
        def __init__(self) -> None:
            super().__init__({"fold": Stage(nn.PixelUnshuffle(4), nn.ReLU())}, nn.Flatten(), (1, 8, 12))
            self.features = 96

        def head(self, output_size: int) -> nn.Module:
            return nn.Linear(96, output_size)

    assert (
        trace(Folded(), 0)
        == spread((2, 3), (8, 12))
        == Grid(rows=Axis(start=1.5, step=4.0), columns=Axis(start=1.5, step=4.0))
    )
