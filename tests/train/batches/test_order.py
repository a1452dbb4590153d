import pytest
import torch
from torch import Tensor

from mtbench.contract import Classification, stream
from mtbench.train.batches.order import Visits, draw_tasks, visits
from mtbench_toys.kinds import Triplet

DIGITS = Classification(classes=10)


def labels(examples: int, tasks: int = 2, fraction: float = 1.0) -> Tensor:
    """Return random masks of defined targets."""
    return torch.rand(examples, tasks, generator=torch.Generator().manual_seed(0)) < fraction


def epoch(defined: Tensor, whole: Tensor, number: int = 0, *, one_task: bool = True) -> Visits:
    return visits(DIGITS, defined, whole, range(defined.shape[1]), seed=5, epoch=number, one_task=one_task)


def test_all_examples_are_visited_once_in_the_order_of_the_epochs_stream() -> None:
    whole = labels(50)
    found = epoch(whole, whole, 3)
    assert torch.equal(found.rows, torch.randperm(50, generator=stream(5, "order", 3)))
    assert found.drawn is not None
    assert torch.equal(found.drawn, draw_tasks(whole, stream(5, "tasks", 3))[found.rows])
    assert epoch(whole, whole, one_task=False).drawn is None


@pytest.mark.parametrize(("kept", "whole"), [(1, 7), (7, 50), (25, 50), (49, 50), (10, 96)])
def test_of_fewer_examples_each_is_visited_as_often_as_any_other_or_once_more(kept: int, whole: int) -> None:
    everything = labels(whole)
    found = epoch(everything[:kept], everything)
    times = torch.bincount(found.rows, minlength=kept)
    assert len(found) == int(times.sum()) == whole
    assert set(times.tolist()) <= {whole // kept, -(-whole // kept)}
    for start in range(0, whole - kept + 1, kept):  # pass by pass
        assert sorted(found.rows[start : start + kept].tolist()) == list(range(kept))


def test_each_pass_has_an_order_and_draws_of_its_own_and_the_first_those_of_all() -> None:
    everything = labels(400)
    found = epoch(everything[:100], everything)
    passes = found.rows.view(4, 100)
    assert len({tuple(order) for order in passes.tolist()}) == 4
    assert torch.equal(passes[0], torch.randperm(100, generator=stream(5, "order", 0)))
    assert found.drawn is not None
    drawn = found.drawn.view(4, 100)
    by_example = torch.stack([tasks[order.argsort()] for order, tasks in zip(passes, drawn, strict=True)])
    assert torch.equal(by_example[0], draw_tasks(everything[:100], stream(5, "tasks", 0)))
    # Four fair coins per example fall alike for one example in eight.
    alike = (by_example == by_example[0]).all(0).double().mean()
    assert float(alike) == pytest.approx(1 / 8, abs=5 * (7 / 64 / 100) ** 0.5)


def test_epochs_differ_and_are_the_same_when_drawn_again() -> None:
    everything = labels(60)
    first, again, other = (epoch(everything[:20], everything, number) for number in (0, 0, 1))
    assert torch.equal(first.rows, again.rows)
    assert not torch.equal(first.rows, other.rows)


def test_examples_without_a_label_are_left_out_and_as_many_are_visited_as_have_one_among_all() -> None:
    everything = labels(200, fraction=0.4)
    found = epoch(everything[:50], everything)
    assert len(found) == int(everything.any(1).sum())
    assert everything[found.rows].any(1).all()
    assert found.drawn is not None
    assert everything[found.rows, found.drawn].all()


def test_where_no_example_has_a_label_none_is_visited() -> None:
    nothing = torch.zeros(5, 2, dtype=torch.bool)
    assert len(epoch(nothing, nothing)) == 0
    assert len(epoch(nothing, labels(9))) == 0


def test_a_kind_that_visits_tasks_in_turn_is_asked_of_those_alone_that_are_shown() -> None:
    """Each task gets as many visits of the toys' triplets as the rarest one: with a hidden task that would be none."""
    owner = torch.arange(30) % 3
    defined = owner[:, None] == torch.tensor([0, 1])
    found = visits(Triplet(), defined, defined, [0], seed=0, epoch=0, one_task=False)
    assert sorted(found.rows.tolist()) == list(range(0, 30, 3))
    both = visits(Triplet(), defined, defined, [0, 1], seed=0, epoch=0, one_task=False)
    assert owner[both.rows].tolist() == 10 * [0, 1]


def test_batches_are_of_one_size_but_for_the_last() -> None:
    found = epoch(labels(10), labels(10))
    batches = found.batches(4)
    assert [len(rows) for rows, _ in batches] == [4, 4, 2]
    assert torch.equal(torch.cat([rows for rows, _ in batches]), found.rows)
    assert found.drawn is not None
    assert torch.equal(torch.cat([drawn for _, drawn in batches if drawn is not None]), found.drawn)
    assert [drawn for _, drawn in epoch(labels(10), labels(10), one_task=False).batches(4)] == [None, None, None]


def test_tasks_are_drawn_alike_often_and_only_among_the_defined() -> None:
    defined = torch.rand(30_000, 4, generator=torch.Generator().manual_seed(0)) < 0.6
    drawn = draw_tasks(defined, torch.Generator().manual_seed(1))
    some = defined.any(1)
    assert defined[some, drawn[some]].all()
    expected = (defined[some].double() / defined[some].sum(1, keepdim=True)).sum(0)
    assert torch.allclose(drawn[some].bincount(minlength=4).double() / expected, torch.ones(4).double(), atol=0.04)
