"""A checkpoint is believed only if each of its bytes is the one that was written."""

import hashlib
import io
import os
import random
import zipfile
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import torch

from mtbench.errors import StoreError
from mtbench.store.run.checkpoint import (
    ASIDE,
    CHECKPOINT,
    Checkpoint,
    CheckpointFile,
    OtherFormat,
    Unusable,
    pack,
    unpack,
)

STATE = {"epoch": 2, "network": {"weight": torch.arange(3000.0)}, "curve": [{"epoch": 1, "loss": float("nan")}]}


def packed(state: dict[str, Any]) -> bytes:
    return pack(Checkpoint(marks={"torch": "1"}, numerics={"threads": "1"}, notes=("a note.",), state=state))


def sealed(content: Any) -> bytes:
    """Return a file of any content with a checksum that is right."""
    file = io.BytesIO()
    torch.save(content, file)
    return b"mtbench checkpoint 2\n" + hashlib.sha256(file.getvalue()).digest() + file.getvalue()


def written(folder: Path, **more: Any) -> CheckpointFile:
    checkpoint = CheckpointFile(folder, **more)
    checkpoint.write(STATE)
    return checkpoint


def flip_a_bit(data: bytes, draw: random.Random) -> bytes:
    place = draw.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << draw.randrange(8)]) + data[place + 1 :]


def truncate(data: bytes, draw: random.Random) -> bytes:
    return data[: draw.randrange(len(data))]


def zero_a_page(data: bytes, draw: random.Random) -> bytes:
    start = draw.randrange(len(data) // 512) * 512
    return data[:start] + bytes(len(data[start : start + 512])) + data[start + 512 :]


def swap_blocks(data: bytes, draw: random.Random) -> bytes:
    first, second = sorted(draw.sample(range(len(data) // 512), 2))
    a, b = slice(first * 512, first * 512 + 512), slice(second * 512, second * 512 + 512)
    return data[: a.start] + data[b] + data[a.stop : b.start] + data[a] + data[b.stop :]


def mix_epochs(data: bytes, draw: random.Random) -> bytes:
    """Return the beginning of one checkpoint and the end of the next, which has the same length."""
    later = packed(STATE | {"epoch": 3, "network": {"weight": torch.arange(3000.0) + 1}})
    assert len(later) == len(data)
    place = draw.randrange(21 + 32, len(data) // 2)
    return data[:place] + later[place:]


def append(data: bytes, draw: random.Random) -> bytes:
    return data + draw.randbytes(draw.randrange(1, 1000))


DAMAGES = (flip_a_bit, truncate, zero_a_page, swap_blocks, mix_epochs, append)


def test_a_state_is_read_as_it_was_written() -> None:
    kept = unpack(packed(STATE))
    assert (kept.marks, kept.numerics, kept.notes) == ({"torch": "1"}, {"threads": "1"}, ("a note.",))
    assert kept.state["epoch"] == 2
    assert torch.equal(kept.state["network"]["weight"], torch.arange(3000.0))


def test_none_of_300_damaged_checkpoints_is_believed() -> None:
    data, draw, refused = packed(STATE), random.Random(0), 0
    for number in range(300):
        damaged = DAMAGES[number % len(DAMAGES)](data, draw)
        if damaged == data:  # a page that was zero, or two equal blocks
            damaged = flip_a_bit(data, draw)
        with pytest.raises(Unusable):
            unpack(damaged)
        refused += 1
    print(f"{refused} damaged checkpoints, {refused} refused")  # noqa: T201
    assert refused == 300


def test_torch_itself_restores_a_damaged_tensor_without_a_word() -> None:
    """The reason for the checksum: should torch compare its own one day, this one may go."""
    file = io.BytesIO()
    torch.save(STATE, file)
    data = file.getvalue()
    place = data.index(torch.arange(1000.0, 1010.0).numpy().tobytes())
    damaged = data[:place] + b"\x00\x00\x80\x3f" + data[place + 4 :]
    state = torch.load(io.BytesIO(damaged), weights_only=True)
    assert state["network"]["weight"][1000] == 1


@pytest.mark.parametrize(
    "content",
    [
        [],
        {"marks": {}},
        {"marks": {}, "state": {}},
        {"marks": "text", "numerics": {}, "notes": (), "state": {}},
        {"marks": {}, "numerics": {}, "notes": (), "state": None},
    ],
)
def test_a_file_with_a_right_checksum_and_another_structure_is_unusable(content: Any) -> None:
    with pytest.raises(Unusable):
        unpack(sealed(content))


def test_the_file_of_an_earlier_mtbench_is_another_format() -> None:
    file = io.BytesIO()
    torch.save({"marks": "text", "state": STATE}, file)
    with pytest.raises(OtherFormat):
        unpack(file.getvalue())


def test_an_earlier_format_is_said_and_stays_until_it_is_overwritten(tmp_path: Path) -> None:
    torch.save({"marks": "text", "state": STATE}, tmp_path / CHECKPOINT)
    checkpoint = CheckpointFile(tmp_path)
    assert checkpoint.read() is None
    assert checkpoint.notes == ["The checkpoint has the format of an earlier mtbench: the run starts again."]
    assert os.listdir(tmp_path) == [CHECKPOINT]


def test_marks_and_numerics_may_hold_the_version_of_torch(tmp_path: Path) -> None:
    """`torch.__version__` is of a class that ``torch.load`` refuses."""
    texts = {"torch": torch.__version__}
    written(tmp_path, marks=texts, numerics=texts)
    checkpoint = CheckpointFile(tmp_path, texts, texts)
    assert checkpoint.read() is not None
    assert checkpoint.notes == []


def test_a_checkpoint_that_is_not_there_is_none_and_nothing_is_said(tmp_path: Path) -> None:
    checkpoint = CheckpointFile(tmp_path)
    assert checkpoint.read() is None
    assert checkpoint.notes == []


def test_damaged_checkpoints_are_kept_aside_the_first_and_the_last_and_said(tmp_path: Path) -> None:
    said: list[str] = []
    for number in range(4):
        checkpoint = CheckpointFile(tmp_path, say=said.append)
        checkpoint.path.write_bytes(packed(STATE)[: 100 + number])
        assert checkpoint.read() is None
        assert checkpoint.notes == said[-1:]
    assert sorted(os.listdir(tmp_path)) == list(ASIDE)
    assert [(tmp_path / name).stat().st_size for name in ASIDE] == [100, 103]
    last = "It is kept as checkpoint-damaged-2.pt; the run starts again."
    assert said[0] == said[1].replace("damaged-2", "damaged-1")
    assert said[3] == f"The checkpoint cannot be used: its content does not match its checksum. {last}"


def test_a_checkpoint_that_cannot_be_opened_is_kept_aside(tmp_path: Path) -> None:
    (tmp_path / CHECKPOINT).mkdir()
    checkpoint = CheckpointFile(tmp_path)
    assert checkpoint.read() is None
    assert checkpoint.notes[0].startswith("The checkpoint cannot be used: it cannot be read: Is a directory.")
    assert os.listdir(tmp_path) == [ASIDE[0]]


def test_a_damaged_checkpoint_that_cannot_be_renamed_is_an_error_of_the_store(tmp_path: Path) -> None:
    checkpoint = CheckpointFile(tmp_path)
    checkpoint.path.write_bytes(b"damaged")
    for name in ASIDE:
        (tmp_path / name).mkdir()
    with pytest.raises(StoreError, match=r"checkpoint-damaged-2\.pt cannot be written"):
        checkpoint.read()
    assert checkpoint.path.read_bytes() == b"damaged"


def test_a_state_that_other_code_made_is_not_resumed_from_and_the_change_is_said(tmp_path: Path) -> None:
    written(tmp_path, marks={"torch": torch.__version__, "code of the network": "abc", "data": "x"})
    checkpoint = CheckpointFile(tmp_path, {"torch": "1", "code of the network": "abd", "data": "x"})
    assert checkpoint.read() is None
    assert checkpoint.notes == ["Changed since the checkpoint: code of the network, torch. The run starts again."]
    assert os.listdir(tmp_path) == [CHECKPOINT]


def test_a_state_is_resumed_from_under_other_numerics_and_that_is_said_for_good(tmp_path: Path) -> None:
    written(tmp_path, numerics={"threads": "1", "processor": "a"})
    second = CheckpointFile(tmp_path, numerics={"threads": "2", "processor": "a"})
    assert second.read() is not None
    note = "Resumed after epoch 2 under other numerics: threads 1 -> 2."
    assert second.notes == [note]
    second.write(STATE)
    third = CheckpointFile(tmp_path, numerics={"threads": "2", "processor": "a"})
    assert third.read() is not None
    assert third.notes == [note]


def test_memory_that_runs_out_while_a_checkpoint_is_read_does_not_make_it_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = written(tmp_path)

    def fail(*arguments: Any, **options: Any) -> None:  # noqa: ARG001
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes.")

    with monkeypatch.context() as patch:
        patch.setattr(torch, "load", fail)
        with pytest.raises(RuntimeError, match="allocate"):
            checkpoint.read()
    assert checkpoint.read() is not None
    assert checkpoint.notes == []


def test_a_checkpoint_with_compressed_members_is_refused_before_torch_unpacks_it() -> None:
    file, small = io.BytesIO(), io.BytesIO()
    torch.save({"weight": torch.zeros(10_000)}, file)
    with ZipFile(file) as archive, ZipFile(small, "w", zipfile.ZIP_DEFLATED) as compressed:
        for name in archive.namelist():
            compressed.writestr(name, archive.read(name))
    data = b"mtbench checkpoint 2\n" + hashlib.sha256(small.getvalue()).digest() + small.getvalue()
    with pytest.raises(Unusable, match="compressed in another way than mtbench does"):
        unpack(data)
