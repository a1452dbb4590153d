from pathlib import Path

import pytest
import torch
from torch import Tensor

from mtbench.contract import Balancer, Batch, Losses, Network
from mtbench.contract.data.split import Split
from mtbench.plan.grid import Request, plan
from mtbench.plan.parse import parse_method
from mtbench.train.assemble import Assembly, assemble
from mtbench_methods.balancers.min_norm.mgda import least_norm_weights


def world(method: str, dataset: str = "toy-all") -> tuple[Assembly, Batch]:
    spec = plan(Request(methods=[method], datasets=[dataset], settings={}, seeds=[0]))[0]
    run = assemble(spec, root=Path(), device=torch.device("cpu"))
    return run, run.splits["train"].batch(torch.arange(16))


def gradients(network: Network, balancer: Balancer, batch: Batch) -> tuple[Losses, dict[str, Tensor]]:
    network.zero_grad()
    losses = balancer.backward(network, batch)
    return losses, {name: p.grad.clone() for name, p in network.named_parameters() if p.grad is not None}


def of_task(network: Network, batch: Batch, task: int, names: list[str]) -> dict[str, Tensor]:
    parameters = dict(network.named_parameters())
    loss = network.losses(batch).means[task]
    found = torch.autograd.grad(loss, [parameters[name] for name in names], allow_unused=True)
    return {name: torch.zeros_like(parameters[name]) if g is None else g for name, g in zip(names, found, strict=True)}


def weighted(network: Network, batch: Batch, weights: list[float]) -> dict[str, Tensor]:
    """Return the gradient of sum_t w_t L_t, task by task."""
    names = [name for name, _ in network.named_parameters()]
    rows = [of_task(network, batch, task, names) for task in range(len(weights))]
    return {name: sum(w * row[name] for w, row in zip(weights, rows, strict=True)) for name in names}  # type: ignore[misc]


def assert_close(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert found.keys() == expected.keys()
    for name in found:
        assert torch.allclose(found[name], expected[name], atol=1e-6, rtol=1e-4), name


@pytest.mark.parametrize(
    ("method", "weights"),
    [("uniform", [0.5, 0.5]), ("branches+fixed:weights=.3/.7", [0.3, 0.7]), ("single", [1.0, 1.0])],
)
def test_weighted_losses_give_the_weighted_gradient(method: str, weights: list[float]) -> None:
    run, batch = world(method)
    assert_close(gradients(run.network, run.balancer, batch)[1], weighted(run.network, batch, weights))


def test_fixed_weights_of_one_over_t_are_uniform() -> None:
    run, batch = world("uniform")
    fixed = parse_method("branches+fixed:weights=.5/.5")
    balancer = fixed.balancer_class(fixed.balancer_options, run.tasks)
    assert_close(gradients(run.network, balancer, batch)[1], gradients(run.network, run.balancer, batch)[1])


def two_task_weights(first: Tensor, second: Tensor) -> list[float]:
    """Min-norm for two: gamma = (c - b) / (a + c - 2 b), kept within [0, 1]."""
    a, b, c = float(first @ first), float(first @ second), float(second @ second)
    gamma = min(max((c - b) / (a + c - 2 * b), 0.0), 1.0)
    return [gamma, 1 - gamma]


def divisors(normalize: str, rows: list[Tensor], losses: list[float]) -> list[float]:
    norms = [float(row.norm()) for row in rows]
    products = [loss * norm for loss, norm in zip(losses, norms, strict=True)]
    return {"none": [1.0, 1.0], "l2": norms, "loss": losses, "loss+": products}[normalize]


@pytest.mark.parametrize("normalize", ["none", "l2", "loss", "loss+"])
def test_mgda_weighs_by_the_closed_form_on_the_shared_parameters(normalize: str) -> None:
    run, batch = world(f"branches+mgda:normalize={normalize}")
    shared = [name for name, _ in run.network.named_parameters() if name.startswith("backbone")]
    rows = [torch.cat([g.flatten() for g in of_task(run.network, batch, task, shared).values()]) for task in (0, 1)]
    scales = divisors(normalize, rows, run.network.losses(batch).means.tolist())
    expected = weighted(run.network, batch, two_task_weights(*(row / n for row, n in zip(rows, scales, strict=True))))
    assert_close(gradients(run.network, run.balancer, batch)[1], expected)


def representation_gradients(run: Assembly, batch: Batch) -> tuple[list[Tensor], list[float]]:
    network = run.network
    z = network.encode(batch.inputs).detach().requires_grad_()  # type: ignore[operator]
    losses = network.mean_losses(network.decode(z), batch).means  # type: ignore[operator]
    return [torch.autograd.grad(loss, z, retain_graph=True)[0].flatten() for loss in losses], losses.tolist()


@pytest.mark.parametrize("normalize", ["none", "l2", "loss", "loss+"])
def test_mgda_ub_weighs_by_the_closed_form_on_the_representation(normalize: str) -> None:
    run, batch = world(f"moo:normalize={normalize}")
    rows, losses = representation_gradients(run, batch)
    scales = divisors(normalize, rows, losses)
    weights = two_task_weights(*(row / n for row, n in zip(rows, scales, strict=True)))
    assert_close(gradients(run.network, run.balancer, batch)[1], weighted(run.network, batch, weights))


def test_mgda_ub_with_l2_is_uniform_for_two_tasks() -> None:
    run, batch = world("moo:normalize=l2")
    assert_close(gradients(run.network, run.balancer, batch)[1], weighted(run.network, batch, [0.5, 0.5]))


def test_plain_branches_get_their_own_loss_unscaled_and_the_encoder_the_same() -> None:
    run, batch = world("moo")
    plain = parse_method("moo:branches=plain")
    balancer = plain.balancer_class(plain.balancer_options, run.tasks)
    scaled, unscaled = (gradients(run.network, b, batch)[1] for b in (run.balancer, balancer))
    alone = weighted(run.network, batch, [1, 1])
    for name in scaled:
        expected = scaled[name] if name.startswith("backbone") else alone[name]
        assert torch.allclose(unscaled[name], expected, atol=1e-6), name


@pytest.mark.parametrize("method", ["moo", "branches+mgda", "uniform", "td+mgda", "chmod+mgda"])
def test_absent_tasks_are_left_out(method: str) -> None:
    run, _ = world(method, "toy-partial")
    split: Split = run.splits["train"]
    rows = (~split.defined[:, 2] & split.defined[:, 0]).nonzero().squeeze(1)[:12]
    losses, found = gradients(run.network, run.balancer, split.batch(rows))
    assert losses.present_mask.tolist() == [True, True, False]
    unused = [value for name, value in found.items() if name.startswith("branches.2")]
    assert all((value == 0).all() for value in unused)
    assert all(torch.isfinite(value).all() for value in found.values())


@pytest.mark.parametrize("balancer", ["uniform", "mgda", "fixed:weights=.2/.3/.5"])
def test_a_penalty_reaches_the_parameters_unweighted(balancer: str) -> None:
    regularizer = ":regularizer=1:triple=upper/lower/same"
    run, _ = world(f"chmod{regularizer}+{balancer}", "toy-partial")
    batch = run.splits["train"].batch(torch.arange(64))
    with torch.no_grad():
        for name, factors in run.network.named_parameters():
            if name.startswith("modulation"):
                factors[1] += 0.1 * torch.arange(factors.shape[1])  # task j is the far one, so that the penalty counts
    penalty = run.network.penalty()
    assert penalty is not None
    assert penalty > 0
    named = dict(run.network.named_parameters())
    expected = torch.autograd.grad(penalty, list(named.values()), allow_unused=True, materialize_grads=True)
    with_penalty = gradients(run.network, run.balancer, batch)[1]
    run.network.penalty = lambda: None  # type: ignore[method-assign]
    without = gradients(run.network, run.balancer, batch)[1]
    for name, gradient in zip(named, expected, strict=True):
        assert torch.allclose(with_penalty[name] - without[name], gradient, atol=1e-5), name


def test_mgda_ub_walks_the_encoder_back_once_and_hands_the_penalty_on() -> None:
    run, batch = world("moo")
    calls: list[int] = []
    first = dict(run.network.named_parameters())["backbone.stages.conv1.pre.weight"]
    handle = first.register_hook(lambda _: calls.append(1))  # type: ignore[no-untyped-call]
    plain = gradients(run.network, run.balancer, batch)[1]
    assert len(calls) == 1
    handle.remove()
    run.network.penalty = lambda: sum(p.square().sum() for p in run.network.parameters())  # type: ignore[method-assign, assignment, return-value]
    punished = gradients(run.network, run.balancer, batch)[1]
    for name, parameter in run.network.named_parameters():
        assert torch.allclose(punished[name] - plain[name], 2 * parameter.detach(), atol=1e-5), name


def test_weights_are_exact_where_gradients_nearly_cancel() -> None:
    """The duality gap shows it: the square of the least norm is at least min_t <g_t, d>."""
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(10, 4000, generator=generator)
    rows[-1] = -rows[:-1].sum(0) + 1e-3 * torch.randn(4000, generator=generator)
    rows = rows.double()
    weights, solved = least_norm_weights(rows, torch.ones(10), "none")
    products = rows @ (weights @ rows)
    assert solved
    assert float(weights @ products) / float(products.min()) - 1 < 1e-6


def test_a_gradient_that_is_not_finite_leaves_the_verdict_to_the_loop() -> None:
    run, batch = world("moo")
    with torch.no_grad():
        next(iter(run.network.branches[1].parameters())).fill_(float("nan"))  # type: ignore[index, union-attr]
    losses, _ = gradients(run.network, run.balancer, batch)
    assert losses.means.isfinite().tolist() == [True, False]
