"""The ceiling of one embedding for all tasks, against exhaustive enumeration and a binomial sum."""

import itertools
import math

import pytest
import torch

from mtbench.contract.tasks.kinds.ceiling import shared_embedding_ceiling


@pytest.mark.parametrize(("tasks", "known"), [(1, 100.0), (3, 81.3), (7, 71.0), (8, 69.6)])
def test_for_independent_balanced_attributes_it_is_that_of_all_cases(tasks: int, known: float) -> None:
    """The anchor has every attribute; positives have the first, negatives have not; each other bit is 0 or 1."""
    classes = torch.tensor([[1] * tasks, *itertools.product((0, 1), repeat=tasks)])
    rows = torch.arange(1, len(classes))
    pairs = torch.cartesian_prod(rows[classes[1:, 0] == 1], rows[classes[1:, 0] == 0])
    triplets = torch.cat([torch.zeros(len(pairs), 1, dtype=torch.long), pairs], dim=1)
    found = shared_embedding_ceiling(classes, triplets, torch.zeros(len(pairs)))
    assert found[0] == pytest.approx(known, abs=0.06)
    assert all(map(math.isnan, found[1:]))
    # near ~ B(T - 1, 1/2), far ~ 1 + B(T - 1, 1/2): far - near ~ B(2 T - 2, 1/2) - T + 2
    odds = {heads - tasks + 2: math.comb(2 * tasks - 2, heads) / 4 ** (tasks - 1) for heads in range(2 * tasks - 1)}
    assert found[0] == pytest.approx(100 * (sum(odds[gap] for gap in odds if gap > 0) + odds.get(0, 0) / 2))


def test_for_twenty_attributes_of_random_images_it_is_near_the_known_one() -> None:
    generator = torch.Generator().manual_seed(0)
    classes = torch.randint(0, 2, (4000, 20), generator=generator)
    owner = torch.arange(40_000) % 20
    triplets = torch.randint(0, 4000, (40_000, 3), generator=generator)
    own = classes[triplets, owner[:, None]]
    fits = (own == torch.tensor([1, 1, 0])).all(1)
    found = shared_embedding_ceiling(classes, triplets[fits], owner[fits])
    assert sum(found) / 20 == pytest.approx(62.5, abs=1.5)


def test_tasks_that_say_the_same_share_an_embedding_without_loss() -> None:
    classes = torch.tensor([[1, 1], [1, 1], [0, 0]])
    assert shared_embedding_ceiling(classes, torch.tensor([[0, 1, 2]] * 2), torch.tensor([0, 1])) == [100, 100]


def test_an_unknown_class_differs_from_nothing() -> None:
    classes = torch.tensor([[1, 1], [1, 0], [0, -1]])  # 0 and 1 differ for the second task, 0 and 2 for the first
    assert shared_embedding_ceiling(classes, torch.tensor([[0, 1, 2]]), torch.tensor([0]))[0] == 50
