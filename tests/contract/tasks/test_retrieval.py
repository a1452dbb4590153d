"""Embeddings: the triplet loss and its gradient by hand, accuracy with ties, orders, mean average precision."""

import dataclasses
import math
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score
from torch import Tensor
from torchmetrics.retrieval import RetrievalMAP

from mtbench.contract import Retrieval
from mtbench.contract.tasks.kinds.candidates import LISTED, average_precisions

KIND = Retrieval(size=2)


def triplet(anchor: tuple[float, float], positive: tuple[float, float], negative: tuple[float, float]) -> Tensor:
    return torch.tensor([[anchor, positive, negative]], dtype=torch.float32)


def gradient(kind: Retrieval, output: Tensor) -> tuple[float, Tensor]:
    output = output.clone().requires_grad_()
    loss = kind.losses(output, torch.zeros(len(output), 3, 2)).sum()
    loss.backward()  # type: ignore[no-untyped-call]
    assert output.grad is not None
    return float(loss.detach()), output.grad


def test_the_loss_and_its_gradient_are_those_worked_out_by_hand() -> None:
    """a = (1, 0), p = (0, 1), n = (3/5, 4/5): |a-p|^2 = 2 and |a-n|^2 = 2 - 6/5, so the loss is 6/5 + 1/5.

    With d(x, y) = 2 - 2 x y on the circle its gradient is that of 2 a n - 2 a p, cut to what is tangential: for a
    2 (n - p) = (6/5, -2/5) less its part along a, for p -2 a less nothing, for n 2 a less (6/5) n.
    """
    loss, grad = gradient(KIND, triplet((1, 0), (0, 1), (0.6, 0.8)))
    assert loss == pytest.approx(1.4)
    torch.testing.assert_close(grad[0], torch.tensor([[0, -0.4], [-2, 0], [2 - 0.72, -0.96]]))


def test_the_length_of_an_output_changes_no_loss_and_divides_the_gradient() -> None:
    loss, grad = gradient(KIND, triplet((2, 0), (0, 4), (0.6, 0.8)))
    assert loss == pytest.approx(1.4)
    torch.testing.assert_close(grad[0], torch.tensor([[0, -0.2], [-0.5, 0], [2 - 0.72, -0.96]]))


def test_the_gradient_of_a_positive_that_is_the_anchor_is_zero_for_it() -> None:
    """a = p = (1, 0), n = (0.96, 0.28): the loss is margin - |a-n|^2 = .2 - .08; only a n is left to be changed."""
    for squared in (True, False):
        kind = dataclasses.replace(KIND, squared=squared, margin=0.5)
        far = 0.08 if squared else math.sqrt(0.08)
        loss, grad = gradient(kind, triplet((1, 0), (1, 0), (0.96, 0.28)))
        assert loss == pytest.approx(0.5 - far)
        assert torch.equal(grad[0, 1], torch.zeros(2))
        by_far = 1 if squared else 1 / (2 * far)  # d sqrt(x) = dx / (2 sqrt(x))
        expected = torch.tensor([[0, 2 * 0.28], [0, 0], [2 - 2 * 0.96**2, -2 * 0.96 * 0.28]]) * by_far
        torch.testing.assert_close(grad[0], expected)


def test_a_triplet_beyond_the_margin_costs_nothing_and_moves_nothing() -> None:
    loss, grad = gradient(KIND, triplet((1, 0), (1, 0), (0, 1)))
    assert loss == 0
    assert not grad.any()


def test_an_output_of_zeros_has_a_finite_loss_and_gradient() -> None:
    for kind in (KIND, dataclasses.replace(KIND, squared=False), dataclasses.replace(KIND, normalized=False)):
        loss, grad = gradient(kind, torch.zeros(1, 3, 2))
        assert loss == pytest.approx(0.2)
        assert torch.isfinite(grad).all()


def test_the_losses_without_normalization_and_squares_are_pytorchs() -> None:
    output = torch.randn(50, 3, 8, generator=torch.Generator().manual_seed(0))
    found = Retrieval(size=8, normalized=False, squared=False, margin=1.0).losses(output, torch.zeros(50, 3, 2))
    expected = torch.nn.functional.triplet_margin_loss(
        output[:, 0], output[:, 1], output[:, 2], margin=1.0, eps=0, reduction="none"
    )
    torch.testing.assert_close(found, expected)


def test_a_triplet_is_right_if_its_positive_is_nearer_and_wrong_if_both_are_equally_far() -> None:
    output = torch.cat(
        [
            triplet((1, 0), (0.8, 0.6), (0, 1)),  # nearer
            triplet((1, 0), (0, 1), (0.8, 0.6)),  # farther
            triplet((1, 0), (0.6, 0.8), (0.6, -0.8)),  # equally far
            triplet((3, 0), (5, 0), (7, 0)),  # all at one place
        ]
    )
    targets = Retrieval.targets(torch.arange(12).view(4, 3), torch.tensor([[1, 1, 0]]).expand(4, 3))
    predictions = KIND.predict(output)
    assert KIND.correct(predictions, targets).tolist() == [True, False, False, False]
    assert KIND.correct(KIND.stored(predictions), targets).tolist() == [True, False, False, False]
    tally = KIND.tally()
    tally.add(predictions[:3], targets[:3])
    tally.add(predictions[3:], targets[3:])
    assert tally.score()["triplet-accuracy"] == 25


def test_stored_distances_give_the_accuracy_again_and_no_mean_average_precision() -> None:
    output = torch.randn(60, 3, 4, generator=torch.Generator().manual_seed(1))
    targets = Retrieval.targets(torch.arange(180).view(60, 3), torch.tensor([[1, 1, 0]]).expand(60, 3))
    kind, tallies = Retrieval(size=4), []
    predictions = kind.predict(output)
    for given_ in (predictions, kind.stored(predictions)):
        tallies.append(kind.tally())
        tallies[-1].add(given_, targets)
    first, second = (tally.score() for tally in tallies)
    assert kind.stored(predictions).dtype == kind.stored_as
    assert first["triplet-accuracy"] == second["triplet-accuracy"]
    assert 0 < first["map"] < 100
    assert math.isnan(second["map"])
    assert kind.tally().score() == pytest.approx(dict.fromkeys(("triplet-accuracy", "map"), math.nan), nan_ok=True)


def test_every_batch_has_equally_many_triplets_of_each_task() -> None:
    tasks = torch.arange(300) % 5
    tasks[:40] = 0  # more of one
    defined = tasks[:, None] == torch.arange(5)
    rows = KIND.order(defined, torch.Generator().manual_seed(0))
    assert len(set(rows.tolist())) == len(rows) == 5 * int(defined.sum(0).min())
    for batch in torch.split(rows, 15):
        assert Counter(tasks[batch].tolist()) == dict.fromkeys(range(5), len(batch) // 5)
    again = KIND.order(defined, torch.Generator().manual_seed(0))
    other = KIND.order(defined, torch.Generator().manual_seed(1))
    assert torch.equal(rows, again)
    assert not torch.equal(rows, other)


def test_a_task_without_triplets_is_left_out_of_an_epoch() -> None:
    defined = torch.tensor([[True, False, False], [False, False, True], [True, False, False]])
    assert sorted(KIND.order(defined, torch.Generator()).tolist()) in ([0, 1], [1, 2])
    assert len(KIND.order(torch.zeros(4, 2, dtype=torch.bool), torch.Generator())) == 0


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=1, max_size=30).filter(
        lambda rows: any(relevant for _, relevant in rows)
    )
)
def test_an_average_precision_is_that_of_scikit_learn_ties_included(rows: list[tuple[int, bool]]) -> None:
    distances, relevant = (torch.tensor(column) for column in zip(*rows, strict=True))
    found = average_precisions(distances.double()[None], relevant[None])
    assert float(found) == pytest.approx(average_precision_score(relevant.numpy(), -distances.numpy()))


def test_shifted_scores_have_equal_values_here_and_not_in_torchmetrics() -> None:
    """torchmetrics takes a relevant item with a score of zero or less for irrelevant."""
    generator = torch.Generator().manual_seed(0)
    distances = torch.rand(40, generator=generator)
    relevant = torch.rand(40, generator=generator) < 0.4
    values = [float(average_precisions((distances + shift)[None], relevant[None])) for shift in (-2, 0, 3)]
    index = torch.zeros(40, dtype=torch.long)
    positive = float(RetrievalMAP()(1 - distances, relevant, indexes=index))
    assert values == pytest.approx([positive] * 3)
    assert float(RetrievalMAP()(-distances, relevant, indexes=index)) != pytest.approx(positive)


def tallied(embeddings: Tensor, images: Tensor, classes: Tensor, sizes: int = 7) -> float:
    """Return the mean average precision of triplets (n, 3) of images, by the embeddings (N, D) and classes (N,) of
    these."""
    kind = Retrieval(size=embeddings.shape[1])
    tally, predictions = kind.tally(), kind.predict(embeddings[images])
    targets = Retrieval.targets(images, classes[images])
    for part in torch.split(torch.arange(len(images)), sizes):
        tally.add(predictions[part], targets[part])
    return tally.score()["map"]


def test_the_mean_average_precision_of_four_images_is_the_one_worked_out_by_hand() -> None:
    """On the circle at 0, 10, 20 and 50 degrees, of classes 1, 0, 1, 1; queries are 0 and 3.

    From 0 the order is 1 (irrelevant), 2, 3: (1/2 + 2/3) / 2. From 3 it is 2, 1 (irrelevant), 0: (1 + 2/3) / 2.
    Neither is its own candidate, which would come first.
    """
    angles = torch.tensor([0.0, 10, 20, 50]) * math.pi / 180
    embeddings = torch.stack([angles.cos(), angles.sin()], dim=1)
    found = tallied(embeddings, torch.tensor([[0, 2, 1], [3, 0, 1]]), torch.tensor([1, 0, 1, 1]))
    assert found == pytest.approx(100 * ((1 / 2 + 2 / 3) / 2 + (1 + 2 / 3) / 2) / 2)


def test_a_query_without_relevant_candidates_is_left_out_of_the_mean() -> None:
    embeddings = torch.tensor([[1.0, 0], [0.8, 0.6], [0, 1], [-1, 0]])
    classes = torch.tensor([1, 1, 0, 2])
    with_, without = (torch.tensor(rows) for rows in ([[0, 1, 2], [3, 1, 2]], [[0, 1, 2], [0, 1, 3]]))
    assert tallied(embeddings, with_, classes) == tallied(embeddings, without, classes) == 100
    assert math.isnan(tallied(embeddings, torch.tensor([[3, 1, 2]]), torch.tensor([-1, 1, 0, 2])))


def test_an_image_of_unknown_class_is_neither_query_nor_candidate() -> None:
    generator = torch.Generator().manual_seed(0)
    embeddings, classes = torch.randn(30, 4, generator=generator), torch.randint(0, 3, (30,), generator=generator)
    unknown, images = classes.clone(), torch.randint(0, 30, (50, 3), generator=generator)
    unknown[10:] = -1
    known = images[(images < 10).all(1)]
    extra = torch.tensor([[index] * 3 for index in sorted(set(images[:, 0].tolist())) if index < 10])
    every = torch.tensor([[0, other, other] for other in range(10)])
    expected = tallied(embeddings, torch.cat([extra, every, known]), classes)
    assert tallied(embeddings, torch.cat([images, every]), unknown) == pytest.approx(expected)


def test_candidates_that_are_equally_far_are_one_step_in_any_order() -> None:
    """Two of four candidates at one place are relevant: each has a precision of 1/2, in any order."""
    embeddings = torch.tensor([[1.0, 0], *[[0.3, 0.1]] * 4])
    for classes in ([1, 1, 1, 0, 0], [1, 0, 0, 1, 1], [1, 0, 1, 0, 1]):
        images = torch.tensor([[0, other, other] for other in range(1, 5)])
        assert tallied(embeddings, images, torch.tensor(classes)) == pytest.approx(50)


def test_the_listed_images_depend_on_neither_the_order_nor_the_batches_and_are_spread() -> None:
    count = 4 * LISTED
    generator = torch.Generator().manual_seed(0)
    embeddings = torch.randn(count, 3, generator=generator)
    classes = (embeddings[:, 0] + torch.randn(count, generator=generator) > 0).long()
    images = torch.randint(0, count, (2 * count, 3), generator=generator)
    found = tallied(embeddings, images, classes, sizes=1000)
    assert found == tallied(embeddings, images.flip(0), classes, sizes=77)
    kind = Retrieval(size=3)
    tally = kind.tally()
    tally.add(kind.predict(embeddings[images]), Retrieval.targets(images, classes[images]))
    listed = tally.lists.candidates.images  # type: ignore[attr-defined]
    assert len(listed) == LISTED
    per_tenth = np.histogram(listed.numpy(), bins=10, range=(0, count))[0]
    assert per_tenth.min() > 0.8 * LISTED / 10
    assert found > 60  # half of the candidates are relevant, by chance
