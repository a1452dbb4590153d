"""Backbones pool before the relu, which costs less; reference is the usual order."""

import pytest
import torch
from torch import nn

from mtbench.backbones.retrieval import Block
from mtbench.contract import Backbone, Stage
from mtbench.plan.parse import parse_backbone


def behind(backbone: Backbone) -> Stage:
    """Return the first stage, with its relu before its pool."""
    stage = backbone.levels()[0]
    if isinstance(stage.post, nn.Identity):  # of VGG-11 both are in the first half
        assert isinstance(stage.pre, nn.Sequential)
        convolution, *rest = stage.pre
    else:
        assert isinstance(stage.post, nn.Sequential)
        convolution, rest = stage.pre, list(stage.post)
    pool, relu = rest
    assert isinstance(pool, nn.MaxPool2d)
    assert isinstance(relu, nn.ReLU)
    return Stage(convolution, nn.Sequential(relu, pool))


@pytest.mark.parametrize(
    ("name", "shape"),
    [("lenet", (1, 28, 28)), ("resnet18:width=0.25", (3, 33, 33)), ("vgg11:width=0.25", (3, 33, 33))],
)
def test_a_pool_before_the_relu_gives_the_same_bits_as_behind_it(name: str, shape: tuple[int, ...]) -> None:
    choice = parse_backbone(name)
    torch.manual_seed(0)
    backbone = choice.backbone_class(choice.options, shape)  # type: ignore[call-arg]
    images = torch.randn(8, *shape, generator=torch.Generator().manual_seed(0))
    images[:2] = 0.0  # equal values within each pool
    found = []
    for stage in (backbone.levels()[0], behind(backbone)):
        x = images.clone().requires_grad_()
        maps = stage.post(stage.pre(x))
        weights = torch.randn(maps.shape, generator=torch.Generator().manual_seed(1))
        parameters = list(stage.pre.parameters())
        found.append([maps, *torch.autograd.grad((weights * maps).sum(), [x, *parameters])])
    for first, second in zip(*found, strict=True):
        assert torch.equal(first, second)


def test_a_block_of_the_retrieval_network_gives_the_same_bits_with_its_pool_behind_the_relu() -> None:
    torch.manual_seed(0)
    block = Block(3, 4, 0.1, padding=0, is_pooled=True)
    convolution, norm, pool, relu = block.down.children()
    images = torch.randn(5, 3, 15, 14, generator=torch.Generator().manual_seed(0))
    images[:2] = 0.0
    found = []
    for layers in ((pool, relu), (relu, pool)):
        block.down = nn.Sequential(convolution, norm, *layers)
        x = images.clone().requires_grad_()
        maps = block(x)
        weights = torch.randn(maps.shape, generator=torch.Generator().manual_seed(1))
        found.append([maps, *torch.autograd.grad((weights * maps).sum(), [x, *block.parameters()])])
    for first, second in zip(*found, strict=True):
        assert torch.equal(first, second)
