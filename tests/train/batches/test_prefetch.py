"""Batches made one ahead by a thread."""

import dataclasses
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from mtbench.contract import Batch, Split
from mtbench.errors import Stopped
from mtbench.train import trained as module
from mtbench.train.assemble import Assembly, assemble
from mtbench.train.batches.prefetch import batches
from mtbench.train.diagnostics.features import find_head, gather
from tests.builders.keepers import Memory
from tests.train.runs import CPU, run, same, spec_of

SPEC = spec_of("uniform", "toy-all:augment=all")


def streamed(split: Split) -> Split:
    """Return the same split, whose inputs pass for a memory map; they lie in it in another order, among others."""
    assert isinstance(split.inputs, Tensor)
    inputs = torch.cat([split.inputs.flip(0), split.inputs])
    members = torch.arange(len(split)).flip(0)[:, None]
    return dataclasses.replace(split, inputs=inputs, members=members, release=lambda: None)


def some_split() -> Split:
    return streamed(assemble(SPEC, root=Path(), device=CPU).splits["test"])


def chunks_of(*sizes: int) -> list[tuple[Tensor, None]]:
    return [(rows, None) for rows in torch.split(torch.arange(sum(sizes)), list(sizes))]


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("batches")]


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_batches_are_those_of_the_split_in_order(count: int) -> None:
    split, chunks = some_split(), chunks_of(*[7] * count)
    for one, batch, other in zip(
        batches(split, chunks), batches(dataclasses.replace(split, release=None), chunks), chunks, strict=True
    ):
        assert torch.equal(one.rows, other[0])
        assert torch.equal(one.inputs, batch.inputs)  # type: ignore[arg-type]
    assert not threads()


def test_the_batch_after_the_next_is_made_when_the_next_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    original: Callable[..., Batch] = Split.batch

    def batch(self: Split, rows: Tensor, drawn: Tensor | None = None) -> Batch:
        made.append(int(rows[0]))
        return original(self, rows, drawn)

    monkeypatch.setattr(Split, "batch", batch)
    for taken, _ in enumerate(batches(some_split(), chunks_of(1, 1, 1, 1, 1))):
        assert taken + 1 <= len(made) <= taken + 2
    assert made == [0, 1, 2, 3, 4]


def test_an_error_in_the_thread_is_raised_where_the_batch_is_wanted() -> None:
    chunks = [*chunks_of(3, 3), (torch.tensor([10_000]), None)]
    found = batches(some_split(), chunks)
    assert [len(next(found).rows) for _ in range(2)] == [3, 3]
    with pytest.raises(IndexError):
        next(found)
    assert not threads()


def test_the_thread_ends_with_a_loop_that_is_left() -> None:
    with pytest.raises(Stopped):  # noqa: PT012
        for _ in batches(some_split(), chunks_of(3, 3, 3)):
            assert threads()
            raise Stopped("stopped.")
    assert not threads()


def stream_inputs(monkeypatch: pytest.MonkeyPatch) -> None:
    def assembled(*given: Any, **more: Any) -> Assembly:
        made = assemble(*given, **more)
        return dataclasses.replace(made, splits={name: streamed(split) for name, split in made.splits.items()})

    monkeypatch.setattr(module, "assemble", assembled)


@pytest.mark.parametrize("method", ["uniform", "td"])
def test_a_run_from_a_map_has_the_bits_of_a_run_from_memory(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = spec_of(method, "toy-all:augment=all", diagnostics="conflict", epochs="2")
    memory = run(spec)
    stream_inputs(monkeypatch)
    assert same(run(spec), memory)
    assert not threads()


def test_a_run_from_a_map_that_is_stopped_leaves_no_thread_and_is_resumed(monkeypatch: pytest.MonkeyPatch) -> None:
    stream_inputs(monkeypatch)
    left, keeper = 9, Memory()

    def check() -> None:
        nonlocal left
        left -= 1
        if not left:
            raise Stopped("stopped.")

    with pytest.raises(Stopped):
        run(SPEC, keeper, check_stop=check)
    assert not threads()
    assert same(run(SPEC, keeper), run(SPEC))


def test_features_of_a_map_are_those_of_memory() -> None:
    made = assemble(SPEC, root=Path(), device=CPU)
    split = made.splits["test"]
    head = find_head(made.network, streamed(split), 1)
    assert head is not None
    one, other = (gather(made.network, each, 1, head) for each in (split, streamed(split)))
    assert torch.equal(one.classes, other.classes)
    assert all(torch.equal(values, other.by_depth[depth]) for depth, values in one.by_depth.items())
