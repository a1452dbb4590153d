import copy
import math
from functools import partial
from typing import cast

import pytest
import torch
from torch import Tensor, nn

from mtbench.errors import UsageError
from mtbench.train.cost.ledger import parts
from mtbench_methods.networks.film import Film
from mtbench_methods.networks.rows import RowsByTask
from mtbench_methods.networks.superposition import Superposed, Superposition
from tests.builders.networks import network_of

BACKBONES = ["lenet", "mlp:width=12", "vgg11:width=.05", "resnet18:width=.05"]
CONTEXTS = ["binary", "complex", "rotation"]


build = partial(network_of, Superposition)


def bound_layers(network: Superposition) -> dict[str, Superposed]:
    found = {name: part for name, part in network.named_modules() if isinstance(part, Superposed)}
    assert found
    return found


def matrix(layer: Superposed, context: str, task: int) -> Tensor:
    """Return the factor of the channels in binding, written as a C x C matrix."""
    found = layer.contexts[task]
    if context == "binary":
        return torch.diag(found)
    if context == "rotation":
        return found
    width = layer.layer.in_channels if isinstance(layer.layer, nn.Conv2d) else cast(nn.Linear, layer.layer).in_features
    turns = torch.zeros(2 * len(found), 2 * len(found))
    for pair, angle in enumerate(found.tolist()):
        cosine, sine = math.cos(angle), math.sin(angle)
        turns[2 * pair : 2 * pair + 2, 2 * pair : 2 * pair + 2] = torch.tensor([[cosine, -sine], [sine, cosine]])
    return turns[:width, :width]


def folded(network: Superposition, context: str, task: int, backbone: str = "lenet") -> nn.Sequential:
    """Return the plain network that a task sees: its contexts multiplied into the weights, W' = W M."""
    plain = network_of(Film, "film", backbone)  # a backbone and a head without contexts
    whole = nn.Sequential(plain.backbone, plain.branch)
    names = {"backbone": "0", "branch": "1"}
    with torch.no_grad():
        for name, layer in bound_layers(network).items():
            part, _, rest = name.partition(".")
            weight = whole.get_parameter(".".join(filter(None, (names[part], rest, "weight"))))
            weight.copy_(torch.einsum("oj...,ji->oi...", weight, matrix(layer, context, task)))
    return whole


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("tasks", [1, 9])
def test_no_part_grows_with_the_tasks(tasks: int, context: str) -> None:
    network = build(f"superposition:context={context}", tasks=[10] * tasks)
    counted = {part.name: (part.weights, part.total, part.per_task) for part in parts(network)}
    assert counted == {"backbone": (21_250, 21_330, False), "branch": (3_000, 3_060, False)}


def test_every_layer_of_lenet_but_the_first_is_bound_by_a_sign_per_input() -> None:
    network = build("superposition")
    shapes = {name: tuple(layer.contexts.shape) for name, layer in bound_layers(network).items()}
    assert shapes == {
        "backbone.stages.conv2.pre": (3, 10),
        "backbone.neck.1": (3, 320),
        "branch.0": (3, 50),
        "branch.2": (3, 50),
    }
    assert all(layer.contexts.abs().eq(1).all() for layer in bound_layers(network).values())


@pytest.mark.parametrize("backbone", BACKBONES)
def test_the_first_layer_sees_the_image_as_it_is(backbone: str) -> None:
    network = build("superposition", backbone)
    bound = {id(layer.layer) for layer in bound_layers(network).values()}
    free = [part for part in network.modules() if isinstance(part, nn.Conv2d | nn.Linear) and id(part) not in bound]
    assert free == [next(part for part in network.backbone.modules() if isinstance(part, nn.Conv2d))]


@pytest.mark.parametrize("backbone", BACKBONES)
@pytest.mark.parametrize("context", CONTEXTS)
def test_contexts_leave_the_initial_weights_of_the_seed(context: str, backbone: str) -> None:
    network, plain = build(f"superposition:context={context}", backbone), network_of(Film, "film", backbone)
    for part in ("backbone", "branch"):
        found, expected = (list(net.get_submodule(part).parameters()) for net in (network, plain))
        assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))


@pytest.mark.parametrize("backbone", BACKBONES)
@pytest.mark.parametrize("context", CONTEXTS)
def test_a_task_sees_the_plain_network_with_its_contexts_multiplied_into_the_weights(
    context: str, backbone: str
) -> None:
    network = build(f"superposition:context={context}", backbone).eval()
    images = torch.rand(4, 1, 28, 28)
    for task in range(3):
        expected = folded(network, context, task, backbone).eval()(images)
        assert torch.allclose(network(images, torch.full((4,), task)), expected, atol=1e-5)


@pytest.mark.parametrize("context", CONTEXTS)
def test_tasks_that_share_every_weight_answer_differently(context: str) -> None:
    network = build(f"superposition:context={context}")
    images = torch.rand(4, 1, 28, 28)
    first, second, third = (network(images, torch.full((4,), task)) for task in range(3))
    assert (first - second).abs().max() > 1e-3
    assert (second - third).abs().max() > 1e-3


def bind(layer: Superposed, x: Tensor, task: int) -> Tensor:
    with layer.asked.about(RowsByTask(torch.full((len(x),), task), 3)):
        return layer.bind(x)


def test_binding_by_signs_twice_undoes_it() -> None:
    for layer in bound_layers(build("superposition")).values():
        x = torch.randn(5, layer.contexts.shape[1])
        assert torch.equal(bind(layer, bind(layer, x, 1), 1), x)
        assert not torch.equal(bind(layer, bind(layer, x, 1), 2), x)


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("width", [1, 6, 7])
def test_binding_keeps_lengths_and_angles(width: int, context: str) -> None:
    network = build(f"superposition:context={context}", f"mlp:width={width}")
    for layer in bound_layers(network).values():
        x = torch.randn(8, width)
        for task in range(3):
            bound = bind(layer, x, task)
            assert torch.allclose(bound @ bound.T, x @ x.T, atol=1e-5)


def test_a_complex_context_is_a_multiplication_by_complex_numbers_of_length_1() -> None:
    layer = bound_layers(build("superposition:context=complex"))["branch.0"]
    x = torch.randn(4, 50)
    phases = layer.contexts[2]
    expected = torch.view_as_complex(x.view(4, 25, 2)) * torch.polar(torch.ones(25), phases)
    assert torch.allclose(bind(layer, x, 2), torch.view_as_real(expected).flatten(1), atol=1e-5)


def test_rotations_are_orthogonal_matrices() -> None:
    for layer in bound_layers(build("superposition:context=rotation")).values():
        for one in layer.contexts:
            assert torch.allclose(one @ one.T, torch.eye(len(one)), atol=1e-5)


@pytest.mark.parametrize("backbone", BACKBONES)
@pytest.mark.parametrize("context", CONTEXTS)
def test_a_row_is_answered_for_its_own_task_alone(context: str, backbone: str) -> None:
    network = build(f"superposition:context={context}", backbone).eval()
    images, task = torch.rand(5, 1, 28, 28), torch.tensor([2, 0, 1, 1, 0])
    mixed = network(images, task)
    for row in range(5):
        assert torch.allclose(mixed[row], network(images[row : row + 1], task[row : row + 1])[0], atol=1e-5)


def test_contexts_outlive_training_and_a_checkpoint() -> None:
    network = build("superposition:context=complex")
    before = {name: layer.contexts.clone() for name, layer in bound_layers(network).items()}
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        network(torch.rand(4, 1, 28, 28), torch.tensor([0, 1, 2, 1])).square().sum().backward()
        optimizer.step()
    other = build("superposition:context=complex", seed=1)
    assert all(not torch.equal(layer.contexts, before[name]) for name, layer in bound_layers(other).items())
    other.load_state_dict(network.state_dict())
    for net in (network, other):
        assert all(torch.equal(layer.contexts, before[name]) for name, layer in bound_layers(net).items())
    images, task = torch.rand(3, 1, 28, 28), torch.tensor([2, 1, 0])
    assert torch.equal(other(images, task), network(images, task))


def test_a_copy_is_asked_apart_from_its_original() -> None:
    network = build("superposition")
    copied = copy.deepcopy(network)
    images, task = torch.rand(3, 1, 28, 28), torch.tensor([2, 1, 0])
    assert torch.equal(copied(images, task), network(images, task))
    with (
        network.asked.about(RowsByTask(task, 3)),
        pytest.raises(AssertionError, match="outside of its network's forward pass"),
    ):
        copied.backbone(images)


def test_a_layer_that_is_too_wide_for_rotations_is_refused() -> None:
    with pytest.raises(UsageError) as error:
        build("superposition:context=rotation", "lenet:width=10")
    assert str(error.value) == (
        "option 'context' of method 'superposition' is 'rotation', and layer 'backbone.neck.1' has 3200 inputs: "
        "a 3200 x 3200 matrix for each task. Use context=binary. Rotations are for layers of up to 2048 inputs."
    )


def test_a_network_without_layers_to_bind_is_refused() -> None:
    with pytest.raises(UsageError, match="has none after its first"):
        build("superposition", "point", tasks=[2, 2])
