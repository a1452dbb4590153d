"""Choice of queries and triplets by score, and the figures that show them, on rankings made by hand."""

import torch
from torch import Tensor

from mtbench.contract import Retrieval, Split, Task
from mtbench.explanation.retrieval.album import Album, with_query
from mtbench.explanation.retrieval.cases import best_and_worst, queries_of, triplets_of
from mtbench.explanation.retrieval.embedded import Embedded, Ranking
from mtbench.report.figure.sheet import RIGHT, WRONG

NAN = float("nan")


def ranking(
    queries: list[int], precisions: list[float], classes: list[int] | None = None, distances: Tensor | None = None
) -> Ranking:
    count = len(queries)
    return Ranking(
        queries=torch.tensor(queries),
        query_classes=torch.tensor(classes or [0] * count),
        candidates=torch.tensor(queries),
        candidate_classes=torch.tensor(classes or [0] * count),
        distances=torch.zeros(count, count) if distances is None else distances,
        relevant=torch.tensor(classes or [0] * count)[:, None] == torch.tensor(classes or [0] * count),
        precisions=torch.tensor(precisions, dtype=torch.float64),
    )


def embedded(of: Ranking, gaps: list[float] | None = None, anchors: list[int] | None = None) -> Embedded:
    gaps, anchors = gaps or [], anchors or []
    near = torch.ones(len(gaps))
    return Embedded(
        index=0,
        rows=torch.arange(len(gaps)) + 7,
        images=torch.tensor([[20, 21, 22]] * len(gaps)).reshape(-1, 3),
        classes=torch.tensor([[anchor, anchor, 1 - anchor] for anchor in anchors]).reshape(-1, 3),
        distances=torch.stack([near, near + torch.tensor(gaps)], 1),
        right=torch.tensor(gaps) > 0,
        inputs={number: number % 10 for number in (20, 21, 22, 23)},
        ranking=of,
    )


def test_queries_are_chosen_class_by_class_and_none_is_shown_twice() -> None:
    of = ranking([20, 21, 22, 23, 24], [0.9, 0.8, 0.1, 0.5, NAN], [0, 0, 1, 1, 0])
    best, worst = queries_of(embedded(of), 3)
    assert best.members.tolist() == [0, 3]
    assert worst.members.tolist() == [2]
    assert best.name == "highest average precision of 4 queries among 5 candidates"
    best, worst = queries_of(embedded(of), 9)
    assert sorted(best.members.tolist() + worst.members.tolist()) == [0, 1, 2, 3]


def test_triplets_are_chosen_by_how_much_their_distances_differ() -> None:
    found = embedded(ranking([], []), gaps=[0.1, -0.2, 0.5, 0.3, -0.4, 0.0], anchors=[1, 0, 0, 0, 0, 0])
    right, wrong = triplets_of(found, 3)
    assert right.members.tolist() == [2, 0, 3]  # the second of class 0 after the first of class 1
    assert wrong.members.tolist() == [4, 1, 5]
    assert right.name == "right triplets, 3 of 6; the largest differences first"


def test_of_the_queries_of_many_tasks_the_best_and_the_worst_are_shown() -> None:
    first = embedded(ranking([20, 21, 22, 23], [0.2, 0.9, 0.6, 0.4]))
    second = embedded(ranking([20, 22, 23], [0.4, 0.6, 0.2]))
    third = embedded(ranking([20, 23], [0.3, NAN]))
    assert best_and_worst([first, second, third]) == [22, 20]  # 21 is a query of one of three tasks
    assert best_and_worst([first]) == [21, 20]
    assert best_and_worst([embedded(ranking([], []))]) == []
    assert [query for _, query in with_query([first, second, third], 23)] == [3, 2, 1]


def album() -> Album:
    task = Task(name="open", kind=Retrieval(), question="open alike", answers=("no", "yes"))
    triplets = torch.zeros(1, 3, dtype=torch.long)
    split = Split(
        inputs=torch.arange(10, dtype=torch.uint8).reshape(10, 1, 1, 1).expand(10, 3, 2, 2) * 25,
        targets=(Retrieval.targets(triplets, triplets),),
        defined=torch.ones(1, 1, dtype=torch.bool),
        members=triplets,
    )
    return Album(tasks=(task,), split=split, title="hand", quick=False)


def test_a_query_stands_before_its_nearest_images_which_are_marked_right_or_wrong() -> None:
    inf = float("inf")
    distances = torch.tensor([[inf, 0.5, 0.25, 0.5], [0.5, inf, 1, 1], [0.25, 1, inf, 1], [0.5, 1, 1, inf]])
    found = embedded(ranking([20, 21, 22, 23], [0.5, NAN, NAN, NAN], [1, 1, 0, -1], distances))
    sheet = album().of_queries(found, queries_of(found, 2))
    [line] = sheet.lines
    assert sheet.title.startswith("hand: nearest images, task open (open alike)\n")
    query, *nearest = [panel for panel in line.panels if panel]
    assert (query.above, query.below, query.frame) == ("query", ("image 20", "open yes", "precision 50 %"), "")
    assert [panel.above for panel in nearest] == ["1. image 22", "2. image 21", "3. image 23"]
    assert [panel.below for panel in nearest] == [
        ("wrong, 0.250", "open no"),
        ("right, 0.500", "open yes", "equally far as another"),
        ("wrong, 0.500", "class unknown", "equally far as another"),
    ]
    assert [panel.frame for panel in nearest] == [WRONG, RIGHT, WRONG]
    assert [round(float(panel.image[0, 0, 0] * 255)) for panel in (query, *nearest)] == [0, 50, 25, 75]


def test_a_triplet_is_three_pictures_with_their_roles_and_distances() -> None:
    found = embedded(ranking([], []), gaps=[0.25, -0.5], anchors=[1, 1])
    sheet = album().of_triplets(found, triplets_of(found, 1))
    right, wrong = ([panel for panel in line.panels if panel] for line in sheet.lines)
    assert [panel.above for panel in right] == ["anchor, image 20", "positive, image 21", "negative, image 22"]
    assert [panel.below for panel in right] == [
        ("open yes",),
        ("right, 1.000", "open yes"),
        ("right, 1.250", "open no"),
    ]
    assert [panel.frame for panel in right] == ["", RIGHT, RIGHT]
    assert [panel.below[0] for panel in wrong] == ["open yes", "wrong, 1.000", "wrong, 0.500"]
    assert [panel.wrong for panel in wrong] == [False, True, True]
