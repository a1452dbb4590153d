"""The epoch that is reported with select=best-val: chosen on validation alone, and equal bits after a stop."""

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mtbench.contract import Classification, Metric, Task
from mtbench.errors import UsageError
from mtbench.store.record import SELECTED, CurvePoint, TaskResult
from mtbench.train.assemble import assemble
from mtbench.train.evaluate import evaluate
from mtbench.train.selection import best_epoch, best_epochs
from tests.builders.keepers import Memory
from tests.train.runs import CPU, run, same, spec_of

NAN = math.nan


@dataclasses.dataclass(frozen=True, kw_only=True)
class Error(Classification):
    """A kind whose primary metric is better the lower it is, beside one that has no part in the choice."""

    metrics = (Metric(name="error", higher_is_better=False), Metric(name="accuracy"))


UP, DOWN = Task(name="up", kind=Classification(classes=2)), Task(name="down", kind=Error(classes=2))


def curve(*, up: Sequence[float], down: Sequence[float]) -> list[CurvePoint]:
    """Return points after 2, 4, ... epochs; what else is measured, the test split above all, would choose otherwise."""
    points = []
    for index, (high, low) in enumerate(zip(up, down, strict=True)):
        result = {
            "up": TaskResult(loss=float(index), count=9, metrics={"accuracy": high}),
            "down": TaskResult(loss=float(index), count=9, metrics={"error": low, "accuracy": -float(index)}),
        }
        test = {
            "up": TaskResult(loss=0, count=9, metrics={"accuracy": -high}),
            "down": TaskResult(loss=0, count=9, metrics={"error": -low, "accuracy": 0}),
        }
        points.append(
            CurvePoint(
                epoch=2 * (index + 1),
                steps=index,
                label_uses=index,
                train_losses={},
                results={"val": result, "test": test},
            )
        )
    return points


@pytest.mark.parametrize(
    ("up", "down", "best"),
    [
        ([50, 60, 55], [4, 4, 4], 4),
        ([50, 60, 60], [4, 3.9, 3.9], 4),  # the earliest of equals
        ([50, 40, 45], [4, 5, 4.5], 2),  # the first itself
        ([50, 60, 50], [4, 4, 2], 6),  # +.2 and 0, against 0 and +.5: relative, and lower is better
        ([50, 60, 75], [4, 2, 3], 6),  # (.2 + .5) / 2 against (.5 + .25) / 2
        ([-50, -40, -30], [4, 4, 4], 6),  # a negative metric gains by rising: its size is the divisor
        ([0, 0, 1, 2], [4, 3, 4, 4], 8),  # 0 at first: 0, 0, 1, 2 over the first that is not 0
        ([0, 0, 0, 0], [4, 3, 2, 3], 6),
        ([0, 10, 20, 10], [4, 1, 7, 4], 4),  # (1 + .75) / 2 against (2 - .75) / 2
        ([NAN, 90, 10], [4, 4, 3], 6),  # left out, as it was not measured at first
        ([50, NAN, 51], [4, 1, 4], 6),  # a point where a task is not measured is never chosen
        ([50, math.inf, 51], [4, 4, 4], 6),
    ],
)
def test_the_best_mean_gain_over_the_first_validation_is_selected(
    up: list[float], down: list[float], best: int
) -> None:
    assert best_epoch(curve(up=up, down=down), [UP, DOWN]) == best


def test_without_any_metric_at_first_nothing_can_be_selected() -> None:
    with pytest.raises(UsageError, match="no task can be measured on the validation split"):
        best_epoch(curve(up=[NAN, 1], down=[NAN, 1]), [UP, DOWN])


PAIRS = st.tuples(*[st.sampled_from([0.0, 1.0, 2.0, 3.0, NAN])] * 2)


@given(st.sampled_from([(0.0, 0.0), (0.0, 2.0), (1.0, 1.0), (NAN, 2.0)]), st.lists(PAIRS, min_size=2, max_size=8))
def test_a_later_point_is_selected_only_in_place_of_those_before_it(
    first: tuple[float, float], values: list[tuple[float, float]]
) -> None:
    """So that the weights to keep are known when a point is measured."""
    up, down = zip(first, *values, strict=True)
    points = curve(up=up, down=down)
    for count in range(2, len(points) + 1):
        now, before = (best_epoch(points[:size], [UP, DOWN]) for size in (count, count - 1))
        assert now in (before, points[count - 1].epoch)


CHOOSING: dict[str, Any] = {"validation": "true", "select": "best-val", "epochs": "6", "images": "48", "lr": ".03"}


def test_the_weights_of_the_selected_epoch_are_stored_and_measured() -> None:
    states = States()
    spec = spec_of("uniform", **CHOOSING)
    trained = run(spec, states)
    first = [task.metrics["accuracy"] for task in trained.curve[0].results["val"].values()]
    gains = [
        sum(task.metrics["accuracy"] / base for task, base in zip(point.results["val"].values(), first, strict=True))
        for point in trained.curve
    ]
    assert trained.selected_epoch == 1 + max(range(6), key=lambda epoch: round(gains[epoch], 9))
    assert 1 < trained.selected_epoch < 6  # else the test shows nothing
    kept = states.networks[trained.selected_epoch - 1]
    assert all(torch.equal(kept[name], weight) for name, weight in trained.model.items())
    made = assemble(spec, root=Path(), device=CPU)
    made.network.load_state_dict(kept)
    assert trained.results["test"] == evaluate(made.network, made.splits["test"])
    assert trained.results["val"] == trained.curve[trained.selected_epoch - 1].results["val"]
    assert [set(point.results) for point in trained.curve] == 6 * [{"val"}]
    labels = made.splits["test"].targets
    for (task, predicted), target in zip(trained.predictions.items(), labels, strict=True):
        accuracy = 100 * (torch.from_numpy(predicted).long() == target).double().mean()
        assert trained.results["test"][task].metrics["accuracy"] == pytest.approx(accuracy.item())


def test_the_training_itself_is_that_of_a_run_that_reports_its_last_epoch() -> None:
    choosing, last = run(spec_of("uniform", **CHOOSING)), run(spec_of("uniform", **{**CHOOSING, "select": "last"}))
    assert last.selected_epoch == 6
    assert [point.train_losses for point in choosing.curve] == [point.train_losses for point in last.curve]
    assert [point.results["val"] for point in choosing.curve] == [point.results["val"] for point in last.curve]
    assert last.results == last.curve[-1].results
    assert choosing.results["test"] != last.results["test"]


@pytest.mark.parametrize("stop_after", [1, 2, 3, 4, 5, 6])
def test_a_run_that_was_interrupted_selects_the_same_epoch_and_bits(stop_after: int) -> None:
    spec, keeper = spec_of("uniform", **CHOOSING), Memory(stop_after=stop_after)
    with pytest.raises(KeyboardInterrupt):
        run(spec, keeper)
    resumed, undisturbed = run(spec, keeper), run(spec)
    assert resumed.selected_epoch == undisturbed.selected_epoch
    assert same(resumed, undisturbed)


def test_only_epochs_of_the_curve_are_selected() -> None:
    trained = run(spec_of("uniform", **CHOOSING), points=(1, 6))
    assert [point.epoch for point in trained.curve] == [1, 6]
    assert trained.selected_epoch in (1, 6)


class States(Memory):
    """Keeps the network's weights after each epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.networks: list[dict[str, torch.Tensor]] = []

    def keep(self, state: dict[str, Any], curve: Sequence[CurvePoint]) -> None:
        super().keep(state, curve)
        self.networks.append({name: value.clone() for name, value in state["network"].items()})


@pytest.mark.parametrize("task", ["upper", "lower"])
def test_single_task_networks_are_selected_as_each_would_be_in_a_run_of_its_own(task: str) -> None:
    together, alone = run(spec_of("single", **CHOOSING)), run(spec_of("single", f"toy-all:tasks={task}", **CHOOSING))
    assert together.results["test"][task] == alone.results["test"][task]
    assert together.results["val"][task] == alone.results["val"][task]
    index = str(["upper", "lower"].index(task))
    for name, value in alone.model.items():
        part, _, rest = name.partition(".0.")
        assert torch.equal(together.model[f"{part}.{index}.{rest}"], value), name
    chosen = {
        name.removeprefix(SELECTED): each.value
        for name, each in together.measurements.items()
        if name.startswith(SELECTED)
    }
    assert chosen[task] == alone.selected_epoch
    assert len(set(chosen.values())) > 1  # else the test shows nothing
    assert together.selected_epoch == max(chosen.values())


@pytest.mark.parametrize("stop_after", [1, 3, 5])
def test_single_task_networks_that_were_interrupted_are_selected_alike(stop_after: int) -> None:
    spec, keeper = spec_of("single", **CHOOSING), Memory(stop_after=stop_after)
    with pytest.raises(KeyboardInterrupt):
        run(spec, keeper)
    resumed, undisturbed = run(spec, keeper), run(spec)
    assert same(resumed, undisturbed)
    assert resumed.measurements == undisturbed.measurements


def test_a_single_task_without_validation_labels_has_the_epoch_of_all() -> None:
    """It cannot choose one, and its weights have to be of some epoch."""
    network = assemble(spec_of("single"), root=Path(), device=CPU).network
    points = curve(up=[50, 60, 55], down=[NAN, NAN, NAN])
    tasks = (UP, DOWN)
    assert best_epochs(network, points, tasks) == {"up": 4, "down": 4}
    assert best_epochs(network, curve(up=[50, 60, 55], down=[4, 3, 2]), tasks) == {"up": 4, "down": 6}


def test_tasks_that_share_anything_have_one_epoch() -> None:
    for method in ("uniform", "cross-stitch", "td", "single+uncertainty"):
        network = assemble(spec_of(method), root=Path(), device=CPU).network
        expected = {"up": 4, "down": 6} if method.startswith("single") else {"up": 6, "down": 6}
        assert best_epochs(network, curve(up=[50, 60, 55], down=[4, 3, 2]), (UP, DOWN)) == expected


def test_the_test_split_along_the_curve_changes_no_weight_and_no_choice() -> None:
    settings: dict[str, Any] = {"validation": "true", "curve": "all", "epochs": "4", "select": "best-val"}
    plain = run(spec_of("uniform", **settings))
    measured = run(spec_of("uniform", **settings, diagnostics="test-curve"))
    assert all(torch.equal(plain.model[name], measured.model[name]) for name in plain.model)
    assert plain.selected_epoch == measured.selected_epoch
    assert plain.results == measured.results
    assert [set(point.results) >= {"val", "test"} for point in measured.curve] == [True] * 4
    assert not any("test" in point.results for point in plain.curve[:-1])
    selected = next(point for point in measured.curve if point.epoch == measured.selected_epoch)
    assert selected.results["test"] == measured.results["test"]


def test_a_trial_of_a_search_has_no_test_split_along_its_curve() -> None:
    spec = spec_of("uniform", validation="true", epochs="2", diagnostics="test-curve")
    trial = run(dataclasses.replace(spec, trial=True))
    assert not any("test" in point.results for point in trial.curve)


def test_the_test_split_along_the_curve_is_refused_where_the_curve_is_of_it_already() -> None:
    with pytest.raises(UsageError, match=r"the curve is of the test split already"):
        spec_of("uniform", epochs="2", diagnostics="test-curve")
