"""Checkpoints, weights and predictions."""

import hashlib
import json
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from mtbench.engines.job import execute
from mtbench.store.run.checkpoint import CHECKPOINT, Checkpoint, CheckpointFile, pack, unpack
from mtbench.store.run.folder import RunFolder
from tests.fuzz.campaign import ACCEPTED, SAID, SAME, Kind, Silent
from tests.fuzz.kinds.alter import any_bytes, claims, sealed_text
from tests.fuzz.kinds.results import RUNS, read_results, read_unchanged
from tests.fuzz.mutations import mutate_value
from tests.fuzz.place import called
from tests.fuzz.world import World

__all__ = ["TRAINED"]


def _claimed(world: World, file: Path, draw: random.Random) -> tuple[str, bytes]:
    """Alter the bytes of weights or predictions, and seal the record with their new sums."""
    how, data = claims(file.read_bytes(), draw) if draw.random() < 0.5 else any_bytes(world, file, draw)
    record = file.with_name("record.json")
    body = json.loads(record.read_text())["record"]
    body["files"][file.name] = hashlib.sha256(data).hexdigest()
    body["sizes"][file.name] = len(data)
    record.write_bytes(sealed_text("record", body))
    return how, data


def _state_of(world: World, file: Path, draw: random.Random) -> tuple[str, bytes]:  # noqa: ARG001
    """Alter a plain value or a tensor in a checkpoint, and pack it anew; no tensor becomes smaller."""
    kept = unpack(file.read_bytes())
    if draw.random() < 0.5:
        tensors = {f"tensor at {path}": each for path, each in _tensors(kept.state)}
        names = {id(each): name for name, each in tensors.items()}
        how, state = mutate_value(_mapped(kept.state, lambda each: names.get(id(each), each)), draw)
        state = _mapped(state, lambda each: tensors.get(each, each) if isinstance(each, str) else each)
        sizes = {path: each.numel() for path, each in _tensors(state)}
        if any(sizes.get(path, each.numel()) < each.numel() for path, each in _tensors(kept.state)):
            return "none", file.read_bytes()  # mtbench refuses it, and torch, which does not, gets no such file
    else:
        how, place = "tensor", draw.choice([path for path, _ in _tensors(kept.state)])
        chosen = dict(_tensors(kept.state))[place]
        state = _mapped(kept.state, lambda each: _other(each, draw) if each is chosen else each)
    with suppress(TypeError, ValueError, RuntimeError):
        kept = Checkpoint(marks=kept.marks, numerics=kept.numerics, notes=kept.notes, state=state)
    try:
        return how, pack(kept)
    except (UnicodeError, OverflowError, RuntimeError):  # torch writes no such value
        return "none", file.read_bytes()


def _other(old: torch.Tensor, draw: random.Random) -> torch.Tensor:
    return draw.choice(
        [old.double(), torch.full_like(old, 7), old[None], torch.cat([old.flatten()] * 2), torch.stack([old] * 3)]
    )


def _tensors(value: Any, path: str = "") -> Iterator[tuple[str, torch.Tensor]]:
    """Yield the tensors of a state, and their places."""
    if isinstance(value, torch.Tensor):
        yield path, value
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list | tuple) else ()
    for key, each in pairs:
        yield from _tensors(each, f"{path}/{key}")


def _mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    """Return a state whose values are changed."""
    if isinstance(value, dict):
        return {key: _mapped(each, change) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_mapped(each, change) for each in value)
    return change(value)


def _checkpoint(world: World, file: Path, draw: random.Random) -> str:  # noqa: ARG001
    """Read a checkpoint whose checksum does not match any more."""
    called("store", "verify", str(world.results))
    kept = unpack(world.files[file])
    checkpoint = CheckpointFile(file.parent, kept.marks, kept.numerics)
    state = checkpoint.read()
    if state is None:
        assert checkpoint.notes
        return SAID
    if repr(_hashes(state)) != repr(_hashes(kept.state)):
        raise Silent("the state is another")
    return SAME


def _hashes(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return hashlib.sha256(value.contiguous().numpy().tobytes()).hexdigest()
    if isinstance(value, Mapping):
        return {key: _hashes(each) for key, each in value.items()}
    return [_hashes(each) for each in value] if isinstance(value, list | tuple) else value


def _resumed(world: World, file: Path, draw: random.Random) -> str:  # noqa: ARG001
    """Resume a run from the checkpoint of a stranger: if it is refused, the run has the numbers that it has without."""
    folder = RunFolder(file.parent)
    (file.parent / "claim.7").unlink(missing_ok=True)
    said: list[str] = []
    execute(folder, folder.spec(), world.results, "cpu", say=said.append)
    record = folder.record()
    assert record is not None
    is_same = repr(record.results) == repr(world.finished.results)
    if any("starts again" in each for each in said):
        if not is_same:
            raise Silent(f"the run started again, and has other results: {said}")
        return SAID
    return SAME if is_same else ACCEPTED


TRAINED: dict[str, Kind[World]] = {
    "checkpoint": Kind(files=f"{RUNS}/{CHECKPOINT}", mutate=any_bytes, read=_checkpoint),
    "checkpoint, sealed": Kind(files=f"{RUNS}/{CHECKPOINT}", mutate=_state_of, read=_resumed),
    "predictions": Kind(files=f"{RUNS}/predictions.npz", mutate=any_bytes, read=read_results),
    "predictions, claimed": Kind(files=f"{RUNS}/predictions.npz", mutate=_claimed, read=read_unchanged),
    "weights": Kind(files=f"{RUNS}/model.safetensors", mutate=any_bytes, read=read_results, part=0.5),
    "weights, claimed": Kind(files=f"{RUNS}/model.safetensors", mutate=_claimed, read=read_unchanged),
}
