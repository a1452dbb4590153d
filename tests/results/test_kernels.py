"""Kernels and arithmetic of a training step."""

from pathlib import Path

import pytest
import torch
from torch.nn.functional import linear

from mtbench.plan.grid import Request, plan
from mtbench.plan.spec import RunSpec
from results.kernels import LAUNCH, RATE, Counter, Exits, Step, step_of


def toy(method: str, batch: int = 8) -> RunSpec:
    request = Request(
        methods=[method], datasets=["toy2"], protocol="quick", settings={"batch": str(batch), "epochs": "3"}, seeds=[0]
    )
    (spec,) = plan(request)
    return spec


def test_views_and_allocations_are_no_kernels() -> None:
    x = torch.arange(6.0)
    with Counter() as counter:
        torch.empty_like(x)
        y = x.view(2, 3).t()[0] + 1
        y.relu_()
    assert counter.kernels == 2


def test_the_step_of_a_matrix_product_has_five_kernels_and_two_products() -> None:
    x, weight = torch.ones(4, 3), torch.ones(5, 3, requires_grad=True)
    with Counter() as counter:
        (gradient,) = torch.autograd.grad(linear(x, weight).sum(), [weight])
        with torch.no_grad():
            weight -= gradient
    # The product, its sum; the gradient 1 of the sum, the product for the weights; and the subtraction.
    assert counter.kernels == 5
    assert counter.flops == 2 * (2 * 4 * 3 * 5)


def test_a_tensor_that_numpy_reads_leaves_the_gpu() -> None:
    with Exits() as exits:
        torch.ones(2).numpy()
        torch.ones(2).add(1)
    assert exits.exits == 1


def test_kernels_of_a_step_do_not_depend_on_its_examples(tmp_path: Path) -> None:
    one, other = step_of(toy("uniform", 8), tmp_path), step_of(toy("uniform", 16), tmp_path)
    assert one is not None
    assert other is not None
    assert one.kernels == other.kernels > 10
    assert not one.solves


def test_a_balancer_that_solves_a_problem_with_numpy_is_told(tmp_path: Path) -> None:
    uniform, moo = step_of(toy("uniform"), tmp_path), step_of(toy("branches+mgda"), tmp_path)
    assert uniform is not None
    assert moo is not None
    assert moo.solves
    assert moo.kernels > uniform.kernels


def test_a_dataset_that_is_not_here_has_no_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MTBENCH_DATA", str(tmp_path))
    (spec,) = plan(Request(methods=["uniform"], datasets=["mmnist2"], protocol="paper", settings={}, seeds=[0]))
    assert step_of(spec, tmp_path) is None


def test_a_step_takes_as_long_as_the_slower_of_launches_and_arithmetic() -> None:
    launches = Step(kernels=100, flops=1e3, solves=False)
    assert launches.seconds(8) == pytest.approx([100 * each for each in LAUNCH])
    arithmetic = Step(kernels=1, flops=1e9, solves=False)
    assert arithmetic.seconds(100) == pytest.approx([1e11 / each for each in RATE])
