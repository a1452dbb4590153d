from pathlib import Path

import pytest
import torch

from mtbench.contract import Network
from mtbench.plan.pairing import unlike_starts
from mtbench.plan.parse import parse_backbone, parse_dataset, parse_method
from mtbench.train.batches.order import visits

DATASETS = ("mmnist9", "mmnist9:tasks=1/9")


def build(method: str, dataset: str, seed: int) -> Network:
    opened = parse_dataset(dataset).open(Path())
    chosen = parse_method(method)
    return chosen.network_class(chosen.network_options, parse_backbone("lenet").setup(opened, seed=seed))


@pytest.mark.parametrize("method", ["td", "chmod", "branches"])
def test_on_a_dataset_and_on_some_of_its_tasks_the_shared_modules_of_a_seed_begin_alike(method: str) -> None:
    assert unlike_starts(method, *DATASETS) == ""
    whole, some = (build(method, name, 3).state_dict() for name in DATASETS)
    shared = [name for name in whole if whole[name].shape == some.get(name, torch.empty(0)).shape]
    assert any(name.startswith("backbone") for name in shared)
    alone = parse_method(method).network_class.per_task
    for name in shared:
        if name.partition(".")[0] not in alone:
            assert torch.equal(whole[name], some[name]), name
    other = build(method, DATASETS[0], 4).state_dict()
    assert not all(torch.equal(whole[name], other[name]) for name in shared)


def test_one_seed_has_one_order_of_as_many_examples_whatever_the_tasks() -> None:
    kinds = [parse_dataset(name).tasks()[0].kind for name in DATASETS]
    rows = []
    for kind, tasks in zip(kinds, (9, 2), strict=True):
        defined = torch.ones(50, tasks, dtype=torch.bool)
        rows.append(visits(kind, defined, defined, range(tasks), seed=1, epoch=2, one_task=True).rows)
    assert torch.equal(*rows)
    assert not torch.equal(rows[0], torch.arange(50))


def test_unlike_backbones_and_inputs_are_told() -> None:
    assert unlike_starts("film", "toy-all", "toy-maps") == "backbones lenet and toy-conv"
    assert unlike_starts("film@toy-conv", "toy-all", "toy-maps") == ""
    assert unlike_starts("branches", "mmnist2", "toy2") == "inputs of 1x28x28 and 1x1x1"
