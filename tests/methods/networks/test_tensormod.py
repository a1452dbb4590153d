from functools import partial

import pytest
import torch

from mtbench.contract import Setup
from mtbench.plan.parse import parse_backbone, parse_method
from mtbench.train.cost.ledger import parts
from mtbench_methods.networks.tensormod import TensorModulation
from tests.builders.networks import network_of

BACKBONES = ["lenet", "mlp:width=12", "vgg11:width=.05", "resnet18:width=.05"]


build = partial(network_of, TensorModulation)


def shake(network: TensorModulation) -> None:
    """Give every task tensors of its own."""
    torch.manual_seed(0)
    for factors in network.modulation.values():
        torch.nn.init.normal_(factors)


@pytest.mark.parametrize("tasks", [1, 2, 9])
@pytest.mark.parametrize(("where", "per_task"), [("image", 784), ("stages", 5_760 + 1_280), ("both", 784 + 7_040)])
def test_a_task_has_a_weight_per_place_of_what_is_modulated(where: str, per_task: int, tasks: int) -> None:
    network = build(f"tensormod:where={where}", tasks=[10] * tasks)
    counted = {part.name: (part.weights, part.per_task) for part in parts(network)}
    assert counted == {
        "backbone": (21_250, False),
        "branch": (3_000, False),
        "modulation": (per_task * tasks, True),
    }


@pytest.mark.parametrize("backbone", BACKBONES)
@pytest.mark.parametrize("where", ["image", "stages", "both"])
def test_at_the_start_it_is_the_plain_network_whatever_the_task(where: str, backbone: str) -> None:
    network = build(f"tensormod:where={where}", backbone).eval()
    images = torch.rand(4, 1, 28, 28)
    plain = network.branch(network.backbone(images))
    for task in range(3):
        assert torch.allclose(network(images, torch.full((4,), task)), plain, atol=1e-6)


def test_a_factor_acts_on_one_place_of_one_channel_before_the_nonlinearity() -> None:
    network = build("tensormod:where=stages")
    with torch.no_grad():
        network.modulation["conv2"][1, 7, 2, 5] = -3
    images = torch.rand(3, 1, 28, 28)
    conv1, conv2 = network.backbone.levels()
    maps = conv2.pre(conv1(images))
    maps[:, 7, 2, 5] *= -3
    expected = network.branch(network.backbone.neck(conv2.post(maps)))
    assert torch.allclose(network(images, torch.tensor([1, 1, 1])), expected, atol=1e-6)
    assert torch.allclose(network(images, torch.tensor([0, 2, 0])), network.branch(network.backbone(images)), atol=1e-6)


def test_the_tensor_of_the_image_masks_the_image() -> None:
    network = build("tensormod:where=image")
    mask = (torch.rand(1, 28, 28) > 0.5).float()
    with torch.no_grad():
        network.modulation["image"][2] = mask
    images = torch.rand(3, 1, 28, 28)
    expected = network.branch(network.backbone(images * mask))
    assert torch.allclose(network(images, torch.tensor([2, 2, 2])), expected, atol=1e-6)


def test_tensors_that_are_equal_at_all_places_are_channel_modulation() -> None:
    network = build("tensormod:where=stages")
    chosen, lenet = parse_method("chmod"), parse_backbone("lenet")
    setup = Setup(
        tasks=network.tasks,
        backbone_class=lenet.backbone_class,
        backbone_options=lenet.options,
        input_shape=(1, 28, 28),
        seed=0,
    )
    chmod = chosen.network_class(chosen.network_options, setup)
    with torch.no_grad():
        for name, tensors in network.modulation.items():
            vectors = torch.randn(3, tensors.shape[1])
            tensors.copy_(vectors[:, :, None, None].expand_as(tensors))
            chmod.get_parameter(f"modulation.{name}").copy_(vectors)
    images, task = torch.rand(6, 1, 28, 28), torch.tensor([0, 1, 2, 2, 1, 0])
    assert torch.allclose(network(images, task), chmod(images, task), atol=1e-6)


@pytest.mark.parametrize("backbone", BACKBONES)
def test_a_row_is_answered_for_its_own_task_alone(backbone: str) -> None:
    network = build("tensormod", backbone).eval()
    shake(network)
    images, task = torch.rand(5, 1, 28, 28), torch.tensor([2, 0, 1, 1, 0])
    mixed = network(images, task)
    for row in range(5):
        assert torch.allclose(mixed[row], network(images[row : row + 1], task[row : row + 1])[0], atol=1e-5)
