import torch

from mtbench.contract import derive, seeded, stream


def test_a_stream_is_the_same_whenever_it_is_made() -> None:
    assert torch.equal(
        torch.randperm(99, generator=stream(3, "order", 5)), torch.randperm(99, generator=stream(3, "order", 5))
    )


def test_purposes_do_not_run_into_each_other() -> None:
    purposes: list[tuple[int, str, int]] = [(0, "order", 1), (0, "order", 11), (1, "order", 1), (0, "tasks", 1)]
    assert len({derive(seed, name, number) for seed, name, number in purposes}) == len(purposes)


def test_the_derivation_itself_never_moves() -> None:
    assert derive(0, "epoch", 3) == 251044065527859115


def test_a_seeded_block_leaves_the_global_generator_as_it_was() -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    with seeded(0, "init", "backbone"):
        torch.rand(10)
    assert torch.equal(torch.rand(3), expected)
