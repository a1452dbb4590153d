import pytest
import torch
from torch import nn

from mtbench.contract import Classification, Setup, Task
from mtbench.plan.parse import parse_backbone, parse_method
from mtbench.train.assemble import build
from mtbench.train.network.pointwise import Pointwise, convert_pointwise


def network() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(4, 6, 1, stride=2),
        nn.Conv2d(6, 8, 1, stride=(2, 3), groups=2, bias=False),
        nn.Conv2d(8, 8, 1),
        nn.Conv2d(8, 16, 3, stride=2, padding=1),
        nn.Conv2d(16, 8, 1, stride=2),
        nn.Conv2d(8, 8, 1, stride=2, padding=1),
    )


def test_convolutions_of_one_pixel_with_a_stride_and_few_channels_are_converted_and_no_others() -> None:
    converted = network()
    names = list(converted.state_dict())
    convert_pointwise(converted)
    assert [type(module) is Pointwise for module in converted] == [True, True, False, False, False, False]
    assert list(converted.state_dict()) == names


def test_the_projections_of_a_narrow_resnet_are_converted_when_it_is_built() -> None:
    choice = parse_backbone("resnet18:width=.125")
    setup = Setup(
        tasks=(Task(name="class", kind=Classification(classes=3)),),
        backbone_class=choice.backbone_class,
        backbone_options=choice.options,
        input_shape=(3, 64, 64),
        seed=0,
    )
    built = build(parse_method("uniform"), setup)
    found = [module.in_channels for module in built.modules() if isinstance(module, Pointwise)]
    assert found == [8]  # of layer2; those of layer3 and layer4 have 16 and 32 input channels


@pytest.mark.parametrize("size", [(24, 31), (25, 30)])
def test_outputs_and_gradients_are_those_of_the_convolution(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    plain = network().double()
    inputs = torch.randn(2, 4, *size, dtype=torch.float64, requires_grad=True)
    expected = torch.autograd.grad((output := plain(inputs)).square().sum(), [inputs, *plain.parameters()])
    convert_pointwise(plain)
    torch.testing.assert_close(plain(inputs), output)
    found = torch.autograd.grad(plain(inputs).square().sum(), [inputs, *plain.parameters()])
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)
