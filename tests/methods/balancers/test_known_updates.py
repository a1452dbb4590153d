"""Updates that are known by hand, at ratios of lengths where constants that compare lengths would decide."""

import pytest
import torch
from torch import Tensor

from tests.methods.balancers.rows import balancer, combined, drawn, shared


def gives(name: str, rows: list[list[float]], update: list[float], rtol: float = 1e-6) -> None:
    found = combined(balancer(name, len(rows)), torch.tensor(rows, dtype=torch.float32))
    assert found.solved
    assert found.shared.tolist() == pytest.approx(update, rel=rtol, abs=1e-7 * max(map(abs, update)))


def units(*cosines: float) -> Tensor:
    """Return two or three unit vectors in a plane, at angles of these cosines to the first one."""
    return torch.tensor([[1.0, 0.0], *([c, (1 - c**2) ** 0.5] for c in cosines)])


# CAGrad: g_0 + c |g_0| toward the worst-off task


def test_cagrad_serves_a_task_with_a_gradient_a_ten_thousandth_as_long() -> None:
    gives("cagrad", [[1, 0], [0, 1e-4]], [0.5, 0.00005 + 0.2])


def test_cagrad_serves_a_task_with_a_gradient_1e_10_as_long() -> None:
    gives("cagrad", [[1, 0], [0, 1e-10]], [0.5, 0.2])


def test_cagrad_is_the_mean_gradient_where_a_task_has_none() -> None:
    """The worst inner product is 0 for every d of the ball."""
    gives("cagrad", [[1, 0], [0, 0]], [0.5, 0])


def test_cagrad_is_what_harms_none_where_opposite_gradients_leave_room_for_it() -> None:
    """The best for both is to be left alone; the nearest d to the mean (0, .5) that does so is the mean."""
    gives("cagrad", [[1, 0], [-1, 0], [0, 1.5]], [0, 0.5])


def test_cagrad_harms_opposite_tasks_alike_where_the_ball_is_too_small_to_leave_them_alone() -> None:
    """|g_0| = 1, so that d is nearer to 0 by .4; the best for the worse-off of the two is the smallest step."""
    gives("cagrad", [[3, 0], [-1, 0]], [0.6, 0])


def test_cagrad_is_the_mean_gradient_where_another_task_has_none_and_it_harms_none_of_three() -> None:
    gives("cagrad:c=.5", [[3, 0], [0, 0], [0, 3]], [1, 1])


def test_cagrad_moves_to_the_edge_of_the_cone_where_a_task_has_none_and_the_mean_harms_one() -> None:
    """The mean is (-1/3, 2/3); |d - g_0| = 1/3 is less than c |g_0| = .9 * .745."""
    gives("cagrad:c=.9", [[1, 0], [0, 0], [-2, 2]], [0, 2 / 3])


# UPGrad and DualProj: no task is harmed


@pytest.mark.parametrize("ratio", [1e-2, 1e-5, 1e-10])
def test_upgrad_at_120_degrees_harms_no_task_however_short_its_gradient(ratio: float) -> None:
    """The long one, projected, is orthogonal to the short one: (.75, .433) / 2."""
    rows = units(-0.5) * torch.tensor([[1.0], [ratio]])
    update = shared("upgrad", rows)
    assert torch.allclose(update, torch.tensor([0.375, 0.75**0.5 / 4]), atol=ratio)
    assert float(torch.cosine_similarity(update, rows[1], dim=0)) > -1e-6


def test_dualproj_harms_no_task_with_a_gradient_1e_8_as_long() -> None:
    """The mean (.5, 0) is projected onto the plane orthogonal to (-.6, .8): (.32, .24)."""
    gives("dualproj", [[1, 0], [-0.6e-8, 0.8e-8]], [0.32, 0.24], rtol=1e-5)


def test_upgrad_of_opposite_gradients_is_0() -> None:
    gives("upgrad", [[1, 0], [-1e-6, 0]], [0, 0])


# MGDA: the point of least norm


def test_mgda_between_gradients_of_lengths_1_and_1e_6() -> None:
    """For orthogonal ones w_t is as 1 / |g_t|^2."""
    gives("mgda", [[1, 0], [0, 1e-6]], [1e-12, 1e-6])


def test_mgda_of_opposite_gradients_is_0_beside_one_that_is_shorter() -> None:
    gives("mgda", [[1, 0, 0], [-3, 0, 0], [0, 0, 1e-10]], [0, 0, 0])


@pytest.mark.parametrize("tasks", [20, 40])
def test_mgda_does_not_fail_among_many_tasks_of_lengths_apart_by_1e_5(tasks: int) -> None:
    """For orthogonal gradients w_t |g_t|^2 is the same for every t."""
    lengths = torch.logspace(0, -5, tasks, dtype=torch.float64)
    found = combined(balancer("mgda", tasks), torch.diag(lengths).float())
    assert found.solved
    expected = lengths**-2 / (lengths**-2).sum()
    assert found.own is not None
    assert torch.allclose(found.own.double(), expected, rtol=1e-5)


# GradVac and PCGrad: a cosine is one however short the gradients


def targets(rows: list[list[float]], name: str = "gradvac") -> Tensor:
    vac = balancer(name, len(rows))
    combined(vac, torch.tensor(rows))
    assert isinstance(vac.targets, Tensor)
    return vac.targets


def test_gradvacs_target_is_half_the_cosine_beside_a_long_gradient() -> None:
    assert float(targets([[1e4, 0, 0], [0, 1, 0], [0, -0.6, 0.8]])[1, 2]) == pytest.approx(-0.3)


def test_gradvacs_targets_are_cosines_of_gradients_shorter_than_1e_8() -> None:
    assert float(targets([[1e-10, 0], [0.6e-9, 0.8e-9]])[0, 1]) == pytest.approx(0.3)


def test_gradvac_turns_a_short_gradient_as_far_as_a_long_one() -> None:
    """From a cosine of 0 to the target .5: h = (1, 0) + (0, .5 / .866)."""
    vac = balancer("gradvac")
    combined(vac, torch.tensor([[1.0, 0.0], [1.0, 0.0]]))
    update = combined(vac, torch.tensor([[1.0, 0.0], [0.0, 1e-9]])).shared
    assert update.tolist() == pytest.approx([1, 0.5 / 0.75**0.5], rel=1e-6)


def test_gradvac_leaves_gradients_that_are_not_the_same_alone_where_they_always_were() -> None:
    """A target of 1 is out of reach: any step toward it would be too short."""
    vac = balancer("gradvac:beta=1")
    combined(vac, torch.tensor([[1.0, 0.0], [1.0, 0.0]]))
    assert combined(vac, torch.tensor([[1.0, 0.0], [0.0, 1.0]])).shared.tolist() == [1, 1]


def test_pcgrad_projects_on_a_gradient_1e_10_as_long() -> None:
    gives("pcgrad", [[1, 0], [-0.6e-10, 0.8e-10]], [0.64, 0.48])


# Aligned-MTL, IMTL-G, ConFIG: closed forms


def test_aligned_mtl_takes_what_the_released_code_takes_for_rounding_as_such() -> None:
    """The squares are apart by 1e-8, less than 2 * 1.2e-7: one component is left."""
    gives("aligned-mtl", [[1, 0], [0, 1e-4]], [0.5, 0])


def test_aligned_mtl_shrinks_to_a_component_that_is_above_the_rounding() -> None:
    gives("aligned-mtl", [[1, 0], [0, 1e-3]], [0.0005, 0.0005])


def test_aligned_mtls_threshold_grows_with_the_tasks_that_are_present() -> None:
    """5e-7 is above 2 * 1.2e-7, and below 5 * 1.2e-7."""
    short = 5e-7**0.5
    gives("aligned-mtl", [[1, 0], [0, short]], [short / 2, short / 2])
    gives("aligned-mtl", [[1, 0], [0, short], [0, 0], [0, 0], [0, 0]], [0.2, 0])


def test_imtl_g_projects_alike_on_gradients_of_lengths_1_and_1e_8() -> None:
    """d = (s, s) with d_1 / 1 + d_2 / 1e-8 = 1."""
    gives("imtl-g", [[1, 0], [0, 1e-8]], [1e-8, 1e-8])


def test_imtl_g_of_opposite_gradients_is_0() -> None:
    gives("imtl-g", [[1, 0], [-3, 0]], [0, 0])


def test_imtl_g_of_three_gradients_in_a_plane_that_share_no_angle_is_0() -> None:
    gives("imtl-g", [[1, 0], [0, 1], [0.6, 0.8]], [0, 0])


def test_imtl_g_of_parallel_gradients_is_the_limit_of_nearly_parallel_ones() -> None:
    """The harmonic mean of the lengths: of 1 and 3 it is 1.5."""
    gives("imtl-g", [[1, 0], [3, 0]], [1.5, 0])


def test_config_is_as_long_as_the_projections_of_gradients_of_lengths_1_and_1e_8() -> None:
    gives("config", [[1, 0], [0, 1e-8]], [0.5, 0.5])


def test_config_of_opposite_gradients_is_0() -> None:
    gives("config", [[1, 0], [-3, 0]], [0, 0])


# Nash-MTL and FairGrad: (M w)_t = w_t^(-1/alpha)


def test_fairgrad_of_orthogonal_gradients_is_as_long_as_their_powers() -> None:
    """|g_t|^((1 - alpha) / (1 + alpha)): 1e4^(-1/3) and 1."""
    gives("fairgrad", [[1e4, 0], [0, 1]], [1e4 ** (-1 / 3), 1])


def test_fairgrad_of_alpha_ten_of_orthogonal_gradients() -> None:
    gives("fairgrad:alpha=10", [[10, 0], [0, 0.1]], [10 ** (-9 / 11), 0.1 ** (-9 / 11)])


def test_fairgrad_at_a_ratio_of_1e_10() -> None:
    gives("fairgrad", [[1, 0], [0, 1e-10]], [1, 1e-10 ** (-1 / 3)])


def test_fairgrad_of_one_gradient_twice() -> None:
    """(M w)_t = 2 w = w^(-1/2), so that w = 2^(-2/3)."""
    gives("fairgrad", [[1, 0], [1, 0]], [2 ** (1 / 3), 0])


@pytest.mark.parametrize("alpha", [1.0, 2.0, 10.0])
def test_fairgrad_is_solved_among_forty_tasks_in_ordinary_training(alpha: float) -> None:
    rows = drawn(40, size=200) * torch.logspace(-1, 1, 40)[:, None]
    found = combined(balancer(f"fairgrad:alpha={alpha}", 40), rows)
    assert found.solved
    assert found.weights is not None
    weights = found.weights.double()
    assert torch.allclose(rows.double() @ (rows.double().T @ weights), weights ** (-1 / alpha), rtol=1e-4)


def test_nash_of_orthogonal_gradients_of_lengths_1_and_1e_8_weighs_by_their_lengths() -> None:
    """M a = 1 / a with M = diag(1, 1e-16) of Frobenius norm 1."""
    gives("nash-mtl", [[1, 0], [0, 1e-8]], [1, 1])


# DB-MTL: no length underflows


def test_db_mtl_brings_a_gradient_1e_25_as_long_to_the_length_of_the_longest() -> None:
    gives("db-mtl:beta=0", [[1, 0], [0, 1e-25]], [1, 1])


@pytest.mark.parametrize("ratio", [1e-3, 1e-6, 1e-10])
def test_excess_mtl_weighs_tasks_alike_whose_risks_fall_alike_however_short_their_gradients(ratio: float) -> None:
    """The third of equal squares is divided by the root of three: of what the risk was at first, 3^(-1/2) is left."""
    excess = balancer("excess-mtl:step=1", 2)
    rows = drawn(2) * torch.tensor([[1.0], [ratio]])
    for _ in range(3):
        found = combined(excess, rows).weights
    assert found is not None
    assert found.tolist() == pytest.approx([0.5, 0.5], abs=1e-6)


@pytest.mark.parametrize("name", ["cagrad", "upgrad", "fairgrad", "imtl-g", "config", "mgda", "nash-mtl", "pcgrad"])
def test_lengths_whose_squares_a_float32_does_not_hold_change_nothing(name: str) -> None:
    """They are apart by 1e-3, once of about 1 and once of about 1e-30."""
    rows = torch.tensor([[1.0, 0.0, 0.0], [-0.3, 1.0, 0.1], [1e-3, 0.0, -2e-3]])
    updates = []
    for scale in (1.0, 1e-30):
        torch.manual_seed(0)
        update = combined(balancer(name, 3), scale * rows).shared.double()
        updates.append(update / update.norm())
    assert torch.allclose(updates[0], updates[1], atol=1e-6)


def test_nash_counts_no_gradient_as_none_that_is_only_short() -> None:
    """Each of orthogonal gradients has the same part in the update, one of 1e-13 too."""
    gives("nash-mtl", [[1, 0], [0, 1e-13]], [1, 1])
