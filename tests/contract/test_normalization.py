import pytest
import torch
from torch import nn

from mtbench.contract import BatchNorm, normalize


def test_a_channel_with_one_value_is_normalized_by_the_running_statistics_which_stay() -> None:
    norm = BatchNorm(2)
    norm.running_mean, norm.running_var = torch.tensor([1.0, 2.0]), torch.tensor([4.0, 9.0])
    one = torch.tensor([3.0, 5.0]).view(1, 2, 1, 1)
    assert torch.allclose(norm(one).flatten(), torch.tensor([1.0, 1.0]), atol=1e-4)
    assert norm.running_mean.tolist() == [1.0, 2.0]


def test_more_values_are_normalized_as_torch_does() -> None:
    ours, theirs, maps = BatchNorm(3), nn.BatchNorm2d(3), torch.rand(4, 3, 2, 2)
    assert torch.equal(ours(maps), theirs(maps))
    assert torch.equal(ours.running_mean, theirs.running_mean)  # type: ignore[arg-type]


def test_torch_itself_refuses_one_value_and_the_function_does_not() -> None:
    norm, one = nn.BatchNorm1d(2), torch.rand(1, 2)
    with pytest.raises(ValueError, match="Expected more than 1 value per channel"):
        norm(one)
    assert normalize(norm, one).shape == (1, 2)
