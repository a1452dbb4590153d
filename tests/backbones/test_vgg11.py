import pytest
import torch

from mtbench.contract import Classification, Setup, Task
from mtbench.plan.parse import parse_backbone
from mtbench.train.cost.ledger import count_parameters
from mtbench_methods.networks.branches import Branches
from tests.builders.networks import backbone_of


def weights(module: torch.nn.Module) -> int:
    return sum(p.numel() for name, p in module.named_parameters() if not name.endswith("bias"))


def test_the_weights_are_those_of_table_5b() -> None:
    backbone = backbone_of("vgg11", (3, 224, 224))
    assert weights(backbone) == 7_448_256
    assert weights(backbone.head(2)) == 7_473_152
    assert backbone.features == 128 * 7 * 7


@pytest.mark.parametrize("tasks", [2, 3, 4])
def test_a_branch_more_costs_a_branch(tasks: int) -> None:
    chosen = parse_backbone("vgg11")
    named = tuple(Task(name=str(index), kind=Classification(classes=2)) for index in range(tasks))
    setup = Setup(
        tasks=named,
        backbone_class=chosen.backbone_class,
        backbone_options=chosen.options,
        input_shape=(3, 224, 224),
        seed=0,
    )
    counted = count_parameters(Branches(chosen.options, setup), setup)
    assert counted.weights == 7_448_256 + tasks * 7_473_152
    assert counted.single_weights == 14_921_408


@pytest.mark.parametrize("side", [1, 7, 28, 33, 64])
def test_images_of_any_size_and_number_will_do(side: int) -> None:
    backbone = backbone_of("vgg11:width=.125", (1, side, side))
    for count in (1, 3):
        z = backbone(torch.rand(count, 1, side, side))
        assert z.shape == (count, backbone.features)
        assert backbone.head(5)(z).shape == (count, 5)


def test_five_stages_halve_the_map_each() -> None:
    backbone = backbone_of("vgg11:width=.125", (3, 64, 64))
    assert [shape.post[1] for shape in backbone.shapes] == [32, 16, 8, 4, 2]
    assert [shape.post[0] for shape in backbone.shapes] == [8, 16, 32, 64, 16]


def test_initial_weights_have_the_spread_of_the_fan_of_their_outputs() -> None:
    backbone = backbone_of("vgg11:width=.5", (3, 32, 32))
    convolutions = [module for module in backbone.modules() if isinstance(module, torch.nn.Conv2d)]
    assert len(convolutions) == 8
    for module in convolutions:
        expected = (2 / (9 * module.out_channels)) ** 0.5
        assert float(module.weight.detach().std()) == pytest.approx(expected, rel=0.1)
        bound = (9 * module.in_channels) ** -0.5  # of PyTorch's default: uniform, with a spread of bound / sqrt(3)
        assert module.bias is not None
        assert float(module.bias.detach().abs().max()) <= bound
        assert float(module.bias.detach().std()) == pytest.approx(bound / 3**0.5, rel=0.25)


def test_the_heads_of_initial_weights_are_small_and_without_biases() -> None:
    head = backbone_of("vgg11:width=.5", (3, 32, 32)).head(8)
    linears = [module for module in head.modules() if isinstance(module, torch.nn.Linear)]
    assert len(linears) == 3
    for linear in linears:
        assert float(linear.weight.detach().std()) == pytest.approx(0.01, rel=0.1)
        assert not linear.bias.any()


def test_without_its_last_relu_z_is_the_pooled_map_as_it_is() -> None:
    rectified, raw = (backbone_of(f"vgg11:width=.125{text}", (3, 64, 64)) for text in ("", ":last_relu=false"))
    raw.load_state_dict(rectified.state_dict())
    images = torch.randn(3, 3, 64, 64)
    z = raw(images)
    assert (z < 0).any()
    assert torch.equal(z.relu(), rectified(images))


def test_it_lets_every_convolution_and_the_hidden_layers_of_its_head_be_changed() -> None:
    backbone = backbone_of("vgg11", (3, 64, 64))
    found = {name: shape[0] for name, shape in backbone.places(backbone.head(2)).items()}
    convolutions = {"conv1": 64, "conv2": 128, "conv3_1": 256, "conv3_2": 256, "conv4_1": 512, "conv4_2": 512}
    assert found == convolutions | {"conv5_1": 512, "conv5_2": 128, "fc1": 1024, "fc2": 1024}


@pytest.mark.parametrize("last_relu", ["true", "false"])
def test_where_nothing_is_changed_it_answers_as_its_head_does(last_relu: str) -> None:
    backbone = backbone_of(f"vgg11:width=.125:last_relu={last_relu}", (3, 64, 64)).eval()
    head, images = backbone.head(2).eval(), torch.randn(3, 3, 64, 64)
    assert torch.equal(backbone.answer(images, head, lambda _, x: x), head(backbone(images)))


def test_each_layer_is_changed_right_behind_itself() -> None:
    """A change of sign before the relu is one of the layer's weight and bias."""
    backbone = backbone_of("vgg11:width=.125", (3, 64, 64)).eval()
    head, images = backbone.head(2).eval(), torch.randn(3, 3, 64, 64)
    parts = [*backbone.modules(), *head.modules()]
    layers = [layer for layer in parts if isinstance(layer, torch.nn.Conv2d | torch.nn.Linear)]
    assert len(layers) == 11
    for name, layer in zip(backbone.places(head), layers[:-1], strict=True):
        changed = backbone.answer(images, head, lambda place, x, name=name: -x if place == name else x)  # type: ignore[misc]
        with torch.no_grad():
            for parameter in layer.parameters():
                parameter.neg_()
            torch.testing.assert_close(changed, head(backbone(images)), rtol=1e-4, atol=1e-8)
            for parameter in layer.parameters():
                parameter.neg_()
