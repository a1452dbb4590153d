"""The small worlds as maps: labels and images say the same."""

import pytest
import torch
from torch import Tensor

from mtbench.conformance.maps import as_maps
from mtbench.conformance.world import absent_in_every_other_batch, plain, undefined
from mtbench.contract import Retrieval
from mtbench.errors import UsageError


@pytest.mark.parametrize("tasks", [1, 2, 9])
def test_a_bar_lies_where_a_map_is_1_and_none_where_it_is_0(tasks: int) -> None:
    split = as_maps(plain(tasks, 16), ()).split
    assert isinstance(split.inputs, Tensor)
    assert len(split.targets) == tasks
    images, band = split.inputs[:, 0], 28 // tasks
    for index, maps in enumerate(split.targets):
        assert maps.shape == (16, 28, 28)
        assert (images[maps == 1] == 230).all()
        assert (images[maps == 0] < 100).all()
        assert ((maps == 1).sum((1, 2)) * 3 == (maps == 0).sum((1, 2))).all()  # one of four places
        assert (maps == 1).any((1, 2)).all()
        outside = torch.ones(28, dtype=torch.bool)
        outside[index * band : (index + 1) * band] = False
        assert (maps[:, outside] == -1).all()


def test_a_missing_label_is_a_map_without_defined_pixels() -> None:
    world = undefined(2, 64)
    made = as_maps(world, ())
    for task, maps, labels in zip(made.tasks, made.split.targets, world.split.targets, strict=True):
        assert torch.equal(task.kind.defined(maps), labels >= 0)
    assert torch.equal(made.split.defined, world.split.defined)


def test_maps_are_visited_in_the_order_of_their_labels() -> None:
    world = absent_in_every_other_batch(64, 16)
    orders = [
        task.kind.order(world.split.defined, torch.Generator().manual_seed(0))
        for task in (*world.tasks, *as_maps(world, ()).tasks)
    ]
    assert len(orders) == 2 * len(world.tasks) == 4
    assert all(torch.equal(order, orders[0]) for order in orders)


def test_tasks_of_another_kind_have_no_maps() -> None:
    with pytest.raises(UsageError, match="checked on tasks of kind Segmentation, and this one is for Retrieval"):
        as_maps(plain(2, 4), (Retrieval,))
