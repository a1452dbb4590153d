"""Means of metrics over batches of examples in file order, as published code takes them."""

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from mtbench.contract import Batches, Network, Split
from mtbench.store.record import BatchMeans, TaskResult
from mtbench.train import outputs as module
from mtbench.train.assemble import assemble
from mtbench.train.evaluate import measure
from tests.train.runs import CPU, run, spec_of

FIVE, FOUR = Batches(size=5), Batches(size=4, by_examples=True)


def network_and_split(count: int = 48) -> tuple[Network, Split]:
    made = assemble(spec_of("branches", "toy-surfaces"), root=Path(), device=CPU)
    return made.network, made.splits["test"].first(count)


def by_hand(network: Network, split: Split, size: int) -> tuple[NDArray[np.float64], list[int]]:
    """Per batch (K, 4) the mean absolute and relative error of defined depths, and the mean and the median of defined
    angles, with numpy; and the numbers of examples of the batches."""
    found = measure(network, split, keep=True)
    depth, normal = (found.predictions[name].double().numpy() for name in ("depth", "normal"))
    true, facing = split.targets[1].double().numpy(), split.targets[2].double().numpy()
    values, sizes = [], []
    for start in range(0, len(split), size):
        some = slice(start, start + size)
        known = true[some] > 0
        errors = np.abs(depth[some] - true[some])[known]
        seen = (facing[some] != 0).any(1)
        one, other = normal[some].transpose(0, 2, 3, 1)[seen], facing[some].transpose(0, 2, 3, 1)[seen]
        cosines = (one * other).sum(1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)
        angles = np.degrees(np.arccos(cosines.clip(-1, 1)))
        values.append([errors.mean(), (errors / true[some][known]).mean(), angles.mean(), np.median(angles)])
        sizes.append(len(true[some]))
    return np.array(values), sizes


def shown(means: BatchMeans) -> list[float]:
    depth, normal = means.metrics["depth"], means.metrics["normal"]
    return [depth["absolute-error"], depth["relative-error"], normal["mean-angle"], normal["median-angle"]]


def test_a_batch_weighs_as_every_other_and_the_median_is_a_mean_of_medians() -> None:
    network, split = network_and_split()
    values, sizes = by_hand(network, split, 5)
    assert sizes[-1] == 3
    (means,) = measure(network, split, batches=[FIVE]).batch_means
    assert (means.size, means.by_examples) == (5, False)
    assert shown(means) == pytest.approx(values.mean(0), rel=1e-5)


def test_a_batch_weighs_by_its_images_where_published_code_does_so() -> None:
    network, split = network_and_split(46)
    values, sizes = by_hand(network, split, 4)
    assert sizes[-1] == 2
    _, means = measure(network, split, batches=[FIVE, FOUR]).batch_means
    assert shown(means) == pytest.approx(np.average(values, axis=0, weights=sizes), rel=1e-5)
    assert shown(means) != pytest.approx(values.mean(0), rel=1e-5)


def test_one_batch_of_all_examples_is_the_split() -> None:
    network, split = network_and_split()
    found = measure(network, split, batches=[Batches(size=48)])
    assert found.batch_means[0].metrics == {name: result.metrics for name, result in found.results.items()}


def test_means_do_not_depend_on_how_many_examples_are_evaluated_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    network, split = network_and_split()
    whole = measure(network, split, batches=[FIVE, FOUR])
    monkeypatch.setattr(module, "BATCH", 7)
    parts = measure(network, split, batches=[FIVE, FOUR])
    assert len(parts.batch_means) == 2
    for one, other in zip(parts.batch_means, whole.batch_means, strict=True):
        assert {"depth", "normal"} <= set(one.metrics)
        for task, metrics in one.metrics.items():
            assert metrics == pytest.approx(other.metrics[task], rel=1e-3)


def test_a_batch_without_a_defined_pixel_is_left_out() -> None:
    network, split = network_and_split(10)
    depth = split.targets[1].clone()
    depth[:5] = 0
    defined = split.defined.clone()
    defined[:5, 1] = False
    split = dataclasses.replace(split, targets=(split.targets[0], depth, split.targets[2]), defined=defined)
    found = measure(network, split, batches=[FIVE])
    assert found.batch_means[0].metrics["depth"] == found.results["depth"].metrics
    nothing = measure(network, dataclasses.replace(split, defined=torch.zeros_like(defined)), batches=[FIVE])
    assert all(math.isnan(value) for value in nothing.batch_means[0].metrics["depth"].values())


def test_a_run_keeps_the_means_that_its_datasets_conventions_name_at_each_point_of_the_test_split() -> None:
    trained = run(spec_of("uniform", "toy-surfaces", epochs="2"))
    for point in trained.curve:
        assert [(means.size, means.by_examples) for means in point.batch_means] == [(5, False), (4, True)]
        assert point.batch_means[0].metrics["depth"] != point.results["test"]["depth"].metrics
    assert trained.batch_means == trained.curve[-1].batch_means
    assert _plain(trained.results["test"]) != _plain(trained.curve[0].results["test"])


def test_a_run_on_some_of_the_tasks_keeps_their_means() -> None:
    trained = run(spec_of("uniform", "toy-surfaces:tasks=depth", epochs="1"))
    assert [list(means.metrics) for means in trained.batch_means] == [["depth"], ["depth"]]


def test_without_conventions_or_on_a_validation_split_no_means_are_kept() -> None:
    assert run(spec_of("uniform", "toy-all", epochs="1")).batch_means == ()
    trained = run(spec_of("uniform", "toy-surfaces", epochs="2", validation="true"))
    assert [len(point.batch_means) for point in trained.curve] == [0, 2]  # the last point has every split
    assert len(trained.batch_means) == 2


def _plain(results: Mapping[str, TaskResult]) -> dict[str, float]:
    return {name: result.loss for name, result in results.items()}
