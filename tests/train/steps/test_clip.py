"""The setting ``clip``: whose gradients are clipped, and with whom."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from mtbench.contract.protocol.clip import Clip, parse_clip
from mtbench.errors import UsageError
from mtbench.plan.spec import RunSpec
from mtbench.train.assemble import assemble
from tests.train.runs import CPU, run, spec_of

SGD: dict[str, Any] = {"optimizer": "sgd", "schedule": "constant", "lr": ".1"}


@pytest.mark.parametrize(
    ("given", "clip"),
    [
        ("1", Clip(1.0)),
        (1, Clip(1.0)),
        (0.5, Clip(0.5)),
        ("all:1", Clip(1.0)),
        ("all:0", Clip(0.0)),
        ("shared:1", Clip(1.0, shared=True)),
        ("shared:2.5e-1", Clip(0.25, shared=True)),
        ("shared:0", Clip(0.0)),
    ],
)
def test_a_clip_is_a_norm_and_whose(given: Any, clip: Clip) -> None:
    assert parse_clip(given) == clip
    assert parse_clip(clip.value) == clip


@pytest.mark.parametrize(
    "given", ["", "none", "-1", "nan", "inf", "heads:1", "shared", "shared:", ":1", "all:1:2", "1:all"]
)
def test_what_is_no_clip_is_refused_with_what_is_allowed(given: str) -> None:
    with pytest.raises(UsageError) as error:
        spec_of("uniform", clip=given)
    assert str(error.value) == (
        f"protocol setting 'clip' is '{given}'. Allowed: a norm of at least 0, as in 1 or all:1 (of all parameters) or "
        "shared:1 (of those that tasks share)."
    )


def test_the_identity_of_a_run_has_a_number_where_all_is_clipped_and_nothing_where_nothing_is() -> None:
    """Identities of the build before."""
    assert spec_of("uniform").id == spec_of("uniform", clip="shared:0").id == "d02fee3be38e"
    assert spec_of("uniform", clip="1").id == spec_of("uniform", clip="all:1.0").id == "17c12a2eab07"
    shared = spec_of("uniform", clip="shared:1")
    assert shared.id not in ("d02fee3be38e", "17c12a2eab07")
    assert shared.titles.protocol == "paper, clip=shared:1"
    assert RunSpec.from_json(shared.to_json()) == shared
    assert '"clip": 1.0' in spec_of("uniform", clip="all:1").to_json()


def model(method: str, dataset: str = "toy-all", **settings: Any) -> dict[str, Tensor]:
    return dict(run(spec_of(method, dataset, epochs="1", **settings)).model)


def network(values: dict[str, Tensor], index: int) -> dict[str, Tensor]:
    """Return the parameters of one task's network, named as those of a network with this task alone."""
    renamed = {}
    for name, value in values.items():
        part, number, rest = name.split(".", 2)
        if number == str(index):
            renamed[f"backbone.{rest}" if part in ("backbones", "columns") else f"branches.0.{rest}"] = value
    return renamed


def equal(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("clip", ["0", ".05", "shared:.05"])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_single_task_network_is_clipped_as_it_would_be_alone(optimizer: str, clip: str) -> None:
    """To the bit, with `branches` of that task; its backbone is what would be shared."""
    together = model("single", optimizer=optimizer, clip=clip)
    for index, task in enumerate(("upper", "lower")):
        assert equal(
            network(together, index), model("branches", f"toy-all:tasks={task}", optimizer=optimizer, clip=clip)
        )


@pytest.mark.parametrize("clip", [".05", "shared:.05"])
@pytest.mark.parametrize("method", ["single", "progressive"])
def test_a_task_that_shares_nothing_does_not_feel_the_gradients_of_another_where_all_are_clipped(
    method: str, clip: str
) -> None:
    small, large = (model(method, f"toy-three:scale=1/1/{scale}", optimizer="sgd", clip=clip) for scale in ("1", "50"))
    assert all(equal(network(small, index), network(large, index)) for index in (0, 1))
    assert not equal(network(small, 2), network(large, 2))


def test_the_first_column_of_progressive_networks_is_the_first_tasks_single_where_all_are_clipped() -> None:
    found, single = (model(method, optimizer="sgd", clip=".05") for method in ("progressive", "single"))
    assert equal(network(found, 0), network(single, 0))


def moved(method: str, clip: str) -> tuple[float, float]:
    """Return the lengths by which the only step of a run moves what tasks share, and everything else."""
    spec = spec_of(method, epochs="1", batch="96", clip=clip, **SGD)
    made = assemble(spec, root=Path(), device=CPU).network
    shared, after = {id(parameter) for parameter in made.shared_parameters()}, run(spec).model
    squares = {True: 0.0, False: 0.0}
    for name, before in made.named_parameters():
        squares[id(before) in shared] += float((after[name] - before.detach()).double().square().sum())
    return squares[True] ** 0.5, squares[False] ** 0.5


@pytest.mark.parametrize("method", ["branches", "branches+pcgrad", "mtan", "chmod"])
def test_shared_parameters_are_clipped_alone_where_that_is_asked_for(method: str) -> None:
    free, shared, every = (moved(method, clip) for clip in ("0", "shared:.02", ".02"))
    assert free[0] > 0.003
    assert shared[0] == pytest.approx(0.1 * 0.02, rel=1e-4)
    assert shared[1] == pytest.approx(free[1], rel=1e-5)
    assert math.hypot(*every) == pytest.approx(0.1 * 0.02, rel=1e-4)


def test_branches_are_one_group() -> None:
    made = assemble(spec_of("branches"), root=Path(), device=CPU).network
    (everything,), (shared,) = made.clip_groups(shared=False), made.clip_groups(shared=True)
    assert len(everything) == len(list(made.parameters()))
    assert {id(each) for each in shared} == {id(each) for each in made.shared_parameters()}
