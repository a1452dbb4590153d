"""Muon against torch's, whose iteration is rounded to bfloat16, and against float64 and singular values."""

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.optim._muon import _zeropower_via_newtonschulz  # what torch does, by itself

from mtbench.train.optimizer.muon import Muon, orthogonalize

SHAPES = [(64, 64), (64, 32), (32, 64), (10, 84)]
RATE, DECAY = 0.02, 0.1


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def theirs(gradient: Tensor) -> Tensor:
    return _zeropower_via_newtonschulz(gradient, (3.4445, -4.7750, 2.0315), 5, 1e-7).float()


def energy_outside(update: Tensor, gradient: Tensor, rank: int) -> float:
    """Return the part of the squared norm of an update that is outside the gradient's row and column space."""
    u, _, v = torch.linalg.svd(gradient.double())
    inside = u[:, :rank].T @ update.double() @ v[:rank].T
    return 1 - float((inside.norm() / update.double().norm()) ** 2)


@pytest.mark.parametrize("shape", SHAPES)
def test_on_gradients_of_full_rank_it_is_torchs_muon_within_the_rounding_of_bfloat16(shape: tuple[int, int]) -> None:
    """An update differs by .012 to .018 of its length, which is four to five units of bfloat16's rounding, 2^-8."""
    mine, other = (nn.Parameter(random(*shape)) for _ in range(2))
    ours = Muon([{"params": [mine], "matrix": True, "weight_decay": DECAY}], lr=RATE)
    torchs = torch.optim.Muon([other], lr=RATE, weight_decay=DECAY)
    for step in range(10):
        before = [mine.detach().clone(), other.detach().clone()]
        mine.grad = random(*shape, seed=1 + step)
        other.grad = mine.grad.clone()
        ours.step()
        torchs.step()  # type: ignore[no-untyped-call]
        moved, expected = (
            after.detach() - (1 - RATE * DECAY) * start for after, start in zip((mine, other), before, strict=True)
        )
        assert (moved - expected).norm() < 6 * 2**-8 * expected.norm()
        assert expected.norm() > 0.01


@pytest.mark.parametrize("shape", [*SHAPES, (1, 9), (9, 1)])
def test_the_iteration_keeps_singular_vectors_and_brings_singular_values_near_one(shape: tuple[int, int]) -> None:
    matrix = random(*shape).double()
    u, values, v = torch.linalg.svd(matrix, full_matrices=False)
    found = u.T @ orthogonalize(matrix) @ v.T
    assert torch.allclose(found, found.diagonal().diag(), atol=1e-9)
    big = values / matrix.norm() > 0.01
    assert found.diagonal()[big].min() > 0.65
    assert found.diagonal().max() < 1.25
    single = orthogonalize(matrix.float()).double()
    assert (single - orthogonalize(matrix)).norm() < 1e-5 * single.norm()


@pytest.mark.parametrize(("rank", "noise"), [(1, 0.6), (2, 0.3), (8, 0.1)])
def test_a_gradient_of_low_rank_moves_nothing_outside_its_own_space_where_torch_adds_noise(
    rank: int, noise: float
) -> None:
    gradient = random(50, rank) @ random(rank, 84, seed=1)
    assert energy_outside(orthogonalize(gradient), gradient, rank) < 1e-7
    assert energy_outside(theirs(gradient), gradient, rank) > noise


def test_nothing_comes_of_no_gradient() -> None:
    assert not orthogonalize(torch.zeros(3, 5)).any()
    still = nn.Parameter(torch.ones(3, 5))
    Muon([{"params": [still], "matrix": True, "weight_decay": 1.0}], lr=0.1).step()
    assert torch.equal(still, torch.ones(3, 5))


def test_kernels_are_moved_as_the_matrices_that_they_flatten_to() -> None:
    kernel = nn.Parameter(random(6, 3, 2, 2).to(memory_format=torch.channels_last))
    matrix = nn.Parameter(kernel.detach().flatten(1).clone())
    optimizers = [
        Muon([{"params": [each], "matrix": True, "weight_decay": DECAY}], lr=RATE) for each in (kernel, matrix)
    ]
    for step in range(3):
        kernel.grad = random(6, 3, 2, 2, seed=step).to(memory_format=torch.channels_last)
        matrix.grad = kernel.grad.flatten(1).clone()
        for optimizer in optimizers:
            optimizer.step()
    assert torch.equal(kernel.flatten(1), matrix)


def network() -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(
            nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 4 * 4, 8), nn.Linear(8, 3)
        )


def step_of(net: nn.Sequential) -> Callable[[int], None]:
    def step(number: int) -> None:
        net.zero_grad()
        loss = nn.functional.cross_entropy(net(random(6, 1, 6, 6, seed=number)), torch.arange(6) % 3)
        loss.backward()  # type: ignore[no-untyped-call]

    return step


def split(net: nn.Sequential, **settings: float) -> Muon:
    matrices = [parameter for parameter in net.parameters() if parameter.ndim == 2]
    others = [parameter for parameter in net.parameters() if parameter.ndim != 2]
    groups = [{"params": matrices, "matrix": True}, {"params": others, "lr": 1e-3}]
    return Muon([{**group, "weight_decay": DECAY} for group in groups], lr=RATE, **settings)


def test_convolutions_normalization_and_biases_follow_torchs_adamw_to_the_bit() -> None:
    net = network()
    mine, step = split(net, beta1=0.8), step_of(net)
    theirs = copy.deepcopy(net)
    others = [(a, b) for a, b in zip(net.parameters(), theirs.parameters(), strict=True) if a.ndim != 2]
    adamw = torch.optim.AdamW([b for _, b in others], lr=1e-3, betas=(0.8, 0.999), weight_decay=DECAY)
    for number in range(5):
        step(number)
        for a, b in others:
            b.grad = None if a.grad is None else a.grad.clone()
        mine.step()
        adamw.step()
        assert all(torch.equal(a, b) for a, b in others)
    assert len(others) == 6


def test_its_state_restores_to_equal_bits() -> None:
    net = network()
    optimizer, step = split(net), step_of(net)
    for number in range(3):
        step(number)
        optimizer.step()
    again, state = copy.deepcopy(net), copy.deepcopy(optimizer.state_dict())
    restored = split(again)
    restored.load_state_dict(state)
    for number in range(3, 6):
        for each, taken in ((net, optimizer), (again, restored)):
            step_of(each)(number)
            taken.step()
    assert all(torch.equal(a, b) for a, b in zip(net.parameters(), again.parameters(), strict=True))
