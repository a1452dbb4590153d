"""SegNet: its size, its work, and its numbers against torch's own functions and torchvision's VGG-16."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models.vgg import make_layers

from mtbench.backbones.segnet import Pool, Unpool
from mtbench.plan.counting import count_work, total
from mtbench.plan.parse import parse_method
from tests.backbones.test_deeplab import dense_setup
from tests.builders.networks import backbone_of

ENCODER = [[64, 64], [128, 128], [256, 256, 256], [512, 512, 512], [512, 512, 512]]
DECODER = [[512, 512, 512], [256, 256, 256], [128, 128, 128], [64, 64], [64, 64]]


def test_parameters_are_those_counted_by_hand_and_those_that_mtans_code_divides_by() -> None:
    inputs, expected = 3, 0
    for width in [width for stage in ENCODER + DECODER for width in stage]:
        expected += 9 * inputs * width + width + 2 * width  # weights and biases; scales and offsets
        inputs = width
    with torch.device("meta"):
        backbone = backbone_of("segnet", (3, 288, 384))
        head = backbone.head(13)
    assert total(backbone) == expected
    assert total(head) == 9 * 64 * 64 + 64 + 64 * 13 + 13
    assert total(backbone) + total(head) == 24_981_069


def test_maps_have_the_sizes_of_the_docstring() -> None:
    with torch.device("meta"):
        shapes = backbone_of("segnet", (3, 288, 384)).shapes
    sides = [288, 144, 72, 36, 18, 18, 36, 72, 144, 288]
    assert [shape.pre for shape in shapes] == [
        (widths[-1], side, side * 4 // 3) for widths, side in zip(ENCODER + DECODER, sides, strict=True)
    ]
    assert [shape.post for shape in shapes] == [shape.pre for shape in shapes]


def test_the_work_is_that_counted_by_hand() -> None:
    """Pools and what undoes them count for none."""
    places, inputs, encoder = 96 * 128, 3, 0
    for widths, side in zip(ENCODER + DECODER, [1, 2, 4, 8, 16, 16, 8, 4, 2, 1], strict=True):
        for width in widths:
            encoder += places // side**2 * 9 * inputs * width
            inputs = width
    work = count_work(parse_method("branches"), dense_setup("segnet", (3, 96, 128)))
    assert work.per_input == encoder + places * (3 * 9 * 64 * 64 + 64 * (13 + 1 + 3))
    assert work.per_task == encoder + places * (9 * 64 * 64 + 64 * 13)


def uneven(module: nn.Module) -> None:
    generator = torch.Generator().manual_seed(0)
    for value in (*module.parameters(), *module.buffers()):
        if value.is_floating_point() and value.dim() == 1:
            value.data.uniform_(0.5, 1.5, generator=generator)


def test_the_encoder_is_torchvisions_vgg16_with_batch_normalization() -> None:
    ours = backbone_of("segnet:width=.125", (3, 32, 32)).eval()
    theirs = make_layers([8, 8, "M", 16, 16, "M", *[32] * 3, "M", *[64] * 3, "M", *[64] * 3, "M"], True).eval()
    uneven(theirs)
    encoder = ours.levels()[:5]
    own = [value for stage in encoder for value in stage.state_dict().values()]
    for value, other in zip(own, theirs.state_dict().values(), strict=True):
        value.copy_(other)
    images = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        maps = images
        for stage in encoder:
            maps = stage(maps)
        torch.testing.assert_close(functional.max_pool2d(maps, 2), theirs(images))


@pytest.mark.usefixtures("any_algorithm")
@pytest.mark.parametrize("memory_format", [torch.channels_last, torch.contiguous_format])
@pytest.mark.parametrize("size", [(8, 6), (7, 5), (1, 4)])
def test_a_pool_is_undone_as_torch_undoes_it(size: tuple[int, int], memory_format: torch.memory_format) -> None:
    maps = torch.randn(2, 3, *size).to(memory_format=memory_format).requires_grad_()
    pool = Pool()
    found = Unpool(pool)(pool(maps).square())
    pooled, places = functional.max_pool2d(maps, 2, ceil_mode=True, return_indices=True)
    expected = functional.max_unpool2d(pooled.square(), places, [2, 2], output_size=list(size))
    assert torch.equal(found, expected)
    upstream = torch.randn(found.shape)
    gradients = [torch.autograd.grad(result, maps, upstream)[0] for result in (found, expected)]
    assert torch.equal(gradients[0], gradients[1])


def layer(x: Tensor, sequence: nn.Module) -> Tensor:
    """Return a convolution, a normalization in evaluation mode and a relu."""
    convolution, norm = list(sequence.children())[:2]
    assert isinstance(convolution, nn.Conv2d)
    assert isinstance(norm, nn.BatchNorm2d)
    y = functional.conv2d(x, convolution.weight, convolution.bias, padding=1)
    return torch.relu(functional.batch_norm(y, norm.running_mean, norm.running_var, norm.weight, norm.bias))


@pytest.mark.usefixtures("any_algorithm")
def test_the_decoder_undoes_the_pools_in_reverse() -> None:
    backbone = backbone_of("segnet:width=.05", (3, 32, 64)).eval()
    parts = [[part for part in stage.pre.children() if isinstance(part, nn.Sequential)] for stage in backbone.levels()]
    for part in (part for stage in parts for part in stage):
        uneven(part[1])
    images = x = torch.randn(2, 3, 32, 64)
    kept = []
    with torch.no_grad():
        for stage in parts[:5]:
            for part in stage:
                x = layer(x, part)
            x, places = functional.max_pool2d(x, 2, return_indices=True)
            kept.append(places)
        for stage in parts[5:]:
            x = functional.max_unpool2d(x, kept.pop(), [2, 2])
            for part in stage:
                x = layer(x, part)
        torch.testing.assert_close(backbone(images), x)
        backbone(torch.randn(3, 3, 32, 64))  # whose places are not those of the images
        torch.testing.assert_close(backbone(images), x)


@pytest.mark.parametrize("size", [(1, 1), (28, 28), (33, 18)])
def test_images_of_any_size_and_number_will_do(size: tuple[int, int]) -> None:
    backbone = backbone_of("segnet:width=.05", (1, *size)).train()
    head = backbone.head(4)
    for count in (1, 2):
        assert head(backbone(torch.rand(count, 1, *size))).shape == (count, 4, *size)


def test_initial_weights_are_xaviers_and_biases_0() -> None:
    torch.manual_seed(0)
    backbone = backbone_of("segnet:width=.25", (3, 32, 32))
    modules = (*backbone.modules(), *backbone.head(13).modules())
    convolutions = [module for module in modules if isinstance(module, nn.Conv2d)]
    assert len(convolutions) == 2 * 13 + 2  # VGG-16's, the same mirrored, and the head's
    for module in convolutions:
        assert module.bias is not None
        assert not module.bias.any()
        fans = module.weight[0].numel() + module.weight[:, 0].numel()
        spread = float(module.weight.detach().std())
        assert spread == pytest.approx((2 / fans) ** 0.5, rel=6 / module.weight.numel() ** 0.5)
