"""Lists of triplets: what they are drawn of, and in which order they are visited."""

import hashlib
import struct

import torch

from mtbench.contract import Retrieval, stream
from mtbench_datasets.triplets import draw_triplets, lists_sum, triplet_split

HAS = torch.tensor([True, False, True, False, False, True, False])


def test_anchor_and_near_image_have_the_attribute_and_the_far_one_has_not() -> None:
    found = draw_triplets(HAS, 3000, stream(0, "a"))
    assert HAS[found].tolist() == [[True, True, False]] * 3000
    assert (found[:, 0] != found[:, 1]).all()
    # 3 * 2 ordered pairs and 4 far images: each of the 24 triplets is as likely.
    counts = torch.bincount((found * torch.tensor([49, 7, 1])).sum(1)).nonzero()
    assert len(counts) == 24
    times = torch.bincount((found * torch.tensor([49, 7, 1])).sum(1))[counts]
    assert times.min() > 3000 / 24 - 5 * (3000 / 24) ** 0.5
    assert times.max() < 3000 / 24 + 5 * (3000 / 24) ** 0.5


def test_anchors_of_both_classes_have_near_images_of_their_own() -> None:
    found = draw_triplets(HAS, 2000, stream(0, "b"), both=True)
    classes = HAS[found]
    assert torch.equal(classes[:, 0], classes[:, 1])
    assert (classes[:, 0] != classes[:, 2]).all()
    assert (found[:, 0] != found[:, 1]).all()
    assert 900 < int(classes[:, 0].sum()) < 1100


def test_lists_depend_on_their_stream_alone() -> None:
    one, same, other = (draw_triplets(HAS, 50, stream(seed, "c")) for seed in (0, 0, 1))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_the_sum_is_of_32_bit_numbers_in_order() -> None:
    lists = [torch.tensor([[1, 2, 3]]), torch.tensor([[4, 5, 70_000]])]
    assert lists_sum(lists) == hashlib.sha256(struct.pack("<6i", 1, 2, 3, 4, 5, 70_000)).hexdigest()


def test_a_split_visits_tasks_in_turn_and_defines_one_task_of_a_triplet() -> None:
    lists = [torch.tensor([[0, 1, 2], [1, 0, 3]]), torch.tensor([[2, 3, 0], [3, 2, 1]])]
    classes = torch.tensor([[1, 0], [1, 0], [0, 1], [0, 1]])
    split = triplet_split(lists, classes, torch.empty(4, 0))
    assert split.members is not None
    assert split.members.tolist() == [[0, 1, 2], [2, 3, 0], [1, 0, 3], [3, 2, 1]]
    assert split.defined.tolist() == [[True, False], [False, True]] * 2
    for target in split.targets:
        assert target[:, :, 0].tolist() == split.members.tolist()
        assert target[:, :, 1].tolist() == [[1, 1, 0]] * 4
        assert Retrieval().defined(target).all()
    assert split.classes is classes
    order = Retrieval().order(split.defined, stream(0, "order"))
    assert split.defined[order].int().argmax(1).tolist() == [0, 1, 0, 1]
