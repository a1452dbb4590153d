"""A state that no run of its kind writes is refused before anything is computed with it."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch

from mtbench.errors import UnfitState
from mtbench.train.resumption import check_plain_parts, restore_optimizer
from tests.builders.keepers import Memory
from tests.train.runs import run, spec_of

NETWORK = {"weight": torch.zeros(2, 3)}
STATE = {
    "epoch": 1,
    "ledger": {"steps": 6, "wall_seconds": 0.5},
    "weights": torch.zeros(4, 2, dtype=torch.float64),
    "selected": None,
}


def check(**changed: Any) -> None:
    check_plain_parts({**STATE, **changed}, epochs=3, tasks=2, network=NETWORK)


def test_the_parts_of_a_run_are_taken() -> None:
    check()
    check(selected={"weight": torch.ones(2, 3)}, epoch=3)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"epoch": 0}, "it is of epoch 0, and the run has 3"),
        ({"epoch": 10**25}, "and the run has 3"),
        ({"epoch": 1.0}, "it is of epoch 1.0"),
        ({"epoch": True}, "it is of epoch True"),
        ({"ledger": {"steps": -1}}, "its steps are -1"),
        ({"ledger": {"wall_seconds": float("nan")}}, "its wall_seconds are nan"),
        ({"ledger": {"steps": "6"}}, "its steps are '6'"),
        ({"weights": torch.zeros(4, 3, dtype=torch.float64)}, "task weights"),
        ({"weights": torch.zeros(4, 2)}, "task weights"),
        ({"weights": [[0.0, 0.0]] * 4}, "task weights"),
        ({"selected": {"weight": torch.zeros(3, 2)}}, "selected epoch"),
        ({"selected": {}}, "selected epoch"),
    ],
)
def test_parts_that_no_run_writes_are_refused(changed: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        check(**changed)


def optimizers(
    kind: Callable[..., torch.optim.Optimizer], **options: Any
) -> tuple[torch.optim.Optimizer, dict[str, Any]]:
    """Return an optimizer without a state, and the state of one like it that has made a step."""
    made = []
    for _ in range(2):
        parameters = [torch.nn.Parameter(torch.ones(2, 3)), torch.nn.Parameter(torch.ones(4))]
        made.append(kind([{"params": parameters, "factor": 1.0}], lr=0.1, **options))
    for parameter in made[1].param_groups[0]["params"]:
        parameter.grad = torch.ones_like(parameter)
    made[1].step()
    return made[0], made[1].state_dict()


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (torch.optim.Adam, {"fused": True}),
        (torch.optim.AdamW, {}),
        (torch.optim.SGD, {"momentum": 0.9}),
        (torch.optim.SGD, {"momentum": 0.0}),
        (torch.optim.Adagrad, {}),
    ],
)
def test_the_state_of_an_optimizer_that_was_built_alike_is_taken(
    kind: Callable[..., torch.optim.Optimizer], options: dict[str, Any]
) -> None:
    fresh, state = optimizers(kind, **options)
    restore_optimizer(fresh, state)
    assert repr(fresh.state_dict()) == repr(state)


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("exp_avg", torch.zeros(2, 6), "the 'exp_avg' of its optimizer has another shape"),
        ("exp_avg_sq", torch.zeros(3, 2), "the 'exp_avg_sq' of its optimizer has another shape"),
        ("exp_avg", 0.5, "the 'exp_avg' of its optimizer has another shape or type"),
        ("step", torch.ones(2), "the 'step' of its optimizer has another shape"),
        ("more", torch.zeros(2, 3), "parts for some parameters that it lacks for others"),
    ],
)
def test_a_tensor_of_another_shape_in_the_state_of_an_optimizer_is_refused(key: str, value: object, why: str) -> None:
    fresh, state = optimizers(torch.optim.Adam)
    state["state"][0][key] = value
    with pytest.raises(ValueError, match=why):
        restore_optimizer(fresh, state)


def test_an_optimizer_of_other_settings_is_refused_but_not_one_of_another_learning_rate() -> None:
    fresh, state = optimizers(torch.optim.Adam)
    state["param_groups"][0]["lr"] = 0.2
    restore_optimizer(fresh, copy.deepcopy(state))
    state["param_groups"][0]["betas"] = (0.5, 0.5)
    with pytest.raises(ValueError, match="other settings"):
        restore_optimizer(fresh, state)


def test_a_run_with_such_a_state_says_that_it_does_not_fit() -> None:
    spec, keeper = spec_of("uniform", epochs="2"), Memory(stop_after=1)
    with pytest.raises(KeyboardInterrupt):
        run(spec, keeper)
    state = keeper.at(-1)
    state["epoch"] = 7
    keeper.keep(state, keeper.curve)
    with pytest.raises(UnfitState, match="its state does not fit the run: ValueError: it is of epoch 7"):
        run(spec, keeper)
    del state["curve"][0]["results"]["test"]["upper"]
    keeper.keep({**state, "epoch": 1}, keeper.curve)
    with pytest.raises(UnfitState, match="KeyError: 'upper'"):
        run(spec, keeper)
