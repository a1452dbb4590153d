from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from mtbench.contract import Setup
from mtbench.errors import UsageError
from mtbench.plan.grid import Request, plan
from mtbench.plan.parse import parse_backbone, parse_dataset, parse_method
from mtbench.train.assemble import build
from mtbench.train.cost.ledger import count_macs, count_parameters


def setup(backbone: str = "point", seed: int = 0) -> Setup:
    return parse_backbone(backbone).setup(parse_dataset("toy2").open(Path()), seed=seed)


def theta(backbone: nn.Module) -> list[float]:
    (only,) = backbone.parameters()
    values: list[float] = only.flatten().tolist()
    return values


def planned(method: str, dataset: str = "toy2") -> None:
    plan(Request(methods=[method], datasets=[dataset], settings={}, seeds=[0]))


@pytest.mark.parametrize("inputs", [torch.zeros(5, 1, 1, 1), torch.randn(5, 1, 1, 1)])
def test_the_representation_is_the_point_whatever_comes_in(inputs: Tensor) -> None:
    backbone = setup("point:start=-8.5/7.5").build_backbone()
    z = backbone(inputs)
    assert torch.equal(z, torch.tensor([[-8.5, 7.5]]).expand(5, 2))
    assert torch.equal(backbone.head(2)(z), z)
    (gradient,) = torch.autograd.grad(z[:3].sum(), list(backbone.parameters()))
    assert gradient.tolist() == [[3, 3]]


def test_a_network_on_it_is_two_numbers_and_a_single_task_network_two_for_each_task() -> None:
    for method, numbers in (("uniform", 2), ("single", 4)):
        network = build(parse_method(method), setup())
        counted = count_parameters(network, setup())
        assert (counted.weights, counted.total, counted.single_weights) == (numbers, numbers, 2)
        assert count_macs(network, torch.zeros(1, 1, 1, 1)).per_input == 0


def test_tasks_meet_in_a_matrix_as_gradnorm_needs() -> None:
    network = build(parse_method("uniform"), setup())
    assert network.last_shared_layer().shape == (1, 2)


def test_without_a_start_each_seed_draws_its_own_in_the_box_of_the_papers_starts() -> None:
    drawn = [theta(setup(seed=seed).build_backbone()) for seed in range(200)]
    starts = torch.tensor(drawn)
    assert (starts >= torch.tensor([-8.5, -1.0])).all()
    assert (starts <= torch.tensor([9.0, 9.0])).all()
    assert torch.allclose(starts.mean(0), torch.tensor([0.25, 4.0]), atol=1)
    assert len(set(map(tuple, drawn))) == 200


def test_all_networks_of_a_seed_start_at_one_point() -> None:
    first = build(parse_method("uniform"), setup(seed=3))
    alone = build(parse_method("single"), setup(seed=3))
    points = {tuple(value.flatten().tolist()) for network in (first, alone) for value in network.parameters()}
    assert points == {tuple(theta(setup(seed=3).build_backbone()))}


@pytest.mark.parametrize("start", ["1", "1/2/3"])
def test_a_start_that_is_no_point_is_refused(start: str) -> None:
    with pytest.raises(UsageError) as error:
        planned(f"uniform@point:start={start}")
    assert str(error.value) == (
        f"option 'start' of backbone 'point' is '{start}'. Allowed: two numbers x/y, e.g. -8.5/7.5."
    )


def test_other_worlds_are_refused_on_it() -> None:
    with pytest.raises(UsageError, match=r"^backbone 'point' is two numbers, and a task of this dataset takes 4\."):
        planned("uniform@point", "toy-all")


@pytest.mark.parametrize("method", ["td", "chmod"])
def test_networks_that_reach_into_stages_are_refused_on_it(method: str) -> None:
    with pytest.raises(UsageError, match="has none"):
        planned(method)
