"""Networks of several LeNets that run as one, against their plain form."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from mtbench.contract import Backbone, Batch, Classification, Network, Setup, Task, plain_form
from mtbench.plan.grid import Request, plan
from mtbench.plan.parse import parse_backbone, parse_method
from mtbench.train.assemble import assemble, build
from mtbench_methods.networks.stacked import can_stack

METHODS = ["cross-stitch", "cross-stitch:units=layer"]


def network_of(
    method: str, tasks: int, backbone: str = "lenet", shape: tuple[int, int, int] = (1, 28, 28), seed: int = 0
) -> Network:
    """Return a network for tasks of 10, 9, 8, 10, ... classes, whose backbones differ."""
    known = parse_backbone(backbone)
    setup = Setup(
        tasks=tuple(Task(name=str(index), kind=Classification(classes=10 - index % 3)) for index in range(tasks)),
        backbone_class=known.backbone_class,
        backbone_options=known.options,
        input_shape=shape,
        seed=seed,
    )
    network = build(parse_method(method), setup)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=generator))
    return network


def backbones_of(network: Network) -> list[Backbone]:
    return [module for module in network.modules() if isinstance(module, Backbone)]


def computed(network: Network, images: Tensor) -> tuple[list[Tensor], dict[str, Tensor | None]]:
    """Return the outputs of all tasks and the gradients of all parameters."""
    network.zero_grad()
    outputs = network.all_outputs(images)
    torch.stack([output.square().mean() + output[:, 0].mean() for output in outputs]).sum().backward()  # type: ignore[no-untyped-call]
    return outputs, {name: parameter.grad for name, parameter in network.named_parameters()}


def assert_as_plain(network: Network, images: Tensor, *, within: float = 1e-5) -> None:
    outputs, gradients = computed(network, images)
    with plain_form():
        plain_outputs, plain_gradients = computed(network, images)
    for output, expected in zip(outputs, plain_outputs, strict=True):
        assert torch.allclose(output, expected, rtol=within, atol=within)
    for name, expected_gradient in plain_gradients.items():
        gradient = gradients[name]
        assert (gradient is None) == (expected_gradient is None), name
        if gradient is not None and expected_gradient is not None:
            assert (gradient - expected_gradient).abs().max() <= within * expected_gradient.abs().max().clamp(min=1), (
                name
            )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("tasks", [1, 2, 5, 9, 40])
def test_outputs_and_gradients_are_those_of_the_plain_form(method: str, tasks: int) -> None:
    assert_as_plain(network_of(method, tasks, "lenet:width=.3"), torch.randn(6, 1, 28, 28))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("backbone", "shape"), [("lenet", (1, 28, 28)), ("lenet:width=.15", (3, 33, 24)), ("lenet:width=2.3", (2, 17, 16))]
)
def test_they_are_so_for_other_widths_channels_and_sizes(
    method: str, backbone: str, shape: tuple[int, int, int]
) -> None:
    network = network_of(method, 3, backbone, shape)
    assert can_stack(backbones_of(network))
    images = torch.randn(5, *shape)
    assert_as_plain(network, images)
    assert_as_plain(network, images[:1])
    assert_as_plain(network.double(), images.double(), within=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_they_are_so_where_parts_are_frozen(method: str) -> None:
    network = network_of(method, 3, "lenet:width=.3")
    first, second, _ = backbones_of(network)
    first.requires_grad_(requires_grad=False)
    second.stages["conv1"].requires_grad_(requires_grad=False)
    assert_as_plain(network, torch.randn(4, 1, 28, 28))
    assert {parameter.grad for parameter in first.parameters()} == {None}


@pytest.mark.parametrize("method", METHODS)
def test_losses_are_so_where_labels_are_undefined(method: str) -> None:
    spec = plan(Request(methods=[f"{method}@lenet"], datasets=["toy-partial"], settings={}, seeds=[0]))[0]
    run = assemble(spec, root=Path(), device=torch.device("cpu"))
    batch = run.splits["train"].batch(torch.arange(24))
    assert not batch.use.all()

    def losses(network: Network, batch: Batch) -> Sequence[float]:
        return [*network.losses(batch).means.tolist(), *(o.sum().item() for o in network.used_outputs(batch))]

    with plain_form():
        expected = losses(run.network, batch)
    assert losses(run.network, batch) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("tasks", [2, 9])
@pytest.mark.parametrize("backbone", ["vgg11:width=.03", "resnet18:width=.06", "mlp", "lenet:dropout=.5"])
def test_cross_stitch_is_so_on_backbones_that_cannot_be_stacked(backbone: str, tasks: int) -> None:
    network = network_of("cross-stitch", tasks, backbone, (1, 45, 45)).eval()
    assert not can_stack(backbones_of(network))
    assert_as_plain(network, torch.randn(3, 1, 45, 45))


@pytest.mark.parametrize("backbone", ["lenet:dropout=.5", "lenet-dropout", "vgg11:width=.03", "mlp"])
def test_backbones_that_draw_or_look_across_channels_are_not_stacked(backbone: str) -> None:
    assert not can_stack(backbones_of(network_of("cross-stitch", 2, backbone, (1, 45, 45))))


def test_one_backbone_and_backbones_that_something_listens_to_are_not_stacked() -> None:
    one, two = (backbones_of(network_of("cross-stitch", tasks)) for tasks in (1, 2))
    assert not can_stack(one)
    assert can_stack(two)
    calls = []
    hook = two[1].levels()[0].post.register_forward_pre_hook(lambda *_: calls.append(1))
    assert not can_stack(two)
    hook.remove()
    assert can_stack(two)
    nn.utils.parametrizations.weight_norm(two[0].levels()[1].pre)
    assert not can_stack(two)
