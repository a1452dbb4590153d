import math
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from mtbench.backbones.lenet import LeNet
from mtbench.contract import AllTasksNetwork, Classification, Inputs, NoOptions, Setup, Split, Task
from mtbench.plan.grid import Request, plan
from mtbench.store.record.diagnosis import Selectivity
from mtbench.train.diagnostics.selectivity import measure_selectivity, selectivity
from mtbench.train.machine.device import deterministic
from mtbench.train.trained import Trained, train
from tests.builders.keepers import Forgetful

CLASSES = 4


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    deterministic(torch.device("cpu"), "float32")


class Sees(AllTasksNetwork):
    """The images are the labels of both tasks, one-hot; a task sees its own part of them, or all. Its head is exact."""

    def __init__(self, *, all_of_it: bool) -> None:
        tasks = tuple(Task(name=name, kind=Classification(classes=CLASSES)) for name in ("left", "right"))
        setup = Setup(tasks=tasks, backbone_class=LeNet, backbone_options=NoOptions(), input_shape=(1,), seed=0)
        super().__init__(NoOptions(), setup)
        self.all_of_it = all_of_it
        width = len(tasks) * CLASSES
        self.heads = nn.ModuleList(
            nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, CLASSES)) for _ in tasks
        )
        for index, head in enumerate(self.heads):
            first, last = (head.get_submodule(name) for name in ("0", "2"))
            first.load_state_dict({"weight": torch.eye(width), "bias": torch.zeros(width)})
            own = torch.eye(width)[index * CLASSES : (index + 1) * CLASSES]
            last.load_state_dict({"weight": own, "bias": torch.zeros(CLASSES)})

    def forward(self, inputs: Inputs) -> list[Tensor]:
        assert isinstance(inputs, Tensor)
        parts = [inputs * self.part(index) for index in range(len(self.tasks))]
        return [head(part) for head, part in zip(self.heads, parts, strict=True)]

    def part(self, index: int) -> Tensor:
        owner = torch.arange(len(self.tasks) * CLASSES) // CLASSES
        return torch.ones(len(owner)) if self.all_of_it else (owner == index).float()


class SaysTheSame(Sees):
    """Whatever is asked for, it answers for the left."""

    def task_output(self, inputs: Inputs, index: int) -> Tensor:  # noqa: ARG002
        return self(inputs)[0]  # type: ignore[no-any-return]


def images(count: int, seed: int) -> Split:
    labels = torch.randint(0, CLASSES, (count, 2), generator=torch.Generator().manual_seed(seed))
    pictures = torch.nn.functional.one_hot(labels, CLASSES).flatten(1).float()
    return Split(inputs=pictures, targets=tuple(labels.unbind(1)), defined=torch.ones(count, 2).bool())


def measured(network: Sees) -> Selectivity:
    found = measure_selectivity(network, images(2000, 0), images(2000, 1), batch=64, seed=0)
    assert found is not None
    assert set(found.probes) == {"representation", "hidden"}
    assert all(set(kinds) == {"linear", "mlp"} for kinds in found.probes.values())
    return found


def run(method: str, dataset: str = "toy-all", **settings: str) -> Trained:
    spec = plan(Request(methods=[method], datasets=[dataset], settings=settings, seeds=[0]))[0]
    return train(spec, root=Path(), device=torch.device("cpu"), keeper=Forgetful())


def test_features_that_hold_the_asked_for_label_alone_are_selective() -> None:
    found = measured(Sees(all_of_it=False))
    for depth in ("representation", "hidden"):
        for probed in found.probes[depth].values():
            assert probed.selectivity == pytest.approx(1, abs=0.04)
            assert (probed.accuracy[0][0], probed.accuracy[1][1]) == (100, 100)
            assert [probed.accuracy[0][1], probed.accuracy[1][0]] == pytest.approx([25, 25], abs=4)


def test_features_that_hold_every_label_are_not_selective() -> None:
    for kinds in measured(Sees(all_of_it=True)).probes.values():
        for probed in kinds.values():
            assert probed.accuracy == ((100, 100), (100, 100))
            assert probed.selectivity == 0


def test_the_wrong_cue_rate_is_the_answers_accuracy_on_each_tasks_labels() -> None:
    left, right = images(2000, 1).targets
    agree = 100 * float((left == right).double().mean())
    assert measured(Sees(all_of_it=True)).wrong_cue == ((100, agree), (agree, 100))
    assert measured(SaysTheSame(all_of_it=True)).wrong_cue == ((100, agree), (100, agree))


def test_chance_is_the_test_accuracy_of_the_class_that_training_has_most_of() -> None:
    train, test = images(2000, 0), images(2000, 1)
    expected = [
        100 * float((there == here.mode().values).double().mean())
        for here, there in zip(train.targets, test.targets, strict=True)
    ]
    assert list(measured(Sees(all_of_it=True)).chance) == pytest.approx(expected)


def test_the_formula_by_hand() -> None:
    # (30 - 20) / (80 - 20) and (50 - 10) / (90 - 10)
    assert selectivity(((90, 30), (50, 80)), (10, 20)) == pytest.approx(1 - (1 / 6 + 1 / 2) / 2)
    # Below chance is nothing; three tasks have six pairs, of which one is not nothing: (40 - 10) / (70 - 10).
    below = ((70.0, 9.0, 9.0), (5.0, 70.0, 0.0), (40.0, 1.0, 70.0))
    assert selectivity(below, (10, 10, 10)) == pytest.approx(1 - 0.5 / 6)


def test_what_was_not_learned_counts_as_a_percentage_point_above_chance() -> None:
    assert selectivity(((50, 10), (10, 10)), (10, 10)) == 1
    assert selectivity(((50, 12), (10, 10)), (10, 10)) == pytest.approx(1 - (2 / 1 + 0) / 2)


def test_one_task_has_no_selectivity() -> None:
    assert math.isnan(selectivity(((90,),), (10,)))


def test_it_is_recorded_where_it_was_asked_for_and_changes_nothing_else() -> None:
    plain, asked = run("td"), run("td", diagnostics="selectivity")
    assert plain.selectivity is None
    assert asked.selectivity is not None
    assert all(torch.equal(plain.model[name], asked.model[name]) for name in plain.model)
    accuracies = tuple(asked.results["test"][task.name].metrics["accuracy"] for task in asked.tasks)
    wrong_cue = asked.selectivity.wrong_cue
    assert (wrong_cue[0][0], wrong_cue[1][1]) == pytest.approx(accuracies)
    assert asked.selectivity == run("td", diagnostics="selectivity").selectivity


def test_tasks_of_unlike_width_and_undefined_labels_are_probed_and_have_no_wrong_cue() -> None:
    found = run("branches", "toy-partial", diagnostics="selectivity").selectivity
    assert found is not None
    known = [[not math.isnan(rate) for rate in row] for row in found.wrong_cue]
    assert known == [[True, True, False], [True, True, False], [False, False, True]]
    assert not math.isnan(found.probes["hidden"]["mlp"].selectivity)


@pytest.mark.parametrize("dataset", ["toy-numbers", "toy-maps", "toy-triplets"])
def test_what_is_no_classification_of_inputs_has_none(dataset: str) -> None:
    assert run("uniform", dataset, epochs="1", diagnostics="selectivity").selectivity is None
