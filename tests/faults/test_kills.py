"""The short form of `tests.kills`."""

from pathlib import Path

import pytest

from tests.kills import COMMANDS, disturb


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_that_is_killed_comes_to_the_bits_of_one_that_is_not(
    name: str, data_root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MTBENCH_DATA", str(data_root))  # where MNIST's files lie
    figures = disturb(name, tmp_path, kills=2)
    assert figures.kills.total() == 2
    assert (figures.equal, figures.failed, figures.litter) == (figures.finished, 0, 0)
