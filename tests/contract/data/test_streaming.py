"""Splits whose inputs lie in a memory map: gathered where they lie, and everything else on the device of the split."""

import dataclasses
from typing import Any

import pytest
import torch
from torch import Tensor

from mtbench.contract import Batch, Classification, Flip, ScaleCrop, Shift, Split, Task, stream
from mtbench.contract.data import memory

TASKS = [Task(name="a", kind=Classification(classes=3))]
COUNT = 12


def streamed(**changes: Any) -> tuple[Split, list[None]]:
    """Return a split of every second image of a map, and what is released of it as it happens."""
    released: list[None] = []
    images = torch.randint(0, 256, (2 * COUNT, 3, 6, 4), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    split = Split(
        inputs=images,
        targets=(torch.arange(COUNT) % 3,),
        defined=torch.ones(COUNT, 1, dtype=torch.bool),
        mean=(0.1, 0.2, 0.3),
        std=(0.5, 0.6, 0.7),
        members=torch.arange(0, 2 * COUNT, 2)[:, None],
        augment=(ScaleCrop(), Flip(), Shift(1)),
        release=lambda: released.append(None),
    )
    return dataclasses.replace(split, **changes), released


def inputs_of(batch: Batch) -> Tensor:
    assert isinstance(batch.inputs, Tensor)
    return batch.inputs


def test_the_map_is_released_after_each_batch_and_batches_are_those_of_ordinary_inputs() -> None:
    split, released = streamed()
    rows = torch.tensor([5, 0, 11])
    assert isinstance(split.inputs, Tensor)
    ordinary = dataclasses.replace(split, inputs=split.inputs[::2], members=None, release=None)
    assert torch.equal(inputs_of(split.batch(rows)), inputs_of(ordinary.batch(rows)))
    assert len(released) == 1
    one, other = (each.augmented(TASKS, stream(0)) for each in (split, ordinary))
    assert torch.equal(inputs_of(one.batch(rows)), inputs_of(other.batch(rows)))
    assert len(released) == 2


def test_normalization_is_that_of_the_formula_in_channels_last() -> None:
    split, _ = streamed()
    images = inputs_of(split.batch(torch.arange(COUNT)))
    assert isinstance(split.inputs, Tensor)
    scaled = split.inputs[::2].double() / 255
    for channel, (mean, std) in enumerate(zip(split.mean, split.std, strict=True)):
        assert torch.allclose(images[:, channel].double(), (scaled[:, channel] - mean) / std, atol=1e-6)
    assert images.is_contiguous(memory_format=torch.channels_last)


def test_the_first_examples_of_a_map_are_released_too() -> None:
    split, released = streamed()
    split.first(2).batch(torch.arange(2))
    assert len(released) == 1
    assert split.to(torch.device("cpu")).release is split.release


@pytest.mark.parametrize("fits", [False, True])
def test_what_does_not_fit_on_the_device_stays_and_its_batches_come_to_the_device(
    fits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The device is torch's ``meta``, which has shapes and no numbers."""
    split, released = streamed(augment=())
    size = COUNT * 3 * 6 * 4
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (2 * size - (not fits), 80 * 2**30))
    there = split.to(torch.device("meta"))
    assert isinstance(there.inputs, Tensor)
    assert there.defined.device.type == there.targets[0].device.type == "meta"
    assert there.inputs.device.type == ("meta" if fits else "cpu")
    assert len(there.inputs) == (COUNT if fits else 2 * COUNT)  # those of no example are left behind
    assert (there.release is None) is fits
    assert len(released) == (1 if fits else 0)
    batch = there.batch(torch.arange(5, device=there.inputs.device))
    assert inputs_of(batch).shape == (5, 3, 6, 4)
    assert inputs_of(batch).device.type == batch.rows.device.type == batch.use.device.type == "meta"


def test_a_map_is_copied_in_parts_and_released_after_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "AT_ONCE", 5)
    monkeypatch.setattr(memory, "fits", lambda *_: True)
    split, released = streamed()
    there = split.to(torch.device("meta"))
    assert len(released) == 3
    assert there.members is not None
    assert there.members.shape == (COUNT, 1)


def mapped(**changes: Any) -> tuple[Split, list[None]]:
    """Return a split whose targets lie in memory maps too, in narrow dtypes, and what is released of it."""
    generator = torch.Generator().manual_seed(1)
    targets = (
        torch.randint(0, 3, (COUNT, 6, 4), generator=generator, dtype=torch.uint8),
        torch.rand(COUNT, 3, 6, 4, generator=generator).half(),
    )
    split, released = streamed(members=None, augment=(), targets=targets, mapped_targets=True)
    assert isinstance(split.inputs, Tensor)
    defined = torch.ones(COUNT, 2, dtype=torch.bool)
    return dataclasses.replace(split, inputs=split.inputs[:COUNT], defined=defined, **changes), released


def test_targets_in_narrow_numbers_are_wide_in_a_batch_and_read_before_the_maps_are_released() -> None:
    split, _ = mapped()
    rows = torch.tensor([5, 0, 11])
    expected = split.targets[0][rows].long(), split.targets[1][rows].float()

    def damage() -> None:
        for target in split.targets:
            target.zero_()

    labels, vectors = dataclasses.replace(split, release=damage).batch(rows).targets
    assert labels.dtype == torch.int64
    assert vectors.dtype == torch.float32
    assert torch.equal(labels, expected[0])
    assert torch.equal(vectors, expected[1])
    assert not split.targets[0].any()


@pytest.mark.parametrize("fits", [False, True])
def test_mapped_targets_go_where_their_inputs_go(fits: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Inputs take 72 bytes, labels 24 and vectors 144 bytes an example; the device is torch's ``meta``."""
    split, released = mapped()
    size = COUNT * (72 + 24 + 144)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (2 * size - (not fits), 80 * 2**30))
    there = split.to(torch.device("meta"))
    assert isinstance(there.inputs, Tensor)
    where = "meta" if fits else "cpu"
    assert {target.device.type for target in there.targets} == {there.inputs.device.type} == {where}
    assert there.mapped_targets is (there.release is not None) is not fits
    assert len(released) == (3 if fits else 0)
    batch = there.batch(torch.arange(5, device=where))
    assert [target.device.type for target in batch.targets] == ["meta", "meta"]
    assert [target.dtype for target in batch.targets] == [torch.int64, torch.float32]


def test_the_first_examples_of_mapped_targets_are_views_of_the_maps() -> None:
    split, _ = mapped()
    first = split.first(2)
    assert [target.data_ptr() for target in first.targets] == [target.data_ptr() for target in split.targets]
    assert first.mapped_targets
    assert [len(target) for target in first.batch(torch.arange(2)).targets] == [2, 2]


@pytest.mark.gpu
@pytest.mark.parametrize("fits", [False, True])
def test_on_a_gpu_batches_are_the_same_wherever_the_inputs_lie(fits: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "fits", lambda *_: fits)
    split, _ = streamed()
    there = split.to(torch.device("cuda"))
    assert isinstance(there.inputs, Tensor)
    assert there.inputs.is_cuda is fits
    rows = torch.tensor([5, 0, 11])
    for one, other in ((split, there), (split.augmented(TASKS, stream(0)), there.augmented(TASKS, stream(0)))):
        batch = other.batch(rows.cuda())
        assert inputs_of(batch).is_cuda
        assert batch.use.is_cuda
        assert torch.allclose(inputs_of(batch).cpu(), inputs_of(one.batch(rows)), atol=1e-6)
        if not fits:  # rows may then be on the CPU
            again = other.batch(rows)
            assert again.rows.is_cuda
            assert torch.equal(inputs_of(again), inputs_of(batch))
