"""Gradient-based maps against closed forms: of a relu on a convolution below a linear head with weights w, the map of
class k is max(0, sum_c w[k, c, y, x] relu(a[c, y, x])), whatever the relu does in place."""

import dataclasses
import sys
from typing import cast

import pytest
import torch
from captum.attr import LayerGradCam
from torch import Tensor, nn

from mtbench.contract import Backbone, Network
from mtbench.errors import UsageError
from mtbench.explanation.gradient import GradientMaps
from mtbench.plan.parse import parse_backbone, parse_method
from mtbench.train.assemble import build
from tests.explanation.networks import (
    SIDE,
    TASKS,
    Apart,
    Hand,
    HandOutOfPlace,
    Heads,
    LooksInVain,
    Scaled,
    Twice,
    setup,
)

CLASSES = torch.tensor([0, 2, 1, 2])


@pytest.fixture
def images() -> Tensor:
    return torch.randn(4, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(0))


def convolved(backbone: nn.Module, images: Tensor) -> Tensor:
    """Return the map (B, 2, 8, 8) before the relu, by hand."""
    weight, bias = (value.detach() for value in backbone.parameters())
    patches = nn.functional.unfold(images, 5).transpose(1, 2) @ weight.flatten(1).T + bias  # (B, 64, 2)
    return patches.transpose(1, 2).reshape(-1, 2, 8, 8)


def closed(raw: Tensor, head: nn.Module) -> Tensor:
    weights = cast(Tensor, head.weight).detach()[CLASSES].view(-1, 2, 8, 8)
    return (weights * raw.clamp(min=0)).sum(1).clamp(min=0)


@pytest.mark.parametrize("backbone", [Hand, HandOutOfPlace])
def test_the_map_of_a_linear_head_is_its_weights_times_the_rectified_map(
    images: Tensor, backbone: type[Backbone]
) -> None:
    network = Heads(None, setup(backbone)).eval()
    maps = GradientMaps(network, setup(backbone).build_backbone())
    for index in range(len(TASKS)):
        wanted = closed(convolved(network.backbone, images), network.heads[index])
        assert (wanted > 0).any()
        torch.testing.assert_close(maps.maps(images, index, CLASSES), wanted)


def test_the_task_that_is_asked_for_reaches_a_one_task_network(images: Tensor) -> None:
    network = Scaled(None, setup()).eval()
    maps = GradientMaps(network, setup().build_backbone())
    for index in range(len(TASKS)):
        raw = convolved(network.backbone, images) * network.scales[index].detach()[:, None, None]
        torch.testing.assert_close(maps.maps(images, index, CLASSES), closed(raw, network.branch))


@pytest.mark.parametrize("kind", [Twice, LooksInVain])
def test_of_two_passes_the_one_that_answers_is_shown(images: Tensor, kind: type[Twice]) -> None:
    network = kind(None, setup()).eval()
    maps = GradientMaps(network, setup().build_backbone())
    for index in range(len(TASKS)):
        with torch.no_grad():
            again = network.second(images, torch.full((4,), index))
        wanted = closed(convolved(network.backbone, again), network.branch)
        torch.testing.assert_close(maps.maps(images, index, CLASSES), wanted)
        first = closed(convolved(network.backbone, images), network.branch)
        assert not torch.allclose(wanted, first, atol=1e-3)


def test_maps_of_several_backbones_are_added(images: Tensor) -> None:
    network = Apart(None, setup()).eval()
    maps = GradientMaps(network, setup().build_backbone())
    raw = torch.cat([convolved(backbone, images) for backbone in network.backbones], dim=1)
    for index in range(len(TASKS)):
        weights = cast(Tensor, network.heads[index].weight).detach()[CLASSES].view(-1, 4, 8, 8)
        wanted = (weights * raw.clamp(min=0)).sum(1).clamp(min=0)
        torch.testing.assert_close(maps.maps(images, index, CLASSES), wanted)


def test_on_a_network_that_averages_over_places_the_map_is_grad_cam() -> None:
    choice = parse_backbone("resnet18:width=.125")
    backbone = choice.backbone_class(choice.options, (3, 64, 64))  # type: ignore[call-arg]
    network = Averaged(backbone)
    images = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    classes = torch.tensor([1, 2])
    source = GradientMaps(network, backbone)
    assert (source.stage, source.cells) == ("layer2", (8, 8))
    reference = LayerGradCam(lambda x: network.task_output(x, 1), backbone.levels()[2].post)
    wanted = reference.attribute(images, classes, relu_attributions=True)[:, 0]
    torch.testing.assert_close(source.maps(images, 1, classes), wanted.detach())


class Averaged(Heads):
    """The first three stages of a backbone, averaged over places, below linear heads."""

    def __init__(self, backbone: Backbone) -> None:
        nn.Module.__init__(self)
        self.tasks = TASKS
        self.backbone = backbone.eval()
        self.heads = nn.ModuleList([nn.Linear(16, 3) for _ in TASKS])

    def forward(self, inputs: object) -> list[Tensor]:
        maps = cast(Tensor, inputs)
        for stage in self.backbone.levels()[:3]:
            maps = stage.post(stage.pre(maps))
        return [head(maps.mean((2, 3))) for head in self.heads]


@pytest.mark.parametrize(
    "method",
    [
        *("astmt", "chmod", "cross-stitch", "film", "mmoe", "mtan", "ple", "progressive", "routing"),
        *("single", "superposition", "tensormod", "td", "uniform"),
    ],
)
def test_every_network_here_has_maps_that_depend_on_the_task(method: str) -> None:
    chosen, backbone = parse_method(method), parse_backbone("lenet")
    made = dataclasses.replace(
        setup(backbone.backbone_class), backbone_options=backbone.options, input_shape=(1, 28, 28)
    )
    network: Network = build(chosen, made).eval()
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for parameter in network.parameters():  # factors begin alike for all tasks
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    images = torch.rand(3, 1, 28, 28, generator=generator)
    source = GradientMaps(network, made.build_backbone())
    first, second = (source.maps(images, index, torch.tensor([0, 1, 2])) for index in range(2))
    assert first.shape == second.shape == (3, 8, 8)
    assert first.any()
    assert second.any()
    assert not torch.equal(first, second)
    assert not any(module._forward_pre_hooks for module in network.modules())


def test_the_weights_have_no_gradients_afterwards(images: Tensor) -> None:
    network = Heads(None, setup()).eval()
    GradientMaps(network, setup().build_backbone()).maps(images, 0, CLASSES)
    assert all(parameter.grad is None for parameter in network.parameters())


def test_a_backbone_without_places_is_refused() -> None:
    choice = parse_backbone("mlp")
    backbone = choice.backbone_class(choice.options, (1, 28, 28))  # type: ignore[call-arg]
    with pytest.raises(
        UsageError, match=r"^Mlp has no feature map with places: its largest one is 1 x 1\. Attention maps "
    ):
        GradientMaps(Heads(None, setup()), backbone)


def test_without_captum_the_command_to_install_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "captum.attr", None)
    with pytest.raises(UsageError, match=r"pip install 'mtbench\[explain\]'$"):
        GradientMaps(Heads(None, setup()), setup().build_backbone())
