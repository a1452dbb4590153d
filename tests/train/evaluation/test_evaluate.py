"""Results and predictions of one pass over a split."""

import copy
import dataclasses
import io
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mtbench.contract import Depth, Network, Split
from mtbench.errors import PluginError
from mtbench.plan.parse import parse_dataset
from mtbench.train import evaluate as evaluation
from mtbench.train import outputs as module
from mtbench.train.assemble import assemble
from mtbench.train.evaluate import evaluate, measure
from mtbench.train.outputs import Answered
from tests.builders.keepers import Memory
from tests.train.runs import CPU, run, same, spec_of

STORED = {
    "toy-all": {"upper": torch.uint8, "lower": torch.uint8},
    "toy-numbers": {"upper": torch.float32, "lower": torch.float32},
    "toy-surfaces": {"class": torch.uint8, "depth": torch.float16, "normal": torch.float16},
    "toy-triplets": {"upper": torch.float16, "lower": torch.float16},
}

NORMED = "fsn@retrieval:width=.1:embedding=8"


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


def test_of_embeddings_distances_are_stored_from_which_accuracy_follows_and_no_ranking() -> None:
    trained = run(spec_of("fsn", "toy-retrieval", epochs="1"))
    split = assemble(spec_of("fsn", "toy-retrieval"), root=Path(), device=CPU).splits["test"]
    for index, task in enumerate(parse_dataset("toy-retrieval").tasks()):
        stored, defined = torch.from_numpy(trained.predictions[task.name]), split.defined[:, index]
        assert (stored.shape, stored.dtype) == ((len(split), 2), torch.float32)
        assert stored[~defined].isnan().all()
        near, far = stored[defined].unbind(1)
        metrics = trained.results["test"][task.name].metrics
        assert metrics["triplet-accuracy"] == pytest.approx(100 * float((near < far).double().mean()))
        assert 0 < metrics["map"] <= 100


def network_and_split(toy: str) -> tuple[Network, Split]:
    made = assemble(spec_of("branches", toy), root=Path(), device=CPU)
    return made.network, made.splits["test"]


@pytest.mark.parametrize("toy", STORED)
def test_smaller_batches_give_the_same_results_and_predictions(toy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network, split = network_and_split(toy)
    whole = measure(network, split, keep=True)
    monkeypatch.setattr(module, "BATCH", 7)  # unequal: 48 = 6 * 7 + 6
    parts = measure(network, split, keep=True)
    assert set(whole.results) == {task.name for task in network.tasks} > set()
    for name, result in whole.results.items():
        assert parts.results[name].count == result.count
        assert parts.results[name].loss == pytest.approx(result.loss, rel=1e-5)
        assert parts.results[name].metrics == pytest.approx(result.metrics, rel=1e-3)
        one, other = parts.predictions[name].float(), whole.predictions[name].float()
        assert torch.allclose(one, other, atol=1e-2, equal_nan=True)


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


def test_what_was_not_asked_has_no_prediction() -> None:
    network, split = network_and_split("toy-partial")
    found = measure(network, split, keep=True).predictions
    every = network.eval().all_outputs(split.batch(torch.arange(len(split))).inputs)
    for task, output, defined in zip(network.tasks, every, split.defined.T, strict=True):
        assert torch.equal(found[task.name].int(), output.argmax(1).int().where(defined, 255))
    assert not measure(network, split).predictions
    network, split = network_and_split("toy-numbers")
    for values, defined in zip(measure(network, split, keep=True).predictions.values(), split.defined.T, strict=True):
        assert torch.equal(values.isnan(), ~defined)


def test_a_task_without_any_label_has_no_predictions_and_a_sentence_says_so() -> None:
    network, split = network_and_split("toy-partial")
    none = split.defined & torch.tensor([True, True, False])
    found = measure(network, dataclasses.replace(split, defined=none), keep=True)
    assert list(found.predictions) == ["upper", "lower"]
    assert found.not_stored == {"same": "no example has a label of task 'same'."}
    assert found.results["same"].count == 0
    assert math.isnan(found.results["same"].loss)


def partly_labelled(method: str) -> tuple[Network, Split]:
    """Return a network, and images of which some have labels of all of its three tasks, some of a few and some of
    none."""
    made = assemble(spec_of(method, "toy-partial"), root=Path(), device=CPU)
    split = made.splits["test"]
    assert 0 < split.defined.any(1).sum() < len(split)
    return made.network, split


@pytest.mark.parametrize("method", ["single", "branches", "chmod", "td", "routing"])
@pytest.mark.parametrize("batch", [1000, 7])
def test_results_are_those_of_all_outputs_where_a_target_is_defined(
    method: str, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, split = partly_labelled(method)
    monkeypatch.setattr(module, "BATCH", batch)
    found = evaluate(network, split)
    with torch.no_grad():
        every = network.eval().all_outputs(split.batch(torch.arange(len(split))).inputs)
    for task, output, target, defined in zip(network.tasks, every, split.targets, split.defined.T, strict=True):
        loss = torch.nn.functional.cross_entropy(output[defined], target[defined])
        accuracy = 100 * (output[defined].argmax(1) == target[defined]).double().mean()
        assert found[task.name].count == int(defined.sum())
        assert found[task.name].loss == pytest.approx(float(loss), rel=1e-4)
        assert found[task.name].metrics["accuracy"] == pytest.approx(float(accuracy))


def test_a_run_stopped_after_its_last_epoch_has_the_predictions_of_one_that_was_not() -> None:
    keeper = Memory(stop_after=2)
    with pytest.raises(KeyboardInterrupt):
        run(spec_of("uniform", "toy-surfaces", epochs="2"), keeper)
    resumed, undisturbed = (run(spec_of("uniform", "toy-surfaces", epochs="2"), kept) for kept in (keeper, Memory()))
    assert same(resumed, undisturbed)
    for name, values in undisturbed.predictions.items():
        assert resumed.predictions[name].tobytes() == values.tobytes()


def test_with_norm_eval_batch_each_batch_of_the_trainings_size_is_normalized_by_itself() -> None:
    made = assemble(spec_of(NORMED, "toy-retrieval"), root=Path(), device=CPU)
    network, split = made.network, made.splits["test"]
    before = {name: value.clone() for name, value in network.state_dict().items()}
    found = measure(network, split, keep=True, norm_batch=10)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    rows = split.defined.any(1).nonzero().squeeze(1)
    trained = copy.deepcopy(network).train()
    for number, task in enumerate(network.tasks):
        stored = found.predictions[task.name]
        for part in torch.split(rows, 10):
            outputs = trained.all_outputs(split.batch(part).inputs)[number].view(len(part), 3, -1)
            mine = split.defined[part, number]
            expected = task.kind.stored(task.kind.predict(outputs[mine]))
            assert torch.allclose(stored[part[mine]].float(), expected.float(), atol=1e-4)
    running = measure(network, split).results
    assert any(running[name].loss != result.loss for name, result in found.results.items())


def test_a_last_batch_of_one_goes_with_the_one_before_where_batches_are_normalized_by_themselves() -> None:
    made = assemble(spec_of(NORMED, "toy-retrieval"), root=Path(), device=CPU)
    split = made.splits["test"].first(11)
    used = int(split.defined.any(1).sum())
    found = measure(made.network, split, norm_batch=used - 1).results
    assert sum(result.count for result in found.values()) == used
    assert found == measure(made.network, split, norm_batch=used).results


def test_the_setting_decides_how_a_run_is_evaluated_and_not_how_it_is_trained() -> None:
    running, batch = (
        run(spec_of(NORMED, "toy-retrieval", epochs="2", norm_eval=each)) for each in ("running", "batch")
    )
    assert all(torch.equal(value, batch.model[name]) for name, value in running.model.items())
    for point, other in zip(running.curve, batch.curve, strict=True):
        assert point.train_losses == other.train_losses
        assert point.results != other.results
    assert batch.results["test"] == batch.curve[-1].results["test"]


def assembled(method: str, dataset: str) -> tuple[Network, Split]:
    made = assemble(spec_of(method, dataset), root=Path(), device=CPU)
    return made.network, made.splits["test"]


@pytest.mark.parametrize("toy", ["toy-all", "toy-partial", "toy-triplets", "toy-retrieval", "toy-surfaces"])
@pytest.mark.parametrize("norm_batch", [0, 7])
def test_each_label_of_a_split_counts_once(toy: str, norm_batch: int) -> None:
    network, split = assembled("branches" if toy != "toy-retrieval" else "fsn", toy)
    results = measure(network, split, norm_batch=norm_batch).results.values()
    assert [result.count for result in results] == split.defined.sum(0).tolist()


def again(network: Network, split: Split, **settings: Any) -> Iterator[Answered]:
    """Yield the first batch once more at the end, as a sampler that fills up its last batch does."""
    found = list(module.outputs(network, split, **settings))
    yield from [*found, found[0]]


def short(network: Network, split: Split, **settings: Any) -> Iterator[Answered]:
    """Leave out the last batch, as a loader that drops it does."""
    yield from list(module.outputs(network, split, **settings))[:-1]


def swapped(network: Network, split: Split, **settings: Any) -> Iterator[Answered]:
    """Yield one batch in the place of another, so that the number of examples is right."""
    found = list(module.outputs(network, split, **settings))
    yield from [found[0], found[0], *found[2:]]


def partly(network: Network, split: Split, **settings: Any) -> Iterator[Answered]:
    """Take for undefined what is not, as a mask that is read with another threshold does."""
    for each in module.outputs(network, split, **settings):
        first, second = each.used_rows
        yield dataclasses.replace(each, used_rows=(first, second[1:]), outputs=[each.outputs[0], each.outputs[1][1:]])


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (again, r"evaluation counts example 0 of \d+ 2 times, and it should count once\."),
        (short, r"evaluation counts example \d+ of \d+ 0 times, and it should count once\."),
        (swapped, r"evaluation counts example 0 of \d+ 2 times, and it should count once\."),
        (partly, r"evaluation counts \d+ labels of task 'lower', and the split has \d+\."),
    ],
)
def test_a_denominator_that_is_not_the_number_of_labels_is_an_error(
    wrong: Any, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, split = assembled("branches", "toy-all")
    monkeypatch.setattr(module, "BATCH", 16)
    monkeypatch.setattr(evaluation, "outputs", wrong)
    with pytest.raises(PluginError, match=text):
        measure(network, split)
