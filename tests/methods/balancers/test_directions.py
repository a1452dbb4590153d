"""Results of the balancers, against TorchJD's own aggregators, numbers known by hand, and each other."""

import warnings

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torchjd import aggregation
from torchjd.aggregation import Aggregator
from torchjd.linalg import QuadprogProjector

from tests.methods.balancers.rows import A, balancer, combined, drawn, shared

THEIRS: dict[str, Aggregator] = {
    "pcgrad": aggregation.PCGrad(),
    "graddrop": aggregation.GradDrop(),
    "cagrad": aggregation.CAGrad(c=0.4),
    "cagrad:c=.5": aggregation.CAGrad(c=0.5),
    "imtl-g": aggregation.IMTLG(),
    "aligned-mtl": aggregation.AlignedMTL(),
    "aligned-mtl:scale_mode=median": aggregation.AlignedMTL(scale_mode="median"),
    "aligned-mtl:scale_mode=rmse": aggregation.AlignedMTL(scale_mode="rmse"),
    "aligned-mtl-ub": aggregation.AlignedMTL(),
    "upgrad": aggregation.UPGrad(projector=QuadprogProjector(reg_eps=1e-10)),
    "dualproj": aggregation.DualProj(projector=QuadprogProjector(reg_eps=1e-10)),
    "config": aggregation.ConFIG(),
    "fairgrad:alpha=1": aggregation.FairGrad(alpha=1.0),
    "fairgrad": aggregation.FairGrad(alpha=2.0),
}


def direction(update: Tensor) -> Tensor:
    return torch.nn.functional.normalize(update, dim=0)


@pytest.mark.parametrize("name", THEIRS)
@pytest.mark.parametrize("tasks", [2, 3, 5])
def test_it_is_torchjds_aggregator(name: str, tasks: int) -> None:
    """TorchJD works in the gradients' precision, hence in double; ours are given as a network's are."""
    theirs = THEIRS[name].double() if name != "graddrop" else THEIRS[name]
    for seed in range(4):
        rows = drawn(tasks, seed=seed)
        torch.manual_seed(seed)
        expected = theirs(rows if name == "graddrop" else rows.double()).float()
        torch.manual_seed(seed)
        # Its solver of FairGrad stops at a residual of about 1e-4.
        assert torch.allclose(shared(name, rows), expected, rtol=1e-3, atol=1e-4 * float(expected.norm())), seed


@pytest.mark.parametrize("tasks", [2, 3, 5])
def test_nash_is_torchjds_but_for_the_division_by_the_norm(tasks: int) -> None:
    """TorchJD's update is sqrt(P) long. It solves a sequence of convex programmes, of which it takes 20 by default."""
    pytest.importorskip("ecos", reason="TorchJD's own Nash-MTL needs ecos, which this package does without")
    theirs = aggregation.NashMTL(n_tasks=tasks, max_norm=0, optim_niter=100)
    for seed in range(2):
        rows = drawn(tasks, seed=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # cvxpy's, that the programme could be compiled faster
            expected = (rows @ rows.T).norm().sqrt() * theirs(rows)
        assert torch.allclose(shared("nash-mtl", rows), expected, rtol=1e-2, atol=1e-3 * float(expected.norm()))


def test_the_point_of_least_norm_between_two_known_gradients() -> None:
    result = combined(balancer("mgda"), A)
    assert result.own is not None
    assert torch.allclose(result.own, torch.tensor([0.538462, 0.461538]), atol=1e-6)
    assert torch.allclose(result.shared, torch.tensor([0.307692, 0.461538]), atol=1e-6)
    assert float(result.shared.square().sum()) == pytest.approx(0.307692, abs=1e-6)


@pytest.mark.parametrize("tasks", [2, 3, 5])
def test_mgda_is_as_short_as_what_torchjd_comes_to_in_many_steps(tasks: int) -> None:
    for seed in range(3):
        rows = drawn(tasks, seed=seed).double()
        theirs = aggregation.MGDA(epsilon=1e-12, max_iters=2000)(rows)
        ours = shared("mgda", rows)
        assert ours.norm() <= theirs.norm() * (1 + 1e-9)
        assert torch.allclose(ours, theirs, atol=1e-2 * float(theirs.norm()))


@settings(max_examples=50)
@given(seed=st.integers(0, 10_000), exponent=st.floats(-1, 1), shift=st.floats(-3, 3))
def test_for_two_tasks_pcgrad_is_twice_upgrad(seed: int, exponent: float, shift: float) -> None:
    rows = torch.randn(2, 20, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    rows[1] = 10**exponent * (rows[1] + shift * rows[0])  # conflicting or not, and of unequal lengths
    twice = 2 * shared("upgrad", rows)
    assert torch.allclose(shared("pcgrad", rows), twice, rtol=0, atol=1e-5 * float(rows.norm()))


@pytest.mark.parametrize("tasks", [2, 3, 9])
def test_imtl_g_lies_on_the_line_that_has_one_angle_to_all_gradients_as_config_does(tasks: int) -> None:
    for seed in range(3):
        rows = drawn(tasks, seed=seed)
        assert float(direction(shared("imtl-g", rows)) @ direction(shared("config", rows))) == pytest.approx(1)


def test_imtl_g_points_away_from_all_losses_where_its_weights_must_sum_to_one() -> None:
    """The line is config's, but with sum a = 1 the paper leaves no choice of the end."""
    cosines = torch.tensor([[1.0, 0.8, 0.8], [0.8, 1.0, 0.35], [0.8, 0.35, 1.0]], dtype=torch.float64)
    rows = torch.tensor([[0.1], [1.0], [1.0]]) * torch.linalg.cholesky(cosines)
    for update in (shared("imtl-g", rows), aggregation.IMTLG()(rows)):
        assert (rows @ update < 0).all()
    assert torch.allclose(direction(shared("imtl-g", rows)), -direction(shared("config", rows)), atol=1e-6)


@pytest.mark.parametrize("tasks", [2, 3, 9])
def test_fairgrad_with_alpha_one_has_the_direction_of_nash(tasks: int) -> None:
    for seed in range(3):
        rows = drawn(tasks, seed=seed)
        fair, nash = direction(shared("fairgrad:alpha=1", rows)), direction(shared("nash-mtl", rows))
        assert torch.allclose(fair, nash, atol=1e-3)


@pytest.mark.parametrize("name", ["mgda", "mgda:normalize=l2", "mgda:normalize=loss+", "mgda-ub", "db-mtl"])
def test_no_gradient_one_task_and_numbers_that_are_not_finite_raise_nothing(name: str) -> None:
    """`test_gramian` tests the same for the others."""
    some, none, broken = drawn(3), torch.zeros(3, 50), drawn(3)
    some[1], broken[1, 7] = 0, torch.nan
    for rows, indices in [(some, [0, 1, 2]), (none, [0, 1, 2]), (some[:1], [2]), (none[:1], [0])]:
        result = combined(balancer(name, 3), rows, indices)
        assert torch.isfinite(result.shared).all()
        assert result.own is None or torch.isfinite(result.own).all()
    assert torch.allclose(combined(balancer(name, 3), some[:1], [1]).shared, some[0], rtol=0.95)  # smoothed, at most
    assert not torch.isfinite(combined(balancer(name, 3), broken).shared).all()


@pytest.mark.parametrize("name", ["mgda", "mgda:normalize=loss", "mgda-ub"])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_mgda_among_equal_gradients_is_as_long_as_one_as_its_gain_says(name: str, count: int) -> None:
    rows = drawn(1).expand(count, 50)
    assert balancer(name, count).gain(count) == 1
    assert torch.allclose(shared(name, rows), rows[0], rtol=1e-5)


def test_db_mtl_has_no_gain() -> None:
    assert balancer("db-mtl").gain(2) is None
