"""Lengths of a step's gradients: the settings ``gradient_scale`` and ``clip``, and the identity of old runs."""

import dataclasses
from pathlib import Path
from typing import cast

import pytest
import torch
from torch import Tensor, nn

from mtbench.contract import Batch, SharedRepresentation
from mtbench.errors import UsageError
from mtbench.plan.grid import Request, plan
from mtbench.plan.spec import RunSpec
from mtbench.store.results import run_folders
from mtbench.train.assemble import Assembly, assemble
from mtbench_methods.balancers.gradient_surgery.pcgrad import PCGrad
from mtbench_methods.balancers.min_norm.mgda import Mgda, MgdaOptions
from mtbench_toys.quadratic import Quadratic, batch_of
from tests.builders.kept import RESULTS, kept
from tests.methods.test_balancers import assert_close, gradients
from tests.train.runs import run, spec_of

CONSTANT = [
    "pcgrad",
    "gradvac",
    "graddrop",
    "config",
    "nash-mtl",
    "cagrad",
    "cagrad:c=.5",
    "imtl-g",
    "aligned-mtl",
    "aligned-mtl:scale_mode=rmse",
    "upgrad",
    "dualproj",
    "excess-mtl",
    "mgda",
    "mgda:normalize=loss+",
]
OF_Z = ["aligned-mtl-ub", "mgda-ub", "mgda-ub:branches=plain"]
NONE = ["fairgrad", "imtl", "imtl-ub", "db-mtl"]
BEFORE = """{"backbone": {"name": "lenet", "options": {}}, "balancer": {"name": "uniform", "options": {}},
 "dataset": {"name": "mmnist2", "options": {}}, "network": {"name": "branches", "options": {}},
 "protocol": {"batch": 512, "epochs": 15, "images": 0, "lr": 0.001, "name": "paper", "optimizer": "adam",
  "precision": "float32", "schedule": "halving", "seeds": 5, "tasks_per_image": "native", "validation": false},
 "seed": 0, "titles": {"dataset": "mmnist2", "method": "uniform", "protocol": "paper, epochs=15"}}"""
"""A spec that was written before protocols said how gradients are scaled."""


def world(method: str, dataset: str = "toy-all", scale: str = "native") -> Assembly:
    request = Request(methods=[method], datasets=[dataset], settings={"gradient-scale": scale}, seeds=[0])
    return assemble(plan(request)[0], root=Path(), device=torch.device("cpu"))


def first(made: Assembly) -> Batch:
    return made.splits["train"].batch(torch.arange(16))


def of_backbone(values: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value for name, value in values.items() if name.startswith("backbone")}


def heads(values: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value for name, value in values.items() if name.startswith("branches")}


def length(values: dict[str, Tensor]) -> float:
    return float(torch.cat([value.flatten() for value in values.values()]).norm())


def set_scales(made: Assembly) -> None:
    """Give IMTL's scales values that they would have only later on."""
    rule = getattr(made.balancer, "rule", made.balancer)
    if hasattr(rule, "log_scales"):
        with torch.no_grad():
            for scale, value in zip(cast(nn.ParameterList, rule.log_scales), (0.7, -1.2), strict=True):
                scale.fill_(value)


def as_one_task(made: Assembly) -> Batch:
    """Make the two tasks one: the same branch, the same labels."""
    branches = cast(nn.ModuleList, made.network.branches)
    branches[1].load_state_dict(branches[0].state_dict())
    batch = first(made)
    return dataclasses.replace(batch, targets=(batch.targets[0], batch.targets[0]))


@pytest.mark.parametrize("name", [*CONSTANT, *OF_Z])
def test_where_all_tasks_have_one_gradient_the_scale_sum_gives_what_uniform_gives(name: str) -> None:
    made, uniform = world(f"branches+{name}", scale="sum"), world("uniform")
    found = gradients(made.network, made.balancer, as_one_task(made))[1]
    expected = gradients(uniform.network, uniform.balancer, as_one_task(uniform))[1]
    assert_close(of_backbone(found), of_backbone(expected))
    if name.startswith("mgda"):  # any weights are as good for the backbone, so those of the branches may differ
        return
    assert_close(heads(found), heads(expected))


@pytest.mark.parametrize("name", NONE)
def test_a_balancer_whose_length_varies_is_refused_the_scale_sum_in_plain_words(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        world(f"branches+{name}", scale="sum")
    assert caught.value.given == (
        f"balancer '{name}' has no gradient scale 'sum': the length of its gradient depends on the lengths of the "
        "tasks' gradients, so that no constant compensates for it."
    )
    assert caught.value.mend == "Use --gradient-scale matched, or native."


@pytest.mark.parametrize("name", ["imtl", "db-mtl", "mgda", "mgda:normalize=loss"])
def test_on_the_scale_matched_objectives_that_are_not_the_losses_give_the_length_of_the_plain_loss(name: str) -> None:
    unequal = "toy-all:scale=1/10"  # else MGDA would be near uniform
    made = world(f"branches+{name}", unequal, "matched")
    uniform, other = (world(method, unequal) for method in ("uniform", f"branches+{name}"))
    for each in (made, other):
        set_scales(each)
    found, native = (gradients(each.network, each.balancer, first(each))[1] for each in (made, other))
    expected = gradients(uniform.network, uniform.balancer, first(uniform))[1]
    factor = length(of_backbone(expected)) / length(of_backbone(native))
    assert abs(factor - 1) > 0.02
    assert_close(of_backbone(found), {part: factor * value for part, value in of_backbone(native).items()})
    weighted = name.startswith("mgda")
    assert_close(heads(found), {k: factor * v for k, v in heads(native).items()} if weighted else heads(expected))
    if name == "imtl":  # its own scales learn as ever
        for one, two in zip(made.balancer.parameters(), other.balancer.parameters(), strict=True):
            assert one.grad is not None
            assert two.grad is not None
            assert torch.equal(one.grad, two.grad)


def in_representation(made: Assembly) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """Return the gradient sent into the encoder at z, that of the mean loss there, and all that the parameters
    receive."""
    network, batch, seen = cast(SharedRepresentation, made.network), first(made), list[Tensor]()
    encode = network.encode

    def watched(inputs: Tensor) -> Tensor:
        z = encode(inputs)
        z.register_hook(seen.append)  # type: ignore[no-untyped-call]
        return z

    network.encode = watched  # type: ignore[method-assign, assignment]
    found = gradients(network, made.balancer, batch)[1]
    z = encode(batch.inputs).detach().requires_grad_()
    plain = torch.autograd.grad(network.mean_losses(network.decode(z), batch).means.mean(), z)[0]
    return seen[0], plain, found


@pytest.mark.parametrize("name", ["imtl-ub", *OF_Z])
def test_on_the_scale_matched_the_representation_gets_a_gradient_as_long_as_that_of_the_plain_loss(name: str) -> None:
    made, other, uniform = world(f"branches+{name}", scale="matched"), world(f"branches+{name}"), world("uniform")
    for each in (made, other):
        set_scales(each)
    found, plain, values = in_representation(made)
    native, _, before = in_representation(other)
    factor = float(plain.norm() / native.norm())
    assert abs(factor - 1) > 0.02
    assert torch.allclose(found, factor * native, rtol=1e-4, atol=1e-7)
    assert_close(of_backbone(values), {part: factor * value for part, value in of_backbone(before).items()})
    expected = gradients(uniform.network, uniform.balancer, first(uniform))[1]
    weighted = name == "mgda-ub"
    assert_close(heads(values), {k: factor * v for k, v in heads(before).items()} if weighted else heads(expected))


@pytest.mark.parametrize("balancer", ["pcgrad", "excess-mtl", "imtl-g", "db-mtl", "nash-mtl"])
def test_where_tasks_have_unequal_shares_and_one_is_absent_matched_measures_the_plain_loss(balancer: str) -> None:
    made, uniform = world(f"td+{balancer}", "toy-partial", "matched"), world("td+uniform", "toy-partial")
    split = made.splits["train"]
    rows = (~split.defined[:, 2] & split.defined[:, :2].any(1)).nonzero().squeeze(1)[:12]
    drawn = split.defined[rows, 0].long().neg() + 1  # task 0 wherever it is defined, else task 1
    batch = split.batch(rows, drawn)
    assert batch.use.sum(1).tolist() == [7, 5, 0]
    losses, found = gradients(made.network, made.balancer, batch)
    _, expected = gradients(uniform.network, uniform.balancer, batch)
    assert losses.present_mask.tolist() == [True, True, False]
    shared = {id(parameter) for parameter in made.network.shared_parameters()}
    names = [name for name, parameter in made.network.named_parameters() if id(parameter) in shared]
    assert length({name: found[name] for name in names}) == pytest.approx(
        length({name: expected[name] for name in names}), rel=1e-4
    )
    if balancer not in ("excess-mtl", "nash-mtl"):
        own = [name for name in found if name not in names]
        assert own
        assert_close({name: found[name] for name in own}, {name: expected[name] for name in own})


def test_on_the_scale_sum_projected_gradients_are_divided_by_the_number_of_tasks_that_are_present() -> None:
    """Gradients (2, 0), (-1, 2) and one that is absent: PCGrad gives 2 (.8, 1.4), twice A's."""
    net = Quadratic([1.0, 1.0, 1.0], [[-2.0, 0.0], [1.0, -2.0], [5.0, 5.0]], own=3.0)
    pcgrad = PCGrad(None, net.tasks)
    pcgrad.gradient_scale = "sum"
    found = gradients(net, pcgrad, batch_of(True, True, False))[1]
    assert torch.allclose(found["weight"], torch.tensor([[0.8, 1.4]]))
    assert [float(found[f"own.{task}"]) for task in range(3)] == pytest.approx([1.5, 1.5, 0])


def test_on_the_scale_matched_an_update_of_nothing_stays_nothing() -> None:
    """Gradients (1, 0) and (-2, 0): MGDA finds 0 between them; the unweighted loss has the gradient (-.5, 0)."""
    net = Quadratic([1.0, 1.0], [[-1.0, 0.0], [2.0, 0.0]], own=3.0)
    mgda = Mgda(MgdaOptions(), net.tasks)
    mgda.gradient_scale = "matched"
    found = gradients(net, mgda, batch_of(True, True))[1]
    assert not found["weight"].any()
    assert [float(found[f"own.{task}"]) for task in (0, 1)] == pytest.approx([2, 1])  # weighted 2/3 and 1/3


@pytest.mark.parametrize("scale", ["sum", "matched"])
@pytest.mark.parametrize("method", ["uniform", "branches+gls", "branches+gradnorm", "td"])
def test_what_weighs_losses_is_the_same_on_every_scale(method: str, scale: str) -> None:
    made, other = world(method, scale=scale), world(method)
    drawn = torch.arange(16) % 2 if method == "td" else None
    batches = [each.splits["train"].batch(torch.arange(16), drawn) for each in (made, other)]
    assert_close(
        *(gradients(each.network, each.balancer, b)[1] for each, b in zip((made, other), batches, strict=True))
    )


def test_a_run_that_was_asked_for_before_scales_were_there_is_still_the_one_it_was() -> None:
    spec = RunSpec.from_json(BEFORE)
    assert (spec.protocol.gradient_scale, spec.protocol.clip) == ("native", 0)
    assert spec.id == "4f6bf7ff67bb"
    for protocol in (spec.protocol.changed(gradient_scale="matched"), spec.protocol.changed(clip=1.0)):
        assert dataclasses.replace(spec, protocol=protocol).id != spec.id


def test_every_kept_run_lies_in_the_folder_of_its_identity() -> None:
    folders = [each for folder in RESULTS.glob("20*") for place in kept(folder.name) for each in run_folders(place)]
    assert folders
    for folder in folders:
        assert folder.spec().id == folder.path.name.rpartition("-")[2], folder.path


def moved(method: str, clip: str = "0") -> float:
    """Return the length of one step of the weights by gradient descent at a learning rate of .1."""
    spec = spec_of(method, epochs="1", batch="96", optimizer="sgd", schedule="constant", lr=".1", clip=clip)
    start = assemble(spec, root=Path(), device=torch.device("cpu")).network.state_dict()
    return length({name: value - start[name] for name, value in run(spec).model.items()})


@pytest.mark.parametrize("method", ["uniform", "branches+pcgrad", "moo", "branches+nash-mtl"])
def test_a_step_of_gradient_descent_is_no_longer_than_the_clip_times_the_rate(method: str) -> None:
    free = moved(method)
    assert free > 0.01
    assert moved(method, clip=".05") == pytest.approx(0.005, rel=1e-3)
    assert moved(method, clip="1000") == pytest.approx(free, rel=1e-6)
