import pytest
import torch
from torch import Tensor

from mtbench.backbones.lenet import LeNet, LeNetOptions
from mtbench.backbones.lenet_dropout import LeNetDropout
from mtbench.conformance import assert_conforms
from mtbench.contract import Backbone, Classification, Setup, Task
from mtbench.plan.parse import parse_method

SHAPE = (1, 28, 28)


def build(backbone: type[Backbone], seed: int = 0) -> Backbone:
    setup = Setup(tasks=(), backbone_class=backbone, backbone_options=LeNetOptions(), input_shape=SHAPE, seed=seed)
    return setup.build_backbone()


def heads(seed: int = 0) -> tuple[torch.nn.Module, torch.nn.Module]:
    """LeNet's head, and that with dropout, from one stream of initial weights."""
    made = []
    for backbone in (LeNet, LeNetDropout):
        part = build(backbone)
        torch.manual_seed(seed)
        made.append(part.head(10))
    return made[0], made[1]


def images(count: int = 64) -> Tensor:
    return torch.rand(count, *SHAPE, generator=torch.Generator().manual_seed(0))


def test_its_parameters_are_lenets_by_name_and_by_initial_value() -> None:
    plain, dropped = build(LeNet).state_dict(), build(LeNetDropout).state_dict()
    assert list(plain) == list(dropped)
    assert all(torch.equal(plain[name], dropped[name]) for name in plain)
    first, second = (head.state_dict() for head in heads())
    assert list(first) == list(second)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert sum(v.numel() for n, v in dropped.items() if n.endswith("weight")) == 21_250


def test_in_evaluation_it_is_lenet_and_draws_nothing() -> None:
    plain, dropped = build(LeNet).eval(), build(LeNetDropout).eval()
    plain_head, dropped_head = (head.eval() for head in heads())
    before = torch.get_rng_state()
    z = dropped(images())
    assert torch.equal(z, plain(images()))
    assert torch.equal(dropped_head(z), plain_head(z))
    assert torch.equal(torch.get_rng_state(), before)


def test_in_training_a_channel_of_the_second_stage_is_there_whole_for_all_images_or_for_none() -> None:
    plain, dropped = build(LeNet), build(LeNetDropout).train()
    maps = plain.levels()[0](images())
    whole = plain.levels()[1](maps)  # (64, 20, 4, 4)
    torch.manual_seed(0)
    kept = torch.zeros(20)
    for _ in range(200):
        seen = dropped.levels()[1](maps)
        alive = (seen != 0).flatten(2).any(2).any(0)
        assert torch.equal(seen, whole * alive[None, :, None, None])  # unscaled
        kept += alive
    some = whole.flatten(2).any(2).any(0)  # the others are dead anyway
    assert some.sum() > 10
    # 200 fair coins per channel: five standard deviations of sqrt(50).
    assert ((kept[some] - 100).abs() < 36).all()
    assert kept[some].std() > 1


def test_in_training_the_hidden_units_of_a_head_are_dropped_one_by_one() -> None:
    """With the identity behind them they show: each is what it was, or 0."""
    plain, dropped = heads()
    for head in (plain, dropped):
        assert isinstance(head, torch.nn.Sequential)
        last = head[2]
        assert isinstance(last, torch.nn.Linear)
        last.weight, last.bias = torch.nn.Parameter(torch.eye(50)), torch.nn.Parameter(torch.zeros(50))
    z = torch.rand(400, 50, generator=torch.Generator().manual_seed(1))
    hidden = plain(z)
    seen = dropped.train()(z)
    alive = (seen != 0) & (hidden != 0)
    assert torch.equal(seen, hidden * alive)
    some = hidden != 0
    share = alive.sum() / some.sum()
    assert float(share) == pytest.approx(0.5, abs=5 * 0.5 / float(some.sum()) ** 0.5)
    assert len({tuple(row) for row in alive.tolist()}) > 300  # of its own for each image


def test_tasks_that_share_a_pass_share_its_mask_and_each_head_has_its_own() -> None:
    tasks = tuple(Task(name=str(index), kind=Classification(classes=10)) for index in range(2))
    setup = Setup(tasks=tasks, backbone_class=LeNetDropout, backbone_options=LeNetOptions(), input_shape=SHAPE, seed=0)
    chosen = parse_method("branches")
    network = chosen.network_class(chosen.network_options, setup).train()
    network.branches[1].load_state_dict(network.branches[0].state_dict())  # type: ignore[union-attr,index]
    with torch.no_grad():
        one, other = network.all_outputs(images(8))
        assert not torch.equal(one, other)
        one, other = network.eval().all_outputs(images(8))
        assert torch.equal(one, other)


@pytest.mark.parametrize("method", ["uniform", "moo"])
def test_methods_conform_on_it(method: str) -> None:
    assert_conforms(f"{method}@lenet-dropout")
