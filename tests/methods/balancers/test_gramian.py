"""Properties of every balancer that combines gradients."""

import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest
import torch
from torch import Tensor

from mtbench import registry
from mtbench.contract import Batch, GradientBalancer, SharedRepresentation
from mtbench.contract.data.split import Split
from mtbench.errors import UsageError
from mtbench.plan.grid import Request, plan
from mtbench.train.assemble import Assembly, assemble
from tests.builders.keepers import Memory
from tests.methods.balancers.rows import badly_scaled, balancer, combined, drawn
from tests.methods.test_balancers import assert_close, gradients
from tests.train.runs import run, same, spec_of

MODULES = sorted(entry.module for entry in registry.entries("balancer").values() if entry.distribution == "mtbench")
LENGTHS = {
    "pcgrad": 3,
    "gradvac": 3,
    "graddrop": 3,
    "config": 3,
    "nash-mtl": 3,
    "cagrad": 1.4,
    "cagrad:c=.5": 1.5,
    "imtl-g": 1,
    "aligned-mtl": 1,
    "aligned-mtl:scale_mode=median": 1,
    "aligned-mtl:scale_mode=rmse": 1,
    "aligned-mtl-ub": 1,
    "upgrad": 1,
    "dualproj": 1,
    "excess-mtl": 1,
}
UNBOUND = ["fairgrad", "imtl", "imtl-ub"]
WEIGHTED = ["excess-mtl", "nash-mtl"]
ALL = [name for name in [*LENGTHS, *UNBOUND] if ":" not in name]
CPU = torch.device("cpu")


def world(method: str, dataset: str = "toy-all", scale: str = "native") -> tuple[Assembly, Batch]:
    request = Request(methods=[method], datasets=[dataset], settings={"gradient-scale": scale}, seeds=[0])
    made = assemble(plan(request)[0], root=Path(), device=CPU)
    return made, made.splits["train"].batch(torch.arange(16))


def found(name: str, scale: str = "native") -> tuple[Assembly, dict[str, Tensor]]:
    """Return the gradients that a fresh balancer leaves; what it draws at random is the same each time."""
    made, batch = world(name if name == "uniform" else f"branches+{name}", scale=scale)
    torch.manual_seed(0)
    return made, gradients(made.network, made.balancer, batch)[1]


def of_backbone(values: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value for name, value in values.items() if name.startswith("backbone")}


def heads(values: dict[str, Tensor], factor: float = 1) -> dict[str, Tensor]:
    return {name: factor * value for name, value in values.items() if not name.startswith("backbone")}


def length(values: dict[str, Tensor]) -> float:
    return float(torch.cat([value.flatten() for value in values.values()]).norm())


def test_importing_the_balancers_imports_neither_torchjd_nor_a_solver() -> None:
    code = (
        f"import sys, importlib\nfor name in {MODULES}:\n"
        "    importlib.import_module(name)\n"
        "print([name for name in ('torchjd', 'cvxpy', 'clarabel', 'qpsolvers', 'quadprog') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(("name", "expected"), LENGTHS.items())
@pytest.mark.parametrize("scale", [1e-4, 1.0, 100.0])
def test_gain_is_how_long_the_combination_of_equal_gradients_is(name: str, expected: float, scale: float) -> None:
    rows = (scale * torch.randn(20, generator=torch.Generator().manual_seed(0))).expand(3, 20)
    combining = balancer(name, 3)
    assert combining.gain(3) == pytest.approx(expected)
    assert torch.allclose(combined(combining, rows).shared, expected * rows[0], rtol=1e-4)


@pytest.mark.parametrize("name", UNBOUND)
def test_those_whose_length_no_constant_makes_up_for_are_refused_the_scale_sum(name: str) -> None:
    assert balancer(name).gain(2) is None
    with pytest.raises(UsageError, match="has no gradient scale 'sum'"):
        world(f"branches+{name}", scale="sum")


@pytest.mark.parametrize("name", [name for name in ALL if name not in {"fairgrad", "graddrop", "excess-mtl"}])
def test_gradients_a_millionth_as_long_give_an_update_a_millionth_as_long(name: str) -> None:
    rows = drawn(4)
    updates = []
    for scale in (1.0, 1e-6):
        torch.manual_seed(0)
        updates.append(combined(balancer(name, 4), scale * rows).shared / scale)
    assert updates[0].norm() > 0
    assert torch.allclose(updates[0], updates[1], atol=1e-4 * float(updates[0].norm()))


@pytest.mark.parametrize("name", ALL)
def test_a_task_without_gradient_all_without_and_a_single_task_give_something_finite(name: str) -> None:
    some, none = drawn(3), torch.zeros(3, 50)
    some[1] = 0
    for rows, indices in [(some, [0, 1, 2]), (none, [0, 1, 2]), (some[:1], [2]), (none[:1], [0])]:
        result = combined(balancer(name, 3), rows, indices)
        assert torch.isfinite(result.shared).all()
        assert result.own is None or (torch.isfinite(result.own).all() and (result.own < 10).all())
        assert rows.any() or not result.shared.any()


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_a_gradient_that_is_not_finite_raises_nothing(name: str, bad: float) -> None:
    rows = drawn(3)
    rows[1, 7] = bad
    assert not torch.isfinite(combined(balancer(name, 3), rows).shared).all()


@pytest.mark.parametrize("name", ALL)
def test_one_task_that_is_present_gets_a_multiple_of_its_own_gradient(name: str) -> None:
    rows = drawn(1)
    update = combined(balancer(name, 3), rows, [1]).shared
    assert torch.allclose(update / update.norm(), rows[0] / rows[0].norm(), atol=1e-5)


@pytest.mark.parametrize(
    "name", ["pcgrad", "gradvac", "cagrad", "imtl-g", "aligned-mtl", "upgrad", "config", "fairgrad"]
)
def test_forty_tasks_with_gradients_of_very_unequal_lengths_are_combined(name: str) -> None:
    assert torch.isfinite(combined(balancer(name, 40), badly_scaled(40)).shared).all()


@pytest.mark.parametrize("name", [name for name in LENGTHS if name != "aligned-mtl-ub"])
def test_on_the_scale_sum_the_backbone_gets_the_native_gradient_divided_by_the_gain(name: str) -> None:
    made, native = found(name)
    expected = cast(GradientBalancer, made.balancer).gain(2)
    assert expected is not None
    summed, uniform = found(name, "sum")[1], found("uniform")[1]
    assert_close(of_backbone(summed), {part: value / expected for part, value in of_backbone(native).items()})
    weighted = name.partition(":")[0] in WEIGHTED
    assert_close(heads(summed), heads(native, 1 / expected) if weighted else heads(uniform))


@pytest.mark.parametrize("name", [name for name in ALL if not name.endswith("-ub")])
def test_on_the_scale_matched_the_backbone_gets_a_gradient_as_long_as_that_of_uniform(name: str) -> None:
    native, matched, uniform = found(name)[1], found(name, "matched")[1], found("uniform")[1]
    assert length(of_backbone(matched)) == pytest.approx(length(of_backbone(uniform)), rel=1e-4)
    factor = length(of_backbone(uniform)) / length(of_backbone(native))
    assert_close(of_backbone(matched), {part: factor * value for part, value in of_backbone(native).items()})
    assert_close(heads(matched), heads(native, factor) if name in WEIGHTED else heads(uniform))


def in_representation(name: str, scale: str) -> tuple[Tensor, Tensor]:
    """Return the gradient that a balancer sends into the encoder, and that of the unweighted loss, both in z."""
    made, batch = world(f"branches+{name}", scale=scale)
    network = cast(SharedRepresentation, made.network)
    seen: list[Tensor] = []
    encode = network.encode

    def watched(inputs: Tensor) -> Tensor:
        z = encode(inputs)
        z.register_hook(seen.append)  # type: ignore[no-untyped-call]
        return z

    network.encode = watched  # type: ignore[method-assign, assignment]
    gradients(network, made.balancer, batch)
    z = encode(batch.inputs).detach().requires_grad_()
    plain = torch.autograd.grad(network.mean_losses(network.decode(z), batch).means.mean(), z)[0]
    return seen[0], plain


@pytest.mark.parametrize("name", ["aligned-mtl-ub", "imtl-ub", "mgda-ub"])
def test_on_the_scale_matched_the_gradient_in_the_representation_is_as_long_as_that_of_uniform(name: str) -> None:
    native, plain = in_representation(name, "native")
    matched, _ = in_representation(name, "matched")
    assert float(matched.norm()) == pytest.approx(float(plain.norm()), rel=1e-4)
    assert float(native.norm()) != pytest.approx(float(plain.norm()), rel=1e-2)
    assert torch.allclose(matched / matched.norm(), native / native.norm(), atol=1e-5)


def test_on_the_scale_sum_a_balancer_in_the_representation_divides_by_its_gain_of_one() -> None:
    summed, native = (in_representation("aligned-mtl-ub", scale)[0] for scale in ("sum", "native"))
    assert torch.allclose(summed, native)
    assert_close(heads(found("aligned-mtl-ub", "sum")[1]), heads(found("uniform")[1]))


@pytest.mark.parametrize("scale", ["sum", "matched"])
def test_uniform_is_the_same_on_every_scale(scale: str) -> None:
    assert_close(found("uniform", scale)[1], found("uniform")[1])


@pytest.mark.parametrize("name", [name for name in ALL if name not in (*WEIGHTED, "imtl", "imtl-ub")])
def test_each_branch_gets_the_plain_gradient_of_its_task(name: str) -> None:
    assert_close(heads(found(name)[1]), heads(found("uniform")[1], 2))


@pytest.mark.parametrize("name", ALL)
def test_absent_tasks_are_left_out(name: str) -> None:
    made, _ = world(f"branches+{name}", "toy-partial")
    split: Split = made.splits["train"]
    rows = (~split.defined[:, 2] & split.defined[:, 0]).nonzero().squeeze(1)[:12]
    losses, values = gradients(made.network, made.balancer, split.batch(rows))
    assert losses.present_mask.tolist() == [True, True, False]
    own = [name for name, _ in made.network.named_parameters() if name.startswith("branches.2")]
    assert own
    assert not any(values[name].any() for name in own if name in values)
    assert all(torch.isfinite(value).all() for value in values.values())
    assert all(value.any() for value in of_backbone(values).values())


@pytest.mark.parametrize("name", ALL)
def test_a_run_that_was_interrupted_gives_the_bits_of_one_that_was_not(name: str) -> None:
    spec = spec_of(f"branches+{name}", "toy-partial", epochs="2", gradient_scale="matched")
    keeper = Memory(stop_after=1)
    with pytest.raises(KeyboardInterrupt):
        run(spec, keeper)
    assert same(run(spec, keeper), run(spec))


@pytest.mark.parametrize("name", [*ALL, "td+gradvac"])
def test_a_penalty_reaches_the_parameters_unweighted(name: str) -> None:
    made, batch = world(name if "+" in name else f"branches+{name}")
    torch.manual_seed(0)
    plain = gradients(made.network, made.balancer, batch)[1]
    fresh, _ = world(name if "+" in name else f"branches+{name}")
    fresh.network.penalty = lambda: sum(p.square().sum() for p in fresh.network.parameters())  # type: ignore[method-assign, assignment, return-value]
    torch.manual_seed(0)
    punished = gradients(fresh.network, fresh.balancer, batch)[1]
    for part, parameter in fresh.network.named_parameters():
        assert torch.allclose(punished[part] - plain[part], 2 * parameter.detach(), atol=1e-4), part
