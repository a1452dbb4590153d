"""Facts that one command finds out and the next ones use."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mtbench.store import memory
from mtbench.store.memory import CACHE, Memory


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(CACHE, str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_what_is_added_is_read_by_the_next_command() -> None:
    assert Memory("facts.json").read() == {}
    Memory("facts.json").add({"a": 1, "b": [None, "x"]})
    Memory("facts.json").add({"a": 2})
    assert Memory("facts.json").read() == {"b": [None, "x"], "a": 2}
    assert Memory("others.json").read() == {}


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\x00", b"null", b"[" * 100_000])
def test_a_damaged_or_foreign_file_counts_as_empty_and_is_written_anew(folder: Path, content: bytes) -> None:
    folder.mkdir()
    (folder / "facts.json").write_bytes(content)
    assert Memory("facts.json").read() == {}
    Memory("facts.json").add({"a": 1})
    assert Memory("facts.json").read() == {"a": 1}


def test_two_that_write_at_once_leave_a_whole_file() -> None:
    def write(number: int) -> None:
        Memory("facts.json").add({f"{number}": "x" * 1000})
        assert Memory("facts.json").read()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(40)))


def test_the_oldest_entries_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MOST", 2)
    for name in ("a", "b", "a", "c"):
        Memory("facts.json").add({name: 1})
    assert list(Memory("facts.json").read()) == ["a", "c"]


def test_where_nothing_can_be_written_nothing_is_remembered(folder: Path) -> None:
    folder.write_text("a file in its place")
    Memory("facts.json").add({"a": 1})
    assert Memory("facts.json").read() == {}
