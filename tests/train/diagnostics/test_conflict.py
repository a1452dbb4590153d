import math
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from mtbench.backbones.lenet import LeNet
from mtbench.contract import AllTasksNetwork, Inputs, Kind, Metric, NoOptions, Setup, Split, Tally, Task
from mtbench.plan.grid import Request, plan
from mtbench.plan.spec import RunSpec
from mtbench.store.record.diagnosis import Conflict
from mtbench.train.assemble import assemble
from mtbench.train.cost.ledger import Ledger
from mtbench.train.diagnostics.conflict import ConflictMeter
from mtbench.train.trained import Trained, train
from tests.builders.keepers import Memory

CPU = torch.device("cpu")
DRAWING_AND_NORMALIZING = ["moo", "td", "toy-dropout", "branches+toy-drift", "mtan", "astmt", "td@resnet18:width=.1"]


class Pull(Kind):
    """The loss of an example is the inner product of the output and its target, which therefore is its gradient."""

    output_size = 2
    metrics = (Metric(name="pull"),)

    def defined(self, targets: Tensor) -> Tensor:
        return ~targets.isnan().any(1)

    def losses(self, output: Tensor, target: Tensor) -> Tensor:
        return (output * target).sum(1)

    def predict(self, output: Tensor) -> Tensor:
        raise NotImplementedError

    def tally(self) -> Tally:
        raise NotImplementedError


class Pulled(AllTasksNetwork):
    """Two shared numbers, which are every task's output for every example; a part that draws, and one that counts."""

    per_task = frozenset({"own"})

    def __init__(self, tasks: int) -> None:
        named = tuple(Task(name=f"task{index}", kind=Pull()) for index in range(tasks))
        setup = Setup(tasks=named, backbone_class=LeNet, backbone_options=NoOptions(), input_shape=(1,), seed=0)
        super().__init__(NoOptions(), setup)
        self.weight = nn.Parameter(torch.ones(2))
        self.own = nn.Parameter(torch.ones(tasks))
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, inputs: Inputs) -> list[Tensor]:
        assert isinstance(inputs, Tensor)
        self.get_buffer("seen").add_(len(inputs) + torch.rand(()))
        return [self.weight.expand(len(inputs), 2) + 0 * own for own in self.own]


def measured(pulls: Sequence[Sequence[tuple[float, float]]], batch: int) -> Conflict:
    """Return the conflict over the batches of examples whose gradients are the pulls, by task and example."""
    targets = tuple(torch.tensor(of_task) for of_task in pulls)
    defined = torch.stack([~target.isnan().any(1) for target in targets], dim=1)
    split = Split(inputs=torch.zeros(len(defined), 1), targets=targets, defined=defined)
    meter = ConflictMeter(Pulled(len(pulls)), split, Ledger(), wanted=True)
    for rows in torch.split(torch.arange(len(defined)), batch):
        meter.observe(rows)
    found = meter.result()
    assert found is not None
    return found


def spec_of(method: str, dataset: str = "toy-all", **settings: str) -> RunSpec:
    return plan(Request(methods=[method], datasets=[dataset], settings=settings, seeds=[0]))[0]


def run(method: str, keeper: Memory | None = None, **settings: str) -> Trained:
    return train(spec_of(method, **settings), root=Path(), device=CPU, keeper=keeper or Memory())


def test_compliance_counts_the_batches_with_a_positive_product_and_zero_does_not_comply() -> None:
    one = [(1.0, 0.0)] * 4
    other = [(1.0, 0.0), (3.0, 3.0), (-1.0, 0.0), (0.0, 2.0)]  # at 0, 45, 180 and 90 degrees
    found = measured([one, other], batch=1)
    assert found.batches == ((0, 4), (4, 0))
    assert found.ucr[0][1] == found.ucr[1][0] == 50
    assert found.cosine[0][1] == found.cosine[1][0] == pytest.approx((1 + math.sqrt(0.5) - 1 + 0) / 4)


def test_gradients_are_those_of_the_mean_over_the_batch() -> None:
    one = [(1.0, 0.0), (0.0, 1.0)]  # mean (.5, .5)
    other = [(4.0, 0.0), (0.0, -1.0)]  # mean (2, -.5): the examples disagree, their means do not
    found = measured([one, other], batch=2)
    assert found.ucr[0][1] == 100
    assert found.cosine[0][1] == pytest.approx((2 - 0.5) / math.sqrt(2) / math.sqrt(4.25))


def test_equal_tasks_always_comply_and_opposite_ones_never() -> None:
    pulls = torch.randn(12, 2, generator=torch.Generator().manual_seed(0)).tolist()
    found = measured([pulls, pulls, [(-x, -y) for x, y in pulls]], batch=3)
    assert (found.ucr[0][1], found.ucr[0][2], found.ucr[1][2]) == (100, 0, 0)
    assert [found.cosine[0][1], found.cosine[0][2]] == pytest.approx([1, -1])


def test_the_null_is_of_the_two_halves_of_a_batch() -> None:
    right, up, left = (1.0, 0.0), (0.0, 1.0), (-1.0, 0.0)
    pulls = [right, right, (2.0, 0.0), (0.0, 2.0), *[right, right, up, up], *[right, right, left, left]]
    found = measured([pulls, pulls], batch=4)
    assert found.batches[0][0] == 3
    assert found.ucr[0][0] == pytest.approx(100 / 3)  # of 45, 90 and 180 degrees
    assert found.cosine[1][1] == pytest.approx((math.sqrt(0.5) + 0 - 1) / 3)


def test_a_task_without_a_label_is_left_out_of_the_batches_it_is_absent_from() -> None:
    absent = (math.nan, math.nan)
    one = [(1.0, 0.0)] * 8
    other = [absent] * 4 + [(1.0, 0.0)] + [absent] * 3
    found = measured([one, other], batch=4)
    assert found.batches == ((2, 1), (1, 0))  # its one label is in one half
    assert found.ucr[0] == (100, 100)
    assert math.isnan(found.ucr[1][1])


def test_a_gradient_that_vanishes_does_not_comply_and_has_cosine_0() -> None:
    found = measured([[(1.0, 1.0)] * 2, [(0.0, 0.0)] * 2], batch=1)
    assert (found.ucr[0][1], found.cosine[0][1]) == (0, 0)


def test_measuring_leaves_gradients_buffers_and_random_state_as_they_were() -> None:
    network = Pulled(2)
    split = Split(
        inputs=torch.zeros(4, 1), targets=(torch.ones(4, 2), torch.ones(4, 2)), defined=torch.ones(4, 2).bool()
    )
    network.weight.grad = torch.tensor([3.0, 4.0])
    seen, state = network.get_buffer("seen"), torch.get_rng_state()
    ConflictMeter(network, split, Ledger(), wanted=True).observe(torch.arange(4))
    assert network.weight.grad.tolist() == [3, 4]
    assert network.own.grad is None
    assert network.get_buffer("seen") is seen
    assert seen == 0
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("method", DRAWING_AND_NORMALIZING)
def test_a_run_whose_conflict_is_measured_has_the_bits_of_one_without(method: str) -> None:
    plain, measured = run(method, epochs="2"), run(method, epochs="2", diagnostics="conflict")
    assert all(torch.equal(plain.model[name], measured.model[name]) for name in plain.model)
    assert plain.results == measured.results
    assert [point.train_losses for point in plain.curve] == [point.train_losses for point in measured.curve]
    assert all(point.conflict is None for point in plain.curve)
    assert all(point.conflict is not None for point in measured.curve)


@pytest.mark.parametrize("method", ["chmod", "toy-dropout", "mtan"])
def test_a_run_that_was_interrupted_measures_what_one_that_was_not_measures(method: str) -> None:
    keeper = Memory(stop_after=1)
    with pytest.raises(KeyboardInterrupt):
        run(method, keeper, diagnostics="conflict")
    resumed, undisturbed = run(method, keeper, diagnostics="conflict"), run(method, diagnostics="conflict")
    assert resumed.curve == undisturbed.curve
    assert all(torch.equal(resumed.model[name], undisturbed.model[name]) for name in resumed.model)


def test_every_batch_of_an_epoch_counts_and_cost_and_labels_are_those_of_training() -> None:
    plain, measured = run("uniform"), run("uniform", diagnostics="conflict")
    for point in measured.curve:
        assert point.conflict is not None
        assert point.conflict.batches == ((6, 6), (6, 6))  # 96 examples by 16
    assert measured.cost.label_uses == plain.cost.label_uses
    assert measured.cost.forward_passes == plain.cost.forward_passes
    assert measured.cost.training_cpu_seconds < measured.cost.cpu_seconds


@pytest.mark.parametrize("method", ["chmod", "uniform"])
def test_gradients_are_of_every_label_in_what_tasks_share(method: str) -> None:
    """Against an ordinary backward pass per task, of the network's own answers, also where one task is drawn."""
    assembled = assemble(spec_of(method), root=Path(), device=CPU)
    network, split, rows = assembled.network, assembled.splits["train"], torch.arange(32)
    meter = ConflictMeter(network, split, Ledger(), wanted=True)
    meter.observe(rows)
    found = meter.result()
    assert found is not None
    gradients = []
    for index in range(2):
        network.zero_grad()
        answer = network.task_output(split.batch(rows).inputs, index)
        nn.functional.cross_entropy(answer, split.targets[index][rows]).backward()  # type: ignore[no-untyped-call]
        named = dict(network.named_parameters())
        kept = [named[name] for name in named if name.startswith(("backbone", "branch."))]
        gradients.append(torch.cat([p.grad.flatten() for p in kept if p.grad is not None]))
    assert found.cosine[0][1] == pytest.approx(
        float(nn.functional.cosine_similarity(gradients[0], gradients[1], dim=0)), abs=1e-4
    )


def test_networks_that_share_nothing_have_no_conflict() -> None:
    assert [point.conflict for point in run("single", epochs="1", diagnostics="conflict").curve] == [None]


def test_only_epochs_that_have_a_point_are_measured() -> None:
    spec = spec_of("uniform", diagnostics="conflict")
    trained = train(spec, root=Path(), device=CPU, keeper=Memory(), points=(2,))
    assert [point.epoch for point in trained.curve if point.conflict] == [2, 3]
