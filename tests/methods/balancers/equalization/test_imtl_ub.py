"""IMTL in the representation, against numbers taken from autograd and from TorchJD."""

from pathlib import Path
from typing import cast

import pytest
import torch
from torch import Tensor, nn
from torchjd import aggregation

from mtbench.contract import Batch, GradientBalancer, RepresentationBalancer, SharedRepresentation
from mtbench.plan.grid import Request, plan
from mtbench.train.assemble import Assembly, assemble
from tests.methods.test_balancers import gradients

GIVEN = torch.tensor([0.5, -1.0, 0.25])
"""The values of the logarithms of the scales."""


def world(dataset: str = "toy-all") -> Assembly:
    request = Request(methods=["branches+imtl-ub"], datasets=[dataset], settings={}, seeds=[0])
    made = assemble(plan(request)[0], root=Path(), device=torch.device("cpu"))
    with torch.no_grad():
        for scale, value in zip(scales(made), GIVEN, strict=False):
            scale.copy_(value)
    return made


def scales(made: Assembly) -> list[nn.Parameter]:
    return list(cast(nn.ParameterList, cast(RepresentationBalancer, made.balancer).rule.log_scales))


def without_the_last(made: Assembly) -> Batch:
    split = made.splits["train"]
    return split.batch((~split.defined[:, 2] & split.defined[:, 0]).nonzero().squeeze(1)[:12])


def by_hand(made: Assembly, batch: Batch, present: list[int]) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """Return the gradients of the scaled losses in z (P, B * D), these losses (T,), and each parameter's gradient."""
    network = cast(SharedRepresentation, made.network)
    z = network.encode(batch.inputs)
    means = network.mean_losses(network.decode(z), batch).means
    scaled = [GIVEN[task].exp() * means[task] for task in present]
    rows = torch.stack([torch.autograd.grad(loss, z, retain_graph=True)[0].flatten() for loss in scaled])
    named = dict(network.named_parameters())
    encoder = {name: value for name, value in named.items() if name.startswith("backbone")}
    branches = {name: value for name, value in named.items() if name not in encoder}
    towards = aggregation.IMTLG()(rows.double()).float().view_as(z)
    into = torch.autograd.grad(z, list(encoder.values()), towards, retain_graph=True)
    own = torch.autograd.grad(
        torch.stack(scaled).sum(), list(branches.values()), allow_unused=True, materialize_grads=True
    )
    return rows, means.detach(), dict(zip([*encoder, *branches], [*into, *own], strict=True))


def watched(made: Assembly, batch: Batch) -> tuple[Tensor, dict[str, Tensor], int]:
    """Return the gradient sent into the encoder, what the parameters received, and how often the encoder was walked
    back."""
    network, seen, walks = cast(SharedRepresentation, made.network), list[Tensor](), list[int]()
    encode = network.encode

    def watching(inputs: Tensor) -> Tensor:
        z = encode(inputs)
        z.register_hook(seen.append)  # type: ignore[no-untyped-call]
        return z

    network.encode = watching  # type: ignore[method-assign, assignment]
    weight = dict(network.named_parameters())["backbone.stages.conv1.pre.weight"]
    weight.register_hook(lambda _: walks.append(1))  # type: ignore[no-untyped-call]
    found = gradients(network, made.balancer, batch)[1]
    return seen[0].flatten(), found, len(walks)


@pytest.mark.parametrize("dataset", ["toy-all", "toy-partial"])
def test_the_encoder_gets_torchjds_combination_in_z_and_branches_the_gradient_of_their_scaled_loss(
    dataset: str,
) -> None:
    made = world(dataset)
    batch = made.splits["train"].batch(torch.arange(16)) if dataset == "toy-all" else without_the_last(made)
    _, _, expected = by_hand(made, batch, [0, 1])
    _, found, walks = watched(made, batch)
    assert walks == 1
    assert found.keys() == {name for name in expected if not name.startswith("branches.2")}
    for name in found:
        assert torch.allclose(found[name], expected[name], rtol=1e-4, atol=1e-6), name


def test_the_update_in_z_projects_alike_on_the_gradients_of_all_scaled_losses() -> None:
    made = world()
    batch = made.splits["train"].batch(torch.arange(16))
    rows, _, _ = by_hand(made, batch, [0, 1])
    update, _, _ = watched(made, batch)
    projections = rows @ update / rows.norm(dim=1)
    assert float(projections[0]) == pytest.approx(float(projections[1]), rel=1e-4)
    weights = torch.linalg.lstsq(rows.T.double(), update[:, None].double()).solution
    assert float(weights.sum()) == pytest.approx(1, rel=1e-4)


def test_scales_get_the_gradient_of_the_scaled_loss_less_one_and_that_of_an_absent_task_none() -> None:
    made = world("toy-partial")
    batch = without_the_last(made)
    _, means, _ = by_hand(made, batch, [0, 1])
    watched(made, batch)
    for task in (0, 1):
        found = scales(made)[task].grad
        assert found is not None
        assert float(found) == pytest.approx(float(GIVEN[task].exp() * means[task]) - 1, rel=1e-5)
    assert scales(made)[2].grad is None


def test_however_the_scales_stand_the_direction_in_z_is_that_of_unscaled_losses() -> None:
    """The line that has one angle to all gradients does not know of their lengths; how far along it does."""
    made, other = world(), world()
    with torch.no_grad():
        for scale in scales(other):
            scale.zero_()
    updates = [watched(each, each.splits["train"].batch(torch.arange(16)))[0] for each in (made, other)]
    first, second = (update / update.norm() for update in updates)
    assert torch.allclose(first, second, atol=1e-5)
    assert float(updates[0].norm()) != pytest.approx(float(updates[1].norm()), rel=1e-2)


def test_scales_that_are_trained_alone_bring_every_scaled_loss_to_one() -> None:
    made = world()
    batch = made.splits["train"].batch(torch.arange(16))
    optimizer = torch.optim.SGD(scales(made), lr=0.5)
    for _ in range(60):
        optimizer.zero_grad()
        losses, _ = gradients(made.network, made.balancer, batch)
        optimizer.step()
    for scale, mean in zip(scales(made), losses.means, strict=True):
        assert float((scale.exp() * mean).detach()) == pytest.approx(1, abs=1e-3)


def test_it_has_no_gain_and_learns_at_a_rate_of_its_own() -> None:
    made = world()
    assert cast(GradientBalancer, made.balancer).gain(2) is None
    assert made.balancer.learning_rate == 0.025
