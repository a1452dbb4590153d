import pytest
import torch
from torchjd import aggregation

from tests.methods.balancers.rows import A, drawn, shared

MODES = ["min", "median", "rmse"]


@pytest.mark.parametrize("mode", MODES)
def test_the_update_is_the_mean_row_of_the_gradients_with_equal_singular_values(mode: str) -> None:
    rows = drawn(5).double()
    left, values, right = torch.linalg.svd(rows, full_matrices=False)
    size = {"min": values[-1], "median": values.median(), "rmse": values.square().mean().sqrt()}[mode]
    assert torch.allclose(shared(f"aligned-mtl:scale_mode={mode}", rows), (size * left @ right).mean(0))


@pytest.mark.parametrize("mode", MODES)
def test_it_is_torchjds(mode: str) -> None:
    rows = drawn(4).double()
    expected = aggregation.AlignedMTL(scale_mode=mode)(rows)  # type: ignore[arg-type]
    assert torch.allclose(shared(f"aligned-mtl:scale_mode={mode}", rows), expected)


def test_orthogonal_gradients_of_unequal_lengths_count_alike() -> None:
    rows = torch.tensor([[1.0, 0.0], [0.0, 10.0]])
    assert torch.allclose(shared("aligned-mtl", rows), torch.tensor([0.5, 0.5]))
    assert shared("aligned-mtl", A).tolist() != A.mean(0).tolist()
