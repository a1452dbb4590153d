"""Outputs for the examples of a split: what is asked of a network, and how much at a time."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mtbench.contract import (
    AllTasksNetwork,
    Classification,
    Inputs,
    Network,
    NoOptions,
    Segmentation,
    Setup,
    Split,
    Task,
)
from mtbench.plan.parse import parse_backbone
from mtbench.train import outputs as module
from mtbench.train.assemble import assemble
from mtbench.train.evaluate import evaluate, measure
from mtbench.train.outputs import BATCH, VALUES, batch_size, largest_map, one_by_one, outputs, parts_of
from mtbench_methods.networks.td.network import TopDown
from mtbench_methods.networks.td.stream import Glance
from mtbench_toys.kinds import Triplet
from tests.train.runs import CPU, spec_of


def made_of(method: str, dataset: str) -> tuple[Network, Split]:
    made = assemble(spec_of(method, dataset), root=Path(), device=CPU)
    return made.network, made.splits["test"]


@pytest.mark.parametrize("defined", ["some", "all"])
def test_a_one_task_network_sees_exactly_the_pairs_that_have_an_answer(
    defined: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, split = made_of("chmod", "toy-partial")
    if defined == "all":
        split = dataclasses.replace(
            split, defined=torch.ones_like(split.defined), targets=3 * (split.targets[2].abs(),)
        )
    monkeypatch.setattr(module, "BATCH", 11)
    asked: list[tuple[bytes, int]] = []
    sizes = []

    def count(_: nn.Module, given: tuple[torch.Tensor, torch.Tensor]) -> None:
        inputs, tasks = given
        sizes.append(len(inputs))
        asked.extend((image.numpy().tobytes(), task) for image, task in zip(inputs, tasks.tolist(), strict=True))

    network.register_forward_pre_hook(count)
    evaluate(network, split)
    images = split.batch(torch.arange(len(split))).inputs
    assert isinstance(images, torch.Tensor)
    pairs = [(images[row].numpy().tobytes(), task) for row, task in split.defined.nonzero().tolist()]
    assert sorted(asked) == sorted(pairs)
    assert max(sizes) <= 11


def test_td_sees_each_image_once_and_each_pair_that_has_an_answer_once(monkeypatch: pytest.MonkeyPatch) -> None:
    network, split = made_of("td", "toy-partial")
    looks: dict[str, int] = {"first": 0, "again": 0}
    first, again = TopDown.glance, TopDown.see

    def count_first(self: TopDown, images: torch.Tensor) -> Glance:
        looks["first"] += len(images)
        return first(self, images)

    def count_again(self: TopDown, images: torch.Tensor, laterals: dict[int, torch.Tensor]) -> Any:
        looks["again"] += len(images)
        return again(self, images, laterals)

    monkeypatch.setattr(TopDown, "glance", count_first)
    monkeypatch.setattr(TopDown, "see", count_again)
    evaluate(network, split)
    assert looks == {"first": int(split.defined.any(1).sum()), "again": int(split.defined.sum())}


TRIPLETS = {
    "each triplet of one task": ("toy-retrieval", "@retrieval:width=.1:embedding=8"),
    "each triplet of both tasks": ("toy-triplets", ""),
}


@pytest.mark.parametrize("triplets", TRIPLETS)
@pytest.mark.parametrize("method", ["branches", "chmod", "single"])
def test_results_on_triplets_are_those_of_asking_for_each_triplet(method: str, triplets: str) -> None:
    dataset, backbone = TRIPLETS[triplets]
    network, split = made_of(method + backbone, dataset)
    found = measure(network, split, keep=True)
    with torch.no_grad():
        every = network.eval().all_outputs(split.batch(torch.arange(len(split))).inputs)
    for task, output, target, defined in zip(network.tasks, every, split.targets, split.defined.T, strict=True):
        expected = output.view(len(split), 3, -1)[defined]
        kind, result = task.kind, found.results[task.name]
        tally = kind.tally()
        tally.add(kind.predict(expected), target[defined])
        assert result.count == int(defined.sum())
        assert result.loss == pytest.approx(float(kind.losses(expected, target[defined]).mean()), rel=1e-4)
        assert result.metrics == pytest.approx(tally.score())
        stored = kind.stored(kind.predict(expected)).float()
        assert torch.allclose(found.predictions[task.name][defined].float(), stored, atol=1e-3)


def test_of_triplets_each_image_is_asked_once_for_each_task_that_has_it() -> None:
    network, split = made_of("chmod@retrieval:width=.1:embedding=8", "toy-retrieval")
    asked: list[tuple[bytes, int]] = []

    def count(_: nn.Module, given: tuple[Tensor, Tensor]) -> None:
        asked.extend((image.numpy().tobytes(), task) for image, task in zip(given[0], given[1].tolist(), strict=True))

    network.register_forward_pre_hook(count)
    evaluate(network, split)
    assert split.members is not None
    images = split.batch(torch.arange(len(split))).inputs
    assert isinstance(images, Tensor)
    of_triplets = [
        (images[3 * row + view].numpy().tobytes(), task)
        for row, task in split.defined.nonzero().tolist()
        for view in range(3)
    ]
    assert len(of_triplets) > len(set(of_triplets))
    assert sorted(asked) == sorted(set(of_triplets))


def test_of_triplets_an_all_tasks_network_sees_each_image_once() -> None:
    network, split = made_of("branches@retrieval:width=.1:embedding=8", "toy-retrieval")
    sizes = []
    network.register_forward_pre_hook(lambda _, given: sizes.append(len(given[0])))
    evaluate(network, split)
    assert split.members is not None
    assert sum(sizes) == len(set(split.members.flatten().tolist()))


@pytest.mark.parametrize(("name", "value"), [("BATCH", 5), ("MAP_VALUES", 3 * 8 * 7)])
def test_triplets_are_answered_a_part_at_a_time_with_the_same_results(
    name: str, value: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, split = made_of("chmod@retrieval:width=.1:embedding=8", "toy-retrieval")
    whole = measure(network, split, keep=True)
    monkeypatch.setattr(module, name, value)
    parts = list(outputs(network, split))
    assert max(len(part.rows) for part in parts) <= 7
    assert torch.equal(torch.cat([part.rows for part in parts]), split.defined.any(1).nonzero().squeeze(1))
    found = measure(network, split, keep=True)
    for task, result in whole.results.items():
        assert found.results[task].metrics == pytest.approx(result.metrics)
        assert found.results[task].loss == pytest.approx(result.loss, rel=1e-5)
        assert torch.allclose(found.predictions[task], whole.predictions[task], atol=1e-5, equal_nan=True)


def test_the_inputs_of_examples_are_examples_one_by_one_defined_for_the_tasks_that_have_them() -> None:
    defined = torch.tensor([[True, False], [False, True], [True, True], [False, False]])
    split = Split(
        inputs=torch.arange(10.0)[:, None],
        targets=(torch.ones(4), torch.ones(4, 3, 2, dtype=torch.int32)),
        defined=defined,
        members=torch.tensor([[7, 2, 7], [2, 3, 4], [9, 3, 2], [0, 1, 2]]),
    )
    alone, places = one_by_one(split, torch.tensor([0, 1]))
    assert alone.batch(torch.arange(len(alone))).inputs.flatten().tolist() == [2, 3, 4, 7]  # type: ignore[union-attr]
    assert alone.defined.T.tolist() == [[True, False, False, True], [True, True, True, False]]
    assert places.tolist() == [[3, 0, 3], [0, 1, 2]]


class Bare(AllTasksNetwork):
    """A backbone and nothing else, or nothing at all."""

    def __init__(self, task: Task, shape: tuple[int, ...] = (1, 8, 8), backbone: str = "") -> None:
        chosen = parse_backbone(backbone or "mlp")
        setup = Setup(
            tasks=(task,),
            backbone_class=chosen.backbone_class,
            backbone_options=chosen.options,
            input_shape=shape,
            seed=0,
        )
        super().__init__(NoOptions(), setup)
        self.parts = nn.ModuleList([setup.build_backbone()] if backbone else [])

    def forward(self, inputs: Inputs) -> list[Tensor]:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("shape", "kind", "target", "size"),
    [
        ((1, 36, 36), Classification(classes=10), (), BATCH),
        ((3, 288, 384), Segmentation(classes=13), (288, 384), VALUES // (16 * 288 * 384)),
        ((3, 224, 224), Classification(classes=10), (), VALUES // (3 * 224 * 224 + 10)),
        ((3, 4096, 4096), Classification(classes=10), (), 1),
    ],
)
def test_as_many_examples_are_evaluated_at_a_time_as_fit(
    shape: tuple[int, ...], kind: Classification | Segmentation, target: tuple[int, ...], size: int
) -> None:
    inputs, targets = (torch.zeros(1, dtype=torch.uint8).expand(4, *sizes) for sizes in (shape, target))
    split = Split(inputs=inputs, targets=(targets,), defined=torch.ones(4, 1, dtype=torch.bool))
    assert batch_size(Bare(Task(name="a", kind=kind)), split) == size


@pytest.mark.parametrize(
    ("backbone", "shape", "values"),
    [
        ("vgg11", (3, 224, 224), 64 * 224 * 224),
        ("vgg11:width=.25", (3, 64, 64), 16 * 64 * 64),
        ("lenet", (1, 100, 100), 10 * 96 * 96),  # larger than any image of digits here
    ],
)
def test_the_largest_feature_map_of_a_batch_has_at_most_512_megabytes(
    backbone: str, shape: tuple[int, ...], values: int
) -> None:
    split = Split(
        inputs=torch.zeros(1, dtype=torch.uint8).expand(4, *shape),
        targets=(torch.zeros(4, dtype=torch.long),),
        defined=torch.ones(4, 1, dtype=torch.bool),
    )
    size = batch_size(Bare(Task(name="a", kind=Classification(classes=10)), shape, backbone), split)
    assert size == min(BATCH, 2**29 // (4 * values))
    assert (size == BATCH) is (backbone != "vgg11")


def test_each_input_of_an_example_counts_for_the_batch() -> None:
    inputs, members = torch.zeros(1, dtype=torch.uint8).expand(9, 3, 96, 96), torch.arange(9).view(3, 3)
    split = Split(inputs=inputs, targets=(torch.ones(3),), defined=torch.ones(3, 1, dtype=torch.bool), members=members)
    assert batch_size(Bare(Task(name="a", kind=Triplet())), split) == VALUES // (3 * (3 * 96 * 96 + 8))


@pytest.mark.parametrize("norm_batch", [0, 47])
@pytest.mark.parametrize("dataset", ["toy-partial", "toy-surfaces", "toy-retrieval", "toy-triplets"])
def test_the_parts_of_a_split_are_known_without_the_network(
    dataset: str, norm_batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, split = made_of("uniform", dataset)
    monkeypatch.setattr(module, "BATCH", 11)
    monkeypatch.setattr(module, "MAP_VALUES", 400_000)
    asked = [answered.rows.tolist() for answered in outputs(network, split, norm_batch=norm_batch)]
    parts = [rows.tolist() for rows in parts_of(network.tasks, largest_map(network), split, norm_batch=norm_batch)]
    assert asked == parts
    assert len(parts) > 1 or norm_batch
