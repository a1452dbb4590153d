from typing import cast

import pytest
import torch
from torch import Tensor, nn

from mtbench.contract import Backbone, NoOptions, Setup
from mtbench.errors import UsageError
from mtbench.plan.parse import parse_method
from mtbench.train.cost.ledger import count_macs, parts
from mtbench_methods.networks.cross_stitch import CrossStitch
from mtbench_methods.networks.single import Single
from tests.builders.networks import network_in, setup_of

WIDTHS = {"conv1": 10, "conv2": 20, "neck": 50}


def build(tasks: int = 3, options: str = "", setup: Setup | None = None) -> CrossStitch:
    return network_in(setup or setup_of(tasks), CrossStitch, "cross-stitch" + options)


def backbones(network: CrossStitch) -> list[Backbone]:
    return [cast(Backbone, backbone) for backbone in network.backbones]


def disturb(network: nn.Module) -> None:
    """Make backbones that started alike differ."""
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if name.startswith("backbones."):
                weight.add_(0.1 * torch.randn_like(weight))


def set_units(network: CrossStitch, matrix: Tensor) -> None:
    """Give every channel of every layer the mixing matrix (T, T)."""
    with torch.no_grad():
        for unit in network.units.values():
            unit.copy_(matrix[:, :, None].expand_as(unit))


def copy_of_single(network: CrossStitch, setup: Setup) -> Single:
    """Return the single-task networks with the same backbones and branches."""
    single = Single(NoOptions(), setup)
    values = [value for name, value in network.state_dict().items() if not name.startswith("units")]
    single.load_state_dict(dict(zip(single.state_dict(), values, strict=True)))
    return single


@pytest.mark.parametrize("tasks", [1, 2, 9])
@pytest.mark.parametrize(("options", "numbers"), [("", 10 + 20 + 50), (":units=layer", 3)])
def test_the_parameters_are_a_lenet_per_task_and_t_squared_numbers_per_unit(
    tasks: int, options: str, numbers: int
) -> None:
    counted = {part.name: (part.weights, part.total) for part in parts(build(tasks, options))}
    assert counted == {
        "backbones": (21_250 * tasks, 21_330 * tasks),
        "units": (numbers * tasks**2, numbers * tasks**2),
        "branches": (3_000 * tasks, 3_060 * tasks),
    }


@pytest.mark.parametrize(
    ("tasks", "expected"), [(1, [[1]]), (2, [[0.9, 0.1], [0.1, 0.9]]), (3, [[0.9, 0.05, 0.05], [0.05, 0.9, 0.05]])]
)
@pytest.mark.parametrize("options", ["", ":units=layer"])
def test_a_unit_starts_with_nine_tenths_of_its_own(tasks: int, expected: list[list[float]], options: str) -> None:
    units = build(tasks, options).units
    assert list(units) == list(WIDTHS)
    for name, unit in units.items():
        assert unit.shape == (tasks, tasks, 1 if options else WIDTHS[name])
        for row, values in zip(unit, expected, strict=False):
            assert torch.allclose(row, torch.tensor(values, dtype=torch.float)[:, None].expand_as(row))


@pytest.mark.parametrize("tasks", [1, 2, 9])
@pytest.mark.parametrize("options", ["", ":units=layer"])
def test_units_that_are_the_identity_leave_the_single_task_networks(tasks: int, options: str) -> None:
    network = build(tasks, options)
    disturb(network)
    set_units(network, torch.eye(tasks))
    images = torch.rand(3, 1, 28, 28)
    for output, expected in zip(network(images), copy_of_single(network, setup_of(tasks))(images), strict=True):
        assert torch.allclose(output, expected, atol=1e-6)


@pytest.mark.parametrize("backbone", ["vgg11:width=.03", "resnet18:width=.06"])
def test_identity_units_leave_deeper_trunks_as_they_are_too(backbone: str) -> None:
    setup = setup_of(2, backbone, shape=(3, 45, 45))
    network = build(setup=setup)
    disturb(network)
    set_units(network, torch.eye(2))
    images = torch.randn(2, 3, 45, 45)
    for output, expected in zip(network.eval()(images), copy_of_single(network, setup).eval()(images), strict=True):
        assert torch.allclose(output, expected, atol=1e-5)


@pytest.mark.parametrize("tasks", [1, 2, 9])
def test_at_the_start_the_outputs_are_those_of_single(tasks: int) -> None:
    """All backbones see the same, and the rows of every unit add up to 1."""
    images = torch.rand(3, 1, 28, 28)
    for output, expected in zip(build(tasks)(images), Single(NoOptions(), setup_of(tasks))(images), strict=True):
        assert torch.allclose(output, expected, atol=1e-5)


@pytest.mark.parametrize("options", ["", ":units=layer"])
def test_the_data_flow_on_lenet_is_that_of_equation_1(options: str) -> None:
    network = build(2, options)
    disturb(network)
    with torch.no_grad():
        for unit in network.units.values():
            unit.copy_(torch.randn_like(unit))
    images = torch.rand(3, 1, 28, 28)

    def mix(name: str, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        alpha = network.units[name].expand(2, 2, WIDTHS[name])
        shape = (1, -1, *[1] * (a.dim() - 2))
        (aa, ab), (ba, bb) = [[entry.reshape(shape) for entry in row] for row in alpha]
        return aa * a + ab * b, ba * a + bb * b

    a, b = images, images
    one, two = backbones(network)
    for name in ("conv1", "conv2"):
        a, b = mix(name, one.stages[name](a), two.stages[name](b))
    a, b = mix("neck", one.neck(a), two.neck(b))
    for index, (z, output) in enumerate(zip((a, b), network(images), strict=True)):
        assert torch.allclose(output, network.branches[index](z), atol=1e-5)
        assert torch.allclose(network.task_output(images, index), output, atol=1e-6)


def test_only_the_channels_that_a_unit_swaps_are_swapped() -> None:
    network = build(2)
    maps = [torch.rand(4, 10, 12, 12), torch.rand(4, 10, 12, 12)]
    with torch.no_grad():
        network.units["conv1"].copy_(torch.eye(2)[:, :, None].expand(2, 2, 10))
        network.units["conv1"][:, :, 3] = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    first, second = network.mix("conv1", maps)
    others = [channel for channel in range(10) if channel != 3]
    assert torch.equal(first[:, 3], maps[1][:, 3])
    assert torch.equal(second[:, 3], maps[0][:, 3])
    assert torch.equal(first[:, others], maps[0][:, others])


def reached(network: CrossStitch, index: int) -> dict[str, float]:
    """Return the length of the gradient of one task's output, by parameter."""
    network.zero_grad()
    torch.manual_seed(0)
    network.task_output(torch.rand(8, 1, 28, 28), index).square().sum().backward()  # type: ignore[no-untyped-call]
    return {name: 0.0 if p.grad is None else float(p.grad.norm()) for name, p in network.named_parameters()}


@pytest.mark.parametrize("tasks", [2, 9])
def test_every_task_reaches_every_trunk_and_unit_and_its_own_branch_alone(tasks: int) -> None:
    network = build(tasks)
    for index in range(tasks):
        lengths = reached(network, index)
        alone = [name for name in lengths if name.startswith("branches") and not name.startswith(f"branches.{index}.")]
        assert {name for name, length in lengths.items() if length == 0} == set(alone)
    shared = {id(parameter) for parameter in network.shared_parameters()}
    named = dict(network.named_parameters())
    assert shared == {id(named[name]) for name in named if not name.startswith("branches")}


def test_with_identity_units_no_task_reaches_the_trunk_of_another() -> None:
    network = build(3)
    set_units(network, torch.eye(3))
    lengths = reached(network, 1)
    assert {name.split(".")[1] for name in lengths if name.startswith("backbones") and lengths[name]} == {"1"}


def test_the_last_shared_layer_treats_tasks_alike_where_a_trunk_would_not() -> None:
    network = build(2)
    network.branches[1].load_state_dict(network.branches[0].state_dict())
    first, second = reached(network, 0), reached(network, 1)
    assert network.last_shared_layer() is network.units["conv2"]
    assert first["units.conv2"] == pytest.approx(second["units.conv2"], rel=1e-4) != 0
    assert first["backbones.0.neck.1.weight"] == pytest.approx(9 * second["backbones.0.neck.1.weight"], rel=1e-4)
    network.task_output(torch.rand(4, 1, 28, 28), 0).sum().backward()  # type: ignore[no-untyped-call]
    assert network.units["conv2"].grad is not None
    assert (network.units["conv2"].grad != 0).flatten(0, 1).any(1).all()


def test_units_learn_ten_times_as_fast_unless_told_otherwise() -> None:
    assert build().lr_factors() == {"units": 10}
    assert build(options=":unit_lr=1").lr_factors() == {"units": 1}
    with pytest.raises(UsageError, match=r"Allowed: at least 0\."):
        parse_method("cross-stitch:unit_lr=-1")


def test_one_task_needs_every_trunk_but_no_other_branch() -> None:
    macs = count_macs(build(3).eval(), torch.zeros(1, 1, 28, 28))
    assert macs.per_input - macs.per_task >= 2 * 3_000
