"""Files beside a record that are gone or changed, found cheaply."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from mtbench.store.pack.contents import collect
from mtbench.store.pack.write import write_pack
from mtbench.store.record import Record
from mtbench.store.run import beside
from mtbench.store.run.beside import absent_and_changed
from mtbench.store.run.folder import RunFolder
from mtbench.store.status import survey
from tests.builders.published import publish

PREDICTIONS = "predictions.npz"


@pytest.fixture
def run(tmp_path: Path, record: Record) -> RunFolder:
    """A finished run."""
    publish(tmp_path / "results", record, seeds=(0,))
    return RunFolder(next((tmp_path / "results").rglob("record.json")).parent)


def found(run: RunFolder, **changes: object) -> tuple[tuple[str, ...], tuple[str, ...]]:
    record = run.record()
    assert record is not None
    return absent_and_changed(run.path, dataclasses.replace(record, **changes))  # type: ignore[arg-type]


def longer(content: bytes) -> bytes:
    return content + b"x"


def garbage(content: bytes) -> bytes:
    return bytes(len(content))


def test_the_sizes_of_files_are_recorded(run: RunFolder) -> None:
    record = run.record()
    assert record is not None
    assert record.sizes == {name: (run.path / name).stat().st_size for name in record.files}
    assert found(run) == ((), ())


@pytest.mark.parametrize("sizes", [None, {}])  # as in a new record, and in one made before sizes were recorded
@pytest.mark.parametrize("change", [longer, garbage])
def test_a_small_file_that_was_changed_is_found(
    run: RunFolder, change: Callable[[bytes], bytes], sizes: dict[str, int] | None
) -> None:
    path = run.path / PREDICTIONS
    path.write_bytes(change(path.read_bytes()))
    absent, (clause,) = found(run, **({} if sizes is None else {"sizes": sizes}))
    assert absent == ()
    assert clause.startswith(PREDICTIONS)


def test_of_a_large_file_the_size_is_compared(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "SMALL", 10)
    path = run.path / PREDICTIONS
    content = path.read_bytes()
    path.write_bytes(garbage(content))
    assert found(run) == ((), ())  # `mtbench store verify` finds it
    path.write_bytes(longer(content))
    assert found(run) == ((), (f"{PREDICTIONS} has another size than the record says",))


def test_a_file_that_is_gone_is_absent(run: RunFolder) -> None:
    (run.path / "model.safetensors").unlink()
    assert found(run) == (("model.safetensors",), ())


def test_the_state_of_a_run_names_them_and_its_numbers_stay(run: RunFolder, tmp_path: Path) -> None:
    (run.path / "model.safetensors").unlink()
    (run.path / PREDICTIONS).write_bytes(b"garbage")
    (status,) = survey(tmp_path / "results", tmp_path)
    assert (status.state, status.absent) == ("fresh", ("model.safetensors",))
    assert status.changed == (f"{PREDICTIONS} has another size than the record says",)
    assert status.record is not None


def test_in_a_pack_the_sums_of_any_size_are_compared_without_reading(
    run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = collect(tmp_path / "results", weights=True)
    other = tmp_path / "other"
    other.write_bytes(garbage((run.path / PREDICTIONS).read_bytes()))
    name = next(name for name in contents.members if name.endswith(PREDICTIONS))
    write_pack(tmp_path / "x.zip", {**contents.members, name: other}, {})
    monkeypatch.setattr(beside, "SMALL", 0)
    (status,) = survey(tmp_path / "x.zip", tmp_path)
    assert status.changed == (f"{PREDICTIONS} does not match its checksum in the record",)
