"""Class balance as ``mtbench data prepare`` prints it."""

import dataclasses
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from sklearn.dummy import DummyClassifier
from typer.testing import CliRunner

from mtbench.cli.data.balance import class_balance, point_balance, triplet_balance
from mtbench.cli.data.commands import app
from mtbench.contract import Classification, Dataset, NoOptions, Regression, Split, Task, TrainingProtocol
from mtbench.plan.parse import parse_dataset
from mtbench.train.diagnostics.ceilings import ceilings


class Made(Dataset):
    """Labels of made-up frequencies, about a third of them undefined, and no images at all."""

    protocols: ClassVar = {"paper": TrainingProtocol()}
    default_backbone = "lenet"
    input_shape = (1, 28, 28)
    count = 3
    classes = 4
    partial = True

    @property
    def tasks(self) -> tuple[Task, ...]:
        named = [Task(name=f"q{index}", kind=Classification(classes=self.classes)) for index in range(self.count)]
        return (*named, Task(name="number", kind=Regression()))

    def prepare(self, say: Callable[[str], None]) -> None:
        raise NotImplementedError

    def verify(self) -> list[tuple[Path, str]]:
        raise NotImplementedError

    def fingerprint(self) -> str:
        return "made"

    def load(self, split: str, *, validation: bool) -> Split:
        assert not validation
        size = {"train": 600, "test": 200}[split]
        generator = torch.Generator().manual_seed(size)
        weights = torch.arange(1, self.classes + 1).float()
        labels = [torch.multinomial(weights, size, replacement=True, generator=generator) for _ in range(self.count)]
        defined = torch.rand(size, self.count + 1, generator=generator) < (2 / 3 if self.partial else 1)
        targets = [label.where(known, -1) for label, known in zip(labels, defined.T[:-1], strict=True)]
        return Split(inputs=torch.zeros(size, 0), targets=(*targets, torch.zeros(size)), defined=defined)


def made(**changed: object) -> Made:
    return type("Other", (Made,), changed)(NoOptions(), Path())  # type: ignore[no-any-return]


def known(dataset: Made, split: str, index: int) -> np.ndarray:
    found = dataset.load(split, validation=False)
    return found.targets[index][found.defined[:, index]].numpy()


def test_each_task_has_its_labels_counted_and_the_majority_class_its_accuracy() -> None:
    dataset = made()
    *lines, last = class_balance(dataset)
    assert len(lines) == 3
    accuracies = []
    for index, line in enumerate(lines):
        train, test = known(dataset, "train", index), known(dataset, "test", index)
        counts = Counter(train.tolist())
        fractions = ", ".join(f"{label}: {100 * counts[label] / len(train):.1f} %" for label in range(4))
        assert line == f"q{index}: {len(train)} of 600 training examples have a label; {fractions}"
        dummy = DummyClassifier(strategy="most_frequent").fit(train[:, None], train)
        accuracies.append(100 * dummy.score(test[:, None], test))
    rows = ", ".join(f"q{index} {accuracy:.2f}" for index, accuracy in enumerate(accuracies))
    assert last == (
        f"majority class, accuracy in % on 200 test examples: {rows}, mean {sum(accuracies) / len(accuracies):.2f}"
    )


def test_of_many_classes_the_rare_ones_are_summed_up() -> None:
    line, _, _, _ = class_balance(made(classes=30, partial=False))
    assert line.startswith("q0: all labeled; ")
    assert line.count(":") == 14
    fractions = [float(fraction) for fraction in re.findall(r": ([\d.]+) %", line)]
    assert sum(fractions) == pytest.approx(100, abs=0.7)
    assert "18 rarer classes: " in line


def test_many_tasks_take_three_lines() -> None:
    dataset = made(count=40)
    lines = list(class_balance(dataset))
    assert lines[0] == "40 tasks of 4 classes"
    counts = [len(known(dataset, "train", index)) / 6 for index in range(40)]
    low, middle, high = np.percentile(counts, [0, 50, 100])
    assert lines[1] == f"training examples with a label: {low:.1f} to {high:.1f} (median {middle:.1f}) %"
    assert lines[2].startswith("majority class, accuracy in % on 200 test examples: ")
    assert len(lines) == 3


def test_where_no_task_is_a_classification_nothing_is_said() -> None:
    assert not list(class_balance(made(count=0)))


def test_prepare_prints_it_when_the_data_are_ready(tmp_path: Path) -> None:
    wide = {"COLUMNS": "400"}
    asked = ["prepare", "toy-partial", "--data-root", str(tmp_path)]
    output = CliRunner().invoke(app, asked, env=wide, catch_exceptions=False)
    ready, *lines = output.output.splitlines()[-5:]
    assert ready == f"toy-partial is ready in {tmp_path}"
    assert [line.split(":")[0] for line in lines[:3]] == ["  upper", "  lower", "  same"]
    assert lines[3].startswith("  majority class, accuracy in % on 48 test examples: upper ")


def test_classes_are_called_what_answers_are_called() -> None:
    class Named(Made):
        count, classes, partial = 1, 3, False

        @property
        def tasks(self) -> tuple[Task, ...]:
            first, number = super().tasks
            return dataclasses.replace(first, answers=("red", "green", "blue")), number

    line, _ = class_balance(Named(NoOptions(), Path()))
    assert re.fullmatch(r"q0: all labeled; red: [\d.]+ %, green: [\d.]+ %, blue: [\d.]+ %", line)


class Placed(Made):
    """Points of two tasks: those of the first in one place in training and half of the time in the test split, and of
    the second in four corners."""

    points = True

    def load(self, split: str, *, validation: bool) -> Split:
        found = super().load(split, validation=validation)
        points = torch.full((len(found), self.count + 1, 2), torch.nan)
        points[:, 0] = 14.0
        if split == "test":
            points[::2, 0] = 2.0
        rows = torch.arange(len(found))
        points[:, 1, 0], points[:, 1, 1] = 27.0 * (rows % 2), 27.0 * (rows // 2 % 2)
        return dataclasses.replace(found, points=points, defined=torch.ones_like(found.defined))


def test_points_are_compared_with_the_best_constant_one() -> None:
    dataset = type("Other", (Placed,), {})(NoOptions(), Path())
    line, warning = point_balance(dataset)
    assert line.endswith("within 10 % of the side: q0 50.0, q1 25.0, mean 37.5")
    assert warning == "warning: above 30 % for q0: the places are too similar to test where a network attends"


def test_without_points_nothing_is_said_of_them() -> None:
    assert not list(point_balance(made()))


def test_triplets_are_counted_and_the_ceiling_of_one_embedding_is_said() -> None:
    dataset = parse_dataset("toy-retrieval").open(Path())
    train, test, ceiling = triplet_balance(dataset)
    assert train == "training triplets for each task: 96"
    assert test == "test triplets for each task: 48"
    found = ceilings(dataset.tasks, dataset.labels("test", validation=False))
    upper, lower = (each.value for each in found.values())
    assert ceiling == (
        "ceiling of one embedding for all tasks, triplet accuracy in %: "
        f"upper {upper:.1f}, lower {lower:.1f}, mean {(upper + lower) / 2:.1f}"
    )
    assert list(triplet_balance(parse_dataset("toy-all").open(Path()))) == []
