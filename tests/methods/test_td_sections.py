"""The top-down network on deep trunks: VGG-11 and ResNet-18."""

from pathlib import Path
from typing import Any, cast

import pytest
import torch
from torch import Tensor, nn

from mtbench.contract import Classification, Setup, Task
from mtbench.plan.grid import Request, plan
from mtbench.plan.parse import parse_backbone, parse_method
from mtbench.train.assemble import assemble
from mtbench.train.cost import parts
from mtbench.train.loop import train
from mtbench_methods.td import TopDown

SMALL = ["vgg11:width=.125", "resnet18:width=.125"]


def build(
    backbone: str, method: str = "td", *, tasks: int = 3, classes: int = 2, side: int = 32, **more: Any
) -> TopDown:
    trunk = parse_backbone(backbone)
    setup = Setup(
        tasks=tuple(Task(name=str(index), kind=Classification(classes=classes)) for index in range(tasks)),
        backbone=trunk.backbone,
        backbone_options=trunk.options,
        input_shape=(3, side, side),
        foreground=True,
        seed=0,
        **more,
    )
    chosen = parse_method(method)
    return cast(TopDown, chosen.network(chosen.network_options, setup))


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


@pytest.mark.parametrize("backbone", SMALL)
def test_the_stream_has_a_map_for_every_stage_but_the_last_and_none_for_the_image(backbone: str) -> None:
    network = build(backbone, side=64)
    images = torch.rand(2, 3, 64, 64)
    _, levels = network.look_again(images, network.glance(images), torch.tensor([0, 2]))
    shapes = network.backbone.shapes
    assert sorted(levels) == [1, 2, 3, 4]
    assert [tuple(levels[number].shape[1:]) for number in (1, 2, 3, 4)] == [shape.pre for shape in shapes[:4]]


@pytest.mark.parametrize("backbone", SMALL)
def test_without_modulation_bu2_is_the_plain_trunk(backbone: str) -> None:
    network = build(backbone, "td:bu2=add").eval()
    for lateral in network.top_down.to_bu2.values():
        for parameter in lateral.parameters():
            nn.init.zeros_(parameter)
    images = torch.rand(2, 3, 32, 32)
    plain = network.branch(network.backbone(images))
    assert torch.allclose(network(images, torch.tensor([0, 1])), plain, atol=1e-6)


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
    """The running means of the last stage in BU1 and in BU2, side by side."""
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
    network = build("vgg11:width=.125").eval()
    calls: list[int] = []
    network.backbone.levels()[0].register_forward_hook(lambda *_: calls.append(1))
    network.backbone.levels()[0].pre.register_forward_hook(lambda *_: calls.append(1))
    images = torch.rand(2, 3, 32, 32)
    every = network.every_task(images)
    assert len(calls) == 1 + 3  # BU1, and BU2 for each of three tasks
    for index, output in enumerate(every):
        assert torch.allclose(output, network.answer(images, index), atol=1e-6)


@pytest.mark.parametrize("backbone", SMALL)
def test_one_image_can_be_trained_on(backbone: str) -> None:
    network = build(backbone).train()
    assert torch.isfinite(network(torch.rand(1, 3, 32, 32), torch.tensor([1]))).all()


class Nothing:
    """Keeps nothing."""

    def restore(self) -> None:
        return None

    def keep(self, state: dict[str, Any], curve: Any) -> None:
        pass


@pytest.mark.parametrize("backbone", SMALL)
def test_it_learns_through_the_loop(backbone: str) -> None:
    request = Request(methods=[f"td@{backbone}"], datasets=["toy-all"], settings={"epochs": "15"}, seeds=[0])
    spec = plan(request)[0]
    curve = train(spec, root=Path(), device=torch.device("cpu"), keeper=Nothing()).curve
    assert sum(curve[-1].train_losses.values()) < 0.9 * sum(curve[0].train_losses.values())


def test_a_foreground_of_another_size_is_met_by_the_map(data_root: Path) -> None:
    request = Request(
        methods=["td:td_loss=1@vgg11:width=.125"], datasets=["mmnist2"], settings={"images": "32"}, seeds=[0]
    )
    run = assemble(plan(request)[0], root=data_root, device=torch.device("cpu"))
    batch = run.splits["train"].batch(torch.arange(8), torch.arange(8) % 2)
    plain = parse_method("td@vgg11:width=.125")
    without = plain.network(plain.network_options, run.setup)
    without.load_state_dict({k: v for k, v in run.network.state_dict().items() if not k.startswith("image_map")})
    with torch.no_grad():
        with_map, classes = run.network.eval().losses(batch).means, without.eval().losses(batch).means
    assert ((with_map - classes) > 0.1).all()  # a cross-entropy of about log 2 at the start
    assert ((with_map - classes) < 1.5).all()
