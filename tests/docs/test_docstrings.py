"""The language of docstrings."""

import ast
import inspect
import re
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
BEGINNING = re.compile(
    r"^(?: {4}[\w*`]+(?:, [\w*`]+)*: |(?<=Returns:\n) {4}|\A)(?:what|which|how|whether|where|who|of|by|as)\b.*",
    re.I | re.M,
)
"""A docstring, or an entry of one of its sections, that begins with such a word."""


@pytest.mark.parametrize("folder", ["mtbench", "methods", "datasets", "tests", "results"])
def test_no_docstring_and_no_entry_of_one_begins_with_a_question_word_or_a_preposition(folder: str) -> None:
    files = sorted((HOUSE / folder).rglob("*.py"))
    assert files
    for path in files:
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Expr(value=ast.Constant(value=str(text))):
                    found = BEGINNING.findall(inspect.cleandoc(text))
                    assert not found, f"{path}:{node.lineno}: {found}"
