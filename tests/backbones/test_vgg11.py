import pytest
import torch

from mtbench.contract import Backbone, Classification, Setup, Task
from mtbench.plan.parse import parse_backbone
from mtbench.train.cost import count_parameters
from mtbench_methods.networks.branches import Branches


def build(text: str, shape: tuple[int, ...]) -> Backbone:
    chosen = parse_backbone(text)
    return chosen.backbone_class(chosen.options, shape)  # type: ignore[call-arg]


def weights(module: torch.nn.Module) -> int:
    return sum(p.numel() for name, p in module.named_parameters() if not name.endswith("bias"))


def test_the_weights_are_those_of_table_5b() -> None:
    backbone = build("vgg11", (3, 224, 224))
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
    backbone = build("vgg11:width=.125", (1, side, side))
    for count in (1, 3):
        z = backbone(torch.rand(count, 1, side, side))
        assert z.shape == (count, backbone.features)
        assert backbone.head(5)(z).shape == (count, 5)


def test_five_stages_halve_the_map_each() -> None:
    backbone = build("vgg11:width=.125", (3, 64, 64))
    assert [shape.post[1] for shape in backbone.shapes] == [32, 16, 8, 4, 2]
    assert [shape.post[0] for shape in backbone.shapes] == [8, 16, 32, 64, 16]


def test_initial_weights_have_the_spread_of_the_fan_of_their_outputs() -> None:
    backbone = build("vgg11:width=.5", (3, 32, 32))
    for module in backbone.modules():
        if isinstance(module, torch.nn.Conv2d):
            expected = (2 / (9 * module.out_channels)) ** 0.5
            assert float(module.weight.detach().std()) == pytest.approx(expected, rel=0.1)
            assert module.bias is not None
            assert not module.bias.any()
