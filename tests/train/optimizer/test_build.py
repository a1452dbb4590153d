"""Each optimizer, schedule and warm-up in the loop itself, against torch's own stepped by hand."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from mtbench.contract import Inputs, NoOptions, Setup, SharedRepresentation, stream
from mtbench.errors import UsageError
from mtbench.plan.spec import RunSpec
from mtbench.train.assemble import assemble
from mtbench.train.loop import fit
from mtbench.train.optimizer.build import build_optimizer
from mtbench.train.optimizer.muon import Muon
from mtbench.train.phases import phases
from tests.builders.keepers import Memory
from tests.train.runs import CPU, run, same, spec_of

EPOCHS, BATCH, EXAMPLES, RATE = 3, 16, 48, 0.02
STEPS = EXAMPLES // BATCH
SMALL: dict[str, Any] = {"images": str(EXAMPLES), "lr": str(RATE)}
DECAY: dict[str, Any] = {"weight-decay": ".1"}
OPTIMIZERS: list[dict[str, Any]] = [
    {"optimizer": "adam", "beta1": ".8", "weight-decay": ".1"},
    {"optimizer": "adamw", "weight-decay": ".1"},
    {"optimizer": "sgd", "momentum": ".7", "weight-decay": ".1"},
    {"optimizer": "adagrad", "initial-accumulator": ".1", "weight-decay": ".1"},
    {"optimizer": "muon", "flatten-kernels": "true", "weight-decay": ".1"},
]


def by_hand(spec: RunSpec, make: Callable[[list[nn.Parameter]], Any], rates: list[float]) -> dict[str, torch.Tensor]:
    """Return the weights after steps with the given learning rates, one per step, of torch's own optimizer."""
    made = assemble(spec, root=Path(), device=CPU)
    optimizer = make(list(made.network.parameters()))
    for epoch in range(EPOCHS):
        order = torch.randperm(EXAMPLES, generator=stream(0, "order", epoch))
        for step, rows in enumerate(torch.split(order, BATCH)):
            optimizer.zero_grad()
            made.balancer.backward(made.network, made.splits["train"].batch(rows))
            for group in optimizer.param_groups:
                group["lr"] = rates[epoch * STEPS + step]
            optimizer.step()
    return made.network.state_dict()


@pytest.mark.parametrize(
    ("settings", "make"),
    [
        ({"optimizer": "adam"}, lambda own: torch.optim.Adam(own, fused=True)),
        (OPTIMIZERS[0], lambda own: torch.optim.Adam(own, betas=(0.8, 0.999), weight_decay=0.1, fused=True)),
        (OPTIMIZERS[1], lambda own: torch.optim.AdamW(own, weight_decay=0.1, fused=True)),
        (OPTIMIZERS[2], lambda own: torch.optim.SGD(own, momentum=0.7, weight_decay=0.1, fused=True)),
        (
            OPTIMIZERS[3],
            lambda own: torch.optim.Adagrad(own, weight_decay=0.1, initial_accumulator_value=0.1, fused=True),
        ),
    ],
)
def test_the_loop_gives_the_bits_of_torchs_own_optimizer(
    settings: dict[str, Any], make: Callable[[list[nn.Parameter]], Any]
) -> None:
    spec = spec_of("uniform", schedule="constant", **SMALL, **settings)
    expected = by_hand(spec, make, [RATE] * EPOCHS * STEPS)
    assert all(torch.equal(expected[name], weight) for name, weight in run(spec).model.items())


@pytest.mark.parametrize(
    ("settings", "factors"),
    [
        ({"schedule": "halving"}, [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25]),
        ({"schedule": "exponential:factor=.5"}, [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25]),
        ({"schedule": "step:every=2:factor=.25"}, [1, 1, 1, 1, 1, 1, 0.25, 0.25, 0.25]),
        ({"schedule": "cosine"}, [1, 1, 1, 0.75, 0.75, 0.75, 0.25, 0.25, 0.25]),
        ({"schedule": "constant", "warmup": "1"}, [1 / 3, 2 / 3, 1, 1, 1, 1, 1, 1, 1]),
        ({"schedule": "halving", "warmup": "2"}, [1 / 6, 1 / 3, 1 / 2, 1 / 3, 5 / 12, 1 / 2, 1 / 4, 1 / 4, 1 / 4]),
    ],
)
def test_the_loop_takes_each_step_at_the_rate_of_schedule_and_warm_up(
    settings: dict[str, Any], factors: list[float]
) -> None:
    spec = spec_of("uniform", optimizer="sgd", **SMALL, **settings)
    expected = by_hand(spec, lambda own: torch.optim.SGD(own, momentum=0.9), [RATE * factor for factor in factors])
    assert all(torch.allclose(expected[name], weight, atol=1e-6) for name, weight in run(spec).model.items())
    constant = run(spec_of("uniform", optimizer="sgd", schedule="constant", **SMALL)).model
    assert not all(torch.allclose(expected[name], weight, atol=1e-4) for name, weight in constant.items())


def test_a_task_that_is_added_has_schedule_and_warm_up_from_the_start() -> None:
    memory = States()
    spec = spec_of("uniform", adds="all", schedule="cosine", warmup="1", **SMALL)
    fit(assemble(spec, root=Path(), device=CPU), spec.protocol, keeper=memory)
    assert memory.rates == pytest.approx(2 * [RATE, 0.75 * RATE, 0.25 * RATE])


class States(Memory):
    """Keeps the learning rate of the last step of each epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.rates: list[float] = []

    def keep(self, state: dict[str, Any], curve: Any) -> None:  # noqa: ARG002
        self.rates.append(state["optimizer"]["param_groups"][0]["lr"])


class Layouts(SharedRepresentation):
    """Parameters that lie in memory in several ways."""

    def __init__(self, options: Any, setup: Setup) -> None:
        super().__init__(options, setup)
        values = torch.randn(6, 5, 3, 4, generator=stream(0, "test"))
        self.last = nn.Parameter(values.to(memory_format=torch.channels_last))
        self.transposed = nn.Parameter(values[0, 0].clone().T)
        self.plain = nn.Parameter(values[0].clone())
        self.without_gradient = nn.Parameter(values[1].clone())

    def encode(self, inputs: Inputs) -> torch.Tensor:
        raise NotImplementedError

    def decode(self, z: torch.Tensor) -> list[torch.Tensor]:
        raise NotImplementedError


class Sparse(Layouts):
    """The same, and one of which every other number is another tensor's."""

    def __init__(self, options: Any, setup: Setup) -> None:
        super().__init__(options, setup)
        self.others = torch.ones(4, 6)
        self.every_other = nn.Parameter(self.others[:, ::2])


@pytest.mark.parametrize("settings", OPTIMIZERS[:-1], ids=lambda settings: settings["optimizer"])
@pytest.mark.parametrize("network", [Layouts, Sparse])
def test_gradients_in_another_memory_format_move_the_right_numbers(
    settings: dict[str, Any], network: type[Layouts]
) -> None:
    spec = spec_of("uniform", **SMALL, **settings)
    assembled = assemble(spec, root=Path(), device=CPU)
    moved, contiguous = (network(NoOptions(), assembled.setup) for _ in range(2))
    for parameter in contiguous.parameters():
        parameter.data = parameter.data.contiguous()
    (phase,) = phases(assembled, spec.protocol)
    optimizers = [build_optimizer(spec.protocol, each, phase) for each in (moved, contiguous)]
    generator = stream(0, "test")
    for _ in range(3):
        for one, other in zip(moved.parameters(), contiguous.parameters(), strict=True):
            if one is not moved.without_gradient:
                one.grad = torch.randn(one.shape, generator=generator)
                other.grad = one.grad.clone()
        for optimizer in optimizers:
            optimizer.step()
    for (name, one), other in zip(moved.named_parameters(), contiguous.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-6), name
        assert one.equal(network(NoOptions(), assembled.setup).get_parameter(name)) == (name == "without_gradient")
    assert not isinstance(moved, Sparse) or (moved.others[:, 1::2] == 1).all()


@pytest.mark.parametrize("settings", OPTIMIZERS, ids=lambda settings: settings["optimizer"])
@pytest.mark.parametrize("stop_after", [1, 2])
def test_a_run_that_was_interrupted_gives_the_bits_of_one_that_was_not(
    settings: dict[str, Any], stop_after: int
) -> None:
    spec = spec_of("branches+uncertainty", schedule="cosine", warmup="1.5", **SMALL, **settings)
    keeper = Memory(stop_after=stop_after)
    with pytest.raises(KeyboardInterrupt):
        run(spec, keeper)
    assert same(run(spec, keeper), run(spec))


def optimizer_of(spec: RunSpec) -> tuple[torch.optim.Optimizer, dict[int, str]]:
    """Return the optimizer of a run, and the names of the network's parameters by id."""
    made = assemble(spec, root=Path(), device=CPU)
    (phase,) = phases(made, spec.protocol)
    names = {id(parameter): name for name, parameter in made.network.named_parameters()}
    return build_optimizer(spec.protocol, made.network, phase), names


@pytest.mark.parametrize("kernels", [False, True])
def test_muon_moves_linear_weights_and_if_asked_kernels_and_adamw_everything_else(*, kernels: bool) -> None:
    flatten: dict[str, Any] = {"flatten-kernels": "true"} if kernels else {}
    spec = spec_of("branches@resnet18:width=.0625", optimizer="muon", **flatten, **DECAY)
    optimizer, names = optimizer_of(spec)
    assert isinstance(optimizer, Muon)
    others, matrices = optimizer.param_groups
    assert (others["matrix"], matrices["matrix"]) == (False, True)
    assert {parameter.ndim for parameter in matrices["params"]} == ({2, 4} if kernels else {2})
    assert {parameter.ndim for parameter in others["params"]} == ({1} if kernels else {1, 4})
    found = {names[id(parameter)] for group in (others, matrices) for parameter in group["params"]}
    assert found == set(names.values())


def test_muon_leaves_tables_of_vectors_per_task_to_adamw() -> None:
    """chmod has matrices (tasks, channels) of factors, which map nothing to anything."""
    optimizer, names = optimizer_of(spec_of("chmod", optimizer="muon"))
    (matrices,) = (group for group in optimizer.param_groups if group["matrix"])
    assert not any("modulation" in names[id(parameter)] for parameter in matrices["params"])
    assert any(name.startswith("modulation") for name in names.values())


def test_muon_in_the_loop_moves_each_parameter_as_its_group_says() -> None:
    spec = spec_of("uniform", optimizer="muon", schedule="constant", epochs="1", **{**SMALL, "images": str(BATCH)})
    made = assemble(spec, root=Path(), device=CPU)
    before = {name: weight.detach().clone() for name, weight in made.network.named_parameters()}
    order = torch.randperm(BATCH, generator=stream(0, "order", 0))
    made.balancer.backward(made.network, made.splits["train"].batch(order))
    after = run(spec).model
    for name, parameter in made.network.named_parameters():
        moved = (after[name] - before[name]).double()
        if parameter.ndim == 2:
            assert parameter.grad is not None
            u, values, v = torch.linalg.svd(parameter.grad.double(), full_matrices=False)
            speeds = (u.T @ moved @ v.T).diagonal()[values > 0.05 * values.norm()]
            length = RATE * max(1, parameter.shape[0] / parameter.shape[1]) ** 0.5
            assert -1.25 * length < speeds.min()
            assert speeds.max() < -0.65 * length
        else:
            assert moved.any(), name
            assert torch.allclose(moved.abs()[moved != 0], torch.tensor(RATE).double(), rtol=0.05)  # adam's first step


def test_a_balancers_own_parameters_never_decay_and_muon_leaves_them_to_adamw() -> None:
    for optimizer in ("adam", "muon"):
        made, names = optimizer_of(spec_of("branches+uncertainty", optimizer=optimizer, **DECAY))
        own = [group for group in made.param_groups if not any(id(each) in names for each in group["params"])]
        assert [(len(group["params"]), group["weight_decay"]) for group in own] == [(2, 0.0)]
        assert not own[0].get("matrix")
        assert all(group["weight_decay"] == 0.1 for group in made.param_groups if group is not own[0])


def test_muon_without_any_matrix_is_refused() -> None:
    with pytest.raises(UsageError) as error:
        optimizer_of(spec_of("uniform", "toy2", optimizer="muon"))
    assert str(error.value) == (
        "optimizer 'muon' is for matrices, and network 'Branches' has none. Use --set flatten-kernels=true if it "
        "has convolutions, or --set optimizer=adamw."
    )


@pytest.mark.parametrize("settings", OPTIMIZERS, ids=lambda settings: settings["optimizer"])
@pytest.mark.parametrize(("method", "dataset"), [("td", "toy-all"), ("chmod", "toy-all")])
def test_neither_decay_nor_muon_moves_what_is_frozen_while_a_task_is_held_back_or_added(
    method: str, dataset: str, settings: dict[str, Any]
) -> None:
    spec = spec_of(method, dataset, adds="own", epochs="1", **SMALL, **settings)
    made = assemble(spec, root=Path(), device=CPU)
    plan = phases(made, spec.protocol)
    assert any(mask is not None for phase in plan for mask in phase.frozen.values())
    start = {name: value.clone() for name, value in made.network.state_dict().items()}
    keeper = Memory(stop_after=1)
    with pytest.raises(KeyboardInterrupt):
        run(spec, keeper)
    state = keeper.restore()
    assert state is not None
    for (before, after), phase in zip(
        ((start, state["network"]), (state["network"], run(spec).model)), plan, strict=True
    ):
        moved = 0
        for name, value in before.items():
            mask = phase.frozen.get(name, torch.zeros(value.shape, dtype=torch.bool))
            still = torch.ones(value.shape, dtype=torch.bool) if mask is None else mask
            assert torch.equal(value[still], after[name][still]), name
            moved += int((value != after[name]).sum())
        assert moved
