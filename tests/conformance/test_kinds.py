"""Kinds that break what every kind promises: found as a run begins where shapes show it, else by the check."""

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor

from mtbench.conformance.candidate import PROTOCOL, Candidate, Memory, built
from mtbench.conformance.dataset.kinds import kinds_keep
from mtbench.conformance.dataset.splits import repeats, targets_fit
from mtbench.conformance.fault import Fault
from mtbench.conformance.world import World
from mtbench.contract import Classification, Depth, Kind, Metric, Normals, Regression, Segmentation, Split, Tally, Task
from mtbench.contract.data.targets import check_targets
from mtbench.errors import PluginError
from mtbench.plan.parse import parse_dataset
from mtbench.train.loop import fit
from mtbench_toys.datasets import AllTasks, Maps, Numbers, ToyOptions


class Broadcasts(Regression):
    """(n, 1) - (n,) is (n, n)."""

    def losses(self, output: Tensor, target: Tensor) -> Tensor:
        return (output - target).square()


class Reduced(Regression):
    """The mean in the place of a loss per example."""

    def losses(self, output: Tensor, target: Tensor) -> Tensor:
        return (output.squeeze(1) - target).square().mean()


class Column(Regression):
    """(n, 1), which a mean hides."""

    def losses(self, output: Tensor, target: Tensor) -> Tensor:
        return (output - target[:, None]).square()


class Unreduced(Regression):
    """A mean loss that is none."""

    def mean_loss(self, output: Tensor, target: Tensor) -> Tensor:
        return self.losses(output, target)


class HiddenBroadcast(Regression):
    """Right losses, and a mean of (n, n)."""

    def mean_loss(self, output: Tensor, target: Tensor) -> Tensor:
        return (output - target).square().mean()


class Summed(Regression):
    """A sum for a mean."""

    def mean_loss(self, output: Tensor, target: Tensor) -> Tensor:
        return self.losses(output, target).sum()


class Centered(Regression):
    """The loss of an example depends on the others."""

    def losses(self, output: Tensor, target: Tensor) -> Tensor:
        errors = output.squeeze(1) - target
        return (errors - errors.mean()).square()


class Counted(Regression):
    """A loss without a gradient."""

    def losses(self, output: Tensor, target: Tensor) -> Tensor:
        return (self.predict(output.detach()) - target).abs()


class Normalized(Regression):
    """A prediction that depends on the batch."""

    def predict(self, output: Tensor) -> Tensor:
        return (output - output.mean()).squeeze(1)


class Misspelt(Regression):
    """A metric by another name."""

    metrics: ClassVar[tuple[Metric, ...]] = (*Regression.metrics[:2], Metric(name="r^2", in_delta=False))


class MeanOfMeans(Regression):
    """A tally that is the mean of the means of batches."""

    def tally(self) -> Tally:
        return Mean()


class Mean(Tally):
    """The mean of the means of batches."""

    def __init__(self) -> None:
        self.means: list[float] = []

    def add(self, predictions: Tensor, targets: Tensor) -> None:
        self.means.append(float((predictions - targets).square().mean()))

    def score(self) -> dict[str, float]:
        return {"mse": sum(self.means) / len(self.means) if self.means else math.nan, "mae": 0.0, "r2": 0.0}


class NoEmptyScore(Regression):
    """A tally without a score where nothing was added."""

    def tally(self) -> Tally:
        class Divides(Mean):
            def score(self) -> dict[str, float]:
                return {"mse": sum(self.means) / len(self.means), "mae": 0.0, "r2": 0.0}

        return Divides()


class Emptied(Regression):
    """A tally that forgets when it is asked."""

    def tally(self) -> Tally:
        class Forgets(Mean):
            def score(self) -> dict[str, float]:
                found = super().score()
                self.means.clear()
                return found

        return Forgets()


@dataclass(frozen=True, kw_only=True)
class SummedPixels(Depth):
    """A mean loss that grows with the number of images."""

    def mean_loss(self, output: Tensor, target: Tensor) -> Tensor:
        return self.losses(output, target).sum()


def numbers(kind: Kind) -> Numbers:
    """Return the toy dataset of numbers with tasks of another kind."""

    class Wrong(Numbers):
        @property
        def tasks(self) -> tuple[Task, ...]:
            return tuple(dataclasses.replace(task, kind=kind) for task in super().tasks)

    return Wrong(ToyOptions(), Path())


def line(function: Callable[..., Any]) -> str:
    return f"tests/conformance/test_kinds.py:{function.__code__.co_firstlineno}."


def world(kind: Kind) -> World:
    dataset = numbers(kind)
    return World(tasks=dataset.tasks, split=dataset.load("train", validation=False).first(32))


def run(kind: Kind) -> None:
    """Train on tasks of a kind, as a run does."""
    training = built(Candidate.of("branches"), dataclasses.replace(world(Regression()), tasks=world(kind).tasks))
    fit(training, dataclasses.replace(PROTOCOL, epochs=1), keeper=Memory())


@pytest.mark.parametrize(
    ("kind", "says", "function"),
    [
        (
            Broadcasts(),
            "`Broadcasts.losses` returned shape (16, 16) for 16 examples of task 'upper', and should return shape "
            "(16,): a number for each example. ",
            Broadcasts.losses,
        ),
        (Reduced(), "`Reduced.losses` returned shape () for 16 examples of task 'upper', and should ", Reduced.losses),
        (Column(), "`Column.losses` returned shape (16, 1) for 16 examples of task 'upper', and ", Column.losses),
        (
            Unreduced(),
            "`Unreduced.mean_loss` returned shape (16,) for 16 examples of task 'upper', and should return shape (): "
            "the mean over the examples. ",
            Unreduced.mean_loss,
        ),
        (
            Misspelt(),
            "`_Tally.score` of task 'upper' returned the metrics ['mse', 'mae', 'r2'], and its kind 'Misspelt' "
            "declares ['mse', 'mae', 'r^2'].",
            None,
        ),
        (
            NoEmptyScore(),
            "`Divides.score` of task 'upper' fails where nothing was added, with ZeroDiv",
            None,
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Kind) else "",
)
def test_what_shapes_and_names_show_ends_a_run_at_its_first_step(
    kind: Kind, says: str, function: Callable[..., Any] | None
) -> None:
    with pytest.raises(PluginError) as caught:
        run(kind)
    assert str(caught.value).startswith(says)
    if function is not None:
        assert str(caught.value).endswith(line(function))


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (Broadcasts(), r"`Broadcasts.losses` returned shape \(23, 23\) for 23 examples of task 'upper'"),
        (Reduced(), r"`Reduced.losses` returned shape \(\) for 23 examples"),
        (Unreduced(), r"`Unreduced.mean_loss` returned shape \(3,\) for 3 examples of task 'upper'"),
        (HiddenBroadcast(), r"the mean loss of task 'upper' is the same with the targets of other examples"),
        (Summed(), r"the mean loss of three times one example of task 'upper' is \S+, and the loss of that example"),
        (Centered(), r"the loss of an example of task 'upper' depends on the other examples of its batch"),
        (Counted(), r"the loss of task 'upper' has no gradient in the outputs"),
        (Normalized(), r"the prediction for an example of task 'upper' depends on the other examples"),
        (Misspelt(), r"returned the metrics \['mse', 'mae', 'r2'\], and its kind 'Misspelt' declares"),
        (
            MeanOfMeans(),
            r"metric 'mse' of task 'upper' is \S+ for 23 examples in one batch and \S+ for the same in",
        ),
        (Emptied(), r"the metrics of task 'upper' differ when they are computed again"),
        (NoEmptyScore(), r"fails where nothing was added"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Kind) else "",
)
def test_a_kind_that_breaks_a_promise_is_found_by_the_check(kind: Kind, says: str) -> None:
    with pytest.raises((Fault, PluginError), match=says) as caught:
        kinds_keep(numbers(kind))
    assert "tests/conformance/test_kinds.py:" in str(caught.value)


def test_a_sum_over_images_is_found_and_a_mean_over_all_pixels_is_none() -> None:
    for kind in (Depth(like="libmtl"), Normals(like="libmtl"), Segmentation(classes=3, like="libmtl"), Depth()):
        kinds_keep(maps(kind))
    with pytest.raises(Fault, match="the mean loss of three times one example of task 'upper'"):
        kinds_keep(maps(SummedPixels()))


def maps(kind: Kind) -> Maps:
    """Return the toy dataset of maps with targets of a kind, part of whose pixels are undefined."""

    class Mapped(Maps):
        @property
        def tasks(self) -> tuple[Task, ...]:
            return (Task(name="upper", kind=kind),)

        def split(self, images: Tensor, targets: tuple[Tensor, ...], members: Tensor | None = None) -> Split:
            assert targets[0].shape == (len(images), 28, 28)
            drawn = torch.rand(len(images), 3, 28, 28, generator=torch.Generator().manual_seed(0))
            kept = drawn[:, :1] > torch.rand(len(images), 1, 1, 1, generator=torch.Generator().manual_seed(1)) / 2
            directions = torch.where(kept, drawn, 0)
            classes = torch.where(kept[:, 0], (3 * drawn[:, 1]).long(), -1)
            numbers = directions if isinstance(kind, Normals) else directions[:, 0]
            return super().split(images, (classes if isinstance(kind, Segmentation) else numbers,), members)

    return Mapped(ToyOptions(), Path())


@pytest.mark.parametrize(
    ("kind", "targets", "says"),
    [
        (
            Classification(classes=28),
            torch.arange(1, 29),
            "have 1 number that is none of the 28 classes 0 to 27: 28",
        ),
        (
            Classification(classes=4),
            torch.tensor([0, 4, 7, -1]),
            "have 2 numbers that are none of the 4 classes 0 to 3: ",
        ),
        (
            Classification(classes=4),
            torch.tensor([0, 1], dtype=torch.int32),
            "are torch.int32, and should be torch.int64",
        ),
        (Classification(classes=4), torch.tensor([[0], [1]]), "have shape (2, 1), and should have (n,)"),
        (
            Segmentation(classes=3),
            torch.tensor([[[0, 3, -1]]]),
            "have 1 number that is none of the 3 classes 0 to 2: 3",
        ),
        (Segmentation(classes=3), torch.tensor([[[0, -2, -1]]]), "have 1 number that is none of the 3 classes"),
        (Segmentation(classes=3), torch.tensor([[[255]]], dtype=torch.uint8), "classes 0 to 2: 255"),
        (Regression(), torch.tensor([1, 2]), "are torch.int64, and should be torch.float32"),
        (Regression(), torch.tensor([[1.0], [2.0]]), "have shape (2, 1), and should have (n,)"),
        (Regression(), torch.tensor([1.0, math.inf]), "have 1 infinite numbers"),
        (Depth(), torch.zeros(2, 1, 4, 4), "have shape (2, 1, 4, 4), and should have (n, any, any)"),
        (Normals(), torch.zeros(2, 4, 4, 3), "have shape (2, 4, 4, 3), and should have (n, 3, any, any)"),
    ],
)
def test_targets_that_a_kind_cannot_be_given_are_told(kind: Kind, targets: Tensor, says: str) -> None:
    assert says in kind.wrong_targets(targets)


@pytest.mark.parametrize(
    ("kind", "targets"),
    [
        (Classification(classes=28), torch.arange(-1, 28)),
        (Classification(classes=256), torch.arange(256).to(torch.uint8)),
        (Segmentation(classes=3, ignore=255), torch.tensor([[[0, 2, 255]]], dtype=torch.uint8)),
        (Regression(), torch.tensor([math.nan, 1e30])),
        (Depth(), torch.tensor([[[math.nan, -1.0, math.inf]]], dtype=torch.float16)),
    ],
)
def test_targets_at_the_edges_are_valid(kind: Kind, targets: Tensor) -> None:
    assert kind.wrong_targets(targets) == ""


class FromOne(AllTasks):
    """Counts its classes from 1."""

    def split(self, images: Tensor, targets: tuple[Tensor, ...], members: Tensor | None = None) -> Split:
        return super().split(images, tuple(target + 1 for target in targets), members)


def test_classes_counted_from_1_are_told_of_before_a_loss_is_computed() -> None:
    dataset = FromOne(ToyOptions(), Path())
    with pytest.raises(Fault) as fault:
        targets_fit(dataset)
    says = r"in train the targets of task 'upper' have \d+ numbers that are none of the 4 classes 0 to 3: 4; in train "
    assert fault.match(says)
    with pytest.raises(PluginError) as error:
        check_targets(dataset.tasks, dataset.load("train", validation=False), "train")
    assert error.match(
        r"in split 'train' the targets of task 'upper' have \d+ numbers .* The same holds for 1 more task\."
    )


def test_undefined_targets_may_be_anything() -> None:
    dataset = FromOne(ToyOptions(), Path())
    split = dataset.load("train", validation=False)
    known = torch.stack([target < 4 for target in split.targets], dim=1)
    check_targets(dataset.tasks, dataclasses.replace(split, defined=split.defined & known), "train")


class Remembered(AllTasks):
    """Draws once, and keeps it for the next load."""

    def __init__(self, options: Any, root: Path) -> None:
        super().__init__(options, root)
        self.shift = int(torch.randint(2, 10, ()))

    def split(self, images: Tensor, targets: tuple[Tensor, ...], members: Tensor | None = None) -> Split:
        return super().split(images + self.shift, targets, members)


def test_examples_that_are_drawn_as_a_dataset_is_opened_are_found() -> None:
    one, two = (Remembered(ToyOptions(), Path()) for _ in range(2))
    repeats(one, one)
    two.shift = one.shift + 1
    with pytest.raises(Fault, match="the examples of train differ from one load to the next"):
        repeats(one, two)


def test_the_kinds_that_ship_keep_what_every_kind_promises() -> None:
    for toy in ("toy-all", "toy-points", "toy-numbers", "toy-surfaces", "toy-triplets", "toy-retrieval"):
        kinds_keep(parse_dataset(toy).open(Path()))
