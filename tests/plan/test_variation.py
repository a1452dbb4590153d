import dataclasses
from pathlib import Path

import pytest
import torch

from mtbench.contract import Shift, Split
from mtbench.errors import UsageError
from mtbench.plan.grid import Request, plan
from mtbench.plan.parse import parse_dataset
from mtbench.train.assemble import assemble


def train_split(text: str) -> Split:
    return parse_dataset(text).open(Path()).load("train", validation=False)


def test_a_subset_of_the_tasks_is_taken_in_the_order_given() -> None:
    whole, part = train_split("toy-partial"), train_split("toy-partial:tasks=same/upper")
    assert [task.name for task in parse_dataset("toy-partial:tasks=same/upper").tasks()] == ["same", "upper"]
    assert torch.equal(part.targets[0], whole.targets[2])
    assert torch.equal(part.targets[1], whole.targets[0])
    assert torch.equal(part.defined, whole.defined[:, [2, 0]])


def test_where_a_tasks_object_is_follows_the_subset(data_root: Path) -> None:
    whole, part = (
        parse_dataset(text).open(data_root).load("test", validation=False)
        for text in ("mmnist3", "mmnist3:tasks=LL/LU")
    )
    assert whole.foreground is not None
    assert part.foreground is not None
    rows = torch.arange(5)
    assert torch.equal(part.foreground(rows, 0), whole.foreground(rows, 2))
    assert torch.equal(part.foreground(rows, 1), whole.foreground(rows, 0))


def test_points_and_augmentation_follow_the_subset(monkeypatch: pytest.MonkeyPatch) -> None:
    from mtbench_toys.datasets import PartialLabels

    def marked(self: PartialLabels, split: str, *, validation: bool) -> Split:
        return dataclasses.replace(load(self, split, validation=validation), points=points)

    load, points = PartialLabels.load, torch.rand(96, 3, 2)
    monkeypatch.setattr(PartialLabels, "load", marked)
    part = train_split("toy-partial:augment=shift:tasks=same/upper")
    assert part.points is not None
    assert torch.equal(part.points, points[:, [2, 0]])
    assert part.augment == (Shift(2),)


def test_classes_of_images_follow_the_subset() -> None:
    whole, some = (parse_dataset(f"toy-retrieval{end}").open(Path()) for end in ("", ":tasks=lower/upper"))
    all_classes, classes = (each.labels("test", validation=False).classes for each in (whole, some))
    assert all_classes is not None
    assert classes is not None
    assert [task.name for task in whole.tasks] == ["upper", "lower"]
    assert not torch.equal(all_classes[:, 0], all_classes[:, 1])
    assert torch.equal(classes, all_classes.flip(1))


def test_a_scale_multiplies_the_loss_and_nothing_else() -> None:
    losses = []
    for dataset in ("toy-all", "toy-all:scale=1/10"):
        spec = plan(Request(methods=["branches"], datasets=[dataset], settings={}, seeds=[0]))[0]
        run = assemble(spec, root=Path(), device=torch.device("cpu"))
        losses.append(run.network.losses(run.splits["train"].batch(torch.arange(8))).means)
    assert torch.allclose(losses[1], losses[0] * torch.tensor([1.0, 10.0]))


def test_noise_shuffles_its_share_of_the_training_labels_and_no_others() -> None:
    clean, noisy = train_split("toy-all"), train_split("toy-all:noise=0/.5")
    assert torch.equal(noisy.targets[0], clean.targets[0])
    changed = (noisy.targets[1] != clean.targets[1]).float().mean()
    assert 0.25 < changed < 0.5  # of the half that is shuffled among 4 classes about a quarter stays the same
    assert torch.equal(noisy.targets[1].sort().values, clean.targets[1].sort().values)
    test = [
        parse_dataset(text).open(Path()).load("test", validation=False) for text in ("toy-all", "toy-all:noise=0/.5")
    ]
    assert torch.equal(test[0].targets[1], test[1].targets[1])


def test_labels_keeps_its_share_of_the_training_labels() -> None:
    whole, few = train_split("toy-partial"), train_split("toy-partial:labels=1/.25/1")
    counts = [split.defined.sum(0).tolist() for split in (whole, few)]
    assert counts[1] == [counts[0][0], round(0.25 * counts[0][1]), counts[0][2]]
    assert not (few.defined & ~whole.defined).any()


def test_what_is_drawn_for_a_task_belongs_to_it_and_is_the_same_every_time() -> None:
    alone, together = train_split("toy-all:tasks=lower:labels=.5"), train_split("toy-all:labels=.3/.5")
    assert torch.equal(alone.defined[:, 0], together.defined[:, 1])
    assert torch.equal(together.defined, train_split("toy-all:labels=.3/.5").defined)


@pytest.mark.parametrize(
    "text", ["toy-all:scale=1/1", "toy-all:noise=0/0", "toy-all:labels=1/1", "toy-all:tasks=upper/lower"]
)
def test_a_variation_that_changes_nothing_makes_no_new_identity(text: str) -> None:
    assert str(parse_dataset(text).choice) == "toy-all"


def test_values_that_change_nothing_for_fewer_tasks_are_left_out() -> None:
    assert str(parse_dataset("toy-all:tasks=lower:scale=1:noise=.1").choice) == "toy-all:noise=0.1:tasks=lower"
    assert str(parse_dataset("toy-all:tasks=lower/upper").choice) == "toy-all:tasks=lower/upper"


def test_a_variation_is_part_of_the_identity_and_of_the_name() -> None:
    specs = [
        plan(Request(methods=["branches"], datasets=[text], settings={}, seeds=[0]))[0]
        for text in ("toy-all", "toy-all:scale=1/10", "toy-all:scale=1/10:noise=0/.3")
    ]
    assert len({spec.id for spec in specs}) == 3
    assert [spec.titles.dataset for spec in specs] == [
        "toy-all",
        "toy-all:scale=1/10",
        "toy-all:noise=0/0.3:scale=1/10",
    ]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (
            "toy-all:tasks=uper",
            "dataset 'toy-all' has no task 'uper'. Did you mean 'upper'? Its tasks: upper, lower.",
        ),
        (
            "toy-all:scale=1",
            "option 'scale' of dataset 'toy-all' is '1', 1 values for 2 tasks. Give a value for each, separated by "
            "slashes. The tasks: upper, lower.",
        ),
        (
            "toy-all:tasks=upper/upper",
            "option 'tasks' of dataset 'toy-all' is 'upper/upper', which names a task twice.",
        ),
        ("toy-all:labels=0/0", "option 'labels' of dataset 'toy-all' is '0/0', which leaves nothing to learn."),
        ("toy-all:scale=0/0", "option 'scale' of dataset 'toy-all' is '0/0', which leaves nothing to learn."),
        ("toy-all:noise=0/2", "option 'noise' of dataset 'toy-all' is 0/2. Allowed: 0 to 1."),
        (
            "toy-all:nois=0/1",
            "dataset 'toy-all' has no option 'nois'. Did you mean 'noise'? "
            "Its options: augment, labels, noise, scale, tasks.",
        ),
    ],
)
def test_what_does_not_fit_is_refused(text: str, error: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_dataset(text).open(Path())
    assert str(caught.value) == error


@pytest.mark.parametrize("option", ["tasks=red-shpe", "labels=1/.1"])
def test_of_a_thousand_tasks_an_error_names_a_few(option: str) -> None:
    with pytest.raises(UsageError, match=r"tasks: cyan-material, .*, and 1,585 more\.$") as error:
        parse_dataset(f"clevr-questions:{option}").tasks()
    assert len(str(error.value)) < 1500
