import pytest
import torch

from mtbench.contract import Setup
from mtbench.errors import UsageError
from mtbench.plan.grid import Request, plan
from mtbench.plan.parse import parse_method
from mtbench.train.cost.ledger import count_parameters, parts
from mtbench_methods.networks.chmod import ChannelModulation
from tests.builders.networks import network_in, network_of, setup_of


def build(method: str, tasks: int = 3) -> ChannelModulation:
    return network_of(ChannelModulation, method, tasks=tasks)


def build_for(setup: Setup, method: str = "chmod") -> ChannelModulation:
    return network_in(setup, ChannelModulation, method)


@pytest.mark.parametrize(
    ("options", "per_task"),
    [
        ("", 30),
        (":stages=conv", 30),
        (":stages=fc", 50),
        (":stages=all", 80),
        (":first=2", 20),
        (":variant=projection", 100 + 400),
        (":stages=all:first=2:variant=projection", 400 + 2500),
    ],
)
def test_each_task_has_as_many_factors_as_the_modulated_maps_have_channels(options: str, per_task: int) -> None:
    counted = {part.name: part for part in parts(build("chmod" + options, tasks=3))}
    assert counted["modulation"].weights == 3 * per_task
    assert (counted["backbone"].weights, counted["branch"].weights) == (21_250, 3_000)


@pytest.mark.parametrize(("tasks", "ratio"), [(2, "1.0006"), (3, "1.0009"), (4, "1.0012")])
def test_on_vgg11_every_convolution_and_both_hidden_layers_are_modulated(tasks: int, ratio: str) -> None:
    setup = setup_of([2] * tasks, "vgg11", (3, 224, 224))
    with torch.device("meta"):
        network = build_for(setup)
        counted = count_parameters(network, setup)
    assert sum(values.shape[1] for values in network.modulation.values()) == 2_368 + 2_048
    assert counted.weights == 7_448_256 + 7_473_152 + 4_416 * tasks
    assert f"{counted.weights / counted.single_weights:.4f}" == ratio  # Table 1: x1.001


@pytest.mark.parametrize(
    ("options", "per_task"), [("conv", 2_368), ("fc", 2_048), ("all", 4_416), ("conv:first=7", 512 + 128)]
)
def test_on_vgg11_either_kind_of_layer_can_be_modulated_alone(options: str, per_task: int) -> None:
    with torch.device("meta"):
        network = build_for(setup_of([2] * 2, "vgg11", (3, 64, 64)), f"chmod:stages={options}")
    assert sum(values.shape[1] for values in network.modulation.values()) == per_task


def test_on_resnet18_the_stem_and_the_four_layers_are_modulated() -> None:
    with torch.device("meta"):
        network = build_for(setup_of([2] * 2, "resnet18", (3, 64, 64)))
    found = {name: values.shape[1] for name, values in network.modulation.items()}
    assert found == {"stem": 64, "layer1": 64, "layer2": 128, "layer3": 256, "layer4": 512}


def test_what_is_modulated_by_default_is_no_part_of_a_runs_identity() -> None:
    assert parse_method("chmod:stages=paper").network_choice == parse_method("chmod").network_choice
    assert not parse_method("chmod").network_choice.options


@pytest.mark.parametrize("backbone", ["vgg11:width=.05", "resnet18:width=.05"])
def test_on_deep_backbones_each_row_is_answered_for_its_own_task(backbone: str) -> None:
    network = build_for(setup_of([2] * 3, backbone, (3, 32, 32))).eval()
    images, task = torch.rand(3, 3, 32, 32), torch.tensor([2, 0, 1])
    plain = network.branch(network.backbone(images))
    torch.testing.assert_close(network(images, task), plain)
    with torch.no_grad():
        for factors in network.modulation.values():
            factors[1] *= 3
    rows = network(images, task)
    torch.testing.assert_close(rows[:2], plain[:2])
    assert not torch.allclose(rows[2], plain[2], rtol=1e-3)


@pytest.mark.parametrize("options", ["", ":stages=all", ":variant=projection:stages=all", ":relu_mask=true"])
def test_at_the_start_it_is_the_plain_network_whatever_the_task(options: str) -> None:
    network = build("chmod" + options)
    images = torch.rand(4, 1, 28, 28)
    plain = network.branch(network.backbone(images))
    for task in range(3):
        assert torch.allclose(network(images, torch.full((4,), task)), plain, atol=1e-6)


@pytest.mark.parametrize("variant", ["vector", "projection"])
def test_a_task_changes_its_own_channels_alone(variant: str) -> None:
    network = build(f"chmod:variant={variant}")
    with torch.no_grad():
        network.modulation["conv2"][1] *= 3
    images = torch.rand(2, 1, 28, 28)
    before = network(images, torch.tensor([0, 2]))
    assert torch.allclose(before, network.branch(network.backbone(images)), atol=1e-6)
    maps = torch.rand(2, 20, 8, 8)
    assert torch.allclose(
        network.modulate("conv2", maps, torch.tensor([1, 0])), maps * torch.tensor([3, 1])[:, None, None, None]
    )


def test_a_projection_mixes_channels_by_its_matrix() -> None:
    network = build("chmod:variant=projection")
    with torch.no_grad():
        network.modulation["conv1"].copy_(torch.randn(3, 10, 10))
    maps = torch.randn(2, 10, 24, 24)
    found = network.modulate("conv1", maps, torch.tensor([2, 0]))
    matrix = network.modulation["conv1"][2]
    assert torch.allclose(found[0, :, 5, 7], matrix @ maps[0, :, 5, 7], atol=1e-5)


def test_factors_act_before_the_nonlinearity() -> None:
    """A negative factor tells: post(-2 a) is not -2 post(a)."""
    network = build("chmod")
    with torch.no_grad():
        network.modulation["conv2"][1] = -2
    images = torch.rand(3, 1, 28, 28)
    conv1, conv2 = network.backbone.levels()
    expected = network.branch(network.backbone.neck(conv2.post(-2 * conv2.pre(conv1(images)))))
    assert torch.allclose(network(images, torch.tensor([1, 1, 1])), expected, atol=1e-6)


def test_the_embedding_is_modulated_after_its_nonlinearity() -> None:
    network = build("chmod:stages=fc")
    factors = torch.randn(50)
    with torch.no_grad():
        network.modulation["neck"][1] = factors
    images = torch.rand(3, 1, 28, 28)
    expected = network.branch(factors * network.backbone(images))
    assert torch.allclose(network(images, torch.tensor([1, 1, 1])), expected, atol=1e-6)


def test_a_relu_mask_switches_negative_factors_off() -> None:
    network = build("chmod:relu_mask=true")
    with torch.no_grad():
        network.modulation["conv1"][1] = -1
    maps = torch.rand(1, 10, 24, 24)
    assert torch.equal(network.modulate("conv1", maps, torch.tensor([1])), torch.zeros_like(maps))


def test_the_regularizer_is_eq_8() -> None:
    network = build("chmod:regularizer=.1:beta=.2:triple=0/1/2")
    with torch.no_grad():
        network.modulation["conv1"][1] += 0.3  # |w_0 - w_1|^2 = 10 * .09
        network.modulation["conv2"][2] += 0.1  # |w_0 - w_2|^2 = 20 * .01
    penalty = network.penalty()
    assert penalty is not None
    assert penalty.item() == pytest.approx(0.1 * (0.9 + 0.2 - 0.2), rel=1e-4)
    assert build("chmod").penalty() is None


def test_a_triple_of_tasks_that_are_not_there_is_refused() -> None:
    with pytest.raises(UsageError) as error:
        plan(Request(methods=["chmod:regularizer=.1:triple=LU/RL/XX"], datasets=["mmnist3"], settings={}))
    assert str(error.value) == (
        "option 'triple' of method 'chmod' is 'LU/RL/XX'. With a regularizer it names three tasks i/j/k of: LU, RL, LL."
    )
