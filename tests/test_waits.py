"""Deadlines: no test waits for ever, whatever hangs."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.waits import wait_until

HERE = Path(__file__).parent
CALLS = {"run", "check_output", "check_call", "call"}
"""Functions of subprocess that wait for their process."""
WAITS = {"communicate", "wait", "join", "get", "acquire"}
"""Methods that, called without an argument, wait for ever."""


def endless(source: str) -> Iterator[int]:
    """The lines of calls that may wait for ever."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        named = {keyword.arg for keyword in node.keywords}
        of_subprocess = isinstance(node.func.value, ast.Name) and node.func.value.id == "subprocess"
        waits = node.func.attr in CALLS if of_subprocess else node.func.attr in WAITS and not node.args
        if waits and not named & {"timeout", "within"}:
            yield node.lineno


def test_every_wait_of_a_test_has_a_deadline() -> None:
    found = {str(path.relative_to(HERE)): list(endless(path.read_text())) for path in HERE.rglob("*.py")}
    assert "test_waits.py" in found
    assert {path: lines for path, lines in found.items() if lines} == {}


def test_a_wait_without_a_deadline_is_found() -> None:
    source = "subprocess.run(['x'])\nprocess.wait()\nprocess.communicate(timeout=1)\nthread.join(3)\n', '.join(words)\n"
    assert list(endless(source)) == [1, 2]


def test_what_does_not_happen_in_time_fails() -> None:
    wait_until(lambda: True)
    with pytest.raises(AssertionError, match=r"after 0\.01 s it is not so"):
        wait_until(lambda: False, within=0.01)
