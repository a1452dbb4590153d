import dataclasses
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from torch import Tensor, nn

from mtbench.contract import (
    Backbone,
    BatchNorm,
    Depth,
    NoOptions,
    Normals,
    Segmentation,
    Setup,
    Stage,
)
from mtbench.plan.grid import Request, plan
from mtbench.plan.parse import parse_method
from mtbench.train.assemble import assemble
from mtbench.train.cost.ledger import count_macs, parts
from mtbench_methods.networks.branches import Branches
from mtbench_methods.networks.mtan import Mtan, fitted
from tests.builders.networks import network_of, setup_of


class TwoConvolutions(Backbone):
    """VGG's kind of stage: two convolutions of different width and a pool before the last nonlinearity."""

    def __init__(self, options: Any, input_shape: tuple[int, ...]) -> None:  # noqa: ARG002
        first = nn.Sequential(nn.Conv2d(1, 6, 3, padding=1), nn.ReLU(), nn.Conv2d(6, 4, 3, padding=1), nn.MaxPool2d(2))
        second = nn.Sequential(nn.Conv2d(4, 5, 3, padding=1), nn.ReLU(), nn.Conv2d(5, 3, 3, padding=1), nn.MaxPool2d(2))
        stages = {"one": Stage(first, nn.ReLU()), "two": Stage(second, nn.ReLU())}
        super().__init__(stages, nn.Flatten(), input_shape)
        self.features = 3 * 7 * 7

    def head(self, output_size: int) -> nn.Module:
        return nn.Linear(self.features, output_size)


def setup_on(backbone_class: type[Backbone] | None, tasks: int = 3) -> Setup:
    """Return a setup on LeNet, or on a class of backbones that is not registered."""
    setup = setup_of(tasks)
    if backbone_class is None:
        return setup
    return dataclasses.replace(setup, backbone_class=backbone_class, backbone_options=NoOptions())


def build(tasks: int = 3, backbone: str = "lenet") -> Mtan:
    return network_of(Mtan, "mtan", backbone, tasks)


@pytest.mark.parametrize("tasks", [1, 2, 9])
def test_the_parameters_are_those_counted_by_hand(tasks: int) -> None:
    counted = {part.name: (part.weights, part.total) for part in parts(build(tasks))}
    masks = 10 * 10 + 10 * 10 + 40 * 20 + 20 * 20
    scales = 10 + 10 + 20 + 20  # of the normalizations, and as many offsets
    assert masks == 1_400
    assert counted == {
        "backbone": (21_250, 21_330),
        "attention": (tasks * (masks + scales), tasks * (masks + 2 * scales)),
        "transitions": (1_800 + 20, 1_800 + 40),
        "branches": (3_000 * tasks, 3_060 * tasks),
    }


def test_the_convolutions_of_a_task_have_1400_weights_and_those_between_the_stages_1800() -> None:
    network = build()
    for module, expected in ((network.attention[1], 1_400), (network.transitions, 1_800)):
        assert sum(weight.numel() for weight in module.parameters() if weight.dim() == 4) == expected


def last_normalization(mask: nn.Module) -> BatchNorm:
    return [part for part in mask.modules() if isinstance(part, BatchNorm)][-1]


def saturate(network: Mtan, offset: float) -> None:
    """Make every mask of every task sigmoid(offset)."""
    for masks in network.attention:
        for mask in cast(nn.ModuleList, masks):
            last = last_normalization(mask)
            nn.init.zeros_(last.weight)
            nn.init.constant_(last.bias, offset)


@pytest.mark.parametrize("backbone_class", [None, TwoConvolutions])
def test_masks_that_are_open_everywhere_leave_the_plain_network(backbone_class: type[Backbone] | None) -> None:
    network = Mtan(NoOptions(), setup_on(backbone_class))
    saturate(network, 40)
    images = torch.rand(4, 1, 28, 28)
    plain = Branches(NoOptions(), setup_on(backbone_class))(images)
    for output, expected in zip(network(images), plain, strict=True):
        assert torch.allclose(output, expected, atol=1e-6)


@pytest.mark.parametrize("side", [45, 64])
@pytest.mark.parametrize("backbone", ["vgg11:width=.03", "resnet18:width=.06"])
def test_open_masks_leave_deeper_backbones_as_they_are_too(backbone: str, side: int) -> None:
    setup = setup_of(2, backbone, shape=(3, side, side))
    network, plain = Mtan(NoOptions(), setup), Branches(NoOptions(), setup)
    saturate(network, 40)
    images = torch.randn(2, 3, side, side)
    for output, expected in zip(network.eval()(images), plain.eval()(images), strict=True):
        assert torch.allclose(output, expected, atol=1e-5)


def test_masks_that_are_shut_hide_the_image() -> None:
    network = build()
    saturate(network, -200)
    hidden = network.backbone.neck(torch.zeros(1, 20, 4, 4))
    for branch, output in zip(network.branches, network(torch.rand(2, 1, 28, 28)), strict=True):
        assert torch.allclose(output, branch(hidden).expand(2, -1), atol=1e-6)


def normalize(maps: Tensor) -> Tensor:
    mean, variance = maps.mean((0, 2, 3), keepdim=True), maps.var((0, 2, 3), correction=0, keepdim=True)
    return (maps - mean) / (variance + 1e-5).sqrt()


def masked_by(mask: nn.Module, maps: Tensor) -> Tensor:
    """Return a fresh mask, whose normalizations have scale 1 and offset 0, from the weights of its two convolutions."""
    first, second = (weight[:, :, 0, 0] for weight in mask.parameters() if weight.dim() == 4)
    hidden = normalize(torch.einsum("oi,bihw->bohw", first, maps)).clamp(min=0)
    return normalize(torch.einsum("oi,bihw->bohw", second, hidden)).sigmoid()


def test_the_data_flow_on_lenet_is_that_of_equations_1_and_2() -> None:
    network = build()
    images = torch.rand(3, 1, 28, 28)
    conv1, conv2 = (stage.pre for stage in network.backbone.levels())
    pool = nn.MaxPool2d(2)
    (between,) = [weight for weight in network.transitions.parameters() if weight.dim() == 4]
    x1 = conv1(images)
    x2 = conv2(pool(x1.relu()))
    for index, output in zip(range(3), network(images), strict=True):
        first, second = cast(nn.ModuleList, network.attention[index])
        seen1 = masked_by(first, x1.relu()) * x1.relu()
        h = pool(normalize(nn.functional.conv2d(seen1, between, padding=1)).relu())
        assert h.shape == (3, 20, 12, 12)
        h = nn.functional.interpolate(h, size=(8, 8), mode="bilinear")
        seen2 = masked_by(second, torch.cat([x2.relu(), h], dim=1)) * x2.relu()
        expected = network.branches[index](network.backbone.neck(pool(seen2)))
        assert torch.allclose(output, expected, atol=1e-4)


def test_where_a_stage_has_two_convolutions_the_mask_sees_the_first_and_acts_on_the_last() -> None:
    network = Mtan(NoOptions(), setup_on(TwoConvolutions, tasks=2))
    images = torch.rand(3, 1, 28, 28)
    one, two = (list(cast(nn.Sequential, stage.pre)) for stage in network.backbone.levels())
    pool = nn.MaxPool2d(2)
    (between,) = [weight for weight in network.transitions.parameters() if weight.dim() == 4]
    assert between.shape == (3, 4, 3, 3)
    u1 = one[0](images).relu()
    x1 = pool(one[2](u1))
    u2 = two[0](x1.relu()).relu()
    x2 = pool(two[2](u2))
    for index, output in zip(range(2), network(images), strict=True):
        first, second = cast(nn.ModuleList, network.attention[index])
        seen1 = masked_by(first, pool(u1)) * x1.relu()
        h = pool(normalize(nn.functional.conv2d(seen1, between, padding=1)).relu())  # 14 -> 7, as large as x2
        seen2 = masked_by(second, torch.cat([pool(u2), h], dim=1)) * x2.relu()
        expected = network.branches[index](network.backbone.neck(seen2))
        assert torch.allclose(output, expected, atol=1e-4)


@pytest.mark.parametrize(
    ("sides", "up"), [((8, 8), False), ((7, 7), False), ((7, 7), True), ((5, 8), True), ((1, 3), True)]
)
def test_what_the_mask_sees_is_pooled_as_the_stage_pools(sides: tuple[int, int], up: bool) -> None:
    maps = torch.randn(2, 3, *sides)
    expected = nn.functional.max_pool2d(maps, 2, ceil_mode=up)
    assert torch.equal(fitted(maps, expected.shape[2:]), expected)
    assert torch.equal(fitted(maps, sides), maps)


@pytest.mark.parametrize("tasks", [1, 2, 9])
def test_a_task_trains_its_own_masks_and_everything_shared(tasks: int) -> None:
    network = build(tasks)
    for index, output in enumerate(network(torch.rand(4, 1, 28, 28))):
        network.zero_grad()
        output.square().sum().backward(retain_graph=True)
        for name, parameter in network.named_parameters():
            own = not name.startswith(("attention", "branches")) or name.split(".")[1] == str(index)
            reached = parameter.grad is not None and bool(parameter.grad.abs().sum() > 0)
            assert reached == own, name
    assert network.last_shared_layer() is network.backbone.neck.get_parameter("1.weight")


def test_one_task_is_answered_without_the_masks_of_the_others() -> None:
    macs = count_macs(build(tasks=4).eval(), torch.zeros(1, 1, 28, 28))
    backbone = 24 * 24 * 10 * 25 + 8 * 8 * 20 * 250
    masks = 24 * 24 * 200 + 8 * 8 * 1200
    between = 24 * 24 * 1800
    assert macs.per_task == backbone + masks + between + 16_000 + 3_000
    assert macs.per_input == 4 * macs.per_task - 3 * backbone


def test_a_lone_value_per_channel_is_normalized_by_running_statistics() -> None:
    norm = BatchNorm(2)
    for maps in (torch.randn(4, 2, 1, 1), torch.randn(1, 2, 3, 3)):
        assert torch.allclose(norm(maps), normalize(maps), atol=1e-5)
    mean, variance = cast(Tensor, norm.running_mean), cast(Tensor, norm.running_var)
    mean.copy_(torch.tensor([1.0, 2.0]))
    variance.copy_(torch.tensor([4.0, 9.0]))
    found = norm(torch.tensor([3.0, 8.0]).view(1, 2, 1, 1)).flatten()
    assert torch.allclose(found, torch.tensor([1.0, 2.0]), atol=1e-4)
    assert mean.tolist() == [1, 2]


def test_one_image_is_trained_on_where_maps_are_single_pixels() -> None:
    network = build(backbone="mlp:depth=2")
    sum(output.square().sum() for output in network(torch.rand(1, 1, 28, 28))).backward()
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in network.parameters())


def test_a_task_without_labels_in_the_batch_stays_as_it_is() -> None:
    spec = plan(Request(methods=["mtan"], datasets=["toy-partial"], settings={}, seeds=[0]))[0]
    run = assemble(spec, root=Path(), device=torch.device("cpu"))
    split = run.splits["train"]
    rows = (~split.defined[:, 2] & split.defined[:, 0]).nonzero().squeeze(1)[:12]
    losses = run.balancer.backward(run.network, split.batch(rows))
    assert losses.present_mask.tolist() == [True, True, False]
    for name, parameter in run.network.named_parameters():
        if name.startswith(("attention.2", "branches.2")):
            assert parameter.grad is None or not parameter.grad.any(), name


def test_it_is_found_by_its_name() -> None:
    assert parse_method("mtan").network_class is Mtan


def segnet_setup(width: float = 0.05, side: int = 32) -> Setup:
    kinds = {"class": Segmentation(classes=13), "depth": Depth(), "normal": Normals()}
    return setup_of(kinds, f"segnet:width={width:g}", (3, side, side))


def test_on_segnet_the_parameters_are_those_of_the_released_code_without_biases_before_normalizations() -> None:
    """Counted by hand from model_segnet_mtan.py: its attention layers, and the convolutions between the stages."""
    widths = [64, 128, 256, 512, 512]
    masks = 2 * 64 * 64 + sum(2 * c * c + c * c for c in widths[1:])  # encoder: of u alone, then of u and h
    decoder = [(64, 64), (128, 64), (256, 128), (512, 256), (512, 512)]  # channels of the unpooled map, and of x
    masks += sum((u + x) * x + x * x for u, x in decoder)
    norms = 2 * 2 * (sum(widths) + sum(x for _, x in decoder))
    between = [(64, 128), (128, 256), (256, 512), (512, 512), (512, 512)]  # down, the last at the bottom
    between += [(512, 512), (512, 256), (256, 128), (128, 64), (64, 64)]  # up, the first at the bottom
    shared = sum(9 * a * b + 2 * b for a, b in between)
    with torch.device("meta"):
        counted = {part.name: part.total for part in parts(Mtan(NoOptions(), segnet_setup(width=1)))}
    assert counted["attention"] == 3 * (masks + norms)
    assert counted["transitions"] == shared
    assert counted["backbone"] + 37_773 == 24_981_069  # its single-task network of 13 classes


@pytest.mark.usefixtures("any_algorithm")
def test_on_segnet_the_data_flow_is_that_of_the_released_code() -> None:
    network = Mtan(NoOptions(), segnet_setup())
    images = torch.randn(3, 3, 32, 32)
    pool = nn.MaxPool2d(2)
    levels = [
        [part for part in stage.pre.children() if isinstance(part, nn.Sequential)]
        for stage in network.backbone.levels()
    ]
    first, last, unpooled, kept, x = [], [], [], [], images
    for stage in levels[:5]:
        first.append(x := stage[0](x))
        for part in stage[1:]:
            x = part(x)
        last.append(x := x.relu())
        x, places = nn.functional.max_pool2d(x, 2, return_indices=True)
        kept.append(places)
    for stage in levels[5:]:
        unpooled.append(x := nn.functional.max_unpool2d(x, kept.pop(), [2, 2]))
        for part in stage:
            x = part(x)
        last.append(x := x.relu())
    kernels = iter(weight for weight in network.transitions.parameters() if weight.dim() == 4)
    between = list(kernels)
    assert len(between) == 10

    def step(maps: Tensor, number: int) -> Tensor:
        return normalize(nn.functional.conv2d(maps, between[number], padding=1)).relu()

    def enlarged(maps: Tensor) -> Tensor:
        return nn.functional.interpolate(maps, scale_factor=2, mode="bilinear", align_corners=True)

    for index, output in zip(range(3), network(images), strict=True):
        masks = list(cast(nn.ModuleList, network.attention[index]))
        h = masked_by(masks[0], first[0]) * last[0]
        for stage_index in range(1, 5):
            h = pool(step(h, stage_index - 1))
            h = masked_by(masks[stage_index], torch.cat([first[stage_index], h], dim=1)) * last[stage_index]
        h = pool(step(h, 4))  # to a 32nd of the side, and back
        for stage_index in range(5, 10):
            h = step(enlarged(h), stage_index)
            h = masked_by(masks[stage_index], torch.cat([unpooled[stage_index - 5], h], dim=1)) * last[stage_index]
        torch.testing.assert_close(output, network.branches[index](h), rtol=1e-3, atol=1e-4)
