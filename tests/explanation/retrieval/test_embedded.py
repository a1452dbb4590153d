"""Embeddings of test images: what is found equals what evaluation measures, and what is counted by hand."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mtbench.contract import AllTasksNetwork, Inputs, OneTaskNetwork, Retrieval, Split, Task
from mtbench.explanation.retrieval.embedded import embed
from mtbench.train.assemble import assemble
from mtbench.train.evaluate import measure
from tests.train.runs import CPU, spec_of

METHODS = ("fsn", "itn", "ib:size=4", "csn", "csn:masks=fixed", "only-mask", "chmod", "td")
TASKS = tuple(Task(name=name, kind=Retrieval(size=2, normalized=False)) for name in ("first", "second"))
PLACES = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0], [3.0, 0.0], [0.0, 1.0], [9.0, 9.0]])
CLASSES = [0, 0, 1, 0, 1, -1]


class Points(AllTasksNetwork):
    """Images are points, which are their own embeddings; in the second task their second coordinate is 0."""

    def __init__(self) -> None:
        nn.Module.__init__(self)
        self.tasks = TASKS
        self.asked = 0

    def forward(self, inputs: Inputs) -> list[Tensor]:
        assert isinstance(inputs, Tensor)
        self.asked += len(inputs)
        return [inputs, inputs * torch.tensor([1.0, 0.0])]


class OneByOne(OneTaskNetwork):
    """The same points, asked for one task at a time."""

    def __init__(self) -> None:
        nn.Module.__init__(self)
        self.tasks = TASKS
        self.asked = 0

    def forward(self, inputs: Inputs, task: Tensor) -> Tensor:
        assert isinstance(inputs, Tensor)
        self.asked += len(inputs)
        return inputs * torch.where(task[:, None] == 0, torch.ones(2), torch.tensor([1.0, 0.0]))


def split_of(members: list[list[int]], owners: list[int]) -> Split:
    triplets, owner = torch.tensor(members), torch.tensor(owners)
    targets = Retrieval.targets(triplets + 100, torch.tensor(CLASSES)[triplets])
    return Split(
        inputs=PLACES,
        targets=(targets, targets),
        defined=owner[:, None] == torch.arange(2),
        members=triplets,
    )


@pytest.mark.parametrize("method", METHODS)
def test_triplets_and_rankings_are_those_that_evaluation_measures(method: str) -> None:
    assembled = assemble(spec_of(method, "toy-retrieval"), root=Path(), device=CPU)
    network, split = assembled.network.eval(), assembled.splits["test"]
    found = embed(network, split, [0, 1])
    for each, task in zip(found, network.tasks, strict=True):
        metrics = measure(network, split).results[task.name].metrics
        assert 100 * float(each.right.double().mean()) == pytest.approx(metrics["triplet-accuracy"], abs=1e-9)
        assert 100 * float(each.ranking.precisions.nanmean()) == pytest.approx(metrics["map"], abs=1e-9)


@pytest.mark.parametrize(("network", "passes"), [(Points(), 5), (OneByOne(), 7)])
def test_each_image_is_embedded_once_for_each_task_that_has_it(network: Any, passes: int) -> None:
    # The first task has images 0, 1, 2 and 4, the second 0, 1 and 3; networks of all tasks embed for both at once.
    embed(network, split_of([[0, 1, 2], [1, 0, 2], [0, 1, 4], [0, 3, 1], [3, 0, 1]], [0, 0, 0, 1, 1]), [0, 1])
    assert network.asked == passes


def test_distances_of_triplets_are_those_of_their_points() -> None:
    first, second = embed(Points(), split_of([[0, 1, 2], [1, 3, 4], [4, 2, 0], [0, 2, 4]], [0, 0, 0, 1]), [0, 1])
    assert first.rows.tolist() == [0, 1, 2]
    assert first.images.tolist() == [[100, 101, 102], [101, 103, 104], [104, 102, 100]]
    assert first.classes.tolist() == [[0, 0, 1], [0, 0, 1], [1, 1, 0]]
    assert first.distances.tolist() == [[1, 2], [2, pytest.approx(2**0.5)], [1, 1]]
    assert first.right.tolist() == [True, False, False]  # of the last both are equally far
    assert second.distances.tolist() == [[0, 0]]
    assert second.right.tolist() == [False]
    assert [first.inputs[number] for number in (100, 104)] == [0, 4]


def test_candidates_are_ranked_without_the_query_and_those_of_unknown_class() -> None:
    [found] = embed(Points(), split_of([[0, 1, 2], [1, 3, 4], [4, 2, 5]], [0, 0, 0]), [0])
    ranking = found.ranking
    assert ranking.queries.tolist() == [100, 101, 104]
    assert ranking.candidates.tolist() == [100, 101, 102, 103, 104]
    assert [ranking.candidates[index].item() for index in ranking.nearest(0, 9)] == [101, 104, 102, 103]
    assert [ranking.is_tied(0, index) for index in (1, 4, 2, 3)] == [True, True, False, False]
    assert ranking.relevant.tolist()[0] == [False, True, False, True, False]
    # For query 0: 1 (relevant) and 4 are one step, then 2, then 3 (relevant).
    assert ranking.precisions[0] == pytest.approx((1 / 2 + 2 / 4) / 2)
    # For query 4: 0 and 2 (relevant) are one step.
    assert ranking.precisions[2] == pytest.approx(1 / 2)


def test_a_task_without_triplets_has_no_ranking() -> None:
    _, second = embed(Points(), split_of([[0, 1, 2]], [0]), [0, 1])
    assert second.rows.shape == (0,)
    assert second.ranking.distances.shape == (0, 0)
    assert second.right.shape == (0,)
