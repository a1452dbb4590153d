"""Figures of whole images with many tasks, and keys of what is shown alone."""

import torch
from torch import Tensor

from mtbench.contract import Segmentation, Split, Task
from mtbench.explanation.dense.album import WORDS, Album
from mtbench.explanation.dense.cases import best_median_worst
from mtbench.explanation.dense.measured import Maps, Measured
from mtbench.report.figure.keys import Swatches

NAMES = ("walls", "a name that is too long to stand above a picture", "c", "d", "e", "f")


def measured(index: int, count: int) -> Measured:
    task = Task(name=NAMES[index], kind=Segmentation(classes=40))
    values = {"miou": torch.arange(count, dtype=torch.float64)}
    return Measured(index=index, task=task, rows=torch.arange(count), values=values, whole={})


def maps(index: int, rows: Tensor) -> Maps:  # noqa: ARG001
    """Return maps of which image n is of class n everywhere, and is predicted as class n + 20."""
    truths = rows[:, None, None].expand(-1, 6, 8)
    return Maps(truths=truths, predictions=truths + 20)


def album(count: int) -> Album:
    split = Split(inputs=torch.zeros(count, 3, 6, 8), targets=(), defined=torch.ones(count, 0, dtype=torch.bool))
    return Album(split=split, maps=maps, title="hand", quick=True)


def labels(key: object) -> list[str]:
    assert isinstance(key, Swatches)
    return [name for _, name in key.entries]


def test_tasks_that_find_no_room_beside_an_image_stand_below_with_short_words() -> None:
    found = [measured(index, 12) for index in range(6)]
    rows = torch.tensor([11, 7, 3, 2, 1])
    sheet = album(12).of_images(found, rows, torch.linspace(4 / 3, 6, 5), "best", 6)
    assert sheet.title == "hand: best mean rank\nPreview, not a result."
    assert sheet.columns == 6
    above = [[panel.above if panel else None for panel in line.panels] for line in sheet.lines]
    long, short = "a name that is too…", ["miou 11.0 %"] * 5
    assert above[0] == ["image 11, rank 1.33", "walls: truth", long, "c: truth", "d: truth", "e: truth"]
    assert above[1] == [None, *short]
    assert above[2:4] == [[None, "f: truth"], [None, "miou 11.0 %"]]
    assert all(len(words) <= WORDS[6] for line in above for words in line if words)
    assert len(sheet.lines) % 4 == 0  # whole images


def test_a_key_names_the_classes_of_the_images_that_find_room_alone() -> None:
    sheet = album(12).of_images([measured(0, 12), measured(1, 12)], torch.arange(12), torch.arange(12.0), "worst", 12)
    shown = len(sheet.lines) // 2
    assert 1 < shown < 12
    expected = [*map(str, range(shown)), *map(str, range(20, 20 + shown))]
    assert [labels(key) for key in sheet.keys] == [expected, expected, ["undefined in the truth"]]


def test_a_task_has_a_line_per_image_with_its_value() -> None:
    found = measured(0, 9)
    sheet = album(9).of_task(found, best_median_worst(found, 3))
    assert [[panel.above for panel in line.panels if panel] for line in sheet.lines] == [
        [f"{case}: test image {row}", "truth", f"prediction, miou {row}.0 %", "wrong pixels"]
        for case, row in (("best", 8), ("median", 4), ("worst", 0))
    ]
    assert not album(9).of_task(measured(0, 0), best_median_worst(measured(0, 0), 3)).lines
