import dataclasses
from pathlib import Path

import pytest
import torch
from torch import Tensor

from mtbench.contract import Retrieval, Split, Task, stream
from mtbench.train.assemble import assemble
from mtbench.train.cost.ledger import Ledger
from mtbench.train.diagnostics.conflict import ConflictMeter
from mtbench.train.diagnostics.same_images import SameImages
from mtbench.train.trained import train
from tests.builders.keepers import Memory
from tests.train.diagnostics.test_conflict import CPU, spec_of

TASKS = tuple(Task(name=name, kind=Retrieval(size=2)) for name in ("one", "other"))


def split_of(classes: Tensor, members: Tensor, owner: Tensor) -> Split:
    """Return triplets (N, 3) of images that have classes (M, 2), each of the task that owns it."""
    targets = Retrieval.targets(members, classes[members, owner[:, None]])
    return Split(
        inputs=torch.arange(len(classes) * 4.0).view(-1, 4),
        targets=(targets, targets),
        defined=owner[:, None] == torch.arange(2),
        members=members,
        classes=classes,
    )


def attributes(images: int = 60) -> Split:
    """Return two attributes, of which anchors and positives have that of their task and negatives have not."""
    generator = stream(0, "attributes")
    classes = (torch.rand(images, 2, generator=generator) < torch.tensor([0.5, 0.2])).long()
    views, owner = [], torch.arange(48) % 2
    for task in owner.tolist():
        has, lacks = ((classes[:, task] == value).nonzero().squeeze(1) for value in (1, 0))
        anchor, positive = has[torch.randperm(len(has), generator=generator)[:2]]
        views.append(torch.stack([anchor, positive, lacks[torch.randint(len(lacks), (1,), generator=generator)[0]]]))
    return split_of(classes, torch.stack(views), owner)


def test_every_image_has_the_triplet_that_its_class_gives_it() -> None:
    split = attributes()
    made = SameImages(split)
    images = made.images(torch.arange(24))
    assert split.members is not None
    assert split.classes is not None
    assert images.tolist() == list(dict.fromkeys(split.members[:24, 0].tolist()))
    for task in (0, 1):
        found = made.triplets(images, task)
        assert found.members is not None
        anchor, positive, negative = found.members.T
        has = split.classes[:, task]
        assert has[anchor].tolist() == has[positive].tolist() == [1] * len(images)
        assert has[negative].tolist() == [0] * len(images)
        assert (anchor != positive).all()
        assert torch.where(has[images] == 1, anchor, negative).tolist() == images.tolist()
        assert found.defined.sum(0).tolist() == [len(images) * (task == 0), len(images) * (task == 1)]
        assert found.targets[task].tolist() == Retrieval.targets(found.members, has[found.members]).tolist()
        assert set(found.members.flatten().tolist()) == set(images.tolist())


def test_the_same_images_make_the_same_triplets_and_others_do_not() -> None:
    made = SameImages(attributes())
    images = made.images(torch.arange(24))
    first, again, other = (made.triplets(part, 0).members for part in (images, images, images.flip(0)))
    assert torch.equal(first, again)  # type: ignore[arg-type]
    assert not torch.equal(first, other.flip(0))  # type: ignore[arg-type, union-attr]


def test_all_images_that_fit_are_drawn_equally_often() -> None:
    classes = torch.tensor([[1, 0], [1, 0], [1, 0], [0, 0], [0, 0], [-1, 0], [-1, 0]])
    made = SameImages(split_of(classes, torch.tensor([[0, 1, 3]]), torch.tensor([0])))
    drawn = [made.triplets(torch.arange(7)[torch.randperm(7, generator=stream(seed))], 0) for seed in range(400)]
    members = torch.cat([split.members for split in drawn if split.members is not None])
    assert len(members) == 400 * 5  # the class of two images is not known
    assert sorted(set(members.flatten().tolist())) == [0, 1, 2, 3, 4]
    positives = members[members[:, 0] == 0, 1]
    counts = torch.bincount(positives, minlength=3).tolist()
    assert counts[0] == 0
    assert counts[1] / sum(counts) == pytest.approx(0.5, abs=0.07)


def test_where_no_triplet_can_be_made_there_is_none() -> None:
    alike = torch.tensor([[1, 0], [1, 1], [0, 1]])  # one image lacks the first attribute, and one the second
    made = SameImages(split_of(alike, torch.tensor([[0, 1, 2], [1, 2, 0]]), torch.tensor([0, 1])))
    assert len(made.triplets(torch.tensor([0, 1]), 0)) == 0
    assert len(made.triplets(torch.tensor([0, 2]), 0)) == 0
    assert len(made.triplets(torch.tensor([], dtype=torch.long), 0)) == 0
    members = made.triplets(torch.tensor([0, 1, 2]), 0).members
    assert members is not None
    assert members[:2].tolist() == [[0, 1, 2], [1, 0, 2]]
    assert members[2].tolist() in ([0, 1, 2], [1, 0, 2])


def test_triplets_of_images_whose_classes_are_unknown_cannot_be_made() -> None:
    split = attributes()
    assert SameImages.can_be_made(TASKS, split)
    assert not SameImages.can_be_made(TASKS, dataclasses.replace(split, classes=None))
    assert not SameImages.can_be_made(TASKS, dataclasses.replace(split, members=None))


def test_tasks_of_equal_labels_agree_on_the_same_images_more_than_a_task_does_on_halves_of_them() -> None:
    spec = spec_of("fsn", "toy-retrieval")
    assembled = assemble(spec, root=Path(), device=CPU)
    train_split = assembled.splits["train"]
    assert train_split.classes is not None
    equal = dataclasses.replace(train_split, classes=train_split.classes[:, [0, 0]])
    meter = ConflictMeter(assembled.network, equal, Ledger(), wanted=True)
    for rows in torch.split(torch.arange(192), 48):
        meter.observe(rows)
    found = meter.result_on_same_images()
    assert found is not None
    assert found.batches == ((4, 4), (4, 4))
    assert found.ucr[0][1] == 100
    assert found.cosine[0][1] > max(found.cosine[0][0], found.cosine[1][1])


@pytest.mark.parametrize("method", ["fsn", "td", "csn"])
def test_measuring_on_the_same_images_changes_no_bit_of_a_run(method: str) -> None:
    settings = {"epochs": "1", "batch": "48"}
    plain, measured = (
        train(spec_of(method, "toy-retrieval", **settings, **more), root=Path(), device=CPU, keeper=Memory())
        for more in ({}, {"diagnostics": "conflict"})
    )
    assert all(torch.equal(plain.model[name], measured.model[name]) for name in plain.model)
    (point,) = measured.curve
    assert point.same_images is not None
    assert point.same_images.batches == ((4, 4), (4, 4))
    assert point.same_images.ucr[0][1] == point.same_images.ucr[1][0]
    assert -1 <= point.same_images.cosine[0][1] <= 1
    assert plain.curve[0].same_images is None
