"""Maps in numbers, against the same numbers computed pixel by pixel."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch

from mtbench.cli.data.samples.label_table import label_table
from mtbench.contract import Classification, Split, Task
from mtbench.errors import UsageError
from mtbench.plan.parse import parse_dataset
from mtbench_toys.datasets import Surfaces, ToyOptions
from tests.cli.data.samples.maps.test_page import WithNumbers


class WithClass(Surfaces):
    """The first task is a class of the whole image."""

    @property
    def tasks(self) -> tuple[Task, ...]:
        return (Task(name="place", kind=Classification(classes=4), answers=("a", "b", "c", "d")), *super().tasks[1:])

    def labels(self, split: str, *, validation: bool) -> Split:
        found = Surfaces(self.options, self.root).load(split, validation=validation)
        labels = torch.arange(len(found)) % 5 - 1
        return Split(inputs=found.inputs, targets=(labels, *found.targets[1:]), defined=found.defined)


def test_a_line_has_fractions_quantiles_and_means_of_defined_pixels(tmp_path: Path) -> None:
    dataset = parse_dataset("toy-surfaces").open(tmp_path)
    header, *lines = list(csv.reader(label_table(dataset, 9).splitlines()))
    assert header[:9] == [
        *("example", "class undefined %", "class 0 %", "class 1 %", "class 2 %", "depth undefined %"),
        *("depth least", "depth 5 %", "depth 25 %"),
    ]
    assert len(lines) == 9
    split = dataset.labels("test", validation=False)
    classes, depths, normals = (target.numpy() for target in split.targets)
    for row, line in enumerate(lines):
        cells = dict(zip(header, line, strict=True))
        known = classes[row][classes[row] >= 0]
        assert float(cells["class undefined %"]) == pytest.approx(100 * (1 - known.size / 784), rel=1e-3)
        fractions = [float(cells[f"class {label} %"]) for label in range(3)]
        assert fractions == pytest.approx([100 * (known == label).mean() for label in range(3)], rel=1e-3)
        seen = np.sort(depths[row][depths[row] > 0])
        assert float(cells["depth median"]) == pytest.approx((seen[(len(seen) - 1) // 2] + seen[len(seen) // 2]) / 2)
        assert (float(cells["depth least"]), float(cells["depth greatest"])) == (0.5, 1.5)
        if row % 8 == 0:  # its normals are undefined
            assert [cells[f"normal {name}"] for name in ("undefined %", "mean x", "mean z")] == ["100", "", ""]
        else:
            z = normals[row, 2][normals[row, 2] > 0]
            assert float(cells["normal mean z"]) == pytest.approx(z.mean(), rel=1e-3)


def test_classes_of_whole_images_have_their_names(tmp_path: Path) -> None:
    dataset = WithClass(ToyOptions(), tmp_path)
    header, *lines = list(csv.reader(label_table(dataset, 6).splitlines()))
    assert header[1] == "place"
    assert [line[1] for line in lines] == ["", "a", "b", "c", "d", ""]


def test_tasks_without_numbers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"^WithNumbers has no table of labels: it has tasks of kind Regression\. Beside "
    ):
        label_table(WithNumbers(ToyOptions(), tmp_path))
