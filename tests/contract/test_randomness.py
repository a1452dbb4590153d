import random

import numpy as np
import torch

from mtbench.contract import derive, reseed, seeded, stream


def test_a_stream_is_the_same_whenever_it_is_made() -> None:
    assert torch.equal(
        torch.randperm(99, generator=stream(3, "order", 5)), torch.randperm(99, generator=stream(3, "order", 5))
    )


def test_purposes_do_not_run_into_each_other() -> None:
    purposes: list[tuple[int, str, int]] = [(0, "order", 1), (0, "order", 11), (1, "order", 1), (0, "tasks", 1)]
    assert len({derive(seed, name, number) for seed, name, number in purposes}) == len(purposes)


def test_the_derivation_itself_never_moves() -> None:
    assert derive(0, "epoch", 3) == 251044065527859115


def drawn() -> list[float]:
    return [float(torch.rand(())), float(np.random.rand()), random.random()]


def test_a_seeded_block_leaves_the_global_generators_as_they_were() -> None:
    reseed(1)
    expected = drawn()
    reseed(1)
    with seeded(0, "init", "backbone"):
        drawn()
    assert drawn() == expected


def test_a_seeded_block_draws_the_same_whatever_was_drawn_before() -> None:
    found = []
    for _ in range(2):
        with seeded(0, "init", "backbone"):
            found.append(drawn())
    assert found[0] == found[1]
    with seeded(1, "init", "backbone"):
        assert all(one != other for one, other in zip(drawn(), found[0], strict=True))
