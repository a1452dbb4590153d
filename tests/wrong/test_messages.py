"""The messages of `mtbench check` on plug-ins that are wrong, as they are kept in messages.txt."""

import pytest

from tests.wrong.show import MESSAGES, messages


def test_each_wrong_plug_in_is_told_of_with_the_message_that_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """``python -m tests.wrong.show`` writes the messages again."""
    monkeypatch.chdir(MESSAGES.parents[2])  # files are named as seen from here
    found = messages()
    assert found == MESSAGES.read_text()
    assert found.count("\n    not so: ") >= 16
    assert "nothing is found" not in found
