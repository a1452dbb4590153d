"""Files of tensors with facts: what they were read from, a writer that was killed, and a disk without space."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest
import torch

from mtbench.errors import DataError
from mtbench_datasets.facts import expect_unchanged, file_states, read_facts, read_tensors, write_tensors

TENSORS = {"numbers": torch.arange(6).reshape(2, 3)}


def parse(**facts: Any) -> dict[str, Any]:
    return facts


def test_tensors_and_facts_are_read_as_they_were_written_and_equal_ones_have_equal_bytes(tmp_path: Path) -> None:
    paths = [tmp_path / "deep" / name for name in ("one.safetensors", "two.safetensors")]
    for path in paths:
        write_tensors(path, TENSORS, {"states": {"a": ["a.txt", 3, 5]}, "names": ["x", "y"]})
    assert paths[0].read_bytes() == paths[1].read_bytes()
    tensors, facts = read_tensors(paths[0], "toy", parse)
    assert torch.equal(tensors["numbers"], TENSORS["numbers"])
    assert facts == {"states": {"a": ["a.txt", 3, 5]}, "names": ["x", "y"]} == read_facts(paths[0], parse)


def test_a_writer_that_was_killed_between_the_file_and_its_sum_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "some.safetensors"
    write_tensors(path, TENSORS, {"version": 1})
    before = path.with_suffix(".sha256").read_text()
    write_tensors(path, {"numbers": torch.zeros(2)}, {"version": 2})
    path.with_suffix(".sha256").write_text(before)
    with pytest.raises(DataError, match=r"is truncated or altered.*`mtbench data prepare toy` mends it"):
        read_tensors(path, "toy", parse)
    path.with_suffix(".sha256").unlink()
    with pytest.raises(DataError, match=r"its sum some\.sha256 is missing\. `mtbench data prepare toy` mends it"):
        read_tensors(path, "toy", parse)
    assert read_facts(path, parse) is None


def test_where_there_is_no_space_the_file_before_stays_and_no_other_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "some.safetensors"
    write_tensors(path, TENSORS, {})
    before = {each: each.read_bytes() for each in tmp_path.iterdir()}

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DataError, match=r"some\.safetensors cannot be written: No space left on device\. Choose"):
        write_tensors(path, {"numbers": torch.zeros(2)}, {})
    assert {each: each.read_bytes() for each in tmp_path.iterdir()} == before


def test_files_are_known_by_name_size_and_time_and_those_that_came_or_went_are_not_looked_at(tmp_path: Path) -> None:
    files = {name: tmp_path / "below" / f"{name}.txt" for name in ("one", "two", "three")}
    (tmp_path / "below").mkdir()
    for name in ("one", "two"):
        files[name].write_text(name)
        os.utime(files[name], ns=(7, 7))
    assert file_states(files) == {"one": ["one.txt", 3, 7], "two": ["two.txt", 3, 7]}
    before = file_states(files, tmp_path)
    assert before["one"] == ["below/one.txt", 3, 7]
    files["three"].touch()
    files["two"].unlink()
    expect_unchanged(files, before, tmp_path / "cache", "toy", below=tmp_path)
    for change in (lambda: os.utime(files["one"], ns=(7, 8)), lambda: files["one"].write_text("longer")):
        change()
        with pytest.raises(DataError, match=rf"^{files['one']} is not the file any more that {tmp_path}/cache was"):
            expect_unchanged(files, before, tmp_path / "cache", "toy", below=tmp_path)
