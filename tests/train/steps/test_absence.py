"""Parameters of a task do not move in a step without it, whatever the optimizer remembers."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from torch import Tensor, nn

from mtbench.contract import (
    Batch,
    Inputs,
    Losses,
    LossWeighting,
    NoOptions,
    OneTaskNetwork,
    RepresentationBalancer,
    Setup,
)
from mtbench.train.assemble import Assembly, assemble
from mtbench.train.loop import fit
from mtbench.train.optimizer.absence import Absence, absences
from mtbench.train.optimizer.muon import Muon
from mtbench.train.optimizer.ownership import Stacked, Whole, owners
from mtbench.train.phases import phases, some_inputs
from mtbench_methods.balancers.gradient_surgery.pcgrad import PCGrad
from tests.builders.keepers import Memory
from tests.train.runs import CPU, run, spec_of

OPTIMIZERS: dict[str, dict[str, str]] = {
    "adam": {"weight-decay": ".01"},
    "adamw": {"optimizer": "adamw", "weight-decay": ".01"},
    "sgd": {"optimizer": "sgd", "weight-decay": ".01"},
    "adagrad": {"optimizer": "adagrad", "weight-decay": ".01"},
    "muon": {"optimizer": "muon", "weight-decay": ".01", "flatten-kernels": "true"},
}
LATE = 48
"""The examples from this one on have no label of the last task."""


def half_labeled(method: str, dataset: str = "toy-all", **settings: Any) -> tuple[Assembly, Any]:
    """Return a run in which the last task has labels in the first half of the examples alone, and its protocol."""
    spec = spec_of(method, dataset, **settings)
    made = assemble(spec, root=Path(), device=CPU)
    split = made.splits["train"]
    split.defined[LATE:, -1] = False
    split.targets[-1][LATE:] = -1
    return made, spec.protocol


@dataclasses.dataclass
class Watched:
    """The steps of a training: per step whether the last task was absent, and which of its numbers moved."""

    absent: list[bool]
    moved: list[int]
    other: list[int]


def watched(made: Assembly, protocol: Any) -> Watched:
    """Train, and count per step the numbers of the last task that moved and those of all others."""
    network, last = made.network, len(made.tasks) - 1
    found = owners(network, some_inputs(made), seed=0)
    own = {}
    for name, parameter in network.named_parameters():
        match found.get(name):
            case Whole(task):
                own[name] = torch.full_like(parameter, task == last, dtype=torch.bool)
            case Stacked(dimension):
                own[name] = torch.zeros_like(parameter, dtype=torch.bool)
                own[name].select(dimension, last).fill_(True)
            case None:
                own[name] = torch.zeros_like(parameter, dtype=torch.bool)
    assert any(mask.any() for mask in own.values())
    seen = Watched(absent=[], moved=[], other=[])
    before: dict[str, Tensor] = {}
    backward, after_step = made.balancer.backward, made.balancer.after_step

    def begins(network: Any, batch: Batch) -> Losses:
        before.update({name: value.detach().clone() for name, value in network.named_parameters()})
        return backward(network, batch)

    def ends(network: Any, batch: Batch) -> None:
        after_step(network, batch)
        changed = {name: value.detach() != before[name] for name, value in network.named_parameters()}
        seen.absent.append(not batch.use[last].any())
        seen.moved.append(sum(int((changed[name] & own[name]).sum()) for name in own))
        seen.other.append(sum(int((changed[name] & ~own[name]).sum()) for name in own))

    made.balancer.backward, made.balancer.after_step = begins, ends  # type: ignore[method-assign]
    fit(made, protocol, keeper=Memory(), points=())
    return seen


def late_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each epoch visit the examples in their order, the second half of which lacks the last task."""
    monkeypatch.setattr(torch, "randperm", lambda count, **_: torch.arange(count))


METHODS = [
    *(("td", settings) for settings in OPTIMIZERS.values()),
    *(("chmod", settings) for settings in OPTIMIZERS.values()),
    ("chmod:variant=projection", OPTIMIZERS["adam"]),
    ("film", OPTIMIZERS["adam"]),
    ("tensormod", OPTIMIZERS["sgd"]),
    ("routing", OPTIMIZERS["adam"]),
    ("astmt", OPTIMIZERS["adam"]),
    ("single", OPTIMIZERS["adamw"]),
    ("branches", OPTIMIZERS["adam"]),
    ("branches+pcgrad", OPTIMIZERS["adam"]),
    ("chmod+pcgrad", OPTIMIZERS["adam"]),
    ("mtan", OPTIMIZERS["sgd"]),
    ("progressive", OPTIMIZERS["adam"]),
]


@pytest.mark.parametrize(("method", "settings"), METHODS, ids=[f"{m}-{s.get('optimizer', 'adam')}" for m, s in METHODS])
def test_nothing_of_an_absent_task_moves_and_everything_else_does(
    method: str, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    late_batches(monkeypatch)
    made, protocol = half_labeled(method, epochs="2", **settings)
    seen = watched(made, protocol)
    assert seen.absent == 2 * [False, False, False, True, True, True]
    assert [moved for moved, absent in zip(seen.moved, seen.absent, strict=True) if absent] == 6 * [0]
    assert all(moved for moved, absent in zip(seen.moved, seen.absent, strict=True) if not absent)
    assert all(seen.other)


def test_without_the_mechanism_it_does_move(monkeypatch: pytest.MonkeyPatch) -> None:
    """The counts of an earlier version: all but a dead unit's number of chmod, and a whole column of td."""
    late_batches(monkeypatch)
    monkeypatch.setattr("mtbench.train.loop.absences", lambda _, plan, **__: {phase.name: Absence() for phase in plan})
    for method, least, most in (("chmod", 29, 30), ("td", 320, 320)):
        made, protocol = half_labeled(method, epochs="1")
        seen = watched(made, protocol)
        assert [least <= moved <= most for moved in seen.moved[3:]] == 3 * [True]


def example_of_contributing() -> type[OneTaskNetwork]:
    """Return the network in CONTRIBUTING.md."""
    text = (Path(__file__).parents[3] / "CONTRIBUTING.md").read_text()
    code = text.split("```python\n")[1].split("```")[0]
    names: dict[str, Any] = {}
    exec(code, names)
    network = names["ScaledFeatures"]
    assert issubclass(network, OneTaskNetwork)
    return cast(type[OneTaskNetwork], network)


def with_network(made: Assembly, network: type[Any]) -> Assembly:
    return dataclasses.replace(made, network=network(NoOptions(), made.setup))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_nothing_of_an_absent_task_moves_in_the_example_of_contributing(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    late_batches(monkeypatch)
    made, protocol = half_labeled("chmod", epochs="2", **OPTIMIZERS[name])
    seen = watched(with_network(made, example_of_contributing()), protocol)
    assert seen.moved[3:6] == seen.moved[9:] == [0, 0, 0]
    assert min(seen.moved[:3]) > 40  # of 50 features


class Restacked(OneTaskNetwork):
    """A vector for each task in a parameter of its own, all of which are stacked in every forward pass: a task that is
    absent has a gradient of zeros and not none."""

    per_task = frozenset({"scales"})

    def __init__(self, options: Any, setup: Setup) -> None:
        super().__init__(options, setup)
        self.backbone = setup.build_backbone()
        self.branch = setup.head(self.backbone, self.widest, "branch")
        self.scales = nn.ParameterList([nn.Parameter(torch.ones(self.backbone.features)) for _ in setup.tasks])

    def forward(self, inputs: Inputs, task: Tensor) -> Tensor:
        answer: Tensor = self.branch(self.backbone(inputs) * torch.stack(list(self.scales))[task])
        return answer


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_parameter_of_one_task_is_skipped_where_its_gradient_is_zero_and_not_none(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    late_batches(monkeypatch)
    made, protocol = half_labeled("chmod", epochs="2", **OPTIMIZERS[name])
    seen = watched(with_network(made, Restacked), protocol)
    assert seen.moved[3:6] == seen.moved[9:] == [0, 0, 0]
    assert min(seen.moved[:3]) > 40


def test_a_penalty_does_not_move_what_belongs_to_an_absent_task(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eq. 8 of channel modulation has a gradient in the vectors of three tasks, whichever are present."""
    late_batches(monkeypatch)
    method = "chmod:regularizer=1:triple=same/upper/lower:beta=9"
    made, protocol = half_labeled(method, "toy-three", epochs="2", clip="1")
    with torch.no_grad():  # at first all vectors are 1, where the regularizer is flat
        for vectors in made.network.modulation.values():  # type: ignore[operator]
            vectors.add_(torch.linspace(-0.1, 0.1, vectors.numel()).view_as(vectors))
    seen = watched(made, protocol)
    assert seen.moved[3:6] == seen.moved[9:] == [0, 0, 0]
    assert min(seen.moved[:3]) == 30


class Scales(LossWeighting):
    """A learned log-scale of each loss, all of them in one parameter."""

    per_task = frozenset({"logs"})

    def __init__(self, options: Any, tasks: Any) -> None:
        super().__init__(options, tasks)
        self.logs = nn.Parameter(torch.zeros(len(tasks)))

    def weigh(self, losses: Losses) -> Tensor:
        return losses.base_weights * self.logs.exp()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_balancers_own_row_of_an_absent_task_stays(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    late_batches(monkeypatch)
    made, protocol = half_labeled("branches", epochs="2", **OPTIMIZERS[name])
    made = dataclasses.replace(made, balancer=Scales(NoOptions(), made.tasks))
    values: list[list[float]] = []
    logs = made.balancer.logs
    assert isinstance(logs, nn.Parameter)
    made.balancer.after_step = lambda *_: values.append(logs.tolist())  # type: ignore[method-assign]
    fit(made, protocol, keeper=Memory(), points=())
    first, last = zip(*values, strict=True)
    assert len(set(first)) == 12
    assert len(set(last)) == 6
    assert last[2] == last[3] == last[4] == last[5]


class ScaledRule(PCGrad):
    """PCGrad of scaled losses, with a log-scale of each in one parameter."""

    per_task = frozenset({"logs"})

    def __init__(self, options: Any, tasks: Any) -> None:
        super().__init__(options, tasks)
        self.logs = nn.Parameter(torch.zeros(len(tasks)))


class ScaledRuleUB(RepresentationBalancer):
    """The same in the space of the representation."""

    Rule = ScaledRule


def test_rows_of_the_rule_that_a_balancer_applies_are_kept_too() -> None:
    spec = spec_of("branches", "toy-partial")
    made = assemble(spec, root=Path(), device=CPU)
    balancer = ScaledRuleUB(NoOptions(), made.tasks)
    made = dataclasses.replace(made, balancer=balancer)
    ((parameter, dimension),) = absences(made, phases(made, spec.protocol), one_task=False)["training"].stacked
    assert parameter is cast(ScaledRule, balancer.rule).logs
    assert dimension == 0


def present_in(steps: int) -> Iterator[tuple[bool, ...]]:
    """Yield three tasks by step, present or not: all, then two, then one that comes and goes."""
    for step in range(steps):
        yield (True, step % 2 == 0, step in (0, 1, 5))


def batch_with(present: tuple[bool, ...]) -> Batch:
    return Batch(
        inputs=torch.zeros(1, 1),
        targets=(),
        use=torch.tensor(present)[:, None],
        drawn=None,
        inputs_per_example=1,
        rows=torch.zeros(1, dtype=torch.int64),
        foreground=None,
    )


TORCH: dict[str, Any] = {
    "sgd": lambda group: torch.optim.SGD(group, lr=0.1, momentum=0.9, weight_decay=0.1),
    "adagrad": lambda group: torch.optim.Adagrad(group, lr=0.1, weight_decay=0.1, initial_accumulator_value=0.5),
    "adam": lambda group: torch.optim.Adam(group, lr=0.1, weight_decay=0.1),
    "adam of all at once": lambda group: torch.optim.Adam(group, lr=0.1, weight_decay=0.1, foreach=True),
    "adamw, fused": lambda group: torch.optim.AdamW(group, lr=0.1, weight_decay=0.1, fused=True),
    "adam, fused": lambda group: torch.optim.Adam(group, lr=0.1, weight_decay=0.1, fused=True),
    "sgd, fused": lambda group: torch.optim.SGD(group, lr=0.1, momentum=0.9, weight_decay=0.1, fused=True),
    "adagrad, fused": lambda group: torch.optim.Adagrad(group, lr=0.1, initial_accumulator_value=0.5, fused=True),
    "muon's adamw": lambda group: Muon([{"params": group, "weight_decay": 0.1}], lr=0.1),
}


@pytest.mark.parametrize("dimension", [0, 1])
@pytest.mark.parametrize("optimizer", TORCH)
def test_rows_of_one_tensor_move_as_vectors_that_are_parameters_to_themselves(optimizer: str, dimension: int) -> None:
    """Absence means what torch does with a parameter without a gradient; Adam's count of steps alone is that of
    the whole tensor, and is given to the vectors here."""
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(3, 4, generator=generator)
    together = nn.Parameter(start.clone() if dimension == 0 else start.T.clone())
    apart = [nn.Parameter(row.clone()) for row in start]
    one, many = TORCH[optimizer]([together]), TORCH[optimizer](apart)
    absence = Absence(stacked=[(together, dimension)])
    for step, present in enumerate(present_in(9)):
        batch, gradient = batch_with(present), torch.randn(3, 4, generator=generator)
        gradient *= torch.tensor(present)[:, None]
        together.grad = gradient.clone() if dimension == 0 else gradient.T.clone()
        for vector, row, here in zip(apart, gradient, present, strict=True):
            vector.grad = row.clone() if here else None
            if "step" in many.state[vector]:
                many.state[vector]["step"].fill_(step)
        absence.drop_gradients(batch)
        with absence.held(one, batch):
            one.step()
        many.step()
        found = together if dimension == 0 else together.T
        assert torch.allclose(found, torch.stack([*apart]), rtol=1e-6, atol=0)
    assert not torch.allclose(found, start, atol=0.05)


def test_a_task_that_has_not_come_yet_leaves_no_trace_in_what_an_optimizer_remembers() -> None:
    """Momentum begins with the first gradient, in which weight decay is."""
    rows = nn.Parameter(torch.ones(2, 3))
    optimizer = torch.optim.SGD([rows], lr=0.1, momentum=0.9, weight_decay=0.5)
    rows.grad = torch.tensor([[1.0] * 3, [0.0] * 3])
    with Absence(stacked=[(rows, 0)]).held(optimizer, batch_with((True, False))):
        optimizer.step()
    assert rows[1].tolist() == [1.0] * 3
    assert optimizer.state[rows]["momentum_buffer"].tolist() == [[1.5] * 3, [0.0] * 3]


@pytest.mark.parametrize(("method", "name"), [("td", "adam"), ("chmod", "sgd"), ("film", "muon")])
def test_interrupted_and_resumed_the_bits_are_the_same(method: str, name: str) -> None:
    settings: dict[str, Any] = {**OPTIMIZERS[name], "batch": "4", "images": "32"}
    spec = spec_of(method, "toy-partial", **settings)
    keeper = Memory(stop_after=1)
    with pytest.raises(KeyboardInterrupt):
        run(spec, keeper)
    resumed, undisturbed = run(spec, keeper).model, run(spec).model
    assert all(torch.equal(resumed[value], undisturbed[value]) for value in undisturbed)


def test_nothing_is_looked_for_where_every_step_has_all_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError

    monkeypatch.setattr("mtbench.train.optimizer.absence.owners", refuse)
    for method, dataset in (("branches", "toy-all"), ("td", "toy-all:tasks=upper")):
        run(spec_of(method, dataset, epochs="1"))
    with pytest.raises(AssertionError):
        run(spec_of("td", epochs="1"))


def test_in_a_phase_of_its_own_a_network_is_looked_at_as_it_is_then_and_left_as_it_was() -> None:
    """Only-mask has branches in its first phase, and rows of vectors in its second."""
    spec = spec_of("only-mask", "toy-retrieval")
    made = assemble(spec, root=Path(), device=CPU)
    before = {name: value.clone() for name, value in made.network.state_dict().items()}
    found = absences(made, phases(made, spec.protocol), one_task=True)
    assert {name: (bool(each.whole), bool(each.stacked)) for name, each in found.items()} == {
        "branches": (True, False),
        "masks": (False, True),
    }
    assert all(torch.equal(value, before[name]) for name, value in made.network.state_dict().items())


@pytest.mark.parametrize("method", ["csn:masks=learned", "only-mask", "chmod", "td"])
def test_triplets_of_one_task_move_nothing_of_the_other(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    late_batches(monkeypatch)
    spec = spec_of(method, "toy-retrieval", epochs="2", batch="1")
    made = assemble(spec, root=Path(), device=CPU)
    split = made.splits["train"]
    made = dataclasses.replace(made, splits={**made.splits, "train": split.first(24)})
    state = {"now": None}
    stacked = {name: each.stacked for name, each in absences(made, phases(made, spec.protocol), one_task=True).items()}
    rows = [parameter for each in stacked.values() for parameter, _ in each]
    assert rows
    backward, counts = made.balancer.backward, [0, 0]

    def begins(network: Any, batch: Batch) -> Losses:
        check(None)
        state["now"] = ([row.detach().clone() for row in rows], batch.present)  # type: ignore[assignment]
        return backward(network, batch)

    def check(_: Any) -> None:
        if state["now"] is None:
            return
        before, present = state["now"]
        for row, value in zip(rows, before, strict=True):
            moved = (row.detach() != value).flatten(1) if row.shape[0] == 2 else (row.detach() != value).T
            for task in range(2):
                assert present[task] or not moved[task].any()
                counts[present[task]] += int(moved[task].sum())

    made.balancer.backward = begins  # type: ignore[method-assign]
    fit(made, spec.protocol, keeper=Memory(), points=())
    check(None)
    assert counts[0] == 0
    assert counts[1] > 0
