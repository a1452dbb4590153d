import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mtbench.contract import BatchNorm, normalize
from mtbench.contract.networks.normalization import batch_statistics, convert_batch_norm, has_batch_norm

LAST, FIRST = torch.channels_last, torch.contiguous_format


def maps_of(*shape: int, mean: float = 0.0) -> Tensor:
    """Maps half of a constant, as where a picture has a background: one that torch sums up badly."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(shape, generator=generator)
    return torch.where(torch.rand(shape, generator=generator) < 0.5, -0.4242, noise) + mean


def results(norm: nn.Module, maps: Tensor, dtype: torch.dtype, memory_format: torch.memory_format) -> dict[str, Tensor]:
    """Return the output, the gradients, and the buffers after one batch, all in float64."""
    norm = copy.deepcopy(norm).to(dtype)
    generator = torch.Generator().manual_seed(1)
    upstream = (0.3 + torch.randn(maps.shape, generator=generator)).to(dtype).contiguous(memory_format=memory_format)
    inputs = maps.to(dtype).clone(memory_format=memory_format).requires_grad_()
    y = norm(inputs)
    weights = dict(norm.named_parameters())
    gradients = torch.autograd.grad(y, [inputs, *weights.values()], upstream)
    found = {
        "output": y.detach(),
        **dict(zip(["inputs", *weights], gradients, strict=True)),
        **dict(norm.named_buffers()),
    }
    return {name: value.double() for name, value in found.items()}


def two(channels: int, **options: Any) -> tuple[BatchNorm, nn.BatchNorm2d]:
    """Ours and torch's with the same parameters, no two alike."""
    ours, theirs = BatchNorm(channels, **options), nn.BatchNorm2d(channels, **options)
    if theirs.affine:
        nn.init.uniform_(theirs.weight, 0.5, 1.5)
        nn.init.normal_(theirs.bias)
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def errors(ours: nn.Module, theirs: nn.Module, maps: Tensor, memory_format: torch.memory_format) -> dict[str, float]:
    """Return relative errors in norm of ours in float32, against torch's in float64 on maps in NCHW."""
    found, expected = results(ours, maps, torch.float32, memory_format), results(theirs, maps, torch.float64, FIRST)
    assert found.keys() == expected.keys()
    return {name: float((found[name] - value).norm() / value.norm()) for name, value in expected.items()}


@pytest.mark.parametrize("mean", [0.0, 100.0])
@pytest.mark.parametrize("memory_format", [LAST, FIRST])
@pytest.mark.parametrize("shape", [(256, 6, 28, 28), (32, 40, 7, 5), (2, 1, 33, 1), (300, 5, 1, 1), (2, 3, 1, 1)])
def test_output_gradients_and_statistics_are_those_of_float64(
    shape: tuple[int, ...], memory_format: torch.memory_format, mean: float
) -> None:
    found = errors(*two(shape[1]), maps_of(*shape, mean=mean), memory_format)
    assert found.keys() == {
        "output",
        "inputs",
        "weight",
        "bias",
        "running_mean",
        "running_var",
        "num_batches_tracked",
    }
    # Of two values per channel nothing is left of the gradient but (eps / variance) and rounding.
    small = shape[0] * shape[2] * shape[3] == 2
    assert max(value for name, value in found.items() if not (small and name == "inputs")) < 1e-5


@pytest.mark.parametrize(
    "options",
    [
        {"affine": False},
        {"momentum": None},
        {"momentum": 0.4, "eps": 0.1},
        {"track_running_stats": False},
    ],
)
def test_every_option_is_kept_over_batches_and_in_evaluation(options: dict[str, Any]) -> None:
    ours, theirs = two(3, **options)
    theirs.double()
    for number in range(3):
        maps = maps_of(8, 3, 6, 6, mean=number).to(memory_format=LAST)
        torch.testing.assert_close(ours(maps).double(), theirs(maps.double()), rtol=1e-5, atol=1e-6)
    for name, value in theirs.named_buffers():
        torch.testing.assert_close(ours.get_buffer(name).to(value.dtype), value, rtol=1e-5, atol=1e-6)
    maps = maps_of(4, 3, 6, 6, mean=2).to(memory_format=LAST)
    torch.testing.assert_close(ours.eval()(maps).double(), theirs.eval()(maps.double()), rtol=1e-5, atol=1e-6)


def test_gradients_in_float64_are_those_of_finite_differences() -> None:
    norm = BatchNorm(2).double()
    maps = maps_of(3, 2, 2, 3).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda x, *_: norm(x), (maps, norm.weight, norm.bias))


def test_a_gradient_is_differentiated_again_where_that_is_asked_for_and_nothing_else_changes() -> None:
    norm, _ = two(3)
    again = copy.deepcopy(norm)
    again.twice_differentiable = True
    maps = maps_of(2, 3, 3, 2)
    once, twice = (results(each, maps, torch.float32, LAST) for each in (norm, again))
    for name, value in once.items():
        torch.testing.assert_close(twice[name], value, rtol=1e-5, atol=1e-6)
    maps = maps.double().requires_grad_()
    assert torch.autograd.gradgradcheck(again.double(), maps)
    (slope,) = torch.autograd.grad(norm.double()(maps).square().sum(), maps, create_graph=True)
    with pytest.raises(RuntimeError, match="differentiate twice"):
        slope.sum().backward()  # type: ignore[no-untyped-call]


def test_a_graph_that_is_kept_gives_the_same_gradient_again() -> None:
    norm, maps = BatchNorm(3), maps_of(4, 3, 5, 5).to(memory_format=LAST).requires_grad_()
    total = norm(maps).square().sum()
    inputs = [maps, norm.weight, norm.bias]
    first, second = (torch.autograd.grad(total, inputs, retain_graph=True) for _ in range(2))
    assert all(torch.equal(one, other) for one, other in zip(first, second, strict=True))


def test_maps_stay_channels_last() -> None:
    norm, maps = BatchNorm(3), maps_of(4, 3, 5, 5).to(memory_format=LAST).requires_grad_()
    y = norm(maps)
    assert y.is_contiguous(memory_format=LAST)
    (gradient,) = torch.autograd.grad(y.sum(), maps)
    assert gradient.is_contiguous(memory_format=LAST)


def test_an_empty_batch_leaves_the_running_statistics_alone() -> None:
    norm = BatchNorm(3)
    assert norm(torch.zeros(0, 3, 4, 4)).shape == (0, 3, 4, 4)
    assert norm.running_mean is not None
    assert norm.running_mean.tolist() == [0, 0, 0]


def test_a_channel_with_one_value_is_normalized_by_the_running_statistics_which_stay() -> None:
    norm = BatchNorm(2)
    norm.running_mean, norm.running_var = torch.tensor([1.0, 2.0]), torch.tensor([4.0, 9.0])
    one = torch.tensor([3.0, 5.0]).view(1, 2, 1, 1)
    assert torch.allclose(norm(one).flatten(), torch.tensor([1.0, 1.0]), atol=1e-4)
    assert norm.running_mean.tolist() == [1.0, 2.0]


def test_torch_itself_refuses_one_value_and_the_function_does_not() -> None:
    norm, one = nn.BatchNorm1d(2), torch.rand(1, 2)
    with pytest.raises(ValueError, match="Expected more than 1 value per channel"):
        norm(one)
    assert normalize(norm, one).shape == (1, 2)


def test_torchs_own_in_a_network_is_converted_in_place_wherever_it_is_referred_to() -> None:
    norm, inner, flat = nn.BatchNorm2d(2), nn.BatchNorm2d(2), nn.BatchNorm1d(2)
    network = nn.Sequential(nn.Conv2d(1, 2, 3), norm, nn.Sequential(inner), flat)
    names = list(network.state_dict())
    convert_batch_norm(network)
    assert [type(module) for module in (norm, inner, flat)] == [BatchNorm, BatchNorm, nn.BatchNorm1d]
    assert list(network.state_dict()) == names
    assert max(errors(norm, nn.BatchNorm2d(2), maps_of(256, 2, 28, 28), LAST).values()) < 1e-5


def test_within_a_block_of_batch_statistics_evaluation_is_that_of_the_batch_and_nothing_moves() -> None:
    norm, theirs = two(3, momentum=0.3)
    flat = nn.BatchNorm1d(4)
    for module in (norm, theirs, flat):
        assert module.running_mean is not None
        nn.init.constant_(module.running_mean, 5.0)
        module.eval()
    network = nn.ModuleList([norm, flat])
    before = copy.deepcopy(dict(network.named_buffers()))
    maps, rows = maps_of(4, 3, 5, 5), maps_of(6, 4)
    with torch.no_grad(), batch_statistics(network):
        found, plain = norm(maps), flat(rows)
    assert torch.allclose(found, theirs.train()(maps), atol=1e-6)
    assert torch.allclose(plain, (rows - rows.mean(0)) / (rows.var(0, unbiased=False) + flat.eps).sqrt(), atol=1e-6)
    after = dict(network.named_buffers())
    assert after.keys() == before.keys()
    assert all(torch.equal(value, before[name]) for name, value in after.items())
    assert not torch.allclose(norm(maps), found, atol=0.1)  # running statistics are back


def test_running_statistics_are_back_after_an_error_too() -> None:
    norm = BatchNorm(3)
    with pytest.raises(RuntimeError), batch_statistics(norm):
        raise RuntimeError
    assert norm.running_mean is not None
    assert norm.running_var is not None


def test_networks_are_told_apart_by_whether_they_have_a_batch_normalization() -> None:
    assert has_batch_norm(nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)))
    assert not has_batch_norm(nn.Sequential(nn.Linear(2, 2), nn.GroupNorm(1, 2)))
