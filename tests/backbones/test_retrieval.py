"""The retrieval network: its size, its shapes, and its parts against functions of torch."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from mtbench.backbones.retrieval import Block, Centered
from tests.builders.networks import backbone_of


def weights(module: nn.Module) -> int:
    return sum(value.numel() for name, value in module.named_parameters() if not name.endswith("bias"))


def test_the_weights_and_the_maps_are_those_of_table_2() -> None:
    with torch.device("meta"):
        backbone = backbone_of("retrieval", (3, 150, 150))
    assert weights(backbone) == 2_952_032
    per_stage = [864, 92_160, 368_640, 442_368, 442_368]
    assert [weights(stage) for stage in backbone.levels()] == per_stage
    assert weights(backbone.neck) == 1_605_632
    maps = [(32, 148, 148), (64, 73, 73), (128, 35, 35), (128, 16, 16), (128, 7, 7)]
    assert [shape.post for shape in backbone.shapes] == maps
    assert backbone.features == 256


def test_a_quarter_of_the_width_keeps_the_embedding_and_takes_images_of_any_size() -> None:
    for side in (3, 5, 28, 64):
        backbone = backbone_of("retrieval:width=.25", (1, side, side))
        assert [shape.post[0] for shape in backbone.shapes] == [8, 16, 32, 32, 32]
        for count in (1, 3):
            z = backbone(torch.rand(count, 1, side, side))
            assert z.shape == (count, backbone.features) == (count, 256)
            assert z.min() >= 0
    assert [shape.post[1] for shape in backbone.shapes] == [62, 30, 14, 6, 2]


def test_one_head_of_the_embeddings_size_is_z_itself_and_one_of_several_is_linear() -> None:
    backbone = backbone_of("retrieval:width=.125:embedding=8", (1, 16, 16))
    z = torch.rand(2, 8)
    assert torch.equal(backbone.head(8)(z), z)
    for head in (backbone.head(5), backbone.branch(5)):
        assert head(z).shape == (2, 5)
        assert not head(torch.zeros(1, 8)).any()  # no bias
    assert weights(backbone.branch(8)) == 64


def test_a_block_adds_two_convolutions_to_its_pooled_map() -> None:
    """In evaluation mode, with running statistics 0 and 1, batch normalization divides by sqrt(1.001) and shifts."""
    block = Block(2, 3, 0.1, padding=0, is_pooled=True).eval()
    biases = [value for name, value in block.named_parameters() if name.endswith("bias")]
    kernels = [value for name, value in block.named_parameters() if name.endswith("weight")]
    with torch.no_grad():
        for bias in biases:
            bias.normal_()

    def layer(x: Tensor, index: int, padding: int) -> Tensor:
        y = functional.conv2d(x, kernels[index], padding=padding) / 1.001**0.5
        return torch.relu(y + biases[index][:, None, None])

    x = torch.rand(2, 2, 9, 9)
    pooled = functional.max_pool2d(layer(x, 0, 0), 2)
    expected = pooled + layer(layer(pooled, 1, 1), 2, 1)
    torch.testing.assert_close(block(x), expected)


def test_batch_normalization_has_a_shift_and_no_scale_and_follows_by_one_minus_the_decay() -> None:
    backbone = backbone_of("retrieval:width=.125:decay=.9", (1, 16, 16))
    norms = [module for module in backbone.modules() if isinstance(module, Centered)]
    assert len(norms) == 1 + 4 * 3 + 1
    for norm in norms:
        assert [name for name, _ in norm.named_parameters()] == ["bias"]
        assert norm.eps == 0.001
        assert norm.momentum == pytest.approx(0.1)
    x = torch.randn(50, len(norms[0].bias), 4, 4) * 3 + 2
    y = norms[0].train()(x)
    torch.testing.assert_close(y, functional.batch_norm(x, None, None, training=True, eps=0.001))
    torch.testing.assert_close(norms[0].running_mean, 0.1 * x.mean((0, 2, 3)))


def test_initial_weights_are_normal_of_a_tenth_cut_at_two_standard_deviations() -> None:
    """The standard deviation of a normal distribution cut at two of its own is .8796 of it."""
    backbone = backbone_of("retrieval", (3, 32, 32))
    drawn = [module.weight.detach() for module in backbone.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    assert len(drawn) == 1 + 4 * 3 + 1  # the first convolution, four blocks, and the layer above them
    assert all(weight.abs().max() < 0.2 + 1e-6 for weight in drawn)
    spreads = [float(weight.std()) for weight in drawn if weight.numel() > 50_000]
    assert spreads == pytest.approx([0.08796] * 9, rel=0.02)  # of the last three blocks


def test_methods_modulate_each_map_and_z() -> None:
    backbone = backbone_of("retrieval:width=.125:embedding=8", (1, 28, 28))
    head = backbone.head(8)
    places = backbone.places(head)
    assert list(places) == ["conv1", "block2", "block3", "block4", "block5", "fc"]
    assert [shape[0] for shape in places.values()] == [4, 8, 16, 16, 16, 8]
    x = torch.rand(2, 1, 28, 28)
    backbone.eval()
    assert torch.equal(backbone.answer(x, head, lambda _, values: values), backbone(x))
    halved = backbone.answer(x, head, lambda name, values: values / 2 if name == "fc" else values)
    assert torch.equal(halved, backbone(x) / 2)
