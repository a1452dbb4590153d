"""Engines that need nothing but this machine keep the contract of engines."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from mtbench.engines.chosen import choose_engine
from mtbench.engines.engine import Engine, Job, Listener, Outcome, Site, outcome

pytest.register_assert_rewrite("tests.engines.contract")

from tests.engines.contract import CHECKS  # noqa: E402


class OneByOne(Engine):
    """One run after another, each in a process of its own: an engine as a stranger may write it."""

    def execute(self, jobs: Sequence[Job], site: Site, listener: Listener) -> list[Outcome]:
        outcomes = []
        for job in jobs:
            listener.started(job, site.device)
            ended = subprocess.run(site.command(job), capture_output=True, text=True, timeout=300, check=False)
            outcomes.append(outcome(job, why=ended.stderr))
            listener.ended(job, outcomes[-1].how, outcomes[-1].why)
        return outcomes


@pytest.fixture(autouse=True)
def plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let other processes find the plug-ins of the tests."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))


@pytest.mark.parametrize("engine", [choose_engine("local"), OneByOne()], ids=["local", "one-by-one"])
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_an_engine_keeps_its_contract(check: Callable[[Engine, Path], None], engine: Engine, tmp_path: Path) -> None:
    check(engine, tmp_path)
