"""Augmentation in a run: training alone sees moved examples, each epoch others, and a resumed run the same."""

import dataclasses
import itertools
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mtbench.contract import Augmentation, Batch, Losses, Motion, Network
from mtbench.plan.parse import parse_dataset
from mtbench.plan.spec import RunSpec
from mtbench.train.assemble import Assembly, assemble
from mtbench.train.cost.estimate import measure_speed
from mtbench.train.evaluate import evaluate
from mtbench.train.loop import fit
from mtbench_methods.balancers.loss_weights.uniform import Uniform
from tests.builders.keepers import Memory
from tests.train.runs import CPU, run, same, spec_of

MOVED = ["toy-all:augment=shift", "toy-partial:augment=all", "toy-surfaces:augment=all"]


class Watching(Uniform):
    """Keeps the batches that it is given."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.batches: list[Batch] = []

    def backward(self, network: Network, batch: Batch) -> Losses:
        self.batches.append(batch)
        return super().backward(network, batch)


def watched(spec: RunSpec, root: Path = Path()) -> tuple[Assembly, list[Batch]]:
    """Return a run that was trained, and the batches it was trained on."""
    made = assemble(spec, root=root, device=CPU)
    made = dataclasses.replace(made, splits={**made.splits, "test": made.splits["test"].first(8)})
    balancer = Watching(made.balancer.options, made.tasks)
    fit(dataclasses.replace(made, balancer=balancer), spec.protocol, keeper=Memory(), points=())
    return made, balancer.batches


def images(batch: Batch) -> Tensor:
    assert isinstance(batch.inputs, Tensor)
    return batch.inputs


def test_training_sees_shifted_images_and_other_shifts_in_another_epoch() -> None:
    made, batches = watched(spec_of("uniform", "toy-all:augment=shift", epochs="2", batch="96"))
    plain = made.splits["train"].batch(torch.arange(96))
    none = dataclasses.replace(made.splits["train"], inputs=torch.zeros(96, 1, 28, 28, dtype=torch.uint8))
    black = float(images(none.batch(torch.tensor([0])))[0, 0, 0, 0])
    padded = nn.functional.pad(images(plain), (2,) * 4, value=black)
    crops = [padded[:, :, y : y + 28, x : x + 28] for y, x in itertools.product(range(5), repeat=2)]
    chosen = []
    for batch in batches:
        alike = torch.stack([(images(batch) == crop[batch.rows]).flatten(1).all(1) for crop in crops])  # (25, 96)
        assert alike.sum(0).tolist() == [1] * 96
        assert all(map(torch.equal, batch.targets, [target[batch.rows] for target in plain.targets]))
        chosen.append(alike.int().argmax(0)[batch.rows.argsort()])
    first, second = chosen
    assert (first == second).float().mean() < 0.2  # 1 / 25 on average
    assert len(set(first.tolist())) > 12


@pytest.mark.parametrize("toy", ["toy-all", "toy-surfaces"])
def test_evaluation_sees_the_images_as_they_are(toy: str) -> None:
    spec = spec_of("uniform", f"{toy}:augment=all", validation="true")
    made = assemble(spec, root=Path(), device=CPU)
    curve = fit(made, spec.protocol, keeper=Memory()).curve
    dataset = parse_dataset(toy).open(Path())
    for name in ("train", "val", "test"):
        assert curve[-1].results[name] == evaluate(made.network, dataset.load(name, validation=True))


@pytest.mark.parametrize(("method", "toy"), [*(("uniform", toy) for toy in MOVED), ("td", MOVED[-1])])
def test_an_interrupted_run_gives_the_bits_of_one_that_was_not(method: str, toy: str) -> None:
    spec, keeper = spec_of(method, toy, epochs="2"), Memory(stop_after=1)
    with pytest.raises(KeyboardInterrupt):
        run(spec, keeper)
    resumed = run(spec, keeper)
    assert same(resumed, run(spec))
    losses = [loss for point in resumed.curve for loss in point.train_losses.values()]
    assert all(map(math.isfinite, losses)) or toy.startswith("toy-partial")  # of which a rare task may be absent
    assert not same(resumed, run(spec_of(method, toy.partition(":")[0], epochs="2")))


class Away(Augmentation):
    """Every second example is moved out of its image."""

    def draw(self, count: int, size: tuple[int, int], generator: torch.Generator) -> Motion:  # noqa: ARG002
        motion = Motion.none(count, size)
        motion.start[::2] = float(max(size))
        return motion


@pytest.mark.parametrize("method", ["uniform", "branches+pcgrad", "moo", "single", "td"])
def test_a_batch_in_which_nothing_is_left_to_learn_is_no_step(method: str) -> None:
    spec = spec_of(method, "toy-surfaces", epochs="2", batch="1", images="8")
    made = assemble(spec, root=Path(), device=CPU)
    train = dataclasses.replace(made.splits["train"], augment=(Away(),))
    fitted = fit(
        dataclasses.replace(made, splits={**made.splits, "train": train}), spec.protocol, keeper=Memory(), points=()
    )
    assert fitted.ledger.steps == 2 * 8 // 2
    assert all(math.isfinite(loss) for loss in fitted.curve[-1].train_losses.values())


def test_no_augmentation_is_the_run_that_it_was() -> None:
    named = {name: spec_of("uniform", name).id for name in ("toy-all", "toy-all:augment=none", "toy-all:augment=shift")}
    assert named["toy-all"] == named["toy-all:augment=none"] != named["toy-all:augment=shift"]
    digits = [spec_of("uniform", name).id for name in ("mmnist3", "mmnist3:shift=0", "mmnist3:shift=2")]
    assert digits[0] == digits[1] != digits[2]


def test_conflict_is_measured_of_moved_images_and_changes_nothing() -> None:
    still, moved, unmeasured = (
        run(spec_of("uniform", f"toy-all:augment={name}", epochs="1", batch="96", diagnostics=diagnostics))
        for name, diagnostics in (("none", "conflict"), ("shift", "conflict"), ("shift", ""))
    )
    assert all(torch.equal(moved.model[name], unmeasured.model[name]) for name in moved.model)
    conflicts = still.curve[0].conflict, moved.curve[0].conflict
    assert conflicts[0] is not None
    assert conflicts[1] is not None
    assert conflicts[0].cosine != conflicts[1].cosine  # before the first step, with the weights of the seed in both


def test_a_run_with_augmentation_can_be_estimated() -> None:
    speed = measure_speed(spec_of("uniform", "toy-surfaces:augment=all"), root=Path(), device=CPU)
    assert 0 < speed.training < math.inf


@pytest.mark.parametrize("dataset", ["mmnist2:shift=3", "mmnist3:shift=3:tasks=LL/LU/RL"])
def test_the_foreground_of_shifted_digits_is_where_they_are(dataset: str, data_root: Path) -> None:
    """One of the digits is brighter than 127 wherever the image, their maximum, is."""
    made, batches = watched(spec_of("td:td_loss=.5", dataset, epochs="2", batch="32", images="64"), data_root)
    assert len(batches) == 4
    for batch in batches:
        assert batch.foreground is not None
        anywhere = torch.stack([batch.foreground(batch.rows, task) for task in range(len(made.tasks))]).amax(0)
        bright = (images(batch) * 0.3081 + 0.1307).squeeze(1) > 127.5 / 255
        assert torch.equal(anywhere.bool(), bright)
    still = made.splits["train"].batch(batches[0].rows)
    assert not torch.equal(images(still), images(batches[0]))


def test_only_training_digits_are_shifted(data_root: Path) -> None:
    shifted, plain = (parse_dataset(name).open(data_root) for name in ("mmnist2:shift=3", "mmnist2"))
    for name in ("val", "test"):
        assert not shifted.load(name, validation=True).augment
    assert not plain.load("train", validation=True).augment
    assert shifted.fingerprint() == plain.fingerprint()
