"""Results of constant predictions, against scikit-learn's predictors that ignore their inputs."""

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn import metrics
from sklearn.dummy import DummyClassifier, DummyRegressor

from mtbench.contract import Classification, Depth, Regression, Split, Task
from mtbench.train.assemble import assemble
from mtbench.train.diagnostics.constants import constants
from tests.train.runs import CPU, run, spec_of

UNEQUAL = torch.tensor([0.1, 0.15, 0.45, 0.3])
TASKS = (
    Task(name="class", kind=Classification(classes=4)),
    Task(name="number", kind=Regression()),
    Task(name="many", kind=Classification(classes=300)),
)


def split(seed: int, count: int) -> Split:
    """Return labels of `TASKS`, about a third of them undefined; where one is, the value that stands there says
    nothing."""
    generator = torch.Generator().manual_seed(seed)
    classes = torch.multinomial(UNEQUAL, count, replacement=True, generator=generator)
    numbers = torch.randn(count, generator=generator) + 3
    many = (torch.rand(count, generator=generator).square() * 300).long()
    defined = torch.rand(count, 3, generator=generator) < 2 / 3
    targets = (classes.where(defined[:, 0], 0), numbers.where(defined[:, 1], 99), many.where(defined[:, 2], 299))
    return Split(inputs=torch.zeros(count, 1), targets=targets, defined=defined)


def known(split: Split, index: int) -> np.ndarray:
    return split.targets[index][split.defined[:, index]].numpy()


@pytest.mark.parametrize("index", [0, 2])
def test_the_majority_class_is_that_of_the_defined_training_labels(index: int) -> None:
    train, test = split(0, 400), split(1, 150)
    found = constants(TASKS, train, test)[TASKS[index].name]
    truth = known(test, index)
    dummy = DummyClassifier(strategy="most_frequent").fit(np.zeros((len(known(train, index)), 1)), known(train, index))
    answers = dummy.predict(np.zeros((len(truth), 1)))
    assert found.name == "majority class"
    assert found.metrics["accuracy"] == pytest.approx(100 * metrics.accuracy_score(truth, answers))
    classes = np.unique(truth)
    assert found.metrics["balanced-accuracy"] == pytest.approx(100 / len(classes))
    expected = metrics.f1_score(truth, answers, average="macro", labels=classes, zero_division=0)
    assert found.metrics["macro-f1"] == pytest.approx(100 * expected)


def test_the_constant_of_numbers_is_the_mean_of_the_defined_training_targets() -> None:
    train, test = split(0, 400), split(1, 150)
    found = constants(TASKS, train, test)["number"]
    truth = known(test, 1)
    dummy = DummyRegressor().fit(np.zeros((len(known(train, 1)), 1)), known(train, 1))
    answers = dummy.predict(np.zeros((len(truth), 1)))
    assert found.name == "mean"
    assert found.metrics["mse"] == pytest.approx(metrics.mean_squared_error(truth, answers))
    assert found.metrics["mae"] == pytest.approx(metrics.mean_absolute_error(truth, answers))
    assert found.metrics["r2"] == pytest.approx(metrics.r2_score(truth, answers), abs=1e-6)


def test_of_two_classes_as_frequent_the_first_is_the_majority() -> None:
    assert Classification(classes=3).constant(torch.tensor([2, 1, 2, 1])).item() == 1


def test_a_task_without_labels_or_without_a_constant_is_left_out() -> None:
    train, test = split(0, 400), split(1, 150)
    test.defined[:, 0] = False
    train.defined[:, 1] = False
    assert list(constants(TASKS, train, test)) == ["many"]
    maps = Split(inputs=torch.ones(2, 1), targets=(torch.ones(2, 4, 4),), defined=torch.ones(2, 1, dtype=torch.bool))
    assert not constants([Task(name="depth", kind=Depth())], maps, maps)
    with pytest.raises(NotImplementedError):
        Depth().constant(maps.targets[0])


def test_a_run_has_the_constants_of_the_labels_that_it_was_trained_on() -> None:
    spec = spec_of("uniform", "toy-numbers", epochs="1", images="30")
    found, splits = run(spec).constants, assemble(spec, root=Path(), device=CPU).splits
    assert list(found) == ["upper", "lower"]
    for index, constant in enumerate(found.values()):
        train, test = (splits[name].targets[index].double().numpy() for name in ("train", "test"))
        assert len(train) == 30
        assert constant.metrics["mse"] == pytest.approx(np.nanmean((test - np.nanmean(train)) ** 2))
