from pathlib import Path
from typing import cast

import pytest
import torch
from torch import Tensor
from torchjd import aggregation, scalarization

from mtbench.contract import Batch, Scalarization
from mtbench.plan.grid import Request, plan
from mtbench.train.assemble import Assembly, assemble
from mtbench_methods.balancers.equalization.imtl import LogScales
from tests.methods.balancers.rows import A, badly_scaled, drawn, shared
from tests.methods.test_balancers import assert_close, gradients, of_task, weighted
from tests.train.runs import run, spec_of


def world(method: str, dataset: str = "toy-all") -> tuple[Assembly, Batch]:
    request = Request(methods=[method], datasets=[dataset], settings={}, seeds=[0])
    made = assemble(plan(request)[0], root=Path(), device=torch.device("cpu"))
    return made, made.splits["train"].batch(torch.arange(16))


def scales(made: Assembly) -> LogScales:
    found = getattr(made.balancer, "rule", made.balancer).log_scales
    assert isinstance(found, LogScales)
    return found


def give(made: Assembly, values: Tensor) -> None:
    with torch.no_grad():
        for scale, value in zip(scales(made), values, strict=True):
            scale.copy_(value)


def test_the_update_of_two_known_gradients_projects_alike_on_both() -> None:
    update = shared("imtl-g", A)
    weights = torch.linalg.solve(A.T, update)
    assert torch.allclose(weights, torch.tensor([0.527864, 0.472136]), atol=1e-5)
    assert torch.allclose(A @ update / A.norm(dim=1), torch.tensor([0.291796, 0.291796]), atol=1e-5)


@pytest.mark.parametrize("rows", [drawn(5), badly_scaled(9)])
def test_the_projections_on_all_gradients_are_equal_and_the_weights_sum_to_one(rows: Tensor) -> None:
    rows = rows.double()
    update = shared("imtl-g", rows)
    projections = rows @ update / rows.norm(dim=1)
    assert torch.allclose(projections, projections[:1], rtol=1e-4)
    weights = torch.linalg.lstsq(rows.T, update[:, None]).solution
    assert float(weights.sum()) == pytest.approx(1, rel=1e-4)


def test_it_is_torchjds() -> None:
    rows = drawn(6).double()
    assert torch.allclose(shared("imtl-g", rows), aggregation.IMTLG()(rows))


def test_the_scaled_losses_are_torchjds() -> None:
    made, batch = world("branches+imtl-l")
    theirs = scalarization.IMTLL(2)
    give(made, torch.tensor([0.3, -0.7]))
    with torch.no_grad():
        theirs.log_scale.copy_(torch.tensor([0.3, -0.7]))
    losses = made.network.losses(batch)
    ours = cast(Scalarization, made.balancer).scalar(losses)
    assert torch.allclose(ours, theirs(losses.means))


def test_a_scale_is_learned_only_from_the_batches_that_its_task_is_in() -> None:
    for name in ("imtl-l", "imtl", "imtl-ub"):
        made, _ = world(f"branches+{name}", "toy-partial")
        split = made.splits["train"]
        rows = (~split.defined[:, 2] & split.defined[:, 0]).nonzero().squeeze(1)[:12]
        losses, _ = gradients(made.network, made.balancer, split.batch(rows))
        found = [scale.grad for scale in scales(made)]
        assert found[2] is None  # with a gradient of 0 momentum would move it
        for gradient, mean in zip(found[:2], losses.means[:2], strict=True):
            assert gradient is not None
            assert torch.allclose(gradient, mean - 1)  # of exp(s) L - s at s = 0


@pytest.mark.parametrize("name", ["imtl", "imtl-ub"])
def test_the_hybrid_scales_losses_first_and_branches_get_the_gradient_of_the_scaled_loss(name: str) -> None:
    made, batch = world(f"branches+{name}")
    given = torch.tensor([0.5, -1.0])
    give(made, given)
    found = gradients(made.network, made.balancer, batch)[1]
    expected = weighted(made.network, batch, given.exp().tolist())
    assert_close(*({key: v for key, v in side.items() if "branches" in key} for side in (found, expected)))
    assert all(scale.grad is not None for scale in scales(made))


def test_the_hybrid_combines_the_scaled_gradients_as_imtl_g_does() -> None:
    made, batch = world("branches+imtl")
    given = torch.tensor([0.5, -1.0])
    give(made, given)
    names = [name for name, _ in made.network.named_parameters() if name.startswith("backbone")]
    rows = torch.stack(
        [torch.cat([v.flatten() for v in of_task(made.network, batch, task, names).values()]) for task in (0, 1)]
    )
    found = gradients(made.network, made.balancer, batch)[1]
    expected = aggregation.IMTLG()(given.exp()[:, None] * rows)
    assert torch.allclose(torch.cat([found[name].flatten() for name in names]), expected, atol=1e-6)


@pytest.mark.parametrize("method", ["imtl-l", "imtl", "imtl-ub"])
def test_scales_move_at_a_rate_of_their_own(method: str) -> None:
    assert world(f"branches+{method}")[0].balancer.learning_rate == 0.025
    assert world(f"branches+{method}:lr=.1")[0].balancer.learning_rate == 0.1


def test_under_adam_uncertainty_and_imtl_l_are_one_method() -> None:
    """Their losses differ by a factor of 2 once s is -s; Adam divides that away, but for its epsilon of 1e-8, which a
    few weights with hardly any gradient feel."""
    ours, theirs, uniform = (
        torch.cat([value.flatten() for value in run(spec_of(f"branches+{name}", lr="1e-3")).model.values()])
        for name in ("imtl-l", "uncertainty", "uniform")
    )
    assert (ours - theirs).square().mean().sqrt() < 1e-5
    assert (ours - uniform).square().mean().sqrt() > 1e-4
