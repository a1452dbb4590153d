import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from mtbench.contract import stream
from mtbench.errors import NonFiniteLoss, UsageError
from mtbench.train.assemble import assemble
from mtbench.train.cost.ledger import Ledger
from mtbench.train.loop import curve_epochs
from mtbench.train.progress import Progress
from mtbench_methods.balancers.equalization import fair_weights
from tests.builders.keepers import Memory
from tests.train.runs import CPU, run, same, spec_of

FIVE = ["single", "uniform", "moo", "chmod", "td"]
DRAWING = [
    "toy-dropout",
    "branches+toy-drift",
]  # a network that draws in training; a balancer with parameters and state
TOYS = ["toy-all", "toy-partial", "toy-numbers", "toy-maps", "toy-surfaces", "toy-triplets"]


@pytest.mark.parametrize("toy", TOYS)
@pytest.mark.parametrize("method", FIVE)
def test_every_kind_of_task_is_learned_by_every_method(toy: str, method: str) -> None:
    trained = run(spec_of(method, toy, epochs="5"))
    first, last = trained.curve[0].train_losses, trained.curve[-1].train_losses
    known = [name for name in first if not math.isnan(first[name] + last[name])]
    assert sum(last[name] for name in known) < 0.9 * sum(first[name] for name in known)
    for task in trained.tasks:
        result = trained.results["test"][task.name]
        assert result.count > 0
        assert math.isfinite(result.loss)
        assert math.isfinite(result.metrics[task.metric])


@pytest.mark.parametrize("method", FIVE)
def test_the_same_seed_gives_the_same_bits_and_another_seed_others(method: str) -> None:
    first = run(spec_of(method))
    assert same(first, run(spec_of(method)))
    assert not same(first, run(spec_of(method, seed=1)))


@pytest.mark.parametrize("method", [*FIVE, *DRAWING])
@pytest.mark.parametrize("stop_after", [1, 2, 3])
def test_a_run_that_was_interrupted_gives_the_bits_of_one_that_was_not(method: str, stop_after: int) -> None:
    keeper = Memory(stop_after=stop_after)
    with pytest.raises(KeyboardInterrupt):
        run(spec_of(method), keeper)
    resumed, undisturbed = run(spec_of(method), keeper), run(spec_of(method))
    assert same(resumed, undisturbed)
    assert resumed.cost.label_uses == undisturbed.cost.label_uses
    assert resumed.cost.steps == undisturbed.cost.steps


@pytest.mark.parametrize("method", ["moo", "td", *DRAWING])
def test_evaluating_more_or_less_often_gives_the_same_weights(method: str) -> None:
    never, always = run(spec_of(method), points=()), run(spec_of(method), points=range(10))
    assert len(never.curve) == 1
    assert len(always.curve) == 3
    assert all(torch.equal(never.model[name], always.model[name]) for name in never.model)
    assert never.results == always.results


def test_the_order_in_which_runs_are_executed_changes_nothing() -> None:
    first, second = spec_of("td"), spec_of("moo")
    forwards = [run(first), run(second)]
    backwards = [run(second), run(first)]
    assert same(forwards[0], backwards[1])
    assert same(forwards[1], backwards[0])


@pytest.mark.parametrize("settings", [{}, {"gradient-scale": "matched"}])
def test_the_ledger_counts_the_steps_that_a_balancer_did_not_solve_over_all_attempts(
    settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = spec_of("branches+nash-mtl", **settings)
    assert run(spec).cost.unsolved == 0
    keeper = Memory(stop_after=2)
    with monkeypatch.context() as patch:
        patch.setattr(fair_weights, "STEPS", 0)
        with pytest.raises(KeyboardInterrupt):
            run(spec, keeper)
    resumed = run(spec, keeper)
    assert resumed.cost.unsolved == 2 * resumed.cost.steps // 3


def test_a_state_from_before_unsolved_steps_were_counted_is_resumed() -> None:
    state = Ledger(steps=7).state()
    del state["unsolved"]
    assert Ledger(**state).unsolved == 0  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("method", "settings", "labels", "passes"),
    [
        ("uniform", {}, 3 * 96 * 2, 3 * 96),
        ("single", {}, 3 * 96 * 2, 3 * 96 * 2),
        ("td", {}, 3 * 96, 3 * 96),
        ("td", {"tasks-per-image": "all"}, 3 * 96 * 2, 3 * 96 * 2),
        ("uniform", {"tasks-per-image": "one"}, 3 * 96, 3 * 96),
        ("chmod", {"images": "40"}, 3 * 40, 3 * 40),
    ],
)
def test_the_ledger_counts_labels_and_passes(method: str, settings: dict[str, Any], labels: int, passes: int) -> None:
    trained = run(spec_of(method, **settings))
    assert (trained.cost.label_uses, trained.cost.forward_passes) == (labels, passes)
    assert trained.cost.steps == 3 * math.ceil(trained.training_examples / 16)
    assert trained.cost.wall_seconds > 0
    assert trained.cost.peak_memory > 1e7


@pytest.mark.parametrize(
    ("method", "dataset", "settings", "kept"),
    [
        ("uniform", "toy-all", {"fraction": ".25"}, 24),
        ("td", "toy-all", {"fraction": ".1"}, 10),
        ("chmod", "toy-all", {"images": "40", "fraction": ".5"}, 20),
        ("chmod", "toy-all", {"fraction": ".001"}, 1),
        ("uniform", "toy-triplets", {"fraction": ".3"}, 58),
        ("td", "toy-partial", {"fraction": ".2"}, 19),
    ],
)
def test_fewer_examples_are_trained_on_for_as_many_steps(
    method: str, dataset: str, settings: dict[str, Any], kept: int
) -> None:
    everything = {name: value for name, value in settings.items() if name != "fraction"}
    fewer, all_of_them = run(spec_of(method, dataset, **settings)), run(spec_of(method, dataset, **everything))
    assert fewer.training_examples == kept < all_of_them.training_examples
    assert fewer.cost.steps == all_of_them.cost.steps
    assert fewer.cost.forward_passes == all_of_them.cost.forward_passes
    if dataset == "toy-all":  # elsewhere the examples that are kept may have more labels or fewer than the others
        assert fewer.cost.label_uses == all_of_them.cost.label_uses
    kept_split = assemble(spec_of(method, dataset, **settings), root=Path(), device=CPU).splits["train"]
    whole_split = assemble(spec_of(method, dataset), root=Path(), device=CPU).splits["train"].first(kept)
    assert torch.equal(kept_split.defined, whole_split.defined)  # the first so many
    assert all(torch.equal(a, b) for a, b in zip(kept_split.targets, whole_split.targets, strict=True))


def test_a_share_of_one_example_is_learned_by_heart_and_the_others_are_not_seen() -> None:
    trained = run(spec_of("uniform", fraction=".001", epochs="10"))
    assert trained.results["train"]["upper"].count == 1
    assert trained.results["train"]["upper"].loss < 0.01
    assert trained.results["test"]["upper"].metrics["accuracy"] < 60


@pytest.mark.parametrize("stop_after", [1, 2])
def test_with_a_share_of_the_examples_an_interrupted_run_gives_the_same_bits(stop_after: int) -> None:
    keeper = Memory(stop_after=stop_after)
    with pytest.raises(KeyboardInterrupt):
        run(spec_of("td", fraction=".2"), keeper)
    assert same(run(spec_of("td", fraction=".2"), keeper), run(spec_of("td", fraction=".2")))


def test_each_view_of_an_example_is_a_pass() -> None:
    trained = run(spec_of("uniform", "toy-triplets", epochs="1"))
    assert (trained.cost.label_uses, trained.cost.forward_passes) == (2 * 96, 3 * 2 * 96)


def test_a_balancers_parameters_are_trained_and_its_state_is_kept() -> None:
    keeper = Memory()
    run(spec_of("branches+toy-drift"), keeper)
    state = keeper.restore()
    assert state is not None
    assert state["balancer"]["steps"] == 18
    assert (state["balancer"]["logits"] != 0).all()


def test_sgd_has_momentum() -> None:
    """Two steps by hand: v = .9 v + g, w = w - lr v."""
    spec = spec_of("uniform", optimizer="sgd", epochs="1", images="32", lr="0.1")
    trained, assembled = run(spec), assemble(spec, root=Path(), device=CPU)
    network, split = assembled.network, assembled.splits["train"]
    weights = dict(network.named_parameters())
    speed = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    for rows in torch.split(torch.randperm(32, generator=stream(0, "order", 0)), 16):
        loss = network.losses(split.batch(rows)).means.mean()
        gradients = torch.autograd.grad(loss, list(weights.values()))
        with torch.no_grad():
            for (name, weight), gradient in zip(weights.items(), gradients, strict=True):
                speed[name] = 0.9 * speed[name] + gradient
                weight.sub_(0.1 * speed[name])
    assert all(torch.allclose(weight, trained.model[name], atol=1e-6) for name, weight in weights.items())


def test_predictions_are_the_classes_that_the_metrics_count() -> None:
    trained = run(spec_of("td"))
    labels = assemble(spec_of("td"), root=Path(), device=CPU).splits["test"].targets
    for (task, predicted), target in zip(trained.predictions.items(), labels, strict=True):
        accuracy = 100 * (torch.from_numpy(predicted).long() == target).double().mean()
        assert trained.results["test"][task].metrics["accuracy"] == pytest.approx(accuracy.item())


def test_examples_without_any_label_are_left_out_whatever_the_batch() -> None:
    for method in (*FIVE, "branches+mgda"):
        trained = run(spec_of(method, "toy-partial", epochs="1", batch="1", images="24"))
        labelled = (
            assemble(spec_of(method, "toy-partial", images="24"), root=Path(), device=CPU).splits["train"].defined
        )
        assert trained.cost.steps == int(labelled.any(1).sum()) < 24


def test_where_no_example_has_a_label_there_is_nothing_to_learn() -> None:
    with pytest.raises(UsageError, match="none of the 4 training examples has a label"):
        run(spec_of("td", dataset="toy-all:labels=.01/.01", images="4"))


def test_undefined_labels_are_not_counted() -> None:
    trained = run(spec_of("uniform", "toy-partial", epochs="1"))
    assert trained.cost.label_uses == sum(result.count for result in trained.results["train"].values())


def test_without_a_held_out_split_all_examples_are_trained_on_and_with_one_it_is_measured() -> None:
    assert run(spec_of("uniform")).results.keys() == {"test", "train"}
    held = run(spec_of("uniform", validation="true"))
    assert held.results.keys() == {"test", "val", "train"}
    assert [set(point.results) for point in held.curve] == [{"val"}, {"val"}, {"test", "val", "train"}]


def test_a_loss_that_turns_nan_stops_the_run_and_says_where() -> None:
    with pytest.raises(NonFiniteLoss) as error:
        run(spec_of("toy-nan"))
    assert str(error.value) == (
        "the loss of task 'lower' became nan at step 3 (epoch 1, its step 3). "
        "A smaller learning rate (--set lr=...) is the first thing to try."
    )


def test_a_run_that_breaks_in_its_very_last_step_has_no_result() -> None:
    with pytest.raises(NonFiniteLoss) as error:
        run(spec_of("uniform", lr="1e30", images="16", epochs="1"))
    assert str(error.value) == (
        "the loss of task 'upper' became nan on the train split after the last step, 1. "
        "A smaller learning rate (--set lr=...) is the first thing to try."
    )


def test_a_diverging_learning_rate_is_a_non_finite_loss() -> None:
    with pytest.raises(NonFiniteLoss, match=r"the loss of task 'upper' became (nan|inf)"):
        run(spec_of("uniform", lr="1e30", optimizer="sgd"))


def test_progress_is_told_up_to_the_last_step() -> None:
    told: list[Progress] = []
    run(spec_of("uniform"), watch=told.append)
    assert [progress.epoch for progress in told if progress.step % 6 == 0] == [1, 2, 3]
    assert told[-1].step == told[-1].steps == 18
    assert told[-1].score is not None


def test_progress_has_the_mean_over_tasks_of_one_metric_or_else_that_of_the_first_task() -> None:
    for toy, metric, names in (("toy-all", "accuracy", ["upper", "lower"]), ("toy-surfaces", "miou", ["class"])):
        told: list[Progress] = []
        trained = run(spec_of("uniform", toy, epochs="2"), watch=told.append)
        results = trained.curve[0].results["test"]
        expected = sum(results[name].metrics[metric] for name in names) / len(names)
        assert told[-1].metric == metric
        assert told[-1].score == pytest.approx(expected)


@pytest.mark.parametrize(
    ("epochs", "points"),
    [(1, [1]), (4, [1, 2, 3, 4]), (20, list(range(1, 21))), (100, list(range(5, 101, 5))),
     (30, [2, 3, 4, 6, 8, 9, 10, 12, 14, 15, 16, 18, 20, 21, 22, 24, 26, 27, 28, 30])],
)  # fmt: skip
def test_a_curve_has_each_epoch_or_twenty_evenly_spaced(epochs: int, points: list[int]) -> None:
    assert sorted(curve_epochs(epochs)) == points


def test_a_curve_may_have_each_of_the_last_ten_epochs_too_or_all_or_only_five() -> None:
    assert sorted(curve_epochs(100, "last10")) == [*range(5, 91, 5), *range(91, 101)]
    assert sorted(curve_epochs(30, "last10"))[-10:] == list(range(21, 31))
    assert sorted(curve_epochs(100, "all")) == list(range(1, 101))
    assert sorted(curve_epochs(7, "last10")) == list(range(1, 8))
    assert sorted(curve_epochs(100, "5")) == [20, 40, 60, 80, 100]
    assert sorted(curve_epochs(7, "5")) == [1, 3, 4, 6, 7]
    assert sorted(curve_epochs(4, "5")) == [1, 2, 3, 4]
    assert [point.epoch for point in run(spec_of("uniform", epochs="22", images="16", curve="all")).curve][-2:] == [
        21,
        22,
    ]
    assert len(run(spec_of("uniform", epochs="22", images="16")).curve) == 20


def test_a_label_gathered_is_that_of_the_drawn_task() -> None:
    split = assemble(spec_of("td"), root=Path(), device=CPU).splits["train"]
    rows, drawn = torch.tensor([5, 9, 2]), torch.tensor([1, 0, 1])
    batch = split.batch(rows, drawn)
    used = [(int(row), task) for task in range(2) for row in rows[batch.use[task]]]
    assert sorted(used) == [(2, 1), (5, 1), (9, 0)]
    assert all(torch.equal(batch.targets[task], split.targets[task][rows]) for task in range(2))


def test_a_single_task_network_is_trained_as_it_would_be_alone() -> None:
    """Both tasks' networks equal a network trained on that task's labels alone, by hand."""
    together = run(spec_of("single"))
    assembled = assemble(spec_of("single"), root=Path(), device=CPU)
    split, network = assembled.splits["train"], assembled.network
    index = 1
    mine = [p for name, p in network.named_parameters() if name.split(".")[1] == str(index)]
    optimizer = torch.optim.Adam(mine, lr=3e-3)
    protocol = spec_of("single").protocol
    for epoch in range(3):
        for group in optimizer.param_groups:
            group["lr"] = protocol.learning_rate(epoch)
        order = torch.randperm(len(split), generator=stream(0, "order", epoch))
        for rows in torch.split(order, 16):
            optimizer.zero_grad()
            inputs = split.batch(rows).inputs
            torch.nn.functional.cross_entropy(network.task_output(inputs, index), split.targets[index][rows]).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    alone: dict[str, Tensor] = {k: v for k, v in network.state_dict().items() if k.split(".")[1] == str(index)}
    assert all(torch.allclose(alone[name], together.model[name], atol=1e-5) for name in alone)  # by Adam 1.4e-6
