"""Size and depth of JSON files, before they are parsed."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtbench.store.files.guard import DEEPEST, Refused, check_depth, read_guarded

values = st.recursive(
    st.none() | st.integers() | st.text(alphabet='[]{}"\\a'),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(alphabet='[]{}"\\a'), inner, max_size=3),
    max_leaves=20,
)


def nested(value: Any, levels: int) -> bytes:
    """Return the JSON text of a value inside of so many lists."""
    for _ in range(levels):
        value = [value]
    return json.dumps(value).encode()


def depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


@given(values)
def test_depth_is_that_of_lists_and_objects_whatever_texts_contain(value: Any) -> None:
    most = DEEPEST - depth(value)
    check_depth(nested(value, most))
    with pytest.raises(Refused, match="nested more than 50 levels"):
        check_depth(nested(value, most + 1))


def test_a_hundred_thousand_brackets_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    path.write_bytes(b"[" * 100_000)
    with pytest.raises(Refused, match="nested"):
        read_guarded(path)


def test_a_file_that_is_too_large_is_refused_and_not_read(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    path.touch()
    os.truncate(path, 1 << 40)  # a hole: it takes no space
    with pytest.raises(Refused, match="it has 1,099,511,627,776 bytes, and at most 67,108,864 are read"):
        read_guarded(path)


def test_half_a_character_is_refused_and_a_whole_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    path.write_text(json.dumps({"title": "\N{SMILING FACE WITH SUNGLASSES}"}))
    read_guarded(path)
    path.write_bytes(b'{"title": "\\ud83d"}')
    with pytest.raises(Refused, match="it has half a character"):
        read_guarded(path)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "record.json")
    with pytest.raises(Refused, match="not a regular file"):
        read_guarded(tmp_path / "record.json")


def test_a_missing_file_and_a_folder_are_errors_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_guarded(tmp_path / "none")
    with pytest.raises(IsADirectoryError):
        read_guarded(tmp_path)
