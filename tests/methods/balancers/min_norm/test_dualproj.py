import torch

from tests.methods.balancers.rows import drawn, shared


def test_the_update_is_nearest_to_the_mean_gradient_of_all_that_harm_no_task() -> None:
    rows = drawn(3, size=3, seed=4).double()
    update, mean = shared("dualproj", rows), rows.mean(0)
    generator = torch.Generator().manual_seed(0)
    others = update + 0.3 * torch.randn(20_000, 3, generator=generator, dtype=torch.float64)
    harmless = others[(others @ rows.T >= 0).all(1)]
    assert len(harmless) > 100
    assert ((harmless - mean).norm(dim=1) >= (update - mean).norm() - 1e-6).all()
