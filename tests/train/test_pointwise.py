import pytest
import torch
from torch import nn

from mtbench.train.pointwise import Pointwise, convert_pointwise


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
