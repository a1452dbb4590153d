"""Results and predictions of one pass over a split."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mtbench.contract import (
    AllTasksNetwork,
    Classification,
    Depth,
    Inputs,
    Network,
    NoOptions,
    Segmentation,
    Setup,
    Split,
    Task,
)
from mtbench.plan.parse import parse_backbone, parse_dataset
from mtbench.train import evaluate as module
from mtbench.train.assemble import assemble
from mtbench.train.evaluate import BATCH, VALUES, batch_size, evaluate, measure
from mtbench_toys.kinds import Triplet
from tests.train.runs import CPU, Memory, run, same, spec_of

STORED = {
    "toy-all": {"upper": torch.uint8, "lower": torch.uint8},
    "toy-numbers": {"upper": torch.float32, "lower": torch.float32},
    "toy-surfaces": {"class": torch.uint8, "depth": torch.float16, "normal": torch.float16},
    "toy-triplets": {"upper": torch.float16, "lower": torch.float16},
}


@pytest.mark.parametrize("toy", STORED)
def test_metrics_follow_to_the_bit_from_the_predictions_that_are_stored(toy: str) -> None:
    trained = run(spec_of("uniform", toy, epochs="2"))
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **dict(trained.predictions))
    file.seek(0)
    split = assemble(spec_of("uniform", toy), root=Path(), device=CPU).splits["test"]
    with np.load(file) as archive:
        stored = {name: torch.from_numpy(values) for name, values in archive.items()}
    assert {name: values.dtype for name, values in stored.items()} == STORED[toy]
    assert not trained.not_stored
    for index, task in enumerate(parse_dataset(toy).tasks()):
        tally, defined = task.kind.tally(), split.defined[:, index]
        tally.add(stored[task.name][defined], split.targets[index][defined])
        assert tally.score() == trained.results["test"][task.name].metrics
        assert trained.results["test"] == trained.curve[-1].results["test"]


def network_and_split(toy: str) -> tuple[Network, Split]:
    made = assemble(spec_of("branches", toy), root=Path(), device=CPU)
    return made.network, made.splits["test"]


@pytest.mark.parametrize("toy", STORED)
def test_smaller_batches_give_the_same_results_and_predictions(toy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network, split = network_and_split(toy)
    whole = measure(network, split, keep=True)
    monkeypatch.setattr(module, "BATCH", 7)  # unequal: 48 = 6 * 7 + 6
    parts = measure(network, split, keep=True)
    for name, result in whole.results.items():
        assert parts.results[name].count == result.count
        assert parts.results[name].loss == pytest.approx(result.loss, rel=1e-5)
        assert parts.results[name].metrics == pytest.approx(result.metrics, rel=1e-3)
        assert torch.allclose(parts.predictions[name].float(), whole.predictions[name].float(), atol=1e-2)


def test_predictions_that_are_too_large_are_not_kept_and_a_sentence_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    network, split = network_and_split("toy-surfaces")
    monkeypatch.setattr(Depth, "stored_up_to", 48 * 28 * 28 * 2 - 1)
    found = measure(network, split, keep=True)
    assert list(found.predictions) == ["class", "normal"]
    sentence = "the predictions of task 'depth' take 0.0753 MB in float16, and up to 0.0753 MB are stored."
    assert found.not_stored == {"depth": sentence}
    assert found.results == evaluate(network, split)
    monkeypatch.setattr(Depth, "stored_up_to", 48 * 28 * 28 * 2)
    assert list(measure(network, split, keep=True).predictions) == ["class", "depth", "normal"]


def test_predictions_of_undefined_targets_are_kept_too() -> None:
    network, split = network_and_split("toy-partial")
    assert not split.defined.all()
    assert {len(values) for values in measure(network, split, keep=True).predictions.values()} == {len(split)}
    assert not measure(network, split).predictions


def test_a_run_stopped_after_its_last_epoch_has_the_predictions_of_one_that_was_not() -> None:
    keeper = Memory(stop_after=2)
    with pytest.raises(KeyboardInterrupt):
        run(spec_of("uniform", "toy-surfaces", epochs="2"), keeper)
    resumed, undisturbed = (run(spec_of("uniform", "toy-surfaces", epochs="2"), kept) for kept in (keeper, Memory()))
    assert same(resumed, undisturbed)
    for name, values in undisturbed.predictions.items():
        assert np.array_equal(resumed.predictions[name], values)


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
    inputs, members = torch.zeros(1, dtype=torch.uint8).expand(9, 3, 64, 64), torch.arange(9).view(3, 3)
    split = Split(inputs=inputs, targets=(torch.ones(3),), defined=torch.ones(3, 1, dtype=torch.bool), members=members)
    assert batch_size(Bare(Task(name="a", kind=Triplet())), split) == VALUES // (3 * (3 * 64 * 64 + 8))
