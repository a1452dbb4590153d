"""The top-down network on deep backbones: VGG-11 and ResNet-18."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from torch import Tensor, nn

from mtbench.contract import Backbone, Stage
from mtbench.errors import UsageError
from mtbench.plan.grid import Request, plan
from mtbench.plan.parse import parse_method
from mtbench.train.assemble import assemble
from mtbench.train.cost.ledger import parts
from mtbench.train.trained import train
from mtbench_methods.networks.td.network import TopDown, TopDownOptions
from mtbench_methods.networks.td.stream import Glance, Sections, stream
from tests.builders.keepers import Forgetful
from tests.builders.networks import network_of

SMALL = ["vgg11:width=.125", "resnet18:width=.125"]


def build(
    backbone: str, method: str = "td", *, tasks: int = 3, classes: int = 2, side: int = 32, **more: Any
) -> TopDown:
    shape = (3, side, side)
    return network_of(TopDown, method, backbone, [classes] * tasks, shape=shape, foreground=True, points=True, **more)


def features(backbone: str, method: str = "td", **more: Any) -> TopDown:
    """Return a network that answers with z itself, for VGG-11's heads make next to nothing of it at the start."""
    network = build(backbone, method, **more).eval()
    network.branch = nn.Identity()
    return network


def test_the_weights_on_vgg11_are_those_of_table_5b() -> None:
    counted = {part.name: part.weights for part in parts(build("vgg11", tasks=4, side=224))}
    assert counted == {
        "backbone": 7_448_256,
        "branch": 7_473_152,
        "top_down": 8_306_688,
        "embedding": 4 * 1_568,
    }


def test_the_auxiliary_map_is_counted_by_itself_and_only_there_if_it_is_trained() -> None:
    names = {part.name: part.weights for part in parts(build("vgg11", "td:td_loss=1", tasks=4, side=224))}
    assert names["top_down"] == 8_306_688
    assert names["image_map"] == 64 * 32 * 9 + 32  # the TD0 and conv_seg that the paper's count leaves out


def test_the_localization_loss_adds_18464_weights_to_the_stream_on_vgg11() -> None:
    counted = {part.name: part.weights for part in parts(build("vgg11", "td:loc_loss=1", tasks=4, side=224))}
    assert (counted["top_down"], counted["image_map"]) == (8_306_688, 18_464)


def test_the_weights_on_resnet18_are_those_of_the_same_layers() -> None:
    with torch.device("meta"):
        counted = {part.name: part.weights for part in parts(build("resnet18", tasks=4, side=224))}
    widths = [64, 64, 128, 256, 512]
    pairs = sum(9 * (wide * wide + wide * narrow) for narrow, wide in pairwise(widths))
    from_bu1, to_bu2 = sum(width**2 for width in widths[1:]), sum(width**2 for width in widths[:-1])
    assert counted["top_down"] == 32 * 512 + pairs + from_bu1 + to_bu2
    assert counted["embedding"] == 4 * 32 * 7 * 7


@pytest.mark.parametrize("n", [1, 6])
def test_with_n_channels_every_map_of_the_stream_has_n(n: int) -> None:
    with torch.device("meta"):
        counted = {part.name: part.weights for part in parts(build("vgg11", f"td:channels={n}", tasks=4, side=224))}
    pairs, laterals = 4 * (9 * n * n + 9 * n * n), n * (128 + 512 + 256 + 128) + n * (64 + 128 + 256 + 512)
    assert counted["top_down"] == n * n + pairs + laterals
    assert counted["embedding"] == 4 * n * 7 * 7


@pytest.mark.parametrize("tasks", [2, 40, 329])
def test_a_task_more_costs_its_embedding_and_nothing_else(tasks: int) -> None:
    with torch.device("meta"):
        few, many = (parts(build("vgg11", tasks=count, classes=8, side=224)) for count in (tasks, tasks + 1))
    grown = {one.name: two.total - one.total for one, two in zip(few, many, strict=True) if two.total != one.total}
    assert grown == {"embedding": 32 * 7 * 7}


def convolutions(network: TopDown) -> list[nn.Conv2d]:
    return [m for part in (network.top_down, network.image_map) for m in part.modules() if isinstance(m, nn.Conv2d)]


@pytest.mark.parametrize("method", ["td:td_loss=1", "td:preset=levi2021:td_loss=1", "td:spatial=false:td_loss=1"])
@pytest.mark.parametrize("backbone", ["vgg11:width=.5", "resnet18:width=.5"])
def test_every_convolution_of_the_stream_has_its_initial_weights(backbone: str, method: str) -> None:
    """Weights of mean 0 and standard deviation sqrt(2 / (k k outputs)) on VGG-11, as in the released code; on ResNet-18
    sqrt(2 / (9 inputs)) for 3 x 3 and sqrt(1 / inputs) for 1 x 1. Biases are uniform within 1 / sqrt(k k inputs)."""
    layers = convolutions(build(backbone, method))
    assert len(layers) == 1 + 4 * 2 + 4 + 4 + 2
    for layer in layers:
        weight, area, bias = layer.weight.detach(), layer.kernel_size[0] * layer.kernel_size[1], layer.bias
        entries = weight.numel()
        if backbone.startswith("vgg11"):
            expected = (2 / (area * layer.out_channels)) ** 0.5
        else:
            expected = ((2 if area == 9 else 1) / (area * layer.in_channels)) ** 0.5
        assert float(weight.square().mean().sqrt()) == pytest.approx(expected, rel=4 / (2 * entries) ** 0.5)
        assert abs(float(weight.mean())) < 4 * expected / entries**0.5
        assert bias is not None
        assert 0 < float(bias.detach().abs().max()) <= (area * layer.in_channels) ** -0.5


@pytest.mark.parametrize("method", ["td", "td:preset=levi2021", "td:gate=tanh"])
@pytest.mark.parametrize("backbone", ["vgg11:width=.25", "resnet18:width=.125"])
def test_at_the_start_the_stream_does_not_fade(backbone: str, method: str) -> None:
    """With PyTorch's default weights the last convolution's output in BU2 is 1e4 times smaller than in BU1 with
    products; batch normalization hides it in training."""
    network = build(backbone, method, side=64).eval()
    last = [module for module in network.backbone.modules() if isinstance(module, nn.Conv2d)][-1]
    spreads: list[float] = []
    last.register_forward_hook(lambda *values: spreads.append(float(values[-1].detach().std())))
    torch.manual_seed(0)
    network(torch.randn(8, 3, 64, 64), torch.arange(8) % 3)
    bu1, bu2 = spreads
    assert bu2 > bu1


@pytest.mark.parametrize("backbone", ["vgg11:width=.25", "resnet18:width=.25"])
def test_at_the_start_the_stream_depends_on_the_task_by_no_less_than_a_third_at_any_level(backbone: str) -> None:
    """The bound is a fraction of the standard deviation of each map over tasks and images.

    With the released code's weights it is a tenth on ResNet-18, whose maps are normalized.
    """
    network, tasks = build(backbone, tasks=12, side=64), range(12)
    images = torch.randn(16, 3, 64, 64)
    with torch.no_grad():
        glance = network.first_look(images)
        levels = [network.think(glance, torch.full((16,), task)) for task in tasks]
    assert len(levels[0]) > 3
    for number in levels[0]:
        maps = torch.stack([of_task[number] for of_task in levels])  # (T, B, C, H, W)
        by_task = (maps - maps.mean(0)).square().mean()
        assert float(by_task / (maps - maps.mean((0, 1))).square().mean()) > 1 / 9


def bilinear(level: Tensor, like: Tensor) -> Tensor:
    return nn.functional.interpolate(level, like.shape[2:], mode="bilinear", align_corners=False)


def nearest(level: Tensor, like: Tensor) -> Tensor:
    """Return every entry twice in either direction."""
    assert like.shape[2] == 2 * level.shape[2]
    return level.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)


def gated(x: Tensor, z: Tensor) -> Tensor:
    return x * (1 + z.sigmoid())


@pytest.mark.parametrize(
    ("method", "up", "modulated", "top"),
    [("td", bilinear, gated, torch.relu), ("td:preset=levi2021", nearest, torch.mul, torch.Tensor.clone)],
)
def test_the_data_flow_on_vgg11_is_that_of_the_released_code(
    method: str,
    up: Callable[[Tensor, Tensor], Tensor],
    modulated: Callable[[Tensor, Tensor], Tensor],
    top: Callable[[Tensor], Tensor],
) -> None:
    """l1 to l3 are read rectified and l4 is not; the stem is modulated behind its relu and pool, l1 to l3 before. With
    the preset of that code, upsampling takes the nearest, laterals multiply, and nothing is rectified at the top."""
    network = features("vgg11:width=.125", method)
    sections, pool, x = cast(Sections, network.top_down), nn.MaxPool2d(2), torch.randn(2, 3, 32, 32)
    conv1, *convs = [module for module in network.backbone.modules() if isinstance(module, nn.Conv2d)]
    conv2, conv3_1, conv3_2, conv4_1, conv4_2, conv5_1, conv5_2 = convs
    lat1, lat2, pairs = sections.from_bu1, sections.to_bu2, sections.sections
    s = pool(conv1(x).relu())
    l1 = pool(conv2(s)).relu()
    l2 = pool(conv3_2(conv3_1(l1).relu())).relu()
    l3 = pool(conv4_2(conv4_1(l2).relu())).relu()
    l4 = pool(conv5_2(conv5_1(l3).relu()))
    e = sections.from_embedding(network.embedding(torch.eye(3)[[1, 1]]).view(2, 32, 1, 1))
    q4 = pairs["4"](up(e + lat1["5"](l4), l3))
    q3 = pairs["3"](up(q4 + lat1["4"](l3), l2))
    q2 = pairs["2"](up(q3 + lat1["3"](l2), l1))
    q1 = pairs["1"](up(q2 + lat1["2"](l1), s))
    b = modulated(s, lat2["1"](q1))
    b = modulated(pool(conv2(b)), lat2["2"](q2)).relu()
    b = modulated(pool(conv3_2(conv3_1(b).relu())), lat2["3"](q3)).relu()
    b = modulated(pool(conv4_2(conv4_1(b).relu())), lat2["4"](q4)).relu()
    expected = top(pool(conv5_2(conv5_1(b).relu()))).flatten(1)
    torch.testing.assert_close(network(x, torch.tensor([1, 1])), expected)
    assert bool((expected < 0).any()) == (top is not torch.relu)


def test_the_data_flow_on_resnet18_is_like_it() -> None:
    network = features("resnet18:width=.125", "td:td=mul", side=40)
    sections, x = cast(Sections, network.top_down), torch.randn(2, 3, 40, 40)
    stem, layer1, layer2, layer3, layer4 = network.backbone.levels()
    lat1, lat2, pairs = sections.from_bu1, sections.to_bu2, sections.sections
    s = stem.pre(x)
    l1 = layer1(stem.post(s))
    l2 = layer2(l1)
    l3 = layer3(l2)
    e = sections.from_embedding(network.embedding(torch.eye(3)[[2, 0]]).view(2, 32, 2, 2))
    q4 = pairs["4"](bilinear(e * lat1["5"](layer4.pre(l3)), l3))
    q3 = pairs["3"](bilinear(q4 * lat1["4"](l3), l2))
    q2 = pairs["2"](bilinear(q3 * lat1["3"](l2), l1))
    q1 = pairs["1"](bilinear(q2 * lat1["2"](l1), s))
    b = stem.post(gated(s, lat2["1"](q1)))
    for number, layer, q in ((2, layer1, q2), (3, layer2, q3), (4, layer3, q4)):
        b = gated(layer.pre(b), lat2[str(number)](q)).relu()
    expected = layer4(b).mean((2, 3))
    torch.testing.assert_close(network(x, torch.tensor([2, 0])), expected)


@pytest.mark.parametrize("backbone", SMALL)
def test_without_space_a_channel_has_one_factor(backbone: str) -> None:
    network = build(backbone, "td:spatial=false:td_loss=1", side=64)
    images = torch.rand(2, 3, 64, 64)
    _, levels = network.look_again(images, network.glance(images), torch.tensor([0, 2]))
    assert all(level.shape[2:] == (1, 1) for level in levels.values())
    assert network.image_map(levels[1]).shape == (2, 1, 1, 1)


class Stages(Backbone):
    """Stages that are given."""

    def __init__(self, *stages: Stage) -> None:
        super().__init__({f"stage{n}": stage for n, stage in enumerate(stages)}, nn.Flatten(), (3, 8, 8))
        self.features = 1

    def head(self, output_size: int) -> nn.Module:
        return nn.Linear(self.features, output_size)


def test_what_its_stages_are_decides_whether_a_backbone_is_mirrored() -> None:
    options = TopDownOptions()
    plain = Stage(nn.Conv2d(3, 3, 3), nn.ReLU())
    strided = Stage(nn.Conv2d(3, 3, 3, stride=2), nn.ReLU())
    assert not isinstance(stream(options, Stages(plain, plain), 3), Sections)
    assert isinstance(stream(options, Stages(plain, strided), 3), Sections)


def test_a_single_stage_that_cannot_be_mirrored_is_refused() -> None:
    with pytest.raises(UsageError, match="nothing to modulate in a backbone of one stage"):
        stream(TopDownOptions(), Stages(Stage(nn.MaxPool2d(2), nn.ReLU())), 3)


def test_where_a_stage_pools_behind_its_nonlinearity_its_raw_map_is_read() -> None:
    stages = [Stage(nn.Conv2d(3, 3, 3, stride=1, dilation=2, padding=2), nn.MaxPool2d(2)) for _ in range(3)]
    sections = stream(TopDownOptions(), backbone := Stages(*stages), 3)
    assert isinstance(sections, Sections)
    before, after, maps = [], [], torch.rand(1, 3, 8, 8)
    for stage in backbone.levels():
        before.append(stage.pre(maps))
        after.append(maps := stage.post(before[-1]))
    levels = sections(torch.rand(1, sections.top.numel()), Glance(before=tuple(before), after=tuple(after)))
    assert [tuple(levels[number].shape[1:]) for number in (1, 2)] == [(3, 8, 8), (3, 4, 4)]


@pytest.mark.parametrize("backbone", SMALL)
def test_the_stream_has_a_map_for_every_stage_but_the_last_and_none_for_the_image(backbone: str) -> None:
    network = build(backbone, side=64)
    images = torch.rand(2, 3, 64, 64)
    _, levels = network.look_again(images, network.glance(images), torch.tensor([0, 2]))
    shapes = network.backbone.shapes
    assert sorted(levels) == [1, 2, 3, 4]
    assert [tuple(levels[number].shape[1:]) for number in (1, 2, 3, 4)] == [shape.pre for shape in shapes[:4]]


@pytest.mark.parametrize("backbone", SMALL)
def test_without_modulation_bu2_is_the_plain_backbone(backbone: str) -> None:
    network = features(backbone, "td:bu2=add")
    for lateral in network.top_down.to_bu2.values():
        for parameter in lateral.parameters():
            nn.init.zeros_(parameter)
    images = torch.rand(2, 3, 32, 32)
    torch.testing.assert_close(network(images, torch.tensor([0, 1])), network.backbone(images))


@pytest.mark.parametrize("backbone", SMALL)
def test_every_width_of_the_stream_and_every_option_builds_and_learns_of_every_part(backbone: str) -> None:
    for options in ("channels=3", "image=false", "spatial=false", "td=gated:bu2=mul", "td_loss=1:bu1_loss=1"):
        network = build(backbone, f"td:{options}")
        images, task = torch.rand(4, 3, 32, 32), torch.tensor([0, 1, 2, 0])
        glance = network.glance(images)
        logits, levels = network.look_again(images, glance, task)
        total = logits.square().sum()
        if "td_loss" in options:
            total = total + network.image_map(levels[1]).square().sum()
        total.backward()  # type: ignore[no-untyped-call]
        assert all(p.grad is not None for p in network.parameters()), options


def statistics(network: TopDown) -> tuple[Tensor, Tensor]:
    """Return the running means of the last stage in BU1 and in BU2, side by side."""
    last = [name for name, _ in network.bu1.named_buffers() if name.endswith("running_mean")][-1]
    first = dict(network.bu1.named_buffers())[last]
    return first, dict(network.backbone.named_buffers())[last.replace("/", ".")]


def test_both_passes_share_weights_and_keep_statistics_of_their_own() -> None:
    network = build("resnet18:width=.125").train()
    first, second = statistics(network)
    assert not first.any()
    assert not second.any()
    network(torch.rand(8, 3, 32, 32), torch.arange(8) % 3)
    first, second = statistics(network)
    assert first.any()
    assert second.any()
    assert not torch.equal(first, second)
    names = [name for name, _ in network.named_parameters()]
    assert not any(name.startswith("bu1.") for name in names)


def test_bu1_has_the_statistics_of_a_backbone_that_saw_the_images_once_and_bu2_those_of_its_own_pass() -> None:
    network, alone = build("resnet18:width=.125").train(), build("resnet18:width=.125").backbone.train()
    images = torch.rand(8, 3, 32, 32)
    network(images, torch.arange(8) % 3)
    alone(images)
    seen, modulated = dict(network.bu1.named_buffers()), dict(network.backbone.named_buffers())
    for name, value in alone.named_buffers():
        assert torch.equal(seen[name.replace(".", "/")], value), name
        if name.endswith("num_batches_tracked"):
            assert (int(value), int(modulated[name])) == (1, 1)
    network.eval()
    glance = network.glance(images)
    assert torch.equal(network.backbone.neck(glance.after[-1]), alone.eval()(images))


def test_bu1_alone_leaves_bu2s_statistics_as_they_were() -> None:
    network = build("resnet18:width=.125").train()
    network.glance(torch.rand(8, 3, 32, 32))
    first, second = statistics(network)
    assert first.any()
    assert not second.any()


def test_both_statistics_are_in_the_state() -> None:
    network = build("resnet18:width=.125").train()
    network(torch.rand(8, 3, 32, 32), torch.arange(8) % 3)
    other = build("resnet18:width=.125")
    other.load_state_dict(network.state_dict())
    for loaded, kept in zip(statistics(other), statistics(network), strict=True):
        assert torch.equal(loaded, kept)


def test_where_it_is_asked_for_every_task_bu1_runs_once() -> None:
    network = features("vgg11:width=.125")
    calls: list[int] = []
    network.backbone.levels()[0].register_forward_hook(lambda *_: calls.append(1))
    network.backbone.levels()[0].pre.register_forward_hook(lambda *_: calls.append(1))
    images = torch.rand(2, 3, 32, 32)
    every = network.all_outputs(images)
    assert len(calls) == 1 + 3  # BU1, and BU2 for each of three tasks
    for index, output in enumerate(every):
        torch.testing.assert_close(output, network.task_output(images, index))


@pytest.mark.parametrize("backbone", SMALL)
def test_one_image_can_be_trained_on(backbone: str) -> None:
    network = build(backbone).train()
    assert torch.isfinite(network(torch.rand(1, 3, 32, 32), torch.tensor([1]))).all()


@pytest.mark.parametrize("backbone", SMALL)
def test_it_learns_through_the_loop(backbone: str) -> None:
    request = Request(methods=[f"td@{backbone}"], datasets=["toy-all"], settings={"epochs": "15"}, seeds=[0])
    spec = plan(request)[0]
    curve = train(spec, root=Path(), device=torch.device("cpu"), keeper=Forgetful()).curve
    assert sum(curve[-1].train_losses.values()) < 0.9 * sum(curve[0].train_losses.values())


def test_a_foreground_of_another_size_is_met_by_the_map(data_root: Path) -> None:
    request = Request(
        methods=["td:td_loss=1@vgg11:width=.125"], datasets=["mmnist2"], settings={"images": "32"}, seeds=[0]
    )
    run = assemble(plan(request)[0], root=data_root, device=torch.device("cpu"))
    batch = run.splits["train"].batch(torch.arange(8), torch.arange(8) % 2)
    plain = parse_method("td@vgg11:width=.125")
    without = plain.network_class(plain.network_options, run.setup)
    without.load_state_dict({k: v for k, v in run.network.state_dict().items() if not k.startswith("image_map")})
    with torch.no_grad():
        with_map, classes = run.network.eval().losses(batch).totals, without.eval().losses(batch).means
        network, target = cast(TopDown, run.network), batch.foreground
        assert target is not None
        images = cast(Tensor, batch.inputs)
        _, levels = network.look_again(images, network.glance(images), torch.arange(8) % 2)
        small = network.image_map(levels[1])  # (8, 1, 14, 14), conv1's map
        logits = nn.functional.interpolate(small, (28, 28), mode="bilinear", align_corners=False)
    for task in range(2):
        rows = torch.arange(task, 8, 2)
        expected = nn.functional.binary_cross_entropy_with_logits(logits[rows, 0], target(batch.rows[rows], task))
        torch.testing.assert_close(with_map[task] - classes[task], expected)
