"""Figures of whole images: each task is shown, or the title says that it is not."""

import pytest
import torch
from torch import Tensor

from mtbench.contract import Classification, Split, Task
from mtbench.explanation.answers import Answers
from mtbench.explanation.figures import Album
from mtbench.explanation.grid import spread
from mtbench.explanation.maps import TaskMaps


class Corner:
    """Maps that are all highest in one corner."""

    name = "map of a corner"
    says = "Maps show a corner."
    gradient_based = False

    def of(self, inputs: Tensor, index: int, classes: Tensor) -> TaskMaps:  # noqa: ARG002
        values = torch.arange(4.0).reshape(1, 2, 2).expand(len(inputs), -1, -1)
        return TaskMaps(values=values, grid=spread((2, 2), (8, 8)))


@pytest.mark.parametrize(
    ("count", "said"), [(12, "wrong answers\n"), (16, "wrong answers; the first 15 of 16 tasks\n")]
)
def test_every_task_of_a_whole_image_is_shown_or_the_title_tells_how_many_are(count: int, said: str) -> None:
    tasks = tuple(Task(name=f"task {index}", kind=Classification(classes=2)) for index in range(count))
    zero = torch.zeros(1, dtype=torch.int64)
    split = Split(
        inputs=torch.zeros(1, 3, 8, 8, dtype=torch.uint8),
        targets=tuple(zero for _ in tasks),
        defined=torch.ones(1, count, dtype=torch.bool),
        mean=(0.0,) * 3,
        std=(1.0,) * 3,
    )
    found = [
        Answers(index=index, rows=zero, truth=zero, said=zero + 1, log_odds=zero.double()) for index in range(count)
    ]
    sheet = Album(tasks=tasks, split=split, maps=Corner(), title="hand", count=6, quick=False).of_images(
        found, right=False
    )
    shown = [panel.above for line in sheet.lines for panel in line.panels if panel]
    assert shown == ["test image 0", *(task.name for task in tasks[:15])]
    assert said in sheet.title
