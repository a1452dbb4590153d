"""Engines that need nothing but this machine keep the contract of engines."""

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mtbench.engines.chosen import choose_engine
from mtbench.engines.engine import Engine
from tests.engines.contract import CHECKS


def of_the_documents() -> Engine:
    """Return the engine that the documents print, as a stranger may write it."""
    page = (Path(__file__).parents[2] / "docs/engines.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(code.strip().splitlines()) <= 32
    namespace: dict[str, type[Engine]] = {"__name__": __name__}  # type: ignore[dict-item]
    exec(code, namespace)
    return namespace["Mine"]()


@pytest.fixture(autouse=True)
def plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let other processes find the plug-ins of the tests."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))


@pytest.mark.parametrize("engine", [choose_engine("local"), of_the_documents()], ids=["local", "of-the-documents"])
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_an_engine_keeps_its_contract(check: Callable[[Engine, Path], None], engine: Engine, tmp_path: Path) -> None:
    check(engine, tmp_path)
