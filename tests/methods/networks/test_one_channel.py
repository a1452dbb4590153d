"""Convolutions between one channel and several, against torch's own."""

import copy
from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn

from mtbench_methods.networks.td.one_channel import MANY, OneChannel, convert_one_channel, spread

CONVOLUTIONS = {
    "from one to several": ((1, 10, 5), {}),
    "from one to several, of 3 x 5": ((1, 4, (3, 5)), {}),
    "from several to one": ((10, 1, 5), {"padding": 4}),
    "from several to one, of 5 x 3": ((3, 1, (5, 3)), {"padding": (4, 2)}),
    "from one to one": ((1, 1, 1), {}),
    "from one to one, of 5 x 5": ((1, 1, 5), {}),
}


def both(name: str) -> tuple[nn.Conv2d, OneChannel]:
    """Return a convolution of torch, and one of the same weights that is converted."""
    sizes, options = CONVOLUTIONS[name]
    plain = nn.Conv2d(*sizes, **options)  # type: ignore[arg-type]
    converted = nn.Sequential(copy.deepcopy(plain))
    convert_one_channel(converted)
    assert isinstance(converted[0], OneChannel)
    return plain, converted[0]


def gradients(module: nn.Conv2d, images: Tensor, upstream: Tensor) -> list[Tensor]:
    images = images.clone(memory_format=torch.preserve_format).requires_grad_()
    return list(torch.autograd.grad((module(images) * upstream).sum(), [images, *module.parameters()]))


@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
@pytest.mark.parametrize(("height", "width"), [(28, 28), (9, 16), (13, 27), (14, 26)])
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_outputs_and_gradients_are_torchs(name: str, height: int, width: int, layout: torch.memory_format) -> None:
    plain, fast = both(name)
    for dtype, tolerance in ((torch.float32, 1e-5), (torch.float64, 1e-13)):
        plain, fast = plain.to(dtype), fast.to(dtype)
        images = torch.rand(MANY, plain.in_channels, height, width, dtype=dtype).clone(memory_format=layout)
        expected = plain(images)
        assert (fast(images) - expected).abs().max() <= tolerance * expected.abs().max()
        upstream = torch.rand_like(expected)  # no sum cancels, so that rounding is that of its parts
        for ours, theirs in zip(*(gradients(module, images, upstream) for module in (fast, plain)), strict=True):
            assert ours.shape == theirs.shape
            assert (ours - theirs).abs().max() <= tolerance * theirs.abs().max()


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_gradients_can_be_differentiated_again(name: str) -> None:
    _, fast = both(name)
    images = torch.randn(MANY, fast.in_channels, 6, 8, dtype=torch.float64, requires_grad=True)
    fast.double()
    assert torch.autograd.gradgradcheck(fast, images, fast_mode=True)


def test_spread_is_the_transposed_convolution() -> None:
    maps, weight = torch.randn(3, 5, 7, 12, dtype=torch.float64), torch.randn(5, 1, 3, 5, dtype=torch.float64)
    torch.testing.assert_close(spread(maps, weight), nn.functional.conv_transpose2d(maps, weight))


@pytest.mark.parametrize("name", ["from one to several", "from several to one", "from one to one"])
def test_one_channel_has_the_strides_of_channels_last_so_that_what_follows_is_fast(name: str) -> None:
    _, fast = both(name)
    fast.to(memory_format=torch.channels_last)
    images = torch.randn(MANY, fast.in_channels, 28, 28).clone(memory_format=torch.channels_last).requires_grad_()
    found = fast(images)
    channels, width = found.shape[1], found.shape[3]
    assert found.stride()[1:] == (1, width * channels, channels)


def test_other_convolutions_are_left_alone() -> None:
    others = [
        nn.Conv2d(2, 2, 5),
        nn.Conv2d(1, 4, 5, stride=2),
        nn.Conv2d(1, 4, 5, padding=2),
        nn.Conv2d(4, 1, 5),
        nn.Conv2d(1, 4, 5, dilation=2),
        nn.Conv2d(1, 4, 5, bias=False),
        nn.Conv2d(1, 4, 1),
        nn.Conv2d(4, 1, 5, padding=4, padding_mode="reflect"),
    ]
    network = nn.Sequential(*others)
    convert_one_channel(network)
    assert all(type(module) is nn.Conv2d for module in network)


def test_a_converted_network_has_the_same_parameters_and_the_same_state() -> None:
    network = nn.Sequential(*(nn.Conv2d(few, many, 5) for few, many in pairwise([1, 10, 20])))
    parameters, state = list(network.parameters()), dict(network.state_dict())
    convert_one_channel(network)
    assert isinstance(network[0], OneChannel)
    assert all(ours is theirs for ours, theirs in zip(network.parameters(), parameters, strict=True))
    assert list(network.state_dict()) == list(state)
