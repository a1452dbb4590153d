"""Sums of files that are computed once."""

import hashlib
import os
from pathlib import Path

import pytest

from mtbench.contract import sums
from mtbench.contract.sums import known_sums, learn_sums, read_summed


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sums, "_KNOWN", {})


def settled(path: Path, content: bytes, changed: int = 1_000_000_000) -> Path:
    """Return a file that was changed long ago."""
    path.write_bytes(content)
    os.utime(path, (changed, changed))
    return path


def test_a_sum_is_that_of_the_content(tmp_path: Path) -> None:
    path = settled(tmp_path / "file", b"abc")
    assert read_summed(path, "sha256") == (b"abc", hashlib.sha256(b"abc").hexdigest())
    assert read_summed(path, "md5") == (b"abc", hashlib.md5(b"abc").hexdigest())
    assert set(known_sums().values()) == {hashlib.sha256(b"abc").hexdigest(), hashlib.md5(b"abc").hexdigest()}


def test_a_sum_that_another_process_computed_is_not_computed_again(tmp_path: Path) -> None:
    path = settled(tmp_path / "file", b"abc")
    read_summed(path, "sha256")
    ((state, _),) = known_sums().items()
    learn_sums({state: "told"})
    assert read_summed(path, "sha256") == (b"abc", "told")


@pytest.mark.parametrize("how", ["in place", "replaced"])
def test_a_file_that_was_altered_is_summed_anew(tmp_path: Path, how: str) -> None:
    path = settled(tmp_path / "file", b"abc")
    read_summed(path, "sha256")
    if how == "in place":
        settled(path, b"abd", changed=1_000_000_001)
    else:  # with the same size and time
        settled(tmp_path / "other", b"abd").replace(path)
    assert read_summed(path, "sha256") == (b"abd", hashlib.sha256(b"abd").hexdigest())


def test_the_sum_of_a_file_that_has_just_changed_is_not_kept_since_its_next_change_could_have_the_same_time(
    tmp_path: Path,
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    read_summed(path, "sha256")
    assert not known_sums()
