"""Each check finds the plug-in that breaks its rule: here are some that go wrong in one way each."""

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn

from mtbench.conformance import assert_conforms, examine
from mtbench.conformance.candidate import Candidate
from mtbench.conformance.dataset import dataset_checks
from mtbench.conformance.fault import Fault
from mtbench.conformance.method import method_checks
from mtbench.contract import (
    Augmentation,
    Balancer,
    Batch,
    Conformance,
    Flip,
    Inputs,
    Losses,
    LossWeighting,
    Metric,
    Motion,
    Network,
    OneTaskNetwork,
    Regression,
    Scalarization,
    Segmentation,
    Setup,
    SharedRepresentation,
    Shift,
    Split,
    Tally,
    Task,
)
from mtbench.errors import PluginError
from mtbench_methods.balancers.loss_weights.uniform import Uniform
from mtbench_methods.networks.branches import Branches
from mtbench_methods.networks.single import Single
from tests.conformance.candidates import candidate
from tests.wrong.balancers import Competes, Forgetful, MeansAlone, OneFactor
from tests.wrong.networks import OwnNoise


class Stuck(Branches):
    """Its backbone is cut off from the losses."""

    def encode(self, inputs: Inputs) -> Tensor:
        return super().encode(inputs).detach()


class Idle(Branches):
    """A parameter that nothing depends on."""

    def __init__(self, options: Any, setup: Setup) -> None:
        super().__init__(options, setup)
        self.idle = nn.Parameter(torch.ones(3))


class Outside(Branches):
    """A gate and the last branch, made outside of the streams of the setup."""

    def __init__(self, options: Any, setup: Setup) -> None:
        super().__init__(options, setup)
        self.gate = nn.Linear(self.backbone.features, self.backbone.features)
        self.branches[-1] = self.backbone.head(setup.tasks[-1].kind.output_size)

    def encode(self, inputs: Inputs) -> Tensor:
        z = super().encode(inputs)
        gated: Tensor = z * self.gate(z).sigmoid()
        return gated


class Unseeded(Branches):
    """Initial weights from outside the streams."""

    def __init__(self, options: Any, setup: Setup) -> None:
        super().__init__(options, setup)
        with torch.no_grad():
            for parameter in self.branches.parameters():
                parameter.add_(0.01 * torch.rand(parameter.shape, generator=SHARED))


SHARED = torch.Generator().manual_seed(0)


class Looks(Branches):
    """Counts how often it is used, in evaluation too."""

    def __init__(self, options: Any, setup: Setup) -> None:
        super().__init__(options, setup)
        self.register_buffer("uses", torch.zeros(()))

    def encode(self, inputs: Inputs) -> Tensor:
        assert isinstance(self.uses, Tensor)
        self.uses += 1
        return super().encode(inputs) * (1 + 1e-3 * self.uses)


class HiddenLooks(Branches):
    """Counts in a buffer that is in no state."""

    def __init__(self, options: Any, setup: Setup) -> None:
        super().__init__(options, setup)
        self.register_buffer("uses", torch.zeros(()), persistent=False)

    def encode(self, inputs: Inputs) -> Tensor:
        assert isinstance(self.uses, Tensor)
        self.uses += 1
        return super().encode(inputs)


class Learned(Scalarization):
    """Uncertainty weighting, as the basis of some that never learn."""

    def __init__(self, options: Any, tasks: Sequence[Task]) -> None:
        super().__init__(options, tasks)
        self.logs = nn.ParameterList([nn.Parameter(torch.zeros(())) for _ in tasks])

    def scalar(self, losses: Losses) -> Tensor:
        pairs = zip(self.logs, losses.totals, losses.present_mask, strict=True)
        return torch.stack([(-s).exp() * total + s for s, total, present in pairs if present]).sum()


class Unlearned(Learned):
    """Leaves no gradient in its own parameters."""

    def backward(self, network: Network, batch: Batch) -> Losses:
        losses = super().backward(network, batch)
        for parameter in self.parameters():
            parameter.grad = None
        return losses


class Standing(Learned):
    """Learns at a rate of 0."""

    learning_rate = 0.0


class Logarithms(Scalarization):
    """Takes logarithms, and does not say that losses are to be positive: the first loss would climb."""

    def scalar(self, losses: Losses) -> Tensor:
        return losses.totals[losses.present_mask].log().sum()


class Roots(Scalarization):
    """Takes roots."""

    def scalar(self, losses: Losses) -> Tensor:
        return losses.totals[losses.present_mask].sqrt().sum()


class Product(Scalarization):
    """Multiplies losses."""

    def scalar(self, losses: Losses) -> Tensor:
        return losses.totals[losses.present_mask].prod()


class Cut(Scalarization):
    """A geometric mean that stops for good where a loss is not positive."""

    def scalar(self, losses: Losses) -> Tensor:
        return losses.totals[losses.present_mask].clamp(min=1e-30).log().mean().exp()


class LooksAgain(LossWeighting):
    """Another forward pass after the step, which it does not declare: it moves running statistics twice."""

    def weigh(self, losses: Losses) -> Tensor:
        return losses.base_weights

    def after_step(self, network: Network, batch: Batch) -> None:
        network.losses(batch)


class LooksThrice(LooksAgain):
    """Two of them, of which it declares one."""

    forwards = 1

    def after_step(self, network: Network, batch: Batch) -> None:
        super().after_step(network, batch)
        super().after_step(network, batch)


class LooksWithin(LossWeighting):
    """Another forward pass within the step, where its trace is left."""

    forwards = 1

    def weigh(self, losses: Losses) -> Tensor:
        return losses.base_weights

    def backward(self, network: Network, batch: Batch) -> Losses:
        network.losses(batch)
        return super().backward(network, batch)


class Shuffled(Branches):
    """Answers the examples that it is asked for in another order."""

    def used_outputs(self, batch: Batch) -> list[Tensor]:
        return [output.flip(0) for output in super().used_outputs(batch)]


class LeNetOnly(SharedRepresentation):
    """Takes for granted that z has 50 features."""

    per_task = frozenset({"branches"})

    def __init__(self, options: Any, setup: Setup) -> None:
        super().__init__(options, setup)
        self.backbone = setup.build_backbone()
        with setup.initialized("branches"):
            self.branches = nn.ModuleList([nn.Linear(50, task.kind.output_size) for task in setup.tasks])

    def encode(self, inputs: Inputs) -> Tensor:
        return self.backbone(inputs)  # type: ignore[no-any-return]

    def decode(self, z: Tensor) -> list[Tensor]:
        return [branch(z) for branch in self.branches]


class Pairs(Branches):
    """Works with an even number of tasks alone."""

    def decode(self, z: Tensor) -> list[Tensor]:
        outputs = super().decode(z)
        return [outputs[index ^ 1] + outputs[index] for index in range(len(outputs))]


class TouchesAbsent(LossWeighting):
    """Gives absent tasks a gradient: their branches shrink."""

    def backward(self, network: Network, batch: Any) -> Losses:
        losses = super().backward(network, batch)
        for parameter in network.parameters():
            decay = 0.01 * parameter.detach()
            parameter.grad = decay if parameter.grad is None else parameter.grad + decay
        return losses

    def weigh(self, losses: Losses) -> Tensor:
        return losses.base_weights


class Entangled(OneTaskNetwork):
    """Vectors that are declared to be the tasks', of which each task uses its own and the first one's."""

    per_task = frozenset({"scales"})

    def __init__(self, options: Any, setup: Setup) -> None:
        super().__init__(options, setup)
        self.backbone = setup.build_backbone()
        self.branch = setup.head(self.backbone, self.widest, "branch")
        self.scales = nn.Parameter(torch.ones(len(setup.tasks), self.backbone.features))

    def forward(self, inputs: Inputs, task: Tensor) -> Tensor:
        answer: Tensor = self.branch(self.backbone(inputs) * (self.scales[task] + self.scales[0]))
        return answer


class Flat(Entangled):
    """Vectors of all tasks one behind the other, without a dimension of the tasks."""

    def __init__(self, options: Any, setup: Setup) -> None:
        super().__init__(options, setup)
        self.scales = nn.Parameter(self.scales.detach().flatten())

    def forward(self, inputs: Inputs, task: Tensor) -> Tensor:
        answer: Tensor = self.branch(self.backbone(inputs) * self.scales.view(len(self.tasks), -1)[task])
        return answer


class OneTable(LossWeighting):
    """A learned scale of each loss in one parameter, which is not declared to have a row for each task."""

    def __init__(self, options: Any, tasks: Any) -> None:
        super().__init__(options, tasks)
        self.logs = nn.Parameter(torch.zeros(len(tasks)))

    def weigh(self, losses: Losses) -> Tensor:
        return losses.base_weights * self.logs.exp()


class ClippedTogether(Single):
    """Networks of single tasks that are clipped as one."""

    clip_groups = Network.clip_groups


class ClippedInPart(Branches):
    """Clips the backbone alone, whatever is asked for."""

    def clip_groups(self, *, shared: bool) -> list[list[nn.Parameter]]:  # noqa: ARG002
        return [list(self.backbone.parameters())]


class Centered(Branches):
    """A map that depends on the batch."""

    task_map_name = "centered"

    def task_map(self, inputs: Inputs, index: int) -> Tensor:  # noqa: ARG002
        assert isinstance(inputs, Tensor)
        return inputs[:, 0] - inputs[:, 0].mean(0)


class Nameless(Branches):
    """A map without a name."""

    def task_map(self, inputs: Inputs, index: int) -> Tensor:  # noqa: ARG002
        assert isinstance(inputs, Tensor)
        return inputs[:, 0]


class Restarts(Branches):
    """Begins anew for a task that is added."""

    def welcome(self, index: int) -> None:  # noqa: ARG002
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.zero_()


class Undeclared(Branches):
    """Branches that are not declared to grow."""

    per_task: ClassVar[frozenset[str]] = frozenset()


class Copy(LossWeighting):
    """Uniform by another name and scale."""

    def weigh(self, losses: Losses) -> Tensor:
        return 2 * losses.base_weights


class Uncited(Branches):
    """Its reference is no entry."""

    bibtex = "Doe, 2026"


class CitedHalf(Uniform):
    """Its entry does not end."""

    bibtex = "@misc{half, title = {Half}"


FAULTS: list[tuple[type[Network], type[Balancer], str, str]] = [
    (Stuck, Uniform, "every parameter is trained, and every task trains some", "no gradient reaches 'backbone."),
    (Idle, Uniform, "every parameter is trained, and every task trains some", "no gradient reaches 'idle' in 3 epochs"),
    (
        Outside,
        Uniform,
        "its initial weights come from the streams of its setup",
        "the initial weights of 'branches.1.0', 'branches.1.2', 'gate' come from outside of the setup's streams",
    ),
    (
        Unseeded,
        Uniform,
        "its initial weights come from the streams of its setup",
        "'branches.1.0' and 1 more differ at each build: they are drawn from a generator that is not",
    ),
    (
        Unseeded,
        Uniform,
        "the same seed gives the same bits, another one others",
        "two trainings with one seed differ in",
    ),
    (Branches, Forgetful, "interrupted and resumed it gives the same bits", "interrupted after epoch 1 and resumed"),
    (
        OwnNoise,
        Uniform,
        "interrupted and resumed it gives the same bits",
        "must come from the global generators",
    ),
    (
        Branches,
        Unlearned,
        "every parameter is trained, and every task trains some",
        "'logs.0', 'logs.1' of the bala",
    ),
    (
        Branches,
        Standing,
        "every parameter is trained, and every task trains some",
        "'logs.0', 'logs.1' of the bala",
    ),
    (Branches, Logarithms, "takes negative losses, or declares that it does not", "their weights are -1 and 0.5"),
    (Branches, Roots, "takes negative losses, or declares that it does not", "their weights are nan and 0.354"),
    (Branches, Product, "takes negative losses, or declares that it does not", "their weights are 2 and -1"),
    (Branches, Cut, "takes negative losses, or declares that it does not", "their weights are 0 and 3.54e-16"),
    (Looks, Uniform, "evaluation changes nothing", "evaluation changes buffer 'uses' of network 'Looks'"),
    (HiddenLooks, Uniform, "evaluation changes nothing", "evaluation changes buffer 'uses' of network 'HiddenLooks'"),
    (Branches, LooksAgain, "a step changes buffers as one forward pass does", "2 times, and 1 forward pass 1 times"),
    (
        Branches,
        LooksWithin,
        "a step changes buffers as one forward pass does",
        "after a step the buffers of 'backbone' differ from those after one forward pass",
    ),
    (Branches, LooksThrice, "a step changes buffers as one forward pass does", "3 times, and 2 forward passes 2 times"),
    (
        Shuffled,
        Uniform,
        "answers a task alike alone and among all",
        "`used_outputs` of task 'band0' are not those of `all_outputs`",
    ),
    (Branches, MeansAlone, "trains on auxiliary losses as on the others", "balance `Losses.totals`"),
    (Centered, Uniform, "its map of a task is one of each input", "task 'band0' of an input depends on the other"),
    (Nameless, Uniform, "its map of a task is one of each input", "None if it is empty"),
    (LeNetOnly, Uniform, "works on every backbone it claims", "on backbone 'lenet:width=0.5' it fails: RuntimeError"),
    (
        Branches,
        Competes,
        "the loss of an absent task is used for nothing",
        "the loss of an absent task has no meaning. Use those of `losses.present_indices`",
    ),
    (
        Branches,
        OneFactor,
        "it takes a step and an evaluation, with the shapes of the contract",
        "`OneFactor.weigh` returned shape (1,) for 2 tasks, and should return shape (2,): a factor for each task",
    ),
    (Pairs, Uniform, "works with 1, 2 and 9 tasks and with undefined labels", "with 1 task it fails: IndexError"),
    (Branches, TouchesAbsent, "a task absent from every other batch does no harm", "'branches.1.0.bias'"),
    (
        Entangled,
        Uniform,
        "what belongs to a task stays in a step without it",
        "numbers of 'scales' are of task 'band1' alone, and move in steps without it. The harness keeps a parameter",
    ),
    (
        Flat,
        Uniform,
        "what belongs to a task stays in a step without it",
        "numbers of 'scales' are of task 'band1' alone, and move in steps without it. The harness keeps a parameter",
    ),
    (
        Branches,
        OneTable,
        "what belongs to a task stays in a step without it",
        "1 numbers of 'logs' are of task 'band1' alone, and move in steps without it: name the parameter (T, ...)",
    ),
    (
        ClippedTogether,
        Uniform,
        "tasks that share nothing are clipped apart",
        "its tasks share no parameters, and 3 of them have 1 `clip_groups`: with --set clip=1 the training of",
    ),
    (
        ClippedInPart,
        Uniform,
        "tasks that share nothing are clipped apart",
        "'branches.0.0.weight' is in 0 of its `clip_groups`, not in one.",
    ),
    (
        Undeclared,
        Uniform,
        "parameters grow with the tasks as declared",
        "undeclared: 'branches' [5508, 8262, 11016]",
    ),
    (Restarts, Uniform, "a task that is added changes nothing that others share", "`welcome` changes 'backbone."),
    (Uncited, Uniform, "its references are entries of BibTeX", "`bibtex` of Uncited: 'Doe, 2026' does not begin"),
    (Branches, CitedHalf, "its references are entries of BibTeX", "of CitedHalf: the entry 'half' does not end"),
    (Branches, Copy, "differs from every other method", "'bad' and 'uniform' differ by"),
]


@pytest.mark.parametrize(
    ("network", "balancer", "check", "says"),
    FAULTS,
    ids=[f"{network.__name__}-{balancer.__name__}" for network, balancer, *_ in FAULTS],
)
def test_a_check_finds_what_breaks_its_rule(
    network: type[Network], balancer: type[Balancer], check: str, says: str
) -> None:
    with pytest.raises((Fault, PluginError)) as fault:
        method_checks(candidate(network, balancer))[check]()
    assert says in str(fault.value)


def test_every_check_has_a_plug_in_that_breaks_it() -> None:
    assert {check for _, _, check, _ in FAULTS} | {"learns 64 images of 2 tasks"} == set(
        method_checks(Candidate.of("branches"))
    )


def test_a_network_that_cannot_learn_is_told_by_its_accuracies() -> None:
    class Blind(Branches):
        """Sees nothing."""

        def encode(self, inputs: Inputs) -> Tensor:
            return 0 * super().encode(inputs)

    with pytest.raises(
        Fault, match=r"after 300 steps on 64 images its training accuracies are \d+ %, \d+ %, and the goal is 95 %"
    ):
        method_checks(candidate(Blind, Uniform))["learns 64 images of 2 tasks"]()


def test_a_declared_identity_is_no_fault() -> None:
    class Declared(Copy):
        """Says so."""

        conformance = Conformance(same_as=frozenset({"uniform"}))

    declared = candidate(Branches, Declared)
    method_checks(declared)["differs from every other method"]()


def test_the_helper_raises_every_fault_in_words() -> None:
    with pytest.raises(AssertionError) as error:
        assert_conforms("toy-nan")
    assert str(error.value).startswith("'toy-nan' does not conform:\n- not so: ")


def test_a_refusal_is_the_result_of_a_check() -> None:
    results = list(examine("td:td_loss=1", root=Path()))
    assert {result.fault for result in results} >= {
        "it is refused: option 'td_loss' of method 'td' needs foreground maps, and this dataset has none."
    }


def test_a_dataset_that_marks_undefined_targets_as_defined_is_found() -> None:
    from mtbench_toys.datasets import PartialLabels, ToyOptions

    class Wrong(PartialLabels):
        """Marks all as defined."""

        def split(self, images: Tensor, targets: tuple[Tensor, ...], members: Tensor | None = None) -> Any:
            split = super().split(images, targets, members)
            return dataclasses.replace(split, defined=torch.ones_like(split.defined))

    from mtbench.conformance.dataset.splits import splits_fit

    with pytest.raises(Fault, match=r"targets of task 'upper' in train are marked as defined, and are not\."):
        splits_fit(Wrong(ToyOptions(), Path()))
    assert len(dataset_checks("toy-all", Path())) == 11


@pytest.mark.parametrize(
    "toy",
    ["toy-all", "toy-partial", "toy-numbers", "toy-maps", "toy-surfaces", "toy-triplets", "toy-surfaces:augment=all"],
)
def test_datasets_of_every_kind_conform(toy: str) -> None:
    assert [finding for finding in examine(toy, root=Path()) if finding.fault] == []


class LastBatch(Tally):
    """Scores its last batch alone."""

    def __init__(self) -> None:
        self.error = math.nan

    def add(self, predictions: Tensor, targets: Tensor) -> None:
        self.error = float((predictions - targets).square().mean())

    def score(self) -> dict[str, float]:
        return {"mse": self.error, "mae": 0.0, "r2": 0.0}


@pytest.mark.parametrize(
    ("wrong", "value", "fault"),
    [
        (
            "tally",
            lambda _: LastBatch(),
            r"^metric 'mse' of task 'upper' is \S+ for examples in one batch and \S+ for the",
        ),
        (
            "metrics",
            (Metric(name="rmse"),),
            r"^the kind of task 'upper' declares the metrics \['rmse'\], and returns \['mse'",
        ),
        (
            "stored_as",
            torch.float16,
            r"^the kind of task 'upper' predicts torch.float32 \(48,\) for 48 examples, and decl",
        ),
    ],
)
def test_a_kind_that_does_not_do_what_it_declares_is_found(
    monkeypatch: pytest.MonkeyPatch, wrong: str, value: object, fault: str
) -> None:
    from mtbench.conformance.dataset.measuring import measures_as_declared

    monkeypatch.setattr(Regression, wrong, value)
    if wrong == "stored_as":
        monkeypatch.setattr(Regression, "predict", lambda _, output: output.squeeze(1))
    with pytest.raises(Fault, match=fault):
        measures_as_declared("toy-numbers", Path())


class Elsewhere(Augmentation):
    """Draws from torch's own generator."""

    def draw(self, count: int, size: tuple[int, int], generator: torch.Generator) -> Motion:  # noqa: ARG002
        return Shift(2).draw(count, size, torch.default_generator)


class Left(Segmentation):
    """Leaves its maps where they were."""

    def moved(self, targets: Tensor, motion: Motion) -> Tensor:  # noqa: ARG002
        return targets


class Longer(Segmentation):
    """Gives maps of another dtype."""

    def moved(self, targets: Tensor, motion: Motion) -> Tensor:
        return super().moved(targets, motion).int()


@pytest.mark.parametrize(
    ("augment", "kind", "splits", "fault"),
    [
        ((Elsewhere(),), Segmentation, "train", "augmentation of train draws from another generator than the given"),
        ((Shift(2),), Segmentation, "train/val", "the examples of val are augmented, and only those of a training"),
        ((Shift(2),), Left, "train", "the maps of task 'upper' are not moved with their images: its kind needs"),
        (
            (Flip(),),
            Longer,
            "train",
            r"augmentation of train makes torch.int32 \(64, 28, 28\) of torch.int64 \(64, 28, 2",
        ),
    ],
)
def test_an_augmentation_that_breaks_its_rules_is_found(
    augment: tuple[Augmentation, ...], kind: type[Segmentation], splits: str, fault: str
) -> None:
    from mtbench.conformance.dataset.augmentation import augments
    from mtbench_toys.datasets import Maps, ToyOptions

    class Wrong(Maps):
        """Augments as it is told."""

        @property
        def tasks(self) -> tuple[Task, ...]:
            return tuple(dataclasses.replace(task, kind=kind(classes=2)) for task in super().tasks)

        def load(self, split: str, *, validation: bool) -> Split:
            loaded = super().load(split, validation=validation)
            return dataclasses.replace(loaded, augment=augment if split in splits.split("/") else ())

    with pytest.raises(Fault, match=f"^{fault}"):
        augments(Wrong(ToyOptions(), Path()))
