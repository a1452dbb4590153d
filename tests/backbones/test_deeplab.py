"""DeepLab: its size, its work and its numbers against torchvision's modules, and the weights that it starts from."""

from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
import safetensors.torch
import torch
import torchvision
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models.segmentation.deeplabv3 import DeepLabHead

from mtbench.contract import Depth, Normals, Segmentation, Setup
from mtbench.errors import UsageError
from mtbench.plan.counting import count_work, total
from mtbench.plan.parse import parse_backbone, parse_method
from tests.builders.networks import backbone_of, setup_of

NARROW = "deeplab:depth=18:width=.25:channels=32:rates=4/8/12"
DILATED = [False, True, True]


build = partial(backbone_of, shape=(3, 64, 48))


def dense_setup(text: str, shape: tuple[int, ...]) -> Setup:
    return setup_of({"segmentation": Segmentation(classes=13), "depth": Depth(), "normals": Normals()}, text, shape)


def macs_of(module: nn.Module, *shape: int) -> int:
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        module.eval()(torch.zeros(shape, device="meta"))
    return int(counter.get_total_flops()) // 2


def test_parameters_are_those_of_torchvisions_modules_and_of_libmtl() -> None:
    with torch.device("meta"):
        ours = build("deeplab")
        theirs = torchvision.models.resnet50(replace_stride_with_dilation=DILATED)
        heads = [(ours.head(count), DeepLabHead(2048, count)) for count in (13, 1, 3)]
    assert total(ours) == total(theirs) - total(theirs.fc) == 23_508_032
    branches = 2 * 2048 * 256 + 3 * 9 * 2048 * 256  # the point and the whole; the dilated ones
    after = 5 * 256 * 256 + 9 * 256 * 256
    norms = 7 * 2 * 256
    assert branches + after + norms == 16_125_440
    for count, (own, other) in zip((13, 1, 3), heads, strict=True):
        assert total(own) == total(other) == 16_125_440 + 257 * count
    assert total(ours) + sum(total(own) for own, _ in heads) == 71_888_721


def test_the_work_is_that_of_torchvisions_modules() -> None:
    """Dilation changes nothing of the work, and enlarging maps and their means over places count for none."""
    with torch.device("meta"):
        backbone = torchvision.models.resnet50(replace_stride_with_dilation=DILATED)
        backbone.avgpool = backbone.fc = nn.Identity()
        heads = [DeepLabHead(2048, count) for count in (13, 1, 3)]
    ours = count_work(parse_method("branches"), dense_setup("deeplab", (3, 288, 384)))
    encoder = macs_of(backbone, 1, 3, 288, 384)
    each = [macs_of(head, 1, 2048, 36, 48) for head in heads]
    assert ours.per_input == encoder + sum(each)
    assert ours.per_task == encoder + each[0]


def test_the_work_of_a_narrow_one_is_that_counted_by_hand() -> None:
    half, quarter, eighth = 48 * 64, 24 * 32, 12 * 16
    encoder = half * 16 * 3 * 49 + quarter * 4 * 16 * 16 * 9
    for places, narrow, wide in ((eighth, 16, 32), (eighth, 32, 64), (eighth, 64, 128)):
        encoder += places * (narrow * wide * 9 + 3 * wide * wide * 9 + narrow * wide)  # and the projection
    head = eighth * (128 * 32 + 3 * 9 * 128 * 32) + 128 * 32 + eighth * (5 * 32 * 32 + 9 * 32 * 32)
    ours = count_work(parse_method("branches"), dense_setup(NARROW, (3, 96, 128)))
    assert ours.per_input == encoder + 3 * head + eighth * 32 * (13 + 1 + 3)


def uneven(module: nn.Module) -> None:
    """Give every tensor of a module values that no two channels share."""
    generator = torch.Generator().manual_seed(0)
    for value in (*module.parameters(), *module.buffers()):
        if value.is_floating_point():
            value.data.uniform_(0.5, 1.5, generator=generator) if value.dim() == 1 else value.data.normal_(
                std=(2 / value[0].numel()) ** 0.5, generator=generator
            )


@pytest.mark.parametrize("depth", [18, 50])
def test_torchvisions_weights_give_the_features_of_its_dilated_network(depth: int, tmp_path: Path) -> None:
    with torch.device("meta"):
        if depth == 50:
            theirs = torchvision.models.resnet50(replace_stride_with_dilation=DILATED)
        else:  # whose blocks torchvision does not dilate
            theirs = torchvision.models.resnet18()
            for layer, first, others in ((theirs.layer3, 1, 2), (theirs.layer4, 2, 4)):
                layer[0].downsample[0].stride = layer[0].conv1.stride = (1, 1)
                layer[0].conv1.dilation = layer[0].conv1.padding = (first, first)
                for conv in (layer[0].conv2, layer[1].conv1, layer[1].conv2):
                    conv.dilation = conv.padding = (others, others)
        theirs.avgpool = theirs.fc = nn.Identity()
    theirs = theirs.to_empty(device="cpu").eval()
    uneven(theirs)
    path = tmp_path / "weights.safetensors"
    safetensors.torch.save_file(theirs.state_dict(), path)
    ours = build(f"deeplab:depth={depth}:weights={path}").eval()
    images = torch.randn(1, 3, 64, 48)
    with torch.no_grad():
        found, expected = ours(images), theirs(images).view(1, ours.features, 8, 6)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4 * float(expected.abs().max()))


def test_a_head_is_torchvisions_with_its_outputs_enlarged_with_aligned_corners() -> None:
    backbone = build("deeplab:depth=18:width=.02:rates=2/3/4")
    ours, theirs = backbone.head(5).eval(), DeepLabHead(backbone.features, 5, (2, 3, 4)).eval()
    uneven(theirs)
    pairs = zip(ours.state_dict().values(), theirs.state_dict().values(), strict=True)
    for own, other in pairs:  # both in the order of the layers
        own.copy_(other)
    z = torch.randn(2, backbone.features, 8, 6)
    with torch.no_grad():
        found, small = ours(z), theirs(z)
    assert found.shape == (2, 5, 64, 48)
    assert torch.allclose(found[:, :, ::63, ::47], small[:, :, ::7, ::5], rtol=1e-4, atol=1e-4)  # the corners
    expected = nn.functional.interpolate(small, (64, 48), mode="bilinear", align_corners=True)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_in_training_half_of_what_a_head_fuses_is_dropped() -> None:
    (dropout,) = [module for module in build(NARROW).head(3).modules() if isinstance(module, nn.Dropout)]
    assert dropout.p == 0.5


@pytest.mark.parametrize("size", [(1, 1), (7, 20), (33, 16)])
def test_images_of_any_size_and_number_will_do(size: tuple[int, int]) -> None:
    backbone = build("deeplab:depth=18:width=.05:channels=4:rates=1/2", shape=(1, *size)).train()
    head = backbone.head(3)
    for count in (1, 2):
        assert head(backbone(torch.rand(count, 1, *size))).shape == (count, 3, *size)


def test_the_encoder_ends_at_an_eighth_of_the_side_whatever_its_depth() -> None:
    with torch.device("meta"):
        for depth, widths in (("18", (64, 64, 128, 256, 512)), ("50", (64, 256, 512, 1024, 2048))):
            shapes = build(f"deeplab:depth={depth}", shape=(3, 288, 384)).shapes
            assert [shape.pre[1:] for shape in shapes] == [(144, 192), (72, 96), (36, 48), (36, 48), (36, 48)]
            assert [shape.post[0] for shape in shapes] == list(widths)


def test_the_largest_map_is_that_of_the_heads_where_these_are_wide() -> None:
    sizes: list[int] = []
    backbone = build("deeplab:depth=18:width=.05:channels=40:rates=1/2", shape=(3, 32, 32))
    head = backbone.head(1)
    for module in backbone.modules():
        module.register_forward_hook(lambda _, __, output: sizes.append(output.numel()))
    for module in head.modules():  # what is fused is given to a module and is no output of one
        module.register_forward_hook(lambda _, given, output: sizes.extend((given[0].numel(), output.numel())))
    with torch.no_grad():
        head(backbone(torch.zeros(1, 3, 32, 32)))
    assert backbone.largest_map == max(sizes) == 4 * 40 * 4 * 4


def test_rates_are_whole_numbers() -> None:
    with pytest.raises(UsageError, match=r"'rates' of backbone 'deeplab' is 4/2\.5\. Allowed: whole numbers"):
        build("deeplab:rates=4/2.5")


def state_of(depth: int) -> dict[str, Tensor]:
    with torch.device("meta"):
        theirs = torchvision.models.resnet18() if depth == 18 else torchvision.models.resnet50()
    return {name: torch.zeros(value.shape, dtype=value.dtype) for name, value in theirs.state_dict().items()}


def test_weights_that_do_not_fit_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    whole = state_of(18)
    torch.save(whole, path)
    for text, shape, says in (
        (f"deeplab:weights={tmp_path / 'none'}", (3, 32, 32), "there is no such file"),
        (f"deeplab:depth=18:width=.5:weights={path}", (3, 32, 32), "is for width=1, and width is 0.5"),
        (f"deeplab:depth=18:weights={path}", (1, 32, 32), "images of 3 channels, and this dataset's have 1"),
        (f"deeplab:weights={path}", (3, 32, 32), "does not fit: layer1.0.bn3.bias is missing, and"),
    ):
        with pytest.raises(UsageError, match=says), torch.device("meta"):
            build(text, shape=shape)
    for change, says in (
        ({"layer4.1.conv2.weight": torch.zeros(512, 512, 1, 1)}, r"shape \(512, 512, 1, 1\), not \(512, 512, 3, 3\)"),
        ({"layer4.2.conv1.weight": torch.zeros(1)}, r"layer4\.2\.conv1\.weight is not of a ResNet-18"),
    ):
        torch.save(whole | change, path)
        with (
            pytest.raises(UsageError, match=says + r"\. Allowed: the state dict of torchvision's resnet18, as a \.pth"),
            torch.device("meta"),
        ):
            build(f"deeplab:depth=18:weights={path}")


def test_a_file_of_weights_is_known_by_its_content(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("one.pth", "same.pth", "other.pth")]
    for path, content in zip(paths, (b"a", b"a", b"b"), strict=True):
        path.write_bytes(content)
    choices = [parse_backbone(f"deeplab:weights={path}").choice for path in paths]
    assert [one == other for one, other in pairwise(choices)] == [True, False]
    assert str(tmp_path) not in str(choices[0])
