"""Adding a task: what moves in which phase, what it costs, and that it can be stopped anywhere."""

import dataclasses
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mtbench.contract import Network, NoOptions, stream
from mtbench.engines.job import execute
from mtbench.errors import UsageError
from mtbench.plan.grid import Request, plan
from mtbench.plan.spec import RunSpec
from mtbench.store.record import PhaseInfo, read_record, render_record
from mtbench.store.run.folder import RunFolder
from mtbench.train.assemble import Assembly, assemble
from mtbench.train.cost import estimate
from mtbench.train.cost.speeds import seconds_at
from mtbench.train.loop import curve_epochs, fit
from mtbench.train.optimizer.ownership import owned
from mtbench.train.phases import phases
from mtbench.train.progress import Progress
from tests.builders.keepers import Memory
from tests.train.runs import CPU, run, same, spec_of

EPOCHS = 3
MODES = ["own", "all"]


def assembled(spec: RunSpec) -> Assembly:
    return assemble(spec, root=Path(), device=CPU)


def own(spec: RunSpec) -> dict[str, Tensor]:
    """Return the masks of what belongs to the last task alone."""
    made = assembled(spec)
    return owned(made.network, len(made.tasks) - 1, made.splits["train"].batch(torch.arange(8)).inputs, seed=1)


def stopped(spec: RunSpec, epochs: int) -> dict[str, Any]:
    """Return the state that a run has kept after so many epochs."""
    keeper = Memory(stop_after=epochs)
    with pytest.raises(KeyboardInterrupt):
        run(spec, keeper)
    state = keeper.restore()
    assert state is not None
    return state


def test_without_a_task_to_add_there_is_one_phase_of_everything() -> None:
    (only,) = phases(assembled(spec_of("td")), spec_of("td").protocol)
    assert (only.start, only.end, only.shown, only.adds, only.frozen) == (0, EPOCHS, (0, 1), None, {})
    assert run(spec_of("td")).phases == ()


UNTOUCHED = [
    "td",
    "chmod",
    "film",
    "branches",
    "mtan",
    "mtan+imtl-g",
    "branches+pcgrad",
    "branches+nash-mtl",
    "moo",
    "td+gradnorm",
    "chmod+famo",
    "film+cagrad",
    "branches+toy-drift",
    "td+mgda",
    "astmt",
    "single",
    "chmod:regularizer=1:triple=upper/lower/same:beta=9",
]


@pytest.mark.parametrize("method", UNTOUCHED)
def test_until_it_is_added_nothing_that_is_a_tasks_own_moves(method: str) -> None:
    spec = spec_of(method, "toy-partial", adds="all", epochs="1")
    before, after, masks = assembled(spec).network.state_dict(), stopped(spec, 1)["network"], own(spec)
    assert masks
    for name, mask in masks.items():
        assert torch.equal(before[name][mask], after[name][mask]), name
    moved = [name for name in before if not torch.equal(before[name], after[name])]
    assert len(moved) > 3


@pytest.mark.parametrize("method", ["branches", "branches+pcgrad", "moo", "mtan", "single", "branches+uncertainty"])
def test_the_first_phase_is_the_training_of_a_dataset_without_the_last_task(method: str) -> None:
    """To the bit: what is seeded by name starts alike, and an absent task is not felt."""
    spec = spec_of(method, "toy-partial", adds="own", epochs="2")
    found = stopped(spec, 2)["network"]
    alone = run(spec_of(method, "toy-partial:tasks=upper/lower", epochs="2")).model
    shared = [name for name in alone if "transitions" not in name]
    assert len(shared) > 5
    assert all(torch.equal(found[name], alone[name]) for name in shared)


def test_one_task_networks_are_never_asked_for_the_task_that_is_held_back() -> None:
    for method in ("td", "chmod"):
        first = run(spec_of(method, "toy-all", adds="own")).curve[EPOCHS - 1]
        assert math.isnan(first.train_losses["lower"])
        assert first.label_uses == EPOCHS * 96


FROZEN = [
    "td",
    "chmod",
    "film",
    "branches",
    "mtan",
    "cross-stitch",
    "mmoe",
    "ple",
    "astmt",
    "single",
    "routing",
    "progressive",
]


@pytest.mark.parametrize(
    ("backbone", "optimizer"), [("lenet", "adam"), ("lenet", "sgd"), ("resnet18:width=.0625", "adam")]
)
@pytest.mark.parametrize("method", FROZEN)
def test_added_alone_a_task_moves_its_own_numbers_and_not_a_bit_of_anything_else(
    method: str, backbone: str, optimizer: str
) -> None:
    """Weights of all layers, running statistics, and the balancer."""
    spec = spec_of(f"{method}@{backbone}", adds="own", epochs="1", optimizer=optimizer, clip="1", images="32")
    before, masks = stopped(spec, 1), own(spec)
    keeper = Memory()
    trained = run(spec, keeper)
    for name, value in trained.model.items():
        if name in masks:
            assert torch.equal(value[~masks[name]], before["network"][name][~masks[name]]), name
        elif not _statistic_of(name, masks):
            assert torch.equal(value, before["network"][name]), name
    changed = [name for name in masks if not torch.equal(trained.model[name], before["network"][name])]
    assert len(changed) > 0.7 * len(masks)


def _statistic_of(name: str, masks: dict[str, Tensor]) -> bool:
    """Return True if a buffer lies beside parameters that are the new task's own, as the statistics of its own norms
    do."""
    return any(mask.rpartition(".")[0] == name.rpartition(".")[0] for mask in masks) and not name.endswith("weight")


def test_added_alone_a_task_leaves_the_balancer_as_it_was() -> None:
    spec = spec_of("branches+toy-drift", adds="own")
    keeper = Memory()
    run(spec, keeper)
    end = keeper.restore()
    assert end is not None
    before = stopped(spec, EPOCHS)["balancer"]
    assert before["steps"] == EPOCHS * 6
    assert all(torch.equal(end["balancer"][name], before[name]) for name in before)


def test_a_branch_that_is_added_alone_learns_as_it_would_by_itself_on_a_frozen_backbone() -> None:
    """Plain PyTorch: features of the backbone as it was, a fresh Adam, the learning rate halved from its start."""
    spec = spec_of("uniform", adds="own")
    found, made, middle = run(spec), assembled(spec), stopped(spec, EPOCHS)["network"]
    made.network.load_state_dict(middle)
    split = made.splits["train"]
    with torch.no_grad():
        features = made.network.encode(split.batch(torch.arange(96)).inputs)  # type: ignore[operator]
    branch = made.network.branches[1]  # type: ignore[index]
    assert isinstance(branch, nn.Module)
    optimizer = torch.optim.Adam(branch.parameters())
    for epoch, rate in enumerate([3e-3, 1.5e-3, 0.75e-3]):
        optimizer.param_groups[0]["lr"] = rate
        for rows in torch.split(torch.randperm(96, generator=stream(0, "order", EPOCHS + epoch)), 16):
            optimizer.zero_grad()
            nn.functional.cross_entropy(branch(features[rows]), split.targets[1][rows]).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    for name, value in branch.state_dict().items():
        assert torch.allclose(value, found.model[f"branches.1.{name}"], atol=1e-6)


def test_a_task_that_is_added_with_all_is_trained_with_every_other_by_a_fresh_optimizer() -> None:
    """Plain PyTorch from where the first phase ended: the mean of both losses, and an Adam that remembers nothing."""
    spec = spec_of("uniform", adds="all", epochs="1")
    found, made = run(spec), assembled(spec)
    made.network.load_state_dict(stopped(spec, 1)["network"])
    optimizer = torch.optim.Adam(made.network.parameters(), lr=3e-3)
    split = made.splits["train"]
    for rows in torch.split(torch.randperm(96, generator=stream(0, "order", 1)), 16):
        optimizer.zero_grad()
        made.network.losses(split.batch(rows)).means.mean().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    for name, value in made.network.state_dict().items():
        assert torch.allclose(value, found.model[name], atol=1e-6), name


def test_the_embedding_of_a_new_task_starts_from_the_mean_of_the_others() -> None:
    """At a learning rate at which nothing moves to speak of, from initial columns that differ."""
    spec = spec_of("td", "toy-partial", adds="own", epochs="1", lr="1e-12")
    initial = assembled(spec).network.state_dict()["embedding.weight"]
    final = run(spec).model["embedding.weight"]
    assert torch.allclose(final[:, 2], (initial[:, 0] + initial[:, 1]) / 2, atol=1e-6)
    assert torch.allclose(final[:, :2], initial[:, :2], atol=1e-6)
    assert not torch.allclose(final[:, 2], initial[:, 2], atol=1e-3)


def test_what_changes_as_training_goes_on_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int, int]] = []
    monkeypatch.setattr(Network, "begin_epoch", lambda _, epoch, epochs: told.append((epoch, epochs)))
    run(spec_of("uniform", adds="own"))
    assert told == 2 * [(0, EPOCHS), (1, EPOCHS), (2, EPOCHS)]


@pytest.mark.parametrize("stop_after", [1, 2, 3])
@pytest.mark.parametrize(
    ("method", "mode"),
    [
        *[(method, mode) for method in ("td", "chmod", "branches+toy-drift") for mode in MODES],
        ("moo", "all"),
        ("branches+famo", "all"),
        ("toy-dropout", "all"),
        ("uniform@lenet-dropout", "own"),
        ("mtan", "own"),
        ("uniform@resnet18:width=.125", "own"),
    ],
)
def test_interrupted_in_either_phase_a_run_gives_the_same_bits(method: str, mode: str, stop_after: int) -> None:
    spec = spec_of(method, adds=mode, images="32", epochs="2")
    keeper, undisturbed = Memory(stop_after=stop_after), run(spec)
    with pytest.raises(KeyboardInterrupt):
        run(spec, keeper)
    resumed = run(spec, keeper)
    assert same(resumed, undisturbed)
    assert resumed.phases == undisturbed.phases
    assert resumed.cost.label_uses == undisturbed.cost.label_uses
    assert resumed.cost.steps == undisturbed.cost.steps == 2 * 2 * 2


def test_evaluating_more_or_less_often_gives_the_same_weights() -> None:
    for method in ("mtan", "uniform@lenet-dropout"):
        spec = spec_of(method, adds="own", images="32")
        assert same_weights(run(spec, points=()).model, run(spec).model)


def same_weights(first: Any, second: Any) -> bool:
    return all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize(
    ("method", "mode", "settings", "labels", "passes"),
    [
        ("uniform", "own", {}, 6 * 96, 6 * 96),
        ("uniform", "all", {}, 3 * 96 + 3 * 96 * 2, 6 * 96),
        ("td", "own", {}, 6 * 96, 6 * 96),
        ("td", "all", {}, 6 * 96, 6 * 96),
        ("td", "all", {"tasks-per-image": "all"}, 3 * 96 + 3 * 96 * 2, 6 * 96 * 2),
        ("branches+famo", "own", {}, 6 * 96, 3 * 96 * 2 + 3 * 96),
        ("uniform", "own", {"images": "40", "fraction": ".5"}, 6 * 40, 6 * 40),
    ],
)
def test_the_ledger_counts_both_phases(
    method: str, mode: str, settings: dict[str, Any], labels: int, passes: int
) -> None:
    """FAMO's second forward pass is the balancer's, which a task that is added alone has no use for."""
    trained = run(spec_of(method, adds=mode, **settings))
    assert (trained.cost.label_uses, trained.cost.forward_passes) == (labels, passes)
    assert trained.cost.steps == 6 * math.ceil(int(settings.get("images", 96)) / 16)


@pytest.mark.parametrize(
    ("method", "parameters", "weights"),
    [("td", 320, 320), ("chmod", 30, 30), ("uniform", 3_060, 3_000), ("single", 24_390, 24_250)],
)
def test_a_record_says_what_was_trained_in_each_phase(
    method: str, parameters: int, weights: int, data_root: Path
) -> None:
    spec = plan(Request(methods=[method], datasets=["mmnist2"], settings={"adds": "own", "images": "8"}, seeds=[0]))[0]
    made = assemble(spec, root=data_root, device=CPU)
    first, second = (phase.info(made.network) for phase in phases(made, spec.protocol))
    assert second == PhaseInfo(name="own", epochs=100, parameters=parameters, weights=weights, tasks=("RL",))
    assert (first.name, first.epochs, first.tasks) == ("first", 100, ("LU",))
    assert first.parameters == sum(p.numel() for p in made.network.parameters()) - parameters


def test_added_with_all_every_number_is_trained() -> None:
    trained = run(spec_of("td", adds="all"))
    assert [info.tasks for info in trained.phases] == [("upper",), ("upper", "lower")]
    assert trained.phases[1].parameters == trained.parameters.total
    assert trained.phases[1].weights == trained.parameters.weights


def test_the_phases_are_in_the_record_and_a_record_without_them_is_read(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.write_spec(spec_of("td", adds="own"))
    execute(folder, folder.spec(), tmp_path, "cpu")
    text = (folder.path / "record.json").read_bytes()
    record = read_record(text, "here")
    assert [phase.name for phase in record.phases] == ["first", "own"]
    assert record.epochs == record.curve[-1].epoch == 2 * EPOCHS
    without = dataclasses.replace(record, phases=())
    assert read_record(render_record(without), "here") == without
    assert without.epochs == EPOCHS


def test_a_curve_has_a_point_at_the_end_of_the_first_phase() -> None:
    for epochs in range(1, 200):
        assert {epochs, 2 * epochs} <= curve_epochs(2 * epochs)
    assert curve_epochs(6, "5") == {1, 2, 4, 5, 6}
    assert [point.epoch for point in run(spec_of("uniform", adds="own", curve="5")).curve] == [1, 2, 3, 4, 5, 6]


def test_a_curve_goes_through_both_phases_and_measures_the_task_that_is_held_back() -> None:
    curve = run(spec_of("uniform", adds="own")).curve
    assert [point.epoch for point in curve] == [1, 2, 3, 4, 5, 6]
    assert [math.isnan(point.train_losses["lower"]) for point in curve] == 3 * [True] + 3 * [False]
    assert [math.isnan(point.train_losses["upper"]) for point in curve] == 3 * [False] + 3 * [True]
    assert all(result.count == 48 for point in curve for result in point.results["test"].values())
    old = [point.results["test"]["upper"] for point in curve[2:]]
    assert all(result == old[0] for result in old)  # nothing that answers it moves any more


def test_progress_counts_both_phases() -> None:
    told: list[Progress] = []
    run(spec_of("uniform", adds="own"), watch=told.append)
    assert [progress.epoch for progress in told if progress.step % 6 == 0] == [1, 2, 3, 4, 5, 6]
    assert told[-1].step == told[-1].steps == 36
    assert told[-1].epochs == 6


@pytest.mark.parametrize(
    ("settings", "epochs"),
    [({}, EPOCHS), ({"adds": "own"}, 2 * EPOCHS), ({"adds": "all", "fraction": ".1"}, 2 * EPOCHS)],
)
def test_an_estimate_counts_the_steps_of_every_phase(
    settings: dict[str, Any], epochs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a clock that shows a second more at each look: a third of a second per step, one for the batch looked at."""
    ticks = iter(range(1000))
    monkeypatch.setattr(estimate, "now", lambda _: float(next(ticks)))
    spec = spec_of("td", **settings)
    found = seconds_at(estimate.measure_speed(spec, root=Path(), device=CPU), spec)
    trained_on = 10 if "fraction" in settings else 96
    looks = (epochs * 48 + trained_on) / 48
    assert found == pytest.approx(epochs * 6 / 3 + looks)


def test_an_estimate_steps_through_phases_in_which_other_parameters_are_frozen() -> None:
    """The branch that is frozen as a whole in the first phase is what the second trains."""
    assert estimate.measure_speed(spec_of("uniform", adds="own"), root=Path(), device=CPU).training > 0


def test_with_one_task_there_is_none_to_add() -> None:
    with pytest.raises(UsageError) as error:
        spec_of("uniform", "toy-all:tasks=upper", adds="own")
    assert str(error.value) == (
        "protocol setting 'adds' is 'own', and dataset 'toy-all:tasks=upper' has one task: there is no other task "
        "to train before it is added."
    )


def test_a_network_without_a_parameter_of_one_task_alone_is_refused_at_planning_and_can_be_trained_whole() -> None:
    with pytest.raises(UsageError) as error:
        spec_of("superposition", adds="own")
    assert str(error.value) == (
        "protocol setting 'adds' is 'own', and no parameter of method 'superposition' belongs to one task alone. "
        "Use --set adds=all, which trains every parameter."
    )
    trained = run(spec_of("superposition", adds="all"))
    assert trained.phases[0].parameters == trained.phases[1].parameters == trained.parameters.total


def test_a_network_whose_declared_parts_are_shared_after_all_is_refused_at_its_start() -> None:
    spec = spec_of("uniform", adds="own")
    made = assembled(spec)
    made.network.branches[1] = made.network.branches[0]  # type: ignore[operator,index]
    with pytest.raises(UsageError) as error:
        fit(made, spec.protocol, keeper=Memory())
    assert str(error.value) == (
        "protocol setting 'adds' is 'own', and in network 'Branches' no parameter belongs to task 'lower' alone. "
        "Use --set adds=all, which trains every parameter."
    )


@pytest.mark.parametrize(("labels", "task"), [("0/1", "upper"), ("1/0", "lower")])
def test_a_phase_without_a_label_is_refused_before_either_begins(labels: str, task: str) -> None:
    keeper = Memory()
    with pytest.raises(UsageError) as error:
        run(spec_of("uniform", f"toy-all:labels={labels}", adds="own"), keeper)
    assert str(error.value) == (
        f"none of the 96 training examples has a label of task '{task}', so that nothing can be learned."
    )
    assert keeper.kept == 0


def test_a_module_with_statistics_alone_is_still_while_a_task_is_added_alone_and_not_before() -> None:
    """A normalization without parameters in the backbone: nobody says whose it is."""
    spec = spec_of("uniform", adds="own", epochs="1")
    made = assembled(spec)
    norm = nn.BatchNorm1d(50, affine=False)
    made.network.backbone.neck = nn.Sequential(made.network.backbone.neck, norm)  # type: ignore[union-attr,arg-type]
    first, second = phases(made, spec.protocol)
    first.enter(made.network)
    assert norm.training
    second.enter(made.network)
    assert not norm.training
    assert made.network.training
    assert all(module.training for module in made.network.modules() if module is not norm)


def test_the_plain_loss_of_a_task_that_is_added_alone_has_the_networks_penalty_in_it() -> None:
    spec = spec_of("chmod:regularizer=1:triple=same/upper/lower:beta=9", "toy-partial", adds="own")
    made = assembled(spec)
    with torch.no_grad():  # at first all vectors are 1, where the regularizer is flat
        for vectors in made.network.modulation.values():  # type: ignore[operator]
            vectors.add_(torch.rand(vectors.shape, generator=stream(0, "test")))
    _, second = phases(made, spec.protocol)
    batch = second.split.batch(torch.arange(96), torch.full((96,), 2))
    second.balancer.backward(made.network, batch)
    penalty = made.network.penalty()
    assert penalty is not None
    trained = list(second.trained(made.network))
    assert [name for name, _ in trained] == ["modulation.conv1", "modulation.conv2"]
    for name, parameter in trained:
        loss = made.network.losses(batch).means[2] + penalty
        (expected,) = torch.autograd.grad(loss, parameter, retain_graph=True)
        assert parameter.grad is not None, name
        assert torch.allclose(parameter.grad, expected)
        assert not torch.allclose(expected, torch.autograd.grad(loss - penalty, parameter, retain_graph=True)[0])


def test_options_are_no_part_of_what_stands_for_the_balancer() -> None:
    _, second = phases(assembled(spec_of("branches+famo", adds="own")), spec_of("branches+famo", adds="own").protocol)
    assert second.balancer.options == NoOptions()
    assert list(second.balancer.parameters()) == []
    assert second.balancer.state_dict() == {}
