from functools import partial
from typing import cast

import pytest
import torch

from mtbench.contract import Setup
from mtbench.plan.parse import parse_backbone, parse_method
from mtbench.train.cost.ledger import parts
from mtbench_methods.networks.chmod import ChannelModulation
from mtbench_methods.networks.film import Film
from tests.builders.networks import network_of

BACKBONES = ["lenet", "mlp:width=12", "vgg11:width=.05", "resnet18:width=.05"]


build = partial(network_of, Film)


def shake(network: Film) -> None:
    """Give every task scales and shifts of its own."""
    torch.manual_seed(0)
    for factors in (*network.scale.values(), *network.shift.values()):
        torch.nn.init.normal_(factors)


@pytest.mark.parametrize("tasks", [1, 2, 9])
def test_a_task_has_a_scale_and_a_shift_per_channel_of_both_stages(tasks: int) -> None:
    counted = {part.name: (part.weights, part.per_task) for part in parts(build("film", tasks=[10] * tasks))}
    assert counted == {
        "backbone": (21_250, False),
        "branch": (3_000, False),
        "scale": (30 * tasks, True),
        "shift": (30 * tasks, True),
    }


@pytest.mark.parametrize("backbone", BACKBONES)
def test_at_the_start_it_is_the_plain_network_whatever_the_task(backbone: str) -> None:
    network = build("film", backbone).eval()
    images = torch.rand(4, 1, 28, 28)
    plain = network.branch(network.backbone(images))
    for task in range(3):
        assert torch.allclose(network(images, torch.full((4,), task)), plain, atol=1e-6)


def test_without_shifts_it_is_channel_modulation() -> None:
    network = build("film")
    shake(network)
    chosen = parse_method("chmod")
    lenet = parse_backbone("lenet")
    setup = Setup(
        tasks=network.tasks,
        backbone_class=lenet.backbone_class,
        backbone_options=lenet.options,
        input_shape=(1, 28, 28),
        seed=0,
    )
    chmod = cast(ChannelModulation, chosen.network_class(chosen.network_options, setup))
    with torch.no_grad():
        for name, shift in network.shift.items():
            shift.zero_()
            chmod.modulation[name].copy_(network.scale[name])
    images, task = torch.rand(6, 1, 28, 28), torch.tensor([0, 1, 2, 2, 1, 0])
    assert torch.allclose(network(images, task), chmod(images, task), atol=1e-6)


def test_maps_are_scaled_and_then_shifted_before_the_nonlinearity() -> None:
    network = build("film")
    scale, shift = torch.randn(20), torch.randn(20)
    with torch.no_grad():
        network.scale["conv2"][1], network.shift["conv2"][1] = scale, shift
    images = torch.rand(3, 1, 28, 28)
    conv1, conv2 = network.backbone.levels()
    maps = conv2.pre(conv1(images))
    changed = torch.stack([scale[c] * maps[:, c] + shift[c] for c in range(20)], dim=1)
    expected = network.branch(network.backbone.neck(conv2.post(changed)))
    assert torch.allclose(network(images, torch.tensor([1, 1, 1])), expected, atol=1e-5)
    assert torch.allclose(network(images, torch.tensor([0, 2, 0])), network.branch(network.backbone(images)), atol=1e-6)


@pytest.mark.parametrize("backbone", BACKBONES)
def test_a_row_is_answered_for_its_own_task_alone(backbone: str) -> None:
    network = build("film", backbone).eval()
    shake(network)
    images, task = torch.rand(5, 1, 28, 28), torch.tensor([2, 0, 1, 1, 0])
    mixed = network(images, task)
    for row in range(5):
        assert torch.allclose(mixed[row], network(images[row : row + 1], task[row : row + 1])[0], atol=1e-5)


def test_a_task_that_is_asked_for_trains_its_own_vectors_alone() -> None:
    network = build("film")
    network(torch.rand(4, 1, 28, 28), torch.tensor([0, 2, 2, 0])).square().sum().backward()
    for vectors in (*network.scale.values(), *network.shift.values()):
        assert vectors.grad is not None
        assert [bool(row.any()) for row in vectors.grad] == [True, False, True]
