"""Choice of images by their metrics, against orders and ranks made by hand and by SciPy."""

import torch
from scipy.stats import rankdata

from mtbench.contract import Depth, Segmentation, Task
from mtbench.explanation.dense.cases import best_median_worst, image_ranks
from mtbench.explanation.dense.measured import Measured

NAN = float("nan")
KINDS = {"miou": Segmentation(classes=2), "absolute-error": Depth()}


def measured(metric: str, values: list[float], rows: list[int] | None = None) -> Measured:
    return Measured(
        index=0,
        task=Task(name=metric, kind=KINDS[metric]),
        rows=torch.tensor(rows or list(range(len(values)))),
        values={metric: torch.tensor(values, dtype=torch.float64)},
        whole={metric: 0.0},
    )


def chosen(found: Measured, count: int) -> dict[str, list[int]]:
    return {case.name: case.members.tolist() for case in best_median_worst(found, count)}


def test_images_come_from_the_ends_and_the_middle_of_the_order() -> None:
    values = [50.0, 90, 10, 70, 30, 20, 80, 40, 60]
    assert chosen(measured("miou", values), 6) == {"best": [1, 6], "median": [8, 0], "worst": [2, 5]}
    assert chosen(measured("absolute-error", values), 6) == {"best": [2, 5], "median": [7, 0], "worst": [1, 6]}
    assert chosen(measured("miou", values), 3) == {"best": [1], "median": [0], "worst": [2]}
    assert chosen(measured("miou", values), 2) == {"best": [1], "median": [], "worst": [2]}
    assert chosen(measured("miou", values), 1) == {"best": [1], "median": [], "worst": []}


def test_no_image_is_shown_twice_and_none_without_a_value() -> None:
    assert chosen(measured("miou", [50.0, NAN, 90, 10]), 9) == {"best": [2, 0, 3], "median": [], "worst": []}
    assert chosen(measured("miou", [50.0, NAN, 90, 10, 60]), 6) == {"best": [2, 4], "median": [], "worst": [3, 0]}
    assert chosen(measured("miou", [NAN, NAN]), 6) == {"best": [], "median": [], "worst": []}


def test_of_equals_the_first_in_the_split_comes_first_at_both_ends() -> None:
    assert chosen(measured("miou", [5.0, 7, 5, 7, 6, 5, 7]), 6) == {"best": [1, 3], "median": [6, 4], "worst": [0, 2]}


def test_mean_ranks_are_those_of_scipy_over_the_images_that_have_every_value() -> None:
    miou = [10.0, 30, 30, NAN, 50, 20]
    errors = [0.5, 0.5, 0.1, 0.3, 0.5, 0.2]
    rows, ranks = image_ranks([measured("miou", miou), measured("absolute-error", errors[:5], rows=[0, 1, 2, 3, 4])])
    assert rows.tolist() == [0, 1, 2, 4]
    first = rankdata([-miou[row] for row in rows.tolist()])
    second = rankdata([errors[row] for row in rows.tolist()])
    assert ranks.tolist() == ((first + second) / 2).tolist() == [3.5, 2.75, 1.75, 2.0]
