"""The language of docstrings."""

import ast
import inspect
import re
from pathlib import Path

import pytest

HOUSE = Path(__file__).parent.parent
ROOMS = "backbones bench contract engines plan scaffold search stats store"
BEGINNING = re.compile(
    r"^(?: {4}[\w*`]+(?:, [\w*`]+)*: |(?<=Returns:\n) {4}|\A)(?:what|which|how|whether|where|who|of|by|as)\b.*",
    re.I | re.M,
)
"""A docstring, or an entry of one of its sections, that begins with such a word."""


@pytest.mark.parametrize("room", ROOMS.split())
def test_no_docstring_and_no_entry_of_one_begins_with_a_question_word_or_a_preposition(room: str) -> None:
    for path in sorted((HOUSE / "mtbench" / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Expr)
                and isinstance(node.value, ast.Constant)
                and isinstance(node.value.value, str)
            ):
                found = BEGINNING.findall(inspect.cleandoc(node.value.value))
                assert not found, f"{path}:{node.lineno}: {found}"
